"""差异化办理: all on staff read the table, the city's administrators change a cell, with basis and history (L12a)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from credit.models import CreditSubject, HandlingRule, SubjectGrade
from ledger.models import Entry
from oversight import previews
from oversight.demo.cases import COMPANIES, code_of
from tests.approvals.window import body, text_of
from tests.conftest import Moment

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
CELL = ("division:handling_cell", ["none", "promise"])


def address() -> str:
    return reverse(CELL[0], args=CELL[1])


def change(browser: Client, state: str, basis: str) -> None:
    """Propose, look, confirm."""
    preview = browser.post(address(), {"state": state, "basis": basis})
    assert preview.status_code == 302
    previews.run()
    assert browser.post(preview["Location"], {"act": "confirm"}).status_code == 302


@pytest.mark.parametrize("who", ["chuangkou1", "duban1", "jijian1", "donghai.guanliyuan1", "zhujian.shencha2a"])
def test_everybody_on_staff_reads_and_only_the_city_changes(sign_in: SignIn, clock: Moment, who: str) -> None:
    browser = sign_in(who)
    html = text_of(browser.get(reverse("division:handling")))
    assert "未评价" in html
    assert "调整<span" not in html
    assert browser.get(address()).status_code == 404
    assert browser.post(address(), {"state": "closed", "basis": "x"}).status_code == 404
    assert not HandlingRule.objects.exists()


def test_a_cell_is_changed_with_its_basis_and_stays_in_the_history(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in("guanliyuan1")
    page = text_of(browser.get(address()))
    assert "适用" in page
    bare = browser.post(address(), {"state": "closed", "basis": " "})
    assert bare.status_code == 422
    assert "请写明调整的依据" in text_of(bare)
    change(browser, "closed", "会议纪要〔2026〕3号")
    clock.to("2026-10-09 10:00")
    change(browser, "open", "会议纪要〔2026〕4号")
    html = text_of(browser.get(reverse("division:handling")))
    assert "未评价、告知承诺：不适用（此前适用）" in html
    assert "未评价、告知承诺：适用（此前不适用）" in html
    assert html.count("会议纪要〔2026〕3号") == 1
    acts = Entry.objects.filter(stream="credit:handling", act="credit.handling_changed").order_by("seq")
    assert [entry.data["open"] for entry in acts] == [False, True]


@pytest.mark.parametrize("cell", [("none", "full"), ("best", "promise"), ("none", "air")])
def test_full_materials_stay_open_and_unknown_cells_do_not_exist(
    sign_in: SignIn, clock: Moment, cell: tuple[str, str]
) -> None:
    url = reverse("division:handling_cell", args=cell)
    browser = sign_in("guanliyuan1")
    assert browser.post(url, {"state": "closed", "basis": "x"}).status_code == 404
    assert not HandlingRule.objects.exists()


def test_the_page_counts_subjects_by_their_newest_grade(
    sign_in: SignIn, clock: Moment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = sign_in("guanliyuan1")
    for (stem, name), grades in zip(COMPANIES[:3], (["good", "poor"], ["poor"], []), strict=True):
        subject = CreditSubject.objects.identify("organisation", code_of(stem), name)
        for day, grade in enumerate(grades, start=1):
            given = clock.at.replace(month=8, day=day)
            SubjectGrade.objects.create(subject=subject, grade=grade, source="x", given_at=given, received_at=given)
    html = "".join(text_of(browser.get(reverse("division:handling"))).split())
    for label, count in (("优", 0), ("良", 0), ("中", 0), ("差", 2), ("未评价", 1)):
        assert f"{label}<small>{count}个主体" in html


def test_the_table_is_exported_and_answered_by_the_api(sign_in: SignIn, clock: Moment) -> None:
    rows = body(sign_in("chuangkou1").get(reverse("division:handling_export"))).decode("utf-8-sig")
    assert len(rows.strip().splitlines()) == 26
    client = APIClient()
    token = client.post("/api/v1/token/", {"username": "chuangkou1", "password": "Lianyungang-2026"}, format="json")
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.json()['token']}")
    cells = client.get("/api/v1/handling/").json()
    assert len(cells) == 25
    closed = [(cell["grade"], cell["way"]) for cell in cells if not cell["is_open"]]
    assert ("none", "green_lane") in closed
    assert ("none", "promise") not in closed
