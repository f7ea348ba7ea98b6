"""The office manager's inbox and the task's page, made for a thumb."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from approvals.exceptions import Refused
from approvals.models import Upload
from approvals.uploads import file_response
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from deadlines.models import Deadline
from offices.export import csv_response
from offices.links import link
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision import actions, lists, officers, pages, panels
from supervision.actions.taking import latest_day
from supervision.enums import Measure, Result, TaskStatus
from supervision.forms import AcknowledgeForm, CloseForm, FeedbackForm, FinishForm
from supervision.models import Feedback, SupervisionTask, TaskQuerySet

logger = logging.getLogger(__name__)
Role = Posting.Role
office_people = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR)
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)


def _listing(request: PortalRequest) -> tuple[lists.Queue, lists.Narrow, Listing, dict[str, str]]:
    """The asked queue, what narrows it, the list as it was asked for, and queue and lateness for its addresses."""
    queue = lists.chosen(request.GET.get("queue", ""))
    choices = lists.choices(request.access)
    several = len(choices.offices) > 1
    filters = [
        Filter("item", "事项", choices.items),
        Filter("area", "区域", choices.areas),
        Filter("origin", "来源", lists.origin_options()),
        Filter("whose", "办理人员", lists.WHOSE),
    ]
    if several:
        filters.insert(0, Filter("office", "处室", choices.offices))
    listing = Listing(
        request,
        reverse("tasks:list"),
        filters,
        q_label="任务编号、监管对象或事项",
        placeholder="编号、企业名称或事项",
    )
    kept = {"queue": queue.key if queue is not lists.QUEUES[0] else "", "late": "1" if request.GET.get("late") else ""}
    more = lists.Narrow(
        text=listing["q"],
        late_on=local_date(request.now) if kept["late"] else None,
        item=listing["item"],
        area=listing["area"],
        origin=listing["origin"],
        office=listing["office"] if several else "",
        whose=listing["whose"],
    )
    return queue, more, listing, kept


@office_people
def inbox(request: PortalRequest) -> HttpResponse:
    """The tasks of the person's offices (a head's: of the department) by due day, with lights and the next verb."""
    today = local_date(request.now)
    queue, more, listing, kept = _listing(request)
    counts = lists.counts(request.access, today)
    page = lists.page(request.access, queue, more, request.GET.get("page", ""))
    own = request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    field = request.access.offices(Role.INSPECTOR)
    heads = request.access.departments(Role.DEPARTMENT_HEAD)
    found = lists.shown(page.rows)
    orders, faults = lists.order_clocks(found), officers.faults(found, today)
    rows = [
        {
            "task": task,
            "clock": orders.get(task.pk) or task.current_deadline,
            "waiting": task.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED} and task.acknowledge_deadline is None,
            "verb": lists.VERBS[TaskStatus(task.status)] if task.office_id in own else "查看",
            "faults": faults.get(task.pk, []) if task.status != TaskStatus.CLOSED else [],
            "url": link("tasks:task")(task.number),
        }
        for task in found
    ]
    stats: list[dict[str, Any]] = [
        {
            "label": one.label,
            "count": counts[one.key],
            "url": _with(reverse("tasks:list"), {"queue": one.key}),
            "active": one is queue and not kept["late"],
            "tone": "warn" if one.key == "new" and counts["new"] != "0" else "neutral",
        }
        for one in lists.QUEUES
    ]
    late = {
        "label": "超期",
        "count": counts["late"],
        "url": _with(reverse("tasks:list"), {"late": "1"}),
        "active": bool(kept["late"]),
        "tone": "bad" if counts["late"] != "0" else "neutral",
    }
    bar = listing.bar()
    for chip in bar["chips"]:
        chip["url"] = _with(chip["url"], kept)
    bar["hidden"] = [{"name": key, "value": value} for key, value in kept.items() if value]
    bar["clear_url"] = _with(reverse("tasks:list"), {"queue": kept["queue"]}) if bar["chips"] else ""
    pager = {
        "first_url": listing.address(**kept),
        "previous_url": listing.address(**kept, page=page.previous) if page.previous else "",
        "next_url": listing.address(**kept, page=page.next) if page.next else "",
        "summary": f"本页 {len(rows)} 件" if rows else "",
    }
    lead = "请按到期日先后办理。"
    if counts["late"] != "0":
        lead = f"{counts['late']} 件已超期，请先办理。"
    elif counts["new"] != "0":
        lead = f"{counts['new']} 件待签收，请在短信发出后 3 个工作日内签收。"
    if not own:
        lead = "分派给您的监管任务。" if field else "本部门各处室的监管任务，只能查看。"
    context = {
        "today": today,
        "lead": lead,
        "queue": queue,
        "rows": rows,
        "several_offices": bool(heads) or len(own | field) > 1,
        "stats": [stats[0], late, *stats[1:]],
        "bar": bar,
        "narrowed": bool(bar["chips"] or kept["late"]),
        "clear_url": _with(reverse("tasks:list"), {"queue": kept["queue"]}),
        "pager": pager,
        "export_url": listing.address(reverse("tasks:export"), **kept),
        "bulk_url": reverse("tasks:bulk") if own and queue.key == "new" and rows else "",
        "empty_text": "分派给您的任务会短信通知您，并出现在这里。"
        if field and not own
        else "审批办结后，有新的监管任务会短信通知您，并出现在这里。",
    }
    return render(request, "tasks/list.html", context)


def _with(url: str, kept: dict[str, str]) -> str:
    """The address with queue and lateness added."""
    query = urlencode({key: value for key, value in kept.items() if value})
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


@office_people
def export(request: PortalRequest) -> HttpResponseBase:
    """The asked queue as CSV."""
    today = local_date(request.now)
    queue, more, _, _ = _listing(request)
    head = [
        "任务编号", "监管对象", "证件号码", "业务办理项", "监管事项子项", "监管部门处室", "状态", "来源",
        "监管措施", "主办人员", "协办人员", "计划完成日", "完成监管日", "当前期限", "到期日", "时限",
    ]  # fmt: skip

    def line(task: SupervisionTask, orders: dict[int, Deadline]) -> list[Any]:
        clock = orders.get(task.pk) or task.current_deadline
        return [
            task.number, task.public_subject, task.subject.public_identifier,
            task.business_item.name, task.sub_item.name, str(task.office), task.get_status_display(),
            task.get_origin_display(), task.get_measure_display(),
            task.first_officer.full_name if task.first_officer else "",
            task.second_officer.full_name if task.second_officer else "",
            task.planned_finish_on or "", task.finished_on or "",
            clock.get_kind_display() if clock else "", clock.due_on if clock else "",
            clock.light_text(today) if clock else "",
        ]  # fmt: skip

    def lines(page: list[SupervisionTask]) -> Iterator[list[Any]]:
        found = lists.completed(page)
        orders = lists.order_clocks(found)
        return (line(task, orders) for task in found)

    rows = everything(lists.narrowed(request.access, queue, more=more), queue.order, lines)
    return csv_response(f"监管任务-{queue.label}-{today:%Y%m%d}", head, rows)


def _task(number: str, tasks: TaskQuerySet) -> SupervisionTask:
    """The task if it is among ``tasks``, with what its page reads; 404 otherwise."""
    found = tasks.select_related(
        "case__department", "business_item", "subject", "office__department", "sub_item__item",
        *lists.PEOPLE, *lists.CLOCKS,
    )  # fmt: skip
    return get_object_or_404(found, number=number)


def _own(request: PortalRequest, number: str) -> SupervisionTask:
    """A task that this person may act on; 404 otherwise, for heads too."""
    return _task(number, SupervisionTask.objects.for_managers(request.access))


def _form(request: PortalRequest, task: SupervisionTask) -> forms.Form | None:
    """The empty form of the task's state, with what can be guessed filled in."""
    today = local_date(request.now)
    if task.status in {TaskStatus.NOTIFIED, TaskStatus.VIEWED}:
        return _acknowledge_form(request, task)
    if task.status in {TaskStatus.ACKNOWLEDGED, TaskStatus.IN_PROGRESS} and task.measure != Measure.NONE_NOW:
        return FinishForm(today=today, earliest=task.earliest_finish, initial={"finished_on": today})
    if task.status == TaskStatus.FINISHED:
        return FeedbackForm(clauses=task.promise_clauses, initial=pages.found_already(task))
    if task.status == TaskStatus.FED_BACK and Feedback.objects.filter(task=task, result=Result.BASICALLY).exists():
        return CloseForm()
    return None


def _acknowledge_form(request: PortalRequest, task: SupervisionTask) -> AcknowledgeForm:
    today = local_date(request.now)
    given = {"first_officer": task.first_officer_id, "second_officer": task.second_officer_id}
    day = min(pages.planned_day(today), latest_day(task, today))
    return AcknowledgeForm(
        request.POST if request.method == "POST" else None,
        task=task,
        today=today,
        initial={"planned_finish_on": day} | given,
    )


def _answer(request: PortalRequest, task: SupervisionTask, form: forms.Form | None) -> HttpResponse:
    """The task's page with the form of the moment; one that came back with errors, as 422."""
    acts = task.office_id in request.access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    context = pages.archive(task, request.access, request.now) | panels.of(task, request)
    context |= {"form": form, "stage": type(form).__name__ if form else "", "acts": acts}
    context["verbs"] = pages.side_verbs(task, local_date(request.now)) if acts else []
    given = request.user.pk in {task.first_officer_id, task.second_officer_id}
    context["reader_lead"] = (
        "这件任务分派给您检查；签收、完成和反馈由处室管理员办理。"
        if given
        else "这件任务您可以查看，由处室管理员办理。"
    )
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
    if task.case_id is None:  # old stock: what no case has is nobody's file, not this task's
        raise Http404
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
                return conflict(request, error, url, form)
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
    form = _acknowledge_form(request, task)
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
