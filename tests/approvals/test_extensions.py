"""The extension (行政许可法 art. 42): once, in time, within the law, by a head who did not ask, with reasons."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.actions import decide
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.enums import DocumentKind
from approvals.exceptions import Refused
from approvals.models import Case, Document, Extension
from catalogue.models import BusinessItem
from deadlines.enums import EventKind
from deadlines.models import ClockEvent
from ledger import verify
from notifications.models import Message
from offices.models import Posting, User
from oversight.demo.cases import COMPANIES
from oversight.demo.weighing import advise
from tests.approvals import play
from tests.approvals.test_clock_acts import ENERGY, decider, due, fresh, reviewer, text
from tests.conftest import Moment

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
Role = Posting.Role
PRESALE = "商品房预售许可"  # 10 days from receipt by its own law: no extension
LIST = "/office/extensions/"
ASK = {"days": "10", "reason": "技术方案复杂，需补充论证"}


def head(case: Case) -> User:
    return Posting.objects.get(department=case.department, role=Role.DEPARTMENT_HEAD).user


def asked(clock: Moment, item: str = ENERGY, days: int = 10) -> Extension:
    """A request that waits, for an item whose statutory period is 20 working days."""
    case = play.accepted(clock.at, play.item(item))
    return request_extension(case, days=days, reason="技术方案复杂", by=reviewer(case), now=clock.at)


def ask_url(case: Case) -> str:
    return reverse("office:extend", args=[case.number])


def page_of(extension: Extension) -> str:
    return reverse("office:extension", args=[extension.pk])


def granted(extension: Extension, now: dt.datetime) -> Extension:
    return answer_extension(extension, grant=True, by=head(extension.case), now=now)


# --- asked and granted


def test_from_the_reviewer_to_the_head_to_the_applicant(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in(reviewer(case).username)
    page = text(browser.get(reverse("office:case", args=[case.number])))
    # by hand: 30 October is the 20th working day; ten more are 2–6 and 9–13 November
    assert "最多10个工作日（行政许可法第四十二条第一款），即最迟至2026年11月13日（周五）" in page
    assert "负责人批准，短信提醒；不能由申请的人自己批准" in page
    preview = browser.post(ask_url(case), ASK | {"days": "5", "preview": "1"})
    assert preview.status_code == 200
    assert "由2026年10月30日（周五）延长至2026年11月6日（周五）" in text(preview)
    assert not Extension.objects.exists()
    assert "已提交部门负责人" in text(browser.post(ask_url(case), ASK, follow=True))
    assert "等待批复" in text(browser.get(reverse("office:case", args=[case.number])))
    assert due(case)["statutory"] == dt.date(2026, 10, 30), "nothing moves before it is granted"
    extension = Extension.objects.get(case=case)
    boss = head(case)
    assert Message.objects.get(kind="extension_requested").to_user == boss

    desk = sign_in(boss.username)
    assert 'href="/office/extensions/"' in text(desk.get("/tasks/"))
    listed = text(desk.get(LIST))
    assert case.number in listed
    assert "延长10个工作日" in listed
    page = text(desk.get(page_of(extension)))
    for words in (
        "技术方案复杂，需补充论证",
        "10个工作日，只能一次",
        "行政许可法第四十二条第一款",
        "法定审批期限",
        "承诺审批期限",
        "由2026年10月30日（周五）延长至2026年11月13日（周五）",
        "申请人信息已隐去",
        "为什么是这一天",
    ):
        assert words in page, words
    clock.to("2026-10-09 09:00")
    done = desk.post(page_of(extension), {"verdict": "grant"}, follow=True)
    assert "延期告知书已出具" in text(done)
    assert case.number not in text(desk.get(LIST))
    assert case.number in text(desk.get(f"{LIST}?tab=answered"))

    assert due(case) == {"statutory": dt.date(2026, 11, 13), "promised": dt.date(2026, 10, 10),
                         "stage": dt.date(2026, 10, 8)}  # fmt: skip
    paper = Document.objects.get(case=case, kind=DocumentKind.EXTENSION)
    said = "".join(paper.content["paragraphs"])
    for words in ("经本机关负责人批准", "延长10个工作日", "2026年11月13日前作出决定", "技术方案复杂，需补充论证"):
        assert words in said, words
    assert paper.content["basis"] == "《中华人民共和国行政许可法》第四十二条第一款"
    told = Message.objects.get(kind="applicant_extended").text
    assert "技术方案复杂，需补充论证" in told
    assert "2026年11月13日" in told
    assert Message.objects.get(kind="extension_answered").to_user == reviewer(case)
    event = ClockEvent.objects.get(deadline__stream=case.stream, kind=EventKind.EXTEND)
    assert event.by == boss
    clock.to("2026-11-13 17:00")
    assert not fresh(case).statutory_deadline.is_overdue(clock.at.date())
    assert fresh(case).statutory_deadline.is_overdue(dt.date(2026, 11, 14))
    assert list(verify.faults()) == []


def test_a_second_extension_is_refused_by_the_page_the_action_and_the_database(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    first = granted(asked(clock, days=3), clock.at)
    case = first.case
    browser = sign_in(reviewer(case).username)
    assert "已经延期一次，依法不得再次延期" in text(browser.get(reverse("office:case", args=[case.number])))
    again = browser.post(ask_url(case), ASK)
    assert again.status_code == 409
    assert "依法不得再次延期" in text(again)
    row = {"days": 1, "reason": "再", "requested_by": reviewer(case), "requested_at": clock.at}
    answered = {"granted": True, "answered_by": head(case), "answered_at": clock.at}
    receipt = case.documents.order_by("id")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.create(case=case, **row, **answered, document=receipt)
    event = ClockEvent.objects.get(kind=EventKind.EXTEND)
    event.pk, event.seq = None, event.seq + 1
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save(force_insert=True)
    assert due(case)["statutory"] == dt.date(2026, 11, 4)


def test_two_requests_do_not_wait_at_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    extension = asked(clock)
    again = sign_in(decider(extension.case).username).post(ask_url(extension.case), ASK)
    assert again.status_code == 409
    assert "已有待批的延期申请" in text(again)
    row = {"days": 1, "reason": "再", "requested_by": head(extension.case), "requested_at": clock.at}
    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.create(case=extension.case, **row)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"days": "11"}, "最多可延长10个工作日（行政许可法第四十二条第一款）"),
        ({"days": "0"}, "最多可延长10个工作日"),
        ({"days": ""}, "请填写要延长多少"),
        ({"days": "一些"}, "请填写整数"),
        ({"reason": "  "}, "请写明延期的理由"),
        ({"reason": f"因{COMPANIES[0][1]}补充材料"}, "文字里有申请人名称"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_beside_its_field(
    city: None, clock: Moment, sign_in: SignIn, changes: dict[str, str], said: str
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    typed = ASK | changes
    back = sign_in(reviewer(case).username).post(ask_url(case), typed)
    assert back.status_code == 422
    assert said in text(back)
    assert typed["reason"].strip() in text(back)
    assert not Extension.objects.exists()


def test_an_item_whose_own_law_gives_none_has_no_extension(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(PRESALE))
    browser = sign_in(reviewer(case).username)
    assert "本事项的法定期限依法不能延长" in text(browser.get(reverse("office:case", args=[case.number])))
    back = browser.post(ask_url(case), ASK)
    assert back.status_code == 422
    assert "依法不能延长" in text(back)


def test_an_own_law_extends_in_the_unit_of_its_period(city: None, clock: Moment, sign_in: SignIn) -> None:
    """45 calendar days from receipt; ten more of the same unit by an invented law."""
    item = play.item("危险化学品生产、储存建设项目安全条件审查")
    BusinessItem.objects.filter(pk=item.pk).update(extension_length=10, extension_source="《某条例》第九条（演示）")
    case = play.accepted(clock.at, play.item(item.name))
    assert due(case)["statutory"] == dt.date(2026, 11, 12)  # 28 September + 45 days
    browser = sign_in(reviewer(case).username)
    too_long = browser.post(ask_url(case), ASK | {"days": "11"})
    assert "最多可延长10个自然日（《某条例》第九条（演示））" in text(too_long)
    browser.post(ask_url(case), ASK)
    extension = granted(Extension.objects.get(case=case), clock.at)
    assert due(case)["statutory"] == dt.date(2026, 11, 23)  # the 22nd is a Sunday (民法典 203)
    assert extension.document is not None
    assert "延长10个自然日" in "".join(extension.document.content["paragraphs"])
    assert "延长10个自然日" in Message.objects.get(kind="applicant_extended").text


# --- answering


def test_the_head_never_answers_the_own_request(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    boss, place = head(case), Posting.objects.get(user=reviewer(case), office=case.review_office)
    Posting.objects.create(
        user=boss, department=place.department, office=place.office, role=Role.DECIDER, starts_on="2026-01-01"
    )
    alone = sign_in(boss.username).post(ask_url(case), ASK)
    assert alone.status_code == 422
    assert "没有可以批准延期的负责人" in text(alone)
    second = play.person("duban1")
    Posting.objects.create(user=second, department=case.department, role=Role.DEPARTMENT_HEAD, starts_on="2026-01-01")
    sign_in(boss.username).post(ask_url(case), ASK)
    extension = Extension.objects.get(case=case)
    browser = sign_in(boss.username)
    page = text(browser.get(page_of(extension)))
    assert "这是您自己提出的申请" in page
    assert "确认批准" not in page
    own = browser.post(page_of(extension), {"verdict": "grant"})
    assert own.status_code == 409
    assert "不能由申请人自己批准" in text(own)
    with pytest.raises(IntegrityError), transaction.atomic():
        Extension.objects.filter(pk=extension.pk).update(granted=False, answered_by=boss, answered_at=clock.at)
    assert sign_in(second.username).post(page_of(extension), {"verdict": "grant"}).status_code == 302


def test_nothing_is_extended_after_its_day(city: None, clock: Moment, sign_in: SignIn) -> None:
    extension = asked(clock)
    late = play.accepted(clock.at, play.item(ENERGY))
    clock.to("2026-10-31 09:00")  # the day after the last one
    browser = sign_in(reviewer(late).username)
    assert "法定期限已过，不能再延期" in text(browser.get(reverse("office:case", args=[late.number])))
    refused = browser.post(ask_url(late), ASK)
    assert refused.status_code == 409
    assert "法定期限已过" in text(refused)
    desk = sign_in(head(extension.case).username)
    page = text(desk.get(page_of(extension)))
    assert "依法不能再批准延期" in page
    assert "确认批准" not in page
    assert "确认不同意" in page
    too_late = desk.post(page_of(extension), {"verdict": "grant"})
    assert too_late.status_code == 409
    assert "期限已过" in text(too_late)
    extension.refresh_from_db()
    assert extension.granted is None
    assert due(extension.case)["statutory"] == dt.date(2026, 10, 30)
    assert not Document.objects.filter(kind=DocumentKind.EXTENSION).exists()
    assert desk.post(page_of(extension), {"verdict": "decline", "answer": "已逾期。"}).status_code == 302


def test_on_the_last_day_it_is_still_granted(city: None, clock: Moment) -> None:
    extension = asked(clock)
    clock.to("2026-10-30 23:59")
    granted(extension, clock.at)
    assert due(extension.case)["statutory"] == dt.date(2026, 11, 13)


def test_a_refusal_needs_its_reason_and_leaves_room_for_another_request(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    extension = asked(clock)
    case = extension.case
    desk = sign_in(head(case).username)
    for typed, said in (
        ({"verdict": "decline", "answer": " "}, "不同意延期的，请写明理由"),
        ({"verdict": "decline", "answer": f"{COMPANIES[0][1]}的材料不需要"}, "文字里有申请人名称"),
        ({"answer": "好"}, "请选择“批准”或“不同意”"),
    ):
        back = desk.post(page_of(extension), typed)
        assert back.status_code == 422
        assert said in text(back)
        assert typed["answer"].strip() in text(back)
    desk.post(page_of(extension), {"verdict": "decline", "answer": "材料不复杂，请抓紧"})
    assert due(case)["statutory"] == dt.date(2026, 10, 30)
    assert not Message.objects.filter(kind="applicant_extended").exists()
    assert "未批准" in Message.objects.get(kind="extension_answered").text
    again = desk.post(page_of(extension), {"verdict": "grant"})
    assert again.status_code == 409
    assert "已经批复" in text(again)
    browser = sign_in(reviewer(case).username)
    assert "材料不复杂，请抓紧" in text(browser.get(reverse("office:case", args=[case.number])))
    assert browser.post(ask_url(case), ASK).status_code == 302


def test_a_case_decided_meanwhile_waits_for_no_answer(city: None, clock: Moment, sign_in: SignIn) -> None:
    extension = asked(clock)
    case = extension.case
    advise(case, clock.at)
    decide(case, approve=True, by=decider(case), now=clock.at)
    desk = sign_in(head(case).username)
    assert case.number not in text(desk.get(LIST))
    assert "已先行决定，无需批复" in text(desk.get(f"{LIST}?tab=answered"))
    page = text(desk.get(page_of(extension)))
    assert "不需要再批复" in page
    assert "确认批准" not in page
    assert COMPANIES[0][1] not in page
    assert desk.post(page_of(extension), {"verdict": "grant"}).status_code == 409


def test_an_extension_during_a_special_procedure_adds_to_what_is_left(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    """Paused on 28 September with 20 days left, resumed on 30 September: due 2 more days later; with 5 more, 5 more."""
    case = play.accepted(clock.at, play.item(ENERGY))
    start_procedure(case, ground="hearing", estimated_days=3, reason="听证", by=reviewer(case), now=clock.at)
    page = text(sign_in(reviewer(case).username).get(reverse("office:case", args=[case.number])))
    assert "即最迟至" not in page
    extension = request_extension(case, days=5, reason="复杂", by=reviewer(case), now=clock.at)
    assert "特别程序结束后顺延" in text(sign_in(head(case).username).get(page_of(extension)))
    extension = granted(extension, clock.at)
    assert extension.document is not None
    said = "".join(extension.document.content["paragraphs"])
    assert "特别程序正在进行，所需时间不计算在内" in said
    assert "前作出决定" not in said, "nobody knows the day yet"
    clock.to("2026-09-30 10:00")
    end_procedure(case, result="已听证", by=reviewer(case), now=clock.at)
    # 20 + 5 working days from 8 October: 8–10 (Saturday, worked), 12–16, 19–23, 26–30, 2–6, 9, 10 November
    assert due(case)["statutory"] == dt.date(2026, 11, 10)


# --- the head's desk


def test_other_departments_and_roles_find_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    extension = asked(clock)
    case = extension.case
    for name in (reviewer(case).username, decider(case).username, "chuangkou1", "duban1", "guanliyuan1"):
        browser = sign_in(name)
        for address in (LIST, f"{LIST}export.csv", page_of(extension)):
            assert browser.get(address).status_code == 404, (name, address)
        assert browser.post(page_of(extension), {"verdict": "grant"}).status_code == 404
    other = sign_in(
        Posting.objects.filter(role=Role.DEPARTMENT_HEAD).exclude(department=case.department)[0].user.username
    )
    assert case.number not in text(other.get(LIST))
    assert "没有待批的延期申请" in text(other.get(LIST))
    assert other.get(page_of(extension)).status_code == 404
    assert other.post(page_of(extension), {"verdict": "grant"}).status_code == 404
    assert Client().get(LIST).status_code == 302


def test_the_list_is_searched_paged_and_exported(city: None, clock: Moment, sign_in: SignIn) -> None:
    extension = asked(clock, days=4)
    case = extension.case
    desk = sign_in(head(case).username)
    assert case.number in text(desk.get(f"{LIST}?q={case.number[-6:]}"))
    assert case.number in text(desk.get(f"{LIST}?q=节能"))
    for words in (COMPANIES[0][1], COMPANIES[0][1][3:6], case.contact_phone):
        found = text(desk.get(f"{LIST}?q={words}"))
        assert case.number not in found
        assert "没有符合条件的延期申请" in found
    response: Any = desk.get(f"{LIST}export.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert [(row["办件编号"], row["申请延长"], row["批复"]) for row in rows] == [(case.number, "4个工作日", "待批")]
    assert COMPANIES[0][1] not in str(rows)


def test_the_oldest_stands_first_and_pages_cost_the_same(city: None, clock: Moment, sign_in: SignIn) -> None:
    first = asked(clock)
    desk = sign_in(head(first.case).username)

    def statements() -> int:
        desk.get(LIST)
        with CaptureQueriesContext(connection) as seen:
            desk.get(LIST)
        return len(seen)

    before = statements()
    later = []
    for minute in range(3):
        clock.to(f"2026-09-28 11:0{minute}")
        later.append(asked(clock))
    rows = [row["extension"].pk for row in desk.get(LIST).context["rows"]]
    assert rows == [first.pk, *(one.pk for one in later)]
    assert statements() == before
    assert before <= 12
    assert '<span class="stat-count">4</span><span class="stat-label">待批</span>' in text(desk.get(LIST))


def test_whoever_asks_beyond_the_law_through_the_action_is_refused_with_a_code(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    for days, code in ((11, "extension-too-long"), (None, "extension-too-long")):
        with pytest.raises(Refused) as refusal:
            request_extension(case, days=days, reason="复杂", by=reviewer(case), now=clock.at)
        assert (refusal.value.code, refusal.value.field) == (code, "days")
    Posting.objects.filter(department=case.department, role=Role.DEPARTMENT_HEAD).delete()
    with pytest.raises(Refused) as refusal:
        request_extension(case, days=5, reason="复杂", by=reviewer(case), now=clock.at)
    assert refusal.value.code == "no-head"
