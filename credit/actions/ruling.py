"""Entering a version of the rules on display and repair: it holds for findings from its first day on, and no other.

What is recorded keeps its periods. A version that has begun stays as it is; one to come may be changed until then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import IntegrityError, models, transaction

from credit.models import Level, RuleVersion
from credit.rules import FIRST, Span
from credit.words import cn_day, said
from deadlines.arithmetic import add_months
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed

STREAM = "credit:rules"
LONGEST = {"name": 120, "basis": 200}
# No record is shown or used for longer (信用修复管理办法).
MOST_MONTHS = 36
LATEST_START_MONTHS = 24


class RuleAct(models.TextChoices):
    """Acts on the stream ``credit:rules``."""

    ENTERED = "credit.rules_entered", "录入信用规则"
    CHANGED = "credit.rules_changed", "调整未施行的信用规则"


@transaction.atomic
def enter(
    version: RuleVersion | None, *, starts_on: dt.date | None, name: str, basis: str, levels: Mapping[str, Span],
    by: User, now: dt.datetime,
) -> RuleVersion:  # fmt: skip
    """Enter a version, or change one (``version``) that has not begun; ``levels``: every level with its span.

    Raises ``Refused`` (``rule-start-wrong``, ``rule-name-missing``, ``rule-basis-missing``, ``rule-span-wrong``,
    ``rule-day-taken``, ``text-too-long``; of a level the field is ``<level>_<part>``), ``TransitionNotAllowed``.
    """
    today = local_date(now)
    if version is not None:
        version = RuleVersion.objects.select_for_update().get(pk=version.pk)
        if version.starts_on <= today:
            raise TransitionNotAllowed(f"这个版本已于{cn_day(version.starts_on)}施行，不能再改；需要的，录入新的版本。")
    if starts_on is None:
        raise Refused("rule-start-wrong", "请填写施行日期。", field="starts_on")
    if starts_on < today:
        raise Refused("rule-start-wrong", "施行日期不能早于今天，规则不溯及既往。", field="starts_on")
    latest = add_months(today, LATEST_START_MONTHS)
    if starts_on > latest:
        raise Refused("rule-start-wrong", f"施行日期最晚为{cn_day(latest)}（两年以内）。", field="starts_on")
    words = said(name, "name", "rule-name-missing", "请填写规则的名称。", LONGEST["name"])
    law = said(basis, "basis", "rule-basis-missing", "请写明依据（文件的名称和文号）。", LONGEST["basis"])
    for level in Level.values:
        _refuse_span(level, levels[level])
    row = version or RuleVersion()
    row.starts_on, row.name, row.basis = starts_on, words, law
    row.levels = {level: [span.shown, span.shortest, span.longest] for level, span in levels.items()}
    try:
        with transaction.atomic():
            if starts_on == FIRST.starts_on:
                raise IntegrityError
            save_at(row, now, by=by)
    except IntegrityError as error:
        raise Refused(
            "rule-day-taken", f"已有{cn_day(starts_on)}起施行的版本，请核对日期。", field="starts_on"
        ) from error
    act = RuleAct.CHANGED if version else RuleAct.ENTERED
    data = {"version": row.pk, "starts_on": starts_on.isoformat(), "levels": row.levels}
    record_many([Draft(STREAM, act, data, by)], at=now)
    return row


def _refuse_span(level: str, span: Span) -> None:
    """Raise ``Refused`` (``rule-span-wrong``) for months that make no sense together."""
    label = Level(level).label
    if not span.shown:
        if span.longest or span.shortest:
            raise Refused("rule-span-wrong", f"{label}不公示的，期限填 0。", field=f"{level}_longest")
        return
    if not 1 <= span.longest <= MOST_MONTHS:
        raise Refused("rule-span-wrong", f"{label}的最长公示期为 1 至 {MOST_MONTHS} 个月。", field=f"{level}_longest")
    if not 0 <= span.shortest < span.longest:
        raise Refused("rule-span-wrong", f"{label}的最短公示期应当短于最长公示期。", field=f"{level}_shortest")
