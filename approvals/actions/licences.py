"""变更、延续、中止、恢复、撤回、注销 of a licence by the deciders of its office, with basis and reason.

The table of moves is ``approvals.enums.LICENCE_MOVES``. 撤销 is decided on the road of ``approvals.actions.revoking``.
Everybody locks in one order: the case, its licence, then the tasks of supervision.

Source: 行政许可法 arts. 8, 9, 49, 50, 70.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals import notices, papers
from approvals.enums import LICENCE_MOVES, CaseAct, DocumentKind, LicenceChangeKind
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Document, Licence, LicenceChange, Revocation
from approvals.papers import cn_day
from approvals.signals import licence_changed
from approvals.writing import Writing
from deadlines.clock import local_date
from ledger.record import Draft
from lianyungang_gov.faults import reach
from notifications.outbox import Draft as Message
from offices.history import save_at
from offices.models import Posting, User

K = LicenceChangeKind
LONGEST_BASIS = 300
LONGEST_REASON = 2000
# A validity that ends further away than this is a slip of the pen.
LONGEST_RENEWAL = dt.timedelta(days=366 * 30)
# What a person may do on the licence's own page.
BY_HAND = tuple(kind for kind in K if kind != K.REVOCATION)
# Nobody slips away from a revocation that is being handled, and nothing is promised while it is.
NOT_WHILE_REVOKING = (K.RENEWAL, K.WITHDRAWAL, K.DEREGISTRATION)
NAMES = {
    "state": "状态",
    "holder_name": "持有人",
    "content": "许可内容",
    "valid_to": "有效期至",
    "deregistered_on": "注销日期",
}


def lock_licence(pk: int, case_id: int) -> tuple[Case, Licence]:
    """Lock the case, then its licence, and return both."""
    case = Case.objects.lock(case_id, "review_office__department", "department__division")
    return case, Licence.objects.select_for_update(of=("self",)).get(pk=pk)


def refuse_stranger(case: Case, by: User, now: dt.datetime) -> None:
    """Raise ``Refused`` for anybody who does not decide in the case's office today."""
    serving = Posting.objects.active(local_date(now)).role(Posting.Role.DECIDER)
    if not serving.filter(user=by, user__is_active=True, office_id=case.review_office_id).exists():
        raise Refused("not-decider", "证照的变动和撤销由审查处室的决定人员作出。", conflict=True)


def may_be(licence: Licence, kind: str) -> bool:
    """Whether the table lets this be done to the licence as it stands."""
    struck = licence.deregistered_on is not None
    return kind in LICENCE_MOVES[licence.state] and not (struck and kind == K.DEREGISTRATION)


def _said(value: str, field: str, most: int, missing: str) -> str:
    said = value.strip()
    if not said:
        raise Refused(f"{field}-missing", missing, field=field)
    if len(said) > most:
        raise Refused("remark-too-long", f"最多 {most} 字，现为 {len(said)} 字，请精简。", field=field)
    return said


def _shown(name: str, value: Any) -> str:
    if name == "state":
        return str(Licence.State(value).label)
    return cn_day(value) if isinstance(value, dt.date) else str(value or "（无）")


def apply_change(
    licence: Licence, kind: LicenceChangeKind, new: dict[str, Any], *, basis: str, reason: str, by: User,
    now: dt.datetime, document: Document | None = None,
) -> LicenceChange:  # fmt: skip
    """Change a locked licence to ``new`` (field → value) along the table, save it and write its row."""
    if not may_be(licence, kind):
        raise TransitionNotAllowed(
            f"证照{licence.number}现在是“{licence.state_text}”，不能{kind.label}；可能有同事已先一步办理，请刷新查看。"
        )
    new = {"state": LICENCE_MOVES[licence.state][kind]} | new
    before = {name: getattr(licence, name) for name in new}
    changed = {name: value for name, value in new.items() if before[name] != value}
    for name, value in changed.items():
        setattr(licence, name, value)
    save_at(licence, now, by=by)
    return LicenceChange.objects.create(
        licence=licence, kind=kind, basis=basis, reason=reason,
        before={name: _plain(before[name]) for name in changed},
        after={name: _plain(value) for name, value in changed.items()},
        document=document, made_by=by, made_at=now,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else str(value) if value is not None else None


def about(licence: Licence) -> dict[str, str]:
    """How a paper names the licence and its holder."""
    issued = cn_day(timezone.localtime(licence.issued_at).date())
    return {"to": licence.holder_name, "licence": licence.number, "name": licence.kind, "issued": issued}


@transaction.atomic
def change_licence(
    licence: Licence, *, kind: str, basis: str, reason: str, by: User, now: dt.datetime, content: str = "",
    holder_name: str = "", valid_to: dt.date | None = None,
) -> LicenceChange:  # fmt: skip
    """Do to the licence what ``kind`` says; the holder gets 证照变动通知书 and an SMS, open tasks learn of it at once.

    ``content`` and ``holder_name`` go with 变更 (an empty one stays as it is), ``valid_to`` with 延续. A holder's own
    application to deregister is a reason. Raises ``Refused`` (``change-kind``, ``basis-missing``, ``reason-missing``,
    ``nothing-changed``, ``renewal-day``, ``licence-expired``, ``revocation-open``, ``not-decider``),
    ``TransitionNotAllowed`` where the table has no such move.
    """
    case, licence = lock_licence(licence.pk, licence.case_id)
    refuse_stranger(case, by, now)
    if kind not in BY_HAND:
        raise Refused("change-kind", "请选择要办理的变动；撤销须按撤销许可的程序办理。", field="kind")
    done = K(kind)
    if not may_be(licence, done):
        raise TransitionNotAllowed(
            f"证照{licence.number}现在是“{licence.state_text}”，不能{done.label}；可能有同事已先一步办理，请刷新查看。"
        )
    if done in NOT_WHILE_REVOKING and Revocation.objects.open().filter(licence=licence).exists():
        raise Refused(
            "revocation-open",
            f"这件证照的撤销建议正在办理，作出决定之前不能{done.label}。",
            field="kind",
            conflict=True,
        )
    law = _said(basis, "basis", LONGEST_BASIS, "请写明依据：哪部法律、法规的哪一条。")
    why = _said(reason, "reason", LONGEST_REASON, "请写明理由；理由写入证照变动通知书。")
    new = _new(licence, done, content.strip(), holder_name.strip(), valid_to, local_date(now))
    state = LICENCE_MOVES[licence.state][done]
    rows = [
        [NAMES[name], _shown(name, getattr(licence, name)), _shown(name, value)]
        for name, value in ({"state": state} | new).items()
        if getattr(licence, name) != value
    ]
    extra = about(licence) | {"kind": done.value, "basis": law, "rows": rows}
    document, paper = papers.issue(case, DocumentKind.LICENCE_CHANGE, by=by, now=now, text=why, extra=extra)
    change = apply_change(licence, done, new, basis=law, reason=why, by=by, now=now, document=document)
    case.touched_at = now
    save_at(case, now)
    data = {"licence": licence.number, "kind": done.value, "change": change.pk}
    text = f"您的{licence.kind}（{licence.number}）已{done.label}，详见证照变动通知书。"
    writing = Writing(
        [Draft(case.stream, CaseAct.LICENCE_CHANGED, data, by), paper],
        [to_holder(case, notices.Kind.HOLDER_LICENCE, text, f"change:{change.pk}")],
    )
    licence_changed.send(sender=Licence, licence=licence, change=change, by=by, now=now, writing=writing)
    writing.write(now)
    reach("licence_change.before_commit")
    return change


def _new(
    licence: Licence, kind: LicenceChangeKind, content: str, holder_name: str, valid_to: dt.date | None, today: dt.date
) -> dict[str, Any]:
    """The fields that change beside the state."""
    if kind == K.CHANGE:
        asked = {"content": content or licence.content, "holder_name": holder_name or licence.holder_name}
        new = {name: value for name, value in asked.items() if value != getattr(licence, name)}
        if not new:
            raise Refused("nothing-changed", "变更后的内容与原来相同，请写明变更为什么。", field="content")
        if len(asked["content"]) > 500 or len(asked["holder_name"]) > 120:
            raise Refused("remark-too-long", "许可内容最多 500 字，持有人名称最多 120 字，请精简。", field="content")
        return new
    if kind == K.RENEWAL:
        if licence.valid_to is None:
            raise Refused("renewal-day", "这件证照没有载明有效期止日，不需要延续。", field="valid_to")
        if licence.valid_to < today:
            raise Refused(
                "licence-expired", "有效期已经届满，不能再延续；请依法注销，由持证人重新申请。", conflict=True
            )
        if valid_to is None or not licence.valid_to < valid_to <= licence.valid_to + LONGEST_RENEWAL:
            raise Refused(
                "renewal-day", f"延续后的止日须晚于{cn_day(licence.valid_to)}，并且不超过三十年。", field="valid_to"
            )
        return {"valid_to": valid_to}
    return {"deregistered_on": today} if kind == K.DEREGISTRATION else {}


def to_holder(case: Case, kind: notices.Kind, text: str, occasion: str) -> Message:
    """A message to the holder, through the contact of the case; once an ``occasion``."""
    return Message(
        kind=kind.value,
        text=text,
        dedupe_key=f"{kind.value}:{case.pk}:{occasion}",
        reference=case.stream,
        phone=case.contact_phone,
    )
