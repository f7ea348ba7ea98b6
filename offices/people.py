"""Who holds a role, for many offices, departments or divisions at once: one statement each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from offices.models import Division, Posting, PostingQuerySet, User

Table = dict[int, list[User]]


def _reachable(on: dt.date, role: str) -> PostingQuerySet:
    return (
        Posting.objects.active(on)
        .role(role)
        .filter(user__is_active=True)
        .exclude(user__phone_hash="")
        .select_related("user")
        .order_by("user_id")
    )


def _table(pairs: Collection[tuple[int | None, User]]) -> Table:
    found: Table = defaultdict(list)
    for key, person in pairs:
        if key is not None and person not in found[key]:
            found[key].append(person)
    return found


def by_office(role: str, office_ids: Collection[int], on: dt.date) -> Table:
    """Office id → active people with ``role`` and a phone."""
    if not office_ids:
        return defaultdict(list)
    return _table([(p.office_id, p.user) for p in _reachable(on, role).filter(office_id__in=office_ids)])


def by_department(role: str, department_ids: Collection[int], on: dt.date) -> Table:
    """Department id → active people with ``role`` and a phone."""
    if not department_ids:
        return defaultdict(list)
    return _table([(p.department_id, p.user) for p in _reachable(on, role).filter(department_id__in=department_ids)])


def overseers(division_ids: Collection[int], on: dt.date) -> Table:
    """Division id → its overseers, or those of the division above it where it has none; two statements."""
    rows = _reachable(on, Posting.Role.OVERSEER).select_related("user", "department")
    own = _table([(p.department.division_id, p.user) for p in rows])
    parents = dict(Division.objects.values_list("pk", "parent_id"))
    found: Table = defaultdict(list)
    for division in division_ids:
        place: int | None = division
        while place is not None and not own.get(place):
            place = parents.get(place)
        if place is not None:
            found[division] = own[place]
    return found
