"""The two gradings as they were received (公共信用评价, 信用风险分类): who may read whose; nobody writes one here (L7).

A person's grading is read only where the reader's department found something about that person.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from credit.identifiers import normalise
from credit.lists import own
from credit.models import CreditFact, CreditRecord, CreditSubject, SubjectGrade, SubjectRisk
from offices.access import Access

TABS = (("", "公共信用评价"), ("risk", "信用风险分类"))
ORDER = ("-id",)
MOST_COUNTED = 99


@dataclass(frozen=True, slots=True)
class Received:
    """A subject with the newest of each grading; None: nothing was received, which is no good grade."""

    subject: CreditSubject
    grade: SubjectGrade | None
    risk: SubjectRisk | None


def visible(access: Access) -> QuerySet[CreditSubject]:
    """Subjects whose gradings one may read: organisations, and people of whom the own department found something.

    What was found is looked up person by person: for ``EXISTS`` PostgreSQL may read all of the department first.
    """
    mine = own(access)
    recorded = CreditRecord.objects.filter(subject=OuterRef("pk"), department__in=mine).values("pk")[:1]
    found = CreditFact.objects.filter(subject=OuterRef("pk"), department__in=mine).values("pk")[:1]
    readable = Q(kind=CreditSubject.Kind.ORGANISATION) | Q(recorded__isnull=False) | Q(found__isnull=False)
    return CreditSubject.objects.alias(recorded=Subquery(recorded), found=Subquery(found)).filter(readable)


def graded(access: Access, tab: str) -> QuerySet[CreditSubject]:
    """Of those the ones of whom the grading of that part was received."""
    rows = SubjectRisk.objects if tab == "risk" else SubjectGrade.objects
    return visible(access).filter(Exists(rows.filter(subject=OuterRef("pk"))))


def received_of(access: Access) -> QuerySet[CreditSubject]:
    """Of those the ones of whom either grading was ever received; of all others there is nothing to read."""
    its = {"subject": OuterRef("pk")}
    return visible(access).filter(
        Exists(SubjectGrade.objects.filter(**its)) | Exists(SubjectRisk.objects.filter(**its))
    )


def number(access: Access, tab: str) -> int | str:
    """How many there are in a part, counted up to 99; one statement."""
    found = graded(access, tab)[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if found > MOST_COUNTED else found


def searched(rows: QuerySet[CreditSubject], text: str) -> QuerySet[CreditSubject]:
    """By how the name or the code begins; each has an index for it."""
    if not text:
        return rows
    code = normalise(text)
    return rows.filter(Q(name__startswith=text) | Q(code__startswith=code) if code else Q(name__startswith=text))


def with_newest(subjects: Collection[CreditSubject]) -> list[Received]:
    """Each with the newest of both gradings; two statements."""
    pks = [one.pk for one in subjects]
    # The oldest first, so that the newest stays.
    grades = {one.subject_id: one for one in SubjectGrade.objects.filter(subject__in=pks).order_by("given_at", "pk")}
    risks = {one.subject_id: one for one in SubjectRisk.objects.filter(subject__in=pks).order_by("given_at", "pk")}
    return [Received(one, grades.get(one.pk), risks.get(one.pk)) for one in subjects]
