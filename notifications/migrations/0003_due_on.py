from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0002_failed_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="due_on",
            field=models.DateField(
                blank=True,
                help_text="时限提醒所说的那一天；合并时按它计数、排序",
                null=True,
                verbose_name="提醒的到期日",
            ),
        ),
    ]
