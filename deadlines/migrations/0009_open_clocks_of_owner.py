from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deadlines", "0008_further_clocks")]

    operations = [
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(
                condition=models.Q(("state__in", ["running", "paused"])),
                fields=["stream", "-state", "due_on", "id"],
                include=("kind", "provisional"),
                name="deadline_open_of_owner",
            ),
        ),
    ]
