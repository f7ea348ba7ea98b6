"""The materials of a case for those who did not take them in: the back office and the supervision side.

Files come under neutral names; what people called them is not read at all. Before the decision a file whose identities
were covered is read as its cover (O3.1.2c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from approvals import covering, verifying
from approvals.enums import MaterialState
from approvals.models import CaseMaterial, Upload
from offices import kept

TONES = {
    MaterialState.PROVIDED: "good",
    MaterialState.PROMISED: "active",
    MaterialState.MISSING: "warn",
    MaterialState.NOT_NEEDED: "neutral",
    MaterialState.VERIFIED: "good",
    MaterialState.DEFERRED: "active",
    MaterialState.LATER: "warn",
}


def size_text(size: int) -> str:
    """Write a number of bytes for people: 0.4 MB, 12 KB."""
    return f"{size / 1048576:.1f} MB" if size >= 104858 else f"{max(1, round(size / 1024))} KB"


def neutral_files(case_id: int) -> dict[int, list[Upload]]:
    """Line of the checklist → its files, without what people called them; one statement."""
    files: dict[int, list[Upload]] = {}
    for file in kept.ask(_files, _files, case_id):
        files.setdefault(file.case_material_id or 0, []).append(file)
    return files


def _files(case_id: int) -> QuerySet[Upload]:
    rows = covering.for_blind_eyes(Upload.objects.filter(case_material__case_id=case_id))
    return rows.select_related("case_material").only("extension", "size", "case_material__order")


def _lines(case_id: int) -> QuerySet[CaseMaterial]:
    return CaseMaterial.objects.filter(case_id=case_id).select_related("material").order_by("order")


def checklist(case_id: int) -> list[dict[str, Any]]:
    """The checklist's lines in order, each with its files (``line``, ``files``); two statements."""
    files = neutral_files(case_id)
    return [{"line": line, "files": files.get(line.pk, [])} for line in kept.ask(_lines, _lines, case_id)]


def material_rows(case_id: int, address: Callable[[Upload], str]) -> list[dict[str, Any]]:
    """The checklist as ``components/material_row.html`` takes it, files at ``address``.

    Two statements; a third where a line was answered for by the service of electronic licences.
    """
    rows = []
    lines = checklist(case_id)
    asked = any(row["line"].state == MaterialState.VERIFIED for row in lines)
    verified = verifying.blind_answers(case_id) if asked else {}
    for row in lines:
        line: CaseMaterial = row["line"]
        listed = line.material
        state = MaterialState(line.state)
        rows.append(
            {
                "order": line.order,
                "name": line.name,
                "required": line.required,
                "state": state,
                "condition": listed.condition_text if listed else "",
                "form": listed.get_form_display() if listed else "",
                "copies": listed.copies if listed else None,
                "source": listed.source if listed else "",
                "certainty": listed.get_certainty_display() if listed and listed.is_unverified else "",
                "badge": {"label": state.label, "tone": TONES[state]},
                "note": verified[line.pk].text if line.pk in verified else "",
                "files": [
                    {"name": file.neutral_name, "url": address(file), "size": size_text(file.size)}
                    for file in row["files"]
                ],
            }
        )
    return rows
