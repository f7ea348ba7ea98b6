"""What the case page says of what the applicant still owes, and by when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from approvals.actions.intake import is_letter
from approvals.actions.owing import TAKES_IN
from approvals.enums import OWED, CaseStatus, MaterialState
from approvals.lacking import TAKES_MISSING
from approvals.models import Case, CaseMaterial, LaterSubmission
from deadlines.models import Deadline

S = CaseStatus
HANDS_IN = TAKES_IN


def clock_of(case: Case, state: str) -> Deadline | None:
    """The clock by which lines in ``state`` are owed; that of what follows the licence starts with it."""
    if state == MaterialState.DEFERRED:
        promised: Deadline | None = case.promise_deadline
        return promised
    if state != MaterialState.LATER:
        return None
    later = LaterSubmission.objects.filter(case=case).select_related("deadline").first()
    return later.deadline if later is not None else None


def day_of(case: Case, state: str) -> dt.date | None:
    """The day by which lines in ``state`` are owed."""
    clock = clock_of(case, state)
    if clock is not None:
        return clock.due_on
    later = LaterSubmission.objects.filter(case=case).first() if state == MaterialState.LATER else None
    return (later.extended_to or later.until) if later else None


def panel(case: Case, lines: Sequence[CaseMaterial]) -> dict[str, Any] | None:
    """What the case page says of what is owed: names, by when, and where to hand it in; None where nothing is."""
    may_allow = case.status == S.SUBMITTED and bool(case.business_item.later_consequence)
    lacks = case.status in TAKES_MISSING
    owed = [line for line in lines if line.state in OWED or (lacks and not line.is_in and not is_letter(line))]
    if not owed:
        missing = [line for line in lines if not line.is_in and line.material and line.material.later_allowed]
        return {"rows": [], "later_url": reverse("window:later", args=[case.number])} if may_allow and missing else None
    days = {state: day_of(case, state) for state in {line.state for line in owed}}
    return {
        "rows": [{"name": line.name, "label": line.get_state_display(), "until": days[line.state]} for line in owed],
        "hands_in": case.status in HANDS_IN,
        "url": reverse("window:owed", args=[case.number]),
        "later_url": "",
    }


def without_links(owed: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same for who only hands out: what is owed, and nothing to press."""
    return owed | {"url": "", "later_url": ""} if owed and owed["rows"] else None


def lead_of(case: Case, owed: dict[str, Any] | None) -> str:
    """What the case page says first of an approved case whose licence waits for the applicant; empty elsewhere."""
    if case.status != S.APPROVED or not owed or not owed["rows"]:
        return ""
    return "已准予许可，等申请人补齐承诺的材料；最后一份收齐时证件当即颁发。"
