"""The read-only pages of a case and of a task: stages, clocks, who did what and when, papers (O3.3.1d, O3.3.4)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from approvals.models import Case, Document
from approvals.progress import steps
from approvals.views.papers import paper_response
from deadlines.clock import local_date
from deadlines.models import Deadline
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import trace
from supervision.models import SupervisionTask

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
CLOCKS = ("notice_deadline", "answer_deadline", "promised_deadline", "statutory_deadline", "issue_deadline")
TASK_CLOCKS = ("acknowledge_deadline", "planned_deadline", "feedback_deadline")


def _panels(clocks: list[Deadline | None]) -> dict[str, list[Deadline]]:
    """Open clocks get their panel, closed ones a line."""
    known = [clock for clock in clocks if clock is not None]
    return {
        "open_clocks": [clock for clock in known if clock.is_open],
        "closed_clocks": [clock for clock in known if not clock.is_open],
    }


def _name(person: Any) -> str:
    return person.full_name if person else ""


@overseers
@require_safe
def case_page(request: PortalRequest, number: str) -> HttpResponse:
    """One case, from intake to its tasks; nothing can be changed here."""
    found = Case.objects.for_overseer(request.access).select_related(
        "business_item", "department", "review_office", "applicant", "intake_by", "reviewer", "decider", "opinion",
        "correction_notice", "refusal", "decision", "licence", *CLOCKS,
    )  # fmt: skip
    case = get_object_or_404(found, number=number)
    tasks = list(case.tasks.select_related("office__department", "sub_item", *TASK_CLOCKS).order_by("number"))
    entries = trace.entries_of([case.stream])
    refusal = getattr(case, "refusal", None)
    context = {
        "today": local_date(request.now),
        "case": case,
        "crumbs": [{"label": "时限督办", "url": reverse("oversight:board")}],
        "steps": steps(case),
        "facts": [
            {"label": "业务办理项", "value": case.business_item.name},
            {"label": "办件编号", "value": case.number},
            {"label": "审批部门", "value": case.department.name},
            {"label": "审查处室", "value": case.review_office.name},
            {"label": "办理方式", "value": case.get_way_display()},
            {"label": "收件人员", "value": _name(case.intake_by)},
            {"label": "审查人员", "value": _name(case.reviewer)},
            {"label": "决定人员", "value": _name(case.decider)},
        ],
        "refusal": refusal,
        **_panels([getattr(case, name) for name in CLOCKS]),
        "tasks": tasks,
        "papers": Document.objects.filter(case=case).defer("content"),
        "entries": trace.timeline(entries),
    }
    return render(request, "oversight/case.html", context)


@overseers
@require_safe
def task_page(request: PortalRequest, number: str) -> HttpResponse:
    """One supervision task, from its opening to its end; nothing can be changed here."""
    found = SupervisionTask.objects.for_overseer(request.access).select_related(
        "case__business_item", "case__applicant", "office__department", "sub_item__item", "acknowledged_by", "feedback",
        *TASK_CLOCKS,
    )  # fmt: skip
    task = get_object_or_404(found, number=number)
    context = {
        "today": local_date(request.now),
        "task": task,
        "case": task.case,
        "crumbs": [{"label": "时限督办", "url": reverse("oversight:board")}],
        "steps": trace.task_steps(task),
        "facts": [
            {"label": "业务办理项", "value": task.case.business_item.name},
            {"label": "任务编号", "value": task.number},
            {"label": "监管部门", "value": task.office.department.name},
            {"label": "监管处室", "value": task.office.name},
            {"label": "监管事项", "value": task.sub_item.item.name},
            {"label": "监管事项子项", "value": task.sub_item.name},
            {"label": "监管措施", "value": task.get_measure_display() if task.measure else ""},
            {"label": "签收人员", "value": _name(task.acknowledged_by)},
            {"label": "措施说明", "value": task.measure_reason, "wide": True},
        ],
        "feedback": getattr(task, "feedback", None),
        **_panels([getattr(task, name) for name in TASK_CLOCKS]),
        "entries": trace.timeline(trace.entries_of([task.stream])),
    }
    return render(request, "oversight/task.html", context)


@overseers
@require_safe
def paper(request: PortalRequest, pk: int) -> HttpResponse:
    """A paper of a case that the person oversees."""
    papers = Document.objects.filter(case__in=Case.objects.for_overseer(request.access)).select_related("case")
    document = get_object_or_404(papers, pk=pk)
    return paper_response(request, document, back_url=reverse("oversight:case", args=[document.case.number]))
