"""The day on which a task presses, kept in its row by the database: ``SupervisionTask.pressing_on``.

It is the due day of the clock that runs in the task's status; of a task that is being mended, that of its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register

from deadlines.days import Beside, KeptDay, due
from supervision.models.tasks import NO_DAY, NO_DAY_YET

ORDERS = "supervision_rectification"
KEYS = ("acknowledge_deadline_id", "planned_deadline_id", "feedback_deadline_id", "follow_up_deadline_id")


def _day(task: str) -> str:
    """SQL of the day of the row ``task``: read as it stands, on both databases."""
    first, work, last, follow = (due(task, key) for key in KEYS)
    order = f"(SELECT min(due_on) FROM {ORDERS} WHERE task_id = {task}.id AND status = 'running')"  # noqa: S608
    return (
        f"COALESCE(CASE WHEN {task}.status IN ('notified', 'viewed', 'disputed') THEN COALESCE({first}, '{NO_DAY_YET}')"
        f" WHEN {task}.status IN ('acknowledged', 'in_progress') THEN {work}"
        f" WHEN {task}.status = 'finished' THEN {last}"
        f" WHEN {task}.status = 'fed_back' THEN {follow}"
        f" WHEN {task}.status = 'rectifying' THEN COALESCE({order}, {follow}) END, '{NO_DAY}')"
    )


DAY = KeptDay(
    "supervision_supervisiontask", "pressing_on", "task", "presses", KEYS, ("status",), _day,
    (Beside(ORDERS, "order", ("status", "due_on"), "task_id", "status = 'rectifying'"),),
)  # fmt: skip
# The names that migrations know.
install, remove, write_days = DAY.install, DAY.remove, DAY.write


def differences() -> Iterator[str]:
    """A sentence for each task whose row says another day than its clocks; read-only (``reconcile``)."""
    for number in DAY.differences():
        yield f"task {number} is sorted by another day than that of its pressing clock"


@register(Tags.database)
def triggers_stand(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W002: a trigger that keeps the day on which a task presses is missing; a migrate lays it."""
    return DAY.missing(databases, "supervision.W002")
