"""The queues of the inbox, and what narrows them. One statement counts them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from credit.models import CreditSubject
from deadlines.models import Deadline
from offices import kept
from offices.access import Access
from offices.keyset import Keyset, Page
from offices.models import Division, Office, Posting
from offices.tally import tally, up_to
from supervision import officers
from supervision.enums import OPEN, OrderStatus, Origin, TaskStatus
from supervision.models import Rectification, SupervisionTask, TaskQuerySet
from supervision.models.tasks import seen_apart
from supervision.words import half_width

Role = Posting.Role
Options = list[tuple[str, str]]

CLOCKS = ("acknowledge_deadline", "planned_deadline", "feedback_deadline", "follow_up_deadline")
PEOPLE = ("first_officer", "second_officer")
WHOSE = (("mine", "分派给我的"), ("nobody", "尚未分派"), ("fault", "分派须调整"))


@dataclass(frozen=True, slots=True)
class Queue:
    """A filter of the inbox: its statuses, the verb of its rows, and what to say when it is empty."""

    key: str
    label: str
    statuses: tuple[str, ...]
    verb: str
    empty: str
    order: tuple[str, ...] = ("pressing_on", "id")


S = TaskStatus
QUEUES = (
    Queue("open", "未归档", OPEN, "打开", "没有未归档的监管任务"),
    Queue("new", "待签收", (S.NOTIFIED, S.VIEWED), "签收", "没有待签收的监管任务"),
    Queue("taken", "检查中", (S.ACKNOWLEDGED, S.IN_PROGRESS), "检查", "没有正在检查的任务"),
    Queue("finished", "待反馈", (S.FINISHED,), "反馈", "没有待反馈的监管任务"),
    Queue("fed_back", "后续处理", (S.FED_BACK, S.RECTIFYING), "处理", "没有等待后续处理的监管任务"),
    Queue("elsewhere", "等候答复", (S.DISPUTED, S.HANDED_OVER, S.REVOCATION), "查看", "没有等候答复的监管任务"),
    Queue("closed", "已归档", (S.CLOSED,), "查看", "还没有归档的监管任务", ("-id",)),
)
VERBS = {status: queue.verb for queue in QUEUES[1:] for status in queue.statuses}


def chosen(key: str) -> Queue:
    """The queue of that key, or the first."""
    return next((queue for queue in QUEUES if queue.key == key), QUEUES[0])


def search(tasks: TaskQuerySet, text: str) -> TaskQuerySet:
    """Find by task or case number, by the holder's name or code, by item or sub-item.

    What stands on other tables is looked up there first, in one statement: only what is compared with the task's own
    columns is found by its trigrams (``supervision.apps``), and what matches nothing does not read the archive.
    """
    text = text.strip()
    if not text:
        return tasks
    plain = half_width(text)
    numbered = plain.isascii()  # a number or a code may be meant
    keys: dict[str, list[int]] = {"business_item": [], "sub_item": [], "subject": []}
    for column, pk in _named(text, plain if numbered else ""):
        keys[column].append(pk)
    found = Q(subject_name__icontains=text)
    if numbered:
        found |= Q(number__contains=plain)
    for column, pks in keys.items():
        if pks:
            found |= Q(**{f"{column}__in": pks})
    return tasks.filter(found)


def _named(text: str, code: str) -> list[tuple[str, int]]:
    """(column of a task, id) of the items and sub-items named so, and of the subject of that code."""
    items = BusinessItem.objects.filter(name__icontains=text).order_by()
    sub_items = SupervisionSubItem.objects.filter(name__icontains=text).order_by()
    parts = {"business_item": items, "sub_item": sub_items}
    if code:
        parts["subject"] = CreditSubject.objects.filter(code=code).order_by()
    found = [rows.values_list(Value(column), "pk") for column, rows in parts.items()]
    return list(found[0].union(*found[1:], all=True))


@dataclass(frozen=True, slots=True)
class Narrow:
    """What narrows a queue; empty: everything. ``item``, ``office``: ids; ``area``: a division's code."""

    text: str = ""
    late_on: dt.date | None = None
    item: str = ""
    area: str = ""
    origin: str = ""
    office: str = ""
    whose: str = ""


def narrowed(
    access: Access, queue: Queue, *, text: str = "", late_on: dt.date | None = None, more: Narrow | None = None
) -> TaskQuerySet:
    """The tasks of a queue that search, lateness and the filters leave; ``completed`` adds what a row shows."""
    asked = more or Narrow(text, late_on)
    # All that are open stand in the index by day; told by their statuses, these would be looked up beside it. Those of
    # an inspector stand in that of the officers, by status.
    whole = queue.statuses == OPEN and not access.offices(Role.INSPECTOR)
    which = ~Q(status=S.CLOSED) if whole else Q(status__in=queue.statuses)
    tasks = SupervisionTask.objects.for_office_people(access).filter(which)
    if asked.late_on is not None:
        tasks = tasks.filter(pressing_on__lt=asked.late_on)
    if asked.item:
        tasks = tasks.filter(business_item_id=int(asked.item))
    if asked.office:
        tasks = tasks.filter(office_id=int(asked.office))
    if asked.origin:
        tasks = tasks.filter(origin=asked.origin)
    if asked.area:
        here = Q(case__division__code=asked.area)
        tasks = tasks.filter(here | Q(case__isnull=True, department__division__code=asked.area))
    if asked.whose:
        tasks = tasks.filter(_whose(access, asked.whose))
    return search(tasks, asked.text)


def completed(tasks: Sequence[SupervisionTask], *more: str) -> list[SupervisionTask]:
    """The same tasks with all that a row shows, and with the relations ``more``; one statement.

    Joined to the page and not to the queue: the queue is sorted whole by the due day.
    """
    rows = SupervisionTask.objects.filter(pk__in=[task.pk for task in tasks]).select_related(
        "business_item", "subject", "office__department", "sub_item", *PEOPLE, *CLOCKS, *more
    )
    found = {task.pk: task for task in rows}
    return [found[task.pk] for task in tasks if task.pk in found]


ROW = (
    "number", "status", "measure", "promise_clauses", "subject_name", *CLOCKS,
    "business_item__name", "subject__kind", "office__name", "office__department__name", "sub_item__name",
    "sub_item__two_officers", *(f"{person}__{name}" for person in PEOPLE for name in ("full_name", "is_active")),
)  # fmt: skip


def shown(tasks: Sequence[SupervisionTask]) -> list[SupervisionTask]:
    """The same tasks with what a line of the inbox shows, and the clock that presses; two statements."""
    found = {task.pk: task for task in kept.ask(_rows, _rows, [task.pk for task in tasks])}
    pressing = {task.pk: getattr(task, f"{task.pressing_clock}_id") for task in found.values() if task.pressing_clock}
    clocks = {one.pk: one for one in kept.ask(_clocks, _clocks, [pk for pk in pressing.values() if pk])}
    for task in found.values():
        if task.pressing_clock:
            setattr(task, task.pressing_clock, clocks.get(pressing[task.pk]))
    return [found[task.pk] for task in tasks if task.pk in found]


def _rows(keys: Sequence[int]) -> TaskQuerySet:
    rows = SupervisionTask.objects.filter(pk__in=keys).order_by()
    return rows.select_related("business_item", "subject", "office__department", "sub_item", *PEOPLE).only(*ROW)


def _clocks(keys: Sequence[int]) -> QuerySet[Deadline]:
    return Deadline.objects.filter(pk__in=keys).order_by()


def page(access: Access, queue: Queue, more: Narrow, cursor: str) -> Page[SupervisionTask]:
    """A page of the queue, its tasks with their day alone; one statement."""
    key = None if more.text else (page, access.key, queue.key, more)
    return Keyset(lambda: narrowed(access, queue, more=more).only("pressing_on"), queue.order, key=key).page(cursor)


def _whose(access: Access, whose: str) -> Q:
    if whose == "mine":
        return Q(first_officer=access.user) | Q(second_officer=access.user)
    if whose == "nobody":
        return Q(first_officer__isnull=True)
    return ~Q(status=S.CLOSED) & officers.in_fault(access.on)


ROLES = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR)


def offices_of(access: Access) -> list[Office]:
    """The offices whose tasks the person may see; one statement for a head, none for the others."""
    found = {one.office_id: one.office for one in access.postings if one.role in ROLES and one.office is not None}
    if departments := access.departments(Role.DEPARTMENT_HEAD):
        here = Office.objects.filter(department_id__in=departments).select_related("department")
        found |= {office.pk: office for office in here}
    return sorted(found.values(), key=lambda office: (office.department_id, office.pk))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the inbox may be narrowed to: (value, label) of offices, items and divisions."""

    offices: Options
    items: Options
    areas: Options


def choices(access: Access) -> Choices:
    """The offices whose tasks the person may see, the items that these are linked to, and every division.

    One statement.
    """
    own = {one.office.pk: one.office for one in access.postings if one.role in ROLES and one.office is not None}
    departments = sorted(access.departments(Role.DEPARTMENT_HEAD))
    found = kept.union(_choices, _choices, sorted(own), departments, wrap="{} ORDER BY 3, 4, 1")
    parts: dict[str, Options] = {AREA: [], ITEM: [], OFFICE: []}
    places = {(office.department_id, office.pk): str(office) for office in own.values()}
    for value, name, kind, beside in found:
        if kind == OFFICE:
            places[int(beside), int(value)] = name
        else:
            parts[kind].append((value, name))
    offices = [(str(pk), name) for (_, pk), name in sorted(places.items())]
    return Choices(offices, parts[ITEM], parts[AREA])


AREA, ITEM, OFFICE = "area", "item", "office"


def _choices(offices: Sequence[int], departments: Sequence[int]) -> list[QuerySet[Any, tuple[str, str, str, str]]]:
    """(value, label, which filter, what it is sorted by)."""
    theirs = Q(office__pk__in=offices) | Q(office__department__pk__in=departments)
    linked = BusinessItem.objects.filter(pk__in=Linkage.objects.filter(theirs).values("business_item"))
    headed = Office.objects.filter(department__pk__in=departments).annotate(
        key=Cast("pk", CharField()),
        label=Concat("department__name", "name"),
        kind=Value(OFFICE),
        beside=Cast("department", CharField()),
    )
    items = linked.annotate(key=Cast("pk", CharField()), kind=Value(ITEM))
    areas = Division.objects.annotate(kind=Value(AREA))
    return [
        items.order_by().values_list("key", "name", "kind", "name"),
        areas.order_by().values_list("code", "name", "kind", "code"),
        headed.order_by().values_list("key", "label", "kind", "beside"),
    ]


def origin_options() -> Options:
    """Where tasks come from."""
    return [(origin.value, origin.label) for origin in Origin]


def order_clocks(tasks: Collection[SupervisionTask]) -> dict[int, Deadline]:
    """Task id → the clock of its running order; one statement, none where nothing is being mended."""
    mending = [task.pk for task in tasks if task.status == S.RECTIFYING]
    if not mending:
        return {}
    return {order.task_id: order.deadline for order in kept.ask(_running, _running, mending)}


def _running(tasks: Sequence[int]) -> QuerySet[Rectification]:
    orders = Rectification.objects.filter(task__pk__in=tasks, status=OrderStatus.RUNNING)
    return orders.select_related("deadline").order_by()


def _queues(access: Access, today: dt.date) -> dict[str, QuerySet[Any]]:
    def mine(**where: Any) -> QuerySet[Any]:
        parts = [SupervisionTask.objects.filter(part, **where).values_list("pk") for part in seen_apart(access)]
        return parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]

    late = mine(status__in=OPEN, pressing_on__lt=today)
    return {queue.key: mine(status__in=queue.statuses) for queue in QUEUES} | {"late": late}


def counts(access: Access, today: dt.date) -> dict[str, str]:
    """How many tasks stand in each queue and how many are late, each up to 99. One statement."""
    return {key: up_to(found) for key, found in tally(access, _queues, today).items()}
