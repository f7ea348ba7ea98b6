"""Who of the supervision side sees a task and its clocks."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse

from deadlines import sights
from deadlines.sights import Sight
from offices.access import Access
from offices.models import Posting
from supervision.models import SupervisionTask

Role = Posting.Role
OFFICE_PEOPLE = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR)


def in_the_office(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Tasks of the person's offices, a head's of the department."""
    if not access.has(*OFFICE_PEOPLE):
        return {}
    rows = SupervisionTask.objects.for_office_people(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("tasks:task", args=[number])) for pk, number in rows}


def numbered(number: str) -> int | None:
    """The id of the task with this number."""
    return SupervisionTask.objects.filter(number=number).values_list("pk", flat=True).first()


def register() -> None:
    """Enter all of it, once."""
    sights.register("task", in_the_office, finder=numbered)
