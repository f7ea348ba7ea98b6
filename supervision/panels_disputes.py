"""What the task's page shows of 不属本处室: the words of both sides, and the way to object."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest
from supervision.enums import DisputeOutcome, TaskStatus
from supervision.models import Dispute, SupervisionTask
from supervision.words import half_width

Role = Posting.Role
TONES = {"": "warn", DisputeOutcome.REASSIGNED: "active", DisputeOutcome.CONFIRMED: "neutral"}


def shown(disputes: list[Dispute]) -> list[dict[str, Any]]:
    """Lines for ``tasks/_dispute.html``, the newest first."""
    return [
        {
            "row": one,
            "badge": {"label": one.get_outcome_display() or "协调中", "tone": TONES[one.outcome]},
            "clock": one.deadline if not one.outcome else None,
        }
        for one in disputes
    ]


def search(rows: QuerySet[Dispute], text: str) -> QuerySet[Dispute]:
    """Find by task number, item or subject."""
    text = text.strip()
    if not text:
        return rows
    return rows.filter(
        Q(task__number__contains=half_width(text))
        | Q(task__business_item__name__contains=text)
        | Q(task__subject_name__contains=text)
    )


def of_task(task: SupervisionTask) -> list[Dispute]:
    """The objections of a task, the newest first; one statement."""
    rows = Dispute.objects.filter(task=task).select_related(
        "from_office__department", "proposed_office__department", "decided_office__department", "raised_by",
        "decided_by", "deadline",
    )  # fmt: skip
    return list(rows.order_by("-id"))


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """The objections and whether a new one is possible; one statement."""
    found = of_task(task)
    own = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    settled = any(one.from_office_id == task.office_id and one.outcome == DisputeOutcome.CONFIRMED for one in found)
    return {
        "disputes": shown(found),
        "disputes_today": local_date(request.now),
        "may_dispute": own and task.status == TaskStatus.VIEWED and not settled,
    }
