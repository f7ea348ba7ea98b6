"""入企检查: asked for by the office's manager, approved or refused by the head of the department."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.access import Access
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required
from supervision.actions import visiting
from supervision.enums import VisitStatus
from supervision.forms import ReasonForm, VisitAnswerForm, VisitForm
from supervision.models import SupervisionTask, Visit
from supervision.views_taking import act_page
from supervision.words import half_width

Role = Posting.Role
heads = roles_required(Role.DEPARTMENT_HEAD)
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
either = require_http_methods(["GET", "HEAD", "POST"])
TONES = {
    VisitStatus.REQUESTED: "warn",
    VisitStatus.APPROVED: "good",
    VisitStatus.REFUSED: "bad",
    VisitStatus.DONE: "good",
    VisitStatus.CANCELLED: "neutral",
}
SETTLED = [status for status in VisitStatus if status != VisitStatus.REQUESTED]
HEAD = (
    "任务编号", "检查对象", "监管事项子项", "处室", "计划入企日期", "目的和内容", "不计入上限的理由",
    "申请人员", "申请时间", "状态", "答复人员", "答复时间", "说明",
)  # fmt: skip


def badge(visit: Visit) -> dict[str, str]:
    """Label and tone of where a visit is."""
    status = VisitStatus(visit.status)
    return {"label": status.label, "tone": TONES[status]}


def for_heads(access: Access) -> QuerySet[Visit]:
    """Visits of the departments that the person heads."""
    return Visit.objects.filter(department_id__in=access.departments(Role.DEPARTMENT_HEAD))


def with_rows(visits: QuerySet[Visit]) -> QuerySet[Visit]:
    """With what a row shows."""
    return visits.select_related(
        "task__subject", "task__sub_item", "task__office__department", "task__business_item", "requested_by",
        "settled_by",
    ).defer("task__subject__id_number", "requested_by__phone", "settled_by__phone")  # fmt: skip


def rows_of(keys: Sequence[int]) -> QuerySet[Visit]:
    """The visits of these keys with what a row shows; in no order."""
    return with_rows(Visit.objects.filter(pk__in=keys)).order_by()


def _parts(access: Access) -> dict[str, QuerySet[Visit]]:
    every, waiting = for_heads(access), Q(status=VisitStatus.REQUESTED)
    return {"waiting": every.filter(waiting), "settled": every.exclude(waiting)}


def matching(text: str) -> Q:
    """Visits whose task, subject, sub-item or purpose has ``text``."""
    return (
        Q(task__number__icontains=half_width(text))
        | Q(task__subject_name__icontains=text)
        | Q(task__sub_item__name__icontains=text)
        | Q(purpose__icontains=text)
    )


def _listing(request: PortalRequest) -> tuple[Listing, Callable[[], QuerySet[Visit]], tuple[str, ...]]:
    """The list as it was asked for, what makes its rows, and their order."""
    listing = Listing(
        request,
        reverse("tasks:visits"),
        [Filter("status", "结果", [(status.value, status.label) for status in SETTLED])],
        q_label="任务编号、检查对象或目的",
        placeholder="编号、企业名称或目的",
        tabs=["settled"],
    )
    settled = listing["tab"] == "settled"

    def rows() -> QuerySet[Visit]:
        found = _parts(request.access)["settled" if settled else "waiting"]
        if settled and listing["status"]:
            found = found.filter(status=listing["status"])
        return found.filter(matching(listing["q"])) if listing["q"] else found

    return listing, rows, ("-id",) if settled else ("planned_on", "id")


@heads
@require_safe
def waiting_list(request: PortalRequest) -> HttpResponse:
    """What waits for the head's word, the nearest day first, or what was settled."""
    listing, rows, order = _listing(request)
    page = listing.page(rows, order, wide=rows_of, key=(waiting_list, request.access.key))
    counts = {key: up_to(number) for key, number in tally(request.access, _parts).items()}
    bar = listing.bar()
    settled = listing["tab"] == "settled"
    if not settled:
        bar["selects"] = []
    context = {
        "rows": [{"visit": one, "badge": badge(one), "url": reverse("tasks:visit", args=[one.pk])} for one in page],
        "settled": settled,
        "lead": "已经答复、进行或取消的入企检查，新的在前。" if settled else "入企检查须事先批准；计划日期近的在前。",
        "stats": listing.stats(
            [("", "待批准", counts["waiting"], "warn"), ("settled", "已答复", counts["settled"], "neutral")]
        ),
        "bar": bar,
        "pager": listing.pager(page, "次"),
        "export_url": listing.address(reverse("tasks:visits_export")),
        "clear_url": listing.address(q="", status=""),
    }
    return render(request, "tasks/visits.html", context)


@heads
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows, order = _listing(request)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: Visit) -> Sequence[Any]:
        return (
            one.task.number, one.task.public_subject, one.task.sub_item.name, one.task.office.name, one.planned_on,
            one.purpose, one.exemption, one.requested_by.full_name, moment(one.requested_at),
            one.get_status_display(), one.settled_by.full_name if one.settled_by else "", moment(one.settled_at),
            one.settled_reason,
        )  # fmt: skip

    name = "已答复" if listing["tab"] else "待批准"
    today = local_date(request.now)
    return csv_response(
        f"入企检查-{name}-{today:%Y%m%d}", HEAD, everything(with_rows(rows()), order, lambda found: map(line, found))
    )


def _answer(request: PortalRequest, visit: Visit, form: BaseForm | None = None) -> HttpResponse:
    """The page of one visit; with a form that came back, as 422."""
    room = visiting.room_for(visit.task, visit.year)
    waits, own = visit.status == VisitStatus.REQUESTED, visit.requested_by_id == request.user.pk
    lead = "请批准或者不批准；批准后才能入企检查。"
    if not waits:
        lead = "这次入企检查不需要再答复。"
    elif own:
        lead = "这是您自己提出的申请，须由其他负责人批准。"
    said = f"{room.used} 次，上限 {room.cap} 次"
    context = {
        "visit": visit,
        "task": visit.task,
        "badge": badge(visit),
        "lead": lead,
        "crumbs": [{"label": "入企检查", "url": reverse("tasks:visits")}],
        "task_url": reverse("tasks:task", args=[visit.task.number]),
        "facts": [
            {"label": "计划入企的日期", "value": f"{visit.planned_on:%Y-%m-%d}"},
            {"label": f"{visit.year} 年本部门对该对象", "value": said},
            {"label": "监管事项子项", "value": visit.task.sub_item.name},
            {"label": "处室", "value": visit.task.office.name},
            {"label": "申请", "value": f"{visit.requested_by.full_name}"},
            {"label": "目的和内容", "value": visit.purpose, "wide": True},
        ],
        "may_answer": waits and not own,
        "form": form or VisitAnswerForm(),
        "approve_follows": ["处室可以按计划日期入企检查", "短信告知申请人员和办理人员"],
        "refuse_follows": ["处室不能入企检查，可以改用其他措施或者重新申请", "短信告知申请人员和办理人员"],
    }
    return render(request, "tasks/visit.html", context, status=422 if form else 200)


@heads
@either
def visit_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One visit before the head: purpose, day, the count against the cap, the answer."""
    visit = get_object_or_404(with_rows(for_heads(request.access)), pk=pk)
    if request.method != "POST":
        return _answer(request, visit)
    form = VisitAnswerForm(request.POST)
    if form.is_valid():
        approve = form.cleaned_data["verdict"] == "approve"
        try:
            visiting.settle_visit(
                visit, approve=approve, reason=form.cleaned_data["reason"], by=request.user, now=request.now
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:visit", args=[pk]), form)
            put_on_form(form, error)
        else:
            messages.success(request, "已批准入企检查。" if approve else "已答复不批准。")
            return redirect("tasks:visits")
    return _answer(request, visit, form)


def _own(request: PortalRequest, number: str) -> SupervisionTask:
    rows = SupervisionTask.objects.for_managers(request.access)
    return get_object_or_404(rows.select_related("office__department", "sub_item", "subject"), number=number)


@managers
@either
def requesting(request: PortalRequest, number: str) -> HttpResponse:
    """申请入企检查, with this year's count shown while planning."""
    task = _own(request, number)
    today = local_date(request.now)
    room = visiting.room_for(task, today.year)
    form = VisitForm(request.POST if request.method == "POST" else None, today=today)
    said = f"{today.year} 年本部门对该对象已安排入企检查 {room.used} 次，上限 {room.cap} 次。"
    words = {
        "title": "申请入企检查",
        "lead": "入企检查须事先经部门负责人批准。",
        "facts": [
            {"label": "检查对象", "value": task.public_subject},
            {"label": "年度次数", "value": said if room.left else f"{said}已到上限，须写明不计入上限的理由。"},
        ],
        "verb": "提交申请",
        "keep": "visit",
    }
    return act_page(
        request, task, form, words,
        lambda: visiting.request_visit(task, **form.cleaned_data, by=request.user, now=request.now),
        "已提交，部门负责人批准后短信告知您。",
    )  # fmt: skip


@managers
@either
def cancelling(request: PortalRequest, number: str) -> HttpResponse:
    """取消入企检查."""
    task = _own(request, number)
    visit = visiting.open_visit(task)
    if visit is None:
        if request.method != "POST":
            return redirect("tasks:task", number=number)
        said = "这件任务没有可以取消的入企检查，可能有同事已先一步办理，请刷新查看。"
        return conflict(request, Refused("state-conflict", said, conflict=True), reverse("tasks:task", args=[number]))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    words = {
        "title": "取消入企检查",
        "lead": f"{visit.get_status_display()}的入企检查，计划 {visit.planned_on:%Y-%m-%d}。取消后不计入年度次数。",
        "verb": "取消入企检查",
        "keep": "visit-cancel",
    }
    return act_page(
        request, task, form, words,
        lambda: visiting.cancel_visit(visit, **form.cleaned_data, by=request.user, now=request.now),
        "入企检查已取消。",
    )  # fmt: skip
