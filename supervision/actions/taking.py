"""查看、签收、分派: a manager opens a task, takes it with a measure and a planned day, gives it to people (L9c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Min

from approvals.enums import CaseAct
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Licence, Upload
from approvals.writing import Writing
from catalogue.models import Linkage
from deadlines.actions import Start, cancel_deadline, meet_deadline, meet_many, start_deadline, start_many
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.models import Deadline
from ledger.models import Entry
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.bulk import update_rows
from offices.history import keep_rows, save_at
from offices.models import User
from supervision import officers, starting
from supervision.actions import visiting
from supervision.enums import Measure, Origin, TaskAct, TaskStatus
from supervision.messages import Kind, reference_of
from supervision.models import DrawPlan, SupervisionTask, UnlinkedCase
from supervision.receivers import open_linked
from supervision.words import seen

# Under these the office does not check on its own: which plan or which other check it goes with is said.
WITH = (Measure.RANDOM_DRAW, Measure.COMBINED)
PLANNED = (TaskStatus.ACKNOWLEDGED, TaskStatus.IN_PROGRESS)
ASSIGNABLE = (TaskStatus.VIEWED, *PLANNED, TaskStatus.FINISHED, TaskStatus.FED_BACK, TaskStatus.RECTIFYING)
# Whom the draw fell on is looked at: it is neither left alone nor put into another draw.
NOT_DRAWN = (Measure.NONE_NOW, Measure.RANDOM_DRAW)
DRAWN_IS_CHECKED = "双随机抽中的对象须检查，不能选“暂不检查”或者“纳入双随机抽查”。"
PROMISED_IS_CHECKED = "告知承诺事项须进行事后核查，不能暂不检查。"
# So many tasks are acknowledged in one go at most: what somebody can have looked at.
MOST_AT_ONCE = 200
# So many of those that are gone are named.
MOST_NAMED = 20


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


def latest_day(task: SupervisionTask, today: dt.date) -> dt.date:
    """The latest day that may be planned: the sub-item's maximum from the acknowledgement; what was drawn, the plan's.

    A review of 暂不检查 begins the count anew. ``sub_item`` at hand; one statement for an acknowledged task, and one
    for a drawn one.
    """
    latest = _counted_from(task, today) + dt.timedelta(days=task.sub_item.longest_plan_days)
    drawn = drawn_until([task], today)
    return latest if drawn is None else min(latest, drawn)


def drawn_until(tasks: Sequence[SupervisionTask], today: dt.date) -> dt.date | None:
    """By when a plan of random draws wants these tasks done, the earliest; today where it is past; None: no plan."""
    keys = [task.pk for task in tasks if task.origin == Origin.DRAW]
    if not keys:
        return None
    day = DrawPlan.objects.filter(run__drawn__task__in=keys).aggregate(day=Min("planned_finish_on"))["day"]
    return max(day, today) if day is not None else None


def _counted_from(task: SupervisionTask, today: dt.date) -> dt.date:
    if task.acknowledged_at is None or task.measure == Measure.NONE_NOW:
        return today
    plans = Entry.objects.filter(stream=task.stream, act=TaskAct.REPLANNED).order_by("-seq").values_list("at", "data")
    reviewed = (at for at, data in plans if data.get("reviewed"))
    return local_date(next(reviewed, task.acknowledged_at))


def measures_for(task: SupervisionTask) -> list[Measure]:
    """What may be chosen: what was drawn or promised is checked."""
    barred = {*(NOT_DRAWN if task.origin == Origin.DRAW else ()), *([Measure.NONE_NOW] if task.promise_clauses else ())}
    return [measure for measure in Measure if measure not in barred]


def _check_plan(
    tasks: Sequence[SupervisionTask], measure: str, planned_finish_on: dt.date | None, reason: str, measure_with: str,
    today: dt.date, kept: dt.date | None = None,
) -> dt.date:  # fmt: skip
    """Return the planned day of like tasks; raises ``Refused`` for what the measures' rules do not allow.

    ``kept``: the day that the plan has already; it is not measured again.
    """
    task = tasks[0]
    if measure not in Measure.values:
        raise Refused("measure-missing", "请选择一项监管措施。", field="measure")
    if measure in NOT_DRAWN and any(one.origin == Origin.DRAW for one in tasks):
        raise Refused("drawn-must-be-checked", DRAWN_IS_CHECKED, field="measure")
    if measure == Measure.NONE_NOW and not reason.strip():
        raise Refused("reason-missing", "暂不检查须说明原因。", field="reason")
    if measure == Measure.NONE_NOW and task.promise_clauses:
        raise Refused("promise-must-be-checked", PROMISED_IS_CHECKED, field="measure")
    if measure in WITH and not measure_with.strip():
        raise Refused("measure-with-missing", "请写明并入哪个抽查计划或者哪次检查。", field="measure_with")
    review = measure == Measure.NONE_NOW
    if planned_finish_on is None:
        said = "请填写复核日，到期重新选择措施。" if review else "请填写计划完成日，否则反馈期限无从起算。"
        raise Refused("planned-day-missing", said, field="planned_finish_on")
    if planned_finish_on == kept:
        return planned_finish_on
    word = "复核日" if review else "计划完成日"
    if planned_finish_on < today:
        raise Refused("planned-day-past", f"{word}不能早于今天。", field="planned_finish_on")
    drawn = drawn_until(tasks, today)
    if drawn is not None and planned_finish_on > drawn:
        said = f"{word}不能晚于抽查计划的完成期限（{drawn:%Y-%m-%d}）。"
        raise Refused("planned-day-after-draw-plan", said, field="planned_finish_on")
    if planned_finish_on > latest_day(task, today):
        days = task.sub_item.longest_plan_days
        said = f"{word}最迟不超过 {days} 天。"
        if _counted_from(task, today) != today:
            said = f"{word}最迟不超过签收后 {days} 天（{latest_day(task, today):%Y-%m-%d}）。"
        raise Refused("planned-day-too-late", said, field="planned_finish_on")
    return planned_finish_on


def _check_officers(
    task: SupervisionTask, measure: str, first: User | None, second: User | None, today: dt.date
) -> None:
    """Raise ``Refused`` for people who cannot be given the task together."""
    if first is None:
        raise Refused("first-officer-missing", "请选择主办人员。", field="first_officer")
    if first == second:
        raise Refused("officers-same", "主办和协办须为不同的人。", field="second_officer")
    if second is None and measure == Measure.ON_SITE and task.sub_item.two_officers:
        raise Refused("second-officer-missing", "现场检查须两人以上，请选择协办人员。", field="second_officer")
    asked = [person.pk for person in (first, second) if person is not None]
    fit = set(officers.eligible(task.office_id, today).filter(pk__in=asked).values_list("pk", flat=True))
    for name, person in (("first_officer", first), ("second_officer", second)):
        if person is not None and person.pk not in fit:
            raise Refused("officer-not-eligible", f"{person.full_name}不在本处室任职，或者正在请假。", field=name)


def _check_drawn(task: SupervisionTask, first: User | None, second: User | None, reason: str, today: dt.date) -> None:
    """Raise ``Refused`` where somebody drawn by lot who can serve would go, or somebody would come who may not."""
    if first is None or second is None:
        field = "first_officer" if first is None else "second_officer"
        raise Refused("officers-drawn", "双随机抽查由抽签选定的两人检查，不能减为一人。", field=field)
    if first == second:
        raise Refused("officers-same", "主办和协办须为不同的人。", field="second_officer")
    gone = officers.unable(task, today)
    stand_ins = {person.pk for person in officers.stand_ins(task, today)}
    slots = (("first_officer", task.first_officer, first), ("second_officer", task.second_officer, second))
    for name, before, after in slots:
        if before == after:
            continue
        if before is not None and before.pk not in gone:
            said = f"{before.full_name}由抽签选定，能够办理的不能更换；只有离岗、请假或者须回避的才可以更换。"
            raise Refused("officers-drawn", said, field=name)
        if after.pk not in stand_ins:
            said = f"{after.full_name}不能接替：须是本次抽查人员池中在岗、不需回避的人员。"
            raise Refused("officer-not-eligible", said, field=name)
    if not reason.strip():
        raise Refused("reason-missing", "更换抽签选定的检查人员须写明原因。", field="reason")


@transaction.atomic
def acknowledge(
    task: SupervisionTask,
    *,
    measure: str,
    planned_finish_on: dt.date | None,
    by: User,
    now: dt.datetime,
    reason: str = "",
    measure_with: str = "",
    first_officer: User | None = None,
    second_officer: User | None = None,
) -> SupervisionTask:
    """Acknowledge with a measure and a planned finish day (L9c); the acknowledge clock ends, the planned day begins.

    With ``none_now`` the day is that of the review. Officers may be named at once or by ``assign``.
    Raises ``TransitionNotAllowed`` (somebody was faster, or the task was never opened) or ``Refused`` for the input.
    """
    reason, measure_with = _typed(reason, measure_with)
    task = SupervisionTask.objects.lock(task.pk)
    today = local_date(now)
    task.move(TaskStatus.ACKNOWLEDGED)
    day = _check_plan([task], measure, planned_finish_on, reason, measure_with, today)
    asked = (first_officer, second_officer)
    named = asked not in {(None, None), (task.first_officer, task.second_officer)}
    if named and task.origin == Origin.DRAW:
        said = "抽签选定的检查人员不在签收时变更；确实不能办理的，请另行改派并写明原因。"
        raise Refused("officers-drawn", said, field="first_officer")
    if named:
        _check_officers(task, measure, first_officer, second_officer, today)
    _take(task, measure, day, reason, measure_with, by, now)
    if task.acknowledge_deadline and task.acknowledge_deadline.is_open:
        meet_deadline(task.acknowledge_deadline, at=now, by=by)
    begin, end = starting.planned(task.department_id, now, day)
    task.planned_deadline = start_deadline(
        KindCode.PLANNED_FINISH, at=begin, stream=task.stream, by=by, fixed_on=end, now=now
    )
    if named:
        _give(task, first_officer, second_officer, by, now)
    else:
        save_at(task, now)
    record_many([_acknowledged(task, by)], at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    reach("acknowledge.before_commit")
    return task


def _typed(reason: str, measure_with: str) -> tuple[str, str]:
    return seen(reason, "reason"), seen(measure_with, "measure_with", "并入的计划或检查")


def _take(
    task: SupervisionTask, measure: str, day: dt.date, reason: str, measure_with: str, by: User, now: dt.datetime
) -> None:
    """Write the plan on the task in memory."""
    task.measure, task.measure_reason, task.planned_finish_on = measure, reason.strip(), day
    task.measure_with = measure_with.strip() if measure in WITH else ""
    task.acknowledged_at, task.acknowledged_by = now, by


# What the acknowledgement writes on a task.
TAKEN = (
    "status", "measure", "measure_reason", "measure_with", "planned_finish_on", "acknowledged_at", "acknowledged_by_id",
    "planned_deadline_id",
)  # fmt: skip


def _acknowledged(task: SupervisionTask, by: User) -> Draft:
    assert task.planned_finish_on is not None  # noqa: S101 - just written
    data = {"measure": task.measure, "planned_finish_on": task.planned_finish_on.isoformat()}
    return Draft(task.stream, TaskAct.ACKNOWLEDGED, data, by)


@transaction.atomic
def acknowledge_many(
    tasks: Sequence[SupervisionTask],
    *,
    measure: str,
    planned_finish_on: dt.date | None,
    by: User,
    now: dt.datetime,
    reason: str = "",
    measure_with: str = "",
) -> list[SupervisionTask]:
    """Acknowledge like tasks (one office, one sub-item, each opened before) with one measure and one planned day.

    All of them or none: what stands in the way is named task by task. Each task has its own clock and its own ledger
    entry. Statements are constant in the number. Raises ``Refused``; as a conflict where somebody was faster.
    """
    reason, measure_with = _typed(reason, measure_with)
    if not tasks:
        raise Refused("tasks-missing", "请勾选要签收的任务。", field="numbers")
    if len(tasks) > MOST_AT_ONCE:
        raise Refused("tasks-too-many", f"一次最多签收 {MOST_AT_ONCE} 件，请分次签收。", field="numbers")
    held = SupervisionTask.objects.lock_all({task.pk for task in tasks})
    if len({(task.office_id, task.sub_item_id) for task in held}) != 1:
        raise Refused("tasks-not-alike", "只有同一处室、同一监管事项子项的任务可以一并签收。", field="numbers")
    _check_each(held, measure)
    day = _check_plan(held, measure, planned_finish_on, reason, measure_with, local_date(now))
    running = list(Deadline.objects.open().filter(acknowledge_task__in=held))
    meet_many(running, at=now, by=by)
    begin, end = starting.planned(held[0].department_id, now, day)
    starts = [Start(KindCode.PLANNED_FINISH, task.stream, fixed_on=end) for task in held]
    for task, clock in zip(held, start_many(starts, at=begin, by=by, now=now), strict=True):
        task.move(TaskStatus.ACKNOWLEDGED)
        _take(task, measure, day, reason, measure_with, by, now)
        task.planned_deadline = clock
    update_rows(SupervisionTask, TAKEN, [(task.pk, *(getattr(task, name) for name in TAKEN)) for task in held])
    keep_rows(held, now, by=by)
    record_many([_acknowledged(task, by) for task in held], at=now)
    outbox.cancel([reference_of(task.pk) for task in held], [Kind.TASK_REMINDER.value])
    reach("acknowledge_many.before_commit")
    return held


def refuse_gone(asked: Collection[str], found: Sequence[SupervisionTask]) -> None:
    """Raise ``Refused`` (``tasks-gone``, conflict) with the numbers asked for that are not among the person's own.

    Whether there is such a task elsewhere is not said: nothing but what was sent is named.
    """
    own = {task.number for task in found}
    gone = [number for number in dict.fromkeys(asked) if number not in own]
    if gone:
        named = "、".join(number[:26] for number in gone[:MOST_NAMED])
        more = f"等 {len(gone)} 件" if len(gone) > MOST_NAMED else ""
        text = f"这次一件也没有签收。{named}{more}已不在您可以一并签收的任务中，可能已经改派；其余任务可以照签。"
        raise Refused("tasks-gone", text, field="numbers", conflict=True)


def _check_each(tasks: Sequence[SupervisionTask], measure: str) -> None:
    """Name every task that cannot be acknowledged in this way; none of them is."""
    said, faster = [], False
    for task in tasks:
        if task.status == TaskStatus.NOTIFIED:
            said.append(f"{task.number} 还没有打开查看")
        elif task.status != TaskStatus.VIEWED:
            faster = True
            said.append(f"{task.number} 现在是“{task.get_status_display()}”")
        elif measure in NOT_DRAWN and task.origin == Origin.DRAW:
            said.append(f"{task.number} 是双随机抽中的，须检查")
        elif measure == Measure.NONE_NOW and task.promise_clauses:
            said.append(f"{task.number} 是告知承诺事项，不能暂不检查")
    if said:
        text = "这次一件也没有签收。" + "；".join(said) + "。请取消勾选这些任务，或者刷新查看后再签收。"
        raise Refused("state-conflict" if faster else "tasks-refused", text, field="numbers", conflict=faster)


@transaction.atomic
def replan(
    task: SupervisionTask,
    *,
    measure: str,
    planned_finish_on: dt.date | None,
    reason: str,
    by: User,
    now: dt.datetime,
    measure_with: str = "",
) -> SupervisionTask:
    """Choose another measure or another planned day, with a reason; also the review of 暂不检查.

    A new day ends the planned clock that ran and starts another; it stays within the sub-item's maximum counted from
    the acknowledgement, or from the review, and is not before a visit that was asked for. A day that has passed is not
    moved: its clock runs, and is late, until the work is finished. Raises as ``acknowledge``.
    """
    reason, measure_with = _typed(reason, measure_with)
    task = SupervisionTask.objects.lock(task.pk)
    today = local_date(now)
    if task.status not in PLANNED:
        raise TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能再变更计划；可能有同事已先一步办理，请刷新查看。"
        )
    if not reason.strip():
        raise Refused("reason-missing", "变更监管措施或计划完成日须说明原因。", field="reason")
    if measure == Measure.NONE_NOW and task.status == TaskStatus.IN_PROGRESS:
        raise Refused("inspection-begun", "已经开始检查，不能改为暂不检查。", field="measure")
    reviewed = task.measure == Measure.NONE_NOW
    _check_passed(task, measure, planned_finish_on, today)
    kept = None if reviewed or measure == Measure.NONE_NOW else task.planned_finish_on
    day = _check_plan([task], measure, planned_finish_on, reason, measure_with, today, kept)
    visit = visiting.open_visit(task)
    if visit is not None and measure not in visiting.NO_VISIT and day != kept and day < visit.planned_on:
        raise Refused(
            "planned-day-before-visit",
            f"{visit.planned_on:%Y-%m-%d}的入企检查{visit.get_status_display()}，计划完成日不能早于这一天；"
            "要提前的，请先取消这次入企检查。",
            field="planned_finish_on",
        )
    said = (measure, day, measure_with.strip() if measure in WITH else "")
    if not reviewed and said == (task.measure, task.planned_finish_on, task.measure_with):
        raise Refused("plan-unchanged", "监管措施和计划完成日都没有变化。", field="planned_finish_on")
    before = {"measure": task.measure, "planned_finish_on": str(task.planned_finish_on)}
    moved = reviewed or day != task.planned_finish_on
    task.measure, task.planned_finish_on, task.measure_with = said
    task.measure_reason = reason.strip()
    if moved:
        _replace_clock(task, day, reviewed, by, now)
    save_at(task, now)
    data = {"measure": measure, "planned_finish_on": day.isoformat(), "before": before, "reviewed": reviewed}
    record_many([Draft(task.stream, TaskAct.REPLANNED, data, by)], at=now)
    if visit is not None and measure in visiting.NO_VISIT:
        visiting.called_off(visit, "监管措施已变更，不再入企。", by=by, now=now)
    if moved:
        outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    return task


def has_passed(task: SupervisionTask, today: dt.date) -> bool:
    """Whether the planned day of work to be done is over; the day of a review is made good by the review."""
    clock = task.planned_deadline
    return task.measure != Measure.NONE_NOW and clock is not None and clock.is_open and clock.is_overdue(today)


def _check_passed(task: SupervisionTask, measure: str, planned_finish_on: dt.date | None, today: dt.date) -> None:
    """Raise ``Refused`` where a missed planned day would be wiped out."""
    if not has_passed(task, today):
        return
    day = f"{task.planned_finish_on:%Y-%m-%d}"
    if planned_finish_on is not None and planned_finish_on != task.planned_finish_on:
        said = f"计划完成日（{day}）已过，不能再改；请尽快检查并填写完成日。只变更措施的，计划完成日照填{day}。"
        raise Refused("planned-day-passed", said, field="planned_finish_on")
    if measure == Measure.NONE_NOW:
        said = f"计划完成日（{day}）已过，不能改为暂不检查；请尽快检查并填写完成日。"
        raise Refused("planned-day-passed", said, field="measure")


def _replace_clock(task: SupervisionTask, day: dt.date, reviewed: bool, by: User, now: dt.datetime) -> None:
    """The clock of the earlier plan ends (a review was its duty, done), that of ``day`` begins."""
    clock = task.planned_deadline
    if clock is not None and clock.is_open:
        if reviewed:
            meet_deadline(clock, at=now, by=by)
        else:
            cancel_deadline(clock, at=now, reason="replanned", by=by)
    begin, end = starting.planned(task.department_id, now, day)
    task.planned_deadline = start_deadline(
        KindCode.PLANNED_FINISH, at=begin, stream=task.stream, by=by, fixed_on=end, now=now
    )


@transaction.atomic
def assign(
    task: SupervisionTask,
    *,
    first_officer: User | None,
    second_officer: User | None,
    by: User,
    now: dt.datetime,
    reason: str = "",
) -> SupervisionTask:
    """Give the task to a first and, where the law wants two, a second officer of its office; they are told by SMS.

    No clock changes. The same people again change nothing. Who was drawn by lot stays, unless unable to serve: then
    somebody else of the draw's pool comes, with a ``reason``. Raises ``TransitionNotAllowed`` or ``Refused``.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status not in ASSIGNABLE:
        raise TransitionNotAllowed(f"这件监管任务现在是“{task.get_status_display()}”，不能分派，请刷新查看。")
    reason = seen(reason, "reason", "更换的原因")
    drawn, asked = task.origin == Origin.DRAW, (first_officer, second_officer)
    same = (task.first_officer, task.second_officer) == asked
    if drawn and not same:
        _check_drawn(task, first_officer, second_officer, reason, local_date(now))
    elif not drawn:
        _check_officers(task, task.measure, first_officer, second_officer, local_date(now))
    if not same:
        _give(task, first_officer, second_officer, by, now, reason if drawn else "")
    return task


def _give(
    task: SupervisionTask, first: User | None, second: User | None, by: User, now: dt.datetime, reason: str = ""
) -> None:
    """Write the officers, the entry and the messages: to those who are new, and to those whose task it no longer is."""
    before = [person for person in (task.first_officer, task.second_officer) if person is not None]
    task.first_officer, task.second_officer = first, second
    after = [person for person in (first, second) if person is not None]
    save_at(task, now)
    data: dict[str, Any] = {
        "first": first.pk if first else None,
        "second": second.pk if second else None,
        "before": [person.pk for person in before],
    }
    if reason.strip():
        data["reason"] = reason.strip()[:300]
    record_many([Draft(task.stream, TaskAct.ASSIGNED_TO, data, by)], at=now)
    turn = Entry.objects.filter(stream=task.stream, act=TaskAct.ASSIGNED_TO).count()
    what = f"监管任务{task.number}（{task.public_subject}）"
    texts = [(person, f"{what}已分派给您办理，请登录平台查看。") for person in after if person not in before]
    texts += [(person, f"{what}已改由他人办理。") for person in before if person not in after]
    drafts = [
        outbox.Draft(
            kind=Kind.TASK_NOTICE.value,
            text=text,
            dedupe_key=f"task_assigned:{task.pk}:{turn}:{person.pk}",
            reference=reference_of(task.pk),
            to_user=person,
        )
        for person, text in texts
        if person != by
    ]
    outbox.queue(drafts, now)


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
    licence = Licence.objects.filter(case=case).first()
    task = open_linked(case, [linkage], licence=licence, by=by, now=now, first=case.tasks.count() + 1, writing=writing)[
        0
    ]
    place.settled_at = now
    place.save(update_fields=["settled_at"])
    writing.entries.append(Draft(case.stream, TaskAct.ASSIGNED, {"task": task.pk, "linkage": linkage.pk}, by))
    writing.write(now)
    return task
