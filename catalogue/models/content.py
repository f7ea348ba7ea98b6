"""What the guide of a business item says: facts by topic, and materials."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from catalogue.enums import Certainty, GroundKind, MaterialForm, Requirement, Topic

INHERITED = "本业务办理项执行全市统一标准，不能自行增加条件或材料（连政办传〔2023〕8号，三、（二）1）。"


class Ground(NamedTuple):
    """Something published that a correction or a refusal may rest on (O3.2.1d)."""

    kind: GroundKind
    id: int
    text: str
    certainty: Certainty


def _refuse_on_inheriting_item(business_item: models.Model) -> None:
    if getattr(business_item, "standard_item_id", None) is not None:
        raise ValidationError({"business_item": INHERITED})


class ItemFact(models.Model):
    """One statement of the guide with the place where it is written and how far that was read."""

    business_item = models.ForeignKey(
        "catalogue.BusinessItem", models.PROTECT, related_name="facts", verbose_name="业务办理项"
    )
    topic = models.CharField("栏目", max_length=12, choices=Topic.choices)
    order = models.PositiveSmallIntegerField("序号")
    text = models.TextField("内容")
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    is_active = models.BooleanField("有效", default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "办事指南内容"
        ordering = ("business_item_id", "topic", "order")
        constraints: ClassVar = [
            # Also the order in which the guide page reads its facts.
            models.UniqueConstraint(
                fields=("business_item", "topic", "order"),
                name="fact_once",
                violation_error_message="同一栏目已有该序号的内容。",
            ),
            models.CheckConstraint(
                condition=~Q(source=""), name="fact_has_source", violation_error_message="每条内容都要写明出处。"
            ),
            models.CheckConstraint(
                condition=Q(topic__in=Topic.values), name="fact_topic_known", violation_error_message="没有这个栏目。"
            ),
            models.CheckConstraint(
                condition=Q(certainty__in=Certainty.values),
                name="fact_certainty_known",
                violation_error_message="核实程度不在范围内。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_topic_display()}{self.order}"

    def clean(self) -> None:
        """Refuse a condition of one's own on an item that inherits the city's standard."""
        _refuse_on_inheriting_item(self.business_item)

    @property
    def is_unverified(self) -> bool:
        """Whether the page shows 待核实 beside it."""
        return self.certainty == Certainty.UNVERIFIED


class Material(models.Model):
    """A material that an applicant hands in."""

    business_item = models.ForeignKey(
        "catalogue.BusinessItem", models.PROTECT, related_name="materials", verbose_name="业务办理项"
    )
    order = models.PositiveSmallIntegerField("序号")
    name = models.CharField("材料名称", max_length=120)
    requirement = models.CharField("必要性", max_length=12, choices=Requirement.choices, default=Requirement.REQUIRED)
    condition_text = models.CharField("适用情形", max_length=200, blank=True, default="")
    form = models.CharField("形式", max_length=12, choices=MaterialForm.choices, default=MaterialForm.ORIGINAL)
    copies = models.PositiveSmallIntegerField("份数", default=1)
    is_promise_letter = models.BooleanField(
        "告知承诺书", default=False, help_text="清单自带承诺书的事项只按告知承诺方式办理"
    )
    waived_by_promise = models.BooleanField("承诺后免交", default=False)
    deferrable = models.BooleanField("承诺后可延期提交", default=False)
    verifiable = models.BooleanField("可数据核验免交", default=False)
    later_allowed = models.BooleanField("可容缺后补", default=False, help_text="次要材料，领证后限期补交（O3.1.3a）")
    sample_text = models.TextField("填写说明", blank=True, default="")
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    is_active = models.BooleanField("有效", default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "申请材料"
        ordering = ("business_item_id", "order", "id")
        indexes: ClassVar = [
            # The checklist at the window and the materials part of the guide, in their order.
            models.Index(fields=("business_item", "order"), name="material_item_order"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("business_item", "name"), name="material_once", violation_error_message="该材料已列入清单。"
            ),
            models.CheckConstraint(
                condition=~Q(source=""), name="material_has_source", violation_error_message="每份材料都要写明出处。"
            ),
            models.CheckConstraint(
                condition=Q(requirement=Requirement.REQUIRED, condition_text="")
                | (Q(requirement=Requirement.CONDITIONAL) & ~Q(condition_text="")),
                name="material_condition_said",
                violation_error_message="特定情形才需要的材料要写明是什么情形，必要材料不写。",
            ),
            models.CheckConstraint(
                condition=Q(certainty__in=Certainty.values),
                name="material_certainty_known",
                violation_error_message="核实程度不在范围内。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a material of one's own on an item that inherits the city's standard."""
        _refuse_on_inheriting_item(self.business_item)

    @property
    def is_unverified(self) -> bool:
        """Whether the page shows 待核实 beside it."""
        return self.certainty == Certainty.UNVERIFIED


class Criterion(models.Model):
    """裁量准则: what a reviewer scores, how many points each degree gives, on what evidence (O3.1.2d).

    ``grades`` lists the degrees, best first: ``[{"score": 20, "text": "…"}, …]``. A veto criterion has none: not met,
    it fails the application whatever the sum.
    """

    business_item = models.ForeignKey(
        "catalogue.BusinessItem", models.PROTECT, related_name="criteria", verbose_name="业务办理项"
    )
    order = models.PositiveSmallIntegerField("序号")
    name = models.CharField("准则", max_length=200)
    evidence = models.CharField("依据的材料或事实", max_length=300)
    is_veto = models.BooleanField("一票否决", default=False)
    max_score = models.PositiveSmallIntegerField("满分", default=0)
    grades = models.JSONField("分档", default=list, blank=True)
    source = models.CharField("出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    is_active = models.BooleanField("有效", default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "裁量准则"
        ordering = ("business_item_id", "order")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("business_item", "order"),
                name="criterion_once",
                violation_error_message="已有该序号的准则。",
            ),
            models.CheckConstraint(
                condition=Q(is_veto=True, max_score=0, grades=[]) | (Q(is_veto=False, max_score__gt=0) & ~Q(grades=[])),
                name="criterion_scores_or_vetoes",
                violation_error_message="准则要么分档记分，要么一票否决。",
            ),
            models.CheckConstraint(
                condition=~Q(source="") & ~Q(evidence=""),
                name="criterion_has_source_and_evidence",
                violation_error_message="准则要写明出处和依据的材料。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a criterion of one's own on an item that inherits the city's standard, and degrees out of order."""
        _refuse_on_inheriting_item(self.business_item)
        scores = [grade.get("score") for grade in self.grades]
        if self.grades and (scores[0] != self.max_score or sorted(scores, reverse=True) != scores):
            raise ValidationError({"grades": "分档从高到低排列，最高档即满分。"})

    @property
    def is_unverified(self) -> bool:
        """Whether the page shows 待核实 beside it."""
        return self.certainty == Certainty.UNVERIFIED
