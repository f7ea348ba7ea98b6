"""A year of the working calendar as people read it: twelve small tables, and what is special in each month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from deadlines.arithmetic import ONE_DAY, WEEKDAYS, DayInfo
from deadlines.enums import DayKind

# The word that stands in a cell beside the number; a weekend and a plain working day are told by their column.
MARKS = {DayKind.HOLIDAY: "休", DayKind.MAKEUP: "班"}
SPECIAL = tuple(MARKS)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a table: its number, kind, the word beside the number, and the sentence that is read out."""

    day: date
    kind: str
    mark: str
    said: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row of one kind and name."""

    first: date
    last: date
    kind: DayKind
    name: str

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def is_working(self) -> bool:
        """Whether people work on them."""
        return self.kind in {DayKind.WORKDAY, DayKind.MAKEUP}

    @property
    def days_text(self) -> str:
        """``1 日（周四）``, ``1 日至 3 日``."""
        if self.first == self.last:
            return f"{self.first.day} 日（周{WEEKDAYS[self.first.weekday()]}）"
        return f"{self.first.day} 日至 {self.last.day} 日"

    @property
    def text(self) -> str:
        """``1 日至 3 日 元旦，放假 3 天``; ``4 日（周日） 元旦调休，上班``."""
        what = f"放假 {self.length} 天" if self.kind is DayKind.HOLIDAY else "上班"
        return f"{self.days_text} {self.name}，{what}"


@dataclass(frozen=True, slots=True)
class Month:
    """A month: weeks from Monday to Sunday (None where a neighbour's day would stand), its named days."""

    number: int
    weeks: Sequence[Sequence[Cell | None]]
    named: Sequence[Span]
    working: int


def said(info: DayInfo) -> str:
    """``国庆节，放假``, ``国庆节调休，上班``, ``周末``, ``工作日``."""
    if info.kind is DayKind.HOLIDAY:
        return f"{info.name}，放假"
    if info.kind is DayKind.MAKEUP:
        return f"{info.name}，上班"
    return str(info.kind.label)


def spans(days: Iterable[DayInfo]) -> list[Span]:
    """The named days (off and make-up) of ``days``, which are in order, joined where they follow each other."""
    found: list[Span] = []
    for info in days:
        if info.kind not in SPECIAL:
            continue
        last = found[-1] if found else None
        if last and (last.kind, last.name) == (info.kind, info.name) and last.last + ONE_DAY == info.day:
            found[-1] = Span(last.first, info.day, last.kind, last.name)
        else:
            found.append(Span(info.day, info.day, info.kind, info.name))
    return found


def named_spans(days: Mapping[date, str], kind: DayKind) -> list[Span]:
    """As ``spans``, from day → name."""
    return spans(DayInfo(day, kind is DayKind.MAKEUP, kind, days[day]) for day in sorted(days))


def months(days: Iterable[DayInfo], today: date | None = None) -> list[Month]:
    """The months of ``days``, which are in order."""
    return [_month(number, list(rows), today) for number, rows in groupby(days, key=lambda info: info.day.month)]


def _month(number: int, days: list[DayInfo], today: date | None) -> Month:
    cells: list[Cell | None] = [None] * days[0].day.weekday()
    cells += [Cell(info.day, str(info.kind), MARKS.get(info.kind, ""), said(info), info.day == today) for info in days]
    cells += [None] * (-len(cells) % 7)
    weeks = [cells[start : start + 7] for start in range(0, len(cells), 7)]
    return Month(number, weeks, spans(days), sum(info.is_working for info in days))
