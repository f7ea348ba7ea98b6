"""Ringing due alarms, beside one statement that does the same in batches."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

FLOOR = """
WITH due AS (
    SELECT id, stream, due_on FROM deadlines_deadline
    WHERE state = 'running' AND next_alarm_at IS NOT NULL AND next_alarm_at <= %(now)s
    ORDER BY next_alarm_at, id LIMIT 500 FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE deadlines_deadline d SET next_alarm_at = %(next)s, next_alarm_stage = 0 FROM due WHERE d.id = due.id
), rung AS (
    INSERT INTO deadlines_alarm (deadline_id, due_on, stage, fired_at) SELECT id, due_on, -1, %(now)s FROM due
), kept AS (
    INSERT INTO ledger_entry (stream, seq, at, act, data, prev_hash, hash, algorithm)
    SELECT stream, coalesce((SELECT max(seq) FROM ledger_entry e WHERE e.stream = due.stream), 0) + 1, %(now)s,
           'task.alarm', jsonb_build_object('deadline', id), repeat('0', 64), repeat('0', 64), 'SM3' FROM due
)
INSERT INTO notifications_message
    (kind, to_user_id, phone, phone_hash, name_hint, text, dedupe_key, reference, bundle_key, carries, state,
     created_at, not_before, calendar_assumed, next_attempt_at, attempts, asks, client_id, gateway_id, error)
SELECT 'task_reminder', %(user)s, %(phone)s, %(hash)s, '', repeat('监', 60), 'floor:' || %(mark)s || id, stream,
       'floor', 0, 'queued', %(now)s, %(now)s, false, %(now)s, 0, 0, gen_random_uuid(), '', '' FROM due
"""


LOOK = (
    "SELECT id FROM deadlines_deadline WHERE state = 'running' AND next_alarm_at IS NOT NULL AND next_alarm_at <= %s "
    "ORDER BY next_alarm_at, id LIMIT 1"
)


def look(now: dt.datetime) -> None:
    """Ask the partial index whether anything rings."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [now])
        cursor.fetchall()


def floor(now: dt.datetime, user: int, mark: str) -> int:
    """Ring everything that is due by one statement a batch of 500; returns how many rang."""
    rung = 0
    values: dict[str, dt.datetime | int | str] = {
        "now": now,
        "next": now + dt.timedelta(days=300),
        "user": user,
        "phone": "x" * 120,
        "hash": "0" * 64,
        "mark": mark,
    }
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, values)
            if cursor.rowcount == 0:
                return rung
            rung += cursor.rowcount
