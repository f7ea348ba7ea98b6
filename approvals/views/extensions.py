"""延期审批: requests for more time, before the head of the authority that has the case (行政许可法 art. 42).

Heads see what the back office sees: the case, never whose it is (O3.1.2c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals import blind
from approvals.actions.clocks import answer_extension
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.forms_office import AnswerForm
from approvals.models import Extension
from approvals.views.clock_page import day, due_if_extended, more
from approvals.web import conflict, put_on_form
from deadlines import words
from deadlines.clock import local_date
from deadlines.enums import Unit
from deadlines.explaining import explain_many
from offices.access import Access
from offices.export import csv_response
from offices.links import link
from offices.lists import Listing, everything
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required

heads = roles_required(Posting.Role.DEPARTMENT_HEAD)
HEAD = (
    "办件编号", "业务办理项", "审查处室", "申请延长", "理由", "申请人员", "申请时间", "法定期限到期日", "时限", "批复",
    "批复时间", "批复意见",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the list: what is in it, in which order, what to say when it is empty."""

    key: str
    label: str
    rows: Callable[[Access], QuerySet[Extension]]
    order: tuple[str, ...]
    lead: str
    empty: str


TABS = (
    Tab(
        "", "待批", blind.waiting_extensions, ("id",),
        lead="法定期限届满前须作出批复；先申请的在前。申请人信息在决定作出前不显示。",
        empty="没有待批的延期申请",
    ),
    Tab(
        "answered", "已批", blind.answered_extensions, ("-id",),
        lead="已批复的延期申请，新的在前。",
        empty="还没有批复过",
    ),
)  # fmt: skip


def state_of(extension: Extension) -> dict[str, str]:
    """Label and tone of where a request is."""
    if extension.granted is not None:
        return {"label": "已批准", "tone": "good"} if extension.granted else {"label": "不同意", "tone": "bad"}
    if extension.case.status == CaseStatus.IN_REVIEW:
        return {"label": "待批", "tone": "warn"}
    return {"label": "已先行决定，无需批复", "tone": "neutral"}


def _listing(request: PortalRequest) -> tuple[Listing, Tab, Callable[[], QuerySet[Extension]]]:
    listing = Listing(
        request,
        reverse("office:extensions"),
        q_label="办件编号或事项",
        placeholder="编号、事项名称或拼音首字母",
        tabs=[tab.key for tab in TABS if tab.key],
    )
    tab = next(one for one in TABS if one.key == listing["tab"])

    def rows() -> QuerySet[Extension]:
        found = tab.rows(request.access)
        return found.filter(blind.matching(listing["q"], "case__")) if listing["q"] else found

    return listing, tab, rows


def _stats(access: Access, listing: Listing) -> list[dict[str, Any]]:
    """How many wait, and how many were answered: one statement."""
    counts = tally(access, _parts)
    tones = {"": "warn", "answered": "neutral"}
    return listing.stats((tab.key, tab.label, up_to(counts[tab.key]), tones[tab.key]) for tab in TABS)


def _parts(access: Access) -> dict[str, QuerySet[Extension]]:
    return {tab.key: tab.rows(access) for tab in TABS}


@heads
@require_safe
def waiting_list(request: PortalRequest) -> HttpResponse:
    """What waits for an answer of this head's departments, or what was answered."""
    listing, tab, rows = _listing(request)
    page = listing.page(rows, tab.order, wide=blind.extensions_listed, key=(waiting_list, request.access.key))
    context = {
        "today": local_date(request.now),
        "tab": tab,
        "rows": [
            {
                "extension": one,
                "case": one.case,
                "more": more(one, one.case.business_item),
                "state": state_of(one),
                "url": link("office:extension")(one.pk),
            }
            for one in page
        ],
        "stats": _stats(request.access, listing),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "export_url": listing.address(reverse("office:extensions_export")),
        "clear_url": listing.address(q=""),
    }
    return render(request, "office/extensions.html", context)


@heads
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: Extension) -> Sequence[Any]:
        clock = one.case.statutory_deadline
        return (
            one.case.number, one.case.business_item.name, one.case.review_office.name,
            more(one, one.case.business_item), one.reason, one.requested_by.full_name, moment(one.requested_at),
            clock.due_on if clock else "", clock.light_text(today) if clock else "", state_of(one)["label"],
            moment(one.answered_at), one.answer,
        )  # fmt: skip

    lines = everything(rows(), tab.order, lambda found: map(line, found))
    return csv_response(f"延期审批-{tab.label}-{today:%Y%m%d}", HEAD, lines)


def _answer(request: PortalRequest, extension: Extension, form: BaseForm | None = None) -> HttpResponse:
    """The page of one request; with a form that came back, as 422."""
    case, item, today = extension.case, extension.case.business_item, local_date(request.now)
    clock, room = case.statutory_deadline, item.extension
    waits = extension.granted is None and case.status == CaseStatus.IN_REVIEW and clock is not None and clock.is_open
    late = clock is not None and clock.is_overdue(today)
    own = extension.requested_by_id == request.user.pk
    clocks = [one for one in (clock, case.promised_deadline) if one is not None]
    context: dict[str, Any] = {
        "today": today,
        "crumbs": [{"label": "延期审批", "url": reverse("office:extensions")}],
        "extension": extension,
        "case": case,
        "state": state_of(extension),
        "more": more(extension, item),
        "room": room,
        "most": words.length(room.longest, Unit(item.statutory_unit)) if room else "",
        "clocks": clocks,
        "explanations": explain_many(clocks, today),
        "waits": waits,
        "late": late,
        "own": own,
        "may_answer": waits and not own,
        "may_grant": waits and not own and not late and room is not None,
        "form": form or AnswerForm(),
        "facts": [
            {"label": "办件编号", "value": case.number},
            {"label": "审查处室", "value": case.review_office.name},
            {"label": "收件时间", "value": case.received_at},
            {"label": "受理时间", "value": case.accepted_at},
            {"label": "申请内容", "value": case.content or "（未填写）", "wide": True},
        ],
        "lead": _lead(extension, waits=waits, late=late, own=own),
    }
    if waits and clock is not None:
        context |= _follows(extension, context["more"])
    return render(request, "office/extension.html", context, status=422 if form else 200)


def _lead(extension: Extension, *, waits: bool, late: bool, own: bool) -> str:
    if not waits:
        return "这件延期申请不需要再批复。" if extension.granted is None else "这件延期申请已经批复。"
    if own:
        return "这是您自己提出的申请，须由其他负责人批复。"
    if late:
        return "法定期限已过，依法不能再批准延期；请督促尽快作出决定。"
    return "请在法定期限届满前批复。申请人信息在决定作出前不显示。"


def _follows(extension: Extension, asked: str) -> dict[str, list[str]]:
    """What each answer brings about, and the day on which the period would then end."""
    clock = extension.case.statutory_deadline
    assert clock is not None  # noqa: S101 - the caller looked
    until = "特别程序结束后顺延"
    if clock.state != "paused":
        until = f"由{day(clock.due_on)}延长至{day(due_if_extended(clock, extension.days))}"
    return {
        "grant_follows": [
            f"法定审批期限延长{asked}，{until}",
            "出具《延期告知书》，把理由和新的日期告知申请人，短信通知",
            "短信告知提出申请的经办人",
            "一件办件依法只能延期一次，批准后不能撤回",
        ],
        "decline_follows": [f"仍按原期限办理，{day(clock.due_on)}到期", "短信告知提出申请的经办人"],
    }


@heads
@require_http_methods(["GET", "HEAD", "POST"])
def extension_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One request: what is asked, why, what the law allows, and the answer."""
    found = get_object_or_404(blind.extensions(request.access), pk=pk)
    if request.method != "POST":
        return _answer(request, found)
    url = reverse("office:extension", args=[pk])
    form = AnswerForm(request.POST)
    if form.is_valid():
        grant = form.cleaned_data["verdict"] == "grant"
        try:
            answer_extension(
                Extension(pk=pk, case_id=found.case_id), grant=grant, by=request.user, now=request.now,
                answer=form.cleaned_data["answer"],
            )  # fmt: skip
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            said = "已批准延期，延期告知书已出具。" if grant else "已答复不同意延期，办件仍按原期限办理。"
            messages.success(request, said)
            return redirect("office:extensions")
    return _answer(request, found, form)


def waits_for(access: Access) -> QuerySet[Extension]:
    """What waits for this head, other than the head's own requests: the count on the rail."""
    return blind.waiting_extensions(access).exclude(requested_by=access.user)
