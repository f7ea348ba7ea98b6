"""Pushes: which claim is the latest, whether the platform refused, and an index of what is not accepted yet."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Schema only."""

    dependencies: ClassVar = [("credit", "0004_records_breaches_pushes")]

    operations: ClassVar = [
        migrations.AddField(
            "push", "claims", models.PositiveIntegerField(default=0, editable=False, verbose_name="领取次数")
        ),
        migrations.AddField("push", "is_refused", models.BooleanField(default=False, verbose_name="平台拒收")),
        migrations.AddIndex(
            "push",
            models.Index(condition=~models.Q(state="accepted"), fields=["subject", "seq"], name="push_waits_for"),
        ),
    ]
