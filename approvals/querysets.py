"""Adjectives for cases. Each audience has one; what is not in it does not exist for that person (404)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from approvals.enums import OPEN, CaseStatus
from offices.access import Access, covered
from offices.models import Posting

if TYPE_CHECKING:
    from approvals.models.cases import Case

Role = Posting.Role


def _rows(model: str) -> models.QuerySet[Any]:
    """The rows of a model that hangs on the case, which is defined with this queryset."""
    found: models.QuerySet[Any] = apps.get_model("approvals", model)._default_manager.all()
    return found


def _seated(access: Access) -> Q:
    """On the first seat, or on a further one; never as somebody who saw the applicant."""
    further = _rows("Sheet").filter(reviewer=access.user).values("case_id")
    return (Q(reviewer=access.user) | Q(pk__in=further)) & Q(review_office_id__in=access.offices(Role.REVIEWER))


EVERY = 2**31 - 1  # more than there can be


def first(keys: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Keys that are few, for ``pk__in``: PostgreSQL finds them before it looks at anything else.

    The bound leaves nothing out; it keeps PostgreSQL from mixing what gives the keys with the rest of the statement.
    """
    return keys[:EVERY]


def _not_aside(access: Access) -> Q:
    """For this decider: neither handed back with a reason, nor of a subject with a conflict declared before.

    A conflict that is declared after the receipt changes nothing, or declaring one would answer whose case it is. Two
    conditions side by side, each the absence of a row: PostgreSQL knows then how few cases they take away.
    """
    recused = _rows("Recusal").filter(user=access.user, case=OuterRef("pk"))
    conflicts = _rows("Conflict").filter(
        user=access.user,
        ended_at__isnull=True,
        subject=OuterRef("applicant"),
        declared_at__lt=OuterRef("received_at"),
    )
    return ~Exists(recused) & ~Exists(conflicts)


def _decides(access: Access) -> Q:
    """Of an office in which the person decides, which it reached: what ended before its acceptance never did."""
    return Q(review_office_id__in=access.offices(Role.DECIDER), accepted_at__isnull=False)


class CaseQuerySet(models.QuerySet["Case"]):
    """Adjectives for cases."""

    def lock(self, pk: int, *besides: str) -> Case:
        """Return the case, its row locked until the transaction ends, with what most actions read, and ``besides``.

        Few joins on purpose: PostgreSQL plans a dozen of them longer (15 ms) than it runs them. Name in ``besides``
        only rows that nobody changes under this lock: a joined row is as the statement found it before it waited, the
        locked one as the wait left it. Clocks are read after the lock, by their own statement.
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
        """What was drawn to this reviewer, on whichever seat, in an office where the person still reviews."""
        return self.filter(_seated(access))

    def for_countersigner(self, access: Access) -> CaseQuerySet:
        """What an office in which the person reviews or decides was asked to countersign (O3.2.1c)."""
        offices = access.offices(Role.REVIEWER, Role.DECIDER)
        return self.filter(pk__in=_rows("Countersignature").filter(office_id__in=offices).values("case_id"))

    def for_site_officer(self, access: Access) -> CaseQuerySet:
        """What the person was drawn to look at on the spot, while serving for it there (行政许可法 art. 34)."""
        checks = _rows("SiteCheck").filter(Q(first=access.user) | Q(second=access.user))
        return self.filter(pk__in=checks.values("case_id"), review_office_id__in=access.offices(Role.SITE_OFFICER))

    def readable(self, access: Access) -> CaseQuerySet:
        """Whose materials the back office may open: its own cases, and those that it countersigns."""
        own, asked = self.for_back_office(access), self.for_countersigner(access)
        return self.filter(Q(pk__in=own.values("pk")) | Q(pk__in=asked.values("pk")))

    def for_decider(self, access: Access) -> CaseQuerySet:
        """What waits for, or got, a decision in the person's offices; nothing before its acceptance."""
        return self.filter(_decides(access), _not_aside(access))

    def for_back_office(self, access: Access) -> CaseQuerySet:
        """What a reviewer or a decider may open; those who only complete see decided cases of their office."""
        reviewer = _seated(access)
        decider = _decides(access) & _not_aside(access)
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
