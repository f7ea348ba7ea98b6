"""Verbs on the linkage list: which office watches what after an item's cases are completed (L4a, L2)."""

from __future__ import annotations

import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.actions import note_revision
from catalogue.enums import Act, Certainty, ItemStatus
from catalogue.errors import LinkageRefused
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from deadlines.clock import local_date
from ledger.record import record
from offices.history import save_at
from offices.models import Office, User


@transaction.atomic
def link(
    business_item: BusinessItem,
    office: Office,
    sub_item: SupervisionSubItem,
    *,
    source: str,
    by: User | None,
    now: datetime.datetime,
    certainty: Certainty = Certainty.UNVERIFIED,
) -> Linkage:
    """Link an item to an office and a sub-item, or bring an ended linkage back; cases completed from now on go there.

    The office must be reachable on the day (L2). Raises ``LinkageRefused`` with the field at fault; ``conflict`` when
    the linkage is in force already.
    """
    item = BusinessItem.objects.lock(business_item.pk)
    linkage = Linkage.objects.filter(business_item=item, office=office, sub_item=sub_item).first()
    if linkage is not None and linkage.active:
        raise LinkageRefused("该审管关联已经存在。", conflict=True)
    if linkage is None:
        linkage = Linkage(business_item=item, office=office, sub_item=sub_item, source=source, certainty=certainty)
    linkage.active = True
    try:
        linkage.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise LinkageRefused(messages[0], field=field) from error
    if not Office.objects.filter(pk=office.pk).reachable(local_date(now)).exists():
        raise LinkageRefused(f"{office}没有可联系的处室管理员，不能关联；请先配置处室管理员及其手机。", field="office")
    save_at(linkage, now, by=by)
    _tell(linkage, Act.LINKED, by, now)
    return linkage


@transaction.atomic
def unlink(linkage: Linkage, *, by: User | None, now: datetime.datetime) -> Linkage:
    """End a linkage; tasks that it opened go on. A published item keeps at least one office that can be told (L2).

    Raises ``LinkageRefused``.
    """
    item = BusinessItem.objects.lock(linkage.business_item_id)
    linkage = Linkage.objects.select_for_update().get(pk=linkage.pk)
    if not linkage.active:
        raise LinkageRefused("该审管关联已经停用，请刷新查看。", conflict=True)
    others = Linkage.objects.active().filter(business_item=item).exclude(pk=linkage.pk)
    if item.status == ItemStatus.PUBLISHED and not others.reachable(local_date(now)).exists():
        raise LinkageRefused(
            f"停用后，已发布的“{item.name}”将没有可联系的监管处室，办结后无处推送监管任务；请先增加其他关联，或者先停用该事项。"
        )
    linkage.active = False
    save_at(linkage, now, by=by)
    _tell(linkage, Act.UNLINKED, by, now)
    return linkage


def _tell(linkage: Linkage, act: Act, by: User | None, now: datetime.datetime) -> None:
    """Write the act on the item's stream and count the change as a revision of the item, told upwards (O3.3.3)."""
    data = {"linkage": linkage.pk, "office": linkage.office_id, "sub_item": linkage.sub_item_id}
    record(linkage.business_item.stream, act, at=now, by=by, data=data)
    note_revision(linkage.business_item, by=by, now=now)
