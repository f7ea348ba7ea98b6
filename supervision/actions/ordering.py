"""责令限期整改: the order, its extension by the head, the re-inspection's verdict, and what the feedback makes of it.

Every act locks the task first; an order changes only under that lock. A day is over when the local date is after it.
Source: L10b, L10c; 行政处罚法 art. 28 (an order to correct with a day), 行政复议法 art. 20, 行政诉讼法 art. 46.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q

from approvals.exceptions import Refused, TransitionNotAllowed
from approvals.models import Licence
from approvals.papers import cn_day
from approvals.reasons import grave
from deadlines.actions import cancel_deadline, closing_entry, meet_deadline, start_deadline
from deadlines.clock import local_date
from deadlines.kinds import KindCode
from ledger.record import Draft, record_many
from lianyungang_gov.faults import reach
from notifications import outbox
from offices.history import save_at
from offices.models import User
from supervision import papers, stock
from supervision.actions import following, visiting
from supervision.enums import (
    FindingKind,
    InspectionKind,
    OrderStatus,
    Origin,
    PaperKind,
    Result,
    TaskAct,
    TaskEnd,
    TaskStatus,
)
from supervision.messages import Kind, reference_of
from supervision.messages_orders import OrderKind, to_people, to_subject
from supervision.models import Feedback, Finding, Inspection, Rectification, SupervisionTask
from supervision.models.orders import unanswered
from supervision.words import seen, visible

# A written day that is further away than this is a slip of the pen.
LONGEST_ORDER = dt.timedelta(days=180)
ORDERABLE = (TaskStatus.IN_PROGRESS, TaskStatus.FINISHED, TaskStatus.FED_BACK)
LONGEST = {"facts": 4000, "basis": 300, "demands": 4000, "consequence": 300, "reason": 300, "answer": 300}
NAMES = {"facts": "事实", "basis": "依据", "demands": "整改要求", "consequence": "逾期后果"}
PROMISE_BASIS = "国办发〔2020〕42号、《连云港市审管联动工作实施方案》（连政办发〔2022〕67号）"
UNMENDED = (OrderStatus.NOT_MENDED, OrderStatus.REFUSED)
SETTLED = (OrderStatus.MENDED, *UNMENDED)
# What the reason of a verdict against the subject has to say.
GRAVE = {
    OrderStatus.NOT_MENDED: "认定逾期未改或者复查不合格，请写明复查时哪些没有改正",
    OrderStatus.REFUSED: "认定拒不整改，请写明何人、何时、怎样拒绝",
}
STANDING = (Licence.State.VALID, Licence.State.SUSPENDED)


def said(value: str, field: str, code: str, message: str, longest: int = 2000) -> str:
    """``value`` without its margins; raises ``Refused`` where nothing to be seen, or too much, was written."""
    text = seen(value, field)
    if not text:
        raise Refused(code, message, field=field)
    if len(text) > longest:
        raise Refused("text-too-long", f"最多 {longest} 字，现为 {len(text)} 字，请精简。", field=field)
    return text


# --- what is known before an order


def faulty(task: SupervisionTask) -> Inspection | None:
    """The newest first inspection of the task that stands and found something 不符合; one statement."""
    found = task.inspections.standing().filter(kind=InspectionKind.FIRST, result=Result.NONCONFORMING)
    return found.order_by("-order").first()


def found_since(order: Rectification) -> bool:
    """Whether a record that came after the newest order found 不符合, and stands; one statement."""
    return unanswered(order.task).exists()


def faults_of(records: Iterable[Inspection]) -> list[Finding]:
    """What the records found 不符合, in their order; one statement."""
    found = Finding.objects.filter(inspection__in=records, result=Result.NONCONFORMING)
    return list(found.order_by("inspection__order", "order"))


def breaks_promise(order: Rectification) -> bool:
    """Whether a record that the order answers found a clause of the promise 不符合; one statement."""
    clauses = Finding.objects.filter(kind=FindingKind.CLAUSE, result=Result.NONCONFORMING)
    return clauses.filter(inspection__in=order.records()).exists()


def drafted(task: SupervisionTask, records: Sequence[Inspection]) -> dict[str, str]:
    """The order as the findings of the records that it answers suggest it; the manager may change every word of it."""
    faults = _said_once(faults_of(records))
    broken = any(fault.kind == FindingKind.CLAUSE for fault in faults)
    facts = "\n".join(f"{number}．{_fact(fault)}" for number, fault in enumerate(faults, start=1))
    source = task.sub_item.source
    return {
        "facts": facts or "\n".join(record.summary for record in records),
        "basis": (f"{source}；{PROMISE_BASIS}" if broken else source)[: LONGEST["basis"]],
        "demands": "\n".join(_demands(faults)),
        "consequence": "逾期不改正或者改正后仍不符合许可条件的，依法撤销行政许可决定，违背承诺的情况纳入信用记录。"
        if broken
        else "逾期不改正的，依照有关法律、法规的规定处理。",
    }


def _said_once(faults: Iterable[Finding]) -> list[Finding]:
    """Without what a later record repeats word for word."""
    return list({(fault.kind, fault.key, fault.words): fault for fault in faults}.values())


def _fact(fault: Finding) -> str:
    """What is wrong: with the promise that it breaks, or what was found at a point of the checklist."""
    return f"{fault.text}：{fault.words}" if fault.kind == FindingKind.CLAUSE or not fault.words else fault.words


def _demands(faults: Sequence[Finding]) -> list[str]:
    """What to mend, in the words of what was found; a point of the checklist names a duty of the agency, never this."""
    found = [
        f"对照承诺“{fault.text}”，改正检查发现的问题：{fault.words}"
        if fault.kind == FindingKind.CLAUSE
        else f"改正检查发现的问题：{fault.words}"
        for fault in faults
        if fault.words
    ]
    return [f"{number}．{text.rstrip('。；，')}。" for number, text in enumerate(found, start=1)]


def newest(task: SupervisionTask) -> Rectification | None:
    """The newest order of the task, with its paper."""
    return task.orders.select_related("paper").order_by("-pk").first()


def looked_again(order: Rectification) -> Inspection | None:
    """The newest re-inspection of the task since the order, that has not settled another one; one statement.

    Newest is what was looked at last: a record may arrive long after one of a later look.
    """
    again = Inspection.objects.standing().filter(
        task=order.task_id, kind=InspectionKind.AGAIN, recorded_at__gte=order.issued_at
    )
    return again.filter(Q(settles__isnull=True) | Q(settles=order)).order_by("-ended_at", "-pk").first()


def stands(licence: Licence | None) -> bool:
    """Whether there is a licence that can be revoked."""
    return licence is not None and licence.state in STANDING and licence.deregistered_on is None


def first_day(order: Rectification) -> dt.date | None:
    """The day that the notice says, where the head has given another one since."""
    return dt.date.fromisoformat(order.paper.content["due_on"]) if order.extension_granted else None


def irrevocable(task: SupervisionTask, today: dt.date) -> str:
    """Why the task's licence cannot be revoked through the system and what is left to do; two statements at most.

    That the task may be closed is said where that is so.
    """
    if task.licence_id is not None:
        why = "证照已不能撤销"
    elif task.origin == Origin.CASE:
        why = "这件任务没有可以撤销的证照"
    else:
        why = "系统内没有这件证照，不能在线建议撤销"
    close = "；没有必要继续的，按“证照已失效”归档" if licence_over(task, today) else ""
    return f"{why}，请移送执法{close}。"


def what_follows(task: SupervisionTask, order: Rectification, today: dt.date) -> str:
    """What an order that was settled leaves to be done, in one sentence; empty where it leaves nothing."""
    if order.status not in UNMENDED or task.status != TaskStatus.RECTIFYING:
        return ""
    if not stands(task.licence):
        return irrevocable(task, today)
    if breaks_promise(order):
        return "当事人违背承诺，没有改正，请建议撤销许可；有违法行为的，也可以移送执法。"
    return "当事人没有改正，请移送执法；不再符合许可条件的，也可以建议撤销许可。"


# --- the order


@transaction.atomic
def order_rectification(
    task: SupervisionTask, *, facts: str, basis: str, demands: str, consequence: str, due_on: dt.date | None,
    by: User, now: dt.datetime,
) -> Rectification:  # fmt: skip
    """责令限期整改, for all records of 不符合 that no order answers: a paper with remedies, a clock to its day.

    Before the feedback the task stays where it is; once it was fed back it is 整改中 (docs/decisions/0005). Raises
    ``Refused`` (``order-needs-finding``, ``order-exists``, ``…-missing``, ``order-day-wrong``, ``text-too-long``),
    ``TransitionNotAllowed``.
    """
    task = SupervisionTask.objects.lock(task.pk)
    records = _records_to_order(task)
    words = {"facts": facts, "basis": basis, "demands": demands, "consequence": consequence}
    texts = {
        name: said(value, name, f"{name}-missing", f"请写明{NAMES[name]}。", LONGEST[name])
        for name, value in words.items()
    }
    day = _due_day(due_on, local_date(now))
    paper, paper_entry = papers.issue(
        task, PaperKind.ORDER, by=by, now=now, to=task.subject_name, remedies=True,
        paragraphs=_order_paragraphs(task, records, texts["facts"]),
        extra={
            "closing": [
                f"现责令你（单位）于{cn_day(day)}前改正，整改要求如下：",
                *texts["demands"].splitlines(),
                "整改完成后，请及时告知本机关，本机关将予复查。确有正当理由不能按期完成的，可以在期限届满前申请延长一次。",
                texts["consequence"],
            ],
            "basis": texts["basis"].rstrip("。"),
            "due_on": day.isoformat(),
        },
    )  # fmt: skip
    clock = start_deadline(KindCode.RECTIFICATION, at=now, stream=task.stream, by=by, fixed_on=day)
    order = Rectification.objects.create(
        task=task, inspection=records[-1], paper=paper, due_on=day, deadline=clock, issued_by=by, issued_at=now, **texts
    )
    if task.status == TaskStatus.FED_BACK:
        task.move(TaskStatus.RECTIFYING)
        following.end(task, by=by, now=now)
        save_at(task, now)
        note_follow_up(task, _named(order))
    data = {"order": order.pk, "inspections": [record.pk for record in records], "due_on": day.isoformat()}
    record_many([Draft(task.stream, TaskAct.ORDERED, data, by), paper_entry], at=now)
    outbox.queue(_ordered_messages(order, now), now)
    reach("order.before_commit")
    return order


def why_not(task: SupervisionTask) -> Refused | None:
    """Why an order cannot be issued as the task now stands, or None; the act asks again under the lock."""
    try:
        _records_to_order(task)
    except Refused as error:
        return error
    return None


def _records_to_order(task: SupervisionTask) -> list[Inspection]:
    """The records that an order now answers, in order. Raises where the state, or what was found, allows none."""
    if task.orders.exclude(status=OrderStatus.MENDED).exists():
        raise Refused("order-exists", "这件任务已经责令整改，可能有同事已先一步办理，请刷新查看。", conflict=True)
    if task.status not in ORDERABLE:
        raise TransitionNotAllowed(f"这件监管任务现在是“{task.get_status_display()}”，不能责令整改，请刷新查看。")
    records = list(unanswered(task))
    if not records:
        raise Refused(
            "order-needs-finding", "责令整改须有“不符合”的检查记录，请先记录检查情况。", conflict=True
        )  # fmt: skip
    if task.status == TaskStatus.FED_BACK and Feedback.objects.get(task=task).result != Result.NONCONFORMING:
        raise Refused("order-needs-finding", "反馈的监管结果不是“不符合”，不能责令整改。", conflict=True)
    return records


def _due_day(day: dt.date | None, today: dt.date) -> dt.date:
    if day is None:
        raise Refused("order-day-wrong", "请填写整改期限。", field="due_on")
    last = today + LONGEST_ORDER
    if not today < day <= last:
        text = f"整改期限须在今天之后、{cn_day(last)}（{LONGEST_ORDER.days} 天）之前或当日。"
        raise Refused("order-day-wrong", text, field="due_on")
    return day


def _order_paragraphs(task: SupervisionTask, records: Sequence[Inspection], facts: str) -> list[str]:
    looked = "、".join(cn_day(day) for day in sorted({local_date(record.ended_at) for record in records}))
    return [
        f"{looked}，本机关就“{task.business_item.name}”对你（单位）进行了检查（监管事项：{task.sub_item.name}）。"
        "经查，你（单位）存在下列问题：",
        *facts.splitlines(),
    ]


def _named(order: Rectification) -> str:
    return f"责令限期整改：{order.paper.number}，限{cn_day(order.due_on)}前改正。"


def note_follow_up(task: SupervisionTask, sentence: str) -> None:
    """Let the feedback of a nonconforming result name what followed it; the caller holds the task's lock."""
    feedback = Feedback.objects.filter(task=task).first()
    if feedback is not None:
        feedback.follow_up = "\n".join(part for part in (feedback.follow_up, sentence) if part)
        feedback.save(update_fields=["follow_up"])


def _ordered_messages(order: Rectification, now: dt.datetime) -> list[outbox.Draft]:
    task = order.task
    text = (
        f"{task.office.department.name}在监督检查中发现问题，责令限期整改（{order.paper.number}），"
        f"请于{cn_day(order.due_on)}前改正，整改要求和救济途径见通知书。"
    )
    staff = (
        f"监管任务{task.number}已责令限期整改（{order.paper.number}），整改期限至{cn_day(order.due_on)}，届时请复查。"
    )
    managers = task.office.managers(local_date(now))
    return [
        *to_subject(order, text, "ordered"),
        *to_people(task, OrderKind.ORDER_STAFF, staff, f"ordered:{order.pk}", managers),
    ]


# --- the extension, once


def _locked(order: Rectification) -> Rectification:
    """The order as it is under its task's lock. Raises ``TransitionNotAllowed`` where it does not run any more."""
    task = SupervisionTask.objects.lock(order.task_id)
    order = Rectification.objects.select_related("paper", "deadline", "inspection").get(pk=order.pk)
    order.task = task
    if not order.is_running:
        raise TransitionNotAllowed(
            f"这份整改通知书已是“{order.get_status_display()}”，可能有同事已先一步办理，请刷新查看。"
        )
    return order


def _has_passed(order: Rectification, now: dt.datetime) -> bool:
    return local_date(now) > order.due_on


@transaction.atomic
def ask_extension(
    order: Rectification, *, until: dt.date | None, reason: str, by: User, now: dt.datetime
) -> Rectification:  # fmt: skip
    """Ask the department head for more time: once an order, before its day is over, with a day and a reason.

    Raises ``Refused`` (``order-extension-asked``, ``order-overdue``, ``extension-day-wrong``, ``reason-missing``),
    ``TransitionNotAllowed``.
    """
    order = _locked(order)
    if order.extension_asked_at is not None:
        raise Refused("order-extension-asked", "整改期限只能申请延长一次，这份通知书已经申请过。", conflict=True)
    if _has_passed(order, now):
        raise Refused("order-overdue", "整改期限已过，不能再申请延长，请复查并认定整改结果。", conflict=True)
    text = said(reason, "reason", "reason-missing", "请写明延长的理由。", LONGEST["reason"])
    last = order.due_on + LONGEST_ORDER
    if until is None or not order.due_on < until <= last:
        raise Refused(
            "extension-day-wrong", f"延长后的期限须在{cn_day(order.due_on)}之后、{cn_day(last)}之前或当日。",
            field="until",
        )  # fmt: skip
    order.extension_until, order.extension_reason = until, text
    order.extension_asked_by, order.extension_asked_at = by, now
    order.save()
    task = order.task
    data = {"order": order.pk, "until": until.isoformat()}
    record_many([Draft(task.stream, TaskAct.ORDER_EXTENSION_ASKED, data, by)], at=now)
    heads = [head for head in task.office.department.heads(local_date(now)) if head.pk != by.pk]
    told = (
        f"{task.office.name}申请将整改期限延长至{cn_day(until)}（监管任务{task.number}），"
        f"请于{cn_day(order.due_on)}前批复。"
    )
    outbox.queue(to_people(task, OrderKind.ORDER_EXTENSION, told, f"asked:{order.pk}", heads), now)
    reach("order_extension.before_commit")
    return order


@transaction.atomic
def settle_extension(
    order: Rectification, *, grant: bool, answer: str, by: User, now: dt.datetime
) -> Rectification:  # fmt: skip
    """Grant or refuse what was asked, as a head of the department: granted, the clock runs to the new day.

    Raises ``Refused`` (``extension-not-asked``, ``own-request``, ``not-head``, ``order-overdue``, ``reason-missing``),
    ``TransitionNotAllowed``.
    """
    order = _locked(order)
    task = order.task
    if not order.waits_for_head:
        raise Refused("extension-not-asked", "没有待批的延长申请，可能已经批复，请刷新查看。", conflict=True)
    if by.pk == order.extension_asked_by_id:
        raise Refused("own-request", "这是您自己提出的申请，须由其他负责人批复。", conflict=True)
    if by not in task.office.department.heads(local_date(now)):
        raise Refused("not-head", "延长整改期限由部门负责人批准。", conflict=True)
    if grant and _has_passed(order, now):
        raise Refused("order-overdue", "整改期限已过，不能再延长。", conflict=True)
    text = visible(answer)
    if text or not grant:
        text = said(answer, "answer", "reason-missing", "请写明不批准的理由。", LONGEST["answer"])
    order.extension_granted, order.extension_answer = grant, text
    order.extension_settled_by, order.extension_settled_at = by, now
    act = TaskAct.ORDER_EXTENDED if grant else TaskAct.ORDER_EXTENSION_REFUSED
    assert order.extension_until is not None  # noqa: S101 - asked with a day
    drafts = [Draft(task.stream, act, {"order": order.pk, "until": order.extension_until.isoformat()}, by)]
    if grant:
        drafts.append(_extend(order, by, now))
    order.save()
    record_many(drafts, at=now)
    outbox.queue(_answered_messages(order, grant, now), now)
    reach("order_extension_settled.before_commit")
    return order


def _extend(order: Rectification, by: User, now: dt.datetime) -> Draft:
    """The clock of the first day ends, another one runs to the new one; the paper says both days."""
    until, before = order.extension_until, order.due_on
    assert until is not None  # noqa: S101 - asked with a day
    if order.deadline.is_open:
        cancel_deadline(order.deadline, at=now, reason="extended", by=by)
    order.deadline = start_deadline(KindCode.RECTIFICATION, at=now, stream=order.task.stream, by=by, fixed_on=until)
    order.due_on = until
    _, entry = papers.issue(
        order.task, PaperKind.ORDER_EXTENSION, by=by, now=now, to=order.task.subject_name,
        paragraphs=[
            f"本机关{order.paper.number}《{PaperKind.ORDER.label}》责令你（单位）于{cn_day(before)}前改正。",
            f"经本机关负责人批准，整改期限延长至{cn_day(until)}，只能延长这一次。",
            f"延长的理由：{order.extension_reason}",
        ],
        extra={"basis": order.basis.rstrip("。"), "due_on": until.isoformat()},
    )  # fmt: skip
    return entry


def _answered_messages(order: Rectification, grant: bool, now: dt.datetime) -> list[outbox.Draft]:
    task = order.task
    if grant:
        told = f"监管任务{task.number}的整改期限经批准延长至{cn_day(order.due_on)}。"
        text = f"{order.paper.number}责令整改的期限经批准延长至{cn_day(order.due_on)}，只能延长这一次。"
        subject = to_subject(order, text, "extended")
    else:
        told = f"监管任务{task.number}延长整改期限的申请未获批准，仍于{cn_day(order.due_on)}届满。"
        subject = []
    managers = task.office.managers(local_date(now))
    return [*subject, *to_people(task, OrderKind.ORDER_STAFF, told, f"answered:{order.pk}", managers)]


# --- the verdict


@transaction.atomic
def settle_order(order: Rectification, *, outcome: str, reason: str, by: User, now: dt.datetime) -> Rectification:
    """认定整改结果: mended after a re-inspection, not mended after one on the last day or later, refused at any time.

    The newest re-inspection since the order goes with the verdict. A mended order closes a task that was fed back,
    unless a later record found more (``found_since``): that is to be ordered or handed over. It, and another verdict,
    start the clock of 后续处理 there.
    Raises ``Refused`` (``outcome-missing``, ``reinspection-missing``, ``reinspection-contradicts``, ``order-not-due``,
    ``reason-missing``, ``reason-too-short``), ``TransitionNotAllowed``.
    """
    order = _locked(order)
    task = order.task
    if outcome not in SETTLED:
        raise Refused("outcome-missing", "请选择整改结果。", field="outcome")
    again = looked_again(order)
    _check_verdict(order, outcome, again, now)
    text = visible(reason)
    if text or outcome != OrderStatus.MENDED:
        text = said(reason, "reason", "reason-missing", "请写明认定的理由。")
    if outcome in GRAVE:
        grave(text, "reason", GRAVE[OrderStatus(outcome)])
    order.status, order.reinspection, order.settled_reason = outcome, again, text
    order.settled_by, order.settled_at = by, now
    drafts = _end_clock(order, again, by, now)
    _, paper_entry = papers.issue(
        task, PaperKind.REINSPECTION, by=by, now=now, to=task.subject_name, remedies=outcome != OrderStatus.MENDED,
        paragraphs=_verdict_paragraphs(order, again), extra={"basis": order.basis.rstrip("。")},
    )  # fmt: skip
    order.save()
    data = {"order": order.pk, "outcome": str(outcome), "inspection": again.pk if again else None}
    drafts += [Draft(task.stream, TaskAct.ORDER_SETTLED, data, by), paper_entry]
    if task.status == TaskStatus.RECTIFYING:
        if outcome == OrderStatus.MENDED and not found_since(order):
            drafts.append(_close_mended(task, order, by, now))
        else:
            following.begin(task, by=by, now=now)
            if outcome == OrderStatus.MENDED:
                task.move(TaskStatus.FED_BACK)
        save_at(task, now)
    record_many(drafts, at=now)
    outbox.cancel([reference_of(task.pk)], [Kind.TASK_REMINDER.value])
    outbox.queue(to_subject(order, _verdict_sms(order), "settled"), now)
    reach("order_settled.before_commit")
    return order


def _check_verdict(order: Rectification, outcome: str, again: Inspection | None, now: dt.datetime) -> None:
    good = again is not None and again.result != Result.NONCONFORMING
    if outcome == OrderStatus.MENDED:
        if again is None:
            raise Refused("reinspection-missing", "认定合格须先复查，请先记录复查情况。", field="outcome")
        if not good:
            raise Refused("reinspection-contradicts", "最近一次复查的结论是“不符合”，不能认定合格。", field="outcome")
        return
    if outcome != OrderStatus.NOT_MENDED:
        return
    if not _has_passed(order, now):
        raise Refused(
            "order-not-due", f"整改期限至{cn_day(order.due_on)}，届满之前只能认定为合格或者拒不整改。", field="outcome"
        )
    if good:
        raise Refused("reinspection-contradicts", "最近一次复查没有“不符合”，不能认定为逾期未改。", field="outcome")
    if again is None or local_date(again.ended_at) < order.due_on:
        raise Refused(
            "reinspection-missing",
            f"认定逾期未改须在整改期限届满当日（{cn_day(order.due_on)}）或者之后复查，请先记录复查情况。",
            field="outcome",
        )


def _end_clock(order: Rectification, again: Inspection | None, by: User, now: dt.datetime) -> list[Draft]:
    """Mended: met when the re-inspection saw it. Not mended: missed. Refused before its day: it falls away."""
    clock = order.deadline
    if not clock.is_open:
        return []
    if order.status == OrderStatus.REFUSED and not _has_passed(order, now):
        cancel_deadline(clock, at=now, reason="refused", by=by)
        return []
    seen = max(again.ended_at, clock.started_at) if again and order.status == OrderStatus.MENDED else now
    return [closing_entry(meet_deadline(clock, at=seen, by=by, record=False), by)]


def _verdict_paragraphs(order: Rectification, again: Inspection | None) -> list[str]:
    lead = f"本机关{order.paper.number}《{PaperKind.ORDER.label}》责令你（单位）于{cn_day(order.due_on)}前改正。"
    looked = f"{cn_day(local_date(again.ended_at))}，本机关进行了复查。{again.summary}" if again else ""
    verdict = {
        OrderStatus.MENDED: "经复查，你（单位）已按要求改正，复查合格。",
        OrderStatus.NOT_MENDED: "你（单位）逾期未改正或者复查不合格，本机关将依法处理。",
        OrderStatus.REFUSED: "你（单位）拒不整改，本机关将依法处理。",
    }[OrderStatus(order.status)]
    reason = f"理由：{order.settled_reason}" if order.settled_reason else ""
    follows = order.consequence if order.status != OrderStatus.MENDED else ""
    return [part for part in (lead, looked, verdict, reason, follows) if part]


def _verdict_sms(order: Rectification) -> str:
    words = {
        OrderStatus.MENDED: "已经复查合格",
        OrderStatus.NOT_MENDED: "已认定为逾期未改或者复查不合格，后续处理和救济途径见复查意见书",
        OrderStatus.REFUSED: "已认定为拒不整改，后续处理和救济途径见复查意见书",
    }
    return f"{order.paper.number}责令整改的事项{words[OrderStatus(order.status)]}。"


def _close_mended(task: SupervisionTask, order: Rectification, by: User, now: dt.datetime) -> Draft:
    """Close in memory with the order's verdict; the caller saves and writes the entry."""
    reason = order.settled_reason or f"{order.paper.number}复查合格"
    task.close(TaskEnd.MENDED, now, reason)
    visiting.call_off_open(task, by=by, now=now)
    return Draft(task.stream, TaskAct.CLOSED, {"end": TaskEnd.MENDED.value}, by)


# --- the licence ends before the order


def licence_over(task: SupervisionTask, today: dt.date) -> bool:
    """Whether the licence of the task was struck off, taken back, revoked, or has run out; two statements at most.

    A licence of old stock can only run out: nobody reports its end.
    """
    if task.licence_id is None:
        return stock.has_run_out(task, today)
    if task.changes.filter(ends_licence=True).exists():
        return True
    return Licence.objects.filter(tasks=task, valid_to__lt=today).exists()


def lapse(task: SupervisionTask, reason: str, *, by: User, now: dt.datetime) -> list[Draft]:
    """Let the running order of a task whose licence ended fall away, its clock with it; entries for the caller.

    It has no verdict: nobody found it mended, unmended or refused. The caller holds the task's lock.
    """
    order = newest(task)
    if order is None or not order.is_running:
        return []
    if order.deadline.is_open:
        cancel_deadline(order.deadline, at=now, reason="licence-ended", by=by)
    order.status = OrderStatus.LAPSED
    order.settled_reason, order.settled_by, order.settled_at = reason, by, now
    order.save()
    text = f"{order.paper.number}责令整改的事项，因证照已失效不再要求整改；没有证照，不得从事该项许可的活动。"
    outbox.queue(to_subject(order, text, "lapsed"), now)
    data = {"order": order.pk, "outcome": "licence-ended", "inspection": None}
    return [Draft(task.stream, TaskAct.ORDER_SETTLED, data, by)]


# --- the feedback comes, and an order was issued before it


def follow_feedback(task: SupervisionTask, feedback: Feedback, *, by: User, now: dt.datetime) -> list[Draft]:
    """What an order that was issued before the feedback makes of the task just fed back; entries for the caller.

    The feedback names the order. Mended meanwhile the task closes, or stays 已反馈 where a later record found more;
    else it is 整改中. Where no order runs that would press, the clock of 后续处理 begins. The caller holds the lock,
    has moved the task to 已反馈 and saves it. Raises ``Refused`` (``result-contradicts``) where the result denies it.
    """
    order = newest(task)
    if order is None:
        if feedback.result != Result.CONFORMING:
            following.begin(task, by=by, now=now)
        return []
    if feedback.result != Result.NONCONFORMING:
        raise Refused(
            "result-contradicts",
            f"检查中已责令限期整改（{order.paper.number}），监管结果应为“不符合”。",
            field="result",
        )
    note_follow_up(task, _named(order))
    if order.status == OrderStatus.MENDED:
        if not found_since(order):
            return [_close_mended(task, order, by, now)]
        following.begin(task, by=by, now=now)
        return []
    task.move(TaskStatus.RECTIFYING)
    if not order.is_running:
        following.begin(task, by=by, now=now)
    return []
