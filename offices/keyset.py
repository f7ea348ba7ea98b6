"""Pages of a list by keyset: the ten-thousandth page costs what the first one costs."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

from offices import kept

M = TypeVar("M", bound=Model)
SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page: its rows, and the cursors of the pages after and before it (empty: there is none)."""

    rows: list[M]
    next: str
    previous: str

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.date):
        return ["t" if isinstance(value, dt.datetime) else "d", value.isoformat()]
    return value


def _encode(direction: str, values: Sequence[Any]) -> str:
    plain = [_plain(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps([direction, plain]).encode()).decode().rstrip("=")


def _decode(cursor: str, width: int) -> tuple[str, list[Any]] | None:
    """Return (direction, values), or None for what ``_encode`` did not make."""
    try:
        direction, plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [
            (dt.datetime.fromisoformat(v[1]) if v[0] == "t" else dt.date.fromisoformat(v[1]))
            if isinstance(v, list)
            else v
            for v in plain
        ]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    simple = all(isinstance(v, str | int | dt.datetime | dt.date) for v in values)
    return (direction, values) if direction in {"n", "p"} and len(values) == width and simple else None


class Keyset(Generic[M]):
    """A queryset in a fixed order of non-null columns that ends in a unique one, such as ``("-touched_at", "-id")``.

    ``wide``: its rows come with many joins and no index has its order. The page's keys are then sorted alone, and only
    the rows shown are joined; a function of a module that makes rows of their keys alone (what may be seen was settled
    with the keys) is planned once for everybody.
    ``key``: all that the text of its statements depends on besides the order, so that they are written once
    (``offices.kept``); the queryset is then given as what makes it. None where somebody typed a search.
    """

    def __init__(
        self,
        queryset: QuerySet[M] | Callable[[], QuerySet[M]],
        order: Sequence[str],
        size: int = SIZE,
        *,
        wide: bool | Callable[[Sequence[int]], QuerySet[M]] = False,
        key: Hashable = None,
    ) -> None:
        self._make = queryset if callable(queryset) else lambda: queryset
        self.key = key
        self.order = tuple(order)
        self.size = size
        self.wide = wide
        # A cursor is signed for its order: nobody can put values of another type, or of a row unseen, into the query.
        self._signer = signing.Signer(salt=f"keyset:{','.join(self.order)}")

    def _place(self, cursor: str) -> tuple[str, list[Any]] | None:
        """What a cursor of this order says; None for one that nobody gave out: the list then begins anew."""
        try:
            return _decode(self._signer.unsign(cursor), len(self.order))
        except signing.BadSignature:
            return None

    def knows(self, cursor: str) -> bool:
        """Whether a list of this order gave ``cursor`` out."""
        return self._place(cursor) is not None

    def _after(self, values: Sequence[Any], *, backwards: bool) -> Q:
        """Rows behind ``values`` in the order; the first comparison alone lets the index serve the rest."""
        condition = Q()
        equal: dict[str, Any] = {}
        for column, value in zip(self.order, values, strict=True):
            name = column.removeprefix("-")
            down = column.startswith("-") != backwards
            condition |= Q(**equal, **{f"{name}__{'lt' if down else 'gt'}": value})
            equal[name] = value
        first = self.order[0].removeprefix("-")
        edge = "lte" if self.order[0].startswith("-") != backwards else "gte"
        return Q(**{f"{first}__{edge}": values[0]}) & condition

    def after(self, row: M) -> str:
        """The cursor of the page that begins behind ``row``."""
        return self._cursor("n", row)

    def _cursor(self, direction: str, row: M) -> str:
        values = []
        for column in self.order:
            value: Any = row
            for part in column.removeprefix("-").split("__"):
                value = getattr(value, part)
            values.append(value)
        return self._signer.sign(_encode(direction, values))

    def cursor_after(self, row: M) -> str:
        """The cursor of the page that begins behind ``row``."""
        return self._cursor("n", row)

    def _ask(self, kind: Hashable, write: Callable[..., QuerySet[M]], *values: Any) -> list[Any]:
        if self.key is None:
            return list(write(*values))
        return kept.ask((self.key, self.order, self.size, kind), write, *values)

    def _ordered(self, values: Sequence[Any], *, backwards: bool) -> QuerySet[M]:
        """One row more than the page that begins behind ``values``; of a wide list the keys alone."""
        order = [c.removeprefix("-") if c.startswith("-") else f"-{c}" for c in self.order] if backwards else self.order
        rows = self._make().order_by(*order)
        if values:
            rows = rows.filter(self._after(values, backwards=backwards))
        return (rows.values_list("pk", flat=True) if self.wide else rows)[: self.size + 1]

    def _found(self, values: Sequence[Any], *, backwards: bool) -> tuple[list[M], bool]:
        """The rows of the page behind ``values``, and whether there are more behind them.

        A row that leaves a wide list between its key and itself is missing; that there are more is not.
        """
        kind = (bool(self.wide), backwards)
        found = self._ask(kind, lambda *given: self._ordered(given, backwards=backwards), *values)
        more = len(found) > self.size
        if not self.wide or not found:
            return found[: self.size], more
        if callable(self.wide):
            rows: list[M] = kept.ask(self.wide, self.wide, found[: self.size])
        else:
            rows = self._ask("rows", lambda keys: self._make().filter(pk__in=keys).order_by(), found[: self.size])
        by_key = {row.pk: row for row in rows}
        return [by_key[key] for key in found if key in by_key], more

    def page(self, cursor: str = "") -> Page[M]:
        """Return the page at ``cursor`` (from a former page); without a cursor, the first page.

        One statement; two for a list whose rows are wide.
        """
        place = self._place(cursor) if cursor else None
        backwards = place is not None and place[0] == "p"
        found, more = self._found(place[1] if place is not None else (), backwards=backwards)
        if backwards:
            found.reverse()
        has_next = (backwards or more) and bool(found)
        has_previous = (more if backwards else place is not None) and bool(found)
        return Page(
            found,
            self._cursor("n", found[-1]) if has_next else "",
            self._cursor("p", found[0]) if has_previous else "",
        )
