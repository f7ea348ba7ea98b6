"""材料核验: the electronic-licence service over real HTTP, its troubles, and what each side sees (L8d)."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from approvals import elicence, verifying
from approvals.actions import accept_case
from approvals.actions.intake import slot_of
from approvals.elicence import Unavailable
from approvals.enums import CaseStatus, MaterialState
from approvals.exceptions import Refused
from approvals.models import Case, CaseMaterial, Verification
from catalogue.models import BusinessItem
from ledger.models import Entry
from scripts.standin_elicence import Mode, Service
from tests import city as demo_city
from tests.approvals import play, window
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
TOKEN = "elicence-token"
LICENCE = "营业执照"
VENUE = "公共场所卫生许可（新办，一般程序）"
FILING = "仅销售预包装食品备案"


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    """A service that speaks HTTP on a port of its own."""
    running = Service(token=TOKEN)
    running.start()
    settings.ELICENCE_URL, settings.ELICENCE_TOKEN, settings.ELICENCE_TIMEOUT = running.url, TOKEN, 1.0
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _uploads(settings: Settings, tmp_path: Path) -> None:
    settings.UPLOAD_ROOT = tmp_path / "uploads"


def waiting(clock: Moment, name: str = VENUE) -> tuple[Case, CaseMaterial]:
    """A received case that lacks the one material that data may answer for."""
    case = play.received(clock.at, play.item(name))
    line = case.materials.get(material__verifiable=True)
    CaseMaterial.objects.filter(pk=line.pk).update(state=MaterialState.MISSING, received_at=None)
    line.refresh_from_db()
    return case, line


def ask(browser: Client, case: Case, line: CaseMaterial, **more: Any) -> Any:
    return browser.post(reverse("window:verify", args=[case.number]), {"slot": slot_of(line), **more})


def page(browser: Client, case: Case) -> str:
    return window.text_of(browser.get(reverse("window:case", args=[case.number])))


def row_of(line: CaseMaterial) -> Verification:
    return Verification.objects.get(line=line)


def test_an_answer_that_matches_is_kept_as_the_material(
    service: Service, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    assert "核验" in page(browser, case)
    answer = ask(browser, case, line)
    assert answer.status_code == 302
    shown = page(browser, case)
    assert "核验中…" in shown
    assert 'hx-trigger="every 2s"' in shown
    assert "刷新查看结果" in shown  # the way without scripts
    clock.to("2026-09-28 10:01")
    assert verifying.ask_due(clock.at) == 1
    line.refresh_from_db()
    row = row_of(line)
    assert (row.state, line.state, line.received_at) == ("matched", "verified", clock.at)
    said = row.answer
    assert (said["kind"], said["holder_code"], said["holder_name"]) == (
        LICENCE,
        case.applicant.code,
        case.applicant_name,
    )
    assert said["valid_from"] == "2020-01-06"
    assert said["valid_to"] is None
    assert len(said["digest"]) == 64
    shown = page(browser, case)
    assert said["number"] in shown
    assert "核验一致" in shown
    assert "必要材料已齐" in shown
    sheet = browser.get(reverse("window:verification_sheet", args=[case.number, row.pk]))
    assert all(text in window.text_of(sheet) for text in (said["number"], said["digest"], case.number, "核验一致"))
    accepted = browser.post(reverse("window:case", args=[case.number]), {"act": "accept"})
    assert accepted.status_code == 302
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_REVIEW


def test_the_question_names_certificate_and_holder_and_carries_the_token(
    service: Service, clock: Moment, city: None
) -> None:
    case, line = waiting(clock)
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    verifying.ask_due(clock.at)
    holder = {"kind": "organisation", "code": case.applicant.code, "name": case.applicant_name}
    assert service.questions == [{"key": str(row_of(line).key), "certificate": LICENCE, "holder": holder}]


TROUBLES = {
    Mode.OTHER_NAME: "名称与申请人不一致",
    Mode.OTHER_HOLDER: "号码与申请人不一致",
    Mode.OTHER_KIND: "答复的不是",
    Mode.EXPIRED: "有效期已于2025年6月30日",
    Mode.NOT_YET: "2099年1月1日",
    Mode.REVOKED: "吊销",
    Mode.ABSENT: "没有查到",
}


@pytest.mark.parametrize(("mode", "words"), TROUBLES.items())
def test_whatever_does_not_match_means_paper_again_and_is_said_plainly(
    service: Service, clock: Moment, sign_in: Callable[[str], Client], mode: Mode, words: str
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    service.mode = mode
    ask(browser, case, line)
    verifying.ask_due(clock.at)
    line.refresh_from_db()
    row = row_of(line)
    assert (row.state, line.state) == ("mismatch", "missing")
    assert words in row.note
    shown = page(browser, case)
    assert words in shown
    assert "再次核验" in shown
    assert "91320700MA1CHK009X" not in shown
    assert "另一家" not in str(row.answer) or mode == Mode.OTHER_NAME
    refused = browser.post(reverse("window:case", args=[case.number]), {"act": "accept"})
    assert refused.status_code == 422
    by_paper = browser.post(
        reverse("window:case", args=[case.number]), {"act": "accept", f"m-{slot_of(line)}": "provided"}
    )
    assert by_paper.status_code == 302
    line.refresh_from_db()
    assert line.state == "provided"


def test_of_somebody_elses_certificate_neither_number_nor_holder_is_kept(
    service: Service, clock: Moment, city: None
) -> None:
    _, line = waiting(clock)
    service.mode = Mode.OTHER_HOLDER
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    verifying.ask_due(clock.at)
    assert set(row_of(line).answer) == {"kind", "issuer", "digest"}


NO_ANSWERS = [
    Mode.ERROR,
    Mode.REDIRECT,
    Mode.GARBAGE,
    Mode.HUGE,
    Mode.OTHER_KEY,
    Mode.HALF,
    Mode.SLOW,
    Mode.DRIP,
]


@pytest.mark.parametrize("mode", NO_ANSWERS)
def test_a_service_without_an_answer_is_tried_three_times_within_about_a_minute(
    service: Service, clock: Moment, settings: Settings, sign_in: Callable[[str], Client], mode: Mode
) -> None:
    settings.ELICENCE_TIMEOUT = 0.3
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    service.mode = mode
    ask(browser, case, line)
    began = clock.at
    while row_of(line).state == "asked":
        verifying.ask_due(clock.at)
        clock.at += dt.timedelta(seconds=10)  # the beat
        assert clock.at - began < dt.timedelta(seconds=90)
    row = row_of(line)
    assert (row.state, row.attempts, sum(service.asked.values())) == ("unavailable", 3, 3)
    assert len(service.asked) == 1  # the same question each time
    assert "没有给出答复" in page(browser, case)
    assert "请收取纸质材料" in row.note
    service.mode = None
    ask(browser, case, line)  # asked again, it answers
    verifying.ask_due(clock.at)
    line.refresh_from_db()
    assert line.state == "verified"


def test_a_service_that_is_gone_counts_as_no_answer(
    clock: Moment, settings: Settings, service: Service, city: None
) -> None:
    _, line = waiting(clock)
    service.stop()
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    for _ in range(3):
        verifying.ask_due(clock.at)
        clock.at += verifying.LEASE
    assert row_of(line).state == "unavailable"


def test_a_service_that_comes_back_answers_at_the_second_attempt(service: Service, clock: Moment, city: None) -> None:
    _, line = waiting(clock)
    service.script.append(Mode.ERROR)
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    verifying.ask_due(clock.at)
    assert row_of(line).state == "asked"
    assert verifying.ask_due(clock.at) == 0  # not before its turn
    verifying.ask_due(clock.at + verifying.LEASE)
    row = row_of(line)
    assert (row.state, row.attempts) == ("matched", 2)
    assert service.asked == {str(row.key): 2}


@pytest.mark.parametrize("body", [
    b"", b"[]", b"null", b"{", b'{"key": 1}', b'{"key": "K", "found": null}', b'{"key": "K", "found": true}',
    b'{"key": "K", "found": false, "certificate": {}}', b'{"key": "K", "found": NaN}', b"[" * 100_000,
    b'{"key": "K", "found": true, "certificate": {"status": "valid"}}', b"\xff\xfe",
])  # fmt: skip
def test_anything_but_an_answer_is_none(body: bytes) -> None:
    key = uuid.uuid4()
    with pytest.raises(Unavailable):
        elicence.read(body.replace(b'"K"', f'"{key}"'.encode()), key)


@pytest.mark.parametrize(("name", "value"), [
    ("number", ""), ("number", 7), ("number", "1\n2"), ("number", "9" * 121), ("issuer", None), ("status", "fine"),
    ("valid_from", "2020-13-01"), ("valid_from", "20200101"), ("valid_from", None), ("valid_to", 2030),
])  # fmt: skip
def test_one_wrong_field_spoils_the_answer(name: str, value: object) -> None:
    key = uuid.uuid4()
    whole = {
        "kind": LICENCE, "number": "1", "holder_code": "2", "holder_name": "3", "issuer": "4", "status": "valid",
        "valid_from": "2020-01-06", "valid_to": "2030-01-06",
    }  # fmt: skip
    told = {"key": str(key), "found": True, "certificate": whole}
    read = elicence.read(json.dumps(told).encode(), key)
    assert read is not None
    assert read.valid_to == dt.date(2030, 1, 6)
    with pytest.raises(Unavailable):
        elicence.read(json.dumps(told | {"certificate": whole | {name: value}}).encode(), key)


def test_asked_twice_it_is_one_question(service: Service, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    assert [ask(browser, case, line).status_code for _ in range(2)] == [302, 302]
    verifying.ask_due(clock.at)
    assert verifying.ask_due(clock.at) == 0
    assert sum(service.asked.values()) == 1
    again = ask(browser, case, line)
    assert again.status_code == 409
    assert "不需要核验" in window.text_of(again)


def test_what_is_typed_beside_it_stays(service: Service, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    other = case.materials.filter(required=True).exclude(pk=line.pk)[0]
    CaseMaterial.objects.filter(pk=other.pk).update(state=MaterialState.MISSING)
    answer = ask(browser, case, line, **{f"m-{slot_of(other)}": "provided", f"file-{slot_of(other)}": window.file()})
    assert answer.status_code == 200
    html = window.text_of(answer)
    assert "核验中…" in html
    assert re.search(rf'id="m-{slot_of(other)}"[^>]* checked', html)
    assert "营业执照.pdf" in html


def test_acceptance_waits_for_the_answer(service: Service, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    ask(browser, case, line)
    with pytest.raises(Refused) as refused:
        accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    assert refused.value.code == "verification-open"
    answer = browser.post(reverse("window:case", args=[case.number]), {"act": "accept"})
    assert answer.status_code == 409
    assert "正在核验" in window.text_of(answer)
    by_paper = browser.post(
        reverse("window:case", args=[case.number]), {"act": "accept", f"m-{slot_of(line)}": "provided"}
    )
    assert by_paper.status_code == 302  # paper needs no answer
    verifying.ask_due(clock.at)
    line.refresh_from_db()
    assert (line.state, row_of(line).state) == ("provided", "matched")


def test_only_before_acceptance_and_only_what_the_catalogue_names(
    service: Service, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    other = case.materials.exclude(pk=line.pk)[0]
    answer = ask(browser, case, other)
    assert answer.status_code == 422
    assert "不能以数据核验代替" in window.text_of(answer)
    assert browser.post(reverse("window:verify", args=[case.number]), {"slot": "999999"}).status_code == 404
    CaseMaterial.objects.filter(pk=line.pk).update(state=MaterialState.PROVIDED)
    accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    CaseMaterial.objects.filter(pk=line.pk).update(state=MaterialState.MISSING)
    assert ask(browser, case, line).status_code == 409
    assert sign_in("donghai.chuangkou1").post(
        reverse("window:verify", args=[case.number]), {"slot": slot_of(line)}
    ).status_code == 404  # fmt: skip
    assert not Verification.objects.exists()


def test_on_promise_only_in_the_mode_that_was_chosen(service: Service, clock: Moment, city: None) -> None:
    clerk = play.person("chuangkou1")
    case, line = waiting(clock)
    BusinessItem.objects.filter(pk=case.business_item_id).update(
        promise_modes=["verified_material", "post_check"], promise_refusal="", promise_clauses=["属实"]
    )
    Case.objects.filter(pk=case.pk).update(way="promise", promise_modes=["post_check"])
    with pytest.raises(Refused) as refused:
        verifying.verify(line, by=clerk, now=clock.at)
    assert refused.value.code == "verification-not-chosen"
    Case.objects.filter(pk=case.pk).update(promise_modes=["verified_material"])
    verifying.verify(line, by=clerk, now=clock.at)
    assert verifying.ask_due(clock.at) == 1


def test_without_a_service_the_page_says_so(
    clock: Moment, settings: Settings, sign_in: Callable[[str], Client]
) -> None:
    settings.ELICENCE_URL = ""
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    assert "没有接入电子证照服务" in page(browser, case)
    answer = ask(browser, case, line)
    assert answer.status_code == 422
    assert verifying.ask_due(clock.at) == 0


def test_a_crash_between_asking_and_recording_asks_again_under_the_same_key(
    service: Service, clock: Moment, city: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, line = waiting(clock)
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)

    def crash(point: str) -> None:
        if point == "verification.asked":
            raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(verifying, "reach", crash)
        with pytest.raises(SystemExit):
            verifying.ask_due(clock.at)
    assert row_of(line).state == "asked"
    assert verifying.ask_due(clock.at) == 0  # the lease holds
    verifying.ask_due(clock.at + verifying.LEASE)
    row = row_of(line)
    assert (row.state, service.asked[str(row.key)]) == ("matched", 2)
    assert Entry.objects.filter(act="case.material_verified").count() == 2  # asked, answered: once each


def test_the_worker_is_woken_when_the_question_is_committed(
    service: Service,
    clock: Moment,
    city: None,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    _, line = waiting(clock)
    with django_capture_on_commit_callbacks() as callbacks:
        verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    assert verifying.wake in callbacks
    verifying.wake()  # no broker here: logged, and no more


def test_the_ledger_holds_digests_and_nobodys_name(service: Service, clock: Moment, city: None) -> None:
    case, line = waiting(clock)
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    verifying.ask_due(clock.at)
    row = row_of(line)
    entries = Entry.objects.filter(stream=case.stream, act="case.material_verified").order_by("seq")
    assert [entry.data["state"] for entry in entries] == ["asked", "matched"]
    assert entries[1].data["digest"] == row.answer["digest"]
    said = str([entry.data for entry in entries])
    assert all(word not in said for word in (row.answer["number"], case.applicant_name, str(case.applicant.code)))


def test_the_blind_side_sees_kind_and_validity_and_neither_number_nor_holder(
    service: Service, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    case, line = waiting(clock)
    clerk = play.person("chuangkou1")
    verifying.verify(line, by=clerk, now=clock.at)
    verifying.ask_due(clock.at)
    case = accept_case(case, by=clerk, now=clock.at)
    assert case.reviewer is not None
    html = window.text_of(sign_in(case.reviewer.username).get(reverse("office:case", args=[case.number])))
    assert f"电子证照核验一致：{LICENCE}，有效期长期" in html
    said = row_of(line).answer
    for secret in (said["number"], said["holder_name"], said["holder_code"], said["digest"], said["issuer"]):
        assert secret not in html
    url = reverse("window:verification_sheet", args=[case.number, row_of(line).pk])
    assert sign_in(case.reviewer.username).get(url).status_code in {403, 404}


def test_the_panel_comes_live_and_says_what_changed_elsewhere(
    service: Service, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    url = reverse("window:verification", args=[case.number])
    ask(browser, case, line)
    asked = window.text_of(browser.get(url))
    assert "核验中…" in asked
    assert "hx-swap-oob" not in asked
    verifying.ask_due(clock.at)
    told = window.text_of(browser.get(url))
    assert 'hx-trigger="every 2s"' not in told
    assert f'id="files-{slot_of(line)}" hx-swap-oob="true"' in told
    assert 'id="live"' in told


@pytest.mark.parametrize("place", ["window:case", "window:verification"])
def test_an_answer_that_comes_while_the_page_is_read_stands_in_all_of_it(
    service: Service, clock: Moment, sign_in: Callable[[str], Client], place: str
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    ask(browser, case, line)
    came: list[int] = []

    def answer_first(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith('SELECT "approvals_verification"') and not came:
            came.append(0)
            came[0] = verifying.ask_due(clock.at)
        return execute(sql, *arguments)

    with connection.execute_wrapper(answer_first):
        html = window.text_of(browser.get(reverse(place, args=[case.number])))
    assert came == [1]
    assert "核验一致" in html
    assert "已核验，不用提交" in html
    assert "核验中…" not in html


def test_a_filing_may_be_verified_too(service: Service, clock: Moment, sign_in: Callable[[str], Client]) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock, FILING)
    ask(browser, case, line)
    verifying.ask_due(clock.at)
    assert browser.post(reverse("window:case", args=[case.number]), {"act": "accept"}).status_code == 302
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("completed", "filed")
    assert case.tasks.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_ask_once(service: Service, clock: Moment, transactional_db: None) -> None:
    demo_city.load()
    _, line = waiting(clock)
    verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
    together = Barrier(2)

    def work() -> None:
        try:
            together.wait()
            verifying.ask_due(clock.at)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = row_of(line)
    assert (row.state, row.attempts, sum(service.asked.values())) == ("matched", 1, 1)


def test_the_case_page_asks_the_database_as_often_with_one_question_as_with_five(
    service: Service, clock: Moment, sign_in: Callable[[str], Client]
) -> None:
    browser = sign_in("chuangkou1")
    case, line = waiting(clock)
    service.mode = Mode.ABSENT
    counts = []
    for times in (1, 4):
        for _ in range(times):
            verifying.verify(line, by=play.person("chuangkou1"), now=clock.at)
            verifying.ask_due(clock.at)
        page(browser, case)
        with CaptureQueriesContext(connection) as captured:
            assert "没有查到" in page(browser, case)
        counts.append(len(captured))
    assert counts[0] == counts[1]
