"""Until when a record counts at all: said once for the gate, the pools, the pages and the joint measures."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from credit.models.records import AGAINST, CreditRecord

# 信用修复管理办法: no record is shown or used for more than three years from its finding, repaired or not.
LONGEST_USE_YEARS = 3


def since(today: dt.date) -> dt.datetime:
    """The first moment whose findings, where no end of display is known, may still be used on ``today``."""
    year = today.year - LONGEST_USE_YEARS
    try:
        day = today.replace(year=year)
    except ValueError:  # 29 February
        day = dt.date(year, 3, 1)
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def in_use(today: dt.date) -> Q:
    """Records that count on the local day ``today``: not lifted, and within their display; as ``gate`` says of one."""
    shown = Q(shown_until__gte=today) | Q(shown_until__isnull=True, found_at__gte=since(today))
    return Q(repaired_at__isnull=True, withdrawn_at__isnull=True) & (~Q(kind__in=AGAINST) | shown)


def run_out(today: dt.date) -> Q:
    """Records that count no more by the date alone: with ``in_use`` and the lifted ones that is every record."""
    over = Q(shown_until__lt=today) | Q(shown_until__isnull=True, found_at__lt=since(today))
    return Q(repaired_at__isnull=True, withdrawn_at__isnull=True, kind__in=AGAINST) & over


def has_run_out(record: CreditRecord, today: dt.date) -> bool:
    """Whether a record that is not lifted counts no more by the date alone; ``run_out`` of one."""
    if record.kind not in AGAINST:
        return False
    return record.shown_until < today if record.shown_until else record.found_at < since(today)
