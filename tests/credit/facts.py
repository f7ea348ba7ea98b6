"""Facts that wait, notices, breaches whose day to object is over, records: what the credit tests begin with."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from credit.actions import judging, repairing
from credit.models import Breach, CreditFact, CreditRecord, CreditSubject, Repair, queue_fact
from deadlines.clock import local_date
from offices.models import Department, Posting, User
from oversight.demo.cases import COMPANIES, code_of
from tests.conftest import Moment
from tests.situations import situation

OFFICER = "zhujian.xinyong"
STRANGER = "fagai.xinyong"
PHONE = "13900001234"
PERSON = "110101199003072316"
TELL = {"listed": "A02", "level": "serious", "text": "以虚假材料取得许可，已被撤销。", "how": "当面送达"}


def officer(username: str = OFFICER) -> User:
    """A credit officer."""
    found: User = User.objects.get(username=username)
    return found


def department(username: str = OFFICER) -> Department:
    """The department of an officer."""
    return Posting.objects.get(user__username=username, role=Posting.Role.CREDIT_OFFICER).department


def company(place: int = 0) -> CreditSubject:
    """An invented company."""
    stem, name = COMPANIES[place]
    return CreditSubject.objects.identify(CreditSubject.Kind.ORGANISATION, code_of(stem), name)


def person() -> CreditSubject:
    """An invented person."""
    return CreditSubject.objects.identify(CreditSubject.Kind.PERSON, PERSON, "王小明")


@situation
def fact(
    now: dt.datetime, *, source: str = "连住建撤〔2026〕1号", subject: CreditSubject | None = None,
    kind: CreditFact.Kind = CreditFact.Kind.REVOKED, found_at: dt.datetime | None = None, who: str = OFFICER,
) -> CreditFact:  # fmt: skip
    """A fact that the officer's department found."""
    return queue_fact(
        subject or company(), kind, source=source, basis=f"{source}：以欺骗、贿赂等不正当手段取得许可",
        found_at=found_at or now, now=now, department=department(who), phone=PHONE,
    )  # fmt: skip


@situation
def told(now: dt.datetime, **kwargs: Any) -> Breach:
    """A breach whose subject was told of it."""
    said = {key: kwargs.pop(key) for key in ("listed", "level") if key in kwargs}
    one = fact(now, **kwargs)
    return judging.tell(one, **(TELL | said), by=officer(kwargs.get("who", OFFICER)), now=now)


def noon(day: dt.date) -> dt.datetime:
    """12:00 of a local day."""
    return dt.datetime.combine(day, dt.time(12), ZoneInfo("Asia/Shanghai"))


def after(clock: Moment, day: dt.date) -> dt.datetime:
    """Move the clock to noon of the day after ``day``."""
    clock.at = noon(day + dt.timedelta(days=1))
    return clock.at


def record(breach: Breach, now: dt.datetime) -> CreditRecord:
    """A record of a breach whose day to object is over."""
    reason = "期限内没有提出异议，决定书已生效。"
    return judging.record_breach(breach, final_on=local_date(now), reason=reason, by=officer(), now=now)


def recorded(clock: Moment, **kwargs: Any) -> CreditRecord:
    """A record: told, not objected to, final, decided on the day after."""
    breach = told(clock.at, **kwargs)
    return record(breach, after(clock, breach.deadline.due_on))


def noticed(record: CreditRecord, now: dt.datetime, notice: str = "N1") -> Repair:
    """A platform's notice taken for a record whose shortest period is over today."""
    CreditRecord.objects.filter(pk=record.pk, repair_from__isnull=False).update(repair_from=local_date(now))
    return repairing.take_notice(record, notice=notice, text="准予修复。", now=now)
