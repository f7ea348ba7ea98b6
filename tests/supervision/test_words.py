"""Invisible text: it is no signature, no basis, no number, and nothing unseen goes onto a paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from offices.tokens import issue
from supervision import stock
from supervision.enums import TaskStatus
from supervision.models import Feedback, Inspection, Rectification, SupervisionTask
from tests.conftest import Moment
from tests.supervision import inspecting, stocking
from tests.supervision import ordering as make
from tests.supervision import tasks as some

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
NOTHING = "\u200b\ufeff\u200d"
TURNED = "查明\u202e的事实"


def api(task: SupervisionTask) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(make.manager(task)).token}")
    return client


def test_an_inspection_is_neither_signed_nor_told_invisibly(city: None, clock: Moment, sign_in: SignIn) -> None:
    task = inspecting.ready(clock.at)
    now = clock.to("2026-09-28 15:00")
    browser = sign_in(some.manager_of(task))
    page = reverse("tasks:inspect", args=[task.number])
    unsigned = browser.post(page, inspecting.sheet(task, now, signer=NOTHING, unsigned_reason=NOTHING))
    assert unsigned.status_code == 422
    assert "未签名的，须写明原因" in unsigned.content.decode()
    for name in ("summary", "place", "remarks", "signer", "identity_numbers"):
        sent = inspecting.sheet(task, now)
        back = browser.post(page, sent | {name: f"{sent.get(name, '')}{TURNED}"})
        assert back.status_code == 422, name
        assert "看不见的控制字符" in back.content.decode(), name
    assert not Inspection.objects.exists()
    sent = inspecting.sheet(task, now, remarks=NOTHING)
    assert browser.post(page, sent).status_code == 302
    assert browser.post(page, sent).status_code == 302  # the same draft again is the same record
    assert Inspection.objects.get().remarks == ""


def test_an_order_and_a_feedback_have_text_that_is_seen(city: None, clock: Moment) -> None:
    task = make.faulty(clock.at)
    clock.to("2026-09-28 15:00")
    client = api(task)
    order = {
        "facts": "超范围经营。", "basis": "《食品安全法》", "demands": "停止超范围经营。", "consequence": "依法处理。",
        "due_on": "2026-10-20",
    }  # fmt: skip
    for name in ("facts", "basis", "demands", "consequence"):
        empty = client.post(f"/api/v1/tasks/{task.number}/order/", order | {name: NOTHING}, format="json").json()
        assert (empty["status"], empty["code"]) == (422, f"{name}-missing"), empty
        turned = client.post(f"/api/v1/tasks/{task.number}/order/", order | {name: TURNED}, format="json").json()
        assert (turned["status"], turned["code"]) == (422, "characters-unseen"), turned
        assert turned["errors"][0]["field"] == name
    assert not Rectification.objects.exists()
    client.post(f"/api/v1/tasks/{task.number}/finish/", {"finished_on": "2026-09-28"}, format="json")
    told = {"result": "nonconforming", "clauses": [], "text": "超范围。", "platform": "other", "platform_number": "JG1"}
    at = f"/api/v1/tasks/{task.number}/feedback/"
    empty = client.post(at, told | {"platform_number": NOTHING}, format="json").json()
    assert (empty["status"], empty["code"]) == (422, "platform-number-missing"), empty
    for name in ("platform_number", "text"):
        turned = client.post(at, told | {name: TURNED}, format="json").json()
        assert (turned["status"], turned["code"]) == (422, "characters-unseen"), turned
    assert not Feedback.objects.exists()


def test_reasons_and_plans_have_text_that_is_seen(city: None, clock: Moment) -> None:
    task = some.notified(clock.at)
    client = api(task)
    client.get(f"/api/v1/tasks/{task.number}/")
    at = f"/api/v1/tasks/{task.number}"
    plan = {"measure": "none_now", "planned_finish_on": "2026-09-30"}
    said: dict[str, list[tuple[dict[str, str], str]]] = {
        f"{at}/acknowledgement/": [(plan, "reason"), (plan | {"measure": "combined"}, "measure_with")],
        f"{at}/dispute/": [({}, "reason")],
    }
    for address, rows in said.items():
        for data, name in rows:
            empty = client.post(address, data | {name: NOTHING}, format="json").json()
            assert (empty["status"], empty["code"]) == (422, f"{name.replace('_', '-')}-missing"), empty
            turned = client.post(address, data | {name: TURNED}, format="json").json()
            assert (turned["status"], turned["code"]) == (422, "characters-unseen"), turned
    task.refresh_from_db()
    assert task.status == TaskStatus.VIEWED
    client.post(f"{at}/acknowledgement/", plan | {"measure": "on_site"}, format="json")
    visit = {"purpose": NOTHING, "planned_on": "2026-09-29"}
    empty = client.post(f"{at}/visit/", visit, format="json").json()
    assert (empty["status"], empty["code"]) == (422, "purpose-missing"), empty
    turned = client.post(f"{at}/visit/", visit | {"purpose": TURNED}, format="json").json()
    assert (turned["status"], turned["code"]) == (422, "characters-unseen"), turned


def test_a_row_of_old_stock_with_invisible_text_is_at_fault(city: None) -> None:
    about = stocking.item()
    rows = [
        stocking.row(about, 1, 持有人="连云港\u202e食品厂\u200b"), stocking.row(about, 2, 持有人=NOTHING),
        stocking.row(about, 3, 证照编号="旧证\u200b3"), stocking.row(about, 4),
    ]  # fmt: skip
    faults = [one.fault for one in stock.parse(stocking.table(rows))]
    assert all("看不见的控制字符" in fault or "没有填写" in fault for fault in faults[:3])
    assert faults[3] == ""
