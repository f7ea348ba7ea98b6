"""What the sweeps of the approval side share: overdue clocks, one transaction a case, patience with a bad one.

A sweep runs at any hour: a period that ended has ended; an SMS keeps its quiet hours by itself. Somebody who is faster,
or a second sweep, leaves the case dealt with. A case that fails stands in the report and the log with the error's type
and place (its text may hold what a log must not, PIPL) and waits longer each time, up to a day; the others go on.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from redis.exceptions import RedisError

from approvals.exceptions import Refused
from approvals.models import Case
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
    """A case on which the act failed."""

    case_id: int
    error: str


@dataclass(slots=True)
class Report:
    """What a sweep did: cases done, those that somebody was faster with, those that wait after a failure."""

    done: int = 0
    overtaken: int = 0
    waiting: int = 0
    failed: list[Failure] = field(default_factory=list)

    @property
    def is_news(self) -> bool:
        """Whether the log should hear of it."""
        return bool(self.done or self.failed)


class Backoff:
    """Which cases failed lately, kept in the cache: where it is lost, they are tried (and logged) once more."""

    def __init__(self, name: str, case_id: int) -> None:
        self.waits, self.failures = f"{name}:waits:{case_id}", f"{name}:failures:{case_id}"

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


def overdue_cases(
    kind: KindCode, owner: str, now: dt.datetime, batch: int, *, only: Q, never: Q | None = None
) -> Iterator[int]:
    """Ids of the cases whose open clock of ``kind`` is overdue, the longest first; a page of ``batch`` a statement.

    ``owner`` is the way from the clock to its case ("notice_case"). Served by the partial index of open clocks by due
    date. A due date that rests on an unpublished year decides nothing.
    """
    clocks = (
        Deadline.objects.open()
        .overdue(local_date(now))
        .filter(only, kind=kind, provisional=False)
        .select_related(owner)
        .only("due_on", f"{owner}__id")
    )
    keyset = Keyset(clocks.exclude(never) if never is not None else clocks, ORDER, size=batch)
    page = keyset.page()
    while True:
        for clock in page.rows:
            yield getattr(clock, owner).pk
        if not page.next:
            return
        page = keyset.page(page.next)


def run(name: str, cases: Iterable[int], act: Callable[[Case], object]) -> Report:
    """Do ``act`` for every case; safe to run twice, and two at once. ``name`` stands in the log.

    Raises what a lost or blocked database raises: that is no bad case, and the sweep comes again.
    """
    report = Report()
    for case_id in cases:
        backoff = Backoff(name, case_id)
        if backoff.is_waiting():
            report.waiting += 1
            continue
        try:
            act(Case(pk=case_id))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if isinstance(error, Refused) and error.conflict:
                report.overtaken += 1
                continue
            report.failed.append(Failure(case_id, place(error)))
            logger.error("%s: case %d failed and waits %s: %s", name, case_id, backoff.failed(), place(error))
        else:
            report.done += 1
    return report
