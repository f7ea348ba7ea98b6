from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0016_queues_by_day")]

    operations = [
        migrations.AddIndex(
            model_name="casematerial",
            index=models.Index(
                condition=models.Q(("state__in", ["deferred", "later"])), fields=["case"], name="case_material_owed"
            ),
        ),
    ]
