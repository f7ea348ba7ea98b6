"""The office manager's inbox and the task's page, made for a thumb."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from approvals.exceptions import Refused
from approvals.models import Upload
from approvals.uploads import file_response
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.export import csv_response
from offices.keyset import Keyset
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision import actions, lists, pages
from supervision.enums import TaskStatus
from supervision.forms import AcknowledgeForm, CloseForm, FeedbackForm, FinishForm
from supervision.models import SupervisionTask, TaskQuerySet

logger = logging.getLogger(__name__)
Role = Posting.Role
office_people = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD)
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)


def _address(**values: str) -> str:
    kept = {key: value for key, value in values.items() if value}
    return f"{reverse('tasks:list')}?{urlencode(kept)}" if kept else reverse("tasks:list")


def _rows(request: PortalRequest) -> tuple[lists.Queue, TaskQuerySet, dict[str, str]]:
    """The asked queue, its rows, and what was asked, to be kept in the addresses of the page."""
    queue = lists.chosen(request.GET.get("queue", ""))
    text, late = request.GET.get("q", "").strip(), request.GET.get("late", "")
    late_on = local_date(request.now) if late else None
    asked = {"queue": queue.key if queue is not lists.QUEUES[0] else "", "q": text, "late": late}
    return queue, lists.narrowed(request.access, queue, text=text, late_on=late_on), asked


@office_people
def inbox(request: PortalRequest) -> HttpResponse:
    """The tasks of the person's offices (a head's: of the department) by due day, with lights and the next verb."""
    today = local_date(request.now)
    queue, tasks, asked = _rows(request)
    counts = lists.counts(request.access, today)
    page = Keyset(tasks, queue.order).page(request.GET.get("page", ""))
    own = request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    heads = request.access.departments(Role.DEPARTMENT_HEAD)
    rows = [
        {
            "task": task,
            "clock": task.current_deadline,
            "waiting": task.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED} and task.acknowledge_deadline is None,
            "verb": lists.VERBS[TaskStatus(task.status)] if task.office_id in own else "查看",
            "url": reverse("tasks:task", args=[task.number]),
        }
        for task in page
    ]
    stats: list[dict[str, Any]] = [
        {
            "label": one.label,
            "count": counts[one.key],
            "url": _address(queue=one.key),
            "active": one is queue and not asked["late"],
            "tone": "warn" if one.key == "new" and counts["new"] != "0" else "neutral",
        }
        for one in lists.QUEUES
    ]
    late = {
        "label": "超期",
        "count": counts["late"],
        "url": _address(late="1"),
        "active": bool(asked["late"]),
        "tone": "bad" if counts["late"] != "0" else "neutral",
    }
    chips = [{"label": f"查找：{asked['q']}", "url": _address(**asked | {"q": ""})}] if asked["q"] else []
    lead = "请按到期日先后办理。"
    if counts["late"] != "0":
        lead = f"{counts['late']} 件已超期，请先办理。"
    elif counts["new"] != "0":
        lead = f"{counts['new']} 件待签收，请在短信发出后 3 个工作日内签收。"
    context = {
        "today": today,
        "lead": lead if own else "本部门各处室的监管任务，只能查看。",
        "queue": queue,
        "rows": rows,
        "several_offices": bool(heads) or len(own) > 1,
        "stats": [stats[0], late, *stats[1:]],
        "bar": {
            "action": reverse("tasks:list"),
            "q": asked["q"],
            "q_label": "任务编号、监管对象或事项",
            "placeholder": "编号、企业名称或事项",
            "hidden": [{"name": key, "value": asked[key]} for key in ("queue", "late") if asked[key]],
            "chips": chips,
            "clear_url": _address(queue=asked["queue"]) if chips else "",
        },
        "narrowed": bool(chips or asked["late"]),
        "clear_url": _address(queue=asked["queue"]),
        "pager": {
            "first_url": _address(**asked),
            "previous_url": _address(**asked, page=page.previous) if page.previous else "",
            "next_url": _address(**asked, page=page.next) if page.next else "",
            "summary": f"本页 {len(rows)} 件" if rows else "",
        },
        "export_url": reverse("tasks:export") + (f"?{urlencode(asked)}" if any(asked.values()) else ""),
    }
    return render(request, "tasks/list.html", context)


@office_people
def export(request: PortalRequest) -> HttpResponseBase:
    """The asked queue as CSV."""
    today = local_date(request.now)
    queue, tasks, _ = _rows(request)
    head = [
        "任务编号", "监管对象", "证件号码", "业务办理项", "监管事项子项", "监管部门处室", "状态",
        "监管措施", "计划完成日", "完成监管日", "当前期限", "到期日", "时限",
    ]  # fmt: skip

    def line(task: SupervisionTask) -> list[Any]:
        clock = task.current_deadline
        return [
            task.number, task.case.public_name, task.case.applicant.public_identifier,
            task.case.business_item.name, task.sub_item.name, str(task.office), task.get_status_display(),
            task.get_measure_display(), task.planned_finish_on or "", task.finished_on or "",
            clock.get_kind_display() if clock else "", clock.due_on if clock else "",
            clock.light_text(today) if clock else "",
        ]  # fmt: skip

    rows = tasks.order_by(*queue.order).iterator(chunk_size=500)
    return csv_response(f"监管任务-{queue.label}-{today:%Y%m%d}", head, (line(task) for task in rows))


def _task(number: str, tasks: TaskQuerySet) -> SupervisionTask:
    """The task if it is among ``tasks``, with what its page reads; 404 otherwise."""
    found = tasks.select_related(
        "case__business_item", "case__applicant", "case__department", "office__department", "sub_item__item",
        *lists.CLOCKS,
    )  # fmt: skip
    return get_object_or_404(found, number=number)


def _own(request: PortalRequest, number: str) -> SupervisionTask:
    """A task that this person may act on; 404 otherwise, for heads too."""
    return _task(number, SupervisionTask.objects.for_managers(request.access))


def _form(request: PortalRequest, task: SupervisionTask) -> forms.Form | None:
    """The empty form of the task's state, with what can be guessed filled in."""
    today = local_date(request.now)
    if task.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED}:
        return AcknowledgeForm(today=today, initial={"planned_finish_on": pages.planned_day(today)})
    if task.status == TaskStatus.ACKNOWLEDGED:
        return FinishForm(today=today, earliest=task.earliest_finish, initial={"finished_on": today})
    if task.status == TaskStatus.FINISHED:
        return FeedbackForm(clauses=task.promise_clauses)
    return CloseForm() if task.status == TaskStatus.FED_BACK else None


def _answer(request: PortalRequest, task: SupervisionTask, form: forms.Form | None) -> HttpResponse:
    """The task's page with the form of the moment; one that came back with errors, as 422."""
    context = pages.archive(task, request.now) | {"form": form, "stage": type(form).__name__ if form else ""}
    if isinstance(form, AcknowledgeForm):
        context["measures"] = pages.measure_choices(task, str(form["measure"].value() or ""))
    return render(request, "tasks/task.html", context, status=422 if form is not None and form.errors else 200)


@office_people
def task_page(request: PortalRequest, number: str) -> HttpResponse:
    """One task. A manager or deputy who opens it has viewed it (L9c); a head's look does not count."""
    task = _task(number, SupervisionTask.objects.for_office_people(request.access))
    acts = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    if acts and request.method == "GET" and task.status == TaskStatus.NOTIFIED:
        actions.view_task(task, by=request.user, now=request.now)
        task = _own(request, number)
    return _answer(request, task, _form(request, task) if acts else None)


@office_people
def file(request: PortalRequest, number: str, pk: int) -> HttpResponseBase:
    """A file of the case that the task came from, with a trace; whoever may see the task may read it."""
    task = _task(number, SupervisionTask.objects.for_office_people(request.access))
    upload = get_object_or_404(
        Upload.objects.select_related("case_material"), pk=pk, case_material__case_id=task.case_id
    )
    if request.method == "GET":
        actions.note_reading(task, upload, by=request.user, now=request.now)
    try:
        return file_response(upload, neutral=True)
    except FileNotFoundError:
        logger.exception("file %s is not in the store", upload.pk)
        advice = "这个文件暂时无法打开，请联系审批窗口核对原件。"
        return render(request, "problem.html", {"status": 404, "title": "文件没有找到", "advice": advice}, status=404)


def _act(
    request: PortalRequest, task: SupervisionTask, form: forms.Form, act: Callable[[], SupervisionTask], said: str
) -> HttpResponse:
    """Validate, do one action, answer: back to the task, 409 where somebody was faster, 422 beside the fields."""
    url = reverse("tasks:task", args=[task.number])
    if form.is_valid():
        try:
            done = act()
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            messages.success(request, said.format(status=done.get_status_display()))
            return redirect(url)
    return _answer(request, task, form)


@managers
def acknowledgement(request: PortalRequest, number: str) -> HttpResponse:
    """签收."""
    task = _own(request, number)
    if request.method != "POST":
        return redirect("tasks:task", number=number)
    form = AcknowledgeForm(request.POST, today=local_date(request.now))
    return _act(
        request,
        task,
        form,
        lambda: actions.acknowledge(task, **form.cleaned_data, by=request.user, now=request.now),
        "已签收。监管工作完成后，请回到这里填写完成日期。",
    )


@managers
def finish(request: PortalRequest, number: str) -> HttpResponse:
    """完成监管."""
    task = _own(request, number)
    if request.method != "POST":
        return redirect("tasks:task", number=number)
    form = FinishForm(request.POST, today=local_date(request.now), earliest=task.earliest_finish)
    return _act(
        request,
        task,
        form,
        lambda: actions.finish(task, **form.cleaned_data, by=request.user, now=request.now),
        "已记录完成监管，请在 5 个工作日内反馈结果。",
    )


@managers
def feedback(request: PortalRequest, number: str) -> HttpResponse:
    """反馈监管结果."""
    task = _own(request, number)
    if request.method != "POST":
        return redirect("tasks:task", number=number)
    form = FeedbackForm(request.POST, clauses=task.promise_clauses)
    return _act(
        request,
        task,
        form,
        lambda: actions.feed_back(
            task,
            result=form.cleaned_data["result"],
            text=form.cleaned_data["text"],
            platform=form.cleaned_data["platform"],
            platform_number=form.cleaned_data["platform_number"],
            clause_results=form.clause_results(),
            by=request.user,
            now=request.now,
        ),
        "监管结果已反馈，任务{status}。",
    )


@managers
def closing(request: PortalRequest, number: str) -> HttpResponse:
    """归档."""
    task = _own(request, number)
    if request.method != "POST":
        return redirect("tasks:task", number=number)
    form = CloseForm(request.POST)
    return _act(
        request,
        task,
        form,
        lambda: actions.close(task, **form.cleaned_data, by=request.user, now=request.now),
        "任务{status}。",
    )
