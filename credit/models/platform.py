"""What goes to the public credit platform, and what it last answered (L11)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from credit.models.records import CreditRecord
from credit.models.subjects import CreditSubject


class Push(models.Model):
    """One thing to be told to the platform: once in effect (``key``), per subject in the order of ``seq``."""

    class Kind(models.TextChoices):
        RECORD = "record", "记录"
        LIFTED = "lifted", "修复，停止公示"
        WITHDRAWN = "withdrawn", "更正，撤回记录"

    class State(models.TextChoices):
        QUEUED = "queued", "待推送"
        ACCEPTED = "accepted", "已接收"
        DEAD = "dead", "须人工处理"

    key = models.UUIDField("推送编号", default=uuid.uuid4, unique=True, editable=False)
    subject = models.ForeignKey(CreditSubject, models.PROTECT, related_name="pushes", db_index=False)
    seq = models.PositiveIntegerField("主体内序号")
    kind = models.CharField("种类", max_length=10, choices=Kind.choices)
    record = models.ForeignKey(CreditRecord, models.PROTECT, related_name="pushes", db_index=False)
    payload = models.JSONField("内容")
    state = models.CharField("状态", max_length=8, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField("入列时间")
    next_attempt_at = models.DateTimeField("下次推送", null=True)
    attempts = models.PositiveSmallIntegerField("推送次数", default=0)
    error = models.CharField("最近一次的原因", max_length=200, blank=True, default="")
    accepted_at = models.DateTimeField("接收时间", null=True, blank=True)
    receipt = models.CharField("回执编号", max_length=60, blank=True, default="")
    # Counts every claim, so that a worker that was too slow is told from the one that came after it.
    claims = models.PositiveIntegerField("领取次数", default=0, editable=False)
    # The platform has not got it and never will as it is: its content may be mended under the same key.
    is_refused = models.BooleanField("平台拒收", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "信用信息推送"
        indexes: ClassVar = [
            # The worker: what is due, in order.
            models.Index(fields=("next_attempt_at", "id"), condition=Q(state="queued"), name="push_due"),
            # The credit officers' list of what needs a person; the pushes of a record.
            models.Index(fields=("-id",), condition=Q(state="dead"), name="push_dead"),
            models.Index(fields=("record", "id"), name="push_of_record"),
            # Whether an earlier push of the same subject is not accepted yet.
            models.Index(fields=("subject", "seq"), condition=~Q(state="accepted"), name="push_waits_for"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("subject", "seq"), name="push_in_order"),
            models.UniqueConstraint(fields=("record", "kind"), name="push_once"),
            models.CheckConstraint(
                condition=Q(state="queued", next_attempt_at__isnull=False)
                | ~Q(state="queued") & Q(next_attempt_at__isnull=True),
                name="push_queued_is_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.get_state_display()}"


class PlatformAnswer(models.Model):
    """The last answer of the platform about a subject: what is used, with its age, when the platform is silent."""

    subject = models.OneToOneField(CreditSubject, models.PROTECT, related_name="platform_answer")
    answer = models.JSONField("答复")
    answered_at = models.DateTimeField("答复时间")

    class Meta:
        verbose_name = verbose_name_plural = "信用平台答复"

    def __str__(self) -> str:
        return f"{self.subject_id} {self.answered_at:%Y-%m-%d}"
