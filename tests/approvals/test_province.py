"""Items that report to the province: on record, and no clock moves (行政许可法 art. 43; O3.2.1a)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.enums import CaseStatus
from approvals.models import Case, ProvinceReport
from catalogue.models import BusinessItem
from deadlines.models import ClockEvent
from ledger.models import Entry
from offices.models import Posting
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
ENERGY = "固定资产投资项目节能审查"


def up(clock: Moment) -> Case:
    """A case in review of an item that reports to the province."""
    item = play.item(ENERGY)
    BusinessItem.objects.filter(pk=item.pk).update(reports_to_province=True)
    return play.accepted(clock.at, play.item(ENERGY))


def clocks(case: Case) -> list[object]:
    events = ClockEvent.objects.filter(deadline__stream=case.stream).order_by("pk").values_list("pk", "kind")
    case.refresh_from_db()
    days = [clock.due_on for clock in (case.statutory_deadline, case.promised_deadline) if clock]
    return [list(events), days]


def test_it_goes_up_and_comes_back_and_no_clock_moves(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = up(clock)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    page, report, answer = (
        reverse(f"office:{name}", args=[case.number]) for name in ("case", "province", "province_answer")
    )
    before = clocks(case)
    html = window.text_of(browser.get(page))
    assert "不适用“最长 5 个工作日”" in html
    assert "行政许可法第四十三条" in html
    assert "登记上报" in html
    assert browser.post(report, {"number": "连发改能〔2026〕18号"}).status_code == 302
    clock.to("2026-10-12 09:00")
    html = window.text_of(browser.get(page))
    assert "连发改能〔2026〕18号" in html
    assert "等待答复" in html
    assert browser.post(answer, {"answer": "苏发改能〔2026〕7号：无意见。"}).status_code == 302
    html = window.text_of(browser.get(page))
    assert "苏发改能〔2026〕7号" in html
    assert "登记答复" not in html
    assert clocks(case) == before
    kept = ProvinceReport.objects.get(case=case)
    assert (kept.reported_by, kept.answered_by, kept.answered_at) == (case.reviewer, case.reviewer, clock.at)
    acts = Entry.objects.filter(stream=case.stream, act__startswith="case.province").order_by("seq")
    assert [entry.act for entry in acts] == ["case.province_reported", "case.province_answered"]


def test_what_is_missing_is_said_beside_its_field_and_nothing_typed_is_lost(
    clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = up(clock)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    empty = browser.post(reverse("office:province", args=[case.number]), {"number": " "})
    assert empty.status_code == 422
    assert "请填写上报文号" in window.text_of(empty)
    betrays = browser.post(
        reverse("office:province", args=[case.number]), {"number": f"关于{case.applicant_name}的请示"}
    )
    assert betrays.status_code == 422
    assert "不得写明是谁的办件" in window.text_of(betrays)
    early = browser.post(reverse("office:province_answer", args=[case.number]), {"answer": "同意"})
    assert early.status_code == 409
    browser.post(reverse("office:province", args=[case.number]), {"number": "1号"})
    twice = browser.post(reverse("office:province", args=[case.number]), {"number": "2号"})
    assert twice.status_code == 409
    blank = browser.post(reverse("office:province_answer", args=[case.number]), {"answer": ""})
    assert blank.status_code == 422
    assert "请写明省主管部门的答复" in window.text_of(blank)
    assert ProvinceReport.objects.get(case=case).number == "1号"


def test_other_items_have_no_panel_and_take_no_report(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    assert "上报省主管部门" not in window.text_of(browser.get(reverse("office:case", args=[case.number])))
    refused = browser.post(reverse("office:province", args=[case.number]), {"number": "1号"})
    assert refused.status_code == 422
    assert "不须上报" in window.text_of(refused)
    assert not ProvinceReport.objects.exists()


def test_strangers_find_nothing_and_after_the_decision_nothing_is_recorded(
    clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    item = play.item(ENERGY)
    BusinessItem.objects.filter(pk=item.pk).update(reports_to_province=True)
    case = play.approved(clock.at, play.item(ENERGY))
    url = reverse("office:province", args=[case.number])
    others = Posting.objects.filter(role=Posting.Role.REVIEWER).exclude(office=case.review_office)
    assert sign_in(others[0].user.username).post(url, {"number": "1号"}).status_code == 404
    assert case.status == CaseStatus.APPROVED
    assert case.reviewer is not None
    assert sign_in(case.reviewer.username).post(url, {"number": "1号"}).status_code == 409


def test_the_catalogue_has_an_item_that_goes_up_without_the_citys_five_days(
    clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    item = BusinessItem.objects.published().get(code="SP-0503")
    assert (item.reports_to_province, item.promised_length) == (True, 15)
    assert item.promised_exemption == ""
    case = play.accepted(clock.at, item)
    assert case.reviewer is not None
    assert case.promised_deadline is not None
    assert case.promised_deadline.length == 15
    assert "不适用“最长 5 个工作日”" in window.text_of(
        sign_in(case.reviewer.username).get(reverse("office:case", args=[case.number]))
    )
    assert "演示设定" in window.text_of(Client().get(reverse("guide_item", args=[item.code])))
