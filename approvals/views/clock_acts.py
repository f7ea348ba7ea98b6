"""What the back office does to the clocks of a case: a special procedure begins and ends, more time is asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from approvals.actions.clocks import end_procedure, grounds_for, request_extension, start_procedure
from approvals.blind import BlindCase
from approvals.exceptions import Refused
from approvals.forms_office import ExtensionForm, ProcedureEndForm, ProcedureForm
from approvals.models import Case
from approvals.views.office import answer, seen, staff
from approvals.web import conflict, put_on_form
from catalogue.models import BusinessItem
from offices.web import PortalRequest


def page_of(case: BlindCase) -> str:
    return reverse("office:case", args=[case.number])


def attempt(request: PortalRequest, case: BlindCase, name: str, form: BaseForm, act: Callable[[], str]) -> HttpResponse:
    """Do ``act``, which returns what to say; a preview only computes, a refusal goes back beside its field."""
    valid = form.is_valid()
    if "preview" in request.POST:
        return answer(request, case, valid, **{name: form})
    if valid:
        try:
            said = act()
        except Refused as error:
            if error.conflict:
                return conflict(request, error, page_of(case))
            put_on_form(form, error)
        else:
            messages.success(request, said)
            return redirect(page_of(case))
    return answer(request, case, False, **{name: form})


@staff
def procedure(request: PortalRequest, number: str) -> HttpResponse:
    """启动特别程序, by the reviewer to whom the case was drawn or a decider of the office."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = ProcedureForm(request.POST, grounds=grounds_for(BusinessItem.objects.get(pk=case.item_id)))

    def act() -> str:
        started = start_procedure(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return f"特别程序（{started.get_ground_display()}）已启动，期限从明天起停止计算，已书面告知申请人。"

    return attempt(request, case, "procedure", form, act)


@staff
def procedure_end(request: PortalRequest, number: str) -> HttpResponse:
    """结束特别程序: the clocks run again."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = ProcedureEndForm(request.POST)

    def act() -> str:
        end_procedure(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return "特别程序已结束，期限从明天起恢复计算，新的日期已告知申请人。"

    return attempt(request, case, "end", form, act)


@staff
def extension(request: PortalRequest, number: str) -> HttpResponse:
    """申请延期: goes to the heads of the department."""
    case = seen(number, Case.objects.for_back_office(request.access))
    if request.method != "POST":
        return redirect(page_of(case))
    form = ExtensionForm(request.POST)

    def act() -> str:
        request_extension(Case(pk=case.pk), **form.cleaned_data, by=request.user, now=request.now)
        return "延期申请已提交部门负责人；批准之前仍按原期限办理。"

    return attempt(request, case, "extension", form, act)
