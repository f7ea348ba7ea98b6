"""A few invented cases, played through the real actions, so that every desk has something on it."""

from __future__ import annotations

import datetime as dt
import uuid

from stdnum.cn import uscc

from approvals.actions import (
    IntakeDraft,
    accept_case,
    complete_case,
    decide,
    give_opinion,
    receive_case,
    request_correction,
)
from approvals.actions.intake import checklist, required_points, slot_of
from approvals.enums import MaterialState, Way
from approvals.models import Case
from catalogue.models import BusinessItem
from credit.models import CreditSubject
from offices.models import Posting, User

# Invented companies: their codes are well-formed (GB 32100) and belong to nobody we know of.
COMPANIES = (
    ("91320700MA1DEMO01", "连云港海州湾置业有限公司（演示）"),
    ("91320700MA1DEMO02", "连云港云台物流有限公司（演示）"),
    ("91320700MA1DEMO03", "连云港花果山食品有限公司（演示）"),
    ("91320700MA1DEMO04", "连云港连岛旅馆有限公司（演示）"),
    ("91320700MA1DEMO05", "连云港港城建材有限公司（演示）"),
    ("91320700MA1DEMO06", "连云港西连岛水产有限公司（演示）"),
)


def code_of(stem: str) -> str:
    """Complete 17 characters with their check character (GB 32100)."""
    stem = stem.replace("O", "0")
    return stem + str(uscc.calc_check_digit(stem))


def receive(item: BusinessItem, company: int, clerk: User, now: dt.datetime, *, complete: bool = True) -> Case:
    """Take in one case of ``item`` for an invented company, with or without all of its materials."""
    stem, name = COMPANIES[company % len(COMPANIES)]
    way = Way.PROMISE if item.is_promise_only else Way.ORDINARY
    provided = {slot_of(line): MaterialState.PROVIDED.value for line in checklist(item, way) if line.required}
    if not complete:
        provided.popitem()
    return receive_case(
        IntakeDraft(
            business_item=item,
            intake_key=uuid.uuid4(),
            subject_kind=CreditSubject.Kind.ORGANISATION,
            identifier=code_of(stem),
            name=name,
            contact_name="演示联系人",
            contact_phone=f"1000099{company:04d}",
            content=f"{item.name}（演示）",
            way=way,
            provided=provided,
        ),
        by=clerk,
        now=now,
    )


def _one(role: Posting.Role, office_id: int, *not_these: User | None) -> User:
    postings = Posting.objects.role(role).filter(office_id=office_id).exclude(user__in=[u for u in not_these if u])
    posting = postings.select_related("user").order_by("pk").first()
    if posting is None:
        raise LookupError(f"no {role} in office {office_id}")
    return posting.user


def play(case: Case, until: str, clerk: User, now: dt.datetime) -> Case:
    """Carry a received case on to ``until``: accepted, opinion, approved, completed."""
    case = accept_case(case, by=clerk, now=now)
    if until == "accepted":
        return case
    reviewer = case.reviewer
    if reviewer is None:
        raise LookupError(f"{case.number} has no reviewer")
    give_opinion(case, approve=True, text="材料齐全，符合已公布的条件，建议准予许可。", by=reviewer, now=now)
    if until == "opinion":
        return case
    decider = _one(Posting.Role.DECIDER, case.review_office_id, reviewer, clerk)
    case = decide(case, approve=True, by=decider, now=now)
    return case if until == "approved" else complete_case(case, by=reviewer, now=now)


def load(now: dt.datetime) -> int:
    """Make the cases; return how many."""
    clerk = User.objects.get(username="chuangkou1")
    city = BusinessItem.objects.published().filter(
        item__division__code="320700", item__kind="licence", handling="ordinary"
    )
    items = list(city.order_by("item__key_item_id", "code"))
    steps = ["received", "correction", "accepted", "accepted", "opinion", "approved", "completed", "completed"]
    for number, step in enumerate(steps):
        item = items[(number * 3) % len(items)]
        case = receive(item, number, clerk, now, complete=step != "correction")
        if step == "correction":
            request_correction(case, keys=sorted(required_points(case)), remarks={}, by=clerk, now=now)
        elif step != "received":
            play(case, step, clerk, now)
    return len(steps)
