"""What is said of a clock: its days, its events, its rules, its calendars; the same on page, command and API."""

from __future__ import annotations

import json
import re
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deadlines import calendar as working_calendar
from deadlines import samples, sights, words
from deadlines.actions import (
    Pause,
    Start,
    cancel_deadline,
    extend_deadline,
    hand_over,
    meet_deadline,
    pause_many,
    resume_many,
    start_deadline,
    start_many,
)
from deadlines.api import ClockExplanationSerializer
from deadlines.arithmetic import Calendar, MissingYear
from deadlines.enums import EventKind, PauseGround, Unit, YearStatus
from deadlines.explaining import Explanation, NoSense, Standing, explain_many, read_pause, what_if
from deadlines.kinds import KindCode
from deadlines.models import ClockEvent, Day, Deadline
from deadlines.owners import Owner
from deadlines.provisional import build_days
from deadlines.publishing import install_year
from deadlines.recompute import recompute_year
from deadlines.sights import Paper
from offices.models import User
from tests.deadlines.conftest import at

pytestmark = pytest.mark.django_db
EXPERTS = Pause(PauseGround.EXPERT_REVIEW, estimate=10, document=7)


@pytest.fixture
def head() -> User:
    """Somebody who allows things."""
    return User.objects.create_user("head", full_name="江负责")


@pytest.fixture(autouse=True)
def _papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The papers of the owners of these tests."""

    def told(keys: Any) -> dict[int, list[Paper]]:
        special = Paper(7, EventKind.PAUSE, "特别程序告知书 连×特告〔2026〕3号")
        return {key: [special, Paper(9, EventKind.EXTEND, "延期告知书 连×延告〔2026〕1号")] for key in keys}

    monkeypatch.setitem(sights._tellers, "sample", told)


def statutory(text: str = "2026-09-28 10:00", **more: Any) -> Deadline:
    return start_deadline(KindCode.DECISION_STATUTORY, at=at(text), stream="sample:1", **more)


def told(clock: Deadline, on: str, **more: Any) -> Explanation:
    clock.refresh_from_db()
    return explain_many([clock], date.fromisoformat(on), **more)[clock.pk]


def lines(explanation: Explanation) -> list[str]:
    """The rows as a person reads them."""
    return [f"{row.first:%m-%d}..{row.last:%m-%d} {row.numbers} {row.reason}" for row in explanation.rows]


def texts(explanation: Explanation) -> list[str]:
    return [f"{event.label}：{event.text}" for event in explanation.events]


# --- a running clock


def test_a_short_period_is_told_day_by_day(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.FEEDBACK, at=at("2026-09-28 15:00"), stream="sample:1")
    found = told(clock, "2026-09-29")
    assert not found.is_long
    assert [row.first.day for row in found.rows] == [28, 29, 30, *range(1, 11)]
    assert found.rows[0].reason == "事件当日（民法典第二百零一条）"
    assert [row.number for row in found.rows if row.number] == [1, 2, 3, 4, 5]
    assert found.rows[-1].reason == "调休上班日（国庆节调休）"
    assert found.summary == "5个工作日，自2026年9月28日（周一）起算，至2026年10月10日（周六）届满。"
    assert (found.calendar_text, found.provisional, found.caveat) == ("2026年第1版（已发布）", "", "")


def test_a_long_period_is_told_in_runs_and_every_day_is_kept(calendar: Calendar) -> None:
    found = told(statutory(), "2026-09-29")
    assert found.is_long
    assert lines(found) == [
        "09-28..09-28 不计入 事件当日（民法典第二百零一条）",
        "09-29..09-30 第 1 至 2 日 工作日",
        "10-01..10-07 不计入 7 天 国庆节放假",
        "10-08..10-09 第 3 至 4 日 工作日",
        "10-10..10-10 第 5 日 调休上班日（国庆节调休）",
        "10-11..10-11 不计入 周末",
        "10-12..10-16 第 6 至 10 日 工作日",
        "10-17..10-18 不计入 2 天 周末",
        "10-19..10-23 第 11 至 15 日 工作日",
        "10-24..10-25 不计入 2 天 周末",
        "10-26..10-29 第 16 至 19 日 工作日",
        "10-30..10-30 第 20 日 工作日",
    ]
    assert sum(row.count for row in found.rows) == len(found.days) == 33
    assert [row.first for row in found.rows if row.is_due] == [date(2026, 10, 30)]


def test_the_rules_of_licensing_law_are_named_and_other_periods_name_their_own_source(calendar: Calendar) -> None:
    rules = told(statutory(), "2026-09-29").rules
    assert [(rule.text, rule.source) for rule in rules] == [
        ("起算当日不计入，自下一日开始计算", "民法典第二百零一条"),
        ("以工作日计算，不含法定节假日", "行政许可法第八十二条"),
    ]
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-09-28 15:00"), stream="sample:1")
    assert told(clock, "2026-09-29").rules[1].text == "按本期限的依据，以工作日计算，不含法定节假日"


def test_calendar_days_that_end_on_a_day_off_name_article_203(calendar: Calendar) -> None:
    clock = statutory("2026-08-04 10:00", length=60, unit=Unit.CALENDAR, legal_basis="环境影响评价法第二十二条")
    found = told(clock, "2026-09-29")
    assert found.due_on == date(2026, 10, 8)
    assert lines(found) == [
        "08-04..08-04 不计入 事件当日（民法典第二百零一条）",
        "08-05..10-02 第 1 至 59 日 自然日",
        "10-03..10-03 第 60 日 期限最后一日是国庆节放假，顺延（民法典第二百零三条）",
        "10-04..10-07 不计入 4 天 国庆节放假，继续顺延",
        "10-08..10-08 不计入 顺延后的第一个工作日",
    ]
    assert [rule.source for rule in found.rules] == ["民法典第二百零一条", "民法典第二百条", "民法典第二百零三条"]


def test_months_name_article_202_and_are_readable(calendar: Calendar) -> None:
    found = told(statutory("2026-01-31 10:00", length=6, unit=Unit.MONTHS), "2026-09-29")
    assert (found.length_text, found.due_on) == ("6个月", date(2026, 7, 31))
    assert len(found.days) == 182
    assert len(found.rows) == 3
    assert [rule.source for rule in found.rules] == ["民法典第二百零一条", "民法典第二百零二条"]


def test_a_fixed_day_is_not_counted(calendar: Calendar) -> None:
    clock = start_deadline(
        KindCode.PLANNED_FINISH, at=at("2026-09-21 10:00"), stream="sample:1", fixed_on=date(2026, 10, 3)
    )
    found = told(clock, "2026-09-29")
    assert found.summary == "约定的固定日期：2026年10月3日（周六）。"
    assert [row.first.day for row in found.rows] == [21, 3]
    assert found.rules[0].text == "约定的固定日期，不逐日计算，逢休息日不顺延"
    assert texts(found) == ["起算：约定2026年10月3日（周六）"]
    later = start_deadline(
        KindCode.PLANNED_FINISH, at=at("2026-12-21 10:00"), stream="sample:2", fixed_on=date(2027, 3, 3)
    )
    assert told(later, "2026-12-22").provisional == ""


# --- pauses, extensions, hand-overs


def test_a_clock_that_stands_still_says_since_when_why_how_long_and_what_if_today(calendar: Calendar) -> None:
    clock = statutory("2026-09-14 10:00")
    pause_many([clock], EXPERTS, at=at("2026-09-16 16:00"))
    found = told(clock, "2026-09-23")
    assert found.still is not None
    assert found.still.text == (
        "自2026年9月16日（周三）起暂停，次日起不计入：专家评审（特别程序告知书 连×特告〔2026〕3号）。"
        "已书面告知预计需 10 个工作日，至2026年9月30日（周三）。暂停前已计 2 日，还剩 18 日。"
    )
    # Eighteen more working days after 23 September: off from the 25th to the 27th, and from 1 to 7 October.
    assert found.still.promise == "如今天恢复，到期日为2026年10月26日（周一）。"
    assert found.due_on == date(2026, 10, 26)
    assert lines(found)[2] == "09-17..09-23 暂停 7 天 暂停期间（专家评审）"
    assert [row.standing for row in found.days if row.first.day == 20 and row.first.month == 9] == [Standing.PAUSED]
    later = told(clock, "2026-10-08")
    assert later.still is not None
    assert "至2026年9月30日（周三），现已超过。" in later.still.text


def test_on_the_day_of_the_pause_nothing_is_taken_away(calendar: Calendar) -> None:
    clock = statutory("2026-09-14 10:00")
    due_on = clock.due_on
    pause_many([clock], EXPERTS, at=at("2026-09-16 16:00"))
    assert told(clock, "2026-09-16").due_on == due_on


def test_events_tell_grounds_papers_basis_and_roles_but_no_name(calendar: Calendar, head: User) -> None:
    clock = statutory("2026-09-01 10:00", by=head)
    pause_many([clock], EXPERTS, at=at("2026-09-04 10:00"), by=head)
    resume_many([clock], at=at("2026-09-14 10:00"), by=head)
    hand_over([clock], at=at("2026-09-15 10:00"), to=head, reason="redrawn", by=head)
    extend_deadline(clock, 10, longest=10, at=at("2026-09-28 10:00"), by=head, legal_basis="行政许可法第四十二条第一款")
    meet_deadline(clock, at=at("2026-10-09 10:00"), by=head)
    found = told(clock, "2026-10-10")
    assert texts(found) == [
        "起算：20个工作日，当日不计入",
        "暂停：专家评审（特别程序告知书 连×特告〔2026〕3号），告知预计需 10 个工作日",
        "恢复：继续计算，恢复当日不计入",
        "移交：重新抽取审查人员，期限不变",
        "延长：经本行政机关负责人批准，延长10个工作日（行政许可法第四十二条第一款），延期告知书 连×延告〔2026〕1号",
        f"按期完成：没有超过到期日{words.chinese_date(clock.due_on)}",
    ]
    assert "江负责" not in str(found.events)
    # Twenty working days from 1 September; six stood still; ten more.
    dues = [event.due_on for event in found.events]
    assert dues == [date(2026, 9, 29), None, date(2026, 10, 13), None, date(2026, 10, 27), None]
    assert found.length_text == "20个工作日，延长10个工作日，共30个工作日"
    assert any(line.endswith("工作日（延长期内）") for line in lines(found))
    assert [rule.source for rule in found.rules[2:]] == ["行政许可法第四十五条", "行政许可法第四十二条第一款"]


def test_officers_are_named_only_where_they_may_be(calendar: Calendar, head: User) -> None:
    clock = statutory("2026-09-01 10:00", by=head)
    hand_over([clock], at=at("2026-09-15 10:00"), to=head, reason="redrawn", by=head)
    found = told(clock, "2026-09-16", names=True)
    assert [event.who for event in found.events] == ["江负责", "江负责"]
    assert texts(found)[1] == "移交：重新抽取审查人员：江负责，期限不变"


def test_a_pause_under_a_named_law_rests_on_it(calendar: Calendar) -> None:
    clock = statutory("2026-09-01 10:00")
    pause_many([clock], Pause(PauseGround.NAMED_LAW, law="《海域使用管理法》第十九条"), at=at("2026-09-04 10:00"))
    found = told(clock, "2026-09-10")
    assert found.rules[-1].source == "《海域使用管理法》第十九条"
    assert found.still is not None
    assert "其他法律规定的事由：《海域使用管理法》第十九条。" in found.still.text
    assert "已书面告知" not in found.still.text


def test_a_clock_that_ended_while_it_stood_still_says_so(calendar: Calendar) -> None:
    clock = statutory("2026-09-01 10:00")
    pause_many([clock], EXPERTS, at=at("2026-09-04 10:00"))
    cancel_deadline(clock, at=at("2026-09-08 10:00"), reason="申请人撤回申请")
    found = told(clock, "2026-09-28")
    assert found.still is None
    assert "期限在暂停中结束" in found.caveat
    assert texts(found)[-1] == "取消：不再计算：申请人撤回申请"
    assert found.due_on == date(2026, 10, 8), "as if resumed on the day it ended, whenever it is read"


# --- calendars


def publish(year: int, off: dict[date, str], *, replace: bool = False) -> None:
    days = build_days(year, off=off, makeup={})
    install_year(year, days, status=YearStatus.OFFICIAL, source="通知", at=at("2026-11-25 08:00"), replace=replace)
    working_calendar.forget()  # what happens when the transaction ends


def test_an_unpublished_year_and_one_that_is_not_there_are_said(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.FEEDBACK, at=at("2027-12-29 10:00"), stream="sample:1")
    found = told(clock, "2027-12-29")
    assert found.calendar_text == "2027年暂定、2028年暂定"
    assert found.provisional == (
        "2027、2028 年的节假日安排尚未发布，到期日按周末和法定节假日暂计，发布后会重新计算并告知。"
    )
    assert all(row.provisional for row in found.rows)
    assert [note.version for note in found.calendars] == [1, 0]
    meet_deadline(clock, at=at("2027-12-30 10:00"))
    assert "当时尚未发布" in told(clock, "2028-03-01").provisional


def test_without_any_calendar_a_clock_is_still_explained() -> None:
    clock = statutory()
    found = told(clock, "2026-09-29")
    assert found.calendar_text == "2026年暂定"
    assert found.days[-1].last == clock.due_on


def test_a_publication_that_moved_it_is_told_with_its_version(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-12-30 10:00"), stream="sample:1")
    publish(2027, {date(2027, 1, 1): "元旦", date(2027, 1, 4): "元旦"})
    list(recompute_year(2027, at=at("2026-11-25 08:00")))
    found = told(clock, "2026-12-30")
    assert texts(found)[1] == (
        "重算：到期日由2027年1月5日（周二）改为2027年1月6日（周三），因工作日历更新为2027年第2版（已发布）"
    )
    assert [event.due_on for event in found.events] == [date(2027, 1, 5), date(2027, 1, 6)]
    assert (found.calendar_text, found.caveat) == ("2026年第1版（已发布）、2027年第2版（已发布）", "")


def test_a_closed_clock_keeps_the_calendar_that_it_was_counted_by(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-11-23 10:00"), stream="sample:1")
    meet_deadline(clock, at=at("2026-11-24 10:00"))
    before = told(clock, "2026-11-25")
    publish(2026, {date(2026, 11, 24): "某日", date(2026, 11, 25): "某日"}, replace=True)
    after = told(clock, "2026-11-25")
    assert after.days == before.days
    assert after.calendar_text == "2026年第1版（已发布）"
    assert after.caveat == "工作日历其后更新为2026年第2版（已发布），不影响已经结束的期限。"


def test_an_open_clock_that_waits_for_its_recompute_says_so(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-11-23 10:00"), stream="sample:1")
    publish(2026, {date(2026, 11, 24): "某日"}, replace=True)
    found = told(clock, "2026-11-25")
    assert found.due_on == clock.due_on
    assert found.caveat.endswith("尚未据此重新计算。")
    list(recompute_year(2026, at=at("2026-11-25 08:00")))
    assert told(clock, "2026-11-25").caveat == ""


def test_a_past_version_that_nobody_kept_is_not_made_up(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.ACKNOWLEDGE, at=at("2026-11-23 10:00"), stream="sample:1")
    meet_deadline(clock, at=at("2026-11-24 10:00"))
    publish(2026, {date(2026, 11, 24): "某日"}, replace=True)
    Day.history.all().delete()
    found = told(clock, "2026-11-25")
    assert "原日历已无法还原" in found.caveat
    assert "登记的到期日是2026年11月26日（周四）" in found.caveat


# --- what it costs


@pytest.mark.parametrize("count", [1, 30])
def test_one_statement_reads_the_events_of_all_clocks(calendar: Calendar, count: int) -> None:
    starts = [Start(KindCode.FEEDBACK, f"sample:{n}", fresh=True) for n in range(count)]
    clocks = start_many(starts, at=at("2026-09-14 10:00"))
    working_calendar.recent()
    with CaptureQueriesContext(connection) as plain:
        explain_many([*clocks, None], date(2026, 9, 15))
    assert len(plain) == 1
    paused = start_many(
        [Start(KindCode.DECISION_STATUTORY, f"sample:{n}", fresh=True) for n in range(100, 100 + count)],
        at=at("2026-09-14 10:00"),
    )
    pause_many(paused, EXPERTS, at=at("2026-09-15 10:00"))
    with CaptureQueriesContext(connection) as with_papers:
        explain_many([*clocks, *paused], date(2026, 9, 16))
    assert len(with_papers) == 1


def test_a_clock_without_its_events_breaks_no_page(calendar: Calendar) -> None:
    sound, broken = statutory(), statutory()
    ClockEvent.objects.filter(deadline=broken).delete()
    assert set(explain_many([sound, broken], date(2026, 9, 29))) == {sound.pk}
    plain = render_to_string("deadlines/_panel.html", {"deadline": broken, "explain": None, "today": date(2026, 9, 29)})
    assert "2026年10月30日（周五）" in plain
    assert f"期限 {broken.pk} 的事件不完整" in refused("--deadline", str(broken.pk))


def test_nothing_asked_costs_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert explain_many([None], date(2026, 9, 15)) == {}
    assert len(queries) == 0


# --- supposed periods


def test_a_supposed_pause_counts_as_a_real_one(calendar: Calendar, head: User) -> None:
    clock = statutory("2026-09-01 10:00")
    pause_many([clock], Pause(PauseGround.TESTING), at=at("2026-09-04 10:00"))
    resume_many([clock], at=at("2026-09-14 10:00"))
    extend_deadline(clock, 5, longest=10, at=at("2026-09-28 10:00"), by=head, legal_basis="行政许可法第四十二条第一款")
    pauses = [read_pause("2026-09-04..2026-09-14:testing")]
    supposed = what_if(date(2026, 9, 1), 20, Unit.WORKING, calendar, pauses=pauses, extension=5)
    assert supposed.days == told(clock, "2026-09-28").days
    assert supposed.length_text == "20个工作日，延长5个工作日，共25个工作日"


@pytest.mark.parametrize(
    ("text", "ground", "law"),
    [
        ("2026-09-04..2026-09-14", "", ""),
        (" 2026-09-04 .. 2026-09-14 : 听证 ", "hearing", ""),
        ("2026-09-04..2026-09-14:named_law:《海域使用管理法》第十九条", "named_law", "《海域使用管理法》第十九条"),
    ],
)
def test_pauses_are_read(text: str, ground: str, law: str) -> None:
    found = read_pause(text)
    assert (found.first, found.last, found.ground, found.law) == (date(2026, 9, 4), date(2026, 9, 14), ground, law)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-09-04", "暂停要写成"),
        ("2026-09-04..x", "暂停要写成"),
        ("2026-09-04..2026-09-14:lunch", "没有“lunch”这一暂停事由"),
        ("2026-09-04..2026-09-14:named_law", "要写明是哪部法律哪一条"),
    ],
)
def test_pauses_that_cannot_be_read_are_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(NoSense, match=sentence):
        read_pause(text)


@pytest.mark.parametrize(
    ("pauses", "sentence"),
    [
        (["2026-09-14..2026-09-04"], "恢复之日（2026-09-04）不能早于暂停之日"),
        (["2026-08-31..2026-09-04"], "不能早于起算之日（2026-09-01）"),
        (["2026-09-04..2026-09-14", "2026-09-10..2026-09-20"], "不能早于前一次恢复之日（2026-09-14）"),
        (["2026-09-04..2026-09-04"] * 13, "最多可以设 12 次暂停"),
    ],
)
def test_pauses_that_no_clock_can_have_are_refused(calendar: Calendar, pauses: list[str], sentence: str) -> None:
    with pytest.raises(NoSense, match=re.escape(sentence)):
        what_if(date(2026, 9, 1), 20, Unit.WORKING, calendar, pauses=[read_pause(text) for text in pauses])


def test_a_supposed_period_beyond_the_calendar_is_refused_at_once(calendar: Calendar) -> None:
    with pytest.raises(MissingYear):
        what_if(date(2026, 9, 1), 3660, Unit.MONTHS, calendar)
    with pytest.raises(MissingYear):
        what_if(date(2026, 9, 1), 5, Unit.WORKING, calendar, pauses=[read_pause("2026-09-02..2199-01-01")])


# --- the command


def command(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("explain_deadline", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def refused(*arguments: str) -> str:
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("explain_deadline", *arguments, stdout=out, stderr=err)
    assert stopped.value.code == 2
    assert out.getvalue() == ""
    return err.getvalue()


def test_the_command_supposes_pauses_and_an_extension(calendar: Calendar) -> None:
    said = command(
        "--start", "2026-09-01", "--days", "20", "--pause", "2026-09-04..2026-09-14:expert_review", "--extension", "10"
    )
    assert "2026-09-05 周六 暂停：暂停期间（专家评审）" in said
    assert said[-1] == "2026-10-27"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "请给出 --start 和 --days"),
        (["--deadline", "1", "--case", "2"], "中的一个"),
        (["--deadline", "1", "--days", "2"], "只与 --start 一起使用"),
        (["--start", "2026-09-01"], "--days 要在"),
        (["--start", "2026-09-01", "--days", "5", "--extension", "-1"], "--extension 要在"),
        (["--start", "2026-09-01", "--days", "5", "--pause", "x"], "--pause 不对：暂停要写成"),
        (["--start", "2026-09-01", "--days", "5", "--pause", "2026-09-02..2199-01-01"], "还没有 2199 年的工作日历"),
        (["--deadline", "99"], "没有编号为 99 的期限"),
        (["--deadline", "99999999999999999999"], "没有编号为 99999999999999999999 的期限"),
        (["--case", "32070020260928000001X"], "没有编号为 32070020260928000001X 的办件"),
        (["--task", "J1"], "没有编号为 J1 的监管任务"),
    ],
)
def test_what_the_command_cannot_answer_exits_2_with_a_sentence(
    calendar: Calendar, arguments: list[str], sentence: str
) -> None:
    assert sentence in refused(*arguments)


# --- page, command and API agree


@pytest.fixture
def everything(calendar: Calendar, head: User) -> list[Deadline]:
    """Clocks of every standing, all read on 2026-10-12."""
    running = statutory("2026-09-28 10:00")
    paused = statutory("2026-09-28 10:00")
    pause_many([paused], EXPERTS, at=at("2026-09-30 10:00"), by=head)
    resumed = statutory("2026-09-01 10:00")
    pause_many([resumed], EXPERTS, at=at("2026-09-04 10:00"), by=head)
    resume_many([resumed], at=at("2026-09-14 10:00"), by=head)
    extend_deadline(resumed, 10, longest=10, at=at("2026-09-28 10:00"), by=head, legal_basis="行政许可法第四十二条")
    rolled = statutory("2026-08-04 10:00", length=60, unit=Unit.CALENDAR)
    months = statutory("2026-08-31 10:00", length=6, unit=Unit.MONTHS)
    provisional = statutory("2026-12-14 10:00")
    met = meet_deadline(statutory("2026-09-28 10:00"), at=at("2026-09-30 10:00"))
    fixed = start_deadline(
        KindCode.PLANNED_FINISH, at=at("2026-09-21 10:00"), stream="sample:1", fixed_on=date(2026, 10, 16)
    )
    return [running, paused, resumed, rolled, months, provisional, met, fixed]


def days_on_page(page: str) -> list[tuple[str, str, str]]:
    """(day, standing or number, reason) of every line of a page's table."""
    found = []
    for row in re.findall(r'<tr class="day-.*?</tr>', page, re.S):
        day = re.search(r'datetime="([\d-]+)"', row)
        _, numbers, reason = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        plain = re.sub(r"<strong>.*?</strong>|<span.*?</span>", "", reason).strip()
        assert day is not None
        found.append((day[1], numbers.strip(), plain))
    return found


def test_page_command_and_api_say_the_same_of_every_clock(
    everything: list[Deadline], monkeypatch: pytest.MonkeyPatch
) -> None:
    on = date(2026, 10, 12)
    monkeypatch.setattr("deadlines.clock.today", lambda: on)
    for clock in everything:
        found = told(clock, on.isoformat())
        page = days_on_page(render_to_string("deadlines/_days.html", {"rows": found.days, "today": on}))
        printed = command("--deadline", str(clock.pk))
        api = json.loads(json.dumps(_api(found, on)))
        typed = [re.match(r"(\S+) 周. (.*?)：(.*)", line) for line in printed]
        days = [match.groups() for match in typed if match and re.match(r"\d{4}-\d\d-\d\d$", match[1])]
        days = [day for day in days if day[1].startswith(("计入", "不计入", "暂停"))]
        assert [(a, _typed(b), c) for a, b, c in days] == page
        drawn = [
            (
                row["day"],
                f"第 {row['number']} 日"
                if row["counted"]
                else {"skipped": "不计入", "paused": "暂停"}[row["standing"]],
                row["reason"] + ("（暂定）" if row["provisional"] else ""),
            )
            for row in api["lines"]
        ]
        assert drawn == page
        assert api["due_on"] == printed[-1] == page[-1][0] == found.due_on.isoformat()
        for event in api["events"]:
            assert any(f"{event['label']}：{event['text']}" in line for line in printed), event
        for rule in api["rules"]:
            assert any(rule["text"] in line and rule["source"] in line for line in printed), rule
        panel = render_to_string("deadlines/_panel.html", {"deadline": clock, "explain": found, "today": on})
        assert all(rule["text"] in panel for rule in api["rules"])
        assert found.calendar_text in panel
        assert "暂定" in panel if found.provisional else "暂定" not in panel


def _typed(text: str) -> str:
    return re.sub(r"^计入第(\d+)日$", r"第 \1 日", text)


def _api(found: Explanation, on: date) -> Any:
    return ClockExplanationSerializer(found, context={"today": on, "owner": Owner("样例", "1")}).data


# --- the panel


def test_the_panel_of_a_clock_that_stands_still_shows_the_day_if_it_were_resumed(calendar: Calendar) -> None:
    clock = statutory("2026-09-14 10:00")
    pause_many([clock], EXPERTS, at=at("2026-09-16 16:00"))
    on = date(2026, 9, 23)
    page = render_to_string(
        "deadlines/_panel.html", {"deadline": clock, "explain": told(clock, "2026-09-23"), "today": on}
    )
    assert re.search(r'如今天恢复，到期日为</span><time datetime="2026-10-26">', page)
    assert "light-grey" in page
    assert "专家评审（特别程序告知书 连×特告〔2026〕3号）" in page
    plain = render_to_string("deadlines/_panel.html", {"deadline": clock, "today": on})
    assert re.search(r"暂停前的到期日</span><time", plain)


def test_the_public_panel_leads_nowhere_and_lists_every_day_of_a_long_period(calendar: Calendar) -> None:
    clock = statutory()
    context = {"deadline": clock, "explain": told(clock, "2026-09-29"), "today": date(2026, 9, 29)}
    page = render_to_string("deadlines/_panel.html", context | {"public": True})
    assert "/clocks/" not in page
    assert "逐日清单（33 天）" in page
    assert f"/clocks/{clock.pk}/" in render_to_string("deadlines/_panel.html", context)


def test_the_samples_of_the_style_guide_are_what_they_say(db: None) -> None:
    found = {sample.label: sample for sample in samples.all_kinds()}
    assert [sample.deadline.light(sample.today).value for sample in found.values()][:4] == [
        "green", "yellow", "red", "grey",
    ]  # fmt: skip
    assert found["暂停"].explain.still is not None
    assert found["恢复并延长"].explain.extended_by == 10
    assert found["涉及尚未发布的年份"].explain.provisional
    assert "民法典第二百零三条" in [rule.source for rule in found["自然日，逢休息日顺延"].explain.rules]
    assert found["按月计算"].explain.unit is Unit.MONTHS
    assert not ClockEvent.objects.exists()


# --- the API of supposed periods


def test_the_api_supposes_pauses_and_an_extension(calendar: Calendar) -> None:
    pause = "2026-09-04..2026-09-14:testing"
    asked: dict[str, Any] = {"start": "2026-09-01", "days": 20, "pause": [pause], "extension": 5}
    body = APIClient().get("/api/v1/deadlines/explain/", asked).json()
    supposed = what_if(date(2026, 9, 1), 20, Unit.WORKING, calendar, pauses=[read_pause(pause)], extension=5)
    assert body["due_on"] == supposed.due_on.isoformat()
    assert body["length_text"] == "20个工作日，延长5个工作日，共25个工作日"
    assert body["calendars"][0]["text"] == "2026年第1版（已发布）"
    assert {line["standing"] for line in body["lines"]} == {"counted", "skipped", "paused"}
    assert [line["day"] for line in body["lines"] if line["is_due"]] == [body["due_on"]]
    plain = APIClient().get("/api/v1/deadlines/explain/", {"start": "2026-09-28T15:00", "days": "5"}).json()
    assert (plain["due_on"], len(plain["lines"])) == ("2026-10-10", 13)


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"pause": ["x"]}, "pause", "暂停要写成"),
        ({"pause": ["2026-09-14..2026-09-04"]}, "pause", "不能早于暂停之日"),
        ({"pause": ["2026-09-04..2026-09-05:lunch"]}, "pause", "没有“lunch”这一暂停事由"),
        ({"extension": -1}, "extension", ""),
    ],
)
def test_the_api_refuses_what_no_clock_can_have(
    calendar: Calendar, asked: dict[str, Any], field: str, sentence: str
) -> None:
    period: dict[str, Any] = {"start": "2026-09-01", "days": 20}
    answer = APIClient().get("/api/v1/deadlines/explain/", period | asked)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "invalid"
    assert body["errors"][0]["field"] == field
    assert sentence in body["errors"][0]["detail"]


def test_the_api_names_a_missing_year(calendar: Calendar) -> None:
    asked: dict[str, Any] = {"start": "2026-09-01", "days": 5, "pause": ["2026-09-02..2199-01-01"]}
    answer = APIClient().get("/api/v1/deadlines/explain/", asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "calendar-missing")
