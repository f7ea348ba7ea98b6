"""Fill the yellow day of open clocks that started before it was kept. Nothing is undone backwards: the column goes."""

from bisect import bisect_right
from datetime import timedelta
from typing import Any

from django.db import migrations

BATCH = 500


def fill(apps: Any, schema_editor: Any) -> None:
    """Count by the calendar that is loaded; a clock beyond it keeps none, and its light is counted when it is shown."""
    Deadline = apps.get_model("deadlines", "Deadline")
    Day = apps.get_model("deadlines", "Day")
    rows = Deadline.objects.filter(state__in=["running", "paused"], yellow_on__isnull=True).order_by("pk")
    if not rows.exists():
        return
    working = sorted(Day.objects.filter(is_working=True).values_list("day", flat=True))
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        for clock in batch:
            until = bisect_right(working, clock.due_on)
            total = until - bisect_right(working, clock.start_on)
            place = until - max(1, total // 5) - 1
            if (
                working
                and working[0] <= clock.start_on
                and clock.due_on <= working[-1] + timedelta(days=1)
                and place >= 0
            ):
                clock.yellow_on = max(clock.start_on, working[place])
        Deadline.objects.bulk_update(batch, ["yellow_on"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("deadlines", "0002_clock_acts")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
