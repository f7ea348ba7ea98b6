"""Reminders to one person on one day are one SMS; no row is lost in it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deadlines import calendar as working_calendar
from deadlines.models import Deadline
from deadlines.sweep import Sweep
from notifications import bundles, claims
from notifications.claims import LEASE
from notifications.deliver import deliver
from notifications.enums import State
from notifications.models import Message, PhoneMessage
from notifications.outbox import Draft, queue
from notifications.schedule import ASK_AFTER, GATHER
from offices.models import User
from tests.approvals import play
from tests.conftest import Moment
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


def remind(manager: User, *days: int | None, now: datetime = NOW, text: str = "任务{}请签收。") -> None:
    """Reminders of today's bundle, each of a day so many days after today (None: of no day)."""
    queue(
        [
            Draft(
                "reminder",
                text.format(number),
                f"{now}:{number}",
                f"task:{number}",
                manager,
                bundle_key=DAY,
                due_on=None if ahead is None else now.date() + timedelta(days=ahead),
            )
            for number, ahead in enumerate(days, start=1)
        ],
        now,
    )


def test_more_than_three_are_one_digest_that_counts_and_says_the_most_pressing(
    listener: Listener, manager: User, gateway: Gateway
) -> None:
    remind(manager, 1, 0, -1, -9, 2, 0, -3, 5, None, 1, 0, 0)
    while deliver(DUE, batch=3).more:
        pass
    (taken,) = gateway.taken
    assert taken["text"] == (
        "您有12件时限提醒：已超期3件，今日到期4件，临近到期4件，其他1件。"
        "最急：任务4请签收。其余请登录平台“小闹钟”查看。"
    )
    assert taken["template"] == bundles.DIGEST_TEMPLATE_ID
    assert states() == {State.ACCEPTED}
    assert len(listener.accepted) == 12


def test_several_clocks_of_one_case_count_once_by_the_most_pressing(
    listener: Listener, manager: User, gateway: Gateway
) -> None:
    queue(
        [
            Draft(
                "reminder",
                f"办件A第{n}个期限",
                f"a{n}",
                "case:1",
                manager,
                bundle_key=DAY,
                due_on=NOW.date() + timedelta(n),
            )
            for n in (2, 0, 1)
        ]
        + [Draft("reminder", "办件B", "b", "case:2", manager, bundle_key=DAY, due_on=NOW.date() - timedelta(1))],
        NOW,
    )
    deliver(DUE)
    assert gateway.taken[0]["text"].startswith("您有2件时限提醒：已超期1件，今日到期1件。最急：办件B。")


def test_three_are_said_in_full_the_most_pressing_first(listener: Listener, manager: User, gateway: Gateway) -> None:
    remind(manager, 1, -2, 0)
    deliver(DUE)
    assert [taken["text"] for taken in gateway.taken] == ["您有3条提醒：1.任务2请签收；2.任务3请签收；3.任务1请签收。"]


def test_what_does_not_fit_one_sms_is_counted_and_still_one_sms(
    listener: Listener, manager: User, gateway: Gateway
) -> None:
    remind(manager, 0, 1, text="很长的事项名称".ljust(240, "号") + "{}")
    deliver(DUE)
    (taken,) = gateway.taken
    assert taken["text"].startswith("您有2件时限提醒：今日到期1件，临近到期1件。最急：很长的事项名称")
    remind(manager, 0, 0, now=NOW + timedelta(days=1), text="很长的事项名称".ljust(440, "号") + "{}")
    deliver(DUE + timedelta(days=1))
    assert gateway.taken[-1]["text"] == "您有2件时限提醒：今日到期2件。请登录平台“小闹钟”查看。"
    assert all(len(message["text"]) <= bundles.MAX_CHARACTERS for message in gateway.taken)


def test_a_digest_whose_worker_died_says_the_same_when_it_is_found_again(listener: Listener, manager: User) -> None:
    remind(manager, 1, 0, -1, -9, 2)
    (first,) = claims.claim(DUE, 3, quiet=False)
    (again,) = claims.claim(DUE + LEASE, 3, quiet=False)
    assert again.is_question
    before, after = first.outgoing(DUE), again.outgoing(DUE)
    assert (before.text, before.client_id) == (after.text, after.client_id)
    assert "最急：任务4" in after.text


def test_a_thousand_reminders_of_one_person_are_one_sms(
    listener: Listener, manager: User, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listener, "on_accepted", lambda *_: None)
    remind(manager, *([0] * 1000))
    with CaptureQueriesContext(connection) as captured:
        assert deliver(DUE).claimed == 1
    assert gateway.taken[0]["text"].startswith("您有1000件时限提醒：今日到期1000件。")
    assert states() == {State.ACCEPTED}
    assert len(captured) <= 20


# --- the morning


HEAD = "zhujian.fuzeren"


def heard_by(username: str) -> list[str]:
    """What the person's demo phone shows, in order."""
    phone = User.objects.get(username=username).phone_hash
    return list(PhoneMessage.objects.filter(phone_hash=phone).order_by("pk").values_list("text", flat=True))


def ring_slowly(at: datetime, *, step: timedelta, size: int) -> None:
    """A sweep that takes its time: the worker of the outbox looks after each of its batches."""
    run = Sweep(at, working_calendar.estimating())
    moment = at
    while run.batch(size) == size:
        moment += step
        deliver(moment)
    deliver(moment + GATHER)
    while deliver(moment + GATHER).more:
        pass


def test_a_sweep_of_minutes_is_still_one_digest_a_person_and_working_day(city: None, clock: Moment) -> None:
    for _ in range(7):
        play.accepted(clock.at)
    deliver(clock.at)
    before = len(heard_by(HEAD))
    # Promised for the 8th: the head hears of it a day later, the overseers two days later, then every working day.
    for morning in ("2026-10-08 09:00", "2026-10-09 09:00", "2026-10-10 09:00", "2026-10-12 09:00"):
        ring_slowly(clock.to(morning), step=timedelta(seconds=20), size=2)
    told = heard_by(HEAD)[before:]
    assert len(told) == 3, told
    assert all(text.startswith("您有7件时限提醒：已超期7件。最急：办件") for text in told)  # two clocks each
    assert len(heard_by("duban1")) == 2
    assert not Message.objects.open().exists()


def test_a_sweep_that_never_ends_holds_nobody_longer_than_half_an_hour(
    city: None, listener: Listener, manager: User, gateway: Gateway, clock: Moment
) -> None:
    play.completed(clock.at)
    deliver(clock.at)  # the task SMS: its clock rings on Wednesday
    wednesday = clock.to("2026-09-30 10:00")
    assert Deadline.objects.ringing(wednesday).exists()
    taken = len(gateway.taken)
    remind(manager, 0, now=wednesday)
    assert deliver(wednesday + timedelta(minutes=29)).claimed == 0
    assert deliver(wednesday + timedelta(minutes=30)).claimed == 1
    assert len(gateway.taken) == taken + 1


def test_what_still_rings_after_hours_holds_nobody(
    city: None, listener: Listener, manager: User, gateway: Gateway, clock: Moment
) -> None:
    play.completed(clock.at)
    deliver(clock.at)
    evening = clock.to("2026-09-30 18:00")
    taken = len(gateway.taken)
    remind(manager, 0, now=evening)
    deliver(evening + GATHER)
    assert len(gateway.taken) == taken + 1


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
