"""Cases of on-the-spot items say so themselves from now on (data only)."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def fill(apps: Any, schema_editor: Any) -> None:
    """Mark the cases whose item is handled in one sitting."""
    cases = apps.get_model("approvals", "Case").objects.using(schema_editor.connection.alias)
    cases.filter(business_item__handling="on_the_spot", on_the_spot=False).update(on_the_spot=True)


class Migration(migrations.Migration):
    """Fill ``Case.on_the_spot``; taken back, the column goes with the migration before."""

    dependencies = [("approvals", "0005_once_promise_blind")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
