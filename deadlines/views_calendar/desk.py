"""Who does what in the calendar office, and what stands on each of its pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from deadlines.clock import local_date
from deadlines.errors import DeadlineError
from deadlines.office import missing_year
from offices.access import Access
from offices.models import Division, Posting
from offices.web import PortalRequest

P = ParamSpec("P")
View = Callable[Concatenate[PortalRequest, P], HttpResponseBase]
Role = Posting.Role


def _in_the_city(access: Access, role: str) -> bool:
    """Whether the role is held in the division of level CITY: one calendar serves the whole city."""
    return any(
        posting.role == role and posting.department.division.level == Division.Level.CITY for posting in access.postings
    )


def publishes(access: Access) -> bool:
    """Whether the person proposes, publishes and discards years: the city's division administrator."""
    return _in_the_city(access, Role.DIVISION_ADMIN)


def previews(access: Access) -> bool:
    """Whether the person sees what a draft would move: the city's administrators and overseers."""
    return publishes(access) or _in_the_city(access, Role.OVERSEER)


def gate(allowed: Callable[[Access], bool]) -> Callable[[View[P]], View[P]]:
    """Let in whom ``allowed`` names; strangers sign in first, to everybody else the page does not exist."""

    def close(view: View[P]) -> View[P]:
        @login_required
        @wraps(view)
        def gated(request: PortalRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not allowed(request.access):
                raise Http404
            return view(request, *args, **kwargs)

        return cast("View[P]", gated)

    return close


staff = gate(lambda access: True)
publishers = gate(publishes)
onlookers = gate(previews)


def warning(today: dt.date, *, link: bool) -> dict[str, Any] | None:
    """What every page of the office says from 1 November on while the year that follows is not official."""
    year = missing_year(today)
    if year is None:
        return None
    left = (dt.date(year, 1, 1) - today).days
    when = f"距 1 月 1 日还有 {left} 天。" if left > 0 else "这一年已经开始。"
    return {
        "title": f"{year} 年的工作日历还没有正式发布",
        "text": f"{when}发布以前，涉及 {year} 年的到期日都是暂定的，发布后会重新计算并告知。",
        "days_left": left,
        "year": year,
        "url": f"{reverse('calendar:new')}?year={year}" if link else "",
    }


def office(request: PortalRequest, here: str) -> dict[str, Any]:
    """The context of every page of the office: its sub-pages, the warning, what the person may do."""
    tabs = [("home", "工作日历", reverse("calendar:home"))]
    if previews(request.access):
        tabs.append(("drafts", "年度安排草稿", reverse("calendar:drafts")))
    tabs.append(("hours", "窗口服务时间", reverse("calendar:hours")))
    return {
        "tabs": [{"label": label, "url": url, "active": name == here} for name, label, url in tabs],
        "warning": warning(local_date(request.now), link=here == "home" and publishes(request.access)),
        "may_publish": publishes(request.access),
        "may_preview": previews(request.access),
    }


def conflict(request: PortalRequest, error: DeadlineError, back: str) -> HttpResponse:
    """409 in a friendly sentence with the way back: somebody was first, and nothing doubled."""
    return render(request, "409.html", {"reason": str(error), "next_url": back}, status=409)
