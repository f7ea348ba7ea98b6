"""上报省主管部门 in the back office: it goes up, it comes back; no clock stands still."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from approvals.actions.province import province_answered, report_to_province
from approvals.models import Case
from approvals.views.clock_acts import attempt, page_of
from approvals.views.office import seen, staff
from approvals.views.province_page import AnswerForm, ReportForm
from offices.web import PortalRequest


@staff
def report(request: PortalRequest, number: str) -> HttpResponse:
    """登记上报, by the reviewer to whom the case was drawn or a decider of the office."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = ReportForm(request.POST)

    def act() -> str:
        report_to_province(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return "已登记上报省主管部门；法定期限照常计算。"

    return attempt(request, case, "report", form, act)


@staff
def answer(request: PortalRequest, number: str) -> HttpResponse:
    """登记省主管部门的答复."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = AnswerForm(request.POST)

    def act() -> str:
        province_answered(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return "已登记省主管部门的答复。"

    return attempt(request, case, "province_answer", form, act)
