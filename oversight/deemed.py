"""Cases that the law accepted because nobody answered in time (行政许可法 art. 32(4)), as overseers look at them."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from approvals.models import Case
from approvals.querysets import CaseQuerySet
from offices.access import Access
from offices.models import Department
from oversight.queries import Period, opening_of_day, periods

ORDER = ("-deemed_at", "-id")


def this_month(today: dt.date) -> Period:
    """The current month."""
    return periods(today)[0]


def rows(access: Access, period: Period) -> CaseQuerySet:
    """Deemed acceptances of the person's divisions recorded in the period (partial index ``case_deemed``)."""
    return _recorded(Case.objects.for_overseer(access), period)


def _recorded(cases: CaseQuerySet, period: Period) -> CaseQuerySet:
    found = cases.filter(deemed_at__isnull=False, deemed_at__lt=opening_of_day(period.last + dt.timedelta(days=1)))
    return found if period.first is None else found.filter(deemed_at__gte=opening_of_day(period.first))


def by_department(departments: QuerySet[Department], period: Period) -> QuerySet[Department]:
    """Annotate ``deemed``: how many of each department's cases, so that a page of theirs needs no statement for it."""
    own = _recorded(Case.objects.filter(division=OuterRef("division"), department=OuterRef("pk")), period)
    number = own.order_by().values("department").annotate(found=Count("pk")).values("found")
    return departments.annotate(deemed=Coalesce(Subquery(number), Value(0)))


def counted(access: Access, period: Period) -> int:
    """How many."""
    return rows(access, period).count()


def with_line(cases: CaseQuerySet) -> CaseQuerySet:
    """Read what a line shows, and nothing of the applicant."""
    return cases.select_related("business_item", "department", "intake_by", "notice_deadline").only(
        "number", "status", "accepted_at", "deemed_at", "business_item__name", "department__name",
        "intake_by__full_name", "notice_deadline__due_on",
    )  # fmt: skip
