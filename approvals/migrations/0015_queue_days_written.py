"""The days of the cases that were there before, a batch a transaction; what changes meanwhile the triggers write."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from approvals import queueing


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    queueing.write_days(editor.connection)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("approvals", "0014_queue_day")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
