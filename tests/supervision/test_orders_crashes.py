"""kill -9 before the commit of an order, a verdict, a proposal: nothing half done; repeated, the act succeeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from approvals.models import Revocation
from supervision.actions import ordering, proposing
from supervision.enums import TaskStatus
from supervision.models import Proposal, Rectification
from tests import city as demo_city
from tests.conftest import Moment
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
        return proposing.propose(task, facts="拒不整改。", keys=keys, by=by, now=clock.at)

    dies_once("proposal.before_commit", propose, tmp_path / "point")
    assert (Proposal.objects.count(), Revocation.objects.count()) == (1, 1)
