"""必须见面事项清单: the items for which somebody has to come in person, each with its reason (O4)."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from approvals.listing import Listing, Select
from catalogue.models import BusinessItem
from offices.export import csv_response
from offices.keyset import Keyset
from offices.web import PortalRequest

ORDER = ("item__division__code", "item__department_id", "code")
HEAD = ("编码", "业务办理项", "区划", "部门", "必须见面的理由")


def _selects() -> list[Select]:
    """Divisions and departments that have such items; one statement."""
    rows = (
        BusinessItem.objects.published()
        .filter(must_meet=True)
        .order_by(*ORDER[:2])
        .values_list("item__division__code", "item__division__name", "item__department_id", "item__department__name")
        .distinct()
    )
    divisions: dict[str, str] = {}
    departments: dict[str, str] = {}
    for code, division, key, department in rows:
        divisions[code] = division
        departments[str(key)] = department
    return [
        Select("division", "区划", list(divisions.items()), "全市"),
        Select("department", "部门", list(departments.items())),
    ]


def _cells(row: BusinessItem) -> list[str]:
    department = row.item.department
    return [row.code, row.name, department.division.name, department.name, row.must_meet_reason]


@require_GET
def must_meet(request: PortalRequest) -> HttpResponseBase:
    """The list: search, choices, keyset, CSV; an empty one says so plainly."""
    listing = Listing(request, _selects(), q_label="事项名称、首字母或编码", placeholder="例如 预售 或 spfysxk")
    items = BusinessItem.objects.published().with_offices().filter(must_meet=True)
    order: tuple[str, ...] = ORDER
    if listing.get("division"):
        items = items.filter(item__division__code=listing.get("division"))
    if listing.get("department"):
        items = items.filter(item__department_id=int(listing.get("department")))
    if listing.q:
        items, order = items.search(listing.q), ("rank", "name", "code")
    if listing.wants_csv:
        return csv_response("必须见面事项清单", HEAD, map(_cells, items.order_by(*order).iterator(chunk_size=500)))
    page = Keyset(items, order).page(listing.cursor)
    context = {
        "nav": "guide",
        "page": page,
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "pager": listing.pager(page, f"本页 {len(page)} 项"),
        "csv_url": listing.url(format="csv"),
        "published": BusinessItem.objects.published().count(),
    }
    return render(request, "public/must_meet.html", context)
