"""The working calendar of the database, held in memory until a year's version changes."""

import threading
import time
from dataclasses import dataclass

from deadlines.arithmetic import Calendar, DayInfo, Year
from deadlines.enums import DayKind, YearStatus
from deadlines.notice import read_notices
from deadlines.provisional import provisional_year

# Pages may show lights by a calendar this old; whoever starts or recomputes a clock reads the version anew.
RECHECK_SECONDS = 5.0


@dataclass(slots=True)
class _Held:
    key: tuple[object, ...]
    strict: Calendar
    estimating: Calendar
    checked: float


class _Holder:
    """The one calendar of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: _Held | None = None


_holder = _Holder()


def _refreshed() -> _Held:
    """One statement when nothing changed, two when a version did."""
    from deadlines.models import CalendarYear, Day  # noqa: PLC0415 - the models use this module

    rows = list(CalendarYear.objects.order_by("year"))
    key = tuple((row.pk, row.year, row.version, row.status, row.published_at) for row in rows)
    with _holder.lock:
        held = _holder.held
        if held is None or held.key != key:
            days: dict[int, list[DayInfo]] = {row.year: [] for row in rows}
            numbers = {row.pk: row.year for row in rows}
            for day, year, working, kind, name in Day.objects.order_by("day").values_list(
                "day", "year_id", "is_working", "kind", "name"
            ):
                if year in numbers:
                    days[numbers[year]].append(DayInfo(day, working, DayKind(kind), name))
            years = [
                Year(
                    row.year,
                    days[row.year],
                    version=row.version_label,
                    provisional=row.status == YearStatus.PROVISIONAL,
                )
                for row in rows
            ]
            held = _Held(key, Calendar(years), Calendar(years, supply=provisional_year), 0.0)
        held.checked = time.monotonic()
        _holder.held = held
        return held


def load() -> Calendar:
    """The calendar as published now; a year that is not held raises ``MissingYear``. One statement."""
    return _refreshed().strict


def estimating() -> Calendar:
    """As ``load``, but a year that is not held is counted by the provisional rule and marked as such. One statement."""
    return _refreshed().estimating


def recent() -> Calendar:
    """The estimating calendar for showing lights and days: checked again after ``RECHECK_SECONDS`` only."""
    held = _holder.held
    if held is None or time.monotonic() - held.checked > RECHECK_SECONDS:
        held = _refreshed()
    return held.estimating


def forget() -> None:
    """Drop what is held; the next use reads the database."""
    with _holder.lock:
        _holder.held = None


def shipped() -> Calendar:
    """What ``load_calendar`` would put in place, without a database: the shipped years and a provisional one after."""
    years = [Year(year, notice.days(), version="1", provisional=False) for year, notice in read_notices().items()]
    return Calendar([*years, provisional_year(max(year.year for year in years) + 1)])
