"""The demo phone: messages land in a table that a page shows as a phone would. Exists only with ``DEMO_PHONE``."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.models import PhoneMessage
from notifications.transports.base import Accepted, Answer, Fate, Outgoing


class DemoPhone:
    """Delivers into :class:`PhoneMessage`; sending the same ``client_id`` again changes nothing."""

    name = "demo_phone"
    concurrency = 1  # it writes to the database, over the worker's own connection

    def __init__(self) -> None:
        if not settings.DEMO_PHONE:
            raise ImproperlyConfigured("SMS_TRANSPORT is demo_phone, but DEMO_PHONE is off")

    @property
    def is_noop(self) -> bool:
        """Never: the table is always there."""
        return False

    def send(self, message: Outgoing) -> Accepted:
        """Put the message on the phone."""
        row, _ = PhoneMessage.objects.get_or_create(
            client_id=message.client_id,
            defaults={
                "to_user_id": message.to_user_id,
                "phone": message.phone,
                "phone_hash": message.phone_hash,
                "name_hint": message.name_hint,
                "text": message.text,
                "arrived_at": message.at,
            },
        )
        return Accepted(f"demo-{row.pk}")

    def ask(self, client_id: uuid.UUID) -> Answer:
        """Look whether the phone has it."""
        pk = PhoneMessage.objects.filter(client_id=client_id).values_list("pk", flat=True).first()
        return Answer(Fate.ABSENT) if pk is None else Answer(Fate.DELIVERED, f"demo-{pk}")
