"""The manager's inbox: whose tasks, by due day, counts, search, pages, export."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from offices.access import access_for
from offices.models import Posting
from supervision import actions, lists
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
LIST = "/tasks/"


def page(browser: Client, query: str = "") -> str:
    response = browser.get(f"{LIST}{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_managers_deputies_and_heads_see_the_tasks_of_theirs_and_nobody_else(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = some.notified(clock.at)
    manager = some.manager_of(task)
    stem = manager.split(".")[0]
    for name in (manager, f"{manager}fu", f"{stem}.fuzeren"):
        assert task.number in page(sign_in(name)), name
    others = Posting.objects.filter(role="office_manager").exclude(office=task.office).select_related("user")[:3]
    for posting in others:
        assert task.number not in page(sign_in(posting.user.username))
    for name in ("chuangkou1", "zhujian.shenchaa", "duban1", "guanliyuan1"):
        assert sign_in(name).get(LIST).status_code == 404
    assert Client().get(LIST).status_code == 302


def test_a_person_with_two_postings_sees_both_departments(city: None, clock: Moment, sign_in: SignIn) -> None:
    one = some.notified(clock.at)
    two = some.promised(clock.at)
    assert one.department_id != two.department_id
    person = play.person(some.manager_of(one))
    Posting.objects.create(
        user=person, department=two.department, office=two.office, role="office_manager", starts_on=clock.at.date()
    )
    html = page(sign_in(person.username))
    assert one.number in html
    assert two.number in html
    assert two.office.name in html  # with several offices each row names its own


def test_counts_are_filters_and_the_late_are_counted(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    assert '<span class="stat-count">1</span><span class="stat-label">待签收</span>' in page(browser)
    assert "没有正在检查的任务" in page(browser, "?queue=taken")
    assert "没有符合条件的监管任务" in page(browser, "?late=1")
    clock.to("2026-10-12 10:00")
    html = page(browser)
    assert "1 件已超期，请先办理" in html
    assert '<span class="stat-count">1</span><span class="stat-label">超期</span>' in html
    assert task.number in page(browser, "?late=1")


@pytest.mark.parametrize("manages", [False, True])
def test_an_inspectors_counts_hold_each_given_task_once(city: None, clock: Moment, *, manages: bool) -> None:
    task = some.notified(clock.at)
    first, second, _nobody = [task, *some.copies(task, 2)]
    inspects = some.inspector(task)
    other = play.person(some.manager_of(task))
    if manages:
        Posting.objects.create(
            user=inspects, department=task.department, office=task.office, role="office_manager",
            starts_on=clock.at.date(),
        )  # fmt: skip
    SupervisionTask.objects.filter(pk=first.pk).update(first_officer=inspects, second_officer=other)
    SupervisionTask.objects.filter(pk=second.pk).update(first_officer=other, second_officer=inspects)
    today = clock.at.date()
    counts = lists.counts(access_for(inspects, today), today)
    given = "3" if manages else "2"
    assert {key: found for key, found in counts.items() if found != "0"} == {"open": given, "new": given}
    stranger = some.inspector(task, "jiancha2")
    assert set(lists.counts(access_for(stranger, today), today).values()) == {"0"}


def test_a_task_moves_from_queue_to_queue(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    by = play.person(some.manager_of(task))
    browser = sign_in(by.username)
    assert task.number in page(browser, "?queue=new")
    actions.view_task(task, by=by, now=clock.at)
    assert task.number in page(browser, "?queue=new")
    actions.acknowledge(task, measure="on_site", planned_finish_on=clock.at.date(), by=by, now=clock.at)
    assert task.number in page(browser, "?queue=taken")
    actions.finish(task, finished_on=clock.at.date(), by=by, now=clock.at)
    assert task.number in page(browser, "?queue=finished")
    fed = {"text": "台账不全。", "platform": "market", "platform_number": "JG-9", "by": by, "now": clock.at}
    actions.feed_back(task, result="basically", **fed)  # type: ignore[arg-type]
    assert task.number in page(browser, "?queue=fed_back")
    actions.close(task, follow_up="已补齐。", by=by, now=clock.at)
    assert task.number in page(browser, "?queue=closed")
    assert task.number not in page(browser)


def test_search_by_number_subject_and_item(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    subject = task.subject
    assert task.case is not None
    for text in (task.number, task.case.number, subject.name[3:7], subject.code, "预售", task.sub_item.name):
        assert task.number in page(browser, f"?q={text}"), text
    assert "没有符合条件的监管任务" in page(browser, "?q=不存在的企业")


def test_a_task_without_its_sms_says_that_no_clock_runs(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = SupervisionTask.objects.filter(case=play.completed(clock.at)).order_by("pk")[0]
    assert "短信发出后起算" in page(sign_in(some.manager_of(task)))


def test_the_inbox_takes_as_many_statements_for_sixty_tasks_as_for_two(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    some.copies(task, 1)
    page(browser)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(browser)
        return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))])

    few = min(statements(), statements())  # the process looks at the calendar anew now and then
    some.copies(task, 58, first=100)
    assert min(statements(), statements()) == few
    assert few <= 12


def test_pages_and_export_hold_every_task_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    made = {task.number, *(row.number for row in some.copies(task, 59))}
    browser = sign_in(some.manager_of(task))
    first = browser.get(LIST)
    second = browser.get(first.context["pager"]["next_url"])
    seen = [row["task"].number for response in (first, second) for row in response.context["rows"]]
    assert len(seen) == 60
    assert set(seen) == made
    response = browser.get("/tasks/export.csv")
    lines = b"".join(response.streaming_content).decode().strip().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 61
    assert lines[0].startswith("\ufeff任务编号,")
    alien = Posting.objects.filter(role="office_manager").exclude(office=task.office).select_related("user")[0]
    other = sign_in(alien.user.username).get("/tasks/export.csv")
    assert len(b"".join(other.streaming_content).decode().strip().splitlines()) == 1  # type: ignore[attr-defined]


def test_an_empty_inbox_says_so(city: None, sign_in: SignIn) -> None:
    assert "没有未归档的监管任务" in page(sign_in("zhujian.chushi"))


def test_a_number_typed_in_full_width_is_found(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = some.notified(clock.at)
    browser = sign_in(some.manager_of(task))
    wide = "".join(chr(ord(char) + 0xFEE0) for char in task.number.lower())
    assert task.number in page(browser, f"?q={wide}")
    assert task.number not in page(browser, f"?q={wide}９")
