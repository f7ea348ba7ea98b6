"""Database triggers that keep an inheriting item from having materials or facts of its own (O3.2.1d).

SQLite drops a table's triggers silently when a migration rebuilds it, so they are laid anew after every migrate.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

CONTENT = ("catalogue_material", "catalogue_itemfact")
ITEMS = "catalogue_businessitem"
_SAYING = "an item that inherits the standard has no content of its own"
_INHERITS = f"SELECT 1 FROM {ITEMS} WHERE id = NEW.business_item_id AND standard_item_id IS NOT NULL"  # noqa: S608
_HAS_CONTENT = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE business_item_id = NEW.id)" for table in CONTENT)  # noqa: S608
_CHAIN = (
    f"EXISTS (SELECT 1 FROM {ITEMS} WHERE id = NEW.standard_item_id AND (id = NEW.id OR standard_item_id IS NOT NULL))"  # noqa: S608
    f" OR EXISTS (SELECT 1 FROM {ITEMS} WHERE standard_item_id = NEW.id)"
)


def _sqlite() -> list[str]:
    refuse = f"SELECT RAISE(ABORT, '{_SAYING}');"
    statements = []
    for event in ("INSERT", "UPDATE"):
        statements += [
            f"CREATE TRIGGER IF NOT EXISTS {table}_inherits_{event.lower()} BEFORE {event} ON {table} "
            f"WHEN EXISTS ({_INHERITS}) BEGIN {refuse} END"
            for table in CONTENT
        ]
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {ITEMS}_inherits_{event.lower()} BEFORE {event} ON {ITEMS} "
            f"WHEN NEW.standard_item_id IS NOT NULL AND ({_HAS_CONTENT} OR {_CHAIN}) BEGIN {refuse} END"
        )
    return statements


def _postgres() -> list[str]:
    raising = f"RAISE EXCEPTION '{_SAYING}' USING ERRCODE = 'integrity_constraint_violation'"
    statements = [
        f"CREATE OR REPLACE FUNCTION catalogue_content_inherits() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF EXISTS ({_INHERITS}) THEN {raising}; END IF; RETURN NEW; END $$",
        f"CREATE OR REPLACE FUNCTION catalogue_item_inherits() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NEW.standard_item_id IS NOT NULL AND ({_HAS_CONTENT} OR {_CHAIN}) THEN {raising}; END IF; "
        f"RETURN NEW; END $$",
    ]
    for table in (*CONTENT, ITEMS):
        function = "catalogue_item_inherits" if table == ITEMS else "catalogue_content_inherits"
        statements += [
            f"DROP TRIGGER IF EXISTS {table}_inherits ON {table}",
            f"CREATE TRIGGER {table}_inherits BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        ]
    return statements


def install(connection: BaseDatabaseWrapper) -> None:
    """Lay the triggers; safe to repeat."""
    with connection.cursor() as cursor:
        for statement in _postgres() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)


def names(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers that must stand on this database."""
    tables = (*CONTENT, ITEMS)
    if connection.vendor == "postgresql":
        return {f"{table}_inherits" for table in tables}
    return {f"{table}_inherits_{event}" for table in tables for event in ("insert", "update")}


def lift(using: str, **kwargs: Any) -> None:
    """Before every migrate: SQLite cannot rebuild a table that another table's trigger speaks of."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for name in sorted(names(connection)):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: put back what a rebuilt table lost."""
    connection = connections[using]
    if {*CONTENT, ITEMS} <= set(connection.introspection.table_names()):
        install(connection)
