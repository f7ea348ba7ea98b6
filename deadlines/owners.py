"""What the owner of a clock is called. Upper apps register from their ``apps.py``; this room does not know them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple


class Owner(NamedTuple):
    """What somebody calls the owner of a clock: a title, and its number."""

    title: str
    number: str = ""


# Takes ids of one kind of owner and returns what they are called, in one statement.
Namer = Callable[[Collection[int]], dict[int, Owner]]

_namers: dict[str, Namer] = {}


def register(prefix: str, namer: Namer) -> None:
    """Let ``namer`` name the owners whose streams read ``prefix:<id>``."""
    _namers[prefix] = namer


def names(streams: Iterable[str]) -> dict[str, Owner]:
    """Return the owner of each stream; one that nobody names is called by its stream. One statement a kind of owner."""
    wanted: dict[str, set[int]] = {}
    found = {stream: Owner(stream) for stream in streams}
    for stream in found:
        prefix, _, key = stream.partition(":")
        if prefix in _namers and key.isdigit():
            wanted.setdefault(prefix, set()).add(int(key))
    for prefix, keys in wanted.items():
        found.update({f"{prefix}:{key}": owner for key, owner in _namers[prefix](keys).items()})
    return found
