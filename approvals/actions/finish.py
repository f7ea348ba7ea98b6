"""To the end: issue the licence and complete, tell the supervising side in the same transaction, hand over.

Source: 行政许可法 art. 44; L9a; O3.1.2a, O3.1.3d.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from approvals import notices, papers
from approvals.enums import CaseAct, CaseStatus, DeliveryMethod, DocumentKind, Outcome
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Delivery, Licence
from approvals.numbers import licence_number
from approvals.signals import case_completed
from approvals.stages import leave
from approvals.writing import Writing
from deadlines.actions import meet_deadline
from deadlines.arithmetic import add_months
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User


def _issue_licence(case: Case, *, by: User, now: dt.datetime) -> Licence:
    today = timezone.localtime(now).date()
    months = case.business_item.validity_months
    licence = Licence(
        number=licence_number(case.division.code, now),
        case=case,
        kind=case.business_item.result_name[:80],
        holder_id=case.applicant_id,
        holder_name=case.applicant_name,
        department_id=case.department_id,
        content=case.content,
        issued_at=now,
        issued_by=by,
        valid_from=today,
        valid_to=add_months(today, months) - dt.timedelta(days=1) if months else None,
    )
    save_at(licence, now)
    return licence


def _finish(case: Case, outcome: Outcome, drafts: list[Draft], *, by: User, now: dt.datetime) -> Licence | None:
    """Move to completed, send the signal inside the transaction, and write everything."""
    case.move(CaseStatus.COMPLETED, now)
    case.outcome = outcome
    case.completed_at = now
    licence = None
    if outcome in {Outcome.LICENSED, Outcome.FILED}:
        licence = _issue_licence(case, by=by, now=now)
        drafts.append(Draft(case.stream, CaseAct.LICENCE_ISSUED, {"licence": licence.number}, by))
    save_at(case, now)
    drafts += leave(case, by=by, now=now)
    drafts.append(Draft(case.stream, CaseAct.COMPLETED, {"outcome": outcome.value}, by))
    writing = Writing(drafts)
    if licence is not None:
        reach("complete.before_signal")
        case_completed.send(sender=Case, case=case, licence=licence, by=by, now=now, writing=writing)
        writing.messages.append(notices.draft_to_applicant(case, notices.Kind.COMPLETED))
    writing.write(now)
    reach("complete.before_commit")
    transaction.on_commit(lambda: reach("complete.after_commit"))
    return licence


@transaction.atomic
def complete_case(case: Case, *, by: User, now: dt.datetime) -> Case:
    """Complete an approved case: the licence is issued and goes to the delivery counter, the supervision tasks open.

    All in one transaction: a completed case without its tasks cannot exist (L9a).
    Raises ``TransitionNotAllowed`` if somebody completed it before.
    """
    case = Case.objects.lock(case.pk, "stage_deadline")
    if case.status != CaseStatus.APPROVED:
        raise TransitionNotAllowed(
            f"这件办件现在是“{case.get_status_display()}”，不能办结；可能有同事已先一步办理，请刷新查看。"
        )
    _finish(case, Outcome.LICENSED, [], by=by, now=now)
    return case


def file_case(case: Case, *, by: User, now: dt.datetime) -> Case:
    """End an accepted filing: the 备案凭证 is given and the tasks open as for a licence (O3.1.1c, O3.3.3).

    Called by ``accept_case`` inside its transaction, with the row locked.
    """
    _, paper = papers.issue(case, DocumentKind.FILING, by=by, now=now)
    _finish(case, Outcome.FILED, [paper], by=by, now=now)
    return case


@transaction.atomic
def deliver(case: Case, *, method: str, receiver: str, by: User, now: dt.datetime, tracking: str = "") -> Case:
    """Hand the result over, once (O3.1.3d); serving a rejection completes its case.

    Raises ``Refused`` for what is missing and ``TransitionNotAllowed`` if it was delivered before.
    """
    case = Case.objects.lock(case.pk)
    if case.status not in {CaseStatus.COMPLETED, CaseStatus.REJECTED}:
        raise TransitionNotAllowed("这件办件还没有可以送达的结果。")
    if Delivery.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件的结果已经送达，不能重复送达。")
    if method not in DeliveryMethod.values:
        raise Refused("method-missing", "请选择送达方式。", field="method")
    if not receiver.strip():
        raise Refused("receiver-missing", "请填写领取人或收件人姓名。", field="receiver")
    if method == DeliveryMethod.POST and not tracking.strip():
        raise Refused("tracking-missing", "邮寄送达请填写邮件号。", field="tracking")
    Delivery.objects.create(
        case=case,
        method=method,
        receiver=receiver.strip(),
        tracking=tracking.strip(),
        delivered_by=by,
        delivered_at=now,
    )
    case.delivered_at = now
    if case.issue_deadline and case.issue_deadline.is_open:
        meet_deadline(case.issue_deadline, at=now, by=by)
    drafts = [Draft(case.stream, CaseAct.DELIVERED, {"method": method}, by)]
    if case.status == CaseStatus.REJECTED:
        _finish(case, Outcome.REFUSED, drafts, by=by, now=now)
        return case
    case.touched_at = now
    save_at(case, now)
    record_many(drafts, at=now)
    return case
