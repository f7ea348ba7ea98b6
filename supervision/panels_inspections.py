"""What the task's page shows of 检查."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.urls import reverse

from offices.models import Posting
from offices.web import PortalRequest
from supervision.actions import inspecting
from supervision.enums import AT_WORK, Result, TaskStatus
from supervision.models import Finding, Inspection, SupervisionTask
from supervision.views_inspections import RESULT_TONES

Role = Posting.Role


def _badge(one: Inspection | Finding) -> dict[str, str]:
    return {"label": one.get_result_display(), "tone": RESULT_TONES[Result(one.result)]}


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


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """The records with what was not 符合, their papers, and where a new one is made; four statements at most."""
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
    acts = in_the_field(task, request)
    order = inspecting.running_order(task) if acts and rows and task.status in AT_WORK else None
    return {
        "inspections": [
            {
                "inspection": one,
                "badge": _badge(one),
                "officers": "、".join(person.full_name for person in (one.first_officer, one.second_officer) if person),
                "photos": one.pictures,
                "paper": found.get(one.pk),
                "url": reverse("tasks:inspection", args=[task.number, one.order]),
                "wrong": [
                    {"finding": finding, "badge": _badge(finding)}
                    for finding in one.findings.all()
                    if finding.result != Result.CONFORMING
                ],
            }
            for one in rows
        ],
        "inspect_url": reverse("tasks:inspect", args=[task.number]) if acts and inspecting.can_record(task) else "",
        "reinspect_url": reverse("tasks:reinspect", args=[task.number]) if order else "",
    }
