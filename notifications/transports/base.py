"""What a transport is: three words (``is_noop``, ``send``, ``ask``) and two ways of failing."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

_LONG_NUMBER = re.compile(r"\d{7,}")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One SMS on its way out; plain data, so that threads may carry it."""

    client_id: uuid.UUID
    phone: str
    text: str
    template_id: str
    at: datetime
    to_user_id: int | None = None
    phone_hash: str = ""
    name_hint: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway took the message, under its own number."""

    gateway_id: str


class Fate(StrEnum):
    """What the gateway knows of a message."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway's answer to :meth:`Transport.ask`."""

    fate: Fate
    gateway_id: str = ""
    detail: str = ""


class TransportError(Exception):
    """The message was surely not taken.

    ``permanent``: sending the same again is of no use. ``stop``: the fault is not this message's (throttled, gateway
    down, token refused), so the rest of the batch waits too; for ``wait`` if the gateway said how long.
    """

    def __init__(
        self, detail: str, *, permanent: bool = False, stop: bool = False, wait: timedelta | None = None
    ) -> None:
        super().__init__(without_numbers(detail))
        self.permanent = permanent
        self.stop = stop
        self.wait = wait


class TransportUnknown(Exception):  # noqa: N818 - not an error of ours: nobody knows
    """No answer came back: the message may or may not have been taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(without_numbers(detail))


class Transport(Protocol):
    """A way out. ``concurrency``: how many threads may use it at once (1: the calling thread itself)."""

    name: str
    concurrency: int

    @property
    def is_noop(self) -> bool:
        """Whether there is nothing at the other end; messages then stay in the outbox."""

    def send(self, message: Outgoing) -> Accepted:
        """Hand over ``message``. Raises ``TransportError`` (not taken) or ``TransportUnknown`` (nobody knows)."""

    def ask(self, client_id: uuid.UUID) -> Answer:
        """Ask what became of a message. Raises ``TransportError`` or ``TransportUnknown`` if no answer can be had."""


def without_numbers(text: str) -> str:
    """Blot out long numbers (phones) in what a gateway says, before it is stored or logged; at most 200 characters."""
    return _LONG_NUMBER.sub("…", text)[:200]
