"""Database triggers that refuse to change or delete an entry or an anchor.

SQLite drops a table's triggers silently when a migration rebuilds it, so they are laid anew after every migrate and
their absence is a system check. What was tried: `INSERT OR REPLACE` on SQLite passes by update and delete triggers,
hence a third one.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("ledger_entry", "ledger_anchor")


def _sqlite(table: str) -> list[str]:
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only');"
    key = (
        "id = NEW.id OR (stream = NEW.stream AND seq = NEW.seq)"
        if table == "ledger_entry"
        else "id = NEW.id OR day = NEW.day"
    )
    clash = f"EXISTS (SELECT 1 FROM {table} WHERE {key})"  # noqa: S608 - our own table names
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} WHEN {clash} BEGIN {refuse} END",
    ]


def _postgres(table: str) -> list[str]:
    refuse = "EXECUTE FUNCTION ledger_refuse()"
    return [
        """CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$""",
        f"DROP TRIGGER IF EXISTS {table}_no_change ON {table}",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
        f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
    ]


def names(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers that must stand on this database."""
    kinds = (
        ("no_change", "no_truncate") if connection.vendor == "postgresql" else ("no_update", "no_delete", "no_replace")
    )
    return {f"{table}_{kind}" for table in TABLES for kind in kinds}


def install(connection: BaseDatabaseWrapper) -> None:
    """Lay the triggers; safe to repeat."""
    statements = _postgres if connection.vendor == "postgresql" else _sqlite
    with connection.cursor() as cursor:
        for table in TABLES:
            for statement in statements(table):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers off (the reverse of the migration, and the flush between tests)."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for name in sorted(names(connection)):
                if name.startswith(table):
                    on = f" ON {table}" if connection.vendor == "postgresql" else ""
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def standing(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers that do stand."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: put back what a rebuilt table lost."""
    connection = connections[using]
    if set(TABLES) <= set(connection.introspection.table_names()):
        install(connection)
