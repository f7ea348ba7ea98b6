"""信用规则: versions of the rules on display and repair; the city's administrators enter the next one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit.actions import ruling
from credit.models import Level, RuleVersion
from credit.rules import FIRST, Span, Version, in_force, versions
from credit.words import cn_day
from deadlines.clock import local_date
from offices.lists import Listing
from offices.models import Posting
from offices.refusals import Refused
from offices.refusing import conflict, put_on_form
from offices.web import PortalRequest, roles_required
from oversight.views.handling import may_change

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
FOLLOWS = (
    "自施行日期起认定的失信行为适用新的期限，此前认定的仍适用原来的规则",
    "已经记录的公示期限和最早修复日期不变",
    "记入留痕；施行之前可以调整，施行之后不能再改",
)


def _months(label: str, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, min_value=0, max_value=ruling.MOST_MONTHS, help_text=help_text,
        error_messages={
            "required": f"请填写{label}。", "invalid": "请填写整数月数。", "min_value": "月数不能小于 0。",
            "max_value": f"最多 {ruling.MOST_MONTHS} 个月。",
        },
    )  # fmt: skip


class VersionForm(forms.Form):
    """The first day, the name, the basis, and of each level whether it is shown and its months."""

    starts_on = forms.DateField(
        label="施行日期", input_formats=["%Y-%m-%d"], help_text="今天或者以后。",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": "请填写施行日期。", "invalid": "请填写有效日期，例如 2026-10-10。"},
    )  # fmt: skip
    name = forms.CharField(
        label="名称", max_length=ruling.LONGEST["name"], error_messages={"required": "请填写规则的名称。"}
    )
    basis = forms.CharField(
        label="依据", max_length=ruling.LONGEST["basis"], help_text="文件的名称和文号。",
        error_messages={"required": "请写明依据（文件的名称和文号）。"},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for level in Level:
            self.fields[f"{level.value}_shown"] = forms.BooleanField(label=f"{level.label}：向社会公示", required=False)
            self.fields[f"{level.value}_shortest"] = _months(f"{level.label}：最短公示期（月）", "期满才可以申请修复。")
            self.fields[f"{level.value}_longest"] = _months(f"{level.label}：最长公示期（月）", "期满自动停止公示。")

    def groups(self) -> list[dict[str, Any]]:
        """The fields of each level, for the page."""
        return [
            {
                "label": level.label,
                "fields": [self[f"{level.value}_{part}"] for part in ("shown", "shortest", "longest")],
            }
            for level in Level
        ]

    def levels(self) -> dict[str, Span]:
        """What was said of each level."""
        said = self.cleaned_data
        return {
            level: Span(said[f"{level}_shown"], said[f"{level}_shortest"], said[f"{level}_longest"])
            for level in Level.values
        }


def _initial(version: Version) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for level, span in version.levels.items():
        found |= {f"{level}_shown": span.shown, f"{level}_shortest": span.shortest, f"{level}_longest": span.longest}
    return found


def _spans(version: Version) -> list[dict[str, str]]:
    return [
        {
            "label": str(level.label),
            "text": f"公示 {span.shortest} 至 {span.longest} 个月" if span.shown else "不公示",
        }
        for level in Level
        for span in [version.levels[level]]
    ]


@administrators
@require_safe
def versions_page(request: PortalRequest) -> HttpResponse:
    """All versions, the newest first, and what was entered by whom."""
    today, found = local_date(request.now), versions()
    now_in_force = in_force(found, today)
    pks = dict(RuleVersion.objects.values_list("starts_on", "pk"))
    change = may_change(request)
    listing = Listing(request, reverse("division:rules"))
    page = listing.page(RuleVersion.history.select_related("history_user"), ("-history_id",))
    context = {
        "rows": [
            {
                "version": one,
                "spans": _spans(one),
                "badge": {"label": "现行", "tone": "good"}
                if one is now_in_force
                else {"label": "未施行", "tone": "active"}
                if one.starts_on > today
                else {"label": "已被替代", "tone": "neutral"},
                "url": reverse("division:rule", args=[pks[one.starts_on]])
                if change and one is not FIRST and one.starts_on > today
                else "",
            }
            for one in reversed(found)
        ],
        "may_change": change,
        "entries": [
            {
                "at": row.history_date,
                "label": f"{'录入' if row.history_type == '+' else '调整'}：{row.name}，{cn_day(row.starts_on)}起施行",
                "who": row.history_user.full_name if row.history_user else "",
                "note": f"依据：{row.basis}",
                "tone": "active",
            }
            for row in page.rows
        ],
        "pager": listing.pager(page, "次变更"),
        "here": "rules",
    }
    return render(request, "oversight/credit_rules.html", context)


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def version(request: PortalRequest, pk: int | None = None) -> HttpResponse:
    """Enter a version, or change one that has not begun; at first it says what holds now."""
    if not may_change(request):
        raise Http404
    today, back = local_date(request.now), reverse("division:rules")
    row = get_object_or_404(RuleVersion, pk=pk) if pk is not None else None
    if row is not None and row.starts_on <= today and request.method != "POST":
        return redirect(back)
    if row is not None:
        initial = {"starts_on": row.starts_on, "name": row.name, "basis": row.basis}
        initial |= _initial(Version(row.starts_on, row.name, row.basis, {k: Span(*v) for k, v in row.levels.items()}))
    else:
        initial = _initial(in_force(versions(), today))
    form = VersionForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = {key: form.cleaned_data[key] for key in ("starts_on", "name", "basis")}
        try:
            ruling.enter(row, **said, levels=form.levels(), by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back, form)
            put_on_form(form, error)
        else:
            messages.success(request, f"“{said['name']}”已保存，{cn_day(said['starts_on'])}起施行。")
            return redirect(back)
    context = {
        "form": form,
        "groups": form.groups(),
        "row": row,
        "follows": FOLLOWS,
        "crumbs": [{"label": "信用规则", "url": back}],
        "here": "rules",
    }
    return render(request, "oversight/credit_rule.html", context, status=422 if form.is_bound else 200)
