"""What people hear of orders to mend and of the answer to a proposal: the subject's contact, managers, heads."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from notifications import kinds
from notifications.outbox import Draft
from offices.models import User
from supervision.messages import reference_of
from supervision.models import Rectification, SupervisionTask


class OrderKind(StrEnum):
    """Message kinds of rectification and revocation proposals."""

    SUBJECT_ORDER = "subject_order"
    ORDER_STAFF = "order_staff"
    ORDER_EXTENSION = "order_extension_asked"
    PROPOSAL_ANSWERED = "proposal_answered"


LABELS = {
    OrderKind.SUBJECT_ORDER: "责令整改通知",
    OrderKind.ORDER_STAFF: "责令整改提醒",
    OrderKind.ORDER_EXTENSION: "整改延期待批提醒",
    OrderKind.PROPOSAL_ANSWERED: "撤销建议答复提醒",
}


def to_subject(order: Rectification, text: str, occasion: str) -> list[Draft]:
    """The SMS to the contact of the subject's case, once an ``occasion``; old stock has no contact."""
    case = order.task.case
    if case is None or not case.contact_phone:
        return []
    return [
        Draft(
            kind=OrderKind.SUBJECT_ORDER.value,
            text=text,
            dedupe_key=f"{OrderKind.SUBJECT_ORDER}:{order.pk}:{occasion}",
            reference=reference_of(order.task_id),
            phone=case.contact_phone,
        )
    ]


def to_people(
    task: SupervisionTask, kind: OrderKind, text: str, occasion: str, people: Iterable[User]
) -> list[Draft]:  # fmt: skip
    """One SMS to each of ``people``, once an ``occasion`` of the task."""
    return [
        Draft(
            kind=kind.value,
            text=text,
            dedupe_key=f"{kind}:{task.pk}:{occasion}:{person.pk}",
            reference=reference_of(task.pk),
            to_user=person,
        )
        for person in dict.fromkeys(people)
    ]


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    for kind, label in LABELS.items():
        kinds.register(kinds.MessageKind(kind.value, label, f"SMS_{kind.name}"))
    kinds.uses(*OrderKind)
