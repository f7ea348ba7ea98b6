"""When a message may go, when it is tried again, and how long it is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from deadlines.calendar import shipped
from notifications.schedule import MAX_ATTEMPTS, is_quiet, retry_delay, sendable_at
from notifications.segments import Length, segments
from tests.notifications.conftest import SHANGHAI

CALENDAR = shipped()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-09-28T08:00:00", "2026-09-28T08:00:00"),  # the line opens at eight sharp
        ("2026-09-28T21:59:59", "2026-09-28T21:59:59"),
        ("2026-09-28T22:00:00", "2026-09-29T08:00:00"),  # and closes at ten sharp
        ("2026-09-28T23:30:00", "2026-09-29T08:00:00"),
        ("2026-09-29T00:00:00", "2026-09-29T08:00:00"),
        ("2026-09-29T07:59:59", "2026-09-29T08:00:00"),
        ("2026-09-26T12:00:00", "2026-09-28T08:00:00"),  # a Saturday
        ("2026-09-25T22:30:00", "2026-09-28T08:00:00"),  # Mid-Autumn, then the weekend
        ("2026-09-30T22:00:00", "2026-10-08T08:00:00"),  # the National Day week
        ("2026-10-10T12:00:00", "2026-10-10T12:00:00"),  # a Saturday on which people work
        ("2026-10-09T23:00:00", "2026-10-10T08:00:00"),
        ("2026-09-20T07:00:00", "2026-09-20T08:00:00"),  # a working Sunday, before eight
    ],
)
def test_quiet_hours_and_days_off_wait_for_the_next_opening(moment: str, opening: str) -> None:
    found = sendable_at(at(moment), CALENDAR)
    assert (found.at, found.assumed) == (at(opening), False)
    assert is_quiet(at(moment), CALENDAR) == (moment != opening)


def test_the_hours_are_those_of_the_portal_whatever_the_zone_of_the_moment() -> None:
    moment = datetime.fromisoformat("2026-09-28T00:30:00+00:00")  # 08:30 in Lianyungang
    assert sendable_at(moment, CALENDAR).at == moment


@pytest.mark.parametrize(
    ("moment", "opening"),
    [("2031-06-07T12:00", "2031-06-09T08:00"), ("2031-06-09T12:00", "2031-06-09T12:00")],
)
def test_a_year_without_calendar_goes_by_the_weekday_and_says_so(moment: str, opening: str) -> None:
    assert CALENDAR.years.get(2031) is None
    assert sendable_at(at(moment), CALENDAR) == (at(opening), True)


def test_the_last_evening_of_the_calendar_waits_for_a_morning_that_is_assumed() -> None:
    last = max(CALENDAR.years)
    found = sendable_at(at(f"{last}-12-31T23:00"), CALENDAR)
    assert found.assumed
    assert found.at.date() > date(last, 12, 31)


def test_retries_back_off_to_two_hours_and_give_up_after_about_a_day() -> None:
    delays = [retry_delay(failures, 0.0) for failures in range(1, MAX_ATTEMPTS)]
    assert delays[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert delays == sorted(delays)
    assert max(delays) == timedelta(hours=2)
    assert timedelta(hours=22) < sum(delays, timedelta()) < timedelta(hours=26)


def test_the_spread_moves_a_retry_by_a_fifth_at_most() -> None:
    assert retry_delay(1, 1.0) == timedelta(seconds=36)
    assert retry_delay(1, -1.0) == timedelta(seconds=24)
    assert retry_delay(500, 1.0) == timedelta(hours=2) * 1.2


@pytest.mark.parametrize(("characters", "expected"), [(0, 1), (60, 1), (61, 2), (124, 2), (125, 3), (191, 3), (192, 4)])
def test_an_sms_is_counted_with_its_signature(settings: Settings, characters: int, expected: int) -> None:
    settings.SMS_SIGNATURE = "【连云港审管联动】"[:5] + "审管联动】"
    assert len(settings.SMS_SIGNATURE) == 10
    assert segments("字" * characters) == Length(characters + 10, expected)


def test_an_emoji_takes_two_characters(settings: Settings) -> None:
    settings.SMS_SIGNATURE = ""
    assert segments("🙂" * 35) == Length(70, 1)
    assert segments("🙂" * 36).segments == 2
