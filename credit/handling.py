"""Differential handling, the table grade × way (L12a): as the portal proposes it, overlaid with what people changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, models, transaction

from credit.models import Grade, HandlingRule, HandlingWay
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import User

BASIS = "连政办发〔2022〕67号（差异化审批办理方式）；分档为平台预置，由主管部门调整"
STREAM = "credit:handling"
LONGEST_BASIS = 200
# Way → grades that it is open to. Silence is no good grade: "none" has no green lane.
PROPOSED: dict[str, frozenset[str]] = {
    HandlingWay.PROMISE: frozenset({Grade.EXCELLENT, Grade.GOOD, Grade.FAIR, Grade.NONE}),
    HandlingWay.LATER: frozenset({Grade.EXCELLENT, Grade.GOOD, Grade.NONE}),
    HandlingWay.ON_THE_SPOT: frozenset({Grade.EXCELLENT, Grade.GOOD, Grade.FAIR, Grade.NONE}),
    HandlingWay.GREEN_LANE: frozenset({Grade.EXCELLENT}),
    HandlingWay.FULL: frozenset(Grade.values),
}


class Act(models.TextChoices):
    """Acts on the stream ``credit:handling``."""

    CHANGED = "credit.handling_changed", "调整差异化办理"


class HandlingRefused(Exception):  # noqa: N818 - reads as what happened
    """A change of the table that the law or good order does not allow, in words; ``field`` of the form."""

    def __init__(self, code: str, message: str, field: str) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the table: open or closed, why, and whether people set it."""

    grade: str
    way: str
    is_open: bool
    basis: str
    changed: bool = False


def table() -> dict[tuple[str, str], Cell]:
    """Every cell of the table, grade × way; one statement."""
    changed = {
        (rule.grade, rule.way): Cell(rule.grade, rule.way, rule.is_open, rule.basis, changed=True)
        for rule in HandlingRule.objects.all()
    }
    return {
        (grade, way): changed.get((grade, way), Cell(grade, way, grade in PROPOSED[way], BASIS))
        for grade in Grade.values
        for way in HandlingWay.values
    }


def is_open(grade: str, way: str) -> bool:
    """Whether ``way`` is open to subjects of ``grade``: what people decided, else what the portal proposes."""
    rule = HandlingRule.objects.filter(grade=grade, way=way).first()
    return rule.is_open if rule else grade in PROPOSED[way]


def check_cell(grade: str, way: str, *, is_open: bool, basis: str) -> str:
    """Return the basis without its margins if the cell may be set so.

    Raises ``HandlingRefused``: full materials are open to everybody, and a change says on what it rests.
    """
    if grade not in Grade.values or way not in HandlingWay.values:
        raise HandlingRefused("handling-unknown", "没有这个信用等级或者办理方式。", "way")
    if way == HandlingWay.FULL and not is_open:
        raise HandlingRefused("handling-full", "提交全部材料的方式对任何申请人开放，不能关闭。", "is_open")
    basis = basis.strip()
    if not basis:
        raise HandlingRefused("handling-basis-missing", "请写明调整的依据（文件名称、文号或者会议纪要）。", "basis")
    if len(basis) > LONGEST_BASIS:
        raise HandlingRefused("handling-basis-long", f"依据最多 {LONGEST_BASIS} 字，现为 {len(basis)} 字。", "basis")
    return basis


@transaction.atomic
def set_cell(grade: str, way: str, *, is_open: bool, basis: str, by: User, now: dt.datetime) -> HandlingRule:
    """Open or close a way for a grade, with its basis; it counts for queries from now on, kept ones stay as seen.

    Raises ``HandlingRefused`` as ``check_cell``, and where a colleague set the cell at this moment.
    """
    basis = check_cell(grade, way, is_open=is_open, basis=basis)
    rule = HandlingRule.objects.select_for_update().filter(grade=grade, way=way).first()
    rule = rule or HandlingRule(grade=grade, way=way)
    rule.is_open, rule.basis = is_open, basis
    try:
        with transaction.atomic():
            save_at(rule, now, by=by)
    except IntegrityError as error:
        raise HandlingRefused("handling-changed", "同事刚刚调整了这一格，请刷新后再办。", "basis") from error
    record_many([Draft(STREAM, Act.CHANGED, {"grade": grade, "way": way, "open": is_open, "basis": basis}, by)], at=now)
    return rule
