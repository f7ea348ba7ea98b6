"""Rows in bulk: copies of one real case, its task and its clock, made by the database itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from django.db import DEFAULT_DB_ALIAS, connection, connections

from approvals.models import Case
from deadlines.models import Deadline
from supervision.models import SupervisionTask

SCALE = int(os.environ.get("SCALE", "1000000"))


@contextmanager
def apart(name: str) -> Iterator[None]:
    """Work on a copy of the database, which is dropped afterwards."""
    home = connection.settings_dict["NAME"]
    copied = f"{home}_{name}"
    connection.close()  # a database can be copied only while nobody is in it
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{copied}" TEMPLATE "{home}"')
    connection.settings_dict["NAME"] = copied
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = home
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{copied}"')


class Few:
    """A copy of the database as it is now, which stays small; ``with`` it, what is asked is asked there."""

    def __init__(self) -> None:
        home = connection.settings_dict["NAME"]
        self.name = f"{home}_few"
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{home}"')
        self.there = connections[DEFAULT_DB_ALIAS].copy()
        self.there.settings_dict["NAME"] = self.name

    def __enter__(self) -> None:
        self.here = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self.there

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connections[DEFAULT_DB_ALIAS] = self.here

    def drop(self) -> None:
        """Take the copy away."""
        self.there.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{self.name}"')


def settle() -> None:
    """Leave the tables as autovacuum leaves them, so that it does not work beside a measurement."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def copy_rows(table: str, source: int, count: int, changed: dict[str, str], *, series: str = "") -> None:
    """Insert ``count`` copies of row ``source`` of ``table``; ``changed`` maps a column to an expression over ``n``.

    ``series``: what ``n`` is, such as ``some_table n``, instead of the numbers from 1 to ``count``.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        columns = [row[0] for row in cursor.fetchall() if row[0] != "id" or "id" in changed]
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {values} '  # noqa: S608 - our own names
            f'FROM "{table}" t, {series or f"generate_series(1, {count}) n"} WHERE t.id = %s',
            [source],
        )
        cursor.execute(f'ANALYZE "{table}"')


def many_clocks(source: Deadline, count: int, prefix: str) -> None:
    """Running clocks that are not due: they ring in a year."""
    copy_rows(
        "deadlines_deadline",
        source.pk,
        count,
        {
            "stream": f"'{prefix}:' || n",
            "state": "'running'",
            "closed_at": "NULL",
            "next_alarm_at": "t.started_at + interval '365 days' + n * interval '1 second'",
            "next_alarm_stage": "-1",
        },
    )


def many_cases(
    source: Case, count: int, *, stem: str = "3207009", after: int = 0, more: dict[str, str] | None = None
) -> int:
    """Cases like ``source``, one second apart, in statuses that need no other rows; returns the first one's id."""
    copy_rows(
        "approvals_case",
        source.pk,
        count,
        {
            "number": f"'{stem}' || lpad(n::text, 14, '0')",
            "intake_key": "gen_random_uuid()",
            "touched_at": f"t.touched_at - (n + {after}) * interval '1 second'",
            "received_at": f"t.received_at - (n + {after}) * interval '1 second'",
            "notice_deadline_id": "NULL",
            "answer_deadline_id": "NULL",
            "statutory_deadline_id": "NULL",
            "promised_deadline_id": "NULL",
            "issue_deadline_id": "NULL",
            "stage_deadline_id": "NULL",
            "procedure_deadline_id": "NULL",
            "status": "(ARRAY['completed', 'submitted', 'in_review', 'completed', 'in_review'])[mod(n, 5) + 1]",
            "completed_at": "CASE WHEN mod(n, 5) IN (0, 3) THEN t.received_at END",
            "outcome": "CASE WHEN mod(n, 5) IN (0, 3) THEN 'licensed' ELSE '' END",
        }
        | (more or {}),
    )
    return Case.objects.filter(number__startswith=stem).order_by("pk").values_list("pk", flat=True)[0]


def due_tasks(task: SupervisionTask, clock: Deadline, count: int, at: str, first_case: int) -> None:
    """``count`` tasks of cases from ``first_case``, each with a running clock that rings at ``at`` (SQL literal)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM deadlines_deadline")
        before_clocks = cursor.fetchone()[0]
        cursor.execute("SELECT coalesce(max(id), 0) FROM supervision_supervisiontask")
        first_task = cursor.fetchone()[0] + 1
    copy_rows(
        "deadlines_deadline",
        clock.pk,
        count,
        {
            "stream": f"'task:' || ({first_task} + n - 1)",
            "state": "'running'",
            "closed_at": "NULL",
            "due_on": "date '2026-09-29'",
            "next_alarm_at": at,
            "next_alarm_stage": "-1",
        },
    )
    copy_rows(
        "supervision_supervisiontask",
        task.pk,
        count,
        {
            "number": f"'JB' || ({first_task} + n)",
            "case_id": f"{first_case} + n - 1",
            "status": "'notified'",
            "acknowledge_deadline_id": f"{before_clocks} + n",
            "planned_deadline_id": "NULL",
            "feedback_deadline_id": "NULL",
            "follow_up_deadline_id": "NULL",
        },
    )
