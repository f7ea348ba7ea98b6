"""更正检查记录: a record written by mistake is asked to count no more, and the head of the department says so or not.

The record stays as it was written, with who set it aside and why. It binds neither feedback nor order any more, and the
task needs another one where it has none. Every act locks the task first. Until the feedback, and as long as no order
rests on the record.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.reasons import grave
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.models import User
from supervision.actions.ordering import said
from supervision.enums import WHILE_LOOKED_AT, InspectionKind, TaskAct
from supervision.messages_corrections import CorrectionKind, to_people
from supervision.models import Inspection, SetAside, SupervisionTask

LONGEST = 300


def correctable(task: SupervisionTask) -> list[Inspection]:
    """The records of the task that may be asked to count no more, in their order; one statement."""
    if task.status not in WHILE_LOOKED_AT:
        return []
    rows = task.inspections.standing().filter(kind=InspectionKind.FIRST, orders__isnull=True)
    asked = SetAside.objects.filter(granted__isnull=True, inspection__task=task)
    return list(rows.exclude(pk__in=asked.values("inspection")).order_by("order"))


def _refuse_state(task: SupervisionTask) -> None:
    if task.status not in WHILE_LOOKED_AT:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，检查记录不能再作废；可能有同事已先一步办理，请刷新查看。"
        )


def _refuse_in_use(record: Inspection) -> None:
    order = record.orders.select_related("paper").first()
    if order is not None:
        raise Refused("record-in-use", f"{order.paper.number}以这份检查记录为依据，不能再作废。", conflict=True)


@transaction.atomic
def ask_set_aside(task: SupervisionTask, *, record: int | None, reason: str, by: User, now: dt.datetime) -> SetAside:
    """Ask the head of the department that the ``record``-th record of the task count no more.

    Raises ``Refused`` (``record-missing``, ``record-again``, ``record-in-use``, ``record-set-aside``,
    ``reason-missing``, ``reason-too-short``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    task = SupervisionTask.objects.lock(task.pk)
    _refuse_state(task)
    found = task.inspections.filter(order=record).first() if record is not None else None
    if found is None:
        raise Refused("record-missing", "请选择要作废的检查记录。", field="record")
    if found.kind != InspectionKind.FIRST:
        raise Refused("record-again", "复查以最近一次的记录为准；记录有误的，请再作一次复查。", field="record")
    _refuse_in_use(found)
    if found.set_asides.exclude(granted=False).exists():
        raise Refused(
            "record-set-aside", "这份检查记录已有待批的作废申请，或者已经作废，请刷新查看。", conflict=True
        )  # fmt: skip
    text = said(reason, "reason", "reason-missing", "请写明作废的理由。", LONGEST)
    grave(text, "reason", "申请检查记录作废，请写明错在哪里、怎样发现")
    asked = SetAside.objects.create(inspection=found, reason=text, asked_by=by, asked_at=now)
    data = {"request": asked.pk, "inspection": found.pk, "order": found.order}
    record_many([Draft(task.stream, TaskAct.RECORD_ASIDE_ASKED, data, by)], at=now)
    heads = [head for head in task.office.department.heads(local_date(now)) if why_not_by(asked, head) is None]
    told = f"{task.office.name}申请将监管任务{task.number}的第 {found.order} 次检查记录作废，请登录平台批复。"
    outbox.queue(to_people(task, asked, CorrectionKind.ASKED, told, heads), now)
    reach("record_aside.before_commit")
    return asked


def why_not_by(asked: SetAside, person: User) -> Refused | None:
    """Why this person may not answer the request, or None: nobody the own one, nor on a record of one's own."""
    if person.pk == asked.asked_by_id:
        return Refused("own-request", "这是您自己提出的申请，须由其他负责人批复。", conflict=True)
    if person.pk in {asked.inspection.first_officer_id, asked.inspection.second_officer_id}:
        return Refused("record-own", "您是这份检查记录的检查人员，须由其他负责人批复。", conflict=True)
    return None


@transaction.atomic
def settle_set_aside(asked: SetAside, *, grant: bool, answer: str, by: User, now: dt.datetime) -> SetAside:
    """Grant or refuse, with words, as a head of the department who neither asked nor inspected.

    Raises ``Refused`` (``own-request``, ``record-own``, ``not-head``, ``record-in-use``, ``reason-missing``,
    ``reason-too-short``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    task = SupervisionTask.objects.lock(asked.inspection.task_id)
    asked = SetAside.objects.select_related("inspection", "asked_by").get(pk=asked.pk)
    _refuse_state(task)
    if asked.granted is not None:
        raise TransitionNotAllowed("这份申请已经批复，可能有同事已先一步办理，请刷新查看。")
    _refuse_in_use(asked.inspection)
    refused = why_not_by(asked, by)
    if refused is not None:
        raise refused
    if by not in task.office.department.heads(local_date(now)):
        raise Refused("not-head", "检查记录作废由部门负责人批准。", conflict=True)
    text = said(answer, "answer", "reason-missing", "请写明批准或者不批准的理由。", LONGEST)
    grave(text, "answer", "请写明批准或者不批准的理由")
    asked.granted, asked.answer, asked.settled_by, asked.settled_at = grant, text, by, now
    asked.save()
    act = TaskAct.RECORD_SET_ASIDE if grant else TaskAct.RECORD_ASIDE_REFUSED
    data = {"request": asked.pk, "inspection": asked.inspection_id, "order": asked.inspection.order}
    record_many([Draft(task.stream, act, data, by)], at=now)
    outbox.queue(_answered(task, asked, now), now)
    reach("record_aside_settled.before_commit")
    return asked


def _answered(task: SupervisionTask, asked: SetAside, now: dt.datetime) -> list[outbox.Draft]:
    which = f"监管任务{task.number}的第 {asked.inspection.order} 次检查记录"
    told = f"{which}作废的申请未获批准，记录仍然有效。"
    if asked.granted:
        left = task.inspections.standing().filter(kind=InspectionKind.FIRST).exists()
        told = f"{which}已批准作废{'' if left else '，现在没有有效的检查记录，请重新检查'}。"
    people = [asked.asked_by, *task.office.managers(local_date(now))]
    return to_people(task, asked, CorrectionKind.SETTLED, told, people)
