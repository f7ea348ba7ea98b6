"""Hundreds of rows in one statement are the same rows, whatever stands in them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection

from ledger.models import Entry
from notifications.models import Message
from notifications.outbox import Draft, post
from offices.bulk import FEW, among, array, insert_rows, update_rows
from offices.models import User
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
TEXTS = (
    "", "海州湾置业", "a,b", "{x}", '"quoted"', "it's", "back\\slash", "NULL", "两\n行\t", "%s %(a)s", "😀", " ",
    "\x1f", "\x1e", "a\x1fb\x1ec",
)  # fmt: skip
COLUMNS = (
    "kind", "to_user_id", "phone", "text", "dedupe_key", "reference", "due_on", "created_at", "not_before",
    "next_attempt_at", "calendar_assumed", "client_id",
)  # fmt: skip


def messages(now: dt.datetime, texts: tuple[str, ...], *, alike: bool) -> list[tuple[Any, ...]]:
    """Rows of the outbox with every kind of value, absent ones among them."""
    user = User.objects.order_by("pk")[0].pk
    rows = []
    for number in range(FEW + 15):
        odd = bool(number % 2) and not alike
        at = now if alike else now + dt.timedelta(microseconds=number * 7)
        rows.append(
            (
                "task_reminder", user if odd else None, f"139000000{number:02d}", texts[number % len(texts)],
                f"key:{number}:{texts[number % len(texts)]}", f"task:{number}", now.date() if odd else None, at, at,
                at, odd, uuid.UUID(int=number + 1),
            )
        )  # fmt: skip
    return rows


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("texts", [TEXTS, TEXTS[:12], ("",)])
def test_every_value_is_the_one_that_was_given(city: None, clock: Moment, texts: tuple[str, ...], alike: bool) -> None:
    rows = messages(clock.at, texts, alike=alike)
    insert_rows(Message, COLUMNS, rows)
    kept = Message.objects.filter(reference__in=[row[5] for row in rows]).order_by("client_id")
    assert [tuple(getattr(one, name) for name in COLUMNS) for one in kept] == rows
    assert {(one.attempts, one.error, one.state) for one in kept} == {(0, "", "queued")}
    later = clock.at + dt.timedelta(days=3)
    changed = [(one.pk, one.text[::-1], None if one.pk % 2 else one.created_at, later) for one in kept]
    update_rows(Message, ["error", "accepted_at", "next_attempt_at"], changed)
    for one, (pk, error, at, _) in zip(kept.all(), changed, strict=True):
        assert (one.pk, one.error, one.accepted_at, one.next_attempt_at) == (pk, error, at, later)


def test_json_numbers_and_absent_people_come_back(city: None, clock: Moment) -> None:
    actor = User.objects.order_by("pk")[0].pk
    rows = [
        (
            "test:bulk", number, clock.at, actor if number % 3 else None, "test.bulk", data, "0" * 64,
            f"{number:064d}", "SM3",
        )
        for number, data in enumerate([{"a": [1, None, text], "键": text} for text in TEXTS] * 2, start=1)
    ]  # fmt: skip
    columns = ("stream", "seq", "at", "actor_id", "act", "data", "prev_hash", "hash", "algorithm")
    insert_rows(Entry, columns, rows)
    kept = Entry.objects.filter(stream="test:bulk").order_by("seq")
    assert [tuple(getattr(one, name) for name in columns) for one in kept] == rows


def test_many_keys_are_those_keys(city: None) -> None:
    keys = list(User.objects.values_list("pk", flat=True))
    assert len(keys) > FEW
    assert set(User.objects.filter(pk__in=among(keys[:-1])).values_list("pk", flat=True)) == set(keys[:-1])


def test_messages_have_numbers_of_their_own(city: None, clock: Moment) -> None:
    drafts = [
        Draft(kind="task_reminder", text="文", dedupe_key=f"own:{number}", reference="task:1", phone="13900000001")
        for number in range(FEW * 3)
    ]
    post(drafts, clock.at)
    ours = list(Message.objects.filter(dedupe_key__startswith="own:").values_list("client_id", flat=True))
    assert len(set(ours)) == len(drafts)
    assert {(one.version, one.variant) for one in ours} == {(4, uuid.RFC_4122)}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", [*TEXTS, None]),
        ("text", [""]),
        ("text", [None]),
        ("text", ["", ""]),
        ("text", ["x", None, ""]),
        ("bigint", [1, -2, None, 2**62]),
        ("boolean", [True, None, False]),
        ("date", [dt.date(2026, 9, 28), None, dt.date.max]),
        ("uuid", [uuid.UUID(int=5), None]),
    ],
)
def test_an_array_written_as_one_text_is_that_array(kind: str, values: list[Any]) -> None:
    sql, given = array(values, kind)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT u::text FROM unnest({sql}) WITH ORDINALITY AS t(u, n) ORDER BY n", [given])
        found = [one for (one,) in cursor.fetchall()]
    said = [one if one is None else str(one) for one in values]
    assert found == ([one and one.lower() for one in said] if kind == "boolean" else said)
