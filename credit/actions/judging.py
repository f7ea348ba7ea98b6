"""How a fact becomes a record: its subject is told beforehand, may object, and a credit officer decides (L8c, L10d).

Every act locks the subject first. What is written of it stands on the subject's stream. There is no way to a record of
a breach but from a fact that a room of the portal queued with its finding.

Source: 江苏省社会信用条例 (告知、异议), 信用修复管理办法 (in force since 2026-04-01), 连政办发〔2022〕67号.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from credit import messages, pushing
from credit.actions.common import lock_subject, officers, refuse_stranger
from credit.enums import CreditAct
from credit.identifiers import normalise
from credit.listing import BY_CODE, OF_FACT, Listed
from credit.models import Breach, CreditFact, CreditRecord, CreditSubject, Push
from credit.numbers import notice_number
from credit.rules import in_force, periods, versions
from credit.words import by_day, cn_day, door_address, said
from deadlines import periods as lengths_of
from deadlines.actions import cancel_deadline, meet_deadline, start_deadline
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.crypto import keyed_hash
from offices.history import save_at
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed

B = Breach.Status
LONGEST = {"text": 4000, "objection": 4000, "reason": 2000, "how": 60}


def identifies(subject: CreditSubject, identifier: str) -> bool:
    """Whether a code or an identity number, as it was typed, is that of ``subject``; compared by the keyed hash."""
    typed = normalise(identifier)
    if subject.kind == CreditSubject.Kind.PERSON:
        return bool(typed) and keyed_hash(typed) == subject.id_hash
    return bool(typed) and typed == subject.code


@transaction.atomic
def tell(
    fact: CreditFact, *, listed: str, level: str, text: str, how: str, by: User, now: dt.datetime,
    identifier: str | None = None,
) -> Breach:  # fmt: skip
    """告知拟认定失信: a notice with its number, the clock of the objection, the SMS; nothing is recorded by it.

    ``listed``: code of the 目录; ``how`` the notice was served. ``identifier``: the code or identity number that the
    finding's paper names; people always give it, and another subject's is refused. Raises ``Refused``
    (``not-your-department``, ``record-wrong-subject``, ``not-listed``, ``level-not-listed``, ``breach-text-missing``,
    ``served-how-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    subject = lock_subject(fact.subject_id)
    fact = CreditFact.objects.select_related("department__division").get(pk=fact.pk)
    if fact.settled_at is not None or Breach.objects.filter(fact=fact).exists():
        raise TransitionNotAllowed("这条事实已经告知或者处理，可能有同事已先一步办理，请刷新查看。")
    refuse_stranger(fact.department_id, by, now)
    assert fact.department is not None  # noqa: S101 - nobody is the officer of no department
    if identifier is not None and not identifies(subject, identifier):
        raise Refused(
            "record-wrong-subject",
            "您填写的代码或者号码不是这条事实的主体，不能记到其他主体名下，请对照认定文书核对。",
            field="identifier",
        )
    entry = _listed(fact, listed, level)
    words = said(text, "text", "breach-text-missing", "请写明拟认定的事实，告知书将载明。", LONGEST["text"])
    served = said(how, "how", "served-how-missing", "请写明告知书的送达方式。", LONGEST["how"])
    lengths = lengths_of.load([KindCode.CREDIT_OBJECTION], division=fact.department.division_id)
    clock = start_deadline(
        KindCode.CREDIT_OBJECTION, at=now, stream=subject.stream, by=by,
        length=lengths.length(KindCode.CREDIT_OBJECTION, fact.department.division_id),
    )  # fmt: skip
    breach = Breach(
        fact=fact, subject=subject, department=fact.department, number=notice_number(fact.department, now),
        listed=listed, level=level, text=words, basis=f"{entry.basis}；{fact.basis}"[:300], told_by=by, told_at=now,
        told_how=served, phone=fact.phone, deadline=clock,
    )  # fmt: skip
    save_at(breach, now, by=by)
    data = {"breach": breach.pk, "fact": fact.pk, "number": breach.number, "listed": listed, "level": level}
    record_many([Draft(subject.stream, CreditAct.BREACH_TOLD, data | {"until": clock.due_on.isoformat()}, by)], at=now)
    notice = (
        f"{fact.department.paper_name}拟将您（单位）的一项行为认定为失信（{breach.number}）。如有异议，"
        f"请{by_day(clock.due_on)}向该单位提出，或者在{door_address()}查询办件后提出，详见告知书。"
    )
    _to_subject(breach, notice, "told", now)
    reach("credit_told.before_commit")
    return breach


def _listed(fact: CreditFact, listed: str, level: str) -> Listed:
    """The entry of the list for this fact. Raises ``Refused`` for what is not on it, at another level."""
    if listed not in OF_FACT.get(fact.kind, ()):
        raise Refused(
            "not-listed", f"“{fact.get_kind_display()}”不属于所选的目录项，目录以外的行为不能认定为失信。",
            field="listed",
        )  # fmt: skip
    entry = BY_CODE[listed]
    if level not in entry.levels:
        raise Refused("level-not-listed", f"目录项 {listed} 没有这个等级，请在所列等级中选择。", field="level")
    return entry


def _to_subject(breach: Breach, text: str, occasion: str, now: dt.datetime) -> None:
    key = f"breach:{breach.pk}:{occasion}"
    outbox.queue(messages.to_subject(breach.subject.stream, breach.phone, text, key), now)


def _locked(breach: Breach) -> Breach:
    """The breach as it is under its subject's lock, if it is still to be decided. Raises ``TransitionNotAllowed``."""
    lock_subject(breach.subject_id)
    breach = Breach.objects.select_related("fact", "subject", "department", "deadline").get(pk=breach.pk)
    if not breach.is_open:
        raise TransitionNotAllowed(
            f"{breach.number}现在是“{breach.get_status_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    return breach


def objection_is_over(breach: Breach, today: dt.date) -> bool:
    """Whether the subject's day to object has passed; an unpublished year decides nothing."""
    clock = breach.deadline
    return bool(clock.is_open and not clock.provisional and clock.is_overdue(today))


def may_decide(breach: Breach, today: dt.date) -> bool:
    """Whether the subject objected, or its day to object has passed."""
    return breach.status == B.OBJECTED or (breach.status == B.TOLD and objection_is_over(breach, today))


def why_not_yet(breach: Breach, today: dt.date) -> str:
    """Why a breach that its subject may still object to is not recorded: its day, or a year that is not published."""
    clock, day = breach.deadline, by_day(breach.deadline.due_on)
    uncertain = clock.provisional_note()
    if uncertain and clock.is_overdue(today):
        return f"异议期限暂计为{day}，是否届满还不能确定，现在不能记录。{uncertain}"
    return f"当事人{day}可以提出异议，期限届满之前不能记录。{uncertain}"


@transaction.atomic
def object_to(breach: Breach, *, text: str, by: User | None, now: dt.datetime, through: str = "") -> Breach:
    """Take in the subject's objection, once, within its days; ``by`` is the officer who wrote it down.

    None: the subject itself, behind its own door; ``through`` is the stream of the case whose phone opened it. The
    officers and the contact of the notice hear of it.

    Raises ``Refused`` (``not-your-department``, ``objection-missing``, ``objection-late``, ``text-too-long``),
    ``TransitionNotAllowed``.
    """
    breach = _locked(breach)
    if by is not None:
        refuse_stranger(breach.department_id, by, now)
    if breach.status != B.TOLD:
        raise TransitionNotAllowed(f"{breach.number}已经提出过异议，请等候决定；补充材料请交认定单位。")
    if objection_is_over(breach, local_date(now)):
        raise Refused(
            "objection-late",
            f"异议期限（{cn_day(breach.deadline.due_on)}）已过；记录以后，仍可以“记录有误”为由申请更正。",
            conflict=True,
        )
    breach.objection = said(text, "text", "objection-missing", "请写明异议的内容和理由。", LONGEST["objection"])
    breach.objected_at, breach.status = now, B.OBJECTED
    save_at(breach, now, by=by)
    meet_deadline(breach.deadline, at=now, by=by)
    data = {"breach": breach.pk} | ({"through": through} if through else {})
    record_many([Draft(breach.stream, CreditAct.BREACH_OBJECTED, data, by)], at=now)
    if by is None:
        _to_subject(breach, f"您（单位）对{breach.number}的异议已收到，审查后决定是否记录，并告知您。", "objected", now)
        people = officers(breach.department_id, now)
        note = f"{breach.number}的当事人提出了异议，请审查后决定是否记录。"
        outbox.queue(messages.to_staff(breach.stream, people, note, f"breach:{breach.pk}:objected"), now)
    return breach


@transaction.atomic
def record_breach(
    breach: Breach, *, final_on: dt.date | None, reason: str, by: User, now: dt.datetime
) -> CreditRecord:  # fmt: skip
    """Decide that it is a breach: the record with its periods, its push, the SMS; ``final_on``: since when it is final.

    The rules are those in force on the day of the finding. Raises ``Refused`` (``not-your-department``,
    ``objection-open``, ``not-final``, ``record-wrong-subject``, ``record-exists``, ``reason-missing``,
    ``text-too-long``), ``TransitionNotAllowed``.
    """
    breach = _locked(breach)
    refuse_stranger(breach.department_id, by, now)
    today, fact = local_date(now), breach.fact
    if not may_decide(breach, today):
        raise Refused("objection-open", why_not_yet(breach, today), conflict=True)
    if breach.subject_id != fact.subject_id:
        raise Refused("record-wrong-subject", "告知的主体和认定事实的主体不是同一个，不能记录。", conflict=True)
    day = _final(final_on, local_date(fact.found_at), today)
    why = said(reason, "reason", "reason-missing", "请写明决定的理由。", LONGEST["reason"])
    record = _record_of(breach)
    if CreditRecord.objects.filter(subject=record.subject_id, kind=record.kind, source=record.source).exists():
        raise Refused("record-exists", "依据同一文书的同类记录已经存在，不能重复记录；请决定不予记录。", conflict=True)
    save_at(record, now, by=by)
    breach.record, breach.final_on = record, day
    _decide(breach, B.RECORDED, why, by, now)
    data = {"breach": breach.pk, "record": record.pk, "level": record.level, "final_on": day.isoformat()}
    data |= {"shown_until": record.shown_until.isoformat() if record.shown_until else None}
    record_many([Draft(breach.stream, CreditAct.BREACH_RECORDED, data, by)], at=now)
    reach("credit_record.before_push")
    pushing.queue(record, Push.Kind.RECORD, now)
    _to_subject(breach, _recorded_text(breach, record), "recorded", now)
    reach("credit_record.before_commit")
    return record


def _final(day: dt.date | None, found_on: dt.date, today: dt.date) -> dt.date:
    """The day on which the finding became final. Raises ``Refused`` (``not-final``)."""
    if day is None:
        text = "请填写认定文书的生效日；还在复议、诉讼期限内或者正在复议、诉讼的，不能记录。"
    elif day > today:
        text = f"认定文书要到{cn_day(day)}才生效，生效之前不能记录。"
    elif day < found_on:
        text = f"生效日不会早于认定之日（{cn_day(found_on)}），请对照认定文书核对。"
    else:
        return day
    raise Refused("not-final", text, field="final_on")


def _record_of(breach: Breach) -> CreditRecord:
    """The record to be: of the fact's subject and day, by the rules in force on that day."""
    fact, entry = breach.fact, BY_CODE[breach.listed]
    found_on = local_date(fact.found_at)
    span = periods(in_force(versions(), found_on), breach.level, found_on)
    return CreditRecord(
        subject=breach.subject, kind=entry.record, source=fact.source, basis=breach.basis[:200], listed=breach.listed,
        level=breach.level, department=breach.department, found_at=fact.found_at, rule=span.rule,
        repair_from=span.repair_from, shown_until=span.shown_until,
    )  # fmt: skip


def _recorded_text(breach: Breach, record: CreditRecord) -> str:
    shown = f"公示至{cn_day(record.shown_until)}" if record.shown_until else "不向社会公示"
    assert record.repair_from is not None  # noqa: S101 - a breach always has it
    return (
        f"您（单位）的一项行为已认定为失信并记录（{breach.number}），{shown}；"
        f"自{cn_day(record.repair_from)}起可以申请信用修复。记录有误的，可以随时申请更正。"
    )


def _decide(breach: Breach, status: Breach.Status, reason: str, by: User, now: dt.datetime) -> None:
    """Write the decision, end the objection's clock and settle the fact; the caller writes the ledger."""
    breach.status, breach.reason, breach.decided_by, breach.decided_at = status, reason, by, now
    save_at(breach, now, by=by)
    if breach.deadline.is_open:
        cancel_deadline(breach.deadline, at=now, reason="decided", by=by)
    breach.fact.settled_at = now
    breach.fact.save(update_fields=["settled_at"])


@transaction.atomic
def drop(breach: Breach, *, reason: str, by: User, now: dt.datetime) -> Breach:
    """Decide that nothing is recorded, with reasons; at any time before it is recorded.

    Raises ``Refused`` (``not-your-department``, ``reason-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    breach = _locked(breach)
    refuse_stranger(breach.department_id, by, now)
    why = said(reason, "reason", "reason-missing", "请写明不予记录的理由。", LONGEST["reason"])
    _decide(breach, B.DROPPED, why, by, now)
    record_many([Draft(breach.stream, CreditAct.BREACH_DROPPED, {"breach": breach.pk}, by)], at=now)
    _to_subject(breach, f"拟认定失信一事（{breach.number}）经审查，决定不予记录。", "dropped", now)
    return breach
