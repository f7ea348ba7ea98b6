"""What the applicant is told by SMS, and the kinds of reminder of the approval side."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from enum import StrEnum

from django.conf import settings

from approvals.models import Case, CaseMaterial
from notifications import kinds
from notifications.outbox import Draft, queue
from offices.models import User

LONGEST_NAMES = 40
LONGEST_NAME = 20


class Kind(StrEnum):
    """Message kinds of the approval side."""

    RECEIVED = "applicant_received"
    ACCEPTED = "applicant_accepted"
    CORRECTION = "applicant_correction"
    NOT_ACCEPTED = "applicant_not_accepted"
    COMPLETED = "applicant_completed"
    REJECTED = "applicant_rejected"
    CASE_REMINDER = "case_reminder"
    DEEMED = "applicant_deemed"
    PROCEDURE_STARTED = "applicant_procedure_started"
    PROCEDURE_ENDED = "applicant_procedure_ended"
    EXTENDED = "applicant_extended"
    DUE_MOVED = "applicant_due_moved"
    CALENDAR_MOVED = "calendar_moved"
    DEEMED_STAFF = "case_deemed"
    EXTENSION_REQUESTED = "extension_requested"
    EXTENSION_ANSWERED = "extension_answered"
    NOBODY_REVIEWS = "nobody_reviews"
    COUNTERSIGN_ASKED = "countersign_asked"
    NOBODY_COUNTERSIGNS = "nobody_countersigns"
    WITHDRAWN = "applicant_withdrawn"
    LAPSED = "applicant_lapsed"
    CASE_ENDED = "case_ended"
    PHONE_CODE = "applicant_phone_code"
    UNVEILED = "case_unveiled"
    OWED_REMINDER = "applicant_owed"
    OWED_LATE = "case_owed_late"
    PROMISE_KEPT = "applicant_promise_kept"
    CANCELLED = "applicant_cancelled"
    LATER_STARTED = "applicant_later"
    APPROVED_OWING = "applicant_approved_owing"
    LATER_EXTENDED = "applicant_later_extended"
    LATER_SETTLED = "applicant_later_settled"
    REVOCATION_PROPOSED = "revocation_proposed"
    REVOCATION_ANSWERED = "revocation_answered"
    HOLDER_NOTICED = "holder_revocation_notice"
    HOLDER_HEARING = "holder_hearing"
    HOLDER_DECIDED = "holder_revocation_decided"
    HOLDER_LICENCE = "holder_licence_changed"


LABELS = {
    Kind.RECEIVED: "收件通知",
    Kind.ACCEPTED: "受理通知",
    Kind.CORRECTION: "补正通知",
    Kind.NOT_ACCEPTED: "不予受理通知",
    Kind.COMPLETED: "办结通知",
    Kind.REJECTED: "不予许可通知",
    Kind.CASE_REMINDER: "办件时限提醒",
    Kind.DEEMED: "视为受理通知",
    Kind.PROCEDURE_STARTED: "特别程序通知",
    Kind.PROCEDURE_ENDED: "恢复计时通知",
    Kind.EXTENDED: "延期通知",
    Kind.DUE_MOVED: "到期日变更通知",
    Kind.CALENDAR_MOVED: "期限变动提醒",
    Kind.DEEMED_STAFF: "视为受理提醒",
    Kind.EXTENSION_REQUESTED: "延期待批提醒",
    Kind.EXTENSION_ANSWERED: "延期批复提醒",
    Kind.NOBODY_REVIEWS: "无人审查提醒",
    Kind.COUNTERSIGN_ASKED: "待会签提醒",
    Kind.NOBODY_COUNTERSIGNS: "无人会签提醒",
    Kind.OWED_REMINDER: "补交材料提醒",
    Kind.OWED_LATE: "补交逾期待处理提醒",
    Kind.PROMISE_KEPT: "承诺逾期处理通知",
    Kind.CANCELLED: "撤销办理通知",
    Kind.LATER_STARTED: "容缺补交通知",
    Kind.APPROVED_OWING: "准予许可、待补交材料通知",
    Kind.LATER_EXTENDED: "容缺延期通知",
    Kind.LATER_SETTLED: "容缺逾期处理通知",
    Kind.WITHDRAWN: "撤回申请通知",
    Kind.LAPSED: "终止办理通知",
    Kind.CASE_ENDED: "办件终止提醒",
    Kind.PHONE_CODE: "短信验证码",
    Kind.REVOCATION_PROPOSED: "撤销建议待办提醒",
    Kind.REVOCATION_ANSWERED: "持证人陈述提醒",
    Kind.HOLDER_NOTICED: "拟撤销许可告知",
    Kind.HOLDER_HEARING: "听证通知",
    Kind.HOLDER_DECIDED: "撤销许可决定通知",
    Kind.HOLDER_LICENCE: "证照变动通知",
    Kind.UNVEILED: "决定前查看申请人提醒",
}


# A code that somebody waits for, and a look past the blindness, go at any hour.
AT_ONCE = {Kind.PHONE_CODE, Kind.UNVEILED}


# The catalogue says of a sentence that it is not certain; whoever reads a message or a paper needs the sentence alone.
EDITORS_MARK = re.compile(r"[（(](?:演示口径|待核实)(?:[，、,；;\s]*(?:演示口径|待核实))*[）)]")


def for_people(text: str) -> str:
    """A sentence of the catalogue without the editors' marks on its certainty."""
    return EDITORS_MARK.sub("", text)


def latest(day: dt.date) -> str:
    """The last day on which something may come in, that day included: 最迟2026年12月1日（含当日）."""
    return f"最迟{day.year}年{day.month}月{day.day}日（含当日）"


def _day(day: dt.date | None) -> str:
    return f"{day.month}月{day.day}日" if day else ""


def _text(case: Case, kind: Kind) -> str:
    item = case.business_item.name
    if kind == Kind.RECEIVED:
        return f"您申请的{item}已收件，办件编号{case.number}，查询码{case.query_code}。"
    if kind == Kind.ACCEPTED:
        due = case.decision_deadline
        return f"您申请的{item}（{case.number}）已受理" + (f"，{_day(due.due_on)}前作出决定。" if due else "。")
    if kind == Kind.CORRECTION:
        by = _day(case.answer_deadline.due_on if case.answer_deadline else None)
        return f"您申请的{item}（{case.number}）需要补正，请于{by}前办理，内容见补正告知书。"
    if kind == Kind.NOT_ACCEPTED and case.is_filing:
        return f"您报送的{item}（{case.number}）不予备案，理由见不予备案通知书，请到窗口领取。"
    if kind == Kind.NOT_ACCEPTED:
        return f"您申请的{item}（{case.number}）不予受理，理由见不予受理通知书，请到窗口领取。"
    if kind == Kind.COMPLETED:
        return f"您申请的{item}（{case.number}）已办结，请到窗口领取{case.business_item.result_name}。"
    return f"您申请的{item}（{case.number}）已作出决定，请到窗口领取决定书。"


def names_of_lines(lines: Sequence[CaseMaterial]) -> str:
    """What is owed, short enough for an SMS: all names, or the first and how many there are."""
    quoted = "、".join(f"“{line.name}”" for line in lines)
    if len(quoted) <= LONGEST_NAMES or not lines:
        return quoted
    first = lines[0].name
    first = first if len(first) <= LONGEST_NAME else f"{first[: LONGEST_NAME - 1]}…"
    return f"“{first}”" if len(lines) == 1 else f"“{first}”等{len(lines)}项材料"


def draft_to_applicant(case: Case, kind: Kind) -> Draft:
    """One message to the case's contact; once per case and kind."""
    return Draft(
        kind=kind.value,
        text=_text(case, kind),
        dedupe_key=f"{kind.value}:{case.pk}",
        reference=case.stream,
        phone=case.contact_phone,
    )


def to_applicant(case: Case, kind: Kind, now: dt.datetime) -> None:
    """Queue one message to the case's contact."""
    queue([draft_to_applicant(case, kind)], now)


def tell(case: Case, kind: Kind, text: str, occasion: str, now: dt.datetime) -> None:
    """Queue a message to the case's contact about something that may happen more than once; once an ``occasion``."""
    queue(
        [
            Draft(
                kind=kind.value,
                text=f"您申请的{case.business_item.name}（{case.number}）{text}",
                dedupe_key=f"{kind.value}:{case.pk}:{occasion}",
                reference=case.stream,
                phone=case.contact_phone,
            )
        ],
        now,
    )


def tell_people(case: Case, kind: Kind, text: str, occasion: str, people: Sequence[User], now: dt.datetime) -> None:
    """Queue a message about a case to each of ``people``, once an ``occasion``."""
    queue(
        [
            Draft(
                kind=kind.value,
                text=text,
                dedupe_key=f"{kind.value}:{case.pk}:{occasion}:{person.pk}",
                reference=case.stream,
                to_user=person,
            )
            for person in dict.fromkeys(people)
        ],
        now,
    )


def portal_address() -> str:
    """The address printed on papers and in QR codes."""
    return str(settings.PUBLIC_BASE_URL).rstrip("/")


def register() -> None:
    """Enter the kinds in the table (from ``apps.py``)."""
    for kind, label in LABELS.items():
        kinds.register(kinds.MessageKind(kind.value, label, f"SMS_{kind.name}", kind in AT_ONCE))
    kinds.uses(*Kind)
