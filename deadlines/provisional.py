"""A year that nobody has published here yet: by the law alone, or as a software package has it.

By the law: weekends and the statutory holidays of 全国年节及纪念日放假办法 (revised 2024, in force since
2025-01-01), art. 2, no make-up days. The lunar dates and Qingming come from the ``holidays`` package; its moved days
(补假, 调休) are left out: only the State Council's notice sets them.

As a package has it: ``chinesecalendar`` holds the notices themselves, typed off by other people. A year of it is a
proposal, to be held against the notice by a person.
"""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING

from holidays import country_holidays

from deadlines.arithmetic import ONE_DAY, DayInfo, Year
from deadlines.enums import DayKind

if TYPE_CHECKING:
    from deadlines.notice import Notice

SOURCE = "全国年节及纪念日放假办法（2024年修订）：周末与法定节假日暂计，不含调休"
# How the notices call what the package calls otherwise.
NOTICE_NAMES = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}


def statutory_holidays(year: int) -> dict[date, str]:
    """Return day → name of the statutory holidays of ``year``, moved days left out."""
    return {
        day: "、".join(part.strip() for part in name.split(";"))
        for day, name in country_holidays("CN", years=year, observed=False, language="zh_CN").items()
        if day.year == year and "调休" not in name and "补假" not in name
    }


def provisional_days(year: int) -> list[DayInfo]:
    """Return every day of ``year`` by the law alone."""
    return build_days(year, off=statutory_holidays(year), makeup={})


def provisional_year(year: int) -> Year:
    """Return a year that the calendar does not hold, marked as version 0, provisional."""
    return Year(year, provisional_days(year), version="0p", provisional=True)


def published_elsewhere(year: int) -> Notice | None:
    """Return ``year`` as the package ``chinesecalendar`` has it, or None where it does not reach.

    A proposal: its ``source`` says that nobody has held it against the State Council's notice yet.
    """
    from chinese_calendar import is_workday  # noqa: PLC0415 - 2,000 dates, for whoever asks
    from chinese_calendar.constants import Holiday, holidays, workdays  # noqa: PLC0415

    from deadlines.notice import Notice  # noqa: PLC0415 - the notices use this module

    try:
        is_workday(date(year, 1, 1))
    except NotImplementedError:
        return None
    names = {holiday.value: NOTICE_NAMES.get(holiday.chinese, holiday.chinese) for holiday in Holiday}
    return Notice(
        year,
        f"chinesecalendar {version('chinesecalendar')} 软件包所载 {year} 年安排，尚未与国务院办公厅的通知核对",
        off={day: names[name] for day, name in holidays.items() if day.year == year},
        makeup={day: f"{names[name]}调休" for day, name in workdays.items() if day.year == year},
    )


def build_days(year: int, *, off: dict[date, str], makeup: dict[date, str]) -> list[DayInfo]:
    """Return every day of ``year``: ``off`` and ``makeup`` map days to names, the rest is weekday or weekend."""
    days = []
    day = date(year, 1, 1)
    while day.year == year:
        if day in off:
            days.append(DayInfo(day, is_working=False, kind=DayKind.HOLIDAY, name=off[day]))
        elif day in makeup:
            days.append(DayInfo(day, is_working=True, kind=DayKind.MAKEUP, name=makeup[day]))
        elif day.weekday() >= 5:
            days.append(DayInfo(day, is_working=False, kind=DayKind.WEEKEND))
        else:
            days.append(DayInfo(day, is_working=True, kind=DayKind.WORKDAY))
        day += ONE_DAY
    return days
