"""System checks of the catalogue."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from catalogue import guards
from offices.triggers import standing


@register(Tags.database)
def guards_stand(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The triggers that hold the city's standard are in place (runs with ``check --database``)."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if guards.ITEMS not in connection.introspection.table_names():
            continue
        missing = sorted(guards.names(connection) - standing(connection))
        if missing:
            found.append(
                Error(
                    f"catalogue triggers are missing on {alias}: {', '.join(missing)}",
                    hint="run manage.py migrate, which lays them anew",
                    id="catalogue.E001",
                )
            )
    return found
