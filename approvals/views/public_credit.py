"""A subject's own credit, behind its own door: records, notices, requests, what is open to it; objection, repair (L8c).

The door is that of any case of the subject, however old: its query code, and a code by SMS to its contact. Everything
is fetched from what belongs to the subject of that case; anybody else's does not exist (404).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals import doors
from approvals import progress as progress_line
from approvals.exceptions import Refused
from approvals.forms_public import OwnAskForm, OwnObjectionForm
from approvals.models import Case
from approvals.views.public_door import back_to_progress, private
from approvals.web import conflict, put_on_form, typed
from credit import gate, own, papers
from credit.actions import judging, repairing
from credit.joining import lineage, succeeded
from credit.listing import BY_CODE
from credit.lists import state_of, tab_of
from credit.models import Breach, CreditSubject, Repair
from credit.words import by_day, cn_day
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.lists import Listing
from offices.web import PortalRequest

CLOSED = "时间已到或者还没有验证手机，没有提交。请重新查询办件、获取短信验证码后再提交。"
OBJECTED = "异议已提交，认定单位审查后决定是否记录，并告知您。"
ASKED = "申请已提交，办理期限开始计算，决定后告知您。"
OBJECTION_FOLLOWS = (
    "异议交给认定单位审查，审查以前不会记录",
    "异议只能提出一次，提交后不能修改；补充材料请交认定单位",
    "决定后短信告知，也可以在这里查看",
)
ASK_FOLLOWS = ("申请交给认定单位审查，办理期限开始计算", "同一条记录同时只能有一件申请", "决定和理由在这里查看")


def _closed(request: PortalRequest, number: str, form: BaseForm | None = None) -> HttpResponseBase:
    """The door's one answer; what was typed meanwhile is shown again, so that it can be copied."""
    if form is None or not typed(request, form):
        return back_to_progress(request, number)
    back = f"{reverse('progress')}?{urlencode({'number': progress_line.clean(number)[:21]})}"
    return private(conflict(request, Refused("door-closed", CLOSED, conflict=True), back, form))


def _act(
    request: PortalRequest, form: BaseForm, done: Callable[[], object], said: str, here: str
) -> HttpResponseBase | None:  # fmt: skip
    """Do one act: back to the page when done, 409 where it was done before, None to show the form again."""
    if not form.is_valid():
        return None
    try:
        done()
    except Refused as error:
        if error.conflict:
            return private(conflict(request, error, here, form))
        put_on_form(form, error)
        return None
    messages.success(request, said)
    return redirect(here)


def _shown(
    request: PortalRequest, template: str, case: Case, context: dict[str, Any], form: BaseForm | None = None
) -> HttpResponseBase:
    """The page, kept nowhere; 422 where a form came back with errors."""
    status = 422 if form is not None and form.is_bound and form.errors else 200
    home = {"label": "我的信用", "url": reverse("door_credit", args=[case.number])}
    shared = {"nav": "progress", "case": case, "today": local_date(request.now), "crumbs": [home]}
    return private(render(request, template, shared | context, status=status))


# --- all of it


def _lead(subject: CreditSubject, open_ones: list[Breach], request: PortalRequest) -> str:
    """What the subject has to do now."""
    waiting = [one for one in open_ones if own.may_object(one, local_date(request.now))]
    if waiting:
        until = min(one.deadline.due_on for one in waiting)
        asked = f"请{by_day(until)}提出" if until >= local_date(request.now) else "现在仍可以提出"
        return f"有 {len(waiting)} 件拟认定失信等候您的意见，有异议的{asked}。"
    return "没有等候您答复的事项。记录有误的，随时可以申请更正。"


def badge_of(repair: Repair) -> dict[str, str]:
    """Where a request stands, as a badge."""
    if repair.granted is None:
        return {"label": "待决定", "tone": "active"}
    return {"label": "同意", "tone": "good"} if repair.granted else {"label": "不同意", "tone": "warn"}


@require_safe
def overview(request: PortalRequest, number: str) -> HttpResponseBase:
    """The public evaluation, what it opens and closes, open notices, requests, records; statements are constant."""
    case = doors.case_of(request, number)
    if case is None:
        return _closed(request, number)
    subject, today = case.applicant, local_date(request.now)
    whose, spoken_for = lineage(subject), succeeded(subject)
    listing = Listing(request, reverse("door_credit", args=[number]), tabs=[tab.key for tab in own.TABS if tab.key])
    tab = tab_of(own.TABS, listing["tab"])
    page = listing.page(own.records(whose).filter(own.condition(tab.key)), tab.order)
    counts, told = own.counts(whose), list(own.breaches(spoken_for).order_by("-id")[: own.MOST])
    open_ones = [one for one in told if one.is_open]
    context = {
        "subject": subject,
        "lead": _lead(subject, open_ones, request),
        "answer": gate.ask(subject, request.now, whose=whose),
        "open": [
            {"breach": one, "may": own.may_object(one, today), "former": own.former(subject, one.subject)}
            for one in open_ones
        ],
        "dropped": [one for one in told if one.status == Breach.Status.DROPPED],
        "repairs": [
            {"repair": one, "badge": badge_of(one)} for one in own.repairs(spoken_for).order_by("-id")[: own.MOST]
        ],
        "tab": tab,
        "rows": [
            {
                "record": one,
                "state": state_of(one, today),
                "period": own.period_of(one, today),
                "former": own.former(subject, one.subject),
            }
            for one in page
        ],
        "stats": listing.stats([(one.key, one.label, counts[one.key], one.tone) for one in own.TABS]),
        "pager": listing.pager(page, "条"),
    }
    return _shown(request, "public/door_credit.html", case, context)


# --- a notice


@require_http_methods(["GET", "HEAD", "POST"])
def breach(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """What the subject was told of, until when it may object, what was decided; a POST objects."""
    form = OwnObjectionForm(request.POST) if request.method == "POST" else None
    case = doors.case_of(request, number)
    if case is None:
        return _closed(request, number, form)
    found, today = own.breaches(succeeded(case.applicant)), local_date(request.now)
    one = get_object_or_404(found, pk=pk)
    if form is not None:
        here = reverse("door_breach", args=[number, pk])

        def done() -> Breach:
            return judging.object_to(one, **form.cleaned_data, by=None, now=request.now, through=case.stream)

        answer = _act(request, form, done, OBJECTED, here)
        if answer is not None:
            return answer
    waits = own.may_object(one, today)
    context = {
        "breach": one,
        "entry": BY_CODE.get(one.listed),
        "span": papers.span_of(one),
        "former": own.former(case.applicant, one.subject),
        "explanations": explain_many([one.deadline], today),
        "lead": _breach_lead(one, today, waits=waits),
        "form": form or (OwnObjectionForm() if waits else None),
        "follows": OBJECTION_FOLLOWS,
    }
    return _shown(request, "public/door_breach.html", case, context, form)


def _breach_lead(one: Breach, today: dt.date, *, waits: bool) -> str:
    if one.status == Breach.Status.RECORDED:
        return "已经决定记录。记录有误的，随时可以申请更正；到期可以申请修复。"
    if one.status == Breach.Status.DROPPED:
        return "经审查，决定不予记录。"
    if one.status == Breach.Status.OBJECTED:
        return "您的异议已收到，请等候决定。"
    if not waits:
        return f"提出异议的期限（{cn_day(one.deadline.due_on)}）已过，请等候决定。"
    if one.deadline.is_overdue(today):
        return f"现在还没有记录，仍可以提出异议。{one.deadline.provisional_note()}"
    return f"现在还没有记录。有异议的，请{by_day(one.deadline.due_on)}提出。"


@require_safe
def notice(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """拟认定失信告知书, to read and print."""
    case = doors.case_of(request, number)
    if case is None:
        return _closed(request, number)
    one = get_object_or_404(own.breaches(succeeded(case.applicant)), pk=pk)
    context = papers.notice(one, back_url=reverse("door_breach", args=[number, pk]))
    return private(render(request, "credit/notice.html", context))


# --- a record


@require_http_methods(["GET", "HEAD", "POST"])
def record(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """One record with its periods and requests; a POST asks for repair or correction."""
    form = OwnAskForm(request.POST) if request.method == "POST" else None
    case = doors.case_of(request, number)
    if case is None:
        return _closed(request, number, form)
    spoken_for, today = succeeded(case.applicant), local_date(request.now)
    whose = spoken_for if form is not None else lineage(case.applicant)
    one = get_object_or_404(own.records(whose).select_related("breach").defer("breach__phone"), pk=pk)
    if form is not None:
        here = reverse("door_record", args=[number, pk])

        def done() -> Repair:
            return repairing.ask(one, **form.cleaned_data, by=None, now=request.now, through=case.stream)

        answer = _act(request, form, done, ASKED, here)
        if answer is not None:
            return answer
    asked = list(own.repairs(spoken_for).filter(record=one).order_by("-id"))
    closed = own.why_closed(one, asked, today, spoken_for)
    waiting = next((row for row in asked if row.granted is None and row.deadline is not None), None)
    early = repairing.why_not(one, Repair.Ground.MENDED, today) if closed is None else None
    context = {
        "record": one,
        "entry": BY_CODE.get(one.listed),
        "told": getattr(one, "breach", None) if one.subject_id in spoken_for else None,
        "former": own.former(case.applicant, one.subject),
        "state": state_of(one, today),
        "lead": closed.message if closed else "已经纠正的，可以申请修复；记录有误的，可以申请更正。",
        "early": early.message if early and form is None else "",
        "repairs": [{"repair": row, "badge": badge_of(row)} for row in asked],
        "waiting": waiting,
        "explanations": explain_many([waiting.deadline] if waiting else [], today),
        "form": form or (OwnAskForm() if closed is None else None),
        "follows": ASK_FOLLOWS,
    }
    return _shown(request, "public/door_record.html", case, context, form)
