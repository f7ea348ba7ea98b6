"""One draw in a process of its own, which ``scripts.bench.drawing`` starts, and its replay from the seed.

Prints seconds, peak MiB, how many were drawn, and the seconds of the replay.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from pathlib import Path

import django

django.setup()

from catalogue.models import Linkage  # noqa: E402 - after the set-up
from scripts.bench.drawing import MORNING  # noqa: E402
from scripts.bench.measure import seconds  # noqa: E402
from supervision.actions.drawing import Wanted, draw_plan, make_plan, publish_plan  # noqa: E402
from supervision.models import DrawRun  # noqa: E402
from supervision.redrawing import differences, period_of  # noqa: E402


def main(linkage: int, ratio: str) -> None:
    """Make a plan, publish it, draw it."""
    link = Linkage.objects.select_related("office__department__division", "sub_item", "business_item").get(pk=linkage)
    by = link.office.managers(MORNING.date())[0]
    wanted = Wanted(
        name="抽查",
        sub_item=link.sub_item,
        business_items=[link.business_item],
        month="2026-09",
        planned_finish_on=dt.date(2026, 12, 1),
        ratio=int(ratio) if ratio else None,
    )
    plan = publish_plan(make_plan(link.office, wanted, by=by, now=MORNING), by=by, now=MORNING)
    spent = seconds(lambda: draw_plan(plan, by=by, now=MORNING))
    plan.refresh_from_db()
    # Not ``ru_maxrss``: that of a child begins with its parent's.
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
    again = seconds(lambda: _replay(plan.run))
    print(json.dumps([spent, peak, sum(group["taken"] for group in plan.run.pools["groups"]), again]))


def _replay(run: DrawRun) -> None:
    """Draw again from the frozen pools; a figure of a draw that does not replay exactly would be a lie."""
    found = list(differences(run, seed=period_of(run).seed))
    if found:
        raise RuntimeError(f"{len(found)} differences, the first: {found[0]}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
