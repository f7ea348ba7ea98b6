"""Completion opens the tasks in the same transaction; the manager's road to the end."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.actions import complete_case
from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.signals import case_completed
from catalogue.models import Linkage
from credit.models import CreditRecord
from deadlines.sweep import sweep
from ledger import verify
from ledger.models import Entry
from notifications import kinds
from notifications.deliver import deliver
from notifications.models import Message, PhoneMessage
from offices.models import User
from supervision import actions
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


def manager_of(task: SupervisionTask, on: dt.date) -> User:
    return task.office.managers(on)[0]


def test_a_completed_case_has_one_task_for_each_linkage_and_one_sms_for_each_manager(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    linkages = Linkage.objects.active().filter(business_item=case.business_item)
    tasks = SupervisionTask.objects.filter(case=case)
    assert {task.linkage_id for task in tasks} == {linkage.pk for linkage in linkages}
    for task in tasks:
        people = task.office.managers(clock.at.date())
        sent = Message.objects.filter(reference=task.stream, kind="task_opened")
        assert sorted(m.to_user_id or 0 for m in sent) == sorted(p.pk for p in people)
    assert list(verify.faults()) == []


def test_a_failing_listener_leaves_the_case_undecided(city: None, clock: Moment) -> None:
    case = play.approved(clock.at)

    def refuse(**kwargs: object) -> None:
        raise RuntimeError("the listener fails")

    case_completed.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            complete_case(case, by=play.person("zhujian.shenchaa"), now=clock.at)
    finally:
        case_completed.disconnect(refuse)
    case.refresh_from_db()
    assert case.status == CaseStatus.APPROVED
    assert not SupervisionTask.objects.exists()
    assert not Message.objects.filter(kind="task_opened").exists()


def test_completion_takes_at_most_sixteen_statements_whatever_the_number_of_tasks(city: None, clock: Moment) -> None:
    play.completed(clock.at)  # the year's series of licence numbers is open
    counts = {}
    for name in ("商品房预售许可", "建设项目交通影响评价"):
        found = Linkage.objects.active().filter(business_item__name__startswith=name[:4]).first()
        assert found is not None
        case = play.approved(clock.at, found.business_item)
        by = case.reviewer
        assert by is not None
        with CaptureQueriesContext(connection) as seen:
            complete_case(case, by=by, now=clock.at)
        work = [q["sql"] for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
        counts[case.tasks.count()] = len(work)
        assert len(work) <= 16, "\n".join(sql[:150] for sql in work)
    assert len(set(counts.values())) == 1, counts


def test_the_acknowledge_clock_starts_when_the_gateway_accepts_the_sms(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    task = SupervisionTask.objects.filter(case=case, acknowledge_deadline__isnull=True).first()
    assert task is not None
    clock.to("2026-09-28 10:05")
    deliver(clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is not None
    assert task.acknowledge_deadline.due_on == dt.date(2026, 10, 8)  # 29, 30 September, then the holiday, 8 October
    assert task.sms_sent_at == clock.at
    assert PhoneMessage.objects.filter(to_user=manager_of(task, clock.at.date())).count() >= 1


def test_whoever_acknowledges_before_the_sms_is_out_needs_no_clock(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    task = SupervisionTask.objects.filter(case=case)[0]
    manager = manager_of(task, clock.at.date())
    task = actions.view_task(task, by=manager, now=clock.at)
    actions.acknowledge(task, measure="on_site", planned_finish_on=clock.at.date(), by=manager, now=clock.at)
    deliver(clock.at)
    task.refresh_from_db()
    assert task.acknowledge_deadline is None
    assert task.sms_sent_at is not None
    assert Entry.objects.filter(stream=task.stream, act="task.sms_sent").count() == 1


def test_the_whole_road_of_a_task(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    deliver(clock.at)
    task = SupervisionTask.objects.filter(case=case).first()
    assert task is not None
    by = manager_of(task, clock.at.date())
    actions.view_task(task, by=by, now=clock.at)
    actions.acknowledge(task, measure="on_site", planned_finish_on=dt.date(2026, 9, 30), by=by, now=clock.at)
    clock.to("2026-09-30 15:00")
    actions.finish(task, finished_on=dt.date(2026, 9, 30), by=by, now=clock.at)
    task.refresh_from_db()
    assert task.feedback_deadline is not None
    assert task.feedback_deadline.due_on == dt.date(2026, 10, 13)  # 8, 9, 10 (a working Saturday), 12, 13
    done = actions.feed_back(
        task, result="conforming", text="符合。", platform="internet_plus", platform_number="JG-1", by=by, now=clock.at
    )
    assert done.status == TaskStatus.CLOSED
    assert not CreditRecord.objects.exists()  # no promise was made in this case
    assert list(verify.faults()) == []


def test_reminders_climb_the_ladder(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    deliver(clock.at)
    task = SupervisionTask.objects.filter(case=case).first()
    assert task is not None
    told: dict[str, set[str]] = {}
    for day in ("2026-09-30 09:01", "2026-10-08 09:01", "2026-10-09 09:01", "2026-10-10 09:01"):
        clock.to(day)
        sweep(clock.at)
        told[day[5:10]] = set(
            Message.objects.filter(kind="task_reminder", reference=task.stream, created_at=clock.at).values_list(
                "to_user__username", flat=True
            )
        )
    manager = task.office.managers(clock.at.date())[0].username
    assert told["09-30"] == {manager}
    assert told["10-08"] == {manager}
    assert manager in told["10-09"]
    assert any(name.endswith("fu") for name in told["10-09"])
    assert any(name.endswith("fuzeren") for name in told["10-09"])
    assert "duban1" not in told["10-09"]
    assert "duban1" in told["10-10"]


def test_a_case_without_any_office_goes_to_the_overseers_pool(city: None, clock: Moment) -> None:
    case = play.approved(clock.at)
    Linkage.objects.filter(business_item=case.business_item).update(active=False)
    by = case.reviewer
    assert by is not None
    complete_case(case, by=by, now=clock.at)
    assert Case.objects.get(pk=case.pk).unlinked.settled_at is None
    assert Message.objects.filter(kind="overseer_alarm", to_user__username="duban1").count() == 1


def test_a_failed_task_sms_climbs_to_the_deputy_then_the_head_then_the_overseers(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    task = SupervisionTask.objects.filter(case=case).first()
    assert task is not None
    climbed = []
    for _ in range(4):
        message = Message.objects.filter(reference=task.stream, kind="task_opened").order_by("-pk")[0]
        rung = message.dedupe_key.split(":")[2]
        climbed.append(rung)
        kinds.tell_failed([message], clock.at)
        kinds.tell_failed([message], clock.at)  # a repeated receipt tells nobody twice
    assert climbed == ["manager", "deputy", "head", "overseer"]
    sent = Message.objects.filter(reference=task.stream, kind="task_opened")
    assert sent.count() == len({m.dedupe_key for m in sent})
    acts = Entry.objects.filter(stream=task.stream, act="task.sms_failed").values_list("data", flat=True)
    assert [data["next"] for data in acts][-1] == "nobody"
