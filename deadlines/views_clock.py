"""The page of one clock: why it stands where it stands, for whoever may see its owner. Everybody else finds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from deadlines import explaining, owners, sights
from deadlines.clock import local_date
from deadlines.enums import EventKind
from deadlines.explaining import EventLine, Explanation, Standing
from deadlines.models import Deadline
from deadlines.sights import Sight
from deadlines.words import chinese_date
from offices.export import csv_response
from offices.web import PortalRequest

HEAD = ("日期", "星期", "是否计入", "第几日", "原因", "暂定", "到期日")
TONES = {
    EventKind.START: "active",
    EventKind.PAUSE: "warn",
    EventKind.RESUME: "active",
    EventKind.MET: "good",
    EventKind.MISSED: "bad",
}


def _seen(request: PortalRequest, pk: int) -> tuple[Deadline, Sight, Explanation]:
    """The clock with its explanation if the person may see its owner, else 404; the look is noted where it must be."""
    clock = get_object_or_404(Deadline, pk=pk)
    sight = sights.of([clock.stream], request.access).get(clock.stream)
    if sight is None or not sight.sees(pk):
        raise Http404
    if sight.note is not None:
        sight.note(request.now)
    found = explaining.explain_many([clock], local_date(request.now), names=sight.names).get(clock.pk)
    if found is None:
        raise Http404
    return clock, sight, found


def _entry(event: EventLine) -> dict[str, Any]:
    due = f"。到期日：{chinese_date(event.due_on)}" if event.due_on else ""
    tone = TONES.get(event.kind, "neutral")
    return {"at": event.at, "label": event.label, "who": event.who, "note": f"{event.text}{due}", "tone": tone}


def _facts(explanation: Explanation) -> list[dict[str, Any]]:
    rests_on = explaining.sources([explanation])
    facts: list[dict[str, Any]] = [
        {"label": "期限", "value": explanation.length_text, "source": explanation.basis, "wide": True}
    ]
    facts += [
        {"label": "计算规则" if number == 1 else f"计算规则 {number}", "value": rule.text, "source": rule.source}
        for number, rule in enumerate(explanation.rules, start=1)
    ]
    facts += [
        {"label": "工作日历", "value": note.text, "source": rests_on.get(note, ""), "wide": True}
        for note in explanation.calendars
    ]
    return facts


@login_required
@require_safe
def clock_page(request: PortalRequest, pk: int) -> HttpResponse:
    """Everything that is to be said of a clock; ``?days=all`` lists every day of a long period."""
    clock, sight, explanation = _seen(request, pk)
    owner = owners.names([clock.stream])[clock.stream]
    all_days = request.GET.get("days") == "all"
    context = {
        "deadline": clock,
        "explain": explanation,
        "owner": owner,
        "today": local_date(request.now),
        "url": reverse("clock", args=[pk]),
        "all_days": all_days,
        "rows": explanation.days if all_days else explanation.rows,
        "entries": [_entry(event) for event in explanation.events],
        "facts": _facts(explanation),
        "about": (sight.clocks or {}).get(pk, ""),
        "crumbs": [{"label": f"{owner.title} {owner.number}".strip(), "url": sight.url}],
    }
    return render(request, "deadlines/clock.html", context)


@login_required
@require_safe
def days(request: PortalRequest, pk: int) -> HttpResponseBase:
    """Every day of the period as CSV."""
    clock, _, explanation = _seen(request, pk)

    def lines() -> Iterator[Sequence[Any]]:
        for row in explanation.days:
            counted = row.standing is Standing.COUNTED
            yield (
                row.first,
                row.weekday,
                row.standing.label,
                row.number if counted else "",
                row.reason,
                "是" if row.provisional else "",
                "是" if row.is_due else "",
            )

    return csv_response(f"{clock.get_kind_display()}-逐日-{clock.pk}", HEAD, lines())
