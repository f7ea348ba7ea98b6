"""The back office's case page: opinion, decision, completion; every refusal beside its field and nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.actions import decide
from approvals.actions.review import ground_choices
from approvals.enums import CaseStatus, Outcome
from approvals.models import Case, Decision, Opinion
from catalogue.models import Linkage
from offices.models import Posting
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
DECIDER = "zhujian.juedinga"
SPOT = "公共场所卫生许可（新办，告知承诺）"


def url(case: Case, act: str = "case") -> str:
    return reverse(f"office:{act}", args=[case.number])


def reviewer_of(case: Case, sign_in: SignIn) -> Client:
    assert case.reviewer is not None
    return sign_in(case.reviewer.username)


def one_ground(case: Case) -> str:
    return ground_choices(case)[-1]["key"]


def test_the_whole_road_through_the_pages(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    reviewer = reviewer_of(case, sign_in)
    html = reviewer.get(url(case)).content.decode()
    assert "建议准予" in html
    assert "申请人信息已隐去" in html
    assert "为什么是这一天" in html
    done = reviewer.post(url(case, "opinion"), {"verdict": "approve", "text": "符合条件。"}, follow=True)
    assert "审查意见已提交" in done.content.decode()
    decider = sign_in(DECIDER)
    html = decider.get(url(case)).content.decode()
    assert "符合条件。" in html
    assert str(case.reviewer) in html
    assert decider.post(url(case, "decision"), {"verdict": "approve"}, follow=True).status_code == 200
    html = reviewer.get(url(case)).content.decode()
    assert "办结（制证并移交出件窗口）" in html
    for linkage in Linkage.objects.active().filter(business_item=case.business_item).select_related("office"):
        assert linkage.office.name in html
    html = reviewer.post(url(case, "complete"), follow=True).content.decode()
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED
    assert case.licence.number in html
    for task in SupervisionTask.objects.filter(case=case):
        assert task.number in html


def test_a_rejection_needs_its_grounds_and_loses_nothing(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    reviewer = reviewer_of(case, sign_in)
    back = reviewer.post(url(case, "opinion"), {"verdict": "reject", "text": "资金不到位"})
    assert back.status_code == 422
    html = back.content.decode()
    assert "请一次性勾选全部不符合之处" in html
    assert "资金不到位" in html
    back = reviewer.post(url(case, "opinion"), {"verdict": "reject", "text": "", "keys": [one_ground(case)]})
    assert back.status_code == 422
    assert "请写明审查意见" in back.content.decode()
    assert f'value="{one_ground(case)}" checked' in back.content.decode()
    back = reviewer.post(url(case, "opinion"), {"text": "资金不到位"})
    assert back.status_code == 422
    assert not Opinion.objects.exists()
    reviewer.post(url(case, "opinion"), {"verdict": "reject", "text": "资金不到位", "keys": [one_ground(case)]})
    decider = sign_in(DECIDER)
    assert f'value="{one_ground(case)}" checked' in decider.get(url(case)).content.decode()
    assert decider.post(url(case, "decision"), {"verdict": "reject"}).status_code == 422
    data = {"verdict": "reject", "keys": [one_ground(case)], "text": "见理由"}
    done = decider.post(url(case, "decision"), data, follow=True)
    assert "不予许可" in done.content.decode()
    case.refresh_from_db()
    assert case.status == CaseStatus.REJECTED
    assert Decision.objects.get(case=case).grounds[0]["key"] == one_ground(case)


def test_a_ground_outside_the_published_list_is_refused(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    back = reviewer_of(case, sign_in).post(
        url(case, "opinion"), {"verdict": "reject", "text": "不行", "keys": ["condition:999999"]}
    )
    assert back.status_code == 422
    assert "只能来自已公布的条件和材料" in back.content.decode()


def test_on_the_spot_one_press_decides_and_completes(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(SPOT))
    assert case.decider is not None
    decider = sign_in(case.decider.username)
    html = decider.get(url(case)).content.decode()
    assert "即办件：请当场决定" in html
    assert "同时生成监管任务" in html
    decider.post(url(case, "decision"), {"verdict": "approve"})
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED
    assert case.outcome == Outcome.LICENSED
    assert SupervisionTask.objects.filter(case=case).exists()


def test_the_second_of_two_reads_a_kind_sentence(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at)
    first, second = sign_in(DECIDER), sign_in("zhujian.juedingb")
    assert first.post(url(case, "decision"), {"verdict": "approve"}).status_code == 302
    late = second.post(url(case, "decision"), {"verdict": "approve"})
    assert late.status_code == 409
    assert "可能有同事已先一步办理" in late.content.decode()
    assert url(case) in late.content.decode()
    assert first.post(url(case, "complete")).status_code == 302
    assert second.post(url(case, "complete")).status_code == 409
    assert Decision.objects.filter(case=case).count() == 1
    spot = play.accepted(clock.at, play.item(SPOT))
    assert sign_in("weijian.juedingb").post(url(spot, "decision"), {"verdict": "approve"}).status_code == 409


def test_the_second_gets_back_what_was_typed(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    assert browser.post(url(case, "opinion"), {"verdict": "approve", "text": "符合条件。"}).status_code == 302
    again = browser.post(url(case, "opinion"), {"verdict": "approve", "text": "另有<两点>，见附页。"})
    assert again.status_code == 409
    assert "另有&lt;两点&gt;，见附页。</textarea>" in again.content.decode()


def test_the_reviewer_of_a_case_never_decides_it(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at)
    assert case.reviewer is not None
    own = Posting.objects.get(user=case.reviewer, role="reviewer")
    Posting.objects.create(
        user=case.reviewer, department=own.department, office=own.office, role="decider", starts_on=own.starts_on
    )
    browser = sign_in(case.reviewer.username)
    assert 'id="act"' not in browser.get(url(case)).content.decode()
    back = browser.post(url(case, "decision"), {"verdict": "approve"})
    assert back.status_code == 422
    assert "不能是同一人" in back.content.decode()


@pytest.mark.parametrize("act", ["case", "opinion", "decision", "complete"])
def test_people_of_other_offices_find_nothing(city: None, clock: Moment, sign_in: SignIn, act: str) -> None:
    case = play.reviewed(clock.at)
    strangers = ["jiaotong.shenchaa", "jiaotong.juedinga", "zhujian.shencha2a", "zhujian.jueding2a", "chuangkou1",
                 "zhujian.chushi", "duban1", "donghai.chuangkou1"]  # fmt: skip
    county = Posting.objects.filter(role="reviewer", department__division__code="320722").select_related("user")[0]
    for name in [*strangers, county.user.username]:
        browser = sign_in(name)
        assert browser.get(url(case, act)).status_code == 404
        assert browser.post(url(case, act), {"verdict": "approve", "text": "好"}).status_code == 404
    assert not Decision.objects.exists()


def test_a_colleague_reviewer_sees_the_case_once_it_is_approved(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at)
    assert case.reviewer is not None
    other = play.holder(Posting.Role.REVIEWER, case, case.reviewer)
    assert sign_in(other.username).get(url(case)).status_code == 404
    decide(case, approve=True, by=play.person(DECIDER), now=clock.at)
    assert sign_in(other.username).get(url(case)).status_code == 200


def test_an_address_of_an_act_leads_back_to_the_page(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    browser = reviewer_of(case, sign_in)
    assert browser.get(url(case, "opinion")).headers["Location"] == url(case)
    assert browser.get(url(case, "complete")).headers["Location"] == url(case)
    assert browser.post(url(case, "complete")).status_code == 409
