"""联合奖惩 that the person's departments decided on, in parts; one statement a list, one its counts."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from credit.lists import Tab, own
from credit.models import JointMeasure
from offices.access import Access
from offices.lists import counted
from offices.models import Department
from offices.refusals import Refused

MEASURES = (
    Tab("", "实施中", ("-id",), "正在实施和将要开始的奖惩措施，到期自动结束，新的在前。", "没有实施中的奖惩措施"),
    Tab("ended", "已结束", ("-id",), "到期、提前终止或者随信用修复终止的，新的在前。", "没有结束的奖惩措施"),
)


def measures(access: Access) -> QuerySet[JointMeasure]:
    """What the person's departments decided."""
    return JointMeasure.objects.filter(department__in=own(access))


def condition(key: str, today: dt.date) -> Q:
    """What is in a part on the local day ``today``; the last day still counts."""
    running = Q(ended_at__isnull=True, ends_on__gte=today)
    return ~running if key == "ended" else running


def searched(rows: QuerySet[JointMeasure], text: str) -> QuerySet[JointMeasure]:
    """By the measure, the number of the record's paper, the name or the whole code of the subject."""
    if not text:
        return rows
    return rows.filter(
        Q(what__icontains=text)
        | Q(record__source__icontains=text)
        | Q(subject__name__icontains=text)
        | Q(subject__code__iexact=text)
    )


def with_rows(rows: QuerySet[JointMeasure]) -> QuerySet[JointMeasure]:
    """With everything that a line shows."""
    return rows.select_related("subject", "record", "department").defer("subject__id_number")


def counts(access: Access, today: dt.date) -> dict[str, int]:
    """How many are in each part; one statement."""
    found = counted(measures(access), {tab.key or "live": condition(tab.key, today) for tab in MEASURES})
    return found | {"": found["live"]}


def state_of(measure: JointMeasure, today: dt.date) -> dict[str, str]:
    """Where a measure is, as a badge: its word and tone."""
    if measure.ended_at is not None:
        return {"label": "提前终止", "tone": "neutral"}
    if measure.ends_on < today:
        return {"label": "已到期", "tone": "neutral"}
    if measure.starts_on > today:
        return {"label": "未开始", "tone": "active"}
    return {"label": "实施中", "tone": "good" if measure.kind == JointMeasure.Kind.REWARD else "warn"}


def department_for(access: Access, chosen: int | None) -> Department:
    """The department that decides: the chosen one of the person's, or the only one.

    Raises ``Refused`` (``measure-department-missing``).
    """
    mine = own(access)
    pk = chosen if chosen is not None else min(mine) if len(mine) == 1 else None
    if pk is None or pk not in mine:
        raise Refused("measure-department-missing", "请选择作出决定的单位。", field="department")
    return Department.objects.get(pk=pk)
