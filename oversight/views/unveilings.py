"""Who saw an applicant before the decision, and why: every look, for the overseers' review (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import Unveiling
from deadlines.clock import local_date
from offices.access import covered
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
_DAY = dt.timedelta(days=1)
ORDER = ("-at", "-id")
HEAD = ("办件编号", "业务办理项", "部门", "状态", "查看时间", "查看人员", "理由")


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Unveiling], queries.Period]:
    spans = queries.periods(local_date(request.now))
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:unveilings"),
        filters=[
            Filter("period", "期间", [(span.key, span.label) for span in spans[1:]], spans[0].label),
            Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门"),
        ],
        q_label="编号、事项、人员或理由",
        placeholder="办件编号、事项名称、姓名、理由中的字词",
    )
    period = next((span for span in spans if span.key == listing["period"]), spans[0])
    rows = Unveiling.objects.filter(case__division__in=covered(request.access, Role.OVERSEER))
    rows = rows.filter(at__lt=queries.opening_of_day(period.last + _DAY))
    if period.first is not None:
        rows = rows.filter(at__gte=queries.opening_of_day(period.first))
    if listing["department"]:
        rows = rows.filter(case__department_id=listing["department"])
    if text := listing["q"]:
        rows = rows.filter(
            Q(case__number__contains=text.upper())
            | Q(case__business_item__name__contains=text)
            | Q(user__full_name__contains=text)
            | Q(reason__contains=text)
        )
    return listing, rows.select_related("case__business_item", "case__department", "user"), period


@overseers
@require_safe
def unveilings(request: PortalRequest) -> HttpResponse:
    """The list, newest first."""
    listing, rows, period = _listing(request)
    page = listing.page(rows, ORDER)
    context = {
        "lead": f"{period.label}决定作出前查看申请人的记录。请逐条核对理由是否成立。",
        "rows": page.rows,
        "bar": listing.bar(),
        "pager": listing.pager(page, "条"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:unveilings_export")),
    }
    return render(request, "oversight/unveilings.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows, period = _listing(request)

    def lines(found: list[Unveiling]) -> list[Sequence[Any]]:
        return [
            (
                row.case.number, row.case.business_item.name, row.case.department.name, row.case.get_status_display(),
                f"{timezone.localtime(row.at):%Y-%m-%d %H:%M}", row.user.full_name, row.reason,
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"决定前查看-{period.label}", HEAD, everything(rows, ORDER, lines))
