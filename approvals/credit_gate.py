"""The credit query of a case: asked on one press, kept as seen, and decided by a person (L7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from approvals.enums import CaseAct, CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CreditCheck
from credit import asking, gate, platform
from credit.gate import Answer
from credit.models import HandlingWay
from ledger.hashing import canonical, sm3
from ledger.record import Draft, record_many
from offices.models import User

BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)
LONGEST_REASON = 500


def check_of(case: Case) -> CreditCheck | None:
    """The check of a case, if one was made."""
    return CreditCheck.objects.filter(case=case).select_related("asked_by", "decided_by").first()


def answer_of(check: CreditCheck) -> Answer:
    """What was answered then."""
    return Answer.from_json(check.answer)


def shaken(check: CreditCheck, now: dt.datetime) -> str:
    """Why an answer, or the decision for the promise way made on it, no longer holds; empty where it does.

    It does not where the rule by now says something else of the promise way than was shown: records came or were
    lifted, another grade or table counts, or a platform's answer grew too old. A decision for the way stands while the
    rule opens it, one against it always. Asks nobody outside.
    """
    if check.allowed is False:
        return ""
    fresh = gate.ask(check.case.applicant, now).of(HandlingWay.PROMISE)
    if fresh == answer_of(check).of(HandlingWay.PROMISE) or (check.allowed and fresh.is_open):
        return ""
    rule = "可以采用" if fresh.is_open else "不适用"
    return f"查询以后申请人的信用情况有变化，现在按规则{rule}告知承诺；请重新查询信用，看过新的结果再决定。"


def _refuse_shaken(check: CreditCheck, now: dt.datetime) -> None:
    if words := shaken(check, now):
        raise Refused("credit-changed", words, conflict=True)


def ask(case: Case, *, by: User, now: dt.datetime) -> CreditCheck:
    """Ask what is known of the applicant and keep the answer; once somebody decided on it, it stands.

    The public platform is asked first, outside the transaction; while it is silent its last answer counts, with its
    age. Pressed again before the decision it asks anew, and after it where the decision no longer holds
    (``shaken``): then it is to be made again. Raises ``TransitionNotAllowed`` once the case is accepted.
    """
    open_still = case.status in BEFORE_ACCEPTANCE
    latest = asking.latest(case.applicant, now) if open_still and platform.is_on() else None
    return keep(case, latest=latest, by=by, now=now)


def _kept(check: CreditCheck) -> dict[str, Any]:
    """A decision that no longer holds, as it stays with the check."""
    assert check.decided_at is not None  # noqa: S101 - decided
    return {
        "answer": check.answer,
        "allowed": check.allowed,
        "reason": check.reason,
        "by": check.decided_by_id,
        "at": check.decided_at.isoformat(),
    }


@dataclass(frozen=True, slots=True)
class Earlier:
    """A decision that no longer held."""

    allowed: bool
    reason: str
    by: str
    at: dt.datetime


def earlier_of(check: CreditCheck) -> list[Earlier]:
    """Decisions made before, the newest first; one statement where there are any."""
    rows = check.earlier or []
    names = dict(User.objects.filter(pk__in=[row["by"] for row in rows]).values_list("pk", "full_name")) if rows else {}
    return [
        Earlier(row["allowed"], row["reason"], names.get(row["by"], ""), dt.datetime.fromisoformat(row["at"]))
        for row in reversed(rows)
    ]


@transaction.atomic
def keep(case: Case, *, by: User, now: dt.datetime, latest: asking.Latest | None = None) -> CreditCheck:
    """What ``ask`` does with what is known; talks to nobody."""
    case = Case.objects.lock(case.pk)
    known = CreditCheck.objects.select_for_update().filter(case=case).first()
    decided = known is not None and known.allowed is not None
    if known is not None and decided and (case.status not in BEFORE_ACCEPTANCE or not shaken(known, now)):
        return known
    if case.status not in BEFORE_ACCEPTANCE:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，信用查询在受理前进行；请刷新查看。")
    answer = gate.ask(case.applicant, now, latest=latest)
    check = known or CreditCheck(case=case)
    if decided:
        check.earlier = [*(check.earlier or []), _kept(check)]
    check.answer, check.rule_allows = answer.to_json(), answer.opens(HandlingWay.PROMISE)
    check.asked_by, check.asked_at = by, now
    check.allowed, check.reason, check.decided_by, check.decided_at = None, "", None, None
    check.save()
    data = {
        "check": check.pk,
        "rule_allows": check.rule_allows,
        "grade": answer.grade,
        "records": len(answer.records),
        "digest": sm3(canonical(check.answer)),
    }
    record_many([Draft(case.stream, CaseAct.CREDIT_ASKED, data, by)], at=now)
    return check


@transaction.atomic
def settle(case: Case, *, allowed: bool, reason: str, by: User, now: dt.datetime) -> CreditCheck:
    """Decide on the answer whether the promise way is taken, once; a departure from the rule has its reason.

    Raises ``Refused``: nobody asked, somebody decided before, the answer is no longer so, or the reason is missing.
    """
    case = Case.objects.lock(case.pk)
    check = CreditCheck.objects.select_for_update().filter(case=case).first()
    if case.status not in BEFORE_ACCEPTANCE:
        raise TransitionNotAllowed(f"这件办件现在是“{case.get_status_display()}”，不能再作这个决定；请刷新查看。")
    if check is None:
        raise _not_asked()
    if check.allowed is not None:
        raise Refused("credit-decided", "是否采用告知承诺已经有人决定，请刷新查看。", conflict=True)
    _refuse_shaken(check, now)
    reason = reason.strip()
    if allowed != check.rule_allows and not reason:
        rule = "可以采用" if check.rule_allows else "不适用"
        raise Refused(
            "credit-reason-missing", f"按规则{rule}告知承诺；作出不同的决定，请写明理由。", field="credit_reason"
        )
    if len(reason) > LONGEST_REASON:
        raise Refused(
            "reason-too-long", f"理由最多 {LONGEST_REASON} 字，现为 {len(reason)} 字。", field="credit_reason"
        )
    check.allowed, check.reason, check.decided_by, check.decided_at = allowed, reason, by, now
    check.save(update_fields=["allowed", "reason", "decided_by", "decided_at"])
    Case.objects.filter(pk=case.pk).update(touched_at=now)
    data = {"check": check.pk, "allowed": allowed, "departs": allowed != check.rule_allows}
    record_many([Draft(case.stream, CaseAct.CREDIT_DECIDED, data, by)], at=now)
    return check


def _not_asked() -> Refused:
    return Refused("credit-not-asked", "告知承诺办件要先查询申请人信用，并由您决定是否采用；请先点“信用查询”。")


def require(case: Case, now: dt.datetime) -> CreditCheck:
    """Return the check on which the promise way was taken.

    Raises ``Refused`` without one that allows it, and where the rule has closed the way since.
    """
    check = check_of(case)
    if check is None or check.allowed is None:
        raise _not_asked()
    if not check.allowed:
        raise Refused(
            "credit-closed",
            "已决定本件不采用告知承诺。请征得申请人同意后改为一般方式、交齐全部材料，或者由申请人撤回申请。",
        )
    _refuse_shaken(check, now)
    return check
