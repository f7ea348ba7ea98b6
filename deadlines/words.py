"""Dates and lengths in Chinese, as papers and pages write them."""

from datetime import date, timedelta

from deadlines.arithmetic import WEEKDAYS
from deadlines.enums import Unit


def chinese_date(day: date) -> str:
    """``2026年9月28日（周一）``."""
    return f"{day.year}年{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def length(number: int | None, unit: Unit) -> str:
    """``5个工作日``, ``60个自然日``, ``6个月``, ``固定日期``."""
    if unit is Unit.FIXED or number is None:
        return str(Unit.FIXED.label)
    return f"{number}{unit.label}" if unit is Unit.MONTHS else f"{number}个{unit.label}"


def days_left(number: int, *, is_due_day: bool) -> str:
    """``剩 3 个工作日``, ``今天到期``, ``已超期 2 个工作日`` (``number`` as ``Deadline.days_left``)."""
    if number < 0:
        return f"已超期 {-number} 个工作日"
    if is_due_day:
        return "今天到期"
    return f"剩 {number} 个工作日" if number else "休息日内到期"


def span(ahead: timedelta) -> str:
    """``12 天 3 小时``, ``40 分钟``; ``不到 1 分钟`` for less."""
    minutes = max(0, int(ahead.total_seconds() // 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [f"{number} {unit}" for number, unit in ((days, "天"), (hours, "小时"), (minutes % 60, "分钟")) if number]
    return " ".join(parts[:2]) or "不到 1 分钟"
