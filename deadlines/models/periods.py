"""Lengths that a division, or one of its items, sets where the law leaves room."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from deadlines.kinds import KINDS, KindCode, most
from offices.models import Division

ROOM = reduce(
    or_, (Q(kind=code.value, length__gte=1, length__lte=longest) for code in KINDS if (longest := most(KINDS[code])))
)


class PeriodRule(models.Model):
    """The length of a kind of clock in a division, or for one of its items (``item_code``; empty: all of them).

    It holds for clocks that start while it is active; what runs already is never touched. Written by
    ``deadlines.periods`` only, which keeps to the room that the law leaves.
    """

    kind = models.CharField("种类", max_length=24, choices=KindCode.choices)
    division = models.ForeignKey(Division, models.PROTECT, related_name="period_rules", verbose_name="区划")
    item_code = models.CharField("业务办理项编码", max_length=40, blank=True, default="")
    length = models.PositiveSmallIntegerField("长度", help_text="单位同该种类")
    reason = models.CharField("依据或理由", max_length=300)
    approved_by = models.CharField("批准人", max_length=120)
    active = models.BooleanField("有效", default=True)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name="设定人"
    )
    set_at = models.DateTimeField("设定时间")
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "期限设定"
        ordering = ("kind", "item_code", "id")
        constraints: ClassVar = [
            # Also the look-up of a division's rules.
            models.UniqueConstraint(
                fields=("division", "kind", "item_code"),
                name="period_rule_once",
                violation_error_message="这一种类已有设定，请修改原设定。",
            ),
            # The room that the law leaves, kind by kind, as in the table of kinds.
            models.CheckConstraint(
                condition=ROOM, name="period_rule_within_law", violation_error_message="期限超出法律留有的余地。"
            ),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(approved_by=""),
                name="period_rule_reasoned",
                violation_error_message="设定期限要写明依据和批准人。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.length} {KINDS[KindCode(self.kind)].unit.label}"

    @property
    def stream(self) -> str:
        """The ledger stream of a division's periods."""
        return f"periods:{self.division_id}"
