"""Recount the chain: completed cases = their tasks = their messages, accepted or accounted for (L9a, L9b).

Read-only. Each difference names the case or the task, so that it can be looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from approvals.enums import CaseStatus, Outcome
from approvals.models import Case
from ledger.models import Entry
from notifications.enums import State
from notifications.models import Message
from supervision.enums import TaskAct, TaskStatus
from supervision.messages import Kind
from supervision.models import SupervisionTask, UnlinkedCase

# How long after its moment a waiting message is a difference: the outbox is swept every few seconds.
PATIENCE = dt.timedelta(minutes=10)


def owing() -> QuerySet[Case]:
    """Completed cases that call for supervision: licences and filings, not refusals."""
    return Case.objects.filter(status=CaseStatus.COMPLETED, outcome__in=[Outcome.LICENSED, Outcome.FILED])


def figures() -> dict[str, int]:
    """The figures of the chain, for the closing line."""
    tasks = SupervisionTask.objects.filter(case=OuterRef("pk"))
    return {
        "completed": owing().count(),
        "with tasks": owing().filter(Exists(tasks)).count(),
        "in the pool": UnlinkedCase.objects.count(),
        "tasks": SupervisionTask.objects.count(),
        "task messages": Message.objects.filter(kind=Kind.TASK_OPENED.value).count(),
    }


def _opened_in_ledger(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases of which the ledger says that they were completed."""
    stream = Concat(Value("case:"), Cast(OuterRef("pk"), CharField()))
    return cases.filter(Exists(Entry.objects.filter(stream=stream, act="case.completed")))


def differences(now: dt.datetime) -> Iterator[str]:
    """Yield one sentence for each thing that does not add up; nothing when all is well."""
    tasks = SupervisionTask.objects.filter(case=OuterRef("pk"))
    pool = UnlinkedCase.objects.filter(case=OuterRef("pk"))
    for number in owing().filter(~Exists(tasks), ~Exists(pool)).values_list("number", flat=True).iterator():
        yield f"case {number} is completed and has neither a task nor a place in the pool"
    for number in (
        Case.objects.exclude(pk__in=owing().values("pk")).filter(Exists(tasks)).values_list("number", flat=True)
    ):
        yield f"case {number} has tasks and is not completed"
    unsaid = Case.objects.filter(status=CaseStatus.COMPLETED).exclude(
        pk__in=_opened_in_ledger(Case.objects.filter(status=CaseStatus.COMPLETED)).values("pk")
    )
    for number in unsaid.values_list("number", flat=True):
        yield f"case {number} is completed and the ledger does not say so"
    yield from _task_differences(now)


def _task_differences(now: dt.datetime) -> Iterator[str]:
    reference = Concat(Value("task:"), Cast(OuterRef("pk"), CharField()))
    told = Message.objects.filter(reference=reference, kind=Kind.TASK_OPENED.value)
    opened = Entry.objects.filter(stream=reference, act=TaskAct.OPENED)
    for number in SupervisionTask.objects.filter(~Exists(told)).values_list("number", flat=True).iterator():
        yield f"task {number} has no message"
    for number in SupervisionTask.objects.filter(~Exists(opened)).values_list("number", flat=True).iterator():
        yield f"task {number} was opened and the ledger does not say so"
    stuck = Message.objects.filter(
        kind=Kind.TASK_OPENED.value, state__in=[State.QUEUED, State.SENDING], next_attempt_at__lt=now - PATIENCE
    )
    for reference_, key in stuck.values_list("reference", "dedupe_key").iterator():
        yield f"message {key} of {reference_} should have gone and has not"
    reached = told.exclude(state__in=[State.FAILED, State.CANCELLED])
    for number in (
        SupervisionTask.objects.filter(Exists(told), ~Exists(reached), status=TaskStatus.NOTIFIED)
        .values_list("number", flat=True)
        .iterator()
    ):
        yield f"task {number}: every message failed and nobody else was told"
    accepted = told.filter(state__in=[State.ACCEPTED, State.DELIVERED])
    clockless = SupervisionTask.objects.filter(
        Exists(accepted), acknowledge_deadline__isnull=True, acknowledged_at__isnull=True
    )
    for number in clockless.values_list("number", flat=True).iterator():
        yield f"task {number}: its message was accepted and its clock does not run"
