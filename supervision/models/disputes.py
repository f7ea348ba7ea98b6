"""不属本处室: an office says that a task is not its own, the overseers decide (L10, house.md)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from deadlines.models import Deadline
from offices.models import Office
from supervision.enums import DisputeOutcome
from supervision.models.tasks import SupervisionTask


class Dispute(models.Model):
    """One objection; its own clock presses the overseers, the task's own clock never stops for it."""

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="disputes")
    from_office = models.ForeignKey(Office, models.PROTECT, related_name="+", db_index=False)
    reason = models.TextField("理由")
    proposed_office = models.ForeignKey(
        Office, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="建议的处室"
    )
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    raised_at = models.DateTimeField("提出时间")
    deadline = models.OneToOneField(Deadline, models.PROTECT, null=True, blank=True, related_name="dispute")
    outcome = models.CharField("处理", max_length=10, choices=DisputeOutcome.choices, blank=True, default="")
    decided_office = models.ForeignKey(
        Office, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="改派到"
    )
    decision_reason = models.TextField("处理理由", blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "审管争议"
        indexes: ClassVar = [
            # The overseers' list of what waits for them, and of what they decided, newest first.
            models.Index(fields=("outcome", "-id"), name="dispute_newest"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("task",), condition=Q(outcome=""), name="dispute_one_open",
                violation_error_message="这件任务的异议还在协调中。",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="dispute_has_reason", violation_error_message="提出异议须写明理由。"
            ),
            models.CheckConstraint(
                condition=Q(outcome="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(decision_reason="")),
                name="dispute_decided_with_reason",
                violation_error_message="处理异议须写明理由。",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="reassigned") | Q(decided_office__isnull=False),
                name="dispute_reassigned_to_office",
                violation_error_message="改派须指定处室。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.task_id} {self.get_outcome_display()}"
