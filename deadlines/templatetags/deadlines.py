"""What templates ask of clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django import template

from deadlines import clock, words
from deadlines.arithmetic import DayLine
from deadlines.enums import Light
from deadlines.models import Deadline

register = template.Library()


@dataclass(frozen=True, slots=True)
class Face:
    """What is shown of a clock on a day."""

    light: Light
    text: str
    lines: Sequence[DayLine]


@register.filter
def chinese_date(day: date) -> str:
    """``2026年9月28日（周一）``."""
    return words.chinese_date(day)


@register.simple_tag
def deadline_face(deadline: Deadline, on: date | None = None, lines: Sequence[DayLine] | None = None) -> Face:
    """Light and words of ``deadline`` on the local date ``on`` (today by default) and its list of days.

    ``lines`` comes from ``deadline.explain()``; without it the panel shows no list and asks the database nothing.
    """
    on = on or clock.today()
    return Face(deadline.light(on), deadline.light_text(on), lines or [])
