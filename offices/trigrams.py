"""Indexes for what somebody types a part of: names and numbers, on PostgreSQL by their trigrams (``pg_trgm``).

A search that matches nothing would otherwise read a whole archive. They are laid after every migrate, beside the tables
of whoever registered them; a database that does not let its owner have the extension searches without, only slower.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, transaction

logger = logging.getLogger(__name__)
# Whether a search walks the archive or its trigrams is decided by how many rows the part seems to fit. That is judged
# by sampled values; by a hundred of them, the default, a number that a thousand rows have may look like ten thousand.
SAMPLED = 1000


@dataclass(frozen=True, slots=True)
class Of:
    """What an index is of, in SQL: its table, the expressions, and which rows stand in it (all without a ``where``)."""

    table: str
    expressions: tuple[str, ...]
    where: str


# Name of the index → what it is of.
_indexes: dict[str, Of] = {}


def register(name: str, table: str, *expressions: str, where: str = "") -> None:
    """Let ``expressions`` of ``table`` be found by a part of them (from ``apps.py``).

    With ``where`` the index serves searches among those rows alone: what few rows match is found sooner than among all.
    """
    _indexes[name] = Of(table, expressions, where)


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: lay what is not there yet, without keeping anybody from writing."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    present = set(connection.introspection.table_names())
    wanted = {name: of for name, of in _indexes.items() if of.table in present}
    # Behind other statements of a transaction (a test's) the table is held; nobody else can be waiting for it then.
    beside = "" if connection.in_atomic_block else "CONCURRENTLY "
    try:
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        logger.warning("searches go without trigrams: %s", type(error).__name__)
        return
    with connection.cursor() as cursor:
        for name, of in wanted.items():
            keys = ", ".join(f"{one} gin_trgm_ops" for one in of.expressions)
            among = f" WHERE {of.where}" if of.where else ""
            cursor.execute(f"CREATE INDEX {beside}IF NOT EXISTS {name} ON {of.table} USING gin ({keys}){among}")
        # Of an expression the planner knows nothing by an index of some rows alone: it is sampled for itself.
        for table, one in sorted({(of.table, one) for of in wanted.values() for one in of.expressions}):
            if "(" not in one:
                cursor.execute(f"ALTER TABLE {table} ALTER COLUMN {one} SET STATISTICS {SAMPLED}")
                continue
            name = sampled_as(table, one)
            cursor.execute(f"CREATE STATISTICS IF NOT EXISTS {name} ON ({one}) FROM {table}")
            cursor.execute(f"ALTER STATISTICS {name} SET STATISTICS {SAMPLED}")


def sampled_as(table: str, expression: str) -> str:
    """Name of the statistics of an expression."""
    return re.sub(r"\W+", "_", f"{table}_{expression}").strip("_")
