"""现场核查: what two officers were drawn to look at, and what they report (行政许可法 art. 34).

They must see the applicant, so nothing of the review is shown to them, and they neither score nor decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals.actions.site import confirm_site_check, report_site_check, return_site_check
from approvals.enums import CaseStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.forms_office import SiteConfirmForm, SiteReportForm
from approvals.models import Case, SiteCheck
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.access import Access
from offices.export import csv_response
from offices.links import link
from offices.lists import Listing, everything
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required

officers = roles_required(Posting.Role.SITE_OFFICER)
FOLLOWS = ("由另一名核查人员确认以后，转交审查人员", "审查人员看不到您和申请人的信息")
CONFIRM_FOLLOWS = ("结论和核查情况转交审查人员，不显示您和申请人的信息", "确认后不能修改")
RETURN_FOLLOWS = ("报告退回，由两人核对后重新报告", "退回的理由和原报告留痕")
HEAD = ("办件编号", "业务办理项", "申请人", "计划日期", "结论", "核查情况", "报告时间")


def mine(access: Access) -> QuerySet[SiteCheck]:
    """The site checks that the person was drawn for."""
    drawn = Q(first=access.user) | Q(second=access.user)
    rows = SiteCheck.objects.filter(drawn, case__review_office_id__in=access.offices(Posting.Role.SITE_OFFICER))
    return rows.select_related("case__business_item", "case__applicant", "first", "second")


def rows_of(keys: Sequence[int]) -> QuerySet[SiteCheck]:
    """The site checks of these keys with what a line shows; in no order."""
    rows = SiteCheck.objects.filter(pk__in=keys).select_related("case__business_item", "case__applicant").order_by()
    return rows.only(
        "planned_on", "done_at", "conforms", "reported_at", "case__number", "case__status", "case__applicant_name",
        "case__business_item__name", "case__applicant__kind",
    )  # fmt: skip


def _parts(access: Access) -> dict[str, QuerySet[SiteCheck]]:
    return {"waiting": waiting(mine(access), access)}


def waiting(rows: QuerySet[SiteCheck], access: Access) -> QuerySet[SiteCheck]:
    """待核查: not reported, or the other's report not confirmed, in a case that is still in review."""
    return rows.filter(done_at__isnull=True, case__status=CaseStatus.IN_REVIEW).exclude(reported_by=access.user)


def state_of(check: SiteCheck) -> dict[str, str]:
    """Label and tone of where a site check is."""
    if check.done_at is not None:
        return {"label": "符合", "tone": "good"} if check.conforms else {"label": "不符合", "tone": "bad"}
    if check.case.status == CaseStatus.IN_REVIEW:
        return {"label": "待核查" if check.reported_at is None else "待另一人确认", "tone": "warn"}
    return {"label": "办件已结束，无需核查", "tone": "neutral"}


def _listing(request: PortalRequest) -> tuple[Listing, Callable[[], QuerySet[SiteCheck]], tuple[str, ...]]:
    """The list as it was asked for, what makes its rows, and their order."""
    listing = Listing(
        request,
        reverse("office:site_checks"),
        q_label="办件编号、事项或申请人",
        placeholder="编号、事项名称、申请人",
        tabs=["done"],
    )
    access, q = request.access, listing["q"]

    def rows() -> QuerySet[SiteCheck]:
        found = mine(access)
        if q:
            found = found.filter(
                Q(case__number__icontains=q)
                | Q(case__business_item__name__icontains=q)
                | Q(case__applicant_name__icontains=q)
            )
        if listing["tab"]:
            over = Q(done_at__isnull=False) | ~Q(case__status=CaseStatus.IN_REVIEW) | Q(reported_by=access.user)
            return found.filter(over)
        return waiting(found, access)

    return listing, rows, ("-id",) if listing["tab"] else ("planned_on", "id")


@officers
@require_safe
def checks(request: PortalRequest) -> HttpResponse:
    """What is to be looked at, by day; or what was reported, the newest first."""
    listing, rows, order = _listing(request)
    page = listing.page(rows, order, wide=rows_of, key=(checks, request.access.key))
    left = up_to(tally(request.access, _parts)["waiting"])
    context = {
        "today": local_date(request.now),
        "done": bool(listing["tab"]),
        "rows": [
            {"check": check, "state": state_of(check), "url": link("office:site_check")(check.case.number)}
            for check in page
        ],
        "stats": listing.stats([("", "待核查", left, "warn"), ("done", "已核查", "", "neutral")]),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "export_url": listing.address(reverse("office:site_export")),
        "clear_url": listing.address(q=""),
    }
    return render(request, "office/site_checks.html", context)


@officers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, rows, order = _listing(request)

    def lines(page: list[SiteCheck]) -> Iterator[list[Any]]:
        for check in page:
            done = local_date(check.done_at) if check.done_at else ""
            yield [
                check.case.number, check.case.business_item.name, check.case.public_name, check.planned_on,
                state_of(check)["label"], check.findings, done,
            ]  # fmt: skip

    return csv_response(f"现场核查-{local_date(request.now):%Y%m%d}", HEAD, everything(rows(), order, lines))


def _act(case: Case, form: SiteConfirmForm | SiteReportForm, request: PortalRequest) -> str:
    """Report, confirm or return; what the person is told after it."""
    verdict = form.cleaned_data["verdict"]
    if verdict == "confirm":
        confirm_site_check(case, by=request.user, now=request.now)
        return "的核查情况已经两人确认，转交审查人员。"
    if verdict == "return":
        return_site_check(case, reason=form.cleaned_data["reason"], by=request.user, now=request.now)
        return "的核查报告已经退回。"
    report_site_check(
        case,
        conforms=verdict == "conforms",
        findings=form.cleaned_data["findings"],
        place=form.cleaned_data["place"],
        by=request.user,
        now=request.now,
    )
    return "的核查情况已报告，等候另一名核查人员确认。"


@officers
@require_http_methods(["GET", "HEAD", "POST"])
def check_page(request: PortalRequest, number: str) -> HttpResponse:
    """One site check: where, whose, by when, what has to hold; and the report, by either of the two."""
    found = mine(request.access).annotate(code=F("case__business_item__code"))
    check = get_object_or_404(found, case__number=number)
    case, posted = check.case, request.method == "POST"
    confirms = check.reported_at is not None
    if posted and state_of(check)["tone"] != "warn":
        error = TransitionNotAllowed("这件现场核查已经由两人确认，或者办件已经不在审查中；请刷新查看。")
        return conflict(request, error, reverse("office:site_check", args=[number]))
    form: SiteConfirmForm | SiteReportForm
    if confirms:
        form = SiteConfirmForm(request.POST if posted else None)
    else:
        form = SiteReportForm(request.POST if posted else None)
    if posted and form.is_valid():
        try:
            said = _act(Case(pk=case.pk), form, request)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("office:site_check", args=[number]))
            put_on_form(form, error)
        else:
            messages.success(request, f"办件 {number} {said}")
            return redirect("office:site_checks")
    other = check.second if check.first_id == request.user.pk else check.first
    context = {
        "today": local_date(request.now),
        "crumbs": [{"label": "现场核查", "url": reverse("office:site_checks")}],
        "check": check,
        "case": case,
        "other": other,
        "state": state_of(check),
        "form": form if state_of(check)["tone"] == "warn" and check.reported_by_id != request.user.pk else None,
        "confirms": confirms,
        "follows": CONFIRM_FOLLOWS if confirms else FOLLOWS,
        "return_follows": RETURN_FOLLOWS,
        "criteria": list(case.business_item.effective_criteria()),
    }
    return render(request, "office/site_check.html", context, status=422 if posted else 200)
