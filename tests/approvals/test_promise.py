"""告知承诺 through the window: the free choice, the credit gate, the signature, the day, the way back (L5, L7, L8)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals import credit_gate, uploads
from approvals.actions import Signing, accept_case, decide, sign_promise, withdraw_promise
from approvals.actions.intake import slot_of
from approvals.actions.promising import CHECKS, CONSEQUENCES, MEANINGS, letter_of
from approvals.enums import CaseStatus, Door, MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, CreditCheck, Promise
from approvals.promised import last_lawful_day
from catalogue.enums import PromiseMode
from catalogue.models import BusinessItem
from credit.models import CreditRecord, CreditSubject, SubjectGrade
from deadlines.kinds import KindCode
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from oversight.demo.cases import COMPANIES, SCAN, code_of
from tests import city as demo_city
from tests.approvals import play, window
from tests.approvals.test_races import together
from tests.conftest import Moment

SignIn = Callable[[str], Client]
LAST = dt.date(2026, 11, 13)  # from 28 September: 20 working days to decide (30 October), 10 more to issue


@pytest.fixture
def clerk(sign_in: SignIn, clock: Moment) -> Client:
    return sign_in("chuangkou1")


def form_of(item: BusinessItem, modes: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    """An intake on promise with everything that it still asks for."""
    chosen = list(item.promise_modes) if modes is None else modes
    ticks = {f"m-{slot}": "provided" for slot in window.slots(item, "promise", chosen)}
    data = window.filled(item, way="promise", modes_said="1", modes=chosen, **changes)
    return {name: value for name, value in data.items() if not name.startswith("m-")} | ticks


def take_in(clerk: Client, item: BusinessItem, modes: list[str] | None = None, **changes: Any) -> Case:
    data = form_of(item, modes, **changes)
    answer = clerk.post(reverse("window:intake", args=[item.code]), data)
    assert answer.status_code == 302, window.text_of(answer)
    return Case.objects.get(intake_key=data["intake_key"])


def address(case: Case) -> str:
    return reverse("window:promise", args=[case.number])


def signature(case: Case, **changes: Any) -> dict[str, Any]:
    """The form of the signature, complete; None leaves a field out."""
    letter = next(line for line in case.materials.all() if line.material is None or line.material.is_promise_letter)
    slot = letter.material_id or "promise"
    data = {
        "act": "sign_accept", "take": "1", "signer": "李某某", "capacity": "legal", "method": "paper",
        f"file-{slot}": window.file(),
        "clauses": [str(number) for number in range(1, len(case.promise_clauses) + 1)],
        "deferred_until": "2026-10-20",
    } | changes  # fmt: skip
    return {name: value for name, value in data.items() if value is not None}


def states(case: Case) -> dict[str, str]:
    return dict(case.materials.values_list("name", "state"))


def breach(kind: str = CreditRecord.Kind.BROKEN_PROMISE, **changes: Any) -> CreditRecord:
    """A record of the company that the tests apply for."""
    stem, name = COMPANIES[0]
    subject = CreditSubject.objects.identify("organisation", code_of(stem), name)
    said = {"source": "J320700001", "basis": "核查与承诺不符，逾期不改", "found_at": timezone.now().replace(2026, 6, 1)}
    return CreditRecord.objects.create(subject=subject, kind=kind, **(said | changes))


# --- the free choice


@pytest.mark.django_db
def test_the_applicant_sees_conditions_checks_and_consequences_before_choosing(clerk: Client) -> None:
    item = play.item(play.DEFERS)
    url = reverse("window:intake", args=[item.code])
    first = window.text_of(clerk.get(url))
    assert "一般方式" in first
    assert "由申请人自愿选择，不选不影响办理" in first
    html = window.text_of(clerk.post(url, form_of(item, act="refresh", name="写到一半")))
    assert all(clause in html for clause in item.promise_clauses)
    assert "承诺日前由窗口逐份核收" in html
    assert "由审批部门决定撤销办理，不颁发证件" in html
    assert "最晚 2026年11月13日" in html
    assert html.count("承诺延期提交") == 2
    assert 'value="写到一半"' in html


@pytest.mark.django_db
def test_an_ordinary_case_of_the_same_item_hands_in_everything(clerk: Client) -> None:
    item = play.item(play.DEFERS)
    assert clerk.post(reverse("window:intake", args=[item.code]), window.filled(item)).status_code == 302
    case = Case.objects.get()
    assert (case.way, case.status) == ("ordinary", CaseStatus.IN_REVIEW)
    assert not CreditCheck.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "modes", "expected"),
    [
        (play.SPOT, ["post_check"], {"公共场所卫生管理制度": "promised", "营业执照": "provided"}),
        (play.SPOT, ["verified_material"], {"公共场所卫生管理制度": "provided", "营业执照": "provided"}),
        (play.SPOT, ["verified_material", "post_check"], {"公共场所卫生检测或者评价报告": "promised"}),
        (play.DEFERS, ["deferred_material"], {"公共场所卫生管理制度": "deferred", "营业执照": "provided"}),
    ],
)
def test_each_mode_changes_the_materials_that_it_is_about(
    clerk: Client, name: str, modes: list[str], expected: dict[str, str]
) -> None:
    case = take_in(clerk, play.item(name), modes)
    assert case.promise_modes == modes
    assert expected.items() <= states(case).items()
    letter = [state for line, state in states(case).items() if "承诺书" in line]
    assert letter == ["missing"], "a tick does not sign"


@pytest.mark.django_db
def test_no_mode_at_all_and_a_mode_that_is_not_offered_are_refused_in_words(clerk: Client) -> None:
    item = play.item(play.DEFERS)
    url = reverse("window:intake", args=[item.code])
    none = clerk.post(url, form_of(item, []))
    assert none.status_code == 422
    assert "请选择承诺的方式，至少一种" in window.text_of(none)
    assert clerk.post(url, form_of(item) | {"modes": ["post_check"]}).status_code == 422
    assert not Case.objects.exists()


@pytest.mark.django_db
def test_an_item_of_high_risk_offers_no_promise_and_says_why(clerk: Client, sign_in: SignIn) -> None:
    item = BusinessItem.objects.published().filter(high_risk=True, item__division__code="320700")[0]
    url = reverse("window:intake", args=[item.code])
    html = window.text_of(clerk.get(url))
    assert "不适用告知承诺" in html
    assert item.promise_refusal in html
    assert 'name="way"' not in html
    clerk.post(url, window.filled(item, way="promise", modes=["post_check"], act="receive"))
    assert Case.objects.get().way == "ordinary"


@pytest.mark.django_db
def test_what_only_some_cases_need_may_be_deferred_by_a_tick(clerk: Client) -> None:
    item = play.item(play.DEFERS)
    report = item.effective_materials().get(name__startswith="集中空调")
    case = take_in(clerk, item, act="receive")
    assert states(case)[report.name] == "missing"
    clerk.post(reverse("window:case", args=[case.number]), {"act": "save", f"m-{report.pk}": "deferred"})
    assert states(case)[report.name] == MaterialState.DEFERRED


# --- one sitting


@pytest.mark.django_db
def test_receive_query_sign_and_accept_in_one_sitting(clerk: Client, client: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    check = CreditCheck.objects.get(case=case)
    assert (check.rule_allows, check.allowed) == (True, None), "asked at the receipt, decided by a person"
    page = window.text_of(clerk.get(address(case)))
    assert "未评价" in page
    assert ">良<" not in page
    assert clerk.post(address(case), signature(case, consents="on")).status_code == 302
    case.refresh_from_db()
    promise = case.promise
    assert (case.status, case.on_the_spot) == (CaseStatus.IN_REVIEW, True)
    assert case.decider is not None
    assert (promise.signer, promise.method, promise.consents_to_publication) == ("李某某", "paper", True)
    assert [clause.text for clause in promise.clauses.all()] == case.promise_clauses
    paper = window.text_of(clerk.get(reverse("paper", args=[promise.document_id])))
    for said in (
        f"承诺人：{case.applicant_name}（统一社会信用代码：{case.applicant.code}）。签署人：李某某（法定代表人（负责人））。",
        "签字、盖章",
        "纸质签字",
        "2026年9月28日10:00",
        "是否同意公开本承诺书：同意",
        promise.document.digest,
    ):
        assert said in paper
    verify = re.search(r"/verify/([\w-]+)/", paper)
    assert verify is not None
    found = window.text_of(client.get(reverse("verify", args=[verify.group(1)])))
    assert promise.document.number in found
    assert promise.document.digest in found
    acts = set(Entry.objects.filter(stream=case.stream).values_list("act", flat=True))
    assert {"case.credit_asked", "case.credit_decided", "case.promise_signed", "case.accepted"} <= acts


@pytest.mark.django_db
def test_consent_to_publication_is_asked_apart_and_may_be_left(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    html = window.text_of(clerk.get(address(case)))
    assert "单独征求，不影响办理" in html
    assert not re.search(r'name="consents"[^>]*checked', html)
    clerk.post(address(case), signature(case))
    promise = Promise.objects.get(case=case)
    assert not promise.consents_to_publication
    assert "是否同意公开本承诺书：不同意（单独征求，不影响办理）。" in promise.document.content["closing"]


@pytest.mark.django_db
def test_signed_with_the_code_that_the_phone_got(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    sent = clerk.post(address(case), signature(case, act="code", method="sms_code", signer="王五"))
    assert sent.status_code == 200
    assert 'value="王五"' in window.text_of(sent)
    text = Message.objects.get(kind="applicant_phone_code").text
    assert case.number[-6:] in text
    assert play.SPOT in text
    assert "读给窗口人员，即为签署承诺书" in text
    assert "请勿告诉" not in text
    code = re.search(r"\d{6}", text)
    assert code is not None
    wrong = "000000" if code.group() != "000000" else "111111"
    whole = signature(case, method="sms_code", sms_code=wrong, signer="王五")
    sms = {name: value for name, value in whole.items() if not name.startswith("file-")}
    refused = clerk.post(address(case), sms)
    assert refused.status_code == 422
    assert "验证码不对" in window.text_of(refused)
    assert not Promise.objects.exists()
    for change in ({"signer": "赵六"}, {"capacity": "agent"}, {"consents": "on"}):
        other = clerk.post(address(case), sms | {"sms_code": code.group()} | change)
        assert other.status_code == 422
        assert "承诺书的内容改过，请重新发送验证码" in window.text_of(other)
    assert clerk.post(address(case), sms | {"sms_code": code.group()}).status_code == 302
    promise = Promise.objects.get(case=case)
    assert promise.method == "sms_code"
    assert "签署方式：短信验证码签署（手机100****0001）" in " ".join(promise.document.content["closing"])


@pytest.mark.django_db
def test_a_code_serves_its_purpose_alone(clerk: Client) -> None:
    """The applicant's door sends a code that signs nothing; the window's code opens no door."""
    cache.clear()  # the tries of other tests are not this clerk's
    case = take_in(clerk, play.item(play.SPOT))
    applicant = Client()
    applicant.post("/progress/door/", {"number": case.number, "code": case.query_code})
    applicant.post(f"/progress/{case.number}/code/", {"act": "send"})
    told = Message.objects.filter(kind="applicant_phone_code")
    door = re.search(r"\d{6}", told.get().text)
    assert door is not None
    assert "请勿告诉任何人" in told.get().text
    assert case.number[-6:] in told.get().text
    sms = signature(case, method="sms_code", sms_code=door.group())
    sms = {name: value for name, value in sms.items() if not name.startswith("file-")}
    assert "还没有发送验证码" in window.text_of(clerk.post(address(case), sms))
    clerk.post(address(case), sms | {"act": "code"})
    signing = re.search(r"\d{6}", told.order_by("-pk")[0].text)
    assert signing is not None
    assert told.count() == 2, "neither sending keeps the other from being sent"
    assert door.group() != signing.group()
    refused = clerk.post(address(case), sms)
    assert (refused.status_code, Promise.objects.exists()) == (422, False)
    opened = applicant.post(f"/progress/{case.number}/code/", {"act": "open", "sms_code": signing.group()})
    assert opened.status_code == 422
    assert clerk.post(address(case), sms | {"sms_code": signing.group()}).status_code == 302
    right = applicant.post(f"/progress/{case.number}/code/", {"act": "open", "sms_code": door.group()})
    assert (right.status_code, right["Location"]) == (302, f"/progress/{case.number}/acts/")


@pytest.mark.django_db
def test_the_doors_code_is_not_sent_by_somebody_signed_in_as_staff(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    clerk.post("/progress/door/", {"number": case.number, "code": case.query_code})
    page = clerk.post(f"/progress/{case.number}/code/", {"act": "send"}, follow=True)
    assert "登录工作人员账号时不能发送验证码" in window.text_of(page)
    assert not Message.objects.filter(kind="applicant_phone_code").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("person", "changes", "said"),
    [
        (False, {"capacity": None}, "请选择签署人身份"),
        (False, {"capacity": "self"}, "请选择签署人身份"),
        (False, {"signer": COMPANIES[0][1]}, "不填申请人名称"),
        (True, {"capacity": "legal", "signer": "张三"}, "请选择签署人身份"),
        (True, {"capacity": "self", "signer": "王五"}, "签署人应当是申请人本人"),
    ],
)
def test_who_signs_is_the_applicant_its_head_or_an_agent(
    clerk: Client, person: bool, changes: dict[str, Any], said: str
) -> None:
    who: dict[str, Any] = (
        {"subject_kind": "person", "identifier": "11010519491231002X", "name": "张三"} if person else {}
    )
    case = take_in(clerk, play.item(play.SPOT), **who)
    answer = clerk.post(address(case), signature(case, **changes))
    assert answer.status_code == 422
    assert said in window.text_of(answer)
    assert not Promise.objects.exists()


@pytest.mark.django_db
def test_the_letter_names_who_promises_and_so_does_its_verification(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT), subject_kind="person", identifier="11010519491231002X", name="张三")
    clerk.post(address(case), signature(case, capacity="self", signer="张三"))
    document = Promise.objects.get(case=case).document
    paper = window.text_of(clerk.get(reverse("paper", args=[document.pk])))
    assert "张三（身份证号码：110105********002X）作为申请人和承诺人" in paper
    assert "签署人（本人）：张三" in paper
    verified = window.text_of(Client().get(f"/verify/{document.verify_code}/"))
    assert "张*" in verified
    assert "张三" not in verified
    other = take_in(clerk, play.item(play.SPOT))
    clerk.post(address(other), signature(other))
    letter = Promise.objects.get(case=other).document
    assert other.applicant_name in window.text_of(Client().get(f"/verify/{letter.verify_code}/"))


# --- what is refused


@pytest.mark.django_db
def test_an_unsigned_promise_is_not_accepted(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT), act="receive")
    url = reverse("window:case", args=[case.number])
    html = window.text_of(clerk.get(url))
    assert "签署承诺书" in html
    assert 'value="accept"' not in html
    for setting, said in (("", "要先查询申请人信用"), ("ask", "由您决定是否采用"), ("allow", "承诺书还没有签署")):
        if setting:
            clerk.post(address(case), {"act": setting})
        answer = clerk.post(url, {"act": "accept"})
        assert answer.status_code == 422
        assert said in window.text_of(answer)
    case.refresh_from_db()
    assert case.status == CaseStatus.SUBMITTED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clauses": ["1", "2", "4"]}, "还有第 3 条没有确认"),
        ({"clauses": None}, "还有第 1 条、第 2 条、第 3 条、第 4 条没有确认"),
        ({"signer": " "}, "请填写签署人姓名"),
        ({"method": None}, "请选择签署方式"),
        ({"method": "sms_code"}, "请先发送验证码"),
        ({"method": "tick"}, "tick"),
    ],
)
def test_a_signature_that_is_not_whole_is_none(clerk: Client, changes: dict[str, Any], said: str) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    answer = clerk.post(address(case), signature(case, **{"signer": "王五"} | changes))
    html = window.text_of(answer)
    assert answer.status_code == 422
    assert said in html
    assert "营业执照.pdf" in html, "the scan is kept"
    assert not Promise.objects.exists()
    assert not case.documents.filter(kind="promise").exists()


@pytest.mark.django_db
def test_a_paper_signature_needs_its_scan(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    data = {name: value for name, value in signature(case).items() if not name.startswith("file-")}
    answer = clerk.post(address(case), data)
    assert answer.status_code == 422
    assert "请先扫描上传申请人签名的承诺书" in window.text_of(answer)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-14", "承诺补齐的日期最晚为2026年11月13日"),
        ("2026-09-28", "承诺补齐的日期最早为明天"),
        ("", "请填写承诺补齐的日期"),
        ("下周", "请填写日期"),
    ],
)
def test_the_deferred_day_lies_between_tomorrow_and_the_last_lawful_one(clerk: Client, day: str, said: str) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    answer = clerk.post(address(case), signature(case, deferred_until=day))
    assert answer.status_code == 422
    assert said in window.text_of(answer)
    assert not Promise.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("day", [dt.date(2026, 9, 29), LAST])
def test_the_clock_of_what_is_deferred_ends_on_the_signed_day(clerk: Client, day: dt.date) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    assert clerk.post(address(case), signature(case, deferred_until=day.isoformat())).status_code == 302
    case.refresh_from_db()
    assert (case.status, case.on_the_spot) == (CaseStatus.IN_REVIEW, False)
    assert case.reviewer is not None
    clock = case.promise_deadline
    assert clock is not None
    assert (clock.kind, clock.due_on, clock.is_open) == (KindCode.PROMISE, day, True)
    assert case.promise.deferred_until == day


@pytest.mark.django_db
def test_a_period_in_calendar_days_from_the_receipt_moves_the_last_day(city: None, clock: Moment) -> None:
    item = play.item(play.DEFERS)
    item.statutory_length, item.statutory_unit, item.statutory_start = 30, "calendar", "receipt"
    case = Case(business_item=item, received_at=clock.at)
    # 30 days from Monday 28 September end on Wednesday 28 October; ten working days on: 11 November
    assert last_lawful_day(case, clock.at + dt.timedelta(days=3)) == dt.date(2026, 11, 11)


@pytest.mark.django_db
def test_with_everything_brought_nothing_is_owed_and_a_decider_is_drawn(clerk: Client) -> None:
    item = play.item(play.DEFERS)
    owed = {f"m-{row.pk}": "provided" for row in item.effective_materials().filter(requirement="required")}
    data = form_of(item) | owed
    clerk.post(reverse("window:intake", args=[item.code]), data)
    case = Case.objects.get()
    assert clerk.post(address(case), signature(case, deferred_until=None)).status_code == 302
    case.refresh_from_db()
    assert (case.on_the_spot, case.promise_deadline, case.promise.deferred_until) == (True, None, None)
    assert case.decider is not None


@pytest.mark.django_db
def test_with_nobody_on_duty_a_complete_promise_goes_to_a_reviewer(clerk: Client, clock: Moment) -> None:
    Posting.objects.filter(role=Posting.Role.DECIDER).update(on_duty=False)
    item = play.item(play.DEFERS)
    owed = {f"m-{row.pk}": "provided" for row in item.effective_materials().filter(requirement="required")}
    clerk.post(reverse("window:intake", args=[item.code]), form_of(item) | owed)
    case = Case.objects.get()
    clerk.post(address(case), signature(case))
    case.refresh_from_db()
    assert (case.status, case.on_the_spot) == (CaseStatus.IN_REVIEW, False)
    assert case.reviewer is not None


# --- the credit gate


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["broken_promise", "serious"])
def test_a_breach_closes_the_way_and_a_person_may_depart_with_reasons(clerk: Client, kind: str) -> None:
    breach(kind)
    case = take_in(clerk, play.item(play.SPOT))
    html = window.text_of(clerk.get(address(case)))
    assert "按规则不适用告知承诺" in html
    assert "核查与承诺不符，逾期不改" in html
    assert "sign_accept" not in html
    closed = clerk.post(address(case), signature(case))
    assert closed.status_code == 422
    bare = clerk.post(address(case), {"act": "allow", "credit_reason": " "})
    assert bare.status_code == 422
    assert "请写明理由" in window.text_of(bare)
    unseen = clerk.post(address(case), {"act": "allow", "credit_reason": "已整改\0到位"})
    assert unseen.status_code == 422
    assert "看不见的空字符" in window.text_of(unseen)
    assert clerk.post(address(case), {"act": "allow", "credit_reason": "已整改到位，正在修复"}).status_code == 302
    check = CreditCheck.objects.get(case=case)
    assert (check.rule_allows, check.allowed, check.reason) == (False, True, "已整改到位，正在修复")
    assert clerk.post(address(case), {"act": "deny"}).status_code == 409, "decided once"
    assert clerk.post(address(case), signature(case)).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW
    entry = Entry.objects.get(stream=case.stream, act="case.credit_decided")
    assert entry.data["departs"] is True


@pytest.mark.django_db
def test_the_answer_is_kept_as_it_was_seen(clerk: Client) -> None:
    found = breach()
    case = take_in(clerk, play.item(play.SPOT))
    found.repaired_at = timezone.now()
    found.save()
    check = CreditCheck.objects.get(case=case)
    assert [row["kind"] for row in check.answer["records"]] == ["broken_promise"]
    clerk.post(address(case), {"act": "ask"})
    check.refresh_from_db()
    assert (check.answer["records"], check.rule_allows) == ([], True), "asked again before anybody decided"


CHANGED = "查询以后申请人的信用情况有变化"


@pytest.mark.django_db
def test_nobody_decides_on_an_answer_that_is_no_longer_so(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    assert CHANGED not in window.text_of(clerk.get(address(case)))
    found = breach()
    page = window.text_of(clerk.get(address(case)))
    assert (f"{CHANGED}，现在按规则不适用告知承诺" in page, "sign_accept" in page, 'value="deny"' in page) == (
        True, False, False,
    )  # fmt: skip
    for act in (signature(case), {"act": "allow"}, {"act": "deny"}):
        refused = clerk.post(address(case), act)
        assert (refused.status_code, CHANGED in window.text_of(refused)) == (409, True), act["act"]
    assert clerk.post(address(case), {"act": "ask"}).status_code == 302
    assert "按规则不适用告知承诺" in window.text_of(clerk.get(address(case)))
    CreditRecord.objects.filter(pk=found.pk).update(repaired_at=timezone.now())
    stale = clerk.post(address(case), {"act": "allow", "credit_reason": "已整改到位"})
    assert (stale.status_code, "现在按规则可以采用告知承诺" in window.text_of(stale)) == (409, True)
    clerk.post(address(case), {"act": "ask"})
    assert clerk.post(address(case), signature(case)).status_code == 302
    assert CreditCheck.objects.get(case=case).allowed is True


@pytest.mark.django_db
def test_a_breach_between_signature_and_acceptance_is_decided_on_again(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    assert clerk.post(address(case), signature(case, act="sign")).status_code == 302
    breach()
    here = reverse("window:case", args=[case.number])
    refused = clerk.post(here, {"act": "accept"})
    assert (refused.status_code, CHANGED in window.text_of(refused)) == (409, True)
    page = window.text_of(clerk.get(address(case)))
    assert (CHANGED in page, "重新查询信用" in page) == (True, True)
    assert clerk.post(address(case), {"act": "ask"}).status_code == 302
    check = CreditCheck.objects.get(case=case)
    assert (check.rule_allows, check.allowed, check.decided_by) == (False, None, None)
    assert clerk.post(here, {"act": "accept"}).status_code == 422
    assert clerk.post(address(case), {"act": "allow", "credit_reason": "已整改到位，正在修复"}).status_code == 302
    assert clerk.post(address(case), {"act": "ask"}).status_code == 302
    check.refresh_from_db()
    assert check.allowed is True, "it was decided in sight of the record, and stands"
    page = window.text_of(clerk.get(address(case)))
    assert ("以前的决定" in page, [one["allowed"] for one in check.earlier or []]) == (True, [True])
    assert clerk.post(here, {"act": "accept"}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW
    acts = list(Entry.objects.filter(stream=case.stream, act="case.credit_decided").values_list("data", flat=True))
    assert [act["departs"] for act in acts] == [False, True], "both decisions are kept"


@pytest.mark.django_db
def test_the_reasons_of_a_departure_stay_when_it_is_decided_again(clerk: Client) -> None:
    breach()
    case = take_in(clerk, play.item(play.SPOT))
    assert clerk.post(address(case), {"act": "allow", "credit_reason": "已整改到位，正在修复"}).status_code == 302
    breach(source="J320700002")
    assert clerk.post(address(case), {"act": "ask"}).status_code == 302
    page = window.text_of(clerk.get(address(case)))
    assert "以前的决定，信用情况变化后不再适用" in page
    assert "理由：已整改到位，正在修复" in page
    [kept] = CreditCheck.objects.get(case=case).earlier or []
    assert (kept["allowed"], len(kept["answer"]["records"])) == (True, 1)


@pytest.mark.django_db
def test_a_departure_is_not_decided_on_the_spot(clerk: Client) -> None:
    breach()
    item = play.item(play.DEFERS)
    owed = {f"m-{row.pk}": "provided" for row in item.effective_materials().filter(requirement="required")}
    clerk.post(reverse("window:intake", args=[item.code]), form_of(item) | owed)
    case = Case.objects.get()
    clerk.post(address(case), {"act": "allow", "credit_reason": "已整改到位"})
    clerk.post(address(case), signature(case))
    case.refresh_from_db()
    assert (case.status, case.on_the_spot) == (CaseStatus.IN_REVIEW, False)


@pytest.mark.django_db
def test_a_poor_grade_closes_the_way_and_refusing_it_leads_back_to_full_materials(clerk: Client, clock: Moment) -> None:
    stem, name = COMPANIES[0]
    subject = CreditSubject.objects.identify("organisation", code_of(stem), name)
    SubjectGrade.objects.create(subject=subject, grade="poor", source="演示", given_at=clock.at, received_at=clock.at)
    case = take_in(clerk, play.item(play.DEFERS))
    assert clerk.post(address(case), {"act": "deny"}).status_code == 302, "no departure, no reason"
    refused = clerk.post(address(case), signature(case))
    assert refused.status_code == 422
    assert "已决定本件不采用告知承诺" in window.text_of(refused)
    assert clerk.post(address(case), {"act": "withdraw"}).status_code == 302
    case.refresh_from_db()
    assert (case.way, case.promise_clauses, case.promise_modes) == ("ordinary", [], [])
    found = states(case)
    assert found.pop("经签署的告知承诺书") == "not_needed"
    assert {name for name, state in found.items() if state == "missing"} >= {"公共场所卫生管理制度"}
    url = reverse("window:case", args=[case.number])
    lacking = clerk.post(url, {"act": "accept"})
    assert "公共场所卫生管理制度" in window.text_of(lacking)
    lines = case.materials.filter(state="missing", required=True)
    assert clerk.post(url, {"act": "accept"} | {f"m-{row.material_id}": "provided" for row in lines}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW


# --- taking the word back


@pytest.mark.django_db
def test_before_acceptance_the_signed_promise_is_withdrawn_and_the_case_goes_on(clerk: Client, clock: Moment) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    clerk.post(address(case), signature(case, act="sign"))
    assert Promise.objects.get(case=case).withdrawn_at is None
    assert clerk.post(address(case), {"act": "withdraw"}).status_code == 302
    case.refresh_from_db()
    promise = Promise.objects.get(case=case)
    assert (case.way, case.status) == ("ordinary", CaseStatus.SUBMITTED)
    assert (promise.withdrawn_at, promise.withdrawn_through) == (clock.at, Door.WINDOW)
    assert clerk.post(address(case), {"act": "withdraw"}).status_code == 409
    with pytest.raises(Refused, match="还缺 2 项必要材料"):
        accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    entry = Entry.objects.get(stream=case.stream, act="case.promise_withdrawn")
    assert len(entry.data["restored"]) == 2


@pytest.mark.django_db
def test_what_was_withdrawn_is_not_signed_anew_and_the_pages_say_so(clerk: Client, clock: Moment) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    clerk.post(address(case), signature(case, act="sign"))
    told = clerk.post(address(case), {"act": "withdraw"}, follow=True)
    case_page, sign_page = window.text_of(told), window.text_of(clerk.get(address(case)))
    for page in (case_page, sign_page):
        assert "同一件办件不能再次签署承诺，以后另行申请时仍可以选择告知承诺" in page
        assert 'value="sign' not in page
        assert 'value="withdraw"' not in page
    assert "去签署承诺书" not in case_page
    again = clerk.post(address(case), signature(case))
    assert (again.status_code, "承诺已经撤回，不能再次签署" in window.text_of(again)) == (409, True)
    assert Promise.objects.get(case=case).withdrawn_at == clock.at
    progress = Client().post("/progress/", {"number": case.number, "code": case.query_code})
    said = window.text_of(progress)
    assert "承诺已撤回，本件改按一般方式办理" in said
    assert "公共场所卫生管理制度" in said


@pytest.mark.django_db
def test_after_acceptance_the_application_is_withdrawn_with_it_and_after_the_decision_nothing_is(
    clerk: Client, clock: Moment
) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    clerk.post(address(case), signature(case))
    assert "撤回承诺和申请" in window.text_of(clerk.get(address(case)))
    assert clerk.post(address(case), {"act": "withdraw"}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.WITHDRAWN
    assert case.promise_deadline is not None
    assert not case.promise_deadline.is_open
    assert case.documents.filter(kind="withdrawal").exists()
    spot = take_in(clerk, play.item(play.SPOT))
    clerk.post(address(spot), signature(spot))
    spot.refresh_from_db()
    assert spot.decider is not None
    decide(spot, approve=True, by=spot.decider, now=clock.at)
    late = clerk.post(address(spot), {"act": "withdraw"})
    assert late.status_code == 409
    assert "作出决定以后不能再撤回承诺" in window.text_of(late)
    assert Promise.objects.get(case=spot).withdrawn_at is None


@pytest.mark.django_db
def test_an_item_on_promise_only_has_no_ordinary_way_to_go_back_to(clerk: Client) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    assert clerk.post(address(case), {"act": "withdraw"}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.WITHDRAWN


@pytest.mark.django_db
def test_what_the_law_accepts_unsigned_carries_no_clauses(clerk: Client, clock: Moment) -> None:
    case = take_in(clerk, play.item(play.DEFERS))
    clock.to("2026-10-14 10:00")
    accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    case.refresh_from_db()
    assert (case.is_deemed, case.way, case.promise_clauses) == (True, "ordinary", [])
    assert "deferred" not in states(case).values()


@pytest.mark.django_db
def test_only_the_clause_that_was_signed_travels_to_supervision(clerk: Client, clock: Moment) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    BusinessItem.objects.filter(pk=case.business_item_id).update(promise_clauses=["改过的条款"])
    clerk.post(address(case), signature(case))
    case.refresh_from_db()
    assert case.decider is not None
    decide(case, approve=True, by=case.decider, now=clock.at)
    signed = [clause.text for clause in case.promise.clauses.all()]
    assert len(signed) == 4
    assert {tuple(task.promise_clauses) for task in case.tasks.all()} == {tuple(signed)}


@pytest.mark.django_db
def test_the_signed_letter_is_not_shown_to_who_decides_before_the_decision(
    clerk: Client, sign_in: SignIn, clock: Moment
) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    clerk.post(address(case), signature(case))
    case.refresh_from_db()
    scan = case.materials.get(material__is_promise_letter=True).uploads.get()
    assert case.decider is not None
    browser = sign_in(case.decider.username)
    page = window.text_of(browser.get(reverse("office:case", args=[case.number])))
    assert reverse("file", args=[scan.pk]) not in page
    assert "李某某" not in page
    assert browser.get(reverse("file", args=[scan.pk])).status_code == 404
    decide(case, approve=True, by=case.decider, now=clock.at)
    assert browser.get(reverse("file", args=[scan.pk])).status_code == 200


@pytest.mark.django_db
def test_the_page_of_a_stranger_and_of_an_ordinary_case_does_not_exist(clerk: Client, sign_in: SignIn) -> None:
    case = take_in(clerk, play.item(play.SPOT))
    assert sign_in("donghai.chuangkou1").get(address(case)).status_code == 404
    assert sign_in(play.holder(Posting.Role.DECIDER, case).username).get(address(case)).status_code == 404
    ordinary = play.received(case.received_at)
    assert clerk.get(address(ordinary)).status_code == 404


# --- at the same moment


@pytest.mark.django_db(transaction=True)
def test_a_decision_while_the_promise_is_withdrawn_ends_in_one_lawful_state(
    transactional_db: None, clock: Moment
) -> None:
    demo_city.load()
    clerk = play.person("chuangkou1")
    for _ in range(3):
        case = accept_case(play.received(clock.at, play.item(play.SPOT)), by=clerk, now=clock.at)
        decider = case.decider
        assert decider is not None
        results = together(
            partial(decide, case, approve=True, by=decider, now=clock.at),
            partial(withdraw_promise, case, by=clerk, door=Door.WINDOW, now=clock.at),
        )
        refused = [result for result in results if isinstance(result, Refused)]
        assert len(refused) == 1
        assert refused[0].conflict
        case.refresh_from_db()
        promise = Promise.objects.get(case=case)
        if case.status == CaseStatus.WITHDRAWN:
            assert promise.withdrawn_at is not None
            assert not hasattr(case, "licence")
        else:
            assert (case.status, promise.withdrawn_at) == (CaseStatus.COMPLETED, None)


@pytest.mark.django_db(transaction=True)
def test_two_clerks_sign_at_once_and_one_paper_comes_of_it(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    case = play.promising(clock.at, play.item(play.SPOT), signed=False)
    by = play.person("chuangkou1")
    credit_gate.ask(case, by=by, now=clock.at)
    credit_gate.settle(case, allowed=True, reason="", by=by, now=clock.at)
    letter = letter_of(case)
    assert letter is not None
    uploads.store(ContentFile(SCAN, "a.pdf"), intake_key=case.intake_key, slot=slot_of(letter), by=by, now=clock.at)
    signing = Signing(signer="李某某", capacity="legal", method="paper", clauses=range(1, 5))
    results = together(*[lambda: sign_promise(case, signing=signing, by=by, now=clock.at)] * 2)
    assert sorted(isinstance(result, Promise) for result in results) == [False, True]
    assert case.documents.filter(kind="promise").count() == 1


def test_the_modes_are_those_of_the_catalogue() -> None:
    assert set(MEANINGS) == set(CHECKS) == set(CONSEQUENCES) == set(PromiseMode.values)
