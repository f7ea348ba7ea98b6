"""Envelopes for Celery."""

from __future__ import annotations

import logging

from celery import shared_task

from credit import pushing
from deadlines import clock

logger = logging.getLogger(__name__)


@shared_task
def push() -> None:
    """Push one batch to the credit platform, and come back at once if more is due; safe to run twice at once."""
    report = pushing.push_due(clock.now())
    if report.verdicts:
        logger.info("credit: %s", dict(report.verdicts))
    if report.more:
        pushing.wake()
