"""The window's panel of the materials that data may answer for (L8d)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals import elicence, verifying
from approvals.actions.intake import slot_of
from approvals.enums import MaterialState, VerificationState
from approvals.models import Case, CaseMaterial, Verification
from deadlines.words import chinese_date

V = VerificationState
TONES = {V.ASKED: "active", V.MATCHED: "good", V.MISMATCH: "bad", V.UNAVAILABLE: "warn"}
OFF = "本平台没有接入电子证照服务，请收取纸质材料。"
NOT_CHOSEN = "本件没有选择“材料核验”的承诺方式，请收取纸质材料。"


@dataclass(frozen=True, slots=True)
class Row:
    """A line with its newest question, as the panel shows it."""

    line: CaseMaterial
    row: Verification | None
    may_ask: bool

    @property
    def slot(self) -> str:
        """The line's name in forms."""
        return slot_of(self.line)

    @property
    def is_asked(self) -> bool:
        """Whether the answer is still to come."""
        return self.row is not None and self.row.state == V.ASKED and self.line.state == MaterialState.MISSING

    @property
    def is_verified(self) -> bool:
        """Whether the answer stands for the material."""
        return self.line.state == MaterialState.VERIFIED

    @property
    def badge(self) -> dict[str, str]:
        """The state in a word; paper that came in meanwhile goes before a question that was not answered."""
        if self.row is None or (self.row.state == V.ASKED and not self.is_asked):
            return {"label": "未核验", "tone": "neutral"}
        state = V(self.row.state)
        return {"label": f"{state.label}…" if self.is_asked else str(state.label), "tone": TONES[state]}

    @property
    def verb(self) -> str:
        """What the button says; empty: there is none."""
        if not self.may_ask or self.line.state != MaterialState.MISSING or self.is_asked:
            return ""
        return "再次核验" if self.row else "核验"

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The answer, as ``components/facts.html`` takes it; only where it stands for the material."""
        return facts_of(self.row) if self.row is not None and self.row.state == V.MATCHED else []


def facts_of(row: Verification) -> list[dict[str, Any]]:
    """The kept answer, fact by fact."""
    said = row.answer
    facts = [
        {"label": "证照", "value": said.get("kind", "")},
        {"label": "证照编号", "value": said.get("number", "")},
        {"label": "持有人", "value": " ".join(filter(None, [said.get("holder_name"), said.get("holder_code")]))},
        {"label": "有效期", "value": validity(said)},
        {"label": "颁发机关", "value": said.get("issuer", "")},
    ]
    return [fact for fact in facts if fact["value"]]


def validity(said: dict[str, Any]) -> str:
    """The validity of an answer in words; empty where it says none."""
    if not said.get("valid_from"):
        return ""
    begins = chinese_date(dt.date.fromisoformat(said["valid_from"]))
    ends = chinese_date(dt.date.fromisoformat(said["valid_to"])) if said.get("valid_to") else ""
    return f"{begins}至{ends}" if ends else f"{begins}起，长期"


def _catch_up(lines: Sequence[CaseMaterial], newest: Mapping[int, Verification]) -> None:
    """Read a line again whose answer came after it was read: panel and checklist say the same."""
    answered = {pk for pk, row in newest.items() if row.state == V.MATCHED}
    behind = [line for line in lines if line.state == MaterialState.MISSING and line.pk in answered]
    if behind:
        states = dict(CaseMaterial.objects.filter(pk__in=[line.pk for line in behind]).values_list("pk", "state"))
        for line in behind:
            line.state = states[line.pk]


def panel(case: Case, lines: Sequence[CaseMaterial]) -> dict[str, Any] | None:
    """What the panel shows; None without a material that data may answer for. At most three statements.

    A line whose answer came while the page was read is brought up to date in ``lines``.
    """
    found = [line for line in lines if verifying.is_verifiable(line)]
    if not found:
        return None
    open_now = case.status in verifying.BEFORE_ACCEPTANCE
    missing = open_now and any(line.state == MaterialState.MISSING for line in found)
    why = ""
    if missing and not elicence.is_on():
        why = OFF
    elif missing and not verifying.chose_verification(case):
        why = NOT_CHOSEN
    newest = verifying.newest_of(found)
    _catch_up(found, newest)
    rows = [Row(line, newest.get(line.pk), missing and not why) for line in found]
    if not open_now:
        rows = [row for row in rows if row.row is not None]
    return {"rows": rows, "why": why, "is_asked": any(row.is_asked for row in rows)} if rows else None
