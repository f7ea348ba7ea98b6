"""上报省主管部门: when a case went up and what came back. It pauses nothing.

Source: 行政许可法 art. 43 (the lower authority examines within its own period); O3.2.1a (the city's five days are off
for what is reported to the province).
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals import wording
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, ProvinceReport
from ledger.record import Draft, record_many
from offices.models import User

LONGEST_NUMBER = 80
LONGEST_ANSWER = 500


def _in_review(case: Case) -> None:
    if not case.business_item.reports_to_province:
        raise Refused("not-reported-to-province", "本事项不须上报省主管部门。")
    if case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不在审查中；请刷新查看。")


def report_to_province(case: Case, *, number: str, by: User, now: dt.datetime) -> ProvinceReport:
    """Put on record that the case went up, under the number of the letter; once a case. No clock moves.

    Raises ``TransitionNotAllowed`` (not in review, reported already) or ``Refused``.
    """
    wording.refuse_applicant(case, {"number": number}, by=by, now=now)
    return _report(case, number=number, by=by, now=now)


@transaction.atomic
def _report(case: Case, *, number: str, by: User, now: dt.datetime) -> ProvinceReport:
    case = Case.objects.lock(case.pk)
    _in_review(case)
    if ProvinceReport.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件已经登记上报，可能有同事已先一步办理，请刷新查看。")
    if not number.strip():
        raise Refused("number-missing", "请填写上报文号。", field="number")
    report = ProvinceReport.objects.create(case=case, number=number.strip(), reported_by=by, reported_at=now)
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([Draft(case.stream, CaseAct.PROVINCE_REPORTED, {"report": report.pk}, by)], at=now)
    return report


def province_answered(case: Case, *, answer: str, by: User, now: dt.datetime) -> ProvinceReport:
    """Put the province's answer on record, once.

    Raises ``TransitionNotAllowed`` (not in review, not reported, answered already) or ``Refused``.
    """
    wording.refuse_applicant(case, {"answer": answer}, by=by, now=now)
    return _answer(case, answer=answer, by=by, now=now)


@transaction.atomic
def _answer(case: Case, *, answer: str, by: User, now: dt.datetime) -> ProvinceReport:
    case = Case.objects.lock(case.pk)
    _in_review(case)
    report = ProvinceReport.objects.select_for_update().filter(case=case, answered_at__isnull=True).first()
    if report is None:
        raise TransitionNotAllowed("这件办件没有等待省主管部门答复的上报，请刷新查看。")
    if not answer.strip():
        raise Refused("answer-missing", "请写明省主管部门的答复。", field="answer")
    report.answer, report.answered_by, report.answered_at = answer.strip(), by, now
    report.save(update_fields=["answer", "answered_by", "answered_at"])
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([Draft(case.stream, CaseAct.PROVINCE_ANSWERED, {"report": report.pk}, by)], at=now)
    return report
