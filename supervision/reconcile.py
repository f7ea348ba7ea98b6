"""Recount the chain: completed cases = their tasks = their messages, accepted or accounted for (L9a, L9b).

Read-only. Each difference names the case or the task, so that it can be looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from approvals import queueing
from approvals.enums import CaseStatus, Outcome, RevocationStatus
from approvals.models import Case, Licence, Revocation
from credit.models import CreditFact
from ledger.models import Entry
from notifications.enums import State
from notifications.models import Message
from supervision import messages_stock, pressing
from supervision.actions import following
from supervision.enums import OrderStatus, Origin, TaskAct, TaskStatus
from supervision.messages import Kind, round_of
from supervision.models import Dispute, Handover, Proposal, Rectification, StockBatch, SupervisionTask, UnlinkedCase

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
    yield from pressing.differences()
    yield from queueing.differences()


def _task_differences(now: dt.datetime) -> Iterator[str]:
    reference = Concat(Value("task:"), Cast(OuterRef("pk"), CharField()))
    told = Message.objects.filter(reference=reference, kind=Kind.TASK_OPENED.value)
    opened = Entry.objects.filter(stream=reference, act=TaskAct.OPENED)
    own = SupervisionTask.objects.exclude(origin=Origin.STOCK, round=1)  # old stock is told office by office
    for number in own.filter(~Exists(told)).values_list("number", flat=True).iterator():
        yield f"task {number} has no message"
    for number in SupervisionTask.objects.filter(~Exists(opened)).values_list("number", flat=True).iterator():
        yield f"task {number} was opened and the ledger does not say so"
    stuck = Message.objects.filter(
        kind__in=[Kind.TASK_OPENED.value, messages_stock.KIND],
        state__in=[State.QUEUED, State.SENDING],
        next_attempt_at__lt=now - PATIENCE,
    )
    for reference_, key in stuck.values_list("reference", "dedupe_key").iterator():
        yield f"message {key} of {reference_} should have gone and has not"
    yield from _round_differences()
    yield from _dispute_differences()
    yield from _order_differences()
    yield from _follow_up_differences()
    yield from _revocation_differences()
    yield from _stock_differences()
    first = SupervisionTask.objects.filter(round=1)
    reached = told.exclude(state__in=[State.FAILED, State.CANCELLED])
    for number in (
        first.filter(Exists(told), ~Exists(reached), status=TaskStatus.NOTIFIED)
        .values_list("number", flat=True)
        .iterator()
    ):
        yield f"task {number}: every message failed and nobody else was told"
    accepted = told.filter(state__in=[State.ACCEPTED, State.DELIVERED])
    clockless = first.filter(Exists(accepted), acknowledge_deadline__isnull=True, acknowledged_at__isnull=True)
    for number in clockless.values_list("number", flat=True).iterator():
        yield f"task {number}: its message was accepted and its clock does not run"


def _round_differences() -> Iterator[str]:
    """Tasks that were sent to another office: what counts is what that office was told."""
    for task in SupervisionTask.objects.filter(round__gt=1).iterator():
        sent = Message.objects.filter(reference=task.stream, kind=Kind.TASK_OPENED.value)
        states = [message.state for message in sent if round_of(message) == task.round]
        name = f"task {task.number}"
        if not states:
            yield f"{name}: its round {task.round} has no message"
        elif task.status == TaskStatus.NOTIFIED and all(one in (State.FAILED, State.CANCELLED) for one in states):
            yield f"{name}: every message of round {task.round} failed and nobody else was told"
        silent = task.acknowledge_deadline_id is None and task.acknowledged_at is None
        if silent and any(one in (State.ACCEPTED, State.DELIVERED) for one in states):
            yield f"{name}: its message of round {task.round} was accepted and its clock does not run"


def _dispute_differences() -> Iterator[str]:
    """An objection is open exactly while its task is 争议协调中, and its clock runs exactly then."""
    waiting = Dispute.objects.filter(outcome="")
    disputed = SupervisionTask.objects.filter(status=TaskStatus.DISPUTED)
    for number in disputed.exclude(pk__in=waiting.values("task")).values_list("number", flat=True):
        yield f"task {number} is disputed and nobody is asked"
    for number in waiting.exclude(task__status=TaskStatus.DISPUTED).values_list("task__number", flat=True):
        yield f"task {number}: its objection is open and it is not disputed"
    for number in waiting.exclude(deadline__closed_at__isnull=True).values_list("task__number", flat=True):
        yield f"task {number}: its objection is open and its clock has ended"
    settled = Dispute.objects.exclude(outcome="").filter(deadline__closed_at__isnull=True, deadline__isnull=False)
    for number in settled.values_list("task__number", flat=True):
        yield f"task {number}: its objection is decided and its clock runs on"


def _order_differences() -> Iterator[str]:
    """An order runs exactly while its clock does; a task mends, waits for penalty or for the answer with its paper."""
    ordered = Rectification.objects.exclude(status=OrderStatus.MENDED).values("task")
    mending = SupervisionTask.objects.filter(status=TaskStatus.RECTIFYING).exclude(pk__in=ordered)
    for number in mending.values_list("number", flat=True):
        yield f"task {number} is to be mended and has no order"
    running = Rectification.objects.filter(status=OrderStatus.RUNNING)
    for number in running.exclude(deadline__closed_at__isnull=True).values_list("paper__number", flat=True):
        yield f"order {number} runs and its clock has ended"
    for number in running.filter(task__status=TaskStatus.CLOSED).values_list("paper__number", flat=True):
        yield f"order {number} runs and its task is closed"
    settled = Rectification.objects.exclude(status=OrderStatus.RUNNING).filter(deadline__closed_at__isnull=True)
    for number in settled.values_list("paper__number", flat=True):
        yield f"order {number} is settled and its clock runs on"
    proposed = Proposal.objects.filter(answered_at__isnull=True, revocation__revoke__isnull=True).values("task")
    waiting = SupervisionTask.objects.filter(status=TaskStatus.REVOCATION)
    for number in waiting.exclude(pk__in=proposed).values_list("number", flat=True):
        yield f"task {number} waits for an answer that nobody owes"
    decided = Proposal.objects.filter(answered_at__isnull=True, revocation__revoke__isnull=False)
    for number in decided.values_list("task__number", flat=True):
        yield f"task {number}: its proposal is decided and not answered"
    for number in (
        SupervisionTask.objects.filter(status=TaskStatus.HANDED_OVER)
        .exclude(pk__in=Handover.objects.filter(result="").values("task"))
        .values_list("number", flat=True)
    ):
        yield f"task {number} is handed over without a letter that waits"


def _follow_up_differences() -> Iterator[str]:
    """What was fed back and is not settled has a clock that runs; what is settled or elsewhere has none."""
    for number in following.unwatched().values_list("number", flat=True).iterator():
        yield f"task {number} is to be followed up and no clock runs for it (manage.py begin_follow_ups)"
    running = SupervisionTask.objects.filter(
        follow_up_deadline__closed_at__isnull=True, follow_up_deadline__isnull=False
    )
    for number in running.exclude(pk__in=following.owing().values("pk")).values_list("number", flat=True).iterator():
        yield f"task {number}: nothing of it is to be followed up and the clock for that runs on"


def _revocation_differences() -> Iterator[str]:
    """A decision to revoke ends its licence and queues its fact; every decision ends its clocks; none, no end."""
    decided = Revocation.objects.filter(status=RevocationStatus.DECIDED)
    revoked = decided.filter(revoke=True)
    ended = {"licence__state": Licence.State.REVOKED, "licence__deregistered_on__isnull": False}
    for number in revoked.exclude(**ended).values_list("licence__number", flat=True):
        yield f"licence {number}: its revocation is decided and it stands"
    facts = CreditFact.objects.filter(
        subject=OuterRef("licence__holder"), kind=CreditFact.Kind.REVOKED, source=OuterRef("document__number")
    )
    for number in revoked.filter(~Exists(facts)).values_list("licence__number", flat=True):
        yield f"licence {number}: its revocation is decided and no fact of it waits to be judged"
    undecided = Licence.objects.filter(state=Licence.State.REVOKED).exclude(pk__in=revoked.values("licence"))
    for number in undecided.values_list("number", flat=True):
        yield f"licence {number} is revoked and nobody decided so"
    for clock in ("deadline", "answer_deadline", "hearing_deadline"):
        running = decided.filter(**{f"{clock}__isnull": False, f"{clock}__closed_at__isnull": True})
        for number in running.values_list("licence__number", flat=True):
            yield f"licence {number}: its revocation is decided and a clock of it runs on"


def _stock_differences() -> Iterator[str]:
    """Old stock: each office of a batch was told, by somebody who was reached, and then its clocks run."""
    for batch in StockBatch.objects.filter(finished_at__isnull=False, opens_tasks=True).iterator():
        if batch.counts.get("done") != batch.counts.get("rows"):
            yield f"stock batch {batch.pk} is finished and not all of its rows were looked at"
        for office in messages_stock.offices_of(batch.pk):
            where = f"stock batch {batch.pk}, office {office}"
            key = f"{messages_stock.KIND}:{batch.pk}:{office}:"
            states = list(Message.objects.filter(dedupe_key__startswith=key).values_list("state", flat=True))
            tasks = messages_stock.tasks_of(batch.pk, office)
            if not states:
                yield f"{where}: there is no message"
            lost = bool(states) and all(one in (State.FAILED, State.CANCELLED) for one in states)
            if lost and tasks.filter(status=TaskStatus.NOTIFIED).exists():
                yield f"{where}: every message failed and nobody else was told"
            if any(one in (State.ACCEPTED, State.DELIVERED) for one in states):
                silent = tasks.filter(acknowledge_deadline__isnull=True, acknowledged_at__isnull=True).count()
                if silent:
                    yield f"{where}: the message was accepted and {silent} clocks do not run"
