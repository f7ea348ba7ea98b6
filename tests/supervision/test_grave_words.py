"""What goes against a subject, or ends a matter for good, is not done with a word: page, API, nothing typed is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from offices.tokens import issue
from supervision.enums import InspectionKind
from supervision.models import SupervisionTask, TaskChange
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
SHORT = ("是", "逾 期 没 有 改", "逾期仍没有改正过。")
ENOUGH = "逾期仍然没有改正过。"


def proposal(clock: Moment) -> tuple[SupervisionTask, str, str, dict[str, Any], str]:
    task, order = make.unmended(clock.at)
    address = reverse("tasks:proposal", args=[task.number])
    return task, address, "proposal", {"keys": [f"order-{order.paper_id}"]}, "facts"


def not_mended(clock: Moment) -> tuple[SupervisionTask, str, str, dict[str, Any], str]:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    make.look(task, clock.to("2026-10-09 09:00"), bad=True, kind=InspectionKind.AGAIN)
    address = reverse("tasks:order_outcome", args=[order.pk])
    return task, address, "order/outcome", {"outcome": "not_mended"}, "reason"


def licence_ended(clock: Moment) -> tuple[SupervisionTask, str, str, dict[str, Any], str]:
    task = make.fed_back(make.faulty(clock.at), clock.at + dt.timedelta(hours=3))
    assert task.licence is not None
    TaskChange.objects.create(
        task=task, licence=task.licence, kind="deregistration", text="许可证已注销。", ends_licence=True, at=clock.at
    )
    return task, reverse("tasks:licence_ended", args=[task.number]), "licence-ended", {}, "reason"


@pytest.mark.parametrize("given", [proposal, not_mended, licence_ended])
def test_a_word_is_too_little(
    city: None, clock: Moment, sign_in: SignIn, given: Callable[[Moment], tuple[Any, ...]]
) -> None:
    task, page, address, body, field = given(clock)
    browser = sign_in(some.manager_of(task))
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue(make.manager(task)).token}")
    kept = [f'value="{value}"' for said in body.values() for value in ([said] if isinstance(said, str) else said)]
    before = SupervisionTask.objects.values().get(pk=task.pk)
    for short in SHORT:
        answer = browser.post(page, body | {field: short})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert f"至少 10 字，现为 {len(short.replace(' ', ''))} 字。" in html
        assert short in html
        assert all(chosen in html for chosen in kept)
        said = api.post(f"/api/v1/tasks/{task.number}/{address}/", body | {field: short}, format="json")
        assert said.status_code == 422
        assert (said.json()["code"], said.json()["errors"][0]["field"]) == ("reason-too-short", field)
    assert SupervisionTask.objects.values().get(pk=task.pk) == before
    assert browser.post(page, body | {field: ENOUGH}).status_code == 302
