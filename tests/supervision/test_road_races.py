"""Two people at one thing, one after the other's act and before its commit, either way round: one lawful state each.

Nothing that was read before a wait is believed after it; nobody waits for whoever waits for him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest
from django.db import connection

from approvals.actions.licences import change_licence
from approvals.actions.revoking import decide_revocation, give_notice, hear_holder, plan_hearing
from approvals.enums import DocumentKind, Door, RevocationStatus
from approvals.models import Document, Licence, LicenceChange, Revocation
from approvals.notices import Kind
from catalogue.models import SupervisionSubItem
from credit.models import CreditFact
from deadlines.models import Deadline
from ledger.models import Draw, Entry
from notifications.models import Message
from offices.models import Posting, User
from supervision import actions
from supervision.actions import disputing, inspecting, ordering, proposing
from supervision.actions.drawing import PURPOSE, change_plan, draw_plan, publish_plan
from supervision.actions.feedback import close_for_licence
from supervision.enums import PaperKind, TaskAct, TaskEnd, TaskStatus
from supervision.models import (
    Dispute,
    DrawnSubject,
    DrawPlan,
    DrawRun,
    Inspection,
    Paper,
    Proposal,
    Rectification,
    SupervisionTask,
    TaskChange,
    Visit,
)
from supervision.sampling import set_rule
from tests import city as demo_city
from tests.approvals import revoking
from tests.conftest import Moment
from tests.supervision import disputing as objecting
from tests.supervision import drawing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import tasks as some
from tests.supervision.crashing import books_are_right
from tests.supervision.racing import Act, behind, together

pytestmark = pytest.mark.django_db(transaction=True)
CLASH = "state-conflict"


@pytest.fixture
def town(transactional_db: None) -> Iterator[None]:
    demo_city.load()
    yield
    books_are_right()


def each_way(make_pair: Callable[[], tuple[Act, Act]]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Both orders, each on a fresh pair: which act came first, and what each of the two (in the pair's order) heard."""
    for first, second in permutations((0, 1)):
        pair = make_pair()
        said = behind(pair[first], pair[second])
        yield first, (said[first], said[second])


# --- the approval side


def told_and_waived(now: dt.datetime) -> Revocation:
    """A proposal of supervision, its holder told, nothing more to wait for."""
    one = told(now)
    by = revoking.decider(one.case)
    return hear_holder(one, text="", wish="waive", waiver="书面放弃。", by=by, door=Door.WINDOW, now=now)


def told(now: dt.datetime) -> Revocation:
    """A proposal of supervision, its holder told."""
    task, order = make.unmended(now)
    keys = [f"order-{order.paper_id}"]
    proposal = proposing.propose(task, facts="责令后当面拒不整改。", keys=keys, by=make.manager(task), now=now)
    one = Revocation.objects.get(pk=proposal.revocation_id)
    by = revoking.decider(one.case)
    return give_notice(one, ground="unqualified", facts=revoking.FACTS, days=5, by=by, now=now)


def two_deciders(one: Revocation) -> tuple[User, User]:
    first = revoking.decider(one.case)
    return first, revoking.decider(one.case, first)


def test_two_deciders_of_one_revocation(town: None, clock: Moment) -> None:
    """One revokes, one does not: whoever is first has decided, and everything of that one decision stands."""
    now = clock.at

    def pair() -> tuple[Act, Act]:
        one = told_and_waived(now)
        yes, no = two_deciders(one)
        return (
            lambda: decide_revocation(one, revoke=True, **revoking.DECISION, by=yes, now=now),
            lambda: decide_revocation(one, revoke=False, reason="持证人已自行改正到位。", by=no, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", CLASH), (CLASH, "done"))[first]
        decided_once(Revocation.objects.order_by("-pk")[0], revoke=first == 0)
    yes, no = pair()
    said_at_once = together(yes, no)
    assert sorted(said_at_once) == ["done", CLASH]
    decided_once(Revocation.objects.order_by("-pk")[0], revoke=said_at_once[0] == "done")


def decided_once(one: Revocation, *, revoke: bool) -> None:
    assert (one.status, one.revoke) == (RevocationStatus.DECIDED, revoke)
    licence = one.licence
    assert licence.state == (Licence.State.REVOKED if revoke else Licence.State.VALID)
    assert (licence.deregistered_on is not None) is revoke
    assert LicenceChange.objects.filter(licence=licence).count() == (2 if revoke else 0)
    facts = CreditFact.objects.filter(source=one.document.number if one.document else "")
    assert facts.count() == (2 if revoke else 0)
    papers = Document.objects.filter(case=one.case, kind__in=[DocumentKind.REVOCATION, DocumentKind.NO_REVOCATION])
    assert list(papers) == [one.document]
    task = SupervisionTask.objects.get(number=one.source_number)
    assert (task.status, task.end) == (TaskStatus.CLOSED, TaskEnd.REVOKED if revoke else TaskEnd.NOT_REVOKED)
    assert Entry.objects.filter(stream=task.stream, act=TaskAct.CLOSED).count() == 1
    assert Message.objects.filter(reference=one.stream, kind=Kind.HOLDER_DECIDED.value).count() == 1


def test_the_holder_asks_for_a_hearing_and_waives_it(town: None, clock: Moment) -> None:
    """Through two doors at once: waived it is over; asked first, the waiver ends what the request had started."""
    now = clock.at

    def pair() -> tuple[Act, Act]:
        one = told(now)
        by = revoking.decider(one.case)
        return (
            lambda: hear_holder(one, text="", wish="ask", by=None, door=Door.PUBLIC, now=now),
            lambda: hear_holder(one, text="", wish="waive", waiver="当面签署。", by=by, door=Door.WINDOW, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "done"), (CLASH, "done"))[first]
        one = revoking.fresh(Revocation.objects.order_by("-pk")[0])
        assert (one.status, one.hearing_asked_at is not None) == (RevocationStatus.HEARD, first == 0)
        assert one.deadline.state == "running"
        assert one.answer_deadline is not None
        assert not one.answer_deadline.is_open
        assert one.hearing_deadline is None or one.hearing_deadline.state == "cancelled"


def test_a_hearing_is_set_and_waived(town: None, clock: Moment) -> None:
    now = clock.at
    day = dt.date(2026, 10, 14)

    def pair() -> tuple[Act, Act]:
        one = hear_holder(told(now), text="", wish="ask", by=None, door=Door.PUBLIC, now=now)
        by, other = two_deciders(one)
        chair = revoking.chair_of(one)
        return (
            lambda: plan_hearing(one, on=day, place="三楼", chair=chair, by=by, now=now),
            lambda: hear_holder(one, text="", wish="waive", waiver="当面签署。", by=other, door=Door.WINDOW, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "done"), (CLASH, "done"))[first]
        one = revoking.fresh(Revocation.objects.order_by("-pk")[0])
        assert (one.status, one.hearing_on) == (RevocationStatus.HEARD, day if first == 0 else None)
        assert one.hearing_deadline is not None
        assert one.hearing_deadline.state == "cancelled"


def test_a_proposal_and_a_withdrawal_of_the_licence(town: None, clock: Moment) -> None:
    """Both want case, licence and task: they queue up, and the second hears what the first did."""
    now = clock.at

    def pair() -> tuple[Act, Act]:
        task, order = make.unmended(now)
        assert task.licence is not None
        licence, keys = task.licence, [f"order-{order.paper_id}"]
        by = revoking.decider(licence.case)
        manager = make.manager(task)
        return (
            lambda: proposing.propose(task, facts="责令后当面拒不整改。", keys=keys, by=manager, now=now),
            lambda: change_licence(licence, kind="withdrawal", basis="第八条", reason="改法。", by=by, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "revocation-open"), ("licence-not-standing", "done"))[first]
        task = SupervisionTask.objects.filter(orders__isnull=False).order_by("-pk")[0]
        proposals = Proposal.objects.filter(task=task).count()
        assert (task.status, proposals) == ((TaskStatus.REVOCATION, 1), (TaskStatus.RECTIFYING, 0))[first]


# --- licence and task


def test_a_licence_changes_while_its_task_is_fed_back(town: None, clock: Moment) -> None:
    """A closed task hears nothing more; one that was open when its licence changed has it on its page and ledger."""
    now = clock.at
    made: list[SupervisionTask] = []

    def pair() -> tuple[Act, Act]:
        task = some.acknowledged(now, measure="off_site")
        by = make.manager(task)
        task = actions.finish(task, finished_on=now.date(), by=by, now=now)
        made.append(task)
        licence = Licence.objects.get(case=task.case_id)
        decider = revoking.decider(licence.case)
        return (
            lambda: actions.feed_back(task, result="conforming", by=by, now=now, **make.FED),
            lambda: change_licence(licence, kind="suspension", basis="第八条", reason="中止。", by=decider, now=now),
        )

    def holds(learnt: bool) -> None:
        task = SupervisionTask.objects.get(pk=made[-1].pk)
        assert (task.status, task.licence and task.licence.state) == (TaskStatus.CLOSED, Licence.State.SUSPENDED)
        siblings = SupervisionTask.objects.filter(licence=task.licence).exclude(pk=task.pk)
        assert TaskChange.objects.filter(task__in=siblings).count() == siblings.count() > 0
        assert TaskChange.objects.filter(task=task).count() == int(learnt)
        acts = [TaskAct.LICENCE_CHANGED, TaskAct.FED_BACK, TaskAct.CLOSED]
        said = Entry.objects.filter(stream=task.stream, act__in=acts).order_by("seq").values_list("act", flat=True)
        assert list(said) == acts[0 if learnt else 1 :]

    for first, said in each_way(pair):
        assert said == ("done", "done")
        holds(learnt=first == 1)
    assert together(*pair()) == ["done", "done"]
    holds(learnt=TaskChange.objects.filter(task=made[-1]).exists())


def test_a_licence_ends_while_it_is_drawn(town: None, clock: Moment) -> None:
    """Whichever is first, the drawn task learns that its licence was withdrawn; those that knew are not told twice."""
    now = clock.at
    drawing.inspectors(3)
    link = drawing.linkage()
    often: dict[str, Any] = {"ratio": 500, "times_a_year": 12, "basis": "局发〔2026〕1号"}
    set_rule(link.office.department.division, "none", **often, by=drawing.manager(), now=now)

    def pair() -> tuple[Act, Act]:
        case = some.notified(now).case
        task = SupervisionTask.objects.get(case=case, sub_item=drawing.linkage().sub_item)
        some.acknowledged(now, task, measure="off_site")
        by = make.manager(task)
        actions.finish(task, finished_on=now.date(), by=by, now=now)
        actions.feed_back(task, result="conforming", by=by, now=now, **make.FED)
        plan = drawing.published(now, ratio=10000, spare_months=0)
        licence = Licence.objects.get(case=task.case_id)
        decider = revoking.decider(licence.case)
        return (
            lambda: draw_plan(plan, by=by, now=now),
            lambda: change_licence(licence, kind="withdrawal", basis="第八条", reason="改法。", by=decider, now=now),
        )

    for first, said in each_way(pair):
        licence = Licence.objects.order_by("-pk")[0]
        was_drawn = first == 0 or connection.vendor == "postgresql"  # on SQLite the draw begins after the change
        assert said == ("done" if was_drawn else "draw-empty-pool", "done")
        told = TaskChange.objects.filter(licence=licence, kind="withdrawal", ends_licence=True)
        open_tasks = SupervisionTask.objects.open().filter(licence=licence).order_by("pk")
        assert list(told.order_by("task").values_list("task", flat=True)) == list(
            open_tasks.values_list("pk", flat=True)
        )
        drawn = list(open_tasks.filter(drawn__isnull=False))
        assert len(drawn) == int(was_drawn)
        for task in drawn:  # and its manager may close it for that
            by = make.manager(task)
            close_for_licence(actions.view_task(task, by=by, now=now), reason="证照已由审批部门撤回。", by=by, now=now)


def test_two_plans_of_a_department_are_drawn_at_once(town: None, clock: Moment) -> None:
    """Whom the first draw has given a task, the second leaves out."""
    now = clock.at
    drawing.inspectors(3)
    drawing.holders({"D": 4}, now)
    by = drawing.manager()
    one, other = drawing.published(now), drawing.published(now, name="同月另一计划")
    said = behind(lambda: draw_plan(one, by=by, now=now), lambda: draw_plan(other, by=by, now=now))
    assert said == ("done", "draw-empty-pool")
    assert SupervisionTask.objects.count() == DrawnSubject.objects.values("subject").distinct().count() == 4


# --- many tasks, and whose they are


def test_two_managers_acknowledge_overlapping_tasks(town: None, clock: Moment) -> None:
    now = clock.at
    task = objecting.viewed(now)
    manager, deputy = task.office.managers(now.date())[0], task.office.deputies(now.date())[0]
    tasks: list[SupervisionTask] = []

    def take(mine: list[SupervisionTask], by: User) -> Act:
        return lambda: actions.acknowledge_many(
            mine, measure="off_site", planned_finish_on=now.date(), by=by, now=now
        )  # fmt: skip

    def pair() -> tuple[Act, Act]:
        tasks[:] = [objecting.viewed(now) for _ in range(3)]
        return take(tasks[:2], manager), take(tasks[1:][::-1], deputy)

    for first, said in each_way(pair):
        assert said == (("done", CLASH), (CLASH, "done"))[first]
        for one in tasks:
            one.refresh_from_db()
        left = tasks[2] if first == 0 else tasks[0]
        assert {one.pk for one in tasks if one.status == TaskStatus.ACKNOWLEDGED} == {one.pk for one in tasks} - {
            left.pk
        }
        assert (left.status, left.planned_deadline) == (TaskStatus.VIEWED, None)
        clocks = Deadline.objects.filter(kind="planned_finish", stream__in=[one.stream for one in tasks])
        assert clocks.count() == 2


def test_bulk_takes_all_or_none_while_one_is_objected_to_or_sent_on(town: None, clock: Moment) -> None:
    now = clock.at
    tasks: list[SupervisionTask] = []

    def take() -> object:
        by = objecting.manager(tasks[0], now.date())
        return actions.acknowledge_many(tasks, measure="off_site", planned_finish_on=now.date(), by=by, now=now)

    def objected() -> tuple[Act, Act]:
        tasks[:] = [objecting.viewed(now), objecting.viewed(now)]
        by = objecting.manager(tasks[0], now.date())
        return take, lambda: disputing.raise_dispute(tasks[1], reason="不属。", by=by, now=now)

    for first, said in each_way(objected):
        assert said == (("done", CLASH), (CLASH, "done"))[first]
        wanted = [(TaskStatus.ACKNOWLEDGED,) * 2, (TaskStatus.VIEWED, TaskStatus.DISPUTED)][first]
        assert states(tasks) == wanted

    # One of them is sent to another office meanwhile: the rest is not taken alone.
    tasks[:] = [objecting.viewed(now), objecting.viewed(now)]
    dispute = disputing.raise_dispute(
        tasks[1], reason="不属。", by=objecting.manager(tasks[1], now.date()), now=now
    )  # fmt: skip
    said_twice = behind(lambda: decide(dispute, "reassigned", now), take)
    assert (said_twice[0], said_twice[1] != "done") == ("done", True)
    assert states(tasks) == (TaskStatus.VIEWED, TaskStatus.NOTIFIED)


def states(tasks: list[SupervisionTask]) -> tuple[str, ...]:
    keys = [one.pk for one in tasks]
    return tuple(SupervisionTask.objects.filter(pk__in=keys).order_by("pk").values_list("status", flat=True))


def decide(dispute: Dispute, outcome: str, now: dt.datetime) -> Dispute:
    task = SupervisionTask.objects.get(pk=dispute.task_id)
    overseer = task.department.division.overseers(now.date())[0]
    office = objecting.elsewhere(task, now.date()) if outcome == "reassigned" else None
    return disputing.decide_dispute(dispute, outcome=outcome, reason="协调。", office=office, by=overseer, now=now)


def test_an_objection_is_decided_twice(town: None, clock: Moment) -> None:
    """The second finds the task with its new office, and hears a sentence."""
    now = clock.at

    def pair() -> tuple[Act, Act]:
        dispute = objecting.disputed(now)
        return lambda: decide(dispute, "reassigned", now), lambda: decide(dispute, "confirmed", now)

    for first, said in each_way(pair):
        assert said == (("done", CLASH), (CLASH, "done"))[first]
        dispute = Dispute.objects.select_related("task").order_by("-pk")[0]
        task = dispute.task
        assert dispute.outcome == ("reassigned", "confirmed")[first]
        assert (task.status, task.round) == ((TaskStatus.NOTIFIED, 2), (TaskStatus.VIEWED, 1))[first]
        assert (task.office_id == dispute.from_office_id) is (first == 1)
        acts = Entry.objects.filter(stream=task.stream, act__in=[TaskAct.REASSIGNED, TaskAct.CONFIRMED])
        assert acts.count() == 1
        assert dispute.deadline is not None
        assert not dispute.deadline.is_open


# --- the order


def test_an_extension_is_granted_while_the_order_is_settled(town: None, clock: Moment) -> None:
    """A refused subject has no more time: granted before, the new clock falls away; afterwards nothing is granted."""
    now = clock.at
    until = dt.date(2026, 10, 20)

    def pair() -> tuple[Act, Act]:
        task = make.faulty(now)
        order = make.ordered(task, now)
        by, head = make.manager(task), make.head(task)
        ordering.ask_extension(order, until=until, reason="等配件。", by=by, now=now)
        return (
            lambda: ordering.settle_extension(order, grant=True, answer="", by=head, now=now),
            lambda: ordering.settle_order(order, outcome="refused", reason="负责人当面拒绝整改。", by=by, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "done"), (CLASH, "done"))[first]
        order = Rectification.objects.select_related("deadline").order_by("-pk")[0]
        assert (order.status, order.deadline.state) == ("refused", "cancelled")
        assert order.due_on == (until if first == 0 else dt.date(2026, 10, 8))
        clocks = Deadline.objects.filter(stream=order.task.stream, kind="rectification")
        assert (clocks.count(), clocks.open().count()) == (2 - first, 0)
        extended = Paper.objects.filter(task=order.task, kind=PaperKind.ORDER_EXTENSION).count()
        assert extended == 1 - first


# --- the draw


def test_a_plan_is_drawn_twice(town: None, clock: Moment) -> None:
    now = clock.at
    drawing.inspectors(3)
    drawing.holders({"D": 4}, now)
    plan = drawing.published(now)
    head = Posting.objects.filter(role="department_head", department=plan.office.department)[0].user
    acts: list[Act] = [lambda by=by: draw_plan(plan, by=by, now=now) for by in (drawing.manager(), head)]  # type: ignore[misc]
    assert behind(*acts) == ("done", CLASH)
    run = DrawRun.objects.get()
    assert (run.drawn_by, run.drawn.count(), SupervisionTask.objects.count()) == (drawing.manager(), 4, 4)
    assert Draw.objects.filter(purpose=PURPOSE).count() == 1


def test_a_plan_is_changed_while_it_is_published(town: None, clock: Moment) -> None:
    """What is published is what the ledger says was published, whoever came first."""
    now = clock.at
    link = drawing.linkage()
    area = link.office.department.division
    item = link.sub_item.item
    other = SupervisionSubItem.objects.create(
        item=item, code=f"{link.sub_item.code}-2", name="另一子项", source="规定", points=["台账"]
    )

    def pair() -> tuple[Act, Act]:
        plan, by = drawing.planned(now), drawing.manager()
        wanted = drawing.wanted(name="改名", area=area, sub_item=other)
        return (
            lambda: change_plan(plan, wanted, by=by, now=now),
            lambda: publish_plan(plan, by=by, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "done"), (CLASH, "done"))[first]
        plan = DrawPlan.objects.order_by("-pk")[0]
        assert plan.is_published
        assert (plan.name == "改名", plan.area, plan.sub_item) == ((True, area, other), (False, None, link.sub_item))[
            first
        ]
        entry = Entry.objects.get(stream=plan.stream, act="draw_plan.published")
        assert (entry.data["name"], entry.data["area"]) == (plan.name, plan.area_id)
        assert entry.data["sub_item"] == plan.sub_item_id


# --- the inspection


def test_the_same_draft_is_sent_while_it_is_recorded(town: None, clock: Moment) -> None:
    """The phone lost its connection and sends again: both hear of the one record."""
    now = clock.at
    task = field.ready(now)
    by, _ = field.officers(task)
    draft = field.draft(task, now)
    heard: list[Inspection] = []

    def send() -> None:
        heard.append(inspecting.record_inspection(task, draft=draft, by=by, now=now))

    assert behind(send, send) == ("done", "done")
    assert together(send, send, send) == ["done"] * 3
    assert {one.pk for one in heard} == {Inspection.objects.get().pk}
    assert Paper.objects.filter(kind=PaperKind.INSPECTION).count() == 1
    assert Entry.objects.filter(stream=task.stream, act=TaskAct.INSPECTED).count() == 1


def test_the_measure_changes_while_the_inspection_is_sent(town: None, clock: Moment) -> None:
    """The visit was made, or it was called off; never both."""
    now = clock.at
    made: list[SupervisionTask] = []

    def pair() -> tuple[Act, Act]:
        task = field.ready(now)
        made.append(task)
        by, _ = field.officers(task)
        draft = field.draft(task, now)
        day = task.planned_finish_on
        return (
            lambda: inspecting.record_inspection(task, draft=draft, by=by, now=now),
            lambda: actions.replan(task, measure="off_site", planned_finish_on=day, reason="改查。", by=by, now=now),
        )

    for first, said in each_way(pair):
        assert said == (("done", "done"), ("measure-not-fit", "done"))[first]
        assert Visit.objects.get(task=made[-1]).status == ("done", "cancelled")[first]
        assert Inspection.objects.filter(task=made[-1]).count() == 1 - first
