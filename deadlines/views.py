"""The training page: where the clock stands, and the ways to move it. It exists only where training is allowed."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import current_app
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from deadlines import clock, owners, sights, words
from deadlines.alarms import opening_of
from deadlines.errors import ClockError
from deadlines.models import CalendarYear, Deadline
from deadlines.querysets import DeadlineQuerySet
from offices.access import Access
from offices.web import PortalRequest

log = logging.getLogger(__name__)

NEXT_ALARMS = 20
LOOKED_AT = 5000
AT_ONCE = 500
HOUR = dt.timedelta(hours=1)
# Woken after a jump, so that what has fallen due rings at once. The outbox lives in a higher room: its task is known
# here by name only. A message that is lost costs seconds: the beat wakes both.
WAKES = ("deadlines.tasks.sweep", "notifications.tasks.deliver")

RESET_FOLLOWS = (
    "系统时间回到真实时间，对所有人生效",
    "演练中产生的办件、文书和留痕都保留，上面的日期会晚于今天",
    "已经发出的提醒不会收回；未到的提醒按真实时间再等",
)


class MomentForm(forms.Form):
    """A chosen moment, in local time."""

    moment = forms.DateTimeField(
        label="到这一刻",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": "请选择要拨到的日期和时间。",
            "invalid": "请按 2026-10-12 09:00 的样子填写日期和时间。",
        },
    )


def training_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let signed-in people in where training is allowed; elsewhere there is no such page."""
    gated = login_required(view)

    @wraps(view)
    def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.TRAINING_ALLOWED:
            raise Http404
        return gated(request, *args, **kwargs)

    return gate


def _seen(rows: DeadlineQuerySet, access: Access) -> list[Deadline]:
    """The first clocks, in their order, whose owners the person sees without leaving a trace of the look.

    Looked for among the first ``LOOKED_AT``, ``AT_ONCE`` at a time, so that the page costs no more in a bigger town.
    """
    found: list[Deadline] = []
    for start in range(0, LOOKED_AT, AT_ONCE):
        some = list(rows[start : start + AT_ONCE])
        seen = sights.of({row.stream for row in some}, access)
        found += [row for row in some if (sight := seen.get(row.stream)) and sight.note is None and sight.sees(row.pk)]
        if len(found) >= NEXT_ALARMS or len(some) < AT_ONCE:
            break
    return found[:NEXT_ALARMS]


def _page(request: PortalRequest, form: MomentForm, status: int = 200) -> HttpResponse:
    now = clock.now()
    number = request.GET.get("number", "").strip()[:40]
    running = Deadline.objects.running()
    if number:
        asked = running.filter(stream__in=sights.find_any(number.upper())).order_by("due_on", "pk")
    else:
        asked = running.filter(next_alarm_at__gt=now).order_by("next_alarm_at", "pk")
    rows = _seen(asked, request.access)
    named = owners.names(row.stream for row in rows)
    real = timezone.now()
    context = {
        "now": now,
        "real": real,
        "ahead": words.span(now - real),
        "is_ahead": now - real >= dt.timedelta(minutes=1),
        "morning": clock.next_working_morning(now),
        "hour": now + HOUR,
        "rows": [
            {
                "deadline": row,
                "owner": named[row.stream],
                "due_ahead": opening_of(row.due_on) > now,
                "alarm_ahead": row.next_alarm_at is not None and row.next_alarm_at > now,
            }
            for row in rows
        ],
        "number": number,
        "today": clock.local_date(now),
        "form": form,
        "follows": RESET_FOLLOWS,
    }
    return render(request, "training/training.html", context, status=status)


@require_GET
@training_only
def training(request: PortalRequest) -> HttpResponse:
    """System time beside real time, the jumps, and the alarms that come next."""
    return _page(request, MomentForm())


def _last_year() -> int:
    """The last year of the working calendar. Raises ``ClockError`` where there is none."""
    year = CalendarYear.objects.order_by("-year").values_list("year", flat=True).first()
    if year is None:
        raise ClockError("还没有载入工作日历，演练时钟不能拨动。")
    return year


def _jump(request: PortalRequest, moment: dt.datetime) -> HttpResponse:
    """Move the clock, wake the sweep and the outbox, and say where it stands. Raises ``ClockError``."""
    year = _last_year()
    # Clocks of the last year run over into the next one, which is counted by the provisional rule; no further.
    if timezone.localtime(moment).year > year + 1:
        raise ClockError(f"工作日历只载入到 {year} 年，最远可以拨到 {year + 1} 年底，请选择更早的时间。")
    clock.jump_to(moment, request.user)
    _wake()
    there = timezone.localtime(moment)
    text = f"演练时钟已到{words.chinese_date(there.date())}{there:%H:%M}。到点的提醒几秒内发出，可在演示手机上查看。"
    messages.success(request, text)
    return redirect("training")


@require_POST
@training_only
def jump(request: PortalRequest) -> HttpResponse:
    """Move forward: ``to`` is ``morning``, ``hour`` or ``moment`` (with the field of the form)."""
    form = MomentForm()
    try:
        match request.POST.get("to", ""):
            case "morning":
                return _jump(request, clock.next_working_morning(clock.now()))
            case "hour":
                return _jump(request, clock.now() + HOUR)
            case _:
                form = MomentForm(request.POST)
                if form.is_valid():
                    return _jump(request, form.cleaned_data["moment"])
    except ClockError as error:
        form = form if form.is_bound else MomentForm({})
        form.add_error("moment" if form.is_valid() else None, str(error))
    return _page(request, form, status=422)


@require_POST
@training_only
def jump_to_deadline(request: PortalRequest, pk: int) -> HttpResponse:
    """Move to the moment at which a clock rings next; with ``to=due``, to 9:00 of its due day."""
    deadline = get_object_or_404(Deadline.objects.running(), pk=pk)
    to_due = request.POST.get("to") == "due"
    moment = opening_of(deadline.due_on) if to_due else deadline.next_alarm_at
    if moment is None or moment <= clock.now():
        gone = "这个期限的到期日已经到了。" if to_due else "这个期限的提醒已经到点，正在发出。"
        messages.info(request, gone)
        return redirect("training")
    try:
        return _jump(request, moment)
    except ClockError as error:
        messages.error(request, str(error))
        return redirect("training")


@require_POST
@training_only
def reset(request: PortalRequest) -> HttpResponse:
    """Back to the real time."""
    clock.reset(request.user)
    messages.success(request, "演练时钟已回到真实时间。")
    return redirect("training")


def _wake() -> None:
    for name in WAKES:
        try:
            current_app.send_task(name, retry=False)
        except (KombuError, RedisError, OSError) as error:
            log.warning("training: %s not woken (%s); the beat will do it", name, type(error).__name__)
