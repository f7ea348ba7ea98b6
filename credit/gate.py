"""The credit query of intake: what is known of a subject, and which ways of handling that opens or closes (L7, L12a).

The rule is pure and says only what it proposes; a person decides and may depart from it with reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from credit import handling
from credit.models import CreditRecord, CreditSubject, Grade, HandlingWay

Kind = CreditRecord.Kind
# A record of these kinds closes what is given on the applicant's word alone.
BREACHES: Mapping[str, str] = {Kind.SERIOUS: "严重失信记录", Kind.BROKEN_PROMISE: "违背承诺记录"}
ON_ONES_WORD = frozenset({HandlingWay.PROMISE, HandlingWay.LATER, HandlingWay.GREEN_LANE})
# 信用修复管理办法: no record is shown or used for more than three years from its finding, repaired or not.
LONGEST_USE_YEARS = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A record in use on the day of the query: its kind, the number of what found it, and when."""

    kind: str
    source: str
    basis: str
    found_on: str

    @property
    def label(self) -> str:
        """The kind in Chinese."""
        return str(Kind(self.kind).label)

    @property
    def day(self) -> dt.date:
        """The day on which it was found."""
        return dt.date.fromisoformat(self.found_on)

    @property
    def is_breach(self) -> bool:
        """Whether it closes what is given on the applicant's word."""
        return self.kind in BREACHES


@dataclass(frozen=True, slots=True)
class WayAnswer:
    """Whether one way of handling is open by the rule, with the reasons in Chinese."""

    way: str
    is_open: bool
    reasons: tuple[str, ...]

    @property
    def label(self) -> str:
        """The way in Chinese."""
        return str(HandlingWay(self.way).label)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer as it was seen; kept as JSON with the check."""

    grade: str
    grade_source: str
    asked_on: str
    records: tuple[Seen, ...]
    ways: tuple[WayAnswer, ...]

    @property
    def grade_label(self) -> str:
        """The grade in Chinese; silence is 未评价, never a good grade."""
        return str(Grade(self.grade).label)

    @property
    def kept(self) -> int:
        """How many promises were kept."""
        return sum(seen.kind == Kind.KEPT_PROMISE for seen in self.records)

    @property
    def breaches(self) -> list[Seen]:
        """The records that close the promise way."""
        return [seen for seen in self.records if seen.is_breach]

    def of(self, way: str) -> WayAnswer:
        """The answer about one way."""
        return next(found for found in self.ways if found.way == way)

    def opens(self, way: str) -> bool:
        """Whether the rule opens a way."""
        return self.of(way).is_open

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Answer:
        """Read what ``to_json`` wrote."""
        records = tuple(Seen(**row) for row in said["records"])
        ways = tuple(WayAnswer(row["way"], row["is_open"], tuple(row["reasons"])) for row in said["ways"])
        return cls(said["grade"], said["grade_source"], said["asked_on"], records, ways)


def judge(
    grade: str,
    records: Sequence[Seen],
    table: Mapping[tuple[str, str], handling.Cell],
    *,
    on: dt.date,
    source: str = "",
) -> Answer:
    """Apply the rule: the table grade × way, and no word is taken from who has an unrepaired breach in use."""
    used = tuple(seen for seen in records if in_use(seen, on))
    return Answer(
        grade=grade,
        grade_source=source,
        asked_on=on.isoformat(),
        records=used,
        ways=tuple(_about(HandlingWay(way), grade, used, table) for way in HandlingWay.values),
    )


def in_use(seen: Seen, on: dt.date) -> bool:
    """Whether a breach may still be used on that day; a kept promise always may."""
    return not seen.is_breach or (on.year - LONGEST_USE_YEARS, on.month, on.day) <= (
        seen.day.year,
        seen.day.month,
        seen.day.day,
    )


def _about(
    way: HandlingWay, grade: str, records: Iterable[Seen], table: Mapping[tuple[str, str], handling.Cell]
) -> WayAnswer:
    cell = table[grade, way]
    label = Grade(grade).label
    named = f"信用等级“{label}”" if grade != Grade.NONE else "公共信用平台未评价（不视为良好）"
    against = [
        f"有未修复的{BREACHES[seen.kind]}（{seen.source}，{seen.found_on}认定：{seen.basis}）"
        for seen in records
        if seen.is_breach and way in ON_ONES_WORD
    ]
    if not cell.is_open:
        against.append(f"{named}不适用“{way.label}”（{cell.basis}）")
    if against:
        return WayAnswer(way.value, is_open=False, reasons=tuple(against))
    return WayAnswer(way.value, is_open=True, reasons=(f"{named}，适用“{way.label}”（{cell.basis}）",))


def ask(subject: CreditSubject, now: dt.datetime) -> Answer:
    """Ask what is known of a subject: its newest grade, its unrepaired records, the table; three statements."""
    today = timezone.localtime(now).date()
    newest = subject.grades.order_by("-given_at", "-id").first()
    rows = subject.records.filter(repaired_at__isnull=True).order_by("-found_at", "-id")
    records = [
        Seen(row.kind, row.source, row.basis, timezone.localtime(row.found_at).date().isoformat()) for row in rows
    ]
    grade, source = (newest.grade, newest.source) if newest else (Grade.NONE.value, "")
    return judge(grade, records, handling.table(), on=today, source=source)
