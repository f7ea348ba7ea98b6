"""Every page, wide and narrow: axe finds nothing, nothing overflows, nothing is refused by the browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from scripts.stack import Stack
from tests.e2e import acts, sites
from tests.e2e.acts import Town
from tests.e2e.conftest import NewPage, shot
from tests.e2e.sites import Site

NARROWEST = 320

# What axe finds wrong. Contrast takes three quarters of axe's time, and is the same for texts of the same colours and
# size on the same grounds: each such look is measured where it is first met, of this and of all later pages.
_LOOK = """async measured => {
    const options = {resultTypes: ['violations'], preload: false};
    const found = await axe.run(document, {...options, rules: {'color-contrast': {enabled: false}}});
    const looks = new Map();
    const look = element => {
        if (!element) return '';
        if (!looks.has(element)) {
            const css = getComputedStyle(element);
            const own = [element.localName, element.className, element.disabled, css.color, css.backgroundColor,
                         css.backgroundImage, css.fontSize, css.fontWeight, css.opacity, css.position, css.textShadow];
            let [one, two] = [0xdeadbeef, 0x41c6ce57];
            for (const char of look(element.parentElement) + own.join()) {
                one = Math.imul(one ^ char.codePointAt(0), 2654435761);
                two = Math.imul(two ^ char.codePointAt(0), 1597334677);
            }
            looks.set(element, `${(one >>> 0).toString(36)}.${(two >>> 0).toString(36)}`);
        }
        return looks.get(element);
    };
    const known = new Set(measured), fresh = [];
    for (const element of document.body.querySelectorAll('*')) {
        const says = element.matches('input, select, textarea')
            || [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!says || !element.getClientRects().length || known.has(look(element))) continue;
        known.add(look(element));
        fresh.push(element);
    }
    const contrast = fresh.length ? await axe.run(fresh, {...options, runOnly: ['color-contrast']}) : {violations: []};
    return [found.violations.concat(contrast.violations), contrast.violations.length ? [] : fresh.map(look)];
}"""
FIRST_VISIT_KB, LATER_VISIT_KB = 150, 30


@pytest.fixture(scope="module")
def examples(stack: Stack) -> dict[str, str]:
    """Examples of everything, made inside the running portal."""
    told = stack.manage("shell", "-v0", "-c", "from tests.e2e.examples import tell; tell()").stdout
    found: dict[str, str] = json.loads(told.strip().splitlines()[-1])
    return found


@pytest.fixture
def town(stack: Stack, new_page: NewPage) -> Town:
    """The people of the embedded default."""
    return Town(stack, new_page)


def test_the_list_of_pages_is_complete() -> None:
    pages = {site.name for group in sites.ALL.values() for site in group}
    others = {name for group in sites.NO_PAGES.values() for name in group}
    assert not pages & others
    assert set(sites.names()) == pages | others


class Look:
    """A person's browser, and everything that was found wrong on the pages opened with it."""

    # The looks of texts whose contrast was measured by anybody.
    measured: ClassVar[set[str]] = set()

    def __init__(self, page: Page) -> None:
        self.page = page
        self.axe = Axe()
        self.wrong: list[str] = []
        self.place = ""
        page.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        # That a page answers 4xx is told apart; everything else on the console is a fault.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(f"{self.place}: console: {message.text}")

    def audit(self, place: str) -> None:
        """Look at the open page wide and narrow; take its pictures."""
        self.place = place
        self.page.wait_for_load_state()  # a click may still be bringing the page
        self.page.locator("body").wait_for(state="attached")
        self._settle(1440)
        self.page.evaluate(self.axe.axe_script)
        self._axe(f"{place} at 1440 px")
        self._settle(390)
        self._axe(f"{place} at 390 px")
        self._settle(NARROWEST)
        self.page.set_viewport_size({"width": 1440, "height": 900})
        shot(self.page, place)

    def _settle(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            self.wrong.append(f"{self.place}: {over} px too wide at {width} px")

    def _axe(self, where: str) -> None:
        violations, measured = self.page.evaluate(_LOOK, sorted(self.measured))
        self.measured.update(measured)
        for violation in violations:
            targets = ", ".join(str(node["target"][0]) for node in violation["nodes"][:3])
            self.wrong.append(f"{where}: {violation['id']} ({violation['impact']}): {targets}")

    def open(self, site: Site, examples: dict[str, str]) -> None:
        """Open a page and audit it."""
        self.place = site.picture
        answer = self.page.goto(site.path(examples))
        assert answer is not None
        if answer.status != site.status:
            self.wrong.append(f"{site.picture}: {answer.status} instead of {site.status}")
            return
        self.audit(site.picture)


@pytest.mark.parametrize("group", list(sites.ALL))
def test_every_page(town: Town, examples: dict[str, str], group: str) -> None:
    visitor = town.visitor(1440)
    looks: dict[str, Look] = {}
    for site in sites.ALL[group]:
        who = site.account(examples)
        if who not in looks:
            looks[who] = Look(town.desk(who) if who else visitor)
        looks[who].open(site, examples)
    wrong = [line for look in looks.values() for line in look.wrong]
    assert not wrong, "\n".join(wrong)


def test_large_type_for_elders(town: Town, examples: dict[str, str]) -> None:
    """长辈版: half as large again, and it still fits a phone."""
    look = Look(town.visitor(1440))
    look.page.goto("/display/?elder=1&next=/")
    for site in (Site("home"), Site("progress"), Site("guide_item", args=("item",)), Site("licences")):
        look.page.goto(site.path(examples))
        expect(look.page.locator("html.elder")).to_be_attached()
        look.audit(f"elder-{site.picture}")
    assert not look.wrong, "\n".join(look.wrong)


def test_pages_that_answer_with_errors(town: Town, examples: dict[str, str]) -> None:
    """What is seen when something is wrong: unknown address, wrong password, wrong code, a form that comes back."""
    look = Look(town.visitor(1440))
    page = look.page
    page.goto("/nowhere/")
    look.audit("error-404")
    page.goto("/login/")
    page.locator("#sign-in [name=username]").fill("nobody")
    page.locator("#sign-in [name=password]").fill("wrong")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("没有登录成功")).to_be_visible()
    look.audit("error-login")
    page.goto("/progress/")
    acts.field(page, "办件编号").fill(examples["case_pair_number"])
    acts.field(page, "查询码").fill("AAAAAAAA")
    page.get_by_role("button", name="查询进度").click()
    expect(page.get_by_text("没有查到")).to_be_visible()
    look.audit("error-progress")
    acts.field(page, "查询码").fill(examples["case_pair_code"])
    page.get_by_role("button", name="查询进度").click()
    expect(page.locator(".progress-line")).to_be_visible()
    look.audit("progress-result")

    clerk = Look(town.desk("chuangkou1"))
    acts.open_intake(clerk.page, examples["item"], acts.Applicant("错号公司（演示）", "91320700MA1DEMO012", "12"))
    clerk.page.get_by_role("button", name="收件并受理").click()
    expect(clerk.page.get_by_text("手机号码应为").first).to_be_visible()
    clerk.audit("error-intake")
    # a second press on what is done already: a kind sentence and the way back
    clerk.page.goto(f"/window/cases/{examples['case_submitted']}/")
    other = town.desk("chuangkou2")
    other.goto(f"/window/cases/{examples['case_submitted']}/")
    acts.confirm(other, "受理")
    acts.said(other, "已受理")
    acts.confirm(clerk.page, "受理")
    expect(clerk.page.get_by_text("请刷新")).to_be_visible()
    clerk.audit("error-409")
    clerk.page.goto("/division/")
    clerk.audit("error-not-my-desk")
    wrong = look.wrong + clerk.wrong
    assert not wrong, "\n".join(wrong)


def test_an_intake_without_javascript(town: Town, tmp_path: Path) -> None:
    who, pdf = acts.applicant(21), tmp_path / "申请表.pdf"
    pdf.write_bytes(acts.PDF)
    page = town.desk("chuangkou2", java_script=False)
    page.goto("/window/new/?q=spfysxk")
    page.get_by_role("link", name=acts.PRESALE).click()
    acts.field(page, "统一社会信用代码或身份证号码").fill(who.code)
    page.get_by_role("button", name="查询主体").click()
    expect(page.locator("#subject")).to_contain_text("号码校验通过")
    acts.field(page, "申请人名称（姓名）").fill(who.name)
    acts.field(page, "联系人").fill("演示联系人")
    acts.field(page, "联系手机").fill(who.phone)
    page.locator("input[type=file]").first.set_input_files(pdf)
    for tick in page.locator("[data-tick]").all():
        tick.check()
    page.get_by_role("button", name="收件并受理").click()
    acts.said(page, "已收件并受理")
    expect(page.locator("ul.materials")).to_contain_text(pdf.name)


def test_an_acknowledgement_without_javascript(town: Town, examples: dict[str, str]) -> None:
    page = town.desk(examples["manager"], 390, java_script=False)
    page.goto(f"/tasks/{examples['task_viewed']}/")
    page.get_by_role("radio", name=re.compile("^现场检查")).check()
    page.get_by_role("button", name="签收").click()
    acts.said(page, "已签收")
    page.get_by_role("button", name="完成监管").click()
    acts.said(page, "已记录完成监管")


def test_a_year_is_proposed_and_given_up_without_javascript(town: Town, tmp_path: Path) -> None:
    """The page of the preview reloads itself until the worker is done."""
    notice = tmp_path / "2029.csv"
    notice.write_text(
        "year,from,to,kind,name,notice\n"
        "2029,2029-01-01,2029-01-01,off,元旦,国务院办公厅关于2029年部分节假日安排的通知（演示）\n",
        encoding="utf-8",
    )
    page = town.desk("guanliyuan1", 390, java_script=False)
    page.goto("/division/calendar/new/")
    page.locator("input[type=file]").set_input_files(notice)
    page.get_by_role("button", name="上传并核对").click()
    expect(page.get_by_role("heading", name="2029 年的草稿")).to_be_visible()
    expect(page.get_by_role("heading", name="将变动的期限")).to_be_visible()
    expect(page.get_by_role("checkbox", name=re.compile("^已核对"))).not_to_have_count(0)
    page.locator("summary", has_text="作废").click()
    page.get_by_role("button", name="确认作废").click()
    acts.said(page, "草稿已作废")


class Wire:
    """Counts the bytes that come over the wire, as the browser does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.received = 0.0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, float]) -> None:
        self.received += event["encodedDataLength"]

    def visit(self, path: str) -> float:
        """Open a page; return its kilobytes, headers included."""
        self.received = 0.0
        self.page.goto(path, wait_until="networkidle")
        return self.received / 1024


@pytest.mark.parametrize(
    ("path", "who"), [("/", ""), ("/window/", "chuangkou1"), ("/window/new/SP-0601/", "chuangkou1")]
)
def test_pages_are_light(town: Town, examples: dict[str, str], path: str, who: str) -> None:
    page = town.visitor(1440)
    if who:
        # signed in elsewhere, so that nothing of the staff's pages is in this browser's cache
        page.context.add_cookies(town.desk(who).context.cookies())  # type: ignore[arg-type]
    wire = Wire(page)
    first, later = wire.visit(path), wire.visit(path)
    print(f"{path}: {first:.0f} KB, then {later:.0f} KB")
    assert first <= FIRST_VISIT_KB
    assert later <= LATER_VISIT_KB
