"""A case may pass several promised days: a lapse for each, one waiting at a time."""

from __future__ import annotations

import datetime as dt

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lapses by day."""

    dependencies = [("approvals", "0007_chosen_modes")]
    operations = [
        migrations.AddField(
            model_name="promiselapse",
            name="due_on",
            # No lapse was written before this migration; the default is for the database alone.
            field=models.DateField(default=dt.date(2026, 1, 1), verbose_name="已过的补交期限"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="promiselapse",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="promise_lapses", to="approvals.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="promiselapse",
            constraint=models.UniqueConstraint(
                condition=models.Q(("cancel__isnull", True)),
                fields=("case",),
                name="promise_lapse_one_waiting",
                violation_error_message="这件办件已有待处理的承诺逾期。",
            ),
        ),
    ]
