"""What applicants owe, through the API: the same acts as on the pages, with stable codes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from approvals import owed as debts
from approvals.actions.intake import slot_of
from approvals.actions.owing import later_lines, outstanding
from approvals.models import Case
from credit.models import CreditRecord
from tests.api.conftest import PDF, Caller, problem
from tests.approvals.debts import decider, fresh, licensed, provided, received_without, waiting
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
UNTIL = dt.date(2026, 10, 9)


def post(client: APIClient, address: str, said: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/{address}/", said, format="json")


def test_the_window_takes_in_what_was_deferred(caller: Caller, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    clerk = caller("chuangkou1")
    problem(post(clerk, f"cases/{case.number}/owed", {}), 422, "nothing-handed-in")
    for line in outstanding(case):
        body = {"slot": slot_of(line), "file": SimpleUploadedFile("a.pdf", PDF)}
        assert clerk.post(f"/api/v1/cases/{case.number}/uploads/", body, format="multipart").status_code == 201
    assert fresh(case).status == "approved"
    other = case.materials.exclude(state="deferred").filter(material__isnull=False)[0]
    body = {"slot": slot_of(other), "file": SimpleUploadedFile("a.pdf", PDF)}
    problem(clerk.post(f"/api/v1/cases/{case.number}/uploads/", body, format="multipart"), 409, "state-conflict")
    answer = post(clerk, f"cases/{case.number}/owed", {})
    assert answer.status_code == 200
    assert answer.json()["status"] == "completed"
    problem(post(clerk, f"cases/{case.number}/owed", {}), 409, "state-conflict")


def test_the_licence_is_not_made_while_something_is_owed(caller: Caller, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    by = caller(decider(case).username)
    problem(post(by, f"reviews/{case.number}/completion", {}), 409, "deferred-owed")
    clock.to("2026-10-10 00:00:01")
    post(caller("chuangkou1"), f"cases/{case.number}/owed", {"provided": provided(case)})
    problem(post(by, f"reviews/{case.number}/completion", {}), 409, "promise-lapse-open")


def test_a_decider_settles_a_promise_that_lapsed(caller: Caller, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    by = caller(decider(case).username)
    address = f"owed/{case.number}"
    shown = by.get(f"/api/v1/{address}/").json()
    assert (shown["kind"], shown["deadline"]["due_on"], shown["lapses"]) == ("deferred", "2026-10-09", [])
    assert by.get("/api/v1/owed/", {"queue": "waiting"}).json()["results"] == [shown]
    problem(post(by, f"{address}/promise", {"cancel": True, "reason": "未交。"}), 409, "state-conflict")
    clock.to("2026-10-10 09:00")
    debts.sweep(clock.at)
    [row] = by.get("/api/v1/owed/").json()["results"]
    assert row["lapses"][0]["cancel"] is None
    problem(post(by, f"{address}/promise", {"cancel": False, "reason": ""}), 422, "reason-missing")
    wrong = {"cancel": False, "reason": "等。", "until": "2027-10-09"}
    problem(post(by, f"{address}/promise", wrong), 422, "promise-day-wrong")
    shown = post(by, f"{address}/promise", wrong | {"until": "2026-10-16"}).json()
    assert (shown["status"], shown["deadline"]["due_on"]) == ("approved", "2026-10-16")
    clock.to("2026-10-17 09:00")
    debts.sweep(clock.at)
    shown = post(by, f"{address}/promise", {"cancel": True, "reason": "仍未交。"}).json()
    assert (shown["status"], [one["cancel"] for one in shown["lapses"]]) == ("cancelled", [False, True])
    problem(post(caller("chuangkou1"), f"{address}/promise", {"cancel": True, "reason": "x"}), 404, "not-found")


def test_materials_that_follow_the_licence(caller: Caller, clock: Moment) -> None:
    case = received_without(clock.at)
    clerk = caller("chuangkou1")
    said = {"slots": [slot_of(line) for line in later_lines(case)], "until": "2026-11-06", "signer": "张三"}
    address = f"cases/{case.number}/later"
    problem(post(clerk, address, said | {"slots": []}), 422, "later-not-allowed")
    problem(post(clerk, address, said | {"until": "2026-09-28"}), 422, "later-day-wrong")
    problem(post(clerk, address, said | {"signer": ""}), 422, "signer-missing")
    assert post(clerk, address, said).status_code == 200
    problem(post(clerk, address, said), 409, "later-agreed")
    breach = {"kind": "serious", "source": "J1", "basis": "严重失信", "found_at": clock.at}
    CreditRecord.objects.create(subject=case.applicant, **breach)
    problem(post(clerk, f"cases/{received_without(clock.at).number}/later", said), 422, "later-closed")


def test_a_decider_extends_and_settles(caller: Caller, clock: Moment) -> None:
    case: Case = licensed(clock.at, dt.date(2026, 11, 6))
    by = caller(decider(case).username)
    address = f"owed/{case.number}/later"
    problem(post(by, f"{address}/settlement", {"apply": True, "reason": "急。"}), 409, "state-conflict")
    shown = post(by, f"{address}/extension", {"until": "2026-11-20", "reason": "排期。"}).json()
    assert (shown["kind"], shown["later"]["extended_to"]) == ("later", "2026-11-20")
    problem(post(by, f"{address}/extension", {"until": "2026-11-27", "reason": "排期。"}), 409, "later-extended")
    clock.to("2026-11-21 00:00:01")
    shown = post(by, f"{address}/settlement", {"apply": False, "reason": "客观原因。"}).json()
    assert (shown["later"]["applied"], shown["status"]) == (False, "completed")
    problem(post(by, f"{address}/extension", {"until": "2026-12-01", "reason": "再延。"}), 409, "state-conflict")
