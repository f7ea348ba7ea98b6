"""Scoring, countersigning and site checks through the API: the same actions, the same blindness."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from approvals.models import Case, Opinion, SiteCheck
from oversight.demo import weighing as demo
from tests.api.conftest import Caller, problem
from tests.approvals import play, weighing
from tests.approvals.weighing import CHEMICAL, PLANNING, TRANSPORT, second
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SIGNER = "ziranziyuanheguihua.huiqiana"


def sheet(case: Case, **changes: Any) -> dict[str, Any]:
    """The body of a whole sheet with the best marks."""
    scores = [
        {"criterion": key, "evidence": mark.evidence, "points": mark.points, "met": mark.met}
        for key, mark in demo.marks(case).items()
    ]
    return {"approve": True, "text": "符合。", "scores": scores} | changes


def post(client: APIClient, path: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/{path}/", body, format="json")


def test_two_sheets_a_countersignature_and_a_decision(caller: Caller, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    assert case.reviewer is not None
    one, two = caller(case.reviewer.username), caller(second(case).username)
    shown = one.get(f"/api/v1/reviews/{case.number}/").json()["weighing"]
    assert shown["seat"] == "first"
    assert [row["name"] for row in shown["criteria"]] == [row.name for row in weighing.criteria(case)]
    bad = sheet(case)
    bad["scores"][1]["points"] = 29
    problem(post(one, f"reviews/{case.number}/sheet", bad), 422, "score-out-of-range")
    problem(post(one, f"reviews/{case.number}/sheet", sheet(case, scores=[])), 422, "score-missing")
    unknown = sheet(case)
    unknown["scores"][0]["criterion"] = play.item(CHEMICAL).effective_criteria()[0].pk
    problem(post(one, f"reviews/{case.number}/sheet", unknown), 422, "criterion-unknown")
    problem(post(one, f"reviews/{case.number}/opinion", {"approve": True, "text": "符合。"}), 422, "sheet-needed")
    assert post(one, f"reviews/{case.number}/sheet", sheet(case, text="甲")).status_code == 200
    problem(post(one, f"reviews/{case.number}/sheet", sheet(case)), 409, "state-conflict")
    assert two.get(f"/api/v1/reviews/{case.number}/").json()["weighing"]["sheets"] == []
    done = post(two, f"reviews/{case.number}/sheet", sheet(case, text="乙")).json()
    assert Opinion.objects.filter(case=case).exists()
    assert done["weighing"]["result"]["mean"] == "100"
    assert [row["text"] for row in done["weighing"]["sheets"]] == ["甲", "乙"]
    decider = caller(weighing.decider(case).username)
    problem(post(decider, f"reviews/{case.number}/decision", {"approve": True}), 422, "countersign-waiting")
    signer = caller(SIGNER)
    asked = signer.get(f"/api/v1/countersignatures/{case.number}/")
    assert case.applicant_name not in asked.content.decode()
    listed = signer.get("/api/v1/reviews/?queue=countersign").json()["results"]
    assert [row["number"] for row in listed] == [case.number]
    answered = post(signer, f"countersignatures/{case.number}", {"agree": True, "text": "无意见。"}).json()
    assert answered["countersignature"]["agree"] is True
    assert post(decider, f"reviews/{case.number}/decision", {"approve": True}).json()["status"] == "approved"


def test_a_site_check_through_the_api(caller: Caller, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(TRANSPORT))
    assert case.reviewer is not None
    reviewer = caller(case.reviewer.username)
    problem(post(reviewer, f"reviews/{case.number}/site-check", {}), 422, "site-day")
    planned = post(reviewer, f"reviews/{case.number}/site-check", {"planned_on": "2026-09-28"}).json()
    assert planned["weighing"]["site_check"]["conforms"] is None
    check = SiteCheck.objects.get(case=case)
    officer = caller(check.first.username)
    assert [row["number"] for row in officer.get("/api/v1/site-checks/").json()["results"]] == [case.number]
    assert officer.get(f"/api/v1/site-checks/{case.number}/").json()["applicant"] == case.applicant_name
    body = {"conforms": True, "findings": "属实。", "place": "某路1号"}
    assert post(officer, f"site-checks/{case.number}", body).json()["findings"] == "属实。"
    problem(post(officer, f"site-checks/{case.number}", body), 409, "state-conflict")
    assert "属实。" not in reviewer.get(f"/api/v1/reviews/{case.number}/").content.decode()
    other, address = caller(check.second.username), f"site-checks/{case.number}/confirmation"
    problem(post(officer, address, {"confirms": True}), 409, "state-conflict")
    problem(post(other, address, {"confirms": False}), 422, "reason-missing")
    assert post(other, address, {"confirms": True}).json()["done_at"]
    seen = reviewer.get(f"/api/v1/reviews/{case.number}/").content.decode()
    assert "属实。" in seen
    for words in ("某路1号", case.applicant_name, check.first.full_name):
        assert words not in seen
