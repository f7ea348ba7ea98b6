"""From when a breach may be repaired and until when it is shown: to the day, over two versions of the rules."""

from __future__ import annotations

import datetime as dt

import pytest

from credit import rules
from credit.models import RuleVersion
from tests.conftest import Moment
from tests.credit import facts as make

pytestmark = pytest.mark.django_db
LATER = dt.date(2028, 3, 1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture
def later() -> RuleVersion:
    """A second version, in force from 2028-03-01: minor ones are shown for a month, general ones up to two years."""
    levels = {"minor": [True, 0, 1], "general": [True, 6, 24], "serious": [True, 12, 60]}
    return RuleVersion.objects.create(starts_on=LATER, name="第二版", basis="演示", levels=levels)


@pytest.mark.parametrize(
    ("found", "level", "repair_from", "shown_until"),
    [
        # The first version. The day of the finding is not counted; the last day is the corresponding one.
        ("2026-04-01", "general", "2026-07-02", "2027-04-01"),
        ("2026-04-01", "serious", "2027-04-02", "2029-04-01"),
        ("2026-04-01", "minor", "2026-04-01", None),
        ("2026-09-28", "general", "2026-12-29", "2027-09-28"),
        # No corresponding day: the last of the month.
        ("2026-11-30", "general", "2027-03-01", "2027-11-30"),
        ("2027-11-30", "general", "2028-03-01", "2028-11-30"),
        ("2027-08-31", "general", "2027-12-01", "2028-08-31"),
        # Leap years: 29 February itself, and years after one without.
        ("2028-02-29", "general", "2028-05-30", "2029-02-28"),
        ("2028-02-29", "serious", "2029-03-01", "2031-02-28"),
        ("2027-02-28", "serious", "2028-02-29", "2030-02-28"),
        ("2028-02-28", "general", "2028-05-29", "2029-02-28"),
        # Found before the rules began: by the first version there is.
        ("2026-03-31", "general", "2026-07-01", "2027-03-31"),
        ("2024-02-29", "serious", "2025-03-01", "2027-02-28"),
        # The second version from its first day on; what was found the day before keeps the first.
        ("2028-03-01", "general", "2028-09-02", "2030-03-01"),
        ("2028-03-01", "minor", "2028-03-01", "2028-04-01"),
        ("2032-02-29", "serious", "2033-03-01", "2037-02-28"),
        ("2029-01-31", "minor", "2029-01-31", "2029-02-28"),
        ("2029-08-31", "general", "2030-03-01", "2031-08-31"),
    ],
)
def test_periods_to_the_day(later: RuleVersion, found: str, level: str, repair_from: str, shown_until: str) -> None:
    version = rules.in_force(rules.versions(), day(found))
    assert version.name == ("第二版" if day(found) >= LATER else rules.FIRST.name)
    span = rules.periods(version, level, day(found))
    assert span.repair_from == day(repair_from)
    assert span.shown_until == (day(shown_until) if shown_until else None)


@pytest.mark.parametrize(
    ("found", "rule", "shown_until"),
    [("2026-09-19T23:30", rules.FIRST.name, "2029-09-19"), ("2026-09-20T00:30", "秋季版", "2031-09-20")],
)
def test_a_record_has_the_rules_of_the_local_day_of_its_finding(
    city: None, clock: Moment, found: str, rule: str, shown_until: str
) -> None:
    """Half an hour past midnight in Lianyungang is still the day before in UTC; decided weeks later all the same."""
    levels = {"minor": [False, 0, 0], "general": [True, 6, 24], "serious": [True, 12, 60]}
    RuleVersion.objects.create(starts_on=day("2026-09-20"), name="秋季版", basis="演示", levels=levels)
    record = make.recorded(clock, found_at=dt.datetime.fromisoformat(f"{found}+08:00"))
    assert (record.rule, record.shown_until) == (rule, day(shown_until))
