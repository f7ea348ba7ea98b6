"""The verbs of the supervision side, by what they are about. Source: L9c, L10."""

from supervision.actions.feedback import close, close_for_licence, feed_back, finish
from supervision.actions.taking import (
    acknowledge,
    acknowledge_many,
    assign,
    note_reading,
    open_task_for,
    replan,
    view_task,
)

__all__ = [
    "acknowledge",
    "acknowledge_many",
    "assign",
    "close",
    "close_for_licence",
    "feed_back",
    "finish",
    "note_reading",
    "open_task_for",
    "replan",
    "view_task",
]
