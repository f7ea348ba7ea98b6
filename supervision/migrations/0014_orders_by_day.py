from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0013_search_apart")]

    operations = [
        migrations.AddIndex(
            model_name="rectification",
            index=models.Index(condition=models.Q(("status", "running")), fields=["due_on", "id"], name="order_by_day"),
        ),
    ]
