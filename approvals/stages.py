"""The inner stages of a case, each with its own fixed period (O3.2.1a): 窗口 → 审查 → 会签决定 → 制证.

A case is in one stage at a time. What is decided in one sitting has none.
"""

from __future__ import annotations

import datetime as dt

from approvals.models import Case
from deadlines import periods
from deadlines.actions import Start, closing_entry, meet_deadline, start_many
from deadlines.kinds import KindCode
from deadlines.periods import Periods
from ledger.record import Draft
from offices.models import User


def begin(case: Case, kind: KindCode, lengths: Periods) -> Start:
    """What starts the clock of a stage: the item's length, else the division's, else the table's.

    Never longer than the item's promised period: a stage that outlasts the whole is none.
    """
    item = case.business_item
    length = lengths.length(kind, case.division_id, item.code) or 1
    if kind in {KindCode.STAGE_REVIEW, KindCode.STAGE_DECIDE} and item.promised_length:
        length = min(length, item.promised_length)
    return Start(kind, case.stream, length=length)


def enter(case: Case, kind: KindCode, *, by: User | None, now: dt.datetime) -> list[Draft]:
    """End the present stage of a locked case and begin ``kind``; the caller saves the case and writes the entries."""
    ended = leave(case, by=by, now=now)
    lengths = periods.load([kind], division=case.division_id)
    case.stage_deadline = start_many([begin(case, kind, lengths)], at=now, by=by)[0]
    return ended


def leave(case: Case, *, by: User | None, now: dt.datetime) -> list[Draft]:
    """End the present stage, if one is open; return its entry for the caller to write with its own."""
    if case.stage_deadline is None or not case.stage_deadline.is_open:
        return []
    return [closing_entry(meet_deadline(case.stage_deadline, at=now, by=by, record=False), by)]
