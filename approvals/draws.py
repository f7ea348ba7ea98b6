"""Who gets a case: drawn at random from those eligible, never chosen (O3.1.2c).

The pool is written to the ledger as ids and as a digest, so that a draw can be looked at afterwards.
"""

from __future__ import annotations

import datetime as dt
import secrets

from django.db.models import Exists, OuterRef
from django.utils import timezone

from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case
from ledger.hashing import canonical, sm3
from ledger.record import Draft
from offices.models import Posting, User


def _pool(case: Case, role: str, now: dt.datetime, exclude: set[int | None], *, on_duty: bool = False) -> list[int]:
    postings = (
        Posting.objects.active(timezone.localtime(now).date())
        .role(role)
        .filter(office_id=case.review_office_id, user__is_active=True)
    )
    if on_duty:
        postings = postings.filter(on_duty=True)
    people = postings.order_by("user_id").values_list("user_id", flat=True).distinct()
    return [pk for pk in people if pk not in exclude]


def _drawn(case: Case, act: CaseAct, pool: list[int], drawn: int | None, by: User | None) -> Draft:
    return Draft(case.stream, act, {"pool": pool, "digest": sm3(canonical({"pool": pool})), "drawn": drawn}, by)


def draw_reviewer(case: Case, *, by: User | None, now: dt.datetime, not_again: int | None = None) -> Draft:
    """Set ``case.reviewer``, drawn among the office's reviewers other than the clerk; the caller saves and records.

    ``not_again`` is whoever had the case and is away. ``by`` None: the law itself moved the case on.

    Raises ``Refused`` when nobody is eligible.
    """
    pool = _pool(case, Posting.Role.REVIEWER, now, {case.intake_by_id, by.pk if by else None, not_again})
    if not pool:
        raise Refused("no-reviewer", f"{case.review_office.name}没有可抽取的审查人员，请联系区划管理员。")
    case.reviewer_id = secrets.choice(pool)
    return _drawn(case, CaseAct.REVIEWER_DRAWN, pool, case.reviewer_id, by)


def on_duty(on: dt.date) -> Exists:
    """Whether the decider drawn for a case still sits in its office and is on duty on that day."""
    return Exists(
        Posting.objects.active(on)
        .role(Posting.Role.DECIDER)
        .filter(user=OuterRef("decider"), office=OuterRef("review_office"), on_duty=True, user__is_active=True)
    )


def draw_decider(case: Case, *, by: User | None, now: dt.datetime, not_again: int | None = None) -> Draft:
    """Set ``case.decider``, drawn among the deciders on duty other than the clerk; arguments as ``draw_reviewer``.

    Nobody on duty: the case waits for any decider of the office, and the empty pool is on the record.
    """
    pool = _pool(case, Posting.Role.DECIDER, now, {case.intake_by_id, by.pk if by else None, not_again}, on_duty=True)
    case.decider_id = secrets.choice(pool) if pool else None
    return _drawn(case, CaseAct.DECIDER_DRAWN, pool, case.decider_id, by)
