"""Who may see the owner of a clock, and which papers it gave out. Upper apps register, as for ``deadlines.owners``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from deadlines.enums import EventKind
from deadlines.owners import by_prefix
from offices.access import Access


class Sight(NamedTuple):
    """How a person sees an owner: its page, whether officers may be named to them, and what notes the look, if any.

    ``clocks``: the only ones of the owner that the person sees, each with what waits and with whom; None for all.
    """

    url: str
    names: bool = False
    note: Callable[[datetime], object] | None = None
    clocks: Mapping[int, str] | None = None

    def sees(self, clock: int) -> bool:
        """Whether this clock of the owner is among those that the person sees."""
        return self.clocks is None or clock in self.clocks


class Paper(NamedTuple):
    """A paper that told the applicant of an event of the clocks: its id, the kind of event, its title and number."""

    key: int
    told: EventKind
    text: str


# Take ids of one kind of owner. A seer takes one statement for each role that the person holds, a teller one.
Seer = Callable[[Collection[int], Access], Mapping[int, Sight]]
Teller = Callable[[Collection[int]], Mapping[int, list[Paper]]]
# Takes an owner's number and returns its id, in one statement.
Finder = Callable[[str], int | None]

_seers: dict[str, list[Seer]] = {}
_tellers: dict[str, Teller] = {}
_finders: dict[str, Finder] = {}


def register(prefix: str, seer: Seer, *, finder: Finder | None = None, teller: Teller | None = None) -> None:
    """Let ``seer`` say who sees the owners whose streams read ``prefix:<id>``; each audience may have a seer."""
    known = _seers.setdefault(prefix, [])
    if seer not in known:
        known.append(seer)
    if finder is not None:
        _finders[prefix] = finder
    if teller is not None:
        _tellers[prefix] = teller


def of(streams: Iterable[str], access: Access) -> dict[str, Sight]:
    """Return how the person sees the owner of each stream; what is not in it does not exist for that person.

    Somebody with two roles sees by the one that leaves no trace, then by the one that sees all of the owner's clocks,
    then by the one to which officers are named.
    """
    found: dict[str, Sight] = {}
    for prefix, keys in by_prefix(streams).items():
        for seer in _seers.get(prefix, ()):
            for key, sight in seer(keys, access).items():
                stream = f"{prefix}:{key}"
                if stream not in found or _rank(sight) > _rank(found[stream]):
                    found[stream] = sight
    return found


def _rank(sight: Sight) -> tuple[bool, bool, bool]:
    return sight.note is None, sight.clocks is None, sight.names


def papers(streams: Iterable[str]) -> dict[str, list[Paper]]:
    """Return the papers of the owners of these streams; one statement a kind of owner."""
    found: dict[str, list[Paper]] = {}
    for prefix, keys in by_prefix(streams).items():
        if prefix in _tellers:
            found.update({f"{prefix}:{key}": list(rows) for key, rows in _tellers[prefix](keys).items()})
    return found


def find(prefix: str, number: str) -> str | None:
    """Return the stream of the owner with this number, None where there is none; one statement."""
    key = _finders[prefix](number) if prefix in _finders else None
    return f"{prefix}:{key}" if key is not None else None


def find_any(number: str) -> list[str]:
    """Return the streams of all owners with this number; one statement a kind of owner."""
    found = (find(prefix, number) for prefix in sorted(_finders))
    return [stream for stream in found if stream is not None]
