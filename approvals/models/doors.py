"""The applicant's own door: a code by SMS that lets one browser act on one case for a while (O2a)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from approvals.enums import CodePurpose
from approvals.models.cases import Case


class PhoneCode(models.Model):
    """A code that was sent to the case's contact; only its keyed hash is kept, and few wrong tries are allowed."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="phone_codes")
    purpose = models.CharField("用途", max_length=8, choices=CodePurpose.choices)
    # Of what is signed with the code: the letter as it read when the code was sent.
    digest = models.CharField(max_length=64, blank=True, default="")
    code_hash = models.CharField(max_length=64)
    sent_at = models.DateTimeField("发送时间")
    expires_at = models.DateTimeField("失效时间")
    used_at = models.DateTimeField("使用时间", null=True, blank=True)
    wrong = models.PositiveSmallIntegerField("输错次数", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "短信验证码"
        indexes: ClassVar = [
            # The newest code of a case, and how many were sent lately.
            models.Index(fields=("case", "-sent_at"), name="phone_code_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(purpose="door", digest="") | (Q(purpose="signing") & ~Q(digest="")),
                name="phone_code_is_bound",
                violation_error_message="签署验证码须与承诺书绑定。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.sent_at:%F}"
