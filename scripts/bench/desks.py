"""Every list and page that people work from, over a town whose cases stand in every state: statements and time.

Each is asked by whoever has most to do there, on the morning after a week of holidays: an eighth of the clocks is late
and a third is due that day, whenever the measurement is run. ``STATES_SCALE`` sets how many cases the town gets, 10,000
by default. The statements are compared with those of the same page at 1,000 cases; the floor is the page's own reading
statements on a raw cursor, so that the ratio is what the portal adds to its database.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet
from django.test import Client
from django.urls import reverse

from approvals import blind, owed
from approvals.enums import CaseStatus
from approvals.models import Case
from approvals.querysets import CaseQuerySet
from approvals.views.window.desk import TABS as WINDOW_TABS
from deadlines import clock
from deadlines.clock import local_date
from offices.access import Access, access_for
from offices.models import Posting, User
from scripts.bench import data, town
from scripts.bench.measure import Figure, all_in_turn, statements
from supervision.models import SupervisionTask

Role = Posting.Role
S = CaseStatus
Rows = Callable[[Access], QuerySet[Any]]
SCALE = int(os.environ.get("STATES_SCALE", "10000"))
FEW, PAGE, ROUNDS = 1000, 50, 11
ASKED_AT = dt.datetime(2026, 10, 8, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
ROWS = (b"<tr", b'<li class="form-check"')
MOST_STATEMENTS, LIST_SECONDS, PAGE_SECONDS, GROWTH = 12, 0.040, 0.100, 1.3


@dataclass(frozen=True, slots=True)
class Desk:
    """A list or a page: the name of its address, who asks for it (``roles``; nobody: the public), and its rows.

    ``of_one``: the page of one of the rows. ``counts_all``: a report, whose figures count every row of the period: it
    costs as much as there is to count. ``most``: how many statements it may take; a report counts each thing by a
    statement of its own, a case's page has a part for each thing that may hang on the case.
    """

    name: str
    url: str
    roles: tuple[str, ...] = ()
    rows: Rows | None = None
    query: str = ""
    args: tuple[str, ...] = ()
    of_one: bool = False
    counts_all: bool = False
    most: int = MOST_STATEMENTS

    @property
    def is_list(self) -> bool:
        """Whether its rows come fifty a page."""
        return self.rows is not None and not self.of_one


def _window(where: Q) -> Rows:
    return lambda access: Case.objects.for_window(access).filter(where)


def _site(*, done: bool) -> Rows:
    waiting = Q(site_check__done_at__isnull=True, status=S.IN_REVIEW)
    return lambda access: Case.objects.for_site_officer(access).filter(~waiting if done else waiting)


def _overseen(**where: Any) -> Rows:
    return lambda access: Case.objects.for_overseer(access).filter(**where)


def _extensions(access: Access) -> CaseQuerySet:
    return Case.objects.filter(pk__in=blind.waiting_extensions(access).order_by().values("case_id"))


def _tasks(access: Access) -> QuerySet[SupervisionTask]:
    return SupervisionTask.objects.for_managers(access).open()


WINDOW, OVERSEER, ADMIN = (Role.WINDOW_CLERK,), (Role.OVERSEER,), (Role.DIVISION_ADMIN,)
REVIEWER, DECIDER, SITE = (Role.REVIEWER,), (Role.DECIDER,), (Role.SITE_OFFICER,)
BACK = (*REVIEWER, *DECIDER)
ALL = "period=all"
RETURNS: dict[str, dict[str, Any]] = {
    "received": {},
    "corrections": {"correction_notice__isnull": False},
    "refusals": {"refusal__isnull": False},
    "lapses": {"ending__kind": "lapsed"},
    "withdrawals": {"ending__kind": "withdrawn"},
    "mended": {"mendings__isnull": False},
}

DESKS: tuple[Desk, ...] = (
    Desk("window, all", "window:desk", WINDOW, _window(Q())),
    *(Desk(f"window, {tab.key}", "window:desk", WINDOW, _window(tab.where), f"state={tab.key}") for tab in WINDOW_TABS),
    Desk("office, review", "office:list", REVIEWER, blind.to_review, "tab=review"),
    Desk("office, decide", "office:list", DECIDER, blind.to_decide, "tab=decide"),
    Desk("office, countersign", "office:list", BACK, blind.to_countersign, "tab=countersign"),
    Desk("office, issue", "office:list", BACK, blind.to_issue, "tab=issue"),
    Desk("office, advised", "office:list", REVIEWER, blind.advised, "tab=advised"),
    Desk("office, done", "office:list", BACK, blind.done, "tab=done"),
    Desk("site checks", "office:site_checks", SITE, _site(done=False)),
    Desk("site checks, done", "office:site_checks", SITE, _site(done=True), "tab=done"),
    Desk("owed, to settle", "office:owed", DECIDER, owed.to_settle),
    Desk("owed, waiting", "office:owed", DECIDER, owed.to_wait_for, "tab=waiting"),
    Desk("owed, settled", "office:owed", DECIDER, owed.settled, "tab=settled"),
    Desk("extensions", "office:extensions", (Role.DEPARTMENT_HEAD,), _extensions),
    Desk("tasks", "tasks:list", (Role.OFFICE_MANAGER,), _tasks),
    Desk("alarms of a manager", "alarms", (Role.OFFICE_MANAGER,), _tasks),
    Desk("conflicts", "conflicts:list", REVIEWER),
    Desk("leave", "leave:list", REVIEWER),
    Desk("leave in a division", "leave:list", ADMIN, query="tab=division"),
    Desk("handling by credit", "division:handling", ADMIN),
    Desk("draws", "draws"),
    Desk("city board", "oversight:board", OVERSEER, lambda access: Case.objects.for_overseer(access).open()),
    Desk("refusals", "oversight:refusals", OVERSEER, _overseen(refusal__isnull=False), ALL),
    Desk("deemed", "oversight:deemed", OVERSEER, _overseen(deemed_at__isnull=False), ALL),
    Desk("unveilings", "oversight:unveilings", OVERSEER, _overseen(unveilings__isnull=False), ALL),
    Desk("returns", "oversight:returns", OVERSEER, query=ALL, counts_all=True),
    *(
        Desk(f"returns, {key}", "oversight:returned", OVERSEER, _overseen(**where), ALL, (key,))
        for key, where in RETURNS.items()
    ),
    Desk("register", "licences", (), lambda access: Case.objects.filter(licence__isnull=False)),
    Desk("progress, public", "progress", (), lambda access: Case.objects.filter(status=S.IN_REVIEW), of_one=True),
    Desk("case at the window", "window:case", WINDOW, _window(Q(status=S.SUBMITTED)), of_one=True, most=20),
    Desk("case in review", "office:case", REVIEWER, blind.to_review, of_one=True, most=32),
    Desk("case to decide", "office:case", DECIDER, blind.to_decide, of_one=True, most=32),
    Desk("case that is done", "office:case", BACK, blind.done, of_one=True, most=32),
    Desk("case to visit", "office:site_check", SITE, _site(done=False), of_one=True),
    Desk("case that owes", "office:owed_case", DECIDER, owed.to_settle, of_one=True, most=20),
    Desk("case overseen", "oversight:case", OVERSEER, _overseen(status=S.IN_REVIEW), of_one=True, most=20),
)


def cases_of(rows: QuerySet[Any]) -> list[int]:
    """The cases behind the rows of a list."""
    key = "pk" if rows.model is Case else "case_id"
    return sorted(set(rows.order_by().values_list(key, flat=True)))


def busiest(desk: Desk) -> Access | None:
    """Who has most to do at a desk; nobody for a public one."""
    if not desk.roles:
        return None
    today = local_date(clock.now())
    held = Posting.objects.active(today).filter(role__in=desk.roles)
    people = [access_for(one, today) for one in User.objects.filter(pk__in=held.values("user")).order_by("pk")]
    rows = desk.rows
    return max(people, key=lambda one: rows(one).count()) if rows else people[0]


@dataclass(frozen=True, slots=True)
class Asker:
    """A desk with the person who asks, and the address asked."""

    desk: Desk
    access: Access | None
    browser: Client
    address: str
    form: dict[str, str] | None = None

    def rows(self) -> QuerySet[Any]:
        """What stands on the list; of a public one, whoever asks."""
        if self.desk.rows is None:
            raise TypeError(f"{self.desk.name} has no rows")
        return self.desk.rows(self.access or access_for(User.objects.all()[0], local_date(clock.now())))

    def ask(self) -> bytes:
        """Ask once; returns the page. Raises ``RuntimeError`` for any answer but 200."""
        if self.form is None:
            answer = self.browser.get(self.address)
        else:
            cache.clear()  # the rate limit must not answer for the page
            answer = self.browser.post(self.address, self.form)
        if answer.status_code != 200:
            raise RuntimeError(f"{self.desk.name}: {self.address} answered {answer.status_code}")
        return bytes(answer.content)

    def shown(self) -> int:
        """How many rows stand on the page, of tables and of forms of many."""
        page = self.ask()
        return sum(map(page.count, ROWS))


def asker(desk: Desk) -> Asker:
    """Sign the busiest person of a desk in."""
    access, browser = busiest(desk), Client()
    if access is not None:
        browser.force_login(access.user, backend="django.contrib.auth.backends.ModelBackend")
    if not desk.of_one:
        address = reverse(desk.url, args=desk.args)
        return Asker(desk, access, browser, f"{address}?{desk.query}" if desk.query else address)
    found = Asker(desk, access, browser, "").rows().order_by("pk")[0]
    if desk.url == "progress":
        return Asker(desk, access, browser, reverse("progress"), {"number": found.number, "code": found.query_code})
    return Asker(desk, access, browser, reverse(desk.url, args=[found.number]))


def begin(now: dt.datetime) -> list[Asker]:
    """A town with one case in each state and position, the desks' people, and what these declared of themselves."""
    town.settle(now)
    askers = [asker(desk) for desk in DESKS]
    for one in askers:
        if one.desk.is_list and not one.rows().exists():
            raise RuntimeError(f"nothing stands on the list {one.desk.name}")
    declare(askers, 2, now)
    town.draw_periods([2000], now)
    return askers


def declare(askers: list[Asker], count: int, now: dt.datetime) -> None:
    """``count`` further conflicts and leaves of those who look at theirs."""
    for user in {one.access.user for one in askers if one.access and one.desk.name in {"conflicts", "leave"}}:
        town.declarations(user, user, count, now)


def fill(askers: list[Asker], least: int) -> None:
    """Copy what stands on each list until it has ``least`` rows."""
    for one in askers:
        if one.desk.is_list:
            have = one.rows().count()
            town.copy(cases_of(one.rows()), -(-max(0, least - have) // have))


def grow(originals: list[int], size: int) -> None:
    """Copy the first cases evenly until there are ``size`` or a few more."""
    missing = max(0, size - Case.objects.count())
    town.copy(originals, -(-missing // len(originals)))


def figures(now: dt.datetime) -> Iterator[Figure]:
    """Each desk at ``STATES_SCALE`` cases, against itself at 1,000, where its list fills a page already."""
    with mock.patch.object(clock, "now", return_value=ASKED_AT):
        yield from _figures(now)


def _figures(now: dt.datetime) -> Iterator[Figure]:
    askers = begin(now)
    originals = list(Case.objects.values_list("pk", flat=True))
    fill(askers, PAGE + 1)
    declare(askers, PAGE, now)
    town.draw_periods(range(2001, 2005), now)
    grow(originals, FEW)
    data.settle()
    few = data.Few()
    befores = [Before.of(one, few) for one in askers]
    grow(originals, SCALE)
    declare(askers, SCALE // 100, now)
    town.draw_periods(range(1980, 2000), now)
    data.settle()
    size = Case.objects.count()
    for one, before in zip(askers, befores, strict=True):
        yield figure(one, before, size, FEW)
    few.drop()


def counted(one: Asker) -> int:
    """How many statements the page takes; the calendar, which the process reads anew now and then, left out."""
    one.ask()
    return min(statements(one.ask) for _ in range(2))


@dataclass(frozen=True, slots=True)
class Before:
    """A page among few, where it is asked in turn with the page among many: its statements, and the rows on it."""

    asker: Asker
    few: data.Few
    statements: int
    shown: int

    @classmethod
    def of(cls, asker: Asker, few: data.Few) -> Before:
        """The page in the copy ``few``."""
        with few:
            return cls(asker, few, counted(asker), asker.shown())

    def ask(self) -> None:
        """Ask once."""
        with self.few:
            self.asker.ask()


def figure(one: Asker, before: Before, size: int, few: int, rounds: int = ROUNDS) -> Figure:
    """The page at ``size`` rows beside itself at ``few``, where a list must have shown as many rows.

    Raises ``RuntimeError`` where it did not: that would be another page.
    """
    one.ask()
    took, floor, small = all_in_turn((one.ask, raw(one), before.ask), rounds)
    count, shown = counted(one), one.shown()
    if shown > before.shown and not one.desk.of_one:
        raise RuntimeError(f"{one.desk.name}: {before.shown} rows among {few:,}, {shown} among {size:,}")
    longest = PAGE_SECONDS if one.desk.of_one or one.desk.counts_all else LIST_SECONDS
    same = small * max(1, shown / before.shown) if before.shown else small
    fast = took <= longest and (one.desk.counts_all or took <= GROWTH * same)
    met = fast and count <= min(before.statements, one.desk.most)
    target = (
        f"≤ {longest * 1000:.0f} ms, "
        + ("" if one.desk.counts_all else f"≤ {GROWTH} × of {few:,} ({same * 1000:.1f} ms), ")
        + f"≤ {one.desk.most} statements, no more than there ({before.statements})"
    )
    return Figure(one.desk.name, "ms", took * 1000, floor * 1000, took / floor, target, met, size, count)


def raw(one: Asker) -> Callable[[], None]:
    """The page's own reading statements on a raw cursor."""
    sent: list[tuple[str, Any]] = []

    def keep(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith(("SELECT", "(SELECT", "WITH", "EXECUTE")):
            sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        one.ask()

    def read() -> None:
        with connection.cursor() as cursor:
            for sql, params in sent:
                cursor.execute(sql, params)
                cursor.fetchall()

    return read
