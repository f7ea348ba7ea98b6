"""回避并重新抽取: whoever drew a case hands it back with a reason, and another is drawn."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals.actions.drawing import recuse, seat_of
from approvals.blind import BlindCase
from approvals.draws import DECIDER
from approvals.exceptions import Refused
from approvals.forms_staff import RecusalForm
from approvals.models import Case
from approvals.views.office import seen, staff
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.web import PortalRequest


def _follows(seat: str, case: BlindCase) -> list[str]:
    """What handing back brings about."""
    if seat == DECIDER and not case.is_on_the_spot:
        first = "由处室其他决定人员作出决定，不再由您办理这件办件"
    else:
        first = "立即从处室其他在岗人员中随机抽取，不能指定；您不再被抽取到这件办件"
    return [first, "各项期限不变", "理由记入回避登记，抽取记入办件留痕；申请人和公众看不到人员"]


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def recusal(request: PortalRequest, number: str) -> HttpResponse:
    """The reason, and what follows; then back to the work list, since the case is somebody else's now."""
    case = seen(number, Case.objects.for_back_office(request.access))
    back = reverse("office:case", args=[case.number])
    known = Case.objects.only("status", "reviewer", "decider", "review_office", "on_the_spot").get(pk=case.pk)
    try:
        seat = seat_of(known, request.user, local_date(request.now))
    except Refused as error:
        return conflict(request, error, back)
    form = RecusalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            recuse(Case(pk=case.pk), by=request.user, reason=form.cleaned_data["reason"], now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back)
            put_on_form(form, error)
        else:
            others = seat == DECIDER and not case.is_on_the_spot
            said = "由处室其他决定人员办理" if others else "已重新抽取给其他人员"
            messages.success(request, f"您已回避办件 {case.number}，{said}，期限不变。")
            return redirect("office:list")
    context = {
        "case": case,
        "form": form,
        "back": back,
        "crumbs": [{"label": "审批办件", "url": reverse("office:list")}, {"label": case.item_name, "url": back}],
        "follows": _follows(seat, case),
    }
    return render(request, "office/recusal.html", context, status=422 if form.is_bound else 200)
