"""Bulk acknowledgement: like tasks, one measure, one day; all of them or none, each with its own entry."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.exceptions import Refused
from deadlines.models import Deadline
from ledger.models import Entry
from offices.models import Posting, User
from offices.tokens import issue
from supervision import actions
from supervision.actions import disputing
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.test_races import together
from tests.conftest import Moment
from tests.supervision import tasks as some
from tests.supervision.disputing import elsewhere

SignIn = Callable[[str], Client]
BULK = "/tasks/bulk/"
DAY = dt.date(2026, 10, 9)


def like(now: dt.datetime, count: int) -> list[SupervisionTask]:
    """``count`` opened tasks of one office and one sub-item."""
    task = some.notified(now)
    task = actions.view_task(task, by=play.person(some.manager_of(task)), now=now)
    return [task, *some.copies(task, count - 1)]


def group(task: SupervisionTask) -> str:
    return reverse("tasks:bulk_group", args=[task.office_id, task.sub_item_id])


def sent(tasks: list[SupervisionTask], **changes: Any) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "numbers": [task.number for task in tasks], "measure": "off_site", "planned_finish_on": "2026-10-09",
    }  # fmt: skip
    return plan | changes


@pytest.mark.django_db
def test_ticked_tasks_are_acknowledged_and_the_others_wait(city: None, clock: Moment, sign_in: SignIn) -> None:
    tasks = like(clock.at, 4)
    browser = sign_in(some.manager_of(tasks[0]))
    assert reverse("tasks:bulk") in browser.get("/tasks/?queue=new").content.decode()
    html = browser.get(BULK).content.decode()
    assert "4 件" in html
    page = browser.get(group(tasks[0])).content.decode()
    assert all(task.number in page for task in tasks)
    said = browser.post(group(tasks[0]), sent(tasks[:3]), follow=True).content.decode()
    assert "已签收 3 件" in said
    done = list(SupervisionTask.objects.filter(status=TaskStatus.ACKNOWLEDGED))
    assert {task.pk for task in done} == {task.pk for task in tasks[:3]}
    for task in done:
        assert (task.measure, task.planned_finish_on, task.acknowledged_by) == (
            "off_site", DAY, play.person(some.manager_of(task)),
        )  # fmt: skip
        assert task.planned_deadline is not None
        assert (task.planned_deadline.due_on, task.planned_deadline.stream) == (DAY, task.stream)
        assert task.acknowledge_deadline is not None
        assert task.acknowledge_deadline.state == "met"
        assert Entry.objects.filter(stream=task.stream, act="task.acknowledged").count() == 1
        assert task.history.count() >= 1
    assert len({task.planned_deadline_id for task in done}) == 3


@pytest.mark.django_db
def test_one_that_was_not_opened_is_named_and_none_is_acknowledged(city: None, clock: Moment, sign_in: SignIn) -> None:
    tasks = like(clock.at, 3)
    SupervisionTask.objects.filter(pk=tasks[2].pk).update(status=TaskStatus.NOTIFIED)
    browser = sign_in(some.manager_of(tasks[0]))
    assert "还没有打开查看" in browser.get(group(tasks[0])).content.decode()
    back = browser.post(group(tasks[0]), sent(tasks))
    assert back.status_code == 422
    html = back.content.decode()
    assert f"这次一件也没有签收。{tasks[2].number} 还没有打开查看" in html
    assert 'value="2026-10-09"' in html
    assert not SupervisionTask.objects.filter(status=TaskStatus.ACKNOWLEDGED).exists()
    assert not Deadline.objects.filter(kind="planned_finish").exists()


@pytest.mark.django_db
def test_what_bulk_refuses(city: None, clock: Moment, sign_in: SignIn) -> None:
    tasks = like(clock.at, 2)
    browser = sign_in(some.manager_of(tasks[0]))
    at = group(tasks[0])
    assert "请勾选要签收的任务。" in browser.post(at, sent([])).content.decode()
    assert "请选择一项监管措施。" in browser.post(at, sent(tasks, measure="")).content.decode()
    assert "暂不检查须说明原因。" in browser.post(at, sent(tasks, measure="none_now")).content.decode()
    late = browser.post(at, sent(tasks, planned_finish_on="2027-09-27"))
    assert "计划完成日最迟不超过 180 天。" in late.content.decode()
    SupervisionTask.objects.filter(pk=tasks[1].pk).update(promise_clauses=["设备到位"])
    back = browser.post(at, sent(tasks, measure="none_now", reason="未开工")).content.decode()
    assert f"{tasks[1].number} 是告知承诺事项，不能暂不检查" in back
    actions.acknowledge(tasks[0], measure="on_site", planned_finish_on=DAY, by=_by(tasks[0]), now=clock.at)
    gone = browser.post(at, sent(tasks))
    assert gone.status_code == 409
    assert f"{tasks[0].number} 现在是“已签收”" in gone.content.decode()
    assert browser.get(f"{BULK}999999/1/").status_code == 404


@pytest.mark.django_db
def test_a_number_beyond_every_key_is_not_found(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = like(clock.at, 1)[0]
    browser = sign_in(some.manager_of(task))
    huge = "9" * 21
    for address in (f"{BULK}{huge}/{huge}/", f"{BULK}{task.office_id}/{huge}/", f"{BULK}{huge}/{task.sub_item_id}/"):
        assert browser.get(address).status_code == 404, address
        assert browser.post(address, sent([task])).status_code == 404, address
    for address in ("visits/{}/", "set-asides/{}/", "draws/{}/", "orders/{}/", "papers/{}/", "checklists/{}/"):
        assert browser.get(f"/tasks/{address.format(huge)}").status_code == 404, address
    for address in (f"{task.number}/files/{huge}/", f"{task.number}/inspections/{huge}/"):
        assert browser.get(f"/tasks/{address}").status_code == 404, address


@pytest.mark.django_db
def test_a_number_with_a_nul_is_no_task(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = like(clock.at, 1)[0]
    browser = sign_in(some.manager_of(task))
    assert browser.post(group(task), sent([task], numbers="\0")).status_code == 422
    task.refresh_from_db()
    assert task.status == TaskStatus.VIEWED
    assert browser.post(group(task), sent([task], numbers=[task.number, "1\0"])).status_code == 302


def test_what_was_reassigned_meanwhile_is_named_and_nothing_is_lost(city: None, clock: Moment, sign_in: SignIn) -> None:
    tasks = like(clock.at, 3)
    browser = sign_in(some.manager_of(tasks[0]))
    at = group(tasks[0])
    dispute = disputing.raise_dispute(tasks[0], reason="属另一部门职责。", by=_by(tasks[0]), now=clock.at)
    overseer = tasks[0].office.department.division.overseers(clock.at.date())[0]
    office = elsewhere(tasks[0], clock.at.date())
    disputing.decide_dispute(
        dispute, outcome="reassigned", reason="依职责分工。", office=office, by=overseer, now=clock.at
    )
    stale = sent(tasks[:2], reason="按计划办理，先易后难。")
    stale["numbers"].append("J" + "0" * 23)
    back = browser.post(at, stale)
    assert back.status_code == 409
    html = back.content.decode()
    assert f"这次一件也没有签收。{tasks[0].number}、{'J' + '0' * 23}已不在您可以一并签收的任务中" in html
    assert str(office) not in html
    assert "按计划办理，先易后难。" in html
    assert f'value="{tasks[1].number}" id="n-{tasks[1].number}" checked' in html
    assert f'value="{tasks[2].number}" id="n-{tasks[2].number}">' in html
    assert not SupervisionTask.objects.filter(status=TaskStatus.ACKNOWLEDGED).exists()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(_by(tasks[1])).token}")
    told = client.post("/api/v1/tasks/acknowledgements/", sent(tasks[:2]), format="json").json()
    assert (told["status"], told["code"]) == (409, "tasks-gone")
    assert tasks[0].number in told["detail"]
    assert tasks[1].number not in told["detail"]
    alone = client.post("/api/v1/tasks/acknowledgements/", sent(tasks[:1]), format="json")
    assert alone.status_code == 404
    actions.acknowledge(tasks[1], measure="on_site", planned_finish_on=DAY, by=_by(tasks[1]), now=clock.at)
    taken = browser.post(at, sent(tasks[1:]))  # a colleague was faster: the other tick stays
    assert taken.status_code == 409
    assert f"{tasks[1].number} 现在是“已签收”" in taken.content.decode()
    assert f'id="n-{tasks[2].number}" checked' in taken.content.decode()


def _by(task: SupervisionTask) -> User:
    return play.person(some.manager_of(task))


@pytest.mark.django_db
def test_tasks_that_are_not_alike_are_not_taken_together(city: None, clock: Moment) -> None:
    one = like(clock.at, 1)[0]
    two = some.promised(clock.at)
    person = play.person(some.manager_of(one))
    Posting.objects.create(
        user=person, department=two.department, office=two.office, role="office_manager", starts_on=clock.at.date()
    )
    actions.view_task(two, by=person, now=clock.at)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    back = client.post("/api/v1/tasks/acknowledgements/", sent([one, two]), format="json").json()
    assert (back["status"], back["code"]) == (422, "tasks-not-alike")


@pytest.mark.django_db
def test_bulk_through_the_api_and_not_for_others(city: None, clock: Moment) -> None:
    tasks = like(clock.at, 3)
    others = Posting.objects.filter(role__in=["office_manager", "office_deputy"]).exclude(office=tasks[0].office)
    for person in (
        others[0].user, some.inspector(tasks[0]), play.person("chuangkou1"),
        play.person(f"{some.manager_of(tasks[0]).split('.')[0]}.fuzeren"),
    ):  # fmt: skip
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
        assert client.post("/api/v1/tasks/acknowledgements/", sent(tasks), format="json").status_code == 404
        browser = Client()
        browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.post(group(tasks[0]), sent(tasks)).status_code == 404
        assert browser.get(group(tasks[0])).status_code == 404
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(some.manager_of(tasks[0]))).token}")
    answer = client.post("/api/v1/tasks/acknowledgements/", sent(tasks), format="json")
    assert answer.status_code == 200
    assert {row["status"] for row in answer.json()["results"]} == {"acknowledged"}
    again = client.post("/api/v1/tasks/acknowledgements/", sent(tasks), format="json").json()
    assert (again["status"], again["code"]) == (409, "state-conflict")
    none = client.post("/api/v1/tasks/acknowledgements/", sent([], numbers=["J1"]), format="json")
    assert none.status_code == 404


@pytest.mark.django_db
def test_statements_do_not_grow_with_the_tasks(city: None, clock: Moment) -> None:
    tasks = like(clock.at, 62)
    by = play.person(some.manager_of(tasks[0]))

    def statements(some_tasks: list[SupervisionTask]) -> int:
        with CaptureQueriesContext(connection) as queries:
            actions.acknowledge_many(some_tasks, measure="off_site", planned_finish_on=DAY, by=by, now=clock.at)
        return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))])

    few = statements(tasks[:2])
    # the embedded database writes a prepared row each where the larger one takes an array
    assert statements(tasks[2:]) <= few + (0 if connection.vendor == "postgresql" else 62)
    assert few <= 24


@pytest.mark.django_db(transaction=True)
def test_two_managers_acknowledge_the_same_tasks_at_once(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    tasks = like(clock.at, 5)
    office = tasks[0].office
    people = [office.managers(clock.at.date())[0], office.deputies(clock.at.date())[0]]
    picked = [tasks[:4], tasks[2:]]
    results = together(
        *(
            lambda by=by, mine=mine: actions.acknowledge_many(
                mine, measure="off_site", planned_finish_on=DAY, by=by, now=clock.at
            )
            for by, mine in zip(people, picked, strict=True)
        )
    )
    refused = [result for result in results if isinstance(result, Refused)]
    won = [result for result in results if not isinstance(result, Refused)]
    assert len(refused) == len(won) == 1
    assert refused[0].conflict
    assert "这次一件也没有签收" in refused[0].message
    taken = SupervisionTask.objects.filter(status=TaskStatus.ACKNOWLEDGED)
    assert {task.pk for task in taken} == {task.pk for task in won[0]}
    assert Entry.objects.filter(act="task.acknowledged").count() == len(won[0])
    assert Deadline.objects.filter(kind="planned_finish").count() == len(won[0])
