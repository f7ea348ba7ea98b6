"""What a promise means for its case: whether one is live, until when it may defer, and who may decide it at once.

Source: L5, L8a; 行政许可法 arts. 42, 44; 国办发〔2020〕42号.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from approvals.credit_gate import answer_of
from approvals.enums import CaseStatus, MaterialState, Way
from approvals.models import Case, CaseMaterial, CorrectionNotice, CreditCheck, Promise
from catalogue.enums import PeriodStart, Requirement
from credit.models import HandlingWay
from deadlines import calendar as working_calendar
from deadlines.arithmetic import due_date
from deadlines.enums import Unit
from deadlines.kinds import ART_42_DAYS, KINDS, KindCode
from offices.models import Posting

BEFORE_ACCEPTANCE = (CaseStatus.SUBMITTED, CaseStatus.CORRECTION_REQUESTED)


UNSIGNED = "告知承诺书没有签署，本件改按一般方式办理，须交齐全部材料。"
NOT_TAKEN = "签署的告知承诺没有被采用，本件改按一般方式办理，须交齐全部材料。"


def live_promise(case: Case) -> Promise | None:
    """The promise that was signed and not withdrawn."""
    return Promise.objects.filter(case=case, withdrawn_at__isnull=True).select_related("document").first()


# A point of the notice about a material that is owed once there is no promise: this and the material's id.
RESTORED = "restored:"
# 国办发〔2020〕42号: whoever takes the word back is handled as everybody else is.
TAKEN_BACK = "本件已改按一般方式办理，须交齐全部材料；同一件办件不能再次签署承诺，以后另行申请时仍可以选择告知承诺。"


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A promise that does not count any more, as the window shows it: when and where it was taken back, if it was."""

    title: str
    words: str
    at: dt.datetime | None
    through: str


def taken_back(case: Case) -> TakenBack | None:
    """The promise of a case that goes on the ordinary way: taken back, or dropped when the law accepted the case."""
    if case.way == Way.PROMISE or case.status == CaseStatus.WITHDRAWN:
        return None
    promise = Promise.objects.filter(case=case).first()
    if promise is None:
        return None
    if promise.withdrawn_at is None:
        return TakenBack("承诺没有采用", NOT_TAKEN, None, "")
    words = TAKEN_BACK if case.status in BEFORE_ACCEPTANCE else "本件按一般方式办理。"
    return TakenBack("承诺已撤回", words, promise.withdrawn_at, promise.get_withdrawn_through_display())


def restorable(case: Case) -> list[CaseMaterial]:
    """The lines that are owed on paper again if the promise is taken back or not allowed, in order."""
    lines = case.materials.filter(
        state__in=[MaterialState.PROMISED, MaterialState.DEFERRED], material__requirement=Requirement.REQUIRED
    )
    return list(lines.select_related("material").order_by("order"))


def points_in_force(case: Case, notice: CorrectionNotice) -> list[dict[str, Any]]:
    """The points of the notice that bind now: what is owed without the promise, only where there is none any more."""
    ordinary = case.way != Way.PROMISE
    return [point for point in notice.points if ordinary or not point["key"].startswith(RESTORED)]


def deferred_lines(case: Case) -> list[CaseMaterial]:
    """The lines that are promised for a later day and not in, in order."""
    return list(case.materials.filter(state=MaterialState.DEFERRED).order_by("order"))


def last_lawful_day(case: Case, now: dt.datetime) -> dt.date:
    """Return the last local day on which the licence could lawfully be issued, were the case accepted at ``now``.

    The decision period by the item's own law (else the 20 working days of art. 42), and 10 working days to issue
    (art. 44). What is deferred may not be promised for a later day.
    """
    item, calendar = case.business_item, working_calendar.estimating()
    start = case.received_at if item.statutory_start == PeriodStart.RECEIPT else case.accepted_at or now
    length, unit = item.statutory_length or ART_42_DAYS, Unit(item.statutory_unit or Unit.WORKING)
    decided = due_date(timezone.localtime(start).date(), length, unit, calendar)
    issue = KINDS[KindCode.ISSUE]
    return due_date(decided, issue.length or 1, issue.unit, calendar)


def goes_to_decider(case: Case, check: CreditCheck, today: dt.date) -> bool:
    """Whether a promise case is complete and so is decided on the spot, by a decider on duty drawn at once.

    Not where something is owed, where the credit rule does not open it (a departure from the rule goes to a reviewer),
    where the item asks for more eyes (two reviewers, a countersignature, a check on site), or nobody is on duty.
    """
    item = case.business_item
    if not check.rule_allows or not answer_of(check).opens(HandlingWay.ON_THE_SPOT):
        return False
    if case.materials.filter(state__in=[MaterialState.DEFERRED, MaterialState.LATER]).exists():
        return False
    if item.site_check or item.reviewers > 1 or item.countersign_offices.exists():
        return False
    on_duty = (
        Posting.objects.active(today)
        .role(Posting.Role.DECIDER)
        .filter(office_id=case.review_office_id, on_duty=True, user__is_active=True)
    )
    return on_duty.exclude(user_id=case.intake_by_id).exists()
