"""The window hours of a division: kept by its administrator, read by everybody, never asked by a clock."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from deadlines.forms_calendar import HoursForm, hours_as_held, with_monday_all_week
from deadlines.hours import HoursRefused, Session, open_windows, set_window_hours, window_hours, window_hours_text
from deadlines.views_calendar.desk import Role, office, staff
from offices.models import Division
from offices.web import PortalRequest

FOLLOWS = (
    "公众页面上的窗口服务时间随即改为新的时间",
    "变更记入本区划留痕",
    "办理期限不受影响：期限按工作日历计算，与窗口时间无关",
)


def _own(request: PortalRequest) -> list[Division]:
    """The divisions whose hours the person keeps; one statement."""
    return list(Division.objects.filter(pk__in=request.access.divisions(Role.DIVISION_ADMIN)).order_by("code"))


def _chosen(request: PortalRequest, own: list[Division]) -> Division | None:
    """The division asked for (``division``: its code), else the first. Raises ``Http404`` for another's."""
    asked = request.POST.get("division") or request.GET.get("division") or ""
    if not asked:
        return own[0] if own else None
    found = next((division for division in own if division.code == asked), None)
    if found is None:
        raise Http404
    return found


@staff
@require_http_methods(["GET", "HEAD", "POST"])
def hours(request: PortalRequest) -> HttpResponseBase:
    """All divisions' hours, and the form of one's own. ``act``: ``save``, or ``copy`` (Monday's until Friday)."""
    own = _own(request)
    division = _chosen(request, own)
    if request.method != "POST":
        return _answer(request, own, division)
    if division is None:
        raise Http404
    if request.POST.get("act") == "copy":
        return _answer(request, own, division, HoursForm(initial=_typed(with_monday_all_week(request.POST))))
    form = HoursForm(request.POST)
    if form.is_valid():
        sessions = [Session(*session) for session in form.sessions()]
        try:
            set_window_hours(division, sessions, by=request.user, now=request.now)
        except HoursRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{division.name}的窗口服务时间已保存。")
            return redirect(f"{reverse('calendar:hours')}?division={division.code}")
    return _answer(request, own, division, form, status=422)


def _typed(data: Any) -> dict[str, str]:
    return {name: data.get(name, "") for name in HoursForm().fields}


def _answer(
    request: PortalRequest,
    own: list[Division],
    division: Division | None,
    form: HoursForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = office(request, "hours") | {"windows": open_windows(), "own": own, "division": division}
    if division is not None:
        held = window_hours(division)
        initial = hours_as_held((row.weekday, row.opens, row.closes) for row in held)
        context |= {
            "form": form or HoursForm(initial=initial),
            "returned": form if status != 200 else None,
            "copied": form is not None and status == 200,
            "text": window_hours_text(held),
            "note": held[0].note if held else "",
            "follows": FOLLOWS,
        }
    return render(request, "calendar/hours.html", context, status=status)
