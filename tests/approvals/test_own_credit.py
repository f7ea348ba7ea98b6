"""A subject's own credit behind its own door: what it sees, objects to and asks for; nobody else's, and no officer."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from approvals import doors, verification
from approvals.actions.ending import withdraw_case
from approvals.enums import Door
from approvals.models import Case, PhoneCode
from credit import own, papers
from credit.actions import joining, judging, repairing
from credit.models import Breach, CreditRecord, CreditSubject, Repair, SubjectGrade, note_kept_promise
from credit.words import by_day
from deadlines.clock import local_date
from ledger.models import Entry
from notifications.models import Message
from offices.models import User
from tests.approvals import play
from tests.approvals.test_door import acts, enter, send, show_code
from tests.approvals.window import text_of
from tests.conftest import Moment
from tests.credit import facts as make

pytestmark = pytest.mark.django_db
MINOR: dict[str, Any] = {"kind": "late_material", "listed": "A04", "level": "minor"}
ASKED = {"ground": "mended", "statement": "材料已补齐，已培训经办人。"}
WRONG = {"ground": "wrong", "statement": "决定书已被复议撤销。"}
SAID = {"text": "材料由中介伪造，我公司不知情。"}


@pytest.fixture(autouse=True)
def _fresh_windows() -> None:
    cache.clear()


def url(case: Case, *rest: object) -> str:
    return "/".join(["/progress", case.number, "credit", *map(str, rest)]) + "/"


def opened(case: Case) -> Client:
    """A browser behind the door of a case, come for its applicant's credit."""
    browser = Client()
    asked = browser.post("/progress/door/", {"number": case.number, "code": case.query_code, "for": "credit"})
    assert asked["Location"] == f"/progress/{case.number}/code/?for=credit"
    sent = browser.post(asked["Location"], {"act": "send"})
    assert sent["Location"] == asked["Location"]
    message = Message.objects.filter(kind="applicant_phone_code", reference=case.stream).order_by("-pk")[0]
    found = re.search(r"\d{6}", message.text)
    assert found
    assert "信用" in message.text
    answer = browser.post(asked["Location"], {"act": "open", "sms_code": found.group()})
    assert (answer.status_code, answer["Location"]) == (302, url(case))
    return browser


def at(day: dt.date, hour: int, minute: int, second: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute, second), ZoneInfo("Asia/Shanghai"))


def outside(subject: CreditSubject, kind: str, now: dt.datetime, source: str = "外部1号") -> CreditRecord:
    """A record that the platform gave, of no case and no department here."""
    return CreditRecord.objects.create(
        subject=subject, kind=kind, origin="platform", source=source, basis="信用中国", found_at=now
    )


# --- who comes in


def test_without_the_code_by_sms_there_is_nothing(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    record = make.recorded(clock, source="连住建撤〔2026〕9号", **MINOR)
    clock.to("2026-10-20 10:00")
    progress = Client().post("/progress/", {"number": case.number, "code": case.query_code})
    page = text_of(progress)
    assert "验证手机，查看信用" in page
    for secret in (breach.number, record.source, "未评价", "违背承诺"):
        assert secret not in page
    browser = Client()
    show_code(browser, case)
    for address in (url(case), url(case, "breaches", breach.pk), url(case, "breaches", breach.pk, "notice"),
                    url(case, "records", record.pk)):  # fmt: skip
        for who in (Client(), browser):
            answer = who.get(address)
            assert (answer.status_code, answer["Location"]) == (302, f"/progress/?number={case.number}")
    for address in (url(case, "breaches", breach.pk), url(case, "records", record.pk)):
        assert browser.post(address, {}).status_code == 302
    late = browser.post(url(case, "breaches", breach.pk), SAID)
    assert late.status_code == 409
    assert SAID["text"] in text_of(late)
    assert breach.number not in text_of(late)
    breach.refresh_from_db()
    assert breach.objection == ""


def test_what_was_typed_is_not_lost_with_the_half_hour(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    browser = opened(case)
    clock.to("2026-09-28 10:31")
    answer = browser.post(url(case, "breaches", breach.pk), SAID)
    page = text_of(answer)
    assert (answer.status_code, SAID["text"] in page, "没有提交" in page) == (409, True, True)
    assert breach.number not in page
    assert not Breach.objects.exclude(objection="").exists()


def test_the_door_of_an_old_case_that_ended_will_do(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    withdraw_case(case, by=None, door=Door.PUBLIC, reason="", now=clock.at)
    clock.to("2028-10-09 10:00")
    breach = make.told(clock.at)
    page = text_of(Client().post("/progress/", {"number": case.number, "code": case.query_code}))
    assert "验证手机，查看信用" in page
    browser = opened(case)
    assert breach.number in text_of(browser.get(url(case)))
    assert browser.post(url(case, "breaches", breach.pk), SAID).status_code == 302


def test_the_door_of_the_acts_leads_to_it_and_back(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    browser = Client()
    show_code(browser, case)
    assert enter(browser, case, send(browser, case))[0] == 302
    assert f'href="{url(case)}"' in text_of(browser.get(acts(case)))
    assert f'href="{acts(case)}"' in text_of(browser.get(url(case)))
    again = browser.post("/progress/door/", {"number": case.number, "code": case.query_code, "for": "credit"})
    assert again["Location"] == url(case)
    assert browser.get(url(case))["Cache-Control"] == "no-store"


# --- what is seen


def test_all_of_its_own_and_nothing_of_another(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    record = make.recorded(clock, source="连住建撤〔2026〕8号", **MINOR)
    breach = make.told(clock.at)
    other = make.told(clock.at, source="连住建撤〔2026〕7号", subject=make.company(2))
    kept = note_kept_promise(record.subject, source="监管任务1号", basis="演示", at=clock.at)
    sanction = outside(record.subject, "sanction", clock.at)
    strange = outside(make.company(2), "sanction", clock.at, "外部2号")
    browser = opened(case)
    page = text_of(browser.get(url(case)))
    due = breach.deadline.due_on
    for word in (
        breach.number, f"{due.year}年{due.month}月{due.day}日", record.source, "违背承诺（轻微）", "不向社会公示",
        "起可以申请修复", sanction.source, "公共信用信息平台", "未评价", "告知承诺", "不适用",
    ):  # fmt: skip
        assert word in page, word
    assert "有未修复的" not in page, "a minor one closes nothing"
    outside(record.subject, "broken_promise", clock.at, "外部3号")
    assert "有未修复的违背承诺记录（外部3号" in text_of(browser.get(url(case)))
    assert kept.source not in page
    assert kept.source in text_of(browser.get(url(case) + "?tab=kept"))
    assert other.number not in page
    assert strange.source not in page
    seen = [page, *(text_of(browser.get(address)) for address in (
        url(case, "breaches", breach.pk), url(case, "breaches", breach.pk, "notice"), url(case, "records", record.pk),
        url(case, "records", sanction.pk), url(case, "records", kept.pk),
    ))]  # fmt: skip
    assert "请向认定单位申请" in seen[4]
    for name in User.objects.exclude(full_name="").values_list("full_name", flat=True):
        assert not any(name in html for html in seen), name
    missing = browser.get(url(case, "breaches", 10**9))
    for address in (
        url(case, "breaches", other.pk), url(case, "breaches", other.pk, "notice"), url(case, "records", strange.pk),
        url(case, "records", 10**9), url(case, "records", 10**30),
    ):  # fmt: skip
        answer = browser.get(address)
        assert (answer.status_code, _bare(answer)) == (404, _bare(missing)), address
    for address, posted in ((url(case, "breaches", other.pk), SAID), (url(case, "records", strange.pk), WRONG)):
        assert browser.post(address, posted).status_code == 404
    other.refresh_from_db()
    assert other.objection == ""
    assert not Repair.objects.exists()


def _bare(answer: Any) -> str:
    """The page without the address that was asked for."""
    return re.sub(r"/progress/[^\"'&]*|%2Fprogress[^\"'&]*", "", text_of(answer))


def test_a_person_is_masked_but_on_the_own_notice(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at, subject=make.person())
    Case.objects.filter(pk=case.pk).update(applicant=breach.subject)
    browser = opened(case)
    pages = [text_of(browser.get(address)) for address in (url(case), url(case, "breaches", breach.pk))]
    paper = text_of(browser.get(url(case, "breaches", breach.pk, "notice")))
    assert breach.subject.public_name in pages[0]
    assert not any(breach.subject.name in html for html in pages)
    assert breach.subject.name in paper
    assert not any(make.PERSON in html or make.PHONE in html for html in [*pages, paper])
    told = post("credit", {"permit": word(case, clock)}).json()
    assert told["name"] == breach.subject.public_name
    assert make.PERSON not in str(told)


def test_a_grade_is_told_with_its_source_and_silence_is_not_good(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    browser = opened(case)
    silent = text_of(browser.get(url(case)))
    assert '<p class="own-grade">未评价</p>' in silent
    assert "没有评价不等于良好" in silent
    SubjectGrade.objects.create(
        subject=case.applicant, grade="poor", source="市发改委2026年评价", given_at=clock.at, received_at=clock.at
    )
    told = text_of(browser.get(url(case)))
    assert '<p class="own-grade">差</p>' in told
    assert "市发改委2026年评价" in told


def test_statements_do_not_grow_with_what_is_known(
    city: None, clock: Moment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = play.received(clock.at)
    browser = opened(case)
    browser.get(url(case))
    with django_assert_max_num_queries(12) as few:
        browser.get(url(case))
    before = len(few)
    for serial in range(3):
        breach = make.told(clock.at, source=f"连住建撤〔2026〕{20 + serial}号")
        one = make.recorded(clock, source=f"连住建撤〔2026〕{30 + serial}号", **MINOR)
        repairing.ask(one, **ASKED, by=None, now=clock.at)
        assert breach.is_open
    for serial in range(60):
        outside(make.company(), "sanction", clock.at, f"外部{serial}号")
    cache.clear()
    browser = opened(case)
    browser.get(url(case))
    with django_assert_max_num_queries(before):
        page = text_of(browser.get(url(case)))
    assert "下一页" in page
    with django_assert_max_num_queries(12):
        browser.get(url(case, "records", one.pk))
    with django_assert_max_num_queries(12):
        browser.get(url(case, "breaches", breach.pk))


# --- objection


def test_an_objection_to_the_last_second_of_the_day(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    due = breach.deadline.due_on
    clock.at = at(due, 23, 50, 0)
    browser = opened(case)
    assert "提出异议" in text_of(browser.get(url(case, "breaches", breach.pk)))
    bare = browser.post(url(case, "breaches", breach.pk), {"text": " "})
    assert (bare.status_code, "请写明异议的内容和理由" in text_of(bare)) == (422, True)
    clock.at = at(due, 23, 59, 59)
    answer = browser.post(url(case, "breaches", breach.pk), SAID, follow=True)
    assert "异议已提交" in text_of(answer)
    assert SAID["text"] in text_of(answer)
    breach.refresh_from_db()
    assert (breach.status, breach.objection, breach.objected_at) == ("objected", SAID["text"], clock.at)
    assert breach.deadline.state == "met"
    entry = Entry.objects.get(stream=breach.stream, act="credit.breach_objected")
    assert (entry.actor_id, entry.data) == (None, {"breach": breach.pk, "through": case.stream})
    staff = Message.objects.get(kind="credit_staff", dedupe_key__contains=f"breach:{breach.pk}:objected")
    assert staff.to_user == make.officer()
    assert Message.objects.filter(kind="credit_subject", dedupe_key__endswith=":objected").count() == 1
    # Pressed twice: nothing doubles, nothing that was typed is lost.
    second = browser.post(url(case, "breaches", breach.pk), {"text": "再说一次。"})
    assert second.status_code == 409
    assert "再说一次。" in text_of(second)
    breach.refresh_from_db()
    assert breach.objection == SAID["text"]
    assert Entry.objects.filter(act="credit.breach_objected").count() == 1


def test_a_second_after_midnight_is_too_late(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    clock.at = at(breach.deadline.due_on, 23, 50, 0)
    browser = opened(case)
    clock.at = at(breach.deadline.due_on + dt.timedelta(days=1), 0, 0, 1)
    page = text_of(browser.get(url(case, "breaches", breach.pk)))
    assert "提出异议的期限" in page
    assert "own-objection" not in page
    late = browser.post(url(case, "breaches", breach.pk), SAID)
    assert (late.status_code, SAID["text"] in text_of(late)) == (409, True)
    assert "申请更正" in text_of(late)
    breach.refresh_from_db()
    assert (breach.status, breach.objection) == ("told", "")


def test_the_decision_is_read_there_without_who_decided(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    judging.object_to(breach, **SAID, by=None, now=clock.at)
    judging.drop(breach, reason="异议成立，不予记录。", by=make.officer(), now=clock.at)
    browser = opened(case)
    assert breach.number in text_of(browser.get(url(case)))
    page = text_of(browser.get(url(case, "breaches", breach.pk)))
    assert "异议成立，不予记录。" in page
    assert make.officer().full_name not in page


# --- repair and correction


def test_repair_too_early_is_refused_beside_the_field_with_the_day(city: None, clock: Moment) -> None:
    case, record = play.received(clock.at), make.recorded(clock)
    first = record.repair_from
    assert first is not None
    clock.at = at(first - dt.timedelta(days=1), 23, 50, 0)
    browser = opened(case)
    early = browser.post(url(case, "records", record.pk), ASKED)
    page = text_of(early)
    assert early.status_code == 422
    assert f"{first.year}年{first.month}月{first.day}日起可以申请修复" in page
    assert re.search(r'id="id_ground_error"', page)
    assert ASKED["statement"] in page
    assert not Repair.objects.exists()
    clock.at = at(first, 0, 0, 1)
    done = browser.post(url(case, "records", record.pk), ASKED, follow=True)
    assert "申请已提交" in text_of(done)
    repair = Repair.objects.select_related("deadline").get()
    assert (repair.record, repair.asked_by, repair.origin) == (record, None, "subject")
    assert repair.deadline is not None
    assert (repair.deadline.kind, repair.deadline.state) == ("credit_repair", "running")
    assert repair.deadline.start_on == local_date(clock.at)
    entry = Entry.objects.get(act="credit.repair_asked")
    assert (entry.actor_id, entry.data["through"]) == (None, case.stream)
    double = browser.post(url(case, "records", record.pk), ASKED)
    assert (double.status_code, "未办结的申请" in text_of(double)) == (409, True)
    assert ASKED["statement"] in text_of(double)
    assert Repair.objects.count() == 1
    officer = Client()
    officer.force_login(make.officer(), backend="django.contrib.auth.backends.ModelBackend")
    assert record.source in text_of(officer.get("/credit/records/?tab=waiting"))
    assert ASKED["statement"] in text_of(officer.get(f"/credit/records/{record.pk}/"))
    repairing.settle(repair, grant=True, reason="已经纠正。", by=make.officer(), now=clock.at)
    page = text_of(browser.get(url(case, "records", record.pk)))
    assert "已修复" in page
    assert "已经纠正。" in page
    assert make.officer().full_name not in page


def test_a_correction_at_any_time_and_never_of_a_kept_promise(city: None, clock: Moment) -> None:
    case, record = play.received(clock.at), make.recorded(clock)
    kept = note_kept_promise(record.subject, source="监管任务1号", basis="演示", at=clock.at)
    serious = outside(record.subject, "serious", clock.at)
    browser = opened(case)
    for bad, words in ((WRONG | {"statement": ""}, "请写明申请的理由"), (WRONG | {"ground": ""}, "请选择申请的事由")):
        answer = browser.post(url(case, "records", record.pk), bad)
        assert (answer.status_code, words in text_of(answer)) == (422, True)
    assert browser.post(url(case, "records", record.pk), WRONG).status_code == 302
    due = Repair.objects.get().deadline
    assert due is not None
    assert f"{by_day(due.due_on)}决定" in text_of(browser.get(url(case)))
    for one in (kept, serious):
        assert "own-ask" not in text_of(browser.get(url(case, "records", one.pk)))
        assert browser.post(url(case, "records", one.pk), WRONG).status_code == 409
    assert Repair.objects.count() == 1
    received = Message.objects.get(kind="credit_subject", dedupe_key__endswith=":received")
    assert "更正申请已收到" in received.text


# --- the notice


def test_sms_and_notice_say_where_and_no_secret(city: None, clock: Moment, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://portal.example/"
    case, breach = play.received(clock.at), make.told(clock.at)
    [sms] = Message.objects.filter(kind="credit_subject")
    assert "https://portal.example/progress/" in sms.text
    for secret in (case.number, case.query_code, breach.subject.code or "-"):
        assert secret not in sms.text
    page = text_of(opened(case).get(url(case, "breaches", breach.pk, "notice")))
    assert "https://portal.example/progress/" in page
    code = papers.code_of(breach)
    assert f"https://portal.example/verify/{code}/" in page
    found = verification.find(code, local_date(clock.at))
    assert found is not None
    assert (found.kind, found.number, found.state) == ("拟认定失信告知书", breach.number, "有效")
    assert breach.number in text_of(Client().get(f"/verify/{code}/"))
    for wrong in (code[:-1] + ("0" if code[-1] != "0" else "1"), f"{breach.pk + 1}-{code.partition('-')[2]}", "1-x"):
        assert Client().get(f"/verify/{wrong}/").status_code == 404
    breach.refresh_from_db()
    assert papers.code_of(breach) == code
    Breach.objects.filter(pk=breach.pk).update(level="general")
    assert verification.find(code, local_date(clock.at)) is None


def test_a_day_in_a_year_without_a_calendar_is_no_day_that_has_passed(city: None, clock: Moment) -> None:
    clock.to("2026-12-29 10:00")
    case, breach = play.received(clock.at), make.told(clock.at)
    assert (breach.deadline.provisional, breach.deadline.due_on.year) == (True, 2027)
    assert "（暂定）" in text_of(opened(case).get(url(case)))
    make.after(clock, breach.deadline.due_on)
    browser = opened(case)
    assert "有异议的现在仍可以提出" in text_of(browser.get(url(case)))
    page = text_of(browser.get(url(case, "breaches", breach.pk)))
    assert "现在还没有记录，仍可以提出异议。" in page
    assert "2027年的节假日安排尚未发布" in page.replace(" ", "")
    assert browser.post(url(case, "breaches", breach.pk), SAID).status_code == 302


# --- what was found of a code that the subject took the place of


def test_a_successor_reads_and_contests_what_was_found_of_its_former_code(city: None, clock: Moment) -> None:
    old, stranger = make.company(5), make.company(6)
    record = make.recorded(clock, source="连住建撤〔2026〕21号", subject=old)
    make.recorded(clock, source="连住建撤〔2026〕23号", subject=stranger)
    breach = make.told(clock.at, source="连住建撤〔2026〕24号", subject=old)
    case = play.received(clock.at)
    browser, former = opened(case), f"原主体{old.name}（{old.code}），代码已衔接"
    assert post("credit", {"permit": word(case, clock)}).json()["records"]["results"] == []
    assert browser.get(url(case, "records", record.pk)).status_code == 404
    said: dict[str, Any] = {
        "kind": "replaced",
        "on": dt.date(2026, 9, 1),
        "basis": "连云港市市场监督管理局准予变更登记通知书",
        "by": make.officer(),
    }
    joining.link(before=old.code or "", after=case.applicant.code or "", now=clock.at, **said)
    page = text_of(browser.get(url(case)))
    assert (record.source in page, breach.number in page, page.count(former)) == (True, True, 2)
    assert "连住建撤〔2026〕23号" not in page
    for rest in (("records", record.pk), ("breaches", breach.pk)):
        assert former in text_of(browser.get(url(case, *rest)))
    assert old.name in text_of(browser.get(url(case, "breaches", breach.pk, "notice")))
    assert browser.post(url(case, "breaches", breach.pk), SAID).status_code == 302
    assert browser.post(url(case, "records", record.pk), WRONG).status_code == 302
    breach.refresh_from_db()
    assert (breach.status, Repair.objects.get().record_id) == ("objected", record.pk)
    told = post("credit", {"permit": word(case, clock)}).json()
    assert [(one["id"], one["subject"]["identifier"]) for one in told["records"]["results"]] == [(record.pk, old.code)]
    assert {one["subject"]["name"] for one in told["breaches"]} == {old.name}
    assert [one["record"] for one in told["repairs"]] == [record.pk]


def test_of_who_was_split_each_speaks_for_itself(city: None, clock: Moment) -> None:
    old = make.company(5)
    record = make.recorded(clock, source="连住建撤〔2026〕21号", subject=old)
    breach = make.told(clock.at, source="连住建撤〔2026〕24号", subject=old)
    case = play.received(clock.at)
    said: dict[str, Any] = {
        "kind": "split", "on": dt.date(2026, 9, 1), "basis": "连云港市市场监督管理局准予变更登记通知书",
        "by": make.officer(),
    }  # fmt: skip
    joining.link(before=old.code or "", after=case.applicant.code or "", now=clock.at, **said)
    browser = opened(case)
    page = text_of(browser.get(url(case)))
    assert (record.source in page, breach.number in page) == (True, False)
    for rest in (("breaches", breach.pk), ("breaches", breach.pk, "notice")):
        assert browser.get(url(case, *rest)).status_code == 404
    assert browser.post(url(case, "breaches", breach.pk), SAID).status_code == 404
    shown = text_of(browser.get(url(case, "records", record.pk)))
    assert ("这是分立前主体的记录" in shown, 'name="statement"' in shown) == (True, False)
    assert browser.post(url(case, "records", record.pk), WRONG).status_code == 404
    permit = word(case, clock)
    told = post("credit", {"permit": permit}).json()
    assert ([one["id"] for one in told["records"]["results"]], told["breaches"]) == ([record.pk], [])
    for name, body in (
        ("credit/objection", {"breach": breach.pk} | SAID),
        ("credit/repair", {"record": record.pk} | WRONG),
    ):
        assert post(name, {"permit": permit} | body).status_code == 404


# --- by program


def word(case: Case, clock: Moment) -> str:
    """A permit for the case."""
    code = PhoneCode.objects.create(
        case=case, purpose="door", code_hash="0" * 64, sent_at=clock.at, expires_at=clock.at, used_at=clock.at
    )
    return doors.permit(case.number, code)


def post(name: str, body: dict[str, Any]) -> Any:
    return APIClient().post(f"/api/v1/progress/{name}/", body, format="json")


def test_the_same_by_program(city: None, clock: Moment) -> None:
    case, breach = play.received(clock.at), make.told(clock.at)
    other = make.told(clock.at, source="连住建撤〔2026〕7号", subject=make.company(2))
    for name, body in (("credit", {}), ("credit/objection", {"breach": breach.pk} | SAID)):
        answer = post(name, {"permit": "x"} | body)
        assert (answer.status_code, answer.json()["code"]) == (404, "permit-unknown")
    permit = word(case, clock)
    told = post("credit", {"permit": permit})
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    body = told.json()
    assert (body["grade"], [one["id"] for one in body["breaches"]]) == ("none", [breach.pk])
    assert body["breaches"][0]["deadline"]["due_on"] == breach.deadline.due_on.isoformat()
    assert not {"id"} & set(body["breaches"][0]["deadline"])
    assert {way["way"]: way["is_open"] for way in body["ways"]}["green_lane"] is False
    assert post("credit", {"permit": permit, "cursor": "x"}).json()["code"] == "bad-cursor"
    for foreign in (other.pk, 10**9):
        answer = post("credit/objection", {"permit": permit, "breach": foreign} | SAID)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert post("credit/objection", {"permit": permit, "breach": breach.pk}).json()["code"] == "objection-missing"
    done = post("credit/objection", {"permit": permit, "breach": breach.pk} | SAID)
    assert (done.status_code, done.json()["status"]) == (200, "objected")
    again = post("credit/objection", {"permit": permit, "breach": breach.pk} | SAID)
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    record = make.recorded(clock, source="连住建撤〔2026〕8号")
    strange = make.recorded(clock, source="连住建撤〔2026〕6号", subject=make.company(3))
    permit = word(case, clock)
    foreign_one = post("credit/repair", {"permit": permit, "record": strange.pk} | WRONG)
    assert (foreign_one.status_code, foreign_one.json()["code"]) == (404, "not-found")
    early = post("credit/repair", {"permit": permit, "record": record.pk} | ASKED)
    assert (early.status_code, early.json()["code"]) == (422, "repair-too-early")
    asked = post("credit/repair", {"permit": permit, "record": record.pk} | WRONG)
    assert (asked.status_code, [one["granted"] for one in asked.json()["repairs"]]) == (200, [None])
    double = post("credit/repair", {"permit": permit, "record": record.pk} | WRONG)
    assert (double.status_code, double.json()["code"]) == (409, "repair-open")
    page = post("credit", {"permit": permit}).json()
    assert [one["id"] for one in page["records"]["results"]] == [record.pk]
    assert [one["record"] for one in page["repairs"]] == [record.pk]
    assert own.records([case.applicant_id]).count() == 1
