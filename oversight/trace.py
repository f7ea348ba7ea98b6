"""Timelines of the ledger in words, for those who may read them with names: overseers and the discipline office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from approvals.enums import CaseAct, DocumentKind, Outcome, RefusalGround
from approvals.models import Case
from deadlines import words
from deadlines.enums import Act as ClockAct
from deadlines.enums import Unit
from deadlines.kinds import KindCode
from deadlines.timeline import ground_text
from ledger.models import Entry
from offices.models import User
from oversight.enums import OverseerAct
from supervision.enums import Measure, Result, TaskAct, TaskStatus
from supervision.models import SupervisionTask

Names = Mapping[int, str]
GOOD = frozenset({CaseAct.ACCEPTED, CaseAct.APPROVED, CaseAct.COMPLETED, CaseAct.DELIVERED, TaskAct.CLOSED})
WARN = frozenset(
    {
        CaseAct.ALARM,
        CaseAct.CORRECTION_REQUESTED,
        CaseAct.DEEMED_ACCEPTED,
        CaseAct.APPLICANT_NAMED,
        CaseAct.HANDED_OVER,
        TaskAct.UNLINKED,
        OverseerAct.RESENT,
    }
)
BAD = frozenset({CaseAct.NOT_ACCEPTED, CaseAct.REJECTED, TaskAct.SMS_FAILED, ClockAct.DEADLINE_MISSED})


def entries_of(streams: Iterable[str]) -> list[Entry]:
    """The entries of these streams with their actors, in the order in which they were written; one statement."""
    return list(Entry.objects.filter(stream__in=list(streams)).select_related("actor").order_by("pk"))


def _ids(entry: Entry) -> set[int]:
    """People whom an entry names by id."""
    data = entry.data
    found = {*data.get("people", ()), *data.get("managers", ())}
    found.update(data.get(name) for name in ("drawn", "from", "to"))
    return {one for one in found if isinstance(one, int)}


def names_in(entries: Iterable[Entry]) -> Names:
    """Id → name of everybody named in the data of ``entries``; one statement, none if nobody is."""
    wanted = set().union(*(_ids(entry) for entry in entries))
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "full_name")) if wanted else {}


def _day(text: Any) -> str:
    return words.chinese_date(dt.date.fromisoformat(text)) if text else ""


def _label(enum: Any, value: Any) -> str:
    """The label of a stored value, or the value itself where a newer release has dropped it."""
    return str(enum(value).label) if value in enum.values else str(value)


def _who(keys: Iterable[int], names: Names) -> str:
    return "、".join(names[key] for key in keys if key in names)


def _clock(data: Mapping[str, Any], names: Names) -> str:
    return f"{_label(KindCode, data.get('kind'))}，{_day(data.get('due_on'))}到期"


def _alarm(data: Mapping[str, Any], names: Names) -> str:
    stage = int(data.get("stage", 0))
    when = "到期前一个工作日" if stage < 0 else "到期当日" if stage == 0 else f"超期第 {stage} 个工作日"
    return f"{when}，提醒{_who(data.get('people', ()), names) or '：无可联系的人员'}"


def _drawn(data: Mapping[str, Any], names: Names) -> str:
    drawn = _who([data.get("drawn") or 0], names)
    return f"从 {len(data.get('pool', ()))} 人中抽取{f'：{drawn}' if drawn else '，无人在岗，由处室决定人员办理'}"


def _paused(data: Mapping[str, Any], names: Names) -> str:
    return f"{_label(KindCode, data.get('kind'))}，{ground_text(data)}"


def _extended(data: Mapping[str, Any], names: Names) -> str:
    return f"{_clock(data, names)}，依据{data.get('basis', '')}"


def _procedure(data: Mapping[str, Any], names: Names) -> str:
    return f"{ground_text(data)}，预计 {data.get('days', '')} 个工作日"


def _asked(data: Mapping[str, Any], names: Names) -> str:
    unit = data.get("unit", Unit.WORKING)
    return f"延长{words.length(data.get('days'), Unit(unit))}"


def _handed_over(data: Mapping[str, Any], names: Names) -> str:
    before, after = (_who([data.get(name) or 0], names) for name in ("from", "to"))
    return f"{before or '无审查人员'} → {after or '无人值班，由处室决定人员办理'}"


def _measure(data: Mapping[str, Any], names: Names) -> str:
    return f"{_label(Measure, data.get('measure'))}，计划{_day(data.get('planned_finish_on'))}完成"


def _result(data: Mapping[str, Any], names: Names) -> str:
    return _label(Result, data.get("result")) + ("，逾期反馈" if data.get("late") else "")


def _told(data: Mapping[str, Any], names: Names) -> str:
    return f"处室管理员：{_who(data.get('managers', ()), names) or '无，已转送下一级'}"


def _failed(data: Mapping[str, Any], names: Names) -> str:
    return f"转送：{_who(data.get('people', ()), names) or '无可联系的人员'}"


NOTES: Mapping[str, Callable[[Mapping[str, Any], Names], str]] = {
    ClockAct.DEADLINE_STARTED: _clock,
    ClockAct.DEADLINE_MET: _clock,
    ClockAct.DEADLINE_MISSED: _clock,
    ClockAct.DEADLINE_CANCELLED: _clock,
    ClockAct.DEADLINE_RECOMPUTED: _clock,
    ClockAct.DEADLINE_PAUSED: _paused,
    ClockAct.DEADLINE_RESUMED: _clock,
    ClockAct.DEADLINE_EXTENDED: _extended,
    ClockAct.DEADLINE_HANDED_OVER: _clock,
    CaseAct.PROCEDURE_STARTED: _procedure,
    CaseAct.EXTENSION_REQUESTED: _asked,
    CaseAct.EXTENSION_GRANTED: _asked,
    CaseAct.EXTENSION_DECLINED: _asked,
    CaseAct.HANDED_OVER: _handed_over,
    CaseAct.ALARM: _alarm,
    TaskAct.ALARM: _alarm,
    CaseAct.REVIEWER_DRAWN: _drawn,
    CaseAct.DECIDER_DRAWN: _drawn,
    CaseAct.OPINION_GIVEN: lambda data, names: "建议准予" if data.get("approve") else "建议不予",
    CaseAct.NOT_ACCEPTED: lambda data, names: _label(RefusalGround, data.get("ground")),
    CaseAct.LICENCE_ISSUED: lambda data, names: f"证照编号 {data.get('licence', '')}",
    CaseAct.COMPLETED: lambda data, names: _label(Outcome, data.get("outcome")),
    CaseAct.DOCUMENT_ISSUED: lambda data, names: _label(DocumentKind, data.get("kind")),
    TaskAct.OPENED: _told,
    TaskAct.REASSIGNED: _told,
    TaskAct.SMS_SENT: lambda data, names: f"签收期限{_day(data.get('due_on'))}到期" if data.get("due_on") else "",
    TaskAct.SMS_FAILED: _failed,
    TaskAct.ACKNOWLEDGED: _measure,
    TaskAct.FINISHED: lambda data, names: f"完成日 {_day(data.get('finished_on'))}",
    TaskAct.FED_BACK: _result,
}


def note_of(entry: Entry, names: Names) -> str:
    """What an entry says besides its name, in words; empty where its name says everything."""
    tell = NOTES.get(entry.act)
    return tell(entry.data, names) if tell else ""


def tone_of(act: str) -> str:
    """The tone of an act on the timeline."""
    return "good" if act in GOOD else "bad" if act in BAD else "warn" if act in WARN else "neutral"


def timeline(entries: Sequence[Entry], prefix: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Entries as ``components/timeline.html`` takes them; ``prefix`` says of which stream an entry is."""
    names = names_in(entries)
    said = prefix or {}
    return [
        {
            "at": entry.at,
            "label": f"{said.get(entry.stream, '')}{entry.label}",
            "who": entry.actor.full_name if entry.actor else "系统",
            "note": note_of(entry, names),
            "tone": tone_of(entry.act),
            "entry": entry,
        }
        for entry in entries
    ]


# Where a task waits for what its fault brought about.
FOLLOWING = (TaskStatus.RECTIFYING, TaskStatus.HANDED_OVER, TaskStatus.REVOCATION)


def task_steps(task: SupervisionTask) -> list[dict[str, Any]]:
    """The line of a task's steps: 生成 → 短信发出 → 查看 → 签收 → 完成监管 → 反馈 (→ what follows a fault) → 归档."""
    feedback = getattr(task, "feedback", None)
    moments: list[tuple[str, dt.date | None]] = [
        ("生成", task.opened_at),
        ("短信发出", task.sms_sent_at),
        ("查看", task.viewed_at),
        ("签收", task.acknowledged_at),
        ("完成监管", task.finished_on),
        ("反馈", feedback.given_at if feedback else None),
        ("归档", task.closed_at),
    ]
    if feedback and feedback.result != Result.CONFORMING:
        label = task.get_status_display() if task.status in FOLLOWING else "后续处理"
        moments.insert(-1, (label, task.closed_at))
    # What was overtaken (acknowledged before the SMS was out) is not what the task waits for.
    current = 1 + max(place for place, (_, at) in enumerate(moments) if at)
    waiting = {True: "skipped", False: "todo"}
    return [
        {
            "label": label,
            "at": at,
            "state": "done" if at else "current" if place == current else waiting[place < current],
        }
        for place, (label, at) in enumerate(moments)
    ]


def streams_of(case: Case, tasks: Sequence[SupervisionTask]) -> dict[str, str]:
    """Stream → what it is called, of a case and its tasks."""
    return {case.stream: f"办件 {case.number}"} | {task.stream: f"监管任务 {task.number}" for task in tasks}
