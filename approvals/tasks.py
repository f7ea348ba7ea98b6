"""Envelopes for Celery."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task

from approvals import deeming, uploads
from approvals.actions.clocks import hand_over_left
from approvals.models import Upload
from deadlines import clock

logger = logging.getLogger(__name__)

# A form that nobody sent for a week will not be sent; its files belong to nobody.
ABANDONED = dt.timedelta(days=7)


@shared_task
def discard_abandoned() -> None:
    """Take back the files of forms that were never submitted; safe to run twice and at once with others."""
    left = Upload.objects.filter(case_material__isnull=True, uploaded_at__lt=clock.now() - ABANDONED)
    for pk, intake_key in left.values_list("pk", "intake_key").iterator():
        uploads.discard(pk, intake_key=intake_key)


@shared_task
def deem_lapsed() -> None:
    """Record what the law accepted because nobody answered; safe to run twice and at once with others."""
    report = deeming.sweep(clock.now())
    if report.deemed or report.failed:
        logger.info("deeming: %s", report)


@shared_task
def hand_over_cases() -> None:
    """Draw other reviewers for the cases of those who left; safe to run twice and at once with others."""
    moved, stuck = hand_over_left(clock.now())
    if moved or stuck:
        logger.info("handed over: %d, without anybody: %d", moved, stuck)
