"""Finding an item, and the one paper that tells everything about it (O2a)."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from approvals.models import Case
from approvals.notices import portal_address
from catalogue.enums import Topic
from catalogue.models import BusinessItem
from catalogue.querysets import BusinessItemQuerySet
from catalogue.search import find
from deadlines.clock import local_date
from offices.access import Access
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
FOUND = 20
RECENT = 5
LOOKED_AT = 40


def open_items(access: Access) -> BusinessItemQuerySet:
    """What the person's window takes in: published items of the divisions."""
    divisions = access.divisions(Role.WINDOW_CLERK)
    return BusinessItem.objects.published().filter(item__division_id__in=divisions).with_offices()


def _recent(access: Access) -> list[BusinessItem]:
    """The items that the window took in last, newest first; two statements."""
    cases = Case.objects.for_window(access).order_by("-touched_at", "-id")
    keys = list(dict.fromkeys(cases.values_list("business_item_id", flat=True)[:LOOKED_AT]))[:RECENT]
    known = open_items(access).in_bulk(keys)
    return [known[key] for key in keys if key in known]


@roles_required(Role.WINDOW_CLERK)
@require_safe
def items(request: PortalRequest) -> HttpResponseBase:
    """Find an item by name, alias, initials or code; ``?go=1`` opens a single answer at once."""
    text = request.GET.get("q", "").strip()
    divisions = request.access.divisions(Role.WINDOW_CLERK)
    found = list(find(text).filter(item__division_id__in=divisions)[: FOUND + 1]) if text else []
    if request.GET.get("go") and len(found) == 1:
        return redirect("window:intake", found[0].code)
    more = "以上，请再多输几个字" if len(found) > FOUND else ""
    groups = [{"title": f"找到 {len(found[:FOUND])} 项{more}", "items": found[:FOUND]}]
    if not text:
        every = list(open_items(request.access).order_by("item__department_id", "code")[:100])
        recent = _recent(request.access)
        groups = [{"title": "最近收过的", "items": recent}, {"title": "全部可收件事项", "items": every}]
    groups = [group for group in groups if group["items"]]
    return render(request, "window/items.html", {"q": text, "groups": groups, "today": local_date(request.now)})


@roles_required(Role.WINDOW_CLERK)
@require_safe
def notice(request: PortalRequest, code: str) -> HttpResponseBase:
    """一次性告知单: all materials and all standards of the item on one paper, before anybody applies (O2a)."""
    item = get_object_or_404(open_items(request.access), code=code)
    facts: dict[str, list[object]] = {}
    for fact in item.effective_facts():
        facts.setdefault(fact.topic, []).append(fact)
    topics = [topic for topic in (Topic.BASIS, Topic.CONDITION, Topic.QUANTITY, Topic.PROCEDURE) if topic in facts]
    numbers = iter("二三四五六七")
    address = f"{portal_address()}/guide/{item.code}/"
    context = {
        "item": item,
        "materials": list(item.effective_materials()),
        "sections": [{"number": next(numbers), "title": topic.label, "facts": facts[topic]} for topic in topics],
        "numbers": list(numbers),
        "paper": {
            "title": "一次性告知单",
            "number": f"事项编码：{item.code}　第 {item.version} 版",
            "authority": item.item.department.name,
            "date": local_date(request.now),
        },
        "guide_url": address,
        "back_url": "../",
    }
    return render(request, "papers/notice.html", context)
