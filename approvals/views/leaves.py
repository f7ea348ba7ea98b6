"""请假: everybody enters their own leave; a division's administrators also that of its people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.actions.leaves import cancel_leave, enter_leave
from approvals.exceptions import Refused
from approvals.forms_staff import LeaveForm
from approvals.web import conflict, put_on_form
from offices.access import Access
from offices.export import csv_response
from offices.lists import Listing, everything
from offices.models import Leave, Posting, User
from offices.web import PortalRequest, roles_required

Role = Posting.Role
everybody = roles_required(*Role.values)
ORDER = ("-starts_on", "-id")
HEAD = ("人员", "部门", "开始日期", "结束日期", "代理人", "事由", "状态", "登记人", "登记时间")
DIVISION = "division"
FOLLOWS = (
    "请假开始的当天起，不再抽取新的办件",
    "请假开始后十分钟内，名下尚未出具意见的办件移交：登记之后抽取的由代理人接办，其余重新抽取",
    "各项期限不变；销假之后，已移交的办件不再移回",
)


def administered(access: Access) -> QuerySet[User]:
    """People who serve in a division that this person administers, other than the person."""
    mine = Posting.objects.active(access.on).filter(
        user=OuterRef("pk"), department__division_id__in=access.divisions(Role.DIVISION_ADMIN)
    )
    found: QuerySet[User] = User.objects.filter(Exists(mine), is_active=True).exclude(pk=access.user.pk)
    return found.order_by("full_name", "pk")


def colleagues_of(person: User, access: Access) -> QuerySet[User]:
    """Who may stand in: active people of the person's departments."""
    departments = Posting.objects.active(access.on).filter(user=person).values("department_id")
    there = Posting.objects.active(access.on).filter(user=OuterRef("pk"), department_id__in=departments)
    found: QuerySet[User] = User.objects.filter(Exists(there), is_active=True).exclude(pk=person.pk)
    return found.order_by("full_name", "pk")


def visible(access: Access) -> QuerySet[Leave]:
    """The person's own leaves, and those of the people whom the person administers."""
    reach = Q(user=access.user)
    if access.has(Role.DIVISION_ADMIN):
        reach |= Q(user__in=administered(access).order_by().values("pk"))
    return Leave.objects.filter(reach).select_related("user", "deputy", "entered_by")


def state_of(leave: Leave, access: Access) -> dict[str, str]:
    """Label and tone of where a leave is today."""
    if leave.cancelled_at is not None:
        return {"label": "已销假", "tone": "neutral"}
    if leave.ends_on < access.on:
        return {"label": "已结束", "tone": "neutral"}
    return (
        {"label": "请假中", "tone": "warn"} if leave.starts_on <= access.on else {"label": "未开始", "tone": "active"}
    )


def is_over(leave: Leave, access: Access) -> bool:
    """Whether nothing is left to cancel."""
    return leave.cancelled_at is not None or leave.ends_on < access.on


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Leave]]:
    admin = request.access.has(Role.DIVISION_ADMIN)
    listing = Listing(
        request,
        reverse("leave:list"),
        q_label="姓名" if admin else "",
        placeholder="人员或代理人姓名",
        tabs=(DIVISION,) if admin else (),
    )
    rows = visible(request.access)
    rows = rows.exclude(user=request.user) if listing["tab"] else rows.filter(user=request.user)
    if text := listing["q"]:
        rows = rows.filter(Q(user__full_name__contains=text) | Q(deputy__full_name__contains=text))
    return listing, rows


@everybody
@require_safe
def leaves(request: PortalRequest) -> HttpResponse:
    """Own leaves; for administrators also their people's."""
    access = request.access
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    admin = access.has(Role.DIVISION_ADMIN)
    stats = []
    if admin:
        away = visible(access).exclude(user=request.user).filter(pk__in=Leave.objects.on(access.on)).count()
        own = Leave.objects.on(access.on).filter(user=request.user).count()
        stats = listing.stats([("", "本人今天请假", own, "warn"), (DIVISION, "本区划今天请假", away, "warn")])
    context = {
        "rows": [{"leave": one, "state": state_of(one, access), "over": is_over(one, access)} for one in page],
        "stats": stats,
        "bar": listing.bar() if admin else None,
        "others": bool(listing["tab"]),
        "narrowed": bool(listing["q"]),
        "clear_url": listing.address(q=""),
        "pager": listing.pager(page, "次"),
        "export_url": listing.address(reverse("leave:export")),
        "first": next((one.pk for one in page if not is_over(one, access)), None),
    }
    return render(request, "leave/list.html", context)


@everybody
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)
    access = request.access

    def lines(found: list[Leave]) -> list[Sequence[Any]]:
        where: dict[int, list[str]] = {}
        postings = Posting.objects.active(access.on).filter(user__in=[one.user_id for one in found])
        for user, name in postings.values_list("user_id", "department__name").order_by("pk"):
            if name not in where.setdefault(user, []):
                where[user].append(name)
        return [
            (
                one.user.full_name, "、".join(where.get(one.user_id, [])), one.starts_on, one.ends_on,
                one.deputy.full_name if one.deputy else "", one.reason, state_of(one, access)["label"],
                one.entered_by.full_name, f"{timezone.localtime(one.entered_at):%Y-%m-%d %H:%M}",
            )
            for one in found
        ]  # fmt: skip

    name = "本区划请假" if listing["tab"] else "请假"
    return csv_response(f"{name}-{access.on:%Y%m%d}", HEAD, everything(rows, ORDER, lines))


@everybody
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Enter a leave: one's own, or (``?user=``) that of somebody whom the administrator administers."""
    access = request.access
    people = administered(access) if access.has(Role.DIVISION_ADMIN) else User.objects.none()
    asked = request.GET.get("user", "")
    person = get_object_or_404(people, pk=asked if asked.isdigit() else 0) if asked else request.user
    colleagues = colleagues_of(person, access)
    form = LeaveForm(request.POST if request.method == "POST" else None, colleagues=colleagues)
    if form.is_valid():
        try:
            made = enter_leave(person, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            put_on_form(form, error)
        else:
            whose = "" if person == request.user else f"{person.full_name}的"
            messages.success(request, f"已登记{whose}请假：{made.starts_on:%Y-%m-%d} 至 {made.ends_on:%Y-%m-%d}。")
            tab = "" if person == request.user else f"?tab={DIVISION}"
            return redirect(reverse("leave:list") + tab)
    context = {
        "form": form,
        "whose": person,
        "own": person == request.user,
        "people": list(people.values_list("pk", "full_name", "username")),
        "crumbs": [{"label": "请假", "url": reverse("leave:list")}],
        "follows": FOLLOWS,
    }
    return render(request, "leave/new.html", context, status=422 if form.is_bound else 200)


@everybody
@require_POST
def cancel(request: PortalRequest, pk: int) -> HttpResponse:
    """销假."""
    leave = get_object_or_404(visible(request.access), pk=pk)
    url = reverse("leave:list") + ("" if leave.user_id == request.user.pk else f"?tab={DIVISION}")
    try:
        cancel_leave(leave, by=request.user, now=request.now)
    except Refused as error:
        return conflict(request, error, url)
    messages.success(request, f"{leave.user.full_name}已销假，可以重新被抽取。")
    return redirect(url)
