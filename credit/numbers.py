"""Numbers of the notices that tell a subject of what is to be recorded of it."""

from __future__ import annotations

import datetime as dt

from credit.models import Breach
from deadlines.clock import local_date
from offices.models import Department


def notice_number(department: Department, at: dt.datetime) -> str:
    """Return the next number of the department's series for the year: 连市监信告〔2026〕12号; inside a transaction.

    The department's row is locked until that ends. A notice is never deleted, so the count of the year's notices is the
    last number given: no gap and no repeat.
    """
    Department.objects.select_for_update(of=("self",), no_key=True).get(pk=department.pk)
    year = local_date(at).year
    prefix = f"{department.division.document_prefix}{department.short_name}信告〔{year}〕"
    return f"{prefix}{Breach.objects.filter(department=department, number__contains=f'〔{year}〕').count() + 1}号"
