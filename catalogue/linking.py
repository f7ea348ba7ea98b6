"""Verbs on the linkage list: which office watches what after an item's cases are completed (L4a, L2)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from simple_history.utils import bulk_update_with_history

from catalogue.actions import note_revision
from catalogue.enums import Act, Certainty, ItemStatus
from catalogue.errors import LinkageRefused
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from deadlines.clock import local_date
from ledger.record import Draft, record, record_many
from offices.history import save_at
from offices.models import Office, User

LONGEST_WHY = 200
# Of the row history: looked at and left as it was.
CONFIRMED = "confirmed"


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
    _looked(linkage)
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
    _looked(linkage)
    save_at(linkage, now, by=by)
    _tell(linkage, Act.UNLINKED, by, now)
    return linkage


def reopen(reasons: Mapping[int, str], *, now: datetime.datetime) -> int:
    """Have these linkages (id → why) looked at again, because a list that they rest on changed; returns how many.

    Only those in force; what waits already waits since then. They hold on meanwhile: nothing is lost while nobody
    has looked (O3.3.3). One ledger entry an item; statements are constant in the number of rows. The items are locked
    first, as by everybody who writes on their streams.
    """
    waiting = Linkage.objects.active().filter(pk__in=reasons, reopened_at__isnull=True)
    items = BusinessItem.objects.filter(pk__in=waiting.order_by().values("business_item")).order_by("pk")
    list(items.select_for_update(of=("self",)).values_list("pk", flat=True))
    rows = list(waiting.select_related("business_item").order_by("pk").select_for_update(of=("self",)))
    for row in rows:
        row.reopened_at, row.reopened_why = now, reasons[row.pk][:LONGEST_WHY]
    bulk_update_with_history(
        rows, Linkage, ["reopened_at", "reopened_why"], batch_size=500, default_change_reason="reopened",
        default_date=now,
    )  # fmt: skip
    by_item: dict[str, list[int]] = {}
    for row in rows:
        by_item.setdefault(row.business_item.stream, []).append(row.pk)
    record_many([Draft(stream, Act.LINKAGES_REOPENED, {"linkages": keys}) for stream, keys in by_item.items()], at=now)
    return len(rows)


@transaction.atomic
def confirm(linkage: Linkage, *, by: User, now: datetime.datetime) -> Linkage:
    """Somebody looked again and it holds on. Raises ``LinkageRefused`` where nothing waits, or it has ended."""
    BusinessItem.objects.lock(linkage.business_item_id)
    linkage = Linkage.objects.select_for_update().get(pk=linkage.pk)
    if not linkage.active or linkage.reopened_at is None:
        raise LinkageRefused("该审管关联没有待核对的变动，可能有同事已先一步核对，请刷新查看。", conflict=True)
    data = {"linkage": linkage.pk, "since": linkage.reopened_at.isoformat()}
    _looked(linkage)
    save_at(linkage, now, by=by, reason=CONFIRMED)
    record(linkage.business_item.stream, Act.LINKAGE_CONFIRMED, at=now, by=by, data=data)
    return linkage


def _looked(linkage: Linkage) -> None:
    linkage.reopened_at, linkage.reopened_why = None, ""


def _tell(linkage: Linkage, act: Act, by: User | None, now: datetime.datetime) -> None:
    """Write the act on the item's stream and count the change as a revision of the item, told upwards (O3.3.3)."""
    data = {"linkage": linkage.pk, "office": linkage.office_id, "sub_item": linkage.sub_item_id}
    record(linkage.business_item.stream, act, at=now, by=by, data=data)
    note_revision(linkage.business_item, by=by, now=now)
