"""Starting, pausing, resuming, extending, handing over and ending clocks.

Each action is one transaction and writes the owner's ledger stream.

Callers hold the lock of the owner (the case, the task); a clock that changed meanwhile is refused all the same.
``record=False`` leaves the ledger to a caller that writes an entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from deadlines import calendar as working_calendar
from deadlines import timeline
from deadlines.alarms import local
from deadlines.arithmetic import Calendar, due_date
from deadlines.enums import Act, EventKind, PauseGround, State, Unit
from deadlines.errors import DeadlineError, TransitionNotAllowed
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
    EventKind.PAUSE: Act.DEADLINE_PAUSED,
    EventKind.RESUME: Act.DEADLINE_RESUMED,
    EventKind.EXTEND: Act.DEADLINE_EXTENDED,
    EventKind.HAND_OVER: Act.DEADLINE_HANDED_OVER,
}
CHANGED = ("state", "due_on", "yellow_on", "provisional", "calendar_version", "next_alarm_at", "next_alarm_stage",
           "alarm_error", "revision")  # fmt: skip


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
    now: datetime | None = None,
) -> list[Deadline]:
    """Start clocks from an event at ``at`` (aware; its local day is not counted) and return them in order.

    ``now`` is when this is written, where the event lies back (a deemed acceptance); alarms missed since then ring.

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
            at=now or at,
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
    now: datetime | None = None,
) -> Deadline:
    """Start one clock; see ``start_many``."""
    start = Start(kind, stream, length, unit, fixed_on, legal_basis)
    return start_many([start], at=at, by=by, record=record, calendar=calendar, now=now)[0]


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


@dataclass(frozen=True, slots=True)
class Pause:
    """Why clocks stand still: the ground, the law where the ground needs one, the told length, the paper (its id)."""

    ground: PauseGround
    law: str = ""
    estimate: int | None = None
    document: int | None = None


def pause_refusal(kind: KindCode, pause: Pause) -> str:
    """Why a clock of ``kind`` may not be paused for this, in Chinese; empty where it may (行政许可法 art. 45)."""
    row = KINDS[kind]
    if pause.ground not in row.pauses:
        return f"{row.label}不因{pause.ground.label}停止计算。"
    if pause.ground in row.needs_law and not pause.law.strip():
        return f"{row.label}因{pause.ground.label}停止计算，须写明是哪部法律哪一条的规定。"
    return ""


@transaction.atomic
def pause_many(
    deadlines: Sequence[Deadline], pause: Pause, *, at: datetime, by: User | None = None, record: bool = True
) -> list[Deadline]:
    """Let these clocks stand still from the day after ``at``; their due dates stay until they are resumed.

    Raises ``DeadlineError`` for a ground that the law does not give and for a clock that is late already,
    ``TransitionNotAllowed``, ``ChangedMeanwhile``.
    """
    for clock in deadlines:
        if clock.is_overdue(local(at).date()):
            raise DeadlineError(f"{clock.get_kind_display()}已于{clock.due_on}届满，不能再停止计算。")
        if text := pause_refusal(KindCode(clock.kind), pause):
            raise DeadlineError(text)
        clock.pause()
    data = {
        "ground": str(pause.ground),
        "law": pause.law.strip(),
        "estimate": pause.estimate,
        "document": pause.document,
    }
    return _change(deadlines, EventKind.PAUSE, data, at=at, by=by, record=record)


@transaction.atomic
def resume_many(
    deadlines: Sequence[Deadline], *, at: datetime, by: User | None = None, record: bool = True
) -> list[Deadline]:
    """Let clocks that stand still run again: the days up to and including that of ``at`` were not counted.

    The due date and the alarms are derived anew. Raises ``TransitionNotAllowed``, ``ChangedMeanwhile``.
    """
    for clock in deadlines:
        clock.resume()
    return _change(deadlines, EventKind.RESUME, {}, at=at, by=by, record=record, derive=True)


@transaction.atomic
def extend_deadline(
    deadline: Deadline,
    length: int,
    *,
    longest: int,
    at: datetime,
    by: User,
    legal_basis: str,
    document: int | None = None,
    record: bool = True,
) -> Deadline:
    """Give a clock ``length`` more of its unit, once, ``longest`` at most; ``by`` is who allowed it (art. 42).

    Raises ``DeadlineError`` beyond the law, a second time, and once the due date has passed; ``TransitionNotAllowed``
    when it is closed; ``ChangedMeanwhile``.
    """
    if not deadline.is_open:
        raise TransitionNotAllowed(f"{deadline.get_kind_display()}已是“{deadline.get_state_display()}”，不能延长。")
    if deadline.is_overdue(local(at).date()):
        raise DeadlineError("期限已过，不能再延长；延长须在期限届满前批准。")
    if deadline.events.filter(kind=EventKind.EXTEND).exists():
        raise DeadlineError("这一期限已经延长过一次，依法不得再次延长。")
    if not 1 <= length <= longest or deadline.unit == Unit.FIXED:
        raise DeadlineError(
            f"延长最多 {longest} 个{Unit(deadline.unit).label}（{legal_basis}），请填写 1 到 {longest} 之间的数。"
        )
    deadline.revision += 1
    data = {"length": length, "basis": legal_basis, "document": document}
    return _change([deadline], EventKind.EXTEND, data, at=at, by=by, record=record, derive=True)[0]


@transaction.atomic
def hand_over(
    deadlines: Sequence[Deadline],
    *,
    at: datetime,
    to: User | None,
    reason: str,
    by: User | None = None,
    record: bool = True,
) -> list[Deadline]:
    """Note that another person has the duty of these open clocks now; not a day of them changes.

    ``reason`` is a code. Raises ``ChangedMeanwhile``, ``TransitionNotAllowed`` for a closed one.
    """
    for clock in deadlines:
        if not clock.is_open:
            raise TransitionNotAllowed(f"{clock.get_kind_display()}已是“{clock.get_state_display()}”，不必移交。")
        clock.revision += 1
    data = {"to": to.pk if to else None, "reason": reason}
    return _change(deadlines, EventKind.HAND_OVER, data, at=at, by=by, record=record)


def _change(
    deadlines: Sequence[Deadline],
    kind: EventKind,
    data: dict[str, Any],
    *,
    at: datetime,
    by: User | None,
    record: bool,
    derive: bool = False,
) -> list[Deadline]:
    """Write an event of open clocks whose revision was just raised, and with ``derive`` their new due dates.

    Statements: events read (only to derive), one update a clock, events, ledger; callers have a handful of clocks.
    """
    events = [ClockEvent(deadline=clock, seq=clock.revision, kind=kind, at=at, by=by, data=data) for clock in deadlines]
    if derive:
        calendar = working_calendar.estimating()
        known = ClockEvent.objects.filter(deadline__in=deadlines).order_by("deadline_id", "seq")
        for clock, event in zip(deadlines, events, strict=True):
            before = [old for old in known if old.deadline_id == clock.pk]
            clock.place(timeline.derive_due([*before, event], calendar), calendar)
            clock.plan_alarm(at, calendar)
    Deadline.objects.all().write_changed(deadlines, CHANGED)
    ClockEvent.objects.bulk_create(events)
    if record:
        record_many([Draft(clock.stream, ACTS[kind], _entry(clock) | data, by) for clock in deadlines], at=at)
    return list(deadlines)


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
    if not kind.stands:
        raise DeadlineError(f"{kind.label}：本平台尚未开办这一环节。")
    clock = Deadline(
        kind=start.kind,
        length=length,
        unit=unit,
        started_at=at,
        start_on=start_on,
        legal_basis=start.legal_basis or kind.legal_basis,
        stream=start.stream,
    )
    clock.place(due_on, calendar)
    clock.plan_alarm(at, calendar)
    return clock


def closing_entry(deadline: Deadline, by: User | None) -> Draft:
    """The entry of a clock just met with ``record=False``, for a caller that writes all its entries at once."""
    kind = EventKind.MISSED if deadline.state == State.MISSED else EventKind.MET
    return Draft(deadline.stream, ACTS[kind], _entry(deadline), by)


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
