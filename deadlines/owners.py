"""The owners of clocks: their names and their row locks. Upper apps register; this room does not know them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import QuerySet

from offices.bulk import among


class Owner(NamedTuple):
    """What somebody calls the owner of a clock: a title, and its number."""

    title: str
    number: str = ""


# Takes ids of one kind of owner and returns what they are called, in one statement.
Namer = Callable[[Collection[int]], dict[int, Owner]]

_namers: dict[str, Namer] = {}
_owners: dict[str, Callable[[], QuerySet[Any]]] = {}


def register(prefix: str, namer: Namer) -> None:
    """Let ``namer`` name the owners whose streams read ``prefix:<id>``."""
    _namers[prefix] = namer


def register_rows(prefix: str, rows: Callable[[], QuerySet[Any]]) -> None:
    """Say where the owners whose streams read ``prefix:<id>`` are kept, for ``lock`` and ``claim``."""
    _owners[prefix] = rows


def names(streams: Iterable[str]) -> dict[str, Owner]:
    """Return the owner of each stream; one that nobody names is called by its stream. One statement a kind of owner."""
    found = {stream: Owner(stream) for stream in streams}
    for prefix, keys in by_prefix(found).items():
        if prefix in _namers:
            found.update({f"{prefix}:{key}": owner for key, owner in _namers[prefix](keys).items()})
    return found


def lock(streams: Iterable[str]) -> None:
    """Lock the owners of these streams until the transaction ends, as their own actions do before they touch a clock.

    So nobody else writes their ledger streams meanwhile. One statement a kind of owner, the kinds in one order.
    """
    for prefix, keys in sorted(by_prefix(streams).items()):
        if prefix in _owners:
            rows = _owners[prefix]().filter(pk__in=keys).order_by("pk")
            list(rows.select_for_update(of=("self",)).values_list("pk"))


def claim(streams: Iterable[str]) -> set[str]:
    """Lock those owners that nobody holds, and return the streams of those that somebody does hold.

    For whoever can come again: it never waits, so it cannot meet an action that waits for a clock. An owner that does
    not exist is nobody's. One statement a kind of owner, one more where some are held.
    """
    busy: set[str] = set()
    for prefix, keys in sorted(by_prefix(streams).items()):
        if prefix in _owners:
            busy |= {f"{prefix}:{key}" for key in _held(_owners[prefix](), keys)}
    return busy


def _held(owners: QuerySet[Any], keys: Collection[int]) -> set[int]:
    features = connections[owners.db].features
    if not features.has_select_for_update_skip_locked:
        return set()  # SQLite: one writer at a time
    rows = owners.filter(pk__in=among(keys)).order_by("pk")
    left = set(keys) - set(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    return set(rows.filter(pk__in=left).values_list("pk", flat=True)) if left else set()


def by_prefix(streams: Iterable[str]) -> dict[str, set[int]]:
    """Return prefix → ids of the owners of these streams."""
    wanted: dict[str, set[int]] = {}
    for stream in streams:
        prefix, _, key = stream.partition(":")
        if key.isdigit():
            wanted.setdefault(prefix, set()).add(int(key))
    return wanted
