"""Before the decision nothing that the back office can ask tells whose case it is (O3.1.2c)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Case
from offices.models import Posting
from oversight.demo.cases import COMPANIES, code_of
from tests.api.conftest import PDF, Caller, intake
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Role = Posting.Role


def _secrets(case: Any) -> list[str]:
    name = COMPANIES[0][1]
    return [name, name[3:7], code_of(COMPANIES[0][0]), "10000990001", "联系人甲", "海州湾的申请表", case.query_code]


def test_reviewer_and_decider_learn_nothing_before_the_decision(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    body = intake(play.item(), contact_name="联系人甲")
    number = clerk.post("/api/v1/cases/", body, format="json").json()["number"]
    slot = next(iter(body["provided"]))
    file = {"slot": slot, "file": SimpleUploadedFile("海州湾的申请表.pdf", PDF)}
    assert clerk.post(f"/api/v1/cases/{number}/uploads/", file, format="multipart").status_code == 201
    clerk.post(f"/api/v1/cases/{number}/accept/")
    case = Case.objects.get(number=number)
    assert case.reviewer is not None
    decider = caller(play.holder(Role.DECIDER, case, case.reviewer).username)
    reviewer = caller(case.reviewer.username)
    advice = {"approve": True, "text": "好"}
    first = reviewer.get("/api/v1/reviews/?queue=review")
    given = reviewer.post(f"/api/v1/reviews/{number}/opinion/", advice, format="json")
    with CaptureQueriesContext(connection) as statements:
        answers = [
            reviewer.get(f"/api/v1/reviews/{number}/"),
            reviewer.get("/api/v1/reviews/?queue=advised"),
            decider.get("/api/v1/reviews/?queue=decide"),
            decider.get(f"/api/v1/reviews/{number}/"),
        ]
    for answer in (first, given, *answers):
        assert answer.status_code == 200
        text = answer.content.decode()
        assert number in text
        for secret in _secrets(case):
            assert secret not in text, secret
    reads = [entry["sql"] for entry in statements]
    assert any("approvals_case" in sql for sql in reads)
    for column in ("credit_creditsubject", "applicant_name", "contact_phone", "contact_name", "original_name"):
        assert not [sql for sql in reads if column in sql], column  # blind in the query, not in the answer alone
    assert decider.get(f"/api/v1/reviews/{number}/").json()["materials"][0]["files"][0]["name"].startswith("材料")


@pytest.mark.parametrize("text", [COMPANIES[0][1], COMPANIES[0][1][3:6], code_of(COMPANIES[0][0]), "10000990001"])
def test_a_search_cannot_ask_whose_case_it_is(caller: Caller, clock: Moment, text: str) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    reviewer = caller(case.reviewer.username)
    assert reviewer.get("/api/v1/reviews/", {"q": text}).json()["results"] == []
    assert reviewer.get("/api/v1/reviews/", {"q": case.number}).json()["results"]


def test_after_the_decision_the_applicant_is_named(caller: Caller, clock: Moment) -> None:
    case = play.approved(clock.at)
    assert case.reviewer is not None
    seen = caller(case.reviewer.username).get(f"/api/v1/reviews/{case.number}/").json()
    assert seen["applicant"] == {"name": COMPANIES[0][1], "identifier": code_of(COMPANIES[0][0])}


def test_officers_are_named_nowhere(caller: Caller, clock: Moment) -> None:
    """Neither the window, nor the public, nor supervision reads who reviewed and who decided (O3.3.2a)."""
    case = play.completed(clock.at)
    assert case.reviewer is not None
    decider = Case.objects.get(pk=case.pk).decider
    assert decider is not None
    task = case.tasks.order_by("pk")[0]
    manager = Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user
    clerk = caller("chuangkou1")
    said = {"number": case.number, "query_code": case.query_code}
    answers = [
        clerk.get(f"/api/v1/cases/{case.number}/"),
        clerk.get(f"/api/v1/cases/{case.number}/documents/"),
        clerk.get("/api/v1/cases/"),
        clerk.post("/api/v1/progress/", said, format="json"),
        caller(manager.username).get(f"/api/v1/tasks/{task.number}/"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        text = answer.content.decode()
        for officer in (case.reviewer, decider):
            assert officer.username not in text
            assert f'"{officer.full_name}"' not in text
