"""What every page knows: the portal, the training clock, the person and the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from approvals import blind, owed
from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.views import revocations, site
from approvals.views.extensions import waits_for
from credit.late import waiting as repairs_late
from credit.views_pushes import waits_for as pushes_waiting
from lianyungang_gov.desk import places_for
from offices.access import Access, covered
from offices.models import Posting
from offices.tally import tally, up_to
from oversight import mine, queries
from supervision import views_corrections
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask, UnlinkedCase

Role = Posting.Role


def shown(found: int) -> str:
    """Return a number of ``tally`` as the rail shows it: nothing for none."""
    return up_to(found) if found else ""


def _arrived(access: Access) -> QuerySet[Any]:
    """Tasks that nobody of the office has acknowledged."""
    new = [TaskStatus.NOTIFIED, TaskStatus.VIEWED]
    return SupervisionTask.objects.for_office_people(access).filter(status__in=new)


def _unassigned(access: Access) -> QuerySet[Any]:
    """What waits at 待分派办件: for an office, for somebody who countersigns, for a reviewer; one statement."""
    pool = UnlinkedCase.objects.filter(settled_at__isnull=True, case__division__in=covered(access, Role.OVERSEER))
    queues = (pool, queries.unanswerable(access), queries.undrawn(access))
    found = [rows.order_by().values_list("pk", Value(place)) for place, rows in enumerate(queues)]
    return found[0].union(*found[1:], all=True)


def _in_the_office(access: Access) -> QuerySet[Any]:
    """What waits at 审批办件 for an opinion, a decision, a licence or a countersignature of this person."""
    queues = (blind.to_review, blind.to_decide, blind.to_issue, blind.to_countersign)
    found = [queue(access).order_by().values_list("pk", flat=True) for queue in queues]
    return found[0].union(*found[1:], all=True)


# Place of the rail → the rows that wait there for a person.
QUEUES: dict[str, Callable[[Access], QuerySet[Any]]] = {
    "/window/": lambda access: Case.objects.for_window(access).filter(status=CaseStatus.SUBMITTED),
    "/office/": _in_the_office,
    "/office/site/": lambda access: site.waiting(site.mine(access), access),
    "/tasks/": _arrived,
    "/tasks/set-asides/": views_corrections.waits_for,
    "/office/extensions/": waits_for,
    "/office/owed/": owed.waits_for,
    "/office/revocations/": revocations.waits_for,
    "/office/hearings/": revocations.hearings_for,
    "/oversight/unlinked/": _unassigned,
    "/oversight/disputes/": queries.waiting_disputes,
    "/credit/pushes/": pushes_waiting,
    "/credit/late/": repairs_late,
    "/alarms/": mine.pressing,  # late, or due today
}


def _queues(access: Access, urls: tuple[str, ...]) -> dict[str, QuerySet[Any]]:
    return {url: QUEUES[url](access) for url in urls}


def _desk(request: HttpRequest, access: Access) -> dict[str, Any] | None:
    places = places_for(access)
    if not places:
        return None
    here = max((p.url for p in places if request.path.startswith(p.url)), key=len, default="")
    rows: list[dict[str, Any]] = []
    groups: dict[str, list[dict[str, Any]]] = {}
    counts = tally(access, _queues, tuple(dict.fromkeys(place.url for place in places if place.url in QUEUES)))
    for place in places:
        found = counts.get(place.url, 0)
        row = {
            "label": place.label,
            "url": place.url,
            "icon": place.icon,
            "count": shown(found),
            "active": place.url == here,
        }
        if place.rare and not found and not row["active"]:
            continue
        rows.append(row)
        groups.setdefault(place.group, []).append(row | {"found": found})
    return {"name": "工作台", "places": rows, "groups": [_group(label, of) for label, of in groups.items()]}


def _group(label: str, places: list[dict[str, Any]]) -> dict[str, Any]:
    """Places of the rail that fold away together; open on a page of one of them, its count that of all."""
    return {
        "label": label,
        "places": places,
        "folds": bool(label) and len(places) > 1,
        "open": any(place["active"] for place in places),
        "count": shown(sum(place["found"] for place in places)),
    }


def _person(access: Access) -> dict[str, str] | None:
    if not access.postings:
        return None
    first = access.postings[0]
    roles = dict.fromkeys(posting.get_role_display() for posting in access.postings)
    return {
        "name": access.user.full_name,
        "office": str(first.office) if first.office else first.department.name,
        "role": "、".join(roles),
    }


def portal(request: HttpRequest) -> dict[str, Any]:
    """The portal's name and mode, the training clock, and lazily the person's desk."""
    context: dict[str, Any] = {
        "portal_name": settings.PORTAL_NAME,
        "portal_mode": settings.PORTAL_MODE,
        "training": {"on": settings.TRAINING_ALLOWED, "now": getattr(request, "now", None)},
    }
    access = getattr(request, "access", None)
    if access is not None:
        context["desk"] = SimpleLazyObject(lambda: _desk(request, access))
        context["person"] = SimpleLazyObject(lambda: _person(access))
    return context
