"""Cases in which the applicant owes something, through the real acts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from approvals.actions import accept_case, complete_case, decide
from approvals.actions.intake import slot_of
from approvals.actions.owing import allow_later, later_lines, outstanding
from approvals.models import Case, CaseMaterial
from offices.models import Posting, User
from oversight.demo.weighing import advise
from tests.approvals import play
from tests.situations import situation

Role = Posting.Role
LATER = "人力资源服务许可（职业中介）"
CONSEQUENCE = "逾期未补交的，责令限期改正；仍不补交的，依法撤销许可"


def review(case: Case, now: dt.datetime) -> Case:
    """Bring an accepted case to its approval, by whoever was drawn."""
    if case.on_the_spot:
        by = case.decider or decider(case)
        return decide(case, approve=True, by=by, now=now)
    advise(case, now)
    return decide(case, approve=True, by=decider(case), now=now)


def decider(case: Case, *not_these: User) -> User:
    """A decider of the case's office who neither reviewed it nor took it in."""
    others = [person for person in (case.reviewer, case.intake_by, *not_these) if person]
    return play.holder(Role.DECIDER, case, *others)


@situation
def waiting(now: dt.datetime, until: dt.date) -> Case:
    """An approved case whose licence waits for what was promised by ``until``."""
    return review(deferring(now, until), now)


def deferring(now: dt.datetime, until: dt.date) -> Case:
    """An accepted case, in review, that owes materials by ``until``."""
    return play.deferring(now, until=until)


@situation
def received_without(now: dt.datetime) -> Case:
    """A received case that lacks the secondary material which may follow the licence."""
    case = play.received(now, play.item(LATER))
    lines = case.materials.filter(material__later_allowed=True)
    assert lines.update(state="missing", received_at=None) == 1
    return case


@situation
def agreed(now: dt.datetime, until: dt.date) -> Case:
    """The same, agreed on."""
    case = received_without(now)
    slots = [slot_of(line) for line in later_lines(case)]
    allow_later(case, slots=slots, until=until, signer="张三", by=play.person("chuangkou1"), now=now)
    return case


@situation
def licensed(now: dt.datetime, until: dt.date) -> Case:
    """The licence is out, a secondary material is owed by ``until``."""
    case = review(accept_case(agreed(now, until), by=play.person("chuangkou1"), now=now), now)
    assert case.reviewer is not None
    return complete_case(case, by=case.reviewer, now=now)


def ticks(lines: list[CaseMaterial]) -> dict[str, str]:
    """A form of the window in which these lines are ticked."""
    return {f"m-{slot_of(line)}": "provided" for line in lines}


def owed_ticks(case: Case) -> dict[str, str]:
    """A form in which everything owed is ticked."""
    return ticks(outstanding(case))


def provided(case: Case) -> dict[str, Any]:
    """The same for the action."""
    return {slot_of(line): "provided" for line in outstanding(case)}


def fresh(case: Case) -> Case:
    """The case as it is stored."""
    return Case.objects.select_related("promise_deadline", "issue_deadline", "business_item").get(pk=case.pk)
