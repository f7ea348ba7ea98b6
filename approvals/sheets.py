"""What the score sheets of a case say: totals, mean, vetoes, whether they pass (O3.1.2d, O3.2.1b).

The first seat is ``case.reviewer``; its sheet is written when it is given. Those of the second seat and of the lead
stand from their draw, empty until given. Nobody reads another's sheet before the opinion, but the lead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from approvals.enums import CaseStatus, Seat
from approvals.models import Case, Score, Sheet
from catalogue.models import BusinessItem
from offices.models import User


@dataclass(frozen=True, slots=True)
class Mark:
    """What a reviewer gives for one criterion: points of one of its degrees, or whether a veto criterion is met."""

    points: int | None = None
    met: bool | None = None
    evidence: str = ""


def wants_sheet(item: BusinessItem) -> bool:
    """Whether the reviewers of the item fill in score sheets: it has criteria, or two reviewers."""
    return item.pass_mark is not None or item.reviewers == 2


def given(case_id: int) -> list[Sheet]:
    """The sheets that were given, by seat, with reviewers and scores; two statements."""
    rows = Sheet.objects.filter(case_id=case_id, given_at__isnull=False).select_related("reviewer")
    order = list(Seat)
    return sorted(rows.prefetch_related("scores"), key=lambda sheet: order.index(Seat(sheet.seat)))


def of(case_id: int, user: User) -> Sheet | None:
    """The sheet that a person gave or has to give, where one was written."""
    return Sheet.objects.filter(case_id=case_id, reviewer=user).first()


def given_by(user: User) -> QuerySet[Sheet]:
    """The sheets that a person has given."""
    return Sheet.objects.filter(reviewer=user, given_at__isnull=False)


def half(total: int, parts: int) -> str:
    """A mean of one or two whole numbers as people write it: 80, 82.5."""
    return f"{total / parts:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """What the sheets that count come to: the lead's, or those of the reviewers."""

    sheets: tuple[Sheet, ...]
    failed: tuple[str, ...]

    @classmethod
    def of(cls, sheets: Sequence[Sheet]) -> Result | None:
        """The result of given sheets (with their scores at hand); None without any."""
        lead = [sheet for sheet in sheets if sheet.seat == Seat.LEAD]
        counted = tuple(lead or sheets)
        if not counted:
            return None
        failed = [score.name for sheet in counted for score in sheet.scores.all() if score.met is False]
        return cls(counted, tuple(dict.fromkeys(failed)))

    @property
    def totals(self) -> list[int]:
        """The sums of the sheets that count."""
        return [sheet.total or 0 for sheet in self.sheets]

    @property
    def pass_mark(self) -> int | None:
        """The mark of the day on which the first of them was given; None where nothing is graded."""
        return self.sheets[0].pass_mark

    @property
    def mean(self) -> str:
        """The mean of the sums."""
        return half(sum(self.totals), len(self.totals))

    @property
    def is_enough(self) -> bool:
        """Whether the mean reaches the pass mark."""
        return self.pass_mark is None or sum(self.totals) >= self.pass_mark * len(self.totals)

    @property
    def passes(self) -> bool:
        """Whether nothing was vetoed and the mean reaches the pass mark."""
        return not self.failed and self.is_enough

    @property
    def sentence(self) -> str:
        """「审查人一 85 分、审查人二 80 分，平均 82.5 分，合格分 70 分；一票否决项全部符合。」"""
        parts = []
        if self.pass_mark is not None:
            each = "、".join(f"{sheet.get_seat_display()} {sheet.total} 分" for sheet in self.sheets)
            mean = f"，平均 {self.mean} 分" if len(self.sheets) > 1 else ""
            parts.append(f"{each}{mean}，合格分 {self.pass_mark} 分")
        vetoed = any(score.met is not None for sheet in self.sheets for score in sheet.scores.all())
        if self.failed:
            parts.append(f"一票否决项不符合：{'、'.join(self.failed)}")
        elif vetoed:
            parts.append("一票否决项全部符合")
        return f"{'；'.join(parts)}。" if parts else ""

    def record(self) -> dict[str, Any]:
        """What the ledger keeps of it beside the decision."""
        return {
            "sheets": [sheet.pk for sheet in self.sheets],
            "totals": self.totals,
            "mean": self.mean,
            "pass_mark": self.pass_mark,
            "vetoes": sorted({pk for sheet in self.sheets for pk in sheet.vetoes}),
            "passes": self.passes,
        }


def result(case_id: int) -> Result | None:
    """What the given sheets of a case come to."""
    return Result.of(given(case_id))


def table(sheets: Sequence[Sheet]) -> list[dict[str, Any]]:
    """One row a criterion: ``name``, ``max``, ``is_veto``, ``cells`` (one a sheet: points, met, evidence, missing)."""
    rows: dict[int, dict[str, Any]] = {}
    for place, sheet in enumerate(sheets):
        for score in sheet.scores.all():
            fresh = {"name": score.name, "max": score.max_score, "is_veto": score.met is not None}
            row = rows.setdefault(score.criterion_id, {**fresh, "cells": [None] * len(sheets)})
            row["cells"][place] = score
    for row in rows.values():
        row["cells"] = [
            {"score": cell, "seat": sheets[place].get_seat_display()} for place, cell in enumerate(row["cells"])
        ]
    return list(rows.values())


def arithmetic(sheets: Sequence[Sheet]) -> dict[str, Any] | None:
    """The arithmetic as pages show it: rows, the sheets with their sums, the result; None without sheets."""
    found = Result.of(sheets)
    if found is None:
        return None
    rows = table(sheets)
    return {"rows": rows, "sheets": list(sheets), "result": found, "full": sum(row["max"] for row in rows)}


def diverge(first: Sheet, second: Sheet, divergence: int | None) -> bool:
    """Whether two reviewers are so far apart that the lead is called: in their advice, or by ``divergence`` points."""
    if first.approve != second.approve:
        return True
    return divergence is not None and abs((first.total or 0) - (second.total or 0)) >= divergence


def waiting(cases: Collection[Case]) -> dict[int, list[User]]:
    """Case → who still has a sheet to give on a further seat; and without the first reviewer once that one gave."""
    keys = [case.pk for case in cases if case.status == CaseStatus.IN_REVIEW]
    found: dict[int, list[User]] = {}
    for sheet in Sheet.objects.filter(case_id__in=keys).select_related("reviewer").order_by("pk"):
        people = found.setdefault(sheet.case_id, [])
        if sheet.given_at is None:
            people.append(sheet.reviewer)
    first = set(Sheet.objects.filter(case_id__in=found, seat=Seat.FIRST).values_list("case_id", flat=True))
    for case in cases:
        if case.pk in found and case.pk not in first and case.reviewer is not None:
            found[case.pk].insert(0, case.reviewer)
    return found


def scores_of(sheet: Sheet) -> list[Score]:
    """The sheet's scores in the order of the criteria."""
    return list(sheet.scores.order_by("criterion__order", "pk"))
