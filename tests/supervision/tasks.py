"""Short ways to bring a task to a state, through the real actions."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from approvals.actions import accept_case, decide
from approvals.actions.intake import add_materials, slot_of
from approvals.models import Case
from deadlines.models import Deadline
from notifications.deliver import deliver
from offices.models import Leave, Posting, User
from supervision import actions
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.situations import situation


@situation
def notified(now: dt.datetime) -> SupervisionTask:
    """A task whose SMS went out."""
    task = SupervisionTask.objects.filter(case=play.completed(now)).order_by("pk")[0]
    deliver(now)
    task.refresh_from_db()
    return task


@situation
def promised(now: dt.datetime) -> SupervisionTask:
    """A task of a case that was approved on a promise."""
    clerk = play.person("chuangkou1")
    case = play.promising(now, signed=False)
    owed = {slot_of(line): "provided" for line in case.materials.filter(state="deferred")}
    play.sign(add_materials(case, provided=owed, by=clerk, now=now), clerk, now)
    case = accept_case(case, by=clerk, now=now)
    assert case.decider is not None
    decide(case, approve=True, by=case.decider, now=now)
    deliver(now)
    return SupervisionTask.objects.filter(case=case).order_by("pk")[0]


@situation
def acknowledged(now: dt.datetime, task: SupervisionTask | None = None, **plan: Any) -> SupervisionTask:
    """A task taken by its manager, on site and for today unless ``plan`` says otherwise."""
    task = task or notified(now)
    by = play.person(manager_of(task))
    actions.view_task(task, by=by, now=now)
    chosen: dict[str, Any] = {"measure": "on_site", "planned_finish_on": now.date()} | plan
    return actions.acknowledge(task, **chosen, by=by, now=now)


def inspector(task: SupervisionTask, name: str = "jiancha1", since: str = "2026-01-01") -> User:
    """Somebody of the task's office who inspects and does nothing else."""
    found = User.objects.filter(username=name).first()
    person: User = found or User.objects.create_user(name, full_name=f"检查员{name[-1]}", phone=f"1390000000{name[-1]}")
    Posting.objects.get_or_create(
        user=person, department=task.office.department, office=task.office, role="inspector", starts_on=since
    )
    return person


def on_leave(person: User, now: dt.datetime, days: int = 3) -> Leave:
    """``person`` is away from today on."""
    today = now.date()
    return Leave.objects.create(
        user=person, starts_on=today, ends_on=today + dt.timedelta(days=days), entered_by=person, entered_at=now
    )


def manager_of(task: SupervisionTask) -> str:
    """The account of the task's office manager."""
    return task.office.managers(dt.date(2026, 9, 28))[0].username


def copies(task: SupervisionTask, count: int, first: int = 0) -> list[SupervisionTask]:
    """``count`` more tasks like ``task``, each with its own case and clock, written in bulk."""
    clocks, cases = [], []
    assert task.case_id is not None
    for number in range(first, first + count):
        case = Case.objects.get(pk=task.case_id)
        case.pk, case.intake_key, case.number = None, uuid.uuid4(), f"{case.number[:8]}{number:012d}"
        case.notice_deadline = case.statutory_deadline = case.promised_deadline = case.issue_deadline = None
        case.stage_deadline = None
        cases.append(case)
        assert task.acknowledge_deadline is not None
        clock = Deadline.objects.get(pk=task.acknowledge_deadline.pk)
        clock.pk = None
        clocks.append(clock)
    Case.objects.bulk_create(cases)
    Deadline.objects.bulk_create(clocks)
    made = []
    for case, clock in zip(cases, clocks, strict=True):
        row = SupervisionTask.objects.get(pk=task.pk)
        row.pk, row.case, row.acknowledge_deadline, row.number = None, case, clock, f"J{case.number}01"
        made.append(row)
    return SupervisionTask.objects.bulk_create(made)
