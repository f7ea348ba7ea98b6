"""What the task's page shows: the whole archive of the case that it came from, and the task's own road."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils import timezone

from approvals.archive import material_rows
from approvals.models import Decision, Licence, Opinion
from deadlines import calendar as working_calendar
from deadlines.arithmetic import due_date
from deadlines.clock import local_date
from deadlines.enums import Unit
from deadlines.explaining import explain_many
from deadlines.kinds import KINDS, KindCode
from ledger.models import Entry
from supervision.enums import Measure, Result, TaskAct, TaskStatus
from supervision.models import Feedback, SupervisionTask

MEASURES = {
    Measure.ON_SITE: ("map-pin", "两人以上，出示证件，当场记录"),
    Measure.OFF_SITE: ("monitor-check", "调阅资料、数据比对、视频查看"),
    Measure.RANDOM_DRAW: ("shuffle", "列入双随机抽查，随机抽取检查"),
    Measure.COMBINED: ("combine", "与其他检查一次完成"),
    Measure.NONE_NOW: ("circle-pause", "须说明原因"),
}
FIRST_MEASURES = (Measure.ON_SITE, Measure.OFF_SITE, Measure.RANDOM_DRAW)
RESULT_TONES = {Result.CONFORMING: "good", Result.BASICALLY: "warn", Result.NONCONFORMING: "bad"}
ACT_TONES = {
    TaskAct.OPENED: "active",
    TaskAct.SMS_FAILED: "bad",
    TaskAct.ACKNOWLEDGED: "active",
    TaskAct.FED_BACK: "good",
    TaskAct.CLOSED: "good",
    TaskAct.ALARM: "warn",
}
LEADS = {
    TaskStatus.NOTIFIED: "请选择监管措施并签收。",
    TaskStatus.VIEWED: "请选择监管措施并签收。",
    TaskStatus.ACKNOWLEDGED: "监管工作完成后，请填写完成日期。",
    TaskStatus.FINISHED: "请反馈监管结果。",
    TaskStatus.FED_BACK: "监管结果不是“符合”，处理完毕后请归档。",
    TaskStatus.CLOSED: "这件任务已经归档。",
}
# Working days from today that the planned finish day is prefilled with.
PLANNED_AHEAD = 5


def planned_day(today: dt.date) -> dt.date:
    """The planned finish day that the form proposes: five working days from today."""
    return due_date(today, PLANNED_AHEAD, Unit.WORKING, working_calendar.recent())


def measure_choices(task: SupervisionTask, chosen: str) -> dict[str, list[dict[str, Any]]]:
    """The measures as thumb-size choices: three at hand, the rest folded. What was promised must be checked."""
    rows = {
        measure: {
            "value": measure.value,
            "label": measure.label,
            "help": text,
            "icon": icon,
            "checked": chosen == measure.value,
            "disabled": False,
        }
        for measure, (icon, text) in MEASURES.items()
    }
    if task.promise_clauses:
        rows[Measure.NONE_NOW] |= {"disabled": True, "help": "告知承诺事项须进行事后核查"}
    return {
        "first": [rows[measure] for measure in FIRST_MEASURES],
        "rest": [row for measure, row in rows.items() if measure not in FIRST_MEASURES],
    }


def _note(entry: Entry) -> str:
    """What an act's data says, in words; ids and digests stay on the ledger."""
    data = entry.data
    if entry.act == TaskAct.ACKNOWLEDGED:
        return f"{Measure(data['measure']).label}，计划 {data['planned_finish_on']} 完成"
    if entry.act == TaskAct.SMS_SENT and data.get("due_on"):
        return f"签收期限自此起算，至 {data['due_on']}"
    if entry.act == TaskAct.FINISHED:
        return f"完成监管日 {data['finished_on']}"
    if entry.act == TaskAct.FED_BACK:
        return f"{Result(data['result']).label}{'（逾期反馈）' if data['late'] else ''}"
    if "due_on" in data and "kind" in data:
        kind = KINDS[KindCode(data["kind"])]
        return f"{kind.label}，至 {data['due_on']}"
    return ""


def timeline(task: SupervisionTask) -> list[dict[str, Any]]:
    """The task's acts in their order, with the people who did them (not the approval side's); one statement."""
    entries = Entry.objects.filter(stream=task.stream).select_related("actor").order_by("seq")
    return [
        {
            "at": entry.at,
            "label": entry.label,
            "who": "" if entry.actor is None or entry.act == TaskAct.OPENED else entry.actor.full_name,
            "note": _note(entry),
            "tone": ACT_TONES.get(TaskAct(entry.act), "neutral") if entry.act in TaskAct.values else "neutral",
        }
        for entry in entries
    ]


def _case_facts(task: SupervisionTask) -> list[dict[str, Any]]:
    case = task.case
    moments = (
        ("收件", case.received_at), ("受理", case.accepted_at), ("决定", case.decided_at), ("办结", case.completed_at),
    )  # fmt: skip
    return [
        {"label": "业务办理项", "value": case.business_item.name},
        {"label": "办件编号", "value": case.number},
        {"label": "办理方式", "value": case.get_way_display()},
        {"label": "审批部门", "value": case.department.name},
        {"label": "办理结果", "value": case.get_outcome_display()},
        *({"label": f"{name}日期", "value": _day(at)} for name, at in moments if at),
        {"label": "申请内容", "value": case.content, "wide": True},
    ]


def _day(moment: dt.datetime) -> str:
    day = timezone.localtime(moment)
    return f"{day.year}年{day.month}月{day.day}日"


def _licence_facts(licence: Licence) -> list[dict[str, Any]]:
    until = licence.valid_to
    return [
        {"label": "证照编号", "value": licence.number},
        {"label": "名称", "value": licence.kind},
        {"label": "状态", "value": licence.get_state_display()},
        {
            "label": "有效期",
            "value": f"{licence.valid_from:%Y-%m-%d} 至 {f'{until:%Y-%m-%d}' if until else '长期（以证照载明为准）'}",
        },
        {"label": "许可内容", "value": licence.content, "wide": True},
    ]


def _task_facts(task: SupervisionTask) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [
        {"label": "任务编号", "value": task.number},
        {"label": "监管处室", "value": str(task.office)},
        {"label": "监管事项子项", "value": task.sub_item.name},
    ]
    if task.measure:
        facts.append({"label": "监管措施", "value": task.get_measure_display()})
        facts.append({"label": "计划完成日", "value": f"{task.planned_finish_on:%Y-%m-%d}"})
    if task.measure_reason:
        facts.append({"label": "说明", "value": task.measure_reason, "wide": True})
    if task.finished_on:
        facts.append({"label": "完成监管日", "value": f"{task.finished_on:%Y-%m-%d}"})
    return facts


def archive(task: SupervisionTask, now: dt.datetime) -> dict[str, Any]:
    """Everything that the page shows beside the form of the moment; statements are constant."""
    licence = Licence.objects.filter(case_id=task.case_id).first()
    feedback = Feedback.objects.filter(task=task).first()
    clock = task.current_deadline
    others = [
        other
        for other in (task.acknowledge_deadline, task.planned_deadline, task.feedback_deadline)
        if other is not None and other != clock
    ]
    return {
        "today": local_date(now),
        "task": task,
        "subject": task.case.applicant,
        "lead": LEADS[TaskStatus(task.status)],
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}],
        "clock": clock,
        "other_clocks": others,
        "explanations": explain_many([clock, *others], local_date(now)),
        "task_facts": _task_facts(task),
        "case_facts": _case_facts(task),
        "licence_facts": _licence_facts(licence) if licence else [],
        "licence": licence,
        "materials": material_rows(task.case_id, lambda file: reverse("tasks:file", args=[task.number, file.pk])),
        "opinion": Opinion.objects.filter(case_id=task.case_id).only("approve", "text", "grounds", "given_at").first(),
        "decision": Decision.objects.filter(case_id=task.case_id).only("approve", "text", "decided_at").first(),
        "feedback": feedback,
        "feedback_badge": {
            "label": feedback.get_result_display(),
            "tone": RESULT_TONES[Result(feedback.result)],
        }
        if feedback
        else None,
        "clause_findings": [
            {**clause, "label": Result(clause["result"]).label, "tone": RESULT_TONES[Result(clause["result"])]}
            for clause in (feedback.clauses if feedback else [])
        ],
        "entries": timeline(task),
    }
