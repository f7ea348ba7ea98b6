"""Other divisions, departments, offices and roles find nothing: every route of the URL map, every kind of outsider."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from approvals.models import Case, Extension
from ledger.models import Entry
from offices.models import Office, Posting, User
from supervision.models import SupervisionTask
from tests.api.conftest import Caller, problem
from tests.api.routes import Route, routes
from tests.approvals import play
from tests.conftest import Moment
from tests.supervision.tasks import inspector

pytestmark = [pytest.mark.django_db, pytest.mark.once]
Role = Posting.Role
ALL = routes()
ROLES: dict[str, set[str]] = {
    "cases": {Role.WINDOW_CLERK, Role.DELIVERY_CLERK},
    "case": {Role.WINDOW_CLERK, Role.DELIVERY_CLERK},
    "documents": {Role.WINDOW_CLERK, Role.DELIVERY_CLERK},
    "delivery": {Role.WINDOW_CLERK, Role.DELIVERY_CLERK},
    "uploads": {Role.WINDOW_CLERK},
    "accept": {Role.WINDOW_CLERK},
    **dict.fromkeys(("credit", "credit-decision", "promise"), {Role.WINDOW_CLERK}),
    **dict.fromkeys(("promise-code", "promise-withdrawal"), {Role.WINDOW_CLERK}),
    "verifications": {Role.WINDOW_CLERK},
    "covers": {Role.WINDOW_CLERK},
    "left-open": {Role.WINDOW_CLERK},
    "corrections": {Role.WINDOW_CLERK},
    "corrections-answer": {Role.WINDOW_CLERK},
    "refusal": {Role.WINDOW_CLERK},
    "mending": {Role.WINDOW_CLERK},
    "withdrawal": {Role.WINDOW_CLERK},
    "statement": {Role.WINDOW_CLERK},
    "reviews": {Role.REVIEWER, Role.DECIDER},
    "review": {Role.REVIEWER, Role.DECIDER},
    "unveiling": {Role.REVIEWER, Role.DECIDER},
    "opinion": {Role.REVIEWER, Role.DECIDER},
    "decision": {Role.REVIEWER, Role.DECIDER},
    "completion": {Role.REVIEWER, Role.DECIDER},
    "sheet": {Role.REVIEWER, Role.DECIDER},
    "lead": {Role.REVIEWER, Role.DECIDER},
    "site-plan": {Role.REVIEWER, Role.DECIDER},
    "countersignature": {Role.REVIEWER, Role.DECIDER},
    "site-checks": {Role.SITE_OFFICER},
    "site-check": {Role.SITE_OFFICER},
    "site-check-confirmation": {Role.SITE_OFFICER},
    "procedure": {Role.REVIEWER, Role.DECIDER},
    "procedure-end": {Role.REVIEWER, Role.DECIDER},
    "extension-request": {Role.REVIEWER, Role.DECIDER},
    "province-report": {Role.REVIEWER, Role.DECIDER},
    "province-answer": {Role.REVIEWER, Role.DECIDER},
    "hand-in": {Role.WINDOW_CLERK},
    "later": {Role.WINDOW_CLERK},
    "owed-list": {Role.DECIDER},
    "owed": {Role.DECIDER},
    "promise-settlement": {Role.DECIDER},
    "later-extension": {Role.DECIDER},
    "later-settlement": {Role.DECIDER},
    "recusal": {Role.REVIEWER, Role.DECIDER},
    # Each by office, and the chair of a hearing: tests/approvals/test_revocation.py and test_licences.py
    "revocations": {Role.DECIDER},
    **dict.fromkeys(
        (
            "revocation",
            "revocation-notice",
            "revocation-statement",
            "revocation-hearing",
            "hearing-record",
            "revocation-decision",
        ),
        {Role.DECIDER, Role.DEPARTMENT_HEAD},
    ),
    **dict.fromkeys(("licences", "licence", "licence-changes"), {Role.DECIDER}),
    # Everybody's own; a division's administrators also their people's: tests/approvals/test_leave_conflicts.py
    **dict.fromkeys(("leaves", "leave-cancellation", "conflicts", "conflict-end"), set(Role.values)),
    "extensions": {Role.DEPARTMENT_HEAD},
    "extension": {Role.DEPARTMENT_HEAD},
    "tasks": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR},
    "task": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR},
    **dict.fromkeys(
        ("assignment", "plan", "licence-ended", "visit-request", "visit-cancellation"),
        {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    ),
    "set-aside": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    **dict.fromkeys(("visits", "visit-settlement", "set-asides", "set-aside-answer"), {Role.DEPARTMENT_HEAD}),
    # Numbers in the body: tests/supervision/test_bulk.py
    "acknowledgements": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    "acknowledgement": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    "finish": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    "feedback": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    "closure": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    **dict.fromkeys(
        ("order", "order-extension", "order-outcome", "handover", "handover-receipt", "handover-result", "proposal"),
        {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    ),
    **dict.fromkeys(
        ("orders", "rectification"),
        {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.INSPECTOR},
    ),
    "order-answer": {Role.DEPARTMENT_HEAD},
    "task_disputes": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY},
    # Each by the division: tests/supervision/test_disputes.py
    **dict.fromkeys(("disputes", "dispute", "dispute_decision"), {Role.OVERSEER}),
    "inspections": {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR, Role.DEPARTMENT_HEAD},
    **dict.fromkeys(
        ("inspection-form", "inspection-photos"), {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.INSPECTOR}
    ),
    # Each by the office of the plan, or the division: tests/supervision/test_draws_pages.py
    **dict.fromkeys(
        ("draw-plans", "draw-plan", "draw-plan-preview", "draw-plan-drawn"),
        {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD, Role.OVERSEER},
    ),
    **dict.fromkeys(
        ("draw-plan-new", "draw-plan-change", "draw-plan-removal", "draw-plan-publication", "draw-plan-drawing"),
        {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY, Role.DEPARTMENT_HEAD},
    ),
    "sampling": {
        Role.OFFICE_MANAGER,
        Role.OFFICE_DEPUTY,
        Role.DEPARTMENT_HEAD,
        Role.OVERSEER,
        Role.DIVISION_ADMIN,
    },
    "sampling-rate": {Role.DIVISION_ADMIN},
    # Each by the division administered: tests/supervision/test_stock.py
    **dict.fromkeys(("stock-batches", "stock-files", "stock-batch", "stock-starts"), {Role.DIVISION_ADMIN}),
    # Each by the department: tests/supervision/test_inspections_checklists.py
    **dict.fromkeys(("checklists", "checklist", "checklist-plan-limit"), {Role.OFFICE_MANAGER, Role.DEPARTMENT_HEAD}),
    # Of the division administrators only the city's: tests/deadlines/test_calendar_office.py
    **dict.fromkeys(("drafts", "draft", "draft_moves", "draft_check", "draft_publication"), {Role.DIVISION_ADMIN}),
    "handling": set(Role.values),
    # Each by the record's department, or nobody's: tests/credit/test_pushes_pages.py
    **dict.fromkeys(("credit-pushes", "credit-push"), {Role.CREDIT_OFFICER, Role.OVERSEER}),
    # Each by the department that found it: tests/credit/test_judging.py, test_repairing.py and test_api_records.py
    **dict.fromkeys(
        ("credit-facts", "credit-fact", "credit-fact-notice", "breach", "breach-objection", "breach-decision"),
        {Role.CREDIT_OFFICER},
    ),
    **dict.fromkeys(
        ("credit-records", "credit-record", "repair-request", "repair-notice", "repair-decision"),
        {Role.CREDIT_OFFICER},
    ),
    # Each by the department that decided: tests/credit/test_measures.py
    **dict.fromkeys(("joint-measures", "joint-measure", "joint-measure-end"), {Role.CREDIT_OFFICER}),
    # The list by every officer, proposals each by the department's records: tests/credit/test_proposals.py
    **dict.fromkeys(("measure-rules", "measure-proposals"), {Role.CREDIT_OFFICER}),
    # Links by the city's officers, people's gradings by the department: tests/credit/test_joining.py, test_received.py
    **dict.fromkeys(
        ("subject-links", "subject-unlink", "received-grades", "received-grades-of"), {Role.CREDIT_OFFICER}
    ),
    # Each by the business of the own departments: tests/oversight/test_subjects.py
    "subject": {
        Role.CREDIT_OFFICER,
        Role.DEPARTMENT_HEAD,
        Role.OFFICE_MANAGER,
        Role.OFFICE_DEPUTY,
        Role.OVERSEER,
        Role.DISCIPLINE,
    },
    # Several audiences, each by its own cases and tasks: tests/oversight/test_clock_pages.py
    "deadline": set(Role.values) - {Role.DIVISION_ADMIN},
}
CITY = {"drafts", "draft", "draft_moves", "draft_check", "draft_publication"}
# The applicant's own door: a code by SMS, then a permit, in the body: tests/api/test_door.py
DOOR = {
    f"door-{name}"
    for name in (
        "code",
        "permit",
        "uploads",
        "answer",
        "owed",
        "promise-withdrawal",
        "withdrawal",
        "statement",
        "credit",
        "objection",
        "repair",
    )
}
INSPECTION_DRAWS = {f"inspection-draw{part}" for part in ("s", "", "-drawn", "-positions")}
DRAWS = {"draw-periods", "draws-of-period", *INSPECTION_DRAWS}
DRAW_PLANS = {
    f"draw-plan{part}" for part in ("", "-preview", "-drawn", "-new", "-change", "-removal", "-publication", "-drawing")
}
PUBLIC = {"progress", "verify", "items", "item", "explain", "calendar", "years", *DRAWS, *DOOR}
SELF = {"token"}
GUARDED = [route for route in ALL if route.name in ROLES]
REVOKING = {"revocation", "revocation-notice", "revocation-statement", "revocation-hearing", "hearing-record"}
BY_LICENCE = {"licence", "licence-changes"}
OF_ONE = [route for route in GUARDED if "<slug:number>" in route.path and route.name not in BY_LICENCE]
OWN = {"leave-cancellation", "conflict-end", "dispute", "dispute_decision"}
WHOLE = CITY | OWN | REVOKING | {"revocation-decision"} | BY_LICENCE | {"deadline", "handling", "acknowledgements"}
WHOLE |= DRAW_PLANS | {"sampling", "sampling-rate", "stock-files", "stock-batch", "stock-starts"}
WHOLE |= {"credit-push"}
WHOLE |= {"credit-fact", "credit-fact-notice", "breach", "breach-objection", "breach-decision"}
WHOLE |= {"credit-record", "repair-request", "repair-notice", "repair-decision"}
WHOLE |= {"joint-measure", "joint-measure-end", "measure-rules"}
WHOLE |= {"subject-links", "subject-unlink", "received-grades", "received-grades-of"}
WHOLE |= {"subject"}
WHOLE |= {"checklists", "checklist", "checklist-plan-limit"}
LISTS = [route for route in GUARDED if "<slug:number>" not in route.path and route.name not in WHOLE]


def test_every_route_has_its_audience() -> None:
    assert {route.name for route in ALL} == set(ROLES) | PUBLIC | SELF
    assert {route.name for route in ALL if route.is_public} == PUBLIC
    for route in GUARDED:
        assert set(route.view.roles) == ROLES[route.name], route.name


@pytest.mark.parametrize("route", [r for r in ALL if not r.is_public], ids=lambda route: route.name)
def test_without_a_token_nothing_answers(db: None, clock: Moment, route: Route) -> None:
    nobody = APIClient()
    for method in route.methods:
        if (route.name, method) == ("token", "post"):
            continue
        answer = getattr(nobody, method)(route.url(number="X", pk="1", risk="A"))
        body = problem(answer, 401, "not-signed-in")
        assert answer.headers["WWW-Authenticate"] == "Token"
        assert "errors" not in body


@pytest.fixture
def world(city: None, clock: Moment) -> tuple[Case, Case, SupervisionTask]:
    """A case in review for which more time was asked, a completed one, and a task of it."""
    done = play.completed(clock.at)
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    Extension.objects.create(case=case, days=1, reason="复杂", requested_by=case.reviewer, requested_at=clock.at)
    task = done.tasks.order_by("pk")[0]
    inspector(task)  # of the task's own office, and given nothing
    return case, done, task


def _insiders(route: Route, case: Case, task: SupervisionTask) -> set[int]:
    """Ids of all who may find this case or task at this address."""
    if route.path.startswith("api/v1/cases/"):
        wanted = Posting.objects.filter(role__in=ROLES[route.name], department__division=case.division)
        return set(wanted.values_list("user", flat=True))
    if route.path.startswith("api/v1/tasks/"):
        people = Posting.objects.filter(office=task.office, role__in=[Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY])
        heads = Posting.objects.filter(department=task.department, role=Role.DEPARTMENT_HEAD)
        own = set(people.values_list("user", flat=True))
        if route.name in {"order-answer", "visit-settlement", "set-aside-answer"}:
            return set(heads.values_list("user", flat=True))
        return (
            own | set(heads.values_list("user", flat=True))
            if route.name in {"task", "rectification", "inspections"}
            else own
        )
    if route.path.startswith("api/v1/extensions/"):
        heads = Posting.objects.filter(department=case.department, role=Role.DEPARTMENT_HEAD)
        return set(heads.values_list("user", flat=True))
    deciders = set(Posting.objects.filter(office=case.review_office, role=Role.DECIDER).values_list("user", flat=True))
    drawn = {case.reviewer_id} if case.reviewer_id else set()
    return {"opinion": drawn, "decision": deciders}.get(route.name, drawn | deciders)


def _faces(insiders: set[int], office: Office) -> dict[tuple[str, str], User]:
    """One outsider for each role and place, seen from the office; the rest of the city differs in nothing from them."""
    seen: dict[tuple[str, str], User] = {}
    postings = Posting.objects.exclude(user__in=insiders).select_related("user", "department", "office").order_by("pk")
    for posting in postings:
        if posting.department.division_id != office.department.division_id:
            place = "another division"
        elif posting.department_id != office.department_id:
            place = "another department"
        else:
            place = "the same office" if posting.office_id == office.pk else "another office"
        seen.setdefault((posting.role, place), posting.user)
    return seen


@pytest.mark.parametrize("route", OF_ONE, ids=lambda route: route.name)
def test_what_is_not_yours_does_not_exist(
    caller: Caller, world: tuple[Case, Case, SupervisionTask], route: Route
) -> None:
    """For every outsider of the whole city: 404, the same as for a number that does not exist, and no trace."""
    case, _, task = world
    is_task = route.path.startswith("api/v1/tasks/")
    number = task.number if is_task else case.number
    outsiders = _faces(_insiders(route, case, task), task.office if is_task else case.review_office)
    assert {place for _, place in outsiders} >= {"another division", "another department", "another office"}
    assert {role for role, _ in outsiders} == set(Role.values)
    entries = Entry.objects.count()
    for person in outsiders.values():
        client = caller(person.username)
        for method in route.methods:
            found = getattr(client, method)(route.url(number=number), {}, format=_format(route, method))
            body = problem(found, 404, "not-found")
            assert number not in body["detail"]
    assert Entry.objects.count() == entries
    nothing = getattr(client, method)(route.url(number="32070020260928999999X"), {}, format=_format(route, method))
    assert nothing.content == found.content


def _format(route: Route, method: str) -> str | None:
    if method == "get":
        return None
    return "multipart" if route.name in {"uploads", "inspection-photos"} else "json"


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.name)
def test_lists_of_others_are_empty_or_do_not_exist(
    caller: Caller, world: tuple[Case, Case, SupervisionTask], route: Route
) -> None:
    case, done, task = world
    insiders: set[int] = set()
    for one in OF_ONE:
        if one.path.startswith(route.path):
            insiders |= _insiders(one, case, task) | _insiders(one, done, task)
            for other in done.tasks.all():
                insiders |= _insiders(one, done, other)
    if route.name == "reviews":  # whoever issues sees approved cases of the office
        reviewers = Posting.objects.filter(office=done.review_office, role=Role.REVIEWER)
        insiders |= set(reviewers.values_list("user", flat=True))
    for person in _faces(insiders, task.office).values():
        answer = caller(person.username).get(route.url())
        if Posting.objects.filter(user=person, role__in=ROLES[route.name]).exists():
            assert answer.json()["results"] == [], person.username
        else:
            problem(answer, 404, "not-found")


def test_a_head_reads_a_task_without_viewing_it(caller: Caller, world: tuple[Case, Case, SupervisionTask]) -> None:
    task = world[2]
    head = Posting.objects.get(department=task.department, role=Role.DEPARTMENT_HEAD).user
    client = caller(head.username)
    assert client.get(f"/api/v1/tasks/{task.number}/").json()["status"] == "notified"
    problem(client.post(f"/api/v1/tasks/{task.number}/acknowledgement/", {}, format="json"), 404, "not-found")


def test_a_posting_that_ended_opens_nothing(caller: Caller, world: tuple[Case, Case, SupervisionTask]) -> None:
    clerk = caller("chuangkou1")
    assert clerk.get("/api/v1/cases/").status_code == 200
    Posting.objects.filter(user__username="chuangkou1").update(ends_on="2026-09-27")
    problem(clerk.get("/api/v1/cases/"), 404, "not-found")
