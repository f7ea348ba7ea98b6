"""必须见面事项清单: public, with reasons; empty, it says so (O4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from catalogue.models import BusinessItem
from tests.approvals import play, window

pytestmark = pytest.mark.django_db
PRESALE = "商品房预售许可"
REASON = "须核验房屋现状，由申请人到场指认。"


def only(*names: str) -> None:
    """These items, and no other, must be met about."""
    BusinessItem.objects.update(must_meet=False, must_meet_reason="")
    for name in names:
        BusinessItem.objects.filter(name=name).update(must_meet=True, must_meet_reason=REASON)


def read(**query: Any) -> str:
    answer = Client().get(reverse("must_meet"), query)
    assert answer.status_code == 200
    return window.text_of(answer)


def test_the_list_names_every_such_item_with_its_reason_and_no_other(city: None) -> None:
    only(PRESALE)
    html = read()
    published = BusinessItem.objects.published()
    assert REASON in html
    assert all((reverse("guide_item", args=[row.code]) in html) == row.must_meet for row in published)
    assert f"全市已发布 {published.count()} 个业务办理项" in html
    assert "没有符合条件" in read(q="节能")
    assert PRESALE in read(q="spfys")
    csv = b"".join(Client().get(reverse("must_meet"), {"format": "csv"}).streaming_content).decode()  # type: ignore[attr-defined]
    assert REASON in csv


def test_an_empty_list_says_so(city: None) -> None:
    only()
    assert "目前没有必须见面的事项" in read()


def test_a_retired_item_is_not_on_the_list(city: None) -> None:
    only(PRESALE)
    BusinessItem.objects.filter(name=PRESALE).update(status="retired")
    assert REASON not in read()


def test_the_guide_of_each_item_says_which_it_is(city: None) -> None:
    only(PRESALE)
    marked = window.text_of(Client().get(reverse("guide_item", args=[play.item(PRESALE).code])))
    assert "必须见面办理" in marked
    assert REASON in marked
    other = window.text_of(Client().get(reverse("guide_item", args=[play.item("固定资产投资项目节能审查").code])))
    assert "可以不见面办理" in other
    assert "必须见面办理" not in other
    assert reverse("must_meet") in window.text_of(Client().get(reverse("guide")))


def test_the_api_says_it_too(city: None) -> None:
    only(PRESALE)
    body = Client().get(f"/api/v1/items/{play.item(PRESALE).code}/").json()
    assert (body["must_meet"], body["must_meet_reason"]) == (True, REASON)


def test_a_reason_without_the_duty_or_the_duty_without_a_reason_is_refused_by_the_database(city: None) -> None:
    only()
    rows = BusinessItem.objects.filter(name=PRESALE)
    for wrong in ({"must_meet": True, "must_meet_reason": ""}, {"must_meet": False, "must_meet_reason": REASON}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
