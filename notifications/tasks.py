"""Envelopes for Celery, and the one wake-up message of the outbox."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from deadlines import clock
from notifications import deliver as delivery
from notifications.deliver import BATCH

log = logging.getLogger(__name__)

WAKE_KEY = "outbox:wake"
# A wake-up that got lost blocks the next one for no longer than this; the beat looks sooner.
WAKE_SECONDS = 30


@shared_task
def deliver() -> None:
    """Deliver one batch, and come back at once if more is due. Safe to run twice and at once with others."""
    # Taken down before looking: what is queued from here on sends a wake-up of its own.
    try:
        cache.delete_many([_key(0), _key(1)])
    except RedisError as error:
        log.warning("outbox: cache lost (%s)", type(error).__name__)
    if delivery.deliver(clock.now(), BATCH).more:
        wake()


def wake(delay: float = 0) -> None:
    """Send the worker one wake-up in ``delay`` seconds, unless one is on its way.

    A lost broker or cache is logged and no more: the messages are in the database, and the beat finds them.
    """
    try:
        if cache.add(_key(delay), 1, WAKE_SECONDS):
            deliver.apply_async(countdown=delay, retry=False)
    except (KombuError, RedisError, OSError) as error:
        log.warning("outbox: no wake-up sent (%s); the beat will find what is due", type(error).__name__)


def _key(delay: float) -> str:
    return f"{WAKE_KEY}:{'later' if delay else 'now'}"
