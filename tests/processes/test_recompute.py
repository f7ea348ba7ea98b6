"""kill -9 while a published year moves its clocks, on the embedded default."""

from __future__ import annotations

import pytest
from pytest_django import DjangoDbBlocker

from tests.processes.conftest import Fault
from tests.processes.portal import Portal
from tests.processes.recomputing import IN_THE_PRESS, Office, published_over_a_crowd
from tests.processes.sweeping import database_of

pytestmark = [pytest.mark.processes, pytest.mark.twin]


def test_the_worker_dies_over_and_over_and_nothing_doubles(
    portal: Portal, fault: Fault, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock(), database_of(portal.stack):
        published_over_a_crowd(Office(portal, fault, 2000), dies=IN_THE_PRESS)
