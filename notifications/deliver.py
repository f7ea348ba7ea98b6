"""Delivering: claim a batch → talk to the gateway outside any transaction → record what came of it.

A crash between the steps loses nothing: the lease runs out, the row is found again, and because nobody knows whether
it went out, the gateway is asked by ``client_id`` before anything is sent.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deadlines import calendar as working_calendar
from deadlines.alarms import is_working_time
from lianyungang_gov.faults import reach
from notifications import claims, schedule, transports
from notifications.claims import LEASE, Claim
from notifications.enums import Verdict
from notifications.recording import Result, record
from notifications.transports.base import Fate, Transport, TransportError, TransportUnknown

log = logging.getLogger(__name__)

BATCH = 200
# No request starts after half the lease; the other half is for the last answers and for recording.
SENDING_SECONDS = LEASE.total_seconds() / 2

_FATES = {
    Fate.ACCEPTED: Verdict.ACCEPTED,
    Fate.DELIVERED: Verdict.DELIVERED,
    Fate.FAILED: Verdict.FAILED,
    Fate.ABSENT: Verdict.ABSENT,
}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one batch came to: SMS by verdict, why the line was stopped (if it was), whether more is due now."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    stopped: str = ""
    more: bool = False

    @property
    def claimed(self) -> int:
        """SMS in the batch."""
        return self.verdicts.total()

    @property
    def accepted(self) -> int:
        """SMS that the gateway has."""
        return self.verdicts[Verdict.ACCEPTED] + self.verdicts[Verdict.DELIVERED]


class Line:
    """The line to the gateway during one batch: stops for all when the fault lies with the gateway or with time."""

    def __init__(self, transport: Transport, now: datetime) -> None:
        self.transport = transport
        self.now = now
        self.ends_at = time.monotonic() + SENDING_SECONDS
        self.stopped = ""
        self.wait: timedelta | None = None

    def run(self, batch: list[Claim]) -> list[Result]:
        """Send or ask for every claim; over a pool of threads where the transport allows it (no database in them)."""
        if self.transport.concurrency == 1:
            return [self.one(claim) for claim in batch]
        with ThreadPoolExecutor(self.transport.concurrency, thread_name_prefix="outbox") as pool:
            return list(pool.map(self.one, batch))

    def one(self, claim: Claim) -> Result:
        """Send or ask for one claim."""
        if not claim.message.phone:
            return Result(claim, Verdict.REFUSED, "收信人没有登记手机号")
        if time.monotonic() > self.ends_at:
            self.stopped = self.stopped or "本批用时过长"
        if self.stopped:
            return Result(claim, Verdict.HELD, self.stopped, wait=self.wait)
        return self._ask(claim) if claim.is_question else self._send(claim)

    def _send(self, claim: Claim) -> Result:
        try:
            accepted = self.transport.send(claim.outgoing(self.now))
        except TransportUnknown as unknown:
            return Result(claim, Verdict.UNKNOWN, str(unknown))
        except TransportError as error:
            self._heed(error)
            return Result(claim, Verdict.REFUSED if error.permanent else Verdict.TEMPORARY, str(error), wait=error.wait)
        return Result(claim, Verdict.ACCEPTED, gateway_id=accepted.gateway_id)

    def _ask(self, claim: Claim) -> Result:
        try:
            answer = self.transport.ask(claim.message.client_id)
        except TransportUnknown as unknown:
            return Result(claim, Verdict.NO_ANSWER, str(unknown))
        except TransportError as error:
            self._heed(error)
            return Result(claim, Verdict.NO_ANSWER, str(error))
        return Result(claim, _FATES[answer.fate], answer.detail, answer.gateway_id)

    def _heed(self, error: TransportError) -> None:
        if error.stop:
            self.stopped, self.wait = str(error), error.wait


def deliver(now: datetime, batch: int = BATCH) -> DeliveryReport:
    """Deliver up to ``batch`` due SMS; safe to run twice and at once with others.

    Raises whatever a kind's handler raises, after everything else was recorded.
    """
    transport = transports.current()
    if transport.is_noop:
        log.warning("outbox: transport %s leads nowhere, messages stay queued", transport.name)
        return DeliveryReport()
    calendar = working_calendar.recent()
    quiet, working = schedule.is_quiet(now, calendar), is_working_time(now, calendar)
    # An idle look takes no lock (on SQLite every transaction would lock the whole database).
    if not claims.due(now, quiet=quiet, working=working).exists() and not claims.astray(now).exists():
        return DeliveryReport()
    claimed = claims.claim(now, batch, quiet=quiet, working=working)
    if not claimed:  # another worker was faster
        return DeliveryReport()
    reach("outbox.claimed")
    line = Line(transport, now)
    results = line.run(claimed)
    reach("outbox.sent")
    record(results, now, calendar, transport.name)
    reach("outbox.recorded")
    if line.stopped:
        log.warning("outbox: line stopped: %s", line.stopped)
    more = not line.stopped and claims.due(now, quiet=quiet, working=working).exists()
    return DeliveryReport(Counter(result.verdict for result in results), line.stopped, more)
