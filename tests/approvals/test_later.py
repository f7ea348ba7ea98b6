"""容缺: the licence first, secondary materials by a written day after it (O3.1.3a).

Days are counted by hand from the notice for 2026: off on 1–7 October, worked on Saturday 10 October.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import owed as debts
from approvals.actions import accept_case, complete_case
from approvals.actions.intake import slot_of
from approvals.actions.owing import allow_later, extend_later, hand_in, later_lines, outstanding, settle_later
from approvals.enums import CaseAct, CaseStatus, Door, MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, Document, LaterSubmission, Licence
from catalogue.models import BusinessItem, Material
from credit.models import CreditFact, CreditRecord
from deadlines.enums import State
from deadlines.sweep import sweep
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from tests.approvals import play
from tests.approvals.debts import (
    CONSEQUENCE,
    agreed,
    decider,
    fresh,
    licensed,
    owed_ticks,
    provided,
    received_without,
    review,
)
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
UNTIL = dt.date(2026, 11, 6)  # a Friday
LIST = "/office/owed/"


def text(response: Any) -> str:
    return str(response.content.decode())


def desk(case: Case, act: str = "later") -> str:
    return reverse(f"window:{act}", args=[case.number])


def page(case: Case) -> str:
    return reverse("office:owed_case", args=[case.number])


def messages(case: Case, kind: str) -> list[str]:
    rows = Message.objects.filter(reference=case.stream, kind=kind).order_by("pk")
    return list(rows.values_list("text", flat=True))


def form(case: Case, **changes: Any) -> dict[str, Any]:
    said = {"slots": [slot_of(line) for line in later_lines(case)], "until": UNTIL.isoformat(), "signer": "张三"}
    return said | changes


def later_of(case: Case) -> LaterSubmission:
    return LaterSubmission.objects.select_related("deadline").get(case=case)


# --- agreed before the acceptance


def test_the_window_agrees_on_paper(clock: Moment, sign_in: SignIn) -> None:
    case = received_without(clock.at)
    browser = sign_in("chuangkou1")
    assert "容缺办理" in text(browser.get(reverse("window:case", args=[case.number])))
    shown = text(browser.get(desk(case)))
    assert CONSEQUENCE in shown
    assert browser.post(desk(case), form(case)).status_code == 302
    [line] = outstanding(case)
    assert line.state == MaterialState.LATER
    paper = str(Document.objects.get(case=case, kind="later").content)
    assert all(word in paper for word in (line.name, "2026年11月6日", CONSEQUENCE, "张三"))
    later = later_of(case)
    assert (later.until, later.signer, later.deadline) == (UNTIL, "张三", None)
    assert later.consequence == case.business_item.later_consequence.removesuffix("（演示口径，待核实）")
    assert "待核实" not in paper
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.LATER_ALLOWED).count() == 1
    assert accept_case(case, by=play.person("chuangkou1"), now=clock.at).status == CaseStatus.IN_REVIEW
    assert browser.post(desk(case), form(case)).status_code in {409, 422}
    assert LaterSubmission.objects.filter(case=case).count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"slots": []}, "slots", "请勾选要容缺的材料"),
        ({"slots": ["1"]}, "slots", "只能勾选可以容缺的材料"),
        ({"until": ""}, "until", "请选择日期"),
        ({"until": "2026-09-28"}, "until", "补交日须写明"),
        ({"until": "2027-09-28"}, "until", "补交日须写明"),
        ({"signer": ""}, "signer", "请填写签署人姓名"),
    ],
)
def test_wrong_words_come_back_beside_the_field(
    clock: Moment, sign_in: SignIn, changes: dict[str, Any], field: str, sentence: str
) -> None:
    case = received_without(clock.at)
    answer = sign_in("chuangkou1").post(desk(case), form(case, **changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert sentence in text(answer)
    assert not LaterSubmission.objects.exists()


def test_only_what_the_item_lists_may_follow(city: None, clock: Moment) -> None:
    case = received_without(clock.at)
    clerk = play.person("chuangkou1")
    main = case.materials.exclude(material__later_allowed=True).filter(required=True)[0]
    main.state = MaterialState.MISSING
    main.save()
    said: dict[str, Any] = {"until": UNTIL, "signer": "张三", "by": clerk, "now": clock.at}
    with pytest.raises(Refused) as refused:
        allow_later(case, slots=[slot_of(main)], **said)
    assert refused.value.code == "later-not-allowed"
    BusinessItem.objects.filter(pk=case.business_item_id).update(later_consequence="")
    with pytest.raises(Refused) as refused:
        allow_later(case, slots=[slot_of(line) for line in case.materials.filter(state="missing")], **said)
    assert refused.value.code == "later-not-allowed"


def test_a_breach_on_record_closes_it(clock: Moment, sign_in: SignIn) -> None:
    case = received_without(clock.at)
    CreditRecord.objects.create(
        subject=case.applicant, kind="broken_promise", source="J1", basis="逾期未补交", found_at=clock.at
    )
    browser = sign_in("chuangkou1")
    assert "不能容缺办理" in text(browser.get(desk(case)))
    answer = browser.post(desk(case), form(case))
    assert answer.status_code == 422
    assert "违背承诺" in text(answer)
    assert not LaterSubmission.objects.exists()


def test_after_the_acceptance_it_is_too_late(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    with pytest.raises(Refused) as refused:
        allow_later(case, slots=["1"], until=UNTIL, signer="张三", by=play.person("chuangkou1"), now=clock.at)
    assert refused.value.conflict


# --- the licence, then the material


def test_the_clock_starts_with_the_licence(city: None, clock: Moment) -> None:
    case = licensed(clock.at, UNTIL)
    assert case.status == CaseStatus.COMPLETED
    assert Licence.objects.filter(case=case).exists()
    deadline = later_of(case).deadline
    assert deadline is not None
    assert (deadline.due_on, deadline.state, deadline.start_on) == (UNTIL, State.RUNNING, clock.at.date())
    [told] = messages(case, "applicant_later")
    assert "2026年11月6日" in told
    assert CONSEQUENCE in told
    assert list(verify.faults()) == []


def test_a_late_licence_leaves_five_working_days(city: None, clock: Moment) -> None:
    case = accept_case(agreed(clock.at, dt.date(2026, 10, 20)), by=play.person("chuangkou1"), now=clock.at)
    case = review(case, clock.at)
    clock.to("2026-10-19 10:00")
    if case.status == CaseStatus.APPROVED:
        assert case.reviewer is not None
        case = complete_case(case, by=case.reviewer, now=clock.at)
    later = later_of(case)
    assert later.deadline is not None
    assert later.until == later.deadline.due_on == dt.date(2026, 10, 26)


def test_what_comes_before_the_licence_starts_no_clock(city: None, clock: Moment) -> None:
    case = accept_case(agreed(clock.at, UNTIL), by=play.person("chuangkou1"), now=clock.at)
    hand_in(case, provided=provided(case), by=None, door=Door.PUBLIC, now=clock.at)
    case = review(fresh(case), clock.at)
    assert case.reviewer is not None
    complete_case(case, by=case.reviewer, now=clock.at)
    later = later_of(case)
    assert (later.deadline, later.fulfilled_at) == (None, clock.at)


def test_handed_in_by_the_day_it_is_done(clock: Moment, sign_in: SignIn) -> None:
    case = licensed(clock.at, UNTIL)
    browser = sign_in("chuangkou1")
    assert case.number in text(browser.get("/window/?state=owed"))
    clock.to("2026-11-06 23:59:59")
    assert browser.post(desk(case, "owed"), owed_ticks(case)).status_code == 302
    later = later_of(case)
    assert later.deadline is not None
    assert (later.fulfilled_at, later.overdue_at, later.deadline.state) == (clock.at, None, State.MET)
    [line] = case.materials.filter(owed_as=MaterialState.LATER)
    assert (line.state, line.received_at) == (MaterialState.PROVIDED, clock.at)
    assert case.number not in text(browser.get("/window/?state=owed"))


def test_a_second_late_waits_for_a_person(clock: Moment, sign_in: SignIn) -> None:
    case = licensed(clock.at, UNTIL)
    clock.to("2026-11-07 00:00:01")
    assert sign_in("chuangkou1").post(desk(case, "owed"), owed_ticks(case)).status_code == 302
    later = later_of(case)
    assert later.deadline is not None
    assert (later.fulfilled_at, later.overdue_at, later.deadline.state) == (clock.at, clock.at, State.MISSED)
    assert [report.done for report in debts.sweep(clock.at)] == [0, 0]
    boss = sign_in(decider(case).username)
    assert case.number in text(boss.get(LIST))
    said = {"act": "settlement", "verdict": "spare", "reason": "仅晚一天，已补齐。"}
    assert boss.post(page(case), said).status_code == 302
    assert later_of(case).applied is False
    assert case.number in text(boss.get(f"{LIST}?tab=settled&kind=later"))


# --- another day, once


def test_a_decider_extends_it_once(clock: Moment, sign_in: SignIn) -> None:
    case = licensed(clock.at, UNTIL)
    boss = sign_in(decider(case).username)
    assert case.number in text(boss.get(f"{LIST}?tab=waiting"))
    said = {"act": "extension", "until": "2026-11-20", "reason": "检测机构排期。"}
    for changes, field in (({"until": "2026-11-06"}, "until"), ({"reason": ""}, "reason")):
        answer = boss.post(page(case), said | changes)
        assert answer.status_code == 422
        assert field in answer.context["extension"].errors
    assert boss.post(page(case), said).status_code == 302
    later = later_of(case)
    assert later.deadline is not None
    assert (later.until, later.extended_to, later.deadline.due_on) == (
        UNTIL,
        dt.date(2026, 11, 20),
        dt.date(2026, 11, 20),
    )
    assert "11月20日" in messages(case, "applicant_later_extended")[0]
    assert boss.post(page(case), said | {"until": "2026-11-27"}).status_code == 409
    clock.to("2026-11-20 23:59:59")
    hand_in(case, provided=provided(case), by=None, door=Door.PUBLIC, now=clock.at)
    assert later_of(case).overdue_at is None


def test_after_its_day_it_is_not_extended_any_more(city: None, clock: Moment) -> None:
    case = licensed(clock.at, UNTIL)
    by = decider(case)
    clock.to("2026-11-07 00:00:01")
    with pytest.raises(Refused) as refused:
        extend_later(case, until=dt.date(2026, 11, 20), reason="晚了。", by=by, now=clock.at)
    assert (refused.value.code, refused.value.conflict) == ("later-overdue", True)


# --- the day passed


@pytest.fixture
def overdue(city: None, clock: Moment) -> Case:
    case = licensed(clock.at, UNTIL)
    clock.to("2026-11-09 10:00")
    assert [report.done for report in debts.sweep(clock.at)] == [0, 1]
    assert [report.done for report in debts.sweep(clock.at)] == [0, 0]
    return case


def test_a_decider_applies_the_consequence(overdue: Case, clock: Moment, sign_in: SignIn) -> None:
    boss = sign_in(decider(overdue).username)
    assert CONSEQUENCE in text(boss.get(page(overdue)))
    answer = boss.post(page(overdue), {"act": "settlement", "verdict": "apply", "reason": ""})
    assert answer.status_code == 422
    said = {"act": "settlement", "verdict": "apply", "reason": "两次提醒仍未补交。"}
    assert boss.post(page(overdue), said).status_code == 302
    later = later_of(overdue)
    assert later.deadline is not None
    assert (later.applied, later.settled_at, later.deadline.state) == (True, clock.at, State.CANCELLED)
    entry = Entry.objects.get(stream=overdue.stream, act=CaseAct.LATER_SETTLED)
    assert entry.data["apply"] is True
    [told] = messages(overdue, "applicant_later_settled")
    assert CONSEQUENCE in told
    assert "两次提醒" in told
    # The breach is final with the decision: it waits for the credit side of the department that decided (L8c).
    fact = CreditFact.objects.get()
    assert (fact.kind, fact.source, fact.subject) == ("late_material", overdue.number, overdue.applicant)
    assert (fact.department, fact.phone) == (overdue.review_office.department, overdue.contact_phone)
    assert boss.post(page(overdue), said).status_code == 409
    # The material may still come; the licence stands.
    done = hand_in(overdue, provided=provided(overdue), by=None, door=Door.PUBLIC, now=clock.at)
    assert done.status == CaseStatus.COMPLETED
    assert later_of(overdue).fulfilled_at == clock.at


def test_before_its_day_nothing_is_settled_and_the_clerk_never_does(city: None, clock: Moment) -> None:
    case = licensed(clock.at, UNTIL)
    with pytest.raises(Refused) as refused:
        settle_later(case, apply=True, reason="急。", by=decider(case), now=clock.at)
    assert refused.value.conflict
    clock.to("2026-11-09 10:00")
    elsewhere = Posting.objects.filter(role="decider").exclude(office=case.review_office)[0].user
    with pytest.raises(Refused) as refused:
        settle_later(case, apply=True, reason="急。", by=elsewhere, now=clock.at)
    assert refused.value.code == "not-decider"


def test_the_applicant_is_reminded_and_people_after_the_day(city: None, clock: Moment) -> None:
    case = licensed(clock.at, dt.date(2026, 11, 8))  # a Sunday
    sweep(clock.to("2026-11-05 09:00"))
    assert messages(case, "applicant_owed") == []
    sweep(clock.to("2026-11-06 09:00"))
    [told] = messages(case, "applicant_owed")
    assert "请最迟2026年11月8日（周日，含当日）补交" in told
    sweep(clock.to("2026-11-08 10:00"))
    assert len(messages(case, "applicant_owed")) == 1
    sweep(clock.to("2026-11-09 09:00"))
    assert len(messages(case, "applicant_owed")) == 2
    deciders = Posting.objects.filter(role="decider", office=case.review_office).values_list("user", flat=True)
    pressed = Message.objects.filter(reference=case.stream, kind="case_owed_late").values_list("to_user", flat=True)
    assert set(deciders) <= set(pressed)


def test_the_demo_items_that_offer_it_say_their_consequence(city: None) -> None:
    offering = BusinessItem.objects.filter(pk__in=Material.objects.filter(later_allowed=True).values("business_item"))
    assert not offering.filter(later_consequence="").exists()
