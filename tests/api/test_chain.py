"""The whole chain through the API: from intake at the window to the closed task of the supervising office."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from approvals.models import Case
from catalogue.models import BusinessItem
from credit.models import JointMeasure
from ledger import verify
from notifications.deliver import deliver
from offices.models import Posting
from supervision.models import SupervisionTask
from tests.api.conftest import PDF, Caller, intake
from tests.approvals import play
from tests.conftest import Moment
from tests.credit import facts, platforms
from tests.supervision.ordering import look

pytestmark = pytest.mark.django_db
Role = Posting.Role


def pdf(name: str = "申请表.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, PDF, "application/pdf")


def manager_of(task: SupervisionTask) -> str:
    return Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user.username


def test_a_case_lives_its_whole_life_through_the_api(caller: Caller, nobody: APIClient, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    item = play.item()
    body = intake(item, complete=False)
    made = clerk.post("/api/v1/cases/", body, format="json")
    assert made.status_code == 201
    case = made.json()
    url = made.headers["Location"]
    assert url == f"/api/v1/cases/{case['number']}/"
    assert case["status"] == "submitted"
    assert case["deadline"]["kind"] == "correction_notice"
    assert case["deadline"]["due_on"] == "2026-10-10"

    # one thing is missing: it is asked for once, uploaded, and the answer taken in
    asked = [point["key"] for point in case["correction_choices"] if point["required"]]
    notice = clerk.post(f"{url}corrections/", {"keys": asked, "remarks": {asked[0]: "盖公章"}}, format="json").json()
    assert notice["status"] == "correction_requested"
    assert "盖公章" in notice["correction_notice"]["points"][0]["text"]
    slot = next(line["slot"] for line in notice["materials"] if line["required"] and line["state"] == "missing")
    stored = clerk.post(f"{url}uploads/", {"slot": slot, "file": pdf()}, format="multipart")
    assert stored.status_code == 201
    assert stored.json()["content_type"] == "application/pdf"
    answered = clerk.post(f"{url}corrections/answer/", {}, format="json").json()
    line = next(line for line in answered["materials"] if line["slot"] == slot)
    assert (answered["status"], line["state"], line["uploads"][0]["name"]) == ("submitted", "provided", "申请表.pdf")
    assert clerk.post(f"{url}accept/", {}, format="json").json()["status"] == "in_review"

    # the back office, which does not know whose case it is
    row = Case.objects.get(number=case["number"])
    assert row.reviewer is not None
    reviewer = caller(row.reviewer.username)
    review = f"/api/v1/reviews/{row.number}/"
    assert [one["number"] for one in reviewer.get("/api/v1/reviews/").json()["results"]] == [row.number]
    opinion = reviewer.post(f"{review}opinion/", {"approve": True, "text": "符合条件。"}, format="json")
    assert opinion.json()["opinion"]["text"] == "符合条件。"
    decider = caller(play.holder(Role.DECIDER, row, row.reviewer).username)
    assert [one["number"] for one in decider.get("/api/v1/reviews/?queue=decide").json()["results"]] == [row.number]
    decided = decider.post(f"{review}decision/", {"approve": True}, format="json").json()
    assert decided["status"] == "approved"
    assert decided["applicant"]["name"] == body["name"]
    completed = reviewer.post(f"{review}completion/").json()
    assert completed["status"] == "completed"
    assert completed["licence"]["number"].startswith("LYG")

    # the window hands out, the applicant looks, anybody verifies
    handed = clerk.post(f"{url}delivery/", {"method": "counter", "receiver": "张三"}, format="json").json()
    assert handed["delivery"]["receiver"] == "张三"
    said = {"number": case["number"], "query_code": case["query_code"]}
    seen = nobody.post("/api/v1/progress/", said, format="json").json()
    assert seen["afterwards"]
    assert seen["status"] == "completed"
    papers = clerk.get(f"{url}documents/").json()
    assert [paper["kind"] for paper in papers] == ["receipt", "correction", "acceptance", "approval"]
    verified = nobody.get(f"/api/v1/verify/{papers[-1]['verify_code']}/").json()
    assert (verified["state"], verified["licence"]["number"]) == ("有效", completed["licence"]["number"])

    # every office lives through its task
    deliver(clock.at)
    tasks = list(SupervisionTask.objects.filter(case=row))
    assert tasks
    for task in tasks:
        manager = caller(manager_of(task))
        address = f"/api/v1/tasks/{task.number}/"
        assert task.number in [one["number"] for one in manager.get("/api/v1/tasks/").json()["results"]]
        assert manager.get(address).json()["status"] == "viewed"
        taken = {"measure": "on_site", "planned_finish_on": "2026-09-30"}
        assert manager.post(f"{address}acknowledgement/", taken, format="json").json()["status"] == "acknowledged"
        finished = manager.post(f"{address}finish/", {"finished_on": "2026-09-28"}, format="json").json()
        assert finished["deadline"]["kind"] == "feedback"
        result = {"result": "basically", "text": "已查。", "platform": "market", "platform_number": "A1"}
        assert manager.post(f"{address}feedback/", result, format="json").json()["status"] == "fed_back"
        closed = manager.post(f"{address}closure/", {"follow_up": "已整改。"}, format="json").json()
        assert (closed["status"], closed["feedback"]["follow_up"]) == ("closed", "已整改。")
        shelf = manager.get("/api/v1/tasks/?queue=closed").json()["results"]
        assert task.number in [one["number"] for one in shelf]
    assert not list(verify.faults())


def test_a_promise_case_is_checked_clause_by_clause(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    item = BusinessItem.objects.published().exclude(promise_modes=[]).filter(item__division__code="320700")[0]
    body = intake(item, way="promise")
    case = clerk.post("/api/v1/cases/", body, format="json").json()
    assert case["promise_clauses"]
    assert {line["state"] for line in case["materials"]} >= {"provided"}
    here = f"/api/v1/cases/{case['number']}/"
    assert clerk.post(f"{here}accept/").json()["code"] == "credit-not-asked"
    check = clerk.post(f"{here}credit/").json()["credit_check"]
    assert (check["grade"], check["rule_allows"], check["allowed"]) == ("none", True, None)
    assert (check["grade_source"], check["said"], check["measures"]) == ("", "", [])
    decided = clerk.post(f"{here}credit/decision/", {"allowed": True}, format="json").json()
    assert decided["credit_check"]["allowed"] is True
    assert clerk.post(f"{here}accept/").json()["code"] == "promise-unsigned"
    letter = next(line["slot"] for line in case["materials"] if "承诺书" in line["name"])
    scan = {"slot": letter, "file": SimpleUploadedFile("a.pdf", PDF)}
    assert clerk.post(f"{here}uploads/", scan, format="multipart").status_code == 201
    signing = {"clauses": [1], "signer": "李某某", "capacity": "legal", "method": "paper"}
    refused = clerk.post(f"{here}promise/", signing, format="json")
    assert (refused.json()["code"], refused.json()["errors"][0]["field"]) == ("clause-missing", "clauses")
    signing["clauses"] = list(range(1, len(case["promise_clauses"]) + 1))
    signed = clerk.post(f"{here}promise/", signing, format="json").json()["promise"]
    assert (signed["signer"], signed["consents_to_publication"], len(signed["digest"])) == ("李某某", False, 64)
    assert clerk.post(f"{here}promise/", signing, format="json").json()["code"] == "promise-signed"
    clerk.post(f"{here}accept/")
    row = Case.objects.get(number=case["number"])
    if row.reviewer is not None:
        advice = {"approve": True, "text": "同意。"}
        caller(row.reviewer.username).post(f"/api/v1/reviews/{row.number}/opinion/", advice, format="json")
    decider = row.decider or play.holder(Role.DECIDER, row, *([row.reviewer] if row.reviewer else []))
    done = caller(decider.username).post(f"/api/v1/reviews/{row.number}/decision/", {"approve": True}, format="json")
    if done.json()["status"] == "approved":
        caller(decider.username).post(f"/api/v1/reviews/{row.number}/completion/")
    task = SupervisionTask.objects.filter(case=row)[0]
    manager = caller(manager_of(task))
    address = f"/api/v1/tasks/{task.number}/"
    manager.get(address)
    none = {"measure": "none_now", "planned_finish_on": "2026-09-30", "reason": "忙"}
    refused = manager.post(f"{address}acknowledgement/", none, format="json")
    assert refused.json()["code"] == "promise-must-be-checked"
    manager.post(f"{address}acknowledgement/", none | {"measure": "off_site"}, format="json")
    unseen = manager.post(f"{address}finish/", {"finished_on": "2026-09-28"}, format="json")
    assert unseen.json()["code"] == "clauses-not-inspected"
    clock.to("2026-09-28 12:00")
    look(task, clock.at, bad=False)
    assert manager.post(f"{address}finish/", {"finished_on": "2026-09-28"}, format="json").status_code == 200
    result = {"result": "conforming", "text": "已查。", "platform": "market", "platform_number": "A1"}
    refused = manager.post(f"{address}feedback/", result, format="json")
    assert refused.json()["code"] == "clauses-missing"
    clauses = ["conforming"] * len(task.promise_clauses)
    closed = manager.post(f"{address}feedback/", result | {"clauses": clauses}, format="json").json()
    assert closed["status"] == "closed"
    assert [clause["result"] for clause in closed["feedback"]["clauses"]] == clauses


def test_a_filing_ends_at_acceptance(caller: Caller, clock: Moment) -> None:
    item = BusinessItem.objects.published().filter(item__kind="filing", item__division__code="320700")[0]
    clerk = caller("chuangkou1")
    case = clerk.post("/api/v1/cases/", intake(item), format="json").json()
    done = clerk.post(f"/api/v1/cases/{case['number']}/accept/").json()
    assert (done["status"], done["outcome"]) == ("completed", "filed")
    assert SupervisionTask.objects.filter(case__number=case["number"]).exists()


def test_what_is_still_missing_is_taken_in_with_the_acceptance(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    case = clerk.post("/api/v1/cases/", intake(play.item(), complete=False), format="json").json()
    url = f"/api/v1/cases/{case['number']}/"
    missing = [line["slot"] for line in case["materials"] if line["required"] and line["state"] == "missing"]
    refused = clerk.post(f"{url}accept/", {}, format="json").json()
    assert refused["code"] == "materials-missing"
    done = clerk.post(f"{url}accept/", {"provided": dict.fromkeys(missing, "provided")}, format="json").json()
    assert done["status"] == "in_review"


def test_a_file_before_acceptance_counts_at_once(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    case = clerk.post("/api/v1/cases/", intake(play.item(), complete=False), format="json").json()
    url = f"/api/v1/cases/{case['number']}/"
    slot = next(line["slot"] for line in case["materials"] if line["required"] and line["state"] == "missing")
    assert clerk.post(f"{url}uploads/", {"slot": slot, "file": pdf()}, format="multipart").status_code == 201
    assert clerk.post(f"{url}accept/").json()["status"] == "in_review"


def test_a_rejection_lists_its_grounds_and_is_served(caller: Caller, clock: Moment) -> None:
    case = play.reviewed(clock.at, approve=False)
    assert case.reviewer is not None
    decider = caller(play.holder(Role.DECIDER, case, case.reviewer).username)
    url = f"/api/v1/reviews/{case.number}/"
    keys = [decider.get(url).json()["grounds"][0]["key"]]
    done = decider.post(f"{url}decision/", {"approve": False, "keys": keys, "text": "见理由。"}, format="json").json()
    assert [ground["key"] for ground in done["decision"]["grounds"]] == keys
    said = {"method": "post", "receiver": "张三", "tracking": "EMS1"}
    served = caller("chujian1").post(f"/api/v1/cases/{case.number}/delivery/", said, format="json").json()
    assert (served["status"], served["outcome"]) == ("completed", "refused")


def test_not_accepted_stands_with_ground_and_reason(caller: Caller, clock: Moment) -> None:
    case = play.received(clock.at)
    said = {"ground": "not_our_duty", "reason": "属市级以上机关职权。"}
    done = caller("chuangkou2").post(f"/api/v1/cases/{case.number}/refusal/", said, format="json").json()
    assert done["status"] == "not_accepted"
    assert done["refusal"]["reason"] == said["reason"]


def test_the_credit_query_says_who_gave_the_grade_of_when_the_answer_is_and_what_is_in_force(
    caller: Caller, clock: Moment, settings: Any
) -> None:
    case = play.promising(clock.at, signed=False, company=0)
    JointMeasure.objects.create(
        subject=case.applicant, department=facts.department(), kind="reward", what="容缺受理", basis="联合激励清单",
        starts_on=clock.at.date(), ends_on=clock.at.date(), decided_by=facts.officer(), decided_at=clock.at,
    )  # fmt: skip
    with platforms.running(settings):
        said = caller("chuangkou1").post(f"/api/v1/cases/{case.number}/credit/").json()["credit_check"]
    assert (said["grade"], said["said"]) == ("excellent", "信用平台2026-09-28 10:00答复。")
    assert said["grade_source"]
    assert "容缺受理" in said["measures"][0]
