"""The one source of time, and its training offset."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core.checks.registry import registry as registered_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from deadlines import clock, registry
from deadlines.arithmetic import Calendar
from deadlines.checks import every_alarm_is_answered, every_kind_has_its_row, training_stays_out_of_production
from deadlines.enums import Act
from deadlines.errors import ClockError
from deadlines.kinds import KINDS, KindCode
from deadlines.models import TrainingClock
from ledger.models import Entry
from tests.deadlines.conftest import Heard, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def training(settings: Settings) -> None:
    settings.TRAINING_ALLOWED = True


def near(moment: datetime) -> bool:
    return timedelta(0) <= clock.now() - moment < timedelta(seconds=30)


def test_without_training_the_clock_is_the_real_one_and_asks_nobody(settings: Settings) -> None:
    settings.TRAINING_ALLOWED = False
    TrainingClock.objects.create(offset=timedelta(days=9), moved_at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        assert near(timezone.now() - timedelta(seconds=1))
    assert not captured.captured_queries
    with pytest.raises(ClockError, match="未开启演练"):
        clock.jump_to(timezone.now() + timedelta(days=1), None)
    with pytest.raises(ClockError, match="未开启演练"):
        clock.reset(None)


def test_a_jump_carries_now_and_is_on_the_ledger(training: None) -> None:
    target = timezone.now() + timedelta(days=40)
    clock.jump_to(target, None)
    assert near(target)
    assert clock.today() == clock.local_date(target)
    assert Entry.objects.get(stream=clock.STREAM).act == Act.CLOCK_JUMPED


def test_it_never_goes_backwards_except_by_reset(training: None) -> None:
    real = timezone.now()
    clock.jump_to(real + timedelta(days=3), None)
    with pytest.raises(ClockError, match="只能向前"):
        clock.jump_to(real + timedelta(days=2), None)
    with pytest.raises(ClockError, match="时区"):
        clock.jump_to(datetime(2030, 1, 1), None)  # noqa: DTZ001 - the point of the test
    assert near(real + timedelta(days=3))
    clock.reset(None)
    assert near(real)
    assert [e.act for e in Entry.objects.filter(stream=clock.STREAM).order_by("seq")] == [
        Act.CLOCK_JUMPED,
        Act.CLOCK_RESET,
    ]
    assert TrainingClock.objects.count() == 1


def test_the_next_working_morning_is_nine_of_a_working_day(calendar: Calendar, training: None) -> None:
    assert clock.next_working_morning(at("2026-09-30 10:00")) == at("2026-10-08 09:00")
    assert clock.next_working_morning(at("2026-10-09 09:00")) == at("2026-10-10 09:00")
    before = clock.now()
    reached = clock.jump_to_next_working_morning(None)
    assert reached > before
    assert clock.local_date(reached) == clock.today()
    assert reached == clock.next_working_morning(before)


def test_the_day_is_the_one_of_shanghai() -> None:
    assert clock.local_date(datetime.fromisoformat("2026-09-28T17:00:00+00:00")) == date(2026, 9, 29)


def test_production_with_the_training_clock_fails_the_check(settings: Settings) -> None:
    settings.PORTAL_MODE, settings.TRAINING_ALLOWED = "production", True
    assert [error.id for error in training_stays_out_of_production()] == ["deadlines.E001"]
    assert {training_stays_out_of_production, every_alarm_is_answered} <= set(registered_checks.get_checks())
    settings.TRAINING_ALLOWED = False
    assert training_stays_out_of_production() == []


def test_a_kind_that_nobody_answers_fails_the_check(heard: Heard) -> None:
    assert every_alarm_is_answered() == []
    with registry.handlers({}, without=[KindCode.FEEDBACK]):
        assert [(m.id, "feedback" in str(m.msg)) for m in every_alarm_is_answered()] == [("deadlines.E002", True)]


def test_every_kind_has_a_row_with_a_legal_basis() -> None:
    assert every_kind_has_its_row() == []
    assert all(kind.legal_basis and kind.addressees and kind.owner for kind in KINDS.values())
    lengths = {code: KINDS[code].length for code in KindCode}
    assert lengths[KindCode.DECISION_STATUTORY] == 20
    assert lengths[KindCode.CORRECTION_NOTICE] == 5
    assert lengths[KindCode.ISSUE] == 10
    assert lengths[KindCode.ACKNOWLEDGE] == 3
    assert lengths[KindCode.FEEDBACK] == 5


def test_two_handlers_for_one_kind_are_refused(heard: Heard) -> None:
    registry.register(KindCode.ISSUE, heard)
    with pytest.raises(Exception, match="already have a handler"):
        registry.register(KindCode.ISSUE, lambda notices, now: None)
