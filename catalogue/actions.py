"""Verbs on business items."""

from __future__ import annotations

import datetime

from django.db import transaction

from catalogue.enums import Act, ItemChange
from catalogue.errors import NotPublishable
from catalogue.models import BusinessItem
from catalogue.signals import item_changed
from deadlines.clock import local_date
from ledger.record import record
from offices.history import save_at
from offices.models import User


@transaction.atomic
def publish(business_item: BusinessItem, *, by: User | None, now: datetime.datetime) -> BusinessItem:
    """Open an item for applications (L2, L4a): its guide is complete and at least one linked office can be told.

    Raises ``NotPublishable`` with every reason at once, or ``ItemMoveNotAllowed``.
    """
    item = BusinessItem.objects.lock(business_item.pk)
    item.publish(now)
    reasons = item.obstacles(local_date(now))
    if reasons:
        raise NotPublishable(item.name, reasons)
    _save(item, now, by)
    record(item.stream, Act.PUBLISHED, at=now, by=by, data={"code": item.code, "version": item.version})
    item_changed.send(BusinessItem, business_item=item, change=ItemChange.PUBLISHED, now=now)
    return item


@transaction.atomic
def retire(business_item: BusinessItem, *, by: User | None, now: datetime.datetime, reason: str) -> BusinessItem:
    """Close an item for new applications; running cases go on. ``reason`` is a text for the ledger.

    Raises ``ItemMoveNotAllowed``.
    """
    item = BusinessItem.objects.lock(business_item.pk)
    item.retire()
    _save(item, now, by)
    data = {"code": item.code, "version": item.version, "reason": reason}
    record(item.stream, Act.RETIRED, at=now, by=by, data=data)
    item_changed.send(BusinessItem, business_item=item, change=ItemChange.RETIRED, now=now)
    return item


@transaction.atomic
def note_revision(business_item: BusinessItem, *, by: User | None, now: datetime.datetime) -> BusinessItem:
    """Count a change of the item, its materials, facts or linkages: a new version, told upwards (O3.3.3)."""
    item = BusinessItem.objects.lock(business_item.pk)
    item.version += 1
    _save(item, now, by)
    record(item.stream, Act.REVISED, at=now, by=by, data={"code": item.code, "version": item.version})
    item_changed.send(BusinessItem, business_item=item, change=ItemChange.REVISED, now=now)
    return item


def _save(item: BusinessItem, now: datetime.datetime, by: User | None) -> None:
    save_at(item, now, by=by)
