"""What an opinion and a score sheet have in common: grounds from the published list, nothing while clocks stand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from approvals.enums import CaseAct, MaterialState
from approvals.exceptions import Refused
from approvals.lacking import refuse_lacking, refuse_without_promise
from approvals.models import Case, Opinion, SiteCheck
from approvals.stages import enter
from catalogue.enums import GroundKind
from deadlines.kinds import KindCode
from ledger.record import Draft
from offices.models import User


def ground_choices(case: Case) -> list[dict[str, str]]:
    """What a rejection may rest on: the item's published conditions and materials (O3.2.1d)."""
    return [
        {"key": f"{ground.kind}:{ground.id}", "text": ground.text} for ground in case.business_item.published_grounds()
    ]


def grounds_of(case: Case, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The ticked grounds with their words, a material's with what is wrong with it.

    Raises ``Refused`` for one that is not published.
    """
    choices = {choice["key"]: choice["text"] for choice in ground_choices(case)}
    if unknown := [key for key in keys if key not in choices]:
        raise Refused("ground-not-published", f"理由只能来自已公布的条件和材料；“{unknown[0]}”不在其中。", field="keys")
    states = {f"{GroundKind.MATERIAL.value}:{pk}": state for pk, state in _states(case)} if keys else {}
    return [{"key": key, "text": _wrong(key, choices[key], states)} for key in keys]


def _states(case: Case) -> list[tuple[int | None, str]]:
    return list(case.materials.filter(material__isnull=False).values_list("material_id", "state"))


def _wrong(key: str, name: str, states: Mapping[str, str]) -> str:
    """A ground as the papers say it: a condition in its own words, a material as not handed in or not in order."""
    if not key.startswith(f"{GroundKind.MATERIAL.value}:"):
        return name
    state = states.get(key, MaterialState.MISSING)
    if state in {MaterialState.MISSING, MaterialState.DEFERRED, MaterialState.LATER}:
        return f"未提交：{name}"
    if state == MaterialState.PROMISED:
        return f"以承诺代替的材料不符合要求：{name}"
    return f"提交的材料不符合要求：{name}" if state != MaterialState.NOT_NEEDED else f"缺少：{name}"


def refuse_while_paused(case: Case) -> None:
    """Refuse while a special procedure goes on."""
    if case.procedure_deadline and case.procedure_deadline.is_open:
        raise Refused("procedure-open", "特别程序还没有结束，期限正在暂停；请先结束特别程序。", conflict=True)


def refuse_while_site_check(case: Case) -> None:
    """Refuse before the findings of a site check that the item asks for, or that was planned (art. 34)."""
    done = SiteCheck.objects.filter(case=case).values_list("done_at", flat=True).first()
    planned = SiteCheck.objects.filter(case=case).exists()
    if planned and done is None:
        raise Refused("site-check-first", "现场核查已经安排，还没有报告情况；请等核查结果出来再办理。")
    if not planned and case.business_item.site_check:
        raise Refused("site-check-first", "本事项须由两名以上工作人员现场核查，请先安排现场核查。")


def advice_of(case: Case, *, approve: bool, text: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Check an advice in words: advising against needs its grounds, all of them; return them."""
    if not text.strip():
        raise Refused("opinion-missing", "请写明审查意见。", field="text")
    grounds = grounds_of(case, keys)
    if not approve and not grounds:
        raise Refused("grounds-missing", "建议不予许可时，请一次性勾选全部不符合之处。", field="keys")
    if approve and grounds:
        raise Refused("grounds-contradict", "勾选了不符合之处，不能建议准予；请取消勾选，或者建议不予。", field="keys")
    if approve:
        refuse_lacking(case.pk)
        refuse_without_promise(case)
    return grounds


def write_opinion(
    case: Case,
    *,
    approve: bool,
    text: str,
    grounds: list[dict[str, Any]],
    reviewer: User,
    by: User,
    now: dt.datetime,
) -> list[Draft]:
    """Write the case's one opinion and enter the stage of the decision; the caller saves the stage and the entries."""
    opinion = Opinion.objects.create(
        case=case, approve=approve, text=text, grounds=grounds, reviewer=reviewer, given_at=now
    )
    ended = enter(case, KindCode.STAGE_DECIDE, by=by, now=now)
    act = Draft(case.stream, CaseAct.OPINION_GIVEN, {"approve": approve, "opinion": opinion.pk}, by)
    return [*ended, act]
