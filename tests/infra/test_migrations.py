"""A system with data is taken back and forward again, its guards stand, and both ways of laying tables lay the same."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scripts.runtime import ROOT
from scripts.servers import PostgresServer

pytestmark = pytest.mark.processes


def run(var_dir: Path, *words: str, **urls: str) -> str:
    """Run Python with ``words`` on the embedded default below ``var_dir``, or on the database of ``urls``."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "VAR_DIR": str(var_dir),
        "PORTAL_MODE": "demo",
        "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings",
        **urls,
    }
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


def manage(var_dir: Path, *words: str) -> str:
    """Run a management command there; it must succeed."""
    return run(var_dir, "manage.py", *words)


def yellow_days(var_dir: Path) -> dict[int, str]:
    """Open clock → the day on which it turns yellow."""
    with closing(sqlite3.connect(var_dir / "db.sqlite3")) as database:
        rows = database.execute("SELECT id, yellow_on FROM deadlines_deadline WHERE state IN ('running', 'paused')")
        return dict(rows.fetchall())


LAY = (
    "import django; django.setup(); from scripts.laying import lay_tables; assert lay_tables(); assert not lay_tables()"
)
# All apps at once: one plan, and the models of every step made once. With the signals that ``migrate`` sends around it:
# triggers that read a table are lifted before, and laid anew behind it.
BACK = """
import json, sys
import django; django.setup()
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
find = executor.loader.get_migration_by_prefix
emit_pre_migrate_signal(0, False, "default")
executor.migrate([(app, find(app, name).name) for app, name in json.loads(sys.argv[1]).items()])
emit_post_migrate_signal(0, False, "default")
"""
# Where each app stood at the last release: what came since is taken back and forward again with data in every table;
# what came before was, in its time. Going back to the first takes minutes, nearly all of them in making models anew.
RELEASED = {
    "approvals": "0011", "catalogue": "0005", "credit": "0003", "deadlines": "0007", "offices": "0004",
    "supervision": "0005",
}  # fmt: skip


Shape = dict[str, set[str]]


def clauses(sql: str) -> set[str]:
    """The columns and constraints of a ``CREATE TABLE``, in no order."""
    body, depth, parts = sql[sql.index("(") + 1 : sql.rindex(")")], 0, [""]
    for letter in body:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return {re.sub(r"\s+", " ", part).strip() for part in parts}


def shape_on_sqlite(file: Path) -> Shape:
    """Table → everything that makes it: columns, constraints, indexes, triggers."""
    shape: Shape = {}
    with closing(sqlite3.connect(file)) as database:
        for kind, table, sql in database.execute("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
            shape.setdefault(table, set()).update(clauses(sql) if kind == "table" else {sql})
    return shape


def shape_on_postgres(url: str) -> Shape:
    """The same of PostgreSQL; constraints by what they say and, where they have one of ours, by name."""
    import psycopg2

    asked = """
        SELECT c.relname, a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
            || coalesce(' ' || pg_get_expr(d.adbin, d.adrelid), '') || ' ' || a.attidentity::text
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND contype <> 'n'
        UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger
        WHERE NOT tgisinternal
    """
    shape: Shape = {}
    with closing(psycopg2.connect(url)) as database, database.cursor() as cursor:
        cursor.execute(asked)
        for table, said in cursor.fetchall():
            shape.setdefault(table, set()).add(said)
    return shape


def same(migrated: Shape, laid: Shape) -> None:
    """Both have the same tables of the same parts."""
    assert migrated
    # Django's own, and empty here: its migrations leave the key wider than its models say.
    for shape in (migrated, laid):
        shape.pop("auth_group_permissions", None)
    assert sorted(migrated) == sorted(laid)
    apart = {table: migrated[table] ^ laid[table] for table in migrated if migrated[table] != laid[table]}
    assert not apart, "\n".join(f"{table}: {sorted(parts)}" for table, parts in apart.items())


def test_later_migrations_run_on_a_database_with_cases_both_ways(tmp_path: Path) -> None:
    run(tmp_path, "-c", LAY)
    run(tmp_path, "-m", "scripts.prepare", "data")
    # Without old stock and inspection draws: a task without a linkage has no place in the tables of before.
    manage(tmp_path, "load_demo", "--no-supervising")
    kept = yellow_days(tmp_path)
    assert kept
    assert None not in kept.values()
    run(tmp_path, "-c", BACK, json.dumps(RELEASED))
    assert "Applying credit.0004" in manage(tmp_path, "migrate")
    assert yellow_days(tmp_path) == kept
    manage(tmp_path, "check", "--database", "default", "--fail-level", "WARNING")
    assert "differences 0" in manage(tmp_path, "reconcile")
    assert " 0 faults" in manage(tmp_path, "verify_ledger")
    laid = tmp_path / "laid"
    run(laid, "-c", LAY)
    same(shape_on_sqlite(tmp_path / "db.sqlite3"), shape_on_sqlite(laid / "db.sqlite3"))


def test_tables_laid_at_once_are_those_of_the_migrations_on_postgresql(tmp_path: Path) -> None:
    shapes = []
    for name, words in (("migrated", ("-m", "scripts.prepare", "data")), ("laid", ("-c", LAY))):
        folder = tmp_path / name
        folder.mkdir()
        server = PostgresServer(folder)
        server.start()
        try:
            run(folder, *words, DATABASE_URL=server.url)
            shapes.append(shape_on_postgres(server.url))
        finally:
            server.stop()
    same(*shapes)
