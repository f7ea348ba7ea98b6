from django.db import migrations


class Migration(migrations.Migration):
    """The index of all searched texts goes: open and closed tasks have one each (laid behind every migrate)."""

    dependencies = [("supervision", "0012_inbox_by_day")]

    operations = [migrations.RunSQL("DROP INDEX IF EXISTS task_found_by_part", migrations.RunSQL.noop)]
