"""kill -9 at a marked point, and what the whole database says before and after."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection


def killed_at(point: str, act: Callable[[], object], file: Path) -> bool:
    """Run ``act`` in a process of its own with a connection of its own, armed to die at ``point``; whether it did."""
    file.write_text(point)
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            connection.connection = None
            settings.FAULT_FILE = str(file)
            act()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as it is stored, by table."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            found[model._meta.db_table] = cursor.fetchall()
    return found


def books_are_right() -> None:
    """``reconcile`` and ``verify_ledger`` find nothing."""
    for command, last in (("reconcile", "differences 0"), ("verify_ledger", " 0 faults")):
        said = StringIO()
        call_command(command, stdout=said)
        assert said.getvalue().strip().endswith(last), said.getvalue()


def dies(point: str, act: Callable[[], Any], file: Path) -> None:
    """``act`` is killed at ``point``: not a single row of the database is another one afterwards."""
    before = everything()
    assert killed_at(point, act, file), point
    assert not file.exists()
    assert everything() == before, point
    books_are_right()


def dies_once(point: str, act: Callable[[], Any], file: Path) -> Any:
    """``act`` is killed at ``point``, and then done; returns what it returns."""
    dies(point, act, file)
    done = act()
    books_are_right()
    return done
