"""Who is told when a change of the calendar moves a due date, or says that it stands after all.

Upper apps register from their ``apps.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from deadlines.handlers import Handlers
from deadlines.kinds import KindCode


@dataclass(frozen=True, slots=True)
class Move:
    """A clock whose due date moved from ``before`` to ``after``; a paused one will move again when it is resumed."""

    deadline_id: int
    kind: KindCode
    stream: str
    before: date
    after: date
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A running clock whose due date rested on a year not published yet, and stands now that it is."""

    deadline_id: int
    kind: KindCode
    stream: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Publication:
    """The change of the calendar that moved it: the year and the version that it has now (``2``, provisional ``1p``).

    ``key`` is the same however often the recompute is begun again, so it names the occasion in the keys of messages.
    """

    year: int
    label: str

    @property
    def key(self) -> str:
        """``calendar:2027.2``."""
        return f"calendar:{self.year}.{self.label}"

    @property
    def is_official(self) -> bool:
        """Whether the year rests on the State Council's notice."""
        return not self.label.endswith("p")

    @property
    def because(self) -> str:
        """The reason in a sentence to a person: ``因2027年节假日安排发布``."""
        return f"因{self.year}年节假日安排{'发布' if self.is_official else '暂定调整'}"


# Called with all moves of one kind in a batch, in its transaction; its statements must not grow with the rows.
Handler = Callable[[Sequence[Move], Publication, datetime], None]
# Called likewise with all clocks of one kind whose day stands.
Standing = Callable[[Sequence[Confirmed], Publication, datetime], None]

_moved: Handlers[Handler] = Handlers("moves")
register_moved = _moved.register
is_registered = _moved.is_registered
moved_handlers = _moved.replaced
_confirmed: Handlers[Standing] = Handlers("days that stand")
register_confirmed = _confirmed.register


T = TypeVar("T", Move, Confirmed)


def _hand(
    handlers: Handlers[Callable[[Sequence[T], Publication, datetime], None]],
    found: Sequence[T],
    publication: Publication,
    now: datetime,
) -> None:
    by_kind: dict[KindCode, list[T]] = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    for kind in sorted(by_kind):
        if handlers.is_registered(kind):
            handlers.get(kind)(by_kind[kind], publication, now)


def tell(moves: Sequence[Move], publication: Publication, now: datetime) -> None:
    """Hand the moves of a batch to the handlers of their kinds; a kind that nobody registered concerns nobody."""
    _hand(_moved, moves, publication, now)


def tell_confirmed(clocks: Sequence[Confirmed], publication: Publication, now: datetime) -> None:
    """Hand the clocks of a batch whose day stands to the handlers of their kinds, as ``tell`` does."""
    _hand(_confirmed, clocks, publication, now)
