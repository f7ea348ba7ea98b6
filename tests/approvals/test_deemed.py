"""Nobody answered in five working days: the law accepts the case from the day the materials came in (art. 32)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from approvals import deeming, sweeping
from approvals.actions import accept_case, answer_correction, request_correction
from approvals.actions.intake import checklist, required_points, slot_of
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.models import Case, Document
from approvals.papers import cn_day
from approvals.tasks import deem_lapsed
from deadlines.enums import State, YearStatus
from deadlines.models import Alarm, Deadline
from deadlines.provisional import provisional_days
from deadlines.publishing import install_year
from deadlines.recompute import recompute_year
from deadlines.sweep import sweep as ring
from ledger import verify
from ledger.models import Entry
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Posting, User
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.test_races import together
from tests.approvals.window import text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]

ENERGY = "固定资产投资项目节能审查"  # by law 20 working days, promised in 5
SPOT = "公共场所卫生许可（新办，告知承诺）"
FILING = "建设项目环境影响登记表备案"
# Received on Monday 2026-09-28: 29, 30, then the holiday until the 7th, 8, 9, and Saturday the 10th, which is worked.
LAST_DAY = dt.date(2026, 10, 10)
TOO_LATE = "2026-10-11 00:01"


@pytest.fixture(autouse=True)
def _no_case_waits_for_another_test() -> None:
    cache.clear()


def again(case: Case) -> Case:
    """The case as it stands now, with everything that hangs on it."""
    clocks = ("notice_deadline", "statutory_deadline", "promised_deadline", "stage_deadline")
    return Case.objects.select_related("business_item", "review_office", *clocks).get(pk=case.pk)


def told(case: Case, kind: str) -> Counter[str]:
    """Who was told by a message of this kind, and how often; the applicant as an empty name."""
    rows = Message.objects.filter(kind=kind, reference=case.stream).values_list("to_user__username", flat=True)
    return Counter(name or "" for name in rows)


def test_five_working_days_over_national_day(city: None, clock: Moment) -> None:
    case = play.received(clock.at, play.item(ENERGY))
    clock.to("2026-10-10 23:59")
    deem_lapsed()
    assert again(case).status == CaseStatus.SUBMITTED
    now = clock.to(TOO_LATE)  # a Sunday, at night: the law does not wait for office hours
    deem_lapsed()
    case = again(case)
    assert (case.status, case.accepted_at, case.deemed_at) == (CaseStatus.IN_REVIEW, case.received_at, now)
    assert case.reviewer_id not in {None, case.intake_by_id}
    assert case.notice_deadline is not None
    assert (case.notice_deadline.state, case.notice_deadline.due_on) == (State.MISSED, LAST_DAY)
    assert case.statutory_deadline is not None
    assert case.promised_deadline is not None
    assert case.stage_deadline is not None
    # From the 28th: two days of September, 8–10, 12–16, 19–23 and 26–30 October are twenty.
    assert (case.statutory_deadline.start_on, case.statutory_deadline.due_on) == (
        dt.date(2026, 9, 28),
        dt.date(2026, 10, 30),
    )
    assert case.promised_deadline.due_on == LAST_DAY
    assert case.stage_deadline.start_on == dt.date(2026, 10, 11)  # whoever has it now is pressed from now on
    acts = list(Entry.objects.filter(stream=case.stream).order_by("seq").values_list("act", flat=True))
    assert "case.deemed_accepted" in acts
    assert "case.reviewer_drawn" in acts
    assert list(verify.faults()) == []


def test_everybody_is_told_once_and_nobody_in_the_night(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    deliver(clock.at)
    clock.to(TOO_LATE)
    deem_lapsed()
    deem_lapsed()
    assert told(case, "applicant_deemed") == {"": 1}
    heads = {person.username for person in case.department.heads(clock.at.date())}
    chasers = {person.username for person in case.division.overseers(clock.at.date())}
    assert heads
    assert chasers
    assert told(case, "case_deemed") == dict.fromkeys({case.intake_by.username} | heads | chasers, 1)
    assert deliver(clock.at).claimed == 0
    monday = dt.datetime(2026, 10, 12, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
    waiting = Message.objects.filter(reference=case.stream, state="queued")
    assert {message.not_before for message in waiting} == {monday}
    text = Message.objects.get(kind="applicant_deemed").text
    assert "依法自2026年9月28日起视为受理。法定期限已于2026年10月8日届满，本机关将尽快作出决定。" in text
    assert case.applicant_name not in "".join(Message.objects.filter(kind="case_deemed").values_list("text", flat=True))
    clock.to("2026-10-12 08:00")
    deliver(clock.at)
    assert not Message.objects.filter(reference=case.stream, state="queued").exists()


def test_the_alarms_missed_since_then_ring_once(city: None, clock: Moment) -> None:
    case = play.received(clock.at, play.item(ENERGY))
    for morning in ("2026-10-09 09:00", "2026-10-10 09:00"):
        ring(clock.to(morning))
    clock.to(TOO_LATE)
    deem_lapsed()
    ring(clock.to("2026-10-12 09:00"))
    ring(clock.to("2026-10-12 09:01"))
    promised = again(case).promised_deadline
    assert promised is not None
    rang = Alarm.objects.filter(deadline=promised).order_by("stage").values_list("stage", "spoken_by")
    assert list(rang) == [(-1, 1), (0, 1), (1, None)]
    reminders = Message.objects.filter(dedupe_key__startswith=f"alarm:{promised.pk}:")
    reviewer = again(case).reviewer
    assert Counter(message.to_user for message in reminders)[reviewer] == 1
    assert all("已超期1个工作日（应于10月10日前）" in message.text for message in reminders)


def test_the_paper_says_that_the_law_accepted(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    clock.to(TOO_LATE)
    deem_lapsed()
    paper = Document.objects.get(case=case, kind="acceptance")
    assert paper.issued_by is None
    page = text_of(sign_in("chuangkou1").get(f"/papers/{paper.pk}/"))
    assert "收到材料后未在五个工作日内告知是否需要补正，依法自收到申请材料之日（2026年9月28日）起即为受理" in page
    assert "材料齐全、符合法定形式" not in page


def test_a_day_that_is_past_already_is_never_promised(clock: Moment, sign_in: SignIn) -> None:
    """Five promised days from the receipt on 28 September are over on 10 October, as the days for the answer are."""
    case = play.received(clock.at, play.item(ENERGY))
    clock.to("2026-10-12 09:05")
    deem_lapsed()
    case = again(case)
    assert case.promised_deadline is not None
    assert case.statutory_deadline is not None
    promised, lawful = cn_day(case.promised_deadline.due_on), cn_day(case.statutory_deadline.due_on)
    assert case.promised_deadline.due_on < clock.at.date() <= case.statutory_deadline.due_on
    paper = text_of(sign_in("chuangkou1").get(f"/papers/{Document.objects.get(case=case, kind='acceptance').pk}/"))
    sms = Message.objects.get(kind="applicant_deemed", reference=case.stream).text
    for told_text in (paper, sms):
        assert f"承诺期限已于{promised}届满，本机关最迟于法定期限{lawful}前作出决定" in told_text
        assert f"{promised}前作出决定" not in told_text
    progress = Client().post("/progress/", {"number": case.number, "code": case.query_code}, follow=True)
    assert "这件申请已超过告知您的期限" in progress.content.decode()


def test_the_window_sees_it_at_once_and_has_nothing_to_answer(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    clock.to(TOO_LATE)
    deem_lapsed()
    browser = sign_in("chuangkou1")
    page = text_of(browser.get(f"/window/cases/{case.number}/"))
    assert "依法视为受理" in page
    assert "应于2026年10月10日（周六）前答复而没有答复" in page
    assert "逾期未告知，依法视为受理" in page  # on the timeline
    for verb in ("一次性补正", "不予受理"):
        assert f">{verb}" not in page
    for act in ("correct", "refuse"):
        url = f"/window/cases/{case.number}/{act}/"
        assert browser.post(url, answers(case)[act]).status_code == 409, act
    assert case.number in {row["case"].number for row in browser.get("/window/?state=review").context["rows"]}


# --- after the lapse, before the sweep


def answers(case: Case) -> dict[str, dict[str, object]]:
    """What the clerk's forms of correction and refusal send."""
    choice = case.business_item.published_grounds()[0]
    return {
        "correct": {"keys": [f"{choice.kind}:{choice.id}"]},
        "refuse": {"ground": "not_our_duty", "reason": "属省级职权。"},
    }


@pytest.mark.parametrize("act", ["correct", "refuse"])
def test_a_clerk_who_is_too_late_cannot_correct_or_refuse(clock: Moment, sign_in: SignIn, act: str) -> None:
    case = play.received(clock.at)
    clock.to("2026-10-12 09:00")
    response = sign_in("chuangkou1").post(f"/window/cases/{case.number}/{act}/", answers(case)[act])
    assert response.status_code == 409
    assert "依法自收到之日起即为受理" in text_of(response)
    assert again(case).status == CaseStatus.SUBMITTED
    deem_lapsed()
    assert again(case).is_deemed


def test_a_clerk_who_accepts_too_late_records_what_the_law_did(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    clock.to("2026-10-12 09:00")
    response = sign_in("chuangkou1").post(f"/window/cases/{case.number}/", {"act": "accept"}, follow=True)
    assert "依法自收到材料之日起视为受理" in text_of(response)
    found = again(case)
    assert (found.is_deemed, found.accepted_at) == (True, case.received_at)
    assert found.statutory_deadline is not None
    assert found.statutory_deadline.start_on == dt.date(2026, 9, 28)
    deem_lapsed()
    assert told(case, "applicant_deemed") == {"": 1}
    assert Document.objects.filter(case=case, kind="acceptance").count() == 1


# --- what counts from when, and what does not count


def test_after_an_answered_correction_the_days_count_from_the_answer(city: None, clock: Moment) -> None:
    clock.to("2026-09-21 10:00")
    clerk = play.person("chuangkou1")
    case = play.received(clock.at, play.item(ENERGY), complete=False)
    request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.to("2026-09-22 10:00"))
    deeming_before = clock.to("2026-09-28 15:00")
    assert deeming.sweep(deeming_before).done == 0  # it waits for the applicant
    slots = [slot_of(line) for line in checklist(case.business_item, case.way)]
    answer_correction(case, provided=dict.fromkeys(slots, "provided"), by=clerk, now=clock.at)
    clock.to("2026-10-10 18:00")
    deem_lapsed()
    assert not again(case).is_deemed
    clock.to(TOO_LATE)
    deem_lapsed()
    found = again(case)
    assert found.accepted_at == deeming_before
    assert found.statutory_deadline is not None
    assert found.statutory_deadline.start_on == dt.date(2026, 9, 28)


def test_a_filing_is_never_deemed_accepted(city: None, clock: Moment) -> None:
    case = play.received(clock.at, play.item(FILING))
    clock.to("2026-12-01 10:00")
    assert deeming.sweep(clock.at) == sweeping.Report()
    assert again(case).status == CaseStatus.SUBMITTED


def test_an_unpublished_year_decides_nothing(city: None, clock: Moment) -> None:
    clock.to("2026-12-29 10:00")
    case = play.received(clock.at)
    notice = again(case).notice_deadline
    assert notice is not None
    assert notice.provisional
    clock.to("2027-02-01 10:00")
    assert deeming.sweep(clock.at) == sweeping.Report()
    assert again(case).status == CaseStatus.SUBMITTED
    # Published after all, the year says when the last day was.
    install_year(2027, provisional_days(2027), status=YearStatus.OFFICIAL, source="国办发明电〔2026〕9号", at=clock.at)
    list(recompute_year(2027, at=clock.at))
    assert deeming.sweep(clock.at).done == 1
    assert again(case).accepted_at == case.received_at


def test_an_on_the_spot_item_goes_to_a_decider_on_duty(city: None, clock: Moment) -> None:
    case = play.received(clock.at, play.item(SPOT))
    clock.to(TOO_LATE)
    deem_lapsed()
    found = again(case)
    assert found.status == CaseStatus.IN_REVIEW
    assert found.reviewer is None
    assert found.decider is not None
    assert found.promised_deadline is not None
    assert found.promised_deadline.due_on == dt.date(2026, 9, 28)
    assert found.stage_deadline is not None
    assert not found.stage_deadline.is_open  # decided in one sitting


def test_with_nobody_to_draw_it_stays_and_the_overseers_give_it_a_reviewer(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    reviewers = Posting.objects.filter(role="reviewer", office=case.review_office)
    reviewers.update(ends_on="2026-10-01")
    clock.to(TOO_LATE)
    deem_lapsed()
    found = again(case)
    assert (found.status, found.reviewer, found.is_deemed) == (CaseStatus.DEEMED_ACCEPTED, None, True)
    assert found.statutory_deadline is not None  # its clocks run all the same
    texts = Message.objects.filter(kind="case_deemed").values_list("text", flat=True)
    assert all("尚无审查人员，请改派" in text for text in texts)
    deem_lapsed()
    assert told(case, "applicant_deemed") == {"": 1}
    clock.to("2026-10-12 09:30")
    overseer = sign_in("duban1")
    assert case.number in text_of(overseer.get("/oversight/deemed/?tab=nobody"))
    assert "已依法视为受理，还没有审查人员" in text_of(sign_in("chuangkou1").get(f"/window/cases/{case.number}/"))
    reviewers.update(ends_on=None)
    due = found.statutory_deadline.due_on
    response = overseer.post(f"/oversight/cases/{case.number}/hand-over/", {"reason": "新到岗审查人员"}, follow=True)
    assert response.status_code == 200
    found = again(case)
    assert found.status == CaseStatus.IN_REVIEW
    assert found.reviewer is not None
    assert found.statutory_deadline is not None
    assert found.statutory_deadline.due_on == due
    assert not overseer.get("/oversight/deemed/?tab=nobody").context["rows"]


# --- the sweep


def test_a_bad_case_is_reported_waits_and_stops_nobody(
    city: None, clock: Moment, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = play.received(clock.at), play.received(clock.at)
    with connection.cursor() as cursor:  # a phone that none of the keys opens
        cursor.execute("UPDATE approvals_case SET contact_phone = '13812341234' WHERE id = %s", [bad.pk])
    clock.to(TOO_LATE)
    report = deeming.sweep(clock.at, batch=1)
    assert (report.done, [failure.case_id for failure in report.failed]) == (1, [bad.pk])
    assert again(good).is_deemed
    assert Case.objects.filter(pk=bad.pk, status=CaseStatus.SUBMITTED).exists()
    assert report.failed[0].error.startswith("InvalidToken @ ")
    assert "InvalidToken" in caplog.text
    assert "13812341234" not in caplog.text
    caplog.clear()
    # A minute later it is not tried again; where the cache was lost, once more.
    report = deeming.sweep(clock.to("2026-10-11 00:02"))
    assert (report.done, report.waiting, report.failed) == (0, 1, [])
    assert not caplog.records
    cache.clear()
    assert len(deeming.sweep(clock.at).failed) == 1


def test_a_bad_case_waits_longer_each_time_and_at_most_a_day(city: None) -> None:
    waits = [sweeping.Backoff(deeming.NAME, 1).failed() for _ in range(9)]
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    assert sweeping.Backoff(deeming.NAME, 1).is_waiting()
    assert not sweeping.Backoff(deeming.NAME, 2).is_waiting()


def test_a_sweep_goes_through_all_its_pages(city: None, clock: Moment) -> None:
    cases = [play.received(clock.at) for _ in range(5)]
    assert deeming.sweep(clock.to(TOO_LATE), batch=2).done == 5
    assert all(again(case).is_deemed for case in cases)
    assert not Deadline.objects.overdue(clock.at.date()).filter(kind="correction_notice").exists()


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def test_two_sweeps_at_once_deem_once(town: None, clock: Moment) -> None:
    cases = [play.received(clock.at) for _ in range(3)]
    now = clock.to(TOO_LATE)
    reports = together(lambda: deeming.sweep(now), lambda: deeming.sweep(now))
    assert sum(report.done for report in reports) == 3
    assert not any(report.failed for report in reports)
    for case in cases:
        assert Document.objects.filter(case=case, kind="acceptance").count() == 1
        assert Entry.objects.filter(stream=case.stream, act="case.deemed_accepted").count() == 1
        assert told(case, "applicant_deemed") == {"": 1}
    assert list(verify.faults()) == []


def test_a_sweep_and_a_clerk_at_once(town: None, clock: Moment) -> None:
    case = play.received(clock.at)
    now = clock.to("2026-10-12 09:00")
    clerk: User = play.person("chuangkou1")
    results = together(lambda: deeming.sweep(now), lambda: accept_case(case, by=clerk, now=now))
    report = next(result for result in results if isinstance(result, sweeping.Report))
    accepted = [result for result in results if isinstance(result, Case)]
    refused = [result for result in results if isinstance(result, Refused)]
    assert not report.failed
    assert report.done + len(accepted) == 1
    assert all(refusal.conflict for refusal in refused)
    assert again(case).is_deemed
    assert Document.objects.filter(case=case, kind="acceptance").count() == 1
    assert told(case, "applicant_deemed") == {"": 1}
