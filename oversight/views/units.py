"""Departments and offices of the administrator's own division, and what is wrong with them (L1b, L2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q, QuerySet
from django.forms import Form
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from catalogue.models import Linkage
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Department, Office, Posting, User
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.actions.units import add_office, set_side
from oversight.forms import OfficeForm, SideForm

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ORDER = ("id",)
HEAD = ("部门", "部门侧", "处室", "处室管理员", "处室副管理员", "有效关联", "无可联系的处室管理员")
FOLLOWS = {
    "side": ("部门侧决定能否授予审查、决定人员（审批侧）或处室管理员（监管侧），能否被关联", "变更记入本区划留痕"),
    "office": ("处室加入本部门，配置处室管理员后即可关联监管事项", "变更记入本区划留痕"),
}


def faults(request: PortalRequest) -> dict[str, Any]:
    """What keeps a task or a case from reaching somebody: offices without a manager, items without an office, offices
    that are to countersign and have nobody."""
    offices = list(queries.silent_offices(request.access).order_by("department_id", "id"))
    items = list(queries.own_items(request.access).unreachable(request.access.on).order_by("code"))
    unsigned = list(queries.silent_countersigners(request.access).order_by("department_id", "id"))
    return {
        "silent_offices": offices,
        "unreachable_items": items,
        "silent_countersigners": unsigned,
        "fault_count": len(offices) + len(items) + len(unsigned),
    }


def _offices(request: PortalRequest, departments: list[Department]) -> dict[int, dict[str, list[User]]]:
    keys = {office.pk for department in departments for office in department.offices.all()}
    return queries.managers_of(keys, request.access.on)


def _office_row(office: Office, people: dict[int, dict[str, list[User]]]) -> dict[str, Any]:
    seated = people.get(office.pk, {})
    managers = seated.get(Role.OFFICE_MANAGER, [])
    return {
        "office": office,
        "managers": managers,
        "deputies": seated.get(Role.OFFICE_DEPUTY, []),
        "linked": office.linked,  # type: ignore[attr-defined]
        "silent": bool(office.linked) and not any(p.is_active and p.phone_hash for p in managers),  # type: ignore[attr-defined]
    }


def _with_offices() -> Prefetch[str]:
    linked = Count("linkages", filter=Q(linkages__active=True))
    return Prefetch("offices", Office.objects.annotate(linked=linked).order_by("id"))


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Department]]:
    listing = Listing(
        request,
        reverse("division:home"),
        filters=[Filter("side", "部门侧", Department.Side.choices, "全部")],
        q_label="部门或处室",
        placeholder="名称中的字词",
    )
    rows = queries.own_departments(request.access)
    if listing["side"]:
        rows = rows.filter(side=listing["side"])
    if text := listing["q"]:
        in_office = Office.objects.filter(name__contains=text).values("department")
        rows = rows.filter(Q(name__contains=text) | Q(pk__in=in_office))
    return listing, rows.prefetch_related(_with_offices())


@administrators
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The departments as asked for, as CSV: one line an office, with its managers."""
    _, departments = _listing(request)

    def lines(found: list[Department]) -> Iterator[Sequence[Any]]:
        people = _offices(request, found)
        for department in found:
            unit = (department.name, department.get_side_display())
            rows = [_office_row(office, people) for office in department.offices.all()]
            for one in rows:
                managers, deputies = _names(one["managers"]), _names(one["deputies"])
                yield (*unit, one["office"].name, managers, deputies, one["linked"], "是" if one["silent"] else "")
            if not rows:
                yield (*unit, "", "", "", "", "")

    return csv_response(f"部门与处室-{request.access.on:%Y%m%d}", HEAD, everything(departments, ORDER, lines))


def _names(people: list[User]) -> str:
    return "、".join(person.full_name for person in people)


@administrators
@require_safe
def units(request: PortalRequest) -> HttpResponse:
    """The departments with their sides, offices and managers; faults first."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    people = _offices(request, page.rows)
    found = faults(request)
    context = {
        "lead": f"有 {found['fault_count']} 处故障，请先配置处室管理员。"
        if found["fault_count"]
        else "各关联处室都有可联系的处室管理员。",
        "rows": [
            {"department": department, "offices": [_office_row(office, people) for office in department.offices.all()]}
            for department in page
        ],
        "bar": listing.bar(),
        "pager": listing.pager(page, "个部门"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("division:export")),
        "here": "units",
        **found,
    }
    return render(request, "oversight/units.html", context)


def _answer(
    request: PortalRequest, department: Department, *, side: SideForm | None = None, office: OfficeForm | None = None
) -> HttpResponse:
    """The department's page; with a form that came back, as 422."""
    people = _offices(request, [department])
    rows = [_office_row(one, people) for one in department.offices.all()]
    linkages = Linkage.objects.active().filter(office__department=department).count()
    context = {
        "department": department,
        "crumbs": [{"label": "部门与人员", "url": reverse("division:home")}],
        "rows": rows,
        "linkages": linkages,
        "side_form": side or SideForm(initial={"side": department.side}),
        "office_form": office or OfficeForm(),
        "returned": side or office,
        "follows": FOLLOWS,
        "here": "units",
        "people_url": f"{reverse('division:people')}?department={department.pk}",
    }
    return render(request, "oversight/department.html", context, status=422 if side or office else 200)


def _own(request: PortalRequest, pk: int) -> Department:
    return get_object_or_404(queries.own_departments(request.access).prefetch_related(_with_offices()), pk=pk)


@administrators
@require_safe
def department(request: PortalRequest, pk: int) -> HttpResponse:
    """One department: its side, its offices, who manages them."""
    return _answer(request, _own(request, pk))


def _refused(request: PortalRequest, form: Form, error: Refused, back: str) -> HttpResponseBase | None:
    if error.conflict:
        return conflict(request, error, back)
    put_on_form(form, error)
    return None


@administrators
@require_http_methods(["POST"])
def side(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Change the side."""
    found = _own(request, pk)
    back = reverse("division:department", args=[pk])
    form = SideForm(request.POST)
    if form.is_valid():
        try:
            changed = set_side(found, form.cleaned_data["side"], by=request.user, now=request.now)
        except Refused as error:
            if answer := _refused(request, form, error, back):
                return answer
        else:
            messages.success(request, f"{changed.name}已配置为“{changed.get_side_display()}”。")
            return redirect(back)
    return _answer(request, found, side=form)


@administrators
@require_http_methods(["POST"])
def new_office(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Add an office."""
    found = _own(request, pk)
    back = reverse("division:department", args=[pk])
    form = OfficeForm(request.POST)
    if form.is_valid():
        try:
            made = add_office(found, form.cleaned_data["name"], by=request.user, now=request.now)
        except Refused as error:
            if answer := _refused(request, form, error, back):
                return answer
        else:
            messages.success(request, f"已新增{made}，请为它配置处室管理员。")
            return redirect(back)
    return _answer(request, found, office=form)
