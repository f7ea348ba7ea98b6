"""The window's list: what is there, what it costs, how it stays fresh, and who finds nothing."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from approvals.actions import IntakeDraft, receive_case
from approvals.models import Case
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Sign = Callable[[str], Client]
DESK = "/window/"


@pytest.fixture
def clerk(clock: Moment, sign_in: Sign) -> Client:
    """The window clerk."""
    return sign_in("chuangkou1")


def poll_of(html: str) -> str:
    found = re.search(r'hx-get="(/window/changes/[^"]*)"', html)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


def named(clock: Moment, name: str, kind: str = "organisation", identifier: str = "91350100M000100Y43") -> Case:
    draft = IntakeDraft(
        business_item=play.item(), intake_key=uuid.uuid4(), subject_kind=kind, identifier=identifier, name=name,
        contact_name="演示", contact_phone="10000990001", renamed=True,
    )  # fmt: skip
    return receive_case(draft, by=play.person("chuangkou1"), now=clock.at)


def test_an_empty_window_says_what_to_do(clerk: Client) -> None:
    html = window.text_of(clerk.get(DESK))
    assert "还没有办件" in html
    assert 'data-hotkey="n"' in html


def test_counts_are_filters_and_rows_say_the_next_act(clerk: Client, clock: Moment) -> None:
    received = play.received(clock.at)
    done = play.completed(clock.at)
    html = window.text_of(clerk.get(DESK))
    assert f'受理<span class="visually-hidden">：{received.number}' in html
    assert f'出件<span class="visually-hidden">：{done.number}' in html
    for state, case, other in (("received", received, done), ("delivery", done, received)):
        filtered = window.text_of(clerk.get(DESK, {"state": state}))
        assert f"case-{case.pk}" in filtered
        assert f'id="case-{other.pk}"' not in filtered
    assert "没有符合条件的办件" in window.text_of(clerk.get(DESK, {"state": "refused"}))


@pytest.mark.parametrize("text", ["灌河口", "91350100m000100y43", "商品房", "spfys", "SP-0601"])
def test_a_case_is_found_by_applicant_code_and_item(clerk: Client, clock: Moment, text: str) -> None:
    case = named(clock, "灌河口演示公司")
    play.received(clock.at, play.item("特殊建设工程消防验收"))
    html = window.text_of(clerk.get(DESK, {"q": text}))
    assert f'id="case-{case.pk}"' in html
    assert html.count('<tr id="case-') == 1
    assert f"查找：{text}" in html


def test_a_case_is_found_by_its_number_and_a_person_by_the_identity_number(clerk: Client, clock: Moment) -> None:
    case = named(clock, "王演示", "person", "11010519491231002X")
    named(clock, "海州湾演示公司")
    for text in (case.number, case.number[:-3] + case.number[-3:].lower(), "11010519491231002x"):
        html = window.text_of(clerk.get(DESK, {"q": text}))
        assert f'id="case-{case.pk}"' in html
        assert html.count('<tr id="case-') == 1
    assert clerk.get(DESK, {"q": case.number[:14]}).status_code == 200


def test_nonsense_in_the_address_does_no_harm(clerk: Client) -> None:
    assert clerk.get(DESK, {"state": "x", "way": "y", "department": "z", "page": "???", "mine": "9"}).status_code == 200


def test_the_list_costs_the_same_for_5_and_for_50(clerk: Client, clock: Moment) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert clerk.get(DESK).status_code == 200
        return len(queries)

    for _ in range(5):
        play.received(clock.at)
    clerk.get(DESK)
    few = cost()
    for _ in range(45):
        play.received(clock.at)
    assert cost() == few
    assert few <= 13


def test_pages_follow_one_another_without_gap(clerk: Client, clock: Moment) -> None:
    for number in range(53):
        clock.at = clock.at + dt.timedelta(seconds=1)
        named(clock, f"第 {number} 家")
    first = window.text_of(clerk.get(DESK))
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = window.text_of(clerk.get(DESK + following.group(1).replace("&amp;", "&")))
    ids = re.findall(r'<tr id="case-(\d+)"', first) + re.findall(r'<tr id="case-(\d+)"', second)
    assert len(ids) == len(set(ids)) == 53
    play.received(clock.at + dt.timedelta(seconds=9))
    later = clerk.get(poll_of(second))
    assert later.status_code == 286
    assert "回到最前查看" in window.text_of(later)


def test_nothing_changed_costs_next_to_nothing_and_prolongs_no_session(
    clerk: Client, clock: Moment, settings: Settings
) -> None:
    settings.PREPARED_STATEMENTS = False  # their text is looked at
    play.received(clock.at)
    poll = poll_of(window.text_of(clerk.get(DESK)))
    with CaptureQueriesContext(connection) as queries:
        answer = clerk.get(poll)
    assert answer.status_code == 204
    assert answer.content == b""
    own = [q["sql"] for q in queries if "approvals_case" in q["sql"]]
    assert len(own) == 1
    assert not [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT"))]
    assert "sessionid" not in answer.cookies


def test_a_change_brings_the_rows_and_the_counts(clerk: Client, clock: Moment) -> None:
    play.received(clock.at)
    poll = poll_of(window.text_of(clerk.get(DESK)))
    case = play.received(clock.at)
    answer = clerk.get(poll, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    html = window.text_of(answer)
    assert f'id="case-{case.pk}"' in html
    assert 'id="stats" hx-swap-oob="true"' in html
    assert "<html" not in html
    assert clerk.get(poll_of(html)).status_code == 204


def test_a_change_that_began_earlier_but_came_later_is_seen(clerk: Client, clock: Moment) -> None:
    play.received(clock.at)
    poll = poll_of(window.text_of(clerk.get(DESK)))
    play.received(clock.at - dt.timedelta(minutes=1))
    assert clerk.get(poll).status_code == 200


def test_another_divisions_change_is_no_change_here(clerk: Client, clock: Moment) -> None:
    poll = poll_of(window.text_of(clerk.get(DESK)))
    county = play.item().__class__.objects.published().filter(item__division__code="320722")[0]
    play.received(clock.at, county, clerk="donghai.chuangkou1")
    assert clerk.get(poll).status_code == 204


def test_a_poll_after_the_session_ended_says_so_instead_of_bringing_the_login_page(city: None) -> None:
    answer = Client().get("/window/changes/", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert "登录已过期" in window.text_of(answer)


def test_the_export_holds_the_filtered_list_and_no_formula(clerk: Client, clock: Moment) -> None:
    case = named(clock, "=cmd|' /C calc'!A0")
    person = named(clock, "王演示", "person", "11010519491231002X")
    answer = clerk.get(reverse("window:export"), {"state": "received"})
    text = window.body(answer).decode()
    assert text.startswith("\ufeff办件编号,业务办理项,申请人")
    assert "'=cmd" in text
    assert case.number in text
    assert person.number in text
    assert "110105********002X" in text
    assert "11010519491231002X" not in text
    assert "attachment" in answer["Content-Disposition"]
    empty = clerk.get(reverse("window:export"), {"state": "refused"})
    assert len(window.body(empty).decode().splitlines()) == 1


def addresses(case: Case) -> list[str]:
    return [reverse(f"window:{name}", args=[case.number]) for name in ("case", "preview", "correct", "refuse")]


def test_another_divisions_clerk_finds_nothing_anywhere(clerk: Client, clock: Moment, sign_in: Sign) -> None:
    case = play.received(clock.at)
    item = case.business_item
    outsider = sign_in("donghai.chuangkou1")
    for url in [
        *addresses(case),
        reverse("window:intake", args=[item.code]),
        reverse("window:notice", args=[item.code]),
    ]:
        assert outsider.get(url).status_code == 404, url
        assert outsider.post(url, {"act": "accept"}).status_code in {404, 405}, url
    assert outsider.get(reverse("window:changes"), {"number": case.number}).status_code == 404
    assert "没有符合条件的办件" in window.text_of(outsider.get(DESK, {"q": case.number}))
    export = outsider.get(reverse("window:export"))
    assert case.number not in window.body(export).decode()


def test_other_roles_and_strangers_find_no_window(clock: Moment, sign_in: Sign) -> None:
    case = play.received(clock.at)
    plain = [DESK, *(reverse(f"window:{name}") for name in ("export", "items"))]
    for username in ("zhujian.shenchaa", "zhujian.chushi", "duban1"):
        browser = sign_in(username)
        for url in [*plain, *addresses(case)]:
            assert browser.get(url).status_code == 404, (username, url)
    for url in [*plain, *addresses(case), reverse("window:changes"), reverse("window:subject")]:
        answer = Client().get(url)
        assert answer.status_code == 302, url
        assert answer.headers["Location"].startswith("/login/"), url
