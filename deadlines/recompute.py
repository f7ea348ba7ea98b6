"""Deriving due dates anew when the calendar changed. Idempotent: a clock that already stands right is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db import transaction

from deadlines import calendar as working_calendar
from deadlines import timeline
from deadlines.arithmetic import Calendar
from deadlines.enums import Act, EventKind
from deadlines.models import ClockEvent, Deadline
from ledger.record import Draft, record_many
from offices.models import User

MOMENT = timedelta(microseconds=1)
WRITTEN = ("due_on", "provisional", "calendar_version", "next_alarm_at", "next_alarm_stage", "revision")


@dataclass(frozen=True, slots=True)
class Move:
    """A clock whose due date moved."""

    deadline_id: int
    before: date
    after: date


def recompute_year(year: int, *, at: datetime, by: User | None = None, batch: int = 500) -> Iterator[list[Move]]:
    """Recompute the open clocks that touch ``year``, a batch a transaction; yields the moves of each batch.

    May be stopped and begun again: what was done is found right and left alone.
    """
    calendar = working_calendar.estimating()
    last = 0
    while True:
        with transaction.atomic():
            clocks = list(
                Deadline.objects.open()
                .filter(pk__gt=last, due_on__gte=date(year, 1, 1), start_on__lte=date(year, 12, 31))
                .order_by("pk")
                .select_for_update()[:batch]
            )
            if not clocks:
                return
            moves = _recompute(clocks, calendar, at, by)
        last = clocks[-1].pk
        yield moves


def _recompute(clocks: list[Deadline], calendar: Calendar, at: datetime, by: User | None) -> list[Move]:
    """Derive the due dates of locked clocks and write those that differ, with an event and a ledger entry each."""
    events = ClockEvent.objects.filter(deadline__in=clocks).order_by("deadline_id", "seq")
    lines = {key: timeline.read(group) for key, group in groupby(events, key=lambda event: event.deadline_id)}
    changed: list[Deadline] = []
    moves: list[Move] = []
    new_events: list[ClockEvent] = []
    for clock in clocks:
        due_on = lines[clock.pk].due_on(calendar)
        version = calendar.version(clock.start_on, due_on)
        if (due_on, version) == (clock.due_on, clock.calendar_version):
            continue
        # An alarm that fell due but has not rung yet must not be lost.
        after = min(at, clock.next_alarm_at - MOMENT) if clock.next_alarm_at else at
        before, clock.due_on = clock.due_on, due_on
        clock.calendar_version = version
        clock.provisional = calendar.is_provisional(clock.start_on, due_on)
        clock.plan_alarm(after, calendar)
        changed.append(clock)
        if before != due_on:
            clock.revision += 1
            moves.append(Move(clock.pk, before, due_on))
            data = {"from": before.isoformat(), "to": due_on.isoformat(), "calendar": version}
            new_events.append(
                ClockEvent(deadline=clock, seq=clock.revision, kind=EventKind.RECOMPUTE, at=at, by=by, data=data)
            )
    Deadline.objects.bulk_update(changed, WRITTEN)
    ClockEvent.objects.bulk_create(new_events)
    streams = {clock.pk: clock.stream for clock in changed}
    record_many(
        [
            Draft(streams[e.deadline_id], Act.DEADLINE_RECOMPUTED, {"deadline": e.deadline_id, **e.data}, by)
            for e in new_events
        ],
        at=at,
    )
    return moves
