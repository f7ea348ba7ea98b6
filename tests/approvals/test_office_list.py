"""The back office's work list: whose queue, by due day, counts, search, pages, export, duty."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.actions import complete_case, decide, give_opinion
from approvals.models import Case
from deadlines.models import Deadline
from offices.models import Posting
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
LIST = "/office/"
SPOT = "公共场所卫生许可（新办，告知承诺）"


def copies(case: Case, count: int, first: int = 0) -> list[Case]:
    """``count`` more cases like ``case``, each with its own clocks, written in bulk."""
    made = []
    clocks: dict[str, list[Deadline]] = {}
    for name in ("promised_deadline", "statutory_deadline"):
        pattern = getattr(case, name)
        if pattern is not None:
            rows = []
            for _ in range(count):
                clock = Deadline.objects.get(pk=pattern.pk)
                clock.pk = None
                rows.append(clock)
            clocks[name] = Deadline.objects.bulk_create(rows)
    for number in range(count):
        row = Case.objects.get(pk=case.pk)
        row.pk, row.intake_key, row.number = None, uuid.uuid4(), f"{case.number[:8]}{first + number:012d}"
        row.notice_deadline = row.stage_deadline = None
        for name, own in clocks.items():
            setattr(row, name, own[number])
        made.append(row)
    return Case.objects.bulk_create(made)


def page(browser: Client, query: str = "") -> str:
    response = browser.get(f"{LIST}{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_each_case_stands_in_the_queue_of_those_whose_turn_it_is(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    reviewer = sign_in(case.reviewer.username)
    other = next(name for name in ("zhujian.shenchaa", "zhujian.shenchab") if name != case.reviewer.username)
    assert case.number in page(reviewer)
    assert case.number not in page(sign_in(other))
    decider = sign_in("zhujian.juedinga")
    assert case.number not in page(decider)
    give_opinion(case, approve=True, text="符合。", by=case.reviewer, now=clock.at)
    assert case.number not in page(reviewer)
    assert case.number in page(reviewer, "?tab=advised")
    assert case.number in page(decider)
    decide(case, approve=True, by=play.person("zhujian.juedinga"), now=clock.at)
    assert case.number in page(decider, "?tab=issue")
    assert case.number in page(sign_in(other), "?tab=issue")
    complete_case(case, by=case.reviewer, now=clock.at)
    assert case.number in page(decider, "?tab=done")
    assert case.number not in page(decider, "?tab=issue")


def test_the_earlier_due_stands_first_and_on_the_spot_before_all(city: None, clock: Moment, sign_in: SignIn) -> None:
    decider = play.person("weijian.juedinga")
    Posting.objects.filter(user__username="weijian.juedingb").update(on_duty=False)
    ordinary = play.item("公共场所卫生许可（新办，一般程序）")
    first = play.reviewed(clock.at, ordinary)
    clock.to("2026-09-29 10:00")
    second = play.reviewed(clock.at, ordinary)
    clock.to("2026-09-30 10:00")
    spot = play.accepted(clock.at, play.item(SPOT))
    assert spot.decider == decider
    html = page(sign_in(decider.username))
    places = [html.index(f'id="peek-{case.number}"') for case in (spot, first, second)]
    assert places == sorted(places)
    assert "即办</span>" in html


def test_an_on_the_spot_case_drawn_to_another_is_not_in_my_queue(city: None, clock: Moment, sign_in: SignIn) -> None:
    spot = play.accepted(clock.at, play.item(SPOT))
    assert spot.decider is not None
    assert spot.decider.username == "weijian.juedinga"  # the only one on duty
    assert spot.number not in page(sign_in("weijian.juedingb"))


def test_counts_filter_and_the_late_ones_are_counted(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    assert '<span class="stat-count">1</span><span class="stat-label">待审查</span>' in page(browser)
    assert '<span class="stat-count">0</span><span class="stat-label">其中超期</span>' in page(browser)
    assert "没有符合条件的办件" in page(browser, "?late=1")
    clock.to("2026-12-01 10:00")
    assert '<span class="stat-count">1</span><span class="stat-label">其中超期</span>' in page(browser)
    assert case.number in page(browser, "?late=1")
    assert "超期" in page(browser)


def test_the_list_takes_as_many_statements_for_sixty_cases_as_for_two(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at)
    case.refresh_from_db()
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    copies(case, 1)
    page(browser)  # the calendar is read once

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(browser)
        return len([q for q in queries.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))])

    few = statements()
    copies(case, 58, first=100)
    assert statements() == few
    assert few <= 12


def test_pages_follow_one_another_by_keyset(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    case.refresh_from_db()
    assert case.reviewer is not None
    made = {case.number, *(row.number for row in copies(case, 59))}
    browser = sign_in(case.reviewer.username)
    seen: set[str] = set()
    address = LIST
    for _ in range(2):
        response = browser.get(address)
        rows = {row["case"].number for row in response.context["rows"]}
        assert not rows & seen
        seen |= rows
        address = response.context["pager"]["next_url"]
    assert seen == made
    assert address == ""
    back = response.context["pager"]["previous_url"]
    assert len(browser.get(back).context["rows"]) == 50
    assert len(browser.get(f"{LIST}?page=nonsense").context["rows"]) == 50


def test_the_export_has_every_row_and_starts_with_a_mark(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    case.refresh_from_db()
    assert case.reviewer is not None
    copies(case, 59)
    response = sign_in(case.reviewer.username).get(reverse("office:export"))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff办件编号,")
    assert len(text.strip().splitlines()) == 61
    assert "申请人" not in text.splitlines()[0]
    assert response["Content-Disposition"].startswith("attachment")


def test_a_decider_goes_off_duty_and_is_not_drawn(city: None, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("weijian.juedinga")
    assert "您在值班" in page(browser)
    off = browser.post("/office/duty/", {"on": "0"}, follow=True)
    assert "您不在值班" in off.content.decode()
    spot = play.accepted(clock.at, play.item(SPOT))
    assert spot.decider is None
    assert spot.number in page(browser)  # nobody is on duty: it waits for any decider
    browser.post("/office/duty/", {"on": "1"})
    assert Posting.objects.get(user__username="weijian.juedinga", role="decider").on_duty
    assert Posting.history.filter(user__username="weijian.juedinga", role="decider").count() >= 2


def test_a_reviewer_has_no_duty_and_strangers_have_no_list(city: None, sign_in: SignIn) -> None:
    reviewer = sign_in("zhujian.shenchaa")
    assert "值班" not in page(reviewer)
    reviewer.post("/office/duty/", {"on": "1"})
    assert not Posting.objects.filter(user__username="zhujian.shenchaa", on_duty=True).exists()
    for address in (LIST, "/office/export.csv", "/office/duty/"):
        assert sign_in("chuangkou1").get(address).status_code == 404
        assert Client().get(address).status_code == 302


def test_an_empty_queue_says_so(city: None, sign_in: SignIn) -> None:
    assert "没有待审查的办件" in page(sign_in("zhujian.shenchaa"))
