from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supervision", "0008_queues_of_officers"),
    ]

    operations = [
        migrations.AddField(
            model_name="drawplan",
            name="client_key",
            field=models.UUIDField(editable=False, null=True, unique=True, verbose_name="表单标识"),
        ),
        migrations.AddField(
            model_name="historicaldrawplan",
            name="client_key",
            field=models.UUIDField(db_index=True, editable=False, null=True, verbose_name="表单标识"),
        ),
    ]
