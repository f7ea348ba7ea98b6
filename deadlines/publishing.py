"""Putting a year of the working calendar in place; running clocks that touch it are recomputed by the caller."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from deadlines import calendar as working_calendar
from deadlines.arithmetic import DayInfo, Year
from deadlines.enums import Act, YearStatus
from deadlines.models import CalendarYear, Day
from ledger.record import record
from offices.models import User


class Outcome(enum.Enum):
    """What became of a year that was to be put in place."""

    CREATED = "新载入"
    CHANGED = "已更新"
    UNCHANGED = "无变化"
    KEPT = "已有正式安排，保留不动"
    HELD = "已有人工核定的暂定安排，保留不动"
    DIFFERS = "与已载入的正式安排不一致，未改动"


@transaction.atomic
def install_year(
    year: int,
    days: Sequence[DayInfo],
    *,
    status: YearStatus,
    source: str,
    at: datetime,
    by: User | None = None,
    replace: bool = False,
) -> Outcome:
    """Put ``days`` (every day of ``year``) in place and say what became of it; twice the same changes nothing.

    A provisional year never displaces an official one, and one from another source only with ``replace``. An official
    one displaces a provisional one, and another official one only with ``replace``. A change raises the version and is
    written on ``calendar:<year>``.
    Raises ``ValueError`` when a day of the year is missing.
    """
    Year(year, days, version="", provisional=False)
    row = CalendarYear.objects.select_for_update().filter(year=year).first()
    if row is None:
        row = CalendarYear(year=year, status=status, source=source, published_at=at)
        outcome = Outcome.CREATED
        bulk_create_with_history([row], CalendarYear, default_user=by, default_date=at)
    else:
        outcome = compared(row, days, status, source=source, replace=replace)
        if outcome is not Outcome.CHANGED:
            return outcome
        row.status, row.source, row.published_at = status, source, at
        row.version += 1
        fields = ["status", "source", "published_at", "version"]
        bulk_update_with_history([row], CalendarYear, fields, default_user=by, default_date=at)
    changed = _write_days(row, days, at, by)
    data = {"status": str(status), "version": row.version, "days": changed, "working": sum(d.is_working for d in days)}
    record(f"calendar:{year}", Act.CALENDAR_LOADED, at=at, by=by, data=data)
    transaction.on_commit(working_calendar.forget)
    return outcome


def compared(row: CalendarYear, days: Sequence[DayInfo], status: YearStatus, *, source: str, replace: bool) -> Outcome:
    """What putting ``days`` in place of the held ones would be; one statement."""
    held = {day: (kind, name) for day, kind, name in row.days.values_list("day", "kind", "name")}
    if row.status == YearStatus.OFFICIAL and status is YearStatus.PROVISIONAL:
        return Outcome.KEPT
    if held == {info.day: (info.kind, info.name) for info in days} and row.status == status:
        return Outcome.UNCHANGED
    if row.status == YearStatus.OFFICIAL and not replace:
        return Outcome.DIFFERS
    if status is YearStatus.PROVISIONAL and row.source != source and not replace:
        return Outcome.HELD
    return Outcome.CHANGED


def _write_days(row: CalendarYear, days: Sequence[DayInfo], at: datetime, by: User | None) -> int:
    """Write the days that are new or differ, with their history; returns how many."""
    held = {day.day: day for day in row.days.all()}
    new: list[Day] = []
    changed: list[Day] = []
    for info in days:
        day = held.get(info.day)
        if day is None:
            new.append(Day(day=info.day, year=row, is_working=info.is_working, kind=info.kind, name=info.name))
        elif (day.is_working, day.kind, day.name) != (info.is_working, info.kind, info.name):
            day.is_working, day.kind, day.name = info.is_working, info.kind, info.name
            changed.append(day)
    if new:
        bulk_create_with_history(new, Day, default_user=by, default_date=at)
    if changed:
        fields = ["is_working", "kind", "name"]
        bulk_update_with_history(changed, Day, fields, default_user=by, default_date=at)
    return len(new) + len(changed)
