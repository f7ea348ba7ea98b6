"""Reading a clock from its events: the due date is derived, never edited.

A pause begins on the day after the event that stops the clock and ends with the day of the event that resumes it: that
day is an event's own day and is not counted (民法典 art. 201). A pause and a resume on the same day take no day away.
While a clock stands still its due date stays where it was before the pause; the resume moves it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from deadlines import arithmetic
from deadlines.alarms import local
from deadlines.arithmetic import ONE_DAY, Calendar, DayLine, DayRange
from deadlines.enums import EventKind, PauseGround, Unit


class Event(Protocol):
    """What is read of an event; ``ClockEvent`` fits."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class BrokenTimelineError(ValueError):
    """Events that no clock can have: no start, or a pause within a pause."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the events say: start, total length with extensions (None: fixed day), closed pauses, an open one."""

    start_on: date
    unit: Unit
    length: int | None
    fixed_on: date | None
    pauses: tuple[DayRange, ...] = ()
    paused_since: date | None = None
    paused_for: str = ""
    extended_by: int = 0

    def due_on(self, calendar: Calendar) -> date:
        """The due date; raises ``MissingYear``."""
        if self.fixed_on is not None:
            return self.fixed_on
        assert self.length is not None  # noqa: S101 - either one by construction
        return arithmetic.due_date(self.start_on, self.length, self.unit, calendar, pauses=self.pauses)

    def standing(self, on: date) -> "Timeline":
        """As it would be if a clock that stands still were resumed on ``on``; a running one as it is."""
        if self.paused_since is None or on <= self.paused_since:
            return self
        still = DayRange(self.paused_since + ONE_DAY, on, self.paused_for)
        return replace(self, pauses=(*self.pauses, still), paused_since=None)

    def explain(self, calendar: Calendar, on: date | None = None) -> list[DayLine]:
        """One line a day; raises ``MissingYear``. With ``on``, one that stands still is shown as resumed that day."""
        if on is not None and self.paused_since is not None:
            return self.standing(on).explain(calendar)
        if self.fixed_on is not None:
            return arithmetic.explain_fixed(self.start_on, self.fixed_on, calendar)
        assert self.length is not None  # noqa: S101 - either one by construction
        lines = arithmetic.explain(self.start_on, self.length, self.unit, calendar, pauses=self.pauses)
        lawful = self.length - self.extended_by
        if self.unit is Unit.MONTHS:
            lawful = (arithmetic.add_months(self.start_on, lawful) - self.start_on).days
        return [
            replace(line, reason=f"{line.reason}（延长期内）") if (line.number or 0) > lawful else line
            for line in lines
        ]


def ground_text(data: Mapping[str, Any]) -> str:
    """What a pause rests on, in words: 专家评审, or 其他法律规定的事由：《…》第…条."""
    code = str(data.get("ground", ""))
    label = str(PauseGround(code).label) if code in PauseGround.values else code
    law = str(data.get("law", ""))
    return f"{label}：{law}" if law else label


def read(events: Iterable[Event]) -> Timeline:
    """Return the timeline of ``events`` in the order of their numbers; raises ``BrokenTimelineError``."""
    start: Timeline | None = None
    length = extended_by = 0
    fixed_on: date | None = None
    pauses: list[DayRange] = []
    since: date | None = None
    ground = ""
    for event in events:
        day = local(event.at).date()
        kind = EventKind(event.kind)
        if (kind is EventKind.START) is (start is not None):
            raise BrokenTimelineError(f"{kind} where a clock {'already runs' if start else 'was never started'}")
        if kind is EventKind.START:
            unit = Unit(event.data["unit"])
            fixed_on = date.fromisoformat(event.data["fixed_on"]) if unit is Unit.FIXED else None
            length = 0 if unit is Unit.FIXED else int(event.data["length"])
            start = Timeline(day, unit, length, fixed_on)
        elif kind is EventKind.PAUSE:
            if since is not None:
                raise BrokenTimelineError("a pause within a pause")
            since, ground = day, ground_text(event.data)
        elif kind is EventKind.RESUME:
            if since is None:
                raise BrokenTimelineError("a resume without a pause")
            if day > since:
                pauses.append(DayRange(since + ONE_DAY, day, ground))
            since = None
        elif kind is EventKind.EXTEND:
            if fixed_on is not None:
                fixed_on = date.fromisoformat(event.data["fixed_on"])
            else:
                length += int(event.data["length"])
                extended_by += int(event.data["length"])
    if start is None:
        raise BrokenTimelineError("no events")
    return Timeline(
        start.start_on,
        start.unit,
        None if fixed_on else length,
        fixed_on,
        tuple(pauses),
        since,
        ground if since is not None else "",
        extended_by,
    )


def derive_due(events: Iterable[Event], calendar: Calendar) -> date:
    """The due date that the events give; the same events give the same date. MissingYear, BrokenTimelineError."""
    return read(events).due_on(calendar)
