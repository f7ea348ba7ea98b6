"""The city's list of joint measures (联合奖惩措施清单): adding a line, switching one off; nothing begins by it (L12c).

A line is never changed and never deleted: what is to read otherwise is switched off, with its reason, and added anew.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, models, transaction

from credit.actions.measures import refuse_listing
from credit.models import Grade, Level, MeasureKind, MeasureRule
from credit.models.measures import MOST_MONTHS, PENAL_LEVELS, REWARDED_GRADES, SHORTEST_BASIS
from credit.words import said
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed

STREAM = "credit:measure-rules"
LONGEST = {"what": 500, "basis": 200, "reason": 500}


class ListAct(models.TextChoices):
    """Acts on the stream ``credit:measure-rules``."""

    ADDED = "credit.measure_rule_added", "列入联合奖惩措施清单"
    OFF = "credit.measure_rule_off", "停用联合奖惩措施清单中的措施"


@transaction.atomic
def add(
    *, kind: str, level: str, grade: str, what: str, basis: str, months: int | None, by: User, now: dt.datetime
) -> MeasureRule:
    """Add a line: of a penalty the level of the breach, of a reward the grade; proposed to departments from now on.

    Raises ``Refused`` (``measure-kind-missing``, ``measure-rule-level``, ``measure-rule-grade``, ``measure-missing``,
    ``measure-lists``, ``measure-basis-missing``, ``measure-basis-short``, ``measure-rule-months``,
    ``measure-rule-exists``, ``text-too-long``).
    """
    if kind not in MeasureKind.values:
        raise Refused("measure-kind-missing", "请选择联合激励或者联合惩戒。", field="kind")
    level, grade = _ground(kind, level, grade)
    words = said(what, "what", "measure-missing", "请写明采取的措施。", LONGEST["what"])
    refuse_listing(words)
    law = said(basis, "basis", "measure-basis-missing", "请写明法律依据（名称和条款）。", LONGEST["basis"])
    if len(law) < SHORTEST_BASIS:
        raise Refused(
            "measure-basis-short", f"法律依据至少 {SHORTEST_BASIS} 字，请写明法律、法规或者文件的名称和条款。",
            field="basis",
        )  # fmt: skip
    if months is None or not 1 <= months <= MOST_MONTHS:
        raise Refused("measure-rule-months", f"期限为 1 至 {MOST_MONTHS} 个月。", field="months")
    rule = MeasureRule(kind=kind, level=level, grade=grade, what=words, basis=law, months=months)
    try:
        with transaction.atomic():
            save_at(rule, now, by=by)
    except IntegrityError as error:
        raise Refused("measure-rule-exists", "清单里已有这项措施，没有重复列入。", field="what") from error
    data = {"rule": rule.pk, "kind": kind, "level": level, "grade": grade, "what": words, "basis": law}
    record_many([Draft(STREAM, ListAct.ADDED, data | {"months": months}, by)], at=now)
    return rule


def _ground(kind: str, level: str, grade: str) -> tuple[str, str]:
    """Level and grade as the kind needs them. Raises ``Refused``."""
    if kind == MeasureKind.PENALTY:
        if level not in PENAL_LEVELS:
            text = "轻微失信不公示，不能据以惩戒。" if level == Level.MINOR else "请选择一般或者严重。"
            raise Refused("measure-rule-level", text, field="level")
        return level, ""
    if grade not in REWARDED_GRADES:
        text = "请选择优或者良。" if grade not in Grade.values else "联合激励只适用于评价为优或者良的主体。"
        raise Refused("measure-rule-grade", text, field="grade")
    return "", grade


@transaction.atomic
def switch_off(rule: MeasureRule, *, reason: str, by: User, now: dt.datetime) -> MeasureRule:
    """Take a line out of use: it is proposed no more, what was begun by it stays.

    Raises ``Refused`` (``reason-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    rule = MeasureRule.objects.select_for_update().get(pk=rule.pk)
    if not rule.is_on:
        raise TransitionNotAllowed("这项措施已经停用，可能有同事已先一步办理，请刷新查看。")
    why = said(reason, "reason", "reason-missing", "请写明停用的理由。", LONGEST["reason"])
    rule.is_on, rule.off_reason = False, why
    save_at(rule, now, by=by)
    record_many([Draft(STREAM, ListAct.OFF, {"rule": rule.pk, "reason": why}, by)], at=now)
    return rule
