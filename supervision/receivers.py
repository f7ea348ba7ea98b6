"""The only listener to the approval side's signal: a completed case opens its tasks, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from approvals.models import Case
from approvals.writing import Writing
from catalogue.models import Linkage
from ledger.record import Draft
from notifications.outbox import Draft as MessageDraft
from offices.models import Posting, User
from offices.people import by_office
from supervision.enums import TaskAct
from supervision.messages import Kind, next_rung, opened_draft
from supervision.models import SupervisionTask, UnlinkedCase


def open_tasks(sender: type[Case], *, case: Case, by: User, now: dt.datetime, writing: Writing, **kwargs: Any) -> None:
    """Open one task per active linkage of the case's item, with the SMS to each office's managers (L9a, L9b).

    Runs inside ``complete_case``'s transaction: what fails here takes the completion back with it. Entries and messages
    go into ``writing``. Statements are constant in the number of tasks.
    """
    active = Linkage.objects.filter(business_item_id=case.business_item_id).active().exclude(tasks__case=case)
    linkages = list(active.select_related("office").order_by("office_id", "sub_item_id"))
    if linkages:
        open_linked(case, linkages, by=by, now=now, writing=writing)
    elif not case.tasks.exists():
        _keep_unlinked(case, by, now, writing)


def open_linked(
    case: Case, linkages: Sequence[Linkage], *, by: User, now: dt.datetime, writing: Writing, first: int = 1
) -> list[SupervisionTask]:
    """Open the tasks of ``linkages`` (office and department at hand), numbered from ``first``; SMS and acts to write.

    The caller is inside a transaction and holds the lock of the case.
    """
    drafted = [
        SupervisionTask(
            number=f"J{case.number}{order:02d}",
            case=case,
            linkage=linkage,
            department_id=linkage.office.department_id,
            office=linkage.office,
            sub_item_id=linkage.sub_item_id,
            promise_clauses=case.promise_clauses,
            opened_at=now,
        )
        for order, linkage in enumerate(linkages, start=first)
    ]
    tasks: list[SupervisionTask] = bulk_create_with_history(drafted, SupervisionTask, default_user=by, default_date=now)
    managers = by_office(
        Posting.Role.OFFICE_MANAGER, {task.office_id for task in tasks}, timezone.localtime(now).date()
    )
    drafts = [opened_draft(task, person, "manager") for task in tasks for person in managers.get(task.office_id, [])]
    writing.messages += drafts + _orphans(tasks, managers, now)
    writing.entries += [
        Draft(
            task.stream,
            TaskAct.OPENED,
            {
                "case": case.pk,
                "linkage": task.linkage_id,
                "office": task.office_id,
                "managers": [person.pk for person in managers.get(task.office_id, [])],
            },
            by,
            fresh=True,
        )
        for task in tasks
    ]
    return tasks


def _orphans(tasks: list[SupervisionTask], managers: dict[int, list[User]], now: dt.datetime) -> list[MessageDraft]:
    """A task whose office lost its manager since publication goes to deputies, heads, or overseers at once."""
    drafts = []
    for task in tasks:
        if not managers.get(task.office_id):
            people, rung = next_rung(task, "manager", timezone.localtime(now).date(), exclude=None)
            drafts += [opened_draft(task, person, rung) for person in people]
    return drafts


def _keep_unlinked(case: Case, by: User, now: dt.datetime, writing: Writing) -> None:
    """Put a case without any office into the overseers' pool and alarm them; it is never dropped."""
    UnlinkedCase.objects.create(case=case, found_at=now)
    writing.entries.append(Draft(case.stream, TaskAct.UNLINKED, {}, by))
    writing.messages += [
        MessageDraft(
            kind=Kind.OVERSEER_ALARM.value,
            text=f"办件{case.number}已办结但没有关联监管处室，已进入待分派清单，请处理。",
            dedupe_key=f"unlinked:{case.pk}:{person.pk}",
            reference=case.stream,
            to_user=person,
        )
        for person in case.division.overseers(timezone.localtime(now).date())
    ]
