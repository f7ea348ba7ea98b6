"""Series of numbers."""

from django.db import models


class Serial(models.Model):
    """The last number given in one series (a case-number day, a document series, a licence year)."""

    name = models.CharField("系列", max_length=120, unique=True)
    last = models.PositiveIntegerField("末号", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "编号系列"

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"
