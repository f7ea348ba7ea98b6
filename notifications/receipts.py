"""Delivery receipts: told again and again until thanked, in any order, sometimes before our own record."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from notifications.enums import ReceiptStatus, State
from notifications.models import Message, Receipt
from notifications.recording import Fates
from notifications.transports.base import without_numbers


@dataclass(frozen=True, slots=True)
class Note:
    """One receipt as it came in."""

    client_id: uuid.UUID
    status: ReceiptStatus
    at: datetime
    detail: str = ""


@dataclass(slots=True)
class Taken:
    """What was done with a list of receipts."""

    applied: int = 0
    repeated: int = 0
    unmatched: int = 0


_FIELDS = ("state", "accepted_at", "gateway_id", "delivered_at", "next_attempt_at", "lease_until", "error")


@transaction.atomic
def take(notes: Sequence[Note], now: datetime) -> Taken:
    """Store ``notes``, move their messages and tell the kinds' handlers; repeating a note changes nothing."""
    wanted = [note.client_id for note in notes]
    heads = {
        message.client_id: message
        for message in Message.objects.filter(client_id__in=wanted).order_by("pk").select_for_update().defer("phone")
    }
    ids = [head.pk for head in heads.values()]
    families = {head.pk: [head] for head in heads.values()}
    for message in Message.objects.filter(carried_by__in=ids).order_by("pk").select_for_update().defer("phone"):
        families[message.carried_by_id or 0].append(message)
    known = set(Receipt.objects.filter(Q(message__in=ids)).values_list("message_id", "status"))

    taken, fates = Taken(), Fates()
    fresh: list[Receipt] = []
    changed: dict[int, Message] = {}
    for note in notes:
        head = heads.get(note.client_id)
        if head is None:
            taken.unmatched += 1
        elif (head.pk, str(note.status)) in known:
            taken.repeated += 1
        else:
            taken.applied += 1
            known.add((head.pk, str(note.status)))
            fresh.append(
                Receipt(
                    message=head,
                    status=note.status,
                    at=note.at,
                    received_at=now,
                    detail=without_numbers(note.detail),
                )
            )
            changed.update((message.pk, message) for message in families[head.pk] if _apply(message, note, now, fates))
    Receipt.objects.bulk_create(fresh)
    if changed:
        Message.objects.bulk_update(list(changed.values()), _FIELDS)
    fates.tell(now)
    return taken


def _apply(message: Message, note: Note, now: datetime, fates: Fates) -> bool:
    """Move ``message``; a message that has come to its end stays there. Returns whether it moved."""
    if not (message.is_open or message.state == State.ACCEPTED):
        return False
    if note.status == ReceiptStatus.FAILED:
        message.fail(without_numbers(note.detail) or "网关回执：未送达")
        fates.failed.append(message)
        return True
    if message.accepted_at is None:
        fates.accepted.append(message)
    message.deliver(note.at, accepted_at=message.attempted_at or now)
    return True
