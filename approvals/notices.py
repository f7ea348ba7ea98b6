"""What the applicant is told by SMS, and the kinds of reminder of the approval side."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from django.conf import settings

from approvals.models import Case
from notifications import kinds
from notifications.outbox import Draft, queue


class Kind(StrEnum):
    """Message kinds of the approval side."""

    RECEIVED = "applicant_received"
    ACCEPTED = "applicant_accepted"
    CORRECTION = "applicant_correction"
    NOT_ACCEPTED = "applicant_not_accepted"
    COMPLETED = "applicant_completed"
    REJECTED = "applicant_rejected"
    CASE_REMINDER = "case_reminder"


LABELS = {
    Kind.RECEIVED: "收件通知",
    Kind.ACCEPTED: "受理通知",
    Kind.CORRECTION: "补正通知",
    Kind.NOT_ACCEPTED: "不予受理通知",
    Kind.COMPLETED: "办结通知",
    Kind.REJECTED: "不予许可通知",
    Kind.CASE_REMINDER: "办件时限提醒",
}


def _day(day: dt.date | None) -> str:
    return f"{day.month}月{day.day}日" if day else ""


def _text(case: Case, kind: Kind) -> str:
    item = case.business_item.name
    if kind == Kind.RECEIVED:
        return f"您申请的{item}已收件，办件编号{case.number}，查询码{case.query_code}。"
    if kind == Kind.ACCEPTED:
        due = case.promised_deadline or case.statutory_deadline
        return f"您申请的{item}（{case.number}）已受理" + (f"，{_day(due.due_on)}前作出决定。" if due else "。")
    if kind == Kind.CORRECTION:
        by = _day(case.answer_deadline.due_on if case.answer_deadline else None)
        return f"您申请的{item}（{case.number}）需要补正，请于{by}前办理，内容见补正告知书。"
    if kind == Kind.NOT_ACCEPTED:
        return f"您申请的{item}（{case.number}）不予受理，理由见不予受理通知书，请到窗口领取。"
    if kind == Kind.COMPLETED:
        return f"您申请的{item}（{case.number}）已办结，请到窗口领取{case.business_item.result_name}。"
    return f"您申请的{item}（{case.number}）已作出决定，请到窗口领取决定书。"


def to_applicant(case: Case, kind: Kind, now: dt.datetime) -> None:
    """Queue one message to the case's contact; once per case and kind."""
    queue(
        [
            Draft(
                kind=kind.value,
                text=_text(case, kind),
                dedupe_key=f"{kind.value}:{case.pk}",
                reference=case.stream,
                phone=case.contact_phone,
            )
        ],
        now,
    )


def portal_address() -> str:
    """The address printed on papers and in QR codes."""
    return str(settings.PUBLIC_BASE_URL).rstrip("/")


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    for kind, label in LABELS.items():
        kinds.register(kinds.MessageKind(kind.value, label, f"SMS_{kind.name}"))
    kinds.uses(*Kind)
