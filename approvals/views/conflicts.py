"""回避申报: whose cases are not for oneself. Each sees their own; nothing tells whether the other ever applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.actions.leaves import declare_conflict, end_conflict
from approvals.exceptions import Refused
from approvals.forms_staff import ConflictForm
from approvals.models import Conflict
from approvals.web import conflict, put_on_form
from offices.access import Access
from offices.export import csv_response
from offices.lists import Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required

everybody = roles_required(*Posting.Role.values)
ORDER = ("-declared_at", "-id")
HEAD = ("证照号码", "类型", "关系", "状态", "申报时间", "解除时间")
FOLLOWS = ("此后抽取这一主体的办件时，不再抽取您", "只有您本人看得到对方是谁；申报和解除记入留痕")


def own(access: Access) -> QuerySet[Conflict]:
    """The person's own declarations."""
    return Conflict.objects.filter(user=access.user)


def state_of(one: Conflict) -> dict[str, str]:
    """Label and tone of a declaration."""
    return {"label": "已解除", "tone": "neutral"} if one.ended_at else {"label": "生效中", "tone": "active"}


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Conflict]]:
    listing = Listing(
        request, reverse("conflicts:list"), q_label="代码或关系", placeholder="信用代码、关系中的字词", tabs=("ended",)
    )
    rows = own(request.access).filter(ended_at__isnull=not listing["tab"])
    if text := listing["q"]:
        rows = rows.filter(shown__contains=text.upper()) | rows.filter(reason__contains=text)
    return listing, rows


@everybody
@require_safe
def conflicts(request: PortalRequest) -> HttpResponse:
    """What one declared, the newest first."""
    listing, rows = _listing(request)
    page = listing.page(rows, ORDER)
    mine = own(request.access)
    context = {
        "rows": [{"conflict": one, "state": state_of(one)} for one in page],
        "stats": listing.stats(
            [
                ("", "生效中", mine.filter(ended_at__isnull=True).count(), "active"),
                ("ended", "已解除", mine.filter(ended_at__isnull=False).count(), "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "clear_url": listing.url,
        "pager": listing.pager(page, "条"),
        "export_url": listing.address(reverse("conflicts:export")),
    }
    return render(request, "conflicts/list.html", context)


@everybody
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows = _listing(request)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def lines(found: list[Conflict]) -> list[Sequence[Any]]:
        return [
            (
                one.shown, one.get_kind_display(), one.reason, state_of(one)["label"],
                moment(one.declared_at), moment(one.ended_at),
            )
            for one in found
        ]  # fmt: skip

    return csv_response(f"回避申报-{request.access.on:%Y%m%d}", HEAD, everything(rows, ORDER, lines))


@everybody
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Declare one."""
    form = ConflictForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            declare_conflict(**form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            put_on_form(form, error)
        else:
            messages.success(request, "已申报回避，此后不再抽取您办理该主体的办件。")
            return redirect("conflicts:list")
    context = {
        "form": form,
        "crumbs": [{"label": "回避申报", "url": reverse("conflicts:list")}],
        "follows": FOLLOWS,
    }
    return render(request, "conflicts/new.html", context, status=422 if form.is_bound else 200)


@everybody
@require_POST
def end(request: PortalRequest, pk: int) -> HttpResponse:
    """解除."""
    one = get_object_or_404(own(request.access), pk=pk)
    url = reverse("conflicts:list")
    try:
        end_conflict(one, by=request.user, now=request.now)
    except Refused as error:
        return conflict(request, error, url)
    messages.success(request, "已解除，此后可以抽取您办理该主体的办件。")
    return redirect(url)
