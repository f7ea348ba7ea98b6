"""现场核查 by two officers who see the applicant and therefore neither score nor decide (行政许可法 art. 34)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.actions.site import plan_site_check
from approvals.draws import excluded
from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case, Opinion, SiteCheck
from catalogue.models import BusinessItem
from ledger.models import Draw, Entry
from offices.models import Posting, User
from tests.approvals import play, weighing
from tests.approvals.weighing import FIRE, TRANSPORT
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Browser = Callable[[str], Client]
DAY = "2026-09-28"


@pytest.fixture
def case(city: None, clock: Moment) -> Case:
    """A case in review whose item wants a site check and has no criteria."""
    return play.accepted(clock.at, play.item(TRANSPORT))


def plan(case: Case, **form: str) -> int:
    url = reverse("office:site_plan", args=[case.number])
    return weighing.browser(case.reviewer).post(url, {"planned_on": DAY} | form).status_code


def advise(case: Case) -> tuple[int, str]:
    url = reverse("office:opinion", args=[case.number])
    answer = weighing.browser(case.reviewer).post(url, {"verdict": "approve", "text": "符合。"})
    return answer.status_code, answer.content.decode()


def report(case: Case, person: User, **form: str) -> int:
    url = reverse("office:site_check", args=[case.number])
    said = {"verdict": "conforms", "findings": "车辆十台，停车场地属实。", "place": "海州区某路1号"} | form
    return weighing.browser(person).post(url, said).status_code


def confirm(case: Case, person: User, verdict: str = "confirm", reason: str = "") -> int:
    url = reverse("office:site_check", args=[case.number])
    return weighing.browser(person).post(url, {"verdict": verdict, "reason": reason}).status_code


def both(case: Case, **form: str) -> None:
    """One reports, the other confirms."""
    check = SiteCheck.objects.get(case=case)
    assert report(case, check.first, **form) == 302
    assert confirm(case, check.second) == 302


def test_no_opinion_before_two_have_looked(case: Case, clock: Moment) -> None:
    assert "待安排" in weighing.browser(case.reviewer).get(reverse("office:case", args=[case.number])).content.decode()
    status, page = advise(case)
    assert status == 422
    assert "须由两名以上工作人员现场核查" in page
    assert plan(case) == 302
    check = SiteCheck.objects.get(case=case)
    assert check.first_id != check.second_id
    assert Draw.objects.filter(stream=case.stream, purpose="site_officer").count() == 2
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.SITE_DRAWN).count() == 2
    assert "还没有报告情况" in advise(case)[1]
    assert report(case, check.second) == 302
    assert "还没有报告情况" in advise(case)[1], "one of the two is not enough"
    assert confirm(case, check.second) == 409, "nobody confirms what is one's own"
    assert confirm(case, check.first) == 302
    assert advise(case)[0] == 302
    assert weighing.decide(case).status_code == 302


def test_site_officers_see_whose_it_is_and_reviewers_do_not_see_them(case: Case) -> None:
    plan(case)
    check = SiteCheck.objects.get(case=case)
    desk = weighing.browser(check.first)
    listed = desk.get(reverse("office:site_checks")).content.decode()
    assert case.applicant_name in listed
    assert case.number in desk.get(reverse("office:site_export")).getvalue().decode()
    shown = desk.get(reverse("office:site_check", args=[case.number])).content.decode()
    for words in (case.applicant_name, case.contact_phone, case.content, check.second.full_name):
        assert words in shown
    report(case, check.first)
    for person in (case.reviewer, weighing.decider(case)):
        page = weighing.browser(person).get(reverse("office:case", args=[case.number])).content.decode()
        assert "车辆十台，停车场地属实" not in page, "not before both stand behind it"
    assert confirm(case, check.second) == 302
    assert case.number in desk.get(reverse("office:site_checks"), {"tab": "done"}).content.decode()
    for officer in (check.first, check.second):
        answer = weighing.browser(officer).get(reverse("office:site_check", args=[case.number]))
        assert "车辆十台，停车场地属实" in answer.content.decode()
    for person in (case.reviewer, weighing.decider(case)):
        page = weighing.browser(person).get(reverse("office:case", args=[case.number])).content.decode()
        assert "车辆十台，停车场地属实" in page
        for words in (case.applicant_name, check.first.full_name, check.second.full_name, "海州区某路1号"):
            assert words not in page


def test_findings_that_name_the_applicant_are_refused(case: Case) -> None:
    plan(case)
    check = SiteCheck.objects.get(case=case)
    assert report(case, check.first, findings=f"{case.applicant_name}停车场地属实") == 422
    assert report(case, check.first, findings=" ") == 422
    assert report(case, check.first, verdict="") == 422
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.APPLICANT_NAMED).count() == 1
    assert SiteCheck.objects.get(case=case).done_at is None


def test_it_is_reported_once_by_those_who_were_drawn(case: Case) -> None:
    plan(case)
    check = SiteCheck.objects.get(case=case)
    others = Posting.objects.filter(role="site_officer").exclude(user__in=[check.first_id, check.second_id])
    assert [report(case, posting.user) for posting in others] == [404] * others.count()
    assert report(case, check.first) == 302
    assert report(case, check.second) == 422, "the other confirms, or sends it back"
    assert confirm(case, check.second, "return") == 422, "not without a reason"
    assert confirm(case, check.second, "return", "车辆只有八台") == 302
    assert report(case, check.second, findings="车辆八台。") == 302
    assert confirm(case, check.first) == 302
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.SITE_RETURNED).count() == 1
    assert SiteCheck.objects.get(case=case).findings == "车辆八台。"
    assert confirm(case, check.first) == 409
    assert report(case, check.second) == 409
    assert weighing.browser(case.reviewer).get(reverse("office:site_checks")).status_code in {403, 404}
    assert plan(case, reason="再看") == 409


def test_site_officers_neither_score_nor_decide_and_are_out_of_every_draw(case: Case) -> None:
    plan(case)
    check = SiteCheck.objects.get(case=case)
    assert {check.first_id, check.second_id} <= excluded(case)
    both(case)
    advise(case)
    office = case.review_office
    Posting.objects.create(
        user=check.first, department=office.department, office=office, role="decider", starts_on=dt.date(2026, 1, 1)
    )
    answer = weighing.browser(check.first).post(reverse("office:decision", args=[case.number]), {"verdict": "approve"})
    assert answer.status_code in {404, 422}
    case.refresh_from_db()
    assert case.status == "in_review"


def test_planned_anew_with_a_reason_two_are_drawn_again(case: Case) -> None:
    assert plan(case) == 302
    assert plan(case) == 422
    assert plan(case, reason="当日有台风", planned_on="2026-09-30") == 302
    assert SiteCheck.objects.get(case=case).planned_on == dt.date(2026, 9, 30)
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.SITE_PLANNED).count() == 2
    assert Draw.objects.filter(stream=case.stream, purpose="site_officer").count() == 4


@pytest.mark.parametrize("day", ["2026-09-27", "", "2027-01-05", "x"])
def test_the_day_lies_ahead_and_within_the_period(case: Case, day: str) -> None:
    assert plan(case, planned_on=day) == 422
    assert not SiteCheck.objects.exists()


def test_nobody_reports_before_the_planned_day(case: Case, clock: Moment) -> None:
    assert plan(case, planned_on="2026-09-29") == 302
    officer = SiteCheck.objects.get(case=case).first
    assert report(case, officer) == 422
    clock.to("2026-09-29 09:30")
    assert report(case, officer) == 302


def test_planned_anew_the_unconfirmed_report_is_gone(case: Case) -> None:
    plan(case)
    assert report(case, SiteCheck.objects.get(case=case).first) == 302
    assert plan(case, reason="核查人员意见不一") == 302
    check = SiteCheck.objects.get(case=case)
    assert (check.reported_at, check.findings, check.conforms) == (None, "", None)


def test_one_officer_is_too_few(case: Case, clock: Moment) -> None:
    keep = Posting.objects.filter(role="site_officer", office=case.review_office).order_by("pk")[0]
    Posting.objects.filter(role="site_officer", office=case.review_office).exclude(pk=keep.pk).update(
        ends_on=dt.date(2026, 9, 1)
    )
    assert case.reviewer is not None
    with pytest.raises(Refused) as refusal:
        plan_site_check(case, planned_on=dt.date(2026, 9, 29), by=case.reviewer, now=clock.at)
    assert refusal.value.code == "no-site-officers"


def test_only_the_reviewer_plans(case: Case, sign_in: Browser) -> None:
    url = reverse("office:site_plan", args=[case.number])
    other = play.holder(Posting.Role.REVIEWER, case, case.reviewer)  # type: ignore[arg-type]
    for username in (other.username, weighing.decider(case).username, "chuangkou1"):
        assert sign_in(username).post(url, {"planned_on": DAY}).status_code in {403, 404}, username


def test_a_scored_item_waits_for_the_site_as_well(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(FIRE))
    assert weighing.give(case, case.reviewer).status_code == 422
    assert plan(case) == 302
    both(case, verdict="not", findings="喷淋未联动")
    assert weighing.give(case, case.reviewer).status_code == 302
    assert Opinion.objects.get(case=case).approve
    assert weighing.decide(case).status_code == 422, "approval against the findings needs its reasons"
    assert weighing.decide(case, text="整改后复测合格，记录在卷。").status_code == 302


def test_every_item_that_wants_a_site_check_has_its_officers(city: None) -> None:
    for item in BusinessItem.objects.published().filter(site_check=True):
        officers = Posting.objects.filter(role="site_officer", office=item.review_office)
        assert officers.count() >= 2, item.name
