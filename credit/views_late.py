"""信用修复督办: requests for repair whose day has come, and with whom they wait; to be read by who is rung of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from credit import late
from credit.models import Repair
from credit.views_breaches import shown
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required

people = roles_required(Posting.Role.DEPARTMENT_HEAD, Posting.Role.OVERSEER)
HEAD = ("主体", "申请", "办理单位", "申请日期", "到期日", "时限")


def _asked(request: PortalRequest) -> tuple[Listing, QuerySet[Repair]]:
    """The list as it was asked for, and its rows."""
    filters = [
        Filter("department", "办理单位", late.departments(request.access)),
        Filter("ground", "申请", Repair.Ground.choices),
    ]
    listing = Listing(
        request, reverse("credit:late"), filters, q_label="认定文书、主体名称或代码", placeholder="文书号、名称或代码"
    )
    rows = late.searched(late.waiting(request.access), listing["q"])
    if listing["department"]:
        rows = rows.filter(record__department=int(listing["department"]))
    if listing["ground"]:
        rows = rows.filter(ground=listing["ground"])
    return listing, rows


@people
@require_safe
def late_list(request: PortalRequest) -> HttpResponse:
    """What is due today or late, the longest waiting first."""
    listing, found = _asked(request)
    page = listing.page(found, late.ORDER)
    context = {
        "rows": [
            {"repair": one, "what": late.what(one), "url": reverse("clock", args=[one.deadline_id])} for one in page
        ],
        "pager": listing.pager(page, "件"),
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("credit:late_export")),
    }
    return shown(request, "credit/late.html", context)


@people
@require_safe
def late_export(request: PortalRequest) -> HttpResponseBase:
    """The list as it was asked for, as CSV; persons are masked."""
    today = local_date(request.now)
    _, rows = _asked(request)

    def line(one: Repair) -> Sequence[Any]:
        record, clock = one.record, one.deadline
        assert clock is not None  # noqa: S101 - the list is of what has one
        return (
            record.subject.public_name, late.what(one), str(record.department), local_date(one.asked_at), clock.due_on,
            clock.light_text(today),
        )  # fmt: skip

    def lines(found: list[Repair]) -> Iterable[Sequence[Any]]:
        return map(line, found)

    return csv_response(f"信用修复督办-{today:%Y%m%d}", HEAD, everything(rows, late.ORDER, lines))
