"""Two administrators at two linkages of one item at once: both write on the item's stream, one after the other."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from catalogue.linking import confirm, reopen, unlink
from catalogue.models import Linkage
from ledger import verify
from ledger.models import Entry
from offices.models import User
from tests import city as demo_city
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision.racing import behind

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "业务办理项有变动"


@pytest.fixture
def two(transactional_db: None) -> tuple[Linkage, Linkage]:
    """Two linkages of one published item."""
    demo_city.load()
    one, other = play.item().linkages.active().order_by("pk")[:2]
    return one, other


def acts(linkage: Linkage, number: int = 2) -> list[str]:
    """The newest acts on the item's stream, the oldest first."""
    entries = Entry.objects.filter(stream=linkage.business_item.stream).order_by("-seq")
    return [entry.act for entry in entries[:number]][::-1]


def test_two_linkages_of_an_item_are_confirmed_at_once(two: tuple[Linkage, Linkage], clock: Moment) -> None:
    one, other = two
    with transaction.atomic():
        reopen({one.pk: WHY, other.pk: WHY}, now=clock.at)
    by, browser = User.objects.get(username="guanliyuan1"), Client()
    browser.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    answers: list[int] = []
    said = behind(
        lambda: confirm(one, by=by, now=clock.at),
        lambda: answers.append(browser.post(f"/division/linkages/{other.pk}/confirmation/").status_code),
    )
    assert said == ("done", "done")
    assert answers == [302]
    assert acts(one) == ["item.linkage_confirmed"] * 2
    assert not Linkage.objects.filter(reopened_at__isnull=False).exists()
    assert list(verify.faults()) == []


def test_a_linkage_is_reopened_while_another_of_the_item_ends(two: tuple[Linkage, Linkage], clock: Moment) -> None:
    one, other = two

    def load() -> None:
        with transaction.atomic():
            assert reopen({other.pk: WHY}, now=clock.at) == 1

    assert behind(lambda: unlink(one, by=None, now=clock.at), load) == ("done", "done")
    assert acts(one) == ["item.revised", "item.linkages_reopened"]
    assert list(Linkage.objects.filter(reopened_at__isnull=False)) == [other]
    assert list(verify.faults()) == []
