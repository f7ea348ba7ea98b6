"""The applicant's own door in the browser, on a phone and without JavaScript: code, answer once, withdraw, credit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from scripts.stack import Stack
from tests.e2e import acts
from tests.e2e.acts import Town
from tests.e2e.conftest import NewPage, eventually, shot
from tests.e2e.test_pages import Look

MAKE = """
import json
from approvals.actions import request_correction
from approvals.actions.intake import required_points
from approvals.models import Case
from deadlines import clock
from offices.crypto import keyed_hash
from tests.approvals import play
made = {}
for name in ("plain", "script"):
    case = play.received(clock.now(), complete=False)
    keys = sorted(required_points(case))
    request_correction(case, keys=keys, remarks={}, by=play.person("chuangkou1"), now=clock.now())
    phone = f"1008800010{len(made)}"
    Case.objects.filter(pk=case.pk).update(contact_phone=phone)
    made[name] = [case.number, case.query_code, keyed_hash(phone)]
print(json.dumps(made))
"""


CREDIT = """
import json
from datetime import timedelta
from approvals.models import Case
from credit.models import CreditRecord, note_kept_promise
from deadlines import clock
from offices.crypto import keyed_hash
from tests.approvals import play
from tests.credit import facts
now = clock.now()
made = {}
for place, name in enumerate(("plain", "script")):
    case = play.promising(now, company=2 + place)
    phone = f"1008800020{place}"
    Case.objects.filter(pk=case.pk).update(contact_phone=phone)
    subject, serial = case.applicant, 700 + 10 * place
    told = facts.told(now, source=f"连建撤〔2026〕{serial}号", subject=subject)
    late = {"kind": "late_material", "listed": "A04", "level": "minor"}
    late_told = facts.told(now - timedelta(days=30), source=f"连建撤〔2026〕{serial + 1}号", subject=subject, **late)
    facts.record(late_told, now)
    grave = facts.told(now - timedelta(days=30), source=f"连建撤〔2026〕{serial + 2}号", subject=subject)
    facts.record(grave, now)
    note_kept_promise(subject, source=f"监管任务{serial}", basis="演示", at=now)
    CreditRecord.objects.create(subject=subject, kind="sanction", origin="platform", source=f"外罚{serial}号",
                                basis="信用中国（演示）", found_at=now)
    sources = [f"连建撤〔2026〕{serial + 1}号", f"连建撤〔2026〕{serial + 2}号"]
    made[name] = [case.number, case.query_code, keyed_hash(phone), told.number, *sources]
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def subjects(stack: Stack) -> dict[str, tuple[str, ...]]:
    """Two cases whose applicants are told of a breach and have records: number, query code, phone's hash, papers."""
    told = stack.manage("shell", "-v0", "-c", CREDIT).stdout
    return {name: tuple(pair) for name, pair in json.loads(told.strip().splitlines()[-1]).items()}


@pytest.fixture(scope="module")
def cases(stack: Stack) -> dict[str, tuple[str, ...]]:
    """Two cases that wait for their applicant's answer: number, query code, and the phone's hash."""
    told = stack.manage("shell", "-v0", "-c", MAKE).stdout
    return {name: tuple(pair) for name, pair in json.loads(told.strip().splitlines()[-1]).items()}


def look_up(page: Page, pair: tuple[str, ...]) -> None:
    page.goto("/progress/")
    acts.field(page, "办件编号").fill(pair[0])
    acts.field(page, "查询码").fill(pair[1])
    page.get_by_role("button", name="查询进度").click()
    expect(page.locator(".progress-line")).to_be_visible()


def newest_code(phone: Page, phone_hash: str) -> str:
    """The six digits on the demo phone."""
    found: list[str] = []

    def arrived() -> bool:
        phone.goto(f"/demo/phone/{phone_hash}/")
        found.extend(re.findall(r"验证码(\d{6})", phone.locator("body").inner_text()))
        return bool(found)

    eventually(arrived, "a code on the phone", 60)
    return found[0]


@pytest.mark.parametrize("name", ["plain", "script"])
def test_the_applicant_answers_and_withdraws_at_home(
    stack: Stack, new_page: NewPage, cases: dict[str, tuple[str, ...]], tmp_path: Path, name: str
) -> None:
    pair, scripted = cases[name], name == "script"
    page = new_page(stack, width=1440 if scripted else 390, java_script=scripted)
    look = Look(page)

    def seen(place: str) -> None:
        if scripted:
            look.audit(f"door-{place}")
        else:
            shot(page, f"door-plain-{place}", (390,))

    look_up(page, pair)
    seen("link")
    page.get_by_role("button", name="补正、补交、撤回").click()
    page.get_by_role("button", name="获取短信验证码").click()
    acts.said(page, "验证码已发送")
    digits = newest_code(new_page(stack), pair[2])
    wrong = f"{(int(digits) + 1) % 1000000:06d}"
    acts.field(page, "短信验证码").fill(wrong)
    page.get_by_role("button", name="验证并办理").click()
    expect(page.get_by_text("还可以再试 4 次").first).to_be_visible()
    seen("code")
    acts.field(page, "短信验证码").fill(digits)
    page.get_by_role("button", name="验证并办理").click()
    expect(page.get_by_role("heading", name="补正材料")).to_be_visible()
    seen("answer")
    good, bad = tmp_path / "说明.pdf", tmp_path / "程序.pdf"
    good.write_bytes(acts.PDF)
    bad.write_bytes(b"MZ" + b"\0" * 400)
    files = page.locator("#door-files input[type=file]")
    files.nth(0).set_input_files(good)
    files.nth(1).set_input_files(bad)
    page.locator(".door-verbs").get_by_role("button", name="先保存文件").click()
    expect(page.get_by_text("内容不是 PDF").first).to_be_visible()
    expect(page.get_by_text("说明.pdf").first).to_be_visible()
    seen("bad-file")
    acts.confirm(page, "提交补正")
    acts.said(page, "补正已提交")
    seen("answered")
    acts.confirm(page, "撤回申请")
    acts.said(page, "申请已撤回")
    expect(page.get_by_text("这件申请已经撤回").first).to_be_visible()
    seen("withdrawn")
    page.get_by_role("link", name="撤回申请确认书").click()
    expect(page.get_by_text("撤回不影响").first).to_be_visible()
    look_up(page, pair)
    seen("progress-withdrawn")
    assert not look.wrong, "\n".join(look.wrong)


@pytest.mark.parametrize("name", ["plain", "script"])
def test_a_subject_reads_its_own_credit_objects_and_asks_for_repair(
    stack: Stack, new_page: NewPage, subjects: dict[str, tuple[str, ...]], name: str
) -> None:
    pair, scripted = subjects[name], name == "script"
    page = new_page(stack, width=1440 if scripted else 390, java_script=scripted)
    look = Look(page)

    def seen(place: str) -> None:
        if scripted:
            look.audit(f"own-credit-{place}")
        else:
            shot(page, f"own-credit-plain-{place}", (390,))

    look_up(page, pair)
    seen("link")
    page.get_by_role("button", name="验证手机，查看信用").click()
    expect(page.get_by_role("button", name="获取短信验证码")).to_be_visible()
    seen("code")
    page.get_by_role("button", name="获取短信验证码").click()
    acts.said(page, "验证码已发送")
    acts.field(page, "短信验证码").fill(newest_code(new_page(stack), pair[2]))
    page.get_by_role("button", name="验证并办理").click()
    expect(page.get_by_role("heading", name="公共信用评价")).to_be_visible()
    seen("overview")
    page.get_by_role("link", name=pair[3], exact=True).click()
    acts.confirm(page, "提交异议")
    expect(page.get_by_text("请写明异议的内容和理由").first).to_be_visible()
    seen("objection-missing")
    acts.field(page, "异议的内容和理由").fill("材料由中介伪造，我公司不知情（演示）。")
    acts.confirm(page, "提交异议")
    acts.said(page, "异议已提交")
    seen("objected")
    page.get_by_role("link", name="查看告知书").click()
    expect(page.get_by_text("进度查询").first).to_be_visible()
    shot(page, f"own-credit-{name}-paper", (1440 if scripted else 390,))
    page.go_back()
    page.get_by_role("link", name="返回我的信用").click()
    page.get_by_role("link", name=pair[5]).first.click()
    page.get_by_label("已纠正失信行为，申请修复").check()
    acts.field(page, "理由和纠正的情况").fill("已经整改（演示）。")
    acts.confirm(page, "提交申请")
    expect(page.get_by_text("起可以申请修复").first).to_be_visible()
    seen("too-early")
    page.get_by_role("link", name="返回我的信用").click()
    page.get_by_role("link", name=pair[4]).first.click()
    page.get_by_label("已纠正失信行为，申请修复").check()
    acts.field(page, "理由和纠正的情况").fill("材料已补齐（演示）。")
    acts.confirm(page, "提交申请")
    acts.said(page, "申请已提交")
    seen("asked")
    page.get_by_role("link", name="返回我的信用").click()
    expect(page.get_by_role("heading", name="公共信用评价")).to_be_visible()
    seen("after")
    assert not look.wrong, "\n".join(look.wrong)


def test_the_window_mends_and_the_overseers_count(stack: Stack, new_page: NewPage) -> None:
    town = Town(stack, new_page)
    clerk = Look(town.desk("chuangkou1"))
    clerk.page.goto("/window/?state=received")
    number = clerk.page.locator("text=/\\d{20}[0-9A-Z]/").first.inner_text().strip()
    for place in ("mend", "withdraw"):
        clerk.page.goto(f"/window/cases/{number}/{place}/")
        clerk.audit(f"window-{place}")
    overseer = Look(town.desk("duban1"))
    for place, address in (("returns", "/oversight/returns/"), ("returned", "/oversight/returns/corrections/")):
        overseer.page.goto(address)
        overseer.audit(f"oversight-{place}")
    wrong = clerk.wrong + overseer.wrong
    assert not wrong, "\n".join(wrong)
