"""Envelopes for Celery."""

from __future__ import annotations

import logging

from celery import shared_task

from deadlines import clock
from supervision import photos
from supervision.actions import stocking

logger = logging.getLogger(__name__)


@shared_task
def discard_photos() -> None:
    """Take away photos of inspections that were never sent; safe to run twice and at once with others."""
    if taken := photos.sweep(clock.now()):
        logger.info("photos: %d never sent were taken away", taken)


@shared_task
def load_stock() -> None:
    """Load what was uploaded of old stock, chunk by chunk; safe to run twice, at once with others and after a kill."""
    if loaded := stocking.load_waiting(clock.now()):
        logger.info("old stock: %d batches loaded", loaded)
