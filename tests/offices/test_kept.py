"""Statements that are written once: they find what the plain query finds, for every value, person and thread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from offices import kept
from offices.access import access_for
from offices.keyset import Keyset
from offices.models import Department, Division, Posting, User
from tests.conftest import Moment


def _of(user: int, on: dt.date) -> QuerySet[Posting]:
    held = Posting.objects.active(on).filter(user=user)
    return held.select_related("department__division", "user").order_by("pk")


def _among(keys: Sequence[int], names: Sequence[str]) -> QuerySet[Department]:
    return Department.objects.filter(Q(pk__in=keys) | Q(name__in=names)).order_by("pk").prefetch_related("offices")


def test_it_finds_what_the_query_finds_for_every_value_in_one_statement(
    city: None, clock: Moment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    today = clock.at.date()
    people = list(User.objects.order_by("pk"))
    Posting.objects.filter(user=people[0]).update(ends_on=today - dt.timedelta(days=1))
    plain = {one.pk: list(_of(one.pk, today)) for one in people}
    assert len({len(found) for found in plain.values()}) > 1
    with django_assert_num_queries(len(people)):
        found = {one.pk: kept.ask("postings", _of, one.pk, today) for one in people}
        read = {
            key: [(one.user.full_name, one.department.division.name) for one in rows] for key, rows in found.items()
        }
    assert found == plain
    assert read == {key: [(o.user.full_name, o.department.division.name) for o in rows] for key, rows in plain.items()}
    some = next(key for key, rows in plain.items() if rows)
    assert kept.ask("postings", _of, some, dt.date(1990, 1, 1)) == []


def test_it_is_written_once_and_anew_for_another_key_or_twice_the_length(city: None, clock: Moment) -> None:
    written: list[int] = []

    def write(keys: Sequence[int], names: Sequence[str]) -> QuerySet[Department]:
        written.append(len(keys))
        return _among(keys, names)

    keys = list(Department.objects.order_by("pk").values_list("pk", flat=True))
    name = Department.objects.get(pk=keys[3]).name
    for wanted in (keys[:2], keys[1:3], keys[:3], keys[1:5], keys[:5], keys[:7], []):
        found = kept.ask("departments", write, wanted, [name])
        assert [one.pk for one in found] == sorted({*wanted, keys[3]})
        with CaptureQueriesContext(connection) as nothing:
            assert all(office.department_id == one.pk for one in found for office in one.offices.all())
        assert not nothing.captured_queries
    assert written == [2, 4, 8, 0]
    kept.ask("others", write, keys[:2], [name])
    kept.ask(None, write, keys[:2], [name])
    kept.ask(None, write, keys[:2], [name])
    assert written == [2, 4, 8, 0, 2, 2, 2]


def test_nothing_is_asked_where_nothing_can_be_found(
    city: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def nowhere(keys: Sequence[int]) -> QuerySet[Department]:
        return Department.objects.filter(pk__in=keys)

    with django_assert_num_queries(0):
        assert kept.ask("nowhere", nowhere, []) == []
        assert kept.count("nowhere", nowhere, []) == 0


def test_rows_are_counted_and_judged_in_one_statement(
    city: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def judged(most: str) -> QuerySet[Division]:
        whether = Case(When(code__lte=most, then=Value(True)), default=Value(False), output_field=BooleanField())
        return Division.objects.annotate(is_early=whether).order_by("-code")

    codes = sorted(Division.objects.values_list("code", flat=True))
    with django_assert_num_queries(3):
        found = [kept.counts("judged", judged, code, names=["is_early"]) for code in (codes[0], codes[-1])]
        assert kept.count("counted", lambda: Division.objects.order_by("pk")[:2]) == 2
    assert found == [{"all": len(codes), "is_early": 1}, {"all": len(codes), "is_early": len(codes)}]


@pytest.mark.django_db
@pytest.mark.parametrize("wide", [False, True])
def test_kept_pages_are_those_of_the_plain_list_forwards_and_backwards(wide: bool) -> None:
    Division.objects.bulk_create(
        Division(code=f"{n:06d}", name=f"区{n}", level="zone" if n % 3 else "county") for n in range(23)
    )
    made: list[int] = []

    def rows() -> QuerySet[Division]:
        made.append(1)
        return Division.objects.filter(level__in=["zone", "county"])

    order = ("-level", "code", "-id")
    plain, ours = (
        Keyset(rows(), order, size=5, wide=wide),
        Keyset(rows, order, size=5, wide=wide, key=("pages", wide)),
    )
    pages, cursor = [], ""
    while True:
        page = ours.page(cursor)
        assert page == plain.page(cursor)
        pages.append(page)
        if not page.next:
            break
        cursor = page.next
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    for later, earlier in zip(pages[1:], pages, strict=False):
        assert ours.page(later.previous).rows == earlier.rows
    made.clear()
    assert ours.page(pages[2].next).rows == pages[3].rows
    assert not made


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_on_its_own_connection(city: None, clock: Moment) -> None:
    today = clock.at.date()
    people = list(User.objects.order_by("pk")[:6])
    plain = [list(_of(one.pk, today)) for one in people]

    def ask(one: User) -> list[Any]:
        try:
            return [kept.ask("threads", _of, one.pk, today) for _ in range(5)]
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(ask, people))
    assert found == [[rows] * 5 for rows in plain]


def test_postings_are_read_as_they_are_now(city: None, clock: Moment) -> None:
    today = clock.at.date()
    person = User.objects.get(username="zhujian.shenchaa")
    before = access_for(person, today)
    assert before.postings
    Posting.objects.filter(user=person).update(ends_on=today - dt.timedelta(days=1))
    assert access_for(person, today).postings == ()
    person.is_active = False
    assert access_for(person, today - dt.timedelta(days=1)).postings == ()
