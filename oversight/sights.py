"""Overseers and discipline officers see the clocks of cases and tasks, with the people; a discipline look is noted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.urls import reverse

from approvals.models import Case
from deadlines import sights
from deadlines.sights import Sight
from offices.access import Access
from offices.models import Posting
from oversight.actions.traces import note_look
from oversight.enums import TraceAct
from supervision.models import SupervisionTask

Role = Posting.Role


def cases_overseen(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Cases of the divisions overseen."""
    if not access.has(Role.OVERSEER):
        return {}
    rows = Case.objects.for_overseer(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("oversight:case", args=[number]), names=True) for pk, number in rows}


def tasks_overseen(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Tasks of the divisions overseen."""
    if not access.has(Role.OVERSEER):
        return {}
    rows = SupervisionTask.objects.for_overseer(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("oversight:task", args=[number]), names=True) for pk, number in rows}


def _traced(case: Case, access: Access) -> Sight:
    def note(now: dt.datetime) -> None:
        note_look(case, TraceAct.VIEWED, by=access.user, now=now)

    return Sight(reverse("traces:case", args=[case.number]), names=True, note=note)


def cases_traced(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Cases whose traces the person may read."""
    if not access.has(Role.DISCIPLINE):
        return {}
    rows = Case.objects.for_trace(access).filter(pk__in=keys).only("number")
    return {case.pk: _traced(case, access) for case in rows}


def tasks_traced(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Tasks of those cases."""
    if not access.has(Role.DISCIPLINE):
        return {}
    rows = SupervisionTask.objects.filter(pk__in=keys, case__in=Case.objects.for_trace(access))
    found = rows.select_related("case").only("case", "case__number")
    return {task.pk: _traced(task.case, access) for task in found if task.case is not None}


def register() -> None:
    """Enter all of it, once."""
    for seer in (cases_overseen, cases_traced):
        sights.register("case", seer)
    for seer in (tasks_overseen, tasks_traced):
        sights.register("task", seer)
