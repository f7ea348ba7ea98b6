"""当场更正: small errors that were put right at the window, counted so that a return cannot hide among them (O2a)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.models.cases import Case


class Mending(models.Model):
    """One sitting in which small errors were mended. ``fields`` names what was changed; the words stand on the case."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="mendings")
    fields = models.JSONField("更正的内容")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField("时间")

    class Meta:
        verbose_name = verbose_name_plural = "当场更正"
        indexes: ClassVar = [
            # The overseers' count and list, newest first.
            models.Index(fields=("-at", "-id"), name="mending_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(fields=[]), name="mending_mends_something", violation_error_message="没有更正任何内容。"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.at:%F}"
