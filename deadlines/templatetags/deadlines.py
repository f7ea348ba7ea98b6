"""What templates ask of clocks."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from deadlines import clock, samples, words
from deadlines.arithmetic import Calendar
from deadlines.enums import Light
from deadlines.models import Deadline
from deadlines.samples import Sample
from offices.links import link
from offices.templatetags.portal import lamp

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


# --- a line's clocks on a board; as strings, since a board has fifty lines of several clocks each, and what repeats
# --- is kept: kinds and days, nothing of anybody


def _tentative(clock: Deadline) -> str:
    return "（暂定）" if clock.provisional else ""


@functools.lru_cache(maxsize=4096)
def _due(due_on: date, tail: str) -> SafeString:
    return format_html('，<span class="num">{}</span>到期{}</small></div>', words.chinese_date(due_on), tail)


@functools.lru_cache(maxsize=4096)
def _other(shade: SafeString, kind: str, due_on: date, tail: str) -> SafeString:
    day = f"{due_on.month}月{due_on.day}日"
    return format_html('<li>{}<span>{}</span> <span class="num">{}</span>{}</li>', shade, kind, day, tail)


@register.simple_tag
def row_clocks(
    clock: Deadline, others: Sequence[Deadline] | None, today: date, explained: object = False
) -> SafeString:
    """The clock that leads a line and, below it, the ``others`` of its owner.

    ``explained``: whether the reader may open the clock's own page.
    """
    kind = clock.get_kind_display()
    said = (
        format_html('<a href="{}" title="为什么是这一天">{}</a>', link("clock")(clock.pk), kind) if explained else kind
    )
    first = format_html('<div class="row-clock">{}<small>{}', lamp(clock, today), said)
    parts: list[str] = [first, _due(clock.due_on, _tentative(clock))]
    if others:
        rows = (_other(lamp(one, today), one.get_kind_display(), one.due_on, _tentative(one)) for one in others)
        parts += ['<ul class="row-others">', *rows, "</ul>"]
    return mark_safe("".join(parts))  # noqa: S308 - of strings that are safe
