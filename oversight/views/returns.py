"""Returns and early ends by department, with denominators; every figure opens its rows (O2a, O3.1.3e)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from deadlines.clock import local_date
from offices import kept
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, everything
from offices.models import Department, Posting
from offices.web import PortalRequest, roles_required
from oversight import queries, returns
from oversight.queries import Period
from oversight.returns import KINDS, Figures, Kind

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
HEAD = ("办件编号", "业务办理项", "部门", "情形", "内容", "经办", "时间")
SHARED = [key for key in KINDS if key != "received"]
Departments = QuerySet[Department]


def _period(listing: Listing, spans: Sequence[Period]) -> Period:
    return next((span for span in spans if span.key == listing["period"]), spans[0])


def _spans(spans: Sequence[Period]) -> Filter:
    return Filter("period", "期间", [(span.key, span.label) for span in spans[1:]], spans[0].label)


def _listing(request: PortalRequest) -> tuple[Listing, Departments, Period]:
    spans = queries.periods(local_date(request.now))
    every = rows = queries.departments_by_division(request.access, Role.OVERSEER)

    def named() -> QuerySet[Department, tuple[int, str]]:
        return every.order_by("division__code").values_list("division_id", "division__name").distinct()

    divisions = dict(kept.ask((_listing, request.access.key), named))
    filters = [_spans(spans)]
    if len(divisions) > 1:
        filters.append(Filter("division", "区划", [(str(pk), name) for pk, name in divisions.items()], "全部区划"))
    listing = Listing(
        request, reverse("oversight:returns"), filters=filters, q_label="部门", placeholder="部门名称中的字词"
    )
    if len(divisions) > 1 and listing["division"]:
        rows = rows.filter(division=int(listing["division"]))
    if listing["q"]:
        rows = rows.filter(name__contains=listing["q"])
    return listing, rows, _period(listing, spans)


def _cells(figures: Figures, period: Period) -> list[dict[str, Any]]:
    """The figures of a line, each with its share and the address of its rows."""
    asked = {"period": period.key if period.key != "month" else "", "department": figures.department}
    cells = []
    for key, kind in KINDS.items():
        query = "&".join(
            f"{name}={value.pk if isinstance(value, Department) else value}" for name, value in asked.items() if value
        )
        url = link("oversight:returned")(key) + (f"?{query}" if query else "")
        share = figures.share(key) if key != "received" else ""
        cells.append({"label": kind.label, "count": figures.counts[key], "share": share, "url": url})
    return cells


@overseers
@require_safe
def figures_page(request: PortalRequest) -> HttpResponse:
    """A line a department, and the sum of all; statements do not grow with the departments."""
    listing, rows, period = _listing(request)
    page = listing.page(lambda: rows, ("id",), key=(figures_page, request.access.key))
    numbers = returns.counted(request.access, period)
    total = returns.totals(numbers, "合计")
    sent_back = total.counts["corrections"] + total.counts["refusals"]
    received = total.counts["received"]
    found = returns.figures(numbers, page.rows)
    busy = [one for one in found if any(one.counts.values())]
    share = f"，占 {sent_back / received:.1%}" if received else ""
    context = {
        "lead": f"{period.label}收件 {received} 件，退回（补正告知、不予受理）{sent_back} 件{share}。点数字看办件。",
        "kinds": list(KINDS.values()),
        "total": _cells(total, period),
        "rows": [{"department": one.department, "cells": _cells(one, period)} for one in busy],
        "quiet": [one.name for one in found if one not in busy],
        "is_empty": not found,
        "bar": listing.bar(),
        "pager": listing.pager(page, "个部门"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:returns_export")),
    }
    return render(request, "oversight/returns.html", context)


@overseers
@require_safe
def figures_export(request: PortalRequest) -> HttpResponseBase:
    """The figures as asked for, as CSV."""
    _, rows, period = _listing(request)
    numbers = returns.counted(request.access, period)
    head = ["区划", "部门", *(kind.label for kind in KINDS.values())]
    head += [f"{KINDS[key].label}占收件比例" for key in SHARED]

    def cells(found: list[Department]) -> Iterator[list[object]]:
        for one in returns.figures(numbers, found):
            division = one.department.division.name if one.department else ""
            counts = [one.counts[key] for key in KINDS]
            yield [division, one.name, *counts, *(one.share(key) for key in SHARED)]

    return csv_response(f"退件统计-{period.label}", head, everything(rows, ("id",), cells))


def _rows(request: PortalRequest, key: str) -> tuple[Listing, Callable[[], QuerySet[Any]], Period, Kind]:
    kind = KINDS.get(key)
    if kind is None:
        raise Http404
    spans = queries.periods(local_date(request.now))
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:returned", args=[key]),
        filters=[
            _spans(spans),
            Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门"),
        ],
        q_label="办件编号或事项",
        placeholder="编号、事项名称",
    )
    period = _period(listing, spans)

    def found() -> QuerySet[Any]:
        rows = kind.of(request.access, period)
        if listing["department"]:
            rows = rows.filter(**{f"{kind.case}department": int(listing["department"])})
        if text := listing["q"]:
            named = Q(**{f"{kind.case}business_item__name__contains": text})
            rows = rows.filter(named | Q(**{f"{kind.case}number__contains": text.upper()}))
        return returns.lines(kind, rows)

    return listing, found, period, kind


@overseers
@require_safe
def rows_page(request: PortalRequest, key: str) -> HttpResponse:
    """The rows behind one figure, newest first."""
    listing, rows, period, kind = _rows(request, key)
    page = listing.page(rows, kind.order, wide=True, key=(rows_page, key, request.access.key, period))
    context = {
        "crumbs": [{"label": "退件统计", "url": reverse("oversight:returns")}],
        "title": kind.label,
        "lead": f"{period.label}：{kind.about}。",
        "kind": kind,
        "rows": [kind.line(row) for row in page.rows],
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:returned_export", args=[key])),
        "review_url": reverse("oversight:refusals") if key == "refusals" else "",
    }
    return render(request, "oversight/returned.html", context)


@overseers
@require_safe
def rows_export(request: PortalRequest, key: str) -> HttpResponseBase:
    """The rows as asked for, as CSV."""
    _, rows, period, kind = _rows(request, key)

    def cells(found: list[Any]) -> Iterator[Sequence[Any]]:
        for line in map(kind.line, found):
            yield (
                line.case.number, line.case.business_item.name, line.case.department.name, kind.label, line.text,
                line.who, f"{timezone.localtime(line.at):%Y-%m-%d %H:%M}",
            )  # fmt: skip

    return csv_response(f"{kind.label}-{period.label}", HEAD, everything(rows(), kind.order, cells))
