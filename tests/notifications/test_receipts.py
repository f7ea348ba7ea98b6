"""The gateway's hook."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deadlines.calendar import shipped
from notifications import claims
from notifications.claims import Claim
from notifications.deliver import deliver
from notifications.enums import State, Verdict
from notifications.models import Message, Receipt
from notifications.recording import Result, record
from notifications.schedule import GATHER
from tests.notifications.conftest import NOW, Listener, Send
from tests.notifications.gateway import Gateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.notifications.urls")]

URL = "/hooks/sms/receipts"
AT = "2026-09-28T09:31:00+08:00"


def post(content: Any, token: str | None = None) -> Any:
    bearer = settings.HOOK_TOKEN if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return Client(enforce_csrf_checks=True).post(URL, content, content_type="application/json", headers=headers)


def note(message: Message, status: str = "DELIVERED", **more: Any) -> dict[str, Any]:
    return {"client_id": str(message.client_id), "status": status, "at": AT, **more}


@pytest.fixture
def sent(send: Send, gateway: Gateway) -> Message:
    """A message that the gateway took."""
    send("t1")
    deliver(NOW)
    return Message.objects.get()


@pytest.mark.parametrize("token", ["", "wrong", "wrong token"])
def test_only_the_gateway_may_post(sent: Message, token: str) -> None:
    answer = post([note(sent)], token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    sent.refresh_from_db()
    assert sent.state == State.ACCEPTED


def test_nothing_but_posting_is_offered() -> None:
    answer = Client().get(URL, headers={"Authorization": f"Bearer {settings.HOOK_TOKEN}"})
    assert answer.status_code == 405


def test_a_delivered_message_is_delivered_once(sent: Message, listener: Listener) -> None:
    assert post([note(sent)]).json() == {"applied": 1, "repeated": 0, "unmatched": 0}
    assert post([note(sent), note(sent)]).json() == {"applied": 0, "repeated": 2, "unmatched": 0}
    sent.refresh_from_db()
    assert sent.state == State.DELIVERED
    assert sent.delivered_at is not None
    assert sent.delivered_at.isoformat() == "2026-09-28T01:31:00+00:00"
    assert (listener.accepted, listener.failed) == (["t1"], [])
    assert Receipt.objects.count() == 1


def test_a_late_failure_is_heard_by_the_kind_once(sent: Message, listener: Listener) -> None:
    post([note(sent, "FAILED", detail="13800001111 空号")])
    post([note(sent, "FAILED")])
    sent.refresh_from_db()
    assert (sent.state, sent.error) == (State.FAILED, "… 空号")
    assert sent.accepted_at == NOW, "it was accepted all the same"
    assert listener.failed == ["t1"]


def test_a_delivery_is_not_undone_by_a_failure_that_comes_after_it(sent: Message, listener: Listener) -> None:
    post([note(sent), note(sent, "FAILED")])
    sent.refresh_from_db()
    assert (sent.state, listener.failed) == (State.DELIVERED, [])
    assert Receipt.objects.count() == 2


def test_a_receipt_faster_than_our_own_record_counts_as_accepted_once(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    send("t1")
    (claim,) = claims.claim(NOW, 10, quiet=False)
    post([note(claim.message)])
    _recorded(claim)
    message = Message.objects.get()
    assert (message.state, message.accepted_at) == (State.DELIVERED, NOW)
    assert listener.accepted == ["t1"]


def _recorded(claim: Claim) -> None:
    record([Result(claim, Verdict.ACCEPTED, gateway_id="gw-1")], NOW, shipped(), "http")


def test_a_receipt_for_a_bundle_is_a_receipt_for_all_in_it(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("r1", "r2", kind="reminder", bundle_key="day")
    deliver(NOW + GATHER)
    post([note(Message.objects.get(carried_by=None), "FAILED")])
    assert set(Message.objects.values_list("state", flat=True)) == {State.FAILED}
    assert listener.failed == ["r1", "r2"]


def test_receipts_of_somebody_else_are_counted_and_left(sent: Message) -> None:
    stranger = {"client_id": "00000000-0000-4000-8000-000000000000", "status": "DELIVERED", "at": AT}
    assert post([stranger, note(sent)]).json() == {"applied": 1, "repeated": 0, "unmatched": 1}


@pytest.mark.parametrize(
    "content",
    [
        {"client_id": "x"},
        [1, 2],
        [{"client_id": "x", "status": "DELIVERED", "at": AT}],
        [{"client_id": "00000000-0000-4000-8000-000000000000", "status": "LOST", "at": AT}],
        [{"client_id": "00000000-0000-4000-8000-000000000000", "status": "FAILED", "at": "yesterday"}],
        [{"client_id": "00000000-0000-4000-8000-000000000000", "status": "FAILED", "at": AT}] * 1001,
    ],
)
def test_what_is_no_list_of_receipts_is_refused_as_a_whole(sent: Message, content: Any) -> None:
    answer = post(content)
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert not Receipt.objects.exists()


def test_what_is_no_json_is_refused_as_a_problem_document() -> None:
    answer = post("not json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_an_empty_list_is_thanked() -> None:
    assert post([]).json() == {"applied": 0, "repeated": 0, "unmatched": 0}


def test_the_number_of_statements_does_not_depend_on_the_list(send: Send, gateway: Gateway) -> None:
    counted = []
    for count in (2, 40):
        send(*(f"{count}-{number}" for number in range(count)))
        deliver(NOW)
        notes = [note(message) for message in Message.objects.filter(state=State.ACCEPTED)]
        with CaptureQueriesContext(connection) as captured:
            post(notes)
        counted.append(len(captured))
    assert counted[0] == counted[1]
