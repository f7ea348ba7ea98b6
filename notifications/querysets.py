"""Adjectives for messages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from notifications.enums import MOVES, OPEN, State

if TYPE_CHECKING:
    from notifications.models import Message  # noqa: F401 - the base class names it in quotes


class MessageQuerySet(models.QuerySet["Message"]):
    """Adjectives for messages."""

    def open(self) -> MessageQuerySet:
        """Messages that still have to be sent or asked about, each SMS once (what it carries goes with it)."""
        return self.filter(state__in=OPEN, carried_by__isnull=True)

    def due(
        self, now: datetime, *, kinds: Collection[str], quiet: bool, at_any_hour: Collection[str]
    ) -> MessageQuerySet:
        """Open messages of these ``kinds`` whose moment has come.

        A kind that this process does not know (a newer release queued it) is left to a worker that does. In quiet hours
        (``quiet``) only kinds ``at_any_hour`` are sent; questions to the gateway wake nobody and go on.
        """
        found = self.open().filter(next_attempt_at__lte=now, kind__in=kinds)
        if quiet:
            found = found.filter(Q(kind__in=at_any_hour) | ~Q(state=State.QUEUED))
        return found

    def unsent(self) -> MessageQuerySet:
        """Queued messages that no worker ever touched: they may still be cancelled, or join a bundle."""
        return self.filter(state=State.QUEUED, attempts=0, carried_by__isnull=True)

    def leased_past(self, moment: datetime) -> MessageQuerySet:
        """Messages held under a lease that runs beyond ``moment``."""
        return self.open().filter(lease_until__gt=moment)

    def transition(self, to: State, **changes: Any) -> int:
        """Move every message of this set for which the table allows it to ``to``; return how many moved."""
        sources = [state for state, targets in MOVES.items() if to in targets]
        return self.filter(state__in=sources).update(state=to, **changes)
