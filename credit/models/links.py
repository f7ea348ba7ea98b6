"""How codes follow one another: replaced, merged, split; nothing is moved, a link says whose records count for whom."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from credit.models.subjects import CreditSubject


class SubjectLink(models.Model):
    """代码衔接: from its day on ``after`` stands where ``before`` stood; a wrong one is set aside, never deleted."""

    class Kind(models.TextChoices):
        REPLACED = "replaced", "换发代码"
        MERGED = "merged", "吸收合并"
        SPLIT = "split", "分立"

    before = models.ForeignKey(CreditSubject, models.PROTECT, related_name="links_after", db_index=False)
    after = models.ForeignKey(CreditSubject, models.PROTECT, related_name="links_before", db_index=False)
    kind = models.CharField("方式", max_length=8, choices=Kind.choices)
    on = models.DateField("生效日")
    basis = models.TextField("依据")
    # Of a split alone: whether the records of the old code count for this successor as well.
    carries = models.BooleanField("信用记录随同计算", default=True)
    carries_reason = models.TextField("不随同计算的理由", blank=True, default="")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField("登记时间")
    set_aside_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    set_aside_at = models.DateTimeField("撤销时间", null=True, blank=True)
    set_aside_reason = models.TextField("撤销理由", blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "代码衔接"
        indexes: ClassVar = [
            # The credit query: what came before a subject; the chain of a subject, both ways.
            models.Index(fields=("after", "before"), condition=Q(set_aside_at__isnull=True), name="link_of_after"),
            # The officers' list of what was set aside.
            models.Index(fields=("-id",), condition=Q(set_aside_at__isnull=False), name="link_set_aside"),
            # Every link of a subject's page, those set aside as well.
            models.Index(fields=("after", "-id"), name="link_all_of_after"),
            models.Index(fields=("before", "-id"), name="link_all_of_before"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("before", "after"), condition=Q(set_aside_at__isnull=True), name="link_once",
                violation_error_message="这两个代码已经衔接。",
            ),
            models.UniqueConstraint(
                fields=("before",), condition=Q(set_aside_at__isnull=True) & ~Q(kind="split"),
                name="link_one_successor",
                violation_error_message="这个代码已经换发或者被合并。",
            ),
            models.CheckConstraint(
                condition=~Q(before=F("after")), name="link_of_two", violation_error_message="不能和自己衔接。"
            ),
            models.CheckConstraint(
                condition=Q(carries=True, carries_reason="") | Q(kind="split", carries=False) & ~Q(carries_reason=""),
                name="link_carries_or_says_why",
                violation_error_message="只有分立可以不随同计算，并须写明理由。",
            ),
            models.CheckConstraint(
                condition=Q(set_aside_at__isnull=True, set_aside_by__isnull=True, set_aside_reason="")
                | Q(set_aside_at__isnull=False, set_aside_by__isnull=False) & ~Q(set_aside_reason=""),
                name="link_set_aside_with_reason",
                violation_error_message="撤销须有撤销人、时间和理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.before_id} → {self.after_id} {self.get_kind_display()}"
