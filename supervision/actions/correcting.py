"""更正检查记录: a record written by mistake is asked to count no more, and the head of the department says so or not.

The record stays as it was written, with who set it aside and why. It binds neither feedback nor order any more. Where
no other stands the subject is looked at again: a task that was finished is 检查中 once more, with a planned day and its
clock. Every act locks the task first. Until the feedback, and as long as no order answers the record.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.reasons import grave
from deadlines import calendar as working_calendar
from deadlines.actions import cancel_deadline, start_deadline
from deadlines.arithmetic import due_date
from deadlines.clock import local_date
from deadlines.enums import Unit
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from supervision import starting
from supervision.actions.ordering import said
from supervision.enums import WHILE_LOOKED_AT, InspectionKind, Result, TaskAct, TaskStatus
from supervision.messages import Kind, reference_of
from supervision.messages_corrections import CorrectionKind, to_people
from supervision.models import Inspection, Rectification, SetAside, SupervisionTask
from supervision.models.orders import answered

LONGEST = 300
# Working days for the second look, where the planned day is over.
SECOND_LOOK = 5


def correctable(task: SupervisionTask) -> list[Inspection]:
    """The records of the task that may be asked to count no more, in their order; one statement."""
    if task.status not in WHILE_LOOKED_AT:
        return []
    rows = task.inspections.standing().filter(~answered(), kind=InspectionKind.FIRST)
    asked = SetAside.objects.filter(granted__isnull=True, inspection__task=task)
    return list(rows.exclude(pk__in=asked.values("inspection")).order_by("order"))


def _refuse_state(task: SupervisionTask) -> None:
    if task.status not in WHILE_LOOKED_AT:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，检查记录不能再作废；可能有同事已先一步办理，请刷新查看。"
        )


def _refuse_in_use(record: Inspection) -> None:
    if record.result != Result.NONCONFORMING:
        return
    orders = Rectification.objects.filter(task=record.task_id, inspection__order__gte=record.order)
    order = orders.select_related("paper").order_by("pk").first()
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

    Granted, and no other record stands: a task that was finished goes back to 检查中.

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
    data: dict[str, int | str] = {"request": asked.pk, "inspection": asked.inspection_id}
    data["order"] = asked.inspection.order
    if grant and task.status == TaskStatus.FINISHED and not has_record(task):
        data["planned_finish_on"] = _look_again(task, by, now).isoformat()
    record_many([Draft(task.stream, act, data, by)], at=now)
    outbox.queue(_answered(task, asked, now), now)
    reach("record_aside_settled.before_commit")
    return asked


def has_record(task: SupervisionTask) -> bool:
    """Whether a record of a first look at the subject stands; one statement."""
    return task.inspections.standing().filter(kind=InspectionKind.FIRST).exists()


def _look_again(task: SupervisionTask, by: User, now: dt.datetime) -> dt.date:
    """Back to 检查中; returns the planned day: the one that was, or where it is over one within five working days."""
    task.move(TaskStatus.IN_PROGRESS)
    if task.feedback_deadline is not None and task.feedback_deadline.is_open:
        cancel_deadline(task.feedback_deadline, at=now, reason="record-set-aside", by=by)
    today, day = local_date(now), task.planned_finish_on
    if day is None or day <= today:
        day = due_date(today, SECOND_LOOK, Unit.WORKING, working_calendar.recent())
    task.finished_on, task.planned_finish_on = None, day
    begin, end = starting.planned(task.department_id, now, day)
    task.planned_deadline = start_deadline(
        KindCode.PLANNED_FINISH, at=begin, stream=task.stream, by=by, fixed_on=end, now=now
    )
    save_at(task, now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    return day


def _answered(task: SupervisionTask, asked: SetAside, now: dt.datetime) -> list[outbox.Draft]:
    which = f"监管任务{task.number}的第 {asked.inspection.order} 次检查记录"
    told = f"{which}作废的申请未获批准，记录仍然有效。"
    if asked.granted:
        again = "" if has_record(task) else "，现在没有有效的检查记录，请重新检查"
        if again and task.planned_finish_on is not None:
            again += f"，计划完成日{task.planned_finish_on.month}月{task.planned_finish_on.day}日"
        told = f"{which}已批准作废{again}。"
    people = [asked.asked_by, *task.office.managers(local_date(now))]
    return to_people(task, asked, CorrectionKind.SETTLED, told, people)
