"""Real workers killed over thousands of pushes to a platform with errors, silence and doubled requests: all add up."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as portal
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from credit.models import CreditRecord, CreditSubject, Push
from credit.pushing import LEASE, PushAct, payload
from ledger.models import Entry
from scripts.runtime import wait_until
from scripts.standin_credit import Mode, Service
from tests.conftest import Moment
from tests.credit.platforms import TOKEN, company, queued, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
SUBJECTS, EACH = 500, 10
POINTS = ("credit.claimed", "credit.sent", "credit.recorded")


def database_url() -> str:
    """The address of the tests' database, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def start(service: Service, marker: Path, *moments: dt.datetime, timeout: float = 2.0) -> subprocess.Popen[bytes]:
    """A worker, which dies at the point named in ``marker``."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "CREDIT_URL": service.url,
        "CREDIT_TOKEN": TOKEN,
        "CREDIT_TIMEOUT": str(timeout),
        "FAULT_FILE": str(marker),
    }
    command = [sys.executable, "-m", "tests.credit.worker", *(moment.isoformat() for moment in moments)]
    return subprocess.Popen(command, cwd=portal.BASE_DIR, env=environment)


def later(clock: Moment, rounds: int) -> list[dt.datetime]:
    """Moments at which whatever failed or was left under a lease is due again."""
    return [clock.at + step * dt.timedelta(hours=3) for step in range(rounds)]


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_this_point_loses_and_doubles_nothing(
    settings: Settings, clock: Moment, tmp_path: Path, point: str
) -> None:
    with running(settings) as service:
        for source in ("甲", "乙"):
            queued(company(), clock.at, source)
            queued(company("91320700MA1PXH002"), clock.at, source)
        marker = tmp_path / "fault"
        marker.write_text(point)
        assert start(service, marker, clock.at).wait(60) == -signal.SIGKILL
        assert not marker.exists()
        assert start(service, marker, clock.at, clock.at + LEASE, clock.at + 2 * LEASE).wait(60) == 0
        assert Counter(Push.objects.values_list("state", flat=True)) == {"accepted": 4}
        assert (len(service.taken), service.out_of_order) == (4, [])
        assert Entry.objects.filter(act=PushAct.ACCEPTED).count() == 4
        # Asked twice only where the answer died with the worker.
        assert set(service.came.values()) <= {1, 2}


def _lay(now: dt.datetime) -> None:
    """Five thousand pushes of five hundred subjects, as ``queue`` makes them."""
    subjects = [company(f"91320700MA1PQ{number:04d}") for number in range(SUBJECTS)]
    records = CreditRecord.objects.bulk_create(
        CreditRecord(
            subject=subject, kind="kept_promise", source=f"JG{step}", basis="连政办发〔2022〕67号", found_at=now
        )
        for step in range(EACH)
        for subject in subjects
    )
    seqs: Counter[int] = Counter()
    pushes = []
    for record in records:
        seqs[record.subject_id] += 1
        pushes.append(
            Push(
                subject_id=record.subject_id, seq=seqs[record.subject_id], kind="record", record=record,
                payload=payload(record, record.subject), queued_at=now, next_attempt_at=now,
            )
        )  # fmt: skip
    Push.objects.bulk_create(pushes)


def test_five_thousand_pushes_with_errors_silence_doubles_and_two_kills(
    settings: Settings, clock: Moment, tmp_path: Path
) -> None:
    _lay(clock.at)
    assert (CreditSubject.objects.count(), Push.objects.count()) == (SUBJECTS, SUBJECTS * EACH)
    with running(settings, errors=0.05, timeouts=0.05, duplicates=0.02) as service:
        marker = tmp_path / "none"
        moments = later(clock, 40)
        for many, when in ((1200, moments[:4]), (2600, moments[4:8])):
            worker = start(service, marker, *when, timeout=0.25)
            assert wait_until(lambda many=many: len(service.taken) >= many, 60, 0.01)  # type: ignore[misc]
            worker.kill()
            assert worker.wait(10) == -signal.SIGKILL
        assert start(service, marker, *moments[8:], timeout=0.25).wait(120) == 0
        clock.at = moments[-1]
        assert Counter(Push.objects.values_list("state", flat=True)) == {"accepted": SUBJECTS * EACH}
        # Once in effect, in order, whatever came how often.
        assert (len(service.taken), service.out_of_order) == (SUBJECTS * EACH, [])
        assert sum(service.came.values()) > SUBJECTS * EACH + 200  # the killed batch, the lost answers, the doubles
        shares = {mode: service.played[mode] / service.played.total() for mode in Mode}
        assert shares[Mode.ERROR] == pytest.approx(0.05, abs=0.015)
        assert shares[Mode.LOST] + shares[Mode.SILENT] == pytest.approx(0.05, abs=0.015)
        assert shares[Mode.TWICE] == pytest.approx(0.02, abs=0.01)
        assert Entry.objects.filter(act=PushAct.ACCEPTED).count() == SUBJECTS * EACH
        out = StringIO()
        call_command("reconcile_credit", "--platform", stdout=out)
        assert out.getvalue().strip() == "records 5000, queued 0, accepted 5000, dead 0, differences 0"
