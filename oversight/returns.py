"""How often applicants are sent back, and how else cases end early: counted, each figure with its rows (O2a, O3.1.3e).

A return is the one notice or a refusal; lapses, withdrawals and what was mended on the spot stand beside them, so that
none can hide among the others. Each is counted in the period in which it happened, against what was received in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Value

from approvals.actions.mending import LABELS as MENDED
from approvals.enums import Door, EndingKind
from approvals.models import Case, CorrectionNotice, Ending, Mending, NotAccepted
from offices import kept
from offices.access import Access, covered
from offices.models import Department, Division, Posting
from oversight.queries import Period, divisions_of, opening_of_day

Role = Posting.Role


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a list: the case, what happened, who did it, when."""

    case: Case
    text: str
    who: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """What is counted: its rows, the way from a row to its case and its moment, and how a row reads."""

    key: str
    label: str
    about: str
    rows: Callable[[], QuerySet[Any]]
    case: str
    at: str
    joins: Sequence[str]
    line: Callable[[Any], Line]

    @property
    def order(self) -> tuple[str, str]:
        """Newest first."""
        return f"-{self.at}", "-id"

    def of(self, access: Access, period: Period) -> QuerySet[Any]:
        """The rows of the person's divisions in the period."""
        return self.within(covered(access, Role.OVERSEER), period)

    def within(self, divisions: Iterable[int] | QuerySet[Division], period: Period) -> QuerySet[Any]:
        """The rows of these divisions in the period."""
        first = {f"{self.at}__gte": opening_of_day(period.first)} if period.first else {}
        until = {f"{self.at}__lt": opening_of_day(period.last + dt.timedelta(days=1))}
        return self.rows().filter(**{f"{self.case}division__in": divisions}, **first, **until)


def _received(case: Case) -> Line:
    return Line(case, case.get_way_display(), case.intake_by.full_name, case.received_at)


def _corrected(row: CorrectionNotice) -> Line:
    points = "；".join(point["text"] for point in row.points)
    answered = "已补正" if row.answered_at else "尚未补正"
    return Line(row.case, f"{len(row.points)} 项（{answered}）：{points}", row.issued_by.full_name, row.issued_at)


def _refused(row: NotAccepted) -> Line:
    return Line(row.case, f"{row.get_ground_display()}。{row.reason}", row.issued_by.full_name, row.issued_at)


def _ended(row: Ending) -> Line:
    if row.kind == EndingKind.LAPSED:
        return Line(row.case, "逾期未补正，按补正告知书终止", "系统", row.ended_at)
    who = row.ended_by.full_name if row.ended_by else "申请人"
    door = Door(row.door).label if row.door else ""
    return Line(row.case, f"{door}：{row.reason}" if row.reason else door, who, row.ended_at)


def _mended(row: Mending) -> Line:
    return Line(row.case, "、".join(MENDED.get(name, name) for name in row.fields), row.by.full_name, row.at)


ABOUT = ("case__business_item", "case__department")
KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "received", "收件", "本期收下的申请，作为各项占比的分母", Case.objects.all, "", "received_at",
            ("business_item", "department", "intake_by"), _received,
        ),
        Kind(
            "corrections", "补正告知", "一次性告知补正的申请，每件最多一次", CorrectionNotice.objects.all, "case__",
            "issued_at", (*ABOUT, "issued_by"), _corrected,
        ),
        Kind(
            "refusals", "不予受理", "不予受理的申请，须有法定理由和具体说明", NotAccepted.objects.all, "case__",
            "issued_at", (*ABOUT, "issued_by"), _refused,
        ),
        Kind(
            "lapses", "逾期终止", "告知后逾期未补正、按告知书终止的申请",
            lambda: Ending.objects.filter(kind=EndingKind.LAPSED), "case__", "ended_at", (*ABOUT, "ended_by"), _ended,
        ),
        Kind(
            "withdrawals", "撤回", "申请人在决定前撤回的申请；窗口不得劝其撤回",
            lambda: Ending.objects.filter(kind=EndingKind.WITHDRAWN), "case__", "ended_at", (*ABOUT, "ended_by"),
            _ended,
        ),
        Kind(
            "mended", "当场更正", "联系人、电话、申请内容的小错误，当场改正，不算补正告知", Mending.objects.all,
            "case__", "at", (*ABOUT, "by"), _mended,
        ),
    )
}  # fmt: skip


def lines(kind: Kind, rows: QuerySet[Any]) -> QuerySet[Any]:
    """``rows`` with what a line shows, and nothing of the applicant."""
    return rows.select_related(*kind.joins).defer(*(f"{kind.case}{name}" for name in ("contact_phone", "content")))


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one department, or of all."""

    name: str
    department: Department | None
    counts: dict[str, int]

    def share(self, key: str) -> str:
        """How much that is of what was received."""
        received = self.counts["received"]
        return f"{self.counts[key] / received:.1%}" if received else ""


Counted = Mapping[str, Mapping[int, int]]


def counted(access: Access, period: Period) -> Counted:
    """Kind → department → how many, in all the person's divisions; two statements."""
    divisions = tuple(one.pk for one in divisions_of(access, Role.OVERSEER))

    def parts() -> QuerySet[Any, tuple[str, int, int]]:
        counts = [
            kind.within(divisions, period)
            .order_by()
            .annotate(counted_as=Value(key))
            .values_list("counted_as", f"{kind.case}department")
            .annotate(found=Count("pk"))
            for key, kind in KINDS.items()
        ]
        every: QuerySet[Any, tuple[str, int, int]] = counts[0].union(*counts[1:], all=True)
        return every

    found: dict[str, dict[int, int]] = {key: {} for key in KINDS}
    for key, department, number in kept.ask((counted, divisions, period), parts):
        found[key][department] = number
    return found


def figures(numbers: Counted, departments: Iterable[Department]) -> list[Figures]:
    """The figures of these departments."""
    return [Figures(one.name, one, {key: numbers[key].get(one.pk, 0) for key in KINDS}) for one in departments]


def totals(numbers: Counted, name: str) -> Figures:
    """The figures of all the person's divisions."""
    return Figures(name, None, {key: sum(numbers[key].values()) for key in KINDS})
