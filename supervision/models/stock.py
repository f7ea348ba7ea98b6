"""存量证照: licences from before the system, loaded by rule; a start date for each clock so that day one is not red."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from catalogue.models import BusinessItem
from credit.models import CreditSubject
from deadlines.kinds import KindCode
from offices.models import Department, Division
from supervision.models.tasks import SupervisionTask


class ClockStart(models.Model):
    """From which day on a division's clocks of a kind run: an event before it counts as of that day (domain.md)."""

    division = models.ForeignKey(Division, models.PROTECT, related_name="clock_starts", db_index=False)
    kind = models.CharField("期限", max_length=24, choices=KindCode.choices)
    starts_on = models.DateField("启用日期")
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    set_at = models.DateTimeField("设定时间")

    class Meta:
        verbose_name = verbose_name_plural = "期限启用日期"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("division", "kind"), name="clock_start_once"),
        ]

    def __str__(self) -> str:
        return f"{self.division_id} {self.kind} {self.starts_on:%F}"


class StockBatch(models.Model):
    """One file of old licences: who loaded it, by which rule, what became of its rows."""

    division = models.ForeignKey(Division, models.PROTECT, related_name="stock_batches", db_index=False)
    name = models.CharField("名称", max_length=120)
    digest = models.CharField("SM3", max_length=64)
    opens_tasks = models.BooleanField("生成监管任务", help_text="规则：只为仍在有效期内的证照生成")
    valid_on = models.DateField("按该日判断有效", null=True, blank=True)
    counts = models.JSONField("结果", default=dict)
    faults = models.JSONField("不能载入的行", default=list)
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    loaded_at = models.DateTimeField("载入时间")
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "存量证照批次"
        indexes: ClassVar = [models.Index(fields=("division", "-id"), name="stock_batch_newest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("division", "digest"), name="stock_file_once",
                violation_error_message="这个文件已经载入过。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class StockLicence(models.Model):
    """A licence that was issued before the system."""

    batch = models.ForeignKey(StockBatch, models.PROTECT, related_name="licences")
    number = models.CharField("证照编号", max_length=60)
    business_item = models.ForeignKey(BusinessItem, models.PROTECT, related_name="stock", db_index=False)
    holder = models.ForeignKey(CreditSubject, models.PROTECT, related_name="stock_licences")
    holder_name = models.CharField("持有人", max_length=120)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    content = models.CharField("许可内容", max_length=500, blank=True, default="")
    valid_from = models.DateField("有效期自")
    valid_to = models.DateField("有效期至", null=True, blank=True)
    task = models.OneToOneField(SupervisionTask, models.PROTECT, null=True, blank=True, related_name="stock_licence")

    class Meta:
        verbose_name = verbose_name_plural = "存量证照"
        constraints: ClassVar = [
            # The draw's pool asks by item; loading asks whether it is known.
            models.UniqueConstraint(
                fields=("business_item", "number"), name="stock_licence_once",
                violation_error_message="该证照已经载入。",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="stock_valid_span",
                violation_error_message="有效期止不能早于有效期起。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number
