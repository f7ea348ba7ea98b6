"""Say how the outbox stands; exit 1 if something is stuck."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count

from notifications import health
from notifications.enums import State
from notifications.models import Message


class Command(BaseCommand):
    """``manage.py outbox_status``."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Print counts by state, the longest waiting, and what is stuck."""
        counts = dict(Message.objects.order_by().values_list("state").annotate(Count("pk")))
        for state in State:
            self.stdout.write(f"{state.label}\t{state}\t{counts.get(state, 0)}")
        standing = health.standing()
        oldest = standing.oldest_due
        self.stdout.write(
            f"到时未发的短信：{standing.due} 条" + (f"，最早应于 {oldest:%Y-%m-%d %H:%M}" if oldest else "")
        )
        for note in standing.notes:
            self.stdout.write(note)
        for problem in standing.problems:
            self.stderr.write(f"异常：{problem}")
        if standing.problems:
            sys.exit(1)
