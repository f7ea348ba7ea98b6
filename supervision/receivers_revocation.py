"""The approval side answered a proposal to revoke: the task closes with the answer, in the same transaction (L10c)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from approvals.models import Revocation
from approvals.writing import Writing
from deadlines.clock import local_date
from ledger.record import Draft
from offices.history import save_at
from offices.models import User
from supervision.enums import TaskAct, TaskEnd, TaskStatus
from supervision.messages_orders import OrderKind, to_people
from supervision.models import Proposal, SupervisionTask


def close_with_answer(
    sender: Any, *, revocation: Revocation, by: User, now: dt.datetime, writing: Writing, **kwargs: Any
) -> None:
    """Close the task that proposed it: 许可已撤销, or 不予撤销 with the reasons; its managers are told.

    Revocations that no task proposed are none of ours. What fails here takes the decision back with it.
    """
    proposal = Proposal.objects.filter(revocation_id=revocation.pk).first()
    if proposal is None:
        return
    if revocation.revoke:  # all that will be told of it are locked in one order, as everybody locks several
        siblings = SupervisionTask.objects.open().filter(licence=revocation.licence_id).order_by("pk")
        list(siblings.select_for_update(of=("self",)).values_list("pk"))
    task = SupervisionTask.objects.lock(proposal.task_id)
    end = TaskEnd.REVOKED if revocation.revoke else TaskEnd.NOT_REVOKED
    proposal.answer, proposal.answered_at = revocation.reason, now
    proposal.save(update_fields=["answer", "answered_at"])
    data = {"proposal": proposal.pk, "revoke": bool(revocation.revoke)}
    writing.entries.append(Draft(task.stream, TaskAct.ANSWERED, data, by))
    if task.status == TaskStatus.REVOCATION:
        task.close(end, now, revocation.reason)
        save_at(task, now)
        writing.entries.append(Draft(task.stream, TaskAct.CLOSED, {"end": end.value}, by))
    answer = "已决定撤销许可" if revocation.revoke else "决定不予撤销许可，理由见任务页面"
    text = f"监管任务{task.number}的撤销建议，审批部门{answer}，任务已归档。"
    managers = task.office.managers(local_date(now))
    writing.messages += to_people(task, OrderKind.PROPOSAL_ANSWERED, text, f"answered:{proposal.pk}", managers)
