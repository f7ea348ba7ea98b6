"""Deemed acceptances: who should have answered, by when, and whether somebody reviews the case now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.querysets import CaseQuerySet
from deadlines.clock import local_date
from offices.access import covered
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import deemed, queries
from oversight.queries import Period

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
NOBODY = Q(status=CaseStatus.DEEMED_ACCEPTED)
HEAD = ("办件编号", "业务办理项", "部门", "应答复人员", "受理时间（收到材料之日）", "应答复日", "认定时间", "现状态")


def _listing(request: PortalRequest) -> tuple[Listing, CaseQuerySet, Period]:
    """The list as asked for, before its tab is applied."""
    spans = queries.periods(local_date(request.now))
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:deemed"),
        filters=[
            Filter("period", "期间", [(span.key, span.label) for span in spans[1:]], spans[0].label),
            Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门"),
        ],
        q_label="办件编号、事项或应答复人员",
        placeholder="编号、事项名称、姓名",
        tabs=("nobody",),
    )
    period = next((span for span in spans if span.key == listing["period"]), spans[0])
    rows = deemed.rows(request.access, period)
    if listing["department"]:
        rows = rows.filter(department_id=listing["department"])
    if text := listing["q"]:
        rows = rows.filter(
            Q(number__contains=text.upper())
            | Q(business_item__name__contains=text)
            | Q(intake_by__full_name__contains=text)
        )
    return listing, rows, period


def _shown(listing: Listing, rows: CaseQuerySet) -> CaseQuerySet:
    return deemed.with_line(rows.filter(NOBODY) if listing["tab"] else rows)


def _lead(period: Period, total: int, found: int) -> str:
    share = f"，占 {found / total:.1%}" if total else ""
    said = f"{period.label}收件 {total} 件，逾期未答复、依法视为受理 {found} 件{share}。"
    return said + ("请逐件核对为何没有在 5 个工作日内答复。" if found else "")


@overseers
@require_safe
def deemed_page(request: PortalRequest) -> HttpResponse:
    """The list, newest first, with the share of what was received in the period."""
    listing, rows, period = _listing(request)
    counts = rows.aggregate(all=Count("pk"), nobody=Count("pk", filter=NOBODY))
    page = listing.page(_shown(listing, rows), deemed.ORDER)
    total = queries.received(list(covered(request.access, Role.OVERSEER)), period)
    found = counts["all"] if not (listing["department"] or listing["q"]) else deemed.counted(request.access, period)
    context = {
        "crumbs": [{"label": "时限督办", "url": reverse("oversight:board")}],
        "lead": _lead(period, total, found),
        "rows": page.rows,
        "stats": listing.stats(
            [("", "视为受理", counts["all"], "bad"), ("nobody", "尚无审查人员", counts["nobody"], "bad")]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:deemed_export")),
    }
    return render(request, "oversight/deemed.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows, period = _listing(request)

    def lines(found: list[Case]) -> list[Sequence[Any]]:
        return [
            (
                case.number, case.business_item.name, case.department.name, case.intake_by.full_name,
                f"{timezone.localtime(case.accepted_at):%Y-%m-%d %H:%M}" if case.accepted_at else "",
                case.notice_deadline.due_on if case.notice_deadline else "",
                f"{timezone.localtime(case.deemed_at):%Y-%m-%d %H:%M}" if case.deemed_at else "",
                case.get_status_display(),
            )
            for case in found
        ]  # fmt: skip

    return csv_response(f"视为受理-{period.label}", HEAD, everything(_shown(listing, rows), deemed.ORDER, lines))
