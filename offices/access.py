"""What a person may see: the postings of a day, asked once a request, and the sets that querysets filter by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from offices import kept
from offices.models import Division, Posting, User


@dataclass(frozen=True, slots=True)
class Access:
    """The postings of ``user`` in force on ``on``; a person with two postings has both."""

    user: User
    on: dt.date
    postings: tuple[Posting, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """The person, the day and each posting: two with the same key may see the same."""
        held = (
            (one.pk, one.role, one.office_id, one.department_id, one.department.division_id) for one in self.postings
        )
        return (self.user.pk, self.on, *held)

    def has(self, *roles: str) -> bool:
        """Whether one of ``roles`` is held."""
        return any(posting.role in roles for posting in self.postings)

    def divisions(self, *roles: str) -> set[int]:
        """Ids of the divisions in which one of ``roles`` is held."""
        return {posting.department.division_id for posting in self.postings if posting.role in roles}

    def departments(self, *roles: str) -> set[int]:
        """Ids of the departments in which one of ``roles`` is held."""
        return {posting.department_id for posting in self.postings if posting.role in roles}

    def offices(self, *roles: str) -> set[int]:
        """Ids of the offices in which one of ``roles`` is held."""
        return {posting.office_id for posting in self.postings if posting.role in roles and posting.office_id}


def access_for(user: User, on: dt.date) -> Access:
    """Return what ``user`` may see on that day; one statement."""
    return Access(user, on, tuple(kept.ask(_held, _held, user.pk, on)) if user.is_active else ())


def _held(user: int, on: dt.date) -> QuerySet[Posting]:
    rows = Posting.objects.active(on).filter(user=user)
    return rows.select_related("department__division", "office__department").order_by("pk")


def covered(access: Access, role: str) -> QuerySet[Division]:
    """Divisions in which ``role`` is held, and those right below them in which nobody holds it; no statement yet.

    The mirror of ``Division.overseers``: whoever is alarmed for a division also sees it.
    """
    held = access.divisions(role)
    own = Posting.objects.active(access.on).role(role).filter(department__division=OuterRef("pk"), user__is_active=True)
    return Division.objects.filter(Q(pk__in=held) | (Q(parent_id__in=held) & ~Exists(own)))
