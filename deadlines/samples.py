"""Clocks of every kind of standing for the style guide, built from events as real ones are; they live nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from django.utils import timezone

from deadlines import calendar as working_calendar
from deadlines import explaining, timeline
from deadlines.arithmetic import Calendar
from deadlines.enums import EventKind, PauseGround, State, Unit
from deadlines.explaining import Explanation
from deadlines.kinds import ART_42, KINDS, KindCode
from deadlines.models import ClockEvent, Deadline
from deadlines.provisional import provisional_year
from deadlines.sights import Paper

TODAY = date(2026, 9, 28)
K = KindCode
S = EventKind


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample: what it shows, the clock, its explanation as of ``today``, and what it is counted by."""

    label: str
    deadline: Deadline
    explain: Explanation
    today: date
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class _Plan:
    label: str
    kind: KindCode
    start: str
    length: int | None
    unit: Unit = Unit.WORKING
    basis: str = ""
    happened: tuple[tuple[EventKind, str, Mapping[str, Any]], ...] = ()
    fixed_on: str = ""


REVIEW = {"ground": PauseGround.EXPERT_REVIEW, "law": "", "estimate": 15, "document": 1}
PAPERS = (
    Paper(1, EventKind.PAUSE, "特别程序告知书 连×特告〔2026〕3号"),
    Paper(2, EventKind.EXTEND, "延期告知书 连×延告〔2026〕1号"),
)
PLANS = (
    _Plan("正常", K.DECISION_STATUTORY, "2026-09-22", 20),
    _Plan("临期", K.ACKNOWLEDGE, "2026-09-23", 3),
    _Plan("超期", K.FEEDBACK, "2026-09-14", 5),
    _Plan("暂停", K.DECISION_PROMISED, "2026-09-16", 5, happened=((S.PAUSE, "2026-09-18", REVIEW),)),
    _Plan(
        "恢复并延长",
        K.DECISION_STATUTORY,
        "2026-08-24",
        20,
        happened=(
            (S.PAUSE, "2026-08-31", REVIEW),
            (S.RESUME, "2026-09-14", {}),
            (S.EXTEND, "2026-09-25", {"length": 10, "basis": ART_42.legal_basis, "document": None}),
        ),
    ),
    _Plan("涉及尚未发布的年份", K.DECISION_STATUTORY, "2026-12-14", 20),
    _Plan("固定日期", K.PLANNED_FINISH, "2026-09-21", None, Unit.FIXED, fixed_on="2026-10-16"),
    _Plan(
        "自然日，逢休息日顺延",
        K.DECISION_STATUTORY,
        "2026-08-04",
        60,
        Unit.CALENDAR,
        "环境影响评价法第二十二条：收到环境影响报告书之日起六十日内",
    ),
    _Plan("按月计算", K.DECISION_STATUTORY, "2026-08-31", 6, Unit.MONTHS, "样例：其他法律规定的六个月"),
)


def _noon(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time(10), tzinfo=timezone.get_default_timezone())


def _built(plan: _Plan, calendar: Calendar) -> Sample:
    start_on = date.fromisoformat(plan.start)
    data: dict[str, Any] = {"length": plan.length, "unit": plan.unit.value}
    if plan.fixed_on:
        data["fixed_on"] = plan.fixed_on
    happened = ((S.START, plan.start, data), *plan.happened)
    events = [
        ClockEvent(seq=seq, kind=kind, at=_noon(day), data=dict(said))
        for seq, (kind, day, said) in enumerate(happened, start=1)
    ]
    clock = Deadline(
        kind=plan.kind,
        length=plan.length,
        unit=plan.unit,
        started_at=_noon(plan.start),
        start_on=start_on,
        legal_basis=plan.basis or KINDS[plan.kind].legal_basis,
        state=State.PAUSED if happened[-1][0] is S.PAUSE else State.RUNNING,
        revision=len(events),
    )
    clock.place(timeline.derive_due(events, calendar), calendar)
    # A sample looks at its clock on one day; what starts later is looked at when it starts.
    today = max(TODAY, start_on)
    explanation = explaining.explain(clock, events, today, calendar, papers=PAPERS)
    return Sample(plan.label, clock, explanation, today, calendar)


@lru_cache(maxsize=1)
def all_kinds() -> list[Sample]:
    """Every sample, by the shipped calendar; no statement."""
    shipped = working_calendar.shipped()
    calendar = Calendar(shipped.years.values(), supply=provisional_year)
    return [_built(plan, calendar) for plan in PLANS]
