"""Two reviewers who do not see each other, and the lead who is called when they are apart (O3.2.1b)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from approvals.actions.intake import deem_accepted
from approvals.enums import CaseAct
from approvals.models import Case, Opinion, Sheet
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting, User
from tests import city as demo_city
from tests.approvals import play, weighing
from tests.approvals.test_races import browsers, together
from tests.approvals.weighing import PLANNING, filled, give, second
from tests.conftest import Moment


@pytest.fixture
def case(request: pytest.FixtureRequest, clock: Moment) -> Case:
    """A case with two reviewers, countersigned."""
    request.getfixturevalue("city")
    return weighing.ready(clock.at, PLANNING)


def shown(case: Case, person: User | None, **query: str) -> str:
    answer = weighing.browser(person).get(reverse("office:case", args=[case.number]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def lead(case: Case) -> User:
    return Sheet.objects.select_related("reviewer").get(case=case, seat="lead").reviewer


@pytest.mark.django_db
class TestTwoReviewers:
    def test_two_different_people_are_drawn_at_acceptance(self, case: Case) -> None:
        other = second(case)
        assert other.pk != case.reviewer_id
        assert Entry.objects.filter(stream=case.stream, act=CaseAct.REVIEWER_DRAWN).count() == 2
        for person in (case.reviewer, other):
            assert case.number in weighing.browser(person).get(reverse("office:list")).content.decode()

    def test_neither_sees_the_others_sheet_before_both_are_in(self, case: Case, clock: Moment) -> None:
        assert give(case, case.reviewer, text="甲方案总平面合理，说明A1").status_code == 302
        assert not Opinion.objects.exists()
        page = shown(case, second(case))
        assert "说明A1" not in page
        assert "见报告第五章" not in page
        assert "已提交" in page
        assert "说明A1" in shown(case, case.reviewer)
        assert "说明A1" not in shown(case, weighing.decider(case))
        number = case.number
        assert number not in weighing.browser(case.reviewer).get(reverse("office:list")).content.decode()
        assert give(case, second(case), lost=1, text="乙意见，说明B2").status_code == 302
        opinion = Opinion.objects.get(case=case)
        assert opinion.approve
        assert opinion.text == "审查人一：甲方案总平面合理，说明A1\n审查人二：乙意见，说明B2"
        for person in (case.reviewer, second(case), weighing.decider(case)):
            page = shown(case, person)
            assert "审查人一 100 分、审查人二 92 分，平均 96 分，合格分 70 分；一票否决项全部符合" in page
            assert "说明A1" in page
            assert "说明B2" in page
        assert weighing.decide(case).status_code == 302
        assert Entry.objects.get(stream=case.stream, act=CaseAct.APPROVED).data["scores"]["mean"] == "96"

    def test_the_clock_of_the_review_runs_until_the_second_sheet(self, case: Case) -> None:
        give(case, case.reviewer)
        case.refresh_from_db()
        assert case.stage_deadline is not None
        assert case.stage_deadline.kind == "stage_review"
        give(case, second(case))
        case = Case.objects.select_related("stage_deadline").get(pk=case.pk)
        assert case.stage_deadline is not None
        assert case.stage_deadline.kind == "stage_decide"
        assert case.stage_deadline.is_open

    @pytest.mark.parametrize("why", ["points", "advice"])
    def test_two_that_are_apart_call_the_lead_who_sees_both(self, case: Case, why: str) -> None:
        give(case, case.reviewer, text="第一份")
        if why == "points":  # 100 and 78: 22 apart, 15 call the lead; both advise approval
            assert give(case, second(case), lost=3, text="第二份").status_code == 302
        else:
            give(case, second(case), approve=False, text="第二份")
        assert not Opinion.objects.exists()
        chosen = lead(case)
        assert chosen.pk not in {case.reviewer_id, second(case).pk, case.intake_by_id}
        assert Entry.objects.get(stream=case.stream, act=CaseAct.LEAD_CALLED).data["drawn"] == chosen.pk
        for person in (case.reviewer, second(case)):
            page = shown(case, person)
            assert ("第一份" in page) != ("第二份" in page), "still only one's own"
        assert "第一份" not in shown(case, weighing.decider(case))
        page = shown(case, chosen)
        assert "第一份" in page
        assert "第二份" in page
        assert "由您作为牵头人会办" in page
        assert weighing.decide(case).status_code == 422
        assert give(case, chosen, lost=2, text="会办意见").status_code == 302
        opinion = Opinion.objects.get(case=case)
        assert (opinion.text, opinion.reviewer_id, opinion.approve) == ("会办意见", chosen.pk, True)
        assert "牵头人 85 分，合格分 70 分" in shown(case, weighing.decider(case))
        assert weighing.decide(case).status_code == 302

    def test_none_of_them_decides(self, case: Case) -> None:
        give(case, case.reviewer)
        other = second(case)
        give(case, other)
        office = case.review_office
        Posting.objects.create(
            user=other, department=office.department, office=office, role="decider", starts_on=dt.date(2026, 1, 1)
        )
        desk = weighing.browser(other)
        assert case.number not in desk.get(reverse("office:list"), {"tab": "decide"}).content.decode()
        answer = desk.post(reverse("office:decision", args=[case.number]), {"verdict": "approve"})
        assert answer.status_code == 422
        assert "不能是同一人" in answer.content.decode()

    def test_without_a_third_the_overseers_are_told_and_the_lead_is_drawn_later(
        self, case: Case, clock: Moment
    ) -> None:
        people = Posting.objects.filter(office=case.review_office, role="reviewer")
        spare = people.exclude(user__in=[case.reviewer_id, second(case).pk]).get()
        Posting.objects.filter(pk=spare.pk).update(ends_on=dt.date(2026, 9, 1))
        give(case, case.reviewer)
        assert give(case, second(case), approve=False).status_code == 302
        assert not Sheet.objects.filter(seat="lead").exists()
        assert Message.objects.filter(kind="nobody_reviews", reference=case.stream).exists()
        url = reverse("office:lead", args=[case.number])
        desk = weighing.browser(weighing.decider(case))
        assert "抽取牵头人" in shown(case, weighing.decider(case))
        assert desk.post(url).status_code == 409
        Posting.objects.filter(pk=spare.pk).update(ends_on=None)
        assert desk.post(url).status_code == 302
        assert lead(case).pk == spare.user_id
        assert desk.post(url).status_code == 409

    def test_a_deemed_acceptance_draws_both_as_well(self, city: None, clock: Moment) -> None:
        case = play.received(clock.to("2026-09-14 10:00"), play.item(PLANNING))
        case = deem_accepted(case, by=None, now=clock.to("2026-09-28 10:00"))
        assert case.status == "in_review"
        assert second(case).pk != case.reviewer_id
        assert case.countersignatures.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("apart", [False, True])
def test_two_sheets_given_at_once_make_one_opinion_or_call_one_lead(
    transactional_db: None, clock: Moment, apart: bool
) -> None:
    demo_city.load()
    case = weighing.ready(clock.at, PLANNING)
    assert case.reviewer is not None
    one, two = browsers(case.reviewer, second(case))
    url = reverse("office:sheet", args=[case.number])
    forms: list[dict[str, Any]] = [filled(case), filled(case, approve=not apart)]
    answers = together(lambda: one.post(url, forms[0]), lambda: two.post(url, forms[1]))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Opinion.objects.filter(case=case).count() == (0 if apart else 1)
    assert Sheet.objects.filter(case=case, seat="lead").count() == (1 if apart else 0)
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.LEAD_CALLED).count() == (1 if apart else 0)
    again = together(lambda: one.post(url, forms[0]), lambda: one.post(url, forms[0]))
    assert [answer.status_code for answer in again] == [409, 409]
    assert Sheet.objects.filter(case=case, given_at__isnull=False).count() == 2
