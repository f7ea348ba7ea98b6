"""Company visits: purpose and day, the yearly cap, the head's word, and who else finds nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.actions.licences import change_licence
from approvals.exceptions import Refused
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from offices.tokens import issue
from supervision import actions
from supervision.actions import visiting
from supervision.actions.inspecting import record_inspection
from supervision.actions.ordering import settle_order
from supervision.actions.proposing import propose
from supervision.models import SupervisionTask, Visit, VisitCap
from tests import city as demo_city
from tests.approvals import play, revoking
from tests.approvals.test_races import together
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some
from tests.supervision.standing import undone

SignIn = Callable[[str], Client]
VISITS = "/tasks/visits/"
ASKED = {"purpose": "核查设备到位情况", "planned_on": "2026-09-28"}


def url(task: SupervisionTask, act: str = "visit_request") -> str:
    return reverse(f"tasks:{act}", args=[task.number])


def api(username: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(username)).token}")
    return client


def head_of(task: SupervisionTask) -> str:
    return f"{some.manager_of(task).split('.')[0]}.fuzeren"


def ask(task: SupervisionTask, now: dt.datetime, exemption: str = "") -> Visit:
    by = play.person(some.manager_of(task))
    return visiting.request_visit(task, purpose="核查", planned_on=now.date(), exemption=exemption, by=by, now=now)


@pytest.mark.django_db
@pytest.mark.once
def test_a_visit_that_nobody_needs_any_more_frees_its_place(city: None, clock: Moment) -> None:
    base = some.notified(clock.at)
    now = clock.to("2026-09-29 10:00")
    by = play.person(some.manager_of(base))
    results = {"conforming": "conforming", "followed_up": "basically"}
    for road in ("conforming", "followed_up", "mended", "handed_over", "proposed"):
        with undone():
            result = results.get(road, "nonconforming")
            task = standing.finished(standing.fresh(base), now, result)
            visit = standing.ask_visit(task, now)
            task = actions.feed_back(task, result=result, by=by, now=now, **make.FED)
            if road == "followed_up":
                actions.close(task, follow_up="当场改正。", by=by, now=now)
            elif road == "handed_over":
                standing.handed(task, now)
            elif road == "mended":
                order = standing.ordered(task, now)
                standing.record(standing.fresh(task), now, result="conforming", again=True)
                settle_order(order, outcome="mended", reason="", by=by, now=now)
            elif road == "proposed":
                standing.refused(task, now)
                propose(task, facts="责令后当面拒不整改。", keys=[standing.order_key(task)], by=by, now=now)
            visit.refresh_from_db()
            assert visit.status == "cancelled", road
            assert visiting.room_for(task, now.year).used == 0
            said = Entry.objects.filter(stream=task.stream, act="task.visit_settled").latest("seq")
            assert said.data["outcome"] == "cancelled"


@pytest.mark.django_db
def test_a_visit_is_asked_for_approved_and_then_stands(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 10))
    refused = visiting.ready(task, clock.at.date())
    assert isinstance(refused, Refused)
    assert refused.code == "visit-missing"
    manager, head = sign_in(some.manager_of(task)), sign_in(head_of(task))
    assert "2026 年 0/2 次" in manager.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "已安排入企检查 0 次，上限 2 次" in manager.get(url(task)).content.decode()
    manager.post(url(task), ASKED | {"planned_on": "2026-10-09"})
    visit = Visit.objects.get()
    told = Message.objects.get(kind="task_notice")
    assert told.to_user == play.person(head_of(task))
    assert visiting.ready(task, clock.at.date()).code == "visit-not-approved"  # type: ignore[union-attr]
    html = head.get(VISITS).content.decode()
    assert "核查设备到位情况" in html
    page = head.get(reverse("tasks:visit", args=[visit.pk])).content.decode()
    assert "1 次，上限 2 次" in page
    answer = head.post(reverse("tasks:visit", args=[visit.pk]), {"verdict": "approve"}, follow=True)
    assert "已批准入企检查。" in answer.content.decode()
    visit.refresh_from_db()
    assert (visit.status, visit.settled_by) == ("approved", play.person(head_of(task)))
    assert Message.objects.filter(kind="task_notice", to_user=visit.requested_by).count() == 1
    assert visiting.ready(task, clock.at.date()).code == "visit-too-early"  # type: ignore[union-attr]
    assert visiting.ready(task, dt.date(2026, 10, 9)) == visit
    acts = Entry.objects.filter(stream=task.stream, act__startswith="task.visit").order_by("seq")
    assert [entry.act for entry in acts] == ["task.visit_requested", "task.visit_settled"]
    again = head.post(reverse("tasks:visit", args=[visit.pk]), {"verdict": "approve"})
    assert again.status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"purpose": " "}, "请写明入企检查的目的和内容。"),
        ({"planned_on": ""}, "请填写计划入企的日期。"),
        ({"planned_on": "2026-09-27"}, "计划入企的日期不能早于今天。"),
        ({"planned_on": "2026-10-11"}, "不能晚于计划完成日（2026-10-10）"),
        ({"planned_on": "下周"}, "请填写有效日期"),
    ],
)
def test_what_a_request_refuses(
    city: None, clock: Moment, sign_in: SignIn, changes: dict[str, str], sentence: str
) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 10))
    back = sign_in(some.manager_of(task)).post(url(task), ASKED | changes)
    assert back.status_code == 422
    html = back.content.decode()
    assert sentence in html
    if "purpose" not in changes:
        assert "核查设备到位情况" in html
    assert not Visit.objects.exists()


@pytest.mark.django_db
def test_the_cap_holds_unless_an_exemption_is_written(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    VisitCap.objects.create(department=task.department, times=1, basis="本部门规定")
    ask(task, clock.at)
    second = some.copies(some.notified(clock.at), 1)[0]
    assert second.subject_id == task.subject_id
    second = some.acknowledged(clock.at, second)
    browser = sign_in(some.manager_of(task))
    assert "已到上限，须写明不计入上限的理由" in browser.get(url(second)).content.decode()
    back = browser.post(url(second), ASKED)
    assert back.status_code == 422
    assert "上限 1 次" in back.content.decode()
    assert browser.post(url(second), ASKED | {"exemption": "投诉举报线索，12345 转办"}).status_code == 302
    assert visiting.room_for(second, 2026).used == 1  # what is exempt does not count
    assert visiting.room_for(second, 2027).used == 0
    # a cancelled one gives its place back
    visiting.cancel_visit(
        Visit.objects.get(task=task), reason="改为非现场", by=play.person(some.manager_of(task)), now=clock.at
    )
    assert visiting.room_for(second, 2026).left == 1


@pytest.mark.django_db
def test_refusing_cancelling_and_asking_again(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    visit = ask(task, clock.at)
    manager, head = sign_in(some.manager_of(task)), sign_in(head_of(task))
    page = reverse("tasks:visit", args=[visit.pk])
    for data, sentence in (({"verdict": "refuse"}, "不批准须说明理由。"), ({}, "请选择批准或者不批准。")):
        back = head.post(page, data)
        assert back.status_code == 422
        assert sentence in back.content.decode()
    assert head.post(page, {"verdict": "refuse", "reason": "可以远程查看"}).status_code == 302
    assert "可以远程查看" in manager.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert manager.post(url(task), ASKED).status_code == 302
    assert manager.post(url(task), ASKED).status_code == 409
    assert manager.post(url(task, "visit_cancel"), {"reason": ""}).status_code == 422
    assert manager.post(url(task, "visit_cancel"), {"reason": "企业停产"}).status_code == 302
    assert manager.post(url(task, "visit_cancel"), {"reason": "企业停产"}).status_code == 409
    assert [one.status for one in Visit.objects.order_by("pk")] == ["refused", "cancelled"]
    html = head.get(f"{VISITS}?tab=settled").content.decode()
    assert html.count("row-title") == 2
    assert "没有待批准的入企检查" in head.get(VISITS).content.decode()
    assert head.get(f"{VISITS}?tab=settled&status=refused").content.decode().count("row-title") == 1
    assert "没有符合条件的入企检查" in head.get(f"{VISITS}?tab=settled&q=没有这家").content.decode()
    export = head.get("/tasks/visits/export.csv?tab=settled")
    assert len(b"".join(export.streaming_content).decode().strip().splitlines()) == 3  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_nobody_approves_the_own_request(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    both = play.person(some.manager_of(task))
    Posting.objects.create(user=both, department=task.department, role="department_head", starts_on="2026-01-01")
    ask(task, clock.at)
    back = api(both.username).post(f"/api/v1/tasks/{task.number}/visit-settlement/", {"approve": True}, format="json")
    assert (back.status_code, back.json()["code"]) == (422, "visit-own")


@pytest.mark.django_db
def test_a_measure_that_needs_no_visit_takes_it_back(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    ask(task, clock.at)
    by = play.person(some.manager_of(task))
    plan = {"measure": "off_site", "planned_finish_on": dt.date(2026, 10, 9), "reason": "改为调阅资料"}
    actions.replan(task, **plan, by=by, now=clock.at)  # type: ignore[arg-type]
    assert Visit.objects.get().status == "cancelled"
    with pytest.raises(Refused, match="不入企"):
        ask(task, clock.at)


def _with_officers(clock: Moment, **plan: Any) -> tuple[SupervisionTask, list[User]]:
    """A task on site with two officers; what stands in the way of the finish is none of the visit's business."""
    task = some.acknowledged(clock.at, **{"planned_finish_on": dt.date(2026, 10, 20)} | plan)
    people = [some.inspector(task), some.inspector(task, "jiancha2")]
    by = play.person(some.manager_of(task))
    task = actions.assign(task, first_officer=people[0], second_officer=people[1], by=by, now=clock.at)
    return task, people


def _told(task: SupervisionTask) -> dict[User, str]:
    """Who was told last, and what."""
    rows = Message.objects.filter(kind="task_notice", reference=f"task:{task.pk}").select_related("to_user")
    return {row.to_user: row.text for row in rows.order_by("pk") if row.to_user is not None}


@pytest.mark.django_db
@pytest.mark.parametrize("approved", [True, False])
def test_a_visit_to_come_falls_away_with_the_finish_and_its_people_are_told(
    city: None, clock: Moment, approved: bool
) -> None:
    task, officers = _with_officers(clock, measure="combined", measure_with="十月联合检查")
    by, head = play.person(some.manager_of(task)), play.person(head_of(task))
    visit = visiting.request_visit(task, purpose="核查", planned_on=dt.date(2026, 10, 12), by=by, now=clock.at)
    if approved:
        visiting.settle_visit(visit, approve=True, by=head, now=clock.at)
        said = f"监管任务{task.number}，10月12日的入企检查已批准。"
        assert {_told(task)[one] for one in [by, *officers]} == {said}
    draft = standing.look(standing.fresh(task), clock.at, result="conforming")
    draft = replace(draft, first_officer=officers[0].pk, second_officer=officers[1].pk)
    record_inspection(task, draft=draft, by=officers[0], now=clock.at)
    actions.finish(task, finished_on=clock.at.date(), by=by, now=clock.to("2026-09-28 11:00"))
    visit.refresh_from_db()
    assert (visit.status, visit.settled_reason) == ("cancelled", "监管已完成，不再入企。")
    said = f"监管任务{task.number}，10月12日的入企检查已取消，不再前往。"
    assert {_told(task)[one] for one in [head, *officers]} == {said}
    assert visiting.room_for(task, 2026).used == 0


@pytest.mark.django_db
def test_a_visit_falls_away_with_the_licence(city: None, clock: Moment) -> None:
    task, officers = _with_officers(clock)
    by, head = play.person(some.manager_of(task)), play.person(head_of(task))
    visit = visiting.request_visit(task, purpose="核查", planned_on=dt.date(2026, 10, 12), by=by, now=clock.at)
    assert task.licence is not None
    assert task.case is not None
    decider = revoking.decider(task.case)
    change_licence(
        task.licence, kind="withdrawal", basis="行政许可法第八条", reason="情况变化", by=decider,
        now=clock.to("2026-09-28 11:00"),
    )  # fmt: skip
    visit.refresh_from_db()
    assert (visit.status, visit.settled_reason) == ("cancelled", "证照已失效，不再入企。")
    said = f"监管任务{task.number}，10月12日的入企检查已取消，不再前往。"
    assert {_told(task)[one] for one in [by, head, *officers]} == {said}


@pytest.mark.django_db
def test_the_planned_day_is_not_set_before_the_visit(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 20))
    by = play.person(some.manager_of(task))
    visit = visiting.request_visit(task, purpose="核查", planned_on=dt.date(2026, 10, 12), by=by, now=clock.at)
    address = reverse("tasks:replan", args=[task.number])
    plan = {"measure": "on_site", "planned_finish_on": "2026-10-11", "reason": "提前"}
    manager = sign_in(some.manager_of(task))
    for settled in (False, True):
        if settled:
            visiting.settle_visit(visit, approve=True, by=play.person(head_of(task)), now=clock.at)
        back = manager.post(address, plan)
        assert back.status_code == 422
        assert "2026-10-12的入企检查" in back.content.decode()
    door = f"/api/v1/tasks/{task.number}/plan/"
    assert api(by.username).post(door, plan, format="json").json()["code"] == "planned-day-before-visit"
    assert manager.post(address, plan | {"planned_finish_on": "2026-10-12"}).status_code == 302
    task.refresh_from_db()
    assert task.planned_finish_on == visit.planned_on


@pytest.mark.django_db
def test_visits_through_the_api(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    manager, head = api(some.manager_of(task)), api(head_of(task))
    address = f"/api/v1/tasks/{task.number}/"
    assert manager.post(f"{address}visit/", {}, format="json").json()["code"] == "purpose-missing"
    assert head.post(f"{address}visit-settlement/", {"approve": True}, format="json").status_code == 409
    made = manager.post(f"{address}visit/", ASKED, format="json")
    assert (made.status_code, made.json()["status"]) == (201, "requested")
    assert [row["task"] for row in head.get("/api/v1/tasks/visits/").json()["results"]] == [task.number]
    assert head.get("/api/v1/tasks/visits/?q=核查&status=approved").json()["results"] == []
    assert (
        head.post(f"{address}visit-settlement/", {"approve": False}, format="json").json()["code"] == "reason-missing"
    )
    settled = head.post(f"{address}visit-settlement/", {"approve": True}, format="json").json()
    assert (settled["status"], settled["settled_by"]) == ("approved", head_of(task))
    assert manager.get(address).json()["visits"][0]["status"] == "approved"
    gone = manager.post(f"{address}visit-cancellation/", {"reason": "改期"}, format="json").json()
    assert gone["status"] == "cancelled"
    assert manager.post(f"{address}visit-cancellation/", {"reason": "改期"}, format="json").status_code == 409


@pytest.mark.django_db
def test_everybody_else_finds_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    visit = ask(task, clock.at)
    others = Posting.objects.filter(role__in=["office_manager", "office_deputy"]).exclude(office=task.office)
    heads = Posting.objects.filter(role="department_head").exclude(department=task.department)
    strangers = [
        others[0].user.username, heads[0].user.username, "chuangkou1", "duban1", some.inspector(task).username,
    ]  # fmt: skip
    page = reverse("tasks:visit", args=[visit.pk])
    asking = [url(task), url(task, "visit_cancel")]
    for name in strangers:
        browser, client = sign_in(name), api(name)
        for address in [*asking, page]:
            assert browser.get(address).status_code == 404, (name, address)
            assert browser.post(address, ASKED).status_code == 404, (name, address)
        for door in ("visit", "visit-settlement", "visit-cancellation"):
            answer = client.post(f"/api/v1/tasks/{task.number}/{door}/", {"approve": True}, format="json")
            assert answer.status_code == 404, (name, door)
    # heads answer, managers ask
    assert sign_in(head_of(task)).post(url(task), ASKED).status_code == 404
    assert sign_in(some.manager_of(task)).get(page).status_code == 404
    assert sign_in(some.manager_of(task)).get(VISITS).status_code == 404
    assert "没有待批准的入企检查" in sign_in(heads[0].user.username).get(VISITS).content.decode()
    assert api(heads[0].user.username).get("/api/v1/tasks/visits/").json()["results"] == []
    visit.refresh_from_db()
    assert visit.status == "requested"


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_hold_the_cap(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    first = some.notified(clock.at)
    tasks = [some.acknowledged(clock.at, task) for task in [*some.copies(first, 3), first]]
    by: User = play.person(some.manager_of(first))
    results = together(
        *(
            lambda task=task: visiting.request_visit(
                task, purpose="核查", planned_on=clock.at.date(), by=by, now=clock.at
            )
            for task in tasks
        )
    )
    refused = [result for result in results if isinstance(result, Refused)]
    assert [one.code for one in refused] == ["visit-cap"] * 2
    assert Visit.objects.count() == 2
