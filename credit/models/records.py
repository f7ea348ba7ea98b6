"""What is known of how subjects kept their word: records, and the facts that wait to be judged."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.models.subjects import CreditSubject
from offices.crypto import EncryptedTextField
from offices.models import Department


class Level(models.TextChoices):
    """How grave a breach is; the rules of ``credit.rules`` give each its periods."""

    MINOR = "minor", "轻微"
    GENERAL = "general", "一般"
    SERIOUS = "serious", "严重"


# Kinds of records that speak against a subject.
AGAINST = ["broken_promise", "revoked", "sanction", "serious"]
# Kinds that speak for one.
KEPT = ["kept_promise", "praise"]


class CreditRecord(models.Model):
    """An entry of a subject's integrity record (L10d), received or found; the row stays, out of use once it is lifted.

    A breach found here has its level and the periods of the rules that were in force on the day of the finding.
    """

    class Kind(models.TextChoices):
        KEPT_PROMISE = "kept_promise", "履行承诺"
        BROKEN_PROMISE = "broken_promise", "违背承诺"
        REVOKED = "revoked", "许可被撤销"
        SANCTION = "sanction", "行政处罚"
        PRAISE = "praise", "表彰奖励"
        # Read only: the list is kept elsewhere, and nobody is put on it here.
        SERIOUS = "serious", "严重失信"

    class Origin(models.TextChoices):
        PORTAL = "portal", "本平台认定"
        PLATFORM = "platform", "公共信用信息平台"

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="records")
    kind = models.CharField("类别", max_length=20, choices=Kind.choices)
    origin = models.CharField("出处", max_length=8, choices=Origin.choices, default=Origin.PORTAL)
    source = models.CharField("来源", max_length=60, help_text="认定它的任务编号或者文书文号")
    basis = models.CharField("依据", max_length=200)
    listed = models.CharField("目录编码", max_length=20, blank=True, default="")
    level = models.CharField("等级", max_length=8, choices=Level.choices, blank=True, default="")
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="认定单位"
    )
    found_at = models.DateTimeField("认定时间")
    rule = models.CharField("适用规则", max_length=120, blank=True, default="")
    repair_from = models.DateField("最早可申请修复", null=True, blank=True)
    shown_until = models.DateField("公示截止", null=True, blank=True)
    repaired_at = models.DateTimeField("信用修复时间", null=True, blank=True)
    withdrawn_at = models.DateTimeField("更正撤回时间", null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "信用记录"
        indexes: ClassVar = [
            # The credit officers' list of what their department found, the newest first.
            models.Index(fields=("department", "-id"), name="record_of_department"),
            # The credit query at intake: a subject's records, newest first (L7).
            models.Index(fields=("subject", "-found_at"), name="record_of_subject"),
            # The pools of random draws, the preview of a change of the table: everybody with something against him in
            # use, by subject; they read nothing but the index (L12a, L12b).
            models.Index(
                fields=("subject", "found_at", "shown_until", "kind", "level", "listed"),
                condition=Q(kind__in=AGAINST, repaired_at__isnull=True, withdrawn_at__isnull=True),
                name="record_against_in_use",
            ),
            # Joint penalties proposed to a department's credit officers: what it found and is in use, the newest first.
            models.Index(
                fields=("department", "-id"),
                condition=Q(level__in=["general", "serious"], repaired_at__isnull=True, withdrawn_at__isnull=True),
                name="record_to_penalise",
            ),
            # Joint rewards proposed to them: promises kept and praise.
            models.Index(
                fields=("department", "-id"),
                condition=Q(kind__in=KEPT, repaired_at__isnull=True, withdrawn_at__isnull=True),
                name="record_to_reward",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("subject", "kind", "source"), name="record_once", violation_error_message="该记录已存在。"
            ),
            models.CheckConstraint(
                condition=~Q(kind="serious") | Q(department__isnull=True, level="", listed=""),
                name="record_serious_from_outside",
                violation_error_message="严重失信主体名单只能由名单主管部门列入，本平台不列入任何主体。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source}"

    @property
    def is_lifted(self) -> bool:
        """Whether it was repaired, or withdrawn as wrong."""
        return self.repaired_at is not None or self.withdrawn_at is not None


class CreditFact(models.Model):
    """A fact that waits to be judged: a revocation for a broken promise is queued here with its finding (L10d).

    Whether it becomes a record, and when, is decided by the rules of the record; nothing is recorded unheard.
    """

    class Kind(models.TextChoices):
        REVOKED = "revoked", "许可被撤销"
        BROKEN_PROMISE = "broken_promise", "违背承诺"
        LATE_MATERIAL = "late_material", "逾期未补交材料"

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="facts")
    kind = models.CharField("类别", max_length=16, choices=Kind.choices)
    source = models.CharField("来源", max_length=60, help_text="认定它的决定书文号或任务编号")
    basis = models.CharField("依据", max_length=200)
    found_at = models.DateTimeField("认定时间")
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="认定单位"
    )
    # Where the subject is reached: what the case of the finding says.
    phone = EncryptedTextField("联系电话", blank=True, default="")
    queued_at = models.DateTimeField("入列时间")
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "待认定信用事实"
        indexes: ClassVar = [
            # What waits to be judged, oldest first.
            models.Index(fields=("id",), condition=Q(settled_at__isnull=True), name="credit_fact_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("subject", "kind", "source"), name="credit_fact_once", violation_error_message="该事实已入列。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source}"


def note_kept_promise(
    subject: CreditSubject, *, source: str, basis: str, at: datetime, department: Department | None = None
) -> CreditRecord:
    """Write that ``subject`` kept a promise, as ``department`` found, once per ``source`` (L10d)."""
    values = {"basis": basis, "found_at": at, "department": department}
    record, _ = CreditRecord.objects.get_or_create(
        subject=subject, kind=CreditRecord.Kind.KEPT_PROMISE, source=source, defaults=values
    )
    return record


def queue_fact(
    subject: CreditSubject, kind: CreditFact.Kind, *, source: str, basis: str, found_at: datetime, now: datetime,
    department: Department | None = None, phone: str = "",
) -> CreditFact:  # fmt: skip
    """Queue a fact about ``subject`` once per ``source``; the caller's transaction carries it (L10d).

    ``department`` found it and judges it; ``phone``: where the subject is told.
    """
    values = {"basis": basis, "found_at": found_at, "queued_at": now, "department": department, "phone": phone}
    fact, _ = CreditFact.objects.get_or_create(subject=subject, kind=kind, source=source, defaults=values)
    return fact
