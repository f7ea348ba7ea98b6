"""Tokens: got by password, kept as a digest, aging, revocable; guessing is slowed and locked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from offices.models import User
from oversight.demo.people import PASSWORD
from tests.api.conftest import problem

pytestmark = pytest.mark.django_db
URL = "/api/v1/token/"


def ask(client: APIClient, username: str = "chuangkou1", password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(URL, {"username": username, "password": password}, format="json", **extra)


def bearing(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_password_gives_a_token_that_works_until_it_is_revoked(nobody: APIClient) -> None:
    answer = ask(nobody)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()["token"]
    assert Token.objects.get().key != token
    problem(bearing(Token.objects.get().key).get("/api/v1/cases/"), 401, "not-signed-in")  # what is kept opens nothing
    client = bearing(token)
    assert client.get("/api/v1/cases/").status_code == 200
    assert client.delete(URL).status_code == 204
    problem(client.get("/api/v1/cases/"), 401, "not-signed-in")
    assert not Token.objects.exists()


def test_signing_in_again_ends_the_older_token(nobody: APIClient) -> None:
    first, second = ask(nobody).json()["token"], ask(nobody).json()["token"]
    problem(bearing(first).get("/api/v1/cases/"), 401, "not-signed-in")
    client = bearing(second)
    assert client.get("/api/v1/cases/").status_code == 200
    assert ask(client).status_code == 200  # a token in the header does no harm


def test_tokens_age_and_end_with_the_account(nobody: APIClient, settings: Settings) -> None:
    answer = ask(nobody).json()
    left = dt.datetime.fromisoformat(answer["expires_at"]) - timezone.now()
    assert dt.timedelta(hours=9) < left <= dt.timedelta(hours=10)
    client = bearing(answer["token"])
    Token.objects.update(created=timezone.now() - dt.timedelta(hours=11))
    assert "过期" in problem(client.get("/api/v1/cases/"), 401, "not-signed-in")["detail"]
    client = bearing(ask(nobody).json()["token"])
    User.objects.filter(username="chuangkou1").update(is_active=False)
    assert "停用" in problem(client.get("/api/v1/cases/"), 401, "not-signed-in")["detail"]
    problem(ask(nobody), 401, "wrong-password")


def test_wrong_password_and_unknown_account_are_one_answer(nobody: APIClient) -> None:
    wrong = problem(ask(nobody, password="x"), 401, "wrong-password")
    assert problem(ask(nobody, username="nobody-at-all"), 401, "wrong-password") == wrong
    body = problem(nobody.post(URL, {}, format="json"), 422, "invalid")
    assert {error["field"] for error in body["errors"]} == {"username", "password"}


def test_five_wrong_passwords_lock_the_account_here_and_on_the_page(nobody: APIClient) -> None:
    for _ in range(4):
        problem(ask(nobody, password="x"), 401, "wrong-password")
    locked = ask(nobody, password="x")
    problem(locked, 429, "locked-out")
    assert locked.headers["Retry-After"] == "900"
    problem(ask(nobody), 429, "locked-out")  # the right one no longer helps
    assert ask(nobody, username="chuangkou2").status_code == 200
    assert ask(nobody, REMOTE_ADDR="10.9.9.9").status_code == 200  # the person at another desk is not locked out


def test_asking_is_limited_by_address(nobody: APIClient, settings: Settings) -> None:
    settings.TOKEN_RATE = "3/h"
    for _ in range(3):
        assert ask(nobody).status_code == 200
    limited = ask(nobody, HTTP_X_FORWARDED_FOR="1.2.3.4")
    problem(limited, 429, "too-many-requests")
    assert int(limited.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "header", ["Token", "Token a b", "Token \u00e9", "Bearer x", "Basic Y2h1YW5na291MTp4", "Token " + "x" * 5000]
)
def test_what_is_no_token_opens_nothing(nobody: APIClient, header: str) -> None:
    nobody.credentials(HTTP_AUTHORIZATION=header)
    problem(nobody.get("/api/v1/cases/"), 401, "not-signed-in")


def test_a_session_of_the_pages_opens_nothing_here(nobody: APIClient) -> None:
    nobody.force_login(User.objects.get(username="chuangkou1"), backend="django.contrib.auth.backends.ModelBackend")
    problem(nobody.get("/api/v1/cases/"), 401, "not-signed-in")
    problem(nobody.post("/api/v1/cases/", {}, format="json"), 401, "not-signed-in")
