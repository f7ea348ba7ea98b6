"""What the window may not do: record an answer that nobody gave, open forms too late, take in what is no file."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from approvals.actions import decide, request_correction
from approvals.actions.intake import required_points, slot_of
from approvals.enums import CaseStatus
from approvals.models import Case, Document
from notifications.models import Message
from offices.models import Posting
from offices.tokens import issue
from scripts.entry import command_of
from tests.approvals import debts, play
from tests.approvals.window import PDF, file, filled, text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def told(clock: Moment) -> Case:
    """A case whose applicant was told what is missing."""
    case = play.received(clock.at, complete=False)
    clerk = play.person("chuangkou1")
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)


def caller(username: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(play.person(username)).token}")
    return client


# --- the answer to the notice


def test_an_answer_with_nothing_in_it_is_none(clock: Moment, sign_in: SignIn) -> None:
    case = told(clock)
    clock.to("2026-09-28 10:05")
    url = f"/window/cases/{case.number}/"
    page = sign_in("chuangkou1").post(url, {"act": "answer"})
    assert page.status_code == 422
    assert "还没有收到任何补正内容" in text_of(page)
    answer = caller("chuangkou1").post(
        f"/api/v1/cases/{case.number}/corrections/answer/", {"provided": {}}, format="json"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "answer-empty")
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    refusal = {"ground": "not_corrected", "reason": "没有补齐", "keys": sorted(required_points(case))}
    assert sign_in("chuangkou1").post(f"{url}refuse/", refusal).status_code == 409
    refused = caller("chuangkou1").post(f"/api/v1/cases/{case.number}/refusal/", refusal, format="json")
    assert refused.status_code == 409
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED


def _missing(case: Case) -> str:
    return slot_of(case.materials.select_related("material").get(state="missing", required=True))


def test_one_thing_that_came_in_is_an_answer(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("chuangkou1")
    ticked, filed, mended, brought = (told(clock) for _ in range(4))
    url = f"/window/cases/{ticked.number}/"
    assert browser.post(url, {"act": "answer", f"m-{_missing(ticked)}": "provided"}).status_code == 302
    url = f"/window/cases/{filed.number}/"
    assert browser.post(url, {"act": "answer", f"file-{_missing(filed)}": file(PDF)}).status_code == 302
    url = f"/window/cases/{mended.number}/"
    clock.to("2026-09-28 11:00")
    fields = {"contact_name": "另一人", "contact_phone": mended.contact_phone, "content": mended.content}
    assert browser.post(f"{url}mend/", fields).status_code == 302
    assert browser.post(url, {"act": "answer"}).status_code == 302
    url = f"/window/cases/{brought.number}/"
    there = slot_of(brought.materials.select_related("material").filter(state="provided", material__isnull=False)[0])
    assert "补正后重新收取" in text_of(browser.get(url))
    assert browser.post(url, {"act": "answer", f"m-{there}": "provided"}).status_code == 302
    for case in (ticked, filed, mended, brought):
        assert again(case).status == CaseStatus.SUBMITTED


def test_a_point_left_open_after_a_real_answer_is_a_ground(clock: Moment, sign_in: SignIn) -> None:
    case = told(clock)
    browser, url = sign_in("chuangkou1"), f"/window/cases/{case.number}/"
    there = slot_of(case.materials.select_related("material").filter(state="provided", material__isnull=False)[0])
    assert browser.post(url, {"act": "answer", f"m-{there}": "provided"}).status_code == 302
    refusal = {"ground": "not_corrected", "reason": "没有补齐", "keys": sorted(required_points(again(case)))}
    assert browser.post(f"{url}refuse/", refusal).status_code == 302
    assert again(case).status == CaseStatus.NOT_ACCEPTED


def test_a_second_answer_is_refused_in_words_that_people_understand(city: None, clock: Moment) -> None:
    case = told(clock)
    clerk, url = caller("chuangkou1"), f"/api/v1/cases/{case.number}/corrections/answer/"
    body = {"provided": {_missing(case): "provided"}}
    assert clerk.post(url, body, format="json").status_code == 200
    again_ = clerk.post(url, body, format="json")
    assert (again_.status_code, again_.json()["code"]) == (409, "state-conflict")
    assert "补正只能提交一次" in again_.json()["detail"]
    assert "不能再办理为" not in again_.json()["detail"]


@pytest.mark.parametrize("act", ["correct", "refuse"])
def test_forms_of_the_days_before_the_acceptance_are_shut_after_it(clock: Moment, sign_in: SignIn, act: str) -> None:
    browser = sign_in("chuangkou1")
    open_one, *shut = play.received(clock.at), play.accepted(clock.at), play.completed(clock.at)
    assert browser.get(f"/window/cases/{open_one.number}/{act}/").status_code == 200
    for case in shut:
        page = browser.get(f"/window/cases/{case.number}/{act}/")
        assert (page.status_code, case.get_status_display() in text_of(page)) == (409, True)


# --- what comes in


def png(wide: int, high: int) -> bytes:
    """The head of a picture that says it is so large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    out.write(chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)))
    out.write(chunk(b"IDAT", zlib.compress(b"\x00")))
    out.write(chunk(b"IEND", b""))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"%PDF-1.4\n<html><script>alert(1)</script>", "申请表.pdf", "upload-broken", "不是完整的 PDF"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 64, "照片.png", "upload-broken", "不是完整的图片"),
        (png(60000, 60000), "照片.png", "upload-pixels", "像素太大"),
        (png(25000, 10), "照片.png", "upload-pixels", "像素太大"),
        (png(10000, 9000), "照片.png", "upload-pixels", "像素太大"),
    ],
)
def test_what_only_looks_like_a_file_is_refused(
    clock: Moment, sign_in: SignIn, content: bytes, name: str, code: str, words: str
) -> None:
    case = play.received(clock.at, complete=False)
    slot = _missing(case)
    answer = caller("chuangkou1").post(
        f"/api/v1/cases/{case.number}/uploads/", {"slot": slot, "file": file(content, name)}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    page = sign_in("chuangkou1").post(
        f"/window/cases/{case.number}/", {"act": "save", f"file-{slot}": file(content, name)}
    )
    assert (page.status_code, words in text_of(page)) == (422, True)


@pytest.mark.parametrize("name", ["张\u202e三", "张\u2066三", "张\u0007三", "张\u200b三"])
def test_a_contact_with_unseen_characters_is_refused(clock: Moment, sign_in: SignIn, name: str) -> None:
    item = play.item()
    page = sign_in("chuangkou1").post(f"/window/new/{item.code}/", filled(item, contact_name=name))
    assert (page.status_code, "看不见的控制字符" in text_of(page)) == (422, True)
    assert not Case.objects.exists()
    case = play.received(clock.at)
    body = {"contact_name": name, "contact_phone": case.contact_phone, "content": case.content}
    answer = caller("chuangkou1").post(f"/api/v1/cases/{case.number}/mending/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "characters-unseen")


def test_an_empty_character_is_refused_in_our_own_words(clock: Moment, sign_in: SignIn) -> None:
    item = play.item()
    page = text_of(sign_in("chuangkou1").post(f"/window/new/{item.code}/", filled(item, contact_name="张\x00三")))
    assert "内容里有看不见的空字符（NUL），请删除后重新填写。" in page
    assert "不允许是用空字符串" not in page
    case = play.received(clock.at)
    body = {"contact_name": "张\x00三", "contact_phone": case.contact_phone, "content": case.content}
    answer = caller("chuangkou1").post(f"/api/v1/cases/{case.number}/mending/", body, format="json")
    assert answer.status_code == 422
    assert "看不见的空字符" in str(answer.json())


def test_a_contact_is_asked_for_in_a_whole_sentence(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    body = {"contact_name": "", "contact_phone": case.contact_phone, "content": case.content}
    page = text_of(sign_in("chuangkou1").post(f"/window/cases/{case.number}/mend/", body))
    assert "请填写联系人。" in page
    item = play.item()
    page = text_of(sign_in("chuangkou1").post(f"/window/new/{item.code}/", filled(item, contact_name="")))
    assert "请填写联系人。" in page


def test_a_long_search_is_cut_in_a_sentence(clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("chuangkou1")
    page = browser.get("/window/", {"q": "查" * 300})
    assert page.status_code == 200
    assert "只按前 200 字查找" in text_of(page)
    assert "查" * 201 not in text_of(page)
    assert browser.get("/window/", {"q": "查\x00询"}).status_code == 200
    assert "--limit-request-line 8190" in " ".join(command_of("web", {}))


# --- papers and messages


def test_the_receipt_tells_what_came_in_from_what_did_not(city: None, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    missing = case.materials.get(state="missing", required=True)
    content = Document.objects.get(case=case, kind="receipt").content
    states = [row[2] for row in content["table"]]
    assert "未交" not in str(content)
    assert states == sorted(states, key=lambda state: state.startswith("未收到"))
    assert [row[2] for row in content["table"] if row[1] == missing.name] == ["未收到"]
    came = sum(state.startswith("已收到") for state in states)
    assert f"已收到{came}项，未收到{len(states) - came}项" in content["paragraphs"][0]


def test_who_did_not_take_the_case_in_reads_its_papers_without_the_query_code(clock: Moment, sign_in: SignIn) -> None:
    case = play.completed(clock.at)
    assert case.reviewer is not None
    receipt = Document.objects.get(case=case, kind="receipt")
    url = f"/papers/{receipt.pk}/"
    assert case.query_code in text_of(sign_in("chuangkou1").get(url))
    page = text_of(sign_in(case.reviewer.username).get(url))
    assert case.query_code not in page
    assert "内容与留痕不符" not in page
    stranger = Posting.objects.filter(role="reviewer").exclude(office=case.review_office)[0].user
    if not Posting.objects.filter(user=stranger, office=case.review_office).exists():
        assert sign_in(stranger.username).get(url).status_code == 404


def test_a_rejection_says_what_is_wrong_with_a_material(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at, approve=False)
    assert case.reviewer is not None
    line = case.materials.filter(state="provided", material__isnull=False)[0]
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    decide(case, approve=False, keys=[f"material:{line.material_id}"], by=decider, now=clock.at)
    paper = Document.objects.get(case=case, kind="rejection")
    assert paper.content["table"] == [["1", f"提交的材料不符合要求：{line.name}"]]


def test_an_approval_that_waits_tells_what_is_owed_and_by_when(clock: Moment, sign_in: SignIn) -> None:
    case = play.deferring(clock.at, until=dt.date(2026, 10, 20))
    assert case.reviewer is not None
    from oversight.demo.weighing import advise

    advise(case, clock.at)
    decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
    page = text_of(sign_in(decider.username).get(f"/office/{case.number}/"))
    assert "10 个工作日内制证" not in page
    assert "证件等申请人补齐承诺延期的材料" in page
    decide(case, approve=True, by=decider, now=clock.at)
    sms = Message.objects.get(kind="applicant_approved_owing", reference=case.stream).text
    assert "最迟2026年10月20日（含当日）补交" in sms
    assert all(name[:10] in sms for name in case.materials.filter(state="deferred").values_list("name", flat=True)[:1])


def test_what_follows_the_licence_is_told_without_editors_marks(city: None, clock: Moment) -> None:
    case = debts.licensed(clock.at, dt.date(2026, 12, 1))
    sms = Message.objects.get(kind="applicant_later", reference=case.stream).text
    assert "最迟2026年12月1日（含当日）补交" in sms
    assert "待核实" not in sms
    assert "演示口径" not in sms
