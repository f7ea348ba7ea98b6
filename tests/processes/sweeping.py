"""A portal whose alarms are accounted for from outside: what had to ring, what rang, and what every phone got.

The test works out by itself, from the days of the calendar, which alarms fall on which working day. The SMS gateway
takes whatever comes, so that a message sent twice is seen twice.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from celery import Celery
from django.db import connections
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from environ import Env

from deadlines.kinds import KINDS, KindCode
from deadlines.models import Alarm, Day, Deadline, TrainingClock
from lianyungang_gov.beat import Scheduler
from lianyungang_gov.celery import app as portal_app
from notifications.enums import State
from notifications.models import Message
from offices.crypto import keyed_hash
from offices.models import Posting
from scripts.entry import command_of
from scripts.runtime import ROOT, die_with_parent, wait_until
from scripts.stack import Stack
from supervision.models import SupervisionTask
from tests.notifications.gateway import TOKEN, Gateway
from tests.processes.conftest import Fault
from tests.processes.portal import PATIENCE, Portal

SWEEP, DELIVER = "deadlines.tasks.sweep", "notifications.tasks.deliver"
# Clock, due date, stage.
Occasion = tuple[int, dt.date, int]
HOUR = dt.timedelta(hours=1)
# The portal's database, as an alias of the test's own process.
PORTAL = "portal"


class Reminder(NamedTuple):
    """A row of the outbox; ``sms`` is the client id under which it goes out, alone or with others."""

    phone_hash: str
    text: str
    state: str
    reference: str
    created_at: dt.datetime
    sms: uuid.UUID


@contextlib.contextmanager
def gateway() -> Iterator[Gateway]:
    """An SMS gateway that serves."""
    server = Gateway()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def environment(gateway: Gateway, fault: Fault) -> dict[str, str]:
    """The environment of a portal that sends through ``gateway`` and dies at the points of ``fault``."""
    return {
        "SMS_TRANSPORT": "http",
        "SMS_GATEWAY_URL": gateway.url,
        "SMS_GATEWAY_TOKEN": TOKEN,
        "FAULT_FILE": str(fault.file),
        "TOKEN_RATE": "1000/m",
    }


@contextlib.contextmanager
def database_of(stack: Stack) -> Iterator[None]:
    """The stack's database under the alias ``PORTAL``."""
    if url := stack.env.get("DATABASE_URL"):
        found: dict[str, Any] = dict(Env.db_url_config(url))
    else:
        found = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(stack.var_dir / "db.sqlite3")}
        found["OPTIONS"] = {"timeout": 20}
    connections.settings[PORTAL] = connections.configure_settings({"default": {}, PORTAL: found})[PORTAL]
    try:
        yield
    finally:
        connections[PORTAL].close()
        del connections[PORTAL]
        del connections.settings[PORTAL]


class Account:
    """What had to ring since the account was opened, against what rang and what the gateway took."""

    def __init__(self, gateway: Gateway, today: dt.date) -> None:
        self.gateway = gateway
        days = Day.objects.using(PORTAL).filter(is_working=True).order_by("day")
        self.working = list(days.values_list("day", flat=True))
        # Days on which somebody swept, the first one being over; a working day between two of them was missed.
        self.days = [today]
        self.before = set(self._alarms())
        self.old = set(self._reminders().values_list("pk", flat=True))

    # --- what had to be

    def stages(self, due_on: dt.date) -> dict[dt.date, int]:
        """Working day → stage: 0 the due date, -1 the working day before, 1 the first one after …"""
        first = bisect_left(self.working, due_on)
        has_zero = self.working[first] == due_on
        return {day: n - first + (n >= first and not has_zero) for n, day in enumerate(self.working)}

    def expected(self) -> dict[Occasion, int | None]:
        """Every alarm that had to ring → the newer stage that spoke for it, None where it spoke for itself."""
        zone = timezone.get_default_timezone()
        found: dict[Occasion, int | None] = {}
        for clock in Deadline.objects.using(PORTAL).running():
            alarms = KINDS[KindCode(clock.kind)].alarms
            if alarms is None:
                continue
            stages = self.stages(clock.due_on)
            for last, day in zip(self.days, self.days[1:], strict=False):
                fell_due = [
                    stages[one]
                    for one in self.working
                    if last < one <= day
                    and dt.datetime.combine(one, dt.time(9), zone) > clock.started_at
                    and alarms.first <= stages[one]
                    and (alarms.last is None or stages[one] <= alarms.last)
                ]
                found |= {
                    (clock.pk, clock.due_on, stage): None if stage == fell_due[-1] else fell_due[-1]
                    for stage in fell_due
                }
        return found

    # --- what was

    def _alarms(self) -> dict[Occasion, int | None]:
        rows = Alarm.objects.using(PORTAL).values_list("deadline_id", "due_on", "stage", "spoken_by")
        return {(clock, due_on, stage): spoken_by for clock, due_on, stage, spoken_by in rows}

    def rang(self) -> dict[Occasion, int | None]:
        """The alarms that rang since, as :meth:`expected` says them."""
        return {occasion: by for occasion, by in self._alarms().items() if occasion not in self.before}

    def _reminders(self) -> QuerySet[Message]:
        return Message.objects.using(PORTAL).filter(dedupe_key__startswith="alarm:")

    def reminders(self) -> dict[Occasion, list[Reminder]]:
        """The reminders queued since, by their alarm."""
        found: dict[Occasion, list[Reminder]] = {}
        rows = self._reminders().exclude(pk__in=self.old).annotate(sms=Coalesce("carried_by__client_id", "client_id"))
        for key, *row in rows.values_list("dedupe_key", *Reminder._fields):
            _, clock, due_on, stage, _ = key.split(":")
            occasion = int(clock), dt.date.fromisoformat(due_on), int(stage)
            found.setdefault(occasion, []).append(Reminder(*row))
        return found

    def all_rang(self) -> bool:
        """Nothing that had to ring is missing."""
        return self.expected().keys() <= self.rang().keys()

    def all_sent(self) -> bool:
        """No reminder is still on its way."""
        return not self._reminders().filter(state__in=[State.QUEUED, State.SENDING, State.UNKNOWN]).exists()

    def _managers(self) -> dict[int, set[str]]:
        """Acknowledge, plan or feedback clock of a task → phones of its office's managers, who hear every alarm."""
        managers: dict[int, set[str]] = {}
        for office, phone in (
            Posting.objects.using(PORTAL)
            .filter(role=Posting.Role.OFFICE_MANAGER, ends_on=None, user__is_active=True)
            .values_list("office_id", "user__phone_hash")
        ):
            managers.setdefault(office or 0, set()).add(phone)
        columns = ("acknowledge_deadline_id", "planned_deadline_id", "feedback_deadline_id", "follow_up_deadline_id")
        rows = SupervisionTask.objects.using(PORTAL).values_list("office_id", *columns)
        return {clock: managers[office] for office, *clocks in rows for clock in clocks if clock}

    def check(self) -> None:
        """Each alarm rang once, by the test's own count, and each of its people got one SMS that day that says it."""
        expected = self.expected()
        assert self.rang() == expected
        reminders = self.reminders()
        assert reminders.keys() == {occasion for occasion, spoken_by in expected.items() if spoken_by is None}
        managers = self._managers()
        for occasion, rows in reminders.items():
            assert {row.state for row in rows} == {State.ACCEPTED}
            people = Counter(row.phone_hash for row in rows)
            assert set(people.values()) == {1}
            assert managers.get(occasion[0], set()) <= people.keys()
        self._check_gateway([row for rows in reminders.values() for row in rows])

    def _check_gateway(self, reminders: list[Reminder]) -> None:
        """One SMS a person and day, taken once, on the right phone, that says or counts all of its reminders."""
        assert self.gateway.doubled == []
        taken = {sms["client_id"]: sms for sms in self.gateway.taken}
        bundles: dict[tuple[str, dt.date], list[Reminder]] = {}
        for row in reminders:
            bundles.setdefault((row.phone_hash, timezone.localdate(row.created_at)), []).append(row)
        for (phone, day), rows in bundles.items():
            [client_id] = {row.sms for row in rows}
            sms = taken[str(client_id)]
            assert keyed_hash(sms["phone"]) == phone
            says_each = all(row.text.rstrip("。") in sms["text"] for row in rows)
            counts = f"您有{len({row.reference for row in rows})}件时限提醒" in sms["text"]
            assert says_each or counts, f"{day}: {sms['text']}"


@dataclass
class Process:
    """A process of the portal's beside the supervised ones, and its log."""

    popen: subprocess.Popen[bytes]
    log: Path


@dataclass
class City:
    """The running portal with everything that the scenarios do to it."""

    portal: Portal
    fault: Fault
    account: Account
    worker_logs: list[Path] = field(default_factory=list)

    @property
    def stack(self) -> Stack:
        """Its processes."""
        return self.portal.stack

    # --- time

    def now(self) -> dt.datetime:
        """The portal's time, local."""
        ahead = TrainingClock.objects.using(PORTAL).values_list("offset", flat=True).get()
        return timezone.localtime(timezone.now() + ahead, timezone.get_default_timezone())

    def set_clock(self, moment: dt.datetime) -> None:
        """Every process sees ``moment`` from here on, earlier or later; unlike the training page it wakes nobody."""
        TrainingClock.objects.using(PORTAL).update(offset=moment - timezone.now())

    def morning(self) -> None:
        """The clock jumps to the next working morning, and the training page wakes the sweep."""
        self.portal.morning()
        self.account.days.append(self.portal.today)

    def working_days_pass(self, number: int) -> None:
        """Silently, to ten o'clock of that working day after today; nobody sweeps meanwhile."""
        day = next(day for day in self.account.working if day > self.portal.today)
        day = self.account.working[self.account.working.index(day) + number - 1]
        self.set_clock(self.now().replace(year=day.year, month=day.month, day=day.day, hour=10, minute=0))
        self.portal.today = day
        self.account.days.append(day)

    # --- work

    def post(self, task: str, times: int) -> list[str]:
        """Put ``times`` wake-ups into the broker at once; return their ids."""
        url = self.stack.env["REDIS_URL"].replace("unix://", "redis+socket://").replace("?db=0", "?virtual_host=0")
        with Celery("test", broker=url, set_as_current=False) as app:
            app.conf.task_routes = portal_app.conf.task_routes
            return [str(app.send_task(task, ignore_result=True).id) for _ in range(times)]

    def run(self, task: str, times: int) -> None:
        """As :meth:`post`, and wait until each has run to its end."""
        sent = self.post(task, times)

        def done() -> bool:
            logs = "".join(log.read_text(errors="replace") for log in self.worker_logs)
            return all(f"{task}[{one}] succeeded" in logs for one in sent)

        assert wait_until(done, PATIENCE, 0.05), f"{task}: not every one of {sent} came to its end"

    def rings(self) -> None:
        """Wait until everything that had to ring today has; what is too much comes out in the account."""
        if not wait_until(self.account.all_rang, PATIENCE, 0.1):
            raise AssertionError(f"silent: {self.account.expected().keys() - self.account.rang().keys()}")

    def is_told(self) -> None:
        """Wait until the outbox has nothing to send any more, waking it."""

        def done() -> bool:
            self.run(DELIVER, 1)
            return self.account.all_sent()

        assert wait_until(done, PATIENCE, 0.1), "reminders are still on their way"

    def settles(self) -> None:
        """Everything rings, rings only once although more sweeps come, is sent, and the account is right."""
        self.rings()
        self.run(SWEEP, 6)
        self.portal.trainer.forward(minutes=2)  # reminders wait for their companions
        self.is_told()
        self.account.check()

    # --- processes

    @contextlib.contextmanager
    def another(self, role: str, directory: Path) -> Iterator[Process]:
        """A second process of this role, started by mistake, with runtime files of its own in ``directory``."""
        (directory / "run").mkdir(parents=True, exist_ok=True)
        log = directory / f"{role}.log"
        with log.open("wb") as out:
            popen = _spawn(command_of(role, self.stack.env | {"VAR_DIR": str(directory)}), self.stack.env, out)
        if role == "worker":
            self.worker_logs.append(log)
        try:
            yield Process(popen, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()


def _spawn(command: list[str], env: dict[str, str], out: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=out,
        stderr=out,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    )


@contextlib.contextmanager
def running(stack: Stack, stop: Callable[[], None], gateway: Gateway, fault: Fault) -> Iterator[City]:
    """Start ``stack`` with a few cases of today's beside the demonstration's, and open the account."""
    try:
        stack.start()
        stack.wait_healthy(180)
        with database_of(stack):
            portal = Portal(stack)
            portal.morning()
            for _ in range(4):
                portal.receive()
            # Whoever waits for the window would be deemed accepted in the days that pass; no clock starts or ends here.
            for case in portal.clerk.look("/api/v1/cases/?status=submitted")["results"]:
                number = case["number"]
                # A promise that nobody signed cannot be accepted: its applicant changes the mind.
                promises = portal.case(number)["promise_modes"]
                portal.withdraw(number) if promises else portal.accept(number)
            city = City(portal, fault, Account(gateway, portal.today), [stack.log_dir / "worker.log"])
            city.run(SWEEP, 1)
            yield city
    finally:
        stop()


# --- the scenarios


def two_beats(city: City, directory: Path) -> None:
    """A second beat and a second worker, one working morning after the other; a worker dies in a sweep."""
    memory = directory / "run" / "beat-schedule"
    memory.parent.mkdir(parents=True)
    _remember_runs_ahead(memory)
    with city.another("worker", directory) as worker, city.another("beat", directory) as beat:
        beats = [beat.log, city.stack.log_dir / "beat.log"]
        seen = {log: _count(log, "Sending due task sweep-deadlines") for log in beats}
        assert wait_until(lambda: "ready." in worker.log.read_text(), PATIENCE, 0.1)
        for point in ("", "sweep.before_commit", ""):
            if point:
                city.fault.arm(point)
            city.working_days_pass(1)
            city.run(SWEEP, 12)  # as many as the workers can at the same moment
            city.settles()
        assert city.fault.fired
        assert wait_until(
            lambda: all(_count(log, "Sending due task sweep-deadlines") > seen[log] for log in beats), PATIENCE, 0.2
        )
        assert _count(worker.log, f"{SWEEP}[") > 0
        city.account.check()


def _remember_runs_ahead(memory: Path) -> None:
    """What a beat wrote down before its host's clock was set back an hour: its last runs lie ahead."""
    scheduler = Scheduler(portal_app, schedule_filename=str(memory))
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() + HOUR
    scheduler.close()


def _count(log: Path, text: str) -> int:
    return log.read_text(errors="replace").count(text)


def a_day_without_beat(city: City) -> None:
    """A whole working day and part of another pass without beat: the newest stage speaks for the missed ones."""
    city.stack.hold_down("beat")
    try:
        city.run(SWEEP, 1)  # whatever beat had still sent is done
        rang = city.account.rang()
        city.working_days_pass(2)
        assert city.account.rang() == rang
    finally:
        city.stack.bring_back("beat")
    city.settles()
    spoken_for = [by for occasion, by in city.account.rang().items() if occasion not in rang and by is not None]
    assert spoken_for


def set_back(city: City) -> None:
    """An hour back: after the ringing, with reminders waiting, and with reminders in the hands of a dead worker."""
    city.morning()
    city.rings()
    city.set_clock(city.now() - HOUR)
    sent = len(city.account.gateway.taken)
    city.run(SWEEP, 4)
    city.run(DELIVER, 2)
    assert city.account.rang() == city.account.expected()
    assert len(city.account.gateway.taken) == sent
    city.set_clock(city.now() + HOUR)
    city.settles()
    # Within working hours the sweeps look for what is due, and find nothing.
    city.set_clock(city.now() + HOUR)
    city.run(SWEEP, 2)
    city.set_clock(city.now() - HOUR)
    city.run(SWEEP, 4)
    city.account.check()
    for point in ("outbox.claimed", "outbox.sent"):
        city.morning()
        city.rings()
        city.fault.arm(point)  # reminders wait for their companions, so nothing else is on its way
        city.portal.trainer.forward(minutes=2)
        assert wait_until(lambda: city.fault.fired, PATIENCE, 0.05)
        assert not city.account.all_sent()
        city.set_clock(city.now() - HOUR)
        city.run(SWEEP, 4)
        city.is_told()
        city.account.check()
        city.set_clock(city.now() + HOUR)
        city.settles()


def broker_lost(city: City) -> None:
    """The broker dies with all that it holds while the workers sweep; then it is away while alarms come due."""
    city.working_days_pass(1)
    city.post(SWEEP, 12)
    city.stack.kill("valkey")
    city.settles()
    city.stack.kill("valkey")
    city.stack.hold_down("valkey")
    try:
        city.morning()
    finally:
        city.stack.bring_back("valkey")
    city.settles()
