"""A sweep and a person at the same case: nobody fails, nothing is lost, nothing rings twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection, transaction

from approvals.models import Case
from deadlines.models import Alarm, Deadline
from deadlines.sweep import SweepReport, sweep
from ledger import verify
from ledger.record import record
from tests.approvals import play
from tests.city import load as load_city
from tests.conftest import Moment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_case_that_somebody_works_on_rings_with_the_next_sweep(clock: Moment) -> None:
    load_city()
    mine, other = play.accepted(clock.at), play.accepted(clock.at)
    now = clock.to("2026-10-09 09:30")
    written, release = Event(), Event()

    def working() -> None:
        try:
            with transaction.atomic():
                case = Case.objects.lock(mine.pk)
                record(case.stream, "case.material_added", at=now)
                written.set()
                assert release.wait(30)
        finally:
            connection.close()

    def sweeping() -> SweepReport:
        try:
            return sweep(now)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        person = pool.submit(working)
        assert written.wait(30)
        first = pool.submit(sweeping).result(30)
        assert (first.failed, first.fired > 0) == ([], True)
        rung = Alarm.objects.values_list("deadline__stream", flat=True)
        assert set(rung) == {other.stream}
        release.set()
        person.result(30)
    second = sweep(now)
    assert second.failed == []
    assert set(Alarm.objects.values_list("deadline__stream", flat=True)) == {mine.stream, other.stream}
    assert not Deadline.objects.exclude(alarm_error="").exists()
    assert sweep(now).fired == 0
    assert list(verify.faults()) == []
