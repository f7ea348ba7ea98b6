"""The training page: it moves the clock forward for signed-in people, and does not exist where it is not allowed."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from approvals import verification
from approvals.models import Document
from deadlines import clock, owners
from deadlines.alarms import opening_of
from deadlines.models import CalendarYear, Deadline, TrainingClock
from ledger.models import Entry
from offices.models import Posting, User
from scripts.new_secrets import new_secrets
from scripts.runtime import ROOT
from tests.approvals import play
from tests.infra.test_production_settings import GOOD
from tests.supervision.tasks import notified

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
    [
        ("2020-01-01T09:00", "只能向前拨"),
        ("2999-01-01T09:00", "工作日历只载入到 2027 年，最远可以拨到 2028 年底"),
        ("", "请选择"),
        ("明天", "请按"),
    ],
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


def test_a_jump_to_the_due_day_lands_on_its_morning(browser: Client) -> None:
    deadline = play.accepted(clock.now()).promised_deadline
    assert deadline is not None
    assert "拨到到期日" in page(browser)
    browser.post(f"/training/deadline/{deadline.pk}/", {"to": "due"})
    assert abs(clock.now() - opening_of(deadline.due_on)) < dt.timedelta(minutes=1)
    again = browser.post(f"/training/deadline/{deadline.pk}/", {"to": "due"}, follow=True)
    assert "到期日已经到了" in again.content.decode()


def test_the_clocks_of_one_case_are_found_by_its_number(browser: Client) -> None:
    case, other = play.accepted(clock.now()), play.accepted(clock.now())
    text = browser.get("/training/", {"number": case.number.lower()}).content.decode()
    assert "这一件的期限" in text
    assert text.count(f"办件 {case.number}</small>") == Deadline.objects.running().filter(stream=case.stream).count()
    assert other.number not in text
    assert "没有找到计时中的期限" in browser.get("/training/", {"number": "320700"}).content.decode()


@pytest.mark.usefixtures("_training", "clock")
def test_everybody_is_shown_the_clocks_of_what_they_may_see_alone(sign_in: SignIn) -> None:
    """By the list and by the number: the window its division's cases, an office its tasks, nobody the neighbours'."""
    case = play.accepted(clock.now())
    task = notified(clock.now())
    assert task.office is not None
    manager = task.office.managers(clock.today())[0].username
    other = next(
        one.username
        for one in User.objects.filter(postings__role=Posting.Role.OFFICE_MANAGER).order_by("pk")
        if not Posting.objects.active(clock.today()).filter(user=one, department=task.department).exists()
    )
    sees: dict[str, set[str]] = {}
    for name in ("chuangkou1", "duban1", manager, other, "guanliyuan1", "jijian1", "donghai.duban1"):
        browser = sign_in(name)
        text = page(browser)
        sees[name] = {number for number in (case.number, task.number) if f"{number}</small>" in text}
        for number in (case.number, task.number):
            found = browser.get("/training/", {"number": number}).content.decode()
            assert (f"{number}</small>" in found) == (number in sees[name])
            assert ("没有找到计时中的期限" in found) == (number not in sees[name])
    assert sees == {
        "chuangkou1": {case.number}, "duban1": {case.number, task.number}, manager: {task.number}, other: set(),
        "guanliyuan1": set(), "jijian1": set(), "donghai.duban1": set(),
    }  # fmt: skip


@pytest.mark.parametrize(("year", "is_held"), [(0, True), (1, False)])
def test_a_clock_that_runs_over_the_end_of_a_year_can_be_lived_through(
    browser: Client, year: int, is_held: bool
) -> None:
    """Also the last year that the calendar holds: its clocks end in a year that is counted by the provisional rule."""
    last = CalendarYear.objects.order_by("-year")[0].year
    eve = dt.datetime(last - 1 + year, 12, 28, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    clock.jump_to(eve, None)
    deadline = play.accepted(clock.now()).statutory_deadline
    assert deadline is not None
    assert deadline.due_on.year == last + year
    assert deadline.provisional
    assert CalendarYear.objects.filter(year=deadline.due_on.year).exists() is is_held
    for to, expected in (("alarm", deadline.next_alarm_at), ("due", opening_of(deadline.due_on))):
        assert expected is not None
        told = browser.post(f"/training/deadline/{deadline.pk}/", {"to": to}, follow=True).content.decode()
        assert f"演练时钟已到{expected.year}年" in told
        assert abs(clock.now() - expected) < dt.timedelta(minutes=1)
    browser.post("/training/jump/", {"to": "morning"})
    browser.post("/training/jump/", {"to": "morning"})
    assert Deadline.objects.get(pk=deadline.pk).is_overdue(clock.today())
    assert page(browser)


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


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(verification, "find", broken)


BANNER = re.compile(r'<aside class="training"[^>]*>.*?演练模式.*?</aside>', re.DOTALL)


@pytest.mark.usefixtures("_broken")
def test_the_red_banner_stands_on_every_kind_of_page(browser: Client, client: Client, settings: Settings) -> None:
    """Public pages, sign-in, a desk, a paper, what is printed for taking along, and every page that says no."""
    clerk = Client()
    clerk.force_login(play.person("chuangkou1"), backend="django.contrib.auth.backends.ModelBackend")
    case = play.accepted(clock.now())
    paper = Document.objects.filter(case=case).order_by("pk")[0]
    client.raise_request_exception = False
    settings.ALLOWED_HOSTS = ["testserver"]
    strict = Client(enforce_csrf_checks=True)
    shown = {
        "home": (client.get("/"), 200),
        "guide": (client.get("/guide/"), 200),
        "progress": (client.get("/progress/"), 200),
        "sign-in": (client.get("/login/"), 200),
        "notice to take along": (client.get(f"/guide/{case.business_item.code}/notice/"), 200),
        "desk": (browser.get("/oversight/"), 200),
        "training": (browser.get("/training/"), 200),
        "case": (clerk.get(f"/window/cases/{case.number}/"), 200),
        "paper": (clerk.get(f"/papers/{paper.pk}/"), 200),
        "a form that came back": (browser.post("/training/jump/", {"to": "moment"}), 422),
        "not found": (client.get("/nowhere/"), 404),
        "not yours": (clerk.get("/oversight/"), 404),
        "too late a second press": (clerk.post(f"/window/cases/{case.number}/", {"act": "accept"}), 409),
        "without a token": (strict.post("/login/", {"username": "x"}), 403),
        "an unknown host": (Client().get("/", HTTP_HOST="evil.example"), 400),
        "broken": (client.get(f"/verify/{paper.verify_code}/"), 500),
    }
    for kind, (response, status) in shown.items():
        assert response.status_code == status, kind
        assert BANNER.search(response.content.decode()), kind


def test_no_banner_where_training_is_not_allowed(client: Client, city: None) -> None:
    for url in ("/", "/login/", "/nowhere/"):
        assert not BANNER.search(client.get(url).content.decode())


def test_a_moved_clock_in_the_database_is_not_looked_at_where_training_is_not_allowed(
    settings: Settings, sign_in: SignIn
) -> None:
    """A copy of a training database in production tells the real time."""
    TrainingClock.objects.create(pk=TrainingClock.ONLY, offset=dt.timedelta(days=30), moved_at=timezone.now())
    settings.TRAINING_ALLOWED = True
    assert clock.now() - timezone.now() > dt.timedelta(days=29)
    settings.TRAINING_ALLOWED = False
    assert abs(clock.now() - timezone.now()) < dt.timedelta(minutes=1)


PROBE = """
import django; django.setup()
from django.conf import settings
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from deadlines.models import TrainingClock
assert settings.TRAINING_ALLOWED is False
for path in ("/training/", "/training/jump/", "/training/reset/", "/training/deadline/1/"):
    try:
        resolve(path)
    except Resolver404:
        continue
    raise SystemExit(f"{path} exists")
for name in ("training", "training_jump", "training_deadline", "training_reset"):
    try:
        reverse(name, args=[1] if name == "training_deadline" else [])
    except NoReverseMatch:
        continue
    raise SystemExit(f"{name} exists")
print("none")
"""


def _in_production(tmp_path: object, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    given = GOOD | new_secrets() | {"VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | given | more, capture_output=True, text=True, check=False
    )


def test_production_has_no_training_addresses(tmp_path: object) -> None:
    done = _in_production(tmp_path, PROBE)
    assert (done.returncode, done.stdout.strip()) == (0, "none"), done.stderr[-500:]


@pytest.mark.parametrize("value", ["1", "true", "yes", "on"])
def test_production_refuses_the_environment_variable_and_says_why(tmp_path: object, value: str) -> None:
    done = _in_production(tmp_path, "import django; django.setup()", TRAINING_ALLOWED=value)
    assert done.returncode != 0
    assert "TRAINING_ALLOWED" in done.stderr.splitlines()[-1]
    assert "cannot be switched on in production" in done.stderr.splitlines()[-1]


def test_an_owner_that_nobody_names_is_called_by_its_stream(city: None) -> None:
    assert owners.names(["calendar:2026"]) == {"calendar:2026": owners.Owner("calendar:2026")}
