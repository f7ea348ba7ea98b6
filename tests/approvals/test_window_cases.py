"""The case page of the window: each act, its refusals, two clerks at once, and what the window must not see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from approvals.actions import accept_case, complete_case
from approvals.actions.intake import correction_choices, required_points
from approvals.enums import CaseStatus, MaterialState
from approvals.models import Case, Delivery, NotAccepted
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Sign = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _store(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


@pytest.fixture
def clerk(clock: Moment, sign_in: Sign) -> Client:
    """The window clerk."""
    return sign_in("chuangkou1")


def at(case: Case, name: str = "case") -> str:
    return reverse(f"window:{name}", args=[case.number])


def missing_slot(case: Case) -> str:
    line = case.materials.filter(required=True, state=MaterialState.MISSING)[0]
    return str(line.material_id)


def status(case: Case) -> str:
    case.refresh_from_db()
    return case.status


def test_the_page_tells_where_the_case_is_and_what_comes_next(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at)
    html = window.text_of(clerk.get(at(case)))
    for words in (
        case.number,
        case.query_code,
        case.applicant_name,
        "接收凭证",
        "一次性告知期限",
        "收件",
        "受理",
        "不予受理",
    ):
        assert words in html
    assert f'href="{at(case, "correct")}"' in html
    assert f'href="{at(case, "refuse")}"' in html


def test_accepting_and_the_colleague_who_is_too_late(clerk: Client, clock: Moment, sign_in: Sign) -> None:
    case = play.received(clock.at)
    assert clerk.post(at(case), {"act": "accept"}).status_code == 302
    assert status(case) == CaseStatus.IN_REVIEW
    late = sign_in("chuangkou2").post(at(case), {"act": "accept"})
    assert late.status_code == 409
    html = window.text_of(late)
    assert "可能有同事已先一步办理" in html
    assert f'href="{at(case)}"' in html


def test_what_the_applicant_adds_is_taken_in_with_the_acceptance(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    refused = clerk.post(at(case), {"act": "accept"})
    assert refused.status_code == 422
    assert "还缺 1 项必要材料" in window.text_of(refused)
    slot = missing_slot(case)
    assert clerk.post(at(case), {"act": "accept", f"file-{slot}": window.file()}).status_code == 302
    assert status(case) == CaseStatus.IN_REVIEW


def test_a_wrong_file_keeps_the_ticks(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    slot = missing_slot(case)
    answer = clerk.post(at(case), {"act": "save", f"m-{slot}": "provided", f"file-{slot}": window.file(window.EXE)})
    assert answer.status_code == 422
    assert "不是 PDF" in window.text_of(answer)
    assert f'id="m-{slot}" value="provided" data-tick checked' in window.text_of(answer)
    assert status(case) == CaseStatus.SUBMITTED


def test_materials_are_saved_without_accepting(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    slot = missing_slot(case)
    clerk.post(at(case), {"act": "save", f"m-{slot}": "provided"})
    assert not case.materials.filter(required=True, state=MaterialState.MISSING).exists()
    assert status(case) == CaseStatus.SUBMITTED


def test_one_correction_with_everything_and_never_a_second(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    required = required_points(case)
    page = window.text_of(clerk.get(at(case, "correct")))
    for choice in correction_choices(case):
        assert choice["text"] in page
    for key in required:
        assert f'<input type="hidden" name="keys" value="{key}">' in page
    forgotten = clerk.post(at(case, "correct"), {"keys": [], "remark-x": "写到一半"})
    assert forgotten.status_code == 422
    assert "还漏了" in window.text_of(forgotten)
    unknown = clerk.post(at(case, "correct"), {"keys": [*required, "condition:999999"]})
    assert unknown.status_code == 422
    assert "只能依据已公布的材料和条件" in window.text_of(unknown)
    extra = next(choice for choice in correction_choices(case) if choice["key"] not in required)
    remark = {f"remark-{extra['key']}": "缺第 3 页"}
    sent = clerk.post(at(case, "correct"), {"keys": [*required, extra["key"]], **remark})
    assert sent.status_code == 302
    assert status(case) == CaseStatus.CORRECTION_REQUESTED
    assert any("缺第 3 页" in point["text"] for point in case.correction_notice.points)
    for answer in (clerk.get(at(case, "correct")), clerk.post(at(case, "correct"), {"keys": list(required)})):
        assert answer.status_code == 409
        assert "依法不得再次告知" in window.text_of(answer)


def test_the_answer_comes_in_and_the_page_offers_no_second_notice(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    slot = missing_slot(case)
    clerk.post(at(case, "correct"), {"keys": list(required_points(case))})
    assert "补正收件" in window.text_of(clerk.get(at(case)))
    assert clerk.post(at(case), {"act": "answer", f"m-{slot}": "provided"}).status_code == 302
    assert status(case) == CaseStatus.SUBMITTED
    html = window.text_of(clerk.get(at(case)))
    assert at(case, "correct") not in html
    assert clerk.post(at(case), {"act": "answer"}).status_code == 409
    assert clerk.post(at(case), {"act": "accept"}).status_code == 302


def test_a_refusal_needs_its_ground_and_its_reason(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at)
    page = window.text_of(clerk.get(at(case, "refuse")))
    assert "督办人员的不予受理清单" in page
    without = clerk.post(at(case, "refuse"), {"ground": "not_our_duty", "reason": "  "})
    assert without.status_code == 422
    assert "不予受理必须说明原因" in window.text_of(without)
    assert "请选择不予受理的法定理由" in window.text_of(clerk.post(at(case, "refuse"), {"reason": "已写的原因"}))
    early = clerk.post(at(case, "refuse"), {"ground": "not_corrected", "reason": "已写的原因"})
    assert early.status_code == 422
    assert "请先一次性告知" in window.text_of(early)
    assert "已写的原因" in window.text_of(early)
    assert clerk.post(at(case, "refuse"), {"ground": "not_our_duty", "reason": "属东海县。"}).status_code == 302
    assert NotAccepted.objects.get().reason == "属东海县。"
    assert clerk.post(at(case, "refuse"), {"ground": "not_our_duty", "reason": "再来。"}).status_code == 409


def test_delivery_at_the_counter_once(clerk: Client, clock: Moment, sign_in: Sign) -> None:
    case = play.completed(clock.at)
    counter = sign_in("chujian1")
    assert "出件" in window.text_of(counter.get(at(case)))
    without = counter.post(at(case), {"act": "deliver", "method": "post", "receiver": "", "tracking": ""})
    assert without.status_code == 422
    for words in ("请填写领取人或收件人姓名", "邮寄送达请填写邮件号"):
        assert words in window.text_of(without)
    form = {"act": "deliver", "method": "counter", "receiver": "演示领取人", "tracking": ""}
    assert counter.post(at(case), form).status_code == 302
    assert Delivery.objects.get().receiver == "演示领取人"
    assert clerk.post(at(case), form).status_code == 409
    assert "演示领取人" in window.text_of(clerk.get(at(case)))


def test_the_delivery_counter_takes_nothing_in(clock: Moment, sign_in: Sign) -> None:
    case = play.received(clock.at)
    counter = sign_in("chujian1")
    assert counter.get(at(case)).status_code == 200
    assert counter.post(at(case), {"act": "accept"}).status_code == 404
    for name in ("correct", "refuse"):
        assert counter.get(at(case, name)).status_code == 404
    assert counter.get(reverse("window:items")).status_code == 404
    assert status(case) == CaseStatus.SUBMITTED


def test_an_unknown_act_is_not_found(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at)
    assert clerk.post(at(case), {"act": "complete"}).status_code == 404
    assert clerk.post(at(case), {"act": "refresh"}).status_code == 200


def test_the_window_sees_no_officer_of_the_back_office(clerk: Client, clock: Moment) -> None:
    case = play.completed(clock.at)
    assert case.reviewer is not None
    assert case.decider is not None
    html = window.text_of(clerk.get(at(case))) + window.text_of(clerk.get(at(case, "preview")))
    for officer in (case.reviewer, case.decider):
        assert officer.full_name not in html
        assert officer.username not in html
    for words in ("抽取审查人员", "出具审查意见", "作出准予许可决定", "审查处室", "监管进展", "已推送监管部门"):
        assert words in html


def test_a_case_that_moves_reloads_an_idle_page_and_warns_a_busy_one(clerk: Client, clock: Moment) -> None:
    case = play.received(clock.at)
    page = window.text_of(clerk.get(at(case)))
    poll = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert clerk.get(poll).status_code == 204
    accept_case(case, by=play.person("chuangkou2"), now=clock.to("2026-09-28 10:05"))
    moved = clerk.get(poll)
    assert moved.status_code == 286
    assert "这件办件有新进展" in window.text_of(moved)
    assert clerk.get(poll + "&idle=1").headers["HX-Refresh"] == "true"


def test_the_page_costs_the_same_whatever_it_holds(
    clerk: Client, clock: Moment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = play.approved(clock.at)
    assert case.reviewer is not None
    complete_case(case, by=case.reviewer, now=clock.at)
    clerk.get(at(case))
    with django_assert_max_num_queries(20):
        clerk.get(at(case))
