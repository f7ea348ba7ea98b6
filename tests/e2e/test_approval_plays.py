"""Each way of an approval in a real browser, from the window to its end: corrected, on promise in each mode, 容缺,
on the spot, rejected.

``test_chain.py`` plays beside these the plain road, the filing, the refusal to accept, and promise with all modes.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from scripts.stack import Stack
from tests.e2e import acts, chain
from tests.e2e.acts import Applicant, Receipt, Town
from tests.e2e.conftest import NewPage, eventually

CLERK, COUNTER = "chuangkou1", "chujian1"
PRESALE, VENUE, VENUE_SPOT, FIRE = "SP-0601", "SP-2002", "SP-2001", "SP-2501"
LABOUR, OVERSIZE = "SP-2401", "SP-2101"
LICENCE_CARD = "营业执照"
VERIFIED = "材料核验"
FILE: FilePayload = {"name": "补交.pdf", "mimeType": "application/pdf", "buffer": acts.PDF}


@pytest.fixture
def town(stack: Stack, new_page: NewPage) -> Town:
    """The people of the embedded default, on a working morning."""
    town = Town(stack, new_page)
    acts.next_morning(town.desk(CLERK))
    return town


# --- the applicant at home


def code_on_the_phone(page: Page, who: Applicant) -> str:
    """The newest six digits on the demo phone of the contact."""
    masked = f"{who.phone[:3]}****{who.phone[-4:]}"
    found: list[str] = []

    def arrived() -> bool:
        page.goto("/demo/phone/")
        theirs = page.get_by_role("link").filter(has_text=masked)
        if theirs.count():
            theirs.first.click()
            expect(page.locator(".phone-sender")).to_be_visible()
            found.extend(re.findall(r"验证码(\d{6})", page.locator("body").inner_text()))
        return bool(found)

    eventually(arrived, "a code on the phone", 60)
    return found[-1]


def at_home(town: Town, receipt: Receipt, who: Applicant) -> Page:
    """Go through the applicant's own door: progress page, SMS code, the page of what may be done."""
    home = chain.Progress(town.visitor(), receipt)
    home.open()
    page = home.page
    page.get_by_role("button", name="补正、补交、撤回").click()
    page.get_by_role("button", name="获取短信验证码").click()
    acts.said(page, "验证码已发送")
    acts.field(page, "短信验证码").fill(code_on_the_phone(town.visitor(), who))
    page.get_by_role("button", name="验证并办理").click()
    expect(page.get_by_role("heading", name="撤回申请").or_(page.locator("#door-files")).first).to_be_visible()
    return page


def hand_in_files(page: Page, verb: str) -> None:
    """A file for every line that is asked, saved, then submitted."""
    asked = page.locator("#door-files > ul.door-files input[type=file]")
    for place in range(asked.count()):
        asked.nth(place).set_input_files(FILE)
    page.locator(".door-verbs").get_by_role("button", name="先保存文件").click()
    acts.said(page, "文件已保存")
    acts.confirm(page, verb)


# --- the window and the office


def line_of(page: Page, name: str) -> Locator:
    """The line of the checklist that is called ``name``."""
    title = page.locator("p.material-name", has_text=re.compile(rf"^\s*{re.escape(name)}\s"))
    return page.locator("#checklist li.material").filter(has=title)


def tick_all_but(page: Page, *names: str) -> None:
    """Everything required is in, except what is named."""
    page.get_by_role("button", name="必要材料全部已收").click()
    for name in names:
        line_of(page, name).locator("input[data-tick]").uncheck()


def receive(page: Page, verb: str) -> None:
    """Press the button of the intake."""
    page.get_by_role("button", name=re.compile(f"^{verb}")).click()
    acts.said(page, "已收件")


def with_modes(page: Page, *modes: str) -> None:
    """Apply on promise, in these of the offered modes alone."""
    page.get_by_label(acts.PROMISE, exact=True).check()
    expect(page.locator("#promise ol.clauses")).to_be_visible()
    for box in page.locator("#promise input[name=modes]").all():
        label = page.locator(f"label[for={box.get_attribute('id')}]").inner_text().strip()
        if box.is_checked() != (label in modes):
            with page.expect_response(lambda answer: answer.request.method == "POST"):
                box.set_checked(label in modes)


def sheet(page: Page, receipt: Receipt, who: Applicant) -> None:
    """Give the full marks of every criterion and advise approval; nothing on the page says whose case it is."""
    page.goto(f"/office/{receipt.number}/")
    source = page.content()
    for secret in (who.name, who.code, who.phone):
        assert secret not in source
    for criterion in page.locator("fieldset.score").all():
        criterion.locator("input[type=radio]").first.check()
    acts.field(page, "审查意见").fill("符合卫生标准和要求，建议准予许可。")
    acts.confirm(page, "建议准予")
    acts.said(page, "评分表已提交")


def earliest_day(page: Page) -> str:
    """The first day that the page allows, as a date field takes it."""
    found = re.search(r"最早 (\d+)年(\d+)月(\d+)日", page.locator("#main").inner_text())
    assert found
    return "-".join(part.zfill(2) for part in found.groups())


def team(stem: str) -> list[str]:
    """The reviewers of a department's first review office, by account."""
    return [f"{stem}.shenchaa", f"{stem}.shenchab"]


def decider_of(town: Town, receipt: Receipt, stem: str) -> Page:
    """The desk of whichever of the two deciders has the case on the work list."""
    pair = [f"{stem}.juedinga", f"{stem}.juedingb"]
    return town.desk(next(name for name in pair if receipt.number in acts.office_number(town.desk(name), "decide")))


def decide(town: Town, receipt: Receipt, stem: str, *, on_the_spot: bool = False) -> None:
    """Approve, by whichever decider has the case."""
    acts.decide(decider_of(town, receipt, stem), receipt, on_the_spot=on_the_spot)


def deliver(town: Town, receipt: Receipt, *papers: str) -> None:
    """Hand the result over; these papers are there."""
    counter = town.desk(COUNTER)
    counter.goto(f"/window/cases/{receipt.number}/")
    acts.field(counter, "领取人或收件人").fill("张三")
    counter.get_by_role("button", name="送达").click()
    acts.said(counter, "结果已送达")
    for paper in papers:
        acts.open_paper(counter, paper)
        counter.goto(f"/window/cases/{receipt.number}/")


def licence_of(town: Town, who: Applicant) -> None:
    """The public register has the applicant's licence."""
    visitor = town.visitor(1440)
    visitor.goto("/register/")
    expect(visitor.locator("table.work-list tr").filter(has_text=who.name)).to_have_count(1)


# --- the plays


def test_a_correction_is_answered_at_home_and_the_licence_follows(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(31)
    acts.open_intake(clerk, PRESALE, who)
    tick_all_but(clerk, "商品房预售方案", "开发企业资质证书")
    receive(clerk, "仅收件")
    receipt = acts.receipt_of(clerk)
    clerk.get_by_role("link", name="一次性补正").click()
    expect(clerk.locator(".correct-row.is-locked")).to_have_count(2)
    acts.confirm(clerk, "一次性补正")
    acts.said(clerk, "已一次性告知补正")

    home = at_home(town, receipt, who)
    expect(home.locator("#door-files > ul.door-files > li")).to_have_count(2)
    hand_in_files(home, "提交补正")
    acts.said(home, "补正已提交")

    clerk.goto(f"/window/cases/{receipt.number}/")
    expect(clerk.get_by_role("link", name="一次性补正")).to_have_count(0)
    acts.confirm(clerk, "受理")
    acts.said(clerk, "已受理")
    reviewer = town.desk(acts.drawn_reviewer(town, receipt, team("zhujian")))
    acts.review(reviewer, receipt, who)
    decide(town, receipt, "zhujian")
    acts.complete(reviewer, receipt)
    deliver(town, receipt, "补正告知书", "准予行政许可决定书")
    licence_of(town, who)


def test_promise_of_deferred_materials_gives_the_licence_with_the_last_of_them(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(32)
    receipt = acts.take_in(clerk, VENUE, who, way=acts.PROMISE)
    acts.open_paper(clerk, "告知承诺书")
    sheet(town.desk(acts.drawn_reviewer(town, receipt, team("weijian"))), receipt, who)
    decide(town, receipt, "weijian")
    chain.Progress(town.visitor(), receipt).look("制证", "承诺延期提交，补齐的当天制发证件")

    home = at_home(town, receipt, who)
    expect(home.locator("#door-files > ul.door-files > li")).to_have_count(2)
    hand_in_files(home, "提交材料")
    acts.said(home, "材料已补齐")
    chain.Progress(town.visitor(), receipt).look("送达", "请领取")
    licence_of(town, who)
    deliver(town, receipt, "告知承诺书", "准予行政许可决定书")


def test_promise_of_verified_material_is_answered_by_the_service_and_decided_on_the_spot(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(33)
    acts.open_intake(clerk, VENUE_SPOT, who)
    with_modes(clerk, VERIFIED)
    # Without the check afterwards the promise replaces nothing.
    expect(line_of(clerk, "公共场所卫生管理制度").locator("input[data-tick]")).to_be_visible()
    tick_all_but(clerk, LICENCE_CARD)
    receive(clerk, "收件，签署承诺书")
    acts.sign(clerk, "签署")
    receipt = acts.receipt_of(clerk)
    clerk.get_by_role("button", name=re.compile(f"：{LICENCE_CARD}$")).click()
    panel = clerk.locator("#verification")
    expect(panel).to_contain_text("核验一致", timeout=60_000)
    expect(clerk.locator("#checklist")).to_contain_text("已核验，不用提交")
    acts.confirm(clerk, "受理")
    acts.said(clerk, "已受理")
    decide(town, receipt, "weijian", on_the_spot=True)
    deliver(town, receipt, "告知承诺书", "准予行政许可决定书")
    licence_of(town, who)


def test_promise_checked_afterwards_travels_with_the_task(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(34)
    receipt = acts.take_in(clerk, FIRE, who, way=acts.PROMISE)
    decide(town, receipt, "xiaofangjiuyuanzhidui", on_the_spot=True)
    manager = town.desk("xiaofangjiuyuanzhidui.chushi", 390, touch=True)
    manager.goto(f"/tasks/{acts.task_of(manager, who)}/")
    expect(manager.get_by_role("heading", name="申请人的承诺")).to_be_visible()
    expect(manager.locator("#main")).to_contain_text("场所符合消防技术标准和管理规定")
    licence_of(town, who)


def test_a_secondary_material_follows_the_licence(town: Town) -> None:
    clerk, who, lacking = town.desk(CLERK), acts.applicant(35), "机构章程和管理制度"
    acts.open_intake(clerk, LABOUR, who)
    tick_all_but(clerk, lacking)
    receive(clerk, "仅收件")
    receipt = acts.receipt_of(clerk)
    clerk.get_by_role("link", name="容缺办理").click()
    clerk.get_by_label(lacking).check()
    acts.field(clerk, "补交期限").fill(earliest_day(clerk))
    acts.field(clerk, "签署人").fill("张三")
    acts.confirm(clerk, "约定容缺")
    acts.said(clerk, "已约定容缺办理")
    acts.confirm(clerk, "受理")
    acts.said(clerk, "已受理")
    reviewer = town.desk(acts.drawn_reviewer(town, receipt, team("renshe")))
    acts.review(reviewer, receipt, who)
    decide(town, receipt, "renshe")
    acts.complete(reviewer, receipt)
    licence_of(town, who)
    chain.Progress(town.visitor(), receipt).look("送达", "补交容缺的材料", lacking)

    clerk.goto(f"/window/cases/{receipt.number}/")
    clerk.get_by_role("link", name="补交材料").click()
    clerk.locator("input[type=file]").set_input_files(FILE)
    clerk.locator("#owed-form input[value=provided]").check()
    acts.confirm(clerk, "补交收件")
    acts.said(clerk, "补交的材料已收齐")
    deliver(town, receipt, "容缺补交告知书", "准予行政许可决定书")


def test_an_on_the_spot_item_is_done_in_one_sitting(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(36)
    receipt = acts.take_in(clerk, OVERSIZE, who)
    decide(town, receipt, "jiaotong", on_the_spot=True)
    licence_of(town, who)
    deliver(town, receipt, "受理通知书", "准予行政许可决定书")
    chain.Progress(town.visitor(), receipt).look("评价", "这件事已经办完")


def test_a_rejection_lists_its_grounds_and_is_served(town: Town) -> None:
    clerk, who = town.desk(CLERK), acts.applicant(37)
    receipt = acts.take_in(clerk, PRESALE, who)
    reviewer = town.desk(acts.drawn_reviewer(town, receipt, team("zhujian")))
    reviewer.goto(f"/office/{receipt.number}/")
    grounds = ("持有建设工程规划许可证和施工许可证", "已交付全部土地使用权出让金")
    for text in grounds:
        reviewer.locator("#id_keys").get_by_label(re.compile(text)).check()
    acts.field(reviewer, "审查意见").fill("两项条件没有达到，建议不予许可。")
    acts.confirm(reviewer, "建议不予")
    acts.said(reviewer, "审查意见已提交")
    decider = decider_of(town, receipt, "zhujian")
    decider.goto(f"/office/{receipt.number}/")
    for text in grounds:
        expect(decider.locator("#id_keys").get_by_label(re.compile(text))).to_be_checked()
    acts.field(decider, "说明").fill("施工许可证未取得，出让金未交清。")
    acts.confirm(decider, "不予许可")
    acts.said(decider, "已作出不予许可决定")
    chain.Progress(town.visitor(), receipt).look("送达", *grounds, "行政复议")
    deliver(town, receipt, "不予行政许可决定书")
    visitor = town.visitor(1440)
    visitor.goto("/register/")
    expect(visitor.locator("#main")).not_to_contain_text(who.name)


def test_the_books_are_right(town: Town) -> None:
    """After every play of this file: nothing is missing from the chain, and the ledger is whole."""
    chain.books_are_right(town)
