"""Signing in: the real hasher, the lockout, the time-out, and demo accounts that production never shows."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from pytest_django.fixtures import Settings

from offices.models import User
from oversight.demo.people import PASSWORD

pytestmark = pytest.mark.django_db
ARGON2 = ["django.contrib.auth.hashers.Argon2PasswordHasher"]


def sign_in(client: Client, password: str = PASSWORD, username: str = "chuangkou1", **extra: str) -> int:
    """Post the form; return the status."""
    data = {"username": username, "password": password, **extra}
    return int(client.post("/login/", data).status_code)


def test_with_argon2_the_right_password_leads_to_the_desk(city: None, client: Client, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ARGON2
    user = User.objects.get(username="chuangkou1")
    user.set_password(PASSWORD)
    user.save()
    assert user.password.startswith("argon2$argon2id$")
    response = client.post("/login/", {"username": "chuangkou1", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == "/desk/"
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_wrong_password_an_unknown_account_and_a_closed_one_get_one_sentence(city: None, client: Client) -> None:
    User.objects.filter(username="chuangkou2").update(is_active=False)
    pages = []
    for username in ("chuangkou1", "nobody", "chuangkou2"):
        password = PASSWORD if username == "chuangkou2" else "wrong"
        response = client.post("/login/", {"username": username, "password": password})
        assert response.status_code == 422
        pages.append(response.content.decode())
        assert f'value="{username}"' in pages[-1], "the account stays, the password does not"
        assert "账号或密码不对，请核对后重试" in pages[-1]
        assert 'value="wrong"' not in pages[-1]


def test_five_wrong_passwords_lock_the_account_from_this_address_even_for_the_right_one(
    city: None, client: Client
) -> None:
    answers = [sign_in(client, "wrong") for _ in range(5)]
    assert answers[:4] == [422] * 4
    assert answers[4] == 429
    response = client.post("/login/", {"username": "chuangkou1", "password": PASSWORD})
    assert response.status_code == 429
    assert "登录已暂时锁定" in response.content.decode()
    assert "15 分钟后再试" in response.content.decode()
    assert sign_in(client, username="chuangkou2") == 302, "a colleague at the same address is not locked out"
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - dt.timedelta(minutes=16))
    assert sign_in(Client()) == 302


def test_a_right_password_forgets_the_wrong_ones_before_it(city: None, client: Client) -> None:
    for _ in range(3):
        assert [sign_in(Client(), "wrong") for _ in range(3)] == [422] * 3
        assert sign_in(Client()) == 302


def silent(client: Client, *, minutes: int) -> None:
    """Let this time pass without a look."""
    session = client.session
    session["seen"] -= minutes * 60
    session.save()
    Session.objects.update(expire_date=F("expire_date") - dt.timedelta(minutes=minutes))


def test_a_session_is_written_once_a_minute(city: None, client: Client) -> None:
    sign_in(client)
    client.get("/password/")
    silent(client, minutes=0)
    until = Session.objects.get().expire_date
    client.get("/password/")
    assert Session.objects.get().expire_date == until
    silent(client, minutes=1)
    client.get("/password/")
    assert Session.objects.get().expire_date > until - dt.timedelta(seconds=1)


def test_the_session_of_somebody_who_did_not_sign_in_lasts_by_looks_as_well(db: None, client: Client) -> None:
    session = client.session
    session["door_asked"] = {}
    session.save()
    until = Session.objects.get().expire_date
    Session.objects.update(expire_date=until - dt.timedelta(minutes=29))
    client.get("/progress/")
    assert Session.objects.get().expire_date > until - dt.timedelta(minutes=1)


def test_after_half_an_hour_of_silence_the_session_has_ended(city: None, client: Client, settings: Settings) -> None:
    assert settings.SESSION_COOKIE_AGE == 30 * 60
    sign_in(client)
    assert client.get("/password/").status_code == 200
    silent(client, minutes=29)
    assert client.get("/password/").status_code == 200, "and this look keeps it open"
    Session.objects.update(expire_date=F("expire_date") - dt.timedelta(minutes=29))
    assert client.get("/password/").status_code == 200
    Session.objects.update(expire_date=F("expire_date") - dt.timedelta(minutes=31))
    response = client.get("/password/")
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/password/"
    page = client.get(response["Location"]).content.decode()
    assert "登录后回到刚才的页面" in page
    assert 'name="next" value="/password/"' in page


def test_after_signing_in_one_is_back_at_the_page_and_never_elsewhere(city: None, client: Client) -> None:
    response = client.post("/login/", {"username": "chuangkou1", "password": PASSWORD, "next": "/password/"})
    assert response["Location"] == "/password/"
    response = client.post("/login/", {"username": "chuangkou1", "password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == "/desk/"


def test_the_session_key_changes_at_sign_in(city: None, client: Client) -> None:
    sign_in(client, username="chuangkou2")
    before = client.session.session_key
    sign_in(client)
    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(User.objects.get(username="chuangkou1").pk)


def test_signing_out_takes_a_post_and_ends_the_session(city: None, client: Client) -> None:
    sign_in(client)
    assert client.get("/logout/").status_code == 405
    response = client.post("/logout/")
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert client.get("/password/").status_code == 302


def test_a_new_password_is_checked_and_then_counts(city: None, client: Client) -> None:
    sign_in(client)
    short = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert client.post("/password/", short).status_code == 422
    wrong = {"old_password": "wrong", "new_password1": "Haizhouwan-2027", "new_password2": "Haizhouwan-2027"}
    assert client.post("/password/", wrong).status_code == 422
    assert client.post("/password/", {**wrong, "old_password": PASSWORD}).status_code == 302
    assert sign_in(Client()) == 422
    assert sign_in(Client(), "Haizhouwan-2027") == 302


def test_the_form_needs_its_token(city: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/login/", {"username": "chuangkou1", "password": PASSWORD}).status_code == 403


def test_the_demo_lists_its_accounts_by_role_each_a_press_away(city: None, client: Client) -> None:
    page = client.get("/login/").content.decode()
    assert "走完一件事" in page
    assert PASSWORD in page
    everybody = client.get("/demo/accounts/").content.decode()
    for user in User.objects.filter(is_demo=True):
        assert f'value="{user.username}"' in everybody
        assert user.phone not in everybody
    found = client.get("/demo/accounts/?q=区划管理员").content.decode()
    assert "guanliyuan1" in found
    assert "chuangkou1" not in found
    assert "没有符合条件的账号" in client.get("/demo/accounts/?q=没有这人").content.decode()


def test_production_shows_no_account_and_no_password(city: None, client: Client, settings: Settings) -> None:
    settings.PRODUCTION = True
    page = client.get("/login/").content.decode()
    assert PASSWORD not in page
    assert "chuangkou1" not in page
    assert client.get("/demo/accounts/").status_code == 404
    with pytest.raises(CommandError, match="生产环境"):
        call_command("demo_accounts")


def test_the_command_prints_the_way_with_accounts_and_addresses(city: None) -> None:
    out = io.StringIO()
    call_command("demo_accounts", "--base", "http://127.0.0.1:8123", stdout=out)
    text = out.getvalue()
    assert "http://127.0.0.1:8123/login/" in text
    assert PASSWORD in text
    for part in (
        "商品房预售许可",
        "公共场所卫生许可",
        "chuangkou1",
        "zhujian.shenchaa",
        "chujian1",
        "duban1",
        "guanliyuan1",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) < 120


def test_the_command_says_when_there_is_no_demo_yet(db: None) -> None:
    with pytest.raises(CommandError, match="load_demo"):
        call_command("demo_accounts")
