"""The discipline office reads the whole trace of a case, checks its chain, and leaves a trace itself (O3.3.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from approvals.models import Case
from approvals.progress import clean
from deadlines.clock import local_date
from deadlines.models import Deadline
from ledger import verify
from ledger.models import Anchor, Entry
from offices.export import csv_response
from offices.models import Posting
from offices.web import PortalRequest, roles_required
from oversight import trace
from oversight.actions.traces import STREAM, note_look
from oversight.enums import TraceAct
from oversight.views.cases import panels
from supervision.models import SupervisionTask

Role = Posting.Role
officers = roles_required(Role.DISCIPLINE)
SHOWN = 20
HEAD = ("所属", "序号", "时间", "行为", "代码", "人员", "说明", "前一条摘要", "本条摘要", "算法")
# What ``ledger.verify`` says of a broken entry, in the words of the page.
REASONS = {
    "is missing": "缺少这一条",
    "does not hold the hash of the entry before it": "与前一条对不上，前一条可能被改动或者中间被插入",
    "content does not give its hash": "内容与摘要不符，这一条可能被改动",
}


def _reason(text: str) -> str:
    return next((said for known, said in REASONS.items() if known in text), text)


def _chain(stream: str, label: str, count: int) -> dict[str, Any]:
    """Whether a stream is whole, in words; the entries are read once more, from the first."""
    broken = next(verify.faults(stream), None)
    if broken is None:
        return {"label": label, "count": count, "whole": True, "text": "链条完整"}
    return {
        "label": label,
        "count": count,
        "whole": False,
        "text": f"第 {broken.seq} 条起不可信：{_reason(broken.reason)}",
    }


@officers
@require_safe
def look_up(request: PortalRequest) -> HttpResponse:
    """Find a case by its number; below, what this officer looked at before."""
    asked = request.GET.get("number", "").strip()[:60]
    number = clean(asked)
    missing = False
    if number:
        if Case.objects.for_trace(request.access).filter(number=number).exists():
            return redirect("traces:case", number=number)
        missing = True
    looks = list(Entry.objects.filter(stream=STREAM, actor=request.user).order_by("-seq")[:SHOWN])
    keys = [entry.data["case"] for entry in looks if "case" in entry.data]
    seen = Case.objects.for_trace(request.access).filter(pk__in=keys)
    numbers = dict(seen.values_list("pk", "number"))
    context = {
        "number": asked,
        "missing": missing,
        "looks": [
            {
                "entry": entry,
                "number": numbers.get(entry.data.get("case", 0), ""),
                "subject": entry.data.get("subject", 0),
            }
            for entry in looks
        ],
    }
    return render(request, "oversight/traces.html", context, status=404 if missing else 200)


def _case(request: PortalRequest, number: str) -> tuple[Case, list[SupervisionTask]]:
    found = Case.objects.for_trace(request.access).select_related("business_item", "department", "applicant")
    case = get_object_or_404(found, number=number)
    return case, list(case.tasks.only("number").order_by("number"))


@officers
@require_safe
def case_page(request: PortalRequest, number: str) -> HttpResponse:
    """The whole trace of a case and its tasks, with people, and whether each chain is whole. The look is recorded."""
    case, tasks = _case(request, number)
    note_look(case, TraceAct.VIEWED, by=request.user, now=request.now)
    streams = trace.streams_of(case, tasks)
    entries = trace.entries_of(streams)
    prefix = {task.stream: f"监管任务 {task.number[-2:]} · " for task in tasks}
    clocks = list(Deadline.objects.filter(stream__in=streams).order_by("pk"))
    counts = {stream: sum(entry.stream == stream for entry in entries) for stream in streams}
    anchors = list(Anchor.objects.all()[:SHOWN])
    last = max((entry.pk for entry in entries), default=0)
    fixed = Anchor.objects.filter(last_entry__gte=last).order_by("day").first()
    context = {
        "case": case,
        "crumbs": [{"label": "办件留痕", "url": reverse("traces:home")}],
        "chains": [_chain(stream, label, counts[stream]) for stream, label in streams.items()],
        "entries": trace.timeline(entries, prefix),
        "anchors": anchors,
        "fixed": fixed,
        "export_url": reverse("traces:export", args=[case.number]),
        "today": local_date(request.now),
        **panels(clocks, local_date(request.now)),
        "clock_owners": {clock.pk: streams[clock.stream] for clock in clocks if clock.stream != case.stream},
        "facts": [
            {"label": "办件编号", "value": case.number},
            {"label": "业务办理项", "value": case.business_item.name},
            {"label": "审批部门", "value": case.department.name},
            {"label": "申请人", "value": case.public_name},
        ],
    }
    return render(request, "oversight/trace.html", context)


@officers
@require_safe
def export(request: PortalRequest, number: str) -> HttpResponseBase:
    """The entries as CSV, with their digests; taking them away is recorded."""
    case, tasks = _case(request, number)
    note_look(case, TraceAct.EXPORTED, by=request.user, now=request.now)
    streams = trace.streams_of(case, tasks)
    entries = trace.entries_of(streams)
    names = trace.names_in(entries)

    def lines() -> Iterator[Sequence[Any]]:
        for entry in entries:
            who = entry.actor.full_name if entry.actor else "系统"
            at = timezone.localtime(entry.at).isoformat(timespec="seconds")
            said = (streams[entry.stream], entry.seq, at, entry.label, entry.act, who, trace.note_of(entry, names))
            yield (*said, entry.prev_hash, entry.hash, entry.algorithm)

    return csv_response(f"办件留痕-{case.number}", HEAD, lines())
