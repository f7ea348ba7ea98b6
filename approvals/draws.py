"""Who gets a case: drawn by commit and reveal from those eligible, never chosen (O3.1.2c; ``ledger.draws``).

Eligible is who holds the role in the case's office today, is not on leave, declared no conflict with the applicant, and
has no other part in the case. Whoever has more open work is drawn less often. The pool with its loads stands on the
case's ledger, so that every draw can be drawn again (docs/mechanisms/draws.md).
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Exists, F, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from approvals.enums import CaseAct, CaseStatus, Seat
from approvals.exceptions import Refused
from approvals.models import Case, Conflict, Recusal, Sheet, SiteCheck
from deadlines.clock import local_date
from ledger.draws import draw, entry
from ledger.record import Draft
from offices.models import Leave, Posting, User

DECIDER = "decider"
PURPOSES = {
    "reviewer.first": "抽取审查人员",
    "reviewer.second": "抽取第二审查人员",
    "reviewer.lead": "抽取牵头人",
    "decider": "抽取值班决定人员",
    "site_officer": "抽取现场核查人员",
}
Pool = list[tuple[int, int]]


def excluded(case: Case) -> set[int]:
    """Ids of those who have another part in the case, or handed it back; two statements."""
    parts = {case.intake_by_id, case.reviewer_id, case.decider_id}
    parts |= set(Sheet.objects.filter(case=case).values_list("reviewer_id", flat=True))
    aside = Recusal.objects.filter(case=case).values_list("user_id", flat=True)
    site = SiteCheck.objects.filter(case=case)
    parts |= set(aside.union(site.values_list("first_id", flat=True), site.values_list("second_id", flat=True)))
    return {one for one in parts if one is not None}


def key_of(case: Case) -> str:
    """By what declared conflicts are matched with the applicant."""
    return case.applicant.code or case.applicant.id_hash or ""


def stands_aside(case: Case, person: User) -> bool:
    """Whether the case is not for ``person``: handed back, or a conflict with its applicant declared before it came.

    The rule of ``querysets.for_decider``, asked again by the actions under the case's lock.
    """
    conflicts = Conflict.objects.filter(user=person, ended_at__isnull=True, key=key_of(case))
    return (
        Recusal.objects.filter(case=case, user=person).exists()
        or conflicts.filter(declared_at__lt=case.received_at).exists()
    )


def _count(rows: QuerySet[Case] | QuerySet[Sheet], person: str) -> Coalesce:
    """How many of ``rows`` belong to the person of the outer query."""
    mine = rows.filter(**{person: OuterRef("pk")}).order_by().values(person).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(mine, output_field=IntegerField()), Value(0))


def _loads(role: str) -> dict[str, Coalesce]:
    """What counts as open work: cases without one's opinion, score sheets not given, sittings not decided."""
    waiting = Case.objects.filter(status=CaseStatus.IN_REVIEW)
    if role == Posting.Role.DECIDER:
        return {"own": _count(waiting.filter(on_the_spot=True), "decider"), "others": Value(0)}  # type: ignore[dict-item]
    sheets = Sheet.objects.filter(given_at__isnull=True, case__status=CaseStatus.IN_REVIEW).exclude(seat=Seat.FIRST)
    return {"own": _count(waiting.filter(opinion__isnull=True), "reviewer"), "others": _count(sheets, "reviewer")}


def pool_for(
    case: Case, role: str, now: dt.datetime, leave_out: set[int | None], *, on_duty_only: bool = False
) -> Pool:
    """Ids of the eligible with their open work, by id; one statement besides those of ``excluded``."""
    today = local_date(now)
    postings = Posting.objects.active(today).role(role).filter(user=OuterRef("pk"), office=case.review_office_id)
    if on_duty_only:
        postings = postings.filter(on_duty=True)
    conflicts = Conflict.objects.filter(user=OuterRef("pk"), key=key_of(case), ended_at__isnull=True)
    people = (
        User.objects.filter(Exists(postings), is_active=True)
        .exclude(Exists(Leave.objects.on(today).filter(user=OuterRef("pk"))))
        .exclude(Exists(conflicts))
        .exclude(pk__in=excluded(case) | {one for one in leave_out if one is not None})
        .annotate(**_loads(role))
        .annotate(load=F("own") + F("others"))
        .order_by("pk")
    )
    return list(people.values_list("pk", "load"))


def is_eligible(case: Case, person: User, *, now: dt.datetime) -> bool:
    """Whether ``person`` could be drawn for the case now: as its decider on the spot, else as its reviewer."""
    role = Posting.Role.DECIDER if case.on_the_spot else Posting.Role.REVIEWER
    found = pool_for(case, role, now, set(), on_duty_only=case.on_the_spot)
    return person.pk in {one for one, _ in found}


def _drawn(case: Case, act: CaseAct, purpose: str, pool: Pool, by: User | None, now: dt.datetime) -> Draft:
    return Draft(case.stream, act, entry(draw(purpose, case.stream, pool, now)), by)


def draw_reviewer(
    case: Case, *, by: User | None, now: dt.datetime, not_again: int | None = None, seat: str = Seat.FIRST
) -> Draft:
    """Draw a reviewer of the case's office for ``seat``; the caller saves and records the draft.

    For the first seat it sets ``case.reviewer``; for the others ``draft.data["drawn"]`` tells who it is.
    ``not_again`` is whoever had the case and is away. ``by`` None: the law itself moved the case on.

    Raises ``Refused`` when nobody is eligible.
    """
    pool = pool_for(case, Posting.Role.REVIEWER, now, {by.pk if by else None, not_again})
    if not pool:
        raise Refused("no-reviewer", f"{case.review_office.name}没有可抽取的审查人员，请联系区划管理员。")
    draft = _drawn(case, CaseAct.REVIEWER_DRAWN, f"reviewer.{Seat(seat).value}", pool, by, now)
    if seat == Seat.FIRST:
        case.reviewer_id = draft.data["drawn"]
    return draft


def on_duty(on: dt.date) -> Exists:
    """Whether the decider drawn for a case still sits in its office, is on duty and not on leave on that day."""
    return Exists(
        Posting.objects.active(on)
        .role(Posting.Role.DECIDER)
        .filter(user=OuterRef("decider"), office=OuterRef("review_office"), on_duty=True, user__is_active=True)
        .exclude(Exists(Leave.objects.on(on).filter(user=OuterRef("user"))))
    )


def draw_decider(case: Case, *, by: User | None, now: dt.datetime, not_again: int | None = None) -> Draft:
    """Set ``case.decider``, drawn among the deciders on duty other than the clerk; arguments as ``draw_reviewer``.

    Nobody on duty: the case waits for any decider of the office, and the empty pool is on the record.
    """
    pool = pool_for(case, Posting.Role.DECIDER, now, {by.pk if by else None, not_again}, on_duty_only=True)
    if not pool:
        case.decider_id = None
        return Draft(case.stream, CaseAct.DECIDER_DRAWN, {"pool": [], "drawn": None}, by)
    draft = _drawn(case, CaseAct.DECIDER_DRAWN, DECIDER, pool, by, now)
    case.decider_id = draft.data["drawn"]
    return draft
