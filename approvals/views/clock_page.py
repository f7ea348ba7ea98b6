"""What the case page shows of the acts on a case's clocks: special procedures (art. 45) and the extension (art. 42).

Everything comes from the blind side of the case; papers are named by their numbers, which tell nobody's name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import F
from django.forms import BaseForm

from approvals.actions.clocks import LONGEST_PROCEDURE, grounds_for, is_stopped
from approvals.blind import BlindCase
from approvals.enums import CaseStatus
from approvals.forms_office import ExtensionForm, ProcedureEndForm, ProcedureForm
from approvals.models import Extension, SpecialProcedure
from catalogue.models import BusinessItem
from deadlines import calendar as working_calendar
from deadlines import words
from deadlines.arithmetic import ONE_DAY, DayRange
from deadlines.clock import local_date
from deadlines.enums import PauseGround, Unit
from deadlines.kinds import Extension as Room
from deadlines.kinds import KindCode
from deadlines.models import Deadline

day = words.chinese_date


def procedures_of(case_id: int) -> list[SpecialProcedure]:
    """The case's special procedures, the first first, each with the number of its paper (``paper``); one statement."""
    found = SpecialProcedure.objects.filter(case_id=case_id).select_related("started_by", "ended_by")
    return list(found.annotate(paper=F("document__number")).order_by("id"))


def extensions_of(case_id: int) -> list[Extension]:
    """The case's requests for more time, the first first, with the number of the paper (``paper``); one statement."""
    found = Extension.objects.filter(case_id=case_id).select_related("requested_by", "answered_by")
    return list(found.annotate(paper=F("document__number")).order_by("id"))


def more(extension: Extension, item: BusinessItem) -> str:
    """How much was asked for, in the unit of the statutory period: 10个工作日."""
    return words.length(extension.days, Unit(item.statutory_unit or Unit.WORKING))


def due_if_extended(clock: Deadline, length: int) -> dt.date:
    """The day on which ``clock`` would end with ``length`` more of its unit; two statements."""
    line = clock.timeline()
    longer = replace(line, length=(line.length or 0) + length)
    return longer.due_on(working_calendar.estimating())


def due_if_resumed(clock: Deadline, on: dt.date) -> dt.date:
    """The day on which a clock that stands still would end if it were resumed on ``on``; two statements."""
    return clock.timeline().standing(on).due_on(working_calendar.estimating())


def _due_after(clock: Deadline, today: dt.date, until: dt.date) -> dt.date:
    """The day on which ``clock`` would end if it stood still from tomorrow to ``until``."""
    line = clock.timeline()
    still = DayRange(today + ONE_DAY, until)
    return replace(line, pauses=(*line.pauses, still)).due_on(working_calendar.estimating())


# --- a special procedure


def _names(clocks: list[Deadline], today: dt.date) -> str:
    return "、".join(f"{clock.get_kind_display()}（{clock.light_text(today)}）" for clock in clocks)


def _procedure_follows(case: BlindCase, item: BusinessItem, ground: str, today: dt.date) -> list[str]:
    """What starting brings about: for the ground that was chosen, else for those of art. 45 with a word on notice."""
    clocks = case.deciding_clocks
    notice = PauseGround.PUBLIC_NOTICE
    by_notice = [clock for clock in clocks if is_stopped(item, notice, KindCode(clock.kind))]
    stopped = by_notice if ground == notice else clocks
    lines = [f"从明天起停止计算：{_names(stopped, today)}；今天仍计入"]
    running = [clock for clock in clocks if clock not in by_notice]
    if running and ground == notice:
        lines.append(f"公示期间照常计算：{_names(running, today)}")
    elif running and not ground and notice in grounds_for(item):
        lines.append(f"事由为公示的，照常计算：{_names(running, today)}")
    return [
        *lines,
        "出具《特别程序告知书》，书面告知申请人所需时间和预计结束日",
        "短信通知申请人",
        "停止期间不能出具审查意见、作出决定；结束后自次日起继续计算",
    ]


def _computed(form: ProcedureForm, case: BlindCase, item: BusinessItem, today: dt.date) -> list[str]:
    """The days that follow from what was typed; empty without a sensible number."""
    typed = getattr(form, "cleaned_data", {})
    days, ground = typed.get("estimated_days"), typed.get("ground")
    if not days or not 1 <= days <= LONGEST_PROCEDURE:
        return []
    until = working_calendar.estimating().after(today, days)
    lines = [f"预计于{day(until)}结束（从明天起第 {days} 个工作日）"]
    for clock in case.deciding_clocks:
        if ground and not clock.is_overdue(today) and is_stopped(item, PauseGround(ground), KindCode(clock.kind)):
            due = _due_after(clock, today, until)
            lines.append(f"如按时结束，{clock.get_kind_display()}由{day(clock.due_on)}顺延至{day(due)}")
    return lines


def _end_follows(case: BlindCase, today: dt.date) -> list[str]:
    lines = [
        f"{clock.get_kind_display()}自明天起恢复计算，到期日为{day(due_if_resumed(clock, today))}"
        for clock in case.deciding_clocks
        if clock.state == "paused"
    ]
    return [*lines, "短信告知申请人新的日期", "恢复后可以出具审查意见、作出决定"]


# --- an extension


def _extension_refusal(case: BlindCase, room: Room | None, asked: list[Extension], today: dt.date) -> str:
    """Why no extension can be asked for now, in a sentence; empty where it can."""
    clock = case.statutory
    if clock is None or room is None:
        return "本事项的法定期限依法不能延长。"
    if any(one.granted is None for one in asked):
        return "延期申请正在等待批复。"
    if any(one.granted for one in asked):
        return "已经延期一次，依法不得再次延期。"
    return "法定期限已过，不能再延期。" if clock.is_overdue(today) else ""


def _extension_follows(clock: Deadline, department: str) -> list[str]:
    return [
        f"提交{department}负责人批准，短信提醒；不能由申请的人自己批准",
        f"须在{day(clock.due_on)}前批准，未批准的仍按原期限办理"
        if clock.state != "paused"
        else "未批准的仍按原期限办理",
        "批准后出具《延期告知书》，把理由和新的日期告知申请人",
        "一件办件依法只能延期一次",
    ]


def _extension(
    case: BlindCase, item: BusinessItem, asked: list[Extension], form: ExtensionForm | None, today: dt.date
) -> dict[str, Any]:
    room, clock = item.extension, case.statutory
    refusal = _extension_refusal(case, room, asked, today)
    if clock is None or room is None or (refusal and form is None):
        return {"extension_refusal": refusal}
    form = form or ExtensionForm()
    form.fields["days"].label = f"延长（{Unit(clock.unit).label}）"
    most = words.length(room.longest, Unit(clock.unit))
    paused = clock.state == "paused"
    latest = "" if paused else f"，即最迟至{day(due_if_extended(clock, room.longest))}"
    form.fields["days"].help_text = f"最多{most}（{room.legal_basis}）{latest}。"
    computed = []
    length = getattr(form, "cleaned_data", {}).get("days")
    if length and 1 <= length <= room.longest:
        until = "特别程序结束后顺延" if paused else f"由{day(clock.due_on)}延长至{day(due_if_extended(clock, length))}"
        computed = [f"延长{words.length(length, Unit(clock.unit))}，法定审批期限{until}"]
    return {
        "extension_form": form,
        "extension_room": room,
        "extension_computed": computed,
        "extension_follows": _extension_follows(clock, item.item.department.name),
    }


# --- both


def _history(procedures: list[SpecialProcedure], asked: list[Extension], item: BusinessItem) -> list[dict[str, Any]]:
    """What was done to the clocks, in the order of its beginning."""
    rows: list[dict[str, Any]] = [
        {
            "at": one.started_at,
            "title": f"特别程序：{one.ground_text}",
            "badge": {"label": "已结束", "tone": "neutral"} if one.ended_at else {"label": "进行中", "tone": "warn"},
            "lines": [
                f"预计 {one.estimated_days} 个工作日；{one.reason}",
                f"结果：{one.result}" if one.ended_at else "",
            ],
            "who": "启动",
            "ended": one.ended_at,
            "ended_by": "结束" if one.ended_by else "",
            "paper": one.paper,  # type: ignore[attr-defined]  # annotated
        }
        for one in procedures
    ]
    badges: Mapping[bool | None, dict[str, str]] = {
        None: {"label": "待批复", "tone": "warn"},
        True: {"label": "已批准", "tone": "good"},
        False: {"label": "不同意", "tone": "bad"},
    }
    rows += [
        {
            "at": one.requested_at,
            "title": f"延期：{more(one, item)}",
            "badge": badges[one.granted],
            "lines": [f"理由：{one.reason}", f"批复意见：{one.answer}" if one.answer else ""],
            "who": "提出",
            "ended": one.answered_at,
            "ended_by": "部门负责人批复" if one.answered_by else "",
            "paper": one.paper,  # type: ignore[attr-defined]  # annotated
        }
        for one in asked
    ]
    return sorted(rows, key=lambda row: row["at"])


def clock_context(
    case: BlindCase, item: BusinessItem, today: dt.date, forms: Mapping[str, BaseForm | None]
) -> dict[str, Any]:
    """Procedures and extensions of a case; ``forms`` holds those that came back (procedure, end, extension).

    Two statements for the history; what is only offered while the case is in review asks for its own.
    """
    procedures, asked = procedures_of(case.pk), extensions_of(case.pk)
    found: dict[str, Any] = {"clock_history": _history(procedures, asked, item)}
    if case.status != CaseStatus.IN_REVIEW:
        return found
    running = next((one for one in procedures if one.ended_at is None), None)
    if running is not None:
        found |= {
            "procedure": running,
            "procedure_days": working_calendar.recent().count(local_date(running.started_at), today),
            "end_form": forms.get("end") or ProcedureEndForm(),
            "end_follows": _end_follows(case, today),
        }
    elif case.deciding_clocks:
        form = forms.get("procedure") or ProcedureForm(grounds=grounds_for(item))
        assert isinstance(form, ProcedureForm)  # noqa: S101 - by its key
        ground = str(getattr(form, "cleaned_data", {}).get("ground", ""))
        found |= {
            "procedure_form": form,
            "procedure_follows": _procedure_follows(case, item, ground, today),
            "procedure_computed": _computed(form, case, item, today),
        }
    extension = forms.get("extension")
    assert extension is None or isinstance(extension, ExtensionForm)  # noqa: S101 - by its key
    return found | _extension(case, item, asked, extension, today)
