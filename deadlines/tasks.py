"""Envelopes for Celery. A message only wakes: what rings, and which year waits, is found in the database."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache
from django.db import connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from deadlines import clock, jobs
from deadlines import sweep as sweeping
from deadlines.recompute import refresh

logger = logging.getLogger(__name__)

# How long a worker stays with the calendar before it lets other messages in, and how long its mark outlives it.
SLICE = 2.0
MARK, MARK_SECONDS = "calendar:working", 3
# Connections that ring side by side after an outage or on a morning when thousands are due.
HANDS = 2


@shared_task
def sweep() -> None:
    """Ring every alarm that is due; safe to run twice, and by two workers at once."""
    report = sweeping.sweep(clock.now(), hands=HANDS)
    if report.fired or report.failed:
        logger.info("sweep: %s", report)


@shared_task
def run_calendar_jobs() -> None:
    """Preview and apply years for a few seconds, and come back while there is more; safe to run twice and at once."""
    if not _alone():
        return
    try:
        more = jobs.run(SLICE)
    finally:
        _leave()
    if more:
        wake()


@shared_task
def refresh_outdated() -> None:
    """Bring up every open clock that rests on an older version of a year; normally there is none."""
    moved = refresh(clock.now())
    if moved:
        logger.warning("calendar: %d clocks rested on an older version and moved", moved)


def wake() -> None:
    """Send the worker to the drafts. A lost broker is logged and no more: the beat looks every few seconds."""
    try:
        run_calendar_jobs.apply_async(retry=False)
    except (KombuError, RedisError, OSError) as error:
        logger.warning("calendar: no wake-up sent (%s); the beat will find what is due", type(error).__name__)


def _alone() -> bool:
    """Whether no other worker is at the drafts: a courtesy that spares a process where a draft's row cannot be locked.

    Nothing is done twice without it: there the database has one writer at a time.
    """
    if connection.features.has_select_for_update_skip_locked:
        return True
    try:
        return cache.add(MARK, 1, MARK_SECONDS)
    except RedisError as error:
        logger.warning("calendar: cache lost (%s)", type(error).__name__)
        return True


def _leave() -> None:
    try:
        cache.delete(MARK)
    except RedisError as error:
        logger.warning("calendar: cache lost (%s)", type(error).__name__)
