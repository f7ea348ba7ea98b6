"""An anchor never stands above an entry that is still in flight."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest
from django.db import connection, transaction

from ledger import verify
from ledger.record import record

NOW = datetime(2026, 9, 28, 1, 0, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_the_anchor_waits_for_an_entry_that_is_not_yet_committed() -> None:
    record("case:1", "a", at=NOW)
    written, release = Event(), Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                record("case:2", "b", at=NOW)
                written.set()
                release.wait(20)
        finally:
            connection.close()

    def anchoring() -> None:
        try:
            verify.anchor(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(slow_writer)
        assert written.wait(20)
        record("case:3", "c", at=NOW)  # a higher id, committed first
        anchored = pool.submit(anchoring)
        with pytest.raises(TimeoutError):
            anchored.result(timeout=0.5)
        release.set()
        writer.result(20)
        anchored.result(20)
    assert list(verify.anchor_faults()) == []
