"""A change of the calendar: the applicant hears the new day, whoever has the case hears once."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.actions import accept_case, request_correction
from approvals.actions.clocks import answer_extension, end_procedure, request_extension, start_procedure
from approvals.actions.intake import required_points
from approvals.models import Case
from approvals.papers import cn_day
from deadlines import jobs
from deadlines.enums import DraftStatus, PauseGround
from deadlines.models import CalendarDraft
from deadlines.notice import Notice
from deadlines.office import draft_year, publish
from deadlines.recompute import refresh
from ledger import verify
from notifications.deliver import deliver
from notifications.models import Message
from offices.models import Posting, User
from oversight.demo.cases import receive
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
STAFF = "2027年节假日安排发布，您经办事项的部分到期日随之移动"


@pytest.fixture(autouse=True)
def _no_pause_between_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BREATH", 0)


@pytest.fixture
def keeper(city: None, clock: Moment) -> User:
    """Whoever keeps the calendar; it is the last morning of 2026."""
    clock.to("2026-12-31 10:00")
    found: User = User.objects.filter(postings__role=Posting.Role.OVERSEER).order_by("pk")[0]
    return found


def publish_2027(keeper: User, clock: Moment, *more: date) -> CalendarDraft:
    """The notice for 2027 has the 4th of January off, a Monday."""
    off = {date(2027, 1, day): "元旦" for day in range(1, 5)} | dict.fromkeys(more, "放假")
    draft = draft_year(Notice(2027, "通知", off=off), by=keeper, now=clock.at)
    jobs.run()
    publish(draft, by=keeper, now=clock.at)
    jobs.run()
    draft.refresh_from_db()
    assert draft.status == DraftStatus.APPLIED
    return draft


def told(case: Case) -> list[str]:
    return list(
        Message.objects.filter(kind="applicant_due_moved", reference=case.stream).values_list("text", flat=True)
    )


def staff() -> dict[str, int]:
    """Account → how many messages about moved clocks."""
    found: dict[str, int] = {}
    for message in Message.objects.filter(kind="calendar_moved"):
        assert STAFF in message.text
        assert message.to_user is not None
        found[message.to_user.username] = found.get(message.to_user.username, 0) + 1
    return found


def test_the_applicant_hears_the_promised_day_and_the_reviewer_hears_once(keeper: User, clock: Moment) -> None:
    first, second = play.accepted(clock.at), play.accepted(clock.at)
    assert first.promised_deadline is not None
    before = first.promised_deadline.due_on
    publish_2027(keeper, clock)
    first.refresh_from_db()
    assert first.promised_deadline.due_on > before
    [text] = told(first)
    assert f"（{first.number}）因2027年节假日安排发布，作出决定的日期由2027年1月" in text
    assert text.endswith(f"改为2027年1月{first.promised_deadline.due_on.day}日。")
    assert len(told(second)) == 1
    # Decision clocks and stage clocks of both cases moved; each person hears once, from whichever came first.
    assert set(staff().values()) == {1}
    assert first.reviewer is not None
    assert first.reviewer.username in staff()
    moved = [clock_ for clock_ in first.deciding_clocks if clock_.events.filter(kind="recompute").exists()]
    assert len(moved) >= 2
    assert list(verify.faults()) == []


def test_without_a_promise_it_is_the_statutory_day(keeper: User, clock: Moment) -> None:
    case = play.accepted(clock.at)
    assert case.statutory_deadline is not None
    Case.objects.filter(pk=case.pk).update(promised_deadline=None)
    publish_2027(keeper, clock, case.statutory_deadline.due_on)
    case.statutory_deadline.refresh_from_db()
    [text] = told(case)
    due = case.statutory_deadline.due_on
    assert text.endswith(f"改为{due.year}年{due.month}月{due.day}日。")


def test_after_an_extension_it_is_the_day_of_the_paper(keeper: User, clock: Moment) -> None:
    case = play.accepted(clock.at, play.item("固定资产投资项目节能审查"))
    assert case.reviewer is not None
    assert case.statutory_deadline is not None
    head = Posting.objects.get(department=case.department, role=Posting.Role.DEPARTMENT_HEAD).user
    asked = request_extension(case, days=5, reason="情况复杂", by=case.reviewer, now=clock.at)
    answer_extension(asked, grant=True, by=head, now=clock.at)
    case.statutory_deadline.refresh_from_db()
    before = case.statutory_deadline.due_on
    publish_2027(keeper, clock, before)
    case.statutory_deadline.refresh_from_db()
    after = case.statutory_deadline.due_on
    assert after != before
    [text] = told(case)
    assert text.endswith(f"由{cn_day(before)}改为{cn_day(after)}。")


def test_the_day_for_the_answer_to_a_correction(keeper: User, clock: Moment) -> None:
    clerk = play.person("chuangkou1")
    case = receive(play.item(), 0, clerk, clock.at, complete=False)
    case = request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=clock.at)
    publish_2027(keeper, clock)
    [text] = told(case)
    assert "补正的截止日期由" in text
    assert staff() == {"chuangkou1": 1}


def test_while_a_clock_stands_still_no_day_is_told_and_the_resume_tells_the_new_one(
    keeper: User, clock: Moment
) -> None:
    case = play.accepted(clock.at)
    assert case.reviewer is not None
    start_procedure(
        case, ground=PauseGround.EXPERT_REVIEW, estimated_days=5, reason="专家评审", by=case.reviewer, now=clock.at
    )
    publish_2027(keeper, clock)
    assert told(case) == []
    end_procedure(case, result="通过", by=case.reviewer, now=clock.to("2027-01-06 10:00"))
    case.refresh_from_db()
    assert case.promised_deadline is not None
    due = case.promised_deadline.due_on
    [text] = Message.objects.filter(kind="applicant_procedure_ended").values_list("text", flat=True)
    assert f"{due.year}年{due.month}月{due.day}日前作出决定" in text


def test_a_case_that_is_closed_hears_nothing_and_its_task_tells_the_manager(keeper: User, clock: Moment) -> None:
    case = play.completed(clock.at)
    tasks = list(SupervisionTask.objects.filter(case=case))
    assert tasks
    while deliver(clock.at).claimed:
        pass
    publish_2027(keeper, clock)
    assert told(case) == []
    managers = {person.username for task in tasks for person in task.office.managers(clock.at.date())}
    # The window still has to hand the licence over (art. 44).
    assert staff() == dict.fromkeys(managers | {"chuangkou1"}, 1)


def test_the_next_publication_is_another_occasion_and_a_look_again_is_none(keeper: User, clock: Moment) -> None:
    case = play.accepted(clock.at)
    publish_2027(keeper, clock)
    assert refresh(clock.at) == 0
    assert not jobs.run()
    assert (len(told(case)), set(staff().values())) == (1, {1})
    publish_2027(keeper, clock, date(2027, 1, 5))
    assert (len(told(case)), set(staff().values())) == (2, {2})


def test_statements_do_not_grow_with_the_cases(keeper: User, clock: Moment) -> None:
    counts = []
    for day, more in ((5, 1), (6, 6)):
        for _ in range(more):
            accept_case(play.received(clock.at), by=play.person("chuangkou1"), now=clock.at)
        off = {date(2027, 1, n): "元旦" for n in range(1, day)}
        draft = draft_year(Notice(2027, "通知", off=off), by=keeper, now=clock.at)
        jobs.run()
        publish(draft, by=keeper, now=clock.at)
        with CaptureQueriesContext(connection) as captured:
            jobs._step(500, set())
        counts.append(len([q for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]]))
        jobs.run()
    assert counts[0] == counts[1]
