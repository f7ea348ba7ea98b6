"""What people do in front of the pages: sign in, take in, review, decide, acknowledge, read a phone, move the clock.

Everything goes through the browser; nothing here reads the database.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, expect

from oversight.demo.cases import SCAN, code_of
from oversight.demo.people import PASSWORD
from scripts.stack import Stack
from tests.e2e.conftest import NewPage

PROMISE = "告知承诺方式"

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
PRESALE = "商品房预售许可"
PRESALE_INITIALS = "spfysxk"


@dataclass(frozen=True)
class Applicant:
    """An invented company with a contact."""

    name: str
    code: str
    phone: str


def applicant(number: int) -> Applicant:
    """Invented company ``number`` (1 to 99): its code is well-formed and belongs to nobody we know of."""
    return Applicant(
        f"连云港花果山置业{number:02d}号公司（演示）", code_of(f"91320700MA1E2E0{number:02d}"), f"100880000{number:02d}"
    )


@dataclass(frozen=True)
class Receipt:
    """What stands on the applicant's receipt."""

    number: str
    query_code: str


@dataclass
class Town:
    """The people of one running portal, each with a browser of their own that stays signed in."""

    stack: Stack
    new_page: NewPage
    seats: dict[str, Page] = dataclasses.field(default_factory=dict)

    def desk(self, username: str, width: int = 1440, *, java_script: bool = True, touch: bool = False) -> Page:
        """The page of a person who has signed in; the same one at every call."""
        if username not in self.seats:
            page = self.new_page(self.stack, width=width, java_script=java_script, touch=touch)
            sign_in(page, username)
            self.seats[username] = page
        return self.seats[username]

    def visitor(self, width: int = 390) -> Page:
        """Somebody without an account."""
        return self.new_page(self.stack, width=width)


def sign_in(page: Page, username: str) -> None:
    """Sign in by typing, and land on one's own desk."""
    page.goto("/login/")
    page.locator("#sign-in [name=username]").fill(username)
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出")).to_be_visible()


def field(page: Page, label: str) -> Locator:
    """The text field whose label begins with ``label`` (the mark 必填 follows it)."""
    return page.get_by_role("textbox", name=re.compile(f"^{re.escape(label)}"))


def confirm(page: Page, verb: str) -> None:
    """Open the panel that says what will follow, and confirm."""
    press = page.locator("button[type=submit]", has_text=re.compile(f"^确认{re.escape(verb)}$"))
    page.locator("details[data-confirm]", has=press).locator("summary").click()
    press.click()


def said(page: Page, text: str) -> None:
    """The page says at its head that the act was done."""
    expect(page.locator("#messages")).to_contain_text(text)


# --- the clock


def leave_for(page: Page, path: str) -> None:
    """Open ``path`` from a page that may be reloading itself at this moment, since its case moved: then once more."""
    try:
        page.goto(path)
    except Error as error:
        if "interrupted by another navigation" not in error.message:
            raise
        page.wait_for_load_state()
        page.goto(path)


def next_morning(page: Page) -> None:
    """Move the training clock to the next working morning; the red banner stands above."""
    leave_for(page, "/training/")
    page.get_by_role("button", name="拨到下一个工作日 9:00").click()
    said(page, "演练时钟已到")
    expect(page.get_by_role("complementary", name="演练模式")).to_be_visible()


# --- the window


def take_in_by_keyboard(page: Page, who: Applicant, initials: str, pdf: Path) -> None:
    """A whole intake without the mouse: find the item, type, tick everything, upload one file, 收件并受理."""
    keys = page.keyboard
    # The browser hands its file dialogs over from now on; asked for only at the press, that may come too late.
    page.on("filechooser", lambda _dialog: None)
    page.goto("/window/")
    keys.press("Alt+n")
    expect(page.locator("#item-q")).to_be_focused()
    keys.type(initials)
    expect(page.locator("#results")).to_have_attribute("data-q", initials)
    keys.press("Enter")
    expect(field(page, "统一社会信用代码或身份证号码")).to_be_focused()
    keys.type(who.code)
    keys.press("Enter")
    for label, text in (("申请人名称（姓名）", who.name), ("联系人", "演示联系人"), ("联系手机", who.phone)):
        expect(field(page, label)).to_be_focused()
        keys.type(text)
        keys.press("Enter")
    expect(field(page, "申请内容")).to_be_focused()
    keys.type("一期 1 至 3 幢，住宅 120 套")
    keys.press("Alt+a")
    keys.press("Alt+2")
    keys.press("Tab")
    expect(page.locator("input[type=file]").first).to_be_focused()
    with page.expect_file_chooser() as chooser:
        keys.press("Space")
    chooser.value.set_files(pdf)
    expect(page.locator("ul.kept")).to_contain_text(pdf.name)
    expect(page.locator("[data-left]")).to_have_text("必要材料已齐")
    keys.press("Alt+s")
    said(page, "已收件并受理")


def open_intake(page: Page, code: str, who: Applicant) -> None:
    """Open the intake of the item ``code`` and fill in who applies."""
    page.goto(f"/window/new/{code}/")
    field(page, "统一社会信用代码或身份证号码").fill(who.code)
    field(page, "申请人名称（姓名）").fill(who.name)
    field(page, "联系人").fill("演示联系人")
    field(page, "联系手机").fill(who.phone)
    field(page, "申请内容").fill("一期 4 幢，住宅 40 套")


def take_in(page: Page, code: str, who: Applicant, *, way: str = "", act: str = "收件并受理") -> Receipt:
    """Take in with everything that is required, then ``act`` (收件并受理 or 仅收件)."""
    open_intake(page, code, who)
    if way:
        page.get_by_label(way, exact=True).check()
        expect(page.locator("#promise ol.clauses")).to_be_visible()
    page.get_by_role("button", name="必要材料全部已收").click()
    if way == PROMISE:
        act = "收件，签署承诺书"
    page.get_by_role("button", name=re.compile(f"^{act}")).click()
    said(page, "已收件")
    if way == PROMISE:
        sign(page)
    return receipt_of(page)


def sign(page: Page, verb: str = "签署并受理") -> None:
    """Confirm every clause, say who signs, hand over the signed letter, and press; from the page of the signature."""
    for clause in page.locator("ol.sign-clauses input").all():
        clause.check()
    page.get_by_label("法定代表人（负责人）", exact=True).check()
    page.get_by_label("签名承诺书的扫描件").set_input_files(
        {"name": "承诺书.pdf", "mimeType": "application/pdf", "buffer": SCAN}
    )
    page.get_by_role("button", name=re.compile(f"^{verb}")).click()
    said(page, f"承诺书已{verb}")


def receipt_of(page: Page) -> Receipt:
    """Read the receipt that is linked on a window's case page, as the applicant gets it; the page comes back."""
    case = page.url
    open_paper(page, "接收凭证")
    text = page.locator("main.paper").inner_text()
    number, code = re.search(r"办件编号：(\w{21})", text), re.search(r"查询码 (\w{8})", text)
    assert number
    assert code
    page.goto(case)
    return Receipt(number[1], code[1])


def open_paper(page: Page, title: str) -> None:
    """Open a paper of the case whose page this is."""
    page.locator(".paper-card h3").get_by_role("link", name=title, exact=True).click()
    expect(page.locator("h1.paper-title")).to_have_text(title)


# --- the back office


def office_number(page: Page, tab: str) -> list[str]:
    """The case numbers in a queue of the signed-in person."""
    page.goto(f"/office/?tab={tab}")
    return page.locator("table.office-list small.num").filter(has_text=re.compile(r"^\w{21}$")).all_inner_texts()


def drawn_reviewer(town: Town, receipt: Receipt, reviewers: list[str]) -> str:
    """Look at the desks of both reviewers: exactly one has the case."""
    having = [name for name in reviewers if receipt.number in office_number(town.desk(name), "review")]
    assert len(having) == 1, having
    return having[0]


def review(page: Page, receipt: Receipt, who: Applicant) -> None:
    """Write the opinion on a case whose applicant is nowhere on the page."""
    page.goto(f"/office/{receipt.number}/")
    source = page.content()
    for secret in (who.name, who.code, who.phone, "演示联系人"):
        assert secret not in source
    field(page, "审查意见").fill("材料齐全，符合已公布的条件，建议准予许可。")
    confirm(page, "建议准予")
    said(page, f"审查意见已提交，办件 {receipt.number} 转交决定人员")


def decide(page: Page, receipt: Receipt, *, on_the_spot: bool = False) -> None:
    """Approve; an on-the-spot item is completed with it."""
    page.goto(f"/office/{receipt.number}/")
    confirm(page, "准予许可")
    said(page, "已准予许可并当场办结" if on_the_spot else "已作出准予许可决定")


def complete(page: Page, receipt: Receipt) -> str:
    """办结; return the licence number."""
    page.goto(f"/office/{receipt.number}/")
    confirm(page, "办结（制证并移交出件窗口）")
    said(page, "已制证办结")
    return page.locator(".licence-number").inner_text()


# --- the phone in the pocket


def phone_of(page: Page, seat: str) -> Locator:
    """Open the demo phone of whoever sits there (office and role); the bubbles on its screen."""
    page.goto("/demo/phone/")
    page.get_by_role("link").filter(has_text=seat).first.click()
    expect(page.locator(".phone-sender")).to_be_visible()
    return page.locator(".bubble")


# --- supervision


class Thumb:
    """Counts the taps on a phone."""

    def __init__(self) -> None:
        self.taps = 0

    def tap(self, target: Locator) -> None:
        """Tap what is meant, and count."""
        target.tap()
        self.taps += 1


def task_of(page: Page, who: Applicant) -> str:
    """Open the person's inbox and return the number of the task about ``who``."""
    page.goto("/tasks/")
    row = page.locator("table.task-list tr").filter(has_text=who.name)
    return row.locator("small.num").filter(has_text=re.compile(r"^\w{4}")).first.inner_text().split()[0]


def live_through_task(page: Page, number: str) -> None:
    """Finish, feed back, and see the task closed."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("button", name="完成监管").click()
    said(page, "已记录完成监管")
    page.get_by_label("符合", exact=True).check()
    field(page, "情况说明").fill("现场检查一次，与许可内容一致。")
    page.get_by_label("开展监管工作的平台").select_option(label="省市场监管信息平台")
    field(page, "该平台的文书编号").fill("检〔2026〕1号")
    page.get_by_role("button", name="反馈监管结果").click()
    said(page, "监管结果已反馈，任务已归档")
