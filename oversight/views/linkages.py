"""The linkage list of the administrator's own division (L3a, L4a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.exceptions import Refused
from approvals.web import put_on_form
from catalogue.enums import ItemStatus
from catalogue.errors import LinkageRefused
from catalogue.linking import confirm, link, unlink
from catalogue.models import Linkage, SupervisionSubItem
from catalogue.pinyin import fold
from catalogue.querysets import LinkageQuerySet
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.models import Department, Office, Posting, User
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.forms import LinkageForm

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ORDER = ("business_item__code", "id")
SUPERVISING = (Department.Side.SUPERVISION, Department.Side.BOTH)
HEAD = (
    "事项编码", "业务办理项", "事项状态", "监管部门", "监管处室", "监管事项", "监管事项子项", "关联状态", "处室管理员",
    "依据", "核实程度", "待核对的原因",
)  # fmt: skip
FOLLOWS = {
    "off": ("此后办结的办件不再向该处室推送，已生成的监管任务继续办理", "事项计一次修订，记入事项留痕"),
    "confirm": ("审管关联继续适用，不再列为待核对", "核对人和时间记入事项留痕"),
    "on": ("此后办结的办件向该处室推送监管任务", "事项计一次修订，记入事项留痕"),
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
        tabs=("active", "fault", "moved", "off"),
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
    "moved": Q(active=True) & (Q(was_reassigned=True) | Q(reopened_at__isnull=False)),
    "off": Q(active=False),
}


def _why_looked_at(linkage: Linkage) -> list[str]:
    """Why the linkage is to be looked at again, each in a few words."""
    if not linkage.active:
        return []
    moved = ["近 90 天有任务由督办改派到其他处室"] if linkage.was_reassigned else []  # type: ignore[attr-defined]
    if linkage.reopened_at is not None:
        moved.append(f"{linkage.reopened_why}（{local_date(linkage.reopened_at):%Y-%m-%d}）")
    return moved


def _row(linkage: Linkage, people: dict[int, dict[str, list[User]]]) -> dict[str, Any]:
    managers = people.get(linkage.office_id, {}).get(Role.OFFICE_MANAGER, [])
    reachable = linkage.is_reachable  # type: ignore[attr-defined]
    state = ("已停用", "neutral") if not linkage.active else ("有效", "good") if reachable else ("无人可联系", "bad")
    return {
        "linkage": linkage,
        "managers": "、".join(person.full_name for person in managers),
        "badge": {"label": state[0], "tone": state[1]},
        "is_good": linkage.active and reachable,
        "to_look_at": _why_looked_at(linkage),
        "reopened": linkage.active and linkage.reopened_at is not None,
        "confirming_id": f"confirm-{linkage.pk}",
        "verb": "停用" if linkage.active else "启用",
        "confirm_id": f"turn-{linkage.pk}",
        "follows": FOLLOWS["off" if linkage.active else "on"],
        "confirm_follows": FOLLOWS["confirm"],
    }


def linkage_rows(request: PortalRequest, linkages: Sequence[Linkage]) -> list[dict[str, Any]]:
    """What the lines of these linkages show; one statement."""
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
        "rows": linkage_rows(request, page.rows),
        "stats": listing.stats(
            [
                ("", "全部关联", counts["all"], "neutral"),
                ("active", "有效", counts["active"], "neutral"),
                ("fault", "无人可联系", counts["fault"], "bad"),
                ("moved", "待核对", counts["moved"], "warn"),
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
                "；".join(row["to_look_at"]),
            )
            for row in linkage_rows(request, found)
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


@administrators
@require_POST
def confirmation(request: PortalRequest, pk: int) -> HttpResponse:
    """A linkage whose list changed was looked at again and holds on (O3.3.3)."""
    linkage = get_object_or_404(queries.own_linkages(request.access), pk=pk)
    back = redirect("division:item", pk=linkage.business_item_id)
    try:
        confirm(linkage, by=request.user, now=request.now)
    except LinkageRefused as error:
        return render(request, "409.html", {"reason": str(error), "next_url": back.url}, status=409)
    messages.success(request, f"{linkage.office}的关联已核对，继续适用。")
    return back
