"""What a newcomer finds: cases and tasks in every state, played in the order of time, told as they happened."""

from __future__ import annotations

from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import call_command

from approvals.enums import RevocationStatus
from approvals.models import Case, CreditCheck, Licence, Revocation
from credit.actions import listing_measures
from credit.models import Breach, CreditFact, CreditRecord, MeasureRule
from deadlines import calendar
from deadlines.clock import local_date
from ledger.models import Entry
from notifications.models import Message
from offices.models import User
from oversight.demo import cases, listed, supervising, walk
from supervision.enums import OrderStatus, TaskEnd, TaskStatus, VisitStatus
from supervision.models import Checklist, DrawPlan, Rectification, StockBatch, SupervisionTask, Visit
from tests.conftest import Moment


def test_the_list_of_joint_measures_is_laid_once(city: None, clock: Moment) -> None:
    assert listed.load(clock.at) == len(listed.LINES) == MeasureRule.objects.count()
    one = MeasureRule.objects.order_by("pk")[0]
    listing_measures.switch_off(
        one, reason="不再采用", by=User.objects.get(username="guanliyuan1"), now=clock.at
    )  # fmt: skip
    assert listed.load(clock.at) == 0
    assert Entry.objects.filter(stream=listing_measures.STREAM).count() == len(listed.LINES) + 1


@pytest.mark.once
def test_a_newcomer_finds_tasks_in_every_state(city: None, clock: Moment) -> None:
    """After a long holiday, too: every status, what runs and what is late, and a history in the order of time."""
    clock.to("2026-10-08 09:00")
    supervising.load(clock.at)
    cases.load(clock.at)
    today = local_date(clock.at)
    assert set(SupervisionTask.objects.values_list("status", flat=True)) == set(TaskStatus.values)
    ends = set(SupervisionTask.objects.filter(status=TaskStatus.CLOSED).values_list("end", flat=True))
    assert ends == {TaskEnd.CONFORMING, TaskEnd.MENDED, TaskEnd.REVOKED}
    orders = Rectification.objects.filter(status=OrderStatus.RUNNING)
    assert {order.due_on < today for order in orders} == {True, False}
    assert set(Revocation.objects.values_list("status", flat=True)) == {
        RevocationStatus.NOTICED,
        RevocationStatus.DECIDED,
    }
    assert Licence.objects.filter(state=Licence.State.REVOKED, deregistered_on__isnull=False).count() == 1
    assert Visit.objects.filter(status=VisitStatus.REQUESTED).count() == 1
    assert sorted(plan.is_drawn for plan in DrawPlan.objects.published()) == [False, True]
    assert StockBatch.objects.filter(finished_at__isnull=False).count() == 2
    assert Checklist.objects.exists()
    # As it was, day by day: nothing is in the future, nobody was told weeks afterwards, ids follow the time.
    assert not Case.objects.filter(delivered_at__isnull=True, received_at__date__lt=today, tasks__isnull=False).exists()
    began = [case.received_at for case in Case.objects.order_by("pk")]
    assert all(one <= other for one, other in pairwise(began))
    assert not Entry.objects.filter(stream__startswith="task:", at__gt=clock.at).exists()
    waiting = Message.objects.filter(accepted_at__isnull=True).values_list("created_at", flat=True)
    assert all(calendar.recent().count(local_date(at), today) <= 1 for at in waiting)
    for way in walk.walks(today):
        assert all(step.accounts for step in way.steps), way.item
    assert {account.role for account in walk.accounts(today)} == set(walk.DUTIES)
    # What is recorded was found, told, heard and pushed: nothing differs.
    breach = Breach.objects.get()
    assert breach.record == CreditRecord.objects.get(kind=CreditRecord.Kind.BROKEN_PROMISE)
    assert Revocation.objects.filter(document__number=breach.fact.source).count() == 1
    assert list(CreditFact.objects.filter(settled_at__isnull=True).values_list("kind", flat=True)) == ["revoked"]
    assert CreditCheck.objects.filter(case__applicant=breach.subject).order_by("-pk")[0].rule_allows is False
    out = StringIO()
    call_command("reconcile_credit", stdout=out)
    assert f"records {CreditRecord.objects.count()}, queued {CreditRecord.objects.count()}" in out.getvalue()
    assert "differences 0" in out.getvalue()
