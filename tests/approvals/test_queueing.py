"""The day by which a case stands in the queue of its office is that of its clock, whoever wrote what and however."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from approvals import queueing
from approvals.enums import CaseStatus as S
from approvals.models import Case
from approvals.models.cases import AT_ONCE, NO_QUEUE
from deadlines.enums import State
from deadlines.models import Deadline
from offices.models import User
from supervision.reconcile import differences
from tests.approvals import play
from tests.approvals.window import text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def held(case: Case) -> dt.date:
    """The day in the row."""
    found: dt.date = Case.objects.values_list("queue_on", flat=True).get(pk=case.pk)
    return found


def change(case: Case, clock: str, **values: object) -> None:
    """Write ``values`` into that clock of the case."""
    Deadline.objects.filter(**{f"{clock.removesuffix('_deadline')}_case": case}).update(**values)


def due(case: Case, clock: str) -> dt.date:
    """The due day of that clock of the case, as it stands now."""
    found: dt.date = Case.objects.values_list(f"{clock}__due_on", flat=True).get(pk=case.pk)
    return found


def test_it_follows_the_case_from_the_window_to_the_licence(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    assert held(case) == NO_QUEUE
    case = play.accepted(clock.at)
    assert case.promised_deadline_id is not None
    assert held(case) == due(case, "promised_deadline")
    case = play.approved(clock.at)
    assert held(case) == due(case, "issue_deadline")
    case = play.completed(clock.at)
    assert held(case) == NO_QUEUE
    assert not list(queueing.differences())


def test_without_a_promised_clock_it_is_the_lawful_one(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    Case.objects.filter(pk=case.pk).update(promised_deadline=None)
    assert held(case) == due(case, "statutory_deadline") < NO_QUEUE


def test_what_is_decided_on_the_spot_stands_before_all_others(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    Case.objects.filter(pk=case.pk).update(on_the_spot=True)
    assert held(case) == AT_ONCE
    Case.objects.filter(pk=case.pk).update(on_the_spot=False)
    assert held(case) == due(case, "promised_deadline")


def test_it_moves_with_its_clock_and_with_no_other(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    day = held(case)
    change(case, "statutory_deadline", due_on=day - dt.timedelta(days=1))
    assert held(case) == day
    older = Case.objects.get(pk=case.pk)
    change(case, "promised_deadline", due_on=day + dt.timedelta(days=3))
    assert held(case) == day + dt.timedelta(days=3)
    older.save()
    assert held(case) == day + dt.timedelta(days=3), "a case saved from an older look keeps its day"


def test_the_queue_stands_in_that_order_and_the_late_ones_are_those_whose_clock_runs(
    city: None, sign_in: SignIn, clock: Moment
) -> None:
    User.objects.filter(username="zhujian.shenchab").update(is_active=False)
    first, second, third, spot = (play.accepted(clock.at) for _ in range(4))
    today = clock.at.date()
    for case, days in ((first, 9), (second, 3), (third, 2), (spot, 12)):
        change(case, "promised_deadline", due_on=today + dt.timedelta(days=days))
    change(third, "promised_deadline", state=State.PAUSED, next_alarm_at=None, next_alarm_stage=None)
    Case.objects.filter(pk=spot.pk).update(on_the_spot=True)
    clock.at += dt.timedelta(days=5)
    page = text_of(sign_in("zhujian.shenchaa").get("/office/", {"tab": "review"}))
    places = [page.index(f">{case.number}") for case in (spot, third, second, first)]
    assert places == sorted(places)
    late = text_of(sign_in("zhujian.shenchaa").get("/office/", {"tab": "review", "late": "1"}))
    assert [case.number in late for case in (first, second, third, spot)] == [False, True, False, False]


def test_what_was_written_past_the_database_is_named_and_mended(city: None, clock: Moment) -> None:
    case, whole = play.accepted(clock.at), play.accepted(clock.at)
    day = held(case)
    assert queueing.triggers_stand(["default"]) == []
    queueing.remove(connection)
    [said] = queueing.triggers_stand(["default"])
    assert said.id == "approvals.W001"
    Case.objects.filter(pk=case.pk).update(queue_on=day - dt.timedelta(days=1))
    [named] = [one for one in differences(clock.at) if "queue" in one]
    assert case.number in named
    assert whole.number not in named
    assert queueing.write_days(connection) == 1
    assert held(case) == day
    queueing.DAY.reinstall("default")
    assert queueing.triggers_stand(["default"]) == []
    Case.objects.filter(pk=case.pk).update(status=S.ACCEPTED)
    assert held(case) == NO_QUEUE
