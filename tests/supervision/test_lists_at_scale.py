"""Lists, exports and API lists of the supervision side take as many statements for many rows as for few."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from approvals.actions.revoking import decide_revocation
from approvals.models import Case, Licence, Revocation
from approvals.views import licences
from catalogue.models import Linkage
from deadlines.models import Deadline
from offices.access import Access, access_for, covered
from offices.models import Posting, User
from offices.tokens import issue
from scripts.bench import town
from scripts.bench.measure import statements
from supervision import actions, lists_orders
from supervision.actions import disputing, visiting
from supervision.actions.drawing import draw_plan
from supervision.actions.ordering import ask_extension
from supervision.models import (
    Dispute,
    DrawnSubject,
    DrawPlan,
    DrawRun,
    Finding,
    Inspection,
    Paper,
    Rectification,
    StockBatch,
    SupervisionTask,
    TaskChange,
    Visit,
)
from supervision.views_visits import for_heads
from tests.approvals import play, revoking
from tests.conftest import Moment
from tests.supervision import disputing as objecting
from tests.supervision import drawing, inspecting, ordering, stocking
from tests.supervision import tasks as some

# What no database decides: the text of the statements is the same on both.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
Role = Posting.Role
TIMES = 8  # so many further copies of everything stand among the many
MOST_OF_LIST, MOST_OF_PAGE = 16, 40
OFFICE = (Role.OFFICE_MANAGER,)
Rows = Callable[[Access], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows of one kind: who asks for them, where they are listed, exported and given to machines."""

    name: str
    roles: tuple[str, ...]
    rows: Rows
    addresses: tuple[str, ...]


def _tasks(where: Q) -> Rows:
    return lambda access: SupervisionTask.objects.for_office_people(access).filter(where)


def _orders(where: Q) -> Rows:
    return lambda access: lists_orders.mine(access).filter(where)


def _visits(where: Q) -> Rows:
    return lambda access: for_heads(access).filter(where)


def _disputes(where: Q) -> Rows:
    return lambda access: Dispute.objects.filter(
        where, from_office__department__division__in=covered(access, Role.OVERSEER)
    )


def _revocations(where: Q) -> Rows:
    return lambda access: Revocation.objects.for_decider(access).filter(where)


def _three(page: str, export: str, api: str, query: str = "") -> tuple[str, ...]:
    return tuple(f"{address}{query}" for address in (page, export, api))


TASKS = ("/tasks/", "/tasks/export.csv", "/api/v1/tasks/")
ORDERS = ("/tasks/orders/", "/tasks/orders/export.csv", "/api/v1/tasks/orders/")
VISITS = ("/tasks/visits/", "/tasks/visits/export.csv", "/api/v1/tasks/visits/")
DISPUTES = ("/oversight/disputes/", "/oversight/disputes/export.csv", "/api/v1/disputes/")
REVOCATIONS = ("/office/revocations/", "/office/revocations/export.csv", "/api/v1/revocations/")
LICENCES = ("/office/licences/", "/office/licences/export.csv", "/api/v1/licences/")
RUNNING, ASKED, TOLD, DONE = (Q(status=one) for one in ("running", "requested", "noticed", "decided"))
LISTS = (
    Listed("inbox, open", OFFICE, _tasks(~Q(status="closed")), _three(*TASKS)),
    Listed("inbox, new", OFFICE, _tasks(Q(status__in=["notified", "viewed"])), _three(*TASKS, "?queue=new")),
    Listed("inbox, closed", OFFICE, _tasks(Q(status="closed")), _three(*TASKS, "?queue=closed")),
    Listed("inbox of a head", (Role.DEPARTMENT_HEAD,), _tasks(~Q(status="closed")), _three(*TASKS)),
    Listed("bulk", OFFICE, _tasks(Q(status="viewed")), ("/tasks/bulk/",)),
    Listed("orders", OFFICE, _orders(RUNNING), _three(*ORDERS)),
    Listed("orders that wait", (Role.DEPARTMENT_HEAD,), _orders(lists_orders.WAITS), _three(*ORDERS, "?tab=waiting")),
    Listed("orders settled", OFFICE, _orders(~RUNNING), _three(*ORDERS, "?tab=settled")),
    Listed("visits", (Role.DEPARTMENT_HEAD,), _visits(ASKED), _three(*VISITS)),
    Listed("visits settled", (Role.DEPARTMENT_HEAD,), _visits(~ASKED), _three(*VISITS, "?tab=settled")),
    Listed("disputes", (Role.OVERSEER,), _disputes(Q(outcome="")), _three(*DISPUTES)),
    Listed("disputes decided", (Role.OVERSEER,), _disputes(~Q(outcome="")), _three(*DISPUTES, "?tab=confirmed")),
    Listed("revocations", (Role.DECIDER,), _revocations(Q(status="received")), _three(*REVOCATIONS)),
    Listed("revocations noticed", (Role.DECIDER,), _revocations(TOLD), _three(*REVOCATIONS, "?tab=noticed")),
    Listed("revocations decided", (Role.DECIDER,), _revocations(DONE), _three(*REVOCATIONS, "?tab=decided")),
    Listed("hearings", (Role.DEPARTMENT_HEAD,), Revocation.objects.for_chair, ("/office/hearings/",)),
    Listed("licences", (Role.DECIDER,), licences.within, _three(*LICENCES)),
    Listed("register", (), lambda access: Licence.objects.all(), ("/register/",)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks, by a browser and by a token."""

    browser: Client
    machine: APIClient

    def count(self, address: str) -> int:
        """Statements of one answer, read to its end; what a process reads anew now and then is left out."""

        def ask() -> None:
            cache.clear()  # the rate limit must not answer for the page
            answer: Any = (self.machine if address.startswith("/api/") else self.browser).get(address)
            assert answer.status_code == 200, address
            if answer.streaming:
                assert b"".join(answer.streaming_content).count(b"\n") > 1, address

        return min(statements(ask) for _ in range(2))


def asking(person: User | None) -> Asker:
    """Both ways of ``person``; of the public where there is none."""
    browser, machine = Client(), APIClient()
    if person is not None:
        browser.force_login(person)
        machine.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return Asker(browser, machine)


def busiest(listed: Listed, now: dt.datetime) -> Access:
    """Who has most of it; anybody for a public list."""
    held = Posting.objects.active(now.date()).filter(role__in=listed.roles)
    people = (
        User.objects.filter(pk__in=held.values("user")) if listed.roles else User.objects.filter(is_superuser=False)
    )
    found = [access_for(one, now.date()) for one in people.order_by("pk")[: None if listed.roles else 1]]
    return max(found, key=lambda one: listed.rows(one).count())


# --- one of each


def stage(now: dt.datetime) -> None:
    """One row of every list, through the real actions; each case has its tasks, its licence and its papers."""
    some.notified(now)
    raised = objecting.disputed(now)
    overseer = Posting.objects.filter(role=Role.OVERSEER).order_by("pk")[0].user
    task = SupervisionTask.objects.filter(status="notified").exclude(pk=raised.task_id).order_by("-pk")[0]
    manager = play.person(some.manager_of(task))
    task = actions.view_task(task, by=manager, now=now)
    second = disputing.raise_dispute(task, reason="属另一部门职责。", proposed_office=None, by=manager, now=now)
    disputing.decide_dispute(second, outcome="confirmed", reason="属本处室职责。", by=overseer, now=now)
    asked = inspecting.acknowledged(now)
    visiting.request_visit(
        asked, purpose="核查", planned_on=now.date(), exemption="", by=play.person(some.manager_of(asked)), now=now
    )
    order = inspecting.ordered(now)
    until, by = order.due_on + dt.timedelta(days=5), inspecting.officers(order.task)[0]
    ask_extension(order, until=until, reason="设备到货延迟。", by=by, now=now)
    ordering.unmended(now, promise=False)
    revoking.proposed(now)
    revoking.noticed(now)
    heard = revoking.heard(now)
    decide_revocation(heard, revoke=True, **revoking.DECISION, by=revoking.decider(heard.case), now=now)
    revoking.planned(revoking.asked(now), dt.date(2026, 10, 20), now)
    closed = SupervisionTask.objects.filter(status="notified").order_by("pk")[0]
    closed.status, closed.end, closed.closed_at = "closed", "conforming", now
    closed.save()


def test_no_list_takes_more_statements_for_many_rows_than_for_few(city: None, clock: Moment) -> None:
    stage(clock.at)
    cases = list(Case.objects.values_list("pk", flat=True))
    who = {listed.name: busiest(listed, clock.at) for listed in LISTS}
    people = {who[listed.name].user for listed in LISTS if listed.roles}
    known = {person: asking(person) for person in people}  # a second token would end the first
    askers = {one.name: known[who[one.name].user] if one.roles else asking(None) for one in LISTS}

    def counts() -> dict[str, int]:
        return {f"{one.name}: {path}": askers[one.name].count(path) for one in LISTS for path in one.addresses}

    def rows() -> dict[str, int]:
        return {one.name: one.rows(who[one.name]).count() for one in LISTS}

    before, few = rows(), counts()
    assert [name for name, count in before.items() if not count] == []
    town.copy(cases, TIMES)
    assert rows() == {name: count * (TIMES + 1) for name, count in before.items()}
    assert counts() == few
    assert [name for name, count in few.items() if count > MOST_OF_LIST] == []


# --- one task with much on it


def _more_on(task: SupervisionTask, order: Rectification, now: dt.datetime) -> None:
    """Twenty further inspections with their findings, papers, orders, visits, objections and changes."""
    inspection = order.inspection
    findings = list(inspection.findings.all())
    by, office = inspection.recorded_by, task.office
    assert task.licence_id is not None
    for number in range(2, 22):
        again = Inspection.objects.get(pk=inspection.pk)
        again.pk, again.order, again.client_key, again.visit = None, number, uuid.uuid4(), None
        again.save()
        for one in findings:
            one.pk, one.inspection = None, again
        Finding.objects.bulk_create(findings)
        paper, deadline = Paper.objects.get(pk=order.paper_id), Deadline.objects.get(pk=order.deadline_id)
        paper.pk, paper.number, paper.verify_code = None, f"副本{number}", f"copy{number}"
        paper.save()
        deadline.pk = None
        deadline.save()
        settled = Rectification.objects.get(pk=order.pk)
        settled.pk, settled.paper, settled.deadline, settled.inspection = None, paper, deadline, again
        settled.status, settled.settled_by, settled.settled_at = "refused", by, now
        settled.save()
    Visit.objects.bulk_create(
        Visit(
            task=task, subject=task.subject, department=task.department, year=now.year, purpose="核查",
            planned_on=now.date(), status="done", requested_by=by, requested_at=now, settled_by=by, settled_at=now,
        )
        for _ in range(20)
    )  # fmt: skip
    Dispute.objects.bulk_create(
        Dispute(
            task=task, from_office=office, reason="不属本处室。", raised_by=by, raised_at=now, outcome="confirmed",
            decision_reason="属本处室。", decided_by=by, decided_at=now,
        )
        for _ in range(20)
    )  # fmt: skip
    TaskChange.objects.bulk_create(
        TaskChange(task=task, licence_id=task.licence_id, kind="change", text="变更", at=now, seen_at=now)
        for _ in range(20)
    )


def test_a_task_takes_as_many_statements_with_much_on_it_as_with_little(city: None, clock: Moment) -> None:
    order = inspecting.ordered(clock.at)
    task = order.task
    manager = asking(play.person(some.manager_of(task)))
    addresses = [
        reverse("tasks:task", args=[task.number]),
        f"/api/v1/tasks/{task.number}/",
        f"/api/v1/tasks/{task.number}/inspections/",
        f"/api/v1/tasks/{task.number}/rectification/",
    ]
    _more_once(task, order, clock.at)
    few = {address: manager.count(address) for address in addresses}
    assert task.case_id is not None
    town.copy([task.case_id], 20)  # other tasks of the subject
    _more_on(task, order, clock.at)
    assert {address: manager.count(address) for address in addresses} == few
    assert max(few.values()) <= MOST_OF_PAGE


def _more_once(task: SupervisionTask, order: Rectification, now: dt.datetime) -> None:
    """One of each that ``_more_on`` multiplies."""
    assert task.licence_id is not None
    by = order.inspection.recorded_by
    Dispute.objects.create(
        task=task, from_office=task.office, reason="不属本处室。", raised_by=by, raised_at=now, outcome="confirmed",
        decision_reason="属本处室。", decided_by=by, decided_at=now,
    )  # fmt: skip
    TaskChange.objects.create(task=task, licence_id=task.licence_id, kind="change", text="变更", at=now, seen_at=now)


# --- plans of draws, drawn subjects, old stock


def _drawn(now: dt.datetime, sizes: dict[str, int]) -> DrawPlan:
    """A plan whose draw takes every holder that is not drawn yet."""
    drawing.holders(sizes, now)
    plan = drawing.published(now, ratio=10000)
    draw_plan(plan, by=drawing.manager(), now=now)
    return plan


def _copies_of(plan: DrawPlan, many: int) -> None:
    """Further plans like it, each with its draw and with the items that it is about."""
    run, link = DrawRun.objects.get(plan=plan), DrawPlan.business_items.through
    items = list(plan.business_items.values_list("pk", flat=True))
    for number in range(many):
        again, again_run = DrawPlan.objects.get(pk=plan.pk), DrawRun.objects.get(pk=run.pk)
        again.pk = None
        again.save()
        again_run.pk, again_run.plan, again_run.number = None, again, 1000 + number
        again_run.save()
        link.objects.bulk_create(link(drawplan_id=again.pk, businessitem_id=item) for item in items)


def _of_plan(plan: DrawPlan) -> Iterator[str]:
    yield reverse("tasks:draw", args=[plan.pk])
    yield reverse("tasks:draw_drawn", args=[plan.pk])
    yield f"/api/v1/draw-plans/{plan.pk}/"
    yield f"/api/v1/draw-plans/{plan.pk}/drawn/"
    yield reverse("inspection_draw", args=[plan.pk])
    yield reverse("inspection_draw_export", args=[plan.pk])
    yield reverse("inspection_draw_positions", args=[plan.pk])
    yield f"/api/v1/inspection-draws/{plan.pk}/"
    yield f"/api/v1/inspection-draws/{plan.pk}/drawn/"
    yield f"/api/v1/inspection-draws/{plan.pk}/positions/"


def test_draws_take_as_many_statements_for_many_as_for_few(city: None, clock: Moment) -> None:
    drawing.inspectors(4)
    small = _drawn(clock.at, {"A": 1, "B": 1})
    manager = asking(drawing.manager())
    lists = [
        "/tasks/draws/", "/tasks/draws/export.csv", "/tasks/draws/?tab=drawn", "/api/v1/draw-plans/",
        "/draws/inspections/", "/api/v1/inspection-draws/", "/tasks/", "/tasks/export.csv",
    ]  # fmt: skip
    few = {address: manager.count(address) for address in lists}
    few_drawn = [manager.count(address) for address in _of_plan(small)]
    large = _drawn(clock.at, {"C": 20, "D": 20})
    _copies_of(small, 20)
    assert DrawnSubject.objects.filter(run__plan=large).count() == 40
    assert {address: manager.count(address) for address in lists} == few
    assert [manager.count(address) for address in _of_plan(large)] == few_drawn
    assert max(few.values()) <= MOST_OF_LIST


def test_old_stock_takes_as_many_statements_for_many_as_for_few(city: None, clock: Moment) -> None:
    about = stocking.item()
    one = stocking.loaded([stocking.row(about, number) for number in range(2)], clock.at)
    admin = asking(stocking.administrator(one.division))
    manager = asking(Linkage.objects.filter(business_item=about, active=True)[0].office.managers(clock.at.date())[0])
    lists = ["/tasks/stock/", "/tasks/stock/export.csv", "/tasks/stock/?tab=finished"]
    few = [admin.count(address) for address in lists]
    few_tasks = [manager.count(address) for address in TASKS]
    few_batch = admin.count(reverse("tasks:stock_batch", args=[one.pk]))
    large = stocking.loaded([stocking.row(about, number) for number in range(100, 140)], clock.at)
    StockBatch.objects.bulk_create(
        StockBatch(
            division=one.division, name=f"批次{number}", digest=f"{number:064d}", opens_tasks=False, counts=one.counts,
            loaded_by=one.loaded_by, loaded_at=clock.at, finished_at=clock.at,
        )
        for number in range(20)
    )  # fmt: skip
    assert [admin.count(address) for address in lists] == few
    assert [manager.count(address) for address in TASKS] == few_tasks
    assert admin.count(reverse("tasks:stock_batch", args=[large.pk])) == few_batch
