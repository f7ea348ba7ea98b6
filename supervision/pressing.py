"""The day on which a task presses, kept in its row by the database: ``SupervisionTask.pressing_on``.

It is the due day of the clock that runs in the task's status, so it follows from the task, its clocks and its running
order. Whoever writes one of these, by whatever way, the database writes the day in the same statement: no list sorts by
a day that is not so. ``differences`` recounts it, for ``reconcile``.

SQLite cannot rebuild a table that another table's trigger speaks of, and drops triggers of what it rebuilds: there they
are lifted before a migrate and laid anew behind it, the days with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from catalogue.guards import standing
from supervision.models.tasks import NO_DAY, NO_DAY_YET

TASKS, CLOCKS, ORDERS = "supervision_supervisiontask", "deadlines_deadline", "supervision_rectification"
KEYS = ("acknowledge_deadline_id", "planned_deadline_id", "feedback_deadline_id", "follow_up_deadline_id")
PREFIX = "task:"
BATCH = 5000


def _day(task: str) -> str:
    """SQL of the day of the row ``task``: read as it stands, on both databases."""

    def clock(key: str) -> str:
        return f"(SELECT due_on FROM {CLOCKS} WHERE id = {task}.{key})"  # noqa: S608 - our own names

    first, work, last, follow = map(clock, KEYS)
    order = f"(SELECT min(due_on) FROM {ORDERS} WHERE task_id = {task}.id AND status = 'running')"  # noqa: S608
    return (
        f"COALESCE(CASE WHEN {task}.status IN ('notified', 'viewed', 'disputed') THEN COALESCE({first}, '{NO_DAY_YET}')"
        f" WHEN {task}.status IN ('acknowledged', 'in_progress') THEN {work}"
        f" WHEN {task}.status = 'finished' THEN {last}"
        f" WHEN {task}.status = 'fed_back' THEN {follow}"
        f" WHEN {task}.status = 'rectifying' THEN COALESCE({order}, {follow}) END, '{NO_DAY}')"
    )


_OF_CLOCK = f"NEW.id IN ({', '.join(KEYS)})"
_MOVED = f"OLD.due_on <> NEW.due_on AND NEW.stream LIKE '{PREFIX}%'"


def _sqlite() -> list[str]:
    days = f"UPDATE {TASKS} SET pressing_on = {_day(TASKS)} WHERE"  # noqa: S608 - our own names
    of_clock = f"id = CAST(substr(NEW.stream, {len(PREFIX) + 1}) AS INTEGER) AND {_OF_CLOCK}"
    columns = ", ".join(("status", *KEYS))
    laid = {
        f"{TASKS}_presses_insert": f"AFTER INSERT ON {TASKS} BEGIN {days} id = NEW.id; END",
        f"{TASKS}_presses_update": f"AFTER UPDATE OF {columns} ON {TASKS} BEGIN {days} id = NEW.id; END",
        f"{CLOCKS}_presses_update": f"AFTER UPDATE OF due_on ON {CLOCKS} WHEN {_MOVED} BEGIN {days} {of_clock}; END",
        f"{ORDERS}_presses_insert": f"AFTER INSERT ON {ORDERS} BEGIN {days} id = NEW.task_id; END",
        f"{ORDERS}_presses_update": f"AFTER UPDATE OF status, due_on ON {ORDERS} BEGIN {days} id = NEW.task_id; END",
    }
    return [f"CREATE TRIGGER IF NOT EXISTS {name} {body}" for name, body in laid.items()]


def _postgres() -> list[str]:
    touch = f"UPDATE {TASKS} SET pressing_on = pressing_on WHERE"  # noqa: S608 - our own names
    of_clock = f"id = substr(NEW.stream, {len(PREFIX) + 1})::bigint AND {_OF_CLOCK}"
    functions = {
        "task_presses": f"NEW.pressing_on := {_day('NEW')}; RETURN NEW;",
        "task_clock_presses": f"{touch} {of_clock}; RETURN NULL;",
        "task_order_presses": f"{touch} id = NEW.task_id AND status = 'rectifying'; RETURN NULL;",
    }
    columns = ", ".join(("status", *KEYS, "pressing_on"))
    events = {
        TASKS: f"BEFORE INSERT OR UPDATE OF {columns} ON {TASKS} FOR EACH ROW EXECUTE FUNCTION task_presses()",
        CLOCKS: f"AFTER UPDATE OF due_on ON {CLOCKS} FOR EACH ROW WHEN ({_MOVED}) "
        "EXECUTE FUNCTION task_clock_presses()",
        ORDERS: f"AFTER INSERT OR UPDATE OF status, due_on ON {ORDERS} FOR EACH ROW "
        "EXECUTE FUNCTION task_order_presses()",
    }
    laid = [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        for name, body in functions.items()
    ]
    for table, event in events.items():
        laid += [f"DROP TRIGGER IF EXISTS {table}_presses ON {table}", f"CREATE TRIGGER {table}_presses {event}"]
    return laid


def install(connection: BaseDatabaseWrapper) -> None:
    """Lay the triggers; safe to repeat."""
    with connection.cursor() as cursor:
        for statement in _postgres() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers off."""
    with connection.cursor() as cursor:
        for name, table in names(connection).items():
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def names(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Name of each trigger that must stand on this database → its table."""
    if connection.vendor == "postgresql":
        return {f"{table}_presses": table for table in (TASKS, CLOCKS, ORDERS)}
    events = [(table, event) for table in (TASKS, ORDERS) for event in ("insert", "update")]
    return {f"{table}_presses_{event}": table for table, event in [*events, (CLOCKS, "update")]}


def write_days(connection: BaseDatabaseWrapper) -> int:
    """Write the day of every task whose row says another one, a batch a statement; returns how many there were."""
    batch = f"SELECT max(id) FROM (SELECT id FROM {TASKS} WHERE id > %s ORDER BY id LIMIT {BATCH}) AS batch"  # noqa: S608
    found, last = 0, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(batch, [last])
            upto = cursor.fetchone()[0]
            if upto is None:
                return found
            cursor.execute(
                f"UPDATE {TASKS} SET pressing_on = {_day(TASKS)} "  # noqa: S608 - our own names
                f"WHERE id > %s AND id <= %s AND pressing_on <> {_day(TASKS)}",
                [last, upto],
            )
            found, last = found + cursor.rowcount, upto


def differences() -> Iterator[str]:
    """A sentence for each task whose row says another day than its clocks; read-only (``reconcile``)."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number FROM {TASKS} WHERE pressing_on <> {_day(TASKS)} ORDER BY id")  # noqa: S608
        rows = cursor.fetchall()
    for (number,) in rows:
        yield f"task {number} is sorted by another day than that of its pressing clock"


def _stand(connection: BaseDatabaseWrapper) -> bool:
    """Whether the tables are there, with the column."""
    if not {TASKS, CLOCKS, ORDERS} <= set(connection.introspection.table_names()):
        return False
    with connection.cursor() as cursor:
        columns = connection.introspection.get_table_description(cursor, TASKS)
    return any(column.name == "pressing_on" for column in columns)


def lift(using: str, **kwargs: Any) -> None:
    """Before every migrate on SQLite."""
    if connections[using].vendor == "sqlite":
        remove(connections[using])


def reinstall(using: str, **kwargs: Any) -> None:
    """After every migrate: put back what a rebuilt table lost, and what was written meanwhile."""
    connection = connections[using]
    if _stand(connection):
        install(connection)
        if connection.vendor == "sqlite":
            write_days(connection)


@register(Tags.database)
def triggers_stand(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W002: a trigger that keeps the day on which a task presses is missing; a migrate lays it."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if not _stand(connection):
            continue
        missing = set(names(connection)) - standing(connection)
        if missing:
            said = f"triggers of the pressing day missing: {', '.join(sorted(missing))}"
            found.append(checks.Warning(said, hint="manage.py migrate", id="supervision.W002"))
    return found
