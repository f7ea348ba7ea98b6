"""Database triggers that refuse to change or delete an entry, an anchor or a draw, and to undo what a period committed.

SQLite drops a table's triggers silently when a migration rebuilds it, so they are laid anew after every migrate and
their absence is a system check. What was tried: `INSERT OR REPLACE` on SQLite passes by update and delete triggers,
hence a third one.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Table → the columns of its natural key; none of its rows ever changes.
KEYS = {
    "ledger_entry": ("stream", "seq"),
    "ledger_anchor": ("day",),
    "ledger_draw": ("period_id", "number"),
}
# A period of draws counts its draws and reveals its seed once; everything else about it stands.
PERIODS = "ledger_drawperiod"
COMMITTED = ("id", "month", "part", "commitment", "blind_commitment", "algorithm", "opened_at", "is_late")
TABLES = (*KEYS, PERIODS)
UNDONE = " OR ".join(
    (
        *(f"NEW.{column} <> OLD.{column}" for column in COMMITTED),
        "NEW.drawn < OLD.drawn",
        "(OLD.revealed_seed <> '' AND NEW.revealed_seed <> OLD.revealed_seed)",
        "(OLD.revealed_seed <> '' AND NEW.drawn <> OLD.drawn)",
    )
)


def _sqlite(table: str) -> list[str]:
    refuse = f"SELECT RAISE(ABORT, '{table} is append-only');"
    key = KEYS.get(table, ("month", "part"))
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    clash = f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR ({same}))"  # noqa: S608 - our own table names
    when = f"WHEN {UNDONE} " if table == PERIODS else ""
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {when}BEGIN {refuse} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} WHEN {clash} BEGIN {refuse} END",
    ]


def _postgres(table: str) -> list[str]:
    refuse = "EXECUTE FUNCTION ledger_refuse()"
    function = """CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
        END $$"""
    rows = f"BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}"
    kept = []
    if table == PERIODS:
        rows = f"BEFORE DELETE ON {table} FOR EACH ROW {refuse}"
        undo = f"BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({UNDONE}) {refuse}"
        kept = [
            f"DROP TRIGGER IF EXISTS {table}_no_undo ON {table}",
            f"CREATE TRIGGER {table}_no_undo {undo}",
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_undo",
        ]
    return [
        function,
        f"DROP TRIGGER IF EXISTS {table}_no_change ON {table}",
        f"CREATE TRIGGER {table}_no_change {rows}",
        f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_change",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate",
        *kept,
    ]


def _kinds(connection: BaseDatabaseWrapper, table: str) -> tuple[str, ...]:
    if connection.vendor != "postgresql":
        return "no_update", "no_delete", "no_replace"
    return ("no_change", "no_truncate", "no_undo") if table == PERIODS else ("no_change", "no_truncate")


def _present(connection: BaseDatabaseWrapper) -> list[str]:
    """Those of the tables that the migrations so far have made."""
    known = set(connection.introspection.table_names())
    return [table for table in TABLES if table in known]


def names(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers that must stand on this database."""
    return {f"{table}_{kind}" for table in TABLES for kind in _kinds(connection, table)}


def install(connection: BaseDatabaseWrapper) -> None:
    """Lay the triggers on the tables that exist; safe to repeat."""
    statements = _postgres if connection.vendor == "postgresql" else _sqlite
    present = _present(connection)
    with connection.cursor() as cursor:
        for table in present:
            for statement in statements(table):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers off (the reverse of the migration, and the flush between tests)."""
    present = _present(connection)
    with connection.cursor() as cursor:
        for table in present:
            for kind in _kinds(connection, table):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{kind}{on}")


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: put back what a rebuilt table lost."""
    install(connections[using])
