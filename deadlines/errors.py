"""What this app refuses, in words for the person at the screen."""


class DeadlineError(Exception):
    """Something about a clock that cannot be done; the text is Chinese and may be shown."""


class TransitionNotAllowed(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """The clock's state does not allow the move."""


class ChangedMeanwhile(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """Another person changed the clock since it was read."""


class Conflict(DeadlineError):  # noqa: N818 - a refusal, not a fault
    """Somebody was first, or what was seen is no longer so: look again."""


class ClockError(DeadlineError):
    """The training clock cannot be moved like that."""


class NoticeError(DeadlineError):
    """A file of holidays that does not hold together; the text names the line."""
