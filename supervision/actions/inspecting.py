"""检查: the record of a look at a subject, once however often it is sent; its findings, photos and paper (L10b).

The draft is made where there may be no connection, so its moments are the phone's.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.papers import cn_day
from deadlines.clock import local_date
from ledger.hashing import canonical, sm3
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import User
from supervision import checklists, officers, papers, photos
from supervision.actions import ordering, taking, visiting
from supervision.checklists import Asked
from supervision.enums import (
    AT_WORK,
    FindingKind,
    InspectionKind,
    Measure,
    OffSite,
    OrderStatus,
    Origin,
    PaperKind,
    Result,
    TaskAct,
    TaskStatus,
)
from supervision.models import Finding, Inspection, Paper, Photo, Rectification, SupervisionTask, Visit
from supervision.words import seen, visible

# Until the result is fed back: a check that was finished without a record still gets one.
LOOKED_AT = (TaskStatus.ACKNOWLEDGED, TaskStatus.IN_PROGRESS, TaskStatus.FINISHED)
# A phone may have been without a connection for so long.
LONGEST_BACK = dt.timedelta(days=7)
WORST_FIRST = (Result.NONCONFORMING, Result.BASICALLY, Result.CONFORMING)
LONGEST_WORDS = 1000
TYPED = {
    "place": "检查地点", "identity_numbers": "执法证号", "summary": "检查情况", "remarks": "被检查对象意见",
    "signer": "签名", "unsigned_reason": "未签名的原因",
}  # fmt: skip
BETWEEN_NUMBERS = re.compile(r"[\s、，,;；/|和与及]+")


@dataclass(frozen=True, slots=True)
class FindingDraft:
    """What was found on one thing; ``kind`` and ``key`` name it as the checklist does."""

    kind: str
    key: str
    result: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class InspectionDraft:
    """What was typed; ``client_key`` was made before there was a connection. Officers are ids, moments aware.

    ``off_site`` is empty for an inspection on the spot; ``confirmed`` says that the subject confirmed the typed name;
    ``photos`` are the client keys of those that belong to the record.
    """

    client_key: uuid.UUID
    checklist_version: int
    kind: str = InspectionKind.FIRST
    off_site: str = ""
    place: str = ""
    began_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    first_officer: int | None = None
    second_officer: int | None = None
    showed_identity: bool = False
    identity_numbers: str = ""
    findings: Sequence[FindingDraft] = ()
    result: str = ""
    summary: str = ""
    remarks: str = ""
    signer: str = ""
    confirmed: bool = False
    unsigned_reason: str = ""
    photos: Sequence[uuid.UUID] = field(default_factory=tuple)


def running_order(task: SupervisionTask) -> Rectification | None:
    """The order to mend that waits for its re-inspection."""
    return Rectification.objects.select_related("inspection").filter(task=task, status=OrderStatus.RUNNING).first()


def can_record(task: SupervisionTask) -> bool:
    """Whether the task's state takes the record of an inspection."""
    return task.status in LOOKED_AT and task.measure != Measure.NONE_NOW


def is_owed(task: SupervisionTask) -> bool:
    """Whether the task was finished without a record that stands: what was done elsewhere is written up from there."""
    return (
        task.status == TaskStatus.FINISHED
        and not task.inspections.standing().filter(kind=InspectionKind.FIRST).exists()
    )


def assigned(task: SupervisionTask) -> set[int]:
    """The officers to whom the task was given, by id."""
    return {key for key in (task.first_officer_id, task.second_officer_id) if key is not None}


def may_inspect(task: SupervisionTask, on: dt.date) -> QuerySet[User]:
    """Who may stand in a record of that day: the assigned officers who are at work, or where none is, the office."""
    people = officers.eligible(task.office_id, on)
    return people.filter(pk__in=assigned(task)) if assigned(task) else people


@transaction.atomic
def record_inspection(task: SupervisionTask, *, draft: InspectionDraft, by: User, now: dt.datetime) -> Inspection:
    """Record a look at the subject; the same draft sent twice, even at once, is one inspection and answers the same.

    The first inspection moves the task to 检查中; a re-inspection of a running order does not move it. The officers are
    those to whom the task was given; where it was given to nobody, it is given to them with the record. Raises
    ``TransitionNotAllowed`` for the state, ``Refused`` for the input, ``inspection-sent`` (conflict) for a draft that
    was changed after it had been sent.
    """
    draft = _visible(draft)
    task = SupervisionTask.objects.lock(task.pk)
    if known := Inspection.objects.filter(client_key=draft.client_key).first():
        return _the_same(known, task, draft, by)
    order = _order_of(task, draft)
    if order is None:
        version = checklists.for_draft(task.sub_item, draft.checklist_version, draft.began_at or now)
    else:  # it looks at what the order is about, whatever the checklist says by now
        version = checklists.current(task.sub_item)
    asked = checklists.asked_of(task, version, order)
    _check_manner(task, draft, order)
    began_at, ended_at = _moments(task, draft, order, now)
    first, second = _officers(task, draft, timezone.localtime(began_at).date())
    findings = _findings(asked, draft)
    _check_words(draft, findings)
    visit = _visit(task, draft, began_at)
    moves = order is None and task.status == TaskStatus.ACKNOWLEDGED
    inspection = Inspection.objects.create(
        task=task,
        order=task.inspections.count() + 1,
        kind=draft.kind,
        client_key=draft.client_key,
        visit=visit,
        off_site=draft.off_site,
        checklist_version=version.number,
        place=draft.place.strip(),
        began_at=began_at,
        ended_at=ended_at,
        first_officer=first,
        second_officer=second,
        showed_identity=draft.showed_identity,
        identity_numbers=draft.identity_numbers.strip(),
        result=draft.result,
        summary=draft.summary.strip(),
        remarks=draft.remarks.strip(),
        signer=_signer(draft),
        unsigned_reason=_unsigned(draft),
        recorded_by=by,
        recorded_at=now,
    )
    rows = Finding.objects.bulk_create(
        Finding(
            inspection=inspection, order=n, kind=one.kind, key=one.key, text=one.text, result=said.result,
            words=said.words.strip(),
        )
        for n, (one, said) in enumerate(zip(asked, findings, strict=True), start=1)
    )  # fmt: skip
    pictures = photos.join(inspection, draft.photos, by)
    drafts = [_entry(inspection, rows, pictures, by)]
    if not inspection.off_site:
        drafts.append(_issue(task, inspection, rows, pictures, order, by=by, now=now))
    if visit is not None:
        visiting.note_made(visit, now)
    if order is not None:
        order.reinspection = ordering.looked_again(order)
        order.save(update_fields=["reinspection"])
    if moves:
        task.move(TaskStatus.IN_PROGRESS)
    if not assigned(task):
        taking._give(task, first, second, by, now)
    elif moves:
        save_at(task, now)
    record_many(drafts, at=now)
    reach("inspection.before_commit")
    return inspection


def _visible(draft: InspectionDraft) -> InspectionDraft:
    """The draft with every text of which nothing can be seen as empty."""
    findings = [replace(one, words=visible(one.words)) for one in draft.findings]
    typed: dict[str, Any] = {name: visible(getattr(draft, name)) for name in TYPED}
    return replace(draft, findings=findings, **typed)


def _signer(draft: InspectionDraft) -> str:
    return draft.signer.strip() if draft.confirmed else ""


def _unsigned(draft: InspectionDraft) -> str:
    return "" if _signer(draft) else draft.unsigned_reason.strip()


def _the_same(known: Inspection, task: SupervisionTask, draft: InspectionDraft, by: User) -> Inspection:
    """The record that this draft became; refused where the key is another's, or the draft was changed afterwards."""
    if (known.task_id, known.recorded_by_id) != (task.pk, by.pk):
        raise Refused("draft-key-used", "这份草稿的标识已用于另一份检查记录，请刷新本页重新填写。", conflict=True)
    said = {(one.kind, one.key): (one.result, one.words.strip()) for one in draft.findings}
    kept = {(one.kind, one.key): (one.result, one.words) for one in known.findings.all()}
    sent = (
        draft.kind, draft.off_site, draft.place.strip(), draft.began_at, draft.ended_at, draft.first_officer,
        draft.second_officer, draft.showed_identity, draft.identity_numbers.strip(), draft.result,
        draft.summary.strip(), draft.remarks.strip(), _signer(draft), _unsigned(draft), said, set(draft.photos),
    )  # fmt: skip
    held = (
        known.kind, known.off_site, known.place, known.began_at, known.ended_at, known.first_officer_id,
        known.second_officer_id, known.showed_identity, known.identity_numbers, known.result,
        known.summary, known.remarks, known.signer, known.unsigned_reason, kept,
        set(known.photos.values_list("client_key", flat=True)),
    )  # fmt: skip
    if sent != held:
        raise Refused(
            "inspection-sent",
            f"这份检查记录已于 {timezone.localtime(known.recorded_at):%m月%d日 %H:%M} 发送，发送后不能修改，"
            "您后来改动的内容没有计入；需要补充的，请另作一次检查记录。",
            conflict=True,
        )
    return known


def _order_of(task: SupervisionTask, draft: InspectionDraft) -> Rectification | None:
    """The order that a re-inspection looks at; None for an inspection. Refuses what the state does not take."""
    if draft.kind not in InspectionKind.values:
        raise Refused("kind-missing", "请说明是检查还是复查。", field="kind")
    if draft.kind == InspectionKind.AGAIN:
        order = running_order(task)
        if order is None or task.status not in AT_WORK:
            raise TransitionNotAllowed("这件任务没有整改中的通知书，不需要复查；可能有同事已先一步办理，请刷新查看。")
        return order
    if task.status not in LOOKED_AT:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能再记录检查；可能有同事已先一步办理，请刷新查看。"
        )
    if task.measure == Measure.NONE_NOW:
        raise Refused("measure-not-fit", "这件任务选的是“暂不检查”，请先在任务页变更监管措施。", conflict=True)
    return None


def _check_manner(task: SupervisionTask, draft: InspectionDraft, order: Rectification | None) -> None:
    """On the spot or not, as the measure says; a re-inspection, or what is owed, is made either way."""
    if draft.off_site and draft.off_site not in OffSite.values:
        raise Refused("off-site-missing", "请选择非现场检查的方式。", field="off_site")
    if order is None and task.measure == Measure.ON_SITE and draft.off_site and not is_owed(task):
        raise Refused("measure-not-fit", "监管措施是“现场检查”，请记录现场检查。", field="off_site")
    if order is None and task.measure == Measure.OFF_SITE and not draft.off_site:
        raise Refused("measure-not-fit", "监管措施是“非现场检查”，请选择非现场检查的方式。", field="off_site")
    if not draft.place.strip():
        missing = "请填写所用的系统或资料。" if draft.off_site else "请填写检查地点。"
        raise Refused("place-missing", missing, field="place")


def _moments(
    task: SupervisionTask, draft: InspectionDraft, order: Rectification | None, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    if draft.began_at is None:
        raise Refused("time-missing", "请填写开始时间。", field="began_at")
    if draft.ended_at is None:
        raise Refused("time-missing", "请填写结束时间。", field="ended_at")
    if draft.ended_at < draft.began_at:
        raise Refused("time-order", "结束时间不能早于开始时间。", field="ended_at")
    if draft.ended_at > now:
        raise Refused("time-future", "检查时间不能晚于现在；如手机时间不准，请改正。", field="ended_at")
    if draft.began_at < task.opened_at.replace(second=0, microsecond=0):
        opened = timezone.localtime(task.opened_at)
        raise Refused("time-before-task", f"检查不能早于任务生成（{opened:%Y-%m-%d %H:%M}）。", field="began_at")
    if order is not None and draft.began_at < order.issued_at.replace(second=0, microsecond=0):
        issued = timezone.localtime(order.issued_at)
        raise Refused("time-before-order", f"复查不能早于责令整改（{issued:%Y-%m-%d %H:%M}）。", field="began_at")
    if order is None and task.finished_on is not None and local_date(draft.ended_at) > task.finished_on:
        raise Refused(
            "time-after-finish",
            f"任务已于 {task.finished_on:%Y-%m-%d} 完成监管，检查不能晚于这一天；整改情况请用“记录复查”。",
            field="ended_at",
        )
    if draft.began_at < now - LONGEST_BACK and (order is not None or not is_owed(task)):
        raise Refused(
            "time-too-old", f"检查开始已超过 {LONGEST_BACK.days} 天，不能再补记，请重新检查。", field="began_at"
        )
    return draft.began_at, draft.ended_at


def _officers(task: SupervisionTask, draft: InspectionDraft, on: dt.date) -> tuple[User, User | None]:
    """Who inspected: those to whom the task was given, at work on that day; two on the spot and of what was drawn."""
    fit = {person.pk: person for person in officers.eligible(task.office_id, on)}
    if draft.first_officer is None:
        raise Refused("officer-missing", "请选择检查人员。", field="first_officer")
    if draft.second_officer is None and not draft.off_site:
        raise Refused("second-officer-missing", "现场检查须两人以上，请选择另一名检查人员。", field="second_officer")
    if draft.second_officer is None and (task.origin, draft.kind) == (Origin.DRAW, InspectionKind.FIRST):
        raise Refused(
            "second-officer-missing", "随机抽查须两名执法人员，请选择另一名检查人员。", field="second_officer"
        )
    if draft.second_officer == draft.first_officer:
        raise Refused("officers-same", "两名检查人员须为不同的人。", field="second_officer")
    for name, key in (("first_officer", draft.first_officer), ("second_officer", draft.second_officer)):
        if key is not None and key not in fit:
            raise Refused("officer-not-fit", "该人员当天不在本处室任职或者在请假，请另选。", field=name)
    _check_assigned(task, draft)
    second = fit[draft.second_officer] if draft.second_officer is not None else None
    if not draft.off_site:
        _check_identity(draft)
    return fit[draft.first_officer], second


def _check_assigned(task: SupervisionTask, draft: InspectionDraft) -> None:
    """The officers of a record are those to whom the task was given, where it was given to anybody."""
    given = assigned(task)
    for name, key in (("first_officer", draft.first_officer), ("second_officer", draft.second_officer)):
        if not given or key is None or key in given:
            continue
        if task.origin == Origin.DRAW:
            raise Refused(
                "officers-not-drawn", "随机抽查由抽中的执法人员检查；需要更换的，请先在任务页改派。", field=name
            )
        raise Refused(
            "officers-not-assigned", "该人员不是这件任务的办理人员；由其检查的，请先在任务页分派或者改派。", field=name
        )


def _check_identity(draft: InspectionDraft) -> None:
    """On the spot each officer shows a card of the own."""
    if not draft.showed_identity:
        raise Refused("identity-not-shown", "现场检查须出示执法证件，请确认已出示。", field="showed_identity")
    if not draft.identity_numbers.strip():
        raise Refused("identity-missing", "请填写两名检查人员的执法证号。", field="identity_numbers")
    if len(_numbers(draft.identity_numbers)) < len({draft.first_officer, draft.second_officer}):
        raise Refused("identity-for-each", "请填写两名检查人员各自的执法证号，用顿号隔开。", field="identity_numbers")


def _numbers(text: str) -> set[str]:
    """The different numbers of cards in ``text``."""
    plain = unicodedata.normalize("NFKC", text)
    return {part for part in BETWEEN_NUMBERS.split(plain) if any(char.isdigit() for char in part)}


def _findings(asked: Sequence[Asked], draft: InspectionDraft) -> list[FindingDraft]:
    """A finding for everything asked, in its order, and nothing else; what is not 符合 says why."""
    said = {(one.kind, one.key): one for one in draft.findings}
    if len(said) != len(draft.findings) or not set(said) <= {(one.kind.value, one.key) for one in asked}:
        raise Refused("findings-strange", "检查结果中有不属于这份检查表的内容，请刷新后重新核对。", conflict=True)
    found = []
    for one in asked:
        finding = said.get((one.kind.value, one.key))
        if finding is None or finding.result not in Result.values:
            raise Refused("finding-missing", f"请逐项核对，还没有填写：{one.text}", field=one.name)
        if finding.result != Result.CONFORMING and not finding.words.strip():
            raise Refused("finding-words-missing", f"不是“符合”的，须写明情况：{one.text}", field=f"{one.name}-words")
        seen(finding.words, f"{one.name}-words", "情况说明")
        if len(finding.words) > LONGEST_WORDS:
            raise Refused("finding-too-long", f"情况说明最多 {LONGEST_WORDS} 字：{one.text}", field=f"{one.name}-words")
        found.append(finding)
    return found


def worst(results: Sequence[str]) -> Result:
    """What findings come to as a whole: the worst of them."""
    return next((result for result in WORST_FIRST if result in results), Result.CONFORMING)


def _check_words(draft: InspectionDraft, findings: Sequence[FindingDraft]) -> None:
    for name, label in TYPED.items():
        seen(getattr(draft, name), name, label)
    if draft.result not in Result.values:
        raise Refused("result-missing", "请选择检查结论。", field="result")
    whole = worst([one.result for one in findings])
    if draft.result != whole:
        raise Refused("result-contradicts", f"逐项结果中最差的是“{whole.label}”，检查结论应与之一致。", field="result")
    if not draft.summary.strip():
        raise Refused("summary-missing", "请填写检查情况。", field="summary")
    if draft.off_site:
        return
    if draft.signer.strip() and not draft.confirmed:
        raise Refused(
            "signature-not-confirmed", "请由被检查对象确认签名；拒绝签名的，删去姓名并写明原因。", field="confirmed"
        )
    if not _signer(draft) and not draft.unsigned_reason.strip():
        raise Refused("signature-missing", "请由被检查对象签名；未签名的，须写明原因。", field="signer")


def _visit(task: SupervisionTask, draft: InspectionDraft, began_at: dt.datetime) -> Visit | None:
    """The approved visit whose day has come; an inspection on the spot needs one that was approved before it began."""
    if draft.off_site:
        return None
    visit = visiting.ready(task, local_date(began_at))
    if isinstance(visit, Refused):
        raise visit
    approved_at = visit.settled_at
    # Forms write whole minutes.
    if approved_at is not None and began_at < approved_at.replace(second=0, microsecond=0):
        raise Refused(
            "time-before-approval",
            f"入企检查于 {timezone.localtime(approved_at):%Y-%m-%d %H:%M} 获批，检查不能早于批准；请核对开始时间。",
            field="began_at",
        )
    return visit


def digests(rows: Sequence[Finding], pictures: Sequence[Photo]) -> dict[str, str]:
    """What the ledger and the paper keep of findings and photos."""
    said = [[one.kind, one.key, one.text, one.result, one.words] for one in rows]
    return {
        "findings_digest": sm3(canonical({"findings": said})),
        "photos_digest": sm3(canonical({"photos": [[one.finding_key, one.digest] for one in pictures]})),
    }


def _entry(inspection: Inspection, rows: Sequence[Finding], pictures: Sequence[Photo], by: User) -> Draft:
    data: dict[str, Any] = {
        "inspection": inspection.pk,
        "kind": inspection.kind,
        "result": inspection.result,
        "off_site": inspection.off_site,
        "checklist_version": inspection.checklist_version,
        "photos": len(pictures),
        **digests(rows, pictures),
    }
    return Draft(inspection.task.stream, TaskAct.INSPECTED, data, by)


def _time(moment: dt.datetime) -> str:
    local = timezone.localtime(moment)
    return f"{cn_day(local.date())}{local:%H:%M}"


def _table(title: str, rows: Sequence[Finding]) -> papers.Table:
    return {
        "title": title,
        "head": ["序号", "内容", "结果", "情况"],
        "rows": [[str(n), one.text, one.get_result_display(), one.words] for n, one in enumerate(rows, start=1)],
    }


def _issue(
    task: SupervisionTask,
    inspection: Inspection,
    rows: Sequence[Finding],
    pictures: Sequence[Photo],
    order: Rectification | None,
    *,
    by: User,
    now: dt.datetime,
) -> Draft:
    """现场检查记录, frozen with the digests of what was found and photographed; returns its ledger draft."""
    first, second = inspection.first_officer, inspection.second_officer
    names = f"{first.full_name}、{second.full_name}" if second else first.full_name
    looked = f"复查整改情况（{order.paper.number}）" if order else task.sub_item.name
    paragraphs = [
        f"检查时间：{_time(inspection.began_at)}至{_time(inspection.ended_at)}。检查地点：{inspection.place}。",
        f"检查事项：{looked}（检查表：{checklists.name_of(inspection.checklist_version)}）。监管任务编号：{task.number}。",
        f"检查人员：{names}。检查人员已向被检查对象出示执法证件，证号：{inspection.identity_numbers}。",
        f"检查情况：{inspection.summary}",
    ]
    by_kind: Mapping[str, list[Finding]] = {
        kind.value: [one for one in rows if one.kind == kind] for kind in FindingKind
    }
    tables = [_table(kind.label, by_kind[kind.value]) for kind in FindingKind if by_kind[kind.value]]
    signed = f"被检查对象签名：{inspection.signer}（本人确认）。"
    closing = [
        f"检查结论：{inspection.get_result_display()}。",
        f"被检查对象意见：{inspection.remarks or '无'}。",
        signed if inspection.signer else f"被检查对象未签名，原因：{inspection.unsigned_reason}。",
    ]
    marks = digests(rows, pictures)
    closing.append(
        f"附照片等证据 {len(pictures)} 份，摘要（国密SM3）：{marks['photos_digest']}。" if pictures else "无附件。"
    )
    _, draft = papers.issue(
        task, PaperKind.INSPECTION, by=by, now=now, to=task.subject_name, paragraphs=paragraphs, tables=tables,
        extra={"closing": closing, "inspection": inspection.pk, **marks},
    )  # fmt: skip
    return draft


def papers_of(task: SupervisionTask) -> dict[int, Paper]:
    """Inspection id → its 现场检查记录; one statement."""
    rows = Paper.objects.filter(task=task, kind=PaperKind.INSPECTION)
    return {int(paper.content["inspection"]): paper for paper in rows if "inspection" in paper.content}
