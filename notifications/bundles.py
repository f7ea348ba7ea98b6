"""Several reminders to one person on one day become one SMS; each keeps its own message row.

Up to three are said in full, the most pressing first. More become a digest: of how many cases and tasks the most
pressing day is past, today, near, and the most pressing reminder; the rest stands on the person's alarm board, which
counts the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from notifications.enums import Urgency

if TYPE_CHECKING:
    from notifications.models import Message

# Registered with the gateway for an SMS that carries several reminders, whatever their kinds.
BUNDLE_TEMPLATE_ID = "BUNDLE"
DIGEST_TEMPLATE_ID = "DIGEST"
# More than this nobody reads in an SMS.
LISTED = 3
# Gateways cut or refuse longer texts.
MAX_CHARACTERS = 450
_END = "。；;.！! "


def _pressing(message: Message) -> tuple[date, int]:
    return message.due_on or date.max, message.pk


def _listing(ordered: Sequence[Message]) -> str:
    lines = (f"{number}.{message.text.rstrip(_END)}" for number, message in enumerate(ordered, start=1))
    return f"您有{len(ordered)}条提醒：" + "；".join(lines) + "。"


def _digest(ordered: Sequence[Message]) -> str:
    first = {message.reference: message.urgency for message in reversed(ordered)}
    found = list(first.values())
    counts = [f"{urgency.label}{found.count(urgency)}件" for urgency in Urgency if urgency in found]
    head = f"您有{len(found)}件时限提醒：{'，'.join(counts)}。"
    whole = f"{head}最急：{ordered[0].text.rstrip(_END)}。其余请登录平台“小闹钟”查看。"
    return whole if len(whole) <= MAX_CHARACTERS else f"{head}请登录平台“小闹钟”查看。"


def compose(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the text of the SMS that says all of ``messages``, and its template id (empty: the single one's own).

    The same messages give the same text in whatever order they come.
    """
    if len(messages) == 1:
        return messages[0].text, ""
    ordered = sorted(messages, key=_pressing)
    listing = _listing(ordered) if len(ordered) <= LISTED else ""
    if listing and len(listing) <= MAX_CHARACTERS:
        return listing, BUNDLE_TEMPLATE_ID
    return _digest(ordered), DIGEST_TEMPLATE_ID


def pack(messages: Iterable[Message]) -> list[list[Message]]:
    """Group messages by person and bundle key, the oldest first: each group is one SMS."""
    ordered = sorted(messages, key=lambda message: (message.bundle_key, message.phone_hash, message.pk))
    return [list(group) for _, group in groupby(ordered, key=lambda message: (message.bundle_key, message.phone_hash))]
