from django.db import migrations, models
from django.db.models import Q

SAYS = {
    "subjectgrade": ("grade_has_source", "信用等级须写明来源。"),
    "subjectrisk": ("risk_has_source", "风险等级须写明来源。"),
}


class Migration(migrations.Migration):
    """A grade or class that the platform gives no more is kept as ``none``; the way back needs such rows gone."""

    dependencies = [("credit", "0009_measure_rules")]

    operations = [
        operation
        for model, (name, message) in SAYS.items()
        for operation in (
            migrations.RemoveConstraint(model_name=model, name=name),
            migrations.AddConstraint(
                model_name=model,
                constraint=models.CheckConstraint(condition=~Q(source=""), name=name, violation_error_message=message),
            ),
        )
    ]
