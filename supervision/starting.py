"""From which day on a division's supervision clocks run: what happened before counts as of that day (domain.md).

So the first day of the system is not red: a clock whose event lies before the start day of its kind begins at 09:00
of the start day, whose own day is not counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from approvals.exceptions import Refused
from deadlines.alarms import opening_of
from deadlines.clock import local_date
from deadlines.kinds import KINDS, KindCode
from ledger.record import record
from offices.models import Department, Division, User
from supervision.enums import StockAct
from supervision.models import ClockStart

KINDS_THAT_START = (KindCode.ACKNOWLEDGE, KindCode.PLANNED_FINISH, KindCode.FEEDBACK)
FARTHEST = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Starts:
    """(division, kind) → the first day."""

    days: Mapping[tuple[int, str], dt.date]

    def at(self, kind: KindCode, division_id: int, moment: dt.datetime) -> dt.datetime:
        """The moment from which a clock of an event at ``moment`` runs."""
        day = self.days.get((division_id, str(kind)))
        return moment if day is None or local_date(moment) >= day else opening_of(day)


def load(kinds: Collection[KindCode], *, division: int | None = None) -> Starts:
    """The start days of these kinds; one statement."""
    rows = ClockStart.objects.filter(kind__in=kinds)
    if division is not None:
        rows = rows.filter(division_id=division)
    return Starts({(row[0], row[1]): row[2] for row in rows.values_list("division_id", "kind", "starts_on")})


def planned(department_id: int, now: dt.datetime, day: dt.date) -> tuple[dt.datetime, dt.date]:
    """From when the clock of a planned day runs and when it ends, not before the division's start; one statement."""
    division = Department.objects.filter(pk=department_id).values("division_id")
    begin = ClockStart.objects.filter(kind=KindCode.PLANNED_FINISH, division_id__in=division)
    first = begin.values_list("starts_on", flat=True).first()
    if first is None or local_date(now) >= first:
        return now, day
    return opening_of(first), max(day, first)


def stream_of(division_id: int) -> str:
    """The ledger stream of a division's old stock and start days."""
    return f"stock:{division_id}"


def of_division(division: Division) -> QuerySet[ClockStart]:
    """The start days of a division with who set them."""
    return ClockStart.objects.filter(division=division).select_related("set_by")


@transaction.atomic
def set_start(division: Division, kind: str, starts_on: dt.date | None, *, by: User, now: dt.datetime) -> None:
    """Set the first day of a kind of clock in a division, or take it back; clocks that run stay as they are.

    Raises ``Refused`` for a kind that has none and for a day more than a year ahead or back.
    """
    if kind not in KINDS_THAT_START:
        raise Refused("start-kind", "这一期限不设启用日期。", field="kind")
    if starts_on is not None and starts_on > local_date(now) + FARTHEST:
        raise Refused("start-too-far", "启用日期最迟不超过一年。", field="starts_on")
    Division.objects.select_for_update().get(pk=division.pk)
    known = ClockStart.objects.filter(division=division, kind=kind).first()
    before = known.starts_on if known else None
    if before == starts_on:
        return
    if starts_on is not None and starts_on < local_date(now) - FARTHEST:
        raise Refused("start-too-early", "启用日期最早不超过一年以前；一直适用的不填。", field="starts_on")
    if starts_on is None and known is not None:
        known.delete()
    else:
        values = {"starts_on": starts_on, "set_by": by, "set_at": now}
        ClockStart.objects.update_or_create(division=division, kind=kind, defaults=values)
    data = {"kind": kind, "from": str(before or ""), "to": str(starts_on or "")}
    record(stream_of(division.pk), StockAct.START_SET, at=now, by=by, data=data)


def label(kind: str) -> str:
    """监管任务签收期限."""
    return str(KINDS[KindCode(kind)].label)
