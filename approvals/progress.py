"""What an applicant may know of a case: the line of steps, the day, what to do next. No officer, no full identity.

Source: O3.3.2a (progress at any time, without officers' names), O3.1.2c; 行政许可法 arts. 32, 42, 44.
"""

from __future__ import annotations

import datetime as dt
import hmac
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from approvals import limiter
from approvals.enums import CaseStatus, Outcome
from approvals.models import Case, Licence, NotAccepted, Opinion
from approvals.papers import REMEDIES, cn_day
from credit.models import CreditSubject
from deadlines.models import Deadline
from offices.crypto import mask_name

S = CaseStatus
STEPS = ("提交", "收件", "受理", "审查", "决定", "制证", "送达", "评价")
# A wrong code weighs as much as this many right ones, on the address and on the number.
WRONG = 5
# Compared with when the number is unknown, so that both answers cost the same.
NO_CODE = "-" * 8


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the progress line; ``state`` as ``components/progress_line.html`` names them."""

    label: str
    state: str
    at: dt.datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What the applicant does next: a sentence, perhaps with points and a last day."""

    tone: str
    title: str
    text: str
    points: Sequence[str] = ()
    remedies: str = ""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """How far supervision has come after the licence, in the words of the public; no officer, no measure."""

    department: str
    subject: str
    stage: str
    done: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything that the result page shows."""

    number: str
    item: str
    authority: str
    applicant: str
    is_person: bool
    status: CaseStatus
    label: str
    steps: list[Step]
    next: Next
    deadline: Deadline | None
    statutory: Deadline | None
    on_the_spot: bool
    afterwards: list[Afterwards] = field(default_factory=list)


Provider = Callable[[int], list[Afterwards]]
_providers: list[Provider] = []


def provide_afterwards(provider: Provider) -> None:
    """Let the supervision side say what follows a completed case (by its id); one statement, one provider."""
    if provider not in _providers:
        if _providers:
            raise ImproperlyConfigured("somebody already says what follows a completed case")
        _providers.append(provider)


def clean(text: str) -> str:
    """Bring a typed number or code into its one shape: half width, upper case, no blanks or dashes."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def find(number: str, code: str, address: str) -> Case | None:
    """Return the case whose number and query code these are, else None: an unknown number and a wrong code are one.

    One statement. Raises ``RateLimited``, before looking, when the address or the number was asked for too often;
    a wrong answer weighs ``WRONG`` times a right one.
    """
    rate = limiter.Rate.parse(settings.PROGRESS_RATE)
    keys = (f"progress:address:{address}", f"progress:number:{number}")
    limiter.charge(keys, rate)
    case = (
        Case.objects.filter(number=number)
        .select_related(
            "business_item__item", "department", "applicant",
            "opinion", "correction_notice", "refusal", "decision", "licence",
            "notice_deadline", "answer_deadline", "statutory_deadline", "promised_deadline", "issue_deadline",
        )
        .defer("contact_phone", "applicant__id_number")
        .first()
    )  # fmt: skip
    known = case.query_code if case else NO_CODE
    if hmac.compare_digest(known.encode(), code.encode()) and case is not None:
        return case
    # This question was still within its limit and is answered; the next one may not be.
    with suppress(limiter.RateLimited):
        limiter.charge(keys, rate, WRONG - 1)
    return None


def show(case: Case) -> Progress:
    """Return what the public may see of a case from ``find``; one statement for the supervision side once completed."""
    person = case.applicant.kind == CreditSubject.Kind.PERSON
    completed = case.status == S.COMPLETED and case.outcome != Outcome.REFUSED
    return Progress(
        number=case.number,
        item=case.business_item.name,
        authority=case.department.name,
        applicant=mask_name(case.applicant_name) if person else case.applicant_name,
        is_person=person,
        status=CaseStatus(case.status),
        label=_label(case),
        steps=steps(case),
        next=advise(case),
        deadline=case.current_deadline,
        statutory=case.statutory_deadline,
        on_the_spot=case.business_item.is_on_the_spot,
        afterwards=[row for provider in _providers for row in provider(case.pk)] if completed else [],
    )


def _label(case: Case) -> str:
    if case.outcome and case.status == S.COMPLETED:
        return f"{Outcome(case.outcome).label}，{'已送达' if case.delivered_at else '待领取'}"
    return CaseStatus(case.status).label


def _related(case: Case, name: str) -> Any:
    """The row of a one-to-one relation, or None: its absence is an ``AttributeError`` to Django as well."""
    return getattr(case, name, None)


def _due(deadline: Deadline | None) -> str:
    return cn_day(deadline.due_on) if deadline else ""


def steps(case: Case) -> list[Step]:
    """The public's line: 提交 → 收件 → 受理 → 审查 → 决定 → 制证 → 送达 → 评价, each with its day."""
    done, current, todo, skipped, stopped = "done", "current", "todo", "skipped", "stopped"
    line = [Step("提交", done, case.received_at), Step("收件", done, case.received_at)]
    refusal: NotAccepted | None = _related(case, "refusal")
    if refusal is not None:
        line.append(Step("不予受理", stopped, refusal.issued_at))
        return line + [Step(label, skipped) for label in STEPS[3:]]
    if case.accepted_at is None:
        waiting = case.status == S.CORRECTION_REQUESTED
        note = f"请于{_due(case.answer_deadline)}前补正" if waiting else f"{_due(case.notice_deadline)}前答复"
        return [*line, Step("受理", current, None, note), *(Step(label, todo) for label in STEPS[3:])]
    line.append(Step("受理", done, case.accepted_at))
    licence: Licence | None = _related(case, "licence")
    rejected = case.status == S.REJECTED or case.outcome == Outcome.REFUSED
    opinion: Opinion | None = _related(case, "opinion")
    if case.outcome == Outcome.FILED:
        line += [Step("审查", skipped, None, "备案不设审批"), Step("决定", skipped)]
    elif case.decided_at is not None:
        reviewed = opinion.given_at if opinion else case.decided_at
        line += [
            Step("审查", done, reviewed),
            Step("决定", done, case.decided_at, "不予许可" if rejected else "准予许可"),
        ]
    else:
        promised = case.promised_deadline or case.statutory_deadline
        note = f"{_due(promised)}前决定" if promised else ""
        if opinion is not None:
            line += [Step("审查", done, opinion.given_at), Step("决定", current, None, note)]
        else:
            line += [Step("审查", current, None, note), Step("决定", todo)]
        return line + [Step(label, todo) for label in STEPS[5:]]
    if rejected:
        line.append(Step("制证", skipped))
    elif licence is None:
        line.append(Step("制证", current, None, f"{_due(case.issue_deadline)}前制证送达"))
        return line + [Step(label, todo) for label in STEPS[6:]]
    else:
        line.append(Step("制证", done, licence.issued_at))
    if case.delivered_at is None:
        return [*line, Step("送达", current, None, "可以领取"), Step("评价", todo)]
    return [*line, Step("送达", done, case.delivered_at), Step("评价", current, None, "可拨打 12345")]


def _texts(points: Sequence[dict[str, str]]) -> list[str]:
    return [point["text"] for point in points]


def advise(case: Case) -> Next:
    """What the applicant has to do now, or that there is nothing to do."""
    status = CaseStatus(case.status)
    if status == S.SUBMITTED:
        notice = _related(case, "correction_notice")
        text = "补正材料已收到，" if notice is not None and notice.answered_at else "材料已收到，"
        return Next(
            "info",
            "您现在不用做什么",
            f"{text}窗口将在{_due(case.notice_deadline)}前告知是否受理，或者一次性告知需要补正的全部内容。",
        )
    if status == S.CORRECTION_REQUESTED:
        notice = _related(case, "correction_notice")
        return Next(
            "warn",
            f"请您在{_due(case.answer_deadline)}前补正",
            "以下是须补正的全部内容，一次告知，此后不再增加。补齐后请交到原收件窗口。",
            _texts(notice.points) if notice else (),
        )
    if status == S.NOT_ACCEPTED:
        refusal: NotAccepted | None = _related(case, "refusal")
        reason = f"{refusal.get_ground_display()}。{refusal.reason}" if refusal else ""
        return Next("bad", "这件申请不予受理", f"理由：{reason}不予受理通知书可在收件窗口领取。", (), REMEDIES)
    if status in {S.ACCEPTED, S.IN_REVIEW}:
        due = _due(case.promised_deadline or case.statutory_deadline)
        return Next("info", "您现在不用做什么", f"申请已受理，{f'将在{due}前作出决定' if due else '正在办理'}。")
    if status == S.APPROVED:
        return Next(
            "good", "已准予许可，正在制证", f"证件将在{_due(case.issue_deadline)}前制成并送达，制成后短信通知您领取。"
        )
    if status == S.REJECTED or case.outcome == Outcome.REFUSED:
        decision = case.decision
        where = "" if case.delivered_at else "请凭本人证件到出件窗口领取决定书。"
        return Next(
            "bad", "决定不予许可", f"全部理由如下，以送达的决定书为准。{where}", _texts(decision.grounds), REMEDIES
        )
    if case.delivered_at is None:
        paper = "备案凭证" if case.outcome == Outcome.FILED else "证件"
        return Next("good", f"{paper}已制成，请领取", "请凭本办件的接收凭证和本人证件到出件窗口领取，也可以办理邮寄。")
    return Next("good", "这件事已经办完", "结果已经送达。如对办理过程有意见建议，请拨打 12345。")
