"""kill -9 anywhere on the chain: every completed case has exactly its tasks, each task exactly its messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.runtime import wait_until
from tests.processes.conftest import Fault
from tests.processes.portal import Portal

pytestmark = pytest.mark.processes

IN_A_REQUEST = (
    "accept.before_commit",
    "decide.before_commit",
    "complete.before_signal",
    "complete.before_commit",
    "complete.after_commit",
    "acknowledge.before_commit",
    "feedback.before_commit",
)
IN_THE_OUTBOX = ("outbox.claimed", "outbox.sent", "outbox.recorded")
Before = Callable[[str], None]


def play(portal: Portal, before: Before) -> None:
    """A whole case, from intake to both closed tasks; ``before`` is called with the name of each coming step."""
    before("receive")
    number = portal.receive()
    before("accept")
    portal.accept(number)
    reviewer = portal.advise(number)
    before("decide")
    portal.decide(number)
    before("complete")
    portal.complete(number, reviewer)
    before("told")
    tasks = portal.tasks(number)
    portal.messages_arrive(tasks)
    before("acknowledge")
    for task in tasks:
        portal.acknowledge(task)
        portal.finish(task)
    before("feedback")
    for task in tasks:
        portal.feed_back(task)
    portal.nothing_lost_nothing_doubled(number, tasks)


def from_fault_to_revocation(portal: Portal, fault: Fault) -> None:
    """A case whose task finds a fault, on the road to its revocation; three acts of it die once."""
    number = portal.receive()
    portal.accept(number)
    reviewer = portal.advise(number)
    portal.decide(number)
    portal.complete(number, reviewer)
    tasks = portal.tasks(number)
    portal.messages_arrive(tasks)
    task = tasks[0]
    portal.acknowledge(task, "off_site")
    fault.arm("inspection.before_commit")
    assert portal.inspect(task) == 1
    assert fault.fired
    fault.arm("order.before_commit")
    assert portal.order(task) == 1
    assert fault.fired
    assert len(portal.rectification(task)["orders"]) == 1
    portal.refuse_to_mend(task)
    portal.propose(task)
    assert portal.revoke(number, lambda: fault.arm("revocation.before_credit_fact")) == 1
    assert fault.fired
    portal.revoked_once(number, task)


def outbox_is_empty(portal: Portal, number: str) -> None:
    """What the case's earlier steps had to say has been said, so that the next SMS is a task's."""
    assert wait_until(lambda: bool(portal.heard(f"（{number}）已受理")), 60, 0.5)


@pytest.mark.parametrize("point", IN_A_REQUEST)
def test_web_dies_in_the_act(portal: Portal, fault: Fault, point: str) -> None:
    step = point.partition(".")[0]
    play(portal, lambda coming: fault.arm(point) if coming == step else None)
    assert fault.fired


def test_web_dies_with_the_order_and_with_the_credit_fact(portal: Portal, fault: Fault) -> None:
    """From a fault that was found to the revoked licence: what died was not done, what was done is done once."""
    from_fault_to_revocation(portal, fault)


@pytest.mark.parametrize("point", IN_THE_OUTBOX)
def test_worker_dies_with_the_task_sms_in_its_hands(portal: Portal, fault: Fault, point: str) -> None:
    def before(coming: str) -> None:
        if coming == "complete":
            outbox_is_empty(portal, portal.cases[-1])
            fault.arm(point)

    play(portal, before)
    assert fault.fired


def test_worker_dies_while_reminders_ring(portal: Portal, fault: Fault) -> None:
    """Nobody acknowledges until the working day before the last: the reminder comes once, whoever died meanwhile."""

    def before(coming: str) -> None:
        if coming == "acknowledge":
            portal.morning()
            fault.arm("sweep.before_commit")
            portal.morning()
            assert wait_until(lambda: fault.fired, 60, 0.5)
            for task in portal.tasks(portal.cases[-1]):
                text = f"{task.number}的签收将于"
                assert wait_until(lambda text=text: bool(portal.heard(text)), 60, 0.5)  # type: ignore[misc]
                assert list(portal.heard(text).values()) == [1]

    play(portal, before)


@pytest.mark.parametrize("role", ["web", "worker", "beat", "valkey"])
def test_killed_from_outside_along_the_chain(portal: Portal, role: str) -> None:
    """Each process dies four times in one case: before acceptance, with the SMS still to go, and twice afterwards."""
    killed: list[int] = []

    def before(coming: str) -> None:
        if coming in {"accept", "told", "acknowledge", "feedback"}:
            assert wait_until(lambda: portal.stack.pid(role) != 0, 60, 0.2)
            killed.append(portal.stack.kill(role))

    play(portal, before)
    portal.stack.wait_healthy()
    assert len({*killed, portal.stack.pid(role)}) == 5


def test_the_books_are_right_afterwards(portal: Portal) -> None:
    """After all of the above; alone it says the same of the demonstration's own cases."""
    portal.books_are_right()
