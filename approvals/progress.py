"""What an applicant may know of a case: the line of steps, the day, what to do next. No officer, no full identity.

Source: O3.3.2a (progress at any time, without officers' names), O3.1.2c; 行政许可法 arts. 32, 42, 44.
"""

from __future__ import annotations

import datetime as dt
import hmac
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Exists, OuterRef, Q

from approvals import limiter
from approvals.enums import ENDED_EARLY, OWED, CaseStatus, EndingKind, MaterialState, Outcome, Way
from approvals.lacking import TAKES_MISSING, lacking
from approvals.models import (
    Case,
    CaseMaterial,
    Ending,
    Extension,
    Licence,
    NotAccepted,
    Opinion,
    Promise,
    Revocation,
    SpecialProcedure,
)
from approvals.notices import for_people
from approvals.papers import REMEDIES, cn_day
from approvals.promised import NOT_TAKEN, UNSIGNED, points_in_force
from approvals.querysets import CaseQuerySet
from credit.models import CreditSubject
from deadlines import words
from deadlines.clock import local_date
from deadlines.enums import State, Unit
from deadlines.models import Deadline
from offices.crypto import mask_name

S = CaseStatus
STEPS = ("提交", "收件", "受理", "审查", "决定", "制证", "送达", "评价")
# A wrong code weighs as much as this many right ones, on the address and on the number.
WRONG = 5
ENDED_STEP: dict[str, str] = {
    EndingKind.WITHDRAWN: "已撤回",
    EndingKind.LAPSED: "终止办理",
    EndingKind.CANCELLED: "撤销办理",
}
# Compared with when the number is unknown, so that both answers cost the same.
NO_CODE = "-" * 8


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the progress line; ``state`` as ``components/progress_line.html`` names them."""

    label: str
    state: str
    at: dt.datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What the applicant does next: a sentence, perhaps with points and a last day."""

    tone: str
    title: str
    text: str
    points: Sequence[str] = ()
    remedies: str = ""


@dataclass(frozen=True, slots=True)
class ClockNote:
    """What stopped or lengthened the period, in the words of the public; no officer."""

    title: str
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Afterwards:
    """How far supervision has come after the licence, in the words of the public; no officer, no measure."""

    department: str
    subject: str
    stage: str
    done: bool


@dataclass(frozen=True, slots=True)
class LicenceNote:
    """What became of the licence after its issue, in the words of the public; no officer."""

    state: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything that the result page shows."""

    number: str
    item: str
    authority: str
    applicant: str
    is_person: bool
    status: CaseStatus
    label: str
    steps: list[Step]
    next: Next
    deadline: Deadline | None
    statutory: Deadline | None
    on_the_spot: bool
    clock_notes: list[ClockNote] = field(default_factory=list)
    afterwards: list[Afterwards] = field(default_factory=list)
    licence: LicenceNote | None = None


Provider = Callable[[int], list[Afterwards]]
_providers: list[Provider] = []


def provide_afterwards(provider: Provider) -> None:
    """Let the supervision side say what follows a completed case (by its id); one statement, one provider."""
    if provider not in _providers:
        if _providers:
            raise ImproperlyConfigured("somebody already says what follows a completed case")
        _providers.append(provider)


def clean(text: str) -> str:
    """Bring a typed number or code into its one shape: half width, upper case, no blanks or dashes."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def readable() -> CaseQuerySet:
    """Cases with everything that the public's pages read of them, and nothing of who applies beyond the name."""
    return (
        Case.objects.select_related(
            "business_item__item", "department", "applicant",
            "opinion", "correction_notice", "refusal", "decision", "licence", "ending", "promise", "later_submission",
            "notice_deadline", "answer_deadline", "statutory_deadline", "promised_deadline", "procedure_deadline",
            "issue_deadline", "promise_deadline",
        )
        .annotate(
            is_extended=Exists(Extension.objects.filter(case=OuterRef("pk"), granted=True)),
            is_being_revoked=Exists(Revocation.objects.open().filter(case=OuterRef("pk"), noticed_at__isnull=False)),
        )
        .defer("contact_phone", "applicant__id_number")
    )  # fmt: skip


def find(number: str, code: str, address: str) -> Case | None:
    """Return the case whose number and query code these are, else None: an unknown number and a wrong code are one.

    One statement. Raises ``RateLimited``, before looking, when the address or the number was asked for too often;
    a wrong answer weighs ``WRONG`` times a right one.
    """
    rate = limiter.Rate.parse(settings.PROGRESS_RATE)
    keys = (f"progress:address:{address}", f"progress:number:{number}")
    limiter.charge(keys, rate)
    case = readable().filter(number=number).first()
    known = case.query_code if case else NO_CODE
    if hmac.compare_digest(known.encode(), code.encode()) and case is not None:
        return case
    # This question was still within its limit and is answered; the next one may not be.
    with suppress(limiter.RateLimited):
        limiter.charge(keys, rate, WRONG - 1)
    return None


def procedures_of(case: Case) -> list[SpecialProcedure]:
    """Its special procedures, the first first: one statement, none for a case that never had one."""
    if case.procedure_deadline_id is None:
        return []
    return list(SpecialProcedure.objects.filter(case=case).order_by("id"))


def extension_of(case: Case) -> Extension | None:
    """The extension that was granted: one statement, none where ``find`` knows that there is none."""
    if case.statutory_deadline_id is None or not getattr(case, "is_extended", True):
        return None
    return Extension.objects.filter(case=case, granted=True).first()


def owed_lines(case: Case) -> list[CaseMaterial]:
    """What the applicant still owes (deferred before the licence, later after it); no statement where nothing can be.

    The rows are read once a case.
    """
    known: list[CaseMaterial] | None = getattr(case, "_owed", None)
    if known is None:
        owes = case.promise_deadline_id is not None or _related(case, "later_submission") is not None
        over = case.status in ENDED_EARLY or not owes
        known = [] if over else list(CaseMaterial.objects.filter(case=case, state__in=OWED).order_by("order"))
        case._owed = known  # type: ignore[attr-defined]
    return known


def lacking_lines(case: Case) -> list[CaseMaterial]:
    """What a case lacks that was accepted without it, until its decision; no statement where nothing can lack.

    Only acceptance by law, or after a notice that did not name everything, leaves something out. The letter of promise
    is signed, not handed in.
    """
    known: list[CaseMaterial] | None = getattr(case, "_lacking", None)
    if known is None:
        may = case.is_deemed or _related(case, "correction_notice") is not None
        found = lacking(case.pk) if may and case.status in TAKES_MISSING else []
        known = [line for line in found if line.material is not None and not line.material.is_promise_letter]
        case._lacking = known  # type: ignore[attr-defined]
    return known


def owed_until(case: Case, state: str) -> dt.date | None:
    """The day by which deferred or later materials were promised."""
    if state == MaterialState.DEFERRED:
        return case.promise_deadline.due_on if case.promise_deadline else None
    later = _related(case, "later_submission")
    return (later.extended_to or later.until) if later is not None else None


def show(case: Case, today: dt.date) -> Progress:
    """Return what the public may see of a case from ``find`` on the local date ``today``.

    One statement for the supervision side once completed, one each for special procedures and an extension if any.
    """
    person = case.applicant.kind == CreditSubject.Kind.PERSON
    completed = case.status == S.COMPLETED and case.outcome != Outcome.REFUSED
    procedures, extension = procedures_of(case), extension_of(case)
    return Progress(
        number=case.number,
        item=case.business_item.name,
        authority=case.department.name,
        applicant=mask_name(case.applicant_name) if person else case.applicant_name,
        is_person=person,
        status=CaseStatus(case.status),
        label=_label(case),
        steps=steps(case, procedures, extension),
        next=advise(case, procedures, extension, today),
        deadline=case.current_deadline,
        statutory=case.statutory_deadline,
        on_the_spot=case.on_the_spot,
        clock_notes=clock_notes(case, procedures, extension),
        afterwards=[row for provider in _providers for row in provider(case.pk)] if completed else [],
        licence=_licence_note(case),
    )


def revocation_of(case: Case) -> Revocation | None:
    """The revocation of which the holder was told and that is not decided: one statement, none where there is none.

    The row is read once a case.
    """
    if not getattr(case, "is_being_revoked", False):
        return None
    known: Revocation | None = getattr(case, "_revocation", None)
    if known is None:
        rows = Revocation.objects.open().filter(case=case, noticed_at__isnull=False)
        known = rows.select_related("answer_deadline").first()
        case._revocation = known  # type: ignore[attr-defined]
    return known


def _licence_note(case: Case) -> LicenceNote | None:
    """Nothing for a licence that is valid and left in peace."""
    licence: Licence | None = _related(case, "licence")
    if licence is None:
        return None
    if licence.state != Licence.State.VALID:
        text = f"{licence.kind}（{licence.number}）{licence.state_text}，不能再凭它从事许可的活动。"
        if licence.state == Licence.State.SUSPENDED:
            text = f"{licence.kind}（{licence.number}）已中止，恢复之前不能从事许可的活动。"
        return LicenceNote(licence.state, licence.get_state_display(), text)
    if revocation_of(case) is not None:
        return LicenceNote(
            licence.state, "拟撤销", f"{licence.kind}（{licence.number}）正在办理撤销，作出决定之前仍然有效。"
        )
    return None


def public_clocks(case: Case) -> list[Deadline]:
    """The clocks that the applicant sees: the one that presses, and the statutory one while it runs."""
    statutory, revocation = case.statutory_deadline, revocation_of(case)
    answer = revocation.answer_deadline if revocation is not None else None
    found = [answer if answer and answer.is_open else None, case.current_deadline]
    found.append(statutory if statutory and statutory.is_open else None)
    return list(dict.fromkeys(clock for clock in found if clock is not None))


def _label(case: Case) -> str:
    if case.outcome and case.status == S.COMPLETED:
        return f"{Outcome(case.outcome).label}，{'已送达' if case.delivered_at else '待领取'}"
    label = CaseStatus(case.status).label
    return f"{label}（依法视为受理）" if case.is_deemed and case.status == S.IN_REVIEW else label


def _related(case: Case, name: str) -> Any:
    """The row of a one-to-one relation, or None: its absence is an ``AttributeError`` to Django as well."""
    return getattr(case, name, None)


def _due(deadline: Deadline | None) -> str:
    return cn_day(deadline.due_on) if deadline else ""


def _until(moment: dt.datetime | None) -> str:
    return cn_day(local_date(moment)) if moment else ""


def _with_procedure(line: list[Step], procedures: Sequence[SpecialProcedure], case: Case) -> list[Step]:
    """Put 特别程序 behind 审查, while one goes on and after it: its days are not counted (art. 45)."""
    if not procedures:
        return line
    newest = procedures[-1]
    label = newest.get_ground_display()
    if newest.ended_at is None:
        step = Step("特别程序", "paused", newest.started_at, f"{label}进行中，不计入期限")
    else:
        several = f"共 {len(procedures)} 次" if len(procedures) > 1 else label
        step = Step("特别程序", "done", newest.ended_at, f"{several}，不计入期限")
    reviewed = [place + 1 for place, one in enumerate(line) if one.label == "审查"]
    # Withdrawn during its review: the line stops before 审查 was done.
    place = reviewed[0] if reviewed else next(place for place, one in enumerate(line) if one.state == "stopped")
    return [*line[:place], step, *line[place:]]


def steps(
    case: Case, procedures: Sequence[SpecialProcedure] | None = None, extension: Extension | None = None
) -> list[Step]:
    """The public's line: 提交 → 收件 → 受理 → 审查 (特别程序) → 决定 → 制证 → 送达 → 评价, each with its day."""
    line = _line(case, extension)
    return _with_procedure(line, procedures_of(case) if procedures is None else procedures, case)


def _line(case: Case, extension: Extension | None) -> list[Step]:
    """The steps that every case has."""
    done, current, todo, skipped = "done", "current", "todo", "skipped"
    line = [Step("提交", done, case.received_at), Step("收件", done, case.received_at)]
    if (stop := _stopped(case, line)) is not None:
        return stop
    if case.accepted_at is None:
        waiting = case.status == S.CORRECTION_REQUESTED
        note = f"请于{_due(case.answer_deadline)}前补正" if waiting else f"{_due(case.notice_deadline)}前答复"
        return [*line, Step("受理", current, None, note), *(Step(label, todo) for label in STEPS[3:])]
    line.append(Step("受理", done, case.accepted_at, "依法视为受理" if case.is_deemed else ""))
    licence: Licence | None = _related(case, "licence")
    rejected = case.status == S.REJECTED or case.outcome == Outcome.REFUSED
    opinion: Opinion | None = _related(case, "opinion")
    if case.outcome == Outcome.FILED:
        line += [Step("审查", skipped, None, "备案不设审批"), Step("决定", skipped)]
    elif case.decided_at is not None:
        reviewed = opinion.given_at if opinion else case.decided_at
        line += [
            Step("审查", done, reviewed),
            Step("决定", done, case.decided_at, "不予许可" if rejected else "准予许可"),
        ]
    else:
        promised = _deciding(case, extension)
        note = f"{_due(promised)}前决定" if promised else ""
        if promised is not None and promised.state == State.PAUSED:
            note = "停止计算期限"
        if opinion is not None:
            line += [Step("审查", done, opinion.given_at), Step("决定", current, None, note)]
        else:
            line += [Step("审查", current, None, note), Step("决定", todo)]
        return line + [Step(label, todo) for label in STEPS[5:]]
    if rejected:
        line.append(Step("制证", skipped))
    elif licence is None:
        line.append(Step("制证", current, None, f"{_due(case.issue_deadline)}前制证送达"))
        return line + [Step(label, todo) for label in STEPS[6:]]
    else:
        line.append(Step("制证", done, licence.issued_at))
    if case.delivered_at is None:
        return [*line, Step("送达", current, None, "可以领取"), Step("评价", todo)]
    return [*line, Step("送达", done, case.delivered_at), Step("评价", current, None, "可拨打 12345")]


def _stopped(case: Case, line: list[Step]) -> list[Step] | None:
    """The line of a case that ended before, or instead of, its licence: how far it came, and where it stopped."""
    refusal: NotAccepted | None = _related(case, "refusal")
    ending: Ending | None = _related(case, "ending")
    if refusal is not None:
        line = [*line, Step("不予受理", "stopped", refusal.issued_at)]
    elif ending is not None and case.status in ENDED_EARLY:
        passed = [("受理", case.accepted_at), ("审查", case.decided_at), ("决定", case.decided_at)]
        line = [*line, *(Step(label, "done", at) for label, at in passed if at is not None)]
        line.append(Step(ENDED_STEP[ending.kind], "stopped", ending.ended_at))
    else:
        return None
    return line + [Step(label, "skipped") for label in STEPS[len(line) :]]


def _deciding(case: Case, extension: Extension | None = None) -> Deadline | None:
    """The clock whose day is told: the promised one; after an extension the one that was extended."""
    told: Deadline | None = case.statutory_deadline if extension else case.decision_deadline
    return told


def clock_notes(case: Case, procedures: Sequence[SpecialProcedure], extension: Extension | None) -> list[ClockNote]:
    """What stopped or lengthened the period, and what that means for the applicant; deemed acceptance first."""
    notes = []
    if case.is_deemed:
        notes.append(
            ClockNote(
                "依法视为受理",
                f"收到材料后五个工作日内没有答复，依法自{_until(case.accepted_at)}收到之日起即为受理，审批期限从那一天起计算。",
                "info",
            )
        )
    for one in procedures:
        label = f"特别程序：{one.ground_text}"
        if one.ended_at is None:
            due = _due(case.procedure_deadline)
            text = f"{_until(one.started_at)}开始，特别程序告知书告知的预计结束日为{due}。这段时间依法不计入审批期限，"
            notes.append(ClockNote(f"{label}（进行中）", f"{text}结束后自次日起继续计算。您不用做什么。", "paused"))
        else:
            text = f"{_until(one.started_at)}至{_until(one.ended_at)}，这段时间依法不计入审批期限。"
            notes.append(ClockNote(label, text, "done"))
    if extension is not None:
        clock = case.statutory_deadline
        unit = Unit(clock.unit) if clock else Unit.WORKING
        paused = clock is not None and clock.state == State.PAUSED
        until = "特别程序结束后另行告知届满日期" if paused else f"至{_due(clock)}"
        reason = extension.reason.rstrip("。；，")
        text = f"经本机关负责人批准延长{words.length(extension.days, unit)}，{until}。理由：{reason}。"
        notes.append(ClockNote("审批期限延长", text, "done"))
    return notes


def _texts(points: Sequence[dict[str, str]]) -> list[str]:
    return [point["text"] for point in points]


def _in_review(case: Case, procedures: Sequence[SpecialProcedure], extension: Extension | None, today: dt.date) -> Next:
    """What is told between acceptance and decision, with what may still be brought.

    Bringing it is no answer to a second notice; but without it nobody can approve.
    """
    told, lines = _reviewing(case, procedures, extension, today), lacking_lines(case)
    if not lines:
        return told
    lead = told.text + _promise_dropped(case)
    text = f"{lead}下列必要材料还没有交，缺少的不能准予许可；作出决定之前都可以补交。{HAND_IN}"
    return Next("warn", "还缺材料，请尽快补交", text, [line.name for line in lines])


def _reviewing(case: Case, procedures: Sequence[SpecialProcedure], extension: Extension | None, today: dt.date) -> Next:
    """The day of the decision, or that the clock stands still and why."""
    running = next((one for one in procedures if one.ended_at is None), None)
    accepted = "收到材料后五个工作日内没有答复，依法视为受理" if case.is_deemed else "申请已受理"
    if running is not None:
        label, due = running.get_ground_display(), _due(case.procedure_deadline)
        text = (
            f"书面告知您的预计结束日为{due}。依法所需的时间不计入审批期限；结束后期限继续计算，新的日期会显示在这里，"
            "并短信告知您。"
        )
        return Next("info", f"正在进行{label}，您现在不用做什么", text)
    due = _due(_deciding(case, extension))
    when = f"将在{due}前作出决定" if due else "正在办理"
    clock = _deciding(case, extension)
    if clock is not None and clock.is_overdue(today):
        text = f"{accepted}，但没有在{due}前作出决定，对此我们很抱歉；督办人员已收到提醒。"
        return Next("warn", "这件申请已超过告知您的期限", f"{text}您也可以拨打 12345 反映。")
    if extension is not None:
        return Next("info", "您现在不用做什么", f"{accepted}；审批期限经批准延长，最迟{when}。")
    if procedures:
        ended = _until(procedures[-1].ended_at)
        text = f"{procedures[-1].get_ground_display()}已于{ended}结束，期限恢复计算，{when}。"
        return Next("info", "您现在不用做什么", text)
    return Next("info", "您现在不用做什么", f"{accepted}，{when}。")


def _promise_dropped(case: Case) -> str:
    """Why an application that came on the promise way goes on with full materials; empty where it does not."""
    if case.way == Way.PROMISE:
        return ""
    promise = _related(case, "promise")
    if promise is not None:
        return NOT_TAKEN if promise.withdrawn_at is None else ""
    letters = Q(material__isnull=True) | Q(material__is_promise_letter=True)
    return UNSIGNED if case.materials.filter(letters, state=MaterialState.NOT_NEEDED).exists() else ""


def _received(case: Case) -> Next:
    notice = _related(case, "correction_notice")
    text = "补正材料已收到，" if notice is not None and notice.answered_at else "材料已收到，"
    return Next(
        "info",
        "您现在不用做什么",
        f"{text}窗口将在{_due(case.notice_deadline)}前告知是否受理，或者一次性告知需要补正的全部内容。",
    )


def advise(case: Case, procedures: Sequence[SpecialProcedure], extension: Extension | None, today: dt.date) -> Next:
    """What the applicant has to do now, or that there is nothing to do."""
    status = CaseStatus(case.status)
    if status == S.SUBMITTED:
        return _taken_back(case) or _received(case)
    if status == S.CORRECTION_REQUESTED:
        notice = _related(case, "correction_notice")
        return Next(
            "warn",
            f"请您在{_due(case.answer_deadline)}前补正",
            "以下是须补正的全部内容，一次告知，此后不再增加。补齐后请交到原收件窗口，或者点下面的“补正、补交、撤回”在网上"
            "提交；只能补正一次。逾期不补正的，将终止办理，您可以重新申请。",
            _texts(notice.points) if notice else (),
        )
    if status in ENDED_EARLY and (ending := _related(case, "ending")) is not None:
        return _after_ending(case, ending)
    if status == S.NOT_ACCEPTED:
        refusal: NotAccepted | None = _related(case, "refusal")
        reason = f"{refusal.get_ground_display()}。{refusal.reason}" if refusal else ""
        return Next("bad", "这件申请不予受理", f"理由：{reason}不予受理通知书可在收件窗口领取。", (), REMEDIES)
    if status in {S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW}:
        return _in_review(case, procedures, extension, today)
    if status == S.APPROVED and (owed := owed_lines(case)):
        return _deferred(case, owed, today)
    if status == S.APPROVED:
        return Next(
            "good", "已准予许可，正在制证", f"证件将在{_due(case.issue_deadline)}前制成并送达，制成后短信通知您领取。"
        )
    if status == S.REJECTED or case.outcome == Outcome.REFUSED:
        decision = case.decision
        where = "" if case.delivered_at else "请凭本人证件到出件窗口领取决定书。"
        return Next(
            "bad", "决定不予许可", f"全部理由如下，以送达的决定书为准。{where}", _texts(decision.grounds), REMEDIES
        )
    if (revocation := revocation_of(case)) is not None:
        return _to_be_revoked(revocation, today)
    if (note := _licence_note(case)) is not None:
        return Next("bad", f"证照{note.label}", f"{note.text}理由和救济途径见送达的文书。")
    if owed := owed_lines(case):
        return _later(case, owed, today)
    if case.delivered_at is None:
        paper = "备案凭证" if case.outcome == Outcome.FILED else "证件"
        return Next("good", f"{paper}已制成，请领取", "请凭本办件的接收凭证和本人证件到出件窗口领取，也可以办理邮寄。")
    return Next("good", "这件事已经办完", "结果已经送达。如对办理过程有意见建议，请拨打 12345。")


def _to_be_revoked(revocation: Revocation, today: dt.date) -> Next:
    """What the holder may do before a revocation is decided, and by when."""
    clock = revocation.answer_deadline
    if revocation.hearing_asked_at and not revocation.waived_at and not revocation.hearing_held_at:
        on = revocation.hearing_on
        when = f"定于{cn_day(on)}在{revocation.hearing_place}举行，请准时参加。" if on else "的时间、地点将另行通知您。"
        return Next("warn", "您申请的听证正在安排", f"听证{when}")
    if clock is not None and clock.is_open and not clock.is_overdue(today):
        text = (
            f"您的许可拟被撤销。请在{_due(clock)}前陈述、申辩或者申请听证：可以到窗口，也可以点下面的按钮在网上提出。"
        )
        return Next("warn", f"请您在{_due(clock)}前陈述意见", f"{text}事实、理由和依据见告知书。")
    return Next("info", "正在作出是否撤销的决定", "您的意见已经听取，或者陈述的期限已过；决定作出后书面告知您。")


def _taken_back(case: Case) -> Next | None:
    """A promise was withdrawn before the acceptance and something is owed again: what, and where to bring it."""
    promise: Promise | None = _related(case, "promise")
    if promise is None or promise.withdrawn_at is None or case.way == Way.PROMISE:
        return None
    lines = case.materials.filter(state=MaterialState.MISSING, required=True).order_by("order")
    names = list(lines.values_list("name", flat=True))
    if not names:
        return None
    text = (
        f"承诺已撤回，本件改按一般方式办理，不能再次签署承诺。下列材料请在{_due(case.notice_deadline)}前交到收件窗口，"
        "窗口收齐后受理。"
    )
    return Next("warn", "请交齐全部材料", text, names)


def _after_ending(case: Case, ending: Ending) -> Next:
    """What is left to do once a case was withdrawn, lapsed or cancelled."""
    day = _until(ending.ended_at)
    if ending.kind == EndingKind.WITHDRAWN:
        text = f"您的申请已于{day}撤回，本机关不再办理。撤回不影响今后再次申请；已交的材料原件可以到收件窗口领回。"
        return Next("info", "这件申请已经撤回", text)
    if ending.kind == EndingKind.LAPSED:
        due, notice = _due(case.answer_deadline), _related(case, "correction_notice")
        text = f"至{due}没有收到补正，已按补正告知书终止办理。材料备齐后，您可以重新申请。未补正的内容如下。"
        return Next(
            "bad", "这件申请已终止办理", text, _texts(points_in_force(case, notice)) if notice else (), REMEDIES
        )
    text = f"承诺延期提交的材料没有补齐，已于{day}决定撤销办理。理由：{ending.reason}"
    return Next("bad", "这件申请已撤销办理", text, (), REMEDIES)


HAND_IN = "请交到收件窗口，或者点下面的“补正、补交、撤回”在网上提交。"


def _deferred(case: Case, owed: Sequence[CaseMaterial], today: dt.date) -> Next:
    """What is owed before the licence (材料延期): by when, where to; past the day the approval side decides."""
    until, names = owed_until(case, MaterialState.DEFERRED), [line.name for line in owed]
    day = cn_day(until) if until else ""
    if until is not None and until < today:
        text = f"承诺的日期{day}已过，请尽快补交；是否继续办理由审批部门决定，会书面告知您。{HAND_IN}"
        return Next("bad", "延期的材料已过承诺的日期", text, names)
    text = f"已准予许可。下列材料您承诺延期提交，补齐的当天制发证件。{HAND_IN}"
    return Next("warn", f"请您最迟{day}（含当日）补交延期的材料", text, names)


def _later(case: Case, owed: Sequence[CaseMaterial], today: dt.date) -> Next:
    """What is owed after the licence (容缺): by when, where to, and what follows when it does not come."""
    until, names = owed_until(case, MaterialState.LATER), [line.name for line in owed]
    day = cn_day(until) if until else ""
    fetched = "" if case.delivered_at else "证件已制成，可以到出件窗口领取。"
    if until is not None and until < today:
        follows = for_people(case.later_submission.consequence).rstrip("。")
        text = f"{fetched}容缺补交的期限{day}已过，请尽快补交。告知书写明的后果：{follows}。{HAND_IN}"
        return Next("bad", "容缺的材料已过补交期限", text, names)
    text = f"{fetched}下列材料按容缺补交告知书应最迟在{day}（含当日）补交。{HAND_IN}"
    return Next("warn", f"请您最迟{day}（含当日）补交容缺的材料", text, names)
