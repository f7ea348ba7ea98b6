"""The calendar office: a year is proposed, previewed and published; its clocks follow once, whatever dies meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from deadlines import calendar as working_calendar
from deadlines import clock as portal_clock
from deadlines import jobs, moves, office, owners, recompute, tasks
from deadlines.actions import (
    Pause,
    Start,
    extend_deadline,
    meet_deadline,
    pause_many,
    resume_many,
    start_deadline,
    start_many,
)
from deadlines.arithmetic import Calendar
from deadlines.checks import every_move_is_told
from deadlines.enums import Act, DraftOrigin, DraftStatus, EventKind, PauseGround, YearStatus
from deadlines.errors import Conflict, DeadlineError, NoticeError
from deadlines.kinds import KindCode
from deadlines.models import CalendarDraft, CalendarMove, CalendarYear, ClockEvent, Deadline
from deadlines.moves import Move, Publication
from deadlines.notice import Notice
from deadlines.provisional import SOURCE
from deadlines.publishing import install_year
from ledger import verify
from ledger.models import Entry
from ledger.record import record
from offices.models import User
from tests.deadlines.conftest import at

NOW = at("2026-12-31 10:00")
# Without it, 2027 is counted by the law alone: 1 January is off, the 4th is a Monday.
OFF = {date(2027, 1, 1): "元旦", date(2027, 1, 2): "元旦", date(2027, 1, 3): "元旦", date(2027, 1, 4): "元旦"}


class Told:
    """A handler that remembers (stream, before, after, occasion) of each move."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, date, date, str]] = []
        self.calls = 0

    def __call__(self, found: Sequence[Move], publication: Publication, now: datetime) -> None:
        self.calls += 1
        self.moves += [(move.stream, move.before, move.after, publication.key) for move in found]

    @property
    def streams(self) -> list[str]:
        return [stream for stream, *_ in self.moves]


@pytest.fixture
def told() -> Iterator[Told]:
    handler = Told()
    with moves.moved_handlers(dict.fromkeys(KindCode, handler)):
        yield handler


@pytest.fixture(autouse=True)
def _stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_clock, "now", lambda: NOW)
    monkeypatch.setattr(jobs, "BREATH", 0)
    cache.clear()


@pytest.fixture
def keeper(db: None) -> User:
    """Whoever keeps the calendar."""
    return User.objects.create_user("rili")


def notice(**more: str) -> Notice:
    """The notice for 2027 with four days off at New Year, and the days of ``more`` (``d0106="放假"``)."""
    days = {date(2027, int(key[1:3]), int(key[3:])): name for key, name in more.items()}
    return Notice(2027, "国办发明电〔2026〕9号", off=OFF | days)


def running(number: int = 1, *, day: str = "2026-12-30", **more: int) -> Deadline:
    """Three working days from 30 December: due on 5 January by the law alone, on the 6th by the notice."""
    return start_deadline(KindCode.ACKNOWLEDGE, at=at(f"{day} 10:00"), stream=f"task:{number}", **more)  # type: ignore[arg-type]


def drafted(keeper: User, **more: str) -> CalendarDraft:
    """A draft whose preview is complete."""
    draft = office.draft_year(notice(**more), by=keeper, now=NOW)
    jobs.run(size=7)
    draft.refresh_from_db()
    return draft


def published(keeper: User, **more: str) -> CalendarDraft:
    """A draft whose clocks still have to follow."""
    return office.publish(drafted(keeper, **more), by=keeper, now=NOW)


def fresh(row: Deadline) -> Deadline:
    return Deadline.objects.get(pk=row.pk)


# --- proposing


@pytest.mark.usefixtures("calendar")
class TestProposing:
    def test_a_file_becomes_a_draft_with_its_doubts(self, keeper: User) -> None:
        text = "year,from,to,kind,name,notice\n2027,2027-01-01,2027-01-04,off,元旦,某通知\n"
        [draft] = office.import_file("2027.csv", text.encode(), by=keeper, now=NOW)
        assert (draft.year, draft.status, draft.year_status) == (2027, DraftStatus.CHECKING, YearStatus.OFFICIAL)
        assert (draft.origin, draft.source, draft.base_version) == (DraftOrigin.CSV, "某通知", "1p")
        assert draft.off == {f"2027-01-0{n}": "元旦" for n in range(1, 5)}
        assert any("国庆节" in doubt for doubt in draft.doubts)
        assert draft.created_by == keeper
        assert Entry.objects.filter(stream="calendar:2027", act=Act.CALENDAR_DRAFTED).count() == 1
        assert CalendarYear.objects.get(year=2027).status == YearStatus.PROVISIONAL

    def test_years_that_stand_already_are_passed_over(self, keeper: User) -> None:
        shipped = Path("deadlines/data/holidays.csv").read_bytes()
        with pytest.raises(DeadlineError, match="与现行工作日历一致"):
            office.import_file("holidays.csv", shipped, by=keeper, now=NOW)
        more = shipped + "2027,2027-01-01,2027-01-04,off,元旦,某通知\n".encode()
        assert [draft.year for draft in office.import_file("holidays.csv", more, by=keeper, now=NOW)] == [2027]

    def test_the_other_shape_of_file(self, keeper: User) -> None:
        days = [{"name": "元旦", "date": f"2027-01-0{n}", "isOffDay": True} for n in range(1, 5)]
        body = json.dumps({"year": 2027, "papers": ["https://www.gov.cn/x"], "days": days}).encode()
        [draft] = office.import_file("2027.json", b"\xef\xbb\xbf" + body, by=keeper, now=NOW)
        assert (draft.origin, draft.source) == (DraftOrigin.JSON, "https://www.gov.cn/x")

    def test_a_broken_file_leaves_nothing(self, keeper: User) -> None:
        with pytest.raises(NoticeError, match="第 2 行"):
            office.import_file("x.csv", b"year,from,to,kind,name,notice\n2027,x,y,off,a,b\n", by=keeper, now=NOW)
        assert not CalendarDraft.objects.exists()

    def test_one_open_draft_a_year(self, keeper: User) -> None:
        first = office.draft_year(notice(), by=keeper, now=NOW)
        with pytest.raises(Conflict, match="已有一份未办结的草稿"):
            office.draft_year(notice(d0105="放假"), by=keeper, now=NOW)
        office.discard(first, by=keeper, now=NOW)
        second = office.draft_year(notice(d0105="放假"), by=keeper, now=NOW)
        assert CalendarDraft.objects.open().get() == second
        with pytest.raises(Conflict, match="现在是“已作废”"):
            office.discard(first, by=keeper, now=NOW)

    def test_a_year_that_nobody_published_is_proposed_as_provisional_only(self, keeper: User) -> None:
        draft = office.propose(2028, by=keeper, now=NOW)
        assert (draft.year_status, draft.origin) == (YearStatus.PROVISIONAL, DraftOrigin.STATUTORY)
        assert draft.source == SOURCE
        jobs.run()
        draft = office.publish(CalendarDraft.objects.get(pk=draft.pk), by=keeper, now=NOW)
        assert CalendarYear.objects.get(year=2028).version_label == "1p" == draft.version_label
        # What a package has is a proposal too, and never displaces the notice.
        with pytest.raises(DeadlineError, match="已有正式安排"):
            office.propose(2026, by=keeper, now=NOW)
        packaged = office.propose(2024, by=keeper, now=NOW)
        assert (packaged.origin, packaged.year_status) == (DraftOrigin.PROPOSAL, YearStatus.PROVISIONAL)
        assert "2024-10-01" in packaged.off
        with pytest.raises(DeadlineError, match="一致"):
            office.propose(2027, by=keeper, now=NOW)

    def test_the_days_that_change(self, keeper: User) -> None:
        draft = office.draft_year(notice(), by=keeper, now=NOW)
        changes = {change.day: change for change in office.year_changes(draft)}
        assert changes[date(2027, 1, 4)].before.is_working  # type: ignore[union-attr]
        assert not changes[date(2027, 1, 4)].after.is_working
        assert date(2027, 1, 1) not in changes
        unheld = office.propose(2028, by=keeper, now=NOW)
        assert all(change.before is None for change in office.year_changes(unheld))
        assert date(2028, 10, 1) in {change.day for change in office.year_changes(unheld)}


# --- the preview


@pytest.mark.usefixtures("calendar")
class TestPreviewing:
    def test_it_shows_what_moves_and_moves_nothing(self, keeper: User, told: Told) -> None:
        moving = [running(n) for n in range(20)]
        still = running(90, day="2026-12-21")
        meet_deadline(running(91), at=at("2026-12-30 11:00"))
        later = start_deadline(KindCode.ISSUE, at=at("2026-12-30 10:00"), stream="case:1")
        draft = drafted(keeper)
        assert (draft.status, draft.total, draft.looked_at, draft.moving) == (DraftStatus.READY, 21, 21, 21)
        assert draft.percent == 100
        found = {row.deadline_id: (row.before, row.after, row.applied_at) for row in draft.moves.all()}
        assert set(found) == {row.pk for row in (*moving, later)}
        assert found[moving[0].pk] == (date(2027, 1, 5), date(2027, 1, 6), None)
        assert fresh(still).due_on == still.due_on
        assert office.moves_by_kind(draft) == [(KindCode.ACKNOWLEDGE, 20), (KindCode.ISSUE, 1)]
        assert not told.moves
        assert {row.due_on for row in Deadline.objects.filter(pk__in=[c.pk for c in moving])} == {date(2027, 1, 5)}
        assert not ClockEvent.objects.filter(kind=EventKind.RECOMPUTE).exists()

    def test_it_goes_on_where_it_stood(self, keeper: User) -> None:
        start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(25)], at=at("2026-12-30 10:00"))
        draft = office.draft_year(notice(), by=keeper, now=NOW)
        assert jobs.run(seconds=0, size=10)
        draft.refresh_from_db()
        assert (draft.status, draft.total, draft.looked_at, draft.percent) == (DraftStatus.CHECKING, 25, 10, 40)
        jobs.run(size=10)
        draft.refresh_from_db()
        assert (draft.status, draft.looked_at, draft.moving) == (DraftStatus.READY, 25, 25)

    def test_it_may_be_made_anew(self, keeper: User) -> None:
        first = running(1)
        draft = drafted(keeper)
        meet_deadline(first, at=NOW)
        second = running(2)
        draft = office.check_again(draft, by=keeper, now=NOW)
        assert draft.is_busy
        jobs.run()
        draft.refresh_from_db()
        assert [row.deadline_id for row in draft.moves.all()] == [second.pk]
        assert (draft.total, draft.moving) == (1, 1)

    def test_an_unpublished_preview_keeps_the_page_of_a_clock_as_it_was(self, keeper: User) -> None:
        clock = running()
        drafted(keeper)
        assert "2027 年的节假日安排尚未发布" in fresh(clock).provisional_note()


# --- publishing


@pytest.mark.usefixtures("calendar")
class TestPublishing:
    @pytest.mark.parametrize(("size", "batches"), [(7, 4), (500, 1)])
    def test_each_clock_moves_once_with_its_event_its_entry_and_its_word(
        self, keeper: User, told: Told, size: int, batches: int
    ) -> None:
        clocks = [running(n) for n in range(25)]
        draft = published(keeper)
        assert (draft.status, draft.published_by) == (DraftStatus.APPLYING, keeper)
        assert fresh(clocks[0]).due_on == date(2027, 1, 5)
        jobs.run(size=size)
        draft.refresh_from_db()
        assert (draft.status, draft.moved, draft.looked_at, draft.total) == (DraftStatus.APPLIED, 25, 25, 25)
        assert draft.finished_at == NOW
        for clock in clocks:
            now = fresh(clock)
            assert (now.due_on, now.provisional, now.calendar_version) == (date(2027, 1, 6), False, "2026.1+2027.2")
            event = now.events.get(kind=EventKind.RECOMPUTE)
            assert (event.by, event.at, event.seq, now.revision) == (keeper, NOW, 2, 2)
            assert (now.next_alarm_at, now.next_alarm_stage) == (at("2027-01-05 09:00"), -1)
            assert now.yellow_on == now.turns_yellow(working_calendar.estimating())
            entry = Entry.objects.get(stream=clock.stream, act=Act.DEADLINE_RECOMPUTED)
            assert (entry.data["from"], entry.data["to"]) == ("2027-01-05", "2027-01-06")
        assert not draft.moves.filter(applied_at__isnull=True).exists()
        assert sorted(told.streams) == sorted(clock.stream for clock in clocks)
        assert {key for *_, key in told.moves} == {"calendar:2027.2"}
        assert told.calls == batches
        done = Entry.objects.get(stream="calendar:2027", act=Act.CALENDAR_APPLIED)
        assert done.data == {"draft": draft.pk, "looked_at": 25, "moved": 25, "broken": 0}
        assert list(verify.faults()) == []
        # Nothing is left to do, and the job says so.
        assert not jobs.run()
        assert len(told.moves) == 25

    def test_a_preview_of_a_year_that_changed_since_is_refused(self, keeper: User) -> None:
        draft = drafted(keeper)
        other = notice(d0105="放假")
        install_year(2027, other.days(), status=YearStatus.OFFICIAL, source="另一通知", at=NOW, by=keeper, replace=True)
        assert draft.is_stale()
        with pytest.raises(Conflict, match="重新预览"):
            office.publish(draft, by=keeper, now=NOW)
        draft = office.check_again(draft, by=keeper, now=NOW)
        assert draft.is_replacing
        jobs.run()
        office.publish(draft, by=keeper, now=NOW)
        jobs.run()
        assert CalendarYear.objects.get(year=2027).version_label == "3"

    def test_what_is_not_ready_is_not_published(self, keeper: User) -> None:
        draft = office.draft_year(notice(), by=keeper, now=NOW)
        with pytest.raises(Conflict, match="预览还没有完成"):
            office.publish(draft, by=keeper, now=NOW)
        jobs.run()
        draft = office.publish(draft, by=keeper, now=NOW)
        with pytest.raises(Conflict, match="正在发布"):
            office.publish(draft, by=keeper, now=NOW)
        with pytest.raises(Conflict, match="正在发布"):
            office.discard(draft, by=keeper, now=NOW)
        assert CalendarYear.objects.get(year=2027).version == 2

    def test_clocks_that_ended_or_began_since_the_preview(self, keeper: User, told: Told) -> None:
        gone, kept = running(1), running(2)
        draft = drafted(keeper)
        meet_deadline(gone, at=NOW)
        new = running(3)
        office.publish(draft, by=keeper, now=NOW)
        after = running(4)
        jobs.run()
        draft.refresh_from_db()
        applied = dict(draft.moves.values_list("deadline_id", "applied_at"))
        assert applied == {gone.pk: None, kept.pk: NOW, new.pk: NOW}
        assert (draft.moving, draft.moved) == (2, 2)
        assert sorted(told.streams) == ["task:2", "task:3"]
        assert fresh(gone).due_on == date(2027, 1, 5)
        # Begun after the publication: by the new calendar from the start.
        assert (after.due_on, after.calendar_version) == (date(2027, 1, 6), "2026.1+2027.2")

    def test_paused_extended_and_overdue_clocks(self, keeper: User, told: Told) -> None:
        head = User.objects.create_user("head")
        paused, resumed, extended = (
            start_deadline(KindCode.DECISION_STATUTORY, at=at("2026-12-07 10:00"), stream=f"case:{n}")
            for n in range(1, 4)
        )
        assert paused.due_on == date(2027, 1, 5)
        pause_many([paused, resumed], Pause(PauseGround.HEARING), at=at("2026-12-10 10:00"))
        [resumed] = resume_many([resumed], at=at("2026-12-11 10:00"))
        extend_deadline(extended, 10, longest=10, at=at("2026-12-20 10:00"), by=head, legal_basis="第四十二条")
        published(keeper)
        jobs.run()
        assert (fresh(paused).due_on, fresh(paused).state) == (date(2027, 1, 6), "paused")
        assert fresh(paused).next_alarm_at is None
        assert fresh(resumed).due_on == date(2027, 1, 7)
        calendar = working_calendar.estimating()
        for clock in (paused, resumed, extended):
            assert fresh(clock).due_on == fresh(clock).timeline().due_on(calendar)
        assert len(told.moves) == 3

    def test_a_provisional_year_becomes_official_without_a_move(self, keeper: User, told: Told) -> None:
        clock = running()
        same = Notice(2027, "通知", off={day: name for day, name in OFF.items() if day != date(2027, 1, 4)})
        draft = office.draft_year(same, by=keeper, now=NOW)
        jobs.run()
        office.publish(CalendarDraft.objects.get(pk=draft.pk), by=keeper, now=NOW)
        jobs.run()
        now = fresh(clock)
        assert (now.due_on, now.provisional, now.calendar_version) == (clock.due_on, False, "2026.1+2027.2")
        assert now.revision == 1
        assert not told.moves

    def test_each_batch_costs_the_same(self, keeper: User) -> None:
        counts = []
        for round_, size in enumerate((1, 60)):
            start_many(
                [Start(KindCode.ACKNOWLEDGE, f"task:{round_}{n:03}") for n in range(size)], at=at("2026-12-30 10:00")
            )
            published(keeper, **{f"d01{day:02}": "放假" for day in range(6, 7 + round_)})
            with CaptureQueriesContext(connection) as captured:
                jobs._step(500, set())
            counts.append([q["sql"] for q in captured.captured_queries if "SAVEPOINT" not in q["sql"]])
            jobs.run()
        if connection.vendor == "postgresql":
            assert len(counts[0]) == len(counts[1])
        assert len(counts[0]) <= 20

    def test_a_row_that_makes_no_sense_is_named_and_stops_nobody(self, keeper: User, told: Told) -> None:
        clocks = [running(n) for n in range(5)]
        ClockEvent.objects.filter(deadline=clocks[2]).delete()
        draft = published(keeper)
        jobs.run()
        draft.refresh_from_db()
        assert (draft.status, draft.moved, draft.broken) == (DraftStatus.APPLIED, 4, [clocks[2].pk])
        assert fresh(clocks[2]).calendar_version == "2026.1+2027.1p"
        assert sorted(told.streams) == ["task:0", "task:1", "task:3", "task:4"]

    def test_a_handler_that_fails_for_one_leaves_the_rest_told(self, keeper: User, told: Told) -> None:
        clocks = [running(n) for n in range(5)]

        def refuses_one(found: Sequence[Move], publication: Publication, now: datetime) -> None:
            if any(move.stream == "task:3" for move in found):
                raise RuntimeError("张三 13812341234")
            told(found, publication, now)

        with moves.moved_handlers({KindCode.ACKNOWLEDGE: refuses_one}):
            draft = published(keeper)
            jobs.run()
        draft.refresh_from_db()
        assert (draft.status, draft.broken) == (DraftStatus.APPLIED, [clocks[3].pk])
        # It stands as before, entirely; mended, the hourly look brings it up.
        assert (fresh(clocks[3]).due_on, fresh(clocks[3]).revision) == (date(2027, 1, 5), 1)
        assert sorted(told.streams) == ["task:0", "task:1", "task:2", "task:4"]
        assert recompute.refresh(NOW) == 1
        assert told.moves[-1] == ("task:3", date(2027, 1, 5), date(2027, 1, 6), "calendar:2027.2")
        assert len(told.moves) == 5

    def test_a_system_that_can_recompute_nothing_stops_and_says_so(
        self, keeper: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "MOST_BROKEN", 3)
        start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(5)], at=at("2026-12-30 10:00"))

        def broken(found: Sequence[Move], publication: Publication, now: datetime) -> None:
            raise KeyError("x")

        draft = published(keeper)
        with moves.moved_handlers({KindCode.ACKNOWLEDGE: broken}):
            assert not jobs.run()
        draft.refresh_from_db()
        assert (draft.status, draft.looked_at, draft.broken) == (DraftStatus.APPLYING, 0, [])
        assert draft.error.startswith("TooManyBroken @ _apply:")
        jobs.run()
        draft.refresh_from_db()
        assert (draft.status, draft.error, draft.moved) == (DraftStatus.APPLIED, "", 5)

    def test_an_alarm_that_fell_due_and_has_not_rung_is_kept(self, keeper: User) -> None:
        clock = running()
        assert clock.next_alarm_at == at("2027-01-04 09:00")
        published(keeper, d0105="放假")
        assert fresh(clock).next_alarm_at == at("2027-01-04 09:00")
        jobs.run()
        now = fresh(clock)
        assert (now.due_on, now.next_alarm_at, now.next_alarm_stage) == (
            date(2027, 1, 7), at("2027-01-06 09:00"), -1
        )  # fmt: skip

    def test_the_task_comes_back_until_all_is_done(self, keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
        woken: list[int] = []
        monkeypatch.setattr(tasks, "wake", lambda: woken.append(1))
        monkeypatch.setattr(tasks, "SLICE", -1)
        start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(501)], at=at("2026-12-30 10:00"))
        draft = office.draft_year(notice(), by=keeper, now=NOW)
        for _ in range(10):
            tasks.run_calendar_jobs()
        draft.refresh_from_db()
        assert (draft.status, draft.looked_at) == (DraftStatus.READY, 501)
        assert len(woken) == 3


# --- killed anywhere


@pytest.mark.usefixtures("calendar")
def test_a_batch_that_dies_leaves_nothing_and_is_done_again(
    keeper: User, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill does to a transaction: at every batch in turn, then to the end."""
    start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(25)], at=at("2026-12-30 10:00"))
    draft = published(keeper)
    died = 0

    class Killed(BaseException):
        pass

    def dies(point: str) -> None:
        raise Killed(point)

    while CalendarDraft.objects.get(pk=draft.pk).is_open:
        before = list(Deadline.objects.order_by("pk").values_list("due_on", "revision", "calendar_version"))
        with monkeypatch.context() as armed:
            armed.setattr(jobs, "reach", dies)
            with pytest.raises(Killed):
                jobs._step(10, set())
        died += 1
        assert before == list(Deadline.objects.order_by("pk").values_list("due_on", "revision", "calendar_version"))
        jobs._step(10, set())
    draft.refresh_from_db()
    assert died >= 4
    assert (draft.status, draft.moved, draft.looked_at) == (DraftStatus.APPLIED, 25, 25)
    assert ClockEvent.objects.filter(kind=EventKind.RECOMPUTE).count() == 25
    assert CalendarMove.objects.filter(applied_at__isnull=False).count() == 25
    assert Entry.objects.filter(act=Act.DEADLINE_RECOMPUTED).count() == 25


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_move_each_clock_once(load_years: Callable[[], None], keeper: User, told: Told) -> None:
    load_years()
    start_many([Start(KindCode.ACKNOWLEDGE, f"task:{n}") for n in range(60)], at=at("2026-12-30 10:00"))
    draft = published(keeper)
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(10)
        jobs.run(size=7)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    jobs.run(size=7)
    draft.refresh_from_db()
    assert (draft.status, draft.moved, draft.looked_at) == (DraftStatus.APPLIED, 60, 60)
    assert sorted(told.streams) == sorted(f"task:{n}" for n in range(60))


# --- started by the old calendar while the new one was published


def works() -> None:
    """A worker in a thread of its own."""
    jobs.run()
    connections.close_all()


def until_somebody_waits(worker: threading.Thread) -> None:
    """Return when a session waits for another's lock, or the worker ended without."""
    while worker.is_alive():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_clock_committed_just_after_the_publication_is_waited_for(
    load_years: Callable[[], None], keeper: User, told: Told
) -> None:
    """The job ends only after everybody who was writing clocks has; the last pass then finds what they left."""
    load_years()
    running(1)
    draft = drafted(keeper)
    inside, finish = threading.Event(), threading.Event()

    def starts_by_the_old_calendar() -> None:
        with transaction.atomic():
            running(2)
            inside.set()
            finish.wait(30)
        connections.close_all()

    starter = threading.Thread(target=starts_by_the_old_calendar)
    starter.start()
    assert inside.wait(10)
    office.publish(draft, by=keeper, now=NOW)
    worker = threading.Thread(target=works)
    worker.start()
    until_somebody_waits(worker)
    assert CalendarDraft.objects.get().status == DraftStatus.APPLYING
    finish.set()
    starter.join(30)
    worker.join(30)
    draft.refresh_from_db()
    assert (draft.status, draft.moved) == (DraftStatus.APPLIED, 2)
    assert sorted(told.streams) == ["task:1", "task:2"]
    assert set(Deadline.objects.values_list("due_on", "calendar_version")) == {(date(2027, 1, 6), "2026.1+2027.2")}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_somebody_who_does_not_end_only_delays_the_end(
    load_years: Callable[[], None], keeper: User, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "PATIENCE", "50ms")
    load_years()
    running(1)
    draft = drafted(keeper)
    inside, finish = threading.Event(), threading.Event()

    def starts_and_stays() -> None:
        with transaction.atomic():
            running(2)
            inside.set()
            finish.wait(30)
        connections.close_all()

    starter = threading.Thread(target=starts_and_stays)
    starter.start()
    assert inside.wait(10)
    office.publish(draft, by=keeper, now=NOW)
    assert not jobs.run()
    draft.refresh_from_db()
    assert (draft.status, draft.moved) == (DraftStatus.APPLYING, 1)
    finish.set()
    starter.join(30)
    jobs.run()
    draft.refresh_from_db()
    assert (draft.status, draft.moved) == (DraftStatus.APPLIED, 2)


@pytest.mark.django_db
def test_the_hourly_look_finds_what_slipped_through(calendar: Calendar, keeper: User, told: Told) -> None:
    """A calendar read before the publication, and a clock written by it after the last pass."""
    old = working_calendar.estimating()
    running(1)
    published(keeper)
    jobs.run()
    [late] = start_many([Start(KindCode.ACKNOWLEDGE, "task:2")], at=at("2026-12-30 10:00"), calendar=old)
    assert late.due_on == date(2027, 1, 5)
    tasks.refresh_outdated()
    assert fresh(late).due_on == date(2027, 1, 6)
    tasks.refresh_outdated()
    assert told.moves == [
        ("task:1", date(2027, 1, 5), date(2027, 1, 6), "calendar:2027.2"),
        ("task:2", date(2027, 1, 5), date(2027, 1, 6), "calendar:2027.2"),
    ]


@pytest.fixture
def owned_by_people() -> Iterator[None]:
    """Lets the row of a user play the owner of the streams ``task:<id>``."""
    kept = dict(owners._owners)
    owners.register_rows("task", User.objects.all)
    yield
    owners._owners.clear()
    owners._owners.update(kept)


@pytest.mark.postgres
@pytest.mark.usefixtures("owned_by_people")
@pytest.mark.django_db(transaction=True)
def test_whoever_acts_on_an_owner_meanwhile_waits_and_is_not_refused(
    load_years: Callable[[], None], keeper: User
) -> None:
    """The batch locks the owners as their own actions do: nobody writes the same ledger stream at once."""
    load_years()
    clock = running(int(keeper.pk))
    published(keeper)
    inside, finish = threading.Event(), threading.Event()
    refused: list[Exception] = []

    def stays(found: Sequence[Move], publication: Publication, now: datetime) -> None:
        inside.set()
        finish.wait(30)

    def acts() -> None:
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=keeper.pk)
                record(clock.stream, Act.DEADLINE_HANDED_OVER, at=NOW)
        except IntegrityError as error:
            refused.append(error)
        connections.close_all()

    with moves.moved_handlers({KindCode.ACKNOWLEDGE: stays}):
        worker, person = threading.Thread(target=works), threading.Thread(target=acts)
        worker.start()
        assert inside.wait(10)
        person.start()
        until_somebody_waits(person)
        finish.set()
        worker.join(30)
        person.join(30)
    assert not refused
    acts_ = Entry.objects.filter(stream=clock.stream).order_by("seq").values_list("act", flat=True)
    assert list(acts_)[1:] == [Act.DEADLINE_RECOMPUTED, Act.DEADLINE_HANDED_OVER]
    assert list(verify.faults()) == []


# --- the year that nobody published


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("today", "missing"),
    [("2026-10-31", None), ("2026-11-01", 2027), ("2026-12-31", 2027), ("2027-01-01", 2027), ("2025-12-31", None)],
)
def test_from_november_the_next_year_is_missed(calendar: Calendar, today: str, missing: int | None) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert office.missing_year(date.fromisoformat(today)) == missing
    assert len(captured.captured_queries) == 1


def test_nothing_is_missed_once_it_is_published(calendar: Calendar, keeper: User) -> None:
    published(keeper)
    assert office.missing_year(date(2026, 12, 1)) is None


def test_every_kind_that_rings_tells_of_its_moves() -> None:
    assert every_move_is_told() == []
    with moves.moved_handlers({}, without=[KindCode.ACKNOWLEDGE]):
        assert [error.id for error in every_move_is_told()] == ["deadlines.E005"]


@pytest.mark.django_db
def test_a_year_far_off_never_crashes_and_says_that_it_is_provisional(calendar: Calendar) -> None:
    clock = start_deadline(KindCode.DECISION_STATUTORY, at=at("2027-12-30 10:00"), stream="case:1")
    assert clock.provisional
    assert clock.calendar_version == "2027.1p+2028.0p"
    assert "2027、2028 年的节假日安排尚未发布" in clock.provisional_note()
    assert recompute.refresh(at("2027-12-31 10:00") + timedelta(days=1)) == 0
