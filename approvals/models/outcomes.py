"""What happens to a case: notice, refusal, opinion, decision, licence, delivery, papers."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from approvals.enums import DeliveryMethod, DocumentKind, Door, EndingKind, LicenceState, RefusalGround
from approvals.models.cases import Case
from credit.models import CreditSubject
from offices.models import Department


class CorrectionNotice(models.Model):
    """补正告知: once a case. The one-to-one key makes a second one impossible, whoever tries (art. 32(4), O2a)."""

    case = models.OneToOneField(
        Case, models.PROTECT, related_name="correction_notice",
        error_messages={"unique": "本办件已经一次性告知过，依法不得再次告知。"},
    )  # fmt: skip
    points = models.JSONField("须补正的内容")
    answered_through = models.CharField("补正途径", max_length=8, choices=Door.choices, blank=True, default="")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField("告知时间")
    answered_at = models.DateTimeField("补正时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "补正告知"
        indexes: ClassVar = [
            # The overseers' count and list of what was sent back, newest first.
            models.Index(fields=("-issued_at", "-id"), name="correction_newest")
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.issued_at:%F}"


class NotAccepted(models.Model):
    """不予受理, with its ground in law and its reason in words (O3.1.3e)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="refusal")
    ground = models.CharField("法定理由", max_length=24, choices=RefusalGround.choices)
    reason = models.TextField("具体说明")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "不予受理"
        indexes: ClassVar = [
            # The overseers' list of refusals, newest first.
            models.Index(fields=("-issued_at", "-id"), name="not_accepted_newest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="not_accepted_has_reason",
                violation_error_message="不予受理必须说明原因。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_ground_display()}"


class Ending(models.Model):
    """终止: a case that was withdrawn, lapsed or cancelled, with its paper and its reason."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="ending")
    kind = models.CharField("情形", max_length=12, choices=EndingKind.choices)
    reason = models.TextField("理由", blank=True, default="")
    door = models.CharField("途径", max_length=8, choices=Door.choices, blank=True, default="")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="空：申请人本人在网上撤回，或者期限届满依告知书终止",
    )  # fmt: skip
    ended_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "终止"
        indexes: ClassVar = [
            # The overseers' counts and lists of what ended without a decision, newest first.
            models.Index(fields=("kind", "-ended_at", "-id"), name="ending_newest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(kind="cancelled") | (~Q(reason="") & Q(ended_by__isnull=False)),
                name="cancelled_by_a_person_with_reason",
                violation_error_message="撤销办理须由人决定并写明理由。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_kind_display()}"


class Opinion(models.Model):
    """审查意见 of the reviewer."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="opinion")
    approve = models.BooleanField("建议准予")
    text = models.TextField("意见")
    grounds = models.JSONField("不符合之处", default=list, blank=True)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "审查意见"

    def __str__(self) -> str:
        return f"{self.case_id} {'准予' if self.approve else '不予'}"


class Decision(models.Model):
    """许可决定; a rejection lists every ground at once (art. 38, O3.1.3c)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="decision")
    approve = models.BooleanField("准予")
    grounds = models.JSONField("不予许可的理由", default=list, blank=True)
    text = models.TextField("说明", blank=True, default="")
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "许可决定"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(approve=True) | ~Q(grounds=[]),
                name="rejection_has_grounds",
                violation_error_message="不予许可必须一次性列明全部理由。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {'准予' if self.approve else '不予'}"


class Licence(models.Model):
    """证照 or filing receipt: the row of the public register (双公示)."""

    State = LicenceState
    number = models.CharField("证照编号", max_length=24, unique=True)
    case = models.OneToOneField(Case, models.PROTECT, related_name="licence")
    kind = models.CharField("名称", max_length=80)
    holder = models.ForeignKey(CreditSubject, models.PROTECT, related_name="licences")
    holder_name = models.CharField("持有人", max_length=120)
    department = models.ForeignKey(Department, models.PROTECT, related_name="licences")
    content = models.CharField("许可内容", max_length=500, blank=True, default="")
    issued_at = models.DateTimeField("发证时间")
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    valid_from = models.DateField("有效期自")
    valid_to = models.DateField("有效期至", null=True, blank=True)
    state = models.CharField("状态", max_length=12, choices=State.choices, default=State.VALID)
    # 注销手续 (art. 70): a revoked or withdrawn licence keeps its state and is struck off the register on this day.
    deregistered_on = models.DateField("注销日期", null=True, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "证照"
        indexes: ClassVar = [
            # The public register, newest first.
            models.Index(fields=("-issued_at", "-id"), name="licence_newest"),
            # The approval office's list of the licences of its items, and the pool of a random draw.
            models.Index(fields=("department", "state", "-id"), name="licence_of_department"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def state_text(self) -> str:
        """The state in words, and the day on which it was struck off where that is not the state itself."""
        struck = self.deregistered_on
        if struck is None:
            return str(self.get_state_display())
        return f"{self.get_state_display()}（{struck.year}年{struck.month}月{struck.day}日注销）"


class Delivery(models.Model):
    """出件: the result handed over through the window, once (O3.1.3d)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="delivery")
    method = models.CharField("方式", max_length=10, choices=DeliveryMethod.choices)
    receiver = models.CharField("领取人", max_length=40)
    tracking = models.CharField("邮件号", max_length=40, blank=True, default="")
    delivered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "送达"

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_method_display()}"


class Document(models.Model):
    """A paper with its number, its frozen content and the digest of that content."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="documents")
    kind = models.CharField("文书", max_length=16, choices=DocumentKind.choices)
    number = models.CharField("文号", max_length=60, unique=True)
    verify_code = models.CharField("验证码", max_length=22, unique=True)
    content = models.JSONField("内容")
    digest = models.CharField("SM3", max_length=64)
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "文书"
        ordering = ("id",)
        constraints: ClassVar = [
            # A case may go through more than one special procedure, and a promise be signed anew, each with its paper;
            # a licence may change, its revocation be proposed and a hearing be put off, more than once.
            models.UniqueConstraint(
                fields=("case", "kind"),
                condition=~Q(
                    kind__in=[
                        "special",
                        "promise",
                        "revoke_notice",
                        "hearing",
                        "revocation",
                        "no_revocation",
                        "licence_change",
                    ]
                ),  # fmt: skip
                name="document_once",
                violation_error_message="该文书已经出具。",
            )
        ]

    def __str__(self) -> str:
        return self.number
