"""The credit officer's acts in the API: the same loop, the same refusals as problem documents, nothing of others."""

from __future__ import annotations

from typing import Any

import pytest

from credit.actions import repairing
from credit.models import Breach, CreditFact, CreditRecord, Push
from tests.api.conftest import Caller, _own_things, caller, problem  # noqa: F401 - fixtures
from tests.conftest import Moment
from tests.credit import facts as make

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/credit/"


def test_the_loop(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    officer, fact = caller(make.OFFICER), make.fact(clock.at, kind=CreditFact.Kind.LATE_MATERIAL)
    [row] = officer.get(f"{ROOT}facts/").json()["results"]
    assert (row["id"], row["breach"], row["source"]) == (fact.pk, None, fact.source)
    notice = f"{ROOT}facts/{fact.pk}/notice/"
    said: dict[str, Any] = {
        "listed": "A04", "level": "minor", "text": "逾期未补交。", "how": "当面送达", "identifier": fact.subject.code,
    }  # fmt: skip
    wrong = said | {"identifier": make.company(1).code}
    assert problem(officer.post(notice, wrong, format="json"), 422, "record-wrong-subject")["errors"][0]["field"]
    problem(officer.post(notice, said | {"identifier": ""}, format="json"), 422, "record-wrong-subject")
    problem(officer.post(notice, said | {"listed": "A01"}, format="json"), 422, "not-listed")
    problem(officer.post(notice, said | {"level": "serious"}, format="json"), 422, "level-not-listed")
    problem(officer.post(notice, said | {"text": " "}, format="json"), 422, "breach-text-missing")
    problem(officer.post(notice, said | {"how": ""}, format="json"), 422, "served-how-missing")
    told = officer.post(notice, said, format="json").json()
    assert (told["status"], told["deadline"]["kind"]) == ("told", "credit_objection")
    problem(officer.post(notice, said, format="json"), 409, "state-conflict")
    decision = f"{ROOT}breaches/{told['id']}/decision/"
    verdict: dict[str, Any] = {"record": True, "final_on": "2026-09-28", "reason": "异议不成立。"}
    problem(officer.post(decision, verdict, format="json"), 409, "objection-open")
    objection = f"{ROOT}breaches/{told['id']}/objection/"
    problem(officer.post(objection, {}, format="json"), 422, "objection-missing")
    assert officer.post(objection, {"text": "邮寄耽误。"}, format="json").json()["status"] == "objected"
    problem(officer.post(decision, verdict | {"final_on": None}, format="json"), 422, "not-final")
    recorded = officer.post(decision, verdict, format="json").json()
    assert recorded["status"] == "recorded"
    page = f"{ROOT}records/{recorded['record']}/"
    found = officer.get(page).json()
    assert (found["kind"], found["level"], found["shown_until"], found["repairs"]) == (
        "broken_promise", "minor", None, []
    )  # fmt: skip
    assert [row["id"] for row in officer.get(f"{ROOT}records/").json()["results"]] == [found["id"]]
    problem(officer.post(f"{page}repair/", {"statement": "已补。"}, format="json"), 422, "ground-missing")
    asked = officer.post(f"{page}repair/", {"ground": "mended", "statement": "已补。"}, format="json").json()
    [repair] = asked["repairs"]
    problem(
        officer.post(f"{page}repair/", {"ground": "wrong", "statement": "有误。"}, format="json"), 409, "repair-open"
    )
    settle = f"{ROOT}repairs/{repair['id']}/decision/"
    problem(officer.post(settle, {"grant": True}, format="json"), 422, "reason-missing")
    lifted = officer.post(settle, {"grant": True, "reason": "已纠正。"}, format="json").json()
    assert lifted["repaired_at"]
    problem(officer.post(settle, {"grant": True, "reason": "再来。"}, format="json"), 409, "state-conflict")
    late = {"notice": "N1", "text": "准予修复。"}
    problem(officer.post(f"{page}platform-notice/", late, format="json"), 409, "repair-done")
    assert list(Push.objects.order_by("seq").values_list("kind", flat=True)) == ["record", "lifted"]
    assert officer.get(f"{ROOT}records/?tab=lifted").json()["results"][0]["id"] == found["id"]
    assert officer.get(f"{ROOT}facts/?tab=settled").json()["results"][0]["breach"] == told["id"]


def test_a_platforms_notice_lifts(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    record = make.recorded(clock)
    page = f"{ROOT}records/{record.pk}/"
    officer = caller(make.OFFICER)
    problem(officer.post(f"{page}repair/", {"ground": "mended", "statement": "已改。"}, format="json"), 422,
            "repair-too-early")  # fmt: skip
    problem(officer.post(f"{page}platform-notice/", {"notice": "N1", "text": "准予"}, format="json"), 422,
            "repair-too-early")  # fmt: skip
    assert record.repair_from is not None
    clock.at = make.noon(record.repair_from)
    problem(officer.post(f"{page}platform-notice/", {"text": "准予"}, format="json"), 422, "notice-missing")
    problem(officer.post(f"{page}platform-notice/", {"notice": "N1"}, format="json"), 422, "notice-text-missing")
    said = {"notice": "N1", "text": "准予修复。"}
    for _ in range(2):
        answer = officer.post(f"{page}platform-notice/", said, format="json").json()
        assert [one["origin"] for one in answer["repairs"]] == ["platform"]


def test_others_find_nothing(caller: Caller, clock: Moment) -> None:  # noqa: F811 - the fixture
    fact, breach = make.fact(clock.at, source="x"), make.told(clock.at)
    record = make.recorded(clock, source="y")
    repair = repairing.ask(record, ground="wrong", statement="有误。", by=make.officer(), now=clock.at)
    paths = (
        f"facts/{fact.pk}/", f"facts/{fact.pk}/notice/", f"breaches/{breach.pk}/", f"breaches/{breach.pk}/objection/",
        f"breaches/{breach.pk}/decision/", f"records/{record.pk}/", f"records/{record.pk}/repair/",
        f"records/{record.pk}/platform-notice/", f"repairs/{repair.pk}/decision/",
    )  # fmt: skip
    acts = {"notice", "objection", "decision", "repair", "platform-notice"}
    for who in (make.STRANGER, "zhujian.fuzeren", "chuangkou1", "duban1"):
        client = caller(who)
        for path in paths:
            method = client.post if path.rstrip("/").split("/")[-1] in acts else client.get
            problem(method(f"{ROOT}{path}", {}, format="json"), 404, "not-found")
    stranger = caller(make.STRANGER)
    for path in ("facts/", "facts/?tab=told", "records/", "records/?tab=waiting"):
        assert stranger.get(f"{ROOT}{path}").json()["results"] == []
    assert (Breach.objects.count(), CreditRecord.objects.count()) == (2, 1)
