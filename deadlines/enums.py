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


class DraftStatus(models.TextChoices):
    """Where a proposed year stands."""

    CHECKING = "checking", "正在预览"
    READY = "ready", "待发布"
    APPLYING = "applying", "正在发布"
    APPLIED = "applied", "已发布"
    DISCARDED = "discarded", "已作废"


DRAFT_OPEN = (DraftStatus.CHECKING, DraftStatus.READY, DraftStatus.APPLYING)
DRAFT_BUSY = (DraftStatus.CHECKING, DraftStatus.APPLYING)

# Which status may follow which: a preview may be made anew, what is being published is finished.
DRAFT_MOVES: dict[DraftStatus, frozenset[DraftStatus]] = {
    DraftStatus.CHECKING: frozenset({DraftStatus.CHECKING, DraftStatus.READY, DraftStatus.DISCARDED}),
    DraftStatus.READY: frozenset({DraftStatus.CHECKING, DraftStatus.APPLYING, DraftStatus.DISCARDED}),
    DraftStatus.APPLYING: frozenset({DraftStatus.APPLIED}),
    DraftStatus.APPLIED: frozenset(),
    DraftStatus.DISCARDED: frozenset(),
}


class DraftOrigin(models.TextChoices):
    """How a proposed year came in."""

    CSV = "csv", "表格导入"
    JSON = "json", "JSON 导入"
    TYPED = "typed", "手工录入"
    PROPOSAL = "proposal", "软件包所载"
    STATUTORY = "statutory", "按法定节假日暂定"


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


class PauseGround(models.TextChoices):
    """Why a clock may stand still: the list of 行政许可法 art. 45, the public notice, and what a named law says."""

    HEARING = "hearing", "听证"
    TENDER = "tender", "招标"
    AUCTION = "auction", "拍卖"
    INSPECTION = "inspection", "检验"
    TESTING = "testing", "检测"
    QUARANTINE = "quarantine", "检疫"
    APPRAISAL = "appraisal", "鉴定"
    EXPERT_REVIEW = "expert_review", "专家评审"
    PUBLIC_NOTICE = "public_notice", "公示"
    NAMED_LAW = "named_law", "其他法律规定的事由"


ART_45 = frozenset(PauseGround) - {PauseGround.PUBLIC_NOTICE, PauseGround.NAMED_LAW}


class Room(models.TextChoices):
    """What the law leaves open about the length of a kind of clock."""

    FIXED = "fixed", "法律规定，不得变更"
    SHORTER = "shorter", "只能缩短"
    FREE = "free", "可在范围内设定"
    ITEM = "item", "由事项依法设定"
    PERSON = "person", "由经办人依法确定日期"


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
    DEADLINE_PAUSED = "deadline_paused", "期限暂停"
    DEADLINE_RESUMED = "deadline_resumed", "期限恢复"
    DEADLINE_EXTENDED = "deadline_extended", "期限延长"
    DEADLINE_HANDED_OVER = "deadline_handed_over", "期限随办件移交"
    PERIOD_SET = "period_set", "设定期限长度"
    PERIOD_UNSET = "period_unset", "恢复默认期限"
    CALENDAR_DRAFTED = "calendar_drafted", "提出年度安排草稿"
    CALENDAR_CHECKED_AGAIN = "calendar_checked_again", "重新预览年度安排"
    CALENDAR_DISCARDED = "calendar_discarded", "作废年度安排草稿"
    CALENDAR_LOADED = "calendar_loaded", "工作日历载入"
    CALENDAR_APPLIED = "calendar_applied", "期限已按新日历重算"
    WINDOW_HOURS_SET = "window_hours_set", "设定窗口服务时间"
    CLOCK_JUMPED = "training_clock_jumped", "演练时钟前移"
    CLOCK_RESET = "training_clock_reset", "演练时钟复位"
