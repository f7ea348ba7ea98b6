"""Envelopes for Celery."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from approvals import uploads
from approvals.models import Upload
from deadlines import clock

# A form that nobody sent for a week will not be sent; its files belong to nobody.
ABANDONED = dt.timedelta(days=7)


@shared_task
def discard_abandoned() -> None:
    """Take back the files of forms that were never submitted; safe to run twice and at once with others."""
    left = Upload.objects.filter(case_material__isnull=True, uploaded_at__lt=clock.now() - ABANDONED)
    for pk, intake_key in left.values_list("pk", "intake_key").iterator():
        uploads.discard(pk, intake_key=intake_key)
