"""Short ways to a task that may be inspected, and to what the phone sends."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from offices.models import Posting, User
from supervision import actions, checklists
from supervision.actions import inspecting, visiting
from supervision.actions.inspecting import FindingDraft, InspectionDraft
from supervision.enums import InspectionKind
from supervision.models import Inspection, Rectification, SupervisionTask
from tests.approvals import play
from tests.approvals.window import JPEG, PNG
from tests.situations import situation
from tests.supervision import tasks as some

__all__ = ("JPEG", "PNG")


@situation
def acknowledged(now: dt.datetime, measure: str = "on_site", *, promise: bool = False) -> SupervisionTask:
    """A task taken by its manager with ``measure``."""
    task = some.promised(now) if promise else some.notified(now)
    by = play.person(some.manager_of(task))
    actions.view_task(task, by=by, now=now)
    planned = timezone.localtime(now).date() + dt.timedelta(days=5)
    return actions.acknowledge(
        task, measure=measure, planned_finish_on=planned, by=by, now=now,
        measure_with="市场监管双随机计划" if measure in {"random_draw", "combined"} else "",
    )  # fmt: skip


def approve_visit(task: SupervisionTask, now: dt.datetime) -> None:
    """Ask for a visit today and let the head of the department approve it."""
    today = timezone.localtime(now).date()
    by = play.person(some.manager_of(task))
    exemption = "" if visiting.room_for(task, today.year).left else "投诉举报线索"
    visit = visiting.request_visit(
        task, purpose="核查许可条件保持情况", planned_on=today, exemption=exemption, by=by, now=now
    )
    head = task.office.department.heads(today)[0]
    visiting.settle_visit(visit, approve=True, by=head, now=now)


@situation
def ready(now: dt.datetime, *, promise: bool = False) -> SupervisionTask:
    """A task with an approved visit today."""
    task = acknowledged(now, promise=promise)
    approve_visit(task, now)
    return task


def officers(task: SupervisionTask) -> tuple[User, User]:
    """The two to whom the task was given, or manager and deputy of its office."""
    task = SupervisionTask.objects.select_related("first_officer", "second_officer").get(pk=task.pk)
    if task.first_officer and task.second_officer:
        return task.first_officer, task.second_officer
    manager = some.manager_of(task)
    return play.person(manager), play.person(f"{manager}fu")


def inspector(task: SupervisionTask, username: str = "zhifa1") -> User:
    """A new inspector of the task's office."""
    person: User = User.objects.create_user(username=username, full_name="周执法", password="Lianyungang-2026")
    office = task.office
    Posting.objects.create(
        user=person, department=office.department, office=office, role=Posting.Role.INSPECTOR,
        starts_on=dt.date(2026, 1, 1),
    )  # fmt: skip
    return person


def sheet(task: SupervisionTask, now: dt.datetime, **changes: Any) -> dict[str, Any]:
    """What the form sends: everything 符合, half an hour until now. ``bad`` = name of a finding that is 不符合.

    It begins neither before the task nor, on the spot, before the visit was approved.
    """
    bad, order = changes.pop("bad", ""), changes.pop("order", None)
    version = checklists.current(task.sub_item)
    first, second = officers(task)
    local = timezone.localtime(now)
    visit = None if changes.get("off_site") else visiting.open_visit(task)
    first_moment = visit.settled_at if visit and visit.settled_at else task.opened_at
    data: dict[str, Any] = {
        "client_key": str(uuid.uuid4()),
        "checklist_version": str(version.number),
        "place": "海州区花果山大道1号",
        "began_at": f"{max(local - dt.timedelta(minutes=30), timezone.localtime(first_moment)):%Y-%m-%dT%H:%M}",
        "ended_at": f"{local:%Y-%m-%dT%H:%M}",
        "first_officer": str(first.pk),
        "second_officer": str(second.pk),
        "showed_identity": "on",
        "identity_numbers": "苏0700001、苏0700002",
        "summary": "到场核对，台账齐全。",
        "result": "nonconforming" if bad else "conforming",
        "signer": "王负责",
        "confirmed": "on",
    }
    for one in checklists.asked_of(task, version, order):
        data[one.name] = "nonconforming" if one.name == bad else "conforming"
        data[f"{one.name}-words"] = "消防通道被堵" if one.name == bad else ""
    return data | changes


def names(task: SupervisionTask) -> list[str]:
    """The names of everything that has to be found out."""
    return [one.name for one in checklists.asked_of(task, checklists.current(task.sub_item))]


def draft(task: SupervisionTask, now: dt.datetime, **changes: Any) -> InspectionDraft:
    """A draft as the action takes it: everything 符合, now. ``bad`` as above."""
    bad, order = changes.pop("bad", ""), changes.pop("order", None)
    version = checklists.current(task.sub_item)
    first, second = officers(task)
    findings = [
        FindingDraft(
            one.kind.value, one.key, *(("nonconforming", "消防通道被堵") if one.name == bad else ("conforming",))
        )
        for one in checklists.asked_of(task, version, order)
    ]
    known: dict[str, Any] = {
        "client_key": uuid.uuid4(), "checklist_version": version.number, "place": "海州区花果山大道1号",
        "began_at": now, "ended_at": now, "first_officer": first.pk, "second_officer": second.pk,
        "showed_identity": True,
        "identity_numbers": "苏0700001、苏0700002", "findings": findings, "summary": "到场核对。",
        "result": "nonconforming" if bad else "conforming", "signer": "王负责", "confirmed": True,
        "kind": InspectionKind.AGAIN if order else InspectionKind.FIRST,
    }  # fmt: skip
    return InspectionDraft(**(known | changes))


def inspected(task: SupervisionTask, now: dt.datetime, **changes: Any) -> Inspection:
    """Record an inspection by the manager."""
    by = officers(task)[0]
    return inspecting.record_inspection(task, draft=draft(task, now, **changes), by=by, now=now)


@situation
def ordered(now: dt.datetime) -> Rectification:
    """A running order to mend, from an inspection that found the first point 不符合."""
    from supervision.actions.ordering import order_rectification

    task = ready(now)
    inspected(task, now, bad=names(task)[0])
    due = timezone.localtime(now).date() + dt.timedelta(days=10)
    return order_rectification(
        task, facts="消防通道被堵", basis="《中华人民共和国消防法》第二十八条",
        demands="清除堵塞物", consequence="逾期不改的依法处理",
        due_on=due, by=officers(task)[0], now=now,
    )  # fmt: skip
