"""Pushing to the public credit platform: queued with the act, claimed, sent outside any transaction, recorded (L11).

Once in effect, because a push keeps its key and the platform takes a key once; per subject in order, because a push is
claimed only when every earlier one of its subject was accepted. docs/mechanisms/credit-pushes.md.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import SystemRandom
from typing import Any

from celery import current_app
from django.db import connection, models, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from credit import platform
from credit.models import CreditRecord, CreditSubject, Push
from credit.platform import NotTaken, Outgoing, Platform, identifier_of
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications.schedule import LONGEST_DELAY, retry_delay

log = logging.getLogger(__name__)

TASK = "credit.tasks.push"
BATCH = 200
LEASE = timedelta(minutes=5)
# No request starts after half the lease; the other half is for the last answers and for recording.
SENDING_SECONDS = LEASE.total_seconds() / 2
# How long the rest of a batch waits when the line was stopped and the platform did not say.
PAUSE = timedelta(seconds=30)
# The last one comes about a day after the first; then a person looks at it.
MAX_ATTEMPTS = 20
# So many without any answer one after another: it is the platform, not the push.
SILENT_IN_A_ROW = 16
# Nothing lies further ahead than this unless the clock was set back.
HORIZON = 2 * LONGEST_DELAY
_chance = SystemRandom()


class PushAct(models.TextChoices):
    """Acts on the stream of a subject."""

    QUEUED = "credit.push_queued", "信用信息列入推送"
    ACCEPTED = "credit.push_accepted", "信用平台已接收推送"
    DEAD = "credit.push_dead", "推送未成功，转人工处理"
    MENDED = "credit.push_mended", "更正推送内容"
    AGAIN = "credit.push_again", "重新推送"


class Verdict(StrEnum):
    """What one sending came to."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    AGAIN = "again"
    HELD = "held"


# --- queueing


@transaction.atomic
def queue(record: CreditRecord, kind: Push.Kind, now: datetime) -> Push:
    """Queue what is to be told of a record, in the caller's transaction; queued twice, it is the same push.

    A lifting of a record that was never pushed (it is older than the pushing) queues the record before it. Raises
    ``ValueError`` for a record of the platform itself: it is not told what it said.
    """
    if kind == Push.Kind.RECORD and record.origin != CreditRecord.Origin.PORTAL:
        raise ValueError("a record that came from the platform is not pushed to it")
    subject = CreditSubject.objects.select_for_update().get(pk=record.subject_id)
    known = {push.kind: push for push in Push.objects.filter(record=record)}
    if kind in known:
        return known[kind]
    seq = (Push.objects.filter(subject=subject).aggregate(last=Max("seq"))["last"] or 0) + 1
    kinds = [kind]
    if kind != Push.Kind.RECORD and Push.Kind.RECORD not in known and record.origin == CreditRecord.Origin.PORTAL:
        kinds = [Push.Kind.RECORD, kind]
    made = [
        Push.objects.create(
            subject=subject, seq=seq + step, kind=one, record=record, payload=payload(record, subject),
            queued_at=now, next_attempt_at=now,
        )
        for step, one in enumerate(kinds)
    ]  # fmt: skip
    record_many([Draft(subject.stream, PushAct.QUEUED, entry(push)) for push in made], at=now)
    transaction.on_commit(wake, robust=True)
    return made[-1]


def payload(record: CreditRecord, subject: CreditSubject) -> dict[str, Any]:
    """What the platform is told: the subject without any identity number, the record with its periods."""
    department = record.department
    return {
        "subject": identifier_of(subject) | {"name": subject.public_name},
        "record": {
            "number": f"LYG-{record.pk}",
            "kind": record.kind,
            "source": record.source,
            "basis": record.basis,
            "listed": record.listed,
            "level": record.level,
            "department": department.name if department else "",
            "found_on": _day(record.found_at),
            "rule": record.rule,
            "repair_from": record.repair_from.isoformat() if record.repair_from else None,
            "shown_until": record.shown_until.isoformat() if record.shown_until else None,
            "repaired_on": _day(record.repaired_at),
            "withdrawn_on": _day(record.withdrawn_at),
        },
    }


def _day(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).date().isoformat() if moment else None


def entry(push: Push) -> dict[str, Any]:
    """What the ledger keeps of a push: ids, no name."""
    return {"push": push.pk, "seq": push.seq, "kind": str(push.kind), "record": push.record_id}


def wake() -> None:
    """Send the worker a wake-up; a lost one costs the ten seconds until the next beat."""
    try:
        current_app.send_task(TASK, retry=False, expires=10)
    except (KombuError, RedisError, OSError) as error:
        log.warning("credit: no wake-up sent (%s); the beat will find it", type(error).__name__)


# --- claiming


@dataclass(frozen=True, slots=True)
class Claim:
    """One push in a worker's hands; ``number`` tells this claim from a later one."""

    pk: int
    number: int
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class Result:
    """What one claim came to; ``wait``: as long as the platform asked us to."""

    claim: Claim
    verdict: Verdict
    detail: str = ""
    receipt: str = ""
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PushReport:
    """What one batch came to: pushes by verdict, why the line was stopped (if it was), whether more is due now."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    stopped: str = ""
    more: bool = False


def earlier() -> QuerySet[Push]:
    """Pushes of the same subject before the outer one that the platform has not accepted."""
    before = Push.objects.filter(subject=OuterRef("subject"), seq__lt=OuterRef("seq"))
    return before.filter(~Q(state=Push.State.ACCEPTED))


def due(now: datetime) -> QuerySet[Push]:
    """Pushes whose turn it is, each the first of its subject that is not accepted; the longest waiting first."""
    turn = Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + HORIZON)
    return Push.objects.filter(turn, ~Exists(earlier()), state=Push.State.QUEUED).order_by("next_attempt_at", "id")


def claim(now: datetime, batch: int = BATCH) -> list[Claim]:
    """Lease up to ``batch`` due pushes and commit: two statements. Rows that another worker holds are left to it."""
    with transaction.atomic(durable=True):
        skip = connection.features.has_select_for_update_skip_locked
        rows = list(due(now).select_for_update(of=("self",) if skip else (), skip_locked=skip)[:batch])
        Push.objects.filter(pk__in=[row.pk for row in rows]).update(
            claims=F("claims") + 1, attempts=F("attempts") + 1, next_attempt_at=now + LEASE
        )
    return [Claim(row.pk, row.claims + 1, Outgoing(row.key, row.seq, row.kind, row.payload)) for row in rows]


# --- sending


class Line:
    """The line to the platform during one batch: stops for all when the fault lies with the platform or with time."""

    def __init__(self, to: Platform) -> None:
        self.platform = to
        self.ends_at = time.monotonic() + SENDING_SECONDS
        self.stopped = ""
        self.wait: timedelta | None = None
        self._silent = 0

    def run(self, batch: Sequence[Claim]) -> list[Result]:
        """Send every claim, some at a time; no database in the threads."""
        with ThreadPoolExecutor(platform.CONCURRENCY, thread_name_prefix="credit") as pool:
            return list(pool.map(self.one, batch))

    def one(self, claim: Claim) -> Result:
        """Send one."""
        if time.monotonic() > self.ends_at:
            self.stopped = self.stopped or "本批用时过长"
        if self.stopped:
            return Result(claim, Verdict.HELD, self.stopped, wait=self.wait)
        try:
            receipt = self.platform.push(claim.outgoing)
        except NotTaken as fault:
            self._heed(fault)
            verdict = Verdict.REFUSED if fault.refused else Verdict.HELD if fault.stops else Verdict.AGAIN
            return Result(claim, verdict, str(fault), wait=fault.wait)
        self._silent = 0
        return Result(claim, Verdict.ACCEPTED, receipt=receipt)

    def _heed(self, fault: NotTaken) -> None:
        self._silent = self._silent + 1 if fault.silent else 0
        if fault.stops or self._silent >= SILENT_IN_A_ROW:
            self.stopped, self.wait = str(fault), fault.wait


def push_due(now: datetime, batch: int = BATCH) -> PushReport:
    """Push up to ``batch`` records and liftings that are due; safe to run twice and at once with others."""
    # An idle look takes no lock (on SQLite every transaction would lock the whole database).
    if not platform.is_on() or not due(now).exists():
        return PushReport()
    claimed = claim(now, batch)
    if not claimed:  # another worker was faster
        return PushReport()
    reach("credit.claimed")
    line = Line(platform.current())
    results = line.run(claimed)
    reach("credit.sent")
    record_results(results, now)
    reach("credit.recorded")
    if line.stopped:
        log.warning("credit: line stopped: %s", line.stopped)
    more = not line.stopped and due(now).exists()
    return PushReport(Counter(result.verdict for result in results), line.stopped, more)


# --- recording


CHANGED = ("state", "next_attempt_at", "attempts", "error", "accepted_at", "receipt", "is_refused")


@transaction.atomic(durable=True)
def record_results(results: Sequence[Result], now: datetime) -> None:
    """Write what came of a batch; the number of statements does not depend on its size."""
    by_pk = {result.claim.pk: result for result in results}
    # The subjects first, as whoever queues for them does: their streams are written to.
    told = {pk for pk, result in by_pk.items() if result.verdict != Verdict.HELD}
    subjects = CreditSubject.objects.filter(pk__in=Push.objects.filter(pk__in=told).values("subject")).order_by("pk")
    streams = {subject.pk: subject.stream for subject in subjects.only("pk").select_for_update()} if told else {}
    rows = Push.objects.filter(pk__in=by_pk).order_by("pk").select_for_update()
    changed = [row for row in rows if _settle(row, by_pk[row.pk], now)]
    alike = [row for row in changed if row.state == Push.State.ACCEPTED]
    others = [row for row in changed if row.state != Push.State.ACCEPTED]
    if alike:
        Push.objects.filter(pk__in=[row.pk for row in alike]).update(
            state=Push.State.ACCEPTED, next_attempt_at=None, error="", accepted_at=now, is_refused=False
        )
        Push.objects.bulk_update(alike, ["receipt"])
    if others:
        Push.objects.bulk_update(others, CHANGED)
    acts: Mapping[str, str] = {Push.State.ACCEPTED: PushAct.ACCEPTED, Push.State.DEAD: PushAct.DEAD}
    record_many(
        [
            Draft(
                streams[row.subject_id], acts[row.state], entry(row) | ({"receipt": row.receipt} if row.receipt else {})
            )
            for row in changed
            if row.state in acts
        ],
        at=now,
    )


def _settle(row: Push, result: Result, now: datetime) -> bool:
    """Bring ``row`` where ``result`` says; return whether it changed.

    That the platform has it is news from whoever brings it, unless the content was mended since; anything else counts
    only from the holder of the latest claim.
    """
    claim, State = result.claim, Push.State  # noqa: N806 - an enumeration
    if row.state == State.ACCEPTED:
        return False
    if result.verdict == Verdict.ACCEPTED and row.payload == claim.outgoing.payload:
        row.state, row.receipt, row.error = State.ACCEPTED, result.receipt, ""
        row.accepted_at, row.next_attempt_at, row.is_refused = now, None, False
        return True
    if row.state != State.QUEUED or row.claims != claim.number:
        return False
    row.error = result.detail[:200]
    if result.verdict == Verdict.HELD:
        row.attempts = max(0, row.attempts - 1)
        row.next_attempt_at = now + (result.wait or PAUSE)
    elif result.verdict == Verdict.REFUSED or row.attempts >= MAX_ATTEMPTS:
        row.state, row.next_attempt_at, row.is_refused = State.DEAD, None, result.verdict == Verdict.REFUSED
    else:
        row.next_attempt_at = now + (result.wait or retry_delay(row.attempts, _chance.uniform(-1, 1)))
    return True
