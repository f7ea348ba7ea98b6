"""Supervision items and the linkage list."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from catalogue.enums import Certainty
from catalogue.querysets import LinkageQuerySet
from offices.models import Department, Office

# Nothing is planned later than this after its acknowledgement; a sub-item may say less. The database refuses a year.
MOST_PLAN_DAYS = 180


class SupervisionItem(models.Model):
    """监管事项主项 of one department."""

    code = models.CharField("监管事项编码", max_length=40, unique=True)
    name = models.CharField("名称", max_length=120)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="supervision_items", verbose_name="监管部门"
    )
    code_is_own = models.BooleanField("自编编码", default=True, help_text="未查得省监管事项目录编码，用本平台自编编码")
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "监管事项"
        ordering = ("code",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source=""),
                name="supervision_item_has_source",
                violation_error_message="监管事项要写明出处。",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SupervisionSubItem(models.Model):
    """监管事项子项: what an inspector looks at. ``points`` is a list of texts."""

    item = models.ForeignKey(SupervisionItem, models.PROTECT, related_name="sub_items", verbose_name="监管事项")
    code = models.CharField("子项编码", max_length=40, unique=True)
    name = models.CharField("名称", max_length=120)
    points = models.JSONField("检查要点", default=list)
    longest_plan_days = models.PositiveSmallIntegerField(
        "计划完成最长天数", default=MOST_PLAN_DAYS, help_text="从签收起算；没有它，反馈期限可能永不起算（L10a）"
    )
    two_officers = models.BooleanField("须两人以上", default=True)
    is_key_field = models.BooleanField(
        "重点领域", default=False, help_text="安全、食品、药品、环保等：抽查比例不因信用好而降低"
    )
    code_is_own = models.BooleanField("自编编码", default=True)
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "监管事项子项"
        ordering = ("code",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source=""), name="sub_item_has_source", violation_error_message="监管事项子项要写明出处。"
            ),
            models.CheckConstraint(
                condition=Q(longest_plan_days__gte=1, longest_plan_days__lte=366),
                name="sub_item_plan_within_a_year",
                violation_error_message="计划完成最长天数须在1到366天之间。",
            ),
            models.CheckConstraint(
                condition=~Q(points=[]),
                name="sub_item_has_points",
                violation_error_message="监管事项子项要列出检查要点。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        """The ledger stream of its checklist and of the most days of its plans."""
        return f"checklist:{self.pk}"


class Linkage(models.Model):
    """审管关联: cases of the business item open a task of the sub-item at the office (L4a)."""

    business_item = models.ForeignKey(
        "catalogue.BusinessItem", models.PROTECT, related_name="linkages", verbose_name="业务办理项"
    )
    office = models.ForeignKey(Office, models.PROTECT, related_name="linkages", verbose_name="监管处室")
    sub_item = models.ForeignKey(
        SupervisionSubItem, models.PROTECT, related_name="linkages", verbose_name="监管事项子项"
    )
    active = models.BooleanField("有效", default=True)
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    # A list that it rests on changed: it holds on, and waits for somebody to look at it again (O3.3.3).
    reopened_at = models.DateTimeField("重新核对自", null=True, blank=True)
    reopened_why = models.CharField("重新核对的原因", max_length=200, blank=True, default="")
    objects = LinkageQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "审管关联"
        ordering = ("business_item_id", "office_id", "sub_item_id")
        indexes: ClassVar = [
            # Completing a case reads the active linkages of its item; publication and the fault list ask the same.
            models.Index(fields=("business_item",), condition=Q(active=True), name="linkage_active_of_item"),
            # The administrators' list of what waits to be looked at again.
            models.Index(fields=("business_item",), condition=Q(reopened_at__isnull=False), name="linkage_reopened"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("business_item", "office", "sub_item"),
                name="linkage_once",
                violation_error_message="该关联已存在。",
            ),
            models.CheckConstraint(
                condition=~Q(source=""), name="linkage_has_source", violation_error_message="审管关联要写明出处。"
            ),
            models.CheckConstraint(
                condition=Q(reopened_at__isnull=True, reopened_why="")
                | Q(reopened_at__isnull=False) & ~Q(reopened_why=""),
                name="linkage_reopened_with_reason",
                violation_error_message="重新核对的关联须写明原因。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business_item_id}→{self.office_id}/{self.sub_item_id}"

    def clean(self) -> None:
        """An item is watched in its own division, by a supervising department, on that department's own sub-item."""
        department = self.office.department
        if department.division_id != self.business_item.item.division_id:
            raise ValidationError({"office": "审管关联只能指向本区划的处室。"})
        if not department.supervises:
            raise ValidationError({"office": f"{department.name}没有配置监管侧，不能关联其处室。"})
        if self.sub_item.item.department_id != department.pk:
            raise ValidationError({"sub_item": "监管事项子项不属于该处室所在部门。"})
