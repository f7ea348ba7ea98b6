"""What a record binds: no end without it, no earlier day, nothing better fed back; by the assigned officers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.exceptions import Refused
from ledger.models import Entry
from notifications.models import Message
from offices.models import Leave
from supervision import actions
from supervision.enums import TaskStatus
from supervision.models import Inspection, SupervisionTask
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
JSON = {"Accept": "application/json"}
FED = {"text": "已查。", "platform": "market", "platform_number": "A1"}


def url(task: SupervisionTask, name: str = "inspect") -> str:
    return reverse(f"tasks:{name}", args=[task.number])


def status(task: SupervisionTask) -> str:
    task.refresh_from_db()
    return task.status


def drawn(now: dt.datetime, measure: str = "off_site") -> SupervisionTask:
    """A taken task that stands as a draw would leave it: two officers."""
    task = some.notified(now)
    first, second = field.officers(task)
    SupervisionTask.objects.filter(pk=task.pk).update(origin="draw", first_officer=first, second_officer=second)
    return some.acknowledged(now, standing.fresh(task), measure=measure)


# --- no end without a record


def test_what_was_drawn_is_looked_at_by_two(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = drawn(clock.at)
    browser = sign_in(some.manager_of(task))
    back = browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    assert back.status_code == 422
    assert "随机抽查的对象须由两名执法人员检查" in back.content.decode()
    alone = field.sheet(task, clock.at, off_site="data", second_officer="")
    answer = browser.post(url(task), alone, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "second-officer-missing")
    assert browser.post(url(task), field.sheet(task, clock.at, off_site="data"), headers=JSON).status_code == 200
    browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    assert status(task) == TaskStatus.FINISHED
    assert browser.post(url(task, "feedback"), FED | {"result": "conforming"}).status_code == 302


@pytest.mark.parametrize(("promise", "code"), [(False, "draw-not-inspected"), (True, "clauses-not-inspected")])
def test_what_was_finished_before_this_rule_is_not_fed_back_without_a_record(
    city: None, clock: Moment, sign_in: SignIn, promise: bool, code: str
) -> None:
    task = field.acknowledged(clock.at, "off_site", promise=True) if promise else drawn(clock.at)
    SupervisionTask.objects.filter(pk=task.pk).update(status="finished", finished_on=clock.at.date())
    said: dict[str, Any] = {"result": "conforming", "clause_results": ["conforming"] * len(task.promise_clauses)}
    by = make.manager(task)
    with pytest.raises(Refused) as refused:
        actions.feed_back(task, **said, by=by, now=clock.at, **FED)
    assert refused.value.code == code
    clock.to("2026-10-20 10:00")  # later than a record is taken otherwise
    at = dt.datetime(2026, 9, 28, 3, 0, tzinfo=dt.UTC)
    sent = field.sheet(standing.fresh(task), at, off_site="data")
    assert sign_in(some.manager_of(task)).post(url(task), sent, headers=JSON).status_code == 200
    actions.feed_back(task, **said, by=by, now=clock.at, **FED)
    assert status(task) == TaskStatus.CLOSED


def test_work_done_elsewhere_needs_no_record_here(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    clock.to("2026-10-09 10:00")
    # What was found wrong there is written up from its papers, as of a day before the finish.
    late = field.sheet(task, clock.at, off_site="documents", bad=field.names(task)[0])
    answer = browser.post(url(task), late, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "time-after-finish")
    assert answer.json()["errors"][0]["field"] == "ended_at"
    then = {"began_at": "2026-09-28T10:10", "ended_at": "2026-09-28T10:40"}
    assert browser.get(url(task)).context["form"].manner == "either"
    assert browser.post(url(task), late | then, headers=JSON).status_code == 200
    assert browser.post(url(task, "feedback"), FED | {"result": "nonconforming"}).status_code == 302
    other = field.acknowledged(clock.at)
    browser = sign_in(some.manager_of(other))
    browser.post(url(other, "finish"), {"finished_on": "2026-10-09"})
    assert browser.post(url(other, "feedback"), FED | {"result": "conforming"}).status_code == 302
    assert status(other) == TaskStatus.CLOSED


# --- the days


def test_nothing_is_finished_before_it_was_looked_at(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-30 10:00")
    field.approve_visit(task, clock.at)
    field.inspected(standing.fresh(task), clock.at)
    clock.to("2026-10-09 10:00")
    back = browser.post(url(task, "finish"), {"finished_on": "2026-09-29"})
    assert back.status_code == 422
    assert "完成监管日不能早于最近一次检查的日期（2026-09-30）。" in back.context["form"].errors["finished_on"]
    assert browser.post(url(task, "finish"), {"finished_on": "2026-09-30"}).status_code == 302
    assert status(task) == TaskStatus.FINISHED


def test_after_the_finish_only_what_was_seen_before_is_recorded(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-29 10:00")
    browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    sent = field.sheet(task, clock.at, off_site="data", second_officer="")
    back = browser.post(url(task), sent)
    assert back.status_code == 422
    assert "任务已于 2026-09-28 完成监管" in str(back.context["form"].errors["ended_at"])
    early = {"began_at": "2026-09-28T11:00", "ended_at": "2026-09-28T11:20"}
    assert browser.post(url(task), sent | early).status_code == 302
    # A re-inspection of an order is of its own day.
    order = make.ordered(standing.fresh(task), clock.at)
    clock.to("2026-09-29 10:40")
    again = field.sheet(task, clock.at, order=order, off_site="data", second_officer="")
    assert browser.post(url(task, "reinspect"), again).status_code == 302


# --- the worst binds


def test_a_later_record_does_not_wash_out_an_earlier_one(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at, promise=True)
    browser = sign_in(some.manager_of(task))
    clock.to("2026-09-28 13:00")
    for _ in range(2):
        make.look(task, clock.at, bad=False)
    browser.post(url(task, "finish"), {"finished_on": "2026-09-28"})
    form = browser.get(url(task, "task")).context["form"]
    assert (form.initial["result"], form.initial["clause_1"]) == ("nonconforming", "nonconforming")
    good = FED | dict.fromkeys(form.clause_names, "conforming")
    for result in ("conforming", "basically"):
        back = browser.post(url(task, "feedback"), good | {"result": result})
        assert back.status_code == 422
        said = str(back.context["form"].errors["result"])
        assert "第 1 次检查记录（2026-09-28）的结论是“不符合”，以后的记录不能抵消" in said
    back = browser.post(url(task, "feedback"), good | {"result": "nonconforming"})
    assert back.status_code == 422
    said = str(back.context["form"].errors["clause_1"])
    assert "第 1 次检查记录（2026-09-28）对承诺第 1 条的结果是“不符合”" in said
    bad = good | {"result": "nonconforming", "clause_1": "nonconforming"}
    assert browser.post(url(task, "feedback"), bad).status_code == 302
    assert status(task) == TaskStatus.FED_BACK


def test_basically_is_not_made_conforming(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = standing.finished(some.notified(clock.at), clock.at, "basically")
    browser = sign_in(some.manager_of(task))
    back = browser.post(url(task, "feedback"), FED | {"result": "conforming"})
    assert "的结论是“基本符合”" in str(back.context["form"].errors["result"])
    assert browser.post(url(task, "feedback"), FED | {"result": "basically"}).status_code == 302


# --- by whom


def test_only_those_who_have_the_task_stand_in_its_record(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    mine, other = field.inspector(task, "zhifa1"), field.inspector(task, "zhifa2")
    manager, deputy = field.officers(task)
    actions.assign(task, first_officer=manager, second_officer=mine, by=manager, now=clock.at)
    browser = sign_in(some.manager_of(task))
    names = [label for _, label in browser.get(url(task)).context["form"].fields["first_officer"].choices]
    assert sorted(names[1:]) == sorted([manager.full_name, mine.full_name])
    for wrong in (other, deputy):
        back = browser.post(url(task), field.sheet(task, clock.at, second_officer=str(wrong.pk)))
        assert back.status_code == 422
        assert "请先在任务页分派或者改派" in str(back.context["form"].errors["second_officer"])
    answer = browser.post(url(task), field.sheet(task, clock.at, first_officer=str(other.pk)), headers=JSON)
    assert answer.json()["code"] == "officers-not-assigned"
    assert not Inspection.objects.exists()
    assert browser.post(url(task), field.sheet(task, clock.at)).status_code == 302


def test_a_task_of_nobody_is_given_to_those_who_looked(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    manager, deputy = field.officers(task)
    mine = field.inspector(task, "zhifa1")
    sent = field.sheet(task, clock.at, second_officer=str(mine.pk))
    # Who was there that day has the task, also when the record comes on a day off.
    clock.to("2026-09-29 10:00")
    Leave.objects.create(
        user=mine, starts_on=clock.at.date(), ends_on=clock.at.date(), entered_by=manager, entered_at=clock.at
    )
    browser = sign_in(manager.username)
    for _ in range(2):
        assert browser.post(url(task), sent, headers=JSON).status_code == 200
    task.refresh_from_db()
    assert (task.first_officer, task.second_officer, task.status) == (manager, mine, TaskStatus.IN_PROGRESS)
    acts = list(Entry.objects.filter(stream=task.stream).order_by("seq").values_list("act", flat=True))
    assert acts.count("task.assigned_to") == 1
    assert acts.index("task.assigned_to") < acts.index("task.inspected")
    assert task.history.latest().second_officer == mine
    told = Message.objects.filter(dedupe_key__startswith=f"task_assigned:{task.pk}:")
    assert [one.to_user for one in told] == [mine]
    seen = sign_in("zhifa1")
    assert seen.get(url(task, "task")).status_code == 200
    assert seen.get(reverse("tasks:inspection", args=[task.number, 1])).status_code == 200
    assert deputy not in (task.first_officer, task.second_officer)


@pytest.mark.parametrize("numbers", ["苏0700001", "苏0700001、苏0700001", "苏 0700001", "苏０７００００１/苏0700001"])
def test_two_officers_have_two_cards(city: None, clock: Moment, sign_in: SignIn, numbers: str) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    back = browser.post(url(task), field.sheet(task, clock.at, identity_numbers=numbers))
    assert back.status_code == 422
    assert "请填写两名检查人员各自的执法证号" in str(back.context["form"].errors["identity_numbers"])
    assert not Inspection.objects.exists()
    assert browser.post(url(task), field.sheet(task, clock.at, identity_numbers="苏1，苏2")).status_code == 302


def test_a_page_that_grew_old_is_told_in_chinese(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = field.ready(clock.at)
    browser = sign_in(some.manager_of(task))
    for change in ({"checklist_version": ""}, {"checklist_version": "x"}, {"client_key": ""}):
        html = browser.post(url(task), field.sheet(task, clock.at) | change).content.decode()
        assert "页面已过期，请刷新后重新打开。" in html
        assert "Checklist" not in html
