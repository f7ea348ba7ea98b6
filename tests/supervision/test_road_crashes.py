"""kill -9 at every marked point of the road from the task to the revoked licence: nothing half done; repeated, once.

The points of an order, its verdict and a proposal alone are in test_orders_crashes, those of old stock in test_stock.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from approvals.actions.licences import change_licence
from approvals.actions.revoking import decide_revocation, give_notice, give_notice_anew, hear_holder
from approvals.enums import DocumentKind, Door, RevocationStatus
from approvals.exceptions import Refused
from approvals.models import Document, Licence, LicenceChange, Revocation
from credit.models import CreditFact
from ledger.models import Draw, Entry
from notifications.models import Message
from supervision import actions, checklists
from supervision.actions import disputing, inspecting, ordering, proposing, visiting
from supervision.actions.drawing import PURPOSE, draw_plan
from supervision.enums import FindingKind, PaperKind, TaskEnd, TaskStatus
from supervision.models import (
    Dispute,
    DrawRun,
    Feedback,
    Inspection,
    Paper,
    Proposal,
    Rectification,
    SupervisionTask,
    TaskChange,
    Visit,
)
from tests import city as demo_city
from tests.approvals import revoking
from tests.conftest import Moment
from tests.supervision import disputing as objecting
from tests.supervision import drawing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision.crashing import dies, dies_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def test_from_the_finding_to_the_revoked_licence(town: None, clock: Moment, tmp_path: Path) -> None:
    """One promise from its inspection to the credit fact; every act dies once before it is done."""
    file, now = tmp_path / "point", clock.at
    task = field.ready(now, promise=True)
    by, _ = field.officers(task)
    asked = checklists.asked_of(task, checklists.current(task.sub_item))
    draft = field.draft(task, now, bad=next(one.name for one in asked if one.kind == FindingKind.CLAUSE))

    def inspect() -> Inspection:
        return inspecting.record_inspection(task, draft=draft, by=by, now=now)

    inspection = dies_once("inspection.before_commit", inspect, file)
    assert inspect() == inspection  # sent once more, as a phone does that heard no answer
    assert (Inspection.objects.count(), Paper.objects.filter(kind=PaperKind.INSPECTION).count()) == (1, 1)
    assert Visit.objects.get(task=task).status == "done"

    order = dies_once("order.before_commit", lambda: make.ordered(task, now), file)
    task.refresh_from_db()
    assert task.status == TaskStatus.IN_PROGRESS  # the order waits for the feedback

    actions.finish(task, finished_on=now.date(), by=by, now=now)
    clauses = ["nonconforming", *["conforming"] * (len(task.promise_clauses) - 1)]
    dies_once(
        "feedback.before_commit",
        lambda: actions.feed_back(task, result="nonconforming", clause_results=clauses, by=by, now=now, **make.FED),
        file,
    )
    task.refresh_from_db()
    assert (task.status, Feedback.objects.filter(task=task).count()) == (TaskStatus.RECTIFYING, 1)

    dies_once(
        "order_settled.before_commit",
        lambda: ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=now),
        file,
    )
    proposal = dies_once(
        "proposal.before_commit",
        lambda: proposing.propose(task, facts="责令后当面拒不整改。", keys=[f"order-{order.paper_id}"], by=by, now=now),
        file,
    )
    assert (Rectification.objects.count(), Proposal.objects.count(), Revocation.objects.count()) == (1, 1, 1)
    _revoked(Revocation.objects.get(pk=proposal.revocation_id), file, now)


def _revoked(one: Revocation, file: Path, now: dt.datetime) -> None:
    """From the proposal that has arrived to the end."""
    decider = revoking.decider(one.case)
    one = dies_once(
        "revocation_notice.before_commit",
        lambda: give_notice(one, ground="unqualified", facts=revoking.FACTS, days=5, by=decider, now=now),
        file,
    )
    one = _heard_twice(one, file, now)

    def decide() -> Revocation:
        return decide_revocation(one, revoke=True, **revoking.DECISION, by=decider, now=now)

    # Between the decision and its credit fact, and once more with everything done but the commit.
    dies("revocation.before_credit_fact", decide, file)
    dies_once("revocation.before_commit", decide, file)
    with pytest.raises(Refused):
        decide()
    one = Revocation.objects.select_related("licence", "document").get(pk=one.pk)
    licence = one.licence
    assert (one.status, one.revoke) == (RevocationStatus.DECIDED, True)
    assert (licence.state, licence.deregistered_on) == (Licence.State.REVOKED, now.date())
    assert list(LicenceChange.objects.values_list("kind", flat=True)) == ["revocation", "deregistration"]
    assert list(Document.objects.filter(kind=DocumentKind.REVOCATION)) == [one.document]
    assert one.document is not None
    assert {(fact.kind, fact.source) for fact in CreditFact.objects.all()} == {
        ("revoked", one.document.number), ("broken_promise", one.document.number)
    }  # fmt: skip
    task = SupervisionTask.objects.get(number=one.source_number)
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.REVOKED)
    assert Entry.objects.filter(stream=task.stream, act="task.closed").count() == 1


def _heard_twice(one: Revocation, file: Path, now: dt.datetime) -> Revocation:
    """A hearing is asked for, another notice takes the place of the first, the holder renounces."""
    decider = revoking.decider(one.case)

    def hear(wish: str, **said: str) -> Revocation:
        return dies_once(  # type: ignore[no-any-return]
            "revocation_heard.before_commit",
            lambda: hear_holder(one, text="测量有误。", wish=wish, by=decider, door=Door.WINDOW, now=now, **said),
            file,
        )

    one = hear("ask")
    assert (one.deadline.state, one.hearing_asked_at) == ("paused", now)
    first = one.notice
    assert first is not None
    one = dies_once(
        "revocation_notice_anew.before_commit",
        lambda: give_notice_anew(
            one, replaces=first.number, ground="unqualified", facts="另查明面积不符。", days=5, by=decider, now=now
        ),
        file,
    )
    assert (revoking.fresh(one).deadline.state, one.hearing_asked_at) == ("running", None)
    assert Document.objects.filter(kind=DocumentKind.REVOCATION_NOTICE).count() == 2
    one = hear("waive", waiver="书面放弃。")
    assert (one.status, one.statement) == (RevocationStatus.HEARD, "测量有误。\n\n测量有误。")
    return one


def test_the_acts_beside_the_road(town: None, clock: Moment, tmp_path: Path) -> None:
    """Bulk acknowledgement, an objection and its answers, a visit, a change of the licence, a draw."""
    file, now = tmp_path / "point", clock.at
    _acknowledged(file, now)
    _sent_on(file, now)
    _visited(file, now)
    _suspended(file, now)
    _drawn(file, now)


def _acknowledged(file: Path, now: dt.datetime) -> None:
    two = [objecting.viewed(now), objecting.viewed(now)]
    by = objecting.manager(two[0], now.date())
    tasks = SupervisionTask.objects.filter(pk__in=[one.pk for one in two])
    dies_once(
        "acknowledge_many.before_commit",
        lambda: actions.acknowledge_many(two, measure="off_site", planned_finish_on=now.date(), by=by, now=now),
        file,
    )
    assert list(tasks.values_list("status", flat=True)) == [TaskStatus.ACKNOWLEDGED] * 2
    assert Entry.objects.filter(act="task.acknowledged").count() == 2


def _sent_on(file: Path, now: dt.datetime) -> None:
    task = objecting.viewed(now)
    by, office = objecting.manager(task, now.date()), objecting.elsewhere(task, now.date())
    overseer = task.department.division.overseers(now.date())[0]
    dispute = dies_once(
        "dispute.before_commit",
        lambda: disputing.raise_dispute(task, reason="不属。", proposed_office=office, by=by, now=now),
        file,
    )

    def decide(outcome: str) -> Dispute:
        chosen = office if outcome == "reassigned" else None
        return disputing.decide_dispute(dispute, outcome=outcome, reason="协调。", office=chosen, by=overseer, now=now)

    dies("dispute.decided.before_commit", lambda: decide("confirmed"), file)
    dies_once("dispute.decided.before_commit", lambda: decide("reassigned"), file)
    task.refresh_from_db()
    assert (task.status, task.office, task.round) == (TaskStatus.NOTIFIED, office, 2)
    assert Dispute.objects.get().outcome == "reassigned"


def _visited(file: Path, now: dt.datetime) -> None:
    """Asked for, granted, and taken back."""
    task = field.acknowledged(now)
    by, head = make.manager(task), make.head(task)
    visit = dies_once(
        "visit.before_commit",
        lambda: visiting.request_visit(task, purpose="核查设备", planned_on=now.date(), by=by, now=now),
        file,
    )
    dies_once("visit_settled.before_commit", lambda: visiting.settle_visit(visit, approve=True, by=head, now=now), file)
    assert Visit.objects.get(task=task).status == "approved"
    dies_once(
        "visit_cancelled.before_commit",
        lambda: visiting.cancel_visit(visit, reason="改为非现场检查。", by=by, now=now),
        file,
    )
    assert Visit.objects.get(task=task).status == "cancelled"
    keys = [f"visit_{word}:{visit.pk}:" for word in ("requested", "settled", "cancelled")]
    assert all(Message.objects.filter(dedupe_key__startswith=key).exists() for key in keys)


def _suspended(file: Path, now: dt.datetime) -> None:
    licence = revoking.licensed(now)
    by = revoking.decider(licence.case)
    dies_once(
        "licence_change.before_commit",
        lambda: change_licence(licence, kind="suspension", basis="行政许可法第八条", reason="中止。", by=by, now=now),
        file,
    )
    licence.refresh_from_db()
    assert (licence.state, LicenceChange.objects.count()) == (Licence.State.SUSPENDED, 1)
    open_tasks = SupervisionTask.objects.open().filter(licence=licence)
    told = TaskChange.objects.order_by("task").values_list("task", flat=True)
    assert list(told) == list(open_tasks.order_by("pk").values_list("pk", flat=True))


def _drawn(file: Path, now: dt.datetime) -> None:
    before = SupervisionTask.objects.count()
    drawing.inspectors(3)
    drawing.holders({"D": 4}, now)
    plan = drawing.published(now)
    run = dies_once("inspection_draw.before_commit", lambda: draw_plan(plan, by=drawing.manager(), now=now), file)
    assert (DrawRun.objects.get(), Draw.objects.filter(purpose=PURPOSE).count()) == (run, 1)
    assert SupervisionTask.objects.count() - before == run.drawn.count() >= 4
