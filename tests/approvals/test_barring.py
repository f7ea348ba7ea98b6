"""Who got a licence by fraud may not apply for it again for three years (行政许可法 art. 79), at every door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.actions import accept_case, refuse_acceptance
from approvals.actions.revoking import decide_revocation, give_notice, hear_holder
from approvals.barring import bar_of, last_day
from approvals.enums import CaseStatus, Door
from approvals.exceptions import Refused
from approvals.models import Case, NotAccepted, Revocation
from catalogue.models import BusinessItem
from tests.approvals import play, window
from tests.approvals.revoking import DECISION, FACTS, decider, proposed
from tests.conftest import Moment
from tests.credit import facts

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
FRAUD: dict[str, Any] = DECISION | {"ground": "fraud"}


def told(now: dt.datetime) -> Revocation:
    """A proposal whose holder was told of the fraud and gave up the rest."""
    one = proposed(now)
    give_notice(one, ground="fraud", facts=FACTS, days=5, by=decider(one.case), now=now)
    return hear_holder(
        one, text="没有意见。", wish="waive", waiver="当面签署放弃书", by=decider(one.case), door=Door.WINDOW, now=now
    )  # fmt: skip


def barred(now: dt.datetime) -> Revocation:
    one = told(now)
    return decide_revocation(one, revoke=True, **FRAUD, bars="yes", by=decider(one.case), now=now)


def page(one: Revocation) -> str:
    return reverse("office:revocation", args=[one.pk])


def test_where_it_was_got_by_fraud_the_decider_says_whether_it_bars(city: None, clock: Moment, sign_in: SignIn) -> None:
    one = told(clock.at)
    browser = sign_in(decider(one.case).username)
    post = {"act": "decide", "verdict": "revoke", **FRAUD}
    silent = browser.post(page(one), post)
    assert silent.status_code == 422
    assert "请选择：该许可是否属于" in window.text_of(silent)
    assert FRAUD["reason"] in window.text_of(silent)
    assert browser.post(page(one), post | {"bars": "yes"}).status_code == 302
    done = Revocation.objects.select_related("document", "licence__holder").get(pk=one.pk)
    assert done.barred_until == dt.date(2029, 9, 28)
    assert done.document is not None
    assert "2029年9月28日以前不得再次申请该许可" in str(done.document.content)
    assert "2029年9月28日以前不得再次申请" in window.text_of(browser.get(page(one)))


def test_without_a_fraud_nothing_bars(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    give_notice(one, ground="unqualified", facts=FACTS, days=5, by=decider(one.case), now=clock.at)
    hear_holder(one, text="没有。", wish="waive", waiver="放弃", by=decider(one.case), door=Door.WINDOW, now=clock.at)
    with pytest.raises(Refused) as refused:
        decide_revocation(one, revoke=True, **DECISION, bars="yes", by=decider(one.case), now=clock.at)
    assert refused.value.code == "bars-without-fraud"
    done = decide_revocation(one, revoke=True, **DECISION, by=decider(one.case), now=clock.at)
    assert done.barred_until is None
    with pytest.raises(IntegrityError, match="revocation_bars_after_fraud"), transaction.atomic():
        Revocation.objects.filter(pk=done.pk).update(barred_until=dt.date(2029, 9, 28))
    assert bar_of(one.case.applicant, one.case.business_item, clock.at.date()) is None


def test_the_bar_holds_to_its_last_day_and_for_that_licence_alone(city: None, clock: Moment) -> None:
    one = barred(clock.at)
    subject, item = one.case.applicant, one.case.business_item
    assert last_day(dt.date(2028, 2, 29)) == dt.date(2031, 2, 28)
    found = bar_of(subject, item, dt.date(2029, 9, 28))
    assert found is not None
    assert found.decided_on == dt.date(2026, 9, 28)
    assert bar_of(subject, item, dt.date(2029, 9, 29)) is None
    other = BusinessItem.objects.published().exclude(item_id=item.item_id).filter(standard_item=None).order_by("pk")[0]
    assert bar_of(subject, other, clock.at.date()) is None
    assert bar_of(facts.company(7), item, clock.at.date()) is None


def test_the_day_of_the_decision_is_said_where_the_last_day_has_no_29th(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    one = barred(clock.at)
    leap = dt.datetime(2028, 2, 29, 0, 30, tzinfo=clock.at.tzinfo)
    Revocation.objects.filter(pk=one.pk).update(decided_at=leap, barred_until=last_day(leap.date()))
    item = one.case.business_item
    known = {"subject_kind": "organisation", "identifier": one.case.applicant.code, "name": "", "item": item.code}
    said = window.text_of(sign_in("chuangkou1").post(reverse("window:subject"), known))
    assert "已于2028年2月29日被撤销" in said
    assert "2031年2月28日以前不得再次申请" in said


def test_the_window_is_told_at_the_number_and_refuses_on_that_ground_alone(
    city: None, clock: Moment, sign_in: SignIn
) -> None:
    one = barred(clock.at)
    item, clerk = one.case.business_item, sign_in("chuangkou1")
    known = {"subject_kind": "organisation", "identifier": one.case.applicant.code, "name": "", "item": item.code}
    assert "不得再次申请该行政许可" in window.text_of(clerk.post(reverse("window:subject"), known))
    case = play.received(clock.at, item)
    assert case.applicant_id == one.case.applicant_id
    with pytest.raises(Refused) as refused:
        accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    assert refused.value.code == "barred"
    refuse = reverse("window:refuse", args=[case.number])
    assert "不得再次申请该行政许可" in window.text_of(clerk.get(refuse))
    assert clerk.post(refuse, {"ground": "barred", "reason": "三年内不得再次申请。"}).status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.NOT_ACCEPTED
    assert NotAccepted.objects.get(case=case).ground == "barred"


def test_nobody_else_is_refused_on_that_ground(city: None, clock: Moment, sign_in: SignIn) -> None:
    case, clerk = play.received(clock.at), sign_in("chuangkou1")
    refuse = reverse("window:refuse", args=[case.number])
    assert "一定期限内不得再次申请" not in window.text_of(clerk.get(refuse))
    assert clerk.post(refuse, {"ground": "barred", "reason": "三年内不得再次申请。"}).status_code == 422
    with pytest.raises(Refused) as refused:
        refuse_acceptance(case, ground="barred", reason="不得再次申请。", by=play.person("chuangkou1"), now=clock.at)
    assert refused.value.code == "not-barred"
    assert Case.objects.get(pk=case.pk).status == CaseStatus.SUBMITTED
