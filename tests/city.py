"""A whole demo city in a test's database: loaded once a session through the real commands.

PostgreSQL keeps it in a second database, with statistics that fit its rows; a test in a transaction is moved there.
Writing it anew for each would leave millions of dead rows, and plans made for empty tables. SQLite, and a transactional
test, have the rows copied from tables that lie beside the portal's, each named ``standing_…``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction

from deadlines import calendar

_filled: list[type[models.Model]] = []
# The names of the test database and of its copy with the city; the latter only once it is there.
_places: dict[str, str] = {}


def _tables() -> list[type[models.Model]]:
    """Every table of the portal's own apps; row histories stay behind, nobody asks for the loader's."""
    ours = [config for config in apps.get_app_configs() if (settings.BASE_DIR / config.name).is_dir()]
    models_ = [model for config in ours for model in config.get_models(include_auto_created=True)]
    return [model for model in models_ if not model.__name__.startswith("Historical")]


def _standing(model: type[models.Model]) -> str:
    return connection.ops.quote_name(f"standing_{model._meta.db_table}"[:60])


def _take() -> None:
    kind = "UNLOGGED TABLE" if connection.vendor == "postgresql" else "TABLE"
    with transaction.atomic(), connection.cursor() as cursor:
        for model in _tables():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")
            if cursor.fetchone()[0]:
                cursor.execute(f"DROP TABLE IF EXISTS {_standing(model)}")
                cursor.execute(f"CREATE {kind} {_standing(model)} AS SELECT * FROM {table}")
                _filled.append(model)


def _put() -> None:
    """Copy the rows back; on PostgreSQL in one round, keys unchecked: they were right when the rows were read."""
    statements = []
    for model in _filled:
        columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in model._meta.local_concrete_fields)
        table = connection.ops.quote_name(model._meta.db_table)
        statements.append(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_standing(model)}")
    statements += [one.rstrip(";") for one in connection.ops.sequence_reset_sql(no_style(), _filled)]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            for statement in statements:
                cursor.execute(statement)
            return
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            statements.insert(0, "SET LOCAL session_replication_role = replica")
            statements.append("SET LOCAL session_replication_role = origin")
        cursor.execute("; ".join(statements))


def load() -> None:
    """Fill the test's database with the demo city without cases; nothing to do where it stands."""
    calendar.forget()
    if _places and connection.settings_dict["NAME"] == _places["city"]:
        return
    if _filled:
        _put()
    else:
        call_command("load_demo", "--no-cases", stdout=io.StringIO())
        _take()


def move(*, to_city: bool) -> None:
    """Let the next test begin in the city, or in the empty database; outside a transaction."""
    if not _places:
        return
    name = _places["city" if to_city else "empty"]
    if connection.settings_dict["NAME"] != name:
        connection.close()
        connection.settings_dict["NAME"] = name


@contextmanager
def beside() -> Iterator[None]:
    """Lay the city beside the empty test database for the rest of the session, and go there (PostgreSQL)."""
    load()
    if connection.vendor != "postgresql":
        yield
        return
    quote = connection.ops.quote_name
    empty = str(connection.settings_dict["NAME"])
    city = f"{empty}_city"
    with connection.cursor() as cursor:  # the row histories of the loading stay behind here too
        for model in set(apps.get_models(include_auto_created=True)) - set(_tables()):
            if model.__name__.startswith("Historical"):
                cursor.execute(f"DELETE FROM {quote(model._meta.db_table)}")
        for model in _filled:
            cursor.execute(f"VACUUM ANALYZE {quote(model._meta.db_table)}")
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote(city)}")
        cursor.execute(f"CREATE DATABASE {quote(city)} TEMPLATE {quote(empty)}")
    _places.update(empty=empty, city=city)
    yield
    move(to_city=False)
    _places.clear()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quote(city)}")
