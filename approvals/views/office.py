"""The back office: the work list of reviewers and deciders, and what they do to a case.

What they see before the decision comes from ``approvals.blind`` and nowhere else (O3.1.2c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from approvals import blind, duty, owed
from approvals.actions import complete_case, decide, give_opinion
from approvals.blind import BlindCase
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.forms_office import DecisionForm, OpinionForm
from approvals.models import Case
from approvals.querysets import CaseQuerySet
from approvals.views.office_page import case_context, preview_context
from approvals.web import conflict, put_on_form
from credit.models import CreditSubject
from deadlines.clock import local_date
from offices import kept
from offices.access import Access
from offices.export import csv_response
from offices.keyset import Keyset
from offices.links import link
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required

Role = Posting.Role


@dataclass(frozen=True, slots=True)
class Tab:
    """A queue of the work list: whose it is, what is done there, what to say when it is empty."""

    key: str
    label: str
    verb: str
    queue: Callable[[Access], CaseQuerySet]
    roles: tuple[str, ...]
    lead: str
    empty: str
    order: tuple[str, ...] = ("queue_on", "id")
    page: str = "office:case"

    @property
    def is_decided(self) -> bool:
        """Whether only decided cases are here, so that the applicant is shown."""
        return self.key in {"issue", "done"}


REVIEWER, DECIDER = (Role.REVIEWER,), (Role.DECIDER,)
BOTH = (Role.REVIEWER, Role.DECIDER)
TABS = (
    Tab(
        "review", "待审查", "审查", blind.to_review, REVIEWER,
        lead="抽取给您的办件，请按到期日先后审查。",
        empty="没有待审查的办件",
    ),
    Tab(
        "decide", "待决定", "决定", blind.to_decide, DECIDER,
        lead="即办件排在最前，请当场决定；其余按到期日先后。",
        empty="没有待决定的办件",
    ),
    Tab(
        "countersign", "待会签", "会签", blind.to_countersign, BOTH,
        lead="其他处室的办件送本处室会签，与审查同时进行；答复以前不能作出决定。",
        empty="没有待会签的办件",
        page="office:countersign",
    ),
    Tab(
        "issue", "待制证", "办结", blind.to_issue, BOTH,
        lead="已准予许可，请制证办结，移交出件窗口。",
        empty="没有待制证的办件",
    ),
    Tab(
        "advised", "已出意见", "查看", blind.advised, REVIEWER,
        lead="您已出具意见，正等待决定。",
        empty="没有等待决定的办件",
    ),
    Tab(
        "done", "已办", "查看", blind.done, BOTH,
        lead="已作出决定并办结、送达的办件，新的在前。",
        empty="还没有办过的办件",
        order=("-id",),
    ),
)  # fmt: skip

staff = roles_required(Role.REVIEWER, Role.DECIDER)


def _tabs(access: Access) -> list[Tab]:
    return [tab for tab in TABS if access.has(*tab.roles)]


def _chosen(request: PortalRequest, tabs: list[Tab]) -> Tab:
    asked = request.GET.get("tab", "")
    return next((tab for tab in tabs if tab.key == asked), tabs[0])


def address(**values: str) -> str:
    """The work list's address with what is asked for."""
    kept = {key: value for key, value in values.items() if value}
    return f"{reverse('office:list')}?{urlencode(kept)}" if kept else reverse("office:list")


def _queues(access: Access, key: str) -> dict[str, CaseQuerySet]:
    """Each queue of the person, and what of the one looked at is late."""
    queues = {tab.key: tab.queue(access) for tab in _tabs(access)}
    if key != "done":
        queues[f"{key}_late"] = blind.late(blind.with_pressing(queues[key]), access.on)
    return queues


def _filtered(request: PortalRequest, tab: Tab) -> CaseQuerySet:
    """The rows of a queue that the search and the late filter leave, with the clock that presses."""
    rows = blind.with_pressing(blind.search(tab.queue(request.access), request.GET.get("q", "")))
    return blind.late(rows, local_date(request.now)) if request.GET.get("late") else rows


def _read(cases: CaseQuerySet, tab: Tab) -> CaseQuerySet:
    return blind.revealed(cases) if tab.is_decided else blind.blind(cases)


def _subject(case: Case, tab: Tab) -> CreditSubject | None:
    """The applicant, only where the queue holds decided cases alone."""
    return case.applicant if tab.is_decided else None


def _preview(pk: int, tab: Tab) -> dict[str, Any]:
    """The pane of a case of the page; nothing once it has left the queue's state."""
    read = kept.ask((_preview, tab.key), lambda case: _read(Case.objects.filter(pk=case), tab), pk)
    return preview_context(BlindCase.of(read[0]), _subject(read[0], tab)) if read else {}


def _bar(request: PortalRequest, tab: Tab) -> dict[str, Any]:
    q, late = request.GET.get("q", "").strip(), request.GET.get("late", "")
    chips = [{"label": f"查找：{q}", "url": address(tab=tab.key, late=late)}] if q else []
    if late:
        chips.append({"label": "已超期", "url": address(tab=tab.key, q=q)})
    return {
        "action": reverse("office:list"),
        "q": q,
        "q_label": "办件编号或事项",
        "placeholder": "编号、事项名称或拼音首字母",
        "hidden": [{"name": "tab", "value": tab.key}] + ([{"name": "late", "value": "1"}] if late else []),
        "chips": chips,
        "clear_url": address(tab=tab.key) if chips else "",
    }


@staff
def work_list(request: PortalRequest) -> HttpResponse:
    """What is mine now, by due date, with the light and the next verb; a preview on wide screens."""
    access = request.access
    tabs = _tabs(access)
    tab = _chosen(request, tabs)
    q, late = request.GET.get("q", "").strip(), request.GET.get("late", "")
    counts = tally(access, _queues, tab.key)
    key = None if q else (work_list, access.key, tab.key, bool(late))
    listed = blind.listed_decided if tab.is_decided else blind.listed
    page = Keyset(lambda: _filtered(request, tab), tab.order, wide=listed, key=key).page(request.GET.get("page", ""))
    lines = zip(blind.rows(page.rows), page, strict=True)
    rows: list[dict[str, Any]] = [{"case": line, "subject": _subject(case, tab)} for line, case in lines]
    wanted = request.GET.get("selected", "")
    shown = next((row for row in rows if row["case"].number == wanted), rows[0] if rows else None)
    here = {"tab": tab.key, "q": q, "late": late}
    waits = owed.texts_of(row["case"].pk for row in rows) if tab.key == "issue" else {}
    this_page = address(**here, page=request.GET.get("page", ""))
    for row in rows:
        row["waits"] = waits.get(row["case"].pk, "")
        row["url"] = link(tab.page)(row["case"].number)
        row["preview_url"] = f"{this_page}&selected={row['case'].number}"  # a list is always asked for by its tab
        row["selected"] = row is shown
    stats = [
        {
            "label": t.label,
            "count": up_to(counts[t.key]),
            "url": address(tab=t.key),
            "active": t is tab and not late,
        }
        for t in tabs
    ]
    if tab.key != "done":
        overdue = counts[f"{tab.key}_late"]
        stats.insert(
            tabs.index(tab) + 1,
            {
                "label": "其中超期",
                "count": up_to(overdue),
                "url": address(tab=tab.key, late="1"),
                "active": bool(late),
                "tone": "bad" if overdue else "neutral",
            },
        )
    context = {
        "today": local_date(request.now),
        "tab": tab,
        "rows": rows,
        "stats": stats,
        "bar": _bar(request, tab),
        "pager": {
            "first_url": address(**here),
            "previous_url": address(**here, page=page.previous) if page.previous else "",
            "next_url": address(**here, page=page.next) if page.next else "",
            "summary": f"本页 {len(rows)} 件" if rows else "",
        },
        "export_url": reverse("office:export") + (f"?{urlencode({k: v for k, v in here.items() if v})}"),
        "on_duty": duty.on_duty(access),
        "clear_url": address(tab=tab.key),
    }
    if shown is not None:
        context |= _preview(shown["case"].pk, tab)
        context["preview_url"] = shown["url"]
    return render(request, "office/list.html", context)


@staff
def export(request: PortalRequest) -> HttpResponseBase:
    """The filtered queue as CSV; the applicant stands only in the queues of decided cases."""
    tab = _chosen(request, _tabs(request.access))
    today = local_date(request.now)
    head = ["办件编号", "业务办理项", "办理方式", "状态", "收件日期", "受理日期", "期限", "到期日", "时限"]
    if tab.is_decided:
        head += ["申请人", "证件号码", "决定日期"]

    def line(case: Case) -> list[Any]:
        shown, subject = BlindCase.of(case), _subject(case, tab)
        clock = shown.deadline
        cells = [
            shown.number, shown.item_name, shown.way.label, shown.status.label,
            timezone.localtime(shown.received_at).date(),
            timezone.localtime(shown.accepted_at).date() if shown.accepted_at else "",
            clock.get_kind_display() if clock else "", clock.due_on if clock and clock.state != "paused" else "",
            clock.light_text(today) if clock else "",
        ]  # fmt: skip
        if subject is not None:
            decided = timezone.localtime(shown.decided_at).date() if shown.decided_at else ""
            cells += [subject.public_name, subject.public_identifier, decided]
        return cells

    rows = _read(_filtered(request, tab), tab).order_by(*tab.order).iterator(chunk_size=500)
    return csv_response(f"{tab.label}办件-{today:%Y%m%d}", head, (line(case) for case in rows))


@staff
def set_duty(request: PortalRequest) -> HttpResponse:
    """A decider goes on duty for on-the-spot cases, or off."""
    if request.method == "POST" and request.access.has(Role.DECIDER):
        on = request.POST.get("on") == "1"
        duty.set_on_duty(request.access, on=on, now=request.now)
        said = {True: "您已开始值班，新的即办件会抽取给值班人员。", False: "您已结束值班，新的即办件不再抽取给您。"}
        messages.success(request, said[on])
    return redirect(address(tab="decide") if request.access.has(Role.DECIDER) else "office:list")


def seen(number: str, cases: CaseQuerySet) -> BlindCase:
    """The case if it is among ``cases``; 404 for one of another office, and for one that does not exist."""
    return BlindCase.of(get_object_or_404(blind.blind(cases), number=number))


def answer(request: PortalRequest, case: BlindCase, previewed: bool = False, /, **forms: Any) -> HttpResponse:
    """The case's page; with a form that came back (named as ``case_context`` does), as 422 unless it is a preview."""
    context = case_context(case, request.access, request.now, **forms)
    return render(request, "office/case.html", context, status=422 if forms and not previewed else 200)


@staff
def case_page(request: PortalRequest, number: str) -> HttpResponse:
    """One case: what is asked, with what materials, by which standards, until when, and what is to be done."""
    return answer(request, seen(number, Case.objects.for_back_office(request.access)))


@staff
def opinion(request: PortalRequest, number: str) -> HttpResponse:
    """The reviewer's opinion."""
    case = seen(number, Case.objects.for_reviewer(request.access))
    url = reverse("office:case", args=[case.number])
    if request.method != "POST":
        return redirect(url)
    form = OpinionForm(request.POST)
    if form.is_valid():
        try:
            give_opinion(
                Case(pk=case.pk),
                approve=form.cleaned_data["verdict"] == "approve",
                text=form.cleaned_data["text"],
                keys=form.cleaned_data["keys"],
                by=request.user,
                now=request.now,
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            messages.success(request, f"审查意见已提交，办件 {case.number} 转交决定人员。")
            return redirect(address(tab="review"))
    return answer(request, case, opinion=form)


@staff
def decision(request: PortalRequest, number: str) -> HttpResponse:
    """The decision, by a decider of the office; an on-the-spot approval is completed in the same press."""
    case = seen(number, Case.objects.for_decider(request.access))
    url = reverse("office:case", args=[case.number])
    if request.method != "POST":
        return redirect(url)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            approve = form.cleaned_data["verdict"] == "approve"
            done = decide(
                Case(pk=case.pk),
                approve=approve,
                text=form.cleaned_data["text"],
                keys=[] if approve else form.cleaned_data["keys"],
                by=request.user,
                now=request.now,
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            said = {
                CaseStatus.COMPLETED: "已准予许可并当场办结，监管任务同时生成。",
                CaseStatus.APPROVED: "已作出准予许可决定，请继续制证办结。",
            }
            messages.success(request, said.get(CaseStatus(done.status), "已作出不予许可决定，决定书由出件窗口送达。"))
            return redirect(url)
    return answer(request, case, decision=form)


@staff
def completion(request: PortalRequest, number: str) -> HttpResponse:
    """Issue the licence, hand it to the delivery counter; the supervision tasks open in the same moment."""
    case = seen(number, Case.objects.for_back_office(request.access))
    url = reverse("office:case", args=[case.number])
    if request.method == "POST":
        try:
            complete_case(Case(pk=case.pk), by=request.user, now=request.now)
        except Refused as error:
            return conflict(request, error, url)
        messages.success(request, "已制证办结，移交出件窗口；监管任务同时生成，短信通知处室管理员。")
    return redirect(url)
