"""Pages beside the task's own: bulk acknowledgement, assignment, change of plan, the end of the licence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision import actions, lists, pages
from supervision.actions.ordering import licence_over
from supervision.actions.taking import (
    ASSIGNABLE,
    MOST_AT_ONCE,
    PLANNED,
    drawn_until,
    has_passed,
    latest_day,
    refuse_gone,
)
from supervision.enums import ENDS_WITH_LICENCE, Measure, Origin, TaskStatus
from supervision.forms import BulkForm, GraveReasonForm, OfficersForm, ReplanForm
from supervision.models import SupervisionTask

Role = Posting.Role
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
either = require_http_methods(["GET", "HEAD", "POST"])


def _own(request: PortalRequest, number: str) -> SupervisionTask:
    """A task that this person may act on; 404 otherwise."""
    rows = SupervisionTask.objects.for_managers(request.access).select_related(
        "sub_item", "office__department", "subject", "business_item", *lists.PEOPLE
    )
    return get_object_or_404(rows, number=number)


def crumbs(task: SupervisionTask) -> list[dict[str, str]]:
    """The way back to the task."""
    return [
        {"label": "监管任务", "url": reverse("tasks:list")},
        {"label": task.number, "url": reverse("tasks:task", args=[task.number])},
    ]


def act_page(
    request: PortalRequest,
    task: SupervisionTask,
    form: forms.Form,
    words: dict[str, Any],
    act: Callable[[], object],
    said: str,
) -> HttpResponse:
    """One form of one task on a page of its own: shown, or done and back to the task; 409 and 422 as everywhere."""
    back = reverse("tasks:task", args=[task.number])
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back, form)
            put_on_form(form, error)
        else:
            messages.success(request, said)
            return redirect(back)
    context = {"task": task, "form": form, "back": back, "crumbs": crumbs(task)} | words
    return render(request, "tasks/act.html", context, status=422 if form.is_bound and form.errors else 200)


@managers
@either
def assignment(request: PortalRequest, number: str) -> HttpResponse:
    """分派或改派."""
    task = _own(request, number)
    if request.method != "POST" and task.status not in ASSIGNABLE:
        return redirect("tasks:task", number=number)
    form = OfficersForm(
        request.POST if request.method == "POST" else None,
        task=task,
        today=local_date(request.now),
        initial={"first_officer": task.first_officer_id, "second_officer": task.second_officer_id},
    )
    lead = "本处室的管理员、副管理员和监管执法人员；请假的不在其中。被分派的人会收到短信，期限不变。"
    if task.origin == Origin.DRAW:
        lead = "两名检查人员由抽签选定。已经离岗、正在请假或者须回避的，才能换成抽查人员池中的其他人员，并写明原因。"
    words = {
        "title": "分派办理人员",
        "lead": lead,
        "verb": "分派",
        "keep": "assign",
    }
    return act_page(
        request, task, form, words,
        lambda: actions.assign(task, **form.cleaned_data, by=request.user, now=request.now), "已分派，已短信通知。",
    )  # fmt: skip


@managers
@either
def replanning(request: PortalRequest, number: str) -> HttpResponse:
    """变更监管措施或计划完成日; 暂不检查 is reviewed here."""
    task = _own(request, number)
    if request.method != "POST" and task.status not in PLANNED:
        return redirect("tasks:task", number=number)
    today = local_date(request.now)
    form = ReplanForm(
        request.POST if request.method == "POST" else None,
        task=task,
        today=today,
        initial={
            "measure": "" if task.measure == Measure.NONE_NOW else task.measure,
            "planned_finish_on": task.planned_finish_on,
            "measure_with": task.measure_with,
        },
    )
    latest = latest_day(task, today)
    lead = f"最迟可以计划到 {latest:%Y-%m-%d}。改日期的，原来的计划完成日停止计算，按新的日期重新提醒。"
    if has_passed(task, today):
        lead = (
            f"计划完成日（{task.planned_finish_on:%Y-%m-%d}）已过，不能再改，逾期提醒到完成监管为止；这里只能变更措施。"
        )
    else:
        form.fields["planned_finish_on"].widget.attrs["max"] = latest.isoformat()
    words = {
        "title": "变更监管措施或计划完成日",
        "lead": lead,
        "verb": "变更",
        "keep": "replan",
    }
    return act_page(
        request, task, form, words,
        lambda: actions.replan(task, **form.cleaned_data, by=request.user, now=request.now), "计划已变更。",
    )  # fmt: skip


@managers
@either
def licence_ended(request: PortalRequest, number: str) -> HttpResponse:
    """证照已失效，归档."""
    task = _own(request, number)
    change = task.changes.filter(ends_licence=True).order_by("-id").first()
    over = licence_over(task, local_date(request.now))
    if request.method != "POST" and (task.status not in ENDS_WITH_LICENCE or not over):
        return redirect("tasks:task", number=number)
    form = GraveReasonForm(request.POST if request.method == "POST" else None)
    words = {
        "title": "证照已失效，归档",
        "lead": f"{change.text if change else '证照的有效期已满。'} 归档后不再检查和整改，未完的期限停止计算。",
        "verb": "归档",
        "keep": "licence-ended",
    }
    return act_page(
        request, task, form, words,
        lambda: actions.close_for_licence(task, **form.cleaned_data, by=request.user, now=request.now),
        "任务已归档：证照已失效。",
    )  # fmt: skip


# What a line of 批量签收 shows, and what its form judges by.
BULK = (
    "number", "status", "origin", "measure", "promise_clauses", "subject_name", "subject__kind", "business_item__name",
    *(f"acknowledge_deadline__{name}" for name in ("kind", "state", "unit", "start_on", "due_on", "yellow_on")),
)  # fmt: skip


@managers
@either
def bulk_group(request: PortalRequest, office: int, sub_item: int) -> HttpResponse:
    """批量签收: tasks of one office and one sub-item, with one measure and one day for all that are ticked."""
    # by the keys of the rows, not the columns: a number beyond every key finds nothing and is no error
    mine = SupervisionTask.objects.for_managers(request.access).filter(office__pk=office, sub_item__pk=sub_item)
    first = mine.select_related("sub_item", "office__department").first()
    if first is None:
        raise Http404
    opened = mine.filter(status=TaskStatus.VIEWED).order_by(*lists.QUEUES[0].order)
    shown = list(opened.select_related("subject", "business_item", "acknowledge_deadline").only(*BULK)[:MOST_AT_ONCE])
    today = local_date(request.now)
    numbers = [one for one in request.POST.getlist("numbers") if "\0" not in one]
    days = [pages.planned_day(today), today + dt.timedelta(days=first.sub_item.longest_plan_days)]
    day = min(days if (drawn := drawn_until(shown, today)) is None else [*days, drawn])
    form = BulkForm(
        request.POST if request.method == "POST" else None,
        tasks=shown,
        today=today,
        initial={"planned_finish_on": day},
    )
    numbers_error = ""
    back = reverse("tasks:bulk")
    status = 200
    wanted = list(mine.filter(number__in=numbers[: MOST_AT_ONCE + 1])) if numbers else []
    try:
        refuse_gone(numbers[: MOST_AT_ONCE + 1], wanted)
    except Refused as error:
        numbers_error, status = error.message, 409
    if request.method == "POST" and form.is_valid() and not numbers_error:
        try:
            done = actions.acknowledge_many(wanted, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict and not shown:
                return conflict(request, error, back, form)
            if error.field == "numbers":
                numbers_error, status = error.message, 409 if error.conflict else 422
            else:
                put_on_form(form, error)
        else:
            messages.success(request, f"已签收 {len(done)} 件，措施和计划完成日相同，每件各自计时。")
            return redirect("tasks:list")
    elif not shown and request.method != "POST":
        return redirect("tasks:bulk")
    unopened = mine.filter(status=TaskStatus.NOTIFIED).count()
    context = {
        "lead": "勾选已经看过的任务，用同一项措施、同一个计划完成日一并签收；有一件不能签收，就都不签收。",
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}, {"label": "批量签收", "url": back}],
        "form": form,
        "office": first.office,
        "sub_item": first.sub_item,
        "rows": [
            {
                "task": task,
                "clock": task.acknowledge_deadline,
                "checked": request.method != "POST" or task.number in numbers,
            }
            for task in shown
        ],
        "today": today,
        "numbers_error": numbers_error,
        "unopened": unopened,
        "unopened_url": f"{reverse('tasks:list')}?queue=new",
        "back": back,
    }
    if status == 200 and form.is_bound:
        status = 422
    return render(request, "tasks/bulk.html", context, status=status)


@managers
@require_safe
def bulk(request: PortalRequest) -> HttpResponse:
    """批量签收: which like tasks there are; one statement."""
    rows = (
        SupervisionTask.objects.for_managers(request.access)
        .filter(status=TaskStatus.VIEWED)
        .order_by()
        .values("office_id", "office__name", "office__department__name", "sub_item_id", "sub_item__name")
        .annotate(count=Count("pk"))
        .order_by("-count", "office_id", "sub_item_id")
    )
    groups = [
        {
            "office": f"{row['office__department__name']}{row['office__name']}",
            "sub_item": row["sub_item__name"],
            "count": row["count"],
            "url": reverse("tasks:bulk_group", args=[row["office_id"], row["sub_item_id"]]),
        }
        for row in rows
    ]
    context = {
        "lead": "选一组已经打开看过的同类任务。",
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}],
        "groups": groups,
        "list_url": f"{reverse('tasks:list')}?queue=new",
    }
    return render(request, "tasks/bulk.html", context)
