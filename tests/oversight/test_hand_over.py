"""A case changes hands: by an overseer, as a posting ends, as an account is closed. Its clocks go on as they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.actions.clocks import start_procedure
from approvals.actions.intake import deem_accepted
from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.tasks import hand_over_cases
from deadlines.enums import EventKind
from deadlines.models import ClockEvent
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from oversight.demo.weighing import advise
from tests.approvals import play
from tests.conftest import Moment
from tests.oversight import cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
ENERGY = "固定资产投资项目节能审查"
SPOT = "公共场所卫生许可（新办，告知承诺）"
Clocks = dict[str, tuple[dt.date, str]]
CLOCKS = ("statutory_deadline", "promised_deadline", "stage_deadline")


def now_of(case: Case) -> Case:
    return Case.objects.select_related("reviewer", *CLOCKS).get(pk=case.pk)


def clocks(case: Case) -> Clocks:
    """Due date and state of each clock that runs until the decision."""
    found = now_of(case)
    return {name: (clock.due_on, clock.state) for name in CLOCKS if (clock := getattr(found, name)) is not None}


def hand_overs(case: Case) -> list[ClockEvent]:
    return list(ClockEvent.objects.filter(deadline__stream=case.stream, kind=EventKind.HAND_OVER))


def url(case: Case, act: str = "hand_over") -> str:
    return reverse(f"oversight:{act}", args=[case.number])


def reviewer(case: Case) -> User:
    found = now_of(case).reviewer
    assert found is not None
    return found


def pool(case: Case) -> set[User]:
    postings = Posting.objects.filter(role="reviewer", office=case.review_office).select_related("user")
    return {posting.user for posting in postings}


def of(person: User, clock: Moment, count: int = 3) -> list[Case]:
    """Cases in review that were drawn to ``person``."""
    found: list[Case] = []
    while len(found) < count:
        case = play.accepted(clock.at, play.item(ENERGY))
        if case.reviewer == person:
            found.append(case)
    return found


def somebody(clock: Moment) -> User:
    return reviewer(play.accepted(clock.at, play.item(ENERGY)))


# --- by an overseer


def test_an_overseer_has_another_reviewer_drawn_and_not_a_day_changes(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    before, due = reviewer(case), clocks(case)
    browser = sign_in("duban1")
    page = cast.text(browser.get(url(case, "case")))
    assert "改派审查人员" in page
    assert f"办件从{before.full_name}名下移出" in page
    assert "期限不变：法定审批期限2026年10月30日（周五）" in page
    clock.to("2026-09-30 10:00")
    done = cast.text(browser.post(url(case), {"reason": "请假两周"}, follow=True))
    after = reviewer(case)
    assert after in pool(case) - {before}
    assert f"已改派给{after.full_name}，期限不变" in done
    assert clocks(case) == due
    assert {event.data["to"] for event in hand_overs(case)} == {after.pk}
    assert len(hand_overs(case)) == 3
    assert f"{before.full_name} → {after.full_name}" in cast.text(browser.get(url(case, "case")))
    assert case.number in cast.text(sign_in(after.username).get("/office/"))
    assert sign_in(before.username).get(reverse("office:case", args=[case.number])).status_code == 404
    assert list(verify.faults()) == []
    # what the window and the public read names nobody
    window = cast.text(sign_in("chuangkou1").get(reverse("window:case", args=[case.number])))
    public = cast.text(Client().post("/progress/", {"number": case.number, "code": case.query_code}))
    assert "改派审查人员，期限不变" in window
    for person in (before, after):
        assert person.full_name not in window
        assert person.full_name not in public
    assert now_of(case).history.first().history_change_reason == "请假两周"


def test_the_clocks_of_a_paused_case_stay_paused(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    start_procedure(case, ground="hearing", estimated_days=5, reason="听证", by=reviewer(case), now=clock.at)
    before = clocks(case)
    assert {state for _, state in before.values()} == {"paused"}
    assert sign_in("duban1").post(url(case), {"reason": "请假"}).status_code == 302
    assert clocks(case) == before


def test_a_reason_is_needed_and_nobody_left_to_draw_is_said(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    browser = sign_in("duban1")
    back = browser.post(url(case), {"reason": ""})
    assert back.status_code == 422
    assert "请写明改派的原因" in cast.text(back)
    User.objects.filter(pk__in=[one.pk for one in pool(case) - {reviewer(case)}]).update(is_active=False)
    back = browser.post(url(case), {"reason": "请假"})
    assert back.status_code == 422
    assert "没有可抽取的审查人员" in cast.text(back)
    assert 'value="请假"' in cast.text(back)
    assert hand_overs(case) == []


def test_after_the_opinion_and_before_acceptance_nobody_is_drawn(city: None, clock: Moment, sign_in: SignIn) -> None:
    browser = sign_in("duban1")
    for case in (play.reviewed(clock.at, play.item(ENERGY)), play.received(clock.at), play.completed(clock.at)):
        before = case.reviewer_id
        assert "改派审查人员" not in cast.text(browser.get(url(case, "case"))).partition("办理经过")[0]
        refused = browser.post(url(case), {"reason": "请假"})
        assert refused.status_code == 409
        assert "不需要改派审查人员" in cast.text(refused)
        assert now_of(case).reviewer_id == before


def test_other_divisions_and_roles_hand_nothing_over(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    for name in ("donghai.duban1", "guanliyuan1", reviewer(case).username, "chuangkou1", "zhujian.fuzeren"):
        assert sign_in(name).post(url(case), {"reason": "请假"}).status_code == 404, name
    assert sign_in("duban1").get(url(case)).status_code == 405
    assert hand_overs(case) == []


def test_an_on_the_spot_case_gets_another_decider(city: None, clock: Moment, sign_in: SignIn) -> None:
    Posting.objects.filter(user__username="weijian.juedingb").update(on_duty=True)
    case = play.accepted(clock.at, play.item(SPOT))
    before = case.decider
    browser = sign_in("duban1")
    assert "改派决定人员" in cast.text(browser.get(url(case, "case")))
    browser.post(url(case), {"reason": "回避"})
    case.refresh_from_db()
    assert case.decider is not None
    assert case.decider != before


def test_a_deemed_acceptance_without_a_reviewer_gets_its_first_one(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at, play.item(ENERGY))
    people = Posting.objects.filter(role="reviewer", office=case.review_office)
    User.objects.filter(pk__in=people.values("user")).update(is_active=False)
    clock.to("2026-10-12 10:00")
    case = deem_accepted(case, by=None, now=clock.at)
    assert case.status == CaseStatus.DEEMED_ACCEPTED
    browser = sign_in("duban1")
    assert "还没有审查人员" in cast.text(browser.get(url(case, "case")))
    before = clocks(case)
    assert before["statutory_deadline"] == (dt.date(2026, 10, 30), "running"), "counted from the day it came in"
    User.objects.filter(pk__in=people.values("user")).update(is_active=True)
    browser.post(url(case), {"reason": "人员已到岗"})
    case = now_of(case)
    assert case.status == CaseStatus.IN_REVIEW
    assert case.reviewer in pool(case)
    assert clocks(case) == before


# --- people who leave


def end_url(person: User) -> str:
    posting = Posting.objects.get(user=person, role="reviewer")
    return reverse("division:posting_end", args=[posting.pk])


def test_a_reviewer_whose_posting_ends_today_hands_over_at_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    person = somebody(clock)
    cases = of(person, clock, 2)
    waiting = list(Case.objects.filter(reviewer=person))
    advise(cases[0], clock.at)
    before = {case.pk: clocks(case) for case in waiting}
    admin = sign_in("guanliyuan1")
    page = cast.text(admin.get(reverse("division:person", args=[person.pk])))
    assert f"名下 {len(waiting) - 1} 件待审查的办件重新抽取审查人员" in page
    done = cast.text(admin.post(end_url(person), {"ends_on": "2026-09-28"}, follow=True))
    assert f"{len(waiting) - 1} 件待审查的办件已重新抽取审查人员，期限不变" in done
    assert reviewer(cases[0]) == person, "the opinion stands: nothing is left to review"
    for case in waiting:
        assert clocks(case) == before[case.pk]
        if case.pk != cases[0].pk:
            assert reviewer(case) != person
            assert len(hand_overs(case)) == 3
    assert list(verify.faults()) == []


def test_one_that_ends_later_hands_over_on_the_day_after(city: None, clock: Moment, sign_in: SignIn) -> None:
    person = somebody(clock)
    case = of(person, clock, 1)[0]
    before = clocks(case)
    admin = sign_in("guanliyuan1")
    admin.post(end_url(person), {"ends_on": "2026-09-29"})
    hand_over_cases()
    assert reviewer(case) == person
    clock.to("2026-09-29 23:00")
    hand_over_cases()
    assert reviewer(case) == person, "the last day still counts"
    drawn_last = of(person, clock, 1)[0]
    clock.to("2026-09-30 00:05")
    hand_over_cases()
    assert person not in {reviewer(case), reviewer(drawn_last)}
    assert clocks(case) == before
    entries = Entry.objects.filter(act="case.handed_over").count()
    hand_over_cases()
    assert Entry.objects.filter(act="case.handed_over").count() == entries, "safe to run again"


def test_whoever_reviews_in_the_office_tomorrow_as_well_keeps_the_cases(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    person = somebody(clock)
    case = of(person, clock, 1)[0]
    old = Posting.objects.get(user=person, role="reviewer")
    Posting.objects.create(
        user=person, department=old.department, office=old.office, role="reviewer", starts_on="2026-09-29"
    )
    admin = sign_in("guanliyuan1")
    admin.post(reverse("division:posting_end", args=[old.pk]), {"ends_on": "2026-09-28"})
    clock.to("2026-09-29 09:00")
    hand_over_cases()
    assert reviewer(case) == person


def test_a_closed_account_hands_over_everything_at_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    person = somebody(clock)
    waiting = [*of(person, clock, 1), *Case.objects.filter(reviewer=person)]
    before = {case.pk: clocks(case) for case in waiting}
    admin = sign_in("guanliyuan1")
    page = cast.text(admin.get(reverse("division:person", args=[person.pk])))
    assert f"名下 {len(before)} 件待审查的办件立即重新抽取审查人员，期限不变" in page
    done = admin.post(reverse("division:active", args=[person.pk]), {"active": "0"}, follow=True)
    assert f"{len(before)} 件待审查的办件已重新抽取审查人员" in cast.text(done)
    assert not Case.objects.filter(reviewer=person, status=CaseStatus.IN_REVIEW).exists()
    assert {pk: clocks(Case.objects.get(pk=pk)) for pk in before} == before


def test_nobody_left_in_the_office_alarms_the_overseers_once(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    person = reviewer(case)
    User.objects.filter(pk__in=[one.pk for one in pool(case) - {person}]).update(is_active=False)
    admin = sign_in("guanliyuan1")
    done = admin.post(reverse("division:active", args=[person.pk]), {"active": "0"}, follow=True)
    assert "1 件待审查的办件所在处室没有其他可抽取的审查人员，已短信提醒督办人员" in cast.text(done)
    told = Message.objects.filter(kind="nobody_reviews")
    assert {message.to_user.username for message in told if message.to_user} >= {"duban1"}
    count = told.count()
    hand_over_cases()
    assert told.count() == count
    assert reviewer(case) == person
    User.objects.filter(pk__in=[one.pk for one in pool(case) - {person}]).update(is_active=True)
    hand_over_cases()
    assert reviewer(case) != person, "as soon as somebody can be drawn"


def test_other_roles_end_without_a_word_about_cases(city: None, clock: Moment, sign_in: SignIn) -> None:
    play.accepted(clock.at, play.item(ENERGY))
    admin = sign_in("guanliyuan1")
    clerk = play.person("chuangkou2")
    assert "重新抽取审查人员" not in cast.text(admin.get(reverse("division:person", args=[clerk.pk])))
    posting = Posting.objects.get(user=clerk)
    admin.post(reverse("division:posting_end", args=[posting.pk]), {"ends_on": "2026-09-28"})
    assert not Entry.objects.filter(act="case.handed_over").exists()
