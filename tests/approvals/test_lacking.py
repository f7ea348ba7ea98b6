"""Accepted by law, and still without what the item asks for: nobody approves, and the applicant may still bring it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from approvals import credit_gate
from approvals.actions import decide
from approvals.actions.intake import slot_of
from approvals.enums import CaseStatus, Way
from approvals.exceptions import Refused
from approvals.lacking import lacking
from approvals.models import Case, CorrectionNotice, CreditCheck, Decision, Document, Opinion, Sheet
from approvals.sheets import wants_sheet
from approvals.tasks import deem_lapsed
from credit.models import CreditRecord
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from offices.tokens import issue
from oversight.demo.weighing import advise, countersign, visit
from tests.approvals import play
from tests.approvals.test_door import opened
from tests.approvals.window import PDF, text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
TOO_LATE = "2026-10-11 00:01"
MONDAY = "2026-10-12 09:00"
ON_PROMISE = "公共场所卫生许可（新办，告知承诺）"  # handled on promise only, decided on the spot
FIRE = "公众聚集场所营业前消防安全检查（告知承诺）"  # on promise only; no material stands for the promise
EITHER_WAY = "公共场所卫生许可（新办，一般程序）"
SCORED = "固定资产投资项目节能审查"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def deemed(clock: Moment, name: str, *, promise: bool = False) -> Case:
    """A case that nobody answered in five working days; it lacks a material, or its promise was never signed."""
    if promise:
        case = play.promising(clock.at, play.item(name), signed=False)
    else:
        case = play.received(clock.at, play.item(name), complete=False)
    clock.to(TOO_LATE)
    deem_lapsed()
    clock.to(MONDAY)
    found = again(case)
    assert found.is_deemed
    assert found.status == CaseStatus.IN_REVIEW
    return found


def caller(username: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(username)).token}")
    return client


def handed_in(case: Case) -> dict[str, str]:
    return {f"m-{slot_of(line)}": "provided" for line in lacking(case.pk)}


def decider_of(case: Case) -> str:
    if case.decider is not None:
        return case.decider.username
    assert case.reviewer is not None
    return play.holder(Posting.Role.DECIDER, case, case.reviewer, case.intake_by).username


@pytest.mark.parametrize("name", [EITHER_WAY, ON_PROMISE])
def test_a_promise_that_nobody_signed_waives_nothing(clock: Moment, sign_in: SignIn, name: str) -> None:
    case = deemed(clock, name, promise=True)
    missing = lacking(case.pk)
    assert missing
    assert case.way == Way.ORDINARY
    assert not case.materials.filter(state__in=["promised", "deferred"]).exists()
    assert all(line.material is not None and not line.material.is_promise_letter for line in missing)
    data = Entry.objects.get(stream=case.stream, act="case.deemed_accepted").data
    assert (data["promise_dropped"], data["missing"]) == (True, [line.pk for line in missing])
    sms = Message.objects.get(kind="applicant_deemed", reference=case.stream).text
    assert "告知承诺书没有签署，本件改按一般方式办理，须交齐全部材料" in sms
    assert missing[0].name[:10] in sms
    page = text_of(Client().post("/progress/", {"number": case.number, "code": case.query_code}, follow=True))
    assert "还缺材料，请尽快补交" in page
    assert "告知承诺书没有签署" in page
    assert all(line.name in page for line in missing)


def test_a_promise_closed_by_the_credit_rule_and_undecided_is_ordinary(clock: Moment, sign_in: SignIn) -> None:
    case = play.promising(clock.at, play.item(EITHER_WAY), signed=False)
    check = credit_gate.ask(case, by=play.person("chuangkou1"), now=clock.at)
    CreditCheck.objects.filter(pk=check.pk).update(
        rule_allows=False, allowed=None, decided_at=None, decided_by=None, reason=""
    )
    clock.to(TOO_LATE)
    deem_lapsed()
    assert again(case).way == Way.ORDINARY
    assert lacking(case.pk)


@pytest.mark.parametrize("last", ["breach", "asked", "denied"])
def test_a_signed_promise_that_the_credit_rule_closed_since_waives_nothing(
    city: None, clock: Moment, last: str
) -> None:
    case, clerk = play.promising(clock.at, play.item(EITHER_WAY)), play.person("chuangkou1")
    CreditRecord.objects.create(
        subject=case.applicant, kind="broken_promise", source="J1", basis="核查与承诺不符", found_at=clock.at
    )
    if last != "breach":
        credit_gate.ask(case, by=clerk, now=clock.at)
    if last == "denied":
        credit_gate.settle(case, allowed=False, reason="", by=clerk, now=clock.at)
    clock.to(TOO_LATE)
    deem_lapsed()
    found = again(case)
    assert (found.is_deemed, found.way, found.promise_clauses) == (True, Way.ORDINARY, [])
    assert lacking(case.pk)
    sms = Message.objects.get(kind="applicant_deemed", reference=case.stream).text
    assert ("签署的告知承诺没有被采用" in sms, "没有签署" in sms) == (True, False)
    page = text_of(Client().post("/progress/", {"number": case.number, "code": case.query_code}, follow=True))
    assert "签署的告知承诺没有被采用，本件改按一般方式办理" in page


@pytest.mark.parametrize("signed", [True, False])
def test_an_item_on_promise_only_is_not_approved_without_one(
    city: None, clock: Moment, sign_in: SignIn, signed: bool
) -> None:
    case = play.promising(clock.at, play.item(FIRE), signed=signed)
    CreditRecord.objects.create(
        subject=case.applicant, kind="broken_promise", source="J1", basis="核查与承诺不符", found_at=clock.at
    )
    clock.to(TOO_LATE)
    deem_lapsed()
    clock.to(MONDAY)
    found = again(case)
    assert (found.way, lacking(case.pk)) == (Way.ORDINARY, [])
    browser, url = sign_in(decider_of(found)), f"/office/{case.number}/decision/"
    refused = browser.post(url, {"verdict": "approve", "text": ""})
    assert (refused.status_code, "没有有效的承诺，不能准予许可" in text_of(refused)) == (422, True)
    assert not Decision.objects.filter(case=case).exists()
    if signed:
        page = text_of(sign_in("chuangkou1").get(f"/window/cases/{case.number}/"))
        assert "承诺没有采用" in page
        assert f"/window/cases/{case.number}/promise/" in page


def test_a_signed_promise_that_still_holds_goes_on(city: None, clock: Moment) -> None:
    case = play.promising(clock.at, play.item(EITHER_WAY))
    clock.to(TOO_LATE)
    deem_lapsed()
    assert again(case).way == Way.PROMISE


def test_the_decision_on_the_spot_refuses_approval_and_takes_a_rejection(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock, ON_PROMISE, promise=True)
    assert case.on_the_spot
    name = lacking(case.pk)[0].name
    decider = decider_of(case)
    browser, url = sign_in(decider), f"/office/{case.number}/"
    page = text_of(browser.get(url))
    assert "缺少必要材料，现在不能准予" in page
    assert page.index("缺少必要材料，现在不能准予") < page.index('value="approve"')
    refused = browser.post(f"{url}decision/", {"verdict": "approve", "text": ""})
    assert refused.status_code == 422
    assert f"“{name}”" in text_of(refused)
    assert not Decision.objects.filter(case=case).exists()
    answer = caller(decider).post(f"/api/v1/reviews/{case.number}/decision/", {"approve": True}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "materials-missing")
    key = f"material:{lacking(case.pk)[0].material_id}"
    done = browser.post(f"{url}decision/", {"verdict": "reject", "keys": [key], "text": ""})
    assert done.status_code == 302
    assert again(case).status == CaseStatus.REJECTED
    assert Document.objects.get(case=case, kind="rejection").content["table"] == [["1", f"未提交：{name}"]]


def test_a_reviewer_advises_no_approval_and_may_advise_rejection(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock, "商品房预售许可")
    assert case.reviewer is not None
    if wants_sheet(case.business_item):
        pytest.fail("this one is to have a plain opinion")
    visit(case, clock.at)
    countersign(case, clock.at)
    name = lacking(case.pk)[0].name
    browser, url = sign_in(case.reviewer.username), f"/office/{case.number}/"
    assert "缺少必要材料，现在不能准予" in text_of(browser.get(url))
    refused = browser.post(f"{url}opinion/", {"verdict": "approve", "text": "符合"})
    assert (refused.status_code, f"“{name}”" in text_of(refused)) == (422, True)
    assert not Opinion.objects.filter(case=case).exists()
    key = f"material:{lacking(case.pk)[0].material_id}"
    done = browser.post(f"{url}opinion/", {"verdict": "reject", "text": "缺材料", "keys": [key]})
    assert done.status_code == 302
    assert Opinion.objects.get(case=case).grounds == [{"key": key, "text": f"未提交：{name}"}]


def test_a_score_sheet_advises_no_approval(city: None, clock: Moment) -> None:
    case = deemed(clock, SCORED)
    assert case.reviewer is not None
    assert wants_sheet(case.business_item)
    with pytest.raises(Refused) as refused:
        advise(case, clock.at)
    assert refused.value.code == "materials-missing"
    assert not Sheet.objects.filter(case=case, given_at__isnull=False).exists()


def test_the_decision_itself_refuses_whatever_the_opinion_says(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at)
    line = case.materials.filter(required=True)[0]
    line.state = "missing"
    line.save(update_fields=["state"])
    assert case.reviewer is not None
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    with pytest.raises(Refused) as refused:
        decide(case, approve=True, by=decider, now=clock.at)
    assert (refused.value.code, line.name in refused.value.message) == ("materials-missing", True)


def test_what_became_missing_keeps_a_licence_from_being_made(clock: Moment, sign_in: SignIn) -> None:
    case = play.approved(clock.at)
    assert case.reviewer is not None
    case.materials.filter(pk=case.materials.filter(required=True)[0].pk).update(state="missing")
    answer = sign_in(case.reviewer.username).post(f"/office/{case.number}/completion/")
    assert answer.status_code in {409, 422}
    assert again(case).status == CaseStatus.APPROVED


def test_the_window_takes_in_what_is_missing_and_approval_is_open(clock: Moment, sign_in: SignIn) -> None:
    case = deemed(clock, ON_PROMISE, promise=True)
    browser, url = sign_in("chuangkou1"), f"/window/cases/{case.number}/"
    assert "补交材料" in text_of(browser.get(url))
    page = text_of(browser.get(f"{url}owed/"))
    assert all(line.name in page for line in lacking(case.pk))
    assert "不是补正告知" in page
    half = dict(list(handed_in(case).items())[:1])
    assert browser.post(f"{url}owed/", half).status_code == 302
    assert lacking(case.pk)
    assert browser.post(f"{url}owed/", handed_in(case)).status_code == 302
    assert not lacking(case.pk)
    assert not CorrectionNotice.objects.filter(case=case).exists()
    assert Entry.objects.filter(stream=case.stream, act="case.material_added").count() == 2
    assert browser.post(f"{url}owed/", {"m-1": "provided"}).status_code == 409
    decider = sign_in(decider_of(case))
    assert "现在不能准予" not in text_of(decider.get(f"/office/{case.number}/"))
    assert decider.post(f"/office/{case.number}/decision/", {"verdict": "approve", "text": ""}).status_code == 302
    assert again(case).status == CaseStatus.COMPLETED


def test_the_applicant_hands_in_through_the_own_door(city: None, clock: Moment) -> None:
    case = deemed(clock, "商品房预售许可")
    [line] = lacking(case.pk)
    browser = opened(case)
    url = f"/progress/{case.number}/acts/"
    page = text_of(browser.get(url))
    assert "提交材料" in page
    assert line.name in page
    file = SimpleUploadedFile("证明.pdf", PDF, "application/pdf")
    done = browser.post(url, {"act": "hand_in", f"file-{slot_of(line)}": file})
    assert done.status_code == 302
    assert not lacking(case.pk)
    assert line.uploads.count() == 1
    assert "提交材料" not in text_of(browser.get(url))


def test_signed_and_complete_cases_are_not_held_up(clock: Moment, sign_in: SignIn) -> None:
    case = play.promising(clock.at, play.item(ON_PROMISE))
    clock.to(TOO_LATE)
    deem_lapsed()
    found = again(case)
    assert found.way == Way.PROMISE
    assert not lacking(case.pk)
    assert "还缺" not in Message.objects.get(kind="applicant_deemed", reference=case.stream).text
