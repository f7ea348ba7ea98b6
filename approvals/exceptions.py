"""What an action refuses; every room says it in the same way (``offices.refusals``)."""

from offices.refusals import Refused, TransitionNotAllowed

__all__ = ["Refused", "TransitionNotAllowed"]
