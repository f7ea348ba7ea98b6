"""Whether the outbox moves: for ``outbox_status`` and the health page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from deadlines import calendar as working_calendar
from deadlines import clock
from notifications import claims, kinds, schedule
from notifications.claims import LEASE
from notifications.enums import State
from notifications.models import Message

# A worker that lives takes a due message within seconds; an hour means that none does.
LONG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the outbox stands: due SMS, since when; ``problems`` and ``notes`` are Chinese sentences."""

    due: int
    oldest_due: datetime | None
    problems: list[str]
    notes: list[str]


def standing(now: datetime | None = None) -> Standing:
    """Return how the outbox stands at ``now`` (default: the present moment)."""
    now = now or clock.now()
    calendar = working_calendar.recent()
    waiting = claims.due(now, quiet=schedule.is_quiet(now, calendar)).order_by()
    due = waiting.aggregate(number=Count("pk"), oldest=Min("next_attempt_at"))
    oldest: datetime | None = due["oldest"]
    problems: list[str] = []
    stuck = Message.objects.open().filter(lease_until__lt=now - 2 * LEASE).count()
    if stuck:
        problems.append(f"{stuck} 条短信被工作进程占用后久未记录结果，请检查 outbox 队列的工作进程。")
    # Since the line was last open at the earliest: what waited through the night is not late at 08:00.
    if oldest and not schedule.is_quiet(now - LONG, calendar) and oldest < now - LONG:
        since = timezone.localtime(oldest)
        problems.append(f"{due['number']} 条短信到时未发，最早应于 {since:%Y-%m-%d %H:%M}，请检查工作进程与网关。")
    strangers = Message.objects.open().exclude(kind__in=kinds.codes())
    names = sorted(set(strangers.values_list("kind", flat=True)))
    if names:
        problems.append(f"有未登记种类的短信等待发送：{'、'.join(names)}。")
    unresolved = Message.objects.filter(state=State.UNKNOWN, next_attempt_at__isnull=True, carried_by__isnull=True)
    number = unresolved.count()
    notes = [f"{number} 条短信的结果始终未查明，按发送时间计，请与网关核对。"] if number else []
    return Standing(due["number"], timezone.localtime(oldest) if oldest else None, problems, notes)
