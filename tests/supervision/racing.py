"""Two people at one thing: both at once, or the second while the first has done it and not yet committed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from django.db import connection, transaction

from approvals.exceptions import Refused
from scripts.runtime import wait_until

Act = Callable[[], object]
WAITS_FOR_ME = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)) LIMIT 1"


def _done(act: Act) -> str:
    try:
        act()
    except Refused as error:
        return error.code
    return "done"


def together(*acts: Act) -> list[str]:
    """Run each in a thread of its own, all at once; ``done`` or the code of the refusal, in the order of the acts."""
    start = Barrier(len(acts))

    def run(act: Act) -> str:
        try:
            start.wait()
            return _done(act)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def behind(first: Act, second: Act) -> tuple[str, str]:
    """``second`` begins when ``first`` is done and not committed, and goes on as the commit of ``first`` lets it.

    What ``second`` reads before it waits for a lock is as it was before ``first``: here PostgreSQL shows what was read
    too early. ``first`` commits as soon as ``second`` waits for it, or has ended without waiting.
    """
    led, ended = Event(), Event()

    def lead() -> str:
        try:
            with transaction.atomic():
                said = _done(first)
                led.set()
                wait_until(lambda: ended.is_set() or _waited_for(), 15, 0.02)
            return said
        finally:
            led.set()
            connection.close()

    def follow() -> str:
        try:
            led.wait()
            return _done(second)
        finally:
            ended.set()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(lead), pool.submit(follow)
        return one.result(), other.result()


def _waited_for() -> bool:
    """Whether somebody waits for a lock that this transaction holds; on SQLite whoever writes does."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(WAITS_FOR_ME)
        return cursor.fetchone() is not None
