"""完成监管、反馈、归档 (L10a, L10b, L10d)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.reasons import grave
from credit.actions.keeping import keep
from deadlines import periods
from deadlines.actions import cancel_many, meet_deadline, start_deadline
from deadlines.alarms import opening_of
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from supervision import starting
from supervision.actions import following, visiting
from supervision.actions.inspecting import WORST_FIRST, worst
from supervision.actions.ordering import faulty, follow_feedback, lapse, licence_over, note_follow_up
from supervision.enums import (
    ENDS_WITH_LICENCE,
    FindingKind,
    InspectionKind,
    Measure,
    Origin,
    Platform,
    Result,
    TaskAct,
    TaskEnd,
    TaskStatus,
)
from supervision.messages import Kind, reference_of
from supervision.models import Feedback, Finding, Inspection, SupervisionTask
from supervision.models.inspections import InspectionQuerySet
from supervision.words import seen


def _clause_findings(task: SupervisionTask) -> list[Finding]:
    """What the first inspections that stand found on the promise clauses, with their records; one statement.

    A re-inspection says whether an order was followed, not what was found before it.
    """
    records = task.inspections.standing().filter(kind=InspectionKind.FIRST)
    found = Finding.objects.filter(inspection__in=records, kind=FindingKind.CLAUSE).select_related("inspection")
    return [one for one in found.order_by("inspection__order", "order") if one.key.isdigit()]


def findings_of_clauses(task: SupervisionTask) -> dict[int, str]:
    """Number of each promise clause (from 1) → the worst that an inspection found on it; one statement."""
    found: dict[int, str] = {}
    for one in _clause_findings(task):
        number = int(one.key)
        found[number] = worst([one.result, found.get(number, one.result)])
    return found


def worst_inspection(task: SupervisionTask) -> Inspection | None:
    """The first inspection that binds the feedback: the earliest that stands and found the worst; one statement."""
    return _worst(task.inspections.standing().filter(kind=InspectionKind.FIRST).order_by("order"))


def _worst(records: Iterable[Inspection]) -> Inspection | None:
    """The first of those that found the worst."""
    return min(records, key=lambda one: WORST_FIRST.index(Result(one.result)), default=None)


def looks_of_draw(task: SupervisionTask) -> InspectionQuerySet:
    """What stands in for a record of a task that was put into a draw: the first looks at whom the draw fell on.

    Of the same subject and sub-item, in a task that a draw opened after the acknowledgement and whose result was fed
    back: from then on its records are neither set aside nor added to. What came after the finish does not undo it.
    """
    drawn = SupervisionTask.objects.filter(
        origin=Origin.DRAW, subject_id=task.subject_id, sub_item_id=task.sub_item_id,
        opened_at__gte=task.acknowledged_at, feedback__isnull=False,
    )  # fmt: skip
    looks = Inspection.objects.standing().filter(kind=InspectionKind.FIRST, task__in=drawn)
    return looks if task.finished_on is None else looks.filter(ended_at__date__lte=task.finished_on)


def _rests_on_draw(task: SupervisionTask) -> bool:
    """Whether the task waits for a draw to look: put into one, without a record of its own that stands."""
    own = task.inspections.standing().filter(kind=InspectionKind.FIRST)
    return task.measure == Measure.RANDOM_DRAW and not own.exists()


def _refuse_fault_of_draw(drawn: Inspection | None) -> None:
    """Raise ``Refused`` where the draw found a fault: the drawn task has it mended, this one needs its own record."""
    if drawn is not None and drawn.result == Result.NONCONFORMING:
        raise Refused(
            "draw-found-fault",
            f"抽查任务 {drawn.task.number} 检查这个对象的结论是“不符合”，由那件任务办理整改；"
            "这件任务请另行检查，在本页“记录检查”以后再填写完成日。",
        )


def _check_looked_at(task: SupervisionTask) -> Inspection | None:
    """The worst that a draw found for a task that rests on one; None for any other task.

    No check ends that was not made: a promise is found clause by clause (L10b), a draw by its two officers.

    Whatever the measure. What was put into a draw was looked at by the draw, or by a record of its own; until then it
    is not finished. Any other task may have been worked on elsewhere: its feedback names where. Where a
    record was set aside another one takes its place.
    """
    clauses = range(1, len(task.promise_clauses) + 1)
    found = findings_of_clauses(task) if clauses else {}
    missing = [str(number) for number in clauses if number not in found]
    if missing:
        raise Refused(
            "clauses-not-inspected",
            f"告知承诺事项须先记录检查，逐条核查承诺；还没有检查结果的：第 {'、'.join(missing)} 条。",
        )
    by_two = task.inspections.standing().filter(kind=InspectionKind.FIRST, second_officer__isnull=False)
    if task.origin == Origin.DRAW and not by_two.exists():
        raise Refused(
            "draw-not-inspected",
            "随机抽查的对象须由两名执法人员检查，现在还没有两人的检查记录；请先在本页“记录检查”。",
        )
    rests = _rests_on_draw(task)
    drawn = _worst(looks_of_draw(task).order_by("pk").select_related("task")) if rests else None
    records = task.inspections.filter(kind=InspectionKind.FIRST)
    if records.filter(set_asides__granted=True).exists() and drawn is None and not records.standing().exists():
        raise Refused(
            "record-set-aside-only", "检查记录已经作废，现在没有有效的检查记录，请重新检查，在本页“记录检查”以后再办。"
        )
    if rests and drawn is None:
        raise Refused(
            "draw-not-looked-at",
            "这件任务选的是“纳入双随机抽查”，签收以后还没有抽中、检查并反馈过这个对象，没有检查可以反馈。"
            "请等抽查任务检查并反馈以后再办；没有抽中的，请另行检查，在本页“记录检查”。",
        )
    return drawn


def _check_finish_day(task: SupervisionTask, day: dt.date | None, today: dt.date, drawn: Inspection | None) -> dt.date:
    """The day on which the check was finished: not before the task, nor before its latest record.

    What rests on a draw alone (``drawn``): not before the draw's first look.
    A visit that was made has its record, so the day does not lie before a visit either.
    """
    if day is None:
        raise Refused("finish-day-missing", "请填写完成监管的日期。", field="finished_on")
    if day > today:
        raise Refused("finish-day-future", "完成监管日不能晚于今天。", field="finished_on")
    if day < task.earliest_finish:
        raise Refused(
            "finish-day-before-task",
            f"完成监管日不能早于任务生成日（{task.earliest_finish:%Y-%m-%d}）。",
            field="finished_on",
        )
    if drawn is not None:
        looked = looks_of_draw(task).aggregate(at=Min("ended_at"))["at"]
    else:
        looked = task.inspections.standing().aggregate(at=Max("ended_at"))["at"]
    if looked is not None and day < local_date(looked):
        raise Refused(
            "finish-day-before-inspection",
            f"完成监管日不能早于最近一次检查的日期（{local_date(looked):%Y-%m-%d}）。",
            field="finished_on",
        )
    return day


@transaction.atomic
def finish(task: SupervisionTask, *, finished_on: dt.date | None, by: User, now: dt.datetime) -> SupervisionTask:
    """Say on which day supervision was finished; the 5-working-day feedback clock starts on that day (L10a)."""
    task = SupervisionTask.objects.lock(task.pk)
    task.move(TaskStatus.FINISHED)
    today = local_date(now)
    if task.measure == Measure.NONE_NOW:
        raise Refused("measure-none-now", "这件任务选定的是“暂不检查”，请先变更监管措施，再填写完成日。")
    drawn = _check_looked_at(task)
    _refuse_fault_of_draw(drawn)
    finished_on = _check_finish_day(task, finished_on, today, drawn)
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
    visiting.call_off_coming(task, by=by, now=now)
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
    整改中, or closes it where it was mended meanwhile. Nothing is fed back as better than the worst that a record
    says. Late is possible and is said. Where something is left to be done the clock of 后续处理 begins.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status != TaskStatus.FINISHED:  # once: from 整改中 the way back to 已反馈 is another's
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能反馈监管结果；可能有同事已先一步办理，请刷新查看。"
        )
    task.move(TaskStatus.FED_BACK)
    if result not in Result.values:
        raise Refused("result-missing", "请选择监管结果。", field="result")
    text, platform_number = seen(text, "text", "情况说明"), seen(platform_number, "platform_number", "文书编号")
    if not text:
        raise Refused("text-missing", "请填写情况说明。", field="text")
    if platform not in Platform.values:
        raise Refused("platform-missing", "请选择开展监管工作的平台。", field="platform")
    if not platform_number:
        raise Refused("platform-number-missing", "请填写该平台的文书编号。", field="platform_number")
    clauses = _checked_clauses(task, clause_results)
    if result != Result.NONCONFORMING and any(c["result"] == Result.NONCONFORMING for c in clauses):
        raise Refused("result-contradicts", "有承诺内容“不符合”，监管结果不能为“符合”。", field="result")
    drawn = _check_looked_at(task)
    _check_against_inspection(task, result, clauses, drawn)
    late = bool(task.feedback_deadline and task.feedback_deadline.is_overdue(timezone.localtime(now).date()))
    if task.feedback_deadline and task.feedback_deadline.is_open:
        meet_deadline(task.feedback_deadline, at=now, by=by)
    feedback = Feedback.objects.create(
        task=task, result=result, text=text, clauses=clauses, platform=platform,
        platform_number=platform_number, given_by=by, given_at=now, is_late=late,
    )  # fmt: skip
    drafts = [Draft(task.stream, TaskAct.FED_BACK, {"result": result, "late": late}, by)]
    if result == Result.CONFORMING:
        task.close(TaskEnd.CONFORMING, now)
        visiting.call_off_open(task, by=by, now=now)
        drafts.append(Draft(task.stream, TaskAct.CLOSED, {}, by))
        if task.promise_clauses:
            keep(
                task.subject,
                source=task.number,
                basis="连政办发〔2022〕67号第10条：履约情况纳入诚信档案",
                department=task.department,
                now=now,
            )
    drafts += follow_feedback(task, feedback, by=by, now=now)
    save_at(task, now)
    record_many(drafts, at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    reach("feedback.before_commit")
    return task


def _named(one: Inspection) -> str:
    return f"第 {one.order} 次检查记录（{local_date(one.ended_at):%Y-%m-%d}）"


def _better(said: str, found: str) -> bool:
    return WORST_FIRST.index(Result(said)) > WORST_FIRST.index(Result(found))


def _check_against_inspection(
    task: SupervisionTask, result: str, clauses: Sequence[dict[str, Any]], drawn: Inspection | None
) -> None:
    """Nothing is fed back as better than the worst record says, and nothing is 不符合 without a record.

    A later record does not wash out an earlier one: the worst binds, for the whole and for each clause. Where the look
    was a draw's, the worst that it found (``drawn``) binds here too.
    """
    if result == Result.NONCONFORMING and faulty(task) is None:
        raise Refused(
            "feedback-needs-finding",
            "反馈“不符合”须有“不符合”的检查记录，后续的责令整改、移送执法都以它为依据。"
            "请先在本页“记录检查”写明哪一项不符合，再来反馈。",
            field="result",
        )
    bound = worst_inspection(task)
    if bound is not None and _better(result, bound.result):
        raise Refused(
            "result-contradicts",
            f"{_named(bound)}的结论是“{bound.get_result_display()}”，以后的记录不能抵消，监管结果应与之一致。",
            field="result",
        )
    if drawn is not None and _better(result, drawn.result):
        raise Refused(
            "result-contradicts",
            f"抽查任务 {drawn.task.number} 检查这个对象的结论是“{drawn.get_result_display()}”，监管结果应与之一致；"
            "另行检查过的，请先在本页“记录检查”。",
            field="result",
        )
    for one in _clause_findings(task) if clauses else []:
        number = int(one.key)
        if number <= len(clauses) and _better(clauses[number - 1]["result"], one.result):
            raise Refused(
                "clause-contradicts",
                f"{_named(one.inspection)}对承诺第 {number} 条的结果是“{one.get_result_display()}”，"
                "以后的记录不能抵消，反馈应与之一致。",
                field=f"clause_{number}",
            )


@transaction.atomic
def close(task: SupervisionTask, *, follow_up: str, by: User, now: dt.datetime) -> SupervisionTask:
    """Close a task whose result was 基本符合, with what was done about it.

    A nonconforming one ends by its order, its handover or the answer to the proposal, never by a word alone.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status != TaskStatus.FED_BACK:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能直接归档；可能有同事已先一步办理，请刷新查看。"
        )
    feedback = Feedback.objects.select_for_update().get(task=task)
    if feedback.result == Result.NONCONFORMING:
        raise Refused(
            "nonconforming-open",
            "监管结果为“不符合”，须责令限期整改、移送执法或者建议撤销许可，不能直接归档。",
            field="follow_up",
        )
    follow_up = seen(follow_up, "follow_up", "后续处理情况")
    task.close(TaskEnd.FOLLOWED_UP, now, follow_up)
    if not follow_up:
        raise Refused("follow-up-missing", "归档前请写明后续处理情况。", field="follow_up")
    following.end(task, by=by, now=now)
    feedback.follow_up = follow_up
    feedback.save(update_fields=["follow_up"])
    save_at(task, now)
    visiting.call_off_open(task, by=by, now=now)
    record_many([Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.FOLLOWED_UP.value}, by)], at=now)
    return task


@transaction.atomic
def close_for_licence(task: SupervisionTask, *, reason: str, by: User, now: dt.datetime) -> SupervisionTask:
    """Close a task whose licence came to its end; clocks, visits and an order to mend that runs fall away.

    Before the check is finished, or once a fault was fed back and is not yet set right. Raises
    ``TransitionNotAllowed`` in every other state and where the licence stands, ``Refused`` (``reason-missing``,
    ``reason-too-short``).
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status not in ENDS_WITH_LICENCE:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能因证照失效归档；可能有同事已先一步办理，请刷新查看。"
        )
    if not licence_over(task, local_date(now)):
        raise TransitionNotAllowed("这件任务的证照没有失效，不能以此归档。")
    reason = seen(reason, "reason")
    if not reason:
        raise Refused("reason-missing", "请写明归档的理由。", field="reason")
    grave(reason, "reason", "因证照失效归档，请写明证照怎样失效、为什么不再检查")
    open_clocks = [
        clock
        for clock in (task.acknowledge_deadline, task.planned_deadline, task.follow_up_deadline)
        if clock is not None and clock.is_open
    ]
    if open_clocks:
        cancel_many(open_clocks, at=now, reason="licence-ended", by=by)
    visit = visiting.open_visit(task)
    if visit is not None:
        visiting.called_off(visit, "证照已失效，任务归档。", by=by, now=now)
    drafts = lapse(task, reason, by=by, now=now)
    note_follow_up(task, f"证照已失效，归档：{reason}")
    task.close(TaskEnd.LICENCE_ENDED, now, reason)
    save_at(task, now)
    drafts.append(Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.LICENCE_ENDED.value}, by))
    record_many(drafts, at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    return task
