"""Who hears that a change of the calendar moves the clocks of a task: its managers; of a dispute the overseers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from approvals.moves import staff_drafts
from deadlines import owners
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.moves import Move, Publication, register_moved
from notifications.outbox import post
from offices.models import Posting
from offices.people import by_office, overseers
from supervision.alarms import OWNERS
from supervision.models import SupervisionTask


def tell_tasks(moves: Sequence[Move], publication: Publication, now: dt.datetime) -> None:
    """Tell about the moves of one kind; statements are constant in their number."""
    column = OWNERS[moves[0].kind][0]
    keys = [move.deadline_id for move in moves]
    tasks = list(
        SupervisionTask.objects.filter(**{f"{column}__in": keys})
        .select_related("department")
        .only("pk", "office_id", "department__division_id")
    )
    if moves[0].kind == KindCode.DISPUTE:
        chasers = overseers({task.department.division_id for task in tasks}, local_date(now))
        people = [(person, task.stream) for task in tasks for person in chasers.get(task.department.division_id, [])]
    else:
        managers = by_office(Posting.Role.OFFICE_MANAGER, {task.office_id for task in tasks}, local_date(now))
        people = [(person, task.stream) for task in tasks for person in managers.get(task.office_id, [])]
    post(staff_drafts(people, publication), now)


def connect() -> None:
    """Register with the room of the clocks (from ``apps.py``)."""
    for kind in OWNERS:
        register_moved(kind, tell_tasks)
    owners.register_rows("task", SupervisionTask.objects.all)
