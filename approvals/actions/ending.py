"""Ends that no decision makes: the applicant withdraws, or lets the one notice go unanswered past its day.

Source: O2a; 行政许可法 art. 32(4); the notice says in writing what silence means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from approvals import notices, papers
from approvals.enums import CaseAct, CaseStatus, DocumentKind, Door, EndingKind
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Countersignature, Ending, Extension, Opinion, SpecialProcedure
from approvals.promised import points_in_force
from deadlines.actions import cancel_many, meet_deadline
from deadlines.clock import local_date
from deadlines.models import Deadline
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_office

LONGEST_REASON = 300
WITHDRAWABLE = (
    CaseStatus.SUBMITTED,
    CaseStatus.CORRECTION_REQUESTED,
    CaseStatus.ACCEPTED,
    CaseStatus.DEEMED_ACCEPTED,
    CaseStatus.IN_REVIEW,
)
TOO_LATE = {
    CaseStatus.APPROVED: "已经作出准予许可的决定",
    CaseStatus.REJECTED: "已经作出不予许可的决定",
    CaseStatus.COMPLETED: "已经办结",
    CaseStatus.NOT_ACCEPTED: "已经不予受理",
    CaseStatus.WITHDRAWN: "已经撤回",
    CaseStatus.LAPSED: "已经因逾期未补正终止",
    CaseStatus.CANCELLED: "已经撤销办理",
}
WITHDRAWN_MEANWHILE = "申请人已撤回申请"


def may_withdraw(case: Case) -> bool:
    """Whether the applicant may still withdraw: any time before the decision."""
    return case.status in WITHDRAWABLE


@transaction.atomic
def withdraw_case(case: Case, *, by: User | None, door: Door, reason: str, now: dt.datetime) -> Case:
    """End a case because its applicant withdraws it; ``by`` is the clerk at the window, None through the own door.

    Every clock of the case is cancelled, whoever had the case is told. Raises ``TransitionNotAllowed`` after the
    decision, ``Refused`` for a reason that is too long.
    """
    case = Case.objects.lock(case.pk)
    if not may_withdraw(case):
        why = TOO_LATE[CaseStatus(case.status)]
        raise TransitionNotAllowed(f"这件申请{why}，不能再撤回；作出决定之前才可以撤回。")
    if len(reason.strip()) > LONGEST_REASON:
        raise Refused(
            "remark-too-long",
            f"撤回的理由最多 {LONGEST_REASON} 字，现为 {len(reason.strip())} 字，请精简。",
            field="reason",
        )
    holders = _holders(case, now)
    case.move(CaseStatus.WITHDRAWN, now)
    _end_what_goes_on(case, now)
    closed = cancel_many(_open_clocks(case), at=now, reason="withdrawn", by=by)
    data: dict[str, object] = {"door": Door(door).value, "clocks": [clock.pk for clock in closed]}
    _end(
        case, EndingKind.WITHDRAWN, DocumentKind.WITHDRAWAL, CaseAct.WITHDRAWN, data,
        reason=reason.strip(), door=door, by=by, now=now,
    )  # fmt: skip
    notices.tell(case, notices.Kind.WITHDRAWN, "已按您的申请撤回，不再办理；需要时可以重新申请。", "once", now)
    text = f"办件{case.number}已由申请人撤回，不用再办理。"
    notices.tell_people(case, notices.Kind.CASE_ENDED, text, "withdrawn", holders, now)
    reach("withdraw.before_commit")
    return case


def is_silent(case: Case, now: dt.datetime) -> bool:
    """Whether the day for answering the one notice passed without an answer; an unpublished year decides nothing."""
    clock = case.answer_deadline
    return (
        case.status == CaseStatus.CORRECTION_REQUESTED
        and clock is not None
        and clock.is_open
        and not clock.provisional
        and clock.is_overdue(local_date(now))
    )


def refuse_if_silent(case: Case, now: dt.datetime) -> None:
    """Raise ``Refused`` for an answer that comes after its day: the case ends on paper with the next sweep."""
    clock = case.answer_deadline
    if clock is not None and is_silent(case, now):
        raise Refused(
            "answer-too-late",
            f"补正期限已于{papers.cn_day(clock.due_on)}届满，依补正告知书终止办理，不能再补正；您可以重新申请。",
            conflict=True,
        )


@transaction.atomic
def lapse_case(case: Case, *, now: dt.datetime) -> Case:
    """End a case whose applicant did not answer the notice in time, as the notice said; nobody's decision.

    Raises ``TransitionNotAllowed`` when there is an answer, or time left, or the day is not certain.
    """
    case = Case.objects.lock(case.pk)
    late = case.answer_deadline
    if late is None or not is_silent(case, now):
        raise TransitionNotAllowed("这件办件没有逾期未补正的情形，可能刚刚已经补正，请刷新查看。")
    case.move(CaseStatus.LAPSED, now)
    meet_deadline(late, at=now)
    cancel_many(_open_clocks(case), at=now, reason="lapsed")
    data: dict[str, object] = {"due": late.due_on.isoformat()}
    _end(
        case, EndingKind.LAPSED, DocumentKind.TERMINATION, CaseAct.LAPSED, data,
        points=points_in_force(case, case.correction_notice), by=None, now=now,
    )  # fmt: skip
    day = papers.cn_day(late.due_on)
    notices.tell(case, notices.Kind.LAPSED, f"至{day}未补正，已终止办理，您可以重新申请。", "once", now)
    text = f"办件{case.number}至{day}未补正，已按补正告知书终止办理。"
    notices.tell_people(case, notices.Kind.CASE_ENDED, text, "lapsed", [case.intake_by], now)
    reach("lapse.before_commit")
    return case


def _open_clocks(case: Case) -> list[Deadline]:
    """Every clock of a case that is not decided and still runs or stands still."""
    found = (
        case.notice_deadline, case.answer_deadline, case.statutory_deadline, case.promised_deadline,
        case.stage_deadline, case.procedure_deadline, case.promise_deadline,
    )  # fmt: skip
    return [clock for clock in found if clock is not None and clock.is_open]


def _holders(case: Case, now: dt.datetime) -> list[User]:
    """Who has the case now and need not go on: the window; in review whoever was drawn, or the office's deciders."""
    if case.status != CaseStatus.IN_REVIEW:
        return [case.intake_by]
    drawn = [person for person in (case.reviewer, case.decider) if person is not None]
    if case.decider is None and Opinion.objects.filter(case=case).exists():
        deciders = by_office(Posting.Role.DECIDER, {case.review_office_id}, local_date(now))
        drawn += deciders.get(case.review_office_id, [])
    return [case.intake_by, *drawn]


def _end_what_goes_on(case: Case, now: dt.datetime) -> None:
    """End an open special procedure and a request for more time; nobody's answer to either is missing any more."""
    SpecialProcedure.objects.filter(case=case, ended_at__isnull=True).update(ended_at=now, result=WITHDRAWN_MEANWHILE)
    Extension.objects.filter(case=case, granted__isnull=True).update(
        granted=False, answered_at=now, answer=WITHDRAWN_MEANWHILE
    )
    Countersignature.objects.filter(case=case, signed_at__isnull=True).delete()


def _end(
    case: Case,
    kind: EndingKind,
    document: DocumentKind,
    act: CaseAct,
    data: dict[str, object],
    *,
    by: User | None,
    now: dt.datetime,
    reason: str = "",
    door: str = "",
    points: Sequence[dict[str, str]] = (),
) -> None:
    """Write the ending, its paper and the ledger; reminders that nobody sent yet are called back."""
    Ending.objects.create(case=case, kind=kind, reason=reason, door=door, ended_by=by, ended_at=now)
    save_at(case, now)
    _, paper = papers.issue(case, document, by=by, now=now, points=list(points), text=reason)
    record_many([Draft(case.stream, act, data, by), paper], at=now)
    outbox.cancel([case.stream], [notices.Kind.CASE_REMINDER.value])
