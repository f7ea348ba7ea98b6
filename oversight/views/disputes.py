"""The overseers' desk of 审管争议: what an office says is not its own, decided within a clock (L10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.access import Access
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required
from oversight import queries
from supervision import panels_disputes
from supervision.actions import disputing
from supervision.enums import DisputeOutcome
from supervision.forms_disputes import DecisionForm
from supervision.models import Dispute

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
ORDER = ("-id",)
HEAD = (
    "任务编号", "业务办理项", "监管对象", "提出的处室", "理由", "建议的处室", "提出时间", "处理期限", "时限", "处理",
    "改派到", "处理理由", "处理人", "处理时间",
)  # fmt: skip
TABS = {"": Q(outcome=""), "reassigned": Q(outcome="reassigned"), "confirmed": Q(outcome="confirmed")}
FOLLOWS = (
    "维持原派：任务回到提出异议的处室，签收期限一直在计算，短信告知处室管理员",
    "改派：任务转到所选处室并短信通知，签收期限自该短信发出后重新计算；原处室不再能查看",
    "改派的，事项的审管关联会提示区划管理员核对",
    "处理人、理由和时间记入任务留痕",
)
ROWS = (
    "task__business_item", "task__subject", "task__department", "task__office__department",
    "from_office__department", "proposed_office__department", "decided_office__department", "raised_by", "decided_by",
    "deadline",
)  # fmt: skip


def _own(request: PortalRequest) -> QuerySet[Dispute]:
    """Objections that the person decides."""
    return queries.disputes(request.access)


def _rows(keys: Sequence[int]) -> QuerySet[Dispute]:
    """The objections of these keys with what a line shows; in no order."""
    found = Dispute.objects.filter(pk__in=keys).select_related(*ROWS)
    return found.defer("task__subject__id_number", "raised_by__phone", "decided_by__phone").order_by()


def _parts(access: Access) -> dict[str, QuerySet[Dispute]]:
    return {tab: queries.disputes(access).filter(condition) for tab, condition in TABS.items()}


def _listing(request: PortalRequest) -> tuple[Listing, Callable[[], QuerySet[Dispute]]]:
    """The list as it was asked for, and what makes its rows."""
    departments = queries.departments_of(request.access, Role.OVERSEER)
    listing = Listing(
        request,
        reverse("oversight:disputes"),
        filters=[Filter("department", "提出的部门", [(str(pk), name) for pk, name in departments.items()], "全部部门")],
        q_label="任务编号、事项或监管对象",
        placeholder="编号、事项或企业名称",
        tabs=("reassigned", "confirmed"),
    )

    def rows() -> QuerySet[Dispute]:
        found = _own(request).filter(TABS[listing["tab"]])
        if listing["department"]:
            found = found.filter(from_office__department_id=int(listing["department"]))
        return panels_disputes.search(found, listing["q"])

    return listing, rows


@overseers
@require_safe
def disputes(request: PortalRequest) -> HttpResponse:
    """The list: what waits, what was decided."""
    listing, rows = _listing(request)
    found = tally(request.access, _parts)
    counts = {tab: up_to(number) for tab, number in found.items()}
    page = listing.page(rows, ORDER, wide=_rows, key=(disputes, request.access.key))
    context = {
        "lead": "处室提出这些任务不属本处室职责。请在期限内维持原派，或者改派到应当监管的处室。"
        if found[""]
        else "没有等待处理的异议。",
        "rows": panels_disputes.shown(page.rows),
        "decided": bool(listing["tab"]),
        "today": local_date(request.now),
        "stats": listing.stats(
            [
                ("", "待处理", counts[""], "warn"),
                ("reassigned", "已改派", counts["reassigned"], "neutral"),
                ("confirmed", "维持原派", counts["confirmed"], "neutral"),
            ]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page),
        "narrowed": bool(listing["q"] or listing["department"]),
        "clear_url": listing.url,
        "export_url": listing.address(reverse("oversight:disputes_export")),
    }
    return render(request, "oversight/disputes.html", context)


@overseers
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows = _listing(request)
    today = local_date(request.now)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def lines(found: list[Dispute]) -> list[Sequence[Any]]:
        return [
            (
                row.task.number, row.task.business_item.name, row.task.public_subject, str(row.from_office), row.reason,
                row.proposed_office or "", moment(row.raised_at), row.deadline.due_on if row.deadline else "",
                row.deadline.light_text(today) if row.deadline else "", row.get_outcome_display() or "待处理",
                row.decided_office or "", row.decision_reason, row.decided_by.full_name if row.decided_by else "",
                moment(row.decided_at),
            )
            for row in found
        ]  # fmt: skip

    return csv_response(f"审管争议-{today:%Y%m%d}", HEAD, everything(rows().select_related(*ROWS), ORDER, lines))


@overseers
@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: PortalRequest, pk: int) -> HttpResponse:
    """One objection with the words of both sides, and the decision."""
    found = get_object_or_404(
        _own(request).select_related(*ROWS, "task__sub_item", "task__acknowledge_deadline"), pk=pk
    )
    task, back = found.task, reverse("oversight:disputes")
    form = None
    if not found.outcome or request.method == "POST":
        offices = disputing.other_offices(task, local_date(request.now))
        proposed = {"office": found.proposed_office_id} if found.proposed_office_id else None
        form = DecisionForm(request.POST if request.method == "POST" else None, offices=offices, initial=proposed)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            done = disputing.decide_dispute(found, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("oversight:dispute", args=[pk]))
            put_on_form(form, error)
        else:
            to = f"已改派到{done.decided_office}" if done.outcome == DisputeOutcome.REASSIGNED else "维持原派"
            messages.success(request, f"任务 {task.number} {to}，已短信告知。")
            return redirect(back)
    clocks = [clock for clock in (found.deadline, task.acknowledge_deadline) if clock is not None and clock.is_open]
    context = {
        "dispute": found,
        "task": task,
        "form": form,
        "follows": FOLLOWS,
        "crumbs": [{"label": "审管争议", "url": back}],
        "badge": panels_disputes.shown([found])[0]["badge"],
        "today": local_date(request.now),
        "open_clocks": clocks,
        "closed_clocks": [],
        "explanations": explain_many(clocks, local_date(request.now), names=True),
        "others": panels_disputes.shown([one for one in panels_disputes.of_task(task) if one.pk != found.pk]),
        "facts": [
            {"label": "任务编号", "value": task.number},
            {"label": "业务办理项", "value": task.business_item.name},
            {"label": "监管事项子项", "value": task.sub_item.name},
            {"label": "现在的处室", "value": str(task.office)},
        ],
    }
    return render(request, "oversight/dispute.html", context, status=422 if form is not None and form.is_bound else 200)
