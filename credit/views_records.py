"""信用记录: the list of what a department recorded, a record's page, requests for repair and correction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit import lists, lists_measures, proposing
from credit.actions import measures, repairing
from credit.forms import AskForm, NoticeForm, SettleForm
from credit.identifiers import Form
from credit.listing import BY_CODE
from credit.models import CreditRecord, JointMeasure, Level, Repair
from credit.models.records import KEPT
from credit.models.subjects import of_form
from credit.views_breaches import CRUMB, act, officers, shown
from credit.views_proposals import lines_of
from credit.words import cn_day
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.web import PortalRequest

HEAD = (
    "类别", "等级", "主体", "主体类型", "主体代码", "认定文书", "认定日期", "依据", "适用规则", "最早可申请修复",
    "公示截止", "修复时间", "更正撤回时间", "状态",
)  # fmt: skip
# All but the list of the seriously dishonest, which no department here keeps.
KINDS = [(value, label) for value, label in CreditRecord.Kind.choices if value != CreditRecord.Kind.SERIOUS]


def _listing(request: PortalRequest) -> tuple[Listing, lists.Tab, QuerySet[CreditRecord]]:
    listing = Listing(
        request,
        reverse("credit:records"),
        filters=[
            Filter("kind", "类别", KINDS),
            Filter("level", "等级", Level.choices),
            Filter("form", "主体类型", Form.choices),
        ],
        q_label="文号、名称或代码",
        placeholder="文号、名称或统一社会信用代码",
        tabs=[tab.key for tab in lists.RECORDS if tab.key],
    )
    tab = lists.tab_of(lists.RECORDS, listing["tab"])
    rows = lists.records_in(request.access, tab.key, local_date(request.now))
    for name in ("kind", "level"):
        if listing[name]:
            rows = rows.filter(**{name: listing[name]})
    if listing["form"]:
        rows = rows.filter(of_form(listing["form"], "subject__"))
    return listing, tab, lists.records_with_rows(lists.records_searched(rows, listing["q"]))


@officers
@require_safe
def record_list(request: PortalRequest) -> HttpResponse:
    """The records of what the department found."""
    listing, tab, rows = _listing(request)
    today = local_date(request.now)
    page = listing.page(rows, tab.order)
    clocks = lists.clocks_of(page.rows) if tab.key == "waiting" else {}
    counts = lists.record_counts(request.access, today)
    context = {
        "tab": tab,
        "rows": [
            {
                "record": one,
                "state": lists.state_of(one, today),
                "clock": clocks.get(one.pk),
                "url": reverse("credit:record", args=[one.pk]),
            }
            for one in page
        ],
        "stats": listing.stats([(one.key, one.label, counts[one.key], one.tone) for one in lists.RECORDS]),
        "bar": listing.bar(),
        "pager": listing.pager(page, "条"),
        "export_url": listing.address(reverse("credit:records_export")),
        "clear_url": listing.address(q="", kind="", level="", form=""),
    }
    return shown(request, "credit/records.html", context)


@officers
@require_safe
def records_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons are masked."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def line(record: CreditRecord) -> Sequence[Any]:
        subject, gone = record.subject, (record.repaired_at, record.withdrawn_at)
        return (
            record.get_kind_display(), record.get_level_display() if record.level else "", subject.public_name,
            subject.form_label, subject.code or "", record.source, local_date(record.found_at), record.basis,
            record.rule, record.repair_from or "", record.shown_until or "",
            *(local_date(at) if at else "" for at in gone),
            lists.state_of(record, today)["label"],
        )  # fmt: skip

    lines = everything(rows, tab.order, lambda found: map(line, found))
    return csv_response(f"信用记录-{tab.label}-{today:%Y%m%d}", HEAD, lines)


# --- a record


def _record(request: PortalRequest, pk: int) -> CreditRecord:
    """A record of the person's departments; 404 otherwise."""
    rows = lists.records(request.access).select_related("subject", "department", "breach")
    return get_object_or_404(rows, pk=pk)


def _requests(record: CreditRecord) -> list[Repair]:
    """All that was asked for of a record, the newest first; one statement."""
    found = Repair.objects.filter(record=record).select_related("asked_by", "decided_by", "deadline")
    return list(found.order_by("-pk"))


def _lead(record: CreditRecord, waiting: Repair | None) -> str:
    if record.is_lifted:
        return "这条记录已停止公示和使用，仅供留痕查阅。"
    if waiting is not None:
        return "当事人的申请待决定，请在期限内办结。"
    if record.repair_from is not None:
        return f"自{cn_day(record.repair_from)}起可以申请修复；记录有误的，可以随时申请更正。"
    if record.kind in KEPT:
        return "这条记录不是失信记录，不需要修复；记录有误的，可以随时申请更正。"
    return "记录有误的，可以随时申请更正。"


def _resting(request: PortalRequest, record: CreditRecord) -> list[dict[str, Any]]:
    """The joint measures on a record, whoever decided them, the newest first; one statement."""
    mine, today = lists.own(request.access), local_date(request.now)
    rows = JointMeasure.objects.filter(record=record).select_related("department").order_by("-pk")
    return [
        {
            "measure": one,
            "state": lists_measures.state_of(one, today),
            "url": reverse("credit:measure", args=[one.pk]) if one.department_id in mine else "",
        }
        for one in rows
    ]


def _measure_url(record: CreditRecord, today: dt.date) -> str:
    """Where a measure on this record is decided; nothing where none can rest on it."""
    used = not record.is_lifted and (record.shown_until is None or record.shown_until >= today)
    fits = any(record.kind in kinds for kinds in measures.GROUNDS.values())
    if not used or not fits or measures.longest_end(record, today) is None:
        return ""
    return f"{reverse('credit:measure_new')}?record={record.pk}"


def _record_page(
    request: PortalRequest, record: CreditRecord, *, asking: BaseForm | None = None, settling: BaseForm | None = None,
    notice: BaseForm | None = None,
) -> HttpResponse:  # fmt: skip
    """The record's page; a form that came back stands in its place, as 422."""
    today = local_date(request.now)
    requests = _requests(record)
    waiting = next((one for one in requests if one.granted is None), None)
    askable = repairing.why_not(record, Repair.Ground.WRONG, today, officer=True) is None
    early = record.repair_from is not None and today < record.repair_from
    kept, told = record.kind in KEPT, getattr(record, "breach", None)
    resting = _resting(request, record)
    penalties = sum(one["measure"].ended_at is None and one["measure"].ends_on >= today for one in resting)
    clocks = [one.deadline for one in requests if one.deadline is not None and one.granted is None]
    context = {
        "record": record,
        "entry": BY_CODE.get(record.listed),
        "breach": told,
        "state": lists.state_of(record, today),
        "crumbs": [CRUMB, {"label": "信用记录", "url": reverse("credit:records")}],
        "lead": _lead(record, waiting),
        "requests": requests,
        "waiting": waiting,
        "explanations": explain_many(clocks, today),
        "asking": (asking or AskForm(kind=record.kind)) if askable and waiting is None else None,
        "settling": (settling or SettleForm()) if waiting is not None else None,
        "notice": (notice or (None if early or kept else NoticeForm())) if askable else None,
        "kept": kept,
        "early": early,
        "measures": resting,
        "measure_url": _measure_url(record, today),
        "proposals": lines_of(proposing.of_record(record, today)),
        "grant_follows": [
            "这条记录停止公示和使用，留痕仍在",
            *([f"据此实施的 {penalties} 项联合{'激励' if kept else '惩戒'}随之终止"] if penalties else []),
            "告知承诺、容缺办理等办理方式和抽查按没有这条记录重新判断",
            f"推送公共信用信息平台，{'请另行告知当事人' if told is None else '短信告知当事人的联系人'}",
            "决定后不能撤回",
        ],
        "refuse_follows": [
            "这条记录继续公示和使用",
            "理由请另行告知当事人" if told is None else "理由短信告知当事人的联系人",
            "当事人可以再次申请",
        ],
    }
    bound = next((one for one in (asking, settling, notice) if one), None)
    return shown(request, "credit/record.html", context, bound)


@officers
@require_safe
def record_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One record: what it rests on, its periods, the requests for repair and correction."""
    return _record_page(request, _record(request, pk))


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def record_repair(request: PortalRequest, pk: int) -> HttpResponse:
    """登记申请: the subject asks for repair or correction."""
    record = _record(request, pk)
    back = reverse("credit:record", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = AskForm(request.POST, kind=record.kind)
    answer = act(
        request, form,
        lambda: repairing.ask(record, **form.cleaned_data, by=request.user, now=request.now),
        "申请已登记，办理期限开始计算。", back=back,
    )  # fmt: skip
    return answer or _record_page(request, record, asking=form)


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def record_notice(request: PortalRequest, pk: int) -> HttpResponse:
    """登记信用平台的修复通知."""
    record = _record(request, pk)
    back = reverse("credit:record", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = NoticeForm(request.POST)
    answer = act(
        request, form,
        lambda: repairing.take_notice(record, **form.cleaned_data, now=request.now, by=request.user),
        "修复通知已登记，这条记录停止公示和使用。", back=back,
    )  # fmt: skip
    return answer or _record_page(request, record, notice=form)


def _settled(record: CreditRecord, *, granted: bool) -> str:
    """What the officer reads afterwards; only of a breach is there a contact to tell."""
    unheard = getattr(record, "breach", None) is None
    if granted:
        return "已同意，这条记录停止公示和使用。" + ("请另行告知当事人。" if unheard else "")
    return "已决定不予同意，" + ("理由请另行告知当事人。" if unheard else "理由已告知申请人。")


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def repair_decision(request: PortalRequest, pk: int) -> HttpResponse:
    """决定 on a request."""
    rows = Repair.objects.filter(record__in=lists.records(request.access)).only("pk", "record_id")
    repair = get_object_or_404(rows, pk=pk)
    record = _record(request, repair.record_id)
    back = reverse("credit:record", args=[record.pk])
    if request.method != "POST":
        return redirect(back)
    form = SettleForm(request.POST)
    granted = request.POST.get("verdict") == "grant"
    answer = act(
        request, form,
        lambda: repairing.settle(
            repair, grant=form.cleaned_data["verdict"] == "grant", reason=form.cleaned_data["reason"],
            by=request.user, now=request.now,
        ),
        _settled(record, granted=granted), back=back,
    )  # fmt: skip
    return answer or _record_page(request, record, settling=form)
