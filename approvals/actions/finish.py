"""To the end: issue the licence and complete, tell the supervising side in the same transaction, hand over.

Source: 行政许可法 art. 44; L9a; O3.1.2a, O3.1.3d.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from approvals import notices, papers
from approvals.enums import OWED, CaseAct, CaseStatus, DeliveryMethod, DocumentKind, MaterialState, Outcome
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.lacking import refuse_lacking
from approvals.models import Case, CaseMaterial, Delivery, LaterSubmission, Licence, PromiseLapse
from approvals.numbers import licence_number
from approvals.signals import case_completed
from approvals.stages import leave
from approvals.writing import Writing
from deadlines import calendar as working_calendar
from deadlines.actions import meet_deadline, start_deadline
from deadlines.arithmetic import add_months
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User

# However late the licence came, whoever may bring secondary materials after it has so many working days for them.
LEAST_AFTER_LICENCE = 5


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


def _owed(case: Case) -> list[CaseMaterial]:
    """What the applicant still owes, deferred or later, in order; one statement."""
    return list(case.materials.filter(state__in=OWED))


def _begin_later(case: Case, lines: list[CaseMaterial], *, by: User | None, now: dt.datetime) -> None:
    """Start the clock of what may follow the licence (O3.1.3a), on the written day, and tell the applicant.

    A licence that came late takes no time away from the applicant: the day is never nearer than five working days.
    """
    if not any(line.state == MaterialState.LATER for line in lines):
        return
    later = LaterSubmission.objects.get(case=case)
    earliest = working_calendar.estimating().after(local_date(now), LEAST_AFTER_LICENCE)
    later.until = max(later.until, earliest)
    later.deadline = start_deadline(KindCode.LATER_SUBMISSION, at=now, stream=case.stream, by=by, fixed_on=later.until)
    later.save(update_fields=["until", "deadline"])
    names = notices.names_of_lines([line for line in lines if line.state == MaterialState.LATER])
    follows = notices.for_people(later.consequence)
    text = f"已办结，容缺的{names}请{notices.latest(later.until)}补交。逾期的后果：{follows}"
    notices.tell(case, notices.Kind.LATER_STARTED, text, "once", now)


def _finish(
    case: Case,
    outcome: Outcome,
    drafts: list[Draft],
    *,
    by: User | None,
    now: dt.datetime,
    issuer: User | None = None,
    owed: list[CaseMaterial] | None = None,
) -> Licence | None:
    """Move to completed, send the signal inside the transaction, and write everything.

    ``issuer`` answers for the licence where ``by`` is no officer of the authority; ``owed`` where it was read before.
    """
    case.move(CaseStatus.COMPLETED, now)
    case.outcome = outcome
    case.completed_at = now
    licence = None
    if outcome in {Outcome.LICENSED, Outcome.FILED}:
        officer = issuer or by
        if officer is None:
            raise ValueError("a licence needs an officer who answers for it")
        licence = _issue_licence(case, by=officer, now=now)
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
    if licence is not None:
        _begin_later(case, _owed(case) if owed is None else owed, by=by, now=now)
    reach("complete.before_commit")
    transaction.on_commit(lambda: reach("complete.after_commit"))
    return licence


@transaction.atomic
def complete_case(case: Case, *, by: User, now: dt.datetime) -> Case:
    """Complete an approved case: the licence is issued and goes to the delivery counter, the supervision tasks open.

    All in one transaction: a completed case without its tasks cannot exist (L9a).
    Raises ``TransitionNotAllowed`` if somebody completed it before, ``Refused`` while the licence waits for what was
    promised for later, a required material is lacking, or for a person's word on a promised day that passed (L8a, L8c).
    """
    # Asked with the lock: nothing becomes owed after the acceptance, so a stale yes is read again and a no is certain.
    lines = CaseMaterial.objects.filter(case=OuterRef("pk"))
    case = Case.objects.annotate(
        owes=Exists(lines.filter(state__in=OWED)),
        lacks=Exists(lines.filter(state=MaterialState.MISSING, required=True)),
    ).lock(case.pk, "stage_deadline")
    if case.status != CaseStatus.APPROVED:
        raise TransitionNotAllowed(
            f"这件办件现在是“{case.get_status_display()}”，不能办结；可能有同事已先一步办理，请刷新查看。"
        )
    owed = _owed(case) if case.owes else []  # type: ignore[attr-defined]
    if deferred := [line for line in owed if line.state == MaterialState.DEFERRED]:
        raise Refused(
            "deferred-owed",
            f"申请人承诺延期提交的材料还有 {len(deferred)} 项没有补齐，补齐之时证件自动颁发，现在不能制证办结。",
            conflict=True,
        )
    if case.lacks:  # type: ignore[attr-defined]
        refuse_lacking(case.pk)
    if case.promise_deadline_id and PromiseLapse.objects.filter(case=case, cancel__isnull=True).exists():
        raise Refused("promise-lapse-open", "承诺的补交期限已过，请先由决定人员决定是否撤销办理。", conflict=True)
    _finish(case, Outcome.LICENSED, [], by=by, now=now, owed=owed)
    return case


def complete_on_arrival(case: Case, *, by: User | None, now: dt.datetime) -> None:
    """Issue the licence of a locked approved case in which nothing deferred is owed any more (L8a).

    The moment is the applicant's, whoever took the material in; the licence is the decider's, who approved it.
    Called inside the transaction of ``hand_in`` and ``settle_promise_lapse``.
    """
    _finish(case, Outcome.LICENSED, [], by=by, now=now, issuer=case.decider)


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
