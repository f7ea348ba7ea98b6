"""Tasks get what they are about from their cases, and closed ones how they ended."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery

BATCH = 2000


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """In batches by key; running it again changes nothing."""
    task = apps.get_model("supervision", "SupervisionTask")
    history = apps.get_model("supervision", "HistoricalSupervisionTask")
    case_model = apps.get_model("approvals", "Case")
    licence_model = apps.get_model("approvals", "Licence")
    for model in (task, history):
        key = "pk" if model is task else "history_id"
        last = 0
        while keys := list(
            model.objects.filter(**{f"{key}__gt": last}).order_by(key).values_list(key, flat=True)[:BATCH]
        ):
            last = keys[-1]
            rows = model.objects.filter(**{f"{key}__in": keys}, subject_id=None)
            case = case_model.objects.filter(pk=OuterRef("case_id"))
            rows.update(
                subject_name=Subquery(case.values("applicant_name")[:1]),
                business_item_id=Subquery(case.values("business_item_id")[:1]),
                licence_id=Subquery(licence_model.objects.filter(case_id=OuterRef("case_id")).values("pk")[:1]),
                subject_id=Subquery(case.values("applicant_id")[:1]),
            )
            closed = model.objects.filter(**{f"{key}__in": keys}, status="closed", end="")
            if model is task:
                closed.filter(feedback__result="conforming").update(end="conforming")
                closed.exclude(feedback__result="conforming").update(end="followed_up")


class Migration(migrations.Migration):
    """Data only."""

    dependencies = [("supervision", "0002_supervision_in_full")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]
