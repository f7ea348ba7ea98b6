"""联合奖惩: with a basis and an end, never longer than its record's display, lifted with it, nobody else's (L12c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from credit import asking, gate
from credit.actions import joining, measures, repairing
from credit.models import CreditRecord, CreditSubject, JointMeasure, Repair, SubjectLink, note_kept_promise
from deadlines.clock import local_date
from ledger.models import Entry
from offices.refusals import Refused, TransitionNotAllowed
from tests import city as demo_city
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.approvals.test_races import together
from tests.approvals.window import body, text_of
from tests.conftest import Moment
from tests.credit import facts as make

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
LAW = "江苏省社会信用条例第三十一条"
NEW, LIST = "/credit/measures/new/", "/credit/measures/"
API = "/api/v1/credit/measures/"


def form(**changes: Any) -> dict[str, Any]:
    said = {
        "identifier": make.company().code, "kind": "penalty", "source": "", "what": "限制申请财政补助资金",
        "basis": LAW, "starts_on": "2026-09-28", "ends_on": "2027-09-27",
    }  # fmt: skip
    return said | changes


def begun(now: dt.datetime, *, subject: CreditSubject | None = None, **changes: Any) -> JointMeasure:
    today = local_date(now)
    said: dict[str, Any] = {
        "kind": "penalty", "what": "限制申请财政补助资金", "basis": LAW, "department": make.department(),
        "record": None, "starts_on": today, "ends_on": today + dt.timedelta(days=90),
    }  # fmt: skip
    return measures.begin(subject or make.company(), **(said | changes), by=make.officer(), now=now)


def acts(subject: CreditSubject) -> list[str]:
    found = Entry.objects.filter(stream=subject.stream, act__startswith="credit.measure").order_by("seq")
    return [entry.act for entry in found]


def test_begun_by_code_seen_in_the_list_and_ended_early(sign_in: SignIn, clock: Moment) -> None:
    make.company()
    browser = sign_in(make.OFFICER)
    page = text_of(browser.get(NEW))
    assert "不列入严重失信主体名单" in page
    answer = browser.post(NEW, form())
    assert answer.status_code == 302
    measure = JointMeasure.objects.get()
    assert answer["Location"] == reverse("credit:measure", args=[measure.pk])
    assert (measure.department, measure.decided_by, measure.decided_at) == (make.department(), make.officer(), clock.at)
    assert measure.what in text_of(browser.get(LIST))
    assert browser.post(NEW, form()).status_code == 409
    assert JointMeasure.objects.count() == 1
    bare = browser.post(reverse("credit:measure_end", args=[measure.pk]), {"reason": " "})
    assert bare.status_code == 422
    assert "措施自现在起终止" in text_of(browser.get(answer["Location"]))
    ended = {"reason": "已主动纠正。"}
    assert browser.post(reverse("credit:measure_end", args=[measure.pk]), ended).status_code == 302
    assert browser.post(reverse("credit:measure_end", args=[measure.pk]), ended).status_code == 409
    measure.refresh_from_db()
    assert (measure.ended_at, measure.ended_by, measure.end_reason) == (clock.at, make.officer(), "已主动纠正。")
    assert measure.what not in text_of(browser.get(LIST))
    assert measure.what in text_of(browser.get(LIST + "?tab=ended"))
    rows = body(browser.get(LIST + "export.csv?tab=ended")).decode("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "已主动纠正" in rows[1]
    assert acts(measure.subject) == ["credit.measure_begun", "credit.measure_ended"]
    assert [row.ended_by for row in JointMeasure.history.order_by("history_id")] == [None, make.officer()]
    assert not CreditRecord.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identifier": ""}, "请填写主体的代码或者号码"),
        ({"identifier": "91320700MA1X00000X"}, "没有这个代码或者号码的主体"),
        ({"kind": ""}, "请选择联合激励或者联合惩戒"),
        ({"what": " "}, "请写明采取的措施"),
        ({"basis": ""}, "请写明法律依据"),
        ({"basis": "信用条例"}, "法律依据至少 10 字"),
        ({"kind": "reward", "basis": "信用条例"}, "法律依据至少 10 字"),
        ({"source": "没有这个文号"}, "没有依据该文书的信用记录"),
        ({"starts_on": ""}, "请填写开始日期"),
        ({"starts_on": "2026-09-27"}, "开始日期不能早于今天"),
        ({"starts_on": "2027-09-29", "ends_on": "2027-09-30"}, "开始日期最晚为2027年9月28日"),
        ({"starts_on": "9997-01-01", "ends_on": "9999-12-31"}, "开始日期最晚为2027年9月28日"),
        ({"starts_on": "9999-12-31", "ends_on": "9999-12-31"}, "开始日期最晚为2027年9月28日"),
        ({"ends_on": "9999-12-31"}, "结束日期最晚为2029年9月28日"),
        ({"ends_on": ""}, "请填写结束日期"),
        ({"ends_on": "2026-02-30"}, "请填写有效日期"),
        ({"starts_on": "2026-10-02", "ends_on": "2026-10-01"}, "结束日期不能早于开始日期（2026年10月2日）"),
        ({"ends_on": "2029-09-29"}, "结束日期最晚为2029年9月28日（三年的最长期限）"),
    ],
)
def test_what_is_not_whole_is_refused_in_words(
    sign_in: SignIn, clock: Moment, changes: dict[str, str], words: str
) -> None:
    make.company()
    answer = sign_in(make.OFFICER).post(NEW, form(**changes))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not JointMeasure.objects.exists()


def test_a_penalty_on_a_record_ends_with_its_display_at_the_latest(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    browser, today = sign_in(make.OFFICER), local_date(clock.at)
    assert record.shown_until is not None
    url = f"{NEW}?record={record.pk}"
    assert url in text_of(browser.get(reverse("credit:record", args=[record.pk])))
    said = {"kind": "penalty", "what": "列为重点监管对象", "basis": "", "starts_on": today.isoformat()}
    late = browser.post(url, said | {"ends_on": (record.shown_until + dt.timedelta(days=1)).isoformat()})
    assert late.status_code == 422
    assert "所依据记录的最长公示期限" in text_of(late)
    wrong = browser.post(url, said | {"kind": "reward", "basis": LAW, "ends_on": record.shown_until.isoformat()})
    assert wrong.status_code == 422
    assert "不能作为联合激励的依据" in text_of(wrong)
    assert browser.post(url, said | {"ends_on": record.shown_until.isoformat()}).status_code == 302
    measure = JointMeasure.objects.get()
    assert (measure.record, measure.basis, measure.ends_on) == (record, record.basis, record.shown_until)
    assert "列为重点监管对象" in text_of(browser.get(reverse("credit:record", args=[record.pk])))
    # Another subject's record is not found by its number, nor taken by the act.
    make.company(1)
    other = browser.post(NEW, form(identifier=make.company(1).code, source=record.source))
    assert other.status_code == 422
    assert "没有依据该文书的信用记录" in text_of(other)
    with pytest.raises(Refused) as error:
        begun(clock.at, subject=make.company(1), record=record)
    assert error.value.code == "measure-record-wrong-subject"


def test_what_is_not_shown_or_out_of_use_carries_no_measure(city: None, clock: Moment) -> None:
    minor = make.recorded(clock, kind="late_material", listed="A04", level="minor")
    with pytest.raises(Refused) as error:
        begun(clock.at, record=minor)
    assert error.value.code == "measure-not-shown"
    record = make.recorded(clock, source="连住建撤〔2026〕2号")
    assert record.shown_until is not None
    late = make.noon(record.shown_until + dt.timedelta(days=1))
    with pytest.raises(Refused) as error:
        begun(late, record=record)
    assert error.value.code == "measure-record-lifted"
    make.noticed(record, clock.at)
    with pytest.raises(Refused) as error:
        begun(clock.at, record=record)
    assert error.value.code == "measure-record-lifted"
    assert not JointMeasure.objects.exists()


def test_it_lifts_with_the_repair_in_the_same_transaction(sign_in: SignIn, clock: Moment) -> None:
    record = make.recorded(clock)
    resting, free = begun(clock.at, record=record), begun(clock.at, what="列为重点监管对象")
    asked = repairing.ask(record, ground="wrong", statement="决定书已被撤销。", by=make.officer(), now=clock.at)
    browser = sign_in(make.OFFICER)
    assert "据此实施的 1 项联合惩戒随之终止" in text_of(browser.get(reverse("credit:record", args=[record.pk])))
    verdict = {"verdict": "grant", "reason": "决定书已被撤销。"}
    # What fails in the lifting takes the end of the measure back with it.
    with transaction.atomic():
        repairing.settle(asked, grant=True, reason="有误。", by=make.officer(), now=clock.at)
        assert JointMeasure.objects.get(pk=resting.pk).ended_at == clock.at
        transaction.set_rollback(True)
    assert JointMeasure.objects.get(pk=resting.pk).ended_at is None
    assert browser.post(reverse("credit:repair_decision", args=[asked.pk]), verdict).status_code == 302
    resting.refresh_from_db()
    free.refresh_from_db()
    record.refresh_from_db()
    assert resting.ended_at == record.withdrawn_at == clock.at
    assert "更正撤回" in resting.end_reason
    assert free.ended_at is None
    assert acts(record.subject)[-1] == "credit.measure_lifted"
    assert measures.live(record.subject, local_date(clock.at)) == [free]


def test_it_lifts_with_a_notice_and_with_the_platforms_own_record(city: None, clock: Moment) -> None:
    record = make.recorded(clock)
    resting = begun(clock.at, record=record)
    make.noticed(record, clock.at)
    resting.refresh_from_db()
    assert (resting.ended_at, resting.ended_by) == (clock.at, None)
    assert "已修复" in resting.end_reason
    subject = make.company(1)
    sanction = CreditRecord.objects.create(
        subject=subject, kind="sanction", origin="platform", source="外部1号", basis="信用中国", found_at=clock.at
    )
    other = begun(clock.at, subject=subject, record=sanction)
    said: dict[str, Any] = {"grade": None, "risk": None, "records": []}
    asking.keep(subject, said, clock.at)
    other.refresh_from_db()
    assert other.ended_at == clock.at


def linked(before: CreditSubject, after: CreditSubject, now: dt.datetime) -> SubjectLink:
    """A code that was replaced by another."""
    return joining.link(
        before=before.code or "", after=after.code or "", kind="replaced", on=local_date(now),
        basis="准予变更登记通知书〔2026〕1号", by=make.officer(), now=now,
    )  # fmt: skip


def test_a_new_code_does_not_escape_a_penalty(sign_in: SignIn, clock: Moment) -> None:
    record, free = make.recorded(clock), make.company(2)
    old, new, newest = record.subject, make.company(1), make.company(3)
    reward: dict[str, Any] = {"kind": "reward", "what": "优先办理", "basis": LAW}
    penalty, praise = begun(clock.at, record=record), begun(clock.at, **reward)
    own = begun(clock.at, subject=newest, what="约谈提醒")
    said = form(identifier=newest.code, source=record.source, what="限制参加评优", basis="")
    said |= {"starts_on": str(local_date(clock.at)), "ends_on": str(record.shown_until)}
    browser = sign_in(make.OFFICER)
    assert browser.post(NEW, said).status_code == 422
    linked(old, new, clock.at)
    linked(new, newest, clock.at)
    # What is in force against who was before is seen at intake; a reward stays where it was earned.
    answer = gate.ask(newest, clock.at)
    assert answer.measures == (f"{penalty.words}；对原主体{old.public_name}实施，代码已衔接", own.words)
    assert gate.ask(old, clock.at).measures == (penalty.words, praise.words)
    assert gate.ask(free, clock.at).measures == ()
    # A penalty is begun for the new code on the old one's record, and ends with it.
    assert browser.post(NEW, said).status_code == 302
    made = JointMeasure.objects.latest("id")
    assert (made.subject, made.record, made.basis) == (newest, record, record.basis)
    page = text_of(browser.get(reverse("credit:measure", args=[made.pk])))
    assert f"{old.public_name}的记录，代码已衔接到本主体" in page
    for changes in ({"subject": free}, {"subject": newest, "kind": "reward", "what": "绿色通道"}):
        with pytest.raises(Refused) as error:
            begun(clock.at, record=record, **changes)
        assert error.value.code == "measure-record-wrong-subject"
    kept = note_kept_promise(old, source="JG-1", basis="核查属实", at=clock.at, department=make.department())
    with pytest.raises(Refused) as error:
        begun(clock.at, subject=newest, record=kept, **reward)
    assert error.value.code == "measure-record-wrong-subject"
    make.noticed(record, clock.at)
    for one in (penalty, made):
        one.refresh_from_db()
        assert one.ended_at == clock.at
    assert acts(newest)[-1] == "credit.measure_lifted"
    assert gate.ask(newest, clock.at).measures == (own.words,)


def test_the_api_takes_a_record_of_who_was_before(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    record, new = make.recorded(clock), make.company(1)
    linked(record.subject, new, clock.at)
    said = form(identifier=new.code, record_source=record.source, ends_on=str(record.shown_until))
    said["starts_on"] = str(local_date(clock.at))
    del said["source"]
    made = caller(make.OFFICER).post(API, said, format="json").json()
    assert JointMeasure.objects.get(pk=made["id"]).record == record


def test_the_platforms_own_record_lifts_what_rests_on_it_for_a_new_code(city: None, clock: Moment) -> None:
    old, new = make.company(), make.company(1)
    sanction = CreditRecord.objects.create(
        subject=old, kind="sanction", origin="platform", source="外部1号", basis="信用中国", found_at=clock.at
    )
    linked(old, new, clock.at)
    resting = begun(clock.at, subject=new, record=sanction)
    asking.keep(old, {"grade": None, "risk": None, "records": []}, clock.at)
    resting.refresh_from_db()
    assert resting.ended_at == clock.at


@pytest.mark.django_db(transaction=True)
def test_begun_for_a_new_code_while_the_record_is_lifted(transactional_db: None, clock: Moment) -> None:
    """Either nothing is begun on it any more, or what was begun ended with it; nobody waits for the other for ever."""
    demo_city.load()
    record = make.recorded(clock)
    first, last = record.subject, make.company(1)
    linked(first, last, clock.at)
    begun(clock.at, subject=last, record=record, what="约谈提醒")
    asked = repairing.ask(record, ground="wrong", statement="决定书已被撤销。", by=make.officer(), now=clock.at)

    def begin() -> JointMeasure:
        return begun(clock.at, subject=last, record=record)

    def lift() -> Repair:
        return repairing.settle(asked, grant=True, reason="有误。", by=make.officer(), now=clock.at)

    made, lifted = together(begin, lift)
    assert isinstance(made, JointMeasure) or made.code == "measure-record-lifted"
    # Begun in the very moment between: whoever lifts is asked to look again.
    if isinstance(lifted, TransitionNotAllowed):
        assert isinstance(made, JointMeasure)
        lift()
    assert not JointMeasure.objects.filter(record=record, ended_at__isnull=True).exists()


def test_in_force_from_the_first_day_to_the_last(city: None, clock: Moment) -> None:
    first, last = dt.date(2026, 10, 1), dt.date(2026, 12, 31)
    measure = begun(clock.at, starts_on=first, ends_on=last)
    one = dt.timedelta(days=1)
    for day, found in ((first - one, []), (first, [measure]), (last, [measure]), (last + one, [])):
        assert measures.live(make.company(), day) == found, day
        asked = gate.ask(make.company(), make.noon(day))
        assert [measure.what in words for measure, words in zip(found, asked.measures, strict=True)] == [True] * len(
            found
        )
        assert gate.Answer.from_json(asked.to_json()) == asked
    now = make.noon(dt.date(2026, 11, 2))
    measures.end(measure, reason="已纠正。", by=make.officer(), now=now)
    assert measures.live(make.company(), dt.date(2026, 11, 1)) == [measure]
    assert measures.live(make.company(), dt.date(2026, 11, 2)) == []
    assert measures.live(make.company(1), first) == []


def test_a_reward_rests_on_what_was_kept(city: None, clock: Moment) -> None:
    kept = note_kept_promise(make.company(), source="T1", basis="演示", at=clock.at)
    reward = begun(clock.at, kind="reward", what="绿色通道", record=kept)
    assert reward.record == kept
    with pytest.raises(Refused) as error:
        begun(clock.at, record=kept)
    assert error.value.code == "measure-record-unfit"


def test_the_database_keeps_it(city: None, clock: Moment) -> None:
    measure = begun(clock.at)
    for values in (
        {"ends_on": measure.starts_on - dt.timedelta(days=1)}, {"basis": ""}, {"ended_at": clock.at},
        {"end_reason": "没有时间"},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            JointMeasure.objects.filter(pk=measure.pk).update(**values)


def test_persons_are_masked_and_found_by_their_number(sign_in: SignIn, clock: Moment) -> None:
    subject = make.person()
    browser = sign_in(make.OFFICER)
    assert browser.post(NEW, form(identifier=make.PERSON)).status_code == 302
    measure = JointMeasure.objects.get(subject=subject)
    for address in (LIST, reverse("credit:measure", args=[measure.pk]), LIST + "export.csv"):
        said = body(browser.get(address)).decode() if address.endswith("csv") else text_of(browser.get(address))
        assert subject.public_name in said
        assert subject.name not in said
        assert make.PERSON not in said


def test_another_departments_measure_does_not_exist(sign_in: SignIn, clock: Moment) -> None:
    measure = begun(clock.at)
    record = make.recorded(clock)
    stranger = sign_in(make.STRANGER)
    assert measure.what not in text_of(stranger.get(LIST))
    for address in (reverse("credit:measure", args=[measure.pk]), reverse("credit:measure_end", args=[measure.pk])):
        assert stranger.get(address).status_code == 404
        assert stranger.post(address, {"reason": "越权"}).status_code in {404, 405}
    assert stranger.post(reverse("credit:measure_end", args=[measure.pk]), {"reason": "越权"}).status_code == 404
    assert stranger.get(f"{NEW}?record={record.pk}").status_code == 404
    assert stranger.get(f"{NEW}?record=x").status_code == 404
    with pytest.raises(Refused) as error:
        measures.end(measure, reason="越权", by=make.officer(make.STRANGER), now=clock.at)
    assert error.value.code == "not-your-department"
    assert sign_in("chuangkou1").get(LIST).status_code == 404
    measure.refresh_from_db()
    assert measure.ended_at is None


def test_the_list_is_searched_and_filtered(sign_in: SignIn, clock: Moment) -> None:
    measure = begun(clock.at)
    browser = sign_in(make.OFFICER)
    for query, found in (
        ("q=财政补助", 1), (f"q={measure.subject.code}", 1), ("q=nobody", 0), ("kind=penalty", 1), ("kind=reward", 0),
    ):  # fmt: skip
        assert text_of(browser.get(f"{LIST}?{query}")).count("row-title") == found, query
    clock.at = make.noon(measure.ends_on)
    assert measure.what in text_of(browser.get(LIST))
    make.after(clock, measure.ends_on)
    assert measure.what not in text_of(browser.get(LIST))
    assert "已到期" in text_of(browser.get(LIST + "?tab=ended"))
    answer = browser.post(reverse("credit:measure_end", args=[measure.pk]), {"reason": "晚了"})
    assert answer.status_code == 409


def test_the_api_begins_shows_and_ends(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    make.company()
    officer = caller(make.OFFICER)
    said = form(record_source="")
    del said["source"]
    problem(officer.post(API, said | {"identifier": "x"}, format="json"), 422, "measure-subject-unknown")
    problem(officer.post(API, said | {"kind": ""}, format="json"), 422, "measure-kind-missing")
    problem(officer.post(API, said | {"what": ""}, format="json"), 422, "measure-missing")
    problem(officer.post(API, said | {"basis": "条例"}, format="json"), 422, "measure-basis-short")
    problem(officer.post(API, said | {"starts_on": None}, format="json"), 422, "measure-start-wrong")
    last = {"starts_on": "9999-12-31", "ends_on": "9999-12-31"}
    problem(officer.post(API, said | last, format="json"), 422, "measure-start-wrong")
    problem(officer.post(API, said | {"ends_on": "2026-09-01"}, format="json"), 422, "measure-end-wrong")
    problem(officer.post(API, said | {"ends_on": "2036-09-01"}, format="json"), 422, "measure-too-long")
    problem(officer.post(API, said | {"department": 999999}, format="json"), 422, "measure-department-missing")
    made = officer.post(API, said, format="json").json()
    problem(officer.post(API, said, format="json"), 409, "measure-exists")
    assert officer.get(API).json()["results"] == [made]
    page = f"{API}{made['id']}/"
    assert officer.get(page).json() == made
    problem(officer.post(f"{page}end/", {}, format="json"), 422, "reason-missing")
    for who in (make.STRANGER, "zhujian.fuzeren", "chuangkou1"):
        problem(caller(who).get(page), 404, "not-found")
        problem(caller(who).post(f"{page}end/", {"reason": "越权"}, format="json"), 404, "not-found")
    ended = officer.post(f"{page}end/", {"reason": "已纠正。"}, format="json").json()
    assert ended["end_reason"] == "已纠正。"
    assert officer.get(API).json()["results"] == []
    assert [one["id"] for one in officer.get(f"{API}?tab=ended").json()["results"]] == [made["id"]]


def test_the_list_and_a_page_cost_the_same_however_many_there_are(
    sign_in: SignIn, clock: Moment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser, measure = sign_in(make.OFFICER), begun(clock.at)
    addresses = (LIST, reverse("credit:measure", args=[measure.pk]))
    costs = []
    for address in addresses:
        browser.get(address)
        with CaptureQueriesContext(connection) as seen:
            browser.get(address)
        costs.append(len(seen))
    for place in range(1, 6):
        begun(clock.at, subject=make.company(place))
    for address, cost in zip(addresses, costs, strict=True):
        with django_assert_num_queries(cost):
            browser.get(address)


def numbered(kind: str, source: str, now: dt.datetime, **changes: Any) -> CreditRecord:
    said = {"subject": make.company(), "basis": "行政许可法", "level": "serious", "listed": "A02", "found_at": now}
    shown = local_date(now) + dt.timedelta(days=365)
    said |= {"department": make.department(), "shown_until": shown}
    return CreditRecord.objects.create(kind=kind, source=source, **(said | changes))


@pytest.mark.parametrize(
    ("rival", "changes"),
    [
        ("broken_promise", {"repaired_at": True}), ("broken_promise", {"withdrawn_at": True}),
        ("broken_promise", {"shown_until": dt.date(2026, 9, 27)}),
        ("broken_promise", {"level": "minor", "shown_until": None}), ("praise", {"level": "", "listed": ""}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_of_one_papers_records_that_in_use_and_of_a_fitting_kind_is_meant(
    sign_in: SignIn, clock: Moment, rival: str, changes: dict[str, Any], first: bool
) -> None:
    said = {name: clock.at if value is True else value for name, value in changes.items()}
    pair = [("revoked", {}), (rival, said)]
    made = {kind: numbered(kind, "撤1号", clock.at, **more) for kind, more in (pair if first else reversed(pair))}
    answer = sign_in(make.OFFICER).post(NEW, form(source="撤1号", basis=""))
    assert answer.status_code == 302, text_of(answer)
    assert JointMeasure.objects.get().record == made["revoked"]


def test_two_records_of_one_paper_are_named_and_begun_from_their_own_page(
    sign_in: SignIn,
    caller: Caller,  # noqa: F811 - the fixture
    clock: Moment,
) -> None:
    records = [numbered(kind, "撤1号", clock.at) for kind in ("revoked", "sanction")]
    browser = sign_in(make.OFFICER)
    answer = browser.post(NEW, form(source="撤1号"))
    assert answer.status_code == 422
    assert "“许可被撤销”、“行政处罚”2 条使用中的记录" in text_of(answer)
    said = form(record_source="撤1号")
    said.pop("source")
    problem(caller(make.OFFICER).post(API, said, format="json"), 422, "measure-record-ambiguous")
    assert not JointMeasure.objects.exists()
    own = browser.get(reverse("credit:record", args=[records[0].pk]))
    assert f"{NEW}?record={records[0].pk}" in text_of(own)
    assert browser.post(f"{NEW}?record={records[0].pk}", form()).status_code == 302
    assert JointMeasure.objects.get().record == records[0]


@pytest.mark.parametrize("what", ["列入严重失信主体名单", "纳入建筑市场严重失信名单，三年"])
def test_no_measure_puts_anybody_on_the_list_of_the_seriously_dishonest(
    sign_in: SignIn, clock: Moment, what: str
) -> None:
    today = local_date(clock.at)
    said = form(identifier=make.company().code, what=what)
    said |= {"starts_on": str(today), "ends_on": str(today + dt.timedelta(days=90))}
    answer = sign_in(make.OFFICER).post(NEW, said)
    assert answer.status_code == 422
    assert "只能由名单主管部门决定" in text_of(answer)
    assert not JointMeasure.objects.exists()
    assert begun(clock.at, what="严重失信主体名单内主体不适用告知承诺").what
    assert begun(clock.at, what="对已被列入严重失信主体名单的企业限制参加政府采购").what
    assert begun(clock.at, what="对列入严重失信主体名单企业限制参加政府采购").what
