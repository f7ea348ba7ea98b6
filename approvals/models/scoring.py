"""How a case is weighed: score sheets, internal countersignatures, on-site checks (O3.1.2d, O3.2.1b–c)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.enums import Seat
from approvals.models.cases import Case
from catalogue.models import Criterion
from offices.models import Office


class Sheet(models.Model):
    """评分表 of one reviewer of a case. The first seat's reviewer is ``case.reviewer``; no criteria, no sheet.

    ``total`` and ``vetoes`` (ids of failed veto criteria) are written when the sheet is given, with the pass mark of
    that day, so that the arithmetic can be read later as it was.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="sheets")
    seat = models.CharField("席位", max_length=8, choices=Seat.choices)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField("抽取时间")
    given_at = models.DateTimeField("提交时间", null=True, blank=True)
    approve = models.BooleanField("建议准予", null=True, blank=True)
    text = models.TextField("意见", blank=True, default="")
    grounds = models.JSONField("不符合之处", default=list, blank=True)
    total = models.PositiveSmallIntegerField("总分", null=True, blank=True)
    pass_mark = models.PositiveSmallIntegerField("合格分", null=True, blank=True)
    vetoes = models.JSONField("一票否决", default=list, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "评分表"
        ordering = ("id",)
        indexes: ClassVar = [
            # A reviewer's queue: sheets that are not given yet.
            models.Index(fields=("reviewer", "id"), condition=Q(given_at__isnull=True), name="sheet_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("case", "seat"), name="sheet_once_a_seat"),
            models.UniqueConstraint(
                fields=("case", "reviewer"), name="sheet_once_a_reviewer", violation_error_message="同一人不能评两次。"
            ),
            models.CheckConstraint(
                condition=Q(given_at__isnull=True, approve__isnull=True)
                | (Q(given_at__isnull=False, approve__isnull=False) & ~Q(text="")),
                name="sheet_given_whole",
                violation_error_message="提交评分表须有结论和意见。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_seat_display()}"


class Score(models.Model):
    """One criterion on one sheet: the points given (or whether a veto criterion is met), and on what evidence."""

    sheet = models.ForeignKey(Sheet, models.CASCADE, related_name="scores")
    criterion = models.ForeignKey(Criterion, models.PROTECT, related_name="+")
    name = models.CharField("准则", max_length=200)
    points = models.PositiveSmallIntegerField("得分", null=True, blank=True)
    max_score = models.PositiveSmallIntegerField("满分", default=0)
    met = models.BooleanField("是否符合", null=True, blank=True)
    evidence = models.CharField("依据", max_length=500, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "评分"
        ordering = ("id",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("sheet", "criterion"), name="score_once"),
            models.CheckConstraint(
                condition=Q(points__isnull=True, met__isnull=False) | Q(points__lte=F("max_score"), met__isnull=True),
                name="score_within_its_criterion",
                violation_error_message="得分不能超过满分。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.points}"


class Countersignature(models.Model):
    """内部会签: another office of the department answers in parallel with the review (O3.2.1c)."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="countersignatures")
    office = models.ForeignKey(Office, models.PROTECT, related_name="countersignatures")
    asked_at = models.DateTimeField("送签时间")
    agree = models.BooleanField("同意", null=True, blank=True)
    text = models.CharField("会签意见", max_length=1000, blank=True, default="")
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    signed_at = models.DateTimeField("会签时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "内部会签"
        ordering = ("id",)
        indexes: ClassVar = [
            # An office's queue: what it has not answered.
            models.Index(fields=("office", "id"), condition=Q(signed_at__isnull=True), name="countersign_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("case", "office"), name="countersign_once"),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True, agree__isnull=True, signed_by__isnull=True)
                | (Q(signed_at__isnull=False, agree__isnull=False, signed_by__isnull=False) & ~Q(text="")),
                name="countersigned_whole",
                violation_error_message="会签须有意见。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.office_id}"


class SiteCheck(models.Model):
    """现场核查 by two officers, who see the applicant and therefore never score or decide (行政许可法 art. 34)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="site_check")
    first = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    second = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    planned_on = models.DateField("计划日期")
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    planned_at = models.DateTimeField("安排时间")
    place = models.CharField("地点", max_length=200, blank=True, default="")
    conforms = models.BooleanField("符合", null=True, blank=True)
    findings = models.CharField("核查情况", max_length=1000, blank=True, default="")
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    # Reported by one, done when the other confirms: until then nobody but the two reads it.
    reported_at = models.DateTimeField("报告时间", null=True, blank=True)
    done_at = models.DateTimeField("核查时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "现场核查"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(first=F("second")),
                name="site_check_by_two",
                violation_error_message="现场核查须由两名以上工作人员进行。",
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, reported_at__isnull=True, conforms__isnull=True)
                | (Q(reported_at__isnull=False, reported_by__isnull=False, conforms__isnull=False) & ~Q(findings="")),
                name="site_check_reported_whole",
                violation_error_message="现场核查须写明情况。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.planned_on:%F}"
