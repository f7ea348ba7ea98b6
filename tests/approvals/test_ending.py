"""Ends that no decision makes: withdrawn by the applicant, or ended on paper because nobody answered the notice."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from django.test import Client

from approvals import lapsing
from approvals.actions import answer_correction, decide, request_correction
from approvals.actions.clocks import request_extension, start_procedure
from approvals.actions.ending import lapse_case, withdraw_case
from approvals.actions.intake import required_points, slot_of
from approvals.enums import CaseStatus, Door
from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Case, Document, Ending, Extension, SpecialProcedure
from approvals.tasks import lapse_unanswered
from deadlines.enums import State, YearStatus
from deadlines.models import Deadline
from deadlines.provisional import provisional_days
from deadlines.publishing import install_year
from deadlines.recompute import recompute_year
from ledger import verify
from ledger.models import Entry
from notifications.models import Message
from offices.models import Posting
from tests import city as demo_city
from tests.approvals import play
from tests.approvals.test_races import together
from tests.approvals.window import text_of
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
ENERGY = "固定资产投资项目节能审查"


def told(clock: Moment, *, complete: bool = False) -> Case:
    """A case whose applicant was told what is missing."""
    case = play.received(clock.at, complete=complete)
    clerk = play.person("chuangkou1")
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)


def again(case: Case) -> Case:
    return Case.objects.select_related("answer_deadline", "ending").get(pk=case.pk)


def withdraw(case: Case, clock: Moment, reason: str = "") -> Case:
    return withdraw_case(case, by=None, door=Door.PUBLIC, reason=reason, now=clock.at)


def day_after(case: Case) -> str:
    """The first minute at which the answer is late."""
    assert case.answer_deadline is not None
    return f"{case.answer_deadline.due_on + dt.timedelta(days=1):%F} 00:00"


def progress_of(case: Case) -> str:
    """What the public reads."""
    return text_of(Client().post("/progress/", {"number": case.number, "code": case.query_code}))


# --- withdrawal


def before_decision(clock: Moment, state: str) -> Case:
    """A case in a state before its decision."""
    if state == "corrected":
        return told(clock)
    made = {"received": play.received, "accepted": play.accepted, "reviewed": play.reviewed}
    return made[state](clock.at)


@pytest.mark.parametrize("state", ["received", "corrected", "accepted", "reviewed"])
def test_any_time_before_the_decision_the_applicant_withdraws(city: None, clock: Moment, state: str) -> None:
    case = withdraw(before_decision(clock, state), clock, "项目取消")
    assert case.status == CaseStatus.WITHDRAWN
    assert not Deadline.objects.open().filter(stream=case.stream).exists()
    assert Deadline.objects.filter(stream=case.stream, state=State.CANCELLED).exists()
    ending = Ending.objects.get(case=case)
    assert (ending.kind, ending.door, ending.ended_by, ending.reason) == ("withdrawn", "public", None, "项目取消")
    assert Document.objects.filter(case=case, kind="withdrawal").count() == 1
    entry = Entry.objects.get(stream=case.stream, act="case.withdrawn")
    assert entry.data["door"] == "public"
    assert "项目取消" not in str(entry.data)
    assert Message.objects.filter(kind="applicant_withdrawn", reference=case.stream).count() == 1
    assert "这件申请已经撤回" in progress_of(case)
    assert list(verify.faults()) == []


def test_whoever_had_the_case_is_told_and_never_whose_it_was(city: None, clock: Moment) -> None:
    case = withdraw(play.accepted(clock.at), clock)
    people = Message.objects.filter(kind="case_ended", reference=case.stream)
    assert {message.to_user_id for message in people} == {case.intake_by_id, case.reviewer_id}
    assert case.applicant_name not in "".join(people.values_list("text", flat=True))


@pytest.mark.parametrize("made", [play.approved, play.completed])
def test_after_the_decision_it_is_too_late(city: None, clock: Moment, made: object) -> None:
    case = made(clock.at)  # type: ignore[operator]
    with pytest.raises(TransitionNotAllowed, match="不能再撤回"):
        withdraw(case, clock)
    assert not Ending.objects.exists()


def test_a_second_withdrawal_is_refused_in_words(city: None, clock: Moment) -> None:
    case = withdraw(play.received(clock.at), clock)
    with pytest.raises(TransitionNotAllowed, match="已经撤回"):
        withdraw(case, clock)


def test_a_special_procedure_and_a_request_for_more_time_end_with_it(city: None, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item(ENERGY))
    assert case.reviewer is not None
    request_extension(case, days=5, reason="复杂", by=case.reviewer, now=clock.at)
    start_procedure(case, ground="expert_review", estimated_days=10, reason="组织评审", by=case.reviewer, now=clock.at)
    withdraw(case, clock)
    procedure, extension = SpecialProcedure.objects.get(case=case), Extension.objects.get(case=case)
    assert (procedure.ended_at, procedure.ended_by, procedure.result) == (clock.at, None, "申请人已撤回申请")
    assert (extension.granted, extension.answered_by) == (False, None)
    assert not Deadline.objects.open().filter(stream=case.stream).exists()
    page = progress_of(case)
    assert "正在进行" not in page


# --- silence


def test_silence_ends_the_case_at_midnight_after_its_day(city: None, clock: Moment) -> None:
    case = told(clock)
    late = case.answer_deadline
    assert late is not None
    clock.to(f"{late.due_on:%F} 23:59")
    lapse_unanswered()
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    clock.to(day_after(case))
    lapse_unanswered()
    lapse_unanswered()
    found = again(case)
    assert found.status == CaseStatus.LAPSED
    assert found.answer_deadline is not None
    assert found.answer_deadline.state == State.MISSED
    assert (found.ending.kind, found.ending.ended_by, found.ending.ended_at) == ("lapsed", None, clock.at)
    paper = Document.objects.get(case=case, kind="termination")
    assert paper.issued_by is None
    points = case.correction_notice.points
    assert all(point["text"] in str(paper.content) for point in points)
    assert Entry.objects.filter(stream=case.stream, act="case.lapsed").count() == 1
    assert Message.objects.filter(kind="applicant_lapsed", reference=case.stream).count() == 1
    assert Message.objects.get(kind="case_ended", reference=case.stream).to_user_id == case.intake_by_id
    page = progress_of(case)
    assert "这件申请已终止办理" in page
    assert "您可以重新申请" in page
    assert list(verify.faults()) == []


def test_the_notice_said_in_writing_what_silence_means(city: None, clock: Moment) -> None:
    case = told(clock)
    assert "逾期不补正的，本机关将终止办理，您可以重新申请" in str(
        Document.objects.get(case=case, kind="correction").content
    )
    assert "逾期不补正的，将终止办理" in progress_of(case)


def brought(case: Case) -> dict[str, str]:
    """Everything on the checklist, handed in."""
    return {slot_of(line): "provided" for line in case.materials.select_related("material")}


def test_an_answer_on_the_last_day_saves_the_case_and_one_a_minute_later_does_not(city: None, clock: Moment) -> None:
    saved, lost = told(clock), told(clock)
    clerk = play.person("chuangkou1")
    assert saved.answer_deadline is not None
    clock.to(f"{saved.answer_deadline.due_on:%F} 23:59")
    answer_correction(saved, provided=brought(saved), by=None, door=Door.PUBLIC, now=clock.at)
    clock.to(day_after(lost))
    with pytest.raises(Refused) as refused:  # before the sweep came
        answer_correction(lost, provided=brought(lost), by=clerk, now=clock.at)
    assert (refused.value.code, refused.value.conflict) == ("answer-too-late", True)
    lapse_unanswered()
    assert (again(saved).status, again(lost).status) == (CaseStatus.SUBMITTED, CaseStatus.LAPSED)


def test_a_provisional_day_ends_nothing(city: None, clock: Moment) -> None:
    clock.to("2026-12-24 10:00")
    case = told(clock)
    assert case.answer_deadline is not None
    assert case.answer_deadline.provisional
    clock.to("2027-03-01 10:00")
    assert lapsing.sweep(clock.at).done == 0
    with pytest.raises(TransitionNotAllowed):
        lapse_case(case, now=clock.at)
    assert again(case).status == CaseStatus.CORRECTION_REQUESTED
    install_year(2027, provisional_days(2027), status=YearStatus.OFFICIAL, source="国办发明电〔2026〕9号", at=clock.at)
    list(recompute_year(2027, at=clock.at))
    assert lapsing.sweep(clock.at).done == 1


# --- at the same moment


@pytest.fixture
def town(transactional_db: None) -> None:
    demo_city.load()


def _one_lawful_state(case: Case) -> None:
    """Exactly one of the two acts stands, with everything that belongs to it."""
    found = Case.objects.get(pk=case.pk)
    ended = Ending.objects.filter(case=case).exists()
    decided = hasattr(found, "decision")
    assert ended != decided
    assert found.status == (CaseStatus.WITHDRAWN if ended else CaseStatus.APPROVED)
    assert Document.objects.filter(case=case, kind="withdrawal").exists() == ended
    assert Document.objects.filter(case=case, kind="approval").exists() == decided
    assert list(verify.faults()) == []


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_and_the_decision_at_once(town: None, clock: Moment) -> None:
    for _ in range(3):
        case = play.reviewed(clock.at)
        assert case.reviewer is not None
        decider = play.holder(Posting.Role.DECIDER, case, case.reviewer)
        acts = (
            partial(withdraw, case, clock),
            partial(decide, case, approve=True, by=decider, now=clock.at),
        )
        results = together(*acts)
        assert sum(isinstance(result, TransitionNotAllowed) for result in results) == 1, results
        _one_lawful_state(case)


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_a_withdrawal_at_once_end_it_once(town: None, clock: Moment) -> None:
    cases = [told(clock) for _ in range(2)]
    clock.to(day_after(cases[0]))
    results = together(
        lambda: lapsing.sweep(clock.at), lambda: lapsing.sweep(clock.at), lambda: withdraw(cases[0], clock)
    )
    reports = [result for result in results if not isinstance(result, Case | Refused)]
    assert not any(report.failed for report in reports)
    for case in cases:
        assert Ending.objects.filter(case=case).count() == 1
        assert Document.objects.filter(case=case, kind__in=["termination", "withdrawal"]).count() == 1
    assert list(verify.faults()) == []


@pytest.mark.django_db(transaction=True)
def test_two_answers_through_two_doors_at_once_are_one(town: None, clock: Moment) -> None:
    case = told(clock)
    clerk = play.person("chuangkou1")
    results = together(
        lambda: answer_correction(case, provided=brought(case), by=None, door=Door.PUBLIC, now=clock.at),
        lambda: answer_correction(case, provided=brought(case), by=clerk, now=clock.at),
    )
    assert sum(isinstance(result, TransitionNotAllowed) for result in results) == 1
    assert Entry.objects.filter(stream=case.stream, act="case.correction_answered").count() == 1
