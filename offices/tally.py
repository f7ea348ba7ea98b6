"""Counts beside filters: bounded, so that they cost the same however long the list is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, IntegerField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from offices.models import User

MOST = 99


def tally(asker: User, lists: Mapping[str, QuerySet[Any]], most: int = MOST) -> dict[str, str]:
    """Return name → number of rows of each list, "99+" beyond ``most``; one statement for all of them.

    ``asker`` is whoever asks: their row carries the statement.
    """
    counts = {}
    for name, rows in lists.items():
        some = rows.order_by().values("pk")[: most + 1]
        number = rows.model._default_manager.filter(pk__in=some).order_by().values(all=Value(1))
        counts[name] = Coalesce(
            Subquery(number.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), Value(0)
        )
    found = User.objects.filter(pk=asker.pk).values_list(*counts.values()).first() or (0,) * len(counts)
    return {name: f"{most}+" if n > most else str(n) for name, n in zip(counts, found, strict=True)}
