"""Window hours of a division: set by the calendar office, shown to people, never asked by a clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import groupby
from typing import Protocol

from django.db import transaction

from deadlines.arithmetic import WEEKDAYS
from deadlines.enums import Act
from deadlines.errors import DeadlineError
from deadlines.models import WindowHours
from ledger.record import record
from offices.history import delete_at, save_at
from offices.models import Division, User


class HoursRefused(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """Sessions that make no sense; ``field`` is where the sentence belongs: weekday, opens, closes or sessions."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a weekday, 0 for Monday."""

    weekday: int
    opens: time
    closes: time


class AnySession(Protocol):
    """What is read of a session; ``Session`` and ``WindowHours`` fit."""

    @property
    def weekday(self) -> int: ...
    @property
    def opens(self) -> time: ...
    @property
    def closes(self) -> time: ...


def _key(session: AnySession) -> tuple[int, time, time]:
    return session.weekday, session.opens, session.closes


def window_hours(division: Division) -> list[WindowHours]:
    """The sessions of a division, by weekday and hour; one statement."""
    return list(WindowHours.objects.filter(division=division).order_by("weekday", "opens"))


@dataclass(frozen=True, slots=True)
class OpenWindows:
    """When the windows of a division are open: its name, the sessions in words, what they are marked as."""

    name: str
    text: str
    note: str


def open_windows() -> list[OpenWindows]:
    """The hours of every division that says any, by its code: the city first; one statement."""
    rows = WindowHours.objects.select_related("division").order_by("division__code", "weekday", "opens")
    found = []
    for division, group in groupby(rows, key=lambda row: row.division):
        sessions = list(group)
        found.append(OpenWindows(division.name, window_hours_text(sessions), sessions[0].note))
    return found


@transaction.atomic
def set_window_hours(
    division: Division, sessions: Sequence[Session], *, by: User | None, now: datetime, note: str = ""
) -> list[WindowHours]:
    """Let the windows of ``division`` be open at ``sessions`` and at no other time; the same again changes nothing.

    Raises ``HoursRefused``: a session that ends before it begins, or two that overlap.
    """
    wanted = {_key(session): session for session in sorted(sessions, key=_key)}
    _refuse(list(wanted.values()), len(sessions))
    Division.objects.select_for_update().get(pk=division.pk)
    held = {_key(row): row for row in window_hours(division)}
    gone = [row for key, row in held.items() if key not in wanted]
    new = [session for key, session in wanted.items() if key not in held]
    noted = [row for key, row in held.items() if key in wanted and row.note != note]
    if not gone and not new and not noted:
        return list(held.values())
    for row in gone:
        delete_at(row, now, by=by)
    for row in noted:
        row.note = note
        save_at(row, now, by=by)
    for session in new:
        row = WindowHours(
            division=division, weekday=session.weekday, opens=session.opens, closes=session.closes, note=note
        )
        save_at(row, now, by=by)
    after = window_hours(division)
    data = {"from": window_hours_text(held.values()), "to": window_hours_text(after)}
    record(f"window_hours:{division.pk}", Act.WINDOW_HOURS_SET, at=now, by=by, data=data)
    return after


def _refuse(sessions: Sequence[Session], given: int) -> None:
    if len(sessions) != given:
        raise HoursRefused("有两个时段完全相同，请删去一个。", "sessions")
    for session in sessions:
        if not 0 <= session.weekday <= 6:
            raise HoursRefused("请选择周一至周日中的一天。", "weekday")
        if session.closes <= session.opens:
            raise HoursRefused(
                f"周{WEEKDAYS[session.weekday]}：结束时间 {clock_text(session.closes)} 应晚于开始时间 "
                f"{clock_text(session.opens)}。",
                "closes",
            )
    for earlier, later in zip(sessions, sessions[1:], strict=False):
        if earlier.weekday == later.weekday and later.opens < earlier.closes:
            raise HoursRefused(
                f"周{WEEKDAYS[later.weekday]}：{_span(later)} 与 {_span(earlier)} 重叠，请改为先后相接的时段。",
                "opens",
            )


def clock_text(moment: time) -> str:
    """``9:00``."""
    return f"{moment.hour}:{moment:%M}"


def _span(session: AnySession) -> str:
    return f"{clock_text(session.opens)}–{clock_text(session.closes)}"


def window_hours_text(sessions: Iterable[AnySession]) -> str:
    """``周一至周五 9:00–12:00、13:30–17:00；周六 9:00–12:00``: days that follow each other and are alike, together."""
    days = [
        (weekday, "、".join(_span(session) for session in group))
        for weekday, group in groupby(sorted(sessions, key=_key), key=lambda session: session.weekday)
    ]
    runs: list[tuple[int, int, str]] = []
    for weekday, hours in days:
        if runs and runs[-1][1] == weekday - 1 and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], weekday, hours)
        else:
            runs.append((weekday, weekday, hours))
    return "；".join(f"{_days(first, last)} {hours}" for first, last, hours in runs)


def _days(first: int, last: int) -> str:
    if first == last:
        return f"周{WEEKDAYS[first]}"
    return f"周{WEEKDAYS[first]}{'、' if last == first + 1 else '至'}周{WEEKDAYS[last]}"
