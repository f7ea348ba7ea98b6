"""Every act of the supervision tables in every state as every role, one request a cell; a refusal changes nothing."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals import doors
from approvals.actions.licences import BY_HAND
from approvals.models import Case, PhoneCode
from approvals.states import APPLICANT, ROLES, Cell
from ledger.models import Entry
from offices.models import Department, Office, Posting, User
from offices.tokens import issue
from supervision import table
from supervision.actions import correcting, handing_over, inspecting, ordering, visiting
from supervision.models import SupervisionTask
from supervision.table import OBEYED, THINGS, Act, Thing
from tests.api.routes import routes
from tests.approvals import play, revoking
from tests.conftest import Moment
from tests.supervision import drawing, standing
from tests.supervision import inspecting as field
from tests.supervision import ordering as make
from tests.supervision import tasks as some
from tests.supervision.standing import Stand, undone

Role = Posting.Role
Body = dict[str, Any]
Ready = Callable[[Stand, bool], Callable[[], Body]]
# What acts say of a state beside "state-conflict": that there is nothing (any more) that they could be done to.
OTHER_CODES = {
    "api-tasks:acknowledgements": {"tasks-refused"},
    "api-tasks:order": {"order-exists", "order-needs-finding"},
    "api-tasks:handover": {"handover-needs-finding", "order-running"},
    "api-tasks:proposal": {"proposal-needs-order", "evidence-missing"},
    "api-tasks:closure": {"nonconforming-open"},
    "api-tasks:feedback conforming": {"result-contradicts"},
    "api-tasks:feedback nonconforming": {"feedback-needs-finding"},
    "api-tasks:inspections changed": {"inspection-sent", "draft-key-used"},
    "api-tasks:inspections on-site": {"visit-missing", "visit-not-approved"},
    "api-tasks:task_disputes": {"dispute-settled"},
    "api:hearing-record": {"not-chair"},
    "api:revocation-decision": {"not-heard"},
}
# Addresses that change something, and are of no thing in the tables: they begin one, or set a rule.
BEGINNINGS = {
    f"api-tasks:{name}"
    for name in (
        "draw-plan-new",
        "sampling-rate",
        "checklist",
        "checklist-plan-limit",
        "stock-batches",
        "stock-files",
        "stock-starts",
    )
}
REMOVALS = {"api-tasks:draw-plan-removal"}
# Pages that carry out an act of the task, with the address of the act: an empty form to them does nothing.
PAGES = {
    "acknowledge": "acknowledgement", "assign": "assignment", "replan": "plan", "licence_ended": "licence-ended",
    "dispute": "task_disputes", "finish": "finish", "feedback": "feedback", "close": "closure",
    "inspect": "inspections", "reinspect": "inspections", "photo_upload": "inspection-photos", "order_new": "order",
    "handover": "handover", "proposal": "proposal", "visit_request": "visit-request",
    "visit_cancel": "visit-cancellation", "set_aside": "set-aside",
}  # fmt: skip


# --- the tables themselves


def test_every_move_has_a_cause_and_no_act_moves_otherwise() -> None:
    for thing in THINGS:
        if thing.key in OBEYED:
            obeyed = {(source, target) for source, targets in OBEYED[thing.key].items() for target in targets}
            assert thing.moves == obeyed, thing.key
        assert {state for move in thing.moves for state in move} <= set(thing.states)
        assert all(set(act.states) <= set(thing.states) for act in thing.acts)
        assert all(set(act.roles) <= set(ROLES) for act in thing.acts)
        assert len({act.key for act in thing.acts}) == len(thing.acts)


def test_every_address_that_changes_something_is_in_the_tables() -> None:
    addresses = {
        f"api-tasks:{route.name}"
        for route in routes()
        if route.view.__module__.startswith("supervision.") and set(route.methods) - {"get"}
    }
    addresses |= {
        f"api:{route.name}"
        for route in routes()
        if route.view.__module__ in {"approvals.api.revocations", "approvals.api.licences"}
        and set(route.methods) - {"get"}
    }
    assert addresses - BEGINNINGS == {act.route for thing in THINGS for act in thing.acts if act.method == "post"}


# --- what each act needs, and says


def _says(**body: Any) -> Ready:
    return lambda stand, ok: lambda: body


PLAN = {"measure": "combined", "measure_with": "十月联合检查", "planned_finish_on": "2026-10-15", "reason": "改期"}
TAKEN = {"measure": "off_site", "planned_finish_on": "2026-10-08"}


def _many(stand: Stand, ok: bool) -> Callable[[], Body]:
    return lambda: TAKEN | {"numbers": [stand.task.number]}


def _officers(stand: Stand, ok: bool) -> Callable[[], Body]:
    manager = some.manager_of(stand.task)
    return lambda: {"first_officer": manager, "second_officer": f"{manager}fu"}


def _licence_ended(stand: Stand, ok: bool) -> Callable[[], Body]:
    if ok:
        standing.withdraw(stand.task, stand.at)
    return lambda: {"reason": "证照已由审批部门撤回。"}


def _visit(stand: Stand, ok: bool) -> Callable[[], Body]:
    if ok and visiting.open_visit(stand.task) is None:
        standing.ask_visit(stand.task, stand.at)
    return lambda: {"approve": True, "reason": "改期"}


def _photo(stand: Stand, ok: bool) -> Callable[[], Body]:
    draft = str(uuid.uuid4())
    return lambda: {
        "draft_key": draft,
        "client_key": str(uuid.uuid4()),
        "file": SimpleUploadedFile("a.jpg", field.JPEG, "image/jpeg"),
    }


def _look(stand: Stand, ok: bool) -> Callable[[], Body]:
    return lambda: standing.as_json(standing.look(stand.task, stand.at))


def _look_again(stand: Stand, ok: bool) -> Callable[[], Body]:
    if ok and inspecting.running_order(stand.task) is None:
        standing.ordered(stand.task, stand.at)
    return lambda: standing.as_json(standing.look(stand.task, stand.at, again=True))


def _changed(stand: Stand, ok: bool) -> Callable[[], Body]:
    return lambda: standing.as_json(standing.look(stand.task, stand.at, key=standing.KEY)) | {"summary": "改过了。"}


def _on_site(stand: Stand, ok: bool) -> Callable[[], Body]:
    return lambda: standing.as_json(field.draft(stand.task, stand.at))


def _fed(result: str) -> Ready:
    return lambda stand, ok: lambda: make.FED | {"result": result}


def _settled(stand: Stand) -> None:
    order = ordering.newest(stand.task)
    if order is not None and order.status == "running":
        standing.refused(stand.task, stand.at)


def _handover(stand: Stand, ok: bool) -> Callable[[], Body]:
    _settled(stand)
    return lambda: standing.LETTER


def _result(stand: Stand, ok: bool) -> Callable[[], Body]:
    day = stand.at.date()
    if ok:
        by = make.manager(stand.task)
        handing_over.receive_receipt(stand.task, number="回1号", received_on=day, by=by, now=stand.at)
    return lambda: {"result": "罚款。", "number": "罚1号", "result_on": day.isoformat()}


def _proposal(stand: Stand, ok: bool) -> Callable[[], Body]:
    if stand.row == stand.task:  # an order is looked at as it stands
        _settled(stand)
    return lambda: {"facts": "责令后当面拒不整改。", "keys": [standing.order_key(stand.task)]}


def _extension(stand: Stand, ok: bool) -> Callable[[], Body]:
    until = (stand.row.due_on + dt.timedelta(days=5)).isoformat()
    return lambda: {"until": until, "reason": "等配件。"}


def _answer(stand: Stand, ok: bool) -> Callable[[], Body]:
    if ok:
        until = stand.row.due_on + dt.timedelta(days=5)
        ordering.ask_extension(stand.row, until=until, reason="等配件。", by=make.manager(stand.task), now=stand.at)
    return lambda: {"grant": True}


def _set_aside(stand: Stand, ok: bool) -> Callable[[], Body]:
    if ok:
        reason = "查的是隔壁企业，弄错了对象。"
        correcting.ask_set_aside(stand.task, record=1, reason=reason, by=make.manager(stand.task), now=stand.at)
    return lambda: {"grant": True, "answer": "经核对照片，确属对象错误。"}


def _decide_dispute(stand: Stand, ok: bool) -> Callable[[], Body]:
    return lambda: {"outcome": "confirmed", "reason": "依职责分工。"}


def _door(stand: Stand, ok: bool) -> Callable[[], Body]:
    case = Case.objects.get(pk=stand.row.case_id)
    code = PhoneCode.objects.create(
        case=case, purpose="door", code_hash="0" * 64, sent_at=stand.at, expires_at=stand.at, used_at=stand.at
    )
    word = doors.permit(case.number, code)
    return lambda: {"permit": word, "text": "面积测量有误。", "wish": "later"}


def _hearing(stand: Stand, ok: bool) -> Callable[[], Body]:
    chair = revoking.chair_of(stand.row).username
    return lambda: {"on": "2026-10-20", "place": "三楼", "chair": chair}


def _wanted(stand: Stand, ok: bool) -> Callable[[], Body]:
    link = drawing.linkage()
    return lambda: {
        "name": "改过的计划", "sub_item": link.sub_item.code, "business_items": [link.business_item.code],
        "month": "2026-09", "planned_finish_on": "2026-10-30",
    }  # fmt: skip


def _change(kind: str) -> Ready:
    body = {"kind": kind, "basis": "行政许可法", "reason": "情况变化"}
    if kind == "change":
        body["content"] = "改过的许可内容"
    if kind == "renewal":
        body["valid_to"] = "2030-01-01"
    return lambda stand, ok: lambda: body


def _anew(stand: Stand, ok: bool) -> Callable[[], Body]:
    told = stand.row.notice
    return lambda: NOTICE | {"replaces": told.number if told else "无"}


ORDER = make.ORDER | {"due_on": "2026-10-20"}
NOTICE = {"ground": "unqualified", "facts": "责令后当面拒不整改。", "days": 5}
HEARD = {"text": "面积测量有误。", "wish": "later"}
# Thing and act → the family of states that it makes sense for, and what makes it ready.
PLANS: dict[tuple[str, str], tuple[str, Ready]] = {
    ("task", "api-tasks:task GET"): ("bad", _says()),
    ("task", "api-tasks:acknowledgement"): ("bad", _says(**TAKEN)),
    ("task", "api-tasks:acknowledgements"): ("bad", _many),
    ("task", "api-tasks:task_disputes"): ("bad", _says(reason="属另一部门职责。")),
    ("task", "api-tasks:assignment"): ("bad", _officers),
    ("task", "api-tasks:plan"): ("bad", _says(**PLAN)),
    ("task", "api-tasks:licence-ended"): ("bad", _licence_ended),
    ("task", "api-tasks:visit-request"): ("bad", _says(planned_on="2026-09-29", purpose="核查", exemption="投诉举报")),
    ("task", "api-tasks:visit-settlement"): ("bad", _visit),
    ("task", "api-tasks:visit-cancellation"): ("bad", _visit),
    ("task", "api-tasks:inspection-photos"): ("bad", _photo),
    ("task", "api-tasks:inspections first"): ("bad", _look),
    ("task", "api-tasks:inspections again"): ("bad", _look_again),
    ("task", "api-tasks:set-aside"): ("bad", _says(record=1, reason="查的是隔壁企业，弄错了对象。")),
    ("task", "api-tasks:set-aside-answer"): ("bad", _set_aside),
    ("task", "api-tasks:finish"): ("bad", _says(finished_on="2026-09-29")),
    ("task", "api-tasks:feedback"): ("bad", _fed("nonconforming")),
    ("task", "api-tasks:closure"): ("fair", _says(follow_up="当场改正。")),
    ("task", "api-tasks:order"): ("bad", _says(**ORDER)),
    ("task", "api-tasks:handover"): ("bad", _handover),
    ("task", "api-tasks:handover-receipt"): ("bad", _says(number="回1号", received_on="2026-09-29")),
    ("task", "api-tasks:handover-result"): ("bad", _result),
    ("task", "api-tasks:proposal"): ("bad", _proposal),
    ("finding", "api-tasks:inspections changed"): ("in_progress", _changed),
    ("finding", "api-tasks:inspections first"): ("in_progress", _look),
    ("finding", "api-tasks:order"): ("in_progress", _says(**ORDER)),
    ("finding", "api-tasks:feedback conforming"): ("finished", _fed("conforming")),
    ("finding", "api-tasks:feedback nonconforming"): ("finished", _fed("nonconforming")),
    ("finding", "api-tasks:closure"): ("fed_back", _says(follow_up="当场改正。")),
    ("finding", "api-tasks:handover"): ("fed_back", _handover),
    ("order", "api-tasks:order-extension"): ("", _extension),
    ("order", "api-tasks:order-answer"): ("", _answer),
    ("order", "api-tasks:inspections again"): ("", _look_again),
    ("order", "api-tasks:order-outcome"): ("", _says(outcome="refused", reason="负责人当面拒绝整改。")),
    ("order", "api-tasks:handover"): ("", _says(**standing.LETTER)),
    ("order", "api-tasks:proposal"): ("", _proposal),
    ("order", "api-tasks:licence-ended"): ("", _licence_ended),
    ("visit", "api-tasks:visit-request"): ("", _says(planned_on="2026-09-29", purpose="核查", exemption="投诉举报")),
    ("visit", "api-tasks:visit-settlement"): ("", _says(approve=True)),
    ("visit", "api-tasks:visit-cancellation"): ("", _says(reason="改期")),
    ("visit", "api-tasks:inspections on-site"): ("", _on_site),
    ("dispute", "api-tasks:dispute_decision"): ("", _decide_dispute),
    ("dispute", "api-tasks:task_disputes"): ("", _says(reason="还是不属本处室。")),
    ("revocation", "api:revocation-notice"): ("told", _says(**NOTICE)),
    ("revocation", "api:revocation-notice anew"): ("told", _anew),
    ("revocation", "api:revocation-statement"): ("told", _says(**HEARD)),
    ("revocation", "api:statement"): ("told", _says(**HEARD)),
    ("revocation", "api:door-statement"): ("told", _door),
    ("revocation", "api:revocation-hearing"): ("asked", _hearing),
    ("revocation", "api:hearing-record"): ("planned", _says(record="双方到场。")),
    ("revocation", "api:revocation-decision"): ("lapsed", _says(revoke=True, **revoking.DECISION)),
    **{("licence", f"api:licence-changes {kind}"): ("", _change(kind)) for kind in BY_HAND},
    ("draw", "api-tasks:draw-plan GET"): ("", _says()),
    ("draw", "api-tasks:draw-plan-preview GET"): ("", _says()),
    ("draw", "api-tasks:draw-plan-change"): ("", _wanted),
    ("draw", "api-tasks:draw-plan-removal"): ("", _says()),
    ("draw", "api-tasks:draw-plan-publication"): ("", _says()),
    ("draw", "api-tasks:draw-plan-drawing"): ("", _says()),
}
STANDS: dict[str, Callable[[SupervisionTask, str, str, dt.datetime], Stand]] = {
    "task": standing.task_in, "finding": standing.finding_in, "order": standing.order_in, "visit": standing.visit_in,
    "dispute": standing.dispute_in, "revocation": standing.revocation_in, "draw": standing.draw_in,
    "licence": standing.licence_in,
}  # fmt: skip


# --- who asks


def inspectors_of(office: Office) -> list[User]:
    """Those of the office who inspect."""
    rows = Posting.objects.filter(role=Role.INSPECTOR, office=office).select_related("user").order_by("pk")
    return [posting.user for posting in rows]


def of_role(role: str, *, office: Office | None = None, department: Department | None = None) -> User:
    """The first of that role in the office, in the department, or anywhere."""
    rows = Posting.objects.filter(role=role).select_related("user").order_by("pk")
    if office is not None:
        rows = rows.filter(office=office)
    if department is not None:
        rows = rows.filter(department=department)
    return rows[0].user


def nearest(task: SupervisionTask, office: Office) -> dict[str, User]:
    """Who of each role has most to do with the thing; ``office``: the one whose it is."""
    assert task.case is not None
    inspector = task.first_officer if office.pk == task.office_id else inspectors_of(office)[0]
    assert task.case.reviewer is not None
    assert inspector is not None
    return {
        Role.OFFICE_MANAGER: of_role(Role.OFFICE_MANAGER, office=office),
        Role.OFFICE_DEPUTY: of_role(Role.OFFICE_DEPUTY, office=office),
        Role.INSPECTOR: inspector,
        Role.DEPARTMENT_HEAD: of_role(Role.DEPARTMENT_HEAD, department=office.department),
        Role.OVERSEER: play.person("duban1"),
        Role.REVIEWER: task.case.reviewer,
        Role.DECIDER: revoking.decider(task.case),
        Role.WINDOW_CLERK: play.person("chuangkou1"),
        Role.DELIVERY_CLERK: play.person("chujian1"),
        Role.DIVISION_ADMIN: play.person("guanliyuan1"),
        Role.DISCIPLINE: play.person("jijian1"),
        Role.SITE_OFFICER: of_role(Role.SITE_OFFICER),
        Role.CREDIT_OFFICER: of_role(Role.CREDIT_OFFICER, department=office.department),
    }


def strangers(role: str, office: Office, review: Office) -> list[User]:
    """The same role where the thing is not theirs: another office, another department, another division."""
    rows = Posting.objects.filter(role=role).select_related("user").order_by("pk")
    here, city = office.department, office.department.division_id
    if role == Role.DECIDER:
        rows, here = rows.exclude(office=review), review.department
    elif role in {Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY}:
        rows = rows.exclude(office=office)
    elif role == Role.INSPECTOR:
        return [inspectors_of(office)[1], *(p.user for p in rows.exclude(department=here)[:1])]
    elif role == Role.DEPARTMENT_HEAD:
        rows = rows.exclude(department=here)
    else:
        rows = rows.exclude(department__division_id=city)
    groups = (
        rows.filter(department=here),
        rows.filter(department__division_id=city).exclude(department=here),
        rows.exclude(department__division_id=city),
    )
    return [group[0].user for group in groups if group]


class Callers:
    """Clients with tokens, and signed-in browsers, one a person; all let in beforehand."""

    def __init__(self) -> None:
        self.programs: dict[int, APIClient] = {}
        self.browsers: dict[int, Client] = {}

    def let_in(self, person: User) -> None:
        """A token and a session for good."""
        if person.pk not in self.programs:
            program = self.programs[person.pk] = APIClient()
            program.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
            browser = self.browsers[person.pk] = Client()
            browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")

    def send(self, act: Act, stand: Stand, person: User | None, body: Body) -> Any:
        """Press it."""
        client = self.programs[person.pk] if person else APIClient()
        if act.route in {"api:door-statement", "api-tasks:acknowledgements"}:
            address = reverse(act.route)
        elif act.route == "api:licence-changes":
            address = reverse(act.route, args=[stand.row.number])
        elif act.route == "api:statement":
            address = reverse(act.route, args=[stand.row.case.number])
        elif act.route.startswith("api:") or act.route.startswith("api-tasks:d"):
            address = reverse(act.route, args=[stand.row.pk])
        else:
            address = reverse(act.route, args=[stand.task.number])
        if act.method == "get":
            return client.get(address)
        return client.post(address, body, format="multipart" if "file" in body else "json")


# --- every cell


def image(stand: Stand) -> tuple[Any, ...]:
    """The rows of the task and of the thing, and how long the ledger is."""
    both: tuple[Any, Any] = (stand.task, stand.row)
    rows = [type(one).objects.filter(pk=one.pk).values().get() for one in both]
    return (*rows, Entry.objects.count())


def reachable(act: Act, state: str) -> set[str]:
    """Where the act may leave a thing that was in ``state``."""
    found = {state}
    while more := {target for source, target in act.moves if source in found} - found:
        found |= more
    return found


def wrong(thing: Thing, act: Act, cell: Cell, state: str, stand: Stand, answer: Any, before: tuple[Any, ...]) -> str:
    """What is wrong with the answer to somebody whose thing it is; empty where it is as the table says."""
    code = answer.status_code
    if cell is Cell.DONE:
        if code >= 400:
            return f"{code} {answer.content.decode()[:300]}"
        if act.route in REMOVALS:
            return "still there" if type(stand.row).objects.filter(pk=stand.row.pk).exists() else ""
        now = state if thing.key == "finding" else standing.state_of(stand.row)
        return "" if now in reachable(act, state) else f"went to {now}"
    if image(stand) != before:
        return f"refused with {code}, but something changed"
    said = json.loads(answer.content) if code < 500 else {}
    if code not in (409, 422) or said["code"] not in {"state-conflict"} | OTHER_CODES.get(act.key, set()):
        return f"{code} {answer.content.decode()[:200]} instead of words about the state"
    return "" if any("一" <= letter <= "鿿" for letter in said["detail"]) else "no Chinese sentence"


def _sent_away(act: Act, person: User | None, answer: Any) -> str:
    """What is wrong with the answer to somebody for whom the address does not exist, or who did not sign in."""
    wanted = 404 if person or act.route == "api:door-statement" else 401
    return "" if answer.status_code == wanted else f"{answer.status_code} instead of {wanted}"


def _try_all(thing: Thing, act: Act, state: str, stand: Stand, people: dict[str, User], callers: Callers) -> list[str]:
    """One request a role; what is wrong with the answers."""
    _, ready = PLANS[thing.key, act.key]
    body = ready(stand, state in act.states)
    before, found = image(stand), []
    at = f"{thing.key} / {act.key} / {state}"
    review = stand.task.case.review_office if stand.task.case else None
    office = stand.row.office if thing.key == "draw" else Office.objects.get(pk=people_office(stand))
    assert review is not None
    asking: list[tuple[str, User | None, Cell]] = [
        (role, people.get(role), act.cell(role, state)) for role in ROLES if role != APPLICANT
    ]
    asking.append((APPLICANT, None, act.cell(APPLICANT, state)))
    # Who serves elsewhere tries where the act would be done: whose a thing is hangs on no state.
    for role in act.roles if state in act.states else ():
        others = strangers(role, office, review) if role != APPLICANT else []
        # A dispute that was decided may have sent the task to one of them.
        asking += [(f"{role} {one}", one, Cell.ABSENT) for one in others if not _serves(one, stand, office)]
    asking.sort(key=lambda one: one[2] is not Cell.ABSENT)
    looked = False
    for role, person, cell in asking:
        said = body()
        if act.route == "api:door-statement" and role != APPLICANT:
            said["permit"] = "x"
        if cell is Cell.ABSENT:
            fault = _sent_away(act, person, callers.send(act, stand, person, said))
        else:
            if not looked and image(stand) != before:
                found.append(f"{at}: somebody who was sent away changed something")
            looked = True
            with undone():
                fault = wrong(thing, act, cell, state, stand, callers.send(act, stand, person, said), before)
        if fault:
            found.append(f"{at} / {role}: {cell}: {fault}")
    if not looked and image(stand) != before:
        found.append(f"{at}: somebody who was sent away changed something")
    return found


def _serves(person: User, stand: Stand, office: Office) -> bool:
    """Whether a stranger serves in the office that has the task now."""
    return stand.task.office_id != office.pk and Posting.objects.filter(user=person, office=stand.task.office).exists()


def people_office(stand: Stand) -> int:
    """The office whose people act: of a dispute the one that objected."""
    return int(getattr(stand.row, "from_office_id", None) or stand.task.office_id)


def _pages(state: str, stand: Stand, people: dict[str, User], callers: Callers) -> list[str]:
    """The pages of the acts on a task: opened and sent empty they answer, never 500, and 404 to nobody whose it is."""
    found, before = [], image(stand)
    acts = {act.route: act for act in table.TASK.acts}
    for page, route in PAGES.items():
        address, act = reverse(f"tasks:{page}", args=[stand.task.number]), acts[f"api-tasks:{route}"]
        for role in (Role.OFFICE_MANAGER, Role.INSPECTOR, Role.DEPARTMENT_HEAD):
            browser, mine = callers.browsers[people[role].pk], role in act.roles
            answers = [] if page == "photo_upload" else [browser.get(address)]
            answers.append(browser.post(address))
            found += [
                f"page {page} / {state} / {role}: {answer.status_code}"
                for answer in answers
                if (answer.status_code == 404) == mine or answer.status_code >= 500
            ]
    return found + ([f"pages / {state}: an empty form changed something"] if image(stand) != before else [])


@pytest.fixture
def base(city: None, clock: Moment, settings: Settings, tmp_path: Any) -> SupervisionTask:
    """A task that its office was told of yesterday, given to one of its inspectors as a draw would."""
    settings.UPLOAD_ROOT = tmp_path / "uploads"
    task = some.notified(clock.at)
    given = {"first_officer": inspectors_of(task.office)[0], "second_officer": make.manager(task)}
    SupervisionTask.objects.filter(pk=task.pk).update(**given)
    clock.to("2026-09-29 10:00")
    return standing.fresh(task)


@pytest.mark.django_db
@pytest.mark.once
@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.key)
def test_every_act_in_every_state_as_every_role(base: SupervisionTask, clock: Moment, thing: Thing) -> None:
    office = drawing.linkage().office if thing.key == "draw" else base.office
    people, callers, faults, now = nearest(base, office), Callers(), [], clock.at
    assert base.case is not None
    for person in people.values():
        callers.let_in(person)
    for role in {role for act in thing.acts for role in act.roles} - {APPLICANT}:
        for person in strangers(role, office, base.case.review_office):
            callers.let_in(person)
    if thing.key == "revocation":
        people[Role.DEPARTMENT_HEAD] = of_role(Role.DEPARTMENT_HEAD, department=base.case.review_office.department)
        callers.let_in(people[Role.DEPARTMENT_HEAD])
    for state in thing.states:
        for family in dict.fromkeys(PLANS[thing.key, act.key][0] for act in thing.acts):
            with undone():
                clock.at = now
                stand = STANDS[thing.key](base, state, family, now)
                clock.at = stand.at
                if thing.key == "task" and family == "bad":
                    with undone():
                        faults += _pages(state, stand, people, callers)
                for act in thing.acts:
                    if PLANS[thing.key, act.key][0] == family:
                        cache.clear()
                        with undone():
                            faults += _try_all(thing, act, state, stand, people, callers)
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)
