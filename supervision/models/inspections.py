"""检查: versioned checklists, what was found, its photos; the record made in the field comes once (L10b)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from catalogue.models import SupervisionSubItem
from supervision.enums import FindingKind, InspectionKind, OffSite, Result
from supervision.models.tasks import SupervisionTask
from supervision.models.visits import Visit


class Checklist(models.Model):
    """A published version of what is looked at for a sub-item; ``points`` are ``{"key", "text", "basis"}``.

    Without a row the sub-item's own points are version 0. A version is never changed: a new one is published.
    """

    sub_item = models.ForeignKey(SupervisionSubItem, models.PROTECT, related_name="checklists", db_index=False)
    version = models.PositiveSmallIntegerField("版本")
    points = models.JSONField("检查要点")
    note = models.CharField("修订说明", max_length=300)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    published_at = models.DateTimeField("发布时间")

    class Meta:
        verbose_name = verbose_name_plural = "检查表"
        ordering = ("sub_item_id", "-version")
        constraints: ClassVar = [
            # The newest version of a sub-item is read through this one too.
            models.UniqueConstraint(
                fields=("sub_item", "version"), name="checklist_version_once",
                violation_error_message="这一版检查表已经发布，请刷新后再改。",
            ),
            models.CheckConstraint(
                condition=~Q(points=[]), name="checklist_has_points", violation_error_message="检查表至少有一项要点。"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.sub_item_id} 第{self.version}版"


class InspectionQuerySet(models.QuerySet["Inspection"]):
    """Adjectives for records."""

    def standing(self) -> InspectionQuerySet:
        """Not set aside: what counts as a finding, for the feedback, an order, the two officers of a draw."""
        return self.exclude(set_asides__granted=True)


class Inspection(models.Model):
    """One look at a subject, as recorded: where, when, who, what was found, what the subject said and signed.

    ``client_key`` is made in the browser before there is a connection: the same draft sent twice is one inspection.
    A finished record is never changed; one that was a mistake is set aside (``SetAside``).
    """

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="inspections", db_index=False)
    order = models.PositiveSmallIntegerField("第几次")
    kind = models.CharField("检查", max_length=6, choices=InspectionKind.choices)
    client_key = models.UUIDField("草稿标识", unique=True)
    visit = models.OneToOneField(Visit, models.PROTECT, null=True, blank=True, related_name="inspection")
    off_site = models.CharField("非现场方式", max_length=10, choices=OffSite.choices, blank=True, default="")
    checklist_version = models.PositiveSmallIntegerField("检查表版本")
    place = models.CharField("地点", max_length=200)
    began_at = models.DateTimeField("开始时间")
    ended_at = models.DateTimeField("结束时间")
    first_officer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    second_officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    showed_identity = models.BooleanField("已出示执法证件", default=False)
    identity_numbers = models.CharField("执法证号", max_length=120, blank=True, default="")
    result = models.CharField("检查结论", max_length=14, choices=Result.choices)
    summary = models.TextField("检查情况")
    remarks = models.TextField("被检查对象意见", blank=True, default="")
    signer = models.CharField("被检查对象签名", max_length=40, blank=True, default="")
    unsigned_reason = models.CharField("未签名的原因", max_length=200, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    recorded_at = models.DateTimeField("提交时间")

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "检查记录"
        ordering = ("task_id", "order")
        constraints: ClassVar = [
            # Also serves the inspections of a task.
            models.UniqueConstraint(fields=("task", "order"), name="inspection_order_once"),
            models.CheckConstraint(
                condition=Q(ended_at__gte=F("began_at")),
                name="inspection_ends_after_begin",
                violation_error_message="结束时间不能早于开始时间。",
            ),
            models.CheckConstraint(
                condition=~Q(off_site="")
                | (Q(second_officer__isnull=False, showed_identity=True) & ~Q(identity_numbers="")),
                name="inspection_on_site_by_two_who_show_themselves",
                violation_error_message="现场检查须两人以上，并出示执法证件。",
            ),
            models.CheckConstraint(
                condition=Q(second_officer__isnull=True) | ~Q(second_officer=F("first_officer")),
                name="inspection_two_people",
                violation_error_message="两名检查人员须为不同的人。",
            ),
            models.CheckConstraint(
                condition=~Q(off_site="") | ~Q(signer="") | ~Q(unsigned_reason=""),
                name="inspection_signed_or_why_not",
                violation_error_message="被检查对象未签名的，须写明原因。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.task_id}-{self.order}"


class Finding(models.Model):
    """What was found on one point, one clause or the licensed activity."""

    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="findings", db_index=False)
    order = models.PositiveSmallIntegerField("序号")
    kind = models.CharField("类别", max_length=8, choices=FindingKind.choices)
    key = models.CharField("要点", max_length=40)
    text = models.CharField("内容", max_length=500)
    result = models.CharField("结果", max_length=14, choices=Result.choices)
    words = models.TextField("说明", blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "检查发现"
        ordering = ("inspection_id", "order")
        constraints: ClassVar = [
            # Also serves the findings of an inspection.
            models.UniqueConstraint(fields=("inspection", "order"), name="finding_order_once"),
            models.UniqueConstraint(fields=("inspection", "kind", "key"), name="finding_key_once"),
            models.CheckConstraint(
                condition=Q(result="conforming") | ~Q(words=""),
                name="finding_says_what_is_wrong",
                violation_error_message="不是“符合”的，须写明情况。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inspection_id}-{self.order} {self.result}"


class Photo(models.Model):
    """A photo or document of an inspection; kept before its record is sent, joined to it by ``draft_key``.

    Stored like every upload: by a random name outside the web root, its type found in its content.
    """

    inspection = models.ForeignKey(Inspection, models.PROTECT, null=True, blank=True, related_name="photos")
    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="photos", db_index=False)
    draft_key = models.UUIDField("草稿标识")
    client_key = models.UUIDField("照片标识", unique=True)
    finding_key = models.CharField("所属要点", max_length=50, blank=True, default="")
    path = models.CharField("存放", max_length=120, unique=True)
    content_type = models.CharField("类型", max_length=100)
    extension = models.CharField("扩展名", max_length=8)
    size = models.PositiveIntegerField("字节")
    digest = models.CharField("SM3", max_length=64)
    taken_at = models.DateTimeField("拍摄时间", null=True, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField("上传时间")

    class Meta:
        verbose_name = verbose_name_plural = "检查照片"
        ordering = ("id",)
        indexes: ClassVar = [
            # The photos of a draft, when it comes.
            models.Index(fields=("task", "draft_key"), name="photo_of_draft"),
        ]

    def __str__(self) -> str:
        return f"照片{self.pk}.{self.extension}"
