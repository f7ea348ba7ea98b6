"""现场核查 by two officers drawn for it. They see the applicant, so they neither score nor decide (art. 34)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q

from approvals import draws, wording
from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Opinion, SiteCheck
from deadlines.clock import local_date
from ledger.draws import draw, entry
from ledger.record import Draft, record_many
from offices.models import Posting, User

PURPOSE = "site_officer"


def plan_site_check(
    case: Case, *, planned_on: dt.date | None, by: User, now: dt.datetime, reason: str = ""
) -> SiteCheck:
    """Plan the site check for a day and draw its two officers; planned anew, with a reason, two are drawn again.

    By the case's reviewer, who learns neither who goes nor whose case it is. Raises ``TransitionNotAllowed`` (not in
    review, advised, reported) or ``Refused`` (the day, the reason, fewer than two officers).
    """
    wording.refuse_applicant(case, {"reason": reason}, by=by, now=now)
    return _plan(case, planned_on=planned_on, by=by, now=now, reason=reason)


@transaction.atomic
def _plan(case: Case, *, planned_on: dt.date | None, by: User, now: dt.datetime, reason: str) -> SiteCheck:
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.IN_REVIEW or case.on_the_spot or Opinion.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件不在审查中，或者已经有了审查意见，不能再安排现场核查；请刷新查看。")
    if case.reviewer_id != by.pk:
        raise TransitionNotAllowed("现场核查由审查人一安排；这件办件没有抽取到您名下。")
    known = SiteCheck.objects.select_for_update().filter(case=case).first()
    if known is not None and known.done_at is not None:
        raise TransitionNotAllowed("现场核查已经报告情况，不能再安排；请刷新查看。")
    _check_day(case, planned_on, local_date(now))
    if known is not None and not reason.strip():
        raise Refused("reason-missing", "重新安排现场核查的，请写明原因。", field="reason")
    (first, second), drafts = _draw_two(case, by=by, now=now)
    check = known or SiteCheck(case=case)
    check.first_id, check.second_id, check.planned_by, check.planned_at = first, second, by, now
    check.planned_on = planned_on or local_date(now)
    _forget(check)
    check.save()
    data = {"first": first, "second": second, "on": f"{check.planned_on:%F}", "again": bool(known)}
    if known is not None:
        data["reason"] = reason.strip()
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([*drafts, Draft(case.stream, CaseAct.SITE_PLANNED, data, by)], at=now)
    return check


def _draw_two(case: Case, *, by: User, now: dt.datetime) -> tuple[list[int], list[Draft]]:
    """Draw two of the office's site officers, by what each still has to visit; nobody who scores or decides."""
    today = local_date(now)
    postings = Posting.objects.active(today).role(Posting.Role.SITE_OFFICER)
    known = SiteCheck.objects.filter(case=case).values_list("first_id", "second_id").first() or ()
    barred = draws.excluded(case) - set(known)
    people = set(
        postings.filter(office_id=case.review_office_id, user__is_active=True).values_list("user_id", flat=True)
    )
    people -= barred
    if len(people) < 2:
        raise Refused("no-site-officers", f"{case.review_office.name}可抽取的现场核查人员不足两名，请联系区划管理员。")
    open_checks = SiteCheck.objects.filter(done_at__isnull=True, case__status=CaseStatus.IN_REVIEW).exclude(case=case)
    loads = dict.fromkeys(people, 0)
    for pair in open_checks.filter(Q(first__in=people) | Q(second__in=people)).values_list("first_id", "second_id"):
        for person in pair:
            if person in loads:
                loads[person] += 1
    drawn, drafts = [], []
    for _ in range(2):
        made = draw(PURPOSE, case.stream, [(pk, load) for pk, load in loads.items() if pk not in drawn], now)
        drawn.append(made.result)
        drafts.append(Draft(case.stream, CaseAct.SITE_DRAWN, entry(made), by))
    return drawn, drafts


def _check_day(case: Case, day: dt.date | None, today: dt.date) -> None:
    """The day is not past, and within the period in which the case has to be decided: no law stops the clock for it."""
    if day is None or day < today:
        raise Refused("site-day", "请选择今天或者今后的日期。", field="planned_on")
    clock = case.statutory_deadline or case.promised_deadline
    if clock is not None and clock.state == "running" and today <= clock.due_on < day:
        raise Refused(
            "site-day",
            f"现场核查不停止计算审批期限，请安排在 {clock.due_on:%Y-%m-%d} 期限届满以前。",
            field="planned_on",
        )


def report_site_check(
    case: Case, *, conforms: bool, findings: str, by: User, now: dt.datetime, place: str = ""
) -> SiteCheck:
    """Report what the two found, by either of them; it stands when the other confirms it (行政许可法 art. 34).

    The findings go to the reviewers: they name no applicant. Raises ``TransitionNotAllowed`` or ``Refused``.
    """
    wording.refuse_applicant(case, {"findings": findings}, by=by, now=now)
    return _report(case, conforms=conforms, findings=findings, by=by, now=now, place=place)


@transaction.atomic
def _report(case: Case, *, conforms: bool, findings: str, by: User, now: dt.datetime, place: str) -> SiteCheck:
    case, check = _locked(case, by)
    if check.reported_at is not None:
        raise TransitionNotAllowed("这件现场核查已经报告，等候另一名核查人员确认；请刷新查看。")
    if local_date(now) < check.planned_on:
        raise Refused("site-too-early", f"现场核查安排在 {check.planned_on:%Y-%m-%d}，请当日到场核查以后再报告。")
    if not findings.strip():
        raise Refused("findings-missing", "请写明核查情况。", field="findings")
    check.conforms, check.findings, check.place = conforms, findings.strip(), place.strip()
    check.reported_by, check.reported_at = by, now
    check.save(update_fields=["conforms", "findings", "place", "reported_by", "reported_at"])
    record_many([Draft(case.stream, CaseAct.SITE_REPORTED, {"conforms": conforms}, by)], at=now)
    return check


@transaction.atomic
def confirm_site_check(case: Case, *, by: User, now: dt.datetime) -> SiteCheck:
    """The other of the two was there as well and found the same: the reviewers may read it now.

    Raises ``TransitionNotAllowed`` where there is nothing of the other's to confirm.
    """
    case, check = _locked(case, by)
    _others_report(check, by)
    check.done_at = now
    check.save(update_fields=["done_at"])
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([Draft(case.stream, CaseAct.SITE_CHECKED, {"conforms": check.conforms}, by)], at=now)
    return check


def return_site_check(case: Case, *, reason: str, by: User, now: dt.datetime) -> SiteCheck:
    """The other of the two did not find it so: the report goes back, with the reason on the ledger.

    Raises ``TransitionNotAllowed`` or ``Refused`` (``reason-missing``).
    """
    wording.refuse_applicant(case, {"reason": reason}, by=by, now=now)
    return _return(case, reason=reason.strip(), by=by, now=now)


@transaction.atomic
def _return(case: Case, *, reason: str, by: User, now: dt.datetime) -> SiteCheck:
    case, check = _locked(case, by)
    _others_report(check, by)
    if not reason:
        raise Refused("reason-missing", "退回核查报告的，请写明与现场不一致之处。", field="reason")
    data = {"reason": reason, "conforms": check.conforms, "findings": check.findings}
    _forget(check)
    check.save()
    record_many([Draft(case.stream, CaseAct.SITE_RETURNED, data, by)], at=now)
    return check


def _locked(case: Case, by: User) -> tuple[Case, SiteCheck]:
    case = Case.objects.lock(case.pk)
    check = SiteCheck.objects.select_for_update().filter(case=case).first()
    if check is None or by.pk not in {check.first_id, check.second_id}:
        raise TransitionNotAllowed("这件现场核查没有抽取到您名下，可能已经重新安排；请刷新查看。")
    if check.done_at is not None or case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed("这件现场核查已经由两人确认，或者办件已经不在审查中；请刷新查看。")
    return case, check


def _others_report(check: SiteCheck, by: User) -> None:
    if check.reported_at is None:
        raise TransitionNotAllowed("这件现场核查还没有报告情况；请刷新查看。")
    if check.reported_by_id == by.pk:
        raise TransitionNotAllowed("您报告的情况须由另一名核查人员确认。")


def _forget(check: SiteCheck) -> None:
    check.conforms, check.findings, check.place, check.reported_by, check.reported_at = None, "", "", None, None
