"""Who may not apply again for a while: whose licence was revoked because it was got by fraud (行政许可法 art. 79)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from approvals.models import Revocation
from catalogue.models import BusinessItem
from credit.joining import lineage
from credit.models import CreditSubject
from deadlines.arithmetic import add_months
from deadlines.clock import local_date

YEARS = 3
BASIS = "行政许可法第七十九条"


@dataclass(frozen=True, slots=True)
class Bar:
    """The number of the decision that bars, the day of it, and the last day on which it holds."""

    number: str
    decided_on: dt.date
    until: dt.date

    @property
    def words(self) -> str:
        """In a sentence, for the window and for the paper."""
        return (
            f"申请人以欺骗、贿赂等不正当手段取得的同一许可已于{_day(self.decided_on)}被撤销（{self.number}），"
            f"依照{BASIS}，{_day(self.until)}以前不得再次申请该行政许可"
        )


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def last_day(decided_on: dt.date) -> dt.date:
    """The last day of the three years: the corresponding day (民法典 arts. 201–202)."""
    return add_months(decided_on, 12 * YEARS)


def bar_of(subject: CreditSubject, item: BusinessItem, today: dt.date) -> Bar | None:
    """What bars the subject from applying for ``item`` on that day; the latest to end. Two statements.

    The same licence is the same approval item, or the one that it inherits from or hands down. A code that took the
    place of another is the same applicant.
    """
    same = {item.item_id} | ({item.standard_item.item_id} if item.standard_item else set())
    of_item = Q(case__business_item__item_id__in=same) | Q(case__business_item__standard_item__item_id__in=same)
    found = (
        Revocation.objects.filter(of_item, licence__holder_id__in=lineage(subject), barred_until__gte=today)
        .select_related("document")
        .order_by("-barred_until", "pk")
        .first()
    )
    if found is None or found.document is None or found.barred_until is None or found.decided_at is None:
        return None
    return Bar(found.document.number, local_date(found.decided_at), found.barred_until)
