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
INDEX = "task_found_by_part"


def indexes() -> list[bool]:
    """Whether each index of that name can be used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX])
        return [valid for (valid,) in cursor.fetchall()]


def test_the_index_stands_and_serves_the_search(city: None, clock: Moment) -> None:
    assert indexes() == [True]
    task = some.notified(clock.at)
    some.copies(task, 30)
    for text in ("查无此家公司", task.number[-8:]):
        rows = lists.search(SupervisionTask.objects.all(), text).order_by()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            sql, params = rows.values("pk").query.sql_with_params()
            cursor.execute(f"EXPLAIN {sql}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert INDEX in plan, plan


def test_what_is_searched_is_sampled_well(city: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, attstattarget FROM pg_attribute WHERE (attrelid = to_regclass(%s) AND attname = 'upper') "
            "OR (attrelid = 'supervision_supervisiontask'::regclass AND attname IN ('number', 'end'))",
            [INDEX],
        )
        sampled = dict(cursor.fetchall())
    assert sampled["upper"] == sampled["number"] == trigrams.SAMPLED
    assert sampled["end"] != trigrams.SAMPLED


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
    assert indexes() == [True]
