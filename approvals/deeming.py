"""Finding the cases that the law accepted because nobody answered in time (行政许可法 art. 32(4)), and recording it.

One transaction a case. It runs at any hour: a period that ended has ended; an SMS keeps its quiet hours by itself. A
clerk who is faster, or a second sweep, finds the case dealt with. A case whose recording fails stands in the report and
the log with the error's type and place (its text may hold what a log must not, PIPL) and waits longer each time, up to
a day; the others go on. It stays on the boards as overdue meanwhile.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

from approvals.actions.intake import deem_accepted
from approvals.enums import CaseStatus
from approvals.exceptions import TransitionNotAllowed
from approvals.models import Case
from catalogue.enums import ItemKind
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from deadlines.sweep import place
from offices.keyset import Keyset

logger = logging.getLogger(__name__)

FIRST_RETRY = dt.timedelta(minutes=15)
LAST_RETRY = dt.timedelta(days=1)
ORDER = ("due_on", "id")


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that could not be recorded as accepted."""

    case_id: int
    error: str


@dataclass(slots=True)
class DeemingReport:
    """What a sweep did: cases deemed accepted, those that somebody was faster with, those that wait after a failure."""

    deemed: int = 0
    overtaken: int = 0
    waiting: int = 0
    failed: list[Failure] = field(default_factory=list)


def _lapsed(now: dt.datetime, batch: int) -> Iterator[int]:
    """Ids of the cases whose answer is overdue, the longest first; a page of ``batch`` clocks a statement.

    Served by the partial index of open clocks by due date. A due date that rests on an unpublished year decides
    nothing; a filing is none of art. 32's.
    """
    clocks = (
        Deadline.objects.open()
        .overdue(local_date(now))
        .filter(kind=KindCode.CORRECTION_NOTICE, provisional=False, notice_case__status=CaseStatus.SUBMITTED)
        .exclude(notice_case__business_item__item__kind=ItemKind.FILING)
        .select_related("notice_case")
        .only("due_on", "notice_case__id")
    )
    keyset = Keyset(clocks, ORDER, size=batch)
    page = keyset.page()
    while True:
        for clock in page.rows:
            yield clock.notice_case.pk
        if not page.next:
            return
        page = keyset.page(page.next)


class Backoff:
    """Which cases failed lately, kept in the cache: where it is lost, they are tried (and logged) once more."""

    def __init__(self, case_id: int) -> None:
        self.waits, self.failures = f"deeming:waits:{case_id}", f"deeming:failures:{case_id}"

    def is_waiting(self) -> bool:
        """Whether it is too early to try again."""
        try:
            return cache.get(self.waits) is not None
        except RedisError:
            return False

    def failed(self) -> dt.timedelta:
        """Count a failure and return how long to wait: 15 minutes, doubling, at most a day."""
        try:
            number = int(cache.get(self.failures) or 0)
            wait: dt.timedelta = min(FIRST_RETRY * 2 ** min(number, 10), LAST_RETRY)
            cache.set(self.waits, 1, wait.total_seconds())
            cache.set(self.failures, number + 1, 2 * LAST_RETRY.total_seconds())
        except RedisError:
            return FIRST_RETRY
        return wait


def sweep(now: dt.datetime, batch: int = 100) -> DeemingReport:
    """Record every case that counts as accepted at ``now``; safe to run twice, and two at once.

    Raises what a lost or blocked database raises: that is no bad case, and the sweep comes again.
    """
    report = DeemingReport()
    for case_id in _lapsed(now, batch):
        backoff = Backoff(case_id)
        if backoff.is_waiting():
            report.waiting += 1
            continue
        try:
            deem_accepted(Case(pk=case_id), by=None, now=now)
        except TransitionNotAllowed:
            report.overtaken += 1
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            report.failed.append(Failure(case_id, place(error)))
            logger.error("deeming: case %d failed and waits %s: %s", case_id, backoff.failed(), place(error))
        else:
            report.deemed += 1
    return report
