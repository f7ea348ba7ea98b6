"""What the applicant may do on a case through the own door, and the rows of files that go with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import File

from approvals import progress, uploads
from approvals.actions.ending import is_silent, may_withdraw
from approvals.actions.intake import slot_of
from approvals.actions.owing import to_hand_in
from approvals.actions.revoking import may_answer
from approvals.enums import CaseStatus, MaterialState, Way
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial, Upload
from deadlines.clock import local_date

# Files that wait under one case's key, whoever put them there: enough for every checklist, too few to fill a disk.
MOST_FILES = 40
ANSWER, HAND_IN, WITHDRAW_PROMISE, WITHDRAW = "answer", "hand_in", "withdraw_promise", "withdraw"
# The holder of a licence that is to be revoked states, asks for a hearing, or waives both.
STATE = "state"
# Before these an owed material cannot be handed in yet, or not any more.
NOT_YET = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED, CaseStatus.REJECTED)


def offers(case: Case, now: dt.datetime) -> list[str]:
    """The acts that are open to the applicant of a case from ``progress.readable``, the most pressing first."""
    found = []
    if case.status == CaseStatus.CORRECTION_REQUESTED and not is_silent(case, now):
        found.append(ANSWER)
    if case.status not in NOT_YET and (progress.owed_lines(case) or progress.lacking_lines(case)):
        found.append(HAND_IN)
    revocation = progress.revocation_of(case)
    if revocation is not None and may_answer(revocation, local_date(now)):
        found.insert(0, STATE)
    if may_withdraw(case):
        promise = getattr(case, "promise", None)
        if case.way == Way.PROMISE and promise is not None and promise.withdrawn_at is None:
            found.append(WITHDRAW_PROMISE)
        found.append(WITHDRAW)
    return found


@dataclass(slots=True)
class FileRow:
    """A line of the checklist to which files can be added, with those that wait to be handed in."""

    line: CaseMaterial
    slot: str
    named: bool = False
    waiting: list[Upload] = field(default_factory=list)
    error: str = ""

    @property
    def badge(self) -> dict[str, str]:
        """Whether something waits here."""
        if self.waiting:
            return {"label": "已上传，待提交", "tone": "good"}
        if self.line.state == MaterialState.PROVIDED:
            return {"label": "原已收", "tone": "neutral"}
        return {"label": "未上传", "tone": "warn" if self.named else "neutral"}

    def files(self) -> list[dict[str, Any]]:
        """The waiting files by their own names; only the applicant's own can be taken back here."""
        return [
            {"pk": one.pk, "name": one.original_name, "size": _size(one.size), "own": one.uploaded_by_id is None}
            for one in self.waiting
        ]


def _size(size: int) -> str:
    return f"{size / 1048576:.1f} MB" if size >= 104858 else f"{max(1, size // 1024)} KB"


def takes_files(line: CaseMaterial) -> bool:
    """Whether files can be added to the line: a promise is signed, never uploaded."""
    return line.material is not None and not line.material.is_promise_letter


def rows_for(case: Case, act: str, errors: Mapping[str, str] | None = None) -> list[FileRow]:
    """The lines that this act takes files for, those that are asked for first; two statements."""
    lines = case.materials.select_related("material").order_by("order")
    waiting, errors = uploads.waiting(case.intake_key), errors or {}
    if act == HAND_IN:
        owed = to_hand_in(case)
        return [
            FileRow(line, slot_of(line), True, waiting.get(slot_of(line), []), errors.get(slot_of(line), ""))
            for line in owed
        ]
    named = {point["key"] for point in case.correction_notice.points}
    found = [
        FileRow(
            line,
            slot_of(line),
            f"material:{line.material_id}" in named or line.state == MaterialState.MISSING and line.required,
            waiting.get(slot_of(line), []),
            errors.get(slot_of(line), ""),
        )
        for line in lines
        if takes_files(line)
    ]
    return sorted(found, key=lambda row: not row.named)


def keep_file(case: Case, slot: str, file: File[Any], *, slots: Collection[str], now: dt.datetime) -> Upload:
    """Store a file that the applicant brought for a line of the checklist. Raises ``Refused``."""
    if slot not in slots:
        raise Refused("slot-unknown", "材料清单中没有这一项。", field="slot")
    if Upload.objects.filter(intake_key=case.intake_key, case_material__isnull=True).count() >= MOST_FILES:
        raise Refused(
            "upload-too-many",
            f"等待提交的文件已有 {MOST_FILES} 个，请先移除一些，也可以到窗口提交。",
            field="file",
        )
    return uploads.store(file, intake_key=case.intake_key, slot=slot, by=None, now=now)


def take_back(case: Case, pk: int) -> bool:
    """Take back a file that the applicant brought and did not submit; whether there was one."""
    own = Upload.objects.filter(pk=pk, intake_key=case.intake_key, uploaded_by__isnull=True).exists()
    return own and uploads.discard(pk, intake_key=case.intake_key)


def refuse_empty(rows: list[FileRow]) -> None:
    """Raise ``Refused`` where nothing waits to be submitted: the one answer is not spent on nothing."""
    if not any(row.waiting for row in rows):
        raise Refused("answer-empty", "还没有上传任何文件，请先选择文件再提交；补正只能提交一次。", field="files")
