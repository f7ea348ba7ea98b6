"""A change of the table of differential handling as it is looked at before it is made: who would move (L12a)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from credit.models.grades import Grade, HandlingWay


class HandlingPreview(models.Model):
    """What one cell would become, and whom that moves; worked out subject by subject, then confirmed or dropped.

    ``cursor``: the last subject looked at; it moves in the transaction that adds a chunk's counts.
    """

    class State(models.TextChoices):
        RUNNING = "running", "正在核对"
        READY = "ready", "待确认"
        CONFIRMED = "confirmed", "已确认"
        DROPPED = "dropped", "已放弃"

    grade = models.CharField("信用等级", max_length=10, choices=Grade.choices)
    way = models.CharField("办理方式", max_length=12, choices=HandlingWay.choices)
    is_open = models.BooleanField("拟改为适用")
    was_open = models.BooleanField("预览时适用")
    basis = models.CharField("依据", max_length=200)
    state = models.CharField("状态", max_length=9, choices=State.choices, default=State.RUNNING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField("预览时间")
    cursor = models.BigIntegerField("核对到", default=0)
    total = models.PositiveIntegerField("主体数", default=0)
    looked_at = models.PositiveIntegerField("已核对", default=0)
    organisations = models.PositiveIntegerField("变化的法人或其他组织", default=0)
    persons = models.PositiveIntegerField("变化的自然人", default=0)
    # Of the grade, but a breach in use closes the way to them whatever the cell says.
    barred = models.PositiveIntegerField("因失信记录不受影响", default=0)
    cases = models.PositiveIntegerField("采用该方式的未决办件", default=0)
    # The first organisations that move, by their ids.
    first = models.JSONField("前几个主体", default=list)
    error = models.CharField("故障", max_length=200, blank=True, default="")
    ready_at = models.DateTimeField("核对完成时间", null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField("确认或者放弃的时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "差异化办理调整预览"
        indexes: ClassVar = [
            # The worker: what is to be gone on with, the oldest first.
            models.Index(fields=("id",), condition=Q(state="running"), name="handling_preview_running"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("grade", "way"), condition=Q(state__in=["running", "ready"]), name="handling_preview_one_open",
                violation_error_message="这一格已有没有确认的预览。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "ready"], settled_at__isnull=True)
                | Q(state__in=["confirmed", "dropped"], settled_at__isnull=False, settled_by__isnull=False),
                name="handling_preview_settled_by_somebody",
                violation_error_message="确认或者放弃须有人和时间。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_grade_display()} {self.get_way_display()} {self.get_state_display()}"

    @property
    def is_busy(self) -> bool:
        """Whether the worker is at it."""
        return self.state == self.State.RUNNING

    @property
    def is_unsettled(self) -> bool:
        """Whether it is neither confirmed nor dropped."""
        return self.state in {self.State.RUNNING, self.State.READY}

    @property
    def moving(self) -> int:
        """How many subjects gain or lose the way."""
        return self.organisations + self.persons

    @property
    def percent(self) -> int:
        """How far the worker is."""
        return min(99, 100 * self.looked_at // self.total) if self.is_busy and self.total else 100 * (not self.is_busy)
