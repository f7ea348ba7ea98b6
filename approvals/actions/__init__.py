"""The verbs of the approval side."""

from approvals.actions.finish import complete_case, deliver
from approvals.actions.intake import (
    IntakeDraft,
    accept_case,
    answer_correction,
    receive_case,
    refuse_acceptance,
    request_correction,
)
from approvals.actions.promising import Signing, sign_promise, withdraw_promise
from approvals.actions.review import decide, give_opinion

__all__ = [
    "IntakeDraft",
    "Signing",
    "accept_case",
    "answer_correction",
    "complete_case",
    "decide",
    "deliver",
    "give_opinion",
    "receive_case",
    "refuse_acceptance",
    "request_correction",
    "sign_promise",
    "withdraw_promise",
]
