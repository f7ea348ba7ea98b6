"""Two administrators at once, with real threads: one rule, one promise, and never a county's beyond the standard."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.test import Client

from catalogue.actions import set_promised_period
from catalogue.errors import PromiseRefused
from catalogue.models import BusinessItem
from catalogue.periods import Promise
from deadlines.models import PeriodRule
from ledger.models import Entry
from offices.models import User
from tests import city as demo_city
from tests.approvals.test_races import together
from tests.conftest import Moment

pytestmark = pytest.mark.django_db(transaction=True)
SAID = {"reason": "会议纪要", "approved_by": "分管副市长"}


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def test_two_administrators_set_the_same_period_at_once(town: None, clock: Moment) -> None:
    def press(length: int) -> int:
        browser = Client()
        user = User.objects.get(username="guanliyuan1")
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return browser.post("/division/periods/issue/", {"length": str(length), **SAID}).status_code

    assert together(*(lambda days=days: press(days) for days in (3, 4, 5))) == [302, 302, 302]
    rule = PeriodRule.objects.get()
    entries = list(Entry.objects.filter(stream=rule.stream).order_by("seq"))
    assert [entry.data["from"] for entry in entries[1:]] == [entry.data["to"] for entry in entries[:-1]]
    assert rule.length == entries[-1].data["to"]
    assert {entry.data["to"] for entry in entries} == {3, 4, 5}


@pytest.mark.parametrize("round_", range(3))
def test_a_county_is_set_while_its_standard_is_shortened(town: None, clock: Moment, round_: int) -> None:
    standard, county = (BusinessItem.objects.get(code=code) for code in ("SP-0302", "GY-0101"))
    together(
        lambda: set_promised_period(standard, Promise(2, "市文件"), by=None, now=clock.at),
        lambda: _tolerant(county, clock),
    )
    standard.refresh_from_db()
    county.refresh_from_db()
    assert (standard.promised_length, county.promised_length) == (2, 2)


def _tolerant(county: BusinessItem, clock: Moment) -> None:
    """The county's four days: set before the standard is two days long, refused after it."""
    with suppress(PromiseRefused):
        set_promised_period(county, Promise(4, "县文件"), by=None, now=clock.at)
