"""Bringing open clocks to a changed year: event, ledger entry, SMS and line of the list each, beside raw SQL.

Run as a program it is the worker of one measurement: it does what is to be done and prints seconds and peak memory.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - after the set-up

from approvals.models import Case  # noqa: E402
from deadlines import jobs  # noqa: E402
from deadlines.calendar import estimating  # noqa: E402
from deadlines.enums import DraftStatus  # noqa: E402
from deadlines.models import Deadline  # noqa: E402
from deadlines.notice import Notice  # noqa: E402
from deadlines.office import draft_year, publish  # noqa: E402
from deadlines.provisional import statutory_holidays  # noqa: E402
from notifications.models import Message  # noqa: E402
from offices.models import Posting, User  # noqa: E402
from scripts.bench.data import SCALE, copy_rows  # noqa: E402
from scripts.bench.measure import Figure  # noqa: E402
from scripts.runtime import ROOT  # noqa: E402

FLOOR = """
WITH due AS (
    SELECT id, stream, due_on, revision FROM deadlines_deadline
    WHERE state IN ('running', 'paused') AND stream LIKE 'floor:%%' AND id > %(last)s
    ORDER BY id LIMIT 500 FOR UPDATE
), moved AS (
    UPDATE deadlines_deadline d SET due_on = d.due_on + 1, yellow_on = d.yellow_on + 1, revision = d.revision + 1,
           next_alarm_at = d.next_alarm_at + interval '1 day', calendar_version = %(version)s
    FROM due WHERE d.id = due.id
), noted AS (
    INSERT INTO deadlines_clockevent (deadline_id, seq, kind, at, data)
    SELECT id, revision + 1, 'recompute', %(now)s,
           jsonb_build_object('from', due_on, 'to', due_on + 1, 'calendar', %(version)s) FROM due
), listed AS (
    INSERT INTO deadlines_calendarmove (draft_id, deadline_id, before, after, applied_at)
    SELECT %(draft)s, id, due_on, due_on + 1, %(now)s FROM due
    ON CONFLICT (draft_id, deadline_id) DO UPDATE SET applied_at = excluded.applied_at
), kept AS (
    INSERT INTO ledger_entry (stream, seq, at, act, data, prev_hash, hash, algorithm)
    SELECT stream, coalesce((SELECT max(seq) FROM ledger_entry e WHERE e.stream = due.stream), 0) + 1, %(now)s,
           'deadline_recomputed', jsonb_build_object('deadline', id, 'from', due_on, 'to', due_on + 1),
           repeat('0', 64), repeat('0', 64), 'SM3' FROM due
), said AS (
    INSERT INTO notifications_message
        (kind, phone, phone_hash, name_hint, text, dedupe_key, reference, bundle_key, carries, state, created_at,
         not_before, calendar_assumed, next_attempt_at, attempts, asks, client_id, gateway_id, error)
    SELECT 'applicant_due_moved', %(phone)s, %(hash)s, '', repeat('期', 60), 'floor:' || %(version)s || id, stream, '',
           0, 'queued', %(now)s, %(now)s, false, %(now)s, 0, 0, gen_random_uuid(), '', '' FROM due
)
SELECT max(id) FROM due
"""
ROUNDS = 3
ZONE = dt.timezone(dt.timedelta(hours=8))
NOW = dt.datetime(2026, 12, 10, 10, 0, tzinfo=ZONE)
YEAR = 2027
FIRST = dt.date(YEAR, 1, 4)


def fill(case: Case, count: int) -> None:
    """``count`` cases in review like ``case``, each with a running promised clock that ends from 5 January 2027 on.

    And as many clocks of a later year, which no change of 2027 touches, for the floor. Each has its event and an entry.
    """
    calendar = estimating()
    clock = Deadline.objects.get(promised_case=case)
    start_on = dt.date(2026, 12, 1)
    dues = [calendar.after(FIRST, n + 1) for n in range(10)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM deadlines_deadline")
        first_clock = cursor.fetchone()[0] + 1
        cursor.execute("SELECT max(id) FROM approvals_case")
        first_case = cursor.fetchone()[0] + 1
    days = ", ".join(f"date '{day}'" for day in dues)
    due_on = f"(ARRAY[{days}])[mod(n, 10) + 1]"
    changed = {
        "stream": f"'case:' || ({first_case} + n - 1)",
        "state": "'running'",
        "closed_at": "NULL",
        "started_at": f"timestamptz '{start_on} 10:00+08'",
        "start_on": f"date '{start_on}'",
        "length": f"(ARRAY{[calendar.count(start_on, day) for day in dues]})[mod(n, 10) + 1]",
        "due_on": due_on,
        "yellow_on": f"{due_on} - 7",
        "provisional": "true",
        "calendar_version": f"'{calendar.version(start_on, dues[-1])}'",
        "next_alarm_at": f"{due_on} + time '01:00'",
        "next_alarm_stage": "0",
        "revision": "1",
    }
    copy_rows("deadlines_deadline", clock.pk, count, changed)
    later = {"stream": "'floor:' || n", "start_on": "date '2029-12-01'", "due_on": f"{due_on} + 1096"}
    copy_rows("deadlines_deadline", clock.pk, count, changed | later)
    copy_rows(
        "approvals_case",
        case.pk,
        count,
        {
            "number": "'3207006' || lpad(n::text, 14, '0')",
            "intake_key": "gen_random_uuid()",
            "status": "'in_review'",
            "promised_deadline_id": f"{first_clock} + n - 1",
        }
        | {f"{stem}_deadline_id": "NULL" for stem in ("notice", "answer", "statutory", "issue", "stage", "procedure")},
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deadlines_clockevent (deadline_id, seq, kind, at, data) SELECT id, 1, 'start', started_at, "
            "jsonb_build_object('length', length, 'unit', unit, 'calendar', calendar_version) "
            "FROM deadlines_deadline WHERE id >= %s",
            [first_clock],
        )
        cursor.execute(
            "INSERT INTO ledger_entry (stream, seq, at, act, data, prev_hash, hash, algorithm) SELECT stream, 1, "
            "started_at, 'deadline_started', '{}', repeat('0', 64), repeat('0', 64), 'SM3' "
            "FROM deadlines_deadline WHERE id >= %s",
            [first_clock],
        )
        cursor.execute("ANALYZE deadlines_deadline")
        cursor.execute("ANALYZE deadlines_clockevent")
        cursor.execute("ANALYZE ledger_entry")


def work() -> dict[str, float]:
    """Do what the drafts want in a process of its own: {seconds, mebibytes at the peak}."""
    command = [sys.executable, "-m", "scripts.bench.recomputing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def floor(draft: int, version: str) -> float:
    """Seconds of one statement a batch of 500 that writes the same rows."""
    message = Message.objects.filter(kind="applicant_due_moved").first()
    values = {"now": NOW, "draft": draft, "version": version, "last": 0,
              "phone": message.phone if message else "", "hash": "0" * 64}  # fmt: skip
    start = time.perf_counter()
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, values)
            last = cursor.fetchone()[0]
        if last is None:
            return time.perf_counter() - start
        values["last"] = last


def recomputing(case: Case) -> Iterator[Figure]:
    """Publish 2027 again and again, a day off more each time: every clock moves by a working day."""
    count = SCALE // 10
    fill(case, count)
    person = User.objects.filter(postings__role=Posting.Role.OVERSEER).order_by("pk")[0]
    previews, applied, floors = [], [], []
    off = statutory_holidays(YEAR)
    for number in range(ROUNDS):
        off[FIRST + dt.timedelta(days=number)] = "放假"
        draft = draft_year(Notice(YEAR, "通知", off=dict(off)), by=person, now=NOW)
        previews.append(work())
        draft.refresh_from_db()
        publish(draft, by=person, now=NOW)
        applied.append(work())
        draft.refresh_from_db()
        told = Message.objects.filter(dedupe_key__endswith=f":calendar:{YEAR}.{number + 2}").count()
        if (draft.status, draft.moved, told) != (DraftStatus.APPLIED, count, count):
            raise RuntimeError(f"{draft.status}: moved {draft.moved} and told {told} of {count}")
        floors.append(floor(draft.pk, f"2026.1+2027.{number}"))
    a, b = sorted(run["seconds"] for run in applied)[ROUNDS // 2], sorted(floors)[ROUNDS // 2]
    most = max(run["mebibytes"] for run in applied + previews)
    yield Figure("recompute open clocks", "s", a, b, a / b, "≤ 60 s for 100,000", a <= 60, count)
    yield Figure("recompute: peak memory", "MiB", most, None, None, "≤ 200 MiB", most <= 200, count)
    a = sorted(run["seconds"] for run in previews)[ROUNDS // 2]
    yield Figure("preview a year", "s", a, None, None, "≤ 60 s for 100,000", a <= 60, count)


def main() -> None:
    """The worker of one measurement."""
    logging.disable(logging.WARNING)
    start = time.perf_counter()
    jobs.run()
    took = time.perf_counter() - start
    print(json.dumps({"seconds": took, "mebibytes": peak()}))


def peak() -> float:
    """The most memory that this process ever held, Python, Django and all apps included, in MiB.

    From the kernel's VmHWM: ``ru_maxrss`` of a child begins with what its parent had when it was started.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main()
