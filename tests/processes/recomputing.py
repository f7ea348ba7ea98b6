"""A year is published over thousands of running clocks while processes die: each moves once, everybody hears once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Count

from deadlines.enums import Act, EventKind
from deadlines.models import CalendarMove, CalendarYear, ClockEvent, Deadline
from ledger.models import Entry
from notifications.models import Message
from scripts.runtime import wait_until
from tests.processes.conftest import Fault
from tests.processes.portal import PATIENCE, Json, Portal
from tests.processes.sweeping import PORTAL

DRAFTS = "/api/v1/calendar/drafts/"
KEEPER = "guanliyuan1"
IN_THE_PREVIEW, IN_THE_PRESS, IN_A_BATCH = "preview.before_commit", "publish.before_commit", "calendar.before_commit"


def crowd(like: Deadline, size: int) -> None:
    """Running clocks like one that is there, with their start events; nobody's, so that nobody is told of them."""
    [start] = ClockEvent.objects.using(PORTAL).filter(deadline=like, kind=EventKind.START)
    columns: dict[str, Any] = {field.attname: getattr(like, field.attname) for field in Deadline._meta.concrete_fields}
    del columns["id"]
    with transaction.atomic(using=PORTAL):
        made = Deadline.objects.using(PORTAL).bulk_create(
            Deadline(**(columns | {"stream": f"crowd:{n}", "revision": 1})) for n in range(size)
        )
        ClockEvent.objects.using(PORTAL).bulk_create(
            ClockEvent(deadline=clock, seq=1, kind=EventKind.START, at=start.at, data=start.data) for clock in made
        )


class Office:
    """The calendar office of a running portal: its drafts, and the account of what a publication did."""

    def __init__(self, portal: Portal, fault: Fault, size: int) -> None:
        self.portal = portal
        self.fault = fault
        self.size = size
        self.keeper = portal.person(KEEPER)
        self.cases = [portal.receive() for _ in range(2)]
        for number in self.cases:
            portal.accept(number)
        crowd(Deadline.objects.using(PORTAL).get(promised_case__number=self.cases[0]), size)
        self.before = dict(Deadline.objects.using(PORTAL).open().values_list("pk", "due_on"))

    # --- what the keeper does

    def proposal(self, day: dt.date) -> Json:
        """The year of ``day`` as it stands, with one day off more."""
        days = CalendarYear.objects.using(PORTAL).get(year=day.year).days
        off = [
            {"first": f"{one}", "last": f"{one}", "name": name}
            for one, name in days.filter(kind="holiday").values_list("day", "name")
        ]
        makeup = [
            {"day": f"{one}", "name": name} for one, name in days.filter(kind="makeup").values_list("day", "name")
        ]
        off.append({"first": f"{day}", "last": f"{day}", "name": "临时放假"})
        return {"year": day.year, "source": "演示通知", "off": off, "makeup": makeup}

    def propose(self, day: dt.date) -> int:
        """Propose that year; return the draft's id."""
        self.keeper.press(DRAFTS, self.proposal(day), lambda: bool(self.keeper.look(DRAFTS)["results"]))
        return int(self.keeper.look(DRAFTS)["results"][0]["id"])

    def draft(self, pk: int) -> Json:
        """The draft as the keeper sees it."""
        return self.keeper.look(f"{DRAFTS}{pk}/")

    def publish(self, pk: int, *, dies: bool) -> None:
        """Press publish until it is, the web dying the first time if told so; the worker then dies in a batch of it."""
        self.fault.arm(IN_THE_PRESS if dies else IN_A_BATCH)

        def done() -> bool:
            assert self.fault.fired
            assert self.draft(pk)["status"] == "ready"
            self.fault.arm(IN_A_BATCH)
            return False

        died = self.keeper.press(f"{DRAFTS}{pk}/publication/", {"doubts_read": True}, done)
        assert died == int(dies)
        assert wait_until(lambda: self.fault.fired, PATIENCE, 0.05), "nobody came to the work"

    def becomes(self, pk: int, status: str) -> Json:
        """Wait until the draft is ``status``."""
        assert wait_until(lambda: self.draft(pk)["status"] == status, PATIENCE, 0.1), self.draft(pk)
        return self.draft(pk)

    def killed_in_the_middle(self, pk: int) -> None:
        """Kill the worker from outside between two batches or in one; some is done and some is not."""
        assert wait_until(lambda: self.draft(pk)["looked_at"] > 0, PATIENCE, 0.02)
        self.portal.stack.kill("worker")
        assert self.draft(pk)["status"] == "applying"

    # --- the account

    def check(self, pk: int) -> None:
        """Every clock that had to move did so once, on the ledger too; each applicant and each person heard once."""
        draft = self.draft(pk)
        moves = {row.deadline_id: row for row in CalendarMove.objects.using(PORTAL).filter(draft_id=pk)}
        assert all(row.applied_at for row in moves.values())
        assert len(moves) == draft["moved"] > self.size
        now = dict(Deadline.objects.using(PORTAL).filter(pk__in=self.before).values_list("pk", "due_on"))
        assert {key for key in now if now[key] != self.before[key]} == moves.keys()
        assert all((row.before, row.after) == (self.before[key], now[key]) for key, row in moves.items())
        label = f"{draft['year']}.{CalendarYear.objects.using(PORTAL).get(year=draft['year']).version_label}"
        versions = set(Deadline.objects.using(PORTAL).open().values_list("calendar_version", flat=True))
        assert all(label in version.split("+") for version in versions), versions
        events = ClockEvent.objects.using(PORTAL).filter(kind=EventKind.RECOMPUTE)
        assert Counter(events.values_list("deadline_id", flat=True)) == Counter(moves.keys())
        entries = Entry.objects.using(PORTAL).filter(act=Act.DEADLINE_RECOMPUTED)
        assert Counter(entry.data["deadline"] for entry in entries) == Counter(moves.keys())
        assert Entry.objects.using(PORTAL).filter(act=Act.CALENDAR_APPLIED).count() == 1
        people = Message.objects.using(PORTAL).filter(kind="calendar_moved").values_list("to_user_id")
        assert people.exists()
        assert set(people.annotate(times=Count("pk")).values_list("times", flat=True)) == {1}
        for number in self.cases:
            text = f"（{number}）因{draft['year']}年节假日安排发布"
            self._arrives(text)
            assert list(self.portal.heard(text).values()) == [1]
        self.portal.books_are_right()

    def _arrives(self, text: str) -> None:
        """Wait until a phone says ``text``; what the dead worker had leased comes back as the portal's time goes on."""
        for _ in range(6):
            if wait_until(lambda: bool(self.portal.heard(text)), 8, 0.3):
                return
            self.portal.trainer.forward(minutes=6)
        raise AssertionError(f"nobody heard {text}")


def published_over_a_crowd(office: Office, *, dies: str) -> None:
    """The worker dies in a batch, and again from outside; before that, whoever is at ``dies``."""
    if dies == IN_THE_PREVIEW:
        office.fault.arm(dies)
    pk = office.propose(_next_working_day(office.portal.today))
    ready = office.becomes(pk, "ready")
    assert office.fault.fired
    assert ready["moving"] > office.size
    office.publish(pk, dies=dies == IN_THE_PRESS)
    office.killed_in_the_middle(pk)
    applied = office.becomes(pk, "applied")
    assert applied["moved"] == ready["moving"]
    office.check(pk)


def _next_working_day(today: dt.date) -> dt.date:
    """The first day after ``today`` that its year has as an ordinary working day."""
    days = CalendarYear.objects.using(PORTAL).get(year=today.year).days
    found = days.filter(day__gt=today, kind="workday").order_by("day").values_list("day", flat=True).first()
    assert found, "the year is over"
    return found
