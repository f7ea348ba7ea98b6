"""The due date is derived from the events."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pytest

from deadlines import calendar as working_calendar
from deadlines.enums import EventKind, Unit
from deadlines.timeline import BrokenTimelineError, derive_due, read
from tests.deadlines.conftest import at

CALENDAR = working_calendar.shipped()


@dataclass(frozen=True)
class Happened:
    kind: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


def started(text: str, length: int, unit: Unit = Unit.WORKING) -> Happened:
    return Happened(EventKind.START, at(text), {"length": length, "unit": unit})


def test_a_start_at_night_is_an_event_of_that_day() -> None:
    assert derive_due([started("2026-11-23 23:59", 3)], CALENDAR) == date(2026, 11, 26)


def test_a_pause_takes_the_days_after_it_up_to_the_day_of_the_resume() -> None:
    events = [
        started("2026-11-23 10:00", 3),
        Happened(EventKind.PAUSE, at("2026-11-24 10:00"), {"ground": "听证"}),
        Happened(EventKind.RESUME, at("2026-11-30 09:00")),
    ]
    # 11-24 counted before the pause; 11-30 is the resume's own day; 12-01 and 12-02 are the second and third.
    assert derive_due(events, CALENDAR) == date(2026, 12, 2)
    assert read(events).pauses[0].ground == "听证"


def test_a_pause_and_a_resume_on_one_day_take_nothing() -> None:
    events = [
        started("2026-11-23 10:00", 3),
        Happened(EventKind.PAUSE, at("2026-11-24 10:00")),
        Happened(EventKind.RESUME, at("2026-11-24 16:00")),
    ]
    assert derive_due(events, CALENDAR) == date(2026, 11, 26)


def test_while_it_stands_still_the_due_date_stays() -> None:
    events = [started("2026-11-23 10:00", 3), Happened(EventKind.PAUSE, at("2026-11-24 10:00"))]
    assert derive_due(events, CALENDAR) == date(2026, 11, 26)
    assert read(events).paused_since == date(2026, 11, 24)


def test_an_extension_after_a_pause_keeps_the_pause() -> None:
    events = [
        started("2026-11-23 10:00", 3),
        Happened(EventKind.PAUSE, at("2026-11-24 10:00")),
        Happened(EventKind.RESUME, at("2026-11-30 09:00")),
        Happened(EventKind.EXTEND, at("2026-12-01 09:00"), {"length": 2}),
    ]
    assert derive_due(events, CALENDAR) == date(2026, 12, 4)


def test_an_extension_of_a_fixed_day_is_the_new_day() -> None:
    events = [
        Happened(EventKind.START, at("2026-11-23 10:00"), {"unit": "fixed", "fixed_on": "2026-12-01"}),
        Happened(EventKind.EXTEND, at("2026-11-30 10:00"), {"fixed_on": "2026-12-05"}),
    ]
    assert derive_due(events, CALENDAR) == date(2026, 12, 5)


@pytest.mark.parametrize(
    "kinds",
    [
        [],
        [EventKind.PAUSE],
        [EventKind.START, EventKind.START],
        [EventKind.START, EventKind.RESUME],
        [EventKind.START, EventKind.PAUSE, EventKind.PAUSE],
    ],
)
def test_events_that_no_clock_can_have_are_refused(kinds: list[EventKind]) -> None:
    events = [Happened(kind, at("2026-11-23 10:00"), {"length": 3, "unit": "working"}) for kind in kinds]
    with pytest.raises(BrokenTimelineError):
        read(events)
