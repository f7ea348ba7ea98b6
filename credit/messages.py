"""What people hear of breaches, records and repairs: the subject's contact, the credit officers of a department."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from notifications import kinds
from notifications.outbox import Draft
from offices.models import User


class Kind(StrEnum):
    """Message kinds of the credit side."""

    SUBJECT = "credit_subject"
    STAFF = "credit_staff"
    REMINDER = "credit_reminder"


LABELS = {Kind.SUBJECT: "信用告知", Kind.STAFF: "信用事项提醒", Kind.REMINDER: "信用时限提醒"}


def to_subject(stream: str, phone: str, text: str, occasion: str) -> list[Draft]:
    """The SMS to the contact of a subject, once an ``occasion``; nothing where no phone is known."""
    if not phone:
        return []
    key = f"{Kind.SUBJECT}:{occasion}"
    return [Draft(kind=Kind.SUBJECT.value, text=text, dedupe_key=key, reference=stream, phone=phone)]


def to_staff(stream: str, people: Iterable[User], text: str, occasion: str) -> list[Draft]:
    """One SMS to each of ``people``, once an ``occasion``."""
    return [
        Draft(
            kind=Kind.STAFF.value,
            text=text,
            dedupe_key=f"{Kind.STAFF}:{occasion}:{person.pk}",
            reference=stream,
            to_user=person,
        )
        for person in dict.fromkeys(people)
    ]


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    for kind, label in LABELS.items():
        kinds.register(kinds.MessageKind(kind.value, label, f"SMS_{kind.name}"))
    kinds.uses(*Kind)
