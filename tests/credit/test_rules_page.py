"""A version of the rules is entered with its first day; it holds for findings from then on, what is recorded stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from credit.models import RuleVersion
from credit.rules import in_force, periods, versions
from ledger.models import Entry
from tests.approvals.window import text_of
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
LIST, NEW = "/division/credit-rules/", "/division/credit-rules/new/"


def form(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "starts_on": "2026-10-10", "name": "信用修复管理办法（修订）", "basis": "某某令第3号",
        "minor_shortest": 0, "minor_longest": 0, "general_shown": "on", "general_shortest": 1, "general_longest": 6,
        "serious_shown": "on", "serious_shortest": 6, "serious_longest": 24,
    }  # fmt: skip
    return said | changes


def test_entered_it_holds_from_its_first_day_and_what_is_recorded_stays(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    before = (record.rule, record.repair_from, record.shown_until)
    clock.to("2026-10-08 10:00")
    browser = sign_in("guanliyuan1")
    assert "还没有录入" in text_of(browser.get(LIST))
    assert browser.get(NEW).status_code == 200
    assert browser.post(NEW, form()).status_code == 302
    version = RuleVersion.objects.get()
    html = text_of(browser.get(LIST))
    assert "未施行" in html
    assert "录入：信用修复管理办法（修订），2026年10月10日起施行" in html
    found = versions()
    eve, first = dt.date(2026, 10, 9), dt.date(2026, 10, 10)
    assert periods(in_force(found, eve), "general", eve).shown_until == dt.date(2027, 10, 9)
    assert periods(in_force(found, first), "general", first).shown_until == dt.date(2027, 4, 10)
    page = f"{LIST}{version.pk}/"
    assert browser.post(page, form(general_longest=9)).status_code == 302
    assert periods(in_force(versions(), first), "general", first).shown_until == dt.date(2027, 7, 10)
    record.refresh_from_db()
    assert (record.rule, record.repair_from, record.shown_until) == before
    clock.to("2026-10-10 10:00")
    assert "现行" in text_of(browser.get(LIST))
    assert browser.get(page).status_code == 302
    late = browser.post(page, form(starts_on="2026-10-20"))
    assert late.status_code == 409
    assert "不能再改" in text_of(late)
    acts = Entry.objects.filter(stream="credit:rules").order_by("seq").values_list("act", flat=True)
    assert list(acts) == ["credit.rules_entered", "credit.rules_changed"]
    assert RuleVersion.history.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts_on": "2026-09-27"}, "施行日期不能早于今天"),
        ({"starts_on": ""}, "请填写施行日期"),
        ({"name": " "}, "请填写规则的名称"),
        ({"basis": ""}, "请写明依据"),
        ({"starts_on": "9999-12-31"}, "施行日期最晚为2028年9月28日"),
        ({"general_shortest": 7}, "一般的最短公示期应当短于最长公示期"),
        ({"general_shortest": 6}, "一般的最短公示期应当短于最长公示期"),
        ({"general_longest": 0, "general_shortest": 0}, "一般的最长公示期为 1 至 36 个月"),
        ({"serious_longest": 37}, "最多 36 个月"),
        ({"minor_longest": 3}, "轻微不公示的，期限填 0"),
        ({"serious_longest": ""}, "请填写严重：最长公示期（月）"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    sign_in: SignIn, clock: Moment, changes: dict[str, Any], words: str
) -> None:
    answer = sign_in("guanliyuan1").post(NEW, form(**changes))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not RuleVersion.objects.exists()


def test_one_version_a_day(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in("guanliyuan1")
    browser.post(NEW, form())
    answer = browser.post(NEW, form(name="另一个"))
    assert answer.status_code == 422
    assert "已有2026年10月10日起施行的版本" in text_of(answer)
    assert RuleVersion.objects.count() == 1


def test_counties_read_and_nobody_else_comes(sign_in: SignIn, clock: Moment) -> None:
    county = sign_in("donghai.guanliyuan1")
    assert county.get(LIST).status_code == 200
    assert county.get(NEW).status_code == 404
    assert county.post(NEW, form()).status_code == 404
    for who in ("chuangkou1", "duban1", "zhujian.xinyong"):
        assert sign_in(who).get(LIST).status_code == 404
    assert not RuleVersion.objects.exists()
