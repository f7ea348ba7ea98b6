"""Two people at once, with real threads and real connections: one wins, one reads a kind sentence, nothing doubles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from approvals.actions import accept_case, complete_case, receive_case, request_correction
from approvals.actions.intake import required_points
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CorrectionNotice, Document, Licence
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Posting
from supervision.actions import acknowledge, view_task
from supervision.models import SupervisionTask
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.test_actions import draft
from tests.conftest import Moment

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts at the same moment, each on its own connection; return results or what they raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return act()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def one_wins(results: list[Any], error: type[Refused] = TransitionNotAllowed) -> None:
    refused = [r for r in results if isinstance(r, Refused)]
    assert len(refused) == len(results) - 1, results
    assert all(isinstance(r, error) and r.conflict and r.message.endswith("。") for r in refused)


def test_two_clerks_accept_at_once(town: None, clock: Moment) -> None:
    case = play.received(clock.at)
    a, b = play.person("chuangkou1"), play.person("chuangkou2")
    one_wins(together(*(lambda by=by: accept_case(case, by=by, now=clock.at) for by in (a, b))))
    assert Document.objects.filter(case=case, kind="acceptance").count() == 1


def test_two_clerks_send_the_correction_notice_at_once(town: None, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    keys = sorted(required_points(case))
    people = (play.person("chuangkou1"), play.person("chuangkou2"))
    acts = [lambda by=by: request_correction(case, keys=keys, remarks={}, by=by, now=clock.at) for by in people]
    one_wins(together(*acts), Refused)
    assert CorrectionNotice.objects.count() == 1


def test_two_reviewers_complete_at_once(town: None, clock: Moment) -> None:
    case = play.approved(clock.at)
    people = [p.user for p in Posting.objects.filter(role="reviewer", office=case.review_office)]
    one_wins(together(*(lambda by=by: complete_case(case, by=by, now=clock.at) for by in people)))
    assert Licence.objects.count() == 1
    tasks = SupervisionTask.objects.filter(case=case)
    assert tasks.count() == case.business_item.linkages.filter(active=True).count()
    assert Message.objects.filter(kind="task_opened").count() == tasks.count()


def test_two_managers_acknowledge_at_once(town: None, clock: Moment) -> None:
    play.completed(clock.at)
    deliver(clock.at)
    task = SupervisionTask.objects.order_by("pk")[0]
    manager = task.office.managers(clock.at.date())[0]
    deputy = task.office.deputies(clock.at.date())[0]
    view_task(task, by=manager, now=clock.at)
    day = dt.date(2026, 10, 9)
    acts = [
        lambda by=by: acknowledge(task, measure="on_site", planned_finish_on=day, by=by, now=clock.at)
        for by in (manager, deputy)
    ]
    one_wins(together(*acts))


def test_twenty_cases_at_once_get_twenty_numbers(town: None, clock: Moment) -> None:
    item, clerk = play.item(), play.person("chuangkou1")
    forms = [draft(item) for _ in range(20)]
    made = together(*(lambda form=form: receive_case(form, by=clerk, now=clock.at) for form in forms))
    assert len({case.number for case in made}) == 20
    assert Case.objects.count() == 20
    receipts = Document.objects.filter(kind="receipt").values_list("number", flat=True)
    assert sorted(int(n.split("〕")[1].removesuffix("号")) for n in receipts) == list(range(1, 21))


def test_the_same_form_sent_by_two_threads_is_one_case(town: None, clock: Moment) -> None:
    form, clerk = draft(play.item()), play.person("chuangkou1")
    made = together(*(lambda: receive_case(form, by=clerk, now=clock.at) for _ in range(4)))
    assert Case.objects.count() == 1
    assert {result.pk for result in made if isinstance(result, Case)} == {Case.objects.get().pk}
