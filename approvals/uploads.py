"""Files that applicants hand in: checked by content, stored under random names outside the web root.

The browser's type and the name's extension are never believed. A file is bound to the form that it came with
(``intake_key`` and ``slot``), so that a refused form keeps its files, and to its checklist line once the case stands.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import uuid
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import filetype
from django.conf import settings
from django.core.files.base import File
from django.db import DatabaseError, transaction
from django.http import FileResponse
from PIL import Image

from approvals.exceptions import Refused
from approvals.models import Upload
from ledger.hashing import sm3_stream
from offices.models import User

logger = logging.getLogger(__name__)

HEAD_BYTES = 8192
# What every PDF has, one of each: objects, pages (or objects packed in streams), and the way to find them.
PDF_PARTS = ((b"endobj",), (b"/Page", b"/ObjStm"), (b"startxref", b"trailer"))
# More than an A3 page at 400 dpi; nothing larger could be covered or shown (``pictures``).
MOST_PIXELS = 50_000_000
LONGEST_SIDE = 20_000
PROMISE_SLOT = "promise"
# What the file picker offers; the server decides by content.
ACCEPT = ".pdf,.jpg,.jpeg,.png,.ofd"
LIMIT_TEXT = f"PDF、JPG、PNG、OFD，单个不超过 {settings.UPLOAD_MAX_BYTES // 1048576} MB"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that is taken: its type, its extension, and whether browsers show it."""

    content_type: str
    extension: str
    inline: bool


KINDS: dict[str, FileKind] = {
    kind.extension: kind
    for kind in (
        FileKind("application/pdf", "pdf", inline=True),
        FileKind("image/jpeg", "jpg", inline=True),
        FileKind("image/png", "png", inline=True),
        FileKind("application/ofd", "ofd", inline=False),
    )
}


def _is_ofd(file: IO[bytes] | File[Any]) -> bool:
    """Whether a zip archive is an OFD document (GB/T 33190): it has OFD.xml at its root."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            return "OFD.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def detect(file: IO[bytes] | File[Any]) -> FileKind | None:
    """Return the kind that the content shows, or None for anything that is not taken."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    found = filetype.guess(head)
    if found is None:
        return None
    if found.extension == "zip":
        return KINDS["ofd"] if _is_ofd(file) else None
    return KINDS.get(found.extension)


def refuse_broken(file: IO[bytes] | File[Any], kind: FileKind, name: str) -> None:
    """Refuse what only begins like its kind, and images of a size that no camera or scanner makes.

    Nothing is drawn or decoded here: strangers' bytes are opened by a process of their own (``covering``).
    """
    file.seek(0)
    if kind.extension == "pdf":
        body = file.read()
        if not all(any(mark in body for mark in marks) for marks in PDF_PARTS):
            raise Refused("upload-broken", f"“{name}”打不开，不是完整的 PDF，请重新导出或者扫描后上传。", field="file")
    elif kind.extension in {"jpg", "png"}:
        try:
            with warnings.catch_warnings(action="ignore"), Image.open(file, formats=("JPEG", "PNG")) as found:
                wide, high = found.size
        except Image.DecompressionBombError as error:
            raise _too_large(name) from error
        except (OSError, SyntaxError, ValueError) as error:
            message = f"“{name}”打不开，不是完整的图片，请重新拍照或者扫描后上传。"
            raise Refused("upload-broken", message, field="file") from error
        if wide * high > MOST_PIXELS or max(wide, high) > LONGEST_SIDE:
            raise _too_large(name)


def _too_large(name: str) -> Refused:
    message = f"“{name}”的像素太大（最多 {MOST_PIXELS // 10_000} 万像素），请缩小后重新上传。"
    return Refused("upload-pixels", message, field="file")


def file_path(upload: Upload) -> Path:
    """Where the file lies."""
    return Path(settings.UPLOAD_ROOT) / upload.path


def _write(file: File[Any], target: Path) -> str:
    """Copy ``file`` to ``target`` and return its SM3 digest; nothing is left behind when it fails."""

    def chunks(out: IO[bytes]) -> Iterator[bytes]:
        file.seek(0)
        for chunk in file.chunks():
            out.write(chunk)
            yield chunk

    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            digest = sm3_stream(chunks(out))
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        if target.exists():
            target.unlink()
        logger.exception("an upload could not be stored")
        raise Refused(
            "upload-not-stored", "附件没有保存成功，其他内容都在；请稍后重新上传这个附件。", field="file"
        ) from error
    return digest


def store(file: File[Any], *, intake_key: uuid.UUID, slot: str, by: User | None, now: dt.datetime) -> Upload:
    """Check ``file`` by its content, store it and bind it to the form ``intake_key`` and its ``slot``.

    ``slot`` is a material's id as text, or "promise". Raises ``Refused`` with ``field="file"``: ``upload-empty``,
    ``upload-too-big``, ``upload-kind``,
    ``upload-broken``, ``upload-pixels``, ``upload-not-stored``.
    """
    name = Path(str(file.name or "").replace("\\", "/")).name[:255] or "未命名"
    size = file.size or 0
    if size == 0:
        raise Refused("upload-empty", f"“{name}”是空文件，请重新选择。", field="file")
    if size > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES / 1048576
        message = f"“{name}”有 {size / 1048576:.1f} MB，超过 {limit:g} MB，请压缩或者分次上传。"
        raise Refused("upload-too-big", message, field="file")
    kind = detect(file)
    if kind is None:
        message = f"“{name}”的内容不是 PDF、JPG、PNG 或 OFD（只改扩展名不行），请转换格式后重新上传。"
        raise Refused("upload-kind", message, field="file")
    refuse_broken(file, kind, name)
    token = secrets.token_hex(20)
    path = f"{token[:2]}/{token}"
    target = Path(settings.UPLOAD_ROOT) / path
    digest = _write(file, target)
    try:
        return Upload.objects.create(
            intake_key=intake_key,
            slot=slot,
            material_id=int(slot) if slot.isdecimal() else None,
            path=path,
            original_name=name,
            content_type=kind.content_type,
            extension=kind.extension,
            size=size,
            digest=digest,
            uploaded_by=by,
            uploaded_at=now,
        )
    except DatabaseError:
        target.unlink(missing_ok=True)
        raise


def waiting(intake_key: uuid.UUID, by: User | None = None) -> dict[str, list[Upload]]:
    """Slot → files that came with this form (from ``by`` only, if given) and hang on no case yet; one statement."""
    found: dict[str, list[Upload]] = {}
    rows = Upload.objects.filter(intake_key=intake_key, case_material__isnull=True)
    for upload in rows.filter(uploaded_by=by) if by else rows:
        found.setdefault(upload.slot, []).append(upload)
    return found


@transaction.atomic
def discard(pk: int, *, intake_key: uuid.UUID) -> bool:
    """Take back a file of the form ``intake_key`` before it is submitted; whether there was one to take back."""
    rows = Upload.objects.select_for_update().filter(pk=pk, intake_key=intake_key, case_material__isnull=True)
    upload = rows.first()
    if upload is None:
        return False
    path = file_path(upload)
    upload.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return True


def file_response(upload: Upload, *, neutral: bool) -> FileResponse:
    """Answer with the file; the caller has checked that the person may see it.

    ``neutral`` names it by its place in the checklist (blind review); otherwise the name given at the window is used.
    What browsers show safely comes inline, everything else as a download; nothing in it may run or load.
    Raises ``FileNotFoundError`` when the store has lost it.
    """
    kind = KINDS.get(upload.extension)
    shown = kind is not None and kind.inline
    response = FileResponse(
        file_path(upload).open("rb"),
        as_attachment=not shown,
        filename=upload.neutral_name if neutral else upload.original_name,
        content_type=kind.content_type if kind else "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response
