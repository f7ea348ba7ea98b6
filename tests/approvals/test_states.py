"""Every act in every state as every role, one real request a cell; what is refused changes nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache as cached
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as portal
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from approvals import credit_gate, doors, states
from approvals.actions.clocks import request_extension, start_procedure
from approvals.actions.covering import ask_cover
from approvals.actions.ending import withdraw_case
from approvals.actions.intake import correction_choices, is_letter, required_points, slot_of
from approvals.actions.owing import later_lines, outstanding
from approvals.actions.province import report_to_province
from approvals.actions.scoring import give_sheet
from approvals.actions.site import plan_site_check, report_site_check
from approvals.enums import MOVES, CaseStatus, Door, MaterialState, Seat
from approvals.management.commands.state_table import PLACE
from approvals.models import Case, CaseMaterial, Extension, LaterSubmission, PhoneCode, Sheet, SiteCheck, Upload
from approvals.promised import last_lawful_day
from approvals.states import ACTS, APPLICANT, REACH, ROLES, SWEEPS, Act, Cell, Desk
from approvals.uploads import store
from catalogue.models import Material
from deadlines.clock import local_date
from deadlines.enums import PauseGround
from ledger.models import Entry
from offices.models import Posting, User
from offices.tokens import issue
from oversight.demo import weighing as demo
from tests.api.routes import routes
from tests.approvals import play, standing
from tests.approvals.test_covering import BOX, pdf
from tests.approvals.window import PDF
from tests.conftest import Moment

S = CaseStatus
Role = Posting.Role
Body = dict[str, Any]
Ready = Callable[[Case, dt.datetime, bool], Callable[[], Body]]
# What an act says of a state: somebody was faster, or there is nothing (any more) that it could be done to.
STATE_CODES = {"state-conflict"}
OTHER_CODES = {"api:covers DELETE": {"cover-stays"}, "api:corrections": {"second-correction"}}
# Addresses of a case that change nothing of it.
NO_ACTS = {
    "door-code": "sends a code",
    "door-permit": "takes a code",
    "statement": "of a revocation: tests/supervision/test_table.py",
    "door-statement": "of a revocation: tests/supervision/test_table.py",
    "door-credit": "reads the applicant's credit",
    "door-objection": "of a breach: tests/approvals/test_own_credit.py",
    "door-repair": "of a record: tests/approvals/test_own_credit.py",
    "licence-changes": "of a licence: tests/supervision/test_table.py",
}


# --- the table itself


def test_the_document_is_the_table() -> None:
    written = (Path(portal.BASE_DIR) / PLACE).read_text(encoding="utf-8")
    assert written == states.document(), "run: manage.py state_table"


def test_every_move_has_a_cause_and_no_act_moves_otherwise() -> None:
    caused = {move for act in ACTS for move in act.moves} | {move for moves in SWEEPS.values() for move in moves}
    assert caused == {(S(source), S(target)) for source, targets in MOVES.items() for target in targets}
    assert all(set(act.roles) <= set(REACH[act.desk]) for act in ACTS)
    assert len({act.key for act in ACTS}) == len(ACTS)


def test_every_address_that_changes_a_case_is_in_the_table() -> None:
    addresses = {
        f"api:{route.name}" + ("" if method == "post" else f" {method.upper()}")
        for route in routes()
        for method in route.methods
        if method != "get" and ("<slug:number>" in route.path or route.name.startswith("door-"))
        if route.view.__module__.startswith("approvals.") and route.name not in NO_ACTS
    }
    assert addresses == {act.key for act in ACTS if act.route.startswith("api:")}


# --- what each act needs, and says


def _lines(case: Case) -> list[CaseMaterial]:
    return [line for line in case.materials.select_related("material").order_by("order") if line.material]


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("证明.pdf", PDF, "application/pdf")


def _says(**body: Any) -> Ready:
    return lambda case, now, ok: lambda: body


def _slot(case: Case) -> str:
    owed = outstanding(case)
    return slot_of(owed[0] if owed else next(line for line in _lines(case) if not is_letter(line)))


def _upload(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    return lambda: {"slot": _slot(case), "file": _file()}


def _verify(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    line = _lines(case)[0]
    Material.objects.filter(pk__in=[line.material_id]).update(verifiable=True)
    CaseMaterial.objects.filter(pk=line.pk).update(state=MaterialState.MISSING)
    return lambda: {"slot": slot_of(line)}


def _in_file(case: Case, now: dt.datetime) -> Upload:
    line, clerk = _lines(case)[0], play.person("chuangkou1")
    content = ContentFile(pdf("words"), "a.pdf")
    upload = store(content, intake_key=case.intake_key, slot=slot_of(line), by=clerk, now=now)
    Upload.objects.filter(pk=upload.pk).update(case_material=line)
    return upload


def _cover(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    upload = _in_file(case, now)
    box = dict(zip(("page", "x", "y", "width", "height"), BOX, strict=True))
    return lambda: {"file": upload.pk, "boxes": [box], "reason": "名称是许可内容的一部分"}


def _discard(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    upload = _in_file(case, now)
    if case.status in states.BEFORE_DECISION:
        ask_cover(upload, boxes=[BOX], by=play.person("chuangkou1"), now=now)
    return lambda: {"file": upload.pk}


def _credit_decision(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        credit_gate.ask(case, by=play.person("chuangkou1"), now=now)
    return lambda: {"allowed": True, "reason": "承办人决定采用"}


def _sign(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    clerk = play.person("chuangkou1")
    if ok:
        credit_gate.ask(case, by=clerk, now=now)
        credit_gate.settle(case, allowed=True, reason="承办人决定采用", by=clerk, now=now)
        letter = next(line for line in case.materials.select_related("material") if is_letter(line))
        store(ContentFile(PDF, "a.pdf"), intake_key=case.intake_key, slot=slot_of(letter), by=clerk, now=now)
    clauses = list(range(1, max(len(case.promise_clauses), 1) + 1))
    day = f"{last_lawful_day(case, now):%F}" if ok else "2026-10-20"
    return lambda: {"clauses": clauses, "signer": "张三", "capacity": "legal", "method": "paper", "deferred_until": day}


def _signing_code(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    body = _sign(case, now, ok)()
    return lambda: {key: body[key] for key in ("signer", "capacity", "deferred_until")}


def _later(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    slots = [slot_of(line) for line in later_lines(case)] or ["0"]
    return lambda: {"slots": slots, "until": "2026-11-20", "signer": "张三"}


def _correct(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    keys = sorted(required_points(case)) or [correction_choices(case)[0]["key"]]
    return lambda: {"keys": keys}


def _hand_in(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    return lambda: {"provided": {slot_of(line): "provided" for line in outstanding(case)}}


def _sheet_body(case: Case, *, approve: bool = True) -> Body:
    marks = demo.marks(case, approve=approve).items()
    scores = [{"criterion": k, "evidence": m.evidence, "points": m.points, "met": m.met} for k, m in marks]
    return {"approve": approve, "text": "符合。", "scores": scores}


def _sheet(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    return lambda: _sheet_body(case)


def _lead(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        ground = case.business_item.published_grounds()[0]
        keys = [f"{ground.kind}:{ground.id}"]
        second = Sheet.objects.select_related("reviewer").get(case=case, seat=Seat.SECOND).reviewer
        assert case.reviewer is not None
        for person, approve in ((case.reviewer, True), (second, False)):
            give_sheet(
                case, scores=demo.marks(case, approve=approve), approve=approve, text="见评分。",
                keys=[] if approve else keys, by=person, now=now,
            )  # fmt: skip
        Sheet.objects.filter(case=case, seat=Seat.LEAD).delete()
    return dict


def _end(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        assert case.reviewer is not None
        start_procedure(case, ground=PauseGround.HEARING, estimated_days=5, reason="听证会", by=case.reviewer, now=now)
    return lambda: {"result": "已听证"}


def _extension(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        assert case.reviewer is not None
        request_extension(case, days=5, reason="情况复杂", by=case.reviewer, now=now)
    else:
        Extension.objects.create(
            case=case, days=5, reason="复杂", requested_by=standing.decider(case), requested_at=now
        )
    return lambda: {"grant": ok, "answer": "不复杂"}


def _province_answer(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        assert case.reviewer is not None
        report_to_province(case, number="连发改〔2026〕1号", by=case.reviewer, now=now)
    return lambda: {"answer": "同意"}


def _decision(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        demo.advise(case, now)
    return lambda: {"approve": True}


def _promise_settlement(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        standing.lapsed(case, now)
    return lambda: {"cancel": True, "reason": "逾期未补交"}


def _later_settlement(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        LaterSubmission.objects.filter(case=case).update(overdue_at=now)
    return lambda: {"apply": True, "reason": "逾期未补交"}


def _later_extension(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    return lambda: {"until": f"{local_date(now) + dt.timedelta(days=70):%F}", "reason": "证明尚在办理"}


def _site_report(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        assert case.reviewer is not None
        plan_site_check(case, planned_on=local_date(now), by=case.reviewer, now=now)
    return lambda: {"conforms": True, "findings": "情况属实。"}


def _answer(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    missing = next((slot_of(line) for line in _lines(case) if line.state == MaterialState.MISSING), _slot(case))
    return lambda: {"provided": {missing: "provided"}}


def _site_confirm(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    if ok:
        assert case.reviewer is not None
        check = plan_site_check(case, planned_on=local_date(now), by=case.reviewer, now=now)
        report_site_check(case, conforms=True, findings="情况属实。", by=check.second, now=now)
    return lambda: {"confirms": True}


def _permit(case: Case, now: dt.datetime) -> str:
    code = PhoneCode.objects.create(
        case=case, purpose="door", code_hash="0" * 64, sent_at=now, expires_at=now, used_at=now
    )
    return doors.permit(case.number, code)


def _door(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    word = _permit(case, now)
    store(ContentFile(PDF, "a.pdf"), intake_key=case.intake_key, slot=_slot(case), by=None, now=now)
    return lambda: {"permit": word}


def _door_upload(case: Case, now: dt.datetime, ok: bool) -> Callable[[], Body]:
    word = _permit(case, now)
    return lambda: {"permit": word, "slot": _slot(case), "file": _file()}


PROCEDURE = {"ground": PauseGround.HEARING.value, "estimated_days": 5, "reason": "听证会"}
# Act → the family of items that it makes sense for, and what makes it ready.
PLANS: dict[str, tuple[str, Ready]] = {
    "api:uploads": ("owing", _upload),
    "api:verifications": ("plain", _verify),
    "api:covers": ("plain", _cover),
    "api:covers DELETE": ("plain", _discard),
    "api:left-open": ("plain", _cover),
    "api:credit": ("plain", _says()),
    "api:credit-decision": ("unsigned", _credit_decision),
    "api:promise-code": ("unsigned", _signing_code),
    "api:promise": ("unsigned", _sign),
    "api:promise-withdrawal": ("promise", _says()),
    "api:later": ("later", _later),
    "api:accept": ("plain", _says()),
    "api:corrections": ("plain", _correct),
    "api:corrections-answer": ("plain", _answer),
    "api:refusal": ("plain", _says(ground="not_our_duty", reason="不归本机关")),
    "api:mending": ("plain", _says(contact_name="李四")),
    "api:withdrawal": ("plain", _says(reason="不办了")),
    "api:hand-in": ("owing", _hand_in),
    "api:delivery": ("plain", _says(method="counter", receiver="张三")),
    "api:opinion": ("plain", _says(approve=True, text="符合。")),
    "api:sheet": ("scored", _sheet),
    "api:lead": ("paired", _lead),
    "api:site-plan": ("visited", _says(planned_on="2026-09-29")),
    "api:recusal": ("plain", _says(reason="与申请事项有利害关系")),
    "api:unveiling": ("plain", _says(reason="须核对是否重复申请")),
    "api:procedure": ("plain", _says(**PROCEDURE)),
    "api:procedure-end": ("plain", _end),
    "api:extension-request": ("scored", _says(days=5, reason="情况复杂")),
    "api:province-report": ("scored", _says(number="连发改〔2026〕1号")),
    "api:province-answer": ("scored", _province_answer),
    "api:decision": ("plain", _decision),
    "api:completion": ("plain", _says()),
    "api:promise-settlement": ("owing", _promise_settlement),
    "api:later-extension": ("owing", _later_extension),
    "api:later-settlement": ("owing", _later_settlement),
    "api:countersignature": ("paired", _says(agree=True, text="无意见。")),
    "api:site-check": ("visited", _site_report),
    "api:site-check-confirmation": ("visited", _site_confirm),
    "api:extension": ("scored", _extension),
    "oversight:hand_over": ("plain", _says(reason="审查人员外出")),
    "api:door-uploads": ("owing", _door_upload),
    "api:door-answer": ("plain", _door),
    "api:door-owed": ("owing", _door),
    "api:door-promise-withdrawal": ("promise", _door),
    "api:door-withdrawal": ("plain", _door),
}


# --- who asks


@cached
def _named(username: str) -> User:
    return play.person(username)


@cached
def _near(role: str, office: int, department: int) -> User:
    """Somebody of the role in the office, else in the department, else anywhere."""
    postings = Posting.objects.filter(role=role).select_related("user").order_by("pk")
    near = postings.filter(office=office) | postings.filter(office=None, department=department)
    return (near.first() or postings[0]).user


def _person(act: Act, role: str, case: Case) -> User:
    """Who of that role has most to do with the case."""
    if act.desk is Desk.COUNTERSIGN and role in act.roles:
        return _named("ziranziyuanheguihua.huiqian" + ("a" if role == Role.REVIEWER else "b"))
    fixed = {Role.WINDOW_CLERK: "chuangkou1", Role.DELIVERY_CLERK: "chujian1", Role.OVERSEER: "duban1",
             Role.DIVISION_ADMIN: "guanliyuan1", Role.DISCIPLINE: "jijian1"}  # fmt: skip
    if role in fixed:
        return _named(fixed[Role(role)])
    if role == Role.REVIEWER and case.reviewer is not None:
        return case.reviewer
    if role == Role.DECIDER:
        return standing.decider(case)
    if role == Role.SITE_OFFICER:
        visit = SiteCheck.objects.filter(case=case).select_related("first").first()
        if visit is not None:
            return visit.first
    return _near(role, case.review_office_id, case.department_id)


STRANGERS = {
    Role.WINDOW_CLERK: "donghai.chuangkou1", Role.DELIVERY_CLERK: "donghai.chujian1",
    Role.REVIEWER: "donghai.shuili.shenchaa", Role.DECIDER: "donghai.shuili.juedinga",
    Role.DEPARTMENT_HEAD: "donghai.shuili.fuzeren", Role.OVERSEER: "donghai.duban1",
    Role.SITE_OFFICER: "yingjiguanli.hechaa",
}  # fmt: skip


class Callers:
    """Clients with tokens and signed-in browsers, one a person."""

    def __init__(self) -> None:
        self._programs: dict[str, APIClient] = {}
        self._browsers: dict[str, Client] = {}
        self._new: list[User] = []

    def program(self, person: User) -> APIClient:
        """With a token."""
        if person.username not in self._programs:
            self._new.append(person)
            client = self._programs[person.username] = APIClient()
            client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
        return self._programs[person.username]

    def browser(self, person: User) -> Client:
        """Signed in."""
        if person.username not in self._browsers:
            self._new.append(person)
            client = self._browsers[person.username] = Client()
            client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return self._browsers[person.username]

    def settle(self) -> None:
        """Let those in for good whose first token or session was taken back with what they did."""
        new, self._new = self._new, []
        for person in new:
            if self._programs.pop(person.username, None) is not None:
                self.program(person)
            if self._browsers.pop(person.username, None) is not None:
                self.browser(person)
        self._new = []

    def send(self, act: Act, case: Case, person: User | None, body: Body) -> Any:
        """Press it."""
        if not act.route.startswith("api:"):
            browser = self.browser(person) if person else Client()
            return browser.post(reverse(act.route, args=[case.number]), body)
        client = self.program(person) if person else APIClient()
        address = reverse(act.route) if act.desk is Desk.PUBLIC else reverse(act.route, args=[case.number])
        if act.method == "delete":
            return client.delete(f"{address}?file={body['file']}")
        return client.post(address, body, format="multipart" if "file" in body and "slot" in body else "json")


# --- every cell


@contextmanager
def undone() -> Iterator[None]:
    """Everything within is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def image(case: Case) -> tuple[Any, ...]:
    """The case's row, its checklist and its ledger."""
    return (
        Case.objects.filter(pk=case.pk).values().get(),
        list(CaseMaterial.objects.filter(case=case).order_by("pk").values_list("pk", "state", "received_at")),
        Entry.objects.filter(stream=case.stream).count(),
    )


def reachable(act: Act, status: CaseStatus) -> set[CaseStatus]:
    """Where the act may leave a case that was in ``status``."""
    found = {status}
    while more := {target for source, target in act.moves if source in found} - found:
        found |= more
    return found


def chinese(answer: Any) -> bool:
    """Whether the refusal is said in Chinese."""
    text = answer.content.decode()
    if answer.headers["Content-Type"].startswith("application/problem+json"):
        text = json.loads(text)["detail"]
    return any("一" <= letter <= "鿿" for letter in text)


def _code(answer: Any) -> str:
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return "state-conflict" if answer.status_code == 409 else ""
    return str(json.loads(answer.content)["code"])


def wrong(act: Act, cell: Cell, status: CaseStatus, case: Case, answer: Any, before: tuple[Any, ...]) -> str:
    """What is wrong with the answer to somebody whose case it is; empty where it is as the table says."""
    code = answer.status_code
    if cell is Cell.DONE:
        now = S(Case.objects.values_list("status", flat=True).get(pk=case.pk))
        if code >= 400:
            return f"{code} {answer.content.decode()[:300]}"
        return "" if now in reachable(act, status) else f"went to {now}"
    if image(case) != before:
        return f"refused with {code}, but something changed"
    said = _code(answer)
    if code not in (409, 422) or said not in STATE_CODES | OTHER_CODES.get(act.key, set()):
        return f"{code} {said or answer.content.decode()[:200]} instead of words about the state"
    return "" if chinese(answer) else "refused without a Chinese sentence"


def _family(name: str, status: CaseStatus) -> str:
    """The family that has a case in this state: what follows the licence is owed by another than what precedes it."""
    if name == "owing":
        return "later" if status == S.COMPLETED else "promise"
    if name == "later":
        return "lacking" if status == S.SUBMITTED else "later"
    if name == "unsigned":
        return "unsigned" if status in states.BEFORE_ACCEPTANCE else "promise"
    return name


def _asking(act: Act, status: CaseStatus, case: Case) -> list[tuple[str, User | None, Cell]]:
    """Everybody who tries, with what the table says; whoever it sends away first."""
    everybody: list[tuple[str, User | None, Cell]] = [
        (role, None if role == APPLICANT else _person(act, role, case), act.cell(role, status)) for role in ROLES
    ]
    elsewhere: list[tuple[str, User | None, Cell]] = [
        (f"{role} elsewhere", _named(STRANGERS[Role(role)]), Cell.ABSENT) for role in act.roles if role != APPLICANT
    ]
    return sorted(everybody + elsewhere, key=lambda one: one[2] is not Cell.ABSENT)


def _sent_away(act: Act, person: User | None, answer: Any) -> str:
    """What is wrong with the answer to somebody for whom the address does not exist, or who did not sign in."""
    unknown = person is None and act.desk is not Desk.PUBLIC
    if answer.status_code in ((302, 401) if unknown else (404,)):
        return ""
    return f"{answer.status_code} instead of 404: {answer.content.decode()[:200]}"


def _try_all(act: Act, status: CaseStatus, case: Case, body: Callable[[], Body], callers: Callers) -> list[str]:
    """One request a role; what is wrong with the answers."""
    before, found, looked = image(case), [], False
    for role, person, cell in _asking(act, status, case):
        said = body()
        if act.desk is Desk.PUBLIC and role != APPLICANT:
            said["permit"] = "x"
        if cell is Cell.ABSENT:
            fault = _sent_away(act, person, callers.send(act, case, person, said))
        else:
            if not looked and image(case) != before:
                found.append(f"{act.key} / {status}: somebody who was sent away changed something")
            looked = True
            with undone():
                fault = wrong(act, cell, status, case, callers.send(act, case, person, said), before)
        if fault:
            found.append(f"{act.key} / {status} / {role}: {cell}: {fault}")
    if not looked and image(case) != before:
        found.append(f"{act.key} / {status}: somebody who was sent away changed something")
    return found


@pytest.mark.django_db
@pytest.mark.once
def test_every_act_in_every_state_as_every_role(city: None, clock: Moment, settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT, settings.ELICENCE_URL = tmp_path / "uploads", "http://127.0.0.1:9"
    standing.up_to_the_province()
    _named.cache_clear()
    _near.cache_clear()
    callers, cases, faults = Callers(), {}, []
    for act in ACTS:
        name, ready = PLANS[act.key]
        for status in S:
            key = (_family(name, status), status)
            if key not in cases:
                cases[key] = standing.stand(*key, clock.at).pk
            cache.clear()
            case = Case.objects.select_related("reviewer", "intake_by", "business_item").get(pk=cases[key])
            with undone():
                faults += _try_all(act, status, case, ready(case, clock.at, status in act.states), callers)
            callers.settle()
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults)


@pytest.mark.django_db
def test_what_ended_before_its_acceptance_never_reached_the_office(
    city: None, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    lapsed, refused, reached = (
        standing.stand("plain", status, clock.at) for status in (S.LAPSED, S.NOT_ACCEPTED, S.IN_REVIEW)
    )
    early = play.received(clock.at)
    withdraw_case(early, by=play.person("chuangkou1"), door=Door.WINDOW, reason="", now=clock.at)
    decider = sign_in(standing.decider(reached).username)
    listed = decider.get(reverse("office:list"), {"tab": "all"}).content.decode()
    for case in (lapsed, refused, early):
        assert decider.get(reverse("office:case", args=[case.number])).status_code == 404
        assert case.number not in listed
    assert decider.get(reverse("office:case", args=[reached.number])).status_code == 200
