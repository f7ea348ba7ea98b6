"""How much of each risk class a draw takes and how often a year: a division's own table over the built-in one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from approvals.exceptions import Refused
from credit.models import RiskClass
from ledger.record import Draft, record_many
from ledger.samples import WHOLE
from offices.history import delete_at, save_at
from offices.models import Division, User
from supervision.enums import PlanAct
from supervision.models import DrawPlan, DrawRun, SamplingRule
from supervision.words import seen

BASIS = "平台预置：A 1%、B 5%、C 20%、D 100%；未评定的按 B，不视为低风险"
LONGEST_BASIS = 200
MOST_TIMES = 12
# Class → (hundredths of a percent, times a year). Silence is no low risk: who was never rated is drawn like B.
PROPOSED: dict[str, tuple[int, int]] = {
    RiskClass.A: (100, 1),
    RiskClass.B: (500, 1),
    RiskClass.C: (2000, 2),
    RiskClass.D: (10000, 4),
    RiskClass.NONE: (500, 1),
}
ORDER = tuple(PROPOSED)
UNIFORM = "all"


@dataclass(frozen=True, slots=True)
class Rate:
    """What holds for one class: hundredths of a percent, times a year, on which basis, and whether people set it."""

    risk: str
    ratio: int
    times: int
    basis: str
    rule: SamplingRule | None = None

    @property
    def label(self) -> str:
        """``C（较高）``."""
        return str(RiskClass(self.risk).label)

    @property
    def percent(self) -> str:
        """``20%``."""
        return percent(self.ratio)


def percent(ratio: int) -> str:
    """``0.5%`` of 50 hundredths of a percent."""
    return f"{ratio // 100}.{ratio % 100:02d}".rstrip("0").rstrip(".") + "%"


def table(division_id: int) -> dict[str, Rate]:
    """Class → what holds in the division; one statement."""
    own = {rule.risk: rule for rule in SamplingRule.objects.filter(division_id=division_id)}
    return {
        risk: Rate(risk, own[risk].ratio, own[risk].times_a_year, own[risk].basis, own[risk])
        if risk in own
        else Rate(risk, ratio, times, BASIS)
        for risk, (ratio, times) in PROPOSED.items()
    }


def rates_for(plan: DrawPlan) -> dict[str, Rate]:
    """The rates of a plan by class. In a key field no class is drawn less, or less often, than class C."""
    rates = table(plan.office.department.division_id)
    if not plan.keeps_ratio:
        return rates
    floor = rates[RiskClass.C]
    return {
        risk: Rate(risk, max(rate.ratio, floor.ratio), max(rate.times, floor.times), rate.basis, rate.rule)
        for risk, rate in rates.items()
    }


def least_ratio(division_id: int) -> int:
    """Below which no draw of a key field goes: what the division's table says for class C."""
    return table(division_id)[RiskClass.C].ratio


def used_times(plan: DrawPlan, year: int) -> dict[str, int]:
    """Class → how often the office drew it for this sub-item in that year, by whatever plan; one statement."""
    runs = DrawRun.objects.filter(
        plan__office_id=plan.office_id, plan__sub_item_id=plan.sub_item_id, plan__month__startswith=f"{year}-"
    )
    used = dict.fromkeys(ORDER, 0)
    for pools in runs.values_list("pools", flat=True):
        for risk in drawn_classes(pools):
            used[risk] += 1
    return used


def drawn_classes(pools: dict[str, Any]) -> set[str]:
    """The classes that a run drew: with a uniform ratio all that stood in its pool, all there are if that is not kept.

    ``pools`` as ``DrawRun`` keeps them.
    """
    taken = {group["key"] for group in pools["groups"] if group["taken"]}
    if UNIFORM not in taken:
        return taken
    return {risk for risk in ORDER if pools["classes"][risk]} if "classes" in pools else set(ORDER)


def spent_classes(plan: DrawPlan, year: int) -> set[str]:
    """The classes that had all their draws of that year for the plan's sub-item; two statements."""
    used = used_times(plan, year)
    return {risk for risk, rate in rates_for(plan).items() if used[risk] >= rate.times}


def _checked(risk: str, ratio: int, times: int, basis: str) -> str:
    """The basis, stripped; raises ``Refused`` beside the field at fault."""
    if risk not in PROPOSED:
        raise Refused("sampling-class-unknown", "没有这个风险等级。", field="risk")
    if not 1 <= ratio <= WHOLE:
        raise Refused("sampling-ratio", "抽取比例须在 0.01% 到 100% 之间。", field="ratio")
    if not 1 <= times <= MOST_TIMES:
        raise Refused("sampling-times", f"每年次数须在 1 到 {MOST_TIMES} 之间。", field="times_a_year")
    basis = seen(basis, "basis")
    if not basis:
        raise Refused("sampling-basis-missing", "请写明依据（文件名称、文号或者会议纪要）。", field="basis")
    if len(basis) > LONGEST_BASIS:
        raise Refused("sampling-basis-long", f"依据最多 {LONGEST_BASIS} 字，现为 {len(basis)} 字。", field="basis")
    return basis


@transaction.atomic
def set_rule(
    division: Division, risk: str, *, ratio: int, times_a_year: int, basis: str, by: User, now: dt.datetime
) -> SamplingRule:
    """Set a class's ratio and times a year for the division; draws from now on go by it. Raises ``Refused``."""
    basis = _checked(risk, ratio, times_a_year, basis)
    division = Division.objects.select_for_update().get(pk=division.pk)
    rule = SamplingRule.objects.select_for_update().filter(division=division, risk=risk).first()
    rule = rule or SamplingRule(division=division, risk=risk)
    rule.ratio, rule.times_a_year, rule.basis = ratio, times_a_year, basis
    try:
        with transaction.atomic():
            save_at(rule, now, by=by, reason=basis[:100])
    except IntegrityError as error:
        raise Refused("sampling-changed", "同事刚刚设定了这一等级，请刷新后再办。", conflict=True) from error
    data = {"risk": risk, "ratio": ratio, "times": times_a_year, "basis": basis}
    record_many([Draft(_stream(division), PlanAct.RULE_SET, data, by)], at=now)
    return rule


@transaction.atomic
def unset_rule(rule: SamplingRule, *, reason: str, by: User, now: dt.datetime) -> None:
    """Take a rule back, with a reason; the built-in one holds again. Somebody faster: nothing happens."""
    reason = seen(reason, "basis", "理由")
    if not reason:
        raise Refused("sampling-basis-missing", "请写明收回设定的理由。", field="basis")
    Division.objects.select_for_update().get(pk=rule.division_id)
    held = SamplingRule.objects.filter(pk=rule.pk).first()
    if held is None:
        raise Refused("sampling-changed", "同事刚刚收回了这一设定，请刷新后查看。", conflict=True)
    data = {"risk": held.risk, "reason": reason}
    record_many([Draft(_stream(rule.division), PlanAct.RULE_UNSET, data, by)], at=now)
    delete_at(held, now, by=by, reason=reason[:100])


def _stream(division: Division) -> str:
    """Sampling ratios of a division on the ledger."""
    return f"sampling:{division.pk}"
