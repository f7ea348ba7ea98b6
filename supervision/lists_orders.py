"""The orders to mend that a person may see, in parts: running, nearly due, overdue, waiting for the head, settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from offices.access import Access
from offices.tally import tally, up_to
from supervision.enums import OrderStatus
from supervision.models import Rectification
from supervision.models.tasks import seen_by

RUNS = Q(status=OrderStatus.RUNNING)
WAITS = RUNS & Q(extension_asked_at__isnull=False, extension_granted__isnull=True)


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of the list: its order, what it is about, what to say when it is empty."""

    key: str
    label: str
    order: tuple[str, ...]
    lead: str
    empty: str
    tone: str = "neutral"


TABS = (
    Tab("", "整改中", ("due_on", "id"), "期限早的在前；届满前后，请复查并认定结果。", "没有整改中的通知书", "active"),
    Tab("due", "即将到期", ("due_on", "id"), "整改期限将到的通知书，请安排复查。", "没有即将到期的通知书", "warn"),
    Tab("overdue", "已逾期", ("due_on", "id"), "整改期限已过，请复查并认定结果。", "没有逾期的通知书", "bad"),
    Tab("waiting", "延期待批", ("due_on", "id"), "由部门负责人在整改期限届满前批复。", "没有待批的延期申请", "warn"),
    Tab("settled", "已认定", ("-id",), "已经认定整改结果的通知书，新的在前。", "还没有认定过整改结果"),
)  # fmt: skip


def tab_of(key: str) -> Tab:
    """The part of that key, or the first."""
    return next((tab for tab in TABS if tab.key == key), TABS[0])


def mine(access: Access) -> QuerySet[Rectification]:
    """Orders of the tasks that the person sees; by the task's own columns, which are read for the row anyhow."""
    return Rectification.objects.filter(seen_by(access, "task__"))


def condition(key: str, today: dt.date) -> Q:
    """What is in a part on the local day ``today``."""
    running = RUNS
    return {
        "": running,
        "due": running & Q(due_on__gte=today, deadline__yellow_on__lte=today),
        "overdue": running & Q(due_on__lt=today),
        "waiting": WAITS,
        "settled": ~running,
    }[key]


def searched(orders: QuerySet[Rectification], text: str) -> QuerySet[Rectification]:
    """By the paper's or the task's number, the subject, the item or the sub-item."""
    if not text:
        return orders
    return orders.filter(
        Q(paper__number__icontains=text)
        | Q(task__number__icontains=text)
        | Q(task__subject_name__icontains=text)
        | Q(task__subject__code__iexact=text)
        | Q(task__business_item__name__icontains=text)
        | Q(task__sub_item__name__icontains=text)
    )


def with_rows(orders: QuerySet[Rectification]) -> QuerySet[Rectification]:
    """With everything that a line shows; one statement."""
    return orders.select_related(
        "paper", "deadline", "task__subject", "task__business_item", "task__sub_item", "task__office__department"
    ).defer("task__subject__id_number")


def rows_of(keys: Sequence[int]) -> QuerySet[Rectification]:
    """The orders of these keys with everything that a line shows; in no order."""
    return with_rows(Rectification.objects.filter(pk__in=keys)).order_by()


def _parts(access: Access, today: dt.date) -> dict[str, QuerySet[Rectification]]:
    running = mine(access).filter(RUNS)
    parts = {tab.key: running.filter(condition(tab.key, today)) for tab in TABS if tab.key != "settled"}
    return parts | {"settled": mine(access).filter(condition("settled", today))}


def counts(access: Access, today: dt.date) -> dict[str, str]:
    """How many are in each part, up to 99. One statement."""
    return {key: up_to(found) for key, found in tally(access, _parts, today).items()}
