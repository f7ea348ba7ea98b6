"""更正检查记录: asked for with a reason, answered by a head, the record stays and counts no more; pages and API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from approvals.exceptions import Refused
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from offices.tokens import issue
from supervision import actions, reconcile
from supervision.actions import correcting, inspecting, ordering, proposing
from supervision.actions.feedback import findings_of_clauses, worst_inspection
from supervision.enums import InspectionKind, Measure, Origin, TaskStatus
from supervision.models import Finding, Inspection, Rectification, SetAside, SupervisionTask
from tests import city as demo_city
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import standing
from tests.supervision import tasks as some
from tests.supervision.test_orders_races import together

SignIn = Callable[[str], Client]
REASON = "查的是隔壁企业，把对象弄错了。"
GRANTED = "经核对照片，确属对象错误。"
LIST = "/tasks/set-asides/"


def ask_url(task: SupervisionTask) -> str:
    return reverse("tasks:set_aside", args=[task.number])


def answer_url(asked: SetAside) -> str:
    return reverse("tasks:set_aside_answer", args=[asked.pk])


def task_page(browser: Client, task: SupervisionTask) -> str:
    return browser.get(reverse("tasks:task", args=[task.number])).content.decode()


def record_page(browser: Client, task: SupervisionTask, order: int = 1) -> str:
    return browser.get(reverse("tasks:inspection", args=[task.number, order])).content.decode()


def ask(task: SupervisionTask, now: dt.datetime, record: int = 1, by: User | None = None) -> SetAside:
    return correcting.ask_set_aside(task, record=record, reason=REASON, by=by or make.manager(task), now=now)


def grant(asked: SetAside, task: SupervisionTask, now: dt.datetime, *, grant: bool = True) -> SetAside:
    return correcting.settle_set_aside(asked, grant=grant, answer=GRANTED, by=make.head(task), now=now)


def api(person: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return client


def rows_of(record: Inspection) -> tuple[Any, ...]:
    """The record and its findings as they are stored."""
    return (
        Inspection.objects.values().get(pk=record.pk),
        list(Finding.objects.filter(inspection=record).order_by("pk").values()),
        list(record.task.papers.order_by("pk").values()),
    )


@pytest.mark.django_db
def test_set_aside_and_looked_at_again(city: None, clock: Moment, sign_in: SignIn) -> None:
    """The whole of it by hand: a mistaken 不符合, the request, the grant, another record, 符合 is fed back."""
    task = make.faulty(clock.at)
    record, before = task.inspections.get(), rows_of(task.inspections.get())
    clock.to("2026-09-28 15:00")
    manager, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    assert ask_url(task) in task_page(manager, task)
    assert f"{ask_url(task)}?record=1" in record_page(manager, task)
    assert "第 1 次" in manager.get(ask_url(task)).content.decode()
    assert "没有待批复的申请" in head.get(LIST).content.decode()
    assert LIST not in head.get("/tasks/").content.decode()  # on the rail with work only
    sent = manager.post(ask_url(task), {"record": 1, "reason": REASON}, follow=True).content.decode()
    assert "作废待批" in sent
    assert ask_url(task) not in sent
    assert LIST in head.get("/tasks/").content.decode()
    asked = SetAside.objects.get()
    told = Message.objects.filter(kind="record_aside_asked")
    assert [one.to_user for one in told] == [make.head(task)]
    assert task.number in told[0].text
    assert answer_url(asked) in head.get(LIST).content.decode()
    assert answer_url(asked) in record_page(head, task)
    # Until the head has spoken the record binds.
    assert worst_inspection(task) == ordering.faulty(task) == record
    assert REASON in head.get(answer_url(asked)).content.decode()
    done = head.post(answer_url(asked), {"verdict": "grant", "answer": GRANTED}, follow=True)
    assert "已批准，这份检查记录作废。" in done.content.decode()
    assert worst_inspection(task) is ordering.faulty(task) is None
    assert rows_of(record) == before  # history is never changed
    said = f"{REASON}（{make.head(task).full_name} 2026-09-28 15:00 批准：{GRANTED}）"
    assert f"已作废：{said}" in task_page(manager, task)
    assert "已作废，不再作为依据" in record_page(manager, task)
    assert said in record_page(manager, task)
    answered = Message.objects.filter(kind="record_aside_settled")
    assert {one.to_user for one in answered} == set(task.office.managers(clock.at.date()))
    assert all("请重新检查" in one.text for one in answered)
    acts = list(Entry.objects.filter(stream=task.stream).order_by("-seq").values_list("act", flat=True)[:2])
    assert acts == ["task.record_set_aside", "task.record_aside_asked"]
    assert "没有待批复的申请" in head.get(LIST).content.decode()
    assert answer_url(asked) in head.get(f"{LIST}?tab=settled").content.decode()
    # Another record, and what it found is fed back.
    make.look(task, clock.at, bad=False)
    by = make.manager(task)
    task = actions.finish(standing.fresh(task), finished_on=clock.at.date(), by=by, now=clock.at)
    task = actions.feed_back(task, result="conforming", by=by, now=clock.at, **make.FED)
    assert task.status == TaskStatus.CLOSED
    assert "已作废" in task_page(manager, task)
    assert [one.order for one in task.inspections.order_by("order")] == [1, 2]


@pytest.mark.django_db
def test_refused_it_binds_as_before_and_may_be_asked_again(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    asked = ask(task, clock.at)
    head = sign_in(make.head(task).username)
    page = head.post(answer_url(asked), {"verdict": "refuse", "answer": GRANTED}, follow=True)
    assert "记录仍然有效" in page.content.decode()
    assert worst_inspection(task) == asked.inspection
    manager = sign_in(some.manager_of(task))
    assert f"申请作废未获批准：{GRANTED}" in task_page(manager, task)
    assert all("未获批准" in one.text for one in Message.objects.filter(kind="record_aside_settled"))
    assert Entry.objects.filter(stream=task.stream, act="task.record_aside_refused").exists()
    assert head.post(answer_url(asked), {"verdict": "grant", "answer": GRANTED}).status_code == 409
    grant(ask(task, clock.at), task, clock.at)
    assert worst_inspection(task) is None


@pytest.mark.django_db
@pytest.mark.parametrize("short", ["", "是", "弄 错 了 对 象 的 记 录"])
def test_a_word_is_too_little(city: None, clock: Moment, sign_in: SignIn, short: str) -> None:
    task = make.faulty(clock.at)
    manager, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    code = "reason-too-short" if short else "reason-missing"
    back = manager.post(ask_url(task), {"record": 1, "reason": short})
    assert back.status_code == 422
    assert "请写明" in back.content.decode()
    assert short in back.content.decode()
    assert " checked" in back.content.decode()
    said = api(make.manager(task)).post(
        f"/api/v1/tasks/{task.number}/set-aside/", {"record": 1, "reason": short}, format="json"
    )
    assert (said.status_code, said.json()["code"]) == (422, code)
    assert not SetAside.objects.exists()
    asked = ask(task, clock.at)
    for verdict in ("grant", "refuse"):
        back = head.post(answer_url(asked), {"verdict": verdict, "answer": short})
        assert back.status_code == 422
        assert short in back.content.decode()
        said = api(make.head(task)).post(
            f"/api/v1/tasks/{task.number}/set-aside-answer/", {"grant": verdict == "grant", "answer": short},
            format="json",
        )  # fmt: skip
        assert (said.status_code, said.json()["code"]) == (422, code)
    assert head.post(answer_url(asked), {"answer": GRANTED}).status_code == 422
    asked.refresh_from_db()
    assert asked.granted is None


@pytest.mark.django_db
def test_which_record(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    make.look(task, clock.at + dt.timedelta(hours=3), bad=False)
    clock.to("2026-09-28 15:00")
    manager = sign_in(some.manager_of(task))
    for wrong in ("", "3", "x"):
        back = manager.post(ask_url(task), {"record": wrong, "reason": REASON})
        assert back.status_code == 422
        assert REASON in back.content.decode()
    told = api(make.manager(task)).post(
        f"/api/v1/tasks/{task.number}/set-aside/", {"record": 3, "reason": REASON}, format="json"
    )
    assert (told.status_code, told.json()["code"]) == (422, "record-missing")
    assert told.json()["errors"][0]["field"] == "record"
    both = [ask(task, clock.at, record) for record in (1, 2)]
    head = api(make.head(task))
    url, body = f"/api/v1/tasks/{task.number}/set-aside-answer/", {"grant": True, "answer": GRANTED}
    assert head.post(url, body, format="json").json()["code"] == "record-missing"
    done = head.post(url, body | {"record": 1}, format="json").json()
    assert (done["id"], done["granted"], done["record"], done["answer"]) == (both[0].pk, True, 1, GRANTED)
    assert ordering.faulty(task) is None
    found = api(make.manager(task)).get(f"/api/v1/tasks/{task.number}/inspections/").json()
    assert [(one["order"], one["set_aside"]) for one in found] == [(1, True), (2, False)]
    waits = head.get("/api/v1/tasks/set-asides/").json()["results"]
    assert [one["id"] for one in waits] == [both[1].pk]
    over = head.get("/api/v1/tasks/set-asides/?tab=settled").json()["results"]
    assert [one["id"] for one in over] == [both[0].pk]
    csv = sign_in(make.head(task).username).get(f"{LIST}export.csv?tab=settled").getvalue().decode()
    assert task.number in csv
    assert GRANTED in csv


@pytest.mark.django_db
def test_of_two_requests_the_one_that_an_order_overtook_does_not_wait(city: None, clock: Moment) -> None:
    """The list shows one, and the answer without a number is about it; named, the other says what overtook it."""
    task = make.faulty(clock.at)
    make.look(task, clock.at + dt.timedelta(hours=3), bad=False)
    clock.to("2026-09-28 15:00")
    overtaken, waits = [ask(task, clock.at, record) for record in (1, 2)]
    make.ordered(task, clock.at)
    head = api(make.head(task))
    url, body = f"/api/v1/tasks/{task.number}/set-aside-answer/", {"grant": True, "answer": GRANTED}
    assert [one["id"] for one in head.get("/api/v1/tasks/set-asides/").json()["results"]] == [waits.pk]
    named = head.post(url, body | {"record": 1}, format="json")
    assert (named.status_code, named.json()["code"]) == (409, "record-in-use")
    done = head.post(url, body, format="json")
    assert (done.status_code, done.json()["id"]) == (200, waits.pk)
    assert head.post(url, body, format="json").status_code == 409
    overtaken.refresh_from_db()
    assert overtaken.granted is None


@pytest.mark.django_db
def test_who_answers(city: None, clock: Moment, sign_in: SignIn) -> None:
    """A head, who neither asked nor inspected; of another department nobody finds it."""
    task = make.faulty(clock.at)
    head = make.head(task)
    Posting.objects.create(
        user=head, department=task.department, office=task.office, role="office_manager", starts_on="2026-01-01"
    )
    own = ask(task, clock.at, by=head)
    page = sign_in(head.username)
    assert "须由其他负责人批复" in page.get(answer_url(own)).content.decode()
    assert page.post(answer_url(own), {"verdict": "grant", "answer": GRANTED}).status_code == 409
    assert not Message.objects.filter(kind="record_aside_asked", to_user=head).exists()
    SetAside.objects.all().delete()
    Inspection.objects.filter(task=task).update(first_officer=head)
    looked = ask(task, clock.at)
    assert "您是这份检查记录的检查人员" in page.get(answer_url(looked)).content.decode()
    with pytest.raises(Refused) as refused:
        grant(looked, task, clock.at)
    assert refused.value.code == "record-own"
    assert LIST not in page.get("/tasks/").content.decode()
    deputy = task.office.deputies(clock.at.date())[0]
    with pytest.raises(Refused) as refused:
        correcting.settle_set_aside(looked, grant=True, answer=GRANTED, by=deputy, now=clock.at)
    assert refused.value.code == "not-head"
    others = Posting.objects.filter(role="department_head").exclude(department=task.department)
    for stranger in others[:2]:
        assert sign_in(stranger.user.username).get(answer_url(looked)).status_code == 404
        assert answer_url(looked) not in sign_in(stranger.user.username).get(LIST).content.decode()
        gone = api(stranger.user).post(
            f"/api/v1/tasks/{task.number}/set-aside-answer/", {"grant": True, "answer": GRANTED}, format="json"
        )
        assert gone.status_code == 404
    assert sign_in(some.manager_of(task)).get(LIST).status_code == 404


@pytest.mark.django_db
def test_what_an_order_rests_on_stays(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    asked = ask(task, clock.at + dt.timedelta(hours=3))
    make.ordered(task, clock.at + dt.timedelta(hours=3))
    clock.to("2026-09-28 16:00")
    head = sign_in(make.head(task).username)
    assert "作废待批" not in task_page(head, task)
    assert "已申请作废" not in record_page(head, task)
    assert "不需要再批复" in head.get(answer_url(asked)).content.decode()
    assert head.post(answer_url(asked), {"verdict": "grant", "answer": GRANTED}).status_code == 409
    assert "没有待批复的申请" in head.get(LIST).content.decode()
    assert "不再办理" in head.get(f"{LIST}?tab=settled").content.decode()
    SetAside.objects.all().delete()
    manager = sign_in(some.manager_of(task))
    assert ask_url(task) not in task_page(manager, task)
    refused = manager.post(ask_url(task), {"record": 1, "reason": REASON})
    assert refused.status_code == 409
    assert REASON in refused.content.decode()
    # A re-inspection is looked at anew, not set aside.
    make.look(task, clock.at, bad=True, kind=InspectionKind.AGAIN)
    back = manager.post(ask_url(task), {"record": 2, "reason": REASON})
    assert back.status_code == 422
    assert "请再作一次复查" in back.content.decode()


@pytest.mark.django_db
def test_what_was_fed_back_stays(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = make.faulty(clock.at)
    asked = ask(task, clock.at + dt.timedelta(hours=3))
    task = make.fed_back(task, clock.at + dt.timedelta(hours=3))
    manager, head = sign_in(some.manager_of(task)), sign_in(make.head(task).username)
    assert manager.get(ask_url(task)).status_code == 302
    assert manager.post(ask_url(task), {"record": 1, "reason": REASON}).status_code == 409
    assert head.post(answer_url(asked), {"verdict": "grant", "answer": GRANTED}).status_code == 409
    assert "作废待批" not in task_page(manager, task)
    assert "没有待批复的申请" in head.get(LIST).content.decode()


@pytest.mark.django_db
def test_a_promise_is_found_clause_by_clause_without_it(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at, promise=True)
    now = clock.at + dt.timedelta(hours=3)
    grant(ask(task, now), task, now)
    assert findings_of_clauses(task) == {}
    by = make.manager(task)
    with pytest.raises(Refused) as refused:
        actions.finish(task, finished_on=now.date(), by=by, now=now)
    assert refused.value.code == "clauses-not-inspected"
    make.look(task, now, bad=False)
    assert set(findings_of_clauses(task).values()) == {"conforming"}
    task = actions.finish(task, finished_on=now.date(), by=by, now=now)
    clauses = ["conforming"] * len(task.promise_clauses)
    done = actions.feed_back(task, result="conforming", clause_results=clauses, by=by, now=now, **make.FED)
    assert done.status == TaskStatus.CLOSED


@pytest.mark.django_db
def test_a_draw_needs_its_two_officers_again(city: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    record = field.inspected(task, clock.at)
    SupervisionTask.objects.filter(pk=task.pk).update(origin=Origin.DRAW, measure=Measure.OFF_SITE)
    by = make.manager(task)
    task = actions.finish(standing.fresh(task), finished_on=clock.at.date(), by=by, now=clock.at)
    asked = correcting.ask_set_aside(task, record=record.order, reason=REASON, by=by, now=clock.at)
    grant(asked, task, clock.at)
    with pytest.raises(Refused) as refused:
        actions.finish(task, finished_on=clock.at.date(), by=by, now=clock.at)
    assert refused.value.code == "draw-not-inspected"
    task = standing.fresh(task)
    first, second = field.officers(task)
    again = standing.look(task, clock.at, result="conforming")
    for change, code in (({}, "second-officer-missing"), ({"second_officer": second.pk}, "")):
        draft = inspecting.InspectionDraft(
            **{name: getattr(again, name) for name in again.__dataclass_fields__} | {"first_officer": first.pk} | change
        )
        if code:
            with pytest.raises(Refused) as refused:
                inspecting.record_inspection(task, draft=draft, by=by, now=clock.at)
            assert refused.value.code == code
        else:
            inspecting.record_inspection(task, draft=draft, by=by, now=clock.at)
    task = actions.finish(standing.fresh(task), finished_on=clock.at.date(), by=by, now=clock.at)
    assert actions.feed_back(task, result="conforming", by=by, now=clock.at, **make.FED).status == TaskStatus.CLOSED


@pytest.mark.django_db
def test_its_paper_says_so_and_is_no_evidence(city: None, clock: Moment, sign_in: SignIn, client: Client) -> None:
    task = field.ready(clock.at)
    field.inspected(task, clock.at, bad=field.names(task)[0])
    paper = task.papers.get()
    verify = f"/verify/{paper.verify_code}/"
    assert "已作废" not in client.get(verify).content.decode()
    grant(ask(task, clock.at), task, clock.at)
    shown = sign_in(some.manager_of(task)).get(reverse("tasks:paper", args=[paper.pk])).content.decode()
    assert '<p class="paper-state">已作废</p>' in shown
    assert "已作废" in client.get(verify).content.decode()
    assert proposing.evidence_of(task) == []
    field.approve_visit(task, clock.at)
    field.inspected(task, clock.at, bad=field.names(task)[0])
    assert [one["label"] for one in proposing.evidence_of(task)] == ["检查情况和照片", "现场检查记录"]
    order = make.ordered(task, clock.at)
    assert order.inspection.order == 2


@pytest.mark.django_db
def test_the_database_holds_it(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    asked = ask(task, clock.at)
    record, by, head = asked.inspection, asked.asked_by, make.head(task)
    answered: dict[str, Any] = {"answer": GRANTED, "settled_by": head, "settled_at": clock.at}
    row: dict[str, Any] = {"inspection": record, "reason": REASON, "asked_by": by, "asked_at": clock.at}
    wrong = [
        row,  # a second open one
        row | answered | {"granted": True},  # granted beside an open one
        row | answered | {"granted": False, "answer": ""},
        row | answered | {"granted": False, "settled_by": by},
        row | answered | {"granted": False, "settled_by": None},
        row | answered | {"granted": False, "reason": ""},
    ]
    for one in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            SetAside.objects.create(**one)
    SetAside.objects.create(**row, **answered, granted=False)
    grant(asked, task, clock.at)
    with pytest.raises(IntegrityError), transaction.atomic():
        SetAside.objects.create(**row)


@pytest.mark.django_db(transaction=True)
def test_two_at_once(transactional_db: None, clock: Moment) -> None:
    """Two managers ask at once: one request. A grant meets an order: the order rests on no record that is set aside."""
    demo_city.load()
    task = make.faulty(clock.at)
    today = timezone.localtime(clock.at).date()
    two = [task.office.managers(today)[0], task.office.deputies(today)[0]]
    said = together(*(lambda by=by: ask(task, clock.at, by=by) for by in two))
    assert sorted(said) == ["done", "record-set-aside"]
    asked = SetAside.objects.get()
    head = make.head(task)
    said = together(
        lambda: correcting.settle_set_aside(asked, grant=True, answer=GRANTED, by=head, now=clock.at),
        lambda: make.ordered(task, clock.at),
    )
    assert sorted(said) in (["done", "order-needs-finding"], ["done", "record-in-use"])
    asked.refresh_from_db()
    assert bool(asked.granted) != Rectification.objects.exists()
    connection.close()


@pytest.mark.parametrize("planned", [3, 12])
@pytest.mark.django_db
def test_a_finished_task_without_a_record_is_looked_at_again(
    city: None, clock: Moment, sign_in: SignIn, planned: int
) -> None:
    """The second look has a planned day with its clock; without it nothing is finished or fed back."""
    task = make.faulty(clock.at, planned=planned)
    at = clock.at + dt.timedelta(hours=3)
    by = make.manager(task)
    task = actions.finish(task, finished_on=at.date(), by=by, now=at)
    asked = ask(task, at)
    feedback, before = task.feedback_deadline, task.planned_finish_on
    clock.to("2026-10-09 10:00")
    sign_in(make.head(task).username).post(answer_url(asked), {"verdict": "grant", "answer": GRANTED})
    task = standing.fresh(task)
    assert (task.status, task.finished_on) == (TaskStatus.IN_PROGRESS, None)
    assert feedback is not None
    feedback.refresh_from_db()
    assert feedback.state == "cancelled"
    # The planned day that is still to come stays; one that is over is five working days from now.
    expected = before if planned == 12 else dt.date(2026, 10, 15)
    assert task.planned_finish_on == expected
    assert task.planned_deadline is not None
    assert (task.planned_deadline.is_open, task.planned_deadline.due_on) == (True, expected)
    assert expected is not None
    told = Message.objects.filter(kind="record_aside_settled")
    assert told
    assert all(f"计划完成日{expected.month}月{expected.day}日" in one.text for one in told)
    assert list(reconcile.differences(clock.at)) == []

    manager = sign_in(some.manager_of(task))
    day = clock.at.date().isoformat()
    refused = manager.post(reverse("tasks:finish", args=[task.number]), {"finished_on": day})
    assert refused.status_code in {409, 422}
    assert "请重新检查" in refused.content.decode()
    make.look(task, clock.at, bad=False)
    assert (
        "已"
        in manager.post(reverse("tasks:finish", args=[task.number]), {"finished_on": day}, follow=True).content.decode()
    )
    task = actions.feed_back(standing.fresh(task), result="conforming", by=by, now=clock.at, **make.FED)
    assert task.status == TaskStatus.CLOSED
    assert list(reconcile.differences(clock.at)) == []


@pytest.mark.django_db
def test_a_finished_task_with_another_record_stays_finished(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    at = clock.at + dt.timedelta(hours=4)
    make.look(task, at, bad=True)
    task = actions.finish(standing.fresh(task), finished_on=at.date(), by=make.manager(task), now=at)
    grant(ask(task, at), task, at)
    task = standing.fresh(task)
    assert (task.status, task.finished_on) == (TaskStatus.FINISHED, at.date())
