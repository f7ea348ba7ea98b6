"""The verbs of the supervision side: view, acknowledge with a measure, finish, feed back, close.

Source: L9c, L10a, L10b, L10d.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals.enums import CaseAct
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Upload
from approvals.writing import Writing
from catalogue.models import Linkage
from credit.models import note_kept_promise
from deadlines import periods
from deadlines.actions import meet_deadline, start_deadline
from deadlines.alarms import opening_of
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from supervision.enums import Measure, Platform, Result, TaskAct, TaskStatus
from supervision.messages import Kind, reference_of
from supervision.models import Feedback, SupervisionTask, UnlinkedCase
from supervision.receivers import open_linked

# A visit planned further ahead than this would keep the feedback clock from ever starting.
LONGEST_PLAN_DAYS = 180


@transaction.atomic
def view_task(task: SupervisionTask, *, by: User, now: dt.datetime) -> SupervisionTask:
    """Record that a manager opened the task (L9c); later openings change nothing."""
    if task.status != TaskStatus.NOTIFIED:
        return task
    task = SupervisionTask.objects.lock(task.pk)
    if task.status != TaskStatus.NOTIFIED:
        return task
    task.move(TaskStatus.VIEWED)
    task.viewed_at, task.viewed_by = now, by
    save_at(task, now)
    record_many([Draft(task.stream, TaskAct.VIEWED, {}, by)], at=now)
    return task


@transaction.atomic
def note_reading(task: SupervisionTask, upload: Upload, *, by: User, now: dt.datetime) -> None:
    """Write on the task's stream who read which file of the archive."""
    held = SupervisionTask.objects.select_for_update().only("pk").get(pk=task.pk)
    data = {"file": upload.pk, "digest": upload.digest}
    record_many([Draft(held.stream, CaseAct.FILE_OPENED, data, by)], at=now)


@transaction.atomic
def acknowledge(
    task: SupervisionTask,
    *,
    measure: str,
    planned_finish_on: dt.date | None,
    by: User,
    now: dt.datetime,
    reason: str = "",
) -> SupervisionTask:
    """Acknowledge with a measure and a planned finish day (L9c); the acknowledge clock ends, the planned day begins.

    Raises ``TransitionNotAllowed`` (somebody was faster, or the task was never opened) or ``Refused`` for the input.
    """
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.ACKNOWLEDGED)
    today = timezone.localtime(now).date()
    if measure not in Measure.values:
        raise Refused("measure-missing", "请选择一项监管措施。", field="measure")
    if measure == Measure.NONE_NOW and not reason.strip():
        raise Refused("reason-missing", "暂不检查须说明原因。", field="reason")
    if measure == Measure.NONE_NOW and task.promise_clauses:
        raise Refused("promise-must-be-checked", "告知承诺事项须进行事后核查，不能暂不检查。", field="measure")
    if planned_finish_on is None:
        raise Refused("planned-day-missing", "请填写计划完成日，否则反馈期限无从起算。", field="planned_finish_on")
    if planned_finish_on < today:
        raise Refused("planned-day-past", "计划完成日不能早于今天。", field="planned_finish_on")
    if planned_finish_on > today + dt.timedelta(days=LONGEST_PLAN_DAYS):
        raise Refused(
            "planned-day-too-late", f"计划完成日最迟不超过 {LONGEST_PLAN_DAYS} 天。", field="planned_finish_on"
        )
    task.measure, task.measure_reason, task.planned_finish_on = measure, reason.strip(), planned_finish_on
    task.acknowledged_at, task.acknowledged_by = now, by
    if task.acknowledge_deadline and task.acknowledge_deadline.is_open:
        meet_deadline(task.acknowledge_deadline, at=now, by=by)
    task.planned_deadline = start_deadline(
        KindCode.PLANNED_FINISH, at=now, stream=task.stream, by=by, fixed_on=planned_finish_on
    )
    save_at(task, now)
    data = {"measure": measure, "planned_finish_on": planned_finish_on.isoformat()}
    record_many([Draft(task.stream, TaskAct.ACKNOWLEDGED, data, by)], at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    reach("acknowledge.before_commit")
    return task


@transaction.atomic
def finish(task: SupervisionTask, *, finished_on: dt.date | None, by: User, now: dt.datetime) -> SupervisionTask:
    """Say on which day supervision was finished; the 5-working-day feedback clock starts on that day (L10a)."""
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.FINISHED)
    today = timezone.localtime(now).date()
    if finished_on is None:
        raise Refused("finish-day-missing", "请填写完成监管的日期。", field="finished_on")
    if finished_on > today:
        raise Refused("finish-day-future", "完成监管日不能晚于今天。", field="finished_on")
    if finished_on < task.earliest_finish:
        raise Refused(
            "finish-day-before-task",
            f"完成监管日不能早于任务生成日（{task.earliest_finish:%Y-%m-%d}）。",
            field="finished_on",
        )
    task.finished_on = finished_on
    if task.planned_deadline and task.planned_deadline.is_open:
        meet_deadline(task.planned_deadline, at=now, by=by)
    event = now if finished_on == today else opening_of(finished_on)
    length = periods.load([KindCode.FEEDBACK], division=task.office.department.division_id).length(
        KindCode.FEEDBACK, task.office.department.division_id
    )
    task.feedback_deadline = start_deadline(
        KindCode.FEEDBACK, at=event, stream=task.stream, by=by, length=length, now=now
    )
    save_at(task, now)
    record_many([Draft(task.stream, TaskAct.FINISHED, {"finished_on": finished_on.isoformat()}, by)], at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    return task


def _checked_clauses(task: SupervisionTask, results: Sequence[str]) -> list[dict[str, Any]]:
    """Pair each promise clause with its finding; every clause needs one (L10b)."""
    clauses = list(task.promise_clauses)
    if len(results) != len(clauses) or any(result not in Result.values for result in results):
        if clauses:
            raise Refused("clauses-missing", f"请逐条核查承诺内容（共 {len(clauses)} 条）。", field="clauses")
        return []
    return [{"text": text, "result": result} for text, result in zip(clauses, results, strict=True)]


@transaction.atomic
def feed_back(
    task: SupervisionTask,
    *,
    result: str,
    text: str,
    platform: str,
    platform_number: str,
    by: User,
    now: dt.datetime,
    clause_results: Sequence[str] = (),
) -> SupervisionTask:
    """Feed the result back (L10a): per clause, with the platform and that platform's document number.

    A conforming result closes the task, and a promise found kept enters the subject's record (L10d); a
    non-conforming one stays open for rectification. Late is possible and is said.
    """
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.FED_BACK)
    if result not in Result.values:
        raise Refused("result-missing", "请选择监管结果。", field="result")
    if not text.strip():
        raise Refused("text-missing", "请填写情况说明。", field="text")
    if platform not in Platform.values:
        raise Refused("platform-missing", "请选择开展监管工作的平台。", field="platform")
    if not platform_number.strip():
        raise Refused("platform-number-missing", "请填写该平台的文书编号。", field="platform_number")
    clauses = _checked_clauses(task, clause_results)
    if result != Result.NONCONFORMING and any(c["result"] == Result.NONCONFORMING for c in clauses):
        raise Refused("result-contradicts", "有承诺内容“不符合”，监管结果不能为“符合”。", field="result")
    late = bool(task.feedback_deadline and task.feedback_deadline.is_overdue(timezone.localtime(now).date()))
    if task.feedback_deadline and task.feedback_deadline.is_open:
        meet_deadline(task.feedback_deadline, at=now, by=by)
    Feedback.objects.create(
        task=task, result=result, text=text.strip(), clauses=clauses, platform=platform,
        platform_number=platform_number.strip(), given_by=by, given_at=now, is_late=late,
    )  # fmt: skip
    drafts = [Draft(task.stream, TaskAct.FED_BACK, {"result": result, "late": late}, by)]
    if result == Result.CONFORMING:
        task.move(TaskStatus.CLOSED)
        task.closed_at = now
        drafts.append(Draft(task.stream, TaskAct.CLOSED, {}, by))
        if task.promise_clauses:
            note_kept_promise(
                task.case.applicant,
                source=task.number,
                basis="连政办发〔2022〕67号第10条：履约情况纳入诚信档案",
                at=now,
            )
    save_at(task, now)
    record_many(drafts, at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    reach("feedback.before_commit")
    return task


@transaction.atomic
def close(task: SupervisionTask, *, follow_up: str, by: User, now: dt.datetime) -> SupervisionTask:
    """Close a task whose feedback was not fully conforming, with what was done about it."""
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.CLOSED)
    if not follow_up.strip():
        raise Refused("follow-up-missing", "归档前请写明后续处理情况。", field="follow_up")
    feedback = Feedback.objects.select_for_update().get(task=task)
    feedback.follow_up = follow_up.strip()
    feedback.save(update_fields=["follow_up"])
    task.closed_at = now
    save_at(task, now)
    record_many([Draft(task.stream, TaskAct.CLOSED, {}, by)], at=now)
    return task


@transaction.atomic
def open_task_for(case: Case, linkage: Linkage, *, by: User, now: dt.datetime) -> SupervisionTask:
    """Give a case of the overseers' pool its task, as completion would have: task, SMS and ledger; the pool is settled.

    Raises ``TransitionNotAllowed`` when somebody assigned it before, ``Refused`` for a linkage that cannot take it.
    """
    case = Case.objects.lock(case.pk)
    place = UnlinkedCase.objects.select_for_update().filter(case=case, settled_at__isnull=True).first()
    if place is None:
        raise TransitionNotAllowed("这件办件已经分派，可能有同事已先一步办理，请刷新查看。")
    linkage = Linkage.objects.select_related("office__department__division", "sub_item__item").get(pk=linkage.pk)
    if not linkage.active or linkage.business_item_id != case.business_item_id:
        raise Refused("linkage-not-fit", "该审管关联已停用，或者不属于本办件的业务办理项。", field="office")
    writing = Writing()
    task = open_linked(case, [linkage], by=by, now=now, first=case.tasks.count() + 1, writing=writing)[0]
    place.settled_at = now
    place.save(update_fields=["settled_at"])
    writing.entries.append(Draft(case.stream, TaskAct.ASSIGNED, {"task": task.pk, "linkage": linkage.pk}, by))
    writing.write(now)
    return task
