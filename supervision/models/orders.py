"""责令限期整改 with extension and re-inspection; 移送执法; the proposal to revoke; their papers (L10b, L10c)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from deadlines.models import Deadline
from offices.models import Department
from supervision.enums import InspectionKind, OrderStatus, PaperKind, Result
from supervision.models.inspections import Inspection, InspectionQuerySet
from supervision.models.tasks import SupervisionTask

WHO = settings.AUTH_USER_MODEL


class Paper(models.Model):
    """A paper of the supervision side with its number, its frozen content and the digest of that content."""

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="papers")
    kind = models.CharField("文书", max_length=16, choices=PaperKind.choices)
    number = models.CharField("文号", max_length=60, unique=True)
    verify_code = models.CharField("验证码", max_length=22, unique=True)
    content = models.JSONField("内容")
    digest = models.CharField("SM3", max_length=64)
    issued_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    issued_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "监管文书"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.number


class Rectification(models.Model):
    """责令限期整改通知书: facts, basis, deadline, consequence; extended once by the head, looked at again.

    ``inspection`` is the newest of the records that it answers (``records``).
    """

    task = models.ForeignKey(SupervisionTask, models.PROTECT, related_name="orders")
    inspection = models.ForeignKey(Inspection, models.PROTECT, related_name="orders", db_index=False)
    paper = models.OneToOneField(Paper, models.PROTECT, related_name="order")
    facts = models.TextField("违反的事实")
    basis = models.CharField("依据", max_length=300)
    demands = models.TextField("整改要求")
    consequence = models.CharField("逾期后果", max_length=300)
    due_on = models.DateField("整改期限")
    deadline = models.OneToOneField(Deadline, models.PROTECT, related_name="rectification")
    status = models.CharField("状态", max_length=12, choices=OrderStatus.choices, default=OrderStatus.RUNNING)
    issued_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    issued_at = models.DateTimeField("下达时间")
    extension_until = models.DateField("申请延长至", null=True, blank=True)
    extension_reason = models.CharField("延长理由", max_length=300, blank=True, default="")
    extension_asked_by = models.ForeignKey(WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    extension_asked_at = models.DateTimeField("申请延长时间", null=True, blank=True)
    extension_granted = models.BooleanField("准予延长", null=True)
    extension_settled_by = models.ForeignKey(
        WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    extension_settled_at = models.DateTimeField("答复延长时间", null=True, blank=True)
    extension_answer = models.CharField("答复说明", max_length=300, blank=True, default="")
    reinspection = models.OneToOneField(
        Inspection, models.PROTECT, null=True, blank=True, related_name="settles", verbose_name="复查"
    )
    settled_reason = models.TextField("认定理由", blank=True, default="")
    settled_by = models.ForeignKey(WHO, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    settled_at = models.DateTimeField("认定时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "责令整改"
        indexes: ClassVar = [
            # The office's list of orders by where they are, newest first.
            models.Index(fields=("status", "-id"), name="order_newest"),
            # What is being mended, by day; what of it is overdue.
            models.Index(fields=("due_on", "id"), name="order_by_day", condition=Q(status="running")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("task",), condition=Q(status="running"), name="order_one_running",
                violation_error_message="这件任务已有整改中的通知书。",
            ),
            models.CheckConstraint(
                condition=~Q(facts="") & ~Q(basis="") & ~Q(demands="") & ~Q(consequence=""),
                name="order_is_whole",
                violation_error_message="整改通知书须写明事实、依据、要求和逾期后果。",
            ),
            models.CheckConstraint(
                condition=Q(status="running") | Q(settled_by__isnull=False, settled_at__isnull=False),
                name="order_settled_by_person",
                violation_error_message="整改结果须由人认定。",
            ),
            models.CheckConstraint(
                condition=~Q(status="mended") | Q(reinspection__isnull=False),
                name="order_mended_was_looked_at",
                violation_error_message="整改合格须经复查。",
            ),
            models.CheckConstraint(
                condition=Q(extension_granted__isnull=True)
                | (Q(extension_settled_by__isnull=False) & ~Q(extension_settled_by=F("extension_asked_by"))),
                name="order_extension_by_another",
                violation_error_message="延长整改期限须由部门负责人批准，不能自行批准。",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.task_id} {self.get_status_display()}"

    def records(self) -> InspectionQuerySet:
        """The records that it answers, in order: of 不符合, up to its ``inspection``, of no earlier order; lazy.

        A record of the task that came later is for another order.
        """
        before = Rectification.objects.filter(task=self.task_id, pk__lt=self.pk)
        return _faulty_after(self.task_id, before).filter(order__lte=self.inspection.order)

    @property
    def waits_for_head(self) -> bool:
        """Whether an extension was asked for and not answered."""
        return self.extension_asked_at is not None and self.extension_granted is None

    @property
    def is_running(self) -> bool:
        """Whether it is still to be mended."""
        return self.status == OrderStatus.RUNNING


def _faulty_after(task_id: int, orders: models.QuerySet[Rectification]) -> InspectionQuerySet:
    last = orders.order_by("-pk").values("inspection__order")[:1]
    found = Inspection.objects.standing().filter(
        task=task_id, kind=InspectionKind.FIRST, result=Result.NONCONFORMING, order__gt=Coalesce(Subquery(last), 0)
    )
    return found.order_by("order")


def unanswered(task: SupervisionTask) -> InspectionQuerySet:
    """The records of the task that stand, found something 不符合 and that no order answers, in order; lazy."""
    return _faulty_after(task.pk, Rectification.objects.filter(task=task))


def answered(prefix: str = "") -> Q:
    """Whether an order answers a record: of its task, resting on it or, where it found something 不符合, a later one.

    ``prefix`` leads from the rows that are asked to the record (``inspection__``).
    """
    orders = Rectification.objects.filter(
        task=OuterRef(f"{prefix}task"), inspection__order__gte=OuterRef(f"{prefix}order")
    )
    found = Q(**{f"{prefix}kind": InspectionKind.FIRST, f"{prefix}result": Result.NONCONFORMING})
    return found & Q(Exists(orders))


class Handover(models.Model):
    """移送执法: misconduct after a sound grant goes to penalty, with its receipt and its result."""

    task = models.OneToOneField(SupervisionTask, models.PROTECT, related_name="handover")
    to_department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name="执法部门"
    )
    to_name = models.CharField("接收单位", max_length=120)
    facts = models.TextField("违法事实")
    basis = models.CharField("依据", max_length=300)
    paper = models.OneToOneField(Paper, models.PROTECT, related_name="handover")
    handed_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    handed_at = models.DateTimeField("移送时间")
    receipt_number = models.CharField("回执编号", max_length=60, blank=True, default="")
    received_on = models.DateField("回执日期", null=True, blank=True)
    result = models.TextField("处理结果", blank=True, default="")
    result_number = models.CharField("处罚或处理文书号", max_length=60, blank=True, default="")
    result_on = models.DateField("处理日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "移送执法"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(result="") | ~Q(receipt_number=""),
                name="handover_receipt_before_result",
                violation_error_message="先登记回执，再登记处理结果。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task_id}→{self.to_name}"


class Proposal(models.Model):
    """撤销行政许可建议: made by supervision, decided by the approval side, answered back (L10c).

    ``revocation`` is the id of the approval side's ``Revocation`` row; the key points downwards.
    """

    task = models.OneToOneField(SupervisionTask, models.PROTECT, related_name="proposal")
    order = models.OneToOneField(Rectification, models.PROTECT, related_name="proposal")
    revocation = models.OneToOneField("approvals.Revocation", models.PROTECT, related_name="proposal")
    paper = models.OneToOneField(Paper, models.PROTECT, related_name="proposal")
    facts = models.TextField("事实和理由")
    evidence = models.JSONField("证据", default=list)
    proposed_by = models.ForeignKey(WHO, models.PROTECT, related_name="+", db_index=False)
    proposed_at = models.DateTimeField("建议时间")
    answer = models.TextField("答复", blank=True, default="")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "撤销建议"

    def __str__(self) -> str:
        return f"{self.task_id}"
