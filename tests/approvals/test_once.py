"""Asked once (O2a): one notice, answered once; a return is the notice or a refusal; small errors are mended apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from approvals.actions import answer_correction, refuse_acceptance, request_correction
from approvals.actions.intake import checklist, required_points, slot_of
from approvals.actions.mending import mend_case
from approvals.enums import CaseStatus
from approvals.exceptions import Refused
from approvals.models import Case, CorrectionNotice, Mending, NotAccepted, PhoneCode
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
