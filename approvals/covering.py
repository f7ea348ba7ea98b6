"""What in a file betrays the applicant to a machine, and files with such places painted over (O3.1.2c).

A machine sees text: a PDF's text layer, properties, notes and attachments' names, an image's properties, the XML of an
OFD. It sees nothing in pictures, scans, seals and handwriting; such files are called "unreadable" and a person looks.
Only the kinds of what was found are kept, never the words.
"""

from __future__ import annotations

import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from approvals.enums import DECIDED, ENDED_EARLY
from approvals.exceptions import Refused
from approvals.models import Case, Covering, Upload
from approvals.uploads import file_path
from approvals.wording import identity_of
from credit.identifiers import normalise

logger = logging.getLogger(__name__)

TASK = "approvals.tasks.look_through"
COVER_TASK = "approvals.tasks.draw_covers"
UNREADABLE = "unreadable"
LABELS = {"name": "申请人名称", "code": "证照号码", "phone": "联系电话", "contact": "联系人姓名"}
COVERABLE = frozenset({"pdf", "jpg", "png"})
# Drawn while the clerk waits; more pages are the worker's.
AT_ONCE = 8
MOST_BOXES = 300
SMALLEST = 0.003
PATIENCE = 150  # seconds; the process limits itself to less
BATCH = 50
# What acceptance looks at itself, in one process: so many files, together so many bytes, within so many seconds.
MOST_NOW, BYTES_NOW, PATIENCE_NOW = 12, 12 * 1024 * 1024, 8
Box = list[float]
PROBLEMS = {
    "unopened": "这个文件打不开（可能已加密或者损坏），不能在这里遮盖；请申请人换一份，或者收纸质材料。",
    "too-many-pages": "这个文件超过 80 页，不能在这里遮盖；请拆成几个文件后重新上传。",
    "too-many-pixels": "这张图片超过 5000 万像素，不能在这里遮盖；请缩小后重新上传。",
    "too-large": "遮盖后的文件过大，没有生成；请拆成几个文件后重新上传。",
    "no-such-page": "文件没有这一页。",
    "missing": "文件没有找到，请重新上传。",
}


class Unusable(Exception):  # noqa: N818 - reads as what the file is
    """A file that cannot be opened or goes over a limit; ``code`` is one of ``PROBLEMS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code if code in PROBLEMS else "unopened"

    @property
    def text(self) -> str:
        """What is wrong and what to do, in Chinese."""
        return PROBLEMS[self.code]


@dataclass(frozen=True, slots=True)
class Found:
    """What a machine sees: kinds, boxes around the words, the size of each page (points or pixels)."""

    kinds: list[str]
    boxes: list[Box]
    pages: list[tuple[float, float]]


def _ask(upload: Upload, act: str, **more: Any) -> bytes:
    """Put a question about a file to the process that opens it. Raises ``Unusable``."""
    path = file_path(upload)
    if not path.exists():
        raise Unusable("missing")
    return _answer({"act": act, "path": str(path.resolve()), "kind": upload.extension, **more}, f"file {upload.pk}")


def _answer(question: dict[str, Any], what: str, patience: int = PATIENCE) -> bytes:
    """What the process answers; ``what`` is for the log: neither a file's words nor its name. Raises ``Unusable``."""
    command = [sys.executable, "-m", "approvals.pictures"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module; what strangers wrote comes by its input
            command,
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=patience,
            check=False,
            cwd=settings.BASE_DIR,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise Unusable("unopened") from error
    if done.returncode:
        code = done.stdout.decode(errors="replace").strip() if done.returncode == 3 else "unopened"
        logger.warning("%s: %s (exit %s)", what, code, done.returncode)
        raise Unusable(code)
    return done.stdout


def words_of(case: Case) -> dict[str, list[str]]:
    """Kind → what would betray the applicant, as it is looked for."""
    return plain_words(identity_of(case))


def plain_words(told: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The words of ``wording.identity`` as they are looked for, the longest first."""
    known: dict[str, list[str]] = {}
    for kind, words in told.items():
        plain = {word for word in map(normalise, words) if len(word) > 1}
        known[kind] = sorted(plain, key=len, reverse=True)
    return known


def _read(upload: Upload, words: dict[str, list[str]]) -> Found:
    said = json.loads(_ask(upload, "read", words=words))
    return Found(said["kinds"], said["boxes"], [(width, height) for width, height in said["pages"]])


def look(upload: Upload, case: Case) -> Found:
    """Look for the applicant in a file. Raises ``Unusable``."""
    return _read(upload, words_of(case))


def pages(upload: Upload) -> list[tuple[float, float]]:
    """The size of each page. Raises ``Unusable``."""
    return _read(upload, {}).pages


def findings(upload: Upload, case: Case) -> list[str]:
    """The kinds of what a machine found; what it cannot open it cannot read."""
    try:
        return look(upload, case).kinds
    except Unusable:
        return [UNREADABLE]


def picture(upload: Upload, page: int) -> bytes:
    """One page as a JPEG. Raises ``Unusable``."""
    return _ask(upload, "picture", page=page)


def draw(upload: Upload, boxes: Sequence[Box]) -> str:
    """Write ``upload`` with the boxes painted over to a new place in the store; return it. Raises ``Unusable``."""
    token = secrets.token_hex(20)
    place = f"{token[:2]}/{token}"
    target = Path(settings.UPLOAD_ROOT) / place
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        _ask(upload, "cover", boxes=list(boxes), out=str(target.resolve()))
        target.chmod(0o600)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return place


def clean(boxes: Iterable[Sequence[float]], pages: int) -> list[Box]:
    """Cut boxes to their pages, each once.

    Raises ``Refused``: ``boxes-missing``, ``boxes-too-many``, ``box-off-page``.
    """
    kept: dict[tuple[float, ...], None] = {}
    for page, x, y, width, height in boxes:
        left, top = max(0.0, x), max(0.0, y)
        right, bottom = min(1.0, x + width), min(1.0, y + height)
        if not 1 <= page <= pages or right - left < SMALLEST or bottom - top < SMALLEST:
            raise Refused("box-off-page", "有一块遮盖不在页面上，或者太小，请核对页码和位置。", field="boxes")
        kept[(int(page), *(round(value, 4) for value in (left, top, right - left, bottom - top)))] = None
    if not kept:
        raise Refused("boxes-missing", "请先框出要遮盖的地方。", field="boxes")
    if len(kept) > MOST_BOXES:
        raise Refused("boxes-too-many", f"一个文件最多遮盖 {MOST_BOXES} 处，请把相邻的合并成一块。", field="boxes")
    return [list(box) for box in kept]


# --- who reads which of the two

# A signed letter of promise, of the portal's own line or of the item's list.
LETTER = Q(case_material__material__isnull=True) | Q(case_material__material__is_promise_letter=True)


def for_blind_eyes(files: QuerySet[Upload]) -> QuerySet[Upload]:
    """Before the decision the cover instead of the original, nothing while it is drawn; afterwards the original.

    A signed letter of promise bears the signer's name and says no more than the clauses do: not before the decision.
    """
    decided = Q(case_material__case__status__in=DECIDED)
    held = Covering.objects.filter(upload=OuterRef("pk"), ended_at__isnull=True)
    return files.filter((decided & Q(covers__isnull=True)) | (~decided & ~LETTER & ~Exists(held)))


def live(upload: Upload) -> Covering | None:
    """The covering that holds for a file, if any; one statement."""
    return upload.coverings.filter(ended_at__isnull=True).select_related("cover").first()


# --- what the window shows beside a file


def marks(files: Sequence[Upload], case: Case, *, may_cover: bool = True) -> dict[int, dict[str, Any]]:
    """File → ``warning``, ``note``, ``cover_url``, ``cover_verb`` for the window; one statement.

    Without ``may_cover`` (who only hands out) nothing to follow, and nothing asked for that the person cannot do.
    """
    if not files or case.status in DECIDED or case.status in ENDED_EARLY:
        return {}
    rows = Covering.objects.filter(upload__in=[file.pk for file in files], ended_at__isnull=True)
    held = {row.upload_id: row for row in rows}
    found = {file.pk: _mark(file, held.get(file.pk)) for file in files}
    if may_cover:
        return found
    return {pk: {"note": mark["note"]} if "note" in mark else {} for pk, mark in found.items()}


def originals() -> Prefetch[Any]:
    """A checklist's files as they were handed in, without covers."""
    return Prefetch("uploads", Upload.objects.filter(covers__isnull=True))


def _mark(file: Upload, covering: Covering | None) -> dict[str, Any]:
    mark: dict[str, Any] = {"cover_url": reverse("window:cover", args=[file.pk]), "cover_verb": "遮盖"}
    told = named(file.findings)
    if _is_letter(file):
        return {"note": "承诺书在决定作出前只有窗口能看，不需要遮盖。"}
    if covering is not None:
        said = f"已遮盖 {len(covering.boxes)} 处，审查人员看到的是遮盖件"
        if covering.done_at is None:
            said = "正在生成遮盖件，生成前审查人员看不到这份材料"
        if covering.problem:
            return mark | {"warning": f"遮盖件没有生成：{PROBLEMS.get(covering.problem, PROBLEMS['unopened'])}"}
        return mark | {"note": said, "cover_verb": "查看遮盖"}
    if file.left_reason:
        return mark | {"note": f"不遮盖：{file.left_reason}"}
    if told:
        more = "；其中还有机器读不出的图片或者扫描页，请您看一眼" if UNREADABLE in file.findings else ""
        return mark | {"warning": f"这份材料里有{told}，审查人员会看到；请遮盖后再受理，或者说明理由{more}。"}
    if UNREADABLE in file.findings:
        return mark | {"note": UNSEEN}
    if file.looked_at is None:
        return mark | {"note": "正在检查有没有申请人信息，查完以前不能受理。"}
    return mark


# What is said wherever a machine could read nothing, or not everything.
UNSEEN = "这份材料是图片、扫描件，或者打不开，机器看不出里面有没有申请人信息，请您看一眼。"


def _is_letter(file: Upload) -> bool:
    """Whether this is a signed letter of promise, as far as that was read with the file."""
    cache = file._state.fields_cache
    line = cache.get("case_material")
    if line is None:
        return False
    if line.material_id is None:
        return True
    material = line._state.fields_cache.get("material")
    return bool(material is not None and material.is_promise_letter)


def named(kinds: Iterable[str]) -> str:
    """The kinds in words, 申请人名称、联系电话; empty for none."""
    return "、".join(LABELS[kind] for kind in LABELS if kind in set(kinds))


# --- acceptance

# Why an acceptance waits while the files stay received.
HELD_UP = frozenset({"files-not-looked", "files-uncovered"})


def _judged(case: Case) -> QuerySet[Upload]:
    """The files that reviewers will read, as they were handed in: all but the letter of promise."""
    files = Upload.objects.filter(case_material__case=case, covers__isnull=True)
    return files.exclude(LETTER)


def look_now(case: Case, now: datetime) -> None:
    """Look through what no machine has seen yet of a case that is about to be accepted, if it is little.

    Also what waits to be taken in. Call it outside of a transaction: nothing is held meanwhile. What is too much, or
    breaks its reader, is left to the worker, which looks at each by itself.
    """
    waiting = Upload.objects.filter(intake_key=case.intake_key, case_material__isnull=True)
    files = _judged(case) | waiting.filter(covers__isnull=True)
    if files.filter(looked_at__isnull=True).exists():
        look_at(files, words_of(Case.objects.select_related("applicant").get(pk=case.pk)), now)


def look_at(files: QuerySet[Upload], words: dict[str, list[str]], now: datetime) -> None:
    """Look through those of the files that no machine has seen, all in one process, if they are few and small."""
    unseen = list(files.filter(looked_at__isnull=True).order_by("id")[: MOST_NOW + 1])
    if not unseen or len(unseen) > MOST_NOW or sum(file.size for file in unseen) > BYTES_NOW:
        return
    paths = [{"path": str(file_path(file).resolve()), "kind": file.extension} for file in unseen]
    try:
        said = _answer({"act": "read_each", "files": paths, "words": words}, "files", PATIENCE_NOW)
    except Unusable:
        return
    for file, found in zip(unseen, json.loads(said), strict=True):
        kinds = found.get("kinds", [UNREADABLE])
        Upload.objects.filter(pk=file.pk, looked_at__isnull=True).update(findings=kinds, looked_at=now)


def refuse_uncovered(case: Case) -> None:
    """Refuse to accept a locked case while a file may tell reviewers whose it is (O3.1.2c); two statements.

    Raises ``Refused``: ``files-not-looked`` while a machine has still to look, ``files-uncovered`` while something that
    it found is neither covered nor left with a reason.
    """
    files = list(_judged(case).select_related("case_material").order_by("case_material__order", "id"))
    if waiting := [file for file in files if file.looked_at is None]:
        raise Refused(
            "files-not-looked",
            f"还有 {len(waiting)} 份文件正在检查有没有申请人信息，请稍候再受理。",
            field="materials",
        )
    telling = [file for file in files if named(file.findings) and not file.left_reason]
    if not telling:
        return
    held = Covering.objects.filter(upload__in=telling, ended_at__isnull=True, problem="")
    covered = set(held.values_list("upload_id", flat=True))
    names = dict.fromkeys(_line_name(file) for file in telling if file.pk not in covered)
    if names:
        listed = "、".join(f"“{name}”" for name in names)
        raise Refused(
            "files-uncovered",
            f"{listed}的文件里有申请人信息，审查人员会看到。请逐份遮盖，或者说明不遮盖的理由，再受理。",
            field="materials",
        )


def _line_name(file: Upload) -> str:
    return file.case_material.name if file.case_material is not None else ""


# --- the worker


def look_through(now: datetime, limit: int = BATCH) -> int:
    """Look through files that no machine has seen; how many. Safe to run twice and at once with others.

    Nothing is held while a file is read; two that read the same one find the same.
    """
    rows = Upload.objects.filter(looked_at__isnull=True, covers__isnull=True, case_material__isnull=False)
    seen = 0
    for upload in rows.select_related("case_material__case__applicant").order_by("id")[:limit]:
        assert upload.case_material is not None  # noqa: S101 - asked for
        case = upload.case_material.case
        kinds = [] if case.is_decided else findings(upload, case)
        seen += Upload.objects.filter(pk=upload.pk, looked_at__isnull=True).update(findings=kinds, looked_at=now)
    return seen


def wake(task: str = TASK) -> None:
    """Send the worker a wake-up; a lost one costs the seconds until the next beat."""
    try:
        current_app.send_task(task, retry=False, expires=60)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("covering: no wake-up sent (%s); the beat will find it", type(error).__name__)
