"""撤销行政许可 on the approval side: proposed by supervision, the holder heard, decided on art. 69 (L10c).

Everybody locks in one order: the case, its licence, the revocation, then the tasks of supervision. What is written of a
revocation stands on the stream of its case.

Source: 行政许可法 arts. 7, 46–48, 69, 70; L10c.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from approvals import notices, papers
from approvals.actions.licences import K, about, apply_change, lock_licence, may_be, refuse_stranger, to_holder
from approvals.barring import last_day
from approvals.enums import CaseAct, DocumentKind, Door, HearingWish, RevocationGround, RevocationStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Conflict, Document, Licence, Revocation, Sheet, SiteCheck
from approvals.papers import cn_day
from approvals.reasons import grave
from approvals.signals import licence_changed, revocation_decided
from approvals.writing import Writing
from credit.models import CreditFact, queue_fact
from deadlines import calendar as working_calendar
from deadlines import periods
from deadlines.actions import Pause, cancel_deadline, meet_deadline, pause_many, resume_many, start_deadline
from deadlines.clock import local_date
from deadlines.enums import PauseGround, State
from deadlines.kinds import KINDS, KindCode
from deadlines.models import Deadline
from ledger.models import Entry
from ledger.record import Draft
from lianyungang_gov.faults import reach
from notifications import outbox
from notifications.outbox import Draft as Message
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_department, by_office

R = RevocationStatus
LONGEST = 4000
SHORT = 300
LEAST_DAYS = KINDS[KindCode.REVOCATION_HEARING].length or 5
MOST_DAYS = KINDS[KindCode.REVOCATION_HEARING].longest or 20
# 举行听证的七日前通知 (art. 48).
NOTICE_DAYS = KINDS[KindCode.HEARING_NOTICE].length or 7
CHAIRS = (Posting.Role.DECIDER, Posting.Role.DEPARTMENT_HEAD)
# Whoever did one of these handles the revocation, and chairs no hearing of it.
HANDLING = (
    CaseAct.REVOCATION_NOTICED, CaseAct.REVOCATION_STATED, CaseAct.REVOCATION_WAIVED, CaseAct.HEARING_ASKED,
    CaseAct.HEARING_PLANNED,
)  # fmt: skip

# What others leave on the stream of the task that proposed it, and who merely read: no part in the task. By their
# names, since this room does not know supervision's acts.
NO_PART = (
    CaseAct.FILE_OPENED, "task.opened", "task.sms_queued", "task.sms_sent", "task.sms_failed", "task.licence_changed",
    "task.answered", "task.closed", "task.alarm",
)  # fmt: skip


def handlers_of(revocations: Collection[Revocation], today: dt.date) -> dict[int, list[User]]:
    """Who handles each, by its id: its office's deciders without a part in the task behind it.

    Where there is none such, the heads of the office's department. ``office`` at hand; statements are constant.
    """
    barred = supervisors_of(revocations)
    deciders = by_office(Posting.Role.DECIDER, {one.office_id for one in revocations}, today)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {one.office.department_id for one in revocations}, today)
    return {
        one.pk: [person for person in deciders.get(one.office_id, []) if person.pk not in barred[one.source]]
        or list(heads.get(one.office.department_id, []))
        for one in revocations
    }


def _to_deciders(
    revocation: Revocation, kind: notices.Kind, text: str, occasion: str, now: dt.datetime
) -> list[Message]:
    return [
        Message(
            kind=kind.value,
            text=text,
            dedupe_key=f"{kind}:{revocation.pk}:{occasion}:{person.pk}",
            reference=revocation.stream,
            to_user=person,
        )
        for person in handlers_of([revocation], local_date(now))[revocation.pk]
    ]


@transaction.atomic
def propose_revocation(
    licence: Licence,
    *,
    source: str,
    source_number: str,
    proposed_by_name: str,
    facts: str,
    evidence: Sequence[dict[str, Any]],
    broken_promise: bool,
    by: User,
    now: dt.datetime,
) -> Revocation:
    """Take in supervision's proposal to revoke a licence: its clock starts, the deciders of the case's office are told.

    ``source`` is the stream of the task ("task:12"), once; ``evidence`` rows are ``{"label", "text", "url"}``, at
    least one. Called inside the proposer's transaction, which locks the licence before its own task. Raises ``Refused``
    (``facts-missing``, ``reason-too-short``, ``evidence-missing``), ``TransitionNotAllowed`` where the licence has
    ended or is proposed.
    """
    case, licence = lock_licence(licence.pk, licence.case_id)
    if not may_be(licence, K.REVOCATION):
        raise TransitionNotAllowed(f"证照{licence.number}现在是“{licence.state_text}”，不能再建议撤销。")
    if Revocation.objects.open().filter(licence=licence).exists():
        raise TransitionNotAllowed(f"证照{licence.number}的撤销建议正在审批部门办理，请等待答复。")
    if Revocation.objects.filter(source=source).exists():
        raise TransitionNotAllowed("这件监管任务已经提出过撤销建议。")
    if not facts.strip():
        raise Refused("facts-missing", "请写明建议撤销的事实和理由。", field="facts")
    grave(facts, "facts", "建议撤销许可，请写明查明的事实和理由")
    if not evidence:
        raise Refused("evidence-missing", "建议撤销须附证据。", field="evidence")
    lengths = periods.load([KindCode.REVOCATION], division=case.division_id)
    revocation = Revocation(
        licence=licence,
        case=case,
        office=case.review_office,
        source=source,
        source_number=source_number,
        proposed_by_name=proposed_by_name,
        facts=facts.strip(),
        evidence=[dict(row) for row in evidence],
        broken_promise=broken_promise,
        received_at=now,
        deadline=start_deadline(
            KindCode.REVOCATION,
            at=now,
            stream=case.stream,
            by=by,
            length=lengths.length(KindCode.REVOCATION, case.division_id),
        ),
    )
    revocation.save()
    data = {"revocation": revocation.pk, "licence": licence.number, "source": source, "promise": broken_promise}
    due = _day(revocation.deadline.due_on)
    text = f"收到撤销许可建议（证照{licence.number}，{proposed_by_name}），请于{due}前办结。"
    Writing(
        [Draft(case.stream, CaseAct.REVOCATION_RECEIVED, data, by)],
        _to_deciders(revocation, notices.Kind.REVOCATION_PROPOSED, text, "received", now),
    ).write(now)
    return revocation


def _day(day: dt.date) -> str:
    return f"{day.month}月{day.day}日"


def _text(value: str, field: str, code: str, message: str, most: int = LONGEST) -> str:
    said = value.strip()
    if not said:
        raise Refused(code, message, field=field)
    if len(said) > most:
        raise Refused("remark-too-long", f"最多 {most} 字，现为 {len(said)} 字，请精简。", field=field)
    return said


def _locked(revocation: Revocation) -> tuple[Case, Licence, Revocation]:
    """The case, the licence and the revocation, locked in this order."""
    case, licence = lock_licence(revocation.licence_id, revocation.case_id)
    return case, licence, Revocation.objects.lock(revocation.pk)


def _refuse_no_ear(case: Case, by: User, now: dt.datetime) -> None:
    """Raise ``Refused`` for who neither decides in the case's office nor takes in at the windows of its division."""
    windows = Posting.objects.active(local_date(now)).role(Posting.Role.WINDOW_CLERK)
    if not windows.filter(user=by, user__is_active=True, department__division_id=case.division_id).exists():
        refuse_stranger(case, by, now)


def to_hear(case: Case) -> Revocation | None:
    """The revocation of the case whose holder was told and may be heard, or None; one statement."""
    told = Revocation.objects.open().filter(case=case, noticed_at__isnull=False, hearing_held_at__isnull=True)
    return told.select_related("licence", "answer_deadline", "deadline").first()


def supervisors(revocation: Revocation) -> set[int]:
    """Who had a part in the task that proposed it: who acted, and to whom it was given; one statement."""
    return supervisors_of([revocation])[revocation.source]


def supervisors_of(revocations: Iterable[Revocation]) -> Mapping[str, set[int]]:
    """``supervisors`` of each, by its ``source``; one statement."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    entries = Entry.objects.filter(stream__in={one.source for one in revocations})
    for stream, act, actor, data in entries.values_list("stream", "act", "actor_id", "data"):
        part = {*data.get("officers", ()), data.get("first"), data.get("second"), None if act in NO_PART else actor}
        found[stream] |= {pk for pk in part if isinstance(pk, int)}
    return found


def _refuse_involved(revocation: Revocation, by: User) -> None:
    """Whoever chairs the hearing neither handles nor decides (art. 48); whoever is close to the holder does nothing.

    Nor does whoever had a part in the task that proposed it.
    """
    if revocation.hearing_chair_id == by.pk:
        raise Refused("same-person", "您是本次听证的主持人，不能办理或者决定这件撤销建议。", conflict=True)
    holder = Licence.objects.filter(pk=revocation.licence_id).values("holder")
    if Conflict.objects.filter(user=by, ended_at__isnull=True, subject__in=holder).exists():
        raise Refused("same-person", "您已申报对持证人回避，请由其他决定人员办理。", conflict=True)
    if by.pk in supervisors(revocation):
        raise Refused(
            "same-person",
            "您办理过提出这件建议的监管任务，请由其他决定人员办理撤销建议；没有其他决定人员的，请管理员增设。",
            conflict=True,
        )


def _touch(case: Case, now: dt.datetime) -> None:
    case.touched_at = now
    save_at(case, now)


def answer_day_passed(revocation: Revocation, today: dt.date) -> bool:
    """Whether the holder's day to answer is over; an unpublished year decides nothing."""
    clock = revocation.answer_deadline
    return clock is not None and clock.is_open and not clock.provisional and clock.is_overdue(today)


def hearing_pends(revocation: Revocation) -> bool:
    """Whether a hearing was asked for and not yet held."""
    return revocation.hearing_asked_at is not None and revocation.hearing_held_at is None and not revocation.waived_at


def may_decide(revocation: Revocation, today: dt.date) -> bool:
    """Whether the holder was heard or waived it, or the day to answer has passed with no hearing asked for."""
    if revocation.status == R.HEARD:
        return True
    return revocation.status == R.NOTICED and not hearing_pends(revocation) and answer_day_passed(revocation, today)


def may_answer(revocation: Revocation, today: dt.date) -> bool:
    """Whether the holder may still state or ask for a hearing as the notice says."""
    return revocation.status == R.NOTICED and not answer_day_passed(revocation, today)


# --- the notice


@transaction.atomic
def give_notice(
    revocation: Revocation, *, ground: str, facts: str, days: int | None, by: User, now: dt.datetime
) -> Revocation:
    """告知: the holder learns facts, ground, the right to state and to a hearing, and has ``days`` to answer.

    Raises ``Refused`` (``ground-missing``, ``facts-missing``, ``answer-days``, ``not-decider``, ``same-person``),
    ``TransitionNotAllowed``.
    """
    case, licence, revocation = _locked(revocation)
    refuse_stranger(case, by, now)
    _refuse_involved(revocation, by)
    if revocation.status != R.RECEIVED:
        raise TransitionNotAllowed(
            f"这件撤销建议现在是“{revocation.get_status_display()}”，已经告知过持证人；可能有同事已先一步办理，请刷新查看。"
        )
    revocation.move(R.NOTICED)
    why, said, length = _noticeable(ground, facts, days)
    writing = Writing()
    _issue_notice(case, licence, revocation, why, said, length, writing, by=by, now=now)
    writing.write(now)
    reach("revocation_notice.before_commit")
    return revocation


def _noticeable(ground: str, facts: str, days: int | None) -> tuple[RevocationGround, str, int]:
    """What a notice says, checked: ground, facts, working days to answer."""
    if ground not in RevocationGround.values:
        raise Refused("ground-missing", "请选择拟适用的法定情形（行政许可法第六十九条）。", field="ground")
    said = _text(facts, "facts", "facts-missing", "请写明拟撤销的事实和理由，告知书将载明。")
    if days is None or not LEAST_DAYS <= days <= MOST_DAYS:
        raise Refused("answer-days", f"陈述申辩的期限为 {LEAST_DAYS} 到 {MOST_DAYS} 个工作日。", field="days")
    return RevocationGround(ground), said, days


def _issue_notice(
    case: Case, licence: Licence, revocation: Revocation, why: RevocationGround, said: str, days: int,
    writing: Writing, *, by: User, now: dt.datetime, before: Document | None = None,
) -> None:  # fmt: skip
    """The paper, the holder's days and the SMS; ``before``: the notice that it replaces, which stays on the case."""
    clock = start_deadline(KindCode.REVOCATION_HEARING, at=now, stream=case.stream, by=by, length=days)
    extra = about(licence) | {"ground": why.label, "until": cn_day(clock.due_on)}
    if before is not None:
        extra["replaces"] = before.number
    document, paper = papers.issue(case, DocumentKind.REVOCATION_NOTICE, by=by, now=now, text=said, extra=extra)
    revocation.ground, revocation.answer_deadline = why, clock
    revocation.notice, revocation.noticed_by, revocation.noticed_at = document, by, now
    revocation.save()
    _touch(case, now)
    data = {"revocation": revocation.pk, "ground": why.value, "until": clock.due_on.isoformat()}
    if before is not None:
        data["replaces"] = before.number
    lead = "拟撤销的情形或者事实有变，已另行告知" if before else "拟被撤销"
    text = (
        f"您的{licence.kind}（{licence.number}）{lead}。请于{_day(clock.due_on)}前陈述、申辩或者申请听证，"
        "详见告知书；可以到窗口办理，也可以在平台“办件进度”页办理。"
    )
    occasion = f"{revocation.pk}:{document.pk}" if before else f"{revocation.pk}"
    writing.entries += [Draft(case.stream, CaseAct.REVOCATION_NOTICED, data, by), paper]
    writing.messages.append(to_holder(case, notices.Kind.HOLDER_NOTICED, text, occasion))


@transaction.atomic
def give_notice_anew(
    revocation: Revocation, *, replaces: str, ground: str, facts: str, days: int | None, by: User, now: dt.datetime
) -> Revocation:
    """另行告知: another ground or other facts before the decision; the holder answers anew within ``days``.

    ``replaces``: the number of the notice that it takes the place of, so that of two who do it at once one is refused.
    That paper stays among the papers; a statement and the record of a hearing stay with the row, a waiver or a hearing
    that was asked for spoke of the former ground and binds no more. Raises as ``give_notice``.
    """
    case, licence, revocation = _locked(revocation)
    refuse_stranger(case, by, now)
    _refuse_involved(revocation, by)
    before = revocation.notice
    if revocation.status not in {R.NOTICED, R.HEARD} or before is None:
        raise TransitionNotAllowed(f"这件撤销建议现在是“{revocation.get_status_display()}”，不能另行告知，请刷新查看。")
    if replaces.strip() != before.number:
        raise TransitionNotAllowed(f"持证人现在的告知书是{before.number}，可能有同事已先一步另行告知，请刷新查看。")
    why, said, length = _noticeable(ground, facts, days)
    writing = Writing()
    if hearing_pends(revocation):
        writing.messages += _to_former_chair(revocation, "已因另行告知取消", now)
    _begin_hearing_anew(revocation, before, by=by, now=now)
    _issue_notice(case, licence, revocation, why, said, length, writing, by=by, now=now, before=before)
    writing.write(now)
    reach("revocation_notice_anew.before_commit")
    return revocation


def _begin_hearing_anew(revocation: Revocation, before: Document, *, by: User, now: dt.datetime) -> None:
    """In memory and on the clocks: as it was before the holder answered the former notice."""
    for clock in (revocation.answer_deadline, revocation.hearing_deadline):
        if clock is not None and clock.is_open:
            cancel_deadline(clock, at=now, reason="noticed-anew", by=by)
    _go_on(revocation, now, by)
    kept = []
    if revocation.hearing_held_at is not None:
        kept.append(f"（{before.number}告知后的听证笔录）{revocation.hearing_record}")
        revocation.statement_at = revocation.statement_at or revocation.hearing_held_at
        revocation.statement_door = revocation.statement_door or Door.WINDOW
    if revocation.waived_at is not None:
        kept.append(f"（{before.number}告知后书面放弃）{revocation.waiver}")
    revocation.statement = "\n\n".join(part for part in (revocation.statement, *kept) if part)
    revocation.waiver, revocation.waived_at = "", None
    revocation.hearing_asked_at = revocation.hearing_deadline = revocation.hearing_on = None
    revocation.hearing_place, revocation.hearing_chair = "", None
    revocation.hearing_record, revocation.hearing_held_at = "", None
    if revocation.status == R.HEARD:
        revocation.move(R.NOTICED)


def _to_former_chair(revocation: Revocation, what: str, now: dt.datetime) -> list[Message]:
    """Who was asked to chair a hearing that is no longer theirs learns of it; nobody where none was planned."""
    chair, on = revocation.hearing_chair, revocation.hearing_on
    if chair is None or on is None:
        return []
    return [
        Message(
            kind=notices.Kind.REVOCATION_PROPOSED.value,
            text=f"原请您主持的{_day(on)}撤销许可听证（证照{revocation.licence.number}）{what}，您不必到场。",
            dedupe_key=f"hearing-off:{revocation.pk}:{now:%s}:{chair.pk}",
            reference=revocation.stream,
            to_user=chair,
        )
    ]


# --- the holder is heard


@transaction.atomic
def hear_holder(
    revocation: Revocation, *, text: str, wish: str, by: User | None, door: Door, now: dt.datetime, waiver: str = ""
) -> Revocation:
    """Record what the holder says and wishes (``HearingWish``); ``by`` is None where it comes through the own ``door``.

    The deciders take it in, and the windows of the division, to which the notice sends the holder.

    ``ask``: a hearing has to be held within 20 working days, and the clock of the proposal stands still. ``waive``: the
    holder renounces in writing (``waiver`` says how), so that nobody waits any longer. ``later``: a statement only.
    Raises ``Refused`` (``wish-missing``, ``statement-missing``, ``waiver-missing``, ``hearing-too-late``,
    ``not-decider``, ``same-person``), ``TransitionNotAllowed``.
    """
    case, _, revocation = _locked(revocation)
    today = local_date(now)
    if by is not None:
        _refuse_no_ear(case, by, now)
        _refuse_involved(revocation, by)
    if revocation.status not in {R.NOTICED, R.HEARD} or (by is None and not may_answer(revocation, today)):
        raise TransitionNotAllowed(
            f"这件撤销建议现在是“{revocation.get_status_display()}”，不能再记录陈述；请刷新查看。"
        )
    if wish not in HearingWish.values:
        raise Refused("wish-missing", "请选择是否要求听证。", field="wish")
    said = text.strip()
    if wish == HearingWish.LATER or len(said) > LONGEST:
        said = _text(text, "text", "statement-missing", "请写明陈述和申辩的内容。")
    drafts = []
    off = _to_former_chair(revocation, "已取消，持证人书面放弃听证", now) if hearing_pends(revocation) else []
    if said:
        before = f"{revocation.statement}\n\n" if revocation.statement else ""
        revocation.statement, revocation.statement_at = f"{before}{said}", now
        drafts.append(_draft(case, revocation, CaseAct.REVOCATION_STATED, by, door=door.value))
    revocation.statement_door = door
    if wish == HearingWish.ASK:
        drafts += _ask_hearing(case, revocation, door, by=by, now=now)
    elif wish == HearingWish.WAIVE:
        drafts += _waive(case, revocation, waiver, door, by=by, now=now)
    revocation.save()
    _touch(case, now)
    what = {HearingWish.ASK: "要求听证", HearingWish.WAIVE: "书面放弃听证", HearingWish.LATER: "已提出陈述申辩"}
    said_to = f"持证人对证照{revocation.licence.number}的拟撤销{what[HearingWish(wish)]}，请登录平台查看。"
    people = [
        one
        for one in _to_deciders(revocation, notices.Kind.REVOCATION_ANSWERED, said_to, f"{wish}:{now:%s}", now)
        if one.to_user != by
    ]
    Writing(drafts, [*people, *(off if wish == HearingWish.WAIVE else [])]).write(now)
    reach("revocation_heard.before_commit")
    return revocation


def _draft(case: Case, revocation: Revocation, act: CaseAct, by: User | None, **data: Any) -> Draft:
    return Draft(case.stream, act, {"revocation": revocation.pk} | data, by)


def _ask_hearing(case: Case, revocation: Revocation, door: Door, *, by: User | None, now: dt.datetime) -> list[Draft]:
    if revocation.hearing_asked_at is not None:
        raise TransitionNotAllowed("持证人已经申请过听证，不能重复申请。")
    if revocation.waived_at is not None:
        raise TransitionNotAllowed("持证人已经书面放弃听证。")
    if not may_answer(revocation, local_date(now)):
        raise Refused("hearing-too-late", "申请听证的期限已过，依法视为放弃；陈述和申辩仍可记录。", field="wish")
    revocation.hearing_asked_at = now
    _end(revocation.answer_deadline, now, by)
    revocation.hearing_deadline = start_deadline(KindCode.HEARING_HOLD, at=now, stream=case.stream, by=by)
    clock = revocation.deadline
    if clock.state == State.RUNNING and not clock.is_overdue(local_date(now)):
        pause_many([clock], Pause(PauseGround.HEARING), at=now, by=by)
    return [_draft(case, revocation, CaseAct.HEARING_ASKED, by, door=door.value)]


def _waive(
    case: Case, revocation: Revocation, waiver: str, door: Door, *, by: User | None, now: dt.datetime
) -> list[Draft]:
    """Renounced in writing: through the public door the code by SMS is the signature."""
    if revocation.waived_at is not None or revocation.hearing_held_at is not None:
        raise TransitionNotAllowed("持证人已经书面放弃，或者听证已经举行，不需要再记录放弃。")
    said = "持证人经短信验证码确认，在网上书面放弃" if door == Door.PUBLIC else waiver
    revocation.waiver = _text(said, "waiver", "waiver-missing", "请写明书面放弃的情况，例如何人何日签署。", SHORT)
    revocation.waived_at = now
    _end(revocation.answer_deadline, now, by)
    if revocation.hearing_deadline is not None and revocation.hearing_deadline.is_open:
        cancel_deadline(revocation.hearing_deadline, at=now, reason="waived", by=by)
    _go_on(revocation, now, by)
    if revocation.status == R.NOTICED:
        revocation.move(R.HEARD)
    return [_draft(case, revocation, CaseAct.REVOCATION_WAIVED, by, door=door.value)]


def _end(clock: Deadline | None, now: dt.datetime, by: User | None) -> None:
    if clock is not None and clock.is_open:
        meet_deadline(clock, at=now, by=by)


def _go_on(revocation: Revocation, now: dt.datetime, by: User | None) -> None:
    """The clock of the proposal runs again from the day after: the hearing is not counted (art. 45)."""
    if revocation.deadline.state == State.PAUSED:
        resume_many([revocation.deadline], at=now, by=by)


def chairs(revocation: Revocation, now: dt.datetime, *, by: User) -> list[User]:
    """Who may chair: deciders and heads of the department, without a part in the case, the revocation or its task.

    Source: art. 48.
    """
    case = revocation.case
    seen: set[int | None] = set(
        Entry.objects.filter(stream=case.stream, act__in=HANDLING, data__revocation=revocation.pk).values_list(
            "actor_id", flat=True
        )
    )
    seen |= {case.intake_by_id, case.reviewer_id, case.decider_id, by.pk, *supervisors(revocation)}
    seen |= set(Sheet.objects.filter(case=case).values_list("reviewer_id", flat=True))
    seen |= {pk for pair in SiteCheck.objects.filter(case=case).values_list("first_id", "second_id") for pk in pair}
    close = Conflict.objects.filter(ended_at__isnull=True, subject__licences=revocation.licence_id).values("user")
    postings = Posting.objects.active(local_date(now)).filter(
        role__in=CHAIRS, department_id=revocation.office.department_id, user__is_active=True
    )
    people = User.objects.filter(pk__in=postings.values("user")).exclude(pk__in=[pk for pk in seen if pk])
    return list(people.exclude(pk__in=close).order_by("pk"))


def hearing_days(revocation: Revocation, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day on which the hearing may be: 7 working days' notice, within 20 of the request."""
    first = working_calendar.estimating().after(today, NOTICE_DAYS)
    clock = revocation.hearing_deadline
    return first, max(first, clock.due_on) if clock is not None else first


@transaction.atomic
def plan_hearing(
    revocation: Revocation, *, on: dt.date | None, place: str, chair: User | None, by: User, now: dt.datetime
) -> Revocation:
    """Set day, place and chair of the hearing that was asked for, and tell the holder and the chair; may be set anew.

    Each time with its 听证通知书.

    Raises ``Refused`` (``hearing-day``, ``place-missing``, ``chair-missing``, ``chair-involved``, ``not-decider``,
    ``same-person``), ``TransitionNotAllowed``.
    """
    case, licence, revocation = _locked(revocation)
    refuse_stranger(case, by, now)
    _refuse_involved(revocation, by)
    if not hearing_pends(revocation) or revocation.status != R.NOTICED:
        raise TransitionNotAllowed("这件撤销建议没有等待举行的听证，请刷新查看。")
    first, last = hearing_days(revocation, local_date(now))
    if on is None or not first <= on <= last or not working_calendar.estimating().is_working(on):
        raise Refused(
            "hearing-day",
            f"听证须在{cn_day(first)}至{cn_day(last)}之间的工作日举行（提前七个工作日通知，申请后二十个工作日内组织）。",
            field="on",
        )
    where = _text(place, "place", "place-missing", "请填写听证地点。", 120)
    if chair is None:
        raise Refused("chair-missing", "请选择听证主持人。", field="chair")
    if chair not in chairs(revocation, now, by=by):
        raise Refused(
            "chair-involved",
            "听证由审查、决定这件许可，办理这件撤销建议，以及办理提出建议的监管任务以外的本部门人员主持，请另选主持人。",
            field="chair",
        )
    former = []
    if revocation.hearing_chair_id != chair.pk:
        former = _to_former_chair(revocation, "已改由他人主持", now)
    revocation.hearing_on, revocation.hearing_place, revocation.hearing_chair = on, where, chair
    revocation.save()
    _touch(case, now)
    extra = about(licence) | {"on": cn_day(on), "place": where, "chair": chair.full_name}
    _, paper = papers.issue(case, DocumentKind.HEARING, by=by, now=now, extra=extra)
    occasion = f"{revocation.pk}:{now:%s}"
    told = to_holder(
        case, notices.Kind.HOLDER_HEARING,
        f"您申请的听证（{licence.kind}，{licence.number}）定于{cn_day(on)}在{where}举行，请准时参加，详见听证通知书。",
        occasion,
    )  # fmt: skip
    to_chair = Message(
        kind=notices.Kind.REVOCATION_PROPOSED.value,
        text=f"请您主持{_day(on)}在{where}举行的撤销许可听证（证照{licence.number}），会后在平台“撤销许可”填写笔录。",
        dedupe_key=f"hearing:{occasion}:{chair.pk}",
        reference=case.stream,
        to_user=chair,
    )
    data = _draft(case, revocation, CaseAct.HEARING_PLANNED, by, on=on.isoformat(), chair=chair.pk)
    Writing([data, paper], [told, to_chair, *former]).write(now)
    return revocation


@transaction.atomic
def record_hearing(revocation: Revocation, *, record: str, by: User, now: dt.datetime) -> Revocation:
    """The chair writes the record of the hearing, on its day or after; the clock of the proposal runs again.

    Raises ``Refused`` (``not-chair``, ``hearing-not-yet``, ``record-missing``), ``TransitionNotAllowed``.
    """
    case, licence, revocation = _locked(revocation)
    if not hearing_pends(revocation) or revocation.status != R.NOTICED or revocation.hearing_on is None:
        raise TransitionNotAllowed("这件撤销建议没有等待记录的听证，请刷新查看。")
    if revocation.hearing_chair_id != by.pk:
        raise Refused("not-chair", "听证笔录由听证主持人填写。", conflict=True)
    if local_date(now) < revocation.hearing_on:
        raise Refused(
            "hearing-not-yet", f"听证定于{cn_day(revocation.hearing_on)}举行，还不能填写笔录。", field="record"
        )
    revocation.hearing_record = _text(record, "record", "record-missing", "请写明听证的经过和双方的意见。", 20000)
    revocation.hearing_held_at = now
    _end(revocation.hearing_deadline, now, by)
    _go_on(revocation, now, by)
    revocation.move(R.HEARD)
    revocation.save()
    _touch(case, now)
    text = f"证照{licence.number}的撤销听证已举行，笔录已提交，请根据笔录作出决定。"
    Writing(
        [_draft(case, revocation, CaseAct.HEARING_HELD, by)],
        _to_deciders(revocation, notices.Kind.REVOCATION_ANSWERED, text, "held", now),
    ).write(now)
    return revocation


# --- the decision


@transaction.atomic
def decide_revocation(
    revocation: Revocation, *, revoke: bool, reason: str, by: User, now: dt.datetime, ground: str = "",
    public_interest: str = "", compensation: str = "", bars: str = "",
) -> Revocation:  # fmt: skip
    """Revoke the licence on a ground of art. 69, or not, with reasons; everything of it in this one transaction.

    ``bars``, ``yes`` or ``no``, is asked where it was got by fraud: whether the licence directly concerns public
    safety, health, life or property, so that its holder may not apply for it again for three years (art. 79).

    Revoked, the licence is struck off as well (art. 70), whoever watches over it learns of it, and the facts wait to be
    judged by the credit side (L10d). The ground is the one of the newest notice. Raises ``Refused`` (``not-heard``,
    ``bars-missing``, ``bars-without-fraud``, ``reason-missing``, ``reason-too-short``, ``ground-missing``,
    ``ground-not-noticed``, ``interest-missing``, ``compensation-missing``, ``not-decider``, ``same-person``),
    ``TransitionNotAllowed``.
    """
    case, licence, revocation = _locked(revocation)
    refuse_stranger(case, by, now)
    if revocation.status == R.DECIDED:
        raise TransitionNotAllowed("这件撤销建议已经作出决定，可能有同事已先一步办理，请刷新查看。")
    _refuse_involved(revocation, by)
    if not may_decide(revocation, local_date(now)):
        raise Refused("not-heard", _not_heard(revocation), conflict=True)
    drafts = []
    if revocation.status == R.NOTICED:
        revocation.move(R.HEARD)
        drafts.append(_draft(case, revocation, CaseAct.REVOCATION_HEARD, by))
    revocation.move(R.DECIDED)
    _take_decision(revocation, revoke, ground, reason, public_interest, compensation)
    if _bars(revoke, ground, bars):
        revocation.barred_until = last_day(local_date(now))
    if revoke and not may_be(licence, K.REVOCATION):
        raise TransitionNotAllowed(f"证照{licence.number}现在是“{licence.state_text}”，不能撤销。")
    kind = DocumentKind.REVOCATION if revoke else DocumentKind.NO_REVOCATION
    extra = about(licence) | {
        "ground": revocation.get_ground_display(),
        "heard": _heard(revocation),
        "public_interest": revocation.public_interest,
        "compensation": revocation.compensation,
        "barred_until": cn_day(revocation.barred_until) if revocation.barred_until else "",
    }
    document, paper = papers.issue(case, kind, by=by, now=now, text=revocation.reason, extra=extra)
    revocation.revoke, revocation.document = revoke, document
    revocation.decided_by, revocation.decided_at = by, now
    revocation.save()
    _close_clocks(revocation, now, by)
    act = CaseAct.REVOKED if revoke else CaseAct.NOT_REVOKED
    drafts += [_draft(case, revocation, act, by, licence=licence.number, ground=revocation.ground), paper]
    text = f"关于您的{licence.kind}（{licence.number}），本机关已作出{'撤销' if revoke else '不予撤销'}的决定，"
    text += "理由和救济途径见决定书，请到窗口领取。" if revoke else "该证照继续有效，请到窗口领取决定书。"
    writing = Writing(drafts, [to_holder(case, notices.Kind.HOLDER_DECIDED, text, f"{revocation.pk}")])
    outbox.cancel([case.stream], [notices.Kind.CASE_REMINDER.value])
    revocation_decided.send(sender=Revocation, revocation=revocation, by=by, now=now, writing=writing)
    if revoke:
        _strike_off(case, licence, revocation, writing, by=by, now=now)
    _touch(case, now)
    writing.write(now)
    reach("revocation.before_commit")
    return revocation


def _not_heard(revocation: Revocation) -> str:
    if revocation.status == R.RECEIVED:
        return "还没有告知持证人，不能作出决定；请先发出告知书，听取意见。"
    if hearing_pends(revocation):
        return "持证人申请的听证还没有举行，不能作出决定。"
    until = cn_day(revocation.answer_deadline.due_on) if revocation.answer_deadline else ""
    return f"持证人可以在{until}前陈述申辩、申请听证；期限届满，或者持证人书面放弃之后，才能作出决定。"


def _take_decision(
    revocation: Revocation, revoke: bool, ground: str, reason: str, public_interest: str, compensation: str
) -> None:
    """Check what was written and put it on the row."""
    if revoke:
        if ground not in RevocationGround.values:
            raise Refused("ground-missing", "请选择撤销的法定情形（行政许可法第六十九条）。", field="ground")
        if ground != revocation.ground:
            raise Refused(
                "ground-not-noticed",
                f"告知持证人的法定情形是“{revocation.get_ground_display()}”，持证人没有就其他情形陈述申辩，不能据此撤销；"
                "确需改用其他情形的，请先另行告知。",
                field="ground",
            )
    revocation.reason = _text(reason, "reason", "reason-missing", "请写明决定的理由；理由写入决定书。")
    lead = "决定撤销许可，请写明查明的事实和撤销的理由" if revoke else "决定不予撤销，请写明不予撤销的理由"
    grave(revocation.reason, "reason", lead)
    if revoke or len(public_interest) > LONGEST:
        public_interest = _text(
            public_interest, "public_interest", "interest-missing",
            "请书面考虑：撤销是否可能对公共利益造成重大损害（可能的，不予撤销）。",
        )  # fmt: skip
    if revoke or len(compensation) > LONGEST:
        compensation = _text(
            compensation,
            "compensation",
            "compensation-missing",
            "请书面考虑：持证人的合法权益受到损害的，是否给予赔偿。",
        )
    revocation.public_interest, revocation.compensation = public_interest.strip(), compensation.strip()


def _bars(revoke: bool, ground: str, bars: str) -> bool:
    """Whether the holder may not apply again; raises ``Refused`` where it was not said, or said without a fraud."""
    if not revoke or ground != RevocationGround.FRAUD:
        if bars == "yes":
            raise Refused(
                "bars-without-fraud",
                "三年内不得再次申请，只适用于以欺骗、贿赂等不正当手段取得而被撤销的许可（行政许可法第七十九条）。",
                field="bars",
            )
        return False
    if bars not in {"yes", "no"}:
        raise Refused(
            "bars-missing",
            "请选择：该许可是否属于直接关系公共安全、人身健康、生命财产安全的事项（行政许可法第七十九条）。",
            field="bars",
        )
    return bars == "yes"


def _heard(revocation: Revocation) -> list[str]:
    """How the holder was heard, as the decision says it."""
    told = (
        f"本机关于{cn_day(local_date(revocation.noticed_at))}告知拟撤销的事实、理由和依据。"
        if revocation.noticed_at
        else ""
    )
    if revocation.hearing_held_at and revocation.hearing_on:
        heard = f"应你（单位）的要求，于{cn_day(revocation.hearing_on)}举行了听证，本决定根据听证笔录作出。"
    elif revocation.statement_at:
        heard = "你（单位）提出了陈述和申辩，本机关已予以审查。"
    elif revocation.waived_at:
        heard = "你（单位）书面放弃陈述、申辩和听证。"
    else:
        heard = "你（单位）在规定期限内没有陈述、申辩，也没有要求听证。"
    return [told, heard]


def _close_clocks(revocation: Revocation, now: dt.datetime, by: User) -> None:
    answer = revocation.answer_deadline
    if answer is not None and answer.is_open:
        cancel_deadline(answer, at=now, reason="not-answered", by=by)
    _end(revocation.deadline, now, by)


def _strike_off(
    case: Case, licence: Licence, revocation: Revocation, writing: Writing, *, by: User, now: dt.datetime
) -> None:
    """撤销 and 注销 with their rows, the open tasks told, the facts queued for the credit side."""
    assert revocation.document is not None  # noqa: S101 - the caller has just issued it
    number, reason = revocation.document.number, revocation.reason
    said: dict[str, Any] = {"by": by, "now": now, "document": revocation.document}
    change = apply_change(licence, K.REVOCATION, {}, basis=f"行政许可法第六十九条；{number}", reason=reason, **said)
    gone = {"deregistered_on": local_date(now)}
    struck = apply_change(
        licence,
        K.DEREGISTRATION,
        gone,
        basis=f"行政许可法第七十条第四项；{number}",
        reason="行政许可依法被撤销",
        **said,
    )
    for one in (change, struck):
        data = {"licence": licence.number, "kind": one.kind, "change": one.pk}
        writing.entries.append(Draft(case.stream, CaseAct.LICENCE_CHANGED, data, by))
    licence_changed.send(sender=Licence, licence=licence, change=change, by=by, now=now, writing=writing)
    reach("revocation.before_credit_fact")
    kinds = [CreditFact.Kind.REVOKED, *([CreditFact.Kind.BROKEN_PROMISE] if revocation.broken_promise else [])]
    for kind in kinds:
        basis = f"{number}：{revocation.get_ground_display()}"[:200]
        queue_fact(
            licence.holder, kind, source=number[:60], basis=basis, found_at=now, now=now,
            department=revocation.office.department, phone=case.contact_phone,
        )  # fmt: skip
