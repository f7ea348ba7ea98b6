"""政务小闹钟: the clocks that one person answers for, and nobody else's (O3.3.1c).

Whoever is reminded of a clock finds it here, with the page where the person acts on it. Nothing of an applicant is read
for a case: those who decide must not know whose it is (O3.1.2c), and the others find it on the page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from approvals import blind, countersigning, owed
from approvals.enums import CaseStatus, MaterialState
from approvals.models import (
    Case,
    CaseMaterial,
    LaterSubmission,
    Opinion,
    PromiseLapse,
    Revocation,
    Sheet,
    SiteCheck,
)
from approvals.querysets import CaseQuerySet
from deadlines import words
from deadlines.enums import OPEN, EventKind, State, Unit
from deadlines.kinds import KindCode
from deadlines.models import ClockEvent, Deadline
from deadlines.querysets import DeadlineQuerySet
from deadlines.timeline import ground_text
from offices.access import Access
from offices.links import link
from offices.models import Posting, PostingQuerySet
from oversight import board
from supervision.enums import TaskStatus
from supervision.lists import VERBS
from supervision.models import SupervisionTask

Role = Posting.Role
S = CaseStatus
ROLES = (*Posting.ACTING_ROLES, Role.DEPARTMENT_HEAD)
BACK_OFFICE = (Role.REVIEWER, Role.DECIDER)
# Before the acceptance the window has a case, and again once its result waits to be handed out.
AT_THE_WINDOW = (S.SUBMITTED, S.CORRECTION_REQUESTED, S.DEEMED_ACCEPTED)
LATE = Q(overdue_at__isnull=False, settled_at__isnull=True)
TO_HAND_OUT = Q(status__in=[S.COMPLETED, S.REJECTED], delivered_at__isnull=True)
CHANGES = (EventKind.RECOMPUTE, EventKind.PAUSE, EventKind.RESUME, EventKind.EXTEND)
CHANGED_WITHIN = dt.timedelta(days=14)
MOST_CHANGES = 20


# --- whose a case or a task is


def _posted(access: Access, person: str, *roles: str) -> PostingQuerySet:
    """Postings in one of ``roles`` that whoever stands in the case's column ``person`` still holds."""
    held: PostingQuerySet = Posting.objects.active(access.on).role(*roles)
    return held.filter(user=OuterRef(person), user__is_active=True)


def _at_the_window(access: Access) -> CaseQuerySet:
    """What the person took in; and what a colleague took in who has left the window since."""
    division = _posted(access, "intake_by", Role.WINDOW_CLERK).filter(department__division=OuterRef("division"))
    return Case.objects.filter(
        Q(intake_by=access.user) | ~Exists(division),
        Q(status__in=AT_THE_WINDOW) | TO_HAND_OUT,
        division_id__in=access.divisions(Role.WINDOW_CLERK),
    )


def _to_hand_out(access: Access) -> CaseQuerySet:
    """What waits at the delivery counters of the person's divisions."""
    return Case.objects.filter(TO_HAND_OUT, division_id__in=access.divisions(Role.DELIVERY_CLERK))


def _to_certify(access: Access) -> CaseQuerySet:
    """Approved, and waiting for its licence: for its reviewer and its decider; for all when both have left."""
    here = [
        _posted(access, who, *BACK_OFFICE).filter(office=OuterRef("review_office")) for who in ("reviewer", "decider")
    ]
    own = Q(reviewer=access.user) | Q(decider=access.user)
    return Case.objects.filter(
        own | (~Exists(here[0]) & ~Exists(here[1])),
        review_office_id__in=access.offices(*BACK_OFFICE),
        status=S.APPROVED,
    ).exclude(Exists(CaseMaterial.objects.filter(case=OuterRef("pk"), state=MaterialState.DEFERRED)))


def _to_visit(access: Access) -> CaseQuerySet:
    """What the person was drawn to look at on the spot and has not reported (行政许可法 art. 34)."""
    return (
        Case.objects.for_site_officer(access)
        .filter(status=S.IN_REVIEW, site_check__done_at__isnull=True)
        .exclude(site_check__reported_by=access.user)
    )


def _owners(access: Access) -> list[tuple[str, QuerySet[Any]]]:
    """Cases and tasks that wait for this person, with the prefix of their streams; one queryset for each hat."""
    hats: tuple[tuple[tuple[str, ...], str, Callable[[Access], QuerySet[Any]]], ...] = (
        # First what is late by its nature, so that a bounded count of what is late ends early.
        ((Role.DECIDER,), board.CASE, owed.waits_for),
        ((Role.WINDOW_CLERK,), board.CASE, _at_the_window),
        ((Role.DELIVERY_CLERK,), board.CASE, _to_hand_out),
        ((Role.REVIEWER,), board.CASE, blind.to_review),
        ((Role.DECIDER,), board.CASE, blind.to_decide),
        (BACK_OFFICE, board.CASE, blind.to_countersign),
        ((Role.SITE_OFFICER,), board.CASE, _to_visit),
        (BACK_OFFICE, board.CASE, _to_certify),
        ((Role.DECIDER,), board.CASE, _to_revoke),
        ((Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY), board.TASK, _tasks),
    )
    return [(prefix, waiting(access).order_by()) for roles, prefix, waiting in hats if access.has(*roles)]


def _to_revoke(access: Access) -> CaseQuerySet:
    """Cases with a proposal to revoke that the person's offices have to decide on."""
    return Case.objects.filter(pk__in=Revocation.objects.open().for_decider(access).values("case"))


def _tasks(access: Access) -> QuerySet[SupervisionTask]:
    return SupervisionTask.objects.for_managers(access).open()


def _stream(prefix: str, key: str | OuterRef) -> Concat:
    return Concat(Value(prefix), Cast(key, CharField()))


def streams(access: Access, text: str = "") -> list[str]:
    """The streams of what waits for this person; ``text`` is part of a number. One statement, none for a mere head."""
    named = Q(number__contains=text.upper()) if text else Q()
    found = [
        owners.filter(named).annotate(stream_key=_stream(prefix, "pk")).values_list("stream_key", flat=True)
        for prefix, owners in _owners(access)
    ]
    return list(found[0].union(*found[1:])) if found else []


def pressing(access: Access) -> QuerySet[Any]:
    """The streams of the lines that are overdue or due today, for the count on every page with a rail.

    An owner with such a clock is one line, and the clock leads it. Each owner looks its clocks up by their index.
    """
    late = Deadline.objects.due_by(access.on).filter(stream=OuterRef("stream_key")).exclude(kind=KindCode.DISPUTE)
    found = [
        owners.annotate(stream_key=_stream(prefix, "pk"))
        .alias(clock=Subquery(late.values("pk")[:1]))
        .filter(clock__isnull=False)
        .values_list("stream_key", flat=True)
        for prefix, owners in _owners(access)
    ]
    if departments := access.departments(Role.DEPARTMENT_HEAD):
        told = Deadline.objects.open().overdue(access.on).filter(kind__in=board.HEADED)
        earlier = told.filter(stream=OuterRef("stream"), pk__lt=OuterRef("pk"))
        rows = board.owned(told.exclude(Exists(earlier)), departments)
        found.append(rows.values_list("stream", flat=True))
    return found[0].union(*found[1:], all=True) if found else Deadline.objects.none()


def clocks(access: Access, waiting: Collection[str], text: str = "") -> DeadlineQuerySet:
    """The open clocks that the person answers for: those of the streams ``waiting``; a head, for what is overdue.

    A head sees both sides of the department, but no case that is late in an inner stage alone: nobody tells a head of
    that. ``text`` is part of a number.
    """
    own = Q(stream__in=waiting)
    departments = access.departments(Role.DEPARTMENT_HEAD)
    if not departments:
        return Deadline.objects.open().filter(own)
    rows = Deadline.objects.open() if waiting else Deadline.objects.open().overdue(access.on)
    told = board.of_same_owner().overdue(access.on).filter(kind__in=board.HEADED)
    late = Q(owned_by__in=departments, state=State.RUNNING, due_on__lt=access.on) & Q(Exists(told))
    return board.with_owner(rows, text).filter(own | late if waiting else late)


# --- what a line shows


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the board: what it is, its clocks, and where the person acts on it (no address: it is only shown)."""

    number: str
    url: str
    verb: str
    item: str
    about: str
    office: str
    owner: Case | SupervisionTask
    deadline: Deadline
    others: Sequence[Deadline]

    @property
    def is_task(self) -> bool:
        """Whether it is a supervision task."""
        return isinstance(self.owner, SupervisionTask)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to the clocks of a case or task lately, in words."""

    at: dt.datetime
    number: str
    url: str
    item: str
    text: str


Owners = dict[str, Case | SupervisionTask]


def owners_of(streams: set[str], access: Access) -> Owners:
    """Stream → case or task, with what a line shows and the person's part in it; two statements."""
    sheets = Sheet.objects.filter(case=OuterRef("pk"), reviewer=access.user)
    site = SiteCheck.objects.filter(Q(first=access.user) | Q(second=access.user), case=OuterRef("pk"))
    cases = (
        Case.objects.filter(pk__in=board.keys(streams, board.CASE))
        .select_related("business_item", "review_office")
        .only(
            "number", "status", "delivered_at", "division_id", "review_office__name", "reviewer_id",
            "business_item__name",
        )
        .annotate(
            advised=Exists(Opinion.objects.filter(case=OuterRef("pk"))),
            lapsed=Exists(PromiseLapse.objects.filter(case=OuterRef("pk"), cancel__isnull=True))
            | Exists(LaterSubmission.objects.filter(LATE, case=OuterRef("pk"))),
            seated=Q(reviewer=access.user) | Exists(sheets),
            scored=Exists(sheets.filter(given_at__isnull=False)),
            visits=Exists(site.filter(done_at__isnull=True).exclude(reported_by=access.user)),
            countersigns=Exists(countersigning.waits_for(access).filter(case=OuterRef("pk"))),
        )
    )  # fmt: skip
    tasks = (
        SupervisionTask.objects.filter(pk__in=board.keys(streams, board.TASK))
        .select_related("business_item", "subject", "office", "sub_item")
        .only(
            "number", "status", "office__name", "sub_item__name", "subject_name", "subject__kind",
            "business_item__name",
        )
    )  # fmt: skip
    found: Owners = {case.stream: case for case in cases}
    return found | {task.stream: task for task in tasks}


def _case_verb(case: Case, access: Access) -> tuple[str, str]:
    """The address and the verb of what this person does next with a case; neither for who only looks on."""
    window = link("window:case")(case.number)
    office = link("office:case")(case.number)
    clerk = case.division_id in access.divisions(Role.WINDOW_CLERK)
    counter = case.division_id in access.divisions(Role.WINDOW_CLERK, Role.DELIVERY_CLERK)
    reviews = case.review_office_id in access.offices(Role.REVIEWER)
    decides = case.review_office_id in access.offices(Role.DECIDER)
    visits = case.review_office_id in access.offices(Role.SITE_OFFICER) and case.visits  # type: ignore[attr-defined]
    own, countersigns = case.seated, case.countersigns  # type: ignore[attr-defined]
    advises = own and not case.advised and not case.scored  # type: ignore[attr-defined]
    debt = link("office:owed_case")(case.number)
    settles = decides and case.lapsed  # type: ignore[attr-defined]
    steps: dict[str, list[tuple[bool, str, str]]] = {
        S.SUBMITTED: [(clerk, window, "受理")],
        S.CORRECTION_REQUESTED: [(clerk, window, "补正收件")],
        S.DEEMED_ACCEPTED: [(clerk, window, "查看")],
        S.IN_REVIEW: [
            (reviews and advises, office, "审查"),
            (visits, link("office:site_check")(case.number), "现场核查"),
            (countersigns, link("office:countersign")(case.number), "会签"),
            (decides and not own, office, "决定"),
        ],
        S.APPROVED: [(settles, debt, "处理逾期"), (reviews or decides, office, "制证办结")],
        S.REJECTED: [(counter, window, "出件")],
        S.COMPLETED: [(settles, debt, "处理逾期"), (counter, window, "出件")],
    }
    return next(((url, verb) for may, url, verb in steps.get(case.status, []) if may), ("", ""))


def _task_verb(task: SupervisionTask, access: Access) -> tuple[str, str]:
    own = task.office_id in access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
    return link("tasks:task")(task.number), VERBS[TaskStatus(task.status)] if own else "查看"


def _door(owner: Case | SupervisionTask, access: Access) -> tuple[str, str]:
    return _case_verb(owner, access) if isinstance(owner, Case) else _task_verb(owner, access)


def _item(owner: Case | SupervisionTask) -> str:
    return owner.business_item.name


def decorate(page: Sequence[Deadline], owners: Owners, access: Access) -> list[Row]:
    """The lines of a page whose ``owners`` were read; one statement."""
    others = board.beside(page)
    rows = []
    for clock in page:
        owner = owners[clock.stream]
        url, verb = _door(owner, access)
        beside = others[clock.stream]
        if verb and any(one.kind == KindCode.SPECIAL_PROCEDURE for one in (clock, *beside)):
            verb = "特别程序"  # nobody advises or decides before it has ended
        rows.append(
            Row(
                number=owner.number,
                url=url,
                verb=verb,
                item=_item(owner),
                about="" if isinstance(owner, Case) else f"{owner.public_subject} · {owner.sub_item.name}",
                office=owner.review_office.name if isinstance(owner, Case) else owner.office.name,
                owner=owner,
                deadline=clock,
                others=beside,
            )
        )
    return rows


# --- what happened lately


def recent_events(waiting: Collection[str], now: dt.datetime) -> list[ClockEvent]:
    """Open clocks of these streams recomputed, paused, resumed or extended within a fortnight, the newest first.

    One statement; none for a head, who answers for no clock that is not late.
    """
    if not waiting:
        return []
    events = ClockEvent.objects.filter(
        deadline__stream__in=waiting, deadline__state__in=OPEN, kind__in=CHANGES, at__gte=now - CHANGED_WITHIN
    )
    return list(events.select_related("deadline").order_by("-at", "deadline__due_on", "-id")[:MOST_CHANGES])


def _said(events: Sequence[ClockEvent]) -> str:
    """What happened to the clocks of one owner at one moment, in a sentence."""
    first = events[0]

    def each(text: Callable[[ClockEvent], str]) -> str:
        return "、".join(f"{event.deadline.get_kind_display()}{text(event)}" for event in events)

    if first.kind == EventKind.RECOMPUTE:
        return "工作日历公布，到期日改变：" + each(
            lambda event: f"由{_day(event.data['from'])}改为{_day(event.data['to'])}"
        )
    if first.kind == EventKind.PAUSE:
        expected = f"，预计{first.data['estimate']}个工作日" if first.data.get("estimate") else ""
        return f"因{ground_text(first.data)}暂停计时{expected}：" + each(lambda event: "")
    if first.kind == EventKind.RESUME:
        return "恢复计时：" + each(lambda event: f"{_day(event.deadline.due_on)}到期")
    unit = Unit(first.deadline.unit)
    return f"延长{words.length(int(first.data['length']), unit)}：" + each(
        lambda event: f"{_day(event.deadline.due_on)}到期"
    )


def _day(day: dt.date | str) -> str:
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return f"{day.month}月{day.day}日"


def changes(events: Sequence[ClockEvent], owners: Owners, access: Access) -> list[Change]:
    """The events in words; what happened to the clocks of one owner in the same moment is one line."""
    together: dict[tuple[str, str, dt.datetime], list[ClockEvent]] = {}
    for event in events:
        together.setdefault((event.deadline.stream, event.kind, event.at), []).append(event)
    found = []
    for (stream, _, at), group in together.items():
        owner = owners[stream]
        url, _verb = _door(owner, access)
        found.append(Change(at=at, number=owner.number, url=url, item=_item(owner), text=_said(group)))
    return found
