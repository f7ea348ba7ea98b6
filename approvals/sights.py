"""Who of the approval side sees a case and its clocks, and which papers told the applicant of a change of them."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse

from approvals import blind
from approvals.enums import DocumentKind
from approvals.models import Case, Document
from deadlines import sights
from deadlines.enums import EventKind
from deadlines.sights import Paper, Sight
from offices.access import Access
from offices.models import Posting

Role = Posting.Role
WINDOW = (Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
BACK_OFFICE = (Role.REVIEWER, Role.DECIDER)
TOLD = {DocumentKind.SPECIAL: EventKind.PAUSE, DocumentKind.EXTENSION: EventKind.EXTEND}


def at_the_window(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """What the person's window took in; officers are named to nobody there."""
    if not access.has(*WINDOW):
        return {}
    rows = Case.objects.for_window(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("window:case", args=[number])) for pk, number in rows}


def in_the_back_office(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """What the person reviews, decides or issues. A clock tells nothing of whose case it is (O3.1.2c)."""
    if not access.has(*BACK_OFFICE):
        return {}
    rows = Case.objects.for_back_office(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("office:case", args=[number])) for pk, number in rows}


def asked_to_countersign(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """What an office of the person was asked to countersign (O3.2.1c)."""
    if not access.has(*BACK_OFFICE):
        return {}
    rows = Case.objects.for_countersigner(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("office:countersign", args=[number])) for pk, number in rows}


def on_the_site(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """What the person was drawn to look at on the spot."""
    if not access.has(Role.SITE_OFFICER):
        return {}
    rows = Case.objects.for_site_officer(access).filter(pk__in=keys).values_list("pk", "number")
    return {pk: Sight(reverse("office:site_check", args=[number])) for pk, number in rows}


def with_the_head(keys: Collection[int], access: Access) -> dict[int, Sight]:
    """Cases for which a head of the department was asked for more time."""
    if not access.has(Role.DEPARTMENT_HEAD):
        return {}
    rows = blind.extensions(access).filter(case_id__in=keys).order_by("pk").values_list("case_id", "pk")
    return {case: Sight(reverse("office:extension", args=[pk])) for case, pk in rows}


def numbered(number: str) -> int | None:
    """The id of the case with this number."""
    return Case.objects.filter(number=number).values_list("pk", flat=True).first()


def papers_of(keys: Collection[int]) -> dict[int, list[Paper]]:
    """The papers by which the applicants of these cases were told of pauses and extensions."""
    found: dict[int, list[Paper]] = {}
    rows = Document.objects.filter(case_id__in=keys, kind__in=TOLD).order_by("pk")
    for case, pk, kind, number in rows.values_list("case_id", "pk", "kind", "number"):
        told = DocumentKind(kind)
        found.setdefault(case, []).append(Paper(pk, TOLD[told], f"{told.label} {number}"))
    return found


def register() -> None:
    """Enter all of it, once."""
    sights.register("case", at_the_window, finder=numbered, teller=papers_of)
    sights.register("case", in_the_back_office)
    sights.register("case", asked_to_countersign)
    sights.register("case", on_the_site)
    sights.register("case", with_the_head)
