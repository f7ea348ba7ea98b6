"""A year that should be published and is not: the overseers, and whoever keeps the calendar, hear of it until it is."""

from __future__ import annotations

import datetime as dt

from deadlines import calendar as working_calendar
from deadlines.alarms import is_working_time
from deadlines.clock import local_date
from deadlines.office import missing_year
from notifications import kinds
from notifications.outbox import Draft, queue
from offices.models import Division, Posting, User
from offices.people import overseers

MISSING = "calendar_missing"
# Once a week at first; each working day when little time is left, and once the year itself has begun.
DAILY_FROM = (12, 15)


def occasion(year: int, today: dt.date) -> str:
    """What names a reminder: the week, later the day."""
    if year == today.year or (today.month, today.day) >= DAILY_FROM:
        return today.isoformat()
    week = today.isocalendar()
    return f"{week.year}-W{week.week:02d}"


def _people(today: dt.date) -> list[User]:
    """The city's overseers and division administrators with a phone; three statements."""
    cities = set(Division.objects.filter(level=Division.Level.CITY).values_list("pk", flat=True))
    keepers = (
        Posting.objects.active(today)
        .role(Posting.Role.DIVISION_ADMIN)
        .filter(department__division__in=cities, user__is_active=True)
        .exclude(user__phone_hash="")
        .select_related("user")
    )
    chasers = [person for found in overseers(cities, today).values() for person in found]
    return list(dict.fromkeys([*chasers, *(posting.user for posting in keepers.order_by("user_id"))]))


def watch(now: dt.datetime) -> int:
    """Tell that a year is missing, in working hours, once an occasion; returns how many people."""
    if not is_working_time(now, working_calendar.estimating()):
        return 0
    today = local_date(now)
    year = missing_year(today)
    if year is None:
        return 0
    people = _people(today)
    queue(
        [
            Draft(
                kind=MISSING,
                text=(
                    f"{year}年的节假日安排还没有正式发布到平台，涉及该年的期限均为暂计。"
                    "国务院通知发布后，请督促或由区划管理员在“工作日历”中导入并发布。"
                ),
                dedupe_key=f"{MISSING}:{year}:{occasion(year, today)}:{person.pk}",
                reference=f"calendar:{year}",
                to_user=person,
            )
            for person in people
        ],
        now,
    )
    return len(people)


def register() -> None:
    """Enter the kind of message in the table (from ``apps.py``)."""
    kinds.register(kinds.MessageKind(MISSING, "工作日历未发布提醒", "SMS_CALENDAR_MISSING"))
    kinds.uses(MISSING)
