"""Indexes for what somebody types a part of: names and numbers, on PostgreSQL by their trigrams (``pg_trgm``).

A search that matches nothing would otherwise read a whole archive. They are laid after every migrate, beside the tables
of whoever registered them; a database that does not let its owner have the extension searches without, only slower.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, connections, transaction

logger = logging.getLogger(__name__)
# Whether a search walks the archive or its trigrams is decided by how many rows the part seems to fit. That is judged
# by sampled values; by a hundred of them, the default, a number that a thousand rows have may look like ten thousand.
SAMPLED = 1000
# Name of the index → its table and what it is of, in SQL.
_indexes: dict[str, tuple[str, tuple[str, ...]]] = {}


def register(name: str, table: str, *expressions: str) -> None:
    """Let ``expressions`` of ``table`` be found by a part of them (from ``apps.py``)."""
    _indexes[name] = (table, expressions)


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: lay what is not there yet, without keeping anybody from writing."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    present = set(connection.introspection.table_names())
    wanted = {name: of for name, of in _indexes.items() if of[0] in present}
    # Behind other statements of a transaction (a test's) the table is held; nobody else can be waiting for it then.
    beside = "" if connection.in_atomic_block else "CONCURRENTLY "
    try:
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        logger.warning("searches go without trigrams: %s", type(error).__name__)
        return
    with connection.cursor() as cursor:
        for name, (table, expressions) in wanted.items():
            keys = ", ".join(f"{one} gin_trgm_ops" for one in expressions)
            cursor.execute(f"CREATE INDEX {beside}IF NOT EXISTS {name} ON {table} USING gin ({keys})")
            for number, one in enumerate(expressions, 1):
                sampled = f"INDEX {name} ALTER COLUMN {number}" if "(" in one else f"TABLE {table} ALTER COLUMN {one}"
                cursor.execute(f"ALTER {sampled} SET STATISTICS {SAMPLED}")
