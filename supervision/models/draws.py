"""双随机、一公开: plans, runs with frozen pools, drawn subjects and inspectors (house.md, Draws)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from approvals.models import Licence
from catalogue.models import BusinessItem, SupervisionSubItem
from credit.models import CreditSubject, RiskClass
from offices.access import Access, covered
from offices.models import Division, Office, Posting
from supervision.models.tasks import SupervisionTask

WHO = settings.AUTH_USER_MODEL
Role = Posting.Role


class SamplingRule(models.Model):
    """How much of a risk class a draw takes, and how often a year; the built-in table stands where there is no row.

    Ratios are in hundredths of a percent (100 = 1 %), so that they are exact.
    """

    division = models.ForeignKey(Division, models.PROTECT, related_name="sampling_rules")
    risk = models.CharField("风险等级", max_length=4, choices=RiskClass.choices)
    ratio = models.PositiveIntegerField(
        "抽取比例（万分之）", validators=[MinValueValidator(1), MaxValueValidator(10000)]
    )
    times_a_year = models.PositiveSmallIntegerField(
        "每年次数", default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    basis = models.CharField("依据", max_length=200)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "抽查比例"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("division", "risk"), name="sampling_rule_once"),
            models.CheckConstraint(
                condition=Q(ratio__gte=1, ratio__lte=10000),
                name="sampling_ratio_within_whole",
                violation_error_message="比例须在万分之一到百分之百之间。",
            ),
            models.CheckConstraint(
                condition=~Q(basis=""), name="sampling_rule_has_basis", violation_error_message="须写明依据。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.division_id} {self.risk} {Decimal(self.ratio) / 100}%"


class DrawPlanQuerySet(models.QuerySet["DrawPlan"]):
    """Adjectives for plans."""

    def for_makers(self, access: Access) -> DrawPlanQuerySet:
        """Plans of the offices that the person manages or deputises for, and of the departments the person heads."""
        return self.filter(
            Q(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))
            | Q(office__department_id__in=access.departments(Role.DEPARTMENT_HEAD))
        )

    def for_readers(self, access: Access) -> DrawPlanQuerySet:
        """Those of makers, and for overseers those of the divisions that they oversee."""
        return self.filter(
            Q(office_id__in=access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY))
            | Q(office__department_id__in=access.departments(Role.DEPARTMENT_HEAD))
            | Q(office__department__division__in=covered(access, Role.OVERSEER))
        )

    def published(self) -> DrawPlanQuerySet:
        """What everybody may read."""
        return self.filter(is_published=True)


class DrawPlan(models.Model):
    """抽查计划 of one office: which items' holders, in which area, how, in which month.

    ``client_key`` is made with the form: the same form sent twice is one plan. Older plans have none.
    """

    office = models.ForeignKey(Office, models.PROTECT, related_name="draw_plans", db_index=False)
    sub_item = models.ForeignKey(SupervisionSubItem, models.PROTECT, related_name="draw_plans")
    name = models.CharField("名称", max_length=120)
    business_items = models.ManyToManyField(BusinessItem, related_name="draw_plans", verbose_name="抽查对象的许可")
    area = models.ForeignKey(
        Division, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="地域"
    )
    month = models.CharField("抽取月份", max_length=7)
    is_key_field = models.BooleanField(
        "重点领域", default=False, help_text="安全、食品、药品、环保等：比例不因信用好而降低"
    )
    ratio = models.PositiveIntegerField(
        "统一比例（万分之）", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10000)],
        help_text="不填：按风险等级的比例",
    )  # fmt: skip
    spare_months = models.PositiveSmallIntegerField("近几个月查过的不抽", default=6, validators=[MaxValueValidator(24)])
    planned_finish_on = models.DateField("完成期限")
    is_published = models.BooleanField("已公布", default=False)
    published_at = models.DateTimeField("公布时间", null=True, blank=True)
    made_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField("制定时间")
    client_key = models.UUIDField("表单标识", unique=True, null=True, editable=False)

    objects = DrawPlanQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "抽查计划"
        indexes: ClassVar = [
            # The office's plans and the public list, newest first.
            models.Index(fields=("office", "-id"), name="draw_plan_of_office"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        """The plan's stream of the ledger."""
        return f"draw_plan:{self.pk}"

    @property
    def is_drawn(self) -> bool:
        """Whether its draw took place; reads the run where it is not at hand."""
        return hasattr(self, "run")

    @property
    def keeps_ratio(self) -> bool:
        """重点领域: a good class brings no lower ratio, said by the plan or by its sub-item."""
        return self.is_key_field or self.sub_item.is_key_field


class DrawRun(models.Model):
    """One draw of a plan: the pools as they were frozen, their digests, the ledger's draw, what came out of it.

    ``pools``: ``groups`` (key, size, ratio, taken, times, used), ``classes`` (class → size; not in the oldest runs),
    ``left_out`` (reason → number), ``inspectors`` ([[id, load], …] by id) and ``conflicts`` ([[inspector, subject],
    …]). The subjects are frozen in ``PoolPart``.
    """

    plan = models.OneToOneField(DrawPlan, models.PROTECT, related_name="run")
    draw_period = models.CharField("种子时段", max_length=12)
    number = models.PositiveIntegerField("时段内序号")
    subject_pool_hash = models.CharField("对象池SM3", max_length=64)
    inspector_pool_hash = models.CharField("人员池SM3", max_length=64)
    pools = models.JSONField("池", default=dict)
    drawn_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    drawn_at = models.DateTimeField("抽取时间")

    class Meta:
        verbose_name = verbose_name_plural = "抽取"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("draw_period", "number"), name="draw_run_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.draw_period}-{self.number}"


class PoolPart(models.Model):
    """A stretch of a run's frozen pool of subjects, written once: a million rows of their own would be a burden.

    ``body``, inflated, is lines ``class,subject id,licence`` (``L12``: ``Licence`` 12, ``S7``: ``StockLicence`` 7) in
    the order of the pool. The digest of all parts' lines, one after the other, is the run's ``subject_pool_hash``.
    """

    run = models.ForeignKey(DrawRun, models.PROTECT, related_name="parts", db_index=False)
    order = models.PositiveIntegerField("顺序")
    count = models.PositiveIntegerField("行数")
    body = models.BinaryField("压缩的名单")

    class Meta:
        verbose_name = verbose_name_plural = "对象池"
        constraints: ClassVar = [
            # The replay reads a pool in order.
            models.UniqueConstraint(fields=("run", "order"), name="pool_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}-{self.order}"


class DrawnSubject(models.Model):
    """A subject that was drawn, the two inspectors drawn for it, its task; published with its result.

    ``position`` is its place in the frozen pool, from 0, by which everybody can check the draw.
    """

    run = models.ForeignKey(DrawRun, models.PROTECT, related_name="drawn", db_index=False)
    order = models.PositiveIntegerField("序号")
    position = models.PositiveIntegerField("池中位置")
    risk = models.CharField("风险等级", max_length=4, choices=RiskClass.choices)
    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="drawn")
    licence = models.ForeignKey(Licence, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    first_officer = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    second_officer = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    task = models.OneToOneField(SupervisionTask, models.PROTECT, related_name="drawn")

    class Meta:
        verbose_name = verbose_name_plural = "抽中对象"
        ordering = ("run_id", "order")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("run", "order"), name="drawn_order_once"),
            models.UniqueConstraint(fields=("run", "subject"), name="drawn_subject_once"),
            models.CheckConstraint(
                condition=~Q(second_officer=F("first_officer")), name="drawn_two_inspectors",
                violation_error_message="每个对象抽两名检查人员。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.run_id}-{self.order}"
