"""The day by which a case stands in the queue of its office, kept in its row by the database: ``Case.queue_on``.

It is the due day of the clock that presses in the queue: of the decision while the case is in review, of the licence
once it is approved. What is decided on the spot stands before all others. Other cases stand in no such queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register

from approvals.models.cases import AT_ONCE, NO_QUEUE
from deadlines.days import KeptDay, due

KEYS = ("promised_deadline_id", "statutory_deadline_id", "issue_deadline_id")


def _day(case: str) -> str:
    """SQL of the day of the row ``case``: read as it stands, on both databases."""
    promised, statutory, issue = (due(case, key) for key in KEYS)
    return (
        f"COALESCE(CASE WHEN {case}.status = 'approved' THEN {issue}"
        f" WHEN {case}.status = 'in_review' AND {case}.on_the_spot THEN '{AT_ONCE}'"
        f" WHEN {case}.status = 'in_review' THEN COALESCE({promised}, {statutory}) END, '{NO_QUEUE}')"
    )


DAY = KeptDay("approvals_case", "queue_on", "case", "queues", KEYS, ("status", "on_the_spot"), _day)
# The names that migrations know.
install, remove, write_days = DAY.install, DAY.remove, DAY.write


def differences() -> Iterator[str]:
    """A sentence for each case whose row says another day than its clocks; read-only (``reconcile``)."""
    for number in DAY.differences():
        yield f"case {number} stands in its queue by another day than that of its clock"


@register(Tags.database)
def triggers_stand(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W001: a trigger that keeps the day by which a case stands in its queue is missing; a migrate lays it."""
    return DAY.missing(databases, "approvals.W001")
