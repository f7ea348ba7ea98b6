"""What heads and managers hear of a record that is to be set aside."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from notifications import kinds
from notifications.outbox import Draft
from offices.models import User
from supervision.messages import reference_of
from supervision.models import SetAside, SupervisionTask


class CorrectionKind(StrEnum):
    """Message kinds of records that are set aside."""

    ASKED = "record_aside_asked"
    SETTLED = "record_aside_settled"


LABELS = {
    CorrectionKind.ASKED: "检查记录作废待批提醒",
    CorrectionKind.SETTLED: "检查记录作废批复提醒",
}


def to_people(
    task: SupervisionTask, asked: SetAside, kind: CorrectionKind, text: str, people: Iterable[User]
) -> list[Draft]:
    """One SMS to each of ``people``, once a request."""
    return [
        Draft(
            kind=kind.value,
            text=text,
            dedupe_key=f"{kind}:{asked.pk}:{person.pk}",
            reference=reference_of(task.pk),
            to_user=person,
        )
        for person in dict.fromkeys(people)
    ]


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    for kind, label in LABELS.items():
        kinds.register(kinds.MessageKind(kind.value, label, f"SMS_RECORD_ASIDE_{kind.name}"))
    kinds.uses(*CorrectionKind)
