"""The ledger cannot be changed, and says where it was."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from ledger import checks, guards, hashing, verify
from ledger.models import Entry
from ledger.record import Draft, record, record_many

NOW = datetime(2026, 9, 28, 1, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def _three() -> list[Entry]:
    record_many([Draft("case:1", "a"), Draft("case:2", "b"), Draft("case:1", "c", {"to": 5})], at=NOW)
    return list(Entry.objects.order_by("pk"))


def test_sm3_gives_the_standards_example() -> None:
    assert hashing.sm3(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert hashing.sm3(b"abcd" * 16) == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_each_entry_holds_the_hash_of_the_one_before() -> None:
    first, other, second = _three()
    record("case:1", "d", at=NOW)
    third = Entry.objects.get(stream="case:1", seq=3)
    assert (first.seq, second.seq, third.seq, other.seq) == (1, 2, 3, 1)
    assert second.prev_hash == first.hash
    assert third.prev_hash == second.hash
    assert list(verify.faults()) == []


def test_a_fresh_stream_needs_no_look_up(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        record_many([Draft(f"task:{n}", "opened", fresh=True) for n in range(20)], at=NOW)


def test_hundreds_at_once_are_the_same_as_one_by_one() -> None:
    data = {"名": "“引号”与\\反斜线", "n": 1.5, "none": None, "list": [1, "二"]}
    drafts = [Draft(f"task:{n % 90}", "alarm", data | {"n": n}) for n in range(300)]
    record_many(drafts, at=NOW)
    for draft in drafts[:5]:
        record(draft.stream, "after", at=NOW, data=data)
    assert Entry.objects.count() == 305
    assert list(verify.faults()) == []
    assert Entry.objects.get(stream="task:7", seq=1).data == data | {"n": 7}
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(stream="task:7", seq=1, at=NOW, act="x")


REFUSED = {
    "sqlite": (
        "UPDATE ledger_entry SET act = 'z' WHERE seq = 1",
        "DELETE FROM ledger_entry",
        "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry",
    ),
    "postgresql": (
        "UPDATE ledger_entry SET act = 'z' WHERE seq = 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "SET session_replication_role = replica; DELETE FROM ledger_entry",
    ),
}


def test_the_database_refuses_to_change_history() -> None:
    _three()
    for statement in REFUSED[connection.vendor]:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert Entry.objects.count() == 3, statement


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE ledger_entry SET act = 'z' WHERE stream = 'case:1' AND seq = 2", "case:1 #2"),
        ("DELETE FROM ledger_entry WHERE stream = 'case:1' AND seq = 1", "case:1 #1"),
        ("UPDATE ledger_entry SET data = '{\"to\": 6}' WHERE stream = 'case:1' AND seq = 2", "case:1 #2"),
    ],
)
def test_verify_ledger_names_the_first_broken_entry(statement: str, named: str) -> None:
    _three()
    guards.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_ledger", stdout=out)
    assert stop.value.code == 1
    assert named in out.getvalue()


def test_a_chain_cut_at_its_end_is_found_by_the_anchor() -> None:
    _three()
    assert verify.anchor(NOW) is not None
    assert verify.anchor(NOW) is None
    assert list(verify.anchor_faults()) == []
    guards.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE stream = 'case:2'")
    assert list(verify.faults()) == []
    assert [fault.stream for fault in verify.anchor_faults()] == ["anchor:2026-09-28"]


def test_a_missing_guard_is_a_system_check_error() -> None:
    assert checks.guards_stand(databases=["default"]) == []
    guards.remove(connection)
    assert [found.id for found in checks.guards_stand(databases=["default"])] == ["ledger.E001"]
