"""Taking messages out of the queue: a lease on a batch, in one short transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, Q

from deadlines.models import Deadline
from notifications import bundles, kinds
from notifications.enums import State
from notifications.models import Message
from notifications.querysets import MessageQuerySet
from notifications.transports.base import Outgoing

# Longer than the slowest batch takes: ``deliver`` stops sending well before it ends.
LEASE = timedelta(minutes=5)
# A reminder waits no longer than this for a sweep that does not come to its end.
PATIENCE = timedelta(minutes=30)
# One person's reminders beyond this are joined by a statement of their own: a plain one, however many they are.
MANY = 100


@dataclass(slots=True)
class Claim:
    """One SMS in a worker's hands.

    ``is_question``: nobody knows whether it went out, so ask before anything else. ``is_found``: its last holder never
    came back. ``number`` and ``lease_until`` tell this claim from a later one.
    """

    message: Message
    is_question: bool
    is_found: bool
    number: int
    lease_until: datetime
    carried: list[Message] = field(default_factory=list)

    def outgoing(self, now: datetime) -> Outgoing:
        """What the transport needs to know."""
        message = self.message
        text, template_id = bundles.compose([message, *self.carried])
        return Outgoing(
            client_id=message.client_id,
            phone=message.phone,
            text=text,
            template_id=template_id or kinds.get(message.kind).template_id,
            at=now,
            to_user_id=message.to_user_id,
            phone_hash=message.phone_hash,
            name_hint=message.name_hint,
        )


def due(now: datetime, *, quiet: bool, working: bool = False) -> MessageQuerySet:
    """Messages that this process can and may take now, the longest waiting first.

    ``working``: it is working time, so a sweep may be ringing; while it has alarms left, no new bundle goes out.
    """
    found = Message.objects.due(now, kinds=kinds.codes(), quiet=quiet, at_any_hour=kinds.at_any_hour())
    if working:
        gathering = Q(state=State.QUEUED, attempts=0, created_at__gt=now - PATIENCE) & ~Q(bundle_key="")
        found = found.exclude(gathering & Exists(Deadline.objects.ringing(now)))
    return found.order_by("next_attempt_at", "id")


def astray(now: datetime) -> MessageQuerySet:
    """Messages under a lease that lies further ahead than any can: the clock was set back since.

    Workers' clocks differ a little, so a lease gets its own length again as margin before it is called astray.
    """
    return Message.objects.leased_past(now + 2 * LEASE)


def _locked(found: MessageQuerySet) -> MessageQuerySet:
    """Lock rows, leaving those that another worker holds; where a database locks as a whole this says nothing."""
    return found.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)


def claim(now: datetime, batch: int, *, quiet: bool, working: bool = False) -> list[Claim]:
    """Lease up to ``batch`` due SMS and commit; the number of statements does not depend on ``batch``.

    A row that was being sent when its lease ran out comes back as a question: it is never sent blindly again.
    """
    lease_until = now + LEASE
    with transaction.atomic(durable=True):
        astray(now).update(next_attempt_at=now)
        heads = list(_locked(due(now, quiet=quiet, working=working))[:batch])
        if not heads:
            return []
        claims = [
            Claim(
                message=head,
                is_question=head.state != State.QUEUED,
                is_found=head.lease_until is not None,
                number=head.claims + 1,
                lease_until=lease_until,
            )
            for head in heads
        ]
        claims = _bundle(claims, now)
        _lease(claims, now, lease_until)
    return claims


def _bundle(claims: list[Claim], now: datetime) -> list[Claim]:
    """Gather what goes together into one SMS; a bundle once sent keeps its content for ever."""
    sealed = [claim.message.pk for claim in claims if claim.message.carries]
    carried: dict[int | None, list[Message]] = {}
    if sealed:
        for message in Message.objects.filter(carried_by__in=sealed).defer("phone"):
            carried.setdefault(message.carried_by_id, []).append(message)
    for claim in claims:
        claim.carried = carried.get(claim.message.pk, [])

    open_heads = {claim.message.pk: claim for claim in claims if _may_gather(claim.message)}
    if not open_heads:
        return claims
    people = {(claim.message.bundle_key, claim.message.phone_hash) for claim in open_heads.values()}
    waiting = Message.objects.unsent().filter(
        bundle_key__in={key for key, _ in people},
        phone_hash__in={phone for _, phone in people},
        kind__in=kinds.codes(),
    )
    others = list(_locked(waiting.exclude(pk__in=open_heads).defer("phone")))
    together = [claim.message for claim in open_heads.values()]
    together += [other for other in others if (other.bundle_key, other.phone_hash) in people]
    gone: set[int] = set()
    joined: list[Message] = []
    carriers: list[Message] = []
    for group in bundles.pack(together):
        # The carrier is one that this batch has claimed; a group of latecomers alone waits for the next batch.
        lead = next((message for message in group if message.pk in open_heads), None)
        if lead is None or len(group) == 1:
            continue
        rest = [message for message in group if message is not lead]
        for message in rest:
            message.carried_by = lead
        lead.carries = len(rest)
        open_heads[lead.pk].carried = rest
        carriers.append(lead)
        gone |= {message.pk for message in rest}
        if len(rest) > MANY:
            Message.objects.filter(pk__in=[message.pk for message in rest]).update(carried_by=lead)
        else:
            joined += rest
    if carriers:
        Message.objects.bulk_update(joined, ["carried_by"])
        Message.objects.bulk_update(carriers, ["carries"])
    return [claim for claim in claims if claim.message.pk not in gone]


def _may_gather(message: Message) -> bool:
    return bool(
        message.bundle_key
        and message.phone_hash
        and message.state == State.QUEUED
        and not message.attempts
        and not message.carries
    )


def _lease(claims: list[Claim], now: datetime, lease_until: datetime) -> None:
    """Write the lease on the claimed rows and on what they carry: one update for sendings, one for questions."""
    sendings = [m.pk for c in claims if not c.is_question for m in (c.message, *c.carried)]
    questions = [m.pk for c in claims if c.is_question for m in (c.message, *c.carried)]
    lease = {"lease_until": lease_until, "next_attempt_at": lease_until}
    if sendings:
        Message.objects.filter(pk__in=sendings).transition(
            State.SENDING, attempts=F("attempts") + 1, attempted_at=now, **lease
        )
    if questions:
        Message.objects.filter(pk__in=questions).transition(State.UNKNOWN, asks=F("asks") + 1, **lease)
