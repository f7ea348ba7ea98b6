"""联合奖惩措施清单: what is proposed to departments by level and grade; the city's administrators keep it (L12c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit.actions import listing_measures
from credit.models import JointMeasure, MeasureKind, MeasureRule
from credit.models.measures import MOST_MONTHS, PENAL_LEVELS, REWARDED_GRADES
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, counted, everything
from offices.models import Posting
from offices.refusals import Refused
from offices.refusing import conflict, put_on_form
from offices.web import PortalRequest, roles_required
from oversight.views.handling import may_change

Role = Posting.Role
ORDER = ("-id",)
HEAD = ("类别", "依据的等级", "措施", "法律依据", "期限（月）", "状态", "停用理由")
CRUMB_LABEL = "奖惩措施清单"
CONDITIONS = {"": Q(is_on=True), "off": Q(is_on=False)}
LEVELS = [(level.value, level.label) for level in PENAL_LEVELS]
GRADES = [(grade.value, grade.label) for grade in REWARDED_GRADES]
ADD_FOLLOWS = (
    "此后按清单向各部门的信用管理员提出，由人决定；没有一项自动实施",
    "列入后不能改动；需要改动的，停用后重新列入",
    "记入留痕和变更记录",
)


class RuleForm(forms.Form):
    """A line: for whom, what, on which basis, for how long."""

    kind = forms.ChoiceField(
        label="类别", choices=MeasureKind.choices, widget=forms.RadioSelect, initial=MeasureKind.PENALTY,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "请选择联合激励或者联合惩戒。"),
    )  # fmt: skip
    level = forms.ChoiceField(
        label="失信等级（惩戒）", choices=[("", "请选择"), *LEVELS], required=False,
        help_text="联合惩戒按使用中的失信记录的等级提出；轻微失信不公示，不惩戒。",
    )  # fmt: skip
    grade = forms.ChoiceField(
        label="公共信用评价（激励）", choices=[("", "请选择"), *GRADES], required=False,
        help_text="联合激励按收到的最新评价提出；未评价不视为良好。",
    )  # fmt: skip
    what = forms.CharField(
        label="措施", max_length=listing_measures.LONGEST["what"], widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明具体措施，例如：列为重点监管对象。",
        error_messages={"required": "请写明采取的措施。", "max_length": "最多 500 字，请精简。"},
    )  # fmt: skip
    basis = forms.CharField(
        label="法律依据", max_length=listing_measures.LONGEST["basis"],
        help_text="法律、法规或者文件的名称、文号和条款，至少 10 个字。",
        error_messages={"required": "请写明法律依据（名称和条款）。", "max_length": "最多 200 字，请精简。"},
    )  # fmt: skip
    months = forms.IntegerField(
        label="期限（月）", min_value=1, max_value=MOST_MONTHS,
        help_text="自实施之日起；惩戒不长于所依据记录的公示期限。",
        error_messages={
            "required": "请填写期限。", "invalid": "请填写整数月数。", "min_value": "至少 1 个月。",
            "max_value": f"最多 {MOST_MONTHS} 个月。",
        },
    )  # fmt: skip


class OffForm(forms.Form):
    """停用, with its reason."""

    reason = forms.CharField(
        label="停用的理由", max_length=listing_measures.LONGEST["reason"], widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明停用的理由。", "max_length": "最多 500 字，请精简。"},
    )  # fmt: skip


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[MeasureRule]]:
    """The list as asked for, before its tab is applied."""
    listing = Listing(
        request,
        reverse("division:measure_rules"),
        filters=[
            Filter("kind", "类别", MeasureKind.choices),
            Filter("ground", "等级", [*LEVELS, *((value, f"评价{label}") for value, label in GRADES)]),
        ],
        q_label="措施或者依据",
        placeholder="措施、法律依据",
        tabs=("off",),
    )
    rows = MeasureRule.objects.all()
    if listing["kind"]:
        rows = rows.filter(kind=listing["kind"])
    if ground := listing["ground"]:
        rows = rows.filter(Q(level=ground) | Q(grade=ground))
    if text := listing["q"]:
        rows = rows.filter(Q(what__icontains=text) | Q(basis__icontains=text))
    return listing, rows


def _live(request: PortalRequest) -> QuerySet[JointMeasure]:
    """Measures begun by a line that run or are to begin."""
    return JointMeasure.objects.filter(
        rule__isnull=False, ended_at__isnull=True, ends_on__gte=local_date(request.now)
    )  # fmt: skip


def _state(rule: MeasureRule) -> dict[str, str]:
    return {"label": "启用", "tone": "good"} if rule.is_on else {"label": "已停用", "tone": "neutral"}


def _entry(row: Any) -> dict[str, Any]:
    return {
        "at": row.history_date,
        "label": f"{'列入' if row.history_type == '+' else '停用'}：{row.what[:60]}",
        "who": row.history_user.full_name if row.history_user else "",
        "note": f"理由：{row.off_reason}" if row.off_reason else f"依据：{row.basis}",
        "tone": "active" if row.is_on else "warn",
    }


@roles_required(*Role.values)
@require_safe
def rules(request: PortalRequest) -> HttpResponse:
    """The list, read by everybody on staff; each line with how many measures rest on it."""
    listing, rows = _listing(request)
    counts = counted(rows, {"on": CONDITIONS[""], "off": CONDITIONS["off"]})
    live = _live(request).filter(rule=OuterRef("pk")).order_by().values("rule").annotate(number=Count("pk"))
    found = rows.filter(CONDITIONS[listing["tab"]]).annotate(
        live=Coalesce(Subquery(live.values("number"), output_field=IntegerField()), 0)
    )
    page = listing.page(found, ORDER)
    changes = MeasureRule.history.select_related("history_user").order_by("-history_id")[:20]
    context = {
        "rows": [
            {"rule": one, "state": _state(one), "url": reverse("division:measure_rule", args=[one.pk])} for one in page
        ],
        "off": listing["tab"] == "off",
        "stats": listing.stats([("", "启用", counts["on"], "neutral"), ("off", "已停用", counts["off"], "neutral")]),
        "bar": listing.bar(),
        "pager": listing.pager(page, "项"),
        "clear_url": listing.address(q="", kind="", ground=""),
        "export_url": listing.address(reverse("division:measure_rules_export")),
        "entries": [_entry(row) for row in changes],
        "may_change": may_change(request),
        "is_admin": request.access.has(Role.DIVISION_ADMIN),
        "here": "measure_rules",
    }
    return render(request, "oversight/measure_rules.html", context)


@roles_required(*Role.values)
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)

    def line(one: MeasureRule) -> Sequence[Any]:
        return (
            one.get_kind_display(), one.ground, one.what, one.basis, one.months, _state(one)["label"], one.off_reason,
        )  # fmt: skip

    lines = everything(rows.filter(CONDITIONS[listing["tab"]]), ORDER, lambda found: map(line, found))
    return csv_response(f"联合奖惩措施清单-{local_date(request.now):%Y%m%d}", HEAD, lines)


@roles_required(Role.DIVISION_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PortalRequest) -> HttpResponse:
    """Add a line to the list."""
    if not may_change(request):
        raise Http404
    back = reverse("division:measure_rules")
    form = RuleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            listing_measures.add(**form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            put_on_form(form, error)
        else:
            messages.success(request, "已列入清单，此后按它向各部门提出。")
            return redirect(back)
    context = {
        "form": form,
        "follows": ADD_FOLLOWS,
        "crumbs": [{"label": CRUMB_LABEL, "url": back}],
        "here": "measure_rules",
    }
    return render(request, "oversight/measure_rule_new.html", context, status=422 if form.is_bound else 200)


@roles_required(*Role.values)
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: PortalRequest, pk: int) -> HttpResponse:
    """One line; the city's administrators switch it off here."""
    change = may_change(request)
    if request.method == "POST" and not change:
        raise Http404
    found = get_object_or_404(MeasureRule, pk=pk)
    back = reverse("division:measure_rule", args=[pk])
    form = OffForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            listing_measures.switch_off(found, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back, form)
            put_on_form(form, error)
        else:
            messages.success(request, "已停用，此后不再提出。")
            return redirect(back)
    live = _live(request).filter(rule=found).count()
    changes = MeasureRule.history.filter(id=pk).select_related("history_user").order_by("-history_id")
    context = {
        "rule": found,
        "state": _state(found),
        "live": live,
        "form": form if change and found.is_on else None,
        "follows": [
            "此后不再按它向各部门提出",
            f"已按它实施的 {live} 项措施不变，到期自动结束" if live else "没有正在实施的措施",
            "停用后不能恢复；需要的，重新列入",
            "记入留痕和变更记录，注明理由",
        ],
        "entries": [_entry(row) for row in changes],
        "crumbs": [{"label": CRUMB_LABEL, "url": reverse("division:measure_rules")}],
        "here": "measure_rules",
    }
    return render(request, "oversight/measure_rule.html", context, status=422 if form.is_bound else 200)
