"""企业画像: a subject is found; its page: gradings, records in use, three years, the time line (L13b)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from credit.identifiers import RIC, normalise
from deadlines.clock import local_date
from offices.access import Access
from offices.lists import Filter, Listing
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import lifelines, portraits, queries
from oversight.actions.traces import note_subject
from oversight.lifelines import Event
from oversight.scopes import ROLES, Scope

Role = Posting.Role
people = roles_required(*ROLES)
LONGEST = 60
CASES = frozenset(
    {"received", "not_accepted", "promised", "promise_withdrawn", "later", "decided", "completed", "lapse",
     "later_lapse", "later_done", "ended"}
)  # fmt: skip
TASKS = frozenset({"opened", "checked", "fed_back", "ordered", "order_settled", "proposed", "closed"})
LICENCES = frozenset({"licence", "changed"})
RECORDS = frozenset({"record", "repaired", "withdrawn"})
MEASURES = frozenset({"measure", "measure_ended"})
LINKED = frozenset({"linked", "unlinked"})
BREACHES = frozenset({"told", "objected", "recorded", "dropped"})


# --- finding


@people
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: PortalRequest) -> HttpResponse:
    """Find a subject. What was typed comes by POST: a code or a number opens the page, a name goes on to the list.

    Nothing of a code or of an identity number is put into an address.
    """
    scope = Scope(request.access)
    if request.method == "POST":
        typed = request.POST.get("who", "").strip()[:LONGEST]
        if not portraits.is_identifier(typed):
            return redirect(f"{reverse('subjects:home')}?{urlencode({'q': typed})}" if typed else "subjects:home")
        found = portraits.identified(scope, typed)
        if found is not None:
            return redirect("subjects:subject", pk=found.pk)
        return _found(request, scope, "", missing=True)
    # By GET everything is a name: a code that somebody writes into the address finds what nonsense finds. An identity
    # number that came that way is not shown again.
    asked = request.GET.get("q", "").strip()[:LONGEST]
    return _found(request, scope, "" if RIC.search(normalise(asked)) else asked)


def _found(request: PortalRequest, scope: Scope, name: str, *, missing: bool = False) -> HttpResponse:
    listing = Listing(request, reverse("subjects:home"), q_label="名称")
    listing.asked["q"] = name
    page = listing.page(portraits.named(scope, name).only("kind", "code", "name"), ("id",))
    context = {
        "name": name,
        "short": bool(name) and len(name) < portraits.SHORTEST_NAME,
        "missing": missing,
        "rows": [{"subject": row, "url": reverse("subjects:subject", args=[row.pk])} for row in page],
        "pager": listing.pager(page, "家"),
    }
    return render(request, "subjects/home.html", context, status=404 if missing else 200)


# --- the page


class Links:
    """Where a row leads: only to pages that exist for the person."""

    def __init__(self, access: Access) -> None:
        self.access = access
        overseen = queries.divisions_of(access, Role.OVERSEER) if access.has(Role.OVERSEER) else []
        self.overseen = {division.pk for division in overseen}
        self.traced = access.divisions(Role.DISCIPLINE)
        self.headed = access.departments(Role.DEPARTMENT_HEAD)
        self.managed = access.offices(Role.OFFICE_MANAGER, Role.OFFICE_DEPUTY)
        self.credit = access.departments(Role.CREDIT_OFFICER)

    def of(self, event: Event) -> str:
        """The address of what a row is about; empty where the person has none."""
        if event.source in LICENCES:
            return reverse("licence", args=[event.ref])
        if event.source == "drawn":
            return reverse("inspection_draw", args=[event.ref])
        if event.source in CASES:
            return self._case(event)
        if event.source in TASKS:
            return self._task(event)
        if event.source in LINKED:
            return reverse("credit:link", args=[event.ref]) if self.credit else ""
        if event.source in MEASURES:
            return reverse("credit:measure", args=[event.ref]) if event.department_id in self.credit else ""
        name = "credit:record" if event.source in RECORDS else "credit:breach"
        return reverse(name, args=[event.ref]) if event.department_id in self.credit else ""

    def _case(self, event: Event) -> str:
        if event.division_id in self.overseen:
            return reverse("oversight:case", args=[event.ref])
        return reverse("traces:case", args=[event.ref]) if event.division_id in self.traced else ""

    def _task(self, event: Event) -> str:
        if event.office_id in self.managed or event.department_id in self.headed:
            return reverse("tasks:task", args=[event.ref])
        return reverse("oversight:task", args=[event.ref]) if event.division_id in self.overseen else ""


def _listing(request: PortalRequest, pk: int, today: dt.date) -> Listing:
    years = [(str(year), f"{year} 年") for year in range(today.year, today.year - 10, -1)]
    return Listing(
        request,
        reverse("subjects:subject", args=[pk]),
        filters=[Filter("kind", "类别", list(lifelines.KINDS.items())), Filter("year", "年份", years, "全部年份")],
    )


def _bars(found: dict[str, dict[int, int]], listing: Listing) -> dict[str, Any]:
    """The figure: a group of bars a year, each with its number and the address of its rows; and the same as a table."""
    top = max((count for years in found.values() for count in years.values()), default=0) or 1
    years = list(next(iter(found.values())))
    width, gap, height = 30, 8, 110
    group = len(found) * (width + gap) + 32
    groups = []
    for place, year in enumerate(years):
        bars = []
        for number, (series, counts) in enumerate(found.items()):
            tall = round(counts[year] / top * height)
            left = place * group + number * (width + gap)
            bars.append(
                {
                    "series": series, "label": lifelines.KINDS[series], "count": counts[year], "x": left,
                    "y": height + 18 - tall, "height": tall, "middle": left + width // 2,
                    "url": listing.address(kind=series, year=str(year)), "text_y": height + 13 - tall,
                }
            )  # fmt: skip
        groups.append({"year": year, "bars": bars, "middle": place * group + (group - 40) // 2})
    rows = [
        {
            "label": lifelines.KINDS[series],
            "series": series,
            "cells": [
                {"year": year, "count": count, "url": listing.address(kind=series, year=str(year))}
                for year, count in counts.items()
            ],
        }
        for series, counts in found.items()
    ]
    return {
        "groups": groups, "rows": rows, "years": years, "width": len(years) * group - 40, "height": height + 44,
        "base": height + 18, "bar": width, "is_empty": not any(sum(counts.values()) for counts in found.values()),
    }  # fmt: skip


@people
@require_safe
def subject_page(request: PortalRequest, pk: int) -> HttpResponse:
    """One subject; 404 for whom it is none of their business. The watch's look is itself on the record (O3.3.4)."""
    scope = Scope(request.access)
    subject = portraits.visible(scope, pk)
    if scope.watches:
        note_subject(subject, by=request.user, now=request.now)
    today = local_date(request.now)
    listing = _listing(request, pk, today)
    cursor = request.GET.get("page", "")
    page = lifelines.lines(
        scope, subject, today, kind=listing["kind"], year=int(listing["year"] or 0), cursor=cursor
    )  # fmt: skip
    links = Links(request.access)
    context = {
        "subject": subject,
        "head": portraits.head(subject, decides=subject.decides),  # type: ignore[attr-defined]
        "live": portraits.live(subject, today),
        "more_live": portraits.LIVE,
        "figure": _bars(lifelines.figure(scope, subject, today), listing),
        "years": [(year, [_row(event, links) for event in events]) for year, events in lifelines.by_year(page.events)],
        "bar": listing.bar(),
        "older_url": listing.address(page=page.next) if page.next else "",
        "newest_url": listing.address() if cursor else "",
        "clear_url": listing.url,
        "whole": scope.whole,
        "watches": scope.watches,
        "crumbs": [{"label": "企业画像", "url": reverse("subjects:home")}],
        "today": today,
        "now": request.now,
    }
    return render(request, "subjects/subject.html", context)


def _row(event: Event, links: Links) -> dict[str, Any]:
    label, note, tone = event.words
    return {
        "at": event.at, "label": label, "who": event.department, "note": note, "tone": tone, "url": links.of(event),
        "kind": lifelines.KINDS[event.kind],
    }  # fmt: skip
