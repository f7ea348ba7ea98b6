"""When windows are open, on public pages."""

from __future__ import annotations

from typing import Any

from django import template

from deadlines.hours import open_windows

register = template.Library()


@register.inclusion_tag("calendar/_windows.html")
def window_hours() -> dict[str, Any]:
    """The hours of each division that published them; one statement."""
    return {"windows": open_windows()}
