"""What the tests of the credit platform share: subjects, records, a platform that speaks HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from credit.models import CreditRecord, CreditSubject, Push
from credit.pushing import LEASE, push_due, queue
from offices.models import Department
from oversight.demo.cases import code_of
from scripts.standin_credit import Service

TOKEN = "credit-token"
PERSON = "320706199001010019"


@contextmanager
def running(settings: Any, **shares: Any) -> Iterator[Service]:
    """A platform on a port of its own, and the settings that lead to it."""
    service = Service(token=TOKEN, **shares)
    service.start()
    settings.CREDIT_URL, settings.CREDIT_TOKEN, settings.CREDIT_TIMEOUT = service.url, TOKEN, 0.5
    try:
        yield service
    finally:
        service.stop()


def company(first: str = "91320700MA1PXH001", name: str = "连云港推送测试有限公司（演示）") -> CreditSubject:
    """A company by the first 17 characters of its code."""
    return CreditSubject.objects.identify(CreditSubject.Kind.ORGANISATION, code_of(first), name)


def person(name: str = "欧阳海") -> CreditSubject:
    """A person."""
    return CreditSubject.objects.identify(CreditSubject.Kind.PERSON, PERSON, name)


def record(
    subject: CreditSubject, now: dt.datetime, source: str = "连住建撤〔2026〕1号", department: Department | None = None,
    **more: Any,
) -> CreditRecord:  # fmt: skip
    """A breach of the house."""
    values = {"kind": "broken_promise", "basis": "连政办发〔2022〕67号", "listed": "A01", "level": "general"} | more
    return CreditRecord.objects.create(
        subject=subject, source=source, department=department, found_at=now,
        repair_from=dt.date(2026, 12, 29), shown_until=dt.date(2027, 9, 28), **values,
    )  # fmt: skip


def queued(subject: CreditSubject, now: dt.datetime, source: str = "连住建撤〔2026〕1号", **more: Any) -> Push:
    """A record of the house, queued."""
    return queue(record(subject, now, source, **more), Push.Kind.RECORD, now)


def settle(now: dt.datetime, rounds: int = 12) -> dt.datetime:
    """Push at ``now`` and later, as long as anything waits; return the last moment."""
    for _ in range(rounds):
        while push_due(now).more:
            pass
        if not Push.objects.filter(state=Push.State.QUEUED).exists():
            break
        now += LEASE + dt.timedelta(hours=3)
    return now
