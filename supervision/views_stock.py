"""存量证照 of the administrator's own division: upload, look at every faulty row, load by rule; when clocks begin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from ledger.models import Entry
from offices.crypto import mask_name
from offices.export import csv_response
from offices.lists import Listing, counted, everything
from offices.models import Division, Posting
from offices.web import PortalRequest, roles_required
from supervision import starting, stock
from supervision.actions import stocking
from supervision.enums import StockAct
from supervision.forms_stock import LoadForm, StartsForm, UploadForm
from supervision.models import StockBatch

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ORDER = ("-id",)
HEAD = (
    "批次",
    "区划",
    "载入人",
    "载入时间",
    "规则",
    "有效判断日",
    "行数",
    "载入证照",
    "生成任务",
    "不能载入",
    "完成时间",
)
FAULT_HEAD = ("行", "不能载入的原因")
# So many faulty rows stand on the page; all of them are in the table to download.
SHOWN = 500
TABS = {"": Q(), "running": Q(finished_at__isnull=True), "finished": Q(finished_at__isnull=False)}


def own_divisions(request: PortalRequest) -> list[Division]:
    """The divisions that the person administers."""
    return list(Division.objects.filter(pk__in=request.access.divisions(Role.DIVISION_ADMIN)).order_by("code"))


def _own(request: PortalRequest) -> QuerySet[StockBatch]:
    mine = StockBatch.objects.filter(division_id__in=request.access.divisions(Role.DIVISION_ADMIN))
    return mine.select_related("division", "loaded_by")


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[StockBatch]]:
    listing = Listing(
        request, reverse("tasks:stock"), q_label="批次名称", placeholder="名称中的字词", tabs=("running", "finished")
    )
    rows = _own(request)
    if listing["q"]:
        rows = rows.filter(name__contains=listing["q"])
    return listing, rows


def _rule(batch: StockBatch) -> str:
    return f"为 {batch.valid_on} 有效的证照生成任务" if batch.opens_tasks else "只载入，不生成任务"


def _row(batch: StockBatch) -> dict[str, Any]:
    done, rows = int(batch.counts.get("done", 0)), int(batch.counts.get("rows", 0))
    finished = batch.finished_at is not None
    return {
        "batch": batch,
        "counts": batch.counts,
        "faults": len(batch.faults),
        "rule": _rule(batch),
        "percent": 100 * done // rows if rows else 100,
        "badge": {"label": "已完成" if finished else "载入中", "tone": "good" if finished else "active"},
    }


@administrators
@require_safe
def batches(request: PortalRequest) -> HttpResponse:
    """The batches of the division, the newest first."""
    listing, rows = _listing(request)
    counts = counted(rows, TABS)
    page = listing.page(rows.filter(TABS[listing["tab"]]), ORDER)
    context = {
        "rows": [_row(batch) for batch in page.rows],
        "stats": listing.stats(
            [
                ("", "全部批次", counts["all"], "neutral"),
                ("running", "载入中", counts["running"], "warn"),
                ("finished", "已完成", counts["finished"], "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "批"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("tasks:stock_export")),
    }
    return render(request, "stock/batches.html", context)


@administrators
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)

    def moment(value: dt.datetime | None) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def lines(found: list[StockBatch]) -> list[Sequence[Any]]:
        return [
            (
                one.name, one.division.name, one.loaded_by.full_name, moment(one.loaded_at),
                "生成任务" if one.opens_tasks else "不生成任务", one.valid_on or "", one.counts.get("rows", 0),
                one.counts.get("licences", 0), one.counts.get("tasks", 0), len(one.faults), moment(one.finished_at),
            )
            for one in found
        ]  # fmt: skip

    shown = rows.filter(TABS[listing["tab"]])
    return csv_response(f"存量证照批次-{local_date(request.now):%Y%m%d}", HEAD, everything(shown, ORDER, lines))


@administrators
@require_safe
def template(request: PortalRequest) -> HttpResponseBase:
    """The empty table with its header."""
    return csv_response("存量证照模板", stock.HEADER, [])


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Upload a file; nothing is loaded before its rows were looked at."""
    divisions = own_divisions(request)
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(*posted, divisions=divisions)
    if request.method == "POST" and form.is_valid():
        division = next(one for one in divisions if one.code == form.cleaned_data["division"])
        file = form.cleaned_data["file"]
        try:
            if file.size > stock.LARGEST:
                raise Refused("stock-too-big", "文件超过 20 MB，请分成几个文件。", field="file")
            content = file.read()
            stock.parse(content)
            digest = stock.keep(content, division)
        except Refused as error:
            put_on_form(form, error)
        else:
            return redirect("tasks:stock_preview", code=division.code, digest=digest)
    context = {
        "form": form,
        "header": stock.HEADER,
        "optional": stock.OPTIONAL,
        "crumbs": [{"label": "存量证照", "url": reverse("tasks:stock")}],
    }
    return render(request, "stock/new.html", context, status=422 if form.is_bound else 200)


def _kept(request: PortalRequest, code: str, digest: str) -> tuple[Division, list[stock.Row], stock.Known]:
    """The rows of a kept file of one's own division, looked through; 404 where there is none."""
    division = next((one for one in own_divisions(request) if one.code == code), None)
    if division is None:
        raise Http404
    try:
        rows = stock.parse(stock.content_of(division.pk, digest))
    except FileNotFoundError as error:
        raise Http404 from error
    catalogue = stock.known(division.pk, rows)
    stock.check(rows, catalogue, local_date(request.now))
    return division, rows, catalogue


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: PortalRequest, code: str, digest: str) -> HttpResponse:
    """Every row that cannot be loaded and why; then the rule, and loading."""
    known = StockBatch.objects.filter(division__code=code, digest=digest)
    mine = _own(request).filter(pk__in=known.values("pk")).first()
    if mine is not None and request.method != "POST":
        return redirect("tasks:stock_batch", pk=mine.pk)
    if mine is not None:
        error = Refused("stock-file-known", "这个文件已经载入过，没有重复载入。", conflict=True)
        return conflict(request, error, reverse("tasks:stock_batch", args=[mine.pk]))
    division, rows, catalogue = _kept(request, code, digest)
    today = local_date(request.now)
    form = LoadForm(
        request.POST if request.method == "POST" else None,
        initial={"name": f"存量证照 {today:%Y-%m-%d}", "valid_on": today, "rule": "tasks"},
    )
    if request.method == "POST" and form.is_valid():
        try:
            batch = stocking.begin(division, digest, **form.rules(), by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:stock"))
            put_on_form(form, error)
        else:
            messages.success(request, "已开始载入，可以离开本页，稍后回来查看。")
            return redirect("tasks:stock_batch", pk=batch.pk)
    good = [row for row in rows if not row.fault]
    bad = [row for row in rows if row.fault]
    doubts = stock.doubt(rows)
    unlinked = sum(1 for row in good if not catalogue.linked(row))
    valid = sum(1 for row in good if row.is_valid_on(today))
    context = {
        "form": form,
        "division": division,
        "digest": digest,
        "rows": len(rows),
        "good": len(good),
        "bad": len(bad),
        "faults": bad[:SHOWN],
        "hidden": max(0, len(bad) - SHOWN),
        "doubts": len(doubts),
        "doubted": doubts[:SHOWN],
        "sample": [_sample(row) for row in good[:5]],
        "facts": [
            {"label": "区划", "value": division.name},
            {"label": "行数", "value": str(len(rows))},
            {"label": "可以载入", "value": str(len(good))},
            {"label": "不能载入", "value": str(len(bad))},
            {"label": "今天在有效期内", "value": str(valid)},
            {"label": "没有审管关联", "value": f"{unlinked}（只载入，不生成任务）" if unlinked else "0"},
        ],
        "follows": (
            "由后台分批载入，本页会显示进度；中断后自动继续，不会重复",
            "生成任务的，每个监管处室的管理员收到一条短信，写明件数；签收期限自短信发出起算，不早于期限启用日期",
            "不能载入的行留在批次里，改正后另存为新的文件再次上传",
        ),
        "crumbs": [{"label": "存量证照", "url": reverse("tasks:stock")}],
    }
    return render(request, "stock/preview.html", context, status=422 if form.is_bound else 200)


def _sample(row: stock.Row) -> dict[str, Any]:
    name = mask_name(row.name) if row.kind == stock.PERSON else row.name
    return {"row": row, "name": name, "until": row.valid_to or "长期"}


@administrators
@require_safe
def preview_faults(request: PortalRequest, code: str, digest: str) -> HttpResponseBase:
    """All rows that cannot be loaded, as CSV."""
    _, rows, _ = _kept(request, code, digest)
    lines = ((row.line, row.fault) for row in rows if row.fault)
    return csv_response("存量证照-不能载入的行", FAULT_HEAD, lines)


@administrators
@require_safe
def batch(request: PortalRequest, pk: int) -> HttpResponse:
    """One batch: how far it is, what became of its rows."""
    found = get_object_or_404(_own(request), pk=pk)
    counts = found.counts
    context = {
        **_row(found),
        "shown_faults": found.faults[:SHOWN],
        "hidden": max(0, len(found.faults) - SHOWN),
        "facts": [
            {"label": "区划", "value": found.division.name},
            {"label": "载入人", "value": found.loaded_by.full_name},
            {"label": "规则", "value": _rule(found)},
            {"label": "行数", "value": str(counts.get("rows", 0))},
            {"label": "载入证照", "value": str(counts.get("licences", 0))},
            {"label": "生成任务", "value": str(counts.get("tasks", 0))},
            {"label": "不在有效期内", "value": str(counts.get("expired", 0))},
            {"label": "没有审管关联", "value": str(counts.get("unlinked", 0))},
            {"label": "不能载入", "value": str(len(found.faults))},
            {"label": "文件摘要（SM3）", "value": found.digest, "wide": True},
        ],
        "crumbs": [{"label": "存量证照", "url": reverse("tasks:stock")}],
    }
    return render(request, "stock/batch.html", context)


@administrators
@require_safe
def batch_faults(request: PortalRequest, pk: int) -> HttpResponseBase:
    """The rows of a batch that were not loaded, as CSV."""
    found = get_object_or_404(_own(request), pk=pk)
    return csv_response(f"{found.name}-不能载入的行", FAULT_HEAD, ((one["line"], one["why"]) for one in found.faults))


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def starts(request: PortalRequest) -> HttpResponse:
    """From which day each kind of clock runs in the division."""
    divisions = own_divisions(request)
    asked = request.POST.get("division") or request.GET.get("division") or divisions[0].code
    division = next((one for one in divisions if one.code == asked), None)
    if division is None:
        raise Http404
    known = {one.kind: one for one in starting.of_division(division)}
    form = StartsForm(
        request.POST if request.method == "POST" else None,
        initial={kind: one.starts_on for kind, one in known.items()},
    )
    if request.method == "POST" and form.is_valid() and _set_all(request, division, form):
        messages.success(request, f"{division.name}的期限启用日期已设定，此后起算的期限适用。")
        return redirect(f"{reverse('tasks:stock_starts')}?division={division.code}")
    entries = Entry.objects.filter(stream=starting.stream_of(division.pk), act=StockAct.START_SET)
    context = {
        "form": form,
        "division": division,
        "others": [one for one in divisions if one != division],
        "fields": [form[kind.value] for kind in starting.KINDS_THAT_START],
        "entries": [
            {
                "at": one.at,
                "label": f"{starting.label(one.data['kind'])}：{one.data['to'] or '不设启用日期'}",
                "who": one.actor.full_name if one.actor else "",
                "note": f"此前：{one.data['from'] or '没有'}",
                "tone": "active" if one.data["to"] else "neutral",
            }
            for one in entries.select_related("actor").order_by("-seq")[:20]
        ],
        "follows": ("只对此后起算的期限生效，正在计时的期限不变", "记入本区划留痕"),
        "crumbs": [{"label": "存量证照", "url": reverse("tasks:stock")}],
    }
    return render(request, "stock/starts.html", context, status=422 if form.is_bound else 200)


def _set_all(request: PortalRequest, division: Division, form: StartsForm) -> bool:
    """All three days or none; what is refused stands beside its field."""
    try:
        with transaction.atomic():
            for kind, day in form.days().items():
                try:
                    starting.set_start(division, kind, day, by=request.user, now=request.now)
                except Refused as error:
                    form.add_error(kind, error.message)
                    raise
    except Refused:
        return False
    return True
