"""What stops, lengthens or hands over the clocks of a case. Nothing resets one.

Source: 行政许可法 arts. 42, 43, 45; L9c (a transfer never resets a clock); O3.2.1a.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals import notices, papers, wording
from approvals.actions.scoring import hand_over_sheet, open_review
from approvals.draws import draw_decider, draw_reviewer, is_eligible
from approvals.enums import CaseAct, CaseStatus, DocumentKind, Seat
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Extension, Opinion, Sheet, SpecialProcedure
from approvals.querysets import CaseQuerySet
from catalogue.models import BusinessItem
from deadlines import actions as clocks
from deadlines import calendar as working_calendar
from deadlines import words
from deadlines.clock import local_date
from deadlines.enums import ART_45, PauseGround, State, Unit
from deadlines.errors import DeadlineError
from deadlines.kinds import STAGES, KindCode
from deadlines.models import Deadline
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_department, overseers

# A procedure that is said to take longer than a year of working days is a slip of the pen.
LONGEST_PROCEDURE = 250
# Accepted while nobody could be drawn.
UNDRAWN = (CaseStatus.ACCEPTED, CaseStatus.DEEMED_ACCEPTED)


def grounds_for(item: BusinessItem) -> list[PauseGround]:
    """The grounds on which the clocks of a case may stand still; public notice only where the item has one."""
    notice = item.public_notice_pauses_promise or bool(item.public_notice_law)
    return [
        ground
        for ground in PauseGround
        if ground in ART_45 or ground is PauseGround.NAMED_LAW or (ground is PauseGround.PUBLIC_NOTICE and notice)
    ]


def is_stopped(item: BusinessItem, ground: PauseGround, kind: KindCode) -> bool:
    """Whether this ground stops a decision clock: public notice only those that the item or its law names."""
    if ground is not PauseGround.PUBLIC_NOTICE or kind in STAGES:
        return True
    named = bool(item.public_notice_law)
    return named if kind is KindCode.DECISION_STATUTORY else named or item.public_notice_pauses_promise


def _stopping(case: Case, ground: PauseGround, on: dt.date) -> list[Deadline]:
    """The open clocks that this ground stops. What is late already stays late: nothing done afterwards stops it."""
    item = case.business_item
    in_time = [clock for clock in case.deciding_clocks if not clock.is_overdue(on)]
    return [clock for clock in in_time if is_stopped(item, ground, KindCode(clock.kind))]


def _in_review(case: Case) -> None:
    if case.status != CaseStatus.IN_REVIEW:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不在审查中；请刷新查看。")


def open_procedure(case: Case) -> SpecialProcedure | None:
    """The special procedure that stops the case's clocks now, if any; one statement."""
    return SpecialProcedure.objects.filter(case=case, ended_at__isnull=True).first()


def start_procedure(
    case: Case, *, ground: str, estimated_days: int | None, reason: str, by: User, now: dt.datetime, law: str = ""
) -> SpecialProcedure:
    """Begin a special procedure: the decision clocks stand still, the applicant is told in writing how long (art. 45).

    Raises ``TransitionNotAllowed`` (not in review, one is open), ``Refused`` for the input.
    """
    wording.refuse_applicant(case, {"reason": reason, "law": law}, by=by, now=now)
    return _start(case, ground=ground, estimated_days=estimated_days, reason=reason, by=by, now=now, law=law)


@transaction.atomic
def _start(
    case: Case, *, ground: str, estimated_days: int | None, reason: str, by: User, now: dt.datetime, law: str
) -> SpecialProcedure:
    case = Case.objects.lock(case.pk)
    _in_review(case)
    if open_procedure(case) is not None:
        raise TransitionNotAllowed("这件办件已有正在进行的特别程序，请先结束它。")
    if ground not in PauseGround.values or PauseGround(ground) not in grounds_for(case.business_item):
        raise Refused("pause-ground", "只有法律列明的事由才能停止计算审批期限，请选择其中一项。", field="ground")
    if estimated_days is None or not 1 <= estimated_days <= LONGEST_PROCEDURE:
        raise Refused(
            "estimate-missing",
            f"须书面告知申请人所需时间，请填写 1 到 {LONGEST_PROCEDURE} 之间的工作日数。",
            field="estimated_days",
        )
    if not reason.strip():
        raise Refused("reason-missing", "请写明由谁、就什么进行这一程序。", field="reason")
    why = PauseGround(ground)
    law = law.strip() or (case.business_item.public_notice_law if why is PauseGround.PUBLIC_NOTICE else "")
    stopped = _stopping(case, why, local_date(now))
    if not stopped:
        raise Refused("nothing-pauses", "这件办件没有因此停止计算的期限。", field="ground")
    pause = clocks.Pause(why, law, estimated_days)
    for clock in stopped:
        if text := clocks.pause_refusal(KindCode(clock.kind), pause):
            raise Refused("pause-needs-law", text, field="law")
    until = working_calendar.estimating().after(local_date(now), estimated_days)
    document, paper = papers.issue(
        case,
        DocumentKind.SPECIAL,
        by=by,
        now=now,
        text=reason.strip(),
        extra={"ground": str(why.label), "law": law, "days": estimated_days, "until": papers.cn_day(until)},
    )
    procedure = SpecialProcedure.objects.create(
        case=case, ground=why, law=law, estimated_days=estimated_days, reason=reason.strip(), document=document,
        started_by=by, started_at=now,
    )  # fmt: skip
    clocks.pause_many(stopped, clocks.Pause(why, law, estimated_days, document.pk), at=now, by=by)
    case.procedure_deadline = clocks.start_deadline(
        KindCode.SPECIAL_PROCEDURE, at=now, stream=case.stream, by=by, length=estimated_days
    )
    case.touched_at = now
    save_at(case, now)
    data = {"procedure": procedure.pk, "ground": str(why), "days": estimated_days}
    record_many([Draft(case.stream, CaseAct.PROCEDURE_STARTED, data, by), paper], at=now)
    text = f"需要{why.label}，预计{estimated_days}个工作日，这段时间依法不计入审批期限，详见特别程序告知书。"
    notices.tell(case, notices.Kind.PROCEDURE_STARTED, text, f"{procedure.pk}", now)
    reach("pause.before_commit")
    return procedure


def end_procedure(case: Case, *, result: str, by: User, now: dt.datetime) -> SpecialProcedure:
    """The special procedure is over: the clocks run again from the day after, and the applicant learns the new day.

    Raises ``TransitionNotAllowed`` when none is open, ``Refused`` without a result.
    """
    wording.refuse_applicant(case, {"result": result}, by=by, now=now)
    return _end(case, result=result, by=by, now=now)


@transaction.atomic
def _end(case: Case, *, result: str, by: User, now: dt.datetime) -> SpecialProcedure:
    case = Case.objects.lock(case.pk)
    procedure = SpecialProcedure.objects.select_for_update().filter(case=case, ended_at__isnull=True).first()
    if procedure is None:
        raise TransitionNotAllowed("这件办件没有正在进行的特别程序，可能有同事已先一步办理，请刷新查看。")
    if not result.strip():
        raise Refused("result-missing", "请写明这一程序的结果。", field="result")
    procedure.ended_by, procedure.ended_at, procedure.result = by, now, result.strip()
    procedure.save(update_fields=["ended_by", "ended_at", "result"])
    clocks.resume_many([clock for clock in case.deciding_clocks if clock.state == "paused"], at=now, by=by)
    if case.procedure_deadline and case.procedure_deadline.is_open:
        clocks.meet_deadline(case.procedure_deadline, at=now, by=by)
    case.touched_at = now
    save_at(case, now)
    record_many([Draft(case.stream, CaseAct.PROCEDURE_ENDED, {"procedure": procedure.pk}, by)], at=now)
    clock = case.decision_deadline
    due = f"，{papers.cn_day(clock.due_on)}前作出决定" if clock else ""
    label = procedure.get_ground_display()
    notices.tell(case, notices.Kind.PROCEDURE_ENDED, f"{label}已结束，恢复计算审批期限{due}。", f"{procedure.pk}", now)
    reach("resume.before_commit")
    return procedure


def _heads(case: Case, now: dt.datetime) -> list[User]:
    found = by_department(Posting.Role.DEPARTMENT_HEAD, {case.department_id}, local_date(now))
    return list(found.get(case.department_id, []))


def request_extension(case: Case, *, days: int | None, reason: str, by: User, now: dt.datetime) -> Extension:
    """Ask the authority's head for more time, before the statutory period ends; once a case (art. 42).

    Raises ``TransitionNotAllowed`` or ``Refused``.
    """
    wording.refuse_applicant(case, {"reason": reason}, by=by, now=now)
    return _request(case, days=days, reason=reason, by=by, now=now)


@transaction.atomic
def _request(case: Case, *, days: int | None, reason: str, by: User, now: dt.datetime) -> Extension:
    case = Case.objects.lock(case.pk)
    _in_review(case)
    clock, room = case.statutory_deadline, case.business_item.extension
    if clock is None or room is None:
        raise Refused("no-extension", "本事项的法定期限依法不能延长。")
    if Extension.objects.filter(case=case, granted__isnull=True).exists():
        raise TransitionNotAllowed("这件办件已有待批的延期申请。")
    if Extension.objects.filter(case=case, granted=True).exists():
        raise TransitionNotAllowed("这件办件已经延期一次，依法不得再次延期。")
    if not clock.is_open or clock.is_overdue(local_date(now)):
        raise Refused("extension-too-late", "法定期限已过，不能再延期。", conflict=True)
    if days is None or not 1 <= days <= room.longest:
        most = words.length(room.longest, Unit(clock.unit))
        raise Refused(
            "extension-too-long",
            f"最多可延长{most}（{room.legal_basis}），请填写 1 到 {room.longest} 之间的数。",
            field="days",
        )
    if not reason.strip():
        raise Refused("reason-missing", "请写明延期的理由，批准后将告知申请人。", field="reason")
    heads = [person for person in _heads(case, now) if person != by]
    if not heads:
        raise Refused("no-head", f"{case.department.name}没有可以批准延期的负责人，请联系区划管理员。")
    extension = Extension.objects.create(case=case, days=days, reason=reason.strip(), requested_by=by, requested_at=now)
    data = {"extension": extension.pk, "days": days, "unit": clock.unit}
    record_many([Draft(case.stream, CaseAct.EXTENSION_REQUESTED, data, by)], at=now)
    due = f"{clock.due_on.month}月{clock.due_on.day}日"
    more = words.length(days, Unit(clock.unit))
    text = f"办件{case.number}申请延长法定审批期限{more}，请于{due}前登录平台批复。"
    notices.tell_people(case, notices.Kind.EXTENSION_REQUESTED, text, f"{extension.pk}", heads, now)
    return extension


def answer_extension(extension: Extension, *, grant: bool, by: User, now: dt.datetime, answer: str = "") -> Extension:
    """The authority's head allows the extension, or declines with a reason. Allowed, the applicant gets 延期告知书.

    Raises ``TransitionNotAllowed`` (answered, decided meanwhile, own request) or ``Refused``.
    """
    wording.refuse_applicant(Case(pk=extension.case_id), {"answer": answer}, by=by, now=now)
    return _answer(extension, grant=grant, by=by, now=now, answer=answer)


@transaction.atomic
def _answer(extension: Extension, *, grant: bool, by: User, now: dt.datetime, answer: str) -> Extension:
    case = Case.objects.lock(extension.case_id)
    extension = Extension.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=extension.pk)
    if extension.granted is not None:
        raise TransitionNotAllowed("这件延期申请已经批复，可能有同事已先一步办理，请刷新查看。")
    _in_review(case)
    if extension.requested_by_id == by.pk:
        raise TransitionNotAllowed("延期不能由申请人自己批准，请由其他负责人批复。")
    if not grant and not answer.strip():
        raise Refused("reason-missing", "不同意延期的，请写明理由。", field="answer")
    extension.granted, extension.answered_by, extension.answered_at = grant, by, now
    extension.answer = answer.strip()
    drafts = []
    if grant:
        clock, room = case.statutory_deadline, case.business_item.extension
        if clock is None or room is None:
            raise Refused("no-extension", "本事项的法定期限依法不能延长。")
        try:
            clock = clocks.extend_deadline(
                clock, extension.days, longest=room.longest, at=now, by=by, legal_basis=room.legal_basis
            )
        except DeadlineError as error:
            raise Refused("extension-too-late", str(error), conflict=True) from error
        more = words.length(extension.days, Unit(clock.unit))
        still = clock.state == State.PAUSED
        until = papers.cn_day(clock.due_on)
        extension.document, paper = papers.issue(
            case,
            DocumentKind.EXTENSION,
            by=by,
            now=now,
            text=extension.reason,
            extra={"more": more, "until": until, "paused": still, "basis": room.legal_basis},
        )
        drafts.append(paper)
        day = "，特别程序结束后另行告知届满日期" if still else f"，至{until}"
        reason = extension.reason.rstrip("。；，")
        text = f"因{reason}，审批期限延长{more}{day}，详见延期告知书。"
        notices.tell(case, notices.Kind.EXTENDED, text, f"{extension.pk}", now)
        Case.objects.filter(pk=case.pk).update(touched_at=now)
    extension.save()
    act = CaseAct.EXTENSION_GRANTED if grant else CaseAct.EXTENSION_DECLINED
    unit = case.statutory_deadline.unit if case.statutory_deadline else Unit.WORKING
    data = {"extension": extension.pk, "days": extension.days, "unit": unit}
    record_many([Draft(case.stream, act, data, by), *drafts], at=now)
    said = "已批准" if grant else "未批准，请在原期限内办理"
    text = f"办件{case.number}的延期申请{said}。"
    notices.tell_people(case, notices.Kind.EXTENSION_ANSWERED, text, f"{extension.pk}", [extension.requested_by], now)
    return extension


@transaction.atomic
def hand_over_case(
    case: Case,
    *,
    reason: str,
    by: User | None,
    now: dt.datetime,
    away: int | None = None,
    deputy: User | None = None,
) -> Case:
    """Draw another reviewer (or, on the spot, decider) for a case whose own is away; every clock goes on as it was.

    An acceptance, ours or the law's, that found no reviewer gets its first one here. ``reason`` is for the history of
    the case.
    ``away``: only if the case is still with that person. ``deputy`` stands in without a draw, if eligible.
    Raises ``TransitionNotAllowed`` when nobody has to review it any more, ``Refused`` without a reason or a pool.
    """
    case = Case.objects.lock(case.pk)
    if case.status not in {CaseStatus.IN_REVIEW, *UNDRAWN}:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不需要改派审查人员。")
    first = Sheet.objects.filter(case=case, seat=Seat.FIRST)
    if Opinion.objects.filter(case=case).exists() or first.filter(given_at__isnull=False).exists():
        raise TransitionNotAllowed("审查意见已经出具，不需要改派审查人员。")
    if not reason.strip():
        raise Refused("reason-missing", "请写明改派的原因。", field="reason")
    on_the_spot = case.on_the_spot
    before = case.decider_id if on_the_spot else case.reviewer_id
    if away is not None and before != away:
        raise TransitionNotAllowed("这件办件已经改派，请刷新查看。")
    drafts = []
    stands_in = deputy if deputy is not None and is_eligible(case, deputy, now=now) else None
    if stands_in is None and case.status in UNDRAWN and not on_the_spot:
        drafts += open_review(case, by=by, now=now, not_again=before)
    elif stands_in is None:
        drafts.append((draw_decider if on_the_spot else draw_reviewer)(case, by=by, now=now, not_again=before))
    elif on_the_spot:
        case.decider = stands_in
    else:
        case.reviewer = stands_in
    if case.status in UNDRAWN:
        case.move(CaseStatus.IN_REVIEW, now)
    case.touched_at = now
    save_at(case, now, by=by, reason=reason.strip()[:100])
    after = case.decider if on_the_spot else case.reviewer
    if not on_the_spot:
        first.update(reviewer=after, drawn_at=now)
    clocks.hand_over(case.deciding_clocks, at=now, to=after, reason="redrawn", by=by)
    data = {"from": before, "to": after.pk if after else None} | ({"deputy": True} if stands_in else {})
    record_many([Draft(case.stream, CaseAct.HANDED_OVER, data, by), *drafts], at=now)
    return case


def reviewing(person: User, offices: set[int] | None = None) -> CaseQuerySet:
    """What ``person`` has to review and has given no opinion on, in ``offices`` or everywhere."""
    waiting = Case.objects.filter(reviewer=person, status=CaseStatus.IN_REVIEW, opinion__isnull=True)
    return waiting if offices is None else waiting.filter(review_office_id__in=offices)


def scoring(person: User, offices: set[int] | None = None) -> QuerySet[Sheet]:
    """The sheets that ``person`` still has to give on a further seat, second or lead, of ``reviewing``'s offices."""
    waiting = _further().filter(reviewer=person)
    return waiting if offices is None else waiting.filter(case__review_office_id__in=offices)


def _further() -> QuerySet[Sheet]:
    """Sheets not given on the seats beside the first, in cases without an opinion."""
    waiting = Sheet.objects.filter(given_at__isnull=True, case__status=CaseStatus.IN_REVIEW)
    return waiting.filter(case__opinion__isnull=True).exclude(seat=Seat.FIRST)


def hand_over_from(person: User, *, offices: set[int] | None, by: User, now: dt.datetime) -> tuple[int, int]:
    """Draw others for every seat that ``person`` had (in ``offices``, or everywhere), because the person left.

    Returns (handed over, left without anybody: their overseers are alarmed).
    """
    return _hand_over_all(reviewing(person, offices), scoring(person, offices), by=by, now=now)


def hand_over_left(now: dt.datetime) -> tuple[int, int]:
    """Draw others for the seats of everybody who no longer reviews in the case's office; safe to repeat.

    It catches what no act of today can: a posting that ended by its date, a case drawn on somebody's last day.
    Returns as ``hand_over_from``.
    """
    today = local_date(now)
    reviewers = Posting.objects.role(Posting.Role.REVIEWER)
    left = reviewers.filter(Q(ends_on__lt=today) | Q(user__is_active=False)).values("user_id")
    serving = reviewers.active(today).filter(user=OuterRef("reviewer"), user__is_active=True)
    cases = Case.objects.filter(reviewer_id__in=left, status=CaseStatus.IN_REVIEW, opinion__isnull=True)
    sheets = _further().filter(reviewer_id__in=left)
    return _hand_over_all(
        cases.exclude(Exists(serving.filter(office=OuterRef("review_office")))),
        sheets.exclude(Exists(serving.filter(office=OuterRef("case__review_office")))),
        by=None,
        now=now,
    )


def _hand_over_all(
    cases: CaseQuerySet, sheets: QuerySet[Sheet], *, by: User | None, now: dt.datetime
) -> tuple[int, int]:
    """Each in a transaction of its own, so that one without anybody to draw keeps no other from its new reviewer."""
    moved = stuck = 0
    seats: list[tuple[Case, str, Callable[[], object]]] = [
        (case, f"{case.reviewer_id}", partial(
            hand_over_case, case, reason="审查人员已离岗", by=by, now=now, away=case.reviewer_id
        ))
        for case in cases.order_by("pk")
    ]  # fmt: skip
    seats += [
        (sheet.case, f"{sheet.seat}:{sheet.reviewer_id}", partial(hand_over_sheet, sheet, by=by, now=now))
        for sheet in sheets.select_related("case").order_by("pk")
    ]
    for case, occasion, act in seats:
        try:
            with transaction.atomic():
                act()
            moved += 1
        except TransitionNotAllowed:
            continue  # decided, or handed over, a moment ago
        except Refused:
            stuck += 1
            people = overseers({case.division_id}, local_date(now)).get(case.division_id, [])
            text = f"办件{case.number}的审查人员已离岗，处室内没有其他可抽取的人员，请协调。"
            notices.tell_people(case, notices.Kind.NOBODY_REVIEWS, text, occasion, people, now)
    return moved, stuck
