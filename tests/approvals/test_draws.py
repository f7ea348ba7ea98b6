"""Who gets a case: drawn among the competent, present and free of conflict; handed back with a reason; on leave."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.actions import accept_case
from approvals.actions.drawing import hand_over_away, recuse
from approvals.actions.leaves import enter_leave
from approvals.draws import draw_reviewer, excluded, pool_for
from approvals.enums import CaseStatus, Seat
from approvals.exceptions import TransitionNotAllowed
from approvals.models import Case, Conflict, Opinion, Recusal, Sheet, SiteCheck
from approvals.tasks import hand_over_cases, keep_draw_periods
from deadlines.models import ClockEvent
from ledger.models import Draw, DrawPeriod, Entry
from ledger.verify import faults
from notifications.models import Message
from offices.models import Leave, Posting, User
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.test_races import one_goes_through, together
from tests.conftest import Moment

Role = Posting.Role
SignIn = Callable[[str], Client]
SPOT = "公共场所卫生许可（新办，告知承诺）"


def reviewers(case: Case) -> list[User]:
    found = Posting.objects.filter(role=Role.REVIEWER, office=case.review_office).order_by("user_id")
    return [posting.user for posting in found.select_related("user")]


def add_reviewer(case: Case, username: str = "xinren") -> User:
    person: User = User.objects.create_user(username, full_name="新人", phone="13900000001")
    Posting.objects.create(
        user=person, department=case.department, office=case.review_office, role=Role.REVIEWER, starts_on="2026-01-01"
    )
    return person


def away(person: User, clock: Moment, *, deputy: User | None = None, days: int = 3) -> Leave:
    today = timezone.localtime(clock.at).date()
    until = today + dt.timedelta(days=days)
    return enter_leave(person, starts_on=today, ends_on=until, deputy=deputy, by=person, now=clock.at)


def reviewer_of(case: Case) -> User:
    found = Case.objects.select_related("reviewer").get(pk=case.pk).reviewer
    assert found is not None
    return found


def drawn(case: Case) -> list[Entry]:
    return list(Entry.objects.filter(stream=case.stream, act="case.reviewer_drawn").order_by("seq"))


# --- the draw of a case


def test_the_ledger_keeps_pool_loads_digest_period_and_number(city: None, clock: Moment) -> None:
    first, second = play.accepted(clock.at), play.accepted(clock.at)
    one, two = drawn(first)[0].data, drawn(second)[0].data
    people = [person.pk for person in reviewers(first)]
    assert one["pool"] == two["pool"] == people
    assert (one["period"], one["number"], one["loads"]) == ("2026-09", 1, [0, 0])
    assert two["number"] == 2
    assert two["loads"] == [1 if pk == first.reviewer_id else 0 for pk in people]
    made = Draw.objects.get(stream=first.stream)
    assert (made.pool_hash, made.result, made.purpose) == (one["digest"], first.reviewer_id, "reviewer.first")
    assert list(faults()) == []


def test_a_month_of_cases_replays_and_agrees_with_the_ledger(city: None, clock: Moment) -> None:
    keep_draw_periods()
    for _ in range(3):
        play.accepted(clock.at)
    accept_case(play.received(clock.at, play.item(SPOT)), by=play.person("chuangkou1"), now=clock.at)
    clock.to("2026-10-01 00:10")
    keep_draw_periods()
    out = StringIO()
    call_command("replay_draws", "2026-09", stdout=out)
    assert out.getvalue().startswith("2026-09: 4 draws, 0 differences")
    assert DrawPeriod.objects.get(month="2026-11").is_late is False


def test_whoever_is_busy_is_drawn_less_often(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    busy, free = reviewers(case)
    Case.objects.filter(pk=case.pk).update(reviewer=busy)
    other = play.received(clock.at)
    assert pool_for(other, Role.REVIEWER, clock.at, set()) == [(busy.pk, 1), (free.pk, 0)]
    Sheet.objects.create(case=case, seat=Seat.SECOND, reviewer=free, drawn_at=clock.at)
    assert pool_for(other, Role.REVIEWER, clock.at, set()) == [(busy.pk, 1), (free.pk, 1)]
    Opinion.objects.create(case=case, approve=True, text="可", grounds=[], reviewer=busy, given_at=clock.at)
    assert pool_for(other, Role.REVIEWER, clock.at, set())[0] == (busy.pk, 0)


def _conflict(case: Case, person: User, clock: Moment) -> None:
    Conflict.objects.create(user=person, key=case.applicant.code or "", reason="配偶任法定代表人", declared_at=clock.at)


def _recused(case: Case, person: User, clock: Moment) -> None:
    Recusal.objects.create(case=case, user=person, seat="first", reason="亲属", at=clock.at)


def _site(case: Case, person: User, clock: Moment) -> None:
    SiteCheck.objects.create(
        case=case, first=play.person("duban1"), second=person, planned_on=clock.at.date(),
        planned_by=person, planned_at=clock.at,
    )  # fmt: skip


OUT: dict[str, Callable[[Case, User, Moment], object]] = {
    "on leave": lambda case, person, clock: away(person, clock),
    "in conflict with the applicant": _conflict,
    "handed the case back": _recused,
    "went to the site": _site,
    "on another seat": lambda case, person, clock: Sheet.objects.create(
        case=case, seat=Seat.SECOND, reviewer=person, drawn_at=clock.at
    ),
    "took the case in": lambda case, person, clock: Case.objects.filter(pk=case.pk).update(intake_by=person),
    "decides it": lambda case, person, clock: Case.objects.filter(pk=case.pk).update(decider=person),
    "closed account": lambda case, person, clock: User.objects.filter(pk=person.pk).update(is_active=False),
    "posting over": lambda case, person, clock: Posting.objects.filter(user=person).update(ends_on="2026-09-27"),
}


@pytest.mark.parametrize("why", OUT)
def test_not_in_the_pool(city: None, clock: Moment, why: str) -> None:
    case = play.received(clock.at)
    person, other = reviewers(case)
    OUT[why](case, person, clock)
    case = Case.objects.get(pk=case.pk)
    assert [pk for pk, _ in pool_for(case, Role.REVIEWER, clock.at, set())] == [other.pk]
    draft = draw_reviewer(case, by=None, now=clock.at, seat=Seat.LEAD)
    assert draft.data["drawn"] == other.pk
    assert case.reviewer_id is None, "a further seat leaves the first alone"
    assert Draw.objects.get().purpose == "reviewer.lead"


def test_a_leave_or_a_conflict_that_is_over_keeps_nobody_out(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    person, _ = reviewers(case)
    leave = away(person, clock)
    _conflict(case, person, clock)
    Leave.objects.filter(pk=leave.pk).update(cancelled_at=clock.at)
    Conflict.objects.update(ended_at=clock.at)
    assert len(pool_for(case, Role.REVIEWER, clock.at, set())) == 2
    assert excluded(case) == {case.intake_by_id}


def test_the_pool_costs_the_same_for_two_and_for_twenty(
    city: None, clock: Moment, django_assert_num_queries: Callable[..., object]
) -> None:
    case = play.received(clock.at)
    for number in range(18):
        add_reviewer(case, f"xin{number}")
    pool_for(case, Role.REVIEWER, clock.at, set())  # what the case itself has yet to read
    with django_assert_num_queries(3):  # type: ignore[attr-defined]
        assert len(pool_for(case, Role.REVIEWER, clock.at, set())) == 20


def test_with_nobody_to_draw_the_case_is_accepted_and_waits_where_overseers_see_it(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    case = play.received(clock.at)
    for person in reviewers(case)[1:]:
        away(person, clock)
    alone = reviewers(case)[0]
    form = {"kind": "organisation", "identifier": case.applicant.code, "name": "随便写的名称", "reason": "亲属"}
    sign_in(alone.username).post(reverse("conflicts:new"), form)
    clerk = sign_in("chuangkou1")
    done = clerk.post(reverse("window:case", args=[case.number]), {"act": "accept"}, follow=True)
    assert "亲属" not in done.content.decode(), "the window does not learn that somebody declared"
    case = Case.objects.get(pk=case.pk)
    assert (case.status, case.reviewer) == (CaseStatus.ACCEPTED, None)
    assert case.promised_deadline is not None, "the clocks run"
    assert not Draw.objects.exists()
    told = Message.objects.filter(kind="nobody_reviews", reference=case.stream)
    assert {"duban1", "guanliyuan1"} <= {one.to_user.username for one in told if one.to_user}
    overseer = sign_in("duban1")
    page = overseer.get(reverse("oversight:undrawn")).content.decode()
    assert case.number in page
    assert case.applicant_name not in page
    sheet = b"".join(overseer.get(reverse("oversight:undrawn_export")).streaming_content).decode()  # type: ignore[attr-defined]
    assert case.number in sheet
    again = overseer.post(reverse("oversight:hand_over", args=[case.number]), {"reason": "再抽一次"})
    assert again.status_code == 422
    Conflict.objects.update(ended_at=clock.at)
    assert overseer.post(reverse("oversight:hand_over", args=[case.number]), {"reason": "人已到岗"}).status_code == 302
    case = Case.objects.get(pk=case.pk)
    assert (case.status, case.reviewer) == (CaseStatus.IN_REVIEW, alone)
    assert overseer.get(reverse("oversight:undrawn")).context["rows"] == []


# --- recusal


def recusal_url(case: Case) -> str:
    return reverse("office:recusal", args=[case.number])


def test_a_reviewer_hands_a_case_back_and_another_is_drawn(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    person = reviewer_of(case)
    browser = sign_in(person.username)
    page = browser.get(reverse("office:case", args=[case.number])).content.decode()
    assert recusal_url(case) in page
    assert "立即从处室其他在岗人员中随机抽取" in browser.get(recusal_url(case)).content.decode()
    due = case.promised_deadline.due_on if case.promised_deadline else None
    done = browser.post(recusal_url(case), {"reason": "我曾在该单位任职。"}, follow=True)
    assert "您已回避办件" in done.content.decode()
    after = Case.objects.get(pk=case.pk)
    assert after.reviewer_id != person.pk
    assert after.promised_deadline is not None
    assert after.promised_deadline.due_on == due
    kept = Recusal.objects.get(case=case)
    assert (kept.user, kept.seat, kept.reason) == (person, "first", "我曾在该单位任职。")
    told = Entry.objects.get(stream=case.stream, act="case.redrawn").data
    assert told == {"seat": "first", "from": person.pk, "to": after.reviewer_id}
    assert person.pk not in drawn(case)[-1].data["pool"]
    assert ClockEvent.objects.filter(deadline__stream=case.stream, kind="hand_over").exists()
    assert browser.get(reverse("office:case", args=[case.number])).status_code == 404
    assert browser.post(recusal_url(case), {"reason": "再来"}).status_code == 404
    assert list(faults()) == []


def test_a_reason_is_needed_and_may_not_name_the_applicant(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    browser = sign_in(reviewer_of(case).username)
    for reason, said in (("  ", "请写明回避的理由。"), (f"{case.applicant_name}是我亲属的", "文字里有申请人名称")):
        answer = browser.post(recusal_url(case), {"reason": reason})
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert reason in answer.content.decode(), "nothing typed is lost"
    assert not Recusal.objects.exists()


def test_nobody_left_is_said_and_the_overseers_are_told(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    person = reviewer_of(case)
    for other in reviewers(case):
        if other != person:
            away(other, clock)
    answer = sign_in(person.username).post(recusal_url(case), {"reason": "亲属关系"})
    assert answer.status_code == 422
    assert "没有其他可抽取的审查人员，已告知督办人员协调" in answer.content.decode()
    assert reviewer_of(case) == person
    assert not Recusal.objects.exists()
    told = Message.objects.filter(kind="nobody_reviews", to_user__username="duban1")
    assert told.count() == 1
    assert "申请回避" in told.get().text
    sign_in(person.username).post(recusal_url(case), {"reason": "亲属关系"})
    assert told.count() == 1, "once"


def test_after_the_opinion_and_by_strangers_nothing_is_handed_back(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at)
    person = reviewer_of(case)
    answer = sign_in(person.username).post(recusal_url(case), {"reason": "亲属关系"})
    assert answer.status_code == 409
    assert "您已经出具审查意见" in answer.content.decode()
    stranger = next(one for one in reviewers(case) if one != person)
    for username in (stranger.username, "chuangkou1", "duban1"):
        assert sign_in(username).post(recusal_url(case), {"reason": "x"}).status_code == 404
    with pytest.raises(TransitionNotAllowed, match="没有抽取到您名下"):
        recuse(case, by=stranger, reason="x", now=clock.at)


def test_a_decider_steps_aside_and_never_sees_the_case_again(city: None, clock: Moment, sign_in: SignIn) -> None:
    case = play.reviewed(clock.at)
    one, two = (p.user for p in Posting.objects.filter(role=Role.DECIDER, office=case.review_office).order_by("pk"))
    browser = sign_in(one.username)
    done = browser.post(recusal_url(case), {"reason": "亲属关系"}, follow=True)
    assert "由处室其他决定人员办理" in done.content.decode()
    assert browser.get(reverse("office:case", args=[case.number])).status_code == 404
    assert browser.post(reverse("office:decision", args=[case.number]), {"verdict": "approve"}).status_code == 404
    last = sign_in(two.username).post(recusal_url(case), {"reason": "亲属关系"})
    assert last.status_code == 422
    assert "没有其他可抽取的决定人员" in last.content.decode()


def test_on_the_spot_another_decider_on_duty_is_drawn(city: None, clock: Moment) -> None:
    case = accept_case(play.received(clock.at, play.item(SPOT)), by=play.person("chuangkou1"), now=clock.at)
    before = case.decider
    assert before is not None
    Posting.objects.filter(role=Role.DECIDER, office=case.review_office).update(on_duty=True)
    after = recuse(case, by=before, reason="亲属关系", now=clock.at).decider
    assert after is not None
    assert after != before
    assert Recusal.objects.get().seat == "decider"


def test_a_further_seat_is_handed_back_with_its_sheet(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    first = reviewer_of(case)
    second = next(one for one in reviewers(case) if one != first)
    third = add_reviewer(case)
    sheet = Sheet.objects.create(case=case, seat=Seat.SECOND, reviewer=second, drawn_at=clock.at)
    recuse(case, by=second, reason="亲属关系", now=clock.at)
    sheet.refresh_from_db()
    assert sheet.reviewer == third
    assert reviewer_of(case) == first
    assert Draw.objects.order_by("-pk")[0].purpose == "reviewer.second"


# --- leave: what was drawn is handed over


def test_a_leave_hands_over_what_was_drawn_before_it_by_drawing_anew(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    person = reviewer_of(case)
    third = add_reviewer(case)
    clock.to("2026-09-28 11:00")
    away(person, clock, deputy=third)
    before = [(one.pk, one.due_on) for one in Case.objects.get(pk=case.pk).deciding_clocks]
    hand_over_cases()
    after = reviewer_of(case)
    assert after != person
    assert len(drawn(case)) == 2, "drawn, not given to the deputy: the case was known when the deputy was named"
    assert [(one.pk, one.due_on) for one in Case.objects.get(pk=case.pk).deciding_clocks] == before
    hand_over_cases()
    assert Entry.objects.filter(act="case.handed_over").count() == 1


def drawn_to(person: User, clock: Moment) -> Case:
    """A case that the draw gave to ``person``."""
    for _ in range(40):
        case = play.accepted(clock.at)
        if case.reviewer_id == person.pk:
            return case
    raise AssertionError("forty draws missed the person")


def test_the_deputy_stands_in_for_what_was_drawn_after_the_leave_was_entered(city: None, clock: Moment) -> None:
    sample = play.received(clock.at)
    person, deputy = reviewers(sample)
    enter_leave(
        person, starts_on=dt.date(2026, 9, 30), ends_on=dt.date(2026, 9, 30), deputy=deputy, by=person, now=clock.at
    )
    clock.to("2026-09-28 11:00")
    case = drawn_to(person, clock)
    hand_over_cases()
    assert reviewer_of(case) == person, "the leave has not started"
    clock.to("2026-09-30 00:05")
    hand_over_cases()
    assert reviewer_of(case) == deputy
    told = Entry.objects.filter(stream=case.stream, act="case.handed_over").get().data
    assert told == {"from": person.pk, "to": deputy.pk, "deputy": True}
    assert len(drawn(case)) == 1
    clock.to("2026-10-08 09:00")
    hand_over_cases()
    assert reviewer_of(case) == deputy, "it does not come back"


def test_a_deputy_in_conflict_does_not_stand_in(city: None, clock: Moment) -> None:
    sample = play.received(clock.at)
    person, deputy = reviewers(sample)
    third = add_reviewer(sample)
    enter_leave(
        person, starts_on=dt.date(2026, 9, 30), ends_on=dt.date(2026, 9, 30), deputy=deputy, by=person, now=clock.at
    )
    clock.to("2026-09-28 11:00")
    case = drawn_to(person, clock)
    _conflict(case, deputy, clock)
    clock.to("2026-09-30 00:05")
    hand_over_cases()
    assert reviewer_of(case) == third


def test_nobody_left_while_on_leave_tells_the_overseers_once_and_waits(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    for person in reviewers(case):
        away(person, clock)
    assert hand_over_away(clock.at) == (0, 1)
    assert hand_over_away(clock.at) == (0, 1)
    assert Message.objects.filter(kind="nobody_reviews", to_user__username="duban1").count() == 1
    third = add_reviewer(case)
    assert hand_over_away(clock.at) == (1, 0)
    assert reviewer_of(case) == third


def test_opinions_given_and_sheets_given_stay(city: None, clock: Moment) -> None:
    case, scored = play.reviewed(clock.at), play.accepted(clock.at)
    person = reviewer_of(scored)
    Sheet.objects.create(
        case=scored, seat=Seat.FIRST, reviewer=person, drawn_at=clock.at, given_at=clock.at, approve=True, text="可"
    )
    for one in {person, reviewer_of(case)}:
        away(one, clock)
    assert hand_over_away(clock.at) == (0, 0)


def test_a_further_seat_on_leave_is_drawn_anew(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    first = reviewer_of(case)
    second = next(one for one in reviewers(case) if one != first)
    sheet = Sheet.objects.create(case=case, seat=Seat.SECOND, reviewer=second, drawn_at=clock.at)
    third = add_reviewer(case)
    away(second, clock)
    assert hand_over_away(clock.at) == (1, 0)
    sheet.refresh_from_db()
    assert sheet.reviewer == third


def test_a_decider_on_leave_leaves_the_sitting_to_another(city: None, clock: Moment) -> None:
    case = accept_case(play.received(clock.at, play.item(SPOT)), by=play.person("chuangkou1"), now=clock.at)
    assert case.decider is not None
    away(case.decider, clock)
    assert hand_over_away(clock.at) == (1, 0)
    after = Case.objects.get(pk=case.pk)
    assert after.decider_id != case.decider_id


# --- at once


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


@pytest.mark.django_db(transaction=True)
def test_eight_acceptances_at_once_draw_one_to_eight_and_replay(town: None, clock: Moment) -> None:
    cases = [play.received(clock.at) for _ in range(8)]
    clerk = play.person("chuangkou1")
    together(*(lambda case=case: accept_case(case, by=clerk, now=clock.at) for case in cases))
    assert sorted(Draw.objects.values_list("number", flat=True)) == list(range(1, 9))
    out = StringIO()
    call_command("replay_draws", "2026-09", "--secret", stdout=out)
    assert "8 draws, 0 differences" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_a_recusal_pressed_twice_at_once_draws_once(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    add_reviewer(case)
    person = reviewer_of(case)
    browsers = []
    for _ in range(2):
        browser = Client()
        browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        browsers.append(browser)
    answers = together(*(lambda b=b: b.post(recusal_url(case), {"reason": "亲属关系"}) for b in browsers))
    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([302, 404], [302, 409])
    assert Recusal.objects.count() == 1
    assert len(drawn(case)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_hand_a_case_over_once(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    add_reviewer(case)
    away(reviewer_of(case), clock)
    together(*(lambda: hand_over_away(clock.at) for _ in range(3)))
    assert Entry.objects.filter(stream=case.stream, act="case.handed_over").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_opinion_and_a_recusal_at_once(town: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    person = reviewer_of(case)
    browsers = []
    for _ in range(2):
        browser = Client()
        browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        browsers.append(browser)
    form = {"verdict": "approve", "text": "符合。"}
    answers = together(
        lambda: browsers[0].post(reverse("office:opinion", args=[case.number]), form),
        lambda: browsers[1].post(recusal_url(case), {"reason": "亲属关系"}),
    )
    if {answer.status_code for answer in answers} != {302, 404}:
        one_goes_through(answers)
    given = Opinion.objects.filter(case=case).exists()
    assert given != Recusal.objects.filter(case=case).exists()
