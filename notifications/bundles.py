"""Several reminders to one person on one day become one SMS; each keeps its own message row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifications.models import Message

# Registered with the gateway for an SMS that carries several reminders, whatever their kinds.
BUNDLE_TEMPLATE_ID = "BUNDLE"
# Gateways cut or refuse longer texts; what does not fit goes into a second SMS.
MAX_CHARACTERS = 450
_END = "。；;.！! "


def text_of(texts: Sequence[str]) -> str:
    """Return the text of an SMS that says all of ``texts``; a single one stays as it is."""
    if len(texts) == 1:
        return texts[0]
    lines = (f"{number}.{text.rstrip(_END)}" for number, text in enumerate(texts, start=1))
    return f"您有{len(texts)}条提醒：" + "；".join(lines) + "。"


def pack(messages: Iterable[Message]) -> list[list[Message]]:
    """Group messages by person and bundle key, oldest first, into lists that each fit one SMS."""
    packed: list[list[Message]] = []
    ordered = sorted(messages, key=lambda message: (message.bundle_key, message.phone_hash, message.pk))
    for _, group in groupby(ordered, key=lambda message: (message.bundle_key, message.phone_hash)):
        bundle: list[Message] = []
        for message in group:
            if bundle and len(text_of([one.text for one in (*bundle, message)])) > MAX_CHARACTERS:
                packed.append(bundle)
                bundle = []
            bundle.append(message)
        packed.append(bundle)
    return packed
