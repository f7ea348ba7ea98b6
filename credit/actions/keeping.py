"""A kept promise enters the record, and is told to the platform like any other (L10d, L11)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from credit import pushing
from credit.actions.common import lock_subject
from credit.enums import CreditAct
from credit.models import CreditRecord, CreditSubject, Push, note_kept_promise
from ledger.record import Draft, record_many
from offices.models import Department


@transaction.atomic
def keep(
    subject: CreditSubject, *, source: str, basis: str, now: dt.datetime, department: Department | None = None
) -> CreditRecord:
    """Record that ``subject`` kept a promise, as ``department`` found, once per ``source``; with the finder."""
    locked = lock_subject(subject.pk)
    record = note_kept_promise(locked, source=source, basis=basis, at=now, department=department)
    if not record.pushes.exists():
        record_many([Draft(locked.stream, CreditAct.KEPT_PROMISE, {"record": record.pk}, None)], at=now)
        pushing.queue(record, Push.Kind.RECORD, now)
    return record
