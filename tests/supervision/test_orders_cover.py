"""An order answers every record of 不符合 that stands and no order answered: draft, second look, verdict, proposal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.models import Revocation
from offices.tokens import issue
from supervision.actions import correcting, ordering
from supervision.enums import InspectionKind, OrderStatus, PaperKind, TaskStatus
from supervision.models import Paper, Rectification, SupervisionTask
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ACTIVITY = "activity-activity"


def phone(task: SupervisionTask) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(make.manager(task)).token}")
    return client


def asked_again(task: SupervisionTask) -> list[str]:
    answer = phone(task).get(f"/api/v1/tasks/{task.number}/inspection-form/")
    return [f"{one['kind']}-{one['key']}" for one in answer.json()["asked_again"]]


def order_url(order: Rectification, act: str = "order") -> str:
    return reverse(f"tasks:{act}", args=[order.pk])


def promised(clock: Moment) -> SupervisionTask:
    """The first record breaks a promise; a day later the second one finds only the licensed activity wrong."""
    task = make.faulty(clock.at, promise=True, planned=5)
    make.look(task, clock.to("2026-09-29 10:00"), bad=True, wrong=ACTIVITY)
    return standing.fresh(task)


def ordered(task: SupervisionTask, browser: Client) -> Rectification:
    """With the words of the draft, to 2026-10-09."""
    url = reverse("tasks:order_new", args=[task.number])
    words = browser.get(url).context["form"].initial
    assert browser.post(url, words | {"due_on": "2026-10-09"}).status_code == 302
    return Rectification.objects.select_related("paper").order_by("-pk")[0]


def test_the_order_is_about_all_of_them(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = promised(clock)
    browser = sign_in(some.manager_of(task))
    html = browser.get(reverse("tasks:order_new", args=[task.number])).content.decode()
    assert "第 1 次检查" in html
    assert "第 2 次检查" in html
    assert task.promise_clauses[0] in html
    order = ordered(task, browser)
    assert order.facts.splitlines() == [f"1．{task.promise_clauses[0]}：与承诺不符。", "2．与承诺不符。"]
    assert "连政办发〔2022〕67号" in order.basis
    assert "撤销行政许可" in order.consequence
    assert order.paper.content["paragraphs"][0].startswith("2026年9月28日、2026年9月29日，")
    assert ordering.breaks_promise(order)
    # The next record is of another order.
    make.look(task, clock.to("2026-09-29 15:00"), bad=True, wrong="clause-2")
    assert asked_again(task) == ["clause-1", ACTIVITY]


@pytest.mark.parametrize("wrong", ["clause-1", ACTIVITY, ""])
def test_mended_is_all_of_it_or_nothing(city: None, clock: Moment, sign_in: SignIn, wrong: str) -> None:
    task = promised(clock)
    browser = sign_in(some.manager_of(task))
    order = ordered(task, browser)
    make.fed_back(task, clock.to("2026-09-29 16:00"))
    clock.to("2026-10-09 10:00")
    html = browser.get(reverse("tasks:reinspect", args=[task.number])).content.decode()
    assert f'name="{ACTIVITY}"' in html
    assert 'name="clause-1"' in html
    assert 'name="clause-2"' not in html
    sent = standing.as_json(
        make.draft(task, clock.at, bad=bool(wrong), kind=InspectionKind.AGAIN, wrong=wrong)
    )  # fmt: skip
    url = f"/api/v1/tasks/{task.number}/inspections/"
    part = [one for one in sent["findings"] if one["kind"] == "activity"]
    answer = phone(task).post(url, sent | {"findings": part}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "finding-missing")
    assert phone(task).post(url, sent, format="json").status_code == 200
    verdict = browser.post(order_url(order, "order_outcome"), {"outcome": "mended", "reason": ""})
    task.refresh_from_db()
    if wrong:
        assert verdict.status_code == 422
        assert task.status == TaskStatus.RECTIFYING
    else:
        assert verdict.status_code == 302
        assert task.status == TaskStatus.CLOSED


def test_a_broken_promise_that_an_earlier_record_found_is_proposed_as_one(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = promised(clock)
    browser = sign_in(some.manager_of(task))
    order = ordered(task, browser)
    make.fed_back(task, clock.to("2026-09-29 16:00"))
    verdict = {"outcome": "refused", "reason": "负责人当面拒绝整改。"}
    assert browser.post(order_url(order, "order_outcome"), verdict).status_code == 302
    page = browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "当事人违背承诺，没有改正，请建议撤销许可" in page
    said = {"facts": "承诺不实，拒不整改。", "keys": [f"order-{order.paper_id}"]}
    assert browser.post(reverse("tasks:proposal", args=[task.number]), said).status_code == 302
    assert Revocation.objects.get(source=task.stream).broken_promise


def test_a_second_order_is_about_what_came_after_the_first(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, planned=9)
    browser = sign_in(some.manager_of(task))
    points = field.names(task)
    first = ordered(task, browser)
    assert asked_again(task) == [points[0]]
    make.look(task, clock.to("2026-09-29 10:00"), bad=False, kind=InspectionKind.AGAIN)
    assert browser.post(order_url(first, "order_outcome"), {"outcome": "mended"}).status_code == 302
    new = reverse("tasks:order_new", args=[task.number])
    assert browser.get(new).status_code == 409  # everything that was found is answered
    assert new not in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    make.look(task, clock.to("2026-09-29 11:00"), bad=True, wrong=points[1])
    make.look(task, clock.to("2026-09-29 15:00"), bad=True, wrong=ACTIVITY)
    assert new in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    second = ordered(task, browser)
    assert second.pk != first.pk
    assert asked_again(task) == [points[1], ACTIVITY]
    make.fed_back(task, clock.to("2026-09-29 16:00"))
    make.look(task, clock.to("2026-10-09 10:00"), bad=True, kind=InspectionKind.AGAIN, wrong=points[1])
    mended = {"outcome": "mended", "reason": ""}
    assert browser.post(order_url(second, "order_outcome"), mended).status_code == 422
    make.look(task, clock.to("2026-10-09 15:00"), bad=False, kind=InspectionKind.AGAIN)
    assert browser.post(order_url(second, "order_outcome"), mended).status_code == 302
    task.refresh_from_db()
    assert task.status == TaskStatus.CLOSED
    first.refresh_from_db()
    assert (first.status, Paper.objects.filter(task=task, kind=PaperKind.ORDER).count()) == (OrderStatus.MENDED, 2)


def test_what_was_found_twice_is_asked_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, planned=5)
    make.look(task, clock.to("2026-09-29 10:00"), bad=True)
    order = ordered(standing.fresh(task), sign_in(some.manager_of(task)))
    assert order.facts == "1．与承诺不符。"
    assert asked_again(task) == field.names(task)[:1]


def test_a_record_that_an_order_answers_is_not_set_aside(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = promised(clock)
    make.look(task, clock.to("2026-09-29 11:00"), bad=False)
    browser, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    said = {"reason": "查的是隔壁企业，把对象弄错了。"}
    url = reverse("tasks:set_aside", args=[task.number])
    assert browser.post(url, said | {"record": "1"}).status_code == 302
    asked = task.inspections.get(order=1).set_asides.get()
    assert "查的是隔壁企业" in head.get("/tasks/set-asides/").content.decode()
    order = ordered(task, browser)
    # Overtaken: it waits for nobody, and an answer is refused with what overtook it.
    assert "查的是隔壁企业" not in head.get("/tasks/set-asides/").content.decode()
    answer = head.post(
        reverse("tasks:set_aside_answer", args=[asked.pk]), {"verdict": "grant", "answer": "经核对照片，确属对象错误。"}
    )
    assert answer.status_code == 409
    assert order.paper.number in answer.content.decode()
    assert [one.order for one in correcting.correctable(standing.fresh(task))] == [3]  # it found nothing wrong
    assert asked_again(task) == ["clause-1", ACTIVITY]


def test_a_record_that_was_set_aside_is_in_no_order(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = promised(clock)
    asked = correcting.ask_set_aside(
        task, record=1, reason="查的是隔壁企业，把对象弄错了。", by=make.manager(task), now=clock.at
    )
    correcting.settle_set_aside(
        asked,
        grant=True,
        answer="经核对照片，确属对象错误。",
        by=make.head(task),
        now=clock.at + dt.timedelta(minutes=5),
    )
    order = ordered(task, sign_in(some.manager_of(task)))
    assert asked_again(task) == [ACTIVITY]
    assert not ordering.breaks_promise(order)
