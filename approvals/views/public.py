"""The public side: home, guides, progress, verification, register. Nothing here changes a case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from approvals import applicant, guide, register, verification
from approvals import progress as progress_line
from approvals.forms_public import ProgressForm, VerifyForm
from approvals.limiter import RateLimited, client_address
from approvals.listing import Listing
from approvals.models import Licence
from catalogue import search
from catalogue.enums import Handling, ItemKind, ItemStatus, Topic
from catalogue.models import BusinessItem, KeyItem
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.export import csv_response
from offices.keyset import Keyset
from offices.web import PortalRequest

SUGGESTIONS = 8
LATEST = 5
PUBLISHED = Q(status=ItemStatus.PUBLISHED)


@require_GET
def home(request: PortalRequest) -> HttpResponse:
    """Where one is, the search, the progress form, the nine key items, the kinds, the latest decisions."""
    counts = BusinessItem.objects.aggregate(
        all=Count("pk", filter=PUBLISHED),
        on_the_spot=Count("pk", filter=PUBLISHED & Q(handling=Handling.ON_THE_SPOT)),
        promise=Count("pk", filter=PUBLISHED & ~Q(promise_modes=[])),
        filing=Count("pk", filter=PUBLISHED & Q(item__kind=ItemKind.FILING)),
    )
    published = Q(approval_items__business_items__status=ItemStatus.PUBLISHED)
    key_items = KeyItem.objects.annotate(
        items=Count("approval_items__business_items", filter=published)
    ).prefetch_related("units")
    context = {
        "counts": counts,
        "key_items": key_items,
        "latest": [register.Entry(row) for row in register.rows().order_by("-issued_at", "-id")[:LATEST]],
        "form": ProgressForm(auto_id="home_%s"),
    }
    return render(request, "public/home.html", context)


@require_GET
def guides(request: PortalRequest) -> HttpResponseBase:
    """The published business items: search, choices, keyset, CSV."""
    listing = Listing(request, guide.selects(), q_label="事项名称、首字母或编码", placeholder="例如 预售 或 spfysxk")
    items, order = guide.narrowed(listing)
    if listing.wants_csv:
        return csv_response("办事指南", GUIDE_HEAD, map(_guide_cells, items.order_by(*order).iterator(chunk_size=500)))
    page = Keyset(items, order).page(listing.cursor)
    context = {
        "nav": "guide",
        "q": listing.q,
        "page": page,
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "pager": listing.pager(page, f"本页 {len(page)} 项"),
        "csv_url": listing.url(format="csv"),
    }
    return render(request, "public/guides.html", context)


GUIDE_HEAD = (
    "编码", "业务办理项", "审批事项", "区划", "部门", "类型", "办件类型", "法定期限", "承诺期限",
    "收费", "告知承诺", "办理结果",
)  # fmt: skip


def _guide_cells(row: BusinessItem) -> list[str]:
    modes = "、".join(label for label, _ in guide.Guide(row, [], [], []).modes)
    return [
        row.code, row.name, row.item.name, row.item.department.division.name, row.item.department.name,
        row.item.get_kind_display(), row.get_handling_display(), row.statutory_text, row.promised_text, row.fee_text,
        modes or f"不适用：{row.promise_refusal}", row.result_name,
    ]  # fmt: skip


@require_GET
def suggest(request: PortalRequest) -> HttpResponse:
    """The first few items that answer what is being typed (a fragment)."""
    q = request.GET.get("q", "").strip()[:60]
    found = list(search.find(q)[:SUGGESTIONS]) if q else []
    return render(request, "public/_suggestions.html", {"q": q, "found": found})


def _item(code: str) -> BusinessItem:
    return get_object_or_404(BusinessItem.objects.published().with_offices(), code=code)


@require_GET
def guide_item(request: PortalRequest, code: str) -> HttpResponse:
    """办事指南 of one business item (O3.1.1a)."""
    found = guide.read(_item(code))
    return render(request, "public/guide.html", {"nav": "guide", "guide": found, "remedies": guide.REMEDIES})


@require_GET
def guide_notice(request: PortalRequest, code: str) -> HttpResponse:
    """一次性告知单, to print: all materials and all standards of the item on one paper (O2a)."""
    found = guide.read(_item(code))
    context = {
        "guide": found,
        "conditions": found.facts(Topic.CONDITION),
        "basis": found.facts(Topic.BASIS),
        "procedure": found.facts(Topic.PROCEDURE),
        "period": found.facts(Topic.PERIOD),
        "remedies": guide.REMEDIES,
        "paper": {
            "title": "一次性告知单",
            "number": found.item.name,
            "authority": found.item.item.department.name,
            "date": local_date(request.now),
        },
        "back_url": reverse("guide_item", args=[code]),
        "guide_url": settings.PUBLIC_BASE_URL.rstrip("/") + reverse("guide_item", args=[code]),
    }
    return render(request, "public/notice.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def progress(request: PortalRequest) -> HttpResponse:
    """Progress by number and query code. The code comes by POST only and opens nothing but this reading."""
    if request.method != "POST":
        number = progress_line.clean(request.GET.get("number", ""))[:21]
        if "code" in request.GET:
            # A code in an address stays in histories and logs: it is dropped, not used.
            return redirect(f"{reverse('progress')}?{urlencode({'number': number})}")
        form = ProgressForm(initial={"number": number})
        return render(request, "public/progress.html", {"nav": "progress", "form": form})
    form = ProgressForm(request.POST)
    if not form.is_valid():
        return render(request, "public/progress.html", {"nav": "progress", "form": form}, status=422)
    number, code = form.cleaned_data["number"], form.cleaned_data["code"]
    try:
        case = progress_line.find(number, code, client_address(request))
    except RateLimited as limited:
        context = {"reason": f"查询次数过多，为保护办件信息，请 {limited.retry_after} 秒后再试。查询码在接收凭证上。"}
        response = render(request, "429.html", context, status=429)
        response["Retry-After"] = str(limited.retry_after)
        return response
    if case is None:
        form.add_error(None, "没有查到：办件编号或查询码不对。请对照接收凭证核对后再试；凭证遗失的，可到收件窗口补打。")
        return render(request, "public/progress.html", {"nav": "progress", "form": form}, status=422)
    today, clocks = local_date(request.now), progress_line.public_clocks(case)
    shown: dict[str, Any] = {
        "nav": "progress",
        "shown": progress_line.show(case, today),
        "clocks": clocks,
        "explanations": explain_many(clocks, today),
        "today": today,
        "checked_at": request.now,
        "code": code,
        "offered": applicant.offers(case, request.now),
    }
    response = render(request, "public/progress_result.html", shown)
    patch_cache_control(response, no_store=True)
    return response


@require_GET
def verify_form(request: PortalRequest) -> HttpResponse:
    """Enter a verification code by hand."""
    form = VerifyForm(request.GET) if "code" in request.GET else VerifyForm()
    if form.is_bound and form.is_valid():
        return redirect("verify", code=form.cleaned_data["code"])
    return render(request, "public/verify_form.html", {"form": form}, status=422 if form.is_bound else 200)


@require_GET
def verify(request: PortalRequest, code: str) -> HttpResponse:
    """What a paper's QR code opens: whether it is ours, and what it is; never its content."""
    found = verification.find(code, local_date(request.now))
    if found is None:
        return render(request, "public/verify_unknown.html", {"code": code}, status=404)
    return render(request, "public/verify.html", {"found": found})


@require_GET
def licences(request: PortalRequest) -> HttpResponseBase:
    """The public register: search, choices, keyset, CSV."""
    listing = Listing(
        request, register.selects(), q_label="单位名称、信用代码、文书号或证照编号", placeholder="例如 91320700MA…"
    )
    found = register.narrowed(listing)
    if listing.wants_csv:

        def cells() -> Iterator[list[object]]:
            for row in found.order_by("-issued_at", "-id").iterator(chunk_size=500):
                yield register.Entry(row).cells()

        return csv_response("许可公示", register.HEAD, cells())
    page = Keyset(found, ("-issued_at", "-id")).page(listing.cursor)
    context: dict[str, Any] = {
        "nav": "licences",
        "entries": [register.Entry(row) for row in page.rows],
        "bar": listing.bar(),
        "narrowed": listing.is_narrowed,
        "pager": listing.pager(page, f"按发证时间从新到旧，本页 {len(page)} 件"),
        "csv_url": listing.url(format="csv"),
    }
    return render(request, "public/licences.html", context)


@require_GET
def licence(request: PortalRequest, number: str) -> HttpResponse:
    """One licence with every published field."""
    try:
        entry = register.Entry(register.rows().get(number=number))
    except Licence.DoesNotExist as error:
        raise Http404 from error
    return render(request, "public/licence.html", {"nav": "licences", "entry": entry})


@require_GET
def leaflet(request: PortalRequest, name: str) -> HttpResponse:
    """A page of plain text: how things are handled, accessibility, data."""
    return render(request, f"public/{name}.html", {"nav": name})
