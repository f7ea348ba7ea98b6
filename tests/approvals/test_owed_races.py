"""Two at once about what is owed, with real threads and connections: one lawful state, nothing doubled."""

from __future__ import annotations

import datetime as dt

import pytest

from approvals import owed as debts
from approvals.actions.intake import slot_of
from approvals.actions.owing import hand_in, outstanding, settle_later, settle_promise_lapse
from approvals.enums import CaseStatus, Door
from approvals.exceptions import Refused
from approvals.models import Case, Ending, Licence, PromiseLapse
from ledger import verify
from notifications.models import Message
from supervision.models import SupervisionTask
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.debts import decider, fresh, licensed, provided, waiting
from tests.approvals.test_races import together
from tests.conftest import Moment

pytestmark = pytest.mark.django_db(transaction=True)
UNTIL = dt.date(2026, 10, 9)


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def lawful(case: Case) -> str:
    """The state of the case; whatever it is, it is whole."""
    found = fresh(case)
    licences = Licence.objects.filter(case=case).count()
    tasks = SupervisionTask.objects.filter(case=case).count()
    completed = found.status == CaseStatus.COMPLETED
    assert licences == completed
    assert bool(tasks) == completed
    assert Ending.objects.filter(case=case).count() == (found.status == CaseStatus.CANCELLED)
    assert Message.objects.filter(reference=case.stream, kind="applicant_completed").count() == completed
    assert PromiseLapse.objects.filter(case=case, cancel=None).count() <= 1
    assert list(verify.faults()) == []
    return str(found.status)


def test_two_hand_in_the_same_at_once(town: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    said, clerk = provided(case), play.person("chuangkou1")
    results = together(
        lambda: hand_in(case, provided=said, by=clerk, door=Door.WINDOW, now=clock.at),
        lambda: hand_in(case, provided=said, by=None, door=Door.PUBLIC, now=clock.at),
    )
    assert sum(isinstance(one, Refused) and one.conflict for one in results) == 1
    assert lawful(case) == CaseStatus.COMPLETED


def test_two_hand_in_a_half_each_at_once(town: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    lines = outstanding(case)
    halves = [{slot_of(line): "provided"} for line in lines]
    acts = [lambda half=half: hand_in(case, provided=half, by=None, door=Door.PUBLIC, now=clock.at) for half in halves]
    results = together(*acts)
    assert not [one for one in results if isinstance(one, Refused)]
    assert lawful(case) == CaseStatus.COMPLETED


@pytest.mark.parametrize("moment", ["2026-10-09 23:59:59", "2026-10-10 00:00:01"])
def test_a_hand_in_races_the_sweeps(town: None, clock: Moment, moment: str) -> None:
    case = waiting(clock.at, UNTIL)
    said = provided(case)
    handed, swept = clock.to(moment), clock.to("2026-10-10 00:00:02")
    together(
        lambda: debts.sweep(swept),
        lambda: hand_in(case, provided=said, by=None, door=Door.PUBLIC, now=handed),
        lambda: debts.sweep(swept),
    )
    state = lawful(case)
    assert not outstanding(case)
    lapses = PromiseLapse.objects.filter(case=case)
    in_time = moment.startswith("2026-10-09")
    assert (state, lapses.count()) == ((CaseStatus.COMPLETED, 0) if in_time else (CaseStatus.APPROVED, 1))


@pytest.mark.parametrize("cancel", [True, False])
def test_a_hand_in_races_the_decision(town: None, clock: Moment, cancel: bool) -> None:
    case = waiting(clock.at, UNTIL)
    said, boss = provided(case), decider(case)
    now = clock.to("2026-10-10 09:00")
    debts.sweep(now)
    results = together(
        lambda: settle_promise_lapse(case, cancel=cancel, reason="逾期。", by=boss, now=now),
        lambda: hand_in(case, provided=said, by=None, door=Door.PUBLIC, now=now),
    )
    assert all(one.conflict for one in results if isinstance(one, Refused))
    assert lawful(case) == (CaseStatus.CANCELLED if cancel else CaseStatus.COMPLETED)


def test_two_deciders_settle_at_once(town: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    boss = decider(case)
    now = clock.to("2026-10-10 09:00")
    debts.sweep(now)
    results = together(
        lambda: settle_promise_lapse(case, cancel=True, reason="撤销。", by=boss, now=now),
        lambda: settle_promise_lapse(case, cancel=False, reason="等。", until=dt.date(2026, 10, 16), by=boss, now=now),
    )
    assert sum(isinstance(one, Refused) and one.conflict for one in results) == 1
    assert lawful(case) in {CaseStatus.CANCELLED, CaseStatus.APPROVED}
    assert PromiseLapse.objects.filter(case=case).count() == 1


def test_a_later_hand_in_races_sweep_and_settlement(town: None, clock: Moment) -> None:
    case = licensed(clock.at, dt.date(2026, 11, 6))
    said, boss = provided(case), decider(case)
    now = clock.to("2026-11-07 00:00:01")
    results = together(
        lambda: debts.sweep(now),
        lambda: hand_in(case, provided=said, by=None, door=Door.PUBLIC, now=now),
        lambda: settle_later(case, apply=True, reason="逾期。", by=boss, now=now),
    )
    assert not [one for one in results if isinstance(one, Refused)]
    later = fresh(case).later_submission
    assert (later.overdue_at, later.fulfilled_at, later.applied) == (now, now, True)
    assert lawful(case) == CaseStatus.COMPLETED
