"""One case in every state of every family of items, through the real actions as far as they lead there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from approvals.actions import accept_case, complete_case, decide, refuse_acceptance, request_correction
from approvals.actions.ending import lapse_case, withdraw_case
from approvals.actions.intake import deem_accepted, required_points
from approvals.actions.owing import hand_in, outstanding, settle_promise_lapse
from approvals.enums import CaseStatus, Door, MaterialState, RefusalGround
from approvals.models import Case, Countersignature, PromiseLapse, Sheet
from catalogue.models import BusinessItem
from deadlines.clock import local_date
from deadlines.models import Deadline
from offices.models import Posting, User
from oversight.demo.weighing import advise, countersign, visit
from tests.approvals import debts, play
from tests.approvals.weighing import ENERGY, PLANNING, TRANSPORT

S = CaseStatus
Role = Posting.Role
LONG_AGO = dt.timedelta(days=75)
Receive = Callable[[dt.datetime], Case]


@dataclass(frozen=True, slots=True)
class Family:
    """How a case of the family is received: complete, or with something to correct."""

    whole: Receive
    bare: Receive


def _ordinary(name: str) -> Family:
    def receive(complete: bool, now: dt.datetime) -> Case:
        return play.received(now, play.item(name), complete=complete)

    return Family(partial(receive, True), partial(receive, False))


def _agreed(now: dt.datetime) -> Case:
    return debts.agreed(now, local_date(now) + dt.timedelta(days=60))


FAMILIES: dict[str, Family] = {
    "plain": _ordinary("商品房预售许可"),
    "scored": _ordinary(ENERGY),
    "paired": _ordinary(PLANNING),
    "visited": _ordinary(TRANSPORT),
    "promise": Family(play.promising, partial(play.promising, signed=False)),
    "unsigned": Family(partial(play.promising, signed=False), partial(play.promising, signed=False)),
    "lacking": Family(debts.received_without, debts.received_without),
    "later": Family(_agreed, debts.received_without),
}


def stand(family: str, status: CaseStatus, now: dt.datetime) -> Case:
    """A case of ``family`` in ``status``; accepted and cancelled ones are put there where no act leaves one so."""
    case = _before_review(FAMILIES[family], status, now)
    if case is None:
        case = _in_review(accept_case(FAMILIES[family].whole(now), by=_clerk(), now=now), status, now)
    case.refresh_from_db()
    assert case.status == status
    return case


def decider(case: Case) -> User:
    """A decider of the office who neither reviewed nor took in."""
    return debts.decider(case)


def _clerk() -> User:
    return play.person("chuangkou1")


def _asked(case: Case, now: dt.datetime) -> Case:
    return request_correction(case, keys=sorted(required_points(case)), remarks={}, by=_clerk(), now=now)


def _before_review(family: Family, status: CaseStatus, now: dt.datetime) -> Case | None:
    if status == S.SUBMITTED:
        return family.whole(now)
    if status == S.CORRECTION_REQUESTED:
        return _asked(family.bare(now), now)
    if status == S.LAPSED:
        return lapse_case(_asked(family.bare(now - LONG_AGO), now - LONG_AGO), now=now)
    if status == S.NOT_ACCEPTED:
        ground = RefusalGround.NOT_OUR_DUTY
        return refuse_acceptance(family.whole(now), ground=ground, reason="不归本机关", by=_clerk(), now=now)
    if status == S.DEEMED_ACCEPTED:
        case = family.whole(now - LONG_AGO)
        with nobody_reviews(case):
            return deem_accepted(case, by=None, now=now)
    return None


@contextmanager
def nobody_reviews(case: Case) -> Iterator[None]:
    """No reviewer of the case's office is there to be drawn."""
    people = User.objects.filter(postings__office=case.review_office_id, postings__role=Role.REVIEWER)
    keys = list(people.values_list("pk", flat=True))
    User.objects.filter(pk__in=keys).update(is_active=False)
    yield
    User.objects.filter(pk__in=keys).update(is_active=True)


def _in_review(case: Case, status: CaseStatus, now: dt.datetime) -> Case:
    if status == S.ACCEPTED:  # lasts only within the transaction of the acceptance
        Case.objects.filter(pk=case.pk).update(status=status, reviewer=None)
        Sheet.objects.filter(case=case).delete()
        Countersignature.objects.filter(case=case).delete()
    if status == S.WITHDRAWN:
        visit(case, now)
        countersign(case, now)
        withdraw_case(case, by=_clerk(), door=Door.WINDOW, reason="", now=now)
    if status in {S.APPROVED, S.REJECTED, S.COMPLETED, S.CANCELLED}:
        _decided(case, status, now)
    return case


def _decided(case: Case, status: CaseStatus, now: dt.datetime) -> None:
    approve = status != S.REJECTED
    ground = case.business_item.published_grounds()[0]
    keys = [] if approve else [f"{ground.kind}:{ground.id}"]
    advise(case, now, approve=approve, keys=keys)
    decide(case, approve=approve, keys=keys, by=decider(case), now=now)
    owed = outstanding(case, MaterialState.DEFERRED)
    if status == S.COMPLETED and owed:
        hand_in(case, provided=debts.provided(case), by=_clerk(), door=Door.WINDOW, now=now)
    elif status == S.COMPLETED and case.reviewer is not None:
        complete_case(case, by=case.reviewer, now=now)
    elif status == S.CANCELLED and owed:
        lapsed(case, now)
        settle_promise_lapse(case, cancel=True, reason="逾期未补交", by=decider(case), now=now)
    elif status == S.CANCELLED:  # nothing was promised, so that no act leads there
        Case.objects.filter(pk=case.pk).update(status=status)


def lapsed(case: Case, now: dt.datetime) -> None:
    """A promised day that passed waits for a person: its clock says the same day."""
    passed = local_date(now) - dt.timedelta(days=1)
    clock = Deadline.objects.filter(promise_case=case)
    clock.update(start_on=passed - dt.timedelta(days=7), due_on=passed, yellow_on=passed)
    PromiseLapse.objects.create(case=case, due_on=passed, found_at=now)


def up_to_the_province() -> None:
    """The scored item is one that reports to the province."""
    BusinessItem.objects.filter(pk=play.item(ENERGY).pk).update(reports_to_province=True)
