"""信用修复督办: requests for repair whose day has come, and with whom they wait; to be read by who is rung of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from credit import late
from credit.models import Repair
from credit.views_breaches import shown
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required

people = roles_required(Posting.Role.DEPARTMENT_HEAD, Posting.Role.OVERSEER)
HEAD = ("主体", "申请", "办理单位", "申请日期", "到期日", "时限")


@people
@require_safe
def late_list(request: PortalRequest) -> HttpResponse:
    """What is due today or late, the longest waiting first."""
    listing = Listing(request, reverse("credit:late"))
    page = listing.page(late.waiting(request.access), late.ORDER)
    context = {
        "rows": [
            {"repair": one, "what": late.what(one), "url": reverse("clock", args=[one.deadline_id])} for one in page
        ],
        "pager": listing.pager(page, "件"),
        "export_url": reverse("credit:late_export"),
    }
    return shown(request, "credit/late.html", context)


@people
@require_safe
def late_export(request: PortalRequest) -> HttpResponseBase:
    """The list as CSV; persons are masked."""
    today = local_date(request.now)

    def line(one: Repair) -> Sequence[Any]:
        record, clock = one.record, one.deadline
        assert clock is not None  # noqa: S101 - the list is of what has one
        return (
            record.subject.public_name, late.what(one), str(record.department), local_date(one.asked_at), clock.due_on,
            clock.light_text(today),
        )  # fmt: skip

    def lines(found: list[Repair]) -> Iterable[Sequence[Any]]:
        return map(line, found)

    return csv_response(
        f"信用修复督办-{today:%Y%m%d}", HEAD, everything(late.waiting(request.access), late.ORDER, lines)
    )
