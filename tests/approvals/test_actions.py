"""The verbs of the approval side: what they do, and what they refuse in words."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from approvals.actions import (
    IntakeDraft,
    accept_case,
    answer_correction,
    complete_case,
    decide,
    deliver,
    give_opinion,
    receive_case,
    refuse_acceptance,
    request_correction,
)
from approvals.actions.intake import checklist, is_letter, required_points, slot_of
from approvals.enums import MOVES, CaseStatus, DocumentKind, Outcome, Way
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, CorrectionNotice, Document
from approvals.numbers import is_case_number
from catalogue.models import BusinessItem
from deadlines.enums import State
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from oversight.demo.cases import COMPANIES, code_of
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Role = Posting.Role


def draft(item: BusinessItem, **changes: object) -> IntakeDraft:
    values: dict[str, object] = {
        "business_item": item,
        "intake_key": uuid.uuid4(),
        "subject_kind": "organisation",
        "identifier": code_of(COMPANIES[0][0]),
        "name": COMPANIES[0][1],
        "contact_name": "联系人",
        "contact_phone": "10000990001",
    }
    return IntakeDraft(**(values | changes))  # type: ignore[arg-type]


def test_a_received_case_has_number_code_receipt_and_a_running_clock(city: None, clock: Moment) -> None:
    case = play.received(clock.at)
    assert is_case_number(case.number)
    assert case.number.startswith("32070020260928")
    assert len(case.query_code) == 8
    assert Document.objects.get(case=case).kind == DocumentKind.RECEIPT
    assert case.notice_deadline is not None
    assert case.notice_deadline.due_on == dt.date(2026, 10, 10)  # 29, 30, 8, 9, and Saturday 10 that is worked
    assert Message.objects.get(kind="applicant_received").text.count(case.query_code) == 1


@pytest.mark.parametrize(
    ("identifier", "said"),
    [
        ("91320700MA1DEM0019", "校验不符"),
        ("9132070", "应为 18 位"),
        ("9132O700MA1DEM0015", "不允许的字符"),
    ],
)
def test_a_wrong_code_is_refused_in_words(city: None, clock: Moment, identifier: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        receive_case(draft(play.item(), identifier=identifier), by=play.person("chuangkou1"), now=clock.at)
    assert not Case.objects.exists()


def test_full_width_and_lower_case_codes_are_the_same_subject(city: None, clock: Moment) -> None:
    code = code_of(COMPANIES[0][0])
    wide = "".join(chr(ord(char) + 0xFEE0) for char in code.lower())
    first = receive_case(draft(play.item()), by=play.person("chuangkou1"), now=clock.at)
    second = receive_case(draft(play.item(), identifier=f" {wide} "), by=play.person("chuangkou1"), now=clock.at)
    assert first.applicant_id == second.applicant_id


def test_the_same_form_sent_twice_is_one_case(city: None, clock: Moment) -> None:
    form = draft(play.item())
    first = receive_case(form, by=play.person("chuangkou1"), now=clock.at)
    assert receive_case(form, by=play.person("chuangkou1"), now=clock.at).pk == first.pk
    with pytest.raises(Refused) as refusal:
        receive_case(form, by=play.person("chuangkou2"), now=clock.at)
    assert refusal.value.conflict


def test_acceptance_names_what_is_missing(city: None, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    with pytest.raises(Refused, match="还缺 1 项必要材料"):
        accept_case(case, by=play.person("chuangkou1"), now=clock.at)
    case.refresh_from_db()
    assert case.status == CaseStatus.SUBMITTED


def test_acceptance_starts_both_clocks_and_draws_a_reviewer(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.status == CaseStatus.IN_REVIEW
    assert case.statutory_deadline is not None
    assert case.promised_deadline is not None
    assert case.statutory_deadline.due_on == dt.date(
        2026, 10, 8
    )  # 10 calendar days from receipt, 城市房地产开发经营管理条例 24
    assert case.promised_deadline.due_on == dt.date(2026, 10, 8)  # 3 working days: Lianyungang's promise
    assert case.notice_deadline is not None
    case.notice_deadline.refresh_from_db()
    assert case.notice_deadline.state == State.MET
    pool = Entry.objects.get(stream=case.stream, act="case.reviewer_drawn").data["pool"]
    assert case.reviewer_id in pool
    assert len(pool) == 2


def test_one_correction_notice_and_never_a_second(city: None, clock: Moment) -> None:
    clerk = play.person("chuangkou1")
    case = play.received(clock.at, complete=False)
    grounds = case.business_item.published_grounds()
    other = next(g for g in grounds if f"{g.kind}:{g.id}" not in required_points(case))
    with pytest.raises(Refused, match="必须一次告知全部内容"):
        request_correction(case, keys=[f"{other.kind}:{other.id}"], remarks={}, by=clerk, now=clock.at)
    with pytest.raises(Refused, match="只能依据已公布"):
        request_correction(case, keys=[*required_points(case), "material:999999"], remarks={}, by=clerk, now=clock.at)
    case = request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)
    assert case.status == CaseStatus.CORRECTION_REQUESTED
    missing = [slot_of(line) for line in case.materials.all() if not line.is_in]
    case = answer_correction(case, provided=dict.fromkeys(missing, "provided"), by=clerk, now=clock.at)
    with pytest.raises(Refused, match="不得再次告知"):
        request_correction(case, keys=[], remarks={}, by=clerk, now=clock.at)
    with pytest.raises(IntegrityError), transaction.atomic():
        CorrectionNotice.objects.create(case=case, points=[], issued_by=clerk, issued_at=clock.at)
    assert accept_case(case, by=clerk, now=clock.at).status == CaseStatus.IN_REVIEW


def test_refusing_needs_a_ground_and_a_reason(city: None, clock: Moment) -> None:
    clerk = play.person("chuangkou1")
    case = play.received(clock.at)
    with pytest.raises(Refused, match="必须说明原因"):
        refuse_acceptance(case, ground="not_our_duty", reason="  ", by=clerk, now=clock.at)
    with pytest.raises(Refused, match="法定理由"):
        refuse_acceptance(case, ground="because", reason="x", by=clerk, now=clock.at)
    with pytest.raises(Refused, match="请先一次性告知"):
        refuse_acceptance(case, ground="not_corrected", reason="未补齐", by=clerk, now=clock.at)
    case = refuse_acceptance(case, ground="not_our_duty", reason="应向交通部门申请。", by=clerk, now=clock.at)
    assert case.status == CaseStatus.NOT_ACCEPTED
    assert not SupervisionTask.objects.exists()


def test_only_the_drawn_reviewer_gives_the_opinion_and_somebody_else_decides(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    reviewer = case.reviewer
    assert reviewer is not None
    other = play.holder(Role.REVIEWER, case, reviewer)
    with pytest.raises(TransitionNotAllowed, match="没有抽取到您名下"):
        give_opinion(case, approve=True, text="好", by=other, now=clock.at)
    with pytest.raises(Refused, match="写明审查意见"):
        give_opinion(case, approve=True, text="", by=reviewer, now=clock.at)
    with pytest.raises(Refused, match="一次性勾选"):
        give_opinion(case, approve=False, text="不行", by=reviewer, now=clock.at)
    decider = play.holder(Role.DECIDER, case, reviewer)
    with pytest.raises(Refused, match="审查意见还没有出具"):
        decide(case, approve=True, by=decider, now=clock.at)
    give_opinion(case, approve=True, text="好", by=reviewer, now=clock.at)
    with pytest.raises(TransitionNotAllowed):
        give_opinion(case, approve=True, text="好", by=reviewer, now=clock.at)
    with pytest.raises(Refused, match="不能是同一人"):
        decide(case, approve=True, by=reviewer, now=clock.at)
    with pytest.raises(Refused, match="全部理由"):
        decide(case, approve=False, by=decider, now=clock.at)
    assert decide(case, approve=True, by=decider, now=clock.at).status == CaseStatus.APPROVED


def test_a_rejection_is_served_and_opens_no_task(city: None, clock: Moment) -> None:
    case = play.reviewed(clock.at, approve=False)
    reviewer = case.reviewer
    assert reviewer is not None
    grounds = [f"{g.kind}:{g.id}" for g in case.business_item.published_grounds()[:2]]
    case = decide(case, approve=False, keys=grounds, by=play.holder(Role.DECIDER, case, reviewer), now=clock.at)
    paper = Document.objects.get(case=case, kind=DocumentKind.REJECTION)
    assert len(paper.content["table"]) == 2
    assert "六十日" in paper.content["remedies"]
    with pytest.raises(TransitionNotAllowed):
        complete_case(case, by=reviewer, now=clock.at)
    case = deliver(case, method="counter", receiver="张三", by=play.person("chujian1"), now=clock.at)
    assert (case.status, case.outcome) == (CaseStatus.COMPLETED, Outcome.REFUSED)
    assert not SupervisionTask.objects.exists()


def test_a_second_completion_is_refused(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    tasks = SupervisionTask.objects.count()
    with pytest.raises(TransitionNotAllowed, match="已办结"):
        complete_case(case, by=play.person("zhujian.shenchaa"), now=clock.at)
    assert SupervisionTask.objects.count() == tasks


def test_delivery_once_with_a_receiver(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    clerk = play.person("chujian1")
    with pytest.raises(Refused, match="领取人"):
        deliver(case, method="counter", receiver=" ", by=clerk, now=clock.at)
    with pytest.raises(Refused, match="邮件号"):
        deliver(case, method="post", receiver="张三", by=clerk, now=clock.at)
    deliver(case, method="post", receiver="张三", tracking="EMS1", by=clerk, now=clock.at)
    with pytest.raises(TransitionNotAllowed, match="不能重复送达"):
        deliver(case, method="counter", receiver="张三", by=clerk, now=clock.at)


def test_an_on_the_spot_item_is_decided_by_a_decider_on_duty(city: None, clock: Moment) -> None:
    spot = (
        BusinessItem.objects.published()
        .filter(handling="on_the_spot", item__kind="licence", item__division__code="320700")
        .first()
    )
    assert spot is not None
    case = play.accepted(clock.at, spot)
    decider = case.decider
    assert decider is not None
    assert Posting.objects.get(user=decider, role=Role.DECIDER).on_duty
    case = decide(case, approve=True, by=decider, now=clock.at)
    assert (case.status, case.outcome) == (CaseStatus.COMPLETED, Outcome.LICENSED)
    assert SupervisionTask.objects.filter(case=case).exists()


def test_an_on_the_spot_case_with_nobody_on_duty_waits_for_any_decider(city: None, clock: Moment) -> None:
    Posting.objects.update(on_duty=False)
    spot = (
        BusinessItem.objects.published()
        .filter(handling="on_the_spot", item__kind="licence", item__division__code="320700")
        .first()
    )
    assert spot is not None
    case = play.accepted(clock.at, spot)
    assert case.decider is None
    assert Entry.objects.get(stream=case.stream, act="case.decider_drawn").data["pool"] == []
    assert decide(case, approve=True, by=play.holder(Role.DECIDER, case), now=clock.at).status == CaseStatus.COMPLETED


def test_a_filing_ends_at_acceptance_and_opens_its_tasks(city: None, clock: Moment) -> None:
    filing = BusinessItem.objects.published().filter(item__kind="filing", item__division__code="320700").first()
    assert filing is not None
    case = play.accepted(clock.at, filing)
    assert (case.status, case.outcome) == (CaseStatus.COMPLETED, Outcome.FILED)
    assert case.reviewer is None
    assert case.licence.number.startswith("LYG320700")
    assert SupervisionTask.objects.filter(case=case).exists()


def test_the_promise_way_drops_materials_and_travels_to_the_task(city: None, clock: Moment) -> None:
    offers = [i for i in BusinessItem.objects.published().select_related("item") if i.allows_promise]
    item = next(i for i in offers if i.effective_materials().filter(waived_by_promise=True).exists())
    lines = checklist(item, Way.PROMISE)
    assert sum("告知承诺书" in line.name for line in lines) == 1
    provided = {slot_of(line): "provided" for line in lines if line.required and not is_letter(line)}
    clerk = {"320700": "chuangkou1", "320722": "donghai.chuangkou1", "320723": "guanyun.chuangkou1"}[
        item.item.division.code
    ]
    case = receive_case(draft(item, way=Way.PROMISE, provided=provided), by=play.person(clerk), now=clock.at)
    assert not Document.objects.filter(case=case, kind=DocumentKind.PROMISE).exists()
    play.sign(case, play.person(clerk), clock.at)
    assert Document.objects.filter(case=case, kind=DocumentKind.PROMISE).exists()
    case = accept_case(case, by=play.person(clerk), now=clock.at)
    if case.decider_id is None and case.reviewer is not None:
        give_opinion(case, approve=True, text="好", by=case.reviewer, now=clock.at)
        case = decide(case, approve=True, by=play.holder(Role.DECIDER, case, case.reviewer), now=clock.at)
        case = complete_case(case, by=case.decider, now=clock.at)  # type: ignore[arg-type]
    else:
        case = decide(case, approve=True, by=case.decider, now=clock.at)  # type: ignore[arg-type]
    task = SupervisionTask.objects.filter(case=case).first()
    assert task is not None
    assert task.promise_clauses == item.promise_clauses
    no_promise = next(i for i in BusinessItem.objects.published() if not i.allows_promise)
    with pytest.raises(Refused, match="不适用告知承诺"):
        receive_case(draft(no_promise, way=Way.PROMISE), by=play.person(clerk), now=clock.at)


def test_every_status_can_be_reached_and_every_move_ends_somewhere() -> None:
    assert set(MOVES) == set(CaseStatus)
    reached = {CaseStatus.SUBMITTED} | {to for moves in MOVES.values() for to in moves}
    assert reached == set(CaseStatus)


def test_document_numbers_run_without_gap_by_authority_kind_and_year(city: None, clock: Moment) -> None:
    numbers = [Document.objects.get(case=play.received(clock.at), kind="receipt").number for _ in range(3)]
    assert numbers == [f"连建收〔2026〕{n}号" for n in (1, 2, 3)]


def test_everything_is_on_the_chain_without_personal_data(city: None, clock: Moment) -> None:
    case = play.completed(clock.at)
    assert list(verify.faults()) == []
    said = str(list(Entry.objects.values_list("data", flat=True)))
    for secret in (
        case.applicant_name,
        case.applicant.code or "",
        case.contact_phone,
        case.contact_name,
        case.query_code,
    ):
        assert secret not in said


def test_a_case_drawn_to_a_decider_who_left_the_duty_waits_for_any_other(city: None, clock: Moment) -> None:
    spot = (
        BusinessItem.objects.published()
        .filter(handling="on_the_spot", item__kind="licence", item__division__code="320700")
        .first()
    )
    assert spot is not None
    case = play.accepted(clock.at, spot)
    drawn = case.decider
    assert drawn is not None
    other = play.holder(Role.DECIDER, case, drawn)
    with pytest.raises(Refused, match="另一位值班"):
        decide(case, approve=True, by=other, now=clock.at)
    Posting.objects.filter(user=drawn, role=Role.DECIDER).update(on_duty=False)
    assert decide(case, approve=True, by=other, now=clock.at).decider == other


def test_another_name_for_a_known_code_must_be_confirmed_and_changes_no_older_case(city: None, clock: Moment) -> None:
    clerk = play.person("chuangkou1")
    older = receive_case(draft(play.item()), by=clerk, now=clock.at)
    with pytest.raises(Refused, match="名称已变更") as refusal:
        receive_case(draft(play.item(), name="连云港新名称有限公司"), by=clerk, now=clock.at)
    assert (refusal.value.code, refusal.value.field) == ("name-differs", "name")
    newer = receive_case(draft(play.item(), name="连云港新名称有限公司", renamed=True), by=clerk, now=clock.at)
    older.refresh_from_db()
    assert (older.public_name, newer.public_name) == (COMPANIES[0][1], "连云港新名称有限公司")
    assert newer.applicant.history.count() == 2
    assert newer.applicant.history.get(name="连云港新名称有限公司").history_date == clock.at
    told = [Entry.objects.get(stream=case.stream, act="case.received").data["renamed"] for case in (older, newer)]
    assert told == [False, True]


@pytest.mark.parametrize("secret", [COMPANIES[0][1], code_of(COMPANIES[0][0]).lower(), "100 0099 0001"])
def test_the_content_must_not_say_whose_case_it_is(city: None, clock: Moment, secret: str) -> None:
    with pytest.raises(Refused) as refusal:
        receive_case(draft(play.item(), content=f"{secret} 拟建三栋"), by=play.person("chuangkou1"), now=clock.at)
    assert (refusal.value.code, refusal.value.field) == ("content-names-applicant", "content")


def test_what_is_decided_on_the_spot_is_due_the_same_day(city: None, clock: Moment) -> None:
    for spot in BusinessItem.objects.published().filter(
        handling="on_the_spot", item__kind="licence", item__division__code="320700", promised_length=None
    ):
        case = play.accepted(clock.at, spot)
        assert case.promised_deadline is not None, spot.name
        assert case.promised_deadline.due_on == clock.at.date()


def test_an_item_with_its_own_letter_of_promise_has_no_ordinary_way(city: None, clock: Moment) -> None:
    item = BusinessItem.objects.get(code="SP-2501")
    with pytest.raises(Refused, match="只按告知承诺方式"):
        receive_case(draft(item), by=play.person("chuangkou1"), now=clock.at)


def test_approval_with_ticked_faults_is_refused(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    ground = case.business_item.published_grounds()[0]
    with pytest.raises(Refused, match="不能建议准予"):
        give_opinion(case, approve=True, text="好", keys=[f"{ground.kind}:{ground.id}"], by=case.reviewer, now=clock.at)


def test_a_remark_that_is_too_long_is_refused_not_cut(city: None, clock: Moment) -> None:
    case = play.received(clock.at, complete=False)
    keys = sorted(required_points(case))
    with pytest.raises(Refused, match="最多 200 字"):
        request_correction(case, keys=keys, remarks={keys[0]: "长" * 201}, by=play.person("chuangkou1"), now=clock.at)
