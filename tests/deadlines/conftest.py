"""The working calendar as shipped, moments in Asia/Shanghai, and a handler that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from deadlines import calendar as working_calendar
from deadlines import registry
from deadlines.arithmetic import Calendar
from deadlines.enums import YearStatus
from deadlines.kinds import KindCode
from deadlines.notice import read_notices
from deadlines.provisional import SOURCE, provisional_days
from deadlines.publishing import install_year
from deadlines.registry import AlarmNotice

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """``at("2026-09-28 15:00")`` in Asia/Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Heard:
    """A handler that remembers each notice as (stream, stage, missed)."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, int, tuple[int, ...]]] = []
        self.calls = 0

    def __call__(self, notices: Sequence[AlarmNotice], now: datetime) -> None:
        self.calls += 1
        self.notices.extend((notice.stream, notice.stage, notice.missed) for notice in notices)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What only PostgreSQL can show is not collected on another database."""
    if connection.vendor == "postgresql":
        return
    away = [item for item in items if item.path.parent == Path(__file__).parent and item.get_closest_marker("postgres")]
    if away:
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    working_calendar.forget()
    yield
    working_calendar.forget()


@pytest.fixture
def shipped() -> Calendar:
    """2025 and 2026 official, 2027 provisional; no database."""
    return working_calendar.shipped()


@pytest.fixture
def load_years() -> Callable[[], None]:
    """Puts the shipped years into the database."""

    def load() -> None:
        moment = at("2025-11-10 10:00")
        for year, notice in read_notices().items():
            install_year(year, notice.days(), status=YearStatus.OFFICIAL, source=notice.source, at=moment)
        install_year(2027, provisional_days(2027), status=YearStatus.PROVISIONAL, source=SOURCE, at=moment)

    return load


@pytest.fixture
def calendar(db: None, load_years: Callable[[], None]) -> Calendar:
    """The shipped years in the database."""
    load_years()
    return working_calendar.load()


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Answers every kind's alarms and remembers them."""
    handler = Heard()
    with registry.handlers(dict.fromkeys(KindCode, handler)):
        yield handler
