"""Adjectives for cases. Each audience has one; what is not in it does not exist for that person (404)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from approvals.enums import OPEN, CaseStatus
from offices.access import Access, covered
from offices.models import Posting

if TYPE_CHECKING:
    from approvals.models.cases import Case

Role = Posting.Role


class CaseQuerySet(models.QuerySet["Case"]):
    """Adjectives for cases."""

    def lock(self, pk: int, *besides: str) -> Case:
        """Return the case, its row locked until the transaction ends, with what most actions read, and ``besides``.

        Few joins on purpose: PostgreSQL plans a dozen of them longer (15 ms) than it runs them.
        """
        locked = self.select_for_update(of=("self",))
        return locked.select_related("business_item__item", "division", "applicant", *besides).get(pk=pk)

    def open(self) -> CaseQuerySet:
        """Not yet handled to their end."""
        return self.filter(status__in=OPEN)

    def for_window(self, access: Access) -> CaseQuerySet:
        """What the window of the person's divisions took in."""
        return self.filter(division_id__in=access.divisions(Role.WINDOW_CLERK, Role.DELIVERY_CLERK))

    def for_reviewer(self, access: Access) -> CaseQuerySet:
        """What was drawn to this reviewer, in an office where the person still reviews."""
        return self.filter(reviewer=access.user, review_office_id__in=access.offices(Role.REVIEWER))

    def for_decider(self, access: Access) -> CaseQuerySet:
        """What waits for, or got, a decision in the person's offices."""
        return self.filter(review_office_id__in=access.offices(Role.DECIDER)).exclude(
            status__in=[CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED, CaseStatus.NOT_ACCEPTED]
        )

    def for_back_office(self, access: Access) -> CaseQuerySet:
        """What a reviewer or a decider may open; those who only complete see decided cases of their office."""
        reviewer = Q(reviewer=access.user, review_office_id__in=access.offices(Role.REVIEWER))
        decider = Q(review_office_id__in=access.offices(Role.DECIDER)) & ~Q(
            status__in=[CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED, CaseStatus.NOT_ACCEPTED]
        )
        issuing = Q(
            review_office_id__in=access.offices(Role.REVIEWER), status__in=[CaseStatus.APPROVED, CaseStatus.COMPLETED]
        )
        return self.filter(reviewer | decider | issuing)

    def for_overseer(self, access: Access) -> CaseQuerySet:
        """Cases of the divisions that the person oversees, for those who chase what is late."""
        return self.filter(division__in=covered(access, Role.OVERSEER))

    def for_trace(self, access: Access) -> CaseQuerySet:
        """Cases whose traces a discipline officer may read."""
        return self.filter(division_id__in=access.divisions(Role.DISCIPLINE))
