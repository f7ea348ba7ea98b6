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
from deadlines.enums import Act as Event
from deadlines.enums import Unit
from deadlines.explaining import explain_many
from deadlines.kinds import KINDS, KindCode
from ledger.models import Entry
from offices.access import Access
from offices.models import Posting, User
from supervision import officers, stock
from supervision.actions.feedback import findings_of_clauses, worst_inspection
from supervision.actions.ordering import licence_over, newest, what_follows
from supervision.actions.taking import ASSIGNABLE, NOT_DRAWN, PLANNED
from supervision.enums import (
    ENDS_WITH_LICENCE,
    OPEN,
    Measure,
    Origin,
    Result,
    TaskAct,
    TaskEnd,
    TaskStatus,
    VisitStatus,
)
from supervision.models import Feedback, SupervisionTask

MEASURES = {
    Measure.ON_SITE: ("map-pin", "两人以上，出示证件，当场记录"),
    Measure.OFF_SITE: ("monitor-check", "调阅资料、数据比对、视频查看"),
    Measure.RANDOM_DRAW: ("shuffle", "写明哪个计划，抽中并检查后才能完成"),
    Measure.COMBINED: ("combine", "与其他检查一次完成，须写明哪次检查"),
    Measure.NONE_NOW: ("circle-pause", "须说明原因和复核日"),
}
FIRST_MEASURES = (Measure.ON_SITE, Measure.OFF_SITE, Measure.RANDOM_DRAW)
RESULT_TONES = {Result.CONFORMING: "good", Result.BASICALLY: "warn", Result.NONCONFORMING: "bad"}
ACT_TONES = {
    TaskAct.OPENED: "active",
    TaskAct.SMS_FAILED: "bad",
    TaskAct.ACKNOWLEDGED: "active",
    TaskAct.REPLANNED: "warn",
    TaskAct.DISPUTED: "warn",
    TaskAct.INSPECTED: "active",
    TaskAct.FED_BACK: "good",
    TaskAct.ORDERED: "warn",
    TaskAct.PROPOSED: "bad",
    TaskAct.HANDED_OVER: "warn",
    TaskAct.LICENCE_CHANGED: "warn",
    TaskAct.CLOSED: "good",
    TaskAct.ALARM: "warn",
}
LEADS = {
    TaskStatus.NOTIFIED: "请选择监管措施并签收。",
    TaskStatus.VIEWED: "请选择监管措施并签收。",
    TaskStatus.ACKNOWLEDGED: "监管工作完成后，请填写完成日期。",
    TaskStatus.FINISHED: "请反馈监管结果。",
    TaskStatus.DISPUTED: "异议已交督办人员协调，签收期限照常计算。",
    TaskStatus.IN_PROGRESS: "检查完毕后，请填写完成日期。",
    TaskStatus.FED_BACK: "监管结果不是“符合”：基本符合的，处理完毕后请归档；不符合的，请责令整改或者移送执法。",
    TaskStatus.RECTIFYING: "整改期限届满前后，请复查并认定结果。",
    TaskStatus.HANDED_OVER: "已移送执法部门，请登记回执和处理结果。",
    TaskStatus.REVOCATION: "已建议撤销许可，等候审批部门答复。",
    TaskStatus.CLOSED: "这件任务已经归档。",
}
# Done by the approval side's people, who are not named to the supervision side.
ENDS = (Event.DEADLINE_MET, Event.DEADLINE_MISSED, Event.DEADLINE_CANCELLED)
APPROVAL_SIDES_ACTS = (TaskAct.OPENED, TaskAct.LICENCE_CHANGED, TaskAct.ANSWERED)
ANSWERED_ENDS = (TaskEnd.REVOKED, TaskEnd.NOT_REVOKED)
EARLIER = 10
# Working days from today that the planned finish day is prefilled with.
PLANNED_AHEAD = 5


def planned_day(today: dt.date) -> dt.date:
    """The planned finish day that the form proposes: five working days from today."""
    return due_date(today, PLANNED_AHEAD, Unit.WORKING, working_calendar.recent())


def measure_choices(task: SupervisionTask, chosen: str) -> dict[str, list[dict[str, Any]]]:
    """The measures as thumb-size choices: three at hand, the rest folded.

    What was promised must be checked; whom a draw fell on is not put off or into another.
    """
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
    if task.origin == Origin.DRAW:
        for measure in NOT_DRAWN:
            del rows[measure]
    elif task.promise_clauses:
        rows[Measure.NONE_NOW] |= {"disabled": True, "help": "告知承诺事项须进行事后核查"}
    return {
        "first": [rows[measure] for measure in FIRST_MEASURES if measure in rows],
        "rest": [row for measure, row in rows.items() if measure not in FIRST_MEASURES],
    }


def _note(entry: Entry, names: dict[int, str]) -> str:
    """What an act's data says, in words; ids and digests stay on the ledger."""
    data = entry.data
    if entry.act in {TaskAct.ACKNOWLEDGED, TaskAct.REPLANNED}:
        measure = Measure(data["measure"])
        word = "复核" if measure == Measure.NONE_NOW else "完成"
        return f"{measure.label}，计划 {data['planned_finish_on']} {word}"
    if entry.act == TaskAct.ASSIGNED_TO:
        people = [names.get(data[key] or 0, "") for key in ("first", "second")]
        reason = data.get("reason")
        return "、".join(name for name in people if name) + (f"；更换的原因：{reason}" if reason else "")
    if entry.act in {TaskAct.RECORD_ASIDE_ASKED, TaskAct.RECORD_SET_ASIDE, TaskAct.RECORD_ASIDE_REFUSED}:
        return f"第 {data['order']} 次检查记录"
    if entry.act == TaskAct.VISIT_REQUESTED:
        return f"计划 {data['planned_on']} 入企" + ("，不计入年度上限" if data.get("exempt") else "")
    if entry.act == TaskAct.VISIT_SETTLED:
        return VisitStatus(data["outcome"]).label
    if entry.act == TaskAct.CLOSED:
        return TaskEnd(data["end"]).label if data.get("end") in TaskEnd.values else ""
    if entry.act == TaskAct.SMS_SENT and data.get("due_on"):
        return f"签收期限自此起算，至 {data['due_on']}"
    if entry.act == TaskAct.FINISHED:
        return f"完成监管日 {data['finished_on']}"
    if entry.act in {TaskAct.FED_BACK, TaskAct.INSPECTED} and data.get("result") in Result.values:
        return f"{Result(data['result']).label}{'（逾期反馈）' if data.get('late') else ''}"
    if "due_on" in data and data.get("kind") in KindCode.values:
        kind = KINDS[KindCode(data["kind"])]
        return f"{kind.label}，至 {data['due_on']}"
    told = data.get("number") or data.get("paper") or ""
    return told if isinstance(told, str) else ""


def _who(entry: Entry) -> str:
    """Who did it; nobody of the approval side, whose answer closes a task too."""
    if entry.actor is None or entry.act in APPROVAL_SIDES_ACTS:
        return ""
    if entry.act == TaskAct.CLOSED and entry.data.get("end") in ANSWERED_ENDS:
        return ""
    return entry.actor.full_name


def _ends_plan(entry: Entry) -> bool:
    """Whether a planned day's clock ended by it."""
    return entry.act in ENDS and entry.data.get("kind") == KindCode.PLANNED_FINISH and "due_on" in entry.data


def timeline(task: SupervisionTask) -> list[dict[str, Any]]:
    """The task's acts in their order, with the people who did them (not the approval side's); two statements."""
    entries = list(Entry.objects.filter(stream=task.stream).select_related("actor").order_by("seq"))
    given = {
        entry.data[key]
        for entry in entries
        if entry.act == TaskAct.ASSIGNED_TO
        for key in ("first", "second")
        if entry.data.get(key)
    }
    names = dict(User.objects.filter(pk__in=given).values_list("pk", "full_name")) if given else {}
    changed = {entry.at for entry in entries if entry.act == TaskAct.REPLANNED}
    replaced = {entry.pk for entry in entries if entry.at in changed and _ends_plan(entry)}
    return [
        {
            "at": entry.at,
            "label": "原计划已变更" if entry.pk in replaced else entry.label,
            "who": _who(entry),
            "note": f"原定 {entry.data['due_on']}" if entry.pk in replaced else _note(entry, names),
            "tone": ACT_TONES.get(TaskAct(entry.act), "neutral") if entry.act in TaskAct.values else "neutral",
        }
        for entry in entries
    ]


def _stock_facts(task: SupervisionTask) -> list[dict[str, Any]]:
    """The licence from before the system that the task is about; one statement for a task of old stock."""
    found = stock.licence_of(task.number)
    if found is None:
        return []
    until = f"{found.valid_to:%Y-%m-%d}" if found.valid_to else "长期（以证照载明为准）"
    return [
        {"label": "证照编号", "value": found.number},
        {"label": "有效期", "value": f"{found.valid_from:%Y-%m-%d} 至 {until}"},
        {"label": "许可内容", "value": found.content, "wide": True},
    ]


def _case_facts(task: SupervisionTask) -> list[dict[str, Any]]:
    case = task.case
    if case is None:
        return [
            {"label": "业务办理项", "value": task.business_item.name},
            {"label": "来源", "value": task.get_origin_display()},
            *_stock_facts(task),
        ]
    moments = (
        ("收件", case.received_at), ("受理", case.accepted_at), ("决定", case.decided_at), ("办结", case.completed_at),
    )  # fmt: skip
    return [
        {"label": "业务办理项", "value": task.business_item.name},
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
        word = "复核日" if task.measure == Measure.NONE_NOW else "计划完成日"
        facts.append({"label": word, "value": f"{task.planned_finish_on:%Y-%m-%d}"})
    if task.measure_with:
        facts.append({"label": "并入", "value": task.measure_with, "wide": True})
    if task.first_officer:
        facts.append({"label": "主办人员", "value": task.first_officer.full_name})
    if task.second_officer:
        facts.append({"label": "协办人员", "value": task.second_officer.full_name})
    if task.measure_reason:
        facts.append({"label": "说明", "value": task.measure_reason, "wide": True})
    if task.finished_on:
        facts.append({"label": "完成监管日", "value": f"{task.finished_on:%Y-%m-%d}"})
    if task.end:
        facts.append({"label": "归档情形", "value": task.get_end_display()})
    if task.end_reason and task.end != TaskEnd.FOLLOWED_UP:
        facts.append({"label": "归档说明", "value": task.end_reason, "wide": True})
    return facts


def earlier_tasks(task: SupervisionTask, access: Access) -> list[dict[str, Any]]:
    """The newest other tasks of the same subject that this person may see; one statement."""
    rows = SupervisionTask.objects.for_office_people(access).filter(subject_id=task.subject_id).exclude(pk=task.pk)
    rows = rows.select_related("sub_item", "business_item", "feedback").order_by("-id")
    return [
        {
            "task": row,
            "url": reverse("tasks:task", args=[row.number]),
            "result": {
                "label": row.feedback.get_result_display(),
                "tone": RESULT_TONES[Result(row.feedback.result)],
            }
            if hasattr(row, "feedback")
            else None,
        }
        for row in rows[:EARLIER]
    ]


def lead_of(task: SupervisionTask, today: dt.date) -> str:
    """What to do next, in one sentence."""
    if task.status == TaskStatus.ACKNOWLEDGED and task.measure == Measure.NONE_NOW:
        return "选定了暂不检查，到复核日请重新选择监管措施。"
    if task.status == TaskStatus.RECTIFYING and (order := newest(task)) is not None and not order.is_running:
        return f"整改结果已认定为“{order.get_status_display()}”。{what_follows(task, order, today)}"
    return LEADS[TaskStatus(task.status)]


def subject_url(task: SupervisionTask, access: Access) -> str:
    """The page of the task's subject; empty for whom it does not exist."""
    roles = (Posting.Role.OFFICE_MANAGER, Posting.Role.OFFICE_DEPUTY, Posting.Role.DEPARTMENT_HEAD)
    return (
        reverse("subjects:subject", args=[task.subject_id]) if task.department_id in access.departments(*roles) else ""
    )


def archive(task: SupervisionTask, access: Access, now: dt.datetime) -> dict[str, Any]:
    """Everything that the page shows beside the form of the moment; statements are constant."""
    licence = Licence.objects.filter(pk=task.licence_id).first() if task.licence_id else None
    feedback = Feedback.objects.filter(task=task).first()
    clock = task.current_deadline
    others = [
        other
        for other in (task.acknowledge_deadline, task.planned_deadline, task.feedback_deadline, task.follow_up_deadline)
        if other is not None and other != clock
    ]
    return {
        "today": local_date(now),
        "task": task,
        "subject": task.subject,
        "subject_url": subject_url(task, access),
        "lead": lead_of(task, local_date(now)),
        "officer_faults": officers.faults([task], local_date(now)).get(task.pk, []) if task.status in OPEN else [],
        "earlier": earlier_tasks(task, access),
        "crumbs": [{"label": "监管任务", "url": reverse("tasks:list")}],
        "clock": clock,
        "other_clocks": others,
        "explanations": explain_many([clock, *others], local_date(now)),
        "task_facts": _task_facts(task),
        "case_facts": _case_facts(task),
        "licence_facts": _licence_facts(licence) if licence else [],
        "licence": licence,
        "materials": material_rows(task.case_id, lambda file: reverse("tasks:file", args=[task.number, file.pk]))
        if task.case_id
        else [],
        "opinion": Opinion.objects.filter(case=task.case).only("approve", "text", "grounds", "given_at").first(),
        "decision": Decision.objects.filter(case=task.case).only("approve", "text", "decided_at").first(),
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


def found_already(task: SupervisionTask) -> dict[str, Any]:
    """What the inspections found, the worst that binds, to begin the feedback with; two statements."""
    clauses = findings_of_clauses(task) if task.promise_clauses else {}
    initial: dict[str, Any] = {f"clause_{number}": result for number, result in clauses.items()}
    bound = worst_inspection(task)
    return initial | ({"result": bound.result, "text": bound.summary[:2000]} if bound else {})


def _drawn_stays(task: SupervisionTask, today: dt.date) -> bool:
    """Whether both were drawn by lot and can serve; two statements for a task of a draw."""
    return task.origin == Origin.DRAW and bool(task.second_officer_id) and not officers.unable(task, today)


def side_verbs(task: SupervisionTask, today: dt.date) -> list[dict[str, str]]:
    """What a manager may do beside the form of the moment: (verb, url, icon); a statement, two more for a draw."""
    address = {name: reverse(f"tasks:{name}", args=[task.number]) for name in ("assign", "replan", "licence_ended")}
    found = []
    if task.status in ASSIGNABLE and not _drawn_stays(task, today):
        verb = "改派办理人员" if task.first_officer_id else "分派办理人员"
        found.append({"verb": verb, "url": address["assign"], "icon": "users"})
    if task.status in PLANNED:
        found.append({"verb": "变更监管措施或计划完成日", "url": address["replan"], "icon": "calendar-clock"})
    if task.status in ENDS_WITH_LICENCE and licence_over(task, today):
        found.append({"verb": "证照已失效，归档", "url": address["licence_ended"], "icon": "archive"})
    return found
