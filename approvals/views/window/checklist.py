"""The checklist on the window's pages: rows with their tick and their files; keeping files that come with a form."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from approvals import uploads
from approvals.actions.intake import NOT_NEEDED, slot_of
from approvals.enums import MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial, Upload
from catalogue.enums import MaterialForm
from offices.models import User

State = MaterialState
BADGES = {
    State.PROVIDED: {"label": "已收", "tone": "good"},
    State.PROMISED: {"label": "以承诺代替", "tone": "active"},
    State.NOT_NEEDED: {"label": "不需要", "tone": "neutral"},
    State.MISSING: {"label": "未收", "tone": "neutral"},
}
TICK_WORDS = {MaterialForm.ORIGINAL: "已收原件", MaterialForm.COPY: "已收复印件", MaterialForm.ELECTRONIC: "已核电子件"}


@dataclass(slots=True)
class Row:
    """A line of the checklist as the page shows it."""

    line: CaseMaterial
    slot: str
    said: str = ""
    waiting: list[Upload] = field(default_factory=list)
    error: str = ""
    missing: bool = False

    @property
    def tick_word(self) -> str:
        """What the tick says: the form in which the material is taken."""
        form = MaterialForm(self.line.material.form) if self.line.material else MaterialForm.ORIGINAL
        return TICK_WORDS[form]

    @property
    def is_in(self) -> bool:
        """Whether it came in, now or before."""
        return State.PROVIDED in {self.line.state, self.said} or bool(self.waiting)

    @property
    def is_open(self) -> bool:
        """Whether something can still be handed in here."""
        return self.line.state not in {State.PROMISED, State.PROVIDED}

    @property
    def state(self) -> State:
        """The state that the form would bring, were it sent now."""
        if self.is_in:
            return State.PROVIDED
        if self.said == NOT_NEEDED and not self.line.required:
            return State.NOT_NEEDED
        return State(self.line.state)

    def shown(self) -> dict[str, Any]:
        """The row as ``components/material_row.html`` takes it."""
        material = self.line.material
        badge = {"label": "未收", "tone": "bad"} if self.missing else BADGES[self.state]
        row: dict[str, Any] = {
            "order": self.line.order,
            "name": self.line.name,
            "required": self.line.required or (material is None),
            "badge": badge,
            "files": [_file(upload) for upload in self.line.uploads.all()] if self.line.pk else [],
        }
        if material is not None:
            row |= {
                "condition": material.condition_text or ("承诺免交" if self.line.state == State.PROMISED else ""),
                "form": material.get_form_display(),
                "copies": material.copies,
                "certainty": material.get_certainty_display() if material.is_unverified else "",
                "note": material.sample_text,
            }
        return row


def _file(upload: Upload) -> dict[str, Any]:
    size = upload.size / 1048576
    text = f"{size:.1f} MB" if size >= 0.1 else f"{max(1, upload.size // 1024)} KB"
    url = reverse("file", args=[upload.pk])
    return {"pk": upload.pk, "name": upload.original_name, "url": url, "size": text, "at": upload.uploaded_at}


def rows_of(
    lines: Iterable[CaseMaterial],
    said: Mapping[str, str],
    waiting: Mapping[str, list[Upload]],
    errors: Mapping[str, str],
    *,
    judge: bool = False,
) -> list[Row]:
    """Put together what the list asks, what was ticked and what was uploaded; ``judge`` marks what is still missing."""
    rows = []
    for line in lines:
        slot = slot_of(line)
        row = Row(line, slot, said.get(slot, ""), list(waiting.get(slot, [])), errors.get(slot, ""))
        row.missing = judge and line.required and not row.is_in and line.state != State.PROMISED
        rows.append(row)
    return rows


def control(request: HttpRequest, row: Row, scope: Mapping[str, str]) -> str:
    """The row's tick and files as HTML; ``scope`` names the hidden fields that go with a single upload."""
    return render_to_string(
        "window/_material_control.html",
        {
            "row": row,
            "files": [_file(upload) for upload in row.waiting],
            "accept": uploads.ACCEPT,
            "limit_text": uploads.LIMIT_TEXT,
            "params": ",".join([*scope, f"file-{row.slot}", f"m-{row.slot}", "remove", "slot"]),
        },
        request,
    )


def shown(request: HttpRequest, rows: Iterable[Row], scope: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows and controls for the template."""
    return [{"row": row.shown(), "control": control(request, row, scope) if row.is_open else ""} for row in rows]


def keep_files(
    request: HttpRequest, *, key: uuid.UUID, slots: Collection[str], by: User, now: dt.datetime
) -> dict[str, str]:
    """Store every file that came with the form; return slot → what was wrong with its files."""
    errors: dict[str, str] = {}
    for slot in slots:
        for file in request.FILES.getlist(f"file-{slot}"):
            try:
                uploads.store(file, intake_key=key, slot=slot, by=by, now=now)
            except Refused as error:
                errors[slot] = f"{errors[slot]} {error.message}" if slot in errors else error.message
    return errors


def lines_of(case: Case) -> list[CaseMaterial]:
    """The case's checklist with materials and files; two statements."""
    return list(case.materials.select_related("material").prefetch_related("uploads").order_by("order"))
