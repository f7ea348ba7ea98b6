"""At the window: receive, accept, ask once for corrections, or refuse to accept.

Source: 行政许可法 arts. 30–32, 42; O2a, O3.1.2c, O3.1.3e.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from approvals import notices, papers
from approvals.actions.finish import file_case
from approvals.draws import draw_decider, draw_reviewer
from approvals.enums import CaseAct, CaseStatus, DocumentKind, MaterialState, RefusalGround, Way
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial, CorrectionNotice, NotAccepted, Upload
from approvals.numbers import case_number, query_code
from catalogue.enums import ItemStatus, PeriodStart, Requirement
from catalogue.models import BusinessItem
from credit.identifiers import normalise
from credit.models import CreditSubject
from deadlines.actions import meet_deadline, start_deadline
from deadlines.enums import Unit
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User

# No law sets how long an applicant may take to answer the notice; the paper names the day.
ANSWER_WORKING_DAYS = 10
LONGEST_REMARK = 200
PROMISE_LETTER = "经签署的告知承诺书"
# What a conditional material's line says on the form: provided, or not needed in this case.
NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class IntakeDraft:
    """What the clerk typed. ``provided`` maps a slot (a material's id, or "promise") to "provided" or "not_needed".

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
    provided: Mapping[str, str] = field(default_factory=dict)
    # The clerk saw that the licence or card bears another name than the one known here.
    renamed: bool = False


def checklist(item: BusinessItem, way: str) -> list[CaseMaterial]:
    """Return the unsaved checklist of an application: what promise covers drops off, the signed letter comes on."""
    lines = []
    for material in item.effective_materials():
        promised = way == Way.PROMISE and material.waived_by_promise
        lines.append(
            CaseMaterial(
                material=material,
                name=material.name,
                required=material.requirement == Requirement.REQUIRED and not promised,
                state=MaterialState.PROMISED if promised else MaterialState.MISSING,
            )
        )
    if way == Way.PROMISE and not item.is_promise_only:  # whose own list names its letter
        lines.insert(0, CaseMaterial(material=None, name=PROMISE_LETTER, required=True))
    for order, line in enumerate(lines, start=1):
        line.order = order
    return lines


def slot_of(line: CaseMaterial) -> str:
    """The name under which a checklist line's files and tick come in from a form."""
    return str(line.material_id) if line.material_id else "promise"


def _take_in(case: Case, provided: Mapping[str, str], now: dt.datetime) -> int:
    """Tick what came in and hang the waiting files under their lines; return how many lines changed."""
    waiting: dict[str, list[Upload]] = {}
    for upload in Upload.objects.filter(intake_key=case.intake_key, case_material__isnull=True):
        waiting.setdefault(upload.slot, []).append(upload)
    changed = 0
    for line in case.materials.all():
        slot = slot_of(line)
        said = provided.get(slot, "")
        files = waiting.get(slot, [])
        state = line.state
        if files or said == MaterialState.PROVIDED:
            state = MaterialState.PROVIDED
        elif said == NOT_NEEDED and not line.required and line.state == MaterialState.MISSING:
            state = MaterialState.NOT_NEEDED
        if state != line.state:
            line.state = state
            line.received_at = now if state == MaterialState.PROVIDED else None
            line.save(update_fields=["state", "received_at"])
            changed += 1
        if files:
            Upload.objects.filter(pk__in=[file.pk for file in files]).update(case_material=line)
    return changed


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
    subject = CreditSubject.objects.identify(draft.subject_kind, draft.identifier, draft.name)
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
        promise_clauses=list(item.promise_clauses) if draft.way == Way.PROMISE else [],
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
    lines = checklist(item, draft.way)
    for line in lines:
        line.case = case
    CaseMaterial.objects.bulk_create(lines)
    _take_in(case, draft.provided, now)
    case.notice_deadline = start_deadline(KindCode.CORRECTION_NOTICE, at=now, stream=case.stream, by=by)
    Case.objects.filter(pk=case.pk).update(notice_deadline=case.notice_deadline)
    _, receipt = papers.issue(case, DocumentKind.RECEIPT, by=by, now=now)
    drafts = [
        Draft(
            case.stream,
            CaseAct.RECEIVED,
            {"item": item.code, "subject": subject.pk, "way": draft.way, "renamed": renamed},
            by,
        ),
        receipt,
    ]
    if draft.way == Way.PROMISE:
        drafts.append(papers.issue(case, DocumentKind.PROMISE, by=by, now=now)[1])
    record_many(drafts, at=now)
    notices.to_applicant(case, notices.Kind.RECEIVED, now)
    return case


def _check_names(draft: IntakeDraft, subject: CreditSubject, now: dt.datetime) -> bool:
    """Refuse a name that is not the known one unless the clerk says it changed, and words that betray the applicant.

    Return whether the subject got a new name.
    """
    renamed = subject.name != draft.name
    if renamed:
        if not draft.renamed:
            raise Refused(
                "name-differs",
                f"该号码在本平台登记的名称是“{subject.name}”，与所填不一致，请核对证照；确已更名的，请勾选“名称已变更”。",
                field="name",
            )
        subject.rename(draft.name, now)
    content = normalise(draft.content)
    if any(word and normalise(word) in content for word in (draft.name, draft.identifier, draft.contact_phone)):
        raise Refused(
            "content-names-applicant",
            "申请内容里有申请人名称、证照号码或电话。审查人员在决定前不应知道是谁的办件，请只写地址、范围、规模等。",
            field="content",
        )
    return renamed


def _promised_clock(case: Case, by: User, now: dt.datetime) -> Deadline | None:
    """Start the promised clock: the item's working days, or today for what is decided on the spot (O3.1.2b)."""
    item = case.business_item
    if item.promised_length:
        return start_deadline(
            KindCode.DECISION_PROMISED, at=now, stream=case.stream, by=by, length=item.promised_length
        )
    if not item.is_on_the_spot:
        return None
    return start_deadline(
        KindCode.DECISION_PROMISED,
        at=now,
        stream=case.stream,
        by=by,
        unit=Unit.FIXED,
        fixed_on=timezone.localtime(now).date(),
        legal_basis="连政办传〔2023〕8号：即办件立等可取",
    )


def missing_lines(case: Case) -> list[CaseMaterial]:
    """The required lines of the checklist that are not in, in order."""
    return [line for line in case.materials.all() if not line.is_in]


@transaction.atomic
def accept_case(case: Case, *, by: User, now: dt.datetime) -> Case:
    """Accept a received case: its decision clocks start, the applicant gets the 受理通知书 (art. 32(5)).

    A filing is accepted on formal completeness and ends at once (O3.1.1c); an on-the-spot item goes to a decider on
    duty drawn at this moment; everything else to a reviewer drawn at random, never to the clerk who took it in.
    Raises ``TransitionNotAllowed`` (somebody was faster) or ``Refused`` with what is missing.
    """
    case = Case.objects.lock(case.pk)
    case.move(CaseStatus.ACCEPTED, now)
    missing = missing_lines(case)
    if missing:
        names = "、".join(f"“{line.name}”" for line in missing)
        raise Refused(
            "materials-missing",
            f"还缺 {len(missing)} 项必要材料：{names}。请收齐后受理，或者一次性告知补正。",
            field="materials",
        )
    case.accepted_at = now
    notice = getattr(case, "correction_notice", None)
    complete_since = notice.answered_at if notice else case.received_at
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    item = case.business_item
    drafts = [Draft(case.stream, CaseAct.ACCEPTED, {"materials": case.materials.count()}, by)]
    if not case.is_filing:
        if item.statutory_length:
            from_receipt = item.statutory_start == PeriodStart.RECEIPT
            case.statutory_deadline = start_deadline(
                KindCode.DECISION_STATUTORY,
                at=complete_since if from_receipt else now,
                stream=case.stream,
                by=by,
                length=item.statutory_length,
                unit=Unit(item.statutory_unit),
                legal_basis=item.statutory_source,
            )
        case.promised_deadline = _promised_clock(case, by, now)
    drafts.append(papers.issue(case, DocumentKind.ACCEPTANCE, by=by, now=now)[1])
    if not case.is_filing:
        case.move(CaseStatus.IN_REVIEW, now)
        drafts.append(
            draw_decider(case, by=by, now=now) if item.is_on_the_spot else draw_reviewer(case, by=by, now=now)
        )
    save_at(case, now)
    record_many(drafts, at=now)
    if case.is_filing:
        file_case(case, by=by, now=now)
    else:
        notices.to_applicant(case, notices.Kind.ACCEPTED, now)
    reach("accept.before_commit")
    return case


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


def required_points(case: Case) -> set[str]:
    """Keys that a notice must contain: every missing required material, so that nothing is forgotten."""
    return {f"material:{line.material_id}" if line.material_id else "promise-letter" for line in missing_lines(case)}


@transaction.atomic
def request_correction(
    case: Case, *, keys: Sequence[str], remarks: Mapping[str, str], by: User, now: dt.datetime
) -> Case:
    """Tell the applicant everything that must be corrected, once (art. 32(4), O2a).

    ``keys`` are from ``correction_choices``; every missing required material must be among them. ``remarks`` adds words
    to a key. A second notice is refused here and by the database.
    """
    case = Case.objects.lock(case.pk)
    if CorrectionNotice.objects.filter(case=case).exists():
        raise Refused(
            "second-correction", "本办件已经一次性告知过，依法不得再次告知；请受理，或者依法不予受理。", conflict=True
        )
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
    CorrectionNotice.objects.create(case=case, points=points, issued_by=by, issued_at=now)
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    case.answer_deadline = start_deadline(
        KindCode.CORRECTION_ANSWER, at=now, stream=case.stream, by=by, length=ANSWER_WORKING_DAYS
    )
    save_at(case, now)
    _, paper = papers.issue(case, DocumentKind.CORRECTION, by=by, now=now, points=points)
    record_many([Draft(case.stream, CaseAct.CORRECTION_REQUESTED, {"points": list(keys)}, by), paper], at=now)
    notices.to_applicant(case, notices.Kind.CORRECTION, now)
    return case


@transaction.atomic
def answer_correction(case: Case, *, provided: Mapping[str, str], by: User, now: dt.datetime) -> Case:
    """Take in the answer to the one notice; the window then accepts, or refuses on a point that the notice named."""
    case = Case.objects.lock(case.pk)
    case.move(CaseStatus.SUBMITTED, now)
    changed = _take_in(case, provided, now)
    notice = CorrectionNotice.objects.select_for_update().get(case=case)
    notice.answered_at = now
    notice.save(update_fields=["answered_at"])
    if case.answer_deadline and case.answer_deadline.is_open:
        meet_deadline(case.answer_deadline, at=now, by=by)
    case.notice_deadline = start_deadline(KindCode.CORRECTION_NOTICE, at=now, stream=case.stream, by=by)
    save_at(case, now)
    record_many([Draft(case.stream, CaseAct.CORRECTION_ANSWERED, {"lines": changed}, by)], at=now)
    return case


@transaction.atomic
def add_materials(case: Case, *, provided: Mapping[str, str], by: User, now: dt.datetime) -> Case:
    """Take in further materials before acceptance, while the applicant stands at the window (当场补齐)."""
    case = Case.objects.lock(case.pk)
    if case.status != CaseStatus.SUBMITTED:
        raise Refused("state-conflict", "只有已收件、尚未受理的办件可以当场补齐材料。", conflict=True)
    changed = _take_in(case, provided, now)
    if changed:
        Case.objects.filter(pk=case.pk).update(touched_at=now)
        record_many([Draft(case.stream, CaseAct.MATERIAL_ADDED, {"lines": changed}, by)], at=now)
    return case


@transaction.atomic
def refuse_acceptance(
    case: Case, *, ground: str, reason: str, by: User, now: dt.datetime, keys: Sequence[str] = ()
) -> Case:
    """Refuse to accept, on a ground of art. 32 and with a reason; it stands in the overseers' list (O3.1.3e)."""
    case = Case.objects.lock(case.pk)
    case.move(CaseStatus.NOT_ACCEPTED, now)
    if ground not in RefusalGround.values:
        raise Refused("ground-missing", "请选择不予受理的法定理由。", field="ground")
    if not reason.strip():
        raise Refused("reason-missing", "不予受理必须说明原因，请写明具体情况。", field="reason")
    notice = CorrectionNotice.objects.filter(case=case).first()
    points: list[dict[str, Any]] = []
    if ground == RefusalGround.NOT_CORRECTED:
        if notice is None or notice.answered_at is None:
            raise Refused(
                "not-told-before",
                "尚未一次性告知并收到补正，不能以“未补齐”为由不予受理；请先一次性告知。",
                field="ground",
            )
        named = {point["key"]: point for point in notice.points}
        points = [named[key] for key in keys if key in named] or list(notice.points)
    NotAccepted.objects.create(case=case, ground=ground, reason=reason.strip(), issued_by=by, issued_at=now)
    if case.notice_deadline and case.notice_deadline.is_open:
        meet_deadline(case.notice_deadline, at=now, by=by)
    save_at(case, now)
    text = f"{RefusalGround(ground).label}。{reason.strip()}"
    _, paper = papers.issue(case, DocumentKind.NOT_ACCEPTED, by=by, now=now, points=points, text=text)
    record_many([Draft(case.stream, CaseAct.NOT_ACCEPTED, {"ground": ground}, by), paper], at=now)
    notices.to_applicant(case, notices.Kind.NOT_ACCEPTED, now)
    return case
