"""联合奖惩: the list of what a department decided, a new measure, a measure's page, ending it early (L12c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from credit import lists, lists_measures, proposing
from credit.actions import measures
from credit.forms_measures import EndForm, MeasureForm
from credit.lists import Tab, own
from credit.models import CreditRecord, JointMeasure, MeasureRule
from credit.views_breaches import act, officers, shown
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Department
from offices.web import PortalRequest

HEAD = (
    "类别", "主体", "主体代码", "措施", "法律依据", "依据的记录", "决定单位", "决定时间", "开始日期", "结束日期",
    "状态", "提前终止时间", "提前终止的理由",
)  # fmt: skip
CRUMB = {"label": "联合奖惩", "url": "/credit/measures/"}
BEGIN_FOLLOWS = (
    "在所填期间内实施，到期自动结束",
    "依据信用记录的联合惩戒，记录修复或者更正时随之终止",
    "记入主体的留痕；不记入信用记录，不列入严重失信主体名单",
)
END_FOLLOWS = ("措施自现在起终止，留痕仍在", "信用记录不变", "终止后不能恢复，需要的另行决定")


def _listing(request: PortalRequest) -> tuple[Listing, Tab, QuerySet[JointMeasure]]:
    listing = Listing(
        request,
        reverse("credit:measures"),
        filters=[Filter("kind", "类别", JointMeasure.Kind.choices)],
        q_label="措施、文号、名称或代码",
        placeholder="措施、文号、名称或统一社会信用代码",
        tabs=[tab.key for tab in lists_measures.MEASURES if tab.key],
    )
    tab = lists.tab_of(lists_measures.MEASURES, listing["tab"])
    rows = lists_measures.measures(request.access).filter(
        lists_measures.condition(tab.key, local_date(request.now))
    )  # fmt: skip
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    return listing, tab, lists_measures.with_rows(lists_measures.searched(rows, listing["q"]))


@officers
@require_safe
def measure_list(request: PortalRequest) -> HttpResponse:
    """What the department decided."""
    listing, tab, rows = _listing(request)
    today = local_date(request.now)
    page = listing.page(rows, tab.order)
    counts = lists_measures.counts(request.access, today)
    context = {
        "tab": tab,
        "rows": [
            {
                "measure": one,
                "state": lists_measures.state_of(one, today),
                "url": reverse("credit:measure", args=[one.pk]),
            }
            for one in page
        ],
        "stats": listing.stats([(one.key, one.label, counts[one.key], one.tone) for one in lists_measures.MEASURES]),
        "bar": listing.bar(),
        "pager": listing.pager(page, "项"),
        "export_url": listing.address(reverse("credit:measures_export")),
        "clear_url": listing.address(q="", kind=""),
    }
    return shown(request, "credit/measures.html", context)


@officers
@require_safe
def measures_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons are masked."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: JointMeasure) -> Sequence[Any]:
        return (
            one.get_kind_display(), one.subject.public_name, one.subject.code or "", one.what, one.basis,
            one.record.source if one.record else "", one.department.name, moment(one.decided_at), one.starts_on,
            one.ends_on, lists_measures.state_of(one, today)["label"], moment(one.ended_at), one.end_reason,
        )  # fmt: skip

    lines = everything(rows, tab.order, lambda found: map(line, found))
    return csv_response(f"联合奖惩-{tab.label}-{today:%Y%m%d}", HEAD, lines)


# --- a new one


def _asked(request: PortalRequest, name: str) -> int | None:
    """A key in the address; 404 for what is none."""
    asked = request.GET.get(name, "")
    if not asked:
        return None
    if not asked.isdecimal() or len(asked) > 18:
        raise Http404
    return int(asked)


def _ground(request: PortalRequest) -> CreditRecord | None:
    """The record of the person's departments from whose page it came; 404 for another."""
    pk = _asked(request, "record")
    rows = lists.records(request.access).select_related("subject")
    return get_object_or_404(rows, pk=pk) if pk is not None else None


def _rule(request: PortalRequest, record: CreditRecord | None) -> MeasureRule | None:
    """The line of the list that proposed it for the record; 404 for one that there is not, or without a record."""
    pk = _asked(request, "rule")
    if pk is None:
        return None
    if record is None:
        raise Http404
    return get_object_or_404(MeasureRule, pk=pk)


def _initial(record: CreditRecord | None, rule: MeasureRule | None, today: dt.date) -> dict[str, Any]:
    """What the form begins with."""
    penal = record is None or record.kind in measures.GROUNDS[measures.PENALTY]
    found: dict[str, Any] = {"kind": "penalty" if penal else "reward", "starts_on": today}
    if record is not None and rule is not None:
        found |= {"what": rule.what, "basis": rule.basis, "ends_on": proposing.last_day(record, rule, today)}
        found["department"] = record.department_id
    return found


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def measure_new(request: PortalRequest) -> HttpResponse:
    """Decide on a reward or a penalty, on a record (``?record=``) or for a subject by its code.

    ``?rule=``: the line of the city's list that proposed it; its words stand in the form, a person decides on them.
    """
    record, today = _ground(request), local_date(request.now)
    rule = _rule(request, record)
    departments = list(Department.objects.filter(pk__in=own(request.access)).order_by("pk"))
    form = MeasureForm(
        request.POST if request.method == "POST" else None, departments=departments, record=record, today=today,
        rule=rule, initial=_initial(record, rule, today),
    )  # fmt: skip

    def begin() -> JointMeasure:
        said = form.cleaned_data
        subject = record.subject if record else measures.find_subject(said["identifier"])
        kind = rule.kind if rule else said["kind"]
        return measures.begin(
            subject, kind=kind, what=said["what"], basis=said["basis"],
            department=lists_measures.department_for(request.access, said.get("department")),
            record=record or measures.find_record(subject, said["source"], kind, today), starts_on=said["starts_on"],
            ends_on=said["ends_on"], by=request.user, now=request.now, rule=rule,
        )  # fmt: skip

    if request.method == "POST":
        answer = act(
            request, form, begin, "已决定实施，到期自动结束。", back=reverse("credit:measures"),
            onwards=lambda one: reverse("credit:measure", args=[one.pk]),
        )  # fmt: skip
        if answer is not None:
            return answer
    context = {
        "form": form,
        "record": record,
        "rule": rule,
        "most": measures.longest_end(record, today) if record else None,
        "crumbs": [CRUMB],
        "follows": BEGIN_FOLLOWS,
    }
    return shown(request, "credit/measure_new.html", context, form)


# --- one of them


def _measure(request: PortalRequest, pk: int) -> JointMeasure:
    """A measure of the person's departments; 404 otherwise."""
    rows = lists_measures.measures(request.access).select_related(
        "subject", "record__subject", "rule", "department", "decided_by", "ended_by"
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def _lead(measure: JointMeasure, running: bool) -> str:
    if measure.ended_at is not None:
        return "这项措施已提前终止，仅供留痕查阅。"
    return "到期自动结束；需要提前终止的，写明理由。" if running else "这项措施已到期，仅供留痕查阅。"


def _measure_page(request: PortalRequest, measure: JointMeasure, form: BaseForm | None = None) -> HttpResponse:
    today = local_date(request.now)
    running = measure.ended_at is None and measure.ends_on >= today
    own_record = measure.record if measure.record and measure.record.department_id in own(request.access) else None
    context = {
        "measure": measure,
        "state": lists_measures.state_of(measure, today),
        "lead": _lead(measure, running),
        "crumbs": [CRUMB],
        "record_url": reverse("credit:record", args=[own_record.pk]) if own_record else "",
        "form": (form or EndForm()) if running else None,
        "follows": END_FOLLOWS,
    }
    return shown(request, "credit/measure.html", context, form)


@officers
@require_safe
def measure_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One measure: what it rests on, from when until when, how it ended."""
    return _measure_page(request, _measure(request, pk))


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def measure_end(request: PortalRequest, pk: int) -> HttpResponse:
    """提前终止."""
    measure = _measure(request, pk)
    back = reverse("credit:measure", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = EndForm(request.POST)
    answer = act(
        request, form, lambda: measures.end(measure, **form.cleaned_data, by=request.user, now=request.now),
        "已提前终止。", back=back,
    )  # fmt: skip
    return answer or _measure_page(request, measure, form)
