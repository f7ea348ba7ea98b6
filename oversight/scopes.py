"""Who may open a subject's page and which rows of it (docs/mechanisms/subjects.md): part of every query of the page.

A case that is not decided betrays whose it is (O3.1.2c): only overseers and discipline officers have it, as a row and
as a reason to find the subject, and none of them who also reviews or decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from approvals.enums import DECIDED
from approvals.models import Case, Licence
from credit.actions.measures import in_force
from credit.models import CreditFact, CreditRecord, CreditSubject
from credit.using import in_use
from offices.access import Access, covered
from offices.models import Division, Posting
from supervision.models import SupervisionTask

Role = Posting.Role
DEPARTMENT_ROLES = (Role.CREDIT_OFFICER, Role.DEPARTMENT_HEAD, Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
WATCHING_ROLES = (Role.OVERSEER, Role.DISCIPLINE)
ROLES = (*DEPARTMENT_ROLES, *WATCHING_ROLES)
# They decide on a person and may see the person's grade.
DECIDING_ROLES = (Role.CREDIT_OFFICER, Role.DEPARTMENT_HEAD)
BLIND_ROLES = (Role.REVIEWER, Role.DECIDER, Role.SITE_OFFICER)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the postings of ``access`` open."""

    access: Access

    @property
    def key(self) -> tuple[object, ...]:
        """What the conditions below depend on: two with the same key see the same rows."""
        held = {(one.role, one.department_id, one.department.division_id) for one in self.access.postings}
        return (self.access.on, *sorted(held))

    @property
    def whole(self) -> bool:
        """Whether every subject and every row: an overseer or a discipline officer of the city."""
        return any(
            one.role in WATCHING_ROLES and one.department.division.level == Division.Level.CITY
            for one in self.access.postings
        )

    @property
    def watches(self) -> bool:
        """Whether the person's look is itself on the record."""
        return self.access.has(*WATCHING_ROLES)

    def _departments(self, path: str, roles: Iterable[str]) -> Q:
        return Q(**{f"{path}__in": sorted(self.access.departments(*roles))})

    def _watched(self, path: str) -> Q:
        """Rows of the divisions that the person oversees or traces."""
        return Q(**{f"{path}__division__in": covered(self.access, Role.OVERSEER)}) | Q(
            **{f"{path}__division__in": sorted(self.access.divisions(Role.DISCIPLINE))}
        )

    def own(self, path: str = "department") -> Q:
        """Rows of the person's own departments, ``path`` being the way to the department; of all for the city's."""
        if self.whole:
            return Q()
        found = self._departments(path, DEPARTMENT_ROLES)
        return found | self._watched(path) if self.watches else found

    def cases(self, prefix: str = "") -> Q:
        """Cases of ``own``, decided ones; the others only for overseers and discipline officers."""
        decided = Q(**{f"{prefix}status__in": DECIDED})
        if not self.watches or self.access.has(*BLIND_ROLES):
            return self.own(f"{prefix}department") & decided
        if self.whole:
            return Q()
        return (
            self._watched(f"{prefix}department") | self._departments(f"{prefix}department", DEPARTMENT_ROLES) & decided
        )

    def records(self, today: dt.date) -> Q:
        """Records of ``own``, and those in use of everybody."""
        return Q() if self.whole else self.own() | in_use(today)

    def measures(self, today: dt.date) -> Q:
        """Joint measures of ``own``, and those in force of everybody, as records."""
        return Q() if self.whole else self.own() | in_force(today)

    def subjects(self) -> QuerySet[CreditSubject]:
        """Subjects with which the person's departments have business; everybody for the city's watch."""
        if not self.access.has(*ROLES):
            return CreditSubject.objects.none()
        if self.whole:
            return CreditSubject.objects.all()
        this = OuterRef("pk")
        return CreditSubject.objects.filter(
            Exists(SupervisionTask.objects.filter(self.own(), subject=this))
            | Exists(Licence.objects.filter(self.own(), holder=this))
            | Exists(Case.objects.filter(self.cases(), applicant=this))
            | Exists(CreditFact.objects.filter(self.own(), subject=this))
            | Exists(CreditRecord.objects.filter(self.own(), subject=this))
        )

    def with_decides(self) -> QuerySet[CreditSubject]:
        """``subjects`` with ``decides``: whether the person decides on the subject (its grade is a person's secret)."""
        this, own = OuterRef("pk"), self._departments("department", DECIDING_ROLES)
        decided = Case.objects.filter(own, applicant=this, status__in=DECIDED)
        held, found = Licence.objects.filter(own, holder=this), CreditRecord.objects.filter(own, subject=this)
        any_of = Exists(decided) | Exists(held) | Exists(found)
        return self.subjects().annotate(decides=ExpressionWrapper(any_of, output_field=BooleanField()))
