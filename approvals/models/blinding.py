"""Nobody's company (O3.1.2c): declared conflicts, covered files, and the applicant seen before the decision."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.models.cases import Case, Upload
from credit.models import CreditSubject


class Conflict(models.Model):
    """回避: a person declares beforehand that a subject's cases are not for them; the draw leaves them out.

    Whom it is about stands here and nowhere else: the register of subjects learns nothing from it and gives nothing
    away. ``key`` is the credit code, or the keyed hash of the identity number, by which the applicant is matched.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="conflicts")
    kind = models.CharField("类型", max_length=14, choices=CreditSubject.Kind.choices)
    key = models.CharField(max_length=64, editable=False)
    shown = models.CharField("证照号码", max_length=18)
    name = models.CharField("名称", max_length=120)
    # Filled when the subject is known here, at the declaration or at its first intake: deciders' lists match by it
    # without reading whose case it is.
    subject = models.ForeignKey(
        CreditSubject, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    reason = models.CharField("关系", max_length=200)
    declared_at = models.DateTimeField("申报时间")
    ended_at = models.DateTimeField("解除时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "回避申报"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("user", "key"),
                condition=Q(ended_at__isnull=True),
                name="conflict_once",
                violation_error_message="已经申报过对该主体回避。",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="conflict_has_reason"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("declared_at")), name="conflict_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.shown}"


class Recusal(models.Model):
    """A case handed back with a reason by whoever had drawn it; the next draw leaves that person out."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="recusals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    seat = models.CharField("席位", max_length=8)
    reason = models.CharField("理由", max_length=300)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "个案回避"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("case", "user"), name="recusal_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="recusal_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.user_id}"


class Unveiling(models.Model):
    """Break-glass: somebody saw the applicant before the decision, with a reason; the overseers are told at once."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="unveilings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=300)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "决定前查看申请人"
        indexes: ClassVar = [
            # The overseers' list, newest first.
            models.Index(fields=("-at", "-id"), name="unveiling_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(reason=""), name="unveiling_has_reason", violation_error_message="须写明理由。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.user_id}"


class Covering(models.Model):
    """遮盖: where a file is to be painted over, and what came of it. One holds at a time; the file itself stays.

    ``boxes`` are ``[page, x, y, width, height]``: pages from 1, the rest shares of the page from its upper left corner.
    """

    upload = models.ForeignKey(Upload, models.PROTECT, related_name="coverings", verbose_name="文件")
    cover = models.OneToOneField(Upload, models.SET_NULL, null=True, blank=True, related_name="made_by")
    boxes = models.JSONField("遮盖的位置")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField("遮盖时间")
    done_at = models.DateTimeField("生成时间", null=True, blank=True)
    problem = models.CharField("没有生成的原因", max_length=20, blank=True, default="")
    ended_at = models.DateTimeField("失效时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "材料遮盖"
        indexes: ClassVar = [
            # What the worker still has to draw.
            models.Index(
                fields=("id",), condition=Q(done_at__isnull=True, ended_at__isnull=True), name="covering_waiting"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("upload",),
                condition=Q(ended_at__isnull=True),
                name="covering_once",
                violation_error_message="这份文件已经有遮盖件。",
            ),
            models.CheckConstraint(
                condition=~Q(boxes=[]), name="covering_covers_something", violation_error_message="没有遮盖任何内容。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.asked_at:%F}"
