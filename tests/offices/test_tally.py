"""Counts: bounded, one statement, and never of what somebody else, or another day, may see."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

import offices.tally
from offices.access import Access, access_for
from offices.models import Department, Posting, User
from offices.tally import tally, up_to
from tests.conftest import Moment


def _here(access: Access, name: str) -> dict[str, QuerySet[Any]]:
    """The postings of the person's departments on the day; and all that there are."""
    mine = Posting.objects.active(access.on).filter(department__in=access.departments(*Posting.Role.values))
    return {
        "mine": mine,
        "all": Posting.objects.all(),
        "none": Posting.objects.none(),
        name: mine.union(mine, all=True),
    }


def test_they_are_one_statement_and_bounded(
    city: None, clock: Moment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    access = access_for(User.objects.get(username="zhujian.shenchaa"), clock.at.date())
    with django_assert_num_queries(1):
        found = tally(access, _here, "twice", most=3)
    assert found == {"mine": 4, "all": 4, "none": 0, "twice": 4}
    assert up_to(found["all"], 3) == "3+"
    assert up_to(found["none"], 3) == "0"


def test_what_somebody_typed_is_counted_and_not_kept(city: None, clock: Moment) -> None:
    access = access_for(User.objects.get(username="zhujian.shenchaa"), clock.at.date())
    kept = tally(access, _here, "typed")
    size = offices.tally._kept.cache_info().currsize
    assert tally(access, _here, "typed", keep=False) == kept
    assert tally(access, _here, "110101199003070012", keep=False)["110101199003070012"] == kept["typed"]
    assert offices.tally._kept.cache_info().currsize == size


def test_a_kept_statement_is_not_asked_for_another_person_day_or_posting(city: None, clock: Moment) -> None:
    today = clock.at.date()
    person, other = User.objects.get(username="zhujian.shenchaa"), User.objects.get(username="fagai.chushi2")

    def mine(user: User, on: dt.date) -> int:
        return tally(access_for(user, on), _here, "x")["mine"]

    def truly(user: User, on: dt.date) -> int:
        held = Posting.objects.active(on).filter(user=user).values("department")
        return Posting.objects.active(on).filter(department__in=held).count()

    assert mine(person, today) == truly(person, today) > 0
    assert mine(other, today) == truly(other, today)
    posting = Posting.objects.active(today).filter(user=person)[0]
    elsewhere = Department.objects.exclude(pk__in=Posting.objects.filter(user=person).values("department"))
    busy = elsewhere.filter(postings__isnull=False, offices__isnull=False).distinct()[0]
    Posting.objects.filter(pk=posting.pk).update(department=busy, office=busy.offices.first())
    assert mine(person, today) == truly(person, today)
    Posting.objects.filter(user=person).update(ends_on=today)
    assert mine(person, today) == truly(person, today) > 0
    assert mine(person, today + dt.timedelta(days=1)) == 0
