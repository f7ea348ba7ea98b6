"""The working calendar, year by year."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from deadlines.enums import DayKind, YearStatus


class CalendarYear(models.Model):
    """A year of the working calendar; ``version`` grows with every change of its days or status."""

    year = models.PositiveSmallIntegerField("年份", unique=True)
    status = models.CharField("状态", max_length=12, choices=YearStatus.choices)
    source = models.CharField("依据", max_length=200)
    version = models.PositiveIntegerField("版本", default=1)
    published_at = models.DateTimeField("载入时间")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "工作日历年份"
        ordering = ("year",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=YearStatus.values),
                name="calendar_year_status",
                violation_error_message="年份状态只能是已发布或暂定。",
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="calendar_year_version", violation_error_message="版本从 1 起。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} 年（{self.get_status_display()}，第 {self.version} 版）"

    @property
    def version_label(self) -> str:
        """``1`` for an official year, ``1p`` for a provisional one."""
        return f"{self.version}p" if self.status == YearStatus.PROVISIONAL else str(self.version)


class Day(models.Model):
    """One day of a year; every day of a loaded year has its row."""

    day = models.DateField("日期", unique=True)
    year = models.ForeignKey(CalendarYear, models.PROTECT, related_name="days", verbose_name="年份")
    is_working = models.BooleanField("上班")
    kind = models.CharField("类别", max_length=8, choices=DayKind.choices)
    name = models.CharField("名称", max_length=40, blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "工作日历"
        ordering = ("day",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(is_working=True, kind__in=[DayKind.WORKDAY, DayKind.MAKEUP])
                | Q(is_working=False, kind__in=[DayKind.WEEKEND, DayKind.HOLIDAY]),
                name="day_kind_fits_working",
                violation_error_message="上班与否和日期类别不一致。",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[DayKind.HOLIDAY, DayKind.MAKEUP], name=""),
                name="day_special_has_name",
                violation_error_message="放假和调休的日子要写明名称。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.get_kind_display()}{self.name}"
