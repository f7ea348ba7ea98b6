"""The short roads of a task in a real browser: no fault, mended at re-inspection, not ours, off-site, to penalty.

The approvals before them are made inside the portal (``test_chain.py`` plays those); from the task on everything goes
through the pages. The long road is in ``test_supervision_road.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from scripts.stack import Stack
from tests.e2e import acts, supervising
from tests.e2e.acts import Applicant, Town
from tests.e2e.conftest import NewPage, shot
from tests.e2e.supervising import OFF_SITE, Team

FIRST_POINT = {"point-p1": "台账与现场不一致。"}
MAKE = """
import json
from deadlines import clock
from offices.models import User
from supervision.actions.disputing import other_offices
from tests.approvals import play
from tests.supervision import tasks as some
now = clock.jump_to(clock.next_working_morning(clock.now()), None)
promise = some.promised(now)
asked = {"on_site": promise}
for roads in (("off_site", "mended"), ("penalty", "not_ours")):
    asked |= zip(roads, play.completed(now).tasks.order_by("pk"))
others = other_offices(asked["not_ours"], clock.local_date(now)).exclude(pk=promise.office_id)
right = others.order_by("pk").select_related("department")[0]
def manager(office):
    return office.managers(clock.local_date(now))[0].username
def inspectors(office):
    return [User.objects.get(username=manager(office).replace(".chushi", ".zhifa") + one).full_name for one in "ab"]
told = {
    road: {
        "number": task.number, "subject": task.public_subject, "manager": manager(task.office),
        "office": str(task.office), "officers": inspectors(task.office),
    }
    for road, task in asked.items()
}
print(json.dumps({"tasks": told, "right": [right.pk, str(right), manager(right)]}))
"""


@dataclass(frozen=True)
class Task:
    """A task that waits at its office: its number, whom it is about, and who is there."""

    number: str
    subject: str
    manager: str
    office: str
    officers: list[str]

    @property
    def team(self) -> Team:
        """The accounts of the office."""
        stem, _, number = self.manager.partition(".chushi")
        return Team.of(stem, number)

    @property
    def names(self) -> tuple[str, str]:
        """Both inspectors by full name."""
        first, second = self.officers
        return first, second


@dataclass(frozen=True)
class Right:
    """The office that a task belongs to that went astray."""

    pk: int
    name: str
    manager: str


@dataclass(frozen=True)
class Given:
    """One task for each road."""

    tasks: dict[str, Task]
    right: Right


@pytest.fixture(scope="module")
def given(stack: Stack) -> Given:
    """The tasks, on a working morning."""
    told = json.loads(stack.manage("shell", "-v0", "-c", MAKE).stdout.strip().splitlines()[-1])
    return Given({road: Task(**task) for road, task in told["tasks"].items()}, Right(*told["right"]))


@pytest.fixture
def town(stack: Stack, new_page: NewPage) -> Town:
    """The people of the embedded default."""
    return Town(stack, new_page)


def report(page: Page, task: Task, result: str, status: str) -> None:
    """Finish and feed back; the task is ``status`` afterwards."""
    supervising.finish(page, task.number)
    supervising.feed_back(page, task.number, result, "已按检查表逐项核对。", status)


def test_no_fault_on_site(town: Town, given: Given) -> None:
    task = given.tasks["on_site"]
    manager = town.desk(task.manager)
    supervising.acknowledge(manager, task.number, officers=task.names)
    # Nobody goes to a company without the head's word: the phone says so.
    field = town.desk(task.team.inspectors[0], 390, touch=True)
    field.goto(f"/tasks/{task.number}/inspect/")
    expect(field.locator("#main")).to_contain_text("入企检查须事先经部门负责人批准")
    supervising.approved_visit(town, task.number, Applicant(task.subject, "", ""), task.team)
    supervising.inspect(field, task.number, task.names)
    # The inspector looks; the office reports.
    field.goto(f"/tasks/{task.number}/")
    expect(field.get_by_role("button", name="完成监管")).to_have_count(0)
    report(manager, task, "符合", "已归档")
    shot(manager, "short-no-fault")
    supervising.is_at(manager, task.number, "已归档", "归档情形", "现场检查记录")


def test_off_site_and_handed_over_to_penalty(town: Town, given: Given) -> None:
    fine, wrong = given.tasks["off_site"], given.tasks["penalty"]
    manager = town.desk(fine.manager)
    supervising.acknowledge(manager, fine.number, OFF_SITE)
    # Off-site nobody's door is knocked at: no visit is asked for, no officers' cards are shown.
    expect(manager.get_by_role("link", name="申请入企检查")).to_have_count(0)
    supervising.inspect(manager, fine.number, place="企业信用信息公示系统", off_site="数据比对", signer="")
    report(manager, fine, "符合", "已归档")
    supervising.is_at(manager, fine.number, "已归档", "数据比对")

    supervising.acknowledge(manager, wrong.number, OFF_SITE)
    supervising.inspect(
        manager, wrong.number, bad=FIRST_POINT, place="销售合同备案系统", off_site="调阅资料", signer=""
    )
    report(manager, wrong, "不符合", "已反馈")
    supervising.hand_over(manager, wrong.number, "市住房城乡建设综合执法支队")
    expect(manager.locator("#main")).to_contain_text("已移送执法")
    supervising.receipt_and_result(manager, wrong.number)
    shot(manager, "short-handed-over")
    supervising.is_at(manager, wrong.number, "已归档", "移送执法已有结果", "罚款 2 万元")


def test_mended_at_re_inspection(town: Town, given: Given) -> None:
    task = given.tasks["mended"]
    manager = town.desk(task.manager)
    supervising.acknowledge(manager, task.number, OFF_SITE)
    seen = {"place": "预售资金监管账户流水", "off_site": "调阅资料", "signer": ""}
    supervising.inspect(manager, task.number, None, FIRST_POINT, **seen)
    address = supervising.order(manager, task.number, 9)
    report(manager, task, "不符合", "整改中")
    # Nothing is mended by a word: without a re-inspection that says so the order stands.
    manager.goto(address)
    manager.get_by_label("复查合格", exact=True).check()
    acts.confirm(manager, "认定整改结果")
    expect(manager.locator("#main")).to_contain_text("复查")
    expect(manager.locator("#messages")).not_to_contain_text("整改结果已认定")
    supervising.inspect_again(manager, task.number, None, None, **seen)
    supervising.settle_order(manager, address, "复查合格", "台账已补正。")
    shot(manager, "short-mended")
    supervising.is_at(manager, task.number, "已归档", "复查合格")


def test_not_ours(town: Town, given: Given) -> None:
    task, right = given.tasks["not_ours"], given.right
    wrong = town.desk(task.manager, 390, touch=True)
    supervising.dispute(wrong, task.number, right.pk)
    overseer = town.desk("duban1")
    supervising.reassign(overseer, task.number, right.name)
    # It is no longer theirs, and the right office hears of it as of a new task.
    answer = wrong.goto(f"/tasks/{task.number}/")
    assert answer is not None
    assert answer.status == 404
    sms = acts.phone_of(town.visitor(), f"{right.name} 处室管理员").filter(has_text=f"新监管任务{task.number}")
    expect(sms).to_have_count(1)
    expect(sms).to_contain_text("3个工作日内")
    office = town.desk(right.manager, 390, touch=True)
    office.goto(f"/tasks/{task.number}/")
    expect(office.locator("#main")).to_contain_text("签收期限")
    supervising.acknowledge(office, task.number)
    supervising.is_at(office, task.number, "已签收", task.office)
    shot(office, "short-not-ours", (390,))
