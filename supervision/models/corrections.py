"""更正检查记录: a record written by mistake is set aside by the department's head; the record itself never changes."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from supervision.enums import WHILE_LOOKED_AT
from supervision.models.inspections import Inspection
from supervision.models.orders import answered

WHO = settings.AUTH_USER_MODEL


class SetAsideQuerySet(models.QuerySet["SetAside"]):
    """Adjectives for requests."""

    def waiting(self) -> SetAsideQuerySet:
        """Not answered, and an answer still makes a difference: nothing fed back, nothing ordered about the record."""
        open_ones = self.filter(granted__isnull=True, inspection__task__status__in=WHILE_LOOKED_AT)
        return open_ones.filter(~answered("inspection__"))

    def over(self) -> SetAsideQuerySet:
        """Answered, or without an object any more."""
        return self.exclude(pk__in=SetAside.objects.waiting().values("pk"))


class SetAside(models.Model):
    """A request that a record count no more, and its answer; ``granted`` is None until then."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="set_asides", verbose_name="检查记录")
    reason = models.CharField("作废的理由", max_length=300)
    asked_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField("申请时间")
    granted = models.BooleanField("批准作废", null=True)
    answer = models.CharField("批复说明", max_length=300, blank=True, default="")
    settled_by = models.ForeignKey(WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    settled_at = models.DateTimeField("批复时间", null=True, blank=True)

    objects = SetAsideQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "更正检查记录"
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("inspection",), condition=Q(granted__isnull=True) | Q(granted=True),
                name="set_aside_one_open_or_granted",
                violation_error_message="这份检查记录已有待批的作废申请，或者已经作废。",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="set_aside_has_reason", violation_error_message="申请作废须写明理由。"
            ),
            models.CheckConstraint(
                condition=Q(granted__isnull=True, settled_by__isnull=True, settled_at__isnull=True)
                | (
                    Q(granted__isnull=False, settled_by__isnull=False, settled_at__isnull=False)
                    & ~Q(answer="")
                    & ~Q(settled_by=F("asked_by"))
                ),
                name="set_aside_settled_by_another",
                violation_error_message="检查记录作废须由部门负责人书面批复，不能自行批准。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.inspection_id} {self.granted}"
