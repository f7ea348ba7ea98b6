"""Who is reminded of the credit side's clocks: the officers; of a repair that is late the heads, then the overseers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from credit.enums import CreditAct
from credit.messages import Kind
from credit.models import Breach, Repair
from deadlines import calendar as working_calendar
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from deadlines.registry import AlarmNotice, register
from ledger.record import Draft as LedgerDraft
from ledger.record import record_many
from notifications.outbox import Draft, post
from offices.models import Posting, User
from offices.people import by_department, overseers

KINDS = (KindCode.CREDIT_OBJECTION, KindCode.CREDIT_REPAIR)


class Reminded(NamedTuple):
    """What a reminder is about: its clock, what it is called, and whose it is."""

    clock_id: int
    name: str
    department_id: int
    division_id: int
    # Whether its day rests on a year that is not published yet.
    provisional: bool


def reminded(kind: KindCode, clocks: Sequence[int]) -> list[Reminded]:
    """The breaches or repairs of these clocks; one statement."""
    if kind == KindCode.CREDIT_OBJECTION:
        breaches = Breach.objects.filter(deadline__in=clocks)
        whose = ("department_id", "department__division_id", "deadline__provisional")
        rows = breaches.values_list("deadline_id", "number", *whose)
        return [Reminded(clock, f"{number}的异议期限", *rest) for clock, number, *rest in rows]
    whose = ("record__department_id", "record__department__division_id", "deadline__provisional")
    repairs = Repair.objects.filter(deadline__in=clocks, record__department__isnull=False)
    found = repairs.values_list("deadline_id", "record__source", *whose)
    return [Reminded(clock, f"信用修复申请（{source}）", *rest) for clock, source, *rest in found]


def _text(kind: KindCode, row: Reminded, due_on: dt.date, today: dt.date) -> str:
    name = row.name
    if kind == KindCode.CREDIT_OBJECTION and row.provisional:
        return f"{name}暂计已届满，{due_on.year}年的节假日安排尚未发布，发布后才能决定是否记录。"
    if kind == KindCode.CREDIT_OBJECTION:
        return f"{name}已届满，当事人没有提出异议，请决定是否记录。"
    day = f"{due_on.month}月{due_on.day}日"
    if today < due_on:
        said = f"将于{day}到期"
    elif today == due_on:
        said = "今日到期"
    else:
        late = max(1, working_calendar.recent().count(due_on, today))
        said = f"已超期{late}个工作日（最迟应在{day}办结）"
    return f"{name}{said}，请及时办理。"


def alarm(notices: Sequence[AlarmNotice], now: dt.datetime) -> None:
    """Answer a batch of alarms of one kind: a reminder for each person and clock; statements are constant."""
    kind = KindCode(notices[0].kind)
    by_clock = {notice.deadline_id: notice for notice in notices}
    today = local_date(now)
    rows = reminded(kind, list(by_clock))
    climbing = [row for row in rows if kind == KindCode.CREDIT_REPAIR and by_clock[row.clock_id].stage >= 1]
    officers = by_department(Posting.Role.CREDIT_OFFICER, {row.department_id for row in rows}, today)
    heads = by_department(Posting.Role.DEPARTMENT_HEAD, {row.department_id for row in climbing}, today)
    later = {row.division_id for row in climbing if by_clock[row.clock_id].stage >= 2}
    chasers = overseers(later, today) if later else {}
    drafts, acts = [], []
    for row in rows:
        notice = by_clock[row.clock_id]
        people: list[User] = list(officers.get(row.department_id, []))
        if row in climbing:
            people += heads.get(row.department_id, [])
        if row in climbing and notice.stage >= 2:
            people += chasers.get(row.division_id, [])
        people = list(dict.fromkeys(people))
        drafts += [
            Draft(
                kind=Kind.REMINDER.value,
                text=_text(kind, row, notice.due_on, today),
                dedupe_key=f"alarm:{notice.deadline_id}:{notice.due_on}:{notice.stage}:{person.pk}",
                reference=notice.stream,
                to_user=person,
                bundle_key=f"reminder:{person.pk}:{today}",
                due_on=notice.due_on,
            )
            for person in people
        ]
        data = {
            "deadline": notice.deadline_id, "stage": notice.stage, "missed": list(notice.missed),
            "people": [person.pk for person in people],
        }  # fmt: skip
        acts.append(LedgerDraft(notice.stream, CreditAct.ALARM, data))
    post(drafts, now)
    record_many(acts, at=now)


def connect() -> None:
    """Answer the alarms (from ``apps.py``)."""
    for kind in KINDS:
        register(kind, alarm)
