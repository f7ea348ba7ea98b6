"""Each role at each address of the three desks: one's own opens, another's does not exist, strangers sign in first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from catalogue.models import BusinessItem, Linkage
from deadlines.kinds import KindCode
from deadlines.periods import set_period
from offices.models import Department, Posting, User
from supervision.models import SupervisionTask
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]

STAFF = {
    "overseer": "duban1",
    "admin": "guanliyuan1",
    "discipline": "jijian1",
    "clerk": "chuangkou1",
    "delivery": "chujian1",
    "reviewer": "zhujian.shenchaa",
    "decider": "zhujian.juedinga",
    "manager": "zhujian.chushi",
    "deputy": "zhujian.chushifu",
    "head": "zhujian.fuzeren",
}


def addresses(clock: Moment) -> dict[str, list[tuple[str, str]]]:
    """Role → (method, address) of everything that this role has, with live rows behind them."""
    case = cast.unlinked(clock)
    message = cast.failed(clock)
    task = SupervisionTask.objects.get(pk=int(message.reference.removeprefix("task:"))).number
    refused = cast.refused(clock)
    department = Department.objects.get(division__code="320700", name="市住建局")
    person = User.objects.get(username="fagai.chushifu")
    posting = Posting.objects.get(user=person)
    linkage = Linkage.objects.active().filter(office__department=department)[0]
    item = BusinessItem.objects.published().filter(item__department=department)[0]
    rule = set_period(
        KindCode.ISSUE, department.division, 5, reason="纪要", approved_by="市长", by=person, now=clock.at
    )
    paper = refused.documents.get(kind="not_accepted")
    get, post = "get", "post"
    return {
        "overseer": [
            (get, reverse("oversight:board")), (get, reverse("oversight:export")),
            (get, reverse("oversight:case", args=[case.number])), (get, reverse("oversight:task", args=[task])),
            (get, reverse("oversight:paper", args=[paper.pk])), (get, reverse("oversight:refusals")),
            (get, reverse("oversight:refusals_export")), (get, reverse("oversight:unlinked")),
            (get, reverse("oversight:unlinked_export")), (get, reverse("oversight:undrawn")),
            (get, reverse("oversight:undrawn_export")), (get, reverse("oversight:unsigned")),
            (get, reverse("oversight:unsigned_export")), (get, reverse("oversight:assign", args=[case.number])),
            (get, reverse("oversight:messages")), (get, reverse("oversight:messages_export")),
            (get, reverse("oversight:exemptions")), (get, reverse("oversight:exemptions_export")),
            (get, reverse("oversight:deemed")), (get, reverse("oversight:deemed_export")),
            (post, reverse("oversight:resend", args=[message.pk])),
            (post, reverse("oversight:assign", args=[case.number])),
            (post, reverse("oversight:hand_over", args=[case.number])),
        ],
        "admin": [
            (get, reverse("division:home")), (get, reverse("division:department", args=[department.pk])),
            (post, reverse("division:side", args=[department.pk])),
            (post, reverse("division:office_new", args=[department.pk])), (get, reverse("division:people")),
            (get, reverse("division:people_export")), (get, reverse("division:person_new")),
            (post, reverse("division:person_new")), (get, reverse("division:person", args=[person.pk])),
            (post, reverse("division:posting_new", args=[person.pk])),
            (post, reverse("division:phone", args=[person.pk])),
            (post, reverse("division:password", args=[person.pk])),
            (post, reverse("division:unlock", args=[person.pk])),
            (post, reverse("division:posting_end", args=[posting.pk])),
            (post, reverse("division:active", args=[person.pk])), (get, reverse("division:linkages")),
            (get, reverse("division:linkages_export")), (get, reverse("division:items_export")),
            (get, reverse("division:export")), (get, reverse("division:linkage_new")),
            (post, reverse("division:linkage_new")), (get, reverse("division:items")),
            (get, reverse("division:item", args=[item.pk])), (post, reverse("division:publish", args=[item.pk])),
            (post, reverse("division:retire", args=[item.pk])),
            (post, reverse("division:linkage_turn", args=[linkage.pk])),
            (get, reverse("division:periods")), (get, reverse("division:periods_export")),
            (get, reverse("division:period", args=["issue"])), (post, reverse("division:period", args=["issue"])),
            (post, reverse("division:period_off", args=[rule.pk])), (post, reverse("division:promise", args=[item.pk])),
            (post, reverse("division:item_period", args=[item.pk, "issue"])),
            (get, reverse("division:exemptions")), (get, reverse("division:exemptions_export")),
        ],
        "discipline": [
            (get, reverse("traces:home")), (get, reverse("traces:case", args=[case.number])),
            (get, reverse("traces:export", args=[case.number])),
        ],
    }  # fmt: skip


def test_every_role_finds_its_own_addresses_and_no_others(city: None, clock: Moment, sign_in: SignIn) -> None:
    places = addresses(clock)
    for role, username in STAFF.items():
        browser = sign_in(username)
        for owner, doors in places.items():
            for method, url in doors:
                status = getattr(browser, method)(url).status_code
                if owner == role:
                    assert status in {200, 302, 409, 422}, (role, url, status)
                else:
                    assert status == 404, (role, url, status)


def test_a_stranger_is_asked_to_sign_in(city: None, clock: Moment) -> None:
    for doors in addresses(clock).values():
        for method, url in doors:
            response = getattr(Client(), method)(url)
            assert response.status_code == 302, url
            assert response["Location"].startswith("/login/?next="), url


@pytest.mark.parametrize(("role", "username"), [("overseer", "donghai.duban1"), ("admin", "donghai.guanliyuan1")])
def test_another_divisions_rows_do_not_exist(
    city: None, clock: Moment, sign_in: SignIn, role: str, username: str
) -> None:
    browser = sign_in(username)
    for method, url in addresses(clock)[role]:
        if any(letter.isdigit() for letter in url):
            assert getattr(browser, method)(url).status_code == 404, url


def test_nothing_changes_on_a_get(city: None, clock: Moment, sign_in: SignIn) -> None:
    places = addresses(clock)
    for role in ("overseer", "admin"):
        browser = sign_in(STAFF[role])
        only_post = {url for method, url in places[role] if method == "post"} - {
            url for method, url in places[role] if method == "get"
        }
        assert only_post
        for url in only_post:
            assert browser.get(url).status_code == 405, url
