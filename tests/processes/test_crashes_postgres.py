"""The same on PostgreSQL: one case whose every act is broken off, at each point inside and just after a transaction."""

from __future__ import annotations

import pytest

from tests.processes.conftest import Fault
from tests.processes.portal import Portal
from tests.processes.test_crashes import from_fault_to_revocation

pytestmark = pytest.mark.processes


def test_every_act_of_a_case_dies_once(portal_postgres: Portal, fault: Fault) -> None:
    portal = portal_postgres
    number = portal.receive()

    fault.arm("accept.before_commit")
    assert portal.accept(number) == 1
    assert fault.fired
    reviewer = portal.advise(number)

    fault.arm("decide.before_commit")
    assert portal.decide(number) == 1
    assert fault.fired

    path = f"/api/v1/reviews/{number}/"
    for point, status in (
        ("complete.before_signal", "approved"),
        ("complete.before_commit", "approved"),
        ("complete.after_commit", "completed"),
    ):
        fault.arm(point)
        assert reviewer.press(f"{path}completion/", {}, lambda: True) == 1
        assert fault.fired
        assert reviewer.look(path)["status"] == status

    tasks = portal.tasks(number)
    portal.messages_arrive(tasks)
    for task in tasks:
        fault.arm("acknowledge.before_commit")
        assert portal.acknowledge(task) == 1
        assert fault.fired
        portal.finish(task)
        fault.arm("feedback.before_commit")
        assert portal.feed_back(task) == 1
        assert fault.fired
    portal.nothing_lost_nothing_doubled(number, tasks)
    portal.books_are_right()


def test_the_road_to_the_revocation_dies_three_times(portal_postgres: Portal, fault: Fault) -> None:
    from_fault_to_revocation(portal_postgres, fault)
    portal_postgres.books_are_right()
