"""When a message may go out, and when to try again. Pure: no database, no clock.

Quiet hours (domain.md, Messages): 22:00 to 08:00 and all of a non-working day, for anything that is not a login code.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple, Protocol

from django.utils import timezone

from deadlines.arithmetic import MissingYear

OPENS = time(8)
CLOSES = time(22)
# Reminders of one morning are queued within moments of each other; they wait this long for their companions.
GATHER = timedelta(seconds=10)
# A sending that timed out may still be on its way through the gateway: give it this long before asking.
ASK_AFTER = timedelta(seconds=60)
# 30 s, 1 min, 2 min … 2 h; with MAX_ATTEMPTS the last one comes about 24 hours after the first.
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=2)
MAX_ATTEMPTS = 20
JITTER = 0.2


class WorkingDays(Protocol):
    """What this module needs of ``deadlines.arithmetic.Calendar``."""

    def is_working(self, day: date) -> bool:
        """Whether ``day`` is a working day; raises ``MissingYear`` if its year has no calendar."""

    def is_provisional(self, first: date, last: date) -> bool:
        """Whether a year between the two days is not published."""


class Opening(NamedTuple):
    """A moment at which a message may go; ``assumed`` when it rests on a year that nobody has published yet."""

    at: datetime
    assumed: bool


def _is_working(day: date, calendar: WorkingDays) -> bool:
    """A message never fails for want of a calendar: a year that is not held goes by the weekday."""
    try:
        return calendar.is_working(day)
    except MissingYear:
        return day.isoweekday() <= 5


def sendable_at(moment: datetime, calendar: WorkingDays) -> Opening:
    """Return ``moment`` itself, or the next opening (08:00 of a working day) if it falls into quiet hours.

    ``moment`` is aware; hours are those of the portal's own zone. At 08:00:00 the line is open, at 22:00:00 closed.
    """
    zone = timezone.get_default_timezone()
    local = timezone.localtime(moment, zone)
    first = day = local.date()
    at = moment
    if not _is_working(day, calendar) or not OPENS <= local.time() < CLOSES:
        if local.time() >= OPENS:
            day += timedelta(days=1)
        while not _is_working(day, calendar):
            day += timedelta(days=1)
        at = datetime.combine(day, OPENS, tzinfo=zone)
    return Opening(at, calendar.is_provisional(first, day))


def is_quiet(moment: datetime, calendar: WorkingDays) -> bool:
    """Whether ``moment`` lies in quiet hours."""
    return sendable_at(moment, calendar).at != moment


def retry_delay(failures: int, spread: float) -> timedelta:
    """Return how long to wait after the ``failures``-th failure (1, 2, …), shifted by ``spread`` (-1 to 1) × 20 %.

    The shift keeps a thousand messages that failed together from coming back together.
    """
    delay: timedelta = min(FIRST_DELAY * 2 ** min(failures - 1, 16), LONGEST_DELAY)
    return delay + delay * (JITTER * spread)
