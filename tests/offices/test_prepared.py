"""Statements that PostgreSQL keeps: prepared once a connection, asked by name, right for everybody who asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from offices import kept, prepared
from offices.access import Access, access_for
from offices.models import Department, Posting, User
from offices.tally import tally
from tests.conftest import Moment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def _named(names: Sequence[str], on: dt.date) -> QuerySet[Posting]:
    held = Posting.objects.active(on).filter(user__username__in=names)
    return held.select_related("user").order_by("pk")


def _own(access: Access) -> dict[str, QuerySet[Posting]]:
    mine = Posting.objects.filter(user=access.user)
    return {"held": mine, "heads": mine.filter(role=Posting.Role.DEPARTMENT_HEAD)}


def _standing() -> set[str]:
    """The names that the connection's session keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'kept_%'")
        return {name for (name,) in cursor.fetchall()}


def test_what_is_asked_again_is_asked_by_its_name(city: None, clock: Moment) -> None:
    today = clock.at.date()
    people = list(User.objects.order_by("pk").values_list("username", flat=True)[:8])
    for names in (people[:3], people[3:5], people[5:]):
        with CaptureQueriesContext(connection) as seen:
            found = kept.ask("by name", _named, names, today)
        assert len(seen) == 1
        assert seen[0]["sql"].startswith("EXECUTE kept_")
        assert found == list(_named(names, today))
    assert kept.ask("by name", _named, people[:3], dt.date(1990, 1, 1)) == []
    assert len(_standing()) >= 2, "one for up to four names, one for up to two"


def test_a_person_s_counts_are_the_person_s_own(city: None, clock: Moment) -> None:
    today = clock.at.date()
    people = list(User.objects.filter(postings__isnull=False).distinct().order_by("pk")[:6])
    plain = {one.pk: {name: rows.count() for name, rows in _own(access_for(one, today)).items()} for one in people}
    for _ in range(7):  # the sixth time on PostgreSQL may use another plan
        for one in people:
            assert tally(access_for(one, today), _own) == plain[one.pk]
    added = Posting.objects.filter(user=people[0])[0]
    added.pk, added.starts_on = None, today
    added.save(force_insert=True)
    assert tally(access_for(people[0], today), _own)["held"] == plain[people[0].pk]["held"] + 1


def test_a_statement_with_gaps_that_says_whose_rows_it_wants_is_planned_each_time(city: None) -> None:
    own = Department.objects.order_by("pk")[0].pk

    def behind(name: str) -> QuerySet[Department]:
        return Department.objects.filter(pk__gte=own, name__gt=name).order_by("name", "pk")

    with CaptureQueriesContext(connection) as seen:
        kept.ask(("behind", own), behind, "市")
    assert seen[0]["sql"].startswith("SELECT")


def test_the_oldest_makes_room(city: None, clock: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST", 3)
    connection.close()
    user = User.objects.order_by("pk")[0].pk

    def asked(day: dt.date) -> list[Posting]:
        return kept.ask(("room", day), lambda key: Posting.objects.active(day).filter(user__pk=key), user)

    days = [clock.at.date() + dt.timedelta(days=number) for number in range(6)]
    for day in [*days, *days]:
        assert asked(day) == list(Posting.objects.active(day).filter(user=user))
        assert len(_standing()) <= 3


def test_a_new_connection_and_a_rollback_lose_nothing(city: None, clock: Moment) -> None:
    today, name = clock.at.date(), User.objects.order_by("pk")[0].username
    plain = list(_named([name], today))
    assert kept.ask("lost", _named, [name], today) == plain
    connection.close()
    assert kept.ask("lost", _named, [name], today) == plain
    connection.close()
    with transaction.atomic():
        assert kept.ask("lost", _named, [name], today) == plain
        transaction.set_rollback(True)
    assert kept.ask("lost", _named, [name], today) == plain


def test_threads_keep_statements_of_their_own(city: None, clock: Moment) -> None:
    today = clock.at.date()
    names = list(User.objects.order_by("pk").values_list("username", flat=True)[:6])
    plain = [list(_named([name], today)) for name in names]

    def ask(name: str) -> list[list[Posting]]:
        try:
            return [kept.ask("threaded", _named, [name], today) for _ in range(7)]
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(ask, names))
    assert found == [[rows] * 7 for rows in plain]


def test_behind_a_pooler_nothing_is_prepared(city: None, clock: Moment, settings: Settings) -> None:
    settings.PREPARED_STATEMENTS = False
    with CaptureQueriesContext(connection) as seen:
        kept.ask("pooled", _named, ["chuangkou1"], clock.at.date())
        tally(access_for(User.objects.get(username="chuangkou2"), clock.at.date()), _own)
    assert not [one for one in seen if one["sql"].startswith("EXECUTE") and "pooled" in one["sql"]]
    assert seen[0]["sql"].startswith("SELECT")
