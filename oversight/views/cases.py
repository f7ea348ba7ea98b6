"""The pages of a case and of a task: stages, clocks, who did what and when, papers (O3.3.1d, O3.3.4).

They are for reading; the one act is another reviewer for a case whose own is away (L9c: its clocks go on).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from approvals.actions.clocks import hand_over_case
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.models import Case, Document
from approvals.progress import steps
from approvals.views.papers import paper_response
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from deadlines.models import Deadline
from deadlines.words import chinese_date
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import trace
from oversight.forms import HandOverForm
from supervision.models import SupervisionTask

Role = Posting.Role
overseers = roles_required(Role.OVERSEER)
CLOCKS = (
    "notice_deadline", "answer_deadline", "promised_deadline", "statutory_deadline", "stage_deadline",
    "procedure_deadline", "issue_deadline",
)  # fmt: skip
TASK_CLOCKS = ("acknowledge_deadline", "planned_deadline", "feedback_deadline", "follow_up_deadline")


def panels(clocks: Sequence[Deadline | None], on: dt.date) -> dict[str, Any]:
    """Open clocks get their panel, explained with the people; closed ones a line and the way to their page."""
    known = [clock for clock in clocks if clock is not None]
    opened = [clock for clock in known if clock.is_open]
    return {
        "open_clocks": opened,
        "closed_clocks": [clock for clock in known if not clock.is_open],
        "explanations": explain_many(opened, on, names=True),
    }


def _name(person: Any) -> str:
    return person.full_name if person else ""


def may_hand_over(case: Case) -> bool:
    """Whether the case still waits for its reviewer (on the spot: its decider), so that another can be drawn."""
    waits = case.status in {CaseStatus.IN_REVIEW, CaseStatus.ACCEPTED, CaseStatus.DEEMED_ACCEPTED}
    return waits and getattr(case, "opinion", None) is None


def _follows(case: Case) -> list[str]:
    """What drawing anew brings about; no clock changes."""
    who = "值班决定人员" if case.on_the_spot else "审查人员"
    before = case.decider if case.on_the_spot else case.reviewer
    lines = [f"从{case.review_office.name}的其他{who}中重新随机抽取，不能指定"]
    if before is not None:
        lines.append(f"办件从{before.full_name}名下移出，不再抽取给{before.full_name}")
    days = "、".join(f"{clock.get_kind_display()}{chinese_date(clock.due_on)}" for clock in case.deciding_clocks)
    lines.append(f"期限不变：{days}" if days else "期限不变")
    return [*lines, "改派和抽取记入办件留痕，窗口和公众看不到人员"]


def _answer(request: PortalRequest, number: str, form: HandOverForm | None = None) -> HttpResponse:
    """The page of a case; with a form that came back, as 422."""
    found = Case.objects.for_overseer(request.access).select_related(
        "business_item", "department", "review_office", "applicant", "intake_by", "reviewer", "decider", "opinion",
        "correction_notice", "refusal", "decision", "licence", *CLOCKS,
    )  # fmt: skip
    case = get_object_or_404(found, number=number)
    tasks = list(case.tasks.select_related("office__department", "sub_item", *TASK_CLOCKS).order_by("number"))
    entries = trace.entries_of([case.stream])
    refusal = getattr(case, "refusal", None)
    handed: dict[str, Any] = {}
    if may_hand_over(case):
        who = "决定人员" if case.on_the_spot else "审查人员"
        handed = {
            "hand_over_form": form or HandOverForm(),
            "hand_over_verb": f"改派{who}",
            "hand_over_follows": _follows(case),
        }
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
        **panels([getattr(case, name) for name in CLOCKS], local_date(request.now)),
        "tasks": tasks,
        "papers": Document.objects.filter(case=case).defer("content"),
        "entries": trace.timeline(entries),
        "returned": form,
        **handed,
    }
    return render(request, "oversight/case.html", context, status=422 if form else 200)


@overseers
@require_safe
def case_page(request: PortalRequest, number: str) -> HttpResponse:
    """One case, from intake to its tasks."""
    return _answer(request, number)


@overseers
@require_POST
def hand_over(request: PortalRequest, number: str) -> HttpResponse:
    """改派审查人员: draw another for a case whose own is away, or the first for a deemed acceptance without one."""
    case = get_object_or_404(Case.objects.for_overseer(request.access).only("pk", "number"), number=number)
    form = HandOverForm(request.POST)
    url = reverse("oversight:case", args=[number])
    if form.is_valid():
        try:
            done = hand_over_case(
                Case(pk=case.pk), reason=form.cleaned_data["reason"], by=request.user, now=request.now
            )
        except Refused as error:
            if error.conflict:
                return conflict(request, error, url)
            put_on_form(form, error)
        else:
            drawn = done.decider if done.on_the_spot else done.reviewer
            said = f"已改派给{drawn.full_name}" if drawn else "没有其他人值班，由处室决定人员办理"
            messages.success(request, f"办件 {number} {said}，期限不变。")
            return redirect(url)
    return _answer(request, number, form)


@overseers
@require_safe
def task_page(request: PortalRequest, number: str) -> HttpResponse:
    """One supervision task, from its opening to its end; nothing can be changed here."""
    found = SupervisionTask.objects.for_overseer(request.access).select_related(
        "case", "business_item", "subject", "office__department", "sub_item__item", "acknowledged_by", "feedback",
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
            {"label": "业务办理项", "value": task.business_item.name},
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
        **panels([getattr(task, name) for name in TASK_CLOCKS], local_date(request.now)),
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
