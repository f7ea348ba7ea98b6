"""Queueing: once each, in the caller's transaction, and the worker is told."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from deadlines.models import Day
from notifications import tasks
from notifications.enums import MOVES, State, TransitionNotAllowed
from notifications.kinds import MessageKind, UnknownKind, register
from notifications.models import Message
from notifications.outbox import Draft, cancel, post, queue, resend
from offices.crypto import keyed_hash
from offices.models import User
from tests.notifications.conftest import NOW, SHANGHAI, Listener, Send, use_broker, wakeups


@pytest.mark.django_db
def test_a_message_is_queued_with_its_person_encrypted(send: Send, manager: User) -> None:
    (message,) = send("t1")
    stored = Message.objects.get()
    assert stored.pk == message.pk
    assert (stored.state, stored.not_before, stored.next_attempt_at) == (State.QUEUED, NOW, NOW)
    assert (stored.phone, stored.phone_hash) == ("13800001111", keyed_hash("13800001111"))
    assert stored.name_hint == "欧阳*"
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM notifications_message")
        assert "13800001111" not in str(cursor.fetchone())


@pytest.mark.django_db
def test_the_same_occasion_twice_is_one_message(send: Send) -> None:
    (first,) = send("t1")
    again, other = send("t1", "t2")
    assert again.pk == first.pk != other.pk
    twice = send("t3", "t3")
    assert len(twice) == 1
    assert Message.objects.count() == 3
    first.refresh_from_db()
    assert first.created_at == NOW


@pytest.mark.django_db
def test_queueing_again_does_not_touch_what_was_sent(send: Send) -> None:
    send("t1")
    Message.objects.update(state=State.FAILED, text="旧文", next_attempt_at=None)
    send("t1", now=NOW + timedelta(hours=1))
    stored = Message.objects.get()
    assert (stored.state, stored.text, stored.next_attempt_at) == (State.FAILED, "旧文", None)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_queueing_the_same_keys_make_each_message_once(send: Send, manager: User) -> None:
    keys = [f"t{number}" for number in range(20)]
    start = threading.Barrier(8)
    pks: list[list[int]] = []

    def one(order: int) -> None:
        start.wait()
        try:
            mine = keys if order % 2 else keys[::-1]
            with transaction.atomic():
                pks.append(sorted(message.pk for message in send(*mine)))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(order,)) for order in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Message.objects.count() == 20
    assert len(pks) == 8
    assert all(found == pks[0] for found in pks)


@pytest.mark.django_db
def test_one_insert_however_many(send: Send, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    send("warm")
    for count in (1, 30):
        with django_assert_num_queries(1):
            send(*(f"{count}-{number}" for number in range(count)))


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_act_leaves_no_message_and_wakes_nobody(send: Send) -> None:
    with transaction.atomic():
        send("t1")
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    assert wakeups() == 0


@pytest.mark.django_db(transaction=True)
def test_many_acts_send_one_wake_up_until_the_worker_looked(send: Send) -> None:
    send("t1")
    send("t2")
    assert wakeups() == 1
    tasks.deliver()
    send("t3")
    assert wakeups() == 1


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_the_morning_wakes_nobody(send: Send) -> None:
    send("t1", now=datetime(2026, 9, 28, 23, 0, tzinfo=SHANGHAI))
    assert wakeups() == 0


@pytest.mark.django_db(transaction=True)
def test_a_lost_broker_costs_a_log_line_and_nothing_else(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    use_broker("redis://127.0.0.1:9/0")  # nobody listens there
    with caplog.at_level(logging.WARNING, "notifications.tasks"), transaction.atomic():
        send("t1")
    assert Message.objects.get().state == State.QUEUED
    assert "no wake-up sent" in caplog.text
    assert "Error calling" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_lost_cache_costs_a_log_line_and_nothing_else(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    lost = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}}
    with override_settings(CACHES=lost), caplog.at_level(logging.WARNING, "notifications.tasks"):
        send("t1")
        assert "no wake-up sent" in caplog.text
        tasks.deliver()
        assert "cache lost" in caplog.text


@pytest.mark.django_db
def test_the_wake_up_waits_for_the_commit(
    send: Send, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        send("t1", "t2", "t3")
    assert len(callbacks) == 1


@pytest.mark.django_db
def test_night_and_days_off_wait_but_a_login_code_does_not(send: Send) -> None:
    night = datetime(2026, 9, 28, 23, 0, tzinfo=SHANGHAI)
    morning = datetime(2026, 9, 29, 8, 0, tzinfo=SHANGHAI)
    (task,) = send("t1", now=night)
    (code,) = send("c1", kind="code", now=night)
    assert (task.not_before, code.not_before) == (morning, night)


@pytest.mark.django_db
def test_without_any_calendar_the_message_goes_by_the_weekday_and_is_marked(send: Send) -> None:
    assert not Day.objects.exists()
    (message,) = send("t1", now=datetime(2026, 9, 27, 12, 0, tzinfo=SHANGHAI))
    stored = Message.objects.get(pk=message.pk)
    assert stored.not_before == datetime(2026, 9, 28, 8, 0, tzinfo=SHANGHAI)
    assert stored.calendar_assumed


@pytest.mark.django_db
def test_a_message_to_an_applicant_needs_no_account(listener: Listener) -> None:
    (message,) = queue([Draft("task", "已受理。", "c1", "case:1", phone=" 13900000000 ", name_hint="李*")], NOW)
    stored = Message.objects.get(pk=message.pk)
    assert (stored.phone, stored.phone_hash, stored.name_hint) == ("13900000000", keyed_hash("13900000000"), "李*")


@pytest.mark.django_db
def test_an_unregistered_kind_and_a_draft_to_nobody_are_refused(listener: Listener, manager: User) -> None:
    with pytest.raises(UnknownKind, match="nonsense"):
        queue([Draft("nonsense", "", "k", "x:1", manager)], NOW)
    with pytest.raises(ValueError, match="recipient"):
        queue([Draft("task", "", "k", "x:1")], NOW)
    with pytest.raises(ValueError, match="dedupe key"):
        queue([Draft("task", "", "", "x:1", manager)], NOW)
    assert queue([], NOW) == []


def test_a_kind_means_one_thing(listener: Listener) -> None:
    register(MessageKind("task", "监管任务", "T01", handler=listener))
    with pytest.raises(ValueError, match="twice"):
        register(MessageKind("task", "别的", "T09"))


@pytest.mark.django_db
def test_cancelling_takes_back_only_what_nobody_tried(send: Send) -> None:
    tried, fresh, other = send("t1", "t2", "t3")
    Message.objects.filter(pk=tried.pk).update(attempts=1)
    assert cancel([tried.reference, fresh.reference], ["task"]) == 1
    assert cancel([other.reference], ["reminder"]) == 0
    assert list(Message.objects.filter(state=State.CANCELLED)) == [fresh]


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("target", State)
def test_the_state_moves_by_its_table_alone(source: State, target: State) -> None:
    message = Message(state=source)
    if target in MOVES[source]:
        message.transition(target)
        assert message.state == target
    else:
        with pytest.raises(TransitionNotAllowed, match=source.label):
            message.transition(target)
        assert message.state == source


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken",
    [
        {"state": "lost"},
        {"state": State.ACCEPTED},
        {"next_attempt_at": None},
        {"dedupe_key": ""},
        {"carried_by": F("id")},
    ],
)
def test_the_database_refuses_what_makes_no_sense(send: Send, broken: dict[str, object]) -> None:
    send("t1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.update(**broken)


@pytest.mark.django_db
def test_a_failed_message_goes_once_more_to_the_phone_of_today_and_only_once(send: Send, manager: User) -> None:
    (first,) = send("t1")
    Message.objects.update(state=State.FAILED, next_attempt_at=None)
    manager.phone = "13800009999"
    manager.save()
    again = resend(first, NOW + timedelta(hours=1))
    assert again is not None
    stored = Message.objects.get(pk=again.pk)
    assert (stored.state, stored.phone, stored.reference) == (State.QUEUED, "13800009999", first.reference)
    assert resend(first, NOW + timedelta(hours=2)) is None
    assert Message.objects.count() == 2


@pytest.mark.django_db
def test_what_may_still_arrive_is_never_sent_once_more(send: Send) -> None:
    (first,) = send("t1")
    with pytest.raises(TransitionNotAllowed):
        resend(first, NOW)
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_hundreds_at_once_are_the_same_as_one_by_one(manager: User) -> None:
    """``post`` writes what ``queue`` writes, whatever the database's way; an occasion said before is said once."""
    drafts = [
        Draft(
            "case_reminder",
            f"第{n}条“提醒”。",
            f"k{n}",
            f"task:{n}",
            to_user=manager,
            bundle_key="b",
            due_on=date(2026, 9, 29),
        )
        for n in range(60)
    ]
    queue(drafts[:1], NOW)
    queue([replace(drafts[1], dedupe_key="slow")], NOW)
    post([*drafts, drafts[5]], NOW)
    assert Message.objects.count() == 61
    slow, quick = Message.objects.get(dedupe_key="slow"), Message.objects.get(dedupe_key="k1")
    different = {"id", "client_id", "dedupe_key"}
    for field in Message._meta.concrete_fields:
        if field.attname not in different:
            assert getattr(slow, field.attname) == getattr(quick, field.attname), field.attname
    assert len(set(Message.objects.values_list("client_id", flat=True))) == 61
    with pytest.raises(ValueError, match="recipient"):
        post([Draft("case_reminder", "无人。", "k99", "task:1")], NOW)
