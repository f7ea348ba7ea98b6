"""The words of this app: units, kinds of day, states with their table of moves, lights, events and acts."""

from django.db import models


class Unit(models.TextChoices):
    """How a period is counted."""

    WORKING = "working", "工作日"
    CALENDAR = "calendar", "自然日"
    MONTHS = "months", "个月"
    FIXED = "fixed", "固定日期"


class DayKind(models.TextChoices):
    """What a day of the working calendar is."""

    WORKDAY = "workday", "工作日"
    WEEKEND = "weekend", "周末"
    HOLIDAY = "holiday", "放假"
    MAKEUP = "makeup", "调休上班"


class YearStatus(models.TextChoices):
    """Whether a year rests on the State Council's notice or on the law alone."""

    OFFICIAL = "official", "已发布"
    PROVISIONAL = "provisional", "暂定"


class State(models.TextChoices):
    """States of a clock. MISSED is a clock whose duty was done, but after its due date."""

    RUNNING = "running", "计时中"
    PAUSED = "paused", "暂停"
    MET = "met", "按期完成"
    MISSED = "missed", "逾期完成"
    CANCELLED = "cancelled", "已取消"


OPEN = (State.RUNNING, State.PAUSED)
CLOSED = (State.MET, State.MISSED, State.CANCELLED)

# Which state may follow which; a closed clock never runs again.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.RUNNING: frozenset({State.PAUSED, State.MET, State.MISSED, State.CANCELLED}),
    State.PAUSED: frozenset({State.RUNNING, State.MET, State.MISSED, State.CANCELLED}),
    State.MET: frozenset(),
    State.MISSED: frozenset(),
    State.CANCELLED: frozenset(),
}


class Light(models.TextChoices):
    """The light of a clock; never shown without its word and the days."""

    GREEN = "green", "正常"
    YELLOW = "yellow", "临期"
    RED = "red", "超期"
    GREY = "grey", "暂停"


class EventKind(models.TextChoices):
    """Events of a clock's own ledger; the due date is derived from them."""

    START = "start", "起算"
    PAUSE = "pause", "暂停"
    RESUME = "resume", "恢复"
    EXTEND = "extend", "延长"
    RECOMPUTE = "recompute", "重算"
    HAND_OVER = "hand_over", "移交"
    MET = "met", "按期完成"
    MISSED = "missed", "逾期完成"
    CANCEL = "cancel", "取消"


class Act(models.TextChoices):
    """Acts that this app writes on the ledger."""

    DEADLINE_STARTED = "deadline_started", "期限起算"
    DEADLINE_MET = "deadline_met", "按期完成"
    DEADLINE_MISSED = "deadline_missed", "逾期完成"
    DEADLINE_CANCELLED = "deadline_cancelled", "期限取消"
    DEADLINE_RECOMPUTED = "deadline_recomputed", "期限重算"
    CALENDAR_LOADED = "calendar_loaded", "工作日历载入"
    CLOCK_JUMPED = "training_clock_jumped", "演练时钟前移"
    CLOCK_RESET = "training_clock_reset", "演练时钟复位"
