"""Reading the chain from its first entry and naming the first that is broken; the daily anchor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from ledger.hashing import GENESIS, canonical, sm3
from ledger.models import Anchor, Entry


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken place: the stream, the entry's number, and what is wrong in words."""

    stream: str
    seq: int
    reason: str


def faults(stream: str | None = None) -> Iterator[Fault]:
    """Yield the first fault of every broken stream; memory stays constant."""
    entries = Entry.objects.order_by("stream", "seq")
    if stream is not None:
        entries = entries.filter(stream=stream)
    current, expected, digest, broken = None, 1, GENESIS, False
    for entry in entries.iterator(chunk_size=2000):
        if entry.stream != current:
            current, expected, digest, broken = entry.stream, 1, GENESIS, False
        if broken:
            continue
        reason = ""
        if entry.seq != expected:
            reason = f"entry {expected} is missing"
        elif entry.prev_hash != digest:
            reason = "does not hold the hash of the entry before it"
        elif entry.computed_hash() != entry.hash:
            reason = "content does not give its hash"
        if reason:
            broken = True
            yield Fault(entry.stream, expected if entry.seq != expected else entry.seq, reason)
        expected, digest = entry.seq + 1, entry.hash


def figure_up_to(last_entry: int) -> tuple[str, int]:
    """Return (figure, number of streams): SM3 over the sorted heads of all streams among entries ≤ ``last_entry``."""
    top = (
        Entry.objects.filter(stream=OuterRef("stream"), pk__lte=last_entry)
        .order_by()
        .values("stream")
        .annotate(top=Max("seq"))
    )
    rows = Entry.objects.filter(pk__lte=last_entry, seq=Subquery(top.values("top"))).order_by("stream")
    digest, count = GENESIS, 0
    for stream, seq, entry_hash in rows.values_list("stream", "seq", "hash").iterator(chunk_size=2000):
        digest = sm3(canonical({"prev": digest, "stream": stream, "seq": seq, "hash": entry_hash}))
        count += 1
    return digest, count


def settled() -> int:
    """Return the id of the last entry below which nothing can appear any more (0 while there is none).

    Ids are given before their transactions commit, so the highest one in sight may stand above one still in flight;
    PostgreSQL's table lock waits for those. SQLite has one writer at a time.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE ledger_entry IN SHARE MODE")
        return Entry.objects.aggregate(last=Max("pk"))["last"] or 0


def anchor(now: datetime) -> Anchor | None:
    """Write the day's anchor if the day has none yet; returns the new anchor or None."""
    day = timezone.localtime(now).date()
    if Anchor.objects.filter(day=day).exists():
        return None
    last = settled()
    figure, streams = figure_up_to(last)
    values = {"at": now, "last_entry": last, "streams": streams, "figure": figure}
    made, is_new = Anchor.objects.get_or_create(day=day, defaults=values)
    return made if is_new else None


def anchor_faults() -> Iterator[Fault]:
    """Yield every anchor whose figure the entries no longer give (an entry was altered, removed or slipped in)."""
    for kept in Anchor.objects.order_by("day"):
        figure, streams = figure_up_to(kept.last_entry)
        if (figure, streams) != (kept.figure, kept.streams):
            yield Fault(f"anchor:{kept.day}", 0, "the entries no longer give the published figure")
