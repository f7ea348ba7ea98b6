"""Joint rewards and penalties, previews of changes of the table of handling, an index of breaches in use."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0006_records_in_use"),
        ("offices", "0005_credit_officer"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HandlingPreview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "grade",
                    models.CharField(
                        choices=[
                            ("excellent", "优"),
                            ("good", "良"),
                            ("fair", "中"),
                            ("poor", "差"),
                            ("none", "未评价"),
                        ],
                        max_length=10,
                        verbose_name="信用等级",
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("promise", "告知承诺"),
                            ("later", "容缺办理"),
                            ("on_the_spot", "当场决定"),
                            ("green_lane", "绿色通道"),
                            ("full", "全部材料"),
                        ],
                        max_length=12,
                        verbose_name="办理方式",
                    ),
                ),
                ("is_open", models.BooleanField(verbose_name="拟改为适用")),
                ("was_open", models.BooleanField(verbose_name="预览时适用")),
                ("basis", models.CharField(max_length=200, verbose_name="依据")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "正在核对"),
                            ("ready", "待确认"),
                            ("confirmed", "已确认"),
                            ("dropped", "已放弃"),
                        ],
                        default="running",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="预览时间")),
                ("cursor", models.BigIntegerField(default=0, verbose_name="核对到")),
                ("total", models.PositiveIntegerField(default=0, verbose_name="主体数")),
                ("looked_at", models.PositiveIntegerField(default=0, verbose_name="已核对")),
                ("organisations", models.PositiveIntegerField(default=0, verbose_name="变化的法人或其他组织")),
                ("persons", models.PositiveIntegerField(default=0, verbose_name="变化的自然人")),
                ("barred", models.PositiveIntegerField(default=0, verbose_name="因失信记录不受影响")),
                ("cases", models.PositiveIntegerField(default=0, verbose_name="采用该方式的未决办件")),
                ("first", models.JSONField(default=list, verbose_name="前几个主体")),
                ("error", models.CharField(blank=True, default="", max_length=200, verbose_name="故障")),
                ("ready_at", models.DateTimeField(blank=True, null=True, verbose_name="核对完成时间")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="确认或者放弃的时间")),
            ],
            options={
                "verbose_name": "差异化办理调整预览",
                "verbose_name_plural": "差异化办理调整预览",
            },
        ),
        migrations.CreateModel(
            name="HistoricalJointMeasure",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("reward", "联合激励"), ("penalty", "联合惩戒")], max_length=7, verbose_name="类别"
                    ),
                ),
                ("what", models.CharField(max_length=500, verbose_name="措施")),
                ("basis", models.CharField(max_length=200, verbose_name="法律依据")),
                ("decided_at", models.DateTimeField(verbose_name="决定时间")),
                ("starts_on", models.DateField(verbose_name="开始日期")),
                ("ends_on", models.DateField(verbose_name="结束日期")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="提前终止时间")),
                ("end_reason", models.TextField(blank=True, default="", verbose_name="提前终止的理由")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical 联合奖惩措施",
                "verbose_name_plural": "historical 联合奖惩措施",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="JointMeasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("reward", "联合激励"), ("penalty", "联合惩戒")], max_length=7, verbose_name="类别"
                    ),
                ),
                ("what", models.CharField(max_length=500, verbose_name="措施")),
                ("basis", models.CharField(max_length=200, verbose_name="法律依据")),
                ("decided_at", models.DateTimeField(verbose_name="决定时间")),
                ("starts_on", models.DateField(verbose_name="开始日期")),
                ("ends_on", models.DateField(verbose_name="结束日期")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="提前终止时间")),
                ("end_reason", models.TextField(blank=True, default="", verbose_name="提前终止的理由")),
            ],
            options={
                "verbose_name": "联合奖惩措施",
                "verbose_name_plural": "联合奖惩措施",
            },
        ),
        migrations.AddField(
            model_name="handlingpreview",
            name="asked_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="handlingpreview",
            name="settled_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="department",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="offices.department",
                verbose_name="决定单位",
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="ended_by",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="record",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="credit.creditrecord",
                verbose_name="所依据的记录",
            ),
        ),
        migrations.AddField(
            model_name="historicaljointmeasure",
            name="subject",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="credit.creditsubject",
            ),
        ),
        migrations.AddField(
            model_name="jointmeasure",
            name="decided_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="jointmeasure",
            name="department",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="offices.department",
                verbose_name="决定单位",
            ),
        ),
        migrations.AddField(
            model_name="jointmeasure",
            name="ended_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="jointmeasure",
            name="record",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="measures",
                to="credit.creditrecord",
                verbose_name="所依据的记录",
            ),
        ),
        migrations.AddField(
            model_name="jointmeasure",
            name="subject",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="measures",
                to="credit.creditsubject",
            ),
        ),
        migrations.AddIndex(
            model_name="handlingpreview",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["id"], name="handling_preview_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="handlingpreview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["running", "ready"])),
                fields=("grade", "way"),
                name="handling_preview_one_open",
                violation_error_message="这一格已有没有确认的预览。",
            ),
        ),
        migrations.AddConstraint(
            model_name="handlingpreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at__isnull", True), ("state__in", ["running", "ready"])),
                    models.Q(
                        ("settled_at__isnull", False),
                        ("settled_by__isnull", False),
                        ("state__in", ["confirmed", "dropped"]),
                    ),
                    _connector="OR",
                ),
                name="handling_preview_settled_by_somebody",
                violation_error_message="确认或者放弃须有人和时间。",
            ),
        ),
        migrations.AddIndex(
            model_name="jointmeasure",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["subject", "ends_on"], name="measure_of_subject"
            ),
        ),
        migrations.AddIndex(
            model_name="jointmeasure",
            index=models.Index(fields=["department", "-id"], name="measure_of_department"),
        ),
        migrations.AddIndex(
            model_name="jointmeasure",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True), ("record__isnull", False)),
                fields=["record"],
                name="measure_of_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="jointmeasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on__lte", models.F("ends_on"))),
                name="measure_starts_before_it_ends",
                violation_error_message="结束日期不能早于开始日期。",
            ),
        ),
        migrations.AddConstraint(
            model_name="jointmeasure",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("basis", ""), _negated=True), models.Q(("what", ""), _negated=True)),
                name="measure_has_basis",
                violation_error_message="联合奖惩须写明措施和法律依据。",
            ),
        ),
        migrations.AddConstraint(
            model_name="jointmeasure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end_reason", ""), ("ended_at__isnull", True), ("ended_by__isnull", True)),
                    models.Q(("ended_at__isnull", False), models.Q(("end_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="measure_ended_with_reason",
                violation_error_message="提前终止须有时间和理由。",
            ),
        ),
    ]
