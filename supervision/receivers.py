"""The only listener to the approval side's signal: a completed case opens its tasks, in the same transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from approvals.models import Case, Licence
from approvals.writing import Writing
from catalogue.models import Linkage
from ledger.record import Draft
from notifications.outbox import Draft as MessageDraft
from offices.models import User
from supervision.enums import TaskAct
from supervision.messages import Kind, opening_drafts
from supervision.models import SupervisionTask, UnlinkedCase


def open_tasks(
    sender: type[Case], *, case: Case, licence: Licence, by: User, now: dt.datetime, writing: Writing, **kwargs: Any
) -> None:
    """Open one task per active linkage of the case's item, with the SMS to each office's managers (L9a, L9b).

    Runs inside ``complete_case``'s transaction: what fails here takes the completion back with it. Entries and messages
    go into ``writing``. Statements are constant in the number of tasks.
    """
    active = Linkage.objects.filter(business_item_id=case.business_item_id).active().exclude(tasks__case=case)
    linkages = list(active.select_related("office").order_by("office_id", "sub_item_id"))
    if linkages:
        open_linked(case, linkages, licence=licence, by=by, now=now, writing=writing)
    elif not case.tasks.exists():
        _keep_unlinked(case, by, now, writing)


def open_linked(
    case: Case, linkages: Sequence[Linkage], *, licence: Licence | None, by: User, now: dt.datetime, writing: Writing,
    first: int = 1,
) -> list[SupervisionTask]:  # fmt: skip
    """Open the tasks of ``linkages`` (office and department at hand), numbered from ``first``; SMS and acts to write.

    The caller is inside a transaction and holds the lock of the case.
    """
    drafted = [
        SupervisionTask(
            number=f"J{case.number}{order:02d}",
            case=case,
            linkage=linkage,
            subject=case.applicant,
            subject_name=case.applicant_name,
            business_item=case.business_item,
            licence=licence,
            department_id=linkage.office.department_id,
            office=linkage.office,
            sub_item_id=linkage.sub_item_id,
            promise_clauses=case.promise_clauses,
            opened_at=now,
        )
        for order, linkage in enumerate(linkages, start=first)
    ]
    tasks: list[SupervisionTask] = bulk_create_with_history(drafted, SupervisionTask, default_user=by, default_date=now)
    drafts, told = opening_drafts(tasks, timezone.localtime(now).date())
    writing.messages += drafts
    writing.entries += [
        Draft(
            task.stream,
            TaskAct.OPENED,
            {
                "case": case.pk,
                "linkage": task.linkage_id,
                "office": task.office_id,
                "managers": [person.pk for person in told[task.pk][0]] if told[task.pk][1] == "manager" else [],
            }
            | ({} if told[task.pk][1] == "manager" else {"rung": told[task.pk][1]}),
            by,
            fresh=True,
        )
        for task in tasks
    ]
    return tasks


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
