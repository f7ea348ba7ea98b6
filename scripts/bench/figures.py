"""The measurements themselves; run by ``scripts.bench`` on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - after the set-up
from django.db import connection  # noqa: E402

from approvals.actions import complete_case  # noqa: E402
from approvals.models import Case  # noqa: E402
from catalogue.models import BusinessItem  # noqa: E402
from deadlines.models import Deadline  # noqa: E402
from deadlines.sweep import sweep  # noqa: E402
from deadlines.tasks import HANDS  # noqa: E402
from notifications.deliver import deliver  # noqa: E402
from notifications.models import Message  # noqa: E402
from offices.models import User  # noqa: E402
from oversight.demo.cases import play, receive  # noqa: E402
from scripts.bench import (  # noqa: E402
    completion,
    data,
    desks,
    drawing,
    inbox,
    outbox,
    pages,
    previewing,
    recomputing,
    remembering,
    sweeping,
)
from scripts.bench.data import apart  # noqa: E402
from scripts.bench.measure import Figure, in_turn, keep, seconds, statements  # noqa: E402
from supervision.models import SupervisionTask  # noqa: E402

ZONE = ZoneInfo("Asia/Shanghai")
MORNING = dt.datetime(2026, 9, 28, 10, 0, tzinfo=ZONE)
RING_AT = "timestamptz '2026-09-28 09:00+08'"
DUE = 10_000


def approved_cases() -> Iterator[Case]:
    """Approved cases of one item, without end."""
    item = BusinessItem.objects.published().select_related("item").get(name="商品房预售许可")
    clerk = User.objects.get(username="chuangkou1")
    for number in itertools.count():
        yield play(receive(item, number, clerk, MORNING), "approved", clerk, MORNING)


def officer() -> User:
    """Somebody who issues licences in the demo's housing department."""
    found: User = User.objects.get(username="zhujian.shenchaa")
    return found


def completing() -> Iterator[Figure]:
    """Complete a case: ≤ 2.0 × the raw cursor, ≤ 16 statements."""
    ready = itertools.islice(approved_cases(), 2 * completion.ROUNDS + 3)
    cases = iter(list(ready))
    ours, floor = completion.pair(cases, officer(), MORNING)
    count = statements(lambda: complete_case(next(cases), by=officer(), now=MORNING)) - 1  # less the officer's row
    a, b = in_turn(ours, floor, completion.ROUNDS)
    met = a / b <= 2 and count <= 16
    yield Figure("complete a case", "ms", a * 1000, b * 1000, a / b, "≤ 2.0 ×, ≤ 16 statements", met, 1, count)


def _task() -> tuple[SupervisionTask, Deadline]:
    """A real task whose acknowledge clock runs."""
    complete_case(next(approved_cases()), by=officer(), now=MORNING)
    while deliver(MORNING).claimed:
        pass
    task = SupervisionTask.objects.filter(acknowledge_deadline__isnull=False).order_by("pk")[0]
    return task, Deadline.objects.get(acknowledge_task=task)


def sweeps() -> Iterator[Figure]:
    """An empty sweep at growing sizes, then 10,000 due alarms among all of them."""
    task, clock = _task()
    Deadline.objects.filter(state="running").update(next_alarm_at=None, next_alarm_stage=None)
    have = 0
    for size in (data.SCALE // 100, data.SCALE // 10, data.SCALE):
        data.many_clocks(clock, size - have, f"b{size}")
        have = size
        a, b = in_turn(lambda: sweep(MORNING), partial(sweeping.look, MORNING), 15)
        count = statements(lambda: sweep(MORNING))
        yield Figure("empty sweep", "ms", a * 1000, b * 1000, a / b, "≤ 3 ms, flat", a <= 0.003, size, count)
    if task.case is None:
        raise RuntimeError("the task of a completed case has no case")
    first = data.many_cases(task.case, DUE, stem="3207007")
    data.due_tasks(task, clock, DUE, RING_AT, first)
    ours, floor = [], []
    person = task.office.managers(MORNING.date())[0].pk
    for round_ in range(5):
        _again()
        ours.append(DUE / seconds(_ring))
        _again()
        floor.append(DUE / seconds(partial(sweeping.floor, MORNING, person, str(round_))))
    a, b = sorted(ours)[2], sorted(floor)[2]
    met = a >= 8000 and a / b >= 0.5
    yield Figure("sweep due alarms", "/s", a, b, a / b, "≥ 8,000/s, ≥ 0.5 of the floor", met, data.SCALE)


def _again() -> None:
    """Make the same clocks due once more, and forget that they rang."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deadlines_alarm")
        cursor.execute("DELETE FROM notifications_message WHERE kind = 'task_reminder'")
        cursor.execute(
            f"UPDATE deadlines_deadline SET next_alarm_at = {RING_AT}, next_alarm_stage = -1 "  # noqa: S608 - our literal
            "WHERE due_on = date '2026-09-29' AND kind = 'acknowledge' AND state = 'running'"
        )
        cursor.execute("ANALYZE deadlines_deadline")


def _ring() -> None:
    """One sweep; a figure of anything but 10,000 alarms with their messages would be a lie."""
    report = sweep(MORNING, hands=HANDS)
    if report.fired != DUE or Message.objects.filter(kind="task_reminder").count() != DUE:
        raise RuntimeError(f"rang {report.fired} of {DUE}")


def looking() -> Iterator[Figure]:
    """Lists and progress."""
    case = next(approved_cases())
    yield from pages.progress(case)
    yield from pages.lists(case)


def years() -> Iterator[Figure]:
    """A changed calendar, and every open clock that follows it."""
    yield from recomputing.recomputing(next(approved_cases()))


def draws() -> Iterator[Figure]:
    """A draw of 双随机 over a large pool."""
    yield from drawing.drawing(complete_case(next(approved_cases()), by=officer(), now=MORNING), officer())


def previews_of_handling() -> Iterator[Figure]:
    """Who would move by a change of the table of handling."""
    admin = User.objects.get(username="guanliyuan1")
    yield from previewing.previewing_handling(next(approved_cases()), admin)


def remembered() -> Iterator[Figure]:
    """The query at intake, the page of a subject, the credit officers' lists, in a database of their own."""
    with apart("credit"):
        yield from remembering.remembering(next(approved_cases()), officer())


def at_desks() -> Iterator[Figure]:
    """Every list and page, in a database of its own: the figures before and after have other cases."""
    with apart("desks"):
        yield from desks.figures(MORNING)


def tasks() -> Iterator[Figure]:
    """A million supervision tasks, in a database of their own."""
    with apart("tasks"):
        yield from inbox.figures(MORNING)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "desks": at_desks,  # these three before the others: they copy the database as the demo left it
    "tasks": tasks,
    "credit": remembered,
    "completion": completing,
    "pages": looking,
    "delivery": partial(outbox.delivering, MORNING),
    "sweep": sweeps,
    "recompute": years,
    "draw": draws,
    "handling": previews_of_handling,
}


def main() -> None:
    """Fill the database, run what was asked for, keep and print it."""
    logging.disable(logging.WARNING)
    wanted = sys.argv[1:] or list(FIGURES)
    call_command("migrate", verbosity=0)
    call_command("load_demo", "--no-cases", stdout=io.StringIO())
    found: list[Figure] = []
    try:
        for name in wanted:
            for figure in FIGURES[name]():
                found.append(figure)  # noqa: PERF402 - one by one: what was measured is kept when a later one fails
    finally:
        keep(found, Path(os.environ["BENCH_OUT"]))


if __name__ == "__main__":
    main()
