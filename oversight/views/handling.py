"""差异化办理: which ways a credit grade opens; all on staff read it, the city's administrators change a cell (L12a)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit import handling
from credit.handling import LONGEST_BASIS, HandlingRefused
from credit.models import CreditSubject, Grade, HandlingRule, HandlingWay, SubjectGrade
from deadlines.clock import local_date
from offices.export import csv_response
from offices.keyset import Page
from offices.lists import Listing
from offices.models import Division, Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
HEAD = ("信用等级", "办理方式", "是否适用", "依据", "已调整")
FOLLOWS = ("只对此后的信用查询生效，已存入办件的查询结果不变", "记入留痕和变更记录，注明依据")
STATES = [("open", "适用"), ("closed", "不适用")]


class CellForm(forms.Form):
    """Open or closed, and on what that rests."""

    state = forms.ChoiceField(
        label="是否适用",
        choices=STATES,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择适用或者不适用。"},
    )
    basis = forms.CharField(
        label="依据",
        max_length=LONGEST_BASIS,
        help_text="文件的名称和文号，或者会议纪要。",
        error_messages={"required": "请写明调整的依据（文件名称、文号或者会议纪要）。"},
    )


def may_change(request: PortalRequest) -> bool:
    """Whether the person administers the city: one table counts for all its counties and zones."""
    own = request.access.divisions(Role.DIVISION_ADMIN)
    return Division.objects.filter(pk__in=own, parent__isnull=True).exists()


def subjects_by_grade() -> dict[str, int]:
    """How many subjects have each grade as their newest; ``none`` are all the rest. Two statements."""
    later = Q(given_at__gt=OuterRef("given_at")) | Q(given_at=OuterRef("given_at"), pk__gt=OuterRef("pk"))
    newest = SubjectGrade.objects.exclude(Exists(SubjectGrade.objects.filter(later, subject=OuterRef("subject"))))
    counts = dict.fromkeys(Grade.values, 0)
    counts |= dict(newest.order_by().values_list("grade").annotate(Count("pk")))
    counts[Grade.NONE] = CreditSubject.objects.count() - sum(counts.values())
    return counts


def _changes() -> QuerySet[Any]:
    before = HandlingRule.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    rows: QuerySet[Any] = HandlingRule.history.select_related("history_user").annotate(
        before=Subquery(before.order_by("-history_id").values("is_open")[:1])
    )
    return rows


def _entries(page: Page[Any]) -> list[dict[str, Any]]:
    return [
        {
            "at": row.history_date,
            "label": f"{row.get_grade_display()}、{row.get_way_display()}：{_word(row.is_open)}"
            f"（此前{_word(_before(row))}）",
            "who": row.history_user.full_name if row.history_user else "",
            "note": f"依据：{row.basis}",
            "tone": "active" if row.is_open else "warn",
        }
        for row in page.rows
    ]


def _before(row: Any) -> bool:
    proposed = row.grade in handling.PROPOSED[row.way]
    return proposed if row.before is None else bool(row.before)


def _word(is_open: bool) -> str:
    return "适用" if is_open else "不适用"


@roles_required(*Role.values)
@require_safe
def table(request: PortalRequest) -> HttpResponse:
    """The table with its basis, how many subjects each grade has, and what was changed by whom."""
    cells, counts, change = handling.table(), subjects_by_grade(), may_change(request)
    listing = Listing(request, reverse("division:handling"))
    page = listing.page(_changes(), ("-history_id",))
    rows = [
        {
            "grade": Grade(grade),
            "count": counts[grade],
            "cells": [
                {
                    "cell": cells[grade, way],
                    "way": HandlingWay(way),
                    "url": reverse("division:handling_cell", args=[grade, way.replace("_", "-")]),
                    "fixed": way == HandlingWay.FULL,
                }
                for way in HandlingWay.values
            ],
        }
        for grade in Grade.values
    ]
    context = {
        "rows": rows,
        "ways": [HandlingWay(way).label for way in HandlingWay.values],
        "basis": handling.BASIS,
        "may_change": change,
        "is_admin": request.access.has(Role.DIVISION_ADMIN),
        "entries": _entries(page),
        "pager": listing.pager(page, "次变更"),
        "export_url": reverse("division:handling_export"),
        "here": "handling",
    }
    return render(request, "oversight/handling.html", context)


@roles_required(*Role.values)
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The table as CSV."""

    def lines() -> Iterator[Sequence[Any]]:
        for cell in handling.table().values():
            changed = "是" if cell.changed else "否"
            yield (Grade(cell.grade).label, HandlingWay(cell.way).label, _word(cell.is_open), cell.basis, changed)

    return csv_response(f"差异化办理-{local_date(request.now):%Y%m%d}", HEAD, lines())


@roles_required(Role.DIVISION_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def cell(request: PortalRequest, grade: str, way: str) -> HttpResponse:
    """Change one cell, with its basis; the page says how many subjects it concerns."""
    way = way.replace("-", "_")
    if not may_change(request) or grade not in Grade.values or way not in HandlingWay.values:
        raise Http404
    if way == HandlingWay.FULL:
        raise Http404
    now_open = handling.table()[grade, way]
    form = CellForm(request.POST if request.method == "POST" else None, initial={"state": _state(now_open.is_open)})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            handling.set_cell(
                grade, way, is_open=said["state"] == "open", basis=said["basis"], by=request.user, now=request.now
            )
        except HandlingRefused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            label = f"“{Grade(grade).label}”的{HandlingWay(way).label}"
            messages.success(request, f"{label}已改为{_word(said['state'] == 'open')}，此后的信用查询适用。")
            return redirect("division:handling")
    rows = _changes().filter(grade=grade, way=way).order_by("-history_id")[:20]
    context = {
        "grade": Grade(grade),
        "way": HandlingWay(way),
        "cell": now_open,
        "word": _word(now_open.is_open),
        "count": subjects_by_grade()[grade],
        "form": form,
        "follows": FOLLOWS,
        "entries": _entries(Page(list(rows), "", "")),
        "crumbs": [{"label": "差异化办理", "url": reverse("division:handling")}],
        "here": "handling",
    }
    return render(request, "oversight/handling_cell.html", context, status=422 if form.is_bound else 200)


def _state(is_open: bool) -> str:
    return "open" if is_open else "closed"
