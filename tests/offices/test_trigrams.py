"""Names and numbers are found by a part of them without a walk through the archive."""

from __future__ import annotations

import logging

import pytest
from django.db import connection

from offices import trigrams
from supervision import lists
from supervision.models import SupervisionTask
from tests.conftest import Moment
from tests.supervision import tasks as some

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
INDEXES = {"task_open_by_part", "task_closed_by_part"}


def indexes() -> list[bool]:
    """Whether each index of these names can be used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text = ANY(%s)", [sorted(INDEXES)])
        return [valid for (valid,) in cursor.fetchall()]


def only_these() -> None:
    """Among a few rows any index will do: the others go, until the test is over."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'supervision_supervisiontask'::regclass "
            "AND NOT indisunique AND indexrelid::regclass::text <> ALL(%s)",
            [sorted(INDEXES)],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")


@pytest.mark.parametrize("queue", ["open", "new", "closed"])
def test_an_index_serves_the_search_of_each_queue(city: None, clock: Moment, queue: str) -> None:
    assert indexes() == [True, True]
    task = some.notified(clock.at)
    only_these()
    wanted = SupervisionTask.objects.filter(status__in=lists.chosen(queue).statuses)
    for text in ("查无此家公司", task.number[-8:]):
        rows = lists.search(wanted, text).order_by()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            sql, params = rows.values("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert ("task_closed_by_part" if queue == "closed" else "task_open_by_part") in plan, plan


def test_what_is_searched_is_sampled_well(city: None) -> None:
    table = SupervisionTask._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT stxname, stxstattarget FROM pg_statistic_ext WHERE stxrelid = %s::regclass", [table])
        assert cursor.fetchall() == [(trigrams.sampled_as(table, "upper(subject_name)"), trigrams.SAMPLED)]
        cursor.execute(
            "SELECT attname, attstattarget FROM pg_attribute WHERE attrelid = %s::regclass "
            "AND attname IN ('number', 'end')",
            [table],
        )
        sampled = dict(cursor.fetchall())
    assert sampled["number"] == trigrams.SAMPLED != sampled["end"]


def test_without_the_extension_searches_go_on(city: None, clock: Moment, caplog: pytest.LogCaptureFixture) -> None:
    task = some.notified(clock.at)
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("CREATE ROLE without_rights")
        cursor.execute("SET LOCAL ROLE without_rights")
        with caplog.at_level(logging.WARNING):
            trigrams.reinstall("default")
        cursor.execute("RESET ROLE")
    assert "without trigrams" in caplog.text
    assert indexes() == []
    assert task in lists.search(SupervisionTask.objects.all(), task.subject_name[:4])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what they wait for would keep the table from its index
    trigrams.reinstall("default")
    trigrams.reinstall("default")
    assert indexes() == [True, True]
