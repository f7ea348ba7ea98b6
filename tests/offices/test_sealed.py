"""What is encrypted at rest is opened when it is looked at, and is then what it was."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from offices import crypto
from offices.models import User

pytestmark = pytest.mark.django_db
PHONE = "13900005678"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every token that is opened."""
    found: list[str] = []
    real = crypto.decrypt

    def opening(token: str) -> str:
        found.append(token)
        return real(token)

    monkeypatch.setattr(crypto, "decrypt", opening)
    return found


def stored(user: User) -> str:
    """What stands in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM offices_user WHERE id = %s", [user.pk])
        found: str = cursor.fetchone()[0]
        return found


def test_it_is_opened_once_at_the_first_look(opened: list[str]) -> None:
    made = User.objects.create_user("kan", full_name="看一看", phone=PHONE)
    assert PHONE not in stored(made)
    user = User.objects.get(pk=made.pk)
    assert opened == []
    assert (user.phone, user.phone, len(opened)) == (PHONE, PHONE, 1)
    assert User.objects.defer("phone").get(pk=made.pk).phone == PHONE
    user = User.objects.get(pk=made.pk)
    for other in (copy.deepcopy(user), pickle.loads(pickle.dumps(user))):  # noqa: S301 - our own
        assert other.phone == PHONE


def test_a_row_saved_unlooked_at_keeps_it_and_a_new_number_is_kept(opened: list[str]) -> None:
    made = User.objects.create_user("cun", full_name="存一存", phone=PHONE)
    user = User.objects.get(pk=made.pk)
    user.full_name = "改了名"
    user.save()
    user.refresh_from_db()
    assert (user.phone, user.full_name) == (PHONE, "改了名")
    user.phone = "13900009999"
    user.save()
    assert User.objects.get(pk=made.pk).phone == "13900009999"
    assert User.objects.create_user("kong", full_name="没有号码").phone == ""
    assert User.objects.get(username="kong").phone == ""


def test_a_list_of_people_opens_no_number_of_theirs(sign_in: Any, opened: list[str]) -> None:
    browser: Client = sign_in("guanliyuan1")
    browser.get(reverse("leave:list"), {"tab": "division"})
    opened.clear()
    assert browser.get(reverse("leave:list"), {"tab": "division"}).status_code == 200
    assert opened == []
