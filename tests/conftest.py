"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.core.management.commands import flush as flush_command
from django.core.management.sql import sql_flush
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

from ledger import guards

_execute_sql_flush = BaseDatabaseOperations.execute_sql_flush


def _flush_past_the_guards(self: BaseDatabaseOperations, sql_list: Sequence[str]) -> None:
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
    assert flush_command.sql_flush is sql_flush
    BaseDatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]
