"""The whole chain, once: from the window to the closed task, and a second case up the ladder of reminders."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e import acts
from tests.e2e.acts import Applicant, Receipt, Thumb, Town
from tests.e2e.conftest import shot
from tests.stacks import accounts

MARKET = "市住建局房地产市场监管处"
MANAGER = f"{MARKET} 处室管理员"
DEPUTY = f"{MARKET} 处室副管理员"
HEAD = "市住建局 部门负责人"
OVERSEER = "市政务办 督办人员"
TAPS_TO_ACKNOWLEDGE = 3


@dataclass(frozen=True)
class Cast:
    """Who plays, by account."""

    reviewers: list[str]
    decider: str
    managers: dict[str, str]

    @classmethod
    def of(cls, town: Town) -> Cast:
        """Read the accounts as a newcomer does, from what ``make run`` prints."""
        walk = accounts(town.stack, acts.PRESALE)
        price, market = walk["签收、监管、反馈"]
        return cls(walk["审查，出具意见"], walk["作出决定"][0], {"price": price, "market": market})


class Live:
    """The second clerk's work list, which is never reloaded."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.goto("/window/")
        page.evaluate("document.body.dataset.opened = 'once'")

    def shows(self, receipt: Receipt, *texts: str) -> None:
        """Wait until the case's row says ``texts``; the document is still the one that was opened."""
        row = self.page.locator("table.work-list tr").filter(has_text=receipt.number)
        for text in texts:
            expect(row).to_contain_text(text)
        assert self.page.evaluate("document.body.dataset.opened") == "once"


class Progress:
    """The applicant, looking at the progress on a phone."""

    def __init__(self, page: Page, receipt: Receipt) -> None:
        self.page = page
        self.receipt = receipt

    def open(self) -> None:
        """Ask with number and code."""
        self.page.goto("/progress/")
        acts.field(self.page, "办件编号").fill(self.receipt.number)
        acts.field(self.page, "查询码").fill(self.receipt.query_code.lower())
        self.page.get_by_role("button", name="查询进度").click()
        expect(self.page.locator(".progress-line")).to_be_visible()

    def look(self, current: str, *texts: str) -> None:
        """Ask: the line has come to ``current``, and the page says ``texts``."""
        self.open()
        expect(self.page.locator(".progress-line [aria-current=step]")).to_contain_text(current)
        for text in texts:
            expect(self.page.locator("#main")).to_contain_text(text)


def decide_and_complete(town: Town, cast: Cast, receipt: Receipt, who: Applicant, live: Live | None = None) -> str:
    """Find the drawn reviewer, review blind, decide, complete; return the licence number."""
    reviewer = town.desk(acts.drawn_reviewer(town, receipt, cast.reviewers))
    acts.review(reviewer, receipt, who)
    acts.decide(town.desk(cast.decider), receipt)
    if live:
        live.shows(receipt, "准予许可")
    licence = acts.complete(reviewer, receipt)
    if live:
        live.shows(receipt, "已办结", "待出件")
    return licence


def acknowledge_with_the_thumb(page: Page, who: Applicant, *, picture: bool = False) -> str:
    """Open the task on the phone and acknowledge it; return its number."""
    number = acts.task_of(page, who)
    row = page.locator("table.task-list tr").filter(has_text=number)
    row.get_by_role("link", name=who.name).tap()
    thumb = Thumb()
    thumb.tap(page.get_by_text("现场检查", exact=True))
    if picture:
        shot(page, "chain-task-open", (390,))
    thumb.tap(page.get_by_role("button", name="签收"))
    acts.said(page, "已签收")
    assert thumb.taps <= TAPS_TO_ACKNOWLEDGE
    return number


def first_case(town: Town, cast: Cast, pdf: Path) -> None:
    """From the window, by keyboard, to the closed tasks and the end of the applicant's line."""
    who = acts.applicant(1)
    clerk = town.desk("chuangkou1")
    live = Live(town.desk("chuangkou2"))
    acts.take_in_by_keyboard(clerk, who, acts.PRESALE_INITIALS, pdf)
    receipt = acts.receipt_of(clerk)
    live.shows(receipt, "审查中", who.name)
    progress = Progress(town.visitor(390), receipt)
    progress.look("审查", "您现在不用做什么", who.name)

    licence = decide_and_complete(town, cast, receipt, who, live)
    progress.look("送达", "请领取", "市住建局", "市发改委")

    # the manager finds the SMS in the same minute, and lives through the task with the thumb
    sms = acts.phone_of(town.visitor(390), MANAGER).filter(has_text=who.name)
    expect(sms).to_have_count(1)
    expect(sms).to_contain_text("3个工作日内")
    for role, username in cast.managers.items():
        manager = town.desk(username, 390, touch=True)
        number = acknowledge_with_the_thumb(manager, who, picture=role == "market")
        acts.live_through_task(manager, number)

    # delivery, and the end of the line
    counter = town.desk("chujian1")
    counter.goto(f"/window/cases/{receipt.number}/")
    acts.field(counter, "领取人或收件人").fill("张三")
    counter.get_by_role("button", name="送达").click()
    acts.said(counter, "结果已送达")
    live.shows(receipt, "已送达")
    progress.look("评价", "这件事已经办完", "监管结果已反馈")
    shot(progress.page, "chain-progress-end", (390,))

    # what everybody may check
    visitor = town.visitor(1440)
    visitor.goto("/register/")
    row = visitor.locator("table.work-list tr").filter(has_text=who.name)
    row.get_by_role("link", name=who.name).click()
    expect(visitor.locator("#main")).to_contain_text(licence)
    counter.goto(f"/window/cases/{receipt.number}/")
    acts.open_paper(counter, "准予行政许可决定书")
    code = counter.locator(".paper-code").inner_text()
    visitor.goto("/verify/")
    acts.field(visitor, "核验码").fill(code)
    visitor.get_by_role("button", name="核验").click()
    expect(visitor.locator("#answer")).to_have_text("本平台出具的文书，有效")
    expect(visitor.locator("#main")).to_contain_text(licence)


def second_case(town: Town, cast: Cast) -> None:
    """A task that nobody acknowledges: manager, then deputy and head, then the overseers hear of it."""
    who = acts.applicant(2)
    clerk = town.desk("chuangkou1")
    receipt = acts.take_in(clerk, "SP-0601", who)
    decide_and_complete(town, cast, receipt, who)
    sms = acts.phone_of(town.visitor(), MANAGER).filter(has_text=who.name)
    expect(sms).to_have_count(1)
    found = re.search(r"新监管任务(\w+)：", sms.inner_text())
    assert found
    task = found[1]
    reminder = f"{task}的签收"

    def heard(seat: str, text: str) -> None:
        told = acts.phone_of(town.visitor(), seat).filter(has_text=f"{reminder}{text}")
        expect(told).to_have_count(1)

    def not_heard(seat: str) -> None:
        expect(acts.phone_of(town.visitor(), seat).filter(has_text=reminder)).to_have_count(0)

    acts.next_morning(clerk)  # the first working day of three
    acts.next_morning(clerk)  # the working day before the last
    heard(MANAGER, "将于")
    acts.next_morning(clerk)
    heard(MANAGER, "今日到期")
    not_heard(DEPUTY)
    acts.next_morning(clerk)  # the fourth working day
    for seat in (MANAGER, DEPUTY, HEAD):
        heard(seat, "已超期1个工作日")
    not_heard(OVERSEER)
    acts.next_morning(clerk)
    for seat in (MANAGER, DEPUTY, HEAD):
        heard(seat, "已超期2个工作日")
    # The overseers hear of every late case of the city: one digest, and the board says which.
    digest = re.compile(rf"您有\d+件时限提醒：已超期|{reminder}已超期2个工作日")
    expect(acts.phone_of(town.visitor(), OVERSEER).filter(has_text=digest).last).to_be_visible()
    overdue = town.visitor()
    acts.phone_of(overdue, OVERSEER)
    shot(overdue, "chain-overdue-on-the-phone", (390,))
    overseer = town.desk("duban1")
    overseer.goto("/oversight/")
    expect(overseer.locator("#main")).to_contain_text(task)


def books_are_right(town: Town) -> None:
    """The recount and the ledger say that nothing is missing."""
    assert "differences 0" in town.stack.manage("reconcile").stdout
    assert " 0 faults" in town.stack.manage("verify_ledger").stdout


def play(town: Town, folder: Path) -> None:
    """Both cases, and the books."""
    cast = Cast.of(town)
    pdf = folder / "总平面图.pdf"
    pdf.write_bytes(acts.PDF)
    acts.next_morning(town.desk("chuangkou1"))
    first_case(town, cast, pdf)
    second_case(town, cast)
    books_are_right(town)
