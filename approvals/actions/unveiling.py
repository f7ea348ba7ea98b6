"""Break-glass: the applicant is seen before the decision, with a reason, and the overseers are told (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from approvals import notices, wording
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Unveiling
from credit.models import CreditSubject
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from offices.models import User
from offices.people import overseers

SHORTEST_REASON, LONGEST_REASON = 6, 300


@dataclass(frozen=True, slots=True)
class Unveiled:
    """What one look shows: name and number as any paper of the case names them."""

    name: str
    identifier: str
    kind: str
    at: dt.datetime


def unveil(case: Case, *, by: User, reason: str, now: dt.datetime) -> Unveiled:
    """Show the applicant once to whoever reviews or decides the case; each further look is another act.

    The caller has checked that the case is one of ``by``'s. The reason may not name the applicant: others read it.
    Raises ``Refused`` (``reason-missing``, ``reason-too-short``, ``reason-too-long``, ``text-names-applicant``),
    ``TransitionNotAllowed`` (not in review).
    """
    reason = reason.strip()
    if not reason:
        raise Refused("reason-missing", "请写明为什么必须在决定前知道申请人是谁。", field="reason")
    if len(reason) < SHORTEST_REASON:
        raise Refused("reason-too-short", "理由太短，请写明具体情形，供督办人员核查。", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refused("reason-too-long", f"理由最多 {LONGEST_REASON} 字，请写短一些。", field="reason")
    wording.refuse_applicant(case, {"reason": reason}, by=by, now=now)
    return _show(case, by=by, reason=reason, now=now)


@transaction.atomic
def _show(case: Case, *, by: User, reason: str, now: dt.datetime) -> Unveiled:
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，请刷新查看。")
    look = Unveiling.objects.create(case=case, user=by, reason=reason, at=now)
    record_many([Draft(case.stream, CaseAct.UNVEILED, {"unveiling": look.pk}, by)], at=now)
    people = overseers([case.division_id], local_date(now)).get(case.division_id, [])
    told = f"{case.business_item.name}（{case.number}）在决定前被查看了申请人信息，理由已留痕，请核查。"
    notices.tell_people(case, notices.Kind.UNVEILED, told, str(look.pk), people, now)
    subject = case.applicant
    person = subject.kind == CreditSubject.Kind.PERSON
    return Unveiled(case.public_name, subject.public_identifier, "person" if person else "company", now)
