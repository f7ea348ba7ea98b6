"""Window hours are told to people and never asked by a clock."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from deadlines.actions import start_deadline
from deadlines.arithmetic import Calendar
from deadlines.enums import Act
from deadlines.hours import HoursRefused, Session, set_window_hours, window_hours, window_hours_text
from deadlines.kinds import KindCode
from deadlines.models import Deadline, WindowHours
from ledger.models import Entry
from offices.models import Division, User
from tests.deadlines.conftest import at

NOW = at("2026-09-28 10:00")
MORNING, AFTERNOON = (time(9), time(12)), (time(13, 30), time(17))
WEEK = [Session(day, *span) for day in range(5) for span in (MORNING, AFTERNOON)]


@pytest.fixture
def city(db: None) -> Division:
    return Division.objects.create(code="320700", name="连云港市", level=Division.Level.CITY)


@pytest.fixture
def keeper(db: None) -> User:
    return User.objects.create_user("rili")


def test_they_are_set_with_history_and_an_entry(city: Division, keeper: User) -> None:
    rows = set_window_hours(city, WEEK, by=keeper, now=NOW)
    assert [(row.weekday, row.opens, row.closes) for row in rows[:2]] == [(0, *MORNING), (0, *AFTERNOON)]
    entry = Entry.objects.get(stream=f"window_hours:{city.pk}")
    assert (entry.act, entry.actor, entry.data["from"]) == (Act.WINDOW_HOURS_SET, keeper, "")
    assert entry.data["to"] == "周一至周五 9:00–12:00、13:30–17:00"
    set_window_hours(city, [*WEEK[:-1], Session(4, time(13, 30), time(16))], by=keeper, now=NOW)
    friday = window_hours(city)[-1]
    assert friday.closes == time(16)
    gone = WindowHours.history.filter(history_type="-").get()
    assert (gone.closes, gone.history_user, gone.history_date) == (time(17), keeper, NOW)
    assert len(window_hours(city)) == 10


def test_the_same_again_changes_nothing(city: Division, keeper: User) -> None:
    before = [row.pk for row in set_window_hours(city, WEEK, by=keeper, now=NOW)]
    assert [row.pk for row in set_window_hours(city, WEEK[::-1], by=keeper, now=NOW)] == before
    assert Entry.objects.filter(act=Act.WINDOW_HOURS_SET).count() == 1
    assert set_window_hours(city, [], by=keeper, now=NOW) == []
    assert window_hours_text(window_hours(city)) == ""


@pytest.mark.parametrize(
    ("sessions", "field", "text"),
    [
        ([Session(0, time(12), time(9))], "closes", "周一：结束时间 9:00 应晚于开始时间 12:00"),
        ([Session(0, time(9), time(9))], "closes", "应晚于"),
        ([Session(2, *MORNING), Session(2, time(11, 30), time(17))], "opens", "周三：11:30–17:00 与 9:00–12:00 重叠"),
        ([Session(7, *MORNING)], "weekday", "周一至周日"),
        ([Session(1, *MORNING), Session(1, *MORNING)], "sessions", "完全相同"),
    ],
)
def test_what_makes_no_sense_is_refused(city: Division, sessions: list[Session], field: str, text: str) -> None:
    with pytest.raises(HoursRefused, match=text) as refused:
        set_window_hours(city, sessions, by=None, now=NOW)
    assert refused.value.field == field
    assert not WindowHours.objects.exists()


@pytest.mark.parametrize("wrong", [{"closes": time(8)}, {"weekday": 7}])
def test_the_database_refuses_it_too(city: Division, wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"weekday": 0, "opens": time(9), "closes": time(12)}
    with pytest.raises(IntegrityError), transaction.atomic():
        WindowHours.objects.create(division=city, **(right | wrong))


@pytest.mark.parametrize(
    ("sessions", "text"),
    [
        (WEEK, "周一至周五 9:00–12:00、13:30–17:00"),
        ([*WEEK, Session(5, *MORNING)], "周一至周五 9:00–12:00、13:30–17:00；周六 9:00–12:00"),
        ([Session(5, *MORNING), Session(6, *MORNING)], "周六、周日 9:00–12:00"),
        ([Session(0, *MORNING), Session(2, *MORNING)], "周一 9:00–12:00；周三 9:00–12:00"),
        ([], ""),
    ],
)
def test_in_words(sessions: list[Session], text: str) -> None:
    assert window_hours_text(sessions) == text


@pytest.mark.parametrize("hours", [[], [Session(day, time(10), time(10, 30)) for day in range(5)], WEEK])
@pytest.mark.parametrize(
    ("moment", "due_on"),
    [
        ("2026-09-28 08:00", date(2026, 10, 10)),
        ("2026-09-28 23:59", date(2026, 10, 10)),
        ("2026-09-27 12:30", date(2026, 10, 9)),
    ],
)
def test_they_never_move_a_clock(
    calendar: Calendar, city: Division, keeper: User, hours: list[Session], moment: str, due_on: date
) -> None:
    """What comes at night, at noon or on a Sunday counts as at any other hour of that day; running clocks stay."""
    set_window_hours(city, hours, by=keeper, now=NOW)
    with CaptureQueriesContext(connection) as captured:
        clock = start_deadline(KindCode.CORRECTION_NOTICE, at=at(moment), stream="case:1")
    assert clock.due_on == due_on
    assert not [query for query in captured.captured_queries if "windowhours" in query["sql"]]
    before = standing(clock)
    set_window_hours(city, [Session(6, time(1), time(2))], by=keeper, now=NOW)
    assert standing(clock) == before
    assert clock.timeline().due_on(calendar) == clock.due_on


def standing(clock: Deadline) -> tuple[date, int, datetime | None]:
    """What a change would show in."""
    row = Deadline.objects.get(pk=clock.pk)
    return row.due_on, row.revision, row.next_alarm_at
