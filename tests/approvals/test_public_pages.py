"""Home, guides, verification, register: complete, sourced, private, and at a constant price."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.enums import DocumentKind
from approvals.models import Case, Document, Licence
from catalogue import periods
from catalogue.enums import Topic
from catalogue.models import BusinessItem, KeyItem
from credit.models import CreditSubject
from offices.models import User
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
HEADINGS = (
    "申请材料", "设定依据", "办理条件", "数量限制", "办理程序", "办理期限", "收费", "办理结果",
    "告知承诺", "不服怎么办", "办结后谁来监管",
)  # fmt: skip
PERSON = "110101199003070011"


def get(client: Client, url: str, status: int = 200) -> str:
    """The page at ``url``."""
    response = client.get(url)
    assert response.status_code == status, url
    return response.content.decode()


def rows_of(client: Client, url: str) -> list[list[str]]:
    """The lines of a CSV export."""
    text = client.get(url).getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def statements(client: Client, url: str) -> int:
    """How many statements a page costs."""
    get(client, url)
    with CaptureQueriesContext(connection) as queries:
        get(client, url)
    return len(queries)


def to_person(case: Case) -> None:
    """Make the applicant and holder of a completed case a natural person."""
    person = CreditSubject.objects.create(kind="person", name="欧阳娜娜", id_number=PERSON, id_hash=uuid.uuid4().hex)
    Case.objects.filter(pk=case.pk).update(applicant=person, applicant_name=person.name)
    Licence.objects.filter(case=case).update(holder=person, holder_name=person.name)


# --- home


def test_the_home_page_shows_the_nine_key_items_and_only_counts_of_the_database(city: None, client: Client) -> None:
    page = get(client, "/")
    for key in KeyItem.objects.all():
        assert key.name in page
        assert f"?key={key.number}" in page
    assert f'<strong class="num">{BusinessItem.objects.published().count()}</strong>' in page
    assert "还没有公示的许可" in page
    assert "12345" in page


def test_the_home_page_costs_the_same_with_many_licences(city: None, clock: Moment, client: Client) -> None:
    play.completed(clock.at)
    before = statements(client, "/")
    for name in ("固定资产投资项目节能审查", "特殊建设工程消防验收", "商品房预售许可"):
        play.completed(clock.at, play.item(name))
    assert statements(client, "/") == before <= 6


def test_typing_finds_items_by_initials_and_says_when_there_are_none(city: None, client: Client) -> None:
    page = get(client, "/guide/suggest/?q=spfysxk")
    assert "商品房预售许可" in page
    assert "<html" not in page
    assert "没有找到" in get(client, "/guide/suggest/?q=没有这种事")
    assert get(client, "/guide/suggest/?q=").strip() == ""


# --- guides


def test_every_published_item_has_a_guide_with_all_that_the_law_wants_open(city: None, client: Client) -> None:
    items = BusinessItem.objects.published().with_offices()
    assert len(items) > 40
    for item in items:
        page = get(client, reverse("guide_item", args=[item.code]))
        assert item.name in page
        for heading in HEADINGS:
            assert f">{heading}</h2>" in page, (item.code, heading)
        facts, materials = list(item.effective_facts()), list(item.effective_materials())
        silent = {Topic.QUANTITY, Topic.BASIS, Topic.PROCEDURE, Topic.FEE, Topic.RESULT} - {f.topic for f in facts}
        assert page.count("尚未取得这一项的正式文本") == len(silent), "what is not known is said to be not known"
        # Every statement and every material has its source and its mark beside it; two more are the remedies'.
        criteria = item.effective_criteria().count() if item.pass_mark is not None else 0
        stated = len(facts) + len(periods.lines(item)) + len(materials) + criteria
        assert page.count("出处：") == stated + 2, item.code
        for department in {link.office.department.name for link in item.linkages.active()}:
            assert department in page.partition("办结后谁来监管</h2>")[2], item.code


def test_a_guide_tells_the_period_with_its_start_and_the_promise_or_why_none(city: None, client: Client) -> None:
    page = get(client, "/guide/SP-0601/")
    assert "自收到申请材料之日起10日" in page
    assert "3个工作日" in page
    assert "不适用告知承诺" in page
    promise = get(client, "/guide/SP-2001/")
    assert "事后核查" in promise
    assert "自取得许可之日起接受一个月内的到场核查" in promise
    assert "告知承诺后免交" in promise
    assert "执行全市统一标准" in get(client, "/guide/DH-0101/")


def test_the_one_time_notice_lists_all_materials_and_conditions_on_one_paper(city: None, client: Client) -> None:
    for item in BusinessItem.objects.published():
        page = get(client, reverse("guide_notice", args=[item.code]))
        assert "一次性告知单" in page
        for material in item.effective_materials():
            assert material.name in page
        for fact in item.effective_facts(Topic.CONDITION):
            assert fact.text in page


def test_what_is_not_published_has_no_guide(city: None, client: Client) -> None:
    draft = BusinessItem.objects.filter(status="draft")[0]
    get(client, reverse("guide_item", args=[draft.code]), 404)
    get(client, reverse("guide_notice", args=[draft.code]), 404)
    assert draft.code not in get(client, f"/guide/?q={draft.code}").partition("<table")[2]


def test_the_guide_list_searches_narrows_and_exports_what_it_shows(city: None, client: Client) -> None:
    page = get(client, "/guide/?q=spfysxk")
    assert re.findall(r'href="/guide/([A-Z][^"?/]+)/"', page) == ["SP-0601"]
    narrowed = get(client, "/guide/?kind=filing&handling=on_the_spot&division=320700")
    expected = BusinessItem.objects.published().filings().filter(item__division__code="320700", handling="on_the_spot")
    assert sorted(re.findall(r'href="/guide/([A-Z][^"?/]+)/"', narrowed)) == sorted(item.code for item in expected)
    rows = rows_of(client, "/guide/?kind=filing&handling=on_the_spot&division=320700&format=csv")
    assert sorted(row[0] for row in rows[1:]) == sorted(item.code for item in expected)
    assert "没有符合条件的事项" in get(client, "/guide/?q=没有这种事")
    assert "<table" in get(client, "/guide/?kind=nonsense&department=abc&page=%00zz"), "nonsense is left aside"


def test_the_guide_list_and_a_guide_cost_the_same_however_long(city: None, client: Client) -> None:
    assert statements(client, "/guide/") == statements(client, "/guide/?key=6") <= 3
    assert statements(client, "/guide/SP-0601/") == statements(client, "/guide/SP-2101/") <= 4


# --- verification


def test_a_paper_is_verified_without_showing_what_it_says(city: None, clock: Moment, client: Client) -> None:
    case = play.completed(clock.at)
    for document in Document.objects.filter(case=case):
        page = get(client, reverse("verify", args=[document.verify_code]))
        assert document.number in page
        assert document.digest in page
        assert "连云港市住房和城乡建设局" in page
        assert "2026年9月28日" in page
        assert "有效" in page
        assert case.query_code not in page, "the receipt's own text holds the code: it must not come out here"
        assert case.number not in page


def test_an_altered_paper_is_told(city: None, clock: Moment, client: Client) -> None:
    document = Document.objects.get(case=play.approved(clock.at), kind=DocumentKind.APPROVAL)
    Document.objects.filter(pk=document.pk).update(content={**document.content, "to": "另一家公司"})
    page = get(client, reverse("verify", args=[document.verify_code]))
    assert "摘要不符" in page
    assert "未被改动" not in page


def test_a_persons_name_is_masked_when_a_paper_is_verified(city: None, clock: Moment, client: Client) -> None:
    case = play.completed(clock.at)
    to_person(case)
    document = Document.objects.get(case=case, kind=DocumentKind.APPROVAL)
    Document.objects.filter(pk=document.pk).update(content={**document.content, "to": "欧阳娜娜"})
    page = get(client, reverse("verify", args=[document.verify_code]))
    assert "欧阳**" in page
    assert "欧阳娜娜" not in page


def test_an_unknown_code_is_answered_in_words(city: None, client: Client) -> None:
    page = get(client, "/verify/nosuchcode/", 404)
    assert "没有查到这份文书" in page
    assert "12345" in page


def test_a_code_can_be_typed_or_scanned_into_the_form(city: None, client: Client) -> None:
    response = client.get("/verify/", {"code": " https://portal.example/verify/AbC_-1/ "})
    assert response.status_code == 302
    assert response["Location"] == "/verify/AbC_-1/"
    assert "核验码只有字母" in get(client, "/verify/?code=%E4%B8%AD", 422)


# --- register


def test_the_register_has_every_published_field_of_an_organisation(city: None, clock: Moment, client: Client) -> None:
    case = play.completed(clock.at, play.item("固定资产投资项目节能审查"))
    decision = Document.objects.get(case=case, kind=DocumentKind.APPROVAL)
    licence = case.licence
    page = get(client, reverse("licence", args=[licence.number]))
    rows = rows_of(client, "/register/?format=csv")
    assert case.applicant.code is not None
    for value in (
        case.applicant_name, case.applicant.code, decision.number, "准予行政许可决定书", "行政许可", licence.kind,
        licence.number, licence.content, "2026年9月28日", licence.department.name, "有效",
    ):  # fmt: skip
        assert value in page, value
        assert value in rows[1], value
    assert [str(licence.valid_from), str(licence.valid_to)] == rows[1][10:12]
    listed = get(client, "/register/")
    assert case.applicant_name in listed
    assert decision.number in listed


def test_the_register_never_gives_away_a_person(city: None, clock: Moment, client: Client) -> None:
    case = play.completed(clock.at)
    to_person(case)
    pages = [get(client, url) for url in ("/", "/register/", reverse("licence", args=[case.licence.number]))]
    pages.append("\n".join(",".join(row) for row in rows_of(client, "/register/?format=csv")))
    for page in pages:
        assert "欧阳**" in page
        assert "欧阳娜娜" not in page
        assert PERSON not in page
        assert PERSON[:6] not in page
        assert not [name for name in User.objects.values_list("full_name", flat=True) if len(name) > 2 and name in page]
    assert "没有符合条件的公示" in get(client, "/register/?q=欧阳娜娜"), "a search must not confirm a person's name"


@pytest.mark.parametrize("shape", ["{number}", "{code}", "{name}", "{document}", "{loose}"])
def test_the_register_is_found_by_number_code_name_and_document(
    city: None, clock: Moment, client: Client, shape: str
) -> None:
    case = play.completed(clock.at)
    document = Document.objects.get(case=case, kind=DocumentKind.APPROVAL).number
    asked = shape.format(
        number=case.licence.number.lower(),
        code=case.applicant.code,
        name=case.applicant_name[3:8],
        document=document,
        loose=document.replace("〔", "[").replace("〕", "]").removesuffix("号"),
    )
    assert case.licence.number in get(client, f"/register/?q={asked}").partition("<table")[2]


def test_an_empty_register_says_so(city: None, client: Client) -> None:
    assert "还没有公示的许可" in get(client, "/register/")
    assert rows_of(client, "/register/?format=csv")[1:] == []


def test_the_register_turns_its_pages_at_a_constant_price(city: None, clock: Moment, client: Client) -> None:
    case = play.completed(clock.at)
    before = statements(client, "/register/")
    made = []
    for number in range(60):
        row = Licence.objects.get(pk=case.licence.pk)
        one = Case.objects.get(pk=case.pk)
        one.pk, one.intake_key, one.number = None, uuid.uuid4(), f"{number:021d}"
        one.notice_deadline = one.answer_deadline = one.statutory_deadline = None
        one.promised_deadline = one.issue_deadline = one.stage_deadline = one.procedure_deadline = None
        one.save()
        row.pk, row.case, row.number = None, one, f"LYG{number:015d}"
        made.append(row)
    Licence.objects.bulk_create(made)
    assert statements(client, "/register/") == before <= 4
    first = get(client, "/register/")
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found
    second = get(client, found[1].replace("&amp;", "&"))
    seen = [set(re.findall(r'href="/register/(LYG\w+)/"', page)) for page in (first, second)]
    assert [len(page) for page in seen] == [50, 11]
    assert not seen[0] & seen[1]
    assert len(rows_of(client, "/register/?format=csv")) == 62


@pytest.mark.parametrize("url", ["/help/", "/accessibility/", "/data/", "/progress/", "/verify/"])
def test_the_plain_pages_stand(city: None, client: Client, url: str) -> None:
    assert "12345" in get(client, url)


@pytest.mark.parametrize("url", ["/", "/guide/", "/register/", "/verify/", "/help/"])
def test_what_is_only_read_takes_no_post(city: None, client: Client, url: str) -> None:
    assert client.post(url).status_code == 405
