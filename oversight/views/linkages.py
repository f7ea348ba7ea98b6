"""The linkage list of the administrator's own division, and its business items (L3a, L4a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.exceptions import Refused
from approvals.web import put_on_form
from catalogue.actions import publish as publish_item
from catalogue.actions import retire as retire_item
from catalogue.enums import ItemStatus
from catalogue.errors import CatalogueError, LinkageRefused
from catalogue.linking import link, unlink
from catalogue.models import BusinessItem, Linkage, SupervisionSubItem
from catalogue.pinyin import fold
from catalogue.querysets import BusinessItemQuerySet, LinkageQuerySet
from deadlines.clock import local_date
from offices.export import csv_response
from offices.models import Department, Office, Posting, User
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.forms import LinkageForm, ReasonForm
from oversight.lists import Filter, Listing, counted, everything

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ORDER = ("business_item__code", "id")
ITEM_ORDER = ("code", "id")
SUPERVISING = (Department.Side.SUPERVISION, Department.Side.BOTH)
HEAD = (
    "事项编码", "业务办理项", "事项状态", "监管部门", "监管处室", "监管事项", "监管事项子项", "关联状态", "处室管理员",
    "依据", "核实程度",
)  # fmt: skip
ITEM_HEAD = ("事项编码", "业务办理项", "实施部门", "状态", "版本", "有效关联", "有可联系的监管处室")
FOLLOWS = {
    "off": ("此后办结的办件不再向该处室推送，已生成的监管任务继续办理", "事项计一次修订，记入事项留痕"),
    "on": ("此后办结的办件向该处室推送监管任务", "事项计一次修订，记入事项留痕"),
    "publish": ("群众和窗口可以查到并申请该事项", "记入事项留痕"),
    "retire": ("不再收件，在办的办件继续办理", "记入事项留痕"),
}


def _listing(request: PortalRequest) -> tuple[Listing, LinkageQuerySet]:
    """The list as asked for, before its tab is applied."""
    departments = queries.own_departments(request.access).filter(side__in=SUPERVISING).order_by("division__code", "id")
    listing = Listing(
        request,
        reverse("division:linkages"),
        filters=[
            Filter("department", "监管部门", [(str(pk), name) for pk, name in departments.values_list("pk", "name")]),
            Filter("item_status", "事项状态", ItemStatus.choices),
        ],
        q_label="事项、处室或子项",
        placeholder="名称、编码或拼音首字母",
        tabs=("active", "fault", "off"),
    )
    rows = queries.own_linkages(request.access)
    if listing["department"]:
        rows = rows.filter(office__department_id=listing["department"])
    if listing["item_status"]:
        rows = rows.filter(business_item__status=listing["item_status"])
    if text := listing["q"]:
        rows = rows.filter(
            Q(business_item__search_text__contains=fold(text))
            | Q(office__name__contains=text)
            | Q(sub_item__name__contains=text)
        )
    return listing, rows


CONDITIONS = {
    "": Q(),
    "active": Q(active=True),
    "fault": Q(active=True, is_reachable=False),
    "off": Q(active=False),
}


def _row(linkage: Linkage, people: dict[int, dict[str, list[User]]]) -> dict[str, Any]:
    managers = people.get(linkage.office_id, {}).get(Role.OFFICE_MANAGER, [])
    reachable = linkage.is_reachable  # type: ignore[attr-defined]
    state = ("已停用", "neutral") if not linkage.active else ("有效", "good") if reachable else ("无人可联系", "bad")
    return {
        "linkage": linkage,
        "managers": "、".join(person.full_name for person in managers),
        "badge": {"label": state[0], "tone": state[1]},
        "is_good": linkage.active and reachable,
        "verb": "停用" if linkage.active else "启用",
        "confirm_id": f"turn-{linkage.pk}",
        "follows": FOLLOWS["off" if linkage.active else "on"],
    }


def _rows(request: PortalRequest, linkages: Sequence[Linkage]) -> list[dict[str, Any]]:
    people = queries.managers_of({linkage.office_id for linkage in linkages}, request.access.on)
    return [_row(linkage, people) for linkage in linkages]


@administrators
@require_safe
def linkages(request: PortalRequest) -> HttpResponse:
    """The list by item; each line says whether its office can be told."""
    listing, rows = _listing(request)
    counts = counted(rows, CONDITIONS)
    page = listing.page(rows.filter(CONDITIONS[listing["tab"]]), ORDER)
    context = {
        "lead": f"有效关联 {counts['active']} 条，其中 {counts['fault']} 条的处室无人可联系。",
        "rows": _rows(request, page.rows),
        "stats": listing.stats(
            [
                ("", "全部关联", counts["all"], "neutral"),
                ("active", "有效", counts["active"], "neutral"),
                ("fault", "无人可联系", counts["fault"], "bad"),
                ("off", "已停用", counts["off"], "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "条"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("division:linkages_export")),
        "here": "linkages",
    }
    return render(request, "oversight/linkages.html", context)


@administrators
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)

    def lines(found: list[Linkage]) -> list[Sequence[Any]]:
        return [
            (
                one.business_item.code, one.business_item.name, one.business_item.get_status_display(),
                one.office.department.name, one.office.name, one.sub_item.item.name, one.sub_item.name,
                row["badge"]["label"], row["managers"], one.source, one.get_certainty_display(),
            )
            for row in _rows(request, found)
            for one in [row["linkage"]]
        ]  # fmt: skip

    shown = rows.filter(CONDITIONS[listing["tab"]])
    return csv_response(f"审管关联清单-{local_date(request.now):%Y%m%d}", HEAD, everything(shown, ORDER, lines))


def _form(request: PortalRequest) -> LinkageForm:
    supervising = queries.own_departments(request.access).filter(side__in=SUPERVISING)
    asked = request.GET.get("item", "")
    return LinkageForm(
        request.POST if request.method == "POST" else None,
        initial={"business_item": asked} if asked.isdigit() else None,
        items=queries.own_items(request.access),
        offices=Office.objects.filter(department__in=supervising).reachable(local_date(request.now)),
        sub_items=SupervisionSubItem.objects.filter(item__department__in=supervising),
    )


@administrators
@require_http_methods(["GET", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Link an item of the own division to an office and a sub-item of it."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = link(
                data["business_item"], data["office"], data["sub_item"], source=data["source"], by=request.user,
                now=request.now,
            )  # fmt: skip
        except LinkageRefused as error:
            put_on_form(form, Refused("linkage-refused", str(error), field=error.field))
        else:
            messages.success(request, f"已将“{made.business_item.name}”关联到{made.office}，依据标为待核实。")
            return redirect("division:item", pk=made.business_item_id)
    context = {
        "form": form,
        "follows": FOLLOWS["on"],
        "crumbs": [{"label": "审管关联清单", "url": reverse("division:linkages")}],
        "here": "linkages",
    }
    return render(request, "oversight/linkage_new.html", context, status=422 if form.is_bound else 200)


@administrators
@require_POST
def turn(request: PortalRequest, pk: int) -> HttpResponse:
    """End a linkage, or bring it back."""
    linkage = get_object_or_404(queries.own_linkages(request.access), pk=pk)
    back = redirect("division:item", pk=linkage.business_item_id)
    asked = request.POST.get("active")
    if asked not in {"0", "1"}:
        return back
    on = asked == "1"
    try:
        if on:
            link(
                linkage.business_item, linkage.office, linkage.sub_item, source=linkage.source, by=request.user,
                now=request.now,
            )  # fmt: skip
        else:
            unlink(linkage, by=request.user, now=request.now)
    except LinkageRefused as error:
        reason = {"reason": str(error), "next_url": back.url}
        return render(request, "409.html", reason, status=409)
    messages.success(request, f"{linkage.office}的关联已{'启用' if on else '停用'}。")
    return back


# --- business items


def _items(request: PortalRequest) -> tuple[Listing, BusinessItemQuerySet]:
    listing = Listing(
        request,
        reverse("division:items"),
        q_label="业务办理项",
        placeholder="名称、编码或拼音首字母",
        tabs=("published", "draft", "retired", "fault"),
    )
    rows = queries.own_items(request.access)
    if listing["q"]:
        rows = rows.filter(search_text__contains=fold(listing["q"]))
    reachable = Linkage.objects.active().filter(business_item=OuterRef("pk")).reachable(request.access.on)
    return listing, rows.annotate(is_reachable=Exists(reachable))


ITEM_CONDITIONS = {
    "": Q(),
    "published": Q(status=ItemStatus.PUBLISHED),
    "draft": Q(status=ItemStatus.DRAFT),
    "retired": Q(status=ItemStatus.RETIRED),
    "fault": Q(status=ItemStatus.PUBLISHED, is_reachable=False),
}


def _shown_items(listing: Listing, rows: BusinessItemQuerySet) -> BusinessItemQuerySet:
    """The rows of the asked tab with their department and ``linked``, the number of linkages in force."""
    shown = rows.filter(ITEM_CONDITIONS[listing["tab"]]).select_related("item__department")
    return shown.annotate(linked=Count("linkages", filter=Q(linkages__active=True)))


@administrators
@require_safe
def items_export(request: PortalRequest) -> HttpResponseBase:
    """The items as asked for, as CSV."""
    listing, rows = _items(request)

    def lines(found: list[BusinessItem]) -> list[Sequence[Any]]:
        return [
            (
                one.code, one.name, one.item.department.name, one.get_status_display(), one.version,
                one.linked, "是" if one.is_reachable else "否",  # type: ignore[attr-defined]
            )
            for one in found
        ]  # fmt: skip

    shown = _shown_items(listing, rows)
    return csv_response(f"业务办理项-{local_date(request.now):%Y%m%d}", ITEM_HEAD, everything(shown, ITEM_ORDER, lines))


@administrators
@require_safe
def items(request: PortalRequest) -> HttpResponse:
    """The business items of the division, with the number of their linkages."""
    listing, rows = _items(request)
    counts = counted(rows, ITEM_CONDITIONS)
    page = listing.page(_shown_items(listing, rows), ITEM_ORDER)
    context = {
        "lead": "没有可联系监管处室的事项不能发布；已发布的要随时有处室可推送。",
        "rows": page.rows,
        "stats": listing.stats(
            [
                ("", "全部事项", counts["all"], "neutral"),
                ("published", "已发布", counts["published"], "neutral"),
                ("fault", "已发布但无处推送", counts["fault"], "bad"),
                ("draft", "待发布", counts["draft"], "neutral"),
                ("retired", "已停用", counts["retired"], "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "项"),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "export_url": listing.address(reverse("division:items_export")),
        "here": "items",
    }
    return render(request, "oversight/items.html", context)


def _item_answer(request: PortalRequest, item: BusinessItem, form: ReasonForm | None = None) -> HttpResponse:
    obstacles = item.obstacles(request.access.on) if item.status != ItemStatus.PUBLISHED else []
    rows = _rows(
        request, list(queries.own_linkages(request.access).filter(business_item=item).order_by("-active", "id"))
    )
    context = {
        "item": item,
        "crumbs": [{"label": "业务办理项", "url": reverse("division:items")}],
        "facts": [
            {"label": "事项编码", "value": item.code},
            {"label": "所属审批事项", "value": item.item.name},
            {"label": "实施部门", "value": item.item.department.name},
            {"label": "审查处室", "value": item.review_office.name},
            {"label": "法定期限", "value": item.statutory_text},
            {"label": "承诺期限", "value": item.promised_text},
            {"label": "版本", "value": f"第 {item.version} 版"},
            {
                "label": "统一标准",
                "value": f"继承全市标准 {item.standard_item.code}" if item.standard_item else "本级标准",
            },
        ],
        "rows": rows,
        "obstacles": obstacles,
        "unreachable": item.status == ItemStatus.PUBLISHED and not any(row["is_good"] for row in rows),
        "form": form or ReasonForm(),
        "returned": form,
        "follows": FOLLOWS,
        "new_url": f"{reverse('division:linkage_new')}?item={item.pk}",
        "here": "items",
    }
    return render(request, "oversight/item.html", context, status=422 if form else 200)


def _own_item(request: PortalRequest, pk: int) -> BusinessItem:
    rows = queries.own_items(request.access).select_related("item__department", "review_office", "standard_item")
    return get_object_or_404(rows, pk=pk)


@administrators
@require_safe
def item(request: PortalRequest, pk: int) -> HttpResponse:
    """One business item: its linkages, and what keeps it from being published."""
    return _item_answer(request, _own_item(request, pk))


@administrators
@require_POST
def publish(request: PortalRequest, pk: int) -> HttpResponse:
    """Open an item for applications; every obstacle is said at once."""
    found = _own_item(request, pk)
    try:
        publish_item(found, by=request.user, now=request.now)
    except CatalogueError as error:
        return render(
            request, "409.html", {"reason": str(error), "next_url": reverse("division:item", args=[pk])}, status=409
        )
    messages.success(request, f"“{found.name}”已发布。")
    return redirect("division:item", pk=pk)


@administrators
@require_POST
def retire(request: PortalRequest, pk: int) -> HttpResponse:
    """Close an item for new applications, with a reason."""
    found = _own_item(request, pk)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _item_answer(request, found, form)
    try:
        retire_item(found, by=request.user, now=request.now, reason=form.cleaned_data["reason"])
    except CatalogueError as error:
        return render(
            request, "409.html", {"reason": str(error), "next_url": reverse("division:item", args=[pk])}, status=409
        )
    messages.success(request, f"“{found.name}”已停用，不再收件。")
    return redirect("division:item", pk=pk)
