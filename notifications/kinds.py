"""The table of message kinds: upper apps register theirs, with who listens to what became of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifications.models import Message


class Handler:
    """What an upper app does when the fate of its messages is known.

    Called inside the transaction that records the outcome, with messages of one kind, each at most once for each
    fate. What it raises undoes the recording of that batch, which is then found, asked about and recorded again.
    """

    def on_accepted(self, messages: Sequence[Message], now: datetime) -> None:
        """The gateway has them (``message.sent_at`` says since when)."""

    def on_failed(self, messages: Sequence[Message], now: datetime) -> None:
        """They will not reach the person; a message that was accepted before can still end here (late receipt)."""

    def on_unresolved(self, messages: Sequence[Message], now: datetime) -> None:
        """The gateway never said what became of them: they count as sent at the attempt (``message.sent_at``)."""
        self.on_accepted(messages, now)


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One kind: its code, its name, the template registered with the gateway, and its listener."""

    code: str
    label: str
    template_id: str
    ignores_quiet_hours: bool = False
    handler: Handler = field(default_factory=Handler, compare=False)


class UnknownKind(LookupError):  # noqa: N818 - reads as what happened
    """A message of a kind that nobody registered."""


REGISTRY: dict[str, MessageKind] = {}
_USED: set[str] = set()


def register(kind: MessageKind) -> None:
    """Enter ``kind`` in the table (from an app's ``ready``). Raises ``ValueError`` if the code means something else."""
    known = REGISTRY.setdefault(kind.code, kind)
    if known != kind:
        raise ValueError(f"message kind {kind.code!r} is registered twice, with different content")


def uses(*codes: str) -> None:
    """Declare that the calling module queues messages of these kinds; a system check holds it to that."""
    _USED.update(str(code) for code in codes)


def get(code: str) -> MessageKind:
    """Return the kind. Raises ``UnknownKind``."""
    try:
        return REGISTRY[str(code)]
    except KeyError:
        raise UnknownKind(f"message kind {code!r} is not registered; registered: {sorted(REGISTRY)}") from None


def unregistered() -> list[str]:
    """Codes that some module uses and nobody registered."""
    return sorted(_USED - REGISTRY.keys())


def codes() -> list[str]:
    """Codes of all registered kinds."""
    return list(REGISTRY)


def at_any_hour() -> list[str]:
    """Codes of the kinds that quiet hours do not hold back."""
    return [code for code, kind in REGISTRY.items() if kind.ignores_quiet_hours]


def _by_kind(messages: Iterable[Message]) -> dict[str, list[Message]]:
    groups: dict[str, list[Message]] = {}
    for message in messages:
        groups.setdefault(message.kind, []).append(message)
    return groups


def tell_accepted(messages: Iterable[Message], now: datetime) -> None:
    """Tell each kind's handler which of its messages the gateway has."""
    for code, group in _by_kind(messages).items():
        get(code).handler.on_accepted(group, now)


def tell_failed(messages: Iterable[Message], now: datetime) -> None:
    """Tell each kind's handler which of its messages will not arrive."""
    for code, group in _by_kind(messages).items():
        get(code).handler.on_failed(group, now)


def tell_unresolved(messages: Iterable[Message], now: datetime) -> None:
    """Tell each kind's handler about which of its messages nobody will ever know."""
    for code, group in _by_kind(messages).items():
        get(code).handler.on_unresolved(group, now)
