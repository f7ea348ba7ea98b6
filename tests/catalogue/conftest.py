"""Fixtures of the catalogue's tests."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.loading import DATA, Bundle, load, read
from catalogue.models import BusinessItem
from tests.catalogue.base import MORNING, build_offices, staff_offices


@pytest.fixture
def now() -> datetime.datetime:
    """A working morning."""
    return MORNING


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The data files, read once."""
    return read()


@pytest.fixture
def offices(db: None) -> None:
    """Offices without people."""
    build_offices()


@pytest.fixture
def staffed(offices: None) -> None:
    """Offices with their managers."""
    staff_offices()


@pytest.fixture
def catalogue(staffed: None, now: datetime.datetime) -> Callable[[str], BusinessItem]:
    """The loaded catalogue, as a look-up by code."""
    load(read(), now=now)
    return lambda code: BusinessItem.objects.get(code=code)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the data files that a test may spoil."""
    for path in DATA.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(DATA)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path
