"""Message kinds of the supervision side, and what happens when a task SMS is accepted or fails (L9b, L9c)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

from django.db.models import Exists, OuterRef
from django.utils import timezone

from deadlines import periods
from deadlines.actions import Start, start_many
from deadlines.kinds import KindCode
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications import kinds
from notifications.models import Message
from notifications.outbox import Draft, queue
from offices.bulk import update_rows
from offices.models import Leave, Posting, User
from supervision import starting
from supervision.enums import Origin, TaskAct
from supervision.models import SupervisionTask


class Kind(StrEnum):
    """Message kinds of the supervision side."""

    TASK_OPENED = "task_opened"
    TASK_REMINDER = "task_reminder"
    TASK_NOTICE = "task_notice"
    OVERSEER_ALARM = "overseer_alarm"


def reference_of(task_pk: int) -> str:
    """How a message names its task."""
    return f"task:{task_pk}"


SAID = {Origin.CASE: "已办结", Origin.DRAW: "已被抽中检查", Origin.STOCK: "为存量许可"}


def task_text(task: SupervisionTask) -> str:
    """The task SMS: what, whose, by when."""
    return (
        f"新监管任务{task.number}：{task.public_subject}的{task.business_item.name}{SAID[Origin(task.origin)]}，"
        "请在本短信发出后3个工作日内登录平台查看并签收。"
    )


def opened_draft(task: SupervisionTask, person: User, rung: str) -> Draft:
    """The SMS of one task to one person; once for each rung of the ladder."""
    return Draft(
        kind=Kind.TASK_OPENED.value,
        text=task_text(task),
        dedupe_key=f"task_opened:{task.pk}:{rung}:{person.pk}" + (f":{task.round}" if task.round > 1 else ""),
        reference=reference_of(task.pk),
        to_user=person,
    )


def _by_task(messages: Sequence[Message]) -> dict[int, list[Message]]:
    """Task id → its messages of the batch."""
    found: dict[int, list[Message]] = {}
    for message in messages:
        found.setdefault(int(message.reference.removeprefix("task:")), []).append(message)
    return found


def _of_round(tasks: Sequence[SupervisionTask], told: dict[int, list[Message]]) -> dict[int, Message]:
    """Task id → its first message of the round that the task is in.

    What an office was told that had the task before says nothing to the one that has it now.
    """
    first = {task.pk: next((m for m in told[task.pk] if round_of(m) == task.round), None) for task in tasks}
    return {pk: message for pk, message in first.items() if message is not None}


def round_of(message: Message) -> int:
    """The round of a task SMS, by its key (see ``opened_draft``)."""
    told = message.dedupe_key.split(":")[4:5]
    return int(told[0]) if told and told[0].isdigit() else 1


class TaskSms(kinds.Handler):
    """The acknowledge clock starts when the first SMS of a task is accepted; a failed SMS climbs the ladder."""

    def on_accepted(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Start the 3-working-day clock of each task whose first SMS this is (L9c).

        Whoever acknowledged before the SMS was out needs no clock; that it went out is recorded all the same.
        """
        told = _by_task(messages)
        found = list(
            SupervisionTask.objects.select_for_update(of=("self",))
            .filter(pk__in=told, sms_sent_at__isnull=True)
            .select_related("department")
            .order_by("pk")
        )
        by_task = _of_round(found, told)
        tasks = [task for task in found if task.pk in by_task]
        sms_went_out(tasks, by_task, now)

    def on_failed(self, messages: Sequence[Message], now: dt.datetime) -> None:
        """Try the deputies, then the heads of the department, then alarm the overseers; each rung once."""
        today = timezone.localtime(now).date()
        told = _by_task(messages)
        rows = SupervisionTask.objects.select_for_update(of=("self",)).filter(pk__in=told).order_by("pk")
        tasks = list(rows.select_related("office__department__division", "subject", "business_item"))
        by_task = _of_round(tasks, told)
        drafts: list[Draft] = []
        acts: list[LedgerDraft] = []
        for task in (one for one in tasks if one.pk in by_task):
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


def sms_went_out(tasks: Sequence[SupervisionTask], by_task: dict[int, Message], now: dt.datetime) -> None:
    """Start the acknowledge clock of each task (locked, ``department`` at hand) as of its message (by task id).

    Not before the division's first day of such clocks. Statements are constant in the number.
    """
    lengths = periods.load([KindCode.ACKNOWLEDGE])
    begins = starting.load([KindCode.ACKNOWLEDGE])
    by_moment: dict[dt.datetime, list[SupervisionTask]] = {}
    for task in tasks:
        task.sms_sent_at = by_task[task.pk].sent_at or now
        if task.acknowledged_at is None:
            moment = begins.at(KindCode.ACKNOWLEDGE, task.department.division_id, task.sms_sent_at)
            by_moment.setdefault(moment, []).append(task)
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
    update_rows(
        SupervisionTask,
        ["sms_sent_at", "acknowledge_deadline_id"],
        [(task.pk, task.sms_sent_at, task.acknowledge_deadline_id) for task in tasks],
    )
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


def opening_drafts(
    tasks: Sequence[SupervisionTask], today: dt.date
) -> tuple[list[Draft], dict[int, tuple[list[User], str]]]:
    """The task SMS of freshly opened or reassigned tasks, and for each task id whom it goes to and on which rung.

    To the managers of its office (L2, L9b); while all of them are on leave to the deputies who are not, so that the
    task is seen; where there is nobody with a phone, up the ladder. The clock is not touched by any of it.
    ``task.office`` is at hand. One statement, and a few for each task of an office that nobody manages.
    """
    away = Leave.objects.on(today).filter(user=OuterRef("user_id"))
    postings = (
        Posting.objects.active(today)
        .role(Posting.Role.OFFICE_MANAGER, Posting.Role.OFFICE_DEPUTY)
        .filter(office_id__in={task.office_id for task in tasks}, user__is_active=True)
        .exclude(user__phone_hash="")
        .annotate(away=Exists(away))
        .select_related("user")
        .order_by("user_id")
    )
    managers: dict[int, dict[User, bool]] = defaultdict(dict)
    deputies: dict[int, list[User]] = defaultdict(list)
    for posting in postings:
        office = posting.office_id or 0
        if posting.role == Posting.Role.OFFICE_MANAGER:
            managers[office][posting.user] = posting.away  # type: ignore[attr-defined]  # annotated above
        elif not posting.away and posting.user not in deputies[office]:  # type: ignore[attr-defined]
            deputies[office].append(posting.user)
    told: dict[int, tuple[list[User], str]] = {}
    for task in tasks:
        people, standing_in = managers[task.office_id], deputies[task.office_id]
        if not people:
            told[task.pk] = next_rung(task, "manager", today, exclude=None)
        elif standing_in and all(people.values()):
            told[task.pk] = standing_in, "deputy"
        else:
            told[task.pk] = list(people), "manager"
    drafts = [opened_draft(task, person, told[task.pk][1]) for task in tasks for person in told[task.pk][0]]
    return drafts, told


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
    kinds.register(kinds.MessageKind(Kind.TASK_NOTICE, "监管任务通知", "SMS_TASK_NOTICE"))
    kinds.register(kinds.MessageKind(Kind.OVERSEER_ALARM, "督办提醒", "SMS_OVERSEER_ALARM"))
    kinds.uses(*Kind)
