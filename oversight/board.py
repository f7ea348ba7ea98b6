"""The alarm board: every open clock of the divisions that a person oversees, the most pressing first (O2b, O3.3.1c/d).

A clock's kind says which relation its owner hangs on, so the owners' departments are asked of that relation alone.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, Subquery
from django.urls import reverse

from approvals.models import Case
from approvals.notices import Kind as CaseKind
from deadlines import calendar as working_calendar
from deadlines.enums import State
from deadlines.kinds import KindCode
from deadlines.models import Alarm, Deadline
from deadlines.querysets import DeadlineQuerySet
from notifications.models import Message
from supervision.messages import Kind as TaskKind
from supervision.models import SupervisionTask

CASE_CLOCKS: Mapping[str, str] = {
    KindCode.CORRECTION_NOTICE: "notice",
    KindCode.CORRECTION_ANSWER: "answer",
    KindCode.DECISION_STATUTORY: "statutory",
    KindCode.DECISION_PROMISED: "promised",
    KindCode.ISSUE: "issue",
}
TASK_CLOCKS: Mapping[str, str] = {
    KindCode.ACKNOWLEDGE: "acknowledge",
    KindCode.PLANNED_FINISH: "planned",
    KindCode.FEEDBACK: "feedback",
}
RELATIONS = {kind: f"{stem}_case" for kind, stem in CASE_CLOCKS.items()}
RELATIONS |= {kind: f"{stem}_task" for kind, stem in TASK_CLOCKS.items()}
KINDS = tuple((str(kind), str(KindCode(kind).label)) for kind in RELATIONS)
ORDER = ("due_on", "id")
REMINDERS = (CaseKind.CASE_REMINDER.value, TaskKind.TASK_REMINDER.value)
# Counted exactly up to here; a board with more open clocks says “9999+” and costs no more.
MOST = 9999


@dataclass(frozen=True, slots=True)
class Horizon:
    """The days that divide the board: the next working day is what an overseer can still act on."""

    today: dt.date
    next_working: dt.date
    sunday: dt.date

    @classmethod
    def on(cls, today: dt.date) -> Horizon:
        """The horizon of a local date."""
        following = working_calendar.recent().after(today, 1)
        return cls(today, following, today + dt.timedelta(days=7 - today.isoweekday()))

    def conditions(self) -> dict[str, Q]:
        """Tab → condition; the empty tab is every open clock."""
        running = Q(state=State.RUNNING)
        return {
            "overdue": running & Q(due_on__lt=self.today),
            "today": running & Q(due_on=self.today),
            "next": running & Q(due_on__gt=self.today, due_on__lte=self.next_working),
            "week": running & Q(due_on__gte=self.today, due_on__lte=self.sunday),
            "paused": Q(state=State.PAUSED),
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the board: whose clock it is, where it stands, who was reminded last and when."""

    number: str
    url: str
    item: str
    note: str
    department: str
    office: str
    status: str
    deadline: Deadline
    alarmed_at: dt.datetime | None
    alarmed: Sequence[str]


def clocks(departments: Collection[int], kind: str = "", text: str = "") -> DeadlineQuerySet:
    """Open clocks of cases and tasks of these departments, of one kind or all; ``text`` is part of a number."""
    owned = Q(pk__in=[])
    for code, relation in RELATIONS.items():
        if kind in {"", code}:
            owner = Q(**{f"{relation}__department__in": departments})
            if text:
                owner &= Q(**{f"{relation}__number__contains": text.upper()})
            owned |= owner
    rows = Deadline.objects.open()
    return (rows.filter(kind=kind) if kind else rows).filter(owned)


def counts(rows: DeadlineQuerySet, horizon: Horizon) -> dict[str, int]:
    """How many clocks each tab has, ``all`` included: one statement over the first ``MOST`` + 1 clocks."""
    pressing = rows.order_by(*ORDER)[: MOST + 1]
    asked = {tab: Count("pk", filter=condition) for tab, condition in horizon.conditions().items()}
    found: dict[str, int] = pressing.aggregate(all=Count("pk"), **asked)
    return found


def with_alarm(rows: DeadlineQuerySet) -> DeadlineQuerySet:
    """Annotate ``alarmed_at``: when the clock rang last."""
    last = Alarm.objects.filter(deadline=OuterRef("pk")).order_by("-due_on", "-stage").values("fired_at")[:1]
    return rows.annotate(alarmed_at=Subquery(last))


def _owners(clocks_by_kind: Mapping[str, list[int]], stems: Mapping[str, str]) -> Q:
    wanted = Q(pk__in=[])
    for kind, stem in stems.items():
        if clocks_by_kind[kind]:
            wanted |= Q(**{f"{stem}_deadline__in": clocks_by_kind[kind]})
    return wanted


def _people(page: Sequence[Deadline]) -> dict[int, list[str]]:
    """Clock id → who was sent its last reminder; one statement."""
    moments = {clock.alarmed_at for clock in page if clock.alarmed_at}  # type: ignore[attr-defined]
    found: dict[int, list[str]] = defaultdict(list)
    if not moments:
        return found
    reminders = Message.objects.filter(
        reference__in={clock.stream for clock in page}, kind__in=REMINDERS, created_at__in=moments
    ).select_related("to_user")
    for message in reminders.only("dedupe_key", "to_user__full_name").order_by("id"):
        head, clock_id, *_ = message.dedupe_key.split(":")
        if head == "alarm" and message.to_user is not None:
            found[int(clock_id)].append(message.to_user.full_name)
    return found


def decorate(page: Sequence[Deadline]) -> list[Row]:
    """The lines of a page of ``with_alarm`` clocks: three statements, whatever its length."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for clock in page:
        by_kind[clock.kind].append(clock.pk)
    cases = (
        Case.objects.filter(_owners(by_kind, CASE_CLOCKS))
        .select_related("business_item", "department", "review_office")
        .only(
            "number", "status", "business_item__name", "department__name", "review_office__name",
            *(f"{stem}_deadline" for stem in CASE_CLOCKS.values()),
        )
    )  # fmt: skip
    tasks = (
        SupervisionTask.objects.filter(_owners(by_kind, TASK_CLOCKS))
        .select_related("case__business_item", "department", "office", "sub_item")
        .only(
            "number", "status", "case__business_item__name", "department__name", "office__name", "sub_item__name",
            *(f"{stem}_deadline" for stem in TASK_CLOCKS.values()),
        )
    )  # fmt: skip
    owner_of: dict[int | None, Case | SupervisionTask] = {}
    for case in cases:
        owner_of |= {getattr(case, f"{stem}_deadline_id"): case for stem in CASE_CLOCKS.values()}
    for task in tasks:
        owner_of |= {getattr(task, f"{stem}_deadline_id"): task for stem in TASK_CLOCKS.values()}
    people = _people(page)
    return [_row(clock, owner_of[clock.pk], people[clock.pk]) for clock in page]


def _row(clock: Deadline, owner: Case | SupervisionTask, people: Sequence[str]) -> Row:
    if isinstance(owner, Case):
        url = reverse("oversight:case", args=[owner.number])
        item, note, office = owner.business_item.name, "", owner.review_office.name
    else:
        url = reverse("oversight:task", args=[owner.number])
        item, note, office = owner.case.business_item.name, owner.sub_item.name, owner.office.name
    return Row(
        number=owner.number,
        url=url,
        item=item,
        note=note,
        department=owner.department.name,
        office=office,
        status=owner.get_status_display(),
        deadline=clock,
        alarmed_at=clock.alarmed_at,  # type: ignore[attr-defined]
        alarmed=people,
    )
