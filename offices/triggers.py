"""Which triggers stand in a database."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


def standing(connection: BaseDatabaseWrapper, *, always: bool = False) -> set[str]:
    """The names of the triggers that stand and fire; ``always``: whatever a session sets."""
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('A', %s)"
        values = ["A" if always else "O"]
    else:
        query, values = "SELECT name FROM sqlite_master WHERE type = 'trigger'", []
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return {row[0] for row in cursor.fetchall()}
