"""At the window: receive, accept, ask once for corrections, or refuse to accept.

Source: 行政许可法 arts. 30–32, 42; O2a, O3.1.2c, O3.1.3e.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import covering, credit_gate, notices, papers, verifying
from approvals.actions.ending import refuse_if_silent
from approvals.actions.finish import file_case
from approvals.actions.scoring import open_review
from approvals.barring import bar_of
from approvals.characters import refuse_unseen
from approvals.draws import draw_decider, pool_for
from approvals.enums import (
    FILING_GROUNDS,
    CaseAct,
    CaseStatus,
    DocumentKind,
    Door,
    MaterialState,
    RefusalGround,
    VerificationState,
    Way,
)
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.lacking import lacking
from approvals.models import (
    Case,
    CaseMaterial,
    Conflict,
    CorrectionNotice,
    CreditCheck,
    Mending,
    NotAccepted,
    Upload,
    Verification,
)
from approvals.numbers import case_number, query_code
from approvals.promised import (
    NOT_TAKEN,
    RESTORED,
    UNSIGNED,
    deferred_lines,
    goes_to_decider,
    live_promise,
    points_in_force,
    restorable,
)
from approvals.stages import begin, leave
from approvals.wording import betrays
from catalogue.enums import ItemStatus, PeriodStart, PromiseMode, Requirement
from catalogue.models import BusinessItem, Material
from credit.models import CreditSubject
from deadlines import calendar as working_calendar
from deadlines import periods
from deadlines.actions import Start, meet_deadline, start_deadline, start_many
from deadlines.arithmetic import Calendar, due_date
from deadlines.clock import local_date
from deadlines.enums import Unit
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from deadlines.periods import Periods
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_department, overseers

LONGEST_REMARK = 200
LONGEST_BASIS = 300
PROMISE_LETTER = "经签署的告知承诺书"
# What a conditional material's line says on the form: provided, or not needed in this case.
NOT_NEEDED = "not_needed"
TICKS = (MaterialState.PROVIDED.value, NOT_NEEDED, MaterialState.DEFERRED.value)


@dataclass(frozen=True)
class IntakeDraft:
    """What the clerk typed. ``provided`` maps a slot (a material's id, or "promise") to "provided" or "not_needed".

    ``modes`` are those of the item's modes of promise that the applicant chose; none named means all that it offers.
    ``deferred_until`` is the day meant for what is deferred; it binds once it is signed.

    Files were stored before, under the same ``intake_key`` and slot, so a refused form loses nothing.
    """

    business_item: BusinessItem
    intake_key: uuid.UUID
    subject_kind: str
    identifier: str
    name: str
    contact_name: str
    contact_phone: str
    content: str = ""
    way: str = Way.ORDINARY
    modes: Sequence[str] = ()
    deferred_until: dt.date | None = None
    provided: Mapping[str, str] = field(default_factory=dict)
    # The clerk saw that the licence or card bears another name than the one known here.
    renamed: bool = False


def modes_of(item: BusinessItem, way: str, modes: Sequence[str] = ()) -> list[str]:
    """The modes of promise that an application is made in: those chosen, else all that the item offers.

    Raises ``Refused`` for a mode that the item does not offer.
    """
    if way != Way.PROMISE:
        return []
    if unknown := [mode for mode in modes if mode not in item.promise_modes]:
        word = PromiseMode(unknown[0]).label if unknown[0] in PromiseMode.values else unknown[0]
        raise Refused("mode-not-offered", f"该业务办理项不提供“{word}”的承诺方式，请改选。", field="modes")
    return [mode for mode in item.promise_modes if mode in modes or not modes]


def promised_state(material: Material, modes: Collection[str]) -> MaterialState:
    """What a promise in these modes makes of a material that is not in: waived, deferred, or missing all the same.

    A material that is verified by data stays missing until the answer is in (L8d); one that only some cases need is
    deferred where the clerk says so.
    """
    if PromiseMode.POST_CHECK in modes and material.waived_by_promise:
        return MaterialState.PROMISED
    required = material.requirement == Requirement.REQUIRED
    if PromiseMode.DEFERRED_MATERIAL in modes and material.deferrable and required:
        return MaterialState.DEFERRED
    return MaterialState.MISSING


def checklist(item: BusinessItem, way: str, modes: Sequence[str] = ()) -> list[CaseMaterial]:
    """Return the unsaved checklist of an application: what promise covers drops off, the letter to sign comes on."""
    chosen = modes_of(item, way, modes)
    lines = []
    for material in item.effective_materials():
        state = promised_state(material, chosen)
        required = material.requirement == Requirement.REQUIRED and state != MaterialState.PROMISED
        lines.append(CaseMaterial(material=material, name=material.name, required=required, state=state))
    if way == Way.PROMISE and not item.is_promise_only:  # whose own list names its letter
        lines.insert(0, CaseMaterial(material=None, name=PROMISE_LETTER, required=True))
    for order, line in enumerate(lines, start=1):
        line.order = order
    return lines


def is_letter(line: CaseMaterial) -> bool:
    """Whether the line is the letter of promise, which only a signature brings in."""
    return line.material is None or line.material.is_promise_letter


def may_defer(line: CaseMaterial, modes: Collection[str]) -> bool:
    """Whether the line of a conditional material may be ticked as deferred."""
    material = line.material
    return (
        material is not None
        and not line.required
        and material.deferrable
        and PromiseMode.DEFERRED_MATERIAL in modes
        and line.state in {MaterialState.MISSING, MaterialState.DEFERRED}
    )


def slot_of(line: CaseMaterial) -> str:
    """The name under which a checklist line's files and tick come in from a form."""
    return str(line.material_id) if line.material_id else "promise"


@dataclass(frozen=True, slots=True)
class Taken:
    """How many lines changed their state, and how many more something was brought for all the same."""

    changed: int
    brought: int


def _take_in(case: Case, provided: Mapping[str, str], now: dt.datetime) -> Taken:
    """Tick what came in and hang the waiting files under their lines."""
    waiting: dict[str, list[Upload]] = {}
    for upload in Upload.objects.filter(intake_key=case.intake_key, case_material__isnull=True):
        waiting.setdefault(upload.slot, []).append(upload)
    changed = brought = 0
    for line in case.materials.select_related("material"):
        slot = slot_of(line)
        said = provided.get(slot, "")
        files = waiting.get(slot, [])
        state = line.state
        if is_letter(line):
            pass  # the scanned letter hangs on its line, the signature brings it in
        elif files or said == MaterialState.PROVIDED:
            state = MaterialState.PROVIDED
        elif said == NOT_NEEDED and not line.required and line.state == MaterialState.MISSING:
            state = MaterialState.NOT_NEEDED
        elif said == MaterialState.DEFERRED and may_defer(line, case.promise_modes):
            state = MaterialState.DEFERRED
        if state != line.state:
            line.state = state
            line.received_at = now if state == MaterialState.PROVIDED else None
            line.save(update_fields=["state", "received_at"])
            changed += 1
        elif files or said == MaterialState.PROVIDED:
            brought += 1
        if files:
            Upload.objects.filter(pk__in=[file.pk for file in files]).update(case_material=line)
            transaction.on_commit(covering.wake, robust=True)
    return Taken(changed, brought)


@transaction.atomic
def receive_case(draft: IntakeDraft, *, by: User, now: dt.datetime) -> Case:
    """Receive an application: number, query code, 接收凭证; the 5-day clock of art. 32(4) starts.

    The same form sent twice gives the same case. Raises ``Refused`` (item not open) or ``ValidationError`` (code).
    """
    known = Case.objects.filter(intake_key=draft.intake_key).first()
    if known is not None:
        if known.intake_by_id != by.pk:
            raise Refused("intake-key-taken", "这张收件表已由其他窗口人员提交，请重新打开收件页。", conflict=True)
        return known
    item = draft.business_item
    if item.status != ItemStatus.PUBLISHED:
        raise Refused("item-not-open", "该业务办理项未发布，不能收件。", field="business_item")
    if draft.way == Way.PROMISE and not item.promise_modes:
        raise Refused("no-promise-way", f"该业务办理项不适用告知承诺：{item.promise_refusal}", field="way")
    if draft.way != Way.PROMISE and item.is_promise_only:
        raise Refused("promise-way-only", "该业务办理项只按告知承诺方式办理，请选择告知承诺方式。", field="way")
    modes = modes_of(item, draft.way, draft.modes)
    subject = CreditSubject.objects.identify(draft.subject_kind, draft.identifier, draft.name)
    # Declared before anybody applied: from here on the declaration finds its subject (O3.1.2c).
    Conflict.objects.filter(key=subject.code or subject.id_hash, subject__isnull=True).update(subject=subject)
    renamed = _check_names(draft, subject, now)
    department = item.review_office.department
    case = Case(
        number=case_number(department.division.code, now),
        query_code=query_code(),
        intake_key=draft.intake_key,
        business_item=item,
        division_id=department.division_id,
        department=department,
        review_office=item.review_office,
        way=draft.way,
        on_the_spot=item.is_on_the_spot,
        promise_clauses=list(item.promise_clauses) if draft.way == Way.PROMISE else [],
        promise_modes=modes,
        deferred_until=draft.deferred_until if PromiseMode.DEFERRED_MATERIAL in modes else None,
        applicant=subject,
        applicant_name=draft.name,
        contact_name=draft.contact_name,
        contact_phone=draft.contact_phone,
        content=draft.content,
        intake_by=by,
        received_at=now,
        touched_at=now,
    )
    try:
        with transaction.atomic():
            save_at(case, now)
    except IntegrityError as error:
        raise Refused("intake-key-taken", "这张收件表刚刚已经提交，请在办件列表中查看。", conflict=True) from error
    lines = checklist(item, draft.way, modes)
    for line in lines:
        line.case = case
    CaseMaterial.objects.bulk_create(lines)
    _take_in(case, draft.provided, now)
    _start_answering(case, by, now)
    Case.objects.filter(pk=case.pk).update(notice_deadline=case.notice_deadline, stage_deadline=case.stage_deadline)
    _, receipt = papers.issue(case, DocumentKind.RECEIPT, by=by, now=now)
    drafts = [
        Draft(
            case.stream,
            CaseAct.RECEIVED,
            {"item": item.code, "subject": subject.pk, "way": draft.way, "modes": modes, "renamed": renamed},
            by,
        ),
        receipt,
    ]
    record_many(drafts, at=now)
    notices.to_applicant(case, notices.Kind.RECEIVED, now)
    return case


def _start_answering(case: Case, by: User | None, now: dt.datetime) -> None:
    """Start the 5-day clock of art. 32(4) and the window's own stage."""
    lengths = periods.load([KindCode.STAGE_WINDOW], division=case.division_id)
    starts = [Start(KindCode.CORRECTION_NOTICE, case.stream), begin(case, KindCode.STAGE_WINDOW, lengths)]
    case.notice_deadline, case.stage_deadline = start_many(starts, at=now, by=by)


def _check_names(draft: IntakeDraft, subject: CreditSubject, now: dt.datetime) -> bool:
    """Refuse a name that is not the known one unless the clerk says it changed, and words that betray the applicant.

    Characters that nobody sees are refused first, or the name on a paper would not be the one that was typed.

    Return whether the subject got a new name.
    """
    refuse_unseen("name", "名称", draft.name)
    refuse_unseen("contact_name", "联系人", draft.contact_name)
    refuse_unseen("content", "申请内容", draft.content, lines=True)
    renamed = subject.name != draft.name
    if renamed:
        if not draft.renamed:
            raise Refused(
                "name-differs",
                f"该号码在本平台登记的名称是“{subject.name}”，与所填不一致，请核对证照；确已更名的，请勾选“名称已变更”。",
                field="name",
            )
        subject.rename(draft.name, now)
    if betrays(draft.content, (draft.name, draft.identifier, draft.contact_phone, draft.contact_name)):
        raise Refused(
            "content-names-applicant",
            "申请内容里有申请人名称（字号）、证照号码、联系人或电话。审查人员在决定前不应知道是谁的办件，请只写地址、范围、规模等。",
            field="content",
        )
    return renamed


def _decision_clocks(case: Case, lengths: Periods, at: dt.datetime) -> dict[str, Start]:
    """What starts with acceptance: the statutory clock, and the promised one (O3.1.2b: today, on the spot)."""
    item = case.business_item
    starts: dict[str, Start] = {}
    if item.statutory_length:
        starts["statutory_deadline"] = Start(
            KindCode.DECISION_STATUTORY,
            case.stream,
            length=item.statutory_length,
            unit=Unit(item.statutory_unit),
            legal_basis=item.statutory_source,
        )
    if item.promised_length:
        starts["promised_deadline"] = Start(
            KindCode.DECISION_PROMISED, case.stream, length=item.promised_length, legal_basis=item.promised_source
        )
    elif case.on_the_spot:
        starts["promised_deadline"] = Start(
            KindCode.DECISION_PROMISED,
            case.stream,
            unit=Unit.FIXED,
            fixed_on=timezone.localtime(at).date(),
            legal_basis="连政办传〔2023〕8号：即办件立等可取",
        )
    if not case.on_the_spot:
        starts["stage_deadline"] = begin(case, KindCode.STAGE_REVIEW, lengths)
    return starts


def _promise_clock(case: Case, now: dt.datetime) -> dict[str, Start]:
    """The clock of what was deferred: the promised day itself (L8a); where that passed meanwhile, today."""
    promise = live_promise(case)
    if promise is None or promise.deferred_until is None or not deferred_lines(case):
        return {}
    until = max(promise.deferred_until, timezone.localtime(now).date())
    return {"promise_deadline": Start(KindCode.PROMISE, case.stream, unit=Unit.FIXED, fixed_on=until)}


def _start_decision(case: Case, *, accepted: dt.datetime, by: User | None, now: dt.datetime) -> None:
    """Start the decision clocks of a locked case from the moment at which it counts as accepted.

    An item whose law counts from receipt starts its statutory clock there; the stage of the office starts now.
    """
    notice = getattr(case, "correction_notice", None)
    complete_since = notice.answered_at if notice else case.received_at
    lengths = periods.load([KindCode.STAGE_REVIEW], division=case.division_id)
    starts = _decision_clocks(case, lengths, accepted) | _promise_clock(case, now)
    from_receipt = case.business_item.statutory_start == PeriodStart.RECEIPT
    moments = {"statutory_deadline": complete_since if from_receipt else accepted, "promised_deadline": accepted}
    calendar = working_calendar.estimating()
    _keep_within_law(starts, moments, calendar)
    by_moment: dict[dt.datetime, list[str]] = {}
    for name in starts:
        by_moment.setdefault(moments.get(name, now), []).append(name)
    for moment, names in by_moment.items():
        clocks = start_many([starts[name] for name in names], at=moment, by=by, now=now, calendar=calendar)
        for name, clock in zip(names, clocks, strict=True):
            setattr(case, name, clock)


def _keep_within_law(starts: dict[str, Start], moments: Mapping[str, dt.datetime], calendar: Calendar) -> None:
    """Cut a promise that would end after the law's own period; where no day is left, the law's clock runs alone.

    Holidays stretch working days more than calendar days, and a period from receipt runs before acceptance.
    """
    law, promise = starts.get("statutory_deadline"), starts.get("promised_deadline")
    if law is None or law.length is None or law.unit is None or promise is None or promise.length is None:
        return
    last = due_date(timezone.localtime(moments["statutory_deadline"]).date(), law.length, law.unit, calendar)
    left = calendar.count(timezone.localtime(moments["promised_deadline"]).date(), last)
    if not left:
        del starts["promised_deadline"]
    elif left < promise.length:
        basis = f"以法定期限届满之日为限；{promise.legal_basis}"[:LONGEST_BASIS]
        starts["promised_deadline"] = replace(promise, length=left, legal_basis=basis)


def has_lapsed(case: Case, now: dt.datetime) -> bool:
    """Whether nobody answered in time, so that the law itself accepted the case (行政许可法 art. 32(4)).

    A filing is none of art. 32's; a day that rests on an unpublished year decides nothing.
    """
    clock = case.notice_deadline
    return (
        case.status == CaseStatus.SUBMITTED
        and clock is not None
        and clock.is_open
        and not clock.provisional
        and clock.is_overdue(timezone.localtime(now).date())
        and not case.is_filing
    )


def _refuse_if_lapsed(case: Case, now: dt.datetime) -> None:
    if has_lapsed(case, now):
        raise Refused(
            "deemed-accepted",
            "收到材料后 5 个工作日内没有答复，依法自收到之日起即为受理，不能再补正告知或者不予受理；请刷新查看。",
            conflict=True,
        )


@transaction.atomic
def deem_accepted(case: Case, *, by: User | None, now: dt.datetime) -> Case:
    """Record that the law accepted a case which nobody answered within 5 working days, from the day it came in.

    The decision clocks start retroactively; applicant, clerk, heads and overseers are told. Acceptance by law waives
    nothing: what is missing stays missing, and a promise that nobody signed, or that the credit rule closed and nobody
    decided on in sight of it, is dropped, so that full materials are needed before anybody may approve. Without
    anybody to draw, the case stays deemed accepted and the overseers give it a reviewer.
    Raises ``TransitionNotAllowed``.
    """
    case = Case.objects.lock(case.pk)
    if not has_lapsed(case, now) or case.notice_deadline is None:
        raise TransitionNotAllowed("这件办件没有视为受理的情形，可能有同事已先一步办理，请刷新查看。")
    case.move(CaseStatus.DEEMED_ACCEPTED, now)
    dropped = _why_dropped(case, now)
    if dropped:
        to_ordinary(case)
    missing = lacking(case.pk)
    case.accepted_at, case.deemed_at = case.notice_deadline.started_at, now
    late = case.notice_deadline
    meet_deadline(late, at=now, by=by)
    ended = leave(case, by=by, now=now)
    _start_decision(case, accepted=case.accepted_at, by=by, now=now)
    drafts = [
        *ended,
        Draft(
            case.stream,
            CaseAct.DEEMED_ACCEPTED,
            {
                "accepted": case.accepted_at.isoformat(),
                "should_have": late.due_on.isoformat(),
                "missing": [line.pk for line in missing],
                "promise_dropped": bool(dropped),
            },
            by,
        ),
        papers.issue(case, DocumentKind.ACCEPTANCE, by=by, now=now)[1],
    ]
    with suppress(Refused):
        drafts += [draw_decider(case, by=by, now=now)] if case.on_the_spot else open_review(case, by=by, now=now)
        case.move(CaseStatus.IN_REVIEW, now)
    save_at(case, now)
    record_many(drafts, at=now)
    _tell_deemed(case, late, missing, dropped=dropped, now=now)
    reach("deem.before_commit")
    return case


def _why_dropped(case: Case, now: dt.datetime) -> str:
    """Why the promise of a case goes no further, in a sentence; empty where it stands or there is none."""
    if case.way != Way.PROMISE:
        return ""
    if live_promise(case) is None:
        return UNSIGNED
    check = credit_gate.check_of(case)
    return "" if check is not None and check.allowed and not credit_gate.shaken(check, now) else NOT_TAKEN


def _tell_deemed(
    case: Case, late: Deadline, missing: Sequence[CaseMaterial], *, dropped: str, now: dt.datetime
) -> None:
    today = timezone.localtime(now).date()
    day = papers.cn_day(late.start_on)
    due = case.decision_deadline
    promise = f"{papers.cn_day(due.due_on)}前作出决定。" if due else ""
    if due is not None and due.due_on < today:
        promise = papers.late_words(case, today)
    text = f"因5个工作日内未答复，依法自{day}起视为受理。{promise}"
    text += dropped
    if missing:
        text += f"还缺{notices.names_of_lines(missing)}，缺少的不能准予许可，请在决定作出之前补交，清单见办理进度。"
    notices.tell(case, notices.Kind.DEEMED, text, "once", now)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {case.department_id}, today).get(case.department_id, [])
    chasers = overseers({case.division_id}, today).get(case.division_id, [])
    nobody = "，尚无审查人员，请改派" if case.status == CaseStatus.DEEMED_ACCEPTED else ""
    text = f"办件{case.number}逾期未告知，依法自{day}起视为受理，审批期限已自该日起算{nobody}。"
    notices.tell_people(case, notices.Kind.DEEMED_STAFF, text, "once", [case.intake_by, *heads, *chasers], now)


def missing_lines(case: Case) -> list[CaseMaterial]:
    """The required lines of the checklist that are not in, in order."""
    return [line for line in case.materials.select_related("material") if not line.is_in]


def untold_lines(case: Case) -> list[CaseMaterial]:
    """Missing lines that the one notice did not name: nobody may ask for them any more (O2a); none without a notice."""
    notice = CorrectionNotice.objects.filter(case=case).first()
    if notice is None:
        return []
    told = {point["key"].replace(RESTORED, "material:") for point in points_in_force(case, notice)}
    return [line for line in missing_lines(case) if not is_letter(line) and f"material:{line.material_id}" not in told]


def _refuse_incomplete(case: Case, untold: Sequence[CaseMaterial], now: dt.datetime) -> CreditCheck | None:
    """Raise ``Refused`` for what keeps a locked case from acceptance; return the credit check of a promise case."""
    if not case.is_filing and (bar := bar_of(case.applicant, case.business_item, local_date(now))):
        raise Refused("barred", f"{bar.words}；请依法不予受理。", field="way")
    missing = [line for line in missing_lines(case) if line not in untold]
    promise = case.way == Way.PROMISE
    if papers_missing := [line for line in missing if not (promise and is_letter(line))]:
        names = "、".join(f"“{line.name}”" for line in papers_missing)
        raise Refused(
            "materials-missing",
            f"还缺 {len(papers_missing)} 项必要材料：{names}。请收齐后受理，{_otherwise(case)}。",
            field="materials",
        )
    if not promise:
        return None
    check = credit_gate.require(case, now)
    if live_promise(case) is None:
        raise Refused("promise-unsigned", "告知承诺书还没有签署，不能受理；请先由申请人逐条确认并签署。")
    return check


def _otherwise(case: Case) -> str:
    """What is open besides collecting: the one notice, or after it the refusal on its points."""
    if CorrectionNotice.objects.filter(case=case).exists():
        return "或者以补正告知书列明、仍未补齐的内容为由不予受理"
    return "或者一次性告知补正"


def to_ordinary(case: Case) -> None:
    """Take the promise off a locked case: its checklist is the ordinary one again; the caller saves the case.

    What was verified by data stays verified; the letter's line and its scan stay, asked for no more.
    """
    case.way, case.promise_clauses, case.promise_modes, case.deferred_until = Way.ORDINARY, [], [], None
    case.on_the_spot = case.business_item.is_on_the_spot
    for line in case.materials.select_related("material"):
        if is_letter(line):
            line.required, line.state, line.received_at = False, MaterialState.NOT_NEEDED, None
        elif line.state in {MaterialState.PROMISED, MaterialState.DEFERRED}:
            line.required = line.material is not None and line.material.requirement == Requirement.REQUIRED
            line.state = MaterialState.MISSING
        else:
            continue
        line.save(update_fields=["required", "state", "received_at"])


def accept_case(case: Case, *, by: User, now: dt.datetime) -> Case:
    """Accept a received case: its decision clocks start, the applicant gets the 受理通知书 (art. 32(5)).

    A filing is accepted on formal completeness and ends at once (O3.1.1c); an on-the-spot item goes to a decider on
    duty drawn at this moment, a complete promise case as well; everything else to a reviewer drawn at random, never to
    the clerk who took it in. A promise case needs its credit check and its signature (L7, L8).
    Files are looked through first, where that is quick: what tells whose case it is must be covered, or left open with
    a reason. With nobody to draw from, the case is accepted all the same and the overseers see it to a reviewer.
    Raises ``TransitionNotAllowed`` (somebody was faster) or ``Refused`` with what is missing.
    """
    covering.look_now(case, now)
    return accept_looked(case, by=by, now=now)


@transaction.atomic
def accept_looked(case: Case, *, by: User, now: dt.datetime) -> Case:
    """What ``accept_case`` does once the files were looked through; opens no file."""
    case = Case.objects.lock(case.pk)
    if has_lapsed(case, now):
        return deem_accepted(case, by=by, now=now)
    case.move(CaseStatus.ACCEPTED, now)
    verifying.refuse_while_open(case)
    untold = untold_lines(case)
    check = _refuse_incomplete(case, untold, now)
    if not case.is_filing:
        covering.refuse_uncovered(case)
    if check is not None and not case.on_the_spot:
        case.on_the_spot = goes_to_decider(case, check, timezone.localtime(now).date())
    case.accepted_at = now
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    drafts = leave(case, by=by, now=now)
    data = {"materials": case.materials.count()} | ({"untold": [line.pk for line in untold]} if untold else {})
    drafts.append(Draft(case.stream, CaseAct.ACCEPTED, data, by))
    if not case.is_filing:
        _start_decision(case, accepted=now, by=by, now=now)
        extra = {"untold": [line.name for line in untold]}
        drafts.append(papers.issue(case, DocumentKind.ACCEPTANCE, by=by, now=now, extra=extra)[1])
        drafts += _hand_on(case, by, now)
    save_at(case, now)
    record_many(drafts, at=now)
    if case.is_filing:
        file_case(case, by=by, now=now)
    else:
        notices.to_applicant(case, notices.Kind.ACCEPTED, now)
    reach("accept.before_commit")
    return case


def _hand_on(case: Case, by: User, now: dt.datetime) -> list[Draft]:
    """Give an accepted case to whom the draw says; the caller saves it.

    Where nobody can be drawn (all on leave, or with a declared conflict, which the window may not learn), it stays
    accepted, the empty pool is on the record, and the overseers and the division's administrators are told.
    """
    try:
        drafts = [draw_decider(case, by=by, now=now)] if case.on_the_spot else open_review(case, by=by, now=now)
    except Refused as refusal:
        if refusal.code != "no-reviewer":
            raise
        _tell_undrawn(case, now)
        return [Draft(case.stream, CaseAct.REVIEWER_DRAWN, {"pool": [], "drawn": None}, by)]
    case.move(CaseStatus.IN_REVIEW, now)
    if case.on_the_spot and case.decider_id is None and not pool_for(case, Posting.Role.DECIDER, now, set()):
        _tell_undrawn(case, now)
    return drafts


def _tell_undrawn(case: Case, now: dt.datetime) -> None:
    """Alarm those who can help: the overseers draw again, the administrators post people to the office."""
    today = timezone.localtime(now).date()
    people = overseers({case.division_id}, today).get(case.division_id, [])
    admins = (
        Posting.objects.active(today)
        .role(Posting.Role.DIVISION_ADMIN)
        .filter(department__division_id=case.division_id, user__is_active=True)
    )
    people = [*people, *(posting.user for posting in admins.select_related("user").order_by("pk"))]
    text = f"办件{case.number}已受理，{case.review_office.name}没有可抽取的人员，期限照常计算。请配置人员后重新抽取。"
    notices.tell_people(case, notices.Kind.NOBODY_REVIEWS, text, "acceptance", people, now)


def correction_choices(case: Case) -> list[dict[str, str]]:
    """What a notice or a refusal may rest on: the item's published list, and nothing else (O3.2.1d).

    Each choice: ``{"key": "material:12", "text": "…"}``; what is missing from the checklist comes first.
    """
    missing = {f"material:{line.material_id}" for line in missing_lines(case) if line.material_id}
    choices: list[dict[str, str]] = [
        {"key": "promise-letter", "text": f"补交材料：{PROMISE_LETTER}"}
        for line in missing_lines(case)
        if line.material_id is None
    ]
    choices += [
        {"key": f"{ground.kind}:{ground.id}", "text": ground.text} for ground in case.business_item.published_grounds()
    ]
    return sorted(choices, key=lambda choice: choice["key"] not in missing and choice["key"] != "promise-letter")


def restored_points(case: Case) -> list[dict[str, str]]:
    """What a notice adds by itself to a promise case: what is owed if the promise is withdrawn or not allowed.

    Said with everything else, for afterwards nothing more may be said (O2a). A promise-only item has no ordinary way.
    """
    if case.way != Way.PROMISE or case.business_item.is_promise_only:
        return []
    words = "撤回承诺或者决定不采用告知承诺的，须一并补交"
    return [{"key": f"{RESTORED}{line.material_id}", "text": f"{words}：{line.name}"} for line in restorable(case)]


def required_points(case: Case) -> set[str]:
    """Keys that a notice must contain: every missing required material, so that nothing is forgotten."""
    return {f"material:{line.material_id}" if line.material_id else "promise-letter" for line in missing_lines(case)}


@transaction.atomic
def request_correction(
    case: Case, *, keys: Sequence[str], remarks: Mapping[str, str], by: User, now: dt.datetime
) -> Case:
    """Tell the applicant everything that must be corrected, once (art. 32(4), O2a).

    ``keys`` are from ``correction_choices``; every missing required material must be among them. ``remarks`` adds words
    to a key. On a promise case it also says what is owed without the promise. A second notice is refused here and by
    the database.
    """
    case = Case.objects.lock(case.pk)
    if CorrectionNotice.objects.filter(case=case).exists():
        raise Refused(
            "second-correction", "本办件已经一次性告知过，依法不得再次告知；请受理，或者依法不予受理。", conflict=True
        )
    _refuse_if_lapsed(case, now)
    case.move(CaseStatus.CORRECTION_REQUESTED, now)
    choices = {choice["key"]: choice["text"] for choice in correction_choices(case)}
    if unknown := [key for key in keys if key not in choices]:
        raise Refused("ground-not-published", f"补正只能依据已公布的材料和条件；“{unknown[0]}”不在其中。", field="keys")
    if forgotten := required_points(case) - set(keys):
        names = "、".join(choices[key] for key in sorted(forgotten))
        raise Refused("correction-incomplete", f"必须一次告知全部内容，还漏了：{names}。", field="keys")
    if not keys:
        raise Refused("correction-empty", "请至少勾选一项须补正的内容。", field="keys")
    points = []
    for key in keys:
        remark = remarks.get(key, "").strip()
        if len(remark) > LONGEST_REMARK:
            raise Refused(
                "remark-too-long",
                f"每项补充说明最多 {LONGEST_REMARK} 字，现为 {len(remark)} 字，请精简。",
                field="keys",
            )
        points.append({"key": key, "text": f"{choices[key]}（{remark}）" if remark else choices[key]})
    points += restored_points(case)
    CorrectionNotice.objects.create(case=case, points=points, issued_by=by, issued_at=now)
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    ended = leave(case, by=by, now=now)
    item = case.business_item
    length = periods.load([KindCode.CORRECTION_ANSWER], division=case.division_id).length(
        KindCode.CORRECTION_ANSWER, case.division_id, item.code
    )
    case.answer_deadline = start_deadline(KindCode.CORRECTION_ANSWER, at=now, stream=case.stream, by=by, length=length)
    save_at(case, now)
    _, paper = papers.issue(case, DocumentKind.CORRECTION, by=by, now=now, points=points)
    act = Draft(case.stream, CaseAct.CORRECTION_REQUESTED, {"points": [point["key"] for point in points]}, by)
    record_many([*ended, act, paper], at=now)
    notices.to_applicant(case, notices.Kind.CORRECTION, now)
    return case


@transaction.atomic
def answer_correction(
    case: Case, *, provided: Mapping[str, str], by: User | None, now: dt.datetime, door: Door = Door.WINDOW
) -> Case:
    """Take in the answer to the one notice; the window then accepts, or refuses on a point that the notice named.

    At least one thing was corrected: a material came in or was brought again, or something was put right since the
    notice. ``by`` is None where the applicant answered through a ``door`` of their own. Raises ``Refused``
    (``answer-empty``), ``TransitionNotAllowed``.
    """
    case = Case.objects.lock(case.pk)
    refuse_if_silent(case, now)
    if case.status != CaseStatus.CORRECTION_REQUESTED:
        raise TransitionNotAllowed(
            f"这件办件现在是“{case.get_status_display()}”，没有等待补正；补正只能提交一次，可能刚刚已经提交，请刷新查看。"
        )
    notice = CorrectionNotice.objects.select_for_update().get(case=case)
    taken = _take_in(case, provided, now)
    if not taken.changed + taken.brought and not _corrected_otherwise(case, notice, provided):
        raise Refused(
            "answer-empty",
            "还没有收到任何补正内容，不能登记补正收件：请勾选或者上传补正的材料，或者先当场更正。"
            "申请人还没有来补正的，请等到补正期限届满。",
            field="provided",
        )
    case.move(CaseStatus.SUBMITTED, now)
    changed = taken.changed
    notice.answered_at, notice.answered_through = now, door
    notice.save(update_fields=["answered_at", "answered_through"])
    if case.answer_deadline and case.answer_deadline.is_open:
        meet_deadline(case.answer_deadline, at=now, by=by)
    _start_answering(case, by, now)
    save_at(case, now)
    data = {"lines": changed, "door": Door(door).value}
    record_many([Draft(case.stream, CaseAct.CORRECTION_ANSWERED, data, by)], at=now)
    return case


def _corrected_otherwise(case: Case, notice: CorrectionNotice, provided: Mapping[str, str]) -> bool:
    """Whether something was put right since the notice without a paper: mended, verified by data, or the promise.

    The letter of promise comes in with its signature, after the answer: whoever came to sign it has answered.
    """
    if Mending.objects.filter(case=case, at__gte=notice.issued_at).exists():
        return True
    matched = Verification.objects.filter(line__case=case, state=VerificationState.MATCHED)
    if matched.filter(answered_at__gte=notice.issued_at).exists():
        return True
    letters = [line for line in case.materials.select_related("material") if is_letter(line)]
    named = {point["key"] for point in notice.points}
    told = [line for line in letters if ({"promise-letter", f"material:{line.material_id}"} & named)]
    if case.way != Way.PROMISE:
        return bool(told)
    return any(provided.get(slot_of(line)) == MaterialState.PROVIDED for line in told)


@transaction.atomic
def add_materials(case: Case, *, provided: Mapping[str, str], by: User, now: dt.datetime) -> Case:
    """Take in further materials before acceptance, while the applicant stands at the window (当场补齐)."""
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.SUBMITTED:
        raise Refused("state-conflict", "只有已收件、尚未受理的办件可以当场补齐材料。", conflict=True)
    changed = _take_in(case, provided, now).changed
    if changed:
        Case.objects.filter(pk=case.pk).update(touched_at=now)
        record_many([Draft(case.stream, CaseAct.MATERIAL_ADDED, {"lines": changed}, by)], at=now)
    return case


def _named_points(case: Case, notice: CorrectionNotice, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The points of the notice that are still not met: at least one, and none that the notice did not name (O2a)."""
    named = {point["key"]: point for point in points_in_force(case, notice)}
    if unknown := [key for key in keys if key not in named]:
        raise Refused(
            "point-not-named",
            f"以“未补齐”为由不予受理，只能依据补正告知书列明的内容；“{unknown[0]}”不在其中。",
            field="keys",
        )
    if not keys:
        raise Refused("points-missing", "请逐项勾选补正告知书中仍未补齐的内容，至少一项。", field="keys")
    return [named[key] for key in dict.fromkeys(keys)]


@transaction.atomic
def refuse_acceptance(
    case: Case, *, ground: str, reason: str, by: User, now: dt.datetime, keys: Sequence[str] = ()
) -> Case:
    """Refuse to accept, on a ground of art. 32 and with a reason; it stands in the overseers' list (O3.1.3e).

    A filing is no licence: it is refused on its own grounds, by a 不予备案通知书.
    """
    case = Case.objects.lock(case.pk)
    _refuse_if_lapsed(case, now)
    case.move(CaseStatus.NOT_ACCEPTED, now)
    if ground not in RefusalGround.values:
        raise Refused("ground-missing", "请选择不予受理的法定理由。", field="ground")
    if not reason.strip():
        raise Refused("reason-missing", "不予受理必须说明原因，请写明具体情况。", field="reason")
    notice = CorrectionNotice.objects.filter(case=case).first()
    points: list[dict[str, Any]] = []
    if ground == RefusalGround.BARRED and (
        case.is_filing or bar_of(case.applicant, case.business_item, local_date(now)) is None
    ):
        raise Refused("not-barred", "没有查到依法不得再次申请该许可的决定，不能以此为由不予受理。", field="ground")
    if ground == RefusalGround.NOT_CORRECTED:
        if notice is None or notice.answered_at is None:
            raise Refused(
                "not-told-before",
                "尚未一次性告知并收到补正，不能以“未补齐”为由不予受理；请先一次性告知。",
                field="ground",
            )
        points = _named_points(case, notice, keys)
    NotAccepted.objects.create(case=case, ground=ground, reason=reason.strip(), issued_by=by, issued_at=now)
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    ended = leave(case, by=by, now=now)
    save_at(case, now)
    label = FILING_GROUNDS[ground] if case.is_filing else RefusalGround(ground).label
    kind = DocumentKind.NOT_FILED if case.is_filing else DocumentKind.NOT_ACCEPTED
    _, paper = papers.issue(case, kind, by=by, now=now, points=points, text=f"{label}。{reason.strip()}")
    record_many([*ended, Draft(case.stream, CaseAct.NOT_ACCEPTED, {"ground": ground}, by), paper], at=now)
    notices.to_applicant(case, notices.Kind.NOT_ACCEPTED, now)
    return case
