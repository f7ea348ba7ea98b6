"""What a subject reads of itself through its own door: notices, records, requests; no officer (L8c).

What was found of the codes that it took the place of counts for it, so it reads those records too: ``whose`` is
``joining.lineage`` of the subject. Notices, requests and their words it reads and acts on only of those that it took
the place of whole (``joining.succeeded``): of who was split each speaks for itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet

from credit.actions import judging, repairing
from credit.lists import Tab
from credit.models import Breach, CreditRecord, CreditSubject, Repair
from credit.words import cn_day
from deadlines.clock import local_date
from offices.lists import counted
from offices.refusals import Refused

K = CreditRecord.Kind
ORDER = ("-found_at", "-id")
GOOD = (K.KEPT_PROMISE, K.PRAISE)
TABS = (
    Tab("", "失信记录", ORDER, "", "没有失信记录", "warn"),
    Tab("kept", "守信记录", ORDER, "", "还没有守信记录", "good"),
)
# Notices and requests that a page lists, the newest first; older ones stand with their records.
MOST = 50


def records(whose: Collection[int]) -> QuerySet[CreditRecord]:
    """Every record of the subject, wherever it was found, lifted ones too."""
    rows = CreditRecord.objects.filter(subject__in=whose).select_related("subject", "department")
    return rows.defer("subject__id_number")


def condition(key: str) -> Q:
    """What is in a part of the records."""
    return Q(kind__in=GOOD) if key == "kept" else ~Q(kind__in=GOOD)


def counts(whose: Collection[int]) -> dict[str, int]:
    """How many records are in each part; one statement."""
    found = counted(records(whose), {tab.key or "bad": condition(tab.key) for tab in TABS})
    return found | {"": found["bad"]}


def breaches(whose: Collection[int]) -> QuerySet[Breach]:
    """Every notice that the subject was given."""
    found = Breach.objects.filter(subject__in=whose)
    return found.select_related("fact", "subject", "department__division", "deadline").defer("phone", "fact__phone")


def repairs(whose: Collection[int]) -> QuerySet[Repair]:
    """Every request for repair or correction of the subject's records, and the platform's notices."""
    return Repair.objects.filter(record__subject__in=whose).select_related("record", "deadline")


def former(subject: CreditSubject, of: CreditSubject) -> str:
    """Under which earlier code something was found, in a clause; empty where it is the subject itself."""
    return "" if of.pk == subject.pk else f"原主体{of.public_name}（{of.public_identifier}），代码已衔接"


def may_object(breach: Breach, today: dt.date) -> bool:
    """Whether the subject's day to object has come to no end yet and it has not objected."""
    return breach.status == Breach.Status.TOLD and not judging.objection_is_over(breach, today)


def why_closed(
    record: CreditRecord, asked: list[Repair], today: dt.date, succeeded: Collection[int]
) -> Refused | None:  # fmt: skip
    """Why nothing can be asked for of a record, ``asked`` being its requests; None where a request is taken."""
    if record.subject_id not in succeeded:
        return Refused(
            "repair-of-another",
            "这是分立前主体的记录，由该主体申请修复或者更正；有疑问的，请与认定单位联系。",
            conflict=True,
        )
    if any(one.granted is None for one in asked):
        return Refused("repair-open", "这条记录已有一件未办结的申请，请等候决定。", conflict=True)
    return repairing.why_not(record, Repair.Ground.WRONG, today)


def period_of(record: CreditRecord, today: dt.date) -> str:
    """Until when a record is shown and from when repair may be asked for, in a sentence; empty for good ones."""
    if record.kind in GOOD:
        return ""
    if record.is_lifted:
        at = record.repaired_at or record.withdrawn_at
        return f"{cn_day(local_date(at))}起停止公示和使用" if at else ""
    if record.repair_from is None:
        return "公示期限、修复条件由认定单位确定"
    shown = "不向社会公示"
    if record.shown_until is not None:
        shown = f"公示至{cn_day(record.shown_until)}" + ("（已届满）" if record.shown_until < today else "")
    return f"{shown}，{cn_day(record.repair_from)}起可以申请修复"
