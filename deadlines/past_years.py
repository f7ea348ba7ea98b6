"""Years of the working calendar as they once were: what a closed clock was counted by, from the rows' histories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from deadlines.arithmetic import DayInfo, Year
from deadlines.enums import DayKind, YearStatus
from deadlines.models import CalendarYear, Day
from deadlines.provisional import provisional_year

NOT_HELD = "0p"


def parts(version: str) -> dict[int, str]:
    """``2026.1+2027.1p`` as year → label; an empty text names no year."""
    split = (part.partition(".") for part in version.split("+") if part)
    return {int(year): label for year, _, label in split}


def years_as_they_were(wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Year]:
    """(Year, label of its version) → the year with the days it had then; what no history tells is left out.

    Two statements, none for a year that was not held (``0p``): it is counted by the law alone, as it was then.
    """
    asked = set(wanted)
    found = {pair: provisional_year(pair[0]) for pair in asked if pair[1] == NOT_HELD}
    asked -= set(found)
    if not asked:
        return found
    versions = Q()
    for number, label in asked:
        versions |= Q(year=number, version=int(label.rstrip("p")))
    kept = CalendarYear.history.filter(versions).order_by("history_date", "history_id")
    moments = {
        (year, f"{version}p" if status == YearStatus.PROVISIONAL else str(version)): at
        for year, version, status, at in kept.values_list("year", "version", "status", "history_date")
    }
    numbers = {number for number, _ in asked}
    days = Day.history.filter(day__gte=date(min(numbers), 1, 1), day__lte=date(max(numbers), 12, 31))
    rows = list(
        days.order_by("history_date", "history_id").values_list("history_date", "day", "is_working", "kind", "name")
    )
    for (number, label), moment in moments.items():
        then = {
            day: DayInfo(day, working, DayKind(kind), name)
            for at, day, working, kind, name in rows
            if day.year == number and at <= moment
        }
        if (number, label) in asked and len(then) == (date(number + 1, 1, 1) - date(number, 1, 1)).days:
            found[number, label] = Year(number, then.values(), version=label, provisional=label.endswith("p"))
    return found
