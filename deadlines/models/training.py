"""The offset of the training clock."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class TrainingClock(models.Model):
    """The one row that says how far the training clock is ahead of the real one."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    offset = models.DurationField("超前", default=timedelta(0))
    moved_at = models.DateTimeField("最近移动（真实时间）")
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="移动人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "演练时钟"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(id=1), name="training_clock_single", violation_error_message="演练时钟只有一个。"
            ),
            models.CheckConstraint(
                condition=Q(offset__gte=timedelta(0)),
                name="training_clock_forward",
                violation_error_message="演练时钟不能慢于真实时间。",
            ),
        ]

    def __str__(self) -> str:
        return f"+{self.offset}"
