"""Short ways to bring a case to a state, through the real actions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from approvals.actions import accept_case, complete_case, decide
from approvals.enums import Way
from approvals.models import Case
from catalogue.models import BusinessItem
from offices.models import Posting, User
from oversight.demo.cases import receive, sign
from oversight.demo.weighing import advise
from tests.situations import situation

__all__ = ["accepted", "approved", "completed", "deferring", "holder", "item", "person", "promising", "received",
           "reviewed", "sign"]  # fmt: skip
SPOT, DEFERS = "公共场所卫生许可（新办，告知承诺）", "公共场所卫生许可（新办，一般程序）"


def person(username: str) -> User:
    """A demo person by account."""
    found: User = User.objects.get(username=username)
    return found


def item(name: str = "商品房预售许可") -> BusinessItem:
    """A published business item by name."""
    return BusinessItem.objects.published().select_related("item", "review_office__department__division").get(name=name)


def holder(role: Posting.Role, case: Case, *not_these: User) -> User:
    """Somebody with ``role`` in the case's office, other than those named."""
    posting = Posting.objects.filter(role=role, office=case.review_office).exclude(user__in=not_these).order_by("pk")[0]
    return posting.user


@situation
def received(
    now: dt.datetime, business_item: BusinessItem | None = None, *, complete: bool = True, clerk: str = "chuangkou1"
) -> Case:
    """A received case; a complete one of an item that is handled on promise only is signed."""
    return receive(business_item or item(), 0, person(clerk), now, complete=complete)


@situation
def promising(
    now: dt.datetime,
    business_item: BusinessItem | None = None,
    *,
    modes: Sequence[str] = (),
    signed: bool = True,
    clerk: str = "chuangkou1",
    company: int = 3,
) -> Case:
    """A received case on the promise way, whose deferred materials are owed, signed or waiting to be signed.

    ``sign(case, clerk, now, until=…)`` signs one that waits.
    """
    by = person(clerk)
    case = receive(business_item or item(DEFERS), company, by, now, way=Way.PROMISE, modes=modes, signed=signed)
    assert case.way == Way.PROMISE
    return case


@situation
def deferring(now: dt.datetime, *, until: dt.date | None = None) -> Case:
    """An accepted case, in review, that owes materials by ``until`` (default: the last lawful day)."""
    case = sign(promising(now, signed=False), person("chuangkou1"), now, until=until)
    return accept_case(case, by=person("chuangkou1"), now=now)


@situation
def accepted(now: dt.datetime, business_item: BusinessItem | None = None) -> Case:
    """An accepted case, in review."""
    return accept_case(received(now, business_item), by=person("chuangkou1"), now=now)


@situation
def reviewed(now: dt.datetime, business_item: BusinessItem | None = None, *, approve: bool = True) -> Case:
    """A case with its opinion."""
    case = accepted(now, business_item)
    assert case.reviewer is not None
    grounds = case.business_item.published_grounds()
    keys = [] if approve else [f"{grounds[0].kind}:{grounds[0].id}"]
    advise(case, now, approve=approve, keys=keys)
    return case


@situation
def approved(now: dt.datetime, business_item: BusinessItem | None = None) -> Case:
    """An approved case that waits for its licence."""
    case = reviewed(now, business_item)
    assert case.reviewer is not None
    return decide(case, approve=True, by=holder(Posting.Role.DECIDER, case, case.reviewer), now=now)


@situation
def completed(now: dt.datetime, business_item: BusinessItem | None = None) -> Case:
    """A completed case with its tasks."""
    case = approved(now, business_item)
    assert case.reviewer is not None
    return complete_case(case, by=case.reviewer, now=now)
