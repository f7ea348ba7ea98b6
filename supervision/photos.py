"""Photos of inspections: taken one by one, each once, joined to the record when it comes, swept when it never does.

Stored like every upload (``approvals.uploads``): by content, under a random name, outside the web root.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import DatabaseError, IntegrityError, transaction
from django.http import FileResponse
from PIL import Image

from approvals import uploads
from approvals.enums import CaseAct
from approvals.exceptions import Refused
from ledger.hashing import sm3_stream
from ledger.record import Draft, record_many
from offices.models import User
from supervision import checklists
from supervision.models import Inspection, Photo, SupervisionTask

logger = logging.getLogger(__name__)

KINDS = frozenset({"jpg", "png", "pdf"})
ACCEPT = "image/*,.pdf"
MOST = 60
# A draft that nobody sent for a month will not be sent.
ABANDONED = dt.timedelta(days=30)
BATCH = 500
# A phone's clock may be wrong by hours; further away it is no time of this inspection.
OLDEST = dt.timedelta(days=366)
AHEAD = dt.timedelta(days=1)


def key_of_content(file: File[Any], draft_key: uuid.UUID, finding: str) -> uuid.UUID:
    """A key for a file that came without one (a form without script): the same file for the same point is one photo."""
    file.seek(0)
    return uuid.uuid5(draft_key, f"{finding}:{sm3_stream(iter(file.chunks()))}")


def file_path(photo: Photo) -> Path:
    """Where it lies."""
    return Path(settings.UPLOAD_ROOT) / photo.path


def _known(client_key: uuid.UUID, task: SupervisionTask, draft_key: uuid.UUID, by: User) -> Photo | None:
    """The photo that was stored under this key before; a key of another draft is refused."""
    photo = Photo.objects.filter(client_key=client_key).first()
    if photo is not None and (photo.task_id, photo.draft_key, photo.uploaded_by_id) != (task.pk, draft_key, by.pk):
        raise Refused("photo-key-used", "这张照片的标识已用于另一份草稿，请重新拍摄或选择。", conflict=True)
    return photo


def store(
    file: File[Any],
    *,
    task: SupervisionTask,
    draft_key: uuid.UUID,
    client_key: uuid.UUID,
    finding: str,
    taken_at: dt.datetime | None,
    by: User,
    now: dt.datetime,
) -> tuple[Photo, bool]:
    """Keep a photo for the draft and return it, and whether it is new; the same ``client_key`` twice is one photo.

    ``finding`` names what an inspection of the task asks, or is empty: the whole.

    Raises ``Refused`` with ``field="photos"``: ``photo-finding``, ``photo-time`` (over a year ago, or over a day to
    come), ``upload-empty``, ``upload-too-big``, ``upload-kind``, ``upload-broken``, ``upload-pixels``,
    ``upload-not-stored``, ``too-many-photos``; with conflict ``photo-key-used``, ``inspection-sent``.
    """
    if known := _known(client_key, task, draft_key, by):
        return known, False
    if Inspection.objects.filter(client_key=draft_key).exists():
        raise Refused(
            "inspection-sent", "这份检查记录已经发送，不能再添加照片；需要补充的，请另作一次检查。", conflict=True
        )
    _check_place(task, finding, taken_at, now)
    if Photo.objects.filter(task=task, draft_key=draft_key).count() >= MOST:
        raise Refused("too-many-photos", f"一份检查记录最多附 {MOST} 张照片。", field="photos")
    kind = _checked(file)
    token = secrets.token_hex(20)
    path = f"{token[:2]}/{token}"
    target = Path(settings.UPLOAD_ROOT) / path
    try:
        digest = uploads._write(file, target)
    except Refused as error:
        raise Refused(error.code, error.message, field="photos") from error
    try:
        with transaction.atomic():
            photo = Photo.objects.create(
                task=task, draft_key=draft_key, client_key=client_key, finding_key=finding, path=path,
                content_type=kind.content_type, extension=kind.extension, size=file.size or 0, digest=digest,
                taken_at=taken_at, uploaded_by=by, uploaded_at=now,
            )  # fmt: skip
    except IntegrityError:
        target.unlink(missing_ok=True)
        if known := _known(client_key, task, draft_key, by):  # sent twice at once
            return known, False
        raise
    except DatabaseError:
        target.unlink(missing_ok=True)
        raise
    return photo, True


def _check_place(task: SupervisionTask, finding: str, taken_at: dt.datetime | None, now: dt.datetime) -> None:
    """What the photo is of and when it was taken: neither is shown on a record if it cannot be."""
    if finding and finding not in checklists.names_for(task):
        raise Refused(
            "photo-finding", "这张照片对应的检查要点不在这件任务的检查表中，请刷新本页后重新选择。", field="photos"
        )
    if taken_at is not None and not now - OLDEST <= taken_at <= now + AHEAD:
        raise Refused("photo-time", "这张照片的拍摄时间不对，请核对手机时间后重新拍摄或选择。", field="photos")


def _checked(file: File[Any]) -> uploads.FileKind:
    name = Path(str(file.name or "").replace("\\", "/")).name[:255] or "未命名"
    size = file.size or 0
    if size == 0:
        raise Refused("upload-empty", f"“{name}”是空文件，请重新拍摄或选择。", field="photos")
    if size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES / 1048576
        raise Refused(
            "upload-too-big", f"“{name}”有 {size / 1048576:.1f} MB，超过 {limit:g} MB，请压缩后再传。", field="photos"
        )
    kind = uploads.detect(file)
    if kind is None or kind.extension not in KINDS:
        raise Refused(
            "upload-kind",
            f"“{name}”的内容不是 JPG、PNG 或 PDF（只改扩展名不行），请重新拍摄或转换格式。",
            field="photos",
        )
    try:
        uploads.refuse_broken(file, kind, name)
    except Refused as error:
        raise Refused(error.code, error.message, field="photos") from error
    if kind.extension != "pdf" and not _is_whole(file):
        raise Refused("upload-broken", f"“{name}”不完整，打不开，请重新拍摄或选择。", field="photos")
    return kind


def _to_last_part(found: Image.Image) -> None:
    found.verify()


def _to_last_pixel(found: Image.Image) -> None:
    found.draft("L", (1, 1))
    found.load()


def _is_whole(file: File[Any]) -> bool:
    """Whether an image of bearable size can be read to its end; a JPEG is read small, which takes little memory."""
    try:
        for read in (_to_last_part, _to_last_pixel):
            file.seek(0)
            with Image.open(file, formats=("JPEG", "PNG")) as found:
                read(found)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    finally:
        file.seek(0)
    return True


def of_draft(task: SupervisionTask, draft_key: uuid.UUID, by: User) -> list[Photo]:
    """The photos that came for a draft which was not sent yet."""
    rows = Photo.objects.filter(task=task, draft_key=draft_key, inspection__isnull=True, uploaded_by=by)
    return list(rows.order_by("id"))


def of_record(draft_key: uuid.UUID) -> list[Photo]:
    """The photos of the record that this draft became."""
    return list(Photo.objects.filter(inspection__client_key=draft_key).order_by("id"))


def join(inspection: Inspection, keys: Sequence[uuid.UUID], by: User) -> list[Photo]:
    """Give the record the photos that its draft names, in the order in which they came; the caller holds the lock.

    Raises ``Refused`` (``photos-missing``) when one of them has not arrived.
    """
    wanted = set(keys)
    held = of_draft(inspection.task, inspection.client_key, by)
    found = [photo for photo in held if photo.client_key in wanted]
    if missing := len(wanted) - len(found):
        raise Refused("photos-missing", f"有 {missing} 张照片还没有传到，请等候照片传完后再发送。", field="photos")
    Photo.objects.filter(pk__in=[photo.pk for photo in found]).update(inspection=inspection)
    return found


@transaction.atomic
def note_reading(task: SupervisionTask, photo: Photo, *, by: User, now: dt.datetime) -> None:
    """Write on the task's stream who looked at which photo."""
    held = SupervisionTask.objects.select_for_update().only("pk").get(pk=task.pk)
    data = {"photo": photo.pk, "digest": photo.digest}
    record_many([Draft(held.stream, CaseAct.FILE_OPENED, data, by)], at=now)


def response(photo: Photo) -> FileResponse:
    """Answer with the photo; the caller has checked that the person may see it. Nothing in it may run or load.

    Raises ``FileNotFoundError`` when the store has lost it.
    """
    kind = uploads.KINDS.get(photo.extension)
    answer = FileResponse(
        file_path(photo).open("rb"),
        as_attachment=kind is None or not kind.inline,
        filename=f"检查照片{photo.pk}.{photo.extension}",
        content_type=kind.content_type if kind else "application/octet-stream",
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


@transaction.atomic
def _discard(pk: int) -> bool:
    photo = Photo.objects.select_for_update().filter(pk=pk, inspection__isnull=True).first()
    if photo is None:
        return False
    path = file_path(photo)
    photo.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return True


def sweep(now: dt.datetime) -> int:
    """Take away the photos that hang on no record after 30 days; return how many. Safe to run twice and at once."""
    left = Photo.objects.filter(inspection__isnull=True, uploaded_at__lt=now - ABANDONED).order_by("pk")
    return sum(_discard(pk) for pk in list(left.values_list("pk", flat=True)[:BATCH]))
