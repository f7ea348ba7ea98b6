"""政务小闹钟: everybody's own clocks and nobody else's, one line a case, with the page where the person acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from approvals.actions import accept_case, complete_case, decide, deliver, request_correction
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.actions.intake import required_points
from approvals.models import Case
from deadlines.arithmetic import DayInfo
from deadlines.enums import DayKind, YearStatus
from deadlines.models import Deadline
from deadlines.provisional import provisional_days
from deadlines.publishing import install_year
from deadlines.recompute import recompute_year
from deadlines.sweep import sweep
from notifications.deliver import deliver as send_messages
from notifications.models import Message
from offices.models import Posting, User
from oversight import mine
from oversight.demo.weighing import advise
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
BOARD = "/alarms/"
ENERGY = "固定资产投资项目节能审查"  # by law 20 working days, promised in 5, 3 of them for the review
SPOT = "公共场所卫生许可（新办，告知承诺）"


def rows(browser: Client, **asked: str) -> list[mine.Row]:
    """The lines of the person's board."""
    response = browser.get(BOARD, asked)
    assert response.status_code == 200
    found: list[mine.Row] = response.context["rows"]
    return found


def verbs(browser: Client, **asked: str) -> dict[str, tuple[str, str]]:
    """Number → verb and address of each line."""
    return {row.number: (row.verb, row.url) for row in rows(browser, **asked)}


def colleague(case: Case, role: str, *not_these: User | None) -> User:
    """Somebody else with ``role`` in the case's office."""
    others = Posting.objects.filter(role=role, office=case.review_office).exclude(user__in=[p for p in not_these if p])
    return others.order_by("pk")[0].user


def count_on_rail(browser: Client, path: str = BOARD) -> str:
    """What stands beside 小闹钟 on the rail."""
    places = browser.get(path).context["desk"]["places"]
    found: str = next(place["count"] for place in places if place["url"] == BOARD)
    return found


# --- whose clocks


def test_the_clerk_sees_what_the_clerk_took_in(clock: Moment, sign_in: SignIn) -> None:
    own = play.received(clock.at)
    asked = play.received(clock.at, complete=False)
    request_correction(
        asked, keys=sorted(required_points(asked)), remarks={}, by=play.person("chuangkou1"), now=clock.at
    )
    other = play.received(clock.at, clerk="chuangkou2")
    browser = sign_in("chuangkou1")
    assert verbs(browser) == {
        own.number: ("受理", f"/window/cases/{own.number}/"),
        asked.number: ("补正收件", f"/window/cases/{asked.number}/"),
    }
    assert set(verbs(sign_in("chuangkou2"))) == {other.number}
    # Whoever left the window leaves nothing lying there.
    Posting.objects.filter(user__username="chuangkou2", role="window_clerk").update(ends_on="2026-09-27")
    assert set(verbs(browser)) == {own.number, asked.number, other.number}
    assert sign_in("donghai.duban1").get(BOARD).status_code == 404


def test_a_case_wanders_from_desk_to_desk(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    decider = colleague(case, "decider", case.reviewer)
    idle = colleague(case, "reviewer", case.reviewer)
    people = {
        name: sign_in(username)
        for name, username in {
            "clerk": "chuangkou1", "counter": "chujian1", "reviewer": case.reviewer.username,
            "idle": idle.username, "decider": decider.username,
        }.items()
    }  # fmt: skip
    office, window = f"/office/{case.number}/", f"/window/cases/{case.number}/"

    def who() -> dict[str, tuple[str, str]]:
        seen = {name: verbs(browser).get(case.number) for name, browser in people.items()}
        return {name: verb for name, verb in seen.items() if verb}

    assert who() == {"reviewer": ("审查", office)}
    advise(case, clock.at)
    assert who() == {"decider": ("决定", office)}
    case = decide(case, approve=True, by=decider, now=clock.at)
    assert who() == {"reviewer": ("制证办结", office), "decider": ("制证办结", office)}
    assert case.reviewer is not None
    complete_case(case, by=case.reviewer, now=clock.at)
    assert who() == {"clerk": ("出件", window), "counter": ("出件", window)}
    deliver(case, method="counter", receiver="张三", by=play.person("chujian1"), now=clock.at)
    assert who() == {}


def test_every_address_opens_for_whom_it_is_shown(clock: Moment, sign_in: SignIn) -> None:
    play.received(clock.at)
    for make in (play.accepted, play.reviewed, play.approved, play.completed):
        make(clock.at)
    accept_case(play.received(clock.at, play.item(SPOT)), by=play.person("chuangkou1"), now=clock.at)
    send_messages(clock.at)
    sweep(clock.to("2026-10-12 09:00"))
    seen = 0
    for person in User.objects.filter(postings__role__in=mine.ROLES).distinct():
        browser = sign_in(person.username)
        for row in rows(browser):
            if row.url:
                seen += 1
                assert browser.get(row.url).status_code == 200, (person.username, row.number)
                assert browser.get(f"/clocks/{row.deadline.pk}/").status_code == 200, (person.username, row.number)
    assert seen >= 12


def test_on_the_spot_it_waits_for_the_decider_drawn(clock: Moment, sign_in: SignIn) -> None:
    case = accept_case(play.received(clock.at, play.item(SPOT)), by=play.person("chuangkou1"), now=clock.at)
    assert case.decider is not None
    browser = sign_in(case.decider.username)
    assert verbs(browser) == {case.number: ("决定", f"/office/{case.number}/")}
    assert [row.number for row in rows(browser, tab="today")] == [case.number]


def test_approved_cases_of_people_who_left_are_everybodys_in_the_office(clock: Moment, sign_in: SignIn) -> None:
    case = play.approved(clock.at)
    assert case.reviewer is not None
    idle = colleague(case, "reviewer", case.reviewer, case.decider)
    browser = sign_in(idle.username)
    assert not verbs(browser)
    Posting.objects.filter(user__in=[case.reviewer, case.decider]).update(ends_on="2026-09-27")
    assert verbs(browser) == {case.number: ("制证办结", f"/office/{case.number}/")}


def test_managers_and_deputies_see_the_tasks_of_their_office(clock: Moment, sign_in: SignIn) -> None:
    case = play.completed(clock.at)
    send_messages(clock.at)
    ours, theirs = SupervisionTask.objects.filter(case=case).order_by("pk")
    for person in (*ours.office.managers(clock.at.date()), *ours.office.deputies(clock.at.date())):
        browser = sign_in(person.username)
        assert verbs(browser) == {ours.number: ("签收", f"/tasks/{ours.number}/")}
        (row,) = rows(browser)
        assert case.public_name in row.about  # decided: the company is known
    assert set(verbs(sign_in(theirs.office.managers(clock.at.date())[0].username))) == {theirs.number}


def test_heads_see_what_is_late_in_their_department_on_both_sides(clock: Moment, sign_in: SignIn) -> None:
    done = play.completed(clock.at)
    send_messages(clock.at)
    case = play.accepted(clock.at)
    task = SupervisionTask.objects.filter(case=done, department=case.department).order_by("pk")[0]
    browser = sign_in("zhujian.fuzeren")
    clock.to("2026-10-08 10:00")  # the last day of the promise and of the acknowledgement
    assert not rows(browser)
    assert "本部门没有超期的办件和监管任务。" in cast.text(browser.get(BOARD))
    clock.to("2026-10-10 10:00")
    assert verbs(browser) == {case.number: ("", ""), task.number: ("查看", f"/tasks/{task.number}/")}
    assert {row.office for row in rows(browser)} == {case.review_office.name, task.office.name}
    assert browser.get(BOARD).context["changes"] == []


def test_a_head_is_not_told_of_a_case_that_is_late_in_an_inner_stage_alone(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(case.department.heads(clock.at.date())[0].username)
    clock.to("2026-10-09 10:00")  # the review should have ended on the 8th, the promise ends on the 10th
    assert not rows(browser)
    assert count_on_rail(browser) == ""
    clock.to("2026-10-12 10:00")
    (row,) = rows(browser)
    assert (row.number, row.deadline.kind) == (case.number, "stage_review")
    assert count_on_rail(browser) == "1"


def test_nobody_reads_whose_case_it_is(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    start_procedure(
        case, ground="expert_review", estimated_days=3, reason="组织专家评审。", by=case.reviewer, now=clock.at
    )
    clock.to("2026-10-20 10:00")
    head = case.department.heads(clock.at.date())[0]
    for username in (case.reviewer.username, head.username):
        browser = sign_in(username)
        with CaptureQueriesContext(connection) as seen:
            page = cast.text(browser.get(BOARD))
        assert case.number in page
        assert case.applicant_name not in page
        about = [q["sql"] for q in seen.captured_queries if '"approvals_case"."number"' in q["sql"].split(" FROM ")[0]]
        assert about
        assert not any("applicant" in sql or "contact" in sql for sql in about if "supervision" not in sql)
        exported = browser.get(f"{BOARD}export.csv")
        content = b"".join(exported.streaming_content).decode()  # type: ignore[attr-defined]
        assert case.number in content
        assert case.applicant_name not in content


def test_whoever_is_reminded_finds_it_on_the_board(clock: Moment, sign_in: SignIn) -> None:
    play.received(clock.at)
    late = play.received(clock.at, complete=False)
    request_correction(late, keys=sorted(required_points(late)), remarks={}, by=play.person("chuangkou1"), now=clock.at)
    for make in (play.accepted, play.reviewed, play.approved, play.completed):
        make(clock.at)
    send_messages(clock.at)
    checked = 0
    for morning in ("2026-09-30", "2026-10-08", "2026-10-09", "2026-10-10", "2026-10-12", "2026-10-13", "2026-10-14"):
        sweep(clock.to(f"{morning} 09:00"))
        owners = {case.stream: case.number for case in Case.objects.all()}
        owners |= {task.stream: task.number for task in SupervisionTask.objects.all()}
        wanted: dict[str, set[str]] = {}
        for message in Message.objects.filter(created_at=clock.at, dedupe_key__startswith="alarm:"):
            assert message.to_user is not None
            wanted.setdefault(message.to_user.username, set()).add(owners[message.reference])
        for username, numbers in wanted.items():
            board = "/oversight/" if username.startswith("duban") else BOARD
            shown = {row.number for row in sign_in(username).get(board).context["rows"]}
            assert numbers <= shown, (morning, username)
            checked += len(numbers)
    assert checked > 30


def test_overseers_and_strangers_have_no_such_board(clock: Moment, sign_in: SignIn) -> None:
    for username in ("duban1", "guanliyuan1", "jijian1"):
        assert sign_in(username).get(BOARD).status_code == 404
    assert Client().get(BOARD).status_code == 302


# --- one line, its clocks, its day


def test_one_case_is_one_line_with_the_pressing_clock_first(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    (row,) = rows(browser)
    assert row.deadline.kind == "stage_review"
    assert [clock.kind for clock in row.others] == ["decision_promised", "decision_statutory"]
    assert [row.deadline.kind for row in rows(browser, kind="lawful")] == ["decision_statutory"]
    assert rows(browser, kind="supervision") == []
    (line,) = cast.table(browser, f"{BOARD}export.csv")
    assert line["期限"] == "审查环节期限"
    assert line["其他期限"].startswith("承诺审批期限 2026-10-10 剩 5 个工作日；法定审批期限")


def test_the_tabs_count_what_they_open(clock: Moment, sign_in: SignIn) -> None:
    for day in ("2026-09-21", "2026-09-22", "2026-09-23", "2026-09-24", "2026-09-28", "2026-09-29"):
        play.received(clock.to(f"{day} 10:00"))
    clock.to("2026-09-29 17:00")
    browser = sign_in("chuangkou1")
    stats = browser.get(BOARD).context["stats"]
    for stat in stats:
        assert len(browser.get(stat["url"]).context["rows"]) == stat["count"], stat["label"]
    # The window's own stage, one working day, leads; Mid-Autumn was on the 25th.
    assert {stat["label"]: stat["count"] for stat in stats} == {
        "全部": 6, "已超期": 4, "今天到期": 1, "明天（9月30日）到期": 1, "本周内到期": 2, "以后到期": 0, "暂停计时": 0,
    }  # fmt: skip
    # Five working days to answer: 29, 30 September; 8, 9, 10, 12 October.
    lawful = browser.get(BOARD, {"kind": "lawful"}).context["stats"]
    assert [stat["count"] for stat in lawful] == [6, 0, 1, 1, 2, 4, 0]
    clock.to("2026-09-30 09:00")
    labels = [stat["label"] for stat in browser.get(BOARD).context["stats"]]
    assert "下一工作日（10月8日）到期" in labels
    assert "5 件已超期，今天到期 1 件，请先办理。" in cast.text(browser.get(BOARD))


@pytest.mark.parametrize("day", ["2026-09-28", "2026-10-08", "2026-10-09", "2026-10-12"])
def test_the_light_filter_says_what_the_light_says(clock: Moment, sign_in: SignIn, day: str) -> None:
    for received in ("2026-09-21", "2026-09-24", "2026-09-28"):
        play.received(clock.to(f"{received} 10:00"))
    clock.to(f"{day} 10:30")
    browser = sign_in("chuangkou1")
    everything = rows(browser)
    for light in ("green", "yellow", "red", "grey"):
        wanted = {row.number for row in everything if row.deadline.light(clock.at.date()) == light}
        assert {row.number for row in rows(browser, light=light)} == wanted, light


def test_a_number_is_searched_and_an_empty_board_says_what_to_do(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("chuangkou1")
    assert "没有计时中的事" in cast.text(browser.get(BOARD))
    first, second = play.received(clock.at), play.received(clock.at)
    assert [row.number for row in rows(browser, q=first.number[-6:].lower())] == [first.number]
    assert second.number not in cast.text(browser.get(BOARD, {"q": first.number}))
    assert "没有符合条件的事" in cast.text(browser.get(BOARD, {"q": "0000000"}))
    assert "今天没有到期的事" in cast.text(browser.get(BOARD, {"tab": "today"}))


def test_pages_hold_fifty_lines_and_lead_on(clock: Moment, sign_in: SignIn) -> None:
    for _ in range(53):
        play.received(clock.at)
    browser = sign_in("chuangkou1")
    first = browser.get(BOARD)
    following = browser.get(first.context["pager"]["next_url"])
    numbers = [row.number for page in (first, following) for row in page.context["rows"]]
    assert (len(first.context["rows"]), len(numbers), len(set(numbers))) == (50, 53, 53)
    assert len(cast.table(browser, f"{BOARD}export.csv")) == 53


# --- the count on the rail


def test_the_rail_counts_what_is_late_or_due_today(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("chuangkou1")
    for day in ("2026-09-21", "2026-09-22", "2026-09-28"):
        play.received(clock.to(f"{day} 10:00"))
    clock.to("2026-09-28 10:00")
    assert count_on_rail(browser, "/window/") == "2"
    clock.to("2026-09-29 10:00")
    assert count_on_rail(browser, "/window/") == "3"
    clock.to("2026-09-21 10:00")
    assert count_on_rail(browser, "/window/") == ""


def test_the_rail_costs_one_statement(clock: Moment, sign_in: SignIn, settings: Settings) -> None:
    settings.PREPARED_STATEMENTS = False  # its text is looked at
    for username in ("chuangkou1", "zhujian.chushi", "zhujian.fuzeren", "chujian1"):
        browser = sign_in(username)
        browser.get("/password/")
        with CaptureQueriesContext(connection) as seen:
            assert browser.get("/password/").context["desk"]["places"]  # a page with the rail, and no list of its own
        about = [
            q["sql"] for q in seen.captured_queries if "LIMIT 100)" in q["sql"] and "deadlines_deadline" in q["sql"]
        ]
        assert len(about) == 1, username


# --- what happened lately


def changes(browser: Client) -> list[str]:
    """The lines of 最近变动."""
    return [change.text for change in browser.get(BOARD).context["changes"]]


def test_pauses_resumptions_and_extensions_stand_under_recent_changes(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    assert changes(browser) == []
    start_procedure(case, ground="expert_review", estimated_days=10, reason="评审。", by=case.reviewer, now=clock.at)
    paused = "因专家评审暂停计时，预计10个工作日：审查环节期限、承诺审批期限、法定审批期限"
    assert changes(browser) == [paused]
    (row,) = rows(browser, tab="paused")
    assert (row.verb, row.deadline.kind) == ("特别程序", "special_procedure")
    end_procedure(case, result="通过。", by=case.reviewer, now=clock.to("2026-10-09 10:00"))
    resumed = "恢复计时：审查环节期限10月13日到期、承诺审批期限10月15日到期、法定审批期限11月5日到期"
    assert changes(browser) == [resumed, paused]
    asked = request_extension(case, days=10, reason="材料复杂。", by=case.reviewer, now=clock.at)
    answer_extension(asked, grant=True, by=case.department.heads(clock.at.date())[0], now=clock.at)
    statutory = Deadline.objects.get(kind="decision_statutory", stream=case.stream)
    due = f"{statutory.due_on.month}月{statutory.due_on.day}日到期"
    assert f"延长10个工作日：法定审批期限{due}" in changes(browser)
    assert case.number in cast.text(browser.get(BOARD))
    clock.to("2026-10-24 10:00")
    assert changes(browser) == []  # a fortnight later it is no news


def test_a_published_calendar_says_what_moved(clock: Moment, sign_in: SignIn) -> None:
    clock.to("2026-12-28 10:00")
    case = play.received(clock.at)
    before = Deadline.objects.get(kind="correction_notice", stream=case.stream).due_on
    days = [
        DayInfo(info.day, is_working=False, kind=DayKind.HOLIDAY, name="元旦") if info.day <= date(2027, 1, 4) else info
        for info in provisional_days(2027)
    ]
    install_year(2027, days, status=YearStatus.OFFICIAL, source="国办发明电〔2026〕9号", at=clock.at, replace=True)
    assert sum(len(moves) for moves in recompute_year(2027, at=clock.at))
    after = Deadline.objects.get(kind="correction_notice", stream=case.stream).due_on
    assert after > before
    said = f"由{before.month}月{before.day}日改为{after.month}月{after.day}日"
    (told,) = changes(sign_in("chuangkou1"))
    assert told.startswith("工作日历公布，到期日改变：")
    assert f"一次性告知期限{said}" in told
    assert changes(sign_in("chuangkou2")) == []


# --- cost


@pytest.mark.parametrize("who", ["clerk", "reviewer", "manager", "head"])
def test_statements_do_not_grow_with_the_rows(clock: Moment, sign_in: SignIn, who: str) -> None:
    def work() -> Case:
        play.received(clock.at)
        play.completed(clock.at)
        send_messages(clock.at)
        case = play.accepted(clock.at, play.item(ENERGY))
        assert case.reviewer is not None
        start_procedure(case, ground="expert_review", estimated_days=3, reason="评审。", by=case.reviewer, now=clock.at)
        return case

    case = work()
    assert case.reviewer is not None
    manager = SupervisionTask.objects.order_by("pk")[0].office.managers(clock.at.date())[0]
    usernames = {"clerk": "chuangkou1", "reviewer": case.reviewer.username, "manager": manager.username}
    browser = sign_in(usernames.get(who, "zhujian.fuzeren"))

    def statements() -> int:
        clock.to("2026-10-10 10:00")
        browser.get(BOARD)
        with CaptureQueriesContext(connection) as seen:
            response: Any = browser.get(BOARD)
        assert response.context["rows"]
        clock.to("2026-09-28 10:00")
        return len([q for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    before = statements()
    for _ in range(4):
        work()
    assert statements() == before
    assert before <= 12
