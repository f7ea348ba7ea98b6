"""States of a message with the moves allowed between them, and what an attempt may come to."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models


class State(models.TextChoices):
    """Where a message stands."""

    QUEUED = "queued", "待发送"
    SENDING = "sending", "发送中"
    UNKNOWN = "unknown", "结果未知"
    ACCEPTED = "accepted", "网关已受理"
    DELIVERED = "delivered", "已送达"
    FAILED = "failed", "发送失败"
    CANCELLED = "cancelled", "已取消"


class Urgency(models.TextChoices):
    """How a reminder's day stood when it rang; the words of a digest."""

    LATE = "late", "已超期"
    TODAY = "today", "今日到期"
    SOON = "soon", "临近到期"
    NONE = "", "其他"


# A receipt is proof wherever the row stands, so every open state may end as delivered or failed.
MOVES: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENDING, State.CANCELLED, State.ACCEPTED, State.DELIVERED, State.FAILED}),
    State.SENDING: frozenset({State.QUEUED, State.UNKNOWN, State.ACCEPTED, State.DELIVERED, State.FAILED}),
    State.UNKNOWN: frozenset({State.QUEUED, State.UNKNOWN, State.ACCEPTED, State.DELIVERED, State.FAILED}),
    State.ACCEPTED: frozenset({State.DELIVERED, State.FAILED}),
    State.DELIVERED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
}

# Still to be sent or asked about.
OPEN = (State.QUEUED, State.SENDING, State.UNKNOWN)


class TransitionNotAllowed(Exception):  # noqa: N818 - the project's word for it
    """The message cannot go from where it stands to where it was told to go."""

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"短信不能从“{State(source).label}”变为“{State(target).label}”。")
        self.source = source
        self.target = target


class Verdict(models.TextChoices):
    """What one attempt (a sending, or a question to the gateway) came to."""

    ACCEPTED = "accepted", "网关已受理"
    DELIVERED = "delivered", "已送达"
    REFUSED = "refused", "网关拒绝"
    TEMPORARY = "temporary", "暂时失败"
    UNKNOWN = "unknown", "超时，结果未知"
    ABSENT = "absent", "网关查无此信"
    FAILED = "failed", "网关称未送达"
    NO_ANSWER = "no_answer", "查询未得到答复"
    # Never stored as an attempt: the batch was stopped before this message's turn.
    HELD = "held", "未尝试"


class ReceiptStatus(models.TextChoices):
    """What a delivery receipt may say."""

    DELIVERED = "DELIVERED", "已送达"
    FAILED = "FAILED", "未送达"
