"""The applicant's own door for programs: an SMS code buys a permit for one case, the permit its acts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from approvals.actions import request_correction
from approvals.actions.intake import required_points
from approvals.models import Case, CorrectionNotice
from notifications.models import Message
from tests.api.conftest import PDF, Caller, problem
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/progress/"


def to_correct(clock: Moment) -> Case:
    """A case that waits for its applicant's answer."""
    case = play.received(clock.at, complete=False)
    clerk = play.person("chuangkou1")
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)


def question(case: Case, **more: str) -> dict[str, str]:
    return {"number": case.number, "query_code": case.query_code} | more


def post(client: APIClient, name: str, body: dict[str, Any], form: str = "json") -> Any:
    return client.post(f"{ROOT}{name}/", body, format=form)


def digits(client: APIClient, case: Case) -> str:
    """Ask for a code; what came."""
    assert post(client, "code", question(case)).status_code == 202
    message = Message.objects.filter(kind="applicant_phone_code", reference=case.stream).order_by("-pk")[0]
    found = re.search(r"\d{6}", message.text)
    assert found
    return found.group()


def permit(client: APIClient, case: Case) -> str:
    """A permit for the case."""
    given = post(client, "permit", question(case, sms_code=digits(client, case)))
    assert given.status_code == 200
    return str(given.json()["permit"])


def test_the_applicant_answers_by_program_and_once(nobody: APIClient, clock: Moment) -> None:
    case = to_correct(clock)
    sent = post(nobody, "code", question(case))
    assert sent.status_code == 202
    assert "****" in sent.json()["phone"]
    clock.to("2026-09-28 10:02")
    given = post(nobody, "permit", question(case, sms_code=digits(nobody, case))).json()
    assert given["acts"] == ["answer", "withdraw"]
    slot = next(line["slot"] for line in given["materials"] if line["asked"])
    word = given["permit"]
    problem(post(nobody, "answer", {"permit": word}), 422, "answer-empty")
    file = SimpleUploadedFile("证明.pdf", PDF, "application/pdf")
    stored = post(nobody, "uploads", {"permit": word, "slot": slot, "file": file}, "multipart")
    assert stored.status_code == 201
    bad = SimpleUploadedFile("坏.pdf", b"MZ" + b"\0" * 300, "application/pdf")
    problem(post(nobody, "uploads", {"permit": word, "slot": slot, "file": bad}, "multipart"), 422, "upload-kind")
    problem(
        post(nobody, "uploads", {"permit": word, "slot": "promise", "file": file}, "multipart"), 422, "slot-unknown"
    )
    shown = post(nobody, "answer", {"permit": word}).json()
    assert (shown["status"], shown["next"]["title"]) == ("submitted", "您现在不用做什么")
    assert CorrectionNotice.objects.get(case=case).answered_through == "public"
    problem(post(nobody, "answer", {"permit": word}), 409, "state-conflict")


def test_a_wrong_code_and_a_wrong_permit_open_nothing(nobody: APIClient, clock: Moment) -> None:
    case = to_correct(clock)
    code = digits(nobody, case)
    wrong = f"{(int(code) + 1) % 1000000:06d}"
    problem(post(nobody, "permit", question(case, sms_code=wrong)), 422, "code-wrong")
    problem(
        post(nobody, "permit", question(case) | {"query_code": "22222222", "sms_code": code}), 404, "progress-not-found"
    )
    for name in ("answer", "owed", "promise-withdrawal", "withdrawal"):
        for word in ("x", "", "WyJ4Il0:1abc:def"):
            answer = post(nobody, name, {"permit": word})
            assert answer.status_code in {404, 422}, name
            if word:
                problem(answer, 404, "permit-unknown")


def test_a_permit_ends_after_half_an_hour(nobody: APIClient, clock: Moment) -> None:
    case = to_correct(clock)
    word = permit(nobody, case)
    clock.to("2026-09-28 10:30")
    problem(post(nobody, "withdrawal", {"permit": word}), 404, "permit-unknown")


def test_withdrawal_by_program(nobody: APIClient, clock: Moment) -> None:
    case = play.accepted(clock.at)
    word = permit(nobody, case)
    shown = post(nobody, "withdrawal", {"permit": word, "reason": "改址"}).json()
    assert shown["status"] == "withdrawn"
    problem(post(nobody, "withdrawal", {"permit": word}), 409, "state-conflict")
    problem(post(nobody, "owed", {"permit": word}), 409, "state-conflict")
    problem(post(nobody, "promise-withdrawal", {"permit": word}), 409, "state-conflict")


def test_codes_are_few(nobody: APIClient, clock: Moment) -> None:
    case = to_correct(clock)
    digits(nobody, case)
    limited = post(nobody, "code", question(case))
    problem(limited, 429, "too-many-requests")
    assert int(limited.headers["Retry-After"]) <= 61


def test_the_window_mends_and_withdraws_by_program(caller: Caller, clock: Moment) -> None:
    case = play.received(clock.at)
    clerk = caller("chuangkou1")
    url = f"/api/v1/cases/{case.number}"
    assert clerk.post(f"{url}/mending/", {"contact_name": "李四"}, format="json").json()["contact_name"] == "李四"
    problem(clerk.post(f"{url}/mending/", {"contact_name": "李四"}, format="json"), 422, "nothing-mended")
    assert clerk.post(f"{url}/withdrawal/", {}, format="json").json()["status"] == "withdrawn"
    problem(clerk.post(f"{url}/withdrawal/", {}, format="json"), 409, "state-conflict")
    problem(clerk.post(f"{url}/mending/", {"contact_name": "王五"}, format="json"), 409, "state-conflict")


def test_a_refusal_rests_on_named_points_alone(caller: Caller, nobody: APIClient, clock: Moment) -> None:
    case = to_correct(clock)
    clerk = caller("chuangkou1")
    url = f"/api/v1/cases/{case.number}"
    missing = next(point["key"] for point in CorrectionNotice.objects.get(case=case).points)
    provided = {missing.removeprefix("material:"): "provided"}
    assert clerk.post(f"{url}/corrections/answer/", {"provided": provided}, format="json").status_code == 200
    said = {"ground": "not_corrected", "reason": "仍缺"}
    problem(clerk.post(f"{url}/refusal/", said, format="json"), 422, "points-missing")
    problem(clerk.post(f"{url}/refusal/", said | {"keys": ["material:0"]}, format="json"), 422, "point-not-named")
    named = CorrectionNotice.objects.get(case=case).points[0]["key"]
    assert clerk.post(f"{url}/refusal/", said | {"keys": [named]}, format="json").json()["status"] == "not_accepted"
