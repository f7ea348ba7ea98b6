"""Short ways to bring a task to an order to mend and beyond, through the real actions."""

from __future__ import annotations

import datetime as dt
import uuid

from offices.models import Posting, User
from supervision import actions, checklists
from supervision.actions import ordering
from supervision.actions.inspecting import FindingDraft, InspectionDraft, record_inspection, running_order
from supervision.enums import InspectionKind, OffSite, Result
from supervision.models import Inspection, Rectification, SupervisionTask
from tests.approvals import play
from tests.situations import situation
from tests.supervision import tasks as some

ORDER = {
    "facts": "1．承诺内容：与实际不符。", "basis": "《公共场所卫生管理条例》第七条", "demands": "1．立即改正。",
    "consequence": "逾期不改正的，依法处理。",
}  # fmt: skip
FED = {"text": "检查发现问题。", "platform": "internet_plus", "platform_number": "JG-1"}


def manager(task: SupervisionTask) -> User:
    """The task's manager."""
    return play.person(some.manager_of(task))


def head(task: SupervisionTask) -> User:
    """A head of the task's department."""
    return Posting.objects.filter(role="department_head", department=task.department).order_by("pk")[0].user


def draft(
    task: SupervisionTask, now: dt.datetime, *, bad: bool, kind: str = InspectionKind.FIRST, wrong: str = ""
) -> InspectionDraft:  # fmt: skip
    """An off-site inspection until ``now``; where ``bad``, ``wrong`` is 不符合 (else the first clause, or point)."""
    task.refresh_from_db()
    order = running_order(task) if kind == InspectionKind.AGAIN else None
    asked = checklists.asked_of(task, checklists.current(task.sub_item), order)
    wrong = wrong or next((one for one in asked if one.kind == "clause"), asked[0]).name
    findings = [
        FindingDraft(one.kind, one.key, Result.NONCONFORMING, "与承诺不符。")
        if bad and one.name == wrong
        else FindingDraft(one.kind, one.key, Result.CONFORMING)
        for one in asked
    ]
    return InspectionDraft(
        client_key=uuid.uuid4(), checklist_version=checklists.current(task.sub_item).number, kind=kind,
        off_site=OffSite.DOCUMENTS, place="调阅资料", began_at=now - dt.timedelta(hours=1), ended_at=now,
        first_officer=task.first_officer_id or manager(task).pk, findings=findings,
        result=Result.NONCONFORMING if bad else Result.CONFORMING, summary="已核对资料。",
    )  # fmt: skip


def look(
    task: SupervisionTask, now: dt.datetime, *, bad: bool, kind: str = InspectionKind.FIRST, wrong: str = ""
) -> Inspection:  # fmt: skip
    """Record it."""
    made = draft(task, now, bad=bad, kind=kind, wrong=wrong)
    return record_inspection(task, draft=made, by=manager(task), now=now)


@situation
def faulty(now: dt.datetime, *, promise: bool = False, planned: int = 0) -> SupervisionTask:
    """A task in 检查中 whose inspection found 不符合; its planned day is ``planned`` days from now."""
    task = some.promised(now) if promise else some.notified(now)
    by = manager(task)
    task = actions.view_task(task, by=by, now=now)
    day = now.date() + dt.timedelta(days=planned)
    task = actions.acknowledge(task, measure="off_site", planned_finish_on=day, by=by, now=now)
    later = now + dt.timedelta(hours=2)
    look(task, later, bad=True)
    task.refresh_from_db()
    return task


def fed_back(task: SupervisionTask, now: dt.datetime, result: str = "nonconforming") -> SupervisionTask:
    """Finish the check and feed its result back."""
    by = manager(task)
    task.refresh_from_db()
    task = actions.finish(task, finished_on=now.date(), by=by, now=now)
    clauses = [result if n == 0 else "conforming" for n in range(len(task.promise_clauses))]
    return actions.feed_back(task, result=result, clause_results=clauses, by=by, now=now, **FED)


def ordered(task: SupervisionTask, now: dt.datetime, days: int = 10) -> Rectification:
    """An order with ``days`` days to mend."""
    due = now.date() + dt.timedelta(days=days)
    return ordering.order_rectification(task, **ORDER, due_on=due, by=manager(task), now=now)


def unmended(now: dt.datetime, *, promise: bool = True) -> tuple[SupervisionTask, Rectification]:
    """A task in 整改中 whose order was refused."""
    task = faulty(now, promise=promise)
    at = now + dt.timedelta(hours=3)
    fed_back(task, at)
    order = ordered(task, at)
    order = ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=manager(task), now=at)
    task.refresh_from_db()
    return task, order
