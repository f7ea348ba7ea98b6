"""The alarm board: what is late comes first, counted against what is open, with who was told; read-only case pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals.actions.clocks import start_procedure
from approvals.models import Case
from approvals.tasks import deem_lapsed
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
ENERGY = "固定资产投资项目节能审查"  # by law 20 working days, promised in 5, 3 of them for the review


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
    assert task.subject.name not in page


def numbers(browser: Client, **asked: str | int) -> list[str]:
    """The numbers of the lines that the board shows for what was asked."""
    return [row.number for row in browser.get(BOARD, asked).context["rows"]]


def test_counts_stand_against_what_is_open_and_filter_the_list(clock: Moment, sign_in: SignIn) -> None:
    overdue_task(clock)
    play.accepted(clock.at)
    browser = sign_in("duban1")
    late = Deadline.objects.overdue(clock.at.date()).values("stream").distinct().count()
    open_now = Deadline.objects.open().values("stream").distinct().count()
    response = browser.get(BOARD)
    assert (
        f"在计时的办件和任务 {open_now} 件，其中已超期 {late} 件（{late / open_now:.1%}）" in response.context["lead"]
    )
    counts = {stat["label"]: stat["count"] for stat in response.context["stats"]}
    assert counts["全部在计"] == open_now
    assert counts["已超期"] == late
    filtered = browser.get(BOARD, {"tab": "overdue"}).context["rows"]
    assert len(filtered) == late
    assert all(row.deadline.due_on < clock.at.date() for row in filtered)
    one = browser.get(BOARD, {"kind": "promised"}).context["rows"]
    assert {row.deadline.kind for row in one} == {"decision_promised"}
    department = Department.objects.get(division__code="320700", name="市住建局")
    mine = browser.get(BOARD, {"department": department.pk}).context["rows"]
    assert mine
    assert {row.department for row in mine} == {"市住建局"}
    number = mine[0].number
    assert numbers(browser, q=number[-8:]) == [number]


def test_every_figure_opens_the_rows_behind_it(clock: Moment, sign_in: SignIn) -> None:
    play.received(clock.at)
    clock.to("2026-10-11 10:00")
    deem_lapsed()
    for _ in range(2):
        play.received(clock.at)
    play.accepted(clock.at, play.item(ENERGY))
    play.completed(clock.at)
    deliver(clock.to("2026-10-12 09:00"))
    paused(play.accepted(clock.at, play.item(ENERGY)), clock)
    play.received(clock.to("2026-12-30 10:00"))  # its last day lies in a year that nobody has published
    browser = sign_in("duban1")
    stats = browser.get(BOARD).context["stats"]
    assert {"全部在计", "已超期", "暂停计时", "暂定（年份未公布）", "本月视为受理"} <= {stat["label"] for stat in stats}
    for stat in stats:
        assert len(browser.get(stat["url"]).context["rows"]) == stat["count"], stat["label"]
    month = {stat["label"]: stat["count"] for stat in stats}["本月视为受理"]
    assert month == 0  # recorded in October
    assert len(browser.get("/oversight/deemed/?period=year").context["rows"]) == 1


def paused(case: Case, clock: Moment) -> Case:
    """The case in a special procedure."""
    assert case.reviewer is not None
    start_procedure(
        case, ground="expert_review", estimated_days=10, reason="组织专家评审。", by=case.reviewer, now=clock.at
    )
    return case


def test_one_late_case_is_one_line_with_its_clocks_side_by_side(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    clock.to("2026-11-03 10:00")  # everything is late by now: the stage, the promise, the statutory period
    browser = sign_in("duban1")
    (row,) = browser.get(BOARD).context["rows"]
    assert (row.number, row.deadline.kind) == (case.number, "decision_promised")
    assert [other.kind for other in row.others] == ["stage_review", "decision_statutory"]
    # The inner stage is earlier, and led where it is asked for.
    for asked, kind in (("stage", "stage_review"), ("every", "stage_review"), ("lawful", "decision_statutory")):
        (row,) = browser.get(BOARD, {"kind": asked}).context["rows"]
        assert row.deadline.kind == kind
    assert not numbers(browser, kind="supervision")
    page = cast.text(browser.get(BOARD))
    for word in ("承诺审批期限", "审查环节期限", "法定审批期限"):
        assert word in page


def test_a_case_in_a_special_procedure_stands_under_paused_with_the_told_length(clock: Moment, sign_in: SignIn) -> None:
    case = paused(play.accepted(clock.at, play.item(ENERGY)), clock)
    browser = sign_in("duban1")
    for asked in ({"tab": "paused"}, {"light": "grey"}):
        (row,) = browser.get(BOARD, asked).context["rows"]
        assert (row.number, row.deadline.kind) == (case.number, "special_procedure")
        assert {other.state for other in row.others} == {"paused"}
    assert not numbers(browser, tab="overdue")
    clock.to("2026-12-01 10:00")
    assert numbers(browser, tab="overdue") == [case.number]  # the procedure itself takes longer than was told


@pytest.mark.parametrize("day", ["2026-09-28", "2026-10-08", "2026-10-09", "2026-10-12", "2026-11-06"])
def test_the_light_filter_says_what_the_light_says(clock: Moment, sign_in: SignIn, day: str) -> None:
    paused(play.accepted(clock.at, play.item(ENERGY)), clock)
    play.accepted(clock.at)
    play.completed(clock.at)
    deliver(clock.at)
    browser = sign_in("duban1")
    clock.to(f"{day} 10:00")
    everything = browser.get(BOARD).context["rows"]
    for light in ("green", "yellow", "red"):
        wanted = {row.number for row in everything if row.deadline.light(clock.at.date()) == light}
        assert set(numbers(browser, light=light)) == wanted, light


def test_what_rests_on_an_unpublished_year_is_found_and_the_year_is_missed_from_november(
    clock: Moment, sign_in: SignIn
) -> None:
    browser = sign_in("duban1")
    clock.to("2026-10-30 10:00")
    play.received(clock.at)
    assert "还没有正式发布" not in cast.text(browser.get(BOARD))
    clock.to("2026-12-10 10:00")
    resting = play.accepted(clock.at, play.item(ENERGY))  # 20 working days reach into 2027, the promise does not
    page = browser.get(BOARD)
    assert page.context["missing_year"]["title"] == "2027 年的工作日历还没有正式发布"
    assert "2027 年的工作日历还没有正式发布" in cast.text(page)
    (row,) = browser.get(BOARD, {"light": "provisional"}).context["rows"]
    assert (row.number, row.deadline.kind) == (resting.number, "decision_statutory")
    assert browser.get(page.context["missing_year"]["url"]).context["rows"][0].number == resting.number
    exported = cast.table(browser, "/oversight/export.csv?light=provisional")
    assert [(line["编号"], line["暂定"]) for line in exported] == [(resting.number, "暂定")]


def test_an_overseer_of_several_divisions_looks_at_one(clock: Moment, sign_in: SignIn) -> None:
    county = Department.objects.filter(division__code="320722").first()
    assert county is not None
    here, there = play.accepted(clock.at), play.accepted(clock.at)
    Case.objects.filter(pk=there.pk).update(division=county.division, department=county)
    browser = sign_in("duban1")
    assert "区划" not in {one["label"] for one in browser.get(BOARD).context["bar"]["selects"]}
    Posting.objects.filter(role="overseer", department__division=county.division).update(ends_on="2026-09-01")
    assert set(numbers(browser)) == {here.number, there.number}
    assert numbers(browser, division=county.division_id) == [there.number]
    assert numbers(browser, division=here.division_id) == [here.number]
    assert numbers(browser, division=here.division_id, department=county.pk) == []


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

    def statements(url: str) -> list[str]:
        browser.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(url).status_code == 200
        return [q["sql"] for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]

    before = statements(BOARD)
    for _ in range(3):
        play.completed(clock.at)
        play.accepted(clock.at)
    deliver(clock.at)
    clock.to("2026-10-20 09:01")
    sweep(clock.at)
    after = statements(BOARD)
    assert len(after) == len(before), after
    assert len(before) <= 12, before


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


# --- deemed acceptances

DEEMED = "/oversight/deemed/"


def deemed(clock: Moment, day: str = "2026-10-11 00:01") -> Case:
    """A case that nobody answered."""
    case = play.received(clock.at)
    clock.to(day)
    deem_lapsed()
    return case


def test_deemed_acceptances_name_who_should_have_answered_and_by_when(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock)
    clock.to("2026-10-12 10:00")
    play.received(clock.at)
    response = sign_in("duban1").get(DEEMED)
    assert response.context["lead"].startswith("本月收件 1 件，逾期未答复、依法视为受理 1 件，占 100.0%。")
    page = cast.text(response)
    for word in (
        case.number,
        case.intake_by.full_name,
        "2026年10月10日（周六）",
        "2026年9月28日（周一）10:00",
        "审查中",
    ):
        assert word in page
    assert case.applicant_name not in page
    year = sign_in("duban1").get(DEEMED, {"period": "year"})
    assert year.context["lead"].startswith("本年收件 2 件，逾期未答复、依法视为受理 1 件，占 50.0%。")


def test_deemed_acceptances_by_period_department_and_words(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock)
    browser = sign_in("duban1")
    clock.to("2026-11-03 10:00")

    def found(**asked: str | int) -> list[str]:
        return [row.number for row in browser.get(DEEMED, asked).context["rows"]]

    assert found() == []
    assert "本月没有视为受理" in cast.text(browser.get(DEEMED))
    assert found(period="last_month") == [case.number]
    assert found(period="year", department=case.department_id) == [case.number]
    other = Department.objects.filter(division=case.division).exclude(pk=case.department_id)[0]
    assert found(period="year", department=other.pk) == []
    assert found(period="year", q=case.intake_by.full_name) == [case.number]
    assert found(period="year", q="没有这个人") == []
    rows = cast.table(browser, f"{DEEMED}export.csv?period=year")
    assert [(row["办件编号"], row["应答复日"], row["认定时间"]) for row in rows] == [
        (case.number, "2026-10-10", "2026-10-11 00:01")
    ]


def test_another_division_does_not_see_it(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock)
    assert case.number not in cast.text(sign_in("donghai.duban1").get(DEEMED, {"period": "year"}))
    assert sign_in("chuangkou1").get(DEEMED).status_code == 404


def test_the_list_of_deemed_acceptances_costs_the_same_however_long(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")

    def statements() -> int:
        browser.get(DEEMED)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(DEEMED).status_code == 200
        return len(seen)

    deemed(clock)
    before = statements()
    clock.to("2026-10-01 10:00")
    for _ in range(4):
        play.received(clock.at)
    clock.to("2026-10-20 10:00")
    deem_lapsed()
    assert statements() == before
    assert before <= 12
