"""What a random draw settled: its officers stay, unless unable to serve, and whom it fell on is checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.models import Conflict
from ledger.models import Entry
from offices.models import Posting, User
from offices.tokens import issue
from supervision import actions
from supervision.actions.drawing import draw_plan
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask
from tests.conftest import Moment
from tests.supervision import drawing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
DAY = "2026-10-09"


@pytest.fixture
def task(city: None, clock: Moment) -> SupervisionTask:
    """A task of a draw among six inspectors, manager and deputies being on leave; opened by its manager."""
    drawing.inspectors(6)
    seats = Posting.objects.filter(office=drawing.linkage().office, role__in=["office_manager", "office_deputy"])
    for seat in seats.select_related("user"):
        some.on_leave(seat.user, clock.at)
    drawing.holders({"A": 60}, clock.at)
    run = draw_plan(drawing.published(clock.at), by=drawing.manager(), now=clock.at)
    found = run.drawn.order_by("order")[0].task
    actions.view_task(found, by=drawing.manager(), now=clock.at)
    return fresh(found)


def fresh(task: SupervisionTask) -> SupervisionTask:
    return SupervisionTask.objects.select_related("first_officer", "second_officer", "office").get(pk=task.pk)


def pair(task: SupervisionTask) -> tuple[User, User]:
    task = fresh(task)
    assert task.first_officer is not None
    assert task.second_officer is not None
    return task.first_officer, task.second_officer


def others(task: SupervisionTask) -> list[User]:
    """Of the pool, not drawn for this task."""
    drawn = [person.pk for person in pair(task)]
    posted = Posting.objects.filter(office=task.office, role="inspector")
    return list(User.objects.filter(pk__in=posted.values("user_id")).exclude(pk__in=drawn).order_by("pk"))


def url(task: SupervisionTask, act: str = "assign") -> str:
    return reverse(f"tasks:{act}", args=[task.number])


def api(person: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return client


def entries(task: SupervisionTask) -> list[Entry]:
    return list(Entry.objects.filter(stream=task.stream, act="task.assigned_to").order_by("seq"))


@pytest.mark.parametrize("asked", ["swapped", "second replaced", "second removed", "both replaced"])
def test_who_was_drawn_and_can_serve_stays(task: SupervisionTask, sign_in: SignIn, asked: str) -> None:
    one, two = pair(task)
    third, fourth = others(task)[:2]
    wanted: dict[str, tuple[User, User | None]] = {
        "swapped": (two, one), "second replaced": (one, third), "second removed": (one, None),
        "both replaced": (third, fourth),
    }  # fmt: skip
    first, second = wanted[asked]
    browser = sign_in(drawing.manager().username)
    assert "派办理人员" not in browser.get(url(task, "task")).content.decode()
    assert "两名检查人员由抽签选定" in browser.get(url(task)).content.decode()
    sent = {"first_officer": first.pk, "second_officer": second.pk if second else "", "reason": "想换人"}
    back = browser.post(url(task), sent)
    assert back.status_code == 422
    assert "由抽签选定" in back.content.decode()
    address = f"/api/v1/tasks/{task.number}/assignment/"
    names = {"first_officer": first.username, "second_officer": second.username if second else "", "reason": "想换人"}
    answer = api(drawing.manager()).post(address, names, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "officers-drawn")
    assert pair(task) == (one, two)
    taken = {"measure": "on_site", "planned_finish_on": DAY} | {key: names[key] for key in list(names)[:2]}
    answer = api(drawing.manager()).post(f"/api/v1/tasks/{task.number}/acknowledgement/", taken, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "officers-drawn")
    assert pair(task) == (one, two)
    assert fresh(task).status == TaskStatus.VIEWED


@pytest.mark.parametrize("why", ["left", "on leave", "stands aside"])
def test_who_can_no_longer_serve_gives_way_to_another_of_the_pool(
    task: SupervisionTask, clock: Moment, sign_in: SignIn, why: str
) -> None:
    one, two = pair(task)
    third, away, aside, *_ = others(task)
    stranger = some.inspector(task, "jianchaX")  # came after the draw
    if why == "left":
        Posting.objects.filter(user=two).update(ends_on=clock.at.date() - dt.timedelta(days=1))
    elif why == "on leave":
        some.on_leave(two, clock.at)
    else:
        _stand_aside(two, task, clock)
    some.on_leave(away, clock.at)
    _stand_aside(aside, task, clock)
    browser = sign_in(drawing.manager().username)
    assert "改派办理人员" in browser.get(url(task, "task")).content.decode()
    page = browser.get(url(task)).content.decode()
    assert f'value="{third.pk}"' in page
    for nobody in (stranger, away, aside):
        assert f'value="{nobody.pk}"' not in page
        back = browser.post(url(task), {"first_officer": one.pk, "second_officer": nobody.pk, "reason": "换人"})
        assert back.status_code == 422
    sent = {"first_officer": one.pk, "second_officer": third.pk}
    back = browser.post(url(task), sent)
    assert back.status_code == 422
    assert "更换抽签选定的检查人员须写明原因。" in back.content.decode()
    back = browser.post(url(task), {"first_officer": third.pk, "second_officer": two.pk, "reason": "换人"})
    assert back.status_code == 422  # who can serve stays
    assert not entries(task)
    html = browser.post(url(task), sent | {"reason": "已调离本处室"}, follow=True).content.decode()
    assert pair(task) == (one, third)
    assert "更换的原因：已调离本处室" in html
    assert entries(task)[0].data == {
        "first": one.pk, "second": third.pk, "before": [one.pk, two.pk], "reason": "已调离本处室"
    }  # fmt: skip


def _stand_aside(person: User, task: SupervisionTask, clock: Moment) -> None:
    code = task.subject.code or ""
    Conflict.objects.create(
        user=person, kind="organisation", key=code, shown=code, name=task.subject_name,
        subject=task.subject, reason="亲属", declared_at=clock.at,
    )  # fmt: skip


def test_where_nobody_of_the_pool_is_left_anybody_of_the_office_comes(task: SupervisionTask, clock: Moment) -> None:
    one, two = pair(task)
    stranger = some.inspector(task, "jianchaX")
    for person in [two, *others(task)]:
        if person != stranger:
            some.on_leave(person, clock.at)
    names = {"first_officer": one.username, "second_officer": stranger.username, "reason": "都在休假"}
    by = api(drawing.manager())
    answer = by.post(f"/api/v1/tasks/{task.number}/assignment/", names, format="json")
    assert answer.status_code == 200
    assert answer.json()["second_officer"] == "jianchaX"


@pytest.mark.parametrize("measure", ["none_now", "random_draw"])
def test_whom_the_draw_fell_on_is_not_put_off(task: SupervisionTask, sign_in: SignIn, measure: str) -> None:
    browser, client = sign_in(drawing.manager().username), api(drawing.manager())
    page = browser.get(url(task, "task")).content.decode()
    assert 'value="on_site"' in page
    assert f'value="{measure}"' not in page
    assert all(person.full_name in page for person in pair(task))
    sent: dict[str, Any] = {
        "measure": measure, "planned_finish_on": DAY, "reason": "不想查", "measure_with": "十月抽查"
    }  # fmt: skip
    said = "双随机抽中的对象须检查"
    back = browser.post(url(task, "acknowledge"), sent)
    assert back.status_code == 422
    assert said in back.content.decode()
    address = f"/api/v1/tasks/{task.number}"
    assert client.post(f"{address}/acknowledgement/", sent, format="json").json()["code"] == "drawn-must-be-checked"
    group = reverse("tasks:bulk_group", args=[task.office_id, task.sub_item_id])
    assert f'value="{measure}"' not in browser.get(group).content.decode()
    assert browser.post(group, sent | {"numbers": [task.number]}).status_code == 422
    many = client.post("/api/v1/tasks/acknowledgements/", sent | {"numbers": [task.number]}, format="json")
    assert (many.status_code, many.json()["code"]) == (422, "tasks-refused")
    assert "是双随机抽中的，须检查" in many.json()["detail"]
    assert fresh(task).status == TaskStatus.VIEWED
    assert browser.post(url(task, "acknowledge"), sent | {"measure": "on_site"}).status_code == 302
    assert f'value="{measure}"' not in browser.get(url(task, "replan")).content.decode()
    back = browser.post(url(task, "replan"), sent)
    assert back.status_code == 422
    assert said in back.content.decode()
    assert client.post(f"{address}/plan/", sent, format="json").json()["code"] == "drawn-must-be-checked"
    assert fresh(task).measure == "on_site"
