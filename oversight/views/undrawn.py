"""Accepted cases that nobody could be drawn for (O3.1.2c): all away, or in conflict. Nothing waits unseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import Case
from approvals.querysets import CaseQuerySet
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.views import unlinked

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("accepted_at", "id")
HEAD = ("办件编号", "业务办理项", "部门", "处室", "受理时间", "待抽取")


def _who(case: Case) -> str:
    return "值班决定人员" if case.on_the_spot else "审查人员"


def _listing(request: PortalRequest) -> tuple[Listing, CaseQuerySet]:
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:undrawn"),
        filters=[Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门")],
        q_label="办件编号、事项或处室",
        placeholder="编号、事项或处室名称",
    )
    rows = queries.undrawn(request.access)
    if listing["department"]:
        rows = rows.filter(department_id=listing["department"])
    if text := listing["q"]:
        rows = rows.filter(
            Q(number__contains=text.upper())
            | Q(business_item__name__contains=text)
            | Q(review_office__name__contains=text)
        )
    return listing, rows.select_related("business_item", "department", "review_office").only(
        "accepted_at", "on_the_spot", "number", "business_item__name", "department__name", "review_office__name"
    )


@overseers
@require_safe
def undrawn(request: PortalRequest) -> HttpResponse:
    """The list, the longest waiting first."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    stats = unlinked.stats(
        request,
        Listing(request, reverse("oversight:unlinked"), q_label="", placeholder="", tabs=("settled",)),
        unlinked.counts_of(request),
        on="undrawn",
    )
    context = {
        "lead": "这些办件已经受理，期限照常计算，但处室里没有可抽取的人员。请协调区划管理员配置人员，再打开办件改派。"
        if stats[-1]["count"]
        else "受理的办件都有人审查。",
        "rows": [{"case": case, "who": _who(case)} for case in page.rows],
        "stats": stats,
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:undrawn_export")),
    }
    return render(request, "oversight/undrawn.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows = _listing(request)

    def lines(found: list[Case]) -> list[Sequence[Any]]:
        return [
            (
                row.number, row.business_item.name, row.department.name, row.review_office.name,
                f"{timezone.localtime(row.accepted_at):%Y-%m-%d %H:%M}" if row.accepted_at else "", _who(row),
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"无人审查-{local_date(request.now):%Y%m%d}", HEAD, everything(rows, ORDER, lines))
