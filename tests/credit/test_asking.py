"""What the credit platform says of a subject: read strictly, kept, and its age said when it is silent (L7)."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from credit import asking, handling, platform, proposing
from credit.actions import measures
from credit.asking import ReceivedAct, latest
from credit.models import (
    CreditRecord,
    CreditSubject,
    MeasureRule,
    PlatformAnswer,
    SubjectGrade,
    SubjectRisk,
    note_kept_promise,
)
from credit.platform import Unavailable
from deadlines.clock import local_date
from ledger.models import Entry
from offices.models import User
from offices.refusals import Refused
from oversight import previews
from oversight.actions import previewing
from scripts.standin_credit import LISTED, NOTHING, Mode, Service
from supervision.pools import _newest_classes
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make
from tests.credit.platforms import PERSON, company, person, record, running

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
GOOD, SERIOUS = "91320700MA1CRD002", "91320700MA1CRD005"


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A platform that speaks HTTP on a port of its own."""
    with running(settings) as one:
        yield one


def test_the_answer_is_kept_and_grade_and_risk_are_received_once(service: Service, clock: Moment) -> None:
    subject = company(GOOD)
    said = latest(subject, clock.at)
    assert (said.is_fresh, said.counts, said.grade, said.risk, said.words) == (
        True, True, "good", "B", "信用平台2026-09-28 10:00答复。",
    )  # fmt: skip
    grade, risk = SubjectGrade.objects.get(), SubjectRisk.objects.get()
    assert (grade.grade, risk.risk, grade.received_at) == ("good", "B", clock.at)
    assert grade.source != risk.source  # two gradings, never mixed
    assert f"{grade.given_at.astimezone(clock.at.tzinfo):%Y-%m-%d %H:%M}" == "2026-07-01 00:00"
    assert PlatformAnswer.objects.get().answer == said.answer
    clock.to("2026-09-29 10:00")
    latest(subject, clock.at)
    assert (SubjectGrade.objects.count(), SubjectRisk.objects.count()) == (1, 1)
    assert PlatformAnswer.objects.get().answered_at == clock.at
    assert Entry.objects.filter(stream=subject.stream, act=ReceivedAct.RECEIVED).count() == 2


def test_where_the_platform_says_nothing_there_is_no_grade_and_no_good_one(service: Service, clock: Moment) -> None:
    subject = company()
    said = latest(subject, clock.at)
    assert (said.is_fresh, said.grade, said.risk, said.answer) == (True, "none", "none", NOTHING)
    assert not SubjectGrade.objects.exists()
    # Also where it said something before: the newest word counts.
    service.answers[str(subject.code)] = platform.read_answer({"subject": {}, **_fair()}, {})
    assert latest(subject, clock.at).grade == "fair"
    service.answers[str(subject.code)] = NOTHING
    assert latest(subject, clock.at).grade == "none"


def _fair() -> dict[str, object]:
    return {"grade": {"grade": "fair", "source": "平台", "given_on": "2026-08-01"}, "risk": None, "records": []}


def _said(grade: str = "", risk: str = "", day: str = "2026-07-01") -> dict[str, Any]:
    """An answer without records."""
    return {
        "grade": {"grade": grade, "source": "市信用中心", "given_on": day} if grade else None,
        "risk": {"risk": risk, "source": "市监局", "given_on": day} if risk else None,
        "records": [],
    }


def test_what_the_platform_gives_no_more_counts_nowhere(service: Service, clock: Moment, sign_in: SignIn) -> None:
    subject = make.company()
    code = str(subject.code)
    kept = note_kept_promise(subject, source="任务1号", basis="依据", at=clock.at, department=make.department())
    law = "江苏省社会信用条例（联合激励）第三十条"
    rule = MeasureRule.objects.create(kind="reward", grade="excellent", what="优先办理", basis=law, months=6)
    today = local_date(clock.at)
    officer, overseer, admin = sign_in(make.OFFICER), sign_in("duban1"), sign_in("guanliyuan1")

    def pages() -> dict[str, str]:
        return {
            "list": text_of(officer.get(reverse("credit:grades"))),
            "one": text_of(officer.get(reverse("credit:grade", args=[subject.pk]))),
            "csv": body(officer.get(reverse("credit:grades_export"))).decode(),
            "portrait": text_of(overseer.get(reverse("subjects:subject", args=[subject.pk]))),
            "table": "".join(text_of(admin.get(reverse("division:handling"))).split()),
        }

    def moving(grade: str) -> int:
        by = User.objects.get(username="guanliyuan1")
        was = handling.is_open(grade, "promise")
        preview = previewing.begin(grade, "promise", is_open=not was, basis="会议纪要", by=by, now=clock.at)
        previews.run()
        preview.refresh_from_db()
        previewing.drop(preview, by=by, now=clock.at)
        return preview.organisations

    service.answers[code] = _said("excellent", "A")
    latest(subject, clock.at)
    assert (measures.newest_grade(subject), list(_newest_classes(array("q", [subject.pk])))) == ("excellent", ["A"])
    assert proposing.of_record(kept, today)
    assert moving("excellent") == 1
    assert "<strong>优</strong>" in pages()["one"]

    clock.to("2026-09-29 10:00")
    service.answers[code] = _said()
    assert latest(subject, clock.at).grade == "none"
    grade, risk = subject.grades.latest("id"), subject.risks.latest("id")
    assert (grade.grade, grade.source, grade.given_at, grade.received_at) == ("none", "信用平台", clock.at, clock.at)
    assert (risk.risk, risk.source, risk.given_at) == ("none", "信用平台", clock.at)
    assert measures.newest_grade(subject) == "none"
    assert list(_newest_classes(array("q", [subject.pk]))) == ["none"]
    assert not proposing.of_record(kept, today)
    with pytest.raises(Refused) as refused:
        measures.begin(
            subject, kind="reward", what="", basis="", department=make.department(), record=kept,
            starts_on=local_date(clock.at),
            ends_on=local_date(clock.at), by=make.officer(), now=clock.at, rule=rule,
        )  # fmt: skip
    assert refused.value.code == "measure-rule-unfit"
    assert (moving("excellent"), moving("none")) == (0, CreditSubject.objects.count())
    seen = pages()
    for name in ("list", "one", "csv"):
        assert "未评价（不视为良好）" in seen[name], name
    assert "<strong>优</strong>" not in seen["list"] + seen["one"]
    assert '信用平台自<span class="num">2026年9月29日</span>起不再给出评价' in seen["one"]
    assert '信用平台自<span class="num">2026年9月29日</span>起不再给出分类' in seen["one"]
    assert seen["portrait"].count('信用平台自<span class="num">2026年9月29日</span>起不再给出，不视为良好') == 2
    assert f"未评价<small>{CreditSubject.objects.count()}个主体" in seen["table"]

    # Said again, nothing is stored again; given again with its old day, it counts again.
    latest(subject, clock.at)
    assert (subject.grades.count(), subject.risks.count()) == (2, 2)
    clock.to("2026-09-30 10:00")
    service.answers[code] = _said("excellent", "A")
    latest(subject, clock.at)
    latest(subject, clock.at)
    assert (subject.grades.count(), subject.risks.count()) == (3, 3)
    assert (measures.newest_grade(subject), list(_newest_classes(array("q", [subject.pk])))) == ("excellent", ["A"])
    assert subject.grades.latest("id").given_at == clock.at


def test_a_correction_with_an_earlier_day_counts(service: Service, clock: Moment) -> None:
    subject = company()
    service.answers[str(subject.code)] = _said("excellent", "A", "2026-08-01")
    latest(subject, clock.at)
    clock.to("2026-09-29 10:00")
    service.answers[str(subject.code)] = _said("poor", "D", "2026-07-01")
    for _ in range(2):
        latest(subject, clock.at)
    assert measures.newest_grade(subject) == "poor"
    assert list(_newest_classes(array("q", [subject.pk]))) == ["D"]
    assert (subject.grades.count(), subject.risks.count()) == (2, 2)
    assert PlatformAnswer.objects.get().answer["grade"]["given_on"] == "2026-07-01"
    # Only the day, and an earlier one: nothing counts otherwise.
    service.answers[str(subject.code)] = _said("poor", "D", "2026-06-01")
    latest(subject, clock.at)
    assert (subject.grades.count(), subject.risks.count()) == (2, 2)


def test_what_was_withdrawn_before_is_taken_over_with_the_next_answer(service: Service, clock: Moment) -> None:
    subject = company()
    service.answers[str(subject.code)] = NOTHING
    latest(subject, clock.at)
    before = clock.at - dt.timedelta(days=60)
    SubjectGrade.objects.create(subject=subject, grade="good", source="平台", given_at=before, received_at=before)
    latest(subject, clock.at)
    assert measures.newest_grade(subject) == "none"
    assert not subject.risks.exists()


def test_the_serious_list_is_received_and_left_only_by_its_keeper(service: Service, clock: Moment) -> None:
    subject = company(SERIOUS)
    own = record(subject, clock.at)
    latest(subject, clock.at)
    row = CreditRecord.objects.get(kind="serious")
    assert (row.origin, row.source, row.department, row.level) == ("platform", LISTED["source"], None, "")
    latest(subject, clock.at)
    assert CreditRecord.objects.count() == 2
    service.answers[str(subject.code)] = NOTHING
    latest(subject, clock.at)
    row.refresh_from_db()
    own.refresh_from_db()
    assert (row.is_lifted, own.is_lifted) == (True, False)  # what the house found is not the platform's to drop here
    del service.answers[str(subject.code)]
    latest(subject, clock.at)
    row.refresh_from_db()
    assert not row.is_lifted


def test_a_person_is_asked_about_by_the_keyed_hash(service: Service, clock: Moment) -> None:
    subject = person()
    assert latest(subject, clock.at).is_fresh
    assert service.asked == [{"subject": {"kind": "person", "id_hash": subject.id_hash}}]
    assert PERSON not in str(service.asked)


SILENCES = [Mode.SILENT, Mode.DRIP, Mode.ERROR, Mode.UNAUTHORIZED, Mode.REDIRECT, Mode.GARBAGE, Mode.HUGE,
            Mode.OTHER_SUBJECT]  # fmt: skip


@pytest.mark.parametrize("mode", SILENCES)
def test_silence_or_nonsense_gives_the_last_known_answer_with_its_age(
    service: Service, clock: Moment, mode: Mode
) -> None:
    subject = company(GOOD)
    latest(subject, clock.at)
    service.mode = mode
    clock.to("2026-10-01 12:00")
    said = latest(subject, clock.at)
    assert (said.is_fresh, said.counts, said.grade) == (False, True, "good")
    assert said.age == dt.timedelta(days=3, hours=2)
    assert said.words == "信用平台没有答复，以下是2026-09-28 10:00的答复（查询时已过3日），7日内的答复可以使用。"
    assert said.fault
    assert PlatformAnswer.objects.get().answered_at < clock.at


def test_an_answer_that_is_too_old_opens_nothing_and_its_records_still_count(service: Service, clock: Moment) -> None:
    subject = company(GOOD)
    latest(subject, clock.at)
    service.mode = Mode.ERROR
    clock.to("2026-10-05 10:00")
    assert latest(subject, clock.at).counts
    clock.to("2026-10-05 10:01")
    said = latest(subject, clock.at)
    assert (said.counts, said.grade, said.risk) == (False, "none", "none")
    assert "已超过7日" in said.words
    assert said.answer is not None  # shown, with its age


def test_who_was_never_answered_is_not_evaluated(service: Service, clock: Moment) -> None:
    service.mode = Mode.ERROR
    said = latest(company(), clock.at)
    assert (said.answer, said.counts, said.grade, said.answered_at) == (None, False, "none", None)
    assert "不视为良好" in said.words


def test_without_a_platform_nothing_is_asked(clock: Moment) -> None:
    said = latest(company(), clock.at)
    assert (said.answer, said.fault) == (None, "没有接入信用平台")


def test_an_older_answer_changes_nothing(service: Service, clock: Moment) -> None:
    subject = company(GOOD)
    latest(subject, clock.at)
    asking.keep(subject, NOTHING, clock.at - dt.timedelta(minutes=1))
    assert PlatformAnswer.objects.get().answer["grade"]["grade"] == "good"


GRADE = {"grade": "good", "source": "平台", "given_on": "2026-07-01"}
ENTRY = {"kind": "serious", "source": "名单1号", "basis": "决定", "found_on": "2026-05-20"}
WRONG: dict[str, dict[str, Any]] = {
    "not complete": {"grade": None, "risk": None},
    "a grade from nowhere": {"grade": GRADE | {"source": " "}},
    "an unknown grade": {"grade": GRADE | {"grade": "AAA"}},
    "none is no grade": {"grade": GRADE | {"grade": "none"}},
    "a day that is none": {"grade": GRADE | {"given_on": "2026-02-30"}},
    "another form of day": {"grade": GRADE | {"given_on": "20260701"}},
    "a day before there was an office": {"grade": GRADE | {"given_on": "0001-01-01"}},
    "a year before 1949": {"records": [ENTRY | {"found_on": "1948-12-31"}]},
    "the last day of all": {"records": [ENTRY | {"found_on": "9999-12-31"}]},
    "a day after tomorrow": {"risk": {"risk": "A", "source": "平台", "given_on": "2026-09-30"}},
    "a grade that is a word": {"grade": "good"},
    "an unknown risk": {"risk": {"risk": "E", "source": "平台", "given_on": "2026-07-01"}},
    "records that are none": {"records": {}},
    "an unknown kind": {"records": [ENTRY | {"kind": "gossip"}]},
    "a record from nowhere": {"records": [ENTRY | {"source": ""}]},
    "too long": {"records": [ENTRY | {"basis": "字" * 201}]},
    "unprintable": {"records": [ENTRY | {"basis": "字\u0000"}]},
    "too many": {"records": [ENTRY] * 501},
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_not_exactly_an_answer_is_none(name: str, clock: Moment) -> None:
    named = {"kind": "organisation", "code": "1"}
    whole: dict[str, Any] = {"subject": named, "grade": None, "risk": None, "records": []}
    assert platform.read_answer(whole, named)["grade"] is None
    wrong = WRONG[name] | {"subject": named} if name == "not complete" else whole | WRONG[name]
    with pytest.raises(Unavailable):
        platform.read_answer(wrong, named)


def test_days_from_1949_to_tomorrow_are_read(clock: Moment) -> None:
    named = {"kind": "organisation", "code": "1"}
    for day in ("1949-01-01", "2026-09-28", "2026-09-29"):
        records = [ENTRY | {"found_on": day}]
        said = {"subject": named, "grade": GRADE | {"given_on": day}, "risk": None, "records": records}
        answer = platform.read_answer(said, named)
        assert (answer["grade"]["given_on"], answer["records"][0]["found_on"]) == (day, day)


def test_the_query_costs_few_statements(service: Service, clock: Moment) -> None:
    subject = company(GOOD)
    latest(subject, clock.at)
    with CaptureQueriesContext(connection) as seen:
        latest(CreditSubject.objects.get(pk=subject.pk), clock.at)
    assert len(seen) <= 7
