"""Pausing, resuming, extending and handing over: what the law gives, no day more and no day less."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from deadlines import calendar as working_calendar
from deadlines.actions import (
    Pause,
    cancel_deadline,
    extend_deadline,
    hand_over,
    meet_deadline,
    pause_many,
    resume_many,
    start_deadline,
)
from deadlines.arithmetic import Calendar
from deadlines.enums import ART_45, Act, EventKind, Light, PauseGround, State, Unit
from deadlines.errors import ChangedMeanwhile, DeadlineError, TransitionNotAllowed
from deadlines.kinds import ART_42, KINDS, KindCode
from deadlines.models import ClockEvent, Deadline
from deadlines.recompute import recompute_year
from deadlines.timeline import derive_due
from ledger.models import Entry
from offices.models import User
from tests.deadlines.conftest import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(db: None) -> User:
    found: User = User.objects.create(username="head", full_name="负责人")
    return found


def statutory(text: str = "2026-09-28 10:00", **more: Any) -> Deadline:
    """Twenty working days: over National Day 2026 (off 1–7 October, at work on Saturday the 10th) to 30 October."""
    return start_deadline(KindCode.DECISION_STATUTORY, at=at(text), stream="case:1", **more)


def pause(clock: Deadline, text: str, ground: PauseGround = PauseGround.EXPERT_REVIEW, law: str = "") -> Deadline:
    return pause_many([clock], Pause(ground, law, 8, 77), at=at(text))[0]


def fresh(clock: Deadline) -> Deadline:
    return Deadline.objects.get(pk=clock.pk)


def test_a_pause_takes_away_its_days_and_nothing_else(calendar: Calendar) -> None:
    clock = statutory()
    assert clock.due_on == date(2026, 10, 30)
    pause(clock, "2026-10-09 16:00")
    standing = fresh(clock)
    assert (standing.state, standing.next_alarm_at, standing.due_on) == (State.PAUSED, None, date(2026, 10, 30))
    assert standing.light(date(2026, 12, 1)) is Light.GREY
    assert not standing.is_overdue(date(2026, 12, 1))
    # Four days were used (29, 30 September, 8, 9 October); sixteen are left after the 20th.
    resume_many([standing], at=at("2026-10-20 09:30"))
    running = fresh(clock)
    assert (running.state, running.due_on, running.revision) == (State.RUNNING, date(2026, 11, 11), 3)
    assert running.next_alarm_at == at("2026-11-10 09:00")
    lines = running.explain(calendar)
    assert sum(line.counted for line in lines) == 20
    still = [line for line in lines if "专家评审" in line.reason]
    assert (still[0].day, still[-1].day, len(still)) == (date(2026, 10, 10), date(2026, 10, 20), 11)
    acts = Entry.objects.filter(stream="case:1").order_by("seq").values_list("act", flat=True)
    assert list(acts) == [Act.DEADLINE_STARTED, Act.DEADLINE_PAUSED, Act.DEADLINE_RESUMED]
    paused = ClockEvent.objects.get(deadline=clock, kind=EventKind.PAUSE)
    assert paused.data == {"ground": "expert_review", "law": "", "estimate": 8, "document": 77}


def test_a_clock_that_stands_still_is_explained_as_if_resumed_today(calendar: Calendar) -> None:
    clock = pause(statutory(), "2026-10-09 16:00")
    lines = clock.explain(calendar, on=date(2026, 10, 20))
    assert lines[-1].day == date(2026, 11, 11)
    assert clock.explain(calendar, on=date(2026, 10, 9))[-1].day == date(2026, 10, 30)


def test_a_pause_and_a_resume_on_one_day_take_nothing(calendar: Calendar) -> None:
    clock = pause(statutory(), "2026-10-09 10:00")
    assert resume_many([clock], at=at("2026-10-09 15:00"))[0].due_on == date(2026, 10, 30)


@pytest.mark.parametrize("ground", sorted(PauseGround))
def test_only_the_grounds_of_the_law_stop_the_statutory_clock(calendar: Calendar, ground: PauseGround) -> None:
    clock = statutory()
    if ground in ART_45:
        assert pause(clock, "2026-10-09 10:00", ground).state == State.PAUSED
        return
    with pytest.raises(DeadlineError, match="须写明是哪部法律哪一条的规定"):
        pause(clock, "2026-10-09 10:00", ground)
    assert fresh(clock).state == State.RUNNING
    assert pause(fresh(clock), "2026-10-09 10:00", ground, "《城乡规划法》第二十六条").state == State.PAUSED


def test_the_named_law_stands_in_the_explanation(calendar: Calendar) -> None:
    clock = pause(statutory(), "2026-10-09 10:00", PauseGround.NAMED_LAW, "《城乡规划法》第二十六条")
    reasons = {line.reason for line in clock.explain(calendar, on=date(2026, 10, 12))}
    assert "暂停期间（其他法律规定的事由：《城乡规划法》第二十六条）" in reasons


@pytest.mark.parametrize("kind", [k for k, row in KINDS.items() if row.stands and not row.pauses])
def test_other_clocks_never_stand_still(calendar: Calendar, kind: KindCode) -> None:
    row = KINDS[kind]
    more: dict[str, Any] = {"fixed_on": date(2026, 12, 1)} if row.unit is Unit.FIXED else {"length": row.length or 5}
    clock = start_deadline(kind, at=at("2026-11-23 10:00"), stream="task:1", **more)
    with pytest.raises(DeadlineError, match="停止计算"):
        pause(clock, "2026-11-24 10:00")


def test_a_second_pause_and_a_resume_of_nothing_are_refused(calendar: Calendar) -> None:
    clock = pause(statutory(), "2026-10-09 10:00")
    with pytest.raises(TransitionNotAllowed):
        pause(fresh(clock), "2026-10-10 10:00")
    resume_many([clock], at=at("2026-10-12 10:00"))
    with pytest.raises(TransitionNotAllowed):
        resume_many([fresh(clock)], at=at("2026-10-13 10:00"))
    assert clock.events.count() == 3


def test_what_is_late_stays_late(calendar: Calendar) -> None:
    clock = statutory()
    with pytest.raises(DeadlineError, match="已于2026-10-30届满"):
        pause(clock, "2026-10-31 09:00")
    assert fresh(clock).state == State.RUNNING
    assert pause(fresh(clock), "2026-10-30 17:00").state == State.PAUSED


def test_somebody_else_was_faster(calendar: Calendar) -> None:
    clock = statutory()
    mine, theirs = fresh(clock), fresh(clock)
    pause(theirs, "2026-10-09 10:00")
    with pytest.raises(ChangedMeanwhile):
        pause(mine, "2026-10-09 10:01")
    assert clock.events.count() == 2


def extend(clock: Deadline, days: int, text: str, by: User) -> Deadline:
    return extend_deadline(
        clock, days, longest=ART_42.longest, at=at(text), by=by, legal_basis=ART_42.legal_basis, document=5
    )


def test_an_extension_comes_once_within_the_law_and_in_time(calendar: Calendar, head: User) -> None:
    clock = statutory()
    for days in (0, 11, -1):
        with pytest.raises(DeadlineError, match="延长最多 10 个工作日（行政许可法第四十二条第一款）"):
            extend(fresh(clock), days, "2026-10-20 10:00", head)
    extend(clock, 10, "2026-10-30 17:00", head)
    longer = fresh(clock)
    assert (longer.due_on, longer.length) == (date(2026, 11, 13), 20)
    lines = longer.explain(calendar)
    assert [line.number for line in lines if "延长期内" in line.reason] == list(range(21, 31))
    with pytest.raises(DeadlineError, match="不得再次延长"):
        extend(longer, 1, "2026-11-02 10:00", head)
    with pytest.raises(IntegrityError), transaction.atomic():
        ClockEvent.objects.create(deadline=clock, seq=9, kind=EventKind.EXTEND, at=at("2026-11-02 10:00"), data={})


def test_after_its_last_day_nothing_is_extended(calendar: Calendar, head: User) -> None:
    clock = statutory()
    with pytest.raises(DeadlineError, match="期限已过"):
        extend(clock, 5, "2026-10-31 00:00", head)
    meet_deadline(clock, at=at("2026-10-30 10:00"))
    with pytest.raises(TransitionNotAllowed, match="按期完成"):
        extend(clock, 5, "2026-10-30 11:00", head)


def test_pauses_survive_an_extension_and_a_new_calendar(calendar: Calendar, head: User) -> None:
    clock = pause(statutory(), "2026-10-09 16:00")
    extend(clock, 10, "2026-10-15 10:00", head)
    resume_many([clock], at=at("2026-10-20 09:30"))
    assert fresh(clock).due_on == date(2026, 11, 25)
    assert [move for batch in recompute_year(2026, at=at("2026-10-21 10:00")) for move in batch] == []
    assert derive_due(clock.events.order_by("seq"), calendar) == date(2026, 11, 25)


def test_handing_over_changes_nobody_s_day(calendar: Calendar, head: User) -> None:
    clock = pause(statutory(), "2026-10-09 16:00")
    before = fresh(clock)
    hand_over([clock], at=at("2026-10-12 10:00"), to=head, reason="redrawn")
    after = fresh(clock)
    assert (after.state, after.due_on, after.start_on, after.next_alarm_at) == (
        before.state,
        before.due_on,
        before.start_on,
        before.next_alarm_at,
    )
    event = clock.events.get(kind=EventKind.HAND_OVER)
    assert event.data == {"to": head.pk, "reason": "redrawn"}
    cancel_deadline(after, at=at("2026-10-13 10:00"), reason="withdrawn")
    with pytest.raises(TransitionNotAllowed):
        hand_over([after], at=at("2026-10-14 10:00"), to=head, reason="redrawn")


def test_a_kind_that_does_not_stand_yet_is_refused_in_words(calendar: Calendar) -> None:
    for kind, row in KINDS.items():
        if row.stands:
            continue
        more: dict[str, Any] = {"fixed_on": date(2026, 12, 1)} if row.unit is Unit.FIXED else {"length": row.length}
        with pytest.raises(DeadlineError, match="尚未开办"):
            start_deadline(kind, at=at("2026-11-23 10:00"), stream="case:1", **more)


@pytest.mark.parametrize(
    ("kind", "start", "more"),
    [
        (KindCode.DECISION_STATUTORY, "2026-09-28 10:00", {}),
        (KindCode.ACKNOWLEDGE, "2026-09-28 10:00", {}),
        (KindCode.CORRECTION_NOTICE, "2026-12-30 10:00", {}),
        (KindCode.DECISION_STATUTORY, "2026-09-28 10:00", {"length": 60, "unit": Unit.CALENDAR}),
        (KindCode.DECISION_STATUTORY, "2026-01-31 10:00", {"length": 6, "unit": Unit.MONTHS}),
        (KindCode.PLANNED_FINISH, "2026-09-28 10:00", {"fixed_on": date(2026, 10, 6)}),
        (KindCode.PLANNED_FINISH, "2026-09-28 10:00", {"fixed_on": date(2026, 9, 28)}),
    ],
)
def test_the_light_is_the_same_on_the_row_and_in_the_list(
    calendar: Calendar, kind: KindCode, start: str, more: dict[str, Any]
) -> None:
    """Every day from the start to ten days after the end: one working day or a fifth of all left is yellow."""
    clock = fresh(start_deadline(kind, at=at(start), stream="case:1", **more))
    counting = working_calendar.estimating()
    total = counting.count(clock.start_on, clock.due_on)
    day = clock.start_on
    while day <= clock.due_on + timedelta(days=10):
        left = counting.count(day, clock.due_on)
        expected = Light.GREEN
        if day > clock.due_on:
            expected = Light.RED
        elif left <= 1 or left * 5 <= total:
            expected = Light.YELLOW
        assert clock.light(day) is expected, day
        assert [light for light in Light if Deadline.objects.lit(light, day).exists()] == [expected], day
        day += timedelta(days=1)
