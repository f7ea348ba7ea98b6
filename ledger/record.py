"""Writing acts. The caller holds the lock of the row that the stream belongs to and is inside its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Max, OuterRef, Subquery

from ledger.hashing import ALGORITHM, GENESIS
from ledger.models import Entry, hash_of
from offices.bulk import array, insert_rows
from offices.models import User


@dataclass(frozen=True, slots=True)
class Draft:
    """An act to be written. ``fresh`` says that the stream is new, which saves the look-up of its head."""

    stream: str
    act: str
    data: Mapping[str, Any] = field(default_factory=dict)
    by: User | int | None = None
    fresh: bool = False


# One look into the index of (stream, seq) for each stream; the portable way below reads every entry of the streams.
HEADS = """
SELECT wanted.stream, last.seq, last.hash FROM unnest({streams}) AS wanted(stream)
CROSS JOIN LATERAL (
    SELECT seq, hash FROM ledger_entry WHERE ledger_entry.stream = wanted.stream ORDER BY seq DESC LIMIT 1
) AS last
"""


def heads(streams: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return stream → (seq, hash) of the last entry of each stream that has one; one statement."""
    wanted = list(dict.fromkeys(streams))
    if not wanted:
        return {}
    if len(wanted) == 1:
        head = Entry.objects.filter(stream=wanted[0]).order_by("-seq").values_list("stream", "seq", "hash")[:1]
        return {stream: (seq, digest) for stream, seq, digest in head}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            streams, given = array(wanted, "text")
            cursor.execute(HEADS.replace("{streams}", streams), [given])
            return {stream: (seq, digest) for stream, seq, digest in cursor.fetchall()}
    last = Entry.objects.filter(stream=OuterRef("stream")).order_by().values("stream").annotate(top=Max("seq"))
    rows = Entry.objects.filter(stream__in=wanted, seq=Subquery(last.values("top"))).annotate(s=F("stream"))
    return {stream: (seq, digest) for stream, seq, digest in rows.values_list("s", "seq", "hash")}


COLUMNS = ("stream", "seq", "at", "actor_id", "act", "data", "prev_hash", "hash", "algorithm")


def record_many(drafts: Sequence[Draft], *, at: datetime) -> None:
    """Append ``drafts`` in their order: one look-up of heads (none if all are fresh) and one insert.

    Raises ``django.db.IntegrityError`` if another transaction wrote to one of the streams meanwhile.
    """
    if not drafts:
        return
    known = heads(draft.stream for draft in drafts if not draft.fresh)
    rows = []
    for draft in drafts:
        seq, before = known.get(draft.stream, (0, GENESIS))
        actor = draft.by.pk if isinstance(draft.by, User) else draft.by
        act, data = str(draft.act), dict(draft.data)
        digest = hash_of(draft.stream, seq + 1, at, actor, act, data, before)
        known[draft.stream] = (seq + 1, digest)
        rows.append((draft.stream, seq + 1, at, actor, act, data, before, digest, ALGORITHM))
    insert_rows(Entry, COLUMNS, rows)


def record(
    stream: str,
    act: str,
    *,
    at: datetime,
    by: User | int | None = None,
    data: Mapping[str, Any] | None = None,
    fresh: bool = False,
) -> None:
    """Append one act to ``stream``."""
    record_many([Draft(stream, act, data or {}, by, fresh)], at=at)
