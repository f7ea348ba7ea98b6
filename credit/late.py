"""Repairs that are due or late, for those who are rung when they are: heads of the department, overseers."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from credit.models import CreditSubject, Repair
from deadlines.enums import State
from offices.access import Access, covered
from offices.models import Department, Posting

Role = Posting.Role
ORDER = ("due_on", "id")


def followed(access: Access) -> QuerySet[Repair]:
    """Requests whose day has come, decided or not, of the departments that the person heads and the divisions overseen.

    Of the subject what a line shows, no number.
    """
    whose = Q(record__department__in=access.departments(Role.DEPARTMENT_HEAD))
    whose |= Q(record__department__division__in=covered(access, Role.OVERSEER))
    rows = Repair.objects.filter(whose, deadline__due_on__lte=access.on)
    return rows.select_related("record__subject", "record__department", "deadline").defer("record__subject__id_number")


def waiting(access: Access) -> QuerySet[Repair]:
    """Of those the ones that are not decided, with ``due_on``, never null (partial index ``repair_waiting``)."""
    rows = followed(access).filter(granted__isnull=True, deadline__state=State.RUNNING)
    return rows.annotate(due_on=F("deadline__due_on"))


def searched(rows: QuerySet[Repair], text: str) -> QuerySet[Repair]:
    """By the finding's number; by name or whole code of what is not a person, whose name the list does not show."""
    if not text:
        return rows
    named = Q(record__subject__name__icontains=text) | Q(record__subject__code__iexact=text)
    return rows.filter(Q(record__source__icontains=text) | named & ~Q(record__subject__kind=CreditSubject.Kind.PERSON))


def departments(access: Access) -> list[tuple[str, str]]:
    """(id, name) of the departments with something on the list; one statement."""
    found = Department.objects.filter(pk__in=waiting(access).order_by().values("record__department"))
    return [(str(one.pk), one.name) for one in found.order_by("division__code", "name", "pk")]


def what(repair: Repair) -> str:
    """What was asked for, in words: 信用修复申请（连住建撤〔2026〕1号）."""
    asked = "信用修复申请" if repair.ground == Repair.Ground.MENDED else "更正申请"
    return f"{asked}（{repair.record.source}）"
