"""Who is away, and whose cases are not for whom: both keep people out of the draws (O3.1.2c)."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import models, transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Conflict
from credit.identifiers import check_ric, check_uscc
from credit.models import CreditSubject
from deadlines.clock import local_date
from ledger.record import record
from offices.crypto import keyed_hash, mask_id
from offices.history import save_at
from offices.models import Leave, User

LONGEST_LEAVE = 366
LONGEST_REASON = 200


class StaffAct(models.TextChoices):
    """Acts on a person's stream of the ledger."""

    LEAVE_ENTERED = "staff.leave_entered", "登记请假"
    LEAVE_CANCELLED = "staff.leave_cancelled", "销假"
    CONFLICT_DECLARED = "staff.conflict_declared", "申报回避关系"
    CONFLICT_ENDED = "staff.conflict_ended", "解除回避关系"


def stream_of(user: User) -> str:
    """The person's stream of the ledger."""
    return f"staff:{user.pk}"


def _locked(user: User) -> User:
    """The person's row locked: two entries at once cannot overlap."""
    found: User = User.objects.select_for_update().get(pk=user.pk)
    return found


def _overlapping(user: User, starts_on: dt.date, ends_on: dt.date) -> bool:
    live = Leave.objects.filter(user=user, cancelled_at__isnull=True)
    return live.filter(starts_on__lte=ends_on, ends_on__gte=starts_on).exists()


@transaction.atomic
def enter_leave(
    user: User,
    *,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    deputy: User | None,
    by: User,
    now: dt.datetime,
    reason: str = "",
) -> Leave:
    """Enter a leave of whole days, from today on; raises ``Refused`` beside the field at fault."""
    user = _locked(user)
    if starts_on is None:
        raise Refused("start-missing", "请填写请假的开始日期。", field="starts_on")
    if ends_on is None:
        raise Refused("end-missing", "请填写请假的结束日期。", field="ends_on")
    if starts_on < local_date(now):
        raise Refused("start-past", "开始日期不能早于今天。", field="starts_on")
    if ends_on < starts_on:
        raise Refused("end-before-start", "结束日期不能早于开始日期。", field="ends_on")
    if (ends_on - starts_on).days >= LONGEST_LEAVE:
        raise Refused("leave-too-long", "一次最多登记一年；长期离岗的，请由区划管理员结束任职。", field="ends_on")
    if len(reason.strip()) > LONGEST_REASON:
        raise Refused("reason-too-long", f"事由不超过 {LONGEST_REASON} 字。", field="reason")
    if _overlapping(user, starts_on, ends_on):
        raise Refused("leave-overlaps", "这段时间已经登记过请假，请先销假，或者改日期。", field="starts_on")
    if deputy is not None and deputy.pk == user.pk:
        raise Refused("deputy-self", "代理人不能是本人，请另选。", field="deputy")
    if deputy is not None and (not deputy.is_active or _overlapping(deputy, starts_on, ends_on)):
        raise Refused("deputy-away", f"{deputy.full_name}这段时间也请假或者已停用，请另选代理人。", field="deputy")
    leave = Leave(
        user=user, deputy=deputy, starts_on=starts_on, ends_on=ends_on, reason=reason.strip(), entered_by=by,
        entered_at=now,
    )  # fmt: skip
    save_at(leave, now)
    data = {
        "leave": leave.pk, "starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat(),
        "deputy": deputy.pk if deputy else None,
    }  # fmt: skip
    record(stream_of(user), StaffAct.LEAVE_ENTERED, at=now, by=by, data=data)
    return leave


@transaction.atomic
def cancel_leave(leave: Leave, *, by: User, now: dt.datetime) -> Leave:
    """End a leave that is not over: from now on the person can be drawn; what was handed over stays.

    Raises ``TransitionNotAllowed`` when it is over or was cancelled.
    """
    user = _locked(leave.user)
    leave = Leave.objects.select_for_update().get(pk=leave.pk)
    if leave.cancelled_at is not None or leave.ends_on < local_date(now):
        raise TransitionNotAllowed("这次请假已经结束或者已销假，请刷新查看。")
    leave.cancelled_at = now
    save_at(leave, now)
    record(stream_of(user), StaffAct.LEAVE_CANCELLED, at=now, by=by, data={"leave": leave.pk})
    return leave


@transaction.atomic
def declare_conflict(*, kind: str, identifier: str, name: str, reason: str, by: User, now: dt.datetime) -> Conflict:
    """Declare that a subject's cases are not for ``by``; from now on no draw takes ``by`` for one.

    What was drawn before stays (it would tell whose case it is); for that there is the recusal. The register of
    subjects is not written, and answers the same whether it knows the subject: what is said here names nobody.
    Raises ``Refused``.
    """
    _locked(by)
    if kind not in CreditSubject.Kind.values:
        raise Refused("kind-missing", "请选择对方是单位还是个人。", field="kind")
    if not name.strip():
        raise Refused("name-missing", "请填写对方的名称或者姓名。", field="name")
    if not reason.strip():
        raise Refused("reason-missing", "请写明您与对方的关系。", field="reason")
    if len(reason.strip()) > LONGEST_REASON:
        raise Refused("reason-too-long", f"关系说明不超过 {LONGEST_REASON} 字。", field="reason")
    person = kind == CreditSubject.Kind.PERSON
    try:
        code = check_ric(identifier) if person else check_uscc(identifier)
    except ValidationError as error:
        raise Refused("identifier-invalid", " ".join(error.messages), field="identifier") from error
    key, shown = (keyed_hash(code), mask_id(code)) if person else (code, code)
    if Conflict.objects.filter(user=by, key=key, ended_at__isnull=True).exists():
        raise Refused("conflict-known", "您已经申报过对该主体回避，不必重复申报。", field="identifier")
    made = Conflict.objects.create(
        user=by, kind=kind, key=key, shown=shown, name=name.strip()[:120], reason=reason.strip(), declared_at=now,
        subject=CreditSubject.objects.by_identifier(kind, code).first(),
    )  # fmt: skip
    record(stream_of(by), StaffAct.CONFLICT_DECLARED, at=now, by=by, data={"conflict": made.pk})
    return made


@transaction.atomic
def end_conflict(conflict: Conflict, *, by: User, now: dt.datetime) -> Conflict:
    """The relation is over; draws take the person again. Raises ``TransitionNotAllowed`` if it was ended."""
    _locked(by)
    conflict = Conflict.objects.select_for_update().get(pk=conflict.pk)
    if conflict.ended_at is not None:
        raise TransitionNotAllowed("这条回避申报已经解除，请刷新查看。")
    conflict.ended_at = now
    conflict.save(update_fields=["ended_at"])
    record(stream_of(by), StaffAct.CONFLICT_ENDED, at=now, by=by, data={"conflict": conflict.pk})
    return conflict
