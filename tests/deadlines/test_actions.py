"""Starting, meeting and cancelling clocks; what the database refuses."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from deadlines.actions import Start, cancel_deadline, meet_deadline, meet_many, start_deadline, start_many
from deadlines.arithmetic import Calendar
from deadlines.enums import Act, EventKind, Light, State, Unit, YearStatus
from deadlines.errors import ChangedMeanwhile, DeadlineError, TransitionNotAllowed
from deadlines.explaining import explain_many
from deadlines.kinds import KindCode
from deadlines.models import Alarm, CalendarYear, ClockEvent, Day, Deadline, TrainingClock
from deadlines.notice import read_notices
from deadlines.provisional import build_days
from deadlines.publishing import Outcome, install_year
from deadlines.recompute import recompute_year
from deadlines.timeline import derive_due
from ledger.models import Entry
from tests.deadlines.conftest import at

pytestmark = pytest.mark.django_db


def acknowledge(text: str = "2026-11-23 10:00", **more: Any) -> Deadline:
    return start_deadline(KindCode.ACKNOWLEDGE, at=at(text), stream="task:1", **more)


def test_a_clock_starts_by_its_kind(calendar: Calendar) -> None:
    clock = acknowledge()
    clock.refresh_from_db()
    assert (clock.length, clock.unit, clock.due_on) == (3, Unit.WORKING, date(2026, 11, 26))
    assert (clock.next_alarm_stage, clock.next_alarm_at) == (-1, at("2026-11-25 09:00"))
    assert (clock.provisional, clock.calendar_version) == (False, "2026.1")
    assert derive_due(clock.events.all(), calendar) == clock.due_on
    entry = Entry.objects.get(stream="task:1")
    assert (entry.act, entry.data["due_on"]) == (Act.DEADLINE_STARTED, "2026-11-26")


def test_alarms_that_are_past_at_the_start_do_not_ring(calendar: Calendar) -> None:
    clock = acknowledge("2026-11-23 10:00", length=1)
    assert (clock.next_alarm_stage, clock.next_alarm_at) == (0, at("2026-11-24 09:00"))
    overdue = acknowledge("2026-11-02 10:00", length=1)
    assert overdue.due_on == date(2026, 11, 3)


def test_a_fixed_day_off_rings_before_and_after_it(calendar: Calendar) -> None:
    clock = start_deadline(
        KindCode.PLANNED_FINISH, at=at("2026-11-23 10:00"), stream="task:1", fixed_on=date(2026, 11, 29)
    )
    assert clock.due_on == date(2026, 11, 29)
    assert (clock.next_alarm_stage, clock.next_alarm_at) == (-1, at("2026-11-27 09:00"))
    clock.plan_alarm(at("2026-11-27 09:30"), calendar)
    assert (clock.next_alarm_stage, clock.next_alarm_at) == (1, at("2026-11-30 09:00"))
    assert [line.day.day for line in clock.explain()] == [23, 29]


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (KindCode.PLANNED_FINISH, {}),
        (KindCode.PLANNED_FINISH, {"fixed_on": date(2026, 11, 22)}),
        (KindCode.DECISION_PROMISED, {}),
        (KindCode.ACKNOWLEDGE, {"length": -1}),
        (KindCode.ACKNOWLEDGE, {"fixed_on": date(2026, 12, 1)}),
    ],
)
def test_a_start_that_makes_no_sense_is_refused_in_words(
    calendar: Calendar, kind: KindCode, more: dict[str, Any]
) -> None:
    with pytest.raises(DeadlineError, match="：(请给出不早于|期限至少为 1)"):
        start_deadline(kind, at=at("2026-11-23 10:00"), stream="task:1", **more)
    assert not Deadline.objects.exists()


def test_a_missing_year_neither_crashes_nor_goes_unsaid(calendar: Calendar) -> None:
    clock = acknowledge("2027-12-30 10:00")
    assert (clock.due_on, clock.provisional, clock.calendar_version) == (date(2028, 1, 4), True, "2027.1p+2028.0p")
    assert "2027、2028 年的节假日安排尚未发布" in clock.provisional_note()
    assert all(line.provisional for line in clock.explain())


def test_done_in_time_is_met_and_done_late_is_missed(calendar: Calendar) -> None:
    clock = meet_deadline(acknowledge(), at=at("2026-11-26 23:59"))
    late = meet_deadline(acknowledge(), at=at("2026-11-27 00:01"))
    clock.refresh_from_db()
    late.refresh_from_db()
    assert (clock.state, late.state) == (State.MET, State.MISSED)
    assert (clock.next_alarm_at, clock.next_alarm_stage, clock.closed_at) == (None, None, at("2026-11-26 23:59"))
    assert [event.kind for event in late.events.all()] == [EventKind.START, EventKind.MISSED]
    acts = Entry.objects.filter(stream="task:1").order_by("seq").values_list("act", flat=True)
    assert list(acts) == [Act.DEADLINE_STARTED, Act.DEADLINE_MET, Act.DEADLINE_STARTED, Act.DEADLINE_MISSED]


def test_a_closed_clock_cannot_be_closed_again(calendar: Calendar) -> None:
    clock = meet_deadline(acknowledge(), at=at("2026-11-24 10:00"))
    with pytest.raises(TransitionNotAllowed, match="已是“按期完成”"):
        cancel_deadline(clock, at=at("2026-11-24 11:00"), reason="withdrawn")


def test_the_second_of_two_who_read_the_same_clock_is_refused_and_writes_nothing(calendar: Calendar) -> None:
    mine = acknowledge()
    theirs = Deadline.objects.get(pk=mine.pk)
    meet_deadline(mine, at=at("2026-11-24 10:00"))
    with pytest.raises(ChangedMeanwhile, match="刷新"):
        cancel_deadline(theirs, at=at("2026-11-24 10:00"), reason="withdrawn")
    assert Deadline.objects.get().state == State.MET
    assert ClockEvent.objects.count() == 2


def test_a_cancel_needs_a_reason(calendar: Calendar) -> None:
    with pytest.raises(DeadlineError, match="原因"):
        cancel_deadline(acknowledge(), at=at("2026-11-24 10:00"), reason=" ")


def test_the_caller_may_write_the_ledger_itself(calendar: Calendar) -> None:
    clock = acknowledge(record=False)
    meet_deadline(clock, at=at("2026-11-24 10:00"), record=False)
    assert not Entry.objects.filter(stream="task:1").exists()


@pytest.mark.parametrize("count", [1, 40])
def test_statements_do_not_grow_with_the_clocks(calendar: Calendar, count: int) -> None:
    starts = [Start(KindCode.FEEDBACK, f"task:{n}", fresh=True) for n in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as started:
        clocks = start_many(starts, at=at("2026-11-23 10:00"))
    with CaptureQueriesContext(connection) as met:
        meet_many(clocks, at=at("2026-11-24 10:00"))
    assert (len(statements(started)), len(statements(met))) == (4, 4)


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]


# --- lights


@pytest.mark.parametrize(
    ("on", "left", "light", "text"),
    [
        ("2026-11-23", 5, Light.GREEN, "剩 5 个工作日"),
        ("2026-11-26", 2, Light.GREEN, "剩 2 个工作日"),
        ("2026-11-27", 1, Light.YELLOW, "剩 1 个工作日"),
        ("2026-11-29", 1, Light.YELLOW, "剩 1 个工作日"),
        ("2026-11-30", 0, Light.YELLOW, "今天到期"),
        ("2026-12-01", -1, Light.RED, "已超期 1 个工作日"),
        ("2026-12-05", -4, Light.RED, "已超期 4 个工作日"),
    ],
)
def test_the_light_of_five_working_days(calendar: Calendar, on: str, left: int, light: Light, text: str) -> None:
    clock = start_deadline(KindCode.FEEDBACK, at=at("2026-11-23 10:00"), stream="task:1")
    day = date.fromisoformat(on)
    assert (clock.days_left(day), clock.light(day), clock.light_text(day)) == (left, light, text)
    assert clock.is_overdue(day) is (left < 0)


def test_a_twentieth_day_turns_yellow_at_a_fifth(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.DECISION_STATUTORY, at=at("2026-11-02 10:00"), stream="case:1")
    assert clock.due_on == date(2026, 11, 30)
    assert clock.light(date(2026, 11, 23)) == Light.GREEN
    assert clock.light(date(2026, 11, 24)) == Light.YELLOW


def test_overdue_on_a_day_off_is_at_least_one(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.FEEDBACK, at=at("2026-11-20 10:00"), stream="task:1")
    assert clock.due_on == date(2026, 11, 27)
    assert (clock.days_left(date(2026, 11, 28)), clock.light(date(2026, 11, 28))) == (-1, Light.RED)


def test_closed_clocks_keep_their_word(calendar: Calendar) -> None:
    later = date(2027, 3, 1)
    met = meet_deadline(acknowledge(), at=at("2026-11-24 10:00"))
    missed = meet_deadline(acknowledge(), at=at("2026-12-24 10:00"))
    gone = cancel_deadline(acknowledge(), at=at("2026-11-24 10:00"), reason="withdrawn")
    assert [c.light(later) for c in (met, missed, gone)] == [Light.GREEN, Light.RED, Light.GREY]
    assert [c.light_text(later) for c in (met, missed, gone)] == ["按期完成", "逾期完成", "已取消"]


def test_the_panel_says_when_why_and_how_sure(calendar: Calendar) -> None:
    clock = acknowledge("2026-12-30 10:00")
    today = date(2026, 12, 31)
    explain = explain_many([clock], today)[clock.pk]
    page = render_to_string("deadlines/_panel.html", {"deadline": clock, "explain": explain, "today": today})
    assert "2027年1月5日（周二）" in page
    assert "light-green" in page
    assert "为什么是这一天" in page
    assert "元旦放假（暂定）" in page
    assert "2027 年的节假日安排尚未发布" in page
    plain = render_to_string("deadlines/_panel.html", {"deadline": clock, "today": date(2026, 12, 31)})
    assert "为什么是这一天" not in plain


# --- the calendar in place, and what it moves


def test_a_year_put_in_place_twice_changes_nothing(calendar: Calendar) -> None:
    notice = read_notices()[2026]
    arguments: dict[str, Any] = {"source": notice.source, "at": at("2026-11-23 10:00")}
    outcome = install_year(2026, notice.days(), status=YearStatus.OFFICIAL, **arguments)
    assert outcome is Outcome.UNCHANGED
    assert install_year(2026, build_days(2026, off={}, makeup={}), status=YearStatus.PROVISIONAL, **arguments) is (
        Outcome.KEPT
    )
    assert install_year(2026, build_days(2026, off={}, makeup={}), status=YearStatus.OFFICIAL, **arguments) is (
        Outcome.DIFFERS
    )
    assert CalendarYear.objects.get(year=2026).version == 1
    assert Entry.objects.filter(stream="calendar:2026").count() == 1
    assert Day.objects.count() == 365 * 3
    assert Day.history.count() == 365 * 3


def test_publishing_a_year_moves_the_clocks_that_touch_it_once(calendar: Calendar) -> None:
    clock = acknowledge("2026-12-30 10:00")
    other = acknowledge("2026-11-23 10:00")
    assert (clock.due_on, clock.provisional) == (date(2027, 1, 5), True)
    off = {date(2027, 1, 1): "元旦", date(2027, 1, 4): "元旦"}
    days = build_days(2027, off=off, makeup={date(2027, 1, 9): "元旦调休"})
    moment = at("2026-11-25 08:00")
    outcome = install_year(2027, days, status=YearStatus.OFFICIAL, source="通知", at=moment)
    moves = [move for batch in recompute_year(2027, at=moment, batch=1) for move in batch]
    assert outcome is Outcome.CHANGED
    assert [(m.deadline_id, m.before, m.after) for m in moves] == [(clock.pk, date(2027, 1, 5), date(2027, 1, 6))]
    clock.refresh_from_db()
    assert (clock.due_on, clock.provisional, clock.calendar_version) == (date(2027, 1, 6), False, "2026.1+2027.2")
    assert (clock.next_alarm_at, clock.next_alarm_stage) == (at("2027-01-05 09:00"), -1)
    assert clock.events.last().data == {"from": "2027-01-05", "to": "2027-01-06", "calendar": "2026.1+2027.2"}  # type: ignore[union-attr]
    assert not any(recompute_year(2027, at=moment))
    other.refresh_from_db()
    assert other.revision == 1


def test_a_recompute_keeps_an_alarm_that_has_not_rung_yet(calendar: Calendar) -> None:
    clock = acknowledge("2026-12-30 10:00")
    assert clock.next_alarm_at == at("2027-01-04 09:00")
    days = build_days(2027, off={date(2027, 1, 1): "元旦"}, makeup={date(2027, 1, 9): "元旦调休"})
    moment = at("2027-01-04 09:00")
    install_year(2027, days, status=YearStatus.OFFICIAL, source="通知", at=moment)
    list(recompute_year(2027, at=moment))
    clock.refresh_from_db()
    assert (clock.next_alarm_stage, clock.next_alarm_at) == (-1, at("2027-01-04 09:00"))


# --- what the database refuses


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("deadline_(state_known|alarm_only_running)", {"state": "asleep"}),
        ("deadline_due_after_start", {"due_on": date(2026, 11, 22)}),
        ("deadline_length_fits_unit", {"length": None}),
        ("deadline_length_fits_unit", {"length": 0}),
        ("deadline_length_fits_unit", {"unit": "fixed"}),
        ("deadline_closed_has_time", {"state": "met", "next_alarm_at": None, "next_alarm_stage": None}),
        ("deadline_closed_has_time", {"closed_at": at("2026-11-24 10:00")}),
        ("deadline_alarm_only_running", {"next_alarm_at": None}),
        ("deadline_alarm_only_running", {"next_alarm_stage": None}),
        ("deadline_alarm_only_running", {"state": "paused"}),
    ],
)
def test_the_database_refuses_a_clock_that_cannot_be(
    calendar: Calendar, constraint: str, values: dict[str, Any]
) -> None:
    clock = acknowledge()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Deadline.objects.filter(pk=clock.pk).update(**values)


def test_the_database_refuses_a_second_event_of_one_number_and_a_second_start(calendar: Calendar) -> None:
    clock = acknowledge()
    moment = at("2026-11-24 10:00")
    with pytest.raises(IntegrityError), transaction.atomic():
        ClockEvent.objects.create(deadline=clock, seq=1, kind=EventKind.START, at=moment)
    with pytest.raises(IntegrityError, match="clock_event_starts_first"), transaction.atomic():
        ClockEvent.objects.create(deadline=clock, seq=2, kind=EventKind.START, at=moment)


def test_the_database_refuses_an_alarm_twice(calendar: Calendar) -> None:
    clock = acknowledge()
    first = {"deadline": clock, "due_on": clock.due_on, "stage": 0, "fired_at": at("2026-11-26 09:00")}
    Alarm.objects.create(**first)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alarm.objects.create(**first)
    with pytest.raises(IntegrityError, match="alarm_spoken_by_newer"), transaction.atomic():
        Alarm.objects.create(**first | {"stage": 3}, spoken_by=2)


def test_the_database_refuses_a_working_holiday_and_a_nameless_one(calendar: Calendar) -> None:
    with pytest.raises(IntegrityError, match="day_kind_fits_working"), transaction.atomic():
        Day.objects.filter(day="2026-10-01").update(is_working=True)
    with pytest.raises(IntegrityError, match="day_special_has_name"), transaction.atomic():
        Day.objects.filter(day="2026-10-01").update(name="")


def test_the_database_refuses_a_second_training_clock(calendar: Calendar) -> None:
    with pytest.raises(IntegrityError, match="training_clock_single"), transaction.atomic():
        TrainingClock.objects.create(pk=2, moved_at=at("2026-11-23 10:00"))


def test_a_written_day_is_certain_in_a_year_that_nobody_published(calendar: Calendar) -> None:
    clock = start_deadline(
        KindCode.PLANNED_FINISH, at=at("2027-12-29 10:00"), stream="task:1", fixed_on=date(2028, 1, 5)
    )
    assert (clock.due_on, clock.provisional, clock.calendar_version) == (date(2028, 1, 5), False, "2027.1p+2028.0p")
    assert clock.provisional_note() == ""
    assert not any(line.provisional for line in clock.explain())
    Deadline.objects.filter(pk=clock.pk).update(provisional=True)  # as it was written before
    clock.refresh_from_db()
    assert clock.provisional_note() == ""
