"""What the task's page shows of 入企检查."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest
from supervision.actions import visiting
from supervision.enums import Measure
from supervision.models import SupervisionTask, Visit
from supervision.views_visits import badge

Role = Posting.Role


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """The task's visits, this year's count and what may be asked for; three statements."""
    visits = list(Visit.objects.filter(task=task).select_related("requested_by", "settled_by").order_by("-id"))
    on_site = task.measure == Measure.ON_SITE or (
        task.measure not in visiting.NO_VISIT or task.status not in visiting.FIRST_LOOK
    )
    at_work = task.status in visiting.VISITED and on_site
    if not visits and not at_work:
        return {"visits": [], "visits_shown": False}
    acts = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    year = local_date(request.now).year
    is_open = any(visit.status in visiting.OPEN for visit in visits)
    return {
        "visits": [{"visit": visit, "badge": badge(visit)} for visit in visits],
        "visits_shown": True,
        "visits_year": year,
        "visits_room": visiting.room_for(task, year),
        "visit_request_url": reverse("tasks:visit_request", args=[task.number])
        if acts and at_work and not is_open
        else "",
        "visit_cancel_url": reverse("tasks:visit_cancel", args=[task.number]) if acts and is_open else "",
    }
