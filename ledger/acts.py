"""The table of acts: what an entry's code is called on the timeline."""

from django.db import models

_LABELS: dict[str, str] = {}


def register(acts: type[models.TextChoices]) -> None:
    """Add the acts of one app; a code that two apps use for different acts is refused."""
    for value, label in acts.choices:
        known = _LABELS.get(str(value))
        if known is not None and known != str(label):
            raise ValueError(f"act {value!r} is called both {known!r} and {label!r}")
        _LABELS[str(value)] = str(label)


def label(act: str) -> str:
    """Return the Chinese name of ``act``, or the code itself where no app has named it."""
    return _LABELS.get(act, act)
