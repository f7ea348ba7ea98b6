import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Department and office lead other indexes; those of their own made PostgreSQL read whole offices beside a search."""

    dependencies = [("offices", "0005_credit_officer"), ("supervision", "0014_orders_by_day")]

    operations = [
        migrations.AlterField(
            model_name="supervisiontask",
            name="department",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tasks",
                to="offices.department",
            ),
        ),
        migrations.AlterField(
            model_name="supervisiontask",
            name="office",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tasks",
                to="offices.office",
            ),
        ),
        migrations.AddIndex(
            model_name="supervisiontask",
            index=models.Index(
                condition=models.Q(("status", "closed"), _negated=True),
                fields=["department", "business_item", "pressing_on", "id"],
                name="task_pressing_of_item",
            ),
        ),
    ]
