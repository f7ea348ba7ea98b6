"""Asked once (O2a): one notice, answered once; a return is the notice or a refusal; small errors are mended apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from approvals.actions import answer_correction, refuse_acceptance, request_correction
from approvals.actions.ending import lapse_case
from approvals.actions.intake import checklist, required_points, slot_of
from approvals.actions.mending import mend_case
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.models import Case, CorrectionNotice, Mending, NotAccepted, PhoneCode
from approvals.promised import restorable
from ledger.models import Entry
from tests.approvals import play
from tests.approvals.window import text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]


def told(clock: Moment) -> Case:
    """A case whose applicant was told what is missing."""
    case = play.received(clock.at, complete=False)
    clerk = play.person("chuangkou1")
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)


def answered(clock: Moment) -> Case:
    """The same with everything handed in."""
    case = told(clock)
    provided = {slot_of(line): "provided" for line in checklist(case.business_item, case.way)}
    return answer_correction(case, provided=provided, by=play.person("chuangkou1"), now=clock.at)


def again(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


# --- the notice


def test_the_database_refuses_a_second_notice_whoever_tries(city: None, clock: Moment) -> None:
    case = answered(clock)
    clerk = play.person("chuangkou2")
    row = CorrectionNotice(case=case, points=[], issued_by=clerk, issued_at=clock.at)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        CorrectionNotice.objects.bulk_create([row])
    with pytest.raises(Refused) as refused:
        request_correction(case, keys=["material:1"], remarks={}, by=clerk, now=clock.at)
    assert (refused.value.code, refused.value.conflict) == ("second-correction", True)


def test_after_the_answer_a_refusal_rests_on_a_named_point_alone(clock: Moment, sign_in: SignIn) -> None:
    case = answered(clock)
    notice = CorrectionNotice.objects.get(case=case)
    named = {point["key"] for point in notice.points}
    other = next(
        f"{ground.kind}:{ground.id}"
        for ground in case.business_item.published_grounds()
        if f"{ground.kind}:{ground.id}" not in named
    )
    clerk = play.person("chuangkou1")
    for keys, code in (([other], "point-not-named"), ([], "points-missing"), ([*named, other], "point-not-named")):
        with pytest.raises(Refused) as refused:
            refuse_acceptance(case, ground="not_corrected", reason="仍缺", keys=keys, by=clerk, now=clock.at)
        assert refused.value.code == code
        assert not NotAccepted.objects.exists()
    browser = sign_in("chuangkou1")
    url = f"/window/cases/{case.number}/refuse/"
    empty = browser.post(url, {"ground": "not_corrected", "reason": "仍缺"})
    assert (empty.status_code, "至少一项" in text_of(empty), "仍缺" in text_of(empty)) == (422, True, True)
    assert browser.post(url, {"ground": "not_corrected", "reason": "仍缺", "keys": [other]}).status_code == 422
    first = notice.points[0]
    done = browser.post(url, {"ground": "not_corrected", "reason": "仍缺", "keys": [first["key"]]})
    assert done.status_code == 302
    paper = case.documents.get(kind="not_accepted")
    assert first["text"] in str(paper.content["table"])
    assert len(paper.content["table"]) == 1


# --- mended on the spot


def form(case: Case, **changes: str) -> dict[str, str]:
    return {
        "contact_name": case.contact_name, "contact_phone": case.contact_phone, "content": case.content,
    } | changes  # fmt: skip


def test_small_errors_are_mended_and_the_notice_is_not_used_up(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at, complete=False)
    browser, url = sign_in("chuangkou1"), f"/window/cases/{case.number}/mend/"
    assert case.contact_phone in text_of(browser.get(url))
    done = browser.post(url, form(case, contact_name="李四", contact_phone="100 0099 0077"))
    assert done.status_code == 302
    found = again(case)
    assert (found.contact_name, found.contact_phone) == ("李四", "10000990077")
    entry = Entry.objects.get(stream=case.stream, act="case.mended")
    assert entry.data == {"fields": ["contact_name", "contact_phone"]}
    assert Mending.objects.get(case=case).fields == ["contact_name", "contact_phone"]
    assert not CorrectionNotice.objects.exists()
    keys = sorted(required_points(found))
    request_correction(found, keys=keys, remarks={}, by=play.person("chuangkou1"), now=clock.at)
    assert "当场更正" in text_of(browser.get(f"/window/cases/{case.number}/"))


def test_what_cannot_be_mended_is_said(clock: Moment, sign_in: SignIn) -> None:
    case = play.received(clock.at)
    browser, url = sign_in("chuangkou1"), f"/window/cases/{case.number}/mend/"
    for changes, said in (
        ({}, "没有需要更正的内容"),
        ({"contact_phone": "12"}, "11 位数字"),
        ({"content": f"{case.applicant_name}的项目"}, "申请内容里有申请人名称"),
    ):
        answer = browser.post(url, form(case, **changes))
        assert (answer.status_code, said in text_of(answer)) == (422, True), said
    assert not Mending.objects.exists()
    accepted = play.accepted(clock.at)
    late = browser.get(f"/window/cases/{accepted.number}/mend/")
    assert (late.status_code, "受理之前才可以当场更正" in text_of(late)) == (409, True)
    with pytest.raises(Refused):
        mend_case(accepted, **form(accepted, contact_name="王五"), by=play.person("chuangkou1"), now=clock.at)


def test_a_mended_phone_voids_what_was_sent_to_the_wrong_one(city: None, clock: Moment) -> None:
    case = told(clock)
    browser = Client()
    browser.post("/progress/door/", {"number": case.number, "code": case.query_code})
    browser.post(f"/progress/{case.number}/code/", {"act": "send"})
    assert PhoneCode.objects.filter(case=case).exists()
    mend_case(case, **form(case, contact_phone="10000990077"), by=play.person("chuangkou1"), now=clock.at)
    assert not PhoneCode.objects.filter(case=case).exists()


@pytest.mark.parametrize("who", ["chujian1", "duban1", "zhujian.juedinga"])
@pytest.mark.parametrize("act", ["mend", "withdraw"])
def test_only_the_windows_clerks_do_it(clock: Moment, sign_in: SignIn, who: str, act: str) -> None:
    case = play.received(clock.at)
    answer = sign_in(who).post(f"/window/cases/{case.number}/{act}/", form(case, contact_name="李四", checked="on"))
    assert answer.status_code == 404
    assert again(case).status == CaseStatus.SUBMITTED
    assert not Mending.objects.exists()


def test_the_window_withdraws_for_whoever_stands_there(clock: Moment, sign_in: SignIn) -> None:
    case = play.accepted(clock.at)
    browser, url = sign_in("chuangkou1"), f"/window/cases/{case.number}/withdraw/"
    unchecked = browser.post(url, {"reason": "改址"})
    assert (unchecked.status_code, "请核对证件" in text_of(unchecked), "改址" in text_of(unchecked)) == (
        422,
        True,
        True,
    )
    assert browser.post(url, {"reason": "改址", "checked": "on"}).status_code == 302
    found = Case.objects.select_related("ending").get(pk=case.pk)
    assert (found.status, found.ending.door, found.ending.ended_by) == (
        CaseStatus.WITHDRAWN, "window", play.person("chuangkou1"),
    )  # fmt: skip
    page = text_of(browser.get(f"/window/cases/{case.number}/"))
    assert "申请人已撤回申请，不再办理" in page
    assert browser.get(url).status_code == 409


# --- on promise: what is owed without it is told in the same notice


def promised_and_told(clock: Moment) -> Case:
    """A signed promise case whose applicant was told to show a condition; nothing else is missing."""
    case = play.promising(clock.at)
    key = next(f"{ground.kind}:{ground.id}" for ground in case.business_item.published_grounds())
    return request_correction(case, keys=[key], remarks={}, by=play.person("chuangkou1"), now=clock.at)


def test_the_one_notice_of_a_promise_says_what_is_owed_without_it(clock: Moment, sign_in: SignIn) -> None:
    before = play.promising(clock.at)
    browser = sign_in("chuangkou1")
    assert "自动列入同一份补正告知书" in text_of(browser.get(f"/window/cases/{before.number}/correct/"))
    case = promised_and_told(clock)
    owed = restorable(case)
    notice = CorrectionNotice.objects.get(case=case)
    keys = [f"restored:{line.material_id}" for line in owed]
    assert len(owed) > 1
    assert [point["key"] for point in notice.points][1:] == keys
    paper = str(case.documents.get(kind="correction").content["table"])
    assert all(f"撤回承诺或者决定不采用告知承诺的，须一并补交：{line.name}" in paper for line in owed)
    answer_correction(case, provided={"promise": "provided"}, by=play.person("chuangkou1"), now=clock.at)
    url = f"/window/cases/{case.number}/refuse/"
    assert owed[0].name not in text_of(browser.get(url)), "with a promise it is owed later or not at all"
    assert browser.post(url, {"ground": "not_corrected", "reason": "仍缺", "keys": keys[:1]}).status_code == 422
    assert browser.post(f"/window/cases/{case.number}/promise/", {"act": "withdraw"}).status_code == 302
    page = browser.post(f"/window/cases/{case.number}/", {"act": "accept"})
    assert (page.status_code, owed[0].name in text_of(page)) == (422, True)
    assert "以补正告知书列明、仍未补齐的内容为由不予受理" in text_of(page)
    assert browser.get(f"/window/cases/{case.number}/correct/").status_code == 409
    done = browser.post(url, {"ground": "not_corrected", "reason": "仍缺", "keys": keys[:1]})
    assert (done.status_code, again(case).status) == (302, CaseStatus.NOT_ACCEPTED)


def test_withdrawn_before_the_answer_everything_is_handed_in_with_it(clock: Moment, sign_in: SignIn) -> None:
    case = promised_and_told(clock)
    lines = restorable(case)
    browser = sign_in("chuangkou1")
    assert browser.post(f"/window/cases/{case.number}/promise/", {"act": "withdraw"}).status_code == 302
    said = {f"m-{line.material_id}": "provided" for line in lines}
    assert browser.post(f"/window/cases/{case.number}/", {"act": "answer"} | said).status_code == 302
    assert browser.post(f"/window/cases/{case.number}/", {"act": "accept"}).status_code == 302
    assert again(case).status == CaseStatus.IN_REVIEW


def test_what_the_notice_did_not_name_keeps_nobody_from_acceptance(clock: Moment, sign_in: SignIn) -> None:
    case = promised_and_told(clock)
    notice = CorrectionNotice.objects.get(case=case)
    notice.points = notice.points[:1]  # as notices were before they said it
    notice.save()
    names = [line.name for line in restorable(case)]
    answer_correction(case, provided={"promise": "provided"}, by=play.person("chuangkou1"), now=clock.at)
    browser = sign_in("chuangkou1")
    assert browser.post(f"/window/cases/{case.number}/promise/", {"act": "withdraw"}).status_code == 302
    assert browser.post(f"/window/cases/{case.number}/", {"act": "accept"}).status_code == 302
    assert again(case).status == CaseStatus.IN_REVIEW
    paper = case.documents.get(kind="acceptance").content["paragraphs"][0]
    assert "材料齐全" not in paper
    assert f"{'、'.join(names)}没有列入补正告知书，依法不再要求补正，不影响受理。" in paper
    assert Entry.objects.get(stream=case.stream, act="case.accepted").data["untold"]


def test_silence_on_a_promise_ends_it_on_what_was_asked_alone(city: None, clock: Moment) -> None:
    case = promised_and_told(clock)
    clock.to("2026-12-31 10:00")
    lapse_case(case, now=clock.at)
    assert len(case.documents.get(kind="termination").content["table"]) == 1
