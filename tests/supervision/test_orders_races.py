"""Two people at one order at once: one wins, the other reads a sentence, nothing is doubled or half done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from approvals.exceptions import Refused
from approvals.models import Revocation
from deadlines.models import Deadline
from offices.models import User
from supervision import reconcile
from supervision.actions import handing_over, ordering, proposing
from supervision.enums import InspectionKind, OrderStatus, PaperKind, TaskStatus
from supervision.models import Handover, Paper, Proposal, Rectification, SupervisionTask
from tests import city as demo_city
from tests.conftest import Moment
from tests.supervision import ordering as make

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3
LAST = dt.datetime(2026, 10, 8, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
MIDNIGHT = LAST + dt.timedelta(seconds=1)


def together(*acts: Callable[[], object]) -> list[str]:
    """Run each in a thread of its own, all at once; ``done`` or the code of the refusal, in the order of the acts."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        try:
            start.wait()
            act()
        except Refused as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def two(task: SupervisionTask, now: dt.datetime) -> list[User]:
    """The manager and a deputy of the office."""
    return [task.office.managers(now.date())[0], task.office.deputies(now.date())[0]]


def test_two_managers_order_at_once(town: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    acts = [
        lambda by=by: ordering.order_rectification(task, **make.ORDER, due_on=dt.date(2026, 10, 8), by=by, now=clock.at)
        for by in two(task, clock.at)
    ]
    assert sorted(together(*acts)) == ["done", "order-exists"]
    assert Rectification.objects.count() == Paper.objects.filter(kind=PaperKind.ORDER).count() == 1
    assert Deadline.objects.filter(kind="rectification").count() == 1


def test_the_last_second_and_the_day_after_meet(town: None, clock: Moment) -> None:
    """The head grants at 23:59:59, a manager says at midnight that it was not mended: one of the two, never both."""
    for _ in range(ROUNDS):
        task = make.faulty(clock.at)
        order = make.ordered(task, clock.at)
        by, head = make.manager(task), make.head(task)
        make.look(task, LAST - dt.timedelta(hours=8), bad=True, kind=InspectionKind.AGAIN)
        ordering.ask_extension(order, until=dt.date(2026, 10, 20), reason="等配件。", by=by, now=clock.at)
        said = together(
            lambda order=order, head=head: ordering.settle_extension(  # type: ignore[misc]
                order, grant=True, answer="", by=head, now=LAST
            ),
            lambda order=order, by=by: ordering.settle_order(  # type: ignore[misc]
                order, outcome="not_mended", reason="复查时堵塞处仍没有改。", by=by, now=MIDNIGHT
            ),
        )
        order = Rectification.objects.select_related("deadline").get(pk=order.pk)
        papers = set(Paper.objects.filter(task=task).values_list("kind", flat=True))
        if said[0] == "done":
            assert said[1] == "order-not-due"
            assert (order.status, order.due_on, order.deadline.is_open) == ("running", dt.date(2026, 10, 20), True)
            assert papers == {PaperKind.ORDER, PaperKind.ORDER_EXTENSION}
        else:
            assert said == ["state-conflict", "done"]
            assert (order.status, order.due_on, order.deadline.state) == ("not_mended", dt.date(2026, 10, 8), "missed")
            assert papers == {PaperKind.ORDER, PaperKind.REINSPECTION}


def test_a_refusal_and_an_extension_meet(town: None, clock: Moment) -> None:
    for _ in range(ROUNDS):
        task = make.faulty(clock.at)
        order = make.ordered(task, clock.at)
        by, head = make.manager(task), make.head(task)
        ordering.ask_extension(order, until=dt.date(2026, 10, 20), reason="等配件。", by=by, now=clock.at)
        granted, settled = together(
            lambda order=order, head=head: ordering.settle_extension(  # type: ignore[misc]
                order, grant=True, answer="", by=head, now=clock.at
            ),
            lambda order=order, by=by: ordering.settle_order(  # type: ignore[misc]
                order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=clock.at
            ),
        )
        assert (granted, settled) in {("done", "done"), ("state-conflict", "done")}
        order = Rectification.objects.get(pk=order.pk)
        assert order.status == OrderStatus.REFUSED
        assert not Deadline.objects.open().filter(stream=task.stream, kind="rectification").exists()
        extensions = Paper.objects.filter(task=task, kind=PaperKind.ORDER_EXTENSION).count()
        assert extensions == (1 if granted == "done" else 0)


def test_two_propose_at_once(town: None, clock: Moment) -> None:
    task, order = make.unmended(clock.at)
    keys = [f"order-{order.paper_id}"]
    acts = [
        lambda by=by: proposing.propose(task, facts="责令后当面拒不整改。", keys=keys, by=by, now=clock.at)
        for by in two(task, clock.at)
    ]
    assert sorted(together(*acts)) == ["done", "state-conflict"]
    assert Revocation.objects.count() == Proposal.objects.count() == 1
    assert Paper.objects.filter(kind=PaperKind.PROPOSAL).count() == 1


def test_a_proposal_and_a_handover_are_one_of_the_two(town: None, clock: Moment) -> None:
    task, order = make.unmended(clock.at)
    first, second = two(task, clock.at)
    said = together(
        lambda: proposing.propose(
            task, facts="责令后当面拒不整改。", keys=[f"order-{order.paper_id}"], by=first, now=clock.at
        ),
        lambda: handing_over.hand_over(task, to_name="支队", facts="违法。", basis="法。", by=second, now=clock.at),
    )
    assert sorted(said) == ["done", "state-conflict"]
    task.refresh_from_db()
    assert task.status == (TaskStatus.REVOCATION if said[0] == "done" else TaskStatus.HANDED_OVER)
    assert (Revocation.objects.count(), Handover.objects.count()) == ((1, 0) if said[0] == "done" else (0, 1))
    assert list(reconcile.differences(clock.at)) == []
