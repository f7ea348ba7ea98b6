"""不属本处室: an office objects, the overseers decide; clocks, ladder and sight follow the task."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.exceptions import Refused
from deadlines.enums import State
from deadlines.models import Deadline
from ledger import verify
from ledger.models import Entry
from notifications import kinds
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Department, Division, Office, Posting, User
from offices.tokens import issue
from supervision import actions, reconcile
from supervision.actions import disputing
from supervision.enums import TaskStatus
from supervision.models import Dispute, SupervisionTask
from tests import city as demo_city
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import disputing as road
from tests.supervision.tasks import notified

pytestmark = pytest.mark.django_db
Role = Posting.Role
SignIn = Callable[[str], Client]


def overseer() -> User:
    return play.person("duban1")


def reassign(dispute: Dispute, now: dt.datetime, office: Office | None = None) -> SupervisionTask:
    office = office or dispute.proposed_office
    disputing.decide_dispute(
        dispute, outcome="reassigned", reason="属该处室职责。", office=office, by=overseer(), now=now
    )
    return SupervisionTask.objects.select_related("office__department").get(pk=dispute.task_id)


def test_the_manager_objects_on_the_page_and_the_overseers_are_told(sign_in: SignIn, clock: Moment) -> None:
    task = road.viewed(clock.at)
    due = Deadline.objects.get(acknowledge_task=task).due_on
    client = sign_in(road.manager(task, clock.at.date()).username)
    page = client.get(reverse("tasks:task", args=[task.number]))
    assert reverse("tasks:dispute", args=[task.number]) in page.content.decode()
    url = reverse("tasks:dispute", args=[task.number])
    assert client.get(url).status_code == 200
    empty = client.post(url, {"reason": " "})
    assert empty.status_code == 422
    assert "请写明这件任务为什么不属本处室职责" in empty.content.decode()
    proposed = road.elsewhere(task, clock.at.date())
    answer = client.post(url, {"reason": "权责清单第3项属住建部门。", "proposed_office": proposed.pk})
    assert answer.status_code == 302
    dispute = Dispute.objects.get(task=task)
    assert dispute.deadline is not None
    # 29, 30 September, the holiday, 8, 9 and the working Saturday of 10 October
    assert dispute.deadline.due_on == dt.date(2026, 10, 10)
    assert dispute.proposed_office == proposed
    told = Message.objects.filter(kind="overseer_alarm", reference=task.stream)
    assert {one.to_user for one in told} == set(task.office.department.division.overseers(clock.at.date()))
    assert Entry.objects.filter(stream=task.stream, act="task.disputed").count() == 1
    shown = client.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert "权责清单第3项属住建部门。" in shown
    assert reverse("tasks:acknowledge", args=[task.number]) not in shown
    # The office's own clock has not moved: an objection gains nobody time.
    own = Deadline.objects.get(acknowledge_task=task)
    assert (own.is_open, own.due_on) == (True, due)
    assert list(reconcile.differences(clock.at)) == []
    assert list(verify.faults()) == []


def test_confirmed_goes_back_and_the_same_office_does_not_object_again(sign_in: SignIn, clock: Moment) -> None:
    dispute = road.disputed(clock.at)
    task = dispute.task
    due = Deadline.objects.get(acknowledge_task=task).due_on
    clock.to("2026-09-29 15:00")
    client = sign_in("duban1")
    listed = client.get(reverse("oversight:disputes"))
    assert task.number in listed.content.decode()
    url = reverse("oversight:dispute", args=[dispute.pk])
    assert "属另一部门职责。" in client.get(url).content.decode()
    refused = client.post(url, {"outcome": "confirmed", "reason": ""})
    assert refused.status_code == 422
    assert client.post(url, {"outcome": "confirmed", "reason": "三定方案属该处室。"}).status_code == 302
    task.refresh_from_db()
    assert task.status == TaskStatus.VIEWED
    own = Deadline.objects.get(acknowledge_task=task)
    assert (own.is_open, own.due_on) == (True, due)
    dispute.refresh_from_db()
    assert dispute.deadline is not None
    assert dispute.deadline.state == State.MET
    manager = road.manager(task, clock.at.date())
    assert Message.objects.filter(dedupe_key=f"dispute_decided:{dispute.pk}:{manager.pk}").count() == 1
    with pytest.raises(Refused) as error:
        disputing.raise_dispute(task, reason="还是不属。", by=manager, now=clock.at)
    assert error.value.code == "dispute-settled"
    office = sign_in(manager.username)
    assert "三定方案属该处室。" in office.get(reverse("tasks:task", args=[task.number])).content.decode()
    assert office.get(reverse("tasks:dispute", args=[task.number])).status_code == 409
    assert client.post(url, {"outcome": "confirmed", "reason": "再次。"}).status_code == 409
    decided = client.get(reverse("oversight:disputes"), {"tab": "confirmed"}).content.decode()
    assert task.number in decided
    export = b"".join(client.get(reverse("oversight:disputes_export"), {"tab": "confirmed"}))
    assert "三定方案属该处室。" in export.decode()
    assert list(reconcile.differences(clock.at)) == []


def test_reassigned_starts_anew_at_the_right_offices_sms(sign_in: SignIn, clock: Moment) -> None:
    dispute = road.disputed(clock.at)
    before = SupervisionTask.objects.select_related("office").get(pk=dispute.task_id)
    old_clock, old_manager = before.acknowledge_deadline, road.manager(before, clock.at.date())
    clock.to("2026-09-29 15:00")
    client = sign_in("duban1")
    url = reverse("oversight:dispute", args=[dispute.pk])
    office = dispute.proposed_office
    assert office is not None
    missing = client.post(url, {"outcome": "reassigned", "reason": "属住建。"})
    assert missing.status_code == 422
    assert "改派须选择处室" in missing.content.decode()
    same = client.post(url, {"outcome": "reassigned", "reason": "属住建。", "office": before.office_id})
    assert same.status_code == 422
    answer = client.post(url, {"outcome": "reassigned", "reason": "属住建。", "office": office.pk})
    assert answer.status_code == 302
    task = SupervisionTask.objects.select_related("office__department").get(pk=before.pk)
    assert (task.office, task.department, task.round) == (office, office.department, 2)
    assert (task.status, task.viewed_at, task.sms_sent_at) == (TaskStatus.NOTIFIED, None, None)
    assert task.acknowledge_deadline is None
    assert old_clock is not None
    assert Deadline.objects.get(pk=old_clock.pk).state == State.CANCELLED
    assert list(reconcile.differences(clock.at)) == []
    # What comes late of the first round says nothing to the office of the second.
    first = Message.objects.filter(reference=task.stream, kind="task_opened").order_by("pk")[0]
    kinds.tell_accepted([first], clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is None
    clock.to("2026-09-29 15:10")
    deliver(clock.at)
    assert Deadline.objects.get(acknowledge_task=task).due_on == dt.date(2026, 10, 9)  # 30 September, 8 and 9 October
    acts = list(Entry.objects.filter(stream=task.stream).order_by("seq").values_list("act", flat=True))
    assert acts.index("task.reassigned") < len(acts) - 1 - acts[::-1].index("task.sms_sent")
    assert list(reconcile.differences(clock.at)) == []
    assert list(verify.faults()) == []
    # The wrong office no longer sees it; the right one does, and may object on its own.
    page = reverse("tasks:task", args=[task.number])
    assert sign_in(old_manager.username).get(page).status_code == 404
    new = sign_in(road.manager(task, clock.at.date()).username)
    assert new.get(page).status_code == 200
    assert new.get(reverse("tasks:dispute", args=[task.number])).status_code == 200
    assert new.post(reverse("tasks:dispute", args=[task.number]), {"reason": "也不属本处室。"}).status_code == 302


def test_the_administrator_sees_which_linkage_to_look_at(sign_in: SignIn, clock: Moment) -> None:
    dispute = road.disputed(clock.at)
    admin = Posting.objects.filter(
        role=Role.DIVISION_ADMIN, department__division=dispute.from_office.department.division
    )[0].user.username
    client = sign_in(admin)
    url = reverse("division:linkages")
    assert "近 90 天有任务由督办改派到其他处室" not in client.get(url, {"tab": "moved"}).content.decode()
    task = reassign(dispute, clock.at)
    shown = client.get(url, {"tab": "moved"})
    assert "近 90 天有任务由督办改派到其他处室" in shown.content.decode()
    assert [row["linkage"].pk for row in shown.context["rows"]] == [task.linkage_id]
    clock.to("2027-02-01 10:00")
    assert list(client.get(url, {"tab": "moved"}).context["rows"]) == []


def test_the_ladder_of_the_second_round_is_climbed_by_its_own_messages(city: None, clock: Moment) -> None:
    task = reassign(road.disputed(clock.at), clock.at)
    climbed = []
    for _ in range(4):
        sent = Message.objects.filter(reference=task.stream, kind="task_opened", dedupe_key__endswith=":2")
        message = sent.order_by("-pk")[0]
        climbed.append(message.dedupe_key.split(":")[2])
        kinds.tell_failed([message], clock.at)
        kinds.tell_failed([message], clock.at)
    assert climbed == ["manager", "deputy", "head", "overseer"]
    heads = Posting.objects.filter(department=task.department, role=Role.DEPARTMENT_HEAD).values_list("user", flat=True)
    told = Message.objects.filter(reference=task.stream, dedupe_key__contains=":head:", dedupe_key__endswith=":2")
    assert {one.to_user_id for one in told} == set(heads)
    Message.objects.filter(reference=task.stream, kind="task_opened", dedupe_key__endswith=":2").update(state="failed")
    assert [text for text in reconcile.differences(clock.at) if "round 2 failed" in text]


def test_whoever_has_another_office_division_or_role_finds_nothing(sign_in: SignIn, clock: Moment) -> None:
    dispute = road.disputed(clock.at)
    form, page = reverse("tasks:dispute", args=[dispute.task.number]), reverse("oversight:dispute", args=[dispute.pk])
    own = road.manager(dispute.task, clock.at.date()).username
    head = Posting.objects.filter(department=dispute.task.department, role=Role.DEPARTMENT_HEAD)[0].user.username
    away = dispute.proposed_office
    assert away is not None
    for name in (head, away.managers(clock.at.date())[0].username, "chuangkou1", "zhujian.shenchaa", "duban1"):
        assert sign_in(name).get(form).status_code in (403, 404), name
    for name in (own, head, "chuangkou1", "zhujian.shenchaa"):
        assert sign_in(name).get(page).status_code in (403, 404), name
        assert sign_in(name).get(reverse("oversight:disputes")).status_code in (403, 404), name
    division = dispute.task.department.division
    away_division = Division.objects.filter(parent=division)[0]  # below, and not overseeing what is above it
    department = Department.objects.get(pk=dispute.task.department_id)
    department.pk, department.division, department.name = None, away_division, "外区督查室"
    department.save()
    foreign = User.objects.create_user("duban.waiqu", "Password-2026", full_name="外区督办")
    day = clock.at.date()
    Posting.objects.create(user=foreign, role=Role.OVERSEER, department=department, starts_on=day)
    client = sign_in("duban.waiqu")
    assert dispute.task.number not in client.get(reverse("oversight:disputes")).content.decode()
    assert client.get(page).status_code == 404
    assert client.post(page, {"outcome": "confirmed", "reason": "越界。"}).status_code == 404
    dispute.refresh_from_db()
    assert dispute.outcome == ""


@pytest.mark.parametrize("why", ["approval side", "unreachable", "other division", "same"])
def test_a_task_only_goes_to_a_supervising_office_of_the_division_that_can_be_told(
    city: None, clock: Moment, why: str
) -> None:
    dispute = road.disputed(clock.at)
    office = road.elsewhere(dispute.task, clock.at.date())
    if why == "approval side":
        Department.objects.filter(pk=office.department_id).update(side=Department.Side.APPROVAL)
    elif why == "unreachable":
        Posting.objects.filter(office=office, role=Role.OFFICE_MANAGER).delete()
    elif why == "other division":
        division = dispute.task.department.division
        away = type(division).objects.exclude(pk=division.pk)[0]
        Department.objects.filter(pk=office.department_id).update(division=away)
    else:
        office = dispute.task.office
    with pytest.raises(Refused) as error:
        disputing.decide_dispute(
            dispute, outcome="reassigned", reason="改派。", office=office, by=overseer(), now=clock.at
        )
    assert error.value.code == ("office-same" if why == "same" else "office-not-fit")
    assert SupervisionTask.objects.get(pk=dispute.task_id).status == TaskStatus.DISPUTED


def test_a_task_not_opened_or_taken_is_not_disputed(city: None, clock: Moment) -> None:
    task = notified(clock.at)
    manager = road.manager(task, clock.at.date())
    with pytest.raises(Refused) as early:
        disputing.raise_dispute(task, reason="不属。", by=manager, now=clock.at)
    task = actions.view_task(task, by=manager, now=clock.at)
    actions.acknowledge(task, measure="off_site", planned_finish_on=clock.at.date(), by=manager, now=clock.at)
    with pytest.raises(Refused) as late:
        disputing.raise_dispute(task, reason="不属。", by=manager, now=clock.at)
    assert {early.value.code, late.value.code} == {"state-conflict"}
    assert not Dispute.objects.exists()


def _together(*works: Callable[[], object]) -> list[str]:
    """Run each in a thread of its own, all at once; ``done`` or the code of the refusal."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> str:
        try:
            start.wait()
            work()
        except Refused as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_two_overseers_at_once_decide_once(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    dispute = road.disputed(clock.at)
    by, office = overseer(), dispute.proposed_office

    def confirm() -> None:
        disputing.decide_dispute(dispute, outcome="confirmed", reason="维持。", by=by, now=clock.at)

    def move() -> None:
        disputing.decide_dispute(dispute, outcome="reassigned", reason="改派。", office=office, by=by, now=clock.at)

    assert _together(confirm, move) == ["done", "state-conflict"]
    acts = Entry.objects.filter(stream=dispute.task.stream, act__in=["task.reassigned", "task.confirmed"])
    assert acts.count() == 1
    assert list(reconcile.differences(clock.at)) == []


@pytest.mark.django_db(transaction=True)
def test_an_objection_and_an_acknowledgement_at_once_are_one_of_the_two(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    task = road.viewed(clock.at)
    by, day = road.manager(task, clock.at.date()), clock.at.date()

    def object_() -> None:
        disputing.raise_dispute(task, reason="不属。", by=by, now=clock.at)

    def take() -> None:
        actions.acknowledge(task, measure="off_site", planned_finish_on=day, by=by, now=clock.at)

    assert _together(object_, take) == ["done", "state-conflict"]
    task.refresh_from_db()
    assert (task.status == TaskStatus.DISPUTED) == Dispute.objects.filter(task=task).exists()
    assert (task.status == TaskStatus.ACKNOWLEDGED) == (task.planned_deadline is not None)


def test_the_api_raises_lists_and_decides(city: None, clock: Moment) -> None:
    def caller(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue(user).token}")
        return client

    task = road.viewed(clock.at)
    office = caller(road.manager(task, clock.at.date()))
    url = f"/api/v1/tasks/{task.number}/dispute/"
    choices = office.get(url).json()["offices"]
    assert task.office_id not in {one["id"] for one in choices}
    missing = office.post(url, {}, format="json")
    assert (missing.status_code, missing.json()["code"]) == (422, "reason-missing")
    unfit = office.post(url, {"reason": "不属。", "proposed_office": 987654321}, format="json")
    assert (unfit.status_code, unfit.json()["code"]) == (422, "office-not-fit")
    raised = office.post(url, {"reason": "不属。", "proposed_office": choices[0]["id"]}, format="json")
    assert raised.status_code == 200
    assert raised.json()["disputes"][0]["proposed_office"] == choices[0]
    assert office.post(url, {"reason": "不属。"}, format="json").json()["code"] == "state-conflict"
    desk = caller(overseer())
    (row,) = desk.get("/api/v1/disputes/", {"q": task.number}).json()["results"]
    one = f"/api/v1/disputes/{row['id']}/"
    assert choices[0] in desk.get(one).json()["offices"]
    assert office.get(one).status_code == 404
    decided = desk.post(
        f"{one}decision/", {"outcome": "reassigned", "office": choices[0]["id"], "reason": "属该处。"}, format="json"
    )
    assert decided.status_code == 200, decided.json()
    assert decided.json()["decided_office"] == choices[0]
    again = desk.post(f"{one}decision/", {"outcome": "confirmed", "reason": "晚了。"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    assert office.get(url).status_code == 404
    assert desk.get("/api/v1/disputes/").json()["results"] == []
    assert desk.get("/api/v1/disputes/", {"state": "reassigned"}).json()["results"][0]["id"] == row["id"]


def test_a_waiting_dispute_stands_on_the_overseers_board_and_rail_and_on_no_other(
    sign_in: SignIn, clock: Moment
) -> None:
    dispute = road.disputed(clock.at)
    task, by = dispute.task, road.manager(dispute.task, clock.at.date())
    client, address = sign_in("duban1"), reverse("oversight:dispute", args=[dispute.pk])

    def rail() -> str:
        places = client.get(reverse("oversight:disputes")).context["desk"]["places"]
        return str(next(place["count"] for place in places if place["url"] == reverse("oversight:disputes")))

    def statements() -> int:
        with CaptureQueriesContext(connection) as made:
            assert client.get(reverse("oversight:board"), {"kind": "dispute"}).status_code == 200
        return len(made)

    assert rail() == "1"
    rows = client.get(reverse("oversight:board"), {"kind": "dispute"}).context["rows"]
    assert [(row.number, row.url, row.deadline.kind) for row in rows] == [(task.number, address, "dispute")]
    one = statements()
    for _ in range(2):
        road.disputed(clock.at)
    assert (rail(), statements()) == ("3", one)
    clock.to("2026-10-16 10:00")  # the clock of the dispute is late; the office is pressed by its own only
    late = client.get(reverse("oversight:board"), {"tab": "overdue", "kind": "dispute"}).context["rows"]
    assert len(late) == 3
    mine = sign_in(by.username).get(reverse("alarms")).context["rows"]
    assert {row.deadline.kind for row in mine} == {"acknowledge"}
    for found in Dispute.objects.all():
        disputing.decide_dispute(found, outcome="confirmed", reason="职责清楚。", by=overseer(), now=clock.at)
    assert rail() == ""
    assert client.get(reverse("oversight:board"), {"kind": "dispute"}).context["rows"] == []
