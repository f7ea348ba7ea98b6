"""The owners of clocks: their names and their row locks. Upper apps register; this room does not know them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple


class Owner(NamedTuple):
    """What somebody calls the owner of a clock: a title, and its number."""

    title: str
    number: str = ""


# Takes ids of one kind of owner and returns what they are called, in one statement.
Namer = Callable[[Collection[int]], dict[int, Owner]]
# Takes ids of one kind of owner and locks their rows in the order of their ids, in one statement.
Locker = Callable[[Collection[int]], None]

_namers: dict[str, Namer] = {}
_lockers: dict[str, Locker] = {}


def register(prefix: str, namer: Namer) -> None:
    """Let ``namer`` name the owners whose streams read ``prefix:<id>``."""
    _namers[prefix] = namer


def register_lock(prefix: str, locker: Locker) -> None:
    """Let ``locker`` lock the owners whose streams read ``prefix:<id>``."""
    _lockers[prefix] = locker


def names(streams: Iterable[str]) -> dict[str, Owner]:
    """Return the owner of each stream; one that nobody names is called by its stream. One statement a kind of owner."""
    found = {stream: Owner(stream) for stream in streams}
    for prefix, keys in _by_prefix(found).items():
        if prefix in _namers:
            found.update({f"{prefix}:{key}": owner for key, owner in _namers[prefix](keys).items()})
    return found


def lock(streams: Iterable[str]) -> None:
    """Lock the owners of these streams until the transaction ends, as their own actions do before they touch a clock.

    So nobody else writes their ledger streams meanwhile. One statement a kind of owner, the kinds in one order.
    """
    for prefix, keys in sorted(_by_prefix(streams).items()):
        if prefix in _lockers:
            _lockers[prefix](keys)


def _by_prefix(streams: Iterable[str]) -> dict[str, set[int]]:
    wanted: dict[str, set[int]] = {}
    for stream in streams:
        prefix, _, key = stream.partition(":")
        if key.isdigit():
            wanted.setdefault(prefix, set()).add(int(key))
    return wanted
