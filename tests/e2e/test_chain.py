"""The chain in a real browser, on real web, worker and beat processes; short roads beside it; and what is killed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.stack import Stack
from tests.e2e import acts, chain
from tests.e2e.acts import Town
from tests.e2e.conftest import NewPage, shot
from tests.stacks import accounts

ON_THE_SPOT, ON_THE_SPOT_CODE = "公共场所卫生许可（新办，告知承诺）", "SP-2001"
FILING_CODE = "SP-2201"


@pytest.fixture
def town(stack: Stack, new_page: NewPage) -> Town:
    """The people of the embedded default."""
    return Town(stack, new_page)


def test_home_opens(page: Page, stack: Stack) -> None:
    assert stack.health()[0] == 200
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shot(page, "home")


def test_chain(town: Town, tmp_path: Path) -> None:
    chain.play(town, tmp_path)


def test_one_correction_notice_names_everything_once(town: Town) -> None:
    clerk, who = town.desk("chuangkou1"), acts.applicant(11)
    acts.open_intake(clerk, "SP-0601", who)
    # nothing is ticked: everything is missing
    clerk.get_by_role("button", name=re.compile("^仅收件")).click()
    acts.said(clerk, "已收件")
    receipt = acts.receipt_of(clerk)
    clerk.get_by_role("link", name="一次性补正").click()
    for row in clerk.locator(".correct-row.is-locked input[type=checkbox]").all():
        expect(row).to_be_checked()
    acts.confirm(clerk, "一次性补正")
    acts.said(clerk, "已一次性告知补正")
    acts.open_paper(clerk, "补正告知书")
    clerk.go_back()
    progress = chain.Progress(town.visitor(), receipt)
    progress.look("受理", "补正", "以下是须补正的全部内容")
    expect(progress.page.locator("ol.points li")).to_have_count(9)

    clerk.goto(f"/window/cases/{receipt.number}/")
    for tick in clerk.locator("[data-tick]").all():
        tick.check()
    clerk.get_by_role("button", name="补正收件").click()
    acts.said(clerk, "补正材料已收")
    expect(clerk.get_by_role("link", name="一次性补正")).to_have_count(0)
    acts.confirm(clerk, "受理")
    acts.said(clerk, "已受理")
    progress.look("审查", "您现在不用做什么")


def test_a_refusal_gives_its_reason_and_stands_before_the_overseers(town: Town) -> None:
    clerk, who = town.desk("chuangkou1"), acts.applicant(12)
    receipt = acts.take_in(clerk, "SP-0601", who, act="仅收件")
    clerk.get_by_role("link", name="不予受理").click()
    acts.confirm(clerk, "不予受理")
    expect(clerk.locator("#main")).to_contain_text("不予受理必须说明原因")
    clerk.get_by_label("依法不属于本行政机关职权范围").check()
    reason = "项目在外省，属项目所在地房产主管部门职权。"
    acts.field(clerk, "具体说明").fill(reason)
    acts.confirm(clerk, "不予受理")
    acts.said(clerk, "已不予受理")
    chain.Progress(town.visitor(), receipt).look("不予受理", reason, "行政复议")
    overseer = town.desk("duban1")
    overseer.goto("/oversight/refusals/")
    expect(overseer.locator("#main")).to_contain_text(receipt.number)
    expect(overseer.locator("#main")).to_contain_text(reason)


def test_on_the_spot_by_promise_is_decided_by_a_decider_on_duty(town: Town) -> None:
    walk = accounts(town.stack, ON_THE_SPOT)
    clerk, who = town.desk("chuangkou1"), acts.applicant(13)
    acts.next_morning(clerk)
    receipt = acts.take_in(clerk, ON_THE_SPOT_CODE, who, way="告知承诺方式")
    [on_duty] = walk["当场决定、制证"]
    decider = town.desk(on_duty)
    assert receipt.number in acts.office_number(decider, "decide")
    acts.decide(decider, receipt, on_the_spot=True)
    chain.Progress(town.visitor(), receipt).look("送达", "请领取")
    # the clerk's page moved by itself
    expect(clerk.get_by_role("button", name="送达")).to_be_visible()
    manager = town.desk(walk["签收、监管、反馈"][0], 390, touch=True)
    number = acts.task_of(manager, who)
    manager.goto(f"/tasks/{number}/")
    expect(manager.get_by_role("heading", name="申请人的承诺")).to_be_visible()


def test_a_filing_ends_at_the_window(town: Town) -> None:
    clerk, who = town.desk("chuangkou1"), acts.applicant(14)
    acts.next_morning(clerk)
    receipt = acts.take_in(clerk, FILING_CODE, who)
    acts.open_paper(clerk, "备案凭证")
    chain.Progress(town.visitor(), receipt).look("送达", "备案凭证已制成")
    sms = acts.phone_of(town.visitor(), "市市场监管局食品经营安全监管处 处室管理员").filter(has_text=who.name)
    expect(sms).to_have_count(1)
    chain.books_are_right(town)


@pytest.mark.parametrize("role", ["web", "worker", "beat", "valkey"])
def test_killed_process_comes_back(stack: Stack, role: str) -> None:
    pid = stack.kill(role)
    stack.wait_restarted(role, pid)
    stack.wait_healthy()
