"""材料核验 and the province, through the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from approvals import verifying
from approvals.actions.intake import slot_of
from approvals.models import CaseMaterial
from catalogue.models import BusinessItem
from scripts.standin_elicence import Mode, Service
from tests.api.conftest import Caller, problem
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
ENERGY = "固定资产投资项目节能审查"
FILING = "仅销售预包装食品备案"


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A service on a port of its own."""
    running = Service(token="t")
    running.start()
    settings.ELICENCE_URL, settings.ELICENCE_TOKEN, settings.ELICENCE_TIMEOUT = running.url, "t", 1.0
    yield running
    running.stop()


def test_the_window_lets_data_answer_for_a_material(caller: Caller, clock: Moment, service: Service) -> None:
    clerk = caller("chuangkou1")
    case = play.received(clock.at, play.item(FILING))
    line = case.materials.get(material__verifiable=True)
    other = case.materials.exclude(pk=line.pk)[0]
    CaseMaterial.objects.filter(pk=line.pk).update(state="missing")
    url = f"/api/v1/cases/{case.number}/"
    problem(clerk.post(f"{url}verifications/", {}, format="json"), 422, "invalid")
    problem(clerk.post(f"{url}verifications/", {"slot": "no"}, format="json"), 422, "slot-unknown")
    problem(clerk.post(f"{url}verifications/", {"slot": slot_of(other)}, format="json"), 422, "not-verifiable")

    def verify() -> dict[str, object]:
        answer = clerk.post(f"{url}verifications/", {"slot": slot_of(line)}, format="json")
        assert answer.status_code == 200, answer.content
        return told()

    def told() -> dict[str, object]:
        lines = clerk.get(url).json()["materials"]
        found: dict[str, object] = next(one for one in lines if one["slot"] == slot_of(line))
        return found

    asked = verify()
    assert asked["verification"]["state"] == "asked"  # type: ignore[index]
    problem(clerk.post(f"{url}accept/", {}, format="json"), 409, "verification-open")
    service.mode = Mode.REVOKED
    verifying.ask_due(clock.at)
    assert told()["verification"]["state"] == "mismatch"  # type: ignore[index]
    assert "吊销" in told()["verification"]["note"]  # type: ignore[index]
    problem(clerk.post(f"{url}accept/", {}, format="json"), 422, "materials-missing")
    service.mode = None
    verify()
    verifying.ask_due(clock.at)
    done = told()
    assert done["state"] == "verified"
    assert done["verification"]["answer"]["kind"] == "营业执照"  # type: ignore[index]
    problem(clerk.post(f"{url}verifications/", {"slot": slot_of(line)}, format="json"), 409, "material-in")
    assert clerk.post(f"{url}accept/", {}, format="json").json()["outcome"] == "filed"
    problem(clerk.post(f"{url}verifications/", {"slot": slot_of(line)}, format="json"), 409, "state-conflict")


def test_without_a_service_it_says_so(caller: Caller, clock: Moment, settings: Settings) -> None:
    settings.ELICENCE_URL = ""
    case = play.received(clock.at, play.item(FILING))
    line = case.materials.get(material__verifiable=True)
    answer = caller("chuangkou1").post(
        f"/api/v1/cases/{case.number}/verifications/", {"slot": slot_of(line)}, format="json"
    )
    problem(answer, 422, "verification-off")


def test_the_reviewer_reads_kind_and_validity_only(caller: Caller, clock: Moment, service: Service) -> None:
    case = play.received(clock.at, play.item("公共场所卫生许可（新办，一般程序）"))
    line = case.materials.get(material__verifiable=True)
    CaseMaterial.objects.filter(pk=line.pk).update(state="missing")
    clerk = caller("chuangkou1")
    clerk.post(f"/api/v1/cases/{case.number}/verifications/", {"slot": slot_of(line)}, format="json")
    verifying.ask_due(clock.at)
    assert clerk.post(f"/api/v1/cases/{case.number}/accept/", {}, format="json").status_code == 200
    case.refresh_from_db()
    assert case.reviewer is not None
    answer = caller(case.reviewer.username).get(f"/api/v1/reviews/{case.number}/")
    row = next(one for one in answer.json()["materials"] if one["state"] == "verified")
    assert set(row["verification"]) == {"kind", "answered_at", "valid_from", "valid_to"}
    kept = line.verifications.get().answer
    for secret in (kept["number"], kept["holder_name"], kept["holder_code"], kept["digest"]):
        assert secret not in answer.content.decode()


def test_a_report_to_the_province_goes_up_and_comes_back(caller: Caller, clock: Moment) -> None:
    BusinessItem.objects.filter(name=ENERGY).update(reports_to_province=True)
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    reviewer = caller(case.reviewer.username)
    url = f"/api/v1/reviews/{case.number}/"
    before = reviewer.get(url).json()
    assert before["province_report"] is None
    problem(reviewer.post(f"{url}province-report/", {}, format="json"), 422, "number-missing")
    problem(reviewer.post(f"{url}province-report/answer/", {"answer": "同意"}, format="json"), 409, "state-conflict")
    went = reviewer.post(f"{url}province-report/", {"number": "18号"}, format="json").json()
    assert (went["province_report"]["number"], went["province_report"]["answered_at"]) == ("18号", None)
    problem(reviewer.post(f"{url}province-report/", {"number": "19号"}, format="json"), 409, "state-conflict")
    problem(reviewer.post(f"{url}province-report/answer/", {}, format="json"), 422, "answer-missing")
    back = reviewer.post(f"{url}province-report/answer/", {"answer": "无意见。"}, format="json").json()
    assert back["province_report"]["answer"] == "无意见。"
    assert (back["deadline"], back["statutory"]) == (before["deadline"], before["statutory"])


def test_other_items_take_no_report(caller: Caller, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    answer = caller(case.reviewer.username).post(
        f"/api/v1/reviews/{case.number}/province-report/", {"number": "1号"}, format="json"
    )
    problem(answer, 422, "not-reported-to-province")
