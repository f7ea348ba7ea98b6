"""How a breach becomes a record (told, heard, decided) and how a record goes out of use (objection, repair)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.models.records import CreditFact, CreditRecord, Level
from credit.models.subjects import CreditSubject
from deadlines.models import Deadline
from offices.crypto import EncryptedTextField
from offices.models import Department


class RuleVersion(models.Model):
    """A version of the rules on display and repair that people entered over the built-in ones (``credit.rules``)."""

    starts_on = models.DateField("施行日期", unique=True)
    name = models.CharField("名称", max_length=120)
    basis = models.CharField("依据", max_length=200)
    # level → [shown at all, earliest repair in months, end of display in months]
    levels = models.JSONField("各等级")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "公示和修复规则"

    def __str__(self) -> str:
        return f"{self.name} {self.starts_on}"


class Breach(models.Model):
    """拟认定失信: a fact of a listed kind that its subject was told of beforehand and may object to (art. 信用条例)."""

    class Status(models.TextChoices):
        TOLD = "told", "已告知，等候异议"
        OBJECTED = "objected", "已提出异议"
        RECORDED = "recorded", "已记录"
        DROPPED = "dropped", "不予记录"

    fact = models.OneToOneField(CreditFact, models.PROTECT, related_name="breach")
    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="breaches", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    number = models.CharField("告知书编号", max_length=60, unique=True)
    listed = models.CharField("目录编码", max_length=20)
    level = models.CharField("等级", max_length=8, choices=Level.choices)
    text = models.TextField("拟认定的事实")
    basis = models.CharField("依据", max_length=300)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.TOLD)
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    told_at = models.DateTimeField("告知时间")
    told_how = models.CharField("送达方式", max_length=60)
    phone = EncryptedTextField("联系电话", blank=True, default="")
    deadline = models.OneToOneField(Deadline, models.PROTECT, related_name="breach", verbose_name="提出异议期限")
    objection = models.TextField("异议", blank=True, default="")
    objected_at = models.DateTimeField("异议时间", null=True, blank=True)
    # The day on which what it rests on could no longer be challenged, or a court or reviewer upheld it.
    final_on = models.DateField("认定文书生效日", null=True, blank=True)
    reason = models.TextField("决定理由", blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)
    record = models.OneToOneField(CreditRecord, models.PROTECT, null=True, blank=True, related_name="breach")
    history = HistoricalRecords(excluded_fields=["phone"])

    class Meta:
        verbose_name = verbose_name_plural = "拟认定失信"
        indexes: ClassVar = [
            # The credit officers' list of a department, by state, the newest first; the subject's page.
            models.Index(fields=("department", "status", "-id"), name="breach_of_department"),
            models.Index(fields=("subject", "-id"), name="breach_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(status__in=["recorded", "dropped"]) & Q(decided_at__isnull=True)
                | Q(status__in=["recorded", "dropped"], decided_at__isnull=False, decided_by__isnull=False)
                & ~Q(reason=""),
                name="breach_decided_with_reason",
                violation_error_message="决定须有决定人、时间和理由。",
            ),
            models.CheckConstraint(
                condition=Q(status="recorded", record__isnull=False, final_on__isnull=False)
                | ~Q(status="recorded") & Q(record__isnull=True),
                name="breach_recorded_is_final",
                violation_error_message="认定文书生效后才能记录。",
            ),
            models.CheckConstraint(
                condition=~Q(status="objected") | (~Q(objection="") & Q(objected_at__isnull=False)),
                name="breach_objection_has_words",
                violation_error_message="请写明异议的内容。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.get_status_display()}"

    @property
    def stream(self) -> str:
        """Its stream of the ledger: that of its subject."""
        return self.subject.stream

    @property
    def is_open(self) -> bool:
        """Whether it is not yet decided."""
        return self.status in {self.Status.TOLD, self.Status.OBJECTED}


class Repair(models.Model):
    """信用修复 or 异议更正 of one record: asked for by the subject, or brought by the platform; decided once."""

    class Origin(models.TextChoices):
        SUBJECT = "subject", "主体申请"
        PLATFORM = "platform", "信用平台通知"

    class Ground(models.TextChoices):
        MENDED = "mended", "已纠正失信行为，申请修复"
        WRONG = "wrong", "记录有误，申请更正"

    record = models.ForeignKey(CreditRecord, models.PROTECT, related_name="repairs", db_index=False)
    origin = models.CharField("来源", max_length=8, choices=Origin.choices, default=Origin.SUBJECT)
    ground = models.CharField("事由", max_length=6, choices=Ground.choices)
    statement = models.TextField("申请人陈述")
    # The platform's notice; once each.
    notice = models.CharField("通知编号", max_length=60, null=True, blank=True, unique=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField("申请时间")
    deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="repair", verbose_name="办理期限"
    )
    granted = models.BooleanField("同意", null=True, blank=True)
    reason = models.TextField("决定理由", blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "信用修复和更正"
        indexes: ClassVar = [
            # The requests of a record; what waits to be decided, oldest first.
            models.Index(fields=("record", "-id"), name="repair_of_record"),
            models.Index(fields=("id",), condition=Q(granted__isnull=True), name="repair_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("record",), condition=Q(granted__isnull=True), name="repair_one_open",
                violation_error_message="这条记录已有未办结的申请。",
            ),
            models.UniqueConstraint(
                fields=("record",), condition=Q(granted=True), name="repair_granted_once",
                violation_error_message="这条记录已经修复或者更正。",
            ),
            models.CheckConstraint(
                condition=Q(granted__isnull=True, decided_at__isnull=True)
                | Q(granted__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="repair_decided_with_reason",
                violation_error_message="决定须有时间和理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.record_id} {self.get_ground_display()}"
