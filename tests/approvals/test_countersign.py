"""内部会签: other offices answer in parallel with the review, blind, and nobody decides before them (O3.2.1c)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.enums import CaseAct
from approvals.models import Case, Countersignature
from ledger.models import Entry
from oversight.demo import weighing as demo
from tests.approvals import play, weighing
from tests.approvals.weighing import PLANNING, give, second
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Browser = Callable[[str], Client]
SIGNER = "ziranziyuanheguihua.huiqiana"


@pytest.fixture
def case(city: None, clock: Moment) -> Case:
    """A case in review that another office was asked to countersign."""
    return play.accepted(clock.at, play.item(PLANNING))


def url(case: Case) -> str:
    return reverse("office:countersign", args=[case.number])


def test_it_is_asked_at_acceptance_and_stands_in_the_offices_list(case: Case, sign_in: Browser) -> None:
    asked = Countersignature.objects.get(case=case)
    assert asked.office.name == "规划实施监督处"
    assert Entry.objects.get(stream=case.stream, act=CaseAct.COUNTERSIGN_ASKED).data == {"offices": [asked.office_id]}
    desk = sign_in(SIGNER)
    listed = desk.get(reverse("office:list"), {"tab": "countersign"}).content.decode()
    assert url(case) in listed
    assert case.applicant_name not in listed
    assert case.number in desk.get(reverse("office:export"), {"tab": "countersign"}).getvalue().decode()
    shown = desk.get(url(case)).content.decode()
    assert case.applicant_name not in shown
    assert case.contact_phone not in shown
    assert case.materials.all()[0].name in shown


def test_nobody_decides_before_the_answer(case: Case, sign_in: Browser) -> None:
    give(case, case.reviewer)
    give(case, second(case))
    answer = weighing.decide(case)
    assert answer.status_code == 422
    assert "规划实施监督处还没有会签" in answer.content.decode()
    assert sign_in(SIGNER).post(url(case), {"verdict": "agree", "text": "无意见。"}).status_code == 302
    assert Entry.objects.get(stream=case.stream, act=CaseAct.COUNTERSIGNED).data["agree"] is True
    assert case.number not in sign_in(SIGNER).get(reverse("office:list"), {"tab": "countersign"}).content.decode()
    assert weighing.decide(case).status_code == 302


def test_approval_against_a_dissent_needs_its_reasons(case: Case, sign_in: Browser) -> None:
    give(case, case.reviewer)
    give(case, second(case))
    sign_in(SIGNER).post(url(case), {"verdict": "disagree", "text": "与在批项目冲突。"})
    shown = weighing.browser(weighing.decider(case)).get(reverse("office:case", args=[case.number])).content.decode()
    assert "与在批项目冲突" in shown
    answer = weighing.decide(case)
    assert answer.status_code == 422
    assert "仍决定准予的，请写明理由" in answer.content.decode()
    assert weighing.decide(case, text="在批项目已调整，不再冲突。").status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [({"verdict": "agree", "text": " "}, "请写明会签意见"), ({"text": "无意见。"}, "请选择“同意”或“不同意”")],
)
def test_an_answer_without_words_or_verdict_comes_back(
    case: Case, sign_in: Browser, form: dict[str, str], words: str
) -> None:
    answer = sign_in(SIGNER).post(url(case), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Countersignature.objects.get(case=case).signed_at is None


def test_it_is_answered_once(case: Case, sign_in: Browser) -> None:
    for username, status in ((SIGNER, 302), (SIGNER, 409), ("ziranziyuanheguihua.huiqianb", 409)):
        answer = sign_in(username).post(url(case), {"verdict": "agree", "text": "无意见。"})
        assert answer.status_code == status, username


def test_words_that_name_the_applicant_are_refused(case: Case, sign_in: Browser) -> None:
    answer = sign_in(SIGNER).post(url(case), {"verdict": "agree", "text": f"{case.applicant_name}的项目无意见。"})
    assert answer.status_code == 422
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.APPLICANT_NAMED).exists()


def test_a_countersigner_does_nothing_else_and_nobody_else_countersigns(case: Case, sign_in: Browser) -> None:
    desk = sign_in(SIGNER)
    for name in ("case", "sheet", "opinion", "decision", "complete", "site_plan", "lead"):
        assert desk.post(reverse(f"office:{name}", args=[case.number])).status_code == 404, name
    assert case.reviewer is not None
    for username in (case.reviewer.username, weighing.decider(case).username, "zhujian.shenchaa"):
        assert sign_in(username).get(url(case)).status_code == 404, username
        assert sign_in(username).post(url(case), {"verdict": "agree", "text": "好"}).status_code == 404
    assert sign_in("chuangkou1").get(url(case)).status_code in {403, 404}


def test_an_item_without_countersigning_offices_asks_nobody(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at)
    assert not Countersignature.objects.filter(case=case).exists()
    assert weighing.decide(case).status_code == 302


def test_the_demo_answers_for_every_office(case: Case, clock: Moment) -> None:
    demo.countersign(case, clock.at)
    assert not Countersignature.objects.filter(signed_at__isnull=True).exists()
