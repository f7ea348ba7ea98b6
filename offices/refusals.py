"""What an action refuses, in words for the person who pressed the button."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - reads as what happened
    """An action that the state or the rules do not allow.

    ``code`` is stable and machine-readable; ``message`` is a Chinese sentence that says what is wrong and what to do;
    ``conflict`` is true where somebody else was faster (HTTP 409), false where the input is at fault (422 / beside the
    field named by ``field``).
    """

    def __init__(self, code: str, message: str, *, field: str | None = None, conflict: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.conflict = conflict


class TransitionNotAllowed(Refused):
    """What is acted on is no longer in a state that allows the act: usually somebody else was faster."""

    def __init__(self, message: str) -> None:
        super().__init__("state-conflict", message, conflict=True)
