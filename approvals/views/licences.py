"""证照管理: the licences that the offices of a decider granted, and what is done to them after their issue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.actions.licences import BY_HAND, NAMES, change_licence, may_be
from approvals.enums import LicenceChangeKind
from approvals.exceptions import Refused
from approvals.forms_revocation import ChangeForm
from approvals.models import Licence, LicenceChange, Revocation
from approvals.papers import cn_day
from approvals.web import conflict, put_on_form
from credit.models import CreditSubject
from deadlines.clock import local_date
from offices.access import Access
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required

Role = Posting.Role
deciders = roles_required(Role.DECIDER)
ORDER = ("-id",)
HEAD = (
    "证照编号", "名称", "持有人", "证件号码", "业务办理项", "办件编号", "发证时间", "有效期自", "有效期至", "状态",
    "注销日期", "变动次数",
)  # fmt: skip
VALIDITY = (("running", "有效期内"), ("ending", "90天内到期"), ("over", "有效期已过"))
SOON = dt.timedelta(days=90)


def within(access: Access) -> QuerySet[Licence]:
    """Licences granted by the offices in which the person decides."""
    departments = access.departments(Role.DECIDER)
    return Licence.objects.filter(
        department_id__in=departments, case__review_office_id__in=access.offices(Role.DECIDER)
    )


def with_rows(rows: QuerySet[Licence]) -> QuerySet[Licence]:
    """With everything that a line or a page shows."""
    return rows.select_related("holder", "department", "case__business_item", "case__review_office").defer(
        "case__contact_phone", "holder__id_number"
    )


def searched(rows: QuerySet[Licence], text: str) -> QuerySet[Licence]:
    """By number of the licence or the case, by code of an organisation, or by the holder's name."""
    if not text:
        return rows
    number = text.upper()
    return rows.filter(
        Q(number=number) | Q(case__number=number) | Q(holder__code=number) | Q(holder_name__icontains=text)
        | Q(kind__icontains=text)
    )  # fmt: skip


def narrowed(rows: QuerySet[Licence], state: str, validity: str, today: dt.date) -> QuerySet[Licence]:
    """By state and by where the validity stands."""
    if state:
        rows = rows.filter(state=state)
    if validity == "over":
        return rows.filter(valid_to__lt=today)
    if validity == "ending":
        return rows.filter(valid_to__gte=today, valid_to__lte=today + SOON)
    if validity == "running":
        return rows.filter(Q(valid_to__isnull=True) | Q(valid_to__gte=today))
    return rows


def holder_of(licence: Licence) -> dict[str, str]:
    """The holder as staff sees it: persons masked."""
    person = licence.holder.kind == CreditSubject.Kind.PERSON
    return {
        "kind": "person" if person else "company",
        "name": licence.holder.public_name if person else licence.holder_name,
        "code": licence.holder.public_identifier,
    }


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[Licence]]:
    listing = Listing(
        request,
        reverse("office:licences"),
        filters=[Filter("state", "状态", Licence.State.choices), Filter("validity", "有效期", VALIDITY)],
        q_label="证照、办件编号，信用代码或持有人",
        placeholder="完整的编号、信用代码，或者名称",
    )
    rows = searched(within(request.access), listing["q"])
    return listing, narrowed(rows, listing["state"], listing["validity"], local_date(request.now))


@deciders
@require_safe
def licence_list(request: PortalRequest) -> HttpResponse:
    """The licences, the newest first."""
    listing, rows = _listing(request)
    page = listing.page(with_rows(rows), ORDER)
    context = {
        "today": local_date(request.now),
        "rows": [{"one": one, "holder": holder_of(one), "url": link("office:licence")(one.number)} for one in page],
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "export_url": listing.address(reverse("office:licences_export")),
        "clear_url": listing.url,
    }
    return render(request, "office/licences.html", context)


@deciders
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV; persons stay masked."""
    _, rows = _listing(request)

    def line(one: Licence) -> Sequence[Any]:
        holder = holder_of(one)
        return (
            one.number, one.kind, holder["name"], holder["code"], one.case.business_item.name, one.case.number,
            f"{timezone.localtime(one.issued_at):%Y-%m-%d %H:%M}", one.valid_from, one.valid_to or "",
            one.get_state_display(), one.deregistered_on or "", len(one.changes.all()),
        )  # fmt: skip

    def lines(found: list[Licence]) -> Iterator[Sequence[Any]]:
        return map(line, found)

    found = with_rows(rows).prefetch_related("changes")
    return csv_response(f"证照管理-{local_date(request.now):%Y%m%d}", HEAD, everything(found, ORDER, lines))


# --- one licence


def fetch(access: Access, number: str) -> Licence:
    """The licence if an office of the person granted it; 404 otherwise."""
    return get_object_or_404(with_rows(within(access)), number=number)


def kinds_for(licence: Licence) -> list[LicenceChangeKind]:
    """What may be done to it by hand as it stands."""
    return [kind for kind in BY_HAND if may_be(licence, kind)]


FOLLOWS = [
    "出具《证照变动通知书》，短信通知持证人",
    "公示、进度和核验页当即显示变动后的状态",
    "这件证照未办结的监管任务同时得到通知",
]


def rows_of(change: LicenceChange) -> list[dict[str, str]]:
    """What was and what is, in words."""
    return [
        {"name": NAMES[name], "before": _shown(name, change.before.get(name)), "after": _shown(name, value)}
        for name, value in change.after.items()
        if name in NAMES
    ]


def _shown(name: str, value: str | None) -> str:
    if not value:
        return "（无）"
    if name == "state":
        return str(Licence.State(value).label)
    return cn_day(dt.date.fromisoformat(value)) if name in {"valid_to", "deregistered_on"} else value


def _page(request: PortalRequest, licence: Licence, form: ChangeForm | None = None) -> HttpResponse:
    kinds = kinds_for(licence)
    changes = LicenceChange.objects.filter(licence=licence).select_related("document", "made_by").order_by("-id")
    revocation = Revocation.objects.filter(licence=licence).order_by("-id").first()
    context: dict[str, Any] = {
        "today": local_date(request.now),
        "crumbs": [{"label": "证照管理", "url": reverse("office:licences")}],
        "licence": licence,
        "holder": holder_of(licence),
        "state": {"label": licence.state_text, "tone": "good" if licence.state == Licence.State.VALID else "bad"},
        "lead": "选择要办理的变动，写明依据和理由。" if kinds else "这件证照已经终止，不能再办理变动。",
        "form": form or (ChangeForm(kinds=kinds) if kinds else None),
        "returned": form,
        "follows": FOLLOWS,
        "revocation": revocation,
        "revocation_url": reverse("office:revocation", args=[revocation.pk]) if revocation else "",
        "case_url": reverse("office:case", args=[licence.case.number]),
        "public_url": reverse("licence", args=[licence.number]),
        "changes": [
            {
                "one": one,
                "rows": rows_of(one),
                "paper": reverse("paper", args=[one.document_id]) if one.document_id else "",
            }
            for one in changes
        ],
        "facts": [
            {"label": "证照编号", "value": licence.number},
            {"label": "业务办理项", "value": licence.case.business_item.name},
            {"label": "发证机关", "value": licence.department.name},
            {"label": "发证时间", "value": licence.issued_at},
            {"label": "有效期自", "value": licence.valid_from},
            {"label": "有效期至", "value": licence.valid_to or "未载明止期"},
            {"label": "许可内容", "value": licence.content or "（未填写）", "wide": True},
        ],
    }
    return render(request, "office/licence.html", context, status=422 if form else 200)


@deciders
@require_http_methods(["GET", "HEAD", "POST"])
def licence_page(request: PortalRequest, number: str) -> HttpResponse:
    """One licence: what it is, what was done to it, what may be done now."""
    licence = fetch(request.access, number)
    if request.method != "POST":
        return _page(request, licence)
    url = reverse("office:licence", args=[number])
    form = ChangeForm(request.POST)
    if form.is_valid():
        try:
            change = change_licence(licence, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            messages.success(request, f"证照 {number} 已{change.get_kind_display()}，证照变动通知书已出具。")
            return redirect(url)
    return _page(request, licence, form)
