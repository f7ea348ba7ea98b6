from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supervision", "0007_follow_up")]

    operations = [
        migrations.AddIndex(
            model_name="supervisiontask",
            index=models.Index(fields=["first_officer", "office", "status"], name="task_of_first_officer"),
        ),
        migrations.AddIndex(
            model_name="supervisiontask",
            index=models.Index(fields=["second_officer", "office", "status"], name="task_of_second_officer"),
        ),
    ]
