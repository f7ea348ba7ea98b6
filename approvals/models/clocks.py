"""What stops or lengthens the clocks of a case: special procedures (art. 45) and the extension (art. 42)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.models.cases import Case
from approvals.models.outcomes import Document
from deadlines.enums import PauseGround
from deadlines.timeline import ground_text


class SpecialProcedure(models.Model):
    """特别程序: while it lasts the decision clocks stand still; the applicant was told in writing how long."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="procedures")
    ground = models.CharField("事由", max_length=16, choices=PauseGround.choices)
    law = models.CharField("法律依据", max_length=200, blank=True, default="")
    estimated_days = models.PositiveSmallIntegerField("预计所需工作日")
    reason = models.CharField("说明", max_length=500)
    document = models.OneToOneField(Document, models.PROTECT, related_name="procedure", verbose_name="告知书")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    started_at = models.DateTimeField("开始时间")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    result = models.CharField("结果", max_length=500, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "特别程序"
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(ended_at__isnull=True),
                name="procedure_one_at_a_time",
                violation_error_message="这件办件已有正在进行的特别程序。",
            ),
            models.CheckConstraint(
                condition=Q(estimated_days__gte=1),
                name="procedure_has_length",
                violation_error_message="须写明预计所需的工作日数。",
            ),
            models.CheckConstraint(
                condition=~Q(ground="named_law") | ~Q(law=""),
                name="procedure_names_its_law",
                violation_error_message="须写明是哪部法律哪一条的规定。",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | (Q(ended_at__gte=F("started_at")) & (Q(ended_by__isnull=False) | ~Q(result=""))),
                name="procedure_ended_by_somebody",
                violation_error_message="结束特别程序须有时间，并有经办人；申请人撤回申请的，写明原因。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_ground_display()}"

    @property
    def ground_text(self) -> str:
        """专家评审, or 其他法律规定的事由：《…》第…条."""
        return ground_text({"ground": self.ground, "law": self.law})


class Extension(models.Model):
    """延期: asked for by whoever has the case, allowed once by the authority's head, with reasons to the applicant."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="extensions")
    days = models.PositiveSmallIntegerField("延长", help_text="单位同法定期限")
    reason = models.CharField("延长的理由", max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField("申请时间")
    granted = models.BooleanField("批准", null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    answered_at = models.DateTimeField("批复时间", null=True, blank=True)
    answer = models.CharField("批复意见", max_length=500, blank=True, default="")
    document = models.OneToOneField(
        Document, models.PROTECT, null=True, blank=True, related_name="extension", verbose_name="延期告知书"
    )

    class Meta:
        verbose_name = verbose_name_plural = "延期"
        ordering = ("-id",)
        indexes: ClassVar = [
            # The head's list: what waits for an answer, the oldest first.
            models.Index(fields=("id",), condition=Q(granted__isnull=True), name="extension_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(granted__isnull=True),
                name="extension_one_waits",
                violation_error_message="这件办件已有待批的延期申请。",
            ),
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(granted=True),
                name="extension_once",
                violation_error_message="这件办件已经延期一次，依法不得再次延期。",
            ),
            models.CheckConstraint(
                condition=Q(days__gte=1), name="extension_has_length", violation_error_message="须写明延长多久。"
            ),
            models.CheckConstraint(
                condition=Q(granted__isnull=True, answered_at__isnull=True, answered_by__isnull=True)
                | (
                    Q(granted__isnull=False, answered_at__isnull=False)
                    & (Q(answered_by__isnull=False) | (Q(granted=False) & ~Q(answer="")))
                ),
                name="extension_answered_by_somebody",
                violation_error_message="批复须有时间和批复人；申请人撤回申请的，写明原因。",
            ),
            models.CheckConstraint(
                condition=~Q(granted=True) | Q(document__isnull=False),
                name="extension_granted_has_paper",
                violation_error_message="批准延期须出具延期告知书。",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True) | ~Q(answered_by=F("requested_by")),
                name="extension_not_by_oneself",
                violation_error_message="延期不能由申请人自己批准。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} +{self.days}"
