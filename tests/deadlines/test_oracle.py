"""The counting against a slow oracle that knows nothing of it, over 2005–2026 and every make-up day.

The draws are the same each time; ``ORACLE_EXAMPLES=20000`` draws that many at random instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar.constants import holidays, in_lieu_days, workdays
from hypothesis import given, settings
from hypothesis import strategies as st

from deadlines import calendar as working_calendar
from deadlines.actions import Pause, pause_many, resume_many, start_deadline
from deadlines.arithmetic import Calendar, DayLine, DayRange, MissingYear, Year, due_date, explain, working_days_between
from deadlines.enums import DayKind, EventKind, PauseGround, Unit, YearStatus
from deadlines.kinds import KindCode
from deadlines.models import ClockEvent, Deadline
from deadlines.notice import read_notices
from deadlines.provisional import build_days, published_elsewhere
from deadlines.publishing import install_year
from deadlines.recompute import recompute_year
from deadlines.timeline import derive_due, read
from tests.deadlines import oracle
from tests.deadlines.conftest import SHANGHAI, at
from tests.deadlines.oracle import FIRST, LAST, ONE, BeyondError

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "0"))
held = settings(max_examples=EXAMPLES or 300, derandomize=not EXAMPLES, database=None, deadline=None)
COUNTED = (Unit.WORKING, Unit.CALENDAR, Unit.MONTHS)


def year_under_test(year: int) -> Year:
    """The package's raw days through the portal's own reading."""
    off = {day: "放假" for day in holidays if day.year == year}
    makeup = {day: "调休" for day in workdays if day.year == year}
    return Year(year, build_days(year, off=off, makeup=makeup), version="1", provisional=False)


CALENDAR = Calendar(year_under_test(year) for year in range(FIRST.year, LAST.year + 1))
MAKEUPS = sorted(day for day in workdays if FIRST <= day <= LAST)
OFF = sorted(day for day in holidays if FIRST <= day <= LAST)
# The first and the last day of each stretch of days off with a name.
EDGES = [day for day in OFF if not (day - ONE in holidays and day + ONE in holidays)]


def by_both(counted: Callable[[], date], slowly: Callable[[], date]) -> tuple[date | None, date | None]:
    """What the portal and the oracle answer; None where a year is missing."""
    answers: list[date | None] = []
    for ask in (counted, slowly):
        try:
            answers.append(ask())
        except (MissingYear, BeyondError):
            answers.append(None)
    return answers[0], answers[1]


def still_days(pauses: Sequence[DayRange]) -> set[date]:
    return {pause.first + n * ONE for pause in pauses for n in range((pause.last - pause.first).days + 1)}


def steps(lines: Sequence[DayLine]) -> oracle.Steps:
    return [(line.day, line.number) for line in lines]


# --- the data


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_shipped_file_and_the_package_have_the_same_days(year: int) -> None:
    def plain(days: Sequence[Any]) -> list[tuple[date, bool, DayKind]]:
        return [(info.day, info.is_working, info.kind) for info in days]

    proposed = published_elsewhere(year)
    assert proposed is not None
    assert plain(read_notices()[year].days()) == plain(proposed.days())
    assert plain(proposed.days()) == plain([*CALENDAR.year(year).days.values()])


def test_every_day_of_22_years_is_what_the_oracle_says() -> None:
    assert [day for day in oracle.every_day() if CALENDAR.is_working(day) != oracle.is_working(day)] == []
    assert not any(CALENDAR.is_working(day) for day in in_lieu_days if FIRST <= day <= LAST)
    assert len(oracle.every_day()) == 8035
    assert (len(MAKEUPS), len(OFF)) == (144, 599)


# --- draws

special_days = st.sampled_from([*MAKEUPS, *EDGES]).flatmap(lambda day: st.sampled_from([day - ONE, day, day + ONE]))
starts = st.one_of(special_days, st.dates(FIRST, LAST)).filter(lambda day: FIRST <= day <= LAST)
MOST = {Unit.WORKING: 45, Unit.CALENDAR: 70, Unit.MONTHS: 4}


@st.composite
def lengths(draw: st.DrawFn) -> tuple[int, Unit]:
    unit = draw(st.sampled_from(COUNTED))
    return draw(st.integers(1, MOST[unit])), unit


@st.composite
def pauses_of(draw: st.DrawFn, start: date, length: int, unit: Unit) -> list[DayRange]:
    """Up to four pauses anywhere, apart or overlapping, in any order; often about the last day."""
    found: list[DayRange] = []
    for _ in range(draw(st.integers(0, 4))):
        try:
            last = oracle.due(start, length, unit, still_days(found))
        except BeyondError:
            last = start
        anchor = draw(st.sampled_from([start, last]))
        first = anchor + draw(st.integers(-4, 12)) * ONE
        found.append(DayRange(first, first + draw(st.integers(0, 14)) * ONE, "听证"))
    return draw(st.permutations(found))


@st.composite
def periods(draw: st.DrawFn) -> tuple[date, int, Unit, list[DayRange]]:
    start, (length, unit) = draw(starts), draw(lengths())
    return start, length, unit, draw(pauses_of(start, length, unit))


@dataclass(frozen=True)
class Happened:
    kind: EventKind
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The local day, by an own reckoning: Shanghai is eight hours ahead, without summer time since 1991."""
        return (self.at.astimezone(UTC) + timedelta(hours=8)).date()


@dataclass(frozen=True)
class History:
    """A clock's events, and what they say in the oracle's words."""

    start: date
    length: int
    unit: Unit
    events: list[Happened]

    @property
    def total(self) -> int:
        """The length with its extensions."""
        return self.length + sum(int(event.data["length"]) for event in self.events if event.kind is EventKind.EXTEND)

    @property
    def still(self) -> set[date]:
        """The days that began while the clock stood still."""
        names = {EventKind.PAUSE: "pause", EventKind.RESUME: "resume"}
        return oracle.stopped((names[event.kind], event.day) for event in self.events if event.kind in names)

    def days(self, length: int) -> int:
        """How many days must be counted for a length in the clock's unit."""
        return (oracle.month_end(self.start, length) - self.start).days if self.unit is Unit.MONTHS else length


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A start and what may follow it, at any hour told in any zone; often on the very day the clock would end."""
    start, (length, unit) = draw(starts), draw(lengths())
    moment = datetime(start.year, start.month, start.day, draw(st.integers(0, 23)), 30, tzinfo=SHANGHAI)
    history = History(start, length, unit, [Happened(EventKind.START, moment, {"length": length, "unit": unit})])
    paused = False
    for _ in range(draw(st.integers(0, 9))):
        turn = EventKind.RESUME if paused else EventKind.PAUSE
        kind = draw(st.sampled_from([turn, turn, turn, EventKind.EXTEND, EventKind.HAND_OVER, EventKind.RECOMPUTE]))
        moment += timedelta(minutes=draw(st.one_of(st.integers(0, 900), st.integers(0, 18 * 24 * 60))))
        if kind is EventKind.PAUSE and draw(st.booleans()):
            moment = max(moment, on_the_last_day(history, moment))
        paused ^= kind is turn
        data = {"length": draw(st.integers(1, 5))} if kind is EventKind.EXTEND else {}
        zone = draw(st.sampled_from([SHANGHAI, UTC, ZoneInfo("America/New_York")]))
        history.events.append(Happened(kind, moment.astimezone(zone), data))
    return history


def on_the_last_day(history: History, moment: datetime) -> datetime:
    try:
        last = oracle.due(history.start, history.total, history.unit, history.still)
    except BeyondError:
        return moment
    return moment.replace(year=last.year, month=last.month, day=last.day)


# --- due dates and their explanation


@held
@given(periods())
def test_due_dates_are_the_oracles(period: tuple[date, int, Unit, list[DayRange]]) -> None:
    start, length, unit, pauses = period
    ours, theirs = by_both(
        lambda: due_date(start, length, unit, CALENDAR, pauses=pauses),
        lambda: oracle.due(start, length, unit, still_days(pauses)),
    )
    assert ours == theirs


@held
@given(periods())
def test_the_explanation_is_the_oracles_day_by_day(period: tuple[date, int, Unit, list[DayRange]]) -> None:
    start, length, unit, pauses = period
    try:
        theirs = oracle.walk(start, length, unit, still_days(pauses))
    except BeyondError:
        with pytest.raises(MissingYear):
            explain(start, length, unit, CALENDAR, pauses=pauses)
        return
    lines = explain(start, length, unit, CALENDAR, pauses=pauses)
    assert steps(lines) == theirs
    # Said once more without the oracle: each day once, numbers 1, 2, 3 …, the event's own day not counted, due last.
    assert [line.day for line in lines] == [start + n * ONE for n in range(len(lines))]
    numbers = [line.number for line in lines if line.counted]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (lines[0].counted, lines[0].number) == (False, None)
    assert [line.day for line in lines if line.is_due] == [lines[-1].day]
    assert lines[-1].day == due_date(start, length, unit, CALENDAR, pauses=pauses)
    assert all((line.number is None) is not line.counted and line.reason for line in lines)
    if unit is not Unit.MONTHS:
        assert len(numbers) == length


@held
@given(starts, lengths())
def test_a_period_never_ends_on_a_day_off_nor_later_than_the_first_working_day(
    start: date, period: tuple[int, Unit]
) -> None:
    """民法典 art. 203, and 201: the event's day is never in it."""
    length, unit = period
    due, _ = by_both(lambda: due_date(start, length, unit, CALENDAR), lambda: FIRST)
    if due is None:
        return
    assert due > start
    assert oracle.is_working(due)
    if unit is not Unit.WORKING:
        last = oracle.month_end(start, length) if unit is Unit.MONTHS else start + length * ONE
        assert not any(oracle.is_working(last + n * ONE) for n in range((due - last).days))


@held
@given(starts, st.integers(1, 36))
def test_months_end_on_their_day_or_on_the_months_last(start: date, months: int) -> None:
    ours, theirs = by_both(
        lambda: due_date(start, months, Unit.MONTHS, CALENDAR), lambda: oracle.due(start, months, Unit.MONTHS)
    )
    assert ours == theirs


# --- going forward, back and between


@held
@given(starts, st.integers(1, 300))
def test_forward_and_back_are_the_oracles_and_undo_each_other(day: date, number: int) -> None:
    forward, slowly = by_both(lambda: CALENDAR.after(day, number), lambda: oracle.after(day, number))
    assert forward == slowly
    if forward is not None:
        assert working_days_between(day, forward, CALENDAR) == number
        assert working_days_between(forward, day, CALENDAR) == -number
        # Back from there is the day itself, or the working day before it.
        back, _ = by_both(lambda: CALENDAR.before(forward, number), lambda: FIRST)
        landed, _ = by_both(lambda: CALENDAR.before(day + ONE, 1), lambda: FIRST)
        assert back == landed
    back, slowly = by_both(lambda: CALENDAR.before(day, number), lambda: oracle.before(day, number))
    assert back == slowly
    if back is not None:
        assert CALENDAR.count(back - ONE, day - ONE) == number
        if CALENDAR.is_working(day):
            assert CALENDAR.after(back, number) == day


@held
@given(starts, starts, starts)
def test_working_days_between_are_the_oracles_and_add_up(one: date, two: date, three: date) -> None:
    near = one + (two - one) // 20
    assert working_days_between(one, near, CALENDAR) == oracle.between(one, near)
    assert working_days_between(near, one, CALENDAR) == -oracle.between(one, near)
    assert CALENDAR.count(one, near) == max(0, oracle.between(one, near))
    way = [working_days_between(*leg, CALENDAR) for leg in ((one, two), (two, three), (three, one))]
    assert sum(way) == 0


# --- clocks that are paused, resumed and extended


@held
@given(histories())
def test_a_history_gives_the_oracles_due_date(history: History) -> None:
    ours, theirs = by_both(
        lambda: derive_due(history.events, CALENDAR),
        lambda: oracle.due(history.start, history.total, history.unit, history.still),
    )
    assert ours == theirs


@held
@given(histories())
def test_pausing_and_resuming_conserves_the_counted_days(history: History) -> None:
    """Whatever happened, each day of the length is counted once, none of them in a pause or before its day."""
    try:
        lines = read(history.events).explain(CALENDAR)
    except MissingYear:
        return
    counted = [line.day for line in lines if line.counted]
    assert len(counted) == history.days(history.total)
    assert not set(counted) & history.still
    assert history.start not in counted
    assert steps(lines) == oracle.walk(history.start, history.total, history.unit, history.still)
    assert lines[-1].day == derive_due(history.events, CALENDAR)
    # What the extension gave is said on its own days and on no other.
    given_more = [line.number for line in lines if "延长期内" in line.reason]
    assert given_more == list(range(history.days(history.length) + 1, len(counted) + 1))
    # The days up to the first pause are what they were before anybody paused.
    first = min(history.still, default=LAST)
    alone = explain(history.start, history.total, history.unit, CALENDAR)
    assert steps(lines)[: (first - history.start).days] == steps(alone)[: (first - history.start).days]


@held
@given(histories())
def test_deriving_again_changes_nothing(history: History) -> None:
    """Twice the same; a recompute, a hand-over and an open pause move nothing."""
    first, again = by_both(lambda: derive_due(history.events, CALENDAR), lambda: derive_due(history.events, CALENDAR))
    assert first == again
    moment = history.events[-1].at
    longer = [*history.events, Happened(EventKind.RECOMPUTE, moment), Happened(EventKind.HAND_OVER, moment)]
    if read(history.events).paused_since is None:
        longer.append(Happened(EventKind.PAUSE, moment))
    after, bare = by_both(
        lambda: derive_due(longer, CALENDAR),
        lambda: derive_due([e for e in history.events if e.kind is not EventKind.HAND_OVER], CALENDAR),
    )
    assert after == bare == first


@held
@given(histories(), st.integers(0, 40), st.integers(0, 20))
def test_a_further_pause_never_brings_the_due_date_nearer(history: History, later: int, days: int) -> None:
    timeline = read(history.events)
    start = history.start + later * ONE
    pauses = [*timeline.pauses, DayRange(start + ONE, start + (days + 1) * ONE)]
    with_it, without = by_both(
        lambda: due_date(history.start, history.total, history.unit, CALENDAR, pauses=pauses),
        lambda: due_date(history.start, history.total, history.unit, CALENDAR, pauses=timeline.pauses),
    )
    assert with_it is None or (without is not None and with_it >= without)


# --- points of law


@pytest.mark.parametrize(
    ("unit", "length", "start", "then", "due"),
    [
        # The day of the resume is not counted, on a make-up Saturday neither; the day of the pause is.
        (Unit.WORKING, 3, "09-30", [("pause", "10-08"), ("resume", "10-10")], "10-13"),
        # Due on Thursday 11-26 and paused on that day: it ends with the pause, not before it.
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-30")], "11-30"),
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-28")], "11-30"),
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-26")], "11-26"),
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-30"), ("pause", "11-30"), ("resume", "12-04")],
         "12-04"),
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-28"), ("pause", "11-30"), ("resume", "12-04")],
         "12-04"),
        (Unit.CALENDAR, 3, "11-23", [("pause", "11-26"), ("resume", "11-30")], "11-30"),
        # While it stands still it keeps its day; what is over cannot be paused.
        (Unit.WORKING, 3, "11-23", [("pause", "11-26")], "11-26"),
        (Unit.WORKING, 3, "11-23", [("pause", "11-27"), ("resume", "12-04")], "11-26"),
        # An extension after such a pause gives its days after the resume.
        (Unit.WORKING, 3, "11-23", [("pause", "11-26"), ("resume", "11-30"), ("extend", "11-30")], "12-02"),
        # Five days end on Saturday 11-28 and so on Monday. Paused before that Monday, the Monday is still owed;
        # paused on it, it is not.
        (Unit.CALENDAR, 5, "11-23", [("pause", "11-28"), ("resume", "12-02")], "12-03"),
        (Unit.CALENDAR, 5, "11-23", [("pause", "11-29"), ("resume", "12-02")], "12-03"),
        (Unit.CALENDAR, 5, "11-23", [("pause", "11-30"), ("resume", "12-02")], "12-02"),
        # A month is longer by the days of its pauses, from its own end: 02-28 and five days.
        (Unit.MONTHS, 1, "01-31", [("pause", "02-05"), ("resume", "02-10")], "03-05"),
    ],
)  # fmt: skip
def test_points_of_law(unit: Unit, length: int, start: str, then: list[tuple[str, str]], due: str) -> None:
    def when(day: str) -> datetime:
        return datetime.fromisoformat(f"2026-{day} 10:00").replace(tzinfo=SHANGHAI)

    events = [Happened(EventKind.START, when(start), {"unit": unit, "length": length})]
    events += [Happened(EventKind(kind), when(day), {"length": 2} if kind == "extend" else {}) for kind, day in then]
    history = History(when(start).date(), length, unit, events)
    expected = date.fromisoformat(f"2026-{due}")
    assert derive_due(events, CALENDAR) == expected
    assert oracle.due(history.start, history.total, unit, history.still) == expected
    lines = read(events).explain(CALENDAR)
    assert lines[-1].is_due
    assert sum(line.counted for line in lines) == history.days(history.total)


def test_the_explanation_says_why_a_clock_ends_with_its_pause() -> None:
    pauses = [DayRange(date(2026, 11, 26), date(2026, 11, 27), "听证")]
    lines = explain(date(2026, 11, 23), 2, Unit.WORKING, CALENDAR, pauses=pauses)
    assert [(line.number, line.reason) for line in lines[2:]] == [
        (2, "工作日"),
        (None, "暂停期间（听证）"),
        (None, "暂停期间（听证）；期限最后一日起暂停，恢复当日届满（行政许可法第四十五条）"),
    ]


# --- recomputing


@pytest.mark.django_db
def test_recomputing_again_moves_nothing(calendar: Calendar) -> None:
    """Cut short after a batch and begun again, each clock moves once, to what its events give; then nothing moves."""
    kind = KindCode.DECISION_STATUTORY
    clocks = [
        start_deadline(kind, at=at(f"2026-{day} 10:00"), stream=f"case:{day}", length=n, unit=unit)
        for day in ("08-31", "09-25", "09-30", "10-09", "11-20", "12-30")
        for n, unit in ((7, Unit.WORKING), (10, Unit.CALENDAR), (1, Unit.MONTHS))
    ]
    pause_many(clocks[3:9], Pause(PauseGround.HEARING), at=at("2026-10-08 10:00"))
    resume_many(clocks[3:6], at=at("2026-10-10 10:00"))
    notice = read_notices()[2026]
    off = notice.off | {date(2026, 10, 9): "放假", date(2026, 11, 30): "放假"}
    days = build_days(2026, off=off, makeup={day: name for day, name in notice.makeup.items() if day.month < 10})
    moment = at("2026-10-12 08:00")
    install_year(2026, days, status=YearStatus.OFFICIAL, source="通知", at=moment, replace=True)
    first = next(recompute_year(2026, at=moment, batch=7))
    second = [move for batch in recompute_year(2026, at=moment, batch=3) for move in batch]
    moved = [move.deadline_id for move in [*first, *second]]
    assert first
    assert second
    assert len(moved) == len(set(moved))
    rows = Deadline.objects.in_bulk()
    fresh = working_calendar.estimating()
    assert [row.due_on for row in rows.values()] == [row.timeline().due_on(fresh) for row in rows.values()]
    assert {clock.pk for clock in clocks if clock.due_on != rows[clock.pk].due_on} == set(moved)
    for year in (2026, 2027):
        assert not any(recompute_year(year, at=moment, batch=3))
    assert dict(Deadline.objects.values_list("pk", "revision")) == {pk: row.revision for pk, row in rows.items()}
    assert ClockEvent.objects.filter(kind=EventKind.RECOMPUTE).count() == len(moved)


# --- every make-up day, every holiday


def agree(start: date, length: int, unit: Unit) -> date | None:
    """The due date, the same as the oracle's, with an explanation that is the oracle's too; None beyond the years."""
    if start < FIRST:
        return None
    ours, theirs = by_both(lambda: due_date(start, length, unit, CALENDAR), lambda: oracle.due(start, length, unit))
    assert ours == theirs, (start, length, unit)
    if ours is not None:
        assert steps(explain(start, length, unit, CALENDAR)) == oracle.walk(start, length, unit)
    return ours


def around(day: date) -> None:
    """Periods of each unit that begin or end about ``day``."""
    for start in (day - ONE, day, day + ONE):
        for length in (1, 2, 5, 20):
            agree(start, length, Unit.WORKING)
            agree(start, length, Unit.CALENDAR)
        for length in (1, 3):
            agree(start, length, Unit.MONTHS)
    for length in (1, 3, 15, 60):
        for end in (day - ONE, day, day + ONE):
            agree(end - length * ONE, length, Unit.CALENDAR)
    for length in (1, 5, 20):
        if day > FIRST + 60 * ONE:
            agree(oracle.before(day, length), length, Unit.WORKING)


@pytest.mark.parametrize("day", MAKEUPS, ids=str)
def test_every_make_up_day_is_a_working_day(day: date) -> None:
    """It is the first day after the day before, is not counted for what happens on it, and ends what ends on it."""
    assert day.weekday() >= 5
    assert agree(day - ONE, 1, Unit.WORKING) == day
    assert agree(day, 1, Unit.WORKING) != day
    for length in (1, 5, 20):
        assert agree(oracle.before(day, length), length, Unit.WORKING) == day
    for length in (1, 5, 15, 30):
        assert agree(day - length * ONE, length, Unit.CALENDAR) == day
    line = explain(day - ONE, 1, Unit.WORKING, CALENDAR)[-1]
    assert (line.day, line.number, line.reason) == (day, 1, "调休上班日（调休）")
    # Stopped over it, it is lost.
    assert due_date(day - 2 * ONE, 20, Unit.WORKING, CALENDAR, pauses=[DayRange(day, day)]) == oracle.after(
        due_date(day - 2 * ONE, 20, Unit.WORKING, CALENDAR), 1
    )
    around(day)


@pytest.mark.parametrize("year", range(FIRST.year, LAST.year + 1))
def test_every_holidays_first_and_last_day(year: int) -> None:
    days = [day for day in EDGES if day.year == year]
    assert len(days) >= 6
    for day in days:
        ends = agree(day - ONE, 1, Unit.CALENDAR)
        assert ends is None or (ends > day and oracle.is_working(ends))
        around(day)
