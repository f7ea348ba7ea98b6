"""``SCALE`` supervision tasks: the inbox with every filter, a task's page, the sweep, 50 acknowledged at once.

Each list is asked by the manager of the busiest office, by the head of its department and by an inspector, and compared
with itself at 1,000 tasks, which all belong to that office. The floor of a page is its own reading statements on a raw
cursor; of the bulk acknowledgement, the same rows by one raw cursor.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.db import connection, models, transaction
from django.db.models import F
from django.test import Client
from psycopg2.extras import Json, execute_values

from deadlines import clock
from deadlines.clock import local_date
from deadlines.models import ClockEvent, Deadline
from deadlines.sweep import sweep
from deadlines.tasks import HANDS
from ledger.models import Entry
from offices.access import Access, access_for
from offices.keyset import Keyset
from offices.models import Posting, User
from scripts.bench import data, desks, sweeping, taskrows
from scripts.bench.completion import rows_of
from scripts.bench.desks import Asker, Desk
from scripts.bench.measure import Figure, in_turn, seconds, statements
from scripts.bench.taskrows import FIRST
from supervision import lists
from supervision.actions import acknowledge_many
from supervision.models import SupervisionTask
from tests.supervision import ordering

Role = Posting.Role
DUE, BULK, ROUNDS = 10_000, 50, 5
RING_AT = "timestamptz '2026-09-28 09:00+08'"
# Statements of a task's page: its parts, each of which has one of its own (archive, orders, visits, papers …).
MOST_OF_PAGE = 32
MOST_OF_INBOX = desks.MOST_STATEMENTS


def figures(now: dt.datetime) -> Iterator[Figure]:
    """All of it, on a database of its own."""
    sources = _sources(now)
    many = taskrows.places()
    office = taskrows.busiest(many, data.SCALE)
    fill = partial(taskrows.fill, sources=sources, office=office, many=many, now=clock.now())
    fill(0, FIRST)
    people = _people(office)
    askers, few = _askers(people), data.Few()
    befores = {one.desk.name: desks.Before.of(one, few) for one in askers}
    fill(FIRST, data.SCALE)
    size = SupervisionTask.objects.count()
    for one in _askers(people):
        yield desks.figure(one, befores[one.desk.name], size, FIRST)
    few.drop()
    yield from _bulk(people[0], size, now)
    yield from _sweep(size, now)


def _sources(now: dt.datetime) -> taskrows.Sources:
    task = ordering.faulty(now)
    order = ordering.ordered(task, now + dt.timedelta(hours=3))
    if task.case is None or task.licence is None:
        raise RuntimeError("the task of a completed case has no case or no licence")
    return taskrows.Sources(order, task.case, task.licence, data.SCALE)


def _people(office: int) -> list[Access]:
    """The office's manager, the head of its department, an inspector of the office, an overseer of the city."""
    today = local_date(clock.now())
    held = Posting.objects.active(today).order_by(F("department__division__parent").asc(nulls_first=True), "pk")
    department = held.filter(office=office)[0].department_id
    asked: tuple[dict[str, Any], ...] = (
        {"role": Role.OFFICE_MANAGER, "office": office},
        {"role": Role.DEPARTMENT_HEAD, "department": department},
        {"role": Role.INSPECTOR, "office": office},
        {"role": Role.OVERSEER},
    )
    found = [held.filter(**one).first() for one in asked]
    return [access_for(one.user, today) for one in found if one is not None]


# --- lists and pages


def _askers(people: Sequence[Access]) -> list[Asker]:
    """Every list and page that is measured, with who asks."""
    manager, head, inspector, overseer = people
    pages = [
        *_inbox("manager", manager),
        *_inbox("head", head, {"first", "deep", "item", "by subject", "in fault"}),
        *_inbox("inspector", inspector, {"first", "by subject"}),
        ("orders, manager", manager, "/tasks/orders/", 12),
        ("orders, settled, head", head, "/tasks/orders/?tab=settled", 12),
        ("visits to approve", head, "/tasks/visits/", 12),
        ("visits settled", head, "/tasks/visits/?tab=settled", 12),
        ("disputes", overseer, "/oversight/disputes/", 12),
        ("disputes, confirmed", overseer, "/oversight/disputes/?tab=confirmed", 12),
        ("bulk, groups", manager, "/tasks/bulk/", 12),
    ]
    askers = [_asker(name, access, address, most) for name, access, address, most in pages]
    # A form of up to two hundred tasks, no list of fifty.
    askers.append(_asker("bulk, one group", manager, _group(manager), 12, of_one=True))
    mine = SupervisionTask.objects.for_managers(manager)
    for status in ("viewed", "acknowledged", "finished", "rectifying", "closed"):
        task = mine.filter(status=status, origin="case").order_by("-id")[0]
        askers.append(_asker(f"task page, {status}", manager, f"/tasks/{task.number}/", MOST_OF_PAGE, of_one=True))
    return askers


def _asker(name: str, access: Access, address: str, most: int, *, of_one: bool = False) -> Asker:
    browser = Client()
    browser.force_login(access.user, backend="django.contrib.auth.backends.ModelBackend")
    return Asker(Desk(name, "tasks:list", of_one=of_one, most=most), access, browser, address)


def _inbox(who: str, access: Access, only: Collection[str] = ()) -> Iterator[tuple[str, Access, str, int]]:
    """First and deep page of the open and of the closed ones, and each filter (or those of ``only``) on both."""
    mine = SupervisionTask.objects.for_office_people(access)
    newest = mine.filter(case__isnull=False).select_related("case__division").order_by("-id")[0]
    if newest.case is None:
        raise RuntimeError("a task of a case has none")
    asked: dict[str, dict[str, str]] = {
        "first": {},
        "by number": {"q": "0000777"},
        "by subject": {"q": "花果山3"},
        "by nothing": {"q": "查无此家"},
        "late": {"late": "1"},
        "item": {"item": str(newest.business_item_id)},
        "area": {"area": newest.case.division.code},
        "origin": {"origin": "draw"},
        "nobody": {"whose": "nobody"},
        "in fault": {"whose": "fault"},
    }
    for key in ("open", "closed"):
        queue = lists.chosen(key)
        rows = lists.narrowed(access, queue).order_by(*queue.order)
        middle = rows[max(0, rows.count() // 2 - 1)]
        deep = {"page": Keyset(rows, queue.order).after(middle)}
        for name, query in (asked | {"deep": deep}).items():
            if (only and name not in only) or (key == "closed" and name in {"late", "in fault"}):
                continue
            yield f"{who}, {key}, {name}", access, f"/tasks/?{urlencode({'queue': key} | query)}", MOST_OF_INBOX


def _group(access: Access) -> str:
    """The page of the like tasks that are most."""
    task = SupervisionTask.objects.for_managers(access).filter(status="viewed").order_by("-id")[0]
    return f"/tasks/bulk/{task.office_id}/{task.sub_item_id}/"


# --- fifty at once


class Raw:
    """Writes again, on one cursor, what one bulk acknowledgement wrote."""

    def __init__(self, tasks: Sequence[SupervisionTask], at: dt.datetime) -> None:
        self.keys = [task.pk for task in tasks]
        new = [task.planned_deadline_id or 0 for task in tasks]
        old = [task.acknowledge_deadline_id or 0 for task in tasks]
        streams = [task.stream for task in tasks]
        self.old = old
        self.begun = rows_of(ClockEvent.objects.filter(deadline__in=new).order_by("deadline"))
        self.clocks = rows_of(Deadline.objects.filter(pk__in=new).order_by("pk"))
        history = SupervisionTask.history.model
        sets: tuple[tuple[type[models.Model], models.QuerySet[Any]], ...] = (
            (ClockEvent, ClockEvent.objects.filter(deadline__in=old, at=at)),
            (Entry, Entry.objects.filter(stream__in=streams, at=at)),
            (history, history.objects.filter(id__in=self.keys, history_date=at)),
        )
        self.groups = [(model._meta.db_table, rows_of(rows)) for model, rows in sets]
        if not all(rows for _, rows in self.groups) or len(self.begun) != len(self.clocks):
            raise RuntimeError("the floor would write less than the acknowledgement")
        self.number = 0

    def write(self) -> None:
        """One transaction: lock, two updates, an insert into each table."""
        self.number += 1
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM supervision_supervisiontask WHERE id = ANY(%s) FOR UPDATE", [self.keys])
            cursor.execute(
                "UPDATE supervision_supervisiontask SET measure_with = %s WHERE id = ANY(%s)",
                [str(self.number), self.keys],
            )
            cursor.execute(
                "UPDATE deadlines_deadline SET alarm_failures = %s WHERE id = ANY(%s)", [self.number, self.old]
            )
            made = self._insert(cursor, "deadlines_deadline", self.clocks, " RETURNING id")
            begun = [row | {"deadline_id": pk} for row, (pk,) in zip(self.begun, made, strict=True)]
            self._insert(cursor, "deadlines_clockevent", begun)
            for table, rows in self.groups:
                self._insert(cursor, table, rows)

    def _insert(self, cursor: Any, table: str, rows: Sequence[dict[str, Any]], after: str = "") -> list[tuple[int]]:
        names = [name for name in rows[0] if name != "history_id" and (name != "id" or "historical" in table)]
        values = [tuple(self._fresh(name, row[name], place) for name in names) for place, row in enumerate(rows)]
        columns = ", ".join(f'"{name}"' for name in names)
        sql = f'INSERT INTO "{table}" ({columns}) VALUES %s{after}'  # noqa: S608 - our own names
        found = execute_values(cursor.cursor, sql, values, page_size=len(values), fetch=bool(after))
        return found or []

    def _fresh(self, name: str, value: Any, place: int) -> Any:
        if name == "stream":
            return f"raw:{self.number}:{place}"
        if name == "seq" and value != 1:
            return self.number * 1000 + place
        if isinstance(value, dict | list):
            return Json(value)
        return str(value) if isinstance(value, uuid.UUID) else value


def _bulk(access: Access, size: int, now: dt.datetime) -> Iterator[Figure]:
    """Acknowledge fifty like tasks by the action and through the page; as many statements for five."""
    ready = _viewed(access, BULK * (2 * ROUNDS + 3))
    sets = iter([ready[first : first + BULK] for first in range(0, len(ready), BULK)])
    day = now.date() + dt.timedelta(days=10)

    def take(tasks: Sequence[SupervisionTask], at: dt.datetime) -> list[SupervisionTask]:
        return acknowledge_many(tasks, measure="off_site", planned_finish_on=day, by=access.user, now=at)

    raw = Raw(take(next(sets), now + dt.timedelta(minutes=1)), now + dt.timedelta(minutes=1))
    spare = next(sets)
    five = statements(lambda: take(spare[:5], now))
    fifty = statements(lambda: take(next(sets), now))
    ours, floor = in_turn(lambda: take(next(sets), now), raw.write, ROUNDS)
    met = ours / floor <= 2.5 and five == fifty
    target = f"≤ 2.5 × of the same rows, as many statements as for five ({five})"
    name = f"acknowledge {BULK} at once"
    yield Figure(name, "ms", ours * 1000, floor * 1000, ours / floor, target, met, size, fifty)
    browser = Client()
    browser.force_login(access.user, backend="django.contrib.auth.backends.ModelBackend")
    address = f"/tasks/bulk/{ready[0].office_id}/{ready[0].sub_item_id}/"
    later = (local_date(clock.now()) + dt.timedelta(days=10)).isoformat()

    def post() -> None:
        form = {"measure": "off_site", "planned_finish_on": later, "numbers": [task.number for task in next(sets)]}
        answer = browser.post(address, form)
        if answer.status_code != 302:
            raise RuntimeError(f"the bulk acknowledgement answered {answer.status_code}")

    ours, floor = in_turn(post, raw.write, ROUNDS)
    yield Figure(f"{name}, page", "ms", ours * 1000, floor * 1000, ours / floor, "≤ 200 ms", ours <= 0.2, size)


def _viewed(access: Access, many: int) -> list[SupervisionTask]:
    """Closed tasks of one office and sub-item, made as if somebody had just opened them."""
    mine = SupervisionTask.objects.for_managers(access).filter(status="closed", origin="case")
    wanted = mine.order_by("-id").values("office", "sub_item").annotate(count=models.Count("pk")).order_by("-count")[0]
    rows = mine.filter(office=wanted["office"], sub_item=wanted["sub_item"]).order_by("-id")
    keys = list(rows.values_list("pk", flat=True)[:many])
    if len(keys) < many:
        raise RuntimeError(f"{len(keys)} of {many} like tasks: SCALE is too small")
    SupervisionTask.objects.filter(pk__in=keys).update(
        status="viewed", end="", closed_at=None, measure="", planned_finish_on=None, finished_on=None,
        acknowledged_at=None, acknowledged_by=None, first_officer=None, second_officer=None,
    )  # fmt: skip
    Deadline.objects.filter(acknowledge_task__in=keys).update(state="running", closed_at=None, revision=1)
    found = SupervisionTask.objects.filter(pk__in=keys).order_by("pk")
    return list(found.select_related("acknowledge_deadline"))


# --- alarms


def _sweep(size: int, now: dt.datetime) -> Iterator[Figure]:
    """Ring what is due of tasks of every office and state, each with its ledger entry and message."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deadlines_deadline SET start_on = date '2026-09-28', due_on = date '2026-09-29', "  # noqa: S608
            f"yellow_on = date '2026-09-29', next_alarm_at = {RING_AT}, next_alarm_stage = -1 WHERE id IN "
            "(SELECT id FROM deadlines_deadline WHERE next_alarm_at > now() + interval '200 days' "
            "AND stream LIKE 'task:%%' ORDER BY id LIMIT %s)",
            [DUE],
        )
        due = cursor.rowcount
        cursor.execute("ANALYZE deadlines_deadline")
    person = User.objects.order_by("pk")[0].pk
    ours, floor = [], []
    for round_ in range(5):
        _again()
        ours.append(due / seconds(lambda: _ring(now, due)))
        _again()
        floor.append(due / seconds(partial(sweeping.floor, now, person, f"t{round_}")))
    a, b = sorted(ours)[2], sorted(floor)[2]
    met = a >= 8000 and a / b >= 0.5
    name = f"sweep {due:,} alarms of tasks"
    yield Figure(name, "/s", a, b, a / b, "≥ 8,000/s, ≥ 0.5 of the floor", met, size)
    empty = statements(lambda: sweep(now))
    a, b = in_turn(lambda: sweep(now), partial(sweeping.look, now), 15)
    yield Figure("empty sweep among tasks", "ms", a * 1000, b * 1000, a / b, "≤ 3 ms", a <= 0.003, size, empty)


def _again() -> None:
    """Make the same clocks due once more, and forget that they rang."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deadlines_alarm")
        cursor.execute("DELETE FROM notifications_message WHERE kind = 'task_reminder'")
        cursor.execute(
            f"UPDATE deadlines_deadline SET next_alarm_at = {RING_AT}, next_alarm_stage = -1 "  # noqa: S608 - our literal
            "WHERE due_on = date '2026-09-29' AND state = 'running' AND stream LIKE 'task:%'"
        )
        cursor.execute("ANALYZE deadlines_deadline")


def _ring(now: dt.datetime, due: int) -> None:
    report = sweep(now, hands=HANDS)
    if report.fired != due:
        raise RuntimeError(f"rang {report.fired} of {due}")
