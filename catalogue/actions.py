"""Verbs on business items."""

from __future__ import annotations

import datetime
from dataclasses import replace

from django.db import transaction

from catalogue.enums import Act, ItemChange
from catalogue.errors import NotPublishable, PromiseRefused
from catalogue.models import BusinessItem
from catalogue.periods import Promise, faults
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
    return _revised(BusinessItem.objects.lock(business_item.pk), by, now)


@transaction.atomic
def set_promised_period(
    business_item: BusinessItem, promise: Promise, *, by: User | None, now: datetime.datetime
) -> BusinessItem:
    """Set the promised period of an item for cases that are accepted from now on (O3.2.1a); twice the same is one.

    Counties that inherit a standard follow when it becomes shorter than theirs. Raises ``PromiseRefused`` with every
    fault, field by field.
    """
    # The standard first: a county must not be set beside a standard that is being shortened.
    if business_item.standard_item_id:
        BusinessItem.objects.lock(business_item.standard_item_id)
    item = BusinessItem.objects.lock(business_item.pk)
    if found := faults(item, promise):
        raise PromiseRefused(found)
    longer = item.inheritors.filter(promised_length__gt=promise.length).order_by("pk")
    _promise(item, promise, by, now)
    for inheritor in longer.select_for_update(of=("self",)).select_related("item", "standard_item"):
        theirs = replace(
            promise,
            exemption=inheritor.promised_exemption,
            exemption_by=inheritor.promised_exemption_by,
            reports_to_province=inheritor.reports_to_province,
        )
        _promise(inheritor, theirs, by, now)
    return item


def _promise(item: BusinessItem, promise: Promise, by: User | None, now: datetime.datetime) -> None:
    """Write a promise that has no faults on a locked item, unless it stands there already."""
    values = {
        "promised_length": promise.length,
        "promised_source": promise.source.strip(),
        "promised_certainty": promise.certainty,
        "promised_exemption": promise.exemption.strip() if promise.needs_exemption else "",
        "promised_exemption_by": promise.exemption_by.strip() if promise.needs_exemption else "",
        "reports_to_province": promise.reports_to_province,
    }
    if all(getattr(item, name) == value for name, value in values.items()):
        return
    data = {
        "code": item.code,
        "from": item.promised_length,
        "to": promise.length,
        "exempt": promise.needs_exemption,
        "province": promise.reports_to_province,
    }
    for name, value in values.items():
        setattr(item, name, value)
    record(item.stream, Act.PROMISE_SET, at=now, by=by, data=data)
    _revised(item, by, now)


def _revised(item: BusinessItem, by: User | None, now: datetime.datetime) -> BusinessItem:
    """Save a locked item as a new version and tell it."""
    item.version += 1
    _save(item, now, by)
    record(item.stream, Act.REVISED, at=now, by=by, data={"code": item.code, "version": item.version})
    item_changed.send(BusinessItem, business_item=item, change=ItemChange.REVISED, now=now)
    return item


def _save(item: BusinessItem, now: datetime.datetime, by: User | None) -> None:
    save_at(item, now, by=by)
