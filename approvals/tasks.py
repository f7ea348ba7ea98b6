"""Envelopes for Celery."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task

from approvals import covering, deeming, lapsing, owed, uploads, verifying
from approvals.actions.clocks import hand_over_left
from approvals.actions.countersigning import tell_left
from approvals.actions.covering import draw_waiting
from approvals.actions.drawing import hand_over_away
from approvals.models import Upload
from deadlines import clock
from ledger import draws

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
    if report.is_news:
        logger.info("deeming: %s", report)


@shared_task
def lapse_unanswered() -> None:
    """End what nobody corrected in time, as the notice said; safe to run twice and at once with others."""
    report = lapsing.sweep(clock.now())
    if report.is_news:
        logger.info("lapsing: %s", report)


@shared_task
def verify_materials() -> None:
    """Ask the electronic-licence service what is due; safe to run twice and at once with others."""
    if asked := verifying.ask_due(clock.now()):
        logger.info("verification: %d asked", asked)


@shared_task
def hand_over_cases() -> None:
    """Draw others for the cases of those who left or are on leave; safe to run twice and at once with others."""
    for sweep in (hand_over_left, hand_over_away):
        moved, stuck = sweep(clock.now())
        if moved or stuck:
            logger.info("%s: %d handed over, %d without anybody", sweep.__name__, moved, stuck)
    if unanswered := tell_left(clock.now()):
        logger.info("countersignatures: %d without anybody to answer", unanswered)


@shared_task
def keep_draw_periods() -> None:
    """Publish the commitments of this month's and the next month's draws, reveal the seeds of months that are over.

    Here and not in ``ledger``, because months end by the portal's clock. Safe to run twice and at once with others.
    """
    for period in draws.keep_periods(clock.now()):
        logger.info("draws: seed of %s revealed after %d draws", period.name, period.drawn)


@shared_task
def find_overdue_owed() -> None:
    """Note the promised days that passed with something still owed; safe to run twice and at once with others."""
    for report in owed.sweep(clock.now()):
        if report.is_news:
            logger.info("owed: %s", report)


@shared_task
def look_through() -> None:
    """Look for the applicant in files that came in; safe to run twice and at once with others."""
    if covering.look_through(clock.now()) == covering.BATCH:
        covering.wake()


@shared_task
def draw_covers() -> None:
    """Draw the covers that were too long for a request; safe to run twice and at once with others."""
    draw_waiting(clock.now())
