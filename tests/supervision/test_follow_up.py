"""后续处理: while something is left to be done about a task and no order runs, a clock does."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from deadlines.actions import cancel_many
from deadlines.models import Deadline
from deadlines.sweep import sweep
from ledger.models import Entry
from notifications.models import Message
from supervision.actions import following, ordering, proposing
from supervision.actions.feedback import close_for_licence
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask
from supervision.reconcile import differences
from tests.conftest import Moment
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
LETTER = {"step": "hand", "to_name": "市场监管综合执法支队", "facts": "超范围经营。", "basis": "《食品安全法》"}
# Ten working days from Monday 2026-09-28: 1–7 October is off, the 10th of October is worked.
DUE = dt.date(2026, 10, 16)


def running(task: SupervisionTask) -> list[Deadline]:
    return list(Deadline.objects.filter(stream=task.stream, kind="follow_up", closed_at__isnull=True))


def ended(task: SupervisionTask) -> list[str]:
    rows = Deadline.objects.filter(stream=task.stream, kind="follow_up", closed_at__isnull=False)
    return list(rows.order_by("pk").values_list("state", flat=True))


def follow_differences(clock: Moment) -> list[str]:
    return [line for line in differences(clock.at) if "followed up" in line]


@pytest.mark.parametrize("result", ["nonconforming", "basically"])
def test_a_result_that_calls_for_something_starts_it(city: None, clock: Moment, result: str) -> None:
    task = make.faulty(clock.at) if result == "nonconforming" else standing_taken(clock)
    task = make.fed_back(task, clock.at, result)
    (found,) = running(task)
    assert (found.due_on, task.follow_up_deadline, task.current_deadline) == (DUE, found, found)
    assert follow_differences(clock) == []


def standing_taken(clock: Moment) -> SupervisionTask:
    return standing.taken(some.notified(clock.at), clock.at)


def test_a_result_that_calls_for_nothing_starts_none(city: None, clock: Moment) -> None:
    task = make.fed_back(standing_taken(clock), clock.at, "conforming")
    assert (task.status, task.follow_up_deadline) == (TaskStatus.CLOSED, None)


def test_the_closing_word_ends_it(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(standing_taken(clock), clock.at, "basically")
    address = reverse("tasks:task", args=[task.number])
    page = sign_in(some.manager_of(task)).get(address).content.decode()
    assert "监管后续处理期限" in page
    assert "2026-10-16" in page
    place = reverse("tasks:close", args=[task.number])
    answer = sign_in(some.manager_of(task)).post(place, {"follow_up": "已当场指导改正。"})
    assert answer.status_code == 302
    task.refresh_from_db()
    assert (task.status, running(task), ended(task)) == (TaskStatus.CLOSED, [], ["met"])


def test_an_order_takes_its_place_and_its_failing_starts_another(city: None, clock: Moment) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    order = make.ordered(task, clock.at)
    task.refresh_from_db()
    assert (running(task), ended(task), task.current_deadline) == ([], ["met"], None)
    assert follow_differences(clock) == []
    clock.to("2026-10-12 10:00")
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=clock.at)
    task.refresh_from_db()
    (again,) = running(task)
    assert (again.due_on, task.current_deadline) == (dt.date(2026, 10, 26), again)
    assert follow_differences(clock) == []


def test_an_order_that_failed_before_the_feedback_starts_it_with_the_feedback(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    order = make.ordered(task, clock.at)
    ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=clock.at)
    assert running(task) == []  # the planned day and the feedback press until then
    task = make.fed_back(task, clock.at)
    assert task.status == TaskStatus.RECTIFYING
    assert [one.due_on for one in running(task)] == [DUE]


def test_an_order_that_still_runs_presses_alone(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    make.ordered(task, clock.at)
    task = make.fed_back(task, clock.at)
    assert (task.status, running(task), task.follow_up_deadline) == (TaskStatus.RECTIFYING, [], None)


def test_handover_and_proposal_end_it_late_or_in_time(city: None, clock: Moment, sign_in: SignIn) -> None:
    task, _ = make.unmended(clock.at)
    other = make.fed_back(make.faulty(clock.at), clock.at)
    clock.to("2026-10-20 10:00")
    sign_in(some.manager_of(other)).post(reverse("tasks:handover", args=[other.number]), LETTER)
    assert (running(other), ended(other)) == ([], ["missed"])
    propose(task, clock)
    assert (running(task), ended(task)) == ([], ["met", "missed"])
    assert follow_differences(clock) == []


def propose(task: SupervisionTask, clock: Moment) -> None:
    by = make.manager(task)
    proposing.propose(task, facts="违背承诺且拒不整改。", keys=[standing.order_key(task)], by=by, now=clock.at)


def test_the_end_of_the_licence_takes_it_away(city: None, clock: Moment) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    standing.withdraw(task, clock.at)
    close_for_licence(task, reason="证照已注销，无须继续处理。", by=make.manager(task), now=clock.at)
    assert (running(task), ended(task)) == ([], ["cancelled"])


def test_it_climbs_the_ladder_and_is_listed_as_late(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    Message.objects.all().delete()
    told: dict[str, set[str]] = {}
    for moment in ("2026-10-15 09:30", "2026-10-19 09:30", "2026-10-20 09:30"):
        clock.to(moment)
        before = set(Message.objects.values_list("pk", flat=True))
        sweep(clock.at)
        rows = Message.objects.exclude(pk__in=before).filter(kind="task_reminder", text__contains="后续处理")
        told[moment[5:10]] = set(rows.values_list("to_user__username", flat=True))
    manager, head = some.manager_of(task), make.head(task).username
    assert told["10-15"] == {manager}
    assert {manager, head} <= told["10-19"]
    assert "duban1" not in told["10-19"]
    assert {manager, head, "duban1"} <= told["10-20"]
    inbox = sign_in(manager).get(reverse("tasks:list"), {"late": "1"}).content.decode()
    assert task.number in inbox
    board = sign_in("duban1").get(reverse("oversight:board"), {"kind": "follow_up"}).content.decode()
    assert "监管后续处理期限" in board


def test_tasks_that_were_left_without_one_get_it_once(city: None, clock: Moment) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    clocks = Deadline.objects.filter(stream=task.stream, kind="follow_up")
    SupervisionTask.objects.filter(pk=task.pk).update(follow_up_deadline=None)  # as before there was such a clock
    cancel_many(list(clocks), at=clock.at, reason="none-yet")
    assert len(follow_differences(clock)) == 1
    clock.to("2026-10-12 10:00")
    said = io.StringIO()
    call_command("begin_follow_ups", stdout=said)
    call_command("begin_follow_ups", stdout=said)
    assert said.getvalue() == "clocks begun 1\nclocks begun 0\n"
    assert [one.due_on for one in running(task)] == [dt.date(2026, 10, 26)]
    assert follow_differences(clock) == []
    assert Entry.objects.filter(stream=task.stream, act="deadline_started").last().at == clock.at  # type: ignore[union-attr]
    assert not following.begin_unwatched(task.pk, clock.at)
