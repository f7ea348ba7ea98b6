"""The business items of the administrator's own division: what rests on them, their periods, opening and closing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, prefetch_related_objects
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalogue.actions import publish as publish_item
from catalogue.actions import retire as retire_item
from catalogue.actions import set_promised_period
from catalogue.enums import INNER_LIMIT_WORKING_DAYS, ItemStatus
from catalogue.errors import CatalogueError, PromiseRefused
from catalogue.models import BusinessItem, Linkage
from catalogue.periods import no_promise, room_for_promise
from catalogue.pinyin import fold
from catalogue.querysets import BusinessItemQuerySet
from deadlines import periods as rules
from deadlines import table, words
from deadlines.clock import local_date
from deadlines.kinds import KINDS, STAGES, KindCode
from offices.export import csv_response
from offices.lists import Listing, counted, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import queries
from oversight.forms import ReasonForm
from oversight.forms_periods import PeriodForm, PromiseForm
from oversight.views import periods
from oversight.views.linkages import FOLLOWS as LINKAGE_FOLLOWS
from oversight.views.linkages import linkage_rows

Role = Posting.Role
administrators = roles_required(Role.DIVISION_ADMIN)
ITEM_ORDER = ("code", "id")
ITEM_HEAD = ("事项编码", "业务办理项", "实施部门", "状态", "版本", "有效关联", "有可联系的监管处室")
FOLLOWS: dict[str, tuple[str, ...]] = {
    **LINKAGE_FOLLOWS,
    "publish": ("群众和窗口可以查到并申请该事项", "记入事项留痕"),
    "retire": ("不再收件，在办的办件继续办理", "记入事项留痕"),
    "promise": ("只对此后受理的办件生效，在办办件的期限不变", "办事指南同时更新，事项计一次修订，记入事项留痕"),
    "set": periods.FOLLOWS["set"],
    "off": periods.FOLLOWS["off"],
}
FOLLOWED_BY_COUNTIES = "继承本标准、承诺期限更长的县（区）事项同时缩短"


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


# --- one item


def _kinds(item: BusinessItem) -> tuple[KindCode, ...]:
    """The kinds of clock that start for this item and leave it room (``approvals.stages``)."""
    if item.standard_only:
        return ()
    if item.item.is_filing:
        return (KindCode.STAGE_WINDOW, KindCode.CORRECTION_ANSWER)
    if item.is_on_the_spot:
        return (KindCode.STAGE_WINDOW, KindCode.CORRECTION_ANSWER, KindCode.ISSUE)
    return (*STAGES, KindCode.CORRECTION_ANSWER, KindCode.ISSUE)


def _stages(item: BusinessItem, returned: tuple[KindCode, PeriodForm] | None) -> dict[str, Any]:
    """How long each of these runs for the item and by whose word, with a form for each; two statements."""
    kinds = _kinds(item)
    division = item.item.division_id
    found = rules.load(kinds, division=division)
    prefetch_related_objects([rule for rule in found.rules.values() if rule.item_code == item.code], "set_by")
    rows = []
    for code in kinds:
        kind, rule = KINDS[code], found.rule(code, division, item.code)
        own = rule if rule and rule.item_code else None
        form = PeriodForm(
            initial={"length": own.length, "reason": own.reason, "approved_by": own.approved_by} if own else {},
            auto_id=f"id_{code}_%s",
            kind=code,
        )
        came_back = returned is not None and returned[0] is code
        rows.append(
            {
                "code": str(code),
                "label": kind.label,
                "length": words.length(found.length(code, division, item.code), kind.unit),
                "whose": "本事项" if own else "本区划" if rule else "统一默认",
                "room": table.room(kind),
                "rule": own,
                "form": returned[1] if came_back and returned else form,
                "returned": came_back,
                "confirm_id": f"set-{code}",
                "off_id": f"off-{code}",
            }
        )
    deciding = [found.length(code, division, item.code) or 0 for code in kinds if code in _DECIDING]
    promised = item.promised_length
    return {"rows": rows, "sum": sum(deciding), "outlasts": bool(promised and sum(deciding) > promised)}


_DECIDING = (KindCode.STAGE_REVIEW, KindCode.STAGE_DECIDE)


def _cited(source: str, mark: str) -> str:
    return f"{source}（{mark}）" if source else ""


def _period_facts(item: BusinessItem) -> list[dict[str, Any]]:
    """The periods that law and promise give the item."""
    extension = item.extension
    unit = item.get_statutory_unit_display().partition("（")[0]
    facts: list[dict[str, Any]] = [
        {
            "label": "法定期限",
            "value": item.statutory_text or "法律未规定",
            "source": _cited(item.statutory_source, item.get_statutory_certainty_display()),
        }
    ]
    if item.statutory_length:
        longer = f"一次，最多{extension.longest}{unit}，{extension.allowed_by}批准" if extension else "不延长"
        facts.append({"label": "法定期限的延长", "value": longer, "source": extension.legal_basis if extension else ""})
    promised = item.promised_text or ("不设" if item.item.is_filing else "未承诺")
    facts.append(
        {
            "label": "承诺期限",
            "value": promised,
            "source": _cited(item.promised_source, item.get_promised_certainty_display()),
        }
    )
    if item.standard_item is not None:
        facts.append({"label": "全市标准的承诺期限", "value": item.standard_item.promised_text})
    facts.append({"label": "须上报省主管部门", "value": "是" if item.reports_to_province else "否"})
    if item.promised_exemption:
        facts += [
            {"label": f"超过{INNER_LIMIT_WORKING_DAYS}个工作日的理由", "value": item.promised_exemption},
            {"label": "豁免批准人", "value": item.promised_exemption_by},
        ]
    return facts + _notice_facts(item)


def _notice_facts(item: BusinessItem) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = []
    if item.public_notice_days:
        stops = "承诺期限停计" if item.public_notice_pauses_promise else "承诺期限不停"
        law = "法定期限停计" if item.public_notice_law else "法定期限不停"
        value = f"{item.public_notice_days}个工作日；期间{stops}，{law}"
        facts.append({"label": "决定前公示", "value": value, "source": item.public_notice_law})
    if item.period_note:
        facts.append({"label": "期限说明", "value": item.period_note, "wide": True})
    return facts


def _answer(
    request: PortalRequest,
    item: BusinessItem,
    *,
    reason: ReasonForm | None = None,
    promise: PromiseForm | None = None,
    stage: tuple[KindCode, PeriodForm] | None = None,
) -> HttpResponse:
    """The item's page; with a form that came back, as 422."""
    returned: Form | None = reason or promise or (stage[1] if stage else None)
    obstacles = item.obstacles(request.access.on) if item.status != ItemStatus.PUBLISHED else []
    linkages = queries.own_linkages(request.access).filter(business_item=item).order_by("-active", "id")
    rows = linkage_rows(request, list(linkages))
    follows = FOLLOWS
    if item.inheritors.exists():
        follows = FOLLOWS | {"promise": (*FOLLOWS["promise"], FOLLOWED_BY_COUNTIES)}
    context = {
        "item": item,
        "crumbs": [{"label": "业务办理项", "url": reverse("division:items")}],
        "facts": [
            {"label": "事项编码", "value": item.code},
            {"label": "所属审批事项", "value": item.item.name},
            {"label": "实施部门", "value": item.item.department.name},
            {"label": "审查处室", "value": item.review_office.name},
            {"label": "版本", "value": f"第 {item.version} 版"},
            {
                "label": "统一标准",
                "value": f"继承全市标准 {item.standard_item.code}" if item.standard_item else "本级标准",
            },
        ],
        "period_facts": _period_facts(item),
        "promise_form": promise or (None if no_promise(item) else PromiseForm.of(item)),
        "promise_returned": promise is not None,
        "promise_room": room_for_promise(item),
        "no_promise": no_promise(item),
        "stages": _stages(item, stage),
        "rows": rows,
        "obstacles": obstacles,
        "unreachable": item.status == ItemStatus.PUBLISHED and not any(row["is_good"] for row in rows),
        "form": reason or ReasonForm(),
        "reason_returned": reason is not None,
        "returned": returned,
        "follows": follows,
        "new_url": f"{reverse('division:linkage_new')}?item={item.pk}",
        "here": "items",
    }
    return render(request, "oversight/item.html", context, status=422 if returned else 200)


def _own_item(request: PortalRequest, pk: int) -> BusinessItem:
    rows = queries.own_items(request.access).select_related(
        "item__department", "item__division", "review_office", "standard_item"
    )
    return get_object_or_404(rows, pk=pk)


@administrators
@require_safe
def item(request: PortalRequest, pk: int) -> HttpResponse:
    """One business item: its periods, its linkages, and what keeps it from being published."""
    return _answer(request, _own_item(request, pk))


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
        return _answer(request, found, reason=form)
    try:
        retire_item(found, by=request.user, now=request.now, reason=form.cleaned_data["reason"])
    except CatalogueError as error:
        return render(
            request, "409.html", {"reason": str(error), "next_url": reverse("division:item", args=[pk])}, status=409
        )
    messages.success(request, f"“{found.name}”已停用，不再收件。")
    return redirect("division:item", pk=pk)


# --- its periods


@administrators
@require_POST
def promise(request: PortalRequest, pk: int) -> HttpResponse:
    """Set the promised period (O3.2.1a); every fault beside its field."""
    found = _own_item(request, pk)
    form = PromiseForm(request.POST, item=found)
    if form.is_valid():
        try:
            done = set_promised_period(found, form.promise(), by=request.user, now=request.now)
        except PromiseRefused as error:
            for name, text in error.faults.items():
                form.add_error(name, text)
        else:
            messages.success(request, f"承诺期限已设定为{done.promised_text}，此后受理的办件适用。")
            return redirect("division:item", pk=pk)
    return _answer(request, found, promise=form)


@administrators
@require_POST
def period(request: PortalRequest, pk: int, kind: str) -> HttpResponse:
    """Set the item's own length of a stage or another clock that the law leaves room for."""
    found = _own_item(request, pk)
    if kind not in _kinds(found):
        raise Http404
    code = KindCode(kind)
    form = PeriodForm(request.POST, auto_id=f"id_{code}_%s", kind=code)
    if rule := periods.try_to_set(request, form, code, found.item.division, found.code):
        messages.success(request, f"{KINDS[code].label}已设定为{periods.length_of(rule)}，此后起算的适用。")
        return redirect("division:item", pk=pk)
    return _answer(request, found, stage=(code, form))
