"""证照变动 along the table, by deciders of the office; the public and the open tasks know of it at once (O3.3.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.actions.licences import change_licence
from approvals.actions.revoking import decide_revocation
from approvals.enums import LICENCE_MOVES, CaseAct, LicenceChangeKind
from approvals.exceptions import Refused
from approvals.models import Document, Licence, LicenceChange
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from supervision.enums import TaskAct, TaskStatus
from supervision.models import SupervisionTask, TaskChange
from tests.approvals import play
from tests.approvals.revoking import DECISION, decider, heard, licensed
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
LIST = "/office/licences/"
K = LicenceChangeKind
SAID: dict[str, Any] = {"basis": "行政许可法第四十九条", "reason": "持证人申请变更许可内容。"}


def page(licence: Licence) -> str:
    return reverse("office:licence", args=[licence.number])


def text(response: Any) -> str:
    return str(response.content.decode())


def given(licence: Licence, kind: str) -> dict[str, Any]:
    """What is typed for a change of this kind."""
    more: dict[str, dict[str, str]] = {
        K.CHANGE: {"content": "变更后的许可内容"},
        K.RENEWAL: {"valid_to": (licence.valid_to + dt.timedelta(days=365)).isoformat() if licence.valid_to else ""},
    }
    return {"kind": kind, **SAID, **more.get(kind, {})}


def dated(now: dt.datetime) -> Licence:
    """A licence with a day on which it ends."""
    licence = licensed(now)
    Licence.objects.filter(pk=licence.pk).update(valid_to=dt.date(2027, 9, 27))
    licence.refresh_from_db()
    return licence


def brought(state: str, now: dt.datetime) -> Licence:
    """A licence in this state, by the acts that lead there."""
    if state == Licence.State.REVOKED:
        one = heard(now)
        decide_revocation(one, revoke=True, **DECISION, by=decider(one.case), now=now)
        return Licence.objects.select_related("case", "holder").get(pk=one.licence_id)
    licence = dated(now)
    road = {Licence.State.SUSPENDED: K.SUSPENSION, Licence.State.WITHDRAWN: K.WITHDRAWAL,
            Licence.State.DEREGISTERED: K.DEREGISTRATION}  # fmt: skip
    if state != Licence.State.VALID:
        change_licence(licence, kind=road[Licence.State(state)], **SAID, by=decider(licence.case), now=now)
    return Licence.objects.select_related("case", "holder").get(pk=licence.pk)


# --- every state, every act, every role


@pytest.mark.parametrize("state", Licence.State.values)
@pytest.mark.parametrize("kind", K.values)
def test_state_by_act_by_role(clock: Moment, sign_in: SignIn, state: str, kind: str) -> None:
    licence = brought(state, clock.at)
    said = given(licence, kind)
    for role in (Posting.Role.REVIEWER, Posting.Role.OFFICE_MANAGER, Posting.Role.WINDOW_CLERK):
        people = Posting.objects.filter(role=role).exclude(user__postings__role=Posting.Role.DECIDER)
        assert sign_in(people.order_by("pk")[0].user.username).post(page(licence), said).status_code == 404, role
    answer = sign_in(decider(licence.case).username).post(page(licence), said)
    by_table = kind in LICENCE_MOVES[state] and kind != K.REVOCATION
    # What was revoked was struck off with it: it is not struck off twice.
    allowed = by_table and state != Licence.State.REVOKED
    before = licence.state
    licence.refresh_from_db()
    if allowed:
        assert answer.status_code == 302
        assert licence.state == LICENCE_MOVES[state][kind]
        assert bool(licence.deregistered_on) == (kind == K.DEREGISTRATION)
    else:
        assert answer.status_code == (422 if kind == K.REVOCATION else 409)
        assert licence.state == before


def test_the_table_knows_every_state_and_leads_nowhere_else() -> None:
    assert set(LICENCE_MOVES) == set(Licence.State.values)
    assert {to for moves in LICENCE_MOVES.values() for to in moves.values()} <= set(Licence.State.values)


# --- what a change brings


def test_a_change_is_written_told_and_public(clock: Moment, sign_in: SignIn) -> None:
    licence = dated(clock.at)
    before = licence.content
    browser = sign_in(decider(licence.case).username)
    assert page(licence) in text(browser.get(LIST))
    answer = browser.post(page(licence), given(licence, K.CHANGE), follow=True)
    shown = text(answer)
    assert "已变更" in shown
    change = LicenceChange.objects.get(licence=licence)
    assert (change.before["content"], change.after["content"]) == (before, "变更后的许可内容")
    assert change.made_by == decider(licence.case)
    assert change.document is not None
    assert change.document.kind == "licence_change"
    assert "变更后的许可内容" in str(change.document.content)
    assert change.document.number in shown
    assert "变更后的许可内容" in text(Client().get(reverse("licence", args=[licence.number])))
    assert Message.objects.filter(reference=licence.case.stream, kind="holder_licence_changed").count() == 1
    assert Entry.objects.filter(stream=licence.case.stream, act=CaseAct.LICENCE_CHANGED).count() == 1
    assert list(verify.faults()) == []


def test_open_tasks_learn_of_it_at_once_and_closed_ones_do_not(clock: Moment, sign_in: SignIn) -> None:
    licence = dated(clock.at)
    tasks = list(SupervisionTask.objects.filter(licence=licence).order_by("pk"))
    for kind in (K.SUSPENSION, K.RESUMPTION, K.WITHDRAWAL):
        change_licence(licence, kind=kind, **SAID, by=decider(licence.case), now=clock.at)
    for task in tasks:
        rows = TaskChange.objects.filter(task=task)
        assert [(row.kind, row.ends_licence) for row in rows] == [
            ("suspension", False), ("resumption", False), ("withdrawal", True),
        ]  # fmt: skip
        assert Entry.objects.filter(stream=task.stream, act=TaskAct.LICENCE_CHANGED).count() == 3
        managers = set(task.office.managers(dt.date(2026, 9, 28)))
        told = Message.objects.filter(reference=task.stream, kind="task_licence_changed")
        assert {message.to_user for message in told} == managers
        assert told.count() == 3 * len(managers)
        browser = sign_in(task.office.managers(dt.date(2026, 9, 28))[0].username)
        shown = text(browser.get(reverse("tasks:task", args=[task.number])))
        assert "证照已经失效" in shown
        assert not TaskChange.objects.filter(task=task, seen_at__isnull=True).exists()
    closed = tasks[0]
    SupervisionTask.objects.filter(pk=closed.pk).update(
        status=TaskStatus.CLOSED, closed_at=clock.at, end="licence_ended", end_reason="证照已失效"
    )
    change_licence(licence, kind=K.DEREGISTRATION, **SAID, by=decider(licence.case), now=clock.at)
    assert TaskChange.objects.filter(task=closed).count() == 3
    assert list(verify.faults()) == []


@pytest.mark.parametrize(
    ("kind", "sentence"), [(K.SUSPENSION, "已中止"), (K.WITHDRAWAL, "已撤回"), (K.DEREGISTRATION, "已注销")]
)
def test_the_public_sees_what_became_of_it(city: None, clock: Moment, kind: str, sentence: str) -> None:
    licence = dated(clock.at)
    change_licence(licence, kind=kind, **SAID, by=decider(licence.case), now=clock.at)
    visitor = Client()
    grant = Document.objects.get(case=licence.case, kind="approval")
    for address in (reverse("licence", args=[licence.number]), reverse("verify", args=[grant.verify_code])):
        assert sentence in text(visitor.get(address))
    said = {"number": licence.case.number, "code": licence.case.query_code}
    assert f"证照{sentence}" in text(visitor.post("/progress/", said))
    answer = visitor.get(f"/api/v1/verify/{grant.verify_code}/").json()
    assert (answer["state"], answer["licence"]["state"]) == (f"证照{sentence}", Licence.objects.get().state)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "revocation"}, "change-kind"),
        ({"basis": " "}, "basis-missing"),
        ({"reason": ""}, "reason-missing"),
        ({"content": ""}, "nothing-changed"),
        ({"kind": "renewal", "valid_to": None}, "renewal-day"),
        ({"kind": "renewal", "valid_to": dt.date(2027, 9, 27)}, "renewal-day"),
    ],
)
def test_wrong_input_is_said_and_changes_nothing(
    city: None, clock: Moment, wrong: dict[str, Any], code: str
) -> None:  # fmt: skip
    licence = dated(clock.at)
    said: dict[str, Any] = {"kind": "change", "content": "新的内容", **SAID} | wrong
    with pytest.raises(Refused) as refused:
        change_licence(licence, **said, by=decider(licence.case), now=clock.at)
    assert refused.value.code == code
    assert not LicenceChange.objects.exists()


def test_what_was_typed_comes_back_beside_the_sentence(clock: Moment, sign_in: SignIn) -> None:
    licence = dated(clock.at)
    said = given(licence, K.CHANGE) | {"basis": ""}
    answer = sign_in(decider(licence.case).username).post(page(licence), said)
    assert answer.status_code == 422
    assert "请写明依据" in text(answer)
    assert "变更后的许可内容" in text(answer)


def test_an_expired_licence_is_not_renewed(city: None, clock: Moment) -> None:
    licence = dated(clock.at)
    now = clock.to("2027-09-28 10:00")
    with pytest.raises(Refused) as refused:
        change_licence(
            licence, kind=K.RENEWAL, valid_to=dt.date(2028, 9, 27), **SAID, by=decider(licence.case), now=now
        )
    assert refused.value.code == "licence-expired"


# --- who may


def test_other_offices_departments_and_divisions_find_nothing(clock: Moment, sign_in: SignIn) -> None:
    licence = dated(clock.at)
    office = licence.case.review_office
    rows = Posting.objects.filter(role=Posting.Role.DECIDER).exclude(user__postings__office=office)
    accounts = {
        rows.filter(department=office.department).order_by("pk").first(),
        rows.exclude(department=office.department).order_by("pk").first(),
        rows.exclude(department__division=licence.case.division).order_by("pk").first(),
    } - {None}
    assert len(accounts) >= 2
    for posting in accounts:
        assert posting is not None
        browser = sign_in(posting.user.username)
        assert browser.get(page(licence)).status_code == 404
        assert licence.number not in text(browser.get(LIST))
        assert licence.number not in b"".join(browser.get(f"{LIST}export.csv")).decode()
        with pytest.raises(Refused):
            change_licence(licence, **given(licence, K.SUSPENSION), by=posting.user, now=clock.at)
    assert sign_in("chuangkou1").get(LIST).status_code == 404
    assert sign_in(play.holder(Posting.Role.REVIEWER, licence.case).username).get(page(licence)).status_code == 404


# --- the list


def test_the_list_finds_filters_exports_and_asks_a_constant_number_of_questions(clock: Moment, sign_in: SignIn) -> None:
    first = dated(clock.at)
    browser = sign_in(decider(first.case).username)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as few:
        browser.get(LIST)
    second = dated(clock.at)
    change_licence(second, kind=K.SUSPENSION, **SAID, by=decider(second.case), now=clock.at)
    with CaptureQueriesContext(connection) as more:
        shown = text(browser.get(LIST))
    assert page(first) in shown
    assert page(second) in shown
    assert len(more) == len(few)
    found = text(browser.get(f"{LIST}?state=suspended"))
    assert (page(second) in found, page(first) in found) == (True, False)
    found = text(browser.get(f"{LIST}?q={first.number}"))
    assert (page(second) in found, page(first) in found) == (False, True)
    assert page(first) not in text(browser.get(f"{LIST}?validity=over"))
    rows = b"".join(browser.get(f"{LIST}export.csv?state=valid")).decode("utf-8-sig")
    assert (first.number in rows, second.number in rows) == (True, False)
    assert "没有符合条件" in text(browser.get(f"{LIST}?q=nobody"))
