"""The credit query of intake: what is known of a subject, and which ways of handling that opens or closes (L7, L12a).

The rule is pure and says only what it proposes; a person decides and may depart from it with reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from credit import asking, handling, platform
from credit.actions.measures import live
from credit.joining import lineage
from credit.models import CreditRecord, CreditSubject, Grade, HandlingWay, Level
from credit.using import LONGEST_USE_YEARS

Kind = CreditRecord.Kind
# A record of these kinds closes what is given on the applicant's word alone, unless it is minor.
BREACHES: Mapping[str, str] = {Kind.SERIOUS: "严重失信记录", Kind.BROKEN_PROMISE: "违背承诺记录"}
# What else closes it: a licence got by false statements (entry of the 目录), and whatever was found serious.
BY_FRAUD = "A02"
ON_ONES_WORD = frozenset({HandlingWay.PROMISE, HandlingWay.LATER, HandlingWay.GREEN_LANE})


@dataclass(frozen=True, slots=True)
class Seen:
    """A record in use on the day of the query: its kind, the number of what found it, and when."""

    kind: str
    source: str
    basis: str
    found_on: str
    level: str = ""
    listed: str = ""
    shown_until: str = ""

    @property
    def label(self) -> str:
        """The kind in Chinese."""
        return str(Kind(self.kind).label)

    @property
    def level_label(self) -> str:
        """How grave it is, in Chinese; empty where nobody said."""
        return str(Level(self.level).label) if self.level else ""

    @property
    def name(self) -> str:
        """What it is called where it closes a way."""
        plain = BREACHES.get(self.kind)
        return plain or f"{self.label}记录（{self.level_label or '以不正当手段取得'}）"

    @property
    def day(self) -> dt.date:
        """The day on which it was found."""
        return dt.date.fromisoformat(self.found_on)

    @property
    def is_breach(self) -> bool:
        """Whether it closes what is given on the applicant's word; a minor one does not (信用修复管理办法)."""
        if self.level == Level.MINOR:
            return False
        return self.kind in BREACHES or self.level == Level.SERIOUS or self.listed == BY_FRAUD

    @property
    def is_against(self) -> bool:
        """Whether it speaks against the subject at all."""
        return self.kind not in {Kind.KEPT_PROMISE, Kind.PRAISE}


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
    said: str = ""  # where the grade comes from and how old it is, while a platform is connected
    measures: tuple[str, ...] = ()  # joint rewards and penalties in force, in Chinese

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
        """As it is kept. Field by field: ``asdict`` copies every word of every record."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {name: [_plain(one) for one in plain[name]] for name in ("records", "ways")}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Answer:
        """Read what ``to_json`` wrote."""
        records = tuple(Seen(**row) for row in said["records"])
        ways = tuple(WayAnswer(row["way"], row["is_open"], tuple(row["reasons"])) for row in said["ways"])
        return cls(
            said["grade"],
            said["grade_source"],
            said["asked_on"],
            records,
            ways,
            said.get("said", ""),
            tuple(said.get("measures", ())),
        )


def _plain(one: Seen | WayAnswer) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def judge(
    grade: str,
    records: Sequence[Seen],
    table: Mapping[tuple[str, str], handling.Cell],
    *,
    on: dt.date,
    source: str = "",
    said: str = "",
    measures: Sequence[str] = (),
) -> Answer:
    """Apply the rule: the table grade × way, and no word is taken from who has an unrepaired breach in use."""
    used = tuple(seen for seen in records if in_use(seen, on))
    return Answer(
        grade=grade,
        grade_source=source,
        asked_on=on.isoformat(),
        records=used,
        ways=tuple(_about(HandlingWay(way), grade, used, table) for way in HandlingWay.values),
        said=said,
        measures=tuple(measures),
    )


def in_use(seen: Seen, on: dt.date) -> bool:
    """Whether a record may still be used on that day: until its display ends; what speaks for a subject always may."""
    if not seen.is_against:
        return True
    if seen.shown_until:
        return on <= dt.date.fromisoformat(seen.shown_until)
    return (on.year - LONGEST_USE_YEARS, on.month, on.day) <= (seen.day.year, seen.day.month, seen.day.day)


def _about(
    way: HandlingWay, grade: str, records: Iterable[Seen], table: Mapping[tuple[str, str], handling.Cell]
) -> WayAnswer:
    cell = table[grade, way]
    label = Grade(grade).label
    named = f"信用等级“{label}”" if grade != Grade.NONE else "公共信用平台未评价（不视为良好）"
    against = [
        f"有未修复的{seen.name}（{seen.source}，{seen.found_on}认定：{seen.basis}）"
        for seen in records
        if seen.is_breach and way in ON_ONES_WORD
    ]
    if not cell.is_open:
        against.append(f"{named}不适用“{way.label}”（{cell.basis}）")
    if against:
        return WayAnswer(way.value, is_open=False, reasons=tuple(against))
    return WayAnswer(way.value, is_open=True, reasons=(f"{named}，适用“{way.label}”（{cell.basis}）",))


def ask(
    subject: CreditSubject,
    now: dt.datetime,
    *,
    latest: asking.Latest | None = None,
    whose: Sequence[int] | None = None,
) -> Answer:
    """Ask what is known of a subject: its grade, its records in use, the table, the joint measures; five statements.

    Records of the codes that it took the place of count for it (``joining``), and so do the penalties in force against
    them; grades and rewards are its own alone.

    While a platform is connected the grade is the one that ``asking`` lets count: the platform's last answer, and none
    where that is too old. ``latest``: what it said when it was asked just now. Records against a subject count however
    long the platform is silent. ``whose``: the lineage of the subject, where it is known already.
    """
    today = timezone.localtime(now).date()
    grade, source, said = _grade(subject, now, latest)
    whose = lineage(subject) if whose is None else whose
    rows = (
        CreditRecord.objects.filter(subject_id__in=whose, repaired_at__isnull=True, withdrawn_at__isnull=True)
        .order_by("-found_at", "-id")
        .values_list("kind", "source", "basis", "found_at", "level", "listed", "shown_until")
    )
    records = [
        Seen(
            kind, by, basis, timezone.localtime(found_at).date().isoformat(), level, listed,
            shown_until.isoformat() if shown_until else "",
        )
        for kind, by, basis, found_at, level, listed, shown_until in rows
    ]  # fmt: skip
    measures = [
        one.words if one.subject_id == subject.pk else f"{one.words}；对原主体{one.subject.public_name}实施，代码已衔接"
        for one in live(subject, today, whose)
    ]
    return judge(grade, records, handling.table(), on=today, source=source, said=said, measures=measures)


def _grade(subject: CreditSubject, now: dt.datetime, latest: asking.Latest | None) -> tuple[str, str, str]:
    """The grade that counts, who gave it, and a sentence about where it comes from."""
    if platform.is_on():
        latest = latest or asking.last_known(subject, now)
        given = latest.answer["grade"] if latest.answer and latest.counts else None
        return (given["grade"], given["source"], latest.words) if given else (Grade.NONE.value, "", latest.words)
    newest = subject.grades.order_by("-given_at", "-id").first()
    return (newest.grade, newest.source, "") if newest else (Grade.NONE.value, "", "")
