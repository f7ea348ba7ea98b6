"""Every reviewer's seat is redrawn when its holder leaves, and whoever stands aside from a case does not decide it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from approvals.actions import decide
from approvals.enums import CaseAct
from approvals.exceptions import TransitionNotAllowed
from approvals.models import Case, Conflict, Decision, Recusal, Sheet
from approvals.tasks import hand_over_cases
from deadlines.models import Deadline
from ledger import verify
from ledger.models import Draw, Entry
from notifications.models import Message
from offices.models import Posting, User
from tests import city as demo_city
from tests.approvals import play, weighing
from tests.approvals.test_races import browsers, together
from tests.approvals.weighing import PLANNING, give, second
from tests.conftest import Moment

SignIn = Callable[[str], Client]


@pytest.fixture
def case(request: pytest.FixtureRequest, clock: Moment) -> Case:
    """A case with two reviewers, countersigned; one colleague of theirs is left."""
    request.getfixturevalue("city")
    return weighing.ready(clock.at, PLANNING)


def seat(case: Case, name: str) -> User:
    return Sheet.objects.select_related("reviewer").get(case=case, seat=name).reviewer


def spare(case: Case) -> User:
    """The reviewer of the office who has no seat."""
    seats = [case.reviewer_id, *Sheet.objects.filter(case=case).values_list("reviewer_id", flat=True)]
    return Posting.objects.filter(office=case.review_office, role="reviewer").exclude(user__in=seats).get().user


def posting_of(person: User) -> Posting:
    return Posting.objects.get(user=person, role="reviewer")


def clocks(case: Case) -> set[tuple[int, dt.date, str]]:
    return set(Deadline.objects.filter(stream=case.stream).values_list("pk", "due_on", "state"))


def replayed() -> str:
    out = StringIO()
    call_command("replay_draws", "2026-09", "--secret", stdout=out)
    return out.getvalue()


def handed_over(case: Case) -> list[dict[str, Any]]:
    return [entry.data for entry in Entry.objects.filter(stream=case.stream, act=CaseAct.HANDED_OVER)]


@pytest.mark.django_db
class TestWhoLeaves:
    def test_a_second_reviewer_whose_posting_ends_today_is_redrawn_in_the_same_act(
        self, case: Case, sign_in: SignIn
    ) -> None:
        old, new, before = second(case), spare(case), clocks(case)
        admin = sign_in("guanliyuan1")
        page = admin.get(reverse("division:person", args=[old.pk])).content.decode()
        assert "名下 1 件待审查的办件重新抽取审查人员" in page
        url = reverse("division:posting_end", args=[posting_of(old).pk])
        said = admin.post(url, {"ends_on": "2026-09-28"}, follow=True).content.decode()
        assert "1 件待审查的办件已重新抽取审查人员，期限不变" in said
        assert second(case) == new
        case.refresh_from_db()
        assert case.reviewer not in {old, new}, "the first seat stays"
        assert clocks(case) == before
        assert handed_over(case) == [{"seat": "second", "from": old.pk, "to": new.pk}]
        assert Draw.objects.filter(stream=case.stream).latest("id").purpose == "reviewer.second"
        page_of = reverse("office:case", args=[case.number])
        assert weighing.browser(old).get(page_of).status_code == 404
        assert give(case, new).status_code == 302
        assert ", 0 differences" in replayed()
        assert list(verify.faults()) == []

    def test_a_posting_that_ends_by_its_date_is_found_by_the_sweep(self, case: Case, clock: Moment) -> None:
        old, new = second(case), spare(case)
        Posting.objects.filter(pk=posting_of(old).pk).update(ends_on=dt.date(2026, 9, 28))
        hand_over_cases()
        assert second(case) == old, "the last day still counts"
        clock.to("2026-09-29 09:00")
        hand_over_cases()
        hand_over_cases()
        assert second(case) == new
        assert len(handed_over(case)) == 1
        assert ", 0 differences" in replayed()

    def test_a_lead_who_leaves_is_redrawn_as_soon_as_somebody_can_be(
        self, case: Case, clock: Moment, sign_in: SignIn
    ) -> None:
        give(case, case.reviewer)
        give(case, second(case), approve=False)
        old = seat(case, "lead")
        admin = sign_in("guanliyuan1")
        said = admin.post(reverse("division:active", args=[old.pk]), {"active": "0"}, follow=True).content.decode()
        assert "1 件待审查的办件所在处室没有其他可抽取的审查人员，已短信提醒督办人员" in said
        assert seat(case, "lead") == old
        told = Message.objects.filter(kind="nobody_reviews", reference=case.stream)
        assert told.filter(to_user__username="duban1").count() == 1
        hand_over_cases()
        assert told.filter(to_user__username="duban1").count() == 1, "told once"
        office = case.review_office
        new = play.person("zhujian.shenchaa")
        Posting.objects.create(
            user=new, department=office.department, office=office, role="reviewer", starts_on=dt.date(2026, 9, 28)
        )
        hand_over_cases()
        assert seat(case, "lead") == new
        assert handed_over(case)[-1] == {"seat": "lead", "from": old.pk, "to": new.pk}
        assert give(case, new).status_code == 302
        assert ", 0 differences" in replayed()

    def test_who_gave_the_sheet_keeps_the_seat(self, case: Case, sign_in: SignIn) -> None:
        old = second(case)
        assert give(case, old).status_code == 302
        sign_in("guanliyuan1").post(reverse("division:active", args=[old.pk]), {"active": "0"})
        hand_over_cases()
        assert second(case) == old
        assert handed_over(case) == []


@pytest.mark.django_db
class TestWhoStandsAside:
    """The pages say 404 (the queryset); the action says it again under the lock, for whoever got past the page."""

    def test_a_decider_who_handed_the_case_back_does_not_decide_it(self, city: None, clock: Moment) -> None:
        case = play.reviewed(clock.at)
        decider = weighing.decider(case)
        office = case.review_office
        Posting.objects.create(
            user=play.person("fagai.juedinga"), department=office.department, office=office, role="decider",
            starts_on=dt.date(2026, 9, 1),
        )  # fmt: skip
        url = reverse("office:decision", args=[case.number])
        desk = weighing.browser(decider)
        recusal = reverse("office:recusal", args=[case.number])
        assert desk.post(recusal, {"reason": "与代理人熟识。"}).status_code == 302
        assert desk.post(url, {"verdict": "approve"}).status_code == 404
        with pytest.raises(TransitionNotAllowed, match="这件办件不由您决定"):
            decide(case, approve=True, by=decider, now=clock.at)
        assert not Decision.objects.exists()
        assert weighing.browser(play.person("fagai.juedinga")).post(url, {"verdict": "approve"}).status_code == 302

    def test_a_conflict_declared_before_the_receipt_keeps_the_decider_out(self, city: None, clock: Moment) -> None:
        case = play.reviewed(clock.at)
        decider = weighing.decider(case)
        before = case.received_at - dt.timedelta(days=1)
        subject = case.applicant
        row = Conflict.objects.create(
            user=decider, key=subject.code or "", subject=subject, reason="亲属", declared_at=before
        )
        answer = weighing.decide(case)
        assert answer.status_code == 404
        with pytest.raises(TransitionNotAllowed, match="这件办件不由您决定"):
            decide(case, approve=True, by=decider, now=clock.at)
        Conflict.objects.filter(pk=row.pk).update(ended_at=clock.at)
        assert weighing.decide(case).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_recusing_and_deciding_at_once_end_in_one_of_the_two(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    case = play.reviewed(clock.at)
    decider = weighing.decider(case)
    office = case.review_office
    Posting.objects.create(
        user=play.person("fagai.juedinga"), department=office.department, office=office, role="decider",
        starts_on=dt.date(2026, 9, 1),
    )  # fmt: skip
    one, two = browsers(decider, decider)
    recusal, decision = (reverse(f"office:{name}", args=[case.number]) for name in ("recusal", "decision"))
    answers = together(
        lambda: one.post(recusal, {"reason": "与代理人熟识。"}), lambda: two.post(decision, {"verdict": "approve"})
    )
    recused = Recusal.objects.filter(case=case, user=decider).exists()
    decided = Decision.objects.filter(case=case, decider=decider).exists()
    assert recused != decided
    statuses = [answer.status_code for answer in answers]
    assert statuses[0 if recused else 1] == 302
    assert statuses[1 if recused else 0] in {404, 409}
