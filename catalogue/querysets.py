"""Adjectives for business items and linkages."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, Value, When

from catalogue.enums import ItemKind, ItemStatus
from catalogue.pinyin import fold
from offices.models import Division, Office

if TYPE_CHECKING:
    from catalogue.models import BusinessItem, Linkage

# Names, codes and initials are kept in ``search_text`` one to a line, so that a prefix of any of them can be told.
LINE = "\n"


class BusinessItemQuerySet(models.QuerySet["BusinessItem"]):
    """Business items, said as adjectives."""

    def published(self) -> BusinessItemQuerySet:
        """Items that can be applied for."""
        return self.filter(status=ItemStatus.PUBLISHED)

    def for_division(self, division: Division) -> BusinessItemQuerySet:
        """Items handled by departments of this division itself."""
        return self.filter(item__division=division)

    def key(self) -> BusinessItemQuerySet:
        """Business items of the city's nine key items (OA2)."""
        return self.filter(item__key_item__isnull=False)

    def filings(self) -> BusinessItemQuerySet:
        """Filing items (O3.1.1c)."""
        return self.filter(item__kind=ItemKind.FILING)

    def linked(self, on: datetime.date) -> BusinessItemQuerySet:
        """Items with at least one active linkage whose office has a reachable manager on that day (L2)."""
        return self.filter(Exists(_reachable_linkages(on)))

    def unreachable(self, on: datetime.date) -> BusinessItemQuerySet:
        """Published items that no linked office can be told of on that day."""
        return self.published().filter(~Exists(_reachable_linkages(on)))

    def with_offices(self) -> BusinessItemQuerySet:
        """Fetch what a row of a list shows, in the same statement."""
        return self.select_related(
            "item__division", "item__department__division", "review_office__department", "standard_item"
        )

    def search(self, text: str) -> BusinessItemQuerySet:
        """Find by name, alias, code or initials; every word typed must match. Best first, one statement.

        Order: the whole name or code; the name's beginning; the beginning of its initials; the beginning of an alias,
        a code or an alias's initials; the rest by where it was found.
        """
        words = fold(text).split()
        if not words:
            return self.none()
        found = self
        for word in words:
            found = found.filter(search_text__contains=word)
        first = words[0]
        rank = Case(
            When(Q(name__iexact=first) | Q(code__iexact=first), then=Value(0)),
            When(name__istartswith=first, then=Value(1)),
            When(initials__startswith=first, then=Value(2)),
            When(search_text__contains=LINE + first, then=Value(3)),
            When(name__icontains=first, then=Value(4)),
            When(initials__contains=first, then=Value(5)),
            default=Value(6),
            output_field=IntegerField(),
        )
        return found.annotate(rank=rank).order_by("rank", "name", "code")

    def lock(self, pk: int) -> BusinessItem:
        """Fetch one item and hold its row until the end of the transaction."""
        return self.select_for_update().get(pk=pk)


class LinkageQuerySet(models.QuerySet["Linkage"]):
    """Linkages, said as adjectives."""

    def active(self) -> LinkageQuerySet:
        """Linkages in force."""
        return self.filter(active=True)

    def for_item(self, business_item: BusinessItem) -> LinkageQuerySet:
        """What a completed case of this item opens tasks for, with office, department and sub-item at hand."""
        return (
            self.filter(business_item=business_item)
            .select_related("office__department__division", "sub_item__item")
            .order_by("office_id", "sub_item_id")
        )

    def reachable(self, on: datetime.date) -> LinkageQuerySet:
        """Linkages whose office has a reachable manager on that day."""
        return self.filter(office__in=Office.objects.all().reachable(on))


def _reachable_linkages(on: datetime.date) -> LinkageQuerySet:
    model: type[Linkage] = apps.get_model("catalogue", "Linkage")
    return LinkageQuerySet(model).active().filter(business_item=OuterRef("pk")).reachable(on)
