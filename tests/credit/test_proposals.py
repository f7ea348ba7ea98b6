"""措施清单 proposes, people decide: penalties by the level of a breach, rewards by the grade as received (L12c)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from stdnum.cn import ric

from credit.actions import listing_measures, measures
from credit.models import (
    CreditRecord,
    CreditSubject,
    JointMeasure,
    MeasureRule,
    SubjectGrade,
    SubjectLink,
    note_kept_promise,
)
from deadlines.arithmetic import add_months
from deadlines.clock import local_date
from ledger.acts import label
from ledger.models import Entry
from offices.models import User
from offices.refusals import Refused
from tests import city as demo_city
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.approvals.test_races import together
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
ADMIN = "guanliyuan1"
LAW = "国务院关于建立完善守信联合激励和失信联合惩戒制度的指导意见（国发〔2016〕33号）"
LIST, NEW = "/credit/measures/proposals/", "/credit/measures/new/"
BEGIN, RULES = f"{LIST}begin/", "/division/measure-rules/"
REWARDS = f"{LIST}?tab=reward"


def administrator() -> User:
    found: User = User.objects.get(username=ADMIN)
    return found


def rule(now: dt.datetime, **changes: Any) -> MeasureRule:
    said: dict[str, Any] = {
        "kind": "penalty", "level": "serious", "grade": "", "what": "列为重点监管对象", "basis": LAW, "months": 6,
    }  # fmt: skip
    return listing_measures.add(**(said | changes), by=administrator(), now=now)


def reward(now: dt.datetime, **changes: Any) -> MeasureRule:
    said = {"kind": "reward", "level": "", "grade": "excellent", "what": "优先办理", "months": 12}
    return rule(now, **(said | changes))


def graded(subject: CreditSubject, now: dt.datetime, grade: str = "excellent", days: int = 5) -> None:
    given = now - dt.timedelta(days=days)
    SubjectGrade.objects.create(subject=subject, grade=grade, source="公共信用", given_at=given, received_at=now)


def kept(now: dt.datetime, place: int = 1, source: str = "JG-1") -> CreditRecord:
    return note_kept_promise(
        make.company(place), source=source, basis="核查属实", at=now, department=make.department()
    )  # fmt: skip


def url(record: CreditRecord, line: MeasureRule) -> str:
    return f"{NEW}?record={record.pk}&rule={line.pk}"


# --- penalties


def test_a_serious_breach_is_proposed_begun_with_one_press_and_proposed_no_more(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    line, general = rule(clock.at), rule(clock.at, level="general", what="约谈提醒")
    browser, today = sign_in(make.OFFICER), local_date(clock.at)
    page = text_of(browser.get(LIST))
    assert "列为重点监管对象" in page
    assert LAW in page
    assert general.what not in page
    assert not JointMeasure.objects.exists()
    assert "措施清单的建议" in text_of(browser.get(reverse("credit:record", args=[record.pk])))
    form = browser.get(url(record, line))
    initial = form.context["form"].initial
    assert (initial["what"], initial["basis"], initial["starts_on"]) == (line.what, line.basis, today)
    assert initial["ends_on"] == add_months(today, 6)
    said = {"what": line.what, "basis": line.basis, "starts_on": str(today), "ends_on": str(add_months(today, 6))}
    assert browser.post(url(record, line), said).status_code == 302
    measure = JointMeasure.objects.get()
    assert (measure.kind, measure.rule, measure.record) == ("penalty", line, record)
    entry = Entry.objects.get(stream=record.subject.stream, act="credit.measure_begun")
    assert entry.data["rule"] == line.pk
    assert "按清单提出：严重失信" in text_of(browser.get(reverse("credit:measure", args=[measure.pk])))
    assert "没有建议实施的惩戒" in text_of(browser.get(LIST))
    assert "措施清单的建议" not in text_of(browser.get(reverse("credit:record", args=[record.pk])))
    assert browser.post(url(record, line), said).status_code == 409
    assert JointMeasure.objects.count() == 1


def test_what_is_proposed_never_outlasts_the_display(clock: Moment, sign_in: SignIn) -> None:
    record, line = make.recorded(clock, listed="A03", level="general"), rule(clock.at, level="general", months=36)
    ends_on = sign_in(make.OFFICER).get(url(record, line)).context["form"].initial["ends_on"]
    assert ends_on == record.shown_until
    begun, refused = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    assert (begun[0].ends_on, refused) == (record.shown_until, [])


def test_repaired_over_or_switched_off_nothing_is_proposed(sign_in: SignIn, clock: Moment) -> None:
    record, line, browser = make.recorded(clock), rule(clock.at), sign_in(make.OFFICER)
    assert line.what in text_of(browser.get(LIST))
    repaired = make.noticed(record, clock.at)
    assert repaired is not None
    assert line.what not in text_of(browser.get(LIST))
    CreditRecord.objects.update(repaired_at=None)
    assert line.what in text_of(browser.get(LIST))
    assert record.shown_until is not None
    make.after(clock, record.shown_until)
    assert line.what not in text_of(browser.get(LIST))
    clock.to("2026-10-12 10:00")
    listing_measures.switch_off(line, reason="文件已废止", by=administrator(), now=clock.at)
    assert line.what not in text_of(browser.get(LIST))
    assert browser.post(url(record, line), {
        "what": line.what, "basis": LAW, "starts_on": "2026-10-12", "ends_on": "2026-12-12"
    }).status_code == 409  # fmt: skip
    assert not JointMeasure.objects.exists()


def test_ended_by_repair_it_is_not_proposed_and_ended_early_it_is_again(sign_in: SignIn, clock: Moment) -> None:
    record, line, browser = make.recorded(clock), rule(clock.at), sign_in(make.OFFICER)
    (measure,), _ = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    assert line.what not in text_of(browser.get(LIST))
    measures.end(measure, reason="另行决定", by=make.officer(), now=clock.at)
    assert line.what in text_of(browser.get(LIST))
    (again,), _ = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    make.noticed(record, clock.at)
    again.refresh_from_db()
    assert again.ended_at == clock.at
    assert line.what not in text_of(browser.get(LIST))


def test_the_same_words_begun_by_hand_are_not_proposed(sign_in: SignIn, clock: Moment) -> None:
    record, line, today = make.recorded(clock), rule(clock.at), local_date(clock.at)
    measures.begin(
        record.subject, kind="penalty", what=line.what, basis=LAW, department=make.department(), record=None,
        starts_on=today, ends_on=today, by=make.officer(), now=clock.at,
    )  # fmt: skip
    assert line.what not in text_of(sign_in(make.OFFICER).get(LIST))


# --- rewards


def test_a_reward_is_proposed_by_the_newest_grade_to_who_kept_a_promise(sign_in: SignIn, clock: Moment) -> None:
    record, line, browser = kept(clock.at), reward(clock.at), sign_in(make.OFFICER)
    kept(clock.at, source="JG-0")
    assert line.what not in text_of(browser.get(REWARDS))  # nothing received is no good grade
    graded(record.subject, clock.at, "good", days=9)
    assert line.what not in text_of(browser.get(REWARDS))
    graded(record.subject, clock.at, "excellent", days=5)
    page = text_of(browser.get(REWARDS))
    assert "信用评价为优" in page
    assert page.count("JG-0") == 1  # of a subject the newest record alone
    assert "JG-1" not in page
    newest = CreditRecord.objects.get(source="JG-0")
    (begun,), refused = measures.begin_many([(newest, line)], by=make.officer(), now=clock.at)
    assert (begun.kind, begun.ends_on, refused) == ("reward", add_months(local_date(clock.at), 12), [])
    assert line.what not in text_of(browser.get(REWARDS))
    graded(make.company(2), clock.at)
    assert line.what not in text_of(browser.get(REWARDS))  # no promise kept, no business known here


def test_no_reward_where_a_breach_is_in_use_or_was_taken_over(sign_in: SignIn, clock: Moment) -> None:
    breach = make.recorded(clock, subject=make.company(1), listed="A03", level="minor")
    record, line, browser = kept(clock.at), reward(clock.at), sign_in(make.OFFICER)
    graded(record.subject, clock.at)
    assert line.what not in text_of(browser.get(REWARDS))
    begun, refused = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    assert begun == []
    assert "使用中的失信记录" in refused[0].why
    CreditRecord.objects.filter(pk=breach.pk).update(subject=make.company(0))
    assert line.what in text_of(browser.get(REWARDS))
    SubjectLink.objects.create(
        before=make.company(0), after=make.company(1), kind="merged", on=local_date(clock.at), basis="准予合并通知书",
        by=make.officer(), at=clock.at,
    )  # fmt: skip
    assert line.what not in text_of(browser.get(REWARDS))
    _, refused = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    assert len(refused) == 1


# --- several at once


def test_several_are_begun_at_once_and_what_is_not_is_said(sign_in: SignIn, clock: Moment) -> None:
    first, line, browser = make.recorded(clock), rule(clock.at), sign_in(make.OFFICER)
    more = rule(clock.at, what="不适用告知承诺")
    other = make.recorded(clock, subject=make.company(1), source="连住建撤〔2026〕2号")
    make.noticed(other, clock.at)
    keys = [f"{one.pk}-{it.pk}" for one, it in ((first, line), (other, line), (first, more))]
    assert browser.get(BEGIN).status_code == 302
    page = browser.post(BEGIN, {"pick": [*keys, keys[0]]})
    assert page.status_code == 200
    said = text_of(page)
    assert "已实施 2 项，没有实施 1 项" in said
    assert "已经修复或者更正" in said
    assert set(JointMeasure.objects.values_list("subject", "what")) == {
        (first.subject_id, line.what), (first.subject_id, more.what),
    }  # fmt: skip
    assert "已实施 0 项，没有实施 3 项" in text_of(browser.post(BEGIN, {"pick": keys}))
    assert JointMeasure.objects.count() == 2
    assert browser.post(BEGIN, {}).status_code == 422


def test_too_many_come_back_ticked_and_the_list_stays_as_it_was_asked_for(sign_in: SignIn, clock: Moment) -> None:
    record, browser = make.recorded(clock), sign_in(make.OFFICER)
    keys = [f"{record.pk}-{rule(clock.at, what=f'措施 {place}').pk}" for place in range(51)]
    query = f"q={record.source}&ground=serious"
    asked = text_of(browser.get(f"{LIST}?{query}"))
    action = unescape(re.findall(r'id="begin-many"[^>]*action="([^"]+)"', asked)[0])
    assert parse_qs(urlsplit(action).query) == parse_qs(query)
    many = browser.post(action, {"pick": [*keys, keys[0]]})
    said = text_of(many)
    assert many.status_code == 422
    assert "一次最多实施 50 项，现勾选了 51 项，没有一项实施" in said
    assert re.findall(r'name="pick" value="([^"]+)"[^>]* checked', said) == keys
    assert unescape(re.findall(r'id="begin-many"[^>]*action="([^"]+)"', said)[0]) == action
    assert not JointMeasure.objects.exists()
    done = browser.post(action, {"pick": keys[1:]})
    assert "已实施 50 项，没有实施 0 项" in text_of(done)
    back = unescape(re.findall(r'href="([^"]+)">返回建议', text_of(done))[0])
    assert parse_qs(urlsplit(back).query) == parse_qs(query)
    none = browser.post(f"{BEGIN}?tab=reward&page=x", {})
    assert none.status_code == 422
    assert f"{LIST}?tab=reward&page=x" in unescape(text_of(none))
    assert 'id="begin-many"' not in text_of(none)
    foreign = sign_in(make.STRANGER).post(action, {"pick": keys})
    assert foreign.status_code == 404


def test_another_departments_proposals_do_not_exist(sign_in: SignIn, clock: Moment) -> None:
    record, line = make.recorded(clock), rule(clock.at)
    stranger = sign_in(make.STRANGER)
    assert line.what not in text_of(stranger.get(LIST))
    nonsense = stranger.get(f"{NEW}?record=999999&rule={line.pk}")
    foreign = stranger.get(url(record, line))
    assert (foreign.status_code, foreign.content) == (404, nonsense.content)
    assert stranger.post(BEGIN, {"pick": [f"{record.pk}-{line.pk}"]}).status_code == 404
    own = sign_in(make.OFFICER)
    for pick in (
        "x",
        "1-",
        f"{record.pk}-999999",
        f"999999-{line.pk}",
        "٣-١",
        "9" * 40 + "-1",
        "9" * 25 + "-1",
        "1-" + "9" * 19,
    ):
        assert own.post(BEGIN, {"pick": [pick]}).status_code == 404, pick
    assert own.get(f"{NEW}?rule={line.pk}").status_code == 404
    assert own.get(f"{NEW}?record={record.pk}&rule=999999").status_code == 404
    assert sign_in("zhujian.fuzeren").get(LIST).status_code == 404
    assert not JointMeasure.objects.exists()


def test_found_filtered_exported_in_constant_statements(sign_in: SignIn, clock: Moment) -> None:
    record, line, browser = make.recorded(clock), rule(clock.at), sign_in(make.OFFICER)
    assert line.what in text_of(browser.get(f"{LIST}?q={record.source}"))
    assert "没有符合条件的建议" in text_of(browser.get(f"{LIST}?q=nobody"))
    assert line.what in text_of(browser.get(f"{LIST}?ground=serious"))
    assert line.what not in text_of(browser.get(f"{LIST}?ground=general"))
    rows = body(browser.get(f"{LIST}export.csv")).decode("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "列为重点监管对象" in rows[1]

    def statements(address: str) -> int:
        browser.get(address)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert browser.get(address).status_code == 200
        return len(found)

    before = statements(LIST)
    for place in range(1, 8):
        subject = make.company(place)
        CreditRecord.objects.create(
            subject=subject, kind="revoked", source=f"S-{place}", basis="行政许可法", level="serious", listed="A02",
            department=make.department(), found_at=clock.at, shown_until=record.shown_until,
        )  # fmt: skip
        reward(clock.at, what=f"激励 {place}")
        rule(clock.at, what=f"惩戒 {place}")
    assert text_of(browser.get(LIST)).count("填写实施") == 8 * 8
    assert statements(LIST) == before
    few = [kept(clock.at, place, f"JG-{place}") for place in (8, 9)]
    graded(few[0].subject, clock.at)
    before = statements(REWARDS)
    graded(few[1].subject, clock.at)
    assert text_of(browser.get(REWARDS)).count("填写实施") == 2 * 7
    assert statements(REWARDS) == before


# --- a rule's measure keeps its kind; the database


def test_a_rule_keeps_its_kind_and_its_ground(clock: Moment, city: None) -> None:
    record, line = make.recorded(clock), rule(clock.at, level="general")
    today = local_date(clock.at)
    said: dict[str, Any] = {
        "what": "", "basis": "", "department": make.department(), "starts_on": today, "ends_on": today,
        "by": make.officer(), "now": clock.at,
    }  # fmt: skip
    for kind, it, resting, code in (
        ("penalty", line, record, "measure-rule-unfit"),
        ("penalty", line, None, "measure-rule-unfit"),
        ("reward", line, kept(clock.at, 0), "measure-rule-kind"),
        ("reward", reward(clock.at), kept(clock.at, 0), "measure-rule-unfit"),
    ):
        with pytest.raises(Refused) as refused:
            measures.begin(record.subject, kind=kind, rule=it, record=resting, **said)
        assert refused.value.code == code
    assert not JointMeasure.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"level": "minor"}, {"level": ""}, {"grade": "excellent"}, {"kind": "reward"}, {"basis": "信用条例"},
        {"kind": "reward", "level": "", "grade": "none"}, {"kind": "reward", "level": "", "grade": "poor"},
        {"months": 0}, {"months": 37}, {"what": ""}, {"is_on": False}, {"off_reason": "x"}, {},
    ],
)  # fmt: skip
def test_the_database_refuses_a_wrong_line(clock: Moment, city: None, changes: dict[str, Any]) -> None:
    said: dict[str, Any] = {
        "kind": "penalty", "level": "serious", "grade": "", "what": "列为重点监管对象", "basis": LAW, "months": 6,
    }  # fmt: skip
    MeasureRule.objects.create(**said)
    with pytest.raises(IntegrityError), transaction.atomic():
        MeasureRule.objects.create(**(said | changes))
    assert MeasureRule.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_officers_begin_the_same_proposal_at_once(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    record, line = make.recorded(clock), rule(clock.at)
    barrier = Barrier(2)

    def press() -> int:
        barrier.wait()
        begun, _ = measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
        return len(begun)

    assert sorted(together(press, press)) == [0, 1]
    assert JointMeasure.objects.count() == 1
    today = local_date(clock.at)
    twin = JointMeasure.objects.get()
    twin.pk, twin.what = None, "别的话"
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()
    assert JointMeasure.objects.get().starts_on == today


@pytest.mark.django_db(transaction=True)
def test_two_administrators_add_the_same_line_at_once(transactional_db: None, clock: Moment) -> None:
    demo_city.load()

    def press() -> str:
        try:
            rule(clock.at)
        except Refused as error:
            return error.code
        return "added"

    assert sorted(together(press, press)) == ["added", "measure-rule-exists"]
    assert MeasureRule.objects.count() == 1
    assert Entry.objects.filter(stream=listing_measures.STREAM).count() == 1


# --- the city's list


def line_form(**changes: Any) -> dict[str, Any]:
    said = {"kind": "penalty", "level": "serious", "grade": "", "what": "列为重点监管对象", "basis": LAW, "months": "6"}
    return said | changes


def test_the_citys_administrators_keep_the_list(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(ADMIN)
    assert "清单还没有措施" in text_of(browser.get(RULES))
    assert "没有一项自动实施" in text_of(browser.get(f"{RULES}new/"))
    assert browser.post(f"{RULES}new/", line_form()).status_code == 302
    line = MeasureRule.objects.get()
    assert (line.kind, line.level, line.grade, line.months) == ("penalty", "serious", "", 6)
    again = browser.post(f"{RULES}new/", line_form())
    assert again.status_code == 422
    assert "清单里已有这项措施" in text_of(again)
    record = make.recorded(clock)
    measures.begin_many([(record, line)], by=make.officer(), now=clock.at)
    page = f"{RULES}{line.pk}/"
    assert "已按它实施的 1 项措施不变" in text_of(browser.get(page))
    assert browser.post(page, {"reason": " "}).status_code == 422
    assert browser.post(page, {"reason": "文件已废止"}).status_code == 302
    assert browser.post(page, {"reason": "文件已废止"}).status_code == 409
    line.refresh_from_db()
    assert (line.is_on, line.off_reason) == (False, "文件已废止")
    assert JointMeasure.objects.get().ended_at is None
    assert [row.is_on for row in MeasureRule.history.order_by("history_id")] == [True, False]
    found = Entry.objects.filter(stream=listing_measures.STREAM).order_by("seq")
    assert [entry.act for entry in found] == ["credit.measure_rule_added", "credit.measure_rule_off"]
    assert [label(entry.act) for entry in found] == ["列入联合奖惩措施清单", "停用联合奖惩措施清单中的措施"]
    assert "列为重点监管对象" in text_of(browser.get(f"{RULES}?tab=off"))
    assert browser.post(f"{RULES}new/", line_form()).status_code == 302  # the same words, once the old line is off
    rows = body(browser.get(f"{RULES}export.csv?tab=off")).decode("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "文件已废止" in rows[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": ""}, "请选择联合激励或者联合惩戒"),
        ({"level": ""}, "请选择一般或者严重"),
        ({"kind": "reward"}, "请选择优或者良"),
        ({"what": " "}, "请写明采取的措施"),
        ({"basis": "信用条例"}, "法律依据至少 10 字"),
        ({"months": "0"}, "至少 1 个月"),
        ({"months": "37"}, "最多 36 个月"),
        ({"months": "x"}, "请填写整数月数"),
    ],
)
def test_a_line_that_is_not_whole_is_refused(
    sign_in: SignIn, clock: Moment, changes: dict[str, str], words: str
) -> None:
    answer = sign_in(ADMIN).post(f"{RULES}new/", line_form(**changes))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not MeasureRule.objects.exists()


def test_staff_read_the_list_and_only_the_city_changes_it(sign_in: SignIn, clock: Moment) -> None:
    line = rule(clock.at)
    page = f"{RULES}{line.pk}/"
    for username in (make.OFFICER, "chuangkou1", "donghai.guanliyuan1"):
        browser = sign_in(username)
        assert line.what in text_of(browser.get(RULES)), username
        assert "停用的理由" not in text_of(browser.get(page))
        assert browser.get(f"{RULES}new/").status_code == 404
        assert browser.post(f"{RULES}new/", line_form(what="x")).status_code == 404
        assert browser.post(page, {"reason": "x"}).status_code == 404
    assert Client().get(RULES).status_code in {302, 404}
    assert MeasureRule.objects.get().is_on
    assert sign_in(ADMIN).get(f"{RULES}999999/").status_code == 404


def test_the_list_is_searched_and_filtered_in_constant_statements(sign_in: SignIn, clock: Moment) -> None:
    browser = sign_in(ADMIN)
    rule(clock.at)
    reward(clock.at)
    assert "优先办理" not in text_of(browser.get(f"{RULES}?kind=penalty")).split("最近的变更")[0]
    assert "优先办理" in text_of(browser.get(f"{RULES}?ground=excellent")).split("最近的变更")[0]
    assert "没有符合条件的措施" in text_of(browser.get(f"{RULES}?q=nobody"))
    assert "没有停用的措施" in text_of(browser.get(f"{RULES}?tab=off"))
    with CaptureQueriesContext(connection) as before:
        browser.get(RULES)
    for place in range(9):
        rule(clock.at, what=f"措施 {place}")
    with CaptureQueriesContext(connection) as after:
        browser.get(RULES)
    assert len(after) == len(before)


# --- by the API


def test_the_api_lists_and_begins_by_a_line(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    officer, api = caller(make.OFFICER), "/api/v1/credit/measures/"
    record, line = make.recorded(clock), rule(clock.at)
    gone = rule(clock.at, what="已停用的措施")
    listing_measures.switch_off(gone, reason="文件已废止", by=administrator(), now=clock.at)
    lines = officer.get("/api/v1/credit/measure-rules/").json()["results"]
    assert [(one["id"], one["level"], one["grade"], one["is_on"]) for one in lines] == [
        (line.pk, "serious", "", True)
    ]  # fmt: skip
    off = officer.get("/api/v1/credit/measure-rules/?tab=off").json()["results"]
    assert [one["off_reason"] for one in off] == ["文件已废止"]
    (row,) = officer.get(f"{api}proposals/").json()["results"]
    assert (row["record"], row["level"], row["grade"]) == (record.pk, "serious", "")
    (one,) = row["proposals"]
    assert officer.get(f"{api}proposals/?q=nobody").json()["results"] == []
    assert officer.get(f"{api}proposals/?tab=reward").json()["results"] == []
    problem(officer.get(f"{api}proposals/?cursor=x"), 422, "bad-cursor")
    problem(officer.get(f"{api}proposals/?tab=x"), 422, "invalid")
    said = {
        "record": row["record"], "rule": one["rule"], "kind": one["kind"],
        "starts_on": str(local_date(clock.at)), "ends_on": one["ends_on"],
    }  # fmt: skip
    problem(officer.post(api, said | {"kind": "reward"}, format="json"), 422, "measure-record-unfit")
    problem(officer.post(api, said | {"rule": gone.pk}, format="json"), 409, "measure-rule-off")
    problem(officer.post(api, said | {"rule": 999999}, format="json"), 404, "not-found")
    problem(officer.post(api, said | {"record": 999999}, format="json"), 404, "not-found")
    problem(caller(make.STRANGER).post(api, said, format="json"), 404, "not-found")
    assert caller(make.STRANGER).get(f"{api}proposals/").json()["results"] == []
    made = officer.post(api, said, format="json").json()
    assert (made["rule"], made["what"], made["basis"], made["record"]) == (line.pk, line.what, LAW, record.pk)
    problem(officer.post(api, said, format="json"), 409, "measure-exists")
    assert officer.get(f"{api}proposals/").json()["results"] == []
    praised = kept(clock.at)
    graded(praised.subject, clock.at)
    it = reward(clock.at)
    (row,) = officer.get(f"{api}proposals/?tab=reward").json()["results"]
    assert (row["record"], row["grade"], row["proposals"][0]["rule"]) == (praised.pk, "excellent", it.pk)


def test_by_a_line_nobody_learns_how_another_departments_subject_is_graded(
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    stranger, line, person = caller(make.STRANGER), reward(clock.at), make.person()
    note_kept_promise(person, source="JG-9", basis="核查属实", at=clock.at, department=make.department())
    today = str(local_date(clock.at))
    said = {
        "identifier": make.PERSON, "record_source": "JG-9", "rule": line.pk, "kind": "reward", "starts_on": today,
        "ends_on": today,
    }  # fmt: skip
    for grade in ("", "excellent"):
        if grade:
            graded(person, clock.at, grade)
        problem(stranger.post("/api/v1/credit/measures/", said, format="json"), 404, "not-found")
    assert not JointMeasure.objects.exists()


def test_by_a_line_the_department_of_the_record_decides(clock: Moment, city: None) -> None:
    record, line, today = make.recorded(clock), rule(clock.at), local_date(clock.at)
    with pytest.raises(Refused) as refused:
        measures.begin(
            record.subject, kind="penalty", what="", basis="", department=make.department(make.STRANGER), record=record,
            starts_on=today, ends_on=today, by=make.officer(make.STRANGER), now=clock.at, rule=line,
        )  # fmt: skip
    assert (refused.value.code, refused.value.field) == ("measure-rule-unfit", "department")
    assert not JointMeasure.objects.exists()


def test_the_api_lists_people_in_as_many_statements_as_companies(
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    officer, line, shown = caller(make.OFFICER), rule(clock.at), dt.date(2027, 9, 28)

    def more(number: int, person: bool) -> None:
        subject = make.company(number)
        if person:
            stem = f"11010119900307{number:03d}"
            identity = stem + ric.calc_check_digit(f"{stem}0")
            subject = CreditSubject.objects.identify(CreditSubject.Kind.PERSON, identity, "王小明")
        for source in ("A", "B"):
            record = CreditRecord.objects.create(
                subject=subject, kind="revoked", source=f"{source}-{number}", basis="行政许可法", level="serious",
                listed="A02", department=make.department(), found_at=clock.at, shown_until=shown,
            )  # fmt: skip
        measures.begin(
            subject, kind="penalty", what="约谈", basis=LAW, department=make.department(), record=record,
            starts_on=local_date(clock.at), ends_on=shown, by=make.officer(), now=clock.at,
        )  # fmt: skip

    def statements(address: str, found: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            rows = officer.get(address).json()["results"]
        assert len(rows) == found
        assert all(row["subject"]["identifier"] for row in rows)
        return len(seen)

    addresses = ("/api/v1/credit/measures/", "/api/v1/credit/measures/proposals/")
    more(0, person=False)
    assert line.is_on
    for address in addresses:
        officer.get(address)
    before = [statements(address, places) for address, places in zip(addresses, (1, 2), strict=True)]
    for number in range(1, 5):
        more(number, person=True)
    after = [statements(address, places) for address, places in zip(addresses, (5, 10), strict=True)]
    assert after == before
