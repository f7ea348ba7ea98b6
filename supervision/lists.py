"""The queues of the inbox, and what narrows them. One statement counts them all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Case as Choose
from django.db.models import Count, DateField, Q, Value, When
from django.db.models.functions import Coalesce

from offices.access import Access
from supervision.enums import OPEN, TaskStatus
from supervision.models import SupervisionTask, TaskQuerySet

NO_DAY = dt.date.max
# A task whose SMS is still on its way has no day yet; it stands behind those that have, before those fed back.
NO_DAY_YET = NO_DAY - dt.timedelta(days=1)
MOST = 999  # an archive is not counted to its end
CLOCKS = ("acknowledge_deadline", "planned_deadline", "feedback_deadline")


@dataclass(frozen=True, slots=True)
class Queue:
    """A filter of the inbox: its statuses, the verb of its rows, and what to say when it is empty."""

    key: str
    label: str
    statuses: tuple[str, ...]
    verb: str
    empty: str
    order: tuple[str, ...] = ("due_on", "id")


S = TaskStatus
QUEUES = (
    Queue("open", "未归档", OPEN, "打开", "没有未归档的监管任务"),
    Queue("new", "待签收", (S.NOTIFIED, S.VIEWED), "签收", "没有待签收的监管任务"),
    Queue("taken", "已签收", (S.ACKNOWLEDGED,), "完成监管", "没有正在监管的任务"),
    Queue("finished", "待反馈", (S.FINISHED,), "反馈", "没有待反馈的监管任务"),
    Queue("fed_back", "已反馈", (S.FED_BACK,), "归档", "没有等待归档的监管任务"),
    Queue("closed", "已归档", (S.CLOSED,), "查看", "还没有归档的监管任务", ("-id",)),
)
VERBS = {status: queue.verb for queue in QUEUES[1:] for status in queue.statuses}


def chosen(key: str) -> Queue:
    """The queue of that key, or the first."""
    return next((queue for queue in QUEUES if queue.key == key), QUEUES[0])


def with_due(tasks: TaskQuerySet) -> TaskQuerySet:
    """Annotate ``due_on``: the pressing clock's day; ``NO_DAY_YET`` before its SMS went out, ``NO_DAY`` without one."""
    return tasks.annotate(
        due_on=Choose(
            When(status__in=(S.NOTIFIED, S.VIEWED), then=Coalesce("acknowledge_deadline__due_on", Value(NO_DAY_YET))),
            When(status=S.ACKNOWLEDGED, then=Coalesce("planned_deadline__due_on", Value(NO_DAY))),
            When(status=S.FINISHED, then=Coalesce("feedback_deadline__due_on", Value(NO_DAY))),
            default=Value(NO_DAY),
            output_field=DateField(),
        )
    )


def search(tasks: TaskQuerySet, text: str) -> TaskQuerySet:
    """Find by task or case number, by the holder's name or code, by item or sub-item."""
    text = text.strip()
    if not text:
        return tasks
    return tasks.filter(
        Q(number__icontains=text)
        | Q(case__applicant_name__icontains=text)
        | Q(case__applicant__code__iexact=text)
        | Q(case__business_item__name__icontains=text)
        | Q(sub_item__name__icontains=text)
    )


def narrowed(access: Access, queue: Queue, *, text: str, late_on: dt.date | None) -> TaskQuerySet:
    """The tasks of a queue that the search and the late filter leave, with all that a row shows."""
    tasks = with_due(SupervisionTask.objects.for_office_people(access).filter(status__in=queue.statuses))
    if late_on is not None:
        tasks = tasks.filter(Q(due_on__lt=late_on))
    return search(tasks, text).select_related(
        "case__business_item", "case__applicant", "office__department", "sub_item", *CLOCKS
    )


def counts(access: Access, today: dt.date) -> dict[str, str]:
    """How many tasks stand in each queue and how many are late; closed ones up to 999. Two statements."""
    mine = SupervisionTask.objects.for_office_people(access)
    asked = {queue.key: Count("pk", filter=Q(status__in=queue.statuses)) for queue in QUEUES if queue.key != "closed"}
    found = with_due(mine.open()).aggregate(**asked, late=Count("pk", filter=Q(due_on__lt=today)))
    archived = mine.filter(status=S.CLOSED).order_by()[: MOST + 1].count()
    return {key: str(value) for key, value in found.items()} | {
        "closed": str(archived) if archived <= MOST else f"{MOST}+"
    }
