"""The law, counted slowly: one day after the other, straight from the published holidays of 2005–2026.

Nothing of the portal is used. A day counts if the clock was running when it began (at 0:00) and, for a period in
working days, if people worked on it. That one sentence holds three rules: the day of the event does not count
(民法典 art. 201); a pause takes away the days after the one it began on; and with them the day of the resume
(行政许可法 art. 45).
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from chinese_calendar.constants import holidays, workdays

FIRST, LAST = date(2005, 1, 1), date(2026, 12, 31)
ONE = timedelta(days=1)
Steps = list[tuple[date, int | None]]


class BeyondError(LookupError):
    """A day outside 2005–2026 was asked for."""


def every_day() -> list[date]:
    """Every day of 2005–2026."""
    return [FIRST + n * ONE for n in range((LAST - FIRST).days + 1)]


def is_working(day: date) -> bool:
    """Whether people worked on ``day``; raises ``BeyondError``."""
    if not FIRST <= day <= LAST:
        raise BeyondError(day)
    return day in workdays or (day not in holidays and day.weekday() < 5)


def month_end(start: date, months: int) -> date:
    """The same day after so many turns of the month, or the last day of that month (art. 202)."""
    day, turns = start, 0
    while True:
        day += ONE
        turns += day.day == 1
        if turns == months and (day.day == start.day or (day + ONE).day == 1):
            return day


def stopped(events: Iterable[tuple[str, date]]) -> set[date]:
    """The days that began while the clock stood still, from ("pause" | "resume", day) in order.

    A clock that still stands keeps its due date: its last pause takes no day away yet.
    """
    found: set[date] = set()
    began: date | None = None
    for what, day in events:
        if what == "pause":
            began = day
        elif began is not None:
            still = began + ONE
            while still <= day:
                found.add(still)
                still += ONE
            began = None
    return found


def walk(start: date, length: int, unit: str, still: Collection[date] = ()) -> Steps:
    """Each day from the event's to the due date with its number, or None where it is not counted.

    ``unit``: working, calendar or months. The last day must be a working one (art. 203). A clock that was stopped on
    its last day has used all its days and overrun none: it ends on the day of its resume. Raises ``BeyondError``.
    """
    steps: Steps = [(start, None)]
    if unit == "months":
        end = month_end(start, length)
        for day in sorted(still):
            if start < day <= end:
                end += ONE
    day, number = start, 0
    while (day < end) if unit == "months" else (number < length):
        day += ONE
        counts = day not in still and (unit != "working" or is_working(day))
        number += counts
        steps.append((day, number if counts else None))
    lived_to_see_it = False
    while True:
        stands_at_night = day + ONE in still
        if not is_working(day):
            lived_to_see_it = lived_to_see_it and stands_at_night
        elif day not in still:
            lived_to_see_it = True
        if lived_to_see_it and not stands_at_night:
            return steps
        day += ONE
        steps.append((day, None))


def due(start: date, length: int, unit: str, still: Collection[date] = ()) -> date:
    """The last day of the period; raises ``BeyondError``."""
    return walk(start, length, unit, still)[-1][0]


def after(day: date, number: int) -> date:
    """The ``number``-th working day after ``day``; raises ``BeyondError``."""
    while number:
        day += ONE
        number -= is_working(day)
    return day


def before(day: date, number: int) -> date:
    """The ``number``-th working day before ``day``; raises ``BeyondError``."""
    while number:
        day -= ONE
        number -= is_working(day)
    return day


def between(first: date, last: date) -> int:
    """Working days after ``first`` up to ``last``, counted backwards as negative; raises ``BeyondError``."""
    if last < first:
        return -between(last, first)
    found = 0
    while first < last:
        first += ONE
        found += is_working(first)
    return found
