"""The days of the tasks that were there before, a batch a transaction; what changes meanwhile the triggers write."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from supervision import pressing


def fill(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    pressing.write_days(editor.connection)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("supervision", "0010_pressing_day")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
