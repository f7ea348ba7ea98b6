"""What the task's page shows of 整改、移送、撤销建议: the orders, the verbs of the moment, the papers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from deadlines.clock import local_date
from offices.models import Posting
from offices.web import PortalRequest
from supervision.actions.ordering import ORDERABLE, UNMENDED, first_day, stands, what_follows
from supervision.enums import OrderStatus, Result, TaskStatus
from supervision.models import Feedback, Handover, Paper, Proposal, Rectification, SupervisionTask
from supervision.models.orders import unanswered

Role = Posting.Role
MANAGERS = (Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)


def panel(task: SupervisionTask, request: PortalRequest) -> dict[str, Any]:
    """Orders, handover, proposal and papers of the task, and what this person may do next; at most nine statements."""
    orders = list(task.orders.select_related("paper", "deadline", "inspection").order_by("pk"))
    acts = task.office_id in request.access.offices(*MANAGERS)
    return {
        "orders": [
            {
                "order": order,
                "url": reverse("tasks:order", args=[order.pk]),
                "clock": order.deadline if order.is_running else None,
                "before": first_day(order),
            }
            for order in orders
        ],
        "orders_next": what_follows(task, orders[-1], local_date(request.now)) if orders else "",
        "orders_verbs": verbs(task, orders) if acts else [],
        "orders_handover": Handover.objects.filter(task=task).select_related("paper").first(),
        "orders_proposal": Proposal.objects.filter(task=task).select_related("paper").first(),
        "orders_papers": list(Paper.objects.filter(task=task).only("pk", "kind", "number", "issued_at")),
    }


def verbs(task: SupervisionTask, orders: list[Rectification]) -> list[dict[str, str]]:
    """The acts that the state allows, the likeliest first: label and address."""
    found = []
    last = orders[-1] if orders else None
    fed_back_bad = task.status in {TaskStatus.FED_BACK, TaskStatus.RECTIFYING} and _fed_back_bad(task)
    if last is not None and last.is_running:
        found.append(_verb("认定整改结果", "order", last.pk))
    elif (
        task.status in ORDERABLE
        and (last is None or last.status == OrderStatus.MENDED)
        and (task.status != TaskStatus.FED_BACK or fed_back_bad)
        and unanswered(task).exists()
    ):
        found.append(_verb("责令限期整改", "order_new", task.number))
    if task.status == TaskStatus.RECTIFYING and last is not None and last.status in UNMENDED and stands(task.licence):
        found.append(_verb("建议撤销许可", "proposal", task.number))
    if fed_back_bad and (last is None or not last.is_running):
        found.append(_verb("移送执法", "handover", task.number))
    if task.status == TaskStatus.HANDED_OVER:
        found.append(_verb("登记回执和结果", "handover", task.number))
    return found


def _fed_back_bad(task: SupervisionTask) -> bool:
    return Feedback.objects.filter(task=task, result=Result.NONCONFORMING).exists()


def _verb(label: str, name: str, argument: int | str) -> dict[str, str]:
    return {"label": label, "url": reverse(f"tasks:{name}", args=[argument])}
