"""Painting over what betrays the applicant in a file, taking it back, and saying why a file stays open (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from approvals import covering
from approvals.covering import Box, Unusable
from approvals.enums import DECIDED, ENDED_EARLY, CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Covering, Upload
from approvals.uploads import file_path
from ledger.hashing import sm3_stream
from ledger.record import Draft, record_many
from offices.models import User

BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)
LONGEST_REASON = 200


def _held(upload: Upload) -> tuple[Case, Upload]:
    """The file and its case, locked in that order of everybody: the case first. Refuses what is over."""
    line = Upload.objects.filter(pk=upload.pk, covers__isnull=True).values_list("case_material__case_id", flat=True)
    case_id = line.first()
    if case_id is None:
        raise Refused("cover-no-file", "只能遮盖已经收件的材料文件，遮盖件不能再遮盖。", field="file")
    case = Case.objects.lock(case_id)
    if case.status in DECIDED or case.status in ENDED_EARLY:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，材料不再需要遮盖。")
    return case, Upload.objects.get(pk=upload.pk)


def _record(case: Case, act: CaseAct, data: dict[str, object], by: User, now: dt.datetime) -> None:
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    record_many([Draft(case.stream, act, data, by)], at=now)


def ask_cover(upload: Upload, *, boxes: Sequence[Sequence[float]], by: User, now: dt.datetime) -> Covering:
    """Cover ``boxes`` of a file. Up to eight pages are drawn at once, more by the worker.

    Until the cover is drawn nobody blind reads the file. After acceptance places are only added. Raises ``Refused``
    (``cover-kind``, ``cover-unusable``, ``boxes-missing``, ``box-off-page``, ``boxes-too-many``), and
    ``TransitionNotAllowed``.
    """
    if upload.extension not in covering.COVERABLE:
        raise Refused("cover-kind", "OFD 文件不能在这里遮盖；请改交 PDF 或者图片，或者收纸质材料。", field="file")
    try:
        pages = len(covering.pages(upload))
    except Unusable as error:
        raise Refused("cover-unusable", error.text, field="file") from error
    order = _order(upload, covering.clean(boxes, pages), by, now)
    if pages > covering.AT_ONCE:
        return order
    done = carry_out(order, now=now)
    if done.problem:
        _give_up(done, now)
        raise Refused("cover-unusable", covering.PROBLEMS[done.problem], field="file")
    return done


@transaction.atomic
def _order(upload: Upload, boxes: list[Box], by: User, now: dt.datetime) -> Covering:
    case, upload = _held(upload)
    before = covering.live(upload)
    if before is not None:
        if case.status not in BEFORE_ACCEPTANCE:
            boxes = [*before.boxes, *(box for box in boxes if box not in before.boxes)]
        Covering.objects.filter(pk=before.pk).update(ended_at=now)
    try:
        with transaction.atomic():
            order = Covering.objects.create(upload=upload, boxes=boxes, asked_by=by, asked_at=now)
    except IntegrityError as error:
        raise TransitionNotAllowed("刚刚有同事遮盖了这份材料，请刷新查看。") from error
    transaction.on_commit(lambda: covering.wake(covering.COVER_TASK), robust=True)
    return order


@transaction.atomic
def _give_up(order: Covering, now: dt.datetime) -> None:
    """Take back an order whose file cannot be drawn; a cover that was there before holds again."""
    _held(order.upload)
    Covering.objects.filter(pk=order.pk).update(ended_at=now)
    Covering.objects.filter(upload=order.upload_id, cover__isnull=False).update(ended_at=None)


def carry_out(order: Covering, *, now: dt.datetime) -> Covering:
    """Draw a cover and put it in the place of the one before.

    Nothing is held while it is drawn; what two draw at once is used once.
    """
    upload = Upload.objects.get(pk=order.upload_id)
    try:
        place = covering.draw(upload, order.boxes)
    except Unusable as error:
        Covering.objects.filter(pk=order.pk, done_at__isnull=True).update(done_at=now, problem=error.code)
        order.refresh_from_db()
        return order
    kept = False
    try:
        order, kept = _put(order, upload, place, now)
    finally:
        if not kept:
            file_path(Upload(path=place)).unlink(missing_ok=True)
    return order


@transaction.atomic
def _put(order: Covering, upload: Upload, place: str, now: dt.datetime) -> tuple[Covering, bool]:
    """Enter what was drawn, unless somebody was faster; whether it is used."""
    line = upload.case_material
    assert line is not None  # noqa: S101 - only files of a case are ordered
    case = Case.objects.lock(line.case_id)
    order = Covering.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=order.pk)
    if order.done_at is not None or order.ended_at is not None:
        return order, False
    if case.is_decided:
        order.ended_at = now
        order.save(update_fields=["ended_at"])
        return order, False
    _throw_away(upload)
    made = Upload(path=place)
    path = file_path(made)
    with path.open("rb") as stored:
        digest = sm3_stream(iter(lambda: stored.read(1 << 20), b""))
    cover = Upload.objects.create(
        case_material=line,
        intake_key=upload.intake_key,
        material_id=upload.material_id,
        slot=upload.slot,
        path=place,
        original_name=f"遮盖件.{upload.extension}",
        content_type=upload.content_type,
        extension=upload.extension,
        size=path.stat().st_size,
        digest=digest,
        uploaded_by=order.asked_by,
        uploaded_at=now,
        covers=upload,
        looked_at=now,
    )
    order.cover, order.done_at = cover, now
    order.save(update_fields=["cover", "done_at"])
    data = {"file": upload.pk, "digest": upload.digest, "cover": cover.pk, "cover_digest": digest}
    _record(case, CaseAct.FILE_REDACTED, data | {"places": len(order.boxes)}, order.asked_by, now)
    return order, True


def _throw_away(upload: Upload) -> None:
    """Take the cover before away, its file once that stands."""
    for old in Upload.objects.filter(covers=upload):
        path = file_path(old)
        Covering.objects.filter(cover=old).update(cover=None)
        old.delete()
        transaction.on_commit(lambda path=path: path.unlink(missing_ok=True))  # type: ignore[misc]


@transaction.atomic
def discard_cover(upload: Upload, *, by: User, now: dt.datetime) -> None:
    """Take the cover back before acceptance; afterwards somebody has read it, and it stays (one that failed does not).

    Raises ``Refused`` (``cover-none``, ``cover-stays``), ``TransitionNotAllowed``.
    """
    case, upload = _held(upload)
    held = covering.live(upload)
    if held is None:
        raise Refused("cover-none", "这份材料没有遮盖，可能有同事已先一步撤销，请刷新查看。", conflict=True)
    if case.status not in BEFORE_ACCEPTANCE and not held.problem:
        raise Refused("cover-stays", "已经受理，遮盖不能撤销，只能再加遮盖。", conflict=True)
    _throw_away(upload)
    Covering.objects.filter(pk=held.pk).update(ended_at=now)
    _record(case, CaseAct.COVER_DISCARDED, {"file": upload.pk}, by, now)


@transaction.atomic
def leave_open(upload: Upload, *, reason: str, by: User, now: dt.datetime) -> None:
    """Say why a file that betrays the applicant stays as it is. Raises ``Refused`` (``reason-missing``)."""
    case, upload = _held(upload)
    reason = reason.strip()
    if not reason:
        raise Refused("reason-missing", "请写明为什么不遮盖，例如“名称是许可内容的一部分”。", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Refused("reason-too-long", f"理由最多 {LONGEST_REASON} 字，请写短一些。", field="reason")
    if covering.live(upload) is not None:
        raise Refused("already-covered", "这份材料已经遮盖，请刷新查看。", conflict=True)
    Upload.objects.filter(pk=upload.pk).update(left_reason=reason)
    _record(case, CaseAct.FILE_LEFT_OPEN, {"file": upload.pk}, by, now)


def draw_waiting(now: dt.datetime, limit: int = 20) -> int:
    """Draw what was ordered and not drawn, the first first; how many. Safe to run twice and at once with others."""
    waiting = Covering.objects.filter(done_at__isnull=True, ended_at__isnull=True).order_by("id")[:limit]
    for order in waiting:
        carry_out(order, now=now)
    return len(waiting)
