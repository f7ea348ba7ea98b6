"""Envelopes for Celery. A message only wakes the sweep: what rings is found in the database."""

import logging

from celery import shared_task

from deadlines import clock
from deadlines import sweep as sweeping

logger = logging.getLogger(__name__)


@shared_task
def sweep() -> None:
    """Ring every alarm that is due; safe to run twice, and by two workers at once."""
    report = sweeping.sweep(clock.now())
    if report.fired or report.failed:
        logger.info("sweep: %s", report)
