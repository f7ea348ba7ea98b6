"""The applicant's own door: a code by SMS that lets one browser act on one case for a while (O2a)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from approvals.models.cases import Case


class PhoneCode(models.Model):
    """A code that was sent to the case's contact; only its keyed hash is kept, and few wrong tries are allowed."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="phone_codes")
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

    def __str__(self) -> str:
        return f"{self.case_id} {self.sent_at:%F}"
