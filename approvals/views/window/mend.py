"""At the window, for the applicant who stands there: small errors mended on the spot, and the application withdrawn."""

from __future__ import annotations

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals.actions.ending import TOO_LATE, may_withdraw, withdraw_case
from approvals.actions.mending import may_mend, mend_case
from approvals.enums import CaseStatus, Door
from approvals.exceptions import Refused
from approvals.forms_mend import MendForm, WindowWithdrawalForm
from approvals.models import Case
from approvals.views.window.page import applicant_of, fetch, url_of
from approvals.web import conflict, put_on_form
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
MEND_FOLLOWS = (
    "办件上的内容随即更正，已出具的文书不变",
    "更正了哪几项记入留痕，并计入督办人员的统计",
    "不算补正告知，期限不变",
)
WITHDRAW_FOLLOWS = (
    "出具撤回申请确认书，短信通知申请人",
    "全部期限取消，正在审查的停止审查，并通知经办人员",
    "列入督办人员的退件统计",
)


def _page(request: PortalRequest, case: Case, template: str, form: BaseForm, follows: tuple[str, ...]) -> HttpResponse:
    crumbs = [{"label": "窗口办件", "url": reverse("window:desk")}, {"label": case.number, "url": url_of(case)}]
    context = {
        "case": case, "applicant": applicant_of(case), "form": form, "crumbs": crumbs, "back_url": url_of(case),
        "follows": follows,
    }  # fmt: skip
    return render(request, template, context, status=422 if form.is_bound else 200)


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def mend(request: PortalRequest, number: str) -> HttpResponseBase:
    """当场更正: contact and content, before acceptance; who applies is no small error."""
    case = fetch(request, number, clerk=True)
    if not may_mend(case):
        text = f"这件办件现在是“{case.get_status_display()}”，受理之前才可以当场更正。"
        return conflict(request, Refused("state-conflict", text, conflict=True), url_of(case))
    form = MendForm(case, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            mend_case(case, by=request.user, now=request.now, **form.cleaned_data)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "已当场更正。")
            return redirect(url_of(case))
    return _page(request, case, "window/mend.html", form, MEND_FOLLOWS)


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: PortalRequest, number: str) -> HttpResponseBase:
    """撤回申请: the applicant came to the window to take the application back; its paper is handed over at once."""
    case = fetch(request, number, clerk=True)
    if not may_withdraw(case):
        why = TOO_LATE[CaseStatus(case.status)]
        refused = Refused("state-conflict", f"这件申请{why}，不能再撤回；作出决定之前才可以撤回。", conflict=True)
        return conflict(request, refused, url_of(case))
    form = WindowWithdrawalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            withdraw_case(case, by=request.user, door=Door.WINDOW, reason=reason, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "申请已撤回，请打印撤回申请确认书交申请人。")
            return redirect(url_of(case))
    return _page(request, case, "window/withdraw.html", form, WITHDRAW_FOLLOWS)
