"""联合奖惩: what a department grants or withholds for a time because of how a subject kept its word (L12c)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from credit.models.records import CreditRecord
from credit.models.subjects import CreditSubject
from offices.models import Department


class JointMeasure(models.Model):
    """A reward or a penalty with its legal basis, from a day to a day; it ends by its date, early, or with its record.

    ``record``: what a penalty rests on; it ends when that record goes out of use.
    """

    class Kind(models.TextChoices):
        REWARD = "reward", "联合激励"
        PENALTY = "penalty", "联合惩戒"

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="measures", db_index=False)
    kind = models.CharField("类别", max_length=7, choices=Kind.choices)
    what = models.CharField("措施", max_length=500)
    basis = models.CharField("法律依据", max_length=200)
    record = models.ForeignKey(
        CreditRecord, models.PROTECT, null=True, blank=True, related_name="measures", db_index=False,
        verbose_name="所依据的记录",
    )  # fmt: skip
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", db_index=False, verbose_name="决定单位"
    )
    decided_at = models.DateTimeField("决定时间")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")
    ended_at = models.DateTimeField("提前终止时间", null=True, blank=True)
    # Null where the record went out of use by a notice of the platform.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    end_reason = models.TextField("提前终止的理由", blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "联合奖惩措施"
        indexes: ClassVar = [
            # Intake, the gate and the subject's page: what is in force for a subject on a day.
            models.Index(fields=("subject", "ends_on"), condition=Q(ended_at__isnull=True), name="measure_of_subject"),
            # The credit officers' list of a department, the newest first.
            models.Index(fields=("department", "-id"), name="measure_of_department"),
            # Repair: what rests on a record.
            models.Index(
                fields=("record",), condition=Q(record__isnull=False, ended_at__isnull=True), name="measure_of_record"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="measure_starts_before_it_ends",
                violation_error_message="结束日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(what=""),
                name="measure_has_basis",
                violation_error_message="联合奖惩须写明措施和法律依据。",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | Q(ended_at__isnull=False) & ~Q(end_reason=""),
                name="measure_ended_with_reason",
                violation_error_message="提前终止须有时间和理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on}–{self.ends_on}"

    @property
    def words(self) -> str:
        """What it is, whose, on what basis and until when, in a sentence; no person is named."""
        day = self.ends_on
        until = f"{day.year}年{day.month}月{day.day}日"
        return f"{self.get_kind_display()}：{self.what}（{self.department.name}，{self.basis}，至{until}）"
