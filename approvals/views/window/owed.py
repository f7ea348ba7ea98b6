"""The window takes in what was owed, and agrees on 容缺 before the acceptance (L8a, O3.1.3a)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals import uploads
from approvals.actions.intake import slot_of
from approvals.actions.owing import allow_later, earliest_later, hand_in, later_lines, outstanding, to_hand_in
from approvals.enums import CaseStatus, Door, MaterialState
from approvals.exceptions import Refused
from approvals.forms import ticks
from approvals.forms_owed import LaterForm
from approvals.models import Case
from approvals.papers import cn_day
from approvals.views.window.checklist import Row, keep_files, rows_of
from approvals.views.window.debts import clock_of
from approvals.views.window.page import applicant_of, fetch, url_of
from approvals.web import conflict, put_on_form
from credit import gate
from credit.models import HandlingWay
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
S = CaseStatus
LATER_FOLLOWS = (
    "出具容缺补交告知书，写明补交的材料、日期和逾期的后果",
    "勾选的材料不再妨碍受理和发证",
    "领证之后、期限之前由申请人补交，到期前一个工作日短信提醒",
)


def _crumbs(case: Case) -> list[dict[str, str]]:
    return [{"label": "窗口办件", "url": reverse("window:desk")}, {"label": case.number, "url": url_of(case)}]


def _owed_page(
    request: PortalRequest, case: Case, *, said: dict[str, str] | None = None, errors: dict[str, str] | None = None,
    problem: str = "",
) -> HttpResponse:  # fmt: skip
    lines = to_hand_in(case)
    rows = rows_of(lines, said or {}, uploads.waiting(case.intake_key), errors or {})
    states = list(dict.fromkeys(line.state for line in lines))
    clocks = [clock for clock in (clock_of(case, state) for state in states) if clock is not None]
    today = local_date(request.now)
    late = any(clock.is_open and clock.is_overdue(today) for clock in clocks)
    context = {
        "case": case,
        "applicant": applicant_of(case),
        "rows": [{"row": _shown(row), "control": row} for row in rows],
        "accept": uploads.ACCEPT,
        "clocks": [{"deadline": clock} for clock in clocks],
        "crumbs": _crumbs(case),
        "back_url": url_of(case),
        "today": today,
        "late": late,
        "problem": problem,
        "lead": _lead(case, states, late=late),
        "follows": _follows(case, states, late=late),
    }
    return render(request, "window/owed.html", context, status=422 if problem or errors else 200)


def _shown(row: Row) -> dict[str, Any]:
    return row.shown() | {"badge": {"label": row.line.get_state_display(), "tone": "warn"}}


def _lead(case: Case, states: list[str], *, late: bool) -> str:
    if not states:
        return "这件办件没有等待补交的材料。"
    if late:
        return "补交期限已过：材料照收并注明逾期，由审查处室的决定人员决定如何处理。"
    if MaterialState.MISSING in states:
        return "这件办件已受理，下列必要材料还没有交：不是补正告知，由申请人自愿补交；缺少的不能准予许可。"
    if MaterialState.DEFERRED in states and case.status == S.APPROVED:
        return "逐份核收；最后一份收齐时证件当即颁发，办件转到出件。"
    return "逐份核收申请人补交的材料。"


def _follows(case: Case, states: list[str], *, late: bool) -> list[str]:
    lines = ["勾选或上传了文件的材料登记为已收，记下收取时间"]
    if MaterialState.DEFERRED in states and case.status == S.APPROVED:
        late_text = "注明逾期；证件等决定人员决定后再发"
        lines.append(late_text if late else "收齐时当即制证办结，监管任务同时生成，短信通知申请人领证")
    elif late:
        lines.append("注明逾期；是否适用逾期的后果由决定人员决定")
    return lines


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def owed(request: PortalRequest, number: str) -> HttpResponseBase:
    """补交材料: what was promised for later comes in."""
    case = fetch(request, number, clerk=True)
    if request.method != "POST":
        return _owed_page(request, case)
    lines = to_hand_in(case)
    slots = [slot_of(line) for line in lines]
    said = ticks(request.POST, slots)
    errors = keep_files(request, key=case.intake_key, slots=slots, by=request.user, now=request.now)
    if request.POST.get("remove", "").isdecimal():
        uploads.discard(int(request.POST["remove"]), intake_key=case.intake_key)
        return _owed_page(request, case, said=said, errors=errors)
    if errors:
        return _owed_page(request, case, said=said, errors=errors, problem="有附件没有收下，其余内容都在。")
    try:
        done = hand_in(case, provided=said, by=request.user, door=Door.WINDOW, now=request.now)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, url_of(case))
        return _owed_page(request, case, said=said, problem=error.message)
    messages.success(request, _told(case, done))
    return redirect(url_of(case))


def _told(before: Case, done: Case) -> str:
    if before.status != done.status:
        return "承诺的材料已收齐，证件当即颁发，请核对领取人后出件。"
    if done.status == S.APPROVED and not outstanding(done, MaterialState.DEFERRED):
        return "材料已收齐，但已过承诺的期限：等决定人员决定后再发证。"
    left = to_hand_in(done)
    return f"材料已收，还有 {len(left)} 项等待补交。" if left else "补交的材料已收齐。"


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def later(request: PortalRequest, number: str) -> HttpResponseBase:
    """容缺办理: the licence first, secondary materials by a written day, agreed before the acceptance."""
    case = fetch(request, number, clerk=True)
    lines = later_lines(case) if case.status == S.SUBMITTED else []
    choices = [(slot_of(line), line.name) for line in lines]
    form = LaterForm(request.POST if request.method == "POST" else None, lines=choices)
    if request.method == "POST" and form.is_valid():
        try:
            allow_later(case, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "已约定容缺办理，请打印容缺补交告知书交申请人签字；其余材料齐全即可受理。")
            return redirect(url_of(case))
    answer = gate.ask(case.applicant, request.now).of(HandlingWay.LATER)
    context = {
        "case": case,
        "applicant": applicant_of(case),
        "form": form,
        "answer": answer,
        "lines": lines,
        "may": bool(lines) and answer.is_open,
        "consequence": case.business_item.later_consequence,
        "earliest": cn_day(earliest_later(case, request.now)),
        "crumbs": _crumbs(case),
        "back_url": url_of(case),
        "follows": LATER_FOLLOWS,
        "today": local_date(request.now),
    }
    return render(request, "window/later.html", context, status=422 if form.is_bound else 200)
