"""Counting days: pure functions over a calendar, no database.

Rules and their source:

* the day of the event is never counted (民法典 art. 201(1)); the first counted day is the next (working) day;
* periods of administrative licences are working days (行政许可法 art. 82);
* a period in months ends on the same day of its last month, or on that month's last day (民法典 art. 202);
* a period in calendar days or months that ends on a day off ends on the next working day (民法典 art. 203);
* days on which the clock is paused (行政许可法 art. 45) are not counted in any unit;
* a period never ends while its clock is paused: one that is paused on its last day has used all its days and overrun
  none, so it ends on the last day of the pause, the day of the resume.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from deadlines.enums import DayKind, Unit

ONE_DAY = timedelta(days=1)
WEEKDAYS = "一二三四五六日"


class MissingYear(LookupError):  # noqa: N818 - the name that callers know
    """A day of a year that the calendar does not hold was asked for; ``str()`` is a Chinese sentence."""

    def __init__(self, year: int) -> None:
        super().__init__(f"还没有 {year} 年的工作日历，无法计算期限。请先载入该年的节假日安排。")
        self.year = year


@dataclass(frozen=True, slots=True)
class DayInfo:
    """One day of the working calendar. ``name`` is the holiday's or the make-up day's name, else empty."""

    day: date
    is_working: bool
    kind: DayKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from ``first`` to ``last``, both included, on which a clock stood still, and why."""

    first: date
    last: date
    ground: str = ""

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class DayLine:
    """A line of the explanation: the day, its number in the period if counted, and the reason in Chinese."""

    day: date
    counted: bool
    number: int | None
    reason: str
    provisional: bool = False
    is_due: bool = False

    @property
    def weekday(self) -> str:
        """周一 … 周日."""
        return f"周{WEEKDAYS[self.day.weekday()]}"


class Year:
    """All days of one year, with the working ones in order."""

    def __init__(self, year: int, days: Iterable[DayInfo], *, version: str, provisional: bool) -> None:
        self.year = year
        self.days = {info.day: info for info in days}
        self.version = version
        self.provisional = provisional
        self.working = sorted(info.day for info in self.days.values() if info.is_working)
        expected = (date(year + 1, 1, 1) - date(year, 1, 1)).days
        if len(self.days) != expected or any(day.year != year for day in self.days):
            raise ValueError(f"year {year} has {len(self.days)} days, expected {expected} of its own")


class Calendar:
    """The working calendar: years by number.

    ``supply`` gives a year that is not held (the provisional rule); without it such a year raises ``MissingYear``.
    """

    def __init__(self, years: Iterable[Year], supply: Callable[[int], Year] | None = None) -> None:
        self._years = {year.year: year for year in years}
        self._supply = supply

    @property
    def years(self) -> Mapping[int, Year]:
        """The years held."""
        return self._years

    def year(self, number: int) -> Year:
        """Return a year; raises ``MissingYear``."""
        found = self._years.get(number)
        if found is None:
            if self._supply is None:
                raise MissingYear(number)
            found = self._years[number] = self._supply(number)
        return found

    def info(self, day: date) -> DayInfo:
        """Return what ``day`` is; raises ``MissingYear``."""
        return self.year(day.year).days[day]

    def is_working(self, day: date) -> bool:
        """Whether ``day`` is a working day; raises ``MissingYear``."""
        return self.info(day).is_working

    def is_provisional(self, first: date, last: date) -> bool:
        """Whether a year between the two days is provisional; a year that is not held counts as provisional."""
        return any(n not in self._years or self._years[n].provisional for n in range(first.year, last.year + 1))

    def version(self, first: date, last: date) -> str:
        """The versions of the years between the two days: ``2026.1+2027.1p`` (p: provisional, 0p: not held)."""
        return "+".join(
            f"{n}.{self._years[n].version}" if n in self._years else f"{n}.0p" for n in range(first.year, last.year + 1)
        )

    def after(self, day: date, number: int) -> date:
        """The ``number``-th (from 1) working day after ``day``; raises ``MissingYear``."""
        left = number
        year = self.year((day + ONE_DAY).year)
        position = bisect_right(year.working, day)
        while left > len(year.working) - position:
            left -= len(year.working) - position
            year, position = self.year(year.year + 1), 0
        return year.working[position + left - 1]

    def before(self, day: date, number: int) -> date:
        """The ``number``-th (from 1) working day before ``day``; raises ``MissingYear``."""
        left = number
        year = self.year((day - ONE_DAY).year)
        position = bisect_left(year.working, day)
        while left > position:
            left -= position
            year = self.year(year.year - 1)
            position = len(year.working)
        return year.working[position - left]

    def count(self, after: date, until: date) -> int:
        """Number of working days d with ``after`` < d ≤ ``until`` (0 if none); raises ``MissingYear``."""
        if until <= after:
            return 0
        first = (after + ONE_DAY).year
        return sum(
            bisect_right(self.year(n).working, until) - bisect_right(self.year(n).working, after)
            for n in range(first, until.year + 1)
        )


def working_days_between(start: date, end: date, calendar: Calendar) -> int:
    """Working days after ``start`` up to and including ``end``; negative when ``end`` is earlier. MissingYear."""
    return calendar.count(start, end) if end >= start else -calendar.count(end, start)


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, or the last day of that month where it has no such day (民法典 art. 202)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_paused(day: date, pauses: Sequence[DayRange]) -> DayRange | None:
    """Return the pause that covers ``day``, if any."""
    return next((pause for pause in pauses if day in pause), None)


def days_after(day: date) -> Iterator[date]:
    """Every day after ``day``."""
    while True:
        day += ONE_DAY
        yield day


def due_date(start_on: date, length: int, unit: Unit, calendar: Calendar, *, pauses: Sequence[DayRange] = ()) -> date:
    """The last day of a period that begins with an event on ``start_on``.

    ``length`` ≥ 1 counts in ``unit`` (WORKING, CALENDAR or MONTHS); ``pauses`` are not counted.
    Raises ``MissingYear`` where the calendar does not reach, ``ValueError`` for a length below 1 or a fixed day.
    """
    last = _rolled(_nominal_end(start_on, length, unit, calendar, pauses), calendar, pauses)
    return _past_pauses(last, calendar, pauses)


def _nominal_end(start_on: date, length: int, unit: Unit, calendar: Calendar, pauses: Sequence[DayRange]) -> date:
    """The last counted day, before a day off moves it (art. 203)."""
    if length < 1:
        raise ValueError(f"a period has at least 1 {unit.value}, not {length}")
    if unit is Unit.FIXED:
        raise ValueError("a fixed day is not counted")
    if unit is Unit.WORKING and not pauses:
        return calendar.after(start_on, length)
    if unit is Unit.MONTHS:
        length = (add_months(start_on, length) - start_on).days
    if not pauses:
        return start_on + timedelta(days=length)
    left = length
    for day in days_after(start_on):
        if is_paused(day, pauses) or (unit is Unit.WORKING and not calendar.is_working(day)):
            continue
        left -= 1
        if not left:
            return day
    raise AssertionError("days never end")  # pragma: no cover


def _rolled(day: date, calendar: Calendar, pauses: Sequence[DayRange]) -> date:
    """The day itself if it is a working one, else the next working day that is not paused (art. 203)."""
    if calendar.is_working(day):
        return day
    return next(d for d in days_after(day) if calendar.is_working(d) and not is_paused(d, pauses))


def _past_pauses(last: date, calendar: Calendar, pauses: Sequence[DayRange]) -> date:
    """The last day itself; where a pause began on it, the pause's last day, if need be rolled (art. 45 and 203)."""
    end = last
    while pause := is_paused(end + ONE_DAY, pauses):
        end = pause.last
    return last if end == last else _past_pauses(_rolled(end, calendar, pauses), calendar, pauses)


def explain(
    start_on: date, length: int, unit: Unit, calendar: Calendar, *, pauses: Sequence[DayRange] = ()
) -> list[DayLine]:
    """One line a day from the event's day to the due date, counted or not and why; errors as ``due_date``."""
    due = due_date(start_on, length, unit, calendar, pauses=pauses)
    nominal = _nominal_end(start_on, length, unit, calendar, pauses)
    lines = [_line(start_on, None, "事件当日（民法典第二百零一条）", calendar)]
    number = 0
    for day in days_after(start_on):
        pause = is_paused(day, pauses)
        if pause is not None:
            counted, reason = False, f"暂停期间（{pause.ground}）" if pause.ground else "暂停期间"
            if day == due:
                reason += "；期限最后一日起暂停，恢复当日届满（行政许可法第四十五条）"
        elif unit is Unit.WORKING and day <= nominal:
            counted = calendar.is_working(day)
            reason = _what(calendar.info(day))
        else:
            counted = day <= nominal
            reason = _rolling_reason(day, nominal, calendar)
        number += counted
        lines.append(_line(day, number if counted else None, reason, calendar, is_due=day == due))
        if day == due:
            return lines
    raise AssertionError("days never end")  # pragma: no cover


def explain_fixed(start_on: date, fixed_on: date, calendar: Calendar) -> list[DayLine]:
    """The two lines of a day that was agreed, not counted: the event's day and the fixed one, certain in any year."""
    lines = [] if start_on == fixed_on else [_line(start_on, None, "确定日期的当日", calendar)]
    lines.append(_line(fixed_on, None, "约定的固定日期，不逐日计算", calendar, is_due=True))
    return [replace(line, provisional=False) for line in lines]


def _line(day: date, number: int | None, reason: str, calendar: Calendar, *, is_due: bool = False) -> DayLine:
    return DayLine(day, number is not None, number, reason, calendar.is_provisional(day, day), is_due)


def _what(info: DayInfo) -> str:
    """What a day is, in words."""
    if info.kind is DayKind.MAKEUP:
        return f"调休上班日（{info.name}）"
    if info.kind is DayKind.HOLIDAY:
        return f"{info.name}放假"
    return "周末" if info.kind is DayKind.WEEKEND else "工作日"


def _rolling_reason(day: date, nominal: date, calendar: Calendar) -> str:
    """Why a day of a period in calendar days or months is counted, or why one at a period's end is passed over."""
    working = calendar.is_working(day)
    if day < nominal or (day == nominal and working):
        return "自然日"
    if working:
        return "顺延后的第一个工作日"
    what = _what(calendar.info(day))
    return f"期限最后一日是{what}，顺延（民法典第二百零三条）" if day == nominal else f"{what}，继续顺延"
