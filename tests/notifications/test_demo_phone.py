"""The demo phone: a transport, its pages, and the places where it must not exist."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import reload
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from deadlines import clock
from notifications import checks, claims, kinds, urls
from notifications.claims import LEASE
from notifications.deliver import deliver
from notifications.enums import State
from notifications.models import Message, PhoneMessage
from notifications.outbox import Draft, queue
from notifications.transports import current
from notifications.transports.demo_phone import DemoPhone
from offices.crypto import keyed_hash
from offices.models import User
from tests.notifications.conftest import NOW, SHANGHAI, Listener, Send

pytestmark = pytest.mark.django_db


def screen(client: Client, phone: str = "13800001111") -> str:
    answer = client.get(reverse("notifications:phone", args=[keyed_hash(phone)]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_message_arrives_on_the_phone_of_its_person(send: Send, listener: Listener, client: Client) -> None:
    send("t1")
    deliver(NOW)
    page = screen(client)
    assert "【连云港审管联动】您有一项监管任务 t1，请签收。" in page
    assert "欧阳海的手机" in page
    assert "09:30" in page
    assert "13800001111" not in page
    assert listener.accepted == ["t1"]


def test_sending_the_same_again_shows_one_bubble(send: Send, manager: User) -> None:
    send("t1")
    (claim,) = claims.claim(NOW, 10, quiet=False)
    outgoing = claim.outgoing(NOW)
    phone = DemoPhone()
    assert phone.ask(outgoing.client_id).fate == "absent"
    assert phone.send(outgoing) == phone.send(outgoing)
    assert phone.ask(outgoing.client_id).fate == "delivered"
    assert PhoneMessage.objects.count() == 1
    deliver(NOW + LEASE)
    assert Message.objects.get().state == State.DELIVERED
    assert PhoneMessage.objects.count() == 1


def test_the_newest_message_is_the_last_on_the_screen(send: Send, client: Client) -> None:
    send("t1")
    deliver(NOW)
    send("t2", now=NOW + timedelta(minutes=5))
    deliver(NOW + timedelta(minutes=5))
    page = screen(client)
    assert page.index("任务 t1") < page.index("任务 t2")


def test_polling_fetches_the_screen_alone(send: Send, client: Client) -> None:
    send("t1")
    deliver(NOW)
    url = reverse("notifications:phone", args=[keyed_hash("13800001111")])
    answer = client.get(url, headers={"HX-Request": "true"})
    assert "bubble" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_text_from_outside_is_shown_not_run(listener: Listener, client: Client) -> None:
    queue([Draft("task", "<script>alert(1)</script>", "x", "case:1", phone="13911112222", name_hint="<b>")], NOW)
    deliver(NOW)
    page = screen(client, "13911112222")
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<b>的手机" not in page


def test_a_message_that_waits_for_the_morning_is_announced(
    send: Send, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = datetime(2026, 9, 28, 23, 0, tzinfo=SHANGHAI)
    monkeypatch.setattr(clock, "now", lambda: night)
    send("t1", now=night)
    page = screen(client)
    assert "9月29日 08:00" in page
    assert "任务 t1" not in page


def test_the_list_shows_people_and_applicants_latest_first(
    send: Send, colleague: User, client: Client, listener: Listener
) -> None:
    send("t1")
    queue([Draft("task", "已受理。", "c1", "case:1", phone="13911112222", name_hint="李*")], NOW)
    deliver(NOW)
    page = client.get(reverse("notifications:phones")).content.decode()
    assert page.index("李*") < page.index("欧阳海") < page.index("周云")
    assert "139****2222" in page
    assert "还没有短信" in page


def test_the_list_takes_as_many_statements_for_many_as_for_one(
    send: Send, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    url = reverse("notifications:phones")
    client.get(url)
    for number in range(5):
        User.objects.create_user(f"p{number}", full_name="人", phone=f"1370000000{number}", is_demo=True)
    with django_assert_num_queries(3):
        client.get(url)


def test_a_person_leads_to_the_phone(manager: User, client: Client) -> None:
    answer = client.get(reverse("notifications:phone_of_user", args=[manager.pk]))
    assert answer.headers["Location"] == reverse("notifications:phone", args=[manager.phone_hash])
    assert client.get(answer.headers["Location"]).status_code == 200


def test_unknown_phones_and_real_people_are_not_found(client: Client, db: None) -> None:
    real = User.objects.create_user("real", full_name="真人", phone="13855556666")
    assert client.get(reverse("notifications:phone_of_user", args=[real.pk])).status_code == 404
    assert client.get(reverse("notifications:phone", args=[real.phone_hash])).status_code == 404
    assert client.post(reverse("notifications:phones")).status_code == 405


def test_without_the_setting_there_is_no_page(send: Send, manager: User, client: Client, settings: Settings) -> None:
    settings.DEMO_PHONE = False
    for address in (
        "/demo/phone/",
        f"/demo/phone/{manager.pk}/",
        f"/demo/phone/{manager.phone_hash}/",
    ):
        assert client.get(address).status_code == 404


def test_without_the_setting_there_is_no_address(settings: Settings) -> None:
    settings.DEMO_PHONE = False
    try:
        assert [pattern.name for pattern in reload(urls).urlpatterns] == ["receipts"]
    finally:
        settings.DEMO_PHONE = True
        assert len(reload(urls).urlpatterns) == 4
    with pytest.raises(NoReverseMatch):
        reverse("notifications:nothing")


def test_without_the_setting_there_is_no_transport(settings: Settings) -> None:
    settings.DEMO_PHONE = False
    with pytest.raises(ImproperlyConfigured):
        current()


# --- system checks


def test_the_suites_own_settings_pass() -> None:
    assert checks.transport_fits(None) == []
    assert checks.kinds_are_registered(None) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"PORTAL_MODE": "production", "DEMO_PHONE": True}, ["notifications.E001"]),
        ({"SMS_TRANSPORT": "pigeon"}, ["notifications.E002"]),
        ({"DEMO_PHONE": False}, ["notifications.E003"]),
        ({"SMS_TRANSPORT": "http", "SMS_GATEWAY_URL": ""}, ["notifications.E004"]),
        (
            {
                "PORTAL_MODE": "production",
                "DEMO_PHONE": False,
                "SMS_TRANSPORT": "http",
                "SMS_GATEWAY_URL": "http://sms.example",
            },
            ["notifications.E004"],
        ),
        (
            {"SMS_TRANSPORT": "http", "SMS_GATEWAY_URL": "https://sms.example", "SMS_GATEWAY_TIMEOUT": 600},
            ["notifications.E005"],
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused_at_start_up(
    settings: Settings, changes: dict[str, object], expected: list[str]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert [found.id for found in checks.transport_fits(None)] == expected


def test_a_kind_that_is_used_but_not_registered_is_refused_at_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_USED", set())
    kinds.uses("task", "nonsense")
    (found,) = checks.kinds_are_registered(None)
    assert (found.id, "nonsense" in found.msg) == ("notifications.E006", True)


# --- outbox_status


def status(now: datetime, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    monkeypatch.setattr(clock, "now", lambda: now)
    code = 0
    try:
        call_command("outbox_status", stdout=out, stderr=err)
    except SystemExit as stop:
        code = int(str(stop.code))
    return code, out.getvalue(), err.getvalue()


def test_status_counts_and_is_content_while_things_move(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("t1", "t2")
    code, out, err = status(NOW, monkeypatch)
    assert (code, err) == (0, "")
    assert "待发送\tqueued\t2" in out
    assert "到时未发的短信：2 条，最早应于 2026-09-28 09:30" in out


def test_status_fails_when_nobody_takes_what_is_due(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("t1")
    code, _, err = status(NOW + timedelta(hours=2), monkeypatch)
    assert code == 1
    assert "请检查工作进程与网关" in err


def test_status_does_not_call_a_night_a_delay(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("t1", now=datetime(2026, 9, 28, 21, 59, tzinfo=SHANGHAI))
    assert status(datetime(2026, 9, 29, 3, 0, tzinfo=SHANGHAI), monkeypatch)[0] == 0
    assert status(datetime(2026, 9, 29, 8, 1, tzinfo=SHANGHAI), monkeypatch)[0] == 0


def test_status_fails_on_a_lease_that_nobody_came_back_for(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("t1")
    claims.claim(NOW, 10, quiet=False)
    assert status(NOW + LEASE, monkeypatch)[0] == 0
    code, _, err = status(NOW + 4 * LEASE, monkeypatch)
    assert code == 1
    assert "占用" in err


def test_status_fails_on_a_kind_that_nobody_knows(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send("t1")
    monkeypatch.delitem(kinds.REGISTRY, "task")
    code, _, err = status(NOW, monkeypatch)
    assert code == 1
    assert "task" in err
