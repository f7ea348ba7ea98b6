"""The alarm boards: a line for each case or task with open clocks, by the clock that presses most (O2b, O3.3.1c/d).

People think in cases, not in clocks: the most pressing clock of an owner leads its line, the others stand beside it.
A clock names its owner by its stream, so one look-up by key finds the owner of every kind.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, BooleanField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models import Case as Choose
from django.db.models.functions import Cast, Coalesce, Substr

from approvals.models import Case
from approvals.notices import Kind as CaseKind
from approvals.querysets import CaseQuerySet
from deadlines import calendar as working_calendar
from deadlines.enums import Light, State
from deadlines.kinds import STAGES, KindCode
from deadlines.models import Alarm, Deadline
from deadlines.office import EXPECTED_FROM
from deadlines.querysets import DeadlineQuerySet
from notifications.models import Message
from offices import kept
from offices.links import link
from supervision.messages import Kind as TaskKind
from supervision.models import Dispute, SupervisionTask

CASE, TASK = "case:", "task:"
ORDER = ("due_on", "id")
REMINDERS = (CaseKind.CASE_REMINDER.value, TaskKind.TASK_REMINDER.value)
# Counted exactly up to here; a board with more lines says “999+” and costs no more.
MOST = 999


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds of clocks that belong together."""

    key: str
    label: str
    kinds: tuple[KindCode, ...]


GROUPS = (
    Group("lawful", "法定", (KindCode.CORRECTION_NOTICE, KindCode.DECISION_STATUTORY, KindCode.ISSUE)),
    Group("promised", "承诺", (KindCode.DECISION_PROMISED,)),
    Group("stage", "环节", STAGES),
    Group("procedure", "特别程序", (KindCode.SPECIAL_PROCEDURE,)),
    Group("applicant", "申请人", (KindCode.CORRECTION_ANSWER, KindCode.PROMISE, KindCode.LATER_SUBMISSION)),
    Group(
        "supervision",
        "监管",
        (
            KindCode.ACKNOWLEDGE,
            KindCode.PLANNED_FINISH,
            KindCode.FEEDBACK,
            KindCode.RECTIFICATION,
            KindCode.FOLLOW_UP,
        ),
    ),
    Group("dispute", "争议", (KindCode.DISPUTE,)),
    Group("revocation", "撤销", (KindCode.REVOCATION, KindCode.REVOCATION_HEARING, KindCode.HEARING_HOLD)),
)
EVERY = "every"
SHOWN = {kind for group in GROUPS for kind in group.kinds}
# The inner stages press whoever has the case; what the law or the city promised presses everybody.
MAIN = frozenset(SHOWN) - frozenset(STAGES)
# A dispute presses the overseers alone: nobody else is told of its clock.
OWN = frozenset(SHOWN) - {KindCode.DISPUTE}
HEADED = MAIN & OWN


def kind_options(*, every: bool) -> list[tuple[str, str]]:
    """The choices of the kind filter: whole groups, and below each its kinds; ``every``: all with the stages.

    ``every`` is for the overseers, who alone answer for a dispute.
    """
    options = [(EVERY, "全部期限（含环节）")] if every else []
    for group in GROUPS:
        if group.kinds == (KindCode.DISPUTE,) and not every:
            continue
        options.append((group.key, f"{group.label}期限"))
        if len(group.kinds) > 1:
            options += [(str(kind), f"{group.label}·{kind.label}") for kind in group.kinds]
    return options


def kinds_of(choice: str, otherwise: Collection[KindCode]) -> frozenset[KindCode]:
    """The kinds that a choice of the kind filter means; ``otherwise`` where nothing was chosen."""
    if choice == EVERY:
        return frozenset(SHOWN)
    for group in GROUPS:
        if choice == group.key:
            return frozenset(group.kinds)
    return frozenset({KindCode(choice)} if choice else otherwise)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The days that divide a board: the next working day is what one can still act on."""

    today: dt.date
    next_working: dt.date
    sunday: dt.date

    @classmethod
    def on(cls, today: dt.date) -> Horizon:
        """The horizon of a local date."""
        following = working_calendar.recent().after(today, 1)
        return cls(today, following, today + dt.timedelta(days=7 - today.isoweekday()))

    @property
    def next_label(self) -> str:
        """明天（9月29日）到期, or 下一工作日（10月8日）到期 where it is not tomorrow."""
        word = "明天" if self.next_working - self.today == dt.timedelta(days=1) else "下一工作日"
        return f"{word}（{self.next_working.month}月{self.next_working.day}日）到期"

    def conditions(self) -> dict[str, Q]:
        """Tab → condition on lines of ``leading``; one stands under 暂停 while any clock of its owner stands still."""
        running = Q(state=State.RUNNING)
        return {
            "overdue": running & Q(due_on__lt=self.today),
            "today": running & Q(due_on=self.today),
            "next": running & Q(due_on__gt=self.today, due_on__lte=self.next_working),
            "week": running & Q(due_on__gte=self.today, due_on__lte=self.sunday),
            "later": running & Q(due_on__gt=max(self.next_working, self.sunday)),
            "paused": Q(stands_still=True),
        }


TABS = ("overdue", "today", "next", "week", "later", "paused")


def tab_labels(horizon: Horizon) -> dict[str, tuple[str, str]]:
    """Tab → label and tone of its count."""
    return {
        "overdue": ("已超期", "bad"),
        "today": ("今天到期", "warn"),
        "next": (horizon.next_label, "warn"),
        "week": ("本周内到期", "neutral"),
        "later": ("以后到期", "neutral"),
        "paused": ("暂停计时", "neutral"),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the overseers' board: whose clock it is, where it stands, who was reminded last and when."""

    number: str
    url: str
    item: str
    note: str
    department: str
    office: str
    status: str
    is_task: bool
    deadline: Deadline
    others: Sequence[Deadline]
    alarmed_at: dt.datetime | None
    alarmed: Sequence[str]


# --- clocks and their owners


def with_owner(rows: DeadlineQuerySet, text: str = "") -> DeadlineQuerySet:
    """Let clocks be filtered by ``owned_by``: the department of their case or task, if its number contains ``text``.

    There are few open clocks among many owners, so each clock looks its owner up by key: a scalar subquery, which no
    planner turns into a walk through all the cases that ever were.
    """
    named = Q(number__contains=text.upper()) if text else Q()
    case = Case.objects.filter(named, pk=OuterRef("case_key")).values("department")
    task = SupervisionTask.objects.filter(named, pk=OuterRef("task_key")).values("department")
    return _keyed(rows).alias(owned_by=Coalesce(Subquery(case), Subquery(task)))


def _keyed(rows: DeadlineQuerySet) -> DeadlineQuerySet:
    """With the key of the case or the task that a clock is of."""
    key = Cast(Substr("stream", len(CASE) + 1), BigIntegerField())
    # The branches keep a stream of another shape from being read as a number.
    return rows.alias(
        case_key=Choose(When(stream__startswith=CASE, then=key), default=None, output_field=BigIntegerField()),
        task_key=Choose(When(stream__startswith=TASK, then=key), default=None, output_field=BigIntegerField()),
    )


def owned(rows: DeadlineQuerySet, departments: Collection[int]) -> DeadlineQuerySet:
    """Clocks of the cases and tasks of a few departments, for a count: as ``with_owner`` finds them.

    The planner chooses: each owner looked up by its key where few clocks are late, the departments' owners once where
    many are.
    """
    case = Case.objects.filter(pk=OuterRef("case_key"), department__in=departments)
    task = SupervisionTask.objects.filter(pk=OuterRef("task_key"), department__in=departments)
    return _keyed(rows).filter(Q(Exists(case)) | Q(Exists(task)))


def clocks(departments: Collection[int], text: str = "") -> DeadlineQuerySet:
    """Open clocks of the cases and tasks of these departments; ``text`` is part of a number."""
    return with_owner(Deadline.objects.open(), text).filter(owned_by__in=departments)  # type: ignore[misc]


def of_same_owner() -> DeadlineQuerySet:
    """The open clocks of the same owner, for a subquery."""
    return Deadline.objects.open().filter(stream=OuterRef("stream"))


def leading(rows: DeadlineQuerySet, kinds: Collection[KindCode], *, provisional: bool = False) -> DeadlineQuerySet:
    """Of the clocks of these kinds, one for each owner: a running one before one that stands still, the earliest first.

    ``provisional``: only clocks that rest on an unpublished year count. Annotates ``stands_still``: whether any clock
    of the owner does.
    """
    counted = Q(kind__in=sorted(kinds)) if set(kinds) != SHOWN else Q()
    if provisional:
        counted &= Q(provisional=True)
    # "running" stands behind "paused" in the alphabet. A scalar subquery: read in the order of the days, row by row, so
    # that a page and a bounded count end early; a join over all clocks would come first.
    leads = of_same_owner().filter(counted).order_by("-state", *ORDER).values("pk")[:1]
    found = rows.filter(counted, pk=Subquery(leads))
    return found.annotate(stands_still=Exists(of_same_owner().filter(state=State.PAUSED)))


PROVISIONAL = "provisional"
LIGHTS = [(str(value), str(label)) for value, label in Light.choices]


def lit(rows: DeadlineQuerySet, light: str, horizon: Horizon) -> DeadlineQuerySet:
    """Lines whose leading clock shows this light; grey: any clock of the owner stands still."""
    if light == Light.GREY:
        return rows.filter(horizon.conditions()["paused"])
    return rows.lit(Light(light), horizon.today) if light in Light.values else rows


def counts(rows: Callable[[], DeadlineQuerySet], horizon: Horizon, key: Hashable = None) -> dict[str, int]:
    """How many lines each tab has, ``all`` and ``provisional`` included: one statement over the first ``MOST`` + 1.

    ``key``: all that the text of ``rows`` depends on; None where somebody typed a search.
    """

    def judged() -> DeadlineQuerySet:
        tabs = {f"in_{tab}": _whether(condition) for tab, condition in horizon.conditions().items()}
        rests = Exists(of_same_owner().filter(provisional=True))
        return rows().annotate(**tabs, in_provisional=rests).order_by(*ORDER)[: MOST + 1]

    found = kept.counts(key and (key, horizon), judged, names=[f"in_{tab}" for tab in (*TABS, "provisional")])
    return {name.removeprefix("in_"): number for name, number in found.items()}


def _whether(condition: Q) -> Choose:
    return Choose(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def beside(page: Sequence[Deadline]) -> dict[str, list[Deadline]]:
    """Stream → the other open clocks of the owners on a page, the most pressing first; one statement."""
    found: dict[str, list[Deadline]] = defaultdict(list)
    shown = {clock.pk for clock in page}
    for clock in kept.ask(_beside, _beside, sorted({clock.stream for clock in page})):
        if clock.pk not in shown:
            found[clock.stream].append(clock)
    return found


def _beside(streams: Sequence[str]) -> DeadlineQuerySet:
    return Deadline.objects.open().filter(stream__in=streams).order_by("-state", *ORDER)


def keys(streams: Collection[str], prefix: str) -> list[int]:
    """The owners' ids in these streams."""
    return [int(stream.removeprefix(prefix)) for stream in streams if stream.startswith(prefix)]


def year_missing(today: dt.date) -> int | None:
    """The year that should be published by now and is not; ``deadlines.office.missing_year`` from what is in memory."""
    calendar = working_calendar.recent()
    years = [today.year] + ([today.year + 1] if today.month >= EXPECTED_FROM else [])
    return next((year for year in years if calendar.is_provisional(dt.date(year, 1, 1), dt.date(year, 1, 1))), None)


# --- the overseers' lines


def with_alarm(rows: DeadlineQuerySet) -> DeadlineQuerySet:
    """Annotate ``alarmed_at``: when the clock rang last."""
    last = Alarm.objects.filter(deadline=OuterRef("pk")).order_by("-due_on", "-stage").values("fired_at")[:1]
    return rows.annotate(alarmed_at=Subquery(last))


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


def _cases(ids: Sequence[int]) -> CaseQuerySet:
    found = Case.objects.filter(pk__in=ids).select_related("business_item", "department", "review_office")
    return found.only("number", "status", "business_item__name", "department__name", "review_office__name")


def _tasks(ids: Sequence[int]) -> QuerySet[SupervisionTask]:
    found = SupervisionTask.objects.filter(pk__in=ids)
    found = found.select_related("business_item", "department", "office", "sub_item")
    return found.only("number", "status", "business_item__name", "department__name", "office__name", "sub_item__name")


def decorate(page: Sequence[Deadline]) -> list[Row]:
    """The lines of a page of ``with_alarm`` clocks: five statements, whatever its length."""
    streams = {clock.stream for clock in page}
    cases = kept.ask(_cases, _cases, sorted(keys(streams, CASE)))
    tasks = kept.ask(_tasks, _tasks, sorted(keys(streams, TASK)))
    owner_of: dict[str, Case | SupervisionTask] = {case.stream: case for case in cases}
    owner_of |= {task.stream: task for task in tasks}
    people, others = _people(page), beside(page)
    led = [clock.pk for clock in page if clock.kind == KindCode.DISPUTE]
    disputes = dict(Dispute.objects.filter(deadline__in=led).values_list("deadline_id", "pk"))
    return [
        _row(clock, owner_of[clock.stream], others[clock.stream], people[clock.pk], disputes.get(clock.pk))
        for clock in page
    ]


def _row(
    clock: Deadline, owner: Case | SupervisionTask, others: Sequence[Deadline], people: Sequence[str],
    dispute: int | None,
) -> Row:  # fmt: skip
    """A line; ``dispute``: the objection that the leading clock is of, which the line opens."""
    if isinstance(owner, Case):
        url = link("oversight:case")(owner.number)
        item, note, office = owner.business_item.name, "", owner.review_office.name
    else:
        url = link("oversight:task")(owner.number)
        if dispute is not None:
            url = link("oversight:dispute")(dispute)
        item, note, office = owner.business_item.name, owner.sub_item.name, owner.office.name
    return Row(
        number=owner.number,
        url=url,
        item=item,
        note=note,
        department=owner.department.name,
        office=office,
        status=owner.get_status_display(),
        is_task=isinstance(owner, SupervisionTask),
        deadline=clock,
        others=others,
        alarmed_at=clock.alarmed_at,  # type: ignore[attr-defined]
        alarmed=people,
    )


def in_words(others: Sequence[Deadline], on: dt.date) -> str:
    """The further clocks of a line for an export: 法定审批期限 2026-10-27 剩 12 个工作日；…."""
    return "；".join(f"{clock.get_kind_display()} {clock.due_on} {clock.light_text(on)}" for clock in others)
