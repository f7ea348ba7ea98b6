"""What the applicant still owes: 材料延期 (papers first, then the licence) and 容缺 (the licence first).

Every act locks the case first, so that a hand-in, a sweep and a person's decision on the same case come one after the
other, and each finds what the one before it left. A day is over when the local date is after it: 23:59:59 is in time.

Source: L8a–c, O3.1.3a; 行政许可法 art. 44.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from approvals import covering, notices, papers
from approvals.actions.finish import complete_on_arrival
from approvals.actions.intake import has_lapsed, is_letter, slot_of
from approvals.enums import OWED, CaseAct, CaseStatus, DocumentKind, Door, EndingKind, MaterialState
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.lacking import TAKES_MISSING, lacking
from approvals.models import Case, CaseMaterial, Ending, LaterSubmission, PromiseLapse, Upload
from approvals.promised import last_lawful_day
from approvals.stages import leave
from credit import gate
from credit.models import CreditFact, HandlingWay, queue_fact
from deadlines import calendar as working_calendar
from deadlines.actions import cancel_deadline, cancel_many, meet_deadline, start_deadline
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_office

S = CaseStatus
LONGEST_REASON = 500
# A written day that is further away than this is a slip of the pen.
LONGEST_LATER = dt.timedelta(days=180)
# What is deferred comes in before the licence; what is later may also come early.
TAKES_IN = (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED, S.COMPLETED)


def outstanding(case: Case, state: MaterialState | None = None) -> list[CaseMaterial]:
    """The lines that the applicant still owes, in order; those of one ``state`` (DEFERRED, LATER) if it is given."""
    return list(case.materials.filter(state__in=[state] if state else OWED).select_related("material"))


def to_hand_in(case: Case) -> list[CaseMaterial]:
    """The lines that may be handed in now: what is owed, and until the licence what a case lacks that was accepted
    without it (by law, or because its notice did not name it); never the letter, which is signed.
    """
    lines = outstanding(case) if case.status in TAKES_IN else []
    if case.status in TAKES_MISSING:
        lines += [line for line in lacking(case.pk) if not is_letter(line)]
    return sorted(lines, key=lambda line: line.order)


def lapse_of(case: Case) -> PromiseLapse | None:
    """The passed day that waits for somebody to decide, if any."""
    return case.promise_lapses.filter(cancel__isnull=True).first()


def has_passed(clock: Deadline | None, now: dt.datetime) -> bool:
    """Whether the day of an open clock is over."""
    return clock is not None and clock.is_open and clock.is_overdue(local_date(now))


def _text(value: str, code: str, message: str, field: str) -> str:
    said = value.strip()
    if not said:
        raise Refused(code, message, field=field)
    if len(said) > LONGEST_REASON:
        raise Refused("remark-too-long", f"理由最多 {LONGEST_REASON} 字，现为 {len(said)} 字，请精简。", field=field)
    return said


def _must_decide(case: Case, by: User, now: dt.datetime) -> None:
    """Whoever settles decides in the case's office and did not take the case in (O3.1.2c)."""
    deciders = by_office(Posting.Role.DECIDER, {case.review_office_id}, local_date(now))
    if by not in deciders.get(case.review_office_id, []):
        raise Refused("not-decider", "逾期的处理由审查处室的决定人员作出。", conflict=True)
    if by.pk == case.intake_by_id:
        raise Refused("same-person", "收件人员不能决定逾期的处理，请由其他决定人员办理。", conflict=True)


# --- the material comes in


@transaction.atomic
def hand_in(case: Case, *, provided: Mapping[str, str], by: User | None, door: Door, now: dt.datetime) -> Case:
    """Take in what was owed: ticked in ``provided`` (slot → "provided"), or with files that wait under the case's key.

    The last deferred material of an approved case, in by its day, brings the licence in the same transaction (L8a).
    After the day it is taken in all the same, late, and the licence waits for a person's decision (L8c). What an
    accepted case lacks comes in the same way, of the applicant's own accord, as long as there is no decision. ``by`` is
    None where the applicant came through the own ``door``. Raises ``Refused`` (``nothing-handed-in``),
    ``TransitionNotAllowed``.
    """
    case = Case.objects.lock(case.pk)
    lines = to_hand_in(case)
    if not lines:
        raise TransitionNotAllowed(
            f"这件办件（{case.get_status_display()}）没有等待补交的材料，可能刚刚已经补交，请刷新查看。"
        )
    taken = _take_in(case, lines, provided, now)
    if not taken:
        raise Refused("nothing-handed-in", "请勾选已交来的材料，或者上传文件。", field="provided")
    left = [line for line in lines if line not in taken]
    deferred = [line for line in taken if line.owed_as == MaterialState.DEFERRED]
    later = [line for line in taken if line.owed_as == MaterialState.LATER]
    drafts: list[Draft] = []
    if added := [line for line in taken if not line.owed_as]:
        drafts.append(_came_in(case, CaseAct.MATERIAL_ADDED, added, late=False, door=door, by=by))
    completes = False
    if deferred:
        late = has_passed(case.promise_deadline, now)
        drafts.append(_came_in(case, CaseAct.DEFERRED_IN, deferred, late=late, door=door, by=by))
        completes = _after_deferred(case, left, late=late, drafts=drafts, by=by, now=now)
    if later:
        _after_later(case, later, left, drafts, door=door, by=by, now=now)
    case.touched_at = now
    save_at(case, now)
    record_many(drafts, at=now)
    if completes:
        complete_on_arrival(case, by=by, now=now)
    reach("hand_in.before_commit")
    return case


def _take_in(
    case: Case, lines: Sequence[CaseMaterial], provided: Mapping[str, str], now: dt.datetime
) -> list[CaseMaterial]:
    waiting: dict[str, list[int]] = {}
    rows = Upload.objects.filter(intake_key=case.intake_key, case_material__isnull=True)
    for slot, pk in rows.values_list("slot", "pk"):
        waiting.setdefault(slot, []).append(pk)
    taken = []
    for line in lines:
        files = waiting.get(slot_of(line), [])
        if not files and provided.get(slot_of(line)) != MaterialState.PROVIDED:
            continue
        line.owed_as = line.state if line.state in OWED else ""
        line.state, line.received_at = MaterialState.PROVIDED, now
        line.save(update_fields=["owed_as", "state", "received_at"])
        if files:
            Upload.objects.filter(pk__in=files).update(case_material=line)
            transaction.on_commit(covering.wake, robust=True)
        taken.append(line)
    return taken


def _came_in(
    case: Case, act: CaseAct, lines: Sequence[CaseMaterial], *, late: bool, door: Door, by: User | None
) -> Draft:
    data = {"lines": [line.pk for line in lines], "late": late, "door": Door(door).value}
    return Draft(case.stream, act, data, by)


def _after_deferred(
    case: Case, left: Sequence[CaseMaterial], *, late: bool, drafts: list[Draft], by: User | None, now: dt.datetime
) -> bool:
    """End the promised clock with the last deferred material; whether the licence comes with it, at once."""
    clock = case.promise_deadline
    if late and case.status == S.APPROVED:
        drafts += _lapse(case, now)
    elif clock is not None and clock.is_open:
        # In by its day, although a sweep was faster to the lock: nobody has to decide on what did not happen.
        case.promise_lapses.filter(cancel__isnull=True, due_on=clock.due_on).delete()
    if any(line.state == MaterialState.DEFERRED for line in left):
        return False
    if clock is not None and clock.is_open:
        meet_deadline(clock, at=now, by=by)
    # A kept handling has its person's word already: nobody has to be asked about the same day again.
    return case.status == S.APPROVED and lapse_of(case) is None


def _after_later(
    case: Case, taken: Sequence[CaseMaterial], left: Sequence[CaseMaterial], drafts: list[Draft], *, door: Door,
    by: User | None, now: dt.datetime,
) -> None:  # fmt: skip
    later = LaterSubmission.objects.select_for_update(of=("self",)).select_related("deadline").get(case=case)
    late = has_passed(later.deadline, now)
    drafts.append(_came_in(case, CaseAct.LATER_IN, taken, late=late, door=door, by=by))
    if late and later.overdue_at is None:
        later.overdue_at = now
        drafts.append(_later_lapsed(case, later))
    elif not late and later.settled_at is None and later.deadline is not None and later.deadline.is_open:
        later.overdue_at = None  # in by its day, although a sweep was faster to the lock
    if not any(line.state == MaterialState.LATER for line in left):
        later.fulfilled_at = now
        if later.deadline is not None and later.deadline.is_open:
            meet_deadline(later.deadline, at=now, by=by)
    later.save(update_fields=["overdue_at", "fulfilled_at"])


# --- 材料延期: the day passed


def _lapse(case: Case, now: dt.datetime) -> list[Draft]:
    """Note, once a day that passed, that somebody has to decide; the caller holds the lock and writes the entries."""
    clock = case.promise_deadline
    if clock is None or case.promise_lapses.filter(due_on=clock.due_on).exists():
        return []
    lapse = PromiseLapse.objects.create(case=case, due_on=clock.due_on, found_at=now)
    return [Draft(case.stream, CaseAct.PROMISE_LAPSED, {"lapse": lapse.pk, "due": clock.due_on.isoformat()})]


@transaction.atomic
def find_promise_lapse(case: Case, *, now: dt.datetime) -> Case:
    """Note that the promised day of an approved case passed with something still owed; nothing is cancelled by machine.

    Raises ``TransitionNotAllowed`` where somebody was faster.
    """
    case = Case.objects.lock(case.pk)
    if case.status != S.APPROVED or not has_passed(case.promise_deadline, now):
        raise TransitionNotAllowed("这件办件没有逾期未补交的承诺材料。")
    drafts = _lapse(case, now)
    if not drafts:
        raise TransitionNotAllowed("这一期限的逾期已经记录。")
    case.touched_at = now
    save_at(case, now)
    record_many(drafts, at=now)
    reach("promise_lapse.before_commit")
    return case


@transaction.atomic
def settle_promise_lapse(
    case: Case, *, cancel: bool, reason: str, by: User, now: dt.datetime, until: dt.date | None = None
) -> Case:
    """Decide what follows a promised day that passed: cancel the handling, or keep it going (L8c; never by machine).

    Kept, the applicant may get a new day, the last lawful one at most; where everything came in meanwhile the licence
    is issued at once. A handling that was kept without a day may be decided on again. Raises ``Refused``
    (``reason-missing``, ``promise-day-wrong``, ``not-decider``, ``same-person``), ``TransitionNotAllowed``.
    """
    case = Case.objects.lock(case.pk)
    drafts: list[Draft] = []
    lapse = lapse_of(case) if case.status == S.APPROVED else None
    if lapse is None and case.status == S.APPROVED and has_passed(case.promise_deadline, now):
        drafts += _lapse(case, now)
        lapse = lapse_of(case) or _again(case, now)
    if lapse is None:
        raise TransitionNotAllowed("这件办件没有待处理的承诺逾期，可能有同事已先一步处理，请刷新查看。")
    _must_decide(case, by, now)
    said = _text(reason, "reason-missing", "请写明理由；理由会告知申请人。", "reason")
    owed = outstanding(case, MaterialState.DEFERRED)
    if cancel:
        until = None
    elif until is not None:
        until = _new_day(case, until, now) if owed else None
    lapse.cancel, lapse.reason, lapse.until, lapse.decided_by, lapse.decided_at = cancel, said, until, by, now
    lapse.save()
    data = {"lapse": lapse.pk, "cancel": cancel, "until": until.isoformat() if until else None}
    drafts.append(Draft(case.stream, CaseAct.PROMISE_OVERDUE_SETTLED, data, by))
    if cancel:
        return _cancel(case, said, drafts, by=by, now=now)
    if until is not None:
        _restart(case, until, by=by, now=now)
    case.touched_at = now
    save_at(case, now)
    record_many(drafts, at=now)
    if not owed:
        complete_on_arrival(case, by=by, now=now)
    else:
        _tell_kept(case, lapse, owed, now)
    reach("promise_settled.before_commit")
    return case


def _again(case: Case, now: dt.datetime) -> PromiseLapse:
    """A kept handling that waits without a day is taken up again: a decision of its own, about the same day."""
    clock = case.promise_deadline
    assert clock is not None  # noqa: S101 - its day has passed
    return PromiseLapse.objects.create(case=case, due_on=clock.due_on, found_at=now)


def _new_day(case: Case, until: dt.date, now: dt.datetime) -> dt.date:
    last = last_lawful_day(case, now)
    if not local_date(now) < until <= last:
        if last <= local_date(now):
            text = (
                f"依法颁发证件的最后一天（{papers.cn_day(last)}）已到，不能再定新的补交日；"
                "请撤销办理，或者不填日期、继续等待。"
            )
        else:
            text = f"新的补交日须在今天之后、{papers.cn_day(last)}（依法颁发证件的最后一天）之前或当日。"
        raise Refused("promise-day-wrong", text, field="until")
    return until


def _restart(case: Case, until: dt.date, *, by: User, now: dt.datetime) -> None:
    """The clock of the day that passed ends as missed, another one runs to the new day."""
    if case.promise_deadline is not None and case.promise_deadline.is_open:
        cancel_deadline(case.promise_deadline, at=now, reason="new-day", by=by)
    case.promise_deadline = start_deadline(KindCode.PROMISE, at=now, stream=case.stream, by=by, fixed_on=until)


def _tell_kept(case: Case, lapse: PromiseLapse, owed: Sequence[CaseMaterial], now: dt.datetime) -> None:
    names = notices.names_of_lines(owed)
    by_day = f"请{notices.latest(lapse.until)}补交" if lapse.until else "请尽快补交"
    text = f"承诺的补交期限已过，经决定继续办理，{names}{by_day}，补齐即颁发证件。"
    notices.tell(case, notices.Kind.PROMISE_KEPT, text, str(lapse.pk), now)


def _cancel(case: Case, reason: str, drafts: list[Draft], *, by: User, now: dt.datetime) -> Case:
    """撤销办理: the licence was not issued yet, so this is not art. 69's revocation."""
    late = case.materials.filter(owed_as=MaterialState.DEFERRED).order_by("order")
    owed = outstanding(case, MaterialState.DEFERRED) or list(late)
    case.move(S.CANCELLED, now)
    found = (case.promise_deadline, case.issue_deadline)
    drafts += leave(case, by=by, now=now)
    cancel_many([clock for clock in found if clock is not None and clock.is_open], at=now, reason="cancelled", by=by)
    Ending.objects.create(case=case, kind=EndingKind.CANCELLED, reason=reason, ended_by=by, ended_at=now)
    save_at(case, now)
    points = [{"key": f"line:{line.pk}", "text": line.name} for line in owed]
    document, paper = papers.issue(case, DocumentKind.CANCELLATION, by=by, now=now, points=points, text=reason)
    data = {"lines": [line.pk for line in owed]}
    record_many([*drafts, Draft(case.stream, CaseAct.CANCELLED, data, by), paper], at=now)
    _to_credit(case, document.number, "承诺期限届满未补交材料，撤销审批办理", now)
    outbox.cancel([case.stream], [notices.Kind.CASE_REMINDER.value, notices.Kind.OWED_REMINDER.value])
    text = "因承诺补交的材料逾期未交，已决定撤销办理，理由和救济途径见撤销办理决定书，请到窗口领取。"
    notices.tell(case, notices.Kind.CANCELLED, text, "once", now)
    reach("cancel.before_commit")
    return case


def _to_credit(case: Case, source: str, found: str, now: dt.datetime) -> None:
    """What was not handed in waits to be judged by the credit side, with the decision that found it (L8c, L10d)."""
    queue_fact(
        case.applicant, CreditFact.Kind.LATE_MATERIAL, source=source[:60], basis=f"{source}：{found}"[:200],
        found_at=now, now=now, department=case.review_office.department, phone=case.contact_phone,
    )  # fmt: skip


def forgive_promise(case: Case, *, by: User | None, now: dt.datetime) -> None:
    """End the promised clock of a case that gets no licence (rejected): nothing is owed any more."""
    clock = case.promise_deadline
    if clock is not None and clock.is_open:
        cancel_deadline(clock, at=now, reason="no-licence", by=by)


# --- 容缺: allowed before the acceptance, extended once, settled after its day


def later_lines(case: Case) -> list[CaseMaterial]:
    """The missing required lines that may follow the licence: secondary materials of an item that offers it."""
    if not case.business_item.later_consequence:
        return []
    lines = case.materials.filter(state=MaterialState.MISSING, required=True, material__later_allowed=True)
    return list(lines.select_related("material"))


def earliest_later(case: Case, now: dt.datetime) -> dt.date:
    """The first day that may be written for what follows the licence: after the day on which the decision is told."""
    item, today = case.business_item, local_date(now)
    calendar = working_calendar.estimating()
    decision = calendar.after(today, item.promised_length) if item.promised_length and not case.on_the_spot else today
    return calendar.after(decision, 1)


@transaction.atomic
def allow_later(
    case: Case, *, slots: Sequence[str], until: dt.date | None, signer: str, by: User, now: dt.datetime
) -> LaterSubmission:
    """容缺: agree before the acceptance which secondary materials follow the licence, and by which written day.

    ``slots`` are those of ``later_lines``; ``signer`` signs the 告知书, which names the consequence of the item. Once
    a case. Raises ``Refused`` (``later-closed``, ``later-not-allowed``, ``later-day-wrong``, ``signer-missing``,
    ``later-agreed``), ``TransitionNotAllowed``.
    """
    case = Case.objects.lock(case.pk)
    if case.status != S.SUBMITTED or has_lapsed(case, now):
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，容缺须在受理之前约定。")
    if LaterSubmission.objects.filter(case=case).exists():
        raise Refused("later-agreed", "这件办件已经约定过容缺办理，不能再次约定。", conflict=True)
    item = case.business_item
    if not item.later_consequence:
        raise Refused("later-not-allowed", "本事项不实行容缺办理，请收齐材料或者一次性告知补正。", field="slots")
    answer = gate.ask(case.applicant, now).of(HandlingWay.LATER)
    if not answer.is_open:
        raise Refused("later-closed", f"不能容缺办理：{'；'.join(answer.reasons)}。", field="slots")
    allowed = {slot_of(line): line for line in later_lines(case)}
    if unknown := [slot for slot in slots if slot not in allowed]:
        raise Refused(
            "later-not-allowed", f"只有标明“可容缺”且还没有交的次要材料可以容缺（{unknown[0]} 不是）。", field="slots"
        )
    if not slots:
        raise Refused("later-not-allowed", "请勾选要容缺的材料。", field="slots")
    day = _later_day(until, earliest_later(case, now), now)
    if not signer.strip():
        raise Refused("signer-missing", "请填写签署容缺补交告知书的人。", field="signer")
    lines = [allowed[slot] for slot in dict.fromkeys(slots)]
    for line in lines:
        line.state = MaterialState.LATER
        line.save(update_fields=["state"])
    consequence = notices.for_people(item.later_consequence)
    extra = {"until": day, "consequence": consequence, "signer": signer.strip()}
    points = [{"key": f"line:{line.pk}", "text": line.name} for line in lines]
    document, paper = papers.issue(case, DocumentKind.LATER, by=by, now=now, points=points, extra=extra)
    later = LaterSubmission.objects.create(
        case=case, until=day, consequence=consequence, signer=signer.strip(), document=document, agreed_at=now,
        agreed_by=by,
    )  # fmt: skip
    case.touched_at = now
    save_at(case, now)
    data = {"lines": [line.pk for line in lines], "until": day.isoformat()}
    record_many([Draft(case.stream, CaseAct.LATER_ALLOWED, data, by), paper], at=now)
    return later


def _later_day(until: dt.date | None, earliest: dt.date, now: dt.datetime) -> dt.date:
    latest = local_date(now) + LONGEST_LATER
    if until is None or not earliest <= until <= latest:
        raise Refused(
            "later-day-wrong",
            f"补交日须写明，并且在{papers.cn_day(earliest)}至{papers.cn_day(latest)}之间。",
            field="until",
        )
    return until


def _locked_later(case: Case) -> tuple[Case, LaterSubmission]:
    case = Case.objects.lock(case.pk)
    rows = LaterSubmission.objects.select_for_update(of=("self",)).select_related("deadline")
    later = rows.filter(case=case).first()
    if later is None:
        raise TransitionNotAllowed("这件办件没有容缺办理。")
    return case, later


@transaction.atomic
def extend_later(case: Case, *, until: dt.date | None, reason: str, by: User, now: dt.datetime) -> LaterSubmission:
    """Give what follows the licence another day, once, before the written one is over; by a decider with reasons.

    Raises ``Refused`` (``later-extended``, ``later-day-wrong``, ``reason-missing``), ``TransitionNotAllowed``.
    """
    case, later = _locked_later(case)
    clock = later.deadline
    if clock is None or not clock.is_open or later.fulfilled_at or later.settled_at:
        raise TransitionNotAllowed("这件办件没有正在等待的容缺补交，不能延长。")
    if later.extended_to:
        raise Refused("later-extended", "补交期限只能延长一次，这件办件已经延长过。", conflict=True)
    if has_passed(clock, now):
        raise Refused("later-overdue", "补交期限已过，不能再延长，请作出逾期处理。", conflict=True)
    _must_decide(case, by, now)
    said = _text(reason, "reason-missing", "请写明延长的理由。", "reason")
    day = _later_day(until, later.until + dt.timedelta(days=1), now)
    cancel_deadline(clock, at=now, reason="extended", by=by)
    later.deadline = start_deadline(KindCode.LATER_SUBMISSION, at=now, stream=case.stream, by=by, fixed_on=day)
    later.extended_to, later.extended_by, later.extended_at, later.extension_reason = day, by, now, said
    later.save()
    _touch(case, now)
    data = {"until": day.isoformat(), "before": later.until.isoformat()}
    record_many([Draft(case.stream, CaseAct.LATER_EXTENDED, data, by)], at=now)
    names = notices.names_of_lines(outstanding(case, MaterialState.LATER))
    text = f"容缺的{names}补交期限经批准延长至{papers.cn_day(day)}，只能延长这一次。"
    notices.tell(case, notices.Kind.LATER_EXTENDED, text, "once", now)
    return later


def _touch(case: Case, now: dt.datetime) -> None:
    case.touched_at = now
    save_at(case, now)


def _later_lapsed(case: Case, later: LaterSubmission) -> Draft:
    due = later.deadline.due_on.isoformat() if later.deadline else None
    return Draft(case.stream, CaseAct.LATER_LAPSED, {"due": due})


@transaction.atomic
def find_later_lapse(case: Case, *, now: dt.datetime) -> LaterSubmission:
    """Note that the written day passed with something still owed. Raises ``TransitionNotAllowed``."""
    case, later = _locked_later(case)
    if later.overdue_at is not None or not has_passed(later.deadline, now):
        raise TransitionNotAllowed("这件办件没有逾期未补交的容缺材料，或者已经记录。")
    later.overdue_at = now
    later.save(update_fields=["overdue_at"])
    _touch(case, now)
    record_many([_later_lapsed(case, later)], at=now)
    return later


@transaction.atomic
def settle_later(case: Case, *, apply: bool, reason: str, by: User, now: dt.datetime) -> LaterSubmission:
    """Decide, after its day, whether the item's consequence applies; by a decider with reasons.

    The ledger entry with ``apply`` true is what the credit side reads: the breach is final with it. The clock ends; the
    material may still be handed in. Raises ``Refused`` (``reason-missing``), ``TransitionNotAllowed``.
    """
    case, later = _locked_later(case)
    late = later.overdue_at is not None or has_passed(later.deadline, now)
    if later.settled_at or not late:
        raise TransitionNotAllowed("这件办件没有待处理的容缺逾期，可能有同事已先一步处理，请刷新查看。")
    _must_decide(case, by, now)
    said = _text(reason, "reason-missing", "请写明理由；理由会告知申请人。", "reason")
    drafts = []
    if later.overdue_at is None:
        later.overdue_at = now
        drafts.append(_later_lapsed(case, later))
    later.applied, later.settle_reason, later.settled_by, later.settled_at = apply, said, by, now
    later.save()
    if later.deadline is not None and later.deadline.is_open:
        cancel_deadline(later.deadline, at=now, reason="settled", by=by)
    _touch(case, now)
    data = {"apply": apply, "later": later.pk}
    record_many([*drafts, Draft(case.stream, CaseAct.LATER_SETTLED, data, by)], at=now)
    if apply:
        _to_credit(case, case.number, "容缺办理逾期未补交材料，决定适用逾期后果", now)
    outbox.cancel([case.stream], [notices.Kind.OWED_REMINDER.value])
    names = notices.names_of_lines(outstanding(case, MaterialState.LATER))
    what = f"容缺的{names}逾期未补交" if names else "容缺的材料逾期补交"
    follows = f"经决定：{notices.for_people(later.consequence)}" if apply else "经决定不适用逾期的后果"
    notices.tell(case, notices.Kind.LATER_SETTLED, f"{what}，{follows}。理由：{said}", "once", now)
    reach("later_settled.before_commit")
    return later
