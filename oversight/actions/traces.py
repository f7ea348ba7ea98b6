"""Every look at a trace is itself on the record (O3.3.4)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from approvals.models import Case
from credit.models import CreditSubject
from ledger.record import record
from offices.models import Division, User
from oversight.enums import TraceAct

STREAM = "traces"


@transaction.atomic
def _note(act: TraceAct, data: dict[str, int], *, by: User, now: dt.datetime) -> None:
    # One stream for all officers: the first division's row makes them queue up instead of colliding.
    Division.objects.select_for_update().order_by("pk").values_list("pk", flat=True).first()
    record(STREAM, act, at=now, by=by, data=data)


def note_look(case: Case, act: TraceAct, *, by: User, now: dt.datetime) -> None:
    """Write who looked at, or took away, the trace of a case."""
    _note(act, {"case": case.pk}, by=by, now=now)


def note_subject(subject: CreditSubject, *, by: User, now: dt.datetime) -> None:
    """Write who looked at the page of a subject."""
    _note(TraceAct.SUBJECT_VIEWED, {"subject": subject.pk}, by=by, now=now)
