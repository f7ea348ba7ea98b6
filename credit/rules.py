"""From when a breach may be repaired and until when it is shown, by the rules in force on the day of the finding.

信用修复管理办法 (in force since 2026-04-01): a minor breach is in principle not shown; a general one for 3 months to 1
year, a serious one for 1 to 3 years, counted from the finding. Repair can be asked for once the shortest period is
over; display ends by itself with the longest. Months are counted by 民法典 arts. 201–202: the day of the finding is not
counted, the last day is the corresponding one (or the last of its month). Later versions are rows (``RuleVersion``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from credit.models import Level, RuleVersion
from deadlines.arithmetic import add_months


@dataclass(frozen=True, slots=True)
class Span:
    """Of one level: whether it is shown at all, months until repair may be asked, months until display ends."""

    shown: bool
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the rules; ``starts_on``: the first day of findings that it holds for."""

    starts_on: dt.date
    name: str
    basis: str
    levels: Mapping[str, Span]


@dataclass(frozen=True, slots=True)
class Periods:
    """What a version says of one finding: the first day for a request, the last day of display (None: not shown)."""

    rule: str
    repair_from: dt.date
    shown_until: dt.date | None


FIRST = Version(
    dt.date(2026, 4, 1),
    "信用修复管理办法（2026年4月1日起施行）",
    "信用修复管理办法",
    {Level.MINOR: Span(shown=False, shortest=0, longest=0), Level.GENERAL: Span(shown=True, shortest=3, longest=12),
     Level.SERIOUS: Span(shown=True, shortest=12, longest=36)},
)  # fmt: skip


def versions() -> list[Version]:
    """The built-in version and those that people entered, by their first day; one statement."""
    entered = [
        Version(row.starts_on, row.name, row.basis, {level: Span(*said) for level, said in row.levels.items()})
        for row in RuleVersion.objects.order_by("starts_on")
    ]
    return sorted([FIRST, *entered], key=lambda one: one.starts_on)


def in_force(found: list[Version], day: dt.date) -> Version:
    """The version for a finding of ``day``: the newest that had begun; what was found before all, by the first."""
    begun = [one for one in found if one.starts_on <= day]
    return begun[-1] if begun else found[0]


def periods(version: Version, level: str, found_on: dt.date) -> Periods:
    """The periods of a finding. Raises ``KeyError`` for a level that the version does not know."""
    span = version.levels[level]
    ask = add_months(found_on, span.shortest) + dt.timedelta(days=1) if span.shortest else found_on
    return Periods(version.name, ask, add_months(found_on, span.longest) if span.shown else None)
