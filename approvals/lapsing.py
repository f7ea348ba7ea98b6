"""Finding the cases whose applicant let the one notice go unanswered past its day, and ending them on paper (O2a)."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from approvals import sweeping
from approvals.actions.ending import lapse_case
from approvals.enums import CaseStatus
from deadlines.kinds import KindCode

NAME = "lapsing"
WAITING = Q(answer_case__status=CaseStatus.CORRECTION_REQUESTED)


def sweep(now: dt.datetime, batch: int = 100) -> sweeping.Report:
    """End every case that nobody answered by ``now``."""
    cases = sweeping.overdue_cases(KindCode.CORRECTION_ANSWER, "answer_case", now, batch, only=WAITING)
    return sweeping.run(NAME, cases, lambda case: lapse_case(case, now=now))
