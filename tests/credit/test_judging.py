"""From a fact to a record: told beforehand, heard, decided; what is refused and in which words (L8c, L10d)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from credit.actions import judging
from credit.models import Breach, CreditFact, CreditRecord, Push
from credit.words import by_day, cn_day
from deadlines import jobs
from deadlines.clock import local_date
from deadlines.models import Deadline
from deadlines.notice import Notice
from deadlines.office import draft_year, publish
from deadlines.recompute import refresh
from deadlines.sweep import sweep
from ledger.models import Entry
from notifications.models import Message
from notifications.segments import segments
from offices.models import Posting, User
from offices.refusals import Refused, TransitionNotAllowed
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def fact_url(fact: CreditFact) -> str:
    return reverse("credit:fact", args=[fact.pk])


def url(name: str, breach: Breach) -> str:
    return reverse(f"credit:{name}", args=[breach.pk])


def said(fact: CreditFact, **changes: str) -> dict[str, str]:
    return make.TELL | {"identifier": fact.subject.code or make.PERSON} | changes


def decide(day: dt.date | None, verdict: str = "record", reason: str = "没有提出异议。") -> dict[str, str]:
    return {"verdict": verdict, "final_on": day.isoformat() if day else "", "reason": reason}


def test_told_waited_and_recorded_in_the_browser(sign_in: SignIn, clock: Moment) -> None:
    browser, fact = sign_in(make.OFFICER), make.fact(clock.at)
    assert fact.source in text_of(browser.get("/credit/"))
    assert "以欺骗、贿赂" in text_of(browser.get(fact_url(fact)))
    assert browser.post(fact_url(fact), said(fact)).status_code == 302
    breach = Breach.objects.get()
    assert breach.number == "连建信告〔2026〕1号"
    assert (breach.subject, breach.department) == (fact.subject, fact.department)
    assert not CreditRecord.objects.exists()
    paper = text_of(browser.get(url("breach_paper", breach)))
    until = by_day(breach.deadline.due_on)
    for word in (breach.number, fact.subject.name, "以虚假材料取得许可", f"{until}向本机关提出"):
        assert word in paper
    [sms] = Message.objects.filter(kind="credit_subject")
    assert breach.number in sms.text
    assert f"请{until}向该单位提出" in sms.text
    assert segments(sms.text).segments == 2
    assert (fact.subject.code or "") not in sms.text
    # The day itself is still the subject's.
    due = breach.deadline.due_on
    clock.at = make.noon(due)
    early = browser.post(url("breach_decision", breach), decide(due))
    assert early.status_code == 409
    assert f"当事人{until}可以提出异议" in text_of(early)
    make.after(clock, due)
    assert "请决定是否记录" in text_of(browser.get(url("breach", breach)))
    assert browser.post(url("breach_decision", breach), decide(due)).status_code == 302
    record = CreditRecord.objects.get()
    assert (record.subject, record.kind, record.level, record.listed) == (fact.subject, "revoked", "serious", "A02")
    assert (record.source, record.department) == (fact.source, fact.department)
    assert (record.repair_from, record.shown_until) == (dt.date(2027, 9, 29), dt.date(2029, 9, 28))
    [push] = Push.objects.all()
    assert (push.record, push.kind, push.seq) == (record, "record", 1)
    fact.refresh_from_db()
    assert fact.settled_at == clock.at
    acts = Entry.objects.filter(stream=fact.subject.stream).order_by("seq").values_list("act", flat=True)
    assert list(acts) == [
        "deadline_started", "credit.breach_told", "deadline_cancelled", "credit.breach_recorded",
        "credit.push_queued",
    ]  # fmt: skip
    assert Message.objects.filter(kind="credit_subject").count() == 2
    assert browser.post(url("breach_decision", breach), decide(due)).status_code == 409
    assert (CreditRecord.objects.count(), Push.objects.count()) == (1, 1)


def test_an_objection_is_heard_once_and_in_time_and_may_lead_to_no_record(sign_in: SignIn, clock: Moment) -> None:
    browser, breach = sign_in(make.OFFICER), make.told(clock.at)
    bare = browser.post(url("breach_objection", breach), {"text": " "})
    assert bare.status_code == 422
    assert "请写明异议的内容和理由" in text_of(bare)
    assert browser.post(url("breach_objection", breach), {"text": "材料由中介伪造。"}).status_code == 302
    again = browser.post(url("breach_objection", breach), {"text": "再说一次。"})
    assert again.status_code == 409
    assert "再说一次。" in text_of(again)
    page = text_of(browser.get(url("breach", breach)))
    assert "材料由中介伪造。" in page
    assert Deadline.objects.get(breach=breach).state == "met"
    # Heard, it may be decided before the day is over.
    assert browser.post(url("breach_decision", breach), decide(None, "drop", "异议成立。")).status_code == 302
    breach.refresh_from_db()
    assert (breach.status, breach.reason, breach.record) == ("dropped", "异议成立。", None)
    assert not CreditRecord.objects.exists()
    assert not Push.objects.exists()
    assert [one.text for one in Message.objects.filter(dedupe_key__endswith="dropped")] == [
        f"拟认定失信一事（{breach.number}）经审查，决定不予记录。"
    ]


def test_too_late_an_objection_is_told_the_other_way(sign_in: SignIn, clock: Moment) -> None:
    browser, breach = sign_in(make.OFFICER), make.told(clock.at)
    make.after(clock, breach.deadline.due_on)
    late = browser.post(url("breach_objection", breach), {"text": "来晚了。"})
    assert late.status_code == 409
    assert "申请更正" in text_of(late)
    breach.refresh_from_db()
    assert breach.objection == ""


def test_a_day_in_a_year_without_a_calendar_is_said_to_be_uncertain(sign_in: SignIn, clock: Moment) -> None:
    clock.to("2026-12-30 10:00")
    browser, breach = sign_in(make.OFFICER), make.told(clock.at)
    due, unpublished = breach.deadline.due_on, "2027 年的节假日安排尚未发布"
    assert due.year == 2027
    clock.at = make.noon(due)
    still = text_of(browser.get(url("breach", breach)))
    assert f"当事人{by_day(due)}可以提出异议，期限届满之前不能记录。{unpublished}" in still
    make.after(clock, due)
    sweep(clock.at)
    uncertain = f"异议期限暂计为{by_day(due)}，是否届满还不能确定，现在不能记录。{unpublished}"
    page = text_of(browser.get(url("breach", breach)))
    assert uncertain in page
    assert "可以提出异议" not in page
    assert f"{cn_day(due)}届满（暂定）" in text_of(browser.get("/credit/?tab=told"))
    early = browser.post(url("breach_decision", breach), decide(due))
    assert early.status_code == 409
    assert uncertain in text_of(early)
    [sms] = Message.objects.filter(kind="credit_reminder")
    assert "2027年的节假日安排尚未发布，发布后才能决定是否记录" in sms.text
    assert not CreditRecord.objects.exists()
    # The subject may still object, and heard it may be decided.
    assert browser.post(url("breach_objection", breach), {"text": "事实不清。"}).status_code == 302
    assert browser.post(url("breach_decision", breach), decide(due)).status_code == 302
    assert CreditRecord.objects.exists()


@pytest.mark.parametrize(("when", "off"), [("over", [1]), ("to come", [1]), ("moved", [1, 4, 5, 6, 7, 8])])
def test_a_day_that_stands_once_its_year_is_published_is_told_to_the_officers(
    city: None, clock: Moment, monkeypatch: pytest.MonkeyPatch, when: str, off: list[int]
) -> None:
    monkeypatch.setattr(jobs, "BREATH", 0)
    clock.to("2026-12-30 10:00")
    breach = make.told(clock.at)
    due = breach.deadline.due_on
    clock.at = make.noon(due)
    if when != "to come":
        make.after(clock, due)
        sweep(clock.at)
    keeper = User.objects.filter(postings__role=Posting.Role.OVERSEER).order_by("pk")[0]
    notice = Notice(2027, "通知", off={dt.date(2027, 1, day): "元旦" for day in off})
    draft = draft_year(notice, by=keeper, now=clock.at)
    jobs.run()
    publish(draft, by=keeper, now=clock.at)
    for _ in range(2):
        jobs.run()
        refresh(clock.at)
    breach.deadline.refresh_from_db()
    said = [one.text for one in Message.objects.filter(kind="credit_staff", reference=f"clock:{breach.deadline_id}")]
    if when == "over":
        assert breach.deadline.due_on == due
        assert said == [
            f"{breach.number}的异议期限因2027年节假日安排发布确定为{cn_day(due)}，已届满，当事人没有提出异议，请决定是否记录。"
        ]
    elif when == "to come":
        assert said == [], "it rings when it has passed"
        make.after(clock, due)
        sweep(clock.at)
        [sms] = Message.objects.filter(kind="credit_reminder")
        assert "已届满，当事人没有提出异议，请决定是否记录" in sms.text
    else:
        assert breach.deadline.due_on > due
        assert said == [f"{breach.number}的异议期限因2027年节假日安排发布改为{cn_day(breach.deadline.due_on)}。"]


def test_what_is_not_final_is_not_recorded(sign_in: SignIn, clock: Moment) -> None:
    browser, breach = sign_in(make.OFFICER), make.told(clock.at)
    found = local_date(clock.at)
    today = local_date(make.after(clock, breach.deadline.due_on))
    cases = {
        None: "不能记录",
        today + dt.timedelta(days=1): "生效之前不能记录",
        found - dt.timedelta(days=1): "不会早于认定之日",
    }
    for day, words in cases.items():
        answer = browser.post(url("breach_decision", breach), decide(day))
        assert answer.status_code == 422
        html = text_of(answer)
        assert words in html
        assert "没有提出异议。" in html
    empty = browser.post(url("breach_decision", breach), {"verdict": "record", "final_on": "", "reason": ""})
    assert empty.status_code == 422
    assert set(empty.context["decision"].errors) == {"final_on", "reason"}
    bare = browser.post(url("breach_decision", breach), decide(today, reason=""))
    assert bare.status_code == 422
    assert not CreditRecord.objects.exists()
    for day in (found, today):
        assert judging._final(day, found, today) == day


def test_another_subject_another_kind_another_level_are_refused_beside_the_field(
    sign_in: SignIn, clock: Moment
) -> None:
    browser, fact = sign_in(make.OFFICER), make.fact(clock.at)
    other = make.company(1)
    wrong = browser.post(fact_url(fact), said(fact, identifier=other.code or ""))
    assert wrong.status_code == 422
    assert "不能记到其他主体名下" in text_of(wrong)
    assert "以虚假材料取得许可" in text_of(wrong)
    assert browser.post(fact_url(fact), said(fact, identifier="")).status_code == 422
    unlisted = browser.post(fact_url(fact), said(fact, listed="A01"))
    assert unlisted.status_code == 422
    assert "不属于所选的目录项" in text_of(unlisted)
    level = browser.post(fact_url(fact), said(fact, listed="A02", level="minor"))
    assert level.status_code == 422
    assert "没有这个等级" in text_of(level)
    assert not Breach.objects.exists()
    # The same number in other writing is the same subject.
    typed = f" {(fact.subject.code or '').lower()[:9]} {(fact.subject.code or '').lower()[9:]}"
    assert browser.post(fact_url(fact), said(fact, identifier=typed)).status_code == 302
    assert browser.post(fact_url(fact), said(fact)).status_code == 409


def test_a_person_is_named_by_the_paper_alone(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(make.OFFICER)
    fact = make.fact(clock.at, subject=make.person())
    assert browser.post(fact_url(fact), said(fact, identifier="110101199003075517")).status_code == 422
    assert browser.post(fact_url(fact), said(fact)).status_code == 302
    breach = Breach.objects.get()
    for address in ("/credit/?tab=told", url("breach", breach)):
        html = text_of(browser.get(address))
        assert "王小明" not in html
        assert make.PERSON not in html
    paper = text_of(browser.get(url("breach_paper", breach)))
    assert "王小明" in paper
    assert make.PERSON not in paper
    entries = str(list(Entry.objects.filter(stream=fact.subject.stream).values_list("data", flat=True)))
    assert "王小明" not in entries
    assert make.PERSON not in entries + "".join(Message.objects.values_list("text", flat=True))
    export = body(browser.get("/credit/export.csv?tab=told")).decode()
    assert "王*" in export
    assert make.PERSON not in export


def test_another_departments_finding_does_not_exist(sign_in: SignIn, clock: Moment) -> None:
    fact, breach = make.fact(clock.at, source="连住建撤〔2026〕2号"), make.told(clock.at)
    stranger = sign_in(make.STRANGER)
    assert fact.source not in text_of(stranger.get("/credit/"))
    for address, post in (
        (fact_url(fact), said(fact)),
        (url("breach", breach), None),
        (url("breach_paper", breach), None),
        (url("breach_objection", breach), {"text": "异议"}),
        (url("breach_decision", breach), decide(None, "drop")),
    ):
        assert stranger.get(address).status_code == 404, address
        if post is not None:
            assert stranger.post(address, post).status_code == 404, address
    with pytest.raises(Refused, match="请由该单位的信用管理员办理"):
        judging.drop(breach, reason="替人办。", by=make.officer(make.STRANGER), now=clock.at)
    with pytest.raises(Refused, match="请由该单位的信用管理员办理"):
        judging.tell(fact, **make.TELL, by=make.officer(make.STRANGER), now=clock.at)
    assert Breach.objects.get().status == "told"


@pytest.mark.parametrize("who", ["chuangkou1", "duban1", "zhujian.juedinga", "zhujian.fuzeren", "guanliyuan1"])
def test_the_places_are_the_credit_officers_alone(sign_in: SignIn, clock: Moment, who: str) -> None:
    browser = sign_in(who)
    for address in ("/credit/", "/credit/records/", "/credit/export.csv", "/credit/records/export.csv"):
        assert browser.get(address).status_code == 404
    assert "/credit/" in text_of(sign_in(make.OFFICER).get("/credit/"))


def test_a_posting_that_ended_decides_nothing(city: None, clock: Moment) -> None:
    breach, by = make.told(clock.at), make.officer()
    now = make.after(clock, breach.deadline.due_on)
    by.postings.update(ends_on=local_date(now) - dt.timedelta(days=1))
    with pytest.raises(Refused) as error:
        judging.record_breach(breach, final_on=local_date(now), reason="可以。", by=by, now=now)
    assert error.value.code == "not-your-department"


def test_the_same_finding_gives_one_record_of_a_kind(city: None, clock: Moment) -> None:
    record = make.recorded(clock)
    again = CreditFact.objects.create(
        subject=record.subject, kind="revoked", source=record.source + " ", basis="同一决定书", found_at=clock.at,
        queued_at=clock.at, department=record.department,
    )  # fmt: skip
    breach = judging.tell(again, **make.TELL, by=make.officer(), now=clock.at)
    CreditFact.objects.filter(pk=again.pk).update(source="x")
    CreditFact.objects.filter(breach__record=record).update(source="y")
    CreditFact.objects.filter(pk=again.pk).update(source=record.source)
    now = make.after(clock, breach.deadline.due_on)
    with pytest.raises(Refused, match="已经存在"):
        judging.record_breach(breach, final_on=local_date(now), reason="再记。", by=make.officer(), now=now)
    assert CreditRecord.objects.count() == 1


def test_a_record_never_moves_to_another_subject(city: None, clock: Moment) -> None:
    breach = make.told(clock.at)
    Breach.objects.filter(pk=breach.pk).update(subject=make.company(2))
    breach.refresh_from_db()
    now = make.after(clock, breach.deadline.due_on)
    with pytest.raises(Refused) as error:
        judging.record_breach(breach, final_on=local_date(now), reason="记。", by=make.officer(), now=now)
    assert error.value.code == "record-wrong-subject"


def test_a_fact_that_nobody_found_is_told_by_nobody(city: None, clock: Moment) -> None:
    fact = make.fact(clock.at)
    CreditFact.objects.filter(pk=fact.pk).update(department=None)
    with pytest.raises(Refused):
        judging.tell(fact, **make.TELL, by=make.officer(), now=clock.at)


def test_numbers_run_by_department_and_year(city: None, clock: Moment) -> None:
    one = make.told(clock.at)
    judging.drop(one, reason="不成立。", by=make.officer(), now=clock.at)
    two = make.told(clock.at, source="连住建撤〔2026〕2号")
    other = make.told(clock.at, source="连发改撤〔2026〕1号", who=make.STRANGER)
    assert [one.number[-2:], two.number[-2:], other.number[-2:]] == ["1号", "2号", "1号"]
    assert "发改" in other.number
    clock.to("2027-01-04 10:00")
    assert make.told(clock.at, source="连住建撤〔2027〕1号").number.endswith("〔2027〕1号")


def test_the_day_after_the_officers_hear_that_it_may_be_decided(city: None, clock: Moment) -> None:
    breach = make.told(clock.at)
    due = breach.deadline.due_on
    sweep(make.noon(due))
    assert not Message.objects.filter(kind="credit_reminder").exists()
    sweep(make.noon(due + dt.timedelta(days=1)))
    sweep(make.noon(due + dt.timedelta(days=2)))
    [sms] = Message.objects.filter(kind="credit_reminder")
    assert sms.to_user == make.officer()
    assert breach.number in sms.text
    assert Entry.objects.filter(stream=breach.stream, act="credit.alarm").count() == 1


def test_the_subjects_own_objection_is_told_to_the_officers(city: None, clock: Moment) -> None:
    breach = make.told(clock.at)
    judging.object_to(breach, text="事实不清。", by=None, now=clock.at)
    [sms] = Message.objects.filter(kind="credit_staff")
    assert sms.to_user == make.officer()
    with pytest.raises(TransitionNotAllowed):
        judging.object_to(breach, text="再来。", by=None, now=clock.at)


def test_the_list_finds_filters_and_exports_in_a_constant_number_of_statements(
    sign_in: SignIn, clock: Moment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = sign_in(make.OFFICER)
    for serial in range(3, 60):
        make.fact(clock.at, source=f"连住建撤〔2026〕{serial}号", subject=make.company(serial % 6))
    make.fact(clock.at, source="321", kind=CreditFact.Kind.LATE_MATERIAL)
    make.told(clock.at)
    browser.get("/credit/")
    with django_assert_max_num_queries(9):
        html = text_of(browser.get("/credit/"))
    assert html.count("row-title") == 50
    assert "page=" in html
    assert text_of(browser.get("/credit/?q=〔2026〕59号")).count("row-title") == 1
    assert text_of(browser.get("/credit/?kind=late_material")).count("row-title") == 1
    assert "没有符合条件" in text_of(browser.get("/credit/?q=nobody"))
    assert text_of(browser.get("/credit/?tab=told")).count("row-title") == 1
    assert body(browser.get("/credit/export.csv")).decode().count("待告知") == 58


def test_an_empty_answer_names_what_is_missing(sign_in: SignIn, clock: Moment) -> None:
    fact = make.fact(clock.at)
    bare = sign_in(make.OFFICER).post(reverse("credit:fact", args=[fact.pk]))
    assert bare.status_code == 422
    assert {"identifier", "listed", "level", "text", "how"} <= set(bare.context["form"].errors)
    assert not Breach.objects.exists()
