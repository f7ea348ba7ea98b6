"""In which modes an applicant chose to promise, and the day meant for what is deferred (schema only)."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add ``promise_modes`` and ``deferred_until`` to the case and its history."""

    dependencies = [("approvals", "0006_on_the_spot")]
    operations = [
        migrations.AddField(
            model_name=model,
            name=name,
            field=field,
        )
        for model in ("case", "historicalcase")
        for name, field in (
            (
                "promise_modes",
                models.JSONField(blank=True, default=list, help_text="PromiseMode 的取值", verbose_name="承诺方式"),
            ),
            ("deferred_until", models.DateField(blank=True, null=True, verbose_name="拟定的延期补齐日")),
        )
    ]
