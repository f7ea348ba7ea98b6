"""Short ways to an objection, through the real actions."""

from __future__ import annotations

import datetime as dt

from offices.models import Office, User
from supervision import actions
from supervision.actions import disputing
from supervision.models import Dispute, SupervisionTask
from tests.supervision.tasks import notified


def manager(task: SupervisionTask, on: dt.date) -> User:
    """The manager of the office that has the task."""
    return task.office.managers(on)[0]


def viewed(now: dt.datetime) -> SupervisionTask:
    """A task whose SMS went out and that its manager has opened."""
    task = notified(now)
    return actions.view_task(task, by=manager(task, now.date()), now=now)


def elsewhere(task: SupervisionTask, on: dt.date) -> Office:
    """Another office that the task may go to, of another department where there is one."""
    offices = disputing.other_offices(task, on).order_by("pk")
    found = offices.exclude(department=task.department_id).first() or offices.first()
    assert found is not None
    return found


def disputed(now: dt.datetime, proposed: bool = True) -> Dispute:
    """An objection that waits for the overseers."""
    task = viewed(now)
    office = elsewhere(task, now.date()) if proposed else None
    by = manager(task, now.date())
    return disputing.raise_dispute(task, reason="属另一部门职责。", proposed_office=office, by=by, now=now)
