from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0010_withdrawn_grades"),
        ("offices", "0005_credit_officer"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="creditrecord",
            index=models.Index(fields=["department", "-id"], name="record_of_department"),
        ),
    ]
