"""When the windows of a division are open. Shown to people; a clock never asks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from offices.models import Division


class WindowHours(models.Model):
    """One session of a weekday, 0 for Monday to 6 for Sunday."""

    division = models.ForeignKey(
        Division, models.PROTECT, related_name="window_hours", db_index=False, verbose_name="区划"
    )
    weekday = models.PositiveSmallIntegerField("星期", help_text="0 为周一，6 为周日")
    opens = models.TimeField("开始")
    closes = models.TimeField("结束")
    note = models.CharField("说明", max_length=40, blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "窗口服务时间"
        ordering = ("division_id", "weekday", "opens")
        constraints: ClassVar = [
            # Also the list of a division's sessions.
            models.UniqueConstraint(
                fields=("division", "weekday", "opens"),
                name="window_hours_once",
                violation_error_message="这一天已有同时开始的时段。",
            ),
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")),
                name="window_hours_forward",
                violation_error_message="结束时间应晚于开始时间。",
            ),
            models.CheckConstraint(
                condition=Q(weekday__lte=6), name="window_hours_weekday", violation_error_message="星期只能是 0 到 6。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens:%H:%M}–{self.closes:%H:%M}"
