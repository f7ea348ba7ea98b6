"""Envelopes for Celery: the heartbeat, that beat sends, a worker writes down and /healthz reads; the calendar watch;
the previews of changes of the table of handling.
"""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

HEARTBEAT = "heartbeat"
# How long a worker stays with the previews before it lets other messages in.
SLICE = 2.0
# Three missed beats of five seconds, and some patience for a busy worker.
FRESH_SECONDS = 30


@shared_task
def heartbeat() -> None:
    """Write that beat and worker are alive; real time, not the training clock's."""
    cache.set(HEARTBEAT, timezone.now().timestamp(), timeout=FRESH_SECONDS)


@shared_task
def watch_calendar() -> None:
    """Tell the city's overseers of a year that nobody has published; once a week or day, however often it runs."""
    # The health view reads this module while the logging is set up, before there are models.
    from deadlines import clock  # noqa: PLC0415
    from oversight.actions import calendar_watch  # noqa: PLC0415

    calendar_watch.watch(clock.now())


@shared_task
def run_previews() -> None:
    """Count for a few seconds who would move by a change of the table of handling, and come back while there is more.

    Safe to run twice and at once.
    """
    from oversight import previews  # noqa: PLC0415 - as above

    if previews.run(SLICE):
        previews.wake()
