"""The applicant's own door: the query code reads, a code by SMS acts, for a while, on one case, in one browser."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.cache import cache
from django.test import Client

from approvals.actions import decide, request_correction
from approvals.actions.intake import correction_choices, required_points, slot_of
from approvals.actions.owing import outstanding
from approvals.enums import CaseStatus
from approvals.models import Case, CorrectionNotice, Document, Licence, PhoneCode, Upload
from approvals.promised import restorable
from ledger.models import Entry
from notifications.kinds import get
from notifications.models import Message
from offices.crypto import mask_phone
from offices.models import Posting
from tests.approvals import debts, play
from tests.approvals.window import EXE, PDF, PNG, file, text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
UNTIL = dt.date(2026, 10, 20)


@pytest.fixture(autouse=True)
def _fresh_windows() -> None:
    cache.clear()


def to_correct(clock: Moment) -> Case:
    """A case that waits for its applicant's answer."""
    case = play.received(clock.at, complete=False)
    clerk = play.person("chuangkou1")
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)


def show_code(client: Client, case: Case) -> None:
    """Show number and query code, as the link of the progress page does."""
    answer = client.post("/progress/door/", {"number": case.number, "code": case.query_code})
    assert answer.status_code == 302


def send(client: Client, case: Case) -> str:
    """Ask for an SMS code and return what came."""
    assert client.post(f"/progress/{case.number}/code/", {"act": "send"}).status_code == 302
    newest = Message.objects.filter(kind="applicant_phone_code", reference=case.stream).order_by("-pk")[0]
    found = re.search(r"\d{6}", newest.text)
    assert found
    return found.group()


def enter(client: Client, case: Case, digits: str) -> tuple[int, str]:
    """Type the code; the status and the page."""
    answer = client.post(f"/progress/{case.number}/code/", {"act": "open", "sms_code": digits})
    return answer.status_code, text_of(answer)


def opened(case: Case) -> Client:
    """A browser that may act on the case."""
    browser = Client()
    show_code(browser, case)
    assert enter(browser, case, send(browser, case))[0] == 302
    assert "撤回申请" in text_of(browser.get(acts(case)))
    return browser


def acts(case: Case) -> str:
    return f"/progress/{case.number}/acts/"


def wrong(digits: str) -> str:
    """Six other digits."""
    return f"{(int(digits) + 1) % 1000000:06d}"


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def slots(case: Case) -> list[str]:
    """The slots of the required materials, as the files' field names need them."""
    return [str(line.material_id) for line in case.materials.filter(required=True, material__isnull=False)]


# --- the code


def test_the_query_code_alone_only_reads(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = Client()
    for address in (acts(case), f"/progress/{case.number}/code/"):
        for answer in (browser.get(address), browser.post(address, {"act": "withdraw"})):
            assert (answer.status_code, answer["Location"]) == (302, f"/progress/?number={case.number}")
    show_code(browser, case)
    assert browser.post(acts(case), {"act": "withdraw"}).status_code == 302
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    page = text_of(browser.get(f"/progress/{case.number}/code/"))
    assert mask_phone(case.contact_phone) in page
    assert case.contact_phone not in page


def test_a_number_that_nobody_has_is_answered_the_same(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    other = f"{case.number[:-1]}{'A' if case.number[-1] != 'A' else 'B'}"
    for page in ("code", "acts", "papers/1"):
        known, unknown = (Client().get(f"/progress/{number}/{page}/") for number in (case.number, other))
        assert (known.status_code, unknown.status_code) == (302, 302)
        assert known["Location"].replace(case.number, "") == unknown["Location"].replace(other, "")
    bad = Client().post("/progress/door/", {"number": case.number, "code": "22222222"})
    assert bad.status_code == 422
    assert not PhoneCode.objects.exists()


def test_the_code_goes_at_once_and_only_its_keyed_hash_is_kept(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    now = clock.to("2026-10-01 23:30")  # a holiday, at night
    browser = Client()
    show_code(browser, case)
    digits = send(browser, case)
    message = Message.objects.get(kind="applicant_phone_code")
    assert (message.not_before, message.phone) == (now, case.contact_phone)
    assert get("applicant_phone_code").ignores_quiet_hours
    kept = PhoneCode.objects.get()
    assert digits not in str(vars(kept))
    assert digits not in "".join(str(entry.data) for entry in Entry.objects.all())
    assert enter(browser, case, digits)[0] == 302


def test_five_wrong_tries_void_the_code(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = Client()
    show_code(browser, case)
    digits = send(browser, case)
    said = [enter(browser, case, wrong(digits)) for _ in range(5)]
    assert [status for status, _ in said] == [422] * 5
    assert "还可以再试 4 次" in said[0][1]
    assert "已经作废" in said[4][1]
    cache.clear()
    status, page = enter(browser, case, digits)
    assert (status, "已经作废" in page) == (422, True)
    assert browser.get(acts(case)).status_code == 302
    assert PhoneCode.objects.get().wrong == 5


def test_guessing_from_one_address_is_slowed_across_codes(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = Client()
    show_code(browser, case)
    digits = send(browser, case)
    answers = [enter(browser, case, wrong(digits))[0] for _ in range(4)]
    clock.to("2026-09-28 10:02")
    digits = send(browser, case)
    answers += [enter(browser, case, wrong(digits))[0] for _ in range(4)]
    assert 429 in answers


def test_a_code_expires_and_is_used_once(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser, other = Client(), Client()
    show_code(browser, case)
    show_code(other, case)
    digits = send(browser, case)
    clock.to("2026-09-28 10:10")
    assert "已过期" in enter(browser, case, digits)[1]
    digits = send(browser, case)
    assert enter(browser, case, digits)[0] == 302
    status, page = enter(other, case, digits)
    assert (status, "已经用过" in page) == (422, True)
    assert other.get(acts(case)).status_code == 302


def test_a_newer_code_voids_the_older(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = Client()
    show_code(browser, case)
    first = send(browser, case)
    clock.to("2026-09-28 10:02")
    second = send(browser, case)
    if first != second:
        assert enter(browser, case, first)[0] == 422
    assert enter(browser, case, second)[0] == 302


def test_a_code_and_its_door_are_of_one_case(city: None, clock: Moment) -> None:
    mine, other = to_correct(clock), to_correct(clock)
    browser = Client()
    show_code(browser, mine)
    digits = send(browser, mine)
    show_code(browser, other)
    assert enter(browser, other, digits)[0] == 422
    show_code(browser, mine)
    assert enter(browser, mine, digits)[0] == 302
    assert browser.get(acts(other)).status_code == 302
    assert browser.post(acts(other), {"act": "withdraw"}).status_code == 302
    assert again(other).status == CaseStatus.CORRECTION_REQUESTED
    paper = Document.objects.filter(case=other)[0]
    assert browser.get(f"/progress/{mine.number}/papers/{paper.pk}/").status_code == 404
    assert browser.get(f"/progress/{other.number}/papers/{paper.pk}/").status_code == 302


def test_the_door_closes_after_half_an_hour_and_is_of_one_browser(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = opened(case)
    assert Client().get(acts(case)).status_code == 302
    clock.to("2026-09-28 10:29")
    assert browser.get(acts(case)).status_code == 200
    clock.to("2026-09-28 10:30")
    answer = browser.post(acts(case), {"act": "withdraw"}, follow=True)
    assert "请重新查询并获取短信验证码" in text_of(answer)
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED


def test_codes_are_few_for_a_case_and_for_an_address(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = Client()
    show_code(browser, case)
    send(browser, case)
    hurried = browser.post(f"/progress/{case.number}/code/", {"act": "send"})
    assert (hurried.status_code, int(hurried["Retry-After"]) <= 61) == (429, True)
    for minute in (2, 4, 6, 8):
        clock.to(f"2026-09-28 10:{minute:02d}")
        send(browser, case)
    clock.to("2026-09-28 10:20")
    cache.clear()  # the count of a case does not stand in the cache
    limited = browser.post(f"/progress/{case.number}/code/", {"act": "send"})
    assert (limited.status_code, "分钟后再试" in text_of(limited)) == (429, True)
    assert PhoneCode.objects.filter(case=case).count() == 5
    cache.clear()
    for _ in range(10):
        one = to_correct(clock)
        visitor = Client()
        show_code(visitor, one)
        send(visitor, one)
    last = to_correct(clock)
    show_code(visitor, last)
    assert visitor.post(f"/progress/{last.number}/code/", {"act": "send"}).status_code == 429


# --- the answer, once


def test_the_applicant_answers_the_notice_once(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = opened(case)
    page = text_of(browser.get(acts(case)))
    for point in CorrectionNotice.objects.get(case=case).points:
        assert point["text"] in page
    assert "只能提交一次" in page
    first, *others = slots(case)
    kept = browser.post(acts(case), {"act": "keep-answer", f"file-{first}": file(PDF, "证明.pdf")}, follow=True)
    assert "已保存 1 个文件，还没有提交" in text_of(kept)
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    clock.to("2026-09-28 10:05")
    files = {f"file-{slot}": file(PNG, "图.png") for slot in others}
    answer = browser.post(acts(case), {"act": "answer", **files}, follow=True)
    assert "补正已提交" in text_of(answer)
    notice = CorrectionNotice.objects.get(case=case)
    assert (notice.answered_at, notice.answered_through) == (clock.at, "public")
    found = again(case)
    assert found.status == CaseStatus.SUBMITTED
    assert found.notice_deadline is not None
    assert found.notice_deadline.is_open
    entry = Entry.objects.get(stream=case.stream, act="case.correction_answered")
    assert (entry.data["door"], entry.actor_id) == ("public", None)
    assert not required_points(found)
    second = browser.post(acts(case), {"act": "answer", f"file-{first}": file()})
    assert (second.status_code, "刚刚已经提交" in text_of(second)) == (409, True)


def test_the_one_answer_is_not_spent_on_nothing(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    answer = opened(case).post(acts(case), {"act": "answer"})
    assert (answer.status_code, "还没有上传任何文件" in text_of(answer)) == (422, True)
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED


def test_a_bad_file_keeps_the_others_and_submits_nothing(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = opened(case)
    first, second = slots(case)[:2]
    files = {f"file-{first}": file(PDF, "好.pdf"), f"file-{second}": file(EXE, "坏.pdf")}
    answer = browser.post(acts(case), {"act": "answer", **files})
    page = text_of(answer)
    assert answer.status_code == 422
    assert "内容不是 PDF、JPG、PNG 或 OFD" in page
    assert "好.pdf" in page
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    kept = Upload.objects.get(intake_key=case.intake_key)
    assert kept.uploaded_by is None
    browser.post(acts(case), {"remove": str(kept.pk)})
    assert not Upload.objects.exists()


def test_a_file_of_the_windows_is_not_taken_back_here(city: None, clock: Moment, sign_in: object) -> None:
    case = to_correct(clock)
    kept = play_upload(case, clock)
    browser = opened(case)
    browser.post(acts(case), {"remove": str(kept.pk)})
    assert Upload.objects.filter(pk=kept.pk).exists()


def play_upload(case: Case, clock: Moment) -> Upload:
    """A file that a clerk put on the form."""
    from approvals import uploads

    return uploads.store(
        file(), intake_key=case.intake_key, slot=slots(case)[0], by=play.person("chuangkou1"), now=clock.at
    )


def test_a_promise_letter_is_signed_and_never_uploaded(city: None, clock: Moment) -> None:
    case = to_correct(clock)
    browser = opened(case)
    answer = browser.post(acts(case), {"act": "keep-answer", "file-promise": file()}, follow=True)
    assert answer.status_code == 200
    assert not Upload.objects.exists()


# --- withdrawal and papers


def test_the_applicant_withdraws_and_reads_the_paper(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    browser = opened(case)
    answer = browser.post(acts(case), {"act": "withdraw", "reason": "项目取消"}, follow=True)
    page = text_of(answer)
    assert "申请已撤回" in page
    assert "这件申请已经撤回" in page
    paper = Document.objects.get(case=case, kind="withdrawal")
    assert "项目取消" in text_of(browser.get(f"/progress/{case.number}/papers/{paper.pk}/"))
    late = browser.post(acts(case), {"act": "withdraw"})
    assert (late.status_code, "已经撤回" in text_of(late)) == (409, True)


def test_after_the_decision_nothing_is_withdrawn(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at)
    browser = opened(case)
    from approvals.actions import decide
    from offices.models import Posting

    assert case.reviewer is not None
    decide(case, approve=True, by=play.holder(Posting.Role.DECIDER, case, case.reviewer), now=clock.at)
    answer = browser.post(acts(case), {"act": "withdraw"})
    assert (answer.status_code, "已经作出准予许可的决定" in text_of(answer)) == (409, True)
    assert "confirm-withdraw" not in text_of(browser.get(acts(case)))


def test_the_progress_page_links_to_the_door_only_where_something_can_be_done(city: None, clock: Moment) -> None:
    open_case, done = to_correct(clock), play.completed(clock.at)
    for case, linked in ((open_case, True), (done, False)):
        page = text_of(Client().post("/progress/", {"number": case.number, "code": case.query_code}))
        assert ("补正、补交、撤回</button>" in page) == linked
        assert "验证手机，查看信用</button>" in page
    assert correction_choices(open_case)


# --- what an act came to is said


def test_the_last_deferred_material_is_answered_with_the_licence_and_where_it_is(city: None, clock: Moment) -> None:
    case = debts.waiting(clock.at, UNTIL)
    first, last = outstanding(case)
    browser = Client()
    show_code(browser, case)
    assert enter(browser, case, send(browser, case))[0] == 302
    answer = browser.post(acts(case), {"act": "hand_in", f"file-{slot_of(first)}": file(PDF, "一.pdf")}, follow=True)
    assert f"材料已提交。还没有补交：{last.name}。" in text_of(answer)
    answer = browser.post(acts(case), {"act": "hand_in", f"file-{slot_of(last)}": file(PDF, "二.pdf")}, follow=True)
    licence = Licence.objects.get(case=case)
    assert f"材料已补齐，{case.business_item.result_name}已颁发，编号 {licence.number}。" in text_of(answer)
    assert "到出件窗口领取，也可以办理邮寄" in text_of(answer)


def test_withdrawing_the_promise_says_beforehand_and_afterwards_what_is_owed(city: None, clock: Moment) -> None:
    case = play.promising(clock.at)
    names = [line.name for line in restorable(case)]
    browser = opened(case)
    assert f"须另外交齐：{'、'.join(names)}" in text_of(browser.get(acts(case)))
    answer = text_of(browser.post(acts(case), {"act": "withdraw_promise"}, follow=True))
    assert "同一件办件不能再次签署承诺" in answer
    assert all(name in answer for name in names)
    assert "撤回告知承诺" not in answer


def test_a_reason_is_given_back_where_somebody_was_faster(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at)
    assert case.reviewer is not None
    browser = opened(case)
    decide(case, approve=True, by=play.holder(Posting.Role.DECIDER, case, case.reviewer), now=clock.at)
    said = {"act": "withdraw", "reason": "<b>改址</b>", "sms_code": "246810", "contact_phone": "10000990000"}
    page = browser.post(acts(case), said)
    html = text_of(page)
    assert (page.status_code, "您刚才填写的内容" in html) == (409, True)
    assert "&lt;b&gt;改址&lt;/b&gt;" in html
    assert "246810" not in html
    assert "10000990000" not in html
