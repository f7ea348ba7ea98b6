"""What a credit officer's department found and the records of it, in parts; one statement a list, one its counts.

The counts are bounded (``offices.tally``): a department may have tens of thousands of records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import DateField, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from credit.models import Breach, CreditFact, CreditRecord, Repair
from credit.models.records import KEPT
from credit.using import has_run_out, in_use, run_out
from deadlines.models import Deadline
from offices.access import Access
from offices.models import Posting
from offices.tally import tally, up_to


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a list: its order, what it is about, what to say when it is empty."""

    key: str
    label: str
    order: tuple[str, ...]
    lead: str
    empty: str
    tone: str = "neutral"


FACTS = (
    Tab("", "待告知", ("id",), "先核对事实和目录，再书面告知当事人；告知之前不能记录。", "没有待告知的事实", "active"),
    Tab("told", "等候异议", ("id",), "当事人在期限内可以提出异议，期限届满之前不能记录。", "没有等候异议的事项"),
    Tab("ready", "待决定", ("id",), "当事人提出了异议，或者异议期限已过，请决定是否记录。", "没有待决定的事项", "warn"),
    Tab("settled", "已决定", ("-id",), "已经记录或者决定不予记录的，新的在前。", "还没有决定过"),
)
RECORDS = (
    Tab("", "使用中", ("-id",), "没有期满、没有修复或者更正的记录，新的在前。", "没有使用中的记录"),
    Tab(
        "waiting", "申请待办", ("due_on", "id"), "当事人申请修复或者更正，先到期的在前，请在期限内决定。",
        "没有待办的申请", "warn",
    ),
    Tab("ended", "已期满", ("-id",), "公示期满，或者不公示而认定已满三年，自动停止使用。", "没有期满的记录"),
    Tab("lifted", "已修复或更正", ("-id",), "已停止公示和使用，仅供留痕查阅。", "没有修复或者更正过的记录"),
)  # fmt: skip


def tab_of(tabs: tuple[Tab, ...], key: str) -> Tab:
    """The part of that key, or the first."""
    return next((tab for tab in tabs if tab.key == key), tabs[0])


def own(access: Access) -> set[int]:
    """Ids of the departments for which the person manages credit."""
    return access.departments(Posting.Role.CREDIT_OFFICER)


# --- facts and what became of them


def facts(access: Access) -> QuerySet[CreditFact]:
    """What the person's departments found."""
    return CreditFact.objects.filter(department__in=own(access))


def fact_condition(key: str, today: dt.date) -> Q:
    """What is in a part on the local day ``today``."""
    told = Q(breach__status=Breach.Status.TOLD)
    over = Q(breach__deadline__provisional=False, breach__deadline__due_on__lt=today)
    return {
        "": Q(settled_at__isnull=True, breach__isnull=True),
        "told": told & ~over,
        "ready": Q(breach__status=Breach.Status.OBJECTED) | (told & over),
        "settled": Q(settled_at__isnull=False),
    }[key]


def facts_searched(rows: QuerySet[CreditFact], text: str) -> QuerySet[CreditFact]:
    """By the finding's or the notice's number, the name or the whole code of the subject."""
    if not text:
        return rows
    return rows.filter(
        Q(source__icontains=text)
        | Q(breach__number__icontains=text)
        | Q(subject__name__icontains=text)
        | Q(subject__code__iexact=text)
    )


def facts_with_rows(rows: QuerySet[CreditFact]) -> QuerySet[CreditFact]:
    """With everything that a line shows."""
    return rows.select_related("subject", "breach__deadline").defer("subject__id_number", "phone", "breach__phone")


def _facts(access: Access, today: dt.date) -> dict[str, QuerySet[CreditFact]]:
    return {tab.key: facts(access).filter(fact_condition(tab.key, today)) for tab in FACTS}


def fact_counts(access: Access, today: dt.date) -> dict[str, str]:
    """How many are in each part, each up to 99; one statement."""
    return {key: up_to(found) for key, found in tally(access, _facts, today).items()}


# --- records


def records(access: Access) -> QuerySet[CreditRecord]:
    """Records of what the person's departments found."""
    return CreditRecord.objects.filter(department__in=own(access))


def record_condition(key: str, today: dt.date) -> Q:
    """What is in a part on the local day ``today``; the last day of display is still shown."""
    lifted = Q(repaired_at__isnull=False) | Q(withdrawn_at__isnull=False)
    open_one = Exists(Repair.objects.filter(record=OuterRef("pk"), granted__isnull=True))
    return {
        "": in_use(today),
        "waiting": Q(open_one),
        "ended": run_out(today),
        "lifted": lifted,
    }[key]


def records_in(access: Access, key: str, today: dt.date) -> QuerySet[CreditRecord]:
    """Records of a part; of those that wait with ``due_on``, the day of their open request, never null.

    There is one open request a record (``repair_one_open``).
    """
    rows = records(access).filter(record_condition(key, today))
    if key != "waiting":
        return rows
    asked = FilteredRelation("repairs", condition=Q(repairs__granted__isnull=True))
    due_on = Coalesce(F("asked__deadline__due_on"), Value(dt.date.max), output_field=DateField())
    return rows.annotate(asked=asked, due_on=due_on)


def clocks_of(rows: Collection[CreditRecord]) -> dict[int, Deadline]:
    """Record → the clock of its open request; one statement."""
    found = Repair.objects.filter(record__in=[row.pk for row in rows], granted__isnull=True, deadline__isnull=False)
    return {repair.record_id: repair.deadline for repair in found.select_related("deadline") if repair.deadline}


def records_searched(rows: QuerySet[CreditRecord], text: str) -> QuerySet[CreditRecord]:
    """By the finding's or the notice's number, the name or the whole code of the subject."""
    if not text:
        return rows
    return rows.filter(
        Q(source__icontains=text)
        | Q(breach__number__icontains=text)
        | Q(subject__name__icontains=text)
        | Q(subject__code__iexact=text)
    )


def records_with_rows(rows: QuerySet[CreditRecord]) -> QuerySet[CreditRecord]:
    """With everything that a line shows."""
    return rows.select_related("subject").defer("subject__id_number")


def _records(access: Access, today: dt.date) -> dict[str, QuerySet[CreditRecord]]:
    return {tab.key: records(access).filter(record_condition(tab.key, today)) for tab in RECORDS}


def record_counts(access: Access, today: dt.date) -> dict[str, str]:
    """How many are in each part, each up to 99; one statement."""
    return {key: up_to(found) for key, found in tally(access, _records, today).items()}


def state_of(record: CreditRecord, today: dt.date) -> dict[str, str]:
    """Where a record is, as a badge: its word and tone.

    Of what speaks for a subject, and of what is shown elsewhere or not, no more than whether it is used.
    """
    if record.withdrawn_at is not None:
        return {"label": "已更正撤回", "tone": "neutral"}
    if record.repaired_at is not None:
        return {"label": "已修复", "tone": "good"}
    if has_run_out(record, today):
        return {"label": "公示期满" if record.shown_until else "已满三年，不再使用", "tone": "neutral"}
    if record.kind in KEPT:
        return {"label": "使用中", "tone": "good"}
    if record.origin == CreditRecord.Origin.PLATFORM:
        return {"label": "使用中", "tone": "warn"}
    return {"label": "公示中" if record.shown_until else "使用中，不公示", "tone": "warn"}
