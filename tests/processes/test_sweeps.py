"""Alarms while something goes wrong with beat, time or the broker: none lost, none doubled. The embedded default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from scripts.runtime import free_port
from scripts.stack import Stack
from tests.processes import sweeping
from tests.processes.conftest import Fault
from tests.processes.sweeping import City
from tests.stacks import DEMO

pytestmark = [pytest.mark.processes, pytest.mark.twin]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, fault: Fault, django_db_blocker: DjangoDbBlocker) -> Iterator[City]:
    """On a working morning, with cases."""
    with sweeping.gateway() as gateway, django_db_blocker.unblock():
        env = DEMO | sweeping.environment(gateway, fault)
        stack = Stack(var_dir=tmp_path_factory.mktemp("sweeps"), port=free_port(), env=env)
        with sweeping.running(stack, stack.stop, gateway, fault) as made:
            yield made


def test_two_beats_by_mistake(city: City, tmp_path: Path) -> None:
    sweeping.two_beats(city, tmp_path / "second")


def test_a_day_without_beat(city: City) -> None:
    sweeping.a_day_without_beat(city)


def test_a_clock_set_back_an_hour(city: City) -> None:
    sweeping.set_back(city)


def test_a_broker_lost(city: City) -> None:
    sweeping.broker_lost(city)


def test_the_books_are_right_afterwards(city: City) -> None:
    """After all of the above; alone it says the same of a quiet morning."""
    city.portal.books_are_right()
