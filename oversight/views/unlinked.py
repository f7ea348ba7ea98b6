"""The pool of completed cases that reached no office: each is assigned to one, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.models import Case
from approvals.web import conflict, put_on_form
from catalogue.models import SupervisionSubItem
from deadlines.clock import local_date
from offices.access import covered
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.models import Department, Office, Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.actions.overseeing import assign as assign_case
from oversight.forms import OfficeAndSubItem
from supervision.models import UnlinkedCase

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("found_at", "id")
HEAD = ("办件编号", "业务办理项", "部门", "申请人", "办结时间", "进入待分派时间", "分派时间")
FOLLOWS = (
    "按所选处室和子项新增（或恢复）审管关联，标为待核实；今后同一业务办理项的办件也推送到该处室",
    "立即生成监管任务，短信通知该处室管理员，短信发出后 3 个工作日内签收",
    "办件移出待分派清单，分派人和时间记入办件留痕",
)


def _pool(request: PortalRequest) -> QuerySet[UnlinkedCase]:
    return UnlinkedCase.objects.filter(case__division__in=covered(request.access, Role.OVERSEER))


def stats(request: PortalRequest, listing: Listing, counts: dict[str, int], *, on: str = "") -> list[dict[str, Any]]:
    """The tabs of this page, and what nobody can countersign or review: pages of their own, named in ``on``."""
    tabs = listing.stats(
        [("", "待分派", counts["waiting"], "bad"), ("settled", "已分派", counts["settled"], "neutral")]
    )
    pages = {
        "unsigned": ("无人会签", queries.unanswerable(request.access).count()),
        "undrawn": ("无人审查", queries.undrawn(request.access).count()),
    }
    stuck = [
        {
            "label": label, "count": found, "url": reverse(f"oversight:{name}"), "active": name == on,
            "tone": "bad" if found else "neutral",
        }
        for name, (label, found) in pages.items()
    ]  # fmt: skip
    return [*({**tab, "active": tab["active"] and not on} for tab in tabs), *stuck]


def counts_of(request: PortalRequest) -> dict[str, int]:
    """How many of the pool wait and are assigned; one statement."""
    settled = Q(settled_at__isnull=False)
    return counted(_pool(request), {"waiting": ~settled, "settled": settled})


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[UnlinkedCase]]:
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:unlinked"),
        filters=[Filter("department", "部门", [(str(pk), name) for pk, name in departments.items()], "全部部门")],
        q_label="办件编号或事项",
        placeholder="编号、事项名称",
        tabs=("settled",),
    )
    rows = _pool(request).filter(settled_at__isnull=listing["tab"] != "settled")
    if listing["department"]:
        rows = rows.filter(case__department_id=listing["department"])
    if text := listing["q"]:
        rows = rows.filter(Q(case__number__contains=text.upper()) | Q(case__business_item__name__contains=text))
    return listing, rows.select_related("case__business_item", "case__department", "case__applicant")


@overseers
@require_safe
def unlinked(request: PortalRequest) -> HttpResponse:
    """The pool, the longest waiting first."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    counts = counts_of(request)
    context = {
        "lead": "这些办件已办结，但没有关联的监管处室。请逐件分派，不留监管空档。"
        if counts["waiting"]
        else "办结的办件都已推送到监管处室。",
        "rows": page.rows,
        "settled": listing["tab"] == "settled",
        "stats": stats(request, listing, counts),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": bool(listing["q"] or listing["department"]),
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:unlinked_export")),
    }
    return render(request, "oversight/unlinked.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The pool as asked for, as CSV."""
    _, rows = _listing(request)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def lines(found: list[UnlinkedCase]) -> list[Sequence[Any]]:
        return [
            (
                row.case.number, row.case.business_item.name, row.case.department.name, row.case.public_name,
                moment(row.case.completed_at), moment(row.found_at), moment(row.settled_at),
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"待分派办件-{local_date(request.now):%Y%m%d}", HEAD, everything(rows, ORDER, lines))


def _form(request: PortalRequest, case: Case) -> OfficeAndSubItem:
    supervising = Department.objects.filter(
        division_id=case.division_id, side__in=[Department.Side.SUPERVISION, Department.Side.BOTH]
    )
    offices = Office.objects.filter(department__in=supervising).reachable(local_date(request.now))
    sub_items = SupervisionSubItem.objects.filter(item__department__in=supervising)
    typed = request.POST if request.method == "POST" else None
    return OfficeAndSubItem(typed, offices=offices, sub_items=sub_items)


@overseers
@require_http_methods(["GET", "POST"])
def assign(request: PortalRequest, number: str) -> HttpResponse:
    """Choose the office and the sub-item for one case of the pool."""
    place = get_object_or_404(
        _pool(request).select_related("case__business_item", "case__applicant"), case__number=number
    )
    case = place.case
    back = reverse("oversight:unlinked")
    if request.method == "GET" and place.settled_at is not None:
        messages.info(request, f"办件 {case.number} 已经分派。")
        return redirect("oversight:case", number=case.number)
    form = _form(request, case)
    if request.method == "POST" and form.is_valid():
        try:
            task = assign_case(
                case, form.cleaned_data["office"], form.cleaned_data["sub_item"], by=request.user, now=request.now
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back)
            put_on_form(form, error)
        else:
            messages.success(
                request, f"办件 {case.number} 已分派到{task.office}，监管任务 {task.number} 已生成并短信通知。"
            )
            return redirect(back)
    context = {
        "case": case,
        "form": form,
        "follows": FOLLOWS,
        "crumbs": [{"label": "待分派办件", "url": back}],
        "facts": [
            {"label": "办件编号", "value": case.number},
            {"label": "业务办理项", "value": case.business_item.name},
            {"label": "申请人", "value": case.public_name},
            {"label": "审批部门", "value": case.department.name},
            {"label": "办理结果", "value": case.get_outcome_display()},
            {"label": "办理方式", "value": case.get_way_display()},
        ],
        "promises": case.promise_clauses,
        "found_at": place.found_at,
        "completed_at": case.completed_at,
    }
    return render(request, "oversight/assign.html", context, status=422 if form.is_bound else 200)
