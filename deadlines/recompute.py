"""Deriving due dates anew when the calendar changed: a batch a transaction, no more than once for each version.

A clock names the versions of the years that it touches (``calendar_version``), so what still rests on an older version
is found in the database: a run that was cut short is finished by the next one, and a clock that was started by an older
calendar while the new one was being published is found by the next pass.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from deadlines import calendar as working_calendar
from deadlines import owners, timeline
from deadlines.arithmetic import Calendar
from deadlines.enums import Act, EventKind, State
from deadlines.kinds import KindCode
from deadlines.models import CalendarYear, ClockEvent, Deadline
from deadlines.moves import Confirmed, Move, Publication, tell, tell_confirmed
from deadlines.querysets import DeadlineQuerySet
from deadlines.sweep import Attempt, place
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.bulk import insert_rows, update_rows
from offices.models import User

logger = logging.getLogger(__name__)

BATCH = 500
MOMENT = timedelta(microseconds=1)
# What is read of a clock, and what is written.
READ = (
    "kind", "unit", "state", "stream", "start_on", "due_on", "provisional", "calendar_version", "next_alarm_at",
    "revision",
)  # fmt: skip
WRITTEN = ("due_on", "yellow_on", "provisional", "calendar_version", "next_alarm_at", "next_alarm_stage", "revision")
EVENT = ("deadline_id", "seq", "kind", "at", "by_id", "data")
# So many rows that cannot be recomputed are a fault of the system, not of the rows: it stops, loudly.
MOST_BROKEN = 100
# How long other writers of clocks are made to wait behind one that does not end.
PATIENCE = "3s"


class TooManyBroken(RuntimeError):  # noqa: N818 - reads as what happened
    """More clocks than ``MOST_BROKEN`` could not be recomputed."""


class Found(NamedTuple):
    """A clock that a pass has come to."""

    pk: int
    due_on: date
    stream: str


class Place(NamedTuple):
    """Where a pass stands, in the order of (due date, id): the index of open clocks by due date."""

    due_on: date
    pk: int


@dataclass(slots=True)
class Batch:
    """What became of the clocks of a batch: those that moved, and those whose row could not be derived (by id)."""

    handled: int = 0
    moves: list[Move] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def start_of(year: int) -> Place:
    """The place before the first clock that touches ``year``."""
    return Place(date(year, 1, 1), 0)


def touching(year: int) -> DeadlineQuerySet:
    """Open clocks with a day in ``year``."""
    return Deadline.objects.open().filter(due_on__gte=date(year, 1, 1), start_on__lte=date(year, 12, 31))


def label_now(year: int) -> str:
    """``2027.2``: the version of ``year`` as clocks name it. One statement."""
    return working_calendar.estimating().version(date(year, 1, 1), date(year, 12, 31))


def outdated(year: int, label: str) -> DeadlineQuerySet:
    """Open clocks with a day in ``year`` that rest on another version of it than ``label`` (``2027.2``)."""
    named = Concat(Value("+"), F("calendar_version"), Value("+"))
    return touching(year).annotate(named=named).exclude(named__contains=f"+{label}+")


def following(rows: DeadlineQuerySet, at: Place, size: int) -> list[Found]:
    """The next ``size`` of ``rows`` behind ``at``; at most two statements, each a range of the index."""
    columns = rows.order_by("due_on", "pk").values_list("pk", "due_on", "stream")
    found = list(columns.filter(due_on=at.due_on, pk__gt=at.pk)[:size])
    if len(found) < size:
        found += columns.filter(due_on__gt=at.due_on)[: size - len(found)]
    return [Found(*row) for row in found]


def foresee(found: Sequence[Found], calendar: Calendar) -> list[tuple[int, date, date]]:
    """(id, due date, the due date that ``calendar`` would give) of clocks that it would move; nothing is written.

    A clock whose events make no sense is left out here, and named when the year is applied.
    """
    moves = []
    events = _events([row.pk for row in found])
    for row in found:
        try:
            after = timeline.derive_due(events.get(row.pk, ()), calendar)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("preview: deadline %d cannot be derived: %s", row.pk, place(error))
            continue
        if after != row.due_on:
            moves.append((row.pk, row.due_on, after))
    return moves


def apply_to(found: Sequence[Found], year: int, *, at: datetime, by: User | None = None) -> Batch:
    """Bring clocks to the calendar as it stands, inside the caller's transaction; those concerned are told.

    A row that cannot be derived or told about is left as it is, logged and named; the others go on. Statements are
    constant in the number of clocks. Locks first the owners, then the clocks, as every action does; the calendar is
    read behind the locks, so a version that was published before cannot be missed.
    """
    owners.lock(row.stream for row in found)
    keys = [row.pk for row in found]
    clocks = list(_open(keys).select_for_update())
    calendar = working_calendar.estimating()
    with Attempt() as together:
        return Batch(len(clocks), _recompute(clocks, calendar, year, at, by))
    assert together.error is not None  # noqa: S101 - else it has returned
    done = Batch()
    for key in keys:
        with Attempt() as alone:
            # Read anew: the attempt that failed may have left its marks on the objects.
            done.moves += _recompute(list(_open([key])), calendar, year, at, by)
            done.handled += 1
        if alone.error is not None:
            done.broken.append(key)
            logger.error("recompute: deadline %d failed: %s", key, place(alone.error))
    return done


def _open(keys: Sequence[int]) -> DeadlineQuerySet:
    return Deadline.objects.open().filter(pk__in=keys).order_by("pk").only(*READ)


def _written(clock: Deadline) -> tuple[Any, ...]:
    return (clock.pk, *(getattr(clock, name) for name in WRITTEN))


class PlainEvent(NamedTuple):
    """What a due date is derived from, without the rest of a row."""

    deadline_id: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


def _events(keys: Sequence[int]) -> dict[int, list[PlainEvent]]:
    """Clock → its events in order; one statement."""
    rows = ClockEvent.objects.filter(deadline_id__in=keys).order_by("deadline_id", "seq")
    events = (PlainEvent(*row) for row in rows.values_list("deadline_id", "kind", "at", "data"))
    return {key: list(group) for key, group in groupby(events, key=attrgetter("deadline_id"))}


def _recompute(clocks: list[Deadline], calendar: Calendar, year: int, at: datetime, by: User | None) -> list[Move]:
    """Derive the due dates of locked clocks, write those that differ with an event and a ledger entry, and tell."""
    events = _events([clock.pk for clock in clocks])
    changed: list[Deadline] = []
    moves: list[Move] = []
    standing: list[Confirmed] = []
    new_events: list[tuple[int, int, EventKind, datetime, int | None, dict[str, str]]] = []
    for clock in clocks:
        before, was_provisional = clock.due_on, clock.provisional
        due_on = timeline.derive_due(events.get(clock.pk, ()), calendar)
        version = calendar.version(clock.start_on, due_on)
        if (due_on, version) == (before, clock.calendar_version):
            continue
        # An alarm that fell due but has not rung yet must not be lost.
        after = min(at, clock.next_alarm_at - MOMENT) if clock.next_alarm_at else at
        clock.place(due_on, calendar)
        clock.plan_alarm(after, calendar)
        changed.append(clock)
        if before != due_on:
            clock.revision += 1
            is_paused = clock.state == State.PAUSED
            moves.append(Move(clock.pk, KindCode(clock.kind), clock.stream, before, due_on, is_paused))
            data = {"from": before.isoformat(), "to": due_on.isoformat(), "calendar": version}
            new_events.append((clock.pk, clock.revision, EventKind.RECOMPUTE, at, by.pk if by else None, data))
        elif was_provisional and not clock.provisional and clock.state == State.RUNNING:
            standing.append(Confirmed(clock.pk, KindCode(clock.kind), clock.stream, due_on))
    update_rows(Deadline, WRITTEN, [_written(clock) for clock in changed])
    insert_rows(ClockEvent, EVENT, new_events)
    record_many(
        [
            Draft(move.stream, Act.DEADLINE_RECOMPUTED, {"deadline": move.deadline_id, **event[-1]}, by)
            for move, event in zip(moves, new_events, strict=True)
        ],
        at=at,
    )
    publication = Publication(year, calendar.year(year).version)
    tell(moves, publication, at)
    tell_confirmed(standing, publication, at)
    return moves


def settle() -> bool:
    """Wait until everybody who was writing clocks has ended; False when that took too long.

    Whoever read the calendar just before a publication may commit a clock by the old one just after the last pass.
    PostgreSQL's table lock waits for those; SQLite has one writer at a time. Inside the caller's transaction.
    """
    if connection.vendor != "postgresql":
        return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [PATIENCE])
            cursor.execute("LOCK TABLE deadlines_deadline IN SHARE MODE")
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as error:
        logger.warning("recompute: others are still writing (%s); tried again later", type(error).__name__)
        return False
    return True


def recompute_year(year: int, *, at: datetime, by: User | None = None, batch: int = BATCH) -> Iterator[list[Move]]:
    """Bring every open clock that rests on another version of ``year`` to this one, a batch a transaction.

    Passes follow until one finds nothing. Yields the moves of each batch; may be stopped and begun again.
    """
    broken: list[int] = []
    found_any = True
    while found_any:
        found_any = False
        label = label_now(year)
        here = start_of(year)
        while True:
            with transaction.atomic():
                found = following(outdated(year, label).exclude(pk__in=broken), here, batch)
                done = apply_to(found, year, at=at, by=by) if found else Batch()
                reach("calendar.before_commit")
            if not found:
                break
            broken += done.broken
            if len(broken) > MOST_BROKEN:
                raise TooManyBroken(f"{len(broken)} clocks")
            found_any = found_any or bool(done.handled)
            here = Place(found[-1].due_on, found[-1].pk)
            yield done.moves
        if found_any:
            with transaction.atomic():
                settle()


def refresh(now: datetime) -> int:
    """Find open clocks that rest on an older version of a year that is held, and bring them up; returns how many moved.

    What a publication could not see: the hourly look behind it.
    """
    years = CalendarYear.objects.filter(year__gte=now.year - 1).order_by("year").values_list("year", flat=True)
    return sum(len(moves) for year in list(years) for moves in recompute_year(year, at=now))
