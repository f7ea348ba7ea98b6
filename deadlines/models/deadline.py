"""Clocks, their events and their alarms."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from deadlines import calendar as working_calendar
from deadlines import timeline, words
from deadlines.alarms import local, next_alarm
from deadlines.arithmetic import ONE_DAY, Calendar, DayLine
from deadlines.enums import CLOSED, OPEN, TRANSITIONS, EventKind, Light, State, Unit
from deadlines.errors import TransitionNotAllowed
from deadlines.kinds import KINDS, Kind, KindCode
from deadlines.querysets import DeadlineQuerySet

_KIND_LABELS = {str(value): str(label) for value, label in KindCode.choices}


class Deadline(models.Model):
    """A clock. Its owner holds the foreign key; ``stream`` is the owner's ledger stream.

    ``due_on`` is derived from the events and written by this app only. Overdue means: the local date is after it.
    """

    kind = models.CharField("种类", max_length=24, choices=KindCode.choices)
    length = models.PositiveSmallIntegerField("期限", null=True, help_text="固定日期的没有长度")
    unit = models.CharField("单位", max_length=8, choices=Unit.choices)
    started_at = models.DateTimeField("起算事件时间")
    start_on = models.DateField("起算事件日")
    due_on = models.DateField("到期日")
    yellow_on = models.DateField("临期日", null=True, help_text="从这一天起剩余不超过一个工作日或两成")
    state = models.CharField("状态", max_length=10, choices=State.choices, default=State.RUNNING)
    legal_basis = models.CharField("依据", max_length=300)
    provisional = models.BooleanField("暂定", default=False)
    calendar_version = models.CharField("日历版本", max_length=60)
    stream = models.CharField("留痕流", max_length=60)
    closed_at = models.DateTimeField("结束时间", null=True)
    revision = models.PositiveIntegerField("事件数", default=1)
    next_alarm_at = models.DateTimeField("下次提醒时间", null=True)
    next_alarm_stage = models.IntegerField("下次提醒档次", null=True)
    alarm_error = models.CharField("提醒故障", max_length=200, blank=True, default="")
    alarm_failures = models.PositiveSmallIntegerField("提醒连续故障次数", default=0)
    objects = DeadlineQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "期限"
        indexes: ClassVar = [
            # The sweep: what rings now among all running clocks.
            models.Index(
                fields=("next_alarm_at", "id"),
                condition=Q(state="running", next_alarm_at__isnull=False),
                name="deadline_ringing",
            ),
            # Boards by due date, counts of overdue clocks, recompute of the clocks that touch a year.
            models.Index(
                fields=("due_on", "id"), condition=Q(state__in=["running", "paused"]), name="deadline_open_due"
            ),
            # All clocks of one case or task, for its page.
            models.Index(fields=("stream",), name="deadline_stream"),
            # The alarm boards: the clock that leads an owner's line, whether one stands still or is provisional, and
            # whether one presses today. Two columns beside the key: within it, a whole board would be read from here.
            models.Index(
                fields=("stream", "-state", "due_on", "id"),
                include=("kind", "provisional"),
                condition=Q(state__in=["running", "paused"]),
                name="deadline_open_of_owner",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=State.values),
                name="deadline_state_known",
                violation_error_message="期限状态不在表内。",
            ),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("start_on")),
                name="deadline_due_after_start",
                violation_error_message="到期日不能早于起算事件日。",
            ),
            models.CheckConstraint(
                condition=Q(unit="fixed", length__isnull=True)
                | (Q(unit__in=["working", "calendar", "months"]) & Q(length__isnull=False) & Q(length__gte=1)),
                name="deadline_length_fits_unit",
                violation_error_message="期限长度与单位不符。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, closed_at__isnull=True) | Q(state__in=CLOSED, closed_at__isnull=False),
                name="deadline_closed_has_time",
                violation_error_message="结束的期限要有结束时间，未结束的不能有。",
            ),
            models.CheckConstraint(
                condition=Q(next_alarm_at__isnull=True, next_alarm_stage__isnull=True)
                | Q(next_alarm_at__isnull=False, next_alarm_stage__isnull=False, state="running"),
                name="deadline_alarm_only_running",
                violation_error_message="只有计时中的期限才有下次提醒。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.due_on}"

    # --- what it is

    def get_kind_display(self) -> str:  # type: ignore[no-redef]
        """The kind's label, looked up: Django would go through all choices, and a board shows hundreds of clocks."""
        return _KIND_LABELS.get(self.kind, self.kind)

    @property
    def kind_row(self) -> Kind:
        """The row of the table of kinds."""
        return KINDS[KindCode(self.kind)]

    @property
    def is_open(self) -> bool:
        """Whether it runs or is paused."""
        return self.state in OPEN

    @property
    def length_text(self) -> str:
        """``5个工作日``, ``60个自然日``, ``6个月`` or ``固定日期``."""
        return words.length(self.length, Unit(self.unit))

    def is_overdue(self, on: date) -> bool:
        """Whether a running clock's due date has passed on the local date ``on``; a closed one: whether it was late."""
        return self.state == State.MISSED or (self.state == State.RUNNING and on > self.due_on)

    def days_left(self, on: date, calendar: Calendar | None = None) -> int:
        """Working days after ``on`` up to the due date; 0 on the last day; negative (at least -1) when overdue.

        A year that nobody has published is counted by the provisional rule; ``provisional_note`` says so.
        """
        calendar = calendar or working_calendar.recent()
        if on > self.due_on:
            return -max(1, calendar.count(self.due_on, on))
        return calendar.count(on, self.due_on)

    def light(self, on: date, calendar: Calendar | None = None) -> Light:
        """Green; yellow with one working day or 20 % left; red when overdue; grey when it stands still."""
        if self.state in {State.PAUSED, State.CANCELLED}:
            return Light.GREY
        if self.is_overdue(on):
            return Light.RED
        if self.state == State.MET:
            return Light.GREEN
        yellow_on = self.yellow_on or self.turns_yellow(calendar or working_calendar.recent())
        return Light.YELLOW if on >= yellow_on else Light.GREEN

    def turns_yellow(self, calendar: Calendar) -> date:
        """The first day with at most one working day, or a fifth of them, left; the start day at the earliest."""
        left = max(1, calendar.count(self.start_on, self.due_on) // 5)
        return max(self.start_on, calendar.before(self.due_on + ONE_DAY, left + 1))

    def light_text(self, on: date, calendar: Calendar | None = None) -> str:
        """The word and the days that stand beside the light: ``剩 3 个工作日``, ``已超期 2 个工作日``."""
        if self.state != State.RUNNING:
            return str(State(self.state).label)
        return words.days_left(self.days_left(on, calendar), is_due_day=on == self.due_on)

    def provisional_note(self) -> str:
        """What a person must know about a due date that rests on an unpublished year; empty when it does not.

        A written day rests on no year: empty as well, whatever its row says.
        """
        if not self.provisional or self.unit == Unit.FIXED:
            return ""
        years = [part.split(".")[0] for part in self.calendar_version.split("+") if part.endswith("p")]
        return f"{'、'.join(years)} 年的节假日安排尚未发布，到期日按周末和法定节假日暂计，发布后会重新计算并告知。"

    def timeline(self) -> timeline.Timeline:
        """What its events say; one statement."""
        return timeline.read(self.events.order_by("seq"))

    def explain(self, calendar: Calendar | None = None, on: date | None = None) -> list[DayLine]:
        """One line a day from the event to the due date, counted or not and why; ``on`` as ``Timeline.explain``."""
        return self.timeline().explain(calendar or working_calendar.recent(), on)

    # --- what happens to it; the table of moves is enums.TRANSITIONS

    def _move(self, to: State) -> None:
        if to not in TRANSITIONS[State(self.state)]:
            raise TransitionNotAllowed(
                f"{self.get_kind_display()}已是“{State(self.state).label}”，不能再改为“{to.label}”。"
            )
        self.state = to
        self.revision += 1

    def _close(self, to: State, at: datetime) -> None:
        self._move(to)
        self.closed_at = at
        self.next_alarm_at = self.next_alarm_stage = None
        self.alarm_error = ""

    def meet(self, at: datetime) -> EventKind:
        """The duty was done at ``at``: MET, or MISSED when the local date is after the due date."""
        late = self.state == State.RUNNING and local(at).date() > self.due_on
        self._close(State.MISSED if late else State.MET, at)
        return EventKind.MISSED if late else EventKind.MET

    def pause(self) -> EventKind:
        """It stands still; no alarm rings meanwhile."""
        self._move(State.PAUSED)
        self.next_alarm_at = self.next_alarm_stage = None
        self.alarm_error = ""
        return EventKind.PAUSE

    def resume(self) -> EventKind:
        """It runs again; the caller derives its due date."""
        self._move(State.RUNNING)
        return EventKind.RESUME

    def cancel(self, at: datetime) -> EventKind:
        """The duty fell away."""
        self._close(State.CANCELLED, at)
        return EventKind.CANCEL

    def place(self, due_on: date, calendar: Calendar) -> None:
        """Take the due date that the events give, and what follows from it; a written day is never provisional."""
        self.due_on = due_on
        self.yellow_on = self.turns_yellow(calendar)
        self.provisional = self.unit != Unit.FIXED and calendar.is_provisional(self.start_on, due_on)
        self.calendar_version = calendar.version(self.start_on, due_on)

    def plan_alarm(self, after: datetime, calendar: Calendar) -> None:
        """Set the next alarm to the first one later than ``after``; none unless it runs."""
        planned = None
        if self.state == State.RUNNING:
            planned = next_alarm(self.due_on, self.kind_row.alarms, after, calendar)
        self.next_alarm_stage, self.next_alarm_at = planned or (None, None)


class ClockEvent(models.Model):
    """An event of a clock, numbered from 1. ``data`` holds what the due date is derived from; never personal data."""

    # No index of their own: the unique constraint serves the clock, nobody lists events by person.
    deadline = models.ForeignKey(Deadline, models.PROTECT, related_name="events", db_index=False)
    seq = models.PositiveIntegerField("序号")
    kind = models.CharField("事件", max_length=12, choices=EventKind.choices)
    at = models.DateTimeField("时间")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False)
    data = models.JSONField("内容", default=dict)

    class Meta:
        verbose_name = verbose_name_plural = "期限事件"
        ordering = ("deadline_id", "seq")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("deadline", "seq"), name="clock_event_seq", violation_error_message="该序号的事件已存在。"
            ),
            models.CheckConstraint(
                condition=Q(seq=1, kind="start") | (Q(seq__gt=1) & ~Q(kind="start")),
                name="clock_event_starts_first",
                violation_error_message="起算只能是第一个事件。",
            ),
            # 行政许可法 art. 42: a period is extended once.
            models.UniqueConstraint(
                fields=("deadline",),
                condition=Q(kind="extend"),
                name="clock_extended_once",
                violation_error_message="期限只能延长一次。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deadline_id}#{self.seq} {self.kind}"


class Alarm(models.Model):
    """An alarm that rang, once for each due date and stage.

    ``spoken_by`` names the newer stage that spoke for this one after an outage: the person got one message, not many.
    """

    deadline = models.ForeignKey(Deadline, models.PROTECT, related_name="alarms", db_index=False)
    due_on = models.DateField("当时的到期日")
    stage = models.IntegerField("档次")
    fired_at = models.DateTimeField("时间")
    spoken_by = models.IntegerField("由哪一档代为提醒", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "提醒"
        constraints: ClassVar = [
            # Also serves the clock's list of alarms.
            models.UniqueConstraint(
                fields=("deadline", "due_on", "stage"), name="alarm_once", violation_error_message="这一档已提醒过。"
            ),
            models.CheckConstraint(
                condition=Q(spoken_by__isnull=True) | Q(spoken_by__gt=F("stage")),
                name="alarm_spoken_by_newer",
                violation_error_message="只能由更新的一档代为提醒。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deadline_id}@{self.stage}"
