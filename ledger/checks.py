"""System checks of the ledger (run with `manage.py check --database default`, at start-up and in /healthz)."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from ledger import guards
from offices.triggers import standing


@register(Tags.database)
def guards_stand(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """E001: a trigger that keeps entries from being changed is missing."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if not set(guards.TABLES) <= set(connection.introspection.table_names()):
            continue
        missing = guards.names(connection) - standing(connection, always=True)
        if missing:
            found.append(
                Error(
                    f"ledger guards missing: {', '.join(sorted(missing))}", hint="manage.py migrate", id="ledger.E001"
                )
            )
    return found
