"""What one act writes at its end: its ledger entries and its messages, each in one go, whoever added them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from ledger.record import Draft, record_many
from notifications.outbox import Draft as Message
from notifications.outbox import queue


@dataclass(slots=True)
class Writing:
    """Collected during a transaction, written before it ends; entries of one stream keep their order."""

    entries: list[Draft] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def write(self, now: dt.datetime) -> None:
        """Three statements at most: the heads of the streams, the entries, the messages."""
        record_many(self.entries, at=now)
        queue(self.messages, now)
