"""Reminders to one person on one day are one SMS; no row is lost in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications import bundles, claims
from notifications.claims import LEASE
from notifications.deliver import deliver
from notifications.enums import State
from notifications.models import Message
from notifications.schedule import ASK_AFTER, GATHER
from offices.models import User
from tests.notifications.conftest import NOW, Listener, Send
from tests.notifications.gateway import Gateway, Mode

pytestmark = pytest.mark.django_db(transaction=True)

DUE = NOW + GATHER
DAY = "2026-09-28:manager"


def states() -> set[str]:
    return set(Message.objects.values_list("state", flat=True))


def test_reminders_of_one_day_to_one_person_are_one_sms(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    send("r3", kind="reminder", bundle_key=DAY, now=NOW + timedelta(seconds=2))
    assert deliver(NOW).claimed == 0, "they wait for their companions"
    deliver(DUE + timedelta(seconds=2))
    (taken,) = gateway.taken
    assert taken["text"] == (
        "您有3条提醒：1.您有一项监管任务 r1，请签收；2.您有一项监管任务 r2，请签收；3.您有一项监管任务 r3，请签收。"
    )
    assert taken["template"] == bundles.BUNDLE_TEMPLATE_ID
    carrier = Message.objects.get(carried_by=None)
    assert (carrier.dedupe_key, carrier.carries) == ("r1", 2)
    assert {message.carried_by_id for message in Message.objects.exclude(pk=carrier.pk)} == {carrier.pk}
    assert states() == {State.ACCEPTED}
    assert listener.accepted == ["r1", "r2", "r3"]


def test_a_single_reminder_keeps_its_own_text_and_template(send: Send, gateway: Gateway) -> None:
    send("r1", kind="reminder", bundle_key=DAY)
    deliver(DUE)
    assert (gateway.taken[0]["text"], gateway.taken[0]["template"]) == ("您有一项监管任务 r1，请签收。", "T02")


def test_a_task_sms_is_never_bundled(send: Send, gateway: Gateway) -> None:
    send("t1", "t2")
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    deliver(NOW)
    assert len(gateway.taken) == 2
    deliver(DUE)
    assert [message["template"] for message in gateway.taken] == ["T01", "T01", "BUNDLE"]


def test_two_people_and_two_days_stay_apart(send: Send, gateway: Gateway, colleague: User) -> None:
    send("r1", "r2", kind="reminder", bundle_key="2026-09-28")
    send("s1", "s2", kind="reminder", bundle_key="2026-09-28", to=colleague)
    send("r3", kind="reminder", bundle_key="2026-09-29")
    deliver(DUE)
    phones = [message["phone"] for message in gateway.taken]
    assert sorted(phones) == ["13800001111", "13800001111", "13800002222"]
    assert Message.objects.filter(carried_by__isnull=False).count() == 2


def test_a_bundle_reaches_beyond_the_batch(send: Send, gateway: Gateway, listener: Listener) -> None:
    send(*(f"r{number}" for number in range(8)), kind="reminder", bundle_key=DAY)
    assert deliver(DUE, batch=2).claimed == 1
    assert len(gateway.taken) == 1
    assert len(listener.accepted) == 8


def test_what_does_not_fit_one_sms_goes_into_the_next(send: Send, gateway: Gateway, listener: Listener) -> None:
    keys = [f"很长的事项名称{number:03d}".ljust(60, "号") for number in range(20)]
    send(*keys, kind="reminder", bundle_key=DAY)
    while deliver(DUE, batch=3).more:
        pass
    assert all(len(message["text"]) <= bundles.MAX_CHARACTERS for message in gateway.taken)
    assert 3 < len(gateway.taken) < 8
    assert sorted(listener.accepted) == sorted(keys)
    assert all(sum(key in message["text"] for message in gateway.taken) == 1 for key in keys)


def test_a_failed_bundle_goes_again_whole_and_takes_nobody_else_in(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    gateway.plays([Mode.ERROR])
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    deliver(DUE)
    assert states() == {State.QUEUED}
    send("r3", kind="reminder", bundle_key=DAY, now=DUE)
    deliver(DUE + timedelta(minutes=2))
    assert sorted("您有2条" in message["text"] for message in gateway.taken) == [False, True]
    assert states() == {State.ACCEPTED}
    assert sorted(listener.accepted) == ["r1", "r2", "r3"]


def test_an_unknown_bundle_is_asked_about_once(send: Send, gateway: Gateway, listener: Listener) -> None:
    gateway.plays([Mode.LOST])
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    deliver(DUE)
    assert states() == {State.UNKNOWN}
    deliver(DUE + ASK_AFTER)
    assert (states(), len(gateway.taken), len(gateway.asked)) == ({State.ACCEPTED}, 1, 1)
    assert listener.accepted == ["r1", "r2"]


def test_a_refused_bundle_fails_every_message_in_it(send: Send, gateway: Gateway, listener: Listener) -> None:
    gateway.plays([Mode.REFUSE])
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    deliver(DUE)
    assert states() == {State.FAILED}
    assert listener.failed == ["r1", "r2"]


def test_a_crash_leaves_the_bundle_as_it_was(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("r1", "r2", kind="reminder", bundle_key=DAY)
    claims.claim(DUE, 10, quiet=False)
    send("r3", kind="reminder", bundle_key=DAY, now=DUE)
    deliver(DUE + LEASE)
    while deliver(DUE + LEASE).more:
        pass
    assert states() == {State.ACCEPTED}
    assert Message.objects.filter(carried_by__isnull=False).count() == 1
    assert sorted(listener.accepted) == ["r1", "r2", "r3"]
