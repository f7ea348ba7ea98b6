"""Who is reminded of a task's clocks: the manager; then deputies and heads; then the overseers (O3.3.1c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from approvals.alarms import when
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.registry import AlarmNotice, register
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications.outbox import Draft, post
from offices.bulk import among
from offices.models import Posting, User
from offices.people import by_department, by_office, overseers
from supervision.enums import TaskAct
from supervision.messages import Kind, reference_of
from supervision.models import SupervisionTask

OWNERS = {
    KindCode.ACKNOWLEDGE: ("acknowledge_deadline_id", "签收"),
    KindCode.PLANNED_FINISH: ("planned_deadline_id", "完成监管"),
    KindCode.FEEDBACK: ("feedback_deadline_id", "反馈监管结果"),
    KindCode.FOLLOW_UP: ("follow_up_deadline_id", "后续处理"),
    KindCode.RECTIFICATION: ("orders__deadline_id", "责令整改"),
    KindCode.DISPUTE: ("disputes__deadline_id", "争议协调"),
}


class Reminded(NamedTuple):
    """What a reminder says of a task, and who must hear it."""

    pk: int
    number: str
    office_id: int
    department_id: int
    division_id: int
    clock_id: int


class Hearers(NamedTuple):
    """Who hears of a task, each once, with their ids."""

    people: list[User]
    keys: list[int]

    @classmethod
    def of(cls, people: Iterable[User]) -> Hearers:
        """In their order."""
        each = {person.pk: person for person in people}
        return cls(list(each.values()), list(each))


NOBODY = Hearers([], [])


def alarm_tasks(notices: Sequence[AlarmNotice], now: dt.datetime) -> None:
    """Answer a batch of alarms of one kind: one reminder for each person and task, one ledger entry for each task.

    Statements are constant in the size of the batch.
    """
    column, verb = OWNERS[notices[0].kind]
    by_clock = {notice.deadline_id: notice for notice in notices}
    today = local_date(now)
    rows = SupervisionTask.objects.filter(**{f"{column}__in": among(by_clock)}).values_list(
        "pk", "number", "office_id", "department_id", "department__division_id", column
    )
    tasks = [Reminded(*row) for row in rows]
    if notices[0].kind == KindCode.DISPUTE:
        answering = {
            key: Hearers.of(people) for key, people in overseers({t.division_id for t in tasks}, today).items()
        }
        _write(tasks, by_clock, verb, {task.pk: answering.get(task.division_id, NOBODY) for task in tasks}, today, now)
        return
    managers = by_office(Posting.Role.OFFICE_MANAGER, {task.office_id for task in tasks}, today)
    late = [task for task in tasks if by_clock[task.clock_id].stage >= 1]
    later = {task.division_id for task in tasks if by_clock[task.clock_id].stage >= 2}
    deputies = by_office(Posting.Role.OFFICE_DEPUTY, {task.office_id for task in late}, today)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {task.department_id for task in late}, today)
    chasers = overseers(later, today) if later else {}
    together: dict[tuple[int, int, int, int], Hearers] = {}
    people_of: dict[int, Hearers] = {}
    for task in tasks:
        grave = max(0, min(2, by_clock[task.clock_id].stage))
        key = (task.office_id, task.department_id, task.division_id, grave)
        if key not in together:
            people: list[User] = list(managers.get(task.office_id, []))
            if grave >= 1:
                people += deputies.get(task.office_id, []) + heads.get(task.department_id, [])
            if grave >= 2:
                people += chasers.get(task.division_id, [])
            together[key] = Hearers.of(people)
        people_of[task.pk] = together[key]
    _write(tasks, by_clock, verb, people_of, today, now)


def _write(
    tasks: Sequence[Reminded], by_clock: dict[int, AlarmNotice], verb: str, people_of: dict[int, Hearers],
    today: dt.date, now: dt.datetime,
) -> None:  # fmt: skip
    drafts, acts = [], []
    for task in tasks:
        notice, hearers = by_clock[task.clock_id], people_of[task.pk]
        text = f"监管任务{task.number}的{verb}{when(notice.due_on, today)}，请及时办理。"
        drafts += [
            Draft(
                kind=Kind.TASK_REMINDER.value,
                text=text,
                dedupe_key=f"alarm:{notice.deadline_id}:{notice.due_on}:{notice.stage}:{key}",
                reference=reference_of(task.pk),
                to_user=person,
                bundle_key=f"reminder:{key}:{today}",
                due_on=notice.due_on,
            )
            for key, person in zip(hearers.keys, hearers.people, strict=True)
        ]
        acts.append(
            LedgerDraft(
                notice.stream,
                TaskAct.ALARM,
                {
                    "deadline": notice.deadline_id,
                    "stage": notice.stage,
                    "missed": list(notice.missed),
                    "people": hearers.keys,
                },
            )
        )
    post(drafts, now)
    record_many(acts, at=now)


def connect() -> None:
    """Answer the alarms of the supervision side's clocks (from ``apps.py``)."""
    for kind in OWNERS:
        register(kind, alarm_tasks)
