"""Which published items promise more than the city's 5 working days, and why: counted and listed (O3.2.1a)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalogue.enums import INNER_LIMIT_WORKING_DAYS, Handling, ItemKind
from catalogue.models import BusinessItem
from catalogue.pinyin import fold
from catalogue.querysets import BusinessItemQuerySet
from deadlines.clock import local_date
from offices.access import covered
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.models import Division, Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
overseers = roles_required(Role.OVERSEER)
ORDER = ("item__division__code", "code")
HEAD = (
    "事项编码", "业务办理项", "区划", "实施部门", "承诺期限", "法定期限", "归类", "理由", "批准人", "承诺期限依据",
    "核实程度",
)  # fmt: skip
OVER = Q(promised_length__gt=INNER_LIMIT_WORKING_DAYS)
CONDITIONS = {
    "": Q(),
    "over": OVER,
    "province": OVER & Q(reports_to_province=True),
    "exempt": OVER & Q(reports_to_province=False),
    # Neither promised nor done on the spot: the law's period alone presses, which is longer than 5 days.
    "none": Q(promised_length=None, handling=Handling.ORDINARY) & ~Q(item__kind=ItemKind.FILING),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose desk the list lies on: the role, its addresses, whether it is a part of the administrators' places."""

    role: str
    url: str
    export_url: str

    def divisions(self, request: PortalRequest) -> QuerySet[Division]:
        """The divisions whose items are listed: one's own, or those that an overseer covers."""
        if self.role == Role.OVERSEER:
            return covered(request.access, Role.OVERSEER)
        return Division.objects.filter(pk__in=request.access.divisions(self.role))


DIVISION = Desk(Role.DIVISION_ADMIN, "division:exemptions", "division:exemptions_export")
OVERSIGHT = Desk(Role.OVERSEER, "oversight:exemptions", "oversight:exemptions_export")


def _listing(request: PortalRequest, desk: Desk) -> tuple[Listing, BusinessItemQuerySet]:
    """The published items as asked for, before the tab is applied."""
    divisions = desk.divisions(request).order_by("code")
    named = list(divisions.values_list("code", "name"))
    listing = Listing(
        request,
        reverse(desk.url),
        filters=[Filter("division", "区划", named)] if len(named) > 1 else (),
        q_label="业务办理项",
        placeholder="名称、编码或拼音首字母",
        tabs=("province", "exempt", "none"),
    )
    rows = BusinessItem.objects.published().filter(item__division__in=divisions)
    if len(named) > 1 and listing["division"]:
        rows = rows.filter(item__division__code=listing["division"])
    if listing["q"]:
        rows = rows.filter(search_text__contains=fold(listing["q"]))
    return listing, rows


def _shown(listing: Listing, rows: BusinessItemQuerySet) -> BusinessItemQuerySet:
    return rows.filter(CONDITIONS[listing["tab"] or "over"]).select_related("item__department", "item__division")


def _why(item: BusinessItem) -> dict[str, str]:
    if item.promised_length is None:
        return {"label": "未作承诺", "tone": "bad"}
    return {"label": "上报省", "tone": "neutral"} if item.reports_to_province else {"label": "豁免", "tone": "warn"}


def _page(request: PortalRequest, desk: Desk) -> HttpResponse:
    listing, rows = _listing(request, desk)
    counts = counted(rows, CONDITIONS)
    page = listing.page(_shown(listing, rows), ORDER)
    total, over = counts["all"], counts["over"]
    share = f"，占 {over / total:.1%}" if total else ""
    context = {
        "lead": f"已发布业务办理项 {total} 项，承诺期限超过 {INNER_LIMIT_WORKING_DAYS} 个工作日的 {over} 项{share}。"
        f"原则上不超过 {INNER_LIMIT_WORKING_DAYS} 个，须上报省的除外；其余须有理由和批准人。",
        "rows": [{"item": item, "why": _why(item)} for item in page.rows],
        "stats": listing.stats(
            [
                ("", f"超过 {INNER_LIMIT_WORKING_DAYS} 个工作日", over, "neutral"),
                ("province", "上报省", counts["province"], "neutral"),
                ("exempt", "豁免", counts["exempt"], "warn"),
                ("none", "未作承诺", counts["none"], "bad"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "项"),
        "narrowed": bool(listing["q"] or listing["tab"] or listing.is_narrowed),
        "clear_url": listing.url,
        "export_url": listing.address(reverse(desk.export_url)),
        "is_division": desk is DIVISION,
        "total": total,
        "here": "exemptions",
    }
    return render(request, "oversight/exemptions.html", context)


def _export(request: PortalRequest, desk: Desk) -> HttpResponseBase:
    listing, rows = _listing(request, desk)

    def lines(found: list[BusinessItem]) -> list[Sequence[Any]]:
        return [
            (
                one.code, one.name, one.item.division.name, one.item.department.name, one.promised_text,
                one.statutory_text, _why(one)["label"], one.promised_exemption, one.promised_exemption_by,
                one.promised_source, one.get_promised_certainty_display(),
            )
            for one in found
        ]  # fmt: skip

    name = f"承诺期限超过{INNER_LIMIT_WORKING_DAYS}个工作日的事项-{local_date(request.now):%Y%m%d}"
    return csv_response(name, HEAD, everything(_shown(listing, rows), ORDER, lines))


@administrators
@require_safe
def for_division(request: PortalRequest) -> HttpResponse:
    """The list of the administrator's own division."""
    return _page(request, DIVISION)


@administrators
@require_safe
def division_export(request: PortalRequest) -> HttpResponseBase:
    """The same as CSV."""
    return _export(request, DIVISION)


@overseers
@require_safe
def for_overseers(request: PortalRequest) -> HttpResponse:
    """The list of the divisions that an overseer covers."""
    return _page(request, OVERSIGHT)


@overseers
@require_safe
def overseers_export(request: PortalRequest) -> HttpResponseBase:
    """The same as CSV."""
    return _export(request, OVERSIGHT)
