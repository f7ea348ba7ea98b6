"""责令整改、移送执法、撤销建议: the list of orders, the order's page with its forms, and the forms of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from approvals.exceptions import Refused
from approvals.papers import cn_day
from approvals.web import conflict, put_on_form
from deadlines.clock import local_date
from deadlines.explaining import explain_many
from offices.export import csv_response
from offices.lists import Filter, Listing, everything
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from supervision import lists_orders
from supervision.actions import handing_over, ordering, proposing
from supervision.enums import OrderStatus, TaskStatus
from supervision.forms_orders import (
    AnswerExtensionForm,
    AskExtensionForm,
    HandoverForm,
    HandoverResultForm,
    OrderForm,
    ProposalForm,
    ReceiptForm,
    SettleForm,
)
from supervision.lists import offices_of
from supervision.models import Feedback, Finding, Handover, Inspection, Proposal, Rectification, SupervisionTask
from supervision.models.orders import unanswered

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
office_people = roles_required(*MANAGERS, Role.DEPARTMENT_HEAD, Role.INSPECTOR)
managers = roles_required(*MANAGERS)
heads = roles_required(Role.DEPARTMENT_HEAD)
HEAD = (
    "文号", "监管任务", "监管对象", "业务办理项", "监管事项子项", "监管部门处室", "下达日期", "整改期限", "时限",
    "状态", "申请延长至", "延长批复", "认定理由",
)  # fmt: skip
CRUMB = {"label": "监管任务", "url": "/tasks/"}


# --- the list


def _offices(request: PortalRequest) -> list[tuple[str, str]]:
    """The offices to choose from, for those who see more than one; one statement for a head."""
    offices = offices_of(request.access)
    return [(str(office.pk), office.name) for office in offices] if len(offices) > 1 else []


def _listing(request: PortalRequest) -> tuple[Listing, lists_orders.Tab, Callable[[], QuerySet[Rectification]]]:
    """The list as it was asked for, its part, and what makes its rows."""
    offices = _offices(request)
    listing = Listing(
        request,
        reverse("tasks:orders"),
        filters=[Filter("office", "处室", offices)] if offices else [],
        q_label="文号、任务编号、对象或事项",
        placeholder="文号、编号、企业名称或事项",
        tabs=[tab.key for tab in lists_orders.TABS if tab.key],
    )
    tab = lists_orders.tab_of(listing["tab"])

    def rows() -> QuerySet[Rectification]:
        found = lists_orders.mine(request.access).filter(lists_orders.condition(tab.key, local_date(request.now)))
        if offices and listing["office"]:
            found = found.filter(task__office_id=int(listing["office"]))
        return lists_orders.searched(found, listing["q"])

    return listing, tab, rows


@office_people
@require_safe
def order_list(request: PortalRequest) -> HttpResponse:
    """The orders of the person's offices, a head's of the department."""
    listing, tab, rows = _listing(request)
    today = local_date(request.now)
    page = listing.page(rows, tab.order, wide=lists_orders.rows_of, key=(order_list, request.access.key))
    found = lists_orders.counts(request.access, today)
    stats = listing.stats([(one.key, one.label, found[one.key], one.tone) for one in lists_orders.TABS])
    context = {
        "today": today,
        "tab": tab,
        "rows": [{"order": one, "task": one.task, "url": reverse("tasks:order", args=[one.pk])} for one in page],
        "stats": stats,
        "bar": listing.bar(),
        "pager": listing.pager(page, "份"),
        "export_url": listing.address(reverse("tasks:orders_export")),
        "clear_url": listing.address(q="", office="") if "office" in listing.asked else listing.address(q=""),
    }
    return render(request, "tasks/orders.html", context)


def _verdict_of_extension(order: Rectification) -> str:
    if order.extension_asked_at is None:
        return ""
    if order.extension_granted is None:
        return "待批"
    return "批准" if order.extension_granted else "不批准"


@office_people
@require_safe
def orders_export(request: PortalRequest) -> HttpResponseBase:
    """The list as asked for, as CSV."""
    _, tab, rows = _listing(request)
    today = local_date(request.now)

    def line(order: Rectification) -> Sequence[Any]:
        task = order.task
        return (
            order.paper.number, task.number, task.public_subject, task.business_item.name, task.sub_item.name,
            str(task.office), local_date(order.issued_at), order.due_on, order.deadline.light_text(today),
            order.get_status_display(), order.extension_until or "", _verdict_of_extension(order),
            order.settled_reason,
        )  # fmt: skip

    lines = everything(lists_orders.with_rows(rows()), tab.order, lambda found: map(line, found))
    return csv_response(f"责令整改-{tab.label}-{today:%Y%m%d}", HEAD, lines)


# --- what every page of an act does


def _task(request: PortalRequest, number: str) -> SupervisionTask:
    """A task that this person may act on; 404 otherwise."""
    rows = SupervisionTask.objects.for_managers(request.access).select_related(
        "subject", "business_item", "sub_item", "office__department", "licence__department"
    )
    return get_object_or_404(rows, number=number)


def _task_url(task: SupervisionTask) -> str:
    return reverse("tasks:task", args=[task.number])


def _crumbs(task: SupervisionTask) -> list[dict[str, str]]:
    return [CRUMB, {"label": task.number, "url": _task_url(task)}]


def _act(
    request: PortalRequest,
    form: BaseForm,
    act: Callable[[], Any],
    said: str,
    *,
    back: str,
    onwards: Callable[[Any], str] | None = None,
) -> HttpResponse | None:
    """Validate and do one action: redirect when done, 409 where somebody was faster, None to show the form again."""
    if not form.is_valid():
        return None
    try:
        done = act()
    except Refused as error:
        if error.conflict:
            return conflict(request, error, back, form)
        put_on_form(form, error)
        return None
    messages.success(request, said)
    return redirect(onwards(done) if onwards else back)


def _page(request: PortalRequest, template: str, context: dict[str, Any], form: BaseForm | None) -> HttpResponse:
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, template, {"today": local_date(request.now), **context}, status=status)


# --- the order


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: PortalRequest, number: str) -> HttpResponse:
    """责令限期整改, prefilled from what the inspection found."""
    task = _task(request, number)
    today = local_date(request.now)
    refused = ordering.why_not(task)
    if refused is not None:
        if ordering.faulty(task) is None:
            said = "责令整改须有“不符合”的检查记录，请先记录检查情况。"
            refused = Refused("order-needs-finding", said, conflict=True)
        return conflict(request, refused, _task_url(task), OrderForm(request.POST, today=today))
    records = list(unanswered(task))
    form = OrderForm(request.POST or None, today=today, initial=ordering.drafted(task, records))
    if request.method == "POST":
        answer = _act(
            request, form,
            lambda: ordering.order_rectification(task, **form.cleaned_data, by=request.user, now=request.now),
            "责令限期整改通知书已出具，整改期限开始计算。",
            back=_task_url(task), onwards=lambda order: reverse("tasks:order", args=[order.pk]),
        )  # fmt: skip
        if answer is not None:
            return answer
    context = {
        "task": task,
        "crumbs": _crumbs(task),
        "form": form,
        "records": _with_faults(records),
        "follows": [
            "出具《责令限期整改通知书》，编号、载明救济途径，可凭核验码核验",
            "整改期限开始计算，到期前后提醒处室管理员",
            "短信告知当事人的联系人" if task.case_id else "当事人没有登记联系电话，请当面送达通知书",
            "反馈监管结果后，任务转为“整改中”"
            if task.status in {TaskStatus.IN_PROGRESS, TaskStatus.FINISHED}
            else "任务转为“整改中”",
        ],
    }
    return _page(request, "tasks/order_new.html", context, form)


def _with_faults(records: Sequence[Inspection]) -> list[dict[str, Any]]:
    """The records, each with what it found 不符合; one statement."""
    found: dict[int, list[Finding]] = {}
    for fault in ordering.faults_of(records):
        found.setdefault(fault.inspection_id, []).append(fault)
    return [{"inspection": record, "findings": found.get(record.pk, [])} for record in records]


def _order(request: PortalRequest, pk: int) -> Rectification:
    """An order that the person sees; 404 otherwise."""
    rows = Rectification.objects.filter(
        task__in=SupervisionTask.objects.for_office_people(request.access).values("pk")
    ).select_related(
        "task__subject", "task__business_item", "task__sub_item", "task__office__department", "task__licence", "paper",
        "deadline", "inspection", "reinspection", "issued_by", "extension_asked_by", "extension_settled_by",
        "settled_by",
    )  # fmt: skip
    return get_object_or_404(rows, pk=pk)


def _order_page(
    request: PortalRequest, order: Rectification, *, settle: BaseForm | None = None, ask: BaseForm | None = None,
    answer: BaseForm | None = None,
) -> HttpResponse:  # fmt: skip
    """The order's page; a form that came back stands in its place, as 422."""
    today = local_date(request.now)
    task = order.task
    running = order.is_running
    acts = running and task.office_id in request.access.offices(*MANAGERS)
    leads = task.department_id in request.access.departments(Role.DEPARTMENT_HEAD)
    over = order.due_on < today
    answers = running and leads and order.waits_for_head and order.extension_asked_by_id != request.user.pk
    again = ordering.looked_again(order) if running else order.reinspection
    context = {
        "order": order,
        "task": task,
        "crumbs": [*_crumbs(task), {"label": "责令整改", "url": reverse("tasks:orders")}],
        "explanations": explain_many([order.deadline], today),
        "over": over,
        "first_day": ordering.first_day(order),
        "again": again,
        "settle": (settle or SettleForm()) if acts else None,
        "ask": (ask or AskExtensionForm(due_on=order.due_on))
        if acts and order.extension_asked_at is None and not over
        else None,
        "answer": (answer or AnswerExtensionForm()) if answers else None,
        "may_grant": answers and not over,
        "lead": _lead(order, today, acts=acts, answers=answers),
        "settle_follows": [
            "出具《整改复查意见书》，短信告知当事人的联系人",
            "复查合格：反馈后的任务归档；以后的检查另有“不符合”的，转为“已反馈”，继续责令整改或者移送执法",
            "逾期未改或拒不整改：可以建议撤销许可，或者移送执法",
            "认定后不能撤回",
        ],
        "grant_follows": [
            f"整改期限由{cn_day(order.due_on)}延长至{cn_day(order.extension_until)}"
            if order.extension_until
            else "整改期限延长",
            "出具《整改期限延长通知书》，短信告知当事人和处室管理员",
            "整改期限只能延长一次，批准后不能撤回",
        ],
        "decline_follows": [f"整改期限仍为{cn_day(order.due_on)}", "短信告知处室管理员"],
    }
    return _page(request, "tasks/order.html", context, next((one for one in (settle, ask, answer) if one), None))


def _lead(order: Rectification, today: dt.date, *, acts: bool, answers: bool) -> str:
    over = order.due_on < today
    if answers:
        return "期限已过，不能再批准延长。" if over else "请在整改期限届满前批复延长申请。"
    if order.status == OrderStatus.LAPSED:
        return "证照已失效，任务归档，不再要求整改。"
    if not order.is_running:
        return f"整改结果已经认定。{ordering.what_follows(order.task, order, today)}"
    if not acts:
        return "整改期限届满前后，由处室管理员复查并认定结果。"
    return "整改期限已过，请复查并认定结果。" if over else "期限届满之前，可以认定复查合格或者拒不整改。"


@office_people
@require_safe
def order_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One order: what was ordered, its day, its extension, its verdict."""
    return _order_page(request, _order(request, pk))


def _managed(request: PortalRequest, pk: int) -> Rectification:
    order = _order(request, pk)
    if order.task.office_id not in request.access.offices(*MANAGERS):
        raise Http404
    return order


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def order_extension(request: PortalRequest, pk: int) -> HttpResponse:
    """申请延长."""
    order = _managed(request, pk)
    back = reverse("tasks:order", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = AskExtensionForm(request.POST, due_on=order.due_on)
    answer = _act(
        request, form,
        lambda: ordering.ask_extension(order, **form.cleaned_data, by=request.user, now=request.now),
        "已申请延长，等候部门负责人批复；批复前仍按原期限计算。", back=back,
    )  # fmt: skip
    return answer or _order_page(request, order, ask=form)


@heads
@require_http_methods(["GET", "HEAD", "POST"])
def order_answer(request: PortalRequest, pk: int) -> HttpResponse:
    """批复延长申请."""
    order = _order(request, pk)
    if order.task.department_id not in request.access.departments(Role.DEPARTMENT_HEAD):
        raise Http404
    back = reverse("tasks:order", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = AnswerExtensionForm(request.POST)
    grant = request.POST.get("verdict") == "grant"
    answer = _act(
        request, form,
        lambda: ordering.settle_extension(
            order, grant=grant, answer=form.cleaned_data["answer"], by=request.user, now=request.now
        ),
        "已批准延长，延长通知书已出具。" if grant else "已答复不批准，仍按原期限计算。", back=back,
    )  # fmt: skip
    return answer or _order_page(request, order, answer=form)


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def order_outcome(request: PortalRequest, pk: int) -> HttpResponse:
    """认定整改结果."""
    order = _managed(request, pk)
    back = reverse("tasks:order", args=[pk])
    if request.method != "POST":
        return redirect(back)
    form = SettleForm(request.POST)
    answer = _act(
        request, form,
        lambda: ordering.settle_order(order, **form.cleaned_data, by=request.user, now=request.now),
        "整改结果已认定，复查意见书已出具。", back=back, onwards=lambda done: _task_url(done.task),
    )  # fmt: skip
    return answer or _order_page(request, order, settle=form)


# --- the handover


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def handover(request: PortalRequest, number: str) -> HttpResponse:
    """移送执法: the letter, then its receipt, then its result, each in its turn."""
    task = _task(request, number)
    found = Handover.objects.filter(task=task).select_related("paper").first()
    form, act, said, verb = _handover_step(request, task, found)
    if request.method == "POST":
        if form is None or act is None:
            error = Refused("state-conflict", _no_step(task, found), conflict=True)
            return conflict(request, error, _task_url(task), HandoverForm(request.POST))
        answer = _act(request, form, act, said, back=_task_url(task))
        if answer is not None:
            return answer
    refused = handing_over.why_not(task) if found is None else None
    if refused is not None:
        return conflict(request, refused, _task_url(task), form)
    context = {
        "task": task,
        "crumbs": _crumbs(task),
        "handover": found,
        "form": form,
        "verb": verb,
        "follows": [
            "出具《案件移送函》，任务转为“已移送执法”",
            "收到回执和处理结果后，请回到这里登记",
            "移送后不能撤回",
        ],
    }
    return _page(request, "tasks/handover.html", context, form)


def _handover_step(
    request: PortalRequest, task: SupervisionTask, found: Handover | None
) -> tuple[BaseForm | None, Callable[[], Any] | None, str, str]:
    """The form of the moment, its act, what is said when it is done, and the verb on its button.

    A form that was sent says which one it is (``step``): one that comes late is refused by its action.
    """
    by, now = request.user, request.now
    step = request.POST.get("step", "") or _next_step(task, found)
    if step == "hand":
        hand = HandoverForm(request.POST or None, initial=_handover_draft(task))
        act = lambda: handing_over.hand_over(task, **hand.cleaned_data, by=by, now=now)  # noqa: E731
        return hand, act, "已移送执法。", "移送执法"
    if step == "receipt":
        receipt = ReceiptForm(request.POST or None)
        act = lambda: handing_over.receive_receipt(task, **receipt.cleaned_data, by=by, now=now)  # noqa: E731
        return receipt, act, "回执已登记。", "登记回执"
    if step == "result":
        result = HandoverResultForm(request.POST or None)
        act = lambda: handing_over.receive_result(task, **result.cleaned_data, by=by, now=now)  # noqa: E731
        return result, act, "处理结果已登记，任务已归档。", "登记处理结果"
    return None, None, "", ""


def _no_step(task: SupervisionTask, found: Handover | None) -> str:
    if found is None:
        return f"这件任务没有移送执法，现在是“{task.get_status_display()}”；请刷新查看，再选择要办理的事项。"
    if task.status == TaskStatus.CLOSED:
        return "移送的处理结果已经登记，任务已归档，请刷新查看。"
    return "请刷新移送执法的页面，再登记回执或者处理结果。"


def _next_step(task: SupervisionTask, found: Handover | None) -> str:
    if found is None:
        return "hand"
    if found.received_on is None:
        return "receipt"
    return "result" if task.status == TaskStatus.HANDED_OVER else ""


def _handover_draft(task: SupervisionTask) -> dict[str, str]:
    order = ordering.newest(task)
    if order is not None:
        return {"facts": order.facts, "basis": order.basis}
    feedback = Feedback.objects.filter(task=task).first()
    return {"facts": feedback.text if feedback else "", "basis": task.sub_item.source}


# --- the proposal


@managers
@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: PortalRequest, number: str) -> HttpResponse:
    """建议撤销行政许可; once made, its answer."""
    task = _task(request, number)
    found = Proposal.objects.filter(task=task).select_related("paper", "revocation__deadline").first()
    form = None
    if found is None or request.method == "POST":
        order, evidence = ordering.newest(task), proposing.evidence_of(task)
        refused = proposing.why_not(task, order, local_date(request.now))
        if order is None or (refused is not None and request.method != "POST"):
            said = "责令整改之后逾期未改、复查不合格或者拒不整改的，才能建议撤销许可。"
            error = refused or Refused("proposal-needs-order", said, conflict=True)
            return conflict(request, error, _task_url(task), ProposalForm(request.POST, evidence=evidence))
        initial = {"facts": proposing.drafted_facts(order), "keys": [one["key"] for one in evidence]}
        form = ProposalForm(request.POST or None, evidence=evidence, initial=initial)
    if request.method == "POST" and form is not None:
        sent = form
        answer = _act(
            request, sent,
            lambda: proposing.propose(
                task, facts=sent.cleaned_data["facts"], keys=sent.cleaned_data["keys"], by=request.user,
                now=request.now,
            ),
            "撤销建议已送审批部门，等候答复。", back=_task_url(task),
        )  # fmt: skip
        if answer is not None:
            return answer
    context = {
        "task": task,
        "crumbs": _crumbs(task),
        "proposal": found,
        "licence": task.licence,
        "form": form,
        "follows": [
            "出具《撤销行政许可建议书》，连同所选证据送审批部门",
            "审批部门告知持证人、听取意见后作出决定",
            "任务转为“已建议撤销许可”，答复到达时归档",
            "提出后不能撤回",
        ],
    }
    return _page(request, "tasks/proposal.html", context, form)
