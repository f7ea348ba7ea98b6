"""Short ways to bring a licence to a proposal to revoke it, and that proposal to a state, through the real actions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from approvals.actions.revoking import give_notice, hear_holder, plan_hearing, propose_revocation, record_hearing
from approvals.enums import Door
from approvals.models import Case, Licence, Revocation
from offices.models import Posting, User
from supervision.models import SupervisionTask
from tests.approvals import play
from tests.situations import situation

FACTS = "复查发现场所面积与承诺不符，逾期没有整改。"
EVIDENCE = [{"label": "责令限期整改通知书", "text": "连卫责改〔2026〕1号", "url": "/verify/none/"}]
DECISION: dict[str, str] = {
    "ground": "unqualified",
    "reason": "复查仍不符合许可条件，持证人没有整改。",
    "public_interest": "撤销不影响公共利益，同类场所可以替代。",
    "compensation": "持证人的损失由其不实承诺造成，不予赔偿。",
}


def decider(case: Case, *not_these: User) -> User:
    """A decider of the case's office."""
    return play.holder(Posting.Role.DECIDER, case, *not_these)


@situation
def licensed(now: dt.datetime) -> Licence:
    """A licence with its open tasks."""
    return Licence.objects.select_related("case", "holder").get(case=play.completed(now))


@situation
def proposed(now: dt.datetime, *, broken_promise: bool = True, licence: Licence | None = None) -> Revocation:
    """A proposal to revoke, as supervision makes it."""
    licence = licence or licensed(now)
    task = SupervisionTask.objects.filter(licence=licence).order_by("pk")[0]
    manager = Posting.objects.filter(role=Posting.Role.OFFICE_MANAGER, office=task.office).order_by("pk")[0].user
    return propose_revocation(
        licence, source=task.stream, source_number=task.number, proposed_by_name=str(task.office), facts=FACTS,
        evidence=EVIDENCE, broken_promise=broken_promise, by=manager, now=now,
    )  # fmt: skip


@situation
def noticed(now: dt.datetime, **said: Any) -> Revocation:
    """A proposal of which the holder was told, with five working days to answer."""
    one = proposed(now, **said)
    return give_notice(one, ground="unqualified", facts=FACTS, days=5, by=decider(one.case), now=now)


@situation
def heard(now: dt.datetime, **said: Any) -> Revocation:
    """A proposal whose holder stated and waived the rest in writing."""
    one = noticed(now, **said)
    return hear_holder(
        one, text="面积测量有误。", wish="waive", waiver="9月28日签署放弃书", by=decider(one.case), door=Door.WINDOW,
        now=now,
    )  # fmt: skip


@situation
def asked(now: dt.datetime, **said: Any) -> Revocation:
    """A proposal whose holder asked for a hearing."""
    one = noticed(now, **said)
    return hear_holder(one, text="", wish="ask", by=None, door=Door.PUBLIC, now=now)


def chair_of(one: Revocation) -> User:
    """Somebody of the department who may chair: its head."""
    postings = Posting.objects.filter(role=Posting.Role.DEPARTMENT_HEAD, department_id=one.office.department_id)
    return postings.order_by("pk")[0].user


def planned(one: Revocation, on: dt.date, now: dt.datetime) -> Revocation:
    """With day, place and chair of its hearing."""
    return plan_hearing(one, on=on, place="政务服务中心三楼", chair=chair_of(one), by=decider(one.case), now=now)


def held(one: Revocation, now: dt.datetime) -> Revocation:
    """With the record of its hearing."""
    return record_hearing(one, record="双方到场，持证人认可测量结果。", by=chair_of(one), now=now)


def fresh(one: Revocation) -> Revocation:
    """As it stands."""
    return Revocation.objects.select_related("licence", "case", "deadline", "answer_deadline", "hearing_deadline").get(
        pk=one.pk
    )
