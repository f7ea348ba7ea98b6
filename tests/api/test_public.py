"""What everybody may ask: items, progress, verification, the calendar; and how lists turn their pages."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals.models import Case
from catalogue.models import BusinessItem
from offices import api as offices_api
from offices.keyset import Keyset
from offices.models import Posting
from tests.api.conftest import Caller, problem
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Role = Posting.Role


def test_items_are_found_by_name_initials_and_filters(nobody: APIClient) -> None:
    everything = nobody.get("/api/v1/items/").json()
    assert len(everything["results"]) == min(50, BusinessItem.objects.published().count())
    found = nobody.get("/api/v1/items/", {"q": "spfys"}).json()["results"]
    assert found[0]["name"] == "商品房预售许可"
    county = nobody.get("/api/v1/items/", {"division": "320722", "kind": "licence"}).json()["results"]
    assert county
    assert {(row["division"], row["kind"]) for row in county} == {("320722", "licence")}
    assert nobody.get("/api/v1/items/", {"q": "没有这样的事项"}).json()["results"] == []
    problem(nobody.get("/api/v1/items/", {"kind": "x"}), 422, "invalid")
    problem(nobody.get("/api/v1/items/", {"q": "a\0b"}), 422, "invalid")


def test_the_guide_is_complete_and_drafts_are_not_shown(nobody: APIClient) -> None:
    item = play.item()
    guide = nobody.get(f"/api/v1/items/{item.code}/").json()
    assert {statement["topic"] for statement in guide["statements"]} >= {"basis", "condition"}
    assert all(statement["source"] for statement in guide["statements"])
    assert [row["slot"] for row in guide["materials"]] == [str(row.pk) for row in item.effective_materials()]
    assert guide["supervision"]
    draft = BusinessItem.objects.exclude(status="published")[0]
    problem(nobody.get(f"/api/v1/items/{draft.code}/"), 404, "not-found")


def test_pages_follow_each_other_and_back(
    nobody: APIClient, clock: Moment, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offices_api, "Keyset", lambda rows, order: Keyset(rows, order, 2))
    numbers = [play.received(clock.to(f"2026-09-28 10:0{n}")).number for n in range(5)][::-1]
    clerk = caller("chuangkou1")
    first = clerk.get("/api/v1/cases/").json()
    second = clerk.get("/api/v1/cases/", {"cursor": first["next"]}).json()
    third = clerk.get("/api/v1/cases/", {"cursor": second["next"]}).json()
    seen = [row["number"] for page in (first, second, third) for row in page["results"]]
    assert seen == numbers
    assert (first["previous"], third["next"]) == ("", "")
    assert clerk.get("/api/v1/cases/", {"cursor": second["previous"]}).json()["results"] == first["results"]
    for wrong in ("x", first["next"][:-2], first["next"] + "x"):
        problem(clerk.get("/api/v1/cases/", {"cursor": wrong}), 422, "bad-cursor")
    problem(nobody.get("/api/v1/items/", {"cursor": first["next"]}), 422, "bad-cursor")  # another list's cursor


def test_lists_cost_the_same_however_long_they_are(caller: Caller, nobody: APIClient, clock: Moment) -> None:
    case = play.completed(clock.at)
    waiting = play.accepted(clock.at)
    assert waiting.reviewer is not None
    task = case.tasks.order_by("pk")[0]
    manager = Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user
    decider = play.holder(Role.DECIDER, waiting, waiting.reviewer)
    clerk = caller("chuangkou1")
    asked = [
        (clerk, "/api/v1/cases/"),
        (clerk, "/api/v1/cases/?q=置业"),
        (caller(decider.username), "/api/v1/reviews/?queue=done"),
        (caller(manager.username), "/api/v1/tasks/"),
        (nobody, "/api/v1/items/"),
    ]

    def statements() -> list[int]:
        counts = []
        for client, url in asked:
            client.get(url)
            with CaptureQueriesContext(connection) as found:
                assert client.get(url).json()["results"]
            counts.append(len(found))
        return counts

    before = statements()
    for _ in range(4):
        play.completed(clock.at)
    assert statements() == before
    assert max(before) <= 4


def test_progress_is_one_answer_for_unknown_and_wrong(nobody: APIClient, clock: Moment) -> None:
    case, other = play.received(clock.at), play.received(clock.at)
    url = "/api/v1/progress/"
    seen = nobody.post(url, {"number": case.number, "query_code": case.query_code.lower()}, format="json")
    assert seen.json()["steps"][2]["state"] == "current"
    assert seen.headers["Cache-Control"] == "no-store"
    wrong = nobody.post(url, {"number": case.number, "query_code": other.query_code}, format="json")
    problem(wrong, 404, "progress-not-found")
    Case.objects.filter(pk=other.pk).update(number="X")
    unknown = nobody.post(url, {"number": other.number, "query_code": case.query_code}, format="json")
    assert unknown.content == wrong.content
    slip = nobody.post(url, {"number": case.number[:-1], "query_code": "1"}, format="json")
    body = problem(slip, 422, "invalid")
    assert {error["field"] for error in body["errors"]} == {"number", "query_code"}


def test_guessing_query_codes_is_stopped(nobody: APIClient, clock: Moment, settings: Settings) -> None:
    settings.PROGRESS_RATE = "12/h"
    case = play.received(clock.at)
    said = {"number": case.number, "query_code": "22222222"}
    problem(nobody.post("/api/v1/progress/", said, format="json"), 404, "progress-not-found")
    problem(nobody.post("/api/v1/progress/", said, format="json"), 404, "progress-not-found")
    nobody.post("/api/v1/progress/", said, format="json")
    limited = nobody.post("/api/v1/progress/", said, format="json")
    problem(limited, 429, "too-many-requests")
    assert int(limited.headers["Retry-After"]) > 0
    page = nobody.post("/progress/", {"number": case.number, "code": case.query_code})
    assert page.status_code == 429  # the page and the API share the counter


def test_a_paper_is_verified_and_an_unknown_code_is_not(nobody: APIClient, clock: Moment) -> None:
    paper = play.received(clock.at).documents.get()
    found = nobody.get(f"/api/v1/verify/{paper.verify_code}/").json()
    assert (found["number"], found["intact"], found["licence"]) == (paper.number, True, None)
    assert "paragraphs" not in found
    problem(nobody.get("/api/v1/verify/nothing-like-it/"), 404, "not-found")


@pytest.mark.parametrize(
    ("start", "days", "unit"),
    [("2026-09-28T15:00", 5, "working"), ("2026-09-28", 20, "calendar"), ("2026-01-31T09:00+08:00", 1, "months")],
)
def test_a_period_is_explained_as_by_the_command(nobody: APIClient, start: str, days: int, unit: str) -> None:
    told = io.StringIO()
    call_command("explain_deadline", start=start, days=days, unit=unit, stdout=told)
    *lines, due = told.getvalue().strip().splitlines()
    answer = nobody.get("/api/v1/deadlines/explain/", {"start": start, "days": str(days), "unit": unit}).json()
    assert answer["due_on"] == due
    assert len(answer["lines"]) == len(lines)
    for line, row in zip(lines, answer["lines"], strict=True):
        assert line.startswith(f"{row['day']} {row['weekday']} ")
        assert row["reason"] in line
        assert (f"计入第{row['number']}日" in line) == row["counted"]


def test_the_national_day_example_of_the_order(nobody: APIClient) -> None:
    asked = {"start": "2026-09-28T15:00", "days": "5"}
    assert nobody.get("/api/v1/deadlines/explain/", asked).json()["due_on"] == "2026-10-10"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"start": "2031-01-01", "days": 5}, "calendar-missing"),
        ({"start": "2026-09-28", "days": 3660, "unit": "months"}, "calendar-missing"),
        ({"start": "9999-12-31", "days": 5, "unit": "calendar"}, "invalid"),
        ({"start": "0001-01-01T00:00+14:00", "days": 5}, "invalid"),
        ({"start": "yesterday", "days": 5}, "invalid"),
        ({"start": "2026-09-28", "days": 0}, "invalid"),
        ({"start": "2026-09-28", "days": 5, "unit": "fixed"}, "invalid"),
        ({}, "invalid"),
    ],
)
def test_a_period_that_makes_no_sense_is_said_so(nobody: APIClient, asked: dict[str, str], code: str) -> None:
    problem(nobody.get("/api/v1/deadlines/explain/", asked), 422, code)


def test_the_calendar_of_a_year(nobody: APIClient) -> None:
    with CaptureQueriesContext(connection) as found:
        year = nobody.get("/api/v1/calendar/2026/").json()
    assert len(found) == 2
    assert (len(year["days"]), year["status"]) == (365, "official")
    saturday = next(day for day in year["days"] if day["day"] == "2026-10-10")
    assert (saturday["is_working"], saturday["kind"]) == (True, "makeup")
    assert "国庆" in saturday["name"]
    assert nobody.get("/api/v1/calendar/2027/").json()["status"] == "provisional"
    for number in (1999, 99999, 10**30):
        problem(nobody.get(f"/api/v1/calendar/{number}/"), 404, "not-found")
