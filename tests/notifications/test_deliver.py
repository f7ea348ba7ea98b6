"""Delivery over real HTTP: once, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from deadlines import clock
from ledger.models import Entry
from notifications import claims, kinds, tasks
from notifications.claims import LEASE
from notifications.deliver import deliver
from notifications.enums import State, Verdict
from notifications.models import Attempt, Message
from notifications.recording import PAUSE
from notifications.schedule import ASK_AFTER, MAX_ATTEMPTS
from offices.models import User
from tests.notifications.conftest import NOW, SHANGHAI, Listener, Send, wakeups
from tests.notifications.gateway import Gateway, Mode

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(minutes=1)


def only() -> Message:
    return Message.objects.get()


def outcomes(message: Message) -> list[str]:
    return list(Attempt.objects.filter(message=message).order_by("number").values_list("outcome", flat=True))


def test_a_task_sms_goes_out_at_once_and_its_kind_hears_of_it(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("t1")
    report = deliver(NOW)
    assert (report.claimed, report.accepted, report.more) == (1, 1, False)
    message = only()
    assert (message.state, message.accepted_at, message.gateway_id) == (State.ACCEPTED, NOW, "gw-1")
    assert (message.next_attempt_at, message.lease_until) == (None, None)
    assert gateway.taken == [
        {
            "client_id": str(message.client_id),
            "phone": "13800001111",
            "text": "您有一项监管任务 t1，请签收。",
            "template": "T01",
            "sign": "【连云港审管联动】",
        }
    ]
    assert listener.accepted == ["t1"]
    assert Entry.objects.filter(stream=f"message:{message.pk}").exists()
    assert outcomes(message) == [Verdict.ACCEPTED]


def test_a_second_round_has_nothing_to_do(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("t1")
    deliver(NOW)
    assert deliver(NOW + LATER).claimed == 0
    assert len(gateway.taken) == 1
    assert listener.accepted == ["t1"]


def test_a_refused_message_fails_for_good_and_its_kind_hears_of_it(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    gateway.plays([Mode.REFUSE])
    send("t1", "t2")
    deliver(NOW)
    failed = Message.objects.get(state=State.FAILED)
    assert listener.failed == [failed.dedupe_key]
    assert len(listener.accepted) == 1
    assert "400" in failed.error
    assert "13800001111" not in failed.error + Attempt.objects.get(message=failed).detail
    assert deliver(NOW + timedelta(days=1)).claimed == 0


def test_a_person_without_a_phone_fails_without_the_gateway(
    send: Send, gateway: Gateway, listener: Listener, manager: User
) -> None:
    manager.phone = ""
    manager.save()
    send("t1")
    deliver(NOW)
    assert (only().state, gateway.taken, listener.failed) == (State.FAILED, [], ["t1"])


def test_a_temporary_failure_backs_off_and_then_succeeds(send: Send, gateway: Gateway, listener: Listener) -> None:
    gateway.plays([Mode.ERROR, Mode.ERROR])
    send("t1")
    deliver(NOW)
    first = only()
    assert first.state == State.QUEUED
    assert first.next_attempt_at is not None
    assert timedelta(seconds=24) <= first.next_attempt_at - NOW <= timedelta(seconds=36)
    assert deliver(NOW + timedelta(seconds=20)).claimed == 0
    deliver(first.next_attempt_at)
    second = only()
    assert second.next_attempt_at is not None
    assert timedelta(seconds=48) <= second.next_attempt_at - first.next_attempt_at <= timedelta(seconds=72)
    deliver(second.next_attempt_at)
    assert only().state == State.ACCEPTED
    assert outcomes(only()) == [Verdict.TEMPORARY, Verdict.TEMPORARY, Verdict.ACCEPTED]
    assert listener.accepted == ["t1"]


def test_after_a_day_of_temporary_failures_it_fails_once(send: Send, gateway: Gateway, listener: Listener) -> None:
    gateway.mode = Mode.ERROR
    send("c1", kind="code")
    now = NOW
    for _ in range(MAX_ATTEMPTS):
        deliver(now)
        now = only().next_attempt_at or now
    assert only().state == State.FAILED
    assert timedelta(hours=18) < now - NOW < timedelta(hours=30)
    assert listener.failed == ["c1"]
    assert len(outcomes(only())) == MAX_ATTEMPTS


def test_a_retry_that_would_fall_into_the_night_waits_for_the_morning(send: Send, gateway: Gateway) -> None:
    gateway.plays([Mode.ERROR])
    evening = datetime(2026, 9, 28, 21, 59, 50, tzinfo=SHANGHAI)
    send("t1", now=evening)
    deliver(evening)
    assert only().next_attempt_at == datetime(2026, 9, 29, 8, 0, tzinfo=SHANGHAI)


def test_what_was_due_in_the_evening_is_not_sent_at_night_because_the_worker_was_late(
    send: Send, gateway: Gateway
) -> None:
    send("t1", now=datetime(2026, 9, 28, 21, 59, tzinfo=SHANGHAI))
    send("c1", kind="code", now=datetime(2026, 9, 28, 21, 59, tzinfo=SHANGHAI))
    assert deliver(datetime(2026, 9, 28, 23, 0, tzinfo=SHANGHAI)).claimed == 1
    assert [message["template"] for message in gateway.taken] == ["T03"]
    assert deliver(datetime(2026, 9, 29, 8, 0, tzinfo=SHANGHAI)).claimed == 1


@pytest.mark.parametrize("mode", [Mode.LATE, Mode.LOST])
def test_a_lost_answer_is_unknown_and_asking_finds_it_accepted(
    send: Send, gateway: Gateway, listener: Listener, mode: Mode
) -> None:
    gateway.plays([mode])
    send("t1")
    deliver(NOW)
    assert (only().state, listener.accepted) == (State.UNKNOWN, [])
    assert deliver(NOW + ASK_AFTER / 2).claimed == 0
    deliver(NOW + ASK_AFTER)
    message = only()
    assert message.state == State.ACCEPTED
    assert message.accepted_at == NOW, "the clock of the law starts at the sending, not at the answer"
    assert (len(gateway.taken), gateway.asked) == (1, [str(message.client_id)])
    assert listener.accepted == ["t1"]
    assert outcomes(message) == [Verdict.UNKNOWN, Verdict.ACCEPTED]


def test_a_message_that_the_gateway_never_saw_is_sent_again_under_the_same_number(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    gateway.plays([Mode.SILENT])
    send("t1")
    deliver(NOW)
    assert only().state == State.UNKNOWN
    asked = deliver(NOW + ASK_AFTER)
    assert asked.more
    assert only().state == State.QUEUED
    deliver(NOW + ASK_AFTER)
    assert only().state == State.ACCEPTED
    assert [message["client_id"] for message in gateway.taken] == [str(only().client_id)]
    assert outcomes(only()) == [Verdict.UNKNOWN, Verdict.ABSENT, Verdict.ACCEPTED]
    assert listener.accepted == ["t1"]


def test_a_question_wakes_nobody_at_night_but_sending_again_waits(send: Send, gateway: Gateway) -> None:
    evening = datetime(2026, 9, 28, 21, 59, 30, tzinfo=SHANGHAI)
    gateway.plays([Mode.SILENT])
    send("t1", now=evening)
    deliver(evening)
    assert deliver(evening + ASK_AFTER).claimed == 1
    assert only().next_attempt_at == datetime(2026, 9, 29, 8, 0, tzinfo=SHANGHAI)


def test_a_proxy_that_gave_up_waiting_says_nothing_about_the_message(send: Send, gateway: Gateway) -> None:
    gateway.plays([Mode.PROXY_ERROR])
    send("t1")
    deliver(NOW)
    assert only().state == State.UNKNOWN


def test_asking_in_vain_ends_after_a_day_and_counts_as_sent_at_the_attempt(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    gateway.plays([Mode.LATE])
    gateway.ask_mode = Mode.ERROR
    send("t1")
    now = NOW
    for _ in range(MAX_ATTEMPTS + 1):
        deliver(now)
        now = only().next_attempt_at or now
    message = only()
    assert (message.state, message.next_attempt_at) == (State.UNKNOWN, None)
    assert (message.accepted_at, message.sent_at) == (None, NOW)
    assert listener.unresolved == ["t1"]
    assert len(gateway.taken) == 1


def test_a_gateway_that_is_down_stops_the_batch_and_burns_no_attempts(
    send: Send, gateway: Gateway, settings: Settings, listener: Listener
) -> None:
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:9"
    send(*(f"t{number}" for number in range(60)))
    report = deliver(NOW)
    assert report.stopped
    assert not report.more
    assert report.verdicts[Verdict.HELD] >= 60 - 16
    held = Message.objects.filter(attempts=0)
    assert held.count() == report.verdicts[Verdict.HELD]
    assert set(held.values_list("state", "next_attempt_at")) == {(State.QUEUED, NOW + PAUSE)}
    settings.SMS_GATEWAY_URL = gateway.url
    deliver(NOW + LATER)
    assert Message.objects.filter(state=State.ACCEPTED).count() == 60
    assert len(gateway.taken) == 60
    assert sorted(listener.accepted) == sorted(f"t{number}" for number in range(60))


def test_a_throttling_gateway_is_left_alone_for_as_long_as_it_says(send: Send, gateway: Gateway) -> None:
    gateway.mode = Mode.THROTTLE
    send(*(f"t{number}" for number in range(40)))
    report = deliver(NOW)
    assert report.stopped
    assert set(Message.objects.values_list("next_attempt_at", flat=True)) == {NOW + timedelta(seconds=40)}


def test_a_wrong_token_fails_nobody(send: Send, gateway: Gateway, listener: Listener) -> None:
    gateway.mode = Mode.UNAUTHORIZED
    send("t1")
    assert deliver(NOW).stopped
    assert (only().state, listener.failed) == (State.QUEUED, [])


def test_without_an_address_messages_stay(send: Send, settings: Settings) -> None:
    settings.SMS_TRANSPORT = "http"
    settings.SMS_GATEWAY_URL = ""
    send("t1")
    assert deliver(NOW).claimed == 0
    assert (only().state, only().attempts) == (State.QUEUED, 0)


def test_a_kind_of_a_newer_release_is_left_to_a_worker_that_knows_it(
    send: Send, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    send("t1")
    with monkeypatch.context() as older:
        older.delitem(kinds.REGISTRY, "task")
        assert deliver(NOW).claimed == 0
    assert deliver(NOW).accepted == 1


# --- crashes: the pieces by hand; real processes are killed in test_processes.py


def test_a_worker_that_died_before_sending_leaves_a_question_not_a_second_sending(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    send("t1")
    (claimed,) = claims.claim(NOW, 10, quiet=False)
    assert (only().state, only().lease_until) == (State.SENDING, NOW + LEASE)
    assert deliver(NOW + LEASE / 2).claimed == 0, "the lease stands"
    deliver(NOW + LEASE)
    assert gateway.asked == [str(claimed.message.client_id)]
    assert (only().state, gateway.taken) == (State.QUEUED, [])
    deliver(NOW + LEASE)
    assert only().state == State.ACCEPTED
    assert (len(gateway.taken), listener.accepted) == (1, ["t1"])


def test_a_worker_that_died_after_sending_is_found_out_by_asking(
    send: Send, gateway: Gateway, listener: Listener
) -> None:
    send("t1")
    (claimed,) = claims.claim(NOW, 10, quiet=False)
    gateway.take({"client_id": str(claimed.message.client_id)})
    deliver(NOW + LEASE)
    message = only()
    assert (message.state, message.accepted_at, gateway.doubled) == (State.ACCEPTED, NOW, [])
    assert listener.accepted == ["t1"]


def test_a_slow_worker_whose_lease_ran_out_still_brings_the_good_news_once(
    send: Send, gateway: Gateway, listener: Listener, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    send("t1")
    take = gateway.take

    def while_another_worker_asks(message: dict[str, object]) -> int:
        # The gateway is so slow that the lease ends; another worker asks, hears "absent" and puts it back.
        worker = threading.Thread(target=_in_thread, args=(lambda: deliver(NOW + LEASE),))
        worker.start()
        worker.join()
        return take(message)

    monkeypatch.setattr(gateway, "take", while_another_worker_asks)
    settings.SMS_GATEWAY_TIMEOUT = 20.0
    deliver(NOW)
    assert only().state == State.ACCEPTED
    assert listener.accepted == ["t1"]
    assert outcomes(only()) == [Verdict.ACCEPTED, Verdict.ABSENT]
    assert deliver(NOW + LEASE + LATER).claimed == 0
    assert gateway.doubled == []


def _in_thread(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connection.close()


def test_a_clock_set_back_does_not_keep_a_message_under_a_lease(send: Send, gateway: Gateway) -> None:
    send("t1", now=NOW - timedelta(hours=2))
    claims.claim(NOW, 10, quiet=False)
    an_hour_ago = NOW - timedelta(hours=1)
    assert deliver(an_hour_ago).claimed == 1
    assert only().state == State.QUEUED


def test_a_worker_whose_clock_is_a_little_behind_respects_the_lease_of_another(send: Send, gateway: Gateway) -> None:
    send("t1")
    claims.claim(NOW + timedelta(seconds=30), 10, quiet=False)
    assert deliver(NOW).claimed == 0
    assert only().state == State.SENDING


def test_workers_at_once_share_the_work_and_double_nothing(
    send: Send, gateway: Gateway, listener: Listener, settings: Settings
) -> None:
    settings.SMS_GATEWAY_TIMEOUT = 20.0  # many threads on few cores: an answer that comes late is not what is tested
    send(*(f"t{number}" for number in range(120)))
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while deliver(NOW, batch=10).claimed:
            pass

    threads = [threading.Thread(target=_in_thread, args=(work,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Message.objects.filter(state=State.ACCEPTED).count() == 120
    assert (len(gateway.taken), gateway.doubled) == (120, [])
    assert sorted(listener.accepted) == sorted(f"t{number}" for number in range(120))


def test_a_listener_that_fails_holds_up_only_its_own_message(send: Send, gateway: Gateway, listener: Listener) -> None:
    send("t1", "bad", "t2")
    listener.poison = {"bad"}
    with pytest.raises(RuntimeError, match="cannot handle bad"):
        deliver(NOW)
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENDING}
    assert not Entry.objects.filter(stream__startswith="message:").exists()
    with pytest.raises(RuntimeError, match="cannot handle bad"):
        deliver(NOW + LEASE)
    assert list(Message.objects.exclude(state=State.ACCEPTED).values_list("dedupe_key", flat=True)) == ["bad"]
    assert sorted(listener.accepted) == ["t1", "t2"]
    listener.poison = set()
    deliver(NOW + 2 * LEASE)
    assert Message.objects.get(dedupe_key="bad").state == State.ACCEPTED
    assert sorted(listener.accepted) == ["bad", "t1", "t2"]
    assert gateway.doubled == []


def test_the_number_of_statements_does_not_depend_on_the_batch(
    send: Send, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "on_accepted", lambda *_: None)
    send("warm")
    deliver(NOW)
    counted = []
    for count in (2, 60):
        send(*(f"{count}-{number}" for number in range(count)))
        with CaptureQueriesContext(connection) as captured:
            assert deliver(NOW).accepted == count
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 13


def test_an_idle_look_writes_nothing_and_locks_nothing(
    send: Send, gateway: Gateway, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send("t1")
    deliver(NOW)
    with django_assert_num_queries(2) as captured:
        deliver(NOW)
    assert all(query["sql"].startswith("SELECT") for query in captured.captured_queries)


def test_the_task_comes_back_while_more_is_due(send: Send, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(tasks, "BATCH", 2)
    send("t1", "t2", "t3")
    wakeups()
    tasks.deliver()
    assert (len(gateway.taken), wakeups()) == (2, 1)
    tasks.deliver()
    assert (len(gateway.taken), wakeups()) == (3, 0)
