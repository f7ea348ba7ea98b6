"""Before the decision no page, export, header, error or search tells whose case it is (O3.1.2c)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import blind
from approvals.actions import IntakeDraft, accept_case, decide, give_opinion, receive_case
from approvals.actions.clocks import request_extension, start_procedure
from approvals.actions.intake import checklist, is_letter, slot_of
from approvals.models import Case, Document, Upload
from approvals.uploads import store
from approvals.views.office import TABS
from credit.models import CreditSubject
from offices.access import access_for
from offices.keyset import Keyset
from offices.models import Posting, User
from oversight.demo.cases import code_of
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db

NAME = "连云港鸿雁高飞置业有限公司"
CODE = code_of("91320700MA1SECRET"[:17].replace("S", "8").replace("I", "1"))
CONTACT = "司徒鸿雁"
PHONE = "10012345678"
FILE = "鸿雁高飞营业执照.pdf"
SUBJECT = 987654321
SPOT = "公共场所卫生许可（新办，告知承诺）"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def secrets_of(case: Case) -> list[str]:
    """Everything that would tell whose case it is, and who took it in."""
    applicant = [NAME, NAME[3:7], CODE, CODE.lower(), CONTACT, PHONE, PHONE[-4:], FILE, FILE[:4], str(SUBJECT)]
    return [*applicant, case.query_code, str(case.intake_key), case.intake_by.full_name, case.intake_by.username]


@pytest.fixture
def applicant(city: None) -> CreditSubject:
    return CreditSubject.objects.create(pk=SUBJECT, kind="organisation", code=CODE, name=NAME)


def taken_in(clock: Moment, item_name: str = "商品房预售许可") -> Case:
    """An accepted case of the secret applicant, with a file whose name betrays them."""
    item = play.item(item_name)
    clerk = play.person("chuangkou1")
    way = "promise" if item.is_promise_only else "ordinary"
    lines = [line for line in checklist(item, way) if line.required and not is_letter(line)]
    key = uuid.uuid4()
    store(SimpleUploadedFile(FILE, PDF), intake_key=key, slot=slot_of(lines[0]), by=clerk, now=clock.at)
    draft = IntakeDraft(
        business_item=item, intake_key=key, subject_kind="organisation", identifier=CODE, name=NAME,
        contact_name=CONTACT, contact_phone=PHONE, content="新建住宅三栋", way=way,
        provided={slot_of(line): "provided" for line in lines},
    )  # fmt: skip
    case = receive_case(draft, by=clerk, now=clock.at)
    if way == "promise":
        play.sign(case, clerk, clock.at)
    return accept_case(case, by=clerk, now=clock.at)


def everything(response: Any) -> str:
    """Status, headers and body as one text, percent-encoding and escapes undone."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = f"{response.status_code} {response.reason_phrase} {response.headers}"
    text = head + unquote(head) + body.decode(errors="replace")
    return text + text.encode().decode("unicode_escape", errors="replace")


def no_secret(case: Case, response: Any) -> str:
    text = everything(response)
    assert [secret for secret in secrets_of(case) if secret in text] == []
    return text


def readers(case: Case, sign_in: Callable[[str], Client]) -> list[Client]:
    """Everybody in the office who may open the case."""
    postings = Posting.objects.filter(office=case.review_office, role__in=["reviewer", "decider"])
    found = []
    for posting in postings.select_related("user"):
        access = access_for(posting.user, case.received_at.date())
        if Case.objects.for_back_office(access).filter(pk=case.pk).exists():
            found.append(sign_in(posting.user.username))
    assert found
    return found


def addresses(case: Case) -> list[str]:
    """Every address of the back office that could say something of the case, the asked-for name among them."""
    lists = [f"{reverse('office:list')}?tab={tab}" for tab in ("review", "decide", "issue", "advised", "done")]
    lists += [f"{one}&selected={case.number}" for one in lists]
    exports = [f"{reverse('office:export')}?tab={tab}" for tab in ("review", "decide", "advised", "issue", "done")]
    files = [reverse("file", args=[pk]) for pk in Upload.objects.values_list("pk", flat=True)]
    papers = [reverse("paper", args=[pk]) for pk in Document.objects.filter(case=case).values_list("pk", flat=True)]
    return [*lists, *exports, reverse("office:case", args=[case.number]), *files, *papers]


@pytest.mark.parametrize("item_name", ["商品房预售许可", SPOT])
@pytest.mark.parametrize("advised", [False, True])
def test_no_page_export_or_header_tells_the_applicant_before_the_decision(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client], item_name: str, advised: bool
) -> None:
    case = taken_in(clock, item_name)
    if advised and case.reviewer:
        give_opinion(case, approve=True, text="符合。", by=case.reviewer, now=clock.at)
    seen = 0
    for browser in readers(case, sign_in):
        for address in addresses(case):
            seen += case.number in no_secret(case, browser.get(address))
    assert seen >= 3


def test_no_answer_to_a_form_tells_the_applicant(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = taken_in(clock)
    assert case.reviewer is not None
    reviewer = sign_in(case.reviewer.username)
    opinion = reverse("office:opinion", args=[case.number])
    assert reviewer.post(opinion, {"verdict": "reject", "text": ""}).status_code == 422
    no_secret(case, reviewer.post(opinion, {"verdict": "reject", "text": ""}))
    no_secret(case, reviewer.post(opinion, {"verdict": "reject", "text": "不符合", "keys": ["material:0"]}))
    no_secret(case, reviewer.post(opinion, {"verdict": "approve", "text": "符合"}, follow=True))
    second = reviewer.post(opinion, {"verdict": "approve", "text": "符合"})
    assert second.status_code == 409
    no_secret(case, second)
    decider = sign_in("zhujian.juedinga")
    refused = decider.post(reverse("office:decision", args=[case.number]), {"verdict": "reject"})
    assert refused.status_code == 422
    no_secret(case, refused)
    no_secret(case, sign_in("jiaotong.shenchaa").get(reverse("office:case", args=[case.number])))


ENERGY = "固定资产投资项目节能审查"
PROCEDURE = {"ground": "hearing", "estimated_days": "5", "reason": "举行听证"}


def head_of(case: Case) -> User:
    return Posting.objects.get(department=case.department, role="department_head").user


def paused_and_asked(clock: Moment) -> Case:
    """A case of the secret applicant in a special procedure, with a request for more time that waits."""
    case = taken_in(clock, ENERGY)
    assert case.reviewer is not None
    start_procedure(case, ground="hearing", estimated_days=5, reason="听证", by=case.reviewer, now=clock.at)
    request_extension(case, days=5, reason="复杂", by=case.reviewer, now=clock.at)
    return case


def heads_addresses(case: Case) -> list[str]:
    """Every address of the department head that could say something of the case."""
    lists = [reverse("office:extensions"), f"{reverse('office:extensions')}?tab=answered"]
    exports = [reverse("office:extensions_export"), f"{reverse('office:extensions_export')}?tab=answered"]
    papers = [reverse("paper", args=[pk]) for pk in Document.objects.filter(case=case).values_list("pk", flat=True)]
    pages = [reverse("office:extension", args=[one.pk]) for one in case.extensions.all()]
    return [*lists, *exports, *papers, *pages, reverse("office:case", args=[case.number])]


def test_the_acts_on_the_clocks_tell_nobody_whose_case_it_is(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = paused_and_asked(clock)
    seen = 0
    for browser in readers(case, sign_in):
        for address in addresses(case):
            seen += case.number in no_secret(case, browser.get(address))
    head = sign_in(head_of(case).username)
    for address in heads_addresses(case):
        seen += case.number in no_secret(case, head.get(address))
    assert seen >= 6
    for text in (NAME, NAME[3:7], CODE, CONTACT, PHONE):
        found = head.get(f"{reverse('office:extensions')}?q={quote(text)}").content.decode()
        assert case.number not in found
    extension = case.extensions.get()
    no_secret(case, head.post(reverse("office:extension", args=[extension.pk]), {"verdict": "decline"}))
    no_secret(case, head.post(reverse("office:extension", args=[extension.pk]), {"verdict": "grant"}, follow=True))
    second = head.post(reverse("office:extension", args=[extension.pk]), {"verdict": "grant"})
    assert second.status_code == 409
    no_secret(case, second)
    for address in heads_addresses(case):
        no_secret(case, head.get(address))


def test_no_answer_to_a_form_about_clocks_tells_the_applicant(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = taken_in(clock, ENERGY)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    start, end = (reverse(f"office:{name}", args=[case.number]) for name in ("procedure", "procedure_end"))
    ask = reverse("office:extend", args=[case.number])
    for url, form, status in (
        (start, PROCEDURE | {"reason": ""}, 422),
        (start, PROCEDURE | {"preview": "1"}, 200),
        (ask, {"days": "99", "reason": "复杂"}, 422),
        (start, PROCEDURE, 302),
        (start, PROCEDURE, 409),
        (end, {"result": ""}, 422),
        (end, {"result": "完"}, 302),
        (ask, {"days": "5", "reason": "复杂"}, 302),
        (ask, {"days": "5", "reason": "复杂"}, 409),
    ):
        answer = browser.post(url, form)
        assert answer.status_code == status, (url, form)
        no_secret(case, answer)


@pytest.mark.parametrize("words", [NAME, CODE, f"{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"])
def test_what_names_the_applicant_is_written_nowhere(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client], words: str
) -> None:
    case = paused_and_asked(clock)
    assert case.reviewer is not None
    reviewer, head = sign_in(case.reviewer.username), sign_in(head_of(case).username)
    end, answer = reverse("office:procedure_end", args=[case.number]), case.extensions.get()
    assert reviewer.post(end, {"result": f"{words}通过"}).status_code == 422
    decline = {"verdict": "decline", "answer": f"{words}不必"}
    assert head.post(reverse("office:extension", args=[answer.pk]), decline).status_code == 422
    for browser in (reviewer, head):
        for address in (reverse("office:case", args=[case.number]), reverse("office:extension", args=[answer.pk])):
            no_secret(case, browser.get(address))
    assert case.procedures.get().result == ""
    answer.refresh_from_db()
    assert (answer.granted, answer.answer) == (None, "")


def test_searching_for_the_applicant_finds_nothing(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = taken_in(clock)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    for text in (NAME, NAME[3:7], CODE, CONTACT, PHONE, FILE, str(SUBJECT), case.query_code):
        page = browser.get(f"{reverse('office:list')}?q={quote(text)}")
        assert case.number not in page.content.decode()
        assert "没有符合条件的办件" in page.content.decode()
        sheet = b"".join(browser.get(f"{reverse('office:export')}?q={quote(text)}").streaming_content)  # type: ignore[attr-defined]
        assert case.number not in sheet.decode()
    assert case.number in browser.get(f"{reverse('office:list')}?q={case.number[-6:]}").content.decode()
    assert case.number in browser.get(f"{reverse('office:list')}?q=预售").content.decode()


def test_no_statement_of_a_page_reads_the_applicant(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = paused_and_asked(clock)
    assert case.reviewer is not None
    browser, head = sign_in(case.reviewer.username), sign_in(head_of(case).username)
    forbidden = re.compile(
        r"applicant|contact_|query_code|intake_key|intake_by|original_name|creditsubject|document\".\"content"
    )
    reading = [
        (browser, reverse("office:list")),
        (browser, f"{reverse('office:list')}?q=节能&selected={case.number}"),
        (browser, reverse("office:export")),
        (browser, reverse("office:case", args=[case.number])),
        *((head, address) for address in heads_addresses(case)),
    ]
    for reader, address in reading:
        with CaptureQueriesContext(connection) as queries:
            everything(reader.get(address))
        for query in queries.captured_queries:
            assert not forbidden.search(query["sql"].split(" FROM ")[0]), query["sql"]


def test_the_order_of_the_queue_does_not_follow_the_applicant(city: None, clock: Moment) -> None:
    reviewer = play.person("zhujian.shenchaa")
    User.objects.filter(username="zhujian.shenchab").update(is_active=False)
    cases = [play.accepted(clock.at) for _ in range(3)]
    for case, name in zip(cases, ("丙公司", "乙公司", "甲公司"), strict=True):
        Case.objects.filter(pk=case.pk).update(applicant_name=name)
    queue = blind.with_pressing(blind.to_review(access_for(reviewer, clock.at.date())))
    assert [case.pk for case in Keyset(queue, TABS[0].order).page()] == [case.pk for case in cases]


def test_a_blind_case_leads_nowhere(applicant: CreditSubject, clock: Moment) -> None:
    case = taken_in(clock)
    seen = blind.BlindCase.of(blind.blind(Case.objects.filter(pk=case.pk)).get())
    assert blind.applicant_of(seen) is None
    assert not any("applicant" in name or "contact" in name for name in blind.BlindCase.__slots__)
    assert list(blind.revealed(Case.objects.filter(pk=case.pk))) == []


def test_after_the_decision_the_applicant_is_shown(
    applicant: CreditSubject, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case = taken_in(clock)
    assert case.reviewer is not None
    give_opinion(case, approve=True, text="符合。", by=case.reviewer, now=clock.at)
    decide(case, approve=True, by=play.person("zhujian.juedinga"), now=clock.at)
    browser = sign_in(case.reviewer.username)
    for address in (reverse("office:case", args=[case.number]), f"{reverse('office:list')}?tab=issue"):
        page = browser.get(address).content.decode()
        assert NAME in page
        assert CODE in page
    sheet = everything(browser.get(f"{reverse('office:export')}?tab=issue"))
    assert NAME in sheet
