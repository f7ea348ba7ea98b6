"""Starting and ending clocks. Each action is one transaction and writes the owner's ledger stream.

Callers hold the lock of the owner (the case, the task); a clock that changed meanwhile is refused all the same.
``record=False`` leaves the ledger to a caller that writes an entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from deadlines import calendar as working_calendar
from deadlines.alarms import local
from deadlines.arithmetic import Calendar, due_date
from deadlines.enums import Act, EventKind, Unit
from deadlines.errors import DeadlineError
from deadlines.kinds import KINDS, KindCode
from deadlines.models import ClockEvent, Deadline
from ledger.record import Draft, record_many
from offices.models import User

ACTS = {
    EventKind.START: Act.DEADLINE_STARTED,
    EventKind.MET: Act.DEADLINE_MET,
    EventKind.MISSED: Act.DEADLINE_MISSED,
    EventKind.CANCEL: Act.DEADLINE_CANCELLED,
    EventKind.RECOMPUTE: Act.DEADLINE_RECOMPUTED,
}


@dataclass(frozen=True, slots=True)
class Start:
    """A clock to be started; what is None comes from the table of kinds. ``fresh``: the ledger stream is new."""

    kind: KindCode
    stream: str
    length: int | None = None
    unit: Unit | None = None
    fixed_on: date | None = None
    legal_basis: str | None = None
    fresh: bool = False


@transaction.atomic
def start_many(
    starts: Sequence[Start],
    *,
    at: datetime,
    by: User | None = None,
    record: bool = True,
    calendar: Calendar | None = None,
) -> list[Deadline]:
    """Start clocks from an event at ``at`` (aware; its local day is not counted) and return them in order.

    A due date that touches an unpublished year is provisional. Alarms whose moment is past at ``at`` do not ring.
    Statements: calendar version (none if ``calendar`` is given), clocks, events, ledger; constant in the number.
    Raises ``DeadlineError`` in Chinese for a length or a day that makes no sense.
    """
    calendar = calendar or working_calendar.estimating()
    clocks = [_built(start, at, calendar) for start in starts]
    Deadline.objects.bulk_create(clocks)
    ClockEvent.objects.bulk_create(
        ClockEvent(
            deadline=clock,
            seq=1,
            kind=EventKind.START,
            at=at,
            by=by,
            data={"length": clock.length, "unit": clock.unit, "calendar": clock.calendar_version}
            | ({"fixed_on": clock.due_on.isoformat()} if clock.unit == Unit.FIXED else {}),
        )
        for clock in clocks
    )
    if record:
        record_many(
            [
                Draft(clock.stream, Act.DEADLINE_STARTED, _entry(clock), by, start.fresh)
                for clock, start in zip(clocks, starts, strict=True)
            ],
            at=at,
        )
    return clocks


def start_deadline(
    kind: KindCode,
    *,
    at: datetime,
    stream: str,
    by: User | None = None,
    length: int | None = None,
    unit: Unit | None = None,
    fixed_on: date | None = None,
    legal_basis: str | None = None,
    record: bool = True,
    calendar: Calendar | None = None,
) -> Deadline:
    """Start one clock; see ``start_many``."""
    start = Start(kind, stream, length, unit, fixed_on, legal_basis)
    return start_many([start], at=at, by=by, record=record, calendar=calendar)[0]


def meet_many(
    deadlines: Sequence[Deadline], *, at: datetime, by: User | None = None, record: bool = True
) -> list[Deadline]:
    """The duties of these clocks were done at ``at``: each becomes MET, or MISSED when it was late.

    Statements: one for each resulting state, events, ledger. Raises ``TransitionNotAllowed``, ``ChangedMeanwhile``.
    """
    return _close(deadlines, [deadline.meet(at) for deadline in deadlines], {}, at=at, by=by, record=record)


def meet_deadline(deadline: Deadline, *, at: datetime, by: User | None = None, record: bool = True) -> Deadline:
    """The duty of one clock was done; see ``meet_many``."""
    return meet_many([deadline], at=at, by=by, record=record)[0]


def cancel_many(
    deadlines: Sequence[Deadline], *, at: datetime, reason: str, by: User | None = None, record: bool = True
) -> list[Deadline]:
    """The duties of these clocks fell away; ``reason`` is a code or a short text without personal data.

    Raises ``DeadlineError`` without a reason, ``TransitionNotAllowed``, ``ChangedMeanwhile``.
    """
    if not reason.strip():
        raise DeadlineError("取消期限要写明原因。")
    kinds = [deadline.cancel(at) for deadline in deadlines]
    return _close(deadlines, kinds, {"reason": reason}, at=at, by=by, record=record)


def cancel_deadline(
    deadline: Deadline, *, at: datetime, reason: str, by: User | None = None, record: bool = True
) -> Deadline:
    """The duty of one clock fell away; see ``cancel_many``."""
    return cancel_many([deadline], at=at, reason=reason, by=by, record=record)[0]


def _built(start: Start, at: datetime, calendar: Calendar) -> Deadline:
    """The clock as it starts, not yet written."""
    kind = KINDS[start.kind]
    unit = start.unit or kind.unit
    start_on = local(at).date()
    length = None if unit is Unit.FIXED else (start.length or kind.length)
    if unit is Unit.FIXED:
        if start.fixed_on is None or start.fixed_on < start_on:
            raise DeadlineError(f"{kind.label}：请给出不早于 {start_on} 的日期。")
        due_on = start.fixed_on
    elif length is None or length < 1 or start.fixed_on is not None:
        raise DeadlineError(f"{kind.label}：期限至少为 1，且不能同时指定固定日期。")
    else:
        due_on = due_date(start_on, length, unit, calendar)
    clock = Deadline(
        kind=start.kind,
        length=length,
        unit=unit,
        started_at=at,
        start_on=start_on,
        due_on=due_on,
        legal_basis=start.legal_basis or kind.legal_basis,
        provisional=calendar.is_provisional(start_on, due_on),
        calendar_version=calendar.version(start_on, due_on),
        stream=start.stream,
    )
    clock.plan_alarm(at, calendar)
    return clock


def _entry(deadline: Deadline) -> dict[str, object]:
    """What the ledger says of a clock: ids, codes and days."""
    return {
        "deadline": deadline.pk,
        "kind": str(deadline.kind),
        "start_on": deadline.start_on.isoformat(),
        "due_on": deadline.due_on.isoformat(),
        "length": deadline.length,
        "unit": str(deadline.unit),
        "calendar": deadline.calendar_version,
    }


@transaction.atomic
def _close(
    deadlines: Sequence[Deadline],
    kinds: Sequence[EventKind],
    data: dict[str, str],
    *,
    at: datetime,
    by: User | None,
    record: bool,
) -> list[Deadline]:
    """Write clocks that their transition has closed, with their events and ledger entries."""
    Deadline.objects.all().write_closed(deadlines, at)
    pairs = list(zip(deadlines, kinds, strict=True))
    ClockEvent.objects.bulk_create(
        ClockEvent(
            deadline=clock,
            seq=clock.revision,
            kind=kind,
            at=at,
            by=by,
            data={"due_on": clock.due_on.isoformat(), **data},
        )
        for clock, kind in pairs
    )
    if record:
        record_many([Draft(clock.stream, ACTS[kind], _entry(clock) | data, by) for clock, kind in pairs], at=at)
    return list(deadlines)
