"""What the case page shows of how a case is weighed: score sheets, site check, countersignatures (O3.1.2d, O3.2.1b–c).

A reviewer reads nobody else's sheet before the opinion, but the lead, who is called because two are apart. Site
officers are named to nobody here, and their place not shown: it may tell whose case it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm

from approvals import sheets
from approvals.actions.scoring import awaits_lead
from approvals.blind import BlindCase
from approvals.enums import CaseStatus, Seat
from approvals.forms_office import OpinionForm, SheetForm, SitePlanForm
from approvals.models import Case, Countersignature, Opinion, Sheet, SiteCheck
from catalogue.models import BusinessItem
from offices.access import Access


@dataclass(frozen=True, slots=True)
class Seats:
    """The sheets of a case as a person may see them."""

    mine: str
    states: list[dict[str, str]]
    shown: list[Sheet]
    awaits_lead: bool


def wants_sheet(item: BusinessItem, case: BlindCase) -> bool:
    """Whether advice on the case is given on score sheets."""
    return not case.is_on_the_spot and (sheets.wants_sheet(item) or Sheet.objects.filter(case_id=case.pk).exists())


def seats_of(case: BlindCase, access: Access, opinion: Opinion | None) -> Seats:
    """Who sits on the case, by seat and not by name, and the sheets that ``access`` may read; four statements."""
    known = list(Sheet.objects.filter(case_id=case.pk))
    by_seat = {Seat(sheet.seat): sheet for sheet in known}
    mine = next((Seat(sheet.seat) for sheet in known if sheet.reviewer_id == access.user.pk), None)
    if mine is None and case.reviewer_id == access.user.pk:
        mine = Seat.FIRST
    states = [
        {
            "label": f"{seat.label}{'（您）' if seat == mine else ''}",
            "state": "已提交" if seat in by_seat and by_seat[seat].given_at else "评分中",
            "tone": "good" if seat in by_seat and by_seat[seat].given_at else "active",
        }
        for seat in Seat
        if seat == Seat.FIRST or seat in by_seat
    ]
    given = sheets.given(case.pk)
    if opinion is None and mine != Seat.LEAD:
        given = [sheet for sheet in given if sheet.reviewer_id == access.user.pk]
    waits = case.status == CaseStatus.IN_REVIEW and opinion is None and awaits_lead(Case(pk=case.pk))
    return Seats(mine.value if mine else "", states, given, waits)


def advice_form(item: BusinessItem, case: BlindCase, data: Mapping[str, Any] | None = None) -> OpinionForm:
    """The form of an advice on the case: a score sheet where the item has one, else the opinion alone."""
    if not wants_sheet(item, case):
        return OpinionForm(data)
    return SheetForm(data, criteria=list(item.effective_criteria()), pass_mark=item.pass_mark)


def weighing_context(
    case: BlindCase,
    item: BusinessItem,
    access: Access,
    today: dt.date,
    opinion: Opinion | None,
    site_plan: BaseForm | None,
) -> dict[str, Any]:
    """``seats``, ``arithmetic``, ``countersigned``, ``site`` and its form; without what the item does not ask for."""
    found: dict[str, Any] = {}
    if wants_sheet(item, case):
        seats = seats_of(case, access, opinion)
        found |= {"seats": seats, "arithmetic": sheets.arithmetic(seats.shown)}
    if not case.is_on_the_spot:
        asked = Countersignature.objects.filter(case_id=case.pk).select_related("office")
        found["countersigned"] = list(asked)
        found |= _site(case, item, access, today, opinion, site_plan)
    return found


def _site(
    case: BlindCase,
    item: BusinessItem,
    access: Access,
    today: dt.date,
    opinion: Opinion | None,
    came_back: BaseForm | None,
) -> dict[str, Any]:
    check = SiteCheck.objects.filter(case_id=case.pk).defer("place").first()
    may_plan = (
        case.status == CaseStatus.IN_REVIEW
        and opinion is None
        and case.reviewer_id == access.user.pk
        and (check is None or check.done_at is None)
    )
    form = (came_back or SitePlanForm(again=check is not None, initial={"planned_on": today})) if may_plan else None
    return {"site": check, "site_wanted": item.site_check, "site_form": form}
