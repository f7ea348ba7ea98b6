"""A state from which many tests begin: played through the real actions, then put back row by row.

Most tests first bring a case or a task somewhere, and mostly to the same places. What a function marked ``situation``
did to the untouched demo city is kept when it is asked for the second time in a session, and written again, rows and
callbacks on commit alike, each time after. Everything that follows in the test is played as ever, and so is the call
itself where something was written before it (but a sign-in), where the test put something in the place of the portal's
own code, and in a test outside a transaction. What was kept under other settings is another situation.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from django.apps import apps
from django.conf import UserSettingsHolder, settings
from django.core.management.color import no_style
from django.db import connection, models, transaction

from deadlines import clock

P = ParamSpec("P")
R = TypeVar("R", bound=models.Model)
Row = tuple[Any, ...]
_WRITES = ("INSERT", "UPDATE", "DELETE")
# A sign-in writes these and nothing else; no situation looks at them.
_SIGN_IN = (
    'INSERT INTO "django_session"', 'UPDATE "django_session"', 'UPDATE "offices_user" SET "last_login"',
    'INSERT INTO "offices_historicaluser"',
)  # fmt: skip
_OUTSIDE = frozenset({"offices.user", "offices.historicaluser"})
# Rows with a ``path`` below the folder of uploads; a test's folder is not another's.
_FILES = ("approvals.Upload", "supervision.Photo")


@dataclass
class Kept:
    """What a situation wrote: the model and key of what it gave, the rows, callbacks and files."""

    model: type[models.Model]
    pk: Any
    rows: list[tuple[type[models.Model], list[str], list[Row]]]
    callbacks: list[Callable[[], Any]]
    files: dict[str, bytes]
    text: bytes = b""


class _Ground:
    """Whether the city is still as it was loaded, in this test."""

    def __init__(self) -> None:
        self.untouched = False
        self.playing = False
        self.patched: Callable[[], bool] = lambda: False
        self.base: dict[type[models.Model], dict[Any, Row]] = {}
        self.seen: set[Any] = set()
        self.kept: dict[Any, Kept] = {}


_ground = _Ground()


def _tables() -> list[type[models.Model]]:
    ours = [config for config in apps.get_app_configs() if (settings.BASE_DIR / config.name).is_dir()]
    return [
        model
        for config in ours
        for model in config.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label_lower not in _OUTSIDE
    ]


def _columns(model: type[models.Model]) -> list[str]:
    """The columns that can be written; the key first."""
    fields = [field for field in model._meta.local_concrete_fields if not getattr(field, "generated", False)]
    key = str(model._meta.pk.column)
    return [key, *(str(field.column) for field in fields if field.column != key)]


def _rows(model: type[models.Model]) -> dict[Any, Row]:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in _columns(model))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {quote(model._meta.db_table)}")
        return {row[0]: row for row in cursor.fetchall()}


@contextmanager
def watched(patched: Callable[[], bool]) -> Iterator[None]:
    """For the time of a test that begins in the city as it was loaded: know when something is written.

    ``patched``: whether the test put something in the place of the portal's own code.
    """

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
        if _ground.untouched and not _ground.playing and sql.lstrip()[:6].upper() in _WRITES:
            _ground.untouched = sql.startswith(_SIGN_IN)
        return execute(sql, params, many, context)

    if not _ground.base:
        _ground.base = {model: _rows(model) for model in _tables()}
    _ground.untouched, _ground.patched = connection.in_atomic_block, patched
    try:
        with connection.execute_wrapper(watch):
            yield
    finally:
        _ground.untouched = False


def _settings() -> tuple[tuple[str, str], ...]:
    """What is overridden, but the folder of uploads, which a kept file follows."""
    found: list[tuple[str, str]] = []
    holder = vars(settings)["_wrapped"]
    while isinstance(holder, UserSettingsHolder):
        found += [(name, repr(value)) for name, value in vars(holder).items() if name.isupper()]
        holder = holder.default_settings
    return tuple(one for one in found if one[0] != "UPLOAD_ROOT")


def _key(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    def plain(value: Any) -> Any:
        if isinstance(value, models.Model):
            return (value._meta.label, value.pk)
        return tuple(map(plain, value)) if isinstance(value, list | tuple) else value

    said = tuple(map(plain, args)), tuple(sorted((name, plain(value)) for name, value in kwargs.items()))
    return function.__module__, function.__qualname__, said


def _keep(found: models.Model, callbacks: list[Callable[[], Any]]) -> Kept | None:
    changed = []
    for model in _tables():
        base, now = _ground.base[model], _rows(model)
        if base.keys() - now.keys():
            return None
        rows = [row for key, row in now.items() if base.get(key) != row]
        if rows:
            changed.append((model, _columns(model), rows))
    return Kept(type(found), found.pk, changed, callbacks, _files())


def _files() -> dict[str, bytes]:
    names = [name for label in _FILES for name in apps.get_model(label)._base_manager.values_list("path", flat=True)]
    return {name: (Path(settings.UPLOAD_ROOT) / name).read_bytes() for name in names}


def _upsert(model: type[models.Model], columns: list[str], values: str) -> str:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    changes = ", ".join(f"{quote(column)} = EXCLUDED.{quote(column)}" for column in columns[1:])
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES {values} "
        f"ON CONFLICT ({quote(columns[0])}) DO UPDATE SET {changes}"
    )


def _put_postgres(kept: Kept) -> None:
    from psycopg2.extras import Json

    with connection.cursor() as cursor:
        if not kept.text:
            texts = []
            for model, columns, rows in kept.rows:
                one = "(" + ", ".join(["%s"] * len(columns)) + ")"
                plain = [tuple(Json(v) if isinstance(v, dict | list) else v for v in row) for row in rows]
                values = b", ".join(cursor.cursor.mogrify(one, row) for row in plain)
                texts.append(_upsert(model, columns, "@").encode().replace(b"@", values, 1))
            reset = connection.ops.sequence_reset_sql(no_style(), [model for model, _, _ in kept.rows])
            kept.text = b"; ".join([*texts, *(statement.rstrip(";").encode() for statement in reset)])
        cursor.cursor.execute(kept.text)


def _put_sqlite(kept: Kept) -> None:
    with connection.cursor() as cursor:
        for model, columns, rows in kept.rows:
            plain = [tuple(v.isoformat() if isinstance(v, dt.time) else v for v in row) for row in rows]
            base = _ground.base[model]
            new = [row for row in plain if row[0] not in base]
            marks = "(" + ", ".join(["%s"] * len(columns)) + ")"
            quote = connection.ops.quote_name
            names = ", ".join(quote(column) for column in columns)
            if new:
                cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES {marks}", new)
            changes = ", ".join(f"{quote(column)} = %s" for column in columns[1:])
            update = f"UPDATE {quote(model._meta.db_table)} SET {changes} WHERE {quote(columns[0])} = %s"
            for row in plain:
                if row[0] in base:
                    cursor.execute(update, [*row[1:], row[0]])


def situation(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that brings the untouched city somewhere and gives one row of it."""

    @functools.wraps(function)
    def put(*args: P.args, **kwargs: P.kwargs) -> R:
        stands = clock.now() == clock.now()
        if _ground.playing or not _ground.untouched or not stands or _ground.patched():
            return function(*args, **kwargs)
        key = (clock.now(), _settings(), *_key(function, args, kwargs))
        kept = _ground.kept.get(key)
        if kept is not None:
            _ground.playing = True
            try:
                with transaction.atomic():
                    _put_postgres(kept) if connection.vendor == "postgresql" else _put_sqlite(kept)
            finally:
                _ground.playing, _ground.untouched = False, False
            for name, content in kept.files.items():
                path = Path(settings.UPLOAD_ROOT) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            for callback in kept.callbacks:
                transaction.on_commit(callback)
            return cast("R", kept.model._base_manager.get(pk=kept.pk))
        waiting = len(connection.run_on_commit)
        _ground.playing = True
        try:
            found = function(*args, **kwargs)
        finally:
            _ground.playing, _ground.untouched = False, False
        if key in _ground.seen:
            told = _keep(found, [said[1] for said in connection.run_on_commit[waiting:]])
            if told is not None:
                _ground.kept[key] = told
        _ground.seen.add(key)
        return found

    return put
