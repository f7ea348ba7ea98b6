"""What the task's page shows of 检查."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.urls import reverse

from offices.models import Posting
from offices.web import PortalRequest
from supervision.actions import correcting, inspecting
from supervision.enums import AT_WORK, Result, TaskStatus
from supervision.models import Inspection, SupervisionTask
from supervision.views_inspections import Aside, asides_of, result_badge, said_aside

Role = Posting.Role


def _records(task: SupervisionTask) -> bool:
    """Whether there may be a record at all: none before a measure was chosen."""
    return task.status in AT_WORK or task.status == TaskStatus.CLOSED


def in_the_field(task: SupervisionTask, request: PortalRequest) -> bool:
    """Whether the person records inspections of this task."""
    access = request.access
    if task.office_id in access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY):
        return True
    given = access.user.pk in {task.first_officer_id, task.second_officer_id}
    return given and task.office_id in access.offices(Role.INSPECTOR)


def _aside(found: Aside | None) -> dict[str, str]:
    """What is said of a record that was set aside, or is asked to be; nothing of what was overtaken."""
    if found is None or (found.asked.granted is None and not found.waits):
        return {}
    asked = found.asked
    if asked.granted:
        return {"label": "已作废", "tone": "neutral", "text": f"已作废：{said_aside(asked)}"}
    if asked.granted is None:
        return {"label": "作废待批", "tone": "warn", "text": f"申请作废：{asked.reason}"}
    return {"label": "", "text": f"申请作废未获批准：{asked.answer}"}


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """The records with what was not 符合, their papers, and where a new one is made; seven statements at most."""
    if not _records(task):
        return {}
    rows = list(
        Inspection.objects.filter(task=task)
        .select_related("first_officer", "second_officer")
        .prefetch_related("findings")
        .annotate(pictures=Count("photos"))
        .order_by("order")
    )
    found = inspecting.papers_of(task) if rows else {}
    asides = asides_of(task) if rows else {}
    acts = in_the_field(task, request)
    manages = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    wrong = correcting.correctable(task) if rows and manages else []
    order = inspecting.running_order(task) if acts and rows and task.status in AT_WORK else None
    return {
        "inspections": [
            {
                "inspection": one,
                "badge": result_badge(one),
                "aside": _aside(asides.get(one.pk)),
                "officers": "、".join(person.full_name for person in (one.first_officer, one.second_officer) if person),
                "photos": one.pictures,  # type: ignore[attr-defined]  # annotated above
                "paper": found.get(one.pk),
                "url": reverse("tasks:inspection", args=[task.number, one.order]),
                "wrong": [
                    {"finding": finding, "badge": result_badge(finding)}
                    for finding in one.findings.all()
                    if finding.result != Result.CONFORMING
                ],
            }
            for one in rows
        ],
        "inspect_url": reverse("tasks:inspect", args=[task.number]) if acts and inspecting.can_record(task) else "",
        "set_aside_url": reverse("tasks:set_aside", args=[task.number]) if wrong else "",
        "reinspect_url": reverse("tasks:reinspect", args=[task.number]) if order else "",
    }
