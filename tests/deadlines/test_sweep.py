"""Alarms ring once, at the right stage, and one bad row stops nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from deadlines import calendar as working_calendar
from deadlines import clock, owners, registry, tasks
from deadlines.actions import Start, cancel_deadline, meet_deadline, start_deadline, start_many
from deadlines.alarms import next_opening, stage_on
from deadlines.arithmetic import Calendar
from deadlines.enums import State
from deadlines.kinds import KindCode
from deadlines.models import Alarm, Deadline
from deadlines.registry import AlarmNotice
from deadlines.sweep import SweepReport, sweep
from offices.models import User
from tests.deadlines.conftest import Heard, at

WEEK = ["2026-11-25 09:00", "2026-11-26 09:00", "2026-11-27 09:00", "2026-11-30 09:00"]


def acknowledge(stream: str = "task:1", text: str = "2026-11-23 10:00") -> Deadline:
    """Due on Thursday 2026-11-26."""
    return start_deadline(KindCode.ACKNOWLEDGE, at=at(text), stream=stream)


@pytest.mark.django_db
def test_the_day_before_the_day_and_each_working_day_after(calendar: Calendar, heard: Heard) -> None:
    acknowledge()
    assert sweep(at("2026-11-24 17:59")).fired == 0
    for moment in WEEK:
        assert sweep(at(moment)).fired == 1
        assert sweep(at(moment)).fired == 0
    assert [stage for _, stage, _ in heard.notices] == [-1, 0, 1, 2]
    assert list(Alarm.objects.order_by("stage").values_list("stage", "spoken_by")) == [
        (-1, None), (0, None), (1, None), (2, None)
    ]  # fmt: skip


@pytest.mark.parametrize("moment", ["2026-11-25 08:59", "2026-11-25 18:00", "2026-11-28 10:00", "2026-10-01 10:00"])
@pytest.mark.django_db
def test_nothing_rings_outside_working_time(calendar: Calendar, heard: Heard, moment: str) -> None:
    acknowledge(text="2026-09-21 10:00")
    assert sweep(at(moment)).outside_hours
    assert not heard.notices


@pytest.mark.django_db
def test_a_make_up_saturday_rings(calendar: Calendar, heard: Heard) -> None:
    clock = acknowledge(text="2026-09-29 10:00")
    assert clock.due_on == date(2026, 10, 9)
    sweep(at("2026-10-09 09:00"))
    sweep(at("2026-10-10 09:00"))
    assert [stage for _, stage, _ in heard.notices] == [0, 1]


@pytest.mark.django_db
def test_after_an_outage_the_newest_stage_speaks_for_the_missed_ones(calendar: Calendar, heard: Heard) -> None:
    acknowledge()
    report = sweep(at("2026-11-30 11:00"))
    assert (report.fired, report.missed) == (1, 3)
    assert heard.notices == [("task:1", 2, (-1, 0, 1))]
    assert list(Alarm.objects.order_by("stage").values_list("stage", "spoken_by")) == [
        (-1, 2), (0, 2), (1, 2), (2, None)
    ]  # fmt: skip
    assert sweep(at("2026-12-01 09:00")).missed == 0
    assert heard.notices[-1] == ("task:1", 3, ())


@pytest.mark.django_db
def test_ended_clocks_are_silent(calendar: Calendar, heard: Heard) -> None:
    meet_deadline(acknowledge(), at=at("2026-11-24 10:00"))
    cancel_deadline(acknowledge(), at=at("2026-11-24 10:00"), reason="withdrawn")
    sweep(at("2026-11-30 11:00"))
    assert not heard.notices


@pytest.mark.django_db
def test_a_clock_set_back_an_hour_rings_nothing_twice(calendar: Calendar, heard: Heard) -> None:
    clock = acknowledge()
    sweep(at("2026-11-25 09:30"))
    clock.refresh_from_db()
    clock.plan_alarm(at("2026-11-25 08:30"), calendar)
    clock.save()
    report = sweep(at("2026-11-25 09:30"))
    assert (report.fired, report.failed, len(heard.notices)) == (0, [], 1)
    clock.refresh_from_db()
    assert clock.next_alarm_at == at("2026-11-26 09:00")


@pytest.mark.django_db
def test_a_moved_due_date_rings_its_own_stages(calendar: Calendar, heard: Heard) -> None:
    clock = acknowledge()
    sweep(at("2026-11-25 09:00"))
    clock.refresh_from_db()
    clock.due_on = date(2026, 11, 30)
    clock.plan_alarm(at("2026-11-25 10:00"), calendar)
    clock.save()
    sweep(at("2026-11-27 09:00"))
    assert [stage for _, stage, _ in heard.notices] == [-1, -1]


@pytest.mark.django_db
def test_a_poison_row_is_pushed_back_and_the_rest_rings(calendar: Calendar, heard: Heard) -> None:
    for number in range(5):
        acknowledge(f"task:{number}")

    def refuses_one(notices: Sequence[AlarmNotice], now: datetime) -> None:
        if any(notice.stream == "task:3" for notice in notices):
            raise RuntimeError("张三 13812341234")
        heard(notices, now)

    now = at("2026-11-25 09:00")
    with registry.handlers({KindCode.ACKNOWLEDGE: refuses_one}):
        report = sweep(now)
    assert (report.fired, len(report.failed)) == (4, 1)
    assert sorted(stream for stream, _, _ in heard.notices) == ["task:0", "task:1", "task:2", "task:4"]
    bad = Deadline.objects.get(stream="task:3")
    assert (bad.alarm_failures, bad.next_alarm_at, bad.next_alarm_stage) == (1, now + timedelta(minutes=15), -1)
    assert bad.alarm_error.startswith("RuntimeError @ refuses_one:")
    assert "138" not in bad.alarm_error
    assert not bad.alarms.exists()
    # Mended, it rings with the next stage that is due and forgets its failure.
    assert sweep(now + timedelta(minutes=14)).fired == 0
    assert sweep(now + timedelta(minutes=15)).fired == 1
    bad.refresh_from_db()
    assert (bad.alarm_error, bad.alarm_failures, bad.next_alarm_stage) == ("", 0, 0)


@pytest.mark.django_db
def test_a_failing_handler_leaves_nothing_of_its_own_behind(calendar: Calendar) -> None:
    acknowledge()

    def writes_and_fails(notices: Sequence[AlarmNotice], now: datetime) -> None:
        cancel_deadline(Deadline.objects.get(pk=notices[0].deadline_id), at=now, reason="half done")
        raise KeyError("x")

    with registry.handlers({KindCode.ACKNOWLEDGE: writes_and_fails}):
        assert len(sweep(at("2026-11-25 09:00")).failed) == 1
    assert Deadline.objects.get().state == State.RUNNING


@pytest.mark.django_db
def test_a_kind_without_a_handler_is_reported_not_lost(calendar: Calendar) -> None:
    clock = acknowledge()
    with registry.handlers({}, without=[KindCode.ACKNOWLEDGE]):
        report = sweep(at("2026-11-25 09:00"))
    assert [(f.deadline_id, f.stage) for f in report.failed] == [(clock.pk, -1)]
    assert "ImproperlyConfigured" in report.failed[0].error


@pytest.mark.django_db
def test_a_lost_database_is_not_a_bad_row(calendar: Calendar) -> None:
    acknowledge()

    def loses_it(notices: Sequence[AlarmNotice], now: datetime) -> None:
        raise OperationalError("server closed the connection")

    with registry.handlers({KindCode.ACKNOWLEDGE: loses_it}), pytest.raises(OperationalError):
        sweep(at("2026-11-25 09:00"))
    assert Deadline.objects.get().alarm_failures == 0
    assert not Alarm.objects.exists()


@pytest.mark.django_db
def test_a_batch_costs_the_same_for_one_row_and_for_many(calendar: Calendar, heard: Heard) -> None:
    counts = []
    for number, size in enumerate((1, 60)):
        starts = [Start(KindCode.ACKNOWLEDGE, f"task:{number}:{n}", fresh=True) for n in range(size)]
        start_many(starts, at=at("2026-11-23 10:00") + timedelta(days=7 * number))
        with CaptureQueriesContext(connection) as captured:
            report = sweep(at("2026-11-25 09:00") + timedelta(days=7 * number))
        assert report.fired >= size
        counts.append(len([q for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]))
    assert counts[0] == counts[1]
    assert counts[0] <= 6


@pytest.mark.django_db
def test_an_empty_sweep_asks_two_questions(calendar: Calendar) -> None:
    with CaptureQueriesContext(connection) as captured:
        sweep(at("2026-11-25 09:00"))
    assert len(captured.captured_queries) == 2


@pytest.mark.django_db
def test_more_rows_than_a_batch_all_ring(calendar: Calendar, heard: Heard) -> None:
    start_many([Start(KindCode.FEEDBACK, f"task:{n}", fresh=True) for n in range(25)], at=at("2026-11-23 10:00"))
    report = sweep(at("2026-11-30 09:00"), batch=10)
    assert (report.fired, report.batches) == (25, 3)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_ring_each_alarm_once(load_years: Callable[[], None], heard: Heard) -> None:
    """SQLite takes turns, PostgreSQL passes over what the other holds; either way nobody hears twice."""
    load_years()
    start_many([Start(KindCode.FEEDBACK, f"task:{n}", fresh=True) for n in range(60)], at=at("2026-11-23 10:00"))
    gate = threading.Barrier(2)
    reports: list[SweepReport] = []

    def run() -> None:
        gate.wait(10)
        reports.append(sweep(at("2026-11-30 09:00"), batch=7))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(report.fired for report in reports) == 60
    assert len({stream for stream, _, _ in heard.notices}) == len(heard.notices) == 60
    assert Alarm.objects.filter(spoken_by__isnull=True).count() == 60


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_sweep_with_two_hands_rings_everything_once(
    load_years: Callable[[], None], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three clocks an owner: whose owner one hand holds, the other leaves, and none is left in the end."""
    load_years()
    User.objects.bulk_create([User(pk=n, username=str(n), phone="", phone_hash="") for n in range(60)])
    monkeypatch.setitem(owners._owners, "task", User.objects.all)
    kinds = (KindCode.FEEDBACK, KindCode.ACKNOWLEDGE, KindCode.FOLLOW_UP)
    starts = [Start(kind, f"task:{n}", fresh=kind == kinds[0]) for kind in kinds for n in range(60)]
    start_many(starts, at=at("2026-11-23 10:00"))
    both, inside = threading.Barrier(2), set[int]()

    def slow(notices: Sequence[AlarmNotice], now: datetime) -> None:
        if threading.get_ident() not in inside:
            inside.add(threading.get_ident())
            both.wait(20)
        heard(notices, now)

    with registry.handlers(dict.fromkeys(kinds, slow)):
        report = sweep(at("2026-12-14 09:00"), batch=7, hands=2)
    assert len(inside) == 2, "both hands rang"
    assert report.fired == len(heard.notices) == 180
    assert Alarm.objects.filter(spoken_by__isnull=True).count() == 180
    assert not Deadline.objects.ringing(at("2026-12-14 09:00")).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_hand_that_fails_ends_the_sweep_and_loses_nothing(load_years: Callable[[], None], heard: Heard) -> None:
    load_years()
    start_many([Start(KindCode.FEEDBACK, f"task:{n}", fresh=True) for n in range(40)], at=at("2026-11-23 10:00"))
    now, main = at("2026-11-30 09:00"), threading.get_ident()
    first = threading.Event()

    def breaks(notices: Sequence[AlarmNotice], moment: datetime) -> None:
        if threading.get_ident() != main:
            first.set()
            raise OperationalError("the connection is gone")
        if Alarm.objects.exists() and heard.notices:
            first.wait(20)
        heard(notices, moment)

    with registry.handlers({KindCode.FEEDBACK: breaks}), pytest.raises(OperationalError):
        sweep(now, batch=5, hands=2)
    assert Deadline.objects.ringing(now).count() + len(heard.notices) == 40
    with registry.handlers({KindCode.FEEDBACK: heard}):
        sweep(now, batch=5, hands=2)
    assert len({stream for stream, _, _ in heard.notices}) == len(heard.notices) == 40


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_another_sweep_holds_is_passed_over_without_waiting(load_years: Callable[[], None], heard: Heard) -> None:
    load_years()
    start_many([Start(KindCode.FEEDBACK, f"task:{n}", fresh=True) for n in range(20)], at=at("2026-11-23 10:00"))
    inside, finish = threading.Event(), threading.Event()
    now = at("2026-11-30 09:00")

    def waits(notices: Sequence[AlarmNotice], at: datetime) -> None:
        heard(notices, at)
        inside.set()
        finish.wait(20)

    def hold() -> None:
        sweep(now, batch=12)
        connections.close_all()

    with registry.handlers({KindCode.FEEDBACK: waits}):
        holder = threading.Thread(target=hold)
        holder.start()
        assert inside.wait(20)
    with registry.handlers({KindCode.FEEDBACK: heard}):
        assert sweep(now, batch=12).fired == 8
        finish.set()
        holder.join(30)
    assert len({stream for stream, _, _ in heard.notices}) == len(heard.notices) == 20


def test_openings_and_stages_follow_the_working_days(shipped: Calendar) -> None:
    assert next_opening(at("2026-11-25 08:00"), shipped) == at("2026-11-25 09:00")
    assert next_opening(at("2026-11-25 09:00"), shipped) == at("2026-11-26 09:00")
    assert next_opening(at("2026-09-30 09:00"), shipped) == at("2026-10-08 09:00")
    due = date(2026, 10, 8)
    days = [date(2026, 9, 29), date(2026, 9, 30), due, date(2026, 10, 9), date(2026, 10, 10), date(2026, 10, 12)]
    assert [stage_on(due, day, shipped) for day in days] == [-2, -1, 0, 1, 2, 3]
    off = date(2026, 10, 5)
    assert [stage_on(off, day, shipped) for day in (date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 8))] == [
        -2, -1, 1
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_sweep_lives_through_a_year_that_nobody_published(calendar: Calendar, heard: Heard) -> None:
    acknowledge(text="2027-12-30 10:00")
    working_calendar.forget()
    assert sweep(at("2028-01-04 09:00")).fired == 1
    assert heard.notices[0][1] == 0


@pytest.mark.django_db
def test_the_task_rings_what_a_jump_of_the_training_clock_made_due(
    calendar: Calendar, heard: Heard, settings: Settings
) -> None:
    """Four working mornings of jumps: the day before, the day, and two days of being late; never twice."""
    settings.TRAINING_ALLOWED = True
    clock.jump_to_next_working_morning(None)
    start_deadline(KindCode.ACKNOWLEDGE, at=clock.now(), stream="task:1", length=2)
    for _ in range(4):
        clock.jump_to_next_working_morning(None)
        tasks.sweep()
        tasks.sweep()
    assert [stage for _, stage, _ in heard.notices] == [-1, 0, 1, 2]
