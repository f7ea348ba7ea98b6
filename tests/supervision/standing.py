"""Tasks and what hangs on them in any state, through the real actions; each call goes on from a notified task."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from approvals.actions.licences import change_licence
from approvals.actions.revoking import decide_revocation, give_notice, hear_holder, plan_hearing, record_hearing
from approvals.enums import Door
from approvals.models import Licence, Revocation
from deadlines import calendar as working_calendar
from deadlines.clock import local_date
from offices.models import Posting, User
from supervision import actions, checklists
from supervision.actions import correcting, disputing, handing_over, inspecting, ordering, proposing, visiting
from supervision.actions.drawing import draw_plan
from supervision.actions.inspecting import FindingDraft, InspectionDraft
from supervision.enums import FindingKind, InspectionKind, OffSite, Result
from supervision.enums import TaskStatus as S
from supervision.models import Dispute, DrawPlan, Inspection, Proposal, Rectification, SetAside, SupervisionTask, Visit
from tests.approvals import revoking
from tests.supervision import drawing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision.disputing import elsewhere

LETTER = {"to_name": "市综合行政执法支队", "facts": "超范围经营。", "basis": "《无证无照经营查处办法》第五条"}
RECEIPT = {"number": "回1号"}
KEY = uuid.UUID(int=7)


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands in a state: the task, the row whose state it is, and the moment at which it is looked at."""

    task: SupervisionTask
    row: Any
    at: dt.datetime


@contextmanager
def undone() -> Iterator[None]:
    """Everything within is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fresh(task: SupervisionTask) -> SupervisionTask:
    """As it stands."""
    return SupervisionTask.objects.select_related("office__department", "sub_item", "case").get(pk=task.pk)


def look(
    task: SupervisionTask, now: dt.datetime, result: str = Result.NONCONFORMING, *, again: bool = False,
    key: uuid.UUID | None = None,
) -> InspectionDraft:  # fmt: skip
    """A record of an off-site inspection: its first point is as ``result``, everything else 符合."""
    order = inspecting.running_order(task) if again else None
    version = checklists.current(task.sub_item)
    asked = checklists.asked_of(task, version, order)
    findings = [
        FindingDraft(one.kind, one.key, result if n == 0 else Result.CONFORMING, "" if n else "与规定不符。")
        for n, one in enumerate(asked)
    ]
    return InspectionDraft(
        client_key=key or uuid.uuid4(), checklist_version=version.number,
        kind=InspectionKind.AGAIN if again else InspectionKind.FIRST, off_site=OffSite.DOCUMENTS, place="调阅资料",
        began_at=now, ended_at=now, first_officer=fresh(task).first_officer_id or make.manager(task).pk,
        findings=findings, result=result,
        summary="已核对资料。",
    )  # fmt: skip


def as_json(draft: InspectionDraft) -> dict[str, Any]:
    """A draft as the API takes it."""
    said = asdict(draft) | {"client_key": str(draft.client_key), "photos": []}
    for name in ("began_at", "ended_at"):
        said[name] = said[name].isoformat()
    for finding in said["findings"]:
        finding["kind"] = FindingKind(finding["kind"]).value
    return said


def record(task: SupervisionTask, now: dt.datetime, **said: Any) -> Inspection:
    """Record it by the manager."""
    return inspecting.record_inspection(task, draft=look(task, now, **said), by=make.manager(task), now=now)


# --- the task


def viewed(task: SupervisionTask, now: dt.datetime) -> SupervisionTask:
    """Opened by its manager."""
    return actions.view_task(task, by=make.manager(task), now=now)


def taken(task: SupervisionTask, now: dt.datetime, measure: str = "combined") -> SupervisionTask:
    """签收: with 综合查一次 it may be looked at on site and off site."""
    day = now.date() + dt.timedelta(days=20)
    return actions.acknowledge(
        viewed(task, now), measure=measure, measure_with="九月联合检查", planned_finish_on=day, by=make.manager(task),
        now=now,
    )  # fmt: skip


def finished(task: SupervisionTask, now: dt.datetime, result: str | None = Result.NONCONFORMING) -> SupervisionTask:
    """With a record that found ``result``, or none."""
    task = taken(task, now)
    if result is not None:
        record(task, now, result=result)
    return actions.finish(task, finished_on=now.date(), by=make.manager(task), now=now)


def fed_back(task: SupervisionTask, now: dt.datetime, result: str | None = Result.NONCONFORMING) -> SupervisionTask:
    """With ``result`` fed back; none: 符合."""
    task = finished(task, now, result)
    said = result or Result.CONFORMING
    return actions.feed_back(task, result=said, by=make.manager(task), now=now, **make.FED)


def ordered(task: SupervisionTask, now: dt.datetime, days: int = 30) -> Rectification:
    """An order of a task whose record found 不符合."""
    return make.ordered(fresh(task), now, days=days)


def refused(task: SupervisionTask, now: dt.datetime) -> Rectification:
    """An order that the subject refuses to follow."""
    order = ordering.newest(task) or ordered(task, now)
    return ordering.settle_order(
        order, outcome="refused", reason="负责人当面拒绝整改。", by=make.manager(task), now=now
    )


def handed(task: SupervisionTask, now: dt.datetime) -> SupervisionTask:
    """Handed over to penalty."""
    to, facts, basis = LETTER.values()
    handing_over.hand_over(task, to_name=to, facts=facts, basis=basis, by=make.manager(task), now=now)
    return fresh(task)


def order_key(task: SupervisionTask) -> str:
    """The key of the newest order among the evidence."""
    order = ordering.newest(task)
    return f"order-{order.paper_id}" if order else "order-0"


def proposed(task: SupervisionTask, now: dt.datetime) -> Proposal:
    """From a notified task to the proposal to revoke its licence."""
    fed_back(task, now)
    refused(task, now)
    keys = [one["key"] for one in proposing.evidence_of(task)]
    return proposing.propose(task, facts="责令后当面拒不整改。", keys=keys, by=make.manager(task), now=now)


def task_in(task: SupervisionTask, status: str, family: str, now: dt.datetime) -> Stand:
    """The task in a state; ``family``: ``bad`` (不符合), ``fair`` (基本符合)."""
    fair = family == "fair"
    roads: dict[str, Callable[[], object]] = {
        S.NOTIFIED: lambda: None,
        S.VIEWED: lambda: viewed(task, now),
        S.DISPUTED: lambda: dispute(task, now),
        S.ACKNOWLEDGED: lambda: taken(task, now),
        S.IN_PROGRESS: lambda: record(taken(task, now), now, result=Result.NONCONFORMING),
        S.FINISHED: lambda: finished(task, now),
        S.FED_BACK: lambda: fed_back(task, now, Result.BASICALLY if fair else Result.NONCONFORMING),
        S.RECTIFYING: lambda: (fed_back(task, now), ordered(task, now)),
        S.HANDED_OVER: lambda: handed(fed_back(task, now), now),
        S.REVOCATION: lambda: proposed(task, now),
        S.CLOSED: lambda: fed_back(task, now, Result.CONFORMING),
    }
    roads[status]()
    row = fresh(task)
    assert row.status == status
    return Stand(row, row, now)


def finding_in(task: SupervisionTask, result: str, where: str, now: dt.datetime) -> Stand:
    """The newest record found ``result`` (or nothing was looked at), the task is at ``where``."""
    found = None if result == "none" else result
    if where == S.IN_PROGRESS:
        taken(task, now)
        if found:
            record(task, now, result=found, key=KEY)
    else:
        (finished if where == S.FINISHED else fed_back)(task, now, found)
    row = fresh(task)
    return Stand(row, row, now)


def withdraw(task: SupervisionTask, now: dt.datetime) -> None:
    """The approval side withdraws the licence of the task."""
    assert task.licence is not None
    assert task.case is not None
    by = revoking.decider(task.case)
    change_licence(task.licence, kind="withdrawal", basis="行政许可法第八条", reason="情况变化", by=by, now=now)


def order_in(task: SupervisionTask, status: str, family: str, now: dt.datetime) -> Stand:
    """An order in a state; its task is 整改中, or closed where it was mended. Looked at when its day is over."""
    fed_back(task, now)
    order = ordered(task, now, days=3 if status == "not_mended" else 30)
    later = now + dt.timedelta(days=10)
    by = make.manager(task)
    if status in {"mended", "not_mended"}:
        found = Result.CONFORMING if status == "mended" else Result.NONCONFORMING
        record(fresh(task), later, result=found, again=True)
    if status == "lapsed":
        withdraw(fresh(task), later)
        actions.close_for_licence(task, reason="证照已由审批部门撤回。", by=by, now=later)
    elif status != "running":
        ordering.settle_order(order, outcome=status, reason="负责人当面拒绝，见复查记录。", by=by, now=later)
    return Stand(fresh(task), Rectification.objects.get(pk=order.pk), later + dt.timedelta(hours=1))


def ask_visit(task: SupervisionTask, now: dt.datetime) -> Visit:
    """Asked for today."""
    return visiting.request_visit(
        task, purpose="核查许可条件", planned_on=now.date(), exemption="投诉举报线索", by=make.manager(task), now=now
    )


def aside(task: SupervisionTask, now: dt.datetime) -> SetAside:
    """A request that the first record count no more, refused by the head."""
    reason, answer = "怀疑查错了对象，请核对照片。", "经核对照片，对象没有错误。"
    asked = correcting.ask_set_aside(task, record=1, reason=reason, by=make.manager(task), now=now)
    return correcting.settle_set_aside(asked, grant=False, answer=answer, by=make.head(task), now=now)


def visit_in(task: SupervisionTask, status: str, family: str, now: dt.datetime) -> Stand:
    """A visit in a state."""
    task = taken(task, now, "on_site")
    visit = ask_visit(task, now)
    by, head = make.manager(task), make.head(task)
    if status in {"approved", "done"}:
        visiting.settle_visit(visit, approve=True, by=head, now=now)
    if status == "refused":
        visiting.settle_visit(visit, approve=False, reason="不必入企", by=head, now=now)
    if status == "cancelled":
        visiting.cancel_visit(visit, reason="改期", by=by, now=now)
    if status == "done":
        inspecting.record_inspection(task, draft=field.draft(task, now), by=by, now=now)
    row = Visit.objects.get(pk=visit.pk)
    assert row.status == status
    return Stand(fresh(task), row, now)


def dispute(task: SupervisionTask, now: dt.datetime) -> Dispute:
    """The office says that it is not its own."""
    return disputing.raise_dispute(viewed(task, now), reason="属另一部门职责。", by=make.manager(task), now=now)


def dispute_in(task: SupervisionTask, state: str, family: str, now: dt.datetime) -> Stand:
    """An objection in a state."""
    raised = dispute(task, now)
    overseer = Posting.objects.filter(role="overseer", department__division__code="320700").order_by("pk")[0].user
    if state != "open":
        office = elsewhere(task, now.date()) if state == "reassigned" else None
        disputing.decide_dispute(raised, outcome=state, reason="依职责分工。", office=office, by=overseer, now=now)
    return Stand(fresh(task), Dispute.objects.get(pk=raised.pk), now)


# --- the approval side


def decider(one: Revocation) -> User:
    """A decider of the office who did not decide the case."""
    return revoking.decider(one.case)


def hearing_planned(one: Revocation, now: dt.datetime) -> dt.datetime:
    """Ask for a hearing, plan it with the head in the chair; return a moment on its day."""
    hear_holder(one, text="", wish="ask", by=None, door=Door.PUBLIC, now=now)
    day = working_calendar.estimating().after(local_date(now), 8)
    chair = revoking.chair_of(one)
    plan_hearing(one, on=day, place="政务服务中心三楼", chair=chair, by=decider(one), now=now)
    return now + (day - local_date(now)) + dt.timedelta(hours=5)


def revocation_in(task: SupervisionTask, status: str, family: str, now: dt.datetime) -> Stand:
    """A proposal to revoke. ``family``: ``told``, ``asked`` (a hearing), ``planned``, ``lapsed`` (nobody answered)."""
    one = proposed(task, now).revocation
    if status != "received":
        give_notice(one, ground="unqualified", facts="责令后当面拒不整改。", days=5, by=decider(one), now=now)
        one = revoking.fresh(one)
        if family == "asked" and status == "noticed":
            hear_holder(one, text="", wish="ask", by=None, door=Door.PUBLIC, now=now)
        if family == "planned":
            now = hearing_planned(one, now)
        if family == "lapsed" and status == "noticed":
            now += dt.timedelta(days=20)
    if status in {"heard", "decided"}:
        if family == "planned":
            record_hearing(one, record="双方到场。", by=revoking.chair_of(one), now=now)
        else:
            waived = {"text": "", "wish": "waive", "waiver": "书面放弃。"}
            hear_holder(one, **waived, by=decider(one), door=Door.WINDOW, now=now)
    if status == "decided":
        decide_revocation(one, revoke=True, **revoking.DECISION, by=decider(one), now=now)
    row = revoking.fresh(one)
    assert row.status == status
    return Stand(fresh(task), row, now)


def licence_in(task: SupervisionTask, state: str, family: str, now: dt.datetime) -> Stand:
    """The licence of the task in a state; it says until when it is valid."""
    licence = task.licence
    assert licence is not None
    assert task.case is not None
    Licence.objects.filter(pk=licence.pk).update(valid_to=now.date() + dt.timedelta(days=300))
    kinds = {"suspended": "suspension", "withdrawn": "withdrawal", "deregistered": "deregistration"}
    if state in kinds:
        by = revoking.decider(task.case)
        change_licence(licence, kind=kinds[state], basis="行政许可法", reason="情况变化", by=by, now=now)
    if state == "revoked":
        revocation_in(task, "decided", "told", now)
    row = Licence.objects.get(pk=licence.pk)
    assert row.state == state
    return Stand(fresh(task), row, now)


# --- the draw


def draw_in(task: SupervisionTask, state: str, family: str, now: dt.datetime) -> Stand:
    """A plan of the first linked office, with ten holders; ``task`` is not of it."""
    drawing.holders({"A": 10}, now)
    plan = drawing.planned(now) if state == "draft" else drawing.published(now)
    if state == "drawn":
        draw_plan(plan, by=drawing.manager(), now=now)
    return Stand(task, DrawPlan.objects.get(pk=plan.pk), now)


def state_of(row: Any) -> str:
    """In which state a row is now."""
    row = type(row).objects.get(pk=row.pk)
    if isinstance(row, DrawPlan):
        return "drawn" if row.is_drawn else "published" if row.is_published else "draft"
    if isinstance(row, Licence):
        return str(row.state)
    if isinstance(row, Dispute):
        return row.outcome or "open"
    return str(row.status)
