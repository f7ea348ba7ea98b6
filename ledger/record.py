"""Writing acts. The caller holds the lock of the row that the stream belongs to and is inside its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Max, OuterRef, Subquery

from ledger.hashing import GENESIS
from ledger.models import Entry
from offices.models import User


@dataclass(frozen=True, slots=True)
class Draft:
    """An act to be written. ``fresh`` says that the stream is new, which saves the look-up of its head."""

    stream: str
    act: str
    data: Mapping[str, Any] = field(default_factory=dict)
    by: User | int | None = None
    fresh: bool = False


def heads(streams: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return stream → (seq, hash) of the last entry of each stream that has one; one statement."""
    wanted = list(dict.fromkeys(streams))
    if not wanted:
        return {}
    if len(wanted) == 1:
        head = Entry.objects.filter(stream=wanted[0]).order_by("-seq").values_list("stream", "seq", "hash")[:1]
        return {stream: (seq, digest) for stream, seq, digest in head}
    last = Entry.objects.filter(stream=OuterRef("stream")).order_by().values("stream").annotate(top=Max("seq"))
    rows = Entry.objects.filter(stream__in=wanted, seq=Subquery(last.values("top"))).annotate(s=F("stream"))
    return {stream: (seq, digest) for stream, seq, digest in rows.values_list("s", "seq", "hash")}


def record_many(drafts: Sequence[Draft], *, at: datetime) -> list[Entry]:
    """Append ``drafts`` in their order: one look-up of heads (none if all are fresh) and one insert.

    Raises ``django.db.IntegrityError`` if another transaction wrote to one of the streams meanwhile.
    """
    if not drafts:
        return []
    known = heads(draft.stream for draft in drafts if not draft.fresh)
    entries = []
    for draft in drafts:
        seq, digest = known.get(draft.stream, (0, GENESIS))
        entry = Entry(
            stream=draft.stream,
            seq=seq + 1,
            at=at,
            actor_id=draft.by.pk if isinstance(draft.by, User) else draft.by,
            act=str(draft.act),
            data=dict(draft.data),
            prev_hash=digest,
        )
        entry.hash = entry.computed_hash()
        known[draft.stream] = (entry.seq, entry.hash)
        entries.append(entry)
    return Entry.objects.bulk_create(entries)


def record(
    stream: str,
    act: str,
    *,
    at: datetime,
    by: User | int | None = None,
    data: Mapping[str, Any] | None = None,
    fresh: bool = False,
) -> Entry:
    """Append one act to ``stream`` and return its entry."""
    return record_many([Draft(stream, act, data or {}, by, fresh)], at=at)[0]
