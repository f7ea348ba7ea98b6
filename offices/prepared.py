"""Statements that PostgreSQL plans once a connection: reading and planning a wide one takes it longer than answering.

What is kept in the process (``offices.kept``, ``offices.tally``) is sent by ``PREPARE`` the first time a connection
asks it, and by ``EXECUTE`` from then on. Either it has gaps for its values and names no row itself, as what is read
by keys: one plan serves everybody. Or it has none, and says whose counts and whose queue it is: its plan is made for
these and nobody else, for a plan for an average office was up to six times as slow for the busiest one. What is
neither is planned each time. PostgreSQL plans anew when a table changed or its statistics did.

A pooler that gives each transaction another connection needs ``PREPARED_STATEMENTS=false``; SQLite knows none of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connections
from psycopg2.extensions import AsIs

MOST = 96  # statements kept in a connection of PostgreSQL: some 100 KB each, the counts of a rail up to 1 MB
# What the value of a place is declared to be.
TYPES = {dt.datetime: "timestamptz", dt.date: "date", int: "bigint", str: "text"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the value of that number goes in a statement."""

    number: int


def _names_rows(one: Any) -> bool:
    """Whether a parameter is a number of the text: whose rows, which item."""
    return isinstance(one, int) and not isinstance(one, bool)


def serves(db: str, parameters: Sequence[Any]) -> bool:
    """Whether a statement with these parameters is prepared on that database."""
    if not settings.PREPARED_STATEMENTS or connections[db].vendor != "postgresql":
        return False
    return not any(isinstance(one, Place) for one in parameters) or not any(map(_names_rows, parameters))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as PostgreSQL keeps it: its name, what declares it, and how it is asked."""

    name: str
    declared: bytes
    asked: str

    @classmethod
    def of(cls, db: str, sql: str, parameters: Sequence[Any], kinds: Sequence[type] = ()) -> Prepared:
        """The statement ``sql`` with its ``parameters``, a ``Place`` where a value of ``kinds`` is still to come."""
        filled = [AsIs(f"${one.number + 1}") if isinstance(one, Place) else one for one in parameters]
        with connections[db].cursor() as cursor:
            text = cursor.cursor.mogrify(sql, filled)
        types = f" ({', '.join(TYPES[kind] for kind in kinds)})" if kinds else ""
        gaps = f" ({', '.join(['%s'] * len(kinds))})" if kinds else ""
        name = f"kept_{hashlib.blake2b(types.encode() + text, digest_size=12).hexdigest()}"
        return cls(name, f"PREPARE {name}{types} AS ".encode() + text, f"EXECUTE {name}{gaps}")

    def ready(self, db: str) -> str:
        """Let this thread's connection know the statement; return what asks it, with a gap for each value in order."""
        connection = connections[db]
        connection.ensure_connection()
        known = _known.setdefault(connection.connection, OrderedDict())
        if self.name in known:
            known.move_to_end(self.name)
            return self.asked
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            if len(known) >= MOST:
                oldest, _ = known.popitem(last=False)
                cursor.execute(f"DEALLOCATE {oldest}")
            cursor.execute(self.declared)
        known[self.name] = None
        return self.asked


# Connection of the driver → the names that it knows, the longest unasked first. It goes with the connection.
_known: WeakKeyDictionary[Any, OrderedDict[str, None]] = WeakKeyDictionary()
