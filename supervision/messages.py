"""Message kinds of the supervision side, and what happens when a task SMS is accepted or fails (L9b, L9c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from django.utils import timezone

from deadlines import periods
from deadlines.actions import Start, start_many
from deadlines.kinds import KindCode
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications import kinds
from notifications.models import Message
from notifications.outbox import Draft, queue
from offices.models import User
from supervision.enums import TaskAct
from supervision.models import SupervisionTask


class Kind(StrEnum):
    """Message kinds of the supervision side."""

    TASK_OPENED = "task_opened"
    TASK_REMINDER = "task_reminder"
    OVERSEER_ALARM = "overseer_alarm"


def reference_of(task_pk: int) -> str:
    """How a message names its task."""
    return f"task:{task_pk}"


def task_text(task: SupervisionTask) -> str:
    """The task SMS: what, whose, by when."""
    return (
        f"新监管任务{task.number}：{task.case.public_name}的{task.case.business_item.name}已办结，"
        "请在本短信发出后3个工作日内登录平台查看并签收。"
    )


def opened_draft(task: SupervisionTask, person: User, rung: str) -> Draft:
    """The SMS of one task to one person; once for each rung of the ladder."""
    return Draft(
        kind=Kind.TASK_OPENED.value,
        text=task_text(task),
        dedupe_key=f"task_opened:{task.pk}:{rung}:{person.pk}",
        reference=reference_of(task.pk),
        to_user=person,
    )


def _task_ids(messages: Sequence[Message]) -> dict[int, Message]:
    """Task id → its earliest message of the batch."""
    found: dict[int, Message] = {}
    for message in messages:
        found.setdefault(int(message.reference.removeprefix("task:")), message)
    return found


class TaskSms(kinds.Handler):
    """The acknowledge clock starts when the first SMS of a task is accepted; a failed SMS climbs the ladder."""

    def on_accepted(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Start the 3-working-day clock of each task whose first SMS this is (L9c).

        Whoever acknowledged before the SMS was out needs no clock; that it went out is recorded all the same.
        """
        by_task = _task_ids(messages)
        tasks = list(
            SupervisionTask.objects.select_for_update(of=("self",))
            .filter(pk__in=by_task, sms_sent_at__isnull=True)
            .select_related("department")
            .order_by("pk")
        )
        lengths = periods.load([KindCode.ACKNOWLEDGE])
        by_moment: dict[dt.datetime, list[SupervisionTask]] = {}
        for task in tasks:
            task.sms_sent_at = by_task[task.pk].sent_at or now
            if task.acknowledged_at is None:
                by_moment.setdefault(task.sms_sent_at, []).append(task)
        for moment, group in by_moment.items():
            starts = [
                Start(
                    KindCode.ACKNOWLEDGE,
                    task.stream,
                    length=lengths.length(KindCode.ACKNOWLEDGE, task.department.division_id),
                )
                for task in group
            ]
            clocks = start_many(starts, at=moment, record=False)
            for task, clock in zip(group, clocks, strict=True):
                task.acknowledge_deadline = clock
        SupervisionTask.objects.bulk_update(tasks, ["sms_sent_at", "acknowledge_deadline"])
        record_many(
            [
                LedgerDraft(
                    task.stream,
                    TaskAct.SMS_SENT,
                    {
                        "message": by_task[task.pk].pk,
                        "deadline": task.acknowledge_deadline_id,
                        "due_on": task.acknowledge_deadline.due_on.isoformat() if task.acknowledge_deadline else None,
                    },
                )
                for task in tasks
            ],
            at=now,
        )

    def on_failed(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Try the deputies, then the heads of the department, then alarm the overseers; each rung once."""
        today = timezone.localtime(now).date()
        by_task = _task_ids(messages)
        tasks = SupervisionTask.objects.select_related(
            "office__department__division", "case__applicant", "case__business_item"
        ).filter(pk__in=by_task)
        drafts: list[Draft] = []
        acts: list[LedgerDraft] = []
        for task in tasks:
            failed = by_task[task.pk]
            rung = failed.dedupe_key.split(":")[2]
            people, above = next_rung(task, rung, today, exclude=failed.to_user_id)
            drafts += [opened_draft(task, person, above) for person in people]
            acts.append(
                LedgerDraft(
                    task.stream,
                    TaskAct.SMS_FAILED,
                    {"message": failed.pk, "next": above, "people": [person.pk for person in people]},
                )
            )
        record_many(acts, at=now)
        queue(drafts, now)


LADDER = ("manager", "deputy", "head", "overseer")


def next_rung(task: SupervisionTask, rung: str, today: dt.date, exclude: int | None) -> tuple[list[User], str]:
    """The next rung above ``rung`` that has people with a phone, and those people; empty above the last."""
    office = task.office
    people_of = {
        "deputy": office.deputies,
        "head": office.department.heads,
        "overseer": office.department.division.overseers,
    }
    for name in LADDER[LADDER.index(rung) + 1 :]:
        people = [person for person in people_of[name](today) if person.phone and person.pk != exclude]
        if people:
            return people, name
    return [], "nobody"


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    kinds.register(kinds.MessageKind(Kind.TASK_OPENED, "监管任务短信", "SMS_TASK_OPENED", handler=TaskSms()))
    kinds.register(kinds.MessageKind(Kind.TASK_REMINDER, "监管任务提醒", "SMS_TASK_REMINDER"))
    kinds.register(kinds.MessageKind(Kind.OVERSEER_ALARM, "督办提醒", "SMS_OVERSEER_ALARM"))
    kinds.uses(*Kind)
