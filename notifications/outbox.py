"""Putting messages into the outbox, inside the caller's transaction: the act and its message live or die together."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from deadlines import calendar as working_calendar
from notifications import kinds, schedule
from notifications.enums import State, TransitionNotAllowed
from notifications.models import Message
from notifications.tasks import wake
from offices.bulk import insert_rows
from offices.crypto import keyed_hash, mask_name
from offices.models import User


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be queued, to a person with an account (``to_user``) or to a bare ``phone`` (an applicant).

    ``dedupe_key`` names the occasion and the person: queueing it again does nothing. ``reference``: whom the message
    belongs to ("task:12"). ``bundle_key``: reminders to one person that share it become one SMS; the task SMS has none.
    ``due_on``: the day that a reminder is about, by which a digest counts. ``name_hint``: the masked name of somebody
    without an account. Identity numbers never go into ``text``.
    """

    kind: str
    text: str
    dedupe_key: str
    reference: str
    to_user: User | None = None
    phone: str | None = None
    bundle_key: str | None = None
    due_on: date | None = None
    name_hint: str = ""

    def message(self, now: datetime, opening: schedule.Opening) -> Message:
        """Return the row to be, to go at ``opening``. Raises ``ValueError`` if it is to nobody or of no occasion."""
        self.check()
        phone, phone_hash, name_hint = self.recipient()
        return Message(
            kind=str(self.kind),
            to_user_id=self.to_user.pk if self.to_user else None,
            phone=phone,
            phone_hash=phone_hash,
            name_hint=name_hint,
            text=self.text,
            dedupe_key=self.dedupe_key,
            reference=self.reference,
            bundle_key=self.bundle_key or "",
            due_on=self.due_on,
            created_at=now,
            not_before=opening.at,
            next_attempt_at=opening.at,
            calendar_assumed=opening.assumed,
        )

    def check(self) -> None:
        """Raise ``ValueError`` if it is to nobody or of no occasion."""
        if (self.to_user is None and self.phone is None) or not self.dedupe_key:
            raise ValueError(f"a message of kind {self.kind!r} needs a recipient and a dedupe key")

    def recipient(self) -> tuple[str, str, str]:
        """Return phone, its hash and a masked name; a person without a phone is a failure that delivery reports."""
        name_hint = self.name_hint
        if self.to_user is not None:
            name_hint = name_hint or mask_name(self.to_user.full_name)
            if self.phone is None:
                return self.to_user.phone, self.to_user.phone_hash, name_hint
        phone = (self.phone or "").strip()
        return phone, keyed_hash(phone) if phone else "", name_hint


class _Openings:
    """When messages queued ``now`` may go; each case is worked out once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.known: dict[tuple[bool, bool], schedule.Opening] = {}

    def of(self, draft: Draft) -> schedule.Opening:
        """Return the opening for ``draft``. Raises ``UnknownKind``."""
        case = (kinds.get(draft.kind).ignores_quiet_hours, bool(draft.bundle_key))
        if case not in self.known:
            urgent, bundled = case
            ready = self.now + schedule.GATHER if bundled else self.now
            self.known[case] = (
                schedule.Opening(ready, assumed=False)
                if urgent
                else schedule.sendable_at(ready, working_calendar.recent())
            )
        return self.known[case]


class _Recipients:
    """To whom messages go: many to few people, each worked out once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[str, str, str]] = {}

    def of(self, draft: Draft) -> tuple[str, str, str]:
        """``draft.recipient()``."""
        person = draft.to_user
        if person is None or draft.phone is not None or draft.name_hint:
            return draft.recipient()
        if person.id not in self.known:
            self.known[person.id] = draft.recipient()
        return self.known[person.id]


def queue(drafts: Sequence[Draft], now: datetime) -> list[Message]:
    """Queue ``drafts`` with one insert inside the caller's transaction; the worker is woken when that commits.

    A draft whose ``dedupe_key`` is in the outbox already changes nothing. Returns one message a key, in the order of
    ``drafts``, each with the ``pk`` of the stored row; for a key that was there before, only ``pk`` and ``dedupe_key``
    speak of that row (``refresh_from_db`` for the rest). Raises ``UnknownKind`` and ``ValueError`` as :class:`Draft`.
    """
    if not drafts:
        return []
    openings = _Openings(now)
    rows: dict[str, Message] = {}
    for draft in drafts:
        if draft.dedupe_key not in rows:
            rows[draft.dedupe_key] = draft.message(now, openings.of(draft))
    # Two transactions that queue the same keys take them in the same order, so they wait instead of deadlocking.
    # The update of a key to itself makes the database return the stored row's id; nothing of that row changes.
    Message.objects.bulk_create(
        sorted(rows.values(), key=lambda message: message.dedupe_key),
        update_conflicts=True,
        unique_fields=["dedupe_key"],
        update_fields=["dedupe_key"],
    )
    _wake(min(row.not_before for row in rows.values()), now)
    return list(rows.values())


def _wake(opens: datetime, now: datetime) -> None:
    """Let the worker look when the first of them may go, if that is at once."""
    soon = opens - now
    if soon <= schedule.GATHER:
        # The caller's act is committed by then; whatever happens to the wake-up must not turn it into an error.
        transaction.on_commit(lambda: wake(soon.total_seconds()), robust=True)


COLUMNS = (
    "kind", "to_user_id", "phone", "phone_hash", "name_hint", "text", "dedupe_key", "reference", "bundle_key", "due_on",
    "created_at", "not_before", "next_attempt_at", "calendar_assumed", "client_id",
)  # fmt: skip


def _uuids(many: int) -> Iterator[str]:
    """Random UUIDs (RFC 9562, version 4) as text, from one draw of random bytes."""
    digits = os.urandom(16 * many).hex()
    for start in range(0, len(digits), 32):
        one = digits[start : start + 32]
        variant = "89ab"[int(one[16], 16) & 3]
        yield f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{variant}{one[17:20]}-{one[20:]}"


def post(drafts: Sequence[Draft], now: datetime) -> None:
    """Queue hundreds of ``drafts`` as :func:`queue` does, for a caller that needs no rows back: one statement."""
    if not drafts:
        return
    openings, client_ids = _Openings(now), _uuids(len(drafts))
    rows: dict[str, tuple[object, ...]] = {}
    recipients = _Recipients()
    soonest: datetime | None = None
    for draft in drafts:
        if draft.dedupe_key in rows:
            continue
        draft.check()
        at, assumed = openings.of(draft)
        soonest = min(at, soonest or at)
        to_user = None if draft.to_user is None else draft.to_user.id
        about = (draft.text, draft.dedupe_key, draft.reference, draft.bundle_key or "", draft.due_on)
        rows[draft.dedupe_key] = (
            str(draft.kind), to_user, *recipients.of(draft), *about, now, at, at, assumed, next(client_ids)
        )  # fmt: skip
    insert_rows(Message, COLUMNS, [rows[key] for key in sorted(rows)], once="dedupe_key")
    _wake(soonest or now, now)


# What a message that is sent once more adds to its key: the occasion stays the same, and once more is only once.
AGAIN = ":again"


def resend(message: Message, now: datetime) -> Message | None:
    """Queue a failed message once more, to the phone that the person has now; None if that was done before.

    Called inside the caller's transaction, which records who asked for it. Raises ``TransitionNotAllowed`` when the
    message has not failed: what may still arrive is never sent twice.
    """
    message = Message.objects.select_for_update(of=("self",)).select_related("to_user").get(pk=message.pk)
    if message.state != State.FAILED:
        raise TransitionNotAllowed(message.state, State.QUEUED)
    key = f"{message.dedupe_key}{AGAIN}"
    if Message.objects.filter(dedupe_key=key).exists():
        return None
    draft = Draft(
        kind=message.kind,
        text=message.text,
        dedupe_key=key,
        reference=message.reference,
        to_user=message.to_user,
        phone=None if message.to_user else message.phone,
        name_hint=message.name_hint,
    )
    return queue([draft], now)[0]


def cancel(references: Collection[str], kind_codes: Collection[str]) -> int:
    """Cancel what nobody has tried to send yet (nothing to do, nothing sent); return how many."""
    waiting = Message.objects.unsent().filter(reference__in=references, kind__in=kind_codes)
    return waiting.transition(State.CANCELLED, next_attempt_at=None)
