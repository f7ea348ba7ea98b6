"""后续处理: the clock of a task whose result calls for something more, until that is done (L10b–d).

It runs while nobody else's clock does: after a feedback that is not 符合, and again once an order was settled as not
mended or refused. Order, proposal, handover or the closing word end it. The callers hold the task's lock and save it.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from deadlines import periods
from deadlines.actions import meet_deadline, start_deadline
from deadlines.kinds import KindCode
from notifications import outbox
from offices.history import save_at
from offices.models import Department, User
from supervision.enums import OrderStatus, TaskStatus
from supervision.messages import Kind, reference_of
from supervision.models import Rectification, SupervisionTask, TaskQuerySet

KIND = KindCode.FOLLOW_UP


def begin(task: SupervisionTask, *, by: User | None, now: dt.datetime) -> None:
    """Start the clock; a task has one at a time, the one before has ended."""
    division = Department.objects.values_list("division_id", flat=True).get(pk=task.department_id)
    length = periods.load([KIND], division=division).length(KIND, division)
    task.follow_up_deadline = start_deadline(KIND, at=now, stream=task.stream, by=by, length=length)


def end(task: SupervisionTask, *, by: User, now: dt.datetime) -> None:
    """What was to follow was done: the clock, if one runs, is met (or missed), its waiting reminders are not sent."""
    clock = task.follow_up_deadline
    if clock is None or not clock.is_open:
        return
    meet_deadline(clock, at=now, by=by)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])


def owing() -> TaskQuerySet:
    """Tasks of which something is to be done while no order runs."""
    running = Rectification.objects.filter(task=OuterRef("pk"), status=OrderStatus.RUNNING)
    return SupervisionTask.objects.filter(
        Q(status=TaskStatus.FED_BACK) | Q(status=TaskStatus.RECTIFYING) & ~Exists(running)
    )


def unwatched() -> TaskQuerySet:
    """Those of them for which no clock runs: fed back before there was one."""
    return owing().exclude(follow_up_deadline__isnull=False, follow_up_deadline__closed_at__isnull=True)


@transaction.atomic
def begin_unwatched(pk: int, now: dt.datetime) -> bool:
    """Start the clock of a task that was left without one, from ``now``; whether one was still missing."""
    task = SupervisionTask.objects.lock(pk)
    if not unwatched().filter(pk=pk).exists():
        return False
    begin(task, by=None, now=now)
    save_at(task, now)
    return True
