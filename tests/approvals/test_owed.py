"""材料延期: papers first, then the licence; the day passes, and a person decides (L8a–c).

Days are counted by hand from the notice for 2026: off on 1–7 October, worked on Saturday 10 October.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import owed as debts
from approvals import tasks
from approvals.actions import complete_case, decide
from approvals.actions.owing import hand_in, outstanding, settle_promise_lapse
from approvals.enums import CaseAct, CaseStatus, Door, MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, Document, Ending, Licence, PromiseLapse
from credit.models import CreditFact
from deadlines.enums import State
from deadlines.sweep import sweep
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from oversight.demo.weighing import advise
from supervision.models import SupervisionTask
from tests.approvals import play, window
from tests.approvals.debts import decider, deferring, fresh, owed_ticks, provided, review, ticks, waiting
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
UNTIL = dt.date(2026, 10, 9)  # a Friday, the second working day after the holidays
LIST = "/office/owed/"


def desk(case: Case) -> str:
    return reverse("window:owed", args=[case.number])


def page(case: Case) -> str:
    return reverse("office:owed_case", args=[case.number])


def text(response: Any) -> str:
    return str(response.content.decode())


def acts(case: Case) -> list[str]:
    return list(Entry.objects.filter(stream=case.stream).order_by("seq").values_list("act", flat=True))


def messages(case: Case, kind: str) -> list[str]:
    rows = Message.objects.filter(reference=case.stream, kind=kind).order_by("pk")
    return list(rows.values_list("text", flat=True))


# --- in time


def test_the_licence_comes_with_the_last_material(clock: Moment, sign_in: SignIn) -> None:
    case = waiting(clock.at, UNTIL)
    owed = outstanding(case)
    assert case.status == CaseStatus.APPROVED
    assert {line.state for line in owed} == {MaterialState.DEFERRED}
    browser = sign_in("chuangkou1")
    assert desk(case) in text(browser.get(reverse("window:case", args=[case.number])))
    clock.to("2026-10-08 16:00")
    for line in owed[:-1]:
        assert browser.post(desk(case), ticks([line])).status_code == 302
        assert fresh(case).status == CaseStatus.APPROVED
    answer = browser.post(desk(case), ticks(owed[-1:]), follow=True)
    assert "证件当即颁发" in text(answer)
    done = fresh(case)
    assert (done.status, done.completed_at) == (CaseStatus.COMPLETED, clock.at)
    assert done.promise_deadline is not None
    assert done.promise_deadline.state == State.MET
    licence = Licence.objects.get(case=case)
    assert (licence.issued_at, licence.issued_by) == (clock.at, done.decider)
    assert SupervisionTask.objects.filter(case=case).count() == done.business_item.linkages.filter(active=True).count()
    assert {line.owed_as for line in done.materials.filter(owed_as__gt="")} == {MaterialState.DEFERRED}
    assert CaseAct.DEFERRED_IN in acts(case)
    assert not PromiseLapse.objects.filter(case=case).exists()
    assert list(verify.faults()) == []


def test_the_applicant_at_the_own_door_brings_the_licence_too(city: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    done = hand_in(case, provided=provided(case), by=None, door=Door.PUBLIC, now=clock.at)
    assert done.status == CaseStatus.COMPLETED
    assert Licence.objects.get(case=case).issued_by == done.decider
    entry = Entry.objects.get(stream=case.stream, act=CaseAct.DEFERRED_IN)
    assert entry.actor_id is None
    assert entry.data["door"] == "public"


def test_a_file_is_as_good_as_a_tick(clock: Moment, sign_in: SignIn, settings: Any, tmp_path: Any) -> None:
    settings.UPLOAD_ROOT = tmp_path
    case = waiting(clock.at, UNTIL)
    owed = outstanding(case)
    browser = sign_in("chuangkou1")
    wrong = {f"file-{line.material_id}": window.file(window.EXE, "证明.pdf") for line in owed}
    answer = browser.post(desk(case), wrong)
    assert answer.status_code == 422
    assert "内容不是 PDF" in text(answer)
    assert fresh(case).status == CaseStatus.APPROVED
    files = {f"file-{line.material_id}": window.file(window.PDF, "证明.pdf") for line in owed}
    assert browser.post(desk(case), files).status_code == 302
    assert fresh(case).status == CaseStatus.COMPLETED
    assert all(line.uploads.count() == 1 for line in case.materials.filter(owed_as=MaterialState.DEFERRED))


def test_nothing_handed_in_changes_nothing(clock: Moment, sign_in: SignIn) -> None:
    case = waiting(clock.at, UNTIL)
    answer = sign_in("chuangkou1").post(desk(case), {})
    assert answer.status_code == 422
    assert "请勾选已交来的材料" in text(answer)
    assert fresh(case).status == CaseStatus.APPROVED


def test_the_licence_is_not_made_while_materials_are_owed(clock: Moment, sign_in: SignIn) -> None:
    case = waiting(clock.at, UNTIL)
    assert case.reviewer is not None
    browser = sign_in(case.reviewer.username)
    assert "等待申请人补交" in text(browser.get("/office/?tab=issue"))
    answer = browser.post(reverse("office:complete", args=[case.number]))
    assert answer.status_code == 409
    assert "没有补齐" in text(answer)
    with pytest.raises(Refused, match="补齐") as refused:
        complete_case(case, by=case.reviewer, now=clock.at)
    assert refused.value.code == "deferred-owed"
    assert not Licence.objects.filter(case=case).exists()


def test_materials_in_before_the_decision_leave_nothing_to_wait_for(clock: Moment, sign_in: SignIn) -> None:
    case = deferring(clock.at, UNTIL)
    assert sign_in("chuangkou1").post(desk(case), owed_ticks(case)).status_code == 302
    assert fresh(case).status == CaseStatus.IN_REVIEW
    case = review(fresh(case), clock.at)
    assert case.reviewer is not None
    assert complete_case(case, by=case.reviewer, now=clock.at).status == CaseStatus.COMPLETED


def test_a_rejection_ends_the_promised_clock(city: None, clock: Moment) -> None:
    case = deferring(clock.at, UNTIL)
    assert case.reviewer is not None
    grounds = case.business_item.published_grounds()
    keys = [f"{grounds[0].kind}:{grounds[0].id}"]
    advise(case, clock.at, approve=False, keys=keys)
    decide(case, approve=False, by=decider(case), keys=keys, now=clock.at)
    promise = fresh(case).promise_deadline
    assert promise is not None
    assert promise.state == State.CANCELLED


# --- the exact moment


def test_the_last_second_of_the_day_is_in_time(clock: Moment, sign_in: SignIn) -> None:
    case = waiting(clock.at, UNTIL)
    browser = sign_in("chuangkou1")
    clock.to("2026-10-09 23:59:59")
    assert browser.post(desk(case), owed_ticks(case)).status_code == 302
    assert fresh(case).status == CaseStatus.COMPLETED
    clock.to("2026-10-10 00:00:01")
    assert [report.done for report in debts.sweep(clock.at)] == [0, 0]
    assert not PromiseLapse.objects.exists()


@pytest.mark.parametrize("swept", [True, False], ids=["after the sweep", "before the sweep"])
def test_the_first_second_after_it_waits_for_a_person(clock: Moment, sign_in: SignIn, swept: bool) -> None:
    case = waiting(clock.at, UNTIL)
    browser = sign_in("chuangkou1")
    clock.to("2026-10-10 00:00:01")
    if swept:
        debts.sweep(clock.at)
    answer = browser.post(desk(case), owed_ticks(case), follow=True)
    assert "等决定人员决定后再发证" in text(answer)
    assert fresh(case).status == CaseStatus.APPROVED
    assert not outstanding(case)
    debts.sweep(clock.at)
    lapse = PromiseLapse.objects.get(case=case)
    assert (lapse.due_on, lapse.cancel) == (UNTIL, None)
    promise = fresh(case).promise_deadline
    assert promise is not None
    assert promise.state == State.MISSED
    with pytest.raises(Refused) as refused:
        complete_case(case, by=decider(case), now=clock.at)
    assert refused.value.code == "promise-lapse-open"
    boss = sign_in(decider(case).username)
    assert case.number in text(boss.get(LIST))
    said = {"act": "promise", "verdict": "keep", "reason": "材料已齐，仅晚一天。", "until": ""}
    assert boss.post(page(case), said).status_code == 302
    assert fresh(case).status == CaseStatus.COMPLETED
    assert Licence.objects.filter(case=case).count() == 1


# --- the day passed


@pytest.fixture
def overdue(city: None, clock: Moment) -> Case:
    """Approved, nothing in, the day over and noted."""
    case = waiting(clock.at, UNTIL)
    clock.to("2026-10-10 10:00")
    tasks.find_overdue_owed()
    return case


def test_the_machine_only_notes_it(overdue: Case, clock: Moment) -> None:
    assert fresh(overdue).status == CaseStatus.APPROVED
    assert acts(overdue).count(CaseAct.PROMISE_LAPSED) == 1
    tasks.find_overdue_owed()
    tasks.find_overdue_owed()
    assert PromiseLapse.objects.count() == 1
    assert acts(overdue).count(CaseAct.PROMISE_LAPSED) == 1


def test_a_day_of_an_unpublished_year_decides_nothing(city: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    promise = fresh(case).promise_deadline
    assert promise is not None
    type(promise).objects.filter(pk=promise.pk).update(provisional=True)
    clock.to("2026-10-12 10:00")
    debts.sweep(clock.at)
    assert not PromiseLapse.objects.exists()


def test_a_decider_cancels_the_handling(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    boss = sign_in(decider(overdue).username)
    shown = boss.get(page(overdue))
    assert overdue.applicant_name in text(shown)
    assert overdue.reviewer is not None
    assert overdue.reviewer.full_name not in text(shown)
    said = {"act": "promise", "verdict": "cancel", "reason": "多次提醒仍未补交。", "until": ""}
    assert boss.post(page(overdue), said).status_code == 302
    done = fresh(overdue)
    assert done.status == CaseStatus.CANCELLED
    ending = Ending.objects.get(case=overdue)
    assert (ending.kind, ending.reason) == ("cancelled", "多次提醒仍未补交。")
    paper = Document.objects.get(case=overdue, kind="cancellation")
    body = str(paper.content)
    assert all(line.name in body for line in outstanding(overdue))
    assert "多次提醒仍未补交" in body
    for kept in (done.promise_deadline, done.issue_deadline):
        assert kept is not None
        assert kept.state == State.CANCELLED
    assert len(messages(overdue, "applicant_cancelled")) == 1
    assert not Licence.objects.filter(case=overdue).exists()
    assert not SupervisionTask.objects.filter(case=overdue).exists()
    entry = Entry.objects.get(stream=overdue.stream, act=CaseAct.PROMISE_OVERDUE_SETTLED)
    assert entry.data["cancel"] is True
    # The breach is final with the decision: it waits for the credit side of the department that decided (L8c).
    fact = CreditFact.objects.get()
    assert (fact.kind, fact.source, fact.subject) == ("late_material", paper.number, overdue.applicant)
    assert (fact.department, fact.phone) == (overdue.review_office.department, overdue.contact_phone)
    assert boss.post(page(overdue), said).status_code == 409
    browser = sign_in("chuangkou1")
    assert browser.post(desk(overdue), owed_ticks(overdue)).status_code == 409
    assert "撤销办理" in text(boss.get(f"{LIST}?tab=settled"))


def test_a_decider_gives_another_day(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    boss = sign_in(decider(overdue).username)
    said = {"act": "promise", "verdict": "keep", "reason": "台风停工。", "until": "2026-10-16"}
    assert boss.post(page(overdue), said).status_code == 302
    case = fresh(overdue)
    assert case.promise_deadline is not None
    assert (case.promise_deadline.due_on, case.promise_deadline.state) == (dt.date(2026, 10, 16), State.RUNNING)
    [told] = messages(overdue, "applicant_promise_kept")
    assert "10月16日" in told
    clock.to("2026-10-16 17:00")
    done = hand_in(case, provided=provided(case), by=None, door=Door.PUBLIC, now=clock.at)
    assert done.status == CaseStatus.COMPLETED


def test_the_other_day_may_pass_too(overdue: Case, clock: Moment) -> None:
    boss = decider(overdue)
    day = dt.date(2026, 10, 16)
    settle_promise_lapse(overdue, cancel=False, reason="再等一周。", until=day, by=boss, now=clock.at)
    clock.to("2026-10-17 10:00")
    tasks.find_overdue_owed()
    assert list(PromiseLapse.objects.order_by("pk").values_list("due_on", "cancel")) == [(UNTIL, False), (day, None)]
    settle_promise_lapse(overdue, cancel=True, reason="仍未补交。", by=boss, now=clock.at)
    assert fresh(overdue).status == CaseStatus.CANCELLED


def test_kept_without_a_day_it_waits_on_and_may_be_taken_up_again(
    overdue: Case, clock: Moment, sign_in: SignIn
) -> None:
    boss = sign_in(decider(overdue).username)
    said = {"act": "promise", "verdict": "keep", "reason": "等主管部门答复。", "until": ""}
    assert boss.post(page(overdue), said).status_code == 302
    assert fresh(overdue).status == CaseStatus.APPROVED
    tasks.find_overdue_owed()
    assert PromiseLapse.objects.filter(cancel=None).count() == 0
    boss.get(LIST)  # reads what was said
    assert overdue.number not in text(boss.get(LIST))
    assert overdue.number in text(boss.get(f"{LIST}?tab=waiting"))
    assert boss.post(page(overdue), said | {"verdict": "cancel", "reason": "不再等待。"}).status_code == 302
    assert fresh(overdue).status == CaseStatus.CANCELLED


def test_kept_without_a_day_the_last_material_brings_the_licence(overdue: Case, clock: Moment) -> None:
    settle_promise_lapse(overdue, cancel=False, reason="继续等待。", by=decider(overdue), now=clock.at)
    clock.to("2026-10-12 10:00")
    done = hand_in(overdue, provided=provided(overdue), by=None, door=Door.PUBLIC, now=clock.at)
    assert done.status == CaseStatus.COMPLETED


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"reason": ""}, "reason", "请写明理由"),
        ({"until": "2026-10-10"}, "until", "须在今天之后"),
        ({"until": "2027-10-10"}, "until", "依法颁发证件的最后一天"),
        ({"until": "next week"}, "until", "请按 2026-10-20 的样子"),
        ({"verdict": "cancel", "until": "2026-10-16"}, "until", "不填新的补交期限"),
        ({"verdict": "maybe"}, "verdict", ""),
    ],
)
def test_wrong_words_come_back_beside_the_field(
    overdue: Case, sign_in: SignIn, changes: dict[str, str], field: str, sentence: str
) -> None:
    boss = sign_in(decider(overdue).username)
    said = {"act": "promise", "verdict": "keep", "reason": "理由不丢", "until": ""} | changes
    answer = boss.post(page(overdue), said)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert sentence in text(answer)
    assert said["reason"] in text(answer)
    assert fresh(overdue).status == CaseStatus.APPROVED


def test_who_took_it_in_or_decides_elsewhere_settles_nothing(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    said = {"act": "promise", "verdict": "cancel", "reason": "不行。", "until": ""}
    assert overdue.reviewer is not None
    assert sign_in("chuangkou1").post(page(overdue), said).status_code == 404
    elsewhere = Posting.objects.filter(role="decider").exclude(office=overdue.review_office)[0].user
    assert sign_in(elsewhere.username).get(page(overdue)).status_code == 404
    with pytest.raises(Refused) as refused:
        settle_promise_lapse(overdue, cancel=True, reason="不行。", by=elsewhere, now=clock.at)
    assert refused.value.code == "not-decider"
    clerk = overdue.intake_by
    Posting.objects.create(
        user=clerk, role="decider", office=overdue.review_office, department=overdue.department,
        starts_on=dt.date(2026, 1, 1),
    )  # fmt: skip
    with pytest.raises(Refused) as refused:
        settle_promise_lapse(overdue, cancel=True, reason="不行。", by=clerk, now=clock.at)
    assert refused.value.code == "same-person"
    assert sign_in(clerk.username).post(page(overdue), said).status_code == 409
    assert fresh(overdue).status == CaseStatus.APPROVED


def test_two_open_tasks_about_one_case_are_refused_by_the_database(overdue: Case, clock: Moment) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PromiseLapse.objects.create(case=overdue, due_on=UNTIL, found_at=clock.at)


# --- who hears of it, and when (L8b)


def rung(clock: Moment, *moments: str) -> None:
    for moment in moments:
        sweep(clock.to(moment))


def test_the_reminder_comes_on_the_working_day_before_and_on_the_day(city: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    rung(clock, "2026-09-30 09:00", "2026-10-02 10:00")
    assert messages(case, "applicant_owed") == []
    rung(clock, "2026-10-08 09:00")
    [told] = messages(case, "applicant_owed")
    assert "请最迟2026年10月9日（周五，含当日）补交" in told
    assert all(line.name[:10] in told for line in outstanding(case)[:1])
    assert "补齐即颁发证件" in told
    rung(clock, "2026-10-09 09:00")
    assert len(messages(case, "applicant_owed")) == 2
    assert messages(case, "case_owed_late") == []


def test_a_day_within_the_holidays_is_announced_on_the_last_working_day_before(city: None, clock: Moment) -> None:
    case = waiting(clock.at, dt.date(2026, 10, 4))
    rung(clock, "2026-09-29 09:00")
    assert messages(case, "applicant_owed") == []
    rung(clock, "2026-09-30 09:00")
    [told] = messages(case, "applicant_owed")
    assert "请最迟2026年10月4日（周日，含当日）补交" in told
    row = Message.objects.get(kind="applicant_owed")
    assert row.phone == case.contact_phone
    assert row.not_before == clock.at
    rung(clock, "2026-10-01 09:00", "2026-10-04 09:00", "2026-10-07 12:00")
    assert len(messages(case, "applicant_owed")) == 1


def test_a_reminder_of_a_late_sweep_keeps_the_quiet_hours(city: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    rung(clock, "2026-10-08 08:59", "2026-10-08 18:00", "2026-10-08 23:00")
    assert messages(case, "applicant_owed") == []


def test_after_the_day_people_are_pressed_step_by_step(city: None, clock: Moment) -> None:
    case = waiting(clock.at, UNTIL)
    rung(clock, "2026-10-08 09:00", "2026-10-09 09:00", "2026-10-10 09:00")
    first = Message.objects.filter(reference=case.stream, kind="case_owed_late")
    deciders = set(Posting.objects.filter(role="decider", office=case.review_office).values_list("user", flat=True))
    heads = set(
        Posting.objects.filter(role="department_head", department=case.department).values_list("user", flat=True)
    )
    assert set(first.values_list("to_user", flat=True)) == deciders | heads
    assert len(messages(case, "applicant_owed")) == 3
    rung(clock, "2026-10-12 09:00")
    chasers = set(
        Posting.objects.filter(role="overseer", department__division=case.division).values_list("user", flat=True)
    )
    assert chasers
    second = set(first.values_list("to_user", flat=True))
    assert second == deciders | heads | chasers
    assert len(messages(case, "applicant_owed")) == 3
    told = messages(case, "case_owed_late")[0]
    assert case.applicant_name not in told


def test_a_case_that_is_not_decided_presses_only_its_applicant(city: None, clock: Moment) -> None:
    case = deferring(clock.at, UNTIL)
    rung(clock, "2026-10-12 09:00")
    assert len(messages(case, "applicant_owed")) == 1
    assert messages(case, "case_owed_late") == []
    assert [report.done for report in debts.sweep(clock.at)] == [0, 0]
    review(fresh(case), clock.at)
    assert [report.done for report in debts.sweep(clock.at)] == [1, 0]


def test_the_alarms_cost_the_same_for_one_and_for_many(city: None, clock: Moment) -> None:
    def cost(moment: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            sweep(clock.to(moment))
        return len(seen)

    waiting(clock.at, UNTIL)
    one = cost("2026-10-08 09:00")
    clock.to("2026-09-28 10:00")
    for _ in range(3):
        waiting(clock.at, dt.date(2026, 10, 13))
    assert cost("2026-10-12 09:00") >= 1
    assert one <= 40


# --- the lists and the clocks


def test_the_list_finds_filters_and_exports(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    boss = sign_in(decider(overdue).username)
    assert overdue.number in text(boss.get(LIST))
    for asked in (overdue.number, overdue.applicant_name[:6], overdue.business_item.name[:4]):
        assert overdue.number in text(boss.get(LIST, {"q": asked}))
    assert "没有符合条件的办件" in text(boss.get(LIST, {"q": "没有这一家"}))
    assert "没有符合条件的办件" in text(boss.get(LIST, {"kind": "later"}))
    assert overdue.number in text(boss.get(LIST, {"kind": "deferred"}))
    sheet = window.body(boss.get(f"{LIST}export.csv")).decode()
    assert overdue.number in sheet
    assert sign_in("chuangkou1").get(LIST).status_code == 404
    elsewhere = Posting.objects.filter(role="decider").exclude(office=overdue.review_office)[0].user
    assert overdue.number not in text(sign_in(elsewhere.username).get(LIST))


def test_the_list_costs_the_same_for_one_and_for_many(city: None, clock: Moment, sign_in: SignIn) -> None:
    def cost(browser: Client) -> int:
        browser.get(LIST)  # writes the session
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(LIST).status_code == 200
        return len(seen)

    first = waiting(clock.at, UNTIL)
    for _ in range(3):
        waiting(clock.at, UNTIL)
    clock.to("2026-10-10 10:00")
    boss = sign_in(decider(first).username)
    many_found = len(debts.sweep(clock.at))
    assert many_found == 2
    many = cost(boss)
    PromiseLapse.objects.exclude(case=first).delete()
    assert cost(boss) == many


def test_the_clock_opens_for_window_and_decider(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    promise = fresh(overdue).promise_deadline
    assert promise is not None
    url = reverse("clock", args=[promise.pk])
    for person in ("chuangkou1", decider(overdue).username):
        answer = sign_in(person).get(url)
        assert answer.status_code == 200
        assert "承诺履行期限" in text(answer)
    assert sign_in("donghai.duban1").get(url).status_code == 404


def test_the_windows_desk_has_a_place_for_it(clock: Moment, sign_in: SignIn) -> None:
    case = waiting(clock.at, UNTIL)
    other = play.received(clock.at)
    browser = sign_in("chuangkou1")
    shown = text(browser.get("/window/?state=owed"))
    assert "待补交" in shown
    assert case.number in shown
    assert other.number not in shown


def test_the_personal_board_leads_to_the_decision(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    boss = sign_in(decider(overdue).username)
    assert page(overdue) in text(boss.get("/alarms/"))
