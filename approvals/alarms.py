"""Who is reminded of a case's clocks (O3.3.1c): whoever has it; a day late the head; two days late the overseers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from approvals import sheets
from approvals.actions.revoking import handlers_of
from approvals.enums import CaseAct, CaseStatus
from approvals.models import Case, Revocation
from approvals.notices import Kind
from deadlines import calendar as working_calendar
from deadlines.clock import local_date
from deadlines.kinds import STAGES, KindCode
from deadlines.registry import AlarmNotice, register
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications.outbox import Draft, post
from offices.models import Posting, User
from offices.people import Table, by_department, by_office, overseers

OWNERS = {
    KindCode.DECISION_STATUTORY: ("statutory_deadline_id", "法定审批期限"),
    KindCode.DECISION_PROMISED: ("promised_deadline_id", "承诺审批期限"),
    KindCode.CORRECTION_NOTICE: ("notice_deadline_id", "受理答复期限"),
    KindCode.CORRECTION_ANSWER: ("answer_deadline_id", "申请人补正期限"),
    KindCode.ISSUE: ("issue_deadline_id", "制证送达期限"),
    KindCode.SPECIAL_PROCEDURE: ("procedure_deadline_id", "特别程序预计时限"),
} | {kind: ("stage_deadline_id", str(kind.label)) for kind in STAGES}


def when(due_on: dt.date, today: dt.date) -> str:
    """How a reminder says where the deadline stands on the day that it rings, whatever its stage."""
    day = f"{due_on.month}月{due_on.day}日"
    if today < due_on:
        return f"将于{day}到期"
    if today == due_on:
        return "今日到期"
    late = max(1, working_calendar.recent().count(due_on, today))
    return f"已超期{late}个工作日（应于{day}前）"


def holders(case: Case, deciders: Table) -> list[User]:
    """Who has the case now: the window, the reviewer, or the office's deciders."""
    if case.status == CaseStatus.IN_REVIEW:
        has_opinion = getattr(case, "opinion", None) is not None
        if case.reviewer is not None and not has_opinion:
            return [case.reviewer]
        return [case.decider] if case.decider else deciders.get(case.review_office_id, [])
    if case.status == CaseStatus.APPROVED:
        return [person for person in (case.reviewer, case.decider) if person]
    return [case.intake_by]


def alarm_cases(notices: Sequence[AlarmNotice], now: dt.datetime) -> None:
    """Answer a batch of alarms of one kind; statements are constant in the size of the batch."""
    column, label = OWNERS[notices[0].kind]
    by_clock = {notice.deadline_id: notice for notice in notices}
    today = local_date(now)
    cases = list(
        Case.objects.filter(**{f"{column}__in": by_clock}).select_related("reviewer", "decider", "intake_by", "opinion")
    )
    scoring = sheets.waiting(cases)
    deciders = by_office(Posting.Role.DECIDER, {case.review_office_id for case in cases}, today)
    # A stage presses only whoever has the case; the clock of the whole case climbs the ladder.
    climbs = notices[0].kind not in STAGES
    stage_of = {case.pk: by_clock[getattr(case, column)].stage if climbs else 0 for case in cases}
    heads = by_department(
        Posting.Role.DEPARTMENT_HEAD, {case.department_id for case in cases if stage_of[case.pk] >= 1}, today
    )
    late = {case.division_id for case in cases if stage_of[case.pk] >= 2}
    chasers = overseers(late, today) if late else {}
    drafts, acts = [], []
    for case in cases:
        notice = by_clock[getattr(case, column)]
        people = list(scoring.get(case.pk) or holders(case, deciders))
        if stage_of[case.pk] >= 1:
            people += heads.get(case.department_id, [])
        if stage_of[case.pk] >= 2:
            people += chasers.get(case.division_id, [])
        people = list(dict.fromkeys(people))
        drafts += [
            Draft(
                kind=Kind.CASE_REMINDER.value,
                text=f"办件{case.number}的{label}{when(notice.due_on, today)}，请及时办理。",
                dedupe_key=f"alarm:{notice.deadline_id}:{notice.due_on}:{notice.stage}:{person.pk}",
                reference=case.stream,
                to_user=person,
                bundle_key=f"reminder:{person.pk}:{today}",
                due_on=notice.due_on,
            )
            for person in people
        ]
        acts.append(
            LedgerDraft(
                case.stream,
                CaseAct.ALARM,
                {
                    "deadline": notice.deadline_id,
                    "stage": notice.stage,
                    "missed": list(notice.missed),
                    "people": [person.pk for person in people],
                },
            )
        )
    post(drafts, now)
    record_many(acts, at=now)


REVOCATION_OWNERS = {
    KindCode.REVOCATION: ("deadline_id", "撤销建议办理期限"),
    KindCode.REVOCATION_HEARING: ("answer_deadline_id", "持证人陈述申辩期限"),
    KindCode.HEARING_HOLD: ("hearing_deadline_id", "组织听证期限"),
}


def alarm_revocations(notices: Sequence[AlarmNotice], now: dt.datetime) -> None:
    """Answer alarms of proposals to revoke: the deciders of the office, then heads, then overseers."""
    column, label = REVOCATION_OWNERS[notices[0].kind]
    by_clock = {notice.deadline_id: notice for notice in notices}
    today = local_date(now)
    rows = list(Revocation.objects.filter(**{f"{column}__in": by_clock}).select_related("case", "office__department"))
    handlers = handlers_of(rows, today)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {row.office.department_id for row in rows}, today)
    chasers = overseers({row.office.department.division_id for row in rows}, today)
    drafts, acts = [], []
    for row in rows:
        notice = by_clock[getattr(row, column)]
        people = handlers[row.pk]
        if notice.stage >= 1 and notice.kind != KindCode.REVOCATION_HEARING:
            people += heads.get(row.office.department_id, [])
        if notice.stage >= 2:
            people += chasers.get(row.office.department.division_id, [])
        people = list(dict.fromkeys(people))
        drafts += [
            Draft(
                kind=Kind.CASE_REMINDER.value,
                text=f"办件{row.case.number}证照的{label}{when(notice.due_on, today)}，请及时办理。",
                dedupe_key=f"alarm:{notice.deadline_id}:{notice.due_on}:{notice.stage}:{person.pk}",
                reference=row.case.stream,
                to_user=person,
                bundle_key=f"reminder:{person.pk}:{today}",
                due_on=notice.due_on,
            )
            for person in people
        ]
        data = {
            "deadline": notice.deadline_id, "stage": notice.stage, "missed": list(notice.missed),
            "people": [person.pk for person in people],
        }  # fmt: skip
        acts.append(LedgerDraft(row.case.stream, CaseAct.ALARM, data))
    post(drafts, now)
    record_many(acts, at=now)


def connect() -> None:
    """Answer the alarms of the approval side's clocks (from ``apps.py``)."""
    for kind in OWNERS:
        register(kind, alarm_cases)
    for kind in REVOCATION_OWNERS:
        register(kind, alarm_revocations)
