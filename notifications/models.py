"""The outbox: messages, the attempts to send them, what the gateway said later, and the demo phone."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from notifications.enums import MOVES, OPEN, ReceiptStatus, State, TransitionNotAllowed, Urgency, Verdict
from notifications.querysets import MessageQuerySet
from offices.crypto import EncryptedTextField


class Message(models.Model):
    """One message to one person; see docs/mechanisms/outbox.md.

    ``next_attempt_at`` is the one moment that the worker looks for. Claiming pushes it to the end of the lease, so a
    row that a dead worker held comes back by itself. A message bundled into another points to it with ``carried_by``
    and shares its fate. ``state`` changes through :meth:`transition` and ``MessageQuerySet.transition`` only.
    """

    kind = models.CharField("种类", max_length=40)
    # No index: nothing lists messages by person, and people are never deleted.
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
        verbose_name="收信人",
    )
    phone = EncryptedTextField("手机", blank=True, default="")
    phone_hash = models.CharField(max_length=64, blank=True, default="")
    name_hint = models.CharField("收信人（遮盖）", max_length=40, blank=True, default="")
    text = models.TextField("内容")
    dedupe_key = models.CharField("去重键", max_length=200, unique=True)
    reference = models.CharField("所属", max_length=80)
    bundle_key = models.CharField("合并键", max_length=120, blank=True, default="")
    due_on = models.DateField(
        "提醒的到期日", null=True, blank=True, help_text="时限提醒所说的那一天；合并时按它计数、排序"
    )
    carried_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="carried", db_index=False, verbose_name="并入"
    )
    carries = models.PositiveSmallIntegerField("并入条数", default=0)
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.QUEUED)
    created_at = models.DateTimeField("入队时间")
    not_before = models.DateTimeField("不早于")
    calendar_assumed = models.BooleanField(
        "按周一至周五推定", default=False, help_text="发送时间落在没有日历的年份，按周一至周五推定"
    )
    next_attempt_at = models.DateTimeField("下次尝试", null=True)
    lease_until = models.DateTimeField("占用至", null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("发送次数", default=0)
    asks = models.PositiveSmallIntegerField("查询次数", default=0)
    client_id = models.UUIDField("本方编号", default=uuid.uuid4, unique=True, editable=False)
    gateway_id = models.CharField("网关编号", max_length=80, blank=True, default="")
    attempted_at = models.DateTimeField("最近发送时间", null=True, blank=True)
    accepted_at = models.DateTimeField("受理时间", null=True, blank=True)
    delivered_at = models.DateTimeField("送达时间", null=True, blank=True)
    error = models.CharField("原因", max_length=200, blank=True, default="")
    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "短信"
        ordering = ("id",)
        indexes: ClassVar = [
            # The worker: what is due now. Partial, so it stays as small as the backlog, however long the history.
            models.Index(
                fields=("next_attempt_at", "id"),
                condition=Q(state__in=OPEN, carried_by__isnull=True),
                name="outbox_due",
            ),
            # The worker after a clock was set back, and `outbox_status`: rows under a lease.
            models.Index(fields=("lease_until",), condition=Q(lease_until__isnull=False), name="outbox_leased"),
            # The worker: others of the same bundle that wait with this one.
            models.Index(
                fields=("bundle_key", "phone_hash"),
                condition=Q(state=State.QUEUED) & ~Q(bundle_key=""),
                name="outbox_bundle",
            ),
            # The worker and the receipts: what this SMS carries.
            models.Index(fields=("carried_by",), condition=Q(carried_by__isnull=False), name="outbox_carried"),
            # The overseers' list of what failed. Partial, so it stays as small as the trouble.
            models.Index(fields=("-id",), condition=Q(state=State.FAILED), name="outbox_failed"),
            # The page of a task or a case, and `reconcile`: which messages belong to it.
            models.Index(fields=("reference",), name="outbox_reference"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="outbox_state_known",
                violation_error_message="短信状态不在允许的范围内。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.ACCEPTED, State.DELIVERED]) | Q(accepted_at__isnull=False),
                name="outbox_accepted_has_moment",
                violation_error_message="已受理的短信必须有受理时间。",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.QUEUED, State.SENDING]) | Q(next_attempt_at__isnull=False),
                name="outbox_open_has_next_attempt",
                violation_error_message="待发送的短信必须有下次尝试时间。",
            ),
            models.CheckConstraint(
                condition=Q(carried_by__isnull=True) | (~Q(carried_by=F("id")) & Q(carries=0)),
                name="outbox_carried_carries_nothing",
                violation_error_message="被合并的短信不能再合并其他短信。",
            ),
            models.CheckConstraint(
                condition=~Q(dedupe_key=""), name="outbox_dedupe_key_given", violation_error_message="去重键不能为空。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    # --- facts

    @property
    def is_open(self) -> bool:
        """Whether it still has to be sent or asked about."""
        return self.state in OPEN

    @property
    def claims(self) -> int:
        """How often a worker took it: the number of its latest attempt."""
        return self.attempts + self.asks

    @property
    def sent_at(self) -> datetime | None:
        """The moment from which the law counts: accepted by the gateway, or the attempt whose answer stays unknown."""
        return self.accepted_at or self.attempted_at

    @property
    def urgency(self) -> Urgency:
        """How the day that it reminds of stood when it was queued."""
        if self.due_on is None:
            return Urgency.NONE
        day = timezone.localtime(self.created_at, timezone.get_default_timezone()).date()
        if self.due_on == day:
            return Urgency.TODAY
        return Urgency.LATE if self.due_on < day else Urgency.SOON

    def is_held(self, claims: int, lease_until: datetime) -> bool:
        """Whether the claim with this number and lease is still the latest one."""
        return self.is_open and self.claims == claims and self.lease_until == lease_until

    # --- the one door of ``state``

    def transition(self, to: State) -> None:
        """Move to ``to`` in memory; the caller saves. Raises ``TransitionNotAllowed``."""
        if to not in MOVES[State(self.state)]:
            raise TransitionNotAllowed(self.state, to)
        self.state = to

    def accept(self, at: datetime, gateway_id: str = "") -> None:
        """The gateway has it, since ``at``."""
        self.transition(State.ACCEPTED)
        self._accepted(at, gateway_id)
        self._settle()

    def deliver(self, at: datetime, *, accepted_at: datetime, gateway_id: str = "") -> None:
        """It is on the phone since ``at``; accepted at ``accepted_at``, if nobody had said so before."""
        self.transition(State.DELIVERED)
        self._accepted(accepted_at, gateway_id)
        self.delivered_at = at
        self._settle()

    def fail(self, error: str) -> None:
        """It will not be sent again."""
        self.transition(State.FAILED)
        self._settle(error)

    def retry(self, at: datetime, error: str, *, assumed: bool) -> None:
        """It was surely not sent: try again at ``at``."""
        self.transition(State.QUEUED)
        self._settle(error, at)
        self.calendar_assumed = self.calendar_assumed or assumed

    def wonder(self, ask_at: datetime | None, error: str) -> None:
        """Nobody knows whether it was sent: ask at ``ask_at``; ``None`` when there is no use in asking further."""
        self.transition(State.UNKNOWN)
        self._settle(error, ask_at)

    def hand_back(self, at: datetime, *, asked: bool, error: str) -> None:
        """The batch was stopped before its turn: undo the claim, look again at ``at``."""
        if asked:
            self.asks -= 1
        else:
            self.attempts -= 1
            self.transition(State.QUEUED)
        self._settle(error, at)

    def _accepted(self, at: datetime, gateway_id: str) -> None:
        self.accepted_at = self.accepted_at or at
        self.gateway_id = (gateway_id or self.gateway_id)[:80]

    def _settle(self, error: str = "", next_attempt_at: datetime | None = None) -> None:
        self.error = error[:200]
        self.next_attempt_at = next_attempt_at
        self.lease_until = None


class Attempt(models.Model):
    """One sending, or one question to the gateway, and what came of it. Written once, never changed."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="tries", db_index=False)
    number = models.PositiveSmallIntegerField("次序")
    at = models.DateTimeField("时间")
    transport = models.CharField("通道", max_length=20)
    is_question = models.BooleanField("查询", default=False)
    outcome = models.CharField("结果", max_length=10, choices=Verdict.choices)
    detail = models.CharField("说明", max_length=200, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "发送记录"
        ordering = ("message_id", "number")
        constraints: ClassVar = [
            # Also the list of a message's attempts.
            models.UniqueConstraint(
                fields=("message", "number"), name="attempt_once", violation_error_message="该次发送已有记录。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id}#{self.number} {self.outcome}"


class Receipt(models.Model):
    """What the gateway said later about a message it had accepted."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="receipts", db_index=False)
    status = models.CharField("回执", max_length=10, choices=ReceiptStatus.choices)
    at = models.DateTimeField("网关时间")
    received_at = models.DateTimeField("收到时间")
    detail = models.CharField("说明", max_length=200, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "回执"
        ordering = ("message_id", "id")
        constraints: ClassVar = [
            # A gateway repeats its receipts until it is thanked. Also the list of a message's receipts.
            models.UniqueConstraint(
                fields=("message", "status"), name="receipt_once", violation_error_message="该回执已收到。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.status}"


class PhoneMessage(models.Model):
    """A message on the demo phone. Only ``DEMO_PHONE`` writes here; production refuses to start with it."""

    client_id = models.UUIDField(unique=True)
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name="收信人"
    )
    phone = EncryptedTextField("手机")
    phone_hash = models.CharField(max_length=64)
    name_hint = models.CharField(max_length=40, blank=True, default="")
    text = models.TextField("内容")
    arrived_at = models.DateTimeField("到达时间")

    class Meta:
        verbose_name = verbose_name_plural = "演示手机短信"
        indexes: ClassVar = [
            # The screen of one demo phone, and the newest message of each phone in the list.
            models.Index(fields=("phone_hash", "arrived_at", "id"), name="demo_phone_screen"),
        ]

    def __str__(self) -> str:
        return f"{self.phone_hash[:8]} {self.arrived_at:%Y-%m-%d %H:%M}"
