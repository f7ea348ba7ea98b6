"""不属本处室: an office says that a task is not its own; the overseers leave it there or send it on (L10).

The acknowledge clock of the task runs on meanwhile: an objection gains nobody time. A task that went to the wrong
office starts its acknowledge clock anew when the right one's SMS is accepted (L9c).
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.exceptions import Refused, TransitionNotAllowed
from deadlines import periods
from deadlines.actions import cancel_deadline, meet_deadline, start_deadline
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import Department, Office, OfficeQuerySet, Posting, User
from offices.people import by_office
from supervision.enums import DisputeOutcome, TaskAct, TaskStatus
from supervision.messages import Kind, opening_drafts, reference_of
from supervision.models import Dispute, SupervisionTask
from supervision.words import seen

Role = Posting.Role
SUPERVISING = (Department.Side.SUPERVISION, Department.Side.BOTH)


def other_offices(task: SupervisionTask, on: dt.date) -> OfficeQuerySet:
    """Offices that the task may go to: of its division, of a department that supervises, with a manager to be told."""
    division = Department.objects.filter(pk=task.department_id).values("division_id")
    found = Office.objects.filter(department__division_id__in=division, department__side__in=SUPERVISING)
    return found.exclude(pk=task.office_id).reachable(on)


def why_not(task: SupervisionTask) -> Refused | None:
    """Why the office of the task may not object (any more), or None; one statement for a task that waits."""
    if task.status != TaskStatus.VIEWED:
        return TransitionNotAllowed(
            f"这件监管任务现在是“{task.get_status_display()}”，不能提出异议；可能有同事已先一步办理，请刷新查看。"
        )
    settled = Dispute.objects.filter(task=task, from_office_id=task.office_id, outcome=DisputeOutcome.CONFIRMED)
    if settled.exists():
        return Refused("dispute-settled", "督办人员已维持原派，本处室不能再次提出异议，请签收办理。", conflict=True)
    return None


def _checked(task: SupervisionTask, office: Office | None, field: str, name: str, today: dt.date) -> Office | None:
    """The office if the task may go there; raises ``Refused`` otherwise."""
    if office is None:
        return None
    if office.pk == task.office_id:
        raise Refused("office-same", f"{name}不能是任务现在所在的处室。", field=field)
    if not other_offices(task, today).filter(pk=office.pk).exists():
        text = f"{name}须在本区划承担监管职责的部门内，并有可联系的处室管理员。"
        raise Refused("office-not-fit", text, field=field)
    return office


@transaction.atomic
def raise_dispute(
    task: SupervisionTask, *, reason: str, proposed_office: Office | None = None, by: User, now: dt.datetime
) -> Dispute:
    """Say that a task that was opened and not yet acknowledged is not the office's own; the overseers are told.

    Raises ``TransitionNotAllowed``, or ``Refused`` for the input and where the overseers have decided before.
    """
    task = SupervisionTask.objects.lock(task.pk)
    today = local_date(now)
    if refusal := why_not(task):
        raise refusal
    reason = seen(reason, "reason")
    if not reason:
        raise Refused("reason-missing", "请写明这件任务为什么不属本处室职责。", field="reason")
    proposed = _checked(task, proposed_office, "proposed_office", "建议的处室", today)
    division = task.office.department.division
    task.move(TaskStatus.DISPUTED)
    length = periods.load([KindCode.DISPUTE], division=division.pk).length(KindCode.DISPUTE, division.pk)
    clock = start_deadline(KindCode.DISPUTE, at=now, stream=task.stream, by=by, length=length)
    dispute = Dispute.objects.create(
        task=task, from_office=task.office, reason=reason, proposed_office=proposed, raised_by=by,
        raised_at=now, deadline=clock,
    )  # fmt: skip
    save_at(task, now)
    data = {"dispute": dispute.pk, "office": task.office_id, "proposed": proposed.pk if proposed else None}
    record_many([Draft(task.stream, TaskAct.DISPUTED, data, by)], at=now)
    due = f"{clock.due_on.month}月{clock.due_on.day}日"
    text = f"{task.office}提出监管任务{task.number}不属本处室职责，请在{due}前登录平台处理。"
    _tell(dispute, "raised", Kind.OVERSEER_ALARM, [(one, text) for one in division.overseers(today)], now)
    reach("dispute.before_commit")
    return dispute


@transaction.atomic
def decide_dispute(
    dispute: Dispute, *, outcome: str, reason: str, office: Office | None = None, by: User, now: dt.datetime
) -> Dispute:
    """Leave the task where it is, or send it to another office of the division, which is told as of a new task.

    Raises ``TransitionNotAllowed`` where a colleague was faster, ``Refused`` for the input.
    """
    task = SupervisionTask.objects.lock(dispute.task_id)
    dispute = Dispute.objects.select_related("deadline", "raised_by", "from_office").get(pk=dispute.pk)
    if dispute.outcome:
        raise TransitionNotAllowed(
            f"这件异议已处理为“{dispute.get_outcome_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    if outcome not in DisputeOutcome.values:
        raise Refused("outcome-missing", "请选择维持原派或者改派。", field="outcome")
    reassigned = outcome == DisputeOutcome.REASSIGNED
    chosen = _checked(task, office, "office", "改派的处室", local_date(now)) if reassigned else None
    if reassigned and chosen is None:
        raise Refused("office-missing", "改派须选择处室。", field="office")
    reason = seen(reason, "reason")
    if not reason:
        raise Refused("reason-missing", "请写明处理的理由。", field="reason")
    dispute.outcome, dispute.decision_reason = outcome, reason
    dispute.decided_office, dispute.decided_by, dispute.decided_at = chosen, by, now
    if dispute.deadline is not None and dispute.deadline.is_open:
        meet_deadline(dispute.deadline, at=now, by=by)
    if chosen is not None:
        _reassign(task, dispute, chosen, by, now)
    else:
        _confirm(task, dispute, by, now)
    dispute.save()
    reach("dispute.decided.before_commit")
    return dispute


def _confirm(task: SupervisionTask, dispute: Dispute, by: User, now: dt.datetime) -> None:
    """Back to where it was; its clock has run on."""
    task.move(TaskStatus.VIEWED)
    save_at(task, now)
    record_many([Draft(task.stream, TaskAct.CONFIRMED, {"dispute": dispute.pk}, by)], at=now)
    text = f"监管任务{task.number}经督办协调维持原派，签收期限照常计算，请登录平台签收。"
    _tell(dispute, "decided", Kind.TASK_NOTICE, [(one, text) for one in _concerned(dispute, now)], now)


def _reassign(task: SupervisionTask, dispute: Dispute, office: Office, by: User, now: dt.datetime) -> None:
    """To the right office, told anew; what the wrong one had of it falls away."""
    office = Office.objects.select_related("department__division").get(pk=office.pk)
    clock = task.acknowledge_deadline
    if clock is not None and clock.is_open:
        cancel_deadline(clock, at=now, reason="reassigned", by=by)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_OPENED.value, Kind.TASK_REMINDER.value])
    task.move(TaskStatus.NOTIFIED)
    task.office, task.department = office, office.department
    task.first_officer = task.second_officer = None
    task.viewed_at = task.viewed_by = None
    task.sms_sent_at = task.acknowledge_deadline = None
    task.round += 1
    save_at(task, now)
    drafts, told = opening_drafts([task], local_date(now))
    people, rung = told[task.pk]
    data = {
        "dispute": dispute.pk, "from_office": dispute.from_office_id, "office": office.pk, "round": task.round,
        "managers" if rung == "manager" else "people": [person.pk for person in people], "rung": rung,
    }  # fmt: skip
    record_many([Draft(task.stream, TaskAct.REASSIGNED, data, by)], at=now)
    text = f"监管任务{task.number}经督办协调已改派到{office}，不再由{dispute.from_office.name}办理。"
    _tell(dispute, "decided", Kind.TASK_NOTICE, [(one, text) for one in _concerned(dispute, now)], now)
    outbox.queue(drafts, now)


def _concerned(dispute: Dispute, now: dt.datetime) -> list[User]:
    """The managers of the office that objected, and who wrote the objection."""
    managers = by_office(Role.OFFICE_MANAGER, {dispute.from_office_id}, local_date(now))[dispute.from_office_id]
    return list(dict.fromkeys([*managers, dispute.raised_by]))


def _tell(dispute: Dispute, word: str, kind: Kind, told: list[tuple[User, str]], now: dt.datetime) -> None:
    outbox.queue(
        [
            outbox.Draft(
                kind=kind.value,
                text=text,
                dedupe_key=f"dispute_{word}:{dispute.pk}:{person.pk}",
                reference=reference_of(dispute.task_id),
                to_user=person,
            )
            for person, text in told
        ],
        now,
    )
