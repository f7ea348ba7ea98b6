"""The API's twins of the order's pages: the same acts, the same refusals, the same answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from offices.tokens import issue
from supervision.enums import InspectionKind, TaskStatus
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision import ordering as make

pytestmark = pytest.mark.django_db
Signed = Callable[[str], APIClient]


@pytest.fixture
def signed(city: None) -> Signed:
    """A client with the token of an account."""

    def give(username: str) -> APIClient:
        client = APIClient()
        person = play.person(username)
        client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
        return client

    return give


def url(task: SupervisionTask, act: str) -> str:
    return f"/api/v1/tasks/{task.number}/{act}/"


def test_order_extension_outcome(clock: Moment, signed: Signed) -> None:
    task = make.fed_back(make.faulty(clock.at, promise=True), clock.at)
    manager, head = signed(make.manager(task).username), signed(make.head(task).username)
    wrong = manager.post(url(task, "order"), make.ORDER | {"due_on": "2026-09-28"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "order-day-wrong")
    assert wrong.json()["errors"][0]["field"] == "due_on"
    body = manager.post(url(task, "order"), make.ORDER | {"due_on": "2026-10-12"}, format="json").json()
    assert body["status"] == "rectifying"
    assert (body["orders"][0]["status"], body["orders"][0]["due_on"]) == ("running", "2026-10-12")
    again = manager.post(url(task, "order"), make.ORDER | {"due_on": "2026-10-12"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "order-exists")
    number = body["orders"][0]["paper_number"]
    listed = head.get("/api/v1/tasks/orders/").json()["results"]
    assert [one["paper_number"] for one in listed] == [number]
    assert head.get("/api/v1/tasks/orders/?tab=overdue").json()["results"] == []
    asked = {"until": "2026-10-20", "reason": "等配件。"}
    assert manager.post(url(task, "order/extension"), asked, format="json").status_code == 200
    assert manager.post(url(task, "order/answer"), {"grant": True}, format="json").status_code == 404
    body = head.post(url(task, "order/answer"), {"grant": True}, format="json").json()
    assert (body["orders"][0]["due_on"], body["orders"][0]["extension_granted"]) == ("2026-10-20", True)
    early = manager.post(url(task, "order/outcome"), {"outcome": "not_mended", "reason": "x"}, format="json")
    assert (early.status_code, early.json()["code"]) == (422, "order-not-due")
    make.look(task, clock.to("2026-10-19 10:00"), bad=False, kind=InspectionKind.AGAIN)
    body = manager.post(url(task, "order/outcome"), {"outcome": "mended"}, format="json").json()
    assert (body["status"], body["orders"][0]["status"]) == ("closed", "mended")
    assert [paper["kind"] for paper in body["papers"]] == ["order", "order_extension", "reinspection"]
    assert head.get(url(task, "rectification")).json()["status"] == "closed"


def test_handover(clock: Moment, signed: Signed) -> None:
    task = make.fed_back(make.faulty(clock.at), clock.at)
    manager = signed(make.manager(task).username)
    letter = {"to_name": "支队", "facts": "超范围经营。", "basis": "法。"}
    assert manager.post(url(task, "handover"), letter, format="json").json()["status"] == "handed_over"
    result = {"result": "罚款。", "number": "罚1号", "result_on": "2026-09-28"}
    early = manager.post(url(task, "handover/result"), result, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "receipt-first")
    receipt = {"number": "回1号", "received_on": "2026-09-28"}
    assert manager.post(url(task, "handover/receipt"), receipt, format="json").status_code == 200
    body = manager.post(url(task, "handover/result"), result, format="json").json()
    assert (body["status"], body["handover"]["result_number"]) == ("closed", "罚1号")


def test_proposal(clock: Moment, signed: Signed) -> None:
    task, _ = make.unmended(clock.at)
    manager = signed(make.manager(task).username)
    keys = [one["key"] for one in manager.get(url(task, "rectification")).json()["evidence"]]
    none = manager.post(url(task, "proposal"), {"facts": "责令后当面拒不整改。"}, format="json")
    assert (none.status_code, none.json()["code"]) == (422, "evidence-missing")
    body = manager.post(url(task, "proposal"), {"facts": "责令后当面拒不整改。", "keys": keys}, format="json").json()
    assert (body["status"], len(body["proposal"]["evidence"])) == ("revocation", len(keys))
    task.refresh_from_db()
    assert task.status == TaskStatus.REVOCATION
