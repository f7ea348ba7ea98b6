"""Which app answers for which kind of clock: a table that upper apps fill from their ``apps.py``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.core.exceptions import ImproperlyConfigured

from deadlines.kinds import KindCode

H = TypeVar("H")


class Handlers(Generic[H]):
    """One handler for each kind; ``what`` names the occasion in errors."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._table: dict[KindCode, H] = {}

    def register(self, kind: KindCode, handler: H) -> None:
        """Let ``handler`` answer for ``kind``; a second, different one is refused."""
        if self._table.get(kind, handler) is not handler:
            raise ImproperlyConfigured(f"{self.what} of {kind} already have a handler")
        self._table[kind] = handler

    def is_registered(self, kind: KindCode) -> bool:
        """Whether somebody answers for ``kind``."""
        return kind in self._table

    def get(self, kind: KindCode) -> H:
        """Return the handler of ``kind``; raises ``ImproperlyConfigured``."""
        if kind not in self._table:
            raise ImproperlyConfigured(f"no handler answers {self.what} of {kind}")
        return self._table[kind]

    @contextmanager
    def replaced(self, replacing: Mapping[KindCode, H], *, without: Collection[KindCode] = ()) -> Iterator[None]:
        """Answer by ``replacing``, and ``without`` these not at all, for a while: for benchmarks and tests."""
        kept = dict(self._table)
        self._table.update(replacing)
        for kind in without:
            self._table.pop(kind, None)
        try:
            yield
        finally:
            self._table.clear()
            self._table.update(kept)
