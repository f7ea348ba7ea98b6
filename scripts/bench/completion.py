"""Completing a case, beside the same rows written by one raw cursor."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from psycopg2.extras import Json, execute_values

from approvals.actions import complete_case
from approvals.models import Case, Licence
from ledger.models import Entry
from notifications.models import Message
from offices.models import User
from supervision.models import SupervisionTask

ROUNDS = 25


def rows_of(queryset: models.QuerySet[Any]) -> list[dict[str, Any]]:
    """The rows as the database holds them, without their ids."""
    sql, params = queryset.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Raw:
    """Writes what one completion wrote, again, with fresh keys: 9 statements and nothing around them."""

    def __init__(self, case: Case) -> None:
        tasks = SupervisionTask.objects.filter(case=case)
        streams = [case.stream, *(task.stream for task in tasks)]
        done = case.completed_at or case.received_at
        entries = Entry.objects.filter(stream__in=streams, at=done)
        references = [case.stream, *(f"task:{task.pk}" for task in tasks)]
        messages = Message.objects.filter(reference__in=references, created_at=done)
        self.case = case
        self.groups: list[tuple[str, list[dict[str, Any]]]] = [
            (model._meta.db_table, rows_of(rows))
            for model, rows in (
                (Licence, Licence.objects.filter(case=case)),
                (Licence.history.model, Licence.history.filter(case=case)),
                (Case.history.model, Case.history.filter(id=case.pk).order_by("-history_id")[:1]),
                (Entry, entries),
                (SupervisionTask, tasks),
                (SupervisionTask.history.model, SupervisionTask.history.filter(case=case)),
                (Message, messages),
            )
        ]
        self.number = 0

    def write(self, case_pk: int) -> None:
        """One transaction on one cursor: lock, update, seven inserts of the same rows."""
        self.number += 1
        mark = f"{self.number:05d}"
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM approvals_case WHERE id = %s FOR UPDATE", [case_pk])
            cursor.execute("UPDATE approvals_case SET touched_at = %s WHERE id = %s", [self.case.touched_at, case_pk])
            for table, rows in self.groups:
                names = [name for name in rows[0] if name not in {"id", "history_id"} or "historical" in table]
                names = [name for name in names if name != "history_id"]
                values = [tuple(_fresh(name, row[name], case_pk, mark, place) for name in names)
                          for place, row in enumerate(rows)]  # fmt: skip
                columns = ", ".join(f'"{name}"' for name in names)
                execute_values(cursor.cursor, f'INSERT INTO "{table}" ({columns}) VALUES %s', values)  # noqa: S608


def _fresh(name: str, value: Any, case_pk: int, mark: str, place: int) -> Any:
    """The value with what must be unique made so."""
    if name == "case_id":
        return case_pk
    if name in {"number", "dedupe_key"}:
        return f"r{mark}{place}{value}"[:20]
    if name == "stream":
        return f"raw:{mark}"
    if name == "seq":
        return place + 1
    if name == "client_id":
        return str(uuid.uuid4())
    if isinstance(value, dict | list):
        return Json(value)
    return str(value) if isinstance(value, uuid.UUID) else value


def pair(approved: Iterator[Case], by: User, now: dt.datetime) -> tuple[Callable[[], object], Callable[[], object]]:
    """Ours and the floor, each completing one further approved case at every call."""
    first = complete_case(next(approved), by=by, now=now)
    first.refresh_from_db()
    raw = Raw(first)

    def ours() -> None:
        complete_case(next(approved), by=by, now=timezone.now())

    def floor() -> None:
        raw.write(next(approved).pk)

    return ours, floor
