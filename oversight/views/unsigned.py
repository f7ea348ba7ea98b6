"""Cases that stand still because nobody of an office can countersign them (O3.2.1c): nothing waits unseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import Countersignature
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.views import unlinked

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("asked_at", "id")
HEAD = ("办件编号", "业务办理项", "部门", "会签处室", "送签时间")


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Countersignature]]:
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:unsigned"),
        filters=[Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门")],
        q_label="办件编号、事项或会签处室",
        placeholder="编号、事项或处室名称",
    )
    rows = queries.unanswerable(request.access)
    if listing["department"]:
        rows = rows.filter(office__department_id=listing["department"])
    if text := listing["q"]:
        rows = rows.filter(
            Q(case__number__contains=text.upper())
            | Q(case__business_item__name__contains=text)
            | Q(office__name__contains=text)
        )
    return listing, rows.select_related("case__business_item", "office__department").only(
        "asked_at", "case__number", "case__business_item__name", "office__name", "office__department__name"
    )


@overseers
@require_safe
def unsigned(request: PortalRequest) -> HttpResponse:
    """The list, the longest waiting first."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    stats = unlinked.stats(
        request,
        Listing(request, reverse("oversight:unlinked"), q_label="", placeholder="", tabs=("settled",)),
        unlinked.counts_of(request),
        on="unsigned",
    )
    context = {
        "lead": "这些办件送去会签的处室现在没有人可以会签，会签答复以前不能作出决定。"
        "请协调区划管理员为该处室配置审查或者决定人员；配置后系统短信通知其会签。"
        if stats[-2]["count"]
        else "送去会签的办件，各处室都有人可以会签。",
        "rows": page.rows,
        "stats": stats,
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:unsigned_export")),
    }
    return render(request, "oversight/unsigned.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows = _listing(request)

    def lines(found: list[Countersignature]) -> list[Sequence[Any]]:
        return [
            (
                row.case.number, row.case.business_item.name, row.office.department.name, row.office.name,
                f"{timezone.localtime(row.asked_at):%Y-%m-%d %H:%M}",
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"无人会签-{local_date(request.now):%Y%m%d}", HEAD, everything(rows, ORDER, lines))
