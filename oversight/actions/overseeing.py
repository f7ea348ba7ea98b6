"""What overseers do: assign a case that reached no office, send a failed message once more."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case
from catalogue.errors import LinkageRefused
from catalogue.linking import link
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from ledger.record import record
from notifications import outbox
from notifications.enums import TransitionNotAllowed as MessageNotFailed
from notifications.models import Message
from offices.models import Office, User
from oversight.enums import OverseerAct
from supervision.actions import open_task_for
from supervision.models import SupervisionTask

ASSIGNED = "督办分派"


@transaction.atomic
def assign(
    case: Case, office: Office | None, sub_item: SupervisionSubItem | None, *, by: User, now: dt.datetime
) -> SupervisionTask:
    """Give a case of the pool an office and a sub-item: the linkage is made (待核实) and the task opens with its SMS.

    Raises ``Refused`` with the field at fault; ``conflict`` when somebody assigned it before.
    """
    if office is None:
        raise Refused("office-missing", "请选择监管处室。", field="office")
    if sub_item is None:
        raise Refused("sub-item-missing", "请选择监管事项子项。", field="sub_item")
    item = BusinessItem.objects.lock(case.business_item_id)
    linkage = Linkage.objects.active().filter(business_item=item, office=office, sub_item=sub_item).first()
    if linkage is None:
        try:
            linkage = link(item, office, sub_item, source=ASSIGNED, by=by, now=now)
        except LinkageRefused as error:
            raise Refused("linkage-refused", str(error), field=error.field, conflict=error.conflict) from error
    return open_task_for(case, linkage, by=by, now=now)


@transaction.atomic
def resend(message: Message, *, by: User, now: dt.datetime) -> Message:
    """Send a failed message of a case or a task once more, to the phone that the person has now.

    Raises ``TransitionNotAllowed`` when it was sent again before, or has not failed.
    """
    kind, _, key = message.reference.partition(":")
    owner: Case | SupervisionTask = (
        Case.objects.lock(int(key)) if kind == "case" else SupervisionTask.objects.lock(int(key))
    )
    try:
        again = outbox.resend(message, now)
    except MessageNotFailed as error:
        raise TransitionNotAllowed("只有发送失败的短信可以再次发送；这条短信的状态已经变化，请刷新查看。") from error
    if again is None:
        raise TransitionNotAllowed("这条短信已经再次发送过，可能有同事已先一步办理，请刷新查看。")
    record(owner.stream, OverseerAct.RESENT, at=now, by=by, data={"message": message.pk, "again": again.pk})
    return again
