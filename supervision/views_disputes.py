"""The manager's page of 不属本处室, made for a phone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from approvals.exceptions import Refused
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision.actions import disputing
from supervision.forms_disputes import DisputeForm
from supervision.models import SupervisionTask

Role = Posting.Role
managers = roles_required(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
FOLLOWS = (
    "异议交督办人员协调，并短信通知他们",
    "协调期间签收期限照常计算，不因异议停止",
    "改派的，任务转到新的处室，本处室不再能查看；维持原派的，请继续签收办理",
)


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: PortalRequest, number: str) -> HttpResponse:
    """Say that the task is not the office's own."""
    own = SupervisionTask.objects.for_managers(request.access)
    rows = own.select_related("office__department", "business_item", "subject", "sub_item", "acknowledge_deadline")
    task = get_object_or_404(rows, number=number)
    back = reverse("tasks:task", args=[task.number])
    if request.method != "POST" and (refusal := disputing.why_not(task)):
        return conflict(request, refusal, back)
    offices = disputing.other_offices(task, local_date(request.now))
    form = DisputeForm(request.POST if request.method == "POST" else None, offices=offices)
    if request.method == "POST" and form.is_valid():
        try:
            raised = disputing.raise_dispute(task, **form.cleaned_data, by=request.user, now=request.now)
        except Refused as error:
            if error.conflict:
                return conflict(request, error, back, form)
            put_on_form(form, error)
        else:
            due = raised.deadline.due_on if raised.deadline else local_date(request.now)
            messages.success(request, f"异议已提交，督办人员将在{due.month}月{due.day}日前处理。签收期限照常计算。")
            return redirect(back)
    context = {
        "task": task,
        "form": form,
        "follows": FOLLOWS,
        "clock": task.acknowledge_deadline,
        "today": local_date(request.now),
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}, {"label": task.number, "url": back}],
    }
    return render(request, "tasks/dispute.html", context, status=422 if form.is_bound else 200)
