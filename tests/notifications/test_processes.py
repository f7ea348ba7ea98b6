"""Real workers killed at every marked point: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from ledger.models import Entry
from notifications.claims import LEASE
from notifications.enums import State
from notifications.models import Message
from notifications.schedule import GATHER
from tests.notifications.conftest import NOW, Send
from tests.notifications.gateway import TOKEN, Gateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def database_url() -> str:
    """The address of the tests' database, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def worker(gateway: Gateway, marker: Path, *moments: datetime) -> int:
    """Let a worker run, which dies at the point named in ``marker``; return its exit code."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "SMS_TRANSPORT": "http",
        "SMS_GATEWAY_URL": gateway.url,
        "SMS_GATEWAY_TOKEN": TOKEN,
        "FAULT_FILE": str(marker),
    }
    command = [sys.executable, "-m", "tests.notifications.worker", *(moment.isoformat() for moment in moments)]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=False, timeout=60).returncode


@pytest.mark.parametrize("point", ["outbox.claimed", "outbox.sent", "outbox.recorded"])
def test_a_worker_killed_at_this_point_loses_and_doubles_nothing(
    send: Send, gateway: Gateway, tmp_path: Path, point: str
) -> None:
    send("t1", "t2", "t3")
    send("r1", "r2", kind="reminder", bundle_key="day")
    due = NOW + GATHER
    marker = tmp_path / "fault"
    marker.write_text(point)
    assert worker(gateway, marker, due) == -signal.SIGKILL
    assert worker(gateway, marker, due, due + LEASE, due + LEASE + timedelta(minutes=5)) == 0
    assert Counter(Message.objects.values_list("state", flat=True)) == {State.ACCEPTED: 5}
    assert (len(gateway.taken), gateway.doubled) == (4, [])
    heard = Counter(Entry.objects.filter(act="accepted").values_list("stream", flat=True))
    assert heard == {f"message:{message.pk}": 1 for message in Message.objects.all()}
