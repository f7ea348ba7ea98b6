from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("approvals", "0015_queue_days_written")]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("status__in", ["in_review", "approved"])),
                fields=["review_office", "status", "queue_on", "id"],
                name="case_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["-received_at", "-id"], name="case_received"),
        ),
    ]
