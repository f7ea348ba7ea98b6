"""The API's twins of a revocation and of changes of a licence; two deciders at once."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from approvals.actions.revoking import decide_revocation, give_notice, propose_revocation
from approvals.doors import check_code, permit, send_code
from approvals.exceptions import Refused
from approvals.models import Document, Licence, LicenceChange, Revocation
from credit.models import CreditFact
from ledger import verify
from notifications.models import Message
from offices.models import Posting, User
from offices.tokens import issue
from supervision.models import TaskChange
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.revoking import (
    DECISION,
    EVIDENCE,
    FACTS,
    chair_of,
    decider,
    fresh,
    heard,
    licensed,
    noticed,
    proposed,
)
from tests.approvals.test_races import together
from tests.conftest import Moment

ROOT = "/api/v1"


def caller(person: User) -> APIClient:
    """A program that holds the person's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue(person).token}")
    return client


@pytest.mark.django_db
def test_the_whole_road_through_the_api(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    url, api = f"{ROOT}/revocations/{one.pk}/", caller(decider(one.case))
    listed = api.get(f"{ROOT}/revocations/").json()["results"]
    assert [(row["id"], row["acts"]) for row in listed] == [(one.pk, ["notice"])]
    missing = api.post(f"{url}notice/", {"ground": "", "facts": FACTS}, format="json")
    assert (missing.status_code, missing.json()["code"]) == (422, "ground-missing")
    told = api.post(f"{url}notice/", {"ground": "fraud", "facts": FACTS, "days": 5}, format="json").json()
    assert (told["status"], told["acts"]) == ("noticed", ["hear", "anew"])
    anew = {"ground": "unqualified", "facts": FACTS, "days": 5, "replaces": told["notice"]}
    again = api.post(f"{url}notice/", anew | {"replaces": "连卫撤告〔2026〕99号"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "state-conflict")
    told = api.post(f"{url}notice/", anew, format="json").json()
    assert (told["status"], told["ground"]) == ("noticed", "unqualified")
    assert told["notice"] != anew["replaces"]
    early = api.post(f"{url}decision/", {"revoke": True, **DECISION}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "not-heard")
    asked = api.post(f"{url}statement/", {"text": "", "wish": "ask"}, format="json").json()
    assert asked["acts"] == ["hear", "plan", "anew"]
    assert asked["deadline"]["state"] == "paused"
    plan = {"on": "2026-10-13", "place": "三楼", "chair": chair_of(one).username}
    assert api.post(f"{url}hearing/", plan | {"chair": "nobody"}, format="json").status_code == 422
    assert api.post(f"{url}hearing/", plan, format="json").status_code == 200
    clock.to("2026-10-13 16:00")
    refused = caller(decider(one.case)).post(f"{url}hearing/record/", {"record": "代写"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-chair")
    chaired = caller(chair_of(one))
    assert chaired.post(f"{url}decision/", {"revoke": True, **DECISION}, format="json").status_code == 404
    assert chaired.post(f"{url}hearing/record/", {"record": "双方到场。"}, format="json").json()["status"] == "heard"
    api = caller(decider(one.case))
    other = api.post(f"{url}decision/", {"revoke": True, **DECISION, "ground": "fraud"}, format="json")
    assert (other.status_code, other.json()["code"]) == (422, "ground-not-noticed")
    done = api.post(f"{url}decision/", {"revoke": True, **DECISION}, format="json").json()
    assert (done["status"], done["revoke"], done["licence"]["state"]) == ("decided", True, "revoked")
    again = api.post(f"{url}decision/", {"revoke": False, "reason": "又改"}, format="json")
    assert again.status_code == 409


@pytest.mark.django_db
def test_others_find_nothing_through_the_api(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    case, number = one.case, one.licence.number
    others = Posting.objects.filter(role=Posting.Role.DECIDER).exclude(user__postings__office=one.office)
    reviewer = play.holder(Posting.Role.REVIEWER, case, decider(case))
    for person in (reviewer, others.order_by("pk")[0].user, play.person("chuangkou1"), chair_of(one)):
        api = caller(person)
        for path in (f"revocations/{one.pk}/", f"licences/{number}/"):
            assert api.get(f"{ROOT}/{path}").status_code == 404, person.username
        for path in ("notice", "statement", "hearing", "hearing/record", "decision"):
            answer = api.post(f"{ROOT}/revocations/{one.pk}/{path}/", {}, format="json")
            assert answer.status_code == 404, (person.username, path)
        assert number not in str(api.get(f"{ROOT}/revocations/").content)
        assert number not in str(api.get(f"{ROOT}/licences/").content)
        assert api.post(f"{ROOT}/licences/{number}/changes/", {}, format="json").status_code == 404


@pytest.mark.django_db
def test_the_window_records_the_holder_through_the_api(city: None, clock: Moment) -> None:
    one, window = proposed(clock.at), caller(play.person("chuangkou1"))
    url = f"{ROOT}/cases/{one.case.number}/statement/"
    said = {"text": "面积测量有误。", "wish": "later"}
    early = window.post(url, said, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "state-conflict")
    give_notice(one, ground="unqualified", facts=FACTS, days=5, by=decider(one.case), now=clock.at)
    nothing = window.post(url, {"text": "", "wish": "later"}, format="json")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "statement-missing")
    assert window.post(url, said, format="json").status_code == 200
    assert fresh(one).statement == "面积测量有误。"


@pytest.mark.django_db
def test_a_licence_is_changed_through_the_api(city: None, clock: Moment) -> None:
    licence = licensed(clock.at)
    api = caller(decider(licence.case))
    url = f"{ROOT}/licences/{licence.number}/"
    assert "suspension" in api.get(url).json()["may"]
    said = {"kind": "suspension", "basis": "行政许可法第六十八条", "reason": "设施存在安全隐患"}
    wrong = api.post(f"{url}changes/", said | {"basis": ""}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "basis-missing")
    done = api.post(f"{url}changes/", said, format="json")
    assert done.status_code == 201
    body = done.json()
    assert (body["state"], body["changes"][0]["fields_changed"][0]["after"]) == ("suspended", "已中止")
    assert api.post(f"{url}changes/", said, format="json").status_code == 409
    found = api.get(f"{ROOT}/licences/?state=suspended").json()["results"]
    assert [row["number"] for row in found] == [licence.number]


@pytest.mark.django_db
def test_the_holder_states_through_the_api(city: None, clock: Moment) -> None:
    one = noticed(clock.at)
    send_code(one.case, address="127.0.0.1", now=clock.at)
    digits = Message.objects.filter(kind="applicant_phone_code").latest("pk").text[3:9]
    word = permit(one.case.number, check_code(one.case, digits, address="127.0.0.1", now=clock.at))
    said = {"permit": word, "text": "测量有误。", "wish": "later"}
    answer = APIClient().post(f"{ROOT}/progress/statement/", said, format="json")
    assert answer.status_code == 200
    assert answer.json()["licence"]["label"] == "拟撤销"
    assert fresh(one).statement == "测量有误。"
    assert APIClient().post(f"{ROOT}/progress/statement/", said | {"permit": "x"}, format="json").status_code == 404


# --- two at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", [True, False])
def test_two_deciders_at_once_one_wins(transactional_db: None, clock: Moment, second: bool) -> None:
    demo_city.load()
    one = heard(clock.at)
    first = decider(one.case)
    posting = Posting.objects.filter(role=Posting.Role.REVIEWER, office=one.office).order_by("pk")[0]
    posting.pk, posting.role = None, Posting.Role.DECIDER
    posting.save()
    other = posting.user
    results = together(
        lambda: decide_revocation(one, revoke=True, **DECISION, by=first, now=clock.at),
        lambda: decide_revocation(one, revoke=second, **DECISION, by=other, now=clock.at),
    )
    assert sum(isinstance(result, Refused) and result.conflict for result in results) == 1
    done = fresh(one)
    revoked = bool(done.revoke)
    assert Document.objects.filter(case=one.case, kind__in=["revocation", "no_revocation"]).count() == 1
    assert (done.licence.state == Licence.State.REVOKED) == revoked
    assert LicenceChange.objects.count() == 2 * revoked
    assert CreditFact.objects.count() == 2 * revoked
    assert TaskChange.objects.exists() == revoked
    assert list(verify.faults()) == []


@pytest.mark.django_db(transaction=True)
def test_two_tasks_propose_the_same_licence_at_once_one_wins(transactional_db: None, clock: Moment) -> None:
    demo_city.load()
    licence = licensed(clock.at)
    by = play.person("chuangkou1")

    def propose(source: str) -> Revocation:
        return propose_revocation(
            licence, source=source, source_number=source, proposed_by_name="某处", facts=FACTS, evidence=EVIDENCE,
            broken_promise=False, by=by, now=clock.at,
        )  # fmt: skip

    results = together(lambda: propose("task:1"), lambda: propose("task:2"))
    assert sum(isinstance(result, Refused) and result.conflict for result in results) == 1
    assert Revocation.objects.count() == 1
    assert list(verify.faults()) == []
