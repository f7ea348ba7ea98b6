"""What every page knows: the portal, the training clock, the person and the desk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from approvals import blind, owed
from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.views.extensions import waits_for
from lianyungang_gov.desk import places_for
from offices.access import Access, covered
from offices.models import Posting
from oversight import mine
from supervision.enums import TaskStatus
from supervision.models import SupervisionTask, UnlinkedCase

Role = Posting.Role
# Nobody needs to know more than “99+”, and a bounded count costs the same however long the list.
MOST = 99
ALARMS = "/alarms/"


def capped(rows: QuerySet[Any]) -> str:
    """Return how many rows there are, up to 99+; empty when there are none."""
    return shown(len(rows.order_by().values_list("pk", flat=True)[: MOST + 1]))


def shown(found: int) -> str:
    """Return a number that was counted up to ``MOST`` + 1 as the rail shows it."""
    return "" if not found else f"{MOST}+" if found > MOST else str(found)


def _waiting(url: str, access: Access) -> QuerySet[Model] | None:
    """The rows that wait for this person at a place of the rail."""
    queues: dict[str, Any] = {
        "/window/": lambda: Case.objects.for_window(access).filter(status=CaseStatus.SUBMITTED),
        "/office/": lambda: blind.to_review(access) | blind.to_decide(access) | blind.to_issue(access),
        "/tasks/": lambda: SupervisionTask.objects.for_office_people(access).filter(
            status__in=[TaskStatus.NOTIFIED, TaskStatus.VIEWED]
        ),
        "/office/extensions/": lambda: waits_for(access),
        "/office/owed/": lambda: owed.waits_for(access),
        "/oversight/unlinked/": lambda: UnlinkedCase.objects.filter(
            settled_at__isnull=True, case__division__in=covered(access, Role.OVERSEER)
        ),
    }
    return queues[url]() if url in queues else None


def _count(url: str, access: Access) -> str:
    """What stands beside a place of the rail: how many rows wait; at 小闹钟, how many are late or due today."""
    if url == ALARMS:
        return shown(mine.pressing(access, MOST + 1))
    waiting = _waiting(url, access)
    return "" if waiting is None else capped(waiting)


def _desk(request: HttpRequest, access: Access) -> dict[str, Any] | None:
    places = places_for(access)
    if not places:
        return None
    here = max((p.url for p in places if request.path.startswith(p.url)), key=len, default="")
    rows = [
        {
            "label": place.label,
            "url": place.url,
            "icon": place.icon,
            "count": _count(place.url, access),
            "active": place.url == here,
        }
        for place in places
    ]
    return {"name": "工作台", "places": rows}


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
