"""Statuses of a task with their moves, measures, results, and the acts of a task."""

from __future__ import annotations

from django.db import models


class TaskStatus(models.TextChoices):
    """Where a supervision task is."""

    NOTIFIED = "notified", "待查看"
    VIEWED = "viewed", "待签收"
    ACKNOWLEDGED = "acknowledged", "已签收"
    FINISHED = "finished", "待反馈"
    FED_BACK = "fed_back", "已反馈"
    CLOSED = "closed", "已归档"


S = TaskStatus
MOVES: dict[str, frozenset[str]] = {
    S.NOTIFIED: frozenset({S.VIEWED}),
    S.VIEWED: frozenset({S.ACKNOWLEDGED}),
    S.ACKNOWLEDGED: frozenset({S.FINISHED}),
    S.FINISHED: frozenset({S.FED_BACK}),
    S.FED_BACK: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
OPEN = (S.NOTIFIED, S.VIEWED, S.ACKNOWLEDGED, S.FINISHED, S.FED_BACK)


class Measure(models.TextChoices):
    """The supervisory measure chosen at acknowledgement (L9c)."""

    ON_SITE = "on_site", "现场检查"
    OFF_SITE = "off_site", "非现场检查"
    RANDOM_DRAW = "random_draw", "纳入双随机抽查"
    COMBINED = "combined", "并入综合查一次"
    NONE_NOW = "none_now", "暂不检查"


class Result(models.TextChoices):
    """What supervision found."""

    CONFORMING = "conforming", "符合"
    BASICALLY = "basically", "基本符合"
    NONCONFORMING = "nonconforming", "不符合"


class Platform(models.TextChoices):
    """The platform on which the work was done (L10a)."""

    MARKET = "market", "省市场监管信息平台"
    ENFORCEMENT = "enforcement", "省行政执法监督管理平台"
    INTERNET_PLUS = "internet_plus", "市“互联网+监管”平台"
    OTHER = "other", "其他监管业务平台"


class TaskAct(models.TextChoices):
    """Acts on a task's stream of the ledger."""

    OPENED = "task.opened", "生成监管任务"
    SMS_QUEUED = "task.sms_queued", "任务短信入队"
    SMS_SENT = "task.sms_sent", "任务短信发出"
    SMS_FAILED = "task.sms_failed", "任务短信未送达，转送下一人"
    VIEWED = "task.viewed", "查看"
    ACKNOWLEDGED = "task.acknowledged", "签收并选定监管措施"
    FINISHED = "task.finished", "完成监管"
    FED_BACK = "task.fed_back", "反馈监管结果"
    CLOSED = "task.closed", "归档"
    ALARM = "task.alarm", "时限提醒"
    UNLINKED = "case.unlinked", "无关联处室，转督办人员"
    ASSIGNED = "case.assigned", "督办分派监管处室"
