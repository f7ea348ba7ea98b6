"""What is refused: a stable code, a clear Chinese sentence, the field; and nothing lost or doubled."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from approvals.actions import give_opinion
from approvals.models import Case, Licence, Upload
from catalogue.models import BusinessItem
from offices.models import Posting
from supervision.models import SupervisionTask
from tests.api.conftest import PDF, Caller, intake, problem
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Role = Posting.Role


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"identifier": "91320700MA1DEM0019"}, "identifier", "校验不符"),
        ({"identifier": "9132070"}, "identifier", "应为 18 位"),
        ({"subject_kind": "person", "identifier": "320703199002300012"}, "identifier", "身份证"),
        ({"contact_phone": "123"}, "contact_phone", "11 位"),
        ({"name": ""}, "name", "不能为空"),
        ({"intake_key": "x"}, "intake_key", "UUID"),
        ({"way": "else"}, "way", "选项"),
        ({"business_item": "SP-9999"}, "business_item", "没有"),
        ({"provided": {"1": "perhaps"}}, "provided.1", "选项"),
        ({"content": "一" * 501}, "content", "500"),
        ({"name": "a\u0000b"}, "name", "空字符"),
    ],
)
def test_intake_says_what_is_wrong(
    caller: Caller, clock: Moment, changes: dict[str, Any], field: str, said: str
) -> None:
    answer = caller("chuangkou1").post("/api/v1/cases/", intake(play.item(), **changes), format="json")
    body = problem(answer, 422, "item-not-open" if field == "business_item" else "invalid")
    assert [error["field"] for error in body["errors"]] == [field]
    assert said in body["errors"][0]["detail"], body
    assert not Case.objects.exists()


def test_all_that_is_wrong_is_said_at_once(caller: Caller, clock: Moment) -> None:
    body = problem(caller("chuangkou1").post("/api/v1/cases/", {}, format="json"), 422, "invalid")
    assert {error["field"] for error in body["errors"]} >= {"intake_key", "business_item", "identifier", "name"}


def test_the_same_key_gives_the_same_case(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    body = intake(play.item())
    first = clerk.post("/api/v1/cases/", body, format="json")
    clerk.post(f"/api/v1/cases/{first.json()['number']}/accept/")
    again = clerk.post("/api/v1/cases/", body, format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["number"] == first.json()["number"]
    assert again.json()["status"] == "in_review"
    assert Case.objects.count() == 1
    problem(caller("chuangkou2").post("/api/v1/cases/", body, format="json"), 409, "intake-key-taken")


def test_an_item_of_another_division_is_not_taken_in(caller: Caller, clock: Moment) -> None:
    item = BusinessItem.objects.published().filter(item__division__code="320722")[0]
    answer = caller("chuangkou1").post("/api/v1/cases/", intake(item), format="json")
    problem(answer, 422, "item-not-open")


def test_a_delivery_clerk_takes_nothing_in(caller: Caller, clock: Moment) -> None:
    clerk = caller("chujian1")
    case = play.received(clock.at)
    assert clerk.get(f"/api/v1/cases/{case.number}/").status_code == 200
    problem(clerk.post("/api/v1/cases/", intake(play.item()), format="json"), 404, "not-found")
    problem(clerk.post(f"/api/v1/cases/{case.number}/accept/"), 404, "not-found")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("申请表.pdf", b"MZ\x90\x00 a program", "upload-kind"),
        ("申请表.pdf", b"<html><script>alert(1)</script></html>", "upload-kind"),
        ("申请表.pdf", b"", "upload-empty"),
        ("申请表.pdf", PDF + b"0" * (21 * 1024 * 1024), "upload-too-big"),
    ],
)
def test_a_wrong_file_is_refused_by_its_content(
    caller: Caller, clock: Moment, settings: Settings, name: str, content: bytes, code: str
) -> None:
    case = play.received(clock.at, complete=False)
    slot = str(case.materials.order_by("order")[0].material_id)
    clerk = caller("chuangkou1")
    said = {"slot": slot, "file": SimpleUploadedFile(name, content)}
    body = problem(clerk.post(f"/api/v1/cases/{case.number}/uploads/", said, format="multipart"), 422, code)
    assert body["errors"][0]["field"] == "file"
    assert not Upload.objects.exists()
    assert not [path for path in settings.UPLOAD_ROOT.rglob("*") if path.is_file()]


def test_uploads_go_to_known_lines_of_open_cases(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    case = play.received(clock.at)
    url = f"/api/v1/cases/{case.number}/uploads/"
    file = {"slot": "999999", "file": SimpleUploadedFile("a.pdf", PDF)}
    problem(clerk.post(url, file, format="multipart"), 422, "slot-unknown")
    problem(clerk.post(url, {"slot": "1"}, format="multipart"), 422, "invalid")
    problem(clerk.post(url, {"slot": "1"}, format="json"), 415, "unsupported-media-type")
    accepted = play.accepted(clock.at)
    file = {"slot": "promise", "file": SimpleUploadedFile("a.pdf", PDF)}
    late = clerk.post(f"/api/v1/cases/{accepted.number}/uploads/", file, format="multipart")
    problem(late, 409, "state-conflict")
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("path", "said", "code", "field"),
    [
        ("refusal", {"ground": "not_our_duty"}, "reason-missing", "reason"),
        ("refusal", {"ground": "not_our_duty", "reason": "  "}, "reason-missing", "reason"),
        ("refusal", {"reason": "说明"}, "ground-missing", "ground"),
        ("refusal", {"ground": "not_corrected", "reason": "说明"}, "not-told-before", "ground"),
        ("refusal", {"ground": "because", "reason": "说明"}, "invalid", "ground"),
        ("corrections", {"keys": ["material:0"]}, "ground-not-published", "keys"),
        ("corrections", {"keys": []}, "correction-incomplete", "keys"),
        ("corrections", {}, "invalid", "keys"),
        ("accept", {}, "materials-missing", "materials"),
        ("accept", {"provided": []}, "invalid", "provided"),
        ("accept", [], "invalid", ""),
    ],
)
def test_the_window_is_told_what_is_missing(
    caller: Caller, clock: Moment, path: str, said: Any, code: str, field: str
) -> None:
    case = play.received(clock.at, complete=False)
    answer = caller("chuangkou1").post(f"/api/v1/cases/{case.number}/{path}/", said, format="json")
    body = problem(answer, 422, code)
    assert [error["field"] for error in body["errors"]] == [field]
    case.refresh_from_db()
    assert case.status == "submitted"


def test_a_second_notice_is_a_conflict(caller: Caller, clock: Moment) -> None:
    clerk = caller("chuangkou1")
    case = clerk.post("/api/v1/cases/", intake(play.item(), complete=False), format="json").json()
    url = f"/api/v1/cases/{case['number']}/"
    keys = [point["key"] for point in case["correction_choices"] if point["required"]]
    assert clerk.post(f"{url}corrections/", {"keys": keys}, format="json").status_code == 200
    problem(clerk.post(f"{url}corrections/", {"keys": keys}, format="json"), 409, "second-correction")
    clerk.post(f"{url}corrections/answer/")
    problem(clerk.post(f"{url}corrections/", {"keys": keys}, format="json"), 409, "second-correction")
    assert clerk.get(url).json()["correction_choices"] == []


def test_second_acceptance_decision_completion_and_delivery_are_conflicts(caller: Caller, clock: Moment) -> None:
    case = play.reviewed(clock.at)
    assert case.reviewer is not None
    clerk, reviewer = caller("chuangkou1"), caller(case.reviewer.username)
    decider = caller(play.holder(Role.DECIDER, case, case.reviewer).username)
    url, review = f"/api/v1/cases/{case.number}/", f"/api/v1/reviews/{case.number}/"
    problem(clerk.post(f"{url}accept/"), 409, "state-conflict")
    again = reviewer.post(f"{review}opinion/", {"approve": True, "text": "再来"}, format="json")
    problem(again, 409, "state-conflict")
    problem(reviewer.post(f"{review}completion/"), 409, "state-conflict")
    assert decider.post(f"{review}decision/", {"approve": True}, format="json").status_code == 200
    problem(decider.post(f"{review}decision/", {"approve": True}, format="json"), 409, "state-conflict")
    handed = {"method": "counter", "receiver": "张三"}
    problem(clerk.post(f"{url}delivery/", handed, format="json"), 409, "state-conflict")
    assert reviewer.post(f"{review}completion/").status_code == 200
    tasks = SupervisionTask.objects.count()
    problem(decider.post(f"{review}completion/"), 409, "state-conflict")
    assert (Licence.objects.count(), SupervisionTask.objects.count()) == (1, tasks)
    assert clerk.post(f"{url}delivery/", handed, format="json").status_code == 200
    problem(clerk.post(f"{url}delivery/", handed, format="json"), 409, "state-conflict")


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"approve": False, "text": "不符合"}, "grounds-missing", "keys"),
        ({"approve": True, "text": ""}, "opinion-missing", "text"),
        ({"approve": True}, "opinion-missing", "text"),
        ({"text": "好"}, "invalid", "approve"),
        ({"approve": "perhaps", "text": "好"}, "invalid", "approve"),
        ({"approve": False, "text": "好", "keys": ["condition:0"]}, "ground-not-published", "keys"),
        ({"approve": False, "text": "好", "keys": [{}]}, "invalid", "keys.0"),
    ],
)
def test_an_opinion_says_what_it_rests_on(
    caller: Caller, clock: Moment, said: dict[str, Any], code: str, field: str
) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    answer = caller(case.reviewer.username).post(f"/api/v1/reviews/{case.number}/opinion/", said, format="json")
    assert problem(answer, 422, code)["errors"][0]["field"] == field


def test_nobody_decides_without_an_opinion_or_on_the_own_review(caller: Caller, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    decider = caller(play.holder(Role.DECIDER, case, case.reviewer).username)
    url = f"/api/v1/reviews/{case.number}/decision/"
    problem(decider.post(url, {"approve": True}, format="json"), 422, "opinion-first")
    reject = {"approve": False, "text": "不符合"}
    give_opinion(case, approve=True, text="好", by=case.reviewer, now=clock.at)
    problem(decider.post(url, reject, format="json"), 422, "grounds-missing")


@pytest.mark.parametrize(
    ("measure", "day", "code", "field"),
    [
        (None, "2026-09-30", "measure-missing", "measure"),
        ("on_site", "absent", "planned-day-missing", "planned_finish_on"),
        ("on_site", None, "planned-day-missing", "planned_finish_on"),
        ("on_site", "2026-09-27", "planned-day-past", "planned_finish_on"),
        ("on_site", "9999-12-31", "planned-day-too-late", "planned_finish_on"),
        ("on_site", "明天", "invalid", "planned_finish_on"),
        ("perhaps", "2026-09-30", "invalid", "measure"),
        ("none_now", "2026-09-30", "reason-missing", "reason"),
    ],
)
def test_acknowledging_says_what_is_missing(
    caller: Caller, clock: Moment, measure: str | None, day: str | None, code: str, field: str
) -> None:
    manager, url = _viewed_task(caller, clock)
    said: dict[str, Any] = {"planned_finish_on": day} if day != "absent" else {}
    said |= {"measure": measure} if measure else {}
    body = problem(manager.post(f"{url}acknowledgement/", said, format="json"), 422, code)
    assert body["errors"][0]["field"] == field
    assert manager.get(url).json()["status"] == "viewed"


def _viewed_task(caller: Caller, clock: Moment) -> tuple[Any, str]:
    case = play.completed(clock.at)
    task = case.tasks.order_by("pk")[0]
    manager = caller(Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user.username)
    url = f"/api/v1/tasks/{task.number}/"
    assert manager.get(url).status_code == 200
    return manager, url


def test_a_finish_day_in_the_future_and_thin_feedback_are_refused(caller: Caller, clock: Moment) -> None:
    manager, url = _viewed_task(caller, clock)
    problem(manager.post(f"{url}finish/", {"finished_on": "2026-09-28"}, format="json"), 409, "state-conflict")
    taken = {"measure": "on_site", "planned_finish_on": "2026-09-30"}
    assert manager.post(f"{url}acknowledgement/", taken, format="json").status_code == 200
    problem(manager.post(f"{url}acknowledgement/", taken, format="json"), 409, "state-conflict")
    for said, code in (
        ({"finished_on": "2026-09-29"}, "finish-day-future"),
        ({"finished_on": "2026-09-27"}, "finish-day-before-task"),
        ({}, "finish-day-missing"),
        ({"finished_on": ""}, "finish-day-missing"),
    ):
        body = problem(manager.post(f"{url}finish/", said, format="json"), 422, code)
        assert body["errors"][0]["field"] == "finished_on"
    assert manager.post(f"{url}finish/", {"finished_on": "2026-09-28"}, format="json").status_code == 200
    full = {"result": "basically", "text": "有缺。", "platform": "market", "platform_number": "A1"}
    for field, code in (
        ("result", "result-missing"),
        ("text", "text-missing"),
        ("platform", "platform-missing"),
        ("platform_number", "platform-number-missing"),
    ):
        said = {name: value for name, value in full.items() if name != field}
        body = problem(manager.post(f"{url}feedback/", said, format="json"), 422, code)
        assert body["errors"][0]["field"] == field
    assert manager.post(f"{url}feedback/", full, format="json").status_code == 200
    problem(manager.post(f"{url}feedback/", full, format="json"), 409, "state-conflict")
    problem(manager.post(f"{url}closure/", {}, format="json"), 422, "follow-up-missing")
    assert manager.post(f"{url}closure/", {"follow_up": "已整改。"}, format="json").status_code == 200
    problem(manager.post(f"{url}closure/", {"follow_up": "再来"}, format="json"), 409, "state-conflict")


def test_a_task_nobody_opened_cannot_be_acknowledged(caller: Caller, clock: Moment) -> None:
    task = play.completed(clock.at).tasks.order_by("pk")[0]
    manager = caller(Posting.objects.get(role=Role.OFFICE_MANAGER, office=task.office).user.username)
    url = f"/api/v1/tasks/{task.number}/"
    assert manager.head(url).status_code == 200
    taken = {"measure": "on_site", "planned_finish_on": "2026-09-30"}
    problem(manager.post(f"{url}acknowledgement/", taken, format="json"), 409, "state-conflict")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"receiver": "张三"}, "method-missing"),
        ({"method": "counter"}, "receiver-missing"),
        ({"method": "post", "receiver": "张三"}, "tracking-missing"),
    ],
)
def test_delivery_says_what_is_missing(caller: Caller, clock: Moment, said: dict[str, str], code: str) -> None:
    case = play.completed(clock.at)
    problem(caller("chujian1").post(f"/api/v1/cases/{case.number}/delivery/", said, format="json"), 422, code)


def test_a_key_of_a_random_case_is_only_a_key(caller: Caller, clock: Moment) -> None:
    body = intake(play.item(), intake_key=str(uuid.uuid4()))
    answer = caller("chuangkou1").post("/api/v1/cases/", body | {"number": "X", "status": "completed"}, format="json")
    assert answer.json()["status"] == "submitted"
