"""Two people at once, with real threads and real connections: one wins, one reads a kind sentence, nothing doubles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from approvals.actions import accept_case, complete_case, receive_case, request_correction
from approvals.actions.intake import required_points
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CorrectionNotice, Document, Extension, Licence, SpecialProcedure
from deadlines.models import ClockEvent
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Posting, User
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


def browsers(*people: User) -> list[Client]:
    """A signed-in browser for each."""
    found = []
    for one in people:
        browser = Client()
        browser.force_login(one, backend="django.contrib.auth.backends.ModelBackend")
        found.append(browser)
    return found


def one_goes_through(answers: list[Any]) -> None:
    """One press of a button is done, the others read a kind sentence."""
    assert sorted(answer.status_code for answer in answers) == [302] + [409] * (len(answers) - 1)
    late = next(answer for answer in answers if answer.status_code == 409)
    assert "。" in late.content.decode()


ENERGY = "固定资产投资项目节能审查"


def test_a_reviewer_and_two_deciders_start_a_special_procedure_at_once(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    deciders = Posting.objects.filter(role="decider", office=case.review_office).select_related("user")
    url = reverse("office:procedure", args=[case.number])
    form = {"ground": "hearing", "estimated_days": "10", "reason": "举行听证"}
    people = browsers(case.reviewer, *(posting.user for posting in deciders[:2]))
    one_goes_through(together(*(lambda browser=browser: browser.post(url, form) for browser in people)))
    assert SpecialProcedure.objects.filter(case=case).count() == 1
    assert Document.objects.filter(case=case, kind="special").count() == 1
    assert ClockEvent.objects.filter(deadline__stream=case.stream, kind="pause").count() == 3
    assert Message.objects.filter(kind="applicant_procedure_started").count() == 1
    end = reverse("office:procedure_end", args=[case.number])
    one_goes_through(together(*(lambda browser=browser: browser.post(end, {"result": "完"}) for browser in people)))
    assert ClockEvent.objects.filter(deadline__stream=case.stream, kind="resume").count() == 3
    assert Message.objects.filter(kind="applicant_procedure_ended").count() == 1


def test_two_ask_for_more_time_and_two_heads_grant_it_at_once(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    ask = reverse("office:extend", args=[case.number])
    form = {"days": "5", "reason": "复杂"}
    people = browsers(case.reviewer, play.holder(Posting.Role.DECIDER, case, case.reviewer))
    one_goes_through(together(*(lambda browser=browser: browser.post(ask, form) for browser in people)))
    extension = Extension.objects.get(case=case)
    second = play.person("duban1")
    Posting.objects.create(user=second, department=case.department, role="department_head", starts_on="2026-01-01")
    first = Posting.objects.filter(department=case.department, role="department_head").order_by("pk")[0].user
    url = reverse("office:extension", args=[extension.pk])
    heads = browsers(first, second)
    one_goes_through(together(*(lambda browser=browser: browser.post(url, {"verdict": "grant"}) for browser in heads)))
    assert ClockEvent.objects.filter(deadline__stream=case.stream, kind="extend").count() == 1
    assert Document.objects.filter(case=case, kind="extension").count() == 1
    assert Message.objects.filter(kind="applicant_extended").count() == 1


def test_a_decision_and_a_special_procedure_at_once(town: None, clock: Moment) -> None:
    case = play.reviewed(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    deciders = Posting.objects.filter(role="decider", office=case.review_office).select_related("user")
    one, two = browsers(*(posting.user for posting in deciders[:2]))
    form = {"ground": "hearing", "estimated_days": "10", "reason": "举行听证"}
    answers = together(
        lambda: one.post(reverse("office:decision", args=[case.number]), {"verdict": "approve"}),
        lambda: two.post(reverse("office:procedure", args=[case.number]), form),
    )
    one_goes_through(answers)
    case.refresh_from_db()
    assert SpecialProcedure.objects.filter(case=case).exists() == (case.status == "in_review")


def test_an_overseer_hands_over_while_the_opinion_is_given(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    before = case.reviewer
    reviewer, overseer = browsers(before, play.person("duban1"))
    answers = together(
        lambda: reviewer.post(reverse("office:opinion", args=[case.number]), {"verdict": "approve", "text": "符合。"}),
        lambda: overseer.post(reverse("oversight:hand_over", args=[case.number]), {"reason": "请假"}),
    )
    assert {answer.status_code for answer in answers} in ({302, 409}, {302, 404})
    case.refresh_from_db()
    given = Case.objects.filter(pk=case.pk, opinion__isnull=False).exists()
    assert given == (case.reviewer == before)
