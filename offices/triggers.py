"""Which triggers stand in a database."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


def standing(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of the triggers that do stand."""
    query = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}
