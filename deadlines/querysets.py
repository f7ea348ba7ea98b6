"""Adjectives for clocks, and the bulk writes that keep to their states."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import connections, models
from django.db.models import F, Q

from deadlines.enums import OPEN, Light, State
from deadlines.errors import ChangedMeanwhile

if TYPE_CHECKING:
    from deadlines.models import Deadline

CHANGED_MEANWHILE = "这个期限刚刚被他人处理过，请刷新页面后再看。"


class DeadlineQuerySet(models.QuerySet["Deadline"]):
    """Clocks."""

    def open(self) -> DeadlineQuerySet:
        """Clocks that still run or are paused."""
        return self.filter(state__in=OPEN)

    def running(self) -> DeadlineQuerySet:
        """Clocks that run."""
        return self.filter(state=State.RUNNING)

    def overdue(self, on: date) -> DeadlineQuerySet:
        """Running clocks whose due date lies before ``on`` (a local date)."""
        return self.running().filter(due_on__lt=on)

    def lit(self, light: Light, on: date) -> DeadlineQuerySet:
        """Open clocks that show this light on the local date ``on``; as ``Deadline.light``, in SQL."""
        if light is Light.GREY:
            return self.filter(state=State.PAUSED)
        if light is Light.RED:
            return self.overdue(on)
        near = Q(yellow_on__lte=on)
        return self.running().filter(due_on__gte=on).filter(near if light is Light.YELLOW else ~near)

    def due_by(self, day: date) -> DeadlineQuerySet:
        """Running clocks due on ``day`` or before."""
        return self.running().filter(due_on__lte=day)

    def ringing(self, now: datetime) -> DeadlineQuerySet:
        """Running clocks whose next alarm has come, the longest waiting first (partial index ``deadline_ringing``)."""
        return (
            self.running().filter(next_alarm_at__isnull=False, next_alarm_at__lte=now).order_by("next_alarm_at", "pk")
        )

    def claimed(self) -> DeadlineQuerySet:
        """Lock the rows; those that another transaction holds are passed over where the database can (PostgreSQL).

        SQLite needs neither: its transactions are immediate, one writer at a time.
        """
        features = connections[self.db].features
        if not features.has_select_for_update:
            return self
        return self.select_for_update(skip_locked=features.has_select_for_update_skip_locked)

    def write_closed(self, closed: Sequence[Deadline], at: datetime) -> None:
        """Write clocks that a transition has just closed, if nobody changed them since they were read.

        One statement for each resulting state. Raises ``ChangedMeanwhile``.
        """
        for state in {d.state for d in closed}:
            by_revision: dict[int, list[int]] = {}
            for deadline in closed:
                if deadline.state == state:
                    by_revision.setdefault(deadline.revision - 1, []).append(deadline.pk)
            unchanged = Q()
            for revision, keys in by_revision.items():
                unchanged |= Q(revision=revision, pk__in=keys)
            written = (
                self.open()
                .filter(unchanged)
                .update(
                    state=state,
                    closed_at=at,
                    next_alarm_at=None,
                    next_alarm_stage=None,
                    alarm_error="",
                    revision=F("revision") + 1,
                )
            )
            if written != sum(map(len, by_revision.values())):
                raise ChangedMeanwhile(CHANGED_MEANWHILE)

    def write_changed(self, changed: Sequence[Deadline], fields: Sequence[str]) -> None:
        """Write ``fields`` of open clocks whose revision was just raised by one, one statement a clock.

        Raises ``ChangedMeanwhile`` when somebody changed one since it was read.
        """
        for clock in changed:
            values = {name: getattr(clock, name) for name in fields}
            if not self.open().filter(pk=clock.pk, revision=clock.revision - 1).update(**values):
                raise ChangedMeanwhile(CHANGED_MEANWHILE)
