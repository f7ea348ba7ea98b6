"""A year that nobody has published yet: weekends and the statutory holidays of the law, no make-up days.

Source: 全国年节及纪念日放假办法 (revised 2024, in force since 2025-01-01), art. 2. The lunar dates and Qingming come
from the ``holidays`` package; its moved days (补假, 调休) are left out: only the State Council's notice sets them.
"""

from datetime import date

from holidays import country_holidays

from deadlines.arithmetic import ONE_DAY, DayInfo, Year
from deadlines.enums import DayKind

SOURCE = "全国年节及纪念日放假办法（2024年修订）：周末与法定节假日暂计，不含调休"


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
