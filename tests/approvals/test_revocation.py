"""撤销行政许可: proposed, the holder heard, decided on art. 69; all of a decision in one transaction (L10c, L10d).

Days are counted by hand from the notice for 2026: off on 1–7 October, worked on Saturday 10 October.
"""

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
from approvals.actions.revoking import (
    chairs,
    decide_revocation,
    give_notice,
    give_notice_anew,
    hear_holder,
    plan_hearing,
    propose_revocation,
)
from approvals.enums import CaseAct, Door, RevocationStatus
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Conflict, Document, Licence, LicenceChange, Revocation
from approvals.signals import licence_changed
from credit.models import CreditFact
from deadlines.enums import State
from deadlines.sweep import sweep
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from supervision.models import SupervisionTask, TaskChange
from tests.approvals import play
from tests.approvals.revoking import (
    DECISION,
    EVIDENCE,
    FACTS,
    asked,
    chair_of,
    decider,
    fresh,
    heard,
    held,
    licensed,
    noticed,
    planned,
    proposed,
)
from tests.approvals.test_door import enter, send, show_code
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
LIST = "/office/revocations/"
R = RevocationStatus


def page(one: Revocation) -> str:
    return reverse("office:revocation", args=[one.pk])


def text(response: Any) -> str:
    return str(response.content.decode())


def acts(one: Revocation) -> list[str]:
    return list(Entry.objects.filter(stream=one.case.stream).order_by("seq").values_list("act", flat=True))


def sms(one: Revocation, kind: str) -> list[str]:
    return list(Message.objects.filter(reference=one.case.stream, kind=kind).values_list("text", flat=True))


# --- received


def test_a_proposal_starts_its_clock_and_tells_the_deciders(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    assert (one.status, one.deadline.length, one.deadline.state) == (R.RECEIVED, 20, State.RUNNING)
    assert one.office == one.case.review_office
    assert CaseAct.REVOCATION_RECEIVED in acts(one)
    told = Message.objects.filter(reference=one.case.stream, kind="revocation_proposed")
    deciders = Posting.objects.filter(role=Posting.Role.DECIDER, office=one.office, user__is_active=True)
    assert {message.to_user_id for message in told} == set(deciders.values_list("user", flat=True))
    assert list(verify.faults()) == []


def test_a_licence_is_proposed_once_at_a_time_with_evidence(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    by = play.person("chuangkou1")
    said: dict[str, Any] = {"source_number": "J1", "proposed_by_name": "某处", "now": clock.at}
    with pytest.raises(TransitionNotAllowed, match="正在审批部门办理"):
        propose_revocation(
            one.licence, source="task:9999", facts=FACTS, evidence=EVIDENCE, broken_promise=False, by=by, **said
        )
    other = licensed(clock.at)
    for wrong, code in (({"facts": " "}, "facts-missing"), ({"evidence": []}, "evidence-missing")):
        given: dict[str, Any] = {"facts": FACTS, "evidence": EVIDENCE} | wrong
        with pytest.raises(Refused) as refused:
            propose_revocation(other, source="task:9998", broken_promise=False, by=by, **given, **said)
        assert refused.value.code == code
    with pytest.raises(TransitionNotAllowed, match="已经提出过"):
        propose_revocation(
            other, source=one.source, facts=FACTS, evidence=EVIDENCE, broken_promise=False, by=by, **said
        )
    assert Revocation.objects.count() == 1


# --- the whole road, in the browser


def test_told_stated_waived_and_revoked_in_the_browser(clock: Moment, sign_in: SignIn) -> None:
    one = proposed(clock.at)
    licence, who = one.licence, decider(one.case)
    others = SupervisionTask.objects.filter(licence=licence).open().count()
    browser = sign_in(who.username)
    assert page(one) in text(browser.get(LIST))
    shown = text(browser.get(page(one)))
    assert FACTS in shown
    assert EVIDENCE[0]["label"] in shown
    assert licence.holder_name in shown

    answer = browser.post(page(one), {"act": "notice", "ground": "unqualified", "facts": FACTS, "days": "5"})
    assert answer.status_code == 302
    now = fresh(one)
    assert now.status == R.NOTICED
    assert now.answer_deadline is not None
    assert now.answer_deadline.due_on == dt.date(2026, 10, 10)  # 29 and 30 September, 8, 9 and Saturday 10 October
    assert now.notice is not None
    assert "听证" in str(now.notice.content)
    assert "10月10日" in sms(one, "holder_revocation_notice")[0]

    early = browser.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION})
    assert early.status_code == 409
    assert fresh(one).status == R.NOTICED

    waived = {"act": "hear", "text": "测量有误。", "wish": "waive", "waiver": "9月28日签署放弃书"}
    assert browser.post(page(one), waived).status_code == 302
    assert fresh(one).status == R.HEARD

    answer = browser.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION}, follow=True)
    assert "已决定撤销许可" in text(answer)
    done = fresh(one)
    assert (done.status, done.revoke, done.decided_by, done.deadline.state) == (R.DECIDED, True, who, State.MET)
    licence.refresh_from_db()
    assert (licence.state, licence.deregistered_on) == (Licence.State.REVOKED, dt.date(2026, 9, 28))
    assert [change.kind for change in licence.changes.all()] == ["revocation", "deregistration"]
    assert done.document is not None
    said = str(done.document.content)
    assert all(DECISION[key] in said for key in ("reason", "public_interest", "compensation"))
    assert "行政复议" in said
    assert "六个月" in said
    kinds = CreditFact.objects.filter(subject=licence.holder).values_list("kind", "source")
    assert set(kinds) == {("revoked", done.document.number), ("broken_promise", done.document.number)}
    assert {(fact.department, fact.phone) for fact in CreditFact.objects.all()} == {
        (done.office.department, done.case.contact_phone)
    }
    assert TaskChange.objects.filter(licence=licence, ends_licence=True).count() == others
    assert len(sms(one, "holder_revocation_decided")) == 1
    assert list(verify.faults()) == []


def test_not_revoked_needs_reasons_and_leaves_the_licence(clock: Moment, sign_in: SignIn) -> None:
    one = heard(clock.at)
    browser = sign_in(decider(one.case).username)
    answer = browser.post(page(one), {"act": "decide", "verdict": "keep", "reason": ""})
    assert answer.status_code == 422
    assert "请写明决定的理由" in text(answer)
    kept = {"act": "decide", "verdict": "keep", "reason": "撤销将使全区断供，可能造成重大损害。"}
    assert browser.post(page(one), kept).status_code == 302
    done = fresh(one)
    assert (done.revoke, done.licence.state) == (False, Licence.State.VALID)
    assert done.document is not None
    assert done.document.kind == "no_revocation"
    assert not LicenceChange.objects.exists()
    assert not CreditFact.objects.exists()
    assert not TaskChange.objects.exists()
    # The same licence may be proposed again, by another task; its papers come again too.
    Revocation.objects.filter(pk=one.pk).update(source="task:0")
    again = heard(clock.at, licence=Licence.objects.get(pk=one.licence_id))
    decide_revocation(again, revoke=False, reason="所述事实仍不足以撤销许可。", by=decider(one.case), now=clock.at)
    assert Document.objects.filter(case=one.case, kind="no_revocation").count() == 2


@pytest.mark.parametrize(
    ("missing", "code", "sentence"),
    [
        ("ground", "ground-missing", "法定情形"),
        ("reason", "reason-missing", "请写明决定的理由"),
        ("public_interest", "interest-missing", "公共利益"),
        ("compensation", "compensation-missing", "是否给予赔偿"),
    ],
)
def test_revoking_considers_all_of_article_69_in_writing(
    clock: Moment, sign_in: SignIn, missing: str, code: str, sentence: str
) -> None:
    one = heard(clock.at)
    given = DECISION | {missing: ""}
    with pytest.raises(Refused) as refused:
        decide_revocation(one, revoke=True, **given, by=decider(one.case), now=clock.at)
    assert refused.value.code == code
    browser = sign_in(decider(one.case).username)
    answer = browser.post(page(one), {"act": "decide", "verdict": "revoke", **given})
    assert answer.status_code == 422
    assert sentence in text(answer)
    kept = next(value for key, value in given.items() if key != missing and value not in {"unqualified", ""})
    assert kept in text(answer)
    assert fresh(one).status == R.HEARD


@pytest.mark.parametrize(("verdict", "said"), [("revoke", "撤销的理由"), ("keep", "不予撤销的理由")])
def test_one_word_decides_nothing(clock: Moment, sign_in: SignIn, verdict: str, said: str) -> None:
    one = heard(clock.at)
    browser = sign_in(decider(one.case).username)
    for short in ("是", "仍 不 符 合 条 件", "仍不符合许可条件。"):
        given = DECISION | {"reason": short}
        answer = browser.post(page(one), {"act": "decide", "verdict": verdict, **given})
        assert answer.status_code == 422
        assert said in text(answer)
        assert f"至少 10 字，现为 {len(short.replace(' ', ''))} 字" in text(answer)
        assert all(given[name] in text(answer) for name in ("reason", "public_interest", "compensation"))
        with pytest.raises(Refused) as refused:
            decide_revocation(one, revoke=verdict == "revoke", **given, by=decider(one.case), now=clock.at)
        assert (refused.value.code, refused.value.field) == ("reason-too-short", "reason")
    assert fresh(one).status == R.HEARD
    enough = {"act": "decide", "verdict": verdict, **DECISION, "reason": "复查仍不符合许可条件"}
    assert browser.post(page(one), enough).status_code == 302


# --- the notice


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"days": 4}, "answer-days"),
        ({"days": 21}, "answer-days"),
        ({"days": None}, "answer-days"),
        ({"ground": "none"}, "ground-missing"),
        ({"facts": ""}, "facts-missing"),
    ],
)
def test_the_notice_is_whole(city: None, clock: Moment, wrong: dict[str, Any], code: str) -> None:
    one = proposed(clock.at)
    given: dict[str, Any] = {"ground": "fraud", "facts": FACTS, "days": 5} | wrong
    with pytest.raises(Refused) as refused:
        give_notice(one, **given, by=decider(one.case), now=clock.at)
    assert refused.value.code == code
    assert fresh(one).status == R.RECEIVED


def test_silence_until_the_day_is_over_lets_the_decider_decide(clock: Moment, sign_in: SignIn) -> None:
    one = noticed(clock.at, broken_promise=False)
    browser = sign_in(decider(one.case).username)
    clock.to("2026-10-10 23:59")
    assert page(one) in text(browser.get(f"{LIST}?tab=noticed"))
    with pytest.raises(Refused, match="才能作出决定"):
        decide_revocation(one, revoke=True, **DECISION, by=decider(one.case), now=clock.at)
    sweep(clock.to("2026-10-12 09:00"))
    reminded = Message.objects.filter(reference=one.case.stream, kind="case_reminder", text__contains="陈述申辩")
    assert reminded.exists()
    assert page(one) in text(browser.get(f"{LIST}?tab=heard"))
    assert page(one) not in text(browser.get(f"{LIST}?tab=noticed"))
    late = hear_holder(one, text="迟到的意见。", wish="later", by=decider(one.case), door=Door.WINDOW, now=clock.at)
    assert late.statement == "迟到的意见。"
    with pytest.raises(Refused, match="申请听证的期限已过"):
        hear_holder(one, text="", wish="ask", by=decider(one.case), door=Door.WINDOW, now=clock.at)
    done = decide_revocation(one, revoke=True, **DECISION, by=decider(one.case), now=clock.at)
    assert {CaseAct.REVOCATION_HEARD, CaseAct.REVOKED} <= set(acts(one))
    assert list(CreditFact.objects.values_list("kind", flat=True)) == ["revoked"]
    assert done.answer_deadline is not None
    assert fresh(one).answer_deadline.state == State.CANCELLED  # type: ignore[union-attr]


# --- another ground


ANEW = {"act": "anew", "ground": "fraud", "facts": "申请时提交了虚假的检测报告。", "days": "5"}


def test_the_ground_of_the_decision_is_the_one_that_the_holder_was_told(clock: Moment, sign_in: SignIn) -> None:
    one = heard(clock.at)
    browser = sign_in(decider(one.case).username)
    answer = browser.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION, "ground": "fraud"})
    assert answer.status_code == 422
    assert "请先另行告知" in text(answer)
    assert "不具备申请资格" in text(answer) or fresh(one).get_ground_display() in text(answer)
    with pytest.raises(Refused) as refused:
        decide_revocation(one, revoke=True, **DECISION | {"ground": "fraud"}, by=decider(one.case), now=clock.at)
    assert refused.value.code == "ground-not-noticed"
    now = fresh(one)
    assert (now.status, now.ground, now.document) == (R.HEARD, "unqualified", None)


def test_another_ground_takes_a_new_notice_and_a_new_hearing(clock: Moment, sign_in: SignIn) -> None:
    one = heard(clock.at)
    first = fresh(one).notice
    assert first is not None
    clock.to("2026-09-30 10:00")
    browser = sign_in(decider(one.case).username)
    assert "另行告知" in text(browser.get(page(one)))
    for wrong in ({"ground": ""}, {"facts": " "}, {"days": "4"}):
        assert browser.post(page(one), ANEW | {"replaces": first.number} | wrong).status_code == 422
    assert browser.post(page(one), ANEW | {"replaces": first.number}).status_code == 302
    now = fresh(one)
    assert (now.status, now.ground, now.waived_at, now.statement_at is None) == (R.NOTICED, "fraud", None, False)
    assert now.statement.startswith("面积测量有误。")
    assert "9月28日签署放弃书" in now.statement
    assert now.notice is not None
    assert now.notice != first
    assert first.number in str(now.notice.content)
    assert now.answer_deadline is not None
    assert now.answer_deadline.due_on == dt.date(2026, 10, 13)  # 8, 9, Saturday 10, 12 and 13 October
    assert len(sms(one, "holder_revocation_notice")) == 2
    assert "另行告知" in sms(one, "holder_revocation_notice")[1]
    shown = text(browser.get(page(one)))
    for paper in (first, now.notice):
        assert reverse("office:revocation_paper", args=[one.pk, paper.pk]) in shown
    again = browser.post(page(one), ANEW | {"replaces": first.number})  # a colleague was faster
    assert again.status_code == 409
    assert ANEW["facts"] in text(again)
    decide = {"act": "decide", "verdict": "revoke", **DECISION, "ground": "fraud", "bars": "no"}
    assert browser.post(page(one), decide).status_code == 409  # the holder may answer
    clock.to("2026-10-14 09:00")
    assert browser.post(page(one), decide).status_code == 302
    done = fresh(one)
    assert (done.status, done.ground) == (R.DECIDED, "fraud")
    assert "2026年9月30日告知" in str(done.document.content)  # type: ignore[union-attr]
    with pytest.raises(TransitionNotAllowed):
        give_notice_anew(
            one, replaces=now.notice.number, ground="fraud", facts=FACTS, days=5, by=decider(one.case), now=clock.at
        )
    assert list(verify.faults()) == []


def test_a_new_notice_begins_the_hearing_anew(city: None, clock: Moment) -> None:
    one = planned(asked(clock.at), dt.date(2026, 10, 13), clock.at)
    number = fresh(one).notice.number  # type: ignore[union-attr]
    said: dict[str, Any] = {"ground": "fraud", "facts": FACTS, "days": 5, "by": decider(one.case)}
    clock.to("2026-09-29 10:00")
    give_notice_anew(one, replaces=number, **said, now=clock.at)
    now = fresh(one)
    assert (now.status, now.hearing_asked_at, now.hearing_on, now.hearing_chair) == (R.NOTICED, None, None, None)
    assert now.deadline.state == State.RUNNING
    to_chair = list(Message.objects.filter(to_user=chair_of(one)).order_by("pk").values_list("text", flat=True))
    assert "另行告知取消" in to_chair[-1]
    hear_holder(one, text="", wish="ask", by=None, door=Door.PUBLIC, now=clock.at)
    assert fresh(one).deadline.state == State.PAUSED
    planned(one, dt.date(2026, 10, 14), clock.at)
    held(one, clock.to("2026-10-14 15:00"))
    number = fresh(one).notice.number  # type: ignore[union-attr]
    give_notice_anew(one, replaces=number, **said | {"ground": "abuse"}, now=clock.at)
    now = fresh(one)
    assert "双方到场" in now.statement
    assert (now.status, now.hearing_record, now.hearing_held_at) == (R.NOTICED, "", None)


# --- the hearing


def test_the_former_chair_is_told(city: None, clock: Moment) -> None:
    one = planned(asked(clock.at), dt.date(2026, 10, 13), clock.at)
    former = chair_of(one)
    other = next(person for person in chairs(one, clock.at, by=decider(one.case)) if person != former)

    def told(person: Any) -> list[str]:
        return list(Message.objects.filter(to_user=person).order_by("pk").values_list("text", flat=True))

    before = len(told(former))
    clock.to("2026-09-28 11:00")
    planned(one, dt.date(2026, 10, 14), clock.at)  # the same chair is told of the new day only
    assert len(told(former)) == before + 1
    plan_hearing(one, on=dt.date(2026, 10, 14), place="四楼", chair=other, by=decider(one.case), now=clock.at)
    assert "10月14日撤销许可听证" in told(former)[-1]
    assert "改由他人主持，您不必到场" in told(former)[-1]
    assert "请您主持" in told(other)[-1]
    hear_holder(one, text="", wish="waive", waiver="不再要求", by=decider(one.case), door=Door.WINDOW, now=clock.at)
    assert "已取消，持证人书面放弃听证，您不必到场" in " ".join(told(other))


def test_the_chair_is_not_told_that_the_holder_may_still_answer(city: None, clock: Moment, sign_in: SignIn) -> None:
    one = planned(asked(clock.at), dt.date(2026, 10, 13), clock.at)
    held(one, clock.to("2026-10-13 16:00"))
    shown = text(sign_in(chair_of(one).username).get(page(one)))
    assert "前陈述申辩、申请听证" not in shown
    assert "由决定人员作出决定" in shown


def test_a_hearing_stops_the_clock_and_its_record_starts_it_again(clock: Moment, sign_in: SignIn) -> None:
    one = asked(clock.at)
    due = one.deadline.due_on
    now = fresh(one)
    assert (now.deadline.state, now.hearing_deadline.state) == (State.PAUSED, State.RUNNING)  # type: ignore[union-attr]
    assert now.answer_deadline.state == State.MET  # type: ignore[union-attr]
    who, chair = decider(one.case), chair_of(one)
    browser = sign_in(who.username)
    assert browser.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION}).status_code == 409
    # Seven working days' notice: 29, 30 September, 8, 9, 10, 12, 13 October.
    plan = {"act": "plan", "on": "2026-10-12", "place": "三楼", "chair": str(chair.pk)}
    answer = browser.post(page(one), plan)
    assert answer.status_code == 422
    assert "提前七个工作日通知" in text(answer)
    assert browser.post(page(one), plan | {"on": "2026-10-13"}).status_code == 302
    assert "2026年10月13日" in sms(one, "holder_hearing")[0]
    chaired = sign_in(chair.username)
    letter = Document.objects.get(case=one.case, kind="hearing")
    assert letter.content["to"] == one.licence.holder_name
    assert "2026年10月13日在三楼" in str(letter.content)
    address = reverse("office:revocation_paper", args=[one.pk, letter.pk])
    assert address in text(browser.get(page(one)))
    assert "听证通知书" in text(chaired.get(address))
    other = Document.objects.exclude(pk__in=[letter.pk, one.notice_id]).order_by("pk")[0]
    assert chaired.get(reverse("office:revocation_paper", args=[one.pk, other.pk])).status_code == 404
    assert browser.post(page(one), plan | {"on": "2026-10-13", "place": "四楼"}).status_code == 302
    assert Document.objects.filter(case=one.case, kind="hearing").count() == 2
    assert page(one) in text(chaired.get("/office/hearings/"))
    assert chaired.post(page(one), {"act": "record", "record": "早"}).status_code == 422
    assert chaired.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION}).status_code == 404
    clock.to("2026-10-13 15:00")
    assert browser.post(page(one), {"act": "record", "record": "代写"}).status_code == 409
    assert chaired.post(page(one), {"act": "record", "record": "双方到场。"}).status_code == 302
    done = fresh(one)
    assert (done.status, done.deadline.state) == (R.HEARD, State.RUNNING)
    assert done.deadline.due_on > due
    assert done.hearing_deadline.state == State.MET  # type: ignore[union-attr]
    assert browser.post(page(one), {"act": "decide", "verdict": "revoke", **DECISION}).status_code == 302
    assert "根据听证笔录" in str(fresh(one).document.content)  # type: ignore[union-attr]


def test_whoever_took_part_does_not_chair_and_the_chair_does_not_decide(city: None, clock: Moment) -> None:
    one = asked(clock.at)
    case, who = one.case, decider(one.case)
    able = chairs(one, clock.at, by=who)
    assert chair_of(one) in able
    assert not {case.intake_by, case.reviewer, case.decider, who, one.noticed_by} & set(able)
    on = dt.date(2026, 10, 13)
    with pytest.raises(Refused) as refused:
        plan_hearing(one, on=on, place="三楼", chair=case.reviewer, by=who, now=clock.at)
    assert refused.value.code == "chair-involved"
    planned(one, on, clock.at)
    held(one, clock.to("2026-10-13 16:00"))
    Posting.objects.create(
        user=chair_of(one), role=Posting.Role.DECIDER, office=one.office, department=one.office.department,
        starts_on=dt.date(2026, 1, 1),
    )  # fmt: skip
    with pytest.raises(Refused, match="主持人"):
        decide_revocation(one, revoke=True, **DECISION, by=chair_of(one), now=clock.at)


def test_a_hearing_may_be_waived_after_it_was_asked_for(city: None, clock: Moment) -> None:
    one = asked(clock.at)
    hear_holder(one, text="", wish="waive", waiver="不再要求", by=decider(one.case), door=Door.WINDOW, now=clock.at)
    now = fresh(one)
    assert (now.status, now.deadline.state) == (R.HEARD, State.RUNNING)
    assert now.hearing_deadline.state == State.CANCELLED  # type: ignore[union-attr]


# --- the holder's own door


def test_the_holder_states_and_asks_for_a_hearing_by_the_own_door(city: None, clock: Moment) -> None:
    one = noticed(clock.at)
    browser, url = Client(), reverse("door_acts", args=[one.case.number])
    show_code(browser, one.case)
    assert enter(browser, one.case, send(browser, one.case))[0] == 302
    shown = text(browser.get(url))
    assert "陈述、申辩，申请听证" in shown
    refused = browser.post(url, {"act": "state", "text": "", "wish": "later"})
    assert refused.status_code == 422
    assert "请写明陈述和申辩的内容" in text(refused)
    assert browser.post(url, {"act": "state", "text": "测量有误。", "wish": "ask"}).status_code == 302
    now = fresh(one)
    assert (now.statement, now.statement_door, now.hearing_asked_at) == ("测量有误。", "public", clock.at)
    assert Message.objects.filter(reference=one.case.stream, kind="revocation_answered").exists()
    assert browser.post(url, {"act": "state", "text": "", "wish": "ask"}).status_code == 409


def test_the_window_writes_down_what_the_holder_says_there(clock: Moment, sign_in: SignIn) -> None:
    one = proposed(clock.at)
    browser, url = sign_in("chuangkou1"), reverse("window:statement", args=[one.case.number])
    case_url = reverse("window:case", args=[one.case.number])
    assert url not in text(browser.get(case_url))
    assert browser.get(url).status_code == 409
    give_notice(one, ground="unqualified", facts=FACTS, days=5, by=decider(one.case), now=clock.at)
    assert url in text(browser.get(case_url))
    assert FACTS in text(browser.get(url))
    answer = browser.post(url, {"text": "面积测量有误。", "wish": "waive", "waiver": ""})
    assert answer.status_code == 422
    assert "请写明书面放弃的情况" in text(answer)
    assert "面积测量有误。" in text(answer)
    assert browser.post(url, {"text": "面积测量有误。", "wish": "ask"}).status_code == 302
    now = fresh(one)
    assert (now.statement, now.statement_door, now.hearing_asked_at) == ("面积测量有误。", "window", clock.at)
    entry = Entry.objects.get(stream=one.case.stream, act=CaseAct.HEARING_ASKED)
    assert entry.actor == play.person("chuangkou1")
    assert Message.objects.filter(reference=one.case.stream, kind="revocation_answered").exists()
    assert browser.post(url, {"text": "", "wish": "ask"}).status_code == 409
    # Not the counter that only hands out, nor a window of another division, nor anybody who reviews.
    reviewer = play.holder(Posting.Role.REVIEWER, one.case)
    for who in ("chujian1", "donghai.chuangkou1", reviewer.username):
        assert sign_in(who).get(url).status_code == 404
    with pytest.raises(Refused, match="决定人员"):
        hear_holder(one, text="代说。", wish="later", by=reviewer, door=Door.WINDOW, now=clock.at)
    planned(fresh(one), dt.date(2026, 10, 13), clock.at)
    clock.to("2026-10-13 16:00")
    held(fresh(one), clock.at)
    assert browser.get(url).status_code == 409


# --- in public


def test_the_public_sees_the_state_and_no_officer(city: None, clock: Moment) -> None:
    one = heard(clock.at)
    visitor = Client()
    said = {"number": one.case.number, "code": one.case.query_code}
    before = text(visitor.post("/progress/", said))
    assert "拟撤销" in before
    who = decider(one.case)
    decide_revocation(one, revoke=True, **DECISION, by=who, now=clock.at)
    grant = Document.objects.get(case=one.case, kind="approval")
    for address in (
        reverse("licence", args=[one.licence.number]),
        reverse("licences"),
        reverse("verify", args=[grant.verify_code]),
    ):
        shown = text(visitor.get(address))
        assert "已撤销" in shown, address
        assert who.full_name not in shown
    after = text(visitor.post("/progress/", said))
    assert "证照已撤销" in after
    assert who.full_name not in after
    rows = b"".join(visitor.get(f"{reverse('licences')}?format=csv")).decode("utf-8-sig")
    assert "已撤销（2026年9月28日注销）" in rows


# --- who may


def test_only_deciders_of_the_office_find_it(clock: Moment, sign_in: SignIn) -> None:
    one = proposed(clock.at)
    case = one.case
    strangers = Posting.objects.filter(role=Posting.Role.DECIDER).exclude(office=one.office)
    others = strangers.exclude(user__postings__office=one.office)
    accounts = {
        "reviewer": play.holder(Posting.Role.REVIEWER, case, decider(case)).username,
        "clerk": "chuangkou1",
        "other office": others.order_by("pk")[0].user.username,
        "other division": others.exclude(office__department__division=case.division).order_by("pk")[0].user.username,
        "manager": Posting.objects.filter(role=Posting.Role.OFFICE_MANAGER).order_by("pk")[0].user.username,
    }
    for who, account in accounts.items():
        browser = sign_in(account)
        assert browser.get(page(one)).status_code == 404, who
        assert browser.post(page(one), {"act": "notice"}).status_code == 404, who
        listed = browser.get(LIST)
        assert listed.status_code == 404 or one.licence.number not in text(listed), who
        exported = browser.get(f"{LIST}export.csv")
        assert exported.status_code == 404 or one.licence.number not in b"".join(exported).decode(), who
    assert Client().get(page(one)).status_code == 302


def test_who_declared_a_conflict_with_the_holder_has_no_part(clock: Moment, sign_in: SignIn) -> None:
    one = proposed(clock.at)
    who = decider(one.case)
    Conflict.objects.create(user=who, subject=one.licence.holder, reason="亲属", declared_at=clock.at)
    assert sign_in(who.username).get(page(one)).status_code == 404
    with pytest.raises(Refused, match="回避"):
        give_notice(one, ground="fraud", facts=FACTS, days=5, by=who, now=clock.at)


# --- the list


def test_the_list_finds_filters_exports_and_asks_a_constant_number_of_questions(clock: Moment, sign_in: SignIn) -> None:
    first = proposed(clock.at)
    browser = sign_in(decider(first.case).username)
    browser.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        browser.get(LIST)
    second = proposed(clock.at, broken_promise=False)
    with CaptureQueriesContext(connection) as more:
        shown = text(browser.get(LIST))
    assert page(first) in shown
    assert page(second) in shown
    assert len(more) == len(few)
    found = text(browser.get(f"{LIST}?q={second.licence.number}"))
    assert (page(second) in found, page(first) in found) == (True, False)
    found = text(browser.get(f"{LIST}?origin=promise"))
    assert (page(second) in found, page(first) in found) == (False, True)
    rows = b"".join(browser.get(f"{LIST}export.csv?origin=other")).decode("utf-8-sig")
    assert (second.licence.number in rows, first.licence.number in rows) == (True, False)
    assert "没有符合条件" in text(browser.get(f"{LIST}?q=nobody"))


# --- one transaction


def test_what_fails_above_takes_the_whole_decision_back(city: None, clock: Moment) -> None:
    one = heard(clock.at)

    def breaks(sender: Any, **kwargs: Any) -> None:
        raise RuntimeError("above")

    licence_changed.connect(breaks)
    before = Entry.objects.count()
    try:
        with pytest.raises(RuntimeError):
            decide_revocation(one, revoke=True, **DECISION, by=decider(one.case), now=clock.at)
    finally:
        licence_changed.disconnect(breaks)
    now = fresh(one)
    assert (now.status, now.licence.state, Entry.objects.count()) == (R.HEARD, Licence.State.VALID, before)
    assert not CreditFact.objects.exists()
    assert not LicenceChange.objects.exists()
    assert not Document.objects.filter(kind="revocation").exists()


def test_a_second_decision_is_a_conflict(clock: Moment, sign_in: SignIn) -> None:
    one = heard(clock.at)
    browser = sign_in(decider(one.case).username)
    said = {"act": "decide", "verdict": "revoke", **DECISION}
    assert browser.post(page(one), said).status_code == 302
    assert browser.post(page(one), said | {"verdict": "keep"}).status_code == 409
    assert fresh(one).revoke is True


def test_nobody_slips_away_while_a_revocation_is_handled(city: None, clock: Moment) -> None:
    one = proposed(clock.at)
    said: dict[str, Any] = {
        "basis": "行政许可法第七十条",
        "reason": "持证人申请",
        "by": decider(one.case),
        "now": clock.at,
    }
    with pytest.raises(Refused) as refused:
        change_licence(one.licence, kind="deregistration", **said)
    assert refused.value.code == "revocation-open"
    assert change_licence(one.licence, kind="suspension", **said).licence.state == Licence.State.SUSPENDED


# --- every state, every act, every role

ACTS: dict[str, dict[str, str]] = {
    "notice": {"ground": "unqualified", "facts": FACTS, "days": "5"},
    "hear": {"text": "意见", "wish": "later"},
    "plan": {"on": "2026-10-13", "place": "三楼", "chair": ""},
    "record": {"record": "笔录"},
    "decide": {"verdict": "revoke", **DECISION},
    "anew": {"ground": "fraud", "facts": FACTS, "days": "5"},
}
STATES: dict[str, Callable[[dt.datetime], Revocation]] = {
    "received": proposed,
    "noticed": noticed,
    "asked": asked,
    "heard": heard,
}
ALLOWED = {
    ("received", "notice", "decider"),
    ("noticed", "hear", "decider"),
    ("asked", "hear", "decider"),
    ("asked", "plan", "decider"),
    ("heard", "hear", "decider"),
    ("heard", "decide", "decider"),
    ("noticed", "anew", "decider"),
    ("asked", "anew", "decider"),
    ("heard", "anew", "decider"),
}


@pytest.mark.parametrize("state", [*STATES, "decided"])
@pytest.mark.parametrize("act", list(ACTS))
def test_state_by_act_by_role(clock: Moment, sign_in: SignIn, state: str, act: str) -> None:
    if state == "decided":
        one = heard(clock.at)
        decide_revocation(one, revoke=False, reason="所述事实不足以撤销许可。", by=decider(one.case), now=clock.at)
    else:
        one = STATES[state](clock.at)
    said = {"act": act, **ACTS[act]}
    if act == "plan":
        said["chair"] = str(chair_of(one).pk)
    if act == "anew":
        notice = fresh(one).notice
        said["replaces"] = notice.number if notice else "无"
    for role in ("reviewer", "clerk", "manager", "head"):
        account = {
            "reviewer": play.holder(Posting.Role.REVIEWER, one.case, decider(one.case)).username,
            "clerk": "chuangkou1",
            "manager": Posting.objects.filter(role=Posting.Role.OFFICE_MANAGER).order_by("pk")[0].user.username,
            "head": chair_of(one).username,
        }[role]
        assert sign_in(account).post(page(one), said).status_code == 404, role
    before = fresh(one).status
    answer = sign_in(decider(one.case).username).post(page(one), said)
    allowed = (state, act, "decider") in ALLOWED
    assert answer.status_code == (302 if allowed else 409)
    if not allowed:
        assert fresh(one).status == before
