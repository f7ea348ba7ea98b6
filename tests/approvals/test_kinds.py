"""Kinds of items at the window: on the spot in one sitting, filings without a review (O3.1.1c, O3.1.2b, O3.3.3)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from approvals.actions import accept_case, refuse_acceptance, request_correction
from approvals.actions.intake import required_points
from approvals.enums import CaseStatus, Outcome
from approvals.models import Case, Decision, Document, Opinion
from catalogue.enums import ItemKind, ItemStatus
from catalogue.models import BusinessItem
from ledger.models import Entry
from notifications.models import Message
from supervision.models import SupervisionTask
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
OVERSIZE = "公路超限运输许可（一类件）"
Sign = Callable[[str], Client]
FILINGS = [
    "建设项目环境影响登记表备案",
    "其他建设工程消防验收备案（抽查）",
    "仅销售预包装食品备案",
]


@pytest.fixture(autouse=True)
def _uploads(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


def taken_in(browser: Client, item: BusinessItem) -> Case:
    """An application filled in at the window and sent in one press."""
    answer = browser.post(reverse("window:intake", args=[item.code]), window.filled(item))
    assert answer.status_code == 302, window.text_of(answer)
    return Case.objects.get()


def test_on_the_spot_from_the_counter_to_the_licence_in_one_sitting(clock: Moment, sign_in: Sign) -> None:
    clerk = sign_in("chuangkou1")
    case = taken_in(clerk, play.item(OVERSIZE))
    assert (case.status, case.reviewer, case.on_the_spot) == (CaseStatus.IN_REVIEW, None, True)
    assert case.decider is not None
    assert case.decider != case.intake_by
    decided = sign_in(case.decider.username).post(
        reverse("office:decision", args=[case.number]), {"verdict": "approve"}, follow=True
    )
    assert decided.status_code == 200
    case.refresh_from_db()
    assert (case.status, case.outcome) == (CaseStatus.COMPLETED, Outcome.LICENSED)
    assert case.received_at == case.accepted_at == case.decided_at == case.completed_at == clock.at
    assert not Opinion.objects.filter(case=case).exists()
    assert case.tasks.count() == case.business_item.linkages.filter(active=True).count() > 0
    handed = clerk.post(
        reverse("window:case", args=[case.number]), {"act": "deliver", "method": "counter", "receiver": "李四"}
    )
    assert handed.status_code in {302, 404}  # 404: this clerk only takes in
    page = window.text_of(clerk.get(reverse("window:case", args=[case.number])))
    assert case.licence.number in page


@pytest.mark.parametrize("name", FILINGS)
def test_a_filing_is_accepted_on_formal_completeness_and_opens_its_tasks(
    clock: Moment, sign_in: Sign, name: str
) -> None:
    item = play.item(name)
    assert item.item.is_filing
    case = taken_in(sign_in("chuangkou1"), item)
    assert (case.status, case.outcome) == (CaseStatus.COMPLETED, Outcome.FILED)
    assert case.completed_at == clock.at
    assert {paper.kind for paper in case.documents.all()} >= {"receipt", "filing"}
    assert (case.reviewer, case.decider, case.statutory_deadline, case.promised_deadline) == (None, None, None, None)
    assert not Opinion.objects.filter(case=case).exists()
    assert not Decision.objects.filter(case=case).exists()
    acts = set(Entry.objects.filter(stream=case.stream).values_list("act", flat=True))
    assert not acts & {"case.reviewer_drawn", "case.decider_drawn", "case.opinion_given", "case.approved"}
    tasks = SupervisionTask.objects.filter(case=case)
    assert tasks.count() == item.linkages.filter(active=True).count() > 0
    assert Message.objects.filter(kind="task_opened", reference__in=[f"task:{task.pk}" for task in tasks]).exists()


def test_the_papers_of_a_filing_never_speak_of_a_licence(clock: Moment, city: None) -> None:
    clerk, item = play.person("chuangkou1"), play.item("仅销售预包装食品备案")
    filed = accept_case(play.received(clock.at, item), by=clerk, now=clock.at)
    refused = play.received(clock.at, item)
    refuse_acceptance(refused, ground="not_our_duty", reason="应向东海县报送。", by=clerk, now=clock.at)
    asked = play.received(clock.at, item, complete=False)
    request_correction(asked, keys=sorted(required_points(asked)), remarks={}, by=clerk, now=clock.at)
    assert {paper.kind for paper in filed.documents.all()} == {"receipt", "filing"}
    assert {paper.kind for paper in refused.documents.all()} == {"receipt", "not_filed"}
    for paper in Document.objects.filter(case__in=[filed, refused, asked]):
        said = str(paper.content)
        assert not any(word in said for word in ("许可", "受理", "（无）", "作出决定")), paper.kind
    no = refused.documents.get(kind="not_filed")
    assert "不备〔2026〕1号" in no.number
    assert no.content["title"] == "不予备案通知书"
    assert "不属于本机关的备案职责范围" in no.content["paragraphs"][1]
    assert "不予备案" in Message.objects.get(kind="applicant_not_accepted").text


def test_a_filing_that_lacks_a_material_is_not_filed(clock: Moment, sign_in: Sign) -> None:
    clerk, item = sign_in("chuangkou1"), play.item(FILINGS[0])
    slot = window.slots(item)[0]
    answer = clerk.post(reverse("window:intake", args=[item.code]), window.filled(item, **{f"m-{slot}": None}))
    assert answer.status_code == 422
    assert not Case.objects.exists()


def test_what_is_not_on_the_list_of_filings_cannot_be_filed(clock: Moment, sign_in: Sign) -> None:
    """清单之外不得变相审批: an item that is not published is nowhere at the window, whatever is sent."""
    clerk, item = sign_in("chuangkou1"), play.item(FILINGS[0])
    form = window.filled(item)
    for status in (ItemStatus.DRAFT, ItemStatus.RETIRED):
        BusinessItem.objects.filter(pk=item.pk).update(status=status)
        assert clerk.get(reverse("window:intake", args=[item.code])).status_code == 404
        assert clerk.post(reverse("window:intake", args=[item.code]), form).status_code == 404
        assert item.code not in window.text_of(clerk.get(reverse("window:items"), {"q": item.name}))
    assert clerk.post("/window/new/NOT-LISTED/", form).status_code == 404
    assert not Case.objects.exists()


def test_every_filing_of_the_catalogue_has_no_review_and_no_statutory_period(city: None) -> None:
    for item in BusinessItem.objects.published().filter(item__kind=ItemKind.FILING):
        assert item.linkages.filter(active=True).exists(), item.name
        assert not item.criteria.exists(), item.name
        assert not item.site_check, item.name
