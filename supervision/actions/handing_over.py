"""移送执法: misconduct after a sound grant goes to penalty, with its paper, its receipt and its result (L10b).

Every act locks the task first. From 已反馈 with 不符合, or from 整改中 once the order is settled.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.papers import cn_day
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from offices.history import save_at
from offices.models import Department, User
from supervision import papers
from supervision.actions import following, visiting
from supervision.actions.ordering import newest, note_follow_up, said
from supervision.enums import PaperKind, Result, TaskAct, TaskEnd, TaskStatus
from supervision.models import Feedback, Handover, SupervisionTask
from supervision.words import visible

FROM = (TaskStatus.FED_BACK, TaskStatus.RECTIFYING)


@transaction.atomic
def hand_over(
    task: SupervisionTask, *, to_name: str, facts: str, basis: str, by: User, now: dt.datetime,
    to_department: Department | None = None,
) -> Handover:  # fmt: skip
    """移送执法 with its letter. A department of the portal gives its name where none is written.

    Raises ``Refused`` (``handover-needs-finding``, ``order-running``, ``handover-to-missing``, ``facts-missing``,
    ``basis-missing``, ``text-too-long``), ``TransitionNotAllowed``.
    """
    task = SupervisionTask.objects.lock(task.pk)
    feedback = Feedback.objects.filter(task=task).first()
    if task.status in FROM:
        _may_go(task, feedback)
    task.move(TaskStatus.HANDED_OVER)
    name = visible(to_name) or (to_department.paper_name if to_department else "")
    name = said(name, "to_name", "handover-to-missing", "请填写接收移送的单位。", 120)
    text = said(facts, "facts", "facts-missing", "请写明违法事实。", 4000)
    law = said(basis, "basis", "basis-missing", "请写明移送的依据。", 300)
    paper, entry = papers.issue(
        task, PaperKind.HANDOVER, by=by, now=now, to=name,
        paragraphs=[
            f"本机关在对“{task.subject_name}”的“{task.business_item.name}”实施监管（监管任务{task.number}）中，"
            "发现涉嫌违法行为，现将有关情况移送你单位依法处理。",
            "违法事实：", *text.splitlines(),
        ],
        tables=[{"title": "随附材料", "head": ["文书", "文号"], "rows": _attached(task)}],
        extra={"closing": ["请予签收并告知处理结果。"], "basis": law.rstrip("。")},
    )  # fmt: skip
    handover = Handover.objects.create(
        task=task, to_department=to_department, to_name=name, facts=text, basis=law, paper=paper, handed_by=by,
        handed_at=now,
    )  # fmt: skip
    following.end(task, by=by, now=now)
    save_at(task, now)
    visiting.call_off_open(task, by=by, now=now)
    note_follow_up(task, f"移送执法：{paper.number}，接收单位：{name}。")
    record_many([Draft(task.stream, TaskAct.HANDED_OVER, {"handover": handover.pk}, by), entry], at=now)
    reach("handover.before_commit")
    return handover


def why_not(task: SupervisionTask) -> Refused | None:
    """Why the task cannot be handed over as it now stands, or None; the act asks again under the lock."""
    if task.status not in FROM:
        said = f"这件监管任务现在是“{task.get_status_display()}”，不能移送执法；可能有同事已先一步办理，请刷新查看。"
        return TransitionNotAllowed(said)
    try:
        _may_go(task, Feedback.objects.filter(task=task).first())
    except Refused as error:
        return error
    return None


def _may_go(task: SupervisionTask, feedback: Feedback | None) -> None:
    if feedback is None or feedback.result != Result.NONCONFORMING:
        raise Refused("handover-needs-finding", "监管结果不是“不符合”的，不能移送执法。", conflict=True)
    order = newest(task)
    if order is not None and order.is_running:
        raise Refused("order-running", "整改通知书还在整改期内，请先认定整改结果，再移送执法。", conflict=True)


def _attached(task: SupervisionTask) -> list[list[str]]:
    rows = [[paper.get_kind_display(), paper.number] for paper in papers.standing(task)]
    return rows or [["（无）", "—"]]


def _locked(task: SupervisionTask) -> tuple[SupervisionTask, Handover]:
    task = SupervisionTask.objects.lock(task.pk)
    handover = Handover.objects.filter(task=task).first()
    if task.status != TaskStatus.HANDED_OVER or handover is None:
        raise TransitionNotAllowed(f"这件监管任务现在是“{task.get_status_display()}”，没有等待登记的移送，请刷新查看。")
    return task, handover


@transaction.atomic
def receive_receipt(
    task: SupervisionTask, *, number: str, received_on: dt.date | None, by: User, now: dt.datetime
) -> Handover:  # fmt: skip
    """登记回执: its number and day, once. Raises ``Refused`` (``receipt-…``), ``TransitionNotAllowed``."""
    task, handover = _locked(task)
    if handover.receipt_number:
        raise TransitionNotAllowed("回执已经登记，可能有同事已先一步办理，请刷新查看。")
    text = said(number, "number", "receipt-number-missing", "请填写回执编号。", 60)
    day = _day(received_on, local_date(handover.handed_at), now, "received_on", "回执日期")
    handover.receipt_number, handover.received_on = text, day
    handover.save()
    data = {"handover": handover.pk, "received_on": day.isoformat()}
    record_many([Draft(task.stream, TaskAct.HANDOVER_RECEIVED, data, by)], at=now)
    reach("handover_receipt.before_commit")
    return handover


@transaction.atomic
def receive_result(
    task: SupervisionTask, *, result: str, number: str, result_on: dt.date | None, by: User, now: dt.datetime
) -> Handover:  # fmt: skip
    """登记处理结果 with its paper's number and day; the task closes.

    Raises ``Refused`` (``receipt-first``, ``result-…``), ``TransitionNotAllowed``.
    """
    task, handover = _locked(task)
    if handover.received_on is None:
        raise Refused("receipt-first", "请先登记回执，再登记处理结果。", conflict=True)
    text = said(result, "result", "result-text-missing", "请写明处理结果。", 2000)
    paper = said(number, "number", "result-number-missing", "请填写处罚或者处理文书的文号。", 60)
    day = _day(result_on, handover.received_on, now, "result_on", "处理日期")
    handover.result, handover.result_number, handover.result_on = text, paper, day
    handover.save()
    task.close(TaskEnd.HANDED_OVER, now, f"{paper}：{text}")
    save_at(task, now)
    data = {"handover": handover.pk, "result_on": day.isoformat()}
    record_many(
        [
            Draft(task.stream, TaskAct.HANDOVER_RESULT, data, by),
            Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.HANDED_OVER.value}, by),
        ],
        at=now,
    )
    reach("handover_result.before_commit")
    return handover


def _day(day: dt.date | None, earliest: dt.date, now: dt.datetime, field: str, name: str) -> dt.date:
    if day is None or not earliest <= day <= local_date(now):
        raise Refused("handover-day-wrong", f"{name}须在{cn_day(earliest)}至今天之间。", field=field)
    return day
