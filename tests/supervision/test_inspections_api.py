"""检查 through the API: the same rules, the same once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from offices.models import User
from offices.tokens import issue
from supervision.enums import TaskStatus
from supervision.models import Inspection, Photo, SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import inspecting as field
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db


def caller(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(user).token}")
    return client


def body(task: SupervisionTask, form: dict[str, Any], clock: Moment, **changes: Any) -> dict[str, Any]:
    return {
        "client_key": str(uuid.uuid4()),
        "checklist_version": form["checklist_version"],
        "place": "海州区花果山大道1号",
        "began_at": clock.at.isoformat(),
        "ended_at": clock.at.isoformat(),
        "first_officer": form["officers"][0]["id"],
        "second_officer": form["officers"][1]["id"],
        "showed_identity": True,
        "identity_numbers": "苏0700001、苏0700002",
        "findings": [{"kind": one["kind"], "key": one["key"], "result": "conforming"} for one in form["asked"]],
        "result": "conforming",
        "summary": "到场核对。",
        "unsigned_reason": "负责人拒绝签名",
    } | changes


def test_a_program_records_once(city: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    manager = caller(play.person(some.manager_of(task)))
    root = f"/api/v1/tasks/{task.number}"
    form = manager.get(f"{root}/inspection-form/").json()
    assert [one["kind"] for one in form["asked"]][-1] == "activity"
    sent = body(task, form, clock)
    key = str(uuid.uuid4())
    for status in (201, 200):
        photo = {
            "draft_key": sent["client_key"], "client_key": key, "finding": "activity-activity",
            "file": SimpleUploadedFile("a.jpg", field.JPEG),
        }  # fmt: skip
        assert manager.post(f"{root}/inspection-photos/", photo, format="multipart").status_code == status
    sent["photos"] = [key]
    answers = [manager.post(f"{root}/inspections/", sent, format="json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["photos"][0]["client_key"] == key
    assert Inspection.objects.count() == Photo.objects.count() == 1
    task.refresh_from_db()
    assert task.status == TaskStatus.IN_PROGRESS
    listed = manager.get(f"{root}/inspections/").json()
    assert listed == [answers[0].json()]
    changed = manager.post(f"{root}/inspections/", sent | {"summary": "改了"}, format="json")
    assert (changed.status_code, changed.json()["code"]) == (409, "inspection-sent")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"findings": []}, 422, "finding-missing"),
        ({"findings": [{"kind": "point", "key": "zz", "result": "conforming"}]}, 409, "findings-strange"),
        ({"result": ""}, 422, "result-missing"),
        ({"result": "basically"}, 422, "result-contradicts"),
        ({"place": ""}, 422, "place-missing"),
        ({"began_at": None}, 422, "time-missing"),
        ({"began_at": "2026-09-28T10:00:00+08:00", "ended_at": "2026-09-28T09:00:00+08:00"}, 422, "time-order"),
        ({"ended_at": "2026-09-28T11:00:00+08:00"}, 422, "time-future"),
        ({"began_at": "2026-09-27T10:00:00+08:00"}, 422, "time-before-task"),
        ({"first_officer": None}, 422, "officer-missing"),
        ({"second_officer": None}, 422, "second-officer-missing"),
        ({"first_officer": 999999}, 422, "officer-not-fit"),
        ({"showed_identity": False}, 422, "identity-not-shown"),
        ({"identity_numbers": ""}, 422, "identity-missing"),
        ({"summary": " "}, 422, "summary-missing"),
        ({"unsigned_reason": ""}, 422, "signature-missing"),
        ({"signer": "王负责"}, 422, "signature-not-confirmed"),
        ({"off_site": "data"}, 422, "measure-not-fit"),
        ({"checklist_version": 7}, 409, "checklist-changed"),
        ({"kind": "again"}, 409, "state-conflict"),
        ({"photos": [str(uuid.UUID(int=4))]}, 422, "photos-missing"),
    ],
)
def test_what_the_api_refuses(city: None, clock: Moment, change: dict[str, Any], status: int, code: str) -> None:
    task = field.ready(clock.at)
    manager = caller(play.person(some.manager_of(task)))
    form = manager.get(f"/api/v1/tasks/{task.number}/inspection-form/").json()
    answer = manager.post(f"/api/v1/tasks/{task.number}/inspections/", body(task, form, clock, **change), format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Inspection.objects.exists()


def test_same_officer_twice_and_words_missing(city: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    manager = caller(play.person(some.manager_of(task)))
    form = manager.get(f"/api/v1/tasks/{task.number}/inspection-form/").json()
    sent = body(task, form, clock)
    same = manager.post(
        f"/api/v1/tasks/{task.number}/inspections/", sent | {"second_officer": sent["first_officer"]}, format="json"
    )
    assert same.json()["code"] == "officers-same"
    sent["findings"][0]["result"] = "nonconforming"
    answer = manager.post(f"/api/v1/tasks/{task.number}/inspections/", sent, format="json")
    assert answer.json()["code"] == "finding-words-missing"
    assert not Inspection.objects.exists()


def test_others_find_nothing(city: None, clock: Moment) -> None:
    task = field.ready(clock.at)
    stranger = caller(field.inspector(task))
    head = caller(play.person(f"{some.manager_of(task).split('.')[0]}.fuzeren"))
    root = f"/api/v1/tasks/{task.number}"
    for client in (stranger, head):
        assert client.get(f"{root}/inspection-form/").status_code == 404
        assert client.post(f"{root}/inspections/", {}, format="json").status_code == 404
        assert client.post(f"{root}/inspection-photos/", {}, format="multipart").status_code == 404
    assert stranger.get(f"{root}/inspections/").status_code == 404
    assert head.get(f"{root}/inspections/").json() == []
