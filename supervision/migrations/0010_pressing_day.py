"""The day on which a task presses: a column, and the triggers that write it from now on."""

import datetime as dt

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from supervision import pressing


def forwards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    # SQLite could not rebuild a table behind them: they are laid when all is migrated.
    if editor.connection.vendor != "sqlite":
        pressing.install(editor.connection)


def backwards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    pressing.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("supervision", "0009_plans_made_once"), ("deadlines", "0008_further_clocks")]

    operations = [
        migrations.AddField(
            model_name="supervisiontask",
            name="pressing_on",
            field=models.DateField(db_default=dt.date(9999, 12, 30), editable=False, verbose_name="当前期限到期日"),
        ),
        migrations.RunPython(forwards, backwards),
    ]
