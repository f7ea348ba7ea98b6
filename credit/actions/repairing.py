"""How a record goes out of use: repair or correction, asked for by the subject or brought by the platform.

Every act locks the subject first. What is granted lifts in one transaction: the row stays for the trace, and display,
handling and sampling, which read records in use only, change with it; the push of the lifting is queued in it.

Source: 信用修复管理办法 (in force since 2026-04-01).
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Q

from credit import messages, pushing
from credit.actions import measures
from credit.actions.common import officers, refuse_stranger
from credit.enums import CreditAct
from credit.models import CreditRecord, Push, Repair
from credit.words import by_day, cn_day, paper_number, said
from deadlines import periods as lengths_of
from deadlines.actions import meet_deadline, start_deadline
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed

K = CreditRecord.Kind
LONGEST = {"statement": 4000, "reason": 2000, "notice": 60}
# What was kept or praised needs no repair, and can be withdrawn as wrong; what is listed elsewhere is not mended here.
REPAIRABLE = (K.BROKEN_PROMISE, K.REVOKED, K.SANCTION)


def _locked(record: CreditRecord) -> CreditRecord:
    """The record as it is under its subject's lock, and that of the subjects of what rests on it.

    Raises ``TransitionNotAllowed`` where something was begun on it for yet another subject this moment.
    """
    its = Q(pk=record.pk)
    locked = measures.lock_for_lifting(record.subject_id, its)
    if not measures.rested_on(its) <= locked:
        raise TransitionNotAllowed("有同事刚刚依据这条记录实施了措施，请刷新查看，核对以后再办理。")
    return CreditRecord.objects.select_related("subject", "department").get(pk=record.pk)


def _refuse_lifted(record: CreditRecord) -> None:
    """Raise ``Refused`` (``repair-done``) for a record that is out of use: nothing is repaired twice."""
    if record.is_lifted:
        what = "修复" if record.repaired_at else "更正撤回"
        raise Refused("repair-done", f"这条记录已经{what}，不再公示和使用，不能再次修复。", conflict=True)


def why_not(record: CreditRecord, ground: str, today: dt.date, *, officer: bool = False) -> Refused | None:
    """Why this cannot be asked for of the record as it stands, or None; the act asks again under the lock."""
    try:
        _refuse_unfit(record, ground, today, officer=officer)
    except Refused as error:
        return error
    return None


def _refuse_unfit(record: CreditRecord, ground: str, today: dt.date, *, officer: bool) -> None:
    """What speaks for a subject is withdrawn as wrong through an officer only, its own door offers nothing on it."""
    if record.kind == K.SERIOUS:
        raise Refused(
            "serious-read-only", "严重失信主体名单由名单主管部门管理，本平台只读，请向列入单位申请移出。", conflict=True
        )
    if record.origin == CreditRecord.Origin.PLATFORM:
        raise Refused(
            "repair-elsewhere",
            "这条记录来自公共信用信息平台，请向认定单位申请，本平台收到通知后停止使用。",
            conflict=True,
        )
    if record.kind not in REPAIRABLE and not (officer and ground == Repair.Ground.WRONG):
        said_of = record.get_kind_display()
        raise Refused(
            "repair-nothing", f"“{said_of}”不是失信记录，不需要修复；记录有误的，由认定单位更正。", conflict=True
        )
    _refuse_lifted(record)
    if ground == Repair.Ground.MENDED and record.repair_from is not None and today < record.repair_from:
        raise Refused(
            "repair-too-early",
            f"最短公示期未满，{cn_day(record.repair_from)}起可以申请修复；记录有误的，可以随时申请更正。",
            field="ground",
        )


@transaction.atomic
def ask(
    record: CreditRecord, *, ground: str, statement: str, by: User | None, now: dt.datetime, through: str = ""
) -> Repair:  # fmt: skip
    """Take in the subject's request for repair or correction; its clock starts. ``by``: the officer who wrote it down.

    None: the subject itself, behind its own door; ``through`` is the stream of the case whose phone opened it. The
    officers and the contact of the notice hear of it.

    Raises ``Refused`` (``not-your-department``, ``ground-missing``, ``serious-read-only``, ``repair-elsewhere``,
    ``repair-nothing``, ``repair-done``, ``repair-open``, ``repair-too-early``, ``statement-missing``,
    ``text-too-long``).
    """
    record = _locked(record)
    if by is not None:
        refuse_stranger(record.department_id, by, now)
    if ground not in Repair.Ground.values:
        raise Refused("ground-missing", "请选择申请的事由。", field="ground")
    _refuse_unfit(record, ground, local_date(now), officer=by is not None)
    if Repair.objects.filter(record=record, granted__isnull=True).exists():
        raise Refused("repair-open", "这条记录已有一件未办结的申请，请等候决定。", conflict=True)
    words = said(
        statement, "statement", "statement-missing", "请写明申请的理由和纠正的情况。", LONGEST["statement"]
    )  # fmt: skip
    division = record.department.division_id if record.department else None
    lengths = lengths_of.load([KindCode.CREDIT_REPAIR], division=division)
    clock = start_deadline(
        KindCode.CREDIT_REPAIR, at=now, stream=record.subject.stream, by=by,
        length=lengths.length(KindCode.CREDIT_REPAIR, division) if division is not None else None,
    )  # fmt: skip
    repair = Repair(record=record, ground=ground, statement=words, asked_by=by, asked_at=now, deadline=clock)
    save_at(repair, now, by=by)
    data = {"repair": repair.pk, "record": record.pk, "ground": ground} | ({"through": through} if through else {})
    record_many([Draft(record.subject.stream, CreditAct.REPAIR_ASKED, data, by)], at=now)
    if by is None:
        note = f"收到一件{_asked(repair)}，请{by_day(clock.due_on)}办结。"
        people = officers(record.department_id, now)
        outbox.queue(messages.to_staff(record.subject.stream, people, note, f"repair:{repair.pk}:asked"), now)
        received = f"您（单位）的{_asked(repair)}已收到，{by_day(clock.due_on)}决定并告知您。"
        _tell(record, received, f"repair:{repair.pk}:received", now)
    return repair


@transaction.atomic
def settle(repair: Repair, *, grant: bool, reason: str, by: User, now: dt.datetime) -> Repair:
    """Decide on a request, with reasons; granted, the record goes out of use and everything lifts with it.

    Raises ``Refused`` (``not-your-department``, ``reason-missing``, ``repair-done``, ``text-too-long``),
    ``TransitionNotAllowed``.
    """
    record = _locked(repair.record)
    repair = Repair.objects.select_related("deadline").get(pk=repair.pk)
    refuse_stranger(record.department_id, by, now)
    if repair.granted is not None:
        raise TransitionNotAllowed("这件申请已经决定，可能有同事已先一步办理，请刷新查看。")
    if grant:
        _refuse_lifted(record)
    why = said(reason, "reason", "reason-missing", "请写明决定的理由；理由会告知申请人。", LONGEST["reason"])
    _close(repair, record, granted=grant, reason=why, by=by, now=now)
    if grant:
        _lift(record, repair, by=by, now=now)
    else:
        data = {"repair": repair.pk, "record": record.pk}
        record_many([Draft(record.subject.stream, CreditAct.REPAIR_REFUSED, data, by)], at=now)
        _tell(record, f"您（单位）的{_asked(repair)}经审查，决定不予同意。理由：{why}", f"repair:{repair.pk}", now)
    reach("credit_repair.before_commit")
    return repair


@transaction.atomic
def take_notice(
    record: CreditRecord, *, notice: str, text: str, now: dt.datetime, by: User | None = None
) -> Repair:  # fmt: skip
    """Take a repair that the platform decided: the record goes out of use. The same notice again changes nothing.

    It may not come before the shortest period is over, nobody repairs earlier. Numbers are compared however they were
    typed. An open request of the subject is answered by it. ``by``: the officer who entered a notice on paper.
    Raises ``Refused`` (``not-your-department``, ``serious-read-only``, ``notice-missing``, ``notice-of-another``,
    ``repair-nothing``, ``repair-done``, ``repair-too-early``, ``notice-text-missing``, ``text-too-long``).
    """
    record = _locked(record)
    if by is not None:
        refuse_stranger(record.department_id, by, now)
    typed = notice.strip()
    number = said(paper_number(typed), "notice", "notice-missing", "请填写修复通知的编号。", LONGEST["notice"])
    before = Repair.objects.filter(notice__in={typed, number}).first()
    if before is not None and before.record_id == record.pk:
        return before
    of_another = Refused("notice-of-another", "这份通知已经用于另一条记录，请核对通知编号。", field="notice")
    if before is not None:
        raise of_another
    if record.kind == K.SERIOUS:
        raise Refused(
            "serious-read-only",
            "严重失信主体名单由名单主管部门管理，本平台只读，移出以平台下发的名单为准。",
            conflict=True,
        )
    if record.kind not in REPAIRABLE:
        raise Refused("repair-nothing", f"“{record.get_kind_display()}”不是失信记录，不需要修复。", conflict=True)
    _refuse_lifted(record)
    if record.repair_from is not None and local_date(now) < record.repair_from:
        raise Refused(
            "repair-too-early",
            f"最短公示期未满，{cn_day(record.repair_from)}起才能登记修复通知，请与信用平台核实；记录有误的，请登记更正申请。",
            field="notice",
        )
    words = said(text, "text", "notice-text-missing", "请写明修复通知的内容。", LONGEST["reason"])
    repair = Repair.objects.select_related("deadline").filter(record=record, granted__isnull=True).first()
    if repair is None:
        repair = Repair(
            record=record, origin=Repair.Origin.PLATFORM, ground=Repair.Ground.MENDED, statement=words, asked_at=now,
            asked_by=by,
        )  # fmt: skip
    repair.notice = number
    try:
        with transaction.atomic():
            _close(repair, record, granted=True, reason=words, by=by, now=now)
    except IntegrityError as error:  # for a record of another subject, whose lock is another, at this moment
        raise of_another from error
    data = {"repair": repair.pk, "record": record.pk, "notice": number}
    record_many([Draft(record.subject.stream, CreditAct.NOTICE_TAKEN, data, by)], at=now)
    # The platform decides on repair, whatever the subject asked us for.
    _lift(record, repair, by=by, now=now)
    reach("credit_notice.before_commit")
    return repair


def _close(
    repair: Repair, record: CreditRecord, *, granted: bool, reason: str, by: User | None, now: dt.datetime
) -> None:
    repair.granted, repair.reason, repair.decided_by, repair.decided_at = granted, reason, by, now
    save_at(repair, now, by=by)
    if repair.deadline is not None and repair.deadline.is_open:
        meet_deadline(repair.deadline, at=now, by=by)


def _asked(repair: Repair) -> str:
    return "信用修复申请" if repair.ground == Repair.Ground.MENDED else "更正申请"


def _lift(record: CreditRecord, repair: Repair, *, by: User | None, now: dt.datetime) -> None:
    """The record out of use, its lifting on the ledger and in the line to the platform, the SMS; under the lock."""
    wrong = repair.ground == Repair.Ground.WRONG and repair.notice is None
    if wrong:
        record.withdrawn_at = now
    else:
        record.repaired_at = now
    save_at(record, now, by=by)
    act = CreditAct.RECORD_WITHDRAWN if wrong else CreditAct.RECORD_REPAIRED
    data = {"record": record.pk, "repair": repair.pk}
    record_many([Draft(record.subject.stream, act, data, by)], at=now)
    measures.lift_of(record, now, by)
    reach("credit_lift.before_push")
    if record.origin == CreditRecord.Origin.PORTAL:
        pushing.queue(record, Push.Kind.WITHDRAWN if wrong else Push.Kind.LIFTED, now)
    what = "因有误已更正撤回" if wrong else "已修复"
    name = "失信记录" if record.kind in REPAIRABLE else "信用记录"
    _tell(record, f"您（单位）的一条{name}{what}，自今日起不再公示和使用。", f"record:{record.pk}:lifted", now)


def _tell(record: CreditRecord, text: str, occasion: str, now: dt.datetime) -> None:
    """The SMS to where the subject was told of the breach; a record from outside has no contact."""
    breach = getattr(record, "breach", None)
    if breach is not None:
        outbox.queue(messages.to_subject(record.subject.stream, breach.phone, text, occasion), now)
