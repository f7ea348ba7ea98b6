"""The training page: it moves the clock forward for signed-in people, and does not exist where it is not allowed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from deadlines import clock, owners
from deadlines.models import TrainingClock
from ledger.models import Entry
from tests.approvals import play

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.deadlines.urls_training")]
SignIn = Callable[[str], Client]


@pytest.fixture
def _training(settings: Settings) -> None:
    settings.TRAINING_ALLOWED = True


@pytest.fixture
def browser(_training: None, sign_in: SignIn) -> Client:
    """A signed-in overseer where training is allowed."""
    return sign_in("duban1")


def page(browser: Client) -> str:
    """The training page."""
    response = browser.get("/training/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_both_times_and_the_next_morning(browser: Client) -> None:
    text = page(browser)
    assert "系统时间" in text
    assert "真实时间" in text
    morning = timezone.localtime(clock.next_working_morning(clock.now()))
    assert f"{morning.month}月{morning.day}日" in text
    assert "没有等着的提醒" in text


def test_a_working_morning_an_hour_and_a_chosen_moment(browser: Client) -> None:
    expected = clock.next_working_morning(clock.now())
    assert browser.post("/training/jump/", {"to": "morning"}).status_code == 302
    assert abs(clock.now() - expected) < dt.timedelta(minutes=1)
    browser.post("/training/jump/", {"to": "hour"})
    assert abs(clock.now() - expected - dt.timedelta(hours=1)) < dt.timedelta(minutes=1)
    chosen = timezone.localtime(expected) + dt.timedelta(days=2)
    response = browser.post("/training/jump/", {"to": "moment", "moment": f"{chosen:%Y-%m-%dT%H:%M}"}, follow=True)
    assert "演练时钟已到" in response.content.decode()
    assert abs(clock.now() - chosen) < dt.timedelta(minutes=2)
    jumps = Entry.objects.filter(stream=clock.STREAM, act="training_clock_jumped")
    assert [entry.actor.username for entry in jumps if entry.actor] == ["duban1"] * 3


@pytest.mark.parametrize(
    ("moment", "words"),
    [("2020-01-01T09:00", "只能向前拨"), ("2999-01-01T09:00", "工作日历只载入到"), ("", "请选择"), ("明天", "请按")],
)
def test_a_moment_that_will_not_do_is_told_beside_the_field_and_moves_nothing(
    browser: Client, moment: str, words: str
) -> None:
    response = browser.post("/training/jump/", {"to": "moment", "moment": moment})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert clock.offset() == dt.timedelta(0)


def test_a_jump_to_a_clocks_alarm_lands_on_its_moment(browser: Client) -> None:
    case = play.accepted(clock.now())
    deadline = case.promised_deadline
    assert deadline is not None
    alarm = deadline.next_alarm_at
    assert alarm is not None
    text = page(browser)
    assert "拨到提醒时" in text
    assert f"办件 {case.number}" in text
    assert case.applicant_name not in text
    browser.post(f"/training/deadline/{deadline.pk}/")
    assert abs(clock.now() - alarm) < dt.timedelta(minutes=1)
    again = browser.post(f"/training/deadline/{deadline.pk}/", follow=True)
    assert "已经到点" in again.content.decode()


def test_a_clock_that_stands_or_is_unknown_is_not_found(browser: Client) -> None:
    assert browser.post("/training/deadline/999999/").status_code == 404


def test_the_reset_goes_back_and_says_beforehand_what_follows(browser: Client) -> None:
    browser.post("/training/jump/", {"to": "morning"})
    assert "演练中产生的办件、文书和留痕都保留" in page(browser)
    response = browser.post("/training/reset/", follow=True)
    assert "已回到真实时间" in response.content.decode()
    assert clock.offset() == dt.timedelta(0)


def test_moving_the_clock_takes_a_post(browser: Client) -> None:
    for url in ("/training/jump/", "/training/reset/", "/training/deadline/1/"):
        assert browser.get(url).status_code == 405
    assert not TrainingClock.objects.exclude(offset=dt.timedelta(0)).exists()


@pytest.mark.usefixtures("_training")
def test_strangers_sign_in_first(city: None, client: Client) -> None:
    for response in (client.get("/training/"), client.post("/training/jump/", {"to": "morning"})):
        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


def test_where_training_is_not_allowed_the_page_does_not_exist(sign_in: SignIn, settings: Settings) -> None:
    settings.TRAINING_ALLOWED = False
    browser = sign_in("duban1")
    assert browser.get("/training/").status_code == 404
    assert browser.post("/training/jump/", {"to": "morning"}).status_code == 404
    assert browser.post("/training/reset/").status_code == 404
    assert not TrainingClock.objects.exists()


def test_an_owner_that_nobody_names_is_called_by_its_stream(city: None) -> None:
    assert owners.names(["calendar:2026"]) == {"calendar:2026": owners.Owner("calendar:2026")}
