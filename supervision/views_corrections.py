"""更正检查记录: asked for by the office's manager, answered by the head of the department."""

from __future__ import annotations

from collections.abc import Sequence
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
from offices.lists import Listing, everything
from offices.models import Posting
from offices.tally import tally, up_to
from offices.web import PortalRequest, roles_required
from supervision.actions import correcting
from supervision.forms_corrections import SetAsideAnswerForm, SetAsideForm, name_of
from supervision.models import SetAside, SupervisionTask
from supervision.views_inspections import result_badge
from supervision.views_taking import act_page
from supervision.words import half_width

Role = Posting.Role
heads = roles_required(Role.DEPARTMENT_HEAD)
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
either = require_http_methods(["GET", "HEAD", "POST"])
HEAD = (
    "任务编号", "检查对象", "监管事项子项", "处室", "检查记录", "检查结论", "作废的理由", "申请人员", "申请时间",
    "状态", "批复人员", "批复时间", "批复理由",
)  # fmt: skip


def badge(asked: SetAside, *, waits: bool) -> dict[str, str]:
    """Label and tone of where a request is; one that nothing can come of any more is 不再办理."""
    if asked.granted is None:
        return {"label": "待批复", "tone": "warn"} if waits else {"label": "不再办理", "tone": "neutral"}
    return {"label": "已批准作废", "tone": "neutral"} if asked.granted else {"label": "未批准", "tone": "bad"}


def for_heads(access: Access) -> QuerySet[SetAside]:
    """Requests of the departments that the person heads."""
    return SetAside.objects.filter(inspection__task__department_id__in=access.departments(Role.DEPARTMENT_HEAD))


def waits_for(access: Access) -> QuerySet[SetAside]:
    """What waits for this head: of the own departments, neither the own request nor of a record of one's own."""
    own = Q(asked_by=access.user) | Q(inspection__first_officer=access.user) | Q(inspection__second_officer=access.user)
    return SetAside.objects.waiting().filter(pk__in=for_heads(access).values("pk")).exclude(pk__in=_of(own))


def _of(condition: Q) -> QuerySet[Any]:
    return SetAside.objects.filter(condition).values("pk")


def with_rows(rows: QuerySet[SetAside]) -> QuerySet[SetAside]:
    """With everything that a line shows."""
    return rows.select_related(
        "inspection__task__subject", "inspection__task__sub_item", "inspection__task__office__department",
        "inspection__first_officer", "inspection__second_officer", "asked_by", "settled_by",
    ).defer("inspection__task__subject__id_number")  # fmt: skip


def matching(text: str) -> Q:
    """Requests whose task, subject, sub-item or reason has ``text``."""
    return (
        Q(inspection__task__number__icontains=half_width(text))
        | Q(inspection__task__subject_name__icontains=text)
        | Q(inspection__task__sub_item__name__icontains=text)
        | Q(reason__icontains=text)
    )


def _parts(access: Access) -> dict[str, QuerySet[Any]]:
    rows = for_heads(access)
    waiting = SetAside.objects.waiting().values("pk")
    return {"waiting": rows.filter(pk__in=waiting), "settled": rows.exclude(pk__in=waiting)}


def _listing(request: PortalRequest) -> tuple[Listing, QuerySet[SetAside], tuple[str, ...]]:
    listing = Listing(
        request, reverse("tasks:set_asides"), [], q_label="任务编号、检查对象或理由",
        placeholder="编号、企业名称或理由", tabs=["settled"],
    )  # fmt: skip
    settled = listing["tab"] == "settled"
    rows = with_rows(_parts(request.access)["settled" if settled else "waiting"])
    if listing["q"]:
        rows = rows.filter(matching(listing["q"]))
    return listing, rows, ("-id",) if settled else ("id",)


@heads
@require_safe
def waiting_list(request: PortalRequest) -> HttpResponse:
    """What waits for the head's word, the oldest first, or what was settled."""
    listing, rows, order = _listing(request)
    page = listing.page(rows, order)
    settled = listing["tab"] == "settled"
    counts = {key: up_to(found) for key, found in tally(request.access, _parts).items()}
    context = {
        "rows": [
            {
                "asked": one,
                "badge": badge(one, waits=not settled),
                "url": reverse("tasks:set_aside_answer", args=[one.pk]),
            }
            for one in page
        ],
        "settled": settled,
        "lead": "已经批复，或者任务已往下办理的申请，新的在前。"
        if settled
        else "先申请的在前；批准后该记录不再作为依据。",
        "stats": listing.stats(
            [("", "待批复", counts["waiting"], "warn"), ("settled", "已批复", counts["settled"], "neutral")]
        ),
        "bar": listing.bar(),
        "pager": listing.pager(page, "份"),
        "export_url": listing.address(reverse("tasks:set_asides_export")),
        "clear_url": listing.address(q=""),
    }
    return render(request, "tasks/set_asides.html", context)


@heads
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    listing, rows, order = _listing(request)

    def moment(value: Any) -> str:
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}" if value else ""

    def line(one: SetAside) -> Sequence[Any]:
        record = one.inspection
        return (
            record.task.number, record.task.public_subject, record.task.sub_item.name, record.task.office.name,
            f"第 {record.order} 次", record.get_result_display(), one.reason, one.asked_by.full_name,
            moment(one.asked_at), badge(one, waits=not listing["tab"])["label"],
            one.settled_by.full_name if one.settled_by else "", moment(one.settled_at), one.answer,
        )  # fmt: skip

    name = "已批复" if listing["tab"] else "待批复"
    today = local_date(request.now)
    return csv_response(
        f"检查记录作废-{name}-{today:%Y%m%d}", HEAD, everything(rows, order, lambda found: map(line, found))
    )


def _page(request: PortalRequest, asked: SetAside, form: BaseForm | None = None) -> HttpResponse:
    """The page of one request; with a form that came back, as 422."""
    record = asked.inspection
    task = record.task
    waits = SetAside.objects.waiting().filter(pk=asked.pk).exists()
    refused = correcting.why_not_by(asked, request.user) if waits else None
    lead = "请核对记录和理由后批复；批准后不能撤回。"
    if not waits:
        lead = "这份申请不需要再批复。"
    elif refused is not None:
        lead = refused.message
    officers = "、".join(one.full_name for one in (record.first_officer, record.second_officer) if one)
    context = {
        "asked": asked,
        "task": task,
        "badge": badge(asked, waits=waits),
        "result": result_badge(record),
        "lead": lead,
        "crumbs": [{"label": "更正检查记录", "url": reverse("tasks:set_asides")}],
        "record_url": reverse("tasks:inspection", args=[task.number, record.order]),
        "facts": [
            {"label": "检查记录", "value": name_of(record)},
            {"label": "检查人员", "value": officers},
            {"label": "监管任务", "value": task.number},
            {"label": "处室", "value": task.office.name},
            {
                "label": "申请",
                "value": f"{asked.asked_by.full_name} {timezone.localtime(asked.asked_at):%Y-%m-%d %H:%M}",
            },
            {"label": "作废的理由", "value": asked.reason, "wide": True},
        ],
        "may_answer": waits and refused is None,
        "form": form or SetAsideAnswerForm(),
        "grant_follows": [
            "记录原样保留，标明“已作废”、理由和批准人",
            "该记录不再作为反馈和责令整改的依据；没有其他记录的，须重新检查",
            "短信告知申请人员和处室管理员",
            "批准后不能撤回",
        ],
        "refuse_follows": ["记录仍然有效", "短信告知申请人员和处室管理员"],
    }
    return render(request, "tasks/set_aside.html", context, status=422 if form else 200)


@heads
@either
def answering(request: PortalRequest, pk: int) -> HttpResponse:
    """One request before the head: the record, what is wrong with it, the answer."""
    asked = get_object_or_404(with_rows(for_heads(request.access)), pk=pk)
    if request.method != "POST":
        return _page(request, asked)
    form = SetAsideAnswerForm(request.POST)
    if form.is_valid():
        grant = form.cleaned_data["verdict"] == "grant"
        try:
            correcting.settle_set_aside(
                asked, grant=grant, answer=form.cleaned_data["answer"], by=request.user, now=request.now
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, reverse("tasks:set_aside_answer", args=[pk]), form)
            put_on_form(form, error)
        else:
            messages.success(request, "已批准，这份检查记录作废。" if grant else "已答复不批准，记录仍然有效。")
            return redirect("tasks:set_asides")
    return _page(request, asked, form)


@managers
@either
def asking(request: PortalRequest, number: str) -> HttpResponse:
    """申请作废 of one of the task's records."""
    rows = SupervisionTask.objects.for_managers(request.access)
    task = get_object_or_404(rows.select_related("office__department", "sub_item", "subject"), number=number)
    records = correcting.correctable(task)
    if not records and request.method != "POST":
        return redirect("tasks:task", number=number)
    # What was sent is refused in the action's own words where the record cannot be named any more.
    offered = records if request.method != "POST" else list(task.inspections.order_by("order"))
    initial = {"record": request.GET.get("record", records[0].order if len(records) == 1 else None)}
    form = SetAsideForm(request.POST if request.method == "POST" else None, records=offered, initial=initial)
    words = {
        "title": "申请检查记录作废",
        "lead": "记录有误的，经部门负责人批准后不再作为依据，原样保留；没有其他记录的，须重新检查。",
        "facts": [{"label": "检查对象", "value": task.public_subject}],
        "verb": "提交申请",
        "keep": "set-aside",
    }
    return act_page(
        request, task, form, words,
        lambda: correcting.ask_set_aside(task, **form.cleaned_data, by=request.user, now=request.now),
        "已提交，部门负责人批复后短信告知您。",
    )  # fmt: skip
