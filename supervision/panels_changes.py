"""What the task's page shows of changes of its licence; a manager who looks has learnt of them."""

from __future__ import annotations

from typing import Any

from approvals.enums import LicenceChangeKind
from offices.web import PortalRequest
from supervision.enums import ENDS_WITH_LICENCE, TaskStatus
from supervision.models import SupervisionTask, TaskChange


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """The changes, newest first; two statements at most."""
    if task.licence_id is None:
        return {"changes": []}
    found = list(TaskChange.objects.filter(task=task).order_by("-id"))
    own = SupervisionTask.objects.for_managers(request.access).filter(pk=task.pk)
    if any(one.seen_at is None for one in found) and own.exists():
        TaskChange.objects.filter(task=task, seen_at__isnull=True).update(seen_at=request.now)
    return {
        "changes": [
            {"row": one, "label": LicenceChangeKind(one.kind).label, "is_new": not one.seen_at} for one in found
        ],
        "changes_end": task.status != TaskStatus.CLOSED and any(one.ends_licence for one in found),
        "changes_close": task.status in ENDS_WITH_LICENCE,
    }
