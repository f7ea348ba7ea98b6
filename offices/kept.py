"""Queries whose statement is written once: the ORM needs longer to write a wide one than PostgreSQL to answer it.

What is asked again and again with other values (whose postings, the case of a pane, a page of a queue) is written the
first time, with a gap for each value, and kept in the process; nothing that was read is kept. PostgreSQL keeps it too
(``offices.prepared``).
"""

from __future__ import annotations

import copy
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    Expression,
    Field,
    Model,
    QuerySet,
    TextField,
    prefetch_related_objects,
)
from django.db.models.sql.compiler import SQLCompiler

from offices.prepared import Place, Prepared, serves

KEPT = 1024  # statements kept in a process, some 25 KB each
One = int | str | dt.date | dt.datetime
Value = One | Sequence[One]
Write = Callable[..., QuerySet[Any]]
_FIELDS: dict[type, Field[Any, Any]] = {
    int: BigIntegerField(),
    str: TextField(),
    dt.date: DateField(),
    dt.datetime: DateTimeField(),
}


class _Gap(Expression):
    """Where a value goes."""

    def __init__(self, place: int, kind: type) -> None:
        super().__init__(output_field=_FIELDS[kind])
        self.place = place

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """A placeholder; the gap itself stands among the parameters until it is filled."""
        return "%s", [self]


Shape = tuple[type | tuple[type, ...], ...]


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement with its gaps, and how its columns become rows."""

    sql: str
    parameters: tuple[Any, ...]
    compiler: SQLCompiler
    iterable: Any
    prefetch: tuple[Any, ...]
    model: type[Model]
    db: str
    prepared: Prepared | None

    def ready(self, values: Sequence[Value]) -> tuple[str, tuple[Any, ...]]:
        """What is sent to the database for ``values``."""
        return _ready(self.db, self.sql, self.parameters, self.prepared, _flat(values))


_lock = threading.Lock()
_kept: OrderedDict[tuple[Hashable, Shape], _Written | None] = OrderedDict()


def _shape(values: Sequence[Value]) -> Shape:
    return tuple(type(one) if isinstance(one, One) else tuple(type(each) for each in one) for one in values)


def _gaps(shape: Shape) -> list[Any]:
    """A gap for each value, or a list of them for a list."""
    gaps: list[Any] = []
    place = 0
    for kind in shape:
        kinds = kind if isinstance(kind, tuple) else (kind,)
        made = [_Gap(place + number, one) for number, one in enumerate(kinds)]
        gaps.append(made if isinstance(kind, tuple) else made[0])
        place += len(made)
    return gaps


def _written(shape: Shape, write: Write, wrap: str, *, keep: bool) -> _Written | None:
    """Write the statement; None where it can find nothing. ``wrap``: what stands around it, ``{}`` in its place.

    ``keep``: it will be asked again.
    """
    rows = write(*_gaps(shape))
    compiler = rows.query.get_compiler(using=rows.db)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return None
    # The connection is that of the thread that wrote it, each that asks has its own; the others only served to write.
    for name in ("connection", "query", "where", "having", "qualify"):
        setattr(compiler, name, None)
    sql = wrap.replace("{}", sql)
    lookups = rows._prefetch_related_lookups  # type: ignore[attr-defined]
    prepared = _prepared(rows.db, sql, parameters, shape) if keep else None
    return _Written(sql, tuple(parameters), compiler, rows._iterable_class, lookups, rows.model, rows.db, prepared)


def _prepared(db: str, sql: str, parameters: Sequence[Any], shape: Shape) -> Prepared | None:
    """The statement as the database keeps it, where it does."""
    placed = [Place(one.place) if isinstance(one, _Gap) else one for one in parameters]
    if not serves(db, placed):
        return None
    kinds = [one for kind in shape for one in (kind if isinstance(kind, tuple) else (kind,))]
    return Prepared.of(db, sql, placed, kinds)


def _padded(values: Sequence[Value]) -> tuple[Value, ...]:
    """The values, each list filled up by its last one to the next power of two: few lengths are few statements."""
    return tuple(one if isinstance(one, One) else _filled_up(one) for one in values)


def _filled_up(values: Sequence[One]) -> Sequence[One]:
    missing = (1 << (len(values) - 1).bit_length()) - len(values) if values else 0
    return [*values, *[values[-1]] * missing] if missing else values


def _flat(values: Sequence[Value]) -> list[One]:
    return [one for value in values for one in ([value] if isinstance(value, One) else value)]


def _ready(
    db: str, sql: str, parameters: Sequence[Any], prepared: Prepared | None, flat: Sequence[One]
) -> tuple[str, tuple[Any, ...]]:
    """The text that asks the statement with the values ``flat``, and its parameters."""
    if prepared is not None and settings.PREPARED_STATEMENTS:
        return prepared.ready(db), tuple(_plain(one, connections[db]) for one in flat)
    connection = connections[db]
    return sql, tuple(_plain(flat[one.place], connection) if isinstance(one, _Gap) else one for one in parameters)


def _plain(value: One, connection: Any) -> Any:
    """The value as the driver of that database takes it."""
    field = next(field for kind, field in _FIELDS.items() if type(value) is kind)
    return field.get_db_prep_value(value, connection)


def _statement(key: Hashable, values: Sequence[Value], write: Write, wrap: str = "{}") -> _Written | None:
    """The kept statement, or a new one. ``write`` is not kept: it may hold a request."""
    shape = _shape(values)
    if key is None:
        return _written(shape, write, wrap, keep=False)
    with _lock:
        if (key, shape) in _kept:
            _kept.move_to_end((key, shape))
            return _kept[key, shape]
    written = _written(shape, write, wrap, keep=True)
    with _lock:
        _kept[key, shape] = written
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
    return written


class _Ready:
    """The written statement with its values, in the place of the query that a queryset would have written again."""

    def __init__(self, written: _Written, values: Sequence[Value]) -> None:
        asked = written.ready(values)
        self.db, self.model = written.db, written.model
        self.query = self
        self._known_related_objects: dict[Any, Any] = {}
        self._compiler = copy.copy(written.compiler)
        self._compiler.connection = connections[self.db]
        self._compiler.as_sql = lambda *_, **__: asked  # type: ignore[method-assign]

    def get_compiler(self, *_: Any, **__: Any) -> SQLCompiler:
        """The compiler that wrote the statement, on the connection of this thread; it writes nothing again."""
        return self._compiler


def ask(key: Hashable, write: Write, *values: Value) -> list[Any]:
    """Return the rows of ``write(*values)``; one statement, none where it can find nothing, one for each prefetch.

    ``key`` None: nothing is kept.
    ``write`` is called the first time only, with expressions in the place of the values, and may read nothing from the
    database and compare no value in Python; what it writes may depend on nothing but ``key``. A value may be a list to
    be looked up in (``__in``): it is filled up by repeating its last one, so that its length says nothing; a list of
    foreign keys is compared as ``case__pk__in``.
    """
    values = _padded(values) if key is not None else values
    written = _statement(key, values, write)
    if written is None:
        return []
    found: list[Any] = list(written.iterable(_Ready(written, values)))
    if written.prefetch:
        prefetch_related_objects(found, *written.prefetch)
    return found


UNIONS = 128  # joined statements kept in a process, some 60 KB each
WriteMany = Callable[..., Sequence[QuerySet[Any, Any]]]


@dataclass(frozen=True, slots=True)
class _Joined:
    """Several statements as one, with their gaps; no text where none can find anything."""

    sql: str
    parameters: tuple[Any, ...]
    db: str
    prepared: Prepared | None


_unions: OrderedDict[tuple[Hashable, Shape, str], _Joined] = OrderedDict()


def _joined(shape: Shape, write: WriteMany, wrap: str) -> _Joined:
    texts: list[str] = []
    parameters: list[Any] = []
    db = ""
    for place, rows in enumerate(write(*_gaps(shape))):
        db = rows.db
        try:
            sql, given = rows.query.get_compiler(using=db).as_sql()
        except EmptyResultSet:
            continue
        texts.append(f"SELECT * FROM ({sql}) AS part{place}")  # noqa: S608 - by the ORM
        parameters += given
    sql = wrap.replace("{}", " UNION ALL ".join(texts)) if texts else ""
    return _Joined(sql, tuple(parameters), db, _prepared(db, sql, parameters, shape) if sql else None)


def union(key: Hashable, write: WriteMany, *values: Value, wrap: str = "{}") -> list[tuple[Any, ...]]:
    """Return the rows of all the ``values_list`` that ``write(*values)`` gives, as the driver does; one statement.

    ``wrap``: the statement around them, ``{}`` in their place (an order, a count). Each part keeps its own order and
    bound; one that can find nothing is left out. Arguments as ``ask``; no rows and no statement without any part.
    """
    values = _padded(values)
    place = (key, _shape(values), wrap)
    with _lock:
        found = _unions.get(place)
        if found is not None:
            _unions.move_to_end(place)
    if found is None:
        found = _joined(place[1], write, wrap)
        with _lock:
            _unions[place] = found
            if len(_unions) > UNIONS:
                _unions.popitem(last=False)
    if not found.sql:
        return []
    with connections[found.db].cursor() as cursor:
        cursor.execute(*_ready(found.db, found.sql, found.parameters, found.prepared, _flat(values)))
        return list(cursor.fetchall())


def counts(key: Hashable, write: Write, *values: Value, names: Sequence[str] = ()) -> dict[str, int]:
    """How many rows ``write(*values)`` has (``all``), and for how many each of its annotations ``names`` is true.

    Arguments as ``ask``; one statement.
    """

    def judged(*given: Any) -> QuerySet[Any]:
        found = write(*given)
        return (found if found.query.is_sliced else found.order_by()).values_list("pk", *names)

    whole = None if key is None else (counts, key, tuple(names))
    asked = ", ".join(["count(*)", *(f'count(*) FILTER (WHERE "{name}")' for name in names)])
    written = _statement(whole, values, judged, wrap=f"SELECT {asked} FROM ({{}}) AS rows_")  # noqa: S608 - our names
    if written is None:
        return dict.fromkeys(("all", *names), 0)
    with connections[written.db].cursor() as cursor:
        cursor.execute(*written.ready(values))
        return dict(zip(("all", *names), cursor.fetchone(), strict=True))


def count(key: Hashable, write: Write, *values: Value) -> int:
    """How many rows ``write(*values)`` has; arguments as ``ask``, one statement."""
    return counts(key, write, *values)["all"]
