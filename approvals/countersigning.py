"""What an office was asked to countersign, who can answer there, and what nobody can answer (O3.2.1c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from approvals.draws import excluded
from approvals.enums import CaseStatus
from approvals.models import Case, Countersignature, Recusal, Sheet, SiteCheck
from offices.access import Access
from offices.models import Leave, Posting, PostingQuerySet, User

ROLES = Posting.COUNTERSIGNING_ROLES
# Whoever ever held one of these somewhere else may have had a part in a case before it came to be countersigned.
OTHER_PARTS = (Posting.Role.WINDOW_CLERK, Posting.Role.REVIEWER, Posting.Role.SITE_OFFICER)


def asked(access: Access) -> QuerySet[Countersignature]:
    """What the offices in which the person reviews or decides were asked, the unanswered first."""
    rows = Countersignature.objects.filter(office_id__in=access.offices(*ROLES)).select_related("office", "signed_by")
    return rows.order_by("signed_at", "pk")


def waiting() -> QuerySet[Countersignature]:
    """待会签: not answered, in a case that is still in review."""
    return Countersignature.objects.filter(signed_at__isnull=True, case__status=CaseStatus.IN_REVIEW)


def waits_for(access: Access) -> QuerySet[Countersignature]:
    """What the person may answer now: no case in which the person has another part."""
    return waiting().filter(office_id__in=access.offices(*ROLES)).exclude(takes_part(access.user.pk))


def takes_part(person: int) -> Q:
    """Whether the person took the case of a row in, reviews it, went to its site, or handed it back."""
    mine = (
        Sheet.objects.filter(case=OuterRef("case"), reviewer=person),
        SiteCheck.objects.filter(Q(first=person) | Q(second=person), case=OuterRef("case")),
        Recusal.objects.filter(case=OuterRef("case"), user=person),
    )
    found = Q(case__intake_by=person) | Q(case__reviewer=person)
    for rows in mine:
        found |= Q(Exists(rows))
    return found


def _present(on: dt.date) -> PostingQuerySet:
    """Postings of those who countersign and are there on that day."""
    found: PostingQuerySet = (
        Posting.objects.active(on)
        .role(*ROLES)
        .filter(user__is_active=True, office__isnull=False)
        .exclude(Exists(Leave.objects.on(on).filter(user=OuterRef("user"))))
    )
    return found


def _answers(on: dt.date) -> Exists:
    """Whether somebody of the asked office is there and has no other part in the case; of a ``Countersignature``."""
    case, person = OuterRef(OuterRef("case")), OuterRef("user")
    parts = (
        Case.objects.filter(Q(intake_by=person) | Q(reviewer=person), pk=case),
        Sheet.objects.filter(case=case, reviewer=person),
        SiteCheck.objects.filter(Q(first=person) | Q(second=person), case=case),
        Recusal.objects.filter(case=case, user=person),
    )
    there = _present(on).filter(office=OuterRef("office"))
    for rows in parts:
        there = there.exclude(Exists(rows))
    return Exists(there)


def unanswerable(on: dt.date) -> Q:
    """Of ``waiting``: nobody of the office can answer on that day; they are all gone, away, or part of the case.

    Case by case only for offices with somebody who may be part of one; for all others one list of offices answers.
    """
    elsewhere = Posting.objects.role(*OTHER_PARTS).filter(user=OuterRef("user")).exclude(office=OuterRef("office"))
    may_know = _present(on).filter(Exists(elsewhere)).values("office")
    return ~Q(office__in=_present(on).values("office")) | (Q(office__in=may_know) & ~Q(_answers(on)))


def people_for(case: Case, offices: Collection[int], on: dt.date) -> dict[int, list[User]]:
    """Office → who can answer there on that day; offices without anybody are missing. Three statements."""
    barred = excluded(case)
    found: dict[int, list[User]] = {}
    for posting in _present(on).filter(office__in=offices).select_related("user").order_by("office_id", "user_id"):
        people = found.setdefault(posting.office_id or 0, [])
        if posting.user_id not in barred and posting.user not in people:
            people.append(posting.user)
    return {office: people for office, people in found.items() if people}
