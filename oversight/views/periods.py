"""期限设定: the table of clocks, what the division's own lengths are, and setting them where the law leaves room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.models import BusinessItem
from deadlines import periods as rules
from deadlines import table, words
from deadlines.clock import local_date
from deadlines.kinds import KINDS, KindCode
from deadlines.models import PeriodRule
from deadlines.periods import PeriodRefused
from offices.export import csv_response
from offices.keyset import Page
from offices.lists import Filter, Listing
from offices.models import Division, Posting
from offices.web import PortalRequest, roles_required
from oversight.forms_periods import PeriodForm
from oversight.queries import own_items

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
HEAD = (
    *table.HEAD, "业务办理项", "本区划长度", "依据或理由", "批准人", "设定人", "设定时间",
)  # fmt: skip
FOLLOWS = {
    "set": ("只对此后起算的期限生效，正在计时的期限不变", "记入本区划留痕和变更记录"),
    "off": ("此后起算的期限恢复为原来的长度，正在计时的期限不变", "记入本区划留痕和变更记录"),
}
TABS = ("room", "own", "closed")


def own_divisions(request: PortalRequest) -> QuerySet[Division]:
    """The divisions that the person administers."""
    return Division.objects.filter(pk__in=request.access.divisions(Role.DIVISION_ADMIN)).order_by("code")


def own_rules(request: PortalRequest) -> QuerySet[PeriodRule]:
    """Their rules, in force or taken back."""
    return PeriodRule.objects.filter(division__in=own_divisions(request)).select_related("division", "set_by")


def _listing(request: PortalRequest, divisions: Sequence[Division]) -> tuple[Listing, Division]:
    several = [Filter("division", "区划", [(one.code, one.name) for one in divisions[1:]], divisions[0].name)]
    listing = Listing(request, reverse("division:periods"), filters=several if len(divisions) > 1 else (), tabs=TABS)
    asked = listing["division"] if len(divisions) > 1 else ""
    return listing, next((one for one in divisions if one.code == asked), divisions[0])


def _rows(division: Division) -> list[dict[str, Any]]:
    """Every kind with the division's rule and the number of its items that have their own; one statement."""
    own: dict[str, PeriodRule] = {}
    by_item: dict[str, int] = {}
    for rule in PeriodRule.objects.filter(division=division, active=True).select_related("set_by"):
        if rule.item_code:
            by_item[rule.kind] = by_item.get(rule.kind, 0) + 1
        else:
            own[rule.kind] = rule
    return [
        {
            "row": row,
            "span": table.span(row.kind),
            "rule": own.get(row.kind.code),
            "own_length": length_of(own.get(row.kind.code)),
            "items": by_item.get(row.kind.code, 0),
            "url": _address(row.kind.code, division),
        }
        for row in table.rows()
    ]


def _address(kind: str, division: Division) -> str:
    return f"{reverse('division:period', args=[kind])}?division={division.code}"


def length_of(rule: PeriodRule | None) -> str:
    """``3个工作日``, or nothing."""
    return words.length(rule.length, KINDS[KindCode(rule.kind)].unit) if rule else ""


CONDITIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "": lambda row: True,
    "room": lambda row: row["span"] is not None,
    "own": lambda row: bool(row["rule"] or row["items"]),
    "closed": lambda row: not row["row"].kind.stands,
}


@administrators
@require_safe
def periods(request: PortalRequest) -> HttpResponse:
    """The whole table, the division's own lengths beside it, and what was changed when by whom."""
    divisions = list(own_divisions(request))
    listing, division = _listing(request, divisions)
    rows = _rows(division)
    counts = {tab: sum(1 for row in rows if holds(row)) for tab, holds in CONDITIONS.items()}
    changes = _changes(division)
    page = listing.page(changes, ("-history_id",))
    context = {
        "lead": f"{division.name}的各类期限。法律留有余地的可以设定，只对此后起算的期限生效；没有余地的不得变更。",
        "rows": [row for row in rows if CONDITIONS[listing["tab"]](row)],
        "stats": listing.stats(
            [
                ("", "全部期限", counts[""], "neutral"),
                ("room", "可以设定", counts["room"], "neutral"),
                ("own", "已另行设定", counts["own"], "neutral"),
                ("closed", "未开办", counts["closed"], "neutral"),
            ]
        ),
        "bar": listing.bar() if len(divisions) > 1 else None,
        "clear_url": listing.url,
        "division": division,
        "export_url": listing.address(reverse("division:periods_export")),
        "entries": _entries(page, division),
        "pager": listing.pager(page, "次变更"),
        "here": "periods",
    }
    return render(request, "oversight/periods.html", context)


@administrators
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The table with the division's and its items' own lengths, as CSV."""
    listing, division = _listing(request, list(own_divisions(request)))

    def lines() -> Iterator[Sequence[Any]]:
        own = PeriodRule.objects.filter(division=division, active=True).select_related("set_by")
        by_kind: dict[str, list[PeriodRule]] = {}
        for rule in own.order_by("kind", "item_code"):
            by_kind.setdefault(rule.kind, []).append(rule)
        for row in _rows(division):
            if not CONDITIONS[listing["tab"]](row):
                continue
            cells = row["row"].cells
            found = by_kind.get(row["row"].kind.code, [])
            if not any(not rule.item_code for rule in found):
                yield (*cells, "", "", "", "", "", "")
            for rule in found:
                moment = f"{timezone.localtime(rule.set_at):%Y-%m-%d %H:%M}"
                people = (rule.reason, rule.approved_by, rule.set_by.full_name, moment)
                yield (*cells, rule.item_code, length_of(rule), *people)

    return csv_response(f"期限设定-{division.name}-{local_date(request.now):%Y%m%d}", HEAD, lines())


# --- what was changed


def _changes(division: Division) -> QuerySet[Any]:
    """The history of the division's rules, each with the length that stood before it."""
    history = PeriodRule.history.filter(division=division)
    before = PeriodRule.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    told: QuerySet[Any] = history.select_related("history_user").annotate(
        before=Subquery(before.values("length")[:1]), was_active=Subquery(before.values("active")[:1])
    )
    return told


def _entries(page: Page[Any], division: Division) -> list[dict[str, Any]]:
    codes = {row.item_code for row in page.rows if row.item_code}
    names = dict(BusinessItem.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    return [_entry(row, names) for row in page.rows]


def _entry(row: Any, names: dict[str, str]) -> dict[str, Any]:
    kind = KINDS[KindCode(row.kind)]
    what = f"{kind.label}（{names.get(row.item_code, row.item_code)}）" if row.item_code else kind.label
    old = words.length(row.before, kind.unit) if row.was_active else "未另行设定"
    done = f"设定为{words.length(row.length, kind.unit)}" if row.active else "收回设定"
    return {
        "at": row.history_date,
        "label": f"{what}：{done}（此前{old}）",
        "who": row.history_user.full_name if row.history_user else "",
        "note": f"依据：{row.reason}；批准：{row.approved_by}" if row.active else "",
        "tone": "active" if row.active else "neutral",
    }


# --- one kind


def _kind(code: str) -> KindCode:
    if code not in KindCode.values:
        raise Http404
    return KindCode(code)


def _own_division(request: PortalRequest) -> Division:
    asked = request.POST.get("division") or request.GET.get("division")
    divisions = own_divisions(request)
    return get_object_or_404(divisions, code=asked) if asked else divisions[0]


def _item_rules(request: PortalRequest, division: Division, code: KindCode) -> list[dict[str, Any]]:
    found = list(own_rules(request).filter(division=division, kind=code, active=True).exclude(item_code=""))
    items = {item.code: item for item in own_items(request.access).filter(code__in=[rule.item_code for rule in found])}
    return [
        {"rule": rule, "length": length_of(rule), "item": items[rule.item_code]}
        for rule in found
        if rule.item_code in items
    ]


def _answer(request: PortalRequest, code: KindCode, division: Division, form: PeriodForm | None = None) -> HttpResponse:
    row = table.row(code)
    rule = own_rules(request).filter(division=division, kind=code, item_code="", active=True).first()
    set_before = {"length": rule.length, "reason": rule.reason, "approved_by": rule.approved_by} if rule else {}
    changes = _changes(division).filter(kind=code).order_by("-history_id")[:20]
    page = Page(list(changes), "", "")
    context = {
        "row": row,
        "facts": [
            {"label": "长度", "value": row.length, "source": row.kind.legal_basis},
            {"label": "设定余地", "value": row.room},
            {"label": "提醒", "value": row.alarms},
            {"label": "提醒对象", "value": row.kind.addressees},
            {"label": "停止计算的事由", "value": row.pauses},
            {"label": "延长", "value": row.extension},
        ],
        "badge": {"label": row.stands, "tone": "good" if row.kind.stands else "neutral"},
        "span": table.span(row.kind),
        "why_not": table.why_not(row.kind),
        "lead": f"{division.name}的设定，只对此后起算的期限生效。",
        "length_help": f"单位：{row.kind.unit.label}；{row.room}。",
        "rule": rule,
        "own_length": length_of(rule),
        "form": form or PeriodForm(initial=set_before, kind=code),
        "returned": form,
        "item_rules": _item_rules(request, division, code),
        "entries": _entries(page, division),
        "division": division,
        "follows": FOLLOWS,
        "crumbs": [{"label": "期限设定", "url": reverse("division:periods")}],
        "here": "periods",
    }
    return render(request, "oversight/period.html", context, status=422 if form else 200)


@administrators
@require_http_methods(["GET", "POST"])
def period(request: PortalRequest, kind: str) -> HttpResponse:
    """One kind: everything about it, and the form to set its length in the division where the law leaves room."""
    code, division = _kind(kind), _own_division(request)
    if request.method != "POST":
        return _answer(request, code, division)
    form = PeriodForm(request.POST, kind=code)
    if rule := try_to_set(request, form, code, division):
        messages.success(request, f"{division.name}的{KINDS[code].label}已设定为{length_of(rule)}，此后起算的适用。")
        return redirect(_address(code, division))
    return _answer(request, code, division, form)


def try_to_set(
    request: PortalRequest, form: PeriodForm, code: KindCode, division: Division, item_code: str = ""
) -> PeriodRule | None:
    """Set what a form says; None where it came back with its sentences."""
    if not form.is_valid():
        return None
    try:
        return rules.set_period(
            code, division, **form.cleaned_data, item_code=item_code, by=request.user, now=request.now
        )
    except PeriodRefused as error:
        form.add_error(error.field, str(error))
        return None


@administrators
@require_POST
def off(request: PortalRequest, pk: int) -> HttpResponse:
    """Take back a length that the division or one of its items has of its own."""
    rule = get_object_or_404(own_rules(request), pk=pk)
    rules.unset_period(rule, by=request.user, now=request.now)
    label = KINDS[KindCode(rule.kind)].label
    messages.success(request, f"已收回{label}的设定，此后起算的恢复为原来的长度。")
    if rule.item_code and (item := own_items(request.access).filter(code=rule.item_code).first()):
        return redirect("division:item", pk=item.pk)
    return redirect(_address(rule.kind, rule.division))
