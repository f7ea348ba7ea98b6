"""材料核验 at the window: ask, look whether the answer is there, print it (L8d)."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals import verifying
from approvals.actions.intake import slot_of
from approvals.enums import VerificationState
from approvals.exceptions import Refused
from approvals.forms import ticks
from approvals.models import Case, Verification
from approvals.views.window import verification as panels
from approvals.views.window.checklist import keep_files, lines_of
from approvals.views.window.desk import next_verb
from approvals.views.window.page import BEFORE_ACCEPTANCE, case_page, fetch, poll_url, url_of
from approvals.web import conflict
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role


@roles_required(Role.WINDOW_CLERK)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: PortalRequest, number: str) -> HttpResponseBase:
    """核验: what is typed and uploaded beside it stays on the page."""
    case = fetch(request, number, clerk=True)
    if request.method != "POST":
        return redirect(url_of(case))
    lines = lines_of(case)
    line = next((one for one in lines if slot_of(one) == request.POST.get("slot")), None)
    if line is None:
        raise Http404
    slots = [slot_of(one) for one in lines]
    said = ticks(request.POST, slots)
    errors: dict[str, str] = {}
    if case.status in BEFORE_ACCEPTANCE:
        errors = keep_files(request, key=case.intake_key, slots=slots, by=request.user, now=request.now)
    try:
        verifying.verify(line, by=request.user, now=request.now)
    except Refused as error:
        if error.conflict:
            return conflict(request, error, url_of(case))
        return case_page(request, case, said=said, errors=errors, problem=error.message, status=422)
    messages.info(request, f"“{line.name}”已提交核验，通常几秒钟出结果，最多约一分钟。")
    if said or errors or request.FILES:
        return case_page(request, fetch(request, number), said=said, errors=errors, status=422 if errors else 200)
    return redirect(f"{url_of(case)}#verification")


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_safe
def verification(request: PortalRequest, number: str) -> HttpResponse:
    """The panel alone (a fragment); once nothing is open, with what it changes elsewhere on the page."""
    case = fetch(request, number)
    del request.session  # a poll is no sign of life
    shown = panels.panel(case, lines_of(case))
    context = {
        "case": case,
        "verification": shown,
        "live": True,
        "poll_url": poll_url(case, next_verb(case, request.access)),
    }
    return render(request, "window/_verification.html", context)


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_safe
def sheet(request: PortalRequest, number: str, pk: int) -> HttpResponse:
    """The answer on paper, to be put into the file."""
    rows = Verification.objects.filter(
        line__case__in=Case.objects.for_window(request.access), line__case__number=number
    )
    row = get_object_or_404(
        rows.exclude(state=VerificationState.ASKED).select_related(
            "line__case__department__division", "line__case__business_item", "asked_by"
        ),
        pk=pk,
    )
    case = row.line.case
    context = {
        "row": row,
        "case": case,
        "facts": panels.facts_of(row),
        "paper": {
            "title": "电子证照核验单",
            "number": case.number,
            "authority": case.department.paper_name,
            "date": local_date(row.answered_at or row.asked_at),
        },
        "back_url": reverse("window:case", args=[number]),
    }
    return render(request, "window/verification_sheet.html", context)
