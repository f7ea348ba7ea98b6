"""Finding the cases that the law accepted because nobody answered in time (行政许可法 art. 32(4)), and recording it.

A case whose recording fails stays on the boards as overdue meanwhile.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from approvals import sweeping
from approvals.actions.intake import deem_accepted
from approvals.enums import CaseStatus
from catalogue.enums import ItemKind
from deadlines.kinds import KindCode

NAME = "deeming"
WAITING = Q(notice_case__status=CaseStatus.SUBMITTED)
# A filing is none of art. 32's.
FILING = Q(notice_case__business_item__item__kind=ItemKind.FILING)


def sweep(now: dt.datetime, batch: int = 100) -> sweeping.Report:
    """Record every case that counts as accepted at ``now``."""
    cases = sweeping.overdue_cases(KindCode.CORRECTION_NOTICE, "notice_case", now, batch, only=WAITING, never=FILING)
    return sweeping.run(NAME, cases, lambda case: deem_accepted(case, by=None, now=now))
