"""How invented cases get their opinion in the item's own way: by site check, score sheets, countersignatures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from approvals.actions import give_opinion
from approvals.actions.countersigning import sign_countersignature
from approvals.actions.scoring import give_sheet
from approvals.actions.site import confirm_site_check, plan_site_check, report_site_check
from approvals.models import Case, Sheet, SiteCheck
from approvals.sheets import Mark, wants_sheet
from catalogue.models import Criterion
from deadlines.clock import local_date
from offices.models import Posting, User

Role = Posting.Role


def marks(case: Case, *, approve: bool = True) -> dict[int, Mark]:
    """The best degree of every criterion; or the worst of each, with words."""
    return {criterion.pk: _mark(criterion, approve) for criterion in case.business_item.effective_criteria()}


def _mark(criterion: Criterion, approve: bool) -> Mark:
    words = "见所附材料（演示）"
    if criterion.is_veto:
        return Mark(met=approve, evidence=words)
    return Mark(points=criterion.grades[0 if approve else -1]["score"], evidence=words)


def visit(case: Case, now: dt.datetime, *, conforms: bool = True) -> None:
    """Plan and report the site check that the item asks for; nothing where it asks for none."""
    if not case.business_item.site_check or SiteCheck.objects.filter(case=case).exists() or case.reviewer is None:
        return
    check = plan_site_check(case, planned_on=local_date(now), by=case.reviewer, now=now)
    report_site_check(case, conforms=conforms, findings="已到现场核查，情况属实（演示）。", by=check.first, now=now)
    confirm_site_check(case, by=check.second, now=now)


def countersign(case: Case, now: dt.datetime, *, agree: bool = True) -> None:
    """Answer for every office that was asked and has not."""
    for asked in case.countersignatures.filter(signed_at__isnull=True).select_related("office"):
        posting = Posting.objects.filter(office=asked.office, role__in=[Role.REVIEWER, Role.DECIDER]).order_by("pk")[0]
        sign_countersignature(case, office=asked.office, agree=agree, text="无意见（演示）。", by=posting.user, now=now)


def advise(
    case: Case, now: dt.datetime, *, approve: bool = True, text: str = "已审查。", keys: Sequence[str] = ()
) -> None:
    """Bring an accepted case to its opinion, all that the item asks for before the decision included."""
    if case.reviewer is None:
        raise LookupError(f"{case.number} has no reviewer")
    visit(case, now)
    countersign(case, now)
    if not wants_sheet(case.business_item):
        give_opinion(case, approve=approve, text=text, keys=keys, by=case.reviewer, now=now)
        return
    second = Sheet.objects.filter(case=case, given_at__isnull=True).select_related("reviewer").order_by("pk")
    people: list[User] = [case.reviewer, *(sheet.reviewer for sheet in second)]
    for person in people:
        give_sheet(case, scores=marks(case, approve=approve), approve=approve, text=text, keys=keys, by=person, now=now)
