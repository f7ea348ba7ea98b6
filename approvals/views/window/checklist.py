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

from approvals import covering, uploads
from approvals.actions.intake import NOT_NEEDED, is_letter, may_defer, slot_of
from approvals.enums import MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial, Upload
from catalogue.enums import MaterialForm, PromiseMode
from offices.models import User

State = MaterialState
BADGES = {
    State.PROVIDED: {"label": "已收", "tone": "good"},
    State.PROMISED: {"label": "以承诺代替", "tone": "active"},
    State.NOT_NEEDED: {"label": "不需要", "tone": "neutral"},
    State.MISSING: {"label": "未收", "tone": "neutral"},
    State.VERIFIED: {"label": "已核验", "tone": "good"},
    State.DEFERRED: {"label": "承诺延期提交", "tone": "active"},
    State.LATER: {"label": "容缺后补", "tone": "warn"},
}
# What else a single upload sends along: the way of handling decides what is asked of its line.
CHOICE = ("way", "modes", "modes_said")
SIGNED = {"label": "已签署", "tone": "good"}
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
    modes: Collection[str] = ()
    # The notice was given: what is in may be brought again, and whoever came to sign the promise is ticked.
    again: bool = False

    @property
    def is_letter(self) -> bool:
        """Whether it is the letter of promise: scanned here, brought in by the signature alone."""
        return is_letter(self.line)

    @property
    def may_defer(self) -> bool:
        """Whether the clerk may tick that it comes later, as promised."""
        return may_defer(self.line, self.modes)

    @property
    def is_lacking(self) -> bool:
        """Whether it must come in and has not: neither promised nor deferred nor to be signed."""
        return self.line.required and self.line.state == State.MISSING and not self.is_in and not self.is_letter

    @property
    def tick_word(self) -> str:
        """What the tick says: the form in which the material is taken."""
        form = MaterialForm(self.line.material.form) if self.line.material else MaterialForm.ORIGINAL
        return TICK_WORDS[form]

    @property
    def is_in(self) -> bool:
        """Whether it came in, now or before."""
        if self.is_letter:
            return self.line.state == State.PROVIDED
        return State.PROVIDED in {self.line.state, self.said} or bool(self.waiting)

    @property
    def is_open(self) -> bool:
        """Whether something can still be handed in here."""
        open_states = {State.MISSING, State.NOT_NEEDED, State.DEFERRED}
        return (self.line.state in open_states or self.is_brought_again) and not self._is_spare_letter

    @property
    def is_brought_again(self) -> bool:
        """Whether a material that is in may be brought once more, put right as the notice asked."""
        return self.again and self.line.state in {State.PROVIDED, State.VERIFIED} and not self.is_letter

    @property
    def comes_to_sign(self) -> bool:
        """Whether the answer to the notice may be that the applicant has come to sign the promise."""
        return self.again and self.is_letter and self.line.state == State.MISSING

    @property
    def _is_spare_letter(self) -> bool:
        """Whether it is the letter of a case that went back to the ordinary way."""
        return self.is_letter and self.line.state == State.NOT_NEEDED

    @property
    def state(self) -> State:
        """The state that the form would bring, were it sent now."""
        if self.is_in:
            return State.PROVIDED
        if self.said == NOT_NEEDED and not self.line.required:
            return State.NOT_NEEDED
        if self.said == State.DEFERRED and self.may_defer:
            return State.DEFERRED
        return State(self.line.state)

    @property
    def badge(self) -> dict[str, str]:
        """The state in a word, with its tone."""
        if self.is_letter and self.line.state in {State.MISSING, State.PROVIDED}:
            return {"label": "待签署", "tone": "neutral"} if self.line.state == State.MISSING else SIGNED
        return {"label": "未收", "tone": "bad"} if self.missing else BADGES[self.state]

    @property
    def effect(self) -> str:
        """What the promise does to this material, beside its name where it is not required of everybody."""
        material = self.line.material
        if self.line.state == State.PROMISED:
            return "承诺免交"
        if material is not None and material.verifiable and PromiseMode.VERIFIED_MATERIAL in self.modes:
            return "可数据核验"
        return ""

    def shown(self) -> dict[str, Any]:
        """The row as ``components/material_row.html`` takes it."""
        material = self.line.material
        row: dict[str, Any] = {
            "order": self.line.order,
            "name": self.line.name,
            "required": self.line.required or (material is None),
            "badge": self.badge,
            "files": [_file(upload) for upload in self.line.uploads.all()] if self.line.pk else [],
        }
        if material is not None:
            row |= {
                "condition": material.condition_text or self.effect,
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
    return {
        "pk": upload.pk,
        "name": upload.original_name,
        "url": url,
        "size": text,
        "at": upload.uploaded_at,
    } | getattr(upload, "mark", {})


def files_of(files: Iterable[Upload]) -> list[dict[str, Any]]:
    """Files as the pages list them."""
    return [_file(upload) for upload in files]


def rows_of(
    lines: Iterable[CaseMaterial],
    said: Mapping[str, str],
    waiting: Mapping[str, list[Upload]],
    errors: Mapping[str, str],
    *,
    judge: bool = False,
    modes: Collection[str] = (),
    again: bool = False,
) -> list[Row]:
    """Put together what the list asks, what was ticked and what was uploaded; ``judge`` marks what is still missing."""
    rows = []
    for line in lines:
        slot = slot_of(line)
        files, error = list(waiting.get(slot, [])), errors.get(slot, "")
        row = Row(line, slot, said.get(slot, ""), files, error, modes=modes, again=again)
        row.missing = judge and row.is_lacking
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
            "params": ",".join([*scope, *CHOICE, f"file-{row.slot}", f"m-{row.slot}", "remove", "slot"]),
        },
        request,
    )


def _in_its_place(request: HttpRequest, row: Row, scope: Mapping[str, str]) -> str:
    """What stands at a line: its tick and files, that data answered for it, or nothing."""
    if row.is_open:
        return control(request, row, scope)
    if row.line.state == State.VERIFIED:
        return render_to_string("window/_verified.html", {"slot": row.slot}, request)
    return ""


def shown(request: HttpRequest, rows: Iterable[Row], scope: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows and controls for the template."""
    return [{"row": row.shown(), "control": _in_its_place(request, row, scope)} for row in rows]


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


def lines_of(case: Case, *, may_cover: bool = True) -> list[CaseMaterial]:
    """The case's checklist with materials and files, and what is to be said beside them; three statements."""
    rows = case.materials.select_related("material").prefetch_related(covering.originals())
    lines = list(rows.order_by("order"))
    files = [file for line in lines for file in line.uploads.all()]
    marks = covering.marks(files, case, may_cover=may_cover)
    for file in files:
        file.mark = marks.get(file.pk, {})  # type: ignore[attr-defined]  # for ``_file``
    return lines
