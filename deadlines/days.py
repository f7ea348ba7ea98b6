"""A day of a clock kept in the row that the clock is of, by the database: what lists sort by and filter by.

The day follows from the row, its clocks and whatever else its rule names. Whoever writes one of these, by whatever way,
the database writes the day in the same statement: no list sorts by a day that is not so. ``differences`` recounts it,
for ``reconcile``.

SQLite cannot rebuild a table that another table's trigger speaks of, and drops triggers of what it rebuilds: there they
are lifted before a migrate and laid anew behind it, the days with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from offices.triggers import standing

CLOCKS = "deadlines_deadline"
BATCH = 5000


def due(row: str, key: str) -> str:
    """SQL of the due day of the clock in the column ``key`` of ``row``."""
    return f"(SELECT due_on FROM {CLOCKS} WHERE id = {row}.{key})"  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Beside:
    """A further table that the day follows: its columns, its key to the row, and in which rows it matters (SQL)."""

    table: str
    name: str
    columns: tuple[str, ...]
    key: str
    where: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class KeptDay:
    """The day in ``column`` of ``table``: ``day`` gives its SQL for a row, which reads the columns ``follows``.

    ``owner`` names a row in streams and in functions, ``verb`` the triggers, ``keys`` the columns of its clocks.
    """

    table: str
    column: str
    owner: str
    verb: str
    keys: tuple[str, ...]
    follows: tuple[str, ...]
    day: Callable[[str], str]
    beside: tuple[Beside, ...] = ()

    def _moved(self, numbered: str) -> str:
        return f"OLD.due_on <> NEW.due_on AND NEW.stream {numbered}"

    def _of_clock(self, integer: str) -> str:
        number = f"CAST(substr(NEW.stream, {len(self.owner) + 2}) AS {integer})"
        return f"id = {number} AND NEW.id IN ({', '.join(self.keys)})"

    def _sqlite(self) -> list[str]:
        days = f"UPDATE {self.table} SET {self.column} = {self.day(self.table)} WHERE"  # noqa: S608 - our own names
        moved = self._moved(f"GLOB '{self.owner}:[0-9]*'")
        own = f"ON {self.table} BEGIN {days} id = NEW.id; END"
        laid = {
            (self.table, "insert"): f"AFTER INSERT {own}",
            (self.table, "update"): f"AFTER UPDATE OF {', '.join((*self.follows, *self.keys))} {own}",
            (CLOCKS, "update"): f"AFTER UPDATE OF due_on ON {CLOCKS} WHEN {moved} "
            f"BEGIN {days} {self._of_clock('INTEGER')}; END",
        }
        for one in self.beside:
            then = f"ON {one.table} BEGIN {days} id = NEW.{one.key}; END"
            laid[one.table, "insert"] = f"AFTER INSERT {then}"
            laid[one.table, "update"] = f"AFTER UPDATE OF {', '.join(one.columns)} {then}"
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_{self.verb}_{event} {body}" for (table, event), body in laid.items()
        ]

    def _postgres(self) -> list[str]:
        # The row's own trigger writes the day whenever its column is written, with whatever.
        touch = f"UPDATE {self.table} SET {self.column} = {self.column} WHERE"  # noqa: S608 - our own names
        functions = {
            f"{self.owner}_{self.verb}": f"NEW.{self.column} := {self.day('NEW')}; RETURN NEW;",
            f"{self.owner}_clock_{self.verb}": f"{touch} {self._of_clock('bigint')}; RETURN NULL;",
        }
        columns = ", ".join((*self.follows, *self.keys, self.column))
        moved = self._moved(f"~ '^{self.owner}:[0-9]+$'")
        events = {
            self.table: f"BEFORE INSERT OR UPDATE OF {columns} ON {self.table} FOR EACH ROW "
            f"EXECUTE FUNCTION {self.owner}_{self.verb}()",
            CLOCKS: f"AFTER UPDATE OF due_on ON {CLOCKS} FOR EACH ROW WHEN ({moved}) "
            f"EXECUTE FUNCTION {self.owner}_clock_{self.verb}()",
        }
        for one in self.beside:
            function = f"{self.owner}_{one.name}_{self.verb}"
            functions[function] = f"{touch} id = NEW.{one.key} AND {one.where}; RETURN NULL;"
            events[one.table] = (
                f"AFTER INSERT OR UPDATE OF {', '.join(one.columns)} ON {one.table} FOR EACH ROW "
                f"EXECUTE FUNCTION {function}()"
            )
        laid = [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
            for name, body in functions.items()
        ]
        for table, event in events.items():
            name = f"{table}_{self.verb}"
            laid += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"CREATE TRIGGER {name} {event}"]
        return laid

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Lay the triggers; safe to repeat."""
        with connection.cursor() as cursor:
            for statement in self._postgres() if connection.vendor == "postgresql" else self._sqlite():
                cursor.execute(statement)

    def remove(self, connection: BaseDatabaseWrapper) -> None:
        """Take the triggers off."""
        with connection.cursor() as cursor:
            for name, table in self.names(connection).items():
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")

    @property
    def _tables(self) -> tuple[str, ...]:
        return (self.table, CLOCKS, *(one.table for one in self.beside))

    def names(self, connection: BaseDatabaseWrapper) -> dict[str, str]:
        """Name of each trigger that must stand on this database → its table."""
        if connection.vendor == "postgresql":
            return {f"{table}_{self.verb}": table for table in self._tables}
        inserted = [table for table in self._tables if table != CLOCKS]
        events = [(table, "insert") for table in inserted] + [(table, "update") for table in self._tables]
        return {f"{table}_{self.verb}_{event}": table for table, event in events}

    def write(self, connection: BaseDatabaseWrapper) -> int:
        """Write the day of every row that says another one, a batch a statement; returns how many there were."""
        batch = f"SELECT max(id) FROM (SELECT id FROM {self.table} WHERE id > %s ORDER BY id LIMIT {BATCH}) AS batch"  # noqa: S608
        found, last = 0, 0
        with connection.cursor() as cursor:
            while True:
                cursor.execute(batch, [last])
                upto = cursor.fetchone()[0]
                if upto is None:
                    return found
                cursor.execute(
                    f"UPDATE {self.table} SET {self.column} = {self.day(self.table)} "  # noqa: S608 - our own names
                    f"WHERE id > %s AND id <= %s AND {self.column} <> {self.day(self.table)}",
                    [last, upto],
                )
                found, last = found + cursor.rowcount, upto

    def differences(self) -> Iterator[str]:
        """The number of each row that says another day than its clocks; read-only (``reconcile``)."""
        connection = connections["default"]
        wrong = f"{self.column} <> {self.day(self.table)}"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT number FROM {self.table} WHERE {wrong} ORDER BY id")  # noqa: S608 - our own names
            rows = cursor.fetchall()
        yield from (number for (number,) in rows)

    def _stand(self, connection: BaseDatabaseWrapper) -> bool:
        """Whether the tables are there, with the column."""
        if not set(self._tables) <= set(connection.introspection.table_names()):
            return False
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, self.table)
        return any(column.name == self.column for column in columns)

    def lift(self, using: str, **kwargs: Any) -> None:
        """Before every migrate on SQLite."""
        if connections[using].vendor == "sqlite":
            self.remove(connections[using])

    def reinstall(self, using: str, **kwargs: Any) -> None:
        """After every migrate: put back what a rebuilt table lost, and what was written meanwhile."""
        connection = connections[using]
        if self._stand(connection):
            self.install(connection)
            if connection.vendor == "sqlite":
                self.write(connection)

    def missing(self, databases: Sequence[str] | None, code: str) -> list[CheckMessage]:
        """The warning ``code`` for each database in which a trigger does not stand; a migrate lays it."""
        found: list[CheckMessage] = []
        for alias in databases or []:
            connection = connections[alias]
            gone = set(self.names(connection)) - standing(connection) if self._stand(connection) else set()
            if gone:
                said = f"triggers of {self.table}.{self.column} missing: {', '.join(sorted(gone))}"
                found.append(checks.Warning(said, hint="manage.py migrate", id=code))
        return found
