"""纳入双随机抽查: who is put into a draw is in its pool, and no such task ends without a look."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger.draws import keep_periods
from supervision.actions import correcting
from supervision.actions.drawing import make_plan, publish_plan
from supervision.actions.inspecting import record_inspection
from supervision.enums import Result
from supervision.models import DrawPlan, SupervisionTask
from supervision.pools import preview
from tests.api.conftest import Caller, caller  # noqa: F401 - a fixture
from tests.conftest import Moment
from tests.supervision import drawing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
NAME = "商品房预售九月抽查"
DAY = "2026-09-28"
FED = {"result": "conforming", "text": "已核查。", "platform": "market", "platform_number": "JG-1"}


def put(browser: Client, task: SupervisionTask) -> None:
    """The task, opened and acknowledged for the draw."""
    browser.get(reverse("tasks:task", args=[task.number]))
    data = {"measure": "random_draw", "measure_with": NAME, "planned_finish_on": DAY}
    assert browser.post(reverse("tasks:acknowledge", args=[task.number]), data).status_code == 302


def plan_for(task: SupervisionTask, clock: Moment, **changes: Any) -> DrawPlan:
    """A published plan of the task's office and sub-item that draws everybody."""
    keep_periods(clock.at)
    wanted = drawing.wanted(
        ratio=10000, spare_months=0, sub_item=task.sub_item, business_items=[task.business_item], **changes
    )
    by = make.manager(task)
    return publish_plan(make_plan(task.office, wanted, by=by, now=clock.at), by=by, now=clock.at)


def finish(browser: Client, task: SupervisionTask) -> Any:
    return browser.post(reverse("tasks:finish", args=[task.number]), {"finished_on": DAY})


def feed_back(browser: Client, task: SupervisionTask, **changes: str) -> Any:
    return browser.post(reverse("tasks:feedback", args=[task.number]), FED | changes)


def look(task: SupervisionTask, clock: Moment, *, result: Result = Result.CONFORMING) -> None:
    """The draw's two officers look, off site."""
    wrong = field.names(task)[0] if result == Result.NONCONFORMING else ""
    first, second = field.officers(task)
    draft = field.draft(
        task,
        clock.at,
        bad=wrong,
        off_site="documents",
        first_officer=first.pk,
        second_officer=second.pk,
        result=result.value,
    )
    if result == Result.BASICALLY:
        one = draft.findings[0]
        mild = dataclasses.replace(one, result=result.value, words="标识不清。")
        draft = dataclasses.replace(draft, findings=[mild, *draft.findings[1:]])
    record_inspection(task, draft=draft, by=make.manager(task), now=clock.at)


@pytest.fixture
def task(city: None, clock: Moment) -> SupervisionTask:
    """A task whose SMS went out, and two inspectors of its office."""
    found = some.notified(clock.at)
    drawing.inspectors(2, found.office)
    return found


def test_who_is_put_into_a_draw_is_drawn_and_ends_by_what_the_draw_found(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(some.manager_of(task))
    plan = plan_for(task, clock)
    assert preview(plan, clock.at).left_out == [("已有本子项的未结任务", 1)]
    put(browser, task)
    assert (preview(plan, clock.at).left_out, preview(plan, clock.at).taken) == ([], 1)
    assert "还没有抽中、检查并反馈过" in finish(browser, task).content.decode()
    assert browser.post(reverse("tasks:draw_draw", args=[plan.pk])).status_code == 302
    drawn = SupervisionTask.objects.get(origin="draw")
    assert (drawn.subject_id, drawn.sub_item_id) == (task.subject_id, task.sub_item_id)
    assert preview(plan_for(task, clock), clock.at).left_out == [("已有本子项的未结任务", 1)]

    browser.get(reverse("tasks:task", args=[drawn.number]))
    data = {"measure": "off_site", "planned_finish_on": DAY}
    assert browser.post(reverse("tasks:acknowledge", args=[drawn.number]), data).status_code == 302
    drawn.refresh_from_db()
    look(drawn, clock)
    back = finish(browser, task)  # looked at, but the draw's task is not finished
    assert (back.status_code, "还没有抽中、检查并反馈过" in back.content.decode()) == (422, True)
    assert finish(browser, drawn).status_code == 302
    assert finish(browser, task).status_code == 422  # its record may still be set aside
    assert feed_back(browser, drawn).status_code == 302
    assert finish(browser, task).status_code == 302
    assert feed_back(browser, task).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.end) == ("closed", "conforming")


def test_no_feedback_without_a_look_of_its_own_or_of_the_draw(
    task: SupervisionTask,
    clock: Moment,
    sign_in: SignIn,
    caller: Caller,  # noqa: F811
) -> None:
    browser = sign_in(some.manager_of(task))
    put(browser, task)
    SupervisionTask.objects.filter(pk=task.pk).update(status="finished", finished_on=DAY)  # as it could be before
    plan = plan_for(task, clock)
    assert preview(plan, clock.at).taken == 1
    back = feed_back(browser, task)
    assert (back.status_code, "签收以后还没有抽中、检查并反馈过这个对象" in back.content.decode()) == (422, True)
    assert 'value="JG-1"' in back.content.decode()
    client = caller(some.manager_of(task))
    answer = client.post(f"/api/v1/tasks/{task.number}/feedback/", FED, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "draw-not-looked-at")
    elsewhere = plan_for(task, clock, name="别的计划")
    elsewhere.sub_item = type(task.sub_item).objects.exclude(pk=task.sub_item_id)[0]
    elsewhere.spare_months = 6
    assert preview(elsewhere, clock.at).left_out == []  # a bare day of finishing is no check
    clock.to("2026-09-28 15:00")
    make.look(task, clock.at, bad=False)
    assert preview(elsewhere, clock.at).left_out == [("近期已经检查过", 1)]
    assert preview(plan, clock.at).left_out == [("已有本子项的未结任务", 1)]  # the office looked itself
    assert feed_back(browser, task).status_code == 302


def test_a_draw_before_the_acknowledgement_is_no_look_for_it(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(some.manager_of(task))
    put(browser, task)
    assert browser.post(reverse("tasks:draw_draw", args=[plan_for(task, clock).pk])).status_code == 302
    drawn = SupervisionTask.objects.get(origin="draw")
    some.acknowledged(clock.at, drawn, measure="off_site")
    look(drawn, clock)
    assert finish(browser, drawn).status_code == 302
    assert feed_back(browser, drawn).status_code == 302
    clock.to("2026-09-28 11:00")
    SupervisionTask.objects.filter(pk=task.pk).update(acknowledged_at=clock.at)
    assert finish(browser, task).status_code == 422
    SupervisionTask.objects.filter(pk=task.pk).update(acknowledged_at=drawn.opened_at)
    assert finish(browser, task).status_code == 302


def drawn_and_looked_at(
    task: SupervisionTask, clock: Moment, browser: Client, *, result: Result = Result.CONFORMING
) -> SupervisionTask:
    """The task that the draw opened for the same subject, looked at, finished and fed back."""
    assert browser.post(reverse("tasks:draw_draw", args=[plan_for(task, clock).pk])).status_code == 302
    drawn = SupervisionTask.objects.get(origin="draw")
    some.acknowledged(clock.at, drawn, measure="off_site")
    look(drawn, clock, result=result)
    assert finish(browser, drawn).status_code == 302
    assert feed_back(browser, drawn, result=result).status_code == 302
    return drawn


def test_nothing_is_fed_back_as_better_than_the_draw_found(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(some.manager_of(task))
    put(browser, task)
    drawn = drawn_and_looked_at(task, clock, browser, result=Result.BASICALLY)
    assert finish(browser, task).status_code == 302
    back = feed_back(browser, task, result=Result.CONFORMING)
    said = f"抽查任务 {drawn.number} 检查这个对象的结论是“基本符合”"
    assert (back.status_code, said in back.content.decode()) == (422, True)
    assert feed_back(browser, task, result=Result.BASICALLY).status_code == 302
    task.refresh_from_db()
    assert task.status == "fed_back"


def test_where_the_draw_found_a_fault_the_task_is_looked_at_itself_before_it_is_finished(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in(some.manager_of(task))
    put(browser, task)
    drawn = drawn_and_looked_at(task, clock, browser, result=Result.NONCONFORMING)
    back = finish(browser, task)
    said = f"抽查任务 {drawn.number} 检查这个对象的结论是“不符合”"
    assert (back.status_code, said in back.content.decode()) == (422, True)
    look(task, clock, result=Result.NONCONFORMING)
    assert finish(browser, task).status_code == 302
    clock.to("2026-09-29 10:00")
    assert feed_back(browser, task, result=Result.NONCONFORMING).status_code == 302
    task.refresh_from_db()
    assert task.status == "fed_back"


def test_a_record_written_by_mistake_leaves_the_draw_to_answer_for_the_task(
    task: SupervisionTask, clock: Moment, sign_in: SignIn
) -> None:
    browser, manager = sign_in(some.manager_of(task)), make.manager(task)
    put(browser, task)
    look(task, clock)
    asked = correcting.ask_set_aside(task, record=1, reason="查的是隔壁企业，把对象弄错了。", by=manager, now=clock.at)
    answer = "经核对照片，确属对象错误。"
    correcting.settle_set_aside(asked, grant=True, answer=answer, by=make.head(task), now=clock.to("2026-09-28 10:30"))
    assert "检查记录已经作废" in finish(browser, task).content.decode()
    drawn_and_looked_at(task, clock, browser)
    assert finish(browser, task).status_code == 302
    assert feed_back(browser, task).status_code == 302
