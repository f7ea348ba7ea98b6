"""Two gradings that come from outside and are never mixed, and what the public one opens or closes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from credit.models.subjects import CreditSubject


class Grade(models.TextChoices):
    """The public credit evaluation as received; ``NONE`` where the platform says nothing, never taken for good."""

    EXCELLENT = "excellent", "优"
    GOOD = "good", "良"
    FAIR = "fair", "中"
    POOR = "poor", "差"
    NONE = "none", "未评价"


# Where nothing was received, or what was is withdrawn.
NO_GRADE, NO_RISK = "未评价（不视为良好）", "未评定"


class SubjectGrade(models.Model):
    """A public credit evaluation that was received from outside; the newest one counts.

    ``NONE``: the platform gives none any more, since ``given_at``.
    """

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="grades")
    grade = models.CharField("等级", max_length=10, choices=Grade.choices)
    source = models.CharField("来源", max_length=120)
    given_at = models.DateTimeField("评价时间")
    received_at = models.DateTimeField("接收时间")

    class Meta:
        verbose_name = verbose_name_plural = "公共信用评价"
        indexes: ClassVar = [
            # The credit query at intake asks for the newest of a subject (L7).
            models.Index(fields=("subject", "-given_at", "-id"), name="grade_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source=""),
                name="grade_has_source",
                violation_error_message="信用等级须写明来源。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.get_grade_display()}"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it says that there is none any more."""
        return self.grade == Grade.NONE

    @property
    def label(self) -> str:
        """The grade in Chinese; none is never taken for good."""
        return NO_GRADE if self.is_withdrawn else self.get_grade_display()


class RiskClass(models.TextChoices):
    """The market regulator's risk class as received; it drives sampling and nothing else (domain.md, Credit)."""

    A = "A", "A（低）"
    B = "B", "B（较低）"
    C = "C", "C（较高）"
    D = "D", "D（高）"
    NONE = "none", "未评定"


class SubjectRisk(models.Model):
    """A risk class that was received from outside; the newest one counts, none is never taken for good.

    ``NONE``: the platform gives none any more, since ``given_at``.
    """

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="risks")
    risk = models.CharField("风险等级", max_length=4, choices=RiskClass.choices)
    source = models.CharField("来源", max_length=120)
    given_at = models.DateTimeField("评定时间")
    received_at = models.DateTimeField("接收时间")

    class Meta:
        verbose_name = verbose_name_plural = "信用风险分类"
        indexes: ClassVar = [
            # A draw asks for the newest of every subject in its pool.
            models.Index(fields=("subject", "-given_at", "-id"), name="risk_of_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source=""),
                name="risk_has_source",
                violation_error_message="风险等级须写明来源。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} {self.risk}"

    @property
    def is_withdrawn(self) -> bool:
        """Whether it says that there is none any more."""
        return self.risk == RiskClass.NONE

    @property
    def label(self) -> str:
        """The class in Chinese."""
        return NO_RISK if self.is_withdrawn else self.get_risk_display()


class HandlingWay(models.TextChoices):
    """What a grade opens or closes (差异化审批办理方式, L12a)."""

    PROMISE = "promise", "告知承诺"
    LATER = "later", "容缺办理"
    ON_THE_SPOT = "on_the_spot", "当场决定"
    GREEN_LANE = "green_lane", "绿色通道"
    FULL = "full", "全部材料"


class HandlingRule(models.Model):
    """One cell of the table grade × way: open or closed, and why; with its history (L12a)."""

    grade = models.CharField("信用等级", max_length=10, choices=Grade.choices)
    way = models.CharField("办理方式", max_length=12, choices=HandlingWay.choices)
    is_open = models.BooleanField("适用")
    basis = models.CharField("依据", max_length=200)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "差异化办理"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("grade", "way"), name="handling_rule_once"),
            models.CheckConstraint(
                condition=~Q(way="full") | Q(is_open=True),
                name="full_materials_are_always_open",
                violation_error_message="提交全部材料的方式对任何申请人开放。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_grade_display()} {self.get_way_display()}"
