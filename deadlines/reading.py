"""Reading moments that people and programs write."""

from datetime import date, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from deadlines.alarms import local

# Years outside are slips of the pen; inside, no period that may be asked for runs over the end of time.
YEARS = range(1900, 2200)


def event_day(text: str) -> date | None:
    """The local day of ``2026-09-28T15:00`` or ``2026-09-28``; a moment without a zone is local; None if unreadable."""
    try:
        moment = parse_datetime(text) if "T" in text or " " in text else None
        if moment is None:
            day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, not a moment
        else:
            day = moment.date() if timezone.is_naive(moment) else local(moment).date()
    except (ValueError, OverflowError):
        return None
    return day if day.year in YEARS else None
