"""In the back office: the opinion and the decision, by people who do not know whose case it is.

Source: 行政许可法 arts. 34, 38; O3.1.2b, O3.1.2c, O3.1.3c.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals import notices, papers
from approvals.actions.finish import complete_case
from approvals.draws import on_duty
from approvals.enums import CaseAct, CaseStatus, DocumentKind
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Decision, Opinion
from approvals.stages import begin, enter, leave
from deadlines import periods
from deadlines.actions import Start, meet_deadline, start_many
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User


def ground_choices(case: Case) -> list[dict[str, str]]:
    """What a rejection may rest on: the item's published conditions and materials (O3.2.1d)."""
    return [
        {"key": f"{ground.kind}:{ground.id}", "text": ground.text} for ground in case.business_item.published_grounds()
    ]


def _grounds(case: Case, keys: Sequence[str]) -> list[dict[str, Any]]:
    choices = {choice["key"]: choice["text"] for choice in ground_choices(case)}
    if unknown := [key for key in keys if key not in choices]:
        raise Refused("ground-not-published", f"理由只能来自已公布的条件和材料；“{unknown[0]}”不在其中。", field="keys")
    return [{"key": key, "text": choices[key]} for key in keys]


def _refuse_while_paused(case: Case) -> None:
    if case.procedure_deadline and case.procedure_deadline.is_open:
        raise Refused("procedure-open", "特别程序还没有结束，期限正在暂停；请先结束特别程序。", conflict=True)


def _start_issuing(case: Case, *, staged: bool, by: User, now: dt.datetime) -> list[Draft]:
    """End the stage of the decision; start the clock of art. 44 and, for a licence, the stage of making it."""
    ended = leave(case, by=by, now=now)
    lengths = periods.load([KindCode.ISSUE, KindCode.STAGE_CERTIFY], division=case.division_id)
    code = case.business_item.code
    starts = [Start(KindCode.ISSUE, case.stream, length=lengths.length(KindCode.ISSUE, case.division_id, code))]
    if staged:
        starts.append(begin(case, KindCode.STAGE_CERTIFY, lengths))
    clocks = start_many(starts, at=now, by=by)
    case.issue_deadline = clocks[0]
    if staged:
        case.stage_deadline = clocks[1]
    return ended


@transaction.atomic
def give_opinion(
    case: Case, *, approve: bool, text: str, by: User, now: dt.datetime, keys: Sequence[str] = ()
) -> Opinion:
    """Write the reviewer's opinion, once; advising against needs its grounds, all of them.

    Raises ``TransitionNotAllowed`` if the case is not in review or has its opinion, ``Refused`` for what is missing.
    """
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.IN_REVIEW or Opinion.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件已经有了审查意见，或者不在审查中；请刷新查看。")
    if case.reviewer_id != by.pk:
        raise TransitionNotAllowed("这件办件没有抽取到您名下，不能由您出具意见。")
    _refuse_while_paused(case)
    if not text.strip():
        raise Refused("opinion-missing", "请写明审查意见。", field="text")
    grounds = _grounds(case, keys)
    if not approve and not grounds:
        raise Refused("grounds-missing", "建议不予许可时，请一次性勾选全部不符合之处。", field="keys")
    if approve and grounds:
        raise Refused("grounds-contradict", "勾选了不符合之处，不能建议准予；请取消勾选，或者建议不予。", field="keys")
    opinion = Opinion.objects.create(
        case=case, approve=approve, text=text.strip(), grounds=[] if approve else grounds, reviewer=by, given_at=now
    )
    ended = enter(case, KindCode.STAGE_DECIDE, by=by, now=now)
    Case.objects.filter(pk=case.pk).update(touched_at=now, stage_deadline=case.stage_deadline)
    act = Draft(case.stream, CaseAct.OPINION_GIVEN, {"approve": approve, "opinion": opinion.pk}, by)
    record_many([*ended, act], at=now)
    return opinion


@transaction.atomic
def decide(case: Case, *, approve: bool, by: User, now: dt.datetime, keys: Sequence[str] = (), text: str = "") -> Case:
    """Decide: approve, or reject with every ground at once; the decision clocks end, the art. 44 clock starts.

    The decider is neither the reviewer nor the clerk who took the case in. An on-the-spot approval is completed in the
    same sitting (O3.1.2b).
    """
    case = Case.objects.lock(case.pk)
    case.move(CaseStatus.APPROVED if approve else CaseStatus.REJECTED, now)
    _refuse_while_paused(case)
    on_the_spot = case.business_item.is_on_the_spot
    if not on_the_spot and not Opinion.objects.filter(case=case).exists():
        raise Refused("opinion-first", "审查意见还没有出具，不能作出决定。")
    if by.pk in {case.reviewer_id, case.intake_by_id}:
        raise Refused("same-person", "收件、审查和决定不能是同一人，请由其他决定人员办理。")
    drawn = Case.objects.filter(on_duty(timezone.localtime(now).date()), pk=case.pk, decider__isnull=False)
    if on_the_spot and case.decider_id not in {None, by.pk} and drawn.exists():
        raise Refused("drawn-to-another", "这件即办件已抽取给另一位值班决定人员。", conflict=True)
    grounds = _grounds(case, keys)
    if not approve and not grounds:
        raise Refused("grounds-missing", "不予许可必须一次性列明全部理由，请逐项勾选。", field="keys")
    if approve and grounds:
        raise Refused(
            "grounds-contradict", "勾选了不予许可的理由，不能决定准予；请取消勾选，或者决定不予。", field="keys"
        )
    Decision.objects.create(
        case=case, approve=approve, grounds=[] if approve else grounds, text=text.strip(), decider=by, decided_at=now
    )
    case.decider = by
    case.decided_at = now
    for clock in (case.statutory_deadline, case.promised_deadline):
        if clock is not None and clock.is_open:
            meet_deadline(clock, at=now, by=by)
    ended = _start_issuing(case, staged=approve and not on_the_spot, by=by, now=now)
    save_at(case, now)
    kind = DocumentKind.APPROVAL if approve else DocumentKind.REJECTION
    _, paper = papers.issue(case, kind, by=by, now=now, points=grounds, text=text.strip())
    act = CaseAct.APPROVED if approve else CaseAct.REJECTED
    record_many([*ended, Draft(case.stream, act, {"grounds": list(keys)}, by), paper], at=now)
    if approve and on_the_spot:
        return complete_case(case, by=by, now=now)
    if not approve:
        notices.to_applicant(case, notices.Kind.REJECTED, now)
    reach("decide.before_commit")
    return case
