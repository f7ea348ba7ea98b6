"""A system with data is taken back and forward again, and its guards stand afterwards."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from scripts.runtime import ROOT

pytestmark = pytest.mark.processes


def manage(var_dir: Path, *words: str) -> str:
    """Run a management command on the embedded default below ``var_dir``; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment |= {
        "VAR_DIR": str(var_dir),
        "PORTAL_MODE": "demo",
        "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


def yellow_days(var_dir: Path) -> dict[int, str]:
    """Open clock → the day on which it turns yellow, which a data migration fills again."""
    with closing(sqlite3.connect(var_dir / "db.sqlite3")) as database:
        rows = database.execute("SELECT id, yellow_on FROM deadlines_deadline WHERE state IN ('running', 'paused')")
        return dict(rows.fetchall())


def test_later_migrations_run_on_a_database_with_cases_both_ways(tmp_path: Path) -> None:
    manage(tmp_path, "migrate")
    # Without old stock and inspection draws: a task without a linkage has no place in the tables of before.
    manage(tmp_path, "load_demo", "--no-supervising")
    kept = yellow_days(tmp_path)
    assert kept
    assert None not in kept.values()
    for app in ("approvals", "notifications", "catalogue", "credit", "deadlines", "ledger", "offices"):
        manage(tmp_path, "migrate", app, "0001")
        manage(tmp_path, "migrate")
    assert yellow_days(tmp_path) == kept
    manage(tmp_path, "check", "--database", "default", "--fail-level", "WARNING")
    assert "differences 0" in manage(tmp_path, "reconcile")
    assert " 0 faults" in manage(tmp_path, "verify_ledger")
