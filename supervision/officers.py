"""Who may be given a task of an office, and which assignments no longer hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Value

from approvals.models import Conflict
from offices import kept
from offices.models import Leave, Posting, User
from supervision.enums import Measure
from supervision.models import DrawRun, SupervisionTask

Role = Posting.Role
FIELD_ROLES = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR)


def eligible(office_id: int, on: dt.date) -> QuerySet[User]:
    """Managers, deputies and inspectors who serve in the office on that day and are not on leave."""
    serving = Posting.objects.active(on).role(*FIELD_ROLES).filter(office_id=office_id, user=OuterRef("pk"))
    away = Leave.objects.on(on).filter(user=OuterRef("pk"))
    people: QuerySet[User] = User.objects.filter(Exists(serving), ~Exists(away), is_active=True)
    return people.order_by("full_name", "pk")


def _aside(task: SupervisionTask) -> QuerySet[Conflict]:
    """回避 of anybody towards the subject of the task."""
    return Conflict.objects.filter(subject_id=task.subject_id, ended_at__isnull=True)


def unable(task: SupervisionTask, on: dt.date) -> set[int]:
    """Those of the task's officers who can no longer serve: left, on leave, to stand aside. Two statements."""
    given = {pk for pk in (task.first_officer_id, task.second_officer_id) if pk}
    fit = eligible(task.office_id, on).filter(pk__in=given).values_list("pk", flat=True)
    aside = _aside(task).filter(user_id__in=given).values_list("user_id", flat=True)
    return given - set(fit) | set(aside)


def stand_ins(task: SupervisionTask, on: dt.date) -> QuerySet[User]:
    """Who may come for somebody drawn by lot who can no longer serve: of the draw's pool, able to serve.

    Where nobody of the pool is left, or the task went to another office, anybody of the office who is able.
    """
    given = [pk for pk in (task.first_officer_id, task.second_officer_id) if pk]
    able = eligible(task.office_id, on).exclude(pk__in=given).exclude(pk__in=_aside(task).values("user_id"))
    run = DrawRun.objects.filter(drawn__task=task).only("pools").first()
    pool = able.filter(pk__in=[one for one, _ in run.pools.get("inspectors", [])] if run else [])
    return pool if pool.exists() else able


def _unfit(column: str, on: dt.date) -> Q:
    serving = Posting.objects.active(on).role(*FIELD_ROLES)
    serving = serving.filter(office=OuterRef("office_id"), user=OuterRef(column), user__is_active=True)
    away = Leave.objects.on(on).values("user")
    return Q(**{f"{column}__isnull": False}) & (~Exists(serving) | Q(**{f"{column}__in": away}))


def in_fault(on: dt.date) -> Q:
    """Tasks whose officer left the office or is on leave, or that want a second one."""
    return _unfit("first_officer_id", on) | _unfit("second_officer_id", on) | wants_second()


def wants_second() -> Q:
    """On-site tasks of a sub-item for two that were given to one person only."""
    return Q(
        measure=Measure.ON_SITE, sub_item__two_officers=True, first_officer__isnull=False, second_officer__isnull=True
    )


# Among the offices in which people serve: nowhere, today.
AWAY = 0


def _there(people: Sequence[int], offices: Sequence[int], on: dt.date) -> list[QuerySet[Any, tuple[int, int]]]:
    """(office, person) of who serves where, and (``AWAY``, person) of who is on leave."""
    held = Posting.objects.active(on).role(*FIELD_ROLES)
    held = held.filter(user__pk__in=people, user__is_active=True, office__pk__in=offices).order_by()
    away = Leave.objects.on(on).filter(user__pk__in=people).order_by()
    return [
        held.values_list("office_id", "user_id"),
        away.annotate(nowhere=Value(AWAY, BigIntegerField())).values_list("nowhere", "user_id"),
    ]


def faults(tasks: Collection[SupervisionTask], on: dt.date) -> dict[int, list[str]]:
    """Task id → what is wrong with its assignment, in words; ``sub_item`` and both officers at hand. One statement."""
    pairs = {
        (task.office_id, person.pk) for task in tasks for person in (task.first_officer, task.second_officer) if person
    }
    people = {person for _, person in pairs}
    if not people:
        return {}
    there = set(kept.union(_there, _there, sorted(people), sorted({office for office, _ in pairs}), on))
    serving, away = {one for one in there if one[0] != AWAY}, {person for office, person in there if office == AWAY}
    found: dict[int, list[str]] = {}
    for task in tasks:
        said = []
        for person in (task.first_officer, task.second_officer):
            if person is not None and (task.office_id, person.pk) not in serving:
                said.append(f"{person.full_name}已不在本处室，请改派")
            elif person is not None and person.pk in away:
                said.append(f"{person.full_name}请假中，请改派")
        if task.first_officer and not task.second_officer and task.measure == Measure.ON_SITE:
            said += ["现场检查须两人，请补派协办人员"] if task.sub_item.two_officers else []
        if said:
            found[task.pk] = said
    return found
