"""In the back office: the opinion and the decision, by people who do not know whose case it is.

Source: 行政许可法 arts. 34, 38; O3.1.2b, O3.1.2c, O3.1.3c.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals import notices, papers, wording
from approvals.actions.advice import (
    advice_of,
    ground_choices,
    grounds_of,
    refuse_while_paused,
    refuse_while_site_check,
    write_opinion,
)
from approvals.actions.countersigning import knows_the_case, refuse_while_waiting
from approvals.actions.finish import complete_case
from approvals.actions.owing import forgive_promise, outstanding
from approvals.barring import bar_of
from approvals.draws import on_duty, stands_aside
from approvals.enums import CaseAct, CaseStatus, DocumentKind, MaterialState
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.lacking import refuse_lacking, refuse_without_promise
from approvals.models import Case, CaseMaterial, Decision, Opinion, Sheet, SiteCheck
from approvals.promised import last_lawful_day
from approvals.sheets import Result, result, wants_sheet
from approvals.stages import begin, leave
from deadlines import periods
from deadlines.actions import Start, meet_deadline, start_many
from deadlines.clock import local_date
from deadlines.enums import Unit
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User

__all__ = ["decide", "give_opinion", "ground_choices"]


def _start_issuing(
    case: Case, *, staged: bool, by: User, now: dt.datetime, until: dt.date | None = None
) -> list[Draft]:
    """End the stage of the decision; start the clock of art. 44 and, for a licence, the stage of making it.

    ``until``: a licence that waits for deferred materials has the last lawful day instead (L8a).
    """
    ended = leave(case, by=by, now=now)
    lengths = periods.load([KindCode.ISSUE, KindCode.STAGE_CERTIFY], division=case.division_id)
    code = case.business_item.code
    starts = [Start(KindCode.ISSUE, case.stream, length=lengths.length(KindCode.ISSUE, case.division_id, code))]
    if until is not None:
        starts = [Start(KindCode.ISSUE, case.stream, unit=Unit.FIXED, fixed_on=max(until, local_date(now)))]
    if staged:
        starts.append(begin(case, KindCode.STAGE_CERTIFY, lengths))
    clocks = start_many(starts, at=now, by=by)
    case.issue_deadline = clocks[0]
    if staged:
        case.stage_deadline = clocks[1]
    return ended


def give_opinion(
    case: Case, *, approve: bool, text: str, by: User, now: dt.datetime, keys: Sequence[str] = ()
) -> Opinion:
    """Write the reviewer's opinion, once; advising against needs its grounds, all of them.

    An item with criteria, or with two reviewers, has score sheets instead (``scoring.give_sheet``). Raises
    ``TransitionNotAllowed`` if the case is not in review or has its opinion, ``Refused`` for what is missing, and for
    a text that names the applicant.
    """
    wording.refuse_applicant(case, {"text": text}, by=by, now=now)
    return _give_opinion(case, approve=approve, text=text, by=by, now=now, keys=keys)


@transaction.atomic
def _give_opinion(case: Case, *, approve: bool, text: str, by: User, now: dt.datetime, keys: Sequence[str]) -> Opinion:
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.IN_REVIEW or Opinion.objects.filter(case=case).exists():
        raise TransitionNotAllowed("这件办件已经有了审查意见，或者不在审查中；请刷新查看。")
    if case.reviewer_id != by.pk:
        raise TransitionNotAllowed("这件办件没有抽取到您名下，不能由您出具意见。")
    refuse_while_paused(case)
    if wants_sheet(case.business_item) or Sheet.objects.filter(case=case).exists():
        raise Refused("sheet-needed", "本事项按公布的裁量准则评分，意见随评分表一并出具；请逐项评分。")
    refuse_while_site_check(case)
    grounds = advice_of(case, approve=approve, text=text, keys=keys)
    drafts = write_opinion(case, approve=approve, text=text.strip(), grounds=grounds, reviewer=by, by=by, now=now)
    Case.objects.filter(pk=case.pk).update(touched_at=now, stage_deadline=case.stage_deadline)
    record_many(drafts, at=now)
    return Opinion.objects.get(case=case)


def _refuse_unready(case: Case, *, approve: bool, text: str) -> Result | None:
    """Refuse before every answer that the item asks for is in; return what the sheets come to.

    Approval against the recorded scores is refused; against a countersigning office or the findings of the site check
    it needs its reasons in words (O3.1.2d).
    """
    refuse_while_waiting(case)
    refuse_while_site_check(case)
    found = result(case.pk)
    if not approve:
        return found
    if found is not None and not found.passes:
        raise Refused(
            "scores-fail", f"不能决定准予：{found.sentence}决定以记录的评分为据，请决定不予。", field="verdict"
        )
    against = [one.office.name for one in case.countersignatures.select_related("office") if one.agree is False]
    if SiteCheck.objects.filter(case=case, conforms=False).exists():
        against.append("现场核查")
    if against and not text.strip():
        raise Refused(
            "dissent-unanswered",
            f"{'、'.join(against)}的意见是不同意或者不符合，仍决定准予的，请写明理由。",
            field="text",
        )
    return found


def _grounds_for(case: Case, keys: Sequence[str], *, approve: bool) -> list[dict[str, Any]]:
    """The grounds of a rejection, all of them; approval has none, and lacks no required material."""
    grounds = grounds_of(case, keys)
    if not approve and not grounds:
        raise Refused("grounds-missing", "不予许可必须一次性列明全部理由，请逐项勾选。", field="keys")
    if approve and grounds:
        raise Refused(
            "grounds-contradict", "勾选了不予许可的理由，不能决定准予；请取消勾选，或者决定不予。", field="keys"
        )
    if approve:
        refuse_lacking(case.pk)
        refuse_without_promise(case)
    return grounds


def _tell_owed(case: Case, owed: Sequence[CaseMaterial], now: dt.datetime) -> None:
    """Tell the applicant of an approval that waits: what is owed, and by which day (L8a, L8b)."""
    clock = case.promise_deadline
    names = notices.names_of_lines(owed)
    by_day = f"请{notices.latest(clock.due_on)}补交{names}" if clock is not None else f"请补交{names}"
    text = f"已决定准予许可。{by_day}，补齐即颁发证件，补齐以前不颁发证件；可以到窗口交，也可以网上补交。"
    notices.tell(case, notices.Kind.APPROVED_OWING, text, "once", now)


@transaction.atomic
def decide(case: Case, *, approve: bool, by: User, now: dt.datetime, keys: Sequence[str] = (), text: str = "") -> Case:
    """Decide: approve, or reject with every ground at once; the decision clocks end, the art. 44 clock starts.

    The decider is neither a reviewer nor the clerk who took the case in, nor somebody who saw the applicant or stands
    aside. Every score sheet, countersignature and site check that was asked for is in, and approval agrees with the
    scores and lacks no required material. An on-the-spot approval is completed in the same sitting (O3.1.2b).
    """
    case = Case.objects.lock(case.pk)
    case.move(CaseStatus.APPROVED if approve else CaseStatus.REJECTED, now)
    refuse_while_paused(case)
    on_the_spot = case.on_the_spot
    if not on_the_spot and not Opinion.objects.filter(case=case).exists():
        raise Refused("opinion-first", "审查意见还没有出具，不能作出决定。")
    scored = None if on_the_spot else _refuse_unready(case, approve=approve, text=text)
    if by.pk in {case.reviewer_id, case.intake_by_id} or knows_the_case(case, by):
        raise Refused("same-person", "收件、审查、现场核查和决定不能是同一人，请由其他决定人员办理。")
    if stands_aside(case, by):
        raise TransitionNotAllowed("这件办件不由您决定，请由其他决定人员办理。")
    drawn = Case.objects.filter(on_duty(timezone.localtime(now).date()), pk=case.pk, decider__isnull=False)
    if on_the_spot and case.decider_id not in {None, by.pk} and drawn.exists():
        raise Refused("drawn-to-another", "这件即办件已抽取给另一位值班决定人员。", conflict=True)
    grounds = _grounds_for(case, keys, approve=approve)
    if approve and not case.is_filing and bar_of(case.applicant, case.business_item, local_date(now)):
        # Accepted in silence, or barred since; no word of whose case it is.
        raise Refused("barred", "法律规定在一定期限内不得再次申请该许可，不能准予；请与窗口核实。", conflict=True)
    Decision.objects.create(
        case=case, approve=approve, grounds=[] if approve else grounds, text=text.strip(), decider=by, decided_at=now
    )
    case.decider = by
    case.decided_at = now
    for clock in (case.statutory_deadline, case.promised_deadline):
        if clock is not None and clock.is_open:
            meet_deadline(clock, at=now, by=by)
    owed = outstanding(case, MaterialState.DEFERRED) if approve and case.promise_deadline_id is not None else []
    waits = bool(owed)
    if not approve:
        forgive_promise(case, by=by, now=now)
    until = last_lawful_day(case, now) if waits else None
    ended = _start_issuing(case, staged=approve and not on_the_spot and not waits, by=by, now=now, until=until)
    save_at(case, now)
    kind = DocumentKind.APPROVAL if approve else DocumentKind.REJECTION
    weighed = {"scores": scored.sentence} if scored else {}
    _, paper = papers.issue(case, kind, by=by, now=now, points=grounds, text=text.strip(), extra=weighed)
    act = CaseAct.APPROVED if approve else CaseAct.REJECTED
    data = {"grounds": list(keys)} | ({"scores": scored.record()} if scored else {})
    record_many([*ended, Draft(case.stream, act, data, by), paper], at=now)
    if approve and on_the_spot and not waits:
        return complete_case(case, by=by, now=now)
    if not approve:
        notices.to_applicant(case, notices.Kind.REJECTED, now)
    elif waits:
        _tell_owed(case, owed, now)
    reach("decide.before_commit")
    return case
