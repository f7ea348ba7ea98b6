"""The alarm board: what is late comes first, counted against what is open, with who was told; read-only case pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.models import Case
from deadlines.models import Deadline
from deadlines.sweep import sweep
from notifications.deliver import deliver
from offices.models import Department, Posting, User
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
BOARD = "/oversight/"


def overdue_task(clock: Moment) -> SupervisionTask:
    """A task that nobody acknowledged, two working days late, swept every morning."""
    case = play.completed(clock.at)
    deliver(clock.at)
    for day in ("2026-09-30 09:01", "2026-10-08 09:01", "2026-10-09 09:01", "2026-10-10 09:01"):
        clock.to(day)
        sweep(clock.at)
    return SupervisionTask.objects.filter(case=case).order_by("pk")[0]


def test_the_overdue_come_first_with_who_was_alarmed_last_and_when(clock: Moment, sign_in: SignIn) -> None:
    task = overdue_task(clock)
    play.accepted(clock.at)
    response = sign_in("duban1").get(BOARD)
    rows = response.context["rows"]
    assert [row.deadline.due_on for row in rows] == sorted(row.deadline.due_on for row in rows)
    first = next(row for row in rows if row.number == task.number)
    manager = task.office.managers(clock.at.date())[0]
    assert manager.full_name in first.alarmed
    assert User.objects.get(username="duban1").full_name in first.alarmed
    assert first.alarmed_at == clock.at
    page = cast.text(response)
    assert f"/oversight/tasks/{task.number}/" in page
    assert "已超期" in page
    assert task.case.applicant.name not in page


def test_counts_stand_against_what_is_open_and_filter_the_list(clock: Moment, sign_in: SignIn) -> None:
    overdue_task(clock)
    play.accepted(clock.at)
    browser = sign_in("duban1")
    late = Deadline.objects.overdue(clock.at.date()).count()
    open_now = Deadline.objects.open().count()
    response = browser.get(BOARD)
    assert f"未结期限 {open_now} 个，其中已超期 {late} 个（{late / open_now:.1%}）" in response.context["lead"]
    counts = {stat["label"]: stat["count"] for stat in response.context["stats"]}
    assert counts["全部未结"] == open_now
    assert counts["已超期"] == late
    filtered = browser.get(BOARD, {"tab": "overdue"}).context["rows"]
    assert len(filtered) == late
    assert all(row.deadline.due_on < clock.at.date() for row in filtered)
    one = browser.get(BOARD, {"kind": "decision_promised"}).context["rows"]
    assert {row.deadline.kind for row in one} == {"decision_promised"}
    department = Department.objects.get(division__code="320700", name="市住建局")
    mine = browser.get(BOARD, {"department": department.pk}).context["rows"]
    assert mine
    assert {row.department for row in mine} == {"市住建局"}
    number = mine[0].number
    assert {row.number for row in browser.get(BOARD, {"q": number[-8:]}).context["rows"]} == {number}


def test_the_next_working_day_skips_the_holiday(clock: Moment, sign_in: SignIn) -> None:
    clock.to("2026-09-30 10:00")
    labels = [stat["label"] for stat in sign_in("duban1").get(BOARD).context["stats"]]
    assert "下一工作日（10月8日）到期" in labels


def test_an_empty_board_and_an_empty_search_say_what_to_do(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")
    assert "没有计时中的期限" in cast.text(browser.get(BOARD))
    play.accepted(clock.at)
    assert "没有符合条件的期限" in cast.text(browser.get(BOARD, {"q": "9999999"}))


def test_the_export_holds_the_filtered_rows(clock: Moment, sign_in: SignIn) -> None:
    task = overdue_task(clock)
    rows = cast.table(sign_in("duban1"), "/oversight/export.csv?tab=overdue")
    assert task.number in {row["编号"] for row in rows}
    assert {row["类别"] for row in rows} == {"监管任务"}
    assert all(row["时限"].startswith("已超期") for row in rows)


def test_statements_do_not_grow_with_the_rows(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")
    overdue_task(clock)

    def statements(url: str) -> int:
        browser.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(url).status_code == 200
        return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    before = statements(BOARD)
    for _ in range(3):
        play.completed(clock.at)
        play.accepted(clock.at)
    deliver(clock.at)
    clock.to("2026-10-20 09:01")
    sweep(clock.at)
    assert statements(BOARD) == before
    assert before <= 13


def test_a_county_without_overseers_falls_to_the_city(clock: Moment, sign_in: SignIn) -> None:
    county = Department.objects.filter(division__code="320722").first()
    assert county is not None
    case = play.accepted(clock.at)
    Case.objects.filter(pk=case.pk).update(division=county.division, department=county)
    browser, page = sign_in("duban1"), f"/oversight/cases/{case.number}/"
    assert browser.get(page).status_code == 404
    assert case.number not in cast.text(browser.get(BOARD))
    assert sign_in("donghai.duban1").get(page).status_code == 200
    Posting.objects.filter(role="overseer", department__division=county.division).update(ends_on="2026-09-01")
    assert browser.get(page).status_code == 200
    assert case.number in cast.text(browser.get(BOARD))


def test_the_case_page_shows_clocks_people_papers_and_the_way_so_far(clock: Moment, sign_in: SignIn) -> None:
    case = play.completed(clock.at)
    deliver(clock.at)
    assert case.reviewer is not None
    browser = sign_in("duban1")
    page = cast.text(browser.get(f"/oversight/cases/{case.number}/"))
    for word in (
        "为什么是这一天",
        "制证送达期限",
        "接收凭证",
        "从 2 人中抽取",
        case.reviewer.full_name,
        "办结",
        "按期完成",
    ):
        assert word in page
    assert 'method="post" action="/oversight' not in page
    task = SupervisionTask.objects.filter(case=case).order_by("pk")[0]
    page = cast.text(browser.get(f"/oversight/tasks/{task.number}/"))
    for word in ("监管任务签收期限", "任务短信发出", task.office.managers(clock.at.date())[0].full_name):
        assert word in page
    paper = case.documents.get(kind="approval")
    assert paper.number in cast.text(browser.get(f"/oversight/papers/{paper.pk}/"))
