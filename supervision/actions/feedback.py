"""完成监管、反馈、归档 (L10a, L10b, L10d)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from approvals.exceptions import Refused, TransitionNotAllowed
from credit.models import note_kept_promise
from deadlines import periods
from deadlines.actions import cancel_many, meet_deadline, start_deadline
from deadlines.alarms import opening_of
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from supervision import starting
from supervision.actions import visiting
from supervision.actions.ordering import faulty, follow_feedback
from supervision.enums import (
    BEFORE_FINISH,
    FindingKind,
    InspectionKind,
    Measure,
    OrderStatus,
    Platform,
    Result,
    TaskAct,
    TaskEnd,
    TaskStatus,
)
from supervision.messages import Kind, reference_of
from supervision.models import Feedback, Finding, SupervisionTask

CHECKING = (Measure.ON_SITE, Measure.OFF_SITE)


def findings_of_clauses(task: SupervisionTask) -> dict[int, str]:
    """Number of each promise clause (from 1) → what the latest inspection found on it; one statement."""
    found = Finding.objects.filter(inspection__task=task, kind=FindingKind.CLAUSE).order_by("inspection__order")
    return {int(key): result for key, result in found.values_list("key", "result") if key.isdigit()}


def _check_looked_at(task: SupervisionTask) -> None:
    """No check is finished that was not made: what was promised is found clause by clause (L10b)."""
    if task.measure == Measure.NONE_NOW:
        raise Refused("measure-none-now", "这件任务选定的是“暂不检查”，请先变更监管措施，再填写完成日。")
    clauses = range(1, len(task.promise_clauses) + 1)
    if not clauses or task.measure not in CHECKING:
        return
    missing = [str(number) for number in clauses if number not in findings_of_clauses(task)]
    if missing:
        raise Refused(
            "clauses-not-inspected",
            f"告知承诺事项须先记录检查，逐条核查承诺；还没有检查结果的：第 {'、'.join(missing)} 条。",
        )


@transaction.atomic
def finish(task: SupervisionTask, *, finished_on: dt.date | None, by: User, now: dt.datetime) -> SupervisionTask:
    """Say on which day supervision was finished; the 5-working-day feedback clock starts on that day (L10a)."""
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.FINISHED)
    today = timezone.localtime(now).date()
    _check_looked_at(task)
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
    division = task.office.department.division_id
    event = now if finished_on == today else opening_of(finished_on)
    event = starting.load([KindCode.FEEDBACK], division=division).at(KindCode.FEEDBACK, division, event)
    length = periods.load([KindCode.FEEDBACK], division=division).length(KindCode.FEEDBACK, division)
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

    A conforming result closes the task, and a promise found kept enters the subject's record (L10d). A nonconforming
    one rests on a record that found it (``feedback-needs-finding``); an order that was issued before makes the task
    整改中, or closes it where it was mended meanwhile. Late is possible and is said.
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
    _check_against_inspection(task, result)
    late = bool(task.feedback_deadline and task.feedback_deadline.is_overdue(timezone.localtime(now).date()))
    if task.feedback_deadline and task.feedback_deadline.is_open:
        meet_deadline(task.feedback_deadline, at=now, by=by)
    feedback = Feedback.objects.create(
        task=task, result=result, text=text.strip(), clauses=clauses, platform=platform,
        platform_number=platform_number.strip(), given_by=by, given_at=now, is_late=late,
    )  # fmt: skip
    drafts = [Draft(task.stream, TaskAct.FED_BACK, {"result": result, "late": late}, by)]
    if result == Result.CONFORMING:
        task.close(TaskEnd.CONFORMING, now)
        visiting.call_off_open(task, by=by, now=now)
        drafts.append(Draft(task.stream, TaskAct.CLOSED, {}, by))
        if task.promise_clauses:
            note_kept_promise(
                task.subject,
                source=task.number,
                basis="连政办发〔2022〕67号第10条：履约情况纳入诚信档案",
                at=now,
            )
    drafts += follow_feedback(task, feedback, by=by, now=now)
    save_at(task, now)
    record_many(drafts, at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    reach("feedback.before_commit")
    return task


def _check_against_inspection(task: SupervisionTask, result: str) -> None:
    """What the inspection found 不符合 is not fed back as anything better, and nothing is 不符合 without a record."""
    if result == Result.NONCONFORMING and faulty(task) is None:
        raise Refused(
            "feedback-needs-finding",
            "反馈“不符合”须有“不符合”的检查记录，后续的责令整改、移送执法都以它为依据。"
            "请先在本页“记录检查”写明哪一项不符合，再来反馈。",
            field="result",
        )
    found = task.inspections.filter(kind=InspectionKind.FIRST).order_by("-order").values_list("result", flat=True)
    if result != Result.NONCONFORMING and found.first() == Result.NONCONFORMING:
        raise Refused("result-contradicts", "检查记录的结论是“不符合”，监管结果应与之一致。", field="result")


@transaction.atomic
def close(task: SupervisionTask, *, follow_up: str, by: User, now: dt.datetime) -> SupervisionTask:
    """Close a task whose result was 基本符合, with what was done about it.

    A nonconforming one ends by its order, its handover or the answer to the proposal, never by a word alone.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status != TaskStatus.FED_BACK:
        task.move(TaskStatus.CLOSED)  # refuses, or says that a colleague was faster
        raise TransitionNotAllowed(f"这件监管任务还没有反馈（{task.get_status_display()}），不能归档，请刷新查看。")
    feedback = Feedback.objects.select_for_update().get(task=task)
    if feedback.result == Result.NONCONFORMING:
        raise Refused(
            "nonconforming-open",
            "监管结果为“不符合”，须责令限期整改、移送执法或者建议撤销许可，不能直接归档。",
            field="follow_up",
        )
    task.close(TaskEnd.FOLLOWED_UP, now, follow_up)
    if not follow_up.strip():
        raise Refused("follow-up-missing", "归档前请写明后续处理情况。", field="follow_up")
    feedback.follow_up = follow_up.strip()
    feedback.save(update_fields=["follow_up"])
    save_at(task, now)
    visiting.call_off_open(task, by=by, now=now)
    record_many([Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.FOLLOWED_UP.value}, by)], at=now)
    return task


@transaction.atomic
def close_for_licence(task: SupervisionTask, *, reason: str, by: User, now: dt.datetime) -> SupervisionTask:
    """Close a task whose licence came to its end before the check was finished; clocks and visits fall away.

    Raises ``TransitionNotAllowed`` where the licence stands, the check is finished, or an order to mend runs.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status not in BEFORE_FINISH:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能因证照失效归档；可能有同事已先一步办理，请刷新查看。"
        )
    if not task.changes.filter(ends_licence=True).exists():
        raise TransitionNotAllowed("这件任务的证照没有失效，不能以此归档。")
    if task.orders.filter(status=OrderStatus.RUNNING).exists():
        raise TransitionNotAllowed("这件任务还有整改中的通知书，请先认定整改结果。")
    if not reason.strip():
        raise Refused("reason-missing", "请写明归档的理由。", field="reason")
    open_clocks = [
        clock for clock in (task.acknowledge_deadline, task.planned_deadline) if clock is not None and clock.is_open
    ]
    if open_clocks:
        cancel_many(open_clocks, at=now, reason="licence-ended", by=by)
    visit = visiting.open_visit(task)
    if visit is not None:
        visiting.called_off(visit, "证照已失效，任务归档。", by=by, now=now)
    task.close(TaskEnd.LICENCE_ENDED, now, reason)
    save_at(task, now)
    record_many([Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.LICENCE_ENDED.value}, by)], at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    return task
