"""The rule of the credit query: table grade × way, breaches, silence; pure, cell by cell (L7, L12a)."""

from __future__ import annotations

import datetime as dt
import itertools
import json

import pytest

from credit import gate, handling, standing
from credit.actions import joining
from credit.gate import Answer, Seen, judge
from credit.models import CreditRecord, CreditSubject, Grade, HandlingWay, SubjectGrade
from oversight.demo.cases import COMPANIES, code_of
from tests.approvals import play
from tests.conftest import Moment
from tests.credit import facts

TODAY = dt.date(2026, 9, 28)
PROPOSED = {
    (grade, way): handling.Cell(grade, way, grade in handling.PROPOSED[way], "依据")
    for grade in Grade.values
    for way in HandlingWay.values
}
OPEN = {
    "excellent": {"promise", "later", "on_the_spot", "green_lane", "full"},
    "good": {"promise", "later", "on_the_spot", "full"},
    "fair": {"promise", "on_the_spot", "full"},
    "poor": {"full"},
    "none": {"promise", "later", "on_the_spot", "full"},
}


def seen(kind: str, found_on: str = "2026-06-01") -> Seen:
    return Seen(kind, "J1", "逾期不改", found_on)


def opened(answer: Answer) -> set[str]:
    return {way for way in HandlingWay.values if answer.opens(way)}


@pytest.mark.parametrize("grade", Grade.values)
def test_without_records_the_table_alone_decides(grade: str) -> None:
    assert opened(judge(grade, [], PROPOSED, on=TODAY)) == OPEN[grade]


@pytest.mark.parametrize(
    ("grade", "kind"), list(itertools.product(Grade.values, ["serious", "broken_promise", "kept_promise"]))
)
def test_a_breach_takes_nobodys_word_and_a_kept_promise_changes_nothing(grade: str, kind: str) -> None:
    closed = set() if kind == "kept_promise" else {"promise", "later", "green_lane"}
    answer = judge(grade, [seen(kind)], PROPOSED, on=TODAY)
    assert opened(answer) == OPEN[grade] - closed
    assert all(way.reasons and all(reason for reason in way.reasons) for way in answer.ways)
    if closed:
        assert "（J1，2026-06-01认定：逾期不改）" in answer.of("promise").reasons[0]


@pytest.mark.parametrize(
    ("found_on", "used"), [("2023-09-28", True), ("2023-09-27", False), ("2020-02-29", False), ("2026-09-28", True)]
)
def test_no_breach_is_used_for_more_than_three_years(found_on: str, used: bool) -> None:
    answer = judge("good", [seen("serious", found_on)], PROPOSED, on=TODAY)
    assert answer.opens("promise") is not used
    assert bool(answer.breaches) is used


@pytest.mark.parametrize(
    ("kind", "level", "listed", "closes"),
    [
        ("broken_promise", "general", "A01", True),
        ("broken_promise", "minor", "A04", False),
        ("revoked", "serious", "A02", True),
        ("revoked", "general", "A02", True),
        ("revoked", "general", "A03", False),
        ("sanction", "serious", "", True),
        ("sanction", "general", "", False),
        ("praise", "", "", False),
    ],
)
def test_what_closes_the_promise_way_by_kind_and_level(kind: str, level: str, listed: str, closes: bool) -> None:
    one = Seen(kind, "J1", "依据", "2026-06-01", level, listed, "2027-06-01")
    answer = judge("good", [one], PROPOSED, on=TODAY)
    assert answer.opens("promise") is not closes
    assert [row.source for row in answer.records] == ["J1"]


@pytest.mark.parametrize(("until", "used"), [("2026-09-28", True), ("2026-09-27", False)])
def test_a_record_is_used_to_the_last_day_of_its_display(until: str, used: bool) -> None:
    one = Seen("broken_promise", "J1", "依据", "2026-06-01", "general", "A01", until)
    assert judge("good", [one], PROPOSED, on=TODAY).opens("promise") is not used


def test_silence_is_no_good_grade() -> None:
    answer = judge("none", [], PROPOSED, on=TODAY)
    assert answer.grade_label == "未评价"
    assert not answer.opens("green_lane")
    assert "未评价（不视为良好）" in answer.of("green_lane").reasons[0]
    assert "良好" not in answer.of("promise").reasons[0].replace("不视为良好", "")


def test_the_answer_survives_being_kept() -> None:
    answer = judge("fair", [seen("broken_promise"), seen("kept_promise")], PROPOSED, on=TODAY, source="演示平台")
    assert Answer.from_json(json.loads(json.dumps(answer.to_json()))) == answer


@pytest.mark.django_db
def test_the_newest_grade_and_the_unrepaired_records_count(clock: Moment, django_assert_num_queries: object) -> None:
    subject = CreditSubject.objects.identify("organisation", code_of(COMPANIES[0][0]), "演示公司")
    assert gate.ask(subject, clock.at).grade == "none"
    for days, grade in ((30, "poor"), (3, "excellent"), (60, "fair")):
        moment = clock.at - dt.timedelta(days=days)
        SubjectGrade.objects.create(subject=subject, grade=grade, source="平台", given_at=moment, received_at=clock.at)
    for number, repaired in enumerate((None, clock.at)):
        CreditRecord.objects.create(
            subject=subject, kind="broken_promise", source=f"J{number}", basis="逾期", found_at=clock.at,
            repaired_at=repaired,
        )  # fmt: skip
    with django_assert_num_queries(5):  # type: ignore[operator]
        answer = gate.ask(subject, clock.at)
    assert (answer.grade, [row.source for row in answer.records]) == ("excellent", ["J0"])
    assert not answer.opens("promise")


@pytest.mark.django_db
def test_what_people_changed_lies_over_what_was_proposed(city: None, clock: Moment) -> None:
    subject = CreditSubject.objects.identify("organisation", code_of(COMPANIES[0][0]), "演示公司")
    admin = play.person("guanliyuan1")
    handling.set_cell("none", "promise", is_open=False, basis="演示文件〔2026〕1号", by=admin, now=clock.at)
    answer = gate.ask(subject, clock.at)
    assert not answer.opens("promise")
    assert "演示文件〔2026〕1号" in answer.of("promise").reasons[0]
    assert not handling.is_open("none", "promise")


@pytest.mark.django_db
def test_what_a_code_stood_for_counts_for_the_one_that_took_its_place(city: None, clock: Moment) -> None:
    old, new, other = (
        CreditSubject.objects.identify("organisation", code_of(COMPANIES[n][0]), "甲") for n in (7, 8, 9)
    )
    CreditRecord.objects.create(
        subject=old, kind="broken_promise", source="J1", basis="逾期", level="serious", found_at=clock.at
    )
    SubjectGrade.objects.create(subject=old, grade="excellent", source="平台", given_at=clock.at, received_at=clock.at)
    link = joining.link(
        before=old.code or "", after=new.code or "", kind="replaced", on=clock.at.date(),
        basis="准予变更登记通知书〔2026〕1号", by=facts.officer(), now=clock.at,
    )  # fmt: skip
    answer = gate.ask(new, clock.at)
    assert not answer.opens("promise")
    assert answer.grade == "none", "a good grade of another code is not taken over"
    assert dict(standing.breaches(clock.at.date())) == {old.pk: True, new.pk: True}
    assert gate.ask(other, clock.at).opens("promise")
    joining.undo(link, reason="通知书所载的是另一家公司。", by=facts.officer(), now=clock.at)
    assert gate.ask(new, clock.at).opens("promise")
    assert dict(standing.breaches(clock.at.date())) == {old.pk: True}
