"""Assignment, leave, measures, change of plan: who may, what is refused, what the ledger and the clocks say."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.actions.licences import change_licence
from approvals.uploads import store
from deadlines.models import Deadline
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from offices.tokens import issue
from supervision import actions
from supervision.enums import TaskEnd, TaskStatus
from supervision.models import SupervisionTask, TaskChange
from tests.approvals import play, revoking
from tests.approvals.window import PDF
from tests.conftest import Moment
from tests.supervision import ordering, standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ACTS = ("assign", "replan", "licence_ended")


def url(task: SupervisionTask, act: str = "task") -> str:
    return reverse(f"tasks:{act}", args=[task.number])


def api(person: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return client


def acts_of(task: SupervisionTask, act: str) -> list[Entry]:
    return list(Entry.objects.filter(stream=task.stream, act=act).order_by("seq"))


def manager(task: SupervisionTask) -> User:
    return play.person(some.manager_of(task))


# --- assignment


def test_two_officers_are_given_the_task_and_told(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    one, two = some.inspector(task), some.inspector(task, "jiancha2")
    browser = sign_in(some.manager_of(task))
    assert "分派办理人员" in browser.get(url(task)).content.decode()
    due = task.planned_deadline
    html = browser.post(
        url(task, "assign"), {"first_officer": one.pk, "second_officer": two.pk}, follow=True
    ).content.decode()
    assert "检查员1、检查员2" in html
    task.refresh_from_db()
    assert (task.first_officer, task.second_officer) == (one, two)
    assert task.planned_deadline == due
    told = Message.objects.filter(kind="task_notice", reference=f"task:{task.pk}")
    assert {message.to_user for message in told} == {one, two}
    # the same again changes nothing; another instead is told, and so is the one who has it no more
    browser.post(url(task, "assign"), {"first_officer": one.pk, "second_officer": two.pk})
    assert len(acts_of(task, "task.assigned_to")) == 1
    three = some.inspector(task, "jiancha3")
    browser.post(url(task, "assign"), {"first_officer": one.pk, "second_officer": three.pk})
    entry = acts_of(task, "task.assigned_to")[1]
    assert entry.data == {"first": one.pk, "second": three.pk, "before": [one.pk, two.pk]}
    assert [m.to_user for m in told.order_by("pk")[2:]] == [two, three]


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("", "", "请选择主办人员。"),
        ("one", "", "现场检查须两人以上，请选择协办人员。"),
        ("one", "one", "主办和协办须为不同的人。"),
        ("one", "stranger", "这位人员不在本处室任职，或者正在请假，请另选。"),
        ("away", "one", "这位人员不在本处室任职，或者正在请假，请另选。"),
    ],
)
def test_what_assignment_refuses(
    city: None, clock: Moment, sign_in: SignIn, first: str, second: str, sentence: str
) -> None:
    task = some.acknowledged(clock.at)
    people = {"": "", "one": some.inspector(task).pk, "away": some.inspector(task, "jiancha2").pk}
    some.on_leave(User.objects.get(pk=people["away"]), clock.at)
    people["stranger"] = Posting.objects.filter(role="office_manager").exclude(office=task.office)[0].user_id
    data = {"first_officer": people[first], "second_officer": people[second]}
    back = sign_in(some.manager_of(task)).post(url(task, "assign"), data)
    assert back.status_code == 422
    assert sentence in back.content.decode()
    assert not acts_of(task, "task.assigned_to")


def test_an_inspector_sees_what_was_given_and_nothing_else(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    other = some.copies(some.notified(clock.at), 1)[0]
    one, two = some.inspector(task), some.inspector(task, "jiancha2")
    browser = sign_in(one.username)
    assert browser.get(url(task)).status_code == 404
    assert "没有未归档的监管任务" in browser.get("/tasks/").content.decode()
    actions.assign(task, first_officer=one, second_officer=two, by=manager(task), now=clock.at)
    html = browser.get("/tasks/").content.decode()
    assert task.number in html
    assert other.number not in html
    page = browser.get(url(task)).content.decode()
    assert task.licence is not None
    assert task.licence.number in page
    assert browser.get(url(other)).status_code == 404
    for act in (*ACTS, "acknowledge", "finish", "feedback", "close", "visit_request"):
        assert browser.post(url(task, act), {}).status_code == 404
    assert api(one).get(f"/api/v1/tasks/{task.number}/").json()["first_officer"] == "jiancha1"
    assert api(one).get(f"/api/v1/tasks/{other.number}/").status_code == 404
    assert [row["number"] for row in api(one).get("/api/v1/tasks/").json()["results"]] == [task.number]
    lines = b"".join(browser.get("/tasks/export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert task.number in lines
    assert other.number not in lines
    # whoever leaves the office sees it no longer
    Posting.objects.filter(user=one).update(ends_on="2026-09-27")
    assert sign_in(one.username).get(url(task)).status_code == 404


def test_an_assignment_that_no_longer_holds_is_a_fault(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    one, two = some.inspector(task), some.inspector(task, "jiancha2")
    actions.assign(task, first_officer=one, second_officer=two, by=manager(task), now=clock.at)
    browser = sign_in(some.manager_of(task))
    assert "请改派" not in browser.get("/tasks/").content.decode()
    some.on_leave(one, clock.at)
    Posting.objects.filter(user=two).update(ends_on="2026-09-27")
    for address in ("/tasks/", "/tasks/?whose=fault", url(task)):
        html = browser.get(address).content.decode()
        assert "检查员1请假中，请改派" in html, address
        assert "检查员2已不在本处室，请改派" in html, address
    assert "没有符合条件的监管任务" in browser.get("/tasks/?whose=nobody").content.decode()
    told = api(manager(task)).get(f"/api/v1/tasks/{task.number}/").json()["officer_faults"]
    assert told == ["检查员1请假中，请改派", "检查员2已不在本处室，请改派"]


def test_assignment_through_the_api(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    some.inspector(task)
    some.inspector(task, "jiancha2")
    client = api(manager(task))
    address = f"/api/v1/tasks/{task.number}/assignment/"
    back = client.post(address, {"first_officer": "jiancha1"}, format="json").json()
    assert (back["status"], back["code"]) == (422, "second-officer-missing")
    back = client.post(address, {"first_officer": "duban1", "second_officer": "jiancha2"}, format="json").json()
    assert (back["code"], back["errors"][0]["field"]) == ("officer-not-eligible", "first_officer")
    done = client.post(address, {"first_officer": "jiancha1", "second_officer": "jiancha2"}, format="json").json()
    assert (done["first_officer"], done["second_officer"]) == ("jiancha1", "jiancha2")


# --- leave and deputies


def test_while_all_managers_are_away_the_sms_goes_to_the_deputies(city: None, clock: Moment, sign_in: SignIn) -> None:
    before = some.notified(clock.at)
    office = before.office
    for person in office.managers(clock.at.date()):
        some.on_leave(person, clock.at)
    task = some.notified(clock.at)
    assert task.office == office
    told = Message.objects.filter(kind="task_opened", reference=f"task:{task.pk}")
    assert {message.to_user for message in told} == set(office.deputies(clock.at.date()))
    assert acts_of(task, "task.opened")[0].data["rung"] == "deputy"
    assert task.acknowledge_deadline is not None
    assert before.acknowledge_deadline is not None
    assert task.acknowledge_deadline.due_on == before.acknowledge_deadline.due_on  # the clock runs as it always does
    assert task.number in sign_in(some.manager_of(task)).get("/tasks/").content.decode()
    for person in office.deputies(clock.at.date()):
        some.on_leave(person, clock.at)
    third = some.notified(clock.at)  # nobody at work: it goes where it always goes
    told = Message.objects.filter(kind="task_opened", reference=f"task:{third.pk}")
    assert {message.to_user for message in told} == set(office.managers(clock.at.date()))


# --- measures


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"measure": "random_draw"}, "请写明并入哪个抽查计划或者哪次检查。"),
        ({"measure": "combined", "measure_with": "  "}, "请写明并入哪个抽查计划或者哪次检查。"),
        ({"measure": "none_now", "reason": "已停业", "planned_finish_on": ""}, "请填写计划完成日"),
        ({"measure": "none_now", "reason": "已停业", "planned_finish_on": "2027-03-28"}, "复核日最迟不超过 180 天。"),
        ({"measure": "on_site", "first_officer": "me"}, "现场检查须两人以上，请选择协办人员。"),
    ],
)
def test_what_measures_ask_for(city: None, clock: Moment, sign_in: SignIn, data: dict[str, str], sentence: str) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    browser.get(url(task))
    sent = {"planned_finish_on": "2026-10-10"} | data
    if sent.get("first_officer"):
        sent["first_officer"] = str(manager(task).pk)
    back = browser.post(url(task, "acknowledge"), sent)
    assert back.status_code == 422
    assert sentence in back.content.decode()


def test_the_planned_day_keeps_to_the_sub_items_maximum(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    task.sub_item.longest_plan_days = 10
    task.sub_item.save()
    browser = sign_in(some.manager_of(task))
    browser.get(url(task))
    back = browser.post(url(task, "acknowledge"), {"measure": "on_site", "planned_finish_on": "2026-10-09"})
    assert "计划完成日最迟不超过 10 天。" in back.content.decode()
    assert (
        browser.post(url(task, "acknowledge"), {"measure": "on_site", "planned_finish_on": "2026-10-08"}).status_code
        == 302
    )
    # later changes count from the acknowledgement, not from the day of the change
    clock.to("2026-10-05 10:00")
    plan = {"measure": "on_site", "planned_finish_on": "2026-10-09", "reason": "设备未到"}
    back = browser.post(url(task, "replan"), plan)
    assert back.status_code == 422
    assert "最迟不超过签收后 10 天（2026-10-08）" in back.content.decode()
    assert 'max="2026-10-08"' in back.content.decode()


def test_a_change_of_plan_ends_the_old_clock_and_starts_another(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 9))
    old = task.planned_deadline
    assert old is not None
    browser = sign_in(some.manager_of(task))
    same = {"measure": "on_site", "planned_finish_on": "2026-10-09", "reason": "想改"}
    assert "都没有变化" in browser.post(url(task, "replan"), same).content.decode()
    back = browser.post(url(task, "replan"), same | {"planned_finish_on": "2026-10-20", "reason": " "})
    assert "须说明原因" in back.content.decode()
    html = browser.post(
        url(task, "replan"), same | {"planned_finish_on": "2026-10-20", "reason": "企业停产检修"}, follow=True
    ).content.decode()
    assert "企业停产检修" in html
    task.refresh_from_db()
    old.refresh_from_db()
    assert old.state == "cancelled"
    assert task.planned_deadline is not None
    assert (task.planned_deadline.due_on, task.planned_deadline.state) == (dt.date(2026, 10, 20), "running")
    entry = acts_of(task, "task.replanned")[0]
    assert entry.data["before"] == {"measure": "on_site", "planned_finish_on": "2026-10-09"}
    assert "原计划已变更" in html
    assert "原定 2026-10-09" in html
    assert "期限取消" not in html


def test_a_planned_day_that_has_passed_is_not_moved(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 9))
    clock.to("2026-10-10 10:00")
    browser, client = sign_in(some.manager_of(task)), api(manager(task))
    address = f"/api/v1/tasks/{task.number}/plan/"
    assert "计划完成日（2026-10-09）已过，不能再改" in browser.get(url(task, "replan")).content.decode()
    plan = {"measure": "on_site", "planned_finish_on": "2026-12-31", "reason": "再等"}
    for tried in (
        plan,
        plan | {"measure": "none_now"},
        plan | {"measure": "none_now", "planned_finish_on": "2026-10-09"},
    ):
        back = browser.post(url(task, "replan"), tried)
        assert back.status_code == 422
        assert "计划完成日（2026-10-09）已过" in back.content.decode()
        assert client.post(address, tried, format="json").json()["code"] == "planned-day-passed"
    # the measure may change; the clock stays the same and is late
    done = client.post(address, plan | {"measure": "off_site", "planned_finish_on": "2026-10-09"}, format="json")
    assert (done.status_code, done.json()["measure"]) == (200, "off_site")
    task.refresh_from_db()
    clocks = Deadline.objects.filter(stream=task.stream, kind="planned_finish")
    assert [(one.state, one.due_on) for one in clocks] == [("running", dt.date(2026, 10, 9))]
    assert task.planned_deadline == clocks[0]
    html = browser.get(url(task)).content.decode()
    assert "逾期完成" not in html
    assert "超期" in html


def test_a_change_of_the_measure_alone_keeps_the_clock(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at, planned_finish_on=dt.date(2026, 10, 9))
    before = task.planned_deadline
    task.sub_item.longest_plan_days = 3  # shortened since: what was planned before keeps its day
    task.sub_item.save()
    clock.to("2026-09-30 10:00")
    by = manager(task)
    plan = {"measure": "off_site", "planned_finish_on": dt.date(2026, 10, 9), "reason": "调阅资料即可"}
    task = actions.replan(task, **plan, by=by, now=clock.at)  # type: ignore[arg-type]
    assert (task.measure, task.planned_deadline) == ("off_site", before)
    assert Deadline.objects.get(stream=task.stream, kind="planned_finish").state == "running"


def test_no_check_now_is_reviewed_and_never_finished_as_it_is(city: None, clock: Moment, sign_in: SignIn) -> None:
    day = dt.date(2027, 3, 1)
    task = some.acknowledged(clock.at, measure="none_now", planned_finish_on=day, reason="尚未开工")
    browser = sign_in(some.manager_of(task))
    html = browser.get(url(task)).content.decode()
    assert "到复核日请重新选择监管措施" in html
    assert 'id="act"' not in html
    assert "请先变更监管措施" in browser.post(url(task, "finish"), {"finished_on": "2026-09-28"}).content.decode()
    clock.to("2027-03-01 10:00")
    plan = {"measure": "off_site", "planned_finish_on": "2027-08-20", "reason": "已开工"}
    assert browser.post(url(task, "replan"), plan).status_code == 302  # the maximum begins anew at a review
    task.refresh_from_db()
    assert task.measure == "off_site"
    assert acts_of(task, "task.replanned")[0].data["reviewed"] is True
    assert "原定 2027-03-01" in browser.get(url(task)).content.decode()
    again = {"measure": "off_site", "planned_finish_on": "2027-08-28", "reason": "再改"}
    assert browser.post(url(task, "replan"), again).status_code == 302
    back = browser.post(url(task, "replan"), again | {"planned_finish_on": "2027-08-29"})
    assert "2027-08-28" in back.content.decode()
    assert back.status_code == 422


def test_replanning_through_the_api(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    client = api(manager(task))
    address = f"/api/v1/tasks/{task.number}/plan/"
    plan = {"measure": "combined", "planned_finish_on": "2026-10-10", "reason": "并入"}
    assert client.post(address, plan, format="json").json()["code"] == "measure-with-missing"
    done = client.post(address, plan | {"measure_with": "10月联合检查"}, format="json").json()
    assert (done["measure"], done["measure_with"]) == ("combined", "10月联合检查")
    assert client.post(address, {}, format="json").json()["code"] == "reason-missing"


# --- the licence ended


@pytest.mark.parametrize("status", [one for one in TaskStatus.values if one not in {"closed", "revocation"}])
def test_the_managers_are_asked_to_close_only_what_may_be_closed(
    city: None, clock: Moment, sign_in: SignIn, status: str
) -> None:
    """Struck off in any state that allows it: where the message asks for it, the manager opens and closes the task."""
    stand = standing.task_in(some.notified(clock.at), status, "bad", clock.at)
    task, now = stand.task, stand.at + dt.timedelta(hours=1)
    clock.at = now
    assert task.licence is not None
    change_licence(
        task.licence, kind="deregistration", basis="行政许可法", reason="申请注销",
        by=revoking.decider(task.licence.case), now=now,
    )  # fmt: skip
    told = {one.text for one in Message.objects.filter(kind="task_licence_changed", reference=task.stream)}
    assert len(told) == 1
    browser = sign_in(some.manager_of(task))
    browser.get(url(task))
    closed = browser.post(url(task, "licence_ended"), {"reason": "许可证已注销，不再检查。"}).status_code == 302
    assert ("证照已失效，请确认是否归档" in told.pop()) == closed
    assert closed == (status not in {"disputed", "finished", "handed_over"})


def test_a_task_of_an_ended_licence_is_closed_with_a_reason(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    assert browser.post(url(task, "licence_ended"), {"reason": "已注销"}).status_code == 409
    assert task.licence is not None
    TaskChange.objects.create(
        task=task, licence=task.licence, kind="deregistration", text="许可证已注销。", ends_licence=True, at=clock.at
    )
    assert url(task, "licence_ended") in browser.get(url(task)).content.decode()
    back = browser.post(url(task, "licence_ended"), {"reason": " "})
    assert back.status_code == 422
    assert browser.post(url(task, "licence_ended"), {"reason": "许可证已注销，不再检查。"}).status_code == 302
    task.refresh_from_db()
    assert (task.status, task.end, task.end_reason) == (
        TaskStatus.CLOSED, TaskEnd.LICENCE_ENDED, "许可证已注销，不再检查。",
    )  # fmt: skip
    assert task.planned_deadline is not None
    assert task.planned_deadline.state == "cancelled"
    assert browser.post(url(task, "licence_ended"), {"reason": "再来"}).status_code == 409
    gone = api(manager(task)).post(f"/api/v1/tasks/{task.number}/licence-ended/", {"reason": "再来"}, format="json")
    assert gone.status_code == 409


# --- everybody else


def test_nobody_else_finds_these_addresses(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    stem = some.manager_of(task).split(".")[0]
    others = Posting.objects.filter(role__in=["office_manager", "office_deputy"]).exclude(office=task.office)
    here = task.department.division
    strangers = [
        others.filter(department__division=here).exclude(department=task.department)[0].user.username,
        others.exclude(department__division=here)[0].user.username,
        f"{stem}.fuzeren", "chuangkou1", "duban1", "zhujian.shenchaa", some.inspector(task).username,
    ]  # fmt: skip
    doors = ["assignment", "plan", "licence-ended"]
    for name in strangers:
        browser, client = sign_in(name), api(User.objects.get(username=name))
        for act in ACTS:
            assert browser.get(url(task, act)).status_code == 404, (name, act)
            assert browser.post(url(task, act), {}).status_code == 404, (name, act)
        for door in doors:
            assert client.post(f"/api/v1/tasks/{task.number}/{door}/", {}, format="json").status_code == 404, name
    for act in ACTS:
        assert Client().get(url(task, act)).status_code == 302


# --- the inbox


def test_filters_of_the_inbox(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    browser = sign_in(some.manager_of(task))
    division = task.department.division
    other = type(division).objects.exclude(pk=division.pk)[0]
    hits = (f"item={task.business_item_id}", f"area={division.code}", "origin=case", "whose=nobody", "queue=taken")
    for query in hits:
        assert task.number in browser.get(f"/tasks/?{query}").content.decode(), query
    for query in (f"area={other.code}", "origin=stock", "whose=mine", "origin=draw&queue=taken"):
        html = browser.get(f"/tasks/?{query}").content.decode()
        assert "没有符合条件的监管任务" in html, query
        assert "取消此条件" in html
    me = manager(task)
    deputy = task.office.deputies(clock.at.date())[0]
    actions.assign(task, first_officer=me, second_officer=deputy, by=me, now=clock.at)
    assert task.number in browser.get("/tasks/?whose=mine").content.decode()
    found = api(me).get(f"/api/v1/tasks/?whose=mine&item={task.business_item.code}&area={division.code}").json()
    assert [row["number"] for row in found["results"]] == [task.number]
    assert api(me).get("/api/v1/tasks/?item=no-such").json()["results"] == []


def test_what_is_being_mended_stands_by_the_day_of_its_order(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = ordering.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=3)
    ordering.ordered(task, at, days=10)
    ordering.fed_back(task, at)
    browser = sign_in(some.manager_of(task))
    row = browser.get("/tasks/").context["rows"][0]
    assert (row["task"].status, row["clock"].due_on) == (TaskStatus.RECTIFYING, dt.date(2026, 10, 8))
    clock.to("2026-10-09 10:00")
    assert task.number in browser.get("/tasks/?late=1").content.decode()


def test_officers_and_faults_cost_no_statement_a_row(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.acknowledged(clock.at)
    one, two = some.inspector(task), some.inspector(task, "jiancha2")
    actions.assign(task, first_officer=one, second_officer=two, by=manager(task), now=clock.at)
    task.refresh_from_db()
    browser = sign_in(some.manager_of(task))

    def statements() -> int:
        browser.get("/tasks/")  # writes the session
        with CaptureQueriesContext(connection) as queries:
            assert browser.get("/tasks/").status_code == 200
        return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))])

    few = statements()
    notified = some.notified(clock.at)
    made = some.copies(notified, 40)
    SupervisionTask.objects.filter(pk__in=[row.pk for row in made]).update(first_officer=one, second_officer=two)
    assert statements() == few
    assert few <= 14


def test_earlier_tasks_of_the_subject_within_reach(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    again = some.copies(task, 1)[0]
    html = sign_in(some.manager_of(task)).get(url(task)).content.decode()
    assert again.number in html or url(again) in html
    one = some.inspector(task)
    actions.view_task(task, by=manager(task), now=clock.at)
    actions.assign(task, first_officer=one, second_officer=None, by=manager(task), now=clock.at)
    assert url(again) not in sign_in(one.username).get(url(task)).content.decode()


# --- finish and feedback rest on the inspection


def test_feedback_begins_with_what_was_found_and_says_nothing_better(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = ordering.faulty(clock.at, promise=True)
    clock.to("2026-09-28 15:00")
    actions.finish(task, finished_on=clock.at.date(), by=manager(task), now=clock.at)
    browser = sign_in(some.manager_of(task))
    form = browser.get(url(task)).context["form"]
    assert (form.initial["clause_1"], form.initial["clause_2"]) == ("nonconforming", "conforming")
    assert (form.initial["result"], form.initial["text"]) == ("nonconforming", "已核对资料。")
    said = {"result": "conforming", "text": "都好。", "platform": "market", "platform_number": "A1"}
    said |= dict.fromkeys(form.clause_names, "conforming")
    back = browser.post(url(task, "feedback"), said)
    assert back.status_code == 422
    assert "第 1 次检查记录（2026-09-28）的结论是“不符合”，以后的记录不能抵消" in back.content.decode()
    bad = said | {"result": "nonconforming", "clause_1": "nonconforming"}
    assert browser.post(url(task, "feedback"), bad).status_code == 302


def test_a_task_without_a_case_has_no_files_of_others(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    clerk = play.person("chuangkou1")
    pdf = SimpleUploadedFile("执照.pdf", PDF)
    assert task.case is not None
    loose = store(pdf, intake_key=uuid.uuid4(), slot="1", by=clerk, now=clock.at)  # not yet of any case
    SupervisionTask.objects.filter(pk=task.pk).update(case=None, linkage=None, origin="stock")
    browser = sign_in(some.manager_of(task))
    html = browser.get(url(task)).content.decode()
    assert "存量证照" in html
    assert browser.get(reverse("tasks:file", args=[task.number, loose.pk])).status_code == 404
