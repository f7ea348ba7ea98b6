"""A whole demo city in a test's database: loaded once a session through the real commands, then copied row by row."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction

from deadlines import calendar

Snapshot = list[tuple[type[models.Model], list[str], list[tuple[Any, ...]]]]
_snapshot: Snapshot = []
_texts: list[bytes] = []


def _tables() -> list[type[models.Model]]:
    """Every table of the portal's own apps; row histories stay behind, nobody asks for the loader's."""
    ours = [config for config in apps.get_app_configs() if (settings.BASE_DIR / config.name).is_dir()]
    models_ = [model for config in ours for model in config.get_models(include_auto_created=True)]
    return [model for model in models_ if not model.__name__.startswith("Historical")]


def _take() -> None:
    with connection.cursor() as cursor:
        for model in _tables():
            quote = connection.ops.quote_name
            columns = [str(field.column) for field in model._meta.local_concrete_fields]
            names = ", ".join(str(quote(column)) for column in columns)
            cursor.execute(f"SELECT {names} FROM {quote(model._meta.db_table)}")
            rows = cursor.fetchall()
            if rows:
                _snapshot.append((model, columns, rows))


def _put_postgres() -> None:
    """The rows as one text, written once a session; keys need no check, they were right when the rows were read."""
    from psycopg2.extras import Json

    with transaction.atomic(), connection.cursor() as cursor:
        if not _texts:
            for model, columns, rows in _snapshot:
                one = "(" + ", ".join(["%s"] * len(columns)) + ")"
                plain = [tuple(Json(v) if isinstance(v, dict | list) else v for v in row) for row in rows]
                values = b", ".join(cursor.cursor.mogrify(one, row) for row in plain)
                names = ", ".join(connection.ops.quote_name(column) for column in columns)
                table = connection.ops.quote_name(model._meta.db_table)
                _texts.append(f"INSERT INTO {table} ({names}) VALUES ".encode() + values)
            _texts.extend(
                statement.rstrip(";").encode()
                for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _, _ in _snapshot])
            )
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone()[0]:
                _texts.insert(0, b"SET LOCAL session_replication_role = replica")
                _texts.append(b"SET LOCAL session_replication_role = origin")
        cursor.cursor.execute(b"; ".join(_texts))


def _put() -> None:
    if connection.vendor == "postgresql":
        _put_postgres()
        return
    quote = connection.ops.quote_name
    with transaction.atomic(), connection.cursor() as cursor:  # keys are checked at its end
        for model, columns, rows in _snapshot:
            table, names = quote(model._meta.db_table), ", ".join(str(quote(column)) for column in columns)
            marks = ", ".join(["%s"] * len(columns))
            plain = [tuple(v.isoformat() if isinstance(v, dt.time) else v for v in row) for row in rows]
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain)
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _, _ in _snapshot]):
            cursor.execute(statement)


def load() -> None:
    """Fill the test's database with the demo city without cases."""
    calendar.forget()
    if _snapshot:
        _put()
        return
    call_command("load_demo", "--no-cases", stdout=io.StringIO())
    _take()
