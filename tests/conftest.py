"""Fixtures that every test may use."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client, TransactionTestCase
from pytest_django import DjangoDbBlocker

from deadlines import calendar as working_calendar
from deadlines import clock as portal_clock
from ledger import guards
from lianyungang_gov import middleware
from offices.models import User
from tests import city as demo_city
from tests.situations import watched

_execute_sql_flush = BaseDatabaseOperations.execute_sql_flush


def _flush_past_the_guards(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
    """Empty the tables between transactional tests: the ledger's triggers would rightly refuse it."""
    connection: BaseDatabaseWrapper = self.connection
    guards.remove(connection)
    try:
        _execute_sql_flush(self, sql_list)
    finally:
        guards.install(connection)


# What a migration laid and no test changes: laying it anew would cost more than all the rest.
STANDING = {"django_migrations", "django_content_type", "auth_permission"}
_flush_by_django = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _empty(connection: BaseDatabaseWrapper) -> None:
    """Delete the rows of every table that has some; the ledger's triggers, which would rightly refuse, are off."""
    quote = connection.ops.quote_name
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - STANDING)
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        filled = [name for (name,) in cursor.fetchall()]
        if not filled:
            return
        deletes = "; ".join(f"DELETE FROM {quote(name)}" for name in filled)
        guards.remove(connection)
        try:
            if connection.vendor == "postgresql":
                cursor.execute(f"SET session_replication_role = replica; {deletes}; RESET session_replication_role")
            else:
                with connection.constraint_checks_disabled(), transaction.atomic():
                    for delete in deletes.split("; "):
                        cursor.execute(delete)
        finally:
            guards.install(connection)


def _may_pass_over_keys(connection: BaseDatabaseWrapper) -> bool:
    """Whether foreign keys may be left unchecked: on PostgreSQL only a superuser may."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What touches no database and starts no process comes out the same on every one."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        marked = any(item.get_closest_marker(name) for name in ("django_db", "processes", "postgres", "e2e"))
        if not marked and not names & {"db", "transactional_db", "django_db_setup"}:
            item.add_marker(pytest.mark.once)
    yield
    items[:] = _spread(items)  # last of all: others put what touches no database at the end


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files that wait for processes among the others, evenly: while one worker waits another has its core."""
    waiting: dict[Path, list[pytest.Item]] = {}
    others: dict[Path, list[pytest.Item]] = {}
    for item in items:
        (waiting if item.get_closest_marker("processes") else others).setdefault(item.path, []).append(item)
    if not waiting or not others:
        return items
    every = max(1, len(others) // len(waiting))
    files, spread = iter(waiting.values()), []
    for number, found in enumerate(others.values()):
        if number % every == 0:
            spread += next(files, [])
        spread += found
    return [*spread, *(item for found in files for item in found)]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported and collected stays; looking through it for garbage again and again is a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True, scope="session")
def _between_transactional_tests() -> None:
    """Empty the tables after a transactional test, fast: Django truncates all and lays permissions anew."""

    def teardown(self: TransactionTestCase) -> None:
        if not _may_pass_over_keys(connection):
            _flush_by_django(self)
        else:
            _empty(connection)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]
    BaseDatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def _city_beside(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo city, loaded once, for every test that asks for it."""
    with django_db_blocker.unblock(), demo_city.beside():
        _empty(connection)
        demo_city.move(to_city=True)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that asks for the city and leaves nothing behind begins in it; every other one in empty tables."""
    marker = item.get_closest_marker("django_db")
    names = getattr(item, "fixturenames", ())
    leaves = "transactional_db" in names or bool(marker and marker.kwargs.get("transaction"))
    demo_city.move(to_city="_city_beside" in names and not leaves)


@pytest.fixture
def city(_city_beside: None, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo city: units, offices, people, calendar, catalogue; no cases."""
    demo_city.load()
    with watched(lambda: any(target not in TIMED for target, *_ in monkeypatch._setattr)):
        yield


# What ``clock`` alone puts its own things into.
TIMED = (portal_clock, working_calendar, middleware)


class Moment:
    """The portal's clock in a test: it stands at ``at`` and moves only when told."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def to(self, text: str) -> dt.datetime:
        """Move to a local moment, ``2026-09-29 10:00``."""
        self.at = dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Moment:
    """The portal's clock, standing at Monday 2026-09-28 10:00 in Asia/Shanghai, for every caller of ``clock.now``."""
    moment = Moment(dt.datetime(2026, 9, 28, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    monkeypatch.setattr(portal_clock, "now", lambda: moment.at)
    # No page reads the calendar's version or writes the session anew because the machine was slow: tests count
    # statements.
    monkeypatch.setattr(working_calendar, "RECHECK_SECONDS", 3600.0)
    monkeypatch.setattr(middleware, "WRITTEN_EVERY", 3600)
    return moment


@pytest.fixture
def sign_in(city: None) -> Callable[[str], Client]:
    """Sign a demo person in and return the browser."""

    def sign(username: str) -> Client:
        browser = Client()
        browser.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
        return browser

    return sign
