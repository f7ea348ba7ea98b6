"""Refusals to accept, each with its ground and its reason, for the overseers' review (O3.1.3e, O3.3.1d)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.enums import RefusalGround
from approvals.models import NotAccepted
from deadlines.clock import local_date
from offices import kept
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.queries import Period

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("-issued_at", "-id")
HEAD = ("办件编号", "业务办理项", "部门", "不予受理时间", "法定理由", "具体说明", "经办人")


def _listing(request: PortalRequest) -> tuple[Listing, Callable[[], QuerySet[NotAccepted]], Period]:
    spans = queries.periods(local_date(request.now))
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:refusals"),
        filters=[
            Filter("period", "期间", [(span.key, span.label) for span in spans[1:]], spans[0].label),
            Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门"),
            Filter("ground", "法定理由", RefusalGround.choices, "全部理由"),
        ],
        q_label="编号、事项或说明",
        placeholder="办件编号、事项名称、说明中的字词",
    )
    period = next((span for span in spans if span.key == listing["period"]), spans[0])

    def found() -> QuerySet[NotAccepted]:
        rows = queries.refusals(request.access, period)
        if listing["department"]:
            rows = rows.filter(case__department_id=listing["department"])
        if listing["ground"]:
            rows = rows.filter(ground=listing["ground"])
        if text := listing["q"]:
            rows = rows.filter(
                Q(case__number__contains=text.upper())
                | Q(case__business_item__name__contains=text)
                | Q(reason__contains=text)
            )
        return rows

    return listing, found, period


@overseers
@require_safe
def refusals(request: PortalRequest) -> HttpResponse:
    """The list, newest first, with the share of what was received in the period."""
    listing, rows, period = _listing(request)
    access = request.access
    key = (refusals, access.key, period)
    page = listing.page(rows, ORDER, key=key)
    total = queries.received(queries.divisions_of(access, Role.OVERSEER), period)
    refused = kept.count(key, lambda: queries.refusals(access, period))
    share = f"，占 {refused / total:.1%}" if total else ""
    context = {
        "lead": f"{period.label}收件 {total} 件，不予受理 {refused} 件{share}。请逐件核对理由是否成立、说明是否具体。",
        "rows": page.rows,
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:refusals_export")),
    }
    return render(request, "oversight/refusals.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows, period = _listing(request)

    def lines(found: list[NotAccepted]) -> list[Sequence[Any]]:
        return [
            (
                row.case.number, row.case.business_item.name, row.case.department.name,
                f"{timezone.localtime(row.issued_at):%Y-%m-%d %H:%M}", row.get_ground_display(), row.reason,
                row.issued_by.full_name,
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"不予受理-{period.label}", HEAD, everything(rows(), ORDER, lines))
