"""陈述、申辩 at the window: the notice of a revocation sends the holder here as well (行政许可法 arts. 7, 46–48)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals.actions.revoking import hear_holder, hearing_pends, may_answer, to_hear
from approvals.enums import CaseStatus, Door, HearingWish
from approvals.exceptions import Refused
from approvals.forms_revocation import HearForm
from approvals.models import Case, Revocation
from approvals.papers import cn_day
from approvals.views.window.page import applicant_of, fetch, url_of
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
FOLLOWS = (
    "记入这件撤销建议，短信告知审查处室的决定人员",
    "要求听证的，办理期限停止计算，二十个工作日内组织",
    "书面放弃的，决定人员可以立即作出决定",
)
NOTHING = "这件证照没有等待陈述的撤销建议：还没有告知持证人、听证已经举行，或者已经作出决定。"


def panel(case: Case) -> Revocation | None:
    """The revocation that the case page points to; no statement before the case is completed."""
    return to_hear(case) if case.status == CaseStatus.COMPLETED else None


def lead_of(one: Revocation, request: PortalRequest) -> str:
    """Until when the holder may say what."""
    until = cn_day(one.answer_deadline.due_on) if one.answer_deadline else ""
    if hearing_pends(one):
        return "持证人已经申请听证；仍可记录陈述和申辩。"
    if may_answer(one, local_date(request.now)):
        return f"持证人可以在{until}前陈述、申辩，要求听证，或者书面放弃。书面材料写明要点和材料名称。"
    return "申请听证的期限已过；陈述和申辩仍可记录，由决定人员审查。"


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def statement(request: PortalRequest, number: str) -> HttpResponseBase:
    """What the holder says at the counter before a revocation is decided; written down in the holder's words."""
    case = fetch(request, number, clerk=True)
    one = panel(case)
    if one is None:
        return conflict(request, Refused("state-conflict", NOTHING, conflict=True), url_of(case))
    form = HearForm(request.POST if request.method == "POST" else None, initial={"wish": HearingWish.LATER})
    if form.is_valid():
        try:
            hear_holder(one, **form.cleaned_data, by=request.user, door=Door.WINDOW, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "已记录持证人的意见，决定人员已收到短信。")
            return redirect(url_of(case))
    return _page(request, case, one, form)


def _page(request: PortalRequest, case: Case, one: Revocation, form: HearForm) -> HttpResponse:
    context = {
        "case": case,
        "one": one,
        "applicant": applicant_of(case),
        "form": form,
        "lead": lead_of(one, request),
        "crumbs": [{"label": "窗口办件", "url": reverse("window:desk")}, {"label": case.number, "url": url_of(case)}],
        "back_url": url_of(case),
        "follows": FOLLOWS,
        "facts": [
            {"label": "证照", "value": f"{one.licence.kind} {one.licence.number}"},
            {"label": "告知的法定情形", "value": one.get_ground_display()},
            {"label": "监管部门建议的事实", "value": one.facts, "wide": True},
        ],
    }
    return render(request, "window/statement.html", context, status=422 if form.is_bound else 200)
