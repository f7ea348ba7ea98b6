"""Timing two sides in turn, counting statements, and keeping what came of it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``ours`` and ``floor`` in ``unit``; ``ratio`` = ours / floor; ``statements`` of one operation."""

    name: str
    unit: str
    ours: float
    floor: float | None
    ratio: float | None
    target: str
    met: bool
    rows: int
    statements: int | None = None


def seconds(act: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def all_in_turn(sides: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median seconds of each side, measured in turn so that a noisy minute hits all."""
    taken = [[seconds(side) for side in sides] for _ in range(rounds)]
    return [statistics.median(side) for side in zip(*taken, strict=True)]


def in_turn(ours: Callable[[], object], floor: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of both sides."""
    first, second = all_in_turn((ours, floor), rounds)
    return first, second


def median(act: Callable[[], object], rounds: int) -> float:
    """Median seconds of one side."""
    return statistics.median(seconds(act) for _ in range(rounds))


def statements(act: Callable[[], object]) -> int:
    """How many statements one call sends, savepoints and transaction marks left out."""
    with CaptureQueriesContext(connection) as seen:
        act()
    marks = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not query["sql"].startswith(marks) for query in seen.captured_queries)


def keep(figures: list[Figure], path: Path) -> None:
    """Write ``figures`` as JSON and print them as a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=1) + "\n")
    head = ("figure", "ours", "floor", "ratio", "target", "met", "rows", "statements")
    table = [head]
    for f in figures:
        floor = "—" if f.floor is None else f"{f.floor:,.2f}"
        ratio = "—" if f.ratio is None else f"{f.ratio:.2f}"
        table.append(
            (f.name, f"{f.ours:,.2f} {f.unit}", floor, ratio, f.target, "yes" if f.met else "NO", f"{f.rows:,}",
             str(f.statements or "—"))
        )  # fmt: skip
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
