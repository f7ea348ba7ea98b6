"""The whole road of supervision as one play: from the promise at the window to the revoked licence.

事后核查 → task and SMS → planned, with a visit that the head approves → inspected on a phone without a connection → a
clause 不符合 → ordered to mend → not mended → proposed → noticed, heard, decided → revoked before everybody's eyes →
told, recorded, refused the promise way, drawn harder → repaired, and both open again (L17).
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from scripts.stack import Stack
from tests.e2e import acts, chain
from tests.e2e import supervising as office
from tests.e2e.acts import Applicant, Receipt, Town
from tests.e2e.conftest import NewPage, eventually, shot
from tests.e2e.supervising import FIRE_SEAT, FIRE_STEM, FIRE_TEAM
from tests.e2e.test_approval_plays import COUNTER, code_on_the_phone, deliver
from tests.e2e.test_pages import Look

MANAGER, INSPECTOR = f"{FIRE_SEAT} 处室管理员", f"{FIRE_SEAT} 监管执法人员"
HEAD = "市消防救援支队 部门负责人"
DECIDER, CHAIR = FIRE_TEAM.deciders
OFFICER = f"{FIRE_STEM}.xinyong"
PLACE, WORDS = "海州区花果山大道1号地下室", "地下一层疏散通道被货架堵住，防火门常开。"
STATED = "货架已经清走一半，请求延长整改时间。"


@pytest.fixture
def town(stack: Stack, new_page: NewPage) -> Town:
    """The people of the embedded default, on a working morning."""
    town = Town(stack, new_page)
    acts.next_morning(town.desk(office.CLERK))
    return town


@dataclass
class Road:
    """One task on its way; what a later step needs of the earlier ones."""

    town: Town
    who: Applicant
    receipt: Receipt = field(default_factory=lambda: Receipt("", ""))
    number: str = ""
    code: str = ""
    officers: tuple[str, str] = ("", "")
    order: str = ""
    revocation: str = ""

    @property
    def manager(self) -> Page:
        return self.town.desk(FIRE_TEAM.manager)

    @property
    def phone(self) -> Page:
        """The phone of the first inspector."""
        return self.town.desk(FIRE_TEAM.inspectors[0], 390, touch=True)

    def told(self, seat: str, *texts: str) -> None:
        """The phone of a seat, or of the number that ends so, comes to show a message with all ``texts``."""
        page = self.town.visitor()

        def arrived() -> bool:
            page.goto("/demo/phone/")
            theirs = page.get_by_role("link").filter(has_text=seat)
            if not theirs.count():
                return False
            theirs.first.click()
            expect(page.locator(".phone-sender")).to_be_visible()
            return any(all(text in one for text in texts) for one in page.locator(".bubble").all_inner_texts())

        eventually(arrived, f"{seat}: {texts}", 60)
        page.context.close()

    @property
    def contact(self) -> str:
        """The applicant's contact, as the demo phone names a number."""
        return f"{self.who.phone[:3]}****{self.who.phone[-4:]}"


# --- to the visit


def to_the_task(road: Road) -> None:
    """On promise at the window, granted on the spot and handed out; the office hears of it."""
    town, who = road.town, road.who
    road.receipt = office.licensed(town, who)
    deliver(town, road.receipt)
    counter = town.desk(COUNTER)
    acts.open_paper(counter, "准予行政许可决定书")
    road.code = counter.locator(".paper-code").inner_text()
    visitor = town.visitor(1440)
    visitor.goto("/register/")
    row = visitor.locator("table.work-list tr").filter(has_text=who.name)
    expect(row).to_contain_text("有效")
    road.number = acts.task_of(road.manager, who)
    road.told(MANAGER, road.number, who.name)
    office.is_at(road.manager, road.number, "申请人的承诺", "场所符合消防技术标准和管理规定")


def planned(road: Road) -> None:
    """Acknowledged on the spot with a planned day for two inspectors; the visit is asked for and approved."""
    town = road.town
    first, second = (town.desk(name, 390, touch=True) for name in FIRE_TEAM.inspectors)
    # nothing is theirs before it is given to them
    first.goto("/tasks/")
    expect(first.locator("#main")).not_to_contain_text(road.who.name)
    road.officers = (office.name_of(first), office.name_of(second))
    office.acknowledge(road.manager, road.number, officers=road.officers)
    office.ask_visit(road.manager, road.number)
    road.told(HEAD, road.number, "入企检查")
    office.answer_visit(town.desk(FIRE_TEAM.head), road.who)
    road.told(INSPECTOR, road.number, "入企检查已批准")
    for page in (first, second):
        office.is_at(page, road.number, "已批准", road.who.name)


# --- in the basement


def picture(page: Page) -> FilePayload:
    """A picture larger than what is sent, drawn by the browser."""
    data = page.evaluate(
        "() => { const c = document.createElement('canvas'); c.width = 3000; c.height = 1500;"
        " const g = c.getContext('2d'); g.fillStyle = '#246'; g.fillRect(0, 0, 3000, 1500);"
        " return c.toDataURL('image/png').split(',')[1]; }"
    )
    return {"name": "通道.png", "mimeType": "image/png", "buffer": base64.b64decode(data)}


def state(page: Page, text: str) -> None:
    """The line at the foot of the form says ``text``."""
    expect(page.locator("#inspect-state")).to_contain_text(text)


def inspected_without_a_connection(road: Road) -> None:
    """The draft outlives the page, waits for a connection, and is one record though its answer was lost once."""
    page, address = road.phone, f"/tasks/{road.number}/inspect/"
    look = Look(page)
    page.goto(address)
    # The page and its parts are kept for the next time.
    page.wait_for_function("async () => (await (await caches.open('inspect-pages')).keys()).length > 3")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    look.audit("road-inspect-empty")
    page.set_viewport_size({"width": 390, "height": 900})

    page.context.set_offline(True)
    office.fill_inspection(page, road.officers, {"clause-1": WORDS}, "到场核对，通道不畅。", place=PLACE, signer="")
    state(page, "草稿已保存在本机")
    row = office.finding(page, "clause-1")
    row.locator("input[type=file]").set_input_files(picture(page))
    expect(row.locator(".inspect-shots img")).to_be_visible()

    # The phone throws the page away; it opens again without a connection.
    page.reload()
    state(page, "草稿已保存在本机")
    expect(page.locator("[name=place]")).to_have_value(PLACE)
    expect(row.locator(f"[value={office.BAD}]")).to_be_checked()
    expect(row.locator(".inspect-shots img")).to_be_visible()
    shot(page, "road-inspect-draft", (390,))

    # What is missing is said on the spot.
    page.get_by_role("button", name="发送检查记录").click()
    expect(page.locator("#inspect-answer")).to_contain_text("请由被检查对象签名")
    page.locator("[name=signer]").fill("王负责")
    page.locator("[name=confirmed]").check()
    page.get_by_role("button", name="发送检查记录").click()
    state(page, "没有网络，恢复后自动发送")
    shot(page, "road-inspect-waiting", (390,))

    # Closed, and opened again where there is a connection: it goes by itself. The first answer is lost on its way.
    context = page.context
    page.close()
    page = road.town.seats[FIRE_TEAM.inspectors[0]] = context.new_page()
    sent: list[str] = []
    lost: list[int] = []

    def note(asked: Request) -> None:
        if asked.method == "POST":
            sent.append(asked.url.rsplit("/", 2)[-2])

    def lose_first(route: Route) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.on("request", note)
    page.route(f"**{address}", lose_first)
    context.set_offline(False)
    page.goto(address)
    state(page, "没有网络，恢复后自动发送")
    assert lost == [200], lost
    # What the lost answer would have said went with it.
    page.context.clear_cookies(name="messages")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    acts.said(page, "检查记录已发送")
    assert sent == ["photos", "inspect", "inspect"], sent
    expect(page.locator("#messages .note")).to_have_count(1)
    page.unroute(f"**{address}")
    look = Look(page)
    look.audit("road-inspection")
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('inspect:')).length") == 0
    page.goto(f"/tasks/{road.number}/")
    records = page.locator("article.inspected")
    expect(records).to_have_count(1)
    for text in ("第 1 次", WORDS, "照片 1 张", *road.officers):
        expect(records).to_contain_text(text)
    assert not look.wrong, "\n".join(look.wrong)


# --- ordered, and not mended


def reported_and_ordered(road: Road) -> None:
    """Finished, fed back with the clauses as they were found, and ordered to mend until tomorrow."""
    manager = road.manager
    office.finish(manager, road.number)
    office.feed_back(manager, road.number, "不符合", "承诺第 1 条与现场不符。", "已反馈")
    road.order = office.order(manager, road.number)
    expect(manager.locator("#main")).to_contain_text(WORDS)
    shot(manager, "road-order")
    office.is_at(manager, road.number, "整改中", "整改与后续处理")
    shot(manager, "road-task-ordered")
    paper(manager, road.order, "查看文书", "责令限期整改通知书", "road-paper-order")
    # the holder's contact hears of it
    road.told(road.contact, "责令限期整改")


def paper(page: Page, address: str, link: str, title: str, name: str) -> None:
    """Open a paper from the page at ``address``; look at it."""
    page.goto(address)
    page.get_by_role("link", name=link).first.click()
    expect(page.locator("h1.paper-title")).to_have_text(title)
    shot(page, name)


def not_mended(road: Road) -> None:
    """The day is over: looked at again, still 不符合; the verdict, and the proposal with its evidence."""
    acts.next_morning(road.manager)
    acts.next_morning(road.manager)
    office.approved_visit(road.town, road.number, road.who)
    page = road.phone
    page.goto(f"/tasks/{road.number}/")
    page.get_by_role("link", name="记录复查").click()
    expect(page.locator("[name=place]")).to_be_visible()
    shot(page, "road-reinspect", (390,))
    office.fill_inspection(page, road.officers, {"clause-1": "货架还在原处。"}, "没有改正。", place=PLACE)
    office.send_inspection(page)
    manager = road.manager
    office.settle_order(manager, road.order, "逾期未改或者复查不合格", "期限届满，疏散通道仍被堵塞。")
    manager.goto(f"/tasks/{road.number}/proposal/")
    shot(manager, "road-proposal")
    office.propose(manager, road.number)
    paper(manager, f"/tasks/{road.number}/proposal/", "查看文书", "撤销行政许可建议书", "road-paper-proposal")
    office.is_at(manager, road.number, "已建议撤销许可", "等候审批部门答复")


# --- the approval side


def noticed(road: Road) -> None:
    """The decider reads the evidence and gives notice."""
    decider = road.town.desk(DECIDER)
    decider.goto("/office/revocations/")
    decider.locator("table.work-list tr").filter(has_text=road.who.name).get_by_role("link").first.click()
    road.revocation = decider.url
    evidence = decider.locator("section[aria-labelledby=facts-h] a")
    assert evidence.count() >= 4
    for address in [one.get_attribute("href") or "" for one in evidence.all()]:
        answer = decider.goto(address)
        assert answer is not None
        assert answer.ok, address
    decider.goto(road.revocation)
    shot(decider, "road-revocation-received")
    decider.get_by_label(re.compile("^拟适用的法定情形")).select_option(value="unqualified")
    acts.confirm(decider, "发出告知书")
    acts.said(decider, "告知书已出具")
    paper(decider, road.revocation, "撤销行政许可告知书", "撤销行政许可告知书", "road-paper-notice")


def the_holder_speaks(road: Road) -> None:
    """Through the own door, with the code by SMS: a statement, and a hearing is asked for."""
    home = chain.Progress(road.town.visitor(), road.receipt)
    home.open()
    page = home.page
    expect(page.locator("#main")).to_contain_text("拟撤销")
    shot(page, "road-progress-noticed")
    page.get_by_role("button", name="陈述申辩、申请听证").click()
    page.get_by_role("button", name="获取短信验证码").click()
    acts.said(page, "验证码已发送")
    acts.field(page, "短信验证码").fill(code_on_the_phone(road.town.visitor(), road.who))
    page.get_by_role("button", name="验证并办理").click()
    acts.field(page, "陈述和申辩").fill(STATED)
    page.get_by_label("要求听证", exact=True).check()
    shot(page, "road-door-statement")
    acts.confirm(page, "提交意见")
    home.open()
    expect(page.locator("#main")).to_contain_text("您申请的听证正在安排")


def heard(road: Road) -> None:
    """The hearing is planned with a chair who has no part in it, held on its day, and recorded."""
    decider = road.town.desk(DECIDER)
    decider.goto(road.revocation)
    expect(decider.locator("#main")).to_contain_text(STATED)
    # nothing is decided before the hearing
    expect(decider.locator("form#decide")).to_have_count(0)
    shot(decider, "road-revocation-asked")
    day = office.fill_earliest(decider, "听证日期")
    acts.field(decider, "听证地点").fill("市消防救援支队二楼会议室")
    chair = road.town.desk(CHAIR)
    decider.get_by_label(re.compile("^听证主持人")).select_option(label=office.name_of(chair))
    acts.confirm(decider, "安排听证")
    acts.said(decider, "听证已安排")
    road.told(road.contact, "二楼会议室")
    jump(decider, day)
    chair.goto("/office/hearings/")
    chair.locator("table.work-list tr").filter(has_text=road.who.name).get_by_role("link").first.click()
    acts.field(chair, "听证笔录").fill(
        "到场：监管人员、持证人委托代理人。\n持证人承认疏散通道被堵，陈述正在清理。\n监管人员出示检查记录和照片。"
    )
    shot(chair, "road-hearing-record")
    acts.confirm(chair, "提交笔录")
    acts.said(chair, "听证笔录已提交")


def jump(page: Page, day: dt.date) -> None:
    """Move the training clock to the afternoon of ``day``."""
    page.goto("/training/")
    page.locator("[name=moment]").fill(f"{day.isoformat()}T15:00")
    page.get_by_role("button", name="拨到这一刻").click()
    acts.said(page, "演练时钟已到")


def revoked(road: Road) -> None:
    """Decided in writing, on a ground, with the public interest and the compensation considered."""
    decider = road.town.desk(DECIDER)
    decider.goto(road.revocation)
    expect(decider.locator("#main")).to_contain_text("听证笔录")
    decider.get_by_label(re.compile("^法定情形")).select_option(value="unqualified")
    acts.field(decider, "事实和理由").fill("承诺与现场不符，责令改正后逾期未改，不符合许可条件。")
    acts.field(decider, "是否可能对公共利益造成重大损害").fill("不会造成重大损害。")
    acts.field(decider, "是否给予赔偿").fill("损失由持证人自身违背承诺造成，不予赔偿。")
    shot(decider, "road-revocation-decide")
    acts.confirm(decider, "撤销许可")
    acts.said(decider, "已决定撤销许可")
    shot(decider, "road-revocation-decided")
    paper(decider, road.revocation, "撤销行政许可决定书", "撤销行政许可决定书", "road-paper-revocation")


def everybody_sees_it(road: Road) -> None:
    """Register, progress, the decision's code, the task, the holder's phone: the licence is revoked."""
    visitor = road.town.visitor(1440)
    visitor.goto("/register/")
    row = visitor.locator("table.work-list tr").filter(has_text=road.who.name)
    expect(row).to_contain_text("已撤销")
    expect(row).not_to_contain_text("有效")
    row.get_by_role("link", name=road.who.name).click()
    expect(visitor.locator("h1")).to_contain_text("已撤销")
    shot(visitor, "road-register")
    visitor.goto("/verify/")
    acts.field(visitor, "核验码").fill(road.code)
    visitor.get_by_role("button", name="核验").click()
    expect(visitor.locator("#answer")).to_have_text("本平台出具的文书，证照已撤销")
    home = chain.Progress(road.town.visitor(), road.receipt)
    home.open()
    expect(home.page.locator("#main")).to_contain_text("已撤销")
    expect(home.page.locator("#main")).to_contain_text("不能再凭它从事许可的活动")
    shot(home.page, "road-progress-revoked")
    road.told(road.contact, "已作出撤销的决定")
    office.is_at(road.manager, road.number, "已归档", "许可已撤销。承诺与现场不符")
    # who decided is not named to the supervision side
    decider = road.town.desk(DECIDER)
    decider.goto(road.revocation)
    expect(road.manager.locator("#main")).not_to_contain_text(office.name_of(decider))
    expect(road.manager.get_by_role("button", name="反馈监管结果")).to_have_count(0)
    shot(road.manager, "road-task-closed")


# --- credit remembers


def other_premises(road: Road) -> None:
    """A second licence for other premises, whose check found nothing: the company stays in the pool of the draws."""
    receipt = office.licensed(road.town, road.who)
    deliver(road.town, receipt)
    manager = road.manager
    number = acts.task_of(manager, road.who)
    office.acknowledge(manager, number, office.OFF_SITE)
    office.inspect(manager, number, place="消防设施联网监测系统", off_site="数据比对", signer="")
    office.finish(manager, number)
    office.feed_back(manager, number, "符合", "已按检查表逐项核对。", "已归档")


def told_and_recorded(road: Road) -> None:
    """The credit officer tells the company of both facts, waits for its day, and records them."""
    officer = road.town.desk(OFFICER)
    for _ in range(2):
        officer.goto("/credit/")
        officer.locator("table.work-list tr").filter(has_text=road.who.name).get_by_role("link").first.click()
        acts.field(officer, "统一社会信用代码").fill(road.who.code)
        officer.get_by_label("一般", exact=True).check()
        shot(officer, "road-credit-tell")
        acts.confirm(officer, "告知当事人")
        acts.said(officer, "告知")
    road.told(road.contact, "认定为失信")
    for _ in range(6):
        acts.next_morning(officer)
    for _ in range(2):
        officer.goto("/credit/?tab=ready")
        officer.locator("table.work-list tr").filter(has_text=road.who.name).get_by_role("link").first.click()
        final = officer.get_by_label(re.compile("^认定文书生效日"))
        final.fill(final.get_attribute("min") or "")
        acts.field(officer, "决定理由").fill("期限内没有提出异议，决定书已经生效。")
        shot(officer, "road-credit-decide")
        acts.confirm(officer, "予以记录")
        acts.said(officer, "记录")
    road.told(road.contact, "已认定为失信并记录")


def today(page: Page) -> dt.date:
    """The day of the training clock."""
    page.goto("/training/")
    return dt.date.fromisoformat((page.locator(".clock-system time").get_attribute("datetime") or "")[:10])


def asked_again(road: Road, answer: str, rule: str) -> None:
    """The next application by promise: what the query answers; the clerk follows it, the applicant withdraws."""
    clerk = road.town.desk(office.CLERK)
    acts.open_intake(clerk, office.FIRE, road.who)
    clerk.get_by_label(acts.PROMISE, exact=True).check()
    expect(clerk.locator("#promise ol.clauses")).to_be_visible()
    clerk.get_by_role("button", name="必要材料全部已收").click()
    clerk.get_by_role("button", name=re.compile("^收件，签署承诺书")).click()
    acts.said(clerk, "已收件")
    ways = clerk.locator("ul.ways").first
    expect(ways).to_contain_text(f"告知承诺：{answer}")
    expect(ways).to_contain_text(rule)
    shot(clerk, f"road-credit-{answer}")


def drawn_harder(road: Road, raised: str) -> None:
    """What a draw of this month would find: those with a breach in use are taken with a higher class."""
    manager = road.manager
    day = today(manager)
    manager.goto("/tasks/draws/new/")
    acts.field(manager, "计划名称").fill("消防安全双随机抽查")
    manager.get_by_label(re.compile("^监管事项子项")).select_option(index=1)
    for box in manager.locator("input[name=business_items]").all():
        box.check()
    manager.locator("[name=month]").fill(f"{day:%Y-%m}")
    manager.locator("[name=planned_finish_on]").fill((day + dt.timedelta(days=60)).isoformat())
    manager.locator("[name=spare_months]").fill("0")
    acts.confirm(manager, "保存计划")
    manager.get_by_role("link", name="预览对象池").click()
    preview = manager.locator("section[aria-labelledby=preview-h]")
    expect(preview).to_contain_text("现在抽取")
    found = preview.inner_text()
    assert ("有使用中的失信记录" in found) is bool(raised), found
    assert raised in found
    shot(manager, f"road-credit-draw-{'harder' if raised else 'as-before'}")


def refused_and_drawn_harder(road: Road) -> None:
    """The rule closes the promise way, and the draw looks harder."""
    asked_again(road, "不适用", "有未修复的违背承诺记录")
    now = today(road.manager)
    if now.month > 1:  # this year's visits are used up, so a draw leaves the company out until January
        jump(road.manager, dt.date(now.year + 1, 1, 12))
    drawn_harder(road, "其中 1 个")


def repaired_and_open_again(road: Road) -> None:
    """Months later both are repaired; the promise way is open and the draw as before."""
    officer = road.town.desk(OFFICER)
    jump(officer, today(officer) + dt.timedelta(days=120))
    for _ in range(2):
        officer.goto("/credit/records/")
        officer.locator("table.work-list tr").filter(has_text=road.who.name).get_by_role("link").first.click()
        officer.locator("summary", has_text="登记修复或者更正申请").click()
        officer.get_by_label("已纠正失信行为，申请修复", exact=True).check()
        acts.field(officer, "申请人陈述").fill("货架已经全部清走，疏散通道畅通。")
        officer.get_by_role("button", name="登记申请").click()
        acts.said(officer, "登记")
        acts.field(officer, "决定理由").fill("经核实已经纠正。")
        acts.confirm(officer, "同意")
        shot(officer, "road-credit-repaired")
    asked_again(road, "适用", "适用“告知承诺”")
    drawn_harder(road, "")


def test_the_whole_road_from_a_promise_to_the_revoked_licence_and_back(town: Town) -> None:
    road = Road(town, acts.applicant(51))
    for step in (
        to_the_task, planned, inspected_without_a_connection, reported_and_ordered, not_mended, noticed,
        the_holder_speaks, heard, revoked, everybody_sees_it, other_premises, told_and_recorded,
        refused_and_drawn_harder, repaired_and_open_again,
    ):  # fmt: skip
        step(road)
    chain.books_are_right(town)
