"""What other areas show on a task's page: each has a function ``panel``, listed here.

The keys of a panel go into the page's context beside those of the others; keep them apart by a prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offices.web import PortalRequest
from supervision import panels_changes, panels_disputes, panels_inspections, panels_orders, panels_visits
from supervision.models import SupervisionTask

Panel = Callable[[SupervisionTask, PortalRequest], dict[str, Any]]
PANELS: tuple[Panel, ...] = (
    panels_visits.panel,
    panels_inspections.panel,
    panels_orders.panel,
    panels_disputes.panel,
    panels_changes.panel,
)


def of(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """What all panels say about the task to this person; each takes a constant number of statements."""
    return {key: value for panel in PANELS for key, value in panel(task, request).items()}
