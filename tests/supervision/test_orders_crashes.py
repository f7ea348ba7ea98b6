"""kill -9 before the commit of an order, its extension, a verdict, a proposal, a handover: nothing half done.

Repeated, the act succeeds.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from approvals.models import Revocation
from deadlines.models import Deadline
from ledger.models import Entry
from notifications.models import Message
from supervision.actions import correcting, handing_over, ordering, proposing
from supervision.enums import PaperKind, TaskEnd, TaskStatus
from supervision.models import Handover, Paper, Proposal, Rectification, SupervisionTask, Visit
from tests import city as demo_city
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision.crashing import dies_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def test_died_with_the_order(town: None, clock: Moment, tmp_path: Path) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    order = dies_once("order.before_commit", lambda: make.ordered(task, clock.at), tmp_path / "point")
    assert order.paper.number.endswith("1号")
    task.refresh_from_db()
    assert task.status == TaskStatus.RECTIFYING


def test_died_with_the_verdict(town: None, clock: Moment, tmp_path: Path) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    order, by = make.ordered(task, clock.at), make.manager(task)

    def settle() -> object:
        return ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=clock.at)

    dies_once("order_settled.before_commit", settle, tmp_path / "point")
    assert Rectification.objects.get().status == "refused"


def test_died_with_the_proposal(town: None, clock: Moment, tmp_path: Path) -> None:
    task, order = make.unmended(clock.at)
    by = make.manager(task)

    def propose() -> object:
        keys = [f"order-{order.paper_id}"]
        return proposing.propose(task, facts="责令后当面拒不整改。", keys=keys, by=by, now=clock.at)

    dies_once("proposal.before_commit", propose, tmp_path / "point")
    assert (Proposal.objects.count(), Revocation.objects.count()) == (1, 1)


def test_died_with_the_extension(town: None, clock: Moment, tmp_path: Path) -> None:
    """Asked for and granted: one clock ends, another one begins, one paper, one SMS to each who is told."""
    file, now = tmp_path / "point", clock.at
    task = make.fed_back(make.faulty(now), now)
    order, by, head = make.ordered(task, now), make.manager(task), make.head(task)
    until = now.date() + dt.timedelta(days=20)
    told = Message.objects.count()
    dies_once(
        "order_extension.before_commit",
        lambda: ordering.ask_extension(order, until=until, reason="等配件到货。", by=by, now=now),
        file,
    )
    assert Message.objects.count() > told
    dies_once(
        "order_extension_settled.before_commit",
        lambda: ordering.settle_extension(order, grant=True, answer="", by=head, now=now),
        file,
    )
    order = Rectification.objects.select_related("deadline").get(pk=order.pk)
    assert (order.extension_granted, order.due_on, order.deadline.due_on) == (True, until, until)
    clocks = Deadline.objects.filter(kind="rectification").order_by("pk")
    assert list(clocks.values_list("state", flat=True)) == ["cancelled", "running"]
    assert Paper.objects.filter(kind=PaperKind.ORDER_EXTENSION).count() == 1


def test_died_with_a_record_set_aside(town: None, clock: Moment, tmp_path: Path) -> None:
    """Asked for and granted: the record stands in between, and counts no more afterwards."""
    file, now = tmp_path / "point", clock.at
    task = make.faulty(now)
    by, head, reason = make.manager(task), make.head(task), "查的是隔壁企业，弄错了对象。"
    asked = dies_once(
        "record_aside.before_commit",
        lambda: correcting.ask_set_aside(task, record=1, reason=reason, by=by, now=now),
        file,
    )
    assert ordering.faulty(task) is not None
    dies_once(
        "record_aside_settled.before_commit",
        lambda: correcting.settle_set_aside(asked, grant=True, answer="经核对照片，确属错误。", by=head, now=now),
        file,
    )
    assert ordering.faulty(task) is None
    acts = ["task.record_aside_asked", "task.record_set_aside"]
    assert list(Entry.objects.filter(act__in=acts).order_by("pk").values_list("act", flat=True)) == acts
    assert Message.objects.filter(kind="record_aside_asked").count() == 1


def test_died_with_the_handover(town: None, clock: Moment, tmp_path: Path) -> None:
    """The letter with the visit that it calls off, the receipt, the result that closes the task."""
    file, now = tmp_path / "point", clock.at
    task = make.fed_back(make.faulty(now), now)
    by = make.manager(task)
    field.approve_visit(task, now)
    handed = dies_once(
        "handover.before_commit",
        lambda: handing_over.hand_over(task, to_name="执法支队", facts="超范围经营。", basis="某条", by=by, now=now),
        file,
    )
    assert handed.paper.number.endswith("1号")
    assert Visit.objects.get(task=task).status == "cancelled"
    dies_once(
        "handover_receipt.before_commit",
        lambda: handing_over.receive_receipt(task, number="回1号", received_on=now.date(), by=by, now=now),
        file,
    )
    dies_once(
        "handover_result.before_commit",
        lambda: handing_over.receive_result(
            task, result="罚款一万元。", number="罚1号", result_on=now.date(), by=by, now=now
        ),
        file,
    )
    task = SupervisionTask.objects.get(pk=task.pk)
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.HANDED_OVER)
    assert Handover.objects.get().result_number == "罚1号"
    acts = ["task.handed_over", "task.handover_received", "task.handover_result", "task.closed"]
    assert list(Entry.objects.filter(act__in=acts).order_by("pk").values_list("act", flat=True)) == acts
