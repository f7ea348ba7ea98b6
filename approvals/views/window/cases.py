"""The acts of the window on a case: take in, accept, ask once for corrections, refuse, hand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals import progress, uploads
from approvals.actions import accept_case, answer_correction, deliver, refuse_acceptance, request_correction
from approvals.actions.intake import add_materials, correction_choices, required_points, restored_points, slot_of
from approvals.actions.sitting import supplement_and_accept
from approvals.barring import bar_of
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.forms import CorrectionForm, DeliveryForm, RefusalForm, ticks
from approvals.models import Case
from approvals.promised import points_in_force
from approvals.views.window.checklist import keep_files, lines_of
from approvals.views.window.desk import next_verb
from approvals.views.window.page import (
    BEFORE_ACCEPTANCE,
    applicant_of,
    case_page,
    clocks_of,
    facts_of,
    fetch,
    notice_of,
    url_of,
)
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
CORRECT_FOLLOWS = (
    "出具补正告知书，列明以上全部内容和补正期限",
    "短信通知申请人",
    "办件停在“待补正”，补正送来后再决定是否受理",
)
REFUSE_FOLLOWS = (
    "出具不予受理通知书，写明理由和救济途径",
    "短信通知申请人",
    "列入督办人员的不予受理清单，逐件核查；理由不成立的会派发督办通知单",
)


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: PortalRequest, number: str) -> HttpResponseBase:
    """Show the case; a POST does the act named by its button: save, accept, answer, deliver, or take a file back."""
    if request.method != "POST":
        return case_page(request, fetch(request, number))
    if "remove" in request.POST:
        return _materials(request, fetch(request, number, clerk=True), "remove")
    act = request.POST.get("act", "")
    if act == "deliver":
        return _deliver(request, fetch(request, number))
    if act in {"refresh", "save", "accept", "answer"}:
        return _materials(request, fetch(request, number, clerk=True), act)
    raise Http404


def _materials(request: PortalRequest, case: Case, act: str) -> HttpResponseBase:
    """Keep the files, then do what the button says with everything that was ticked."""
    now, by = request.now, request.user
    slots = [slot_of(line) for line in case.materials.order_by("order")]
    said = ticks(request.POST, slots)
    errors: dict[str, str] = {}
    if case.status in BEFORE_ACCEPTANCE:
        errors = keep_files(request, key=case.intake_key, slots=slots, by=by, now=now)
    if act in {"remove", "refresh"}:
        if request.POST.get("remove", "").isdecimal():
            uploads.discard(int(request.POST["remove"]), intake_key=case.intake_key)
        return case_page(request, case, said=said, errors=errors, status=422 if errors else 200)
    if errors:
        return case_page(request, case, said=said, errors=errors, status=422)
    try:
        if act == "save":
            add_materials(case, provided=said, by=by, now=now)
            messages.success(request, "材料已登记。")
        elif act == "answer":
            answer_correction(case, provided=said, by=by, now=now)
            messages.success(request, "补正材料已收，请核对后受理，或者依法不予受理。")
        else:
            done = _accept(case, said, request)
            if held := getattr(done, "held_up", ""):
                messages.warning(request, f"材料已登记；还没有受理：{held}")
                return redirect(url_of(case))
            paper = "备案已办结，请打印备案凭证。" if done.is_filing else "已受理，请打印受理通知书交申请人。"
            if done.is_deemed:
                paper = "答复期限已过，依法自收到材料之日起视为受理，请打印受理通知书交申请人。"
            messages.success(request, paper)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, url_of(case))
        return case_page(request, case, said=said, problem=error.message, judge=True, status=422)
    return redirect(url_of(case))


def _accept(case: Case, said: dict[str, str], request: PortalRequest) -> Case:
    if said or uploads.waiting(case.intake_key):
        return supplement_and_accept(case, provided=said, by=request.user, now=request.now)
    return accept_case(case, by=request.user, now=request.now)


def _deliver(request: PortalRequest, case: Case) -> HttpResponseBase:
    form = DeliveryForm(request.POST)
    if form.is_valid():
        try:
            deliver(case, by=request.user, now=request.now, **form.cleaned_data)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "结果已送达，办件到此结束。")
            return redirect(url_of(case))
    return case_page(request, case, delivery=form, status=422)


def _act_page(request: PortalRequest, case: Case, template: str, form: BaseForm, extra: dict[str, Any]) -> HttpResponse:
    """The page of an act that has one of its own; a form that came back answers 422."""
    crumbs = [{"label": "窗口办件", "url": reverse("window:desk")}, {"label": case.number, "url": url_of(case)}]
    context = {
        "case": case, "applicant": applicant_of(case), "form": form, "crumbs": crumbs, "back_url": url_of(case),
        "clocks": clocks_of(case), "today": local_date(request.now),
    }  # fmt: skip
    return render(request, template, context | extra, status=422 if form.is_bound else 200)


def _past(request: PortalRequest, case: Case, act: str) -> HttpResponse:
    """An act of the days before the acceptance, asked for in another state."""
    text = f"这件办件现在是“{case.get_status_display()}”，不能{act}；只有已收件、尚未受理的办件可以，请刷新查看。"
    return conflict(request, Refused("state-conflict", text, conflict=True), url_of(case))


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: PortalRequest, number: str) -> HttpResponseBase:
    """一次性补正: everything at once; what is missing from the checklist is ticked and stays ticked."""
    case = fetch(request, number, clerk=True)
    if notice_of(case) is not None:
        told = "本办件已经一次性告知过，依法不得再次告知；请受理，或者依法不予受理。"
        refused = Refused("second-correction", told, conflict=True)
        return conflict(request, refused, url_of(case))
    if case.status != CaseStatus.SUBMITTED:
        return _past(request, case, "一次性告知补正")
    choices = correction_choices(case)
    required = required_points(case)
    form = CorrectionForm(choices, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            request_correction(
                case, keys=form.cleaned_data["keys"], remarks=form.remarks(), by=request.user, now=request.now
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, "已一次性告知补正，请打印补正告知书交申请人。")
            return redirect(url_of(case))
    picked = set(request.POST.getlist("keys"))
    remarks = form.remarks() if form.is_bound else {}
    points = [
        {**choice, "locked": choice["key"] in required, "picked": choice["key"] in picked | required,
         "remark": remarks.get(choice["key"], ""), "is_material": not choice["key"].startswith("condition")}
        for choice in choices
    ]  # fmt: skip
    said = {"points": points, "restored": restored_points(case), "follows": CORRECT_FOLLOWS}
    return _act_page(request, case, "window/correct.html", form, said)


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request: PortalRequest, number: str) -> HttpResponseBase:
    """不予受理: a ground of art. 32 and a reason; the page says beforehand that the overseers will see it (O3.1.3e)."""
    case = fetch(request, number, clerk=True)
    if case.status != CaseStatus.SUBMITTED:
        return _past(request, case, "不予受理")
    notice = notice_of(case)
    points: Sequence[dict[str, str]] = points_in_force(case, notice) if notice and notice.answered_at else ()
    barred = not case.is_filing and bar_of(case.applicant, case.business_item, local_date(request.now)) is not None
    form = RefusalForm(points, request.POST if request.method == "POST" else None, filing=case.is_filing, barred=barred)
    if request.method == "POST" and form.is_valid():
        try:
            refuse_acceptance(case, by=request.user, now=request.now, **form.cleaned_data)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url_of(case))
            put_on_form(form, error)
        else:
            word = "备案" if case.is_filing else "受理"
            messages.success(request, f"已不予{word}，请打印不予{word}通知书交申请人。")
            return redirect(url_of(case))
    follows = [line.replace("不予受理通知书", "不予备案通知书") if case.is_filing else line for line in REFUSE_FOLLOWS]
    return _act_page(request, case, "window/refuse.html", form, {"notice": notice, "follows": follows})


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_safe
def preview(request: PortalRequest, number: str) -> HttpResponse:
    """The case at the right of the list: a fragment."""
    case = fetch(request, number)
    lines = lines_of(case, may_cover=False)
    context: dict[str, Any] = {
        "case": case,
        "applicant": applicant_of(case),
        "facts": facts_of(case),
        "clocks": clocks_of(case)[:1],
        "missing": [line for line in lines if not line.is_in],
        "lines": lines,
        "step": next((step for step in progress.steps(case) if step.state in {"current", "stopped"}), None),
        "verb": next_verb(case, request.access),
        "url": url_of(case),
        "today": local_date(request.now),
    }
    return render(request, "window/_preview.html", context)
