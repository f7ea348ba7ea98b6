"""Special procedures and extensions through the API: the same acts as on the pages, with stable codes."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from approvals.models import Case
from oversight.demo.cases import COMPANIES
from tests.api.conftest import Caller, problem
from tests.approvals import play
from tests.approvals.test_clock_acts import decider, reviewer
from tests.approvals.test_extensions import head
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
ENERGY = "固定资产投资项目节能审查"
START = {"ground": "expert_review", "estimated_days": 15, "reason": "委托评审"}


@pytest.fixture
def case(city: None, clock: Moment) -> Case:
    return play.accepted(clock.at, play.item(ENERGY))


def post(client: APIClient, case: Case, act: str, said: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/reviews/{case.number}/{act}/", said, format="json")


def test_a_special_procedure_begins_and_ends(caller: Caller, clock: Moment, case: Case) -> None:
    client = caller(reviewer(case).username)
    shown = client.get(f"/api/v1/reviews/{case.number}/").json()
    assert "hearing" in shown["pause_grounds"]
    assert "public_notice" not in shown["pause_grounds"]
    assert (shown["in_procedure"], shown["procedures"]) == (False, [])
    answer = post(client, case, "procedure", START)
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["in_procedure"] is True
    assert (shown["deadline"]["state"], shown["statutory"]["light"]) == ("paused", "grey")
    assert shown["procedures"][0]["ground_label"] == "专家评审"
    assert shown["procedures"][0]["ended_at"] is None
    assert reviewer(case).full_name not in answer.content.decode()
    problem(post(client, case, "procedure", START), 409, "state-conflict")
    problem(post(client, case, "opinion", {"approve": True, "text": "符合。"}), 409, "procedure-open")
    problem(post(client, case, "procedure/end", {}), 422, "result-missing")
    clock.to("2026-10-13 09:00")
    shown = post(caller(decider(case).username), case, "procedure/end", {"result": "通过"}).json()
    # none of the days used: 20 working days from 14 October, 5 for the promise
    assert (shown["statutory"]["due_on"], shown["deadline"]["due_on"]) == ("2026-11-10", "2026-10-20")
    assert shown["procedures"][0]["result"] == "通过"
    problem(post(client, case, "procedure/end", {"result": "通过"}), 409, "state-conflict")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"ground": "public_notice"}, "pause-ground", "ground"),
        ({"ground": ""}, "pause-ground", "ground"),
        ({"ground": "holiday"}, "invalid", "ground"),
        ({"ground": "named_law"}, "pause-needs-law", "law"),
        ({"estimated_days": None}, "estimate-missing", "estimated_days"),
        ({"estimated_days": 0}, "estimate-missing", "estimated_days"),
        ({"estimated_days": 251}, "estimate-missing", "estimated_days"),
        ({"reason": ""}, "reason-missing", "reason"),
        ({"reason": f"请{COMPANIES[0][1]}到场"}, "text-names-applicant", "reason"),
    ],
)
def test_what_a_special_procedure_refuses(
    caller: Caller, clock: Moment, case: Case, changes: dict[str, Any], code: str, field: str
) -> None:
    body = problem(post(caller(reviewer(case).username), case, "procedure", START | changes), 422, code)
    assert [error["field"] for error in body["errors"]] == [field]
    assert not case.procedures.exists()


def test_an_extension_is_asked_for_listed_and_granted(caller: Caller, clock: Moment, case: Case) -> None:
    client, boss = caller(reviewer(case).username), caller(head(case).username)
    shown = client.get(f"/api/v1/reviews/{case.number}/").json()
    assert shown["extension_room"] == {"longest": 10, "unit": "working", "allowed_by": "本行政机关负责人",
                                       "legal_basis": "行政许可法第四十二条第一款"}  # fmt: skip
    for said, code in (
        ({"days": 11, "reason": "复杂"}, "extension-too-long"),
        ({"reason": "复杂"}, "extension-too-long"),
        ({"days": 5}, "reason-missing"),
    ):
        problem(post(client, case, "extension", said), 422, code)
    assert post(client, case, "extension", {"days": 10, "reason": "复杂"}).json()["extensions"][0]["granted"] is None
    problem(post(client, case, "extension", {"days": 10, "reason": "复杂"}), 409, "state-conflict")
    rows = boss.get("/api/v1/extensions/").json()["results"]
    assert [(row["number"], row["days"], row["deadline"]["due_on"]) for row in rows] == [
        (case.number, 10, "2026-10-30")
    ]
    assert COMPANIES[0][1] not in str(rows)
    assert boss.get("/api/v1/extensions/", {"q": COMPANIES[0][1]}).json()["results"] == []
    url = f"/api/v1/extensions/{case.number}/"
    problem(boss.post(url, {"grant": False}, format="json"), 422, "reason-missing")
    problem(boss.post(url, {}, format="json"), 422, "invalid")
    done = boss.post(url, {"grant": True}, format="json").json()
    assert (done["granted"], done["deadline"]["due_on"]) == (True, "2026-11-13")
    problem(boss.post(url, {"grant": True}, format="json"), 409, "state-conflict")
    problem(post(client, case, "extension", {"days": 1, "reason": "再"}), 409, "state-conflict")
    assert boss.get("/api/v1/extensions/").json()["results"] == []
    assert boss.get("/api/v1/extensions/?answered=true").json()["results"][0]["number"] == case.number
    assert boss.get(url).json()["granted"] is True


def test_nothing_is_extended_too_late_and_no_item_beyond_its_law(caller: Caller, clock: Moment, case: Case) -> None:
    client = caller(reviewer(case).username)
    other = play.accepted(clock.at)
    refused = post(caller(reviewer(other).username), other, "extension", {"days": 5, "reason": "复杂"})
    problem(refused, 422, "no-extension")
    clock.to("2026-10-31 10:00")
    problem(post(client, case, "extension", {"days": 5, "reason": "复杂"}), 409, "extension-too-late")


def test_the_public_reads_what_happened_to_the_period(
    caller: Caller, nobody: APIClient, clock: Moment, case: Case
) -> None:
    post(caller(reviewer(case).username), case, "procedure", START)
    said = {"number": case.number, "query_code": case.query_code}
    shown = nobody.post("/api/v1/progress/", said, format="json").json()
    step = next(step for step in shown["steps"] if step["label"] == "特别程序")
    assert step["state"] == "paused"
    assert "不计入期限" in step["note"]
    assert shown["clock_notes"][0]["title"] == "特别程序：专家评审（进行中）"
