"""Dead letters: what the platform would not take, read by a person, mended where it may be, and sent again (L11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from credit.models import CreditSubject, Push
from credit.pushing import PushAct, entry, wake
from ledger.hashing import canonical, sm3
from ledger.record import Draft, record_many
from offices.models import User
from offices.refusals import Refused, TransitionNotAllowed


@dataclass(frozen=True, slots=True)
class Mendable:
    """One field of the content that a person may mend: its place, its label, how long it may be."""

    part: str
    name: str
    label: str
    longest: int

    def of(self, push: Push) -> str:
        """What it says now."""
        return str(push.payload[self.part][self.name])


# Never the subject's code, the kind, the level or a day: those are what was decided, and another record if wrong.
NAME = Mendable("subject", "name", "主体名称", 120)
FIELDS = (NAME, Mendable("record", "source", "文书文号或者任务编号", 60), Mendable("record", "basis", "依据", 200))


def mendable(push: Push) -> tuple[Mendable, ...]:
    """What may be mended: nothing unless the platform refused it; a person's name is sent masked and stays so."""
    if push.state != Push.State.DEAD or not push.is_refused:
        return ()
    return tuple(one for one in FIELDS if one is not NAME or push.payload["subject"]["kind"] == "organisation")


def _locked(push: Push) -> Push:
    CreditSubject.objects.select_for_update().get(pk=push.subject_id)
    row = Push.objects.select_for_update().select_related("subject").get(pk=push.pk)
    if row.state != Push.State.DEAD:
        raise TransitionNotAllowed(f"这条推送现在是“{row.get_state_display()}”，不需要处理；请刷新查看。")
    return row


def _requeue(row: Push, now: datetime) -> None:
    row.state, row.next_attempt_at, row.attempts = Push.State.QUEUED, now, 0
    row.error, row.is_refused = "", False
    row.save(update_fields=["state", "next_attempt_at", "attempts", "error", "is_refused", "payload"])
    transaction.on_commit(wake, robust=True)


@transaction.atomic
def send_again(push: Push, *, by: User, now: datetime) -> Push:
    """Queue a dead push once more as it is, under its key. Raises ``TransitionNotAllowed``."""
    row = _locked(push)
    _requeue(row, now)
    record_many([Draft(row.subject.stream, PushAct.AGAIN, entry(row), by)], at=now)
    return row


@transaction.atomic
def mend(push: Push, said: Mapping[str, str], *, by: User, now: datetime) -> Push:
    """Mend the content of a refused push (field name → text) and queue it again under its key.

    The record stays as it was found; the ledger keeps which fields were mended and the digest of the content.
    Raises ``TransitionNotAllowed`` (somebody was faster) or ``Refused`` beside the field.
    """
    row = _locked(push)
    fields = mendable(row)
    if not fields:
        raise Refused(
            "push-not-mendable", "不知道信用平台是否已收到这条推送，内容不能更正；请按原内容重新推送。", conflict=True
        )
    content = {part: dict(values) for part, values in row.payload.items()}
    changed = []
    for one in fields:
        text = " ".join(said.get(one.name, one.of(row)).split())
        if not text or not text.isprintable():
            raise Refused("push-text-missing", f"请填写{one.label}。", field=one.name)
        if len(text) > one.longest:
            raise Refused("push-text-long", f"最多 {one.longest} 字，现为 {len(text)} 字。", field=one.name)
        if text != one.of(row):
            content[one.part][one.name] = text
            changed.append(one.name)
    if not changed:
        raise Refused("push-unchanged", "内容没有改动；不需要更正的，请直接重新推送。", field=fields[0].name)
    row.payload = content
    _requeue(row, now)
    data = entry(row) | {"fields": changed, "digest": sm3(canonical(content))}
    record_many([Draft(row.subject.stream, PushAct.MENDED, data, by)], at=now)
    return row
