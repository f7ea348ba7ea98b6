"""Special procedures (行政许可法 art. 45): what stops, for whom, how long, and what is refused meanwhile.

Days are counted by hand from the notice for 2026: off on 1–7 October, worked on Saturday 10 October.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.actions import decide
from approvals.actions.clocks import end_procedure, start_procedure
from approvals.enums import CaseStatus, DocumentKind
from approvals.exceptions import Refused
from approvals.models import Case, Decision, Document, Opinion, SpecialProcedure
from catalogue.models import BusinessItem
from deadlines.enums import ART_45, EventKind, PauseGround, State
from deadlines.models import ClockEvent
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from oversight.demo.cases import COMPANIES, code_of
from oversight.demo.weighing import advise
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
ENERGY = "固定资产投资项目节能审查"  # 20 working days by art. 42, promised in 5; no public notice
PLANNING = "建设工程规划许可证核发（建筑类）"  # the same, with a public notice that stops the promise
Role = Posting.Role
FORM = {"ground": "expert_review", "law": "", "estimated_days": "15", "reason": "委托专家组评审技术方案"}


def url(case: Case, act: str = "procedure") -> str:
    return reverse(f"office:{act}", args=[case.number])


def reviewer(case: Case) -> User:
    assert case.reviewer is not None
    return case.reviewer


def decider(case: Case) -> User:
    return play.holder(Role.DECIDER, case, reviewer(case))


def fresh(case: Case) -> Case:
    clocks = ("statutory_deadline", "promised_deadline", "stage_deadline", "procedure_deadline")
    return Case.objects.select_related("business_item", "reviewer", *clocks).get(pk=case.pk)


def text(response: Any) -> str:
    return str(response.content.decode())


def due(case: Case) -> dict[str, dt.date]:
    found = fresh(case)
    clocks = {"statutory": found.statutory_deadline, "promised": found.promised_deadline, "stage": found.stage_deadline}
    return {name: clock.due_on for name, clock in clocks.items() if clock is not None}


def states(case: Case) -> dict[str, str]:
    found = fresh(case)
    clocks = {"statutory": found.statutory_deadline, "promised": found.promised_deadline, "stage": found.stage_deadline}
    return {name: clock.state for name, clock in clocks.items() if clock is not None}


def started(case: Case, clock: Moment, **changes: Any) -> SpecialProcedure:
    said: dict[str, Any] = {"ground": "expert_review", "estimated_days": 15, "reason": "专家评审"}
    return start_procedure(case, **(said | changes), by=reviewer(case), now=clock.at)


# --- beginning


@pytest.mark.parametrize("ground", sorted(ART_45))
def test_each_ground_of_the_law_stops_every_decision_clock_and_tells_the_applicant(
    city: None, clock: Moment, sign_in: SignIn, ground: str
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    done = browser.post(url(case), FORM | {"ground": ground}, follow=True)
    assert "期限从明天起停止计算" in text(done)
    assert states(case) == {"statutory": "paused", "promised": "paused", "stage": "paused"}
    procedure = SpecialProcedure.objects.get(case=case)
    label = PauseGround(ground).label
    paper = procedure.document
    assert paper.kind == DocumentKind.SPECIAL
    said = "".join(paper.content["paragraphs"])
    # 15 working days after 28 September: 29, 30; 8, 9, 10 (Saturday, worked), 12–16, 19–23
    for words in (label, "15个工作日", "2026年10月23日", "委托专家组评审技术方案", "不计算在审批期限内"):
        assert words in said, words
    assert "行政许可法》第四十五条" in paper.content["basis"]
    message = Message.objects.get(kind="applicant_procedure_started")
    assert label in message.text
    assert "15个工作日" in message.text
    pauses = ClockEvent.objects.filter(deadline__stream=case.stream, kind=EventKind.PAUSE)
    assert {(event.data["ground"], event.data["document"]) for event in pauses} == {(ground, paper.pk)}
    assert list(verify.faults()) == []


def test_a_named_law_must_be_named_and_stands_on_the_paper(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    back = browser.post(url(case), FORM | {"ground": "named_law"})
    assert back.status_code == 422
    assert "须写明是哪部法律哪一条的规定" in text(back)
    assert 'href="#procedure_law"' in text(back)
    assert "委托专家组评审技术方案" in text(back)
    assert not SpecialProcedure.objects.exists()
    law = "《中华人民共和国节约能源法》第十五条"
    assert browser.post(url(case), FORM | {"ground": "named_law", "law": law}).status_code == 302
    procedure = SpecialProcedure.objects.get(case=case)
    assert law in procedure.document.content["basis"]
    assert law in text(browser.get(url(case, "case")))
    with pytest.raises(IntegrityError), transaction.atomic():
        SpecialProcedure.objects.filter(pk=procedure.pk).update(law="")


def test_public_notice_stops_nothing_where_the_item_has_none(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    assert 'value="public_notice"' not in text(browser.get(url(case, "case")))
    back = browser.post(url(case), FORM | {"ground": "public_notice"})
    assert back.status_code == 422
    assert "只有法律列明的事由" in text(back)
    with pytest.raises(Refused) as refusal:
        started(case, clock, ground="public_notice")
    assert refusal.value.code == "pause-ground"
    assert states(case) == {"statutory": "running", "promised": "running", "stage": "running"}


def test_public_notice_stops_the_promise_and_the_statutory_clock_only_under_a_named_law(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at, play.item(PLANNING))
    browser = sign_in(reviewer(case).username)
    assert "公示" in text(browser.get(url(case, "case")))
    preview = text(browser.post(url(case), FORM | {"ground": "public_notice", "preview": "1"}))
    assert "公示期间照常计算：法定审批期限" in preview
    browser.post(url(case), FORM | {"ground": "public_notice", "estimated_days": "7"})
    assert states(case) == {"statutory": "running", "promised": "paused", "stage": "paused"}
    refused = browser.post(url(case, "opinion"), {"verdict": "approve", "text": "符合。"})
    assert refused.status_code == 409, "a special procedure goes on, although the statutory clock runs"

    law = "《江苏省城乡规划条例》第×条（演示）"
    BusinessItem.objects.filter(pk=case.business_item_id).update(public_notice_law=law)
    other = play.accepted(clock.at, play.item(PLANNING))
    started(other, clock, ground="public_notice", estimated_days=7)
    assert states(other) == {"statutory": "paused", "promised": "paused", "stage": "paused"}
    assert law in SpecialProcedure.objects.get(case=other).document.content["basis"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"estimated_days": ""}, "请填写预计所需的工作日数"),
        ({"estimated_days": "两周"}, "请填写整数"),
        ({"estimated_days": "0"}, "1 到 250"),
        ({"estimated_days": "251"}, "1 到 250"),
        ({"ground": ""}, "请选择法律列明的事由"),
        ({"ground": "holiday"}, "只有法律列明的事由"),
        ({"reason": " "}, "请写明由谁、就什么进行这一程序"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    city: None, clock: Moment, sign_in: SignIn, changes: dict[str, str], said: str
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    typed = FORM | changes
    back = sign_in(reviewer(case).username).post(url(case), typed)
    assert back.status_code == 422
    page = text(back)
    assert said in page
    assert typed["reason"].strip() in page
    assert f'value="{typed["estimated_days"]}"' in page or not typed["estimated_days"]
    assert not SpecialProcedure.objects.exists()
    assert states(case)["statutory"] == "running"


def test_a_preview_computes_the_days_and_changes_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    before = Entry.objects.count()
    browser = sign_in(reviewer(case).username)
    answer = browser.post(url(case), FORM | {"preview": "1"})
    assert answer.status_code == 200
    page = text(answer)
    assert "预计于2026年10月23日（周五）结束" in page
    # the statutory period ends on 30 October; 15 working days later is 20 November
    assert "法定审批期限由2026年10月30日（周五）顺延至2026年11月20日（周五）" in page
    assert "委托专家组评审技术方案" in page
    assert "确认启动特别程序" in page
    assert browser.post(url(case), FORM | {"estimated_days": "x", "preview": "1"}).status_code == 422
    assert not SpecialProcedure.objects.exists()
    assert Entry.objects.count() == before


def test_what_follows_is_said_before_it_is_pressed(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    page = text(sign_in(reviewer(case).username).get(url(case, "case")))
    for words in (
        "从明天起停止计算：法定审批期限",
        "承诺审批期限（",
        "特别程序告知书",
        "短信通知申请人",
        "不能出具审查意见",
    ):
        assert words in page, words


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("reason", COMPANIES[0][1]),
        ("reason", " ".join(code_of(COMPANIES[0][0]).lower())),
        ("reason", "100-0099-0000"),
        ("law", COMPANIES[0][1]),
    ],
)
def test_nobody_writes_whose_case_it_is_and_a_try_stands_on_the_ledger(
    city: None, clock: Moment, sign_in: SignIn, field: str, words: str
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.contact_phone == "10000990000"
    back = sign_in(reviewer(case).username).post(
        url(case), FORM | {"ground": "named_law", "law": "某法", field: f"请{words}来"}
    )
    assert back.status_code == 422
    assert "文字里有申请人名称（字号）、证照号码、联系人或电话" in text(back)
    assert f'href="#procedure_{field}"' in text(back)
    assert not SpecialProcedure.objects.exists()
    entry = Entry.objects.get(stream=case.stream, act="case.applicant_named")
    assert (entry.actor, entry.data) == (reviewer(case), {"field": field})


# --- while it goes on


def test_while_it_goes_on_the_page_says_so_and_nobody_advises_or_decides(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    browser.post(url(case), FORM)
    page = text(browser.get(url(case, "case")))
    for words in (
        "特别程序进行中：专家评审",
        "light-grey",
        "2026年10月23日（周五）",
        "确认结束特别程序",
        "特告〔2026〕1号",
    ):
        assert words in page, words
    for gone in ("建议准予", "出具审查意见</h2>", "准予许可</", "启动特别程序（"):
        assert gone not in page, gone
    assert "特别程序进行中" in text(browser.get("/office/"))
    assert case.number not in text(browser.get("/office/?late=1"))
    early = browser.post(url(case, "opinion"), {"verdict": "approve", "text": "符合。"})
    assert early.status_code == 409
    assert "请先结束特别程序" in text(early)
    assert not Opinion.objects.exists()
    clock.to("2026-10-27 10:00")  # 24 and 25 October are a weekend: two working days beyond the estimate
    page = text(browser.get(url(case, "case")))
    assert 'light-word">超期</span><span class="light-days">2 个工作日' in page
    assert case.number not in text(browser.get("/office/?late=1")), "a clock that stands still is not late"


def test_a_decision_waits_for_the_end_of_the_procedure(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at, play.item(ENERGY))
    browser = sign_in(decider(case).username)
    assert browser.post(url(case), FORM | {"ground": "hearing", "reason": "举行听证"}).status_code == 302
    page = text(browser.get(url(case, "case")))
    assert "作出决定</h2>" not in page
    refused = browser.post(url(case, "decision"), {"verdict": "approve"})
    assert refused.status_code == 409
    assert not Decision.objects.exists()
    browser.post(url(case, "procedure_end"), {"result": "听证笔录已存卷"})
    assert browser.post(url(case, "decision"), {"verdict": "approve"}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.APPROVED


def test_one_procedure_at_a_time_and_the_second_has_its_own_paper(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    browser.post(url(case), FORM)
    again = sign_in(decider(case).username).post(url(case), FORM)
    assert again.status_code == 409
    assert "请先结束它" in text(again)
    browser.post(url(case, "procedure_end"), {"result": "通过"})
    clock.to("2026-09-29 10:00")
    browser.post(url(case), FORM | {"ground": "testing", "reason": "送检"})
    papers = Document.objects.filter(case=case, kind=DocumentKind.SPECIAL)
    assert len({paper.number for paper in papers}) == 2
    page = text(browser.get(url(case, "case")))
    assert "特别程序：专家评审" in page
    assert "特别程序：检测" in page
    with pytest.raises(IntegrityError), transaction.atomic():
        SpecialProcedure.objects.filter(case=case).update(ended_at=None, ended_by=None)


# --- the end


def test_a_pause_over_the_holiday_conserves_the_days(city: None, clock: Moment, sign_in: SignIn) -> None:
    """By hand. Paused on Tuesday 29 September (counted), resumed on Tuesday 13 October (not counted).

    Working days between: 30 September, 8, 9, 10 (Saturday, worked), 12, 13 October: six.
    """
    case = play.accepted(clock.at, play.item(ENERGY))
    assert due(case) == {
        "statutory": dt.date(2026, 10, 30),  # 29, 30; 8, 9, 10, 12–16, 19–23, 26–30
        "promised": dt.date(2026, 10, 10),  # 29, 30; 8, 9, 10
        "stage": dt.date(2026, 10, 8),  # 29, 30; 8
    }
    browser = sign_in(reviewer(case).username)
    clock.to("2026-09-29 17:59")
    browser.post(url(case), FORM)
    clock.to("2026-10-13 09:00")
    page = text(browser.get(url(case, "case")))
    assert "法定审批期限自明天起恢复计算，到期日为2026年11月9日（周一）" in page
    done = browser.post(url(case, "procedure_end"), {"result": "评审通过，意见已存卷"}, follow=True)
    assert "新的日期已告知申请人" in text(done)
    assert due(case) == {
        "statutory": dt.date(2026, 11, 9),  # one day used, nineteen from 14 October: 14–16, 19–23, 26–30, 2–6, 9
        "promised": dt.date(2026, 10, 19),  # one day used, four left: 14, 15, 16, 19
        "stage": dt.date(2026, 10, 15),  # one day used, two left: 14, 15
    }
    assert set(states(case).values()) == {"running"}
    found = fresh(case)
    assert found.statutory_deadline is not None
    lines = found.statutory_deadline.explain()
    assert [line.number for line in lines if line.counted] == list(range(1, 21))
    assert sum(1 for line in lines if "专家评审" in line.reason) >= 6
    assert found.procedure_deadline is not None
    assert found.procedure_deadline.state == State.MET
    assert "2026年10月19日前作出决定" in Message.objects.get(kind="applicant_procedure_ended").text
    assert "评审通过，意见已存卷" in text(browser.get(url(case, "case")))
    advise(case, clock.at)
    assert decide(case, approve=True, by=decider(case), now=clock.at).status == CaseStatus.APPROVED


def test_an_end_needs_a_result_and_something_that_goes_on(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    none = browser.post(url(case, "procedure_end"), {"result": "完"})
    assert none.status_code == 409
    assert "没有正在进行的特别程序" in text(none)
    started(case, clock)
    back = browser.post(url(case, "procedure_end"), {"result": " "})
    assert back.status_code == 422
    assert "请写明这一程序的结果" in text(back)
    named = browser.post(url(case, "procedure_end"), {"result": f"{COMPANIES[0][1]}已通过"})
    assert named.status_code == 422
    assert "请改写" in text(named)
    assert SpecialProcedure.objects.get(case=case).ended_at is None
    with pytest.raises(Refused) as refusal:
        end_procedure(case, result="", by=reviewer(case), now=clock.at)
    assert refusal.value.code == "result-missing"


def test_a_procedure_begins_only_while_the_case_is_in_review(city: None, clock: Moment, sign_in: SignIn) -> None:
    approved = play.approved(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(approved).username)
    assert "启动特别程序（" not in text(browser.get(url(approved, "case")))
    assert browser.post(url(approved), FORM).status_code == 409
    with pytest.raises(Refused) as refusal:
        start_procedure(
            play.received(clock.at, play.item(ENERGY)), ground="hearing", estimated_days=3, reason="听证",
            by=reviewer(approved), now=clock.at,
        )  # fmt: skip
    assert refusal.value.conflict


# --- who


def test_a_reviewer_while_it_is_drawn_to_him_or_a_decider_of_the_office_and_nobody_else(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    other = play.holder(Role.REVIEWER, case, reviewer(case))
    strangers = [other.username, "jiaotong.shenchaa", "jiaotong.juedinga", "chuangkou1", "duban1", "donghai.chuangkou1"]
    for act in ("procedure", "procedure_end", "extend"):
        for name in strangers:
            browser = sign_in(name)
            assert browser.get(url(case, act)).status_code == 404, (act, name)
            assert browser.post(url(case, act), FORM | {"result": "完", "days": "5"}).status_code == 404, (act, name)
        assert Client().post(url(case, act)).status_code == 302
        assert sign_in(reviewer(case).username).get(url(case, act)).headers["Location"] == url(case, "case")
    assert not SpecialProcedure.objects.exists()
    assert sign_in(decider(case).username).post(url(case), FORM).status_code == 302


def test_the_history_names_nobody_and_the_trace_says_what_was_done(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    started(case, clock)
    end_procedure(case, result="通过", by=decider(case), now=clock.at)
    page = text(sign_in(decider(case).username).get(url(case, "case")))
    history = page[page.index("特别程序与延期") :]
    assert "启动" in history
    assert reviewer(case).full_name not in history
    trace = text(sign_in("duban1").get(reverse("oversight:case", args=[case.number])))
    assert "特别程序开始，期限暂停" in trace
    assert "专家评审，预计 15 个工作日" in trace
    window = text(sign_in("chuangkou1").get(reverse("window:case", args=[case.number])))
    assert "特别程序开始，期限暂停" in window
    assert "出具特别程序告知书" in window
    assert reviewer(case).full_name not in window
