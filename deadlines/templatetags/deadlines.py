"""What templates ask of clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template

from deadlines import clock, samples, words
from deadlines.arithmetic import Calendar
from deadlines.enums import Light
from deadlines.models import Deadline
from deadlines.samples import Sample

register = template.Library()


@dataclass(frozen=True, slots=True)
class Face:
    """What is shown of a clock on a day."""

    light: Light
    text: str


@register.filter
def chinese_date(day: date) -> str:
    """``2026年9月28日（周一）``."""
    return words.chinese_date(day)


@register.filter
def day_of_year(day: date) -> str:
    """``9月28日（周一）``: what stands behind the year."""
    return words.chinese_date(day).partition("年")[2]


@register.simple_tag
def deadline_face(deadline: Deadline, on: date | None = None, counted_by: Calendar | None = None) -> Face:
    """Light and words of ``deadline`` on the local date ``on`` (today by default), by the working calendar or another.

    Template variables that the page does not have come as empty texts.
    """
    on, calendar = on or clock.today(), counted_by or None
    return Face(deadline.light(on, calendar), deadline.light_text(on, calendar))


@register.filter
def of(known: Mapping[int, Any] | str | None, deadline: Deadline) -> Any:
    """What ``known`` holds for ``deadline`` by its key, as the explanations of a page; None where the page has none."""
    return known.get(deadline.pk) if isinstance(known, Mapping) else None


@register.simple_tag
def deadline_samples() -> list[Sample]:
    """Clocks of every kind of standing, for the style guide; no statement."""
    return samples.all_kinds()
