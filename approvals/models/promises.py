"""The applicant's word and what may follow it: promises, credit answers, verified, deferred and later materials."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from approvals.enums import Door, SignerCapacity, SignMethod, VerificationState
from approvals.models.cases import Case, CaseMaterial
from approvals.models.outcomes import Document
from deadlines.models import Deadline


def _person(label: str, *, null: bool = False) -> Any:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=null,
        blank=null,
        related_name="+",
        db_index=False,
        verbose_name=label,
    )


class CreditCheck(models.Model):
    """信用查询 at intake: what was asked and answered, and what a person decided on it (L7). Kept as seen.

    ``answer`` is ``credit.gate.Answer`` as JSON: grade, records in use, the rule's answer a way, with reasons.
    """

    case = models.OneToOneField(Case, models.PROTECT, related_name="credit_check")
    answer = models.JSONField("查询结果")
    rule_allows = models.BooleanField("规则结论")
    allowed = models.BooleanField("决定", null=True, blank=True)
    reason = models.CharField("与规则结论不一致的理由", max_length=500, blank=True, default="")
    asked_by = _person("查询人")
    asked_at = models.DateTimeField("查询时间")
    decided_by = _person("决定人", null=True)
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)
    # Decisions that no longer held, each with the answer in sight of which it was made; the newest last.
    earlier = models.JSONField("以前的决定", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "信用查询"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(allowed__isnull=True) | Q(allowed=F("rule_allows")) | ~Q(reason=""),
                name="credit_departure_has_reason",
                violation_error_message="与规则结论不一致的，须写明理由。",
            ),
            models.CheckConstraint(
                condition=Q(allowed__isnull=True, decided_at__isnull=True, decided_by__isnull=True)
                | Q(allowed__isnull=False, decided_at__isnull=False, decided_by__isnull=False),
                name="credit_decided_by_somebody",
                violation_error_message="决定须有决定人和时间。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.rule_allows}"


class Promise(models.Model):
    """告知承诺: what was promised, signed clause by clause: a rendered paper with signer, method, time, digest."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="promise")
    modes = models.JSONField("方式", help_text="PromiseMode 的取值")
    signer = models.CharField("签署人", max_length=40)
    capacity = models.CharField("签署人身份", max_length=8, choices=SignerCapacity.choices)
    method = models.CharField("签署方式", max_length=10, choices=SignMethod.choices)
    door = models.CharField("途径", max_length=8, choices=Door.choices)
    document = models.OneToOneField(Document, models.PROTECT, related_name="promise", verbose_name="告知承诺书")
    consents_to_publication = models.BooleanField("同意公开承诺")
    deferred_until = models.DateField("延期材料的承诺日", null=True, blank=True)
    signed_at = models.DateTimeField("签署时间")
    taken_by = _person("经办人", null=True)
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)
    withdrawn_through = models.CharField("撤回途径", max_length=8, choices=Door.choices, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "告知承诺"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(modes=[]) & ~Q(signer=""),
                name="promise_has_mode_and_signer",
                violation_error_message="告知承诺须有方式和签署人。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.signer}"


class PromiseClause(models.Model):
    """One clause that was signed, as it read then; it travels with the case to the supervision task (L8e)."""

    promise = models.ForeignKey(Promise, models.CASCADE, related_name="clauses")
    order = models.PositiveSmallIntegerField("序号")
    text = models.CharField("承诺内容", max_length=300)

    class Meta:
        verbose_name = verbose_name_plural = "承诺条款"
        ordering = ("promise_id", "order")
        constraints: ClassVar = [models.UniqueConstraint(fields=("promise", "order"), name="promise_clause_once")]

    def __str__(self) -> str:
        return self.text


class PromiseLapse(models.Model):
    """承诺逾期: a day passed and something was still owed; a person decides what follows, with reasons (L8c).

    A case may have several: whoever keeps it going may name another day, and that one may pass too.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="promise_lapses")
    due_on = models.DateField("已过的补交期限")
    found_at = models.DateTimeField("逾期时间")
    cancel = models.BooleanField("撤销办理", null=True, blank=True)
    reason = models.CharField("理由", max_length=500, blank=True, default="")
    until = models.DateField("宽限至", null=True, blank=True)
    decided_by = _person("决定人", null=True)
    decided_at = models.DateTimeField("决定时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "承诺逾期"
        indexes: ClassVar = [
            # The approval side's tasks: promises that passed their day and wait for somebody to decide.
            models.Index(fields=("found_at", "id"), condition=Q(cancel__isnull=True), name="promise_lapse_waiting"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("case",),
                condition=Q(cancel__isnull=True),
                name="promise_lapse_one_waiting",
                violation_error_message="这件办件已有待处理的承诺逾期。",
            ),
            models.CheckConstraint(
                condition=Q(cancel__isnull=True, decided_at__isnull=True, decided_by__isnull=True)
                | (Q(cancel__isnull=False, decided_at__isnull=False, decided_by__isnull=False) & ~Q(reason="")),
                name="promise_lapse_decided_with_reason",
                violation_error_message="承诺逾期的处理须由人决定并写明理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"


class LaterSubmission(models.Model):
    """容缺办理: the licence first, secondary materials by a written day after it; extended once (O3.1.3a)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="later_submission")
    until = models.DateField("补交期限")
    consequence = models.CharField("逾期的后果", max_length=300)
    signer = models.CharField("签署人", max_length=40)
    document = models.OneToOneField(Document, models.PROTECT, related_name="later_submission", verbose_name="告知书")
    agreed_at = models.DateTimeField("约定时间")
    agreed_by = _person("经办人")
    deadline = models.OneToOneField(
        Deadline, models.PROTECT, null=True, blank=True, related_name="later_submission", verbose_name="补交期限"
    )
    extended_to = models.DateField("延长至", null=True, blank=True)
    extended_by = _person("批准延长", null=True)
    extended_at = models.DateTimeField("延长时间", null=True, blank=True)
    extension_reason = models.CharField("延长的理由", max_length=500, blank=True, default="")
    fulfilled_at = models.DateTimeField("补齐时间", null=True, blank=True)
    overdue_at = models.DateTimeField("逾期时间", null=True, blank=True)
    applied = models.BooleanField("适用逾期后果", null=True, blank=True)
    settle_reason = models.CharField("处理理由", max_length=500, blank=True, default="")
    settled_by = _person("处理人", null=True)
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "容缺办理"
        indexes: ClassVar = [
            # The approval side's tasks: later materials that passed their day and wait for somebody to decide.
            models.Index(
                fields=("overdue_at", "id"),
                condition=Q(overdue_at__isnull=False, settled_at__isnull=True),
                name="later_waiting",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(consequence="") & ~Q(signer=""),
                name="later_says_its_consequence",
                violation_error_message="容缺办理须写明逾期的后果和签署人。",
            ),
            models.CheckConstraint(
                condition=Q(extended_to__isnull=True, extended_at__isnull=True)
                | (
                    Q(extended_to__gt=F("until"), extended_at__isnull=False, extended_by__isnull=False)
                    & ~Q(extension_reason="")
                ),
                name="later_extended_with_reason",
                violation_error_message="延长补交期限须有理由和批准人，且晚于原期限。",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, applied__isnull=True)
                | (Q(settled_at__isnull=False, applied__isnull=False, settled_by__isnull=False) & ~Q(settle_reason="")),
                name="later_settled_with_reason",
                violation_error_message="容缺逾期的处理须由人决定并写明理由。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.until:%F}"


class Verification(models.Model):
    """材料核验: one question to the electronic-licence service about one material; the answer is the material (L8d)."""

    line = models.ForeignKey(CaseMaterial, models.PROTECT, related_name="verifications")
    state = models.CharField("结果", max_length=12, choices=VerificationState.choices, default=VerificationState.ASKED)
    key = models.UUIDField("请求标识", unique=True)
    asked_by = _person("发起人")
    asked_at = models.DateTimeField("发起时间")
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    next_attempt_at = models.DateTimeField("下次请求", null=True, blank=True)
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    # As answered: certificate kind, number, holder code (masked for persons), validity, issuer; kept as the material.
    answer = models.JSONField("答复", default=dict, blank=True)
    note = models.CharField("说明", max_length=300, blank=True, default="")

    class Meta:
        verbose_name = verbose_name_plural = "电子证照核验"
        indexes: ClassVar = [
            # The worker's queue: what is not answered yet.
            models.Index(fields=("next_attempt_at", "id"), condition=Q(state="asked"), name="verification_open"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("line",),
                condition=Q(state="asked"),
                name="verification_one_at_a_time",
                violation_error_message="这份材料正在核验。",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", answered_at__isnull=True)
                | (~Q(state="asked") & Q(answered_at__isnull=False)),
                name="verification_answered_at",
                violation_error_message="核验结果须有时间。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id} {self.get_state_display()}"


class ProvinceReport(models.Model):
    """上报省主管部门: when it went up and came back; lifts the city's 5 days, pauses nothing statutory (art. 43)."""

    case = models.OneToOneField(Case, models.PROTECT, related_name="province_report")
    number = models.CharField("上报文号", max_length=80)
    reported_by = _person("上报人")
    reported_at = models.DateTimeField("上报时间")
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    answer = models.CharField("答复", max_length=500, blank=True, default="")
    answered_by = _person("登记人", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "上报省主管部门"

    def __str__(self) -> str:
        return f"{self.case_id} {self.number}"
