"""代码衔接: a code was replaced, merged into another or split; what stood behind it counts for who came after.

Nothing is moved, rewritten or pushed anew: a link says whose records count for whom (``credit.joining``). A wrong link
is set aside with its reason and stays to be read. Credit officers of the city's departments link, since a code counts
for every department of the city. Every subject that hangs together with the two is locked first, in the order of its
id, so that links made at once cannot close a circle.

Source: GB 32100-2015 (a code is given once), 公司法 art. 218–223 (合并、分立 and who answers for what was before).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from credit.enums import CreditAct
from credit.identifiers import check_ric, check_uscc, normalise
from credit.joining import MOST, Step, longest, reached, steps, together
from credit.models import CreditSubject, SubjectLink
from credit.words import said
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from offices.history import save_at
from offices.models import Posting, User
from offices.refusals import Refused, TransitionNotAllowed

Kind = SubjectLink.Kind
SHORTEST = 10
LONGEST = {"basis": 1000, "carries_reason": 500, "reason": 1000}
PLACES = {"before": "原代码", "after": "新代码"}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A link as it was typed and found fit."""

    before: CreditSubject
    after: CreditSubject
    kind: str
    on: dt.date
    basis: str
    carries: bool
    carries_reason: str


def refuse_county(by: User, now: dt.datetime) -> None:
    """Raise ``Refused`` (``city-officers-only``) for who is no credit officer of a department of the city today."""
    mine = Posting.objects.active(local_date(now)).role(Posting.Role.CREDIT_OFFICER)
    if not mine.filter(user=by, user__is_active=True, department__division__parent__isnull=True).exists():
        raise Refused("city-officers-only", "代码衔接对全市生效，由市级单位的信用管理员办理。", conflict=True)


def _subject(typed: str, field: str) -> CreditSubject:
    """The organisation of a typed code. Raises ``Refused`` for a person's number, a wrong or an unknown code."""
    code, label = normalise(typed), PLACES[field]
    if not code:
        raise Refused("link-code-missing", f"请填写{label}。", field=field)
    found = CreditSubject.objects.filter(code=code).defer("id_number").first()
    if found is None and _is_identity_number(code):
        raise Refused("link-person", "自然人不作代码衔接，请填写统一社会信用代码。", field=field)
    try:
        code = check_uscc(code)
    except ValidationError as error:
        raise Refused("link-code-wrong", str(error.messages[0]), field=field) from error
    if found is None:
        raise Refused(
            "link-subject-unknown",
            f"本平台没有代码为 {code} 的主体，请核对{label}；该主体办理过事项或者列入监管以后才能衔接。",
            field=field,
        )
    return found


def _is_identity_number(text: str) -> bool:
    try:
        check_ric(text)
    except ValidationError:
        return False
    return True


def propose(
    *, before: str, after: str, kind: str, on: dt.date | None, basis: str, carries: bool, carries_reason: str,
    now: dt.datetime,
) -> Proposed:  # fmt: skip
    """Check what was typed; nothing is locked or written.

    Raises ``Refused`` (``link-code-missing``, ``link-person``, ``link-code-wrong``, ``link-subject-unknown``,
    ``link-same-code``, ``link-kind-missing``, ``link-day-missing``, ``link-day-future``, ``link-basis-short``,
    ``link-carries``, ``link-carries-reason-missing``, ``text-too-long``, and those of ``_refuse_chain``).
    """
    old, new = _subject(before, "before"), _subject(after, "after")
    if old.pk == new.pk:
        raise Refused("link-same-code", "原代码和新代码相同，不需要衔接，请核对。", field="after")
    if kind not in Kind.values:
        raise Refused("link-kind-missing", "请选择换发代码、吸收合并或者分立。", field="kind")
    if on is None:
        raise Refused("link-day-missing", "请填写生效日，以登记机关的文书为准。", field="on")
    if on > local_date(now):
        raise Refused("link-day-future", "生效日不能晚于今天；还没有生效的，请在生效以后衔接。", field="on")
    words = said(basis, "basis", "link-basis-short", "请写明衔接的依据，例如登记机关的通知书文号。", LONGEST["basis"])
    if len(words) < SHORTEST:
        raise Refused("link-basis-short", f"依据至少 {SHORTEST} 个字，请写明登记机关和文书文号。", field="basis")
    why = ""
    if not carries:
        if kind != Kind.SPLIT:
            raise Refused("link-carries", "换发代码、吸收合并的，信用记录一律随同计算。", field="carries")
        why = said(
            carries_reason, "carries_reason", "link-carries-reason-missing",
            "请写明信用记录不随同计算的理由，例如分立协议的约定。", LONGEST["carries_reason"],
        )  # fmt: skip
    _refuse_chain(steps(together(old.pk, new.pk)), old.pk, new.pk, kind, carries=carries)
    return Proposed(old, new, kind, on, words, carries, why)


def _refuse_chain(links: list[Step], before: int, after: int, kind: str, *, carries: bool) -> None:
    """Raise ``Refused`` (``link-exists``, ``link-circle``, ``link-succeeded``, ``link-too-many``) by the links."""
    if any((one.before, one.after) == (before, after) for one in links):
        raise Refused("link-exists", "这两个代码已经衔接，不需要重复登记。", field="after")
    onwards = [(one.before, one.after) for one in links]
    if before in reached(after, onwards):
        raise Refused("link-circle", "新代码已经衔接到原代码，不能反过来再衔接，请核对先后。", field="after")
    succeeded = [one for one in links if one.before == before]
    if any(one.kind != Kind.SPLIT or kind != Kind.SPLIT for one in succeeded):
        raise Refused(
            "link-succeeded", "原代码已经换发、合并或者分立，不能再这样衔接；前一次有误的，请先撤销。", field="before"
        )
    added = [*links, Step(before, after, kind, carries)]
    if longest(added, reached(after, onwards)) > MOST:
        raise Refused("link-too-many", f"一个主体最多衔接 {MOST} 个代码，请报信用主管部门处理。", field="after")


def _lock(subjects: list[int]) -> None:
    """Lock these subjects in the order of their ids until the transaction ends."""
    rows = CreditSubject.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=subjects)
    list(rows.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def link(
    *, before: str, after: str, kind: str, on: dt.date | None, basis: str, by: User, now: dt.datetime,
    carries: bool = True, carries_reason: str = "",
) -> SubjectLink:  # fmt: skip
    """衔接 two codes: from now on what stands behind ``before`` counts for ``after`` as well.

    Raises ``Refused`` (``city-officers-only`` and those of ``propose``), ``TransitionNotAllowed``.
    """
    refuse_county(by, now)
    typed = {"before": before, "after": after, "kind": kind, "on": on, "basis": basis}
    wanted = propose(**typed, carries=carries, carries_reason=carries_reason, now=now)  # type: ignore[arg-type]
    old, new = wanted.before, wanted.after
    chain = together(old.pk, new.pk)
    _lock(chain)
    grown = together(old.pk, new.pk)
    if not set(grown) <= set(chain):
        raise TransitionNotAllowed("有同事正在衔接相关的代码，请刷新查看，核对以后再办理。")
    _refuse_chain(steps(grown), old.pk, new.pk, kind, carries=carries)
    made = SubjectLink(
        before=old, after=new, kind=kind, on=wanted.on, basis=wanted.basis, carries=carries,
        carries_reason=wanted.carries_reason, by=by, at=now,
    )  # fmt: skip
    save_at(made, now, by=by)
    _enter(made, CreditAct.LINKED, by, now)
    return made


@transaction.atomic
def undo(link: SubjectLink, *, reason: str, by: User, now: dt.datetime) -> SubjectLink:
    """撤销衔接: the link no longer counts; it stays to be read, with the reason.

    Raises ``Refused`` (``city-officers-only``, ``reason-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    refuse_county(by, now)
    _lock([link.before_id, link.after_id])
    link = SubjectLink.objects.get(pk=link.pk)
    if link.set_aside_at is not None:
        raise TransitionNotAllowed("这项衔接已经撤销，可能有同事已先一步办理，请刷新查看。")
    why = said(reason, "reason", "reason-missing", "请写明撤销的理由。", LONGEST["reason"])
    link.set_aside_by, link.set_aside_at, link.set_aside_reason = by, now, why
    save_at(link, now, by=by)
    _enter(link, CreditAct.UNLINKED, by, now)
    return link


def _enter(link: SubjectLink, act: CreditAct, by: User, now: dt.datetime) -> None:
    """Say it on both streams."""
    data = {"link": link.pk, "before": link.before_id, "after": link.after_id, "kind": link.kind}
    data |= {"on": link.on.isoformat(), "carries": link.carries}
    streams = sorted({f"subject:{link.before_id}", f"subject:{link.after_id}"})
    record_many([Draft(stream, act, data, by) for stream in streams], at=now)
