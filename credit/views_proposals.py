"""建议实施的联合奖惩: what the city's list proposes to a department; one or several are begun by a person (L12c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit import lists, proposing
from credit.actions import measures
from credit.identifiers import Form
from credit.lists import Tab
from credit.models import CreditRecord, Grade, Level, MeasureRule
from credit.models.measures import PENAL_LEVELS, REWARDED_GRADES
from credit.models.subjects import of_form
from credit.proposing import Proposal, Row
from credit.views_breaches import officers, shown
from deadlines.clock import local_date
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.web import PortalRequest

HEAD = (
    "类别", "主体", "主体类型", "主体代码", "依据的记录", "记录类别", "认定日期", "按清单", "措施", "法律依据",
    "期限（月）", "最晚至",
)  # fmt: skip
CRUMB = {"label": "联合奖惩", "url": "/credit/measures/"}
FOLLOWS = (
    "勾选的措施自今天起实施，最晚至列出的日期，到期自动结束",
    "依据的记录修复或者更正时，措施随之终止",
    "逐个主体办理，不能实施的逐项说明原因，不影响其他",
    "记入主体的留痕；不记入信用记录，不列入严重失信主体名单",
)
LONGEST_KEY = 18
LEVELS = [(level.value, f"{level.label}失信") for level in PENAL_LEVELS]
GRADES = [(grade.value, f"评价{grade.label}") for grade in REWARDED_GRADES]


def _listing(request: PortalRequest) -> tuple[Listing, Tab, QuerySet[CreditRecord]]:
    rewards = request.GET.get("tab") == "reward"
    listing = Listing(
        request,
        reverse("credit:proposals"),
        filters=[
            Filter("ground", "公共信用评价" if rewards else "失信等级", GRADES if rewards else LEVELS),
            Filter("form", "主体类型", Form.choices),
        ],
        q_label="文号、名称或代码",
        placeholder="文号、名称或统一社会信用代码",
        tabs=[tab.key for tab in proposing.TABS if tab.key],
    )
    tab = lists.tab_of(proposing.TABS, listing["tab"])
    rows = proposing.proposed(request.access, tab.key, local_date(request.now))
    if listing["ground"]:
        rows = rows.filter(**{"graded" if tab.key else "level": listing["ground"]})
    if listing["form"]:
        rows = rows.filter(of_form(listing["form"], "subject__"))
    return listing, tab, lists.records_with_rows(lists.records_searched(rows, listing["q"]))


def begin_url(proposal: Proposal) -> str:
    """The form of a new measure with the words of the line."""
    return f"{reverse('credit:measure_new')}?record={proposal.record.pk}&rule={proposal.rule.pk}"


def lines_of(proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """Proposals as a page shows them, each with where it is begun."""
    return [{"one": one, "url": begin_url(one)} for one in proposals]


def _why(row: Row) -> str:
    record = row.record
    grade = getattr(record, "graded", None)
    return f"信用评价为{Grade(grade).label}" if grade else f"{Level(record.level).label}失信"


@officers
@require_safe
def proposal_list(request: PortalRequest) -> HttpResponse:
    """Records of the department for which the list proposes something, each with its lines."""
    listing, tab, rows = _listing(request)
    today = local_date(request.now)
    page = listing.page(rows, tab.order)
    counts = proposing.counts(request.access, today)
    found = proposing.rows_of(page.rows, proposing.kind_of(tab.key), today)
    context = {
        "tab": tab,
        "rows": [
            {
                "record": row.record,
                "why": _why(row),
                "lines": lines_of(row.proposals),
                "url": reverse("credit:record", args=[row.record.pk]),
            }
            for row in found
        ],
        "stats": listing.stats([(one.key, one.label, counts[one.key], one.tone) for one in proposing.TABS]),
        "bar": listing.bar(),
        "pager": listing.pager(page, "条记录"),
        "export_url": listing.address(reverse("credit:proposals_export")),
        "clear_url": listing.address(q="", ground="", form=""),
        "begin_url": listing.address(reverse("credit:proposals_begin"), page=request.GET.get("page", "")),
        "follows": FOLLOWS,
        "crumbs": [CRUMB],
    }
    return shown(request, "credit/proposals.html", context)


@officers
@require_safe
def proposals_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV, a line a proposal; persons are masked."""
    _, tab, rows = _listing(request)
    today, kind = local_date(request.now), proposing.kind_of(tab.key)

    def line(one: Proposal) -> Sequence[Any]:
        record, rule, subject = one.record, one.rule, one.record.subject
        return (
            rule.get_kind_display(), subject.public_name, subject.form_label, subject.code or "", record.source,
            record.get_kind_display(), local_date(record.found_at), rule.ground, rule.what, rule.basis, rule.months,
            one.ends_on,
        )  # fmt: skip

    def lines(found: list[CreditRecord]) -> list[Sequence[Any]]:
        return [line(one) for row in proposing.rows_of(found, kind, today) for one in row.proposals]

    return csv_response(f"建议实施的{tab.label}-{today:%Y%m%d}", HEAD, everything(rows, tab.order, lines))


def picked(request: PortalRequest, keys: Sequence[str]) -> list[tuple[CreditRecord, MeasureRule]]:
    """Records of the person's departments and lines of the list, as ticked; 404 where one of them does not exist.

    What does not fit together any more, ``measures.begin`` refuses in words.
    """
    pairs = []
    for key in keys:
        record, _, rule = key.partition("-")
        if not all(part.isdecimal() and len(part) <= LONGEST_KEY for part in (record, rule)):
            raise Http404
        pairs.append((int(record), int(rule)))
    rows = lists.records(request.access).select_related("subject", "department")
    records = rows.in_bulk({record for record, _ in pairs})
    rules = MeasureRule.objects.in_bulk({rule for _, rule in pairs})
    if any(record not in records or rule not in rules for record, rule in pairs):
        raise Http404
    return [(records[record], rules[rule]) for record, rule in pairs]


def _ticked(pairs: Sequence[tuple[CreditRecord, MeasureRule]], today: dt.date) -> list[dict[str, Any]]:
    """What was ticked, to be unticked."""
    return [
        {"key": f"{record.pk}-{rule.pk}", "record": record, "rule": rule,
         "ends_on": proposing.last_day(record, rule, today)}
        for record, rule in pairs
    ]  # fmt: skip


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def proposals_begin(request: PortalRequest) -> HttpResponse:
    """Begin what was ticked, and say what was begun and what was not.

    What is too much comes back ticked (422), to be unticked and sent again; the address carries the list's query.
    """
    listing, _, _ = _listing(request)
    keys = list(dict.fromkeys(request.POST.getlist("pick")))
    problem = ""
    if not keys:
        problem = "没有勾选。请勾选要实施的措施。"
    elif len(keys) > proposing.MOST_AT_ONCE:
        problem = (
            f"一次最多实施 {proposing.MOST_AT_ONCE} 项，现勾选了 {len(keys)} 项，没有一项实施。"
            f"请去掉 {len(keys) - proposing.MOST_AT_ONCE} 项再实施，其余的下一次实施。"
        )
    # Where nothing was begun the page of the list is as it was; otherwise it may be empty by now.
    page = {"page": request.GET.get("page", "")} if problem else {}
    back = listing.address(**page)
    if request.method != "POST":
        return redirect(back)
    pairs = picked(request, keys)
    begun, refused = ([], []) if problem else measures.begin_many(pairs, by=request.user, now=request.now)
    context = {
        "problem": problem,
        "ticked": _ticked(pairs, local_date(request.now)) if problem else [],
        "begin_url": listing.address(reverse("credit:proposals_begin"), **page),
        "follows": FOLLOWS,
        "begun": [{"measure": one, "url": reverse("credit:measure", args=[one.pk])} for one in begun],
        "refused": refused,
        "back": back,
        "crumbs": [CRUMB, {"label": "建议实施", "url": back}],
    }
    answer = shown(request, "credit/proposals_done.html", context)
    answer.status_code = 422 if problem else 200
    return answer
