"""Papers: every kind is set from its frozen content, for those who may read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from approvals import papers
from approvals.actions import accept_case, decide, refuse_acceptance, request_correction
from approvals.actions.clocks import answer_extension, request_extension, start_procedure
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import IntakeDraft, receive_case, required_points
from approvals.actions.licences import change_licence
from approvals.actions.owing import outstanding
from approvals.actions.revoking import decide_revocation
from approvals.enums import DocumentKind, Door, Way
from approvals.models import Case, Document
from offices.models import Posting
from tests.approvals import debts, play, revoking, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


def promised(clock: Moment) -> Case:
    item = play.item("公共场所卫生许可（新办，告知承诺）")
    form = window.filled(item, way=Way.PROMISE)
    provided = dict.fromkeys(window.slots(item, Way.PROMISE), "provided")
    draft = IntakeDraft(
        business_item=item, intake_key=form["intake_key"], subject_kind=form["subject_kind"],
        identifier=form["identifier"], name=form["name"], contact_name=form["contact_name"],
        contact_phone=form["contact_phone"], way=Way.PROMISE, provided=provided,
    )  # fmt: skip
    clerk = play.person("chuangkou1")
    return play.sign(receive_case(draft, by=clerk, now=clock.at), clerk, clock.at)


def every_kind(clock: Moment) -> dict[str, Document]:
    clerk = play.person("chuangkou1")
    play.approved(clock.at)
    promised(clock)
    missing = play.received(clock.at, complete=False)
    request_correction(missing, keys=sorted(required_points(missing)), remarks={}, by=clerk, now=clock.at)
    refused = play.received(clock.at)
    refuse_acceptance(refused, ground="not_our_duty", reason="应向东海县提出。", by=clerk, now=clock.at)
    case = play.reviewed(clock.at, approve=False)
    assert case.reviewer is not None
    ground = case.business_item.published_grounds()[0]
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    decide(case, approve=False, keys=[f"{ground.kind}:{ground.id}"], by=decider, now=clock.at)
    longer = play.accepted(clock.at, play.item("固定资产投资项目节能审查"))
    assert longer.reviewer is not None
    law = "《中华人民共和国节约能源法》第十五条"
    start_procedure(
        longer, ground="named_law", law=law, estimated_days=15, reason="委托评审", by=longer.reviewer, now=clock.at
    )
    extension = request_extension(longer, days=10, reason="技术方案复杂", by=longer.reviewer, now=clock.at)
    head = Posting.objects.get(department=longer.department, role=Posting.Role.DEPARTMENT_HEAD).user
    answer_extension(extension, grant=True, by=head, now=clock.at)
    filing = play.received(clock.at, play.item("仅销售预包装食品备案"))
    accept_case(filing, by=clerk, now=clock.at)
    unfiled = play.received(clock.at, play.item("仅销售预包装食品备案"))
    refuse_acceptance(unfiled, ground="not_our_duty", reason="应向东海县报送。", by=clerk, now=clock.at)
    withdraw_case(play.accepted(clock.at), by=clerk, door=Door.WINDOW, reason="项目改址", now=clock.at)
    points, until = [{"key": "material:1", "text": "卫生管理制度"}], dt.date(2026, 11, 2)
    said = {"until": until, "consequence": "暂扣许可证。", "signer": "李某某"}
    papers.issue(missing, DocumentKind.TERMINATION, by=None, now=clock.at, points=points)
    papers.issue(
        play.deferring(clock.at), DocumentKind.CANCELLATION, by=clerk, now=clock.at, points=points, text="未补齐。"
    )
    papers.issue(play.received(clock.at), DocumentKind.LATER, by=clerk, now=clock.at, points=points, extra=said)
    for revoke in (True, False):
        one = revoking.heard(clock.at)
        decide_revocation(one, revoke=revoke, **revoking.DECISION, by=revoking.decider(one.case), now=clock.at)
    revoking.planned(revoking.asked(clock.at), dt.date(2026, 10, 13), clock.at)
    licence = revoking.licensed(clock.at)
    change_licence(
        licence, kind="change", content="变更后的许可内容", basis="行政许可法第四十九条", reason="持证人申请变更。",
        by=revoking.decider(licence.case), now=clock.at,
    )  # fmt: skip
    return {document.kind: document for document in Document.objects.order_by("-id")}


def test_every_kind_of_paper_is_complete(clock: Moment, sign_in: Callable[[str], Client], settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://portal.example"
    browser = sign_in("chuangkou1")
    found = every_kind(clock)
    assert set(found) == set(DocumentKind.values)
    for kind, document in found.items():
        html = window.text_of(browser.get(reverse("paper", args=[document.pk])))
        content = document.content
        for text in (content["title"], content["number"], content["to"], content["authority"], content["date"]):
            assert text in html, kind
        assert "电子印章位置" in html
        assert f"https://portal.example/verify/{document.verify_code}/" in html
        for row in content.get("table", []):
            assert all(cell in html for cell in row), kind
        assert all(text in html for text in content["paragraphs"]), kind
        assert f"依据：{content['basis']}。" in html if content.get("basis") else kind == "receipt"
        assert ("行政复议" in html) == (
            kind in {"not_accepted", "not_filed", "rejection", "termination", "cancellation", "revocation"}
        )
        assert (document.digest in html) == (kind == "promise")
        assert "内容与留痕不符" not in html


def test_the_receipt_also_leads_to_the_progress_page(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = play.received(clock.at)
    html = window.text_of(sign_in("chuangkou1").get(reverse("paper", args=[case.documents.get().pk])))
    assert f"/progress/?number={case.number}" in html
    assert html.count('class="paper-qr"') == 2
    assert case.query_code in html


def test_the_back_office_reads_papers_only_after_the_decision(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    case = play.reviewed(clock.at)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    papers = list(case.documents.all())
    assert [browser.get(reverse("paper", args=[paper.pk])).status_code for paper in papers] == [404] * len(papers)
    assert sign_in(decider.username).get(reverse("paper", args=[papers[0].pk])).status_code == 404
    decide(case, approve=True, by=decider, now=clock.at)
    assert browser.get(reverse("paper", args=[papers[0].pk])).status_code == 200


def test_other_windows_and_strangers_find_no_paper(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    address = reverse("paper", args=[play.received(clock.at).documents.get().pk])
    assert sign_in("donghai.chuangkou1").get(address).status_code == 404
    assert sign_in("zhujian.chushi").get(address).status_code == 404
    assert Client().get(address).status_code == 302


def test_a_paper_whose_content_was_changed_says_so(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    document = play.received(clock.at).documents.get()
    Document.objects.filter(pk=document.pk).update(content=document.content | {"to": "别的公司"})
    html = window.text_of(sign_in("chuangkou1").get(reverse("paper", args=[document.pk])))
    assert "内容与留痕不符" in html


def test_the_notice_tells_every_material_and_every_standard(clock: Moment, sign_in: Callable[[str], Client]) -> None:
    item = play.item("公共场所卫生许可（新办，一般程序）")
    html = window.text_of(sign_in("chuangkou1").get(reverse("window:notice", args=[item.code])))
    for material in item.effective_materials():
        assert material.name in html
    for ground in item.published_grounds():
        assert ground.text in html
    for words in ("一次性告知单", item.statutory_text, item.promised_text, item.result_name, f"/guide/{item.code}/"):
        assert words in html


def test_an_approval_that_waits_for_materials_gives_the_licence_with_the_last_of_them(
    city: None, clock: Moment
) -> None:
    case = debts.waiting(clock.at, dt.date(2026, 10, 20))
    names = "、".join(line.name for line in outstanding(case))
    text = "".join(case.documents.get(kind="approval").content["paragraphs"])
    assert f"你（单位）承诺延期提交的材料（{names}）全部补齐时，本机关当即颁发行政许可证件" in text
    assert "承诺的期限为2026年10月20日" in text
    assert "十个工作日内颁发" not in text
    plain = play.approved(clock.at)
    assert "十个工作日内颁发" in "".join(plain.documents.get(kind="approval").content["paragraphs"])
