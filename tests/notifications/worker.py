"""A worker of its own, to be killed: ``python -m tests.notifications.worker <moment> [<moment> …]``.

Delivers at each moment until nothing more is due, with the kinds that the tests use; what the handler hears goes into
the ledger, so it can be counted from outside.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime

import django


def main() -> None:
    """Deliver at each given moment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

    from ledger.record import record
    from notifications.deliver import deliver
    from notifications.kinds import Handler, MessageKind, register
    from notifications.models import Message

    class Ledger(Handler):
        """Writes down what it hears."""

        def on_accepted(self, messages: Sequence[Message], now: datetime) -> None:
            """One entry a message."""
            for message in messages:
                record(f"message:{message.pk}", "accepted", at=now)

    register(MessageKind("task", "监管任务", "T01", handler=Ledger()))
    register(MessageKind("reminder", "提醒", "T02", handler=Ledger()))
    for moment in sys.argv[1:]:
        while deliver(datetime.fromisoformat(moment)).more:
            pass


if __name__ == "__main__":
    main()
