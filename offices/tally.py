"""Counts beside filters and in the rail: bounded, so that they cost the same however long the lists are.

All counts of a page are one statement. Its text depends on the asker's postings, the day and what was asked for, and on
nothing in the database; putting it together costs more than asking it, so each text is kept for whoever asks again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

from offices.access import Access
from offices.prepared import Prepared, serves

MOST = 99
KEPT = 2048  # statements kept in a process
Lists = Callable[..., Mapping[str, QuerySet[Any]]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a statement's text depends on; the access itself only serves to write it."""

    lists: Lists
    key: tuple[Hashable, ...]
    arguments: tuple[Hashable, ...]
    most: int
    access: Access = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Statement:
    names: tuple[str, ...]
    sql: str
    values: tuple[Any, ...]
    prepared: Prepared | None = None

    def ready(self) -> tuple[str, tuple[Any, ...]]:
        """What is sent to the database."""
        if self.prepared is None or not settings.PREPARED_STATEMENTS:
            return self.sql, self.values
        return self.prepared.ready(DEFAULT_DB_ALIAS), ()


def _bounded(rows: QuerySet[Any], most: int) -> tuple[str, tuple[Any, ...]]:
    """Count the different keys among the first ``most`` + 1 rows; a union already gives its keys."""
    keys = rows if rows.query.combinator else rows.order_by().values_list("pk", flat=True)
    try:
        sql, values = keys[: most + 1].query.sql_with_params()
    except EmptyResultSet:
        return "0", ()
    return f"(SELECT count(*) FROM (SELECT DISTINCT * FROM ({sql}) AS waiting) AS rows_)", tuple(values)  # noqa: S608 - by the ORM


def _written(asked: _Asked) -> _Statement:
    lists = asked.lists(asked.access, *asked.arguments)
    parts = [_bounded(rows, asked.most) for rows in lists.values()]
    values = tuple(value for _, given in parts for value in given)
    return _Statement(tuple(lists), "SELECT " + ", ".join(sql for sql, _ in parts), values)


@functools.lru_cache(maxsize=KEPT)
def _kept(asked: _Asked) -> _Statement:
    """The statement, which PostgreSQL keeps too."""
    found = _written(asked)
    if not found.names or not serves(DEFAULT_DB_ALIAS, found.values):
        return found
    return replace(found, prepared=Prepared.of(DEFAULT_DB_ALIAS, found.sql, found.values))


def tally(access: Access, lists: Lists, *arguments: Hashable, most: int = MOST, keep: bool = True) -> dict[str, int]:
    """Return name → number of rows of each list, counted up to ``most`` + 1; one statement for all of them.

    ``lists`` is a function of a module: (access, \\*arguments) → name → rows. It may read nothing from the database and
    nothing but its arguments: what it returns for them is kept. ``keep=False`` where an argument is what somebody
    typed: names and numbers of people do not stay in memory, and nobody types the same again.
    """
    statement = (_kept if keep else _written)(_Asked(lists, access.key, arguments, most, access))
    if not statement.names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(*statement.ready())
        return dict(zip(statement.names, cursor.fetchone(), strict=True))


def up_to(number: int, most: int = MOST) -> str:
    """A number of ``tally`` as a page shows it: ``99+`` beyond ``most``."""
    return f"{most}+" if number > most else str(number)
