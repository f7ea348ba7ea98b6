"""The heartbeat: beat sends it, a worker writes it down, /healthz reads it."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

HEARTBEAT = "heartbeat"
# Three missed beats of five seconds, and some patience for a busy worker.
FRESH_SECONDS = 30


@shared_task
def heartbeat() -> None:
    """Write that beat and worker are alive; real time, not the training clock's."""
    cache.set(HEARTBEAT, timezone.now().timestamp(), timeout=FRESH_SECONDS)
