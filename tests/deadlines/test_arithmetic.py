"""Known answers, and an independent slow oracle."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadlines import calendar as working_calendar
from deadlines.arithmetic import (
    Calendar,
    DayRange,
    MissingYear,
    Year,
    add_months,
    due_date,
    explain,
    working_days_between,
)
from deadlines.enums import Unit
from deadlines.errors import NoticeError
from deadlines.notice import read_notices
from deadlines.provisional import provisional_days, provisional_year, statutory_holidays

CALENDAR = working_calendar.shipped()
THIRTEEN = "01-01 02-05 02-06 02-07 02-08 04-05 05-01 05-02 06-09 09-15 10-01 10-02 10-03"
LONG = Calendar([*CALENDAR.years.values()], supply=provisional_year)


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "length", "unit", "due"),
    [
        # The acceptance example: National Day off, and a working Saturday at its end.
        ("2026-09-28", 5, Unit.WORKING, "2026-10-10"),
        ("2026-09-28", 5, Unit.CALENDAR, "2026-10-08"),
        ("2026-09-28", 2, Unit.WORKING, "2026-09-30"),
        # The event's day is never counted, a working day or not; a Saturday event counts from Monday.
        ("2026-11-21", 1, Unit.WORKING, "2026-11-23"),
        ("2026-11-20", 1, Unit.WORKING, "2026-11-23"),
        ("2026-11-23", 3, Unit.WORKING, "2026-11-26"),
        # Every make-up day of both years is counted.
        ("2025-01-25", 1, Unit.WORKING, "2025-01-26"),
        ("2025-02-07", 1, Unit.WORKING, "2025-02-08"),
        ("2025-04-26", 1, Unit.WORKING, "2025-04-27"),
        ("2025-09-27", 1, Unit.WORKING, "2025-09-28"),
        ("2025-10-10", 1, Unit.WORKING, "2025-10-11"),
        ("2026-01-03", 1, Unit.WORKING, "2026-01-04"),
        ("2026-02-13", 1, Unit.WORKING, "2026-02-14"),
        ("2026-02-27", 1, Unit.WORKING, "2026-02-28"),
        ("2026-05-08", 1, Unit.WORKING, "2026-05-09"),
        ("2026-09-19", 1, Unit.WORKING, "2026-09-20"),
        # 20 working days of art. 42 over the Spring Festival: nine days off, two make-up Saturdays.
        ("2026-02-02", 20, Unit.WORKING, "2026-03-06"),
        # Over the year's end: 2027-01-01 is off.
        ("2026-12-30", 2, Unit.WORKING, "2027-01-04"),
        # Calendar days that end on a working day stay; 60 days of an environmental impact report.
        ("2026-09-01", 60, Unit.CALENDAR, "2026-11-02"),
        ("2026-11-16", 4, Unit.CALENDAR, "2026-11-20"),
        ("2026-11-16", 5, Unit.CALENDAR, "2026-11-23"),
        # Calendar days that end on a make-up Saturday end there.
        ("2026-10-05", 5, Unit.CALENDAR, "2026-10-10"),
        # Months: the same day, or the month's last one, rolled when off.
        ("2026-08-31", 1, Unit.MONTHS, "2026-09-30"),
        ("2026-01-31", 1, Unit.MONTHS, "2026-02-28"),
        ("2026-03-28", 6, Unit.MONTHS, "2026-09-28"),
        ("2026-04-01", 6, Unit.MONTHS, "2026-10-08"),
        ("2025-08-31", 6, Unit.MONTHS, "2026-02-28"),
    ],
)
def test_known_answers(start: str, length: int, unit: Unit, due: str) -> None:
    assert due_date(day(start), length, unit, CALENDAR) == day(due)
    assert explain(day(start), length, unit, CALENDAR)[-1].day == day(due)


def test_the_clocks_stop_in_a_pause() -> None:
    pauses = [DayRange(day("2026-11-25"), day("2026-11-30"), "听证")]
    assert due_date(day("2026-11-23"), 3, Unit.WORKING, CALENDAR, pauses=pauses) == day("2026-12-02")
    assert due_date(day("2026-11-23"), 3, Unit.CALENDAR, CALENDAR, pauses=pauses) == day("2026-12-02")
    lines = explain(day("2026-11-23"), 3, Unit.WORKING, CALENDAR, pauses=pauses)
    assert [line.number for line in lines] == [None, 1, None, None, None, None, None, None, 2, 3]
    assert lines[2].reason == "暂停期间（听证）"


def test_a_pause_after_the_end_changes_nothing() -> None:
    pauses = [DayRange(day("2026-12-01"), day("2026-12-31"))]
    assert due_date(day("2026-11-23"), 3, Unit.WORKING, CALENDAR, pauses=pauses) == day("2026-11-26")


def test_months_with_a_pause_are_longer_by_its_days() -> None:
    pauses = [DayRange(day("2026-03-10"), day("2026-03-14"))]
    assert due_date(day("2026-03-05"), 1, Unit.MONTHS, CALENDAR, pauses=pauses) == day("2026-04-10")


@pytest.mark.parametrize(("start", "length", "year"), [("2027-12-30", 3, 2028), ("2030-05-01", 1, 2030)])
def test_a_year_without_data_is_refused_in_words(start: str, length: int, year: int) -> None:
    with pytest.raises(MissingYear, match=f"还没有 {year} 年的工作日历") as refused:
        due_date(day(start), length, Unit.WORKING, CALENDAR)
    assert refused.value.year == year


def test_a_gap_between_years_is_not_jumped_over() -> None:
    gap = Calendar([CALENDAR.year(2025), CALENDAR.year(2027)])
    with pytest.raises(MissingYear):
        due_date(day("2025-12-31"), 1, Unit.WORKING, gap)
    with pytest.raises(MissingYear):
        gap.count(day("2025-12-01"), day("2027-02-01"))
    with pytest.raises(MissingYear):
        gap.before(day("2027-01-01"), 1)


@pytest.mark.parametrize("length", [0, -1])
def test_a_length_below_one_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        due_date(day("2026-09-28"), length, Unit.WORKING, CALENDAR)


def test_a_year_with_a_day_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 365"):
        Year(2026, provisional_days(2026)[1:], version="1", provisional=False)


def test_each_line_says_why() -> None:
    lines = explain(day("2026-09-28"), 5, Unit.WORKING, CALENDAR)
    reasons = {line.day: (line.counted, line.reason) for line in lines}
    assert reasons[day("2026-09-28")] == (False, "事件当日（民法典第二百零一条）")
    assert reasons[day("2026-10-01")] == (False, "国庆节放假")
    assert reasons[day("2026-10-10")] == (True, "调休上班日（国庆节调休）")
    assert [line.day for line in lines if line.is_due] == [day("2026-10-10")]
    rolled = explain(day("2026-09-28"), 5, Unit.CALENDAR, CALENDAR)
    assert "顺延（民法典第二百零三条）" in rolled[5].reason
    assert rolled[-1].reason == "顺延后的第一个工作日"


def test_a_provisional_year_is_marked_on_its_lines() -> None:
    lines = explain(day("2026-12-30"), 2, Unit.WORKING, CALENDAR)
    assert [line.provisional for line in lines] == [False, False, True, True, True, True]


def test_the_provisional_rule_is_the_laws() -> None:
    """13 days by the revision of 2024: 1 + 4 + 1 + 2 + 1 + 1 + 3; no moved days."""
    found = statutory_holidays(2027)
    assert sorted(found) == [
        day(f"2027-{rest}")
        for rest in (
            [
                "01-01",
                "02-05",
                "02-06",
                "02-07",
                "02-08",
                "04-05",
                "05-01",
                "05-02",
                "06-09",
                "09-15",
                "10-01",
                "10-02",
                "10-03",
            ]
        )
    ]
    assert not any(info.name and info.is_working for info in provisional_days(2027))


def test_the_notice_is_read_day_by_day() -> None:
    notices = read_notices()
    assert {year: (len(n.off), len(n.makeup)) for year, n in notices.items()} == {2025: (28, 5), 2026: (33, 6)}
    assert len(notices[2026].days()) == 365


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2026,2026-13-01,2026-10-07,off,国庆节,通知", "日期写法不对"),
        ("2026,2026-10-07,2026-10-01,off,国庆节,通知", "起止日期颠倒"),
        ("2025,2026-10-01,2026-10-07,off,国庆节,通知", "不在 2025 年内"),
        ("2026,2026-10-01,2026-10-07,free,国庆节,通知", "只能是 off 或 work"),
        ("2026,2026-10-12,2026-10-12,work,国庆节,通知", "本来就是工作日"),
        ("2026,2026-10-01,2026-10-07,off,,通知", "不能为空"),
    ],
)
def test_a_notice_that_does_not_hold_together_is_refused_by_line(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "notice.csv"
    path.write_text(f"year,from,to,kind,name,notice\n2026,2026-01-01,2026-01-01,off,元旦,通知\n{line}\n")
    with pytest.raises(NoticeError, match=f"第 3 行：.*{sentence}"):
        read_notices(path)


def test_a_day_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notice.csv"
    row = "2026,2026-01-01,2026-01-03,off,元旦,通知\n"
    path.write_text(f"year,from,to,kind,name,notice\n{row}{row}")
    with pytest.raises(NoticeError, match="2026-01-01 已在前面"):
        read_notices(path)


# --- against an oracle that walks day by day from the raw table


def oracle_is_working(when: date) -> bool:
    """Straight from the notices: a weekday that is not off, or a make-up day; 2027 by the law."""
    if when.year == 2027:
        return when.weekday() < 5 and when not in statutory_holidays(2027)
    notice = read_notices()[when.year]
    return when in notice.makeup or (when.weekday() < 5 and when not in notice.off)


WORKING = {
    when: oracle_is_working(when) for when in (day("2025-01-01") + timedelta(days=n) for n in range(365 * 2 + 365))
}


def oracle_due(start: date, length: int, unit: Unit, pauses: Sequence[DayRange]) -> date:
    stopped = {when for when in WORKING if any(p.first <= when <= p.last for p in pauses)}
    if unit is Unit.MONTHS:
        length = (add_months(start, length) - start).days
    when, counted = start, 0
    while counted < length:
        when += timedelta(days=1)
        if when not in stopped and (unit is not Unit.WORKING or WORKING[when]):
            counted += 1
    while not WORKING[when] or when in stopped:
        when += timedelta(days=1)
    # Paused on its last day, it ends with the pause.
    while when + timedelta(days=1) in stopped:
        while when + timedelta(days=1) in stopped:
            when += timedelta(days=1)
        if not WORKING[when]:
            when = next(day for day in WORKING if day > when and WORKING[day] and day not in stopped)
    return when


starts = st.dates(day("2025-01-01"), day("2026-12-31"))
units = st.sampled_from([Unit.WORKING, Unit.CALENDAR, Unit.MONTHS])


@st.composite
def periods(draw: st.DrawFn) -> tuple[date, int, Unit, list[DayRange]]:
    start, unit = draw(starts), draw(units)
    length = draw(st.integers(1, 4 if unit is Unit.MONTHS else 60))
    pauses = []
    first = start
    for _ in range(draw(st.integers(0, 3))):
        first += timedelta(days=draw(st.integers(1, 15)))
        last = first + timedelta(days=draw(st.integers(0, 10)))
        pauses.append(DayRange(first, last))
        first = last
    return start, length, unit, pauses


@given(periods())
def test_due_dates_agree_with_the_oracle(period: tuple[date, int, Unit, list[DayRange]]) -> None:
    start, length, unit, pauses = period
    assert due_date(start, length, unit, CALENDAR, pauses=pauses) == oracle_due(start, length, unit, pauses)


@given(periods())
def test_the_explanation_adds_up(period: tuple[date, int, Unit, list[DayRange]]) -> None:
    """A line for every day without a gap, numbers 1, 2, 3 … and the due date at the end."""
    start, length, unit, pauses = period
    lines = explain(start, length, unit, CALENDAR, pauses=pauses)
    due = due_date(start, length, unit, CALENDAR, pauses=pauses)
    assert [line.day for line in lines] == [start + timedelta(days=n) for n in range((due - start).days + 1)]
    numbers = [line.number for line in lines if line.counted]
    wanted = (add_months(start, length) - start).days if unit is Unit.MONTHS else length
    assert numbers == list(range(1, wanted + 1))


@given(starts, st.integers(1, 200))
def test_adding_and_counting_are_inverses(start: date, length: int) -> None:
    due = LONG.after(start, length)
    assert working_days_between(start, due, LONG) == length
    assert working_days_between(due, start, LONG) == -length
    assert LONG.is_working(due)


@given(starts, st.integers(1, 200))
def test_going_back_undoes_going_forward(start: date, length: int) -> None:
    forward = LONG.after(start, length)
    back = LONG.before(forward, length)
    assert back <= start or LONG.count(start, back) == 0 or length == 0
    assert LONG.count(back, forward) == length


@given(starts, st.integers(0, 400))
def test_counting_agrees_with_the_oracle(start: date, span: int) -> None:
    end = min(start + timedelta(days=span), day("2027-12-31"))
    expected = sum(WORKING[start + timedelta(days=n)] for n in range(1, (end - start).days + 1))
    assert CALENDAR.count(start, end) == expected


@given(starts, st.integers(1, 30), st.integers(1, 30), st.integers(0, 20))
def test_a_pause_conserves_the_counted_days(start: date, length: int, after: int, paused: int) -> None:
    """Whatever a pause covers, exactly ``length`` working days that are not paused are counted."""
    pause = DayRange(start + timedelta(days=after), start + timedelta(days=after + paused))
    counted = [line.day for line in explain(start, length, Unit.WORKING, LONG, pauses=[pause]) if line.counted]
    assert len(counted) == length
    assert all(LONG.is_working(when) and when not in pause for when in counted)
