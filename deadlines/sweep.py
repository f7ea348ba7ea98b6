"""Ringing the alarms that are due.

One transaction a batch: claim, write the alarms, set the next ones, call the handlers. Either all of it is there or
none, so a process that is killed loses nothing and doubles nothing. Statements a batch are constant in its rows.

After an outage the newest stage rings and speaks for the missed ones: each missed stage gets its row (``spoken_by``),
the person gets one message. Outside working time nothing rings: what fell due waits for the next opening.

A row whose handler fails is pushed back with its error written on it and reported; the rest of its batch goes on. The
error is the exception's type and place, not its text, which may hold what a log must not (PIPL).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import Case, IntegerField, Value, When

from deadlines import calendar as working_calendar
from deadlines import owners, registry
from deadlines.alarms import Due, due_now, is_working_time, next_alarm
from deadlines.arithmetic import Calendar
from deadlines.kinds import KINDS, KindCode
from deadlines.models import Alarm, Deadline
from deadlines.querysets import DeadlineQuerySet
from deadlines.registry import AlarmNotice
from lianyungang_gov.faults import reach
from offices.bulk import among, insert_rows

logger = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=15)
LAST_RETRY = timedelta(days=1)

Next = tuple[int, datetime] | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that could not ring and was pushed back."""

    deadline_id: int
    kind: str
    stage: int
    error: str


class Ringing(NamedTuple):
    """What a sweep reads of a clock."""

    pk: int
    kind: str
    due_on: date
    next_alarm_stage: int | None
    stream: str


ALARM = ("deadline_id", "due_on", "stage", "fired_at", "spoken_by")


def _read(clocks: DeadlineQuerySet, size: int) -> list[Ringing]:
    return [Ringing(*row) for row in clocks.values_list(*Ringing._fields)[:size]]


@dataclass(slots=True)
class SweepReport:
    """What a sweep did: alarms rung, missed stages they spoke for, batches, rows pushed back."""

    fired: int = 0
    missed: int = 0
    batches: int = 0
    outside_hours: bool = False
    failed: list[Failure] = field(default_factory=list)

    def add(self, other: SweepReport) -> None:
        """Count what another hand did in the same sweep."""
        self.fired += other.fired
        self.missed += other.missed
        self.batches += other.batches
        self.failed += other.failed


class Attempt:
    """A savepoint that keeps what went wrong inside it as ``error``, for the caller to record and report.

    A lost or blocked database is not a bad row: it passes through and ends the sweep, which comes again.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._savepoint = transaction.atomic()

    def __enter__(self) -> Attempt:
        self._savepoint.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._savepoint.__exit__(kind, error, trace)
        if not isinstance(error, Exception) or isinstance(error, (OperationalError, InterfaceError)):
            return False
        self.error = error
        return True


class Sweep:
    """One sweep at one moment; what a due date and a stage ring is worked out once."""

    def __init__(self, now: datetime, calendar: Calendar) -> None:
        self.now = now
        self.calendar = calendar
        self.report = SweepReport()
        self.busy: set[int] = set()
        self._plans: dict[tuple[str, date, int], tuple[Due, Next]] = {}

    def plan(self, row: Ringing) -> tuple[Due, Next]:
        """What the clock rings now, and its next (stage, moment)."""
        stage = row.next_alarm_stage or 0
        key = (row.kind, row.due_on, stage)
        if key not in self._plans:
            alarms = KINDS[KindCode(row.kind)].alarms
            due = due_now(row.due_on, stage, alarms, self.now, self.calendar) if alarms else Due(None)
            self._plans[key] = (due, next_alarm(row.due_on, alarms, self.now, self.calendar))
        return self._plans[key]

    def ring(self, rows: Sequence[Ringing], *, already: frozenset[tuple[date, int]] = frozenset()) -> tuple[int, int]:
        """Ring ``rows`` and return (alarms rung, missed stages); ``already`` are (due date, stage) not to ring again.

        Raises ``IntegrityError`` when a stage of a row rang before, and whatever a handler raises.
        """
        alarms: list[tuple[int, date, int, datetime, int | None]] = []
        notices: dict[KindCode, list[AlarmNotice]] = {}
        following: dict[datetime | None, dict[date, int | None]] = {}
        keys: dict[datetime | None, list[int]] = {}
        for row in rows:
            due, following_alarm = self.plan(row)
            stage, at = following_alarm or (None, None)
            following.setdefault(at, {})[row.due_on] = stage
            keys.setdefault(at, []).append(row.pk)
            if due.stage is None or (row.due_on, due.stage) in already:
                continue
            missed = tuple(s for s in due.missed if (row.due_on, s) not in already)
            kind = KindCode(row.kind)
            notices.setdefault(kind, []).append(AlarmNotice(row.pk, kind, due.stage, row.due_on, row.stream, missed))
            alarms.append((row.pk, row.due_on, due.stage, self.now, None))
            alarms.extend((row.pk, row.due_on, s, self.now, due.stage) for s in missed)
        insert_rows(Alarm, ALARM, alarms)
        for at, stages in following.items():
            self._set_next(keys[at], at, stages)
        for kind in sorted(notices):
            registry.handler_for(kind)(notices[kind], self.now)
        fired = sum(map(len, notices.values()))
        return fired, len(alarms) - fired

    def _set_next(self, keys: list[int], at: datetime | None, stages: dict[date, int | None]) -> None:
        """Set the next alarm of rows that ring next at one moment; their stage follows from the due date."""
        stage: Case | None = None
        if at is not None:
            cases = [When(due_on=due_on, then=Value(number)) for due_on, number in stages.items()]
            stage = Case(*cases, output_field=IntegerField())
        Deadline.objects.filter(pk__in=among(keys)).update(
            next_alarm_at=at, next_alarm_stage=stage, alarm_error="", alarm_failures=0
        )

    def batch(self, size: int) -> int:
        """Claim up to ``size`` rows and ring those whose owner is free, all or none; returns how many there were."""
        with transaction.atomic():
            found = _read(Deadline.objects.ringing(self.now).exclude(pk__in=self.busy).claimed(), size)
            # Whose case or task somebody is working on waits for the next sweep: both write its ledger stream.
            held = owners.claim(row.stream for row in found)
            self.busy |= {row.pk for row in found if row.stream in held}
            claimed = [row for row in found if row.stream not in held]
            if not claimed:
                return len(found)
            with Attempt() as together:
                fired, missed = self.ring(claimed)
            if together.error is not None:
                logger.warning(
                    "sweep: a batch of %d failed (%s), going row by row", len(claimed), place(together.error)
                )
                fired, missed = self._one_by_one([row.pk for row in claimed])
            reach("sweep.before_commit")
        self.report.batches += 1
        self.report.fired += fired
        self.report.missed += missed
        return len(found)

    def rest(self, size: int) -> None:
        """Ring in batches until one is not full."""
        while self.batch(size) == size:
            pass

    def _one_by_one(self, keys: Sequence[int]) -> tuple[int, int]:
        """Ring each row in a savepoint of its own and push the bad ones back.

        Rows are read anew (they stay locked): a handler that failed may have left its marks on its objects.
        """
        fired = missed = 0
        for key in keys:
            with Attempt() as alone:
                [row] = _read(Deadline.objects.filter(pk=key), 1)
                already = frozenset(Alarm.objects.filter(deadline=key).values_list("due_on", "stage"))
                rung, spoken_for = self.ring([row], already=already)
                fired, missed = fired + rung, missed + spoken_for
            if alone.error is not None:
                self._push_back(Deadline.objects.get(pk=key), alone.error)
        return fired, missed

    def _push_back(self, row: Deadline, error: Exception) -> None:
        """Let a bad row wait (15 minutes, doubling, at most a day), say why on the row, and report it."""
        where = place(error)
        wait = min(FIRST_RETRY * 2 ** min(row.alarm_failures, 10), LAST_RETRY)
        Deadline.objects.filter(pk=row.pk).update(
            next_alarm_at=self.now + wait, alarm_error=where[:200], alarm_failures=min(row.alarm_failures + 1, 1000)
        )
        self.report.failed.append(Failure(row.pk, row.kind, row.next_alarm_stage or 0, where))
        logger.error("sweep: alarm of deadline %d (%s) failed and waits %s: %s", row.pk, row.kind, wait, where)


def place(error: BaseException) -> str:
    """The exception's type and the place that raised it, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"{type(error).__name__} @ {last.name}:{last.lineno}" if last else type(error).__name__


def sweep(now: datetime, batch: int = 2000, hands: int = 1) -> SweepReport:
    """Ring every alarm due at ``now``, ``batch`` rows a transaction; outside working time nothing rings.

    Statements: one for the calendar, one look how many ring, then a constant number a batch. ``hands``: how
    many connections ring side by side when a batch and more is due, where the database has many writers.
    """
    run = Sweep(now, working_calendar.estimating())
    if not is_working_time(now, run.calendar):
        run.report.outside_hours = True
        return run.report
    due = Deadline.objects.ringing(now).order_by()[:batch].count()
    if due == batch and hands > 1 and connection.features.has_select_for_update_skip_locked:
        _side_by_side(run, batch, hands)
    if due:
        run.rest(batch)
    return run.report


def _side_by_side(run: Sweep, batch: int, hands: int) -> None:
    """Ring with several connections; what they kept from each other, two clocks of one owner, is left for one alone."""

    def beside() -> SweepReport:
        other = Sweep(run.now, run.calendar)
        try:
            other.rest(batch)
        finally:
            connections.close_all()  # of this thread
        return other.report

    with ThreadPoolExecutor(hands - 1) as pool:
        others = [pool.submit(beside) for _ in range(hands - 1)]
        run.rest(batch)
        for other in others:
            run.report.add(other.result())
    run.busy.clear()
