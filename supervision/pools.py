"""The pool of a draw: whom it may fall on, class by class, and who is left out and why; read in one pass each.

A million subjects stay a few arrays of numbers. The order is that of the classes, within a class that of the ids, so
that the same state of the database gives the same pool and the same digest.
"""

from __future__ import annotations

import datetime as dt
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, islice
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q

from approvals.models import Conflict, Licence
from credit import standing
from credit.models import RiskClass, SubjectRisk
from deadlines.clock import local_date
from ledger.draws import LOCAL
from ledger.hashing import canonical, sm3
from ledger.samples import Group, take
from offices.models import Leave, Posting, User
from supervision.enums import BEFORE_FEEDBACK, OPEN, Measure, VisitStatus
from supervision.models import (
    DEFAULT_CAP,
    DrawPlan,
    Inspection,
    StockLicence,
    SupervisionTask,
    Visit,
    VisitCap,
)
from supervision.sampling import ORDER, UNIFORM, least_ratio, percent, rates_for, spent_classes, used_times

Role = Posting.Role
INSPECTORS = (Role.INSPECTOR, Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
LEFT_OUT = {
    "open": "已有本子项的未结任务",
    "checked": "近期已经检查过",
    "capped": "今年入企检查已达上限",
    "conflicted": "应当回避，可派人员不足两人",
    "spent": "所在等级本年度抽取次数已满",
}
FEW = 5000  # below this the classes are asked by id; above it the table is read once in its order
PART = 20_000
READ = 5000


@dataclass(slots=True)
class Inspectors:
    """Who may be sent: ids with their open work, by id, and which of them are not for which subject."""

    people: list[tuple[int, int]]
    conflicts: dict[int, set[int]]  # subject → inspectors

    def digest(self, salt: str) -> str:
        """A digest that binds ids, loads and conflicts and, salted, tells nobody who they are."""
        pairs = sorted([person, subject] for subject, people in self.conflicts.items() for person in people)
        return sm3(canonical({"blind": salt, "conflicts": pairs, "people": [list(one) for one in self.people]}))

    def fit(self, subject: int) -> list[int]:
        """Places of those who may look at ``subject``."""
        aside = self.conflicts.get(subject)
        return [place for place, (person, _) in enumerate(self.people) if not aside or person not in aside]


@dataclass(slots=True)
class Pool:
    """Class → ids of subjects in order, and beside each its licence (negative: one of old stock)."""

    subjects: dict[str, array[int]] = field(default_factory=lambda: {risk: array("q") for risk in ORDER})
    licences: dict[str, array[int]] = field(default_factory=lambda: {risk: array("q") for risk in ORDER})
    left_out: Counter[str] = field(default_factory=Counter)
    raised: int = 0  # drawn like a higher class than their own, for a breach in use

    @property
    def size(self) -> int:
        """How many subjects there are."""
        return sum(len(ids) for ids in self.subjects.values())

    @property
    def sizes(self) -> dict[str, int]:
        """Class → how many."""
        return {risk: len(ids) for risk, ids in self.subjects.items()}

    def add(self, risk: str, subject: int, licence: int) -> None:
        """Put a subject at the end of its class."""
        self.subjects[risk].append(subject)
        self.licences[risk].append(licence)

    def at(self, position: int) -> tuple[str, int, int]:
        """Class, subject and licence at a position of the whole pool."""
        for risk, ids in self.subjects.items():
            if position < len(ids):
                return risk, ids[position], self.licences[risk][position]
            position -= len(ids)
        raise IndexError(position)

    def lines(self) -> Iterator[str]:
        """``class,subject,L12``, a line each, in order."""
        for risk, ids in self.subjects.items():
            for subject, licence in zip(ids, self.licences[risk], strict=True):
                yield f"{risk},{subject},{ref(licence)}\n"

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """Number of lines and their bytes, a stretch at a time."""
        lines = self.lines()
        while block := list(islice(lines, PART)):
            yield len(block), "".join(block).encode()


def ref(licence: int) -> str:
    """``L12`` of 12, ``S7`` of -7."""
    return f"L{licence}" if licence > 0 else f"S{-licence}"


def packed(body: bytes) -> bytes:
    """A part as it is kept."""
    return zlib.compress(body, 6)


def unpacked(body: bytes | memoryview) -> bytes:
    """The lines of a part."""
    return zlib.decompress(bytes(body))


# --- whom a draw may fall on


def _in_force(today: dt.date) -> Q:
    return Q(valid_to__isnull=True) | Q(valid_to__gte=today)


def _holders(plan: DrawPlan, items: list[int], today: dt.date) -> Iterator[tuple[int, int]]:
    """Subject and its licence, each subject once by id: the newest licence, one of old stock where there is none."""
    licences = Licence.objects.filter(
        _in_force(today), state=Licence.State.VALID, deregistered_on__isnull=True, case__business_item_id__in=items
    )
    stock = StockLicence.objects.filter(_in_force(today), business_item_id__in=items)
    if plan.area_id:
        licences = licences.filter(case__division_id=plan.area_id)
        stock = stock.filter(department__division_id=plan.area_id)
    ours = licences.order_by("holder_id", "-pk").values_list("holder_id", "pk").iterator(chunk_size=READ)
    old = stock.order_by("holder_id", "-pk").values_list("holder_id", "pk").iterator(chunk_size=READ)
    both = merge(ours, ((holder, -pk) for holder, pk in old), key=lambda pair: pair[0])
    for holder, pairs in groupby(both, key=lambda pair: pair[0]):
        # ``merge`` keeps the first stream first among equals: an own licence before one of old stock.
        yield holder, next(pairs)[1]


def _ids(rows: Any) -> set[int]:
    return set(rows.order_by().iterator(chunk_size=READ))


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day that many months before, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=LOCAL)


def _checked(plan: DrawPlan, today: dt.date) -> set[int]:
    """Subjects that the department visited or checked within the plan's spare months.

    A check leaves a proof: a visit made, a record that stands, or a feedback with the number of the platform on which
    the work was done. A day of finishing alone is a word; what was put into a draw is proved by its own record or by
    the task that the draw opened. What was set aside is no check, neither the record nor its visit. Three statements.
    """
    if not plan.spare_months:
        return set()
    since = months_before(today, plan.spare_months)
    department = plan.office.department_id
    visits = Visit.objects.filter(department_id=department, status=VisitStatus.DONE, planned_on__gte=since)
    visits = visits.exclude(inspection__set_asides__granted=True)
    looks = Inspection.objects.standing().filter(task__department_id=department, ended_at__gte=_midnight(since))
    done = SupervisionTask.objects.filter(
        department_id=department, finished_on__gte=since, feedback__isnull=False
    ).exclude(measure__in=[Measure.NONE_NOW, Measure.RANDOM_DRAW])
    return (
        _ids(visits.values_list("subject_id", flat=True))
        | _ids(looks.values_list("task__subject_id", flat=True))
        | _ids(done.values_list("subject_id", flat=True))
    )


def _busy(plan: DrawPlan) -> set[int]:
    """Subjects with an open task of the sub-item; who was put into a draw and waits for it is not kept out of it.

    Once the office has looked at such a one itself, its task keeps it out like any other. One statement.
    """
    waiting = Q(measure=Measure.RANDOM_DRAW, status__in=BEFORE_FEEDBACK) & ~Exists(
        Inspection.objects.standing().filter(task=OuterRef("pk"))
    )
    tasks = SupervisionTask.objects.filter(sub_item_id=plan.sub_item_id, status__in=OPEN).exclude(waiting)
    return _ids(tasks.values_list("subject_id", flat=True))


def _capped(plan: DrawPlan, today: dt.date) -> set[int]:
    """Subjects that the department may not visit once more this year; they were disturbed by a mistaken visit too."""
    department = plan.office.department_id
    cap = VisitCap.objects.filter(department_id=department).values_list("times", flat=True).first() or DEFAULT_CAP
    counted = (
        Visit.objects.filter(
            department_id=department,
            year=today.year,
            exemption="",
            status__in=[VisitStatus.REQUESTED, VisitStatus.APPROVED, VisitStatus.DONE],
        )
        .values("subject_id")
        .annotate(times=Count("pk"))
        .filter(times__gte=cap)
    )
    return _ids(counted.values_list("subject_id", flat=True))


def _newest_classes(subjects: array[int]) -> Iterator[str]:
    """The newest class of each subject, in their order; ``none`` where nothing was received."""
    if len(subjects) <= FEW:
        known: dict[int, str] = {}
        for start in range(0, len(subjects), 500):
            rows = SubjectRisk.objects.filter(subject_id__in=subjects[start : start + 500].tolist())
            known.update(rows.order_by("given_at", "pk").values_list("subject_id", "risk"))
        yield from (known.get(subject, RiskClass.NONE) for subject in subjects)
        return
    newest = SubjectRisk.objects.order_by("subject_id", "-given_at", "-pk").values_list("subject_id", "risk")
    received = iter(newest.iterator(chunk_size=READ))
    current = next(received, None)
    for subject in subjects:
        while current is not None and current[0] < subject:
            current = next(received, None)
        yield current[1] if current is not None and current[0] == subject else RiskClass.NONE


HEAVIER = {False: RiskClass.C, True: RiskClass.D}


def _drawn_like(risk: str, breach: bool | None) -> str:
    """The class that a subject is drawn with: its own; with a breach in use C at least, D with a serious one (L12b).

    The class that the regulator gave stays what it is.
    """
    if breach is None or risk == RiskClass.D:
        return risk
    return HEAVIER[breach].value


def pool_of(plan: DrawPlan, inspectors: Inspectors, now: dt.datetime) -> Pool:
    """Everybody on whom the plan's draw may fall at ``now``, by class, and how many were left out for what.

    Who has a breach in use is drawn like class C at least, with a serious one like D. With a uniform ratio all are one
    group, so a class that had its draws of the year is left out here.
    """
    today = local_date(now)
    items = list(plan.business_items.order_by("pk").values_list("pk", flat=True))
    reasons = {"open": _busy(plan), "checked": _checked(plan, today), "capped": _capped(plan, today)}
    people = len(inspectors.people)
    reasons["conflicted"] = {one for one, aside in inspectors.conflicts.items() if people - len(aside) < 2}
    pool = Pool()
    subjects, licences = array("q"), array("q")
    for subject, licence in _holders(plan, items, today):
        why = next((reason for reason, ids in reasons.items() if subject in ids), None)
        if why is not None:
            pool.left_out[why] += 1
            continue
        subjects.append(subject)
        licences.append(licence)
    spent = spent_classes(plan, year_of(plan)) if plan.ratio is not None else set()
    breached = standing.weighed(subjects, today)
    for subject, licence, own, breach in zip(subjects, licences, _newest_classes(subjects), breached, strict=True):
        risk = _drawn_like(own, breach)
        pool.raised += risk != own
        if risk in spent:
            pool.left_out["spent"] += 1
        else:
            pool.add(risk, subject, licence)
    return pool


# --- who is sent


def inspectors_of(plan: DrawPlan, now: dt.datetime) -> Inspectors:
    """Inspectors, manager and deputies of the office who are active and not on leave; three statements."""
    today = local_date(now)
    posted = Posting.objects.active(today).role(*INSPECTORS).filter(office_id=plan.office_id)
    away = Leave.objects.on(today).values("user_id")
    ids = list(
        User.objects.filter(is_active=True, pk__in=posted.values("user_id"))
        .exclude(pk__in=away)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    loads = Counter(dict.fromkeys(ids, 0))
    mine = SupervisionTask.objects.filter(status__in=OPEN).order_by()
    for column in ("first_officer_id", "second_officer_id"):
        rows = mine.filter(**{f"{column}__in": ids}).values(person=F(column)).annotate(n=Count("pk"))
        loads.update({row["person"]: row["n"] for row in rows})
    conflicts: dict[int, set[int]] = {}
    live = Conflict.objects.filter(user_id__in=ids, ended_at__isnull=True).order_by("subject_id", "user_id")
    for subject, person in live.values_list("subject_id", "user_id"):
        conflicts.setdefault(subject, set()).add(person)
    return Inspectors([(one, loads[one]) for one in ids], conflicts)


# --- how many of whom


@dataclass(frozen=True, slots=True)
class Share:
    """One group of a plan: its name, size, ratio, times a year and those used, and how many are drawn now."""

    key: str
    label: str
    size: int
    ratio: int
    taken: int
    times: int = 0
    used: int = 0

    @property
    def percent(self) -> str:
        """``5%``."""
        return percent(self.ratio)

    @property
    def is_used_up(self) -> bool:
        """Whether the class had its draws of the year."""
        return bool(self.times) and self.used >= self.times

    @property
    def group(self) -> Group:
        """As the sample takes it."""
        return Group(self.key, self.size, self.taken)

    def kept(self) -> dict[str, Any]:
        """As the run keeps it."""
        return {
            "key": self.key,
            "size": self.size,
            "ratio": self.ratio,
            "taken": self.taken,
            "times": self.times,
            "used": self.used,
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Share:
        """As a run kept it."""
        return cls(label=label_of(kept["key"]), **kept)


def label_of(key: str) -> str:
    """What a group is called."""
    return "全部对象" if key == UNIFORM else str(RiskClass(key).label)


def year_of(plan: DrawPlan) -> int:
    """The year in which a plan is drawn."""
    return int(plan.month[:4])


def shares_of(plan: DrawPlan, sizes: dict[str, int]) -> list[Share]:
    """How many of each group are drawn: rounded up; none of a class that had its draws of the year.

    A uniform ratio of a key field follows the division's table where that was raised after the plan was published.
    """
    if plan.ratio is not None:
        size, ratio = sum(sizes.values()), plan.ratio
        if plan.keeps_ratio:
            ratio = max(ratio, least_ratio(plan.office.department.division_id))
        return [Share(UNIFORM, label_of(UNIFORM), size, ratio, take(size, ratio))]
    used = used_times(plan, year_of(plan))
    shares = []
    for risk, rate in rates_for(plan).items():
        taken = take(sizes[risk], rate.ratio) if used[risk] < rate.times else 0
        shares.append(Share(risk, label_of(risk), sizes[risk], rate.ratio, taken, rate.times, used[risk]))
    return shares


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draw would find now."""

    shares: list[Share]
    left_out: list[tuple[str, int]]
    inspectors: int
    raised: int = 0

    @property
    def taken(self) -> int:
        """How many would be drawn."""
        return sum(share.taken for share in self.shares)


def left_out_words(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Reason in words and number, those that occurred."""
    return [(words, counts[reason]) for reason, words in LEFT_OUT.items() if counts.get(reason)]


def preview(plan: DrawPlan, now: dt.datetime) -> Preview:
    """How many subjects each class has, how many would be drawn, who is left out; nothing is kept."""
    inspectors = inspectors_of(plan, now)
    pool = pool_of(plan, inspectors, now)
    return Preview(shares_of(plan, pool.sizes), left_out_words(pool.left_out), len(inspectors.people), pool.raised)
