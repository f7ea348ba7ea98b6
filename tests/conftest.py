"""Fixtures that every test may use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client

from deadlines import clock as portal_clock
from ledger import guards
from offices.models import User
from tests.city import load as load_city

_execute_sql_flush = BaseDatabaseOperations.execute_sql_flush


def _flush_past_the_guards(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
    """Empty the tables between transactional tests: the ledger's triggers would rightly refuse it."""
    connection: BaseDatabaseWrapper = self.connection
    guards.remove(connection)
    try:
        _execute_sql_flush(self, sql_list)
    finally:
        guards.install(connection)


@pytest.fixture(autouse=True, scope="session")
def _flush_knows_the_ledger() -> None:
    """Take the ledger's guards off for the suite's own flush, and only for that."""
    BaseDatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]


@pytest.fixture
def city(db: None) -> None:
    """The demo city: units, offices, people, calendar, catalogue; no cases."""
    load_city()


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
    return moment


@pytest.fixture
def sign_in(city: None) -> Callable[[str], Client]:
    """Sign a demo person in and return the browser."""

    def sign(username: str) -> Client:
        browser = Client()
        browser.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
        return browser

    return sign
