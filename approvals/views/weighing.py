"""Score sheets, the lead, the site check's plan, and countersignatures in the back office."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from approvals import blind, countersigning
from approvals.actions.countersigning import sign_countersignature
from approvals.actions.scoring import call_lead, give_sheet
from approvals.actions.site import plan_site_check
from approvals.exceptions import Refused
from approvals.forms_office import CountersignForm, SheetForm, SitePlanForm
from approvals.models import Case, Opinion, SiteCheck
from approvals.views.clock_acts import attempt, page_of
from approvals.views.office import address, answer, seen, staff
from approvals.views.office_page import countersign_context
from approvals.views.weighing_page import advice_form
from approvals.web import conflict, put_on_form
from catalogue.models import BusinessItem
from offices.web import PortalRequest

AGREE_FOLLOWS = ("会签意见转交审查处室，与评分、意见一并供决定参考", "提交后不能修改")
DISAGREE_FOLLOWS = ("不同意的意见转交审查处室；仍决定准予的，决定人员须写明理由", "提交后不能修改")


@staff
def sheet(request: PortalRequest, number: str) -> HttpResponse:
    """A reviewer's score sheet with its advice; the last one makes the opinion, or calls the lead."""
    case = seen(number, Case.objects.for_reviewer(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    item = BusinessItem.objects.get(pk=case.item_id)
    form = advice_form(item, case, request.POST)
    if not isinstance(form, SheetForm):
        refused = Refused("no-criteria", "本事项没有评分的裁量准则，请直接出具审查意见。", conflict=True)
        return conflict(request, refused, page_of(case))
    if form.is_valid():
        try:
            give_sheet(
                Case(pk=case.pk),
                scores=form.marks(),
                approve=form.cleaned_data["verdict"] == "approve",
                text=form.cleaned_data["text"],
                keys=form.cleaned_data["keys"],
                by=request.user,
                now=request.now,
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, page_of(case))
            put_on_form(form, error)
        else:
            if Opinion.objects.filter(case_id=case.pk).exists():
                said = f"评分表已提交，办件 {case.number} 转交决定人员。"
            else:
                said = f"评分表已提交，办件 {case.number} 还要等其他审查人员评分。"
            messages.success(request, said)
            return redirect(address(tab="review"))
    return answer(request, case, opinion=form)


@staff
def lead(request: PortalRequest, number: str) -> HttpResponse:
    """Draw the lead where nobody could be drawn before."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method == "POST":
        try:
            call_lead(Case(pk=case.pk), by=request.user, now=request.now)
        except Refused as error:
            return conflict(request, error, page_of(case))
        messages.success(request, "已抽取牵头人，由其会办。")
    return redirect(page_of(case))


@staff
def site_plan(request: PortalRequest, number: str) -> HttpResponse:
    """安排现场核查, by the case's reviewer."""
    case = seen(number, Case.objects.for_reviewer(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = SitePlanForm(request.POST, again=SiteCheck.objects.filter(case_id=case.pk).exists())

    def act() -> str:
        plan_site_check(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return "已安排现场核查，抽取了两名现场核查人员。"

    return attempt(request, case, "site_plan", form, act)


@staff
def countersign(request: PortalRequest, number: str) -> HttpResponse:
    """会签 of an office that was asked: the case as blind as for its reviewer, and the answer."""
    access = request.access
    case = seen(number, Case.objects.for_countersigner(access))
    asked = get_object_or_404(countersigning.asked(access), case_id=case.pk)
    waiting = blind.to_countersign(access).filter(pk=case.pk).exists() and asked.signed_at is None
    form = CountersignForm(request.POST) if request.method == "POST" else CountersignForm()
    if request.method == "POST" and form.is_valid():
        try:
            sign_countersignature(
                Case(pk=case.pk),
                office=asked.office,
                agree=form.cleaned_data["verdict"] == "agree",
                text=form.cleaned_data["text"],
                by=request.user,
                now=request.now,
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("office:countersign", args=[case.number]))
            put_on_form(form, error)
        else:
            messages.success(request, f"会签意见已提交，办件 {case.number} 由审查处室继续办理。")
            return redirect(address(tab="countersign"))
    context = {
        "asked": asked,
        "form": form,
        "waiting": waiting,
        "agree_follows": AGREE_FOLLOWS,
        "disagree_follows": DISAGREE_FOLLOWS,
        **countersign_context(case, request.now),
    }
    return render(request, "office/countersign.html", context, status=422 if request.method == "POST" else 200)
