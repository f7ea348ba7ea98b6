"""Blindness is attacked: every address of the URL map, by everybody who judges a case before its decision (O3.1.2c).

Two properties. No answer holds a word that tells whose case it is. And no answer depends on it: with another applicant
in the database every answer stays the same, byte for byte: neither order nor counts nor lengths nor a search tells.
New addresses are attacked by being in the URL map; a parameter of a new name fails the walk until it is given a value.
"""

from __future__ import annotations

import html
import json
import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pypdfium2 as pdfium
import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals.actions import IntakeDraft, accept_case, complete_case, decide, deliver, give_opinion, receive_case
from approvals.actions.clocks import request_extension, start_procedure
from approvals.actions.covering import ask_cover
from approvals.actions.intake import checklist, slot_of
from approvals.actions.unveiling import unveil
from approvals.models import Case, Document, Extension, Unveiling, Upload
from approvals.numbers import case_number
from approvals.uploads import store
from credit.models import CreditSubject
from deadlines.models import Deadline
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from offices.tokens import issue
from oversight.demo.cases import code_of
from tests.approvals import play
from tests.approvals.test_covering import pdf
from tests.conftest import Moment

pytestmark = [pytest.mark.django_db, pytest.mark.once]
Role = Posting.Role

NAME = "连云港鸿雁高飞置业有限公司"
CODE = code_of("91320700MA1KGC82T")
CONTACT, PHONE = "司徒鸿雁", "10012345678"
FILE = "鸿雁高飞营业执照.pdf"
INSIDE = "Hongyan Gaofei Zhiye"
CLERK = "窗口贾收件"
MASKED = f"{PHONE[:3]}****{PHONE[-4:]}"
SECRETS = (NAME, NAME[3:7], CODE, CODE.lower(), CONTACT, PHONE, PHONE[-8:], MASKED, FILE, FILE[:4], INSIDE, CLERK)
NONSENSE = "绝无此词"

# Addresses that hold no case and everybody in it: the demonstration's own list of accounts and its phones (off in
# production, where settings refuse them).
DEMONSTRATION = {"demo_accounts", "notifications:phones", "notifications:phone", "notifications:phone_of_user"}
ENDS_THE_VISIT = {"logout", "login"}


# --- the URL map


@dataclass(frozen=True)
class Address:
    """A pattern of the URL map."""

    name: str
    path: str

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.path)

    def urls(self, values: dict[str, list[str]]) -> list[str]:
        """The address with every value of its parameters put in, one after the other."""
        found = ["/" + self.path]
        for name in self.parameters:
            mark = re.compile(rf"<(?:\w+:)?{name}>")
            found = [mark.sub(lambda _, v=value: v, url) for url in found for value in values[name]]  # type: ignore[misc]
        return found


def _walk(patterns: list[Any], prefix: str = "", space: str = "") -> Iterator[Address]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif path.startswith("^"):
            yield Address("unknown-api", "api/no-such-address/")
        else:
            yield Address(f"{space}{pattern.name}", path)


def addresses() -> list[Address]:
    """Every address but those of the demonstration."""
    found = [one for one in _walk(get_resolver().url_patterns) if one.name not in DEMONSTRATION | ENDS_THE_VISIT]
    assert len(found) > 150
    return found


def keys(case: Case) -> list[str]:
    """Ids that somebody who guesses would try: of the case's files, a paper, its clocks, its requests for time."""
    rows: list[QuerySet[Any]] = [
        Upload.objects.filter(case_material__case=case),
        Document.objects.filter(case=case),
        Deadline.objects.filter(stream=case.stream),
        Extension.objects.filter(case=case),
    ]
    return sorted({str(pk) for found in rows for pk in found.order_by("pk").values_list("pk", flat=True)[:2]})


def values(case: Case) -> dict[str, list[str]]:
    """A value for each parameter that the URL map knows."""
    return {
        "number": [case.number],
        "pk": keys(case),
        "page": ["1"],
        "code": [case.business_item.code],
        "year": ["2026"],
        "kind": ["stage_review"],
        "grade": ["a"],
        "way": ["promise"],
        "name": ["2026-09"],
        "key": ["320700"],
        "phone": ["x"],
        "user_id": ["1"],
        "document": keys(case),
        "digest": ["0" * 64],
        "version": ["0"],
        "risk": ["A"],
        **dict.fromkeys(("office", "order", "sub_item"), ["1"]),
    }


def test_every_parameter_of_the_url_map_has_a_value(city: None, clock: Moment) -> None:
    known = values(play.received(clock.at))
    assert {name for one in addresses() for name in one.parameters} <= set(known)


# --- the case, and who attacks it


@dataclass
class Attack:
    """A case of the secret applicant in review, and the browsers of all who judge it or decide on its time."""

    case: Case
    people: list[User]
    seen: int = 0


@pytest.fixture(autouse=True)
def _own_things(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    settings.PROGRESS_RATE = "100000/m"
    cache.clear()
    _readers.clear()
    yield
    cache.clear()


def taken_in(clock: Moment, item_name: str) -> Case:
    """An accepted case of the secret applicant, its one file covered."""
    item = play.item(item_name)
    User.objects.filter(username="chuangkou1").update(full_name=CLERK)
    clerk, key = play.person("chuangkou1"), uuid.uuid4()
    lines = [line for line in checklist(item, "ordinary") if line.required]
    content = pdf(f"of {INSIDE}", title=INSIDE)
    upload = store(SimpleUploadedFile(FILE, content), intake_key=key, slot=slot_of(lines[0]), by=clerk, now=clock.at)
    draft = IntakeDraft(
        business_item=item, intake_key=key, subject_kind="organisation", identifier=CODE, name=NAME,
        contact_name=CONTACT, contact_phone=PHONE, content="新建三栋",
        provided={slot_of(one): "provided" for one in lines},
    )  # fmt: skip
    case = receive_case(draft, by=clerk, now=clock.at)
    ask_cover(upload, boxes=[[1, 0.05, 0.05, 0.9, 0.2]], by=clerk, now=clock.at)
    return accept_case(case, by=clerk, now=clock.at)


@pytest.fixture
def attack(city: None, clock: Moment) -> Attack:
    """Paused and asked more time for; another applicant's case lies beside it in the same hands."""
    case = taken_in(clock, "固定资产投资项目节能审查")
    other = play.accepted(clock.at, case.business_item)
    assert case.reviewer is not None
    Case.objects.filter(pk=other.pk).update(reviewer=case.reviewer)
    start_procedure(case, ground="hearing", estimated_days=5, reason="听证", by=case.reviewer, now=clock.at)
    request_extension(case, days=5, reason="复杂", by=case.reviewer, now=clock.at)
    case = Case.objects.get(pk=case.pk)
    head = Posting.objects.filter(department=case.department, role=Role.DEPARTMENT_HEAD)[0].user
    assert case.reviewer is not None
    return Attack(case, [case.reviewer, play.holder(Role.DECIDER, case, case.reviewer), head])


def words(response: Any) -> str:
    """Status, headers and body as one text, percent-encoding, escapes and a PDF's text undone."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = f"{response.status_code} {response.reason_phrase} {sorted(response.headers.items())}"
    said = body.decode(errors="replace")
    if body.startswith(b"%PDF"):
        document = pdfium.PdfDocument(body)
        said += "".join(page.get_textpage().get_text_range() for page in document) + str(document.get_metadata_dict())
    elif said.startswith("{"):
        said = json.dumps(json.loads(said), ensure_ascii=False)
    return head + unquote(head) + html.unescape(said)


TOKENS = re.compile(
    r'(?<=name="csrfmiddlewaretoken" value=")\w+|(?<=X-CSRFToken": ")\w+|csrftoken=\w+|sessionid=\w+'
    r'|(?<=name="client_key" value=")[\w-]+'
)
EXPIRES = re.compile(r"expires=[^;']+")


def plain(text: str) -> str:
    """An answer without what differs from one request to the next."""
    return EXPIRES.sub("", TOKENS.sub("", text))


def told(secrets: tuple[str, ...], text: str) -> list[str]:
    return [secret for secret in secrets if secret in text]


class Reader:
    """A person with a browser and a token; whatever a request changes is undone."""

    def __init__(self, person: User) -> None:
        self.person = person
        self.browser = Client(raise_request_exception=False)
        self.browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        self.machine = APIClient(raise_request_exception=False)
        self.machine.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")

    def __call__(self, method: str, url: str, body: dict[str, Any] | None = None) -> str:
        """One request."""
        with transaction.atomic():
            answer: Any
            if url.startswith("/api/"):
                answer = self.machine.get(url) if method == "GET" else self.machine.post(url, body or {}, format="json")
            else:
                answer = self.browser.get(url) if method == "GET" else self.browser.post(url, body or {})
            text = words(answer)
            transaction.set_rollback(True)
        assert answer.status_code != 500, (method, url)
        return text


_readers: dict[int, Reader] = {}


def ask(person: User, method: str, url: str, body: dict[str, Any] | None = None) -> str:
    """One request by a person, whatever it changed undone."""
    if person.pk not in _readers:
        _readers[person.pk] = Reader(person)
    return _readers[person.pk](method, url, body)


def crawl(attack: Attack, person: User) -> dict[str, str]:
    """Every GET of the URL map, with its answer."""
    known = values(attack.case)
    return {url: ask(person, "GET", url) for one in addresses() for url in one.urls(known)}


# --- the attack


def test_no_answer_holds_the_applicant(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    secrets = (*SECRETS, attack.case.query_code, str(attack.case.intake_key))
    caplog.set_level(logging.INFO)
    for person in attack.people:
        for url, text in crawl(attack, person).items():
            attack.seen += attack.case.number in text and "200 OK" in text
            assert told(secrets, text) == [], (person.username, url)
    assert attack.seen > 20
    assert told(secrets, caplog.text) == []


FILLED = {
    "verdict": "reject", "text": "x", "reason": "x", "answer": "x", "result": "x", "days": "999", "approve": True,
    "keys": ["material:0"], "grant": False, "preview": "1", "act": "accept", "ground": "hearing", "estimated_days": "0",
}  # fmt: skip


def test_no_answer_to_an_act_holds_the_applicant(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    secrets = (*SECRETS, attack.case.query_code, str(attack.case.intake_key))
    caplog.set_level(logging.INFO)
    known = values(attack.case) | {"number": [attack.case.number]}
    for person in attack.people:
        for one in addresses():
            for url in one.urls(known):
                for body in ({}, FILLED):
                    assert told(secrets, ask(person, "POST", url, body)) == [], (person.username, url, body)
    assert told(secrets, caplog.text) == []


def test_no_answer_depends_on_the_applicant(attack: Attack) -> None:
    """Another applicant, contact, clerk and file names in the database: every answer is the same, byte for byte."""
    before = {person: crawl(attack, person) for person in attack.people}
    case = attack.case
    CreditSubject.objects.filter(pk=case.applicant_id).update(name="甲公司", code=code_of("91320700MA1KGC83R"))
    Upload.objects.filter(case_material__case=case).update(original_name="甲.pdf")
    Case.objects.filter(pk=case.pk).update(
        applicant_name="甲公司", contact_name="甲", contact_phone="10000000000", query_code="ABCDEFGH",
        intake_key=uuid.uuid4(), intake_by=play.person("chuangkou2"),
    )  # fmt: skip
    for person in attack.people:
        for url, text in crawl(attack, person).items():
            assert plain(text) == plain(before[person][url]), (person.username, url)


ORDERS = ("sort", "order", "ordering", "o", "by")


def test_a_search_for_the_applicant_answers_as_one_for_nonsense(attack: Attack) -> None:
    asked = [NAME, NAME[3:7], CODE, CONTACT, PHONE, FILE, attack.case.query_code, str(attack.case.applicant_id + 10**6)]
    lists = [one for one in addresses() if not one.parameters and one.name not in {"schema", "styleguide"}]

    def answer(person: User, url: str, text: str) -> str:
        said = plain(ask(person, "GET", f"{url}?q={quote(text)}"))
        for form in (quote(quote(text)), quote(text), text):
            said = said.replace(form, "…")
        return re.sub(r"Content-Length', '\d+'", "", said)

    for person in attack.people:
        for one in lists:
            url = "/" + one.path
            nothing = answer(person, url, NONSENSE)
            if "404" in nothing[:4]:
                continue
            for text in asked:
                assert answer(person, url, text) == nothing, (person.username, url, text)


def test_no_way_to_sort_follows_the_applicant(attack: Attack) -> None:
    """An order that is asked for by a column of the applicant is no order at all."""
    columns = ("applicant", "applicant_name", "applicant__name", "-applicant__code", "contact_name", "intake_by")
    for person in attack.people:
        for address in (reverse("office:list"), reverse("office:export"), reverse("api:reviews"), reverse("alarms")):
            usual = plain(ask(person, "GET", address))
            for order in ORDERS:
                for column in columns:
                    found = plain(ask(person, "GET", f"{address}?{order}={column}"))
                    assert found == usual, (address, order, column)


def test_papers_and_originals_do_not_exist_before_the_decision(attack: Attack) -> None:
    for person in attack.people:
        for paper in Document.objects.filter(case=attack.case):
            assert ask(person, "GET", reverse("paper", args=[paper.pk])).startswith("404"), paper.kind
        for upload in Upload.objects.filter(case_material__case=attack.case, covers__isnull=True):
            assert ask(person, "GET", reverse("file", args=[upload.pk])).startswith("404")
    cover = Upload.objects.get(covers__isnull=False)
    assert attack.case.reviewer is not None
    text = ask(attack.case.reviewer, "GET", reverse("file", args=[cover.pk]))
    assert text.startswith("200")
    assert f"材料01-{cover.pk}.pdf" in text


def test_the_number_alone_opens_no_public_door(attack: Attack, clock: Moment) -> None:
    """What an office page shows is not enough: a known number and an unknown one are answered alike."""
    for url in (reverse("progress"), reverse("api:progress")):
        answers = set()
        for number in (attack.case.number, case_number("320700", clock.at)):
            for code in ("", "AAAAAAAA", attack.case.number[-8:]):
                browser: Any = APIClient() if url.startswith("/api/") else Client()
                form = {"format": "json"} if url.startswith("/api/") else {}
                text = plain(words(browser.post(url, {"number": number, "query_code": code, "code": code}, **form)))
                assert told(SECRETS, text) == []
                if code == "AAAAAAAA":
                    answers.add(re.sub(r"Content-Length', '\d+'", "", text.replace(number, "…")))
        assert len(answers) == 1, url
    assert told(SECRETS, words(Client().get(f"{reverse('progress')}?number={attack.case.number}"))) == []


def test_what_staff_is_told_and_what_is_kept_names_nobody(attack: Attack) -> None:
    secrets = (*SECRETS, attack.case.query_code, str(attack.case.intake_key))
    reviewers = Message.objects.filter(to_user__isnull=False)
    assert told(secrets, "\n".join(reviewers.values_list("text", flat=True))) == []
    entries = Entry.objects.filter(stream=attack.case.stream)
    assert entries.count() > 5
    assert told(secrets, json.dumps(list(entries.values_list("data", flat=True)), ensure_ascii=False)) == []


# --- one look past it


def test_one_look_is_shown_once_and_told_to_the_overseers(attack: Attack, clock: Moment) -> None:
    reviewer = attack.case.reviewer
    assert reviewer is not None
    browser = Client()
    browser.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
    url, page = reverse("office:unveil", args=[attack.case.number]), reverse("office:case", args=[attack.case.number])
    for reason, said in (("", "请写明"), ("想知道", "太短"), (f"听说是{NAME}的办件", "不得写明")):
        refused = browser.post(url, {"reason": reason})
        assert refused.status_code == 422
        assert said in refused.content.decode()
        assert CODE not in refused.content.decode()
    assert not Unveiling.objects.exists()
    assert browser.get(url).status_code == 302
    shown = browser.post(url, {"reason": "现场核查须与申请人约定时间"})
    assert shown.status_code == 200
    assert NAME in shown.content.decode()
    assert CODE in shown.content.decode()
    assert shown.headers["Cache-Control"] == "private, no-store"
    look = Unveiling.objects.get()
    assert (look.user, look.reason, look.at) == (reviewer, "现场核查须与申请人约定时间", clock.at)
    entry = Entry.objects.get(stream=attack.case.stream, act="case.unveiled")
    assert (entry.actor, entry.data) == (reviewer, {"unveiling": look.pk})
    sent = Message.objects.filter(kind="case_unveiled")
    overseers = Posting.objects.filter(role=Role.OVERSEER, department__division=attack.case.division)
    assert set(sent.values_list("to_user", flat=True)) == set(overseers.values_list("user", flat=True))
    assert told(SECRETS, "\n".join(sent.values_list("text", flat=True))) == []
    for person in attack.people:
        text = ask(person, "GET", page)
        assert told(SECRETS, text) == []
        assert not text.startswith("200") or "决定前有人查看过申请人" in text
    overseer = Client()
    overseer.force_login(overseers[0].user, backend="django.contrib.auth.backends.ModelBackend")
    for address in (reverse("oversight:unveilings"), reverse("oversight:unveilings_export")):
        listed = words(overseer.get(address))
        assert attack.case.number in listed
        assert "现场核查须与申请人约定时间" in listed
        assert reviewer.full_name in listed
        assert attack.case.number not in words(overseer.get(f"{address}?q={quote(NONSENSE)}"))
        assert attack.case.number not in words(overseer.get(f"{address}?period=last_month"))


def test_after_the_decision_there_is_nothing_to_unveil(city: None, clock: Moment) -> None:
    case = play.approved(clock.at)
    assert case.reviewer is not None
    browser = APIClient()
    browser.credentials(HTTP_AUTHORIZATION=f"Token {issue(case.reviewer).token}")
    url = reverse("api:unveiling", args=[case.number])
    assert browser.post(url, {"reason": "需要联系申请人"}, format="json").json()["code"] == "state-conflict"
    assert not Unveiling.objects.exists()


def test_the_api_shows_it_once_as_well(attack: Attack) -> None:
    assert attack.case.reviewer is not None
    browser = APIClient()
    browser.credentials(HTTP_AUTHORIZATION=f"Token {issue(attack.case.reviewer).token}")
    url = reverse("api:unveiling", args=[attack.case.number])
    assert browser.post(url, {}, format="json").json()["code"] == "reason-missing"
    seen = browser.post(url, {"reason": "现场核查须与申请人约定时间"}, format="json")
    assert seen.json()["name"] == NAME
    assert seen.json()["identifier"] == CODE
    review = browser.get(reverse("api:review", args=[attack.case.number]))
    assert review.json()["applicant"] is None


def test_an_unveiled_case_is_blind_to_everybody_else(attack: Attack, clock: Moment) -> None:
    assert attack.case.reviewer is not None
    unveil(attack.case, by=attack.case.reviewer, reason="现场核查须与申请人约定时间", now=clock.at)
    pages = [
        one.path.replace("<slug:number>", attack.case.number) for one in addresses() if one.parameters == ["number"]
    ]
    for person in attack.people:
        for path in pages:
            assert told(SECRETS, ask(person, "GET", f"/{path}")) == [], (person.username, path)


# --- and the other way: nobody outside learns who judges


def stages(clock: Moment) -> Iterator[Case]:
    """Cases at each stage, judged by people with names of their own."""
    yield play.accepted(clock.at)
    yield play.reviewed(clock.at)
    yield play.approved(clock.at)
    yield play.completed(clock.at)
    done = play.completed(clock.at)
    yield deliver(done, method="counter", receiver="张三", by=play.person("chuangkou1"), now=clock.at)


def named_officers() -> dict[int, tuple[str, str]]:
    """Give everybody who reviews or decides a name and an account that occur nowhere else."""
    officers = User.objects.filter(postings__role__in=[Role.REVIEWER, Role.DECIDER, Role.SITE_OFFICER]).distinct()
    names = {}
    for user in officers:
        names[user.pk] = (f"令狐审{user.pk}号", f"linghu-{user.pk}-shen")
        User.objects.filter(pk=user.pk).update(full_name=names[user.pk][0], username=names[user.pk][1])
    return names


def test_neither_the_public_nor_the_window_learns_who_judges(city: None, clock: Moment) -> None:
    cases = list(stages(clock))
    officers = named_officers()
    assert len(officers) > 5
    secrets = tuple(word for pair in officers.values() for word in pair)
    clerk, delivery = play.person("chuangkou1"), play.person("chujian1")
    seen = 0
    for case in cases:
        papers = list(Document.objects.filter(case=case).values_list("pk", "verify_code"))
        known = values(case) | {
            "number": [case.number],
            "pk": [str(pk) for pk, _ in papers],
            "code": [case.business_item.code, *(code for _, code in papers)],
        }
        for one in addresses():
            for url in one.urls(known) if one.parameters or case is cases[-1] else []:
                public = words(Client(raise_request_exception=False).get(url))
                assert told(secrets, public) == [], url
                for person in (clerk, delivery):
                    text = ask(person, "GET", url)
                    seen += case.number in text
                    assert told(secrets, text) == [], (person.username, url)
        said = {"number": case.number, "query_code": case.query_code, "code": case.query_code}
        for answer in (
            Client().post(reverse("progress"), said),
            APIClient().post(f"{reverse('api:progress')}?explain=1", said, format="json"),
        ):
            assert answer.status_code == 200
            assert case.business_item.name in words(answer)
            assert told(secrets, words(answer)) == []
    assert seen > 50
    texts = "\n".join(Message.objects.filter(to_user__isnull=True).values_list("text", flat=True))
    assert told(secrets, texts) == []
    papers_text = json.dumps(list(Document.objects.values_list("content", flat=True)), ensure_ascii=False)
    assert told(secrets, papers_text) == []


def test_papers_are_issued_without_the_names_of_those_who_judge(city: None, clock: Moment) -> None:
    officers = named_officers()
    cases = list(stages(clock))
    assert {case.reviewer_id for case in cases} <= set(officers)
    secrets = tuple(word for pair in officers.values() for word in pair)
    texts = json.dumps(list(Document.objects.values_list("content", flat=True)), ensure_ascii=False)
    assert told(secrets, texts) == []
    assert told(secrets, "\n".join(Message.objects.filter(to_user__isnull=True).values_list("text", flat=True))) == []


def test_the_walk_would_find_a_leak(attack: Attack, clock: Moment) -> None:
    """The attack itself is tried: after the decision the same crawl finds the applicant."""
    case = attack.case
    plain_case = taken_in(clock, "商品房预售许可")
    assert plain_case.reviewer is not None
    give_opinion(plain_case, approve=True, text="符合。", by=plain_case.reviewer, now=clock.at)
    decide(plain_case, approve=True, by=play.person("zhujian.juedinga"), now=clock.at)
    complete_case(plain_case, by=plain_case.reviewer, now=clock.at)
    assert case.pk != plain_case.pk
    found = crawl(Attack(plain_case, []), plain_case.reviewer)
    assert NAME in found[reverse("office:case", args=[plain_case.number])]
    assert any(NAME in text for url, text in found.items() if url.startswith("/papers/"))
