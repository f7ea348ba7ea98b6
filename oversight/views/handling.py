"""差异化办理: which ways a credit grade opens; all on staff read it, the city's administrators change a cell (L12a).

A change is looked at before it is made: the form leads to a preview of who would move, and is confirmed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from credit import handling
from credit.handling import LONGEST_BASIS, HandlingRefused
from credit.models import CreditSubject, Grade, HandlingPreview, HandlingRule, HandlingWay, SubjectGrade
from deadlines.clock import local_date
from offices.export import csv_response
from offices.keyset import Page
from offices.lists import Listing
from offices.models import Division, Posting
from offices.refusals import Refused
from offices.refusing import conflict
from offices.web import PortalRequest, roles_required
from oversight import previews
from oversight.actions import previewing

Role = Posting.Role
State = HandlingPreview.State
UNSETTLED = (State.RUNNING, State.READY)
PREVIEW_TONES = {State.RUNNING: "active", State.READY: "warn", State.CONFIRMED: "good", State.DROPPED: "neutral"}
HEAD = ("信用等级", "办理方式", "是否适用", "依据", "已调整")
CRUMB_LABEL = "差异化办理"
FOLLOWS = ("现在不改动对照表", "由后台逐个核对主体，列出谁会变化、影响多少未决办件", "看过结果再确认或者放弃")
DROP_FOLLOWS = ("对照表不变", "之后可以重新预览")
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
    counts |= dict(newest.exclude(grade=Grade.NONE).order_by().values_list("grade").annotate(Count("pk")))
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


def _unsettled() -> list[dict[str, str]]:
    """Changes that were looked at and neither confirmed nor dropped; one statement."""
    rows = HandlingPreview.objects.filter(state__in=UNSETTLED).order_by("pk")
    return [
        {"label": f"{_label(one)}改为{_word(one.is_open)}", "state": one.get_state_display(), "url": _preview_url(one)}
        for one in rows
    ]


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
        "previews": _unsettled() if change else [],
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
    """Propose a change of one cell, with its basis; it leads to the preview."""
    way = way.replace("-", "_")
    if not may_change(request) or grade not in Grade.values or way not in HandlingWay.values:
        raise Http404
    if way == HandlingWay.FULL:
        raise Http404
    now_open = handling.table()[grade, way]
    open_one = HandlingPreview.objects.filter(grade=grade, way=way, state__in=UNSETTLED).first()
    form = CellForm(request.POST if request.method == "POST" else None, initial={"state": _state(now_open.is_open)})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            preview = previewing.begin(
                grade, way, is_open=said["state"] == "open", basis=said["basis"], by=request.user, now=request.now
            )
        except HandlingRefused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        except Refused as error:
            return conflict(request, error, _preview_url(open_one) if open_one else request.path, form)
        else:
            return redirect(_preview_url(preview))
    rows = _changes().filter(grade=grade, way=way).order_by("-history_id")[:20]
    context = {
        "grade": Grade(grade),
        "way": HandlingWay(way),
        "cell": now_open,
        "word": _word(now_open.is_open),
        "count": subjects_by_grade()[grade],
        "form": form,
        "open_url": _preview_url(open_one) if open_one else "",
        "follows": FOLLOWS,
        "entries": _entries(Page(list(rows), "", "")),
        "crumbs": [{"label": CRUMB_LABEL, "url": reverse("division:handling")}],
        "here": "handling",
    }
    return render(request, "oversight/handling_cell.html", context, status=422 if form.is_bound else 200)


def _state(is_open: bool) -> str:
    return "open" if is_open else "closed"


# --- looking before changing


def _preview_url(preview: HandlingPreview) -> str:
    return reverse("division:handling_preview", args=[preview.pk])


def _preview(request: PortalRequest, pk: int) -> HandlingPreview:
    """A preview, for who may change the table; 404 otherwise."""
    if not may_change(request):
        raise Http404
    return get_object_or_404(HandlingPreview.objects.select_related("asked_by", "settled_by"), pk=pk)


def _label(preview: HandlingPreview) -> str:
    return f"“{preview.get_grade_display()}”的{preview.get_way_display()}"


def _progress(preview: HandlingPreview) -> dict[str, Any]:
    return {
        "percent": preview.percent,
        "text": f"已核对 {preview.looked_at} 个主体，共 {preview.total} 个"
        if preview.total
        else "正在排队，几秒后开始。",
        "busy": preview.is_busy,
        "error": preview.error,
    }


def follows(preview: HandlingPreview) -> list[str]:
    """What the change would bring about, in sentences."""
    way, grade = preview.get_way_display(), preview.get_grade_display()
    if preview.is_open == preview.was_open:
        return [f"“{grade}”仍然{_word(preview.is_open)}“{way}”，只调整依据", "记入留痕和变更记录，注明依据"]
    said = [f"{preview.moving} 个主体此后的信用查询{'适用' if preview.is_open else '不再适用'}“{way}”"]
    if not preview.is_open:
        said.append("窗口人员写明理由，仍可以作出与规则不同的决定")
    if preview.cases:
        said.append(f"这些主体有 {preview.cases} 件未决办件已采用“{way}”，按已存入的查询结果继续办理")
    if preview.barred:
        said.append(f"另有 {preview.barred} 个主体有未修复的失信记录，不论怎样调整都不适用“{way}”")
    return [*said, "已存入办件的查询结果不变", "记入留痕和变更记录，注明依据"]


def _lead(preview: HandlingPreview, *, old: bool) -> str:
    if preview.is_busy:
        return "正在核对谁会变化；对照表还没有改动，可以离开本页，稍后回来看。"
    if preview.state == State.READY:
        return "预览已经过时，请放弃后重新预览。" if old else "对照表还没有改动；看过结果再确认。"
    return "已按这份预览调整。" if preview.state == State.CONFIRMED else "已放弃，没有按这份预览调整。"


def _preview_page(request: PortalRequest, found: HandlingPreview) -> HttpResponse:
    old = found.state == State.READY and previewing.is_old(found, request.now)
    names = CreditSubject.objects.only("kind", "name", "code").in_bulk(found.first)
    facts = [
        {"label": "信用等级", "value": found.get_grade_display()},
        {"label": "办理方式", "value": found.get_way_display()},
        {"label": "预览时", "value": _word(found.was_open)},
        {"label": "拟改为", "value": _word(found.is_open)},
        {"label": "依据", "value": found.basis, "wide": True},
        {"label": "预览", "value": f"{found.asked_by.full_name}，{timezone.localtime(found.asked_at):%Y-%m-%d %H:%M}"},
    ]
    if found.settled_by and found.settled_at:
        said = f"{found.settled_by.full_name}，{timezone.localtime(found.settled_at):%Y-%m-%d %H:%M}"
        facts.append({"label": found.get_state_display(), "value": said})
    context = {
        "preview": found,
        "label": _label(found),
        "lead": _lead(found, old=old),
        "badge": {"label": found.get_state_display(), "tone": PREVIEW_TONES[State(found.state)]},
        "crumbs": [
            {"label": CRUMB_LABEL, "url": reverse("division:handling")},
            {
                "label": f"{found.get_grade_display()}：{found.get_way_display()}",
                "url": reverse("division:handling_cell", args=[found.grade, found.way.replace("_", "-")]),
            },
        ],
        "facts": facts,
        "progress": _progress(found),
        "state_url": reverse("division:handling_preview_state", args=[found.pk]),
        "verb": "获得" if found.is_open else "失去",
        "same": found.is_open == found.was_open,
        "figures": [
            {"label": "变化的主体", "value": f"{found.moving} 个"},
            {"label": "法人或其他组织", "value": f"{found.organisations} 个"},
            {"label": "自然人", "value": f"{found.persons} 个"},
            {"label": "因失信记录不受影响", "value": f"{found.barred} 个"},
            {"label": "已采用该方式的未决办件", "value": _cases(found)},
            {"label": "核对的主体", "value": f"{found.looked_at} 个"},
        ],
        "names": [names[pk] for pk in found.first if pk in names],
        "rest": found.organisations - len(found.first),
        "may_confirm": found.state == State.READY and not old,
        "follows": follows(found),
        "drop_follows": DROP_FOLLOWS,
        "here": "handling",
    }
    return render(request, "oversight/handling_preview.html", context)


def _cases(found: HandlingPreview) -> str:
    return f"{found.cases} 件" if found.way in previews.TOOK else "办件不单独登记该方式"


@roles_required(Role.DIVISION_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: PortalRequest, pk: int) -> HttpResponse:
    """Who would move and what would follow; ``act``: ``confirm`` or ``drop``."""
    found = _preview(request, pk)
    if request.method != "POST":
        return _preview_page(request, found)
    confirms = request.POST.get("act") == "confirm"
    act = previewing.confirm if confirms else previewing.drop
    try:
        act(found, by=request.user, now=request.now)
    except Refused as error:
        return conflict(request, error, _preview_url(found))
    said = f"已改为{_word(found.is_open)}，此后的信用查询适用。" if confirms else "没有改动，预览已放弃。"
    messages.success(request, f"{_label(found)}{said}")
    return redirect("division:handling")


@require_safe
def preview_state(request: PortalRequest, pk: int) -> HttpResponse:
    """The progress alone, for htmx; when the worker is done, or the person is signed out, the page is loaded anew."""
    found = _preview(request, pk) if request.user.is_authenticated else None
    if found is None or not found.is_busy:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "calendar/_progress.html", {"progress": _progress(found)})
