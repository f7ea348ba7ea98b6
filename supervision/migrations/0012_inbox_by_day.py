from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0011_days_written")]

    operations = [
        migrations.AddIndex(
            model_name="supervisiontask",
            index=models.Index(
                condition=models.Q(("status", "closed"), _negated=True),
                fields=["office", "pressing_on", "id"],
                name="task_pressing",
            ),
        ),
        migrations.AddIndex(
            model_name="supervisiontask",
            index=models.Index(
                condition=models.Q(("status", "closed"), _negated=True),
                fields=["department", "pressing_on", "id"],
                name="task_pressing_in_department",
            ),
        ),
    ]
