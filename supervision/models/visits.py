"""入企检查: approved beforehand, with a purpose, under a yearly cap (domain.md, Credit)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.models import CreditSubject
from offices.models import Department
from supervision.enums import VisitStatus
from supervision.models.tasks import SupervisionTask

# Where a department has set no cap of its own.
DEFAULT_CAP = 2


class VisitCap(models.Model):
    """How often a year one department may visit one subject; ``DEFAULT_CAP`` without a row."""

    department = models.OneToOneField(Department, models.PROTECT, related_name="visit_cap")
    times = models.PositiveSmallIntegerField("每年次数上限", validators=[MinValueValidator(1), MaxValueValidator(12)])
    basis = models.CharField("依据", max_length=200)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "入企检查次数上限"

    def __str__(self) -> str:
        return f"{self.department_id} {self.times}"


class Visit(models.Model):
    """One planned visit to a company: asked for, approved by the head of the department, made or not.

    ``year`` and ``department`` are what the cap counts by. What is exempt from the cap says why.
    """

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="visits")
    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="visits", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="visits", db_index=False)
    year = models.PositiveSmallIntegerField("年度")
    purpose = models.CharField("目的和内容", max_length=300)
    planned_on = models.DateField("计划日期")
    exemption = models.CharField("不计入上限的理由", max_length=200, blank=True, default="")
    status = models.CharField("状态", max_length=10, choices=VisitStatus.choices, default=VisitStatus.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField("申请时间")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField("批准时间", null=True, blank=True)
    settled_reason = models.CharField("说明", max_length=300, blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "入企检查"
        indexes: ClassVar = [
            # The count against the cap, shown while planning.
            models.Index(fields=("subject", "department", "year"), name="visit_for_cap"),
            # What waits for the head of a department.
            models.Index(fields=("department", "status", "-id"), name="visit_of_department"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("task",), condition=Q(status__in=["requested", "approved"]), name="visit_one_open",
                violation_error_message="这件任务已有待批准或已批准的入企检查。",
            ),
            models.CheckConstraint(
                condition=~Q(purpose=""), name="visit_has_purpose", violation_error_message="入企检查须写明目的。"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "cancelled"])
                | Q(settled_by__isnull=False, settled_at__isnull=False),
                name="visit_settled_by_person",
                violation_error_message="入企检查须经部门负责人批准。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.task_id} {self.planned_on:%F}"
