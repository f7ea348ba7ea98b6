"""What a supervising office does in front of the pages, step by step: from the licence to the order and what follows.

Everything goes through the browser; days are read off the pages' own limits (``min`` is today or tomorrow).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.e2e import acts
from tests.e2e.acts import Applicant, Receipt, Town

CLERK = "chuangkou1"
FIRE, FIRE_STEM = "SP-2501", "xiaofangjiuyuanzhidui"
FIRE_SEAT = "市消防救援支队防火监督科"
ON_SITE, OFF_SITE = "现场检查", "非现场检查"
GOOD, NEARLY, BAD = "conforming", "basically", "nonconforming"
CARDS = "苏0700001、苏0700002"


@dataclass(frozen=True)
class Team:
    """The accounts of a department's supervising office, of its head, and of those who decided."""

    manager: str
    inspectors: tuple[str, str]
    head: str
    deciders: tuple[str, str]

    @classmethod
    def of(cls, stem: str, number: str = "") -> Team:
        """The team of a department by the stem of its accounts; ``number`` of its second, third … office."""
        return cls(
            f"{stem}.chushi{number}",
            (f"{stem}.zhifa{number}a", f"{stem}.zhifa{number}b"),
            f"{stem}.fuzeren",
            (f"{stem}.juedinga", f"{stem}.juedingb"),
        )


FIRE_TEAM = Team.of(FIRE_STEM)


def name_of(page: Page) -> str:
    """The full name of the person who sits at this page."""
    return page.locator(".staff-person a").first.inner_text().strip()


def fill_earliest(page: Page, label: str, later: int = 0) -> dt.date:
    """Fill a day with the first one that its field allows, or some days ``later``; return it."""
    field = page.get_by_label(re.compile(f"^{re.escape(label)}")).first
    day = dt.date.fromisoformat(field.get_attribute("min") or "") + dt.timedelta(days=later)
    field.fill(day.isoformat())
    return day


# --- from the window to the task


def licensed(town: Town, who: Applicant, team: Team = FIRE_TEAM, code: str = FIRE) -> Receipt:
    """Take in on promise and grant on the spot; the task is at the office of ``team`` afterwards."""
    receipt = acts.take_in(town.desk(CLERK), code, who, way=acts.PROMISE)
    decider = next(name for name in team.deciders if receipt.number in acts.office_number(town.desk(name), "decide"))
    acts.decide(town.desk(decider), receipt, on_the_spot=True)
    return receipt


# --- the manager plans


def acknowledge(
    page: Page, number: str, measure: str = ON_SITE, officers: tuple[str, str] | None = None, planned_in: int = 3
) -> dt.date:
    """签收: measure, the planned day so many days from today, and by full name who does it; return the day."""
    page.goto(f"/tasks/{number}/")
    choice = page.locator("label.measure").filter(has=page.get_by_text(measure, exact=True))
    if not choice.is_visible():
        page.locator("summary", has_text="其他措施与说明").click()
    choice.click()
    day = fill_earliest(page, "计划完成日", planned_in)
    if officers:
        page.locator("summary", has_text="办理人员").click()
        for label, name in zip(("主办人员", "协办人员"), officers, strict=True):
            page.get_by_label(label).select_option(label=name)
    page.get_by_role("button", name="签收").click()
    acts.said(page, "已签收")
    return day


def ask_visit(page: Page, number: str, purpose: str = "核查承诺的消防设施和疏散通道。", later: int = 0) -> dt.date:
    """申请入企检查 for today or ``later``; return the day."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="申请入企检查").click()
    day = fill_earliest(page, "计划入企的日期", later)
    acts.field(page, "目的和内容").fill(purpose)
    page.get_by_role("button", name="提交申请").click()
    acts.said(page, "部门负责人批准后短信告知您")
    return day


def answer_visit(head: Page, who: Applicant, verb: str = "批准", reason: str = "") -> None:
    """The head of the department approves or refuses (不批准) the visit to ``who``."""
    head.goto("/tasks/visits/")
    head.locator("tr").filter(has_text=who.name).get_by_role("link").first.click()
    if reason:
        acts.field(head, "说明").fill(reason)
    acts.confirm(head, verb)
    acts.said(head, "已批准入企检查" if verb == "批准" else "已答复不批准")


def approved_visit(town: Town, number: str, who: Applicant, team: Team = FIRE_TEAM) -> None:
    """Asked for by the manager for today, approved by the head."""
    ask_visit(town.desk(team.manager), number)
    answer_visit(town.desk(team.head), who)


# --- in the field


def finding(page: Page, name: str) -> Locator:
    """The row of the inspection's form that is called ``name`` (point-p1, clause-1, activity-activity)."""
    return page.locator(f"[data-finding='{name}']")


def fill_inspection(
    page: Page, officers: tuple[str, str] | None = None, bad: dict[str, str] | None = None, summary: str = "现场核对。",
    *, place: str = "海州区花果山大道1号地下室", off_site: str = "", signer: str = "王负责",
) -> None:  # fmt: skip
    """Fill the open form: everything 符合 but what is in ``bad`` (name → words, 不符合); ``off_site`` by its label."""
    if off_site:
        page.get_by_label(re.compile("^检查方式")).select_option(label=off_site)
    page.locator("[name=place]").fill(place)
    page.get_by_role("button", name="现在开始").click()
    page.get_by_role("button", name="现在结束").click()
    if officers:
        page.locator("[name=first_officer]").select_option(label=officers[0])
        page.locator("[name=second_officer]").select_option(label=officers[1])
    if not off_site:
        page.locator("[name=showed_identity]").check()
        page.locator("[name=identity_numbers]").fill(CARDS)
    for row in page.locator("[data-finding]").all():
        name = row.get_attribute("data-finding") or ""
        words = (bad or {}).get(name, "")
        row.locator(f"[value={BAD if words else GOOD}]").check()
        if words:
            row.locator(f"[name='{name}-words']").fill(words)
    page.locator("[name=summary]").fill(summary)
    # The worst finding is the conclusion; the page ticks it.
    expect(page.locator(f"input[name=result][value={BAD if bad else GOOD}]")).to_be_checked()
    if signer:
        page.locator("[name=signer]").fill(signer)
        page.locator("[name=confirmed]").check()


def send_inspection(page: Page) -> None:
    """Send what was filled in, with a connection."""
    page.get_by_role("button", name="发送检查记录").click()
    acts.said(page, "检查记录已发送")


def inspect(
    page: Page, number: str, officers: tuple[str, str] | None = None, bad: dict[str, str] | None = None, **more: str
) -> None:
    """Record an inspection online, from the task's page; ``more`` as ``fill_inspection`` takes it."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="记录检查").click()
    fill_inspection(page, officers, bad, **more)
    send_inspection(page)


def inspect_again(
    page: Page, number: str, officers: tuple[str, str] | None = None, bad: dict[str, str] | None = None, **more: str
) -> None:
    """Record the re-inspection of the running order."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="记录复查").click()
    fill_inspection(page, officers, bad, **more)
    send_inspection(page)


# --- the manager reports


def finish(page: Page, number: str) -> None:
    """完成监管, today."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("button", name="完成监管").click()
    acts.said(page, "已记录完成监管")


def feed_back(page: Page, number: str, result: str, text: str, status: str) -> None:
    """反馈 with the clauses as they were found; the task is ``status`` (label) afterwards."""
    page.goto(f"/tasks/{number}/")
    whole = page.get_by_role("group", name=re.compile("^监管结果"))
    whole.get_by_label(result, exact=True).check()
    for clause in page.get_by_role("group", name=re.compile("^承诺第")).all():
        expect(clause.locator("input:checked")).to_have_count(1)
    acts.field(page, "情况说明").fill(text)
    page.get_by_label("开展监管工作的平台").select_option(label="省市场监管信息平台")
    acts.field(page, "该平台的文书编号").fill("检〔2026〕25号")
    page.get_by_role("button", name="反馈监管结果").click()
    acts.said(page, f"监管结果已反馈，任务{status}")


def order(page: Page, number: str, later: int = 0) -> str:
    """责令限期整改, prefilled, until tomorrow or ``later``; return the address of the order."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="责令限期整改").click()
    fill_earliest(page, "整改期限", later)
    acts.confirm(page, "出具整改通知书")
    acts.said(page, "责令限期整改通知书已出具")
    return page.url


def settle_order(page: Page, address: str, outcome: str, reason: str = "") -> None:
    """认定整改结果: 复查合格, 逾期未改或者复查不合格, 拒不整改."""
    page.goto(address)
    page.get_by_label(outcome, exact=True).check()
    acts.field(page, "认定理由").fill(reason)
    acts.confirm(page, "认定整改结果")
    acts.said(page, "整改结果已认定")


def propose(page: Page, number: str) -> None:
    """建议撤销许可 with everything that there is as evidence."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="建议撤销许可").click()
    acts.confirm(page, "建议撤销许可")
    acts.said(page, "撤销建议已送审批部门")


def hand_over(page: Page, number: str, to: str) -> None:
    """移送执法 to ``to``; facts and basis are there already."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="移送执法").click()
    acts.field(page, "接收单位").fill(to)
    acts.confirm(page, "移送执法")
    acts.said(page, "已移送执法")


def receipt_and_result(page: Page, number: str, result: str = "罚款 2 万元，责令改正。") -> None:
    """登记回执, then 登记处理结果, both of today; the task is closed."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="登记回执和结果").click()
    sent = re.search(r"(\d+)年(\d+)月(\d+)日", page.locator("dl.facts", has_text="移送时间").inner_text())
    assert sent
    today = "-".join(part.zfill(2) for part in sent.groups())
    acts.field(page, "回执编号").fill("执收〔2026〕3号")
    page.get_by_label(re.compile("^回执日期")).fill(today)
    page.get_by_role("button", name="登记回执").click()
    acts.said(page, "回执已登记")
    page.get_by_role("link", name="登记回执和结果").click()
    acts.field(page, "处理结果").fill(result)
    acts.field(page, "处罚或处理文书号").fill("连建罚字〔2026〕8号")
    page.get_by_label(re.compile("^处理日期")).fill(today)
    page.get_by_role("button", name="登记处理结果").click()
    acts.said(page, "处理结果已登记，任务已归档")


def dispute(page: Page, number: str, office: int) -> None:
    """提出异议 with the office (its id) that the task belongs to."""
    page.goto(f"/tasks/{number}/")
    page.get_by_role("link", name="提出异议").click()
    acts.field(page, "理由").fill("三定方案中这一事项不属本处室。")
    page.get_by_label("建议的处室").select_option(value=str(office))
    acts.confirm(page, "提出异议")
    acts.said(page, "异议已提交")


def reassign(page: Page, number: str, office: str) -> None:
    """The overseers follow the proposal: the task goes to ``office``."""
    page.goto("/oversight/disputes/")
    page.locator("tr").filter(has_text=number).get_by_role("link").first.click()
    page.get_by_role("group", name=re.compile("^处理")).get_by_label("改派", exact=True).check()
    expect(page.get_by_label("改派到").locator("option:checked")).not_to_have_attribute("value", "")
    acts.field(page, "处理理由").fill("按权责清单改派。")
    acts.confirm(page, "处理异议")
    acts.said(page, f"任务 {number} 已改派到{office}")


def is_at(page: Page, number: str, *texts: str) -> None:
    """The task's page says ``texts``."""
    page.goto(f"/tasks/{number}/")
    for text in texts:
        expect(page.locator("#main")).to_contain_text(text)
