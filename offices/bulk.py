"""Writing many rows at once: the ORM's own way, and a faster one where the database is PostgreSQL.

Preparing each value of each object takes Django ten times as long as PostgreSQL takes to store it. Where hundreds of
rows are written together, their values go as one array a column (``unnest``), and a column that is the same for all
goes once. The result is the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

from offices.crypto import EncryptedTextField

# Below this the ORM is as fast and needs no second way.
FEW = 20
_UNSIZED = {"varchar": "text", "char": "text"}
# How a value of these types stands in an array that PostgreSQL reads from one text.
_WRITTEN: dict[str, Callable[[Any], str]] = {
    **dict.fromkeys(("bigint", "integer", "smallint"), str),
    **dict.fromkeys(("date", "timestamp with time zone"), lambda value: value.isoformat()),
    "uuid": str,
    "boolean": lambda value: "t" if value else "f",
}
# Between the texts of an array, and in the place of none: control characters that no text of ours holds.
_BETWEEN, _NONE = "\x1f", "\x1e"


def array(values: Sequence[Any], kind: str) -> tuple[str, Any]:
    """SQL of an array of ``kind`` (PostgreSQL's name of its type), and the parameter that it takes.

    One text for all: the driver writes every element of a list by itself, which takes it longer than PostgreSQL needs
    to store it. ``values`` are as the driver would take them, None among them; there is at least one.
    """
    write = _WRITTEN.get(kind)
    if write is not None:
        return f"%s::{kind}[]", f"{{{','.join('NULL' if one is None else write(one) for one in values)}}}"
    if not set(map(type, values)) <= {str, type(None)}:
        return f"%s::{kind}[]", list(values)
    none = values.count(None)
    joined = _BETWEEN.join(values if not none else [_NONE if one is None else one for one in values])
    if not joined or joined.count(_BETWEEN) != len(values) - 1 or joined.count(_NONE) != none:
        return f"%s::{kind}[]", list(values)  # a text of such characters, or nothing but one empty text
    return f"string_to_array(%s, '{_BETWEEN}', '{_NONE}')::{kind}[]", joined


def among(keys: Collection[int]) -> RawSQL | list[int]:
    """Many ids as the right side of ``__in``: on PostgreSQL one array, which the ORM does not look at id by id."""
    if connection.vendor != "postgresql" or len(keys) < FEW:
        return list(keys)
    sql, given = array(list(keys), "bigint")
    return RawSQL(f"SELECT unnest({sql})", (given,))  # noqa: S611 - the text is ours


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], *, once: str = ""
) -> None:
    """Insert ``rows``, each with a value for every one of ``columns`` (attribute names); other columns get defaults.

    ``once`` names a unique column: a row whose value is there already is passed over. Values are Python's, as for the
    ORM. Raises ``django.db.IntegrityError``. One statement on PostgreSQL; elsewhere as many as the ORM needs.
    """
    if not rows:
        return
    if connection.vendor != "postgresql" or len(rows) < FEW:
        made = [model(**dict(zip(columns, row, strict=True))) for row in rows]
        model._default_manager.bulk_create(made, ignore_conflicts=bool(once))
        return
    _unnest(model, columns, rows, once)


def _unnest(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], once: str) -> None:
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in model._meta.concrete_fields}
    rest = {
        name: field.get_default()
        for name, field in fields.items()
        if name not in columns and not field.primary_key and not field.has_db_default()
    }
    names: list[str] = []
    arrays: list[str] = []
    picked: list[str] = []
    array_values: list[Any] = []
    single_values: list[Any] = []
    for name, values in [*zip(columns, zip(*rows, strict=True), strict=True), *((n, (v,)) for n, v in rest.items())]:
        field = fields[name]
        kind = str(field.db_type(connection)).split("(")[0]
        kind = _UNSIZED.get(kind, kind)
        prepare = _preparer(field)
        names.append(quote(str(field.column)))
        if values.count(values[0]) == len(values):  # one value for all goes once
            picked.append(f"%s::{kind}")
            single_values.append(prepare(values[0]))
            continue
        sql, given = array(_prepared(field, prepare, values), "text" if kind == "jsonb" else kind)
        arrays.append(sql)
        picked.append(f"u.a{len(arrays)}::{kind}")
        array_values.append(given)
    table = quote(model._meta.db_table)
    source = f"unnest({', '.join(arrays)}) AS u({', '.join(f'a{n}' for n in range(1, len(arrays) + 1))})"
    if not arrays:
        source = f"generate_series(1, {len(rows)}) AS u"
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(picked)} FROM {source}"  # noqa: S608 - our names
    if once:
        sql += f" ON CONFLICT ({quote(str(fields[once].column))}) DO NOTHING"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*single_values, *array_values])


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Update rows that are there and locked: each of ``rows`` is an id and a value for every one of ``columns``.

    A column that is the same for all goes once.

    Values are Python's, as for the ORM. One statement on PostgreSQL; elsewhere one, prepared once, for every row.
    """
    if not rows:
        return
    fields = {field.attname: field for field in model._meta.concrete_fields}
    quote = connection.ops.quote_name
    key, table = model._meta.pk, quote(model._meta.db_table)
    if connection.vendor != "postgresql" or len(rows) < FEW:
        each = ", ".join(f"{quote(str(fields[name].column))} = %s" for name in columns)
        order = [*(fields[name] for name in columns), key]
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {table} SET {each} WHERE {quote(str(key.column))} = %s",  # noqa: S608 - our names
                [
                    tuple(f.get_db_prep_save(v, connection) for f, v in zip(order, [*row[1:], row[0]], strict=True))
                    for row in rows
                ],
            )
        return
    first, given = array([row[0] for row in rows], "bigint")
    arrays, values, settings, singles = [first], [given], [], []
    for name, column in zip(columns, list(zip(*rows, strict=True))[1:], strict=True):
        kind = str(fields[name].db_type(connection)).partition("(")[0]
        kind = _UNSIZED.get(kind, kind)
        prepare = _preparer(fields[name])
        here = quote(str(fields[name].column))
        if column.count(column[0]) == len(column):
            settings.append(f"{here} = %s::{kind}")
            singles.append(prepare(column[0]))
            continue
        sql, given = array(_prepared(fields[name], prepare, column), "text" if kind == "jsonb" else kind)
        arrays.append(sql)
        values.append(given)
        settings.append(f"{here} = u.a{len(arrays)}::{kind}")
    names = ", ".join(f"a{place}" for place in range(1, len(arrays) + 1))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {', '.join(settings)} FROM unnest({', '.join(arrays)}) AS u({names}) "  # noqa: S608 - our names
            f"WHERE {table}.{quote(str(key.column))} = u.a1",
            [*singles, *values],
        )


def _prepared(field: models.Field[Any, Any], prepare: Callable[[Any], Any], values: Sequence[Any]) -> list[Any]:
    """The values of a column as the driver sends them; a column of nothing but plain text needs no look at each."""
    plain = isinstance(field, models.CharField | models.TextField) and not isinstance(field, EncryptedTextField)
    if prepare is _same or (plain and set(map(type, values)) <= {str, type(None)}):
        return list(values)
    return [prepare(value) for value in values]


_as_json = json.JSONEncoder(ensure_ascii=False).encode


def _same(value: Any) -> Any:
    return value


def _preparer(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    """What turns a Python value into one that the driver sends as it is."""
    if isinstance(field, models.JSONField):
        return lambda value: None if value is None else _as_json(value)
    if isinstance(field, EncryptedTextField):
        return cache(field.get_prep_value)  # many messages to few people: each phone is encrypted once a statement
    if isinstance(field, models.UUIDField):
        return lambda value: None if value is None else str(value)
    if isinstance(field, models.CharField | models.TextField):
        return lambda value: None if value is None else str(value)
    return _same
