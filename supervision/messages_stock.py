"""The SMS of old stock: one to each manager of an office for all its tasks of a batch, not thousands (L9b)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count, Min

from deadlines import periods
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications import kinds
from notifications.models import Message
from notifications.outbox import Draft, queue
from offices.models import Office, User
from supervision import starting, stock
from supervision.enums import Origin, TaskAct
from supervision.messages import next_rung, opening_drafts, reference_of, sms_went_out
from supervision.models import StockBatch, SupervisionTask, TaskQuerySet

KIND = "stock_opened"


class About(NamedTuple):
    """What the key of a message says: batch, office and rung of the ladder."""

    batch: int
    office: int
    rung: str


def about(message: Message) -> About:
    """Read the key of a message."""
    _, batch, office, rung, *_ = message.dedupe_key.split(":")
    return About(int(batch), int(office), rung)


def tasks_of(batch_id: int, office_id: int) -> TaskQuerySet:
    """The tasks of a batch that an office has had from the beginning; those sent on to it are told by themselves."""
    mine = SupervisionTask.objects.filter(origin=Origin.STOCK, office_id=office_id, round=1)
    return mine.filter(number__gte=stock.prefix(batch_id), number__lt=stock.prefix(batch_id + 1))


def offices_of(batch_id: int) -> list[int]:
    """Ids of the offices that have tasks of a batch from the beginning."""
    mine = SupervisionTask.objects.filter(origin=Origin.STOCK, round=1)
    mine = mine.filter(number__gte=stock.prefix(batch_id), number__lt=stock.prefix(batch_id + 1))
    return sorted(mine.order_by().values_list("office", flat=True).distinct())


def text(office: Office, count: int, begins: starting.Starts, today: dt.date) -> str:
    """How many there are, until when, and where the count begins later, from which day."""
    division = office.department.division_id
    days = periods.load([KindCode.ACKNOWLEDGE], division=division).length(KindCode.ACKNOWLEDGE, division)
    length = f"{days or 3}个工作日"
    first = begins.days.get((division, KindCode.ACKNOWLEDGE.value))
    if first is not None and first > today:
        begins_on = f"{first.month}月{first.day}日"
        return f"{office}有存量许可的监管任务{count}件，请登录平台查看；签收期限自{begins_on}起算，{length}。"
    return f"{office}有存量许可的监管任务{count}件，请在本短信发出后{length}内登录平台查看并签收。"


def _drafts(batch_id: int, office: Office, task_pk: int, said: str, rung: str, people: Sequence[User]) -> list[Draft]:
    return [
        Draft(
            kind=KIND,
            text=said,
            dedupe_key=f"{KIND}:{batch_id}:{office.pk}:{rung}:{person.pk}",
            reference=reference_of(task_pk),
            to_user=person,
        )
        for person in people
    ]


def announce(batch: StockBatch, today: dt.date, now: dt.datetime) -> int:
    """Queue the SMS of a batch that was loaded; how many offices are told. The message belongs to the first task."""
    begin, end = stock.prefix(batch.pk), stock.prefix(batch.pk + 1)
    mine = SupervisionTask.objects.filter(origin=Origin.STOCK, number__gte=begin, number__lt=end, round=1)
    found = {row[0]: (row[1], row[2]) for row in mine.order_by().values_list("office").annotate(Min("pk"), Count("pk"))}
    firsts = [pk for pk, _ in found.values()]
    rows = SupervisionTask.objects.select_related("office__department__division", "subject", "business_item")
    tasks = list(rows.filter(pk__in=firsts).order_by("pk"))
    _, told = opening_drafts(tasks, today)
    begins = starting.load([KindCode.ACKNOWLEDGE])
    drafts: list[Draft] = []
    for task in tasks:
        people, rung = told[task.pk]
        said = text(task.office, found[task.office_id][1], begins, today)
        drafts += _drafts(batch.pk, task.office, task.pk, said, rung, people)
    queue(drafts, now)
    return len(tasks)


class StockSms(kinds.Handler):
    """The acknowledge clocks of all tasks of an office start with its SMS; a failed one climbs the ladder once."""

    def on_accepted(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Start the clocks of the tasks that no SMS told of before (L9c), not before the division's first day."""
        for message in messages:
            said = about(message)
            waiting = tasks_of(said.batch, said.office).filter(sms_sent_at__isnull=True)
            locked = waiting.select_for_update(of=("self",)).select_related("department").order_by("pk")
            tasks = list(locked)
            sms_went_out(tasks, {task.pk: message for task in tasks}, now)

    def on_failed(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Try the deputies, then the heads of the department, then the overseers."""
        today = local_date(now)
        drafts: list[Draft] = []
        acts: list[LedgerDraft] = []
        for message in messages:
            said = about(message)
            mine = tasks_of(said.batch, said.office)
            task = mine.select_related("office__department__division").order_by("pk").first()
            if task is None:
                continue
            people, above = next_rung(task, said.rung, today, exclude=message.to_user_id)
            drafts += _drafts(said.batch, task.office, task.pk, message.text, above, people)
            data = {"message": message.pk, "next": above, "people": [person.pk for person in people]}
            keys = mine.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
            acts += [LedgerDraft(reference_of(pk), TaskAct.SMS_FAILED, data) for pk in keys]
        record_many(acts, at=now)
        queue(drafts, now)


def register() -> None:
    """Enter the kind in the table (from ``apps.py``)."""
    kinds.register(kinds.MessageKind(KIND, "存量监管任务短信", "SMS_STOCK_OPENED", handler=StockSms()))
    kinds.uses(KIND)
