"""移送执法 through the page: the letter, the receipt, the result; from where, by whom, in which order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from ledger.models import Entry
from supervision.actions import ordering
from supervision.enums import PaperKind, TaskEnd, TaskStatus
from supervision.models import Feedback, Handover, SupervisionTask
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
LETTER = {
    "step": "hand",
    "to_name": "连云港市市场监督管理局综合执法支队",
    "facts": "超范围经营。",
    "basis": "《食品安全法》",
}
RECEIPT = {"step": "receipt", "number": "回〔2026〕3号", "received_on": "2026-09-29"}
RESULT = {"step": "result", "result": "罚款一万元。", "number": "连市监处罚〔2026〕9号", "result_on": "2026-10-08"}


def url(task: SupervisionTask) -> str:
    return reverse("tasks:handover", args=[task.number])


def test_handed_over_received_ended(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    browser = sign_in(some.manager_of(task))
    assert "移送执法" in browser.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "检查发现问题。" in browser.get(url(task)).content.decode()  # the feedback's words, prefilled
    assert browser.post(url(task), LETTER).status_code == 302
    task.refresh_from_db()
    assert task.status == TaskStatus.HANDED_OVER
    handover = Handover.objects.select_related("paper").get(task=task)
    assert (handover.paper.kind, handover.paper.content["to"]) == (PaperKind.HANDOVER, LETTER["to_name"])
    assert handover.paper.number in Feedback.objects.get(task=task).follow_up
    assert browser.post(url(task), RESULT).status_code == 409  # the receipt comes first
    clock.to("2026-09-30 10:00")
    for wrong in ({"number": ""}, {"received_on": "2026-10-01"}, {"received_on": "2026-09-27"}):
        assert browser.post(url(task), RECEIPT | wrong).status_code == 422
    assert browser.post(url(task), RECEIPT).status_code == 302
    assert browser.post(url(task), RECEIPT).status_code == 409
    clock.to("2026-10-09 10:00")
    for wrong in ({"result": ""}, {"number": ""}, {"result_on": "2026-09-28"}, {"result_on": "2026-10-10"}):
        assert browser.post(url(task), RESULT | wrong).status_code == 422
    assert browser.post(url(task), RESULT).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.HANDED_OVER)
    assert RESULT["number"] in browser.get(url(task)).content.decode()
    assert browser.post(url(task), RESULT).status_code == 409
    wanted = ["task.handed_over", "task.handover_received", "task.handover_result", "task.closed"]
    entries = Entry.objects.filter(stream=task.stream, act__in=wanted).order_by("seq")
    assert list(entries.values_list("act", flat=True)) == wanted


@pytest.mark.parametrize("field", ["to_name", "facts", "basis"])
def test_what_is_missing_is_said(city: None, clock: Moment, sign_in: SignIn, field: str) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    answer = sign_in(some.manager_of(task)).post(url(task), LETTER | {field: " "})
    assert answer.status_code == 422
    assert "请" in answer.content.decode()
    assert not Handover.objects.exists()


def test_an_order_that_runs_is_settled_first(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    order = make.ordered(task, clock.at)
    browser = sign_in(some.manager_of(task))
    assert browser.get(url(task)).status_code == 409  # before anything is written
    refused = browser.post(url(task), LETTER)
    assert refused.status_code == 409
    assert LETTER["facts"] in refused.content.decode()
    assert LETTER["to_name"] in refused.content.decode()
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=clock.at)
    assert browser.post(url(task), LETTER).status_code == 302
    handover = Handover.objects.get(task=task)
    assert order.paper.number in str(handover.paper.content["tables"])
    follow_up = Feedback.objects.get(task=task).follow_up
    assert order.paper.number in follow_up
    assert handover.paper.number in follow_up


def test_a_step_that_nobody_knows_says_what_is_so(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    answer = sign_in(some.manager_of(task)).post(url(task), {"step": "later", "facts": "写好的事实。"})
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "没有移送执法，现在是“已反馈”" in html
    assert "写好的事实。" in html
    assert "办结" not in html


def test_only_what_was_found_wanting(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    assert browser.get(url(task)).status_code == 409
    assert browser.post(url(task), LETTER).status_code == 409
    assert not Handover.objects.exists()
    faulty = make.faulty(clock.at + dt.timedelta(days=1))
    assert sign_in(some.manager_of(faulty)).post(url(faulty), LETTER).status_code == 409  # not fed back yet


def test_a_head_does_not_hand_over(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    assert sign_in(make.head(task).username).post(url(task), LETTER).status_code == 404


def test_a_closing_word_names_the_state_that_is(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    closing = reverse("tasks:close", args=[task.number])
    early = browser.post(closing, {"follow_up": "已处理。"})
    assert early.status_code == 409
    assert "现在是“已签收”，不能直接归档" in early.content.decode()
    other = make.fed_back(make.faulty(clock.at), clock.at)
    browser = sign_in(some.manager_of(other))
    assert browser.post(url(other), LETTER).status_code == 302
    closing = reverse("tasks:close", args=[other.number])
    late = browser.post(closing, {"follow_up": "已处理。"})
    assert late.status_code == 409
    assert "现在是“已移送执法”，不能直接归档" in late.content.decode()
    other.refresh_from_db()
    assert other.status == TaskStatus.HANDED_OVER
