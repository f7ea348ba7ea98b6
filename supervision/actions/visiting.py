"""入企检查: asked for with purpose and day, held to the yearly cap, approved by the head of the department.

Source: domain.md (《关于严格规范涉企行政检查的意见》): approval beforehand, a purpose, a yearly cap for each subject.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.writing import Writing
from credit.models import CreditSubject
from deadlines.clock import local_date
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import Posting, User
from offices.people import by_department, by_office
from supervision.enums import Measure, TaskAct, TaskStatus, VisitStatus
from supervision.messages import Kind, reference_of
from supervision.models import DEFAULT_CAP, SupervisionTask, Visit, VisitCap
from supervision.words import seen, visible

# What is looked at, or was found wanting and is looked at again.
VISITED = (
    TaskStatus.ACKNOWLEDGED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.FINISHED,
    TaskStatus.FED_BACK,
    TaskStatus.RECTIFYING,
)
FIRST_LOOK = (TaskStatus.ACKNOWLEDGED, TaskStatus.IN_PROGRESS)
# A first look under these measures is not made at the company.
NO_VISIT = (Measure.OFF_SITE, Measure.NONE_NOW)
OPEN = (VisitStatus.REQUESTED, VisitStatus.APPROVED)
COUNTED = (*OPEN, VisitStatus.DONE)


class Room(NamedTuple):
    """How many visits a department planned or made to a subject in a year, and how many it may."""

    used: int
    cap: int

    @property
    def left(self) -> int:
        """How many more; none below zero."""
        return max(0, self.cap - self.used)


def room_for(task: SupervisionTask, year: int) -> Room:
    """The count against the cap of the task's subject and department; two statements. Exempt visits do not count."""
    visits = Visit.objects.filter(
        subject_id=task.subject_id, department_id=task.department_id, year=year, status__in=COUNTED, exemption=""
    )
    cap = VisitCap.objects.filter(department_id=task.department_id).values_list("times", flat=True).first()
    return Room(visits.count(), DEFAULT_CAP if cap is None else cap)


def open_visit(task: SupervisionTask) -> Visit | None:
    """The visit of the task that waits for the head, or that was approved and not yet made; at most one."""
    found = Visit.objects.filter(task=task, status__in=OPEN)
    return found.select_related("requested_by", "settled_by").first()


def ready(task: SupervisionTask, on: dt.date) -> Visit | Refused:
    """The approved visit under which the task may be looked at on site on that day, or why there is none.

    The refusal is returned, not raised: who records an inspection raises it, a page says it.
    """
    visit = open_visit(task)
    if visit is None:
        return Refused("visit-missing", "入企检查须事先经部门负责人批准，请先申请入企检查。")
    if visit.status != VisitStatus.APPROVED:
        return Refused("visit-not-approved", "入企检查还没有批准，请等候部门负责人答复。")
    if on < visit.planned_on:
        return Refused("visit-too-early", f"批准的入企日期是{visit.planned_on:%Y-%m-%d}，还没有到。")
    return visit


def note_made(visit: Visit, now: dt.datetime) -> Visit:
    """An approved visit was made: its inspection is recorded. The caller holds the lock of the task."""
    if visit.status != VisitStatus.APPROVED:
        raise TransitionNotAllowed("这次入企检查已不是“已批准”，请刷新查看。")
    visit.status = VisitStatus.DONE
    save_at(visit, now)
    return visit


@transaction.atomic
def request_visit(
    task: SupervisionTask, *, purpose: str, planned_on: dt.date | None, exemption: str = "", by: User, now: dt.datetime
) -> Visit:
    """Ask the head of the department for a visit; above the yearly cap only with the ground of an exemption.

    Raises ``TransitionNotAllowed`` where one is open already or the task is not at work, ``Refused`` for the input.
    """
    task = SupervisionTask.objects.lock(task.pk)
    if task.status not in VISITED:
        raise TransitionNotAllowed(f"这件监管任务现在是“{task.get_status_display()}”，不能申请入企检查。")
    if task.status in FIRST_LOOK and task.measure in NO_VISIT:
        raise Refused(
            "visit-measure", f"监管措施是“{task.get_measure_display()}”，不入企；需要入企的，请先变更监管措施。"
        )
    if open_visit(task) is not None:
        raise TransitionNotAllowed("这件任务已有待批准或已批准的入企检查，可能有同事已先一步申请，请刷新查看。")
    day = _checked_day(task, purpose, planned_on, local_date(now))
    # Two tasks of one subject may ask at once: the count is taken under the subject's lock.
    CreditSubject.objects.select_for_update(no_key=True).only("pk").get(pk=task.subject_id)
    room = room_for(task, day.year)
    purpose, exemption = seen(purpose, "purpose", "目的和内容"), seen(exemption, "exemption")
    if not room.left and not exemption:
        raise Refused(
            "visit-cap",
            f"本部门今年对该对象已安排入企检查 {room.used} 次，上限 {room.cap} 次；"
            "属于投诉举报线索、转办交办、数据监测异常等情形的，请写明理由。",
            field="exemption",
        )
    visit = Visit(
        task=task, subject_id=task.subject_id, department_id=task.department_id, year=day.year,
        purpose=purpose, planned_on=day, exemption=exemption, requested_by=by, requested_at=now,
    )  # fmt: skip
    save_at(visit, now)
    data = {"visit": visit.pk, "planned_on": day.isoformat(), "used": room.used, "cap": room.cap}
    record_many([Draft(task.stream, TaskAct.VISIT_REQUESTED, data | {"exempt": bool(exemption)}, by)], at=now)
    today = local_date(now)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {task.department_id}, today)[task.department_id]
    text = f"监管任务{task.number}申请{day.month}月{day.day}日入企检查，请登录平台批准或不批准。"
    outbox.queue(_told(visit, "requested", text, [head for head in heads if head != by]), now)
    reach("visit.before_commit")
    return visit


def _checked_day(task: SupervisionTask, purpose: str, planned_on: dt.date | None, today: dt.date) -> dt.date:
    if not visible(purpose):
        raise Refused("purpose-missing", "请写明入企检查的目的和内容。", field="purpose")
    if planned_on is None:
        raise Refused("visit-day-missing", "请填写计划入企的日期。", field="planned_on")
    if planned_on < today:
        raise Refused("visit-day-past", "计划入企的日期不能早于今天。", field="planned_on")
    latest = task.planned_finish_on
    if task.status in FIRST_LOOK and latest and planned_on > max(latest, today):
        raise Refused(
            "visit-after-plan",
            f"计划入企的日期不能晚于计划完成日（{latest:%Y-%m-%d}）；需要更晚的，请先变更计划。",
            field="planned_on",
        )
    if planned_on > today + dt.timedelta(days=366):
        raise Refused("visit-too-late", "计划入企的日期最迟不超过一年。", field="planned_on")
    return planned_on


def _locked(visit: Visit, *statuses: VisitStatus) -> Visit:
    """The visit under its task's lock, in one of these states."""
    SupervisionTask.objects.lock(visit.task_id)
    held = Visit.objects.select_related("task", "requested_by").get(pk=visit.pk)
    if held.status not in statuses:
        raise TransitionNotAllowed(
            f"这次入企检查现在是“{held.get_status_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    return held


@transaction.atomic
def settle_visit(visit: Visit, *, approve: bool, reason: str = "", by: User, now: dt.datetime) -> Visit:
    """The head of the department approves or refuses; nobody approves the own request, a refusal says why."""
    visit = _locked(visit, VisitStatus.REQUESTED)
    if visit.requested_by_id == by.pk:
        raise Refused("visit-own", "这是您自己提出的申请，须由其他负责人批准。")
    reason = seen(reason, "reason")
    if not approve and not reason:
        raise Refused("reason-missing", "不批准须说明理由。", field="reason")
    visit.status = VisitStatus.APPROVED if approve else VisitStatus.REFUSED
    visit.settled_by, visit.settled_at, visit.settled_reason = by, now, reason
    save_at(visit, now)
    data = {"visit": visit.pk, "outcome": str(visit.status)}
    record_many([Draft(visit.task.stream, TaskAct.VISIT_SETTLED, data, by)], at=now)
    said = "已批准" if approve else "未获批准"
    people = [one for one in _concerned(visit, now) if one != by]
    outbox.queue(_told(visit, "settled", f"{_named(visit)}{said}。", people), now)
    reach("visit_settled.before_commit")
    return visit


@transaction.atomic
def cancel_visit(visit: Visit, *, reason: str, by: User, now: dt.datetime) -> Visit:
    """Take back a visit that was asked for or approved and not made; it no longer counts against the cap."""
    visit = _locked(visit, *OPEN)
    reason = seen(reason, "reason")
    if not reason:
        raise Refused("reason-missing", "请写明取消入企检查的原因。", field="reason")
    called_off(visit, reason, by=by, now=now)
    reach("visit_cancelled.before_commit")
    return visit


def called_off(visit: Visit, reason: str, *, by: User | None, now: dt.datetime) -> None:
    """Cancel an open visit and tell its people; the caller holds the task's lock."""
    writing = Writing()
    _call_off(visit, reason, by, now, writing)
    writing.write(now)


def _call_off(visit: Visit, reason: str, by: User | None, now: dt.datetime, writing: Writing) -> None:
    """Cancel it; entry and messages (who asked, the officers, the heads) go into ``writing``."""
    visit.status = VisitStatus.CANCELLED
    visit.settled_reason = reason.strip()[:300]
    save_at(visit, now)
    data = {"visit": visit.pk, "outcome": str(visit.status)}
    writing.entries.append(Draft(visit.task.stream, TaskAct.VISIT_SETTLED, data, by))
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {visit.department_id}, local_date(now))[visit.department_id]
    people = [one for one in dict.fromkeys([*heads, *_concerned(visit, now)]) if one != by]
    writing.messages += _told(visit, "cancelled", f"{_named(visit)}已取消，不再前往。", people)


def call_off_open(task: SupervisionTask, *, by: User, now: dt.datetime) -> None:
    """A task that goes on without looking at the subject again, or ends, needs no visit; the caller holds its lock."""
    visit = open_visit(task)
    if visit is not None:
        called_off(visit, "任务已不再需要入企检查。", by=by, now=now)


def call_off_coming(task: SupervisionTask, *, by: User, now: dt.datetime) -> None:
    """A check that is finished needs no visit of a day to come, nor one that nobody approved; under the task's lock.

    One approved for a day that has come stays: its record may still be on a phone without a net.
    """
    visit = open_visit(task)
    if visit is not None and (visit.status == VisitStatus.REQUESTED or visit.planned_on > local_date(now)):
        called_off(visit, "监管已完成，不再入企。", by=by, now=now)


def call_off_ended(tasks: Collection[SupervisionTask], *, by: User, now: dt.datetime, writing: Writing) -> None:
    """The licence came to its end: the visits of these locked tasks fall away; one statement where there are none."""
    rows = Visit.objects.filter(task__in=tasks, status__in=OPEN).select_related("task", "requested_by").order_by("pk")
    for visit in rows:
        _call_off(visit, "证照已失效，不再入企。", by, now, writing)


def _concerned(visit: Visit, now: dt.datetime) -> list[User]:
    """Who asked, the officers of the task, and where there are none the managers of its office."""
    task = SupervisionTask.objects.select_related("first_officer", "second_officer").get(pk=visit.task_id)
    officers = [one for one in (task.first_officer, task.second_officer) if one is not None]
    if not officers:
        officers = by_office(Posting.Role.OFFICE_MANAGER, {task.office_id}, local_date(now))[task.office_id]
    return list(dict.fromkeys([visit.requested_by, *officers]))


def _named(visit: Visit) -> str:
    """The visit as a message calls it; number and day do not run together."""
    return f"监管任务{visit.task.number}，{visit.planned_on.month}月{visit.planned_on.day}日的入企检查"


def _told(visit: Visit, word: str, text: str, people: list[User]) -> list[outbox.Draft]:
    return [
        outbox.Draft(
            kind=Kind.TASK_NOTICE.value,
            text=text,
            dedupe_key=f"visit_{word}:{visit.pk}:{person.pk}",
            reference=reference_of(visit.task_id),
            to_user=person,
        )
        for person in people
    ]
