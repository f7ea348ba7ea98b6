"""The day by which the inbox is sorted is that of the clock that presses, whoever wrote what and however."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from deadlines import jobs
from deadlines.clock import local_date
from deadlines.models import Deadline
from deadlines.notice import Notice
from deadlines.office import draft_year, publish
from offices.models import Posting, User
from supervision import pressing
from supervision.actions.ordering import ask_extension, settle_extension
from supervision.enums import OrderStatus
from supervision.enums import TaskStatus as S
from supervision.models import Rectification, SupervisionTask
from supervision.models.tasks import NO_DAY, NO_DAY_YET
from supervision.reconcile import differences
from tests.approvals.window import text_of
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some
from tests.supervision.standing import undone

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def expected(task: SupervisionTask) -> dt.date:
    """The day as the rules say it, worked out from the rows one by one."""
    task = SupervisionTask.objects.get(pk=task.pk)
    clock = getattr(task, task.pressing_clock) if task.pressing_clock else None
    order = Rectification.objects.filter(task=task, status=OrderStatus.RUNNING).first()
    if task.status == S.RECTIFYING and order is not None:
        day: dt.date = order.due_on
        return day
    if clock is not None:
        return clock.due_on  # type: ignore[no-any-return]
    return NO_DAY_YET if task.status in {S.NOTIFIED, S.VIEWED, S.DISPUTED} else NO_DAY


def held(task: SupervisionTask) -> dt.date:
    """The day in the row."""
    found: dt.date = SupervisionTask.objects.values_list("pressing_on", flat=True).get(pk=task.pk)
    return found


def test_in_every_state_it_is_the_day_of_the_clock_that_presses(city: None, clock: Moment) -> None:
    task, seen = some.notified(clock.at), set()
    for state in S:
        with undone():
            stand = standing.task_in(task, state, "", clock.at)
            assert held(stand.task) == expected(stand.task), state
            seen.add(held(stand.task))
            assert not list(pressing.differences())
    assert NO_DAY in seen
    assert len(seen) > 4


def test_it_follows_the_order_and_its_extension_and_falls_back_when_it_ends(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at + dt.timedelta(hours=3))
    make.fed_back(task, clock.at + dt.timedelta(hours=4))
    before = held(task)
    assert before == order.due_on == expected(task)
    until = order.due_on + dt.timedelta(days=5)
    ask_extension(order, until=until, reason="设备到货延迟，附厂家说明。", by=make.manager(task), now=clock.at)
    assert held(task) == before, "nothing is granted yet"
    settle_extension(order, grant=True, answer="同意。", by=make.head(task), now=clock.at)
    order.refresh_from_db()
    assert held(task) == order.due_on == expected(task) > before
    ended = {"status": OrderStatus.NOT_MENDED, "settled_by": make.manager(task), "settled_at": clock.at}
    Rectification.objects.filter(pk=order.pk).update(**ended)
    assert held(task) == expected(task) != order.due_on


def test_it_moves_with_its_clock_and_with_no_other(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    assert task.acknowledge_deadline_id is not None
    assert task.planned_deadline_id is not None
    day = held(task)
    Deadline.objects.filter(pk=task.acknowledge_deadline_id).update(due_on=day + dt.timedelta(days=30))
    assert held(task) == day, "it was taken: this clock presses no more"
    Deadline.objects.filter(pk=task.planned_deadline_id).update(due_on=day + dt.timedelta(days=3))
    assert held(task) == day + dt.timedelta(days=3) == expected(task)


def test_a_task_saved_from_an_older_look_keeps_its_day(city: None, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    assert task.planned_deadline_id is not None
    older = SupervisionTask.objects.get(pk=task.pk)
    day = held(task) + dt.timedelta(days=2)
    Deadline.objects.filter(pk=task.planned_deadline_id).update(due_on=day)
    older.save()
    assert held(task) == day


def test_a_calendar_that_moves_the_clock_moves_the_line(
    city: None, clock: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BREATH", 0)
    clock.to("2026-12-31 10:00")
    task = some.notified(clock.at)
    before = held(task)
    keeper = User.objects.filter(postings__role=Posting.Role.OVERSEER).order_by("pk")[0]
    notice = Notice(2027, "通知", off={dt.date(2027, 1, day): "元旦" for day in range(1, 6)})
    draft = draft_year(notice, by=keeper, now=clock.at)
    jobs.run()
    publish(draft, by=keeper, now=clock.at)
    jobs.run()
    assert held(task) == expected(task) > before


def test_the_inbox_stands_in_the_order_of_the_days(sign_in: SignIn, clock: Moment) -> None:
    task = some.acknowledged(clock.at)
    others = some.copies(some.notified(clock.at), 4)
    plan: dict[str, object] = {
        "status": task.status,
        "measure": task.measure,
        "planned_finish_on": task.planned_finish_on,
    }
    plan |= {"acknowledged_at": task.acknowledged_at, "acknowledged_by": task.acknowledged_by}
    assert task.planned_deadline_id is not None
    for place, one in enumerate(reversed(others), start=1):
        clock_of = Deadline.objects.get(pk=task.planned_deadline_id)
        clock_of.pk, clock_of.due_on = None, clock_of.due_on + dt.timedelta(days=place)
        clock_of.stream = one.stream
        clock_of.save(force_insert=True)
        SupervisionTask.objects.filter(pk=one.pk).update(planned_deadline=clock_of, **plan)
    page = text_of(sign_in(some.manager_of(task)).get("/tasks/"))
    places = [page.index(f">{one.number}") for one in (task, *reversed(others))]
    assert places == sorted(places)
    late = local_date(clock.at) + dt.timedelta(days=400)
    clock.at = dt.datetime.combine(late, dt.time(10), clock.at.tzinfo)
    assert others[0].number in text_of(sign_in(some.manager_of(task)).get("/tasks/", {"late": "1"}))


def test_what_was_written_past_the_database_is_named_and_mended(city: None, clock: Moment) -> None:
    task, whole = some.acknowledged(clock.at), some.notified(clock.at)
    assert task.planned_deadline_id is not None
    day = held(task)
    assert pressing.triggers_stand(["default"]) == []
    pressing.remove(connection)
    [said] = pressing.triggers_stand(["default"])
    assert said.id == "supervision.W002"
    SupervisionTask.objects.filter(pk=task.pk).update(pressing_on=day - dt.timedelta(days=1))
    [named] = [one for one in differences(clock.at) if "pressing clock" in one]
    assert task.number in named
    assert whole.number not in named
    assert pressing.write_days(connection) == 1
    assert held(task) == day
    pressing.DAY.reinstall("default")
    assert pressing.triggers_stand(["default"]) == []
    Deadline.objects.filter(pk=task.planned_deadline_id).update(due_on=day + dt.timedelta(days=1))
    assert held(task) == day + dt.timedelta(days=1)
