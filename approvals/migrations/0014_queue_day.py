"""The day by which a case stands in its queue: a column, and the triggers that write it from now on."""

import datetime as dt

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from approvals import queueing


def forwards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    # SQLite could not rebuild a table behind them: they are laid when all is migrated.
    if editor.connection.vendor != "sqlite":
        queueing.install(editor.connection)


def backwards(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    queueing.remove(editor.connection)


class Migration(migrations.Migration):
    dependencies = [("approvals", "0013_earlier_credit_decisions"), ("deadlines", "0009_open_clocks_of_owner")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="queue_on",
            field=models.DateField(db_default=dt.date.max, editable=False, verbose_name="排队日"),
        ),
        migrations.RunPython(forwards, backwards),
    ]
