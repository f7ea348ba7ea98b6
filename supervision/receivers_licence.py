"""What the approval side does to a licence reaches its open tasks at once, in the same transaction (O3.3.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from approvals.enums import LICENCE_ENDED, LicenceChangeKind
from approvals.models import Licence, LicenceChange
from approvals.writing import Writing
from deadlines.clock import local_date
from ledger.record import Draft
from notifications import kinds
from notifications.outbox import Draft as MessageDraft
from offices.models import Posting, User
from offices.people import by_office
from supervision.actions import visiting
from supervision.enums import ENDS_WITH_LICENCE, TaskAct, TaskStatus
from supervision.messages import reference_of
from supervision.models import SupervisionTask, TaskChange

KIND = "task_licence_changed"
SHORTEST = 200


def register() -> None:
    """Enter the kind of message (from ``apps.py``); it goes alone, at once within the quiet hours."""
    kinds.register(kinds.MessageKind(KIND, "证照变动提醒", "SMS_TASK_LICENCE_CHANGED"))
    kinds.uses(KIND)


def tell_tasks(
    sender: Any, *, licence: Licence, change: LicenceChange, by: User, now: dt.datetime, writing: Writing, **kwargs: Any
) -> None:
    """Write the change on every open task of the licence and tell the managers of its office.

    No clock moves: what follows is the manager's to decide (a task may be closed where the licence has ended). Four
    statements besides the ledger's, however many tasks.
    """
    open_tasks = SupervisionTask.objects.open().filter(licence=licence).order_by("pk")
    tasks = list(open_tasks.select_for_update(of=("self",)))
    if tasks:
        note_change(tasks, licence=licence, change=change, by=by, now=now, writing=writing)


def note_change(
    tasks: Sequence[SupervisionTask], *, licence: Licence, change: LicenceChange, by: User, now: dt.datetime,
    writing: Writing,
) -> None:  # fmt: skip
    """Write the change of their licence on these tasks, which nobody else writes on, and tell their managers."""
    kind = LicenceChangeKind(change.kind)
    ends = licence.state in LICENCE_ENDED
    reason = change.reason if len(change.reason) <= SHORTEST else f"{change.reason[: SHORTEST - 1]}…"
    text = f"{kind.label}：{reason}"
    TaskChange.objects.bulk_create(
        TaskChange(task=task, licence=licence, kind=kind.value, text=text, ends_licence=ends, at=now) for task in tasks
    )
    data = {"change": change.pk, "kind": kind.value, "ends": ends}
    writing.entries += [Draft(task.stream, TaskAct.LICENCE_CHANGED, data, by) for task in tasks]
    if ends:
        visiting.call_off_ended(tasks, by=by, now=now, writing=writing)
    managers = by_office(Posting.Role.OFFICE_MANAGER, {task.office_id for task in tasks}, local_date(now))
    writing.messages += [
        MessageDraft(
            kind=KIND,
            text=f"监管任务{task.number}的证照{licence.number}已{kind.label}，{_next(task, ends=ends)}。",
            dedupe_key=f"{KIND}:{change.pk}:{task.pk}:{person.pk}",
            reference=reference_of(task.pk),
            to_user=person,
        )
        for task in tasks
        for person in managers.get(task.office_id, [])
    ]


def _next(task: SupervisionTask, *, ends: bool) -> str:
    """What the manager is asked to do: to close only what may be closed, or may be once it is opened."""
    closes = ends and task.status in {*ENDS_WITH_LICENCE, TaskStatus.NOTIFIED}
    return "证照已失效，请确认是否归档" if closes else "请在任务页面查看"
