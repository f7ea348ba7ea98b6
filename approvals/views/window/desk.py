"""The window's work list: newest change first, live, searchable, exportable (O3.3.1b)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.enums import OWED, CaseStatus, Way
from approvals.models import Case, CaseMaterial
from approvals.models.cases import PRESSING, read_pressing_clocks
from approvals.querysets import CaseQuerySet
from catalogue.models import BusinessItem
from credit.identifiers import normalise
from deadlines.clock import local_date
from offices import kept
from offices.access import Access
from offices.crypto import keyed_hash
from offices.export import csv_response
from offices.keyset import Keyset
from offices.models import Department, Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required

Role = Posting.Role
S = CaseStatus
ORDER = ("-touched_at", "-id")
# A change anywhere in the division lifts its case among these, so they alone tell whether something happened.
WATCHED = 20
# Polling: htmx stops at this answer.
STOP = 286


# Where what was owed is still waited for: from the acceptance on, unless the case has ended without a licence.
DEBTS = CaseMaterial.objects.filter(state__in=OWED).values("case")
OWING = (S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED, S.COMPLETED)


@dataclass(frozen=True, slots=True)
class Tab:
    """A filter of the list by state, with its count."""

    key: str
    label: str
    where: Q
    tone: str = "neutral"


TABS = (
    Tab("received", "已收件待受理", Q(status=S.SUBMITTED), "warn"),
    Tab("correction", "待补正", Q(status=S.CORRECTION_REQUESTED), "warn"),
    Tab("review", "审查中", Q(status__in=[S.ACCEPTED, S.DEEMED_ACCEPTED, S.IN_REVIEW, S.APPROVED])),
    Tab("owed", "待补交", Q(pk__in=DEBTS, status__in=OWING), "warn"),
    Tab("delivery", "已办结待出件", Q(status__in=[S.COMPLETED, S.REJECTED], delivered_at__isnull=True), "good"),
    Tab("delivered", "已送达", Q(status=S.COMPLETED, delivered_at__isnull=False)),
    Tab("refused", "不予受理", Q(status=S.NOT_ACCEPTED)),
)
BY_KEY = {tab.key: tab for tab in TABS}


def search(cases: CaseQuerySet, text: str) -> CaseQuerySet:
    """Find by case number, credit code or identity number (whole), applicant's name, or item (name, initials, code)."""
    plain = normalise(text)
    if not plain:
        return cases
    if plain.isascii() and len(plain) == 18:
        return cases.filter(
            Q(applicant__code=plain) | Q(applicant__id_hash=keyed_hash(plain)) | Q(number__startswith=plain)
        )
    if plain.isascii() and plain[:4].isdigit():
        return cases.filter(number__startswith=plain)
    items = BusinessItem.objects.search(text).order_by().values("pk")
    return cases.filter(Q(applicant_name__icontains=text.strip()) | Q(business_item__in=items))


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks of the list."""

    state: str
    q: str
    way: str
    department: str
    mine: str

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        """Read the address; what it cannot mean is left out."""
        get = request.GET.get
        return cls(
            state=get("state", "") if get("state", "") in BY_KEY else "",
            q=get("q", "").strip()[:60],
            way=get("way", "") if get("way", "") in Way.values else "",
            department=get("department", "") if get("department", "").isdecimal() else "",
            mine="1" if get("mine") == "1" else "",
        )

    def query(self, **changes: str) -> str:
        """The address's query with ``changes``; empty parts are left out."""
        parts = {name: getattr(self, name) for name in self.__slots__} | changes
        return urlencode({name: value for name, value in parts.items() if value})

    def apply(self, cases: CaseQuerySet, access: Access) -> CaseQuerySet:
        """Everything but the state, which the counts need separately."""
        if self.way:
            cases = cases.filter(way=self.way)
        if self.department:
            cases = cases.filter(department_id=int(self.department))
        if self.mine:
            cases = cases.filter(intake_by=access.user)
        return search(cases, self.q)


def next_verb(case: Case, access: Access) -> str:
    """The next act that this person has to do on the case, or 查看."""
    clerk = case.division_id in access.divisions(Role.WINDOW_CLERK)
    if case.status == S.SUBMITTED and clerk:
        return "受理"
    if case.status == S.CORRECTION_REQUESTED and clerk:
        return "补正收件"
    if case.status in {S.COMPLETED, S.REJECTED} and case.delivered_at is None:
        return "出件"
    return "查看"


def with_row(cases: CaseQuerySet) -> CaseQuerySet:
    """Fetch what a row shows, in the same statement."""
    return cases.select_related(
        "business_item", "department", "applicant", "notice_deadline", "answer_deadline", "statutory_deadline",
        "promised_deadline", "issue_deadline", "promise_deadline",
    ).defer("contact_phone", "applicant__id_number")  # fmt: skip


def listed(cases: CaseQuerySet) -> CaseQuerySet:
    """Fetch what a row of the desk shows but its clock."""
    clocks = {clock for clocks in PRESSING.values() for clock in clocks}
    return cases.select_related("business_item", "department").only(
        "number", "status", "way", "applicant_name", "delivered_at", "touched_at", "division",
        "business_item__name", "department__name", *clocks,
    )  # fmt: skip


def mark(access: Access) -> str:
    """What the newest changes of the person's divisions are, in one short token; one statement.

    Not a moment: an act that began before the list was read may be committed after it.
    """

    def newest() -> QuerySet[Case, tuple[int, dt.datetime]]:
        return Case.objects.for_window(access).order_by(*ORDER).values_list("pk", "touched_at")[:WATCHED]

    rows = kept.ask((mark, access.key), newest)
    seen = "|".join(f"{pk}@{at.isoformat()}" for pk, at in rows)
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def _departments(divisions: Sequence[int]) -> QuerySet[Department, tuple[int, str]]:
    """(id, name) of the departments there that decide on something."""
    found = Department.objects.filter(division__pk__in=divisions, offices__reviewed_items__isnull=False)
    return found.distinct().order_by("pk").values_list("pk", "name")


def _bar(request: PortalRequest, filters: Filters) -> dict[str, Any]:
    divisions = request.access.divisions(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
    options = [(str(pk), name) for pk, name in kept.ask(_departments, _departments, sorted(divisions))]
    choices = (
        ("department", "实施部门", "全部部门", options),
        ("way", "办理方式", "全部方式", [(value, str(label)) for value, label in Way.choices]),
        ("mine", "收件人员", "全部窗口人员", [("1", "仅我收的件")]),
    )
    selects, chips = [], []
    for name, label, every, pairs in choices:
        value = getattr(filters, name)
        selects.append(
            {
                "name": name,
                "label": label,
                "options": [{"value": "", "label": every, "selected": not value}]
                + [{"value": key, "label": text, "selected": key == value} for key, text in pairs],
            }
        )
        without = f"?{filters.query(**{name: ''})}"
        chips += [{"label": f"{label}：{text}", "url": without} for key, text in pairs if key == value]
    if filters.q:
        chips.insert(0, {"label": f"查找：{filters.q}", "url": f"?{filters.query(q='')}"})
    return {
        "action": request.path,
        "q": filters.q,
        "q_label": "办件编号、申请人、证照号码或事项",
        "placeholder": "例如 海州湾、商品房、spfys",
        "selects": selects,
        "hidden": [{"name": "state", "value": filters.state}] if filters.state else [],
        "chips": chips,
        "clear_url": f"?{urlencode({'state': filters.state})}" if chips and filters.state else "?",
    }


def _parts(access: Access, filters: Filters) -> dict[str, CaseQuerySet]:
    """What each count counts."""
    cases = filters.apply(Case.objects.for_window(access), access)
    return {"": cases} | {one.key: cases.filter(one.where) for one in TABS}


def _live(request: PortalRequest, filters: Filters) -> dict[str, Any]:
    """The counts and the rows: what changes under the reader's eyes."""
    access, now_mark = request.access, mark(request.access)
    cursor = request.GET.get("page", "")
    tab = BY_KEY.get(filters.state)

    def found() -> CaseQuerySet:
        cases = filters.apply(Case.objects.for_window(access), access)
        return listed(cases.filter(tab.where) if tab else cases)

    page = Keyset(found, ORDER, key=None if filters.q else (_live, access.key, filters)).page(cursor)
    read_pressing_clocks(page.rows)
    counts = tally(access, _parts, filters, keep=not filters.q)
    stats = [{"label": "全部", "count": up_to(counts[""]), "url": f"?{filters.query(state='')}", "active": not tab}]
    stats += [
        {
            "label": one.label,
            "count": up_to(counts[one.key]),
            "url": f"?{filters.query(state=one.key)}",
            "active": one is tab,
            "tone": one.tone if counts[one.key] else "neutral",
        }
        for one in TABS
    ]
    here = filters.query()
    rows = [
        {"case": case, "id": str(case.pk), "clock": case.current_deadline, "verb": next_verb(case, access)}
        for case in page
    ]

    def at(place: str) -> str:
        return f"?{urlencode({'page': place})}&{here}".rstrip("&") if place else ""

    return {
        "rows": rows,
        "stats": stats,
        "tab": tab,
        "pager": {
            "first_url": f"?{here}" if cursor else "",
            "previous_url": at(page.previous),
            "next_url": at(page.next),
            "summary": f"按最近变化先后，本页 {len(rows)} 件" if rows else "",
        },
        "since": now_mark,
        "cursor": cursor,
        "poll_url": f"{reverse('window:changes')}?{urlencode({'since': now_mark, 'page': cursor})}&{here}".rstrip("&"),
        "refresh_url": f"{reverse('window:desk')}?{here}",
        "export_url": f"{reverse('window:export')}?{here}",
        "filtered": bool(filters.query(state="")),
        "today": local_date(request.now),
        "now": request.now,
    }


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_safe
def desk(request: PortalRequest) -> HttpResponse:
    """The work list with its counts, filters and preview."""
    filters = Filters.of(request)
    context = _live(request, filters)
    context |= {"bar": _bar(request, filters), "may_receive": request.access.has(Role.WINDOW_CLERK)}
    return render(request, "window/desk.html", context)


def _not_a_sign_of_life(request: HttpRequest) -> None:
    """Keep a poll from prolonging the session: nobody may be at the desk. Without it the middleware saves nothing."""
    del request.session


@require_safe
def changes(request: PortalRequest) -> HttpResponseBase:
    """What changed since the page was read: 204 for nothing, else the counts and rows, or a word on a case page.

    ``?since=`` is the page's mark; ``?number=`` asks for one case (``idle=1``: nothing is being typed, reload at once).
    """
    if not request.user.is_authenticated or not request.access.has(Role.WINDOW_CLERK, Role.DELIVERY_CLERK):
        if request.headers.get("HX-Request") == "true":
            return render(request, "window/_signed_out.html", status=STOP)
        return redirect(f"{reverse('login')}?{urlencode({'next': reverse('window:desk')})}")
    _not_a_sign_of_life(request)
    since = request.GET.get("since", "")
    if number := request.GET.get("number"):
        return _case_changes(request, number, since)
    if mark(request.access) == since:
        return HttpResponse(status=204)
    filters = Filters.of(request)
    if request.GET.get("page"):
        context = {"url": f"{reverse('window:desk')}?{filters.query()}"}
        return render(request, "window/_changed.html", context, status=STOP)
    return render(request, "window/_live.html", _live(request, filters) | {"swap": True})


def _case_changes(request: PortalRequest, number: str, since: str) -> HttpResponse:
    cases = Case.objects.for_window(request.access).only("number", "status", "touched_at")
    case = get_object_or_404(cases, number=number)
    if case_mark(case) == since:
        return HttpResponse(status=204)
    if request.GET.get("idle") == "1":
        return HttpResponse(status=200, headers={"HX-Refresh": "true"})
    context = {"url": reverse("window:case", args=[number]), "case": case}
    return render(request, "window/_changed.html", context, status=STOP)


def case_mark(case: Case) -> str:
    """What a case page was read at."""
    return f"{case.status}-{case.touched_at.timestamp():.6f}"


HEAD = (
    "办件编号", "业务办理项", "申请人", "统一社会信用代码（证件号码）", "实施部门", "办理方式", "状态", "办理结果",
    "收件时间", "受理时间", "决定时间", "办结时间", "送达时间", "当前期限", "到期日", "时限",
)  # fmt: skip


def _moment(at: dt.datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def _lines(cases: CaseQuerySet, today: dt.date) -> Iterator[list[str]]:
    for case in cases.iterator(chunk_size=500):
        clock = case.current_deadline
        yield [
            case.number, case.business_item.name, case.applicant_name, case.applicant.public_identifier,
            case.department.name, case.get_way_display(), case.get_status_display(), case.get_outcome_display(),
            _moment(case.received_at), _moment(case.accepted_at), _moment(case.decided_at), _moment(case.completed_at),
            _moment(case.delivered_at),
            *((clock.get_kind_display(), clock.due_on.isoformat(), clock.light_text(today)) if clock else ("", "", "")),
        ]  # fmt: skip


@roles_required(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The filtered list as CSV, streamed; persons' numbers stay masked."""
    filters = Filters.of(request)
    cases = filters.apply(Case.objects.for_window(request.access), request.access)
    if tab := BY_KEY.get(filters.state):
        cases = cases.filter(tab.where)
    today = local_date(request.now)
    rows = with_row(cases).defer(None).defer("contact_phone").order_by(*ORDER)
    return csv_response(f"窗口办件{today:%Y%m%d}", HEAD, _lines(rows, today))
