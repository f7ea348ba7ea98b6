"""Approval items and the business items that are applied for."""

from __future__ import annotations

import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from catalogue.enums import (
    INNER_LIMIT_WORKING_DAYS,
    ITEM_MOVES,
    Certainty,
    GroundKind,
    Handling,
    ItemKind,
    ItemStatus,
    PeriodStart,
    PeriodUnit,
    PromiseMode,
    ResultKind,
    Topic,
)
from catalogue.errors import ItemMoveNotAllowed
from catalogue.models.content import Criterion, Ground, ItemFact, Material
from catalogue.models.key import KeyItem
from catalogue.pinyin import fold, initials
from catalogue.querysets import LINE, BusinessItemQuerySet
from deadlines.kinds import ART_42, ART_42_DAYS, Extension
from offices.models import Department, Division, Office


class ApprovalItem(models.Model):
    """审批事项 of one department of one division. ``source`` and ``certainty`` say whence its authority is known."""

    code = models.CharField("事项编码", max_length=40, unique=True)
    name = models.CharField("事项名称", max_length=120)
    kind = models.CharField("类型", max_length=8, choices=ItemKind.choices)
    division = models.ForeignKey(Division, models.PROTECT, related_name="approval_items", verbose_name="区划")
    department = models.ForeignKey(Department, models.PROTECT, related_name="approval_items", verbose_name="实施部门")
    key_item = models.ForeignKey(KeyItem, models.PROTECT, null=True, blank=True, related_name="approval_items")
    code_is_own = models.BooleanField("自编编码", default=True, help_text="未查得省目录实施编码，用本平台自编编码")
    source = models.CharField("实施主体出处", max_length=300)
    certainty = models.CharField("核实程度", max_length=12, choices=Certainty.choices)
    notes = models.TextField("说明", blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "审批事项"
        ordering = ("code",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(source=""), name="approval_item_has_source", violation_error_message="审批事项要写明出处。"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ItemKind.values),
                name="approval_item_kind_known",
                violation_error_message="事项类型不在范围内。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key_number(self) -> int | None:
        """The number of the key item that this belongs to, if any."""
        return self.key_item_id

    @property
    def is_key_item(self) -> bool:
        """Whether this belongs to the city's nine key items."""
        return self.key_item_id is not None

    @property
    def is_filing(self) -> bool:
        """Whether this is accepted on formal completeness, without approval steps (O3.1.1c)."""
        return self.kind == ItemKind.FILING

    def clean(self) -> None:
        """Refuse a department of another division."""
        if self.department.division_id != self.division_id:
            raise ValidationError({"department": "实施部门不属于该区划。"})


class BusinessItem(models.Model):
    """业务办理项: what is applied for.

    An item with ``standard_item`` inherits the city's standard (O3.2.1d): materials and facts are read from there, the
    period, result, fee, validity and promise fields are the standard's, and the database refuses rows of its own.
    ``promised_length`` counts working days from acceptance (“初审受理后按承诺时限完成审批”, O3.2.1a); empty on the
    spot.
    """

    # What an inheriting item takes over, field by field; promised_length may be shorter than the standard's.
    INHERITED_FIELDS: ClassVar = (
        "handling",
        "statutory_length",
        "statutory_unit",
        "statutory_start",
        "statutory_source",
        "statutory_certainty",
        "extension_length",
        "extension_source",
        "period_note",
        "public_notice_days",
        "public_notice_pauses_promise",
        "public_notice_law",
        "high_risk",
        "promise_modes",
        "promise_refusal",
        "promise_clauses",
        "result_name",
        "result_kind",
        "validity_months",
        "validity_text",
        "fee_text",
        "must_meet",
        "must_meet_reason",
        "reviewers",
        "pass_mark",
        "divergence",
        "site_check",
        "later_consequence",
    )

    item = models.ForeignKey(ApprovalItem, models.PROTECT, related_name="business_items", verbose_name="审批事项")
    code = models.CharField("业务办理项编码", max_length=40, unique=True)
    name = models.CharField("名称", max_length=120)
    initials = models.CharField("拼音首字母", max_length=120, editable=False)
    aliases = models.JSONField("别名", default=list, blank=True)
    search_text = models.TextField("检索文本", editable=False)
    status = models.CharField("状态", max_length=12, choices=ItemStatus.choices, default=ItemStatus.DRAFT)
    version = models.PositiveIntegerField("版本", default=1)
    published_at = models.DateTimeField("发布时间", null=True, blank=True)
    handling = models.CharField("办件类型", max_length=12, choices=Handling.choices)

    statutory_length = models.PositiveSmallIntegerField("法定期限", null=True, blank=True)
    statutory_unit = models.CharField("法定期限单位", max_length=8, choices=PeriodUnit.choices, blank=True, default="")
    statutory_start = models.CharField("起算", max_length=12, choices=PeriodStart.choices, blank=True, default="")
    statutory_source = models.CharField("法定期限出处", max_length=300, blank=True, default="")
    statutory_certainty = models.CharField(
        "法定期限核实程度", max_length=12, choices=Certainty.choices, blank=True, default=""
    )
    extension_length = models.PositiveSmallIntegerField(
        "可延长", null=True, blank=True, help_text="法律法规另行规定的延长，单位同法定期限；空：行政许可法第四十二条"
    )
    extension_source = models.CharField("延长的出处", max_length=300, blank=True, default="")
    promised_length = models.PositiveSmallIntegerField("承诺期限（工作日）", null=True, blank=True)
    promised_source = models.CharField("承诺期限出处", max_length=300, blank=True, default="")
    promised_certainty = models.CharField(
        "承诺期限核实程度", max_length=12, choices=Certainty.choices, blank=True, default=""
    )
    promised_exemption = models.CharField("超过5个工作日的理由", max_length=300, blank=True, default="")
    promised_exemption_by = models.CharField("豁免批准", max_length=120, blank=True, default="")
    period_note = models.TextField("期限说明", blank=True, default="")
    reports_to_province = models.BooleanField("须上报省主管部门", default=False)
    public_notice_days = models.PositiveSmallIntegerField("公示天数（工作日）", null=True, blank=True)
    public_notice_pauses_promise = models.BooleanField("公示期间承诺期限停计", default=False)
    public_notice_law = models.CharField(
        "公示期间法定期限停计的法律依据", max_length=200, blank=True, default="", help_text="空：公示不停计法定期限"
    )

    high_risk = models.BooleanField(
        "不得告知承诺", default=False, help_text="风险较大、纠错成本较高、损害难以挽回（国办发〔2020〕42号）"
    )
    promise_modes = models.JSONField("告知承诺方式", default=list, blank=True)
    promise_refusal = models.CharField("不适用告知承诺的理由", max_length=300, blank=True, default="")
    promise_clauses = models.JSONField("承诺内容", default=list, blank=True)

    result_name = models.CharField("结果名称", max_length=120)
    result_kind = models.CharField("结果类型", max_length=12, choices=ResultKind.choices)
    validity_months = models.PositiveSmallIntegerField("有效期（月）", null=True, blank=True)
    validity_text = models.CharField("有效期", max_length=200, blank=True, default="")
    fee_text = models.CharField("收费", max_length=200)
    document_word = models.CharField("文种代字", max_length=12, help_text="用于文号，如“许准”")

    must_meet = models.BooleanField("必须见面", default=False)
    must_meet_reason = models.CharField("必须见面的理由", max_length=300, blank=True, default="")
    reviewers = models.PositiveSmallIntegerField("审查人数", default=1)
    pass_mark = models.PositiveSmallIntegerField("合格分", null=True, blank=True)
    divergence = models.PositiveSmallIntegerField(
        "分歧", null=True, blank=True, help_text="两名审查人员总分相差达到此数的，由牵头人会办"
    )
    site_check = models.BooleanField(
        "须现场核查", default=False, help_text="由两名以上工作人员进行（行政许可法第三十四条）"
    )
    countersign_offices = models.ManyToManyField(
        Office, blank=True, related_name="countersigned_items", verbose_name="内部会签处室"
    )
    later_consequence = models.CharField(
        "容缺逾期的后果", max_length=300, blank=True, default="", help_text="空：本事项不实行容缺办理"
    )

    standard_item = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="inheritors", verbose_name="全市统一标准"
    )
    standard_only = models.BooleanField("仅作全市标准", default=False, help_text="本级不受理，供县（区）继承")
    review_office = models.ForeignKey(Office, models.PROTECT, related_name="reviewed_items", verbose_name="审查处室")
    notes = models.TextField("说明", blank=True, default="")
    objects = BusinessItemQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["search_text"])

    class Meta:
        verbose_name = verbose_name_plural = "业务办理项"
        ordering = ("code",)
        indexes: ClassVar = [
            # The window's and the public's list of what can be applied for, by name.
            models.Index(fields=("status", "name"), name="business_item_status_name"),
            # Typing initials at the window.
            models.Index(fields=("initials",), name="business_item_initials"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=ItemStatus.values),
                name="business_item_status_known",
                violation_error_message="业务办理项状态不在范围内。",
            ),
            models.CheckConstraint(
                condition=Q(statutory_length__isnull=True, statutory_unit="", statutory_start="", statutory_source="")
                | (
                    Q(statutory_length__gt=0, statutory_unit__in=PeriodUnit.values)
                    & Q(statutory_start__in=PeriodStart.values, statutory_certainty__in=Certainty.values)
                    & ~Q(statutory_source="")
                ),
                name="business_item_statutory_whole",
                violation_error_message="法定期限要同时写明长度、单位、起算和出处。",
            ),
            models.CheckConstraint(
                condition=Q(extension_length__isnull=True, extension_source="")
                | (Q(extension_length__gt=0, statutory_length__isnull=False) & ~Q(extension_source="")),
                name="business_item_extension_has_source",
                violation_error_message="可延长的期限要写明出处，且以法定期限为前提。",
            ),
            models.CheckConstraint(
                condition=Q(promised_length__isnull=True)
                | (Q(promised_length__gt=0, promised_certainty__in=Certainty.values) & ~Q(promised_source="")),
                name="business_item_promised_has_source",
                violation_error_message="承诺期限要写明出处。",
            ),
            # The outer bound: five working days fill seven calendar days. catalogue.periods.longest_promise is a day
            # stricter where days are left over, and a case's own promise never outlasts its law (approvals' intake).
            models.CheckConstraint(
                condition=Q(promised_length__isnull=True)
                | Q(statutory_length__isnull=True)
                | Q(statutory_unit=PeriodUnit.WORKING, promised_length__lte=F("statutory_length"))
                | Q(statutory_unit=PeriodUnit.CALENDAR, promised_length__lte=F("statutory_length") * 5 / 7)
                | Q(statutory_unit=PeriodUnit.MONTHS, promised_length__lte=F("statutory_length") * 20),
                name="business_item_promise_within_law",
                violation_error_message="承诺期限不能长于法定期限。",
            ),
            models.CheckConstraint(
                condition=Q(promised_length__isnull=True)
                | Q(promised_length__lte=INNER_LIMIT_WORKING_DAYS)
                | Q(reports_to_province=True)
                | (~Q(promised_exemption="") & ~Q(promised_exemption_by="")),
                name="business_item_inner_limit",
                violation_error_message="承诺期限超过5个工作日的，须上报省主管部门或者写明理由和批准人。",
            ),
            models.CheckConstraint(
                condition=Q(high_risk=False) | Q(promise_modes=[]),
                name="business_item_no_promise_on_risk",
                violation_error_message="风险较大、损害难以挽回的事项不得实行告知承诺（国办发〔2020〕42号）。",
            ),
            models.CheckConstraint(
                condition=Q(promise_modes=[]) ^ Q(promise_refusal=""),
                name="business_item_promise_said",
                violation_error_message="要么列出告知承诺方式，要么写明不适用的理由。",
            ),
            models.CheckConstraint(
                condition=Q(must_meet=False) ^ ~Q(must_meet_reason=""),
                name="business_item_must_meet_has_reason",
                violation_error_message="必须见面的事项要写明理由，其他事项不写。",
            ),
            models.CheckConstraint(
                condition=Q(reviewers__in=[1, 2]),
                name="business_item_reviewers",
                violation_error_message="审查人数为一名或者两名。",
            ),
            models.CheckConstraint(
                condition=Q(divergence__isnull=True) | Q(reviewers=2, divergence__gt=0, pass_mark__isnull=False),
                name="business_item_divergence_of_two",
                violation_error_message="只有两名审查人员评分的事项才设分歧分数。",
            ),
            models.CheckConstraint(
                condition=Q(standard_only=False) | Q(status=ItemStatus.DRAFT, standard_item__isnull=True),
                name="business_item_standard_not_applied_for",
                violation_error_message="仅作全市标准的事项不在本级受理，不能发布。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep initials and the search text in step with name, aliases and code."""
        self.initials = initials(self.name)[:120]
        self.search_text = self.search_lines()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def search_lines(self) -> str:
        """Everything that finds this item, folded, one to a line, each line after a line break."""
        names = [self.name, *self.aliases, self.item.name]
        words = [*names, self.code, *(initials(name) for name in names)]
        return "".join(LINE + word for word in dict.fromkeys(fold(word) for word in words))

    def clean(self) -> None:
        """Explain what the database or the loader would refuse."""
        unknown = [mode for mode in self.promise_modes if mode not in PromiseMode.values]
        if unknown:
            raise ValidationError({"promise_modes": f"没有这种告知承诺方式：{'、'.join(map(str, unknown))}。"})
        if self.promise_modes and not self.promise_clauses:
            raise ValidationError({"promise_clauses": "实行告知承诺的事项要写明承诺内容。"})
        if self.review_office.department_id != self.item.department_id:
            raise ValidationError({"review_office": "审查处室不属于实施部门。"})
        if self.standard_item is not None:
            self._clean_inheritance(self.standard_item)

    def _clean_inheritance(self, standard: BusinessItem) -> None:
        if standard.standard_item_id is not None or standard.pk == self.pk:
            raise ValidationError({"standard_item": "全市统一标准本身不能再继承别的标准。"})
        if self.item.division.parent_id != standard.item.division_id:
            raise ValidationError({"standard_item": "只能继承上级区划的标准。"})
        own = [name for name in self.INHERITED_FIELDS if getattr(self, name) != getattr(standard, name)]
        if own:
            raise ValidationError(dict.fromkeys(own, "继承全市标准的事项不能另行规定。"))
        if self.promised_length and standard.promised_length and self.promised_length > standard.promised_length:
            raise ValidationError({"promised_length": "承诺期限不能长于全市标准。"})

    @property
    def stream(self) -> str:
        """The ledger's stream of this item."""
        return f"item:{self.pk}"

    @property
    def standard(self) -> BusinessItem:
        """The item whose materials and facts count: the city's standard, or this one."""
        return self.standard_item or self

    @property
    def is_on_the_spot(self) -> bool:
        """Whether it is accepted, decided and delivered in one sitting."""
        return self.handling == Handling.ON_THE_SPOT

    @property
    def allows_promise(self) -> bool:
        """Whether the applicant may choose the promise way."""
        return bool(self.promise_modes)

    @property
    def is_promise_only(self) -> bool:
        """Whether its own list holds the letter of promise: the ordinary way is then another item."""
        return self.allows_promise and self.effective_materials().filter(is_promise_letter=True).exists()

    def offers(self, mode: PromiseMode) -> bool:
        """Whether this mode of promise is open."""
        return mode in self.promise_modes

    @property
    def statutory_text(self) -> str:
        """「自受理之日起20个工作日」, or empty where no law sets a period."""
        if self.statutory_length is None:
            return ""
        unit = {"working": "个工作日", "calendar": "日", "months": "个月"}[self.statutory_unit]
        return f"{PeriodStart(self.statutory_start).label}{self.statutory_length}{unit}"

    @property
    def extension(self) -> Extension | None:
        """How far the statutory period may be extended: the item's own law, else art. 42 where its 20 days rule."""
        if self.statutory_length is None:
            return None
        if self.extension_length:
            return Extension(self.extension_length, ART_42.allowed_by, self.extension_source)
        by_art_42 = self.statutory_unit == PeriodUnit.WORKING and self.statutory_length <= ART_42_DAYS
        return ART_42 if by_art_42 else None

    @property
    def promised_text(self) -> str:
        """「5个工作日」, 「当场办结」, or empty."""
        if self.is_on_the_spot and self.promised_length is None:
            return "当场办结"
        return f"{self.promised_length}个工作日" if self.promised_length else ""

    def effective_materials(self) -> models.QuerySet[Material]:
        """The materials that an applicant brings, from the standard where there is one, in their order."""
        return Material.objects.filter(business_item_id=self._content_id, is_active=True).order_by("order", "id")

    def effective_criteria(self) -> models.QuerySet[Criterion]:
        """The graded criteria of the review, from the standard where there is one, in their order (O3.1.2d)."""
        return Criterion.objects.filter(business_item_id=self._content_id, is_active=True).order_by("order", "id")

    def effective_facts(self, topic: Topic | None = None) -> models.QuerySet[ItemFact]:
        """The guide's statements, from the standard where there is one; all topics or one."""
        facts = ItemFact.objects.filter(business_item_id=self._content_id, is_active=True)
        return (facts if topic is None else facts.filter(topic=topic)).order_by("topic", "order")

    @property
    def _content_id(self) -> int:
        return self.standard_item_id or self.pk

    def published_grounds(self) -> list[Ground]:
        """All that a correction or a refusal may rest on: listed materials, then listed conditions (O3.2.1d)."""
        materials = [
            Ground(GroundKind.MATERIAL, row.pk, row.name, Certainty(row.certainty))
            for row in self.effective_materials()
        ]
        conditions = [
            Ground(GroundKind.CONDITION, row.pk, row.text, Certainty(row.certainty))
            for row in self.effective_facts(Topic.CONDITION)
        ]
        return materials + conditions

    def publish(self, now: datetime.datetime) -> None:
        """Move to published; does not save."""
        self._move(ItemStatus.PUBLISHED)
        self.published_at = now

    def retire(self) -> None:
        """Move to retired; does not save."""
        self._move(ItemStatus.RETIRED)

    def _move(self, to: ItemStatus) -> None:
        if to not in ITEM_MOVES[ItemStatus(self.status)]:
            label = ItemStatus(self.status).label
            raise ItemMoveNotAllowed(f"“{self.name}”现在是“{label}”，不能改为“{to.label}”。")
        self.status = to

    def obstacles(self, on: datetime.date) -> list[str]:
        """Everything that keeps this item from being published on that day, in words; empty if nothing does."""
        found = []
        if self.standard_only:
            found.append("仅作全市标准，本级不受理")
        if not self.effective_materials().exists():
            found.append("没有申请材料")
        topics = set(self.effective_facts().values_list("topic", flat=True))
        if Topic.BASIS not in topics:
            found.append("没有设定依据")
        if not self.item.is_filing and Topic.CONDITION not in topics:
            found.append("没有办理条件")
        active = self.linkages.active().select_related("office__department")
        if not active.exists():
            found.append("没有审管关联，办结后无处推送监管任务")
        elif not active.reachable(on).exists():
            offices = "、".join(dict.fromkeys(str(linkage.office) for linkage in active))
            found.append(f"关联处室（{offices}）都没有可联系的处室管理员")
        if silent := self.silent_countersigners(on):
            offices = "、".join(str(office) for office in silent)
            found.append(f"会签处室（{offices}）没有可以会签的审查或者决定人员，办件会停在会签")
        return found

    def silent_countersigners(self, on: datetime.date) -> list[Office]:
        """The offices that this item asks to countersign and in which nobody can on that day (O3.2.1c)."""
        asked = self.countersign_offices.select_related("department").order_by("pk")
        return list(asked.exclude(pk__in=Office.objects.all().countersigning(on).values("pk")))
