"""When a clock alarms: pure functions.

A stage is the number of working days relative to the due date: -1 the working day before, 0 the day itself, 1, 2, 3 …
each working day after. Alarms ring at 09:00 on working days only, so stage 0 of a fixed day that is a day off is left
out: the working day before it and the first one after it ring.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone

from deadlines.arithmetic import Calendar

OPENING = time(9)
CLOSING = time(18)


@dataclass(frozen=True, slots=True)
class Alarms:
    """The stages of a kind: from ``first`` to ``last``; None never stops while the clock runs."""

    first: int = -1
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What rings now: the newest stage that fell due (None: nothing), and the missed ones that it speaks for."""

    stage: int | None
    missed: tuple[int, ...] = ()


def local(moment: datetime) -> datetime:
    """``moment`` in the portal's zone."""
    return timezone.localtime(moment, timezone.get_default_timezone())


def opening_of(day: date) -> datetime:
    """09:00 of ``day`` in the portal's zone."""
    return datetime.combine(day, OPENING, tzinfo=timezone.get_default_timezone())


def is_working_time(moment: datetime, calendar: Calendar) -> bool:
    """Whether alarms may ring: a working day between 09:00 and 18:00."""
    there = local(moment)
    return OPENING <= there.time() < CLOSING and calendar.is_working(there.date())


def next_opening(after: datetime, calendar: Calendar) -> datetime:
    """The first 09:00 of a working day that is later than ``after``."""
    there = local(after)
    if there.time() < OPENING and calendar.is_working(there.date()):
        return opening_of(there.date())
    return opening_of(calendar.after(there.date(), 1))


def stage_on(due_on: date, day: date, calendar: Calendar) -> int:
    """The stage that rings on the working day ``day``."""
    if day > due_on:
        return calendar.count(due_on, day)
    if day == due_on:
        return 0
    return -calendar.count(day, due_on) - (not calendar.is_working(due_on))


def day_of(due_on: date, stage: int, calendar: Calendar) -> date | None:
    """The day on which ``stage`` rings; None for stage 0 of a due date that is a day off."""
    if stage == 0:
        return due_on if calendar.is_working(due_on) else None
    return calendar.before(due_on, -stage) if stage < 0 else calendar.after(due_on, stage)


def next_alarm(due_on: date, alarms: Alarms | None, after: datetime, calendar: Calendar) -> tuple[int, datetime] | None:
    """The first (stage, moment) later than ``after``; None when the kind rings no more."""
    if alarms is None:
        return None
    day = local(next_opening(after, calendar)).date()
    stage = stage_on(due_on, day, calendar)
    if stage < alarms.first:
        stage = alarms.first
        wanted = day_of(due_on, stage, calendar)
        if wanted is None:
            stage, wanted = 1, calendar.after(due_on, 1)
        day = wanted
    if alarms.last is not None and stage > alarms.last:
        return None
    return stage, opening_of(day)


def due_now(due_on: date, stage: int, alarms: Alarms, now: datetime, calendar: Calendar) -> Due:
    """What a clock whose next stage is ``stage`` rings at ``now``, a moment of a working day after the opening."""
    newest = stage_on(due_on, local(now).date(), calendar)
    if alarms.last is not None:
        newest = min(newest, alarms.last)
    stages = [s for s in range(stage, newest + 1) if s != 0 or calendar.is_working(due_on)]
    return Due(stages[-1], tuple(stages[:-1])) if stages else Due(None)
