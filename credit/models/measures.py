"""联合奖惩: what a department grants or withholds for a time because of how a subject kept its word (L12c)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual
from simple_history.models import HistoricalRecords

from credit.models.grades import Grade
from credit.models.records import CreditRecord, Level
from credit.models.subjects import CreditSubject
from offices.models import Department


class MeasureKind(models.TextChoices):
    """联合激励 or 联合惩戒."""

    REWARD = "reward", "联合激励"
    PENALTY = "penalty", "联合惩戒"


# A minor breach is not shown and carries no penalty; a reward is for a good grade as it was received.
PENAL_LEVELS = (Level.GENERAL, Level.SERIOUS)
REWARDED_GRADES = (Grade.EXCELLENT, Grade.GOOD)
# A name of a law with its article; less is no basis.
SHORTEST_BASIS = 10
MOST_MONTHS = 36


class MeasureRule(models.Model):
    """One line of the city's list (联合奖惩措施清单): what is proposed for a level of breaches or for a public grade.

    Its words stay as they are; what is to change is switched off and added anew. Nothing begins by itself.
    """

    kind = models.CharField("类别", max_length=7, choices=MeasureKind.choices)
    # Of a penalty: the level of the breach.
    level = models.CharField("失信等级", max_length=8, choices=Level.choices, blank=True, default="")
    # Of a reward: the newest public credit evaluation as received.
    grade = models.CharField("公共信用评价", max_length=10, choices=Grade.choices, blank=True, default="")
    what = models.CharField("措施", max_length=500)
    basis = models.CharField("法律依据", max_length=200)
    months = models.PositiveSmallIntegerField("期限（月）")
    is_on = models.BooleanField("启用", default=True)
    off_reason = models.CharField("停用理由", max_length=500, blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "联合奖惩措施清单"
        constraints: ClassVar = [
            # Also what the proposals look up by kind and level or grade.
            models.UniqueConstraint(
                fields=("kind", "level", "grade", "what"), condition=Q(is_on=True), name="measure_rule_once",
                violation_error_message="清单里已有这项措施。",
            ),
            models.CheckConstraint(
                condition=Q(kind="penalty", level__in=list(PENAL_LEVELS), grade="")
                | Q(kind="reward", level="", grade__in=list(REWARDED_GRADES)),
                name="measure_rule_rests_on_level_or_grade",
                violation_error_message="联合惩戒按一般、严重失信，联合激励按优、良的公共信用评价。",
            ),
            models.CheckConstraint(
                condition=~Q(what=""), name="measure_rule_says_what", violation_error_message="请写明措施。"
            ),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("basis"), SHORTEST_BASIS), name="measure_rule_has_basis",
                violation_error_message="法律依据至少 10 字。",
            ),
            models.CheckConstraint(
                condition=Q(months__gte=1, months__lte=MOST_MONTHS), name="measure_rule_months",
                violation_error_message="期限为 1 至 36 个月。",
            ),
            models.CheckConstraint(
                condition=Q(is_on=True, off_reason="") | Q(is_on=False) & ~Q(off_reason=""),
                name="measure_rule_off_with_reason",
                violation_error_message="停用须写明理由。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()}（{self.ground}）{self.what}"

    @property
    def ground(self) -> str:
        """On what it rests, in words: the level of a breach or the grade of the public evaluation."""
        if self.kind == MeasureKind.PENALTY:
            return f"{self.get_level_display()}失信"
        return f"信用评价为{self.get_grade_display()}"


class JointMeasure(models.Model):
    """A reward or a penalty with its legal basis, from a day to a day; it ends by its date, early, or with its record.

    ``record``: what a penalty rests on; it ends when that record goes out of use.
    """

    Kind = MeasureKind

    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="measures", db_index=False)
    kind = models.CharField("类别", max_length=7, choices=Kind.choices)
    what = models.CharField("措施", max_length=500)
    basis = models.CharField("法律依据", max_length=200)
    record = models.ForeignKey(
        CreditRecord, models.PROTECT, null=True, blank=True, related_name="measures", db_index=False,
        verbose_name="所依据的记录",
    )  # fmt: skip
    # The line of the city's list it was proposed by; null where a person thought of it.
    rule = models.ForeignKey(
        MeasureRule, models.PROTECT, null=True, blank=True, related_name="measures", db_index=False,
        verbose_name="措施清单",
    )  # fmt: skip
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", db_index=False, verbose_name="决定单位"
    )
    decided_at = models.DateTimeField("决定时间")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")
    ended_at = models.DateTimeField("提前终止时间", null=True, blank=True)
    # Null where the record went out of use by a notice of the platform.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    end_reason = models.TextField("提前终止的理由", blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "联合奖惩措施"
        indexes: ClassVar = [
            # Intake, the gate and the subject's page: what is in force for a subject on a day.
            models.Index(fields=("subject", "ends_on"), condition=Q(ended_at__isnull=True), name="measure_of_subject"),
            # The credit officers' list of a department, the newest first.
            models.Index(fields=("department", "-id"), name="measure_of_department"),
            # Repair: what rests on a record.
            models.Index(
                fields=("record",), condition=Q(record__isnull=False, ended_at__isnull=True), name="measure_of_record"
            ),
            # The administrators' list: what was begun by a rule and is not ended.
            models.Index(
                fields=("rule", "ends_on"), condition=Q(rule__isnull=False, ended_at__isnull=True),
                name="measure_of_rule",
            ),
        ]  # fmt: skip
        constraints: ClassVar = [
            # Two officers at once; the act sees the same words in an overlapping time as well.
            models.UniqueConstraint(
                fields=("subject", "department", "rule", "starts_on"),
                condition=Q(rule__isnull=False, ended_at__isnull=True),
                name="measure_of_rule_once",
                violation_error_message="对这个主体的同一措施已经实施。",
            ),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("ends_on")),
                name="measure_starts_before_it_ends",
                violation_error_message="结束日期不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=~Q(basis="") & ~Q(what=""),
                name="measure_has_basis",
                violation_error_message="联合奖惩须写明措施和法律依据。",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | Q(ended_at__isnull=False) & ~Q(end_reason=""),
                name="measure_ended_with_reason",
                violation_error_message="提前终止须有时间和理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on}–{self.ends_on}"

    @property
    def words(self) -> str:
        """What it is, whose, on what basis and until when, in a sentence; no person is named."""
        day = self.ends_on
        until = f"{day.year}年{day.month}月{day.day}日"
        return f"{self.get_kind_display()}：{self.what}（{self.department.name}，{self.basis}，至{until}）"
