"""The query at intake with a platform: asked at the press, kept as seen; silent, its last word with its age (L7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import credit_gate
from approvals.models import Case, CreditCheck
from oversight.demo.cases import COMPANIES, code_of
from scripts.standin_credit import BY_SUBJECT, Mode, Service
from tests.approvals import play, window
from tests.conftest import Moment
from tests.credit import platforms

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db
FIRST = code_of(COMPANIES[0][0])[:17]


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    with platforms.running(settings) as found:
        yield found


def asked(clerk: Client, case: Case) -> str:
    """Press the query; the page as it then stands."""
    place = reverse("window:promise", args=[case.number])
    assert clerk.post(place, {"act": "ask"}).status_code == 302
    return window.text_of(clerk.get(place))


def grade(case: Case) -> str:
    return credit_gate.answer_of(CreditCheck.objects.get(case=case)).grade


def test_the_platforms_grade_is_asked_at_the_press_and_kept_as_seen(
    city: None, clock: Moment, sign_in: SignIn, service: Service
) -> None:
    assert isinstance(BY_SUBJECT[FIRST], dict)
    clerk, case = sign_in("chuangkou1"), play.promising(clock.at, signed=False, company=0)
    said = asked(clerk, case)
    assert "信用平台2026-09-28 10:00答复" in said
    assert grade(case) == "excellent"


def test_while_it_is_silent_its_last_word_counts_for_a_week_and_says_its_age(
    city: None, clock: Moment, sign_in: SignIn, service: Service
) -> None:
    clerk, case = sign_in("chuangkou1"), play.promising(clock.at, signed=False, company=0)
    asked(clerk, case)
    service.mode = Mode.ERROR
    clock.to("2026-09-30 10:00")
    said = asked(clerk, case)
    assert "信用平台没有答复，以下是2026-09-28 10:00的答复（查询时已过2日）" in said
    assert grade(case) == "excellent"
    later = play.promising(clock.at, signed=False, company=0)
    clock.to("2026-10-09 10:00")
    fresh = play.promising(clock.at, signed=False, company=0)
    said = asked(sign_in("chuangkou1"), fresh)
    assert "已超过7日" in said
    assert grade(fresh) == "none"
    assert later.pk != fresh.pk


def test_what_was_never_answered_is_no_good_grade(city: None, clock: Moment, sign_in: SignIn, service: Service) -> None:
    service.mode = Mode.ERROR
    clerk, case = sign_in("chuangkou1"), play.promising(clock.at, signed=False, company=0)
    said = asked(clerk, case)
    assert "以前也没有答复过；按“未评价”办理（不视为良好）" in said
    assert grade(case) == "none"
