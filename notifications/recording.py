"""Writing down what became of a batch: rows, attempts and the listeners' work in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import SystemRandom

from django.db import transaction
from django.db.models import Q

from notifications import kinds, schedule
from notifications.claims import Claim
from notifications.enums import Verdict
from notifications.models import Attempt, Message
from notifications.schedule import MAX_ATTEMPTS, Opening, WorkingDays

# How long the rest of a batch waits when the line was stopped and the gateway did not say.
PAUSE = timedelta(seconds=15)

_CHANGED = (
    "state",
    "accepted_at",
    "delivered_at",
    "next_attempt_at",
    "lease_until",
    "attempts",
    "asks",
    "error",
    "calendar_assumed",
)
_chance = SystemRandom()


@dataclass(frozen=True, slots=True)
class Result:
    """What one claim came to; ``wait``: as long as the gateway asked us to."""

    claim: Claim
    verdict: Verdict
    detail: str = ""
    gateway_id: str = ""
    wait: timedelta | None = None


class Fates:
    """Messages whose fate is now known, for their kinds' handlers."""

    def __init__(self) -> None:
        self.accepted: list[Message] = []
        self.failed: list[Message] = []
        self.unresolved: list[Message] = []

    def tell(self, now: datetime) -> None:
        """Call the handlers."""
        kinds.tell_accepted(self.accepted, now)
        kinds.tell_failed(self.failed, now)
        kinds.tell_unresolved(self.unresolved, now)


def record(results: Sequence[Result], now: datetime, calendar: WorkingDays, transport: str) -> None:
    """Record ``results``: the fresh ones together, each one that was found again by itself.

    A listener that fails takes its whole batch with it; all of them come back when their lease ends, and then only the
    one that fails stays behind. Nothing is swallowed: the rest is recorded first, then the error is raised.
    """
    fresh = [result for result in results if not result.claim.is_found]
    groups = [fresh] if fresh else []
    groups += [[result] for result in results if result.claim.is_found]
    with ExitStack() as every_group:
        for group in groups:
            every_group.callback(_record, group, now, calendar, transport)


def _record(results: Sequence[Result], now: datetime, calendar: WorkingDays, transport: str) -> None:
    """Record one group in one transaction; the number of statements does not depend on its size."""
    heads = [result.claim.message.pk for result in results]
    wanted = Q(pk__in=heads)
    if any(result.claim.carried for result in results):
        wanted |= Q(carried_by__in=heads)
    fates = Fates()
    with transaction.atomic(durable=True):
        rows = Message.objects.filter(wanted).order_by("pk").defer("phone").select_for_update()
        families: dict[int, list[Message]] = {pk: [] for pk in heads}
        for row in rows:
            families[row.carried_by_id or row.pk].append(row)
        Attempt.objects.bulk_create(
            Attempt(
                message_id=result.claim.message.pk,
                number=result.claim.number,
                at=now,
                transport=transport,
                is_question=result.claim.is_question,
                outcome=result.verdict,
                detail=result.detail[:200],
            )
            for result in results
            if result.verdict != Verdict.HELD
        )
        changed = [
            message
            for result in results
            for message in families[result.claim.message.pk]
            if _settle(message, result, now, calendar, fates)
        ]
        _save(changed)
        fates.tell(now)


def _save(changed: Sequence[Message]) -> None:
    """Write the rows, at most three statements; those that came to the same end (most) go by a plain update."""
    alike: dict[tuple[object, ...], list[Message]] = {}
    for message in changed:
        alike.setdefault(tuple(getattr(message, name) for name in _CHANGED), []).append(message)
    if not alike:
        return
    end, most = max(alike.items(), key=lambda group: len(group[1]))
    Message.objects.filter(pk__in=[message.pk for message in most]).update(**dict(zip(_CHANGED, end, strict=True)))
    if any(message.gateway_id for message in most):
        Message.objects.bulk_update(most, ["gateway_id"])
    rest = [message for same, group in alike.items() if same != end for message in group]
    if rest:
        Message.objects.bulk_update(rest, [*_CHANGED, "gateway_id"])


def _settle(message: Message, result: Result, now: datetime, calendar: WorkingDays, fates: Fates) -> bool:
    """Bring ``message`` where ``result`` says; return whether it changed.

    A receipt or another worker may have been faster. That the gateway has it is news from whoever brings it; anything
    else counts only from the holder of the latest lease.
    """
    if not message.is_open:
        return False
    claim = result.claim
    sent_at = (message.attempted_at or now) if claim.is_question else now
    if result.verdict == Verdict.ACCEPTED:
        message.accept(sent_at, result.gateway_id)
        fates.accepted.append(message)
        return True
    if result.verdict == Verdict.DELIVERED:
        message.deliver(now, accepted_at=sent_at, gateway_id=result.gateway_id)
        fates.accepted.append(message)
        return True
    if not message.is_held(claim.number, claim.lease_until):
        return False
    _settle_otherwise(message, result, now, calendar, fates)
    return True


def _settle_otherwise(message: Message, result: Result, now: datetime, calendar: WorkingDays, fates: Fates) -> None:
    """Settle what did not arrive, or of which nobody knows whether it did."""
    match result.verdict:
        case Verdict.HELD:
            again = _opening(message, now + (result.wait or PAUSE), calendar)
            message.hand_back(again.at, asked=result.claim.is_question, error=result.detail)
        case Verdict.UNKNOWN:
            message.wonder(now + schedule.ASK_AFTER, result.detail)
        case Verdict.NO_ANSWER if message.asks >= MAX_ATTEMPTS:
            message.wonder(None, result.detail)
            fates.unresolved.append(message)
        case Verdict.NO_ANSWER:
            message.wonder(now + _delay(message.asks), result.detail)
        case Verdict.TEMPORARY | Verdict.ABSENT if message.attempts < MAX_ATTEMPTS:
            # An absent message was never taken, so it goes out again at once; its client id stays the same.
            delay = timedelta(0) if result.verdict == Verdict.ABSENT else result.wait or _delay(message.attempts)
            again = _opening(message, now + delay, calendar)
            message.retry(again.at, result.detail, assumed=again.assumed)
        case _:
            message.fail(result.detail or result.verdict.label)
            fates.failed.append(message)


def _delay(failures: int) -> timedelta:
    return schedule.retry_delay(failures, _chance.uniform(-1, 1))


def _opening(message: Message, moment: datetime, calendar: WorkingDays) -> Opening:
    """Return when ``message`` may go at or after ``moment``; questions and urgent kinds know no quiet hours."""
    if kinds.get(message.kind).ignores_quiet_hours:
        return Opening(moment, assumed=False)
    return schedule.sendable_at(moment, calendar)
