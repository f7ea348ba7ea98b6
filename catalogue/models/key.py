"""The nine key items of the annex, as data (OA2)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from offices.models import Department


class KeyItem(models.Model):
    """One of the nine key items in the annex of the 2023 plan (OA2), in the annex's own wording."""

    number = models.PositiveSmallIntegerField("序号", primary_key=True)
    name = models.CharField("名称", max_length=120)
    note = models.CharField("说明", max_length=300, blank=True, default="")
    units = models.ManyToManyField(Department, through="KeyItemUnit", related_name="key_items", verbose_name="责任单位")

    class Meta:
        verbose_name = verbose_name_plural = "重点事项"
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"


class KeyItemUnit(models.Model):
    """A responsible unit of a key item, in the annex's order, which does not say who leads."""

    key_item = models.ForeignKey(KeyItem, models.PROTECT)
    department = models.ForeignKey(Department, models.PROTECT)
    order = models.PositiveSmallIntegerField("序号")

    class Meta:
        verbose_name = verbose_name_plural = "重点事项责任单位"
        ordering = ("key_item_id", "order")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("key_item", "department"), name="key_item_unit_once", violation_error_message="责任单位重复。"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key_item_id}/{self.department_id}"
