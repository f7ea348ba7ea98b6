"""代码衔接: which codes were replaced, merged or split, entered and set aside by the city's credit officers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit.actions import joining as acting
from credit.actions.joining import Proposed
from credit.forms_links import CARRIES, LinkForm, UndoForm
from credit.identifiers import normalise
from credit.joining import lineage
from credit.models import CreditRecord, CreditSubject, SubjectLink
from credit.using import in_use
from credit.views_breaches import act, officers, shown
from credit.words import cn_day
from deadlines.clock import local_date
from offices.access import Access
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.refusals import Refused
from offices.refusing import conflict, put_on_form
from offices.web import PortalRequest

CRUMB = {"label": "代码衔接", "url": "/credit/links/"}
ORDER = ("-id",)
HEAD = (
    "原主体", "原代码", "新主体", "新代码", "方式", "生效日", "依据", "信用记录", "登记人", "登记日期",
    "撤销日期", "撤销理由",
)  # fmt: skip


def is_city(access: Access) -> bool:
    """Whether the person manages credit in a department of the city, and may link."""
    return any(
        one.role == Posting.Role.CREDIT_OFFICER and one.department.division.parent_id is None for one in access.postings
    )


def whole(rows: QuerySet[SubjectLink]) -> QuerySet[SubjectLink]:
    """With everything that a line shows."""
    return rows.select_related("before", "after", "by", "set_aside_by").defer("before__id_number", "after__id_number")


def of_subject(subject: CreditSubject) -> QuerySet[SubjectLink]:
    """The links in force that name a subject, either way."""
    rows = SubjectLink.objects.filter(Q(before=subject) | Q(after=subject), set_aside_at__isnull=True)
    return whole(rows).order_by("-on", "-pk")


def state(link: SubjectLink) -> dict[str, str]:
    """Where a link is, as a badge."""
    if link.set_aside_at is not None:
        return {"label": "已撤销", "tone": "neutral"}
    return {"label": "有效", "tone": "good"} if link.carries else {"label": "有效，不随同计算", "tone": "warn"}


def cards(links: Iterable[SubjectLink]) -> list[dict[str, Any]]:
    """Links as rows of a page."""
    return [{"link": one, "state": state(one), "url": reverse("credit:link", args=[one.pk])} for one in links]


def searched(rows: QuerySet[SubjectLink], text: str) -> QuerySet[SubjectLink]:
    """By the whole code of either subject, or by how its name begins; each has an index for it."""
    if not text:
        return rows
    found = CreditSubject.objects.filter(Q(code=normalise(text)) | Q(name__startswith=text)).values("pk")
    return rows.filter(Q(before__in=found) | Q(after__in=found))


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[SubjectLink]]:
    listing = Listing(
        request,
        reverse("credit:links"),
        filters=[Filter("kind", "方式", SubjectLink.Kind.choices)],
        q_label="名称开头或者代码",
        placeholder="名称开头或者统一社会信用代码",
        tabs=["aside"],
    )
    rows = SubjectLink.objects.filter(set_aside_at__isnull=listing["tab"] != "aside")
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    return listing, whole(searched(rows, listing["q"]))


@officers
@require_safe
def link_list(request: PortalRequest) -> HttpResponse:
    """Links in force, the newest first; or those set aside."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    counts = SubjectLink.objects.aggregate(
        used=Count("pk", filter=Q(set_aside_at__isnull=True)), aside=Count("pk", filter=Q(set_aside_at__isnull=False))
    )
    context = {
        "rows": cards(page),
        "aside": listing["tab"] == "aside",
        "may": is_city(request.access),
        "stats": listing.stats(
            [("", "有效", counts["used"], "neutral"), ("aside", "已撤销", counts["aside"], "neutral")]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "项"),
        "export_url": listing.address(reverse("credit:links_export")),
        "clear_url": listing.address(q="", kind=""),
    }
    return shown(request, "credit/links.html", context)


@officers
@require_safe
def links_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)

    def line(one: SubjectLink) -> Sequence[Any]:
        return (
            one.before.public_name, one.before.code, one.after.public_name, one.after.code, one.get_kind_display(),
            one.on, one.basis, CARRIES[not one.carries][1], one.by.full_name, local_date(one.at),
            local_date(one.set_aside_at) if one.set_aside_at else "", one.set_aside_reason,
        )  # fmt: skip

    label = "已撤销" if listing["tab"] == "aside" else "有效"
    lines = everything(rows, ORDER, lambda found: map(line, found))
    return csv_response(f"代码衔接-{label}-{local_date(request.now):%Y%m%d}", HEAD, lines)


# --- a new one


def _typed(form: LinkForm) -> dict[str, Any]:
    said = dict(form.cleaned_data)
    return {name: said[name] for name in ("before", "after", "kind", "on", "basis", "carries_reason")} | {
        "carries": said["carries"] != "no"
    }


def _mark(wanted: Proposed) -> str:
    return f"{wanted.before.pk}-{wanted.after.pk}-{wanted.kind}-{wanted.on}-{int(wanted.carries)}"


def follows(wanted: Proposed, today: dt.date) -> list[str]:
    """What a link brings with it, in sentences; two statements.

    Counted is what the query of the credit counts: findings that wait to be judged are their department's alone.
    """
    old, new = wanted.before.public_name, wanted.after.public_name
    kept = f"记录仍留在“{old}”的原代码名下，不移动、不改写；推送信用平台仍用认定时的代码"
    traced = "记入两个主体的留痕；登记有误的可以撤销，撤销也留痕"
    if not wanted.carries:
        return [f"“{old}”的信用记录不计入“{new}”，只登记承继关系", kept, traced]
    whose = lineage(wanted.before)
    records = CreditRecord.objects.filter(in_use(today), subject__in=whose).count()
    carried = f"查询“{new}”的信用时，一并计算“{old}”使用中的信用记录 {records} 条；公共信用评价不随同计算"
    further = [f"“{old}”以前衔接的 {len(whose) - 1} 个代码一并计算"] if len(whose) > 1 else []
    return [carried, *further, kept, traced]


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def link_new(request: PortalRequest) -> HttpResponse:
    """登记衔接: typed, checked and shown with what will follow, then confirmed."""
    if not is_city(request.access):
        raise Http404
    form = LinkForm(
        request.POST if request.method == "POST" else None,
        initial={"kind": SubjectLink.Kind.REPLACED, "carries": "yes"},
    )
    wanted: Proposed | None = None
    if request.method == "POST" and form.is_valid():
        try:
            wanted = acting.propose(**_typed(form), now=request.now)
            if request.POST.get("step") == "confirm" and form.cleaned_data["seen"] == _mark(wanted):
                made = acting.link(**_typed(form), by=request.user, now=request.now)
                return _said(request, "代码已衔接。", made)
        except Refused as error:
            wanted = None
            if error.conflict:
                return conflict(request, error, reverse("credit:links"), form)
            put_on_form(form, error)
    context = {
        "form": form,
        "crumbs": [CRUMB],
        "wanted": wanted,
        "kind_label": SubjectLink.Kind(wanted.kind).label if wanted else "",
        "mark": _mark(wanted) if wanted else "",
        "follows": follows(wanted, local_date(request.now)) if wanted else [],
    }
    return shown(request, "credit/link_new.html", context, form)


def _said(request: PortalRequest, words: str, link: SubjectLink) -> HttpResponse:
    messages.success(request, words)
    return redirect("credit:link", link.pk)


# --- one of them


def _page(request: PortalRequest, link: SubjectLink, form: UndoForm | None = None) -> HttpResponse:
    facts: list[dict[str, Any]] = [
        {"label": "方式", "value": link.get_kind_display()},
        {"label": "生效日", "value": cn_day(link.on)},
        {"label": "依据", "value": link.basis, "wide": True},
        {"label": "原代码的信用记录", "value": CARRIES[not link.carries][1]},
        {"label": "登记", "value": f"{link.by.full_name}，{cn_day(local_date(link.at))}"},
    ]
    if link.carries_reason:
        facts.append({"label": "不随同计算的理由", "value": link.carries_reason, "wide": True})
    if link.set_aside_at and link.set_aside_by:
        gone = f"{link.set_aside_by.full_name}，{cn_day(local_date(link.set_aside_at))}"
        facts += [
            {"label": "撤销", "value": gone},
            {"label": "撤销的理由", "value": link.set_aside_reason, "wide": True},
        ]
    open_ = link.set_aside_at is None and is_city(request.access)
    context = {
        "link": link,
        "badge": state(link),
        "crumbs": [CRUMB],
        "facts": facts,
        "form": (form or UndoForm()) if open_ else None,
        "follows": [
            f"查询“{link.after.public_name}”的信用时，不再计算“{link.before.public_name}”的信用记录",
            "已经作出的决定不变，当时所见仍留在办件里",
            "这项衔接和撤销的理由留痕，不删除；撤销有误的，可以再次衔接",
        ],
    }
    return shown(request, "credit/link.html", context, form)


@officers
@require_safe
def link_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One link: what it rests on, who entered it, whether it was set aside."""
    return _page(request, get_object_or_404(whole(SubjectLink.objects.all()), pk=pk))


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def link_undo(request: PortalRequest, pk: int) -> HttpResponse:
    """撤销衔接."""
    if not is_city(request.access):
        raise Http404
    link = get_object_or_404(whole(SubjectLink.objects.all()), pk=pk)
    back = reverse("credit:link", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = UndoForm(request.POST)
    answer = act(
        request, form,
        lambda: acting.undo(link, **form.cleaned_data, by=request.user, now=request.now),
        "衔接已撤销，理由已留痕。", back=back,
    )  # fmt: skip
    return answer or _page(request, link, form)
